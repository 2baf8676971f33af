# SPDX-License-Identifier: Apache-2.0
"""What all modules share: the C library, errors, and memory that goes in and out without copies."""

from __future__ import annotations

import array
import functools
import importlib
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from . import _ingest, _lanewise

T = TypeVar("T")

ffi: Any = _lanewise.ffi
lib: Any = _lanewise.lib

SIZE_MAX = 2 ** (8 * ffi.sizeof("size_t")) - 1
NO_OFFSET = 2**64 - 1


class DataError(ValueError):
    """Malformed input. `offset` says where, in what the message is about (bytes of a text, an edge, a node), or is None."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message if offset is None else f"{message} (at {offset})")
        self.offset = offset


class UndecidedError(DataError):
    """Regular expressions in rules for secrets could not decide some places of a text within their limits. `result` is what the
    call would have returned if these were no secrets."""

    def __init__(self, result: Any) -> None:
        super().__init__("the rules' expressions left places of the text undecided")
        self.result = result


def new_error() -> Any:
    return ffi.new("lanewise_error *")


def choice(choices: dict[str, int], name: str, what: str) -> int:
    """The number of a name; ValueError with those there are."""
    if name not in choices:
        raise ValueError(f"{what}: {name!r} is none of {', '.join(choices)}")
    return choices[name]


def check(status: int, error: Any = None) -> None:
    """Raises what a status says, in the words of the error if there is one."""
    if status == lib.LANEWISE_OK:
        return
    message = ffi.string(lib.lanewise_status_text(status)).decode()
    offset = None
    if error is not None and error.status == status:
        message = ffi.string(error.what).decode("utf-8", "replace")
        offset = None if error.offset == NO_OFFSET else error.offset
    if status == lib.LANEWISE_ERROR_NO_MEMORY:
        raise MemoryError(message)
    if status == lib.LANEWISE_ERROR_SYSTEM:
        raise OSError(message)
    if status == lib.LANEWISE_ERROR_UNSUPPORTED:
        raise NotImplementedError(message)
    raise DataError(message, offset)


# ------------------------------------------------------------------ memory


_numpy: Any = None
ndarray: Any = None  # numpy.ndarray and its float32, as soon as numpy() was called; only to compare types with
float32: Any = None


def numpy() -> Any:
    """The numpy module, or None."""
    global _numpy, ndarray, float32
    if _numpy is None:
        try:
            _numpy = importlib.import_module("numpy")
            ndarray, float32 = _numpy.ndarray, _numpy.dtype("float32")
        except ImportError:
            _numpy = False
    return _numpy or None


from_buffer: Any = ffi.from_buffer
FLOATS: Any = ffi.typeof("float[]")
_ARRAYS = {f"{name} *": ffi.typeof(f"{name}[]") for name in (
    "char", "float", "double", "int8_t", "uint8_t", "uint16_t", "int32_t", "uint32_t", "int64_t", "uint64_t")}


_UINT64 = _ARRAYS["uint64_t *"]
_allocate = ffi.new_allocator(should_clear_after_alloc=False)
_SCRATCH = ffi.typeof("long double[]")


def room(c_type: str, n: int) -> Any:
    """Memory for n elements, not cleared."""
    return _allocate(f"{c_type}[]", n or 1)


def scratch(n_bytes: int) -> Any:
    """Memory for a call, aligned as by malloc."""
    if n_bytes == 0:
        raise ValueError("k or another size is 0 or too large")
    return _allocate(_SCRATCH, (n_bytes + 15) // 16)


class Scratch:
    """Scratch of one size for calls on any threads, used again and again."""

    def __init__(self, n_bytes: int) -> None:
        self._n_bytes = n_bytes
        self._free: list[Any] = []

    def take(self) -> Any:
        try:
            return self._free.pop()
        except IndexError:
            return scratch(self._n_bytes)

    def give(self, memory: Any) -> None:
        """What is not given back is freed like anything else."""
        self._free.append(memory)


def empty(code: str, *shape: int) -> Any:
    """A NumPy array, or an array.array (flat) where there is no NumPy; code is array.array's."""
    np = _numpy or numpy()
    if np is not None:
        return np.empty(shape, code)
    n = 1
    for size in shape:
        n *= size
    return array.array(code, bytes(n * array.array(code).itemsize))


