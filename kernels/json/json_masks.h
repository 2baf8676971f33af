/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of 64 bytes of JSON as masks, for templates: json_simd.c says what of. */
#ifndef LW_JSON_MASKS_H
#define LW_JSON_MASKS_H

#include "block.h"

struct masks {
	uint64_t quote, backslash, op, space, control;
};

/* Bytes by their low four bits; [ ] and { } differ only in the bit 0x20, which 0x0c and 0x1a lack beside , and : */
static const uint8_t lw_json_spaces[16] = { ' ',  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	                                    0xff, '\t', '\n', 0xff, 0xff, '\r', 0xff, 0xff };
static const uint8_t lw_json_operators[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	                                       0xff, 0xff, ':',  '{',  ',',  '}',  0xff, 0xff };

LW_INLINE struct masks classify(blk b)
{
	struct masks m;

	m.quote = blk_eq(b, '"');
	m.backslash = blk_eq(b, '\\');
	m.control = blk_below(b, 0x20);
	m.space = blk_in_table(b, v8_table(lw_json_spaces));
	m.op = blk_in_table(blk_or(b, 0x20), v8_table(lw_json_operators)) & ~m.control;
	return m;
}

LW_INLINE uint64_t prefix_parity(uint64_t bits)
{
#if defined(__PCLMUL__) /* the product of polynomials over two elements with the one of all ones is just that */
	__m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)bits), _mm_set1_epi8(-1), 0);

	return (uint64_t)_mm_cvtsi128_si64(product);
#endif
	for (int shift = 1; shift < 64; shift *= 2)
		bits ^= bits << shift;
	return bits;
}

/*
 * Which backslashes begin an escape, and which bytes are taken by one. In each run of backslashes that begins at an
 * even place, the even ones begin escapes, and the other way round. A subtraction tells the two apart: taking the first
 * backslash of a run away from the even places (all but the run's own bits) borrows through the run.
 */
LW_INLINE uint64_t find_escapes(uint64_t backslash, uint64_t *escaped, uint64_t *carry)
{
	const uint64_t odd = 0xaaaaaaaaaaaaaaaa;
	uint64_t free_backslash = backslash & ~*carry; /* the first may be taken by the block before */
	uint64_t behind = free_backslash << 1;
	uint64_t begins_or_taken = (((behind | odd) - free_backslash) ^ odd);
	uint64_t begins = begins_or_taken & free_backslash;

	*escaped = begins << 1 | *carry;
	*carry = begins >> 63;
	return begins;
}

/* The lowest bit's number, 64 for no bits, and the bits without it. */
LW_INLINE uint32_t take_bit(uint64_t *bits)
{
#if defined(__BMI__)
	uint32_t bit = (uint32_t)_tzcnt_u64(*bits);
#else
	uint32_t bit = *bits ? (uint32_t)__builtin_ctzll(*bits) : 64;
#endif
	*bits &= *bits - 1;
	return bit;
}

LW_INLINE v8 blk_join(blk b)
{
	v8 all = b.v[0];

#pragma GCC unroll 4
	for (int i = 1; i < BLK_PARTS; i++)
		all = v8_or(all, b.v[i]);
	return all;
}

/*
 * The bits behind runs of digits that begin at `begins`, or before the block if *carry: what is added there goes through the
 * run. *carry becomes whether one of them goes on behind the block.
 */
LW_INLINE uint64_t behind_runs(uint64_t begins, uint64_t digits, uint8_t *carry)
{
	unsigned long long sum;
	int over = __builtin_uaddll_overflow(begins, digits, &sum);

	over |= __builtin_uaddll_overflow(sum, *carry, &sum);
	*carry = (uint8_t)over;
	return sum & ~digits;
}

struct number_masks {
	uint64_t digit, zero, point, minus, plus, e;
};

/* Where numbers begin, and the bytes behind fractions and exponents. */
struct number_seen {
	uint64_t begins, behind;
};

/*
 * What is wrong in a block without exponents. What may stand behind what is a matter of masks shifted by one; only that
 * fractions have no second point concerns whole runs of digits.
 */
LW_INLINE uint64_t wrong_in_plain(const struct number_masks *m, struct lw_json_number_bits *s, struct number_seen *seen)
{
	uint64_t number = m->digit | m->point | m->minus, number_before = number << 1 | s->within;
	uint64_t digit_before = m->digit << 1 | s->digit, point_before = m->point << 1 | s->point;
	uint64_t minus_before = m->minus << 1 | s->sign;
	uint64_t whole_zero = m->zero & ~(digit_before | point_before);
	uint64_t wrong = (m->point & ~digit_before) | (m->minus & number_before);

	wrong |= (point_before | minus_before) & ~m->digit;
	wrong |= (whole_zero << 1 | s->zero) & m->digit;
	seen->begins = number & ~number_before;
	seen->behind = behind_runs(m->digit & point_before, m->digit, &s->fraction);
	wrong |= seen->behind & m->point;
	s->within = (uint8_t)(number >> 63);
	s->digit = (uint8_t)(m->digit >> 63);
	s->point = (uint8_t)(m->point >> 63);
	s->sign = s->lead = (uint8_t)(m->minus >> 63);
	s->zero = (uint8_t)(whole_zero >> 63);
	return wrong;
}

/* The same where there are some: these have no point, and no second one behind. */
static LW_NOINLINE uint64_t wrong_in_any(const struct number_masks *m, struct lw_json_number_bits *s,
                                         struct number_seen *seen)
{
	uint64_t digit = m->digit, point = m->point, e = m->e, sign = m->minus | m->plus;
	uint64_t number = digit | point | e | sign, begins = number & ~(number << 1 | s->within);
	uint64_t digit_before = digit << 1 | s->digit, point_before = point << 1 | s->point;
	uint64_t e_before = e << 1 | s->e, sign_before = sign << 1 | s->sign;
	uint64_t lead = m->minus & begins, lead_before = lead << 1 | s->lead;
	uint64_t e_sign = sign & e_before, e_sign_before = e_sign << 1 | s->e_sign;
	uint64_t whole_zero = m->zero & (begins | lead_before), exponent = digit & (e_before | e_sign_before);
	uint64_t wrong = (point | e) & ~digit_before;

	wrong |= (m->minus & ~(begins | e_before)) | (m->plus & ~e_before);
	wrong |= ((point_before | sign_before) & ~digit) | (e_before & ~(digit | sign));
	wrong |= (whole_zero << 1 | s->zero) & digit;
	uint64_t behind_fraction = behind_runs(digit & point_before, digit, &s->fraction);
	uint64_t behind_exponent = behind_runs(exponent, digit, &s->exponent);

	wrong |= (behind_fraction & point) | (behind_exponent & (point | e));
	seen->begins = begins;
	seen->behind = behind_fraction | behind_exponent;
	s->within = (uint8_t)(number >> 63);
	s->digit = (uint8_t)(digit >> 63);
	s->point = (uint8_t)(point >> 63);
	s->e = (uint8_t)(e >> 63);
	s->sign = (uint8_t)(sign >> 63);
	s->lead = (uint8_t)(lead >> 63);
	s->e_sign = (uint8_t)(e_sign >> 63);
	s->zero = (uint8_t)(whole_zero >> 63);
	return wrong;
}

#endif
