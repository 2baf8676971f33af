# SPDX-License-Identifier: Apache-2.0
"""Copies and pickles of everything that has a state, and the coarse search of the index."""

import copy
import multiprocessing
import pickle

import numpy as np
import pytest

import lanewise as lw

RNG = np.random.default_rng(21)
ROWS = RNG.standard_normal((5000, 64)).astype(np.float32)
TEXTS = ["the cat sat", "a dog barked", "", "cat and dog", "naïve café"]
WAYS = [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing)),
        lambda thing: pickle.loads(pickle.dumps(thing, protocol=2))]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("metric", ["cosine", "dot", "l2sq"])
def test_index(way, metric, tmp_path):
    index = lw.Index(64, metric)
    index.add(ROWS[:300])
    index.remove(7)
    index.save(tmp_path / "index")
    wanted = index.search(ROWS[3], 20)
    for one in (index, lw.Index.open(tmp_path / "index")):
        again = way(one)
        found = again.search(ROWS[3], 20)
        assert (found.index.tolist(), found.score.tolist()) == (wanted.index.tolist(), wanted.score.tolist())
        assert (again.metric, again.dim, len(again)) == (metric, 64, 300)
        # It has its own rows.
        again.update(3, ROWS[4])
        assert again.add(ROWS[:1]) == range(300, 301) and len(index) == 300
        np.testing.assert_array_equal(index[3], ROWS[3])
    empty = way(lw.Index(5))
    assert len(empty) == 0 and empty.dim == 5
    coarse = lw.Index(64, metric)
    coarse.add(ROWS[:2000])
    coarse.make_coarse()
    assert way(coarse).search(ROWS[9], 5, n_candidates=20).index.tolist() == coarse.search(ROWS[9], 5, n_candidates=20).index.tolist()


@pytest.mark.parametrize("way", WAYS)
def test_what_never_changes(way):
    bm25, of_words = lw.BM25(TEXTS, variant="bm25+"), lw.BM25.from_words([["x", "y"], ["y"]])
    for query in ("cat", "café dog"):
        assert way(bm25).scores(query).tolist() == bm25.scores(query).tolist()
    assert way(of_words).search(["x"]).index.tolist() == [0] and repr(way(bm25)) == repr(bm25)
    assert len(way(lw.BM25([]))) == 0
    for graph in (lw.Graph([0, 0, 2, 0], [1, 1, 0, 2], [1.0, 2.0, 3.0, 0.5]), lw.Graph([3, 1], [1, 1], n_nodes=7), lw.Graph([], []),
                  lw.Graph([], [], [])):
        again = way(graph)
        assert again.pagerank().tolist() == graph.pagerank().tolist() and repr(again) == repr(graph)
        assert again.components().tolist() == graph.components().tolist()
    assert way(lw.json.Paths("a[0].b")).find('{"a": [{"b": 3}]}') == 3
    for thing in (bm25, lw.Graph([0], [1]), lw.PatternSet(["a"]), lw.SecretScanner(), lw.Classifier({"a": {"b": 1}}), lw.Chunker(),
                  lw.TextChunker(), lw.MinHash(), lw.SimHash()):
        assert copy.copy(thing) is thing is copy.deepcopy(thing) and copy.deepcopy([thing, thing])[1] is thing
        assert repr(pickle.loads(pickle.dumps(thing))).split(",")[0] == repr(thing).split(",")[0]


def test_what_cannot_be_copied():
    streams = [lw.StreamFilter(), lw.PatternSet(["a"]).stream(), lw.Deduplicator(), lw.LoopDetector(), lw.EventStream(), lw.json.Partial(),
               lw.json.Events(), lw.Chunker().stream(), lw.NGrams(2, 2), lw.RepeatGuard(), lw.ThoughtDetector()]
    for stream in streams:
        for call in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match=f"{type(stream).__name__} cannot be copied or pickled: it is a stream"):
                call(stream)
    with pytest.raises(TypeError, match="make the same one"):
        pickle.dumps(lw.PQ(ROWS[:300], 8, 16))
    assert copy.copy(pq := lw.PQ(ROWS[:300], 8, 16)) is pq


def work(scanner):
    return scanner.redact("key = AKIAZ7Q2LMN4P5RSTUVW")


def test_other_processes_get_them():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(work, [lw.SecretScanner()]) == ["key = [REDACTED:aws-access-key]"]


def test_damaged_pickles_are_refused():
    image = pickle.dumps(lw.BM25(TEXTS))
    at = image.index(b"bm25.")
    with pytest.raises(ValueError):
        pickle.loads(image[:at] + b"x" + image[at + 1 :])


# ------------------------------------------------------------------- coarse


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2sq"])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_coarse_search(metric, n_threads):
    index = lw.Index(64, metric)
    index.add(ROWS[:2500])
    index.make_coarse()
    index.add(ROWS[2500:])
    index.make_coarse()
    queries = RNG.standard_normal((20, 64)).astype(np.float32)
    lw.set_num_threads(n_threads)
    try:
        exact, many = index.search_many(queries, 10), index.search_many(queries, 10, n_candidates=100)
        all_rows = index.search_many(queries, 10, n_candidates=5000)
    finally:
        lw.set_num_threads(1)
    found = 0
    for query, right, hits, same in zip(queries, exact, many, all_rows):
        one = index.search(query, 10, n_candidates=100)
        assert one.index.tolist() == hits.index.tolist() and one.score.tolist() == hits.score.tolist()
        scores = dict(zip(*(column.tolist() for column in lw.search(query, ROWS, 5000, metric))))
        assert [scores[row] for row in hits.index.tolist()] == hits.score.tolist()
        assert same.index.tolist() == right.index.tolist() and same.score.tolist() == right.score.tolist()
        found += len(set(right.index.tolist()) & set(hits.index.tolist()))
        allowed = list(range(0, 5000, 3))
        assert all(row % 3 == 0 for row in index.search(query, 10, rows=allowed, n_candidates=50).index.tolist())
        least = float(right.score[4])
        fine = (lambda score: score <= least) if metric == "l2sq" else (lambda score: score >= least)
        within = index.search(query, 10, threshold=least, n_candidates=100).score.tolist()
        assert within == [score for score in hits.score.tolist() if fine(score)]
    assert found >= 0.95 * 200


def test_what_a_coarse_search_refuses():
    index = lw.Index(4)
    index.add([[1, 2, 3, 4]] * 3)
    with pytest.raises(ValueError, match="make_coarse"):
        index.search([1, 2, 3, 4], 2, n_candidates=2)
    index.make_coarse()
    with pytest.raises(ValueError, match="less than k"):
        index.search([1, 2, 3, 4], 2, n_candidates=1)
    with pytest.raises(ValueError, match="k: 0"):
        index.search([1, 2, 3, 4], 0, n_candidates=1)
    assert index.search([1, 2, 3, 4], 2, n_candidates=99).index.tolist() == [0, 1]
    none = lw.Index(4)
    none.make_coarse()
    assert none.search([1, 2, 3, 4], 2, n_candidates=2).index.tolist() == []
