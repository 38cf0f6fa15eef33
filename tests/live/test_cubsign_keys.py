# SPDX-License-Identifier: MIT
"""
Keys and requests of cubsign: what it writes is read by OpenSSL and GnuTLS and the other way
round, encrypted or not; passphrases come from where they should, and are never shown.
"""

import fcntl
import hashlib
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest
from pathlib import Path

from pki import openssl
from server import BINARY, ENVIRONMENT, FOUND, LIMIT_S, WRAP, need

SIDE_BY_SIDE = True

CUBSIGN = Path(os.environ.get("CUBSIGN", BINARY.parent / "cubsign")).resolve()
PASSPHRASE = "correct horse"
KINDS = {"P-256": (), "P-384": ("--p384",), "RSA 2048": ("--rsa", "2048"),
         "RSA 4096": ("--rsa", "4096")}
WITHOUT = {name: value for name, value in ENVIRONMENT.items() if name != "CUBSIGN_PASSPHRASE"}


def certtool(*words):
    done = subprocess.run(["certtool", *map(str, words)], capture_output=True, timeout=LIMIT_S)
    if done.returncode != 0:
        raise AssertionError(f"certtool {words}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode(errors="replace")


class Case(unittest.TestCase):
    """A folder of its own for each test, in which the program runs."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cubsign-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_it(self, *words, passphrase=PASSPHRASE, given="", **more):
        """Without a terminal. The passphrase is in the environment, None for none."""
        variable = {} if passphrase is None else {"CUBSIGN_PASSPHRASE": passphrase}
        done = subprocess.run(
            [*WRAP, CUBSIGN, *map(str, words)], encoding="utf-8", timeout=LIMIT_S,
            cwd=self.folder, env={**WITHOUT, **variable}, start_new_session=True,
            **({"input": given} if "stdin" not in more else {}),
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more})
        if FOUND.search(done.stderr):
            raise AssertionError(f"{words}: a sanitizer reports\n{done.stderr}")
        return done

    def must(self, *words, **more):
        done = self.run_it(*words, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def refused(self, *words, code=1, **more):
        """It ends with a reason of one line, which is returned."""
        done = self.run_it(*words, **more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertRegex(done.stderr, r"\Acubsign: [^\n]+\n\Z")
        self.assertEqual(done.stdout, "")
        return done.stderr

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())

    def path(self, name):
        return self.folder / name

    def private(self, name, content):
        path = self.path(name)
        path.write_bytes(content)
        path.chmod(0o600)
        return path

    def public_of(self, key, passphrase=PASSPHRASE):
        return openssl("pkey", "-in", self.path(key), "-passin", f"pass:{passphrase}", "-pubout",
                       "-outform", "DER")

    def check_request(self, request, key):
        """OpenSSL and GnuTLS verify its signature, and it is for this key."""
        path = self.private("checked.csr", request.encode())
        openssl("req", "-verify", "-noout", "-in", path)
        public = openssl("req", "-noout", "-pubkey", "-in", path)
        self.assertEqual(openssl("pkey", "-pubin", "-outform", "DER", given=public),
                         self.public_of(key))
        said = certtool("--crq-info", "--infile", path)
        self.assertIn("Self signature: verified", said)
        return said


@need("openssl")
@need("certtool")
class Keys(Case):
    def test_encrypted_keys_are_read_by_openssl_and_gnutls(self):
        for kind, words in KINDS.items():
            with self.subTest(kind):
                name = kind.replace(" ", "-")
                said = self.must("key", "--out", name, *words)
                key = self.path(f"{name}.key")
                digest = hashlib.sha256(self.public_of(key)).hexdigest()
                self.assertEqual(said, f"{name}.key: {kind}, sha256:{digest}\n")
                self.assertEqual(key.stat().st_mode & 0o7777, 0o600)
                openssl("pkey", "-in", key, "-passin", f"pass:{PASSPHRASE}", "-check", "-noout")
                with self.assertRaises(AssertionError):
                    openssl("pkey", "-in", key, "-passin", "pass:another", "-noout")
                structure = openssl("asn1parse", "-in", key).decode()
                for part in ("PBES2", "PBKDF2", "0927C0", "hmacWithSHA256", "aes-256-cbc"):
                    self.assertIn(part, structure)  # 0x927C0: 600000
                said = certtool("--key-info", "--infile", key, "--password", PASSPHRASE)
                self.assertIn("Key Security Level: ", said)

    def test_keys_in_the_clear_are_what_openssl_and_gnutls_write(self):
        for kind, words in KINDS.items():
            with self.subTest(kind):
                name = kind.replace(" ", "-")
                self.must("key", "--out", name, "--no-passphrase", *words, passphrase=None)
                key = self.path(f"{name}.key")
                self.assertEqual(key.stat().st_mode & 0o7777, 0o600)
                openssl("pkey", "-in", key, "-check", "-noout")
                self.assertEqual(openssl("pkey", "-in", key), key.read_bytes())
                certtool("--key-info", "--infile", key)

    def test_rsa_keys_have_the_usual_exponent_and_whole_numbers(self):
        for bits in (2048, 2056, 3072, 4096):
            with self.subTest(bits):
                self.must("key", "--out", f"rsa{bits}", "--rsa", bits, "--no-passphrase")
                said = openssl("pkey", "-in", self.path(f"rsa{bits}.key"), "-text", "-noout")
                self.assertIn(f"Private-Key: ({bits} bit, 2 primes)", said.decode())
                self.assertIn("publicExponent: 65537", said.decode())

    def test_sizes_of_rsa_that_are_no_good_are_refused(self):
        for bits in (0, 1024, 2047, 4104, 8192, 2049, "x", "-1", "2048 "):
            with self.subTest(bits):
                said = self.refused("key", "--out", "k", "--rsa", bits, code=2)
                self.assertIn("multiple of 8" if bits == 2049 else "2048 to 4096", said)
        self.assertIn("choose one", self.refused("key", "--out", "k", "--rsa=2048", "--p384",
                                                 code=2))
        self.assertEqual(self.names(), [])

    def test_two_keys_are_never_the_same(self):
        for kind, words in KINDS.items():
            if kind != "RSA 4096":
                keys = {self.must("key", "--out", f"{kind}{number}", "--no-passphrase", *words)
                        .split(":")[-1] for number in range(3)}
                self.assertEqual(len(keys), 3)

    def test_a_key_is_only_overwritten_where_it_is_demanded(self):
        path = self.private("tech.key", b"precious")
        said = self.refused("key", "--out", "tech")
        self.assertIn("tech.key: it exists already: --force", said)
        self.assertEqual(path.read_bytes(), b"precious")
        path.chmod(0o644)
        self.must("key", "--out", "tech", "--force")
        self.assertEqual(path.stat().st_mode & 0o7777, 0o600)
        self.public_of(path)
        self.assertEqual(self.names(), ["tech.key"])

    def test_where_it_can_not_be_written_nothing_is_left(self):
        said = self.refused("key", "--out", "missing/tech", "--no-passphrase")
        self.assertIn("missing/tech.key: No such file or directory", said)
        self.refused("key", "--out", "x" * 300, "--no-passphrase")
        self.refused("key", "--out", "x" * 3000, "--no-passphrase")
        self.assertEqual(self.names(), [])


@need("openssl")
@need("certtool")
class KeysOfOthers(Case):
    PLAIN = {
        "P-256": ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
        "P-384": ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
        "RSA 2048": ("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        "RSA 4096": ("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"),
    }
    OUT = ("-passout", f"pass:{PASSPHRASE}")
    OPENSSL = {
        "pkey": ("pkey", "-aes256", *OUT),
        "pkey, DER": ("pkcs8", "-topk8", "-outform", "DER", *OUT),
        "3DES and SHA-1": ("pkcs8", "-topk8", "-v2", "des3", "-v2prf", "hmacWithSHA1", *OUT),
        "AES-128 and SHA-512": ("pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf",
                                "hmacWithSHA512", *OUT),
        "not encrypted": ("pkey",),
        "not encrypted, DER": ("pkey", "-outform", "DER"),
    }
    OLD = {"EC": ("ec",), "RSA": ("rsa", "-traditional")}
    OLD_CIPHERS = ((), ("-aes256", *OUT), ("-aes128", *OUT), ("-des3", *OUT))
    GNUTLS = {cipher: ("--to-p8", "--pkcs-cipher", cipher, "--password", PASSPHRASE)
              for cipher in ("aes-256", "aes-192", "aes-128", "3des")}

    def check(self, key, plain):
        key.chmod(0o600)
        request = self.must("csr", "--key", key, "--name", "Technician 7", "--out", "-")
        self.check_request(request, plain)

    def test_what_openssl_writes_is_read(self):
        for kind, words in self.PLAIN.items():
            plain = self.private("plain", openssl(*words))
            for how, form in self.OPENSSL.items():
                with self.subTest(f"{kind}, {how}"):
                    self.check(self.private("k.key", openssl(*form, "-in", plain)), plain)
            tool = self.OLD["RSA" if kind.startswith("RSA") else "EC"]
            for cipher in self.OLD_CIPHERS:
                with self.subTest(f"{kind}, {tool} {cipher}"):
                    self.check(self.private("k.key", openssl(*tool, *cipher, "-in", plain)),
                               plain)

    def test_what_gnutls_writes_is_read(self):
        for kind, words in self.PLAIN.items():
            plain = self.private("plain", openssl(*words))
            for cipher, how in self.GNUTLS.items():
                if kind == "RSA 4096" and cipher != "aes-256":
                    continue  # it takes its time
                with self.subTest(f"{kind}, {cipher}"):
                    path = self.path("k.key")
                    certtool(*how, "--load-privkey", plain, "--outfile", path)
                    self.check(path, plain)
            if kind.startswith("RSA"):  # of an EC key it leaves out the curve
                with self.subTest(f"{kind}, as text"):
                    certtool("--key-info", "--infile", plain, "--outfile", self.path("k.key"))
                    self.check(self.path("k.key"), plain)

    def test_keys_that_gnutls_makes_are_read(self):
        for words in (("--key-type", "ecdsa", "--curve", "secp256r1"),
                      ("--key-type", "ecdsa", "--curve", "secp384r1"),
                      ("--key-type", "rsa", "--bits", "2048")):
            for number in range(5 if "ecdsa" in words else 1):  # some get a zero before them
                with self.subTest(f"{words}, {number}"):
                    path = self.path("k.key")
                    certtool("--generate-privkey", *words, "--outfile", path)
                    self.check(path, path)

    def test_what_can_not_be_decrypted_is_refused_with_a_command_that_helps(self):
        plain = self.private("plain", openssl(*self.PLAIN["P-256"]))
        for how in (("-scrypt",), ("-v1", "PBE-SHA1-3DES"), ("-v2", "camellia-256-cbc")):
            with self.subTest(how):
                old = self.private("old.key", openssl("pkcs8", "-topk8", *how, *self.OUT, "-in",
                                                      plain))
                said = self.refused("csr", "--key", "old.key", "--name", "x")
                self.assertRegex(said, r"\Acubsign: old\.key: .*`openssl pkcs8 .*`")
                command = said.split("`")[1].replace("OLD", str(old)).replace(
                    "NEW", str(self.path("new.key"))).split()
                openssl(*command[1:], "-passin", f"pass:{PASSPHRASE}", *self.OUT)
                self.check(self.path("new.key"), plain)

    def test_a_wrong_passphrase_is_called_so(self):
        self.must("key", "--out", "k")
        said = self.refused("csr", "--key", "k.key", "--name", "x", passphrase="correct hors")
        self.assertEqual(said, "cubsign: k.key: the passphrase is wrong, or the key is damaged\n")
        self.assertEqual(self.names(), ["k.key"])

    def test_a_key_that_others_can_read_is_refused(self):
        self.must("key", "--out", "k", "--no-passphrase")
        for mode in (0o640, 0o604, 0o660, 0o644):
            with self.subTest(f"{mode:o}"):
                self.path("k.key").chmod(mode)
                said = self.refused("csr", "--key", "k.key", "--name", "x")
                self.assertIn("k.key: others than its owner can use it: `chmod 600`", said)
        self.path("k.key").chmod(0o400)
        self.must("csr", "--key", "k.key", "--name", "x")


@need("openssl")
@need("certtool")
class Requests(Case):
    def setUp(self):
        super().setUp()
        self.must("key", "--out", "tech", "--no-passphrase", passphrase=None)

    def csr(self, *words, **more):
        return self.run_it("csr", "--key", "tech.key", "--name", "Technician 7", *words,
                           passphrase=None, **more)

    def test_a_request_of_each_kind_of_key_is_verified(self):
        for kind, words in KINDS.items():
            with self.subTest(kind):
                self.must("key", "--out", "k", "--force", *words)
                request = self.must("csr", "--key", "k.key", "--name", "Technician 7", "--force")
                self.assertIn("CN=Technician 7", self.check_request(request, "k.key"))

    def test_it_goes_to_standard_output_and_beside_the_key(self):
        done = self.csr()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.path("tech.csr").read_text(), done.stdout)
        self.check_request(done.stdout, "tech.key")

    def test_a_key_of_another_ending_keeps_it(self):
        self.path("tech.key").rename(self.path("tech.pem"))
        self.must("csr", "--key", "tech.pem", "--name", "x")
        self.assertEqual(self.names(), ["tech.pem", "tech.pem.csr"])

    def test_what_is_there_already_is_left_alone_and_it_is_told(self):
        self.path("tech.csr").write_text("precious")
        done = self.csr()
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"\Acubsign: tech\.csr: .*left alone.*--force[^\n]*\n\Z")
        self.assertEqual(self.path("tech.csr").read_text(), "precious")
        self.check_request(done.stdout, "tech.key")
        done = self.csr("--force")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.path("tech.csr").read_text(), done.stdout)

    def test_the_file_that_the_shell_has_made_for_it_is_no_such_thing(self):
        for words in ((), ("--force",)):
            with open(self.path("tech.csr"), "wb") as out:
                done = self.csr(*words, stdout=out)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.check_request(self.path("tech.csr").read_text(), "tech.key")
        # As `| tee tech.csr` makes it.
        self.path("tech.csr").write_text("")
        done = self.csr()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.path("tech.csr").read_text(), "")

    def test_out_is_where_it_goes_and_nowhere_else(self):
        done = self.csr("--out", "-")
        self.check_request(done.stdout, "tech.key")
        self.assertNotIn("tech.csr", self.names())
        done = self.csr("--out", "other.csr")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.check_request(self.path("other.csr").read_text(), "tech.key")
        self.assertNotIn("tech.csr", self.names())
        before = self.path("other.csr").read_text()
        done = self.csr("--out", "other.csr")
        self.assertEqual(done.returncode, 1)
        self.assertIn("other.csr: it exists already", done.stderr)
        self.assertEqual(self.path("other.csr").read_text(), before)
        self.assertEqual(self.csr("--out", "other.csr", "--force").returncode, 0)

    def test_names_are_printable_and_bounded(self):
        for name in ("x", "x" * 64, "Žluťoučký kůň", "a, b + c = \\d", "ж" * 32):
            with self.subTest(name):
                request = self.must("csr", "--key", "tech.key", "--name", name, "--out", "-")
                subject = openssl("req", "-noout", "-subject", "-nameopt", "utf8,sep_comma_plus",
                                  given=request.encode()).decode()
                self.assertEqual(subject, f"subject=CN={name}\n")
        for name in ("x" * 65, "ж" * 33, "a\nb", "a\x1b[1m", "\x7f", "a\u0085",
                     os.fsdecode(b"\xff")):
            with self.subTest(name):
                said = self.refused("csr", "--key", "tech.key", "--name", name, code=2)
                self.assertIn("--name wants 1 to 64 bytes of printable UTF-8", said)
        done = self.run_it("csr", "--key", "tech.key", "--name", "")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(self.names(), ["tech.key"])

    def test_what_is_no_key_is_refused(self):
        self.private("empty.key", b"")
        self.private("text.key", b"hello\n")
        self.private("cut.key", self.path("tech.key").read_bytes()[:100])
        self.path("folder.key").mkdir(0o700)
        for name in ("missing", "empty", "text", "cut", "folder"):
            with self.subTest(name):
                said = self.refused("csr", "--key", f"{name}.key", "--name", "x")
                self.assertIn(f"{name}.key: ", said)


@need("openssl")
class PassphraseSources(Case):
    def key(self, *words, **more):
        return self.run_it("key", "--out", "k", "--force", *words, **more)

    def opens(self, passphrase):
        openssl("pkey", "-noout", "-in", self.path("k.key"), "-passin", f"pass:{passphrase}")

    def test_the_first_line_of_a_file(self):
        for content, passphrase in (
                (b"one\n", "one"), (b"one", "one"), (b"one\r\ntwo\r\n", "one"), (b"one\r", "one"),
                (b" spaces count \n", " spaces count "), ("žluť\n".encode(), "žluť"),
                (b"x" * 511 + b"\n", "x" * 511)):
            with self.subTest(content):
                self.private("pass", content)
                done = self.key("--passphrase-file", "pass", passphrase="not this one")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.opens(passphrase)

    def test_standard_input_and_a_pipe(self):
        self.assertEqual(self.key("--passphrase-file", "-", given="one\ntwo\n",
                                  passphrase=None).returncode, 0)
        self.opens("one")
        out, into = os.pipe()
        os.write(into, b"of a pipe\n")
        done = self.key("--passphrase-file", f"/dev/fd/{out}", passphrase=None, pass_fds=(out,))
        os.close(into)
        os.close(out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.opens("of a pipe")

    def test_a_file_that_others_can_read_is_used_and_it_is_told(self):
        path = self.private("pass", b"one\n")
        for mode in (0o644, 0o640, 0o604, 0o600, 0o400):
            with self.subTest(f"{mode:o}"):
                path.chmod(mode)
                done = self.key("--passphrase-file", "pass", passphrase=None)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.opens("one")
                self.assertEqual(done.stderr, "cubsign: pass: others than its owner can read it: "
                                 "`chmod 600` makes it private\n" if mode & 0o044 else "")
        path.chmod(0o644)
        done = self.run_it("show", "--passphrase-file", "pass", "k.key", "k.key", "k.key")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.path("k.key").unlink()
        with path.open() as file:  # this is the shell's matter
            done = self.key("--passphrase-file", "-", passphrase=None, stdin=file)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_names_of_files_move_no_cursor(self):
        evil = "e\x1b[31m\u202e"
        shown = r"e\x1b[31m\xe2\x80\xae"
        said = self.refused("key", "--out", "k", "--passphrase-file", evil)
        self.assertEqual(said, f"cubsign: k.key: {shown}: No such file or directory\n")
        self.assertIn(f"cubsign: {shown}", self.refused("csr", "--key", evil, "--name", "x"))
        done = self.key("--no-passphrase", passphrase=None)
        self.path("k.key").rename(self.path(evil))
        done = self.run_it("show", evil, "\x07", passphrase=None)
        self.assertIn(f"file                    {shown}\n", done.stdout)
        self.assertEqual(done.stderr, "cubsign: \\x07: No such file or directory\n")
        self.path("pass" + evil).write_text("one\n")
        self.path("pass" + evil).chmod(0o644)
        done = self.key("--passphrase-file", "pass" + evil)
        self.assertIn(f"cubsign: pass{shown}: others", done.stderr)

    def test_the_variable(self):
        self.assertEqual(self.key(passphrase=" as it is ").returncode, 0)
        self.opens(" as it is ")

    def test_without_a_source_and_a_terminal_it_says_what_there_is(self):
        said = self.refused("key", "--out", "k", passphrase=None)
        self.assertEqual(said, "cubsign: k.key: there is no terminal to ask on: "
                               "--passphrase-file FILE or CUBSIGN_PASSPHRASE\n")
        self.assertEqual(self.names(), [])

    def test_what_is_no_passphrase_is_refused(self):
        for content, words in ((b"", "it is empty"), (b"\n", "it is empty"),
                               (b"\r\nx\n", "it is empty"), (b"x" * 512, "longer than 511 bytes"),
                               (b"x" * 5000 + b"\n", "longer than 511 bytes"),
                               ("utf-16\n".encode("utf-16"), "no text")):
            with self.subTest(content[:20]):
                self.private("pass", content)
                said = self.refused("key", "--out", "k", "--passphrase-file", "pass")
                self.assertRegex(said, rf"\Acubsign: k\.key: pass: .*{words}")
        self.assertIn("CUBSIGN_PASSPHRASE: it is empty",
                      self.refused("key", "--out", "k", passphrase=""))
        self.assertIn("CUBSIGN_PASSPHRASE: it is longer",
                      self.refused("key", "--out", "k", passphrase="x" * 512))
        self.assertIn("missing: No such file",
                      self.refused("key", "--out", "k", "--passphrase-file", "missing"))
        self.assertIn("Is a directory",
                      self.refused("key", "--out", "k", "--passphrase-file", "."))
        self.refused("key", "--out", "k", "--passphrase-file", "pass", "--no-passphrase", code=2)
        self.assertEqual(self.names(), ["pass"])


# What a shell does for job control: run a program in the foreground; whenever it stops, say so,
# wait for a line, and let it go on.
SHELL = """\
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
while True:
    status = os.waitpid(pid, os.WUNTRACED)[1]
    os.tcsetpgrp(0, os.getpgrp())
    if not os.WIFSTOPPED(status):
        sys.exit(os.waitstatus_to_exitcode(status))
    os.write(1, b"stopped by %d\\n" % os.WSTOPSIG(status))
    os.read(0, 100)
    os.tcsetpgrp(0, pid)
    os.kill(pid, signal.SIGCONT)
"""


@need("openssl")
class Terminal(Case):
    """On a pseudo-terminal, as a person sees it."""

    def start(self, *words, shell=False, ignored=None):
        outer, self.inner = pty.openpty()
        self.outer, self.shown = outer, b""
        self.addCleanup(os.close, outer)
        self.addCleanup(os.close, self.inner)
        runner = [sys.executable, "-c", SHELL] if shell else WRAP

        def prepare():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if ignored is not None:
                signal.signal(ignored, signal.SIG_IGN)

        self.process = subprocess.Popen(
            [*runner, CUBSIGN, *map(str, words)], cwd=self.folder, env=WITHOUT,
            stdin=self.inner, stdout=self.inner, stderr=self.inner, start_new_session=True,
            preexec_fn=prepare)
        self.addCleanup(self.end)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def read(self):
        try:
            self.shown += os.read(self.outer, 1000)
        except OSError:
            pass

    def wait_for(self, text):
        """What is shown from now on ends in this, at a time when nothing is echoed any more."""
        give_up = time.monotonic() + LIMIT_S
        while not self.shown.endswith(text.encode()):
            self.assertTrue(select.select([self.outer], [], [], LIMIT_S)[0], self.shown)
            self.assertLess(time.monotonic(), give_up, self.shown)
            self.read()

    def answer(self, prompt, typed):
        self.wait_for(prompt)
        self.assertFalse(self.echoes())
        os.write(self.outer, typed)

    def echoes(self):
        return bool(termios.tcgetattr(self.inner)[3] & termios.ECHO)

    def finish(self):
        """The exit code, once all is read that it has shown; the terminal is as before."""
        code = self.process.wait(LIMIT_S)
        while select.select([self.outer], [], [], 0)[0]:
            self.read()
        self.assertTrue(self.echoes())
        self.assertNotIn(b"secret", self.shown)
        self.assertIsNone(FOUND.search(self.shown.decode(errors="replace")), self.shown)
        return code

    FIRST = "New passphrase of k.key: "
    AGAIN = "New passphrase of k.key, once more: "

    def test_a_new_passphrase_is_asked_for_twice_and_not_shown(self):
        self.start("key", "--out", "k")
        self.answer(self.FIRST, b"secret one\n")
        self.answer(self.AGAIN, b"secret one\n")
        self.assertEqual(self.finish(), 0)
        openssl("pkey", "-noout", "-in", self.path("k.key"), "-passin", "pass:secret one")

    def test_two_that_differ_are_refused(self):
        for again in (b"secret two\n", b"secret one \n", b"secret\n"):
            self.start("key", "--out", "k")
            self.answer(self.FIRST, b"secret one\n")
            self.answer(self.AGAIN, again)
            self.assertEqual(self.finish(), 1)
            self.assertIn(b"they differ", self.shown)
            self.assertEqual(self.names(), [])

    def test_an_empty_one_is_refused(self):
        for typed in (b"\n", b"\x04"):
            self.start("key", "--out", "k")
            self.answer(self.FIRST, typed)
            self.assertEqual(self.finish(), 1)
            self.assertIn(b"what was typed is empty", self.shown)
        self.start("key", "--out", "k")
        self.answer(self.FIRST, b"secret" * 100 + b"\n")
        self.assertEqual(self.finish(), 1)
        self.assertIn(b"what was typed is longer than 511 bytes", self.shown)
        self.assertEqual(self.names(), [])

    def test_the_one_of_a_key_is_asked_for_once(self):
        self.must("key", "--out", "k", passphrase="secret one")
        self.start("csr", "--key", "k.key", "--name", "x", "--out", "k.csr")
        self.answer("Passphrase of k.key: ", b"secret one\n")
        self.assertEqual(self.finish(), 0)
        self.assertIn("k.csr", self.names())
        self.start("csr", "--key", "k.key", "--name", "x", "--out", "no.csr")
        self.answer("Passphrase of k.key: ", b"secret two\n")
        self.assertEqual(self.finish(), 1)
        self.assertIn(b"the passphrase is wrong", self.shown)

    def test_the_question_moves_no_cursor(self):
        self.must("key", "--out", "k\x1b[31m", passphrase="secret one")
        self.start("csr", "--key", "k\x1b[31m.key", "--name", "x", "--out", "k.csr")
        self.answer("Passphrase of k\\x1b[31m.key: ", b"secret one\n")
        self.assertEqual(self.finish(), 0)

    def test_nobody_thinks_of_a_passphrase_in_vain(self):
        self.private("k.key", b"precious")
        self.start("key", "--out", "k")
        self.assertEqual(self.finish(), 1)
        self.assertNotIn(b"passphrase", self.shown)

    @unittest.skipIf(WRAP, "what wraps the program would be ended in its place")
    def test_signals_that_end_it_leave_the_terminal_as_it_was(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            for second in (False, True):
                with self.subTest(number.name, second=second):
                    self.start("key", "--out", "k")
                    if second:
                        self.answer(self.FIRST, b"secret one\n")
                    self.answer(self.AGAIN if second else self.FIRST, b"secret")
                    self.process.send_signal(number)
                    self.assertEqual(self.finish(), -number)
        for key, number in ((b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT)):
            with self.subTest(key):
                self.start("key", "--out", "k")
                self.answer(self.FIRST, b"secret" + key)
                self.assertEqual(self.finish(), -number)
        self.assertEqual(self.names(), [])

    @unittest.skipIf(WRAP, "what wraps the program would be stopped in its place")
    def test_while_it_is_stopped_the_terminal_is_as_before_and_then_it_asks_again(self):
        self.start("key", "--out", "k", shell=True)
        self.answer(self.FIRST, b"secret one\n")
        self.answer(self.AGAIN, b"secret\x1a")
        self.wait_for(f"stopped by {signal.SIGTSTP:d}\r\n")
        self.assertTrue(self.echoes())
        os.write(self.outer, b"\n")
        self.answer(self.AGAIN, b"secret one\n")
        self.assertEqual(self.finish(), 0)
        openssl("pkey", "-noout", "-in", self.path("k.key"), "-passin", "pass:secret one")

    def test_an_ignored_hangup_stays_ignored(self):
        self.start("key", "--out", "k", ignored=signal.SIGHUP)
        self.wait_for(self.FIRST)
        self.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)  # for it to do what it should not
        self.answer(self.FIRST, b"secret one\n")
        self.answer(self.AGAIN, b"secret one\n")
        self.assertEqual(self.finish(), 0)


if __name__ == "__main__":
    unittest.main()
