# SPDX-License-Identifier: MIT
"""
What has gone wrong in other FTP servers, as a checklist: each row is a kind of hole, and has a
test, here or elsewhere, that names the row in a comment ("Row 4.14 of the checklist"). These
rows have none:

4.11 "Revocation lists read wrongly": none are read. What ends trust is in test_levels.py.
4.31 "A distribution with a back door": tags and hashes of releases are not the program's.
"""

import re
import socket
import unittest

from server import LIMIT_S, TREE, Account, LiveCase, Server, content, read_all

ROWS = {
    1: "Commands that follow AUTH TLS in clear are executed within TLS",
    2: "TLS after the login, AUTH twice",
    3: "Downgrade: a login or data in clear",
    4: "FTP bounce: PORT to somebody else",
    5: "Passive ports and data connections are stolen",
    6: "Another protocol is spoken to the server by a browser",
    7: "Renegotiation of TLS",
    8: "A resumed session goes around the client certificate",
    9: "Possession of a certificate's key is not asked for",
    10: "NULs and odd encodings in the names of certificates",
    11: "Revocation lists read wrongly",
    12: "A table of trust that is damaged or empty lets everybody in",
    13: "An upload that was cut off is accepted",
    14: "Paths that lead out of the root",
    15: "Symbolic links, and races with them",
    16: "Commands during a transfer change what it is about",
    17: "Buffers overflow in parsers and in the log",
    18: "Odd bytes are read out of bounds",
    19: "Patterns and recursion in listings exhaust the server",
    20: "Options of STAT and LIST",
    21: "Line ends in names of files, and quotes",
    22: "Lines and fields of the log are forged",
    23: "Users are told apart from strangers",
    24: "Passwords are guessed, or accounts locked by guessing",
    25: "Resources are exhausted before the login",
    26: "Limits of space are gone around",
    27: "SITE without a login or a right",
    28: "Groups of root are kept",
    29: "The end of a transfer uses what is free",
    30: "Offsets that wrap",
    31: "A distribution with a back door",
    32: "A NUL in the name of a user",
    33: "Weak randomness at the first boot",
    34: "What BearSSL 0.6 has not mended yet",
    35: "Data of an aborted transfer comes with the next one",
    36: "States outlive what they were for: EPSV ALL, REST, RNFR",
    37: "Compression, and a control socket that others could open",
}
WITHOUT_TEST = {11, 31}

ROW = re.compile(r"(?<![\d.])4\.(\d{1,2})(?![\d.]*\d)")


def rows_named():
    """The rows that tests name, and where. Sections of an RFC look alike."""
    found = {}
    for folder, pattern in (("live", "test_*.py"), ("story", "test_*.c"), ("unit", "test_*.c"),
                            ("cubsign", "test_*.c")):
        for path in (TREE / "tests" / folder).glob(pattern):
            text = path.read_text()
            if path.name == "test_checklist.py":
                text = text.partition("\nclass ")[2]
            for line in text.splitlines():
                if "RFC" not in line:
                    for row in ROW.findall(line):
                        found.setdefault(int(row), set()).add(path.name)
    return found


class Checklist(unittest.TestCase):

    def test_each_row_has_a_test_that_names_it(self):
        named = rows_named()
        self.assertEqual(sorted(set(ROWS) - set(named) - WITHOUT_TEST), [])

    def test_what_is_said_to_have_no_test_has_none(self):
        self.assertEqual(sorted(WITHOUT_TEST & set(rows_named())), [])

    def test_no_test_names_a_row_that_is_none(self):
        self.assertEqual(sorted(set(rows_named()) - set(ROWS)), [])


class Bearssl(unittest.TestCase):

    def test_what_was_mended_after_0_6_is_not_called(self):
        """
        Row 4.34 of the checklist: its decoder of private keys wrote too far, its check of PSS
        was wrong, its own seeding knows no getrandom.
        """
        for path in sorted((TREE / "core").glob("*.c")) + sorted((TREE / "tools").rglob("*.c")):
            self.assertNotRegex(path.read_text(), r"br_skey_decoder_|_pss_vrfy", path.name)
        seeding = (TREE / "core" / "tls.c").read_text()
        self.assertRegex(seeding, r"\nbr_prng_seeder_system\(const char", "BearSSL's is linked")


