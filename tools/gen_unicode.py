#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes kernels/text/unicode_tables.h and fold_tables.h from Python's unicodedata.

The result is committed, so that the words of a text, and with them saved indexes, depend on the version of lanewise
alone and not on the Python that happened to build it.

    tools/gen_unicode.py            write the headers
    tools/gen_unicode.py --check    exit 0 if the headers are what would be written, 1 if not, 77 if this Python knows
                                    another version of Unicode than the one the headers were made from

What is in the table of a code point: its class (is it part of a word, and of which kind; all but OTHER, MARK and
IGNORED are characters of the regular expression \\w) and its full case folding
(CaseFolding.txt, statuses C and F), as a difference to the folded code point or, if that is several, as UTF-8.

fold_tables.h has the same foldings as vectors look them up; what it says there is how.
"""
import pathlib
import re
import sys
import unicodedata

DIRECTORY = pathlib.Path(__file__).resolve().parent.parent / "kernels" / "text"
HEADER = DIRECTORY / "unicode_tables.h"
FOLD_HEADER = DIRECTORY / "fold_tables.h"
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


# Sixteens of characters of two bytes, by lead byte and the upper bits of the second one: those of a list fold alike, and what
# few do not, or not in all sixteens of the list, are looked up one by one. Sixteens in no list are looked up one by one if
# they fold at all, so these lists are of the scripts in use.
SIXTEENS = [
    [(0xC3, 0), (0xD0, 1)],
    [(0xC3, 1)],
    [(0xC4, 0), (0xC4, 1), (0xC4, 2), (0xC5, 1), (0xC5, 2), (0xCF, 2), (0xD1, 2), (0xD1, 3), (0xD2, 1), (0xD2, 2)]
    + [(0xD2, 3), (0xD3, 1), (0xD3, 2), (0xD3, 3), (0xD4, 0), (0xD4, 1), (0xD4, 2)],
    [(0xC4, 3), (0xC5, 3)],
    [(0xC5, 0)],
    [(0xC6, 2)],
    [(0xCE, 1)],
    [(0xCE, 2)],
    [(0xCE, 3)],
    [(0xCF, 0)],
    [(0xD0, 0)],
    [(0xD0, 2)],
    [(0xD4, 3)],
    [(0xC2, 3), (0xC6, 3), (0xD6, 0)],
]
# Characters of three bytes, by the first two, of which even ones fold to the next, but for a few.
EVEN_LEAD, EVEN_SECONDS = 0xE1, range(0xB8, 0xBC)


def folded_bytes(code_point):
    if 0xD800 <= code_point < 0xE000:
        return None
    return chr(code_point).casefold().encode()


def fold_of_pair(lead, second):
    """What is added to both bytes, None if that is nothing, or a string if it is no matter of adding."""
    code_point = (lead & 0x1F) << 6 | second & 0x3F
    folded = folded_bytes(code_point)
    if code_point < 0x80 or folded == chr(code_point).encode():
        return None
    if len(folded) != 2 or folded[0] - lead not in (0, 1):
        return "odd"
    return folded[0] - lead, (folded[1] - second) % 256


def row_of(sixteens):
    """(added to the first byte, to the second, which of the sixteen, which are looked up one by one)"""
    folds = [[fold_of_pair(lead, 0x80 + 16 * group + i) for i in range(16)] for lead, group in sixteens]
    regular = [fold for some in folds for fold in some if isinstance(fold, tuple)]
    usual = max(sorted(set(regular)), key=regular.count) if regular else (0, 0)
    which = sum(all(some[i] == usual for some in folds) << i for i in range(16))
    odd = sum(any(some[i] is not None for some in folds) << i for i in range(16)) & ~which
    return *usual, which, odd


def pair_tables():
    rows = [(0, 0, 0, 0)] + [row_of(sixteens) for sixteens in SIXTEENS] + [(0, 0, 0, 0xFFFF)]
    assert len(rows) == 16
    row_of_sixteen = {sixteen: i + 1 for i, sixteens in enumerate(SIXTEENS) for sixteen in sixteens}
    by_lead = {}
    for lead in range(0xC2, 0xE0):
        numbers = []
        for group in range(4):
            folds = any(fold_of_pair(lead, 0x80 + 16 * group + i) for i in range(16))
            numbers.append(row_of_sixteen.get((lead, group), 15 if folds else 0))
        by_lead[lead] = tuple(numbers)
    # Rare leads share a class: what folds nothing there is looked up in vain.
    rare = [lead for lead in by_lead if 15 in by_lead[lead] and not any(0 < number < 15 for number in by_lead[lead])]
    for lead in rare:
        by_lead[lead] = (15, 15, 15, 15)
    classes = [(0, 0, 0, 0)] + sorted(set(by_lead.values()) - {(0, 0, 0, 0)})
    assert len(classes) <= 16, len(classes)
    class_of_lead = [classes.index(by_lead.get(lead, classes[0])) for lead in range(0xC0, 0xE0)]
    places = [classes[i % 16][i // 16] if i % 16 < len(classes) else 0 for i in range(64)]
    return class_of_lead, places, rows


def is_regular_even(second, third):
    code_point = (EVEN_LEAD & 15) << 12 | (second & 63) << 6 | third & 63
    return folded_bytes(code_point) == chr(code_point + (third % 2 == 0)).encode()


def rectangles():
    """Where characters of three and four bytes fold, as at most 8 triples (leads, upper, lower halves of second bytes)."""
    parts = {}
    for code_point in range(0x800, CODE_POINTS):
        folded = folded_bytes(code_point)
        if folded is None or folded == chr(code_point).encode():
            continue
        lead, second = chr(code_point).encode()[:2]
        if lead != EVEN_LEAD or second not in EVEN_SECONDS:
            parts.setdefault((lead, second >> 4), set()).add(second & 15)
    found = [({lead}, {upper}, lower) for (lead, upper), lower in sorted(parts.items())]
    cells = lambda r: len(r[0]) * len(r[1]) * len(r[2])
    join = lambda a, b: tuple(x | y for x, y in zip(a, b))
    while len(found) > 8:
        pairs = [(a, b) for i, a in enumerate(found) for b in found[i + 1 :]]
        a, b = min(pairs, key=lambda pair: cells(join(*pair)) - cells(pair[0]) - cells(pair[1]))
        found = [r for r in found if r not in (a, b)] + [join(a, b)]
    return found


def bits_table(sets, indices):
    return [sum((i in s) << bit for bit, s in enumerate(sets)) for i in indices]


def generate_folds():
    class_of_lead, places, pair_rows = pair_tables()
    odd_thirds = {s: [t for t in range(0x80, 0xC0) if not is_regular_even(s, t)] for s in EVEN_SECONDS}
    odd_second = [s for s in EVEN_SECONDS if odd_thirds[s]]
    assert len(odd_second) == 1
    odd_thirds = odd_thirds[odd_second[0]]
    found = rectangles()
    leads = [lead for r in found for lead in r[0]]

    def table(name, values):
        return f"static const uint8_t {name}[{len(values)}] = {{\n{rows(values, str, 32)}\n}};"

    return f"""\
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Written by tools/gen_unicode.py; do not edit. Full case folding of UTF-8 as vectors look it up (casefold_simd.c).
 *
 * Two bytes: the lead byte has a class, and that with bits 4 and 5 of the second byte a row, which stands for sixteen
 * characters. In a row, of those whose bits are set in fold_which (the lower eight, and 16 places on the upper eight),
 * fold_first is added to the first byte and fold_second to the second; those in fold_odd are to be looked up elsewhere,
 * though some may fold to nothing else.
 *
 * Three bytes, LW_FOLD_EVEN_LEAD and then LW_FOLD_EVEN_SECOND ... LW_FOLD_EVEN_LAST: even ones fold to the next. What has
 * LW_FOLD_ODD_SECOND and then LW_FOLD_ODD_THIRD ... LW_FOLD_ODD_LAST is to be looked up elsewhere.
 *
 * Other characters of three or four bytes may fold only if a bit is set in all of fold_leads (from 0xe0 on), fold_upper
 * and fold_lower (by the halves of the second byte).
 */
