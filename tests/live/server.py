# SPDX-License-Identifier: MIT
"""
What all live tests share: the real server as a child process, a small FTPS client that
shows every byte, and the base class of the tests.

    CUBFTPD   the binary to test; build/cubftpd of this tree by default
    CUBWRAP   a command that it runs under, for example "valgrind -q"
    LIMIT_S   how long anything may take, in seconds: 30 by default

Run all with `python3 -m unittest discover -s tests/live`, or one module by itself. Nothing
but the loopback interface is used. No test asserts how long something takes; every wait has
a limit, so that a server that hangs fails the test rather than the run.
"""

import functools
import os
import random
import re
import shlex
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import NamedTuple

TREE = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("CUBFTPD", TREE / "build" / "cubftpd")).resolve()
WRAP = shlex.split(os.environ.get("CUBWRAP", ""))

LIMIT_S = int(os.environ.get("LIMIT_S", 30))  # for any single wait
HOSTS = ("127.0.0.1", "::1")
USER, PASSWORD = "tester", "correct horse battery"

# What a sanitizer or valgrind writes when it has found something.
FOUND = re.compile(r"Sanitizer|runtime error:|^==\d+==", re.MULTILINE)

ENVIRONMENT = {
    "ASAN_OPTIONS": "exitcode=99:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    **os.environ,
    "LC_ALL": "C.UTF-8",
}


class Account(NamedTuple):
    name: str = USER
    password: str = PASSWORD
    root: str = "/"
    rights: str = "rwdl"


def need(tool):
    """Skip a class or a test where a client is not installed."""
    return unittest.skipUnless(shutil.which(tool), f"{tool} is not installed")


def built_with(option):
    """The value of a Kconfig option of this build, None where it is not known."""
    for folder in (BINARY.parent, BINARY.parent.parent):  # the sanitized build is a folder below
        header = folder / "autoconf.h"
        if header.exists():
            found = re.search(rf"CONFIG_CUBFTPD_{option} (\S+)", header.read_text())
            return int(found[1]) if found else None
    return None


@functools.cache
def links_are_followed():
    """Whether the kernel has openat2 (or what the server runs under): without, no link is."""
    probe = ("import ctypes, errno; libc = ctypes.CDLL(None, use_errno=True);"
             "libc.syscall(437, -100, b'.', None, ctypes.c_size_t(0));"
             "print(ctypes.get_errno() == errno.EINVAL)")
    done = subprocess.run(WRAP + [sys.executable, "-c", probe], capture_output=True, text=True,
                          timeout=LIMIT_S)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout == "True\n"


