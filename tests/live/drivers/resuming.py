# SPDX-License-Identifier: MIT
"""
Python's ftplib, made to resume its session on data connections. How drivers are called
stands in clients.py.
"""

import ftplib
import os
import ssl
import sys


class Resuming(ftplib.FTP_TLS):
    """FTP_TLS does not resume its session on data connections by itself."""

    def ntransfercmd(self, cmd, rest=None):
        data, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            data = self.context.wrap_socket(
                data, server_hostname=self.host, session=self.sock.session)
        return data, size


def connect():
    kind = ftplib.FTP_TLS if os.environ["FTP_PLAIN"] else Resuming
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if os.environ["FTP_CERT"]:
        context.load_cert_chain(os.environ["FTP_CERT"], os.environ["FTP_KEY"])
    ftp = kind(context=context, timeout=30, encoding="utf-8")
    ftp.connect(os.environ["FTP_HOST"], int(os.environ["FTP_PORT"]))
    ftp.login(os.environ["FTP_USER"], os.environ["FTP_PASSWORD"])
    ftp.prot_p()
    return ftp


def get(ftp, remote, local):
    with open(local, "wb") as file:
        ftp.retrbinary(f"RETR {remote}", file.write)


def reget(ftp, remote, local):
    with open(local, "ab") as file:
        ftp.retrbinary(f"RETR {remote}", file.write, rest=file.tell())


def put(ftp, local, remote):
    with open(local, "rb") as file:
        ftp.storbinary(f"STOR {remote}", file)


def reput(ftp, local, remote):
    ftp.voidcmd("TYPE I")
    with open(local, "rb") as file:
        offset = file.seek(ftp.size(remote))
        ftp.storbinary(f"STOR {remote}", file, rest=offset)


VERBS = {
    "login": lambda ftp: None,
    "list": lambda ftp, folder: print(*ftp.nlst(folder), sep="\n"),
    "get": get,
    "reget": reget,
    "put": put,
    "reput": reput,
    "rename": ftplib.FTP.rename,
    "delete": ftplib.FTP.delete,
    "mkdir": ftplib.FTP.mkd,
}


def main(verb, *args):
    try:
        ftp = connect()
        VERBS[verb](ftp, *args)
        ftp.quit()
    except (ftplib.Error, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
