# SPDX-License-Identifier: MIT
"""
Which client can do what: each class is one client, each test one ability. What a client
cannot do stands in its `lacks`, with the reason; the README's table says the same.

FileZilla needs a screen and has a module of its own, test_filezilla.py. WinSCP and others
that run elsewhere only are not tested.
"""

import re
import unittest

import clients
from pki import self_signed
from server import PASSWORD, TREE, USER, LiveCase, Server, content

SIDE_BY_SIDE = True

SERVERS = {}

OPTIONS = {
    "require": {},
    "address": {"data_reuse": "address"},
    "pinned": {"client_certificate": "pinned"},
    "lenient": {"upload_eof": "lenient"},
}


def server_for(purpose):
    """All classes share a server for each purpose, since starting one takes a while."""
    if purpose not in SERVERS:
        SERVERS[purpose] = Server(options=OPTIONS[purpose])
        SERVERS[purpose].start()
    return SERVERS[purpose]


def tearDownModule():
    for server in SERVERS.values():
        server.close()


class ClientCase(LiveCase):
    name = None  # in the README
    kind = None  # its class in clients.py
    reuse = "require"  # the strictest `data_reuse` that it works with
    key = "ec"  # of its certificate
    lacks = {}  # ability: why

    def __init_subclass__(cls):
        for ability in cls.lacks:
            setattr(cls, f"test_{ability}", None)  # no test

    @classmethod
    def setUpClass(cls):
        missing = cls.kind.missing()
        if missing:
            raise unittest.SkipTest(f"{missing} is not installed")
        cls.server = server_for(cls.reuse)

    def client_of(self, server):
        client = self.kind(server)
        self.addCleanup(client.close)
        self.addCleanup(server.check_alive)
        return client

    def setUp(self):
        super().setUp()
        self.client = self.client_of(self.server)
        self.folder = f"/{self.id().rpartition('.')[2]} of {type(self).__name__}"
        self.path(".").mkdir()

    def path(self, name):
        return self.server.root / self.folder[1:] / name

    def can(self, ability):
        return ability not in self.lacks

    def moved(self, event):
        """How many bytes the last transfer of this kind took."""
        found = re.findall(rf"event={event} .*bytes=(\d+) .*result=ok", self.server.log())
        return int(found[-1])


