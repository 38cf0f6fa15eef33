# SPDX-License-Identifier: MIT
"""The rules of uploads: their ends, what stays free, modes, unique names, the hook, the sweep."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import unittest

from server import LIMIT_S, LiveCase, built_with, content, cut, links_are_followed, reset

STALE = re.compile(r"^\.cubftpd-[0-9a-f]{16}$")


def wait_for(claim, what):
    """Wait until something holds; how long it takes is not looked at."""
    give_up = time.monotonic() + LIMIT_S
    while not claim():
        if time.monotonic() > give_up:
            raise AssertionError(what)
        time.sleep(0.02)


class UploadCase(LiveCase):
    """Each test has a server with its own rules."""

    @classmethod
    def setUpClass(cls):
        pass

    def serve(self, **options):
        self.server = self.own_server(options=options)
        return self.session()

    def setUp(self):
        pass

    def broken(self, ftp, command, payload, how):
        """An upload that ends without close_notify. Returns its reply."""
        reply, data = ftp.begin(command)
        self.assertEqual(reply.code, 150)
        data.sendall(payload)
        how(data)
        return ftp.reply()


class Ends(UploadCase):

    def test_4_13_strict_refuses_fin_and_reset_whatever_was_announced(self):
        ftp = self.serve()
        old = self.make("file", b"the old one")
        for how in (cut, reset):
            for size in (0, 1, 50_000):
                with self.subTest(how.__name__, size=size):
                    ftp.expect(f"ALLO {size}", 200)
                    self.assertEqual(self.broken(ftp, "STOR file", content(size), how).code, 426)
                    self.assertEqual(old.read_bytes(), b"the old one")
        self.assertEqual([p.name for p in self.server.root.iterdir()], ["file"])

    def test_4_13_lenient_takes_fin_where_all_that_was_announced_is_there(self):
        ftp = self.serve(upload_eof="lenient")
        payload = content(200_000)
        ftp.expect(f"ALLO {len(payload)}", 200)
        self.assertEqual(self.broken(ftp, "STOR file", payload, cut).code, 226)
        self.assertEqual(self.path("file").read_bytes(), payload)
        self.assertIn("result=no-close_notify", self.server.log())
        # The same while the client still listens.
        reply, data = ftp.begin("STOR file")
        data.sendall(b"x" * 1000)
        data.shutdown(socket.SHUT_WR)
        self.assertEqual(ftp.reply().code, 426)
        data.close()

    def test_4_13_lenient_takes_nothing_else(self):
        ftp = self.serve(upload_eof="lenient")
        old = self.make("file", b"the old one")
        payload = content(50_000)
        for announced, sent, how in ((None, payload, cut), (50_001, payload, cut),
                                     (49_999, payload, cut), (50_000, payload[:-1], cut),
                                     (60_000, payload, reset)):
            with self.subTest(announced=announced, sent=len(sent), how=how.__name__):
                if announced is not None:
                    ftp.expect(f"ALLO {announced}", 200)
                self.assertEqual(self.broken(ftp, "STOR file", sent, how).code, 426)
                self.assertEqual(old.read_bytes(), b"the old one")

    def test_discard_leaves_nothing_and_keep_leaves_what_came(self):
        for rule in ("discard", "keep"):
            with self.subTest(rule):
                ftp = self.serve(partial_uploads=rule)
                self.assertEqual(self.broken(ftp, "STOR new", content(100_000), cut).code, 426)
                found = [p.name for p in self.server.root.iterdir()]
                self.assertEqual(found, ["new"] if rule == "keep" else [])
                if rule == "keep":
                    had = self.path("new").stat().st_size
                    self.assertEqual(self.path("new").read_bytes(), content(100_000)[:had])
                ftp.quit()


class Room(UploadCase):

    def mount(self, where, options):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "cubftpd-test", where],
                              capture_output=True)
        if done.returncode != 0:
            self.skipTest(f"no tmpfs can be mounted: {done.stderr.decode()}")
        self.addCleanup(subprocess.run, ["umount", where])

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_a_medium_below_the_root_has_room_of_its_own(self):
        root = self.temporary()
        self.mount(root, "size=1m")
        stick = root / "stick"
        stick.mkdir()
        self.mount(stick, "size=8m")
        (root / "all").write_bytes(bytes(1 << 20))  # such as an image that is read only
        self.server = self.own_server(root=root, options={"min_free": 1024})
        ftp = self.session()
        self.assertEqual(ftp.expect("AVBL", 213).text, "0")
        self.assertEqual(ftp.store("STOR new", b"x").code, 552)
        free = int(ftp.expect("AVBL stick", 213).text)
        self.assertGreater(free, 6 << 20)
        ftp.put("stick/new", content(100_000))
        ftp.expect("CWD stick", 250)
        ftp.expect(f"ALLO {free // 2}", 200)
        reply = ftp.store("STOR large", content(8_000_000))
        self.assertRegex(str(reply), r"^552 Disk full, [67]\d\d\d KiB free$")
        self.assertEqual([p.name for p in stick.iterdir()], ["new"])
        ftp.expect("AVBL none", 550)
        ftp.quit()

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_min_free_is_kept_before_and_during_uploads(self):
        root = self.temporary()
        self.mount(root, "size=8m")
        self.server = self.own_server(root=root, options={"min_free": 4096})
        ftp = self.session()
        free = int(ftp.expect("AVBL", 213).text)
        self.assertLessEqual(free, 4 << 20)
        ftp.expect(f"ALLO {free}", 200)
        ftp.expect(f"ALLO {free + 1}", 452)
        self.assertEqual(ftp.store("STOR large", content(7_000_000)).code, 552)
        self.assertEqual(list(self.server.root.iterdir()), [])
        self.make("filler", b"x" * (5 << 20))
        for command in ("STOR new", "APPE filler", "STOU"):
            with self.subTest(command):
                self.assertEqual(ftp.store(command, b"x").code, 552)
        ftp.expect("ALLO 1", 452)
        self.assertEqual(ftp.expect("AVBL", 213).text, "0")
        self.assertEqual([p.name for p in self.server.root.iterdir()], ["filler"])
        self.path("filler").unlink()
        ftp.put("new", b"x")

    def test_a_server_that_wants_more_free_than_there_is_takes_nothing(self):
        ftp = self.serve(min_free=4294967295)
        self.assertEqual(ftp.store("STOR new", b"x").code, 552)
        self.assertEqual(list(self.server.root.iterdir()), [])


class Links(UploadCase):

    def test_a_link_is_written_through_in_place_and_replaced_by_a_whole_file(self):
        ftp = self.serve()
        self.make("target", b"old")
        self.make("sub/file", b"")
        link = self.path("sub/link")
        link.symlink_to("../target")
        if not links_are_followed():
            ftp.expect("SIZE sub/link", 550)
            self.skipTest("this system does not resolve links")
        self.assertEqual(ftp.store("APPE sub/link", b"er").code, 226)
        self.assertEqual(self.path("target").read_bytes(), b"older")
        ftp.put("sub/link", b"new")
        self.assertFalse(link.is_symlink())
        self.assertEqual(self.path("target").read_bytes(), b"older")
        self.path("out").symlink_to("/tmp/cubftpd-none-such")
        for command in ("STOR out", "APPE out"):
            self.assertEqual(ftp.store(command, b"x").code, 550)


class Modes(UploadCase):

    def test_umask_is_that_of_the_configuration_whatever_the_process_has(self):
        before = os.umask(0o137)
        self.addCleanup(os.umask, before)
        for mask, of_file, of_folder in (("022", 0o644, 0o755), ("0077", 0o600, 0o700),
                                         ("000", 0o666, 0o777), (None, 0o644, 0o755)):
            with self.subTest(mask):
                ftp = self.serve(umask=mask)
                ftp.put("file", b"x")
                self.assertEqual(ftp.store("APPE other", b"x").code, 226)
                ftp.expect("MKD folder", 257)
                self.assertEqual(self.path("file").stat().st_mode & 0o7777, of_file)
                self.assertEqual(self.path("other").stat().st_mode & 0o7777, of_file)
                self.assertEqual(self.path("folder").stat().st_mode & 0o7777, of_folder)
                ftp.quit()


class Unique(UploadCase):

    def test_stou_tells_a_name_that_nobody_has(self):
        ftp = self.serve()
        self.make("taken", b"mine")
        names = set()
        for command in ("STOU", "STOU", "STOU taken", "STOU taken"):
            reply, data = ftp.begin(command)
            self.assertRegex(reply.text, r"^FILE: /\S+$")
            data.sendall(command.encode())
            data.unwrap().close()
            ftp.expect_reply(226)
            names.add(name := reply.text[len("FILE: /"):])
            self.assertEqual(self.path(name).read_bytes(), command.encode())
        self.assertEqual(len(names), 4)
        self.assertEqual(self.path("taken").read_bytes(), b"mine")


@unittest.skipUnless(built_with("HOOK") != 0, "the hook is not built in")
class Hook(UploadCase):

    def script(self, text):
        """A program, and where it writes to: a line for each run."""
        folder = self.temporary()
        said = folder / "said"
        program = folder / "hook"
        program.write_text(f"#!/bin/sh\nsaid='{said}'\n{text}\n")
        program.chmod(0o755)
        return program, said

    def lines(self, said, count):
        wait_for(lambda: said.exists() and said.read_bytes().count(b"\n") >= count,
                 f"no {count} runs: {self.server.log()}")
        return said.read_text().splitlines()

    def test_the_hook_gets_the_path_and_the_account_as_they_are(self):
        program, said = self.script('printf "%s|%s|%s\\n" "$#" "$1" "$2" >> "$said"')
        ftp = self.serve(upload_hook=program)
        ftp.expect("MKD sub", 257)
        names = ["plain", "sub/with space", "it's", '"quoted"', "$(touch x)", "`id`", "a;b|c&d",
                 "-rf", "ünïcödé", "*", "back\\slash"]
        for name in names:
            ftp.put(name, b"x")
            self.assertEqual(self.lines(said, 1),
                             [f"2|{self.server.root}/{name}|{self.server.accounts[0].name}"])
            said.unlink()

    def test_the_hook_runs_after_uploads_only(self):
        program, said = self.script('echo "$1" >> "$said"')
        ftp = self.serve(upload_hook=program)
        self.broken(ftp, "STOR broken", b"x" * 1000, cut)
        ftp.expect("MKD sub", 257)
        ftp.get("broken")
        ftp.put("one", b"x")
        self.assertEqual(ftp.store("APPE one", b"x").code, 226)
        self.assertEqual(ftp.store("STOR one", b"x", rest=1).code, 226)
        self.assertEqual(self.lines(said, 3), [f"{self.server.root}/one"] * 3)

    def test_the_hook_sees_a_null_device_a_path_and_the_log(self):
        program, said = self.script('cat; env > "$said"; echo told-by-the-hook; echo >> "$said"')
        self.server = self.own_server(start=False, options={"upload_hook": program})
        self.server.environment["CUB_TEST_SECRET"] = "secret"
        self.server.start()
        self.session().put("one", b"x")
        found = {line.partition("=")[0] for line in self.lines(said, 2)}
        self.assertIn("PATH", found)
        self.assertNotIn("CUB_TEST_SECRET", found)
        self.assertIn("told-by-the-hook", self.server.log())

    def test_a_hook_that_hangs_holds_up_nobody_and_goes_on_when_it_is_killed(self):
        program, said = self.script('echo $$ >> "$said"; [ -e "$said.go" ] || exec sleep 1000')
        ftp = self.serve(upload_hook=program)
        for number in range(20):
            ftp.put(f"file{number}", content(100_000))
        pids = self.lines(said, 1)
        self.assertEqual(len(pids), 1)
        # Eight, with the one that runs, are remembered; the oldest that waited are gone.
        self.assertEqual(len(re.findall("event=hook result=full", self.server.log())), 12)
        self.assertNotIn(f"result=full path={self.server.root}/file0\n", self.server.log())
        (said.parent / "said.go").touch()
        os.kill(int(pids[0]), signal.SIGKILL)
        self.lines(said, 8)
        wait_for(lambda: len(re.findall("event=hook result=ok", self.server.log())) == 7,
                 "not all have ended")
        self.assertIn("event=hook result=aborted", self.server.log())
        self.assertEqual(self.children(), [])

    def children(self):
        """Of the server, zombies among them."""
        pid = self.server.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return file.read().split()

    def test_a_server_with_a_hook_that_runs_ends_in_order(self):
        program, said = self.script('echo $$ >> "$said"; exec sleep 1000')
        ftp = self.serve(upload_hook=program)
        ftp.put("one", b"x")
        pid = int(self.lines(said, 1)[0])
        self.addCleanup(lambda: os.kill(pid, signal.SIGKILL))
        ftp.quit()
        self.server.stop()

    def test_the_end_of_a_hook_is_told_whatever_the_parent_ignores(self):
        self.server = self.own_server(start=False, options={"upload_hook": "/bin/true"})
        self.server.around = [sys.executable, "-c", "import os, signal, sys;"
                              "signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
                              "os.execv(sys.argv[1], sys.argv[1:])"]
        self.server.start()
        ftp = self.session()
        ftp.put("one", b"x")
        wait_for(lambda: "event=hook result=ok" in self.server.log(), "not told")
        ftp.quit()

    def test_a_hook_that_has_gone_is_told_in_the_log(self):
        program, _ = self.script("true")
        ftp = self.serve(upload_hook=program)
        program.unlink()
        ftp.put("one", b"x")
        wait_for(lambda: "event=hook result=missing" in self.server.log(), "not told")

    def test_a_hook_that_cannot_be_run_is_refused_at_the_start_and_at_a_reload(self):
        program, said = self.script('echo "$1" >> "$said"')
        plain = said.parent / "plain"
        plain.write_bytes(b"#!/bin/sh\n")
        wrong = ["/none/such", plain, said.parent]
        self.server = self.own_server(start=False, options={"upload_hook": program})
        self.server.write_config()

        def refuses(hook, *words):
            done = self.server.cli(*words)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"upload_hook: not a program that can be run: {hook}",
                          done.stdout + done.stderr)

        for hook in wrong:
            with self.subTest(hook):
                refuses(hook, "run", "-o", f"upload_hook={hook}")
                refuses(hook, "check", "-o", f"upload_hook={hook}")
        self.server.start()
        ftp = self.session()
        for hook in wrong:
            with self.subTest(hook):
                self.server.options["upload_hook"] = hook
                self.server.write_config()
                refuses(hook, "reload")
        ftp.put("one", b"x")
        self.assertEqual(self.lines(said, 1), [f"{self.server.root}/one"])


class Sweep(UploadCase):

    def stale(self):
        return [p for p in self.server.root.rglob(".cubftpd-*") if STALE.match(p.name)]

    def test_4_13_what_a_killed_server_left_is_gone_after_the_next_start(self):
        ftp = self.serve()
        ftp.expect("MKD sub", 257)
        self.make("sub/file", b"the old one")
        with contextlib.ExitStack() as stack:
            for name in ("new", "sub/file"):
                other = stack.enter_context(self.server.session())
                _, data = other.begin(f"STOR {name}")
                stack.enter_context(data)
                data.sendall(content(100_000))
            wait_for(lambda: len(self.stale()) == 2, "no temporary files")
            self.server.signal(signal.SIGKILL)
            self.server.process.wait()
            self.server.process = None
        self.assertEqual(len(self.stale()), 2)
        self.server.start()
        wait_for(lambda: not self.stale(), "they are still there")
        self.assertEqual(self.path("sub/file").read_bytes(), b"the old one")
        self.assertFalse(self.path("new").exists())
        self.assertEqual(len(re.findall("event=stale result=ok", self.server.log())), 2)

    def test_what_another_server_of_the_same_folder_writes_is_left_alone(self):
        ftp = self.serve()
        reply, data = ftp.begin("STOR new")
        data.sendall(content(100_000))
        wait_for(self.stale, "no temporary file")
        gone = self.make(".cubftpd-0123456789abcdef")
        other = self.own_server(root=self.server.root)
        wait_for(lambda: not gone.exists(), "it is still there")
        other.close()
        data.unwrap().close()
        ftp.expect_reply(226)
        self.assertEqual(self.path("new").read_bytes(), content(100_000))

    def test_a_large_tree_with_links_in_circles_is_swept_beside_the_clients(self):
        self.server = self.own_server(start=False)
        outside = self.temporary()
        kept = outside / ".cubftpd-0123456789abcdef"
        kept.touch()
        for folder in range(200):
            self.make(f"tree/{folder}/.cubftpd-{folder:016x}")
            for file in range(50):
                self.path(f"tree/{folder}/{file}").touch()
            self.path(f"tree/{folder}/around").symlink_to(".")
            self.path(f"tree/{folder}/up").symlink_to("..")
        self.path("tree/out").symlink_to(outside)
        self.path("tree/in").symlink_to("0")
        stay = [".cubftpd-0", ".cubftpd-0123456789abcdef0", "x.cubftpd-0123456789abcdef"]
        for name in stay:
            self.make(name)
        self.path("folder/.cubftpd-0123456789abcdef").mkdir(parents=True)
        self.server.start()
        ftp = self.session()
        _, data = ftp.begin("STOR during")
        data.sendall(content(50_000))
        left = {"folder", self.server.root.name}  # a folder, and the one of this upload
        wait_for(lambda: {p.parent.name for p in self.stale()} == left, "stale files are left")
        data.unwrap().close()
        ftp.expect_reply(226)
        self.assertTrue(kept.exists())
        for name in stay:
            self.assertTrue(self.path(name).exists(), name)
        self.assertEqual(self.path("during").read_bytes(), content(50_000))
        self.assertEqual(len(list(self.path("tree/7").iterdir())), 52)


if __name__ == "__main__":
    unittest.main()
