# SPDX-License-Identifier: Apache-2.0
"""The Python package against plain Python and NumPy, and what it refuses."""

import array
import base64
import math
import os
import pathlib
import re
import subprocess
import sys
import threading
import unicodedata
from datetime import datetime, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lanewise as lw
from lanewise import _library
from lanewise.text import VARIANTS

NUMBERS = st.floats(-1e6, 1e6, width=32)


def vectors(dim):
    return st.lists(NUMBERS, min_size=dim, max_size=dim)


# ------------------------------------------------------------------ vectors


@given(st.integers(1, 70).flatmap(lambda dim: st.tuples(vectors(dim), st.lists(vectors(dim), min_size=1, max_size=5))))
@settings(deadline=None, max_examples=60)
def test_similarities_are_numpys(case):
    query, rows = np.array(case[0], np.float32), np.array(case[1], np.float32)
    wide = rows.astype(float) @ query.astype(float)
    scale = np.abs(rows.astype(float)) @ np.abs(query.astype(float))
    np.testing.assert_array_less(np.abs(lw.dot(query, rows) - wide), scale * 1e-6 + 1e-30)
    np.testing.assert_allclose(lw.l2sq(query, rows), ((rows.astype(float) - query) ** 2).sum(1), rtol=1e-5, atol=1e-30)
    for row, one in zip(rows, lw.cosine(query, rows)):
        assert lw.cosine(query, row) == one


def test_every_kind_of_memory_gives_the_same_bits():
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((20, 33)).astype(np.float32)
    query = rows[3]
    expected = bytes(lw.cosine(query, rows))
    wide = np.zeros((20, 40), np.float32)
    wide[:, :33] = rows
    for q in (query, query.tolist(), tuple(query.tolist()), array.array("f", query), memoryview(query), query.astype(float)):
        for r in (rows, rows.tolist(), memoryview(rows), np.asfortranarray(rows), rows.astype(float), wide[:, :33], list(rows),
                  [array.array("f", row) for row in rows]):
            assert bytes(lw.cosine(q, r)) == expected
    out = array.array("f", bytes(80))
    assert lw.cosine(query, rows, out=out) is out
    assert bytes(out) == expected
    assert lw.dot([1, 2], [3.0, True]) == 5
    assert lw.norm([3, 4]) == 5
    assert list(lw.norm([[3, 4], [0, 0]])) == [5, 0]


def test_pointers_keep_copies_alive():
    for given in (np.arange(1000.0), np.arange(2000, dtype=np.float32)[::2] / 2, list(range(1000)), array.array("d", range(1000))):
        address = _library.floats(given, "given").pointer
        others = [np.full(1000, 7, np.float32) for _ in range(20)]
        assert _library.ffi.unpack(address, 1000) == list(range(1000)) and len(others) == 20


def test_normalize():
    rows = np.array([[3, 4], [0, 0], [1e25, 0], [0, 1e-25]], np.float32)
    copy = lw.normalize(rows)
    assert copy.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0], [1, 0], [0, 1]]
    assert rows[0, 0] == 3
    assert lw.normalize(rows, in_place=True) is rows
    assert rows.tolist() == copy.tolist()
    with pytest.raises(TypeError):
        lw.normalize([1, 2], in_place=True)


@pytest.mark.parametrize("call, message", [
    (lambda: lw.dot([1, 2], [1, 2, 3]), "3 dimensions, the first has 2"),
    (lambda: lw.dot([[1]], [1]), "a matrix where a vector"),
    (lambda: lw.dot([1, "x"], [1, 2]), "element 1 is no number"),
    (lambda: lw.dot([1, 2], [[1, 2], [1]]), "row 1 has 1 numbers, the first has 2"),
    (lambda: lw.dot([1, 2], [[1, 2], 3]), "row 1 is no list"),
    (lambda: lw.dot([1, 2], np.zeros((2, 2, 2), np.float32)), "3 dimensions"),
    (lambda: lw.dot([1], np.array(["x"])), "elements of type"),
    (lambda: lw.cosine([1.0], [[1.0]], out=np.zeros(2, np.float32)), "a vector of 1 float32"),
    (lambda: lw.topk([1], 0), "k: 0"),
    (lambda: lw.search([1], [[1]], 1, metric="x"), "'x' is none of dot, cosine, l2sq"),
    (lambda: lw.Index(0), "argument"),
    (lambda: lw.dot([1, 2], [np.zeros(2, np.float32), np.zeros(3)]), r"argument\[1\]: no vector of 2"),
    (lambda: lw.Index(2).add([[1, 2, 3]]), "3 dimensions instead of 2"),
])
def test_what_vectors_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_lists_that_change_while_they_are_read():
    class Trap:
        def __float__(self):
            rows.clear()
            row.clear()
            return 1.0

    row = [Trap(), 2.0]
    rows = [row, [1.0, 2.0]]
    with pytest.raises(ValueError):
        lw.dot([1, 2], rows)


