# SPDX-License-Identifier: Apache-2.0
"""JSON as Python objects: whole texts, single values of them, what models write for JSON, and JSON that is still arriving
(lanewise/json.h, sse.h).

    loads('{"a": [1, 2.5]}')                                 {'a': [1, 2.5]}
    find(body, "choices[0].message.content")                 the string there; no other object is made
    loads("Sure! {'a': 1,", repair=True)                     {'a': 1}
    partial.feed('{"city": "Par'); partial.value             {'city': 'Par'}
    Events("choices[0].delta.content").feed(piece)           ['Hel', 'lo']
    Events("choices[0].delta.content").feed_text(piece)      'Hello'

The language is RFC 8259's, so NaN and Infinity are errors, and a \\u escape of half a character too (json.loads takes
them). Otherwise values are those of json.loads: of equal names the last counts, integers are exact, 1e999 is inf.
"""

from __future__ import annotations

import json as _standard
from collections.abc import Sequence
from typing import Any, NamedTuple

from . import _json
from ._files import Uncopyable
from ._guard import Guard
from ._library import CodePoints, DataError, check, ffi, lib, new_error, room, scratch, text_bytes
from .text import Text

_FLAG_BOM: int = lib.LANEWISE_JSON_ALLOW_BOM
_FLAG_SURROGATES: int = lib.LANEWISE_JSON_ALLOW_LONE_SURROGATES


class JSONDecodeError(DataError, _standard.JSONDecodeError):
    """No JSON. `offset` (also `pos`) says where: code points of a str, bytes of anything else. Also a json.JSONDecodeError."""

    def __init__(self, what: str, doc: Any, byte: int) -> None:
        if isinstance(doc, str):
            before = doc.encode()[:byte].decode("utf-8", "ignore")
        else:
            before = bytes(doc)[:byte].decode("latin-1")
        offset = len(before)
        ValueError.__init__(self, f"{what} (at {offset})")
        self.msg, self.doc, self.pos, self.offset = what, doc, offset, offset
        self.lineno = before.count("\n") + 1
        self.colno = offset - before.rfind("\n")
        self._byte = byte

    def __reduce__(self) -> tuple[Any, ...]:
        return JSONDecodeError, (self.msg, self.doc, self._byte)


_json.connect({name: int(ffi.cast("uintptr_t", ffi.addressof(lib, name))) for name in _json.NEEDED.split()}, JSONDecodeError)


def _options(max_depth: int, bom: bool = False, replace_surrogates: bool = False) -> Any:
    if max_depth == 0 and not bom and not replace_surrogates:
        return ffi.NULL
    if not 0 <= max_depth < 2**32:
        raise ValueError(f"max_depth: {max_depth} is negative or too large")
    return ffi.new("lanewise_json_options *", {
        "struct_size": ffi.sizeof("lanewise_json_options"), "max_depth": max_depth,
        "flags": _FLAG_BOM * bom | _FLAG_SURROGATES * replace_surrogates})


def _check(status: int, error: Any, doc: Any) -> None:
    """As check(), with places in the text."""
    if status == lib.LANEWISE_ERROR_DATA:
        raise JSONDecodeError(ffi.string(error.what).decode("utf-8", "replace"), doc, error.offset)
    check(status, error)


def loads(text: Text, *, repair: bool = False, bom: bool = False, replace_surrogates: bool = False, max_depth: int = 0) -> Any:
    """The value of a JSON text (RFC 8259), of a str or UTF-8.

    `bom` passes over a byte order mark, `replace_surrogates` makes U+FFFD of an escape of half a character, and `repair`
    makes JSON of a text that is none (see repair()); without these all of them are JSONDecodeErrors. Arrays and objects
    within each other may be 1024, or `max_depth`. Integers have at most 4300 digits.
    """
    flags = _FLAG_BOM * bom | _FLAG_SURROGATES * replace_surrogates
    if not repair:
        return _json.loads(text, flags, max_depth)
    try:
        return _json.loads(text, flags, max_depth)
    except JSONDecodeError:
        return _json.loads(_json.repair(text, flags, max_depth, 0), flags, max_depth)


