# SPDX-License-Identifier: Apache-2.0
"""Work in the order of a graph, many PageRanks, streamed hashes, entropy."""

import graphlib
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lanewise as lw
from lanewise import _library

EDGES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25)


@given(EDGES, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=150)
def test_a_schedule_is_graphlibs(edges, rng):
    edges = [(min(edge), max(edge)) for edge in edges if edge[0] != edge[1]]
    theirs, ours = graphlib.TopologicalSorter(), lw.Graph([a for a, _ in edges], [b for _, b in edges], n_nodes=10).schedule()
    for node in range(10):
        theirs.add(node)
    for a, b in edges:
        theirs.add(b, a)
    theirs.prepare()
    waiting = []
    while theirs.is_active():
        assert ours.is_active()
        ready = sorted(theirs.get_ready())
        assert sorted(ours.get_ready()) == ready and ours.get_ready() == ()
        waiting += ready
        node = waiting.pop(rng.randrange(len(waiting)))
        theirs.done(node)
        ours.done(node)
        with pytest.raises(ValueError):
            ours.done(node)
    assert not ours.is_active()


def test_what_a_schedule_refuses():
    schedule = lw.Graph([0, 1], [1, 2]).schedule()
    for node in (0, 1, 3, -1):  # not given out, not ready, no nodes
        with pytest.raises(ValueError, match="no node, was not ready"):
            schedule.done(node)
    assert schedule.get_ready() == (0,)
    schedule.done(0)
    assert schedule.get_ready() == (1,)
    circle = lw.Graph([0, 1], [1, 0]).schedule()
    assert circle.get_ready() == () and not circle.is_active() and not lw.Graph([], []).schedule().is_active()


@pytest.mark.parametrize("with_numpy", [True, False])
def test_many_pageranks_are_one_by_one(with_numpy, monkeypatch):
    if not with_numpy:
        monkeypatch.setattr(_library, "_numpy", False)
    rng = np.random.default_rng(3)
    graph = lw.Graph(rng.integers(0, 50, 200).tolist(), rng.integers(0, 50, 200).tolist(), n_nodes=50)
    starts = rng.random((20, 50)).tolist()
    many = graph.pagerank_many(starts, damping=0.8)
    flat = many.reshape(-1).tolist() if with_numpy else many.tolist()
    assert flat == [rank for start in starts for rank in graph.pagerank(0.8, personalisation=start)]
    assert len(graph.pagerank_many([])) == 0
    for call in (lambda: graph.pagerank_many([[1.0]]), lambda: graph.pagerank_many([[-1.0] * 50]), lambda: graph.pagerank_many(starts, 2)):
        with pytest.raises(ValueError):
            call()


@given(st.lists(st.binary(max_size=600), max_size=6), st.sampled_from([0, 1, 2**64 - 1]))
@settings(deadline=None, max_examples=100)
def test_a_hash_of_pieces_is_that_of_the_whole(pieces, seed):
    hasher, whole = lw.XXH3(seed=seed), b""
    for piece in pieces:
        hasher.update(piece)
        whole += piece
        assert hasher.value_64() == lw.xxh3_64(whole, seed) and hasher.value_128() == lw.xxh3_128(whole, seed)
    assert lw.XXH3("é").value_64() == lw.xxh3_64("é")


@given(st.binary(max_size=300))
def test_entropy(data):
    wanted = -sum(n / len(data) * math.log2(n / len(data)) for n in Counter(data).values())
    assert lw.shannon_entropy(data) == pytest.approx(wanted, abs=1e-12)
