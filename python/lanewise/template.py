# SPDX-License-Identifier: Apache-2.0
"""Texts with {name} in them, prompts say: read once, filled in many times (lanewise/template.h)."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from ._files import Immutable
from ._library import SIZE_MAX, check, ffi, lib, new_error, text_bytes

MISSING = ("error", "keep", "whole")


class Template(Immutable):
    """A text with {name} in it. Immutable; threads may share it.

        Template("Answer {question} by {context}.").render(question=question, context=context)

    Doubled braces stand for one, and any other brace is a DataError, as are the formats, attributes and positions that str.format
    knows. With `literal`, whatever is no {name} is text: JSON can stand in a prompt as it is. Values are put in as they are;
    a {name} in them stays. What is no str becomes what format() makes of it.

    A name without a value is a KeyError, stays as it is (`missing="keep"`), or leaves the whole text as it is
    (`missing="whole"`).
    """

    __slots__ = ("text", "names", "_literal", "_missing", "_fields", "_parts", "_values")

    def __init__(self, text: str, *, literal: bool = False, missing: str = "error") -> None:
        if not isinstance(text, str):
            raise TypeError(f"text: a str is needed, not {type(text).__name__}")
        if missing not in MISSING:
            raise ValueError(f"missing: {missing!r} is none of {', '.join(MISSING)}")
        data, out, error = text_bytes(text), ffi.new("lanewise_template **"), new_error()
        check(lib.lanewise_template_create(ffi.from_buffer(data), len(data), lib.LANEWISE_TEMPLATE_LITERAL * bool(literal), ffi.NULL,
                                           out, error), error)
        created = ffi.gc(out[0], lib.lanewise_template_destroy)
        self.text, self._literal, self._missing = text, bool(literal), missing
        self.names = tuple(_name(created, i) for i in range(lib.lanewise_template_n_names(created)))
        field, fields = ffi.new("lanewise_template_field *"), []
        self._parts: list[str] = []
        for i in range(lib.lanewise_template_n_fields(created)):
            lib.lanewise_template_get_field(created, i, field)
            self._parts.append(bytes(ffi.buffer(field.text, field.n_bytes)).decode())
            if field.number != SIZE_MAX:
                fields.append(self.names[field.number])
                self._parts.append("")
        self._fields = tuple(fields)
        # The values of all fields in one call; a single one comes without a tuple, so it is asked for twice.
        self._values: Any = itemgetter(*(fields if len(fields) > 1 else fields * 2)) if fields else None

    def render(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> str:
        """The text with values[name], or name=value, for each name."""
        given = values if not more else more if values is None else {**values, **more}
        if self._values is None:
            return self._parts[0]
        if given is None:
            given = {}
        parts = self._parts.copy()
        try:
            parts[1::2] = self._values(given)[: len(self._fields)]
            return "".join(parts)
        except (KeyError, TypeError):
            return self._render_slowly(given)

    def _render_slowly(self, given: Mapping[str, Any]) -> str:
        """Where a value lacks or is no str."""
        parts = self._parts.copy()
        for i, name in enumerate(self._fields):
            try:
                value = given[name]
            except KeyError:
                if self._missing == "error":
                    raise
                if self._missing == "whole":
                    return self.text
                value = "{" + name + "}"
            parts[2 * i + 1] = value if isinstance(value, str) else format(value)
        return "".join(parts)

    def __repr__(self) -> str:
        return f"lanewise.Template({self.text!r}{', literal=True' if self._literal else ''})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _template, (self.text, self._literal, self._missing)


def _name(created: Any, i: int) -> str:
    n = ffi.new("size_t *")
    name = lib.lanewise_template_name(created, i, n)
    return bytes(ffi.buffer(name, n[0])).decode()


def _template(text: str, literal: bool, missing: str) -> Template:
    return Template(text, literal=literal, missing=missing)
