# SPDX-License-Identifier: MIT
"""The protocol byte by byte: replies, their order and their form, over plain sockets and TLS."""

import hashlib
import re
import socket
import ssl
import unittest
import zlib

from server import (HOSTS, PASSWORD, USER, Account, Ftp, LiveCase, Server, built_with, content,
                    links_are_followed, read_all, read_what_comes, snapshot)


class BeforeLogin(LiveCase):

    @classmethod
    def make_server(cls):
        return Server(options={"greeting": "Gate 7"})

    def tls(self, **where):
        ftp = self.client(**where)
        ftp.expect("AUTH TLS", 234)
        ftp.start_tls()
        return ftp

    def closed(self, ftp):
        """What comes before the server closes, as text."""
        said = ftp.rest_of_stream().decode("utf-8", "backslashreplace")
        ftp.close()
        return said

    def test_the_banner_is_one_line_with_220_and_the_greeting(self):
        for host in HOSTS:
            for implicit in (False, True):
                with self.subTest(host=host, implicit=implicit):
                    ftp = self.client(host=host, implicit=implicit)
                    self.assertEqual(len(ftp.greeting.lines), 1)
                    self.assertIn("Gate 7", ftp.greeting.text)

    def test_user_before_tls_is_530_and_auth_still_works(self):
        """Row 4.3 of the checklist."""
        ftp = self.client()
        ftp.expect(f"USER {USER}", 530)
        ftp.expect(f"PASS {PASSWORD}", 503, 530)
        ftp.expect("AUTH TLS", 234)
        ftp.start_tls()
        ftp.expect(f"USER {USER}", 331)
        ftp.expect(f"PASS {PASSWORD}", 230)

    def test_pbsz_and_prot_before_auth_are_503(self):
        ftp = self.client()
        ftp.expect("PBSZ 0", 503)
        ftp.expect("PROT P", 503)

    def test_auth_twice_is_503(self):
        """Row 4.2 of the checklist."""
        ftp = self.tls()
        ftp.expect("AUTH TLS", 503)
        ftp.expect(f"USER {USER}", 331)
        ftp.expect(f"PASS {PASSWORD}", 230)
        ftp.expect("AUTH TLS", 503)

    def test_auth_on_the_implicit_port_is_503(self):
        """Row 4.2 of the checklist."""
        self.client(implicit=True).expect("AUTH TLS", 503)

    def test_auth_with_an_unknown_mechanism_is_504_and_without_one_501(self):
        ftp = self.client()
        ftp.expect("AUTH GSSAPI", 504)
        ftp.expect("AUTH", 501)
        ftp.expect("auth tls-c", 234)
        ftp.start_tls()
        ftp.expect("PBSZ 0", 200)

    def test_auth_ssl_implies_protected_data(self):
        for mechanism in ("SSL", "TLS-P"):
            with self.subTest(mechanism):
                ftp = self.client()
                ftp.expect(f"AUTH {mechanism}", 234)
                ftp.start_tls()
                ftp.expect(f"USER {USER}", 331)
                ftp.expect(f"PASS {PASSWORD}", 230)
                ftp.list("NLST")

    def test_a_command_that_follows_auth_in_one_segment_is_never_executed(self):
        """Row 4.1 of the checklist."""
        for tail in (b"USER x\r\n", b"U", b"\r\n"):
            with self.subTest(tail):
                ftp = self.client()
                ftp.send(b"AUTH TLS\r\n" + tail)
                said = self.closed(ftp)
                self.assertNotIn("331", said)
                self.assertNotIn("530", said)

    def test_a_command_that_follows_auth_is_not_seen_within_tls_either(self):
        """Row 4.1 of the checklist."""
        ftp = self.client()
        ftp.send(b"AUTH TLS\r\nUSER x\r\n")
        with self.assertRaises((OSError, EOFError, AssertionError)):
            self.assertEqual(ftp.reply().code, 234)
            ftp.start_tls()
            ftp.expect("NOOP", 200, 331, 530)

    def test_nothing_but_logging_in_is_possible_before_login(self):
        ftp = self.tls()
        for line in ("PWD", "CWD /", "EPSV", "RETR x", "STOR x", "LIST", "MLSD", "DELE x",
                     "SIZE x", "MKD x", "RNFR x", "STAT /", "TYPE I"):
            with self.subTest(line):
                ftp.expect(line, 530)
                ftp.quit()
                ftp = self.tls()  # a few such commands end a session

    def test_pass_without_user_is_503(self):
        self.tls().expect(f"PASS {PASSWORD}", 503)

    def test_an_unknown_user_is_answered_as_a_wrong_password(self):
        """Row 4.23 of the checklist."""
        answers = []
        for name, password in ((USER, "wrong"), ("nobody-here", "wrong"), (USER, "")):
            ftp = self.tls()
            asked = ftp.expect(f"USER {name}", 331)
            refused = ftp.expect(f"PASS {password}", 530)
            answers.append((asked.lines, refused.lines))
            ftp.expect("PWD", 530)
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[0], answers[2])
        self.assertNotRegex(answers[0][0][0].lower(), r"s/key|otp")

    def test_a_long_password_is_refused_and_the_session_goes_on(self):
        ftp = self.tls()
        ftp.expect(f"USER {USER}", 331)
        ftp.expect("PASS " + "x" * 200, 530)
        ftp.expect(f"USER {USER}", 331)
        ftp.expect(f"PASS {PASSWORD}", 230)

    def test_data_in_clear_is_refused_and_garbage_told_apart(self):
        """Row 4.3 of the checklist."""
        ftp = self.tls()
        self.assertIn("PBSZ=0", ftp.expect("PBSZ 4096", 200).text)
        for level, code in (("C", 534), ("S", 536), ("E", 536), ("X", 504), ("P", 200),
                            ("p", 200)):
            with self.subTest(level):
                ftp.expect(f"PROT {level}", code)
        ftp.expect("PROT", 501)

    def test_transfers_before_prot_are_522(self):
        ftp = self.session(protect=False)
        for line in ("RETR x", "STOR x", "APPE x", "LIST", "NLST", "MLSD"):
            with self.subTest(line):
                ftp.expect(line, 522)
        ftp.expect("PBSZ 0", 200)
        ftp.expect("PROT P", 200)
        ftp.list("NLST")

    def test_prot_without_pbsz_is_accepted(self):
        ftp = self.session(protect=False)
        ftp.expect("PROT P", 200)
        ftp.list("NLST")

    def test_a_nul_closes_in_clear_and_within_tls(self):
        """Row 4.32 of the checklist."""
        for ftp in (self.client(), self.tls()):
            ftp.send(b"NOOP x\0y\r\n")
            said = self.closed(ftp)
            self.assertRegex(said, r"\A500[ -][^\r\n]*\r\n\Z")

    def test_a_control_character_closes(self):
        for byte in (b"\x01", b"\x1b", b"\x7f"):
            with self.subTest(byte):
                ftp = self.tls()
                ftp.send(b"USER a" + byte + b"b\r\n")
                self.assertRegex(self.closed(ftp), r"\A500[ -][^\r\n]*\r\n\Z")

    def test_http_closes_and_is_not_echoed(self):
        """Row 4.6 of the checklist."""
        for line in (b"GET /marker HTTP/1.1\r\n", b"POST /marker HTTP/1.1\r\n",
                     b"PUT /marker HTTP/1.1\r\n", b"HEAD /marker HTTP/1.0\r\n",
                     b"OPTIONS /marker HTTP/1.1\r\n"):
            for ftp in (self.client(), self.client(implicit=True)):
                with self.subTest(line):
                    ftp.send(line)
                    said = self.closed(ftp)
                    self.assertRegex(said, r"\A500[ -]")
                    self.assertNotIn("marker", said)
                    self.assertEqual(said.count("\r\n"), 1)

    def test_a_line_of_100_kb_is_answered_once_and_the_connection_goes_on(self):
        """Row 4.17 of the checklist."""
        plain = self.client()
        plain.send(b"A" * 100_000 + b"\r\n")
        plain.expect_reply(500)
        plain.expect("AUTH TLS", 234)

        ftp = self.session()
        for _ in range(500):
            ftp.send(b"A" * 200)
        ftp.send(b"\r\nNOOP\r\n")
        ftp.expect_reply(500)
        ftp.expect_reply(200)

    def test_the_end_of_a_long_line_is_not_a_command(self):
        """Row 4.6 of the checklist."""
        ftp = self.session()
        for _ in range(100):
            ftp.send(b"DELE " * 40)
        ftp.send(b"QUIT\r\n")
        ftp.expect_reply(500)
        ftp.expect("NOOP", 200)

    def test_a_client_that_sends_nothing_but_noise_does_not_disturb_others(self):
        noise = self.client()
        noise.send(content(5000).replace(b"\n", b"x"))
        tls = self.client()
        tls.expect("AUTH TLS", 234)
        tls.send(content(5000, 2))
        implicit = socket.create_connection((HOSTS[0], self.server.port(implicit=True)), 20)
        self.addCleanup(implicit.close)
        implicit.sendall(b"USER x\r\nPASS y\r\n")
        ftp = self.session()
        ftp.expect("NOOP", 200)

    def test_quit_before_tls_is_221_and_the_end(self):
        self.client().quit()

    def test_what_follows_quit_is_not_executed(self):
        ftp = self.tls()
        ftp.send(b"QUIT\r\nNOOP\r\n")
        ftp.expect_reply(221)
        ftp.expect_end()

    def test_a_close_notify_is_answered_by_one(self):
        ftp = self.session()
        raw = ftp.sock.unwrap()  # raises unless the server's close_notify comes
        self.addCleanup(raw.close)


