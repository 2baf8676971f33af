# SPDX-License-Identifier: Apache-2.0
"""Repetition in streams and texts against plain Python."""

import copy
import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lanewise as lw


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 30), st.lists(st.lists(st.integers(0, 2), max_size=20), max_size=10))
@settings(deadline=None, max_examples=200)
def test_ngrams_are_counted(n, count, window, pieces):
    ngrams, seen = lw.NGrams(n, count, window), []

    def occurrences():
        runs = [seen[i : i + n] for i in range(len(seen) - n + 1)][-window:]
        return runs.count(seen[-n:]) if runs else 0

    for _ in range(2):
        for piece in pieces:
            while piece:
                found = ngrams.push(piece)
                for token in piece[: ngrams.n_taken - 1]:
                    seen.append(token)
                    assert occurrences() < count
                seen.append(piece[ngrams.n_taken - 1])
                assert found == (occurrences() if occurrences() >= count else 0)
                piece = piece[ngrams.n_taken :]
        ngrams.reset()
        seen.clear()


SPACE = re.compile(r"\s+")


def normal(text):
    return SPACE.sub(" ", text).strip().lower()


def guarded(text, o):
    """Victor's rules for text of ASCII: where the guard fires, and what it says."""
    for at in range(o["check_every"], len(text) + 1, o["check_every"]):
        begin = max(0, at - o["window_bytes"])
        window, segments, start = text[begin:at], [], 0
        for gap in re.finditer(r"(?<=[.!?])\s+|\n+", window):
            segments.append((start, gap.start()))
            start = gap.end()
        segments.append((start, len(window)))
        forms = [normal(window[a:b]) for a, b in segments]
        counts = [forms.count(form) if len(form) >= o["min_segment"] else 0 for form in forms]
        best = max(range(len(counts)), key=lambda i: (counts[i], -i))
        found = None
        if counts[best] >= o["segment_repeats"]:
            found = ("segment", *segments[best], counts[best])
        elif len(window) >= o["block_bytes"] * o["block_repeats"]:
            block = normal(window[-o["block_bytes"] :])
            if len(block) >= o["min_segment"] and normal(window).count(block) >= o["block_repeats"]:
                found = ("block", len(window) - o["block_bytes"], len(window), o["block_repeats"])
        if found:
            kind, first, last, count = found
            piece = window[first:last]
            first += len(piece) - len(piece.lstrip())
            last -= len(piece) - len(piece.rstrip())
            return at, (kind, begin + first, begin + last, count)
    return None, None


@given(st.lists(st.sampled_from(["alpha ", "beta. ", "Gamma!\n", "delta?  ", "eps\n\n", "ZETA\x1c", "eta\t", "."]), min_size=1, max_size=12),
       st.integers(1, 40), st.fixed_dictionaries({
           "window_bytes": st.integers(60, 600), "check_every": st.integers(1, 200), "min_segment": st.integers(1, 12),
           "segment_repeats": st.sampled_from([2, 4, 1000]), "block_bytes": st.integers(1, 50), "block_repeats": st.integers(2, 4)}),
       st.lists(st.integers(0, 2000), max_size=5))
@settings(deadline=None, max_examples=300)
def test_the_guard_fires_by_the_rules(parts, times, options, cuts):
    text = "".join(parts) * times
    at, wanted = guarded(text, options)
    guard = lw.RepeatGuard(**options)
    cuts = sorted({min(cut, len(text)) for cut in cuts})
    for _ in range(2):
        for begin, end in zip([0, *cuts], [*cuts, len(text)]):
            assert guard.feed(text[begin:end]) == (wanted if at is not None and end >= at else None)
        guard.reset()


