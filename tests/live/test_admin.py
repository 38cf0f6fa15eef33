# SPDX-License-Identifier: MIT
"""
The administrator's commands, which say the same to a running server as to closed stores:
accounts, trust, CAs, sessions, and the device's own key and certificate.
"""

import hashlib
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import unittest
from pathlib import Path

from clients import Busy, s_client
from pki import EXPIRED, SERVER, Authority, Certificate, new_folder, openssl, self_signed
from server import (BINARY, ENVIRONMENT, LIMIT_S, PASSWORD, USER, WRAP, Account, LiveCase, Server,
                    built_with, content, need, read_all, snapshot)


class AdminCase(LiveCase):
    """A server for each test, which is not started before it is said."""

    options = {}

    @classmethod
    def setUpClass(cls):
        pass

    def setUp(self):
        self.server = self.make()
        super().setUp()

    def make(self, **how):
        server = Server(options={"log_level": "info", **self.options}, **how)
        self.addCleanup(server.close)
        return server

    def stores(self):
        """What the stores hold. One that is there but erased is as good as none."""
        return {name: data for name, data in snapshot(self.server.stores).items()
                if data != "special" and data.strip(b"\xff")}

    def table(self, *command):
        return json.loads(self.server.must(*command, "--json"))

    def fails(self, *words, says=".", given="", code=1):
        """A command that is refused with one line on stderr, and without a trace."""
        before = self.stores()
        done = self.server.cli(*words, given=given)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        self.assertEqual(done.stdout, "")
        said = re.sub(r"(?m)^(warning|info) event=.*\n", "", done.stderr)  # a log
        self.assertRegex(said, r"\Acubftpd: [^\n]+\n\Z")
        self.assertRegex(said, says)
        self.assertTrue(self.stores() == before, f"{words}: the stores have changed")
        return said


