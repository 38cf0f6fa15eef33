# SPDX-License-Identifier: MIT
"""Limits: sessions, deadlines, space, and what clients that misbehave can do to the others."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import time
import unittest
from pathlib import Path

from server import (HOSTS, LIMIT_S, PASSWORD, USER, Ftp, LiveCase, Server, built_with, content,
                    cut, need,
                    read_all, reset)


SESSIONS = built_with("SESSIONS") or 4

# Sessions that need no administrator, and that can be had without logging in.
GUESTS = SESSIONS - 1 if SESSIONS >= 3 else SESSIONS
OUTSIDE = max(1, SESSIONS - 1)

INODES = 100  # of the small file system


class Sessions(LiveCase):

    def full(self, **where):
        """All that can be open from one address: whoever has the last one can't log in."""
        clients = [self.session(**where) for _ in range(GUESTS)]
        return clients + [self.client(**where) for _ in range(SESSIONS - GUESTS)]

    def refused(self, host=HOSTS[0]):
        """Connect once more than there are sessions."""
        with Ftp(host, self.server.port(host)) as more:
            reply = more.expect_reply(421)
            more.expect_end()
            return reply

    def test_one_client_too_many_is_told_so_and_the_next_gets_in_after_one_leaves(self):
        for host in HOSTS:
            with self.subTest(host):
                clients = self.full(host=host)
                for _ in range(3):
                    self.assertIn("Too many connections", self.refused(host).text)
                for ftp in clients:
                    ftp.expect("NOOP", 200)
                clients.pop(0).quit()
                clients.append(self.session(host=host))
                self.refused(host)
                for ftp in clients:
                    ftp.quit()

    def test_one_client_too_many_on_the_implicit_port_is_turned_away(self):
        clients = self.full(implicit=True)
        with socket.create_connection((HOSTS[0], self.server.port(implicit=True)), 20) as more:
            try:
                while more.recv(100):
                    pass
            except ConnectionError:
                pass
        for ftp in clients:
            ftp.expect("NOOP", 200)

    def test_all_sessions_can_transfer_at_once(self):
        payload = content(200_000)
        self.make("shared", payload)
        clients = [self.session() for _ in range(GUESTS)]
        held = [ftp.begin("RETR shared")[1] for ftp in clients]
        for ftp, data in zip(clients, held):
            with data:
                self.assertEqual(read_all(data), payload)
            ftp.expect_reply(226)

    def test_sessions_come_free_whatever_way_their_clients_leave(self):
        def shut(ftp):
            ftp.sock.shutdown(socket.SHUT_WR)
            ftp.close()

        leave = (lambda ftp: ftp.quit(), lambda ftp: cut(ftp.sock), lambda ftp: reset(ftp.sock),
                 shut, lambda ftp: ftp.sock.unwrap().close())
        for way in leave:
            for _ in range(2 * SESSIONS):
                ftp = self.session()
                way(ftp)
        for _ in range(2 * SESSIONS):
            ftp = self.client()
            ftp.expect("AUTH TLS", 234)
            reset(ftp.sock)
        self.session().expect("NOOP", 200)

    def test_passive_ports_come_free_when_clients_leave(self):
        for _ in range(3 * len(self.server.passive) // GUESTS):
            clients = [self.session() for _ in range(GUESTS)]
            for number, ftp in enumerate(clients):
                ftp.passive()
                reset(ftp.sock) if number % 2 else ftp.quit()
        self.session().list("NLST")

    def test_nothing_stays_open_when_clients_have_left(self):
        self.make("open", content(4_000_000))
        (self.server.root / "empty").mkdir()

        def count():
            return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

        before = count()
        for leave in (lambda sock: sock.close(), cut, reset):
            for command in ("RETR open", "STOR stored", "MLSD", "RETR absent", "MLSD empty"):
                ftp = self.session()
                _, data = ftp.begin(command, receive_buffer=8192)
                if data is not None:
                    leave(data)
                    ftp.reply()
                ftp.passive()
                leave(ftp.sock)
                ftp = self.session()
                self.assertEqual(ftp.get("open", rest=3_999_000), content(4_000_000)[-1000:])
                _, data = ftp.begin(command, receive_buffer=8192)
                leave(ftp.sock)
                if data is not None:
                    leave(data)
        give_up = time.monotonic() + LIMIT_S
        while count() > before:
            self.assertLess(time.monotonic(), give_up, f"{count()} open, {before} before")
            time.sleep(0.02)

    def test_a_server_whose_clients_have_gone_does_not_spin(self):
        """The processor's time is taken while nothing is to be done."""
        self.make("spin", content(8_000_000))
        ftp = self.session()
        _, data = ftp.begin("RETR spin", receive_buffer=8192)
        reset(data)
        ftp.expect_reply(426)
        cut(ftp.sock)
        half = self.client()
        half.sock.shutdown(socket.SHUT_WR)
        handshake = self.client()
        handshake.expect("AUTH TLS", 234)
        handshake.send(b"\x16\x03\x01\x01\x00\x01")
        stalled = self.session()
        _, data = stalled.begin("RETR spin", receive_buffer=8192)
        waiting = self.session()
        waiting.passive()
        time.sleep(0.5)

        def ticks():
            stat = Path(f"/proc/{self.server.process.pid}/stat").read_text()
            fields = stat.rpartition(")")[2].split()
            return int(fields[11]) + int(fields[12])

        before = ticks()
        time.sleep(1.5)
        self.assertLess(ticks() - before, 0.3 * os.sysconf("SC_CLK_TCK"))
        data.close()

    def test_passwords_are_checked_for_several_clients_at_once(self):
        clients = []
        for _ in range(OUTSIDE):
            ftp = self.client(implicit=True)
            ftp.expect(f"USER {USER}", 331)
            clients.append(ftp)
        for number, ftp in enumerate(clients):
            ftp.send(f"PASS {PASSWORD if number % 2 else 'wrong'}")
        for number, ftp in enumerate(clients):
            ftp.expect_reply(230 if number % 2 else 530)

    def test_a_client_that_leaves_while_its_password_is_checked_harms_nobody(self):
        for _ in range(SESSIONS):
            ftp = self.server.secured(protect=False)
            ftp.expect(f"USER {USER}", 331)
            ftp.send(f"PASS {PASSWORD}")
            reset(ftp.sock)
        self.session().expect("NOOP", 200)


class Deadlines(LiveCase):
    """Short ones, so that a test can wait for them; no test says how long it took."""

    @classmethod
    def make_server(cls):
        return Server(options={"login_timeout": 3, "idle_timeout": 2, "data_timeout": 2})

    def test_a_client_that_says_nothing_is_told_421(self):
        ftp = self.client()
        ftp.expect_reply(421)
        ftp.expect_end()

    def test_a_client_that_never_finishes_its_handshake_is_cut_off(self):
        """Row 4.25 of the checklist."""
        ftp = self.client()
        ftp.expect("AUTH TLS", 234)
        ftp.send(b"\x16\x03\x01")
        port = self.server.port(implicit=True)
        with socket.create_connection((HOSTS[0], port), LIMIT_S) as raw:
            ftp.rest_of_stream()
            self.assertEqual(raw.recv(100), b"")

    def test_a_client_that_does_not_log_in_is_told_421_whatever_else_it_says(self):
        """Row 4.25 of the checklist."""
        ftp = self.client(implicit=True)
        codes = []
        try:
            while not codes or codes[-1] not in (421,):
                ftp.send("NOOP")
                codes.append(ftp.reply().code)
                time.sleep(0.2)
        except (OSError, EOFError):
            pass
        self.assertEqual(codes[-1], 421)

    def test_guessing_passwords_does_not_lengthen_the_time_to_log_in(self):
        ftp = self.client(implicit=True)
        codes = []
        try:
            while not codes or codes[-1] != 421:
                for line in (f"USER {USER}", "PASS wrong"):
                    ftp.send(line)
                    codes.append(ftp.reply().code)
                    if codes[-1] == 421:
                        break
        except (OSError, EOFError):
            pass
        self.assertLessEqual(set(codes), {331, 530, 421})
        self.assertEqual(codes[-1], 421)

    def test_an_idle_session_is_told_421_and_closed_in_order(self):
        ftp = self.session()
        ftp.expect_reply(421)
        ftp.expect_end()

    def test_commands_keep_a_session_alive(self):
        ftp = self.session()
        for _ in range(8):
            time.sleep(0.5)
            ftp.expect("NOOP", 200)

    def test_a_transfer_that_goes_on_keeps_its_session_alive(self):
        payload = content(8_000_000)
        self.make("slow", payload)
        ftp = self.session()
        _, data = ftp.begin("RETR slow", receive_buffer=4096)
        got = b""
        with data:
            while len(got) < 40 * 16384:
                got += data.recv(16384)
                time.sleep(0.1)  # in all longer than either deadline
            got += read_all(data)
        self.assertEqual(got, payload)
        ftp.expect_reply(226)
        ftp.expect("NOOP", 200)

    def test_a_data_connection_that_never_comes_is_425(self):
        ftp = self.session()
        ftp.passive()
        reply = ftp.command("RETR nothing-of-the-kind")
        self.assertIn(reply.code, (550, 150))
        if reply.code == 150:
            ftp.expect_reply(425, 550)
        self.make("there", b"x")
        ftp.passive()
        ftp.expect("RETR there", 150)
        ftp.expect_reply(425)
        self.assertEqual(ftp.get("there"), b"x")

    def test_a_data_connection_without_a_handshake_ends_the_transfer(self):
        self.make("there", b"x")
        ftp = self.session()
        with socket.create_connection((HOSTS[0], ftp.passive()), 20):
            ftp.expect("RETR there", 150)
            ftp.expect_reply(425)
        self.assertEqual(ftp.get("there"), b"x")

    def test_a_download_that_nobody_reads_is_426(self):
        self.make("stalled", content(8_000_000))
        ftp = self.session()
        _, data = ftp.begin("RETR stalled", receive_buffer=4096)
        ftp.expect_reply(426)
        with data, self.assertRaises((ssl.SSLError, ConnectionError)):
            read_all(data)
        ftp.expect("NOOP", 200)

    def test_an_upload_that_stands_still_is_426_and_the_old_file_stays(self):
        self.make("kept", b"old")
        ftp = self.session()
        _, data = ftp.begin("STOR kept")
        with data:
            data.sendall(content(50_000))
            ftp.expect_reply(426)
        self.assertEqual(self.path("kept").read_bytes(), b"old")
        ftp.expect("NOOP", 200)


class Space(LiveCase):
    """A medium that is full: a small file system in memory as the root."""

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root can mount a small file system")
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        root = str(cls.server.root)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=2m,nr_inodes={INODES}",
                               "cubftpd-test", root], capture_output=True)
        if done.returncode != 0:
            raise unittest.SkipTest("no file system can be mounted: " + done.stderr.decode())
        cls.addClassCleanup(subprocess.run, ["umount", root], check=True)
        cls.addClassCleanup(cls.server.stop)
        cls.server.start()

    def setUp(self):
        super().setUp()
        for path in self.server.root.iterdir():
            path.unlink()
        # What a client before left open is soon closed, and the space is there again.
        give_up = time.monotonic() + LIMIT_S
        while (found := os.statvfs(self.server.root)).f_bfree < found.f_blocks:
            self.assertLess(time.monotonic(), give_up, "a file that is gone is still open")
            time.sleep(0.02)

    def test_a_full_medium_is_552_and_the_old_file_stays(self):
        old = content(300_000, 1)
        self.make("kept", old)
        ftp = self.session()
        for _ in range(3):
            reply = ftp.store("STOR kept", content(6_000_000, 2))
            self.assertEqual(reply.code, 552, reply)
            self.assertEqual(self.path("kept").read_bytes(), old)
        self.assertEqual(ftp.get("kept"), old)

    def test_a_full_medium_takes_a_smaller_file_afterwards(self):
        ftp = self.session()
        self.assertEqual(ftp.store("STOR large", content(6_000_000)).code, 552)
        ftp.put("small", b"small")
        self.assertEqual(self.path("small").read_bytes(), b"small")

    def test_folders_and_names_on_a_full_medium_are_refused_in_order(self):
        filler = self.path("filler")
        with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        size = filler.stat().st_size
        ftp = self.session()
        for command in ("STOR one-more", "APPE one-more", "STOU", "APPE filler"):
            with self.subTest(command):
                self.assertEqual(ftp.store(command, content(10_000)).code, 552)
        self.assertEqual(ftp.get("filler"), b"x" * size)
        self.assertEqual(set(ftp.entries()), {"filler"})
        # A name takes no room here, a folder does once the last inode is taken.
        ftp.expect("RNFR filler", 350)
        ftp.expect("RNTO moved", 250)
        with contextlib.suppress(OSError):
            for number in range(INODES):
                self.path(f"empty{number}").touch()
        ftp.expect("MKD folder", 552)
        self.assertFalse(self.path("folder").exists())
        ftp.expect("DELE empty0", 250)
        ftp.expect("MKD folder", 257)
        ftp.expect("RMD folder", 250)
        self.assertEqual(ftp.get("moved"), b"x" * size)

    @need("curl")
    def test_curl_is_told_that_the_disk_is_full(self):
        here = self.temporary()
        (here / "local").write_bytes(content(6_000_000))
        done = subprocess.run(
            ["curl", "-q", "-sS", "-k", "--ssl-reqd", "--max-time", "60", "-u",
             f"{USER}:{PASSWORD}", "-T", str(here / "local"), self.server.url("large")],
            capture_output=True, timeout=90)
        # 70 is CURLE_REMOTE_DISK_FULL; 55 where the connection broke under its writing first.
        self.assertIn(done.returncode, (70, 55), done.stderr)

    def test_allo_and_avbl_know_what_is_free(self):
        self.needs("ALLO")
        self.needs("AVBL")
        ftp = self.session()
        ftp.expect("ALLO 1000", 200)
        ftp.expect("ALLO 100000000", 452)
        self.assertLess(int(ftp.expect("AVBL", 213).text), 3_000_000)


