# SPDX-License-Identifier: Apache-2.0
"""Signs that a language model goes round in circles (lanewise/repeat.h); exact cycles of tokens: LoopDetector.

What reads a stream or texts one after the other is for one thread at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ._files import Uncopyable, destroy_later
from ._guard import Guard
from ._library import CodePoints, check, ffi, from_buffer, integers, lib, new_error, pointer, room, scratch, text_bytes
from .text import Text

GUARD_KINDS = {lib.LANEWISE_GUARD_SEGMENT: "segment", lib.LANEWISE_GUARD_BLOCK: "block"}
THOUGHT_KINDS = {lib.LANEWISE_THOUGHT_FINE: "fine", lib.LANEWISE_THOUGHT_STALL: "stall", lib.LANEWISE_THOUGHT_REPEAT: "repeat",
                 lib.LANEWISE_THOUGHT_SIMILAR: "similar"}


def _uint32(value: int, what: str, least: int = 0, most: int = 2**32 - 1) -> int:
    if not least <= value <= most:
        raise ValueError(f"{what}: {value} is not {least} to {most}")
    return value


class NGrams(Uncopyable):
    """Tells when a run of n tokens occurs `count` times among the last `window` such runs, compared token by token."""

    def __init__(self, n: int, count: int, window: int = 1024) -> None:
        self.n, self.count, self.window = _uint32(n, "n", 1, 64), _uint32(count, "count", 1), _uint32(window, "window", 1, 2**24)
        self._guard = Guard(type(self).__name__)
        self._scratch = scratch(lib.lanewise_ngrams_scratch_size(n, window))
        self._ngrams = lib.lanewise_ngrams_begin(self._scratch, n, window)
        self._n_taken = ffi.new("size_t *")

    def push(self, tokens: Sequence[int] | int) -> int:
        """How often the run that these tokens end is there, if that is `count` times or more, or 0. Tokens behind the first that ends
        such a run are not taken."""
        data = integers("I", [tokens] if isinstance(tokens, int) else tokens, "tokens")
        with self._guard:
            return int(lib.lanewise_ngrams_push(self._ngrams, pointer("uint32_t *", data), len(data), self.count, self._n_taken))

    @property
    def n_taken(self) -> int:
        """How many tokens the last push() took."""
        return int(self._n_taken[0])

    def reset(self) -> None:
        """A new stream."""
        with self._guard:
            lib.lanewise_ngrams_reset(self._ngrams)

    def __repr__(self) -> str:
        return f"<lanewise.NGrams, runs of {self.n} that occur {self.count} times among {self.window}>"


class Repeat(NamedTuple):
    """A "segment" (a sentence or line) that occurs so many `times` among the last bytes, or a "block" that does so at least as often;
    [begin, end) is where: bytes from the beginning of the stream."""

    kind: str
    begin: int
    end: int
    times: int


class RepeatGuard(Uncopyable):
    """Looks for sentences, lines and blocks of text that come again and again within one answer, by the rules of Victor's guard.

    Of the last window_bytes, looked at each time that check_every more have come, a segment may not occur segment_repeats times,
    and the last block_bytes not block_repeats times; what has less than min_segment bytes does not count.
    """

    def __init__(self, window_bytes: int = 4000, check_every: int = 512, min_segment: int = 24, segment_repeats: int = 6,
                 block_bytes: int = 256, block_repeats: int = 3) -> None:
        given = {"window_bytes": window_bytes, "check_every": check_every, "min_segment": min_segment, "segment_repeats": segment_repeats,
                 "block_bytes": block_bytes, "block_repeats": block_repeats}
        self._options = ffi.new("lanewise_guard_options *", {"struct_size": ffi.sizeof("lanewise_guard_options"), **{
            name: _uint32(value, name, 1) for name, value in given.items()}})
        size = lib.lanewise_guard_scratch_size(self._options)
        if size == 0:
            raise ValueError("window_bytes is over 2**20, or block_bytes over window_bytes")
        self._guard = Guard(type(self).__name__)
        self._scratch = scratch(size)
        self._handle = lib.lanewise_guard_begin(self._scratch, self._options)
        self._repeat = ffi.new("lanewise_guard_repeat *")

    def feed(self, piece: Text) -> Repeat | None:
        """The next piece: what repeats too often, or None. Once something does, all calls return it."""
        data, repeat = text_bytes(piece, "piece"), self._repeat
        with self._guard:
            kind = lib.lanewise_guard_push(self._handle, from_buffer(data), len(data), repeat)
            return Repeat(GUARD_KINDS[kind], repeat.begin, repeat.end, repeat.count) if kind else None

    def reset(self) -> None:
        """A new text."""
        with self._guard:
            lib.lanewise_guard_reset(self._handle)


class Thought(NamedTuple):
    """What a text is: "fine"; a "stall" that again only says what comes next; a "repeat" of earlier ones; "similar" to several.

    `times` is stalls in a row, how often it has come, or similar ones and itself; `similarity` the greatest with a recent one."""

    kind: str
    times: int
    similarity: float

    @property
    def is_loop(self) -> bool:
        return self.kind != "fine"


class ThoughtDetector(Uncopyable):
    """Says of texts, one after the other, whether they go round in circles, by the rules of Victor's ThinkingDetector.

    What counts as what: lanewise/repeat.h. Of texts, the last max_texts are remembered; similarity is compared with the last `window`.
    """

    def __init__(self, repeat_threshold: int = 3, similarity_threshold: float = 0.65, window: int = 10, stall_threshold: int = 2,
                 max_texts: int = 4096) -> None:
        if not similarity_threshold > 0:
            raise ValueError(f"similarity_threshold: {similarity_threshold} is not positive")
        options = ffi.new("lanewise_thoughts_options *", {
            "struct_size": ffi.sizeof("lanewise_thoughts_options"), "repeat_threshold": _uint32(repeat_threshold, "repeat_threshold", 2),
            "stall_threshold": _uint32(stall_threshold, "stall_threshold", 1), "window": _uint32(window, "window", 1),
            "max_texts": _uint32(max_texts, "max_texts", 1), "similarity_threshold": similarity_threshold})
        self._guard = Guard(type(self).__name__)
        out, error = ffi.new("lanewise_thoughts **"), new_error()
        check(lib.lanewise_thoughts_create(options, ffi.NULL, out, error), error)
        self._handle = destroy_later(self, out[0], lib.lanewise_thoughts_destroy)

    def record(self, text: Text) -> Thought:
        """The next text."""
        data, thought = text_bytes(text), ffi.new("lanewise_thought *")
        with self._guard:
            check(lib.lanewise_thoughts_record(self._handle, from_buffer(data), len(data), thought))
        return Thought(THOUGHT_KINDS[thought.kind], thought.count, thought.similarity)

    def reset(self) -> None:
        """All texts are forgotten."""
        with self._guard:
            lib.lanewise_thoughts_reset(self._handle)


class CircularPhrases(NamedTuple):
    """How many phrases like "let me check" a text has, and where the first begins, or None."""

    times: int
    first: int | None


def circular_phrases(text: Text) -> CircularPhrases:
    """How often a text says what it is about to do, in phrases like "let me check" or "I need to read"."""
    data, first = text_bytes(text), ffi.new("size_t *")
    count = lib.lanewise_circular_phrases(from_buffer(data), len(data), first)
    return CircularPhrases(int(count), CodePoints(text, data)(first[0]) if count else None)


def call_signatures(calls: Iterable[tuple[Text, Mapping[str, Text]]]) -> list[int]:
    """A number of 128 bits for every call of a tool, (name, arguments): equal ones for equal calls, whatever the order of their
    arguments. Values are rendered by the caller, by json.dumps(value, sort_keys=True) say."""
    given = [(text_bytes(name, "name"),
              [(text_bytes(key, "key"), text_bytes(value, f"value of {key!r}")) for key, value in arguments.items()])
             for name, arguments in calls]
    n = len(given)
    if n == 0:
        return []
    c_calls, keep = room("lanewise_call", n), []
    for i, (name, arguments) in enumerate(given):
        c_arguments = room("lanewise_argument", len(arguments))
        for j, (key, value) in enumerate(arguments):
            buffers = from_buffer(key), from_buffer(value)
            keep.append(buffers)
            c_arguments[j].key, c_arguments[j].value = buffers
            c_arguments[j].key_bytes, c_arguments[j].value_bytes = len(key), len(value)
        buffer = from_buffer(name)
        keep.append((buffer, c_arguments))
        c_calls[i].name, c_calls[i].name_bytes = buffer, len(name)
        c_calls[i].arguments, c_calls[i].n_arguments = c_arguments, len(arguments)
    most = max(len(arguments) for _, arguments in given)
    out = room("lanewise_hash128", n)
    lib.lanewise_call_signatures(c_calls, n, room("size_t", most), out)
    return [int(value.high) << 64 | int(value.low) for value in out[0:n]]
