# SPDX-License-Identifier: Apache-2.0
"""What came before: sets of hashes, a Bloom filter, a window, and a map to what was first (lanewise/seen.h)."""

from __future__ import annotations

import array
import itertools
import operator
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from ._files import Uncopyable, bytes_of_file, destroy_later, file_of_bytes, open_file, write_file
from ._guard import Guard
from ._library import DataError, check, choice, concatenated, empty, ffi, from_buffer, integers, lib, new_error, numpy, pointer, room
from .text import Text

T = TypeVar("T")

KINDS = {"set64": lib.LANEWISE_SEEN_SET64, "set128": lib.LANEWISE_SEEN_SET128, "bloom": lib.LANEWISE_SEEN_BLOOM,
         "window": lib.LANEWISE_SEEN_WINDOW}
WHEN_FULL = {"refuse": lib.LANEWISE_SEEN_REFUSE, "forget": lib.LANEWISE_SEEN_FORGET}
_MASK = 2**64 - 1


def _bounded(value: int, what: str, limit: int = 2**64) -> int:
    if not 0 <= value < limit:
        raise ValueError(f"{what}: {value} is out of range")
    return value


def _is_text(item: Any) -> bool:
    return isinstance(item, (str, bytes, bytearray, memoryview))


def _are_texts(items: Any) -> bool:
    """Whether a sequence that is no array of numbers has texts; of an empty one, it does not matter."""
    return isinstance(items, (list, tuple)) and len(items) > 0 and _is_text(items[0])


def _sized(items: Any) -> Any:
    """A sequence of items, however they come."""
    if _is_text(items) and not isinstance(items, memoryview):
        raise TypeError("items: a sequence of texts or hashes is needed, not one")
    if isinstance(items, (list, tuple, array.array, memoryview)) or hasattr(items, "__array_interface__"):
        return items
    return list(items)


def _hashed(strings: Sequence[Text], is_wide: bool) -> Any:
    data, ends = concatenated(strings, "items")
    n, offsets = len(ends) - 1, pointer("uint64_t *", ends)
    hashes = array.array("Q", bytes(16 * n if is_wide else 8 * n))
    to = pointer("uint64_t *", hashes)
    if n == 0:
        pass
    elif is_wide:
        lib.lanewise_xxh3_128_batch(from_buffer(data), offsets, offsets + 1, n, 0, ffi.cast("lanewise_hash128 *", to))
    else:
        lib.lanewise_xxh3_64_batch(from_buffer(data), offsets, offsets + 1, n, 0, to)
    return hashes


def _wide(items: Any) -> Any:
    """Hashes of 128 bits, low and high halves in turn: of integers, or a matrix of (low, high)."""
    np = numpy()
    if np is not None and hasattr(items, "__array_interface__"):
        given = np.asarray(items)
        if given.ndim != 2 or given.shape[1] != 2:
            raise ValueError("items: hashes of 128 bits are rows of two halves, low and high, or a list of int")
        return integers("Q", np.ascontiguousarray(given).reshape(-1), "items")
    halves = array.array("Q")
    for i, item in enumerate(map(operator.index, items)):
        if not 0 <= item < 2**128:
            raise ValueError(f"items[{i}]: a number is negative or beyond 128 bits")
        halves.extend((item & _MASK, item >> 64))
    return halves


def _hashes(items: Any, is_wide: bool) -> Any:
    """The hashes of texts (XXH3 of their UTF-8), or hashes themselves, as uint64."""
    if _are_texts(items):
        return _hashed(items, is_wide)
    return _wide(items) if is_wide else integers("Q", items, "items")


