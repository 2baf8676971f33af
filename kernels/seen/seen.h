/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables behind lanewise/seen.h, as the kernels see them: lines of 64 bytes, each a cache line.
 *
 * A hash is first mixed with the secret, which is a bijection: m = ((h ^ s0) * s1, its halves xored) * s2, s1 and s2
 * odd. Its line is the upper half of m * n_lines, so lines are in the order of m, and a table that grows is gone through
 * from front to back on both sides. A line holds eight mixed hashes (64 bits), or four times the lower and then four
 * times the upper halves (128 bits; only the lower half is mixed). Zeros are free places, so the hash that is mixed to
 * zeros is kept apart. A line fills from its front; what finds it full goes to the next, and the last line's next is
 * the first. Nothing is ever taken out, so a search ends at a line that is not full.
 *
 * There is no other information: one comparison of a whole line finds the hash and the free place.
 */
#ifndef LW_SEEN_TABLE_H
#define LW_SEEN_TABLE_H

#include "common.h"

enum {
	LW_SEEN_LINE = 8,   /* words */
	LW_SEEN_AHEAD = 64, /* how many hashes ahead lines are fetched; a power of two */
	LW_SEEN_BLOOM_BITS = 8
};

struct lw_seen_table {
	uint64_t *words; /* n_lines * LW_SEEN_LINE, aligned to 64 bytes */
	uint64_t n_lines;
	uint64_t secret[3];
	uint64_t n; /* hashes in it */
	uint64_t has_zero;
};

LW_INLINE uint64_t lw_seen_mix(const uint64_t secret[3], uint64_t hash)
{
	uint64_t m = (hash ^ secret[0]) * secret[1];

	return (m ^ m >> 32) * secret[2];
}

LW_INLINE uint64_t lw_seen_line(uint64_t mixed, uint64_t n_lines)
{
	return (uint64_t)((unsigned __int128)mixed * n_lines >> 64);
}

/* Where the filter's bits are: one in each word of the block, by six bits of this each. Independent of the line. */
LW_INLINE uint64_t lw_seen_bloom_bits(uint64_t mixed) { return (mixed ^ mixed >> 29) * 0xd6e8feb86659fd93 >> 16; }

#endif
