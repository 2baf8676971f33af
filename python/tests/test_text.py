# SPDX-License-Identifier: Apache-2.0
"""Analyzers against Python's regular expressions, and search by them."""

import copy
import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lanewise as lw

LISTED = st.sampled_from([None, ("aB", "ß b", "é")])


@given(st.text("aBé1_2ßж².日 -", max_size=40), st.booleans(), st.booleans(), st.integers(0, 3), st.sampled_from([0, 2, 4]), LISTED)
@settings(deadline=None, max_examples=300)
def test_words_of_runs(text, keep_case, drop_numbers, least, most, stop):
    def fold(word):
        return word if keep_case else word.casefold()

    dropped = {fold(word) for entry in stop or () for word in re.findall(r"\w+", entry)}
    wanted = []
    for match in re.finditer(r"\w+", text):
        word = fold(match[0])
        if len(word) >= least and (most == 0 or len(word) <= most) and word not in dropped and not (
                drop_numbers and word.isnumeric()):
            wanted.append((word, match.start(), match.end()))
    analyzer = lw.Analyzer("runs", keep_case, drop_numbers, least, most, stop)
    assert lw.words(text, analyzer) == wanted == lw.words(text, pickle.loads(pickle.dumps(analyzer)))
    assert [word for word, *_ in lw.words(text.encode(), analyzer)] == [word for word, *_ in wanted]


@given(st.text("aB é1_ß日ьキ\u0301.", max_size=40))
@settings(deadline=None, max_examples=100)
def test_segments_are_the_words_without_an_analyzer(text):
    assert lw.words(text, lw.Analyzer()) == lw.words(text)
    assert [word.text for word in lw.words(text, lw.Analyzer(min_characters=2))] == [w.text for w in lw.words(text) if len(w.text) > 1]


def test_search_by_an_analyzer(tmp_path):
    texts = ["The dog and the cat", "An OWL is not a dog", "1234", "日本語"]
    plain, analyzed = lw.BM25(texts), lw.BM25(texts, analyzer=lw.Analyzer(stop_words="english", drop_numbers=True))
    analyzed.save(tmp_path / "index")
    assert plain.search("the").index.tolist() == [0] and sorted(plain.search("dog 1234").index.tolist()) == [0, 1, 2]
    for index in (analyzed, lw.BM25.open(tmp_path / "index"), pickle.loads(pickle.dumps(analyzed))):
        assert index.search("the").index.tolist() == [] and sorted(index.search("The DOG, 1234").index.tolist()) == [0, 1]
    assert analyzed.n_terms == plain.n_terms - len({"the", "and", "an", "is", "not", "a", "1234"})


def test_stems():
    try:
        english = lw.Analyzer(stemmer="english")
    except NotImplementedError:
        pytest.skip("libstemmer is not installed")
    assert [word.text for word in lw.words("Running runners ran easily", english)] == ["run", "runner", "ran", "easili"]
    assert lw.words("Running", english)[0] == ("run", 0, 7)
    bm25 = lw.BM25(["he runs", "they walked"], analyzer=english)
    assert bm25.search("running").index.tolist() == [0] and bm25.search("walks").index.tolist() == [1]
    assert repr(english) == "lanewise.Analyzer(rule='segments', stemmer='english')"
    with pytest.raises(NotImplementedError):
        lw.Analyzer(stemmer="klingon")


def test_copies():
    analyzer = lw.Analyzer(stop_words=["a", "b"], max_characters=7)
    assert copy.copy(analyzer) is analyzer and repr(pickle.loads(pickle.dumps(analyzer))) == repr(analyzer)


@pytest.mark.parametrize("call", [
    lambda: lw.Analyzer("x"), lambda: lw.Analyzer(stop_words="klingon"), lambda: lw.Analyzer(min_characters=-1),
    lambda: lw.Analyzer(max_characters=256), lambda: lw.Analyzer(stop_words="a\0"), lambda: lw.Analyzer(stop_words=["\udc80"]),
])
def test_what_analyzers_refuse(call):
    with pytest.raises(ValueError):
        call()


