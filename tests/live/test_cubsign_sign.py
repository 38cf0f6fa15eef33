# SPDX-License-Identifier: MIT
"""
cubsign's CA: `ca`, `sign` and `list`, judged by OpenSSL and GnuTLS, with their keys, CAs and
requests, and they with ours. And a long run of signing that is killed again and again.
SEED=N repeats the moments at which it is.
"""

import concurrent.futures
import contextlib
import fcntl
import hashlib
import itertools
import json
import os
import pty
import random
import re
import resource
import shutil
import signal
import ssl
import subprocess
import tempfile
import termios
import time
import unittest
from pathlib import Path

from pki import EXPIRED, NOT_YET, SERVER, Authority, Certificate, ca_extensions, make_key, openssl
from server import BINARY, ENVIRONMENT, FOUND, LIMIT_S, need

SIDE_BY_SIDE = True

CUBSIGN = Path(os.environ.get("CUBSIGN", BINARY.with_name("cubsign"))).resolve()
SECRET = "correct horse battery staple"
QUESTION_END = b" [y/N] "
ITERATIONS = 1000  # of keys that OpenSSL encrypts
DAY_S = 86400


def certtool(*words):
    done = subprocess.run(["certtool", *map(str, words)], capture_output=True, timeout=LIMIT_S)
    if done.returncode != 0:
        raise AssertionError(f"certtool {words}: {(done.stdout + done.stderr).decode()}")
    return done.stdout.decode()


def certificates(path):
    """Those of a PEM file, as DER."""
    found = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n",
                       Path(path).read_text(), re.DOTALL)
    return [ssl.PEM_cert_to_DER_cert(one) for one in found]


def fingerprint(path):
    """Of the first certificate, as cubsign writes it."""
    return "sha256:" + hashlib.sha256(certificates(path)[0]).hexdigest()


def text_of(path):
    """What `openssl x509 -text` says, without how it breaks lines."""
    return " ".join(openssl("x509", "-in", path, "-noout", "-text").decode().split())


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cubsign-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, *words, passphrase=SECRET, **more):
        environment = {**ENVIRONMENT, "CUBSIGN_PASSPHRASE": passphrase}
        if passphrase is None:
            del environment["CUBSIGN_PASSPHRASE"]
        return subprocess.Popen([CUBSIGN, *map(str, words)], cwd=self.folder, env=environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, start_new_session=True, text=True, **more)

    def cubsign(self, *words, code=0, **more):
        """Run it. Returns what it says, or why it refuses."""
        process = self.start(*words, **more)
        out, err = process.communicate(timeout=LIMIT_S)
        self.assertIsNone(FOUND.search(err), err)
        self.assertEqual(process.returncode, code, out + err)
        return out if code == 0 else err

    def ca(self, base="ca", *words, name=None, **more):
        return self.cubsign("ca", "--out", base, "--name", name or f"Acme {base}", *words, **more)

    def request(self, name="router-1", key="ec", names=None, path=None, more=()):
        """A request of OpenSSL's: `key` is a kind of key, or the file of one."""
        path = self.folder / (path or f"{name}.csr")
        if isinstance(key, str):
            kind, key = key, path.with_suffix(".key")
            make_key(kind, key)
        names = ["-addext", f"subjectAltName={names}"] if names else []
        openssl("req", "-new", "-utf8", "-key", key, "-subj", f"/CN={name}", *names, *more,
                "-out", path)
        return path

    def list(self, base="ca", *words):
        return json.loads(self.cubsign("list", "--ca", base, "--json", *words))

    def verify(self, root, cert, purpose=None):
        """By all three; the file holds its intermediates."""
        purpose = ["-purpose", purpose] if purpose else []
        openssl("verify", "-x509_strict", "-CAfile", self.folder / root, "-untrusted",
                self.folder / cert, *purpose, self.folder / cert)
        certtool("--verify", "--verify-profile=medium", "--load-ca-certificate",
                 self.folder / root, "--infile", self.folder / cert)
        self.cubsign("verify", "--ca", str(root).removesuffix(".crt"), cert)

    def snapshot(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}

    @contextlib.contextmanager
    def nothing_changes(self):
        before = self.snapshot()
        yield
        self.assertEqual(self.snapshot(), before)


