# SPDX-License-Identifier: Apache-2.0
"""Around a model: mean pooling with a mask, sigmoid, softmax (lanewise/activation.h). The same bits on every CPU."""

from __future__ import annotations

from typing import Any

from ._library import Floats, empty, ffi, floats, lib, pointer
from ._library import small as _small
from .vector import output, rows_of


def _flat_copy(x: Any) -> tuple[Floats, Any]:
    """The numbers, and an array of the same shape."""
    given = floats(x, "x")
    return given, empty("f", given.dim) if given.n_rows is None else empty("f", given.n_rows, given.dim)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) of every element of a vector or matrix (float32)."""
    given, out = _flat_copy(x)
    address = pointer("float *", out)
    for row in range(1 if given.n_rows is None else given.n_rows):
        lib.lanewise_sigmoid_f32(given.pointer + row * given.ld, given.dim, address + row * given.dim)
    return out


def softmax(x: Any) -> Any:
    """The softmax of a vector, or of every row of a matrix (float32)."""
    given, out = _flat_copy(x)
    address = pointer("float *", out)
    for row in range(1 if given.n_rows is None else given.n_rows):
        lib.lanewise_softmax_f32(given.pointer + row * given.ld, given.dim, address + row * given.dim)
    return out


def mean_pool(tokens: Any, mask: Any = None, out: Any = None) -> Any:
    """The mean of the vectors of tokens (rows) whose mask is not 0, zeros if there are none (float32).

    For a batch give a sequence of matrices, or a NumPy array of three dimensions, and a mask for each: one row a text.
    """
    if getattr(tokens, "ndim", 2) == 3 or (isinstance(tokens, (list, tuple)) and len(tokens) and _is_matrix(tokens[0])):
        if mask is not None and len(mask) != len(tokens):
            raise ValueError(f"mask: {len(mask)} masks for {len(tokens)} texts")
        rows = [mean_pool(text, None if mask is None else mask[i]) for i, text in enumerate(tokens)]
        pooled = empty("f", len(rows), len(rows[0]) if rows else 0)
        for i, row in enumerate(rows):
            if len(row) != len(rows[0]):
                raise ValueError(f"tokens[{i}]: {len(row)} dimensions instead of {len(rows[0])}")
            ffi.memmove(pointer("float *", pooled) + i * len(row), ffi.from_buffer(row), 4 * len(row))
        return pooled
    given = rows_of(tokens, "tokens")
    chosen = None if mask is None else _mask(mask)
    if chosen is not None and chosen.dim != given.n_rows:
        raise ValueError(f"mask: {chosen.dim} elements for {given.n_rows} tokens")
    result, address = output(out, given.dim)
    lib.lanewise_mean_pool_f32(given.pointer, given.n_rows, given.dim, given.ld,
                               ffi.NULL if chosen is None else ffi.cast("uint8_t *", chosen.pointer), address)
    return result


def _is_matrix(value: Any) -> bool:
    return getattr(value, "ndim", 0) == 2 or (isinstance(value, (list, tuple)) and len(value) > 0 and hasattr(value[0], "__len__"))


def _mask(mask: Any) -> Floats:
    """A mask of any kind of numbers or truth values as bytes."""
    if isinstance(mask, (bytes, bytearray)):
        return _small("B", mask, "mask")
    values = mask.tolist() if hasattr(mask, "tolist") else mask
    if any(hasattr(value, "__len__") for value in values):
        raise ValueError("mask: a vector is needed, an element for each token")
    return _small("B", bytes(bool(value) for value in values), "mask")
