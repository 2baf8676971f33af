# SPDX-License-Identifier: Apache-2.0
"""Many vectors with many: similarity matrices, similar pairs, near-duplicates, nearest neighbours (lanewise/pairs.h)."""

from __future__ import annotations

import array
from typing import Any, NamedTuple

from ._library import Floats, check, empty, ffi, floats, lib, numpy, pointer, room, scratch
from ._threads import for_parts
from .vector import Hits, _positive, metric_of, rows_of

RULES: dict[str, int] = {"kept": lib.LANEWISE_DEDUP_KEPT, "transitive": lib.LANEWISE_DEDUP_TRANSITIVE}
_PAIRS = 4096


class Pairs(NamedTuple):
    """Pairs of rows, first < second (uint32), and their scores (float32), as arrays of one length."""

    first: Any
    second: Any
    score: Any


def _threshold(value: float) -> float:
    if value != value:
        raise ValueError("threshold: NaN")
    return value


def similarity(a: Any, b: Any = None, metric: str = "cosine", out: Any = None) -> Any:
    """The matrix of the scores of every row of `a` with every row of `b`, or of `a` itself: float32, into `out` if given.

    Without NumPy an array.array, row after row.
    """
    first = rows_of(a, "a")
    second = first if b is None else rows_of(b, "b", first.dim if first.n_rows else None)
    n_a, n_b, number = first.n_rows or 0, second.n_rows or 0, metric_of(metric)
    if out is None:
        out = empty("f", n_a, n_b)
        address, out_ld = pointer("float *", out), n_b
    else:
        given = floats(out, "out", writable=True)
        if (given.n_rows, given.dim) != (n_a, n_b):
            raise ValueError(f"out: a matrix of {n_a} times {n_b} float32 is needed")
        address, out_ld = given.pointer, given.ld

    def part(begin: int, end: int) -> None:
        check(lib.lanewise_similarity_f32(first.pointer + begin * first.ld, end - begin, first.ld, second.pointer, n_b, second.ld,
                                          first.dim, number, address + begin * out_ld, out_ld))

    if n_a and n_b:
        for_parts(n_a, part)
    return out


def pairs(rows: Any, threshold: float, metric: str = "cosine") -> Pairs:
    """The pairs of rows whose score reaches the threshold (for "l2sq": is at most), ascending by first, then second."""
    given, number, at, n = rows_of(rows, "rows"), metric_of(metric), ffi.new("lanewise_pairs_position *"), ffi.new("size_t *")
    found, parts = room("lanewise_pair", _PAIRS), []
    while at.first < (given.n_rows or 0):
        check(lib.lanewise_pairs_f32(given.pointer, given.n_rows, given.dim, given.ld, number, _threshold(threshold), at, found,
                                     _PAIRS, n))
        parts.append(bytes(ffi.buffer(found, n[0] * ffi.sizeof("lanewise_pair"))))
    return _columns(b"".join(parts))


def _columns(data: bytes) -> Pairs:
    np = numpy()
    if np is not None:
        return Pairs(*(np.frombuffer(data, code)[column::3].copy() for column, code in enumerate("IIf")))
    view = memoryview(data)
    return Pairs(array.array("I", view.cast("I")[0::3]), array.array("I", view.cast("I")[1::3]),
                 array.array("f", view.cast("f")[2::3]))


def dedup_rows(rows: Any, threshold: float, metric: str = "cosine", rule: str = "kept") -> Any:
    """For every row its own number if it is kept, else that of the lowest row that makes it a duplicate (uint32).

    Rows are alike if their score reaches the threshold; the first of those that are alike is kept. By the rule "kept" only
    kept rows make others duplicates; by "transitive" dropped ones do too.
    """
    if rule not in RULES:
        raise ValueError(f"rule: {rule!r} is none of {', '.join(RULES)}")
    given, number = rows_of(rows, "rows"), metric_of(metric)
    original = empty("I", given.n_rows or 0)
    if given.n_rows:
        check(lib.lanewise_dedup_rows_f32(given.pointer, given.n_rows, given.dim, given.ld, number, _threshold(threshold),
                                          RULES[rule], scratch(lib.lanewise_dedup_rows_scratch_size(given.dim)),
                                          pointer("uint32_t *", original), ffi.NULL))
    return original


def neighbours(rows: Any, k: int, metric: str = "cosine") -> list[Hits]:
    """For every row the best k of the others, best first: the graph of nearest neighbours."""
    given, number, _ = rows_of(rows, "rows"), metric_of(metric), _positive(k)
    n = given.n_rows or 0
    k = min(k, n - 1)
    if k <= 0:
        return [Hits(empty("I", 0), empty("f", 0)) for _ in range(n)]
    return _neighbours(given, n, number, k)


def _neighbours(given: Floats, n: int, number: int, k: int) -> list[Hits]:
    index, score, n_found = empty("I", n, k), empty("f", n, k), room("size_t", n)
    index_address, score_address = pointer("uint32_t *", index), pointer("float *", score)

    def part(begin: int, end: int) -> None:
        check(lib.lanewise_neighbours_f32(given.pointer, n, given.dim, given.ld, number, begin, end - begin, k,
                                          scratch(lib.lanewise_neighbours_scratch_size(k)), index_address + begin * k,
                                          score_address + begin * k, n_found + begin))

    for_parts(n, part)
    if numpy() is not None:
        return [Hits(index[i, : n_found[i]], score[i, : n_found[i]]) for i in range(n)]
    return [Hits(index[i * k : i * k + n_found[i]], score[i * k : i * k + n_found[i]]) for i in range(n)]
