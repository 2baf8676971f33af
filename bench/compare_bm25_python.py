#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lanewise.BM25 from Python against bm25s with numba and rank_bm25, over synthetic documents, k = 10.

    python3 bench/compare_bm25_python.py [--documents 100000] [--rounds 7]
    (needs the package lanewise; pip install bm25s numba rank_bm25)

Documents and queries are synthetic (documents.py says how). "one" is a call for each query, as services do: search(), and
retrieve() with a list of one query; "many" a call for all: search_many() and retrieve(). lanewise gets queries as text and
splits them; bm25s gets numbers of words, rank_bm25 lists of words. Contenders run in turn, in this process on one thread;
figures are medians of CPU time for a query and of the rounds' ratios (above 1: lanewise is faster). rank_bm25 answers but
--slow queries in a round.
"""
import argparse
import statistics

import numpy as np
from rank_bm25 import BM25Okapi

import lanewise
from documents import Synthetic, bm25s_of, measure

K = 10


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=100000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--slow", type=int, default=2)
    arguments = parser.parse_args()
    random = np.random.default_rng(7)
    corpus = Synthetic(arguments.documents, random)
    documents, n = corpus.documents(), len(corpus)
    ours = lanewise.BM25((" ".join(map("w{}".format, d)) for d in documents), k1=1.5)
    peer = bm25s_of(documents)
    slow = BM25Okapi([[f"w{word}" for word in d] for d in documents])
    print(f"{'words':>5}{'lanewise us: one':>18}{'many':>8}{'bm25s us: one':>15}{'many':>8}{'ratio: one':>12}{'many':>8}"
          f"{'rank_bm25 us':>14}{'ratio':>9}")
    for n_words in (2, 4, 8):
        queries = corpus.queries(arguments.queries, n_words, 0)
        texts = [" ".join(f"w{word}" for word in query) for query in queries]
        lists = [text.split() for text in texts]

        def retrieve(some):
            return peer.retrieve(some, k=K, n_threads=1, show_progress=False, backend_selection="numba")

        expected = retrieve(queries).scores
        for hits, scores in zip(ours.search_many(texts, K), expected):
            got = np.asarray(hits.score)
            if np.max(np.abs(got - scores[:len(got)]) / scores[:len(got)]) > 1e-6:
                raise SystemExit("scores differ")
        seconds = measure({
            "one": lambda: [ours.search(text, K) for text in texts],
            "many": lambda: ours.search_many(texts, K),
            "bm25s one": lambda: [retrieve([query]) for query in queries],
            "bm25s many": lambda: retrieve(queries),
            "rank_bm25": lambda: [slow.get_top_n(query, range(n), K) for query in lists[:arguments.slow]],
        }, arguments.rounds)
        times = {name: np.array(t) / (arguments.slow if name == "rank_bm25" else len(queries)) * 1e6
                 for name, t in seconds.items()}
        one, many, peer_one, peer_many, rank = (statistics.median(t) for t in times.values())
        print(f"{n_words:>5}{one:>18.1f}{many:>8.1f}{peer_one:>15.1f}{peer_many:>8.1f}"
              f"{statistics.median(times['bm25s one'] / times['one']):>12.1f}"
              f"{statistics.median(times['bm25s many'] / times['many']):>8.1f}"
              f"{rank:>14.0f}{statistics.median(times['rank_bm25'] / times['one']):>9.0f}", flush=True)


if __name__ == "__main__":
    main()