@given(st.lists(st.floats(width=32), max_size=200), st.integers(1, 250))
@settings(deadline=None, max_examples=60)
def test_topk_sorts(scores, k):
    found = lw.topk(array.array("f", scores), k)
    order = sorted(range(len(scores)), key=lambda i: (math.isnan(scores[i]), 0 if math.isnan(scores[i]) else -scores[i], i))
    assert found.index.tolist() == order[:k]


def test_index(tmp_path):
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((500, 24)).astype(np.float32)
    for metric in ("cosine", "dot", "l2sq"):
        index = lw.Index(24, metric)
        assert index.search(rows[0]).index.tolist() == []
        assert index.add(rows[:300]) == range(0, 300)
        assert index.add(rows[300:]) == range(300, 500)
        assert len(index) == 500 and index.dim == 24 and index.metric == metric
        index.remove(7)
        index.update(8, rows[9])
        changed = rows.copy()
        changed[7] = np.nan
        changed[8] = rows[9]
        expected = lw.search(rows[9], changed, 11, metric)
        found = index.search(rows[9], 11)
        assert (found.index.tolist(), found.score.tolist()) == (expected.index.tolist(), expected.score.tolist())
        assert [h.index.tolist() for h in index.search_many(rows[9:11], 11)][0] == expected.index.tolist()
        assert sorted(index.search(rows[9], 11, rows=[3, 400, 5]).index.tolist()) == [3, 5, 400]
        index.save(tmp_path / "x")
        opened = lw.Index.open(tmp_path / "x")
        assert opened.search(rows[9], 11).score.tolist() == expected.score.tolist()
        np.testing.assert_array_equal(opened[9], rows[9])
        with pytest.raises(NotImplementedError):
            opened.add(rows)
        with pytest.raises(IndexError):
            index.remove(500)
        with pytest.raises(IndexError):
            index.search(rows[0], rows=[500])
    with pytest.raises(OSError):
        lw.Index.open(tmp_path / "absent")
    (tmp_path / "bad").write_bytes(b"no index" * 100)
    with pytest.raises(ValueError):
        lw.Index.open(tmp_path / "bad")


# ------------------------------------------------------------------- search

TEXTS = ["The cat sat on the mat.", "A dog sat.", "", "Straße und Haus", "cat cat dog"]


def test_words_and_offsets():
    assert [w.text for w in lw.words("Don't, STRASSE-Straße 3.14 日本")] == ["don", "t", "strasse", "strasse", "3", "14", "日", "本"]
    text = "äö Wort 日本"
    assert [(text[w.begin : w.end]) for w in lw.words(text)] == ["äö", "Wort", "日", "本"]
    assert [w.begin for w in lw.words(text.encode())] == [0, 5, 10, 13]
    with pytest.raises(ValueError, match="surrogate at 1"):
        lw.words("a\ud800")
    assert np.linalg.norm(lw.embed("some words", 64)) == pytest.approx(1)


def test_bm25_is_the_formula(tmp_path):
    bm25 = lw.BM25(TEXTS)
    documents = [[w.text for w in lw.words(t)] for t in TEXTS]
    average = sum(map(len, documents)) / len(documents)
    scores = []
    for number, words in enumerate(documents):
        score = 0.0
        for term in ("cat", "dog"):
            n, tf = sum(term in d for d in documents), words.count(term)
            if tf:
                idf = math.log(1 + (len(documents) - n + 0.5) / (n + 0.5))
                score += idf * tf / (tf + 1.2 * (1 - 0.75 + 0.75 * len(words) / average))
        if score:
            scores.append((-score, number))
    found = bm25.search("Cat DOG", 10)
    assert found.index.tolist() == [number for _, number in sorted(scores)]
    assert found.score.tolist() == pytest.approx([-score for score, _ in sorted(scores)], rel=1e-6)
    bm25.save(tmp_path / "b")
    assert lw.BM25.open(tmp_path / "b").search("cat dog").score.tolist() == found.score.tolist()
    assert bm25.search("nothing known").index.tolist() == []
    assert len(lw.BM25([])) == 0 and lw.BM25([]).search("x").index.tolist() == []
    with pytest.raises(ValueError, match="out of range"):
        lw.BM25([], b=2)
    for variant in VARIANTS:
        assert lw.BM25(TEXTS, variant=variant).search("straße").index.tolist() == [3]


