# SPDX-License-Identifier: Apache-2.0
"""Words of text, BM25 over them, and rankings fused (lanewise/text.h, bm25.h, fusion.h)."""

from __future__ import annotations

import array
import functools
import itertools
import os
import struct
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ._files import Immutable, Uncopyable, bytes_of_file, destroy_later, file_of_bytes, open_file, write_file
from ._guard import Guard
from ._library import (
    FLOATS, CodePoints, check, empty, ffi, floats, from_buffer, integers, lib, new_error, pointer, room, scratch, text_bytes, tuples)
from .vector import Hits, _positive, filter_of, hits_of_many

Text = str | bytes | bytearray | memoryview


class Word(NamedTuple):
    """A case-folded word, and where it stands as written: code points of a str, bytes of bytes."""

    text: str
    begin: int
    end: int


RULES = {"segments": lib.LANEWISE_WORDS_SEGMENTS, "runs": lib.LANEWISE_WORDS_RUNS}


class Analyzer(Immutable):
    """How texts become words: which characters, which words are dropped, what is left of them. Immutable; threads may share it.

    `rule` is "segments", as without an analyzer (CJK characters one by one, marks belong to words), or "runs", the words of
    Python's `\\w+`. Words are case-folded unless `keep_case`. Numbers, words of less or more characters (0 is no limit) and
    `stop_words`, a sequence of them or the name of a list ("english"), are dropped. `stemmer`, "english" or "german" say, is a
    Snowball algorithm of libstemmer; NotImplementedError where that is not installed.
    """

    def __init__(self, rule: str = "segments", keep_case: bool = False, drop_numbers: bool = False, min_characters: int = 0,
                 max_characters: int = 0, stop_words: str | Sequence[str] | None = None, stemmer: str | None = None) -> None:
        if rule not in RULES:
            raise ValueError(f"rule: {rule!r} is none of {', '.join(RULES)}")
        for name, value in (("min_characters", min_characters), ("max_characters", max_characters)):
            if not 0 <= value <= lib.LANEWISE_WORD_BYTES:
                raise ValueError(f"{name}: {value} is not 0 to {lib.LANEWISE_WORD_BYTES}")
        listed = () if stop_words is None or isinstance(stop_words, str) else tuple(stop_words)
        self._arguments = (rule, keep_case, drop_numbers, min_characters, max_characters,
                           stop_words if isinstance(stop_words, str) else listed or None, stemmer)
        stop = ffi.new("char[]", _c_name(stop_words, "stop_words")) if isinstance(stop_words, str) else ffi.NULL
        stem = ffi.NULL if stemmer is None else ffi.new("char[]", _c_name(stemmer, "stemmer"))
        given, parts = ffi.new("lanewise_word[]", len(listed)), [text_bytes(word, f"stop_words[{i}]") for i, word in enumerate(listed)]
        buffers = [ffi.from_buffer(part) for part in parts]
        for i, buffer in enumerate(buffers):
            given[i].text, given[i].n_bytes = buffer, len(parts[i])
        options = ffi.new("lanewise_analyzer_options *", {
            "struct_size": ffi.sizeof("lanewise_analyzer_options"), "rule": RULES[rule], "keep_case": bool(keep_case),
            "drop_numbers": bool(drop_numbers), "min_characters": min_characters, "max_characters": max_characters, "stop": stop,
            "stop_words": given, "n_stop_words": len(listed), "stemmer": stem})
        out, error = ffi.new("lanewise_analyzer **"), new_error()
        check(lib.lanewise_analyzer_create(options, ffi.NULL, out, error), error)
        self._handle = destroy_later(self, out[0], lib.lanewise_analyzer_destroy)

    def __reduce__(self) -> tuple[Any, ...]:
        return Analyzer, self._arguments

    def __repr__(self) -> str:
        names = ("rule", "keep_case", "drop_numbers", "min_characters", "max_characters", "stop_words", "stemmer")
        return f"lanewise.Analyzer({', '.join(f'{name}={value!r}' for name, value in zip(names, self._arguments) if value)})"


def _c_name(name: str, what: str) -> bytes:
    if "\0" in name:
        raise ValueError(f"{what}: {name!r} has a NUL")
    return bytes(text_bytes(name, what))


