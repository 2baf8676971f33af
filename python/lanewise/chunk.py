# SPDX-License-Identifier: Apache-2.0
"""Data cut where its content says so, and text cut into passages (lanewise/chunk.h, text_chunk.h)."""

from __future__ import annotations

import array
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from ._files import Immutable, Uncopyable
from ._guard import Guard
from ._library import CodePoints, check, choice, empty, ffi, lib, new_error, pointer, room, scratch, text_bytes, tuples
from .text import Text

METHODS = {"lanewise1": lib.LANEWISE_CDC_LANEWISE1, "fastcdc2020": lib.LANEWISE_CDC_FASTCDC2020}
UNITS = {"characters": lib.LANEWISE_TEXT_CHUNK_CHARACTERS, "lines": lib.LANEWISE_TEXT_CHUNK_LINES,
         "sentences": lib.LANEWISE_TEXT_CHUNK_SENTENCES, "paragraphs": lib.LANEWISE_TEXT_CHUNK_PARAGRAPHS}
MEASURES = {"characters": lib.LANEWISE_TEXT_CHUNK_CODE_POINTS, "tokens": lib.LANEWISE_TEXT_CHUNK_TOKENS}
_BATCH = 512
_PIECE = 1 << 20


def _uint32(value: int, what: str) -> int:
    if not 0 <= value < 2**32:
        raise ValueError(f"{what}: {value} is out of range")
    return value


# -------------------------------------------------- chunks by content


class BinaryFile(Protocol):
    """What has read(n) and gives bytes."""

    def read(self, n: int, /) -> bytes | None: ...