@need("certtool")
class Certificates(Case):
    def test_a_self_signed_ca_is_good_for_openssl_and_gnutls_whatever_its_key(self):
        for base, words, kind in (("ec", (), "P-256"), ("p384", ("--p384",), "P-384"),
                                  ("rsa", ("--rsa", "2048"), "RSA 2048")):
            said = self.ca(base, *words)
            self.assertIn(f"subject                 CN=Acme {base}\n", said)
            self.assertIn(f"key_kind            {kind}\n", said)
            self.assertIn(fingerprint(self.folder / f"{base}.crt"), said)
            self.verify(f"{base}.crt", f"{base}.crt")
            text = text_of(self.folder / f"{base}.crt")
            self.assertIn("Basic Constraints: critical CA:TRUE X509v3", text)
            self.assertIn("Key Usage: critical Certificate Sign, CRL Sign", text)
            self.assertEqual((self.folder / f"{base}.key").stat().st_mode & 0o777, 0o600)
            self.assertEqual((self.folder / f"{base}.index").read_bytes(), b"")
            openssl("pkey", "-in", self.folder / f"{base}.key", "-passin", f"pass:{SECRET}",
                    "-noout")

    def test_devices_and_clients_of_every_kind_of_key_are_good_for_all(self):
        requests = [self.request(kind, kind, "DNS:a.example,IP:192.0.2.1,IP:2001:db8::1")
                    for kind in ("ec", "p384", "rsa2048", "rsa3072")]
        for base, words in (("ec-ca", ()), ("rsa-ca", ("--rsa", "2048"))):
            self.ca(base, *words)
            for profile, purpose, other in (("device", "sslserver", "sslclient"),
                                            ("client", "sslclient", "sslserver")):
                self.cubsign("sign", "--ca", base, "--force", "--profile", profile, "--san",
                             "request", *requests)
                for request in requests:
                    cert = request.with_suffix(".crt")
                    self.verify(f"{base}.crt", cert, purpose)
                    with self.assertRaises(AssertionError):
                        self.verify(f"{base}.crt", cert, other)
                    text = text_of(cert)
                    self.assertIn("Basic Constraints: critical CA:FALSE", text)
                    self.assertIn("Key Usage: critical Digital Signature X509v3", text)
                    self.assertIn("DNS:a.example, IP Address:192.0.2.1, "
                                  "IP Address:2001:DB8:0:0:0:0:0:1", text)
                    self.assertRegex(text, r"Serial Number: 01(:[0-9a-f]{2}){16} ")

    def test_an_intermediate_signs_and_its_chain_leaves_the_root_out(self):
        self.ca("root", "--rsa", "2048", "--path-length", "2")
        self.ca("middle", "--parent", "root", "--path-length", "1")
        self.ca("field", "--parent", "middle", "--p384")
        self.assertEqual([len(certificates(self.folder / f"{base}.crt"))
                          for base in ("root", "middle", "field")], [1, 1, 2])
        self.assertIn("CA:TRUE, pathlen:0", text_of(self.folder / "field.crt"))
        for base in ("middle", "field"):
            openssl("verify", "-x509_strict", "-CAfile", self.folder / "root.crt", "-untrusted",
                    self.folder / f"{base}.crt", self.folder / f"{base}.crt")
        self.request()
        self.cubsign("sign", "--ca", "field", "router-1.csr")
        self.assertEqual(len(certificates(self.folder / "router-1.crt")), 3)
        self.verify("root.crt", "router-1.crt", "sslserver")
        self.assertEqual([(one["profile"], one["file"]) for one in self.list("root")],
                         [("CA", "middle.crt")])
        self.assertEqual([one["subject"] for one in self.list("middle")], ["CN=Acme field"])

    def test_names_are_printable_and_short_and_may_be_utf8(self):
        self.ca(name="Käserei Ünal")
        self.assertIn("CN = Käserei Ünal", openssl(
            "x509", "-in", self.folder / "ca.crt", "-noout", "-subject", "-nameopt",
            "utf8,space_eq").decode())
        self.ca("longest", name="x" * 64)
        for name in ("x" * 65, "a\nb", "a\x7fb"):
            self.assertIn("--name wants", self.ca("bad", name=name, code=2))


