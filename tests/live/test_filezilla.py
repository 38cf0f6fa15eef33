# SPDX-License-Identifier: MIT
"""
FileZilla, in a window of its own on a virtual display, driven by the keyboard as a technician
would: the folder /.provision is an ordinary folder to it.
"""

import os
import re
import shutil
import subprocess
import time
import unittest

import pki
from server import LIMIT_S, LiveCase, Account, Server

TOOLS = ("filezilla", "Xvfb", "openbox", "xdotool")
MISSING = [tool for tool in TOOLS if not shutil.which(tool)]

ADMIN = Account("admin", "correct-horse")  # FileZilla decodes no %20 in a URL

# No greeting, no search for updates, no question that would wait for an answer.
SETTINGS = """<?xml version="1.0"?>
<FileZilla3><Settings>
<Setting name="Greeting version">9.9.9</Setting>
<Setting name="Greeting resources">1</Setting>
<Setting name="Update Check">0</Setting>
</Settings></FileZilla3>
"""

# Where the first entry of the remote list stands, in a window of this size without history.
SCREEN = "1280x800x24"
FIRST_ENTRY = ("700", "350")


@unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}")
class FileZilla(LiveCase):
    @classmethod
    def make_server(cls):
        return Server(options={"client_certificate": "optional"}, accounts=(Account(),))

    def setUp(self):
        super().setUp()
        self.server.must("account", "add", ADMIN.name, "--admin", "--password-stdin",
                         given=ADMIN.password + "\n")
        self.addCleanup(self.server.must, "account", "remove", ADMIN.name)
        self.home = self.temporary()
        self.environment = {**os.environ, "HOME": str(self.home), "XDG_CONFIG_HOME": "",
                            "DISPLAY": self.start_display()}
        settings = self.home / ".config" / "filezilla" / "filezilla.xml"
        settings.parent.mkdir(parents=True)
        settings.write_text(SETTINGS)
        self.start("openbox")

    def start(self, *words, **how):
        child = subprocess.Popen(words, env=getattr(self, "environment", None),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, **how)

        def end():
            child.terminate()
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

        self.addCleanup(end)
        return child

    def start_display(self):
        """A virtual screen; it chooses a number that is free, and tells it."""
        seen, told = os.pipe()
        self.start("Xvfb", "-displayfd", str(told), "-screen", "0", SCREEN, "-nolisten", "tcp",
                   pass_fds=(told,))
        os.close(told)
        with os.fdopen(seen) as number:
            return ":" + number.readline().strip()

    def xdotool(self, *words):
        return subprocess.run(["xdotool", *words], env=self.environment, capture_output=True,
                              text=True, timeout=LIMIT_S)

    def until(self, what, happened, do):
        """
        Wait until something has happened. What is done for it is done again after a while: a
        key may come before its window.
        """
        give_up = time.monotonic() + 2 * LIMIT_S
        while time.monotonic() < give_up:
            do()
            again = time.monotonic() + 5
            while time.monotonic() < again:
                if happened():
                    return
                time.sleep(0.2)
        self.fail(f"{what} has not happened:\n{self.server.log()[-2000:]}")

    def open(self, folder):
        self.start("filezilla", f"ftpes://{ADMIN.name}:{ADMIN.password}@127.0.0.1:"
                   f"{self.server.port()}{folder}", "-a", str(self.home))
        asks = ("search", "--name", "Unknown certificate")
        give_up = time.monotonic() + 2 * LIMIT_S
        while self.xdotool(*asks).returncode != 0:
            if time.monotonic() > give_up:
                self.skipTest("FileZilla opens no window here")
            time.sleep(0.2)
        listed = re.compile(rf"event=list .*result=ok path={re.escape(folder)}$", re.M)
        self.until("a listing", lambda: listed.search(self.server.log()),
                   lambda: self.xdotool("key", "Return"))

    def rename_first(self, name):
        """The first entry of the list, by the keyboard."""
        self.xdotool("key", "Escape")
        self.xdotool("mousemove", *FIRST_ENTRY, "click", "1")
        for keys in (("key", "F2"), ("key", "ctrl+a"), ("type", name), ("key", "Return")):
            time.sleep(0.5)
            self.xdotool(*keys)

    def test_trusts_a_pending_certificate_by_renaming_it(self):
        one = pki.self_signed("Technician 7")
        with self.server.client(context=one.context()) as ftp:
            ftp.expect("AUTH TLS", 234)
            ftp.start_tls()
            ftp.expect(f"USER {self.server.accounts[0].name}", 331)
        self.open("/.provision/pending")
        self.until("trust", lambda: one.fingerprint in self.server.must("trusted"),
                   lambda: self.rename_first("../trusted/laptop.crt"))
        with self.server.client(context=one.context()) as ftp:
            ftp.expect("AUTH TLS", 234)
            ftp.start_tls()
            ftp.expect(f"USER {self.server.accounts[0].name}", 232)


if __name__ == "__main__":
    unittest.main()
