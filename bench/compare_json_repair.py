#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares lanewise_json_repair with json_repair (pip install json_repair) and jsonrepair (of npm), one thread each.

    python3 bench/compare_json_repair.py build/liblanewise.so MALFORMED.json TRUTH.json [--documents 200]

jsonrepair is installed by npm in a temporary directory; without npm it is left out.

MALFORMED.json is an array of strings, TRUTH.json the array of what each should have become. All contenders make JSON text
from text. Rounds run in turn, A B C A B C, jsonrepair's in a process of Node that does nothing meanwhile; figures are medians of CPU time and the median of the rounds'
ratios (above 1: lanewise is faster). lanewise's calls go through ctypes, whose cost is measured on an empty call: there is one
ratio with it and one without. How often each gives exactly what it should, over all documents, is counted too.
"""
import argparse
import ctypes
import json
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import json_repair


class Lanewise:
    def __init__(self, path):
        lib = ctypes.CDLL(path)
        lib.lanewise_json_repair_bound.restype = ctypes.c_size_t
        self.function = lib.lanewise_json_repair
        self.function.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t,
                                  ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p]
        self.bound = lib.lanewise_json_repair_bound
        self.result = (ctypes.c_size_t * 2)()
        self.address = ctypes.addressof(self.result)
        self.capacity = 1 << 20
        self.out = ctypes.create_string_buffer(self.capacity)

    def repair(self, text):
        """The status; the text is in self.out, or is the one given if there were no edits."""
        return self.function(text, len(text), None, self.out, self.capacity, None, 0, self.address, None)

    def text(self, text):
        if self.repair(text) != 0:
            raise RuntimeError("lanewise_json_repair failed")
        return self.out.raw[:self.result[0]] if self.result[1] else text


class JsonRepair:
    """jsonrepair in a process of Node; None is what ask() gives where it cannot be had."""

    def __init__(self, directory, malformed, n_documents):
        self.process = None
        if not (shutil.which("npm") and shutil.which("node")):
            print("there is no npm: jsonrepair is left out")
            return
        installed = subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "jsonrepair"], cwd=directory,
                                   capture_output=True, text=True)
        if installed.returncode:
            print(f"npm cannot install jsonrepair, which is left out: {installed.stderr.strip()[-200:]}")
            return
        script = pathlib.Path(__file__).with_suffix(".mjs")
        self.process = subprocess.Popen(["node", script, directory, malformed, str(n_documents)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, what):
        if self.process is None:
            return None
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()


def cpu_seconds(function, texts):
    began = time.thread_time()
    for text in texts:
        function(text)
    return time.thread_time() - began


def measure(lanewise, node, timed, encoded, n_rounds):
    ours, python, npm, empty = [], [], [], []
    for _ in range(n_rounds):
        # Many times over, so that the clock's steps do not matter.
        ours.append(cpu_seconds(lanewise.repair, encoded * 50) / 50)
        python.append(cpu_seconds(json_repair.repair_json, timed))
        npm.append(node.ask("round"))
        empty.append(cpu_seconds(lanewise.repair, [b"1"] * len(timed) * 50) / 50)
    n = len(timed)
    print(f"{n} documents of {sum(map(len, encoded)) / n:.0f} bytes on average")
    print(f"lanewise     {statistics.median(ours) / n * 1e6:10.2f} us a document (of a call alone: "
          f"{statistics.median(empty) / n * 1e6:.2f})")
    for name, seconds in ("json_repair", python), ("jsonrepair", npm):
        if seconds[0] is not None:
            with_call = statistics.median(b / a for a, b in zip(ours, seconds))
            without = statistics.median(b / (a - e) for a, b, e in zip(ours, seconds, empty))
            print(f"{name:12} {statistics.median(seconds) / n * 1e6:10.2f} us a document, ratio {with_call:.0f}, "
                  f"without ctypes {without:.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library")
    parser.add_argument("malformed")
    parser.add_argument("truth")
    parser.add_argument("--documents", type=int, default=200, help="to time; the exact results are counted over all")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with open(arguments.malformed, encoding="utf-8") as stream:
        texts = json.load(stream)
    with open(arguments.truth, encoding="utf-8") as stream:
        truths = json.load(stream)
    lanewise = Lanewise(arguments.library)
    timed = texts[:arguments.documents]
    encoded = [text.encode() for text in timed]
    with tempfile.TemporaryDirectory() as directory:
        node = JsonRepair(directory, arguments.malformed, len(timed))
        measure(lanewise, node, timed, encoded, arguments.rounds)
        node_exact = node.ask("exact " + arguments.truth)
        node.close()
    exact = sum(json.loads(lanewise.text(text.encode())) == truth for text, truth in zip(texts, truths))
    print(f"lanewise     {exact} of {len(texts)} exact")
    exact = sum(json_repair.loads(text) == truth for text, truth in zip(texts, truths))
    print(f"json_repair  {exact} of {len(texts)} exact")
    if node_exact is not None:
        print(f"jsonrepair   {node_exact:.0f} of {len(texts)} exact")


if __name__ == "__main__":
    main()
