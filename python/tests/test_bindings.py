# SPDX-License-Identifier: Apache-2.0
"""Pairs, small elements, product quantisation, activations, evaluation, threads: against NumPy and plain Python."""

import array
import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lanewise as lw
from lanewise import _library, evaluate

RNG = np.random.default_rng(5)
ROWS = RNG.standard_normal((60, 24)).astype(np.float32)
ROWS[40:50] = ROWS[:10] + RNG.standard_normal((10, 24)).astype(np.float32) * 0.01


@pytest.fixture(params=[True, False], ids=["numpy", "no numpy"])
def numpy_or_not(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(_library, "_numpy", False)


def lists(values):
    """What may be given without NumPy."""
    return values.tolist() if _library.numpy() is None else values


# -------------------------------------------------------------------- pairs


@pytest.mark.parametrize("metric", ["dot", "cosine", "l2sq"])
def test_similarity_is_row_by_row(metric):
    one = {"dot": lw.dot, "cosine": lw.cosine, "l2sq": lw.l2sq}[metric]
    matrix = lw.similarity(ROWS, ROWS[:7], metric)
    assert matrix.shape == (60, 7)
    for i, row in enumerate(ROWS):
        assert matrix[i].tolist() == one(row, ROWS[:7]).tolist()
    out = np.zeros((60, 10), np.float32)[:, :7]
    assert lw.similarity(ROWS, ROWS[:7], metric, out=out) is out and out.tolist() == matrix.tolist()
    assert lw.similarity(ROWS, metric=metric).tolist() == lw.similarity(ROWS, ROWS, metric).tolist()
    assert lw.similarity([], ROWS).shape == (0, 60)


def test_pairs_and_duplicates(numpy_or_not):
    scores = [list(lw.cosine(row, ROWS.tolist())) for row in ROWS.tolist()]
    wanted = [(i, j) for i in range(60) for j in range(i + 1, 60) if scores[i][j] >= 0.9]
    assert len(wanted) >= 10
    found = lw.pairs(lists(ROWS), 0.9)
    assert list(zip(list(found.first), list(found.second))) == wanted
    assert list(found.score) == [scores[i][j] for i, j in wanted]
    kept = list(range(60))
    for i, j in wanted:
        if kept[i] == i and kept[j] == j:
            kept[j] = i
    assert list(lw.dedup_rows(lists(ROWS), 0.9)) == kept
    many = lw.pairs([[1.0, 0.0]] * 200, 0.5)
    assert len(many.first) == 199 * 100
    assert list(lw.pairs([], 0.5).first) == [] and list(lw.dedup_rows([], 0.5)) == []


def test_rules_of_duplicates():
    chain = [[math.cos(a), math.sin(a)] for a in (0.0, 0.3, 0.6)]
    least = math.cos(0.4)
    assert lw.dedup_rows(chain, least).tolist() == [0, 0, 2]
    assert lw.dedup_rows(chain, least, rule="transitive").tolist() == [0, 0, 1]
    for call in (lambda: lw.dedup_rows(chain, least, rule="x"), lambda: lw.pairs(chain, math.nan), lambda: lw.pairs(chain, 0, "x"),
                 lambda: lw.similarity(chain, [[1.0]]), lambda: lw.neighbours(chain, 0),
                 lambda: lw.similarity(chain, out=np.zeros((2, 3), np.float32))):
        with pytest.raises(ValueError):
            call()


@pytest.mark.parametrize("n_threads", [1, 3])
def test_many_at_once_are_one_by_one(numpy_or_not, n_threads):
    lw.set_num_threads(n_threads)
    try:
        assert lw.get_num_threads() == n_threads
        rows = lists(ROWS)
        index = lw.Index(24)
        index.add(rows)
        for hits, again, row in zip(lw.search_many(rows, rows, 5), index.search_many(rows, 5), rows):
            one = lw.search(row, rows, 5)
            assert list(hits.index) == list(one.index) == list(again.index)
            assert list(hits.score) == list(one.score) == list(again.score)
        for i, hits in enumerate(lw.neighbours(rows, 4)):
            assert list(hits.index) == [j for j in lw.search(rows[i], rows, 6).index if j != i][:4]
        texts = [f"cat{i % 7} dog{i % 5} x" for i in range(50)]
        bm25 = lw.BM25(texts)
        for hits, text in zip(bm25.search_many(texts, 3), texts):
            assert list(hits.index) == list(bm25.search(text, 3).index)
        assert [list(hits.index) for hits in lw.neighbours(rows[:2], 9)] == [[1], [0]]
        assert lw.search_many([], rows, 3) == [] and lw.neighbours([], 3) == [] and bm25.search_many([]) == []
    finally:
        lw.set_num_threads(1)
    with pytest.raises(ValueError):
        lw.set_num_threads(-1)


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2sq"])
def test_threads_divide_rows(monkeypatch, metric):
    monkeypatch.setattr("lanewise.vector._WORK_OF_THREADS", 0)
    rows = np.random.default_rng(5).standard_normal((3000, 20), np.float32)
    rows[7] = rows[2900]
    index = lw.Index(20, metric)
    index.add(rows, ids=np.arange(3000, dtype=np.uint64) * 3)
    index.make_coarse()

    def searches():
        least = index.search(rows[7], 40).score[30]
        for k, options in itertools.product((1, 10, 400, 5000), ({}, {"rows": range(0, 3000, 7)}, {"threshold": float(least)})):
            yield index.search(rows[7], k, **options)
            yield from index.search_many(rows[:2], k, **options)
            yield from index.search_many(rows[:40], 3, **options)
            yield index.search(rows[8], k, n_candidates=max(k, 20), **options)

    def bits(hits):
        return hits.index.tobytes(), hits.score.tobytes(), hits.ids.tobytes()

    expected = [bits(hits) for hits in searches()]
    try:
        for n_threads in (2, 3, 8):
            lw.set_num_threads(n_threads)
            assert [bits(hits) for hits in searches()] == expected
    finally:
        lw.set_num_threads(1)


def test_threads_after_a_fork_and_at_the_end():
    script = """
import os, lanewise as lw
rows = [[float(i), 1.0] for i in range(64)]
lw.set_num_threads(4)
before = [h.index[0] for h in lw.search_many(rows, rows, 1, "l2sq")]
child = os.fork()
after = [h.index[0] for h in lw.search_many(rows, rows, 1, "l2sq")]
assert before == after == list(range(64))
if child:
    assert os.waitpid(child, 0)[1] == 0
"""
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0


# ------------------------------------------------------------ small elements


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=70))
@settings(deadline=None)
def test_halves_are_numpys(values):
    values = np.array(values, np.float32)
    with np.errstate(over="ignore"):
        wanted = values.astype(np.float16)
    assert lw.to_half(values).tobytes() == wanted.tobytes()
    assert lw.from_half(wanted).tolist() == wanted.astype(np.float32).tolist()
    bf16 = lw.to_half(values, "bf16")
    widened = lw.from_half(bf16, "bf16")
    assert widened.tobytes() == (bf16.astype(np.uint32) << 16).astype("<u4").tobytes()
    finite = np.isfinite(widened)
    assert np.all(np.abs(widened[finite] - values[finite]) <= np.abs(values[finite]) * 2.0**-8 + 1e-40)