def words(text: Text, analyzer: Analyzer | None = None) -> list[Word]:
    """The words of a text: runs of letters, numbers and underscores, case-folded; CJK characters one by one; or those of an
    analyzer."""
    data = text_bytes(text)
    n = len(data)
    bound, bound_folded = lib.lanewise_text_words_bound(n), lib.lanewise_text_folded_bound(n)
    found, folded, n_words = room("lanewise_word", bound), room("char", bound_folded), ffi.new("size_t *")
    check(lib.lanewise_analyze(ffi.NULL if analyzer is None else analyzer._handle, ffi.from_buffer(data), n, found, bound, folded,
                               bound_folded, n_words))
    rows = list(_WORD.iter_unpack(ffi.buffer(found, n_words[0] * _WORD.size)))
    if not rows:
        return []
    begins, ends = array.array("Q", [row[2] for row in rows]), array.array("Q", [row[3] for row in rows])
    base = int(ffi.cast("uintptr_t", folded))
    all_folded = bytes(ffi.buffer(folded, rows[-1][0] - base + rows[-1][1]))
    place = CodePoints(text, data)
    spelled = [all_folded[at - base : at - base + n].decode() for at, n, _, _ in rows]
    return list(tuples(Word, spelled, place.all(begins), place.all(ends)))


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
_WORD = struct.Struct("PNQQ")
_UINT32, _SIZES = ffi.typeof("uint32_t[]"), ffi.typeof("size_t[]")
_new_size = functools.partial(ffi.new, ffi.typeof("size_t *"))
_DELTA = {"bm25l": 0.5, "bm25+": 1.0}


def _add_texts(builder: Any, texts: Iterable[Text]) -> None:
    """Many at a time: a call for each would take as long as a short text itself."""
    parts: list[Any] = []
    n_bytes = 0

    def add() -> None:
        ends = array.array("L", itertools.accumulate(map(len, parts)))  # as wide as size_t
        if ends:
            check(lib.lanewise_bm25_builder_add_texts(builder, b"".join(parts), from_buffer(_SIZES, ends), len(ends)))

    for text in texts:
        data = text_bytes(text)
        parts.append(data)
        n_bytes += len(data)
        if n_bytes >= 1 << 18:
            add()
            parts.clear()
            n_bytes = 0
    add()


class _Room:
    """What searches write: scratch, and the best k. It is used again and again, as new memory would take longer than a search."""

    def __init__(self, k: int, n_bytes: int) -> None:
        self.k, self.scratch, self.n_found = k, scratch(n_bytes), _new_size()
        self.indices, self.scores = empty("I", k), empty("f", k)
        self.index, self.score = from_buffer(_UINT32, self.indices), from_buffer(FLOATS, self.scores)
        self._copies = not isinstance(self.indices, array.array)

    def hits(self) -> Hits:
        found = self.n_found[0]
        index, score = self.indices[:found], self.scores[:found]
        return Hits(index.copy(), score.copy()) if self._copies else Hits(index, score)


