# SPDX-License-Identifier: MIT
"""
FileZilla, in a window of its own on a virtual display, driven by the keyboard as a technician
would: the folder /.provision is an ordinary folder to it. It has no setting for a certificate of
the client; of what test_matrix.py asks of clients, resuming and making folders are left out, for
which there are no keys.
"""

import os
import re
import shutil
import subprocess
import time
import unittest

import pki
from server import LIMIT_S, LiveCase, Account, Server, content

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

# Where the first entries of the lists stand, in a window of this size without history.
SCREEN = "1280x800x24"
LOCAL_ENTRY, REMOTE_ENTRY = ("100", "350"), ("700", "350")


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
        self.home, self.here = self.temporary(), self.temporary()
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

    def comes(self, title, child):
        """Wait for a window of this title, as long as the program runs."""
        give_up = time.monotonic() + 2 * LIMIT_S
        while self.xdotool("search", "--name", title).returncode != 0:
            if child.poll() is not None or time.monotonic() > give_up:
                return False
            time.sleep(0.2)
        return True

    def open(self, folder, password=ADMIN.password):
        """Connect, and take the certificate of the device for known when the question comes."""
        child = self.start("filezilla", f"ftpes://{ADMIN.name}:{password}@127.0.0.1:"
                   f"{self.server.port()}{folder}", "-a", str(self.here))
        if not self.comes("FileZilla", child):
            self.skipTest("FileZilla opens no window here")
        if not self.comes("Unknown certificate", child):
            self.fail(f"FileZilla was shown no certificate:\n{self.server.log()[-2000:]}")
        answer = rf"list .*result=ok path={re.escape(folder)}$"
        if password != ADMIN.password:
            answer = "refused .*cause=password"
        self.until("an answer", lambda: re.search(f"event={answer}", self.server.log(), re.M),
                   lambda: self.xdotool("key", "Return"))

    def press(self, entry, *keys):
        """Select an entry of a list, and press keys."""
        self.xdotool("key", "Escape")
        self.xdotool("mousemove", *entry, "click", "1")
        for words in keys:
            time.sleep(0.5)
            self.xdotool(*words)

    def rename_first(self, name):
        self.press(REMOTE_ENTRY, ("key", "F2"), ("key", "ctrl+a"), ("type", name),
                   ("key", "Return"))

    def test_lists_and_downloads(self):
        payload = content(300_000)
        self.make("down/žluťoučký 日本語.bin", payload)
        self.open("/down")
        local = self.here / "žluťoučký 日本語.bin"
        self.until("the download", lambda: local.exists() and local.read_bytes() == payload,
                   lambda: self.press(REMOTE_ENTRY, ("key", "Return")))

    def test_uploads(self):
        payload = content(300_000)
        (self.here / "žluťoučký 日本語.bin").write_bytes(payload)
        self.path("up").mkdir()
        self.open("/up")
        stored = self.path("up/žluťoučký 日本語.bin")
        self.until("the upload", lambda: stored.exists() and stored.read_bytes() == payload,
                   lambda: self.press(LOCAL_ENTRY, ("key", "Return")))

    def test_renames_and_deletes(self):
        old = self.make("changed/old", b"kept")
        new = self.path("changed/new")
        self.open("/changed")
        self.until("the new name", new.exists, lambda: self.rename_first("new"))
        self.assertEqual((old.exists(), new.read_bytes()), (False, b"kept"))
        self.until("the end of the file", lambda: not new.exists(), lambda: self.press(
            REMOTE_ENTRY, ("key", "Delete"), ("key", "Return")))

    def test_is_told_that_the_password_is_wrong(self):
        self.open("/", "wrong")

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