@need("openssl")
class SameBothWays(AdminCase):
    """Each command is given to a server that runs and to the stores of one that does not."""

    def setUp(self):
        super().setUp()
        self.server.start()
        self.closed = self.make()

    def said(self, server, words, given):
        done = server.cli(*words, given=given)
        return tuple(part.replace(str(server.folder), "FOLDER")
                     for part in (done.stdout, done.stderr)) + (done.returncode,)

    def both(self, *words, given="", code=0):
        """What both say, which must be the same."""
        running = self.said(self.server, words, given)
        closed = self.said(self.closed, words, given)

        def without_moments(said):
            """Both may be asked in different seconds."""
            return [re.sub(r"(added\W+)[-0-9T:Z]+", r"\1", str(part)) for part in said]

        self.assertEqual(without_moments(running), without_moments(closed), words)
        self.assertEqual(running[2], code, (words, running))
        return running[0] if code == 0 else running[1]

    def lists(self, *command):
        """A list as text and as JSON, which has the same in it."""
        text = self.both(*command)
        table = json.loads(self.both(*command, "--json"))
        self.assertIsInstance(table, list)
        for entry in table:
            for value in entry.values():
                if isinstance(value, str):
                    self.assertIn(value, text)
        return table

    def test_accounts(self):
        self.assertEqual([e["name"] for e in self.lists("account", "list")], [USER])
        self.both("account", "add", "second", "--rights", "rl", "--admin", "--password-stdin",
                  given="its password\n")
        self.both("account", "add", "by-certificate")
        self.both("account", "add", "second", "--password-stdin", given="x\n", code=1)
        self.both("account", "passwd", "second", given="another one\n")
        self.both("account", "passwd", "nobody", given="x\n", code=1)
        self.both("account", "passwd", "second", given="\n", code=2)
        entries = {e["name"]: e for e in self.lists("account", "list")}
        self.assertEqual(entries["second"], {"name": "second", "rights": "rl", "root": "/",
                                             "admin": True, "password": True})
        self.assertFalse(entries["by-certificate"]["password"])
        self.both("account", "remove", "second")
        self.both("account", "remove", "second", code=1)
        self.both("account", "add", code=2)
        self.both("account", "nonsense", code=2)

    def test_trust(self):
        one, exact = self_signed("one"), self_signed("exact", key="rsa2048")
        self.assertEqual(self.lists("trusted"), [])
        said = self.both("trust", one.cert, "--account", USER, "--label", "technician 7",
                         "--admin")
        self.assertIn(one.fingerprint, said)
        self.both("trust", exact.cert, "--account", USER, "--exact")
        self.both("trust", exact.cert, "--account", USER, "--label", "again", code=1)
        self.assertIn("another certificate has the label", self.both(
            "trust", "ab" * 32, "--account", USER, "--label", "technician 7", code=1))
        entries = {e["fingerprint"]: e for e in self.lists("trusted")}
        self.assertEqual(set(entries), {f"sha256:{c.fingerprint}" for c in (one, exact)})
        entry = entries[f"sha256:{one.fingerprint}"]
        self.assertEqual(entry["key"], f"sha256:{one.key_fingerprint}")
        self.assertEqual((entry["label"], entry["account"], entry["admin"], entry["exact"]),
                         ("technician 7", USER, True, False))
        self.assertTrue(entries[f"sha256:{exact.fingerprint}"]["exact"])
        bad = self_signed("p384", key="p384").cert
        two = self.temporary() / "two.pem"
        two.write_text(one.cert.read_text() + bad.read_text())
        for words, says in (
                (("trust", "ab" * 32, "--account", "nobody"), "no account of the name nobody"),
                (("trust", "ab" * 32, "--account", USER, "--label", "a/b"), "labels have"),
                (("trust", "abcdef01", "--account", USER), "abcdef01"),
                (("trust", "/nowhere.pem", "--account", USER), "/nowhere.pem"),
                (("trust", one.key, "--account", USER), "no certificate"),
                (("trust", bad, "--account", USER), "can't be used|curve"),
                (("trust", two, "--account", USER), "one certificate"),
                (("distrust", "nobody"), "nobody"),
                (("distrust", "abcdef01"), "abcdef01")):
            with self.subTest(words):
                self.assertRegex(self.both(*words, code=1), says)
        for words, says in ((("trust", "00" * 32, "--account", USER), "fingerprint"),
                            (("trust", "abcdef0", "--account", USER), "8 digits"),
                            (("distrust", "abcdef0"), "8 digits")):
            self.assertRegex(self.both(*words, code=2), says)
        self.both("distrust", "technician 7")
        self.both("distrust", exact.cert)
        self.both("distrust", exact.fingerprint, code=1)
        self.assertEqual(self.lists("trusted"), [])

    def test_cas(self):
        ec, rsa = Authority("Acme EC CA"), Authority("Acme RSA CA", key="rsa2048")
        self.assertEqual(self.lists("ca", "list"), [])
        self.both("ca", "add", ec.cert, "--name", "acme")
        self.both("ca", "add", ec.cert, "--name", "acme")  # the same again is no change
        self.both("ca", "add", ec.cert, "--name", "other", code=1)
        self.both("ca", "add", rsa.cert, "--name", "acme", code=1)
        der = self.temporary() / "by its file.crt"
        der.write_bytes(rsa.der)
        self.both("ca", "add", der, "--account", USER)
        entries = {e["name"]: e for e in self.lists("ca", "list")}
        self.assertEqual(set(entries), {"acme", "by its file"})
        self.assertEqual(entries["acme"]["fingerprint"], f"sha256:{ec.fingerprint}")
        self.assertEqual(entries["acme"]["subject"], "CN=Acme EC CA")
        self.assertEqual(entries["by its file"]["account"], USER)
        if built_with("CAS") == 2:
            self.assertIn("full", self.both("ca", "add", Authority("third").cert, "--name",
                                            "third", code=1))
        self.both("ca", "remove", "acme")
        self.both("ca", "remove", "acme", code=1)
        for one, says in ((self_signed("no CA", extensions=SERVER), "CA"),
                          (Authority("expired", valid=EXPIRED), "expired"),
                          (Authority("p384", key="p384"), "curve"),
                          (Authority("rsa1024", key="rsa1024"), "2048")):
            with self.subTest(one.name):
                self.assertRegex(self.both("ca", "add", one.cert, code=1), says)
        self.both("ca", "remove", rsa.fingerprint[:8])
        self.assertEqual(self.lists("ca", "list"), [])
        self.both("ca", code=2)
        self.both("ca", "add", code=2)

    def test_wrong_usage_is_2_and_says_what_is_wrong(self):
        for words, says in ((("trust",), "missing"), (("trust", "ab" * 32), "--account"),
                            (("distrust",), "missing"), (("kick",), "missing"),
                            (("kick", "all"), "not the number"), (("pending", "x"), "too many"),
                            (("status", "--nonsense"), "--nonsense"),
                            (("trusted", "--label"), "--label"), (("reload", "x"), "too many"),
                            (("nonsense",), "nonsense"), (("csr", "--name"), "must follow"),
                            (("csr", "--name", "x" * 65), "64 bytes"),
                            (("init", "--cert", "/dev/null"), "."),
                            (("ca", "x"), "wants add or list or remove")):
            with self.subTest(words):
                code = 1 if "--cert" in words else 2
                self.assertRegex(self.both(*words, code=code), says)

    def test_the_device(self):
        for words in (("fingerprint",), ("csr",), ("csr", "--name", "another name")):
            with self.subTest(words):
                running = self.server.must(*words)
                self.assertTrue(self.server.must(*words) == running)
                self.server.stop()
                self.assertEqual(self.server.must(*words), running)
                self.server.start()
        self.assertIn("identity already", self.both("init", code=1))

    def test_what_cannot_be_printed_is_no_success(self):
        for server in (self.server, self.closed):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([*WRAP, BINARY, "csr", "-c", server.config], stdout=full,
                                      stderr=subprocess.PIPE, env=ENVIRONMENT, timeout=LIMIT_S)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, rb"\Acubftpd: stdout: [^\n]+\n\Z")

    def test_check_finds_the_same(self):
        for server in (self.server, self.closed):
            server.must("check")
        running = self.server.must("check")
        self.server.stop()
        self.assertEqual(*(re.sub(r"free: \d+", "", text)
                           for text in (running, self.server.must("check"))))


