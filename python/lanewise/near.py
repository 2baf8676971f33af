# SPDX-License-Identifier: Apache-2.0
"""Near duplicates: texts that share most of their words (lanewise/near.h).

Signatures are arrays of integers, NumPy's or array.array's, and so are many of them: rows of a matrix, or one row after the other.
"""

from __future__ import annotations

import array
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ._files import Immutable, Uncopyable, destroy_later
from ._guard import Guard
from ._library import check, empty, ffi, from_buffer, integers, lib, new_error, numpy, pointer, room, text_bytes
from ._threads import for_parts
from .text import Text

_SHINGLES = {"words": lib.lanewise_shingles_words, "characters": lib.lanewise_shingles_chars}
FAMILIES = ("mul32", "mul64", "mod61", "buckets")
_HASHES_AT_ONCE = 1 << 16


class _Shingles:
    """How a text becomes hashes: of runs of `width` words or characters."""

    def __init__(self, width: int, unit: str) -> None:
        if unit not in _SHINGLES:
            raise ValueError(f"unit: {unit!r} is none of {', '.join(_SHINGLES)}")
        if not 1 <= width <= lib.LANEWISE_SHINGLE_MAX_WIDTH:
            raise ValueError(f"width: {width} is not 1 to {lib.LANEWISE_SHINGLE_MAX_WIDTH}")
        self.width, self.unit = width, unit
        self._function = _SHINGLES[unit]

    def into(self, data: Any, seed: int, hashes: Any, capacity: int, n: Any) -> int:
        """The hashes of a text, at most as many as it has bytes."""
        check(self._function(from_buffer(data), len(data), self.width, seed, hashes, capacity, n))
        return int(n[0])


def shingles(text: Text, width: int = 3, unit: str = "words", seed: int = 0, unique: bool = False) -> Any:
    """The hashes (uint64) of all runs of `width` neighbouring "words" or "characters" of a text, in its order; `unique` ones
    ascend and are different, and evaluate.jaccard() compares such sets exactly."""
    data, how, n = text_bytes(text), _Shingles(width, unit), ffi.new("size_t *")
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed: {seed} is out of range")
    hashes = room("uint64_t", len(data))
    count = how.into(data, seed, hashes, len(data), n)
    if unique:
        count = lib.lanewise_hash_set_u64(hashes, count)
    out = empty("Q", count)
    if count:
        ffi.memmove(from_buffer(out), hashes, 8 * count)
    return out


def _rows_of(values: Any, k: int, what: str) -> tuple[Any, int]:
    """Signatures one after the other (uint32) and their number: given as a matrix, a list of signatures or flat."""
    if isinstance(values, (list, tuple)) and values and hasattr(values[0], "__len__"):
        flat: Any = array.array("I")
        for i, row in enumerate(values):
            flat.frombytes(memoryview(_signature(row, k, f"{what}[{i}]")).cast("B"))
        return flat, len(values)
    shape = getattr(values, "shape", None)
    if shape is not None and len(shape) == 2:
        if shape[1] != k and shape[0]:
            raise ValueError(f"{what}: rows of {shape[1]} numbers instead of {k}")
        np = numpy()
        values = values.cast("B").cast("I") if np is None else np.asarray(values).reshape(-1)
    flat = integers("I", values, what)
    if len(flat) % k:
        raise ValueError(f"{what}: {len(flat)} numbers are no signatures of {k}")
    return flat, len(flat) // k


def _signature(values: Any, k: int, what: str) -> Any:
    flat = integers("I", values, what)
    if len(flat) != k:
        raise ValueError(f"{what}: {len(flat)} numbers instead of {k}")
    return flat


# ----------------------------------------------------------------- MinHash