def _flags(words: Any, n: int) -> Any:
    """The first n bits of memory as bool, or as bytes of 0 and 1 where there is no NumPy."""
    data, np = bytes(ffi.buffer(words, (n + 7) // 8)), numpy()
    if np is not None:
        return np.unpackbits(np.frombuffer(data, np.uint8), count=n, bitorder="little").view(np.bool_)
    return array.array("B", (data[i >> 3] >> (i & 7) & 1 for i in range(n)))


class SeenSet:
    """Tells which hashes or texts came before, many at a time, some nanoseconds each.

    Items are integers (64 bits; an array of uint64 is read where it lies) or texts, which are hashed with XXH3; different texts
    of one hash, which strangers can make, are taken for one (Deduplicator compares texts). Kinds:

    - "set64" and "set128" remember all, by hashes of so many bits: 11 to 22, and 22 to 43 bytes each. Hashes for set128 are
      integers below 2**128, or rows of (low, high). With `max_bytes`, memory never grows; when that is full, a set refuses
      ("refuse", a DataError says where) or forgets the oldest ("forget").
    - "bloom" takes some `bits_per_hash` (16), never misses one, and takes one new one of a thousand for a duplicate when it has as
      many as `expected`, which it needs.
    - "window" has the last `window` that were new when they came.

    `expected` makes room from the start; `seed` makes a filter's mistakes repeatable. One thread at a time may change it, and
    nobody asks it then: RuntimeError.
    """

    def __init__(self, kind: str = "set64", expected: int = 0, max_bytes: int = 0, when_full: str = "refuse", window: int = 0,
                 bits_per_hash: int = 0, seed: int | None = None) -> None:
        options = self._options(choice(KINDS, kind, "kind"), expected, max_bytes, when_full, window)
        options.bits_per_hash = _bounded(bits_per_hash, "bits_per_hash", 2**32)
        options.is_seeded, options.seed = seed is not None, _bounded(seed or 0, "seed")
        out, error = ffi.new("lanewise_seen **"), new_error()
        check(lib.lanewise_seen_create(options, ffi.NULL, out, error), error)
        self._adopt(out[0], max_bytes, when_full)

    @staticmethod
    def _options(kind: int, expected: int, max_bytes: int, when_full: str, window: int) -> Any:
        return ffi.new("lanewise_seen_options *", {
            "struct_size": ffi.sizeof("lanewise_seen_options"), "kind": kind, "expected": _bounded(expected, "expected"),
            "max_bytes": _bounded(max_bytes, "max_bytes"), "when_full": choice(WHEN_FULL, when_full, "when_full"),
            "window": _bounded(window, "window")})

    def _adopt(self, handle: Any, max_bytes: int, when_full: str) -> None:
        self._guard = Guard(type(self).__name__)
        self._reading = self._guard.reading()
        self._handle = destroy_later(self, handle, lib.lanewise_seen_destroy)
        kind = lib.lanewise_seen_kind(handle)
        self.kind = next(name for name, number in KINDS.items() if number == kind)
        self._is_wide = kind == lib.LANEWISE_SEEN_SET128
        self._limits = (max_bytes, when_full)

    # ------------------------------------------------------------ items

    def _words(self, items: Any) -> tuple[Any, Any, int, Any]:
        """Hashes as a C pointer, what keeps it alive, their number, and room for a bit each."""
        hashes = _hashes(items, self._is_wide)
        n, to = len(hashes), pointer("uint64_t *", hashes)
        if self._is_wide:
            n, to = n // 2, ffi.cast("lanewise_hash128 *", to)
        return to, hashes, n, room("uint64_t", (n + 63) // 64)

    def _insert(self, items: Any) -> Any:
        to, keep, n, duplicates = self._words(items)
        taken = ffi.new("size_t *")
        if n:
            insert = lib.lanewise_seen_insert_128 if self._is_wide else lib.lanewise_seen_insert_64
            with self._guard:
                status = insert(self._handle, to, n, duplicates, taken)
            if status == lib.LANEWISE_ERROR_CAPACITY:
                raise DataError(f"the set is full: items[{taken[0]}] is new", taken[0])
            check(status)
        del keep
        return _flags(duplicates, n)

    def insert(self, items: Any) -> Any:
        """Remembers items in their order; which of them came before, also in `items` itself (bool)."""
        return self._insert(_sized(items))

    def contains(self, items: Any) -> Any:
        """Which of many items came before (bool); nothing is remembered."""
        to, keep, n, found = self._words(_sized(items))
        if n:
            find = lib.lanewise_seen_find_128 if self._is_wide else lib.lanewise_seen_find_64
            with self._reading:
                check(find(self._handle, to, n, found))
        del keep
        return _flags(found, n)

    def fresh(self, items: Iterable[T]) -> list[T]:
        """Those of many items that did not come before, in their order; they are remembered."""
        given = list(items)
        return list(itertools.compress(given, (not known for known in self._insert(given).tolist())))

    def add(self, item: Text | int) -> bool:
        """Remembers one item; whether it is new. Many at a time are much faster."""
        return not self._insert([item])[0]

    def __contains__(self, item: object) -> bool:
        return (_is_text(item) or hasattr(item, "__index__")) and bool(self.contains([item])[0])

    # ------------------------------------------------------------- state

    def __len__(self) -> int:
        """How many different ones are remembered; for "bloom" how many were new when they came."""
        return int(lib.lanewise_seen_count(self._handle))

    def __bool__(self) -> bool:
        return len(self) > 0

    @property
    def capacity(self) -> int:
        """How many it can hold without growing, forgetting or more mistakes."""
        return int(lib.lanewise_seen_capacity(self._handle))

    @property
    def n_bytes(self) -> int:
        """Bytes of memory for what is remembered."""
        return int(lib.lanewise_seen_memory(self._handle))

    def clear(self) -> None:
        """Forgets all; the memory stays."""
        with self._guard:
            lib.lanewise_seen_clear(self._handle)

    def __repr__(self) -> str:
        return f"<lanewise.SeenSet of {len(self)}, {self.kind}>"

    # ------------------------------------------------------------- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes what is remembered to a file, which replaces one of that name only when it is complete. Whoever reads that of a
        Bloom filter can choose hashes that are false duplicates."""
        with self._reading:
            write_file(path, self._handle, lib.lanewise_seen_write)

    @classmethod
    def open(cls, path: str | os.PathLike[str], max_bytes: int = 0, when_full: str = "refuse", window: int = 0) -> SeenSet:
        """What was saved, to go on with. A set may get another limit, and a window another length; the last ones are kept."""
        return cls._of_file(open_file(path), max_bytes, when_full, window)

    @classmethod
    def _of_file(cls, file: Any, max_bytes: int, when_full: str, window: int) -> SeenSet:
        out, error = ffi.new("lanewise_seen **"), new_error()
        check(lib.lanewise_seen_open(file, ffi.NULL, ffi.NULL, out, error), error)
        seen = cls.__new__(cls)
        seen._adopt(out[0], max_bytes, when_full)
        if (max_bytes or window or when_full != "refuse") and seen.kind != "bloom":
            options = cls._options(KINDS[seen.kind], 0, max_bytes, when_full,
                                   window or (seen.capacity if seen.kind == "window" else 0))
            check(lib.lanewise_seen_open(file, options, ffi.NULL, out, error), error)
            seen._adopt(out[0], max_bytes, when_full)
        return seen

    def __reduce__(self) -> tuple[Any, ...]:
        with self._reading:
            return _of_bytes, (bytes_of_file(self._handle, lib.lanewise_seen_write), *self._limits)

    def __copy__(self) -> SeenSet:
        return _of_bytes(*self.__reduce__()[1])

    def __deepcopy__(self, memo: dict[int, Any]) -> SeenSet:
        return self.__copy__()


def _of_bytes(image: bytes, max_bytes: int, when_full: str) -> SeenSet:
    return SeenSet._of_file(file_of_bytes(image), max_bytes, when_full, 0)


class SeenMap(Uncopyable):
    """From hashes or texts to the numbers that came with them first: offsets, rows, lines.

    `expected` makes room from the start. Texts are compared by hashes of 64 bits, unless `equal` is given to insert().
    One thread at a time.
    """

    _advice = "insert its hashes and numbers into another"

    def __init__(self, expected: int = 0) -> None:
        self._guard = Guard(type(self).__name__)
        out, error = ffi.new("lanewise_seen_map **"), new_error()
        check(lib.lanewise_seen_map_create(_bounded(expected, "expected"), ffi.NULL, out, error), error)
        self._handle = destroy_later(self, out[0], lib.lanewise_seen_map_destroy)
        self._next = 0

    def __len__(self) -> int:
        """How many different ones are remembered."""
        return int(lib.lanewise_seen_map_count(self._handle))

    def __bool__(self) -> bool:
        return len(self) > 0

    def __repr__(self) -> str:
        return f"<lanewise.SeenMap of {len(self)}>"

    def insert(self, items: Any, numbers: Any = None, equal: Callable[[int, int], bool] | None = None) -> Any:
        """For each item (a hash, or a text) the number of the first like it, or its own, which is remembered then (uint64).

        Without `numbers` items are numbered on from 0 over all calls. `equal(a, b)` says whether the items of two numbers, the
        first remembered, the second one of these, are the same where their hashes are; at most 16 of one hash are remembered. If
        it raises, the items from there on are remembered as new. It cannot insert into this map: RuntimeError."""
        hashes = _hashes(_sized(items), False)
        own = None if numbers is None else integers("Q", numbers, "numbers")
        if own is not None and len(own) != len(hashes):
            raise ValueError(f"numbers: {len(own)} for {len(hashes)} items")
        first, failures = empty("Q", len(hashes)), []  # type: tuple[Any, list[BaseException]]
        if len(hashes) == 0:
            return first

        def ask(_: Any, a: int, b: int) -> int:
            try:
                return not failures and bool(equal and equal(a, b))
            except BaseException as failure:  # raised below
                failures.append(failure)
                return False

        asked = ffi.NULL if equal is None else ffi.callback("int32_t(void *, uint64_t, uint64_t)", ask)
        with self._guard:
            if own is None:
                own = self._numbered(len(hashes))
            check(lib.lanewise_seen_map_insert(self._handle, pointer("uint64_t *", hashes), pointer("uint64_t *", own), len(hashes), asked,
                                               ffi.NULL, pointer("uint64_t *", first), ffi.NULL))
        if failures:
            raise failures[0]
        return first

    def _numbered(self, n: int) -> Any:
        self._next += n
        return array.array("Q", range(self._next - n, self._next))
