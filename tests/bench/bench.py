#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How fast the server is and what it takes, beside other servers: `tests/bench/bench.py`.

    CUBFTPD   the program to measure; build/cubftpd of this tree by default
    ROUNDS    how often each work is done, the servers by turns: 3 by default
    FOLDER    where the files are served from: a folder in $TMPDIR by default. It takes half a
              GiB for each server.
    SERVERS   names of servers, such as "cubftpd vsftpd"; all that are installed by default

Each server does the same work for the same client over loopback, with TLS 1.2. Shown is the
quickest time as the client sees it, without the login where that is not the work, and for
cubftpd the CPU time that it took in that round, with the login. Nothing gets lost or late on
loopback, and a PC is no router: compare the columns, not the figures with other machines'.

cubftpd syncs each upload to the medium before it answers, which none of the others does:
FOLDER=/dev/shm shows the work without the medium.
"""

import contextlib
import ftplib
import io
import os
import shutil
import signal
import ssl
import sys
import tempfile
import time
from pathlib import Path

import servers
from resuming import Resuming

ROUNDS = int(os.environ.get("ROUNDS", 3))
WANTED = os.environ.get("SERVERS", "").split()
LIMIT_S = 300

BIG_MIB = 256
SMALL, SMALL_SIZE = 200, 4096
CROWD = 10000  # entries of the folder that is listed
LOGINS = 20
SESSIONS = 3


def curl(server, *words):
    """Returns how long it took from the reply 150 on, in seconds."""
    times = servers.run(
        "curl", "-sS", "--ssl-reqd", "-k", "--tls-max", "1.2", "-o", "/dev/null",
        "-w", "%{time_total} %{time_pretransfer}", "-u", f"{server.user}:{server.password}",
        *words)
    total, before = times.split()
    return float(total) - float(before)


def url(server, path=""):
    return f"ftp://127.0.0.1:{server.port}/{server.path}{path}"


def log_in(server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    ftp = Resuming(context=context, timeout=LIMIT_S)
    ftp.connect("127.0.0.1", server.port)
    ftp.login(server.user, server.password)
    ftp.prot_p()
    return ftp


class Work:
    """What a client does. Large files are curl's, which takes least time itself."""

    def __init__(self, local):
        self.big = local / "big"
        with open(self.big, "wb") as file:
            for _ in range(BIG_MIB):
                file.write(os.urandom(1 << 20))
        self.small = [os.urandom(SMALL_SIZE) for _ in range(SMALL)]

    def furnish(self, files):
        shutil.copy(self.big, files / "big")
        for name in ("into", "small", "crowd"):
            (files / name).mkdir()
        for number, content in enumerate(self.small):
            (files / "small" / f"{number}").write_bytes(content)
        for number in range(CROWD):
            (files / "crowd" / f"{number:05}.dat").touch()

    # Each of these returns how long it took, in seconds.

    def logins(self, server):
        started = time.monotonic()
        for _ in range(LOGINS):
            log_in(server).quit()
        return time.monotonic() - started

    def download(self, server):
        return curl(server, url(server, "big"))

    def upload(self, server):
        (server.files / "into" / "big").unlink(missing_ok=True)
        return curl(server, "-T", self.big, url(server, "into/big"))

    # Not by curl: version 7.88 waits for a second where a reply to EPSV comes at once.

    def download_small(self, server):
        ftp = log_in(server)
        started = time.monotonic()
        for number, content in enumerate(self.small):
            got = []
            ftp.retrbinary(f"RETR {server.path}small/{number}", got.append)
            if b"".join(got) != content:
                raise servers.Trouble("it sent something else")
        took = time.monotonic() - started
        ftp.quit()
        return took

    def upload_small(self, server):
        ftp = log_in(server)
        started = time.monotonic()
        for number, content in enumerate(self.small):
            ftp.storbinary(f"STOR {server.path}into/{number}", io.BytesIO(content))
        took = time.monotonic() - started
        ftp.quit()
        return took

    def listing(self, server):
        ftp = log_in(server)
        got = []
        started = time.monotonic()
        ftp.retrbinary(f"LIST {server.path}crowd", got.append)
        took = time.monotonic() - started
        if b"".join(got).count(b"\n") != CROWD:
            raise servers.Trouble("the list is not whole")
        ftp.quit()
        return took


