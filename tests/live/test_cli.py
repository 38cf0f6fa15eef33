# SPDX-License-Identifier: MIT
"""The program as its administrator meets it: configuration, stores, accounts, signals."""

import json
import os
import pty
import pwd
import re
import select
import signal
import socket
import ssl
import stat
import subprocess
import termios
import time
import unittest
from pathlib import Path

from server import (BINARY, ENVIRONMENT, HOSTS, LIMIT_S, PASSWORD, USER, WRAP, Account, LiveCase,
                    Server, content, free_ports, read_all)

# Keys of features that are planned, with a value that asks for them.
NOT_BUILT_IN = {"sandbox": "yes"}

# The log has to tell of a reload, and nothing else.
RELAXED = {"log_level": "info"}


class CliCase(LiveCase):
    """One set of stores for each test, and no server before it is started."""

    accounts = ()

    @classmethod
    def setUpClass(cls):
        pass

    def setUp(self):
        self.server = Server(accounts=self.accounts, options=RELAXED)
        self.addCleanup(self.server.close)

    def stores(self):
        """What the stores hold. One that is there but erased is as good as none."""
        found = {path.name: path.read_bytes() for path in self.server.stores.iterdir()
                 if path.is_file()}
        return {name: data for name, data in found.items() if data.strip(b"\xff")}

    def fails(self, *words, says=".", given=""):
        """
        A command that must be refused with one line on stderr and without a trace. (What
        `check` found stands in its report on stdout.)
        """
        before = self.stores()
        done = self.server.cli(*words, given=given)
        self.assertEqual(done.returncode, 1, (words, done.stdout, done.stderr))
        said = re.sub(r"(?m)^(warning|info|debug) event=.*\n", "", done.stderr)  # a log
        self.assertRegex(said, r"\A[^\n]+\n\Z", words)
        self.assertRegex(done.stdout + said if words[0] == "check" else said, says)
        self.assertTrue(self.stores() == before, f"{words}: the stores have changed")
        return said

    def fingerprint(self, text):
        found = re.search(r"sha256:([0-9a-f]{64})", text)
        self.assertTrue(found, text)
        return found[1]

    def names(self):
        """The accounts that `account list` shows: name to line."""
        lines = self.server.must("account", "list").splitlines()
        return {line.split()[0]: line for line in lines if line.strip()}


