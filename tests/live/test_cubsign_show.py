# SPDX-License-Identifier: MIT
"""
`cubsign show` and `cubsign verify` with files of OpenSSL and GnuTLS, in PEM and DER: what they
say is what these programs say of the same files.

    CUBSIGN   the program to test; by default the one beside the server's
"""

import datetime
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from pki import (CLIENT, EXPIRED, NOT_YET, SELF_SIGNED, SERVER, Authority, Certificate,
                 ca_extensions, openssl, self_signed)
from server import BINARY, ENVIRONMENT, FOUND, LIMIT_S, need

SIDE_BY_SIDE = True

CUBSIGN = Path(os.environ.get("CUBSIGN", BINARY.parent / "cubsign")).resolve()
PASSPHRASE = "correct horse battery staple"
NAMES = ("subjectAltName = DNS:router-17.example, IP:192.0.2.17, IP:2001:db8::17",)
CRITICAL_PURPOSE = tuple(line.replace("extendedKeyUsage = ", "extendedKeyUsage = critical, ")
                         for line in CLIENT)


def certtool(*words):
    done = subprocess.run(["certtool", *map(str, words)], capture_output=True, timeout=LIMIT_S)
    if done.returncode != 0:
        raise AssertionError(f"certtool {words}: {(done.stdout + done.stderr).decode()}")
    return done.stdout


def time_of(line):
    """2026-11-26T18:37:26Z, of what openssl writes as a date."""
    date = line.partition("=")[2].strip()
    return datetime.datetime.strptime(date, "%b %d %H:%M:%S %Y %Z").strftime("%Y-%m-%dT%H:%M:%SZ")


class Case(unittest.TestCase):

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cubsign-show-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_it(self, *words, code=0, given=b"", **variables):
        environment = {**ENVIRONMENT, **variables}
        if not variables:
            environment.pop("CUBSIGN_PASSPHRASE", None)
        done = subprocess.run([str(CUBSIGN), *map(str, words)], input=given, capture_output=True,
                              timeout=LIMIT_S, env=environment, cwd=self.folder,
                              start_new_session=True)
        out, err = done.stdout.decode(), done.stderr.decode()
        self.assertIsNone(FOUND.search(err), err)
        self.assertEqual(done.returncode, code, (words, out, err))
        return out, err

    def show(self, *words, **more):
        """The objects of JSON that it has for the given files."""
        return json.loads(self.run_it("show", "--json", *words, **more)[0])

    def show_one(self, *words, **more):
        shown = self.show(*words, **more)
        self.assertEqual(len(shown), 1, shown)
        return shown[0]

    def refuses(self, *words, says):
        """It ends with 1 and one line that names the file."""
        out, err = self.run_it("show", *words, code=1)
        self.assertRegex(err, rf"\Acubsign: {re.escape(str(words[-1]))}: [^\n]*{says}[^\n]*\n\Z")
        return out

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def request(self, name, *words, key="ec"):
        """A request by openssl; pki.py has the key."""
        one = self_signed("key", key=key)
        path = self.folder / name
        (self.folder / "config").write_text(
            "[req]\ndistinguished_name = empty\n[empty]\n")
        openssl("req", "-new", "-utf8", "-config", self.folder / "config", "-key", one.key,
                "-out", path, *words)
        return path, one


