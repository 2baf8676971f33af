/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of JSON text by eight words at a time, for vectors of 64 bytes: what json_simd.c does with words, one after
 * the other. Tiers differ in how masks become vectors of words.
 *
 * Parities of quotes are those within words, turned round where there is an odd number of quotes in the words before, which
 * the signs of all eight tell. What goes from a word to the next, escapes and scalars, is shifted in from its neighbour.
 * An escape could only go further, through a word of nothing but backslashes, for which there is a loop.
 */
#ifndef LW_JSON_WORDS_H
#define LW_JSON_WORDS_H

#include "block.h"

enum { WORDS = 8, GROUP = 64 * WORDS };

/* Eight words of each kind; white: white space, and operators or not. */
struct planes {
	v8 quote, backslash, op, white, control;
};

/* What goes from group to group. */
struct group_state {
	v8 scalar;          /* the last word is that of scalars */
	uint64_t escaped;   /* 0 or 1 */
	uint64_t in_string; /* all bits or none */
};

/* Words before a group, of which only the last bit counts, and that bit. */
LW_INLINE v8 with_last_bit(uint64_t bit) { return _mm512_set1_epi64((int64_t)(bit << 63)); }
LW_INLINE uint8_t last_bit(v8 words) { return (uint8_t)(_mm512_movepi64_mask(words) >> 7); }

LW_INLINE struct group_state group_begin(const struct lw_json_carry *carry)
{
	return (struct group_state) { with_last_bit(carry->in_scalar), carry->escaped, (uint64_t)0 - carry->in_string };
}

LW_INLINE void group_end(const struct group_state *s, struct lw_json_carry *carry)
{
	carry->in_string = s->in_string & 1;
	carry->escaped = s->escaped & 1;
	carry->in_scalar = last_bit(s->scalar);
}

/* The words before: the last one of `before`, then all of v but its last. */
LW_INLINE v8 shift_in(v8 before, v8 v) { return _mm512_alignr_epi64(v, before, 7); }

/* Bits behind bits of v. */
LW_INLINE v8 bits_behind(v8 before, v8 v)
{
#if defined(__AVX512VBMI2__)
	return _mm512_shldi_epi64(v, shift_in(before, v), 1);
#else
	return v8_or(_mm512_add_epi64(v, v), _mm512_srli_epi64(shift_in(before, v), 63));
#endif
}

/* Backslashes that begin escapes, if those of `carry` are taken by the word before; see json_masks.h. */
LW_INLINE v8 begin_escapes(v8 backslash, v8 carry)
{
	const v8 odd = _mm512_set1_epi64((int64_t)0xaaaaaaaaaaaaaaaa);
	v8 free_backslash = _mm512_andnot_si512(carry, backslash);
	v8 behind = v8_or(_mm512_add_epi64(free_backslash, free_backslash), odd);

	return _mm512_ternarylogic_epi64(_mm512_sub_epi64(behind, free_backslash), odd, free_backslash,
	                                 0x28); /* (a ^ b) & c */
}

__attribute__((unused)) static LW_NOINLINE v8 carry_in_turn(v8 backslash, uint64_t escaped)
{
	uint64_t words[WORDS], carry[WORDS];

	v8_store(words, backslash);
	for (int i = 0; i < WORDS; i++) {
		/* The last run of backslashes, with what is taken by the word before if it is all of the word. */
		uint64_t run = words[i] == UINT64_MAX ? escaped : (uint64_t)__builtin_clzll(~words[i]);

		carry[i] = escaped;
		escaped = run & 1;
	}
	return v8_load(carry);
}

