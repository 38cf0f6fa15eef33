# SPDX-License-Identifier: MIT
"""
The three security levels with clients of three TLS libraries' making: who is refused, with
which words, how an administrator lets them in, and what ends when trust ends.
"""

import functools
import json
import re
import ssl
import unittest

from clients import Busy, CurlClient, PythonClient, all_clients, client_of, s_client
from pki import EXPIRED, NOT_YET, Authority, openssl, self_signed
from server import (PASSWORD, USER, Account, LiveCase, Server, content, need, read_all,
                    read_what_comes, tls_context)

OTHER, ADMIN = "other", "admin"
ACCOUNTS = (Account(), Account(OTHER, "the other password"), Account(ADMIN, "a third password"))

make = functools.cache(self_signed)  # one certificate of a name is enough for many tests


def spelled(one):
    """The fingerprint as OpenSSL prints it, with what stands before it."""
    return openssl("x509", "-noout", "-fingerprint", "-sha256", "-in",
                   one.cert).decode().strip()


def digits_of(line):
    return line.partition("=")[2].replace(":", "").lower()


@need("openssl")
class LevelCase(LiveCase):
    options = {}

    @classmethod
    def make_server(cls):
        return Server(accounts=ACCOUNTS, options=cls.options)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.forget)

    def forget(self):
        """Nothing is trusted and nothing pending when the next test begins."""
        for command in ("trusted", "pending"):
            for entry in self.table(command):
                self.server.must("distrust", entry["fingerprint"])

    def table(self, command):
        return json.loads(self.server.must(*command.split(), "--json"))

    def pending(self, one):
        """Its entry in the pending list, None if there is none."""
        found = [entry for entry in self.table("pending")
                 if entry["fingerprint"] == f"sha256:{one.fingerprint}"]
        return found[0] if found else None

    def trust(self, one, *words, account=USER):
        return self.server.must("trust", one.cert, "--account", account, *words)

    def user(self, one, name=USER, **how):
        """What USER is answered, to a client that shows this certificate."""
        context = one.context() if one else tls_context()
        with self.server.secured(context=context, **how) as ftp:
            return ftp.command(f"USER {name}")

    def refused(self, one, text, name=USER):
        """The refusal has these words and the fingerprint, and nothing becomes pending."""
        before = self.table("pending")
        reply = self.user(one, name)
        self.assertEqual(reply.code, 530, reply)
        self.assertIn(f"Certificate sha256:{one.fingerprint} ", reply.text)
        self.assertRegex(reply.text, text)
        self.assertEqual(self.table("pending"), before)

    def works(self, client, one, **who):
        """It is let in, and its files come back as they went."""
        payload = content(50_000, one.fingerprint)
        client.store(one, payload, "by certificate", **who)
        self.assertEqual(self.path("by certificate").read_bytes(), payload)
        self.assertEqual(client.fetch(one, "by certificate", **who), payload)
        self.path("by certificate").unlink()

    def becomes_pending(self, client, one):
        """First contact: refused, told the fingerprint that OpenSSL prints, and remembered."""
        digits = digits_of(spelled(one))
        said = client.refusal(one)
        self.assertIn(f"sha256:{digits} is not trusted yet; it is pending", said)
        entry = self.pending(one)
        self.assertEqual(entry["fingerprint"], f"sha256:{digits}")
        self.assertEqual((entry["account"], entry["address"], entry["count"]),
                         (USER, "127.0.0.1", 1))
        self.assertIn(one.name, entry["subject"])
        self.assertRegex(self.server.must("pending"),
                         rf"fingerprint +sha256:{digits}\n(.*\n)+? +subject +CN={one.name}\n")


class Level1(LevelCase):
    """client_certificate = none, which is the default."""

    def test_no_certificate_is_asked_for_and_the_password_counts(self):
        said = s_client(self.server, one=make("unasked"))
        self.assertNotIn("Client Certificate Types", said)
        one = make("unasked")
        for client in all_clients(self):
            with self.subTest(type(client).__name__):
                self.works(client, one, password=PASSWORD)
        self.assertEqual(self.table("pending"), [])

    def test_a_trusted_certificate_is_not_enough_here(self):
        one = make("unasked")
        self.trust(one)
        self.assertEqual(self.user(one).code, 331)


