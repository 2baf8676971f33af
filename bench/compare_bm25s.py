#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares lanewise/bm25.h with bm25s and its numba backend (pip install bm25s numba), one thread each.

    python3 bench/compare_bm25s.py build/liblanewise.so [--documents 1000000] [--rounds 7]

Documents and queries are synthetic (documents.py says how). Both engines get the same words (lanewise as text, which it splits for each
query; bm25s as numbers), Lucene's formula, k1 1.5 and b 0.75.

A sample is one pass over all queries: lanewise by one call each through ctypes, bm25s by one call for all, as it is
meant to be used. Contenders run in turn, A B A B, in this process; figures are medians of CPU time per query and the
median of the rounds' ratios (above 1: lanewise is faster). All scores are compared with lanewise's. With a million
documents bm25s takes several minutes to index them.
"""
import argparse
import ctypes
import os
import statistics
import tempfile
import time

import numpy as np

from documents import Synthetic, bm25s_of, measure

SIZE = ctypes.c_size_t


class Options(ctypes.Structure):
    _fields_ = [("struct_size", SIZE), ("k1", ctypes.c_float), ("b", ctypes.c_float), ("variant", ctypes.c_int),
                ("delta", ctypes.c_float), ("epsilon", ctypes.c_float), ("without_counts", ctypes.c_int32)]


def check(status):
    if status != 0:
        raise RuntimeError(f"lanewise returned {status}")


class Lanewise:
    """Just enough of lanewise/bm25.h."""

    def __init__(self, path, texts, without_counts=0):
        self.lib = ctypes.CDLL(path)
        self.lib.lanewise_bm25_scratch_size.restype = SIZE
        builder, self.handle = ctypes.c_void_p(), ctypes.c_void_p()
        options = Options(ctypes.sizeof(Options), 1.5, 0.75, 0, 0, 0, without_counts)
        check(self.lib.lanewise_bm25_builder_create(ctypes.byref(options), None, ctypes.byref(builder)))
        for text in texts:
            check(self.lib.lanewise_bm25_builder_add_text(builder, text, SIZE(len(text))))
        check(self.lib.lanewise_bm25_create(builder, None, ctypes.byref(self.handle)))
        self.lib.lanewise_bm25_builder_destroy(builder)

    def file_bytes(self):
        """Bytes of the index saved."""
        with tempfile.TemporaryDirectory() as directory:
            path, writer = os.path.join(directory, "index"), ctypes.c_void_p()
            check(self.lib.lanewise_file_writer_create(path.encode(), None, ctypes.byref(writer), None))
            check(self.lib.lanewise_bm25_write(self.handle, writer, None))
            check(self.lib.lanewise_file_writer_commit(writer, None))
            self.lib.lanewise_file_writer_destroy(writer)
            return os.path.getsize(path)

    def searcher(self, queries, k):
        """A function that runs all queries, and where the scores then are."""
        memory = np.empty(self.lib.lanewise_bm25_scratch_size(self.handle, SIZE(k)) + 64, np.uint8)
        scratch = ctypes.c_void_p((memory.ctypes.data + 63) // 64 * 64)
        index, score = np.zeros((len(queries), k), np.uint32), np.zeros((len(queries), k), np.float32)
        found, search = SIZE(), self.lib.lanewise_bm25_search
        calls = [(self.handle, query, SIZE(len(query)), SIZE(k), scratch, ctypes.c_void_p(index[i].ctypes.data),
                  ctypes.c_void_p(score[i].ctypes.data), ctypes.byref(found)) for i, query in enumerate(queries)]

        def run(_keep=(memory, index)):
            for call in calls:
                check(search(*call))

        return run, score


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--documents", type=int, default=1000000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    random = np.random.default_rng(7)
    corpus = Synthetic(arguments.documents, random)
    documents = corpus.documents()

    begin = time.process_time()
    engine = Lanewise(arguments.library, (" ".join(map("w{}".format, d)).encode() for d in documents))
    middle = time.process_time()
    peer = bm25s_of(documents)
    end = time.process_time()
    short = Lanewise(arguments.library, (" ".join(map("w{}".format, d)).encode() for d in documents), 1)
    del documents
    print(f"{len(corpus)} documents, {len(corpus.words)} words, {corpus.n_postings} postings; "
          f"{engine.file_bytes() / corpus.n_postings:.2f} bytes a posting in a file, "
          f"{short.file_bytes() / corpus.n_postings:.2f} without counts; indexed in {middle - begin:.0f} s (bm25s {end - middle:.0f} s)")
    print(f"{'workload':<28}{'lanewise us':>12}{'bm25s us':>10}{'ratio':>8}")
    for n_words, common in ((2, 0), (4, 0), (8, 0), (4, 1), (8, 1)):
        queries = corpus.queries(arguments.queries, n_words, common)
        texts = [" ".join(f"w{word}" for word in query).encode() for query in queries]
        for k in (10, 1000):
            run, score = engine.searcher(texts, k)
            found = []

            def run_peer():
                found[:] = [peer.retrieve(queries, k=k, n_threads=1, show_progress=False, backend_selection="numba")]

            seconds = measure({"lanewise": run, "bm25s": run_peer}, arguments.rounds)
            # bm25s fills up with documents that have no score.
            worst = np.max(np.abs(found[0].scores - score) / np.maximum(score, 1e-9) * (score > 0))
            if worst > 1e-6:
                raise SystemExit(f"scores differ by {worst}")
            ratio = statistics.median(b / a for a, b in zip(seconds["lanewise"], seconds["bm25s"]))
            a, b = (statistics.median(seconds[name]) / len(queries) * 1e6 for name in ("lanewise", "bm25s"))
            name = f"{n_words} {'' if common else 'uncommon '}words, k={k}"
            print(f"{name:<28}{a:>12.1f}{b:>10.1f}{ratio:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