@need("openssl")
class Certificates(Case):

    def compare(self, path, shown):
        """Each field with what openssl says."""
        def ask(*words):
            return openssl("x509", "-in", path, "-noout", *words).decode().strip()

        def ask_name(which):
            return ask(which, "-nameopt", "sep_comma_plus_space,utf8").partition("=")[2].strip()

        self.assertEqual(shown["subject"], ask_name("-subject"))
        self.assertEqual(shown["issuer"], ask_name("-issuer"))
        self.assertEqual(int(shown["serial"], 16), int(ask("-serial").partition("=")[2], 16))
        digits = ask("-fingerprint", "-sha256").partition("=")[2].replace(":", "").lower()
        self.assertEqual(shown["fingerprint"], "sha256:" + digits)
        self.assertEqual(shown["not_before"], time_of(ask("-startdate")))
        self.assertEqual(shown["not_after"], time_of(ask("-enddate")))
        text = ask("-text")
        for field, title in (("subject_key_id", "Subject"), ("authority_key_id", "Authority")):
            found = re.search(rf"X509v3 {title} Key Identifier: *\n\s+(?:keyid:)?([0-9A-F:]+)\n",
                              text)
            self.assertEqual(shown.get(field),
                             found and found[1].replace(":", "").lower(), field)
        self.assertEqual(shown["ca"], "CA:TRUE" in text)
        found = re.search(r"pathlen:(\d+)", text)
        self.assertEqual(shown.get("path_length"), found and int(found[1]))
        for word, title in (("digitalSignature", "Digital Signature"),
                            ("keyCertSign", "Certificate Sign"), ("cRLSign", "CRL Sign")):
            self.assertEqual(word in shown["usage"], title in text, word)
        for word, title in (("serverAuth", "TLS Web Server"), ("clientAuth", "TLS Web Client")):
            self.assertEqual(word in shown["purposes"], title in text, word)
        found = re.search(r"Subject Alternative Name: *\n\s+(.*)\n", text)
        names = found[1].replace("IP Address:", "IP:").split(", ") if found else []
        self.assertEqual([name.lower() for name in shown["names"]],
                         [re.sub(r"(:0)+:", "::", name.lower()) for name in names])

    def test_fields_are_those_of_openssl(self):
        root = Authority("Root of Acme", key="rsa2048")
        for one, kind in ((root, "RSA 2048"),
                          (root.intermediate("Field", path_length=0), "P-256"),
                          (root.issue("router", extensions=SERVER + NAMES), "P-256"),
                          (root.issue("Techniker für München", key="p384"), "P-384"),
                          (self_signed("old", valid=EXPIRED), "P-256"),
                          (self_signed("bare", extensions=()), "P-256")):
            with self.subTest(one.name):
                shown = self.show_one(one.cert)
                self.assertEqual(shown["kind"], "certificate")
                self.assertEqual(shown["key_kind"], kind)
                self.assertEqual(shown["key"], "sha256:" + one.key_fingerprint)
                self.assertEqual(shown["self_signed"], one.issuer is None)
                self.compare(one.cert, shown)

    def test_pem_and_der_say_the_same_also_on_standard_input(self):
        one = self_signed("one")
        der = self.write("one.der", one.der)
        fields = self.show_one(one.cert)
        for other in (self.show_one(der), self.show_one("-", given=one.der),
                      self.show_one("-", given=one.cert.read_bytes())):
            self.assertEqual({**other, "file": ""}, {**fields, "file": ""})

    @need("certtool")
    def test_certificates_of_certtool_are_read(self):
        template = self.write("template", "cn = router-21\norganization = Acme\nserial = 77\n"
                              "dns_name = router-21\nip_address = 192.0.2.21\ntls_www_server\n"
                              "signing_key\nexpiration_days = 100\n")
        ca = self.write("ca", "cn = Acme CA\nca\ncert_signing_key\npath_len = 1\n")
        for kind in (("ecdsa", "--curve", "secp256r1"), ("rsa", "--bits", "2048")):
            for text in (template, ca):
                with self.subTest(kind=kind, text=text.name):
                    key, path = self.folder / "key", self.folder / "crt"
                    certtool("--generate-privkey", "--key-type", *kind, "--outfile", key)
                    certtool("--generate-self-signed", "--load-privkey", key, "--template", text,
                             "--outfile", path)
                    shown = self.show_one(path)
                    self.compare(path, shown)
                    self.assertEqual(shown["problems"], [])
                    self.assertTrue(shown["self_signed"])

    def problems(self, one):
        return self.show_one(one.cert)["problems"]

    def test_what_is_good_has_no_problems(self):
        root = Authority("root")
        for one in (root, root.issue("tech"), root.issue("device", extensions=SERVER + NAMES),
                    root.intermediate("middle"), self_signed("one")):
            with self.subTest(one.name):
                self.assertEqual(self.problems(one), [])
        self.assertRegex(self.run_it("show", root.cert)[0], r"\n    problems +none\n\Z")

    def test_problems_are_named(self):
        root = Authority("root")
        no_signing = ("basicConstraints = critical, CA:TRUE", "keyUsage = critical, cRLSign")
        no_ca = ("basicConstraints = critical, CA:FALSE", "keyUsage = critical, keyCertSign")
        for says, one in (
                ("has expired", root.issue("late", valid=EXPIRED)),
                ("not valid yet", root.issue("early", valid=NOT_YET)),
                ("no subjectAltName", root.issue("nameless", extensions=SERVER)),
                ("critical extension", root.issue("x", extensions=CLIENT + (
                    "1.2.3.4 = critical, DER:0500",))),
                ("does not allow keyCertSign", self_signed("x", extensions=no_signing)),
                ("but it is no CA", self_signed("x", extensions=no_ca)),
                ("2048 to 4096", self_signed("short", key="rsa1024")),
                ("curve is not", self_signed("long", key="p521")),
                ("Ed25519", self_signed("other", key="ed25519"))):
            with self.subTest(says):
                found = self.problems(one)
                self.assertRegex("\n".join(found), says)
                out = self.run_it("show", one.cert)[0]
                self.assertIn(f"    problems            {found[0]}\n", out)
                for more in found[1:]:
                    self.assertIn(f"\n{' ' * 24}{more}\n", out)

    def test_old_hashes_are_a_problem(self):
        one = self_signed("key")
        path = self.folder / "old.crt"
        for name, says in (("sha1", "SHA-1"), ("sha224", "SHA-224")):
            openssl("req", "-x509", f"-{name}", "-key", one.key, "-subj", "/CN=old", "-out", path)
            self.assertIn(f"it is signed with {says}", self.show_one(path)["problems"][0])

    def test_each_of_a_chain_is_shown_and_its_order_is_judged(self):
        root = Authority("root")
        middle = root.intermediate("middle")
        leaf = middle.issue("leaf")
        good = self.show(leaf.chain)
        self.assertEqual([one["subject"] for one in good], ["CN=leaf", "CN=middle"])
        self.assertEqual([one["problems"] for one in good], [[], []])
        wrong = self.write("wrong.crt", middle.cert.read_text() + leaf.cert.read_text())
        shown = self.show(wrong)
        self.assertRegex(shown[0]["problems"][0], "^the file as a chain: the order")
        self.assertEqual(shown[1]["problems"], [])
        self.assertEqual(self.run_it("show", leaf.chain)[0].count("\n\nfile "), 1)

    def test_a_name_can_not_play_tricks_on_the_terminal(self):
        one = self_signed("red \x1b[31m \u202e end")
        self.assertEqual(self.show_one(one.cert)["subject"], "CN=red ?[31m ??? end")
        self.assertNotIn("\x1b", self.run_it("show", one.cert)[0])