WORKS = (
    ("log in", "logins", "{:.1f} ms", lambda s: s * 1000 / LOGINS),
    (f"download of {BIG_MIB} MiB", "download", "{:.0f} MiB/s", lambda s: BIG_MIB / s),
    (f"upload of {BIG_MIB} MiB", "upload", "{:.0f} MiB/s", lambda s: BIG_MIB / s),
    (f"downloads of {SMALL_SIZE} bytes", "download_small", "{:.0f} /s", lambda s: SMALL / s),
    (f"uploads of {SMALL_SIZE} bytes", "upload_small", "{:.0f} /s", lambda s: SMALL / s),
    (f"list of {CROWD} files", "listing", "{:.0f} ms", lambda s: s * 1000),
)


def memory(server):
    """
    What its processes keep in RAM while nobody is there, and with so many sessions logged in.
    Only root may look into a process that has set its user, as ProFTPD's do.
    """
    server.wait_until_alone()
    try:
        idle = server.memory_kib()
    except PermissionError:
        return "wants root", "wants root"
    sessions = [log_in(server) for _ in range(SESSIONS)]
    busy = server.memory_kib()
    for ftp in sessions:
        ftp.quit()
    return f"{idle} KiB", f"{busy} KiB"


def measure(running, work):
    """Rows of cells for the table, the servers by turns in each round."""
    best = {}
    for _ in range(ROUNDS):
        for number, (_, name, _, _) in enumerate(WORKS):
            for server in running:
                cpu = server.cpu_s()
                new = getattr(work, name)(server), server.cpu_s() - cpu
                best[number, server] = min(new, best.get((number, server), new))
    for number, (title, _, form, figure) in enumerate(WORKS):
        cells = [form.format(figure(best[number, server][0])) for server in running]
        yield title, cells
        yield "    CPU", [f"{best[number, server][1] * 1000:.0f} ms"
                         if server.is_one_process else "" for server in running]


def table(head, rows):
    rows = [("", head), *rows]
    width = max(len(title) for title, _ in rows)
    for title, cells in rows:
        print(f"{title:{width}}" + "".join(f"{cell:>15}" for cell in cells))


def chosen():
    unknown = set(WANTED) - {kind.tool for kind in servers.ALL}
    if unknown:
        sys.exit(f"SERVERS: unknown: {' '.join(sorted(unknown))}")
    for kind in servers.ALL:
        if not WANTED or kind.tool in WANTED:
            why_not = kind.why_not()
            if why_not:
                print(f"not measured: {why_not}", file=sys.stderr)
            else:
                yield kind


def start(kind, certificate, work, clean_up):
    """A server that somebody can log in to, or None, and why is told."""
    folders = []
    for where in (None, os.environ.get("FOLDER")):
        folders.append(Path(tempfile.mkdtemp(prefix="bench-", dir=where)).resolve())
        clean_up.callback(shutil.rmtree, folders[-1], ignore_errors=True)
        folders[-1].chmod(0o755)
    server = kind(certificate, *folders)
    clean_up.callback(server.stop)
    try:
        work.furnish(server.files)
        server.start()
        log_in(server).quit()
    except (servers.Trouble, KeyError, OSError, ftplib.Error) as why:
        print(f"not measured: {kind.tool}: {why}", file=sys.stderr)
        return None
    return server


def main():
    for tool in ("curl", "openssl"):
        if not shutil.which(tool):
            sys.exit(f"please install {tool}")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))  # by way of what cleans up
    kinds = list(chosen())
    with contextlib.ExitStack() as clean_up:
        local = clean_up.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        work, certificate = Work(Path(local)), servers.Certificate(local)
        running = [server for kind in kinds
                   if (server := start(kind, certificate, work, clean_up))]
        if not running:
            sys.exit("there is no server to measure")
        amounts = [memory(server) for server in running]
        rows = list(measure(running, work))
        rows.append(("RAM while nobody is there", [idle for idle, _ in amounts]))
        rows.append((f"    with {SESSIONS} sessions", [busy for _, busy in amounts]))
        table([server.tool for server in running], rows)


if __name__ == "__main__":
    main()
