# SPDX-License-Identifier: Apache-2.0
"""Base64, UTF-8, timestamps and server-sent events (lanewise/base64.h, utf8.h, timestamp.h, sse.h)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ._files import Uncopyable
from ._guard import Guard
from ._library import DataError, check, concatenated, empty, ffi, lib, new_error, pointer, room, scratch, text_bytes
from .text import Text


def b64encode(data: bytes | bytearray | memoryview, url: bool = False, padded: bool = True) -> str:
    """Base64 (RFC 4648) of bytes."""
    given = text_bytes(data, "data")
    flags = lib.LANEWISE_BASE64_URL * bool(url) | lib.LANEWISE_BASE64_UNPADDED * (not padded)
    n = lib.lanewise_base64_encoded_size(len(given), flags)
    out = room("char", n)
    lib.lanewise_base64_encode(ffi.from_buffer(given), len(given), flags, out)
    return str(ffi.buffer(out, n), "latin-1") if n else ""  # the quickest, and the text is ASCII


def b64decode(text: Text, url: bool = False, padded: bool = True, mode: str = "strict") -> bytes:
    """The bytes of base64. Mode "strict"; "forgiving" as the WHATWG has it; "lax" as Python's base64.b64decode has it."""
    modes = {"strict": 0, "forgiving": lib.LANEWISE_BASE64_FORGIVING, "lax": lib.LANEWISE_BASE64_LAX}
    if mode not in modes:
        raise ValueError(f"mode: {mode!r} is none of {', '.join(modes)}")
    given = text_bytes(text)
    flags = lib.LANEWISE_BASE64_URL * bool(url) | lib.LANEWISE_BASE64_UNPADDED * (not padded) | modes[mode]
    bound = lib.lanewise_base64_decoded_bound(len(given))
    out, n, error = room("char", bound), ffi.new("size_t *"), new_error()
    check(lib.lanewise_base64_decode(ffi.from_buffer(given), len(given), flags, out, bound, n, error), error)
    return bytes(ffi.buffer(out, n[0]))


def utf8_valid_prefix(data: bytes | bytearray | memoryview) -> int:
    """How many bytes there are before the first that is not valid UTF-8: all, if all are."""
    given = ffi.from_buffer(data)
    return int(lib.lanewise_utf8_valid_prefix(given, len(given)))


def utf8_count(data: bytes | bytearray | memoryview) -> int:
    """The number of code points in valid UTF-8."""
    given = ffi.from_buffer(data)
    return int(lib.lanewise_utf8_count(given, len(given)))


class Event(NamedTuple):
    """A server-sent event."""

    data: str
    type: str
    id: str
    retry_ms: int | None


class EventStream(Uncopyable):
    """Server-sent events of a stream in pieces, cut anywhere. One thread at a time.

    `max_bytes` is the most that an event's data and one line may have together; more is an error.
    """

    def __init__(self, max_bytes: int = 1 << 20) -> None:
        n = lib.lanewise_sse_scratch_size(max_bytes)
        self._guard = Guard(type(self).__name__)
        self._piece: Any = None  # that C still reads, where Ctrl-C ended a call
        self._scratch = scratch(n)
        self._sse = lib.lanewise_sse_begin(self._scratch, n)

    def feed(self, piece: Text) -> list[Event]:
        """The events that are complete now."""
        given = text_bytes(piece, "piece")
        buffer, event, events = ffi.from_buffer(given), ffi.new("lanewise_sse_event *"), []
        with self._guard:
            while self._piece is not None and lib.lanewise_sse_next(self._sse, event) > 0:
                pass
            self._piece = buffer
            lib.lanewise_sse_feed(self._sse, buffer, len(given))
            while (there := lib.lanewise_sse_next(self._sse, event)) > 0:
                events.append(Event(_text(event.data, event.n_data), _text(event.type, event.n_type), _text(event.id, event.n_id),
                                    None if event.retry_ms < 0 else event.retry_ms))
            self._piece = None
        if there < 0:
            raise DataError("an event is larger than max_bytes, or its type or id is too long")
        return events


def _text(address: Any, n: int) -> str:
    return bytes(ffi.buffer(address, n)).decode("utf-8", "replace") if n else ""


def _timestamp_options(naive_offset_minutes: int, refuse_naive: bool, float_rounding: bool) -> Any:
    if not -1440 < naive_offset_minutes < 1440:
        raise ValueError(f"naive_offset_minutes: {naive_offset_minutes} is a day or more")
    return ffi.new("lanewise_timestamp_options *", {
        "struct_size": ffi.sizeof("lanewise_timestamp_options"), "naive_offset_minutes": naive_offset_minutes,
        "refuse_naive": refuse_naive, "float_rounding": float_rounding})


def parse_timestamp(text: str, naive_offset_minutes: int = 0, refuse_naive: bool = False, float_rounding: bool = False) -> int:
    """Nanoseconds since 1970 of an RFC 3339 or ISO 8601 text, exact unless `float_rounding` (see lanewise/timestamp.h)."""
    given, value, error = text_bytes(text), ffi.new("int64_t *"), new_error()
    options = _timestamp_options(naive_offset_minutes, refuse_naive, float_rounding)
    check(lib.lanewise_timestamp_parse(ffi.from_buffer(given), len(given), options, value, error), error)
    return int(value[0])


def parse_timestamps(texts: Sequence[str], naive_offset_minutes: int = 0, refuse_naive: bool = False,
                     float_rounding: bool = False) -> Any:
    """The same for many texts, as an array of int64. DataError names the first malformed one, as its `offset`."""
    data, ends = concatenated(texts, "texts")
    values, offsets, error = empty("q", len(ends) - 1), pointer("uint64_t *", ends), new_error()
    if len(ends) == 1:
        return values
    status = lib.lanewise_timestamp_parse_batch(
        ffi.from_buffer(data), offsets, offsets + 1, len(values),
        _timestamp_options(naive_offset_minutes, refuse_naive, float_rounding), pointer("int64_t *", values), ffi.NULL, error)
    if status == lib.LANEWISE_ERROR_DATA:
        number = next(i for i in range(len(values)) if values[i] == -(2**63))
        raise DataError(f"texts[{number}] {texts[number]!r}: {ffi.string(error.what).decode()}", number)
    check(status, error)
    return values


def format_timestamp(nanoseconds: int, digits: int = -1) -> str:
    """ "2026-11-21T04:30:00.123456789Z", with 0, 3, 6 or 9 digits behind the second, or as many as needed (-1)."""
    if digits not in (-1, 0, 3, 6, 9):
        raise ValueError(f"digits: {digits} is none of -1, 0, 3, 6, 9")
    text = ffi.new("char[]", 36)
    n = lib.lanewise_timestamp_format(nanoseconds, digits, text)
    if n == 0:
        raise ValueError(f"nanoseconds: {nanoseconds} is no timestamp")
    return bytes(ffi.buffer(text, n)).decode("ascii")
