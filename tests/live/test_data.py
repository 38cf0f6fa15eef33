# SPDX-License-Identifier: MIT
"""
Data connections with real clients: shaking hands before the command, active mode, text, and
the addresses that PASV tells and that are let in.
"""

import ftplib
import json
import os
import re
import select
import shutil
import socket
import ssl
import subprocess
import sys
import time
import unittest

from server import (ENVIRONMENT, HOSTS, LIMIT_S, PASSWORD, USER, LiveCase, Server, bracket,
                    built_with, content, read_all, tls_context)

ACTIVE = unittest.skipUnless(built_with("ACTIVE"), "active mode is not built in")
ASCII = unittest.skipUnless(built_with("ASCII"), "ASCII conversion is not built in")

TEXT = b"one\ntwo\n\n" + b"".join(b"line %d\n" % n for n in range(20_000)) + b"\rno end"


def network(text):
    return re.sub(rb"(?<!\r)\n", b"\r\n", text)


class Early(LiveCase):
    """The data connection is there, and has shaken hands, before the command."""

    def test_a_handshake_before_the_command_is_answered(self):
        self.make("file", content(100_000))
        for host in HOSTS:
            with self.subTest(host):
                ftp = self.session(host=host)
                for _ in range(3):
                    raw = socket.create_connection((host, ftp.passive()), LIMIT_S)
                    with ftp.context.wrap_socket(raw, session=ftp.sock.session) as data:
                        self.assertTrue(data.session_reused)
                        ftp.expect("NOOP", 200)
                        self.assertEqual(select.select([data], [], [], 0)[0], [])
                        ftp.expect("RETR file", 150)
                        self.assertEqual(read_all(data), content(100_000))
                    ftp.expect_reply(226)

    def test_an_upload_may_be_on_its_way_before_the_command(self):
        ftp = self.session()
        raw = socket.create_connection((HOSTS[0], ftp.passive()), LIMIT_S)
        with ftp.context.wrap_socket(raw, session=ftp.sock.session) as data:
            data.sendall(content(10_000))
            ftp.expect("STOR early", 150)
            data.unwrap()
        ftp.expect_reply(226)
        self.assertEqual(self.path("early").read_bytes(), content(10_000))

    def test_a_connection_that_did_not_resume_is_told_when_the_command_comes(self):
        self.make("file", content(1000))
        ftp = self.session()
        raw = socket.create_connection((HOSTS[0], ftp.passive()), LIMIT_S)
        with tls_context().wrap_socket(raw) as data:
            ftp.expect("RETR file", 150)
            self.assertEqual(read_all(data), b"")
        ftp.expect_reply(522)
        self.assertEqual(ftp.get("file"), content(1000))

    def test_who_takes_the_port_of_another_first_gets_nothing(self):
        """4.5: the same host is faster, with a session of its own."""
        self.make("file", content(1000))
        mine, other = self.session(), self.session()
        for command in ("RETR file", "STOR new", "STOR file"):
            raw = socket.create_connection((HOSTS[0], mine.passive()), LIMIT_S)
            with other.context.wrap_socket(raw, session=other.sock.session) as data:
                self.assertFalse(data.session_reused)
                mine.expect(command, 150)
                self.assertEqual(read_all(data), b"")
            mine.expect_reply(522)
        self.assertEqual(self.path("file").read_bytes(), content(1000))
        self.assertFalse(self.path("new").exists())
        self.assertEqual(mine.get("file"), content(1000))

    def test_another_address_of_the_host_is_turned_away_before_the_command(self):
        """4.5: another host, as far as one machine can tell."""
        self.make("file", content(1000))
        ftp = self.session()
        port = ftp.passive()
        for _ in range(5):
            with socket.create_connection((HOSTS[0], port), LIMIT_S, ("127.0.0.2", 0)) as stranger:
                self.assertEqual(self.end_of(stranger), b"")
        with socket.create_connection((HOSTS[0], port), LIMIT_S) as raw:
            with ftp.context.wrap_socket(raw, session=ftp.sock.session) as data:
                ftp.expect("RETR file", 150)
                self.assertEqual(read_all(data), content(1000))
        ftp.expect_reply(226)

    def end_of(self, sock):
        try:
            return sock.recv(100)
        except ConnectionError:
            return b""

    def test_sessions_end_with_a_connection_that_nobody_used(self):
        for how in ("quit", "close"):
            with self.subTest(how):
                ftp = self.session()
                raw = socket.create_connection((HOSTS[0], ftp.passive()), LIMIT_S)
                with ftp.context.wrap_socket(raw, session=ftp.sock.session,
                                             suppress_ragged_eofs=False) as data:
                    getattr(ftp, how)()
                    with self.assertRaises((ssl.SSLError, ConnectionError)):
                        data.recv(1)  # no close_notify: it must not look whole
        self.server.wait_until_idle()


