/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 validation by three table look-ups per byte: Keiser and Lemire, "Validating UTF-8 in less than one instruction
 * per byte" (2021).
 *
 * Every error but one kind shows in two neighbouring bytes. For a byte and the one before it, three tables (by the high
 * and the low half of the earlier byte and the high half of the later) each give the set of errors, one bit each, that
 * are possible as far as that half tells; what all three hold has happened. The remaining kind, whether a third or
 * fourth byte of a character is a continuation exactly where one must be, comes from the bytes two and three before:
 * bit 7 ("two continuations") must be set where they are leads of three or four bytes, and nowhere else.
 *
 * The bytes before a byte are loaded again, one, two and three places further ahead: loads are cheaper than moving
 * bytes across vectors. The first block and what remains at the end go through a copy with zeros around, so that
 * nothing outside the text is read; the zero behind the last byte shows a character that is cut there. When anything
 * is wrong, the reference finds the place, from the last character that began before the group.
 */
#include "block.h"

#include "utf8_char.h"
#include "utf8_range.h"

enum {
	TOO_SHORT = 1,   /* a lead, then no continuation */
	TOO_LONG = 2,    /* ASCII, then a continuation */
	OVERLONG_3 = 4,  /* e0, then 80 ... 9f */
	TOO_LARGE = 8,   /* f4, then 90 ... bf; f5 ... ff, then 90 ... bf */
	SURROGATE = 16,  /* ed, then a0 ... bf */
	OVERLONG_2 = 32, /* c0 or c1 */
	FOUR = 64,       /* f0, then 80 ... 8f (overlong); f5 ... ff, then 80 ... 8f (too large) */
	TWO_CONTS = 128, /* two continuations: an error unless the bytes before ask for it */
	ANY_LOW = TOO_SHORT | TOO_LONG | TWO_CONTS /* errors that do not depend on the low half of the first byte */
};

static const uint8_t first_high[16] = { TOO_LONG,
	                                TOO_LONG,
	                                TOO_LONG,
	                                TOO_LONG,
	                                TOO_LONG,
	                                TOO_LONG,
	                                TOO_LONG,
	                                TOO_LONG,
	                                TWO_CONTS,
	                                TWO_CONTS,
	                                TWO_CONTS,
	                                TWO_CONTS,
	                                TOO_SHORT | OVERLONG_2,
	                                TOO_SHORT,
	                                TOO_SHORT | OVERLONG_3 | SURROGATE,
	                                TOO_SHORT | TOO_LARGE | FOUR };
#define HIGH_LOW (ANY_LOW | TOO_LARGE | FOUR)
static const uint8_t first_low[16] = { ANY_LOW | OVERLONG_3 | OVERLONG_2 | FOUR,
	                               ANY_LOW | OVERLONG_2,
	                               ANY_LOW,
	                               ANY_LOW,
	                               ANY_LOW | TOO_LARGE,
	                               HIGH_LOW,
	                               HIGH_LOW,
	                               HIGH_LOW,
	                               HIGH_LOW,
	                               HIGH_LOW,
	                               HIGH_LOW,
	                               HIGH_LOW,
	                               HIGH_LOW,
	                               HIGH_LOW | SURROGATE,
	                               HIGH_LOW,
	                               HIGH_LOW };
#define CONTINUATION (TOO_LONG | OVERLONG_2 | TWO_CONTS)
static const uint8_t second_high[16] = { TOO_SHORT,
	                                 TOO_SHORT,
	                                 TOO_SHORT,
	                                 TOO_SHORT,
	                                 TOO_SHORT,
	                                 TOO_SHORT,
	                                 TOO_SHORT,
	                                 TOO_SHORT,
	                                 CONTINUATION | OVERLONG_3 | FOUR,
	                                 CONTINUATION | OVERLONG_3 | TOO_LARGE,
	                                 CONTINUATION | SURROGATE | TOO_LARGE,
	                                 CONTINUATION | SURROGATE | TOO_LARGE,
	                                 TOO_SHORT,
	                                 TOO_SHORT,
	                                 TOO_SHORT,
	                                 TOO_SHORT };

