#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares searches of a lanewise index with those of the faiss-cpu package (pip install faiss-cpu), one thread each.

    python3 bench/compare_faiss.py build/liblanewise.so [--rows 1000000] [--dim 384] [--queries 1,10,96]

The peers in bench/peers are what the distribution has, and Debian's FAISS is compiled for any x86-64; this package
chooses AVX2 or AVX-512 at run time. Contenders run in turn, A B A B, in this process; figures are medians of CPU time
and the median of the rounds' ratios (above 1: lanewise is faster). Every lanewise result is compared with the scores of
FAISS's exact index, within rounding.
"""
import argparse
import ctypes
import statistics
import time

import faiss
import numpy as np

K = 10


class Lanewise:
    """Just enough of lanewise/index.h."""

    def __init__(self, path, rows):
        self.lib = ctypes.CDLL(path)
        self.lib.lanewise_index_scratch_size.restype = ctypes.c_size_t
        self.handle = ctypes.c_void_p()
        n, self.dim = rows.shape
        began = time.thread_time()
        self.check(self.lib.lanewise_index_create(ctypes.c_size_t(self.dim), 0, None, ctypes.byref(self.handle)))
        self.check(self.lib.lanewise_index_add(self.handle, self.pointer(rows), ctypes.c_size_t(n),
                                               ctypes.c_size_t(self.dim)))
        self.seconds_to_add = time.thread_time() - began

    @staticmethod
    def check(status):
        if status != 0:
            raise RuntimeError(f"lanewise returned {status}")

    @staticmethod
    def pointer(array):
        return array.ctypes.data_as(ctypes.c_void_p)

    def search(self, queries, k):
        n = ctypes.c_size_t(len(queries))
        size = self.lib.lanewise_index_scratch_size(self.handle, n, ctypes.c_size_t(k))
        memory = np.empty(size + 64, np.uint8)
        scratch = ctypes.c_void_p((memory.ctypes.data + 63) // 64 * 64)
        rows, scores = np.zeros((len(queries), k), np.uint32), np.zeros((len(queries), k), np.float32)
        found = np.zeros(len(queries), np.uint64)
        self.check(self.lib.lanewise_index_search(
            self.handle, self.pointer(queries), n, ctypes.c_size_t(self.dim), ctypes.c_size_t(k),
            ctypes.c_float(-np.inf), None, scratch, self.pointer(rows), self.pointer(scores), self.pointer(found),
            None))
        return scores, rows


def contenders(lanewise, rows, with_quantizer):
    flat = faiss.IndexFlatIP(rows.shape[1])
    flat.add(rows)
    yield "lanewise", lanewise.search
    yield "faiss IndexFlatIP", flat.search
    if with_quantizer:
        quantizer = faiss.IndexScalarQuantizer(rows.shape[1], faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
        quantizer.train(rows[:50000])
        quantizer.add(rows)
        yield "faiss 8-bit quantizer (approximate)", quantizer.search


def compare(all_contenders, queries, rounds):
    seconds = {name: [] for name, _ in all_contenders}
    scores = {}
    for _ in range(rounds):
        for name, search in all_contenders:
            began = time.thread_time()
            scores[name] = search(queries, K)[0]
            seconds[name].append(time.thread_time() - began)
    if not np.allclose(scores["lanewise"], scores["faiss IndexFlatIP"], atol=1e-5):
        raise SystemExit("the results differ")
    ours = seconds["lanewise"]
    for name, times in seconds.items():
        ratio = statistics.median(theirs / mine for theirs, mine in zip(times, ours))
        print(f"  {name:38} {1e3 * statistics.median(times):9.2f} ms   {ratio:6.2f}x")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library")
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--queries", default="1,10,96")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()

    faiss.omp_set_num_threads(1)
    random = np.random.default_rng(1)
    rows = random.standard_normal((options.rows, options.dim), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    queries = random.standard_normal((1000, options.dim), np.float32)
    lanewise = Lanewise(options.library, rows)
    print(f"faiss-cpu {faiss.__version__} ({faiss.get_compile_options().strip()}), {options.rows} x {options.dim}, "
          f"k = {K}, one thread; adding the rows took lanewise {lanewise.seconds_to_add:.2f} s")
    all_contenders = list(contenders(lanewise, rows, True))
    for n_queries in map(int, options.queries.split(",")):
        print(f"{n_queries} queries:")
        compare(all_contenders, queries[:n_queries], options.rounds)


if __name__ == "__main__":
    main()