def test_an_index_of_rows_of_other_types():
    """Everything is as with their values as floats."""
    codes, scales = lw.quantize_int8(ROWS)
    f16, bf16 = lw.to_half(ROWS), lw.to_half(ROWS, "bf16")
    for kind, small, scale, wide in (("f16", f16, None, lw.from_half(f16)), ("bf16", bf16, None, lw.from_half(bf16, "bf16")),
                                     ("i8", codes, scales, codes * scales[:, None]), ("i8", codes, None, codes.astype(np.float32))):
        index, floats = lw.Index(24), lw.Index(24)
        assert index.add_small(small[:20], kind, None if scale is None else scale[:20]) == range(0, 20)
        assert index.add_small(small[20:], kind, None if scale is None else scale[20:]) == range(20, 60)
        floats.add(np.ascontiguousarray(wide))
        for query in ROWS[:5]:
            assert [list(part) for part in index.search(query, 9)] == [list(part) for part in floats.search(query, 9)]
    for call in (lambda: index.add_small(f16[:, :5]), lambda: index.add_small(f16, "f8"), lambda: index.add_small(f16, scale=scales),
                 lambda: index.add_small(codes, "i8", scales[:5]), lambda: index.add_small(f16[0])):
        with pytest.raises(ValueError):
            call()