def pointer(c_type: str, memory: Any) -> Any:
    """A C pointer to what a buffer holds; NULL if that is nothing."""
    if len(memory) == 0:
        return ffi.NULL
    return from_buffer(_ARRAYS[c_type], memory)


class Floats(NamedTuple):
    """float32 numbers in memory: a vector (n_rows None), or rows of `dim` numbers, `ld` apart."""

    pointer: Any
    n_rows: int | None
    dim: int
    ld: int
    owner: Any  # keeps the memory alive


def floats(values: Any, what: str, writable: bool = False) -> Floats:
    """Reads float32 memory where it lies; converts other numbers."""
    if type(values) is ndarray and values.dtype is float32 and not writable:
        # The usual case, quickly.
        shape = values.shape
        try:
            if len(shape) == 1:
                return Floats(from_buffer(FLOATS, values), None, shape[0], shape[0], values)
            if len(shape) == 2:
                return Floats(from_buffer(FLOATS, values), shape[0], shape[1], shape[1], values)
        except (BufferError, ValueError):
            pass  # gaps
    if isinstance(values, (list, tuple)):
        if writable:
            raise TypeError(f"{what}: a list cannot be written to as float32")
        if values and not isinstance(values[0], (list, tuple, float, int)) and hasattr(values[0], "__len__"):
            return _floats_of_vectors(values, what)
        try:
            data, n_rows, dim = _ingest.floats(values)
        except ValueError as error:
            raise ValueError(f"{what}: {error}") from None
        return Floats(pointer("float *", data), None if n_rows < 0 else n_rows, dim, dim, data)
    if hasattr(values, "__array_interface__") or hasattr(values, "__dlpack__"):
        return _floats_of_array(values, what, writable)
    try:
        view = memoryview(values)
    except TypeError:
        if isinstance(values, Sequence) and not isinstance(values, str):
            return floats(list(values), what, writable)
        raise TypeError(f"{what}: neither numbers nor a buffer of them, but {type(values).__name__}") from None
    if view.format != "f":
        if writable or view.format not in ("d", "b", "B", "h", "H", "i", "I", "l", "L", "q", "Q"):
            raise ValueError(f"{what}: elements of type '{view.format}' instead of float32")
        return floats(view.tolist(), what)
    if view.ndim not in (1, 2) or not view.c_contiguous:
        raise ValueError(f"{what}: {view.ndim} dimensions or gaps; a contiguous vector or matrix is needed")
    if writable and view.readonly:
        raise ValueError(f"{what}: read-only")
    shape = view.shape or (0,)
    dim = shape[-1]
    address = ffi.cast("float *", ffi.from_buffer(values)) if view.nbytes else ffi.NULL
    return Floats(address, shape[0] if view.ndim == 2 else None, dim, dim, values)


def _floats_of_vectors(vectors: Sequence[Any], what: str) -> Floats:
    """A list of arrays, one a row."""
    rows = [floats(vector, f"{what}[{i}]") for i, vector in enumerate(vectors)]
    dim = rows[0].dim
    for i, row in enumerate(rows):
        if row.n_rows is not None or row.dim != dim:
            raise ValueError(f"{what}[{i}]: no vector of {dim} numbers, as the first is")
    data = b"".join(bytes(ffi.buffer(row.pointer, 4 * dim)) if dim else b"" for row in rows)
    return Floats(pointer("float *", data), len(rows), dim, dim, data)


