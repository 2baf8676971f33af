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
enum {
	LW_FOLD_FIRST_LEAD = 225, /* of three or four bytes, if they may fold */
	LW_FOLD_LAST_LEAD = 240,
	LW_FOLD_EVEN_LEAD = 225,
	LW_FOLD_EVEN_SECOND = 184,
	LW_FOLD_EVEN_LAST = 187,
	LW_FOLD_ODD_SECOND = 186,
	LW_FOLD_ODD_THIRD = 150,
	LW_FOLD_ODD_LAST = 158
};

static const uint8_t fold_classes[32] = {
	0, 0, 1, 3, 4, 6, 12, 13, 13, 13, 0, 0, 0, 13, 11, 7, 8, 2, 10, 10, 5, 13, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

static const uint8_t fold_rows[64] = {
	0, 0, 0, 1, 3, 3, 5, 10, 11, 14, 15, 15, 15, 15, 0, 0, 0, 0, 0, 2, 3, 3, 3, 15, 1, 0, 3, 7, 15, 15, 0, 0,
	0, 0, 3, 0, 3, 3, 3, 3, 12, 0, 3, 8, 6, 15, 0, 0, 0, 14, 3, 0, 4, 13, 4, 15, 0, 0, 3, 9, 14, 15, 0, 0,
};

static const uint8_t fold_first[16] = {
	0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0,
};

static const uint8_t fold_second[16] = {
	0, 32, 32, 1, 1, 1, 1, 32, 224, 0, 1, 16, 224, 240, 1, 0,
};

static const uint8_t fold_which[32] = {
	0, 255, 127, 85, 84, 170, 149, 254, 251, 0, 4, 255, 255, 254, 0, 0, 0, 255, 127, 85, 42, 84, 144, 255, 15, 0, 0, 255, 255, 255, 0, 0,
};

static const uint8_t fold_odd[32] = {
	0, 0, 0, 0, 1, 0, 64, 1, 0, 1, 0, 0, 0, 0, 174, 255, 0, 0, 128, 0, 129, 2, 66, 0, 0, 0, 128, 0, 0, 0, 17, 255,
};

static const uint8_t fold_leads[32] = {
	0, 3, 132, 0, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 0, 64, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

static const uint8_t fold_upper[16] = {
	0, 0, 0, 0, 0, 0, 0, 0, 5, 168, 80, 194, 0, 0, 0, 0,
};

static const uint8_t fold_lower[16] = {
	160, 160, 131, 129, 4, 4, 36, 0, 0, 8, 8, 0, 74, 26, 58, 11,
};
/* clang-format on */

#endif
