#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares lanewise/near.h with the packages rensa and datasketch (pip install rensa datasketch).

    python3 bench/compare_minhash.py build/liblanewise.so [--tokens 500] [--documents 40]

Signatures of 128 numbers for documents of so many tokens, from 64-bit token hashes that are there already, so that MinHash
alone is measured:
  - rensa: one matrix of digests from all documents' hashes in one call. Version 0.4 computes what lanewise_minhash_mul64
    does, which is checked; from 0.5 on it is a bucketed sketch of its own, and lanewise_minhash_buckets is its like.
  - datasketch: update_batch of one MinHash per document with a hash function that returns the hash it is given; scheme
    "legacy" (all there was before 2.0) is what lanewise_minhash_mod61 computes, "affine32" is lanewise_minhash_mul32.
    Both are checked.
Contenders run in turn in this process; figures are medians of CPU time per token and of the rounds' ratios (above 1:
lanewise is faster).
"""
import argparse
import array
import ctypes
import importlib.metadata
import random
import statistics
import time

import numpy

try:
    import rensa
except ImportError:
    rensa = None
try:
    import datasketch
except ImportError:
    datasketch = None

K = 128


def address(values):
    return values.ctypes.data_as(ctypes.c_void_p)


class Ours:
    """The functions of the library over numpy arrays."""

    def __init__(self, lib):
        self.lib = lib
        self.a32, self.b32 = numpy.zeros(K, numpy.uint32), numpy.zeros(K, numpy.uint32)
        self.a64, self.b64 = numpy.zeros(K, numpy.uint64), numpy.zeros(K, numpy.uint64)
        lib.lanewise_minhash_mul32_parameters(ctypes.c_uint64(1), address(self.a32), address(self.b32), ctypes.c_size_t(K))
        lib.lanewise_minhash_mul64_parameters(ctypes.c_uint64(42), address(self.a64), address(self.b64), ctypes.c_size_t(K))

    def sign(self, function, flat, offsets, *parameters):
        """A matrix of signatures, by one call."""
        n = len(offsets) - 1
        out = numpy.empty((n, K), numpy.uint32)
        function(address(flat), address(offsets), ctypes.c_size_t(n), *map(address, parameters), ctypes.c_size_t(K), address(out),
                 ctypes.c_size_t(K))
        return out

    def mul32(self, flat, offsets):
        return self.sign(self.lib.lanewise_minhash_mul32_rows, flat, offsets, self.a32, self.b32)

    def mul64(self, flat, offsets):
        return self.sign(self.lib.lanewise_minhash_mul64_rows, flat, offsets, self.a64, self.b64)

    def buckets(self, flat, offsets):
        return self.sign(self.lib.lanewise_minhash_buckets_rows, flat, offsets)


def fmix32(x):
    x = x.astype(numpy.uint32)
    for shift, factor in ((16, 0x85ebca6b), (13, 0xc2b2ae35)):
        x = (x ^ (x >> numpy.uint32(shift))) * numpy.uint32(factor)
    return (x ^ (x >> numpy.uint32(16))).astype(numpy.uint64)


def timed(function):
    began = time.thread_time()
    result = function()
    return time.thread_time() - began, result


def compare(name, ours, theirs, tokens, rounds, check=None):
    """Runs both in turn; `check` says whether two results are the same."""
    samples = [[], []]
    for i in range(rounds):
        results = []
        for sample, function in zip(samples, (ours, theirs)):
            seconds, result = timed(function)
            sample.append(seconds)
            results.append(result)
        if i == 0 and check:
            assert check(*results), f"{name}: different signatures"
    own, other = (statistics.median(sample) / tokens * 1e9 for sample in samples)
    ratio = statistics.median(b / a for a, b in zip(*samples))
    print(f"{name:<68} {own:8.2f} {other:9.2f} ns/token  {ratio:7.2f}x{'  same signatures' if check else ''}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("--tokens", type=int, default=500)
    parser.add_argument("--documents", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    ours = Ours(ctypes.CDLL(options.library))
    source = random.Random(1)
    flat = numpy.array([source.getrandbits(64) for _ in range(options.documents * options.tokens)], numpy.uint64)
    offsets = numpy.arange(options.documents + 1, dtype=numpy.uint64) * numpy.uint64(options.tokens)
    low = flat.astype(numpy.uint32)
    total = options.tokens * options.documents
    print(f"{options.documents} documents of {options.tokens} tokens, k = {K}; lanewise, peer, ratio")

    if rensa:
        version = importlib.metadata.version("rensa")
        their_flat, their_offsets = array.array("Q", flat.tolist()), array.array("Q", offsets.tolist())

        def rensa_rows():
            return rensa.RMinHash.digest_matrix_from_flat_token_hashes(their_flat, their_offsets, K, 42)

        def same(own, matrix):
            return numpy.array_equal(own, numpy.array(matrix.to_rows(), numpy.uint32))

        exact = version.startswith("0.4.")
        compare(f"minhash_mul64, rensa {version} digest_matrix_from_flat_token_hashes", lambda: ours.mul64(flat, offsets), rensa_rows,
                total, options.rounds, same if exact else None)
        compare(f"minhash_mul32, the same of rensa {version}", lambda: ours.mul32(flat, offsets), rensa_rows, total, options.rounds)
        compare(f"minhash_buckets, the same of rensa {version}", lambda: ours.buckets(flat, offsets), rensa_rows, total,
                options.rounds)
    else:
        print("rensa is not installed")

    if datasketch:
        version = importlib.metadata.version("datasketch")
        values = low.reshape(options.documents, options.tokens).tolist()

        def sign(scheme):
            template = datasketch.MinHash(K, scheme=scheme, hashfunc=lambda x: x)
            a, b = (numpy.ascontiguousarray(x) for x in template.permutations)

            def theirs():
                out = []
                for hashes in values:
                    sketch = template.copy()
                    sketch.update_batch(hashes)
                    out.append(sketch.digest())
                return out
            return a, b, theirs

        def same_digests(own, digests):
            return numpy.array_equal(own, numpy.array(digests).astype(numpy.uint32))

        a, b, theirs = sign("legacy")
        compare(f"minhash_mod61, datasketch {version} update_batch, legacy",
                lambda: ours.sign(ours.lib.lanewise_minhash_mod61_rows, low, offsets, a, b), theirs, total, options.rounds, same_digests)
        a, b, theirs = sign("affine32")
        mixed = fmix32(low)
        compare(f"minhash_mul32, datasketch {version} update_batch, affine32",
                lambda: ours.sign(ours.lib.lanewise_minhash_mul32_rows, mixed, offsets, a, b), theirs, total, options.rounds, same_digests)
    else:
        print("datasketch is not installed")


if __name__ == "__main__":
    main()