class DualStack(LiveCase):
    """One listener for both families."""

    @classmethod
    def make_server(cls):
        server = Server()
        port = server.port(HOSTS[0])
        server.options["listen"] = f"[::]:{port}"
        server.ports.update({(host, False): port for host in HOSTS})
        server.write_config()
        return server

    def test_both_families_are_served_and_each_is_told_its_own(self):
        self.make("file", content(1000))
        for host in HOSTS:
            with self.subTest(host):
                ftp = self.session(host=host)
                self.assertEqual(ftp.get("file"), content(1000))
                ftp.expect("EPSV 1", 522 if ":" in host else 229)
                ftp.expect("EPSV 2", 229 if ":" in host else 522)
                if ":" in host:
                    ftp.expect("PASV", 522)
                else:
                    self.assertIn("(127,0,0,1,", ftp.expect("PASV", 227).text)
                self.assertIn(f"peer={bracket(host)}:", self.server.log())


class DataClients:
    """What curl, lftp and ftplib do, with what the class says."""

    mode = []

    def setUp(self):
        super().setUp()
        self.here = self.temporary()

    def run_client(self, words, **more):
        done = subprocess.run(
            list(map(str, words)), capture_output=True, cwd=self.here, timeout=4 * LIMIT_S,
            stdin=subprocess.DEVNULL, env={**ENVIRONMENT, "HOME": str(self.here),
                                           "LFTP_HOME": str(self.here / "lftp")}, **more)
        said = (done.stdout + done.stderr).decode("utf-8", "backslashreplace")
        self.assertEqual(done.returncode, 0, said)
        return done.stdout, said

    def curl(self, *words):
        return self.run_client(["curl", "-q", "-g", "-v", "-sS", "-k", "--ssl-reqd", "--noproxy",
                                "*", "--max-time", "90", "-u", f"{USER}:{PASSWORD}", *words])

    def lftp(self, host, commands):
        (self.here / "script").write_text(
            "set cmd:fail-exit yes\nset net:max-retries 2\nset net:timeout 30\n"
            "set ftp:abor-max-wait 1\nset net:reconnect-interval-base 1\n"
            "set ftp:ssl-force true\nset ftp:ssl-protect-data true\n"
            "set ssl:verify-certificate no\nset ftp:charset UTF-8\n"
            f"open -u '{USER},{PASSWORD}' ftp://{bracket(host)}:"
            f"{self.server.port(host)}\n{commands}\n")
        return self.run_client(["lftp", "--norc", "-f", "script"])[1]


class ResumingFTP(ftplib.FTP_TLS):

    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        return self.context.wrap_socket(conn, session=self.sock.session), size