class Others(Case):
    """CAs, requests and verifiers of cubsign, OpenSSL and GnuTLS, each with each other's."""

    def make_ca(self, tool, kind):
        base = f"{tool}-{kind}"
        key, cert = self.folder / f"{base}.key", self.folder / f"{base}.crt"
        if tool == "cubsign":
            self.ca(base, *(("--rsa", "2048") if kind == "rsa" else ()))
        elif tool == "openssl":
            plain = self.plain_key(kind)
            openssl("pkcs8", "-topk8", "-in", plain, "-passout", f"pass:{SECRET}", "-v2",
                    "aes-256-cbc", "-v2prf", "hmacWithSHA256", "-iter", ITERATIONS, "-out", key)
            openssl("req", "-x509", "-new", "-key", plain, "-subj", f"/CN=Acme {base}", "-days",
                    9999, "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", cert)
        else:
            plain = self.plain_key(kind, "certtool")
            certtool("--to-p8", "--load-privkey", plain, "--password", SECRET, "--pkcs-cipher",
                     "aes-256", "--outfile", key)
            template = self.folder / "template"
            template.write_text(f'cn = "Acme {base}"\nca\ncert_signing_key\n'
                                "expiration_days = 9999\n")
            certtool("--generate-self-signed", "--load-privkey", plain, "--template", template,
                     "--outfile", cert)
        key.chmod(0o600)
        return base

    def plain_key(self, kind, tool="openssl"):
        key = self.folder / f"plain-{tool}-{kind}.key"
        if tool == "openssl":
            make_key(kind, key)
        else:
            certtool("--generate-privkey", "--key-type", "rsa" if kind == "rsa" else "ecdsa",
                     *(("--bits", 2048) if kind == "rsa" else ("--curve", "secp256r1")),
                     "--outfile", key)
        return key

    def make_request(self, tool, kind):
        name = f"device-{tool}-{kind}"
        key, request = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        if tool == "cubsign":
            self.cubsign("key", "--out", name, "--no-passphrase",
                         *(("--rsa", "2048") if kind == "rsa" else ()))
            self.cubsign("csr", "--key", key, "--name", name)
        elif tool == "openssl":
            self.request(name, "rsa2048" if kind == "rsa" else "ec")
        else:
            self.plain_key(kind, tool).rename(key)
            template = self.folder / "template"
            template.write_text(f'cn = "{name}"\nsigning_key\ntls_www_server\n')
            certtool("--generate-request", "--load-privkey", key, "--template", template,
                     "--outfile", request)
        return request

    def sign(self, tool, base, request):
        """As a device."""
        ca, cert = self.folder / base, self.folder / "new.crt"
        cert.unlink(missing_ok=True)
        if tool == "cubsign":
            self.cubsign("sign", "--ca", base, "--out", cert, request)
        elif tool == "openssl":
            extensions = self.folder / "extensions"
            extensions.write_text("\n".join(SERVER))
            openssl("x509", "-req", "-in", request, "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key",
                    "-passin", f"pass:{SECRET}", "-days", 9, "-extfile", extensions, "-out", cert)
        else:
            template = self.folder / "template"
            template.write_text("expiration_days = 9\nsigning_key\ntls_www_server\n")
            certtool("--generate-certificate", "--load-request", request, "--load-ca-certificate",
                     f"{ca}.crt", "--load-ca-privkey", f"{ca}.key", "--password", SECRET,
                     "--template", template, "--outfile", cert)
        return cert

    @need("certtool")
    def test_a_ca_of_one_signs_a_request_of_another_and_each_accepts_it(self):
        tools = "cubsign", "openssl", "certtool"
        for kind in "ec", "rsa":
            ca = {tool: self.make_ca(tool, kind) for tool in tools}
            request = {tool: self.make_request(tool, kind) for tool in tools}
            for maker, signer, asker in itertools.product(tools, repeat=3):
                if maker == signer == asker or len({maker, signer, "cubsign"}) == 3:
                    continue
                with self.subTest(kind=kind, maker=maker, signer=signer, asker=asker):
                    cert = self.sign(signer, ca[maker], request[asker])
                    self.verify(f"{ca[maker]}.crt", cert, "sslserver")

    def test_a_ca_without_identifiers_and_key_usage_signs_and_openssl_accepts_it(self):
        plain = self.plain_key("ec")
        config = self.folder / "config"
        config.write_text("[req]\ndistinguished_name=none\n[none]\n[v3]\nbasicConstraints=CA:TRUE\n"
                          "subjectKeyIdentifier=none\n")
        openssl("req", "-x509", "-new", "-config", config, "-extensions", "v3", "-key", plain,
                "-subj", "/CN=Bare", "-days", 99, "-out", self.folder / "bare.crt")
        shutil.copy(plain, self.folder / "bare.key")
        (self.folder / "bare.key").chmod(0o600)
        self.assertNotIn("Identifier", text_of(self.folder / "bare.crt"))
        self.cubsign("sign", "--ca", "bare", self.request(), passphrase=None)
        openssl("verify", "-CAfile", self.folder / "bare.crt", self.folder / "router-1.crt")

    def sign_with(self, ca, chain=None, code=0):
        """With a CA of pki.py, whose key is not encrypted."""
        shutil.copy(ca.key, self.folder / "ca.key")
        (self.folder / "ca.key").chmod(0o600)
        (self.folder / "ca.crt").write_text(chain or ca.cert.read_text())
        return self.cubsign("sign", "--ca", "ca", "--force", self.request(), code=code,
                            passphrase=None)

    def test_a_ca_that_may_not_sign_does_not(self):
        good = Authority("Acme")
        other = Authority("Other")
        broken = good.cert.read_text().splitlines()
        broken[-2] = broken[-2][:4] + ("A" if broken[-2][4] != "A" else "B") + broken[-2][5:]
        for ca, chain, why in (
                (Certificate("Leaf"), None, "it is no CA"),
                (Authority("Old", valid=EXPIRED), None, "the CA has expired"),
                (Authority("New", valid=NOT_YET), None, "the CA is not valid yet"),
                (good, other.cert.read_text(), "it is not the key of the CA's certificate"),
                (good, "\n".join(broken) + "\n", "signature"),
                (good, good.cert.read_text() + other.cert.read_text(), "order of the chain"),
                (good, "nothing\n", "there is no certificate in it")):
            with self.subTest(why=why):
                said = self.sign_with(ca, chain, code=1)
                self.assertRegex(said, r"^cubsign: ca\.(crt|key): .*" + why)
                self.assertEqual(said.count("\n"), 1)
                self.assertFalse((self.folder / "router-1.crt").exists())
                self.assertFalse((self.folder / "ca.index").exists())
        usage = Certificate("Half", extensions=(
            "basicConstraints = critical, CA:TRUE", "keyUsage = critical, digitalSignature"))
        self.assertIn("its key usage does not allow it", self.sign_with(usage, code=1))

    def test_a_ca_whose_limits_devices_do_not_know_does_not_sign(self):
        root = Certificate("Bound", extensions=(*ca_extensions(), "nameConstraints = critical, "
                                                "permitted;DNS:example.com"))
        root.signs_with = lambda: ("-cert", root.cert, "-keyfile", root.key)
        root.chain_below = lambda: root.cert.read_text()
        for ca in root, Authority("Field", issuer=root):
            self.assertIn("critical extension that devices do not know",
                          self.sign_with(ca, ca.chain.read_text(), code=1))
            self.assertFalse((self.folder / "ca.index").exists())

    def test_an_index_that_is_new_is_told(self):
        root = Authority("Root")
        self.sign_with(root)
        (self.folder / "ca.index").unlink()
        for said in "cubsign: ca.index: it is new: what this CA may have signed before is not in " \
                "it\n", "":
            process = self.start("sign", "--ca", "ca", "--force", "router-1.csr", passphrase=None)
            self.assertEqual(process.communicate(timeout=LIMIT_S)[1], said)
            self.assertEqual(process.returncode, 0)

    def test_the_chain_of_an_intermediate_may_hold_its_root_which_is_left_out(self):
        root = Authority("Root")
        field = root.intermediate("Field", key="rsa2048")
        self.sign_with(field, field.cert.read_text() + root.cert.read_text())
        self.assertEqual(certificates(self.folder / "router-1.crt")[1:],
                         [ssl.PEM_cert_to_DER_cert(field.cert.read_text())])
        openssl("verify", "-x509_strict", "-CAfile", root.cert, "-untrusted",
                self.folder / "router-1.crt", self.folder / "router-1.crt")

    def test_a_key_that_others_can_read_is_refused(self):
        self.ca()
        (self.folder / "ca.key").chmod(0o640)
        self.request()
        with self.nothing_changes():
            self.assertIn("ca.key: others than its owner can use it",
                          self.cubsign("sign", "--ca", "ca", "router-1.csr", code=1))

    def test_a_wrong_passphrase_is_refused_and_says_so(self):
        self.ca()
        self.request()
        with self.nothing_changes():
            said = self.cubsign("sign", "--ca", "ca", "router-1.csr", code=1, passphrase="wrong")
            self.assertRegex(said, r"^cubsign: ca\.key: .*passphrase")