@need("openssl")
class Requests(Case):

    def test_fields_are_those_of_openssl(self):
        subject = "/C=DE/O=Acme GmbH/OU=Field/CN=router-17/emailAddress=tech@acme.example"
        for key, kind in (("ec", "P-256"), ("p384", "P-384"), ("rsa2048", "RSA 2048"),
                          ("rsa4096", "RSA 4096")):
            with self.subTest(key):
                path, one = self.request("one.csr", "-subj", subject, "-addext", NAMES[0],
                                         "-addext", "extendedKeyUsage = serverAuth", key=key)
                shown = self.show_one(path)
                asked = openssl("req", "-in", path, "-noout", "-subject", "-nameopt",
                                "sep_comma_plus_space,utf8").decode().partition("=")[2].strip()
                self.assertEqual(shown["kind"], "request")
                self.assertEqual(shown["subject"], asked)
                self.assertEqual(shown["key_kind"], kind)
                self.assertEqual(shown["key"], "sha256:" + one.key_fingerprint)
                self.assertEqual(shown["signature"], "good")
                self.assertEqual(shown["purposes"], ["serverAuth"])
                self.assertEqual(shown["names"], ["DNS:router-17.example", "IP:192.0.2.17",
                                                  "IP:2001:db8::17"])
                self.assertEqual(shown["problems"], [])

    def test_pem_of_both_labels_and_der_say_the_same(self):
        path, _ = self.request("one.csr", "-subj", "/CN=one")
        fields = self.show_one(path)
        pem = path.read_text()
        der = self.folder / "one.der"
        openssl("req", "-in", path, "-outform", "DER", "-out", der)
        new = self.write("new.csr", pem.replace("CERTIFICATE REQ", "NEW CERTIFICATE REQ"))
        text = self.write("text.csr", openssl("req", "-in", path, "-text"))
        for other in (der, new, text):
            self.assertEqual({**self.show_one(other), "file": ""}, {**fields, "file": ""})

    @need("certtool")
    def test_requests_of_certtool_are_read(self):
        template = self.write("template", "cn = router-21\norganization = Acme\n"
                              "dns_name = router-21\nip_address = 192.0.2.21\n"
                              "challenge_password = secret\ntls_www_server\nsigning_key\n")
        key, path = self.folder / "key", self.folder / "csr"
        for kind in (("ecdsa", "--curve", "secp256r1"), ("ecdsa", "--curve", "secp384r1"),
                     ("rsa", "--bits", "3072")):
            certtool("--generate-privkey", "--key-type", *kind, "--outfile", key)
            certtool("--generate-request", "--load-privkey", key, "--template", template,
                     "--outfile", path)
            shown = self.show_one(path)
            self.assertEqual(shown["subject"], "O=Acme, CN=router-21")
            self.assertEqual(shown["names"], ["DNS:router-21", "IP:192.0.2.21"])
            self.assertEqual((shown["signature"], shown["problems"]), ("good", []))

    def test_what_can_not_be_signed_is_shown_with_the_reason(self):
        def one(says, *words, key="ec", signature="good"):
            with self.subTest(says):
                shown = self.show_one(self.request("bad.csr", *words, key=key)[0])
                self.assertEqual(shown["signature"], signature)
                self.assertRegex(shown["problems"][0], says)

        one("can't be signed: .*SHA-1", "-subj", "/CN=x", "-sha1", signature="not good")
        one("can't be signed: .*PSS", "-subj", "/CN=x", "-sigopt", "rsa_padding_mode:pss",
            key="rsa2048", signature="not good")
        one("can't be signed: .*curve", "-subj", "/CN=x", key="p521", signature="not good")
        one("can't be signed: .*2048", "-subj", "/CN=x", key="rsa1024", signature="not good")
        one("can't be signed: .*name is empty", "-subj", "/")
        one("can't be signed: .*common name", "-subj", "/O=Acme")
        one("can't be signed: .*attribute other", "-subj", "/CN=x/title=Sir")
        one("names that can't be signed: .*wildcard", "-subj", "/CN=x", "-addext",
            "subjectAltName = DNS:*.example")
        one("asks to be a CA", "-subj", "/CN=x", "-addext", "basicConstraints = CA:TRUE")

    def test_a_broken_signature_is_seen(self):
        path, _ = self.request("one.csr", "-subj", "/CN=router-17")
        der = openssl("req", "-in", path, "-outform", "DER")
        forged = self.write("forged.der", der.replace(b"router-17", b"router-18"))
        shown = self.show_one(forged)
        self.assertEqual(shown["subject"], "CN=router-18")
        self.assertEqual(shown["signature"], "not good")
        self.assertRegex(shown["problems"][0], "signature is broken")


