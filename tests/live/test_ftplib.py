# SPDX-License-Identifier: MIT
"""Python's ftplib against the server, and what happens while a transfer runs."""

import calendar
import ftplib
import io
import os
import re
import ssl
import time
import unittest

from drivers.resuming import Resuming
from server import (HOSTS, LIMIT_S, PASSWORD, USER, LiveCase, Server, content,
                    read_all, tls_context)


class Implicit(Resuming):
    """TLS from the first byte: wrap the socket as soon as ftplib sets it."""

    wrapped = None

    @property
    def sock(self):
        return self.wrapped

    @sock.setter
    def sock(self, sock):
        if sock is not None and not isinstance(sock, ssl.SSLSocket):
            sock = self.context.wrap_socket(sock, server_hostname=self.host)
        self.wrapped = sock


class PlainImplicit(Implicit):
    ntransfercmd = ftplib.FTP_TLS.ntransfercmd


def default_context():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class FtplibCase(LiveCase):

    def ftp(self, kind=Resuming, host=HOSTS[0], context=None):
        ftp = kind(context=context or default_context(), timeout=LIMIT_S, encoding="utf-8")
        self.addCleanup(ftp.close)
        ftp.connect(host, self.server.port(host, issubclass(kind, Implicit)))
        if issubclass(kind, Implicit):
            ftp.voidcmd("PBSZ 0")
        ftp.login(USER, PASSWORD, secure=not issubclass(kind, Implicit))
        ftp.prot_p()
        return ftp

    def get(self, ftp, name, rest=None):
        got = io.BytesIO()
        ftp.retrbinary(f"RETR {name}", got.write, rest=rest)
        return got.getvalue()

    def transfers(self, ftp, size=200_000):
        payload = content(size, 9)
        ftp.storbinary("STOR ftplib", io.BytesIO(payload))
        self.assertEqual(self.path("ftplib").read_bytes(), payload)
        self.assertEqual(self.get(ftp, "ftplib"), payload)
        self.assertIn("ftplib", ftp.nlst())
        ftp.delete("ftplib")
        self.assertFalse(self.path("ftplib").exists())


