# SPDX-License-Identifier: MIT
"""The certificates that other live tests rely on are what pki.py says of them."""

import subprocess
import unittest

from pki import EXPIRED, NOT_YET, Authority, openssl, self_signed
from server import LIMIT_S, need


def verify(certificate, root, *words):
    """What `openssl verify` says of a certificate with its chain."""
    done = subprocess.run(
        ["openssl", "verify", "-CAfile", root.cert, "-untrusted", certificate.chain, *words,
         certificate.cert], capture_output=True, encoding="utf-8", timeout=LIMIT_S)
    return "OK" if done.returncode == 0 else done.stdout + done.stderr


def text_of(certificate):
    return openssl("x509", "-noout", "-text", "-in", certificate.cert).decode()


@need("openssl")
class Pki(unittest.TestCase):

    def test_a_self_signed_certificate_verifies_by_itself(self):
        for key, algorithm in (("ec", "prime256v1"), ("p384", "secp384r1"),
                               ("rsa2048", "2048 bit"), ("ed25519", "ED25519")):
            with self.subTest(key):
                one = self_signed("Technician 7", key=key)
                self.assertIn(algorithm, text_of(one))
                self.assertRegex(text_of(one), "Subject: CN ?= ?Technician 7\n")
                self.assertEqual(verify(one, one), "OK")
                self.assertRegex(one.fingerprint, "^[0-9a-f]{64}$")
                one.context()

    def test_the_fingerprint_is_that_of_openssl(self):
        one = self_signed("one")
        shown = openssl("x509", "-noout", "-fingerprint", "-sha256", "-in", one.cert).decode()
        self.assertEqual(shown.partition("=")[2].strip().replace(":", "").lower(),
                         one.fingerprint)

    def test_a_chain_leads_to_its_root(self):
        root = Authority("root", key="rsa2048")
        middle = root.intermediate("middle", path_length=0)
        leaf = middle.issue("leaf")
        self.assertEqual(leaf.chain.read_text().count("BEGIN CERTIFICATE"), 2)
        self.assertEqual(root.issue("direct").chain.read_text().count("BEGIN CERTIFICATE"), 1)
        self.assertEqual(verify(leaf, root, "-purpose", "sslclient"), "OK")
        self.assertIn("unable to get", verify(leaf, Authority("root")))
        leaf.context()

    def test_dates_are_as_wanted(self):
        root = Authority("root")
        self.assertIn("has expired", verify(root.issue("late", valid=EXPIRED), root))
        self.assertIn("not yet valid", verify(root.issue("early", valid=NOT_YET), root))
        self.assertIn("has expired", verify(*2 * [self_signed("late", valid=EXPIRED)]))
        text = text_of(self_signed("ever", valid=("20200102030405Z", "99991231235959Z")))
        self.assertIn("Not Before: Jan  2 03:04:05 2020 GMT", text)
        self.assertIn("Not After : Dec 31 23:59:59 9999 GMT", text)

    def test_a_renewed_certificate_has_the_same_key(self):
        root = Authority("root")
        for one in (self_signed("one"), root.issue("one", valid=EXPIRED)):
            two = one.renewed()
            self.assertNotEqual(one.fingerprint, two.fingerprint)
            self.assertEqual(one.key_fingerprint, two.key_fingerprint)
            self.assertEqual(verify(two, one.issuer or two), "OK")

    def test_a_request_is_signed(self):
        root = Authority("root")
        one = self_signed("device")
        one.cert.write_text(root.sign((one.folder / "request.pem").read_text()))
        self.assertEqual(verify(one, root, "-purpose", "sslserver"), "OK")
        self.assertNotEqual(verify(one, root, "-purpose", "sslclient"), "OK")


if __name__ == "__main__":
    unittest.main()