class Running(AdminCase):

    def setUp(self):
        super().setUp()
        self.server.start()

    def test_status_counts(self):
        with self.server.session() as ftp:
            ftp.put("file", content(12345))
            ftp.get("file")
            status = self.table("status")
            self.assertEqual(status["bytes_received"], 12345)
            self.assertEqual(status["bytes_sent"], 12345)
            self.assertEqual((status["sessions"], status["transfers"]), (1, 0))
            self.assertGreaterEqual(status["sessions_served"], 2)
            self.assertEqual(status["sessions_max"], built_with("SESSIONS"))
            self.assertEqual((status["running"], status["trust_store"], status["clock"]),
                             (True, "good", "plausible"))
            self.assertEqual((status["accounts"], status["trusted"], status["pending"],
                              status["cas"]), (1, 0, 0, 0))
            self.assertEqual(status["device_name"], "live-test")
            self.assertIn(status["fingerprint"], self.server.must("fingerprint"))
            self.assertEqual(status["not_after"], "9999-12-31T23:59:59Z")
            text = self.server.must("status")
            self.assertEqual({line.split()[0] for line in text.splitlines()}, set(status))
        self.server.stop()
        done = self.server.cli("status", "--json")
        status = json.loads(done.stdout)
        self.assertEqual((done.returncode, status["running"], status["accounts"]), (0, False, 1))
        self.assertNotIn("sessions", status)

    def test_sessions_shows_who_does_what(self):
        self.assertEqual(self.table("sessions"), [])
        self.server.root.joinpath("long").write_bytes(content(16_000_000))
        with self.server.session() as ftp, self.server.client():
            _, data = ftp.begin("RETR long", receive_buffer=8192)
            busy, clear = sorted(self.table("sessions"), key=lambda entry: entry["id"])
            self.assertEqual((busy["account"], busy["state"], busy["path"], busy["address"]),
                             (USER, "transfer", "/long", "127.0.0.1"))
            self.assertLess(busy["bytes"], 16_000_000)
            self.assertEqual((clear["account"], clear["state"]), ("", "clear"))
            text = self.server.must("sessions")
            for word in ("transfer", "clear", USER, "/long"):
                self.assertIn(word, text)
            data.close()

    def test_kick_ends_one_session(self):
        with self.server.session() as one, self.server.session() as other:
            first, second = (entry["id"] for entry in self.table("sessions"))
            self.server.must("kick", min(first, second))
            one.expect_reply(421)
            one.expect_end()
            other.expect("NOOP", 200)
            self.fails("kick", 99999, says="no session 99999")
            self.fails("kick", 0, says="no session 0")

    def test_kick_cuts_a_transfer_off(self):
        self.server.root.joinpath("long").write_bytes(content(16_000_000))
        with self.server.session() as ftp:
            _, data = ftp.begin("RETR long", receive_buffer=8192)
            self.server.must("kick", self.table("sessions")[0]["id"])
            with data, self.assertRaises((ssl.SSLError, ConnectionError)):
                read_all(data)
            self.assertRegex(ftp.rest_of_stream(), rb"(?m)^421 ")

    def test_reload_takes_over_a_good_configuration(self):
        with self.server.session() as ftp:
            self.server.options["greeting"] = "after the reload"
            self.server.options["client_certificate"] = "pinned"
            self.server.write_config()
            self.server.must("reload")
            with self.server.client() as other:
                self.assertIn("after the reload", other.greeting.text)
            self.assertEqual(self.table("status")["client_certificate"], "pinned")
            ftp.put("running", b"goes on")

    def test_reload_refuses_a_bad_configuration_and_the_server_goes_on(self):
        for line, says in (("nonsense = 1", "nonsense"), ("listen =", "listen"),
                           ("client_certificate = maybe", "none, optional, pinned or signed")):
            with self.subTest(line):
                self.server.write_config(more=line + "\n")
                number = len(self.server.config.read_text().splitlines())
                # The subcommand itself reads the file as well, so it is given another one.
                good = self.server.folder / "good.conf"
                good.write_text(f"trust_store = {self.server.trust}\n")
                done = self.server.cli("reload", "-c", good, config=False)
                self.assertEqual(done.returncode, 1, done)
                self.assertRegex(done.stderr, rf"cubftpd\.conf:{number}: .*{says}")
                with self.server.session() as ftp:
                    ftp.list()
        self.server.write_config(more="root = /nowhere\n")
        self.assertIn("/nowhere", self.fails("reload"))
        self.server.session().close()

    def test_without_a_server_there_is_nothing_to_reload_or_kick(self):
        self.server.stop()
        self.fails("reload", says="not running")
        self.fails("kick", 1, says="not running")
        for command in ("sessions", "pending"):
            done = self.server.cli(command)
            self.assertEqual((done.returncode, done.stdout), (0, ""))
            self.assertIn("not running", done.stderr)
            done = self.server.cli(command, "--json")
            self.assertEqual(json.loads(done.stdout), [])