class Level2(LevelCase):
    options = {"client_certificate": "pinned"}

    def test_every_client_is_refused_once_trusted_and_let_in(self):
        for key in ("ec", "rsa2048"):
            for client in all_clients(self):
                with self.subTest(key=key, client=type(client).__name__):
                    one = self_signed(f"{key} of {type(client).__name__}", key=key)
                    self.becomes_pending(client, one)
                    self.server.must("trust", one.fingerprint[:8], "--account", USER)
                    self.assertIsNone(self.pending(one))
                    self.works(client, one)
                    self.server.must("distrust", one.fingerprint)
                    self.assertIn("is not trusted yet", client.refusal(one))

    def test_the_password_is_no_way_around_it(self):
        one = make("with a password")
        with self.server.secured(context=one.context()) as ftp:
            ftp.expect(f"USER {USER}", 530)
            ftp.expect_end()
        reply = self.user(None)
        self.assertEqual(reply.code, 530)
        self.assertIn("A client certificate is needed", reply.text)
        for client in all_clients(self):
            with self.subTest(type(client).__name__):
                self.assertIn("A client certificate is needed", client.refusal(None))

    def test_all_clients_send_theirs_since_no_ca_is_named(self):
        said = s_client(self.server)
        self.assertIn("No client certificate CA names sent", said)
        self.assertRegex(said, r"Client Certificate Types:.*(RSA|ECDSA) sign.*(RSA|ECDSA) sign")
        for key in ("ec", "rsa2048"):
            with self.subTest(key):
                one = self_signed("s_client", key=key)
                said = s_client(self.server, one=one, given=f"USER {USER}\r\n")
                self.assertIn(f"530 Certificate sha256:{one.fingerprint} is not trusted", said)
                self.trust(one)
                said = s_client(self.server, one=one, given=f"USER {USER}\r\nQUIT\r\n")
                self.assertRegex(said, r"(?s)\n232 .*\n221 ")

    def test_it_is_trusted_by_any_name_of_its_fingerprint_or_by_its_file(self):
        one = make("many names")
        der = self.temporary() / "cert.der"
        der.write_bytes(one.der)
        line = spelled(one)
        for word in (one.fingerprint[:8], one.fingerprint[:8].upper(), one.fingerprint,
                     f"sha256:{one.fingerprint}", line, line.partition("=")[2],
                     line.partition("=")[2][:11], one.cert, der):
            with self.subTest(str(word)):
                self.assertEqual(self.user(one).code, 530)
                said = self.server.must("trust", word, "--account", USER, "--label", "of many")
                self.assertIn(one.fingerprint, said)
                self.assertEqual(self.user(one).code, 232)
                self.assertIsNone(self.pending(one))
                self.server.must("distrust", word)

    def test_what_has_never_come_is_trusted_by_its_file_or_whole_fingerprint(self):
        for how in ("cert", "fingerprint"):
            one = self_signed(f"in advance by {how}")
            self.server.must("trust", getattr(one, how), "--account", USER)
            self.assertEqual(self.user(one).code, 232)

    def test_trust_by_key_survives_renewal_and_exact_trust_does_not(self):
        by_key, exactly = self_signed("by key"), self_signed("exactly")
        self.trust(by_key)
        self.trust(exactly, "--exact")
        self.assertEqual(self.user(by_key.renewed()).code, 232)
        self.assertEqual(self.user(exactly).code, 232)
        self.assertEqual(self.user(exactly.renewed()).code, 530)

    def test_a_certificate_is_for_one_account(self):
        one = make("one account")
        self.trust(one)
        self.assertEqual(self.user(one).code, 232)
        self.refused(one, "is for another account", OTHER)
        self.refused(one, "is for another account", "nobody")

    def test_a_password_that_is_sent_anyway_is_taken(self):
        one = make("one account")
        self.trust(one)
        with self.server.secured(context=one.context()) as ftp:
            ftp.expect(f"USER {USER}", 232)
            ftp.expect("PASS whatever", 230)
            ftp.list()

    def test_dates_are_held_against_it(self):
        for valid, text in ((EXPIRED, "has expired"), (NOT_YET, "is not valid yet")):
            with self.subTest(text):
                one = self_signed(text, valid=valid)
                self.refused(one, text)
                self.trust(one)  # trust does not make up for it
                self.refused(one, text)

    def test_keys_that_the_device_does_not_take_are_refused_in_words(self):
        for key, text in (("rsa1024", "2048 to 4096 bits"), ("rsa8192", "2048 to 4096 bits"),
                          ("p384", "curve"), ("p521", "curve")):
            with self.subTest(key):
                self.refused(make(f"kind {key}", key=key), f"can't be used: .*{text}")

    def test_a_kind_of_key_that_was_not_asked_for_counts_as_none(self):
        reply = self.user(make("kind ed25519", key="ed25519"))
        self.assertEqual(reply.code, 530)
        self.assertIn("A client certificate is needed", reply.text)

    def test_a_certificate_without_its_key_is_worth_nothing(self):
        """Row 4.9 of the checklist."""
        """
        The thief has the certificate of somebody who is trusted and of somebody who is not,
        and a file that claims to be their key, so that OpenSSL plays along.
        """
        for name, is_trusted in (("victim", True), ("stranger", False)):
            with self.subTest(name):
                victim, thief = self_signed(name), self_signed("thief")
                if is_trusted:
                    self.trust(victim)
                forged = self.temporary() / "key.pem"
                forged.write_bytes(forge_key(thief, victim))
                with self.server.client() as ftp:
                    ftp.context = victim.context(key=forged)
                    ftp.expect("AUTH TLS", 234)
                    with self.assertRaises((ssl.SSLError, ConnectionError, EOFError)):
                        ftp.start_tls()
                        ftp.expect(f"USER {USER}", 232)
                self.assertIsNone(self.pending(victim))
                self.assertEqual(self.user(victim).code, 232 if is_trusted else 530)

    def test_implicit_tls_is_no_way_around_it(self):
        one = make("implicitly")
        self.assertEqual(self.user(one, implicit=True).code, 530)
        self.trust(one)
        self.assertEqual(self.user(one, implicit=True).code, 232)
        self.assertEqual(self.user(None, implicit=True).code, 530)


