#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run tests and count them.

    tests/check.py [--name PATTERN] [--limit SECONDS] [PROGRAM...] [--live] [--valgrind PROGRAM...]

A PROGRAM prints TAP (test programs in C do, by cmocka), where each test is one result, or
it prints something else and is one result by its exit code. One that takes arguments is
quoted. --live runs tests/live/test_*.py, Python unittest modules which find the server's
program in $CUBFTPD, one after another; those that say SIDE_BY_SIDE = True can bear it, and
run two at a time with the others. --valgrind runs programs under valgrind, with TEST_SHORT=1
set.
--name counts only the tests that match a regular expression in their "program: test".

What failed is shown with what it printed. A program that crashes, runs too long, stops
half-way or makes a sanitizer speak adds a failure. The last line is the sum; exit 1 where
anything failed, or nothing ran.
"""

import argparse
import concurrent.futures
import glob
import importlib.util
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import unittest

TESTS = os.path.dirname(os.path.abspath(__file__))
AT_ONCE = 2
VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full"]
SANITIZER = re.compile(r"^.*(ERROR: \w+Sanitizer|: runtime error: ).*$", re.M)
RUNNING = set()
TAP_PLAN = re.compile(r"1\.\.(\d+)$")
TAP_GROUP = re.compile(r"# (not )?ok - ")  # cmocka, after the tests of a group
TAP_RESULT = re.compile(r"(not )?ok \d+(?: - (.*?))?(?:\s*# SKIP\b\s*(.*))?$")


class Program:
    """One process that tests, and what came of it."""

    def __init__(self, command, label, env=None):
        self.command = command
        self.label = label
        self.env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", **(env or {}))
        self.seconds = 0
        self.results = []  # ("passed" or "failed" or "skipped", name, what it printed)

    def add(self, outcome, name, output):
        self.results.append((outcome, name, output))

    def run(self, limit):
        started = time.monotonic()
        try:
            child = subprocess.Popen(self.command, env=self.env, text=True, errors="replace",
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, start_new_session=True)
        except OSError as error:
            self.add("failed", "start", str(error))
            return self
        timed_out = False
        RUNNING.add(child)
        try:
            output, _ = child.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            timed_out = True
            end_group(child)
            output, _ = child.communicate()
        finally:
            end_group(child)
            RUNNING.discard(child)
        self.seconds = time.monotonic() - started
        self.judge(output, child.returncode, limit if timed_out else None)
        return self

    def judge(self, output, code, limit):
        planned, complaint = self.read_tap(output)
        if planned is None and limit is None and code >= 0 and not SANITIZER.search(output):
            self.add("passed" if code == 0 else "failed", "", output)
            return
        seen = len(self.results)
        failed = any(outcome == "failed" for outcome, _, _ in self.results)
        report = SANITIZER.search(output)
        if limit is not None:
            problem = "ran for more than %d s" % limit
        elif code < 0:
            problem = "ended by a signal: " + signal.strsignal(-code)
        elif report:
            problem = report.group(0)
        elif planned is not None and seen != planned:
            problem = "ended after %d tests, %d were announced" % (seen, planned)
        elif code != 0 and not failed:
            problem = "all tests passed, but the exit code is %d" % code
            complaint = output
        else:
            return
        self.add("failed", problem, complaint if planned is not None else output)

    def read_tap(self, output):
        """Take the results. Returns the number planned, and what follows the last one."""
        planned, before, comments_of = None, [], None
        for line in output.splitlines():
            plan, result = TAP_PLAN.match(line), TAP_RESULT.match(line)
            if plan:
                planned = (planned or 0) + int(plan.group(1))
            elif result and planned is not None:
                failed, name, reason = result.groups()
                if reason is not None:  # cmocka puts the name where others put the reason
                    if not name:
                        name, reason = reason, " ".join(before)
                    self.add("skipped", name, reason)
                else:
                    self.add("failed" if failed else "passed", name, "\n".join(before))
                before, comments_of = [], None
                if self.results[-1][0] == "failed":
                    comments_of = len(self.results) - 1
            elif TAP_GROUP.match(line):
                continue
            elif line.startswith("# ") and comments_of is not None:
                outcome, name, text = self.results[comments_of]
                self.results[comments_of] = (outcome, name, (text + "\n" + line[2:]).strip("\n"))
            else:
                before.append(line)
        return planned, "\n".join(before)


def end_group(child):
    """End what the child has started and left behind, and itself."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def label_of(words):
    """build/tests/unit/test_text -> unit/test_text; tools/tidy.sh build -> tidy"""
    path = os.path.splitext(words[0])[0]
    return path.split("tests/")[-1] if "tests/" in path else os.path.basename(path)


