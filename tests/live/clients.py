# SPDX-License-Identifier: MIT
"""
Clients that do the same, so that a test can be made with each of them:

    login(one)                  log in, with a certificate or None
    refusal(one)                log in, be refused: what the server says
    names(one, folder)          list
    fetch(one, path)            download
    fetch_rest(one, path)       go on with the download in the file `got` of its folder `here`
    store(one, payload, path)   upload
    store_rest(one, payload, path)      go on with an upload
    move(one, path, to), remove(one, path), make_folder(one, path)

`name` is the account, and `password` what goes with it: None where the certificate is enough.
Paths are absolute, and of the server. PythonClient, the one of server.py, does only part of it.

A client that is a library has a program in drivers/ for each language, which is called by
VERB ARGUMENT..., where a verb is one of

    login | list FOLDER | get PATH FILE | reget PATH FILE | put FILE PATH | reput FILE PATH |
    rename PATH PATH | delete PATH | mkdir PATH

`list` prints names, one a line. The server is told by $FTP_HOST and $FTP_PORT, who comes by
$FTP_USER and $FTP_PASSWORD, a certificate and its key (PEM) by $FTP_CERT and $FTP_KEY, which
may be empty. With $FTP_PLAIN the library is used as it is, without what makes it resume its
TLS session on data connections. Where something fails it exits with another code than 0, and
what the server has said stands in its stderr.
"""

import atexit
import functools
import html
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from server import ENVIRONMENT, LIMIT_S, USER

DRIVERS = Path(__file__).resolve().parent / "drivers"


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

    @classmethod
    def missing(cls):
        """What has to be installed for it, or None."""
        return None if shutil.which(cls.program) else cls.program

    def run(self, words, given="", environment=None):
        self.server.wait_until_idle()  # a session is free
        done = subprocess.run(
            list(map(str, words)), capture_output=True, cwd=self.here, timeout=4 * LIMIT_S,
            input=given.encode(),
            env={**ENVIRONMENT, "HOME": str(self.here), "LFTP_HOME": str(self.here / "lftp"),
                 **(environment or {})})
        said = done.stderr.decode("utf-8", "backslashreplace")
        return done.returncode, done.stdout, said

    def must(self, *words, **how):
        code, got, said = self.call(*words, **how)
        if code != 0:
            raise AssertionError(f"{self.program} {words}: exit {code}\n{said}")
        return got

    def login(self, one, **who):
        self.names(one, "/", **who)

    def refusal(self, one, **who):
        try:
            self.login(one, **who)
        except AssertionError as error:
            return str(error)
        raise AssertionError(f"{self.program} was let in")

    def fetch(self, one, path, **who):
        (self.here / "got").unlink(missing_ok=True)
        self.get(one, path, **who)
        return (self.here / "got").read_bytes()

    def fetch_rest(self, one, path, **who):
        self.reget(one, path, **who)
        return (self.here / "got").read_bytes()

    def store(self, one, payload, path, **who):
        (self.here / "given").write_bytes(payload)
        self.put(one, path, **who)

    def store_rest(self, one, payload, path, **who):
        (self.here / "given").write_bytes(payload)
        self.reput(one, path, **who)


