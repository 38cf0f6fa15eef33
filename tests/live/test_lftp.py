# SPDX-License-Identifier: MIT
"""lftp (GnuTLS) against the server: whole trees, several connections, pipelined commands."""

import os
import subprocess
import unittest

from server import (ENVIRONMENT, LIMIT_S, PASSWORD, USER, LiveCase, bracket, content, need,
                    snapshot)

ODD = ("two words", "žluťoučký kůň", "日本語", 'say "hi"', "it's", "100%", "%41",
       "semi;colon",
       "[x]", "{y}", "a,b", "hash#", "what?", "-rf", "a\\b", "*", "~", "a:b", ".hidden", "a&b",
       "$HOME", "`id`", "a  b", "x" * 180)
# LIST can't show where a name begins or ends, so these are for MLSD only.
EDGES = (" leading", "trailing ")


def grow(folder, names, files):
    """A tree of nested folders, empty folders, empty files and odd names."""
    count = 0
    for level in range(4):
        for branch in range(5):
            at = folder / f"b{branch}" / "/".join(f"l{n}" for n in range(level))
            at.mkdir(parents=True, exist_ok=True)
            for number in range(files):
                count += 1
                size = (0, 1, 700, 3000, 17000)[count % 5]
                (at / f"f{number}").write_bytes(content(size, count))
    (folder / "empty" / "emptier").mkdir(parents=True)
    (folder / "big").write_bytes(content(2_000_000))
    odd = folder / "odd names"
    odd.mkdir()
    for name in names:
        (odd / name).write_bytes(name.encode() * 50)
        (odd / (name[:150] + " d")).mkdir()
        (odd / (name[:150] + " d") / name).write_bytes(b"within")
    for number, path in enumerate(sorted(folder.rglob("*"))):
        if path.is_file():
            os.utime(path, (1_500_000_000 + number, 1_500_000_000 + number))
    return folder


class Lftp:
    """The tests; the classes below say over what."""

    host, implicit, settings = "127.0.0.1", False, ""
    names, files = ODD + EDGES, 15

    def setUp(self):
        super().setUp()
        self.here = self.temporary()

    def lftp(self, commands, fails=False, limit_s=4 * LIMIT_S):
        scheme = "ftps" if self.implicit else "ftp"
        script = self.here / "script"
        script.write_text(
            "set cmd:fail-exit yes\n"
            "set net:max-retries 2\nset net:reconnect-interval-base 1\nset net:timeout 30\n"
            "set ftp:ssl-force true\nset ftp:ssl-protect-data true\n"
            "set ssl:verify-certificate no\n"
            "set ftp:charset UTF-8\nset file:charset UTF-8\n"
            f"{self.settings}"
            f"open -u '{USER},{PASSWORD}' "
            f"{scheme}://{bracket(self.host)}:{self.server.port(self.host, self.implicit)}\n"
            f"{commands}\n")
        done = subprocess.run(
            ["lftp", "--norc", "-f", str(script)], capture_output=True, timeout=limit_s,
            cwd=self.here, stdin=subprocess.DEVNULL,
            env={**ENVIRONMENT, "HOME": str(self.here), "LFTP_HOME": str(self.here / "lftp")})
        said = (done.stdout + done.stderr).decode("utf-8", "backslashreplace")
        if fails:
            self.assertNotEqual(done.returncode, 0, said)
        else:
            self.assertEqual(done.returncode, 0, said)
        return said

    def assert_same(self, one, other):
        one, other = snapshot(one), snapshot(other)
        self.assertEqual(sorted(one), sorted(other))
        self.assertEqual([name for name in one if one[name] != other[name]], [])

    def mirror_both_ways(self, options=""):
        up = grow(self.here / "up", self.names, self.files)
        self.lftp(f"mirror -R --no-perms {options} up tree")
        self.assert_same(up, self.path("tree"))
        self.lftp(f"mirror --no-perms {options} tree down")
        self.assert_same(up, self.here / "down")
        # A second mirror finds nothing to do, so sizes and times were understood.
        again = self.lftp(f"mirror -v --no-perms {options} tree down")
        self.assertNotIn("Transferring", again)
        self.lftp("rm -r tree")
        self.assertFalse(self.path("tree").exists())

    def test_a_tree_is_mirrored_up_and_down_byte_for_byte(self):
        self.mirror_both_ways()

    def test_downloads_and_uploads_resume(self):
        payload = content(400_000, 6)
        self.make("whole", payload)
        for command in ("get -c whole", "reget whole"):
            (self.here / "whole").write_bytes(payload[:123_456])
            self.lftp(command)
            self.assertEqual((self.here / "whole").read_bytes(), payload)
        for command in ("put -c whole -o part", "reput whole -o part"):
            self.make("part", payload[:123_456])
            self.lftp(command)
            self.assertEqual(self.path("part").read_bytes(), payload)

    def test_what_a_link_leads_to_is_left_when_the_link_is_deleted_recursively(self):
        self.make("release/3/precious", b"kept")
        self.path("current").symlink_to("release/3")
        self.lftp("cd current && cat precious && cd .. && rm -r current")
        self.assertFalse(self.path("current").is_symlink())
        self.assertEqual(self.path("release/3/precious").read_bytes(), b"kept")

    def test_a_missing_file_and_a_wrong_password_are_told(self):
        self.assertIn("550", self.lftp("get nothing", fails=True))
        said = self.lftp(f"user {USER} wrong\nls", fails=True)
        self.assertIn("530", said)

    def test_files_and_folders_are_made_moved_and_removed(self):
        self.make("here/old", b"x")
        self.lftp('mkdir -p here/a/b\nmv here/old "here/a/new one"\nrm "here/a/new one"\n'
                  "rmdir here/a/b here/a here")
        self.assertFalse(self.path("here").exists())