class ControlSocket(AdminCase):

    @property
    def path(self):
        return Path(f"{self.server.trust}.sock")

    def test_it_is_for_its_owner_only_and_goes_with_the_server(self):
        """Row 4.37 of the checklist."""
        self.server.start()
        mode = self.path.lstat().st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        self.server.stop()
        self.assertFalse(self.path.exists())

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_another_user_is_told_that_it_is_not_permitted(self):
        """Row 4.37 of the checklist."""
        self.server.start()
        self.server.user = 65534
        self.fails("status", says="not permitted")
        self.server.user = None

    def test_what_a_crash_left_is_replaced(self):
        self.server.start()
        self.server.process.kill()
        self.server.process.wait()
        self.server.process = None
        self.assertTrue(self.path.is_socket())
        self.assertEqual(self.server.must("account", "list").split()[0], USER)
        self.server.start()
        self.assertTrue(self.table("status")["running"])

    def test_another_file_of_that_name_is_not_removed(self):
        self.path.write_text("precious")
        self.fails("run", says=f"control_socket {re.escape(str(self.path))}")
        self.assertEqual(self.path.read_text(), "precious")
        self.path.unlink()

    def test_a_second_server_with_the_same_stores_does_not_start(self):
        self.server.start()
        second = self.make(init=False, accounts=())
        for key in ("identity_store", "trust_store"):
            before = second.options[key]
            second.options[key] = self.server.options[key]
            second.options["control_socket"] = second.folder / "sock"
            second.write_config()
            done = second.cli("run")
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"is in use by another program\n\Z")
            second.options[key] = before
        self.assertTrue(self.table("status")["running"])
        self.server.session().close()

    def test_without_it_commands_say_that_the_stores_are_in_use(self):
        self.server.options["control_socket"] = ""
        self.server.write_config()
        self.server.start()
        self.fails("account", "list", says="is in use by another program")
        self.server.stop()
        self.server.must("account", "list")

    def test_it_may_stand_elsewhere(self):
        self.server.options["control_socket"] = self.server.folder / "control"
        self.server.write_config()
        self.server.start()
        self.assertTrue((self.server.folder / "control").is_socket())
        self.assertTrue(self.table("status")["running"])

    def test_nonsense_on_it_harms_nobody(self):
        self.server.start()
        for data in (b"", b"GET / HTTP/1.0\r\n\r\n", b"cub\1", b"cub\1\xff\xff\xff\xff",
                     b"cub\1\4\0\0\0abc", b"cub\1\4\0\0\0abcd", b"cub\1\0\0\0\0",
                     b"cub\1\1\0\0\0\0", b"cub\2\7\0\0\0status\0", b"cub\1\7\0\4\0status\0ab"):
            with self.subTest(data), socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(30)
                sock.connect(str(self.path))
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                try:
                    while sock.recv(4096):
                        pass
                except ConnectionError:
                    pass
            self.assertTrue(self.table("status")["running"])


