/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of content-defined chunking share; include/lanewise/chunk.h defines what is computed. */
#ifndef LW_CHUNK_H
#define LW_CHUNK_H

#include "common.h"

/* ------------------------------------------------- the library's own method */

enum {
	LW_CDC_WINDOW = 32, /* bytes that decide whether a chunk ends after the last of them */
	LW_CDC_REACH = 12   /* C(i) depends on B(i - 8), and that on A(i - 12) */
};

struct lw_cdc_rule {
	uint16_t multiplier[3]; /* m1, m2, m3 */
	uint64_t start, factor;
	uint64_t threshold; /* at most 2^32 */
};

/* Whether the 32 bytes that end with *last pass: the second part of the rule, asked for few positions. */
LW_INLINE int lw_cdc_passes(const struct lw_cdc_rule *rule, const uint8_t *last)
{
	const uint8_t *window = last + 1 - LW_CDC_WINDOW;
	uint64_t h = rule->start, x[4];

#pragma GCC unroll 4
	for (int k = 0; k < 4; k++) {
		x[k] = lw_load_little_endian_64(window + 8 * k);
		h = (h ^ x[k]) * rule->factor;
		h ^= h >> 32;
	}
	if (LW_LIKELY(h >> 32 >= rule->threshold))
		return 0;
	return !(x[0] == x[1] && x[1] == x[2] && x[2] == x[3] && x[0] == (x[0] >> 8 | x[0] << 56));
}

/* -------------------------------------------------------------- FastCDC 2020 */

/* The gear table, with the key, and the same shifted left by one. */
struct lw_fastcdc_tables {
	uint64_t one[256], two[256];
};

/*
 * Rolls the hash over p[0 ... n), n even, until it has no bit in common with the mask: the number of that byte, before
 * which the chunk ends (the hash is of no more use then), or n.
 */
size_t lanewise_fastcdc_scan(const struct lw_fastcdc_tables *tables, const uint8_t *p, size_t n, uint64_t mask,
                             uint64_t *hash);

#endif