@given(st.lists(st.lists(st.integers(0, 30), max_size=20), max_size=4), st.integers(1, 40))
@settings(deadline=None, max_examples=60)
def test_fuse_is_the_formula(rankings, k):
    scores = {}
    for ranking in rankings:
        best = {}
        for rank, number in enumerate(ranking, 1):
            best.setdefault(number, rank)
        for number, rank in best.items():
            scores[number] = scores.get(number, 0) + 1 / (60 + rank)
    found = lw.fuse(rankings, k)
    assert len(found.index) == min(k, len(scores))
    for number, score in zip(found.index.tolist(), found.score.tolist()):
        assert score == pytest.approx(scores[number], rel=1e-6)


# --------------------------------------------------------------------- scan


@given(st.lists(st.text("abä", min_size=1, max_size=3), min_size=1, max_size=4), st.text("abcä", max_size=40))
@settings(deadline=None, max_examples=80)
def test_overlapping_matches_are_all_there(patterns, text):
    expected = sorted((end, begin, number) for number, pattern in enumerate(patterns) for begin in range(len(text))
                      for end in [begin + len(pattern)] if text[begin:end] == pattern)
    patterns = lw.PatternSet(patterns)
    assert [(m.end, m.begin, m.pattern) for m in patterns.find_all(text, "overlapping")] == expected
    assert patterns.count(text, "overlapping") == len(expected)
    assert patterns.present(text) == sorted({number for _, _, number in expected})
    first = patterns.first(text, "overlapping")
    assert (None if first is None else (first.end, first.begin, first.pattern)) == (expected[0] if expected else None)


def test_scan_options():
    assert lw.PatternSet(["Cat"], ignore_case=True).count("cat CAT concat") == 3
    assert lw.PatternSet(["cat"]).count("cat concat", whole_word=True) == 1
    stream = lw.PatternSet([b"abc"]).stream("standard")
    assert stream.feed(b"xxab") == [] and stream.safe == 2
    assert stream.feed(b"c") == [lw.Match(0, 2, 5)] and stream.finish() == []
    with pytest.raises(ValueError, match="finished"):
        stream.feed(b"x")
    with pytest.raises(ValueError, match="pattern"):
        lw.PatternSet(["a", ""])
    with pytest.raises(ValueError, match="none of"):
        lw.PatternSet(["a"]).count("a", "some")
    with pytest.raises(TypeError):
        lw.PatternSet([1])


def test_stream_filter_for_every_cut():
    text = "Grüße <think>secret ß</think>answer <thin air"
    for cut in range(len(text.encode()) + 1):
        data = text.encode()
        stream = lw.StreamFilter()
        assert stream.feed(data[:cut]) + stream.feed(data[cut:]) + stream.finish() == "Grüße answer <thin air"
    assert lw.cut(text) == "Grüße answer <thin air"
    stream = lw.StreamFilter([("[", "]")], nested=True)
    kinds = [(p.kind, p.text) for p in stream.parts("a[b[c]d]e") + stream.finish_parts()]
    assert kinds == [("outside", "a"), ("start", "["), ("inside", "b"), ("start", "["), ("inside", "c"), ("end", "]"),
                     ("inside", "d"), ("end", "]"), ("outside", "e")]
    with pytest.raises(ValueError):
        lw.StreamFilter([("", "x")])


# -------------------------------------------------------------------- dedup


@given(st.lists(st.sampled_from(["a", "b", "", "ä", "long line"]), max_size=20), st.integers(0, 50))
@settings(deadline=None, max_examples=60)
def test_lines_stay_once(lines, cut):
    text = "\n".join(lines)
    whole = text.encode()
    dedup = lw.Deduplicator()
    units = dedup.feed(whole[:cut]) + dedup.feed(whole[cut:]) + dedup.finish()
    lines = whole.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    assert [whole[u.begin : u.end] for u in units] == lines
    assert [u.first for u in units] == [lines.index(line) for line in lines]


