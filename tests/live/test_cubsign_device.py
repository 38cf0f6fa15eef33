# SPDX-License-Identifier: MIT
"""
cubsign at a device: the whole way from a fresh device to a login by a certificate that the same
CA has signed; who gets a secret and who does not; devices that refuse, lie or vanish, and what
cubsign says then of the state that they are in.

    CUBSIGN   the program to test; by default the one beside the server's
"""

import contextlib
import hashlib
import json
import os
import pty
import re
import select
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest
from pathlib import Path

from pki import SELF_SIGNED, Authority, new_folder, openssl, self_signed
from server import (BINARY, ENVIRONMENT, FOUND, LIMIT_S, PASSWORD, USER, LiveCase, Server,
                    built_with, content, need)

SIDE_BY_SIDE = True

CUBSIGN = Path(os.environ.get("CUBSIGN", BINARY.parent / "cubsign")).resolve()
ADMIN, ADMIN_PASSWORD = "admin", "a secret of the administrator"
NOWHERE = "127.0.0.1:1"  # nobody listens there


def digits_of(text):
    return re.search("sha256:([0-9a-f]{64})", text)[1]


def interruptible():
    """In a child: what a shell does not do for those in the background."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Done:
    """What a run of cubsign has left."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __str__(self):
        return f"exit {self.code}\n{self.out}{self.err}"

    def table(self):
        return json.loads(self.out)


def cubsign(*words, password=ADMIN_PASSWORD, folder=None, **variables):
    """Run it without a terminal."""
    environment = {**ENVIRONMENT, **variables}
    if password is not None:
        environment["CUBSIGN_PASSWORD"] = password
    done = subprocess.run([str(CUBSIGN), *map(str, words)], stdin=subprocess.DEVNULL,
                          capture_output=True, encoding="utf-8", errors="backslashreplace",
                          timeout=8 * LIMIT_S, env=environment, cwd=folder,
                          start_new_session=True)
    if FOUND.search(done.stderr):
        raise AssertionError(f"{words}: a sanitizer reports\n{done.stderr}")
    return Done(done)


def authority_files(ca, name="acme"):
    """A CA of openssl's as cubsign has its own: NAME.key without a passphrase, and NAME.crt."""
    base = new_folder() / name
    Path(f"{base}.crt").write_text(ca.chain.read_text())
    key = Path(f"{base}.key")
    key.touch(0o600)
    key.write_text(ca.key.read_text())
    return base


@need("openssl")
class DeviceCase(LiveCase):
    """Each test has a device of its own."""

    options = {"client_certificate": "optional", "data_reuse": "require"}

    @classmethod
    def setUpClass(cls):
        if not CUBSIGN.exists():
            raise unittest.SkipTest("cubsign is not built")
        if not built_with("PROVISION"):
            raise unittest.SkipTest("the folder is not built in")

    def setUp(self):
        self.server = self.new_device()
        super().setUp()

    def new_device(self, key=None):
        server = Server(options=self.options, init=key is None, accounts=())
        self.addCleanup(server.close)
        if key is not None:
            server.must("init", "--key", key.key, "--name", "live-test")
        server.add_account(Server.__init__.__defaults__[0][0])
        server.must("account", "add", ADMIN, "--admin", "--password-stdin",
                    given=ADMIN_PASSWORD + "\n")
        return server.start()

    def fingerprint(self, server=None):
        return digits_of((server or self.server).must("fingerprint"))

    def host(self, server=None, host="127.0.0.1"):
        port = (server or self.server).port(host)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def cas(self, server=None):
        return json.loads((server or self.server).must("ca", "list", "--json"))

    def run_ok(self, *words, **how):
        done = cubsign(*words, **how)
        self.assertEqual(done.code, 0, done)
        return done

    def refused(self, *words, says, code=1, **how):
        done = cubsign(*words, **how)
        self.assertEqual(done.code, code, done)
        self.assertRegex(done.out + done.err, says)
        return done

    def provision(self, *words, base, **how):
        return cubsign("provision", self.host(), "--ca", base, "--pin", self.fingerprint(),
                       "--json", *words, **how)

    def served(self, host="127.0.0.1", server=None):
        """The certificate that new connections see."""
        with (server or self.server).secured(host=host) as ftp:
            return hashlib.sha256(ftp.sock.getpeercert(True)).hexdigest()

    def index(self, base):
        path = Path(f"{base}.index")
        return path.read_text().splitlines() if path.exists() else []