class Configuration(CliCase):

    def with_line(self, line):
        """Put a line at the end of the file; returns what an error must name."""
        self.server.write_config(more=line + "\n")
        number = len(self.server.config.read_text().splitlines())
        return re.escape(f"{self.server.config.name}:{number}:")

    def test_errors_name_the_file_and_the_line(self):
        for line in (
                "nonsense = 1", "listen = 127.0.0.1:99999", "listen = localhost:21",
                "listen = 127.0.0.1", "listen = [::1:21", "listen =", "listen_implicit = ::1:990",
                "data_reuse = sometimes", "passive_ports = 50015-50000",
                "passive_ports = 70000-70001", "passive_ports = 50000",
                "passive_ports = 0-10", "login_timeout = soon", "login_timeout = -1",
                "login_timeout = 0", "idle_timeout =", "data_timeout = 99999999999999999999",
                "client_certificate = sometimes", "client_certificate =", "signed_trust = yes",
                "password = never", "control_socket = relative/path",
                f"control_socket = /{'x' * 200}", "key_secret = relative/path", "key_secret =",
                "log = paper", "log_level = loud", "root = relative/path", "root =", "ROOT = /srv",
                f"root = /{'x' * 500}", "root", "= value", "device_name = " + "x" * 90,
                "greeting = two\x07bells", "greeting = bad\udcffutf8", "x" * 3000):
            with self.subTest(line):
                text = "".join(f"{key} = {value}\n" for key, value in (
                    ("identity_store", self.server.identity), ("trust_store", self.server.trust)))
                self.server.config.write_bytes(
                    (text + line).encode("utf-8", "surrogateescape") + b"\n# after it\n")
                done = self.server.cli("check")
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr, r"\A[^\n]+\n\Z")
                self.assertIn(f"{self.server.config.name}:3:", done.stderr)

    def test_run_refuses_a_bad_configuration_as_well(self):
        where = self.with_line("nonsense = 1")
        self.fails("run", says=where)
        self.fails("account", "list", says=where)

    def test_features_that_are_not_built_in_are_refused_and_said_to_be(self):
        for key, value in NOT_BUILT_IN.items():
            with self.subTest(key):
                where = self.with_line(f"{key} = {value}")
                self.assertIn("not built in", self.fails("run", says=where))
                self.server.write_config()
                self.assertIn("not built in", self.fails(
                    "run", "-o", f"{key}={value}", says=key))

    def test_values_that_ask_for_nothing_are_taken(self):
        self.server.write_config(
            more="client_certificate = none\nactive = no\npartial_uploads = keep\n")
        self.server.add_account(Account())
        self.server.must("check")

    def test_the_file_may_have_comments_blanks_and_spaces(self):
        text = self.server.config.read_text().replace(" = ", "\t=  ")
        self.server.config.write_text("\n# a comment\n   # another\n\n" + text + "\n   \n")
        self.server.add_account(Account())
        self.server.start()
        with self.server.session() as ftp:
            ftp.expect("NOOP", 200)

    def test_o_overrides_the_file_and_may_stand_anywhere(self):
        self.server.options["greeting"] = "from the file"
        self.server.write_config()
        self.server.add_account(Account())
        self.server.overrides = {"greeting": "from the line", "idle_timeout": 60}
        self.server.start()
        with self.server.client() as ftp:
            self.assertIn("from the line", ftp.greeting.text)
        for words in (["account", "-o", "device_name=x", "list"],
                      ["account", "list", "-o", "device_name=x"]):
            self.assertIn(USER, self.server.must(*words))

    def test_a_bad_o_is_refused(self):
        for word in ("nonsense=1", "log_level=loud", "nothing", "=x", ""):
            with self.subTest(word):
                done = self.server.cli("check", "-o", word)
                self.assertIn(done.returncode, (1, 2))
                self.assertNotEqual(done.stderr, "")

    def test_a_missing_file_is_told(self):
        done = self.server.cli("check", "-c", "/nowhere/cubftpd.conf", config=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\A[^\n]*/nowhere/cubftpd\.conf[^\n]*\n\Z")

    def test_wrong_usage_is_2(self):
        for words in (["nonsense"], ["account"], ["account", "nonsense"], ["account", "add"],
                      ["account", "remove"], ["account", "passwd"], ["run", "--nonsense"],
                      ["run", "-o"], ["check", "extra"], ["fingerprint", "extra"],
                      ["account", "add", "name", "--rights"], ["init", "--nonsense"]):
            with self.subTest(words):
                done = subprocess.run(
                    WRAP + [str(BINARY), words[0], "-c", str(self.server.config), *words[1:]],
                    capture_output=True, encoding="utf-8", timeout=LIMIT_S, env=ENVIRONMENT,
                    stdin=subprocess.DEVNULL)
                self.assertEqual(done.returncode, 2, (words, done.stderr))
                self.assertNotEqual(done.stderr, "")
        done = subprocess.run(WRAP + [str(BINARY), "run", "-c"], capture_output=True,
                              encoding="utf-8", timeout=LIMIT_S, env=ENVIRONMENT)
        self.assertEqual(done.returncode, 2, done.stderr)

    def test_an_address_in_use_is_told(self):
        for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
            with self.subTest(host), socket.socket(family) as taken:
                taken.bind((host, self.server.port(host)))
                taken.listen()
                self.fails("run", says=str(self.server.port(host)))

    def test_an_address_that_is_not_here_is_told(self):
        self.server.options["listen"] = "192.0.2.99:2121"
        self.server.write_config()
        self.fails("run", says=r"192\.0\.2\.99:2121")

    def test_a_listener_within_the_passive_ports_is_refused(self):
        self.server.options["passive_ports"] = \
            f"{self.server.port() - 1}-{self.server.port() + 1}"
        self.server.write_config()
        self.fails("run", says="passive_ports")

    def test_one_file_for_both_stores_is_refused(self):
        self.server.options["trust_store"] = self.server.identity
        self.server.write_config()
        self.fails("check", says="store")

    def test_a_root_that_cannot_be_used_is_told(self):
        (self.server.folder / "plain").write_bytes(b"")
        for path in ("/nowhere/at/all", self.server.folder / "plain"):
            with self.subTest(path):
                self.server.options["root"] = path
                self.server.write_config()
                self.fails("run", says=re.escape(str(path)))
                self.fails("check", says=re.escape(str(path)))

    def test_a_store_that_cannot_be_used_is_told(self):
        (self.server.folder / "folder").mkdir()
        for key in ("identity_store", "trust_store"):
            for path in ("/nowhere/at/all/store", self.server.folder / "folder"):
                with self.subTest(key=key, path=path):
                    kept = self.server.options[key]
                    self.server.options[key] = path
                    self.server.write_config()
                    self.fails("run", says=re.escape(str(path)))
                    self.server.options[key] = kept

    def test_check_says_that_nobody_could_log_in(self):
        self.fails("check", says="account")

    def test_check_of_a_good_configuration_tells_the_fingerprint(self):
        self.server.add_account(Account())
        self.assertEqual(self.fingerprint(self.server.must("check")),
                         self.fingerprint(self.server.must("fingerprint")))

    def test_check_changes_nothing_and_makes_no_identity(self):
        self.server.identity.unlink()
        self.server.add_account(Account())
        before = self.stores()
        done = self.server.cli("check")
        self.assertEqual(self.stores(), before)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\A[^\n]+\n\Z")

    def test_the_password_never_stands_in_the_store(self):
        self.server.add_account(Account())
        for data in self.stores().values():
            self.assertNotIn(PASSWORD.encode(), data)


class FirstBoot(CliCase):

    def setUp(self):
        self.server = Server(accounts=(), options=RELAXED, init=False)
        self.addCleanup(self.server.close)

    def test_run_makes_an_identity_and_keeps_it(self):
        self.server.start()
        self.server.stop()
        first = self.fingerprint(self.server.must("fingerprint"))
        self.server.start()
        self.server.stop()
        self.assertEqual(self.fingerprint(self.server.must("fingerprint")), first)

    def test_the_log_tells_the_fingerprint(self):
        self.server.start()
        self.assertIn(self.fingerprint(self.server.must("fingerprint")), self.server.log())

    def test_stores_are_for_their_owner_only(self):
        self.server.start()
        self.server.stop()
        self.server.add_account(Account())
        for path in (self.server.identity, self.server.trust):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)

    def test_fingerprint_before_there_is_an_identity_is_refused(self):
        self.fails("fingerprint", says=re.escape(str(self.server.identity)))
        self.assertFalse(self.server.identity.exists())

    def test_init_names_the_certificate(self):
        self.server.must("init", "--name", "gate-7.example")
        self.server.add_account(Account())
        self.server.start()
        with self.server.session() as ftp:
            self.assertIn(b"gate-7.example", ftp.sock.getpeercert(binary_form=True))

    def test_a_second_init_keeps_the_identity(self):
        self.server.must("init")
        self.fails("init")

    def test_a_server_without_a_subcommand_runs(self):
        self.server.must("init")
        self.server.add_account(Account())
        self.server.serve = ()
        self.server.start()
        with self.server.session() as ftp:
            ftp.expect("NOOP", 200)