def test_similarities_of_halves(numpy_or_not):
    query = lists(ROWS[3])
    for kind in ("f16", "bf16"):
        halves = lw.to_half(lists(ROWS), kind)
        if _library.numpy() is None:
            halves = [bytes(halves)[48 * i : 48 * i + 48] for i in range(60)]
        wide = [list(lw.from_half(row, kind)) for row in halves] if _library.numpy() else lw.from_half(b"".join(halves), kind)
        wide = wide if _library.numpy() else [wide[24 * i : 24 * i + 24].tolist() for i in range(60)]
        for half, full in ((lw.dot_half, lw.dot), (lw.cosine_half, lw.cosine), (lw.l2sq_half, lw.l2sq)):
            assert list(half(query, halves, kind)) == list(full(query, wide))
            assert half(query, halves[5], kind) == full(query, wide[5])
    with pytest.raises(ValueError, match="none of f16, bf16"):
        lw.to_half([1.0], "f8")
    with pytest.raises(ValueError, match="vector of 24"):
        lw.dot_half([1.0], np.zeros((2, 24), np.float16))
    with pytest.raises(ValueError):
        lw.dot_half([1.0], np.zeros((2, 1), np.float32))


def test_int8(numpy_or_not):
    codes, scales = lw.quantize_int8(lists(ROWS))
    codes = np.asarray(codes).reshape(60, 24)
    np.testing.assert_allclose(codes * np.asarray(scales)[:, None], ROWS, atol=float(np.abs(ROWS).max()) / 250)
    given = codes if _library.numpy() else [row.tobytes() for row in codes]
    wanted = (codes.astype(int) @ codes[4].astype(int)).tolist()
    assert list(lw.dot_int8(given[4], given)) == wanted
    assert lw.dot_int8(array.array("b", [1, -128]), array.array("b", [2, -128])) == 2 + 128 * 128
    assert lw.dot_int8([1, -2], [3, 4]) == -5
    with pytest.raises(ValueError):
        lw.dot_int8([1], [1, 2])
    with pytest.raises(ValueError, match="beyond int8"):
        lw.dot_int8([200], [1])


def test_small_elements_are_of_the_type_they_are_read_as():
    signed, unsigned = np.array([[1, -2], [3, 4]], np.int8), np.array([[200, 1], [2, 3]], np.uint8)
    for other in (unsigned, unsigned[0], array.array("B", [200, 1]), [unsigned[0]]):
        with pytest.raises(TypeError, match="int8 are needed"):
            lw.dot_int8(signed[0], other)
    for other in (signed[0], array.array("b", [-56, 1])):
        with pytest.raises(TypeError, match="uint8 are needed"):
            lw.dot_int8(other, signed, unsigned="first")
    with pytest.raises(TypeError, match="rows: elements of type uint8; int8 are needed"):
        lw.Index(2).add_small(unsigned, "i8")
    with pytest.raises(TypeError, match="int16"):
        lw.from_half(np.array([1], np.int16))
    # Bits are bits, and bytes are memory.
    assert list(lw.hamming(signed[0], signed)) == [0, 7]
    assert lw.dot_int8(b"\xff\x02", b"\x03\x04") == 5
    # Lists of rows have elements, not the memory of whatever they are.
    assert lw.dot_int8([1, -2], [[1, -2], [3, 4]]).tolist() == [5, -5]
    with pytest.raises(ValueError, match=r"argument\[0\]: int64"):
        lw.dot_int8([1, -2], list(np.array([[1, -2], [3, 4]])))
    assert lw.dot_int8([1, -2], [signed[0], [3, 4]]).tolist() == [5, -5]
    with pytest.raises(ValueError, match=r"second argument\[1\]: a number is negative or beyond int8"):
        lw.dot_int8([1], [[1], [200]])
    halves = np.array([[1.5, -2.0], [0.25, 65504.0]], np.float16)
    assert lw.dot_half([1.0, 2.0], [row.view(np.uint16).tolist() for row in halves]).tolist() == lw.dot_half([1.0, 2.0], halves).tolist()
    # The other order of bytes.
    for order in "<>":
        assert lw.from_half(halves.astype(order + "f2")).tolist() == halves.astype(np.float32).tolist()
        assert lw.dot_half([1.0, 2.0], halves.astype(order + "f2")).tolist() == [-2.5, 131008.25]