class Story(DeviceCase):

    def make_ca(self, folder):
        self.run_ok("ca", "--name", "Acme Device CA", "--out", "acme", folder=folder,
                    CUBSIGN_PASSPHRASE="the passphrase of the CA")

    def make_client(self, folder, name, base, passphrase):
        self.run_ok("key", "--out", base, folder=folder, CUBSIGN_PASSPHRASE=passphrase)
        self.run_ok("csr", "--key", f"{base}.key", "--name", name, folder=folder,
                    CUBSIGN_PASSPHRASE=passphrase)
        self.run_ok("sign", "--ca", "acme", "--profile", "client", f"{base}.csr", folder=folder,
                    CUBSIGN_PASSPHRASE="the passphrase of the CA")

    def context(self, folder, base, passphrase):
        context = ssl.create_default_context(cafile=folder / "acme.crt")
        context.load_cert_chain(folder / f"{base}.crt", folder / f"{base}.key", passphrase)
        context.check_hostname = False
        return context

    def trusts_by_the_ca_alone(self, folder):
        """Clients that know nothing but the CA verify the device, and its name and address."""
        port = self.server.port()
        said = openssl("s_client", "-connect", f"127.0.0.1:{port}", "-starttls", "ftp",
                       "-CAfile", folder / "acme.crt", "-verify_return_error",
                       "-verify_hostname", "live-test", "-x509_strict", given=b"")
        self.assertIn(b"Verify return code: 0 (ok)", said)
        done = subprocess.run(["curl", "-sS", "--ssl-reqd", "--cacert", folder / "acme.crt", "-u",
                               f"{USER}:{PASSWORD}", f"ftp://127.0.0.1:{port}/"],
                              capture_output=True, timeout=LIMIT_S)
        self.assertEqual(done.returncode, 0, done)

    @need("curl")
    def test_from_a_fresh_device_to_a_login_at_level_3(self):
        folder = new_folder()
        self.make_ca(folder)
        before = self.fingerprint()
        done = self.run_ok("provision", self.host(), "--ca", "acme", "--pin", before, "--add-ca",
                           "--san", "DNS:live-test,IP:127.0.0.1", "--days", "90", folder=folder,
                           CUBSIGN_PASSPHRASE="the passphrase of the CA")
        self.assertIn("connected, signed, CA added, installed, verified", done.err)
        head, row = done.out.splitlines()
        self.assertEqual(head.split(), ["HOST", "OUTCOME", "UNTIL", "FINGERPRINT", "REASON"])
        self.assertRegex(row, rf"\A{self.host()}  provisioned  20\d\d-\d\d-\d\d +sha256:\w+\Z")
        self.assertNotEqual(self.fingerprint(), before)
        self.assertEqual(digits_of(done.out), self.fingerprint())
        self.assertEqual(self.served(), self.fingerprint())
        self.trusts_by_the_ca_alone(folder)
        self.assertEqual([ca["name"] for ca in self.cas()], ["acme"])

        self.server.options["client_certificate"] = "signed"
        self.server.write_config()
        self.server.restart()
        self.make_client(folder, "The boss", "boss", "one passphrase")
        self.make_client(folder, "Technician 7", "tech", "another passphrase")
        # The first administrator is trusted at the device; all others over it.
        self.server.must("trust", folder / "boss.crt", "--account", ADMIN, "--admin")
        boss = ("--cert", folder / "boss.crt", "--key", folder / "boss.key", "--pin",
                self.fingerprint())
        with self.server.secured(context=self.context(folder, "tech", "another passphrase")) as ftp:
            self.assertIn("pending", ftp.expect(f"USER {USER}", 530).text)
        listed = self.run_ok("pending", self.host(), *boss, "--json", password=None,
                             CUBSIGN_PASSPHRASE="one passphrase").table()
        self.assertEqual([one["subject"] for one in listed], ["CN=Technician 7"])
        self.run_ok("trust", self.host(), listed[0]["fingerprint"][:20], *boss, password=None,
                    CUBSIGN_PASSPHRASE="one passphrase")
        with self.server.session(password=None, context=self.context(
                folder, "tech", "another passphrase")) as ftp:
            ftp.put("/report", b"all is well")
        # A stranger's certificate is worth nothing there, whatever it is called.
        with self.server.secured(context=self_signed("Technician 7").context()) as ftp:
            ftp.expect(f"USER {USER}", 530)

    def test_the_signature_is_enough_where_the_device_says_so(self):
        folder = new_folder()
        self.make_ca(folder)
        self.run_ok("provision", self.host(), "--ca", "acme", "--pin", self.fingerprint(),
                    folder=folder, CUBSIGN_PASSPHRASE="the passphrase of the CA")
        self.assertEqual(self.cas(), [])
        self.server.must("ca", "add", folder / "acme.crt", "--account", USER)
        self.server.options.update(client_certificate="signed", signed_trust="auto")
        self.server.write_config()
        self.server.restart()
        self.make_client(folder, "Technician 7", "tech", "a passphrase")
        with self.server.session(password=None,
                                 context=self.context(folder, "tech", "a passphrase")) as ftp:
            ftp.put("/report", b"all is well")

    def test_every_kind_of_key(self):
        for key in ("ec", "rsa2048", "rsa4096"):
            for ca_key in ("ec", "rsa3072"):
                with self.subTest(key=key, ca=ca_key):
                    device = self.new_device(self_signed("any", key=key))
                    base = authority_files(Authority("Acme", key=ca_key))
                    self.run_ok("provision", self.host(device), "--ca", base, "--pin",
                                self.fingerprint(device), "--add-ca")
                    self.assertEqual(self.served(server=device), self.fingerprint(device))
                    device.close()

    def test_at_every_level(self):
        ca = Authority("Acme")
        base = authority_files(ca)
        boss = ca.issue("The boss", key="rsa2048")
        self.server.must("trust", boss.cert, "--account", ADMIN, "--admin")
        self.server.must("ca", "add", ca.cert, "--name", "acme")
        shown = ("--cert", boss.chain, "--key", boss.key)
        for level, words, password in (("none", (), ADMIN_PASSWORD),
                                       ("optional", (), ADMIN_PASSWORD), ("optional", shown, None),
                                       ("pinned", shown, None), ("signed", shown, None)):
            with self.subTest(level=level, words=words):
                self.server.options["client_certificate"] = level
                self.server.write_config()
                self.server.restart()
                done = self.provision(*words, "--add-ca", base=base, password=password)
                self.assertEqual(done.code, 0, done)
                self.assertEqual(self.served(), self.fingerprint())
        done = self.provision(base=base)  # without it, the password is not even asked for
        self.assertIn("client certificate is needed", done.table()[0]["reason"])

    def test_below_an_intermediate_ca_its_certificate_is_served_too(self):
        root = Authority("Acme Root")
        base = authority_files(root.intermediate("Acme Field"), "field")
        done = self.provision("--add-ca", base=base)
        self.assertEqual(done.code, 0, done)
        said = openssl("s_client", "-connect", f"127.0.0.1:{self.server.port()}", "-starttls",
                       "ftp", "-CAfile", root.cert, "-verify_return_error", given=b"")
        self.assertIn(b"Verify return code: 0 (ok)", said)
        self.assertEqual([ca["name"] for ca in self.cas()], ["field"])

    def test_sessions_that_run_go_on(self):
        with self.server.session() as ftp:
            base = authority_files(Authority("Acme"))
            self.assertEqual(self.provision(base=base).code, 0)
            ftp.put("/during", content(100_000))
            self.assertEqual(ftp.get("/during"), content(100_000))

    def test_again_it_is_a_renewal_and_the_ca_is_there(self):
        base = authority_files(Authority("Acme"))
        self.assertEqual(self.provision("--add-ca", base=base).code, 0)
        done = self.provision("--add-ca", base=base)
        self.assertEqual(done.code, 0, done)
        self.assertRegex(done.err, "connected, signed again, .*CA there already, installed")
        self.assertEqual(len(self.index(base)), 2)
        self.assertEqual(len(self.cas()), 1)

    def test_the_index_knows_the_host(self):
        base = authority_files(Authority("Acme"))
        self.assertEqual(self.provision(base=base).code, 0)
        line, = self.index(base)
        self.assertIn(self.host(), line)
        self.assertIn(self.fingerprint(), line)


