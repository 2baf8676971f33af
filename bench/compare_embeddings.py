#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Searches real embeddings: is the index exact on them, how much does it read, does hybrid search help?

    pip install . wordllama numpy && python3 bench/compare_embeddings.py [--ir ../shared/data/ir]

The vectors are 256-dimensional means of the token vectors that the package wordllama carries: a small model, but one that
was trained. Rows are WordNet's definitions (Debian's wordnet-base), queries the words they define. Every result is
compared, row by row and bit by bit, with that of a scan of all rows, and with NumPy's products in double precision.
With --ir, nDCG@10 of BM25, vectors and both on the collections there.
"""
import argparse
import pathlib
import statistics
import time

import numpy as np
import wordllama
from safetensors.numpy import load_file
from tokenizers import Tokenizer

import lanewise

K = 10
WORDNET = pathlib.Path("/usr/share/wordnet")


class Model:
    """The parts of the package are used directly: its own loader asks a server for the tokenizer that it has."""

    def __init__(self):
        home = pathlib.Path(wordllama.__file__).parent
        (self.vectors,) = load_file(home / "weights" / "l2_supercat_256.safetensors").values()
        self.tokenizer = Tokenizer.from_file(str(home / "tokenizers" / "l2_supercat_tokenizer_config.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def embed(self, texts):
        out = np.zeros((len(texts), self.vectors.shape[1]), np.float32)
        for i, tokens in enumerate(self.tokenizer.encode_batch(texts, add_special_tokens=False)):
            if tokens.ids:
                out[i] = self.vectors[tokens.ids].astype(np.float32).mean(axis=0)
        return lanewise.normalize(out)


def read_wordnet():
    names, definitions = [], []
    for kind in ("noun", "verb", "adj", "adv"):
        for line in (WORDNET / f"data.{kind}").read_text().splitlines():
            if not line.startswith("  "):
                fields, definition = line.split(" | ", 1)
                fields = fields.split()
                words = [fields[4 + 2 * i].replace("_", " ") for i in range(int(fields[3], 16))]
                names.append(", ".join(words))
                definitions.append(definition.strip())
    return names, definitions


def check_exactness(rows, queries):
    index = lanewise.Index(rows.shape[1])
    index.add(rows)
    ratios, wrong, wrong_numpy = [], 0, 0
    doubles = rows.astype(np.float64)
    doubles /= np.maximum(np.linalg.norm(doubles, axis=1, keepdims=True), 1e-300)
    many = index.search_many(queries, K)
    for query, of_many in zip(queries, many):
        began = time.thread_time()
        found = index.search(query, K)
        halfway = time.thread_time()
        scanned = lanewise.search(query, rows, K)
        ratios.append((time.thread_time() - halfway) / (halfway - began))
        for other in (scanned, of_many):
            wrong += not (np.array_equal(found.index, other.index) and np.array_equal(found.score, other.score))
        scores = doubles @ (query / np.linalg.norm(query))
        # Whatever NumPy's best are, none of them may be better than what was found by more than f32 can tell.
        wrong_numpy += bool(np.any(np.abs(np.sort(scores)[::-1][:K] - found.score) > 1e-6))
    print(f"{len(rows)} x {rows.shape[1]}, {len(queries)} queries, k={K}: {wrong} differ from a scan or from a batch, "
          f"{wrong_numpy} from NumPy; the index is {statistics.median(ratios):.1f} times as fast as the scan")
    return wrong + wrong_numpy


def read_table(path):
    return [line.split("\t") for line in path.read_text().splitlines() if line]


def ndcg(rankings, gains):
    return lanewise.evaluate.rankings([hits.index for hits in rankings], gains, K).ndcg


def check_quality(model, collection):
    documents, queries = read_table(collection / "docs.tsv"), read_table(collection / "queries.tsv")
    number = {row[0]: i for i, row in enumerate(documents)}
    gains = {row[0]: {} for row in queries}
    for query, document, *_ in read_table(collection / "qrels.tsv"):
        if query in gains and document in number:
            gains[query][number[document]] = 1.0  # as the peers whose figures the quality test holds to have it
    queries = [row for row in queries if gains[row[0]]]
    texts, asked = [" ".join(row[1:]) for row in documents], [" ".join(row[1:]) for row in queries]
    wanted = [gains[row[0]] for row in queries]
    analyzer = lanewise.Analyzer(rule="runs", min_characters=2, stop_words="english", stemmer="english")
    bm25 = lanewise.BM25(texts, k1=1.5, analyzer=analyzer)
    index = lanewise.Index(model.vectors.shape[1])
    index.add(model.embed(texts))
    words = bm25.search_many(asked, 100)
    vectors = index.search_many(model.embed(asked), 100)
    fused = [lanewise.fuse_scores([w, v], K, weights=[0.7, 0.3]) for w, v in zip(words, vectors)]
    print(f"{collection.name}, nDCG@{K}: BM25 {ndcg(words, wanted):.4f}, vectors {ndcg(vectors, wanted):.4f}, "
          f"both {ndcg(fused, wanted):.4f} (scores fused, weights 0.7 and 0.3)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ir", type=pathlib.Path, help="a directory of collections with docs, queries and qrels.tsv")
    parser.add_argument("--queries", type=int, default=500)
    arguments = parser.parse_args()
    model = Model()
    names, definitions = read_wordnet()
    rows = model.embed(definitions)
    step = max(1, len(names) // arguments.queries)
    wrong = check_exactness(rows, model.embed(names[::step]))
    for collection in sorted(arguments.ir.iterdir()) if arguments.ir else []:
        if collection.is_dir():
            check_quality(model, collection)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