def test_interrupted_while_a_list_is_read():
    class Interrupted:
        def __float__(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lw.norm([1.0, Interrupted()])

    class Clears:
        def __init__(self, numbers):
            self.numbers = numbers

        def __float__(self):
            self.numbers.clear()
            return "no float"

    numbers = []
    numbers.extend([Clears(numbers)])
    with pytest.raises(ValueError, match="element 0 is no number"):
        lw.norm(numbers)


def test_text_is_no_vector():
    for call in (lambda: lw.dot("ab", [1.0, 2.0]), lambda: lw.norm("a"), lambda: lw.norm(["a", "b"]), lambda: lw.Index(2).add("ab")):
        with pytest.raises(TypeError, match="str"):
            call()


def test_int8_and_uint8(numpy_or_not):
    random = np.random.default_rng(3)
    unsigned, signed = random.integers(0, 256, (9, 70), np.uint8), random.integers(-128, 128, (9, 70), np.int8)
    unsigned[0], signed[0] = 255, -128
    rows = (unsigned, signed) if _library.numpy() else ([row.tobytes() for row in unsigned], [row.tobytes() for row in signed])
    wanted = unsigned.astype(int) @ signed.astype(int).T
    for i in range(9):
        assert list(lw.dot_int8(rows[0][i], rows[1], unsigned="first")) == wanted[i].tolist()
        assert list(lw.dot_int8(rows[1][i], rows[0], unsigned="second")) == wanted[:, i].tolist()
        assert lw.dot_int8(rows[0][i], rows[1][0], unsigned="first") == wanted[i, 0]
    assert lw.dot_int8([255, 1], [-128, 7], unsigned="first") == 255 * -128 + 7
    assert lw.dot_int8([-128, 7], [255, 1], unsigned="second") == 255 * -128 + 7
    with pytest.raises(ValueError, match="None, first, second"):
        lw.dot_int8([1], [1], unsigned="both")
    with pytest.raises(ValueError, match="vector of 2 uint8"):
        lw.dot_int8([1], [1, 2], unsigned="first")
    with pytest.raises(ValueError, match="more than 65793"):
        lw.dot_int8(bytes(65794), bytes(65794), unsigned="second")
    assert lw.dot_int8(b"\xff" * 65793, b"\x80" * 65793, unsigned="first") == 65793 * 255 * -128


def test_bf16_approx(numpy_or_not):
    halves = lw.to_half(lists(ROWS), "bf16")
    wide = np.stack([np.asarray(lw.from_half(row, "bf16")) for row in np.asarray(halves).reshape(60, 24)]).astype(float)
    given = halves if _library.numpy() else [bytes(halves)[48 * i : 48 * i + 48] for i in range(60)]
    got = np.asarray(lw.dot_bf16_approx(given[3], given))
    assert (np.abs(got - wide @ wide[3]) <= (24 / 16 + 8) * 2.0**-23 * (np.abs(wide) @ np.abs(wide[3])) + 24 * 2.0**-125).all()
    assert lw.dot_bf16_approx(given[3], given[5]) == got[5]
    with pytest.raises(ValueError, match="vector of 24"):
        lw.dot_bf16_approx(given[3][:-2] if not _library.numpy() else given[3][:-1], given)


@given(st.integers(0, 40).flatmap(lambda n: st.lists(st.binary(min_size=n, max_size=n), min_size=1, max_size=6)))
@settings(deadline=None)
def test_bits(rows):
    numbers = [int.from_bytes(row, "little") for row in rows]
    distances = [(numbers[0] ^ number).bit_count() for number in numbers]
    shares = [np.float32((numbers[0] & number).bit_count() / ((numbers[0] | number).bit_count() or 1)) for number in numbers]
    assert lw.hamming(rows[0], rows).tolist() == distances
    assert lw.jaccard_bits(rows[0], rows).tolist() == shares
    assert [lw.hamming(rows[0], row) for row in rows] == distances
    matrix = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1)
    assert lw.hamming(matrix[0], matrix).tolist() == distances
    with pytest.raises(ValueError):
        lw.hamming(rows[0] + b"x", rows)


# ------------------------------------------------------------------ quantiser


