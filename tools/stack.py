#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How deep our own code can use the stack: `tools/stack.py BUILD`.

Reads the call graphs (*.ci) that GCC 10 and later write beside each object with
-fcallgraph-info=su,da; `tools/stack.py --flags CC` prints that flag if CC knows it. A call
through a pointer is taken to reach each of our functions that nobody calls by name.

This is a sum of frames, found without running anything. The frames of BearSSL and of the
C library are not in it, as they are not compiled here; so the deepest chain that ends in
a call of BearSSL is printed apart. What a run really used has to be measured.
"""

import collections
import os
import re
import subprocess
import sys

FLAG = "-fcallgraph-info=su,da"
NODE = re.compile(r'^node: { title: "([^"]*)" label: "([^"]*)"')
EDGE = re.compile(r'^edge: { sourcename: "([^"]*)" targetname: "([^"]*)"')
FRAME = re.compile(r"\\n(\d+) bytes \(([a-z,]+)\)")
POINTER = "__indirect_call"
START = "main"
SHOWN = 8


def flags(compiler):
    known = subprocess.run(compiler + [FLAG, "-E", "-x", "c", "-"], input="", text=True,
                           capture_output=True)
    print(FLAG if known.returncode == 0 else "")


class Graph:
    def __init__(self, build):
        self.frame = {}  # function: bytes
        self.calls = collections.defaultdict(set)
        self.unbounded = []  # functions with a frame that is not fixed
        self.cycles = set()
        self.known = {}
        for folder, _, names in os.walk(build):
            for name in names:
                if name.endswith(".ci"):
                    self.read(os.path.join(folder, name))
        called = {callee for callees in self.calls.values() for callee in callees}
        self.calls[POINTER] = set(self.frame) - called - {START}
        self.frame[POINTER] = 0

    def read(self, path):
        with open(path) as file:
            for line in file:
                node, edge = NODE.match(line), EDGE.match(line)
                frame = node and FRAME.search(node.group(2))
                if frame:
                    self.frame[node.group(1)] = int(frame.group(1))
                    if frame.group(2) == "dynamic":
                        self.unbounded.append(node.group(1))
                elif edge:
                    self.calls[edge.group(1)].add(edge.group(2))

    def deepest(self, function, ends_in, above=()):
        """The largest sum of frames from here, as (bytes, chain), or None where the chain
        can't end in a function whose name `ends_in` accepts."""
        key = function, ends_in, POINTER in above
        if key in self.known:
            return self.known[key]
        if function in above:
            # A cycle through a pointer is a guess of ours; one by name is recursion.
            cycle = above[above.index(function):]
            if POINTER not in cycle:
                self.cycles.add(" -> ".join(map(short, cycle + (function,))))
            return None
        best = (self.frame.get(function, 0), (function,)) if ends_in(function) else None
        for callee in sorted(self.calls[function]):
            deeper = self.deepest(callee, ends_in, above + (function,))
            if deeper:
                sum_of = self.frame.get(function, 0) + deeper[0]
                if best is None or sum_of > best[0]:
                    best = sum_of, (function,) + deeper[1]
        self.known[key] = best
        return best


def short(function):
    """core/text.c:out_put -> out_put"""
    return function.split(":")[-1]


def is_any(function):
    return True


def is_bearssl(function):
    return function.startswith("br_")


def show_chain(title, found, graph):
    if not found:
        return
    print("%s: %d bytes" % (title, found[0]))
    for function in found[1]:
        if function == POINTER:
            print("          (through a pointer)")
        elif function in graph.frame:
            print("    %5d  %s" % (graph.frame[function], short(function)))
        else:
            print("        ?  %s" % short(function))


def main(build):
    sys.setrecursionlimit(10000)
    graph = Graph(build)
    if START not in graph.frame:
        print("Stack: no call graph; that needs GCC 10 or later.")
        return
    print("Stack, the largest frames of ours:")
    for function in sorted(graph.frame, key=graph.frame.get, reverse=True)[:SHOWN]:
        print("    %5d  %s" % (graph.frame[function], function.replace(":", "  ")))
    show_chain("Stack, the deepest chain of ours", graph.deepest(START, is_any), graph)
    show_chain("Stack, the deepest chain of ours to a call of BearSSL",
               graph.deepest(START, is_bearssl), graph)
    for function in graph.unbounded:
        print("    no fixed frame: " + function)
    for cycle in sorted(graph.cycles):
        print("    recursion: " + cycle)
    print("BearSSL's and the C library's own frames come on top; they are not known here.")


if __name__ == "__main__":
    if len(sys.argv) >= 3 and sys.argv[1] == "--flags":
        flags(sys.argv[2:])
    elif len(sys.argv) == 2:
        main(sys.argv[1])
    else:
        sys.exit("usage: tools/stack.py BUILD, or --flags CC")
