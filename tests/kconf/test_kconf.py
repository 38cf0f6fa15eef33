#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/kconf.awk, against the kernel's own reader of Kconfig and on wrong input.

For random .config fragments, kconfig-conf (of kconfig-frontends) and the script have to
agree on the full .config. Each awk that is installed runs it. SEED=N repeats a run.
Prints TAP.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "tools", "kconf.awk")
AWKS = [[name] for name in ("mawk", "gawk", "original-awk") if shutil.which(name)]
if shutil.which("busybox"):
    AWKS.append(["busybox", "awk"])
AWKS = AWKS or [["awk"]]
FRAGMENTS = 60

# All types, and dependencies.
SAMPLE = """\
mainmenu "sample"
menu "one"
config ALPHA
\tbool "alpha"
\tdefault y
\thelp
\t  A help text may speak of anything:
\t  config, default and range among it.

config BETA
\tint "beta"
\tdepends on ALPHA
\trange -5 70
\tdefault 8
comment "a comment"
config GAMMA
\thex "gamma"
\tdepends on !ALPHA
\trange 0x10 0xff
\tdefault 0x20
endmenu
config DELTA
\tstring "delta"
\tdefault "some text"
config EPSILON
\tbool "epsilon"
\tdepends on ALPHA
\tdefault n
config ZETA
\tint "zeta"
\tdepends on EPSILON
\tdefault 0
"""


class Skip(Exception):
    pass


def kconf(awk, out, kconfig, *dotconfig, cwd=ROOT):
    return subprocess.run(awk + ["-v", "out=" + out, "-f", SCRIPT, kconfig, *dotconfig],
                          cwd=cwd, capture_output=True, text=True)


def settings(text):
    """The lines of a .config that say something, without regard to their order."""
    return sorted(line for line in text.splitlines()
                  if line.startswith("CONFIG_") or line.endswith(" is not set"))


def read_options(path):
    """[(name, type, low, high)] of a Kconfig file, by means other than the script's."""
    with open(path) as file:
        text = file.read()
    found = []
    for entry in re.split(r"^config ", text, flags=re.M)[1:]:
        kind = re.search(r"^\s+(bool|int|hex|string) ", entry, re.M).group(1)
        limits = re.search(r"^\s+range (\S+) (\S+)$", entry, re.M)
        low, high = (int(x, 0) for x in limits.groups()) if limits else (0, 1000)
        found.append((entry.split()[0], kind, low, high))
    return found


def random_line(option, rand):
    name, kind, low, high = option
    number = rand.choice([low, high, rand.randint(low, high)])
    value = {
        "bool": rand.choice("yn"),
        "int": str(number),
        "hex": hex(number),
        "string": '"%s"' % rand.choice(["", "a b", "#", "x=y"]),
    }[kind]
    if value == "n":
        return "# CONFIG_%s is not set\n" % name
    return "CONFIG_%s=%s\n" % (name, value)


def compare(kconfig, rand, folder):
    options = read_options(kconfig)
    dotconfig = os.path.join(folder, ".config")
    for _ in range(FRAGMENTS):
        chosen = rand.sample(options, rand.randint(0, len(options)))
        text = "".join(random_line(option, rand) for option in chosen)
        with open(dotconfig, "w") as file:
            file.write(text)
        ours = [kconf(awk, "config", kconfig, dotconfig) for awk in AWKS]
        saved = kconf(AWKS[0], "saved", kconfig, dotconfig).stdout
        subprocess.run(["kconfig-conf", "--olddefconfig", kconfig], cwd=folder, check=True,
                       env=dict(os.environ, KCONFIG_CONFIG=dotconfig), capture_output=True)
        with open(dotconfig) as file:
            theirs = settings(file.read())
        for awk, result in zip(AWKS, ours):
            assert settings(result.stdout) == theirs, \
                "%s\nof\n%s\ngives\n%s%s\nbut kconfig-conf\n%s" % (
                    awk, text, result.stdout, result.stderr, "\n".join(theirs))
        with open(dotconfig, "w") as file:
            file.write(saved)
        again = kconf(AWKS[0], "config", kconfig, dotconfig).stdout
        assert settings(again) == theirs, "saved loses something of\n" + text


def agrees_with_kconfig_conf_on_random_fragments(rand, folder):
    if not shutil.which("kconfig-conf"):
        raise Skip("kconfig-conf is not installed")
    compare(os.path.join(ROOT, "Kconfig"), rand, folder)


def agrees_with_kconfig_conf_on_all_types_and_dependencies(rand, folder):
    if not shutil.which("kconfig-conf"):
        raise Skip("kconfig-conf is not installed")
    kconfig = os.path.join(folder, "Kconfig")
    with open(kconfig, "w") as file:
        file.write(SAMPLE)
    compare(kconfig, rand, folder)


