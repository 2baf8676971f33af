/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel secret_candidates looks for: the few places of a text where an anchor may stand.
 *
 * An anchor is found in one of two ways:
 *
 *   by its run     where a word begins that LW_SECRET_RUN_BYTES bytes from LW_SECRET_RUN_LEAST on follow from, which are
 *                  letters, digits and most signs, but no space, quotation mark, bracket or comma. Prose has hardly any
 *                  such runs. They are looked for by quads, the text's four bytes from 0, 4, 8 ... on: of a run,
 *                  LW_SECRET_RUN_QUADS are whole, wherever it begins. Where one begins, what stands there is compared with
 *                  windows too, those of the anchors that are found by it.
 *   by its window  four bytes of it, or three, which several anchors may share: the lower halves of the bytes, and the
 *                  upper half of one of them, give the groups of windows that may stand at a place; so do their lower six
 *                  bits, by other groups. CPUs look up what they are fast at, and for the few that are left the other.
 *
 * Of the places that are found so, those are candidates whose first three or four bytes, folded, have a bit in a table.
 * Case is folded by one bit, which is more than letters; it is only a filter.
 */
#ifndef LW_SECRETS_FILTER_H
#define LW_SECRETS_FILTER_H

#include "common.h"

enum {
	LW_SECRET_RUN_QUADS = 6,
	LW_SECRET_RUN_BYTES = 4 * LW_SECRET_RUN_QUADS + 3,
	LW_SECRET_RUN_LEAST = 0x2d,
	LW_SECRET_PLACES = 4,       /* of a window */
	LW_SECRET_SHARP = 2,        /* the place whose upper half counts too */
	LW_SECRET_CLASSES = 64,     /* of bytes: those with the same lower six bits */
	LW_SECRET_AHEAD = 64,       /* bytes that can be read behind the last position */
	LW_SECRET_KEY_BITS = 14,    /* of the tables */
	LW_SECRET_POSITIONS = 16384 /* at a time */
};

#define LW_SECRET_KEY_FACTOR 0x9e3779b1u
#define LW_SECRET_FOLD       0x20202020u /* set in four bytes */

/*
 * The groups of windows that may have byte b at place j are low[j][b & 15], but none at places before the last if b is no
 * ASCII; at LW_SECRET_SHARP, only those in high[b >> 4].
 */
struct lw_secret_windows {
	_Alignas(16) uint8_t low[LW_SECRET_PLACES][16], high[16];
};

struct lw_secret_filter {
	struct lw_secret_windows windows, runs; /* anywhere, and where runs begin */
	/* The groups of windows anywhere that may have, at place j, a byte whose lower six bits are c: classes[j][c]. */
	uint8_t classes[LW_SECRET_PLACES][LW_SECRET_CLASSES];
	uint64_t wide[(1 << LW_SECRET_KEY_BITS) / 64], narrow[(1 << LW_SECRET_KEY_BITS) / 64];
};

/* Words are of bytes with low[b & 15] & high[b >> 4] other than 0, and ASCII. */
static const uint8_t lw_secret_word_low[16] = { 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 2, 2, 2, 2, 10 };
static const uint8_t lw_secret_word_high[16] = { 0, 0, 0, 1, 2, 12, 2, 4 };

LW_INLINE int lw_secret_is_word(uint8_t byte)
{
	return (lw_secret_word_low[byte & 15] & lw_secret_word_high[byte >> 4]) != 0;
}

/* The first bytes of a place, folded, and the bits of the tables that belong to them. */
LW_INLINE uint32_t lw_secret_bytes(const uint8_t *p)
{
	return ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24) | LW_SECRET_FOLD;
}
LW_INLINE uint32_t lw_secret_key(uint32_t bytes) { return bytes * LW_SECRET_KEY_FACTOR >> (32 - LW_SECRET_KEY_BITS); }
LW_INLINE uint32_t lw_secret_narrow(uint32_t bytes) { return bytes & 0xffffff; }

LW_INLINE int lw_secret_passes(const struct lw_secret_filter *filter, uint32_t bytes)
{
	uint32_t wide = lw_secret_key(bytes), narrow = lw_secret_key(lw_secret_narrow(bytes));

	return (int)((filter->wide[wide / 64] >> wide % 64 | filter->narrow[narrow / 64] >> narrow % 64) & 1);
}

/* Whether one of the windows may begin at p. */
LW_INLINE int lw_secret_has_window(const struct lw_secret_windows *windows, const uint8_t *p)
{
	uint8_t groups = windows->high[p[LW_SECRET_SHARP] >> 4];

	for (int j = 0; j < LW_SECRET_PLACES; j++)
		groups &= j < LW_SECRET_PLACES - 1 && p[j] >= 0x80 ? 0 : windows->low[j][p[j] & 15];
	return groups != 0;
}

/* The same of windows anywhere, by halves of bytes and by classes. */
LW_INLINE int lw_secret_has_window_anywhere(const struct lw_secret_filter *filter, const uint8_t *p)
{
	uint8_t groups = 0xff;

	for (int j = 0; j < LW_SECRET_PLACES; j++)
		groups &= filter->classes[j][p[j] % LW_SECRET_CLASSES];
	return groups != 0 && lw_secret_has_window(&filter->windows, p);
}

#endif