class Many(DeviceCase):

    def setUp(self):
        super().setUp()
        self.base = authority_files(Authority("Acme"))

    def hosts(self, *lines):
        path = new_folder() / "hosts"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def test_ipv6(self):
        done = self.run_ok("provision", self.host(host="::1"), "--ca", self.base, "--pin",
                           self.fingerprint().upper())
        self.assertEqual(self.served("::1"), digits_of(done.out))

    def test_a_name_of_several_addresses(self):
        if len({found[0] for found in socket.getaddrinfo("localhost", 21)}) < 2:
            self.skipTest("localhost has no two addresses here")
        port = self.server.port("::1")  # only one of them listens there
        done = self.run_ok("provision", f"localhost:{port}", "--ca", self.base, "--pin",
                           self.fingerprint())
        self.assertEqual(digits_of(done.out), self.fingerprint())

    def test_one_that_is_down_does_not_stop_the_others(self):
        other = self.new_device()
        before = [self.fingerprint(), self.fingerprint(other)]
        path = self.hosts("# our devices", "", f"{self.host()} sha256:{before[0]}",
                          f"{NOWHERE} {'0' * 64}  # down", f"{self.host(other)} {before[1]}")
        done = cubsign("provision", "--hosts", path, "--ca", self.base, "--add-ca", "--json")
        self.assertEqual(done.code, 1, done)
        first, down, last = done.table()
        self.assertEqual((first["outcome"], last["outcome"]), ("provisioned", "provisioned"))
        self.assertEqual((down["host"], down["outcome"]), (NOWHERE, "as before"))
        self.assertNotEqual(down["reason"], "")
        self.assertNotIn("fingerprint", down)
        self.assertEqual([first["fingerprint"], last["fingerprint"]],
                         [f"sha256:{self.fingerprint()}", f"sha256:{self.fingerprint(other)}"])
        told = [line for line in done.err.splitlines() if not line.startswith("cubsign: ")]
        self.assertEqual([line.split(": ")[0] for line in told],
                         [self.host(), NOWHERE, self.host(other)])
        self.assertEqual(len(self.index(self.base)), 2)

    def test_a_run_that_waits_for_a_device_keeps_no_other_one_waiting(self):
        other = self.new_device()
        with socket.create_server(("127.0.0.1", 0)) as silent:
            path = self.hosts(f"127.0.0.1:{silent.getsockname()[1]} {'0' * 64}",
                              f"{self.host(other)} {self.fingerprint(other)}")
            waits = subprocess.Popen([CUBSIGN, "provision", "--hosts", path, "--ca", self.base],
                                     env={**ENVIRONMENT, "CUBSIGN_PASSWORD": ADMIN_PASSWORD},
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL, start_new_session=True)
            self.addCleanup(waits.wait)
            self.addCleanup(waits.kill)
            silent.settimeout(LIMIT_S)
            near, _ = silent.accept()
            with near:
                done = self.provision(base=self.base)
            self.assertEqual(done.code, 0, done)
            self.assertNotIn("waiting", done.err)
        self.assertEqual(waits.wait(LIMIT_S), 1)
        self.assertEqual(len(self.index(self.base)), 2)

    def test_bad_lines_are_told_before_anything_is_done(self):
        before = self.fingerprint()
        for line, says in (("host:99999", "65535"), ("ftp://host", "HOST"),
                           (f"host {before[:32]}", "64 digits"), (self.host(), "twice")):
            with self.subTest(line):
                path = self.hosts(f"{self.host()} {before}", line)
                done = self.refused("provision", "--hosts", path, "--ca", self.base, says=says)
                self.assertIn(f"{path}:2: ", done.err)
                self.assertEqual(done.out, "")
        self.assertEqual(self.fingerprint(), before)
        self.assertEqual(self.index(self.base), [])

    def test_what_is_used_wrongly(self):
        host, pin = self.host(), self.fingerprint()
        ca = ("--ca", self.base)
        for words, says in (
                ((), "--hosts"), ((host, host), "twice"),
                ((host, "another", "--pin", pin), "--pin is for one device"),
                (("--hosts", self.hosts(host), "--pin", pin), "--pin is for one device"),
                ((host, "--pin", pin[:-1]), "64 digits"), ((host, "--pin", "x" * 64), "64 digits"),
                ((host, "--days", "0"), "--days"), (("bad host",), "HOST")):
            with self.subTest(words):
                self.refused("provision", *words, *ca, says=says, code=2)
        self.refused("provision", "--hosts", self.hosts("# none"), *ca, says="names no device")
        self.refused("provision", "--hosts", "/nonexistent", *ca, says="No such file")
        self.refused("provision", host, "--pin", pin, *ca, "--cert", "x", says="--key")
        self.refused("provision", host, "--pin", pin, *ca, "--account", "a b", says="--account")
        self.assertEqual(self.fingerprint(), pin)

    def test_a_ca_that_is_not_there(self):
        self.refused("provision", self.host(), "--pin", self.fingerprint(), "--ca", "/nonexistent",
                     says="No such file")


class Refusing(DeviceCase):
    """What fails leaves the device as it was, and says so."""

    def setUp(self):
        super().setUp()
        self.base = authority_files(Authority("Acme"))
        self.before = self.fingerprint()

    def is_as_before(self, done, says):
        row, = done.table()
        self.assertEqual((done.code, row["outcome"]), (1, "as before"), done)
        self.assertRegex(row["reason"], says)
        self.assertEqual(self.fingerprint(), self.before)
        self.assertEqual(self.served(), self.before)

    def test_a_wrong_password(self):
        self.is_as_before(self.provision(base=self.base, password="wrong"), "Login incorrect")
        self.assertEqual(self.index(self.base), [])

    def test_who_is_no_administrator(self):
        done = self.provision("--account", USER, base=self.base, password=PASSWORD)
        self.is_as_before(done, "550")
        self.assertEqual(self.index(self.base), [])

    def test_no_password_and_no_terminal(self):
        self.is_as_before(self.provision(base=self.base, password=None), "terminal")

    def test_a_full_table_of_cas(self):
        for number in range(built_with("CAS")):
            self.server.must("ca", "add", Authority(f"CA {number}").cert, "--name", f"ca{number}")
        cas = self.cas()
        self.is_as_before(self.provision("--add-ca", base=self.base), "table of CAs is full")
        self.assertEqual(self.cas(), cas)

    def test_another_ca_of_that_name(self):
        self.server.must("ca", "add", Authority("Other").cert, "--name", "acme")
        cas = self.cas()
        self.is_as_before(self.provision("--add-ca", base=self.base), "there already")
        self.assertEqual(self.cas(), cas)

    def test_a_ca_of_ours_under_another_name_is_enough(self):
        self.server.must("ca", "add", f"{self.base}.crt", "--name", "known")
        self.assertEqual(self.provision("--add-ca", base=self.base).code, 0)
        self.assertEqual([ca["name"] for ca in self.cas()], ["known"])

    def test_a_ca_whose_name_no_device_takes(self):
        base = authority_files(Authority("Acme"), "a+b")
        done = self.provision("--add-ca", base=base)
        self.assertEqual(done.code, 2, done)
        self.assertIn("--add-ca", done.err)

    def test_a_device_that_cannot_install_now(self):
        """The CA that came for it goes again."""
        with self.server.session() as first:  # it holds the first of the two certificates
            self.assertEqual(self.provision(base=self.base).code, 0)
            self.before = self.fingerprint()
            with self.server.session():
                done = self.provision("--add-ca", base=self.base)
                self.is_as_before(done, "connect again|ends|still")
                self.assertEqual(self.cas(), [])
                self.assertIn("CA removed again", done.err)
            first.expect("NOOP", 200)

    def test_names_that_cannot_be_signed(self):
        self.is_as_before(self.provision("--san", "DNS:no host", "--add-ca", base=self.base), ".")
        self.assertEqual((self.cas(), self.index(self.base)), ([], []))

    def test_a_pending_administrator_reads_the_devices_words(self):
        self.server.options["client_certificate"] = "pinned"
        self.server.write_config()
        self.server.restart()
        boss = self_signed("The boss")
        done = self.provision("--cert", boss.cert, "--key", boss.key, base=self.base)
        self.is_as_before(done, f"sha256:{boss.fingerprint} is not trusted yet; it is pending")
        self.server.must("trust", boss.fingerprint[:8], "--account", ADMIN, "--admin")
        done = self.provision("--cert", boss.cert, "--key", boss.key, base=self.base,
                              password=None)
        self.assertEqual(done.code, 0, done)

    def test_a_key_that_is_not_the_certificates(self):
        done = self.provision("--cert", self_signed("a").cert, "--key", self_signed("b").key,
                              base=self.base)
        self.assertEqual(done.code, 1)
        self.assertIn("not the key of the certificate", done.err)

    def test_client_certificates_of_rsa_log_in(self):
        boss = self_signed("The boss", key="rsa2048")
        self.server.must("trust", boss.cert, "--account", ADMIN, "--admin")
        done = self.provision("--cert", boss.cert, "--key", boss.key, base=self.base,
                              password=None)
        self.assertEqual(done.code, 0, done)


