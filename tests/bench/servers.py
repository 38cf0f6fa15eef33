# SPDX-License-Identifier: MIT
"""
The servers that are measured: cubftpd, and those of its competitors whose programs are found.

Each serves one folder on 127.0.0.1, with the same P-256 certificate, in the foreground, to the
one account USER. What a competitor needs to do the same work as cubftpd is switched on
(protection of data demanded, TLS sessions resumed), the rest is as it comes. vsftpd and
Pure-FTPd serve nobody unless they are started by root. By root, all three become `nobody` or
`daemon`, who must be able to get to the folders.
"""

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

LIVE = Path(__file__).resolve().parents[1] / "live"
sys.path[:0] = [str(LIVE), str(LIVE / "drivers")]

import server as live  # noqa: E402

USER, PASSWORD = live.USER, live.PASSWORD
LIMIT_S = 30
NOBODY = 65534
SBIN = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


class Trouble(Exception):
    """Why a server is not measured."""


def program(name):
    return shutil.which(name, path=SBIN)


def run(*words, given=""):
    """A command's output. Trouble with what it complained of, where it fails."""
    done = subprocess.run([str(word) for word in words], input=given, capture_output=True,
                          text=True, timeout=10 * LIMIT_S)
    if done.returncode != 0:
        raise Trouble(f"{Path(words[0]).name}: {done.stderr.strip()}")
    return done.stdout


class Certificate:
    """One key and certificate for all, made by openssl."""

    def __init__(self, folder):
        self.key, self.crt, self.both = (Path(folder, "server." + end)
                                         for end in ("key", "crt", "pem"))
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "30", "-subj", "/CN=bench", "-keyout", self.key, "-out", self.crt)
        self.both.write_text(self.key.read_text() + self.crt.read_text())
        self.both.chmod(0o600)