class Abilities:
    """What every client is asked to do."""

    def test_logs_in(self):
        self.client.login(None, password=PASSWORD)

    def test_tells_that_the_password_is_wrong(self):
        # One of its own: after ten wrong passwords the address is not asked for any more.
        server = Server()
        self.addCleanup(server.close)
        client = self.client_of(server.start())
        self.assertIn("Login incorrect", client.refusal(None, password="wrong"))

    def test_lists(self):
        for name in ("one", "two words", "long" * 30):
            self.path(name).write_bytes(b"x")
        self.path("folder").mkdir()
        found = self.client.names(None, self.folder, password=PASSWORD)
        self.assertEqual(sorted(found), sorted(["one", "two words", "long" * 30, "folder"]))

    def test_uploads(self):
        for size in (1, 300_001):
            self.client.store(None, content(size), f"{self.folder}/up", password=PASSWORD)
            self.assertEqual(self.path("up").read_bytes(), content(size))

    def test_downloads(self):
        for size in (1, 300_001):
            self.path("down").write_bytes(content(size))
            got = self.client.fetch(None, f"{self.folder}/down", password=PASSWORD)
            self.assertEqual(got, content(size))

    def test_resumes_an_upload(self):
        payload = content(300_000)
        self.path("part").write_bytes(payload[:100_000])
        self.client.store_rest(None, payload, f"{self.folder}/part", password=PASSWORD)
        self.assertEqual(self.path("part").read_bytes(), payload)
        self.assertEqual(self.moved("upload"), 200_000)

    def test_resumes_a_download(self):
        payload = content(300_000)
        self.path("whole").write_bytes(payload)
        (self.client.here / "got").write_bytes(payload[:100_000])
        got = self.client.fetch_rest(None, f"{self.folder}/whole", password=PASSWORD)
        self.assertEqual(got, payload)
        self.assertEqual(self.moved("download"), 200_000)

    def test_renames(self):
        self.path("old").write_bytes(b"kept")
        self.client.move(None, f"{self.folder}/old", f"{self.folder}/new", password=PASSWORD)
        self.assertEqual(self.path("new").read_bytes(), b"kept")
        self.assertFalse(self.path("old").exists())

    def test_deletes(self):
        self.path("doomed").write_bytes(b"")
        self.client.remove(None, f"{self.folder}/doomed", password=PASSWORD)
        self.assertFalse(self.path("doomed").exists())

    def test_makes_a_folder(self):
        self.client.make_folder(None, f"{self.folder}/made", password=PASSWORD)
        self.assertTrue(self.path("made").is_dir())

    def test_takes_names_in_utf8(self):
        at, name = self.folder, "žluťoučký 日本語"
        if self.can("makes_a_folder"):
            self.client.make_folder(None, f"{at}/{name}", password=PASSWORD)
            self.assertTrue(self.path(name).is_dir())
        if self.can("uploads"):
            self.client.store(None, b"1", f"{at}/{name}.txt", password=PASSWORD)
        else:
            self.path(f"{name}.txt").write_bytes(b"1")
        if self.can("lists"):
            self.assertIn(f"{name}.txt", self.client.names(None, at, password=PASSWORD))
        if self.can("downloads"):
            got = self.client.fetch(None, f"{at}/{name}.txt", password=PASSWORD)
            self.assertEqual(got, b"1")
        if self.can("renames"):
            self.client.move(None, f"{at}/{name}.txt", f"{at}/größer", password=PASSWORD)
            self.assertEqual(self.path("größer").read_bytes(), b"1")

    def test_shows_a_certificate(self):
        """Refused and pending, then trusted, then let in without a password."""
        server = server_for("pinned")
        client = self.client_of(server)
        one = self_signed(type(self).__name__, key=self.key)
        self.assertIn(f"Certificate sha256:{one.fingerprint} is not trusted yet; it is pending",
                      client.refusal(one))
        server.must("trust", one.fingerprint[:8], "--account", USER)
        client.login(one)
        self.assertRegex(server.log(), rf"event=login .*{one.fingerprint}")
        if self.can("uploads"):
            client.store(one, content(1000), "/by certificate")
            self.assertEqual((server.root / "by certificate").read_bytes(), content(1000))
        if self.can("downloads"):
            (server.root / "by certificate").write_bytes(content(2000))
            self.assertEqual(client.fetch(one, "/by certificate"), content(2000))
        server.must("distrust", one.fingerprint)
        self.assertIn("is not trusted yet", client.refusal(one))


class Curl(Abilities, ClientCase):
    name = "curl"
    kind = clients.CurlClient


class Lftp(Abilities, ClientCase):
    name = "lftp"
    kind = clients.LftpClient


class Ftplib(Abilities, ClientCase):
    name = "Python, ftplib"
    kind = clients.FtplibClient


class Perl(Abilities, ClientCase):
    name = "Perl, Net::FTP"
    kind = clients.PerlClient


class Php(Abilities, ClientCase):
    name = "PHP, `ftp_ssl_connect`"
    kind = clients.PhpClient
    lacks = {"shows_a_certificate": "ftp_ssl_connect() takes none"}


class Node(Abilities, ClientCase):
    name = "Node.js, basic-ftp"
    kind = clients.NodeClient


class Java(Abilities, ClientCase):
    name = "Java, Commons Net"
    kind = clients.JavaClient


class Wget(Abilities, ClientCase):
    name = "GNU Wget"
    kind = clients.WgetClient
    lacks = dict.fromkeys(("uploads", "resumes_an_upload", "renames", "deletes",
                           "makes_a_folder"), "it only downloads")


class Rclone(Abilities, ClientCase):
    """It is made in Go, which resumes by tickets only, and BearSSL gives none."""

    name = "rclone"
    kind = clients.RcloneClient
    reuse = "address"
    lacks = {"resumes_an_upload": "it begins anew", "resumes_a_download": "it begins anew",
             "shows_a_certificate": "it shows none over FTP"}


