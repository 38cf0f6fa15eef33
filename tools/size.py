#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What cubftpd takes of flash and RAM, by part: `tools/size.py BUILD`.

Reads BUILD/cubftpd.map as GNU ld writes it, and asks $SIZE and $NM about BUILD/cubftpd.
The sums are those of $SIZE; what the map does not give to a part of ours (the C library,
start-up code, tables for the loader, gaps) is called the rest.
"""

import collections
import os
import re
import subprocess
import sys

FLASH, RAM, BOTH = ("flash",), ("ram",), ("flash", "ram")
KINDS = [(re.compile(r"\.bss|\.tbss|COMMON|\.sbss|\.dynbss"), RAM),
         (re.compile(r"\.data(?!\.rel\.ro)|\.tdata|\.sdata"), BOTH),
         (re.compile(r"\.text|\.rodata|\.data\.rel\.ro|\.eh_frame|\.ARM|\.srodata|\.init|\.fini"),
          FLASH)]
# " .text.name  0xADDRESS  0xSIZE  FILE": the name may have a line to itself.
PLACED = re.compile(r"^ (\S+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S.*)$")


def part_of(path, build):
    inside = os.path.relpath(path.split("(")[0], build)
    if inside.startswith(("core/", "port/")):
        return os.path.splitext(inside)[0]
    if "bearssl" in path:
        return "BearSSL"
    return None


def read_map(path, build):
    """Bytes by (part, "flash" or "ram")."""
    with open(path) as file:
        text = file.read()
    text = text[text.index("Linker script and memory map"):]
    text = re.sub(r"^( \.?\S+)\n\s+(?=0x)", r"\1 ", text, flags=re.M)
    sums = collections.Counter()
    for line in text.splitlines():
        match = PLACED.match(line)
        part = match and part_of(match.group(3), build)
        if part:
            for pattern, places in KINDS:
                if pattern.match(match.group(1)):
                    for place in places:
                        sums[part, place] += int(match.group(2), 16)
                    break
    return sums


def tool(name, *words):
    command = os.environ.get(name.upper(), name).split() + list(words)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def session_bytes(program, build):
    """The size of the array `sessions` by the number of them, or None."""
    count = size = None
    with open(os.path.join(build, "auto.conf")) as file:
        for line in file:
            if line.startswith("CONFIG_CUBFTPD_SESSIONS="):
                count = int(line.split("=")[1])
    for line in tool("nm", "-S", "--defined-only", program).splitlines():
        words = line.split()
        if len(words) == 4 and words[3] == "sessions":
            size = int(words[1], 16)
    return (size // count, count) if size and count else None


def main(build):
    program = os.path.join(build, "cubftpd")
    sums = read_map(program + ".map", build)
    text, data, bss = (int(n) for n in tool("size", program).splitlines()[1].split()[:3])
    total = {"flash": text + data, "ram": data + bss}

    def row(name, flash, ram):
        print("%-22s%10d%10d" % (name, flash, ram))

    def add_up(prefix):
        return [sum(n for (part, where), n in sums.items()
                    if where == place and part.startswith(prefix)) for place in ("flash", "ram")]

    print("%-22s%10s%10s" % ("bytes", "flash", "RAM"))
    for part in sorted({part for part, _ in sums}):
        if part.startswith(("core/", "port/")) and (sums[part, "flash"] or sums[part, "ram"]):
            row("  " + part, sums[part, "flash"], sums[part, "ram"])
    row("core", *add_up("core/"))
    row("port", *add_up("port/"))
    row("BearSSL", *add_up("BearSSL"))
    row("the rest", *(total[place] - sum(n for (_, where), n in sums.items() if where == place)
                      for place in ("flash", "ram")))
    row("all", total["flash"], total["ram"])
    session = session_bytes(program, build)
    if session:
        print("RAM of a session: %d bytes (there are %d)" % session)
    print("RAM is .data and .bss, without the stack; flash is without symbols, as if stripped.")
    if not any(part == "BearSSL" for part, _ in sums):
        print("BearSSL is a shared library here: its flash is not counted.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: tools/size.py BUILD")
    main(sys.argv[1])
