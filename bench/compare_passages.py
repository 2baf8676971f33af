#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""BM25 over passages of the system's documentation: lanewise against bm25s with numba and tantivy, one thread each.

    python3 bench/compare_passages.py build/liblanewise.so [--passages 280000] [--rounds 7]
    (pip install bm25s numba tantivy)

Passages are up to 60 words of a paragraph under /usr/share/doc, /usr/share/man and what else --directory names; no two are
alike. Queries are the words of short lines that stand alone, as headings do: 2, 4 or 8 different ones that are no stop words.
All engines get the words that bm25s.tokenize makes, with its English stop list; lanewise and tantivy are called query
by query, tantivy with queries that are parsed beforehand, bm25s with all at once, as it is meant to be used. Times are of the
process's CPU, contenders in turn, ratios the median of the rounds' ratios (above 1: lanewise is faster). Scores are compared
with those of bm25s, but not those of tantivy, which rounds lengths of documents.
"""
import argparse
import ctypes
import random
import re
import statistics
import tempfile

import bm25s
import numpy as np

from compare_bm25s import SIZE, Lanewise, Options, check
from documents import DOCUMENTATION, make_passages, measure

STOP = frozenset(bm25s.tokenization.STOPWORDS_EN)


class Word(ctypes.Structure):
    _fields_ = [("text", ctypes.c_char_p), ("n_bytes", SIZE), ("begin", ctypes.c_uint64), ("end", ctypes.c_uint64)]


def words_of(words):
    return (Word * len(words))(*(Word(word, len(word), 0, 0) for word in words)), SIZE(len(words))


class OfWords(Lanewise):
    """The engine over documents that are words."""

    def __init__(self, path, documents):
        self.lib = ctypes.CDLL(path)
        self.lib.lanewise_bm25_scratch_size.restype = SIZE
        builder, self.handle = ctypes.c_void_p(), ctypes.c_void_p()
        options = Options(ctypes.sizeof(Options), 1.5, 0.75, 0, 0, 0, 0)
        check(self.lib.lanewise_bm25_builder_create(ctypes.byref(options), None, ctypes.byref(builder)))
        for words in documents:
            check(self.lib.lanewise_bm25_builder_add_words(builder, *words_of(words)))
        check(self.lib.lanewise_bm25_create(builder, None, ctypes.byref(self.handle)))
        self.lib.lanewise_bm25_builder_destroy(builder)

    def searcher(self, queries, k):
        memory = np.empty(self.lib.lanewise_bm25_scratch_size(self.handle, SIZE(k)) + 64, np.uint8)
        scratch = ctypes.c_void_p((memory.ctypes.data + 63) // 64 * 64)
        index, score = np.zeros((len(queries), k), np.uint32), np.zeros((len(queries), k), np.float32)
        found, search = SIZE(), self.lib.lanewise_bm25_search_words
        calls = [(self.handle, *words_of(query), None, SIZE(k), scratch, ctypes.c_void_p(index[i].ctypes.data),
                  ctypes.c_void_p(score[i].ctypes.data), ctypes.byref(found)) for i, query in enumerate(queries)]

        def run(_keep=(memory, index)):
            for call in calls:
                check(search(*call))

        return run, score


class Tantivy:
    def __init__(self, documents):
        import tantivy

        self.directory = tempfile.TemporaryDirectory()
        schema = tantivy.SchemaBuilder().add_text_field("text", tokenizer_name="whitespace", index_option="freq").build()
        self.index = tantivy.Index(schema, path=self.directory.name)
        writer = self.index.writer(heap_size=1 << 30, num_threads=1)
        for words in documents:
            writer.add_document(tantivy.Document(text=b" ".join(words).decode()))
        writer.commit()
        writer.wait_merging_threads()
        self.index.reload()
        self.query = lambda words: tantivy.Query.boolean_query(
            [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "text", word.decode(), "freq")) for word in words])

    def runner(self, queries, k):
        searcher, parsed = self.index.searcher(), [self.query(words) for words in queries]

        def run():
            for query in parsed:
                searcher.search(query, k, count=False)

        return run, searcher.num_segments


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--passages", type=int, default=280000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--directory", action="append", default=list(DOCUMENTATION))
    arguments = parser.parse_args()
    passages, headings = make_passages(arguments.directory, arguments.passages)
    tokens = bm25s.tokenize(passages, stopwords="en", show_progress=False)
    names = [None] * len(tokens.vocab)
    for word, i in tokens.vocab.items():
        names[i] = word.encode()
    documents = [[names[i] for i in document] for document in tokens.ids]
    engine = OfWords(arguments.library, documents)
    peer = bm25s.BM25(method="lucene", k1=1.5, b=0.75, backend="numba")
    peer.index(tokens, create_empty_token=False, show_progress=False)
    try:
        tantivy = Tantivy(documents)
    except ImportError:
        tantivy = None
    n_postings = sum(len(set(document)) for document in tokens.ids)
    print(f"{len(passages)} passages, {sum(map(len, tokens.ids))} words, {len(names)} different ones, {n_postings} postings; "
          f"{engine.file_bytes() / n_postings:.2f} bytes a posting in a file")
    print(f"{'workload':<20}{'lanewise us':>12}{'bm25s us':>10}{'ratio':>8}{'tantivy us':>12}{'ratio':>8}")
    used = {i for document in tokens.ids for i in document}
    random.Random(7).shuffle(headings)
    for n_words in (2, 4, 8):
        queries = []
        for heading in headings:
            words = dict.fromkeys(re.findall(r"(?u)\b\w\w+\b", heading.lower()))
            if len(queries) < arguments.queries and all(tokens.vocab.get(word) in used or word in STOP for word in words):
                words = [tokens.vocab[word] for word in words if word not in STOP]
                if len(words) == n_words:
                    queries.append(words)
        as_words = [[names[i] for i in query] for query in queries]
        for k in (10, 1000):
            run, score = engine.searcher(as_words, k)
            found, contenders = [], {"lanewise": run}

            def run_peer():
                found[:] = [peer.retrieve(queries, k=k, n_threads=1, show_progress=False, backend_selection="numba")]

            contenders["bm25s"] = run_peer
            if tantivy:
                contenders["tantivy"] = tantivy.runner(as_words, k)[0]
            seconds = measure(contenders, arguments.rounds)
            worst = np.max(np.abs(found[0].scores - score) / np.maximum(score, 1e-9) * (score > 0))
            if worst > 1e-6:
                raise SystemExit(f"scores differ by {worst}")
            line = f"{len(queries)} of {n_words}, k={k}"
            line = f"{line:<20}{statistics.median(seconds['lanewise']) / len(queries) * 1e6:>12.1f}"
            for name in list(contenders)[1:]:
                ratio = statistics.median(b / a for a, b in zip(seconds["lanewise"], seconds[name]))
                line += f"{statistics.median(seconds[name]) / len(queries) * 1e6:>10.1f}{ratio:>8.1f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
