# SPDX-License-Identifier: MIT
"""Files: large ones, broken uploads, what may not be touched, and large folders."""

import os
import re
import socket
import subprocess
import unittest

from server import (ENVIRONMENT, LIMIT_S, PASSWORD, USER, Account, LiveCase, Server, content, cut,
                    links_are_followed, need, read_all, reset, snapshot)

GIB = 1 << 30
NOBODY = 65534


class Large(LiveCase):
    """5 GiB, most of it a hole: offsets and sizes beyond 32 bits."""

    size = 5 * GIB
    marks = (0, 2 * GIB - 500, 4 * GIB - 500, 4 * GIB + 12345, 5 * GIB - 1000)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file = cls.server.root / "large"
        with open(cls.file, "wb") as file:
            file.truncate(cls.size)
            for number, mark in enumerate(cls.marks):
                file.seek(mark)
                file.write(content(1000, number))

    def curl(self, *words):
        done = subprocess.run(
            ["curl", "-q", "-sS", "-k", "--ssl-reqd", "--max-time", str(LIMIT_S), "-u",
             f"{USER}:{PASSWORD}", *map(str, words)], capture_output=True, timeout=2 * LIMIT_S,
            env=ENVIRONMENT)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_the_size_is_told_in_full_everywhere(self):
        ftp = self.session()
        ftp.expect("TYPE I", 200)
        self.assertEqual(ftp.expect("SIZE large", 213).text, str(self.size))
        self.assertEqual(ftp.entries()["large"]["size"], str(self.size))
        self.assertIn(f"size={self.size};", str(ftp.expect("MLST large", 250)).lower())
        line = next(line for line in ftp.list("LIST") if line.endswith(" large"))
        self.assertEqual(line.split()[4], str(self.size))

    def test_a_download_starts_beyond_4_gib(self):
        ftp = self.session()
        _, data = ftp.begin("RETR large", rest=self.marks[-1])
        got = b""
        while len(got) < 2000 and (part := data.recv(2000)):  # no more than that, if it is wrong
            got += part
        data.close()
        self.assertEqual(got, content(1000, 4))
        ftp.expect_reply(226)
        _, data = ftp.begin("RETR large", rest=self.marks[3])
        got = b""
        while len(got) < 1000:
            got += data.recv(1000 - len(got))
        self.assertEqual(got, content(1000, 3))
        ftp.expect("ABOR", 426)
        ftp.expect_reply(226)
        data.close()

    def test_an_offset_beyond_the_end_is_refused(self):
        ftp = self.session()
        reply = ftp.command(f"REST {self.size + 1}")
        if reply.code == 350:
            reply, got = ftp.receive("RETR large")
            self.assertEqual(got, b"")
        self.assertIn(reply.code, (501, 554))

    @need("curl")
    def test_curl_gets_ranges_beyond_4_gib(self):
        for number, mark in enumerate(self.marks):
            with self.subTest(mark):
                got = self.curl("-r", f"{mark}-{mark + 999}", self.server.url("large"))
                self.assertEqual(got, content(1000, number))
        self.assertEqual(self.curl("-r", "-1000", self.server.url("large")), content(1000, 4))

    @need("curl")
    def test_curl_resumes_beyond_4_gib_in_both_directions(self):
        here = self.temporary()
        with open(here / "part", "wb") as file:
            file.truncate(self.marks[-1])
        self.curl("-C", "-", "-o", here / "part", self.server.url("large"))
        with open(here / "part", "rb") as file:
            file.seek(self.marks[-1])
            self.assertEqual(file.read(), content(1000, 4))
        (here / "part").unlink()

        target = self.path("grown")
        with open(target, "wb") as file:
            file.truncate(self.marks[-1])
        self.curl("-C", self.marks[-1], "-T", self.file, self.server.url("grown"))
        self.assertEqual(target.stat().st_size, self.size)
        with open(target, "rb") as file:
            file.seek(self.marks[-1])
            self.assertEqual(file.read(), content(1000, 4))
        target.unlink()

    def test_an_upload_with_rest_writes_beyond_4_gib(self):
        """Row 4.30 of the checklist."""
        target = self.path("patched")
        with open(target, "wb") as file:
            file.truncate(4 * GIB + 50)
        ftp = self.session()
        ftp.put("patched", b"beyond", rest=4 * GIB + 50)
        with open(target, "rb") as file:
            file.seek(4 * GIB + 50)
            self.assertEqual(file.read(), b"beyond")
        target.unlink()