class Everyday(FtplibCase):

    def test_transfers_work_over_every_family_and_both_kinds_of_tls(self):
        for host in HOSTS:
            for kind in (Resuming, Implicit):
                with self.subTest(host=host, kind=kind.__name__):
                    ftp = self.ftp(kind, host)
                    self.transfers(ftp)
                    self.assertRegex(ftp.quit(), "^221")

    def test_transfers_work_for_a_client_that_is_told_to_use_tls_1_2(self):
        self.transfers(self.ftp(context=tls_context(maximum_version=ssl.TLSVersion.TLSv1_2)))

    def test_a_client_that_does_not_resume_gets_522_and_not_a_byte(self):
        self.make("guarded", content(1000))
        for host in HOSTS:
            for kind in (ftplib.FTP_TLS, PlainImplicit):
                with self.subTest(host=host, kind=kind.__name__):
                    ftp = self.ftp(kind, host)
                    got = io.BytesIO()
                    with self.assertRaises((ftplib.error_perm, OSError)) as caught:
                        ftp.retrbinary("RETR guarded", got.write)
                    if not isinstance(caught.exception, ftplib.error_perm):
                        with self.assertRaises(ftplib.error_perm) as caught:
                            ftp.voidresp()
                    self.assertRegex(str(caught.exception), "^522")
                    self.assertEqual(got.getvalue(), b"")
                    ftp.quit()

    def test_the_refusal_says_what_to_do(self):
        ftp = self.ftp(ftplib.FTP_TLS)
        with self.assertRaises((ftplib.error_perm, OSError)) as caught:
            ftp.nlst()
        if not isinstance(caught.exception, ftplib.error_perm):
            with self.assertRaises(ftplib.error_perm) as caught:
                ftp.voidresp()
        self.assertRegex(str(caught.exception).lower(), "522.*(reuse|resum)")

    def test_mlsd_tells_type_size_time_permission_and_identity(self):
        path = self.make("facts/a file; with=odd name", b"12345")
        os.utime(path, (1_000_000_000, 1_000_000_000))
        self.make("facts/folder/inside")
        os.link(path, self.path("facts/link"))
        ftp = self.ftp()
        entries = dict(ftp.mlsd("facts"))
        self.assertEqual(set(entries), {"a file; with=odd name", "folder", "link"})
        facts = entries["a file; with=odd name"]
        self.assertEqual(facts["type"], "file")
        self.assertEqual(facts["size"], "5")
        self.assertRegex(facts["modify"], r"^20010909014640(\.0+)?$")
        self.assertLessEqual(set("rw"), set(facts["perm"]))
        self.assertEqual(entries["folder"]["type"], "dir")
        self.assertIn("e", entries["folder"]["perm"])
        self.assertIn("l", entries["folder"]["perm"])
        self.assertEqual(facts["unique"], entries["link"]["unique"])
        self.assertNotEqual(facts["unique"], entries["folder"]["unique"])
        for _, chosen in ftp.mlsd("facts", facts=["type"]):
            self.assertEqual(set(chosen), {"type"})

    def test_a_transfer_starts_at_the_offset_of_rest(self):
        payload = content(100_000)
        self.make("rest", payload)
        ftp = self.ftp()
        for offset in (1, 50_000, 99_999, 100_000):
            self.assertEqual(self.get(ftp, "rest", offset), payload[offset:])
        self.assertEqual(self.get(ftp, "rest"), payload)

    def test_an_upload_with_rest_changes_the_file_from_there_on(self):
        payload = content(100_000)
        self.make("patched", payload[:60_000])
        ftp = self.ftp()
        ftp.storbinary("STOR patched", io.BytesIO(payload[40_000:]), rest=40_000)
        self.assertEqual(self.path("patched").read_bytes(), payload)

    def test_appe_appends_and_makes_the_file(self):
        ftp = self.ftp()
        ftp.storbinary("APPE appended", io.BytesIO(b"one,"))
        ftp.storbinary("APPE appended", io.BytesIO(b"two"))
        self.assertEqual(self.path("appended").read_bytes(), b"one,two")

    def test_stou_makes_a_name_of_its_own_each_time(self):
        self.needs("STOU")
        ftp = self.ftp()
        ftp.mkd("unique")
        ftp.cwd("unique")
        names = []
        for text in (b"first", b"second"):
            ftp.voidcmd("TYPE I")
            data, _ = ftp.ntransfercmd("STOU")
            names.append(ftp.lastresp)
            data.sendall(text)
            data.unwrap().close()
            ftp.voidresp()
        self.assertEqual(sorted(p.read_bytes() for p in self.path("unique").iterdir()),
                         [b"first", b"second"])

    def test_rename_delete_and_folders(self):
        ftp = self.ftp()
        self.assertEqual(ftp.mkd('a "quoted" ž'), '/a "quoted" ž')
        ftp.cwd('a "quoted" ž')
        self.assertEqual(ftp.pwd(), '/a "quoted" ž')
        ftp.storbinary("STOR one", io.BytesIO(b"1"))
        ftp.rename("one", "/moved")
        self.assertEqual(self.path("moved").read_bytes(), b"1")
        ftp.cwd("..")
        self.assertEqual(ftp.pwd(), "/")
        ftp.rmd('a "quoted" ž')
        ftp.delete("moved")
        for refused in (lambda: ftp.delete("moved"), lambda: ftp.rmd("absent"),
                        lambda: ftp.cwd("absent"), lambda: ftp.size("absent"),
                        lambda: ftp.rename("absent", "x")):
            with self.assertRaisesRegex(ftplib.error_perm, "^550"):
                refused()

    def test_a_rename_replaces_a_file_but_never_a_folder(self):
        self.make("new-version", b"new")
        self.make("version", b"old")
        self.make("directory/kept", b"kept")
        ftp = self.ftp()
        ftp.rename("new-version", "version")
        self.assertEqual(self.path("version").read_bytes(), b"new")
        for source, target in (("version", "directory"), ("directory", "version")):
            with self.assertRaisesRegex(ftplib.error_perm, "^55"):
                ftp.rename(source, target)
        self.assertEqual(self.path("directory/kept").read_bytes(), b"kept")
        self.assertEqual(self.path("version").read_bytes(), b"new")

    def test_a_folder_that_is_not_empty_stays(self):
        self.make("full/file", b"")
        ftp = self.ftp()
        with self.assertRaisesRegex(ftplib.error_perm, "^550"):
            ftp.rmd("full")
        with self.assertRaisesRegex(ftplib.error_perm, "^550"):
            ftp.delete("full")
        self.assertTrue(self.path("full/file").exists())

    def test_size_and_time_of_a_file(self):
        path = self.make("sized", b"x" * 12345)
        os.utime(path, (951_827_696, 951_827_696))  # 2000-02-29 12:34:56
        ftp = self.ftp()
        ftp.voidcmd("TYPE I")
        self.assertEqual(ftp.size("sized"), 12345)
        self.assertEqual(ftp.voidcmd("MDTM sized"), "213 20000229123456")

    def test_noop_and_stat_answer_between_transfers(self):
        ftp = self.ftp()
        self.assertRegex(ftp.voidcmd("NOOP"), "^200")
        self.assertRegex(ftp.sendcmd("STAT"), "^211")