class Terminal(DeviceCase):

    def talk(self, *words, answers, **variables):
        """Run it on a terminal of its own, and answer each question. Returns code and output."""
        pid, fd = pty.fork()
        if pid == 0:
            interruptible()
            os.execve(CUBSIGN, [str(CUBSIGN), *map(str, words)], {**ENVIRONMENT, **variables})
        said, answers = b"", list(answers)
        give_up = time.monotonic() + LIMIT_S
        with contextlib.suppress(OSError):  # EIO at the end
            while time.monotonic() < give_up:
                if select.select([fd], [], [], 0.1)[0]:
                    said += os.read(fd, 4096)
                # Not before the whole question stands there: what is typed ahead is thrown away.
                if answers and re.search(rf"(?s)({answers[0][0]}).*(\[y/N\]|:) $".encode(), said):
                    os.write(fd, answers.pop(0)[1].encode() + b"\n")
        os.close(fd)
        self.assertEqual(answers, [], said)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode()

    def test_fingerprint_and_password_are_asked_for(self):
        base = authority_files(Authority("Acme"))
        before = self.fingerprint()
        code, said = self.talk("provision", self.host(), "--ca", base, answers=(
            (f"sha256:{before}", "yes"), ("Password of admin", ADMIN_PASSWORD),
            ("names? DNS:live-test|asks for", "yes")))
        self.assertEqual(code, 0, said)
        self.assertNotIn(ADMIN_PASSWORD, said)
        self.assertNotEqual(self.fingerprint(), before)

    def test_who_says_no_sends_nothing(self):
        base = authority_files(Authority("Acme"))
        before = self.fingerprint()
        code, said = self.talk("provision", self.host(), "--ca", base,
                               answers=((f"sha256:{before}", "no"),))
        self.assertEqual(code, 1)
        self.assertIn("not confirmed", said)
        self.assertNotIn("Password", said)
        self.assertEqual(self.fingerprint(), before)

    def test_one_password_does_for_all(self):
        base = authority_files(Authority("Acme"))
        other = self.new_device()
        hosts = new_folder() / "hosts"
        hosts.write_text(f"{self.host()} {self.fingerprint()}\n"
                         f"{self.host(other)} {self.fingerprint(other)}\n")
        code, said = self.talk("provision", "--hosts", hosts, "--ca", base, "--san", "request",
                               answers=(("Password of admin", ADMIN_PASSWORD),))
        self.assertEqual(code, 0, said)
        self.assertEqual(said.count("Password of"), 1)

    def test_what_was_typed_ahead_confirms_no_other_device(self):
        base = authority_files(Authority("Acme"))
        other = self.new_device()
        before = self.fingerprint(), self.fingerprint(other)
        code, said = self.talk("provision", self.host(), self.host(other), "--ca", base, "--san",
                               "request", CUBSIGN_PASSWORD=ADMIN_PASSWORD,
                               answers=((f"sha256:{before[0]}", "y\ny"),
                                        (f"sha256:{before[1]}", "no")))
        self.assertEqual(code, 1, said)
        self.assertNotEqual(self.fingerprint(), before[0])
        self.assertEqual(self.fingerprint(other), before[1])
        for device in (self.server, other):  # behind one address, the port tells them apart
            self.assertIn(f"{self.host(device)} shows ", said)

    def test_who_gives_up_at_a_question_leaves_no_ca_behind(self):
        base = authority_files(Authority("Acme"))
        before = self.fingerprint()
        code, said = self.talk("provision", self.host(), "--ca", base, "--pin", before, "--add-ca",
                               CUBSIGN_PASSWORD=ADMIN_PASSWORD,
                               answers=(("names? DNS:live-test|asks for", "\x03"),))
        self.assertEqual(code, -signal.SIGINT, said)
        self.assertEqual((self.cas(), self.fingerprint()), ([], before))


