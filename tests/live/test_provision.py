# SPDX-License-Identifier: MIT
"""
/.provision, the trust manager as a folder: what an administrator sees and changes there with
any client, what is refused and then changes nothing, and that nobody else sees any of it.
"""

import json
import re
import ssl
import time
import unittest

from clients import Busy, CurlClient, LftpClient, PythonClient, all_clients, client_of
from pki import SERVER, Authority, openssl, self_signed
from server import (USER, Account, LiveCase, Server, built_with, content, cut, need, snapshot)

ADMIN, ADMIN_PASSWORD = "admin", "a secret of the administrator"
WHO = {"name": ADMIN, "password": ADMIN_PASSWORD}
FILES = {"device.csr", "device.crt", "device.json", "log.txt"}
FOLDERS = {"ca", "pending", "trusted"}


@need("openssl")
class FolderCase(LiveCase):
    """Each test has a server of its own: what one changes is no other's beginning."""

    options = {"client_certificate": "optional"}

    @classmethod
    def setUpClass(cls):
        if not built_with("PROVISION"):
            raise unittest.SkipTest("the folder is not built in")

    def setUp(self):
        self.server = Server(options=self.options)
        self.addCleanup(self.server.close)
        self.server.must("account", "add", ADMIN, "--admin", "--password-stdin",
                         given=ADMIN_PASSWORD + "\n")
        self.server.start()
        super().setUp()

    def admin(self, **how):
        return self.session(name=ADMIN, password=ADMIN_PASSWORD, **how)

    def table(self, *command):
        return json.loads(self.server.must(*command, "--json"))

    def become_pending(self, one):
        with self.server.secured(context=one.context()) as ftp:
            ftp.command(f"USER {USER}")

    def stores(self):
        return {name: data for name, data in snapshot(self.server.stores).items()
                if data != "special"}

    def populate(self):
        """One of everything. Returns what is pending and what is trusted, and the CA."""
        pending, trusted, ca = self_signed("one that asks"), self_signed("one"), Authority("CA 1")
        self.become_pending(pending)
        self.server.must("trust", trusted.cert, "--account", USER, "--label", "technician 7")
        self.server.must("ca", "add", ca.cert, "--name", "acme")
        return pending, trusted, ca