class InAnotherZone(FtplibCase):
    """All times are UTC, whatever the device's zone."""

    @classmethod
    def make_server(cls):
        return Server(environment={"TZ": "UTC-14"})

    def test_times_are_utc_everywhere(self):
        recent = int(time.time()) // 86400 * 86400 - 86400 * 3 + 3600  # 01:00 UTC
        path = self.make("zoned", b"x")
        os.utime(path, (recent, recent))
        ftp = self.ftp()
        self.assertEqual(ftp.voidcmd("MDTM zoned")[4:],
                         time.strftime("%Y%m%d%H%M%S", time.gmtime(recent)))
        lines = []
        ftp.retrlines("LIST", lines.append)
        self.assertIn(time.strftime("%b %e %H:%M zoned", time.gmtime(recent)), lines[0])
        facts = dict(ftp.mlsd())["zoned"]
        self.assertEqual(calendar.timegm(time.strptime(facts["modify"][:14], "%Y%m%d%H%M%S")),
                         recent)


class ByAddress(FtplibCase):
    """data_reuse = address serves clients that cannot resume."""

    @classmethod
    def make_server(cls):
        return Server(options={"data_reuse": "address"})

    def test_a_client_that_does_not_resume_is_served(self):
        for host in HOSTS:
            for kind in (ftplib.FTP_TLS, PlainImplicit):
                with self.subTest(host=host, kind=kind.__name__):
                    ftp = self.ftp(kind, host)
                    self.transfers(ftp)
                    ftp.quit()

    def test_a_client_that_resumes_is_served(self):
        for host in HOSTS:
            for kind in (Resuming, Implicit):
                with self.subTest(host=host, kind=kind.__name__):
                    ftp = self.ftp(kind, host)
                    self.transfers(ftp)
                    ftp.quit()