def _floats_of_array(values: Any, what: str, writable: bool) -> Floats:
    np = numpy()
    if np is None:
        raise TypeError(f"{what}: NumPy is needed to read {type(values).__name__}")
    given = np.asarray(values) if hasattr(values, "__array_interface__") else np.from_dlpack(values)
    if given.ndim not in (1, 2):
        raise ValueError(f"{what}: {given.ndim} dimensions; a vector or a matrix is needed")
    if given.dtype.kind not in "fiub":
        raise ValueError(f"{what}: elements of type {given.dtype} instead of float32")
    rows_apart = given.ndim == 2 and given.shape[1] > 0 and given.strides[1] == 4 and given.strides[0] >= 4 * given.shape[1]
    usable = given.dtype == np.float32 and (given.flags.c_contiguous or (rows_apart and given.strides[0] % 4 == 0))
    if not usable:
        if writable:
            raise ValueError(f"{what}: float32 with contiguous rows is needed to write to it")
        given = np.ascontiguousarray(given, dtype=np.float32)
    if writable and not given.flags.writeable:
        raise ValueError(f"{what}: read-only")
    if given.size and given.flags.c_contiguous:
        address = from_buffer(FLOATS, given)  # which keeps it alive, as it may be a copy
    else:
        address = ffi.cast("float *", given.__array_interface__["data"][0] if given.size else 0)
    if given.ndim == 1:
        return Floats(address, None, given.shape[0], given.shape[0], given)
    ld = given.strides[0] // 4 if given.shape[0] > 1 and given.size else given.shape[1]
    return Floats(address, given.shape[0], given.shape[1], ld, given)


_NAMES = {"B": "bytes", "b": "int8", "H": "16-bit floats", "I": "uint32"}


_KINDS = {"b": "ib", "B": "uib", "H": "uf"}  # of NumPy's types
_FORMATS = {"b": ("b", "?", "c"), "B": ("B", "b", "?", "c"), "H": ("H", "h", "e")}  # of buffers


def small(code: str, values: Any, what: str, unsigned: bool = False) -> Floats:
    """Memory of elements of one type of array.array's, read where it lies: 'B' bytes, of either sign unless they have to be
    `unsigned`, 'b' int8, 'H' 16 bits (uint16, or NumPy's float16). A vector, or rows of a matrix, or a list of vectors of one
    size. bytes, bytearray and a memoryview of them are memory of any type."""
    size, name = array.array(code).itemsize, "uint8" if unsigned else _NAMES[code]
    if isinstance(values, (list, tuple)) and values and hasattr(values[0], "__len__"):
        rows = [small(code, row, f"{what}[{i}]", unsigned) for i, row in enumerate(values)]
        if any(row.n_rows is not None or row.dim != rows[0].dim for row in rows):
            raise ValueError(f"{what}: rows of different sizes")
        n = rows[0].dim
        data = b"".join(bytes(ffi.buffer(row.pointer, size * n)) for row in rows) if n else b""
        return Floats(pointer("char *", data), len(rows), n, n, data)
    if isinstance(values, (list, tuple)):
        return small(code, integers(code, values, what), what)
    np = numpy()
    if np is not None and hasattr(values, "__array_interface__"):
        given = np.asarray(values)
        if given.ndim not in (1, 2) or given.dtype.itemsize != size:
            raise ValueError(f"{what}: {given.dtype} of {given.ndim} dimensions; a vector or matrix of {name} is needed")
        if given.dtype.kind not in _KINDS[code] or (unsigned and given.dtype.kind == "i"):
            raise TypeError(f"{what}: elements of type {given.dtype}; {name} are needed")
        apart = given.ndim == 2 and given.shape[1] > 0 and given.strides[1] == size and given.strides[0] >= size * given.shape[1]
        if not given.dtype.isnative or not (given.flags.c_contiguous or (apart and given.strides[0] % size == 0)):
            given = np.ascontiguousarray(given, dtype=given.dtype.newbyteorder("="))
        shape, owner = given.shape, given
        ld = given.strides[0] // size if given.ndim == 2 and given.shape[0] > 1 and given.size else shape[-1]
        address = ffi.cast("char *", given.__array_interface__["data"][0] if given.size else 0)
        return Floats(address, shape[0] if given.ndim == 2 else None, shape[-1], ld, owner)
    try:
        view = memoryview(values)
    except TypeError:
        raise TypeError(f"{what}: {name} are needed, not {type(values).__name__}") from None
    if isinstance(values, (bytes, bytearray)) and view.nbytes % size == 0 and view.nbytes:
        view = view.cast("H") if code == "H" else view
    if view.itemsize != size or view.format in ("f", "d") or view.ndim not in (1, 2) or not view.c_contiguous:
        raise ValueError(f"{what}: elements of type '{view.format}', {view.ndim} dimensions or gaps; {name} are needed")
    untyped = isinstance(values, (bytes, bytearray, memoryview)) and view.format == "B"
    kind = view.format.lstrip("@=<" if sys.byteorder == "little" else "@=>")
    if not untyped and (kind not in _FORMATS[code] or (unsigned and kind == "b")):
        raise TypeError(f"{what}: elements of type '{view.format}'; {name} are needed")
    n = (view.shape or (0,))[-1]
    address = ffi.cast("char *", ffi.from_buffer(values)) if view.nbytes else ffi.NULL
    return Floats(address, view.shape[0] if view.ndim == 2 and view.shape else None, n, n, values)