def test_dedup_of_texts():
    assert lw.unique_lines("a\nb\na\nc") == "a\nb\nc"
    assert lw.unique_lines("A  b\na B\nc\n", lower=True, collapse=True) == "A  b\nc\n"
    assert lw.unique_blocks("p\n\nq\n\np\n\nr") == "p\n\nq\n\nr"
    assert lw.unique_blocks(b"p\n\n\xff\n\np", b"--") == b"p--\xff" and lw.unique_lines(bytearray(b"a\na\nb")) == b"a\nb"
    long = "\u00e9 line\n" * 5000
    assert lw.unique_lines(long) == "\u00e9 line\n" and lw.unique_blocks(long + "\n" + long, trim=True, collapse=True) == long[:-1]
    for wrong in ({"mode": "x"}, {"whitespace": "x"}, {"max_bytes": 1}):
        with pytest.raises(ValueError):
            lw.unique_blocks("a", **wrong)
    for call in (lambda: lw.unique_lines(1), lambda: lw.unique_lines("a", window="1"), lambda: lw.unique_blocks("a", separator=3)):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(ValueError, match="surrogate"):
        lw.unique_lines("\ud800")
    with pytest.raises(ValueError, match="none of lines, blocks"):
        lw.Deduplicator("words")


@pytest.mark.skipif(unicodedata.unidata_version != "14.0.0", reason="another version of Unicode")
def test_every_character_is_folded_as_pythons():
    every = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000)
    assert lw.normalize_text(every, collapse=False, trim=False, fold=True) == every.casefold()


@given(st.text("aZ ß\u1e9eÉé\u0390\u0130ЖжΣς\ufb03Ⓐ\n", max_size=40), st.integers(0, 80))
@settings(deadline=None, max_examples=200)
def test_folded_lines_are_pythons(text, cut):
    assert lw.normalize_text(text, collapse=False, trim=False, fold=True) == text.casefold()
    assert lw.normalize_text(text, fold=True) == " ".join(text.casefold().split())
    data = text.encode()
    dedup = lw.Deduplicator(fold=True)
    units = dedup.feed(data[:cut]) + dedup.feed(data[cut:]) + dedup.finish()
    lines = [data[u.begin : u.end].decode().casefold() for u in units]
    assert [u.first for u in units] == [lines.index(line) for line in lines]


def test_folded_texts():
    assert lw.unique_lines("ÉTÉ\nété\n", fold=True) == "ÉTÉ\n" and lw.unique_lines("ÉTÉ\nété\n", lower=True) == "ÉTÉ\nété\n"
    assert lw.unique_blocks("Straße\n\nSTRASSE\n\nx", fold=True) == "Straße\n\nx"
    assert lw.unique_lines(b"\xff\xc3\x89\n\xff\xc3\xa9\n\xfe\n", fold=True) == b"\xff\xc3\x89\n\xfe\n"


def test_hashes_and_loops():
    assert lw.xxh3_64(b"") == 0x2D06800538D394C2
    assert lw.xxh3_128(b"") == 0x99AA06D3014798D86001C324468D497F
    strings = [os.urandom(n) for n in range(300)]
    assert lw.xxh3_64_batch(strings, 5).tolist() == [lw.xxh3_64(s, 5) for s in strings]
    loop = lw.LoopDetector(1, 16, 3)
    assert loop.push([9, 1, 2, 3, 1, 2, 3, 1, 2]) == 0 and loop.push(3) == 3
    with pytest.raises(ValueError, match="beyond uint32"):
        loop.push([2**32])


# -------------------------------------------------------------------- bytes


@given(st.binary(max_size=200), st.booleans(), st.booleans())
@settings(deadline=None)
def test_base64_is_pythons(data, url, padded):
    expected = (base64.urlsafe_b64encode if url else base64.b64encode)(data).decode()
    text = lw.b64encode(data, url, padded)
    assert text == (expected if padded else expected.rstrip("="))
    assert lw.b64decode(text, url, padded) == data


