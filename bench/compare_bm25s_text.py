#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Text to words and text to a searchable index against bm25s, over passages of the system's documentation.

Usage: compare_bm25s_text.py PATH-OF-LIBLANEWISE.SO [--megabytes N] [--rounds N]

bm25s.tokenize gives words as numbers, which is what the builder of an index does here when texts are added; then both
make an index. bm25s needs its package (pip install bm25s; it uses numba if that is there). Times are of the thread's
CPU, and ratios the median of the ratios within a round.
"""
import argparse
import ctypes
import statistics
import time

from documents import make_passages


class AnalyzerOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("rule", ctypes.c_int), ("keep_case", ctypes.c_int32),
                ("drop_numbers", ctypes.c_int32), ("min_characters", ctypes.c_uint32), ("max_characters", ctypes.c_uint32),
                ("stop", ctypes.c_char_p), ("stop_words", ctypes.c_void_p), ("n_stop_words", ctypes.c_size_t),
                ("stemmer", ctypes.c_char_p)]


class Lanewise:
    def __init__(self, path, texts):
        self.library = ctypes.CDLL(path)
        self.texts = [text.encode() for text in texts]
        options = AnalyzerOptions(struct_size=ctypes.sizeof(AnalyzerOptions), min_characters=2, stop=b"english")
        self.analyzer = ctypes.c_void_p()
        assert self.library.lanewise_analyzer_create(ctypes.byref(options), None, ctypes.byref(self.analyzer), None) == 0
        self.add = self.library.lanewise_bm25_builder_add_text
        self.add.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]

    def run(self):
        """Seconds to add the texts, and to make the index of them; what ctypes takes is taken off."""
        start = time.thread_time()
        for text in self.texts:
            self.add(None, text, len(text))  # refused at once
        overhead = time.thread_time() - start
        builder, index = ctypes.c_void_p(), ctypes.c_void_p()
        assert self.library.lanewise_bm25_builder_create(None, None, ctypes.byref(builder)) == 0
        assert self.library.lanewise_bm25_builder_use_analyzer(builder, self.analyzer) == 0
        start = time.thread_time()
        for text in self.texts:
            self.add(builder, text, len(text))
        added = time.thread_time()
        assert self.library.lanewise_bm25_create(builder, None, ctypes.byref(index)) == 0
        made = time.thread_time()
        self.library.lanewise_bm25_destroy(index)
        self.library.lanewise_bm25_builder_destroy(builder)
        return added - start - overhead, made - added


def with_bm25s(texts):
    import bm25s

    start = time.thread_time()
    tokens = bm25s.tokenize(texts, stopwords="en", show_progress=False)
    tokenized = time.thread_time()
    bm25s.BM25().index(tokens, show_progress=False)
    return tokenized - start, time.thread_time() - tokenized


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    texts = make_passages(["/usr/share/doc"], n_bytes=options.megabytes * 1e6)[0]
    n_bytes = sum(len(text.encode()) for text in texts)
    ours = Lanewise(options.library, texts)
    rounds = [(*ours.run(), *with_bm25s(texts)) for _ in range(options.rounds)]
    add, make, tokenize, index = (statistics.median(times) for times in zip(*rounds))
    print(f"{len(texts)} passages, {n_bytes / 1e6:.1f} MB")
    print(f"words:  lanewise {n_bytes / add / 1e6:.0f} MB/s, bm25s {n_bytes / tokenize / 1e6:.1f} MB/s, "
          f"{statistics.median(r[2] / r[0] for r in rounds):.1f} times as fast")
    print(f"index:  lanewise {n_bytes / (add + make) / 1e6:.0f} MB/s, bm25s {n_bytes / (tokenize + index) / 1e6:.1f} MB/s, "
          f"{statistics.median((r[2] + r[3]) / (r[0] + r[1]) for r in rounds):.1f} times as fast")


if __name__ == "__main__":
    main()