class Ending(LiveCase):
    """SIGTERM and SIGHUP while clients are there. Each test has its own server."""

    @classmethod
    def setUpClass(cls):
        pass

    def setUp(self):
        self.server = self.own_server()

    def test_idle_clients_are_told_421_and_the_server_ends_with_0(self):
        logged_in, secure = self.session(), self.session(host="::1", implicit=True)
        greeted = self.client()
        self.server.signal(signal.SIGTERM)
        for ftp in (logged_in, secure, greeted):
            ftp.expect_reply(421)
            ftp.expect_end()
            ftp.close()
        self.server.wait()

    def test_sigint_ends_the_server_as_well(self):
        ftp = self.session()
        self.server.signal(signal.SIGINT)
        ftp.expect_reply(421)
        ftp.close()
        self.server.wait()

    def test_a_running_download_may_finish(self):
        payload = content(12_000_000)
        self.make("big", payload)
        ftp = self.session()
        _, data = ftp.begin("RETR big", receive_buffer=8192)
        got = data.recv(1000)
        self.server.signal(signal.SIGTERM)
        self.refused_soon()
        with data:
            got += read_all(data)
        self.assertEqual(got, payload)
        ftp.expect_reply(226)
        ftp.expect_reply(421)
        ftp.close()
        self.server.wait()

    def test_a_running_upload_may_finish(self):
        payload = content(300_000)
        ftp = self.session()
        _, data = ftp.begin("STOR upload")
        data.sendall(payload[:100_000])
        self.server.signal(signal.SIGTERM)
        self.refused_soon()
        data.sendall(payload[100_000:])
        data.unwrap().close()
        ftp.expect_reply(226)
        ftp.close()
        self.server.wait()
        self.assertEqual(self.path("upload").read_bytes(), payload)

    def test_a_transfer_that_hangs_does_not_keep_the_server_from_ending(self):
        self.make("big", content(12_000_000))
        self.make("kept", b"old")
        down, up = self.session(), self.session()
        _, data = down.begin("RETR big", receive_buffer=8192)
        _, stalled = up.begin("STOR kept")
        stalled.sendall(b"a part of it")
        self.server.signal(signal.SIGTERM)
        for ftp in (down, up):
            ftp.rest_of_stream()
            ftp.close()
        self.server.wait()
        self.assertEqual(self.path("kept").read_bytes(), b"old")
        data.close()
        stalled.close()

    def test_a_client_that_does_not_read_does_not_keep_the_server_from_ending(self):
        raw = socket.socket()
        self.addCleanup(raw.close)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        raw.connect((HOSTS[0], self.server.port()))
        raw.settimeout(1)
        try:
            while True:
                raw.sendall(b"HELP\r\n" * 100)
        except TimeoutError:
            pass
        self.server.signal(signal.SIGTERM)
        self.server.wait()

    def refused_soon(self):
        """Wait until the server has seen the signal: it takes no more clients."""
        for _ in range(200):
            try:
                with Ftp(HOSTS[0], self.server.port()) as ftp:
                    ftp.sock.settimeout(1)
                    if ftp.reply().code == 421:
                        return
            except (OSError, EOFError):
                return
            time.sleep(0.02)
        self.fail("the server still takes clients after SIGTERM")


if __name__ == "__main__":
    unittest.main()
