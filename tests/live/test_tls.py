# SPDX-License-Identifier: MIT
"""The handshake as OpenSSL and GnuTLS see it, and the certificate that the device makes."""

import hashlib
import re
import socket
import ssl
import subprocess
import unittest

from server import ENVIRONMENT, HOSTS, LIMIT_S, LiveCase, Server, bracket, need, tls_context

SIDE_BY_SIDE = True

WAYS = [{"host": host, "implicit": implicit} for host in HOSTS for implicit in (False, True)]
WEAK = "ALL:eNULL:@SECLEVEL=0"


def fingerprint_in(text):
    """The only SHA-256 fingerprint that a text has, without colons."""
    found = set(re.findall(r"(?<![0-9a-z])(?:[0-9a-f]{2}:?){32}(?![0-9a-z])", text.lower()))
    found = {one.replace(":", "") for one in found}
    assert len(found) == 1, f"want one fingerprint: {text!r}"
    return found.pop()


@need("openssl")
class OpenSSL(LiveCase):

    def s_client(self, *words, host=HOSTS[0], implicit=False, given="QUIT\r\n"):
        """Handshake, send something, read to the end. Returns everything that was printed."""
        self.server.client().close()  # a session is free
        done = subprocess.run(
            ["openssl", "s_client", "-connect",
             f"{bracket(host)}:{self.server.port(host, implicit)}",
             *(() if implicit else ("-starttls", "ftp")), "-ign_eof", *words],
            input=given.encode(), capture_output=True, timeout=LIMIT_S, env=ENVIRONMENT)
        return (done.stdout + done.stderr).decode("utf-8", "replace")

    def assert_refused(self, said):
        """
        The server sent an alert, and no cipher was agreed on. (For a version that the client
        does not know better than from the alert's own record, OpenSSL says it its own way.)
        """
        self.assertRegex(said.lower(), "alert|wrong version number")
        self.assertNotIn("no protocols available", said)
        self.assertIn("Cipher is (NONE)", said)

    def openssl(self, *words, given=""):
        done = subprocess.run(["openssl", *words], input=given, capture_output=True,
                              encoding="utf-8", timeout=LIMIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def certificate(self):
        with self.server.session() as ftp:
            return ssl.DER_cert_to_PEM_cert(ftp.sock.getpeercert(binary_form=True))

    def test_tls_1_2_with_x25519_is_agreed_on_everywhere(self):
        for way in WAYS:
            with self.subTest(**way):
                said = self.s_client(**way)
                self.assertRegex(said, r"Protocol *: TLSv1\.2")
                self.assertIn("X25519", said)
                self.assertRegex(
                    said, r"Cipher *: ECDHE-ECDSA-(CHACHA20-POLY1305|AES128-GCM-SHA256)")
                self.assertIn("\n221 ", said)

    def test_the_name_ftp_is_agreed_on_by_alpn(self):
        for way in WAYS:
            with self.subTest(**way):
                self.assertIn("ALPN protocol: ftp", self.s_client("-alpn", "ftp", **way))
        self.assertIn("ALPN protocol: ftp", self.s_client("-alpn", "http/1.1,ftp"))

    def test_a_client_without_alpn_is_served(self):
        self.assertIn("No ALPN negotiated", self.s_client())

    def test_a_foreign_name_by_alpn_is_refused(self):
        """Row 4.6 of the checklist."""
        for way in WAYS:
            with self.subTest(**way):
                self.assert_refused(self.s_client("-alpn", "http/1.1", **way))
        self.assert_refused(self.s_client("-alpn", "h2,http/1.1"))

    def test_versions_other_than_tls_1_2_are_refused(self):
        for words in (["-tls1_1", "-cipher", WEAK], ["-tls1", "-cipher", WEAK], ["-tls1_3"]):
            with self.subTest(words):
                self.assert_refused(self.s_client(*words))
                self.assert_refused(self.s_client(*words, implicit=True))

    def test_weak_suites_are_refused(self):
        for suites in ("kRSA", "AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "eNULL", "aNULL", "DHE",
                       "3DES"):
            with self.subTest(suites):
                said = self.s_client("-tls1_2", "-cipher", f"{suites}:@SECLEVEL=0")
                if "no cipher match" in said or "No ciphers" in said:
                    continue  # this OpenSSL does not know them any more
                self.assert_refused(said)

    def test_either_strong_suite_alone_is_enough(self):
        for suite in ("ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-GCM-SHA256"):
            with self.subTest(suite):
                said = self.s_client("-cipher", suite)
                self.assertRegex(said, rf"Cipher *: {suite}")

    def test_p_256_alone_is_enough(self):
        said = self.s_client("-groups", "P-256")
        self.assertRegex(said, "Server Temp Key: ECDH, (P-256|prime256v1)")

    def test_renegotiation_is_refused(self):
        """Row 4.7 of the checklist."""
        client = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"{HOSTS[0]}:{self.server.port()}", "-starttls",
             "ftp", "-tls1_2", "-crlf"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=ENVIRONMENT)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        said = b""
        while b"---\nread R BLOCK" not in said and b"Extended master secret" not in said:
            more = client.stdout.read1()
            self.assertTrue(more, said)
            said += more
        client.stdin.write(b"R\n")
        client.stdin.flush()
        said, _ = client.communicate(timeout=LIMIT_S)
        self.assertIn(b"RENEGOTIATING", said)
        self.assertIn(b"no renegotiation", said)

    def test_the_certificate_is_the_one_whose_fingerprint_the_program_tells(self):
        told = fingerprint_in(self.server.must("fingerprint"))
        for way in WAYS:
            with self.subTest(**way):
                said = self.s_client(**way)
                pem = re.search(r"-----BEGIN.*?END CERTIFICATE-----\n", said, re.DOTALL)[0]
                shown = self.openssl("x509", "-noout", "-fingerprint", "-sha256", given=pem)
                self.assertEqual(fingerprint_in(shown.partition("=")[2]), told)

    def test_the_certificate_has_version_3_names_and_no_end(self):
        text = self.openssl("x509", "-noout", "-text", given=self.certificate())
        self.assertIn("Version: 3 (0x2)", text)
        self.assertRegex(text, r"Subject:.*CN ?= ?live-test\b")
        self.assertRegex(text, r"Issuer:.*CN ?= ?live-test\b")
        self.assertRegex(text, r"X509v3 Subject Alternative Name:[^\n]*\n *[^\n]*DNS:live-test\b")
        self.assertIn("Not After : Dec 31 23:59:59 9999 GMT", text)
        self.assertIn("ASN1 OID: prime256v1", text)
        self.assertIn("Signature Algorithm: ecdsa-with-SHA256", text)

    def test_the_serial_number_is_random(self):
        numbers = set()
        for _ in range(2):
            server = self.own_server()
            with server.session() as ftp:
                pem = ssl.DER_cert_to_PEM_cert(ftp.sock.getpeercert(binary_form=True))
            serial = self.openssl("x509", "-noout", "-serial", given=pem).partition("=")[2]
            self.assertGreater(len(serial.strip()), 24)
            numbers.add(serial)
        self.assertEqual(len(numbers), 2)

    def test_the_certificate_verifies_against_itself(self):
        folder = self.temporary()
        (folder / "device.pem").write_text(self.certificate())
        self.openssl("verify", "-check_ss_sig", "-CAfile", str(folder / "device.pem"),
                     "-purpose", "sslserver", "-verify_hostname", "live-test",
                     str(folder / "device.pem"))

    def test_no_ticket_and_no_compression_are_given(self):
        """Row 4.37 of the checklist."""
        said = self.s_client()
        self.assertIn("Compression: NONE", said)
        self.assertNotIn("TLS session ticket:", said)
        self.assertRegex(said, r"Session-ID: [0-9A-F]{64}")

    def test_secure_renegotiation_is_signalled(self):
        """Row 4.7 of the checklist."""
        self.assertIn("Secure Renegotiation IS supported", self.s_client())

    def test_listings_come_in_records_of_512_bytes_where_that_is_asked_for(self):
        server = self.own_server(options={"data_reuse": "address"})
        names = [f"{number:03}{'n' * 200}" for number in range(40)]
        for name in names:
            (server.root / name).touch()
        with server.session() as ftp:
            for command in ("LIST", "MLSD", "NLST"):
                port = ftp.passive()
                ftp.expect(command, 150)
                done = subprocess.run(
                    ["openssl", "s_client", "-connect", f"{HOSTS[0]}:{port}", "-quiet",
                     "-tls1_2", "-maxfraglen", "512"], input=b"", capture_output=True,
                    timeout=LIMIT_S, env=ENVIRONMENT)
                ftp.expect_reply(226)
                lines = done.stdout.decode().splitlines()
                self.assertEqual(sorted(line.split()[-1] for line in lines), names, command)

    def test_a_failed_handshake_takes_no_session_with_it(self):
        for _ in range(12):
            self.s_client("-alpn", "h2")
        with self.server.session() as ftp:
            ftp.expect("NOOP", 200)


