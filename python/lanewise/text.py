# SPDX-License-Identifier: Apache-2.0
"""Words of text, BM25 over them, and rankings fused (lanewise/text.h, bm25.h, fusion.h)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ._files import destroy_later, open_file, write_file
from ._library import CodePoints, check, empty, ffi, integers, lib, new_error, pointer, scratch, text_bytes
from .vector import Hits, _positive

Text = str | bytes | bytearray | memoryview


class Word(NamedTuple):
    """A case-folded word, and where it stands as written: code points of a str, bytes of bytes."""

    text: str
    begin: int
    end: int


def words(text: Text) -> list[Word]:
    """The words of a text: runs of letters, numbers and underscores, case-folded; CJK characters one by one."""
    data = text_bytes(text)
    n = len(data)
    room, room_folded = lib.lanewise_text_words_bound(n), lib.lanewise_text_folded_bound(n)
    found, folded, n_words = ffi.new("lanewise_word[]", room), ffi.new("char[]", room_folded or 1), ffi.new("size_t *")
    check(lib.lanewise_text_words(ffi.from_buffer(data), n, found, room, folded, room_folded, n_words))
    place = CodePoints(text, data)
    return [Word(ffi.unpack(word.text, word.n_bytes).decode(), place(word.begin), place(word.end))
            for word in found[0 : n_words[0]]]


def embed(text: Text, dim: int = 384) -> Any:
    """A unit vector of the text by signed feature hashing of its words and pairs of words. A model's vectors are better."""
    if dim < 1:
        raise ValueError(f"dim: {dim} is not positive")
    data, out = text_bytes(text), empty("f", dim)
    check(lib.lanewise_text_embed_f32(ffi.from_buffer(data), len(data), dim, pointer("float *", out)))
    return out


VARIANTS: dict[str, int] = {
    "lucene": lib.LANEWISE_BM25_LUCENE, "robertson": lib.LANEWISE_BM25_ROBERTSON, "atire": lib.LANEWISE_BM25_ATIRE,
    "bm25l": lib.LANEWISE_BM25_L, "bm25+": lib.LANEWISE_BM25_PLUS, "tf-idf": lib.LANEWISE_BM25_TF_IDF,
    "okapi": lib.LANEWISE_BM25_OKAPI,
}
_DELTA = {"bm25l": 0.5, "bm25+": 1.0}


class BM25:
    """BM25 over texts, which are numbered from 0 in the order given. Immutable; threads may share it.

    `variant` is one of VARIANTS (formulas: lanewise/bm25.h; "okapi" is that of the rank_bm25 package, with epsilon 0.25).
    """

    def __init__(self, texts: Iterable[Text], k1: float = 1.2, b: float = 0.75, variant: str = "lucene",
                 delta: float | None = None, epsilon: float = 0.25) -> None:
        if variant not in VARIANTS:
            raise ValueError(f"variant: {variant!r} is none of {', '.join(VARIANTS)}")
        options = ffi.new("lanewise_bm25_options *", {
            "struct_size": ffi.sizeof("lanewise_bm25_options"), "k1": k1, "b": b, "variant": VARIANTS[variant],
            "delta": _DELTA.get(variant, 0) if delta is None else delta, "epsilon": epsilon if variant == "okapi" else 0})
        out = ffi.new("lanewise_bm25_builder **")
        if lib.lanewise_bm25_builder_create(options, ffi.NULL, out) == lib.LANEWISE_ERROR_ARGUMENT:
            raise ValueError(f"k1 {k1}, b {b}, delta {delta} or epsilon {epsilon} is out of range (0 to 1000, 0 to 1)")
        builder = ffi.gc(out[0], lib.lanewise_bm25_builder_destroy)
        for text in texts:
            data = text_bytes(text)
            check(lib.lanewise_bm25_builder_add_text(builder, ffi.from_buffer(data), len(data)))
        made = ffi.new("lanewise_bm25 **")
        check(lib.lanewise_bm25_create(builder, ffi.NULL, made))
        self._handle = destroy_later(self, made[0], lib.lanewise_bm25_destroy)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> BM25:
        """A saved index, mapped into memory and checked."""
        file = open_file(path)
        out, error = ffi.new("lanewise_bm25 **"), new_error()
        check(lib.lanewise_bm25_open(file, ffi.NULL, out, error), error)
        bm25 = cls.__new__(cls)
        bm25._handle = destroy_later(bm25, out[0], lib.lanewise_bm25_destroy, file)
        return bm25

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the index to a file, which replaces one of that name only when it is complete."""
        write_file(path, self._handle, lib.lanewise_bm25_write)

    def __len__(self) -> int:
        return int(lib.lanewise_bm25_n_documents(self._handle))

    @property
    def n_terms(self) -> int:
        """How many different words the texts have."""
        return int(lib.lanewise_bm25_n_terms(self._handle))

    def __repr__(self) -> str:
        return f"<lanewise.BM25 of {len(self)} texts, {self.n_terms} words>"

    def search(self, query: Text, k: int = 10) -> Hits:
        """The best k texts for the words of a query; texts without any of them are never among these."""
        data = text_bytes(query, "query")
        k = min(_positive(k), len(self))
        if k == 0:
            return Hits(empty("I", 0), empty("f", 0))
        index, score, n_found = empty("I", k), empty("f", k), ffi.new("size_t *")
        check(lib.lanewise_bm25_search(self._handle, ffi.from_buffer(data), len(data), k,
                                       scratch(lib.lanewise_bm25_scratch_size(self._handle, k)),
                                       pointer("uint32_t *", index), pointer("float *", score), n_found))
        return Hits(index[: n_found[0]], score[: n_found[0]])


def fuse(rankings: Sequence[Any], k: int = 10, weights: Sequence[float] | None = None, rank_constant: float = 60) -> Hits:
    """Reciprocal rank fusion: the best k of several rankings, each of them numbers, best first (or Hits)."""
    if weights is not None and len(weights) != len(rankings):
        raise ValueError(f"weights: {len(weights)} for {len(rankings)} rankings")
    lists = [integers("I", r.index if isinstance(r, Hits) else r, f"rankings[{i}]") for i, r in enumerate(rankings)]
    given = ffi.new("lanewise_ranking[]", len(lists))
    for i, numbers in enumerate(lists):
        given[i].index = pointer("uint32_t *", numbers)
        given[i].n = len(numbers)
        given[i].weight = 1 if weights is None else weights[i]
    k = min(_positive(k), sum(map(len, lists)))
    if k == 0:
        return Hits(empty("I", 0), empty("f", 0))
    index, score, n_found = empty("I", k), empty("f", k), ffi.new("size_t *")
    memory = scratch(lib.lanewise_fuse_rrf_scratch_size(given, len(lists)))
    status = lib.lanewise_fuse_rrf(given, len(lists), rank_constant, k, memory, pointer("uint32_t *", index),
                                   pointer("float *", score), n_found)
    if status == lib.LANEWISE_ERROR_ARGUMENT:
        raise ValueError(f"a weight is not finite, or rank_constant {rank_constant} not above -1")
    check(status)
    return Hits(index[: n_found[0]], score[: n_found[0]])