def test_stop_words_are_texts():
    with pytest.raises(TypeError):
        lw.Analyzer(stop_words=[1])


def test_bm25_without_counts(tmp_path):
    texts = [" ".join(f"w{i * j % 23}" for j in range(i % 17)) for i in range(300)]
    whole, short = lw.BM25(texts), lw.BM25(texts, counts=False)
    assert whole.has_counts and not short.has_counts
    whole.save(tmp_path / "whole")
    short.save(tmp_path / "short")
    assert (tmp_path / "short").stat().st_size < (tmp_path / "whole").stat().st_size
    opened = lw.BM25.open(tmp_path / "short")
    assert not opened.has_counts
    for k in 1, 10, 300:
        found, again, exact = short.search("w3 w5 w22", k), opened.search("w3 w5 w22", k), whole.search("w3 w5 w22", k)
        assert found.index.tolist() == again.index.tolist() and found.score.tolist() == again.score.tolist()
        assert found.score.tolist() == pytest.approx(exact.score.tolist(), abs=1e-3)
    every = short.scores("w3 w5")
    assert short.scores("w3 w5", [7, 3]).tolist() == [every[7], every[3]]
    builder = lw.BM25Builder(counts=False)
    builder.add("a b")
    assert not builder.build().has_counts
    words = lw.BM25.from_words([["a", "b"], ["c"]], counts=False)
    assert words.search(["c"]).index.tolist() == [1] and not words.has_counts
    assert not pickle.loads(pickle.dumps(short)).has_counts


# ------------------------------------------------------------ changing BM25


@given(st.lists(st.tuples(st.booleans(), st.lists(st.sampled_from("abcde"), max_size=6).map(" ".join), st.integers(0, 30)), max_size=30),
       st.sampled_from(["a", "b c", "e e d"]))
@settings(deadline=None, max_examples=100)
def test_a_builder_makes_what_is_left(steps, query):
    builder, texts = lw.BM25Builder(variant="bm25+"), []
    for is_added, text, number in steps:
        if is_added or not texts:
            assert builder.add(text) == len(texts)
            texts.append(text)
        elif texts[number % len(texts)] is not None:
            texts[number % len(texts)] = None
            builder.remove(number % len(texts))
    left = [number for number, text in enumerate(texts) if text is not None]
    wanted = lw.BM25([texts[number] for number in left], variant="bm25+").search(query, 50)
    found = builder.build().search(query, 50)
    assert found.index.tolist() == [left[number] for number in wanted.index.tolist()] and found.score.tolist() == wanted.score.tolist()
    builder.compact()
    found = builder.build().search(query, 50)
    assert (found.index.tolist(), found.score.tolist()) == (wanted.index.tolist(), wanted.score.tolist()) and len(builder) == len(left)


def test_what_a_builder_refuses():
    builder = lw.BM25Builder(analyzer=lw.Analyzer(stop_words="english"))
    builder.add("the cat")
    builder.remove(0)
    assert builder.add("the dog") == 1 and builder.build().search("the dog").index.tolist() == [1] and "2 texts" in repr(builder)
    for call, error in ((lambda: builder.remove(0), ValueError), (lambda: builder.remove(2), IndexError), (lambda: builder.remove(-1), IndexError),
                        (lambda: builder.add(1), TypeError), (lambda: copy.copy(builder), TypeError)):
        with pytest.raises(error):
            call()


@given(st.lists(st.integers(0, 4), max_size=12))
def test_scores_of_some_texts(documents):
    bm25 = lw.BM25(["a b", "b b c", "", "c a a", "d"])
    every = bm25.scores("a b").tolist()
    assert bm25.scores("a b", documents).tolist() == [every[number] for number in documents]
    with pytest.raises(IndexError):
        bm25.scores("a", [5])