@given(st.binary(max_size=50))
@settings(deadline=None)
def test_utf8_is_pythons(data):
    try:
        expected = len(data.decode()), len(data)
    except UnicodeDecodeError as error:
        expected = None, error.start
    assert lw.utf8_valid_prefix(data) == expected[1]
    if expected[0] is not None:
        assert lw.utf8_count(data) == expected[0]


def test_utf8_is_of_bytes():
    for words in np.array([0x41414141, 0xFF], np.uint32), array.array("I", [0x41414141, 0xFF]):
        assert lw.utf8_valid_prefix(words) == 4
        assert lw.utf8_count(memoryview(words)[:1]) == 4


def test_flags_are_true_or_false():
    for true in 1, 2, 4, 2**40:
        assert lw.b64encode(b"\xff", url=true) == "_w=="
        assert lw.b64decode("_w==", url=true) == b"\xff"
        assert lw.normalize_text(" A  b ", collapse=true, lower=0, trim=0, strip_control=true) == " A b "


def test_base64_errors_have_offsets():
    with pytest.raises(lw.DataError) as caught:
        lw.b64decode("AA!A")
    assert caught.value.offset == 2


def test_events():
    text = ": hi\r\nevent: delta\ndata: {\"a\"\ndata: :1}\nid: 7\nretry: 9\n\ndata: ß\n\n".encode()
    for cut in range(len(text)):
        stream = lw.EventStream()
        assert stream.feed(text[:cut]) + stream.feed(text[cut:]) == [
            lw.Event('{"a"\n:1}', "delta", "7", 9), lw.Event("ß", "message", "7", 9)]
    with pytest.raises(ValueError):
        lw.EventStream(10).feed("data: " + "x" * 100)


