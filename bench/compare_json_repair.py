#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares lanewise_json_repair with the json_repair package (pip install json_repair), one thread each.

    python3 bench/compare_json_repair.py build/liblanewise.so MALFORMED.json TRUTH.json [--documents 200]

MALFORMED.json is an array of strings, TRUTH.json the array of what each should have become. Both contenders make JSON text
from text. Rounds run in turn, A B A B, in this process; figures are medians of CPU time and the median of the rounds'
ratios (above 1: lanewise is faster). lanewise's calls go through ctypes, whose cost is measured on an empty call and not
subtracted. How often each gives exactly what it should, over all documents, is counted too.
"""
import argparse
import ctypes
import json
import statistics
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


def cpu_seconds(function, texts):
    began = time.thread_time()
    for text in texts:
        function(text)
    return time.thread_time() - began


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
    ours, theirs, empty = [], [], []
    for _ in range(arguments.rounds):
        # Many times over, so that the clock's steps do not matter.
        ours.append(cpu_seconds(lanewise.repair, encoded * 50) / 50)
        theirs.append(cpu_seconds(json_repair.repair_json, timed))
        empty.append(cpu_seconds(lanewise.repair, [b"1"] * len(timed) * 50) / 50)
    n = len(timed)
    ratio = statistics.median(b / a for a, b in zip(ours, theirs))
    print(f"{n} documents of {sum(map(len, encoded)) / n:.0f} bytes on average")
    print(f"lanewise     {statistics.median(ours) / n * 1e6:10.2f} us a document (of a call alone: "
          f"{statistics.median(empty) / n * 1e6:.2f})")
    print(f"json_repair  {statistics.median(theirs) / n * 1e6:10.2f} us a document")
    print(f"ratio        {ratio:10.0f}")
    exact = sum(json.loads(lanewise.text(text.encode())) == truth for text, truth in zip(texts, truths))
    print(f"lanewise     {exact} of {len(texts)} exact")
    exact = sum(json_repair.loads(text) == truth for text, truth in zip(texts, truths))
    print(f"json_repair  {exact} of {len(texts)} exact")


if __name__ == "__main__":
    main()
