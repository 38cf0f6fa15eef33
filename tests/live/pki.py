# SPDX-License-Identifier: MIT
"""
Certificates for live tests, made by the openssl program in a folder that is removed at the
end of the process:

    one = self_signed("Technician 7")
    ca = Authority("Acme Device CA", key="rsa2048")
    two = ca.intermediate("Acme Field").issue("Technician 8", valid=EXPIRED)
    two.cert, two.key, two.pem, two.fingerprint, two.renewed().fingerprint

`key` is a kind of key ("ec" is P-256; "p384", "p521", "ed25519"; "rsa" and its bits), or
something made earlier whose key is used again. `valid` is the first and the last day, counted
from today, or what `openssl ca` takes as a date.
"""

import atexit
import datetime
import functools
import hashlib
import itertools
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

from server import LIMIT_S, tls_context

USUAL, EXPIRED, NOT_YET = (-1, 3650), (-20, -10), (10, 20)

CURVES = {"ec": "P-256", "p384": "P-384", "p521": "P-521"}

# What `openssl req -x509` puts into a certificate by itself.
SELF_SIGNED = ("basicConstraints = critical, CA:TRUE", "subjectKeyIdentifier = hash",
               "authorityKeyIdentifier = keyid:always")
CLIENT = ("basicConstraints = critical, CA:FALSE", "keyUsage = critical, digitalSignature",
          "extendedKeyUsage = clientAuth", "subjectKeyIdentifier = hash",
          "authorityKeyIdentifier = keyid:always")
SERVER = tuple(line.replace("clientAuth", "serverAuth") for line in CLIENT)


def ca_extensions(path_length=None):
    limit = "" if path_length is None else f", pathlen:{path_length}"
    return (f"basicConstraints = critical, CA:TRUE{limit}",
            "keyUsage = critical, keyCertSign, cRLSign", "subjectKeyIdentifier = hash",
            "authorityKeyIdentifier = keyid:always")


# `openssl ca` is the only way to any dates that also OpenSSL 3.0 has.
CONFIG = """\
[ca]
default_ca = this
[this]
database = {folder}/index
new_certs_dir = {folder}
unique_subject = no
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[req]
distinguished_name = empty
[empty]
"""


@functools.cache
def top_folder():
    folder = Path(tempfile.mkdtemp(prefix="cubftpd-pki-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


numbers = itertools.count(1)


def new_folder():
    folder = top_folder() / str(next(numbers))
    folder.mkdir()
    (folder / "index").touch()
    (folder / "config").write_text(CONFIG.format(folder=folder))
    return folder


def openssl(*words, given=b""):
    done = subprocess.run(["openssl", *map(str, words)], input=given, capture_output=True,
                          timeout=LIMIT_S)
    if done.returncode != 0:
        raise AssertionError(f"openssl {words}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def make_key(kind, path):
    """A new key, as PKCS#8 without a passphrase; or another's once more."""
    if isinstance(kind, Certificate):
        shutil.copy(kind.key, path)
    elif kind.startswith("rsa"):
        bits = int(kind[3:] or 2048)
        # Of several small primes a long key is found in a moment.
        primes = ("-pkeyopt", "rsa_keygen_primes:5") if bits >= 8192 else ()
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}", *primes,
                "-out", path)
    elif kind in CURVES:
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{CURVES[kind]}",
                "-out", path)
    else:
        openssl("genpkey", "-algorithm", kind, "-out", path)


def date_of(day):
    """For -startdate and -enddate."""
    if isinstance(day, str):
        return day
    return (datetime.datetime.now(datetime.timezone.utc)
            + datetime.timedelta(days=day)).strftime("%Y%m%d%H%M%SZ")


def make_request(name, key, path):
    """PKCS#10, with a common name only. In a name, / + = and \\ would need a backslash."""
    openssl("req", "-new", "-config", path.parent / "config", "-utf8", "-key", key,
            "-subj", f"/CN={name}", "-out", path)


def sign(request, out, valid, extensions, by):
    """Make a certificate of a request. `by` are the words that say whose key signs it."""
    (out.parent / "extensions").write_text("\n".join(extensions) + "\n")
    openssl("ca", "-batch", "-notext", "-config", out.parent / "config", "-in", request,
            "-out", out, "-startdate", date_of(valid[0]), "-enddate", date_of(valid[1]),
            "-extfile", out.parent / "extensions", *by)


class Certificate:
    """
    A certificate with its key: `cert` and `key` are files in PEM, `chain` is the certificate
    and the intermediate ones that lead to its root, and `pem` is all of that with the key.
    """

    def __init__(self, name, key="ec", valid=USUAL, extensions=CLIENT, issuer=None):
        self.name, self.valid, self.extensions, self.issuer = name, valid, extensions, issuer
        self.folder = new_folder()
        self.cert, self.key = self.folder / "cert.pem", self.folder / "key.pem"
        self.chain, self.pem = self.folder / "chain.pem", self.folder / "all.pem"
        request = self.folder / "request.pem"
        make_key(key, self.key)
        make_request(name, self.key, request)
        by = issuer.signs_with() if issuer else ("-selfsign", "-keyfile", self.key)
        sign(request, self.cert, valid, extensions, by)
        self.chain.write_text(self.cert.read_text() + (issuer.chain_below() if issuer else ""))
        self.pem.write_text(self.chain.read_text() + self.key.read_text())
        self.pem.chmod(0o600)

    @property
    def der(self):
        return ssl.PEM_cert_to_DER_cert(self.cert.read_text())

    @property
    def fingerprint(self):
        """SHA-256 of the certificate, 64 lower-case digits."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def key_fingerprint(self):
        """SHA-256 of its SubjectPublicKeyInfo, likewise."""
        der = openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")
        return hashlib.sha256(der).hexdigest()

    def renewed(self, name=None, valid=USUAL, issuer=None):
        """Another certificate for the same key, by the same issuer unless another is given."""
        return Certificate(name or self.name, self, valid, self.extensions,
                           issuer or self.issuer)

    def context(self, key=None, **versions):
        """A TLS client that presents it, with all that is between it and its root."""
        context = tls_context(**versions)
        context.set_ciphers("DEFAULT@SECLEVEL=0")  # keys of any size may be tried
        context.load_cert_chain(self.chain, key or self.key)
        return context


def self_signed(name, key="ec", valid=USUAL, extensions=SELF_SIGNED):
    return Certificate(name, key, valid, extensions)


class Authority(Certificate):
    """A CA: `cert` is what a device is given to trust it. Self-signed without an issuer."""

    def __init__(self, name, key="ec", valid=USUAL, path_length=None, issuer=None):
        super().__init__(name, key, valid, ca_extensions(path_length), issuer)

    def signs_with(self):
        return "-cert", self.cert, "-keyfile", self.key

    def chain_below(self):
        """The certificates from this one up to the root, which is left out."""
        return self.chain.read_text() if self.issuer else ""

    def issue(self, name, key="ec", valid=USUAL, extensions=CLIENT):
        return Certificate(name, key, valid, extensions, self)

    def intermediate(self, name, key="ec", valid=USUAL, path_length=None):
        return Authority(name, key, valid, path_length, self)

    def sign(self, request, valid=USUAL, extensions=SERVER):
        """
        Sign somebody's request (PEM), such as a device's. Returns the certificate and the
        intermediate ones, as PEM.
        """
        folder = new_folder()
        (folder / "request.pem").write_text(request)
        sign(folder / "request.pem", folder / "cert.pem", valid, extensions, self.signs_with())
        return (folder / "cert.pem").read_text() + self.chain_below()