class CurlClient(ProgramClient):
    program = "curl"

    def call(self, one, *words, name=USER, password=None):
        shown = ["--cert", one.chain, "--key", one.key] if one else []
        return self.run(
            ["curl", "-q", "-g", "-v", "-sS", "-k", "--ssl-reqd", "--noproxy", "*",
             "--max-time", 2 * LIMIT_S, "-u", f"{name}:{password or ''}", *shown, *words])

    def url(self, path):
        return self.server.url(quote(path.lstrip("/")))

    def refusal(self, one, **who):
        code, _, said = self.call(one, self.server.url(), **who)
        if code != 67 or "\n< 530 " not in said:
            raise AssertionError(f"curl ended with {code}\n{said}")
        return said.split("\n< 530 ", 1)[1].splitlines()[0]

    def names(self, one, folder, **who):
        return self.must(one, "-l", self.url(folder.rstrip("/") + "/"), **who).decode().split(
            "\n")[:-1]

    def get(self, one, path, **who):
        self.must(one, "-o", "got", self.url(path), **who)

    def reget(self, one, path, **who):
        self.must(one, "-C", "-", "-o", "got", self.url(path), **who)

    def put(self, one, path, **who):
        self.must(one, "-T", "given", self.url(path), **who)

    def reput(self, one, path, **who):
        self.must(one, "-C", "-", "-T", "given", self.url(path), **who)

    def quote(self, one, *commands, **who):
        words = [word for command in commands for word in ("-Q", command)]
        self.must(one, "-l", self.server.url(), *words, **who)

    def move(self, one, path, to, **who):
        self.quote(one, f"RNFR {path}", f"RNTO {to}", **who)

    def remove(self, one, path, **who):
        self.quote(one, f"DELE {path}", **who)

    def make_folder(self, one, path, **who):
        self.quote(one, f"MKD {path}", **who)


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
        return self.run(["lftp", "--norc", "-f", script])

    def refusal(self, one, **who):
        code, _, said = self.call(one, "ls", **who)
        if code == 0 or " 530 " not in said:
            raise AssertionError(f"lftp ended with {code}\n{said}")
        return said.split(" 530 ", 1)[1].splitlines()[0].rstrip(")")

    def names(self, one, folder, **who):
        said = self.must(one, f"cls -1 --quiet '{folder}'", **who)
        return [line.rstrip("/").rpartition("/")[2] for line in said.decode().splitlines()]

    def get(self, one, path, **who):
        self.must(one, f"get '{path}' -o got", **who)

    def reget(self, one, path, **who):
        self.must(one, f"get -c '{path}' -o got", **who)

    def put(self, one, path, **who):
        self.must(one, f"put given -o '{path}'", **who)

    def reput(self, one, path, **who):
        self.must(one, f"put -c given -o '{path}'", **who)

    def move(self, one, path, to, **who):
        self.must(one, f"mv '{path}' '{to}'", **who)

    def remove(self, one, path, **who):
        self.must(one, f"rm '{path}'", **who)

    def make_folder(self, one, path, **who):
        self.must(one, f"mkdir '{path}'", **who)


class WgetClient(ProgramClient):
    """It only downloads. A folder is listed as a page of HTML."""

    program = "wget"
    words = ()

    def call(self, one, *words, name=USER, password=None):
        shown = [f"--certificate={one.chain}", f"--private-key={one.key}"] if one else []
        return self.run(["wget", "--no-config", "--no-proxy", "--no-check-certificate", "-S",
                         "--tries=1", f"--timeout={LIMIT_S}", f"--user={name}",
                         f"--password={password or ''}", *self.words, *shown, *words])

    @classmethod
    def missing(cls):
        if shutil.which("wget") is None:
            return "wget"
        done = subprocess.run(["wget", "--help"], capture_output=True, text=True)
        return None if "--ftps-resume-ssl" in done.stdout else "wget with FTPS"

    def url(self, path):
        return f"ftps://127.0.0.1:{self.server.port()}{quote(path)}"

    def names(self, one, folder, **who):
        page = self.must(one, "-O", "-", self.url(folder.rstrip("/") + "/"), **who).decode()
        return [html.unescape(name).rstrip("/")
                for name in re.findall(r'<a href="[^"]*">([^<]*)</a>', page)]

    def get(self, one, path, **who):
        self.must(one, "-O", "got", self.url(path), **who)

    def reget(self, one, path, **who):
        # It goes on with a file of the same name only.
        local = self.here / Path(path).name
        (self.here / "got").rename(local)
        self.must(one, "-c", self.url(path), **who)
        local.rename(self.here / "got")


class PlainWgetClient(WgetClient):
    words = ("--no-ftps-resume-ssl",)


