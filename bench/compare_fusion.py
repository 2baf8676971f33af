#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reciprocal rank fusion of two rankings against a Python dict, interleaved.

Usage: compare_fusion.py PATH-OF-LIBLANEWISE.SO [--rounds N]

The C call goes through ctypes with everything prepared; "empty call" is what ctypes itself takes for a call with as
many arguments, which returns at once. Times are of the thread's CPU, ratios the median of the ratios within a round.
"""
import argparse
import ctypes
import random
import statistics
import time

K = 60


class Ranking(ctypes.Structure):
    _fields_ = [("index", ctypes.POINTER(ctypes.c_uint32)), ("n", ctypes.c_size_t), ("weight", ctypes.c_float)]


def with_dict(rankings):
    scores = {}
    for ranking in rankings:
        for rank, document in enumerate(ranking):
            scores[document] = scores.get(document, 0.0) + 1.0 / (K + rank + 1)
    return sorted(scores.items(), key=lambda item: -item[1])


class Call:
    def __init__(self, library, rankings):
        total = sum(map(len, rankings))
        lists = [(ctypes.c_uint32 * len(r))(*r) for r in rankings]
        self.given = (Ranking * len(lists))(*(Ranking(ctypes.cast(a, ctypes.POINTER(ctypes.c_uint32)), len(a), 1)
                                              for a in lists))
        self.keep = lists
        self.function = library.lanewise_fuse_rrf
        self.function.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_float, ctypes.c_size_t, ctypes.c_void_p,
                                  ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        size = library.lanewise_fuse_rrf_scratch_size
        size.restype, size.argtypes = ctypes.c_size_t, [ctypes.c_void_p, ctypes.c_size_t]
        n_bytes = size(self.given, len(lists))
        self.memory = (ctypes.c_uint64 * (n_bytes // 8 + 8))()
        at = ctypes.addressof(self.memory) + 63 & ~63
        self.index, self.score = (ctypes.c_uint32 * total)(), (ctypes.c_float * total)()
        self.n_found = ctypes.c_size_t()
        out = (at, ctypes.addressof(self.index), ctypes.addressof(self.score), ctypes.addressof(self.n_found))
        self.arguments = (ctypes.addressof(self.given), len(lists), K, total, *out)
        self.empty_arguments = (0, 0, K, 0, *out)  # k = 0 is refused

    def run(self):
        self.function(*self.arguments)

    def empty(self):
        self.function(*self.empty_arguments)


def seconds(function, repeat):
    start = time.thread_time()
    for _ in range(repeat):
        function()
    return (time.thread_time() - start) / repeat


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    library = ctypes.CDLL(options.library)
    numbers = random.Random(1)
    for n in 10, 100, 1000:
        rankings = [numbers.sample(range(2 * n), n), numbers.sample(range(2 * n), n)]
        scattered = [[document * 7919 % 1000003 for document in ranking] for ranking in rankings]
        call = Call(library, scattered)
        call.run()
        found = with_dict(scattered)
        assert call.n_found.value == len(found)
        assert all(abs(s - f[1]) < 1e-6 for s, f in zip(call.score, found))
        rounds = []
        for _ in range(options.rounds):
            repeat = 20000 // n
            ours, empty = seconds(call.run, repeat), seconds(call.empty, repeat)
            rounds.append((seconds(lambda: with_dict(scattered), max(repeat // 20, 1)), ours, empty))
        peer, ours, empty = (statistics.median(times) for times in zip(*rounds))
        whole = statistics.median(p / o for p, o, e in rounds)
        within = statistics.median(p / (o - e) for p, o, e in rounds)
        print(f"2 x {n}: dict {1e6 * peer:.1f} us, call through ctypes {1e6 * ours:.2f} us (empty call {1e6 * empty:.2f}); "
              f"{whole:.1f} times as fast, {within:.1f} times without the empty call")


if __name__ == "__main__":
    main()