class Chunker(Immutable):
    """Cuts data where its content says so: an edit moves only the cuts near it, so most chunks of two versions are equal.

    Methods are "lanewise1", our own, which is several times faster, and "fastcdc2020", with the cuts of the Rust crate fastcdc
    (its module v2020). Sizes are in bytes; `level`, 0 to 3, is how little they vary; who does not know the `key` cannot tell
    from the sizes which known data was cut. Immutable; threads may share it. Its streams are for one thread at a time.
    """

    def __init__(self, method: str = "lanewise1", min_size: int = 4096, average_size: int = 16384, max_size: int = 65536,
                 level: int = 1, key: int = 0) -> None:
        if not 0 <= key < 2**64:
            raise ValueError(f"key: {key} is out of range")
        self._arguments = (method, min_size, average_size, max_size, level, key)
        self._options = ffi.new("lanewise_cdc_options *", {
            "struct_size": ffi.sizeof("lanewise_cdc_options"), "method": choice(METHODS, method, "method"),
            "level": _uint32(level, "level"), "min_size": _uint32(min_size, "min_size"),
            "average_size": _uint32(average_size, "average_size"), "max_size": _uint32(max_size, "max_size"), "key": key})
        self.stream()  # which tries the options

    def __reduce__(self) -> tuple[Any, ...]:
        return Chunker, self._arguments

    def __repr__(self) -> str:
        method, min_size, average_size, max_size, level, _ = self._arguments
        return (f"<lanewise.Chunker, {method}, {min_size} to {max_size} bytes, {average_size} on average, level {level}>")

    def ends(self, data: Text) -> Any:
        """Where the chunks of data end, in bytes (uint64): the last where the data does."""
        given, n, error = text_bytes(data, "data"), ffi.new("size_t *"), new_error()
        # The usual number of chunks and more; all that there may be only if that does not do.
        bound = lib.lanewise_cdc_bound(len(given), self._options)
        for capacity in (min(bound, 2 * len(given) // self._options.average_size + 16), bound):
            ends = empty("Q", capacity)
            status = lib.lanewise_cdc_chunks(ffi.from_buffer(given), len(given), self._options, pointer("uint64_t *", ends), capacity,
                                             n, error)
            if status != lib.LANEWISE_ERROR_CAPACITY:
                break
        check(status, error)
        return ends[: n[0]]

    def chunks(self, data: bytes | bytearray | memoryview) -> list[memoryview]:
        """The chunks of data, which are not copied."""
        if isinstance(data, str):
            raise TypeError("data: bytes are needed, not str")
        view, ends = memoryview(text_bytes(data, "data")), self.ends(data).tolist()
        return [view[begin:end] for begin, end in zip([0, *ends], ends)]

    def stream(self) -> ChunkStream:
        """Data that comes in pieces."""
        return ChunkStream(self)

    def read(self, file: BinaryFile) -> Iterator[bytes]:
        """The chunks of what a binary file still has, read as they are asked for."""
        stream, held, begin = self.stream(), bytearray(), 0
        while piece := file.read(_PIECE):
            if isinstance(piece, str):
                raise TypeError("file: it is open for text; bytes are needed")
            held += piece
            done = 0
            for end in stream.feed(piece):
                yield bytes(held[done : end - begin])
                done = end - begin
            del held[:done]
            begin += done
        if held:
            yield bytes(held)


class ChunkStream(Uncopyable):
    """Where chunks end in data that comes in pieces, cut anywhere, from its beginning; the data is not kept."""

    def __init__(self, chunker: Chunker) -> None:
        self._chunker = chunker
        self._guard = Guard(type(self).__name__)
        self._scratch = scratch(lib.lanewise_cdc_scratch_size())
        self.reset()

    def reset(self) -> None:
        """Other data."""
        out, error = ffi.new("lanewise_cdc **"), new_error()
        with self._guard:
            check(lib.lanewise_cdc_begin(self._scratch, self._chunker._options, out, error), error)
            self._cdc = out[0]

    def feed(self, piece: Text) -> list[int]:
        """Where chunks have ended since."""
        data = text_bytes(piece, "piece")
        buffer, n = ffi.from_buffer(data), len(data)
        ends, n_ends, done = room("uint64_t", _BATCH), ffi.new("size_t *"), 0
        found: list[int] = []
        with self._guard:
            while done < n:
                done += lib.lanewise_cdc_feed(self._cdc, buffer + done, n - done, ends, _BATCH, n_ends)
                found += ffi.unpack(ends, n_ends[0]) if n_ends[0] else []
        return found

    def finish(self) -> list[int]:
        """The data has ended: the end of the last chunk, if one is open. The next piece begins other data."""
        end = ffi.new("uint64_t *")
        with self._guard:
            return [int(end[0])] if lib.lanewise_cdc_finish(self._cdc, end) else []


def fastcdc(data: Text, min_size: int = 4096, average_size: int = 16384, max_size: int = 65536, level: int = 1, seed: int = 0) -> Any:
    """Where the chunks of data end by FastCDC, as the Rust crate fastcdc 3 (v2020) cuts them."""
    return Chunker("fastcdc2020", min_size, average_size, max_size, level, seed).ends(data)


# ---------------------------------------------------------------- passages


class Chunk(NamedTuple):
    """A passage: its text, [begin, end) of what it was cut from, and `fresh`, up to where it was in the passage before too.

    Offsets are code points of a str and bytes of anything else, of which also the text is bytes."""

    text: Any
    begin: int
    end: int
    fresh: int


class TextChunker(Immutable):
    """Cuts text into passages for retrieval: as many whole units as fit into `size`, and up to `overlap` of the passage before.

    Units are "paragraphs", "sentences", "lines" or "characters"; one that does not fit is cut in smaller ones. Sizes count
    "characters" or, estimated as text_tokens() does, "tokens". `trim` leaves out white space at the ends of passages;
    `single` makes every unit a passage of its own; `abbreviations` are what a period does not end a sentence after, "dr", "e.g",
    in place of a list for English. Immutable; threads may share it. What is a sentence, and so on: lanewise/text_chunk.h.
    """

    def __init__(self, size: int = 1344, overlap: int = 128, unit: str = "paragraphs", measure: str = "characters",
                 trim: bool = False, single: bool = False, abbreviations: list[str] | tuple[str, ...] | None = None) -> None:
        self._arguments = (size, overlap, unit, measure, trim, single, None if abbreviations is None else tuple(abbreviations))
        self._options = ffi.new("lanewise_text_chunk_options *", {
            "struct_size": ffi.sizeof("lanewise_text_chunk_options"), "unit": choice(UNITS, unit, "unit"),
            "measure": choice(MEASURES, measure, "measure"), "size": _uint32(size, "size"),
            "overlap": _uint32(overlap, "overlap"), "trim": bool(trim), "single": bool(single)})
        if abbreviations is not None:
            words = " ".join(abbreviations)
            if "\0" in words:
                raise ValueError("abbreviations: one has a NUL")
            self._abbreviations = ffi.new("char[]", text_bytes(words, "abbreviations"))
            self._options.abbreviations = self._abbreviations
        self._begin(ffi.from_buffer(b""), 0)  # which tries the options

    def __reduce__(self) -> tuple[Any, ...]:
        return TextChunker, self._arguments

    def __repr__(self) -> str:
        size, overlap, unit, measure, *_ = self._arguments
        return f"<lanewise.TextChunker, {unit}, {size} {measure}, overlap {overlap}>"

    def _begin(self, buffer: Any, n: int) -> tuple[Any, Any]:
        memory = scratch(lib.lanewise_text_chunker_scratch_size())
        out, error = ffi.new("lanewise_text_chunker **"), new_error()
        check(lib.lanewise_text_chunker_begin(memory, buffer, n, self._options, out, error), error)
        return out[0], memory

    def chunks(self, text: Text) -> list[Chunk]:
        """The passages of a text, in its order."""
        data = text_bytes(text)
        buffer, whole = ffi.from_buffer(data), text if isinstance(text, str) else data
        chunker, _memory = self._begin(buffer, len(data))
        found, offsets = room("lanewise_text_chunk", _BATCH), array.array("Q")
        while n := lib.lanewise_text_chunker_next(chunker, found, _BATCH):
            offsets.frombytes(ffi.buffer(found, n * ffi.sizeof("lanewise_text_chunk")))
        place = CodePoints(text, data)
        begins, ends, fresh = (place.all(offsets[i::3]).tolist() for i in range(3))
        return list(tuples(Chunk, [whole[begin:end] for begin, end in zip(begins, ends)], begins, ends, fresh))

    def split(self, text: str) -> list[str]:
        """The passages alone."""
        return [chunk.text for chunk in self.chunks(text)]


def chunk_text(text: str, size: int = 1344, overlap: int = 128, unit: str = "paragraphs", measure: str = "characters",
               trim: bool = False, single: bool = False) -> list[str]:
    """The passages of a text; the options are those of TextChunker."""
    return TextChunker(size, overlap, unit, measure, trim, single).split(text)


def text_tokens(text: Text) -> int:
    """About how many tokens a language model makes of a text; within a fifth for English and programs, worse elsewhere."""
    data = text_bytes(text)
    return int(lib.lanewise_text_tokens(ffi.from_buffer(data), len(data)))