class Trusting(DeviceCase):

    def setUp(self):
        super().setUp()
        self.pin = ("--pin", self.fingerprint())

    def become_pending(self, one, name=USER):
        with self.server.secured(context=one.context()) as ftp:
            ftp.command(f"USER {name}")

    def trusted(self):
        return json.loads(self.server.must("trusted", "--json"))

    def test_what_is_pending_is_shown(self):
        self.assertEqual(self.run_ok("pending", self.host(), *self.pin, "--json").table(), [])
        self.assertEqual(self.run_ok("pending", self.host(), *self.pin).out, "")
        some = [self_signed("Technician 7"), self_signed("Žofie, 2nd", key="rsa2048")]
        for one in some:
            self.become_pending(one)
        shown = self.run_ok("pending", self.host(), *self.pin, "--json").table()
        for one in some:
            row, = (row for row in shown if row["fingerprint"] == f"sha256:{one.fingerprint}")
            self.assertEqual(row["key_kind"], "RSA 2048" if "2nd" in one.name else "P-256")
            self.assertIn(one.name.split(",")[0], row["subject"])
            self.assertEqual((row["account"], row["address"], row["count"]),
                             (USER, "127.0.0.1", 1))
            self.assertRegex(row["not_after"], r"^20\d\d-\d\d-\d\dT")
        text = self.run_ok("pending", self.host(), *self.pin).out
        self.assertEqual(text.count("subject "), 2)

    def test_one_that_the_device_could_not_keep_is_described(self):
        size = built_with("PENDING_CERT")
        one = self_signed("A long one", extensions=SELF_SIGNED + (f"nsComment = {'x' * size}",))
        self.become_pending(one)
        row, = self.run_ok("pending", self.host(), *self.pin, "--json").table()
        self.assertEqual(row["fingerprint"], f"sha256:{one.fingerprint}")
        self.assertEqual(row["subject"], "CN=A long one")
        self.assertNotIn("key_kind", row)
        self.run_ok("trust", self.host(), one.fingerprint[:8], *self.pin)
        self.assertEqual(self.trusted()[0]["label"], one.fingerprint[:16])

    def test_the_beginning_of_a_fingerprint_is_enough(self):
        one, other = self_signed("Technician 7"), self_signed("Technician 8")
        for each in (one, other):
            self.become_pending(each)
        digits = ":".join(re.findall("..", one.fingerprint[:10].upper()))
        done = self.run_ok("trust", self.host(), digits, *self.pin, "--json")
        self.assertEqual(done.table(), {"trusted": "Technician 7", "host": self.host(),
                                        "account": USER,
                                        "fingerprint": f"sha256:{one.fingerprint}"})
        entry, = self.trusted()
        self.assertEqual((entry["label"], entry["account"], entry["fingerprint"]),
                         ("Technician 7", USER, f"sha256:{one.fingerprint}"))
        self.server.session(password=None, context=one.context()).quit()
        self.run_ok("trust", self.host(), other.fingerprint, *self.pin, "--label", "second",
                    "--for", ADMIN)
        self.assertEqual({(entry["label"], entry["account"]) for entry in self.trusted()},
                         {("Technician 7", USER), ("second", ADMIN)})

    def test_a_common_name_that_cannot_be_a_label_is_none(self):
        for name in (r"a\+b", "-dash", ".dot", 'quo"te', "x" * 40):
            one = self_signed(name)
            self.become_pending(one)
            self.run_ok("trust", self.host(), one.fingerprint[:8], *self.pin)
            self.assertIn(one.fingerprint[:16], [entry["label"] for entry in self.trusted()])

    def test_a_file_is_uploaded(self):
        one = self_signed("Technician 7", key="rsa2048")
        self.run_ok("trust", self.host(), one.cert, *self.pin, "--for", USER)
        entry, = self.trusted()
        self.assertEqual((entry["label"], entry["account"], entry["fingerprint"]),
                         ("Technician 7", USER, f"sha256:{one.fingerprint}"))
        der = new_folder() / "cert.der"
        der.write_bytes(self_signed("Technician 8").der)
        self.run_ok("trust", self.host(), der, *self.pin, "--for", ADMIN, "--label", "eight")
        # Of a chain the first one counts.
        below = Authority("root").intermediate("below").issue("Technician 9")
        self.run_ok("trust", self.host(), below.chain, *self.pin, "--for", USER)
        self.assertIn(f"sha256:{below.fingerprint}",
                      [entry["fingerprint"] for entry in self.trusted()])

    def test_what_cannot_be_trusted_changes_nothing(self):
        one = self_signed("Technician 7")
        self.become_pending(one)
        self.server.must("trust", self_signed("x").cert, "--account", USER, "--label", "taken")
        before = self.trusted()
        junk = new_folder() / "junk"
        junk.write_text("nothing")
        for words, says, code in (
                ((one.fingerprint[:7],), "8 digits", 2), (("nonsense",), "neither", 2),
                (("0123456789",), "no certificate of this fingerprint", 1),
                ((one.fingerprint[:-1] + "g",), "neither", 2),
                ((one.fingerprint[:8], "--label", "a/b"), "--label", 2),
                ((one.fingerprint[:8], "--label", "a\r\nDELE x"), "--label", 2),
                ((one.fingerprint[:8], "--for", "a b"), "--for", 2),
                ((one.fingerprint[:8], "--label", "taken"), "Another certificate has this name", 1),
                ((one.fingerprint[:8], "--for", "nobody"), "no account", 1),
                ((self_signed("y").cert,), "Say which account.*--for ACCOUNT", 1),
                ((junk,), "no certificate", 1), ((one.key,), "no certificate", 1)):
            with self.subTest(words):
                self.refused("trust", self.host(), *words, *self.pin, says=says, code=code)
                self.assertEqual(self.trusted(), before)
        for command in (("pending",), ("trust", one.fingerprint)):
            self.refused(command[0], self.host(), *command[1:], "--pin", "0" * 64, says="pinned")
            self.refused(command[0], NOWHERE, *command[1:], says="refused")
            self.refused(command[0], self.host(), *command[1:], *self.pin, password="wrong",
                         says="Login incorrect")
            self.refused(command[0], self.host(), *command[1:], "--pin", "00", says="64 digits")
            self.refused(command[0], self.host(), *command[1:], *self.pin, "--account", USER,
                         password=PASSWORD, says="550")


class Proxy:
    """
    Stands between cubsign and a device, with the same ports on another address, and counts the
    bytes of all connections. At the byte `cut_at` it cuts all of them, by FIN or RST; after that
    it lets through again, unless it `stays_down`.
    """

    ADDRESS = "127.0.0.2"

    def __init__(self, server, cut_at=None, by_reset=False, stays_down=False):
        self.cut_at, self.by_reset, self.stays_down = cut_at, by_reset, stays_down
        self.count, self.is_cut = 0, False
        self.lock, self.open = threading.Lock(), []
        self.listeners = []
        for port in (server.port(), *server.passive):
            listener = socket.create_server((self.ADDRESS, port))
            self.listeners.append(listener)
            threading.Thread(target=self.accept, args=(listener, port), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for listener in self.listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut()

    def accept(self, listener, port):
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                if self.is_cut and self.stays_down:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", port), LIMIT_S)
                with self.lock:
                    self.open += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self.copy, args=pair, daemon=True).start()

    def copy(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                with self.lock:
                    room = len(data)
                    if self.cut_at is not None and not self.is_cut:
                        room = min(room, self.cut_at - self.count)
                    self.count += room
                    sink.sendall(data[:room])
                    is_over = room < len(data)
                if is_over:
                    self.is_cut = True
                    self.cut()
                    return
            sink.shutdown(socket.SHUT_WR)

    def cut(self):
        with self.lock:
            for sock in self.open:
                with contextlib.suppress(OSError):
                    if self.by_reset:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                        b"\1\0\0\0\0\0\0\0")
                    sock.shutdown(socket.SHUT_RDWR)
                    sock.close()
            self.open = []


