# SPDX-License-Identifier: Apache-2.0
"""Pattern sets and classifiers against plain Python."""

import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lanewise as lw
from lanewise import _library
from lanewise.scan import SEMANTICS

# ----------------------------------------------------------------- patterns


def ascii_lower(text):
    return "".join(c.lower() if c < "\x80" else c for c in text)


def is_word(character):
    return character < "\x80" and (character.isalnum() or character == "_")


def all_matches(patterns, text, ignore_case, whole_word):
    if ignore_case:
        patterns, text = [ascii_lower(p) for p in patterns], ascii_lower(text)
    return [(number, begin, begin + len(pattern)) for number, pattern in enumerate(patterns) for begin in range(len(text))
            if text.startswith(pattern, begin) and not (whole_word and (
                (begin > 0 and is_word(text[begin - 1])) or is_word(text[begin + len(pattern) :][:1] or " ")))]


ORDER = {
    "overlapping": lambda m: (m[2], m[1], m[0]),
    "standard": lambda m: (m[2], m[1], m[0]),
    "leftmost-first": lambda m: (m[1], m[0]),
    "leftmost-longest": lambda m: (m[1], -m[2], m[0]),
}


def chosen(matches, semantics):
    """What the header says of each semantics, one match after the other."""
    if semantics == "overlapping":
        return sorted(matches, key=ORDER[semantics])
    taken, at = [], 0
    while left := [match for match in matches if match[1] >= at]:
        taken.append(min(left, key=ORDER[semantics]))
        at = taken[-1][2]
    return taken


PATTERNS = st.lists(st.text("abA é_", min_size=1, max_size=4), min_size=1, max_size=6)


@given(PATTERNS, st.text("abAB é_日", max_size=40), st.sampled_from(sorted(SEMANTICS)), st.booleans(), st.booleans(), st.data())
@settings(deadline=None, max_examples=400)
def test_matches_are_those_of_the_semantics(patterns, text, semantics, ignore_case, whole_word, data):
    wanted = chosen(all_matches(patterns, text, ignore_case, whole_word), semantics)
    made = lw.PatternSet(patterns, ignore_case)
    for patterns_ in (made, pickle.loads(pickle.dumps(made))):
        assert patterns_.find_all(text, semantics, whole_word) == wanted
        columns = patterns_.find_arrays(text, semantics, whole_word)
        assert list(zip(*(column.tolist() for column in columns))) == wanted
        assert patterns_.count(text, semantics, whole_word) == len(wanted)
        assert patterns_.first(text, semantics, whole_word) == (wanted[0] if wanted else None)
        counts = [[match[0] for match in wanted].count(number) for number in range(len(patterns))]
        assert patterns_.counts(text, semantics, whole_word) == counts
        weights, classes = [0.5 * i + 1 for i in range(len(patterns))], [i % 2 for i in range(len(patterns))]
        for once in (False, True):
            scores = patterns_.scores(text, weights, classes, once=once, semantics=semantics, whole_word=whole_word)
            assert scores == [sum(weights[i] * (min(counts[i], 1) if once else counts[i]) for i in range(len(patterns)) if classes[i] == c)
                              for c in range(min(len(patterns), 2))]
        assert patterns_.present(text, whole_word) == sorted({m[0] for m in all_matches(patterns, text, ignore_case, whole_word)})
    # In pieces, twice, with offsets in bytes.
    encoded, stream = text.encode(), made.stream(semantics, whole_word)
    in_bytes = [(number, len(text[:begin].encode()), len(text[:end].encode())) for number, begin, end in wanted]
    assert made.find_all(encoded, semantics, whole_word) == in_bytes
    for _ in range(2):
        cut = data.draw(st.integers(0, len(encoded)))
        found = stream.feed(encoded[:cut])
        assert all(begin >= stream.safe for _, begin, _ in in_bytes[len(found) :])
        assert found + stream.feed(encoded[cut:]) + stream.finish() == in_bytes
        assert stream.safe == len(encoded) and stream.finish() == []
        with pytest.raises(ValueError, match="finished"):
            stream.feed(b"")
        stream.reset()


