# SPDX-License-Identifier: Apache-2.0
"""Duplicate lines and blocks, loops in generated tokens, and XXH3 (lanewise/dedup.h, hash.h)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from . import _dedup
from ._files import Uncopyable, destroy_later
from ._guard import Guard
from ._library import (DataError, check, choice, concatenated, empty, ffi, from_buffer, integers, lib, new_error, pointer, room, scratch,
                       text_bytes)
from .text import Text

T = TypeVar("T", str, bytes)

_UNITS = {"lines": lib.LANEWISE_DEDUP_LINES, "blocks": lib.LANEWISE_DEDUP_BLOCKS}
_MODES = {"verify": lib.LANEWISE_DEDUP_VERIFY, "hash64": lib.LANEWISE_DEDUP_HASH64, "hash128": lib.LANEWISE_DEDUP_HASH128}
_WHITESPACE = {"ascii": 0, "unicode": lib.LANEWISE_WHITESPACE_UNICODE, "python": lib.LANEWISE_WHITESPACE_PYTHON}
_BATCH = 1024
_UNIT = struct.Struct("=5Q2I")

_dedup.connect({name: int(ffi.cast("uintptr_t", ffi.addressof(lib, name))) for name in _dedup.NEEDED.split()}, DataError)


def _form(collapse: bool, lower: bool, trim: bool, trim_punctuation: bool, whitespace: str, fold: bool = False) -> int:
    return int(lib.LANEWISE_NORMALIZE_COLLAPSE * bool(collapse) | lib.LANEWISE_NORMALIZE_LOWER * bool(lower) |
               lib.LANEWISE_NORMALIZE_TRIM * bool(trim) | lib.LANEWISE_NORMALIZE_TRIM_PUNCTUATION * bool(trim_punctuation) |
               lib.LANEWISE_NORMALIZE_FOLD * bool(fold) | choice(_WHITESPACE, whitespace, "whitespace"))


_FORM_OF_BLOCKS = _form(True, True, True, True, "unicode")


def normalize_text(text: str, collapse: bool = True, lower: bool = True, trim: bool = True, trim_punctuation: bool = False,
                   whitespace: str = "unicode", strip_control: bool = False, fold: bool = False) -> str:
    """The form in which texts are compared: runs of whitespace become one space, A-Z a-z, no whitespace at the ends, none of
    . , ; : at the end, no control characters. `whitespace` is "ascii", "unicode" or "python" (see lanewise/dedup.h). `fold` folds
    the case of all letters, as str.casefold (of Unicode 14)."""
    form = _form(collapse, lower, trim, trim_punctuation, whitespace, fold) | lib.LANEWISE_NORMALIZE_STRIP_CONTROL * bool(strip_control)
    return _normalized(text_bytes(text), form).decode()


def _normalized(data: bytes, form: int) -> bytes:
    capacity = lib.lanewise_normalize_bound(len(data))
    out, n_out = room("char", capacity), ffi.new("size_t *")
    check(lib.lanewise_normalize(ffi.from_buffer(data), len(data), form, out, capacity, n_out))
    return bytes(ffi.buffer(out, n_out[0]))


class Unit(NamedTuple):
    """A line or block: its bytes [begin, end) of the text, its number, and that of the first unit equal to it. `skipped` are
    those too short or too long to be compared."""

    begin: int
    end: int
    number: int
    first: int
    skipped: bool = False

    @property
    def is_duplicate(self) -> bool:
        return self.first != self.number


class Deduplicator(Uncopyable):
    """Tells which lines or blocks (paragraphs, fences) of texts in pieces came before. One thread at a time.

    `collapse`, `lower`, `trim`, `trim_punctuation`, `whitespace` and `fold` say how units are normalised before they are compared
    (see normalize_text); `min_length` bytes, or with `code_points` characters, is the least that is compared; `window` and
    `max_bytes` limit what is remembered. Mode "verify" compares bytes and is never wrong; the others remember hashes only.
    """

    def __init__(self, unit: str = "lines", mode: str = "verify", collapse: bool = False, lower: bool = False,
                 trim: bool = False, min_length: int = 0, window: int = 0, max_bytes: int = 0, trim_punctuation: bool = False,
                 whitespace: str = "ascii", code_points: bool = False, fold: bool = False) -> None:
        normalize = _form(collapse, lower, trim, trim_punctuation, whitespace, fold)
        options = ffi.new("lanewise_dedup_options *", {
            "struct_size": ffi.sizeof("lanewise_dedup_options"), "unit": choice(_UNITS, unit, "unit"),
            "mode": choice(_MODES, mode, "mode"), "normalize": normalize, "min_length": min_length, "window": window,
            "max_bytes": max_bytes, "count_code_points": code_points})
        self._guard = Guard(type(self).__name__)
        self._piece: Any = None  # that C still reads, where Ctrl-C ended a call
        out, error = ffi.new("lanewise_dedup **"), new_error()
        check(lib.lanewise_dedup_create(options, ffi.NULL, out, error), error)
        self._handle = destroy_later(self, out[0], lib.lanewise_dedup_destroy)

    def _rows(self) -> list[tuple[int, int, int, int, int, int, int]]:
        """lanewise_dedup_unit as tuples."""
        found, n = room("lanewise_dedup_unit", _BATCH), ffi.new("size_t *")
        rows: list[tuple[int, int, int, int, int, int, int]] = []
        while True:
            check(lib.lanewise_dedup_next(self._handle, found, _BATCH, n))
            if n[0] == 0:
                return rows
            rows += _UNIT.iter_unpack(ffi.buffer(found, n[0] * _UNIT.size))

    def _units(self) -> list[Unit]:
        return [Unit(begin, end, number, first, flags != 0) for begin, end, number, first, _, flags, _ in self._rows()]

    def _read_rest(self) -> None:
        if self._piece is not None:
            self._rows()
            self._piece = None

    def feed(self, piece: Text) -> list[Unit]:
        """The units that are complete now."""
        data = text_bytes(piece, "piece")
        buffer = ffi.from_buffer(data)
        with self._guard:
            self._read_rest()
            self._piece = buffer
            check(lib.lanewise_dedup_feed(self._handle, buffer, len(data)))
            units = self._units()
            self._piece = None
        return units

    def finish(self) -> list[Unit]:
        """The text has ended: the last units. The next piece begins another text, compared with all before."""
        with self._guard:
            self._read_rest()
            check(lib.lanewise_dedup_finish(self._handle))
            units = self._units()
            check(lib.lanewise_dedup_next_text(self._handle))
        return units


def _unique(text: Text, separator: Text | None, unit: str, mode: str = "verify", collapse: bool = False, lower: bool = False,
            trim: bool = False, min_length: int = 0, window: int = 0, max_bytes: int = 0, trim_punctuation: bool = False,
            whitespace: str = "ascii", code_points: bool = False, fold: bool = False) -> Any:
    return _dedup.unique(text, separator, _UNITS[unit], choice(_MODES, mode, "mode"),
                         _form(collapse, lower, trim, trim_punctuation, whitespace, fold), bool(code_points), min_length, window, max_bytes)


def unique_lines(text: T, **options: Any) -> T:
    """The text without the lines that came before; options as for Deduplicator. Bytes are given back for bytes. Without the GIL."""
    result: T = _unique(text, None, "lines", **options)
    return result


def unique_blocks(text: T, separator: Text = "\n\n", **options: Any) -> T:
    """The blocks that did not come before, joined by `separator`; options as for Deduplicator. Bytes are given back for bytes.
    Without the GIL."""
    result: T = _unique(text, separator, "blocks", **options)
    return result


class LoopDetector(Uncopyable):
    """Whether the last tokens are one block of `min_period` to `max_period` tokens, `count` times over."""

    def __init__(self, min_period: int = 1, max_period: int = 1024, count: int = 4) -> None:
        if not (1 <= min_period <= max_period and count >= 2 and max_period * (count - 1) <= 65535):
            raise ValueError("periods and count: 1 <= min_period <= max_period, 2 <= count, max_period * (count - 1) <= 65535")
        self._guard = Guard(type(self).__name__)
        self._scratch = scratch(lib.lanewise_loop_scratch_size(min_period, max_period, count))
        self._loop = lib.lanewise_loop_begin(self._scratch, min_period, max_period, count)

    def push(self, tokens: Sequence[int] | int) -> int:
        """The period of the loop that these tokens complete, or 0. Tokens behind the first that completes one are not taken."""
        data = integers("I", [tokens] if isinstance(tokens, int) else tokens, "tokens")
        if len(data) == 0:
            return 0
        with self._guard:
            return int(lib.lanewise_loop_push(self._loop, pointer("uint32_t *", data), len(data), ffi.NULL))

    def reset(self) -> None:
        """A new stream."""
        with self._guard:
            lib.lanewise_loop_reset(self._loop)


def xxh3_64(data: Text, seed: int = 0) -> int:
    """XXH3 with 64 bits. No defence against chosen collisions."""
    given = data if type(data) is bytes else text_bytes(data, "data")
    value: int = lib.lanewise_xxh3_64(from_buffer(given), len(given), seed)
    return value


def xxh3_128(data: Text, seed: int = 0) -> int:
    """XXH3 with 128 bits."""
    given = text_bytes(data, "data")
    value = lib.lanewise_xxh3_128(ffi.from_buffer(given), len(given), seed)
    return int(value.high) << 64 | int(value.low)


class XXH3(Uncopyable):
    """XXH3 of data that comes in pieces: of all so far, of either width, at any time."""

    def __init__(self, data: Text = b"", seed: int = 0) -> None:
        if not 0 <= seed < 2**64:
            raise ValueError(f"seed: {seed} is out of range")
        self._guard = Guard(type(self).__name__)
        self._scratch = scratch(lib.lanewise_xxh3_scratch_size())
        self._hash = lib.lanewise_xxh3_begin(self._scratch, seed)
        self.update(data)

    def update(self, data: Text) -> None:
        given = text_bytes(data, "data")
        with self._guard:
            lib.lanewise_xxh3_feed(self._hash, from_buffer(given), len(given))

    def value_64(self) -> int:
        with self._guard:
            return int(lib.lanewise_xxh3_value_64(self._hash))

    def value_128(self) -> int:
        with self._guard:
            value = lib.lanewise_xxh3_value_128(self._hash)
        return int(value.high) << 64 | int(value.low)


def xxh3_64_batch(strings: Sequence[Text], seed: int = 0) -> Any:
    """XXH3 with 64 bits of many strings, as an array of uint64."""
    data, ends = concatenated(strings, "strings")
    out, offsets = empty("Q", len(ends) - 1), pointer("uint64_t *", ends)
    if len(ends) > 1:
        lib.lanewise_xxh3_64_batch(ffi.from_buffer(data), offsets, offsets + 1, len(ends) - 1, seed, pointer("uint64_t *", out))
    return out