@need("gnutls-cli")
class GnuTLS(LiveCase):

    def gnutls(self, *words, host=HOSTS[0], implicit=False):
        done = subprocess.run(
            ["gnutls-cli", "--insecure", "-p", str(self.server.port(host, implicit)),
             *(() if implicit else ("--starttls-proto=ftp",)), "--crlf", *words, host],
            input=b"QUIT\n", capture_output=True, timeout=LIMIT_S, env=ENVIRONMENT)
        return (done.stdout + done.stderr).decode("utf-8", "replace")

    def test_tls_1_2_with_x25519_is_agreed_on_everywhere(self):
        for host in HOSTS:
            for implicit in (False, True):
                with self.subTest(host=host, implicit=implicit):
                    said = self.gnutls(host=host, implicit=implicit)
                    self.assertRegex(said, r"Description: \(TLS1\.2\S*X25519")
                    self.assertIn("Handshake was completed", said)

    def test_the_fingerprint_is_the_one_that_the_program_tells(self):
        told = fingerprint_in(self.server.must("fingerprint"))
        said = self.gnutls("--print-cert")
        pem = re.search(r"-----BEGIN.*?END CERTIFICATE-----\n", said, re.DOTALL)[0]
        self.assertEqual(hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest(), told)

    def test_alpn_is_as_strict_as_with_openssl(self):
        self.assertIn("Application protocol: ftp", self.gnutls("--alpn=ftp"))
        said = self.gnutls("--alpn=http/1.1")
        self.assertNotIn("Handshake was completed", said)

    def test_older_versions_are_refused(self):
        said = self.gnutls("--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT")
        self.assertNotIn("Handshake was completed", said)
        said = self.gnutls("--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3")
        self.assertNotIn("Handshake was completed", said)


