# SPDX-License-Identifier: MIT
"""curl against the server: explicit and implicit TLS, IPv4 and IPv6."""

import hashlib
import os
import ssl
import subprocess
import unittest
import zlib
from urllib.parse import quote

from server import ENVIRONMENT, LIMIT_S, PASSWORD, USER, LiveCase, content, need

SIDE_BY_SIDE = True

WRONG_LOGIN, MISSING_FILE, QUOTE_FAILED, UPLOAD_FAILED = 67, 78, 21, 25

NAMES = ("with space", " leading", "trailing ", "žluťoučký kůň", "日本語.txt", 'say "hi"',
         "it's", "100%", "%41", "semi;colon", "[brackets]", "hash#", "what?", "-rf", "a\\b", "*",
         "~", ".hidden", "x" * 200)


class Curl:
    """The tests; the classes below say over what."""

    host, implicit, names = "127.0.0.1", False, NAMES[::6]

    def setUp(self):
        super().setUp()
        self.here = self.temporary()

    def url(self, path=""):
        return self.server.url(quote(path), self.host, self.implicit)

    def curl(self, *words, login=f"{USER}:{PASSWORD}", status=0):
        done = subprocess.run(
            ["curl", "-q", "-g", "-sS", "-k", "--ssl-reqd", "--noproxy", "*", "--max-time",
             "90", "-u", login, *map(str, words)],
            capture_output=True, timeout=100, cwd=self.here,
            env={**ENVIRONMENT, "HOME": str(self.here)})
        self.assertEqual(done.returncode, status, done.stderr.decode())
        return done.stdout

    def test_lists_what_is_there(self):
        self.make("listing/one", b"1")
        self.make("listing/two words", b"22")
        self.make("listing/folder/inside")
        long = self.curl(self.url("listing/")).decode().splitlines()
        self.assertEqual(len(long), 3)
        sizes = {line.split(None, 8)[8]: line.split()[4] for line in long if line[0] == "-"}
        self.assertEqual(sizes, {"one": "1", "two words": "2"})
        names = self.curl("-l", self.url("listing/")).decode().splitlines()
        self.assertEqual(sorted(names), ["folder", "one", "two words"])
        facts = self.curl("-X", "MLSD", self.url("listing/")).decode().splitlines()
        self.assertEqual(sorted(line.split(" ", 1)[1] for line in facts if "dir;" not in line),
                         ["one", "two words"])

    def test_uploads_and_downloads_byte_for_byte(self):
        for size in (0, 1, 16384, 16385, 1_000_003):
            with self.subTest(size):
                (self.here / "local").write_bytes(content(size, size))
                self.curl("-T", "local", self.url("upload"))
                self.assertEqual(self.path("upload").read_bytes(), content(size, size))
                self.curl("-o", "back", self.url("upload"))
                back = self.here / "back"
                self.assertEqual(back.read_bytes() if back.exists() else b"",
                                 content(size, size))
                back.unlink(missing_ok=True)

    def test_an_upload_replaces_the_file_and_leaves_nothing_else(self):
        self.make("replace/file", content(5000))
        (self.here / "local").write_bytes(b"short")
        self.curl("-T", "local", self.url("replace/file"))
        self.assertEqual(self.path("replace/file").read_bytes(), b"short")
        self.assertEqual([p.name for p in self.path("replace").iterdir()], ["file"])

    def test_a_download_resumes(self):
        payload = content(300_000, 3)
        self.make("resume", payload)
        for have in (1, 150_000, 299_999):
            (self.here / "part").write_bytes(payload[:have])
            self.curl("-C", "-", "-o", "part", self.url("resume"))
            self.assertEqual((self.here / "part").read_bytes(), payload, have)

    def test_an_upload_resumes(self):
        payload = content(300_000, 4)
        (self.here / "local").write_bytes(payload)
        for have in (0, 1, 150_000):
            self.make("resumed", payload[:have])
            self.curl("-C", "-", "-T", "local", self.url("resumed"))
            self.assertEqual(self.path("resumed").read_bytes(), payload, have)

    def test_an_upload_appends(self):
        self.path("log").unlink(missing_ok=True)
        (self.here / "local").write_bytes(b"line\n")
        for count in (1, 2, 3):
            self.curl("--append", "-T", "local", self.url("log"))
            self.assertEqual(self.path("log").read_bytes(), b"line\n" * count)

    def test_a_range_is_that_range(self):
        payload = content(200_000, 5)
        self.make("ranges", payload)
        self.assertEqual(self.curl("-r", "1000-1999", self.url("ranges")), payload[1000:2000])
        self.assertEqual(self.curl("-r", "199000-", self.url("ranges")), payload[199_000:])
        self.assertEqual(self.curl("-r", "-100", self.url("ranges")), payload[-100:])

    def test_renames_and_deletes(self):
        self.make("old name", b"kept")
        self.make("doomed", b"")
        self.curl("-Q", "RNFR old name", "-Q", "RNTO new name", "-Q", "DELE doomed", "-l",
                  self.url())
        self.assertFalse(self.path("old name").exists())
        self.assertFalse(self.path("doomed").exists())
        self.assertEqual(self.path("new name").read_bytes(), b"kept")
        self.curl("-Q", "DELE never there", "-l", self.url(), status=QUOTE_FAILED)

    def test_quoted_commands_hash_date_and_restrict_a_file(self):
        payload = content(300_000, 4)
        path = self.make("quoted name", payload)
        self.curl("-D", "said", "-Q", "MFMT 20010203040506 quoted name",
                  "-Q", "SITE CHMOD 0640 quoted name", "-Q", "HASH quoted name",
                  "-Q", 'XSHA256 "quoted name"', "-Q", "XCRC quoted name 1000 200000",
                  "-l", self.url())
        said = (self.here / "said").read_text().splitlines()
        sha256, crc = hashlib.sha256(payload).hexdigest(), zlib.crc32(payload[1000:200_000])
        for line in (f"213 SHA-256 0-300000 {sha256} /quoted name", f"250 {sha256}",
                     f"250 {crc:08x}", "213 Modify=20010203040506; /quoted name"):
            self.assertIn(line, said)
        self.assertEqual(int(path.stat().st_mtime), 981173106)
        self.assertEqual(path.stat().st_mode & 0o7777, 0o640)
        for wrong in ("SITE CHMOD 4755 quoted name", "HASH never there", "XCRC quoted name 2 1"):
            self.curl("-Q", wrong, "-l", self.url(), status=QUOTE_FAILED)

    def test_makes_folders_on_the_way(self):
        (self.here / "local").write_bytes(b"deep")
        self.curl("--ftp-create-dirs", "-T", "local", self.url("made/on the/way/file"))
        self.assertEqual(self.path("made/on the/way/file").read_bytes(), b"deep")
        self.curl("--ftp-create-dirs", "-T", "local", self.url("made/on the/way/other"))
        self.assertEqual(self.path("made/on the/way/other").read_bytes(), b"deep")

    def test_odd_names_survive_in_both_directions(self):
        uploads, downloads = [], []
        for number, name in enumerate(self.names):
            (self.here / f"up{number}").write_bytes(name.encode())
            uploads += ["-T", f"up{number}", self.url(f"odd/{name}")]
            downloads += ["-o", f"down{number}", self.url(f"odd/{name}")]
        self.curl("--ftp-create-dirs", *uploads)
        stored = {p.name: p.read_bytes() for p in self.path("odd").iterdir()}
        self.assertEqual(stored, {name: name.encode() for name in self.names})
        self.curl(*downloads)
        for number, name in enumerate(self.names):
            self.assertEqual((self.here / f"down{number}").read_bytes(), name.encode())
        listed = self.curl("-l", self.url("odd/")).decode()
        self.assertEqual(sorted(listed.split("\r\n" if "\r\n" in listed else "\n")[:-1]),
                         sorted(self.names))

    def test_every_method_of_reaching_a_folder_works(self):
        payload = content(100)
        self.make('a/with "quotes"/ž/file', payload)
        for method in ("multicwd", "nocwd", "singlecwd"):
            with self.subTest(method):
                got = self.curl("--ftp-method", method, self.url('a/with "quotes"/ž/file'))
                self.assertEqual(got, payload)
                got = self.curl("--ftp-method", method, "-l", self.url('a/with "quotes"/ž/'))
                # Names that can be used from where curl has gone, which is nowhere by nocwd.
                want = 'a/with "quotes"/ž/file' if method == "nocwd" else "file"
                self.assertEqual(got.decode().splitlines(), [want])

    def test_several_files_go_over_one_connection(self):
        for number in range(5):
            self.make(f"many/{number}", content(1000, number))
        words = []
        for number in range(5):
            words += ["-o", f"got{number}", self.url(f"many/{number}")]
        said = self.curl("-v", "-w", "%{num_connects} ", *words).split()
        for number in range(5):
            self.assertEqual((self.here / f"got{number}").read_bytes(), content(1000, number))
        # The first transfer connects control and data; each further one only data.
        self.assertEqual(said, [b"2", b"1", b"1", b"1", b"1"])

    def test_a_wrong_password_is_told(self):
        # At a server of its own: a wrong password makes all later answers from here wait.
        self.server = self.make_server()
        self.addCleanup(self.server.close)
        self.server.start()
        self.curl("-l", self.url(), login=f"{USER}:wrong", status=WRONG_LOGIN)
        self.curl("-l", self.url(), login=f"nobody:{PASSWORD}", status=WRONG_LOGIN)

    def test_a_missing_file_is_told(self):
        self.curl(self.url("not there"), status=MISSING_FILE)
        self.make("a folder/x")
        self.curl(self.url("a folder"), status=MISSING_FILE)

    def test_a_missing_folder_is_told(self):
        (self.here / "local").write_bytes(b"")
        self.curl(self.url("no/such/folder/"), status=9)
        self.curl("--ftp-method", "nocwd", "-T", "local", self.url("no/such/file"),
                  status=UPLOAD_FAILED)

    def test_the_time_of_a_file_is_kept(self):
        path = self.make("dated", b"x")
        os.utime(path, (1_000_000_000, 1_000_000_000))
        self.curl("-R", "-o", "dated", self.url("dated"))
        self.assertEqual(int((self.here / "dated").stat().st_mtime), 1_000_000_000)
        head = self.curl("-I", self.url("dated")).decode()
        self.assertIn("Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT", head)
        self.assertIn("Content-Length: 1", head)

    def test_a_request_to_end_encryption_is_refused_and_all_goes_on(self):
        self.make("encrypted", b"still")
        self.assertEqual(self.curl("--ftp-ssl-ccc", self.url("encrypted")), b"still")

    def test_a_client_that_cannot_resume_gets_no_data(self):
        self.make("guarded", b"secret")
        done = subprocess.run(
            ["curl", "-q", "-g", "-sS", "-k", "--ssl-reqd", "--no-sessionid", "--max-time",
             str(LIMIT_S), "-u", f"{USER}:{PASSWORD}", self.url("guarded")],
            capture_output=True, timeout=2 * LIMIT_S)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, b"")