@ACTIVE
class Active(DataClients, LiveCase):

    @classmethod
    def make_server(cls):
        return Server(options={"active": "yes"})

    def session_of_ftplib(self, host):
        ftp = ResumingFTP(context=tls_context())
        self.addCleanup(ftp.close)
        ftp.connect(host, self.server.port(host), LIMIT_S)
        ftp.login(USER, PASSWORD)
        ftp.prot_p()
        ftp.set_pasv(False)
        return ftp

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_transfers_both_ways(self):
        (self.here / "up").write_bytes(content(300_000))
        if re.match(r"curl 7\.8[78]\.", subprocess.check_output(["curl", "--version"]).decode()):
            # These send data in clear in active mode (curl#10666): that must not be taken.
            with self.assertRaises(AssertionError):
                self.curl("-P", "-", "-T", "up", self.server.url("active"))
            self.assertFalse(self.path("active").exists())
            return
        for host in HOSTS:
            for more in ([], ["--disable-eprt"]):
                if more and ":" in host:
                    continue
                with self.subTest(host=host, more=more):
                    url = self.server.url("active", host)
                    _, said = self.curl("-P", "-", *more, "-T", "up", url)
                    self.assertIn("> PORT " if more else "> EPRT ", said)
                    self.assertEqual(self.path("active").read_bytes(), content(300_000))
                    got, _ = self.curl("-P", "-", *more, url)
                    self.assertEqual(got, content(300_000))
                    got, _ = self.curl("-P", "-", "-l", self.server.url("", host))
                    self.assertIn(b"active", got)

    @unittest.skipUnless(shutil.which("lftp"), "lftp is not installed")
    def test_lftp_transfers_both_ways(self):
        (self.here / "up").write_bytes(content(300_000))
        for host in HOSTS:
            with self.subTest(host):
                said = self.lftp(host, "set ftp:passive-mode off\ndebug 5\n"
                                       "put up -o active\nget active -o down\nls\n")
                self.assertRegex(said, "---> (PORT|EPRT)")
                if ":" not in host:  # over IPv6 it names no address, and then falls back
                    self.assertNotRegex(said, "---> (PASV|EPSV)")
                self.assertEqual((self.here / "down").read_bytes(), content(300_000))
                (self.here / "down").unlink()

    def test_ftplib_transfers_both_ways(self):
        for host in HOSTS:
            with self.subTest(host):
                ftp = self.session_of_ftplib(host)
                with open(self.make("source", content(200_000)), "rb") as source:
                    ftp.storbinary("STOR active", source)
                self.assertEqual(self.path("active").read_bytes(), content(200_000))
                parts = []
                ftp.retrbinary("RETR active", parts.append)
                self.assertEqual(b"".join(parts), content(200_000))
                self.assertIn("active", ftp.nlst())
                ftp.quit()

    def test_a_port_where_nobody_listens_is_425(self):
        ftp = self.session()
        self.make("file", b"x")
        with socket.socket() as closed:
            closed.bind((HOSTS[0], 0))
            ftp.expect(f"EPRT |1|127.0.0.1|{closed.getsockname()[1]}|", 200)
            ftp.expect("RETR file", 150)
            ftp.expect_reply(425)
        self.assertEqual(ftp.get("file"), b"x")

    def test_nobody_but_the_client_is_reached(self):
        """4.4: not the control port of the server itself, nor other hosts or services."""
        ftp = self.session()
        with socket.create_server(("127.0.0.2", 0)) as victim:
            port = victim.getsockname()[1]
            for line, codes in ((f"PORT 127,0,0,2,{port >> 8},{port & 255}", [504]),
                                (f"EPRT |1|127.0.0.2|{port}|", [504]),
                                ("PORT 127,0,0,1,0,22", [504]), ("PORT 192,0,2,1,200,1", [504]),
                                ("EPRT |2|::1|50000|", [522]), ("EPRT |9|x|50000|", [522]),
                                ("PORT 127,0,0,1,200", [501])):
                with self.subTest(line):
                    ftp.expect(line, *codes)
                    ftp.expect("NLST", 425)
            self.assertEqual(select.select([victim], [], [], 0.2)[0], [])

    def test_epsv_all_refuses_it(self):
        ftp = self.session()
        ftp.expect("EPSV ALL", 200)
        for line in ("PORT 127,0,0,1,200,1", "EPRT |1|127.0.0.1|51201|", "PASV"):
            ftp.expect(line, 503)


class Passive(DataClients, LiveCase):
    """Without `active`, clients are told so, and find another way or say why not."""

    def test_port_and_eprt_are_502(self):
        ftp = self.session()
        ftp.expect("PORT 127,0,0,1,200,1", 502)
        ftp.expect("EPRT |1|127.0.0.1|51201|", 502)

    @unittest.skipUnless(shutil.which("lftp"), "lftp is not installed")
    def test_lftp_falls_back_to_passive_mode_by_itself(self):
        self.make("file", content(1000))
        self.lftp(HOSTS[0], "set ftp:passive-mode off\nget file -o down\n")
        self.assertEqual((self.here / "down").read_bytes(), content(1000))


