# SPDX-License-Identifier: Apache-2.0
"""Shingles, signatures and LSH against plain Python, and datasketch where it is installed."""

import array
import copy
import pickle
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lanewise as lw
from lanewise import _library, evaluate

M32, M64 = 2**32 - 1, 2**64 - 1
TEXTS = st.text("ab cé.日\n", max_size=60)
HASHES = st.lists(st.integers(0, M64), max_size=60)


@pytest.fixture(params=[True, False], ids=["numpy", "no numpy"])
def numpy_or_not(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(_library, "_numpy", False)


def runs(items, width):
    return [items[i : i + width] for i in range(max(1, len(items) - width + 1))] if items else []


def split_mix(seed, n):
    state, out = seed, []
    for _ in range(n):
        state = (state + 0x9E3779B97F4A7C15) & M64
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & M64
        z = (z ^ z >> 27) * 0x94D049BB133111EB & M64
        out.append(z ^ z >> 31)
    return out


# ---------------------------------------------------------------- shingles


@given(TEXTS, st.integers(1, 5), st.sampled_from([0, 7, M64]))
@settings(deadline=None, max_examples=150)
def test_shingles_are_hashes_of_runs(text, width, seed):
    by_words = [lw.xxh3_64(" ".join(run), seed) for run in runs([word.text for word in lw.words(text)], width)]
    by_characters = [lw.xxh3_64(run, seed) for run in runs(text, width)]
    assert lw.shingles(text, width, seed=seed).tolist() == by_words
    assert lw.shingles(text.encode(), width, "characters", seed).tolist() == by_characters
    assert lw.shingles(text, width, "characters", seed, unique=True).tolist() == sorted(set(by_characters))


def test_exact_similarity_of_shingles(numpy_or_not):
    a, b = (lw.shingles(text, 2, unique=True) for text in ("a b c d", "b c d e"))
    assert evaluate.jaccard(a, b) == 0.5
    assert list(lw.shingles("")) == []


# --------------------------------------------------------------- signatures


@given(st.sampled_from(["mul32", "mul64", "mod61"]), HASHES, st.integers(1, 40), st.integers(0, M64))
@settings(deadline=None, max_examples=200)
def test_signatures_are_least_hashes(family, hashes, k, seed):
    outputs = split_mix(seed, 2 * k)
    if family == "mul32":
        a, b = [x & M32 | 1 for x in outputs[:k]], [x >> 32 for x in outputs[:k]]
        minhash = lw.MinHash(k, family, seed)
        wanted = [min((a[i] * (x & M32) + b[i] & M32 for x in hashes), default=M32) for i in range(k)]
    elif family == "mul64":
        a, b = outputs[:k], outputs[k:]
        minhash = lw.MinHash(k, family, parameters=(a, b))
        wanted = [min((((a[i] * x + b[i]) & M64) >> 32 for x in hashes), default=M32) for i in range(k)]
    else:
        a, b = [x % (2**61 - 1) for x in outputs[:k]], [x % (2**61 - 1) for x in outputs[k:]]
        hashes = [x & M32 for x in hashes]
        minhash = lw.MinHash(k, family, parameters=(np.array(a, np.uint64), b))
        wanted = [min(((a[i] * x + b[i] & M64) % (2**61 - 1) & M32 for x in hashes), default=M32) for i in range(k)]
    assert minhash.sign_hashes(hashes).tolist() == wanted
    assert pickle.loads(pickle.dumps(minhash)).sign_hashes(hashes).tolist() == wanted


FAMILIES = [lw.MinHash(64), lw.MinHash(64, "mul64", 3, 2, "characters"), lw.MinHash(64, "buckets", width=1),
            lw.MinHash(64, "mod61", parameters=(list(range(5, 69)), list(range(64))))]


@pytest.mark.parametrize("minhash", FAMILIES, ids=lambda minhash: minhash.family)
@pytest.mark.parametrize("n_threads", [1, 3])
def test_many_texts_are_one_by_one(minhash, n_threads, numpy_or_not):
    rng = random.Random(5)
    texts = ["".join(rng.choices("ab c", k=rng.randrange(300))) for _ in range(40)] + ["", "x " * 40_000, "é", "word " * 30_000]
    rng.shuffle(texts)
    lw.set_num_threads(n_threads)
    try:
        rows = minhash.sign_many(texts)
    finally:
        lw.set_num_threads(1)
    flat = list(rows) if isinstance(rows, array.array) else rows.reshape(-1).tolist()
    mask = M32 if minhash.family == "mod61" else M64
    for i, text in enumerate(texts):
        one = list(minhash.sign(text))
        assert flat[64 * i : 64 * i + 64] == one
        width = {"mul32": 3, "mod61": 3, "mul64": 2, "buckets": 1}[minhash.family]
        hashes = lw.shingles(text, width, "characters" if minhash.family == "mul64" else "words")
        assert list(minhash.sign_hashes([int(x) & mask for x in hashes])) == one
    assert len(minhash.sign_many([])) == 0


def test_signatures_compare(numpy_or_not):
    rng = random.Random(6)
    shared, first, second = ([rng.getrandbits(64) for _ in range(n)] for n in (3000, 1000, 1000))
    for minhash in (lw.MinHash(512), lw.MinHash(512, "mul64"), lw.MinHash(512, "buckets")):
        a, b, both = (minhash.sign_hashes(hashes) for hashes in (shared + first, shared + second, shared + first + second))
        similarity = minhash.similarity(a, b)
        assert abs(similarity - 0.6) < 5 * (0.6 * 0.4 / 512) ** 0.5
        assert similarity == sum(x == y for x, y in zip(a, b)) / 512
        matches = list(minhash.matches(a, [a, b]))
        assert matches == [512, round(512 * similarity)]
        if minhash.family == "buckets":
            with pytest.raises(ValueError, match="merged"):
                minhash.merge(a, b)
        else:
            assert list(minhash.merge(a, b)) == list(both) and list(a) != list(both)
    for rows in ([list(a), b], list(a) + list(b), array.array("I", list(a) + list(b)), (a, b)):
        assert list(minhash.matches(a, rows)) == matches
    assert list(minhash.matches(a, [])) == []
    if _library.numpy() is not None:
        wide = np.zeros((2, 600), np.uint32)
        wide[:, :512] = [a, b]
        for rows in (wide[:, :512], wide[:, :512].astype(np.int64), memoryview(np.array([a, b]))):
            assert list(minhash.matches(a, rows)) == matches


def test_those_of_datasketch():
    datasketch = pytest.importorskip("datasketch")
    words = [f"word{i}".encode() for i in range(300)]
    for scheme, family in (("legacy", "mod61"), ("affine32", "mul32")):
        try:
            theirs = datasketch.MinHash(64, seed=9, scheme=scheme)
        except TypeError:  # before 2.0
            if scheme == "affine32":
                continue
            theirs = datasketch.MinHash(64, seed=9)
        theirs.update_batch(words)
        hashes = np.array([theirs.hashfunc(word) for word in words], np.uint32)
        if scheme == "affine32":
            for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
                hashes = (hashes ^ hashes >> np.uint32(shift)) * np.uint32(factor)
            hashes ^= hashes >> np.uint32(16)
        ours = lw.MinHash(64, family, parameters=tuple(theirs.permutations))
        assert ours.sign_hashes(hashes).tolist() == theirs.digest().tolist()


@given(HASHES, st.data())
@settings(deadline=None, max_examples=150)
def test_simhash_is_the_majority(hashes, data):
    weights = data.draw(st.lists(st.integers(0, 65535), min_size=len(hashes), max_size=len(hashes)))
    for number, times in ((lw.SimHash.sign_hashes(hashes), [1] * len(hashes)), (lw.SimHash.sign_hashes(hashes, weights), weights)):
        counts = [sum(n for x, n in zip(hashes, times) if x >> bit & 1) for bit in range(64)]
        assert number == sum(1 << bit for bit, count in enumerate(counts) if 2 * count > sum(times))
    near = lw.SimHash.distances(M64 // 3, hashes)
    assert near.tolist() == [(x ^ M64 // 3).bit_count() for x in hashes] == [lw.SimHash.distance(x, M64 // 3) for x in hashes]


def test_simhash_of_texts(numpy_or_not):
    simhash = pickle.loads(pickle.dumps(lw.SimHash(2, "words")))
    texts = [f"one two three {i} " * i for i in range(30)] + [""]
    lw.set_num_threads(2)
    try:
        many = [int(number) for number in simhash.sign_many(texts)]
    finally:
        lw.set_num_threads(1)
    assert many == [simhash.sign(text) for text in texts] == [lw.SimHash.sign_hashes(lw.shingles(text, 2)) for text in texts]
    assert list(simhash.sign_many([])) == [] and many[-1] == 0
    words = [f"w{i}" for i in range(300)]
    near, far = words[:150] + ["x"] + words[151:], words[::-1]
    number = simhash.sign(" ".join(words))
    assert simhash.distance(number, simhash.sign(" ".join(near))) < 10 < simhash.distance(number, simhash.sign(" ".join(far)))


# --------------------------------------------------------------------- LSH


@given(st.lists(st.lists(st.integers(0, 2), min_size=8, max_size=8), max_size=30), st.lists(st.integers(0, 2), min_size=8, max_size=8),
       st.sampled_from([0.5, 0.75, 1.0]), st.sampled_from([(4, 2), (2, 3), (8, 1), (1, 8)]))
@settings(deadline=None, max_examples=200)
def test_lsh_finds_what_agrees_in_a_band(signatures, query, threshold, bands):
    n_bands, n_rows = bands

    def similarity(a, b):
        return sum(x == y for x, y in zip(a, b)) / 8

    def candidates(items, query):
        return [i for i, row in items if any(row[j * n_rows : (j + 1) * n_rows] == query[j * n_rows : (j + 1) * n_rows] for j in range(n_bands))]

    lsh = lw.LSH(8, threshold, n_bands, n_rows, bucket_items=1000)
    assert (lsh.n_bands, lsh.n_rows, len(lsh)) == (n_bands, n_rows, 0)
    half = len(signatures) // 2
    assert [lsh.add(row) for row in signatures[:half]] == list(range(half))
    assert lsh.add_many(signatures[half:]) == range(half, len(signatures))
    wanted = candidates(list(enumerate(signatures)), query)
    assert lsh.candidates(query).tolist() == wanted
    near = sorted(((i, similarity(signatures[i], query)) for i in wanted if similarity(signatures[i], query) >= threshold),
                  key=lambda pair: (-pair[1], pair[0]))
    assert lsh.find(query) == near and lsh.find(np.array(query, np.uint32), 2) == near[:2]
    assert lsh.find(query, similarity=lambda i: similarity(signatures[i], query)) == near
    assert lsh.find(query, 1, similarity=lambda i: 0.0) == []
    # Keeping the first, by either way.
    for own in (False, True):
        lsh, kept = lw.LSH(8, threshold, n_bands, n_rows, bucket_items=1000), []
        for row in signatures:
            like = {i: similarity(signatures[kept[i]], row) for i in candidates([(i, signatures[j]) for i, j in enumerate(kept)], row)}
            best = min(((-value, i) for i, value in like.items() if value >= threshold), default=None)
            found = lsh.keep_first(row, like.__getitem__ if own else None)
            assert found == (None if best is None else (best[1], -best[0]))
            if best is None:
                kept.append(signatures.index(row))
        assert len(lsh) == len(kept)


def test_near_duplicates(numpy_or_not):
    rng = random.Random(8)
    base = [[f"w{rng.randrange(5000)}" for _ in range(200)] for _ in range(20)]
    texts, wanted = [], []
    for number, words in enumerate(base):
        for version in range(4):
            changed = words[:]
            if version:
                changed[10 * version] = "changed"
            texts.append(" ".join(changed))
            wanted.append(4 * number)
    assert [int(first) for first in lw.near_duplicates(texts, 0.8)] == wanted
    assert [int(first) for first in lw.near_duplicates(iter(texts), 1.0, width=1)] != wanted
    assert list(lw.near_duplicates([])) == [] and list(lw.near_duplicates(["", "a", "A", ".", "b"])) == [0, 1, 1, 3, 4]


def test_lsh_says_that_it_cannot_be_copied():
    for call in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="keep the signatures"):
            call(lw.LSH())


@pytest.mark.parametrize("call", [
    lambda: lw.shingles("a", 0), lambda: lw.shingles("a", 33), lambda: lw.shingles("a", unit="x"), lambda: lw.shingles("a", seed=-1),
    lambda: lw.MinHash(0), lambda: lw.MinHash(4097, "buckets"), lambda: lw.MinHash(8, "x"), lambda: lw.MinHash(8, "mod61"),
    lambda: lw.MinHash(8, width=0), lambda: lw.MinHash(8, seed=2**64), lambda: lw.MinHash(2, parameters=([1, 2], [3, 4])),
    lambda: lw.MinHash(2, parameters=([1], [3])), lambda: lw.MinHash(2, "buckets", parameters=([1, 1], [3, 3])),
    lambda: lw.MinHash(1, "mod61", parameters=([2**61], [1])), lambda: lw.MinHash(1, parameters=([2**32], [1])),
    lambda: lw.MinHash(4).similarity([1, 2, 3], [1, 2, 3, 4]), lambda: lw.MinHash(4).matches([1, 2, 3, 4], [1, 2, 3]),
    lambda: lw.MinHash(4).matches([1, 2, 3, 4], np.zeros((2, 3), np.uint32)), lambda: lw.MinHash(1).similarity([-1], [1]),
    lambda: lw.MinHash(1).similarity([1.0], np.ones(1)), lambda: lw.SimHash.sign_hashes([1, 2], [1]), lambda: lw.SimHash(width=0),
    lambda: lw.LSH(0), lambda: lw.LSH(threshold=0), lambda: lw.LSH(threshold=float("nan")), lambda: lw.LSH(8, n_bands=3, n_rows=3),
    lambda: lw.LSH(bucket_items=-1), lambda: lw.LSH(8).add([1] * 7), lambda: lw.LSH(8).add_many([[1] * 8, [1] * 7]),
    lambda: lw.LSH(8).find([1] * 8, 0),
])
def test_what_is_refused(call):
    with pytest.raises((ValueError, TypeError)):
        call()


def test_types_that_are_no_texts():
    for call in (lambda: lw.MinHash().sign_many("text"), lambda: lw.MinHash().sign(1), lambda: lw.SimHash().sign_many(b"text"),
                 lambda: lw.near_duplicates("text"), lambda: lw.shingles(1)):
        with pytest.raises(TypeError):
            call()
