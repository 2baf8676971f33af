/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 in vectors: validation (utf8_prefix.h), counts of characters, characters of a range. */
#include "utf8_prefix.h"
#include "utf8_range.h"

LW_INLINE size_t continuations(blk b) { return (size_t)__builtin_popcountll(blk_below(b, 0xc0) & ~blk_below(b, 0x80)); }

size_t LW_FN(utf8_count)(const uint8_t *text, size_t n)
{
	size_t count = 0, at = 0;

	for (; n - at >= 64; at += 64)
		count += 64 - continuations(blk_load(text + at));
	if (n > at)
		count += n - at - continuations(blk_load_first(text + at, n - at));
	return count;
}

/* ----------------------------------------------------------------- ranges */

struct bound {
	v8 at[4], above[4]; /* its bytes, and one more than these, everywhere in a vector */
	int n;
};

static struct bound make_bound(const uint8_t *bytes, int n)
{
	struct bound bound;

	bound.n = n;
	for (int j = 0; j < n; j++) {
		bound.at[j] = v8_set1(bytes[j]);
		bound.above[j] = v8_set1((uint8_t)(bytes[j] + 1));
	}
	return bound;
}

/* Bit i: the bytes from p[i] on are those of the bound or above. Reads 64 + n - 1 bytes. */
LW_INLINE uint64_t reach(const uint8_t *p, const struct bound *bound)
{
	int j = bound->n - 1;
	uint64_t bits = ~blk_below_v8(blk_load(p + j), bound->at[j]);

	while (--j >= 0) {
		blk b = blk_load(p + j);

		bits = ~blk_below_v8(b, bound->above[j]) | (~blk_below_v8(b, bound->at[j]) & bits);
	}
	return bits;
}

/* Bit i: a character of the range begins at p[i]. Reads 64 + 3 bytes at most. `ascii`: `low` is. */
LW_INLINE uint64_t in_range(const uint8_t *p, const struct bound *low, const struct bound *end, int ascii)
{
	blk b = blk_load(p);
	uint64_t bits;

	if (low->n > 1 && blk_below_v8(b, low->at[0]) == UINT64_MAX)
		return 0; /* much text has nothing near to a range */
	bits = reach(p, low);
	if (ascii)
		bits &= ~(blk_below(b, 0xc0) & ~blk_below(b, 0x80)); /* no continuations; others are below `low` */
	return bits ? bits & ~reach(p, end) : 0;
}

/* The number of positions in the range or, with `first`, the first of them, n if there is none. */
LW_INLINE size_t search_range(const uint8_t *text, size_t n, const struct lw_utf8_range *range, int first)
{
	const struct bound low = make_bound(range->low, range->n_low), end = make_bound(range->end, range->n_end);
	int ascii = range->low[0] < 0x80;
	size_t count = 0, at = 0;

	for (; n - at >= 64 + 3; at += 64) {
		uint64_t bits = in_range(text + at, &low, &end, ascii);

		if (first && bits)
			return at + (size_t)__builtin_ctzll(bits);
		count += (size_t)__builtin_popcountll(bits);
	}
	for (size_t rest; at < n; at += rest) {
		uint8_t bytes[64 + 3] = { 0 };
		uint64_t bits;

		rest = n - at < 64 ? n - at : 64;
		memcpy(bytes, text + at, n - at < sizeof bytes ? n - at : sizeof bytes);
		bits = in_range(bytes, &low, &end, ascii) & UINT64_MAX >> (64 - rest);
		if (first && bits)
			return at + (size_t)__builtin_ctzll(bits);
		count += (size_t)__builtin_popcountll(bits);
	}
	return first ? n : count;
}

size_t LW_FN(utf8_count_range)(const uint8_t *text, size_t n, const struct lw_utf8_range *range)
{
	return search_range(text, n, range, 0);
}

size_t LW_FN(utf8_find_range)(const uint8_t *text, size_t n, const struct lw_utf8_range *range)
{
	return search_range(text, n, range, 1);
}