class Losing(DeviceCase):
    """Wherever the connection is lost, a device is as before or provisioned, and it is told."""

    def setUp(self):
        super().setUp()
        self.base = authority_files(Authority("Acme"))

    def through(self, proxy, *words):
        return cubsign("provision", f"{proxy.ADDRESS}:{self.server.port()}", "--ca", self.base,
                       "--pin", self.fingerprint(), "--json", *words)

    def length_of_a_run(self, *words):
        with Proxy(self.server) as proxy:
            done = self.through(proxy, *words)
        self.assertEqual(done.code, 0, done)
        self.server.cli("ca", "remove", "acme")
        return proxy.count

    def check(self, done, before, adds_ca):
        row, = done.table()
        now = self.fingerprint()
        self.assertEqual(now, self.served())
        self.assertIn(row["outcome"], ("as before", "provisioned"), done)
        self.assertEqual(row["outcome"] == "as before", now == before, done)
        if "fingerprint" in row:
            self.assertEqual(row["fingerprint"], f"sha256:{now}", done)
        self.assertEqual(done.code == 0, row["reason"] == "")
        self.assertEqual(len(self.cas()), int(adds_ca and now != before), done)
        if adds_ca:
            self.server.cli("ca", "remove", "acme")
        return row["outcome"]

    def cut_everywhere(self, *words, points=32):
        length = self.length_of_a_run(*words)
        seen = set()
        for number in range(points):
            at, by_reset = length * number // points, number % 2 == 1
            with self.subTest(at=at, of=length, by_reset=by_reset):
                before = self.fingerprint()
                with Proxy(self.server, at, by_reset) as proxy:
                    done = self.through(proxy, *words)
                self.assertTrue(proxy.is_cut)
                seen.add(self.check(done, before, "--add-ca" in words))
        self.assertEqual(seen, {"as before", "provisioned"})

    def test_at_any_byte_of_a_run(self):
        self.cut_everywhere()

    def test_at_any_byte_of_a_run_that_adds_the_ca(self):
        self.cut_everywhere("--add-ca")

    def test_for_good_it_does_not_claim_to_know(self):
        length = self.length_of_a_run()
        seen = set()
        for number in (3, 6, 8, 9):
            with self.subTest(number):
                before = self.fingerprint()
                with Proxy(self.server, length * number // 10, stays_down=True) as proxy:
                    done = self.through(proxy)
                self.assertEqual(done.code, 1, done)
                row, = done.table()
                seen.add(row["outcome"])
                self.assertIn(row["outcome"], ("as before", "unknown"))
                if row["outcome"] == "as before":
                    self.assertEqual(self.fingerprint(), before)
        self.assertEqual(seen, {"as before", "unknown"})


class Fake:
    """
    A device that does not mean well. `files` are path to bytes, and folders path to a list of
    names; `answers` are what it says in place of the usual, verb to bytes. What has been said
    to it is in `lines`.
    """

    def __init__(self, files=(), answers=(), cert=None, data_cert=None, behind_234=b"",
                 ends_data=True, speaks_first=b"220 Ready\r\n", installs=None):
        self.files, self.answers = dict(files), dict(answers)
        self.cert = cert or self_signed("fake")
        self.contexts = [self.context(self.cert), self.context(data_cert or self.cert)]
        self.behind_234, self.ends_data, self.speaks_first = behind_234, ends_data, speaks_first
        self.installs = installs  # gives the file that it serves, of the chain that it was given
        self.lines, self.stored = [], {}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @staticmethod
    def context(cert):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert.cert, cert.key)
        context.set_alpn_protocols(["ftp"])
        return context

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    @property
    def verbs(self):
        return [line.split()[0] for line in self.lines]

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        with contextlib.suppress(OSError, ssl.SSLError, ValueError):
            sock.settimeout(LIMIT_S)
            sock.sendall(self.speaks_first)
            self.lines.append(self.line(sock))
            if "AUTH" in self.answers:
                sock.sendall(self.answers["AUTH"])
            else:
                sock.sendall(b"234 Go\r\n" + self.behind_234)
            sock = self.contexts[0].wrap_socket(sock, server_side=True)
            while line := self.line(sock):
                self.lines.append(line)
                self.obey(sock, *line.partition(" ")[::2])
        with contextlib.suppress(OSError):
            sock.close()

    @staticmethod
    def line(sock):
        got = b""
        while not got.endswith(b"\r\n"):
            more = sock.recv(1)
            if not more:
                return ""
            got += more
        return got.decode().rstrip("\r\n")

    def obey(self, sock, verb, path):
        usual = {"USER": b"331 Password\r\n", "PASS": b"230 In\r\n", "QUIT": b"221 Bye\r\n",
                 "RNFR": b"350 To\r\n", "RNTO": b"250 Done\r\n", "DELE": b"250 Done\r\n"}
        answer = self.answers.get(verb)
        if answer is None and verb in ("RETR", "NLST", "STOR"):
            return self.transfer(sock, verb, path)
        if answer is None and verb == "EPSV":
            self.data = socket.create_server(("127.0.0.1", 0))
            answer = b"229 Here (|||%d|)\r\n" % self.data.getsockname()[1]
        if callable(answer):
            return answer(sock)
        return sock.sendall(answer or usual.get(verb, b"200 Done\r\n"))

    def transfer(self, sock, verb, path):
        content = self.files.get(path)
        if isinstance(content, list):
            content = "".join(f"{name}\r\n" for name in content).encode()
        if verb != "STOR" and content is None:
            return sock.sendall(b"550 No such file\r\n")
        sock.sendall(b"150 Go\r\n")
        data, _ = self.data.accept()
        self.data.close()
        with self.contexts[1].wrap_socket(data, server_side=True) as data:
            if verb == "STOR":
                self.stored[path] = b"".join(iter(lambda: data.recv(4096), b""))
                if self.installs is not None:
                    self.contexts[0].load_cert_chain(*self.installs(self.stored[path]))
            else:
                data.sendall(content)
                if not self.ends_data:
                    os.close(data.detach())
            if self.ends_data:
                with contextlib.suppress(OSError, ssl.SSLError):
                    data.unwrap()
        return sock.sendall(b"226 Done\r\n")

    def request(self, key=None):
        """A request for this key, or the device's own."""
        key = key or self.cert
        return openssl("req", "-new", "-key", key.key, "-subj", "/CN=fake", "-config",
                       self.cert.folder / "config")