LW_INLINE v8 find_group_escapes(v8 backslash, v8 *escaped, uint64_t *last)
{
	v8 none = v8_set1(0), begins = begin_escapes(backslash, none);
	v8 before = _mm512_maskz_set1_epi64(0x80, (int64_t)*last);
	v8 carry = shift_in(before, _mm512_srli_epi64(begins, 63));

	if (LW_UNLIKELY(_mm512_cmpeq_epi64_mask(backslash, _mm512_set1_epi64(-1))))
		carry = carry_in_turn(backslash, *last);
	begins = begin_escapes(backslash, carry);
	*escaped = v8_or(_mm512_add_epi64(begins, begins), carry);
	*last = last_bit(begins);
	return begins;
}

LW_INLINE v8 word_parities(v8 bits)
{
#if defined(__VPCLMULQDQ__) /* the product of polynomials over two elements with the one of all ones is just that */
	const v8 ones = _mm512_set1_epi64(-1);

	return _mm512_unpacklo_epi64(_mm512_clmulepi64_epi128(bits, ones, 0x00),
	                             _mm512_clmulepi64_epi128(bits, ones, 0x01));
#else
	bits = v8_xor(bits, _mm512_add_epi64(bits, bits));
	bits = v8_xor(bits, _mm512_slli_epi64(bits, 2));
	bits = v8_xor(bits, _mm512_slli_epi64(bits, 4));
	bits = v8_xor(bits, _mm512_slli_epi64(bits, 8));
	bits = v8_xor(bits, _mm512_slli_epi64(bits, 16));
	return v8_xor(bits, _mm512_slli_epi64(bits, 32));
#endif
}

/* Whether the number of bits up to each place is odd, of those in all words before and *in_string (all bits or none) too. */
LW_INLINE v8 group_parities(v8 bits, uint64_t *in_string)
{
	v8 parity = word_parities(bits);
	uint64_t odd = _mm512_movepi64_mask(parity);

	odd ^= odd << 1;
	odd ^= odd << 2;
	odd ^= odd << 4;
	odd = (odd << 1) ^ *in_string;
	*in_string = 0 - (odd >> 8 & 1);
	return _mm512_mask_xor_epi64(parity, (__mmask8)odd, parity, _mm512_set1_epi64(-1));
}

/* Eight words of what is indexed; *control gets those of bytes below 0x20 in strings. */
LW_INLINE v8 index_group(struct planes p, struct group_state *s, v8 *control)
{
	v8 quote = p.quote, begins = v8_set1(0);

	if (_mm512_test_epi64_mask(p.backslash, p.backslash) | s->escaped) {
		v8 escaped;

		begins = find_group_escapes(p.backslash, &escaped, &s->escaped);
		quote = _mm512_andnot_si512(escaped, quote);
	}

	v8 in_string = group_parities(quote, &s->in_string);
	v8 scalar = _mm512_ternarylogic_epi64(p.white, p.op, quote, 0x01); /* ~a & ~b & ~c */
	v8 follows = bits_behind(s->scalar, scalar);
	v8 outside = _mm512_ternarylogic_epi64(p.op, scalar, follows, 0xf4);   /* a | (b & ~c) */
	v8 found = _mm512_ternarylogic_epi64(outside, in_string, quote, 0xba); /* (a & ~b) | c */

	s->scalar = scalar;
	*control = v8_and(p.control, in_string);
	return _mm512_ternarylogic_epi64(found, begins, in_string, 0xf8); /* a | (b & c) */
}

/* ---------------------------------------------------------------- numbers */

/* Words of numbers without exponents; zero: of the digits. */
struct number_group {
	v8 digit, zero, point, minus;
};

/* Of the group before, the last bits; zero: that a number began with; fraction: the digits are behind a point. */
struct number_past {
	v8 digit, zero, point, minus;
	uint8_t fraction;
};

