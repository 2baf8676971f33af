#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares lanewise/bm25.h with bm25s and its numba backend (pip install bm25s numba), one thread each.

    python3 bench/compare_bm25s.py build/liblanewise.so [--documents 1000000] [--rounds 7]

Documents are synthetic: words by a Zipf-Mandelbrot law (exponent 1.07), a quarter of them repetitions of one before,
lengths log-normal, about 80 words in the mean. Queries are different words of one document, with or without those that
more than a tenth of the documents have. Both engines get the same words (lanewise as text, which it splits for each
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

import bm25s
import numpy as np

SIZE, VOCABULARY = ctypes.c_size_t, 1 << 20


class Options(ctypes.Structure):
    _fields_ = [("struct_size", SIZE), ("k1", ctypes.c_float), ("b", ctypes.c_float), ("variant", ctypes.c_int),
                ("delta", ctypes.c_float), ("epsilon", ctypes.c_float)]


def check(status):
    if status != 0:
        raise RuntimeError(f"lanewise returned {status}")


class Lanewise:
    """Just enough of lanewise/bm25.h."""

    def __init__(self, path, texts):
        self.lib = ctypes.CDLL(path)
        self.lib.lanewise_bm25_scratch_size.restype = SIZE
        builder, self.handle = ctypes.c_void_p(), ctypes.c_void_p()
        options = Options(ctypes.sizeof(Options), 1.5, 0.75, 0, 0, 0)
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


def make_documents(n, random):
    """Numbers of words, and where each document begins."""
    lengths = np.clip(np.exp(4.2 + 0.6 * random.standard_normal(n)), 1, 2000).astype(np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    s, q = 0.07, 2.7
    first, last = (1 + q) ** -s, (VOCABULARY + 1 + q) ** -s
    ranks = (first - random.random(starts[-1]) * (first - last)) ** (-1 / s) - q - 1
    # Frequent words are spread over the dictionary.
    words = (np.clip(ranks, 0, VOCABULARY - 1).astype(np.int64) * 2654435761 + 12345) % VOCABULARY
    at = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
    repeated = (random.random(starts[-1]) < 0.25) & (at > 0)
    back = (random.random(starts[-1]) * at).astype(np.int64) + 1
    for i in np.flatnonzero(repeated):
        words[i] = words[i - back[i]]
    return words, starts


def make_queries(words, starts, frequency, n_queries, n_words, common, random):
    limit, queries = len(starts) if common else len(starts) // 10, []
    while len(queries) < n_queries:
        d = random.integers(len(starts) - 1)
        document = np.unique(words[starts[d]:starts[d + 1]])
        document = document[frequency[document] <= limit]
        if len(document) >= n_words:
            queries.append(random.choice(document, n_words, replace=False).tolist())
    return queries


def measure(contenders, rounds):
    seconds = {name: [] for name in contenders}
    for round_number in range(rounds + 1):
        for name, run in contenders.items():
            begin = time.process_time()
            run()
            if round_number:  # the first is for warming up and compiling
                seconds[name].append(time.process_time() - begin)
    return seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--documents", type=int, default=1000000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    random = np.random.default_rng(7)
    words, starts = make_documents(arguments.documents, random)
    n = len(starts) - 1
    pairs = np.unique(np.repeat(np.arange(n), np.diff(starts)) * VOCABULARY + words)
    frequency = np.bincount(pairs % VOCABULARY, minlength=VOCABULARY)
    documents = [words[starts[i]:starts[i + 1]].tolist() for i in range(n)]

    begin = time.process_time()
    engine = Lanewise(arguments.library, (" ".join(map("w{}".format, d)).encode() for d in documents))
    middle = time.process_time()
    peer = bm25s.BM25(method="lucene", k1=1.5, b=0.75, backend="numba")
    peer.index((documents, {f"w{i}": i for i in range(VOCABULARY)}), create_empty_token=False, show_progress=False)
    end = time.process_time()
    del documents
    print(f"{n} documents, {len(words)} words, {len(pairs)} postings; {engine.file_bytes() / len(pairs):.2f} bytes a "
          f"posting in a file; indexed in {middle - begin:.0f} s (bm25s {end - middle:.0f} s)")
    print(f"{'workload':<28}{'lanewise us':>12}{'bm25s us':>10}{'ratio':>8}")
    for n_words, common in ((2, 0), (4, 0), (8, 0), (4, 1), (8, 1)):
        queries = make_queries(words, starts, frequency, arguments.queries, n_words, common, random)
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