class MinHash(Immutable):
    """Makes signatures of `n_hashes` numbers (uint32), from which the similarity of texts, as sets of shingles, is estimated.

    The share of numbers in which two agree estimates the sets' Jaccard similarity J, with a standard deviation of
    sqrt(J * (1 - J) / n_hashes). Families are "mul32", the fastest; "mul64", the signatures of rensa 0.4; "mod61", those of
    datasketch before 2.0, which needs `parameters`, its (a, b); "buckets", for long texts. Only signatures of one family,
    seed and kind of shingles can be compared. Immutable; threads may share it.
    """

    def __init__(self, n_hashes: int = 128, family: str = "mul32", seed: int = 1, width: int = 3, unit: str = "words",
                 parameters: tuple[Any, Any] | None = None) -> None:
        if family not in FAMILIES:
            raise ValueError(f"family: {family!r} is none of {', '.join(FAMILIES)}")
        if not 1 <= n_hashes <= (4096 if family == "buckets" else 2**24):
            raise ValueError(f"n_hashes: {n_hashes} is out of range")
        if not 0 <= seed < 2**64:
            raise ValueError(f"seed: {seed} is out of range")
        self._how = _Shingles(width, unit)
        self.n_hashes, self.family, self._seed = n_hashes, family, seed
        self._c_type = "uint32_t *" if family == "mul32" else "uint64_t *"
        self._parameters: tuple[Any, ...] = ()
        self._given = parameters is not None
        if family == "buckets" and parameters is not None:
            raise ValueError("parameters: the family buckets has none")
        if family != "buckets":
            self._parameters = self._made() if parameters is None else self._checked(parameters)

    def _made(self) -> tuple[Any, Any]:
        if self.family == "mod61":
            raise ValueError("parameters: the family mod61 needs them, the permutations of datasketch say")
        code = "I" if self.family == "mul32" else "Q"
        a, b = empty(code, self.n_hashes), empty(code, self.n_hashes)
        make = getattr(lib, f"lanewise_minhash_{self.family}_parameters")
        make(self._seed, pointer(self._c_type, a), pointer(self._c_type, b), self.n_hashes)
        return a, b

    def _checked(self, parameters: tuple[Any, Any]) -> tuple[Any, Any]:
        code, (a, b) = "I" if self.family == "mul32" else "Q", parameters
        a, b = integers(code, a, "a"), integers(code, b, "b")
        if len(a) != self.n_hashes or len(b) != self.n_hashes:
            raise ValueError(f"parameters: {len(a)} and {len(b)} numbers instead of {self.n_hashes}")
        if self.family == "mul32" and not all(int(number) & 1 for number in a):
            raise ValueError("a: a number is even")
        if self.family == "mod61" and any(int(number) >= 2**61 - 1 for number in [*a, *b]):
            raise ValueError("parameters: a number is not below 2**61 - 1")
        # Copies, as the caller may change his.
        return array.array(code, a), array.array(code, b)

    def __reduce__(self) -> tuple[Any, ...]:
        return MinHash, (self.n_hashes, self.family, self._seed, self._how.width, self._how.unit,
                         self._parameters if self._given else None)

    def __repr__(self) -> str:
        return f"<lanewise.MinHash, {self.n_hashes} of {self.family}, runs of {self._how.width} {self._how.unit}>"

    def _sign(self, hashes: Any, offsets: Any, n: int, rows: Any) -> None:
        """Rows of signatures of n sets of hashes, all by C pointers."""
        k, sign = self.n_hashes, getattr(lib, f"lanewise_minhash_{self.family}_rows")
        if self.family == "buckets":
            check(sign(hashes, offsets, n, k, rows, k))
        else:
            a, b = self._parameters
            sign(hashes, offsets, n, pointer(self._c_type, a), pointer(self._c_type, b), k, rows, k)

    def sign(self, text: Text) -> Any:
        """The signature of a text."""
        signature = empty("I", self.n_hashes)
        self._sign_texts([text_bytes(text)], 0, 1, pointer("uint32_t *", signature))
        return signature

    def sign_many(self, texts: Sequence[Text]) -> Any:
        """The signatures of many texts, rows of a matrix; set_num_threads() lets several threads do parts."""
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts: a sequence of texts is needed, not one")
        data = [text_bytes(text, f"texts[{i}]") for i, text in enumerate(texts)]
        rows = empty("I", len(data), self.n_hashes)
        to = pointer("uint32_t *", rows)
        for_parts(len(data), lambda begin, end: self._sign_texts(data, begin, end, to), 8)
        return rows

    def _sign_texts(self, texts: list[Any], begin: int, end: int, rows: Any) -> None:
        """Signs texts begin ... end - 1, as many at once as have few hashes together."""
        longest = max(map(len, texts[begin:end]), default=0)
        capacity = longest if end - begin == 1 else max(longest, _HASHES_AT_ONCE)
        hashes, offsets, n = room("uint64_t", capacity), room("uint64_t", end - begin + 1), ffi.new("size_t *")
        first, used = begin, 0
        offsets[0] = 0
        for i in range(begin, end):
            if used + len(texts[i]) > capacity:
                self._sign_hashes(hashes, offsets, used, i - first, rows + first * self.n_hashes)
                first, used = i, 0
            used += self._how.into(texts[i], 0, hashes + used, capacity - used, n)
            offsets[i + 1 - first] = used
        if end > first:
            self._sign_hashes(hashes, offsets, used, end - first, rows + first * self.n_hashes)

    def _sign_hashes(self, hashes: Any, offsets: Any, n_hashes: int, n: int, rows: Any) -> None:
        if self.family == "mod61":  # the lower halves
            halves = memoryview(ffi.buffer(hashes, 8 * n_hashes)).cast("I")
            low = array.array("I", halves[0 if sys.byteorder == "little" else 1 :: 2])
            self._sign(pointer("uint32_t *", low), offsets, n, rows)
        else:
            self._sign(hashes, offsets, n, rows)

    def sign_hashes(self, hashes: Any) -> Any:
        """The signature of a set that is given as hashes (uint64, for mod61 uint32), which should be well mixed."""
        given = integers("I" if self.family == "mod61" else "Q", hashes, "hashes")
        signature, offsets = empty("I", self.n_hashes), ffi.new("uint64_t[]", [0, len(given)])
        self._sign(pointer("uint32_t *" if self.family == "mod61" else "uint64_t *", given), offsets, 1, pointer("uint32_t *", signature))
        return signature

    def merge(self, a: Any, b: Any) -> Any:
        """The signature of the union of two sets."""
        if self.family == "buckets":
            raise ValueError("signatures of the family buckets cannot be merged")
        x, y = _signature(a, self.n_hashes, "a"), _signature(b, self.n_hashes, "b")
        merged = empty("I", self.n_hashes)
        to = pointer("uint32_t *", merged)
        ffi.memmove(to, pointer("uint32_t *", x), 4 * self.n_hashes)
        lib.lanewise_minhash_merge(to, pointer("uint32_t *", y), self.n_hashes)
        return merged

    def similarity(self, a: Any, b: Any) -> float:
        """The share of numbers in which two signatures agree."""
        x, y = _signature(a, self.n_hashes, "a"), _signature(b, self.n_hashes, "b")
        return float(lib.lanewise_minhash_similarity(pointer("uint32_t *", x), pointer("uint32_t *", y), self.n_hashes))

    def matches(self, signature: Any, rows: Any) -> Any:
        """In how many numbers, of n_hashes, a signature agrees with each of many (uint32)."""
        x, (flat, n) = _signature(signature, self.n_hashes, "signature"), _rows_of(rows, self.n_hashes, "rows")
        out = empty("I", n)
        if n:
            lib.lanewise_minhash_matches(pointer("uint32_t *", x), pointer("uint32_t *", flat), n, self.n_hashes, self.n_hashes,
                                         pointer("uint32_t *", out))
        return out