def der_of(tag, *parts):
    body = b"".join(parts)
    length = bytes([len(body)]) if len(body) < 128 else bytes([0x81, len(body)])
    return bytes([tag]) + length + body


def forge_key(thief, victim):
    """An ECPrivateKey (RFC 5915) with the private part of one and the public part of another."""
    scalar, point = (
        bytes.fromhex(re.sub(rb"[^0-9a-f]", b"", re.search(
            part + rb":\s+([0-9a-f:\s]+)", openssl("pkey", "-in", who.key, "-noout", "-text"))
            [1]).decode())
        for part, who in ((rb"priv", thief), (rb"pub", victim)))
    p256 = bytes.fromhex("06082a8648ce3d030107")
    key = der_of(0x30, der_of(2, b"\1"), der_of(4, scalar[-32:].rjust(32, b"\0")),
                 der_of(0xA0, p256), der_of(0xA1, der_of(3, b"\0", point)))
    return ssl.DER_cert_to_PEM_cert(key).replace("CERTIFICATE", "EC PRIVATE KEY").encode()


class Level2Folder(LevelCase):
    """Trust is given and taken away in /.provision, by an administrator's certificate."""

    options = {"client_certificate": "pinned"}

    def setUp(self):
        super().setUp()
        self.boss = make("the boss")
        self.trust(self.boss, "--admin", "--label", "boss", account=ADMIN)

    def as_boss(self, client, what, *words):
        return getattr(client, what)(self.boss, *words, name=ADMIN)

    def test_trust_by_rename(self):
        for client in all_clients(self):
            with self.subTest(type(client).__name__):
                one = self_signed(f"for {client}")
                client.refusal(one)
                self.as_boss(client, "move", f"/.provision/pending/{one.fingerprint}.crt",
                             "/.provision/trusted/technician 7.crt")
                self.assertIsNone(self.pending(one))
                entry, = [e for e in self.table("trusted") if e["label"] != "boss"]
                self.assertEqual((entry["label"], entry["account"], entry["admin"]),
                                 ("technician 7", USER, False))
                self.works(client, one)
                self.server.must("distrust", "technician 7")

    def test_trust_by_upload(self):
        for client in all_clients(self):
            with self.subTest(type(client).__name__):
                one = self_signed(f"by {client}")
                client.refusal(one)
                self.as_boss(client, "store", one.cert.read_bytes(),
                             "/.provision/trusted/technician 8.crt")
                self.assertIsNone(self.pending(one))
                self.works(client, one)
                self.server.must("distrust", "technician 8")

    def test_an_account_can_be_said_in_the_name(self):
        one = make("for another")
        self.as_boss(client_of(self, PythonClient), "store", one.cert.read_bytes(),
                     f"/.provision/trusted/guest+{OTHER}.crt")
        self.assertEqual(self.user(one, OTHER).code, 232)
        self.refused(one, "another account")

    def test_delete_ends_trust_and_the_running_session(self):
        for client in all_clients(self):
            with self.subTest(type(client).__name__):
                one = self_signed(f"deleted by {client}")
                self.trust(one, "--label", "short-lived")
                with LingeringSession(self, one) as lingering:
                    client.server = Busy(self.server)
                    self.as_boss(client, "remove", "/.provision/trusted/short-lived.crt")
                    lingering.is_ended()
                self.assertEqual(self.user(one).code, 530)

    def test_delete_rejects_what_is_pending(self):
        one = make("rejected")
        self.user(one)
        self.as_boss(client_of(self, PythonClient), "remove",
                     f"/.provision/pending/{one.fingerprint}.crt")
        self.assertIsNone(self.pending(one))
        self.assertEqual(self.user(one).code, 530)


