#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the golden images of store format 1: `tests/data/store_v1.py`, no arguments.

store-v1.bin is for areas with units of 16 bytes (files, most NOR flash), store-v1-256.bin
for units of 256. It is written from the description in core/store.h, by other means than
core/store.c: a dictionary of bytes and zlib's CRC. tests/unit/test_store.c holds the same
writes, in WRITES' order. Never change what is here; a new format gets a file of its own.
"""

import os
import struct
import zlib

BANK = 16384
TRUST = 1
REMOVED = 0xFFFFFFFF
LONG_KEY = bytes(range(64))


def counting(length):
    return bytes(i & 0xFF for i in range(length))


# One change is appended; several at once make a new bank, and so does the very first.
WRITES = [
    [(1, b"alice", counting(60))],
    [(1, b"bob", b"secret")],
    [(2, b"", b"")],
    [(254, LONG_KEY, counting(33))],
    [(1, b"bob", b"changed")],
    [(1, b"alice", None)],
    [(3, b"k1", counting(100)), (2, b"", None), (1, b"carol", b"x")],
    [(1, b"dave", counting(16))],
    [(1, b"carol", None)],
]


class Area:
    def __init__(self, unit):
        self.unit = unit
        self.cells = bytearray(b"\xFF" * (2 * BANK))

    def up(self, n):
        return -(-n // self.unit) * self.unit

    def put(self, at, data):
        assert self.cells[at:at + len(data)] == b"\xFF" * len(data)
        self.cells[at:at + len(data)] = data

    def mark(self, at):
        self.put(at, bytes(16))

    def bank(self, base, sequence):
        header = b"cubS" + bytes([1, TRUST, self.unit.bit_length() - 1, 0xFF])
        header += struct.pack("<II", sequence, BANK) + b"\xFF" * 12
        self.put(base, header + struct.pack("<I", zlib.crc32(header)))
        self.mark(base + self.up(32))
        return base + self.up(32) + 2 * self.unit

    def retire(self, base):
        for at in (base + self.up(32) + self.unit, base + self.up(32)):
            if self.cells[at:at + 16] == b"\xFF" * 16:
                self.mark(at)

    def erase(self, base):
        self.cells[base:base + BANK] = b"\xFF" * BANK

    def record(self, at, sequence, kind, key, value):
        start = zlib.crc32(struct.pack("<I", sequence))
        length = REMOVED if value is None else len(value)
        header = struct.pack("<BBHI", kind, len(key), 0xFFFF, length)
        header += struct.pack("<I", zlib.crc32(header, start))
        body = key + (value or b"")
        self.put(at, header)
        self.put(at + self.up(16), body)
        at += self.up(16) + self.up(len(body))
        crc = zlib.crc32(header[:8] + body, start)
        self.put(at, struct.pack("<I", crc) + b"\xFF" * 11 + b"\0")
        return at + self.unit


def build(unit):
    area = Area(unit)
    base, sequence, log = None, 0, []
    for changes in WRITES:
        if base is None or len(changes) > 1:
            touched = [change[:2] for change in changes]
            last = {record[:2]: number for number, record in enumerate(log)}
            log = [record for number, record in enumerate(log)
                   if last[record[:2]] == number and record[:2] not in touched
                   and record[2] is not None]
            log += [change for change in changes if change[2] is not None]
            base = BANK if base == 0 else 0
            sequence += 1
            area.erase(base)
            at = area.bank(base, sequence)
            for record in log:
                at = area.record(at, sequence, *record)
            area.retire(BANK - base)
        else:
            at = area.record(at, sequence, *changes[0])
            log += changes
    return bytes(area.cells)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    for unit, name in ((16, "store-v1.bin"), (256, "store-v1-256.bin")):
        with open(os.path.join(here, name), "wb") as file:
            file.write(build(unit))


if __name__ == "__main__":
    main()
