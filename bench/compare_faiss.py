#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares searches of a lanewise index with those of the faiss-cpu package (pip install faiss-cpu), one thread each or several.

    python3 bench/compare_faiss.py build/liblanewise.so [--rows 1000000] [--dim 384] [--queries 1,10,96] [--skip quantizer]
                                   [--threads 2 --parallel build/liblanewise_parallel.so]

The peers in bench/peers are what the distribution has, and Debian's FAISS is compiled for any x86-64; this package
chooses AVX2 or AVX-512 at run time. "with BLAS" is its exact index made to multiply matrices, which it does by itself for
more queries or dimensions only. "lanewise scan" reads the floats, without an index. Contenders run in turn, A B A B, in
this process; figures are medians of CPU time (with more than one thread of elapsed time) and the median of the rounds'
ratios (above 1: the index of lanewise is faster; in the last column, the scan). Every result of lanewise is compared with the
scores of FAISS's exact index, within rounding.
"""
import argparse
import ctypes
import statistics
import time

import faiss
import numpy as np

K = 10
SIZE, ALL = ctypes.c_size_t, ctypes.c_float(-np.inf)


class Lanewise:
    """Just enough of lanewise/index.h."""

    def __init__(self, path, rows):
        self.lib = ctypes.CDLL(path)
        self.lib.lanewise_index_scratch_size.restype = SIZE
        self.lib.lanewise_scan_topk_queries_scratch_size.restype = SIZE
        self.rows = rows
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

    @staticmethod
    def scratch(n_bytes):
        memory = np.empty(n_bytes + 64, np.uint8)
        return memory, ctypes.c_void_p((memory.ctypes.data + 63) // 64 * 64)

    def results(self, n_queries, k):
        rows, scores = np.zeros((n_queries, k), np.uint32), np.zeros((n_queries, k), np.float32)
        found = np.zeros(n_queries, np.uint64)
        return scores, rows, found, map(self.pointer, (rows, scores, found))

    def search(self, queries, k):
        n, dim, k = SIZE(len(queries)), SIZE(self.dim), SIZE(k)
        memory, scratch = self.scratch(self.lib.lanewise_index_scratch_size(self.handle, n, k))
        scores, rows, _, out = self.results(n.value, k.value)
        self.check(self.lib.lanewise_index_search(self.handle, self.pointer(queries), n, dim, k, ALL, None, scratch, *out,
                                                  None))
        return scores, rows

    def scan(self, queries, k):
        n, dim, k = SIZE(len(queries)), SIZE(self.dim), SIZE(k)
        memory, scratch = self.scratch(self.lib.lanewise_scan_topk_queries_scratch_size(n, k))
        scores, rows, _, out = self.results(n.value, k.value)
        self.check(self.lib.lanewise_scan_topk_f32_queries(self.pointer(queries), n, dim, self.pointer(self.rows),
                                                           SIZE(len(self.rows)), dim, dim, 0, k, ALL, scratch, *out))
        return scores, rows

    def scan_batch(self, parallel, threads):
        parallel.lanewise_scan_topk_batch_scratch_size.restype = SIZE

        def run(queries, k):
            n, dim, k, t = SIZE(len(queries)), SIZE(self.dim), SIZE(k), ctypes.c_uint32(threads)
            memory, scratch = self.scratch(parallel.lanewise_scan_topk_batch_scratch_size(k, t))
            scores, rows, _, out = self.results(n.value, k.value)
            self.check(parallel.lanewise_scan_topk_f32_batch(self.pointer(queries), n, dim, self.pointer(self.rows),
                                                             SIZE(len(self.rows)), dim, dim, 0, k, ALL, t, scratch, *out))
            return scores, rows
        return run

    def search_batch(self, parallel, threads):
        """Threads divide the rows where queries are few, otherwise the queries."""
        parallel.lanewise_index_search_batch_scratch_size.restype = SIZE

        def run(queries, k):
            n, dim, k, t = SIZE(len(queries)), SIZE(self.dim), SIZE(k), ctypes.c_uint32(threads)
            memory, scratch = self.scratch(parallel.lanewise_index_search_batch_scratch_size(self.handle, k, t))
            scores, rows, _, out = self.results(n.value, k.value)
            self.check(parallel.lanewise_index_search_batch(self.handle, self.pointer(queries), n, dim, k, ALL, None, t,
                                                            scratch, *out))
            return scores, rows
        return run


def with_blas(search):
    def run(queries, k):
        before = faiss.cvar.distance_compute_blas_threshold
        faiss.cvar.distance_compute_blas_threshold = 0
        try:
            return search(queries, k)
        finally:
            faiss.cvar.distance_compute_blas_threshold = before
    return run


def contenders(lanewise, rows, options):
    flat = faiss.IndexFlatIP(rows.shape[1])
    flat.add(rows)
    if options.threads > 1:
        parallel = ctypes.CDLL(options.parallel)
        yield "lanewise", lanewise.search_batch(parallel, options.threads)
        yield "lanewise scan", lanewise.scan_batch(parallel, options.threads)
    else:
        yield "lanewise", lanewise.search
        yield "lanewise scan", lanewise.scan
    yield "faiss IndexFlatIP", flat.search
    yield "faiss IndexFlatIP with BLAS", with_blas(flat.search)
    if "quantizer" not in options.skip:
        quantizer = faiss.IndexScalarQuantizer(rows.shape[1], faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
        quantizer.train(rows[:50000])
        quantizer.add(rows)
        yield "faiss 8-bit quantizer (approximate)", quantizer.search


def compare(all_contenders, queries, rounds, clock):
    seconds = {name: [] for name, _ in all_contenders}
    scores = {}
    for _ in range(rounds):
        for name, search in all_contenders:
            began = clock()
            scores[name] = search(queries, K)[0]
            seconds[name].append(clock() - began)
    exact = [name for name in scores if "approximate" not in name]
    if not all(np.allclose(scores[name], scores["lanewise"], atol=1e-5) for name in exact):
        raise SystemExit("the results differ")
    for name, times in seconds.items():
        line = f"  {name:38} {1e3 * statistics.median(times):9.2f} ms"
        for ours in [n for n in seconds if n.startswith("lanewise")]:
            line += f"   {statistics.median(b / a for a, b in zip(seconds[ours], times)):6.2f}x"
        print(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library")
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--queries", default="1,10,96")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--skip", default="", help="contenders to leave out: flat, quantizer")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--parallel", help="the library liblanewise_parallel, for --threads")
    options = parser.parse_args()

    faiss.omp_set_num_threads(options.threads)
    random = np.random.default_rng(1)
    rows = random.standard_normal((options.rows, options.dim), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    queries = random.standard_normal((1000, options.dim), np.float32)
    lanewise = Lanewise(options.library, rows)
    print(f"faiss-cpu {faiss.__version__} ({faiss.get_compile_options().strip()}), {options.rows} x {options.dim}, "
          f"k = {K}, threads: {options.threads}; adding the rows took lanewise {lanewise.seconds_to_add:.2f} s")
    all_contenders = [c for c in contenders(lanewise, rows, options)
                      if not ("flat" in options.skip and c[0] == "faiss IndexFlatIP")]
    clock = time.thread_time if options.threads == 1 else time.perf_counter
    for n_queries in map(int, options.queries.split(",")):
        print(f"{n_queries} queries:")
        compare(all_contenders, queries[:n_queries], options.rounds, clock)


if __name__ == "__main__":
    main()