class BrokenUploads(LiveCase):
    """A client vanishes: what was there stays, and nothing says that the upload succeeded."""

    old = b"the old file" * 1000

    def ways(self):
        return {"FIN": cut, "RST": reset}

    def test_an_upload_without_close_notify_is_426_and_the_old_file_stays(self):
        """Row 4.13 of the checklist."""
        for name, vanish in self.ways().items():
            for size in (0, 1, 100_000, 1_000_000):
                with self.subTest(f"{name} after {size}"):
                    self.make("broken/kept", self.old)
                    ftp = self.session()
                    _, data = ftp.begin("STOR broken/kept")
                    data.sendall(content(size))
                    vanish(data)
                    ftp.expect_reply(426)
                    self.assertEqual(self.path("broken/kept").read_bytes(), self.old)
                    self.assertEqual(ftp.get("broken/kept"), self.old)
                    ftp.put("broken/kept", b"new")
                    self.assertEqual(self.path("broken/kept").read_bytes(), b"new")
                    self.assertEqual(list(ftp.entries("broken")), ["kept"])
                    ftp.quit()

    def test_an_upload_that_is_cut_within_a_record_is_426(self):
        for name, vanish in self.ways().items():
            with self.subTest(name):
                self.make("kept", self.old)
                ftp = self.session()
                _, data = ftp.begin("STOR kept")
                data.sendall(content(50_000))
                raw = socket.socket(fileno=data.detach())
                raw.sendall(b"\x17\x03\x03\x40\x00" + b"half a record")
                vanish(raw)
                ftp.expect_reply(426)
                self.assertEqual(self.path("kept").read_bytes(), self.old)

    def test_forged_bytes_in_an_upload_are_426(self):
        self.make("kept", self.old)
        ftp = self.session()
        _, data = ftp.begin("STOR kept")
        data.sendall(content(50_000))
        raw = socket.socket(fileno=data.detach())
        raw.sendall(b"\x17\x03\x03\x00\x40" + b"x" * 64)
        # A forged close_notify is not one either.
        raw.sendall(b"\x15\x03\x03\x00\x02\x01\x00")
        ftp.expect_reply(426)
        raw.close()
        self.assertEqual(self.path("kept").read_bytes(), self.old)
        ftp.expect("NOOP", 200)

    def test_a_client_that_vanishes_altogether_leaves_the_old_file(self):
        """Row 4.13 of the checklist."""
        for name, vanish in self.ways().items():
            for first in ("control", "data"):
                with self.subTest(f"{name}, {first} first"):
                    self.make("kept", self.old)
                    ftp = self.session()
                    _, data = ftp.begin("STOR kept")
                    data.sendall(content(200_000))
                    for sock in ((ftp.sock, data) if first == "control" else (data, ftp.sock)):
                        vanish(sock)
                    after = self.session()
                    self.assertEqual(after.get("kept"), self.old)
                    after.put("kept", b"new")
                    self.assertEqual(self.path("kept").read_bytes(), b"new")
                    after.quit()

    def test_the_old_file_is_whole_while_an_upload_runs(self):
        self.make("kept", self.old)
        ftp, other = self.session(), self.session()
        _, data = ftp.begin("STOR kept")
        data.sendall(content(500_000))
        self.assertEqual(other.get("kept"), self.old)
        data.sendall(content(1000))
        data.unwrap().close()
        ftp.expect_reply(226)
        self.assertEqual(other.get("kept"), content(500_000) + content(1000))

    def test_a_download_goes_on_when_its_file_is_replaced(self):
        payload = content(8_000_000)
        self.make("replaced", payload)
        ftp, other = self.session(), self.session()
        _, data = ftp.begin("RETR replaced", receive_buffer=8192)
        got = data.recv(1000)
        other.put("replaced", b"new")
        with data:
            got += read_all(data)
        self.assertEqual(got, payload)
        ftp.expect_reply(226)
        self.assertEqual(other.get("replaced"), b"new")

    def test_of_two_uploads_of_one_name_the_last_to_end_stays(self):
        ftp, other = self.session(), self.session()
        one, two = content(300_000, 1), content(200_000, 2)
        _, first = ftp.begin("STOR contested")
        _, second = other.begin("STOR contested")
        first.sendall(one[:100_000])
        second.sendall(two[:100_000])
        first.sendall(one[100_000:])
        second.sendall(two[100_000:])
        for data, session, payload in ((second, other, two), (first, ftp, one)):
            data.unwrap().close()
            session.expect_reply(226)
            self.assertEqual(self.path("contested").read_bytes(), payload)

    def test_the_last_bytes_and_close_notify_in_one_segment_are_all_stored(self):
        ftp = self.session()
        for size in (1, 100, 16384, 16385, 40_000):
            _, data = ftp.begin("STOR tail")
            data.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            data.sendall(content(size, size))
            data.unwrap().close()
            ftp.expect_reply(226)
            self.assertEqual(self.path("tail").read_bytes(), content(size, size))

    def test_the_temporary_file_of_an_upload_cannot_be_named(self):
        ftp, other = self.session(), self.session()
        _, data = ftp.begin("STOR unfinished")
        data.sendall(content(100_000))
        for hidden in {path.name for path in self.server.root.iterdir()} - set(other.entries()):
            with self.subTest(hidden):
                other.expect(f"DELE {hidden}", 553)
                other.expect(f"SIZE {hidden}", 553)
                self.assertEqual(other.store(f"STOR {hidden}", b"x").code, 553)
        data.unwrap().close()
        ftp.expect_reply(226)
        self.assertEqual(self.path("unfinished").read_bytes(), content(100_000))
        self.assertEqual({path.name for path in self.server.root.iterdir()},
                         set(other.entries()))


