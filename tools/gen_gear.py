#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes kernels/chunk/gear_table.h, the gear table of FastCDC. With --check, tells whether the file is up to date.

The table is defined by digests, not by a list: entry i is the first 8 bytes, as a big-endian number, of the MD5 digest
of 64 bytes that are all i.
"""
import hashlib
import pathlib
import sys

PATH = pathlib.Path(__file__).resolve().parent.parent / "kernels" / "chunk" / "gear_table.h"


def entry(i):
    return hashlib.md5(bytes([i]) * 64, usedforsecurity=False).hexdigest()[:16]


def render():
    lines = [
        "/* SPDX-License-Identifier: Apache-2.0 */",
        "/* Made by tools/gen_gear.py: FastCDC's gear table, from MD5 digests. */",
        "#ifndef LW_GEAR_TABLE_H",
        "#define LW_GEAR_TABLE_H",
        "",
        "#include <stdint.h>",
        "",
        "static const uint64_t lw_gear[256] = {",
    ]
    for i in range(0, 256, 5):
        lines.append("\t" + " ".join(f"0x{entry(k)}," for k in range(i, min(i + 5, 256))))
    return "\n".join(lines + ["};", "", "#endif", ""])


def main():
    if sys.argv[1:] == ["--check"]:
        return 0 if PATH.read_text() == render() else 1
    PATH.write_text(render())
    return 0


if __name__ == "__main__":
    sys.exit(main())
