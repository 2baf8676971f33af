/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel scan_evens looks for: even places of a text at which one of many grams of four bytes may stand, with
 * what may stand beside it. Of each pattern a gram at an even and one at an odd offset are known, so that one of them
 * stands at an even place wherever the pattern does.
 *
 * A gram's hash is the number of a bit in 8 KiB, which stay in the nearest cache; it is made of products of 16 bits, which vector code
 * makes of all even places at once. Where the bit is set the byte before the gram and the one behind it are asked for in
 * another table, by their lower five bits, which tell letters apart: of several patterns with a gram there any may pass.
 *
 * Where one instruction looks bytes up in a table of 128, places are first told apart by cells, which leave bits of the hash out.
 */
#ifndef LW_SCAN_EVENS_H
#define LW_SCAN_EVENS_H

#include "common.h"

enum {
	LW_SCAN_EVENS_WIDTH = 4,
	LW_SCAN_EVENS_STRIDE = 2,
	LW_SCAN_EVENS_BYTES = 1 << 13, /* of bits */
	LW_SCAN_EVENS_LOW = 0x9e2d,    /* what the lower and the upper half of a gram are multiplied with */
	LW_SCAN_EVENS_HIGH = 0xc2b7,
	LW_SCAN_EVENS_BUCKET_LOG_MAX = 16,
	LW_SCAN_CELLS = 512 /* bytes */
};

/*
 * The bits twice more, each time with some bits of the hash left out, so that one table fits registers: of a hash h that
 * has a bit, bit h >> 8 & 7 of low[h & 255 | (h >> 11 & 1) << 8] is set, and bit h & 7 of
 * high[h >> 8 | (h >> 3 & 1) << 8].
 */
struct lw_scan_cells {
	uint8_t low[LW_SCAN_CELLS], high[LW_SCAN_CELLS];
};

/* Which bytes may stand before and behind the grams of this hash, by their lower five bits. */
struct lw_scan_near {
	uint32_t before, after;
};

struct lw_scan_evens {
	const uint8_t *bits; /* LW_SCAN_EVENS_BYTES */
	const struct lw_scan_near *near;
	const struct lw_scan_cells *cells; /* or NULL, if almost every place would pass them */
	uint32_t near_shift;               /* of hashes of 32 bits: near has 1 << (32 - near_shift) elements */
	uint32_t fold;                     /* set in grams before anything is done with them */
};

LW_INLINE uint32_t lw_scan_evens_load(const struct lw_scan_evens *evens, const uint8_t *bytes)
{
	uint32_t gram;

	memcpy(&gram, bytes, sizeof gram); /* compilers do not always make one load of four bytes */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	gram = __builtin_bswap32(gram);
#endif
	return gram | evens->fold;
}

/* The number of a gram's bit: bit h >> 13 of byte h & 8191. */
LW_INLINE uint32_t lw_scan_evens_hash(uint32_t gram)
{
	return ((gram & 0xffff) * LW_SCAN_EVENS_LOW + (gram >> 16) * LW_SCAN_EVENS_HIGH) & 0xffff;
}

/* Whether a gram has its bit. */
LW_INLINE uint32_t lw_scan_evens_bit(const struct lw_scan_evens *evens, uint32_t gram)
{
	uint32_t hash = lw_scan_evens_hash(gram);

	return evens->bits[hash % LW_SCAN_EVENS_BYTES] >> hash / LW_SCAN_EVENS_BYTES & 1;
}

LW_INLINE void lw_scan_set_cells(struct lw_scan_cells *cells, uint32_t hash)
{
	cells->low[(hash & 255) | (hash >> 11 & 1) << 8] |= (uint8_t)(1u << (hash >> 8 & 7));
	cells->high[hash >> 8 | (hash >> 3 & 1) << 8] |= (uint8_t)(1u << (hash & 7));
}

/* Which of the elements of `near` is a gram's. */
LW_INLINE uint32_t lw_scan_evens_near_at(const struct lw_scan_evens *evens, uint32_t gram)
{
	return gram * UINT32_C(0x9e3779b1) >> evens->near_shift;
}

/* Whether the bytes before and behind the gram at `bytes` may stand there. */
LW_INLINE uint32_t lw_scan_evens_fits(const struct lw_scan_evens *evens, const uint8_t *bytes)
{
	uint32_t gram = lw_scan_evens_load(evens, bytes);
	const struct lw_scan_near *near = &evens->near[lw_scan_evens_near_at(evens, gram)];

	return near->before >> (bytes[-1] & 31) & near->after >> (bytes[LW_SCAN_EVENS_WIDTH] & 31) & 1;
}

/* Those of n places, in order, that fit or are 0, in the same array; how many. */
LW_INLINE size_t lw_scan_evens_keep(const struct lw_scan_evens *evens, const uint8_t *text, uint16_t *places, size_t n)
{
	size_t n_kept = n > 0 && places[0] == 0;

	for (size_t i = n_kept; i < n; i++) {
		places[n_kept] = places[i];
		n_kept += lw_scan_evens_fits(evens, text + places[i]);
	}
	return n_kept;
}

#endif
