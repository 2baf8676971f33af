# SPDX-License-Identifier: Apache-2.0
"""Similarity of float32 vectors, the best k, and an index of vectors (lanewise/vector.h, topk.h, index.h)."""

from __future__ import annotations

import array
import itertools
import math
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from ._files import destroy_later, open_file, write_file
from ._guard import Guard
from . import _library
from ._library import FLOATS, Floats, check, empty, ffi, floats, from_buffer, integers, lib, new_error, pointer, room, scratch, small
from ._threads import for_parts, get_num_threads

_NO_ID = 2**64 - 1
_FEW_QUERIES = 16  # a thread, beyond which they are divided and not the rows
_WORK_OF_THREADS = 2**24  # multiplications below which handing rows to threads costs more than it gains, some 0.5 ms of work

METRICS: dict[str, int] = {"dot": lib.LANEWISE_METRIC_DOT, "cosine": lib.LANEWISE_METRIC_COSINE, "l2sq": lib.LANEWISE_METRIC_L2SQ}


class _Hits(NamedTuple):
    index: Any
    score: Any


class Hits(_Hits):
    """The best, best first: numbers (uint32) and scores (float32), as arrays of one length.

    `ids` is a third one (uint64) from a search of an Index whose rows have ids; otherwise None.
    """

    ids: Any = None


def metric_of(name: str) -> int:
    try:
        return METRICS[name]
    except KeyError:
        raise ValueError(f"metric: {name!r} is none of {', '.join(METRICS)}") from None


def vector_of(values: Any, what: str, dim: int | None = None) -> Floats:
    vector = floats(values, what)
    if vector.n_rows is not None:
        raise ValueError(f"{what}: a matrix where a vector is needed")
    if dim is not None and vector.dim != dim:
        raise ValueError(f"{what}: {vector.dim} dimensions instead of {dim}")
    return vector


def rows_of(values: Any, what: str, dim: int | None = None) -> Floats:
    rows = floats(values, what)
    if rows.n_rows is None:
        if rows.dim == 0:
            return rows._replace(n_rows=0, dim=dim or 0, ld=dim or 0)
        raise ValueError(f"{what}: a vector where a matrix is needed")
    if dim is not None and rows.dim != dim and rows.n_rows > 0:
        raise ValueError(f"{what}: {rows.dim} dimensions instead of {dim}")
    return rows


def output(out: Any, n: int) -> tuple[Any, Any]:
    """The array for n floats, `out` if it is one, and its pointer."""
    if out is None:
        out = empty("f", n)
        return out, pointer("float *", out)
    if type(out) is _library.ndarray and out.dtype is _library.float32 and out.shape == (n,):
        try:
            return out, from_buffer(FLOATS, out, require_writable=True)
        except (BufferError, ValueError):
            pass  # gaps, or read-only
    given = floats(out, "out", writable=True)
    if given.n_rows is not None or given.dim != n:
        raise ValueError(f"out: a vector of {n} float32 is needed")
    return out, given.pointer


_dot, _cosine, _l2sq = lib.lanewise_dot_f32, lib.lanewise_cosine_f32, lib.lanewise_l2sq_f32
_dot_rows, _cosine_rows, _l2sq_rows = lib.lanewise_dot_f32_rows, lib.lanewise_cosine_f32_rows, lib.lanewise_l2sq_f32_rows
_PAIR = {"dot": _dot, "cosine": _cosine, "l2sq": _l2sq}
_ROWS = {"dot": _dot_rows, "cosine": _cosine_rows, "l2sq": _l2sq_rows}


def _similarity(name: str, a: Any, b: Any, out: Any) -> Any:
    """What a function of two vectors has to say, or of a vector and rows."""
    query = vector_of(a, "the first argument")
    other = floats(b, "the second argument")
    if other.dim != query.dim and other.n_rows != 0:
        raise ValueError(f"the second argument: {other.dim} dimensions, the first has {query.dim}")
    if other.n_rows is None:
        if out is not None:
            raise ValueError("out: two vectors have a single number for a result")
        return _PAIR[name](query.pointer, other.pointer, query.dim)
    result, address = output(out, other.n_rows)
    if other.n_rows:
        _ROWS[name](query.pointer, other.pointer, other.n_rows, other.dim, other.ld, address)
    return result