def validate(text: Text, *, bom: bool = False, replace_surrogates: bool = False, max_depth: int = 0) -> None:
    """JSONDecodeError if the text is not one JSON value. Several times as fast as loads()."""
    data, error = text_bytes(text), new_error()
    _check(lib.lanewise_json_validate(ffi.from_buffer(data), len(data), _options(max_depth, bom, replace_surrogates), error),
           error, text)


def format(text: Text, indent: int = 0, *, bom: bool = False, replace_surrogates: bool = False, max_depth: int = 0) -> str:
    """The same JSON without white space, or with a line for every name and element. Numbers and strings stay as written."""
    if not 0 <= indent <= 16:
        raise ValueError(f"indent: {indent} is not 0 to 16")
    data, n_out, error, capacity = text_bytes(text), ffi.new("size_t *"), new_error(), len(text) + 1
    options = _options(max_depth, bom, replace_surrogates)
    while True:
        out = room("char", capacity)
        status = lib.lanewise_json_format(ffi.from_buffer(data), len(data), options, indent, out, capacity, n_out, error)
        if status != lib.LANEWISE_ERROR_CAPACITY:
            _check(status, error, text)
            return bytes(ffi.buffer(out, n_out[0])).decode()
        capacity = int(n_out[0])


# -------------------------------------------------------------------- paths


class Paths:
    """Compiled paths, or a single one, for use with many texts.

    A path is a JSON pointer (RFC 6901), "/choices/0/delta", or names and indexes, "choices[0].delta"; "" is the whole
    value. The values are a tuple, or of a single path (a str) just one.
    """

    __slots__ = ("_handle", "_given")

    def __init__(self, path: str | Sequence[str]) -> None:
        self._handle, self._given = _json.paths(path), path if isinstance(path, str) else tuple(path)

    def find(self, text: Text, default: Any = None, *, bom: bool = False, replace_surrogates: bool = False,
             max_depth: int = 0) -> Any:
        """What is at the paths in a JSON text, `default` where there is nothing. The whole text is checked."""
        return _json.find(text, self._handle, default, _FLAG_BOM * bom | _FLAG_SURROGATES * replace_surrogates, max_depth)

    def __repr__(self) -> str:
        return f"lanewise.json.Paths({self._given!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Paths, (self._given,)


def find(text: Text, path: str | Sequence[str] | Paths, default: Any = None, *, max_depth: int = 0) -> Any:
    """What is at a path, or a tuple for several (see Paths), in a JSON text; `default` where there is nothing."""
    return (path if isinstance(path, Paths) else Paths(path)).find(text, default, max_depth=max_depth)


# ------------------------------------------------------------------- repair

EDITS = {
    lib.LANEWISE_JSON_EDIT_PROSE: "prose", lib.LANEWISE_JSON_EDIT_COMMENT: "comment", lib.LANEWISE_JSON_EDIT_QUOTE: "quote",
    lib.LANEWISE_JSON_EDIT_COMMA: "comma", lib.LANEWISE_JSON_EDIT_COLON: "colon", lib.LANEWISE_JSON_EDIT_BRACKET: "bracket",
    lib.LANEWISE_JSON_EDIT_WORD: "word", lib.LANEWISE_JSON_EDIT_NUMBER: "number", lib.LANEWISE_JSON_EDIT_VALUE: "value",
    lib.LANEWISE_JSON_EDIT_ESCAPE: "escape", lib.LANEWISE_JSON_EDIT_JOIN: "join", lib.LANEWISE_JSON_EDIT_ELLIPSIS: "ellipsis",
    lib.LANEWISE_JSON_EDIT_END: "end",
}


class Edit(NamedTuple):
    """What a repair did: text[begin:end] became `new`. `kind` is one of the values of EDITS (see lanewise/json.h)."""

    kind: str
    begin: int
    end: int
    new: str


