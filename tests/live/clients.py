# SPDX-License-Identifier: MIT
"""
Three clients that do the same with a client certificate, so that a test can be made with
each of them: the one of server.py, curl (OpenSSL) and lftp (GnuTLS).

    refusal(one)        log in with a certificate, be refused: what the server says
    fetch(one, path)    download; to a path of the server
    store(one, payload, path)
    move(one, path, to), remove(one, path)

`name` is the account, and `password` what goes with it: None where the certificate is enough.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

from server import ENVIRONMENT, LIMIT_S, USER


class PythonClient:

    def __init__(self, server):
        self.server = server

    def session(self, one, name, password):
        return self.server.session(name, password, context=one.context() if one else None)

    def refusal(self, one, name=USER):
        with self.server.secured(context=one.context() if one else None) as ftp:
            reply = ftp.expect(f"USER {name}", 530)
            ftp.expect_end()
            return reply.text

    def fetch(self, one, path, name=USER, password=None):
        with self.session(one, name, password) as ftp:
            return ftp.get(path)

    def store(self, one, payload, path, name=USER, password=None):
        with self.session(one, name, password) as ftp:
            ftp.put(path, payload)

    def move(self, one, path, to, name=USER, password=None):
        with self.session(one, name, password) as ftp:
            ftp.expect(f"RNFR {path}", 350)
            ftp.expect(f"RNTO {to}", 250)

    def remove(self, one, path, name=USER, password=None):
        with self.session(one, name, password) as ftp:
            ftp.expect(f"DELE {path}", 250)


class ProgramClient:
    """A client that is a program, and works in a folder of its own."""

    program = None

    def __init__(self, server):
        self.server = server
        self.here = Path(tempfile.mkdtemp(prefix="cubftpd-client-"))

    def close(self):
        shutil.rmtree(self.here, ignore_errors=True)

    def run(self, words):
        self.server.wait_until_idle()  # a session is free
        done = subprocess.run(
            words, capture_output=True, cwd=self.here, timeout=4 * LIMIT_S,
            stdin=subprocess.DEVNULL,
            env={**ENVIRONMENT, "HOME": str(self.here), "LFTP_HOME": str(self.here / "lftp")})
        said = done.stderr.decode("utf-8", "backslashreplace")
        return done.returncode, done.stdout, said

    def must(self, *words, **how):
        code, got, said = self.call(*words, **how)
        if code != 0:
            raise AssertionError(f"{self.program} {words}: exit {code}\n{said}")
        return got

    def fetch(self, one, path, **who):
        (self.here / "got").unlink(missing_ok=True)
        self.get(one, path, **who)
        return (self.here / "got").read_bytes()

    def store(self, one, payload, path, **who):
        (self.here / "given").write_bytes(payload)
        self.put(one, path, **who)


class CurlClient(ProgramClient):
    program = "curl"

    def call(self, one, *words, name=USER, password=None):
        shown = ["--cert", one.chain, "--key", one.key] if one else []
        return self.run(
            ["curl", "-q", "-g", "-v", "-sS", "-k", "--ssl-reqd", "--noproxy", "*",
             "--max-time", str(2 * LIMIT_S), "-u", f"{name}:{password or ''}",
             *map(str, shown), *map(str, words)])

    def url(self, path):
        return self.server.url(quote(path.lstrip("/")))

    def refusal(self, one, **who):
        code, _, said = self.call(one, self.server.url(), **who)
        if code != 67 or "\n< 530 " not in said:
            raise AssertionError(f"curl ended with {code}\n{said}")
        return said.split("\n< 530 ", 1)[1].splitlines()[0]

    def get(self, one, path, **who):
        self.must(one, "-o", "got", self.url(path), **who)

    def put(self, one, path, **who):
        self.must(one, "-T", "given", self.url(path), **who)

    def move(self, one, path, to, **who):
        self.must(one, "-l", self.server.url(), "-Q", f"RNFR {path}", "-Q", f"RNTO {to}", **who)

    def remove(self, one, path, **who):
        self.must(one, "-l", self.server.url(), "-Q", f"DELE {path}", **who)


class LftpClient(ProgramClient):
    program = "lftp"

    def call(self, one, *commands, name=USER, password=None):
        shown = [f"set ssl:cert-file {one.chain}", f"set ssl:key-file {one.key}"] if one else []
        script = self.here / "script"
        script.write_text("\n".join([
            "set cmd:fail-exit yes", "set net:max-retries 2",
            "set net:reconnect-interval-base 1", f"set net:timeout {LIMIT_S}",
            "set ftp:ssl-force true", "set ftp:ssl-protect-data true",
            "set ssl:verify-certificate no", *shown,
            f"open -u '{name},{password or 'none'}' "
            f"ftp://127.0.0.1:{self.server.port()}", *commands]) + "\n")
        return self.run(["lftp", "--norc", "-f", str(script)])

    def refusal(self, one, **who):
        code, _, said = self.call(one, "ls", **who)
        if code == 0 or " 530 " not in said:
            raise AssertionError(f"lftp ended with {code}\n{said}")
        return said.split(" 530 ", 1)[1].splitlines()[0].rstrip(")")

    def get(self, one, path, **who):
        self.must(one, f"get '{path}' -o got", **who)

    def put(self, one, path, **who):
        self.must(one, f"put given -o '{path}'", **who)

    def move(self, one, path, to, **who):
        self.must(one, f"mv '{path}' '{to}'", **who)

    def remove(self, one, path, **who):
        self.must(one, f"rm '{path}'", **who)


class Busy:
    """A server that has sessions open on purpose: no client waits for their end."""

    def __init__(self, server):
        self.server = server

    def __getattr__(self, name):
        return getattr(self.server, name)

    def wait_until_idle(self):
        self.server.client().close()  # there is one left, at least


def all_clients(case):
    """Those that are installed, for the server of a test."""
    found = [PythonClient(case.server)]
    for kind in (CurlClient, LftpClient):
        if shutil.which(kind.program):
            found.append(kind(case.server))
            case.addCleanup(found[-1].close)
    return found


def client_of(case, kind):
    """One of them, or the test is skipped."""
    if kind is PythonClient:
        return kind(case.server)
    if not shutil.which(kind.program):
        case.skipTest(f"{kind.program} is not installed")
    client = kind(case.server)
    case.addCleanup(client.close)
    return client


def s_client(server, *words, given="QUIT\r\n", one=None):
    """What `openssl s_client` prints of a connection that ends by QUIT."""
    server.wait_until_idle()
    shown = ["-cert", str(one.chain), "-key", str(one.key)] if one else []
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port()}", "-starttls", "ftp",
         "-ign_eof", *shown, *words], input=given.encode(), capture_output=True,
        timeout=LIMIT_S, env=ENVIRONMENT)
    return (done.stdout + done.stderr).decode("utf-8", "replace")