class PowerCut(LiveCase):
    """The server dies in the middle of it, and comes back."""

    @classmethod
    def setUpClass(cls):
        pass

    def setUp(self):
        self.server = self.own_server()

    def test_an_upload_that_was_cut_leaves_the_old_file_and_nothing_for_ever(self):
        old = content(50_000)
        self.make("folder/kept", old)
        for name in ("folder/kept", "folder/new"):
            ftp = self.session()
            _, data = ftp.begin(f"STOR {name}")
            data.sendall(content(500_000, 2))
            other = self.session()
            other.expect("NOOP", 200)
            self.server.process.kill()
            self.server.process.wait()
            data.close()
            ftp.close()
            self.assertEqual(self.path("folder/kept").read_bytes(), old)
            self.server.start()
        ftp = self.session()
        self.assertEqual(ftp.get("folder/kept"), old)
        # What is left of the upload must not keep its folder from being removed.
        for name in ftp.entries("folder"):
            ftp.expect(f"DELE folder/{name}", 250)
        ftp.expect("RMD folder", 250)
        self.assertFalse(self.path("folder").exists())


class Refusals(LiveCase):
    """What may not be read or written, and the reply that says so."""

    @classmethod
    def make_server(cls):
        return Server(user=NOBODY if os.geteuid() == 0 else None)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        root = cls.server.root
        (root / "locked").mkdir()
        (root / "locked" / "file").write_bytes(b"locked")
        (root / "hidden").mkdir()
        (root / "hidden" / "file").write_bytes(b"hidden")
        (root / "unreadable").write_bytes(b"unreadable")
        (root / "folder").mkdir()
        if cls.server.user is not None:
            os.chown(root / "folder", cls.server.user, cls.server.user)
        (root / "unreadable").chmod(0)
        (root / "locked").chmod(0o555)
        (root / "hidden").chmod(0)
        cls.addClassCleanup((root / "hidden").chmod, 0o755)
        cls.addClassCleanup((root / "locked").chmod, 0o755)
        os.mkfifo(root / "pipe", 0o666)
        (root / "pipe").chmod(0o666)
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(str(root / "socket"))
        cls.addClassCleanup(sock.close)
        (root / "socket").chmod(0o666)

    def setUp(self):
        super().setUp()
        before = snapshot(self.server.root)
        self.addCleanup(
            lambda: self.assertEqual(snapshot(self.server.root), before))

    def test_a_folder_without_permission_takes_nothing(self):
        ftp = self.session()
        for line in ("STOR locked/new", "STOR locked/file", "APPE locked/file",
                     "STOR hidden/new"):
            with self.subTest(line):
                self.assertEqual(ftp.store(line, b"x").code, 550)
        for line in ("MKD locked/new", "DELE locked/file", "RMD locked", "DELE hidden/file",
                     "MKD hidden/new"):
            with self.subTest(line):
                ftp.expect(line, 550)
        if ftp.command("RNFR locked/file").code == 350:
            ftp.expect("RNTO stolen", 550)

    def test_what_cannot_be_read_is_550(self):
        ftp = self.session()
        for path in ("unreadable", "hidden/file", "folder", "absent", "folder/absent", "pipe",
                     "socket", "locked/file/deeper", "/"):
            with self.subTest(path):
                reply, got = ftp.receive(f"RETR {path}")
                self.assertEqual((reply.code, got), (550, b""))

    def test_a_folder_or_a_device_is_never_written_as_a_file(self):
        ftp = self.session()
        for line in ("STOR folder", "STOR pipe", "STOR socket", "APPE folder", "APPE pipe",
                     "STOR /", "STOR locked/file/deeper", "STOR absent/new", "STOR folder/"):
            with self.subTest(line):
                self.assertIn(ftp.store(line, b"x").code, (550, 553))

    def test_a_file_is_not_a_folder(self):
        ftp = self.session()
        for line in ("CWD unreadable", "CWD pipe", "RMD unreadable", "CWD absent",
                     "MKD absent/new"):
            with self.subTest(line):
                ftp.expect(line, 550)
        for command in ("LIST absent", "MLSD absent", "MLSD unreadable", "MLSD pipe"):
            with self.subTest(command):
                reply, got = ftp.receive(command)
                self.assertIn(reply.code, (501, 550))
                self.assertEqual(got, b"")

    def test_a_folder_that_cannot_be_listed_is_550_and_not_empty(self):
        ftp = self.session()
        for command in ("LIST hidden", "NLST hidden", "MLSD hidden"):
            with self.subTest(command):
                reply, got = ftp.receive(command)
                self.assertEqual((reply.code, got), (550, b""))

    def test_a_folder_without_permission_cannot_be_entered(self):
        self.session().expect("CWD hidden", 550)