@given(st.datetimes(datetime(1678, 1, 1), datetime(2261, 12, 31)))
@settings(deadline=None)
def test_timestamps_are_pythons(moment):
    moment = moment.replace(tzinfo=timezone.utc)
    exact = (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // (datetime.resolution) * 1000
    text = moment.isoformat()
    assert lw.parse_timestamp(text) == exact
    assert lw.parse_timestamp(text, float_rounding=True) == int(datetime.fromisoformat(text).timestamp() * 1_000_000_000)
    assert lw.parse_timestamp(lw.format_timestamp(exact)) == exact
    assert lw.parse_timestamps([text, text]).tolist() == [exact, exact]


def test_timestamp_errors():
    with pytest.raises(lw.DataError, match=r"texts\[1\] '2024-02-30'.*day 30") as caught:
        lw.parse_timestamps(["2024-02-29", "2024-02-30"])
    assert caught.value.offset == 1
    with pytest.raises(lw.DataError, match="month 13"):
        lw.parse_timestamp("2024-13-01")
    with pytest.raises(ValueError):
        lw.parse_timestamp("2024-01-01", naive_offset_minutes=1440)


# -------------------------------------------------------------------- graph


def test_graph():
    graph = lw.Graph([0, 0, 1, 2], [1, 2, 3, 3], n_nodes=5)
    assert graph.topological_order().tolist() == [0, 4, 1, 2, 3]
    assert graph.levels().tolist() == [0, 1, 1, 2, 0]
    assert graph.components().tolist() == [0, 0, 0, 0, 1]
    assert graph.distances(0).tolist() == [0, 1, 1, 2, lw.graph.NONE]
    ranks = graph.pagerank(tolerance=1e-12)
    assert sum(ranks) == pytest.approx(1)
    transition = np.array([[0, .5, .5, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 0], [.2] * 5, [.2] * 5])
    np.testing.assert_allclose(ranks, .85 * ranks @ transition + .03, atol=1e-10)
    ring = lw.Graph([0, 1, 2], [1, 2, 0])
    assert ring.find_cycle() == [0, 1, 2] and ring.components(strong=True).tolist() == [0, 0, 0]
    with pytest.raises(lw.DataError, match="cycle"):
        ring.levels()
    with pytest.raises(lw.DataError):
        lw.Graph([5], [0], n_nodes=2)
    with pytest.raises(ValueError, match="negative"):
        lw.Graph([-1], [0])
    assert lw.Graph([], []).pagerank().tolist() == [] and lw.Graph([], []).find_cycle() == []


# ------------------------------------------------------------------ runtime


def test_every_tier_gives_the_same():
    assert lw.selftest() == []
    assert lw.active_tier() in lw.tiers()
    assert "kernel dot_f32" in lw.show_runtime()
    with pytest.raises(ValueError, match="none of"):
        lw.set_tier("fastest")
    result = subprocess.run([sys.executable, "-m", "lanewise", "selftest"], capture_output=True, text=True)
    assert result.returncode == 0 and "the same results" in result.stdout


def test_threads_share_an_index():
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((2000, 64)).astype(np.float32)
    index = lw.Index(64)
    index.add(rows)
    expected = [index.search(row).index.tolist() for row in rows[:64]]
    found = [None] * 64

    def work(number):
        found[number] = index.search(rows[number]).index.tolist()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


def test_after_a_fork():
    index = lw.Index(8)
    index.add(np.eye(8, dtype=np.float32))
    child = os.fork()
    if child == 0:
        os._exit(0 if index.search(np.eye(8)[5]).index[0] == 5 else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_without_numpy(monkeypatch):
    monkeypatch.setattr(_library, "_numpy", False)
    found = lw.cosine([1.0, 0.0], [[1.0, 0.0], [0.0, 2.0]])
    assert isinstance(found, array.array) and found.tolist() == [1, 0]
    index = lw.Index(2)
    index.add([[1, 0], [0, 1]])
    assert index.search([0, 1]).index.tolist() == [1, 0]
    assert lw.Graph([0], [1]).pagerank().tolist() == pytest.approx([0.350877, 0.649123], abs=1e-5)
    assert lw.normalize([3.0, 4.0]).tolist() == pytest.approx([0.6, 0.8])


def test_the_readme_is_true(capsys):
    readme = (pathlib.Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    exec(re.search("```python\n(.*?)```", readme, re.S)[1], {})
    assert capsys.readouterr().out.splitlines() == [
        "['a cat and a dog', 'the cat sat on the mat']", "42",
        "[Match(pattern=0, begin=2, end=5), Match(pattern=1, begin=12, end=15)]",
        "key = [REDACTED:aws-access-key] ['One.', 'Two.']"]


def test_memory_is_stable():
    import resource

    def work(n):
        for _ in range(n):
            lw.words("some words here")
            lw.topk([1.0, 2.0, 3.0], 2)
            lw.BM25(["a b", "b c"]).search("b")
            lw.PatternSet(["ab", "cd"]).find_all("xxabcd")
            lw.StreamFilter().feed("a<think>b")
            scanner = lw.SecretScanner("rule r\n anchor k=\n shape @ < [a-z]{4} >\n")
            scanner.redact(scanner.mask("k=abcd k=efgh") + str(scanner.scan("é k=abcd")))
            lw.Classifier({"a": {"b": 1.0}}, ["not"]).rate("not b")
            list(lw.Chunker().chunks(b"data")), lw.chunk_text("one. two. three.", 8, 2, "sentences")
            lsh, minhash = lw.LSH(16), lw.MinHash(16)
            lsh.keep_first(minhash.sign("one two three")), lsh.find(minhash.sign("one two")), lw.SimHash().sign("one")
            lw.ThoughtDetector().record("a thought"), lw.call_signatures([("a", {"b": "c"})]), lw.RepeatGuard().feed("x")
            lw.words("the words", lw.Analyzer(stop_words="english"))

    work(500)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work(3000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4096


def test_a_million_calls_leave_nothing():
    import tracemalloc

    def work(n):
        for _ in range(n):
            lw.dot(a, b), lw.xxh3_64(b"text"), lw.utf8_count(b"text"), lw.b64encode(b"text")

    a = b = np.ones(8, np.float32)
    work(1000)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work(250_000)
        assert tracemalloc.get_traced_memory()[0] - before < 10_000
    finally:
        tracemalloc.stop()


def test_the_interpreter_ends_with_everything_alive():
    script = """
import threading, lanewise as lw
index = lw.Index(4); index.add([[1, 2, 3, 4]] * 100)
cycle = [index, lw.BM25(["a b"]), lw.PatternSet(["a"]), lw.StreamFilter(), lw.SecretScanner(), lw.Graph([0], [1]).schedule()]
cycle.append(cycle)
class Late:
    def __del__(self): lw.cosine([1, 2], [2, 1]); index.search([1, 2, 3, 4], 1)
late = Late()
def work():
    while True: index.search([1, 2, 3, 4], 3)
for _ in range(4): threading.Thread(target=work, daemon=True).start()
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0 and "Fatal" not in result.stderr, result.stderr
