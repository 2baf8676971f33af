# SPDX-License-Identifier: Apache-2.0
"""Duplicate lines and blocks, loops in generated tokens, and XXH3 (lanewise/dedup.h, hash.h)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ._files import destroy_later
from ._library import check, concatenated, empty, ffi, integers, lib, new_error, pointer, room, scratch, text_bytes
from .text import Text

_UNITS = {"lines": lib.LANEWISE_DEDUP_LINES, "blocks": lib.LANEWISE_DEDUP_BLOCKS}
_MODES = {"verify": lib.LANEWISE_DEDUP_VERIFY, "hash64": lib.LANEWISE_DEDUP_HASH64, "hash128": lib.LANEWISE_DEDUP_HASH128}
_BATCH = 1024


def _choice(choices: dict[str, int], name: str, what: str) -> int:
    if name not in choices:
        raise ValueError(f"{what}: {name!r} is none of {', '.join(choices)}")
    return choices[name]


class Unit(NamedTuple):
    """A line or block: its bytes [begin, end) of the text, its number, and that of the first unit equal to it."""

    begin: int
    end: int
    number: int
    first: int

    @property
    def is_duplicate(self) -> bool:
        return self.first != self.number


class Deduplicator:
    """Tells which lines or blocks (paragraphs, fences) of texts in pieces came before. One thread at a time.

    `collapse`, `lower` and `trim` say how units are normalised before they are compared; `min_length` bytes is the least
    that is compared; `window` and `max_bytes` limit what is remembered. Mode "verify" compares bytes and is never wrong;
    the others remember hashes only.
    """

    def __init__(self, unit: str = "lines", mode: str = "verify", collapse: bool = False, lower: bool = False,
                 trim: bool = False, min_length: int = 0, window: int = 0, max_bytes: int = 0) -> None:
        normalize = (lib.LANEWISE_NORMALIZE_COLLAPSE * collapse | lib.LANEWISE_NORMALIZE_LOWER * lower |
                     lib.LANEWISE_NORMALIZE_TRIM * trim)
        options = ffi.new("lanewise_dedup_options *", {
            "struct_size": ffi.sizeof("lanewise_dedup_options"), "unit": _choice(_UNITS, unit, "unit"),
            "mode": _choice(_MODES, mode, "mode"), "normalize": normalize, "min_length": min_length, "window": window,
            "max_bytes": max_bytes})
        out, error = ffi.new("lanewise_dedup **"), new_error()
        check(lib.lanewise_dedup_create(options, ffi.NULL, out, error), error)
        self._handle = destroy_later(self, out[0], lib.lanewise_dedup_destroy)

    def _units(self) -> list[Unit]:
        found, n = room("lanewise_dedup_unit", _BATCH), ffi.new("size_t *")
        units: list[Unit] = []
        while True:
            check(lib.lanewise_dedup_next(self._handle, found, _BATCH, n))
            if n[0] == 0:
                return units
            units += [Unit(u.begin, u.end, u.number, u.first) for u in found[0 : n[0]]]

    def feed(self, piece: Text) -> list[Unit]:
        """The units that are complete now."""
        data = text_bytes(piece, "piece")
        buffer = ffi.from_buffer(data)
        check(lib.lanewise_dedup_feed(self._handle, buffer, len(data)))
        return self._units()

    def finish(self) -> list[Unit]:
        """The text has ended: the last units. The next piece begins another text, compared with all before."""
        check(lib.lanewise_dedup_finish(self._handle))
        units = self._units()
        check(lib.lanewise_dedup_next_text(self._handle))
        return units


def unique_lines(text: str, **options: Any) -> str:
    """The text without the lines that came before; options as for Deduplicator."""
    data = text_bytes(text)
    dedup = Deduplicator("lines", **options)
    units = (*dedup.feed(data), *dedup.finish())
    return b"".join(data[u.begin : u.end + 1] for u in units if not u.is_duplicate).decode()


def unique_blocks(text: str, separator: str = "\n\n", **options: Any) -> str:
    """The blocks that did not come before, joined by `separator`; options as for Deduplicator."""
    data = text_bytes(text)
    dedup = Deduplicator("blocks", **options)
    units = (*dedup.feed(data), *dedup.finish())
    return separator.join(bytes(data[u.begin : u.end]).decode() for u in units if not u.is_duplicate)


class LoopDetector:
    """Whether the last tokens are one block of `min_period` to `max_period` tokens, `count` times over."""

    def __init__(self, min_period: int = 1, max_period: int = 1024, count: int = 4) -> None:
        if not (1 <= min_period <= max_period and count >= 2 and max_period * (count - 1) <= 65535):
            raise ValueError("periods and count: 1 <= min_period <= max_period, 2 <= count, max_period * (count - 1) <= 65535")
        self._scratch = scratch(lib.lanewise_loop_scratch_size(min_period, max_period, count))
        self._loop = lib.lanewise_loop_begin(self._scratch, min_period, max_period, count)

    def push(self, tokens: Sequence[int] | int) -> int:
        """The period of the loop that these tokens complete, or 0. Tokens behind the first that completes one are not taken."""
        data = integers("I", [tokens] if isinstance(tokens, int) else tokens, "tokens")
        if len(data) == 0:
            return 0
        return int(lib.lanewise_loop_push(self._loop, pointer("uint32_t *", data), len(data), ffi.NULL))

    def reset(self) -> None:
        """A new stream."""
        lib.lanewise_loop_reset(self._loop)


def xxh3_64(data: Text, seed: int = 0) -> int:
    """XXH3 with 64 bits. No defence against chosen collisions."""
    given = text_bytes(data, "data")
    return int(lib.lanewise_xxh3_64(ffi.from_buffer(given), len(given), seed))


def xxh3_128(data: Text, seed: int = 0) -> int:
    """XXH3 with 128 bits."""
    given = text_bytes(data, "data")
    value = lib.lanewise_xxh3_128(ffi.from_buffer(given), len(given), seed)
    return int(value.high) << 64 | int(value.low)


def xxh3_64_batch(strings: Sequence[Text], seed: int = 0) -> Any:
    """XXH3 with 64 bits of many strings, as an array of uint64."""
    data, ends = concatenated(strings, "strings")
    out, offsets = empty("Q", len(ends) - 1), pointer("uint64_t *", ends)
    if len(ends) > 1:
        lib.lanewise_xxh3_64_batch(ffi.from_buffer(data), offsets, offsets + 1, len(ends) - 1, seed, pointer("uint64_t *", out))
    return out