class LingeringSession:
    """A session in the middle of a download, which must not outlive its certificate's trust."""

    def __init__(self, case, one, **how):
        self.case = case
        case.make("long", content(16_000_000))
        self.ftp = case.server.session(password=None, context=one.context(), **how)
        _, self.data = self.ftp.begin("RETR long", receive_buffer=8192)

    def __enter__(self):
        return self

    def is_ended(self):
        """Told so, and the download is cut off rather than ended in order."""
        with self.case.assertRaises((ssl.SSLError, ConnectionError)):
            read_all(self.data)
        said = self.ftp.rest_of_stream()
        self.case.assertRegex(said, rb"(?m)^421 .*not trusted any more")

    def __exit__(self, *_):
        self.data.close()
        self.ftp.close()


class EndOfTrust(LevelCase):
    options = {"client_certificate": "pinned"}

    def test_distrust_ends_its_sessions_and_no_others(self):
        gone, stays = make("gone"), make("stays")
        self.trust(gone)
        self.trust(stays)
        with self.server.session(password=None, context=stays.context()) as other:
            with LingeringSession(self, gone) as lingering:
                self.server.must("distrust", gone.fingerprint[:12])
                lingering.is_ended()
            other.list()
        self.assertEqual(self.user(gone).code, 530)

    def test_distrust_ends_a_session_that_waits(self):
        gone = make("gone")
        self.trust(gone)
        with self.server.session(password=None, context=gone.context()) as ftp:
            self.server.must("distrust", gone.fingerprint)
            ftp.expect_reply(421)
            ftp.expect_end()

    def test_distrust_ends_what_a_renewed_certificate_has_by_its_key(self):
        old = self_signed("old")
        self.trust(old)
        with self.server.session(password=None, context=old.renewed().context()) as ftp:
            self.server.must("distrust", old.fingerprint)
            ftp.expect_reply(421)

    def test_a_tls_session_of_before_is_no_way_back(self):
        """Row 4.8 of the checklist."""
        gone = make("gone")
        self.trust(gone)
        context = gone.context()
        with self.server.session(password=None, context=context) as ftp:
            before = ftp.sock.session
            self.server.must("distrust", gone.fingerprint)
            ftp.rest_of_stream()
        with self.server.client() as ftp:
            ftp.expect("AUTH TLS", 234)
            ftp.sock = context.wrap_socket(ftp.sock, session=before)
            self.assertFalse(ftp.sock.session_reused)
            ftp.expect(f"USER {USER}", 530)

    def test_the_end_of_an_account_ends_what_its_certificates_have(self):
        one = make("of a guest")
        self.server.add_account(Account("guest", "a guest's"))
        self.trust(one, account="guest")
        with self.server.session("guest", None, context=one.context()) as ftp:
            self.server.must("account", "remove", "guest")
            ftp.expect_reply(421)