def report(program, wanted, sum_of):
    """Print a program's results and add them up."""
    shown = [(outcome, name, output) for outcome, name, output in program.results
             if wanted.search("%s: %s" % (program.label, name))]
    if not shown:
        return
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for outcome, name, output in shown:
        count[outcome] += 1
        sum_of[outcome] += 1
        if outcome == "skipped":
            print("skip  %s: %s: %s" % (program.label, name, output or "no reason given"))
        if outcome == "failed":
            print("FAIL  %s%s" % (program.label, ": " + name if name else ""))
            for line in output.splitlines():
                print("      " + line)
    print("%s  %-36s %s  %.1f s" % (
        "FAIL" if count["failed"] else "ok  ", program.label,
        ", ".join("%d %s" % (n, outcome) for outcome, n in count.items() if n),
        program.seconds), flush=True)


class TapResult(unittest.TestResult):
    """Tells each result of a unittest module as TAP."""

    def __init__(self, module):
        super().__init__()
        self.module = module
        self.number = 0
        self.parts = []  # what went wrong in subtests of the test that runs

    def tell(self, test, outcome, text="", directive=""):
        self.number += 1
        for line in text.splitlines():
            print("   ", line)
        name = test.id().replace(self.module + ".", "")
        print("%s %d - %s%s" % (outcome, self.number, name, directive), flush=True)

    def addSuccess(self, test):
        self.tell(test, "ok")

    def addExpectedFailure(self, test, error):
        self.tell(test, "ok")

    def addUnexpectedSuccess(self, test):
        self.tell(test, "not ok", "it was expected to fail")

    def addSkip(self, test, reason):
        self.tell(test, "ok", "", " # SKIP " + reason)

    def addFailure(self, test, error):
        self.parts.append(self._exc_info_to_string(error, test))
        if not isinstance(test, unittest.TestCase):  # setUpClass and the like
            self.stopTest(test)

    addError = addFailure

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.parts.append("%s\n" % subtest)
            self.addFailure(test, error)

    def stopTest(self, test):
        if self.parts:
            self.tell(test, "not ok", "".join(self.parts))
        self.parts = []


def run_module(path, wanted):
    """The child's side of --live: one module's tests, as TAP."""
    name = os.path.splitext(os.path.basename(path))[0]
    sys.path.insert(0, os.path.dirname(path))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)

    def matching(suite):
        for item in suite:
            if isinstance(item, unittest.TestSuite):
                yield unittest.TestSuite(matching(item))
            elif wanted.search("live/%s: %s" % (name, item.id().replace(name + ".", ""))):
                yield item

    result = TapResult(name)
    print("1..0", flush=True)  # so that even a crash is told test by test
    tests = unittest.defaultTestLoader.loadTestsFromModule(module)
    unittest.TestSuite(matching(tests)).run(result)
    print("1..%d" % result.number)


def parse(words):
    usage = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    usage.add_argument("programs", nargs="*", metavar="PROGRAM")
    usage.add_argument("--live", action="store_true")
    usage.add_argument("--valgrind", nargs="*", default=[], metavar="PROGRAM")
    usage.add_argument("--name", type=re.compile, default=re.compile(""), metavar="PATTERN")
    usage.add_argument("--limit", type=int, default=600, help="seconds a program (600)")
    usage.add_argument("--module", help=argparse.SUPPRESS)
    return usage.parse_args(words)


def main():
    options = parse(sys.argv[1:])
    if options.module:
        return run_module(options.module, options.name)

    sum_of = {"passed": 0, "failed": 0, "skipped": 0}
    side_by_side, alone = [], []
    os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    for text in options.programs:
        words = shlex.split(text)
        side_by_side.append(Program(words, label_of(words)))
    for text in options.valgrind:
        words = shlex.split(text)
        program = Program(VALGRIND + words, "valgrind " + label_of(words), {"TEST_SHORT": "1"})
        if shutil.which(VALGRIND[0]):
            side_by_side.append(program)
        else:
            program.add("skipped", "all", "valgrind is not installed")
            report(program, options.name, sum_of)
    if options.live:
        for path in sorted(glob.glob(os.path.join(TESTS, "live", "test_*.py"))):
            command = [sys.executable, __file__, "--name=" + options.name.pattern]
            program = Program(command + ["--module", path], label_of([path]))
            with open(path, encoding="utf-8") as source:
                beside = "\nSIDE_BY_SIDE = True\n" in source.read()
            (side_by_side if beside else alone).append(program)

    pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
    for program in pool.map(lambda program: program.run(options.limit), side_by_side):
        report(program, options.name, sum_of)
    for program in alone:
        report(program.run(options.limit), options.name, sum_of)

    skipped = ", %d skipped" % sum_of["skipped"] if sum_of["skipped"] else ""
    print("%d passed, %d failed%s" % (sum_of["passed"], sum_of["failed"], skipped))
    return 1 if sum_of["failed"] or not sum_of["passed"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        for child in list(RUNNING):
            end_group(child)
        os._exit(130)
