# SPDX-License-Identifier: MIT
"""
A build without anything that can be left out, as on a device whose stores are made in the
factory: by the commands of another build, on the host.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from server import HOSTS, LIMIT_S, TREE, Account, LiveCase, Server, built_with, content

SIDE_BY_SIDE = True


def options():
    """Nothing that can be left out, and one session; the other numbers are those of BINARY."""
    text = (TREE / "Kconfig").read_text()
    features = re.findall(r"^config CUBFTPD_(\w+)\n\tbool .*\n\tdefault y$", text, re.M)
    numbers = {name: built_with(name) for name in re.findall(r"^config CUBFTPD_(\w+)\n\tint ",
                                                             text, re.M)}
    numbers["SESSIONS"] = 1
    return [f"CONFIG_CUBFTPD_{name}=n" for name in features] + [
        f"CONFIG_CUBFTPD_{name}={number}" for name, number in numbers.items()
        if number is not None]


def build(folder):
    config = Path(folder, "bare.config")
    config.write_text("\n".join(options()) + "\n")
    program = Path(folder, "cubftpd")
    done = subprocess.run(
        ["make", "-s", "-C", TREE, f"O={folder}", f"KCONFIG_CONFIG={config}", "WERROR=1", program],
        capture_output=True, text=True, timeout=10 * LIMIT_S)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return program


class Bare(LiveCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="cubftpd-bare-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.program = build(cls.folder)
        super().setUpClass()

    @classmethod
    def make_server(cls):
        host = HOSTS[0]
        server = Server(accounts=(Account(),))
        server.must("account", "add", "boss", "--admin", "--password-stdin", given="of all\n")
        server.binary = cls.program
        server.options["listen"] = f"{host}:{server.port(host)}"
        del server.options["listen_implicit"]
        server.write_config()
        return server

    def run_bare(self, *words):
        return subprocess.run([self.program, *words, "-c", self.server.config], text=True,
                              capture_output=True, timeout=LIMIT_S)

    def test_files_go_both_ways_and_are_listed(self):
        data = content(100_000)
        ftp = self.session()
        self.assertEqual(ftp.store("STOR one", data).code, 226)
        self.assertEqual(self.path("one").read_bytes(), data)
        self.assertEqual(ftp.get("one"), data)
        self.assertEqual(ftp.list("NLST"), ["one"])
        ftp.expect("DELE one", 250)
        ftp.quit()

    def test_there_is_no_folder_for_administrators(self):
        ftp = self.session(name="boss", password="of all")
        self.assertNotIn(".provision", " ".join(ftp.list("MLSD")))
        ftp.expect("CWD /.provision", 550)
        ftp.quit()

    def test_there_is_no_command_and_no_socket(self):
        for words in (["status"], ["account", "list"], ["check"]):
            done = self.run_bare(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(f"not built in: {words[0]}", done.stderr)
        self.assertEqual(sorted(os.listdir(self.server.stores)), ["identity", "trust"])
        done = self.run_bare("run", "-o", "control_socket=/tmp/s")
        self.assertEqual(done.returncode, 1)
        self.assertIn("control_socket: not built in", done.stderr)
        told = self.run_bare("--help").stdout
        self.assertEqual(re.findall(r"^[a-z]+\b", told, re.M), ["cubftpd", "run"])

    def test_a_signal_reloads_the_configuration(self):
        self.server.options["greeting"] = "anew"
        self.server.write_config()
        self.server.signal(signal.SIGHUP)
        give_up = time.monotonic() + LIMIT_S
        greeting = ""
        while greeting != "anew":
            self.assertLess(time.monotonic(), give_up, self.server.log())
            with self.server.client() as ftp:
                greeting = ftp.greeting.text


if __name__ == "__main__":
    unittest.main()
