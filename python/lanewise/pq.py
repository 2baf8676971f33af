# SPDX-License-Identifier: Apache-2.0
"""Product quantisation: vectors as a byte or half a byte for each of their parts (lanewise/pq.h)."""

from __future__ import annotations

from typing import Any

from ._files import Immutable, Uncopyable, destroy_later
from ._library import Floats, check, empty, ffi, lib, new_error, pointer
from ._library import small as _small
from .vector import METRICS, output, rows_of, vector_of

STARTS = {"k-means++": lib.LANEWISE_PQ_PLUS_PLUS, "farthest-first": lib.LANEWISE_PQ_FARTHEST_FIRST}


class PQ(Immutable, Uncopyable):
    """A quantiser trained with rows: each of `n_parts` parts of a vector becomes the nearest of `n_centroids` centroids.

    Immutable; threads may share it. Scores are those of the decoded rows: take a few hundred of the best, then compare with
    the rows themselves.
    """

    _advice = "the same rows, options and seed make the same one"

    def __init__(self, rows: Any, n_parts: int, n_centroids: int = 256, seed: int = 0, start: str = "k-means++",
                 max_rounds: int = 25) -> None:
        if start not in STARTS:
            raise ValueError(f"start: {start!r} is none of {', '.join(STARTS)}")
        given = rows_of(rows, "rows")
        if not given.n_rows or not 1 <= n_parts <= 4096 or given.dim % n_parts or not 1 <= n_centroids <= 256:
            raise ValueError(f"{given.n_rows} rows of {given.dim} dimensions in {n_parts} parts (1 to 4096, a divisor) of {n_centroids} "
                             "centroids (1 to 256)")
        options = ffi.new("lanewise_pq_options *", {
            "struct_size": ffi.sizeof("lanewise_pq_options"), "n_parts": n_parts, "n_centroids": n_centroids, "seed": seed,
            "start": STARTS[start], "max_rounds": max_rounds})
        out, error = ffi.new("lanewise_pq **"), new_error()
        check(lib.lanewise_pq_train(given.pointer, given.n_rows, given.dim, given.ld, options, ffi.NULL, out, error), error)
        self._handle = destroy_later(self, out[0], lib.lanewise_pq_destroy)

    @property
    def dim(self) -> int:
        return int(lib.lanewise_pq_dim(self._handle))

    @property
    def n_parts(self) -> int:
        return int(lib.lanewise_pq_n_parts(self._handle))

    @property
    def n_centroids(self) -> int:
        return int(lib.lanewise_pq_n_centroids(self._handle))

    def __repr__(self) -> str:
        return f"<lanewise.PQ of {self.dim} dimensions, {self.n_parts} parts of {self.n_centroids} centroids>"

    def encode(self, rows: Any) -> Any:
        """Codes of rows: n_parts bytes a row."""
        given = rows_of(rows, "rows", self.dim)
        codes = empty("B", given.n_rows or 0, self.n_parts)
        if given.n_rows:
            lib.lanewise_pq_encode(self._handle, given.pointer, given.n_rows, given.ld, pointer("uint8_t *", codes))
        return codes

    def _codes(self, codes: Any) -> tuple[Floats, int]:
        given = _small("B", codes, "codes")
        n = given.n_rows
        if n is None:
            if given.dim % self.n_parts:
                raise ValueError(f"codes: {given.dim} bytes are no rows of {self.n_parts}")
            n = given.dim // self.n_parts
        elif n and (given.dim != self.n_parts or given.ld != given.dim):
            raise ValueError(f"codes: contiguous rows of {self.n_parts} bytes are needed")
        data = ffi.buffer(given.pointer, n * self.n_parts) if n else b""
        if self.n_centroids < 256 and n and max(data[:], default=0) >= self.n_centroids:
            raise ValueError(f"codes: one is not below {self.n_centroids}")
        return given, n

    def decode(self, codes: Any) -> Any:
        """The rows that codes stand for (float32)."""
        given, n = self._codes(codes)
        rows = empty("f", n, self.dim)
        if n:
            lib.lanewise_pq_decode(self._handle, ffi.cast("uint8_t *", given.pointer), n, pointer("float *", rows), self.dim)
        return rows

    def _tables(self, query: Any, metric: str) -> Any:
        if metric not in ("dot", "l2sq"):
            raise ValueError(f"metric: {metric!r} is none of dot, l2sq; for cosine similarity normalise rows and queries")
        tables = empty("f", self.n_parts * self.n_centroids)
        check(lib.lanewise_pq_tables(self._handle, vector_of(query, "query", self.dim).pointer, METRICS[metric],
                                     pointer("float *", tables)))
        return tables

    def scores(self, query: Any, codes: Any, metric: str = "dot", out: Any = None) -> Any:
        """The scores of a query with the rows that codes stand for (float32)."""
        given, n = self._codes(codes)
        result, address = output(out, n)
        tables = self._tables(query, metric)
        if n:
            lib.lanewise_pq_scores(self._handle, pointer("float *", tables), ffi.cast("uint8_t *", given.pointer), n, address)
        return result

    def pack(self, codes: Any) -> bytes:
        """Codes as half a byte each, in blocks of 128 rows, which are several times as fast: at most 16 centroids, 256 parts."""
        given, n = self._codes(codes)
        size = lib.lanewise_pq_packed_size(self._handle, n)
        if size == 0:
            if n == 0:
                return b""
            raise ValueError(f"{self.n_centroids} centroids, {self.n_parts} parts: packed codes have at most 16, and 256")
        packed = ffi.new("uint8_t[]", size)
        lib.lanewise_pq_pack(self._handle, ffi.cast("uint8_t *", given.pointer), n, packed)
        return bytes(ffi.buffer(packed))

    def scores_packed(self, query: Any, packed: Any, n_rows: int, metric: str = "dot", out: Any = None) -> Any:
        """scores() of packed codes, with table entries rounded to 8 bits."""
        given = _small("B", packed, "packed")
        if n_rows < 0 or given.n_rows is not None or lib.lanewise_pq_packed_size(self._handle, n_rows) != given.dim:
            raise ValueError(f"packed: {given.dim} bytes are not the packed codes of {n_rows} rows")
        result, address = output(out, n_rows)
        tables = self._tables(query, metric)
        if n_rows:
            check(lib.lanewise_pq_scores_packed(self._handle, pointer("float *", tables), ffi.cast("uint8_t *", given.pointer), n_rows,
                                                address))
        return result
