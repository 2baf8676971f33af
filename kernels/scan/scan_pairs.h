/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel scan_pairs looks for: two bytes that a pattern may begin with. Bytes that patterns begin with are in
 * eight groups, one to a bit; low[0][b & 15] & high[0][b >> 4] are the groups of byte b as a first, and so the other for
 * all bytes that may follow a first of a group. firsts[b] are the former again.
 */
#ifndef LW_SCAN_PAIRS_H
#define LW_SCAN_PAIRS_H

#include "common.h"

enum {
	LW_SCAN_PAIRS_MAX = 16, /* bytes at a time */
	LW_SCAN_PAIR = 256      /* what the kernel returns where it finds one */
};

struct lw_scan_pairs {
	_Alignas(16) uint8_t low[2][16], high[2][16];
	uint8_t firsts[256];
};

LW_INLINE uint8_t lw_scan_groups(const struct lw_scan_pairs *pairs, int place, uint8_t byte)
{
	return pairs->low[place][byte & 15] & pairs->high[place][byte >> 4];
}

#endif