class Damage(CliCase):
    """A damaged store denies: it is never taken for an empty one, and never overwritten."""

    accounts = (Account(), Account("second", "another password", "/", "rl"))

    def damaged(self, path, data):
        path.write_bytes(data)
        path.chmod(0o600)

    def test_stores_of_garbage_are_refused_and_left_alone(self):
        for path in (self.server.identity, self.server.trust):
            good = path.read_bytes()
            for name, data in (("noise", content(len(good))), ("zeros", bytes(len(good))),
                               ("text", b"not a store\n" * 100)):
                with self.subTest(store=path.name, what=name):
                    self.damaged(path, data)
                    try:
                        self.all_refuse(path)
                    finally:
                        self.damaged(path, good)

    def all_refuse(self, path):
        where = re.escape(str(path))
        self.fails("check", says=where)
        if path == self.server.identity:
            self.fails("run", says=where)
            for words in (("fingerprint",), ("init",), ("csr",), ("ca", "list")):
                self.fails(*words, says=where)
        else:
            for words in (("trusted",), ("distrust", "somebody"),
                          ("trust", "0123456789abcdef" * 4, "--account", USER)):
                self.fails(*words, says=where)
            self.fails("account", "list", says=where)
            self.fails("account", "remove", USER, says=where)
            self.fails("account", "passwd", USER, "--password-stdin", given="x\n", says=where)
            self.fails("account", "add", "third", "--password-stdin", given="x\n", says=where)

    def used(self, data):
        """Where a store holds anything but erased cells, without those at its end."""
        return len(data.rstrip(b"\xff"))

    def test_a_flipped_bit_never_changes_who_the_device_is(self):
        path = self.server.identity
        good = path.read_bytes()
        told = self.server.must("fingerprint")
        refused = 0
        for at in range(0, self.used(good), max(1, self.used(good) // 60)):
            with self.subTest(at):
                data = bytearray(good)
                data[at] ^= 1 << at % 8
                self.damaged(path, data)
                done = self.server.cli("fingerprint")
                if done.returncode == 0:
                    self.assertEqual(done.stdout, told)
                else:
                    self.assertEqual(done.returncode, 1)
                    self.assertIn(str(path), done.stderr)
                    refused += 1
                self.assertEqual(path.read_bytes(), data)
        self.assertGreater(refused, 0)

    def test_a_flipped_bit_in_the_identity_never_makes_a_new_one(self):
        path = self.server.identity
        good = path.read_bytes()
        told = self.fingerprint(self.server.must("fingerprint"))
        for at in range(1, self.used(good), max(1, self.used(good) // 10)):
            with self.subTest(at):
                data = bytearray(good)
                data[at] ^= 1 << at % 8
                self.damaged(path, data)
                self.server.launch()
                try:
                    # It either refuses at once, or serves as what it was.
                    code = self.server.process.wait(1.5)
                    self.assertEqual(code, 1)
                    self.server.process = None
                    self.assertEqual(path.read_bytes(), data)
                except subprocess.TimeoutExpired:
                    self.server.stop()
                    self.assertEqual(self.fingerprint(self.server.must("fingerprint")), told)

    def test_a_flipped_bit_never_gives_anybody_a_right(self):
        path = self.server.trust
        good = path.read_bytes()
        told = self.names()
        refused = 0
        for at in range(0, self.used(good), max(1, self.used(good) // 60)):
            with self.subTest(at):
                data = bytearray(good)
                data[at] ^= 1 << at % 8
                self.damaged(path, data)
                done = self.server.cli("account", "list")
                if done.returncode == 0:
                    for line in done.stdout.splitlines():
                        self.assertIn(line, told.values())
                else:
                    self.assertEqual(done.returncode, 1)
                    self.assertIn(str(path), done.stderr)
                    refused += 1
                self.assertEqual(path.read_bytes(), data)
        self.assertGreater(refused, 0)

    def test_a_store_cut_short_holds_what_was_or_is_refused(self):
        """Row 4.12 of the checklist."""
        for path, words in ((self.server.identity, ("fingerprint",)),
                            (self.server.trust, ("account", "list"))):
            good = path.read_bytes()
            told = self.server.must(*words).splitlines()
            used = self.used(good)
            for length in sorted({1, 7, 20, 50, used // 3, used // 2, used - 1}):
                with self.subTest(store=path.name, length=length):
                    self.damaged(path, good[:length])
                    done = self.server.cli(*words)
                    if done.returncode == 0:
                        for line in done.stdout.splitlines():
                            self.assertIn(line, told)
                    else:
                        self.assertEqual(done.returncode, 1)
                        self.assertRegex(done.stderr, r"\A[^\n]+\n\Z")
                    self.assertEqual(path.read_bytes(), good[:length])
            self.damaged(path, good)

    def denies_everybody(self):
        """The running server says why to whoever comes, and to its administrator."""
        for name in (USER, "second", "stranger"):
            with self.server.client(implicit=True) as ftp:
                reply = ftp.expect(f"USER {name}", 530)
                self.assertIn("trust store is damaged", reply.text)
        self.assertIn("effect=nobody", self.server.log())
        self.assertRegex(self.server.must("status"), "(?m)^ *trust_store +damaged$")
        status = json.loads(self.server.must("status", "--json"))
        self.assertEqual((status["trust_store"], status["accounts"]), ("damaged", 0))

    def test_a_server_starts_with_a_damaged_trust_store_and_denies_everybody(self):
        """Row 4.12 of the checklist."""
        good = self.server.trust.read_bytes()
        for name, data in (("noise", content(len(good))), ("zeros", bytes(len(good)))):
            with self.subTest(name):
                self.damaged(self.server.trust, data)
                self.server.start()
                self.denies_everybody()
                where = re.escape(str(self.server.trust))
                for words, given in (
                        (("account", "add", "third", "--password-stdin"), "x\n"),
                        (("account", "remove", USER), ""), (("account", "list"), ""),
                        (("trusted",), ""),
                        (("trust", "0123456789abcdef" * 4, "--account", USER), "")):
                    self.fails(*words, given=given, says=where)
                self.server.stop()
                self.assertEqual(self.server.trust.read_bytes(), data)
        self.damaged(self.server.trust, good)
        self.server.start()
        self.server.session().close()

    def test_a_store_that_is_damaged_while_the_server_runs_denies_everybody_from_reload_on(self):
        self.server.start()
        open_session = self.server.session()
        self.addCleanup(open_session.close)
        self.damaged(self.server.trust, content(len(self.server.trust.read_bytes())))
        said = self.fails("reload", says=re.escape(str(self.server.trust)))
        self.assertIn("damaged", said)
        open_session.expect_reply(421)
        open_session.expect_end()
        self.denies_everybody()


@unittest.skipIf(os.geteuid() != 0, "only root can become somebody else")
class User(CliCase):

    accounts = (Account(),)

    def setUp(self):
        super().setUp()
        self.server.options["user"] = "nobody"
        self.server.write_config()

    def test_no_right_of_root_is_left(self):
        """Row 4.28 of the checklist."""
        ids = pwd.getpwnam("nobody")
        self.server.start()
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        for name, number in (("Uid", ids.pw_uid), ("Gid", ids.pw_gid)):
            self.assertRegex(status, rf"(?m)^{name}:(\s{number}){{4}}$")
        self.assertRegex(status, r"(?m)^Groups:\s*$")
        self.assertRegex(status, r"(?m)^CapPrm:\s0+$")
        self.server.must("reload")
        self.server.must("account", "passwd", USER, given="a new one\n")
        self.server.session(password="a new one").close()

    def test_stores_that_could_not_be_opened_again_are_no_start(self):
        self.server.stores.chmod(0o700)
        self.fails("run", says="stores is closed to nobody")


class Accounts(CliCase):

    accounts = (Account(),)

    def add(self, name, *words, given="a good password\n"):
        return self.server.cli("account", "add", name, *words, "--password-stdin", given=given)

    def test_list_shows_name_root_and_rights(self):
        (self.server.root / "sub").mkdir()
        self.assertEqual(self.add("second", "--root", "/sub", "--rights", "rl").returncode, 0)
        names = self.names()
        self.assertIn("/sub", names["second"])
        self.assertRegex(names["second"], r"\brl\b")
        self.assertIn(USER, names)

    def test_a_name_that_is_taken_is_refused(self):
        self.fails("account", "add", USER, "--password-stdin", given="another\n", says=USER)
        self.server.start()
        with self.server.session():
            pass

    def test_bad_names_are_refused(self):
        for name in ("", "with space", "a/b", "../x", "x" * 33, "ž", "a:b", "a\tb", "semi;colon"):
            with self.subTest(name):
                before = self.stores()
                done = self.add(name)
                self.assertIn(done.returncode, (1, 2), done.stdout)
                self.assertRegex(done.stderr, r"\A[^\n]+\n\Z")
                self.assertEqual(self.stores(), before)

    def test_good_names_are_taken(self):
        for name in ("a", "x" * 32, "user.name", "user_name-2", "user@example"):
            with self.subTest(name):
                self.assertEqual(self.add(name).returncode, 0)
                self.assertIn(name, self.names())

    def test_bad_rights_roots_and_passwords_are_refused(self):
        for words, given in (
                (("--rights", "x"), "good\n"), (("--rights", ""), "good\n"),
                (("--root", "/a\x01b"), "good\n"),
                (("--root", "/" + "x" * 200), "good\n"),
                ((), ""), ((), "\n"), ((), "x" * 5000 + "\n")):
            with self.subTest(words=words, given=given[:10]):
                before = self.stores()
                done = self.add("new", *words, given=given)
                self.assertIn(done.returncode, (1, 2), done.stdout)
                self.assertRegex(done.stderr, r"\A[^\n]+\n\Z")
                self.assertEqual(self.stores(), before)
        self.assertEqual(set(self.names()), {USER})

    def test_passwords_of_any_printable_kind_work(self):
        for number, password in enumerate(("x", "with  two spaces", " at both ends ",
                                           "žluťoučký",
                                           "quote\" and ' and \\", "x" * 100)):
            self.server.accounts.append(Account(f"user{number}", "see below"))
            self.assertEqual(self.add(f"user{number}", given=password + "\n").returncode, 0)
            if number == 0:
                self.assertEqual(self.add("no-line-end", given="no line end").returncode, 0)
        self.server.start()
        self.server.session(name="no-line-end", password="no line end").close()
        for number, password in enumerate(("x", "with  two spaces", " at both ends ",
                                           "žluťoučký",
                                           "quote\" and ' and \\", "x" * 100)):
            with self.subTest(password):
                self.server.session(name=f"user{number}", password=password).close()

    def prompted(self, prepare=None):
        """A prompt for a password: its process, and both ends of its terminal."""
        outer, inner = pty.openpty()
        self.addCleanup(os.close, inner)
        done = subprocess.Popen([*WRAP, BINARY, "account", "passwd", USER, "-c",
                                 self.server.config], env=ENVIRONMENT, stdin=inner, stdout=inner,
                                stderr=inner, preexec_fn=prepare)
        self.addCleanup(done.wait)
        self.addCleanup(done.kill)
        shown = b""
        while not shown.endswith(b"password: "):
            self.assertTrue(select.select([outer], [], [], LIMIT_S)[0], shown)
            shown += os.read(outer, 100)
        while self.echoes(inner):
            time.sleep(0.01)
        return done, outer, inner

    def at_terminal(self, typed, number=None):
        """
        Answer the prompt for a password, with a signal before the line ends; returns the exit
        status, and if typing shows again.
        """
        done, outer, inner = self.prompted()
        self.addCleanup(os.close, outer)
        os.write(outer, typed)
        if number is not None:
            done.send_signal(number)
            os.write(outer, b"\n")
        status = done.wait(LIMIT_S)
        shown = b""
        while select.select([outer], [], [], 0)[0]:
            shown += os.read(outer, 100)
        self.assertNotIn(typed.strip(), shown)
        return status, self.echoes(inner)

    @staticmethod
    def echoes(terminal):
        return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)

    def test_a_password_is_typed_without_being_shown(self):
        self.assertEqual(self.at_terminal(b"typed by hand\n"), (0, True))
        self.server.start()
        self.server.session(password="typed by hand").close()

    def test_ctrl_c_at_once_ends_the_prompt_for_a_password_and_nothing_is_changed(self):
        before = self.stores()
        self.assertEqual(self.at_terminal(b"half a pass\x03"), (1, True))
        self.assertEqual(self.stores(), before)

    @unittest.skipIf(WRAP, "what wraps the program would be ended in its place")
    def test_a_signal_at_the_prompt_ends_it_and_typing_shows_again(self):
        before = self.stores()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number.name):
                self.assertEqual(self.at_terminal(b"half a pass", number), (-number, True))
        self.assertEqual(self.stores(), before)

    def test_half_a_password_is_none_where_the_terminal_is_lost(self):
        before = self.stores()
        done, outer, _ = self.prompted(lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        os.write(outer, b"half a pass")
        os.close(outer)
        self.assertEqual(done.wait(LIMIT_S), 1)
        self.assertEqual(self.stores(), before)

    def test_passwd_changes_the_password_and_nothing_else(self):
        before = self.names()
        self.server.must("account", "passwd", USER, "--password-stdin", given="the new one\n")
        self.assertEqual(self.names(), before)
        self.server.start()
        with self.server.session(password="the new one"):
            pass
        with self.assertRaisesRegex(AssertionError, "530"):
            self.server.session()

    def test_remove_removes(self):
        self.add("second")
        self.server.must("account", "remove", USER)
        self.assertEqual(set(self.names()), {"second"})
        self.server.start()
        with self.assertRaisesRegex(AssertionError, "530"):
            self.server.session()
        self.server.session(name="second", password="a good password").close()

    def test_passwd_and_remove_of_somebody_unknown_are_refused(self):
        self.fails("account", "remove", "nobody", says="nobody")
        self.fails("account", "passwd", "nobody", "--password-stdin", given="new\n",
                   says="nobody")

    def test_the_table_is_full_at_some_point_and_says_so(self):
        for number in range(70):
            before = self.stores()
            done = self.add(f"user{number}")
            if done.returncode != 0:
                break
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\A[^\n]+\n\Z")
        self.assertEqual(self.stores(), before)
        self.assertEqual(len(self.names()), number + 1)
        self.server.must("account", "remove", "user0")
        self.assertEqual(self.add("in-its-place").returncode, 0)

    def test_a_hundred_changes_lose_nothing(self):
        self.add("constant", "--rights", "rl")
        line = self.names()["constant"]
        for _ in range(50):
            self.server.must("account", "remove", USER)
            self.server.add_account(Account())
        self.assertEqual(self.names()["constant"], line)
        self.assertEqual(set(self.names()), {USER, "constant"})

    def test_an_account_whose_root_is_not_there_cannot_log_in(self):
        self.add("homeless", "--root", "/not/there")
        self.server.start()
        with self.assertRaisesRegex(AssertionError, "530 The account's directory"):
            self.server.session(name="homeless", password="a good password")
        with self.server.session() as ftp:
            ftp.expect("NOOP", 200)

    def test_nobody_can_log_in_without_a_password(self):
        """Row 4.12 of the checklist."""
        self.server.start()
        for password in ("", " ", "\\0"):
            ftp = self.client(implicit=True)
            ftp.expect(f"USER {USER}", 331)
            ftp.expect(f"PASS {password}", 530)


class Reload(CliCase):

    accounts = (Account(),)

    def setUp(self):
        super().setUp()
        self.server.start()
        self.open = self.server.session()
        self.addCleanup(self.open.close)

    def reload(self):
        """SIGHUP, and wait until the log says something about it."""
        length = len(self.server.log())
        self.server.signal(signal.SIGHUP)
        for _ in range(500):
            if len(self.server.log()) > length:
                return self.server.log()[length:]
            self.server.check_alive()
            time.sleep(0.02)
        self.fail("nothing in the log after SIGHUP")

    def test_a_new_account_works_at_once_while_an_open_session_goes_on(self):
        (self.server.root / "file").write_bytes(content(16_000_000))
        _, data = self.open.begin("RETR file", receive_buffer=8192)
        self.server.add_account(Account("late", "late password"))
        self.server.session(name="late", password="late password").close()
        with data:
            self.assertEqual(read_all(data), content(16_000_000))
        self.open.expect_reply(226)
        self.open.expect("NOOP", 200)

    def test_a_removed_account_is_gone_at_once_and_so_are_its_sessions(self):
        self.server.add_account(Account("late", "late password"))
        with self.server.session(name="late", password="late password") as late:
            self.server.must("account", "remove", USER)
            self.open.expect_reply(421)
            self.open.expect_end()
            with self.assertRaisesRegex(AssertionError, "530"):
                self.server.session()
            late.expect("NOOP", 200)

    def test_a_removed_account_ends_its_running_transfer(self):
        self.server.add_account(Account("late", "late password"))
        (self.server.root / "file").write_bytes(content(16_000_000))
        _, data = self.open.begin("RETR file", receive_buffer=8192)
        self.server.must("account", "remove", USER)
        with data, self.assertRaises((ssl.SSLError, OSError)):
            read_all(data)  # cut off: a clean end would tell that the file is whole
        self.assertRegex(self.open.rest_of_stream(), rb"(?m)^421 ")

    def test_a_new_password_does_not_end_what_is_open(self):
        self.server.must("account", "passwd", USER, "--password-stdin", given="the new one\n")
        with self.assertRaisesRegex(AssertionError, "530"):
            self.server.session()
        self.server.session(password="the new one").close()

    def test_a_new_greeting_and_new_ports_are_taken_over(self):
        first = free_ports(4)
        self.server.options["greeting"] = "after the reload"
        self.server.options["passive_ports"] = f"{first}-{first + 3}"
        self.server.write_config()
        self.reload()
        with self.server.session() as ftp:
            self.assertIn("after the reload", ftp.greeting.text)
            self.assertIn(ftp.passive(), range(first, first + 4))
        self.open.list("NLST")

    def test_a_broken_configuration_changes_nothing_and_is_logged(self):
        self.server.write_config(more="nonsense = 1\n")
        number = len(self.server.config.read_text().splitlines())
        self.assertIn(f"{self.server.config.name}:{number}", self.reload())
        self.server.session().close()
        self.open.expect("NOOP", 200)

    def test_listeners_keep_their_kind_when_the_configuration_orders_them_anew(self):
        listen = self.server.options.pop("listen")
        self.server.options["listen"] = listen  # now after listen_implicit
        self.server.write_config()
        self.reload()
        self.both_kinds_answer()

    def test_listeners_stay_when_the_configuration_has_fewer_of_them(self):
        self.server.options["listen"] = self.server.options["listen"][:1]
        self.server.options["listen_implicit"] = None
        self.server.write_config()
        self.reload()
        self.both_kinds_answer()

    def both_kinds_answer(self):
        for host in HOSTS:
            for implicit in (False, True):
                with self.subTest(host=host, implicit=implicit):
                    self.server.client(host=host, implicit=implicit).close()

    def test_a_reload_that_fails_leaves_open_sessions_what_they_need(self):
        self.server.options["data_reuse"] = "address"
        self.server.write_config()
        self.open.quit()
        self.server.restart()
        ftp = self.server.session()
        self.addCleanup(ftp.close)
        (self.server.root / "file").write_bytes(b"content")
        good = self.server.identity.read_bytes()
        for data in (good, content(len(good)), good, content(len(good))):
            self.server.identity.write_bytes(data)
            self.reload()
            _, connection = ftp.begin("RETR file", reuse=False)  # needs key and certificate
            with connection:
                self.assertEqual(read_all(connection), b"content")
            ftp.expect_reply(226)
            self.server.session().close()
        self.server.identity.write_bytes(good)

    def test_a_new_identity_is_shown_to_new_clients_only(self):
        before = self.open.sock.getpeercert(binary_form=True)
        self.server.identity.unlink()
        # The server keeps the old file open, and would say that there is an identity already.
        self.server.must("init", "--name", "renewed", "-o", "control_socket=")
        self.reload()
        with self.server.session() as ftp:
            after = ftp.sock.getpeercert(binary_form=True)
        self.assertNotEqual(after, before)
        self.assertIn(b"renewed", after)
        self.open.list("NLST")

    def test_the_process_can_be_reloaded_many_times(self):
        for _ in range(20):
            self.reload()
        self.server.session().close()
        self.open.expect("NOOP", 200)

    def test_an_account_can_be_added_while_nobody_notices(self):
        self.server.add_account(Account("late", "late password"))
        self.assertIn("late", self.names())
        self.open.expect("NOOP", 200)


if __name__ == "__main__":
    unittest.main()