def header_has_every_bool_as_0_or_1(rand, folder):
    with open(os.path.join(folder, "Kconfig"), "w") as file:
        file.write(SAMPLE)
    with open(os.path.join(folder, "c"), "w") as file:
        file.write("# CONFIG_ALPHA is not set\r\nCONFIG_DELTA=\"d\"")
    for awk in AWKS:
        result = kconf(awk, "header", "Kconfig", "c", cwd=folder)
        defines = [line for line in result.stdout.splitlines() if line.startswith("#define")]
        assert defines == [
            "#define CONFIG_ALPHA 0",
            "#define CONFIG_GAMMA 0x20",
            '#define CONFIG_DELTA "d"',
            "#define CONFIG_EPSILON 0",
        ], "%s: %s" % (awk, result)


def refused(folder, kconfig, dotconfig, where, why):
    """Every awk has to refuse, to name the place, and to say why."""
    for name, text in (("Kconfig", kconfig), ("c", dotconfig)):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    for awk in AWKS:
        for out in ("header", "config", "saved"):
            result = kconf(awk, out, "Kconfig", "c", cwd=folder)
            shown = "%s on %r gives %r" % (awk, dotconfig or kconfig, result)
            assert result.returncode == 1, shown
            assert result.stderr.startswith(where + ": "), shown
            assert why in result.stderr and result.stderr.count("\n") == 1, shown


def dotconfig_is_refused_with_file_and_line(rand, folder):
    for line, why in (
            ("CONFIG_THETA=y", "no such option: CONFIG_THETA"),
            ("# CONFIG_THETA is not set", "no such option: CONFIG_THETA"),
            ("CONFIG_BETA=71", "CONFIG_BETA is -5 to 70, not 71"),
            ("CONFIG_BETA=-6", "CONFIG_BETA is -5 to 70, not -6"),
            ("CONFIG_BETA=", "takes a decimal number"),
            ("CONFIG_BETA=0x10", "takes a decimal number"),
            ("CONFIG_BETA=y", "takes a decimal number"),
            ("# CONFIG_BETA is not set", "takes a decimal number"),
            ("CONFIG_GAMMA=0x100", "CONFIG_GAMMA is 0x10 to 0xff, not 0x100"),
            ("CONFIG_GAMMA=16", "starts with 0x"),
            ("CONFIG_ALPHA=m", "takes y or n"),
            ("CONFIG_ALPHA=1", "takes y or n"),
            ("CONFIG_DELTA=text", "in double quotes"),
            ('CONFIG_DELTA="a"b"', "in double quotes"),
            ("ALPHA=y", "want CONFIG_NAME=VALUE"),
            ("CONFIG_ALPHA = y", "want CONFIG_NAME=VALUE"),
            ("rubbish", "want CONFIG_NAME=VALUE")):
        refused(folder, SAMPLE, "# a comment\n\nCONFIG_ALPHA=y\n" + line + "\n", "c:4", why)


def kconfig_outside_of_the_subset_is_refused_with_file_and_line(rand, folder):
    start = 'config A\n\tbool "a"\n\tdefault y\n'
    not_read = "not in the part of Kconfig that is read here"
    for more in ("\tselect B\n", "\tdepends on A && B\n", "\tdepends on A = y\n",
                 "\tdefault y if B\n", "\tprompt \"x\"\n", "\tbool\n", "\ttristate \"t\"\n",
                 "\trange 1\n", "\timply B\n", "choice\n", "source \"other\"\n", "if A\n",
                 "endif\n", "menuconfig B\n", "\tvisible if B\n"):
        refused(folder, start + more, "", "Kconfig:4", not_read)
    for more, why in (("config A\n", "defined twice"),
                      ("config B\n", "has no type"),
                      ("config B\n\tint \"b\"\n", "has no default"),
                      ("config B\n\tint \"b\"\n\tdefault y\n", "takes a decimal number"),
                      ("config B\n\tint \"b\"\n\trange 1 3\n\tdefault 4\n", "is 1 to 3"),
                      ("config B\n\tbool \"b\"\n\trange 1 3\n\tdefault y\n", "have a range"),
                      ("config B\n\tbool \"b\"\n\tdepends on C\n\tdefault y\n", "no bool"),
                      ("config B\n\tbool \"b\"\n\tdepends on B\n\tdefault y\n", "on itself")):
        refused(folder, start + more, "", "Kconfig:4", why)


TESTS = [
    agrees_with_kconfig_conf_on_random_fragments,
    agrees_with_kconfig_conf_on_all_types_and_dependencies,
    header_has_every_bool_as_0_or_1,
    dotconfig_is_refused_with_file_and_line,
    kconfig_outside_of_the_subset_is_refused_with_file_and_line,
]


def main():
    seed = int(os.environ.get("SEED") or random.randrange(10**6))
    failed = 0
    print("1..%d" % len(TESTS))
    for number, test in enumerate(TESTS, 1):
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(random.Random(seed), folder)
                print("ok %d - %s" % (number, test.__name__))
            except Skip as skip:
                print("ok %d - %s # SKIP %s" % (number, test.__name__, skip))
            except Exception:
                failed = 1
                print("not ok %d - %s" % (number, test.__name__))
                for line in ("SEED=%d\n" % seed + traceback.format_exc()).splitlines():
                    print("# " + line)
    return failed


if __name__ == "__main__":
    sys.exit(main())