class FtpSsl(Abilities, ClientCase):
    name = "ftp-ssl"
    kind = clients.FtpSslClient
    key = "rsa2048"  # it takes no others
    lacks = {"uploads": "it ends them without close_notify, so they count as broken off",
             "resumes_an_upload": "likewise"}

    def test_an_upload_counts_as_broken_off(self):
        before = len(self.server.log())
        with self.assertRaisesRegex(AssertionError, "426 "):
            self.client.store(None, b"new", f"{self.folder}/up", password=PASSWORD)
        self.assertRegex(self.server.log()[before:], "event=upload .*result=lost ")

    def test_an_upload_counts_where_it_is_announced_and_that_is_enough(self):
        client = self.client_of(server_for("lenient"))
        (client.here / "given").write_bytes(content(5000))
        client.command("quote ALLO 5000", "put given announced", password=PASSWORD)
        self.assertEqual((client.server.root / "announced").read_bytes(), content(5000))


WITHOUT_DATA = dict.fromkeys(
    ("lists", "uploads", "downloads", "resumes_an_upload", "resumes_a_download"),
    "it has a control connection only")


class Openssl(Abilities, ClientCase):
    name = "OpenSSL's s_client"
    kind = clients.OpensslClient
    lacks = WITHOUT_DATA


class Gnutls(Abilities, ClientCase):
    name = "gnutls-cli"
    kind = clients.GnutlsClient
    lacks = WITHOUT_DATA


class NotResuming:
    """A client that is used without what makes it resume its session on data connections."""

    def setUp(self):
        super().setUp()
        self.path("file").write_bytes(content(1000))

    def test_gets_not_a_byte(self):
        before = len(self.server.log())
        with self.assertRaises(AssertionError) as caught:
            self.client.fetch(None, f"{self.folder}/file", password=PASSWORD)
        self.assertIn("522 Data connection refused", str(caught.exception))
        log = self.server.log()[before:]
        self.assertRegex(log, "event=download .*bytes=0 ")
        self.assertNotRegex(log, "event=download .*(bytes=[1-9]|result=ok)")

    def test_works_by_address(self):
        server = server_for("address")
        (server.root / "file").write_bytes(content(1000))
        got = self.client_of(server).fetch(None, "/file", password=PASSWORD)
        self.assertEqual(got, content(1000))

    def test_works_by_its_certificate(self):
        server = server_for("pinned")
        (server.root / "file").write_bytes(content(1000))
        one = self_signed(type(self).__name__)
        server.must("trust", one.cert, "--account", USER)
        self.assertEqual(self.client_of(server).fetch(one, "/file"), content(1000))
        server.must("distrust", one.fingerprint)


class PlainFtplib(NotResuming, ClientCase):
    kind = clients.PlainFtplibClient


class PlainPerl(NotResuming, ClientCase):
    kind = clients.PlainPerlClient


class PlainJava(NotResuming, ClientCase):
    kind = clients.PlainJavaClient


class PlainWget(NotResuming, ClientCase):
    kind = clients.PlainWgetClient


class Readme(unittest.TestCase):

    def rows(self):
        text = (TREE / "README.md").read_text().partition("\n## Clients\n")[2]
        text = text.partition("\n## ")[0]
        found = re.findall(r"^\| (.*?) \| (.*?) \| (.*?) \| (.*?) \|$", text, re.M)
        return {name: (reuse.strip("`"), certificate, needs)
                for name, reuse, certificate, needs in found[2:]}

    def test_its_table_says_what_is_tested_here(self):
        rows = self.rows()
        del rows["FileZilla"]
        kinds = Abilities.__subclasses__()
        self.assertEqual(sorted(rows), sorted(kind.name for kind in kinds))
        for kind in kinds:
            with self.subTest(kind.name):
                reuse, certificate, needs = rows[kind.name]
                data = "downloads" not in kind.lacks
                self.assertEqual(reuse, {"require": "any"}.get(kind.reuse, kind.reuse)
                                 if data else "-")
                self.assertEqual(certificate, "no" if "shows_a_certificate" in kind.lacks
                                 else "RSA" if kind.key.startswith("rsa") else "yes")
                self.assertEqual("it only downloads" in needs,
                                 data and "uploads" in kind.lacks)

    def test_what_a_client_lacks_is_an_ability(self):
        for kind in Abilities.__subclasses__():
            for ability in kind.lacks:
                self.assertTrue(hasattr(Abilities, f"test_{ability}"), ability)


if __name__ == "__main__":
    unittest.main()