@need("openssl")
class Keys(Case):

    def key(self, *words, key="ec"):
        """A key as openssl writes it with these words, private by its mode."""
        one = self_signed("key", key=key)
        path = self.folder / "one.key"
        path.unlink(missing_ok=True)
        openssl("pkey", "-in", one.key, "-out", path, *words)
        path.chmod(0o600)
        return path, "sha256:" + one.key_fingerprint

    def test_a_key_is_told_by_its_public_half(self):
        for key, kind in (("ec", "P-256"), ("rsa2048", "RSA 2048"), ("p384", "P-384")):
            for words in ((), ("-traditional",), ("-outform", "DER")):
                with self.subTest(key=key, words=words):
                    path, digits = self.key(*words, key=key)
                    shown = self.show_one(path)
                    self.assertEqual(shown["kind"], "private key")
                    self.assertEqual((shown["key_kind"], shown["key"]), (kind, digits))
                    self.assertEqual(shown["problems"], ["it is not encrypted"])

    def test_a_key_that_others_can_read_is_a_problem(self):
        path, _ = self.key()
        path.chmod(0o640)
        self.assertRegex("\n".join(self.show_one(path)["problems"]), "others than its owner")

    def encrypted(self, *words):
        return self.key("-aes256", "-passout", f"pass:{PASSPHRASE}", *words)

    def test_an_encrypted_key_is_not_opened_unasked(self):
        der = self.folder / "der.key"
        openssl("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", self.key()[0], "-passout",
                f"pass:{PASSPHRASE}", "-outform", "DER", "-out", der)
        der.chmod(0o600)
        for words in ((), ("-traditional",), None):
            with self.subTest(words):
                path = der if words is None else self.encrypted(*words)[0]
                shown = self.show_one(path)
                self.assertNotIn("key", shown)
                self.assertRegex(shown["protection"], "AES-256-CBC")
                self.assertEqual(shown["problems"], [])

    def test_an_encrypted_key_is_opened_where_there_is_a_passphrase(self):
        path, digits = self.encrypted()
        file = self.write("secret", PASSPHRASE + "\n")
        file.chmod(0o600)
        for shown in (self.show_one("--passphrase-file", file, path),
                      self.show_one(path, CUBSIGN_PASSPHRASE=PASSPHRASE)):
            self.assertEqual((shown["key"], shown["problems"]), (digits, []))
        shown = self.show_one(path, CUBSIGN_PASSPHRASE="another")
        self.assertNotIn("key", shown)
        self.assertRegex(shown["problems"][0], "can't be opened: ")
        self.assertRegex(shown["protection"], "AES-256-CBC")

    def test_a_file_may_hold_a_chain_and_its_key(self):
        leaf = Authority("root").intermediate("middle").issue("leaf")
        shown = self.show(leaf.pem)
        self.assertEqual([one["kind"] for one in shown],
                         ["certificate", "certificate", "private key"])
        self.assertEqual(shown[0]["key"], shown[2]["key"])

    def test_no_secret_is_shown(self):
        path, _ = self.key()
        text = openssl("pkey", "-in", path, "-noout", "-text").decode()
        private = re.search(r"priv:\n((?:\s+[0-9a-f:]+\n)+)", text)[1]
        digits = re.sub(r"[\s:]", "", private)
        self.assertNotIn(digits, self.run_it("show", path)[0])