@pytest.mark.parametrize("with_numpy", [True, False])
def test_many_matches_at_once(with_numpy, monkeypatch):
    if not with_numpy:
        monkeypatch.setattr(_library, "_numpy", False)
    n = 5000
    arrays = lw.PatternSet(["x", "ab", "b"]).find_arrays("éab" * n, "overlapping")
    assert list(arrays.pattern) == [1, 2] * n and list(arrays.begin)[-2:] == [3 * n - 2, 3 * n - 1] and len(arrays.end) == 2 * n
    assert lw.PatternSet(["ab"]).find_all("éab" * n) == [(0, 3 * i + 1, 3 * i + 3) for i in range(n)]


def test_saved_sets(tmp_path):
    patterns = lw.PatternSet([f"word{i}" for i in range(500)] + [b"\xff\x00"], ignore_case=True)
    text = b"Word7 word499\xff\0"
    patterns.save(tmp_path / "set")
    image = (tmp_path / "set").read_bytes()
    assert patterns.to_bytes() == image
    for again in (lw.PatternSet.open(tmp_path / "set"), lw.PatternSet.from_bytes(image), lw.PatternSet.from_bytes(memoryview(image)),
                  pickle.loads(pickle.dumps(patterns))):
        assert len(again) == 501 and again.find_all(text) == patterns.find_all(text) and len(again.find_all(text)) == 3
        assert again.to_bytes() == image
    for bad in (b"", image[:-1], image[:100], b"x" + image[1:], image[:-20] + b"x" + image[-19:]):
        with pytest.raises(ValueError):
            lw.PatternSet.from_bytes(bad)
    with pytest.raises(OSError):
        lw.PatternSet.open(tmp_path / "absent")
    with pytest.raises(OSError):
        patterns.save(tmp_path / "absent" / "set")


# ------------------------------------------------------------------ classes


def rated(classes, negations, text, o):
    """The header's rules, by bytes."""
    data = text.encode() if o["match_case"] else ascii_lower(text).encode()

    def occurrences(word):
        word = word.encode() if o["match_case"] else ascii_lower(word).encode()
        edge = b"" if o["substrings"] else rb"(?<![0-9A-Za-z_])"
        behind = b"" if o["substrings"] else rb"(?![0-9A-Za-z_])"
        return [(m.start(), m.start() + len(word)) for m in re.finditer(rb"(?=" + edge + re.escape(word) + behind + rb")", data)]

    def some(matches):
        """Those that count, (begin, end, number, weight)."""
        return [matches[i] for _, i in sorted(((end, begin, number), i) for i, (begin, end, number, _) in enumerate(matches))]

    def apart(matches):
        taken, at = [], 0
        while left := [m for m in matches if m[0] >= at]:
            taken.append(min(left, key=lambda m: (m[1], m[0], m[2])))
            at = taken[-1][1]
        return taken

    choose = apart if o["non_overlapping"] else some
    nots = [m[0] for m in choose([(b, e, i, 0) for i, word in enumerate(negations) for b, e in occurrences(word)])]
    scores, number = [], 0
    for keywords in classes.values():
        matches = []
        for word, weight in keywords.items():
            matches += [(b, e, number, weight) for b, e in occurrences(word)]
            number += 1
        total, n_negated, n_matches = 0.0, 0, 0
        for begin, _, _, weight in choose(matches):
            n_matches += 1
            if any(0 < begin - b <= o["negation_window"] for b in nots):
                total += weight * o["negated_factor"]
                n_negated += 1
            else:
                total += weight * (1 + o["position_bonus"] * (1 - begin / len(data)))
        scores.append((max(total, 0.0), n_matches, n_negated))
    whole = sum(score for score, *_ in scores)
    rows = [(score, score / whole if whole else 0.0, n, negated) for score, n, negated in scores]
    best = max(range(len(rows)), key=lambda i: (rows[i][0], i if o["last_of_equals"] else -i))
    score, confidence = rows[best][:2]
    good = score > 0 and score >= o["min_score"] and confidence >= o["min_confidence"]
    return (list(classes)[best] if good else None), rows