struct tables {
	v8 first_high, first_low, second_high;
};

/* Not zero where one of the V8_BYTES bytes at p is wrong after the three before p, which must be readable. */
LW_INLINE v8 errors_at(const struct tables *t, const uint8_t *p)
{
	v8 now = v8_load(p), before = v8_load(p - 1), before2 = v8_load(p - 2), before3 = v8_load(p - 3);
	v8 pair = v8_and(v8_and(v8_lookup(t->first_high, v8_high_nibble(before)),
	                        v8_lookup(t->first_low, v8_low_nibble(before))),
	                 v8_lookup(t->second_high, v8_high_nibble(now)));
	/* Bit 7 is left of leads of three and four bytes. */
	v8 must = v8_or(v8_subs(before2, v8_set1(0xe0 - 0x80)), v8_subs(before3, v8_set1(0xf0 - 0x80)));

	return v8_xor(v8_and(must, v8_set1(0x80)), pair);
}

/* Errors in `n_bytes`, a multiple of V8_BYTES known at compile time, at p. */
LW_INLINE int any_errors(const struct tables *t, const uint8_t *p, size_t n_bytes)
{
	v8 errors = errors_at(t, p);

#pragma GCC unroll 16
	for (size_t i = V8_BYTES; i < n_bytes; i += V8_BYTES)
		errors = v8_or(errors, errors_at(t, p + i));
	return v8_any(errors);
}

LW_INLINE int all_ascii(const uint8_t *p, size_t n_bytes)
{
	v8 all = v8_load(p);

#pragma GCC unroll 16
	for (size_t i = V8_BYTES; i < n_bytes; i += V8_BYTES)
		all = v8_or(all, v8_load(p + i));
	return !v8_any_high(all);
}

/* Whether the bytes before p, at least three, end within a character, if what is before them is valid. */
LW_INLINE int cut_before(const uint8_t *p) { return p[-1] >= 0xc0 || p[-2] >= 0xe0 || p[-3] >= 0xf0; }

/* The exact answer when there is an error at or behind text[at], or in a character that began before it. */
static LW_NOINLINE size_t find_error(const uint8_t *text, size_t n, size_t at)
{
	for (size_t back = 1; back <= 3 && back <= at; back++)
		if (text[at - back] >= 0x80)
			if (text[at - back] >= 0xc0)
				return lw_utf8_prefix(text, n, at - back);
	return lw_utf8_prefix(text, n, at);
}

/* The rest, below 64 bytes, behind text[at], and whether the text ends with a character. */
static int errors_at_end(const struct tables *t, const uint8_t *text, size_t n, size_t at)
{
	uint8_t bytes[3 + 64] = { 0 };
	size_t before = at < 3 ? at : 3;

	memcpy(bytes + 3 - before, text + at - before, n - at + before);
	return any_errors(t, bytes + 3, 64);
}

size_t LW_FN(utf8_prefix)(const uint8_t *text, size_t n)
{
	const struct tables t = { v8_table(first_high), v8_table(first_low), v8_table(second_high) };
	enum { GROUP = 256 };
	size_t at = 0;

	if (n == 0)
		return 0;
	if (n >= 64) {
		if (!all_ascii(text, 64)) {
			uint8_t bytes[3 + 64] = { 0 };

			memcpy(bytes + 3, text, 64);
			if (any_errors(&t, bytes + 3, 64))
				return lw_utf8_prefix(text, n, 0);
		}
		for (at = 64; n - at >= GROUP; at += GROUP)
			if (all_ascii(text + at, GROUP) ? cut_before(text + at) : any_errors(&t, text + at, GROUP))
				return find_error(text, n, at);
		for (; n - at >= 64; at += 64)
			if (any_errors(&t, text + at, 64))
				return find_error(text, n, at);
	}
	return errors_at_end(&t, text, n, at) ? find_error(text, n, at) : n;
}

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
