# SPDX-License-Identifier: Apache-2.0
"""SeenSet and SeenMap against Python's set and dict."""

import array
import collections
import copy
import pickle
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lanewise as lw
from lanewise import _library

M64, M128 = 2**64 - 1, 2**128 - 1
# Few different ones, and those that a table might take for something else.
HASHES = st.lists(st.one_of(st.integers(0, 40), st.sampled_from([M64, M64 - 1, 2**63]), st.integers(0, M64)), max_size=80)
WIDE = st.lists(st.one_of(st.integers(0, 20), st.sampled_from([1 << 64, M128, M64]), st.integers(0, M128)), max_size=80)
TEXTS = st.lists(st.text("ab é\n", max_size=3), max_size=80)
WAYS = [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing)),
        lambda thing: pickle.loads(pickle.dumps(thing, protocol=2))]


@pytest.fixture(params=[True, False], ids=["numpy", "no numpy"])
def numpy_or_not(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(_library, "_numpy", False)


def came_before(known, items):
    out = []
    for item in items:
        out.append(item in known)
        known.add(item)
    return out


def flags(found):
    return [bool(flag) for flag in found]


def check_like_set(seen, batches, as_given=lambda batch: batch):
    known = set()
    for batch in batches:
        assert flags(seen.contains(as_given(batch))) == [item in known for item in batch]
        assert flags(seen.insert(as_given(batch))) == came_before(known, batch)
        assert len(seen) == len(known) and bool(seen) == bool(known)


@given(st.lists(HASHES, max_size=4), st.sampled_from(["set64", "window"]))
@settings(deadline=None, max_examples=150)
def test_hashes_like_a_set(batches, kind):
    for as_given in (list, tuple, lambda batch: np.array(batch, np.uint64), lambda batch: array.array("Q", batch), iter):
        check_like_set(lw.SeenSet(kind, window=10000 * (kind == "window")), batches, as_given)


@given(st.lists(WIDE, max_size=4))
@settings(deadline=None, max_examples=100)
def test_wide_hashes_like_a_set(batches):
    check_like_set(lw.SeenSet("set128"), batches)
    check_like_set(lw.SeenSet("set128"), batches,
                   lambda batch: np.array([(x & M64, x >> 64) for x in batch], np.uint64).reshape(-1, 2))


@given(st.lists(TEXTS, max_size=4), st.sampled_from(["set64", "set128", "bloom"]))
@settings(deadline=None, max_examples=100)
def test_texts_like_a_set(batches, kind):
    # A filter as large makes no mistakes here.
    check_like_set(lw.SeenSet(kind, expected=100000 * (kind == "bloom"), seed=1), batches)
    check_like_set(lw.SeenSet(kind, expected=100000 * (kind == "bloom"), seed=1), batches,
                   lambda batch: [text.encode() for text in batch])


@given(st.lists(HASHES, max_size=4), st.integers(1, 12))
@settings(deadline=None, max_examples=150)
def test_window_is_the_last_new_ones(batches, window):
    seen, last = lw.SeenSet("window", window=window), collections.OrderedDict()
    for batch in batches:
        expected = []
        for item in batch:
            expected.append(item in last)
            last[item] = None
            if len(last) > window:
                last.popitem(last=False)
        assert flags(seen.insert(batch)) == expected
        assert len(seen) == len(last) and seen.capacity == window


@given(HASHES, HASHES)
@settings(deadline=None, max_examples=100)
def test_bloom_misses_none(known, others):
    seen = lw.SeenSet("bloom", expected=50, seed=3)
    seen.insert(known)
    assert all(seen.contains(known)) and flags(seen.insert(known)) == [True] * len(known)
    again = lw.SeenSet("bloom", expected=50, seed=3)
    again.insert(known)
    assert flags(again.contains(others)) == flags(seen.contains(others))


def test_many(numpy_or_not):
    source = random.Random(4)
    hashes = array.array("Q", (source.randrange(60000) * 0x9E3779B97F4A7C15 & M64 for _ in range(150000)))
    expected = came_before(set(), hashes)
    for kind in ("set64", "window"):
        seen = lw.SeenSet(kind, window=100000 * (kind == "window"))
        assert flags(seen.insert(hashes)) == expected and len(seen) == len(set(hashes))
    first = lw.SeenMap().insert(hashes)
    numbers = {}
    assert [numbers.setdefault(item, i) for i, item in enumerate(hashes)] == list(first)


def test_one_at_a_time(numpy_or_not):
    seen = lw.SeenSet()
    assert seen.add("a") and not seen.add("a") and seen.add(7) and "a" in seen and b"a" in seen and 7 in seen
    assert np.uint64(7) in seen and "b" not in seen and None not in seen and 1.5 not in seen
    assert not seen.add(lw.xxh3_64("a")) and len(seen) == 2
    assert seen.fresh(["b", "a", "c", "b"]) == ["b", "c"] and seen.fresh([]) == [] and seen.fresh(iter([8, 7])) == [8]
    assert seen.insert([]).tolist() == [] and repr(seen) == "<lanewise.SeenSet of 5, set64>"
    seen.clear()
    assert len(seen) == 0 and not seen and "a" not in seen
    wide = lw.SeenSet("set128")
    assert wide.add("a") and lw.xxh3_128("a") in wide and wide.add(M128) and not wide.add(M128)


def test_limits():
    seen = lw.SeenSet(max_bytes=4096)
    hashes = np.arange(1, 4000, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    with pytest.raises(lw.DataError, match=r"the set is full: items\[\d+\] is new") as failure:
        seen.insert(hashes)
    n = failure.value.offset
    assert n == len(seen) == seen.capacity and seen.n_bytes == 4096
    assert all(seen.insert(hashes[:n])) and not any(seen.contains(hashes[n:]))
    seen = lw.SeenSet(max_bytes=8192, when_full="forget")
    assert not any(seen.insert(hashes)) and seen.n_bytes == 8192
    assert all(seen.contains(hashes[-(seen.capacity // 2) :])) and not seen.contains(hashes[:1])[0]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", [{}, {"kind": "set128"}, {"kind": "bloom", "expected": 1000}, {"kind": "window", "window": 50},
                                     {"max_bytes": 1 << 16}, {"max_bytes": 1 << 16, "when_full": "forget"}],
                         ids=lambda options: str(options))
def test_copies_and_files(way, options, tmp_path):
    seen = lw.SeenSet(**options)
    texts = [f"text {i % 77}" for i in range(100)]
    seen.insert(texts)
    seen.save(tmp_path / "seen")
    for again in (way(seen), lw.SeenSet.open(tmp_path / "seen")):
        assert (len(again), again.kind) == (len(seen), seen.kind)
        asked = [f"text {i}" for i in range(200)]
        assert flags(again.contains(asked)) == flags(seen.contains(asked))
        again.add("of its own")
        assert "of its own" in again and "of its own" not in seen
    assert way(seen).capacity == seen.capacity
    assert len(way(lw.SeenSet(**options))) == 0


def test_files_with_other_limits(tmp_path):
    seen = lw.SeenSet("window", window=100)
    seen.insert(range(1, 101))
    seen.save(tmp_path / "seen")
    shorter = lw.SeenSet.open(tmp_path / "seen", window=10)
    assert shorter.capacity == 10 and flags(shorter.contains([90, 91, 100])) == [False, True, True]
    everything = lw.SeenSet()
    everything.insert(range(5000))
    everything.save(tmp_path / "all")
    assert lw.SeenSet.open(tmp_path / "all", max_bytes=1 << 20).n_bytes == 1 << 20
    with pytest.raises(lw.DataError):
        lw.SeenSet.open(tmp_path / "all", max_bytes=4096)
    (tmp_path / "bad").write_bytes(b"no such file" * 100)
    with pytest.raises(lw.DataError):
        lw.SeenSet.open(tmp_path / "bad")
    with pytest.raises(OSError):
        lw.SeenSet.open(tmp_path / "there is none")


def test_errors():
    for options in ({"kind": "list"}, {"kind": "bloom"}, {"kind": "window"}, {"when_full": "x"}, {"max_bytes": 1}, {"expected": -1},
                    {"seed": 2**64}, {"kind": "bloom", "expected": 9, "bits_per_hash": 99}):
        with pytest.raises(ValueError):
            lw.SeenSet(**options)
    with pytest.raises(MemoryError):
        lw.SeenSet(expected=2**55)
    for seen in (lw.SeenSet(), lw.SeenSet("set128"), lw.SeenMap()):
        for wrong in ("text", b"bytes", 5, [1.5], [None], ["a", 1], [1, "a"]):
            with pytest.raises(TypeError):
                seen.insert(wrong)
        for wrong in ([-1], [2**128], ["\ud800"]):
            with pytest.raises(ValueError):
                seen.insert(wrong)
        assert len(seen) == 0
    with pytest.raises(ValueError):
        lw.SeenSet("set128").insert(np.arange(4, dtype=np.uint64))


@given(st.lists(TEXTS, max_size=4))
@settings(deadline=None, max_examples=100)
def test_map_like_a_dict(batches):
    seen, first, n = lw.SeenMap(), {}, 0
    for batch in batches:
        assert list(seen.insert(batch)) == [first.setdefault(text, n + i) for i, text in enumerate(batch)]
        n += len(batch)
        assert len(seen) == len(first) and bool(seen) == bool(first)


def test_map_compares(numpy_or_not):
    texts = ["a", "b", "a", "c", "b", "d"]
    seen, asked = lw.SeenMap(expected=10), []

    def equal(a, b):
        asked.append((a, b))
        return texts[a] == texts[b]

    # All of one hash.
    assert list(seen.insert([5] * 6, equal=equal)) == [0, 1, 0, 3, 1, 5] and len(seen) == 4 and asked[0] == (0, 1)
    assert list(lw.SeenMap().insert(["x", "y", "x"], [30, 20, 10])) == [30, 20, 30]
    with pytest.raises(ZeroDivisionError):
        seen.insert([5, 6], [0, 1], equal=lambda a, b: 1 // 0)
    for numbers in ([1], [1, 2**64 - 1], [1, -1]):
        with pytest.raises(ValueError):
            lw.SeenMap().insert([1, 2], numbers)
    with pytest.raises(TypeError, match="cannot be copied"):
        pickle.dumps(seen)
    assert repr(seen) == "<lanewise.SeenMap of 6>"  # what could not be compared counts as new


def test_a_map_is_not_changed_while_it_asks():
    seen = lw.SeenMap()
    seen.insert([1, 2, 3])
    with pytest.raises(RuntimeError, match="SeenMap: in use"):
        seen.insert([1], equal=lambda a, b: bool(seen.insert(range(100000)).size))
    assert len(seen) == 4 and seen.insert([2]).tolist() == [1]