def encoded(key, form):
    """A key's file as openssl writes it in one of the forms that there are."""
    path = new_folder() / "key"
    kind, _, der = form.partition(" ")
    words = {"pkcs8": ("pkcs8", "-topk8", "-nocrypt"), "sec1": ("ec",),
             "pkcs1": ("rsa", "-traditional")}[kind]
    openssl(*words, "-in", key, "-out", path, *(("-outform", "DER") if der else ()))
    return path


@need("openssl")
class Import(AdminCase):

    def make(self, **how):
        return super().make(**{"init": False, **how})

    def public_key(self, server):
        """SHA-256 of the public key that clients are shown, and the names in it."""
        with server.session() as ftp:
            pem = ssl.DER_cert_to_PEM_cert(ftp.sock.getpeercert(binary_form=True)).encode()
        key = openssl("pkey", "-pubin", "-outform", "DER",
                      given=openssl("x509", "-noout", "-pubkey", given=pem))
        return hashlib.sha256(key).hexdigest(), openssl(
            "x509", "-noout", "-subject", given=pem).decode()

    def test_keys_of_every_form_are_taken_and_served(self):
        for kind, forms in (("ec", ("pkcs8", "pkcs8 DER", "sec1", "sec1 DER")),
                            ("rsa2048", ("pkcs8", "pkcs8 DER", "pkcs1", "pkcs1 DER"))):
            one = self_signed("imported", key=kind)
            for form in forms:
                with self.subTest(kind=kind, form=form):
                    server = self.make()
                    server.must("init", "--key", encoded(one.key, form), "--name", "its name")
                    server.start()
                    digest, subject = self.public_key(server)
                    self.assertEqual(digest, one.key_fingerprint)
                    self.assertRegex(subject, "CN ?= ?its name")
                    server.close()

    def test_a_certificate_is_taken_along(self):
        ca = Authority("Acme").intermediate("Below")
        for key in ("ec", "rsa4096"):
            with self.subTest(key):
                one = ca.issue("device 7", key=key, extensions=SERVER)
                server = self.make()
                said = server.must("init", "--key", one.key, "--cert", one.chain)
                self.assertIn(one.fingerprint, said)
                server.start()
                self.assertIn(one.fingerprint, server.must("fingerprint"))
                shown = s_client(server, "-showcerts")
                self.assertEqual(shown.count("BEGIN CERTIFICATE"), 2)
                server.close()

    def test_encrypted_keys_are_refused_with_advice(self):
        folder = new_folder()
        ec, rsa = self_signed("ec"), self_signed("rsa", key="rsa2048")
        for name, words in (
                ("pkcs8", ("pkcs8", "-topk8", "-in", ec.key)),
                ("pkcs8 rsa", ("pkcs8", "-topk8", "-in", rsa.key)),
                ("pkcs8 DER", ("pkcs8", "-topk8", "-outform", "DER", "-in", ec.key)),
                ("sec1", ("ec", "-aes128", "-in", ec.key)),
                ("pkcs1", ("rsa", "-traditional", "-aes128", "-in", rsa.key))):
            with self.subTest(name):
                openssl(*words, "-passout", "pass:secret", "-out", folder / "key")
                self.fails("init", "--key", folder / "key", says="encrypted: .*openssl pkey")

    def test_keys_that_cannot_be_used_are_refused_in_words(self):
        one = self_signed("one")
        for what, says in ((self_signed("p384", key="p384").key, "curve"),
                           (self_signed("rsa1024", key="rsa1024").key, "2048 to 4096"),
                           (self_signed("ed25519", key="ed25519").key, "P-256"),
                           (one.cert, "no private key"), ("/dev/null", "no private key|broken"),
                           ("/nowhere/key", "/nowhere/key")):
            with self.subTest(str(what)):
                done = self.server.cli("init", "--key", what)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, says)
                self.assertNotIn(b"identity", self.stores())
        done = self.server.cli("init", "--key", one.key, "--cert", self_signed("other").cert)
        self.assertEqual(done.returncode, 1)
        self.assertIn("not for this device's key", done.stderr)
        self.server.must("init", "--key", one.key, "--cert", one.cert)

    def test_an_identity_is_never_replaced(self):
        self.server.must("init")
        one = self_signed("another")
        self.fails("init", "--key", one.key, says="identity already")
        self.server.start()
        self.fails("init", "--key", one.key, says="identity already")


