# SPDX-License-Identifier: Apache-2.0
"""Many patterns at once, and spans such as <think> cut out of streams (lanewise/scan.h, filter.h)."""

from __future__ import annotations

import array
import codecs
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ._files import Immutable, Uncopyable, destroy_later
from ._guard import Guard
from ._library import CodePoints, Scratch, check, ffi, lib, new_error, numpy, room, scratch, text_bytes, tuples
from .text import Text

SEMANTICS = {
    "overlapping": lib.LANEWISE_SCAN_OVERLAPPING,
    "standard": lib.LANEWISE_SCAN_STANDARD,
    "leftmost-first": lib.LANEWISE_SCAN_LEFTMOST_FIRST,
    "leftmost-longest": lib.LANEWISE_SCAN_LEFTMOST_LONGEST,
}
_BATCH = 1024


class Match(NamedTuple):
    """The number of a pattern, and where it stands: code points of a str, bytes of bytes and streams."""

    pattern: int
    begin: int
    end: int


class Matches(NamedTuple):
    """The same of many matches, as arrays of one length: numbers of patterns (uint32), begins and ends (uint64)."""

    pattern: Any
    begin: Any
    end: Any


class PatternSet(Immutable):
    """Strings or bytes to be searched for all at once. Immutable; threads may share it."""

    def __init__(self, patterns: Sequence[Text], ignore_case: bool = False) -> None:
        data = [text_bytes(pattern, f"patterns[{i}]") for i, pattern in enumerate(patterns)]
        given = ffi.new("lanewise_pattern[]", len(data))
        buffers = [ffi.from_buffer(pattern) for pattern in data]
        for i, buffer in enumerate(buffers):
            given[i].bytes = buffer
            given[i].n_bytes = len(data[i])
        options = ffi.new("lanewise_scan_set_options *",
                          {"struct_size": ffi.sizeof("lanewise_scan_set_options"), "ignore_case": ignore_case})
        out, error = ffi.new("lanewise_scan_set **"), new_error()
        check(lib.lanewise_scan_set_create(given, len(data), options, ffi.NULL, out, error), error)
        self._adopt(out[0])

    def _adopt(self, handle: Any) -> None:
        self._handle = destroy_later(self, handle, lib.lanewise_scan_set_destroy)
        self._n_scratch = lib.lanewise_scan_scratch_size(handle)
        self._scratch = Scratch(self._n_scratch)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> PatternSet:
        """A saved set, mapped into memory, which processes share, and checked."""
        out, error = ffi.new("lanewise_scan_set **"), new_error()
        check(lib.lanewise_scan_set_open(os.fsencode(path), ffi.NULL, out, error), error)
        patterns = cls.__new__(cls)
        patterns._adopt(out[0])
        return patterns

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the set to a file, which replaces one of that name only when it is complete."""
        error = new_error()
        check(lib.lanewise_scan_set_save(self._handle, os.fsencode(path), error), error)

    @classmethod
    def from_bytes(cls, image: bytes | bytearray | memoryview) -> PatternSet:
        """A set from what to_bytes() gave, or from the bytes of a saved file; checked, so others may have made them."""
        data = text_bytes(image, "image")
        out, error = ffi.new("lanewise_scan_set **"), new_error()
        check(lib.lanewise_scan_set_from_image(ffi.from_buffer(data), len(data), ffi.NULL, out, error), error)
        patterns = cls.__new__(cls)
        patterns._adopt(out[0])
        return patterns

    def to_bytes(self) -> bytes:
        """The bytes of the file that save() writes."""
        n = lib.lanewise_scan_set_image_size(self._handle)
        image = room("char", n)
        lib.lanewise_scan_set_to_image(self._handle, image)
        return bytes(ffi.buffer(image, n))

    def __reduce__(self) -> tuple[Any, ...]:
        return PatternSet.from_bytes, (self.to_bytes(),)

    def __len__(self) -> int:
        return int(lib.lanewise_scan_set_n_patterns(self._handle))

    def __repr__(self) -> str:
        return f"<lanewise.PatternSet of {len(self)} patterns, {lib.lanewise_scan_set_memory(self._handle)} bytes>"

    def find_all(self, text: Text, semantics: str = "leftmost-first", whole_word: bool = False) -> list[Match]:
        """The matches in a text, in the order of their semantics (see lanewise/scan.h)."""
        pattern, begin, end = (column.tolist() for column in self._find(text, semantics, whole_word))
        return list(tuples(Match, pattern, begin, end))

    def find_arrays(self, text: Text, semantics: str = "leftmost-first", whole_word: bool = False) -> Matches:
        """The same as three arrays, for many matches: a tuple for each takes most of find_all()'s time."""
        columns, np = self._find(text, semantics, whole_word), numpy()
        return Matches(*columns) if np is None else Matches(*(np.frombuffer(column, column.typecode) for column in columns))

    def _find(self, text: Text, semantics: str, whole_word: bool) -> tuple[Any, Any, Any]:
        data, options, memory = text_bytes(text), scan_options(semantics, whole_word), self._scratch.take()
        buffer, found = ffi.from_buffer(data), room("lanewise_match", _BATCH)
        scan = lib.lanewise_scan_begin(self._handle, options, memory)
        lib.lanewise_scan_feed(scan, buffer, len(data))
        rows = _rows(scan, found)
        lib.lanewise_scan_finish(scan)
        patterns, begins, ends = _columns(rows + _rows(scan, found))
        self._scratch.give(memory)
        place = CodePoints(text, data)
        return patterns, place.all(begins), place.all(ends)

    def stream(self, semantics: str = "leftmost-first", whole_word: bool = False) -> PatternStream:
        """A text that comes in pieces."""
        return PatternStream(self, semantics, whole_word)

    def count(self, text: Text, semantics: str = "leftmost-first", whole_word: bool = False) -> int:
        """How many matches find_all would return."""
        data, count, options, memory = text_bytes(text), ffi.new("uint64_t *"), scan_options(semantics, whole_word), self._scratch.take()
        check(lib.lanewise_scan_count(self._handle, options, ffi.from_buffer(data), len(data), memory, count))
        self._scratch.give(memory)
        return int(count[0])

    def counts(self, text: Text, semantics: str = "leftmost-first", whole_word: bool = False) -> list[int]:
        """How often each pattern is among what find_all would return, by number."""
        return list(self._counts(text, semantics, whole_word))

    def _counts(self, text: Text, semantics: str, whole_word: bool) -> Any:
        data, counts, memory = text_bytes(text), ffi.new("uint64_t[]", len(self)), self._scratch.take()
        check(lib.lanewise_scan_counts(self._handle, scan_options(semantics, whole_word), ffi.from_buffer(data), len(data), memory,
                                       counts))
        self._scratch.give(memory)
        return counts

    def scores(self, text: Text, weights: Sequence[float], classes: Sequence[int] | None = None, *, once: bool = False,
               semantics: str = "leftmost-first", whole_word: bool = False) -> list[float]:
        """The sum of the weights of matches for each class from 0 to the greatest; without `classes` there is one.

        `weights` and `classes` have a number for each pattern. With `once` a pattern counts once, however often it matches.
        """
        for name, n in ("weights", len(weights)), ("classes", len(self) if classes is None else len(classes)):
            if n != len(self):
                raise ValueError(f"{name}: {n} for {len(self)} patterns")
        n_classes = 1 if classes is None else max(classes) + 1
        weight = ffi.new("double[]", list(weights))
        of = ffi.NULL if classes is None else ffi.new("uint32_t[]", list(classes))
        options = ffi.new("lanewise_scan_weights *", {"struct_size": ffi.sizeof("lanewise_scan_weights"), "weight": weight,
                                                      "classes": of, "n_classes": n_classes, "once": once})
        scores = ffi.new("double[]", n_classes)
        check(lib.lanewise_scan_scores(self._counts(text, semantics, whole_word), len(self), options, scores))
        return list(scores)

    def first(self, text: Text, semantics: str = "leftmost-first", whole_word: bool = False) -> Match | None:
        """The first match, or None; the text is read only as far as that needs."""
        data, match, found, memory = text_bytes(text), ffi.new("lanewise_match *"), ffi.new("int32_t *"), self._scratch.take()
        check(lib.lanewise_scan_first(self._handle, scan_options(semantics, whole_word), ffi.from_buffer(data), len(data), memory,
                                      match, found))
        self._scratch.give(memory)
        place = CodePoints(text, data)
        return Match(match.pattern, place(match.begin), place(match.end)) if found[0] else None

    def present(self, text: Text, whole_word: bool = False) -> list[int]:
        """The numbers of the patterns that occur in a text, ascending."""
        data, memory = text_bytes(text), self._scratch.take()
        bits, n_present = ffi.new("uint64_t[]", (len(self) + 63) // 64), ffi.new("size_t *")
        check(lib.lanewise_scan_presence(self._handle, whole_word, ffi.from_buffer(data), len(data), memory, bits, n_present))
        self._scratch.give(memory)
        return [64 * i + bit for i, word in enumerate(bits) if word for bit in range(64) if word >> bit & 1]


def _rows(scan: Any, found: Any) -> Any:
    """The matches that are certain now, as they are in memory: 8 bytes for each of begin and end, 4 for the pattern, 4 more."""
    rows = array.array("Q")
    while n := lib.lanewise_scan_next(scan, found, _BATCH):
        rows.frombytes(ffi.buffer(found, n * ffi.sizeof("lanewise_match")))
    return rows


def _columns(rows: Any) -> tuple[Any, Any, Any]:
    """Patterns, begins and ends of these."""
    return array.array("I", memoryview(rows).cast("B").cast("I")[4::6]), rows[0::3], rows[1::3]


def scan_options(semantics: str, whole_word: bool) -> Any:
    if semantics not in SEMANTICS:
        raise ValueError(f"semantics: {semantics!r} is none of {', '.join(SEMANTICS)}")
    return ffi.new("lanewise_scan_options *", {"struct_size": ffi.sizeof("lanewise_scan_options"),
                                               "semantics": SEMANTICS[semantics], "whole_word": whole_word})


class PatternStream(Uncopyable):
    """Matches in a text that comes in pieces, cut anywhere; offsets are bytes from its beginning. One thread at a time."""

    def __init__(self, patterns: PatternSet, semantics: str, whole_word: bool) -> None:
        self._patterns = patterns
        self._guard = Guard(type(self).__name__)
        self._piece: Any = None  # that the scan still reads, where Ctrl-C ended a call
        self._scratch = scratch(patterns._n_scratch)
        self._scan = lib.lanewise_scan_begin(patterns._handle, scan_options(semantics, whole_word), self._scratch)
        self._finished = False

    def reset(self) -> None:
        """A new text."""
        with self._guard:
            lib.lanewise_scan_restart(self._scan)
            self._finished = False

    def feed(self, piece: Text) -> list[Match]:
        """The matches that are certain now."""
        data = text_bytes(piece, "piece")
        buffer = ffi.from_buffer(data)
        with self._guard:
            if self._finished:
                raise ValueError("the stream is finished; reset() begins another")
            self._read_rest()
            self._piece = buffer
            lib.lanewise_scan_feed(self._scan, buffer, len(data))
            rows = _rows(self._scan, room("lanewise_match", _BATCH))
            self._piece = None
        return list(tuples(Match, *_columns(rows)))

    def finish(self) -> list[Match]:
        """The text has ended: the matches that only its end decides."""
        with self._guard:
            if self._finished:
                return []
            self._read_rest()
            self._finished = True
            lib.lanewise_scan_finish(self._scan)
            rows = _rows(self._scan, room("lanewise_match", _BATCH))
        return list(tuples(Match, *_columns(rows)))

    def _read_rest(self) -> None:
        if self._piece is not None:
            _rows(self._scan, room("lanewise_match", _BATCH))
            self._piece = None

    @property
    def safe(self) -> int:
        """No match to come begins before this offset."""
        with self._guard:
            return int(lib.lanewise_scan_safe(self._scan))


class Part(NamedTuple):
    """A part of a filtered stream: kind "outside", "inside", "start", "end" or "limit", its text, depth and pair."""

    kind: str
    text: str
    depth: int
    pair: int


_KINDS = {lib.LANEWISE_PART_OUTSIDE: "outside", lib.LANEWISE_PART_INSIDE: "inside", lib.LANEWISE_PART_START: "start",
          lib.LANEWISE_PART_END: "end", lib.LANEWISE_PART_LIMIT: "limit"}


def _filter(pairs: Sequence[tuple[str, str]] | None, own_end: bool, nested: bool, max_inside: int) -> Any:
    if pairs is None:
        n_pairs = ffi.new("size_t *")
        given = lib.lanewise_filter_think_pairs(n_pairs)
        n = n_pairs[0]
    else:
        marks = [(start.encode(), end.encode()) for start, end in pairs]
        n = len(marks)
        given = ffi.new("lanewise_filter_pair[]", n)
        buffers = [(ffi.from_buffer(start), ffi.from_buffer(end)) for start, end in marks]
        for i, (start, end) in enumerate(buffers):
            given[i].start, given[i].start_bytes = start, len(marks[i][0])
            given[i].end, given[i].end_bytes = end, len(marks[i][1])
    options = ffi.new("lanewise_filter_options *",
                      {"struct_size": ffi.sizeof("lanewise_filter_options"), "own_end": own_end, "nested": nested,
                       "max_inside": max_inside})
    out, error = ffi.new("lanewise_filter **"), new_error()
    check(lib.lanewise_filter_create(given, n, options, ffi.NULL, out, error), error)
    return ffi.gc(out[0], lib.lanewise_filter_destroy)


class StreamFilter(Uncopyable):
    """Takes a stream of text apart at marks such as <think> and </think>, whatever pieces it comes in.

    `pairs` are starts and ends; without them, those of the usual reasoning models. One stream, one thread at a time.

        filter = StreamFilter()
        for piece in stream: print(filter.feed(piece), end="")
        print(filter.finish())
    """

    def __init__(self, pairs: Sequence[tuple[str, str]] | None = None, own_end: bool = False, nested: bool = False,
                 max_inside: int = 0) -> None:
        self._guard = Guard(type(self).__name__)
        self._piece: Any = None  # that the filter still reads, where Ctrl-C ended a call
        self._filter = _filter(pairs, own_end, nested, max_inside)
        self._scratch = scratch(lib.lanewise_filter_scratch_size(self._filter))
        self.reset()

    def reset(self) -> None:
        """A new stream."""
        with self._guard:
            self._filtering = lib.lanewise_filter_begin(self._filter, self._scratch)
            self._decoders: dict[str, codecs.IncrementalDecoder] = {}
            self._finished = False

    def _parts(self) -> Iterator[Part]:
        part = ffi.new("lanewise_part *")
        while lib.lanewise_filter_next(self._filtering, part):
            kind = _KINDS[part.kind]
            decoder = self._decoders.setdefault(kind, codecs.getincrementaldecoder("utf-8")("replace"))
            data = ffi.unpack(part.bytes, part.n_bytes) if part.n_bytes else b""
            yield Part(kind, decoder.decode(data), part.depth, part.pair)

    def parts(self, piece: Text) -> list[Part]:
        """The parts that are certain now."""
        data = text_bytes(piece, "piece")
        buffer = ffi.from_buffer(data)
        with self._guard:
            if self._finished:
                raise ValueError("the stream is finished; reset() begins another")
            self._read_rest()
            self._piece = buffer
            lib.lanewise_filter_feed(self._filtering, buffer, len(data))
            parts = list(self._parts())
            self._piece = None
        return parts

    def finish_parts(self) -> list[Part]:
        """The stream has ended: what was held back."""
        with self._guard:
            if self._finished:
                return []
            self._read_rest()
            self._finished = True
            lib.lanewise_filter_finish(self._filtering)
            return list(self._parts())

    def _read_rest(self) -> None:
        if self._piece is not None:
            list(self._parts())
            self._piece = None

    def feed(self, piece: Text) -> str:
        """The text outside of spans that is certain now."""
        return "".join(part.text for part in self.parts(piece) if part.kind == "outside")

    def finish(self) -> str:
        """The text outside of spans that was held back."""
        return "".join(part.text for part in self.finish_parts() if part.kind == "outside")

    @property
    def depth(self) -> int:
        """How many spans are open."""
        return int(lib.lanewise_filter_depth(self._filtering))

    def __repr__(self) -> str:
        return f"<lanewise.StreamFilter, {self.depth} spans open>"


def cut(text: str, pairs: Sequence[tuple[str, str]] | None = None) -> str:
    """The text without its spans and their marks; a span that is not ended reaches to the end."""
    handle, data = _filter(pairs, False, False, 0), text_bytes(text)
    out, n_out = room("char", len(data)), ffi.new("size_t *")
    check(lib.lanewise_filter_cut(handle, ffi.from_buffer(data), len(data), scratch(lib.lanewise_filter_scratch_size(handle)),
                                  out, n_out, ffi.NULL))
    return bytes(ffi.buffer(out, n_out[0])).decode()