def _pair(function: Any, a: Any, b: Any) -> Any:
    """The usual case, two vectors of NumPy's float32, with as little as possible around the call."""
    n = a.size
    if n != b.size:
        raise ValueError(f"the second argument: {b.size} dimensions, the first has {n}")
    try:
        return function(from_buffer(FLOATS, a), from_buffer(FLOATS, b), n)
    except (BufferError, ValueError):  # gaps
        return function(floats(a.copy(), "a").pointer, floats(b.copy(), "b").pointer, n)


def _rows(function: Any, a: Any, b: Any, out: Any) -> Any:
    """The same for a vector and a matrix."""
    n_rows, dim = b.shape
    if a.size != dim and n_rows:
        raise ValueError(f"the second argument: {dim} dimensions, the first has {a.size}")
    result, address = output(out, n_rows)
    if n_rows:
        try:
            function(from_buffer(FLOATS, a), from_buffer(FLOATS, b), n_rows, dim, dim, address)
        except (BufferError, ValueError):  # gaps
            rows = floats(b, "b")
            function(floats(a.copy(), "a").pointer, rows.pointer, n_rows, dim, rows.ld, address)
    return result


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """The dot product of two vectors, or of a vector and every row of a matrix (float32, into `out` if given)."""
    if type(a) is _library.ndarray is type(b) and a.dtype is _library.float32 is b.dtype and a.ndim == 1:
        if b.ndim == 1 and out is None:
            return _pair(_dot, a, b)
        if b.ndim == 2:
            return _rows(_dot_rows, a, b, out)
    return _similarity("dot", a, b, out)


def cosine(a: Any, b: Any, out: Any = None) -> Any:
    """The cosine similarity of two vectors, or of a vector and every row of a matrix; 0 where one of them is 0."""
    if type(a) is _library.ndarray is type(b) and a.dtype is _library.float32 is b.dtype and a.ndim == 1:
        if b.ndim == 1 and out is None:
            return _pair(_cosine, a, b)
        if b.ndim == 2:
            return _rows(_cosine_rows, a, b, out)
    return _similarity("cosine", a, b, out)


def l2sq(a: Any, b: Any, out: Any = None) -> Any:
    """The squared Euclidean distance of two vectors, or of a vector and every row of a matrix."""
    if type(a) is _library.ndarray is type(b) and a.dtype is _library.float32 is b.dtype and a.ndim == 1:
        if b.ndim == 1 and out is None:
            return _pair(_l2sq, a, b)
        if b.ndim == 2:
            return _rows(_l2sq_rows, a, b, out)
    return _similarity("l2sq", a, b, out)


def norm(rows: Any, out: Any = None) -> Any:
    """The Euclidean norm of a vector, or of every row of a matrix."""
    given = floats(rows, "rows")
    n = 1 if given.n_rows is None else given.n_rows
    result, address = output(out, n)
    if n:
        lib.lanewise_norm_f32_rows(given.pointer, n, given.dim, given.ld, address)
    return float(result[0]) if given.n_rows is None and out is None else result


def normalize(rows: Any, in_place: bool = False) -> Any:
    """A vector, or every row of a matrix, divided by its norm; zeros stay. A copy unless `in_place`."""
    if not in_place:
        given = floats(rows, "rows")
        shape = (given.dim,) if given.n_rows is None else (given.n_rows, given.dim)
        copy = empty("f", *shape)
        to = pointer("float *", copy)
        for row in range(0 if to == ffi.NULL else 1 if given.n_rows is None else given.n_rows):
            ffi.memmove(to + row * given.dim, given.pointer + row * given.ld, 4 * given.dim)
        if to != ffi.NULL:
            lib.lanewise_normalize_f32_rows(to, 1 if given.n_rows is None else given.n_rows, given.dim, given.dim)
        return copy
    given = floats(rows, "rows", writable=True)
    if given.pointer != ffi.NULL:
        lib.lanewise_normalize_f32_rows(given.pointer, 1 if given.n_rows is None else given.n_rows, given.dim, given.ld)
    return rows


def topk(scores: Any, k: int) -> Hits:
    """The k largest of an array of scores, or all if there are fewer; NaN last, ties by position."""
    given = vector_of(scores, "scores")
    k = min(_positive(k), given.dim)
    if k == 0:
        return Hits(empty("I", 0), empty("f", 0))
    hits = Hits(empty("I", k), empty("f", k))
    memory = scratch(lib.lanewise_topk_scratch_size(k))
    check(lib.lanewise_topk_f32(given.pointer, given.dim, k, memory, pointer("uint32_t *", hits.index),
                                pointer("float *", hits.score)))
    return hits