def test_thoughts():
    detector = lw.ThoughtDetector()
    assert [detector.record(text).kind for text in ("Let me read.", "Now this", "Nothing", "First this", "I should see")] == [
        "fine", "stall", "fine", "fine", "stall"]
    detector.reset()
    assert [detector.record(text).kind for text in ("Abc  def", "\tAbc\u00a0def\n", "abc def", "Abc def")] == [
        "fine", "fine", "fine", "repeat"]
    detector.reset()
    texts = ["parser lexer tokens grammar rules", "tokens parser grammar lexer rules!", "The grammar: parser, lexer, tokens & rules"]
    found = [detector.record(text) for text in texts]
    assert [thought.kind for thought in found] == ["fine", "fine", "similar"]
    assert found[2] == ("similar", 3, 1.0) and found[2].is_loop and not found[0].is_loop
    once = lw.ThoughtDetector(repeat_threshold=2, similarity_threshold=0.5, window=1, stall_threshold=3, max_texts=1)
    assert [once.record(text).kind for text in ("red green blue", "cyan", "red green blue", "red green blue")] == [
        "fine", "fine", "fine", "repeat"]


@given(st.lists(st.sampled_from(["let me ", "LET ME ", "check", "see", "read", "i need to ", "I'll ", "now ", "é", " "]), max_size=20).map("".join))
@settings(deadline=None, max_examples=200)
def test_phrases(text):
    phrases = ["let me read", "let me check", "let me see", "i need to read", "i need to check", "i need to see", "now let me",
               "i'll read", "now i'll"]
    lower, found, at = text.lower(), [], 0
    while True:
        ends = [(lower.find(p, at) + len(p), lower.find(p, at)) for p in phrases if lower.find(p, at) >= 0]
        if not ends:
            break
        at, begin = min(ends)
        found.append(begin)
    assert lw.circular_phrases(text) == (len(found), found[0] if found else None)
    first = lw.circular_phrases(text.encode()).first
    assert first == (len(text[: found[0]].encode()) if found else None)


@given(st.lists(st.tuples(st.text(max_size=4), st.dictionaries(st.text("abé", max_size=3), st.text(max_size=5), max_size=5)), max_size=5))
@settings(deadline=None, max_examples=150)
def test_signatures_of_calls(calls):
    wanted = []
    for name, arguments in calls:
        rows = sorted((key.encode(), value.encode()) for key, value in arguments.items())
        wanted.append(lw.xxh3_128(name.encode() + b":" + b",".join(key + b"=" + value for key, value in rows)))
    assert lw.call_signatures(calls) == wanted
    assert lw.call_signatures((name, dict(reversed(arguments.items()))) for name, arguments in calls) == wanted


def test_states_say_that_they_cannot_be_copied():
    for state in (lw.NGrams(2, 2), lw.RepeatGuard(), lw.ThoughtDetector()):
        for call in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="stream under way"):
                call(state)


@pytest.mark.parametrize("call", [
    lambda: lw.NGrams(0, 2), lambda: lw.NGrams(65, 2), lambda: lw.NGrams(1, 0), lambda: lw.NGrams(1, 2, 2**24 + 1),
    lambda: lw.NGrams(1, 2).push([-1]), lambda: lw.NGrams(1, 2).push([2**32]), lambda: lw.RepeatGuard(block_bytes=5000),
    lambda: lw.RepeatGuard(window_bytes=2**21), lambda: lw.RepeatGuard(check_every=0), lambda: lw.ThoughtDetector(repeat_threshold=1),
    lambda: lw.ThoughtDetector(similarity_threshold=1.5), lambda: lw.ThoughtDetector(similarity_threshold=0),
    lambda: lw.ThoughtDetector(window=1001), lambda: lw.ThoughtDetector(max_texts=2**17), lambda: lw.circular_phrases("\udc80"),
])
def test_what_is_refused(call):
    with pytest.raises(ValueError):
        call()


def test_types_that_are_no_texts():
    for call in (lambda: lw.RepeatGuard().feed(1), lambda: lw.ThoughtDetector().record(1), lambda: lw.circular_phrases(1),
                 lambda: lw.call_signatures([("a", {"b": 1})]), lambda: lw.NGrams(1, 2).push("abc")):
        with pytest.raises(TypeError):
            call()