class DataConnections(LevelCase):
    """A data connection resumes the session of its control connection, or shows the same."""

    options = {"client_certificate": "pinned"}

    def setUp(self):
        super().setUp()
        self.one = make("data")
        self.trust(self.one)
        self.make("secret", b"content")
        self.ftp = self.server.session(password=None, context=self.one.context())
        self.addCleanup(self.ftp.close)

    def gets(self):
        _, data = self.ftp.begin("RETR secret", reuse=False)
        with data:
            self.assertFalse(data.session_reused)
            self.assertEqual(read_all(data), b"content")
        self.ftp.expect_reply(226)

    def gets_nothing(self, context):
        self.ftp.context = context
        try:
            _, data = self.ftp.begin("RETR secret", reuse=False)
        except (ssl.SSLError, ConnectionError):
            pass
        else:
            with data:
                self.assertEqual(read_what_comes(data), b"")
        self.ftp.expect_reply(522)

    def test_the_same_certificate_is_as_good_as_a_resumed_session(self):
        self.gets()
        self.assertEqual(self.ftp.get("secret"), b"content")  # resumed
        self.ftp.put("uploaded", b"resumed")
        self.ftp.context = self.one.context()  # so that nothing can be resumed
        self.gets()

    def test_another_certificate_gets_522_and_not_a_byte(self):
        other = make("another")
        self.trust(other)  # trusted, even for the same account
        self.gets_nothing(other.context())
        self.gets_nothing(self.one.renewed().context())
        self.ftp.context = self.one.context()
        self.gets()

    def test_no_certificate_gets_522_and_not_a_byte(self):
        self.gets_nothing(tls_context())
        self.ftp.context = self.one.context()
        self.gets()

    def test_the_certificate_without_its_key_gets_522(self):
        forged = self.temporary() / "key.pem"
        forged.write_bytes(forge_key(make("thief"), self.one))
        self.gets_nothing(self.one.context(key=forged))

    def test_an_upload_by_another_leaves_no_file(self):
        self.ftp.context = make("another").context()
        try:
            _, data = self.ftp.begin("STOR foreign", reuse=False)
        except (ssl.SSLError, ConnectionError):
            pass
        else:
            with data:
                try:
                    data.sendall(b"foreign")
                    data.unwrap().close()
                except (OSError, ssl.SSLError):
                    pass
        self.ftp.expect_reply(522)
        self.assertFalse(self.path("foreign").exists())

    def test_a_client_that_does_not_resume_works_by_certificate(self):
        curl = client_of(self, CurlClient)
        self.ftp.quit()
        curl.must(self.one, "--no-sessionid", "-o", "got", self.server.url("secret"))
        self.assertEqual((curl.here / "got").read_bytes(), b"content")


class PasswordAlways(LevelCase):
    options = {"client_certificate": "pinned", "password": "always"}

    def test_both_are_asked_for(self):
        one = make("both")
        self.assertEqual(self.user(one).code, 530)
        self.trust(one)
        for client in all_clients(self):
            with self.subTest(type(client).__name__):
                self.works(client, one, password=PASSWORD)
        with self.server.secured(context=one.context()) as ftp:
            ftp.expect(f"USER {USER}", 331)
            ftp.expect("PASS wrong", 530)
            ftp.expect(f"USER {USER}", 331)
            ftp.expect(f"PASS {PASSWORD}", 230)

    def test_what_is_distrusted_before_the_password_comes_is_not_let_in(self):
        one = make("both")
        self.trust(one)
        with self.server.secured(context=one.context()) as ftp:
            ftp.expect(f"USER {USER}", 331)
            self.server.must("distrust", one.fingerprint)
            ftp.send(f"PASS {PASSWORD}")
            ftp.expect_reply(421, 530)