def _positive(k: int) -> int:
    if k < 1:
        raise ValueError(f"k: {k} is not positive")
    return k


def worst(metric: int) -> float:
    """The threshold that everything passes."""
    return math.inf if metric == lib.LANEWISE_METRIC_L2SQ else -math.inf


def search(query: Any, rows: Any, k: int, metric: str = "cosine", threshold: float | None = None) -> Hits:
    """The k rows most similar to the query, by a scan of them; with `threshold`, only those at least that good."""
    matrix = rows_of(rows, "rows")
    vector = vector_of(query, "query", matrix.dim if matrix.n_rows else None)
    number = metric_of(metric)
    k = min(_positive(k), matrix.n_rows or 0)
    if k == 0:
        return Hits(empty("I", 0), empty("f", 0))
    hits = Hits(empty("I", k), empty("f", k))
    n_found = ffi.new("size_t *")
    check(lib.lanewise_scan_topk_f32(vector.pointer, matrix.pointer, matrix.n_rows, matrix.dim, matrix.ld, number, k,
                                     worst(number) if threshold is None else threshold,
                                     scratch(lib.lanewise_scan_topk_scratch_size(k)), pointer("uint32_t *", hits.index),
                                     pointer("float *", hits.score), n_found))
    return Hits(hits.index[: n_found[0]], hits.score[: n_found[0]])


def search_many(queries: Any, rows: Any, k: int, metric: str = "cosine", threshold: float | None = None) -> list[Hits]:
    """search() for every row of a matrix of queries, in one pass over the rows; set_num_threads() lets several do parts."""
    matrix = rows_of(rows, "rows")
    given = rows_of(queries, "queries", matrix.dim if matrix.n_rows else None)
    number, n = metric_of(metric), given.n_rows or 0
    k = min(_positive(k), matrix.n_rows or 0)
    least = worst(number) if threshold is None else threshold

    def part(begin: int, count: int, index: Any, score: Any, n_found: Any) -> None:
        check(lib.lanewise_scan_topk_f32_queries(given.pointer + begin * given.ld, count, given.ld, matrix.pointer, matrix.n_rows,
                                                 matrix.dim, matrix.ld, number, k, least,
                                                 scratch(lib.lanewise_scan_topk_queries_scratch_size(count, k)), index, score,
                                                 n_found))

    return hits_of_many(n, k, part)


def hits_of_many(n: int, k: int, part: Callable[[int, int, Any, Any, Any], None], whole: bool = False) -> list[Hits]:
    """The results of n queries; part(first, count, index, score, n_found) finds those of some of them, or of all if `whole`."""
    if k == 0 or n == 0:
        return [Hits(empty("I", 0), empty("f", 0)) for _ in range(n)]
    index, score, n_found = empty("I", n * k), empty("f", n * k), room("size_t", n)
    to_index, to_score = pointer("uint32_t *", index), pointer("float *", score)
    for_parts(n, lambda begin, end: part(begin, end - begin, to_index + begin * k, to_score + begin * k, n_found + begin),
              least=n if whole else 1)
    return [Hits(index[j * k : j * k + n_found[j]], score[j * k : j * k + n_found[j]]) for j in range(n)]


