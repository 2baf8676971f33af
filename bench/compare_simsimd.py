#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares rows of 16-bit floats, bytes and bits with SimSIMD's cdist, one thread each (pip install simsimd).

    python3 bench/compare_simsimd.py build/liblanewise.so [--rows 1000] [--dim 384]

Contenders run in turn, A B A B, in this process; figures are medians of CPU time per row and the median of the rounds'
ratios (above 1: lanewise is faster). Results are compared within rounding, bits exactly.
"""
import argparse
import ctypes
import statistics
import time

import numpy as np
import simsimd

SIZE = ctypes.c_size_t


def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


def compare(title, ours, theirs, tolerance, n_rows, rounds):
    seconds = ([], [])
    repeats = max(1, 200000 // n_rows)
    for _ in range(rounds):
        results = []
        for function, times in zip((ours, theirs), seconds):
            began = time.thread_time()
            for _ in range(repeats):
                result = function()
            times.append((time.thread_time() - began) / repeats / n_rows)
            results.append(np.asarray(result, np.float64).ravel())
    if not np.allclose(*results, rtol=tolerance, atol=tolerance):
        raise SystemExit(f"{title}: the results differ")
    ratio = statistics.median(b / a for a, b in zip(*seconds))
    print(f"{title:28} lanewise {1e9 * statistics.median(seconds[0]):8.2f}  simsimd "
          f"{1e9 * statistics.median(seconds[1]):8.2f} ns/row   {ratio:6.2f}x")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    lib, n, dim, random = ctypes.CDLL(options.library), options.rows, options.dim, np.random.default_rng(1)
    print(f"simsimd {simsimd.__version__}, {n} x {dim}, capabilities: "
          f"{' '.join(k for k, v in simsimd.get_capabilities().items() if v)}")
    query = random.standard_normal(dim, np.float32).astype(np.float16)
    rows = random.standard_normal((n, dim), np.float32).astype(np.float16)
    wide, out = query.astype(np.float32), np.empty(n, np.float32)

    def floats(name):
        function = getattr(lib, f"lanewise_{name}_f16_rows")
        arguments = pointer(wide), pointer(rows), SIZE(n), SIZE(dim), SIZE(dim), pointer(out)

        def run():
            function(*arguments)
            return out if name != "cosine" else 1 - out
        return run

    for name, metric in (("cosine", "cosine"), ("l2sq", "sqeuclidean")):
        compare(f"f16 {name}", floats(name), lambda m=metric: simsimd.cdist(query[None], rows, metric=m), 1e-2, n,
                options.rounds)
    def rows_of(kind, typed_query, typed_rows, results):
        function = getattr(lib, f"lanewise_dot_{kind}_rows")
        arguments = pointer(typed_query), pointer(typed_rows), SIZE(n), SIZE(dim), SIZE(dim), pointer(results)

        def run():
            function(*arguments)
            return results
        return run

    upper = (random.standard_normal((n, dim), np.float32).view(np.uint32) >> 16).astype(np.uint16)
    few, wide_bf16 = upper[:1].copy(), (upper[0].astype(np.uint32) << 16).view(np.float32)
    compare("bf16 dot", rows_of("bf16", wide_bf16, upper, out),
            lambda: simsimd.cdist(few, upper, metric="dot", dtype="bf16"), 1e-2, n, options.rounds)
    compare("bf16 dot, approximate", rows_of("bf16_approx", upper[0], upper, out),
            lambda: simsimd.cdist(few, upper, metric="dot", dtype="bf16"), 1e-2, n, options.rounds)
    small = random.integers(-100, 100, (n, dim), np.int8)
    one = small[:1].copy()
    compare("i8 dot", rows_of("i8", one, small, np.empty(n, np.int32)),
            lambda: simsimd.cdist(one, small, metric="dot"), 1e-2, n, options.rounds)
    # SimSIMD has bytes of one sign only: elements of 0 ... 127 on the unsigned side are the same numbers as int8.
    few = random.integers(0, 128, (1, dim), np.int8)
    compare("u8 x i8 dot, theirs i8", rows_of("u8i8", few, small, np.empty(n, np.int32)),
            lambda: simsimd.cdist(few, small, metric="dot"), 1e-2, n, options.rounds)
    positive = random.integers(0, 128, (n, dim), np.int8)
    compare("i8 x u8 dot, theirs i8", rows_of("i8u8", one, positive, np.empty(n, np.int32)),
            lambda: simsimd.cdist(one, positive, metric="dot"), 1e-2, n, options.rounds)
    bits = random.integers(0, 256, (n, dim // 8), np.uint8)
    few, counts = np.ascontiguousarray(bits[0]), np.empty(n, np.uint32)

    arguments = pointer(few), pointer(bits), SIZE(n), SIZE(dim // 8), SIZE(dim // 8), pointer(counts)

    def hamming():
        lib.lanewise_hamming_bits_rows(*arguments)
        return counts

    compare("bits hamming", hamming, lambda: simsimd.cdist(few[None], bits, metric="hamming", dtype="bin8"), 0, n,
            options.rounds)


if __name__ == "__main__":
    main()
