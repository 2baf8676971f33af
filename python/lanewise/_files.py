# SPDX-License-Identifier: Apache-2.0
"""Handles of the C library that live as long as their Python objects, and files of them (lanewise/file.h)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from ._library import check, ffi, lib, new_error, room, text_bytes

Same = TypeVar("Same")


def destroy_later(owner: object, handle: Any, destroy: Callable[[Any], None], *keep: Any) -> Any:
    """The handle, destroyed when nothing refers to it any more, and `keep` alive until then."""

    def destroyed(pointer: Any, keep: tuple[Any, ...] = keep) -> None:
        destroy(pointer)

    return ffi.gc(handle, destroyed)


def open_file(path: str | os.PathLike[str], verify: bool = True) -> Any:
    out, error = ffi.new("lanewise_file **"), new_error()
    check((lib.lanewise_file_open if verify else lib.lanewise_file_map)(os.fsencode(path), ffi.NULL, out, error), error)
    return ffi.gc(out[0], lib.lanewise_file_destroy)


def file_of_bytes(image: Any) -> Any:
    """The same of a file's bytes, which are copied to where they are aligned."""
    data = text_bytes(image, "image")
    memory, out, error = room("char", len(data) + 64), ffi.new("lanewise_file **"), new_error()
    aligned = memory + -int(ffi.cast("uintptr_t", memory)) % 64
    ffi.memmove(aligned, data, len(data))
    check(lib.lanewise_file_open_memory(aligned, len(data), ffi.NULL, out, error), error)
    return destroy_later(None, out[0], lib.lanewise_file_destroy, memory)


def bytes_of_file(handle: Any, write: Callable[[Any, Any, Any], int]) -> bytes:
    """The bytes of a file that write_file() would write."""
    with tempfile.TemporaryDirectory(prefix="lanewise-") as directory:
        path = os.path.join(directory, "image")
        write_file(path, handle, write)
        with open(path, "rb") as file:
            return file.read()


def write_file(path: str | os.PathLike[str], handle: Any, write: Callable[[Any, Any, Any], int]) -> None:
    out, error = ffi.new("lanewise_file_writer **"), new_error()
    check(lib.lanewise_file_writer_create(os.fsencode(path), ffi.NULL, out, error), error)
    try:
        check(write(handle, out[0], error), error)
        check(lib.lanewise_file_writer_commit(out[0], error), error)
    finally:
        lib.lanewise_file_writer_destroy(out[0])


class Immutable:
    """What never changes is its own copy."""

    def __copy__(self: Same) -> Same:
        return self

    def __deepcopy__(self: Same, memo: dict[int, Any]) -> Same:
        return self


class Uncopyable:
    """Something of which only itself may go on: what copy and pickle are told."""

    _advice = "it is a stream under way"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be copied or pickled: {self._advice}")