class Optional(LevelCase):
    """client_certificate = optional: for a fleet in which some have one."""

    options = {"client_certificate": "optional"}

    def test_who_has_none_logs_in_by_password(self):
        for client in all_clients(self):
            with self.subTest(type(client).__name__):
                client.store(None, b"by password", "by password", password=PASSWORD)
                self.assertEqual(self.path("by password").read_bytes(), b"by password")
                self.path("by password").unlink()

    def test_who_has_one_logs_in_by_password_until_it_is_trusted(self):
        for client in all_clients(self):
            with self.subTest(type(client).__name__):
                one = self_signed(f"optional {type(client).__name__}")
                self.works(client, one, password=PASSWORD)
                self.assertIsNotNone(self.pending(one))
                self.server.must("trust", one.fingerprint[:8], "--account", USER)
                self.works(client, one)

    def test_one_that_is_trusted_for_another_account_is_refused(self):
        one = make("optional")
        self.trust(one, account=OTHER)
        self.refused(one, "another account")

    def test_one_that_cannot_be_used_does_not_count(self):
        for one in (make("optional rsa1024", key="rsa1024"),
                    make("optional expired", valid=EXPIRED)):
            with self.subTest(one.name):
                self.assertEqual(self.user(one).code, 331)
                self.assertIsNone(self.pending(one))


@functools.cache
def authority(key):
    return Authority(f"Acme {key} CA", key=key)


class SignedCase(LevelCase):

    @classmethod
    def make_server(cls):
        server = super().make_server()
        for key in ("ec", "rsa2048"):
            server.must("ca", "add", authority(key).cert, "--name", f"acme-{key}",
                        *cls.ca_words)
        return server

    ca_words = ()

    def issued(self, what="client"):
        """Certificates of both CAs: with keys of both kinds, directly and by an intermediate."""
        for by in ("ec", "rsa2048"):
            ca = authority(by)
            for key in ("ec", "rsa2048"):
                yield ca.issue(f"{what} {key} of {by}", key=key)
            below = ca.intermediate(f"Field {by}", key=by)
            yield below.issue(f"{what} below {by}")
            yield below.intermediate("Office").issue(f"{what} far below {by}", key="rsa2048")


class Level3Ask(SignedCase):
    """client_certificate = signed, and signed_trust = ask, which is the default."""

    options = {"client_certificate": "signed"}

    def test_the_names_of_the_cas_are_sent(self):
        said = s_client(self.server)
        names = re.search(r"Acceptable client certificate CA names\n((?:.*\n)*?)Client Cert",
                          said)
        self.assertTrue(names, said)
        self.assertRegex(names[1], r"CN ?= ?Acme ec CA\n")
        self.assertRegex(names[1], r"CN ?= ?Acme rsa2048 CA\n")

    def test_a_signed_certificate_is_trusted_once_as_at_level_2(self):
        clients = all_clients(self)
        for number, one in enumerate(self.issued()):
            client = clients[number % len(clients)]
            with self.subTest(one.name, client=type(client).__name__):
                self.becomes_pending(client, one)
                self.server.must("trust", one.fingerprint[:8], "--account", USER)
                self.works(client, one)
                self.server.must("distrust", one.fingerprint)
                self.assertIn("is not trusted yet", client.refusal(one))

    def test_a_self_signed_one_is_refused_and_not_even_pending(self):
        for client in all_clients(self):
            with self.subTest(type(client).__name__):
                one = make("self-signed")
                if isinstance(client, PythonClient):
                    self.refused(one, "not signed by a CA of this device")
                    self.trust(one)  # which does not make up for it
                    self.refused(one, "not signed by a CA of this device")
                    continue
                # GnuTLS sends none where it has none that a CA of those named has signed.
                self.assertRegex(client.refusal(one), "not signed|certificate is needed")
                self.assertIsNone(self.pending(one))

    def test_one_of_a_stranger_with_the_name_of_a_ca_is_refused(self):
        false = Authority(authority("ec").name, key="ec")
        self.refused(false.issue("of a false CA"), "has not signed it")

    def test_one_whose_intermediate_is_missing_is_refused(self):
        one = authority("ec").intermediate("Left out").issue("cut off")
        one.chain.write_text(one.cert.read_text())
        self.refused(one, "not signed by a CA of this device")

    def test_one_by_a_client_instead_of_a_ca_is_refused(self):
        client = authority("ec").issue("no CA")
        one = self_signed("by no CA")
        one.cert.write_text(sign_with(client, one))
        one.chain.write_text(one.cert.read_text() + client.cert.read_text())
        self.refused(one, "is no CA")

    def test_dates_of_all_of_the_chain_count(self):
        ca = authority("rsa2048")
        self.refused(ca.issue("expired", valid=EXPIRED), "has expired")
        self.refused(ca.issue("early", valid=NOT_YET), "is not valid yet")
        below = ca.intermediate("Old field", valid=EXPIRED)
        self.refused(below.issue("below expired"), "a CA in the chain, has expired")
        below = ca.intermediate("New field", valid=NOT_YET)
        self.refused(below.issue("below early"), "a CA in the chain, is not valid yet")

    def test_keys_that_the_device_does_not_take_are_refused_in_words(self):
        for key, text in (("rsa1024", "2048 to 4096 bits"), ("p384", "curve")):
            with self.subTest(key):
                self.refused(authority("ec").issue(f"kind {key}", key=key),
                             f"can't be used: .*{text}")