def filter_of(rows: Any, n: int, what: str) -> Any:
    """A bit for each of n rows, set for those whose numbers are given; NULL for None."""
    if rows is None:
        return ffi.NULL
    bits = ffi.new("uint64_t[]", n // 64 + 1)
    for row in integers("Q", rows, what):
        if row >= n:
            raise IndexError(f"{what}: {row} of {n}")
        bits[int(row) // 64] |= 1 << (int(row) % 64)
    return bits


class Index:
    """An index of float32 vectors. Searches return exactly what a scan of all rows does, and read mostly 8-bit sketches.

    Rows are named by their numbers, and by ids if they were added with some.

    Searches may run on several threads at once, but not beside add, update or remove: RuntimeError.
    """

    def __init__(self, dim: int, metric: str = "cosine") -> None:
        out = ffi.new("lanewise_index **")
        check(lib.lanewise_index_create(dim, metric_of(metric), ffi.NULL, out))
        self._adopt(out[0], None)

    def _adopt(self, handle: Any, file: Any) -> None:
        self._guard = Guard(type(self).__name__)
        self._reading = self._guard.reading()
        self._file = file
        self._handle = destroy_later(self, handle, lib.lanewise_index_destroy, file)
        self._dim = int(lib.lanewise_index_dim(handle))
        self._worst = worst(lib.lanewise_index_metric(handle))
        self._coarse = False

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, verify: bool = True) -> Index:
        """A saved index, mapped into memory and checked. It can be searched, not changed.

        Without `verify` checksums are not compared, so that nearly nothing is read before the first search.
        """
        file = open_file(path, verify)
        out, error = ffi.new("lanewise_index **"), new_error()
        check(lib.lanewise_index_open(file, ffi.NULL, out, error), error)
        index = cls.__new__(cls)
        index._adopt(out[0], file)
        return index

    def __reduce__(self) -> tuple[Any, ...]:
        """By its rows: a copy can be changed, also that of one that was opened from a file."""
        with self._reading:
            n, size = len(self), 4 * self._dim
            rows = room("char", n * size)
            for row in range(n):
                ffi.memmove(rows + row * size, lib.lanewise_index_row(self._handle, row), size)
            ids = self.ids
        ids = None if ids is None else array.array("Q", ids.tolist())
        return _index_of_rows, (self._dim, self.metric, bytes(ffi.buffer(rows, n * size)), self._coarse, ids)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the index to a file, which replaces one of that name only when it is complete."""
        with self._reading:
            write_file(path, self._handle, lib.lanewise_index_write)

    @property
    def dim(self) -> int:
        return self._dim

    @property
    def metric(self) -> str:
        number = lib.lanewise_index_metric(self._handle)
        return next(name for name, value in METRICS.items() if value == number)

    def __len__(self) -> int:
        return int(lib.lanewise_index_n_rows(self._handle))

    def __repr__(self) -> str:
        return f"<lanewise.Index of {len(self)} rows, dim {self.dim}, metric {self.metric!r}>"

    @property
    def ids(self) -> Any:
        """The ids of all rows (uint64), 2**64 - 1 for those that were removed; None if rows have none."""
        with self._reading:
            return self._ids_of(integers("I", range(len(self)), "rows")) if lib.lanewise_index_has_ids(self._handle) else None

    def find(self, id: int) -> int:
        """The row with this id; KeyError if there is none."""
        with self._reading:
            return self._find(id)

    def _find(self, id: int) -> int:
        row = ffi.new("size_t *")
        if not 0 <= id < _NO_ID or not lib.lanewise_index_find(self._handle, id, row):
            raise KeyError(id)
        return int(row[0])

    def _ids_of(self, rows: Any) -> Any:
        ids = empty("Q", len(rows))
        lib.lanewise_index_ids(self._handle, pointer("uint32_t *", rows), len(rows), pointer("uint64_t *", ids))
        return ids

    def _hits(self, index: Any, score: Any) -> Hits:
        hits = Hits(index, score)
        if lib.lanewise_index_has_ids(self._handle):
            hits.ids = self._ids_of(index)
        return hits

    def _row(self, row: int | None, id: int | None) -> int:
        if (row is None) == (id is None):
            raise TypeError("either a row or an id is needed")
        if row is None:
            assert id is not None
            return self._find(id)
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        return row

    def __getitem__(self, row: int) -> Any:
        """A copy of a row."""
        copy = empty("f", self.dim)
        with self._reading:
            address = lib.lanewise_index_row(self._handle, row) if row >= 0 else ffi.NULL
            if address == ffi.NULL:
                raise IndexError(f"row {row} of {len(self)}")
            ffi.memmove(pointer("float *", copy), address, 4 * self.dim)
        return copy

    def _given_ids(self, ids: Any, n_rows: int | None) -> Any:
        """For functions that take ids, or NULL; a pointer keeps its array alive."""
        if ids is None:
            if n_rows and lib.lanewise_index_has_ids(self._handle):
                raise ValueError("ids: the rows that are there have some")
            return ffi.NULL
        numbers = integers("Q", ids, "ids")
        if len(numbers) != n_rows:
            raise ValueError(f"ids: {len(numbers)} for {n_rows} rows")
        return pointer("uint64_t *", numbers)

    def add(self, rows: Any, ids: Any = None) -> range:
        """Appends copies of rows; returns their numbers.

        `ids`, integers from 0 to 2**64 - 2, are names for the rows: all rows of an index have ids, or none has. If one is there
        already or comes twice, ValueError says which, and nothing is added.
        """
        given = rows_of(rows, "rows", self.dim)
        names, error = self._given_ids(ids, given.n_rows), new_error()
        with self._guard:
            first = len(self)
            if ids is None:
                check(lib.lanewise_index_add(self._handle, given.pointer, given.n_rows, given.ld))
            else:
                check(lib.lanewise_index_add_ids(self._handle, names, given.pointer, given.n_rows, given.ld, error), error)
            return range(first, len(self))

    def add_small(self, rows: Any, kind: str = "f16", scale: Any = None, ids: Any = None) -> range:
        """The same with rows of 16-bit floats ("f16", "bf16") or 8-bit integers ("i8", each times scale[row], or 1), which are
        widened; `lanewise.quantize_int8` and `to_half` make such rows."""
        if kind not in ("f16", "bf16", "i8"):
            raise ValueError(f"kind: {kind!r} is none of f16, bf16, i8")
        given = small("b" if kind == "i8" else "H", rows, "rows")
        if given.n_rows is None or given.dim != self.dim:
            raise ValueError(f"rows: a matrix with rows of {self.dim} elements is needed")
        arguments = [ffi.cast("int8_t *" if kind == "i8" else "uint16_t *", given.pointer)]
        factors = None if scale is None else vector_of(scale, "scale", given.n_rows)
        if kind == "i8":
            arguments.append(ffi.NULL if factors is None else factors.pointer)
        elif scale is not None:
            raise ValueError(f"scale: {kind} has none")
        names, error = self._given_ids(ids, given.n_rows), new_error()
        with self._guard:
            first = len(self)
            if ids is None:
                check(getattr(lib, f"lanewise_index_add_{kind}")(self._handle, *arguments, given.n_rows, given.ld))
            else:
                check(getattr(lib, f"lanewise_index_add_{kind}_ids")(self._handle, names, *arguments, given.n_rows, given.ld, error), error)
            return range(first, len(self))

    def update(self, row: int | None = None, values: Any = None, *, id: int | None = None) -> None:
        """Replaces a row, which is named by its number or its id: update(3, values), update(id=70, values=values)."""
        vector = vector_of(values, "values", self.dim)
        with self._guard:
            at = self._row(row, id)
            if lib.lanewise_index_has_ids(self._handle) and lib.lanewise_index_id(self._handle, at) == _NO_ID:
                raise ValueError(f"row {at} was removed, and has no id any more")
            check(lib.lanewise_index_update(self._handle, at, vector.pointer))

    def remove(self, row: int | None = None, *, id: int | None = None) -> None:
        """No search finds this row any more, until it is updated; the others keep their numbers. Where rows have ids, it cannot be
        updated, but its id can be added again, as a new row."""
        with self._guard:
            check(lib.lanewise_index_remove(self._handle, self._row(row, id)))

    def make_coarse(self) -> None:
        """Makes 4-bit codes of all rows, 64 bytes for every 128 dimensions, which searches with `n_candidates` read; rows that are
        added later get them too. They are not saved."""
        with self._guard:
            check(lib.lanewise_index_make_coarse(self._handle))
            self._coarse = True

    def _candidates(self, n_candidates: int, k: int) -> int:
        if not self._coarse:
            raise ValueError("n_candidates: the index has no 4-bit codes; make_coarse() makes them")
        if n_candidates < k:
            raise ValueError(f"n_candidates: {n_candidates} are less than k, {k}")
        return min(n_candidates, len(self))

    def search(self, query: Any, k: int = 10, threshold: float | None = None, rows: Any = None, n_candidates: int | None = None) -> Hits:
        """The best k rows for a query; `rows`, numbers of rows, limits the search to these. set_num_threads() lets several threads
        divide the rows of a large index.

        With `n_candidates`, after make_coarse(), the best k of so many rows that 4-bit codes suggest: their scores are right, but
        rows may be missing. A hundred candidates usually do for ten rows."""
        given = vector_of(query, "query", self._dim)
        with self._reading:
            if n_candidates is not None or self._n_parts(1) > 1:
                return self._search(given, 1, k, threshold, rows, n_candidates)[0]
            n_rows = len(self)
            k = min(_positive(k), n_rows)
            if k == 0:
                return Hits(empty("I", 0), empty("f", 0))
            index, score, n_found = empty("I", k), empty("f", k), ffi.new("size_t *")
            check(lib.lanewise_index_search(self._handle, given.pointer, 1, given.dim, k,
                                            self._worst if threshold is None else threshold, filter_of(rows, n_rows, "rows"),
                                            scratch(lib.lanewise_index_scratch_size(self._handle, 1, k)),
                                            pointer("uint32_t *", index), pointer("float *", score), n_found, ffi.NULL))
            found = n_found[0]
            return self._hits(index, score) if found == k else self._hits(index[:found], score[:found])

    def search_many(self, queries: Any, k: int = 10, threshold: float | None = None, rows: Any = None,
                    n_candidates: int | None = None) -> list[Hits]:
        """The same for every row of a matrix of queries, faster than one by one; set_num_threads() lets several threads do some
        queries each, or divide the rows where queries are few."""
        given = rows_of(queries, "queries", self.dim)
        with self._reading:
            return self._search(given, given.n_rows or 0, k, threshold, rows, n_candidates)

    def _n_parts(self, n_queries: int) -> int:
        """The number of threads that divide the rows: 1 unless queries are few for so many threads, and there is work enough."""
        n_threads = get_num_threads()
        enough = n_threads > 1 and len(self) * self._dim * n_queries >= _WORK_OF_THREADS
        return n_threads if enough and n_queries < _FEW_QUERIES * n_threads else 1

    def _search(self, queries: Floats, n: int, k: int, threshold: float | None, rows: Any, n_candidates: int | None) -> list[Hits]:
        candidates = 0 if n_candidates is None else self._candidates(n_candidates, k)
        k = min(_positive(k), len(self))
        least = self._worst if threshold is None else threshold
        allowed = filter_of(rows, len(self), "rows")
        n_parts, n_changes = self._n_parts(n), self._guard.n_changes

        # Ctrl-C ends this function before threads are done. So they say themselves that they read, and that nothing has changed
        # since; and what they read has to live as long as they do.
        def all_in_parts(_: int, count: int, index: Any, score: Any, n_found: Any) -> None:
            memory = scratch(lib.lanewise_index_parts_scratch_size(self._handle, n_parts, count, candidates or k))
            request = ffi.new("lanewise_index_request *", {
                "struct_size": ffi.sizeof("lanewise_index_request"), "queries": queries.pointer, "n_queries": count,
                "query_ld": queries.ld, "k": k, "n_candidates": candidates, "threshold": least, "filter": allowed, "n_parts": n_parts,
                "scratch": memory})

            def some(begin: int, end: int, _alive: Any = (memory, queries, allowed)) -> None:
                with self._reading:
                    for number in range(begin, end) if self._guard.n_changes == n_changes else ():
                        check(lib.lanewise_index_search_part(self._handle, request, number))

            for_parts(n_parts, some)
            check(lib.lanewise_index_search_join(self._handle, request, index, score, n_found))

        def part(begin: int, count: int, index: Any, score: Any, n_found: Any) -> None:
            first = queries.pointer + begin * queries.ld
            with self._reading:
                if self._guard.n_changes != n_changes:
                    return
                memory = scratch(lib.lanewise_index_scratch_size(self._handle, count, candidates or k))
                if candidates:
                    check(lib.lanewise_index_search_coarse(self._handle, first, count, queries.ld, k, candidates, least, allowed, memory,
                                                           index, score, n_found, ffi.NULL))
                else:
                    check(lib.lanewise_index_search(self._handle, first, count, queries.ld, k, least, allowed, memory, index, score,
                                                    n_found, ffi.NULL))

        found = hits_of_many(n, k, part) if n_parts == 1 else hits_of_many(n, k, all_in_parts, whole=True)
        return [self._hits(*hits) for hits in found]


def _index_of_rows(dim: int, metric: str, rows: bytes, coarse: bool, ids: Any = None) -> Index:
    index = Index(dim, metric)
    if rows and ids is None:
        check(lib.lanewise_index_add(index._handle, pointer("float *", rows), len(rows) // (4 * dim), dim))
    elif rows:
        # Rows that were removed are added with ids that nobody has, and removed.
        taken = set(ids)
        spare = (number for number in itertools.count() if number not in taken)
        removed = [row for row, id in enumerate(ids) if id == _NO_ID]
        given = array.array("Q", ids)
        for row in removed:
            given[row] = next(spare)
        error = new_error()
        check(lib.lanewise_index_add_ids(index._handle, pointer("uint64_t *", given), pointer("float *", rows), len(ids), dim, error), error)
        for row in removed:
            index.remove(row)
    if coarse:
        index.make_coarse()
    return index