WORDS = st.sampled_from(["run", "Fix", "fix it", "bug", "a", "é", "un", "it"])
OPTIONS = st.fixed_dictionaries({
    "match_case": st.booleans(), "substrings": st.booleans(), "non_overlapping": st.booleans(), "last_of_equals": st.booleans(),
    "negation_window": st.sampled_from([0, 3, 20]), "position_bonus": st.sampled_from([0.1, 0.0, 2.5]),
    "negated_factor": st.sampled_from([-0.5, 0.0, 1.0]), "min_score": st.sampled_from([0.0, 1.2]),
    "min_confidence": st.sampled_from([0.3, 0.0, 0.6])})


@given(st.dictionaries(st.sampled_from(["x", "y", "Größe"]), st.dictionaries(WORDS, st.sampled_from([1, 0.5, 0.3, -0.2]), max_size=4),
                       min_size=1).filter(lambda classes: any(classes.values())),
       st.lists(st.sampled_from(["not", "no", "n't"]), unique=True), OPTIONS,
       st.lists(st.lists(st.sampled_from(["run", "fix", "Fix", " ", "it", "bug", "a", "é", "un", "not", "No", "_", ", "]), max_size=12)
                .map("".join), max_size=5))
@settings(deadline=None, max_examples=300)
def test_ratings_are_the_formula(classes, negations, options, texts):
    classifier = lw.Classifier(classes, negations, **options)
    again = pickle.loads(pickle.dumps(classifier))
    bests = []
    for text in texts:
        best, rows = rated(classes, negations, text, options)
        found = classifier.rate(text)
        assert list(found.scores) == list(classes) == classifier.classes
        for got, wanted in zip(found.scores.values(), rows, strict=True):
            assert got.score == pytest.approx(wanted[0], abs=1e-12) and got.confidence == pytest.approx(wanted[1], abs=1e-12)
            assert (got.n_matches, got.n_negated) == wanted[2:]
        # Equal but for rounding: either is right.
        close = sorted((row[0] for row in rows), reverse=True)
        if len(close) < 2 or close[0] != pytest.approx(close[1], abs=1e-9):
            assert found.best == best or rows[list(classes).index(best or found.best)][1] == pytest.approx(options["min_confidence"])
        assert classifier.classify(text) == found.best == again.classify(text.encode()) and again.rate(text) == found
        bests.append(found.best)
    assert classifier.classify_many(texts) == bests


def test_rules_as_text():
    classifier = lw.Classifier.parse("class fix\n1 run\n0.8 set up\nclass näive\n0.5 \"C#\"\nnegation don't\noption window 30\n")
    assert classifier.classes == ["fix", "näive"]
    assert classifier.classify_many(["use C# now", "don't use C# now"]) == ["näive", None]
    again = pickle.loads(pickle.dumps(classifier))
    assert again.rate("set up, run") == classifier.rate("set up, run") and repr(again) == repr(classifier)
    with pytest.raises(lw.DataError, match="line 2") as error:
        lw.Classifier.parse("class fix\nnonsense\n")
    assert error.value.offset == 10
    with pytest.raises(lw.DataError, match="two classes 'a'"):
        lw.Classifier.parse("class a\n1 x\nclass a\n1 y\n")


@pytest.mark.parametrize("call", [
    lambda: lw.Classifier({}), lambda: lw.Classifier({"a": {}}), lambda: lw.Classifier({"a": {"": 1}}),
    lambda: lw.Classifier({"a": {"x": float("nan")}}), lambda: lw.Classifier({"a": {"x": 1}}, [""]),
    lambda: lw.Classifier({"a": {"x": 1}}, negation_window=-1), lambda: lw.Classifier({"a": {"x": 1}}, min_confidence=2),
    lambda: lw.Classifier({"a\0": {"x": 1}}), lambda: lw.Classifier({"\udc80": {"x": 1}}), lambda: lw.Classifier({"a": {"x" * 70000: 1}}),
])
def test_what_classifiers_refuse(call):
    with pytest.raises(ValueError):
        call()


def test_types_that_are_no_texts():
    classifier = lw.Classifier({"a": {"x": 1}})
    for call in (lambda: classifier.classify(1), lambda: classifier.classify_many("x"), lambda: classifier.classify_many([1]),
                 lambda: lw.Classifier({"a": {1: 1}}), lambda: lw.Classifier({"a": {"x": "1"}}), lambda: lw.PatternSet.from_bytes(3)):
        with pytest.raises(TypeError):
            call()