def content(size, seed=1):
    """Bytes that compress, repeat and convert badly, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def snapshot(folder, skip=()):
    """What is below a folder: name to bytes, None for a folder, a string for a link."""
    found = {}
    folder = os.fsencode(folder)
    skip = {os.fsencode(path) for path in skip}
    for at, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if os.path.join(at, name) not in skip]
        for name in folders + files:
            path = os.path.join(at, name)
            key = os.path.relpath(path, folder)
            if os.path.islink(path):
                found[key] = "link to " + os.fsdecode(os.readlink(path))
            elif os.path.isdir(path):
                found[key] = None
            elif os.path.isfile(path):
                found[key] = Path(os.fsdecode(path)).read_bytes()
            else:
                found[key] = "special"
    return found


def free_ports(count, low=15000, high=32000):
    """The first of so many free ports in a row, below those the kernel hands out itself."""
    for _ in range(1000):
        first = random.randrange(low, high - count)
        taken = []
        try:
            for number in range(first, first + count):
                for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                    sock = socket.socket(family)
                    taken.append(sock)
                    if family == socket.AF_INET6:
                        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    sock.bind((host, number))
            return first
        except OSError:
            continue
        finally:
            for sock in taken:
                sock.close()
    raise RuntimeError("no free ports")


def bracket(host):
    return f"[{host}]" if ":" in host else host


class Server:
    """
    One configuration in a folder of its own, and the process that serves it.

    `options` are lines of the configuration file (a value of None takes the key out of it),
    `overrides` are given as -o. `user` is a user's number to run as, where we are root.
    """

    around = []  # what the process is started by
    binary = BINARY  # what serves; commands are always those of BINARY

    def __init__(self, accounts=(Account(),), options=None, overrides=None, user=None,
                 init=True, root=None, environment=None, serve=("run",)):
        self.folder = Path(tempfile.mkdtemp(prefix="cubftpd-"))
        self.folder.chmod(0o755)
        self.root = Path(root) if root else self.folder / "root"
        self.root.mkdir(exist_ok=True)
        self.stores = self.folder / "stores"
        self.stores.mkdir()
        self.identity, self.trust = self.stores / "identity", self.stores / "trust"
        self.config = self.folder / "cubftpd.conf"
        self.log_file = self.folder / "log"
        self.user, self.serve = user, serve
        self.environment = {**ENVIRONMENT, **(environment or {})}
        self.overrides = overrides or {}
        self.process = None
        self.accounts = list(accounts)
        first = free_ports(20)
        self.passive = range(first, first + 16)
        self.ports = {(host, implicit): first + 16 + number for number, (host, implicit)
                      in enumerate((h, i) for h in HOSTS for i in (False, True))}
        self.options = {
            "root": self.root,
            "identity_store": self.identity,
            "trust_store": self.trust,
            "device_name": "live-test",
            "passive_ports": f"{self.passive[0]}-{self.passive[-1]}",
            "log_level": "debug",
            "listen": [f"{bracket(h)}:{port}" for (h, i), port in self.ports.items() if not i],
            "listen_implicit": [f"{bracket(h)}:{port}" for (h, i), port in self.ports.items()
                                if i],
            **(options or {}),
        }
        self.write_config()
        self.give_away()
        if init:
            self.must("init")
        for account in accounts:
            self.add_account(account)

    def write_config(self, more=""):
        lines = []
        for key, value in self.options.items():
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    lines.append(f"{key} = {one}\n")
        self.config.write_text("# made by a test\n" + "".join(lines) + more)

    def give_away(self):
        """Let the user that the server runs as own what it writes to."""
        if self.user is not None:
            for path in (self.folder, self.root, self.stores):
                os.chown(path, self.user, self.user)

    def identity_of_process(self):
        if self.user is None:
            return {}
        return {"user": self.user, "group": self.user, "extra_groups": []}

    def add_account(self, account):
        (self.root / account.root.lstrip("/")).mkdir(parents=True, exist_ok=True)
        self.must("account", "add", account.name, "--root", account.root, "--rights",
                  account.rights, "--password-stdin", given=account.password + "\n")

    def cli(self, *words, given="", config=True):
        """Run a subcommand on this server's stores. Its end is the caller's to judge."""
        words = [str(word) for word in words] + (["-c", str(self.config)] if config else [])
        done = subprocess.run(
            WRAP + [str(BINARY)] + words, input=given, capture_output=True, encoding="utf-8",
            timeout=LIMIT_S, env=self.environment, cwd=self.folder,
            **self.identity_of_process())
        if FOUND.search(done.stderr):
            raise AssertionError(f"{words}: a sanitizer reports\n{done.stderr}")
        return done

    def must(self, *words, given=""):
        done = self.cli(*words, given=given)
        if done.returncode != 0:
            raise AssertionError(f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def launch(self):
        """Start the process, without waiting for anything."""
        words = [*self.serve, "-c", str(self.config)]
        for key, value in self.overrides.items():
            words += ["-o", f"{key}={value}"]
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                self.around + WRAP + [str(self.binary)] + words, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=self.environment, cwd=self.folder,
                **self.identity_of_process())

    def start(self):
        self.launch()
        give_up = time.monotonic() + LIMIT_S
        while True:
            if self.process.poll() is not None:
                raise AssertionError(
                    f"the server ended with {self.process.returncode}:\n{self.log()}")
            try:
                with self.client() as ftp:
                    ftp.quit()
                return self
            except ConnectionRefusedError:
                if time.monotonic() > give_up:
                    raise AssertionError(f"no answer:\n{self.log()}") from None
                time.sleep(0.02)

    def log(self):
        return self.log_file.read_bytes().decode("utf-8", "backslashreplace")

    def signal(self, number):
        self.process.send_signal(number)

    def check_alive(self):
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"the server died ({self.process.returncode}):\n{self.log()}")

    def wait(self):
        """Wait for the end of the process and look at what it left."""
        try:
            code = self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server does not end:\n{self.log()}") from None
        finally:
            self.process = None
        log = self.log()
        if code != 0:
            raise AssertionError(f"the server ended with {code}:\n{log}")
        if FOUND.search(log):
            raise AssertionError(f"a sanitizer reports\n{log}")
        if re.search(r"[\x00-\x09\x0b-\x1f\x7f]", log):
            raise AssertionError("control characters in the log")
        for account in self.accounts:
            if account.password and account.password in log:
                raise AssertionError("a password in the log")

    def stop(self):
        """End an orderly server in order, and demand that it was one."""
        if self.process is not None:
            self.check_alive()
            self.signal(signal.SIGTERM)
            self.wait()

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        """Stop, and remove everything. May be called again."""
        try:
            self.stop()
        finally:
            if self.process is not None:
                self.process.kill()
                self.process.wait()
                self.process = None
            shutil.rmtree(self.folder, ignore_errors=True)

    def port(self, host=HOSTS[0], implicit=False):
        return self.ports[host, implicit]

    def url(self, path="", host=HOSTS[0], implicit=False):
        scheme = "ftps" if implicit else "ftp"
        return f"{scheme}://{bracket(host)}:{self.port(host, implicit)}/{path}"

    def client(self, host=HOSTS[0], implicit=False, context=None, patience_s=10):
        """
        A connection that has been greeted with 220. Sessions of earlier clients may still
        be ending when a test starts, so a 421 is tried again for a while.
        """
        give_up = time.monotonic() + patience_s
        while True:
            ftp = Ftp(host, self.port(host, implicit), implicit, context)
            try:
                greeting = ftp.reply()
            except BaseException:
                ftp.close()
                raise
            if greeting.code == 220:
                ftp.greeting = greeting
                return ftp
            ftp.close()
            if greeting.code != 421 or time.monotonic() > give_up:
                raise AssertionError(f"greeted with {greeting}")
            time.sleep(0.05)

    def secured(self, protect=True, **where):
        """A connection in TLS that, if wanted, protects its data. Nobody is logged in."""
        ftp = self.client(**where)
        try:
            if not where.get("implicit"):
                ftp.expect("AUTH TLS", 234)
                ftp.start_tls()
            if protect:
                ftp.expect("PBSZ 0", 200)
                ftp.expect("PROT P", 200)
        except BaseException:
            ftp.close()
            raise
        return ftp

    def session(self, name=USER, password=PASSWORD, **how):
        """
        A session that is logged in, with TYPE I; without a password (None) by the context's
        certificate.
        """
        ftp = self.secured(**how)
        try:
            if password is None:
                ftp.expect(f"USER {name}", 232)
            else:
                ftp.expect(f"USER {name}", 331)
                ftp.expect(f"PASS {password}", 230)
            ftp.expect("TYPE I", 200)
        except BaseException:
            ftp.close()
            raise
        return ftp

    def wait_until_idle(self, patience_s=20):
        """Wait for the sessions of earlier clients to end."""
        give_up = time.monotonic() + patience_s
        while (left := self.must("sessions")) and time.monotonic() < give_up:
            time.sleep(0.05)
        if left:
            raise AssertionError(f"sessions that do not end:\n{left}")


def tls_context(**versions):
    """A client that verifies nothing but takes an end without close_notify for an error."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    for name, value in versions.items():
        setattr(context, name, value)
    return context


