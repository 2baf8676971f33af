/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel secret_candidates looks for: the few places of a text where an anchor may stand.
 *
 * An anchor is found in one of two ways:
 *
 *   by its run     where a word begins that LW_SECRET_RUN_BYTES bytes of tokens follow from: letters, digits and
 *                  _ + / = . ~ -, which words of prose and most names of code are too few for. For anchors behind which
 *                  the shape wants so many, where a word has to begin.
 *   by its window  four bytes of it, or three, which several anchors may share, found as in scan_filter.h: the halves
 *                  of a byte give the groups that may have it at a place.
 *
 * Of the places that are found so, those are candidates whose first three or four bytes, folded, have a bit in a table.
 * Case is folded by one bit, which is more than letters; it is only a filter.
 */
#ifndef LW_SECRETS_FILTER_H
#define LW_SECRETS_FILTER_H

#include "common.h"

enum {
	LW_SECRET_RUN_BYTES = 16,
	LW_SECRET_PLACES = 4,      /* of a window */
	LW_SECRET_AHEAD = 64,      /* bytes that can be read behind the last position */
	LW_SECRET_KEY_BITS = 14,   /* of the tables */
	LW_SECRET_POSITIONS = 4096 /* at a time */
};

struct lw_secret_filter {
	/* low[j][b & 15] & high[j][b >> 4]: the groups of windows that may have byte b at place j. Windows are ASCII. */
	_Alignas(16) uint8_t low[LW_SECRET_PLACES][16], high[LW_SECRET_PLACES][16];
	uint64_t wide[(1 << LW_SECRET_KEY_BITS) / 64], narrow[(1 << LW_SECRET_KEY_BITS) / 64];
};

/*
 * Classes of bytes by their halves: low[b & 15] & high[b >> 4] is not 0 for a byte of tokens, and has a bit of
 * LW_SECRET_WORD for one of words. What is no ASCII is neither.
 */
enum { LW_SECRET_WORD = 0x0f };

static const uint8_t lw_secret_class_low[16] = { 0x0d, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f,
	                                         0x0f, 0x0f, 0x0e, 0x12, 0x02, 0x32, 0x52, 0x16 };
static const uint8_t lw_secret_class_high[16] = { 0, 0, 0x10, 0x21, 0x02, 0x04, 0x02, 0x48 };

/* The first bytes of a place, folded, and the bits of the tables that belong to them. */
LW_INLINE uint32_t lw_secret_bytes(const uint8_t *p)
{
	return ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24) | 0x20202020;
}
LW_INLINE uint32_t lw_secret_key(uint32_t bytes) { return bytes * 0x9e3779b1u >> (32 - LW_SECRET_KEY_BITS); }
LW_INLINE uint32_t lw_secret_narrow(uint32_t bytes) { return bytes & 0xffffff; }

LW_INLINE int lw_secret_passes(const struct lw_secret_filter *filter, uint32_t bytes)
{
	uint32_t wide = lw_secret_key(bytes), narrow = lw_secret_key(lw_secret_narrow(bytes));

	return (int)((filter->wide[wide / 64] >> wide % 64 | filter->narrow[narrow / 64] >> narrow % 64) & 1);
}

#endif