def test_pq():
    rng = np.random.default_rng(1)
    rows = (rng.standard_normal((40, 16))[rng.integers(0, 40, 600)] + 0.05 * rng.standard_normal((600, 16))).astype(np.float32)
    pq = lw.PQ(rows, 8, 16)
    assert (pq.dim, pq.n_parts, pq.n_centroids) == (16, 8, 16)
    codes = pq.encode(rows)
    decoded = pq.decode(codes)
    assert codes.shape == (600, 8) and ((decoded - rows) ** 2).mean() < 0.2 * (rows**2).mean()
    for metric, exact in (("dot", lw.dot), ("l2sq", lw.l2sq)):
        scores = pq.scores(rows[0], codes, metric)
        np.testing.assert_allclose(scores, exact(rows[0], decoded), rtol=1e-4, atol=1e-4)
        packed = pq.scores_packed(rows[0], pq.pack(codes), 600, metric)
        np.testing.assert_allclose(packed, scores, atol=float(np.abs(scores).max()) / 10)
    again = lw.PQ(rows, 8, 16)
    assert (again.encode(rows) == codes).all()
    assert lw.PQ(rows, 8, 16, start="farthest-first").encode(rows[:0]).shape == (0, 8)
    for call in (lambda: lw.PQ(rows, 5), lambda: lw.PQ(rows, 8, 0), lambda: lw.PQ([], 1), lambda: lw.PQ(rows, 8, start="x"),
                 lambda: pq.decode(codes + 16), lambda: pq.decode(codes[:, :3]), lambda: pq.scores(rows[0], codes, "cosine"),
                 lambda: pq.scores_packed(rows[0], b"", 600), lambda: lw.PQ(rows, 8, 17).pack(codes),
                 lambda: lw.PQ([[1.0, math.nan]], 1, 1)):
        with pytest.raises(ValueError):
            call()


# ---------------------------------------------------------------- activation


def test_activations(numpy_or_not):
    x = ROWS[:5] * 10
    flat = np.array([list(row) for row in np.asarray(lw.sigmoid(lists(x))).reshape(5, 24)])
    np.testing.assert_allclose(flat, 1 / (1 + np.exp(-x.astype(float))), rtol=1e-6)
    e = np.exp(x.astype(float) - x.max(1, keepdims=True))
    np.testing.assert_allclose(np.asarray(lw.softmax(lists(x))).reshape(5, 24), e / e.sum(1, keepdims=True), rtol=1e-5, atol=1e-30)
    assert list(lw.sigmoid([0.0])) == [0.5] and list(lw.softmax([])) == [] and list(lw.softmax([3.0])) == [1]
    mask = [1, 0, 1, 1, 0]
    wanted = x[[0, 2, 3]].astype(float).mean(0)
    for given_as in (mask, bytes(mask), [bool(m) for m in mask], np.array(mask)):
        np.testing.assert_allclose(lw.mean_pool(lists(x), given_as), wanted, rtol=1e-5, atol=1e-6)
    batch = lw.mean_pool([lists(x), lists(x[:2])], [mask, [0, 0]])
    np.testing.assert_allclose(np.asarray(batch).reshape(2, 24), [wanted, np.zeros(24)], rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="5 tokens"):
        lw.mean_pool(lists(x), [1])
    with pytest.raises(ValueError):
        lw.mean_pool([lists(x), lists(x[:, :3])])
    if _library.numpy() is not None:
        np.testing.assert_array_equal(lw.mean_pool(np.stack([x, x])), lw.mean_pool([x, x]))


# ---------------------------------------------------------------- evaluation


@given(st.lists(st.integers(0, 30), unique=True, max_size=20), st.dictionaries(st.integers(0, 30), st.integers(0, 3), max_size=12),
       st.integers(1, 25))
@settings(deadline=None)
def test_rankings(index, gains, k):
    relevant = {d for d, gain in gains.items() if gain > 0}
    top, n = index[:k], len(relevant)
    ranks = [i for i, d in enumerate(top, 1) if d in relevant]
    best = sum(gain / math.log2(1 + i) for i, gain in enumerate(sorted(gains.values(), reverse=True)[:k], 1))
    wanted = (sum(gains.get(d, 0) / math.log2(1 + i) for i, d in enumerate(top, 1)) / best if best else 0,
              sum(j / rank for j, rank in enumerate(ranks, 1)) / n if n else 0, 1 / ranks[0] if ranks else 0,
              len(ranks) / k if n else 0, len(ranks) / n if n else 0)
    found = evaluate.ranking(index, gains, k)
    assert found[:5] == pytest.approx(wanted, rel=1e-12) and found.n_relevant == n
    means = evaluate.rankings([index, index, [1]], [gains, gains, {}], k)
    assert means[:5] == pytest.approx(wanted, rel=1e-12) and means.n_relevant == 2 * n


