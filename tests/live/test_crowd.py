# SPDX-License-Identifier: MIT
"""
Clients that are slow on purpose, from addresses of their own (checklist 4.25), the limit on
bytes a second, and the log by syslog.
"""

import os
import re
import socket
import subprocess
import threading
import time
import unittest

from server import (BINARY, HOSTS, LIMIT_S, USER, Ftp, LiveCase, Server, built_with, content,
                    read_all)

OTHERS = [f"127.0.0.{n}" for n in range(2, 8)]


class SlowClients(LiveCase):

    @classmethod
    def make_server(cls):
        return Server(options={"login_timeout": 600})  # nobody goes by time

    def knock(self, source):
        ftp = Ftp(HOSTS[0], self.server.port(), source=(source, 0))
        self.addCleanup(ftp.close)
        return ftp

    def at_the_banner(self, source):
        self.knock(source).expect_reply(220)

    def in_the_handshake(self, source):
        ftp = self.knock(source)
        ftp.expect_reply(220)
        ftp.expect("AUTH TLS", 234)
        ftp.send(b"\x16\x03\x01\x01\x00")

    def in_user(self, source):
        ftp = self.knock(source)
        ftp.expect_reply(220)
        ftp.expect("AUTH TLS", 234)
        ftp.start_tls()
        ftp.send(b"USER " + USER.encode()[:2])

    def test_whoever_stops_at_any_step_keeps_nobody_out(self):
        for stop in (self.at_the_banner, self.in_the_handshake, self.in_user):
            with self.subTest(stop.__name__):
                for source in OTHERS:
                    stop(source)
                self.session().quit()

    def test_a_mixed_crowd_keeps_nobody_out_and_ends_no_session(self):
        first = self.session()
        for number, source in enumerate(OTHERS * 3):
            (self.at_the_banner, self.in_the_handshake, self.in_user)[number % 3](source)
        self.session().quit()
        first.expect("NOOP", 200)

    def test_a_flood_from_one_address_is_told_421_and_keeps_nobody_out(self):
        held, refused = [], 0
        for _ in range(30):
            ftp = self.knock(OTHERS[0])
            if ftp.reply().code == 421:
                ftp.expect_end()
                refused += 1
            held.append(ftp)
        self.assertGreaterEqual(refused, 20)
        self.session().quit()


class Rates(LiveCase):
    """Only that it is not faster: a machine may be slow."""

    RATE = 200_000

    @classmethod
    def make_server(cls):
        return Server(options={"rate_limit": f"{cls.RATE},{cls.RATE}"})

    def test_files_move_no_faster_than_rate_limit_in_both_directions(self):
        payload = content(600_000)
        self.make("file", payload)
        ftp = self.session()
        begin = time.monotonic()
        self.assertEqual(ftp.get("file"), payload)
        ftp.put("stored", payload)
        took = time.monotonic() - begin
        self.assertEqual(self.path("stored").read_bytes(), payload)
        # A record and a tenth of a second's bytes may have come on top, at either end.
        self.assertGreater(took, (2 * len(payload) - 2 * 40_000) / self.RATE)

    def test_two_sessions_share_the_total(self):
        payload = content(300_000)
        self.make("shared", payload)
        clients = [self.session() for _ in range(2)]
        begin = time.monotonic()
        held = [ftp.begin("RETR shared")[1] for ftp in clients]
        for ftp, data in zip(clients, held):
            with data:
                self.assertEqual(read_all(data), payload)
            ftp.expect_reply(226)
        self.assertGreater(time.monotonic() - begin, (2 * len(payload) - 4 * 40_000) / self.RATE)


# A /dev of the server's own, whose /dev/log is the test's socket.
PRIVATE_DEV = """
set -e
mkdir "$1/dev"
mount -t tmpfs cubftpd-test "$1/dev"
for name in null zero random urandom; do
    touch "$1/dev/$name"
    mount --bind "/dev/$name" "$1/dev/$name"
done
ln -s "$1/log" "$1/dev/log"
mount --rbind "$1/dev" /dev
shift
exec "$@"
"""


@unittest.skipUnless(built_with("SYSLOG"), "syslog is not built in")
class Syslog(LiveCase):

    @classmethod
    def setUpClass(cls):
        if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
            raise unittest.SkipTest("a private /dev needs the right to mount")

    def setUp(self):
        self.server = self.own_server(start=False, options={"log": "syslog"})

    def test_events_go_to_dev_log_as_rfc_5424_also_after_the_daemon_was_started_anew(self):
        server = self.server
        folder = self.temporary()
        messages = []

        def launch():
            with open(server.log_file, "ab") as log:
                server.process = subprocess.Popen(
                    ["unshare", "-m", "sh", "-c", PRIVATE_DEV, "sh", str(folder), str(BINARY),
                     "run", "-c", str(server.config)],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=server.environment)

        def daemon():
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.addCleanup(sock.close)
            sock.bind(str(folder / "log"))
            os.chmod(folder / "log", 0o666)
            os.chmod(folder, 0o755)
            threading.Thread(target=listen, args=(sock,), daemon=True).start()
            return sock

        def listen(sock):
            while message := sock.recv(2000):
                messages.append(message.decode())

        def next_login():
            give_up = time.monotonic() + LIMIT_S
            while True:
                while messages:
                    if " login - " in (message := messages.pop(0)):
                        return message
                self.assertLess(time.monotonic(), give_up, server.log())
                time.sleep(0.02)

        server.launch = launch
        log = daemon()
        server.start()
        for again in (False, True):
            if again:
                log.shutdown(socket.SHUT_RDWR)
                log.close()
                (folder / "log").unlink()
                log = daemon()
            self.session().quit()
            self.assertRegex(
                next_login(),
                r"^<94>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S+ cubftpd "
                rf"{server.process.pid} login - event=login session=\d+ peer=127\S+ "
                rf"account={USER} by=password$")
        self.assertFalse(re.search("event=login", server.log()), "also on stderr")


if __name__ == "__main__":
    unittest.main()