class LoggedIn(LiveCase):
    """One session a test on a small tree."""

    @classmethod
    def make_server(cls):
        return Server(accounts=[Account(), Account("reader", "reads only", rights="rl")])

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.server.root / "sub").mkdir()
        (cls.server.root / "empty").mkdir()
        (cls.server.root / "file").write_bytes(content(1000))

    def setUp(self):
        super().setUp()
        self.ftp = self.session()

    def test_unknown_unsupported_and_wrong_arguments_are_told_apart(self):
        for line, code in (("XYZZY", 500), ("ACCT x", 502), ("ADAT x", 502), ("MIC x", 502),
                           ("CONF x", 502), ("ENC x", 502), ("CCC", 533), ("HOST x", 502),
                           ("RETR", 501), ("STOR", 501), ("DELE", 501), ("MKD", 501),
                           ("RNFR", 501), ("SIZE", 501), ("MDTM", 501), ("REST", 501)):
            with self.subTest(line):
                if line == "HOST x":
                    self.ftp = self.session()  # keep below a limit for errors
                self.ftp.expect(line, code)

    def test_ccc_does_not_end_protection(self):
        self.ftp.expect("CCC", 533)
        self.ftp.expect("NOOP", 200)

    def test_types_structures_and_modes(self):
        """Row 4.37 of the checklist."""
        for line, code in (("TYPE I", 200), ("TYPE A", 200), ("TYPE A N", 200), ("type l 8", 200),
                           ("TYPE X", 504), ("TYPE E", 504), ("TYPE L 7", 504),
                           ("STRU F", 200), ("STRU R", 504), ("MODE S", 200), ("MODE B", 504),
                           ("MODE C", 504)):
            with self.subTest(line):
                self.ftp.expect(line, code)

    def test_rnto_without_rnfr_is_503(self):
        self.ftp.expect("RNTO x", 503)

    def test_rnfr_does_not_outlive_another_command(self):
        """Row 4.36 of the checklist."""
        self.ftp.expect("RNFR file", 350)
        self.ftp.expect("CWD /", 250)
        self.ftp.expect("RNTO moved", 503)
        self.assertTrue(self.path("file").exists())

    def test_rnfr_of_what_is_not_there_is_550(self):
        self.ftp.expect("RNFR absent", 550)
        self.ftp.expect("RNTO x", 503)

    def test_pipelined_commands_are_answered_in_order(self):
        self.ftp.send(b"PWD\r\nTYPE I\r\nSYST\r\nSIZE file\r\nNOOP\r\nMDTM file\r\nXYZZY\r\n"
                      b"SIZE absent\r\nCWD sub\r\nPWD\r\n")
        for code in (257, 200, 215, 213, 200, 213, 500, 550, 250):
            self.ftp.expect_reply(code)
        self.assertRegex(self.ftp.expect_reply(257).text, r'^"/sub"')

    def test_commands_a_byte_at_a_time_are_understood(self):
        for byte in b"TYPE I\r\nSIZE file\r\n":
            self.ftp.send(bytes([byte]))
        self.ftp.expect_reply(200)
        self.assertEqual(self.ftp.expect_reply(213).text, "1000")

    def test_commands_after_a_transfer_command_wait_for_its_end(self):
        port = self.ftp.passive()
        raw = socket.create_connection((self.ftp.host, port), 20)
        self.ftp.send(b"RETR file\r\nPWD\r\nSIZE file\r\n")
        self.ftp.expect_reply(150)
        with self.ftp.context.wrap_socket(raw, session=self.ftp.sock.session) as data:
            self.assertEqual(read_all(data), content(1000))
        self.ftp.expect_reply(226)
        self.ftp.expect_reply(257)
        self.ftp.expect_reply(213, 550)

    def test_verbs_in_any_case_and_a_bare_line_feed_are_understood(self):
        self.ftp.expect("pwd", 257)
        self.ftp.expect("Type i", 200)
        self.ftp.send(b"NOOP\n")
        self.ftp.expect_reply(200)

    def test_feat_has_the_form_of_rfc_2389(self):
        lines = self.ftp.expect("FEAT", 211).lines
        self.assertRegex(lines[0], r"^211-")
        self.assertEqual(lines[-1], "211 End")
        for line in lines[1:-1]:
            self.assertRegex(line, r"^ [^ ]")
        features = {line[1:].split(" ")[0].upper() for line in lines[1:-1]}
        self.assertLessEqual({"AUTH", "PBSZ", "PROT", "EPSV", "UTF8", "SIZE", "MDTM", "REST",
                              "MLST"}, features)
        for line in lines[1:-1]:
            if line.startswith(" REST"):
                self.assertEqual(line, " REST STREAM")
            if line.startswith(" AUTH"):
                self.assertIn("TLS", line)

    def test_feat_is_answered_before_tls_and_before_login(self):
        self.client().expect("FEAT", 211)
        self.client(implicit=True).expect("FEAT", 211)

    def test_help_syst_and_stat_answer(self):
        self.ftp.expect("HELP", 214)
        self.assertEqual(self.ftp.expect("SYST", 215).text, "UNIX Type: L8")
        self.ftp.expect("STAT", 211)

    def test_utf8_can_be_switched_on_in_any_spelling(self):
        for line in ("OPTS UTF8 ON", "OPTS UTF-8 ON", "OPTS UTF8", "opts utf8 on"):
            with self.subTest(line):
                self.ftp.expect(line, 200)

    def test_pasv_on_ipv4_names_the_address_and_a_port_of_the_range(self):
        reply = self.ftp.expect("PASV", 227)
        found = re.fullmatch(
            r"Entering Passive Mode \((\d+),(\d+),(\d+),(\d+),(\d+),(\d+)\)\.?", reply.text)
        self.assertTrue(found, reply)
        numbers = [int(n) for n in found.groups()]
        self.assertEqual(numbers[:4], [127, 0, 0, 1])
        self.assertIn(numbers[4] * 256 + numbers[5], self.server.passive)

    def test_pasv_serves_a_transfer(self):
        numbers = re.findall(r"\d+", self.ftp.expect("PASV", 227).text)
        raw = socket.create_connection(
            (HOSTS[0], int(numbers[4]) * 256 + int(numbers[5])), 20)
        self.ftp.expect("RETR file", 150)
        with self.ftp.context.wrap_socket(raw, session=self.ftp.sock.session) as data:
            self.assertEqual(read_all(data), content(1000))
        self.ftp.expect_reply(226)

    def test_epsv_has_exactly_the_form_of_rfc_2428(self):
        for host in HOSTS:
            ftp = self.session(host=host)
            reply = ftp.expect("EPSV", 229)
            found = re.fullmatch(r"Entering Extended Passive Mode \(\|\|\|(\d+)\|\)", reply.text)
            self.assertTrue(found, reply)
            self.assertIn(int(found[1]), self.server.passive)

    def test_epsv_of_the_wrong_family_is_522(self):
        six = self.session(host="::1")
        for ftp, right, wrong in ((self.ftp, 1, 2), (six, 2, 1)):
            ftp.expect(f"EPSV {right}", 229)
            self.assertRegex(ftp.expect(f"EPSV {wrong}", 522).text, rf"\({right}\)|\(1,2\)")
            ftp.expect("EPSV 3", 522)

    def test_pasv_on_ipv6_is_refused(self):
        self.session(host="::1").expect("PASV", 522)

    def test_after_epsv_all_there_is_only_epsv(self):
        """Row 4.36 of the checklist."""
        self.ftp.expect("EPSV ALL", 200)
        self.ftp.expect("PASV", 503)
        self.assertEqual(self.ftp.get("file"), content(1000))

    def test_active_mode_is_refused(self):
        for line in ("PORT 127,0,0,1,200,200", "EPRT |1|127.0.0.1|51400|"):
            reply = self.ftp.command(line)
            self.assertGreaterEqual(reply.code, 500, reply)

    def test_transfers_without_passive_are_425(self):
        for line in ("RETR file", "STOR new", "LIST", "MLSD"):
            with self.subTest(line):
                self.ftp.expect(line, 425)
        self.assertFalse(self.path("new").exists())

    def test_a_second_epsv_replaces_the_first(self):
        for _ in range(40):  # more than there are ports
            self.ftp.passive()
        self.assertEqual(self.ftp.get("file"), content(1000))

    def test_a_failed_transfer_command_leaves_the_session_usable(self):
        for _ in range(20):
            reply, _ = self.ftp.receive("RETR absent")
            self.assertEqual(reply.code, 550)
        self.assertEqual(self.ftp.get("file"), content(1000))

    def test_size_is_for_images_only(self):
        self.ftp.expect("TYPE I", 200)
        self.assertEqual(self.ftp.expect("SIZE file", 213).text, "1000")
        self.ftp.expect("SIZE sub", 550)
        self.ftp.expect("TYPE A", 200)
        self.ftp.expect("SIZE file", 550)

    def test_pwd_doubles_quotes_and_mkd_tells_the_full_path(self):
        """Row 4.21 of the checklist."""
        self.addCleanup(lambda: self.path('sub/say "hi" ť').rmdir())
        self.ftp.expect("CWD sub", 250)
        made = self.ftp.expect('MKD say "hi" ť', 257)
        self.assertRegex(made.text, r'^"/sub/say ""hi"" ť"')
        self.ftp.expect('CWD say "hi" ť', 250)
        self.assertRegex(self.ftp.expect("PWD", 257).text, r'^"/sub/say ""hi"" ť"')
        self.ftp.expect("CDUP", 250)
        self.assertRegex(self.ftp.expect("PWD", 257).text, r'^"/sub"')

    def test_mkd_of_what_exists_says_so(self):
        self.assertIn("already exists", self.ftp.expect("MKD sub", 550).text)

    def test_x_forms_work(self):
        self.needs("XMKD")
        self.ftp.expect("XMKD extra", 257)
        self.ftp.expect("XCWD extra", 250)
        self.ftp.expect("XCUP", 250)
        self.ftp.expect("XRMD extra", 250)
        self.assertFalse(self.path("extra").exists())

    def test_abor_without_a_transfer_is_226_also_with_telnet_codes(self):
        self.ftp.expect("ABOR", 226)
        self.ftp.send(b"\xff\xf4\xff\xf2ABOR\r\n")
        self.ftp.expect_reply(226)
        self.ftp.expect("NOOP", 200)

    def test_rein_leads_back_before_user_and_keeps_tls(self):
        self.needs("REIN")
        self.ftp.expect("CWD sub", 250)
        self.ftp.expect("REIN", 220)
        self.ftp.expect("PWD", 530)
        self.ftp.expect(f"USER {USER}", 331)
        self.ftp.expect(f"PASS {PASSWORD}", 230)
        self.assertRegex(self.ftp.expect("PWD", 257).text, r'^"/"')

    def test_quit_is_221_and_then_close_notify(self):
        self.ftp.expect("QUIT", 221)
        self.ftp.sock.unwrap().close()  # raises unless the server's close_notify came

    def test_rest_does_not_outlive_its_transfer(self):
        """Row 4.36 of the checklist."""
        self.assertEqual(self.ftp.get("file", rest=900), content(1000)[900:])
        self.assertEqual(self.ftp.get("file"), content(1000))

    def test_rest_does_not_apply_to_a_listing_or_a_later_transfer(self):
        """Row 4.36 of the checklist."""
        self.ftp.expect("REST 900", 350)
        self.assertIn("file", self.ftp.list("NLST"))
        self.assertEqual(self.ftp.get("file"), content(1000))

    def test_rest_beyond_the_end_or_beyond_reason_is_refused(self):
        """Row 4.30 of the checklist."""
        for offset in ("-1", "18446744073709551615", "9223372036854775808",
                       "99999999999999999999999", "x", "1x"):
            with self.subTest(offset):
                self.ftp.expect(f"REST {offset}", 501)
        reply, got = self.ftp.receive("RETR file", rest=1001)
        self.assertEqual((reply.code, got), (554, b""))
        self.assertEqual(self.ftp.get("file"), content(1000))

    def test_rest_to_the_end_gives_nothing_and_226(self):
        self.assertEqual(self.ftp.get("file", rest=1000), b"")

    def test_an_empty_folder_lists_as_nothing(self):
        for command in ("LIST empty", "NLST empty", "MLSD empty", "LIST -la empty"):
            with self.subTest(command):
                self.assertEqual(self.ftp.list(command), [])

    def test_list_skips_options_and_takes_the_argument_as_it_is(self):
        """Rows 4.19 and 4.20 of the checklist."""
        self.make("sub/*", b"star")
        self.make("sub/other", b"")
        self.make("sub/-la", b"")
        self.addCleanup(lambda: [path.unlink() for path in self.path("sub").iterdir()])
        for command in ("LIST -la sub", "LIST sub", "list -a -l sub", "LIST -R sub"):
            names = {line.split(None, 8)[8] for line in self.ftp.list(command)}
            self.assertEqual(names, {"*", "other", "-la"}, command)
        self.ftp.expect("CWD sub", 250)
        self.assertEqual([line.split(None, 8)[8] for line in self.ftp.list("LIST *")], ["*"])
        reply, got = self.ftp.receive("LIST oth*")
        self.assertEqual(got, b"")

    def test_list_has_the_columns_that_clients_parse(self):
        for line in self.ftp.list("LIST"):
            self.assertRegex(
                line, r"^[-d][-r][-w][-xs][-r][-w][-xs][-r][-w][-xt] +\d+ +\S+ +\S+ +\d+ "
                      r"[A-Z][a-z][a-z] [ \d]\d ( \d{4}|\d\d:\d\d) .")

    def test_mlst_has_the_form_of_rfc_3659(self):
        reply = self.ftp.expect("MLST file", 250)
        self.assertEqual(len(reply.lines), 3)
        self.assertRegex(reply.lines[0], r"^250-")
        self.assertRegex(reply.lines[1], r"^ ([^ ;=]+=[^ ;]*;)+ /file$")
        self.assertIn("size=1000;", reply.lines[1].lower())
        self.assertIn("type=file;", reply.lines[1].lower())
        self.assertRegex(reply.lines[2], r"^250 ")
        here = self.ftp.expect("MLST", 250)
        self.assertRegex(here.lines[1].lower(), r"type=[cdp]?dir;")
        self.ftp.expect("MLST absent", 550)

    def test_opts_mlst_chooses_the_facts(self):
        self.ftp.expect("OPTS MLST size;type;nonsense;", 200)
        for name, facts in self.ftp.entries().items():
            self.assertLessEqual(set(facts), {"size", "type"}, name)
        self.assertIn("size", self.ftp.entries()["file"])

    def test_mfmt_sets_the_time_and_says_so(self):
        self.needs("MFMT")
        self.make("dated", b"x")
        self.addCleanup(lambda: self.path("dated").unlink())
        reply = self.ftp.expect("MFMT 20010203040506 dated", 213)
        self.assertRegex(reply.text, r"(?i)^modify=20010203040506; /?dated$")
        self.assertEqual(self.ftp.expect("MDTM dated", 213).text, "20010203040506")
        self.assertEqual(int(self.path("dated").stat().st_mtime), 981173106)
        for wrong in ("20011303040506 dated", "2001 dated", "20010203040506"):
            self.ftp.expect(f"MFMT {wrong}", 501)

    def test_allo_and_avbl_answer(self):
        self.needs("ALLO")
        self.needs("AVBL")
        self.ftp.expect("ALLO 1000", 200)
        self.assertRegex(self.ftp.expect("AVBL", 213).text, r"^\d+$")

    def test_hash_is_that_of_the_file(self):
        self.needs("HASH")
        wanted = hashlib.sha256(content(1000)).hexdigest()
        reply = self.ftp.expect("HASH file", 213)
        self.assertEqual(reply.text, f"SHA-256 0-1000 {wanted} /file")
        self.assertEqual(self.ftp.expect("XSHA256 file", 250).text, wanted)
        crc = zlib.crc32(content(1000))
        self.assertEqual(self.ftp.expect("XCRC file", 250).text, f"{crc:08x}")
        part = zlib.crc32(content(1000)[100:900])
        self.assertEqual(self.ftp.expect('XCRC "file" 100 900', 250).text, f"{part:08x}")
        self.assertEqual(self.ftp.expect("OPTS HASH CRC32", 200).text, "CRC32")
        self.assertEqual(self.ftp.expect("HASH file", 213).text,
                         f"CRC32 0-1000 {crc:08x} /file")
        for wrong, code in (("HASH sub", 550), ("HASH absent", 550), ("XCRC file 0 1001", 554),
                            ("OPTS HASH SHA-1", 504)):
            self.ftp.expect(wrong, code)

    def test_hashes_of_a_large_file_are_right_and_others_go_on_meanwhile(self):
        payload = content(20_000_000, 5)
        self.make("large", payload)
        self.addCleanup(lambda: self.path("large").unlink())
        other = self.session()
        self.ftp.send("XSHA256 large")
        self.ftp.send("XCRC large")
        for _ in range(20):
            other.expect("NOOP", 200)
        self.assertEqual(other.get("file"), content(1000))
        self.assertEqual(self.ftp.expect_reply(250).text, hashlib.sha256(payload).hexdigest())
        self.assertEqual(self.ftp.expect_reply(250).text, f"{zlib.crc32(payload):08x}")

    def test_abor_ends_a_hash(self):
        with open(self.path("holes"), "wb") as file:
            file.truncate(1 << 40)
        self.addCleanup(lambda: self.path("holes").unlink())
        self.ftp.send("HASH holes")
        self.assertTrue(any("Hashing, bytes so far: " in line
                            for line in self.ftp.expect("STAT", 211).lines))
        self.ftp.send(b"\xff\xf4\xff\xf2ABOR\r\n")
        self.ftp.expect_reply(426)
        self.ftp.expect_reply(226)
        self.ftp.expect("HASH file", 213)

    def test_site_chmod_changes_the_permission_bits_and_no_others(self):
        """4.27: what SITE may do is guarded as all else is, too."""
        path = self.make("moded", b"x")
        self.addCleanup(path.unlink)
        for mode in ("600", "0640", "777", "444", "644"):
            self.ftp.expect(f"SITE CHMOD {mode} moded", 200)
            self.assertEqual(path.stat().st_mode & 0o7777, int(mode, 8))
        self.ftp.expect("SITE CHMOD 700 sub", 200)
        self.assertEqual(self.path("sub").stat().st_mode & 0o7777, 0o700)
        self.ftp.expect("SITE CHMOD 755 sub", 200)
        for wrong in ("4755", "2755", "1777", "07777", "64", "8", "999", "u+s", "-rw"):
            self.ftp.expect(f"SITE CHMOD {wrong} moded", 501)
        self.ftp.expect("SITE CHMOD 600 /", 550)
        self.ftp.expect("SITE CHMOD 600 absent", 550)
        self.assertEqual(path.stat().st_mode & 0o7777, 0o644)
        plain = self.server.session(name="reader", password="reads only")
        self.addCleanup(plain.close)
        plain.expect("SITE CHMOD 600 moded", 550)
        plain.expect("SITE UMASK 000", 550)
        plain.expect("MFMT 20010203040506 moded", 550)
        self.assertEqual(path.stat().st_mode & 0o7777, 0o644)

    def test_site_umask_is_shown_and_set_for_the_session(self):
        self.assertRegex(self.ftp.expect("SITE UMASK", 200).text, r"\b0\d\d\d$")
        self.assertRegex(self.ftp.expect("SITE UMASK 027", 200).text, r"\b0027$")
        self.ftp.expect("SITE UMASK 1000", 501)
        self.assertRegex(self.ftp.expect("SITE UMASK", 200).text, r"\b0027$")

    def test_feat_promises_what_is_answered(self):
        samples = {"AUTH TLS": "AUTH", "CLNT": "CLNT live-test", "EPSV": "EPSV", "PASV": "PASV",
                   "HASH": "HASH file", "MDTM": "MDTM file", "MLST": "MLST file",
                   "MFMT": "MFMT 20300102030405 file", "PBSZ": "PBSZ 0", "PROT": "PROT P",
                   "REST STREAM": "REST 0", "SIZE": "SIZE file", "UTF8": "OPTS UTF8 ON",
                   "XCRC": "XCRC file", "XSHA256": "XSHA256 file"}
        self.ftp.expect("TYPE I", 200)
        promised = [line[1:] for line in self.ftp.expect("FEAT", 211).lines[1:-1]]
        for name, sample in samples.items():
            with self.subTest(name):
                self.assertTrue(any(line == name or line.startswith(name + " ")
                                    for line in promised))
                code = self.ftp.command(sample).code
                self.assertTrue(code // 100 in (2, 3) or sample == "AUTH", code)

    def test_names_that_cannot_be_listed_are_not_made(self):
        """Row 4.21 of the checklist."""
        for name in (b"bad\xc3\x28", b"x" * 300, b"\xc2\x85"):
            with self.subTest(name):
                self.ftp.send(b"MKD " + name + b"\r\n")
                self.ftp.expect_reply(553)
        self.assertEqual({path.name for path in self.server.root.iterdir()},
                         {"sub", "empty", "file"})

    def test_stat_of_a_path_lists_it_over_the_control_connection(self):
        reply = self.ftp.expect("STAT file", 213)
        self.assertTrue(any(line.endswith("file") for line in reply.lines[1:-1]), reply)

    @unittest.skipUnless(built_with("ASCII"), "ASCII conversion is not built in")
    def test_ascii_transfers_convert_line_ends(self):
        self.ftp.expect("TYPE A", 200)
        self.ftp.put("text", b"one\r\ntwo\r\n\r\nlast")
        self.addCleanup(lambda: self.path("text").unlink())
        self.assertEqual(self.path("text").read_bytes(), b"one\ntwo\n\nlast")
        self.assertEqual(self.ftp.get("text"), b"one\r\ntwo\r\n\r\nlast")
        self.ftp.expect("TYPE I", 200)
        self.assertEqual(self.ftp.get("text"), b"one\ntwo\n\nlast")

    def test_three_hundred_transfers_in_one_session(self):
        for number in range(150):
            self.assertEqual(self.ftp.get("file"), content(1000), number)
            self.assertEqual(self.ftp.list("NLST empty"), [], number)


class DataConnections(LiveCase):
    """To whom a data connection belongs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.server.root / "file").write_bytes(content(100_000))

    def refused(self, ftp, command, code, **how):
        """Begin a transfer that must end with this code without a byte of data."""
        got = b""
        try:
            _, data = ftp.begin(command, **how)
            with data:
                if command.startswith("STOR"):
                    data.sendall(b"intruder")
                    data.unwrap()
                else:
                    got = read_what_comes(data)
        except (ssl.SSLError, ConnectionError, EOFError):
            pass
        self.assertEqual(got, b"")
        ftp.expect_reply(*code)

    def test_a_data_connection_that_does_not_resume_is_522_without_a_byte(self):
        for host in HOSTS:
            for implicit in (False, True):
                with self.subTest(host=host, implicit=implicit):
                    ftp = self.session(host=host, implicit=implicit)
                    self.refused(ftp, "RETR file", [522], reuse=False)
                    self.refused(ftp, "MLSD", [522], reuse=False)
                    self.assertEqual(ftp.get("file"), content(100_000))
                    ftp.quit()

    def test_an_upload_that_does_not_resume_changes_nothing(self):
        before = self.path("file").read_bytes()
        ftp = self.session()
        self.refused(ftp, "STOR file", [522], reuse=False)
        self.refused(ftp, "STOR new", [522], reuse=False)
        self.assertEqual(self.path("file").read_bytes(), before)
        self.assertFalse(self.path("new").exists())

    def test_the_session_of_another_control_connection_does_not_do(self):
        """Row 4.5 of the checklist."""
        mine = self.session()
        other = Ftp(HOSTS[0], self.server.port(), context=mine.context)
        self.addCleanup(other.close)
        other.expect_reply(220)
        other.expect("AUTH TLS", 234)
        other.start_tls()
        other.expect("NOOP", 200, 530)
        self.refused(mine, "RETR file", [522], session=other.sock.session)
        self.assertEqual(mine.get("file"), content(100_000))

    def test_a_control_connection_cannot_resume_the_session_of_another(self):
        """Row 4.8 of the checklist."""
        mine = self.session()
        raw = socket.create_connection((HOSTS[0], self.server.port(implicit=True)), 20)
        with mine.context.wrap_socket(raw, session=mine.sock.session) as second:
            self.assertFalse(second.session_reused)

    def test_a_stranger_on_the_passive_port_gets_nothing(self):
        """Row 4.5 of the checklist."""
        ftp = self.session()
        port = ftp.passive()
        stranger = socket.create_connection((HOSTS[0], port), 20, ("127.0.0.2", 0))
        self.addCleanup(stranger.close)
        ftp.expect("RETR file", 150)
        with self.assertRaises(OSError):
            ftp.context.wrap_socket(stranger, session=ftp.sock.session)
        # The rightful client is still waited for.
        raw = socket.create_connection((HOSTS[0], port), 20)
        with ftp.context.wrap_socket(raw, session=ftp.sock.session) as data:
            self.assertEqual(read_all(data), content(100_000))
        ftp.expect_reply(226)
        self.assertEqual(ftp.get("file"), content(100_000))

    def test_a_data_connection_in_clear_gets_nothing(self):
        ftp = self.session()
        with socket.create_connection((HOSTS[0], ftp.passive()), 20) as raw:
            ftp.expect("RETR file", 150)
            raw.sendall(b"GET / HTTP/1.0\r\n\r\n")
            try:
                got = raw.recv(65536)
            except ConnectionError:
                got = b""
        self.assertLess(len(got), 64)  # at most an alert
        ftp.expect_reply(522)

    def test_a_data_connection_that_goes_away_at_once_fails_the_transfer(self):
        ftp = self.session()
        with socket.create_connection((HOSTS[0], ftp.passive()), 20):
            ftp.expect("RETR file", 150)
        ftp.expect_reply(522)
        self.assertEqual(ftp.get("file"), content(100_000))


class DataByAddress(LiveCase):
    """data_reuse = address: a full handshake from the same address is enough."""

    @classmethod
    def make_server(cls):
        return Server(options={"data_reuse": "address"})

    def test_transfers_work_with_and_without_resumption(self):
        payload = content(50_000)
        for host in HOSTS:
            for implicit in (False, True):
                with self.subTest(host=host, implicit=implicit):
                    ftp = self.session(host=host, implicit=implicit)
                    ftp.put("file", payload)
                    self.assertEqual(ftp.get("file"), payload)
                    _, data = ftp.begin("RETR file", reuse=False)
                    with data:
                        self.assertFalse(data.session_reused)
                        self.assertEqual(read_all(data), payload)
                    ftp.expect_reply(226)
                    ftp.quit()

    def test_another_address_gets_nothing(self):
        self.make("file", content(1000))
        ftp = self.session()
        port = ftp.passive()
        stranger = socket.create_connection((HOSTS[0], port), 20, ("127.0.0.2", 0))
        self.addCleanup(stranger.close)
        ftp.expect("RETR file", 150)
        with self.assertRaises(OSError):
            ftp.context.wrap_socket(stranger)
        raw = socket.create_connection((HOSTS[0], port), 20)
        with ftp.context.wrap_socket(raw) as data:
            self.assertEqual(read_all(data), content(1000))
        ftp.expect_reply(226)


class Jail(LiveCase):
    """
    No path leads out of a root: neither out of the server's, nor out of an account's that
    is a folder of it.
    """

    @classmethod
    def make_server(cls):
        return Server(accounts=[Account(), Account("inner", "another password", "/inner")])

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.secret = content(16_001, 7)
        for outside, root, tag in cls.places():
            (outside / f"{tag}.bin").write_bytes(cls.secret)
            (outside / f"{tag}-victim").mkdir()
            (outside / f"{tag}-victim" / "kept").write_bytes(b"kept")
            (root / "sub").mkdir()
            for name, target in (
                    ("leak", f"../{tag}.bin"), ("sub/leak", f"../../{tag}.bin"), ("out", ".."),
                    ("absolute", str(outside)), ("chain1", "chain2"), ("chain2", "sub/far"),
                    ("sub/far", "../.."), ("chain3", "sub/leak"), ("loop", "loop"),
                    ("sub/up", ".."), ("proc", "/proc/self/root"), ("dangling", "../made")):
                (root / name).symlink_to(target)

    @classmethod
    def places(cls):
        """What lies outside, the root, and a tag of the names outside."""
        yield cls.server.folder, cls.server.root, "beside"
        yield cls.server.root, cls.server.root / "inner", "above"

    def jails(self):
        for (outside, root, tag), login in zip(self.places(), (
                {}, {"name": "inner", "password": "another password"})):
            yield self.session(**login), outside, root, tag

    def names(self, outside, last):
        """Ways that might lead to a name outside."""
        return [
            f"../{last}", f"/../{last}", f"/../../{last}", "../" * 60 + last,
            f"sub/../../{last}", f"/sub/../../{last}", f"./../{last}", f"//..//{last}",
            f"/./.././{last}", f"sub/.././../{last}", f"sub/..//..//{last}",
            f"%2e%2e/{last}", f"..%2f{last}", f"..\\{last}", f"..\\..\\{last}",
            f"~/{last}", f"~root/{last}", f"~/../{last}", f".../{last}", f".. /{last}",
            f"out/{last}", f"absolute/{last}", f"chain1/{last}", f"chain2/{last}",
            f"sub/far/{last}", f"sub/up/out/{last}", f"sub/up/../out/{last}",
            f"out/../{last}", f"out/./{last}", f"loop/{last}", f"{outside}/{last}",
            f"proc{outside}/{last}", f"out/sub/../../{last}"]

    def outside(self, outside, root):
        found = snapshot(outside, skip=[root])
        found.pop(b"log", None)
        return found

    def test_reading_never_leads_out(self):
        """Rows 4.14 and 4.15 of the checklist."""
        for ftp, outside, root, tag in self.jails():
            for path in self.names(outside, f"{tag}.bin") + ["leak", "sub/leak", "chain3"]:
                with self.subTest(path=path, jail=tag):
                    self.assertNotIn(str(len(self.secret)), ftp.command(f"SIZE {path}").text)
                    ftp.expect(f"MDTM {path}", 550, 553)
                    self.assertNotIn(str(len(self.secret)), str(ftp.command(f"MLST {path}")))
                    reply, got = ftp.receive(f"RETR {path}")
                    self.assertEqual(got, b"")
                    self.assertIn(reply.code, (550, 553), reply)

    def test_no_folder_outside_can_be_entered_or_listed(self):
        for ftp, outside, root, tag in self.jails():
            for path in self.names(outside, f"{tag}-victim") + [
                    "out", "absolute", "chain1", "sub/far", "proc", "proc/etc", "/etc", "loop"]:
                with self.subTest(path=path, jail=tag):
                    ftp.expect(f"CWD {path}", 550, 553)
                    for command in ("MLSD", "LIST", "NLST"):
                        reply, got = ftp.receive(f"{command} {path}")
                        got = got.replace(path.encode(), b"")
                        for name in (b"kept", b"victim", b"identity", b"passwd"):
                            self.assertNotIn(name, got)

    def test_dot_dot_at_the_root_stays_there(self):
        for ftp, outside, root, tag in self.jails():
            for path in ("..", "../..", "/..", "sub/../.."):
                ftp.expect(f"CWD {path}", 250)
                self.assertRegex(ftp.expect("PWD", 257).text, r'^"/"')
                self.assertIn("sub", ftp.entries())
            ftp.expect("CDUP", 250)
            self.assertRegex(ftp.expect("PWD", 257).text, r'^"/"')

    def test_writing_never_leads_out(self):
        """Rows 4.14 and 4.15 of the checklist."""
        for ftp, outside, root, tag in self.jails():
            before = self.outside(outside, root)
            for path in self.names(outside, "made") + [
                    "leak", "sub/leak", "chain3", "dangling",
                    *self.names(outside, f"{tag}.bin")]:
                with self.subTest(path=path, jail=tag):
                    (root / "mover").write_bytes(b"moved")
                    ftp.store(f"STOR {path}", b"planted")
                    ftp.store(f"APPE {path}", b"planted")
                    ftp.command(f"MKD {path}-folder")
                    if ftp.command("RNFR mover").code == 350:
                        ftp.command(f"RNTO {path}-moved")
                    ftp.command(f"SITE CHMOD 777 {path}")
                    ftp.command(f"MFMT 20010203040506 {path}")
                    after = self.outside(outside, root)
                    self.assertEqual(before.keys(), after.keys())
                    self.assertTrue(before == after, "a file outside has changed")

    def test_removing_never_leads_out(self):
        """Rows 4.14 and 4.15 of the checklist."""
        for ftp, outside, root, tag in self.jails():
            before = self.outside(outside, root)
            for path in [*self.names(outside, f"{tag}-victim/kept"),
                         *self.names(outside, f"{tag}.bin")]:
                with self.subTest(path=path, jail=tag):
                    ftp.command(f"DELE {path}")
                    ftp.command(f"RMD {path.removesuffix('/kept')}")
                    if ftp.command(f"RNFR {path}").code == 350:
                        ftp.command("RNTO stolen")
                    after = self.outside(outside, root)
                    self.assertTrue(before == after, "something outside has changed")

    def test_a_link_that_was_renamed_still_leads_nowhere(self):
        """Row 4.15 of the checklist."""
        for ftp, outside, root, tag in self.jails():
            name = f"{tag}-moved.bin"
            for folder, payload in ((outside, self.secret), (root, b"within")):
                (folder / name).write_bytes(payload)
                self.addCleanup((folder / name).unlink)
            pointer, moved = root / "sub" / "pointer", root / "pointer"
            pointer.symlink_to(f"../{name}")
            if links_are_followed():
                self.assertEqual(ftp.get("sub/pointer"), b"within")
            pointer.rename(moved)  # behind the server's back; now it leads out
            self.addCleanup(moved.unlink)
            self.assertEqual(moved.read_bytes(), self.secret)
            reply, got = ftp.receive("RETR pointer")
            self.assertEqual((reply.code, got), (550, b""))
            ftp.expect("RNFR pointer", 550)

    def test_the_root_itself_cannot_be_removed_or_moved(self):
        for ftp, outside, root, tag in self.jails():
            for path in ("/", ".", "..", "sub/.."):
                ftp.expect(f"RMD {path}", 550)
                ftp.expect(f"RNFR {path}", 550)
                ftp.expect("RNTO elsewhere", 503)
            self.assertTrue(root.is_dir())


if __name__ == "__main__":
    unittest.main()
