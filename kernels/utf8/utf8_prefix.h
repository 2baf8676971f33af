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
 *
 * This is a header because the tier avx512 has no need of the rest of utf8_simd.c: its permutations of bytes look at six bits of
 * an index, so with tables that repeat themselves nothing has to be cut off the halves of bytes.
 */
#ifndef LW_UTF8_PREFIX_H
#define LW_UTF8_PREFIX_H

#include "block.h"

#include "utf8_char.h"

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

#if defined(LW_THIS_TIER_IS_avx512)
LW_INLINE v8 look_up_high(v8 t, v8 bytes) { return _mm512_permutexvar_epi8(_mm512_srli_epi16(bytes, 4), t); }
LW_INLINE v8 look_up_low(v8 t, v8 bytes) { return _mm512_permutexvar_epi8(bytes, t); }
#else
LW_INLINE v8 look_up_high(v8 t, v8 bytes) { return v8_lookup(t, v8_high_nibble(bytes)); }
LW_INLINE v8 look_up_low(v8 t, v8 bytes) { return v8_lookup(t, v8_low_nibble(bytes)); }
#endif

struct tables {
	v8 first_high, first_low, second_high;
};

/* Not zero where one of the V8_BYTES bytes at p is wrong after the three before p, which must be readable. */
LW_INLINE v8 errors_at(const struct tables *t, const uint8_t *p)
{
	v8 now = v8_load(p), before = v8_load(p - 1), before2 = v8_load(p - 2), before3 = v8_load(p - 3);
	v8 pair = v8_and(v8_and(look_up_high(t->first_high, before), look_up_low(t->first_low, before)),
	                 look_up_high(t->second_high, now));
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

#endif
