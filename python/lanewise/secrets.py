# SPDX-License-Identifier: Apache-2.0
"""Access keys, tokens, passwords and private keys found in text, and masked (lanewise/secrets.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

from ._files import Immutable, destroy_later
from ._library import CodePoints, Scratch, UndecidedError, check, ffi, lib, new_error, room, text_bytes
from .text import Text

T = TypeVar("T", str, bytes)

_BATCH = 256
_SECRET = struct.Struct("=4Q2I")


class Rule(NamedTuple):
    """What is looked for: the name of a rule, and what it finds in words, or ""."""

    name: str
    about: str


class Secret(NamedTuple):
    """A secret [begin, end) within all that its rule matched, and where it begins: lines and columns count from 1.

    Offsets and columns are code points of a str and bytes of anything else."""

    rule: str
    begin: int
    end: int
    match_begin: int
    match_end: int
    line: int
    column: int


def _decided(status: int, result: Any) -> Any:
    """The result, if there is one and nothing is missing in it."""
    if status == lib.LANEWISE_ERROR_TOO_LARGE:
        raise UndecidedError(result)
    check(status)
    return result


def shannon_entropy(data: Text) -> float:
    """Bits a byte: 0 for equal bytes, at most 8."""
    given = text_bytes(data, "data")
    return float(lib.lanewise_shannon_entropy(ffi.from_buffer(given), len(given)))


class SecretScanner(Immutable):
    """Looks for secrets by all rules at once. Immutable; threads may share it.

    `rules` is a text in the language of lanewise/secrets.h; without one, the built-in rules for some eighty kinds of secrets
    are used, and `with_builtin` puts these behind those that are given. `optional` takes the rules marked so too, which
    find more and err more. Rules with regular expressions need PCRE2, without which they raise NotImplementedError; where
    an expression cannot decide within its limits whether there is a secret, the methods raise UndecidedError, with what they
    have found.
    """

    def __init__(self, rules: Text | None = None, with_builtin: bool = False, optional: bool = False) -> None:
        self._rules = None if rules is None else bytes(text_bytes(rules, "rules"))
        self._options = (bool(with_builtin), bool(optional))
        options = ffi.new("lanewise_secrets_options *", {
            "struct_size": ffi.sizeof("lanewise_secrets_options"), "with_builtin": with_builtin, "optional": optional,
            "regex": lib.lanewise_regex_pcre2()})
        out, error = ffi.new("lanewise_secrets **"), new_error()
        given = ffi.NULL if self._rules is None else ffi.from_buffer(self._rules)
        check(lib.lanewise_secrets_create(given, len(self._rules or b""), options, ffi.NULL, out, error), error)
        self._handle = destroy_later(self, out[0], lib.lanewise_secrets_destroy)
        self._scratch = Scratch(lib.lanewise_secrets_scratch_size(self._handle))
        self._names = [ffi.string(lib.lanewise_secrets_rule_name(self._handle, i)).decode("utf-8", "replace")
                       for i in range(lib.lanewise_secrets_n_rules(self._handle))]

    def __reduce__(self) -> tuple[Any, ...]:
        return SecretScanner, (self._rules, *self._options)

    @property
    def rules(self) -> list[Rule]:
        """The rules, in the order in which they go before each other."""
        abouts = (ffi.string(lib.lanewise_secrets_rule_about(self._handle, i)) for i in range(len(self._names)))
        return [Rule(name, about.decode("utf-8", "replace")) for name, about in zip(self._names, abouts)]

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<lanewise.SecretScanner with {len(self)} rules>"

    def scan(self, text: Text) -> list[Secret]:
        """The secrets in a text, in its order; no two overlap."""
        data, memory = text_bytes(text), self._scratch.take()
        buffer = ffi.from_buffer(data)
        search = lib.lanewise_secrets_begin(self._handle, buffer, len(data), memory)
        secrets = list(self._found(search, text, data, buffer))
        undecided = lib.lanewise_secrets_n_undecided(search)
        self._scratch.give(memory)
        if undecided:
            raise UndecidedError(secrets)
        return secrets

    def _found(self, search: Any, text: Text, data: Any, buffer: Any) -> Iterator[Secret]:
        found = room("lanewise_secret", _BATCH)
        if not (n := lib.lanewise_secrets_next(search, found, _BATCH)):
            return
        offset_of, place = CodePoints(text, data), ffi.new("lanewise_place *")
        line, column_0 = 0, 0
        while n:
            for begin, end, match_begin, match_end, rule, _ in _SECRET.iter_unpack(ffi.buffer(found, n * _SECRET.size)):
                lib.lanewise_place_move(place, buffer, len(data), begin)
                if place.line != line:
                    line, column_0 = place.line, offset_of(place.line_begin) - 1
                match_begin = offset_of(match_begin)
                begin = offset_of(begin)
                yield Secret(self._names[rule], begin, offset_of(end), match_begin, offset_of(match_end), line, begin - column_0)
            n = lib.lanewise_secrets_next(search, found, _BATCH)

    def any(self, text: Text) -> bool:
        """Whether there is a secret; reads hardly further than to the first."""
        data, found, memory = text_bytes(text), ffi.new("int32_t *"), self._scratch.take()
        status = lib.lanewise_secrets_any(self._handle, ffi.from_buffer(data), len(data), memory, found)
        self._scratch.give(memory)
        return bool(_decided(status, bool(found[0])))

    def types(self, text: Text) -> list[str]:
        """The names of the rules that find something, in the rules' order."""
        data, memory = text_bytes(text), self._scratch.take()
        bits = ffi.new("uint64_t[]", (len(self) + 63) // 64)
        status = lib.lanewise_secrets_types(self._handle, ffi.from_buffer(data), len(data), memory, bits, ffi.NULL)
        self._scratch.give(memory)
        names: list[str] = _decided(status, [name for i, name in enumerate(self._names) if bits[i // 64] >> (i % 64) & 1])
        return names

    def mask(self, text: T, fill: str = "*", keep_first: int = 0, keep_last: int = 0) -> T:
        """The text with every byte of every secret, also of those that overlap others, replaced by `fill`, a character of ASCII.

        So many bytes at a secret's ends are left if it has at least twice as many in all."""
        if len(fill) != 1 or not "\0" < fill < "\x80":
            raise ValueError(f"fill: {fill!r} is no single character of ASCII")
        if keep_first < 0 or keep_last < 0:
            raise ValueError("keep_first or keep_last is negative")
        return self._masked(text, {"byte": ord(fill), "keep_first": keep_first, "keep_last": keep_last})

    def redact(self, text: T) -> T:
        """The text with [REDACTED:name of the rule] in place of every secret."""
        return self._masked(text, {"replace": 1})

    def _masked(self, text: T, changed: dict[str, int]) -> T:
        data = text_bytes(text)
        options = ffi.new("lanewise_mask_options *", {"struct_size": ffi.sizeof("lanewise_mask_options"), **changed})
        n_out, n_masked, buffer, memory = ffi.new("size_t *"), ffi.new("uint64_t *"), ffi.from_buffer(data), self._scratch.take()
        capacity = len(data) + (4096 if "replace" in changed else 0)
        while True:
            out = room("char", capacity)
            status = lib.lanewise_secrets_mask(self._handle, options, buffer, len(data), memory, out, capacity, n_out, n_masked)
            if status != lib.LANEWISE_ERROR_CAPACITY:
                break
            capacity = n_out[0]
        self._scratch.give(memory)
        if isinstance(text, str):
            masked: T = _decided(status, bytes(ffi.buffer(out, n_out[0])).decode() if n_masked[0] else text)
        else:
            masked = _decided(status, bytes(ffi.buffer(out, n_out[0])))
        return masked

    @staticmethod
    def builtin_rules() -> str:
        """The text of the built-in rules."""
        n = ffi.new("size_t *")
        rules = lib.lanewise_secrets_builtin_rules(n)
        return bytes(ffi.buffer(rules, n[0])).decode()

    @staticmethod
    def check_examples(rules: Text | None = None) -> int:
        """Tries the examples in rules, or in the built-in ones, and returns their number; DataError if one is not what it says."""
        data, n, error = None if rules is None else text_bytes(rules, "rules"), ffi.new("size_t *"), new_error()
        given = ffi.NULL if data is None else ffi.from_buffer(data)
        check(lib.lanewise_secrets_check_examples(
            given, 0 if data is None else len(data), lib.lanewise_regex_pcre2(), ffi.NULL, n, error), error)
        return int(n[0])