class Reply(NamedTuple):
    code: int
    lines: list

    @property
    def text(self):
        """The text of a reply of one line."""
        return self.lines[0][4:]

    def __str__(self):
        return " / ".join(self.lines)


class Malformed(AssertionError):
    """A reply that is not in the one form that all clients understand."""


class Ftp:
    """A client that is strict with the server, and does what it is told with the bytes."""

    def __init__(self, host, port, implicit=False, context=None, source=None):
        self.host = host
        self.context = context or tls_context()
        self.sock = socket.create_connection((host, port), LIMIT_S, source)
        self.sock.settimeout(LIMIT_S)
        self.pending = b""
        self.greeting = None
        if implicit:
            self.start_tls()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def start_tls(self):
        assert self.pending == b"", f"bytes before TLS: {self.pending!r}"
        try:
            self.sock = self.context.wrap_socket(self.sock, suppress_ragged_eofs=False)
        except BaseException:
            self.sock.close()
            raise

    def send(self, line):
        """Send a line, or bytes as they are."""
        if isinstance(line, str):
            line = line.encode() + b"\r\n"
        self.sock.sendall(line)

    def line(self):
        while b"\n" not in self.pending:
            got = self.sock.recv(4096)
            if got == b"":
                raise EOFError(f"the end, after {self.pending!r}")
            self.pending += got
        line, _, self.pending = self.pending.partition(b"\n")
        if not line.endswith(b"\r"):
            raise Malformed(f"no CR LF: {line!r}")
        if re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line[:-1]):
            raise Malformed(f"control characters: {line!r}")
        return line[:-1].decode("utf-8")

    def reply(self):
        line = self.line()
        if not re.fullmatch(r"[1-6]\d\d[ -].*", line):
            raise Malformed(f"not a reply: {line!r}")
        lines = [line]
        if line[3] == "-":
            while not re.match(line[:3] + " ", lines[-1]):
                lines.append(self.line())
                if re.match(r"\d\d\d[- ]", lines[-1]) and lines[-1][:4] != line[:3] + " ":
                    raise Malformed(f"a code within a reply: {lines[-1]!r}")
        return Reply(int(line[:3]), lines)

    def command(self, line):
        self.send(line)
        return self.reply()

    def expect(self, line, *codes):
        """A command whose answer must have one of these codes."""
        reply = self.command(line)
        if reply.code not in codes:
            raise AssertionError(f"{line!r} is answered {reply}; wanted {codes}")
        return reply

    def expect_reply(self, *codes):
        reply = self.reply()
        if reply.code not in codes:
            raise AssertionError(f"{reply}; wanted {codes}")
        return reply

    def rest_of_stream(self):
        """All that still comes, to the end. A reset counts as an end."""
        got = self.pending
        try:
            while more := self.sock.recv(4096):
                got += more
        except (ConnectionError, ssl.SSLError):
            pass
        self.pending = b""
        return got

    def expect_end(self):
        """The server closes, and over TLS it says so with close_notify."""
        got = self.sock.recv(4096)
        if self.pending + got != b"":
            raise AssertionError(f"more came: {self.pending + got!r}")

    def quit(self):
        self.expect("QUIT", 221)
        self.expect_end()
        self.close()

    def passive(self):
        reply = self.expect("EPSV", 229)
        return int(re.search(r"\(\|\|\|(\d+)\|\)$", reply.text)[1])

    def begin(self, command, rest=None, reuse=True, session=None, receive_buffer=None,
              source=None):
        """
        Start a transfer. Returns its first reply, and the data connection if that is 1yz.
        """
        port = self.passive()
        raw = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        try:
            if receive_buffer:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            raw.settimeout(LIMIT_S)
            if source:
                raw.bind((source, 0))
            raw.connect((self.host, port))
            if rest is not None:
                self.expect(f"REST {rest}", 350)
            reply = self.command(command)
            if reply.code // 100 != 1:
                raw.close()
                return reply, None
            if reuse and session is None:
                session = self.sock.session
            return reply, self.context.wrap_socket(
                raw, suppress_ragged_eofs=False, session=session)
        except BaseException:
            raw.close()
            raise

    def receive(self, command, rest=None):
        """Download or list. Returns the final reply, and the bytes up to close_notify."""
        reply, data = self.begin(command, rest)
        if data is None:
            return reply, b""
        with data:
            got = read_all(data)
            reply = self.reply()
        return reply, got

    def store(self, command, payload, rest=None):
        """Upload, and end with close_notify. Returns the final reply."""
        reply, data = self.begin(command, rest)
        if data is None:
            return reply
        try:
            data.sendall(payload)
            data.unwrap().close()
        except (OSError, ssl.SSLError):
            # The server may refuse in the middle of it; its reply says why.
            pass
        finally:
            data.close()
        return self.reply()

    def get(self, path, rest=None):
        reply, got = self.receive(f"RETR {path}", rest)
        if reply.code != 226:
            raise AssertionError(f"RETR {path} is answered {reply}")
        return got

    def put(self, path, payload, rest=None):
        reply = self.store(f"STOR {path}", payload, rest)
        if reply.code != 226:
            raise AssertionError(f"STOR {path} is answered {reply}")

    def list(self, command="MLSD"):
        reply, got = self.receive(command)
        if reply.code != 226:
            raise AssertionError(f"{command} is answered {reply}")
        if got and not got.endswith(b"\r\n"):
            raise AssertionError(f"{command}: the last line has no end: {got[-80:]!r}")
        lines = got.split(b"\r\n")[:-1]
        if any(b"\r" in line or b"\n" in line for line in lines):
            raise AssertionError(f"{command}: stray line ends")
        return [line.decode() for line in lines]

    def entries(self, path=""):
        """MLSD as a dictionary: name to facts."""
        found = {}
        for line in self.list(f"MLSD {path}".strip()):
            facts, _, name = line.partition(" ")
            if not re.fullmatch(r"([A-Za-z0-9.\-]+=[^; ]*;)*", facts):
                raise AssertionError(f"not the form of RFC 3659: {line!r}")
            if name in found:
                raise AssertionError(f"listed twice: {name!r}")
            found[name] = dict(fact.split("=", 1) for fact in facts.lower().split(";")[:-1])
        return found