@need("lftp")
class ExplicitIPv4(Lftp, LiveCase):

    def test_a_tree_is_mirrored_over_three_connections(self):
        self.mirror_both_ways("--parallel=3")

    def test_times_are_kept_in_both_directions(self):
        self.needs("MFMT")
        (self.here / "up").mkdir()
        for name, when in (("old", 86_400), ("new", 1_700_000_001)):
            (self.here / "up" / name).write_bytes(b"x")
            os.utime(self.here / "up" / name, (when, when))
        self.lftp("mirror -R up times\nmirror times down")
        for name, when in (("old", 86_400), ("new", 1_700_000_001)):
            self.assertEqual(int(self.path(f"times/{name}").stat().st_mtime), when)
            self.assertEqual(int((self.here / "down" / name).stat().st_mtime), when)

    def test_permissions_are_kept_in_both_directions(self):
        self.needs("SITE")
        (self.here / "up" / "sub").mkdir(parents=True)
        for name, mode in (("open", 0o664), ("closed", 0o600), ("program", 0o755)):
            (self.here / "up" / name).write_bytes(b"x")
            (self.here / "up" / name).chmod(mode)
        (self.here / "up" / "sub").chmod(0o750)
        self.lftp("mirror -R --no-umask up modes\nmirror --no-umask modes down\n"
                  "chmod 0604 modes/closed")
        for name, mode in (("open", 0o664), ("program", 0o755), ("sub", 0o750)):
            for tree in (self.path("modes"), self.here / "down"):
                self.assertEqual((tree / name).stat().st_mode & 0o7777, mode, name)
        self.assertEqual(self.path("modes/closed").stat().st_mode & 0o7777, 0o604)

    def test_a_file_is_fetched_in_three_pieces_at_once(self):
        payload = content(3_000_000, 8)
        self.make("pieces", payload)
        self.lftp("pget -n 3 pieces")
        self.assertEqual((self.here / "pieces").read_bytes(), payload)


@need("lftp")
class ExplicitIPv6(Lftp, LiveCase):
    host, files = "::1", 3


@need("lftp")
class ImplicitIPv4(Lftp, LiveCase):
    implicit, files = True, 3


@need("lftp")
class ImplicitIPv6(Lftp, LiveCase):
    host, implicit, files = "::1", True, 3


@need("lftp")
class ListAndPipelining(Lftp, LiveCase):
    """Without MLSD, lftp parses LIST and asks for sizes and dates of many files at once."""

    settings = "set ftp:use-mlsd no\nset ftp:sync-mode off\n"
    names, files = ODD, 8

    def test_many_sizes_and_dates_are_asked_for_at_once(self):
        for number in range(100):
            path = self.make(f"pipeline/{number:03}", b"x" * number)
            os.utime(path, (1_400_000_000 + number, 1_400_000_000 + number))
        self.lftp("cd pipeline\nmget *")
        for number in range(100):
            got = self.here / f"{number:03}"
            self.assertEqual(got.read_bytes(), b"x" * number)
            self.assertEqual(int(got.stat().st_mtime), 1_400_000_000 + number)


if __name__ == "__main__":
    unittest.main()
