#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make tests/data/sealed.h anew: `tests/data/seal.py > tests/data/sealed.h`.

A secret sealed as core/seal.h describes it, by other means than core/seal.c: PBKDF2 of
Python's hashlib, and ChaCha20-Poly1305 as RFC 8439 writes it down, which is held against
the vector of its section 2.8.2 first.
"""

import hashlib
import struct

SECRET = b"correct horse battery staple"
PLAIN = bytes(range(100, 200))
ITERATIONS = 1000
SALT = bytes(range(16))
NONCE = bytes(range(0x40, 0x4C))


def quarter(s, a, b, c, d):
    for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & 0xFFFFFFFF
        s[z] ^= s[x]
        s[z] = (s[z] << turn | s[z] >> (32 - turn)) & 0xFFFFFFFF


def block(key, count, nonce):
    start = struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", count) + nonce)
    state = list(start)
    for _ in range(10):
        for i in range(4):
            quarter(state, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(state, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(state, start)))


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i:i + 16] + b"\1", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def encrypt(key, nonce, plain, extra):
    stream = b"".join(block(key, 1 + i, nonce) for i in range(-(-len(plain) // 64)))
    text = bytes(a ^ b for a, b in zip(plain, stream))
    data = b"".join(part + bytes(-len(part) % 16) for part in (extra, text))
    data += struct.pack("<QQ", len(extra), len(text))
    return text + poly1305(block(key, 0, nonce)[:32], data)


def check():
    sunscreen = (b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip "
                 b"for the future, sunscreen would be it.")
    sealed = encrypt(bytes(range(0x80, 0xA0)), bytes.fromhex("070000004041424344454647"),
                     sunscreen, bytes.fromhex("50515253c0c1c2c3c4c5c6c7"))
    assert sealed.hex().startswith("d31a8d34648e60db7b86afbc53ef7ec2")
    assert sealed[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691"


def show(name, data):
    print(f"\nstatic const uint8_t {name}[] = {{")
    for i in range(0, len(data), 12):
        print("\t" + ", ".join(f"0x{byte:02x}" for byte in data[i:i + 12]) + ",")
    print("};")


def main():
    check()
    head = struct.pack("<I", ITERATIONS) + SALT
    key = hashlib.pbkdf2_hmac("sha256", SECRET, SALT, ITERATIONS)
    print("/* SPDX-License-Identifier: MIT */")
    print("/* A secret, and what it looks like sealed: made by tests/data/seal.py. */")
    show("seal_secret", SECRET)
    show("seal_plain", PLAIN)
    show("seal_sealed", head + NONCE + encrypt(key, NONCE, PLAIN, head))


if __name__ == "__main__":
    main()