def read_all(sock):
    """Read up to close_notify; an end without it raises."""
    parts = []
    while part := sock.recv(65536):
        parts.append(part)
    return b"".join(parts)


def read_what_comes(sock):
    """All that comes, however it ends."""
    got = b""
    try:
        while part := sock.recv(65536):
            got += part
    except OSError:
        pass
    return got


def reset(sock):
    """Close at once with RST, as a client whose power fails and comes back."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(sock.detach())


def cut(sock):
    """Close the TCP connection in order, but without close_notify."""
    os.close(sock.detach())


class LiveCase(unittest.TestCase):
    """
    Tests that share one server, made by make_server() for each class. A test fails if the
    server is not there any more after it; the class fails if it did not end in order.
    """

    server = None

    @classmethod
    def make_server(cls):
        return Server()

    @classmethod
    def setUpClass(cls):
        cls.server = cls.make_server()
        cls.addClassCleanup(cls.server.close)
        cls.server.start()

    def setUp(self):
        self.addCleanup(self.server.check_alive)

    def client(self, **where):
        ftp = self.server.client(**where)
        self.addCleanup(ftp.close)
        return ftp

    def session(self, **how):
        ftp = self.server.session(**how)
        self.addCleanup(ftp.close)
        return ftp

    def path(self, name):
        return self.server.root / name

    def make(self, name, payload=b""):
        """A file below the root, behind the server's back."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(payload)
        if self.server.user is not None:
            os.chown(path, self.server.user, self.server.user)
        return path

    def own_server(self, start=True, **how):
        """A server for one test alone."""
        server = Server(**how)
        self.addCleanup(server.close)
        return server.start() if start else server

    def needs(self, verb):
        """Skip where this build does not offer a command."""
        ftp = self.client(implicit=True)
        if not re.search(rf"\b{verb}\b", str(ftp.expect("HELP", 214))):
            self.skipTest(f"{verb} is not built in")
        ftp.quit()

    def temporary(self):
        folder = tempfile.TemporaryDirectory(prefix="cubftpd-client-")
        self.addCleanup(folder.cleanup)
        return Path(folder.name)