@ASCII
class Text(DataClients, LiveCase):

    def setUp(self):
        super().setUp()
        self.make("text", TEXT)
        (self.here / "crlf").write_bytes(network(TEXT))
        (self.here / "lf").write_bytes(TEXT)

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_converts(self):
        self.curl("-B", "-T", "lf", self.server.url("up"))
        self.assertEqual(self.path("up").read_bytes(), TEXT)
        self.curl("-T", "crlf", f"{self.server.url('up2')};type=a")
        self.assertIn(self.path("up2").read_bytes(), (TEXT, network(TEXT)))  # as its version
        for words in ([f"{self.server.url('text')};type=a"], ["-B", self.server.url("text")]):
            got, said = self.curl(*words)
            self.assertIn("> TYPE A", said)
            # It converts back, and a CR alone, too.
            self.assertIn(got, (network(TEXT), TEXT, TEXT.replace(b"\r", b"\n")))

    @unittest.skipUnless(shutil.which("lftp"), "lftp is not installed")
    def test_lftp_converts(self):
        self.lftp(HOSTS[0], "put -a lf -o up\nget -a text -o down\n")
        self.assertEqual(self.path("up").read_bytes(), TEXT)
        self.assertEqual((self.here / "down").read_bytes().replace(b"\r\n", b"\n"), TEXT)

    def test_ftplib_converts(self):
        ftp = ResumingFTP(context=tls_context())
        self.addCleanup(ftp.close)
        ftp.connect(HOSTS[0], self.server.port(), LIMIT_S)
        ftp.login(USER, PASSWORD)
        ftp.prot_p()
        with open(self.here / "lf", "rb") as source:
            ftp.storlines("STOR up", source)
        self.assertEqual(self.path("up").read_bytes(), TEXT + b"\n")  # it ends the last line
        lines = []
        ftp.encoding = "latin-1"
        ftp.retrlines("RETR up", lines.append)
        # To it, a CR alone is a line end, too.
        self.assertEqual("\n".join(lines).encode("latin-1"), TEXT.replace(b"\r", b"\n"))

    def test_the_bytes_on_the_way_are_those_of_rfc_959(self):
        ftp = self.session()
        ftp.expect("TYPE A", 200)
        self.assertEqual(ftp.get("text"), network(TEXT))
        ftp.put("up", network(TEXT))
        self.assertEqual(self.path("up").read_bytes(), TEXT)
        ftp.expect("REST 3", 350)
        self.assertEqual(ftp.receive("RETR text")[0].code, 554)


def in_namespace(name, *words):
    return ["ip", "netns", "exec", name, *words]


# What a client in another namespace does; its answer is JSON.
VISITOR = r"""
import json, socket, ssl, sys
host, port, user, password, own = sys.argv[1:6]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
sock = socket.create_connection((host, int(port)), 20)
stream = sock.makefile("rb")
stream.readline()
sock.sendall(b"AUTH TLS\r\n")
stream.readline()
tls = context.wrap_socket(sock)
stream = tls.makefile("rb")
def ask(line):
    tls.sendall(line.encode() + b"\r\n")
    return stream.readline().decode().strip()
for line in ("USER " + user, "PASS " + password, "PROT P", "TYPE I"):
    said = ask(line)
    assert said[0] in "23", said
answers = {"pasv": ask("PASV"), "epsv": ask("EPSV")}
port = int(answers["epsv"].split("|")[3])
data = socket.create_connection((host, port), 20, (own, 0) if own else None)
try:
    data = context.wrap_socket(data, session=tls.session)
    answers["begun"] = ask("RETR file")
    answers["data"] = data.recv(100).decode()
    answers["end"] = stream.readline().decode().strip()
except OSError as error:
    answers["error"] = type(error).__name__
print(json.dumps(answers))
"""