class RcloneClient(ProgramClient):
    program = "rclone"

    def call(self, one, *words, name=USER, password=None):
        _, hidden, _ = self.run(["rclone", "obscure", password or "none"])
        return self.run(
            ["rclone", "--config", "/dev/null", "--ftp-host", "127.0.0.1", "--ftp-port",
             self.server.port(), "--ftp-user", name, "--ftp-pass", hidden.decode().strip(),
             "--ftp-explicit-tls", "--ftp-no-check-certificate", "--retries", 1,
             "--low-level-retries", 1, *words])

    def names(self, one, folder, **who):
        said = self.must(one, "lsf", f":ftp:{folder}", **who)
        return [line.rstrip("/") for line in said.decode().splitlines()]

    def get(self, one, path, **who):
        self.must(one, "copyto", f":ftp:{path}", "got", **who)

    def put(self, one, path, **who):
        self.must(one, "copyto", "given", f":ftp:{path}", **who)

    def move(self, one, path, to, **who):
        self.must(one, "moveto", f":ftp:{path}", f":ftp:{to}", **who)

    def remove(self, one, path, **who):
        self.must(one, "deletefile", f":ftp:{path}", **who)

    def make_folder(self, one, path, **who):
        self.must(one, "mkdir", f":ftp:{path}", **who)


class DialogueClient(ProgramClient):
    """A client that is told by its stdin what to do, and shows what is answered."""

    def command(self, *commands, one=None, want="2..", name=USER, password=None):
        """Replies after the login; the last one must have the code that is wanted."""
        said = self.dialogue(one, name, password, commands)
        replies = re.findall(r"^(\d\d\d) .*", said, re.M)
        if "230" not in replies and "232" not in replies or not re.fullmatch(
                want, [code for code in replies if code != "221"][-1]):
            raise AssertionError(f"{self.program}: {commands}\n{said}")
        return said

    def login(self, one, **who):
        self.command(one=one, **who)


class FtpSslClient(DialogueClient):
    program = "ftp-ssl"

    def dialogue(self, one, name, password, commands):
        shown = ["-z", f"cert={one.chain}", "-z", f"key={one.key}"] if one else []
        lines = [f'user {name} "{password or ""}"', "binary", *commands, "quit"]
        _, got, said = self.run(
            ["ftp-ssl", "-z", "secure", *shown, "-pvn", "127.0.0.1", self.server.port()],
            "".join(line + "\n" for line in lines))
        return got.decode("utf-8", "replace") + said

    def names(self, one, folder, **who):
        (self.here / "names").unlink(missing_ok=True)
        self.command(f'nlist "{folder}" names', one=one, **who)
        return [Path(name).name for name in (self.here / "names").read_text().splitlines()]

    def get(self, one, path, **who):
        self.command(f'get "{path}" got', one=one, **who)

    def reget(self, one, path, **who):
        self.command(f'reget "{path}" got', one=one, **who)

    def put(self, one, path, **who):
        self.command(f'put given "{path}"', one=one, **who)

    def move(self, one, path, to, **who):
        self.command(f'rename "{path}" "{to}"', one=one, **who)

    def remove(self, one, path, **who):
        self.command(f'delete "{path}"', one=one, **who)

    def make_folder(self, one, path, **who):
        self.command(f'mkdir "{path}"', one=one, **who)


class TalkClient(DialogueClient):
    """A client for TLS, with commands typed into it: there are no data connections."""

    def dialogue(self, one, name, password, commands):
        lines = [f"USER {name}", *([f"PASS {password}"] if password else []), *commands, "QUIT"]
        _, got, said = self.run(self.words(one), "".join(line + "\r\n" for line in lines))
        return (got.decode("utf-8", "replace") + said).replace("\r", "")

    def move(self, one, path, to, **who):
        self.command(f"RNFR {path}", f"RNTO {to}", one=one, **who)

    def remove(self, one, path, **who):
        self.command(f"DELE {path}", one=one, **who)

    def make_folder(self, one, path, **who):
        self.command(f"MKD {path}", one=one, **who)


