#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes kernels/text/unicode_tables.h from Python's unicodedata.

The result is committed, so that the words of a text, and with them saved indexes, depend on the version of lanewise
alone and not on the Python that happened to build it.

    tools/gen_unicode.py            write the header
    tools/gen_unicode.py --check    exit 0 if the header is what would be written, 1 if not, 77 if this Python knows
                                    another version of Unicode than the one the header was made from

What is in the table of a code point: its class (is it part of a word, and of which kind; all but OTHER, MARK and
IGNORED are characters of the regular expression \\w) and its full case folding
(CaseFolding.txt, statuses C and F), as a difference to the folded code point or, if that is several, as UTF-8.
"""
import pathlib
import re
import sys
import unicodedata

HEADER = pathlib.Path(__file__).resolve().parent.parent / "kernels" / "text" / "unicode_tables.h"
BLOCK_BITS = 7
CODE_POINTS = 0x110000

CLASSES = ["OTHER", "LETTER", "KATAKANA", "SINGLE", "MARK", "IGNORED", "NUMBER", "SOUND_MARK"]
OTHER, LETTER, KATAKANA, SINGLE, MARK, IGNORED, NUMBER, SOUND_MARK = range(len(CLASSES))

# UAX #29 takes the half-width voiced sound marks, by category modifier letters, as marks.
HALF_WIDTH_SOUND_MARKS = (0xFF9E, 0xFF9F)
ZERO_WIDTH_SPACE = 0x200B
# Ideographs by category Lo or Nl, but for the unified and compatibility ones, which are known by name.
OTHER_IDEOGRAPHS = [0x3006, 0x3007, *range(0x3021, 0x302A), *range(0x3038, 0x303B)]
KATAKANA_NAMES = ("KATAKANA ", "KATAKANA-HIRAGANA ", "HALFWIDTH KATAKANA", "VERTICAL KANA ")
HIRAGANA_NAMES = ("HIRAGANA ", "HENTAIGANA ")


def class_of(code_point):
    character = chr(code_point)
    category = unicodedata.category(character)
    name = unicodedata.name(character, "")
    # Unicode keeps planes 2 and 3 for ideographs: those of later versions are words already.
    if 0x20000 <= code_point < 0x40000 and code_point & 0xFFFF < 0xFFFE:
        return SINGLE
    if code_point in HALF_WIDTH_SOUND_MARKS:
        return SOUND_MARK
    if category[0] == "M":
        return MARK
    if category == "Cf" and code_point != ZERO_WIDTH_SPACE:
        return IGNORED
    if category[0] not in "LN" and character != "_":
        return OTHER
    if name.startswith(("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH")) or code_point in OTHER_IDEOGRAPHS:
        return SINGLE
    if name.startswith(HIRAGANA_NAMES):
        return SINGLE
    if name.startswith(KATAKANA_NAMES):
        return KATAKANA
    return NUMBER if category[0] == "N" else LETTER


def rows(values, format_value, per_row):
    lines = []
    for i in range(0, len(values), per_row):
        lines.append("\t" + ", ".join(format_value(v) for v in values[i : i + per_row]) + ",")
    return "\n".join(lines)


def generate():
    expansions = []  # distinct UTF-8 strings
    records = {}  # (class, difference, expansion number or 0) -> number
    record_of = []
    for code_point in range(CODE_POINTS):
        kind = class_of(code_point)
        difference = expansion = 0
        if not 0xD800 <= code_point < 0xE000:
            folded = chr(code_point).casefold()
            if len(folded) == 1:
                difference = ord(folded) - code_point
            else:
                utf8 = folded.encode()
                if utf8 not in expansions:
                    expansions.append(utf8)
                expansion = expansions.index(utf8) + 1
            assert len(folded.encode()) <= 3 * len(chr(code_point).encode())
            assert folded.casefold() == folded
            # The ends of a text can be trimmed before it is folded or after.
            assert folded == chr(code_point) or not any(c.isspace() or c in ".,;:" for c in folded)
        key = (kind, difference, expansion)
        record_of.append(records.setdefault(key, len(records)))
    assert len(records) <= 256

    blocks = {}  # tuple of record numbers -> number
    block_of = []
    for start in range(0, CODE_POINTS, 1 << BLOCK_BITS):
        block = tuple(record_of[start : start + (1 << BLOCK_BITS)])
        block_of.append(blocks.setdefault(block, len(blocks)))
    assert len(blocks) <= 256

    longest = max(len(e) for e in expansions)
    pool = b"".join(expansions)
    starts = [sum(len(e) for e in expansions[:i]) for i in range(len(expansions) + 1)]
    assert len(pool) < 65536

    text = f"""\
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Written by tools/gen_unicode.py; do not edit. Which code points make words, and their full case foldings.
 *
 * Committed and not made by the build, so that a saved index does not depend on the Python that built the library.
 */
#ifndef LW_UNICODE_TABLES_H
#define LW_UNICODE_TABLES_H

#include <stdint.h>

/* clang-format off */
#define LW_UNICODE_VERSION "{unicodedata.unidata_version}"

enum {{
{chr(10).join(f"{chr(9)}LW_CHAR_{name} = {i}," for i, name in enumerate(CLASSES))}
}};

enum {{
	LW_UNICODE_BLOCK_BITS = {BLOCK_BITS},
	LW_UNICODE_MAX_EXPANSION = {longest} /* bytes of the longest folding in unicode_expansions */
}};

/* `expansion` 0: the folded code point is `difference` away; else its UTF-8 is expansion number `expansion` - 1. */
struct unicode_record {{
	int32_t difference;
	uint8_t kind, expansion;
}};

static const struct unicode_record unicode_records[{len(records)}] = {{
{rows(list(records), lambda r: f"{{ {r[1]}, {r[0]}, {r[2]} }}", 6)}
}};

static const uint16_t unicode_expansion_starts[{len(starts)}] = {{
{rows(starts, str, 20)}
}};

static const uint8_t unicode_expansions[{len(pool)}] = {{
{rows(list(pool), str, 24)}
}};

/* The block of records that the code points with equal upper bits share. */
static const uint8_t unicode_blocks[{len(block_of)}] = {{
{rows(block_of, str, 28)}
}};

static const uint8_t unicode_block_records[{len(blocks)}][1 << LW_UNICODE_BLOCK_BITS] = {{
{chr(10).join("{" + chr(10) + rows(list(b), str, 28) + chr(10) + "}," for b in blocks)}
}};
/* clang-format on */

#endif
"""
    return text


def main():
    if sys.argv[1:] == ["--check"]:
        committed = HEADER.read_text()
        version = re.search(r'LW_UNICODE_VERSION "([^"]*)"', committed).group(1)
        if version != unicodedata.unidata_version:
            print(f"the tables are Unicode {version}, this Python knows {unicodedata.unidata_version}: not compared")
            return 77
        if committed != generate():
            print(f"{HEADER} is not what {sys.argv[0]} writes")
            return 1
        return 0
    if sys.argv[1:]:
        print(__doc__)
        return 2
    HEADER.write_text(generate())
    return 0


if __name__ == "__main__":
    sys.exit(main())