class OddCommands(LiveCase):

    def setUp(self):
        super().setUp()
        self.make("sub/file", b"x")
        self.ftp = self.session()

    def test_odd_bytes_are_answered_once_and_the_session_goes_on(self):
        """Row 4.18 of the checklist: quotes, bytes above 0x7f, empty lines."""
        for line in (b"\xc3\xa0\xe0 x", b'CWD "', b'RETR "', b"MKD \xff\xfe", b'DELE a"b"',
                     b"\xe9" * 100, b"SIZE " + b'"' * 200):
            with self.subTest(line):
                self.ftp.send(line + b"\r\n")
                self.assertIn(self.ftp.reply().code // 100, (4, 5))
        for line in (b"\n", b"\r\n", b" \n"):
            with self.subTest(line):
                self.ftp.send(line + b"NOOP\r\n")
                codes = [self.ftp.reply().code]
                if codes[0] != 200:
                    codes.append(self.ftp.reply().code)
                self.assertIn(codes, ([200], [500, 200]))

    def test_options_of_stat_and_list_are_nothing_but_skipped(self):
        """Row 4.20 of the checklist."""
        for options in ("-C", "-C -C", "-" + "CBRal" * 40, "-R -B", "--", "-\xff"):
            with self.subTest(options):
                reply = self.ftp.expect(f"STAT {options} sub", 213)
                self.assertEqual([line.split()[-1] for line in reply.lines[1:-1]], ["file"])
                listed = self.ftp.list(f"LIST {options} sub")
                self.assertEqual([line.split()[-1] for line in listed], ["file"])
        self.ftp.expect("STAT -C", 213)
        self.ftp.expect("NOOP", 200)


class DuringATransfer(LiveCase):
    """A download is held up by a client that does not read."""

    size = 16_000_000

    @classmethod
    def make_server(cls):
        return Server(accounts=(Account(), Account("other", "other password", "/other")))

    def setUp(self):
        super().setUp()
        self.make("first", content(self.size, 1))
        self.make("other/first", b"of the other")
        self.ftp = self.session()

    def held(self):
        _, data = self.ftp.begin("RETR first", receive_buffer=8192)
        self.addCleanup(data.close)
        return data

    def test_no_command_changes_what_is_transferred(self):
        """Row 4.16 of the checklist: they wait, and are executed in order afterwards."""
        data = self.held()
        self.ftp.send("RNFR first\r\nRNTO gone\r\nCWD other\r\nUSER other\r\n"
                      "PASS other password\r\nPWD")
        with data:
            self.assertEqual(read_all(data), content(self.size, 1))
        for code in (226, 350, 250, 250, 503, 503, 257):
            self.ftp.expect_reply(code)

    def test_a_user_who_comes_before_the_data_connection_does_not_get_its_file(self):
        """Row 4.16 of the checklist."""
        port = self.ftp.passive()
        self.ftp.send("REST 0\r\nRETR first\r\nUSER other\r\nPASS other password")
        raw = socket.create_connection((self.ftp.host, port), LIMIT_S)
        with self.ftp.context.wrap_socket(raw, session=self.ftp.sock.session) as data:
            self.assertEqual(read_all(data), content(self.size, 1))
        self.ftp.expect_reply(350)
        self.ftp.expect_reply(150)
        self.ftp.expect_reply(226)
        self.ftp.expect_reply(503)  # who is logged in stays so
        self.ftp.expect_reply(503)

    def test_nothing_of_an_aborted_transfer_comes_with_the_next(self):
        """Row 4.35 of the checklist."""
        self.make("second", b"2" * 1000)
        for command, want in (("RETR second", b"2" * 1000), ("NLST other", b"other/first\r\n")):
            data = self.held()
            data.recv(1000)
            self.ftp.expect("ABOR", 426)
            self.ftp.expect_reply(226)
            data.close()
            reply, got = self.ftp.receive(command)
            self.assertEqual((reply.code, got), (226, want))


if __name__ == "__main__":
    unittest.main()