WORDS = st.lists(st.sampled_from("the cat sat on a mat. dog ßig x".split()), max_size=12).map(" ".join)


def split(text):
    return [w.text for w in lw.words(text)]


@given(WORDS, WORDS)
@settings(deadline=None)
def test_word_overlap(a, b):
    x, y = set(split(a)), set(split(b))
    assert evaluate.overlap(a, b) == len(x & y)
    assert evaluate.jaccard(a, b) == (len(x & y) / len(x | y) if x | y else 0)
    assert evaluate.jaccard_matrix([a, b], [b, a, ""]).tolist() == [
        [evaluate.jaccard(p, q) for q in (b, a, "")] for p in (a, b)]
    assert evaluate.overlap(evaluate.word_hashes(a), evaluate.word_hashes(b)) == len(x & y)
    assert len(evaluate.word_hashes(a, repeats=True)) == len(split(a))


@given(WORDS, st.lists(WORDS, max_size=4), st.lists(WORDS, max_size=3), st.booleans())
@settings(deadline=None)
def test_rag_metrics(answer, contexts, truths, at_least):
    def passes(value, threshold):
        return value >= threshold if at_least else value > threshold

    known = {w for c in contexts for w in split(c)}
    sentences = [s for s in (set(split(s)) for s in answer.split(".")) if s]
    supported = [passes(len(s & known) / len(s), 0.5) for s in sentences]
    assert evaluate.faithfulness(answer, contexts, at_least=at_least) == pytest.approx(sum(supported) / len(supported) if supported else 0)
    question = "the cat on mat"
    q, a = set(split(question)), set(split(answer))
    assert evaluate.answer_relevancy(question, answer) == pytest.approx(
        0.7 * len(q & a) / len(q) + 0.3 * min(1, len(a) / (2 * len(q))) if a else 0)
    same = [[passes(evaluate.jaccard(c, t), 0.7) for t in truths] for c in contexts]
    right = [any(row) for row in same] if truths else [passes(len(q & set(split(c))) / len(q), 0.3) for c in contexts]
    assert evaluate.context_precision(question, contexts, truths, at_least=at_least) == pytest.approx(
        sum(right) / len(right) if right else 0)
    recalled = [any(row[j] for row in same) for j in range(len(truths))]
    assert evaluate.context_recall(contexts, truths, at_least=at_least) == pytest.approx(
        sum(recalled) / len(recalled) if recalled else 1)


def test_what_evaluation_refuses():
    for call in (lambda: evaluate.ranking([1], {1: 1}, 0), lambda: evaluate.ranking([1], {1: math.inf}),
                 lambda: evaluate.rankings([[1]], []), lambda: evaluate.faithfulness("a", ["b"], supported=2)):
        with pytest.raises(ValueError):
            call()
    for call in (lambda: evaluate.faithfulness("a", "b"), lambda: evaluate.jaccard_matrix("a", ["b"])):
        with pytest.raises(TypeError):
            call()


# ------------------------------------------------------------- text and graph


def test_bm25_of_words():
    documents = [["Cat", "cat", "x y"], [], ["dog"], ["Cat"], [], []]
    bm25 = lw.BM25.from_words(documents, variant="okapi", k1=1.5)
    assert bm25.search(["Cat"]).index.tolist() == [3, 0]
    assert bm25.search(["x y"]).index.tolist() == [0] and bm25.search(["cat", "none"]).index.tolist() == [0]
    assert bm25.search(["Cat"], documents=[0, 1]).index.tolist() == [0]
    for call in (lambda: bm25.search("Cat"), lambda: lw.BM25.from_words(["Cat"])):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(ValueError, match="word 1 has 0 bytes"):
        lw.BM25.from_words([["a", ""]])
    with pytest.raises(NotImplementedError):
        bm25.scores("cat")
    texts = lw.BM25(["a cat", "a dog", "cat cat"])
    scores, hits = texts.scores("cat"), texts.search("cat")
    assert [scores[i] for i in hits.index] == hits.score.tolist() and scores[1] == 0
    with pytest.raises(IndexError):
        texts.search("cat", documents=[3])


