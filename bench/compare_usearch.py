#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares exact top-10 searches with USearch's and NumKong's, one query and one thread (pip install usearch numkong).

    python3 bench/compare_usearch.py build/liblanewise.so [--rows 1000000] [--dim 384] [--types f32,f16,i8]

For each type of rows: lanewise's scan of all rows (with f32 also the index, exact and coarse), USearch's exact search, and
NumKong's scores of all rows with NumPy's argpartition behind them. Contenders run in turn, A B A B, in this process; figures
are medians of CPU time, or of elapsed time where a peer starts threads of its own, and the median of the rounds' ratios
(above 1: lanewise is faster). Scores must agree within rounding.
"""
import argparse
import ctypes
import statistics
import time

import numpy as np

try:
    import usearch
    from usearch.index import MetricKind
    from usearch.index import search as usearch_search
except ImportError:
    usearch = None
try:
    import numkong
except ImportError:
    numkong = None

K = 10
SIZE = ctypes.c_size_t
ALL = ctypes.c_float(-np.inf)


def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


def check(status):
    if status != 0:
        raise RuntimeError(f"lanewise returned {status}")


class Scratch:
    """Memory aligned as the library wants it."""

    def __init__(self, n_bytes):
        self.memory = np.empty(n_bytes + 64, np.uint8)
        self.pointer = ctypes.c_void_p((self.memory.ctypes.data + 63) // 64 * 64)


class Lanewise:
    """Just enough of lanewise/{vector,half,int8,topk,index}.h. Each search returns the best K scores."""

    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        for name in ("index_scratch_size", "topk_scratch_size", "topk_finish"):
            getattr(self.lib, f"lanewise_{name}").restype = SIZE
        self.row, self.score, self.found = np.zeros(K, np.uint32), np.zeros(K, np.float32), SIZE()
        self.topk = Scratch(self.lib.lanewise_topk_scratch_size(SIZE(K)))

    def best(self, scores):
        self.lib.lanewise_topk_begin(self.topk.pointer, SIZE(K), ALL)
        self.lib.lanewise_topk_push_f32(self.topk.pointer, pointer(scores), SIZE(len(scores)), ctypes.c_uint32(0))
        self.lib.lanewise_topk_finish(self.topk.pointer, pointer(self.row), pointer(self.score))
        return self.score.copy()

    def scan(self, kind, query, rows):
        """Scores of 10,000 rows at a time, which stay in the caches until they have been selected from."""
        n, dim = rows.shape
        function = getattr(self.lib, f"lanewise_dot_{kind}_rows")
        step = 10000
        out = np.empty(step, np.int32 if kind == "i8" else np.float32)
        wide = query.astype(np.float32) if kind == "f16" else query

        def run():
            self.lib.lanewise_topk_begin(self.topk.pointer, SIZE(K), ALL)
            for r in range(0, n, step):
                count = min(step, n - r)
                function(pointer(wide), ctypes.c_void_p(rows.ctypes.data + r * rows.strides[0]), SIZE(count), SIZE(dim),
                         SIZE(dim), pointer(out))
                scores = out.astype(np.float32) if kind == "i8" else out
                self.lib.lanewise_topk_push_f32(self.topk.pointer, pointer(scores), SIZE(count), ctypes.c_uint32(r))
            self.lib.lanewise_topk_finish(self.topk.pointer, pointer(self.row), pointer(self.score))
            return self.score.copy()
        return run

    def index(self, query, rows, n_candidates):
        index = ctypes.c_void_p()
        n, dim = map(SIZE, rows.shape)
        check(self.lib.lanewise_index_create(dim, 0, None, ctypes.byref(index)))
        check(self.lib.lanewise_index_add(index, pointer(rows), n, dim))
        check(self.lib.lanewise_index_make_coarse(index))
        scratch = Scratch(self.lib.lanewise_index_scratch_size(index, SIZE(1), SIZE(n_candidates)))
        results = scratch.pointer, pointer(self.row), pointer(self.score), ctypes.byref(self.found), None

        def exact():
            check(self.lib.lanewise_index_search(index, pointer(query), SIZE(1), dim, SIZE(K), ALL, None, *results))
            return self.score.copy()

        def coarse():
            check(self.lib.lanewise_index_search_coarse(index, pointer(query), SIZE(1), dim, SIZE(K),
                                                        SIZE(n_candidates), ALL, None, *results))
            return self.score.copy()
        return exact, coarse


def usearch_contender(query, rows):
    def run():
        matches = usearch_search(rows, query, K, MetricKind.IP, exact=True, threads=1)
        return 1 - np.asarray(matches.distances, np.float32)
    return run


def numkong_contender(query, rows):
    """The faster of its two ways, of which one wants the rows packed before; packing is not measured."""
    packed, first = numkong.dots_pack(rows), numkong.dots_pack(rows[:5000])
    one = query[None]

    def seconds(function):
        function()
        began = time.thread_time()
        function()
        return time.thread_time() - began

    if seconds(lambda: numkong.dots_packed(one, first)) < seconds(lambda: numkong.cdist(one, rows[:5000], metric="dot")):
        def scores_of_all():
            return numkong.dots_packed(one, packed)
    else:
        def scores_of_all():
            return numkong.cdist(one, rows, metric="dot")

    def run():
        scores = np.asarray(scores_of_all()).ravel()
        return np.sort(scores[np.argpartition(scores, -K)[-K:]])[::-1]
    return run


def contenders(lanewise, kind, query, rows, n_candidates):
    yield "lanewise scan", lanewise.scan(kind, query, rows)
    if kind == "f32":
        exact, coarse = lanewise.index(query, rows, n_candidates)
        yield "lanewise index (exact)", exact
        yield f"lanewise coarse, {n_candidates} (approximate)", coarse
    if usearch:
        yield "usearch exact", usearch_contender(query, rows)
    if numkong:
        yield "numkong + argpartition", numkong_contender(query, rows)


def compare(all_contenders, rounds, clock, tolerance):
    seconds, results = {name: [] for name, _ in all_contenders}, {}
    for _ in range(rounds):
        for name, search in all_contenders:
            began = clock()
            results[name] = search()
            seconds[name].append(clock() - began)
    first = all_contenders[0][0]
    for name, result in results.items():
        same = np.allclose(result, results[first], rtol=tolerance, atol=tolerance)
        line = f"  {name:36} {1e3 * statistics.median(seconds[name]):9.2f} ms"
        if not name.startswith("lanewise"):
            for ours in [n for n in seconds if n.startswith("lanewise")]:
                ratio = statistics.median(b / a for a, b in zip(seconds[ours], seconds[name]))
                line += f"   {ratio:6.2f}x of {ours[9:].split(',')[0]}"
        print(line + ("" if same else "   OTHER SCORES"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library")
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--types", default="f32,f16,i8")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--candidates", type=int, default=100)
    parser.add_argument("--wall", action="store_true", help="measure elapsed time instead of this thread's CPU time")
    options = parser.parse_args()

    random = np.random.default_rng(1)
    rows = random.standard_normal((options.rows, options.dim), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    query = random.standard_normal(options.dim, np.float32)
    query /= np.linalg.norm(query)
    print(f"usearch {getattr(usearch, '__version__', 'not found')}, numkong "
          f"{getattr(numkong, '__version__', 'not found')}, {options.rows} x {options.dim}, k = {K}")
    lanewise = Lanewise(options.library)
    clock = time.perf_counter if options.wall else time.thread_time
    for kind in options.types.split(","):
        if kind == "i8":
            typed = [np.round(v * 127 / np.abs(rows[:1000]).max()).clip(-127, 127).astype(np.int8)
                     for v in (query, rows)]
        else:
            typed = [v.astype({"f32": np.float32, "f16": np.float16}[kind]) for v in (query, rows)]
        print(f"{kind}:")
        compare(list(contenders(lanewise, kind, *typed, options.candidates)), options.rounds, clock,
                1e-2 if kind == "f16" else 1e-4)


if __name__ == "__main__":
    main()