def forever(text, before=b""):
    def say(sock):
        sock.sendall(before)
        while True:
            sock.sendall(text)
    return say


class Lying(DeviceCase):
    """Devices that lie: cubsign does not fall for it, does not hang, and tells."""

    def setUp(self):
        self.base = authority_files(Authority("Acme"))

    def try_it(self, fake, *words, pin=True, **how):
        pins = ("--pin", fake.cert.fingerprint) if pin is True else pin or ()
        done = cubsign("provision", fake.host, "--ca", self.base, "--json", *pins, *words, **how)
        row, = done.table()
        return done, row

    def fails(self, fake, *words, says, **how):
        done, row = self.try_it(fake, *words, **how)
        self.assertEqual(done.code, 1, done)
        self.assertRegex(row["reason"], says)
        self.assertNotRegex(done.out + done.err, r"[\x00-\x09\x0b-\x1f\x7f]")
        return row

    def test_who_is_not_pinned_gets_no_secret(self):
        pins = (("--pin", "0" * 64), "which is not the fingerprint that is pinned"), \
               ((), "compare that with")
        for pin, says in pins:
            with self.subTest(pin), Fake() as fake:
                row = self.fails(fake, pin=pin, says=says)
                self.assertEqual(row["outcome"], "as before")
                self.assertIn(fake.cert.fingerprint, row["reason"])
                self.assertEqual([verb for verb in fake.verbs if verb != "QUIT"], ["AUTH"])

    def test_the_device_in_the_middle_of_a_provisioned_one_gets_no_secret(self):
        """The pin of another device's certificate does not help without its key."""
        cert, other = self_signed("fake"), self_signed("fake")
        with Fake(cert=cert) as fake:
            self.fails(fake, pin=("--pin", other.fingerprint), says="pinned")
            self.assertNotIn("USER", fake.verbs)

    def test_no_tls_no_secret(self):
        for answer in (b"500 No\r\n", b"234", b"502 What?\r\n", b"530 Never\r\n"):
            with self.subTest(answer), Fake(answers={"AUTH": answer}) as fake:
                self.fails(fake, says=".")
                self.assertNotIn("USER", fake.verbs)

    def test_nothing_is_taken_from_before_tls(self):
        with Fake(behind_234=b"331 Password\r\n230 In\r\n") as fake:
            self.fails(fake, says="before TLS")
            self.assertEqual(fake.verbs, ["AUTH"])

    def test_a_request_of_another_key_is_not_signed(self):
        fake = Fake()
        with fake:
            fake.files["/.provision/device.csr"] = fake.request(self_signed("victim"))
            row = self.fails(fake, "--add-ca", says="another key")
            self.assertEqual(row["outcome"], "as before")
            self.assertEqual((fake.stored, self.index(self.base)), ({}, []))

    def test_requests_that_are_none(self):
        with Fake() as fake:
            good = fake.request()
            for content, says in ((b"", "request"), (b"junk", "."), (good + good, "more than one"),
                                  (good[:200], "."), (b"x" * 70_000, "too long"),
                                  (good.replace(b"A", b"B", 1), ".")):
                fake.files["/.provision/device.csr"] = content
                with self.subTest(says):
                    self.fails(fake, says=says)
        self.assertEqual(self.index(self.base), [])

    def test_replies_without_an_end(self):
        for verb, answer in (("USER", forever(b"331-x\r\n")), ("PASS", forever(b"x")),
                             ("EPSV", forever(b" x\r\n", b"229-\r\n")),
                             ("AUTH", b"234-" + b"x" * 20_000)):
            with self.subTest(verb), Fake(answers={verb: answer}) as fake:
                self.fails(fake, says="no reply of FTP")
        with Fake(speaks_first=b"220-" * 10_000) as fake:
            self.fails(fake, says="no reply of FTP")

    def test_replies_that_write_to_the_terminal(self):
        evil = b"530 \x1b[2J\x1b]0;owned\x07 over\rwritten \xe2\x80\xae \x9b\r\n"
        for verb in ("USER", "PASS", "TYPE", "EPSV"):
            with self.subTest(verb), Fake(answers={verb: evil}) as fake:
                self.fails(fake, says=r"\\x1b")

    def test_replies_out_of_turn(self):
        with Fake(answers={"USER": b"331 Password\r\n230 In\r\n"}) as fake:
            self.fails(fake, says="more than it was asked")
            self.assertNotIn("PASS", fake.verbs)

    def test_ports_that_make_no_sense(self):
        for answer in (b"229 Here (|||0|)\r\n", b"229 Here (|||70000|)\r\n", b"229 Here\r\n",
                       b"229 (||||)\r\n", b"229 (|2|::1|22|)\r\n", b"229 (|||1|)\r\n"):
            with self.subTest(answer), Fake(answers={"EPSV": answer}) as fake:
                self.fails(fake, says="names no port|refused")

    def test_somebody_else_on_the_data_connection(self):
        with Fake(data_cert=self_signed("thief")) as fake:
            fake.files["/.provision/device.csr"] = fake.request()
            self.fails(fake, says="another device")
        self.assertEqual(self.index(self.base), [])

    def test_a_file_without_its_end(self):
        with Fake(ends_data=False) as fake:
            fake.files["/.provision/device.csr"] = fake.request()
            self.fails(fake, says="without notice|reset")
        self.assertEqual(self.index(self.base), [])

    def test_a_device_that_says_that_it_has_installed_but_has_not(self):
        with Fake() as fake:
            fake.files["/.provision/device.csr"] = fake.request()
            row = self.fails(fake, says="the certificate that it had")
            self.assertEqual(row["outcome"], "as before")
            self.assertIn("/.provision/device.crt", fake.stored)
            self.assertEqual(row["fingerprint"], f"sha256:{fake.cert.fingerprint}")

    def test_a_device_that_serves_another_chain_than_it_was_given(self):
        def install(chain):
            path = fake.cert.folder / "installed"
            path.write_bytes(chain + self_signed("another").cert.read_bytes())
            return path, fake.cert.key

        with Fake(installs=install) as fake:
            fake.files["/.provision/device.csr"] = fake.request()
            row = self.fails(fake, says="another chain with it")
            self.assertEqual(row["outcome"], "provisioned")

    def test_a_device_that_serves_a_third_certificate(self):
        third = self_signed("third")
        with Fake(installs=lambda _: (third.cert, third.key)) as fake:
            fake.files["/.provision/device.csr"] = fake.request()
            row = self.fails(fake, says="neither the old nor the new")
            self.assertEqual(row["outcome"], "unknown")
            self.assertNotIn("fingerprint", row)

    def test_a_ca_that_was_added_is_removed_again(self):
        with Fake(files={"/.provision/ca": ["other.crt"]}) as fake:
            fake.files["/.provision/ca/other.crt"] = self_signed("other").cert.read_bytes()
            fake.files["/.provision/device.csr"] = fake.request()
            self.fails(fake, "--add-ca", says="the certificate that it had")
            self.assertIn("/.provision/ca/acme.crt", fake.stored)

    def end_during_a_transfer(self, number, path, *words):
        """
        Run it at two devices; a signal comes while the first one takes the file. Returns what
        the run has left, both devices, and what is in the table.
        """
        class Ending(Fake):
            def transfer(self, sock, verb, to):
                if (verb, to) == ("STOR", path):
                    process.send_signal(number)
                    time.sleep(0.2)  # for it to do what it should not
                super().transfer(sock, verb, to)
                if (verb, to) == ("STOR", "/.provision/ca/acme.crt"):
                    self.files.update({"/.provision/ca": ["acme.crt"], to: self.stored[to]})

        first, second = Ending(files={"/.provision/ca": []}), Fake()
        first.files["/.provision/device.csr"] = first.request()
        hosts = new_folder() / "hosts"
        hosts.write_text(f"{first.host} {first.cert.fingerprint}\n"
                         f"{second.host} {second.cert.fingerprint}\n")
        with first, second:
            process = subprocess.Popen(
                [CUBSIGN, "provision", "--hosts", hosts, "--ca", self.base, "--json", *words],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env={**ENVIRONMENT, "CUBSIGN_PASSWORD": ADMIN_PASSWORD}, start_new_session=True,
                preexec_fn=interruptible)
            out, err = process.communicate(timeout=2 * LIMIT_S)
        self.assertIsNone(FOUND.search(err.decode()), err)
        self.assertEqual(process.returncode, -number, err)
        return first, second, json.loads(out)

    def test_signals_wait_until_the_ca_is_withdrawn_and_the_table_is_printed(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for path in ("/.provision/ca/acme.crt", "/.provision/device.crt"):
                with self.subTest(number.name, path=path):
                    first, second, table = self.end_during_a_transfer(number, path, "--add-ca")
                    self.assertIn("DELE /.provision/ca/acme.crt", first.lines)
                    self.assertEqual(second.lines, [])
                    self.assertEqual([row["outcome"] for row in table], ["as before"] * 2)
                    self.assertIn("the certificate that it had", table[0]["reason"])
                    self.assertIn("a signal has ended the run", table[1]["reason"])

    def test_one_pending_certificate_that_can_not_be_shown_hides_no_other(self):
        some = [self_signed("one"), self_signed("two")]
        names = [f"{one.fingerprint}.crt" for one in some]
        gone = "ab" * 32 + ".crt"
        for listed in ([gone, *names], [names[0], gone, names[1]], [*names, gone],
                       [names[0], "junk", names[1]]):
            files = {f"/.provision/pending/{name}": one.cert.read_bytes()
                     for name, one in zip(names, some)}
            with self.subTest(listed), Fake(files={"/.provision/pending": listed,
                                                   **files}) as fake:
                pin = ("--pin", fake.cert.fingerprint)
                done = cubsign("pending", fake.host, *pin, "--json")
                self.assertEqual(done.code, 1, done)
                self.assertEqual([row["subject"] for row in done.table()], ["CN=one", "CN=two"])
                bad, = set(listed) - set(names)
                self.assertRegex(done.err, rf"\Acubsign: {fake.host}: pending/{bad}: [^\n]+\n\Z")
                done = cubsign("pending", fake.host, *pin)
                self.assertEqual((done.code, done.out.count("subject ")), (1, 2), done)
        with Fake(files={"/.provision/pending": [gone]}) as fake:
            done = cubsign("pending", fake.host, "--pin", fake.cert.fingerprint, "--json")
            self.assertEqual((done.code, done.table()), (1, []), done)

    def test_a_device_that_vanishes_within_a_list_ends_it(self):
        one = self_signed("one")
        names = [f"{one.fingerprint}.crt", *(f"{digit * 64}.crt" for digit in "ab")]

        class Vanishing(Fake):
            def transfer(self, sock, verb, to):
                if to.endswith(names[1]):
                    raise OSError
                super().transfer(sock, verb, to)

        with Vanishing(files={"/.provision/pending": names, f"/.provision/pending/{names[0]}":
                              one.cert.read_bytes()}) as fake:
            done = cubsign("pending", fake.host, "--pin", fake.cert.fingerprint, "--json")
            self.assertEqual((done.code, len(done.table())), (1, 1), done)
            self.assertEqual(len(done.err.splitlines()), 1, done)

    def test_names_that_are_commands(self):
        for name in ("x\x0bDELE y.crt", "../../etc/passwd", "\x1b[2J.crt"):
            with self.subTest(name), Fake(files={"/.provision/pending": [name],
                                                 "/.provision/ca": [name]}) as fake:
                fake.files["/.provision/device.csr"] = fake.request()
                self.fails(fake, "--add-ca", says="control characters|550|No such")
                done = cubsign("pending", fake.host, "--pin", fake.cert.fingerprint)
                self.assertEqual(done.code, 1, done)
                self.assertNotIn("DELE", fake.verbs)
                self.assertNotRegex(done.err, r"[\x00-\x09\x0b-\x1f\x7f]")

    def test_pending_certificates_that_are_not_what_their_names_say(self):
        one, other = self_signed("one"), self_signed("other")
        name = f"{one.fingerprint}.crt"
        with Fake(files={"/.provision/pending": [name],
                         f"/.provision/pending/{name}": other.cert.read_bytes()}) as fake:
            pin = ("--pin", fake.cert.fingerprint)
            self.refused("pending", fake.host, *pin, says="another certificate than it says")
            self.refused("trust", fake.host, one.fingerprint, *pin,
                         says="another certificate than it says")
            self.assertNotIn("RNFR", fake.verbs)

    def test_digits_that_fit_two_pending_ones(self):
        names = ["01234567" + digit * 56 + ".crt" for digit in "ab"]
        with Fake(files={"/.provision/pending": names}) as fake:
            self.refused("trust", fake.host, "01234567", "--pin", fake.cert.fingerprint,
                         says="several")
            self.assertNotIn("RNFR", fake.verbs)

    def test_a_password_that_is_a_command(self):
        secret = new_folder() / "password"
        secret.write_bytes(b"a\rDELE x\n")
        secret.chmod(0o600)
        with Fake() as fake:
            self.fails(fake, "--password-file", secret, password=None, says="control characters")
            self.assertNotIn("PASS", fake.verbs)


if __name__ == "__main__":
    unittest.main()