def test_fuse_scores():
    a, b = ([1, 2, 3], [3.0, 2.0, 1.0]), ([3, 4], [5.0, 5.0])
    found = lw.fuse_scores([a, b], weights=[0.5, 0.25])
    assert dict(zip(found.index.tolist(), found.score.tolist())) == {1: 0.5, 2: 0.25, 3: 0.25, 4: 0.25}
    assert lw.fuse_scores([a], normalize="none").score.tolist() == [3, 2, 1]
    assert lw.fuse_scores([lw.Hits(*a), lw.Hits(*b)], 1).index.tolist() == [1]
    for call in (lambda: lw.fuse_scores([a], normalize="x"), lambda: lw.fuse_scores([([1], [math.inf])]),
                 lambda: lw.fuse_scores([([1], [])]), lambda: lw.fuse_scores([a], weights=[])):
        with pytest.raises(ValueError):
            call()


def test_graph_paths():
    graph = lw.Graph([0, 1, 2, 0], [1, 2, 3, 3], n_nodes=5)
    assert graph.path(0, 3) == [0, 3] and graph.path(1, 3) == [1, 2, 3] and graph.path(3, 0) == [] and graph.path(4, 4) == [4]
    assert graph.betweenness(normalized=False).tolist() == [0, 1, 1, 0, 0]
    assert graph.betweenness().tolist() == pytest.approx([0, 1 / 12, 1 / 12, 0, 0])
    with pytest.raises(ValueError, match="target: 5"):
        graph.path(0, 5)


@given(st.lists(st.none() | st.integers(0, 12), max_size=12))
@settings(deadline=None)
def test_parents_come_first(parents):
    order = lw.parent_order(parents).tolist()
    assert sorted(order) == list(range(len(parents)))
    done = set()
    for row in order:
        seen, at = {row}, parents[row]
        while at is not None and at < len(parents) and at not in seen:
            seen.add(at)
            at = parents[at]
        if at is None or at >= len(parents):  # no cycle above
            assert parents[row] is None or parents[row] >= len(parents) or parents[row] in done
        done.add(row)


def test_parent_order_of_keys_far_between():
    """Without memory for all that lie between."""
    most = 2**32 - 2
    assert lw.parent_order([most, None, 7, 10**9], keys=[1, most, 5, 7]).tolist() == [1, 0, 3, 2]
    with pytest.raises(ValueError, match="stands for no parent"):
        lw.parent_order([1], keys=[2**32 - 1])


def test_numbers_of_a_graph_are_vectors():
    for call in (lambda: lw.Graph([0, 1], [1, 0], np.ones((2, 3))), lambda: lw.Graph([0], [1]).pagerank(personalisation=np.ones((2, 2))),
                 lambda: lw.Graph([0], [1]).pagerank_many(np.ones((1, 2, 2)))):
        with pytest.raises(ValueError, match="2 dimensions"):
            call()
    with pytest.raises(ValueError, match="mask: a vector"):
        lw.mean_pool([[1.0], [2.0]], np.array([[1], [0]]))


def test_parent_order_with_keys():
    assert lw.parent_order([1, None, 0], keys=[5, 0, 1]).tolist() == [1, 2, 0]
    assert lw.parent_order([7, None, 7, None], keys=[1, 7, 2, 1]).tolist() == [1, 0, 2]
    n = 200_000
    assert lw.parent_order([*range(1, n), None]).tolist() == list(range(n))[::-1]
    with pytest.raises(ValueError):
        lw.parent_order([1], keys=[1, 2])


def test_memory_is_stable():
    import resource

    def work(n):
        for _ in range(n):
            lw.pairs(ROWS, 0.9)
            lw.neighbours(ROWS, 3)
            evaluate.faithfulness("a b. c", ["a", "b c"])
            lw.json.Partial().feed('{"a": [1')
            lw.PQ(ROWS, 4, 4)
            lw.BM25.from_words([["a", "b"]]).search(["a"])

    work(50)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work(500)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8192
