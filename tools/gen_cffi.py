#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the C source of the Python extension module lanewise._lanewise, by cffi, from the public headers.

    gen_cffi.py INCLUDE_DIRECTORY OUTPUT.c      what the build runs
    gen_cffi.py INCLUDE_DIRECTORY --cdef        prints the declarations that cffi is given

Every public header but parallel.h (a library of its own, which Python does without) is covered, so a new function is there by
itself.
"""
import pathlib
import re
import sys

LEFT_OUT = {"lanewise.h", "parallel.h"}


def constants_of(text):
    """The plain integers among a header's macros."""
    return dict(re.findall(r"^#define\s+(LANEWISE_\w+)\s+(\d+)\s*$", text, re.M))


def declarations(include):
    headers = sorted(path for path in (include / "lanewise").glob("*.h") if path.name not in LEFT_OUT)
    if not headers:
        sys.exit(f"gen_cffi.py: no headers in {include}/lanewise")
    texts = {path.name: re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S) for path in headers}
    order = []

    def visit(name):
        """A header after those that it includes."""
        if name in order or name not in texts:
            return
        for other in re.findall(r'#include "(\w+\.h)"', texts[name]):
            visit(other)
        order.append(name)

    for name in texts:
        visit(name)
    constants = {key: value for text in texts.values() for key, value in constants_of(text).items()}
    parts = [f"#define {name} {value}" for name, value in constants.items()]
    for name in order:
        text = re.sub(r'^extern "C" \{$|^\}$(?=\s*#endif)', "", texts[name], flags=re.M)
        text = re.sub(r"^#(.*\\\n)*.*$", "", text, flags=re.M).replace("LANEWISE_API", "")
        text = re.sub(r"\b(LANEWISE_\w+)(?=\])", lambda match: constants.get(match[1], match[1]), text)
        parts.append(re.sub(r"\n\s*\n+", "\n", text))
    return order, "\n".join(parts)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    order, cdef = declarations(pathlib.Path(sys.argv[1]))
    if sys.argv[2] == "--cdef":
        print(cdef)
        return

    import cffi

    builder = cffi.FFI()
    builder.cdef(cdef)
    builder.set_source("lanewise._lanewise", "".join(f"#include <lanewise/{name}>\n" for name in order))
    builder.emit_c_code(sys.argv[2])


if __name__ == "__main__":
    main()