class FarServer(Server):
    """One that can't be reached from here."""

    def start(self):
        self.launch()
        give_up = time.monotonic() + LIMIT_S
        while not re.search(r"^.*\blisten\b.*2121", self.log(), re.M):
            self.check_alive()
            if time.monotonic() > give_up:
                raise AssertionError(f"it does not listen:\n{self.log()}")
            time.sleep(0.02)
        return self


class Namespaces(LiveCase):
    """Two hosts, for what one can't show: networks, and peers of another address."""

    SERVER, CLIENT = f"cubftpd-s{os.getpid()}", f"cubftpd-c{os.getpid()}"

    @classmethod
    def ip(cls, *words):
        subprocess.run(["ip", *words], check=True, capture_output=True)

    @classmethod
    def make_server(cls):
        if os.geteuid() != 0 or shutil.which("ip") is None:
            raise unittest.SkipTest("needs root and ip(8)")
        try:
            for name in (cls.SERVER, cls.CLIENT):
                cls.ip("netns", "add", name)
                cls.addClassCleanup(subprocess.run, ["ip", "netns", "del", name])
            cls.ip("link", "add", "v0", "netns", cls.SERVER, "type", "veth", "peer", "name",
                   "v1", "netns", cls.CLIENT)
        except subprocess.CalledProcessError as error:
            raise unittest.SkipTest(f"no network namespaces here: {error.stderr}")
        for name, link, own in ((cls.SERVER, "v0", "10.91.0.1/24"),
                                (cls.CLIENT, "v1", "10.91.0.2/24")):
            cls.ip("-n", name, "link", "set", "lo", "up")
            cls.ip("-n", name, "addr", "add", own, "dev", link)
            cls.ip("-n", name, "link", "set", link, "up")
        # A second network of the server's interface, and an address far from both.
        cls.ip("-n", cls.SERVER, "addr", "add", "10.92.0.1/16", "dev", "v0")
        cls.ip("-n", cls.CLIENT, "addr", "add", "10.92.7.2/16", "dev", "v1")
        cls.ip("-n", cls.CLIENT, "addr", "add", "10.93.0.2/32", "dev", "v1")
        cls.ip("-n", cls.SERVER, "route", "add", "10.93.0.0/16", "via", "10.91.0.2")
        server = FarServer(options={
            "passive_address": "203.0.113.9", "listen": "0.0.0.0:2121", "listen_implicit": None})
        server.around = in_namespace(cls.SERVER)
        return server

    def visit(self, host, come_from, data_from=""):
        with_source = VISITOR.replace("(host, int(port)), 20)",
                                      f"(host, int(port)), 20, ({come_from!r}, 0))")
        done = subprocess.run(
            in_namespace(self.CLIENT, sys.executable, "-c", with_source, host, "2121", USER,
                         PASSWORD, data_from or come_from),
            capture_output=True, timeout=3 * LIMIT_S)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return json.loads(done.stdout)

    def setUp(self):
        super().setUp()
        self.make("file", b"hello")

    def test_passive_address_is_told_to_peers_beyond_the_networks_of_the_interface(self):
        for host, own, told in (("10.91.0.1", "10.91.0.2", "10,91,0,1"),
                                ("10.92.0.1", "10.92.7.2", "10,92,0,1"),
                                ("10.91.0.1", "10.93.0.2", "203,0,113,9"),
                                ("10.91.0.1", "10.92.7.2", "203,0,113,9")):
            with self.subTest(host=host, own=own):
                said = self.visit(host, own)
                self.assertIn(f"({told},", said["pasv"])
                self.assertTrue(said["epsv"].startswith("229 "))
                self.assertEqual((said["begun"][:4], said["data"], said["end"][:4]),
                                 ("150 ", "hello", "226 "))

    def test_a_data_connection_from_another_host_is_turned_away(self):
        """4.5: it holds the right session, and comes from another address."""
        before = len(self.server.log())
        said = self.visit("10.91.0.1", "10.91.0.2", "10.93.0.2")
        self.assertIn("error", said)
        self.assertNotIn("data", said)
        self.assertNotRegex(self.server.log()[before:], "event=download .*result=ok")


if __name__ == "__main__":
    unittest.main()
