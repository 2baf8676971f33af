# SPDX-License-Identifier: Apache-2.0
"""Vectors of small elements: 16-bit floats, 8-bit integers, bits (lanewise/half.h, int8.h, bits.h).

A first argument is a query, the second another vector or the rows of a matrix, as for lanewise.dot. NumPy arrays, array.array,
memoryview and bytes are read where they lie.
"""

from __future__ import annotations

from typing import Any

from ._library import Floats, empty, ffi, floats, lib, numpy, pointer
from ._library import small as _small
from .vector import output

KINDS = ("f16", "bf16")


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"kind: {kind!r} is none of {', '.join(KINDS)}")
    return kind


# ------------------------------------------------------------------- halves


def to_half(values: Any, kind: str = "f16") -> Any:
    """Floats as IEEE half precision ("f16") or bfloat16 ("bf16"), rounded to nearest, ties to even.

    "f16" is an array of NumPy's float16; "bf16", or without NumPy both, is one of the bits (uint16).
    """
    given, convert = floats(values, "values"), getattr(lib, f"lanewise_f32_to_{_kind(kind)}")
    out = empty("H", *_shape(given))
    address = pointer("uint16_t *", out)
    for row in range(_n_rows(given)):
        convert(given.pointer + row * given.ld, given.dim, address + row * given.dim)
    return out.view("e") if kind == "f16" and numpy() is not None else out


def from_half(values: Any, kind: str = "f16") -> Any:
    """16-bit floats widened to float32, which is exact."""
    given, convert = _small("H", values, "values"), getattr(lib, f"lanewise_{_kind(kind)}_to_f32")
    out = empty("f", *_shape(given))
    address, source = pointer("float *", out), ffi.cast("uint16_t *", given.pointer)
    for row in range(_n_rows(given)):
        convert(source + row * given.ld, given.dim, address + row * given.dim)
    return out


def _shape(given: Floats) -> tuple[int, ...]:
    return (given.dim,) if given.n_rows is None else (given.n_rows, given.dim)


def _n_rows(given: Floats) -> int:
    """Rows that have anything in them."""
    return 0 if given.dim == 0 else 1 if given.n_rows is None else given.n_rows


def _half(name: str, a: Any, b: Any, kind: str, out: Any) -> Any:
    other, function = _small("H", b, "the second argument"), f"lanewise_{name}_{_kind(kind)}"
    rows = ffi.cast("uint16_t *", other.pointer)
    query = floats(a, "the first argument")
    if query.n_rows is not None or (other.dim != query.dim and other.n_rows != 0):
        raise ValueError(f"the first argument: a vector of {other.dim} numbers is needed")
    result, address = output(out, 1 if other.n_rows is None else other.n_rows)
    if other.n_rows != 0:
        getattr(lib, function + "_rows")(query.pointer, rows, 1 if other.n_rows is None else other.n_rows, other.dim, other.ld,
                                         address)
    return float(result[0]) if other.n_rows is None and out is None else result


def dot_half(a: Any, b: Any, kind: str = "f16", out: Any = None) -> Any:
    """The dot product of floats and a vector, or the rows of a matrix, of 16-bit floats."""
    return _half("dot", a, b, kind, out)


def dot_bf16_approx(a: Any, b: Any, out: Any = None) -> Any:
    """The dot product of a vector of bfloat16 (bits: uint16) and another, or the rows of a matrix, by the CPU's own instructions.

    Approximate, and not the same on every CPU: lanewise/half.h has the bound. Without such instructions it is dot_half's.
    """
    query, other = _small("H", a, "the first argument"), _small("H", b, "the second argument")
    if query.n_rows is not None or (other.dim != query.dim and other.n_rows != 0):
        raise ValueError(f"the first argument: a vector of {other.dim} elements is needed")
    n = 1 if other.n_rows is None else other.n_rows
    result, address = output(out, n)
    if n:
        lib.lanewise_dot_bf16_approx_rows(ffi.cast("uint16_t *", query.pointer), ffi.cast("uint16_t *", other.pointer), n,
                                          other.dim, other.ld, address)
    return float(result[0]) if other.n_rows is None and out is None else result