# ----------------------------------------------------------------- SimHash


class SimHash(Immutable):
    """Makes one number of 64 bits of a text; similar texts differ in few of its bits. Immutable; threads may share it."""

    def __init__(self, width: int = 2, unit: str = "words") -> None:
        self._how = _Shingles(width, unit)

    def __reduce__(self) -> tuple[Any, ...]:
        return SimHash, (self._how.width, self._how.unit)

    def __repr__(self) -> str:
        return f"<lanewise.SimHash, runs of {self._how.width} {self._how.unit}>"

    def sign(self, text: Text) -> int:
        """The number of a text; shingles that repeat count each time."""
        return int(self.sign_many([text])[0])

    def sign_many(self, texts: Sequence[Text]) -> Any:
        """The numbers of many texts (uint64); set_num_threads() lets several threads do parts."""
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts: a sequence of texts is needed, not one")
        data = [text_bytes(text, f"texts[{i}]") for i, text in enumerate(texts)]
        out = empty("Q", len(data))
        to = pointer("uint64_t *", out)

        def part(begin: int, end: int) -> None:
            capacity, n = max((len(text) for text in data[begin:end]), default=0), ffi.new("size_t *")
            hashes = room("uint64_t", capacity)
            for i in range(begin, end):
                to[i] = lib.lanewise_simhash_64(hashes, self._how.into(data[i], 0, hashes, capacity, n))

        for_parts(len(data), part, 8)
        return out

    @staticmethod
    def sign_hashes(hashes: Any, weights: Any = None) -> int:
        """The number of hashes (uint64), each of which counts once or as many times as its weight (uint16) says."""
        given = integers("Q", hashes, "hashes")
        if weights is None:
            return int(lib.lanewise_simhash_64(pointer("uint64_t *", given), len(given)))
        times = integers("H", weights, "weights")
        if len(times) != len(given):
            raise ValueError(f"weights: {len(times)} for {len(given)} hashes")
        return int(lib.lanewise_simhash_64_weighted(pointer("uint64_t *", given), pointer("uint16_t *", times), len(given)))

    @staticmethod
    def distance(a: int, b: int) -> int:
        """In how many bits two numbers differ."""
        return (int(a) ^ int(b)).bit_count()

    @staticmethod
    def distances(number: int, numbers: Any) -> Any:
        """In how many bits a number differs from each of many (uint32)."""
        given, one = integers("Q", numbers, "numbers"), ffi.new("uint64_t *", int(number))
        out = empty("I", len(given))
        if len(given):
            lib.lanewise_hamming_bits_rows(ffi.cast("uint8_t *", one), ffi.cast("uint8_t *", pointer("uint64_t *", given)), len(given), 8,
                                           8, pointer("uint32_t *", out))
        return out


