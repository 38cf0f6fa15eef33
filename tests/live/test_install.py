# SPDX-License-Identifier: MIT
"""
What `make install` brings besides the programs: manuals and completions, which must speak of
all that the programs take, and of nothing else.
"""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from server import BINARY, LIMIT_S, TREE, need

SIDE_BY_SIDE = True

CUBSIGN = BINARY.parent / "cubsign"
MANUALS = {"cubftpd.8": TREE / "port/linux/cubftpd.8",
           "cubftpd.conf.5": TREE / "port/linux/cubftpd.conf.5",
           "cubsign.1": TREE / "tools/cubsign/cubsign.1"}
COMPLETIONS = {"cubftpd": TREE / "port/linux/cubftpd.bash",
               "cubsign": TREE / "tools/cubsign/cubsign.bash"}


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=LIMIT_S)


def help_of(program):
    done = run(program, "--help")
    assert done.returncode == 0, done.stderr
    return done.stdout


def options_in(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", text))


def options_of_manual(name):
    return {"--" + option for option in re.findall(r"Fl -([a-z0-9-]+)", MANUALS[name].read_text())}


def commands_of_cubsign():
    return re.findall(r"^([a-z]+) (?=--|HOST|FILE)", help_of(CUBSIGN), re.M)


def takes(command, option):
    """Does a command of cubsign take an option? Alone, without its value, it is always wrong."""
    done = run(CUBSIGN, command, option)
    if done.returncode != 2:
        raise AssertionError(f"{command} {option}: {done}")
    return "it takes no" not in done.stderr


def completed(program, *words):
    """What bash offers for the last of these words."""
    script = f"""
        source {COMPLETIONS[program]}
        COMP_WORDS=({program} {' '.join(f"'{word}'" for word in words)})
        COMP_CWORD={len(words)}
        _{program}
        printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = run("bash", "-c", script)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"{words}: {done.stderr}")
    return set(done.stdout.split())


class Manuals(unittest.TestCase):

    def test_cubsign_1_has_every_command_and_option_and_no_others(self):
        manual = MANUALS["cubsign.1"].read_text()
        commands = commands_of_cubsign()
        self.assertGreaterEqual(len(commands), 10)
        self.assertEqual(set(re.findall(r"^\.It Cm ([a-z]+)$", manual, re.M)), set(commands))
        every = options_of_manual("cubsign.1")
        self.assertLessEqual(options_in(help_of(CUBSIGN)) - {"--help"}, every)
        for option in every:
            self.assertTrue(any(takes(command, option) for command in commands), option)

    def test_cubftpd_8_has_every_command_and_option_and_no_others(self):
        manual, told = MANUALS["cubftpd.8"].read_text(), help_of(BINARY)
        commands = set(re.findall(r"^([a-z]+)\b", told, re.M)) - {"cubftpd"}
        self.assertGreaterEqual(len(commands), 15)
        self.assertEqual(set(re.findall(r"^\.It Cm ([a-z]+)", manual, re.M)), commands)
        self.assertEqual(options_of_manual("cubftpd.8"), options_in(told) - {"--help"})

    def test_cubftpd_conf_5_has_the_keys_of_the_example(self):
        example = (TREE / "port/linux/cubftpd.conf").read_text()
        keys = set(re.findall(r"^#([a-z_]+) = ", example, re.M))
        self.assertGreaterEqual(len(keys), 15)
        self.assertEqual(set(re.findall(r"^\.It Cm ([a-z_]+) Ns =",
                                        MANUALS["cubftpd.conf.5"].read_text(), re.M)), keys)

    @need("mandoc")
    def test_mandoc_finds_nothing_wrong(self):
        for name, path in MANUALS.items():
            with self.subTest(name):
                self.assertEqual(run("mandoc", "-Tlint", "-Wwarning", path).stdout, "")


@need("bash")
class Completions(unittest.TestCase):

    def test_cubsign_offers_each_command_the_options_that_it_takes(self):
        commands = commands_of_cubsign()
        self.assertEqual(completed("cubsign", "") - {"--help", "--version"}, set(commands))
        every = options_of_manual("cubsign.1")
        for command in commands:
            with self.subTest(command):
                self.assertEqual(completed("cubsign", command, "-"),
                                 {option for option in every if takes(command, option)})

    def test_cubftpd_offers_the_commands_options_and_keys(self):
        told = help_of(BINARY)
        self.assertEqual(completed("cubftpd", "") - {"--help", "--version", "-c", "-o"},
                         set(re.findall(r"^([a-z]+)\b", told, re.M)) - {"cubftpd"})
        for line in re.findall(r"^[a-z].*(?:\n  +\[.*)*", told, re.M):
            words = re.match(r"(?:account|ca) [a-z]+|[a-z]+", line)[0].split()
            with self.subTest(" ".join(words)):
                self.assertLessEqual(options_in(line), completed("cubftpd", *words, "-"))
        example = (TREE / "port/linux/cubftpd.conf").read_text()
        self.assertEqual({key.rstrip("=") for key in completed("cubftpd", "run", "-o", "")},
                         set(re.findall(r"^#([a-z_]+) = ", example, re.M)))

    def test_cubsign_offers_cas_keys_and_requests_by_their_files(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("acme.crt", "acme.key", "acme.index", "one.csr", "notes.txt"):
                Path(folder, name).touch()
            for words, offered in ((("sign", "--ca", f"{folder}/"), {"acme"}),
                                   (("csr", "--key", f"{folder}/"), {"acme.key"}),
                                   (("sign", "--ca", "acme", f"{folder}/"), {"one.csr"}),
                                   (("show", f"{folder}/a"), {"acme.crt", "acme.key"})):
                self.assertEqual(completed("cubsign", *words),
                                 {f"{folder}/{name}" for name in offered}, words)


class Installed(unittest.TestCase):

    def install(self, goal="install"):
        folder = Path(tempfile.mkdtemp(prefix="cubftpd-"))
        self.addCleanup(shutil.rmtree, folder)
        done = run("make", "-s", "-C", TREE, f"O={BINARY.parent}", f"DESTDIR={folder}",
                   "PREFIX=/usr", goal)
        self.assertEqual(done.returncode, 0, done.stderr)
        return folder, {str(path.relative_to(folder)) for path in folder.rglob("*")
                        if path.is_file()}

    def test_everything_is_where_systems_look_for_it(self):
        folder, files = self.install()
        self.assertEqual(files, {
            "usr/sbin/cubftpd", "usr/bin/cubsign", "etc/cubftpd.conf",
            "usr/share/man/man8/cubftpd.8", "usr/share/man/man5/cubftpd.conf.5",
            "usr/share/man/man1/cubsign.1",
            "usr/share/bash-completion/completions/cubftpd",
            "usr/share/bash-completion/completions/cubsign"})
        for program in ("usr/sbin/cubftpd", "usr/bin/cubsign"):
            self.assertRegex(run(folder / program, "--version").stdout, r"^\d+\.\d+\.\d+\n$")

    def test_a_device_can_do_without_the_signing_tool(self):
        self.assertFalse({name for name in self.install("install-cubftpd")[1] if "cubsign" in name})

    def test_a_configuration_that_is_there_is_left_alone(self):
        folder, _ = self.install()
        (folder / "etc/cubftpd.conf").write_text("mine\n")
        done = run("make", "-s", "-C", TREE, f"O={BINARY.parent}", f"DESTDIR={folder}",
                   "PREFIX=/usr", "install")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((folder / "etc/cubftpd.conf").read_text(), "mine\n")


if __name__ == "__main__":
    unittest.main()