@need("openssl")
class Signing(AdminCase):
    """csr and cert, with the server running and without."""

    def setUp(self):
        super().setUp()
        self.ca = Authority("Acme Device CA").intermediate("Acme Field")

    def request(self):
        return self.server.must("csr")

    def install(self, chain, by_file):
        if not by_file:
            return self.server.must("cert", given=chain)
        path = new_folder() / "chain.pem"
        path.write_text(chain)
        return self.server.must("cert", path)

    def test_openssl_accepts_the_request(self):
        for key in ("ec", "rsa2048"):
            with self.subTest(key):
                server = self.make(init=False)
                server.must("init", "--key", self_signed("key", key=key).key, "--name", "first")
                for words, name in (((), "first"), (("--name", "Gerät, 7"), "Gerät, 7")):
                    text = openssl("req", "-verify", "-noout", "-text", "-nameopt",
                                   "utf8,-esc_msb", given=server.must("csr", *words).encode())
                    self.assertRegex(text.decode(), rf'CN ?= ?"?{name}')

    def test_a_signed_chain_is_shown_to_new_clients_while_old_ones_go_on(self):
        for by_file in (False, True):
            with self.subTest(by_file=by_file):
                self.server.start()
                self.server.root.joinpath("long").write_bytes(content(16_000_000))
                with self.server.session() as ftp:
                    before = ftp.sock.getpeercert(binary_form=True)
                    _, data = ftp.begin("RETR long", receive_buffer=8192)
                    chain = self.ca.sign(self.request())
                    said = self.install(chain, by_file)
                    der = ssl.PEM_cert_to_DER_cert(chain[:chain.index("-----END") + 26])
                    self.assertIn(hashlib.sha256(der).hexdigest(), said)
                    shown = s_client(Busy(self.server), "-showcerts")
                    self.assertIn(chain.split("-----")[2].strip(), shown)
                    self.assertIn(chain.split("-----")[6].strip(), shown)
                    with data:
                        self.assertEqual(read_all(data), content(16_000_000))
                    ftp.expect_reply(226)
                    ftp.put("after", b"with the old certificate")
                    self.assertEqual(ftp.sock.getpeercert(binary_form=True), before)
                self.server.wait_until_idle()
                self.server.restart()
                with self.server.session() as ftp:
                    self.assertEqual(ftp.sock.getpeercert(binary_form=True), der)
                self.server.stop()

    def test_it_verifies_with_the_root_alone(self):
        self.server.start()
        self.install(self.ca.sign(self.request()), False)
        root = self.ca.issuer
        self.assertIn("Verify return code: 0 (ok)", s_client(self.server, "-CAfile", root.cert))

    def test_closed_stores_take_it_as_well(self):
        chain = self.ca.sign(self.request())
        self.install(chain, False)
        self.server.start()
        with self.server.session() as ftp:
            self.assertEqual(ftp.sock.getpeercert(binary_form=True),
                             ssl.PEM_cert_to_DER_cert(chain[:chain.index("-----END") + 26]))

    def test_wrong_chains_are_refused_and_change_nothing(self):
        chain = self.ca.sign(self.request())
        own = chain[:chain.index("-----END") + 26]
        rest = chain[len(own):]
        expired = self.ca.sign(self.request(), valid=EXPIRED)
        foreign = self.ca.issue("foreign", extensions=SERVER).chain.read_text()
        for is_running in (False, True):
            if is_running:
                self.server.start()
            told = self.server.must("fingerprint")
            for name, given, says in (
                    ("foreign", foreign, "not for this device's key"),
                    ("order", rest + own, "not for this device's key"),
                    ("unrelated", own + Authority("x").cert.read_text(), "order"),
                    ("broken", own[:-60] + rest, "broken|cut|no certificate"),
                    ("nothing", "", "no certificate"),
                    ("words", "hello\n", "no certificate|broken"),
                    ("expired", expired, "has expired"),
                    ("long", chain * 50, "too long")):
                with self.subTest(name, is_running=is_running):
                    before = self.stores()
                    done = self.server.cli("cert", given=given)
                    self.assertEqual(done.returncode, 1, done)
                    self.assertRegex(done.stderr, rf"\A[^\n]*({says})[^\n]*\n\Z")
                    self.assertTrue(self.stores() == before)
                    self.assertEqual(self.server.must("fingerprint"), told)
            self.fails("cert", "/nowhere/chain.pem", says="/nowhere/chain.pem")


