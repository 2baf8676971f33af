# SPDX-License-Identifier: Apache-2.0
"""Texts put into classes by weighted keywords (lanewise/classify.h)."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ._files import Immutable, destroy_later
from ._library import DataError, Scratch, check, concatenated, ffi, lib, new_error, pointer, room, text_bytes
from .text import Text

_SCORE = struct.Struct("=2d2Q")


class ClassScore(NamedTuple):
    """How a text does in a class. Confidence is the score's share of all scores; matches are the keywords' occurrences,
    negated ones among them."""

    score: float
    confidence: float
    n_matches: int
    n_negated: int


class Classification(NamedTuple):
    """The best class, or None if none is good enough, and what all of them got."""

    best: str | None
    scores: dict[str, ClassScore]


class Classifier(Immutable):
    """Rates texts by keywords, each of a class and with a weight, turned round by negations. Immutable; threads may share it.

        Classifier({"fix": {"bug": 1.0, "crash": 0.8}, "praise": {"great": 1.0}}, negations=["not", "never"])

    A text's class is that with the greatest score, or None if this or its confidence is below min_score or min_confidence.
    How scores come about, and what the options mean: lanewise/classify.h.
    """

    def __init__(self, classes: Mapping[str, Mapping[str, float]], negations: Iterable[str] = (), *, match_case: bool = False,
                 substrings: bool = False, non_overlapping: bool = False, last_of_equals: bool = False,
                 negation_window: int = 20, position_bonus: float = 0.1, negated_factor: float = -0.5, min_score: float = 0.0,
                 min_confidence: float = 0.3) -> None:
        if not 0 <= negation_window < 2**32:
            raise ValueError(f"negation_window: {negation_window} is out of range")
        names = [_name(name) for name in classes]
        words = [(number, text_bytes(word, f"keyword {word!r}"), weight)
                 for number, keywords in enumerate(classes.values()) for word, weight in keywords.items()]
        negations = [negations] if isinstance(negations, str) else list(negations)
        nots = [text_bytes(word, f"negation {word!r}") for word in negations]
        # What the C structs point to, alive until the classifier has copied it.
        buffers = [ffi.from_buffer(data) for data in [*names, *(word for _, word, _ in words), *nots]]
        given, given_nots = room("lanewise_keyword", len(words)), room("lanewise_pattern", len(nots))
        given_names = ffi.new("char *[]", buffers[: len(names)])
        for i, (number, word, weight) in enumerate(words):
            given[i].bytes, given[i].n_bytes, given[i].weight, given[i].class_index = buffers[len(names) + i], len(word), weight, number
        for i, word in enumerate(nots):
            given_nots[i].bytes, given_nots[i].n_bytes = buffers[len(names) + len(words) + i], len(word)
        rules = ffi.new("lanewise_classifier_rules *", {
            "struct_size": ffi.sizeof("lanewise_classifier_rules"), "keywords": given, "n_keywords": len(words),
            "negations": given_nots, "n_negations": len(nots), "class_names": ffi.cast("const char *const *", given_names),
            "n_classes": len(names)})
        options = ffi.new("lanewise_classifier_options *", {
            "struct_size": ffi.sizeof("lanewise_classifier_options"), "match_case": match_case, "substrings": substrings,
            "non_overlapping": non_overlapping, "last_of_equals": last_of_equals, "negation_window": negation_window,
            "position_bonus": position_bonus, "negated_factor": negated_factor, "min_score": min_score,
            "min_confidence": min_confidence})
        out, error = ffi.new("lanewise_classifier **"), new_error()
        check(lib.lanewise_classifier_create(rules, options, ffi.NULL, out, error), error)
        self._made_of: tuple[Any, ...] = (Classifier, ({name: dict(keywords) for name, keywords in classes.items()}, negations), {
            name: getattr(options, name) for name, _ in ffi.typeof("lanewise_classifier_options").fields[1:]})
        self._adopt(out[0])

    @classmethod
    def parse(cls, rules: Text) -> Classifier:
        """A classifier from rules as text; lanewise/classify.h has their language."""
        data = bytes(text_bytes(rules, "rules"))
        out, error = ffi.new("lanewise_classifier **"), new_error()
        check(lib.lanewise_classifier_parse(ffi.from_buffer(data), len(data), ffi.NULL, out, error), error)
        classifier = cls.__new__(cls)
        classifier._made_of = (Classifier.parse, (data,), {})
        classifier._adopt(out[0])
        return classifier

    def _adopt(self, handle: Any) -> None:
        self._handle = destroy_later(self, handle, lib.lanewise_classifier_destroy)
        self._scratch = Scratch(lib.lanewise_classify_scratch_size(handle))
        self._classes = [ffi.string(lib.lanewise_classifier_class_name(handle, i)).decode("utf-8", "replace")
                         for i in range(lib.lanewise_classifier_n_classes(handle))]
        twice = [name for name, n in Counter(self._classes).items() if n > 1]
        if twice:
            raise DataError(f"there are two classes {twice[0]!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _remake, self._made_of

    @property
    def classes(self) -> list[str]:
        """Their names, in their order."""
        return list(self._classes)

    def __repr__(self) -> str:
        return f"<lanewise.Classifier of {len(self._classes)} classes, {lib.lanewise_classifier_memory(self._handle)} bytes>"

    def classify(self, text: Text) -> str | None:
        """The class of a text, or None."""
        data, best, memory = text_bytes(text), ffi.new("int32_t *"), self._scratch.take()
        check(lib.lanewise_classify(self._handle, ffi.from_buffer(data), len(data), memory, ffi.NULL, best))
        self._scratch.give(memory)
        return self._class(best[0])

    def classify_many(self, texts: Sequence[Text]) -> list[str | None]:
        """The class of each of many texts, faster than one by one."""
        data, ends = concatenated(texts, "texts")
        best, memory, offsets = room("int32_t", len(texts)), self._scratch.take(), pointer("uint64_t *", ends)
        check(lib.lanewise_classify_batch(self._handle, ffi.from_buffer(data), offsets, offsets + 1, len(texts), memory, ffi.NULL, best))
        self._scratch.give(memory)
        return [self._class(number) for number in ffi.unpack(best, len(texts))] if texts else []

    def rate(self, text: Text) -> Classification:
        """The class of a text, and the scores of all classes."""
        data, best, memory = text_bytes(text), ffi.new("int32_t *"), self._scratch.take()
        scores = room("lanewise_class_score", len(self._classes))
        check(lib.lanewise_classify(self._handle, ffi.from_buffer(data), len(data), memory, scores, best))
        self._scratch.give(memory)
        rows = map(ClassScore._make, _SCORE.iter_unpack(ffi.buffer(scores, len(self._classes) * _SCORE.size)))
        return Classification(self._class(best[0]), dict(zip(self._classes, rows)))

    def _class(self, number: int) -> str | None:
        return None if number < 0 else self._classes[number]


def _name(name: str) -> bytes:
    data = bytes(text_bytes(name, "name of a class"))
    if b"\0" in data:
        raise ValueError(f"name of a class: {name!r} has a NUL")
    return data + b"\0"


def _remake(maker: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> Classifier:
    classifier: Classifier = maker(*arguments, **options)
    return classifier