def _repair(data: Any, options: Any, n_edits: int) -> tuple[bytes, list[tuple[int, int, int, int, int]]]:
    """The repaired text, or the text itself, and all edits if room for some is given: kind, place and size in the one, in the other."""
    result, error, given = ffi.new("lanewise_json_repair_result *"), new_error(), ffi.from_buffer(data)
    edits = room("lanewise_json_edit", n_edits) if n_edits else ffi.NULL
    capacity = 2 * len(data) + 64
    while True:
        out = room("char", capacity)
        status = lib.lanewise_json_repair(given, len(data), options, out, capacity, edits, n_edits, result, error)
        if status != lib.LANEWISE_ERROR_CAPACITY or result.n_out <= capacity:
            break
        capacity = int(result.n_out)
    _check(status, error, data)
    if result.n_edits == 0:
        return bytes(data), []
    if n_edits and result.n_edits > n_edits:
        return _repair(data, options, int(result.n_edits))
    # Copied, as the structs end with their memory.
    found = edits[0 : result.n_edits] if n_edits else []
    rows = [(int(e.kind), int(e.offset), int(e.n_bytes), int(e.out_offset), int(e.n_out)) for e in found]
    return bytes(ffi.buffer(out, result.n_out)), rows


DIALECTS = {
    "lanewise": lib.LANEWISE_JSON_DIALECT_DEFAULT, "json_repair": lib.LANEWISE_JSON_DIALECT_JSON_REPAIR,
    "jsonrepair": lib.LANEWISE_JSON_DIALECT_JSONREPAIR, "victor": lib.LANEWISE_JSON_DIALECT_VICTOR,
}


def _dialect(dialect: str) -> Any:
    if dialect not in DIALECTS:
        raise ValueError(f"dialect: {dialect!r} is none of {', '.join(DIALECTS)}")
    return DIALECTS[dialect]


def repair(text: Text, *, max_depth: int = 0, dialect: str = "lanewise") -> str:
    """JSON of what language models write for it: within prose or fences, with single quotes, missing commas and brackets,
    True and None, comments, cut off. A valid text stays as it is, and anything becomes something (lanewise/json.h).

    `dialect` takes the conventions of "json_repair" (PyPI), "jsonrepair" (npm) or "victor" where they differ: the handbook has a
    table. "victor" repairs single quotes, True, False, None and commas before brackets; what is no JSON then is a
    JSONDecodeError, whose offset is that in the text as far as it was repaired."""
    return _json.repair(text, 0, max_depth, 0 if dialect == "lanewise" else _dialect(dialect))


def repair_edits(text: Text, *, max_depth: int = 0, dialect: str = "lanewise") -> tuple[str, list[Edit]]:
    """The same, and what was done: edits in the order of the text."""
    if not 0 <= max_depth < 2**32:
        raise ValueError(f"max_depth: {max_depth} is negative or too large")
    data = text_bytes(text)
    options = ffi.new("lanewise_json_repair_options *", {
        "struct_size": ffi.sizeof("lanewise_json_repair_options"), "max_depth": max_depth, "dialect": _dialect(dialect)})
    repaired, edits = _repair(data, options, 16)
    place = CodePoints(text, data)
    return repaired.decode(), [
        Edit(EDITS[kind], place(offset), place(offset + n_bytes), repaired[to : to + n_new].decode("utf-8", "replace"))
        for kind, offset, n_bytes, to, n_new in edits]


class Span(NamedTuple):
    """Where JSON stands in a text: code points of a str, bytes of anything else. `text` is the JSON."""

    begin: int
    end: int
    text: str


def extract(text: Text, *, max_depth: int = 0) -> list[Span]:
    """The JSON arrays and objects in a text of any kind, the outermost ones, in order, in linear time."""
    data, error, n_found, capacity = text_bytes(text), new_error(), ffi.new("size_t *"), 64
    given, options = ffi.from_buffer(data), _options(max_depth)
    while True:
        spans = room("lanewise_json_span", capacity)
        status = lib.lanewise_json_find(given, len(data), options, spans, capacity, n_found, error)
        if status != lib.LANEWISE_ERROR_CAPACITY:
            break
        capacity = int(n_found[0])
    check(status, error)
    place = CodePoints(text, data)
    return [Span(place(s.offset), place(s.offset + s.n_bytes), bytes(data[s.offset : s.offset + s.n_bytes]).decode())
            for s in spans[0 : n_found[0]]]