#ifndef LW_FOLD_TABLES_H
#define LW_FOLD_TABLES_H

#include <stdint.h>

/* clang-format off */
enum {{
	LW_FOLD_FIRST_LEAD = {min(leads + [EVEN_LEAD])}, /* of three or four bytes, if they may fold */
	LW_FOLD_LAST_LEAD = {max(leads + [EVEN_LEAD])},
	LW_FOLD_EVEN_LEAD = {EVEN_LEAD},
	LW_FOLD_EVEN_SECOND = {EVEN_SECONDS[0]},
	LW_FOLD_EVEN_LAST = {EVEN_SECONDS[-1]},
	LW_FOLD_ODD_SECOND = {odd_second[0]},
	LW_FOLD_ODD_THIRD = {min(odd_thirds)},
	LW_FOLD_ODD_LAST = {max(odd_thirds)}
}};

{table("fold_classes", class_of_lead)}

{table("fold_rows", places)}

{table("fold_first", [row[0] for row in pair_rows])}

{table("fold_second", [row[1] for row in pair_rows])}

{table("fold_which", [row[2] & 255 for row in pair_rows] + [row[2] >> 8 for row in pair_rows])}

{table("fold_odd", [row[3] & 255 for row in pair_rows] + [row[3] >> 8 for row in pair_rows])}

{table("fold_leads", bits_table([r[0] for r in found], range(0xE0, 0x100)))}

{table("fold_upper", bits_table([r[1] for r in found], range(16)))}

{table("fold_lower", bits_table([r[2] for r in found], range(16)))}
/* clang-format on */

#endif
"""


def main():
    if sys.argv[1:] == ["--check"]:
        committed = HEADER.read_text()
        version = re.search(r'LW_UNICODE_VERSION "([^"]*)"', committed).group(1)
        if version != unicodedata.unidata_version:
            print(f"the tables are Unicode {version}, this Python knows {unicodedata.unidata_version}: not compared")
            return 77
        for header, text in ((HEADER, generate()), (FOLD_HEADER, generate_folds())):
            if header.read_text() != text:
                print(f"{header} is not what {sys.argv[0]} writes")
                return 1
        return 0
    if sys.argv[1:]:
        print(__doc__)
        return 2
    HEADER.write_text(generate())
    FOLD_HEADER.write_text(generate_folds())
    return 0


if __name__ == "__main__":
    sys.exit(main())