@need("curl")
class ExplicitIPv4(Curl, LiveCase):
    names = NAMES

    def test_pasv_works_as_well(self):
        self.make("pasv", b"by PASV")
        self.assertEqual(self.curl("--disable-epsv", self.url("pasv")), b"by PASV")

    def test_without_tls_there_is_no_login(self):
        done = subprocess.run(
            ["curl", "-q", "-sS", "--max-time", str(LIMIT_S), "-u", f"{USER}:{PASSWORD}",
             self.url()], capture_output=True, timeout=2 * LIMIT_S)
        self.assertEqual(done.returncode, WRONG_LOGIN, done.stderr)

    def test_the_certificate_can_be_verified_once_it_is_known(self):
        with self.server.session() as ftp:
            pem = ssl.DER_cert_to_PEM_cert(ftp.sock.getpeercert(binary_form=True))
        (self.here / "device.pem").write_text(pem)
        done = subprocess.run(
            ["curl", "-q", "-sS", "--ssl-reqd", "--cacert", str(self.here / "device.pem"),
             "--connect-to", f"live-test:2121:127.0.0.1:{self.server.port()}", "--ftp-skip-pasv-ip",
             "--max-time", str(LIMIT_S), "-u", f"{USER}:{PASSWORD}", "-l",
             "ftp://live-test:2121/"], capture_output=True, timeout=2 * LIMIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)


@need("curl")
class ExplicitIPv6(Curl, LiveCase):
    host = "::1"


@need("curl")
class ImplicitIPv4(Curl, LiveCase):
    implicit = True


@need("curl")
class ImplicitIPv6(Curl, LiveCase):
    host, implicit = "::1", True


if __name__ == "__main__":
    unittest.main()