class Fence(NamedTuple):
    """Where a code fence's inside stands in a text: code points of a str, bytes of anything else. `closed` is False if the text
    ends before the fence does."""

    begin: int
    end: int
    language: str
    text: str
    closed: bool


def fences(text: Text) -> list[Fence]:
    """The code fences of Markdown (``` or ~~~ on lines of their own), in order, in linear time."""
    data, n_found, capacity = text_bytes(text), ffi.new("size_t *"), 16
    given = ffi.from_buffer(data)
    while True:
        found = room("lanewise_json_fence", capacity)
        status = lib.lanewise_json_fences(given, len(data), found, capacity, n_found)
        if status != lib.LANEWISE_ERROR_CAPACITY:
            break
        capacity = int(n_found[0])
    check(status)
    place = CodePoints(text, data)

    def part(begin: int, n: int) -> str:
        return bytes(data[begin : begin + n]).decode("utf-8", "replace")

    return [Fence(place(f.offset), place(f.offset + f.n_bytes), part(f.language, f.n_language), part(f.offset, f.n_bytes),
                  bool(f.closed)) for f in found[0 : n_found[0]]]


# ------------------------------------------------------------------ partial


class Partial(Uncopyable):
    """The value of a JSON text that is still arriving, arguments of a tool call say. One thread at a time.

        partial = Partial()
        for piece in stream:
            partial.feed(piece)
            show(partial.value)
        value = partial.finish()

    A string is there as far as it has come, a member once its value has begun to be. Numbers and words are there when
    something stands behind them; with `numbers`, numbers as far as they have come. With `whole_strings`, strings are there
    when they have ended. The text may have `max_bytes` in all (1 MiB).
    """

    def __init__(self, *, numbers: bool = False, whole_strings: bool = False, max_depth: int = 0, max_bytes: int = 0) -> None:
        if not (0 <= max_depth < 2**32 and 0 <= max_bytes < 2**63):
            raise ValueError(f"max_depth {max_depth} or max_bytes {max_bytes} is negative or too large")
        self._options = ffi.new("lanewise_json_partial_options *", {
            "struct_size": ffi.sizeof("lanewise_json_partial_options"), "max_depth": max_depth, "max_bytes": max_bytes,
            "flags": lib.LANEWISE_JSON_PARTIAL_NUMBERS * numbers | lib.LANEWISE_JSON_PARTIAL_WHOLE_STRINGS * whole_strings})
        n = lib.lanewise_json_partial_size(self._options)
        if n == 2 ** (8 * ffi.sizeof("size_t")) - 1:
            raise ValueError(f"max_depth {max_depth} or max_bytes {max_bytes} is too large")
        self._guard = Guard(type(self).__name__)
        self._n_scratch, self._scratch = n, scratch(n)
        self._view = ffi.new("lanewise_json_view *")
        self._view_address = int(ffi.cast("uintptr_t", self._view))
        self.reset()

    def reset(self) -> None:
        """A new text."""
        with self._guard:
            self._partial = lib.lanewise_json_partial_begin(self._scratch, self._n_scratch, self._options)
            self._seen = False

    def feed(self, piece: Text) -> None:
        """More of the text, cut anywhere. JSONDecodeError, now and from now on, if no JSON begins like this; `offset` is in
        bytes of the whole text. `value` stays that of what came before."""
        data, error = text_bytes(piece, "piece"), new_error()
        with self._guard:
            self._seen = False
            status = lib.lanewise_json_partial_feed(self._partial, ffi.from_buffer(data), len(data), error)
        if status == lib.LANEWISE_ERROR_CAPACITY:
            raise ValueError("the text is larger than max_bytes")
        check(status, error)

    def _look(self) -> Any:
        if not self._seen:
            lib.lanewise_json_partial_view(self._partial, self._view)
            self._seen = True
        return self._view

    @property
    def value(self) -> Any:
        """The value as far as it has come; None before it has begun. Made anew each time, in time linear in its size: where
        that matters, use find()."""
        with self._guard:
            return self._value()

    def _value(self) -> Any:
        return _json.view(self._view_address, None, None) if self._look().n_nodes else None

    def find(self, path: Paths | str | Sequence[str], default: Any = None) -> Any:
        """What is at a path, or a tuple for several, as far as it has come; `default` where there is nothing yet."""
        paths = path if isinstance(path, Paths) else Paths(path)
        with self._guard:
            if self._look().n_nodes:
                return _json.view(self._view_address, paths._handle, default)
        return default if isinstance(paths._given, str) else (default,) * len(paths._given)

    @property
    def text(self) -> str:
        """JSON of the value as far as it has come; "" before it has begun."""
        with self._guard:
            view = self._look()
            return bytes(ffi.buffer(view.text, view.n_bytes)).decode() if view.n_nodes else ""

    @property
    def complete(self) -> bool:
        """Whether the value is whole. A number at the top never is: more digits might come."""
        with self._guard:
            return bool(self._look().complete)

    def finish(self) -> Any:
        """The text has ended: its value. JSONDecodeError (a DataError) if it is not whole."""
        error = new_error()
        with self._guard:
            self._seen = False  # a view is good until the next call
            check(lib.lanewise_json_partial_finish(self._partial, error), error)
            return self._value()

    def __repr__(self) -> str:
        return f"<lanewise.json.Partial, {'complete' if self.complete else 'incomplete'}>"