def cosine_half(a: Any, b: Any, kind: str = "f16", out: Any = None) -> Any:
    """The cosine similarity of floats and a vector, or the rows of a matrix, of 16-bit floats."""
    return _half("cosine", a, b, kind, out)


def l2sq_half(a: Any, b: Any, kind: str = "f16", out: Any = None) -> Any:
    """The squared Euclidean distance of floats and a vector, or the rows of a matrix, of 16-bit floats."""
    return _half("l2sq", a, b, kind, out)


# ----------------------------------------------------------------- integers


def quantize_int8(rows: Any) -> tuple[Any, Any]:
    """(codes, scales): each row as int8 of -127 ... 127 and one float32, so that row is about codes * scale."""
    given = floats(rows, "rows")
    n = 1 if given.n_rows is None else given.n_rows
    codes, scale = empty("b", *_shape(given)), empty("f", n)
    if n:
        lib.lanewise_quantize_i8_rows(given.pointer, n, given.dim, given.ld, pointer("int8_t *", codes), given.dim,
                                      pointer("float *", scale))
    return codes, float(scale[0]) if given.n_rows is None else scale


# Which argument of dot_int8 is unsigned: the type of the first, that of the second, the function, the most dimensions.
_INT8 = {
    None: ("b", "b", "i8", 131071),
    "first": ("B", "b", "u8i8", 65793),
    "second": ("b", "B", "i8u8", 65793),
}
_BYTES = {"b": "int8", "B": "uint8"}


def dot_int8(a: Any, b: Any, unsigned: str | None = None) -> Any:
    """The exact dot product of two vectors of int8, or of one and every row of a matrix (int32); up to 131071 dimensions.

    With unsigned="first" the first argument is uint8, with "second" the second, and dimensions are up to 65793.
    """
    if unsigned not in _INT8:
        raise ValueError(f"unsigned: {unsigned!r} is none of None, first, second")
    first, second, name, most = _INT8[unsigned]
    query, other = _small(first, a, "the first argument", first == "B"), _small(second, b, "the second argument", second == "B")
    if query.n_rows is not None or (other.dim != query.dim and other.n_rows != 0):
        raise ValueError(f"the first argument: a vector of {other.dim} {_BYTES[first]} is needed")
    if query.dim > most:
        raise ValueError(f"{query.dim} dimensions are more than {most}")
    x, rows = ffi.cast(f"{_BYTES[first]}_t *", query.pointer), ffi.cast(f"{_BYTES[second]}_t *", other.pointer)
    n = 1 if other.n_rows is None else other.n_rows
    out = empty("i", n)
    if n:
        getattr(lib, f"lanewise_dot_{name}_rows")(x, rows, n, other.dim, other.ld, pointer("int32_t *", out))
    return int(out[0]) if other.n_rows is None else out


# --------------------------------------------------------------------- bits


def _bits(a: Any, b: Any, name: str, code: str, c_type: str) -> Any:
    query, other = _small("B", a, "the first argument"), _small("B", b, "the second argument")
    if query.n_rows is not None or (other.dim != query.dim and other.n_rows != 0):
        raise ValueError(f"the first argument: a vector of {other.dim} bytes is needed")
    x, rows = ffi.cast("uint8_t *", query.pointer), ffi.cast("uint8_t *", other.pointer)
    if other.n_rows is None:
        return getattr(lib, f"lanewise_{name}_bits")(x, rows, query.dim)
    out = empty(code, other.n_rows)
    if other.n_rows:
        getattr(lib, f"lanewise_{name}_bits_rows")(x, rows, other.n_rows, other.dim, other.ld, pointer(c_type, out))
    return out


def hamming(a: Any, b: Any) -> Any:
    """How many bits differ between packed bits (numpy.packbits, say) and others, or every row of a matrix (uint32)."""
    return _bits(a, b, "hamming", "I", "uint32_t *")


def jaccard_bits(a: Any, b: Any) -> Any:
    """How many bits are set in both, divided by how many are set in either; 0 if none is."""
    return _bits(a, b, "jaccard", "f", "float *")