class Server:
    """
    A process, and those that it makes. A client finds the folder `files` under the name `path`.
    """

    tool = None  # the program's name
    is_one_process = False
    user, password = USER, PASSWORD
    path = ""

    def __init__(self, certificate, folder, served):
        """In two folders of its own, one for what is served: both exist, whoever made them."""
        self.certificate = certificate
        self.folder, self.served = folder, served
        self.files = served / "files"
        self.files.mkdir()
        first = live.free_ports(101)
        self.port, self.passive = first, (first + 1, first + 100)
        self.process = None

    @classmethod
    def why_not(cls):
        """Why this one can't be measured here, None where it can."""
        return None if program(cls.tool) else f"{cls.tool} is not installed"

    def give_away(self, user):
        if os.getuid() == 0:
            for path in (self.files, *self.files.rglob("*")):
                os.chown(path, user, user)

    def command(self):
        raise NotImplementedError

    def start(self):
        self.process = subprocess.Popen(
            [str(word) for word in self.command()], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=open(self.folder / "log", "ab"), stderr=subprocess.STDOUT)
        give_up = time.monotonic() + LIMIT_S
        while time.monotonic() < give_up and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Trouble((self.folder / "log").read_text().strip() or "it does not listen")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def family(self):
        """The numbers of the process and all that descend from it."""
        found, new = [], [self.process.pid]
        while new:
            found += new
            new = [int(word) for pid in new for word in
                   Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return found

    def wait_until_alone(self):
        """The processes of earlier sessions end."""
        give_up = time.monotonic() + LIMIT_S
        while len(self.family()) > 1:
            if time.monotonic() > give_up:
                raise Trouble("its sessions do not end")
            time.sleep(0.05)

    def cpu_s(self):
        """User and system time of the process, without that of others which it made."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, stat[11:13])) / os.sysconf("SC_CLK_TCK")

    def memory_kib(self):
        """What all its processes keep in RAM; what several share is counted once."""
        total = 0
        for pid in self.family():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total


class Cubftpd(Server):
    tool = "cubftpd"
    is_one_process = True

    @classmethod
    def why_not(cls):
        if live.built_with("ADMIN") == 0 or (live.built_with("SESSIONS") or 4) < 4:
            return "cubftpd is built without commands, or for fewer than four sessions"
        return None

    def command(self):
        config = self.folder / "cubftpd.conf"
        config.write_text(
            f"listen = 127.0.0.1:{self.port}\nroot = {self.files}\n"
            f"identity_store = {self.folder}/identity\ntrust_store = {self.folder}/trust\n"
            f"passive_ports = {self.passive[0]}-{self.passive[1]}\n")
        run(live.BINARY, "init", "--key", self.certificate.key, "--cert", self.certificate.crt,
            "-c", config)
        run(live.BINARY, "account", "add", USER, "--rights", "rwdl", "--password-stdin",
            "-c", config, given=PASSWORD + "\n")
        return [live.BINARY, "run", "-c", config]


class Vsftpd(Server):
    """Its own accounts want PAM, so the user is the anonymous one, whose home must exist."""

    tool = "vsftpd"
    user = "ftp"
    path = "files/"
    owner = "daemon"

    @classmethod
    def why_not(cls):
        return super().why_not() or (None if os.getuid() == 0 else "vsftpd wants root")

    def command(self):
        self.give_away(pwd.getpwnam(self.owner).pw_uid)
        empty = self.folder / "empty"
        empty.mkdir()
        config = self.folder / "vsftpd.conf"
        config.write_text("\n".join(f"{key}={value}" for key, value in {
            "listen": "YES", "listen_address": "127.0.0.1", "listen_port": self.port,
            "background": "NO", "secure_chroot_dir": empty, "ftp_username": self.owner,
            "nopriv_user": "nobody", "anonymous_enable": "YES", "no_anon_password": "NO",
            "anon_root": self.served, "write_enable": "YES", "anon_upload_enable": "YES",
            "anon_mkdir_write_enable": "YES", "anon_other_write_enable": "YES",
            "anon_world_readable_only": "NO", "anon_umask": "022",
            "pasv_min_port": self.passive[0], "pasv_max_port": self.passive[1],
            "ssl_enable": "YES", "allow_anon_ssl": "YES", "force_anon_data_ssl": "YES",
            "force_anon_logins_ssl": "YES", "ssl_ciphers": "HIGH",
            "rsa_cert_file": self.certificate.crt, "rsa_private_key_file": self.certificate.key,
            "require_ssl_reuse": "YES", "xferlog_enable": "NO",
        }.items()) + "\n")
        return [program("vsftpd"), config]


class Proftpd(Server):
    tool = "proftpd"

    @classmethod
    def modules(cls):
        return Path(program("proftpd")).parents[1] / "lib" / "proftpd"

    @classmethod
    def why_not(cls):
        return super().why_not() or (None if (cls.modules() / "mod_tls.so").exists()
                                     else "proftpd lacks mod_tls")

    def command(self):
        user = NOBODY if os.getuid() == 0 else os.getuid()
        group_id = pwd.getpwuid(user).pw_gid
        self.give_away(user)
        hashed = run("openssl", "passwd", "-6", "-stdin", given=PASSWORD).strip()
        passwd, group = self.folder / "passwd", self.folder / "group"
        passwd.write_text(f"{USER}:{hashed}:{user}:{group_id}::{self.files}:/bin/sh\n")
        group.write_text(f"{USER}:x:{group_id}:\n")
        for path in (passwd, group):
            path.chmod(0o600)
        config = self.folder / "proftpd.conf"
        config.write_text(f"""
ModulePath {self.modules()}
LoadModule mod_tls.c
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
UseIPv6 off
Port {self.port}
PassivePorts {self.passive[0]} {self.passive[1]}
User {pwd.getpwuid(user).pw_name}
Group {grp.getgrgid(group_id).gr_name}
AuthOrder mod_auth_file.c
AuthUserFile {passwd}
AuthGroupFile {group}
RequireValidShell off
{'DefaultRoot ~' if os.getuid() == 0 else ''}
AllowOverwrite on
AllowStoreRestart on
PidFile {self.folder}/pid
ScoreboardFile {self.folder}/scoreboard
DelayTable {self.folder}/delay
WtmpLog off
TransferLog none
TLSEngine on
TLSRequired on
TLSProtocol TLSv1.2
TLSECCertificateFile {self.certificate.crt}
TLSECCertificateKeyFile {self.certificate.key}
""")
        return [program("proftpd"), "-n", "-q", "-c", config]


class PureFtpd(Server):
    tool = "pure-ftpd"

    @classmethod
    def why_not(cls):
        if not program("pure-pw"):
            return "pure-ftpd or pure-pw is not installed"
        return super().why_not() or (None if os.getuid() == 0 else "pure-ftpd wants root")

    def command(self):
        self.give_away(NOBODY)
        text, made = self.folder / "pureftpd.passwd", self.folder / "pureftpd.pdb"
        run(program("pure-pw"), "useradd", USER, "-f", text, "-F", made, "-m", "-u", NOBODY,
            "-g", NOBODY, "-d", self.files, given=f"{PASSWORD}\n{PASSWORD}\n")
        return [program("pure-ftpd"), "-S", f"127.0.0.1,{self.port}", "-Y", "3",
                "-2", self.certificate.both, "-l", f"puredb:{made}", "-u", "1", "-4", "-H",
                "-p", f"{self.passive[0]}:{self.passive[1]}", "-g", self.folder / "pid",
                "-L", "20000:8"]


ALL = (Cubftpd, Vsftpd, Proftpd, PureFtpd)