class Files(Case):

    def test_what_is_none_of_these_is_refused(self):
        one = self_signed("one")
        der = one.der
        self.refuses(self.write("empty", ""), says="there is no certificate")
        self.refuses(self.write("text", "hello\n"), says="there is no certificate")
        self.refuses(self.folder / "missing", says="No such file")
        self.refuses(self.folder, says="no file")
        self.refuses(self.write("short", der[:-1]), says="damaged")
        self.refuses(self.write("long", der + b"\0"), says="damaged")
        self.refuses(self.write("pem", one.cert.read_text().replace("M", "*", 1)), says="broken")
        self.refuses(self.write("huge", b"0" * 100000), says="too long")

    def test_one_bad_file_does_not_hide_the_others(self):
        one, bad = self_signed("one"), self.write("bad", "hello\n")
        shown = self.show(one.cert, bad, one.cert, code=1)
        self.assertEqual([fields["subject"] for fields in shown], ["CN=one", "CN=one"])


@need("openssl")
class Verify(Case):

    @classmethod
    def setUpClass(cls):
        cls.root = Authority("Acme Device CA")

    def verify(self, *files, code, ca=None):
        shutil.copy((ca or self.root).cert, self.folder / "acme.crt")
        words = ("verify", "--ca", self.folder / "acme")
        out = json.loads(self.run_it(*words, "--json", *files, code=code)[0])
        lines = self.run_it(*words, *files, code=code)[0].splitlines()
        self.assertEqual(len(out), len(files))
        self.assertEqual(len(lines), len(files))
        for one, line, file in zip(out, lines, files):
            self.assertEqual(one["file"], str(file))
            self.assertTrue(line.startswith(
                f"{file}: {'accepted' if one['accepted'] else 'refused'}: "), line)
        return out, lines

    def verify_one(self, one, code=0, **more):
        out, lines = self.verify(one.chain, code=code, **more)
        return out[0], lines[0]

    def test_it_says_what_a_certificate_is_good_for(self):
        fields, line = self.verify_one(self.root.issue("tech"))
        self.assertTrue(fields["client"] and not fields["device"])
        self.assertIn("by devices at level 3", line)
        fields, line = self.verify_one(self.root.issue("device", extensions=SERVER + NAMES))
        self.assertTrue(fields["device"] and not fields["client"])
        self.assertIn("by clients that trust this CA", line)
        fields, line = self.verify_one(self.root.issue("both", extensions=CLIENT[:2]))
        self.assertTrue(fields["device"] and fields["client"])
        fields, line = self.verify_one(self.root.issue("x", extensions=CRITICAL_PURPOSE))
        self.assertTrue(fields["client"] and not fields["device"])

    def test_a_chain_leads_to_the_ca(self):
        middle = self.root.intermediate("middle", path_length=0)
        leaf = middle.issue("leaf")
        self.assertTrue(self.verify_one(leaf)[0]["accepted"])
        self.assertTrue(self.verify_one(leaf, ca=middle)[0]["accepted"])
        out, _ = self.verify(leaf.cert, code=1)
        self.assertIn("not signed by a CA", out[0]["reason"])
        self.assertTrue(self.verify_one(middle)[0]["ca"])

    def test_what_a_device_refuses_is_refused_with_the_reason(self):
        brief = self.root.intermediate("none", path_length=0).intermediate("below")
        for says, one in (
                ("not signed by a CA", self_signed("stranger")),
                ("has not signed", Authority("Acme Device CA").issue("forged")),
                ("expired", self.root.issue("late", valid=EXPIRED)),
                ("expired", self.root.issue("late device", valid=EXPIRED, extensions=SERVER)),
                ("not signed by a CA", Authority("other").issue("x", extensions=SERVER)),
                ("not valid yet", self.root.issue("early", valid=NOT_YET)),
                ("critical", self.root.issue("x", extensions=("1.2.3.4 = critical, DER:0500",))),
                ("path length", brief.issue("x")),
                ("for something else", self.root.issue("x", extensions=(
                    "extendedKeyUsage = codeSigning",))),
                ("digitalSignature", self.root.issue("x", extensions=(
                    "keyUsage = critical, keyEncipherment",))),
                ("2048 to 4096", self.root.issue("short", key="rsa1024"))):
            with self.subTest(says):
                fields, line = self.verify_one(one, code=1)
                self.assertFalse(fields["accepted"])
                self.assertRegex(fields["reason"], says)
                self.assertIn(fields["reason"], line)

    def test_p384_is_said_to_need_a_device_that_has_it(self):
        self.assertFalse(self.verify_one(self.root.issue("x"))[0]["needs_p384"])
        self.assertTrue(self.verify_one(self.root.issue("x", key="p384"))[0]["needs_p384"])
        large = Authority("large", key="p384")
        self.assertTrue(self.verify_one(large.issue("x"), ca=large)[0]["needs_p384"])

    def test_one_that_is_refused_makes_the_exit_code(self):
        good, bad = self.root.issue("good"), self_signed("bad")
        out, _ = self.verify(good.cert, bad.cert, good.cert, code=1)
        self.assertEqual([one["accepted"] for one in out], [True, False, True])

    def test_a_file_that_is_no_certificate_is_refused(self):
        out, _ = self.verify(self.write("text", "hello\n"), self.folder / "missing", code=1)
        self.assertEqual(out[0]["reason"], "there is no certificate in it")
        self.assertEqual(out[1]["reason"], "No such file or directory")

    def test_a_ca_that_no_device_takes_is_refused(self):
        plain = self_signed("plain", extensions=CLIENT)
        for says, ca in (("not a CA's", plain), ("expired", Authority("late", valid=EXPIRED)),
                         ("too long", Certificate("large", extensions=ca_extensions() + (
                             "nsComment = " + "x" * 2000,)))):
            with self.subTest(says):
                shutil.copy(ca.cert, self.folder / "acme.crt")
                _, err = self.run_it("verify", "--ca", "acme", plain.cert, code=1)
                self.assertRegex(err, rf"\Acubsign: acme: a device can't take this CA: .*{says}")
        _, err = self.run_it("verify", "--ca", "missing", plain.cert, code=1)
        self.assertRegex(err, r"\Acubsign: missing.crt: No such file or directory\n\Z")

    def test_a_self_signed_certificate_that_is_its_own_ca_is_told(self):
        one = self_signed("one", extensions=SELF_SIGNED)
        self.assertTrue(self.verify_one(one, ca=one)[0]["ca"])


if __name__ == "__main__":
    unittest.main()