/* behind_runs of json_masks.h for eight words, one behind the other. */
LW_INLINE v8 behind_group_runs(v8 begins, v8 runs, uint8_t *carry)
{
	const v8 ones = _mm512_set1_epi64(-1);
	v8 sum = _mm512_add_epi64(begins, runs);
	/* A word that overflows adds 1 to the next, which hands it on if it is all ones. */
	unsigned arrives = (unsigned)_mm512_cmplt_epu64_mask(sum, runs) << 1 | *carry;
	unsigned hands_on = _mm512_cmpeq_epi64_mask(sum, ones), adds = (arrives + hands_on) ^ hands_on;

	*carry = (uint8_t)(adds >> 8 & 1);
	return _mm512_andnot_si512(runs, _mm512_mask_sub_epi64(sum, (__mmask8)adds, sum, ones));
}

/*
 * wrong_in_plain of json_masks.h for a group; number_before: the byte before is of a number. *behind: those behind fractions.
 */
LW_INLINE v8 wrong_in_plain_group(const struct number_group *n, v8 number_before, struct number_past *past, v8 *behind)
{
	v8 digit_before = bits_behind(past->digit, n->digit), point_before = bits_behind(past->point, n->point);
	v8 minus_before = bits_behind(past->minus, n->minus);
	v8 whole_zero = _mm512_ternarylogic_epi64(n->zero, digit_before, point_before, 0x10); /* a & ~b & ~c */
	v8 wrong = _mm512_andnot_si512(digit_before, n->point);

	*behind = v8_set1(0);
	if (_mm512_test_epi64_mask(point_before, point_before) | past->fraction) {
		*behind = behind_group_runs(v8_and(n->digit, point_before), n->digit, &past->fraction);
		wrong = _mm512_ternarylogic_epi64(wrong, *behind, n->point, 0xf8); /* a | (b & c) */
	}
	wrong = _mm512_ternarylogic_epi64(wrong, n->minus, number_before, 0xf8);
	wrong = v8_or(wrong, _mm512_ternarylogic_epi64(point_before, minus_before, n->digit, 0x54)); /* (a | b) & ~c */
	wrong = _mm512_ternarylogic_epi64(wrong, bits_behind(past->zero, whole_zero), n->digit, 0xf8);
	past->digit = n->digit;
	past->zero = whole_zero;
	past->point = n->point;
	past->minus = n->minus;
	return wrong;
}

/* -------------------------------------------------------------- positions */

/* Positions of the bits of n words to index[0 ...): may write up to 64 places for each. Returns the number of bits. */
LW_INLINE size_t write_words(const uint64_t *words, size_t n, uint32_t base, uint32_t *index)
{
	const vu step = vu_set1(64);
	vu a = vu_iota(base), b = vu_iota(base + 16), c = vu_iota(base + 32), d = vu_iota(base + 48);
	uint32_t *out = index;

	for (size_t i = 0; i < n; i++) {
		uint64_t bits = words[i];

		vu_store(out, vu_compress(a, bits & 0xffff));
		vu_store(out + __builtin_popcountll(bits << 48), vu_compress(b, bits >> 16 & 0xffff));
		vu_store(out + __builtin_popcountll(bits << 32), vu_compress(c, bits >> 32 & 0xffff));
		vu_store(out + __builtin_popcountll(bits << 16), vu_compress(d, (uint32_t)(bits >> 48)));
		out += __builtin_popcountll(bits);
		__builtin_prefetch((const void *)((uintptr_t)out + 2048), 1);
		a = vu_add(a, step);
		b = vu_add(b, step);
		c = vu_add(c, step);
		d = vu_add(d, step);
	}
	return (size_t)(out - index);
}

__attribute__((unused)) static LW_NOINLINE size_t first_bit(v8 words)
{
	uint64_t stored[WORDS];
	size_t i = 0;

	v8_store(stored, words);
	while (!stored[i])
		i++;
	return 64 * i + (size_t)__builtin_ctzll(stored[i]);
}

/* What is seen of the rest, behind n bytes. */
LW_INLINE void add_seen(struct lw_json_seen *seen, const struct lw_json_seen *rest, size_t n)
{
	if (seen->control == n)
		seen->control += rest->control;
	seen->wide |= rest->wide;
}

#endif
