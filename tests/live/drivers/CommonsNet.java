// SPDX-License-Identifier: MIT
// Apache Commons Net. How drivers are called stands in clients.py.

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.apache.commons.net.DefaultSocketFactory;
import org.apache.commons.net.ftp.FTP;
import org.apache.commons.net.ftp.FTPFile;
import org.apache.commons.net.ftp.FTPSClient;
import org.apache.commons.net.util.TrustManagerUtils;

public class CommonsNet {

	/**
	 * Java looks for a session to resume by host and port, and a data connection has another
	 * port. So it is opened in clear, on a socket that claims the port of the control
	 * connection, and TLS is begun on that.
	 */
	static class Resuming extends FTPSClient {
		private final SSLContext context;

		Resuming(SSLContext context) {
			super(false, context);
			this.context = context;
		}

		@Override
		protected Socket _openDataConnection_(String command, String arg) throws IOException {
			setSocketFactory(new DefaultSocketFactory() {
				@Override
				public Socket createSocket() {
					return new Socket() {
						@Override
						public int getPort() {
							return _socket_.getPort();
						}
					};
				}
			});
			Socket plain = super._openDataConnection_(command, arg);
			if (plain == null) {
				return null;
			}
			SSLSocket data = (SSLSocket) context.getSocketFactory().createSocket(
				plain, _hostname_, plain.getPort(), true);
			data.startHandshake();
			return data;
		}
	}

	static String setting(String name) {
		String value = System.getenv("FTP_" + name);
		return value == null ? "" : value;
	}

	static KeyManager[] certificate() throws Exception {
		if (setting("CERT").isEmpty()) {
			return null;
		}
		Certificate[] chain;
		try (InputStream file = new FileInputStream(setting("CERT"))) {
			chain = CertificateFactory.getInstance("X.509").generateCertificates(file)
				.toArray(new Certificate[0]);
		}
		String pem = Files.readString(Path.of(setting("KEY")));
		byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
		KeyStore store = KeyStore.getInstance("PKCS12");
		store.load(null, null);
		store.setKeyEntry("client", KeyFactory.getInstance(chain[0].getPublicKey().getAlgorithm())
			.generatePrivate(new PKCS8EncodedKeySpec(der)), new char[0], chain);
		KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
		factory.init(store, new char[0]);
		return factory.getKeyManagers();
	}

	static boolean list(FTPSClient ftp, String folder) throws IOException {
		for (FTPFile file : ftp.mlistDir(folder)) {
			System.out.println(file.getName());
		}
		return ftp.getReplyCode() == 226;
	}

	static boolean get(FTPSClient ftp, String remote, String local, long offset)
			throws IOException {
		ftp.setRestartOffset(offset);
		try (OutputStream file = new FileOutputStream(local, offset > 0)) {
			return ftp.retrieveFile(remote, file);
		}
	}

	static boolean put(FTPSClient ftp, String local, String remote, long offset)
			throws IOException {
		ftp.setRestartOffset(offset);
		try (InputStream file = new FileInputStream(local)) {
			file.skipNBytes(offset);
			return ftp.storeFile(remote, file);
		}
	}

	static boolean run(FTPSClient ftp, String... words) throws IOException {
		switch (words[0]) {
		case "login":
			return true;
		case "list":
			return list(ftp, words[1]);
		case "get":
			return get(ftp, words[1], words[2], 0);
		case "reget":
			return get(ftp, words[1], words[2], Files.size(Path.of(words[2])));
		case "put":
			return put(ftp, words[1], words[2], 0);
		case "reput":
			return put(ftp, words[1], words[2], Long.parseLong(ftp.getSize(words[2])));
		case "rename":
			return ftp.rename(words[1], words[2]);
		case "delete":
			return ftp.deleteFile(words[1]);
		case "mkdir":
			return ftp.makeDirectory(words[1]);
		default:
			return false;
		}
	}

	static boolean logIn(FTPSClient ftp) throws IOException {
		ftp.setControlEncoding("UTF-8");
		ftp.connect(setting("HOST"), Integer.parseInt(setting("PORT")));
		if (!ftp.login(setting("USER"), setting("PASSWORD"))) {
			return false;
		}
		ftp.execPBSZ(0);
		ftp.execPROT("P");
		ftp.enterLocalPassiveMode();
		return ftp.setFileType(FTP.BINARY_FILE_TYPE);
	}

	public static void main(String[] words) throws Exception {
		// Java takes up no session without an extended master secret, unless told not to want one.
		System.setProperty("jdk.tls.useExtendedMasterSecret", "false");
		SSLContext context = SSLContext.getInstance("TLSv1.2");
		context.init(certificate(),
			new TrustManager[] {TrustManagerUtils.getAcceptAllTrustManager()}, null);
		FTPSClient ftp = setting("PLAIN").isEmpty()
			? new Resuming(context) : new FTPSClient(false, context);
		boolean done = false;
		try {
			done = logIn(ftp) && run(ftp, words);
			System.err.print(ftp.getReplyString());
			ftp.logout();
		} catch (IOException error) {
			System.err.println(ftp.getReplyString() + error);
		}
		System.exit(done ? 0 : 1);
	}
}