class DuringATransfer(FtplibCase):
    """A download is held up by a client that does not read, and commands come meanwhile."""

    size = 16_000_000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.payload = content(cls.size)
        (cls.server.root / "big").write_bytes(cls.payload)

    def held(self, ftp):
        """A download that has begun and can't end before its data is read."""
        _, data = ftp.begin("RETR big", receive_buffer=8192)
        self.addCleanup(data.close)
        self.assertTrue(self.payload.startswith(data.recv(1000)))
        return data

    def test_abor_ends_a_download_with_426_and_226(self):
        ftp = self.ftp()
        ftp.voidcmd("TYPE I")
        data, _ = ftp.ntransfercmd("RETR big")
        self.assertTrue(self.payload.startswith(data.recv(10_000)))
        self.assertRegex(ftp.abort(), "^426")
        self.assertRegex(ftp.getmultiline(), "^226")
        data.close()
        self.assertRegex(ftp.voidcmd("NOOP"), "^200")
        self.assertEqual(self.get(ftp, "big", self.size - 1000), self.payload[-1000:])

    def test_an_aborted_download_does_not_look_complete(self):
        ftp = self.session()
        data = self.held(ftp)
        ftp.send(b"\xff\xf4\xff\xf2ABOR\r\n")
        ftp.expect_reply(426)
        ftp.expect_reply(226)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            read_all(data)  # no close_notify may come
        self.assertEqual(ftp.get("big", rest=self.size - 10), self.payload[-10:])

    def test_abor_ends_an_upload_and_keeps_the_old_file(self):
        self.make("kept", b"old")
        ftp = self.session()
        _, data = ftp.begin("STOR kept")
        data.sendall(content(100_000))
        ftp.expect("ABOR", 426)
        ftp.expect_reply(226)
        data.close()
        self.assertEqual(self.path("kept").read_bytes(), b"old")
        ftp.put("kept", b"new")
        self.assertEqual(self.path("kept").read_bytes(), b"new")

    def test_abor_before_the_data_connection_comes_ends_the_transfer(self):
        ftp = self.session()
        ftp.passive()
        ftp.send("RETR big\r\nABOR".encode() + b"\r\n")
        codes = [ftp.reply().code]
        if codes == [150]:
            codes = [ftp.reply().code]
        self.assertIn(codes[0], (425, 426))
        ftp.expect_reply(226, 225)
        ftp.expect("NOOP", 200)

    def test_stat_is_answered_at_once_with_the_bytes_so_far(self):
        ftp = self.session()
        data = self.held(ftp)
        reply = ftp.expect("STAT", 211, 213)
        numbers = [int(n) for n in re.findall(r"\d+", "\n".join(reply.lines)[4:])]
        self.assertTrue(any(1000 <= n <= self.size for n in numbers), reply)
        with data:
            rest = read_all(data)
        self.assertEqual(rest, self.payload[-len(rest):])
        ftp.expect_reply(226)

    def test_noop_is_answered_after_the_transfer(self):
        ftp = self.session()
        data = self.held(ftp)
        ftp.send("NOOP")
        ftp.send("NOOP")
        ftp.send("PWD")
        with data:
            rest = read_all(data)
        self.assertEqual(rest, self.payload[-len(rest):])
        ftp.expect_reply(226)
        ftp.expect_reply(200)
        ftp.expect_reply(200)
        ftp.expect_reply(257)

    def test_quit_waits_for_the_end_of_the_transfer(self):
        ftp = self.session()
        data = self.held(ftp)
        ftp.send("QUIT")
        with data:
            rest = read_all(data)
        self.assertEqual(rest, self.payload[-len(rest):])
        ftp.expect_reply(226)
        ftp.expect_reply(221)
        ftp.expect_end()

    def test_a_slow_reader_does_not_hinder_another_client(self):
        slow = self.session()
        data = self.held(slow)
        other = self.session()
        for number in range(5):
            payload = content(300_000, number)
            other.put("quick", payload)
            self.assertEqual(other.get("quick"), payload)
        with data:
            rest = read_all(data)
        self.assertEqual(rest, self.payload[-len(rest):])
        slow.expect_reply(226)

    def test_three_clients_transfer_at_once_and_get_what_is_theirs(self):
        sessions = [self.session() for _ in range(3)]
        payloads = [content(3_000_000, seed) for seed in range(3)]
        held = []
        for number, (ftp, payload) in enumerate(zip(sessions, payloads)):
            self.make(f"own{number}", payload)
            held.append(ftp.begin(f"RETR own{number}")[1])
        got = [b"", b"", b""]
        open_ones = {0, 1, 2}
        while open_ones:
            for number in sorted(open_ones):
                part = held[number].recv(30_000)
                got[number] += part
                if not part:
                    open_ones.discard(number)
        for number in range(3):
            self.assertEqual(got[number], payloads[number])
            held[number].close()
            sessions[number].expect_reply(226)

    def test_a_client_that_vanishes_in_a_download_leaves_the_others_alone(self):
        gone = self.session()
        data = self.held(gone)
        gone.close()
        other = self.session()
        self.assertEqual(other.get("big", rest=self.size - 5), self.payload[-5:])
        data.close()
        self.assertEqual(other.get("big", rest=self.size - 5), self.payload[-5:])


if __name__ == "__main__":
    unittest.main()