def sign_with(signer, one):
    """A certificate for another's key by somebody who is no CA, as OpenSSL makes it anyway."""
    folder = one.folder
    request = folder / "again.csr"
    openssl("req", "-new", "-key", one.key, "-subj", f"/CN={one.name}", "-out", request,
            "-config", folder / "config")
    return openssl("x509", "-req", "-in", request, "-CA", signer.cert, "-CAkey", signer.key,
                   "-days", "30", "-sha256", "-set_serial", "7").decode()


class Level3Auto(SignedCase):
    options = {"client_certificate": "signed", "signed_trust": "auto"}
    ca_words = ("--account", USER)

    def test_the_signature_is_enough(self):
        clients = all_clients(self)
        for number, one in enumerate(self.issued("automatic")):
            client = clients[number % len(clients)]
            with self.subTest(one.name, client=type(client).__name__):
                self.works(client, one)
        self.assertEqual(self.table("pending"), [])
        self.assertEqual(self.table("trusted"), [])

    def test_only_to_the_account_of_its_ca(self):
        self.refused(authority("ec").issue("one account"), "another account", OTHER)

    def test_what_is_not_signed_is_refused(self):
        self.refused(make("self-signed"), "not signed by a CA of this device")
        self.refused(authority("ec").issue("expired", valid=EXPIRED), "has expired")

    def test_an_entry_goes_before_the_ca(self):
        one = authority("ec").issue("promoted")
        self.trust(one, account=OTHER)
        self.assertEqual(self.user(one, OTHER).code, 232)
        self.refused(one, "another account")


class Level3Changes(LevelCase):
    options = {"client_certificate": "signed", "signed_trust": "auto"}

    def test_a_ca_counts_from_its_addition_to_its_removal(self):
        ca = Authority("Short-lived CA")
        one = ca.issue("signed")
        self.refused(one, "not signed by a CA of this device")
        self.server.must("ca", "add", ca.cert, "--name", "short", "--account", USER)
        self.assertEqual(self.user(one).code, 232)
        with LingeringSession(self, one) as lingering:
            self.server.must("ca", "remove", "short")
            lingering.is_ended()
        self.refused(one, "not signed by a CA of this device")

    def test_without_an_account_of_the_ca_the_password_counts_as_well(self):
        ca = Authority("CA without account")
        self.server.must("ca", "add", ca.cert, "--name", "loose")
        self.addCleanup(self.server.must, "ca", "remove", "loose")
        one = ca.issue("signed")
        self.assertEqual(self.user(one).code, 331)
        self.assertEqual(self.user(one, OTHER).code, 331)
        self.works(client_of(self, PythonClient), one, password=PASSWORD)
        self.assertEqual(self.user(None).code, 530)


if __name__ == "__main__":
    unittest.main()