class BM25(Immutable):
    """BM25 over texts, which are numbered from 0 in the order given. Immutable; threads may share it.

    An `analyzer` says what their words are, and the queries'; the index keeps it, also in files.

    `variant` is one of VARIANTS (formulas: lanewise/bm25.h; "okapi" is that of the rank_bm25 package, with epsilon 0.25).
    Without `counts` a saved index is a quarter smaller, and scores are of parts that are rounded to 16 bits.
    """

    def __init__(self, texts: Iterable[Text], k1: float = 1.2, b: float = 0.75, variant: str = "lucene",
                 delta: float | None = None, epsilon: float = 0.25, analyzer: Analyzer | None = None,
                 counts: bool = True) -> None:
        builder = _builder(k1, b, variant, delta, epsilon, analyzer, counts)
        _add_texts(builder, texts)
        self._adopt(builder)

    @classmethod
    def from_words(cls, documents: Iterable[Sequence[Text]], k1: float = 1.2, b: float = 0.75, variant: str = "lucene",
                   delta: float | None = None, epsilon: float = 0.25, counts: bool = True) -> BM25:
        """The same of documents that were made words elsewhere: stemmed, without stop words, by another tokenizer. Words have
        1 to 255 bytes. Queries are sequences of words too."""
        builder, bm25 = _builder(k1, b, variant, delta, epsilon, None, counts), cls.__new__(cls)
        for number, document in enumerate(documents):
            found, _keep = _words(document, f"documents[{number}]")
            check(lib.lanewise_bm25_builder_add_words(builder, found, len(document)))
        bm25._adopt(builder, made_of_words=True)
        return bm25

    def _adopt(self, builder: Any, made_of_words: bool = False) -> None:
        made = ffi.new("lanewise_bm25 **")
        check(lib.lanewise_bm25_create(builder, ffi.NULL, made))
        self._use(destroy_later(self, made[0], lib.lanewise_bm25_destroy), made_of_words)

    def _use(self, handle: Any, made_of_words: bool) -> None:
        self._handle, self._made_of_words = handle, made_of_words
        self._find = lib.lanewise_bm25_search_words if made_of_words else lib.lanewise_bm25_search_filtered
        self._n = int(lib.lanewise_bm25_n_documents(handle))
        self._rooms: list[_Room] = []

    @classmethod
    def open(cls, path: str | os.PathLike[str], made_of_words: bool = False) -> BM25:
        """A saved index, mapped into memory and checked; `made_of_words` says that it comes from from_words()."""
        return cls._open(open_file(path), made_of_words)

    @classmethod
    def _open(cls, file: Any, made_of_words: bool) -> BM25:
        out, error = ffi.new("lanewise_bm25 **"), new_error()
        check(lib.lanewise_bm25_open(file, ffi.NULL, out, error), error)
        bm25 = cls.__new__(cls)
        bm25._use(destroy_later(bm25, out[0], lib.lanewise_bm25_destroy, file), made_of_words)
        return bm25

    def __reduce__(self) -> tuple[Any, ...]:
        return _bm25_of_bytes, (bytes_of_file(self._handle, lib.lanewise_bm25_write), self._made_of_words)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the index to a file, which replaces one of that name only when it is complete."""
        write_file(path, self._handle, lib.lanewise_bm25_write)

    def __len__(self) -> int:
        return self._n

    @property
    def n_terms(self) -> int:
        """How many different words the texts have."""
        return int(lib.lanewise_bm25_n_terms(self._handle))

    @property
    def has_counts(self) -> bool:
        """Whether scores are exact, or those of an index without counts."""
        return bool(lib.lanewise_bm25_has_counts(self._handle))

    def __repr__(self) -> str:
        return f"<lanewise.BM25 of {len(self)} texts, {self.n_terms} words>"

    def search(self, query: Query, k: int = 10, documents: Any = None) -> Hits:
        """The best k texts for the words of a query; texts without any of them are never among these. `documents`, numbers of
        texts, limits the search to these."""
        data, n, _keep = self._query(query, "query")
        k = min(_positive(k), self._n)
        if k == 0:
            return Hits(empty("I", 0), empty("f", 0))
        allowed = ffi.NULL if documents is None else filter_of(documents, self._n, "documents")
        room = self._take_room(k)
        status = self._find(self._handle, data, n, allowed, k, room.scratch, room.index, room.score, room.n_found)
        if status:
            check(status)
        hits = room.hits()
        self._rooms.append(room)
        return hits

    def search_many(self, queries: Sequence[Query], k: int = 10, documents: Any = None) -> list[Hits]:
        """The same for many queries; set_num_threads() lets several do parts."""
        if isinstance(queries, (str, bytes)):
            raise TypeError("queries: a sequence of queries is needed, not one")
        given = [self._query(query, f"queries[{i}]") for i, query in enumerate(queries)]
        k = min(_positive(k), len(self))
        allowed = filter_of(documents, len(self), "documents")

        def part(begin: int, count: int, index: Any, score: Any, n_found: Any) -> None:
            find, handle, room = self._find, self._handle, self._take_room(k)
            for i in range(count):
                data, n, _keep = given[begin + i]
                status = find(handle, data, n, allowed, k, room.scratch, index + i * k, score + i * k, n_found + i)
                if status:
                    check(status)
            self._rooms.append(room)

        return hits_of_many(len(given), k, part)

    def _take_room(self, k: int) -> _Room:
        try:
            room = self._rooms.pop()
            if room.k >= k:
                return room
        except IndexError:
            pass
        return _Room(k, lib.lanewise_bm25_scratch_size(self._handle, k))

    def _query(self, query: Query, what: str) -> tuple[Any, int, Any]:
        if self._made_of_words:
            found, keep = _words(query, what)  # type: ignore[arg-type]
            return found, len(query), keep
        data = text_bytes(query, what)  # type: ignore[arg-type]
        return data if type(data) is bytes else ffi.from_buffer(data), len(data), data

    def scores(self, query: Text, documents: Any = None) -> Any:
        """The score of every text, or of those with the numbers `documents`, in their order; 0 for those without any of the words
        (float32). Not for indexes made of words."""
        if self._made_of_words:
            raise NotImplementedError("scores of an index made of words; search() has them")
        if documents is not None:
            return self._scores_of(query, integers("I", documents, "documents"))
        data, out = text_bytes(query, "query"), empty("f", len(self))
        if len(self):
            check(lib.lanewise_bm25_score_all(self._handle, ffi.from_buffer(data), len(data),
                                              scratch(lib.lanewise_bm25_scratch_size(self._handle, 1)), pointer("float *", out)))
        return out


    def _scores_of(self, query: Text, documents: Any) -> Any:
        data, n = text_bytes(query, "query"), len(documents)
        ascending = array.array("I", sorted(set(map(int, documents))))
        if n and ascending[-1] >= len(self):
            raise IndexError(f"documents: {ascending[-1]} of {len(self)}")
        found, out = array.array("f", bytes(4 * len(ascending))), empty("f", n)
        check(lib.lanewise_bm25_score_documents(self._handle, ffi.from_buffer(data), len(data), pointer("uint32_t *", ascending),
                                                len(ascending), scratch(lib.lanewise_bm25_scratch_size(self._handle, 1)),
                                                pointer("float *", found)))
        score_of = dict(zip(ascending, found))
        for i, document in enumerate(documents):
            out[i] = score_of[int(document)]
        return out


class BM25Builder(Uncopyable):
    """Collects texts, of which indexes are made: for collections that change. Options are those of BM25. One thread at a time."""

    _advice = "make an index, which can be saved"

    def __init__(self, k1: float = 1.2, b: float = 0.75, variant: str = "lucene", delta: float | None = None, epsilon: float = 0.25,
                 analyzer: Analyzer | None = None, counts: bool = True) -> None:
        self._guard = Guard(type(self).__name__)
        self._builder = _builder(k1, b, variant, delta, epsilon, analyzer, counts)

    def __len__(self) -> int:
        """How many texts were added, removed ones too unless compact() was called since."""
        return int(lib.lanewise_bm25_builder_n_documents(self._builder))

    def add(self, text: Text) -> int:
        """Adds a text and returns its number."""
        data = text_bytes(text)
        with self._guard:
            check(lib.lanewise_bm25_builder_add_text(self._builder, ffi.from_buffer(data), len(data)))
            return len(self) - 1

    def remove(self, number: int) -> None:
        """Indexes that are made from now on are as if the text had not been added; the others keep their numbers."""
        with self._guard:
            if not 0 <= number < len(self):
                raise IndexError(f"text {number} of {len(self)}")
            if lib.lanewise_bm25_builder_remove(self._builder, number) != lib.LANEWISE_OK:
                raise ValueError(f"text {number} was removed before")

    def compact(self) -> None:
        """Numbers the texts that are left from 0, in their order, and gives up the memory of the others."""
        with self._guard:
            lib.lanewise_bm25_builder_compact(self._builder)

    def build(self) -> BM25:
        """An index of the texts that are there now; more may be added and removed afterwards."""
        bm25 = BM25.__new__(BM25)
        with self._guard:
            bm25._adopt(self._builder)
        return bm25

    def __repr__(self) -> str:
        return f"<lanewise.BM25Builder of {len(self)} texts>"


Query = Text | Sequence[Text]


def _bm25_of_bytes(image: bytes, made_of_words: bool) -> BM25:
    return BM25._open(file_of_bytes(image), made_of_words)


def _builder(k1: float, b: float, variant: str, delta: float | None, epsilon: float, analyzer: Analyzer | None,
             counts: bool) -> Any:
    if variant not in VARIANTS:
        raise ValueError(f"variant: {variant!r} is none of {', '.join(VARIANTS)}")
    options = ffi.new("lanewise_bm25_options *", {
        "struct_size": ffi.sizeof("lanewise_bm25_options"), "k1": k1, "b": b, "variant": VARIANTS[variant],
        "delta": _DELTA.get(variant, 0) if delta is None else delta, "epsilon": epsilon if variant == "okapi" else 0,
        "without_counts": not counts})
    out = ffi.new("lanewise_bm25_builder **")
    if lib.lanewise_bm25_builder_create(options, ffi.NULL, out) == lib.LANEWISE_ERROR_ARGUMENT:
        raise ValueError(f"k1 {k1}, b {b}, delta {delta} or epsilon {epsilon} is out of range (0 to 1000, 0 to 1)")
    builder = ffi.gc(out[0], lib.lanewise_bm25_builder_destroy)
    if analyzer is not None:
        check(lib.lanewise_bm25_builder_use_analyzer(builder, analyzer._handle))
    return builder


def _words(words: Sequence[Text], what: str) -> tuple[Any, Any]:
    """Words as an array of lanewise_word, and what keeps their bytes."""
    if isinstance(words, (str, bytes)):
        raise TypeError(f"{what}: a sequence of words is needed, not a text")
    parts = [text_bytes(word, what) for word in words]
    data = b"".join(parts)
    buffer, found, at = ffi.from_buffer(data), ffi.new("lanewise_word[]", len(parts) or 1), 0
    for i, part in enumerate(parts):
        if not 1 <= len(part) <= 255:
            raise ValueError(f"{what}: word {i} has {len(part)} bytes instead of 1 to 255")
        found[i].text, found[i].n_bytes = buffer + at, len(part)
        at += len(part)
    return found, (data, buffer)


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


NORMALIZATIONS = {"none": lib.LANEWISE_NORMALIZE_NONE, "min-max": lib.LANEWISE_NORMALIZE_MIN_MAX,
                  "z-score": lib.LANEWISE_NORMALIZE_Z_SCORE}
MISSING = {"zero": lib.LANEWISE_MISSING_ZERO, "least": lib.LANEWISE_MISSING_LEAST}


def fuse_scores(rankings: Sequence[tuple[Any, Any]], k: int = 10, weights: Sequence[float] | None = None,
                normalize: str = "min-max", missing: str = "zero") -> Hits:
    """Weighted fusion of scores: the best k of several lists of (numbers, scores), Hits for example.

    Scores are made comparable list by list ("min-max", "z-score" or "none"), weighted and added; a list gives documents that
    it does not hold 0, or with `missing` "least" its least score.
    """
    if weights is not None and len(weights) != len(rankings):
        raise ValueError(f"weights: {len(weights)} for {len(rankings)} rankings")
    if normalize not in NORMALIZATIONS or missing not in MISSING:
        raise ValueError(f"normalize {normalize!r} is none of {', '.join(NORMALIZATIONS)}, or missing {missing!r} none of zero, least")
    given, keep = ffi.new("lanewise_scored_ranking[]", len(rankings) or 1), []
    for i, (numbers, scores) in enumerate(rankings):
        index, score = integers("I", numbers, f"rankings[{i}]"), floats(scores, f"rankings[{i}]")
        if score.n_rows is not None or score.dim != len(index):
            raise ValueError(f"rankings[{i}]: {len(index)} numbers and {score.dim} scores")
        given[i].index, given[i].score, given[i].n = pointer("uint32_t *", index), score.pointer, len(index)
        given[i].weight = 1 if weights is None else weights[i]
        keep.append((index, score))
    k = min(_positive(k), sum(len(index) for index, _ in keep))
    if k == 0:
        return Hits(empty("I", 0), empty("f", 0))
    options = ffi.new("lanewise_fuse_options *", {"struct_size": ffi.sizeof("lanewise_fuse_options"),
                                                  "normalize": NORMALIZATIONS[normalize], "missing": MISSING[missing]})
    found, values, n_found = empty("I", k), empty("f", k), ffi.new("size_t *")
    status = lib.lanewise_fuse_scores(given, len(rankings), options, k,
                                      scratch(lib.lanewise_fuse_scores_scratch_size(given, len(rankings))),
                                      pointer("uint32_t *", found), pointer("float *", values), n_found)
    if status == lib.LANEWISE_ERROR_ARGUMENT:
        raise ValueError("a weight or score is not finite")
    check(status)
    return Hits(found[: n_found[0]], values[: n_found[0]])