# --------------------------------------------------------------------- LSH


class Near(NamedTuple):
    """An item of an LSH, and how similar it is."""

    item: int
    similarity: float


class LSH(Uncopyable):
    """Finds similar signatures of MinHash among many without comparing all pairs; every find is verified.

    Similar is what has at least `threshold`. `n_bands` and `n_rows` (at most n_hashes together as a product) are chosen by it
    unless they are given. A band's bucket holds its first `bucket_items` items, so boilerplate costs no more than that. Items are
    numbered from 0. One thread at a time. How it works, and what may be missed: lanewise/near.h.
    """

    _advice = "keep the signatures and add them to another"

    def __init__(self, n_hashes: int = 128, threshold: float = 0.8, n_bands: int = 0, n_rows: int = 0, bucket_items: int = 64,
                 false_positives: float = 0.1) -> None:
        for name, value in (("n_hashes", n_hashes), ("n_bands", n_bands), ("n_rows", n_rows), ("bucket_items", bucket_items)):
            if not 0 <= value < 2**32:
                raise ValueError(f"{name}: {value} is out of range")
        options = ffi.new("lanewise_lsh_options *", {
            "struct_size": ffi.sizeof("lanewise_lsh_options"), "n_hashes": n_hashes, "n_bands": n_bands, "n_rows": n_rows,
            "bucket_items": bucket_items, "threshold": threshold, "false_positives": false_positives})
        self._guard = Guard(type(self).__name__)
        out, error = ffi.new("lanewise_lsh **"), new_error()
        check(lib.lanewise_lsh_create(options, ffi.NULL, out, error), error)
        self._handle = destroy_later(self, out[0], lib.lanewise_lsh_destroy)
        self.n_hashes, self.threshold = n_hashes, threshold
        self._match, self._n, self._item = ffi.new("lanewise_lsh_match *"), ffi.new("size_t *"), ffi.new("uint64_t *")

    @property
    def n_bands(self) -> int:
        return int(lib.lanewise_lsh_n_bands(self._handle))

    @property
    def n_rows(self) -> int:
        return int(lib.lanewise_lsh_n_rows(self._handle))

    def __len__(self) -> int:
        return int(lib.lanewise_lsh_count(self._handle))

    def __repr__(self) -> str:
        return f"<lanewise.LSH of {len(self)} items, threshold {self.threshold}, {self.n_bands} bands of {self.n_rows}>"

    def add(self, signature: Any) -> int:
        """Adds a signature and returns its number."""
        given = _signature(signature, self.n_hashes, "signature")
        with self._guard:
            check(lib.lanewise_lsh_add(self._handle, pointer("uint32_t *", given), self._item))
            return int(self._item[0])

    def add_many(self, rows: Any) -> range:
        """Adds many signatures and returns their numbers."""
        flat, n = _rows_of(rows, self.n_hashes, "rows")
        to = pointer("uint32_t *", flat)
        with self._guard:
            first = len(self)
            for i in range(n):
                check(lib.lanewise_lsh_add(self._handle, to + i * self.n_hashes, ffi.NULL))
        return range(first, first + n)

    def candidates(self, signature: Any) -> Any:
        """The items that agree in a band (uint64), ascending, not verified."""
        given = _signature(signature, self.n_hashes, "signature")
        with self._guard:
            capacity = lib.lanewise_lsh_candidates_bound(self._handle)
            items = room("uint64_t", capacity)
            check(lib.lanewise_lsh_candidates(self._handle, pointer("uint32_t *", given), items, capacity, self._n))
            n = self._n[0]
        out = empty("Q", n)
        if n:
            ffi.memmove(from_buffer(out), items, 8 * n)
        return out

    def find(self, signature: Any, k: int | None = None, similarity: Callable[[int], float] | None = None) -> list[Near]:
        """The items with at least the threshold, the most similar first, at most k. `similarity` says how similar an item is, for
        those who keep more than signatures; otherwise signatures are compared."""
        if k is not None and k < 1:
            raise ValueError(f"k: {k} is not positive")
        if similarity is not None:
            items = [int(item) for item in self.candidates(signature)]
            found = [near for near in (Near(item, similarity(item)) for item in items) if near.similarity >= self.threshold]
            return sorted(found, key=lambda near: (-near.similarity, near.item))[:k]
        given = _signature(signature, self.n_hashes, "signature")
        with self._guard:
            capacity = lib.lanewise_lsh_candidates_bound(self._handle)
            capacity = max(1, capacity if k is None else min(k, capacity))
            matches = room("lanewise_lsh_match", capacity)
            check(lib.lanewise_lsh_find(self._handle, pointer("uint32_t *", given), ffi.NULL, ffi.NULL, matches, capacity, self._n))
            return [Near(int(match.item), match.similarity) for match in matches[0 : self._n[0]]]

    def keep_first(self, signature: Any, similarity: Callable[[int], float] | None = None) -> Near | None:
        """The most similar item, if there is one with at least the threshold; else the signature is added, and None returned.

        So what is dropped is similar to something that stayed."""
        if similarity is not None:
            found = self.find(signature, 1, similarity)
            if found:
                return found[0]
            self.add(signature)
            return None
        given = _signature(signature, self.n_hashes, "signature")
        return self._keep_first(pointer("uint32_t *", given))

    def _keep_first(self, signature: Any) -> Near | None:
        with self._guard:
            check(lib.lanewise_lsh_keep_first(self._handle, signature, ffi.NULL, ffi.NULL, self._match))
            return Near(int(self._match.item), self._match.similarity) if self._match.similarity >= 0 else None


def near_duplicates(texts: Iterable[Text], threshold: float = 0.8, n_hashes: int = 128, width: int = 3, unit: str = "words") -> Any:
    """For each text the number of the kept one that it is similar to, or its own if it is kept (uint32).

    Texts are compared in their order, by signatures of MinHash of that many numbers, so `threshold` is met about. Texts without
    words are like no other. set_num_threads() lets several threads make signatures.
    """
    given = list(texts) if not isinstance(texts, (str, bytes)) else texts
    rows, lsh = MinHash(n_hashes, width=width, unit=unit).sign_many(given), LSH(n_hashes, threshold)
    to, first, kept, nothing = pointer("uint32_t *", rows), empty("I", len(given)), [], b"\xff" * (4 * n_hashes)
    for i in range(len(given)):
        first[i] = i
        if ffi.buffer(to + i * n_hashes, len(nothing))[:] == nothing:
            continue
        near = lsh._keep_first(to + i * n_hashes)
        if near is None:
            kept.append(i)
        else:
            first[i] = kept[near.item]
    return first