class Folders(LiveCase):

    def test_a_folder_of_three_thousand_files_is_listed_in_full(self):
        folder = self.path("many")
        folder.mkdir()
        names = {f"file {number:05}" for number in range(3000)}
        for name in names:
            (folder / name).touch()
        ftp = self.session()
        self.assertEqual(set(ftp.entries("many")), names)
        for command, column in (("NLST many", None), ("LIST many", 8)):
            lines = ftp.list(command)
            got = [line.split(None, 8)[8] if column else line.rpartition("/")[2]
                   for line in lines]
            self.assertEqual(sorted(got), sorted(names))

    def test_other_clients_are_served_while_a_large_folder_is_listed(self):
        """Row 4.19 of the checklist."""
        self.path("held").mkdir()
        for number in range(3000):
            (self.path("held") / (f"{number:04}" + "x" * 200)).touch()
        ftp = self.session()
        _, data = ftp.begin("LIST held", receive_buffer=4096)
        data.recv(1000)
        other = self.session()
        other.put("meanwhile", b"served")
        self.assertEqual(other.get("meanwhile"), b"served")
        with data:
            read_all(data)
        ftp.expect_reply(226)

    def test_names_that_would_break_a_listing_are_left_out(self):
        """Row 4.21 of the checklist."""
        for name in (b"line\nbreak", b"return\rhere", b"escape\x1b[31m", b"bad\xff\xfeutf8"):
            path = os.path.join(os.fsencode(self.server.root), b"breaking", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb"):
                pass
        self.make("breaking/good", b"")
        ftp = self.session()
        for command in ("MLSD breaking", "LIST breaking", "NLST breaking"):
            lines = ftp.list(command)
            self.assertEqual(len(lines), 1, lines)
            self.assertRegex(lines[0], "good$")
        self.assertEqual(len(re.findall("event=list .* hidden=4 path=/breaking\n",
                                        self.server.log())), 3)

    def test_nlst_names_can_be_used_as_they_are(self):
        """RFC 1123 section 4.1.2.7, from wherever they are asked for."""
        self.make("listed/one two", b"12")
        ftp = self.session()
        ftp.expect("TYPE I", 200)
        ftp.expect("MKD list", 257)
        for folder, argument, want in (
                ("/", " listed", "listed/one two"), ("/", " /listed", "listed/one two"),
                ("/", " -la listed/", "listed/one two"),
                ("/", " listed/one two", "listed/one two"), ("/listed", "", "one two"),
                ("/listed", " .", "one two"), ("/listed", " one two", "one two"),
                ("/list", " ../listed", "/listed/one two"), ("/listed", " /", "/listed")):
            with self.subTest(folder=folder, argument=argument):
                ftp.expect(f"CWD {folder}", 250)
                names = ftp.list("NLST" + argument)
                self.assertIn(want, names)
                if argument != " /":
                    self.assertEqual(ftp.expect(f"SIZE {want}", 213).text, "2")

    def test_a_link_within_the_root_is_harmless(self):
        self.make("target/file", b"linked")
        (self.server.root / "within").symlink_to("target")
        ftp = self.session()
        reply, got = ftp.receive("RETR within/file")
        self.assertEqual((reply.code, got),
                         (226, b"linked") if links_are_followed() else (550, b""))
        entries = ftp.entries()
        self.assertEqual(entries["target"]["type"], "dir")
        self.assertEqual(entries["within"]["type"], "os.unix=symlink")

    def test_deep_folders_work_up_to_the_longest_path_and_fail_beyond_it(self):
        ftp = self.session()
        ftp.expect("MKD deep", 257)
        ftp.expect("CWD deep", 250)
        for number in range(200):
            reply = ftp.command("MKD " + "d" * 30)
            if reply.code != 257:
                break
            ftp.expect("CWD " + "d" * 30, 250, 550, 553)
        self.assertIn(reply.code, (550, 553))
        self.assertGreater(number, 2)
        ftp.put("file", b"deep down")
        self.assertEqual(ftp.get("file"), b"deep down")
        here = re.match(r'"(.*)"', ftp.expect("PWD", 257).text)[1]
        ftp.expect("CWD /", 250)
        ftp.expect(f"CWD {here}", 250)
        self.assertEqual(ftp.get("file"), b"deep down")


class Rights(LiveCase):
    """Each right by itself, and roots that keep accounts apart."""

    @classmethod
    def make_server(cls):
        return Server(accounts=[
            Account("all", "password of all"), Account("reader", "password of rl", "/", "rl"),
            Account("writer", "password of w", "/", "w"),
            Account("getter", "password of r", "/", "r"),
            Account("lister", "password of l", "/", "l"),
            Account("alice", "password of alice", "/home/alice"),
            Account("bob", "password of bob", "/home/bob")])

    def setUp(self):
        super().setUp()
        self.make("file", b"content")
        (self.server.root / "folder").mkdir(exist_ok=True)

    def as_account(self, name):
        account = next(a for a in self.server.accounts if a.name == name)
        return self.session(name=name, password=account.password)

    def assert_refused(self, ftp, *lines):
        before = snapshot(self.server.root)
        for line in lines:
            with self.subTest(line):
                if line.split()[0] in ("STOR", "APPE"):
                    reply = ftp.store(line, b"x")
                elif line.split()[0] in ("RETR", "LIST", "NLST", "MLSD"):
                    reply, got = ftp.receive(line)
                    self.assertEqual(got, b"")
                else:
                    reply = ftp.command(line)
                self.assertEqual(reply.code, 550, reply)
        self.assertEqual(snapshot(self.server.root), before)

    def test_a_reader_cannot_change_anything(self):
        ftp = self.as_account("reader")
        self.assertEqual(ftp.get("file"), b"content")
        self.assertIn("file", ftp.entries())
        self.assert_refused(ftp, "STOR new", "STOR file", "APPE file", "DELE file",
                            "MKD new", "RMD folder", "RNFR file")
        self.assertFalse(set("acdfmpw") & set(ftp.entries()["file"]["perm"]))

    def test_a_writer_cannot_read_list_or_delete(self):
        ftp = self.as_account("writer")
        self.assertEqual(ftp.store("STOR written", b"by the writer").code, 226)
        self.assertEqual(self.path("written").read_bytes(), b"by the writer")
        self.assert_refused(ftp, "RETR file", "LIST", "NLST", "MLSD", "DELE file", "RMD folder")

    def test_one_who_may_read_only_cannot_list(self):
        ftp = self.as_account("getter")
        self.assertEqual(ftp.get("file"), b"content")
        self.assert_refused(ftp, "LIST", "NLST", "MLSD", "STOR new", "DELE file", "MKD new")

    def test_one_who_may_list_only_cannot_read(self):
        ftp = self.as_account("lister")
        self.assertIn("file", ftp.entries())
        self.assert_refused(ftp, "RETR file", "STOR new", "DELE file", "MKD new", "RNFR file")

    def test_accounts_are_kept_apart(self):
        alice, bob = self.as_account("alice"), self.as_account("bob")
        alice.put("mine", b"alice's")
        bob.put("mine", b"bob's")
        self.assertEqual(alice.get("mine"), b"alice's")
        self.assertEqual(bob.get("mine"), b"bob's")
        self.assertEqual(self.path("home/alice/mine").read_bytes(), b"alice's")
        self.assertRegex(alice.expect("PWD", 257).text, '^"/"')
        for path in ("/home/bob/mine", "../bob/mine", "/../bob/mine", "bob/mine"):
            reply, got = alice.receive(f"RETR {path}")
            self.assertEqual((reply.code, got), (550, b""))
        self.assertEqual(list(alice.entries()), ["mine"])
        self.assertEqual(self.as_account("all").get("home/bob/mine"), b"bob's")

    def test_a_wrong_password_of_another_account_does_not_do(self):
        ftp = self.client(implicit=True)
        ftp.expect("USER alice", 331)
        ftp.expect("PASS password of bob", 530)
        ftp.expect("PWD", 530)

    def test_a_new_user_starts_afresh(self):
        self.needs("REIN")
        ftp = self.as_account("all")
        ftp.expect("CWD folder", 250)
        ftp.expect("REIN", 220)
        ftp.expect("USER alice", 331)
        ftp.expect("PASS password of alice", 230)
        self.assertRegex(ftp.expect("PWD", 257).text, '^"/"')
        ftp.expect("PROT P", 200)
        self.assertNotIn("folder", ftp.entries())


if __name__ == "__main__":
    unittest.main()
