# SPDX-License-Identifier: Apache-2.0
"""Ids of an index's rows: against a dict, in results, files, copies, with and without NumPy."""

import array
import copy
import pickle
import random

import numpy as np
import pytest

import lanewise as lw
from lanewise import _library

RNG = np.random.default_rng(8)
ROWS = RNG.standard_normal((400, 12)).astype(np.float32)
NO_ID = 2**64 - 1


@pytest.fixture(params=[True, False], ids=["numpy", "no numpy"])
def numpy_or_not(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(_library, "_numpy", False)


def test_changes_as_of_a_dict(numpy_or_not, tmp_path):
    index, rows, draw = lw.Index(2), {}, random.Random(3)
    for _ in range(1500):
        id = draw.choice([draw.randrange(80), draw.randrange(NO_ID)])
        vector = [draw.uniform(-1, 1), draw.uniform(-1, 1)]
        if id not in rows:
            with pytest.raises(KeyError):
                index.find(id)
            assert index.add([vector], ids=[id]) == range(len(index) - 1, len(index))
            rows[id] = vector
        elif draw.random() < 0.5:
            index.update(id=id, values=vector)
            rows[id] = vector
        else:
            index.remove(id=id)
            del rows[id]
    index.save(tmp_path / "x")
    for one in (index, lw.Index.open(tmp_path / "x"), lw.Index.open(tmp_path / "x", verify=False), copy.copy(index)):
        assert sorted(id for id in list(one.ids) if id != NO_ID) == sorted(rows)
        for id, vector in rows.items():
            assert list(one[one.find(id)]) == array.array("f", vector).tolist()
        hits = one.search([1.0, 0.5], k=9)
        assert [one.find(id) for id in list(hits.ids)] == list(hits.index) and len(hits.ids) == 9
        for id in (NO_ID, 81, -1, 2**70):
            with pytest.raises(KeyError):
                one.find(id)


def test_results():
    index = lw.Index(12, "dot")
    names = np.arange(1000, 1400)
    assert index.add(ROWS, ids=names) == range(0, 400)
    plain = lw.Index(12, "dot")
    plain.add(ROWS)
    index.make_coarse()
    for found in (index.search(ROWS[3], 5), index.search_many(ROWS[2:4], 5)[1], index.search(ROWS[3], 5, n_candidates=400)):
        assert found.ids.dtype == np.uint64 and found.ids.tolist() == [1000 + row for row in found.index.tolist()]
        numbers, scores = found  # still two, as without ids
        assert numbers.tolist() == plain.search(ROWS[3], 5).index.tolist() and scores is found.score
        assert pickle.loads(pickle.dumps(found)).ids.tolist() == found.ids.tolist()
    assert index.search(ROWS[3], 5, rows=[index.find(1009)]).ids.tolist() == [1009]
    assert index.search(ROWS[3], 5, threshold=1e9).ids.tolist() == []
    assert plain.search(ROWS[3], 5).ids is None and plain.ids is None and lw.search(ROWS[3], ROWS, 5).ids is None
    assert lw.Index(3).ids is None and lw.Index(3).search([1, 2, 3]).ids is None
    assert lw.fuse([index.search(ROWS[3], 5)], 3).index.tolist() == plain.search(ROWS[3], 5).index.tolist()[:3]


def test_small_rows():
    index = lw.Index(12)
    index.add_small(lw.to_half(ROWS[:5]), "f16", ids=[1, 2, 3, 4, 5])
    index.add_small(lw.to_half(ROWS[:5], "bf16"), "bf16", ids=range(6, 11))
    index.add_small(np.arange(24, dtype=np.int8).reshape(2, 12), "i8", scale=[0.5, 2.0], ids=[11, 12])
    assert index.ids.tolist() == list(range(1, 13)) and index[index.find(12)].tolist() == [2.0 * i for i in range(12, 24)]
    with pytest.raises(ValueError, match="row 3 has the id 4 already"):
        index.add_small(lw.to_half(ROWS[:1]), "f16", ids=[4])
    with pytest.raises(ValueError, match="have some"):
        index.add_small(lw.to_half(ROWS[:1]), "f16")
    with pytest.raises(ValueError, match="f16 has none"):
        index.add_small(lw.to_half(ROWS[:1]), "f16", scale=[1.0], ids=[50])


@pytest.mark.parametrize("ids, message", [
    ([1, 2], "2 for 3 rows"), ([], "0 for 3 rows"), ([1, 2, 1], r"ids\[2\]: 1 is ids\[0\] too"), ([5, 7, 6], r"ids\[1\]: row 1 has the id 7"),
    ([1, NO_ID, 3], "stands for no id"), ([1, 2**64, 3], "beyond uint64"), ([1, -1, 3], "negative"), (np.array([1, -2, 3]), "negative"),
    (np.array([1.0, 2.0, 3.0]), "integers"), (np.array([[1, 2, 3]]), "integers"), (None, "have some"),
])
def test_wrong_ids(ids, message):
    index = lw.Index(12)
    index.add(ROWS[:2], ids=[9, 7])
    with pytest.raises(ValueError, match=message):
        index.add(ROWS[:3], ids=ids)
    assert len(index) == 2 and index.ids.tolist() == [9, 7]
    with pytest.raises(KeyError):
        index.find(5)


def test_wrong_use():
    index = lw.Index(12)
    index.add(ROWS[:2], ids=[9, 7])
    for wrong in (lambda: index.update(values=ROWS[0]), lambda: index.update(1, ROWS[0], id=7), lambda: index.remove(), lambda: index.remove(1, id=7)):
        with pytest.raises(TypeError):
            wrong()
    index.remove(id=7)
    index.remove(1)
    with pytest.raises(KeyError):
        index.remove(id=7)
    with pytest.raises(KeyError):
        index.update(id=7, values=ROWS[0])
    with pytest.raises(ValueError, match="row 1 was removed"):
        index.update(1, ROWS[0])
    assert index.add(ROWS[:1], ids=[7]) == range(2, 3) and index.ids.tolist() == [9, NO_ID, 7]
    again = pickle.loads(pickle.dumps(index))
    assert again.ids.tolist() == [9, NO_ID, 7] and again.search(ROWS[0], 5).ids.tolist() == [9, 7]
    plain = lw.Index(12)
    plain.add(ROWS[:2])
    with pytest.raises(ValueError, match="have none"):
        plain.add(ROWS[:1], ids=[1])
    plain.add([], ids=[])
    with pytest.raises(KeyError):
        plain.find(0)