class InPython(LiveCase):

    def test_data_connections_resume_the_session_of_their_control_connection(self):
        with self.server.session() as ftp:
            for _ in range(3):
                _, data = ftp.begin("NLST")
                with data:
                    self.assertTrue(data.session_reused)
                    self.assertEqual(data.version(), "TLSv1.2")
                    self.assertEqual(data.recv(100), b"")
                ftp.expect_reply(226)

    def test_a_resumed_data_connection_may_offer_any_name_by_alpn(self):
        with self.server.session() as ftp, self.server.session() as other:
            for names in (["http/1.1"], ["h2", "ftp-data"], ["ftp"]):
                ftp.context.set_alpn_protocols(names)
                _, data = ftp.begin("NLST")
                with data:
                    self.assertTrue(data.session_reused)
                    self.assertEqual(data.recv(100), b"")
                ftp.expect_reply(226)
                other.expect("NOOP", 200)

    def test_bytes_that_nobody_will_look_at_hold_up_nobody(self):
        """Such as those behind a message that ends BearSSL's reading, in its record."""
        with self.server.session() as ftp, self.server.session() as other:
            for record in ("15 03 03 00 03 01 00", "15 03 03 00 03 01 00 00"):
                with socket.create_connection((HOSTS[0], ftp.passive())) as sock:
                    sock.sendall(bytes.fromhex(record))
                    for _ in range(3):
                        other.expect("NOOP", 200)
                ftp.expect("NOOP", 200)

    def test_tls_versions_of_the_context_are_respected(self):
        newest = tls_context(minimum_version=ssl.TLSVersion.TLSv1_3)
        with self.server.client() as ftp:
            ftp.context = newest
            ftp.expect("AUTH TLS", 234)
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                ftp.start_tls()

    def test_a_restart_keeps_the_certificate(self):
        server = Server()
        self.addCleanup(server.close)
        seen = set()
        for _ in range(2):
            server.start()
            with server.session() as ftp:
                seen.add(ftp.sock.getpeercert(binary_form=True))
            server.stop()
        self.assertEqual(len(seen), 1)


if __name__ == "__main__":
    unittest.main()
