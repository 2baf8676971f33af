# SPDX-License-Identifier: Apache-2.0
"""Helpers of Hush: order of traces, times in nanoseconds, base64, the check for Chinese, clean-up of a model's JSON.

Otherwise than upstream:
  - datetime_to_ns is exact; upstream's rounding to double, up to 240 ns off, is `float_rounding`. Times without an offset are
    local, as upstream has it; `naive` says how many minutes ahead of UTC they are instead;
  - order_spans does not recurse, so traces may be of any depth;
  - strip_fence drops the last line only if it is a fence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from .. import json as _json
from ..codec import b64decode, b64encode, parse_timestamp
from ..graph import NONE, parent_order

__all__ = ["contains_chinese", "data_url", "datetime_to_ns", "decode_base64", "encode_base64", "order_spans", "parse_json",
           "strip_fence"]

_OFFSET = re.compile(r"(?:Z|z|[+-]\d\d(?::?\d\d)?)$")
_CHINESE = re.compile("[\u4e00-\u9fff]")


def datetime_to_ns(text: str, naive: int | None = None, float_rounding: bool = False) -> int:
    """Nanoseconds since 1970 of an ISO 8601 text."""
    if naive is not None:
        return parse_timestamp(text, naive_offset_minutes=naive, float_rounding=float_rounding)
    if _OFFSET.search(text, 10):
        return parse_timestamp(text, float_rounding=float_rounding)
    exact = parse_timestamp(text)
    local = datetime.fromtimestamp(exact // 10**9, timezone.utc).replace(tzinfo=None).astimezone()
    offset = local.utcoffset()
    seconds = 0 if offset is None else int(offset.total_seconds())
    if float_rounding:
        return int((local.timestamp() + exact % 10**9 // 1000 / 1e6) * 1_000_000_000)
    return exact - seconds * 10**9


def encode_base64(data: bytes | bytearray | memoryview) -> str:
    """base64.b64encode(data).decode()."""
    return b64encode(data)


def decode_base64(text: str | bytes) -> bytes:
    """base64.b64decode(text), which passes over what is not of the alphabet."""
    return b64decode(text, mode="lax")


def data_url(data: bytes | bytearray | memoryview, mime: str) -> str:
    """data:{mime};base64,..."""
    return f"data:{mime};base64,{b64encode(data)}"


def contains_chinese(content: str | Sequence[Mapping[str, Any]]) -> bool:
    """Whether a character of U+4E00 to U+9FFF is in a text, or in the texts of a message's parts."""
    if isinstance(content, str):
        return not content.isascii() and _CHINESE.search(content) is not None
    return any(contains_chinese(part.get("text") or "") for part in content if part.get("type") == "text")


def _key(node: str, context: str | None) -> str:
    return f"{node}:{context}" if context else node


def order_spans(rows: Sequence[Mapping[str, Any]], node: str = "node", context: str = "ctx", parent: str = "parent") -> list[Any]:
    """The rows with parents before their children and otherwise in order; of several rows of one node and context the first.

    A parent is the row of that node in the row's context, or, if there is none, without context. Cycles are cut.
    """
    numbers: dict[str, int] = {}
    keys = [numbers.setdefault(_key(row[node], row.get(context)), len(numbers)) for row in rows]
    parents = []
    for row in rows:
        name = row.get(parent)
        number = None if name is None else numbers.get(_key(name, row.get(context)))
        if number is None and name is not None:
            number = numbers.get(name)
        parents.append(NONE if number is None else number)
    return [rows[int(number)] for number in parent_order(parents, keys)]


def strip_fence(text: str) -> str:
    """What is inside a code fence (```) that the text begins with; else the text, stripped."""
    stripped = text.strip()
    lines = stripped.split("\n")
    if not stripped.startswith("```") or len(lines) < 3:
        return stripped
    return "\n".join(lines[1:-1] if lines[-1].strip() == "```" else lines[1:])


def parse_json(text: str, repair: bool = True) -> Any:
    """The value of a model's JSON, from within a fence or not; what is no JSON is repaired unless `repair` is off."""
    return _json.loads(strip_fence(text), repair=repair)
