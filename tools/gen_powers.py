#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes kernels/json/powers_of_five.h: the first 128 bits of 5^q. With --check, tells whether the file is up to date."""
import pathlib
import sys

FIRST, LAST_EXACT, LAST = -342, 55, 324
PATH = pathlib.Path(__file__).resolve().parent.parent / "kernels" / "json" / "powers_of_five.h"


def power(q):
    """(m, e) with m * 2^e <= 5^q < (m + 1) * 2^e and 2^127 <= m < 2^128."""
    if q >= 0:
        value = 5**q
        e = value.bit_length() - 128
        return (value >> e if e >= 0 else value << -e), e
    divisor = 5**-q
    e = -(divisor.bit_length() + 127)
    m = (1 << -e) // divisor
    return (m, e) if m >> 127 else ((1 << -(e - 1)) // divisor, e - 1)


def render():
    lines = [
        "/* SPDX-License-Identifier: Apache-2.0 */",
        "/* Made by tools/gen_powers.py: the first 128 bits, high and low half, of 5^q, rounded down. */",
        "#ifndef LW_POWERS_OF_FIVE_H",
        "#define LW_POWERS_OF_FIVE_H",
        "",
        "#include <stdint.h>",
        "",
        f"enum {{ LW_FIRST_POWER = {FIRST}, LW_LAST_EXACT_POWER = {LAST_EXACT}, LW_LAST_POWER = {LAST} }};",
        "",
        "static const uint64_t lw_powers_of_five[LW_LAST_POWER - LW_FIRST_POWER + 1][2] = {",
    ]
    for q in range(FIRST, LAST + 1):
        m, e = power(q)
        assert 128 > m.bit_length() - 1 == 127
        # What the C code supposes about exponents, and which powers are exact.
        assert e == ((152170 * q) >> 16) - 127, q
        assert (q >= 0 and (m << e == 5**q if e >= 0 else m == 5**q << -e)) == (0 <= q <= LAST_EXACT), q
        lines.append(f"\t{{ 0x{m >> 64:016x}, 0x{m & (2**64 - 1):016x} }}, /* {q} */")
    return "\n".join(lines + ["};", "", "#endif", ""])


def main():
    if sys.argv[1:] == ["--check"]:
        return 0 if PATH.read_text() == render() else 1
    PATH.write_text(render())
    return 0


if __name__ == "__main__":
    sys.exit(main())