# ------------------------------------------------------------------- events


class Events(Uncopyable):
    """The JSON of server-sent events, as language models' services stream it, in pieces cut anywhere.

        events = Events("choices[0].delta.content", default="")
        for piece in response:
            print("".join(events.feed(piece)), end="")

    For each event with JSON comes its value, or what is at `path` (a path, Paths, or several paths for tuples), `default`
    where there is nothing. The event whose data is `done` ends it (none, if it is ""): what follows is passed over. Data that is no JSON
    is a JSONDecodeError, or, with `skip`, counted in `n_skipped`. One thread at a time.
    """

    def __init__(self, path: str | Sequence[str] | Paths | None = None, default: Any = None, *, done: str = "[DONE]",
                 skip: bool = False, max_bytes: int = 1 << 20) -> None:
        if not 0 <= max_bytes < 2**40:
            raise ValueError(f"max_bytes: {max_bytes} is negative or too large")
        self._paths = path if path is None or isinstance(path, Paths) else Paths(path)
        self._done, self._skip, self._stream = done.encode(), skip, None
        self._state = (False, 0)
        if self._paths is not None:
            self._stream = _json.stream(self._paths._handle, default, self._done, skip, max_bytes)
            # Functions in C take the place of the methods, unless a subclass has its own: pieces are small, and calls count.
            for name, feeder in zip(("feed", "feed_text"), _json.feeders(self._stream)):
                if getattr(type(self), name) is getattr(Events, name):
                    setattr(self, name, feeder)
        else:
            n = lib.lanewise_sse_scratch_size(max_bytes)
            self._guard = Guard(type(self).__name__)
            self._scratch = scratch(n)
            self._address = int(ffi.cast("uintptr_t", lib.lanewise_sse_begin(self._scratch, n)))

    def feed(self, piece: Text) -> list[Any]:
        """The values of the events that are complete now. After an error, the piece's other events are lost."""
        if self._stream is not None:
            return _json.feeders(self._stream)[0](piece)
        values: list[Any] = []
        with self._guard:
            if not self._state[0]:
                done, n_skipped = _json.events(self._address, piece, self._done, self._skip, values)
                self._state = bool(done), self._state[1] + n_skipped
        return values

    def feed_text(self, piece: Text) -> str:
        """The strings among the values of the events that are complete now, joined: "" if there are none. Several times as
        fast as "".join() of feed(). ValueError without a path."""
        if self._stream is None:
            raise ValueError("feed_text: there is no path")
        return _json.feeders(self._stream)[1](piece)

    @property
    def done(self) -> bool:
        """Whether the event whose data is `done` has come."""
        return self._state[0] if self._stream is None else _json.state(self._stream)[0]

    @property
    def n_skipped(self) -> int:
        """The events passed over because they are no JSON."""
        return self._state[1] if self._stream is None else _json.state(self._stream)[1]

    def __repr__(self) -> str:
        return f"<lanewise.json.Events of {self._paths!r}{', done' if self.done else ''}>"