class Making(Case):
    def test_what_exists_stays_and_is_only_replaced_by_force_before_it_has_signed(self):
        for name in "ca.key", "ca.crt":
            (self.folder / name).touch()
            with self.nothing_changes():
                self.assertIn(f"{name}: it exists already", self.ca(code=1))
            (self.folder / name).unlink()
        (self.folder / "ca.index").touch()  # as an interrupted run leaves it
        self.ca(name="One")
        with self.nothing_changes():
            self.ca(name="Two", code=1)
        self.ca("ca", "--force", name="Two")
        self.assertIn("CN = Two", text_of(self.folder / "ca.crt"))
        self.cubsign("sign", "--ca", "ca", self.request())
        with self.nothing_changes():
            self.assertIn("this CA has signed", self.ca("ca", "--force", name="Three", code=1))

    def test_nothing_is_left_of_a_ca_that_can_not_be_made(self):
        self.ca("root")
        self.ca("last", "--parent", "root")
        for words, why in ((("--parent", "last"), "path length of the CA is 0"),
                           (("--parent", "none"), "none.crt: No such file"),
                           (("--parent", "root", "--days", "9999"), "the CA ends on ")):
            with self.nothing_changes():
                self.assertIn(why, self.ca("new", *words, code=1))
        for words in (("--path-length", "9"), ("--path-length", "x"), ("--days", "0"),
                      ("--until", "2020-01-01"), ("--rsa", "1024"), ("--rsa", "2048", "--p384")):
            with self.nothing_changes():
                self.ca("new", *words, code=2)
        with self.nothing_changes():
            self.assertIn("its name is the CA's own", self.ca("new", "--parent", "root",
                                                              name="Acme root", code=1))
        with self.nothing_changes():
            self.assertIn("not its own parent", self.ca("last", "--parent", "last", "--force",
                                                        code=1))
        for words in (), ("--parent", "root"):
            with self.nothing_changes():
                self.assertIn("missing/new.key: there is no folder missing",
                              self.ca("missing/new", *words, code=1))

    def start_waiting(self, index, *words):
        """Start it while it has to wait for the lock of an index; gives the process."""
        process = self.start(*words)
        self.assertRegex(process.stderr.readline(), f"^cubsign: {index}: another run signs")
        return process

    def finish(self, process, code):
        _, err = process.communicate(timeout=LIMIT_S)
        self.assertIsNone(FOUND.search(err), err)
        self.assertEqual(process.returncode, code, err)
        return err

    def test_a_ca_that_is_being_replaced_is_locked_and_comes_back_where_that_fails(self):
        self.ca("root", "--path-length", "1")
        self.ca("field", "--parent", "root")
        key = (self.folder / "field.key").read_bytes()
        again = "ca", "--out", "field", "--name", "New", "--parent", "root", "--force"
        with open(self.folder / "root.index", "a") as root:
            fcntl.flock(root, fcntl.LOCK_EX)
            process = self.start_waiting("root.index", *again)
            with open(self.folder / "field.index") as field, self.assertRaises(BlockingIOError):
                fcntl.flock(field, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Nothing takes the place of a folder.
            (self.folder / "field.crt").rename(self.folder / "kept")
            (self.folder / "field.crt").mkdir()
        self.assertIn("field.crt: Is a directory", self.finish(process, 1))
        self.assertEqual((self.folder / "field.key").read_bytes(), key)
        self.assertEqual(sorted(path.name for path in self.folder.glob("field*")),
                         ["field.crt", "field.index", "field.key"])
        (self.folder / "field.crt").rmdir()
        (self.folder / "kept").rename(self.folder / "field.crt")
        self.cubsign("sign", "--ca", "field", self.request())

    def test_of_two_runs_that_make_the_same_ca_one_is_refused(self):
        with open(self.folder / "ca.index", "a") as index:
            fcntl.flock(index, fcntl.LOCK_EX)
            process = self.start_waiting("ca.index", "ca", "--out", "ca", "--name", "Two")
            (self.folder / "ca.crt").write_text("precious")
        self.assertIn("ca.crt: it exists already", self.finish(process, 1))
        self.assertEqual((self.folder / "ca.crt").read_text(), "precious")
        self.assertFalse((self.folder / "ca.key").exists())

    def test_an_older_key_that_a_kill_has_left_is_not_lost(self):
        self.ca()
        (self.folder / "ca.key").rename(self.folder / "ca.key.old")
        with self.nothing_changes():
            self.assertIn("ca.key.old: a run that was killed has left this older key",
                          self.ca("ca", "--force", code=1))
        (self.folder / "ca.key.old").rename(self.folder / "ca.key")
        self.ca("ca", "--force")
        self.assertEqual(sorted(os.listdir(self.folder)), ["ca.crt", "ca.index", "ca.key"])

    def test_path_lengths_of_all_cas_above_count(self):
        root = Authority("Root", path_length=1)
        field = root.intermediate("Field")
        shutil.copy(field.key, self.folder / "field.key")
        (self.folder / "field.key").chmod(0o600)
        (self.folder / "field.index").touch()
        (self.folder / "field.crt").write_text(field.cert.read_text() + root.cert.read_text())
        with self.nothing_changes():
            self.assertIn("path length of a CA above the CA does not allow",
                          self.ca("low", "--parent", "field", code=1))
        two = Authority("Root", root, path_length=2)
        (self.folder / "field.crt").write_text(field.cert.read_text() + two.cert.read_text())
        with self.nothing_changes():
            self.assertIn("path length must be less", self.ca("low", "--parent", "field",
                                                              "--path-length", "1", code=1))
        self.ca("low", "--parent", "field")

    def test_a_path_length_counts_down(self):
        self.ca("root", "--path-length", "1")
        with self.nothing_changes():
            self.assertIn("must be less", self.ca("field", "--parent", "root", "--path-length",
                                                  "1", code=1))
        self.ca("field", "--parent", "root")
        self.assertIn("CA:TRUE, pathlen:0", text_of(self.folder / "field.crt"))

    def test_what_was_made_is_told(self):
        self.ca("root")
        self.assertRegex(self.ca("field", "--parent", "root"), re.compile(
            r"subject +CN=Acme field\n +issuer +CN=Acme root\n +fingerprint +sha256:\w{64}\n"
            r" +key_kind +P-256\n +path_length +0\n +not_before +[\dTZ:-]+\n"
            r" +not_after +[\dTZ:-]+\n +key_file +field.key\n +certificate_file +field.crt\n"
            r" +index_file +field.index\n$"))

        told = json.loads(self.ca("other", "--json"))
        self.assertEqual(told["fingerprint"], fingerprint(self.folder / "other.crt"))
        self.assertEqual((told["subject"], told["key_file"]), ("CN=Acme other", "other.key"))

    def test_a_ca_may_be_called_by_each_of_its_files(self):
        self.ca("root.crt")
        self.assertEqual(sorted(os.listdir(self.folder)), ["root.crt", "root.index", "root.key"])
        self.ca("field", "--parent", "root.key")
        self.request()
        for ending in ".crt", ".key", ".index":
            self.cubsign("sign", "--force", f"--ca=field{ending}", "router-1.csr")
            self.assertTrue(self.list(f"field{ending}"))
            self.cubsign("verify", "--ca", f"root{ending}", "router-1.crt")
        self.assertEqual(len(self.list("field")), 3)
        self.assertIn(".crt", self.cubsign("list", "--ca", ".crt", code=1))

    def test_the_parents_passphrase_may_be_another_one(self):
        self.ca("root", passphrase="one")
        (self.folder / "one").write_text("one\n")
        (self.folder / "one").chmod(0o600)
        self.ca("field", "--parent", "root", "--parent-passphrase-file", "one", passphrase="two")
        openssl("pkey", "-in", self.folder / "field.key", "-passin", "pass:two", "-noout")
        with self.nothing_changes():
            self.ca("other", "--parent", "root", passphrase="two", code=1)

    def test_dates_are_as_told_and_never_beyond_the_parents(self):
        self.ca("root", "--until", "2049-06-01")
        self.assertIn("Not After : Jun 1 23:59:59 2049 GMT", text_of(self.folder / "root.crt"))
        self.ca("short", "--days", "30")
        self.ca("field", "--parent", "short")
        ends = [openssl("x509", "-in", self.folder / f"{base}.crt", "-noout", "-enddate")
                for base in ("short", "field")]
        self.assertEqual(*ends)


class WithCA(Case):
    """Each test has a copy of one CA, whose key is not encrypted, to save time."""

    @classmethod
    def setUpClass(cls):
        made = Case("ca")
        made.setUp()
        cls.addClassCleanup(made.doCleanups)
        made.ca()
        encrypted = (made.folder / "ca.key").rename(made.folder / "encrypted")
        openssl("pkey", "-in", encrypted, "-passin", f"pass:{SECRET}", "-out",
                made.folder / "ca.key")
        cls.made = made.folder

    def setUp(self):
        super().setUp()
        for name in "ca.crt", "ca.index":
            shutil.copy(self.made / name, self.folder)
        shutil.copy(self.made / "ca.key", self.folder)
        (self.folder / "ca.key").chmod(0o600)


class Signing(WithCA):

    def end_of(self, path):
        said = openssl("x509", "-in", self.folder / path, "-noout", "-enddate").decode()
        return ssl.cert_time_to_seconds(said.strip().removeprefix("notAfter="))

    def test_the_index_says_what_the_certificate_says(self):
        self.request(names="DNS:router-1")
        line = self.cubsign("sign", "--ca", "ca", "router-1.csr")
        (entry,) = self.list()
        cert = self.folder / "router-1.crt"
        spki = openssl("pkey", "-pubin", "-outform", "DER", "-pubout",
                       given=openssl("x509", "-in", cert, "-noout", "-pubkey"))
        serial = openssl("x509", "-in", cert, "-noout", "-serial").decode().strip()[7:].lower()
        self.assertEqual(entry["fingerprint"], fingerprint(cert))
        self.assertEqual(entry["key"], "sha256:" + hashlib.sha256(spki).hexdigest())
        self.assertEqual(entry["serial"], serial)
        self.assertEqual((entry["profile"], entry["renewal"], entry["file"], entry["subject"],
                          entry["state"]),
                         ("device", False, "router-1.crt", "CN=router-1", "valid"))
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.end_of("router-1.crt")))
        self.assertEqual(entry["not_after"], end)
        self.assertEqual(line, f"router-1.csr: router-1.crt, CN=router-1, serial {serial}, "
                               f"{fingerprint(cert)}, until {end[:10]}, without names that it asks "
                               "for\n")

    def test_the_same_key_again_is_a_renewal(self):
        self.request()
        self.request("router-2")
        self.assertNotIn("renewal", self.cubsign("sign", "--ca", "ca", "router-1.csr",
                                                 "router-2.csr"))
        self.request("router-1b", self.folder / "router-1.key")
        said = self.cubsign("sign", "--ca", "ca", "--force", "router-1.csr", "router-1b.csr")
        self.assertEqual(said.count(", renewal"), 2)
        self.assertEqual([one["renewal"] for one in self.list()], [False, False, True, True])
        self.assertEqual([one["state"] for one in self.list()],
                         ["renewed", "valid", "renewed", "valid"])

    def test_without_force_nothing_is_overwritten_and_nothing_is_signed(self):
        self.request()
        (self.folder / "router-1.crt").write_text("precious")
        (self.folder / "folder.crt").mkdir()
        self.request("folder")
        with self.nothing_changes():
            said = self.cubsign("sign", "--ca", "ca", "router-1.csr", code=1)
            self.assertEqual(said, "cubsign: router-1.csr: it exists already: --force overwrites "
                                   "it: router-1.crt\n")
            self.cubsign("sign", "--ca", "ca", "--force", "folder.csr", code=1)
            self.cubsign("sign", "--ca", "ca", "--out", "no/where.crt", "router-1.csr", code=1)
        self.cubsign("sign", "--ca", "ca", "--force", "router-1.csr")
        self.assertEqual(fingerprint(self.folder / "router-1.crt"), self.list()[0]["fingerprint"])

    def test_the_files_of_the_ca_are_never_overwritten(self):
        self.request()
        shutil.copy(self.folder / "router-1.csr", self.folder / "ca.csr")
        (self.folder / "linked.crt").symlink_to("ca.key")
        with self.nothing_changes():
            for name in ("ca.key", "./ca.crt", "ca.index", self.folder / "ca.key", "linked.crt"):
                for force in (), ("--force",):
                    self.assertIn("would replace a file of the CA", self.cubsign(
                        "sign", "--ca", "ca", *force, "--out", name, "router-1.csr", code=1))
            self.assertIn("would replace a file of the CA: say where it goes with --out: ca.crt\n",
                          self.cubsign("sign", "--ca", "ca", "--force", "ca.csr", code=1))
        self.cubsign("sign", "--ca", "ca", "--out", "other.crt", "ca.csr")

    def test_no_certificate_of_a_run_replaces_another_one(self):
        for folder in "a", "b":
            (self.folder / folder).mkdir()
            self.request(f"router-{folder}", path=f"{folder}/x.csr")
        for words in ("--out", ".", "a/x.csr", "b/x.csr"), ("a/x.csr", "a/../a/x.csr"):
            process = self.start("sign", "--ca", "ca", "--force", *words)
            out, err = process.communicate(timeout=LIMIT_S)
            self.assertEqual(process.returncode, 1)
            self.assertRegex(err, r"^cubsign: \S+x\.csr: another certificate of this run is there")
            self.assertIn("1 signed, 1 refused\n", out)
        self.assertEqual([one["subject"] for one in self.list()], 2 * ["CN=router-a"])
        self.assertEqual(fingerprint(self.folder / "x.crt"), self.list()[0]["fingerprint"])

    def test_what_could_not_be_written_is_not_signed(self):
        self.request()
        (self.folder / "closed").mkdir(mode=0o500)
        # The administrator may write to a closed folder, but makes no files in this one, either.
        folders = ["/proc/self"] + (["closed"] if os.geteuid() != 0 else [])
        with self.nothing_changes():
            for folder, force in itertools.product(folders, ((), ("--force",))):
                self.assertNotIn("it is signed", self.cubsign(
                    "sign", "--ca", "ca", *force, "--out", f"{folder}/x.crt", "router-1.csr",
                    code=1))
            self.assertEqual(self.cubsign("sign", "--ca", "ca", "--out", "nofolder/x.crt",
                                          "router-1.csr", code=1),
                             "cubsign: router-1.csr: there is no folder nofolder: nofolder/x.crt\n")

    def test_of_many_files_the_good_ones_are_signed(self):
        self.request("good-1")
        self.request("good-2", names="DNS:good-2")
        (self.folder / "text.csr").write_text("hello\n")
        (self.folder / "cut.csr").write_bytes(openssl("req", "-in", self.folder / "good-1.csr",
                                                      "-outform", "DER")[:-1])
        files = ["text.csr", "good-1.csr", "cut.csr", "missing.csr", "good-2.csr"]
        process = self.start("sign", "--ca", "ca", *files)
        out, err = process.communicate(timeout=LIMIT_S)
        self.assertEqual(process.returncode, 1)
        self.assertEqual([line.split(":")[0] for line in out.splitlines()],
                         ["good-1.csr", "good-2.csr", "2 signed, 3 refused"])
        self.assertEqual([line.split(": ")[:2] for line in err.splitlines()],
                         [["cubsign", name] for name in ("text.csr", "cut.csr", "missing.csr")])
        self.assertEqual(len(self.list()), 2)
        process = self.start("sign", "--ca", "ca", "--force", "--json", *files)
        out, _ = process.communicate(timeout=LIMIT_S)
        told = json.loads(out)
        self.assertEqual([one["request"] for one in told], files)
        self.assertEqual(["error" in one for one in told], [True, False, True, True, False])
        self.assertEqual(told[1]["fingerprint"], fingerprint(self.folder / "good-1.crt"))

    def test_out_is_a_file_for_one_and_a_folder_for_many(self):
        (self.folder / "in").mkdir()
        (self.folder / "out").mkdir()
        self.request("a", path="in/a.csr")
        self.request("b", path="in/b.request")
        self.cubsign("sign", "--ca", "ca", "--out", "one.pem", "in/a.csr")
        self.assertTrue((self.folder / "one.pem").exists())
        self.cubsign("sign", "--ca", "ca", "--out", "out", "in/a.csr", "in/b.request")
        self.assertEqual(sorted(os.listdir(self.folder / "out")), ["a.crt", "b.request.crt"])
        self.cubsign("sign", "--ca", "ca", "in/a.csr", "in/b.request")
        self.assertEqual(sorted(os.listdir(self.folder / "in")),
                         ["a.crt", "a.csr", "a.key", "b.key", "b.request", "b.request.crt"])
        self.assertIn("--out must name a folder", self.cubsign(
            "sign", "--ca", "ca", "--out", "x", "in/a.csr", "in/b.request", code=2))

    def test_dates_are_as_told_within_the_cas_own(self):
        now = time.time()
        self.request()

        def sign(*words, **more):
            return self.cubsign("sign", "--ca", "ca", "--force", "router-1.csr", *words, **more)

        for words, days in (((), 3650), (("--profile", "client"), 730), (("--days", "1"), 1)):
            sign(*words)
            self.assertAlmostEqual(self.end_of("router-1.crt"), now + days * DAY_S, delta=300)
        for text, end in (("2040-02-29", "Feb 29 23:59:59 2040 GMT"),
                          ("2041-03-01T12:30:15Z", "Mar  1 12:30:15 2041 GMT")):
            sign("--until", text)
            self.assertEqual(self.end_of("router-1.crt"), ssl.cert_time_to_seconds(end))
        signed = len(self.list())
        for words in (("--days", "0"), ("--days", "36501"), ("--days", "-1"), ("--days", "x"),
                      ("--until", "2041-02-29"), ("--until", "2041-13-01"), ("--until", "2041-1-1"),
                      ("--until", "forever"), ("--until", "2041-01-01T00:00:00"),
                      ("--until", "2041-01-01T24:00:00Z"), ("--until", "2041-01-01 00:00:00Z"),
                      ("--until", "2020-01-01"), ("--until", "0000-00-00"),
                      ("--days", "1", "--until", "2041-01-01"), ("--profile", "CA"),
                      ("--profile", "server")):
            self.assertRegex(sign(*words, code=2), r"^cubsign: sign: .*\n$")
        for words in (("--days", "9999"), ("--until", "2099-01-01")):
            self.assertRegex(sign(*words, code=1), r"the CA ends on 20\d\d-\d\d-\d\dT")
        self.assertEqual(len(self.list()), signed)

    def test_a_certificate_is_shortened_to_its_cas_end_and_begins_no_sooner(self):
        self.ca("short", "--days", "30")
        self.request()
        self.assertIn("the CA ends then", self.cubsign("sign", "--ca", "short", "router-1.csr"))
        self.assertEqual(self.end_of("router-1.crt"), self.end_of("short.crt"))
        starts = [ssl.cert_time_to_seconds(openssl(
            "x509", "-in", self.folder / name, "-noout", "-startdate").decode().strip()[10:])
            for name in ("short.crt", "router-1.crt")]
        self.assertGreaterEqual(starts[1], starts[0])
        self.assertLessEqual(starts[1], time.time() - 3000)

    def test_of_a_request_only_the_names_are_taken_that_are_told(self):
        self.request(names="DNS:a.example,IP:192.0.2.1", more=(
            "-addext", "keyUsage=keyCertSign", "-addext", "extendedKeyUsage=codeSigning",
            "-addext", "certificatePolicies=1.2.3", "-addext", "nsComment=hello"))
        for words, names, leaves in (((), "", True), (("--san", "request"), "DNS:a.example, IP "
                                                      "Address:192.0.2.1", False),
                                     (("--san", "DNS:b.example"), "DNS:b.example", True),
                                     (("--san", "request,IP:192.0.2.2"), "DNS:a.example, IP Address"
                                      ":192.0.2.1, IP Address:192.0.2.2", False)):
            said = self.cubsign("sign", "--ca", "ca", "--force", "router-1.csr", *words)
            self.assertEqual("without names" in said, leaves)
            text = text_of(self.folder / "router-1.crt")
            self.assertEqual("Subject Alternative Name" in text, names != "")
            self.assertIn(names, text)
            for other in "Policies", "Comment", "Code Signing", "Certificate Sign,":
                self.assertNotIn(other, text)

    def test_names_are_confirmed_on_the_terminal(self):
        self.request(names="DNS:a.example,email:x@example.com")
        for answer, names in ("y", True), ("n", False), ("", False):
            said = self.on_terminal(["sign", "--ca", "ca", "--force", "router-1.csr"], answer)
            self.assertIn("CN=router-1 asks for the names DNS:a.example: put them into its "
                          "certificate?", said)
            text = text_of(self.folder / "router-1.crt")
            self.assertEqual("DNS:a.example" in text, names)
            self.assertNotIn("x@example.com", text)

    def test_no_name_is_confirmed_that_was_not_shown(self):
        ends = [f"{n // 100 + 100}.{n % 100 + 100}" for n in range(168)]
        unit, name = "u" * 64, "x" * 64
        more = "".join(f"/{field}={value}" for field, value in (
            ("O", "=" * 64), ("OU", unit), ("L", "," * 128), ("ST", '"' * 128),
            ("serialNumber", "+" * 64), ("emailAddress", "a@" + "=" * 126)))
        key = self.folder / "long.key"
        make_key("ec", key)
        openssl("req", "-new", "-utf8", "-key", key, "-subj",
                f"/CN={name}{more}".replace("+", "\\+"), "-addext",
                "subjectAltName=" + ",".join(f"IP:192.168.{end}" for end in ends),
                "-out", self.folder / "long.csr")
        said = self.on_terminal(["sign", "--ca", "ca", "--out", "long.crt", "long.csr"], "y")
        for end in ends:
            self.assertIn(f"IP:192.168.{end}", said)
        self.assertIn("put them into its certificate? [y/N] ", said)
        self.assertIn(ends[-1], text_of(self.folder / "long.crt"))

    def on_terminal(self, words, answer):
        """Run it on a terminal of its own, with one answer to its one question."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execve(CUBSIGN, [str(CUBSIGN), *words], ENVIRONMENT)
        said = b""
        with os.fdopen(terminal, "r+b", buffering=0) as f:
            with contextlib.suppress(OSError):  # it ends with an error where the child has
                while part := f.read(4096):
                    is_asked = QUESTION_END in said
                    said += part
                    if QUESTION_END in said and not is_asked:
                        f.write(answer.encode() + b"\n")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, said)
        return said.decode()

    def test_a_request_may_come_from_standard_input_to_a_file_that_is_named(self):
        text = self.request().read_text()
        with self.nothing_changes():
            self.assertIn("say with --out FILE", self.cubsign("sign", "--ca", "ca", "-", code=1))
        process = subprocess.run([CUBSIGN, "sign", "--ca", "ca", "--out", "new.crt", "-"],
                                 cwd=self.folder, input=text, capture_output=True, text=True,
                                 env=ENVIRONMENT, timeout=LIMIT_S)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(self.list()[0]["fingerprint"], fingerprint(self.folder / "new.crt"))

    def test_what_asks_to_be_a_ca_is_refused(self):
        self.request(more=("-addext", "basicConstraints=critical,CA:TRUE"))
        with self.nothing_changes():
            self.assertIn("it asks to be a CA", self.cubsign("sign", "--ca", "ca",
                                                             "router-1.csr", code=1))

    def test_the_cas_own_key_and_name_are_not_signed(self):
        self.request("itself", self.folder / "ca.key")
        self.request("Acme ca", path="same.csr")
        with self.nothing_changes():
            self.assertIn("its key is the CA's own", self.cubsign("sign", "--ca", "ca",
                                                                  "itself.csr", code=1))
        with self.nothing_changes():
            # UTF8String, as the CA's own name is.
            self.assertIn("its name is the CA's own", self.cubsign("sign", "--ca", "ca",
                                                                   "same.csr", code=1))

    def test_a_torn_index_is_mended_and_a_broken_one_stops_everything(self):
        self.request()
        index = self.folder / "ca.index"
        self.cubsign("sign", "--ca", "ca", "router-1.csr")
        whole = index.read_text()
        index.write_text(whole + whole[:200])
        self.assertEqual(len(self.list()), 1)
        process = self.start("list", "--ca", "ca")
        _, err = process.communicate(timeout=LIMIT_S)
        self.assertEqual(err, "cubsign: ca.index: it ends in a torn line, which was left out\n")
        process = self.start("sign", "--ca", "ca", "--force", "router-1.csr")
        _, err = process.communicate(timeout=LIMIT_S)
        self.assertEqual(err, "cubsign: ca.index: it ended in a torn line, which was cut off\n")
        self.assertEqual(process.returncode, 0)
        self.assertEqual(len(self.list()), 2)
        index.write_text(whole.replace("profile=", "profil=") + whole)
        with self.nothing_changes():
            for words in ("sign", "--force", "router-1.csr"), ("list",):
                self.assertIn("ca.index: line 1 is broken", self.cubsign(
                    words[0], "--ca", "ca", *words[1:], code=1))

    def sign_in(self, room):
        """Sign where no file can become larger than this."""
        process = self.start("sign", "--ca", "ca", "--force", "router-1.csr", restore_signals=False,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                                   (room, room)))
        _, err = process.communicate(timeout=LIMIT_S)
        self.assertEqual(process.returncode, 1, err)
        return err

    def test_a_full_disk_is_told_and_signs_nothing_that_is_not_in_the_index(self):
        self.request()
        with self.nothing_changes():
            self.assertIn("router-1.csr: the index can't be written: ", self.sign_in(room=100))
        before = self.snapshot()
        self.assertIn("it is signed and in the index, but could not be written to router-1.crt",
                      self.sign_in(room=600))
        (entry,) = self.list()
        self.assertFalse(entry["renewal"])
        self.assertEqual(self.snapshot().keys(), before.keys())
        self.assertIn(", renewal", self.cubsign("sign", "--ca", "ca", "router-1.csr"))

    def test_a_run_waits_for_another(self):
        self.request()
        with open(self.folder / "ca.index", "a") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            process = self.start("sign", "--ca", "ca", "router-1.csr")
            self.assertIn("another run signs with this CA", process.stderr.readline())
            self.assertIsNone(process.poll())
        out, _ = process.communicate(timeout=LIMIT_S)
        self.assertEqual(process.returncode, 0, out)


class Listing(WithCA):
    def write(self, *entries):
        """An index of entries: their key, and in how many days they end."""
        now = int(time.time())
        lines = []
        for number, (key, days) in enumerate(entries):
            form = "%Y-%m-%dT%H:%M:%SZ"
            lines.append(f"signed={time.strftime(form, time.gmtime(now - 900 * DAY_S))} "
                         f"until={time.strftime(form, time.gmtime(now + days * DAY_S + 60))} "
                         f"serial=01{number:032x} profile=device renewal=no "
                         f"fingerprint={number:064x} key={key:064x} "
                         f'file="{number}.crt" subject="CN\\x3drouter-{number}"\n')
        (self.folder / "ca.index").write_text("".join(lines))

    def test_what_ends_soon_is_marked_and_counted_unless_it_has_been_renewed(self):
        self.write((1, 500), (2, -10), (3, 10), (4, 29), (5, 31), (3, 900), (6, -1))
        states = [one["state"] for one in self.list()]
        self.assertEqual(states, ["valid", "expired", "renewed", "expires", "valid", "valid",
                                  "expired"])
        lines = self.cubsign("list", "--ca", "ca").splitlines()
        self.assertEqual(len(lines), 9)
        self.assertRegex(lines[0], "^SIGNED +UNTIL +STATE +PROFILE +SERIAL +SUBJECT +FILE$")
        self.assertRegex(lines[2], r"  expired  device   01000000000\w  CN=router-1  1\.crt$")
        self.assertEqual(lines[-1], "7 certificates, 2 expired, 1 expires within 30 days")
        self.assertTrue(self.cubsign("list", "--ca", "ca", "--expiring", "40").endswith(
            "7 certificates, 2 expired, 2 expire within 40 days\n"))

    def test_a_ca_that_has_signed_nothing_has_an_empty_list_and_none_is_none(self):
        self.assertEqual(self.cubsign("list", "--ca", "ca"),
                         "0 certificates, 0 expired, 0 expire within 30 days\n")
        self.assertEqual(self.list(), [])
        self.assertIn("none.crt: No such file", self.cubsign("list", "--ca", "none", code=1))

    def test_names_that_are_not_text_are_shown_escaped(self):
        self.write((1, 500))
        index = self.folder / "ca.index"
        index.write_text(index.read_text().replace('"0.crt"', r'"\xff\x0a\x22.crt"'))
        self.assertEqual(self.list()[0]["file"], r"\xff\x0a\x22.crt")
        self.assertEqual(len(self.cubsign("list", "--ca", "ca").splitlines()), 3)


class Killed(Case):
    REQUESTS, DIFFERENT, KEYS, KILLS = 1000, 250, 5, 8

    def make_requests(self):
        requests = self.folder / "in"
        requests.mkdir()
        (self.folder / "out").mkdir()
        keys = [self.folder / f"device-{n}.key" for n in range(self.KEYS)]
        for key in keys:
            make_key("ec", key)

        def make(number):
            path = self.request(f"router-{number}", keys[number % self.KEYS],
                                path=f"in/{number:04}.csr")
            for copy in range(number + self.DIFFERENT, self.REQUESTS, self.DIFFERENT):
                shutil.copy(path, requests / f"{copy:04}.csr")

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(make, range(self.DIFFERENT)))
        return sorted(str(path.relative_to(self.folder)) for path in requests.iterdir())

    def check(self, kills):
        """All certificates are whole and in the index, which lacks at most one file a kill."""
        index = self.list()
        for field in "fingerprint", "serial":
            self.assertEqual(len({one[field] for one in index}), len(index))
        entries = {one["file"]: one["fingerprint"] for one in index}  # the last one of each file
        files = {f"out/{path.name}": fingerprint(path)
                 for path in (self.folder / "out").glob("*.crt")}
        for name, found in files.items():
            self.assertEqual(entries[name], found)
        self.assertLessEqual(len(index) - len(files), kills)
        return len(files)

    def test_a_run_that_is_killed_anywhere_leaves_index_and_files_that_match(self):
        seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
        chance = random.Random(seed)
        authority = Authority("Acme")
        shutil.copy(authority.key, self.folder / "ca.key")
        (self.folder / "ca.key").chmod(0o600)
        shutil.copy(authority.cert, self.folder / "ca.crt")
        (self.folder / "ca.index").touch()
        requests = self.make_requests()
        with self.subTest(seed=seed):
            done = 0
            for kill in range(1, self.KILLS + 1):
                process = self.start("sign", "--ca", "ca", "--out", "out", *requests[done:],
                                     passphrase=None)
                for _ in range(chance.randrange(self.REQUESTS // (2 * self.KILLS))):
                    process.stdout.readline()
                time.sleep(chance.random() * 0.02)
                process.send_signal(signal.SIGKILL)
                _, err = process.communicate(timeout=LIMIT_S)
                self.assertEqual(process.returncode, -signal.SIGKILL)
                self.assertIsNone(FOUND.search(err), err)
                now = self.check(kill)
                self.assertGreaterEqual(now, done)
                done = now
            process = self.start("sign", "--ca", "ca", "--out", "out", *requests[done:],
                                 passphrase=None)
            out, err = process.communicate(timeout=10 * LIMIT_S)
            self.assertEqual(process.returncode, 0, err)
            self.assertIn(f"{self.REQUESTS - done} signed, 0 refused\n", out)
            self.assertEqual(self.check(self.KILLS), self.REQUESTS)
            paths = sorted((self.folder / "out").glob("*.crt"))
            openssl("verify", "-x509_strict", "-CAfile", self.folder / "ca.crt", *paths)


if __name__ == "__main__":
    unittest.main()