def scalar_of(one):
    """The private number of a P-256 key, as it stands in a store that does not seal it."""
    text = openssl("pkey", "-in", one.key, "-noout", "-text").decode()
    digits = re.search(r"priv:\s+([0-9a-f:\s]+)", text)[1]
    return bytes.fromhex(re.sub(r"[^0-9a-f]", "", digits))[-32:].lstrip(b"\0")


@need("openssl")
class SealedKey(AdminCase):

    def make(self, **how):
        return super().make(init=False, **how)

    def setUp(self):
        super().setUp()
        self.one = self_signed("sealed")
        self.secret = self.server.folder / "secret"
        self.set_secret(b"bound to this device\n")
        self.server.options["key_secret"] = self.secret

    def set_secret(self, data):
        self.secret.write_bytes(data)
        self.secret.chmod(0o600)

    def holds_plain_key(self):
        return scalar_of(self.one) in self.server.identity.read_bytes()

    def with_secret(self, is_set):
        self.server.options["key_secret"] = self.secret if is_set else None
        self.server.write_config()

    def test_a_plain_key_is_found_in_the_store(self):
        """So that not finding it below means something."""
        self.with_secret(False)
        self.server.must("init", "--key", self.one.key, "--cert", self.one.cert)
        self.assertTrue(self.holds_plain_key())

    def test_a_sealed_identity_serves_and_its_key_stands_nowhere(self):
        self.with_secret(True)
        self.server.must("init", "--key", self.one.key, "--cert", self.one.cert)
        self.assertFalse(self.holds_plain_key())
        self.server.start()
        with self.server.session() as ftp:
            self.assertEqual(ftp.sock.getpeercert(binary_form=True), self.one.der)
        self.server.must("cert", given=self.one.renewed().cert.read_text())
        self.assertFalse(self.holds_plain_key())
        self.server.restart()
        self.server.session().close()

    def test_one_that_the_server_makes_itself_is_sealed(self):
        self.with_secret(True)
        self.server.start()
        self.server.stop()
        self.with_secret(False)
        self.fails("run", says="sealed, and key_secret is not set")

    def test_without_the_right_secret_nothing_goes(self):
        self.with_secret(True)
        self.server.must("init", "--key", self.one.key)
        told = self.server.must("fingerprint")
        for data, says in ((b"another secret\n", "key_secret does not open the sealed key"),
                           (b"", "is empty"), (b"x" * 300, "longer than 256 bytes")):
            with self.subTest(says):
                self.set_secret(data)
                for command in ("run", "fingerprint", "csr", "check"):
                    done = self.server.cli(command)
                    self.assertEqual(done.returncode, 1, (command, done))
                    self.assertIn(says, done.stdout + done.stderr)
        self.secret.chmod(0o644)
        self.fails("run", says=r"key_secret .*permission denied, or others")
        self.secret.unlink()
        self.fails("run", says="key_secret .*does not exist")
        self.with_secret(False)
        self.fails("run", says="sealed, and key_secret is not set")
        self.set_secret(b"bound to this device")  # a line end is no part of it
        self.with_secret(True)
        self.assertEqual(self.server.must("fingerprint"), told)

    def test_a_plain_key_is_sealed_once_there_is_a_secret(self):
        self.with_secret(False)
        self.server.must("init", "--key", self.one.key, "--cert", self.one.cert)
        self.server.must("ca", "add", Authority("Acme").cert, "--name", "acme")
        self.assertTrue(self.holds_plain_key())
        self.with_secret(True)
        self.server.start()
        with self.server.session() as ftp:
            self.assertEqual(ftp.sock.getpeercert(binary_form=True), self.one.der)
        self.server.stop()
        self.assertFalse(self.holds_plain_key())
        self.assertIn("acme", self.server.must("ca", "list"))


if __name__ == "__main__":
    unittest.main()