class Reading(FolderCase):

    def test_every_listing_shows_the_same(self):
        pending, _, _ = self.populate()
        ftp = self.admin()
        expected = {"/.provision": FILES | FOLDERS, "/.provision/ca": {"acme.crt"},
                    "/.provision/pending": {f"{pending.fingerprint}.crt"},
                    "/.provision/trusted": {"technician 7.crt"}}
        for folder, names in expected.items():
            with self.subTest(folder):
                facts = ftp.entries(folder)
                self.assertEqual(set(facts) - {".", ".."}, names)
                for name, fact in facts.items():
                    self.assertEqual(fact["type"] == "dir", name in FOLDERS, name)
                self.assertEqual(set(ftp.list(f"NLST {folder}")),
                                 {f"{folder[1:]}/{name}" for name in names})
                lines = ftp.list(f"LIST {folder}")
                self.assertEqual({line.split(None, 8)[8] for line in lines}, names)
                status = ftp.expect(f"STAT {folder}", 213)
                self.assertEqual({line.split(None, 8)[8] for line in status.lines[1:-1]}, names)

    def test_the_root_shows_it_to_administrators_only(self):
        for how, sees in (({"name": ADMIN, "password": ADMIN_PASSWORD}, True), ({}, False)):
            with self.server.session(**how) as ftp:
                for command in ("NLST", "LIST", "MLSD"):
                    shown = any(".provision" in line for line in ftp.list(command))
                    self.assertEqual(shown, sees, command)

    def test_one_walks_through_it(self):
        self.populate()
        ftp = self.admin()
        for command, where in (("CWD .provision", "/.provision"), ("CWD ca", "/.provision/ca"),
                               ("CDUP", "/.provision"), ("CWD /.provision/trusted/", None),
                               ("CWD ../pending", "/.provision/pending")):
            ftp.expect(command, 250)
            if where:
                self.assertIn(f'"{where}"', ftp.expect("PWD", 257).text)
        ftp.expect("CWD ..", 250)
        self.assertEqual(json.loads(ftp.get("device.json"))["running"], True)
        self.assertIn(b"BEGIN CERTIFICATE", ftp.get("ca/acme.crt"))
        for command in ("CWD nothing", "CWD device.csr", "CWD ca/acme.crt", "CWD device.csr/x"):
            ftp.expect(command, 550)
        ftp.expect("CDUP", 250)
        self.assertIn('"/"', ftp.expect("PWD", 257).text)

    def test_sizes_are_those_of_what_is_downloaded(self):
        pending, _, _ = self.populate()
        ftp = self.admin()
        ftp.expect("TYPE I", 200)
        for folder, names in (("", FILES), ("ca/", {"acme.crt"}),
                              ("trusted/", {"technician 7.crt"}),
                              ("pending/", {f"{pending.fingerprint}.crt"})):
            listed = ftp.entries(f"/.provision/{folder}")
            for name in names:
                with self.subTest(folder + name):
                    path = f"/.provision/{folder}{name}"
                    size = int(ftp.expect(f"SIZE {path}", 213).text)
                    got = ftp.get(path)
                    self.assertEqual(len(got), size)
                    self.assertEqual(int(listed[name]["size"]), size)
                    self.assertEqual(len(ftp.get(path, rest=size // 2)), size - size // 2)
                    ftp.expect(f"MDTM {path}", 213)
                    self.assertIn("type=file;", ftp.expect(f"MLST {path}", 250).lines[1].lower())

    def test_openssl_reads_what_every_client_downloads(self):
        pending, trusted, ca = self.populate()
        told = re.search("sha256:([0-9a-f]{64})", self.server.must("fingerprint"))[1]
        for client in all_clients(self):
            with self.subTest(type(client).__name__):
                def fetch(path):
                    return client.fetch(None, f"/.provision/{path}", **WHO)
                text = openssl("req", "-verify", "-noout", "-text", given=fetch("device.csr"))
                self.assertRegex(text.decode(), "CN ?= ?live-test")
                for path, digits in (("device.crt", told), ("ca/acme.crt", ca.fingerprint),
                                     (f"pending/{pending.fingerprint}.crt",
                                      pending.fingerprint)):
                    shown = openssl("x509", "-noout", "-fingerprint", "-sha256",
                                    given=fetch(path)).decode()
                    self.assertIn(digits, shown.replace(":", "").lower())
                self.assertIn(trusted.fingerprint.encode(), fetch("trusted/technician 7.crt"))
                status = json.loads(fetch("device.json"))
                self.assertEqual(set(status), set(self.table("status")))
                self.assertIn(b"event=", fetch("log.txt"))

    def test_the_log_tells_what_happened_and_no_secrets(self):
        self.populate()
        ftp = self.admin()
        log = ftp.get("/.provision/log.txt").decode()
        self.assertRegex(log, "event=trusted .*label=technician")
        self.assertRegex(log, "event=login")
        self.assertNotIn(ADMIN_PASSWORD, log)
        self.assertNotRegex(log, r"[^\n -~]")

    def test_lftp_mirrors_it(self):
        self.populate()
        lftp = client_of(self, LftpClient)
        lftp.must(None, "mirror --no-perms /.provision copy", **WHO)
        copy = snapshot(lftp.here / "copy")
        self.assertEqual({name.decode() for name in copy if b"/" not in name}, FILES | FOLDERS)
        self.assertEqual(len(copy), len(FILES | FOLDERS) + 3)
        self.assertIn(b"BEGIN CERTIFICATE", copy[b"ca/acme.crt"])

    def test_curl_lists_it(self):
        self.populate()
        curl = client_of(self, CurlClient)
        names = curl.must(None, "-l", self.server.url(".provision/"), **WHO).decode().split()
        self.assertEqual(set(names), FILES | FOLDERS)

    def test_an_administrator_of_a_part_sees_it_in_its_own_root(self):
        (self.server.root / "part").mkdir()
        self.server.must("account", "add", "partly", "--admin", "--root", "/part",
                         "--password-stdin", given="of a part\n")
        with self.server.session("partly", "of a part") as ftp:
            self.assertEqual(ftp.list("NLST"), [".provision"])
            ftp.expect("CWD .provision", 250)
            self.assertEqual(set(ftp.list("NLST")), FILES | FOLDERS)

    def test_a_certificate_can_make_an_administrator(self):
        boss = self_signed("the boss")
        self.server.must("trust", boss.cert, "--account", USER, "--admin")
        with self.server.session(password=None, context=boss.context()) as ftp:
            self.assertEqual(set(ftp.entries("/.provision")) - {".", ".."}, FILES | FOLDERS)
        with self.server.session() as ftp:  # the same account, but without it
            ftp.expect("CWD /.provision", 550)


def first_of(chain):
    """The first certificate of a file in PEM, as DER."""
    return ssl.PEM_cert_to_DER_cert(chain.partition("-----END CERTIFICATE-----\n")[0]
                                    + "-----END CERTIFICATE-----\n")


class Changing(FolderCase):

    def test_a_signed_chain_is_installed_by_every_client(self):
        for client in all_clients(self):
            with self.subTest(type(client).__name__):
                client.server = Busy(self.server)
                with self.server.session() as running:
                    before = running.sock.getpeercert(binary_form=True)
                    ca = Authority(f"CA for {type(client).__name__}").intermediate("Below")
                    with self.server.session(ADMIN, ADMIN_PASSWORD) as ftp:
                        chain = ca.sign(ftp.get("/.provision/device.csr").decode())
                    client.store(None, chain.encode(), "/.provision/device.crt", **WHO)
                    with self.server.session() as ftp:
                        after = ftp.sock.getpeercert(binary_form=True)
                    self.assertEqual(after, first_of(chain))
                    running.put("goes on", b"with the old one")
                    self.assertEqual(running.get("goes on"), b"with the old one")
                    self.assertEqual(running.sock.getpeercert(binary_form=True), before)
                self.server.wait_until_idle()
                with self.server.session(ADMIN, ADMIN_PASSWORD) as ftp:
                    self.assertEqual(ftp.get("/.provision/device.crt").decode().split(),
                                     chain.split())

    def test_cas_come_and_go_by_upload_and_delete(self):
        for client in all_clients(self):
            with self.subTest(type(client).__name__):
                ca = Authority(f"of {type(client).__name__}", key="rsa2048")
                client.store(None, ca.cert.read_bytes(), "/.provision/ca/acme.crt", **WHO)
                entry, = self.table("ca", "list")
                self.assertEqual(entry["fingerprint"], f"sha256:{ca.fingerprint}")
                self.assertEqual(entry["name"], "acme")
                client.store(None, ca.der, "/.provision/ca/acme.crt", **WHO)  # the same again
                client.remove(None, "/.provision/ca/acme.crt", **WHO)
                self.assertEqual(self.table("ca", "list"), [])

    def test_a_trusted_one_gets_another_label_by_rename(self):
        _, trusted, _ = self.populate()
        ftp = self.admin()
        ftp.expect("CWD /.provision/trusted", 250)
        ftp.expect("RNFR technician 7.crt", 350)
        ftp.expect("RNTO Technician Žofie.crt", 250)
        entry, = self.table("trusted")
        self.assertEqual((entry["label"], entry["account"], entry["fingerprint"]),
                         ("Technician Žofie", USER, f"sha256:{trusted.fingerprint}"))
        ftp.expect("RNFR Technician Žofie.crt", 350)
        ftp.expect(f"RNTO boss+{ADMIN}.crt", 250)
        self.assertEqual(self.table("trusted")[0]["account"], ADMIN)
        ftp.expect("DELE boss.crt", 250)
        self.assertEqual(self.table("trusted"), [])


class Refusing(FolderCase):
    """What is refused says why, with 55x, and leaves the stores byte for byte as they were."""

    def setUp(self):
        super().setUp()
        self.pending, self.trusted, self.ca = self.populate()
        self.ftp = self.admin()
        self.before = self.stores(), self.tables()

    def tables(self):
        return [self.table(*words) for words in (("trusted",), ("pending",), ("ca", "list"),
                                                 ("account", "list"))]

    def nothing_has_changed(self):
        self.assertEqual(self.tables(), self.before[1])
        self.assertTrue(self.stores() == self.before[0], "the stores have changed")

    def refused(self, payload, path, says, codes=(550, 552, 553, 554)):
        if isinstance(payload, str):
            payload = payload.encode()
        reply = self.ftp.store(f"STOR /.provision/{path}", payload)
        self.assertIn(reply.code, codes, reply)
        self.assertRegex(reply.text, f"(?i){says}")
        self.nothing_has_changed()

    def test_a_chain_that_is_not_the_devices(self):
        foreign = Authority("any CA").issue("foreign", extensions=SERVER)
        self.refused(foreign.cert.read_bytes(), "device.crt", "not for this device's key")

    def test_a_chain_in_the_wrong_order(self):
        below = Authority("root").intermediate("below")
        chain = below.sign(self.ftp.get("/.provision/device.csr").decode())
        own, _, rest = chain.partition("-----END CERTIFICATE-----\n")
        own += "-----END CERTIFICATE-----\n"
        self.refused(rest + own, "device.crt", "not for this device's key")
        other = Authority("root").intermediate("below").cert.read_text()
        self.refused(own + other, "device.crt", "signature in the chain is broken|order")
        self.refused(own + self_signed("stranger").cert.read_text(), "device.crt", "order")
        self.refused(own + rest * 4, "device.crt", "more certificates|order|long")

    def test_what_is_no_certificate(self):
        good = Authority("good").cert.read_text()
        lines = good.splitlines(keepends=True)
        for name, payload in (
                ("empty", ""), ("words", "this is not a certificate\n"),
                ("half", "".join(lines[:len(lines) // 2])),
                ("one digit off", good.replace(lines[3], lines[3][:10] + "!" + lines[3][11:])),
                ("noise", content(3000)), ("zeros", bytes(3000)),
                ("a key", self_signed("one").key.read_text()),
                ("a request", self.ftp.get("/.provision/device.csr")),
                ("half of DER", Authority("good").der[:-20])):
            for path in ("device.crt", "ca/new.crt", "trusted/new.crt"):
                with self.subTest(payload=name, path=path):
                    self.refused(payload, path, ".")

    def test_what_is_too_long(self):
        for path in ("device.crt", "ca/new.crt", "trusted/new.crt"):
            with self.subTest(path):
                self.refused(self.ca.cert.read_bytes() * 400, path, "too long|more|several")
                self.refused(b"\x30\x83\x10\0\0" + content(1_000_000), path, ".")

    def test_several_certificates_where_one_is_wanted(self):
        two = self.ca.cert.read_text() + self_signed("second").cert.read_text()
        self.refused(two, "ca/new.crt", "one certificate")
        self.refused(two, "trusted/new.crt", "one certificate")

    def test_a_ca_that_is_none(self):
        self.refused(self.ca.issue("client").cert.read_bytes(), "ca/new.crt", ".")
        self.refused(Authority("p384", key="p384").cert.read_bytes(), "ca/new.crt", "curve")

    def test_a_name_that_another_has(self):
        self.refused(Authority("second").cert.read_bytes(), "ca/acme.crt", "another CA")
        self.refused(self_signed("second").cert.read_bytes(),
                     f"trusted/technician 7+{USER}.crt", "another certificate has the label")
        self.refused(self.trusted.cert.read_bytes(), f"trusted/again+{USER}.crt",
                     "trusted already")

    def test_a_name_that_cannot_be_one(self):
        one = self_signed("one").cert.read_bytes()
        for name in (".hidden", "-dash", 'quo"te', "x" * 33, "a+nobody", f"+{USER}"):
            with self.subTest(name):
                self.refused(one, f"trusted/{name}.crt", ".")
        self.refused(one, "trusted/whose.crt", r"LABEL\+ACCOUNT")

    def test_full_tables(self):
        for number in range(built_with("CAS") - 1):
            self.server.must("ca", "add", Authority(f"more {number}").cert, "--name",
                             f"more{number}")
        for number in range(built_with("TRUSTED") - 1):
            self.server.must("trust", f"{number + 1:08x}" * 8, "--account", USER)
        self.before = self.stores(), self.tables()
        self.refused(Authority("one too many").cert.read_bytes(), "ca/new.crt",
                     "table of CAs is full", codes=(552,))
        self.refused(self_signed("one too many").cert.read_bytes(), f"trusted/new+{USER}.crt",
                     "table of trusted certificates is full", codes=(552,))
        self.ftp.expect(f"RNFR /.provision/pending/{self.pending.fingerprint}.crt", 350)
        self.assertIn("full", self.ftp.expect("RNTO /.provision/trusted/new.crt", 552).text)
        self.nothing_has_changed()

    def test_files_that_cannot_be_written(self):
        good = self.ca.cert.read_bytes()
        for path in ("device.json", "device.csr", "log.txt", "new", "new/file", "ca",
                     "pending/x.crt", f"pending/{self.pending.fingerprint}.crt", "trusted",
                     "ca/deeper/x.crt"):
            with self.subTest(path):
                self.refused(good, path, ".")

    def test_uploads_that_begin_in_the_middle(self):
        good = self_signed("one").cert.read_bytes()
        for command, rest in (("APPE", None), ("STOR", 10), ("STOU", None)):
            with self.subTest(command):
                reply = self.ftp.store(f"{command} /.provision/ca/new.crt", good, rest=rest)
                self.assertGreaterEqual(reply.code, 500, reply)
                self.nothing_has_changed()

    def test_an_upload_that_is_cut_off(self):
        good = Authority("never added").cert.read_bytes()
        for size in (0, len(good) // 2, len(good)):
            for path in ("ca/new.crt", f"trusted/new+{USER}.crt", "device.crt"):
                with self.subTest(size=size, path=path):
                    _, data = self.ftp.begin(f"STOR /.provision/{path}")
                    data.sendall(good[:size])
                    cut(data)  # all of it came, but without close_notify
                    self.ftp.expect_reply(426)
                    self.nothing_has_changed()
        self.ftp.put("/.provision/ca/new.crt", good)  # nothing of these is in the way

    def test_an_upload_that_is_aborted_or_loses_its_session(self):
        good = Authority("never added").cert.read_bytes()
        _, data = self.ftp.begin("STOR /.provision/ca/new.crt")
        with data:
            data.sendall(good)
            self.ftp.expect("ABOR", 426)
            self.ftp.expect_reply(226)
        self.nothing_has_changed()
        other = self.admin()
        _, data = other.begin("STOR /.provision/ca/new.crt")
        data.sendall(good)
        other.close()
        data.close()
        self.wait_for_one_session()
        self.nothing_has_changed()
        self.ftp.put("/.provision/ca/new.crt", good)

    def wait_for_one_session(self):
        for _ in range(400):
            if len(self.table("sessions")) == 1:
                return
            time.sleep(0.05)
        self.fail("a session that was given up does not end")

    def test_two_uploads_at_a_time(self):
        good = Authority("added").cert.read_bytes()
        other = self.admin()
        _, data = self.ftp.begin("STOR /.provision/ca/new.crt")
        reply = other.store("STOR /.provision/ca/other.crt", good)
        self.assertEqual(reply.code, 450, reply)
        self.assertIn("under way: try again", reply.text)
        with data:
            data.sendall(good)
            data.unwrap()
        self.ftp.expect_reply(226)
        self.assertEqual(len(self.table("ca", "list")), 2)

    def test_renames_that_make_no_sense(self):
        self.make("ordinary", b"file")
        pending = f"/.provision/pending/{self.pending.fingerprint}.crt"
        self.server.must("trust", self_signed("other").cert, "--account", USER, "--label",
                         "other")
        self.before = self.stores(), self.tables()
        for path, to in ((pending, "/taken.crt"), (pending, "/.provision/ca/x.crt"),
                         (pending, "/.provision/x.crt"), (pending, "/.provision/trusted"),
                         (pending, "/.provision/trusted/other.crt"),
                         (pending, "/.provision/trusted/x+nobody.crt"),
                         (pending, "/.provision/trusted/a/b.crt"),
                         ("/ordinary", "/.provision/ordinary"),
                         ("/ordinary", "/.provision/ca/ordinary.crt"),
                         ("/ordinary", "/.provision"),
                         ("/.provision", "/moved"), ("/.provision/ca", "/moved"),
                         ("/.provision/device.crt", "/device.crt"),
                         ("/.provision/device.crt", "/.provision/trusted/x.crt"),
                         ("/.provision/ca/acme.crt", "/.provision/ca/new.crt"),
                         ("/.provision/ca/acme.crt", "/.provision/trusted/new.crt"),
                         ("/.provision/trusted/other.crt", "/.provision/pending/x.crt"),
                         ("/.provision/trusted/other.crt", "/other.crt"),
                         ("/.provision/trusted/other.crt",
                          "/.provision/trusted/technician 7.crt")):
            with self.subTest(path=path, to=to):
                self.ftp.expect(f"RNFR {path}", 350)
                self.ftp.expect(f"RNTO {to}", 550, 553)
                self.nothing_has_changed()
        self.assertEqual(snapshot(self.server.root), {b"ordinary": b"file"})

    def test_folders_are_neither_made_nor_removed(self):
        for command in ("MKD /.provision/new", "MKD /.provision/ca/new", "MKD /.provision",
                        "RMD /.provision", "RMD /.provision/ca", "RMD /.provision/pending",
                        "DELE /.provision", "DELE /.provision/ca", "DELE /.provision/device.crt",
                        "DELE /.provision/device.json", "DELE /.provision/log.txt",
                        "DELE /.provision/nothing", "DELE /.provision/ca/nothing.crt",
                        "RMD /.provision/ca/acme.crt"):
            with self.subTest(command):
                self.ftp.expect(command, 550)
                self.nothing_has_changed()


class Strangers(FolderCase):

    def test_others_see_and_touch_nothing(self):
        pending, _, ca = self.populate()
        before = self.stores()
        with self.server.session() as ftp:
            for command in (
                    "CWD /.provision", "CWD .provision/ca", "LIST /.provision",
                    "NLST /.provision", "MLSD /.provision", "STAT /.provision",
                    "MLST /.provision", "MLST /.provision/device.json",
                    "SIZE /.provision/device.json", "MDTM /.provision/log.txt",
                    "RETR /.provision/device.json", "RETR /.provision/log.txt",
                    "RETR /.provision/device.csr", "DELE /.provision/ca/acme.crt",
                    "DELE /.provision/trusted/technician 7.crt", "RMD /.provision",
                    "MKD /.provision", "MKD /.provision/x", "RNFR /.provision/device.crt",
                    f"RNFR /.provision/pending/{pending.fingerprint}.crt",
                    "CWD /x/../.provision", "CWD //.provision//", "CWD /./.provision"):
                with self.subTest(command):
                    if command.startswith(("LIST", "NLST", "MLSD", "RETR")):
                        reply, got = ftp.receive(command)
                        self.assertEqual((reply.code, got), (550, b""))
                    else:
                        ftp.expect(command, 550)
            for path in ("ca/new.crt", "trusted/new.crt", "device.crt", "x"):
                with self.subTest(path):
                    reply = ftp.store(f"STOR /.provision/{path}", ca.cert.read_bytes())
                    self.assertEqual(reply.code, 550)
            self.make("ordinary", b"file")
            ftp.expect("RNFR ordinary", 350)
            ftp.expect("RNTO /.provision/trusted/x.crt", 550)
        self.assertTrue(self.stores() == before)
        self.assertEqual(snapshot(self.server.root), {b"ordinary": b"file"})

    def test_what_lies_there_on_the_medium_is_hidden_from_everybody(self):
        self.make(".provision/hidden", b"secret")
        for who in ({"name": ADMIN, "password": ADMIN_PASSWORD}, {}):
            with self.server.session(**who) as ftp:
                self.assertEqual(ftp.receive("RETR /.provision/hidden")[0].code, 550)
                self.assertNotIn("hidden", " ".join(ftp.list("LIST")))
                self.assertLessEqual(sum(".provision" in line for line in ftp.list("NLST")),
                                     1 if who else 0)

    def test_a_name_that_only_begins_so_is_an_ordinary_one(self):
        with self.server.session() as ftp:
            ftp.put("/.provisional", b"ordinary")
            self.assertEqual(ftp.get("/.provisional"), b"ordinary")
            ftp.expect("MKD /sub", 257)
            ftp.expect("MKD /sub/.provision", 257)

    def test_who_loses_the_right_loses_the_folder(self):
        boss = self_signed("the boss")
        self.server.must("trust", boss.cert, "--account", USER, "--admin")
        with self.server.session(password=None, context=boss.context()) as ftp:
            ftp.expect("CWD /.provision", 250)
            self.server.must("distrust", boss.fingerprint)
            ftp.expect_reply(421)

    def test_an_administrator_can_take_away_its_own_trust(self):
        boss = self_signed("the boss")
        self.server.must("trust", boss.cert, "--account", USER, "--admin", "--label", "me")
        with self.server.session(password=None, context=boss.context()) as ftp:
            ftp.expect("DELE /.provision/trusted/me.crt", 250)
            ftp.expect_reply(421)


if __name__ == "__main__":
    unittest.main()