def concatenated(strings: Sequence[Any], what: str) -> tuple[bytes, Any]:
    """Strings one behind the other, as UTF-8, and where they begin, with the end of the last (uint64)."""
    if isinstance(strings, (str, bytes)):
        raise TypeError(f"{what}: a sequence of texts is needed, not one")
    parts = [text_bytes(string, f"{what}[{i}]") for i, string in enumerate(strings)]
    return b"".join(parts), array.array("Q", itertools.accumulate(map(len, parts), initial=0))


def integers(code: str, values: Any, what: str) -> Any:
    """Integers as memory of the type of array.array's `code` ('I' or 'Q'), without a copy if they are that already."""
    c_type = {"B": "uint8", "b": "int8", "H": "uint16", "I": "uint32", "Q": "uint64"}[code]
    np = numpy()
    if np is not None and hasattr(values, "__array_interface__"):
        given = np.asarray(values)
        if given.ndim != 1 or given.dtype.kind not in "iu":
            raise ValueError(f"{what}: a vector of integers is needed, not {given.dtype} of {given.ndim} dimensions")
        if given.dtype != c_type and given.size and (int(given.min()) < np.iinfo(c_type).min or int(given.max()) > np.iinfo(c_type).max):
            raise ValueError(f"{what}: a number is negative or beyond {c_type}")
        return np.ascontiguousarray(given, dtype=c_type)
    if isinstance(values, array.array) and values.typecode == code:
        return values
    try:
        return array.array(code, values)
    except OverflowError:
        raise ValueError(f"{what}: a number is negative or beyond {c_type}") from None


def text_bytes(text: str | bytes | bytearray | memoryview, what: str = "text") -> Any:
    """The UTF-8 of a str, or the bytes themselves."""
    if isinstance(text, str):
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"{what}: a lone surrogate at {error.start}") from None
    if isinstance(text, (bytes, bytearray)):
        return text
    if isinstance(text, memoryview):
        return text if text.ndim == 1 and text.itemsize == 1 else text.cast("B")
    raise TypeError(f"{what}: str or bytes are needed, not {type(text).__name__}")


class CodePoints:
    """Byte offsets to offsets of code points; or as they are, for texts given as bytes or of ASCII alone.

    Linear in the way from one offset to the next, so they should come about in order.
    """

    def __init__(self, text: str | bytes | bytearray | memoryview, data: Any) -> None:
        self.data = ffi.from_buffer(data) if isinstance(text, str) and len(text) != len(data) else None
        self.at = self.characters = 0

    def __call__(self, offset: int) -> int:
        if self.data is None:
            return offset
        if offset >= self.at:
            self.characters += lib.lanewise_utf8_count(self.data + self.at, offset - self.at)
        else:
            self.characters -= lib.lanewise_utf8_count(self.data + offset, self.at - offset)
        self.at = offset
        return self.characters

    def all(self, offsets: array.array[int]) -> array.array[int]:
        """Many at once, an array.array of uint64: in linear time if they ascend."""
        if self.data is None or not offsets:
            return offsets
        points = array.array("Q", offsets)
        given, to, n = from_buffer(_UINT64, offsets), from_buffer(_UINT64, points), len(points)
        if lib.lanewise_utf8_to_code_points(self.data, len(self.data), given, n, to, ffi.NULL) == lib.LANEWISE_OK:
            return points
        ascending = array.array("Q", sorted(set(offsets)))
        numbers = dict(zip(ascending, self.all(ascending)))
        return array.array("Q", [numbers[offset] for offset in offsets])


def tuples(cls: Callable[..., T], *columns: Iterable[Any]) -> Iterator[T]:
    """Named tuples of columns, quickly: their own constructors are Python code."""
    return map(functools.partial(tuple.__new__, cls), zip(*columns))  # type: ignore[arg-type,type-var]