class OpensslClient(TalkClient):
    program = "openssl"

    def words(self, one):
        return ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.port()}",
                "-starttls", "ftp", "-ign_eof", "-quiet",
                *(["-cert", one.chain, "-key", one.key] if one else [])]


class GnutlsClient(TalkClient):
    program = "gnutls-cli"

    def words(self, one):
        return ["gnutls-cli", "--insecure", "-p", self.server.port(), "--starttls-proto=ftp",
                *(["--x509certfile", one.chain, "--x509keyfile", one.key] if one else []),
                "127.0.0.1"]


class DriverClient(ProgramClient):
    """A client that is a library."""

    driver, plain = None, ""

    def call(self, one, *words, name=USER, password=None):
        return self.run([*self.driver, *words], environment={
            "FTP_HOST": "127.0.0.1", "FTP_PORT": str(self.server.port()), "FTP_USER": name,
            "FTP_PASSWORD": password or "none", "FTP_CERT": str(one.chain) if one else "",
            "FTP_KEY": str(one.key) if one else "", "FTP_PLAIN": self.plain})

    def login(self, one, **who):
        self.must(one, "login", **who)

    def names(self, one, folder, **who):
        said = self.must(one, "list", folder, **who)
        return [Path(name).name for name in said.decode().splitlines()]

    def get(self, one, path, **who):
        self.must(one, "get", path, "got", **who)

    def reget(self, one, path, **who):
        self.must(one, "reget", path, "got", **who)

    def put(self, one, path, **who):
        self.must(one, "put", "given", path, **who)

    def reput(self, one, path, **who):
        self.must(one, "reput", "given", path, **who)

    def move(self, one, path, to, **who):
        self.must(one, "rename", path, to, **who)

    def remove(self, one, path, **who):
        self.must(one, "delete", path, **who)

    def make_folder(self, one, path, **who):
        self.must(one, "mkdir", path, **who)


class FtplibClient(DriverClient):
    program = "python3"
    driver = (sys.executable, DRIVERS / "resuming.py")


class PlainFtplibClient(FtplibClient):
    plain = "1"


class PerlClient(DriverClient):
    program = "perl"
    driver = ("perl", DRIVERS / "netftp.pl")

    @classmethod
    def missing(cls):
        if shutil.which("perl") is None:
            return "perl"
        done = subprocess.run(["perl", "-MNet::FTP", "-MIO::Socket::SSL", "-e1"],
                              capture_output=True)
        return None if done.returncode == 0 else "Perl's Net::FTP with IO::Socket::SSL"


class PlainPerlClient(PerlClient):
    plain = "1"


class PhpClient(DriverClient):
    program = "php"
    driver = ("php", DRIVERS / "ftp.php")


class NodeClient(DriverClient):
    program = "node"
    driver = ("node", DRIVERS / "basic-ftp" / "driver.js")

    @classmethod
    def missing(cls):
        library = DRIVERS / "basic-ftp" / "node_modules" / "basic-ftp"
        return super().missing() or (None if library.exists() else "basic-ftp for Node.js")


@functools.cache
def compiled(library):
    """The folder with the classes of the driver in Java."""
    folder = tempfile.mkdtemp(prefix="cubftpd-java-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(["javac", "-d", folder, "-cp", library, DRIVERS / "CommonsNet.java"],
                   check=True, timeout=4 * LIMIT_S)
    return folder


class JavaClient(DriverClient):
    program = "javac"
    library = Path("/usr/share/java/commons-net.jar")

    @classmethod
    def missing(cls):
        return super().missing() or (None if cls.library.exists() else "commons-net for Java")

    @property
    def driver(self):
        return ("java", "-XX:TieredStopAtLevel=1", "-cp",
                f"{compiled(self.library)}:{self.library}", "CommonsNet")


class PlainJavaClient(JavaClient):
    plain = "1"


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
