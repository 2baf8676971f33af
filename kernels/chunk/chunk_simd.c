/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cdc_find (kernel_types.h) for every vector tier.
 *
 * A register of bytes at p holds the words that end at every second position; one at p + 1 those in between. Both go
 * through the same three steps, each of which adds what the step before gave some positions earlier: the first by a
 * second load, the others by shifting in the end of the register before. A block that begins without one before it is
 * right from its position LW_CDC_REACH on, so the first block begins that much early, and so does a last one that ends
 * where the readable bytes end.
 *
 * (C + 32768) mod 2^16 < limit is C < limit - 32768 with signs, one comparison. Few positions get through; their bits are
 * put in the order of the bytes, and for each the second part of the rule is computed.
 */
#include "chunk/chunk.h"

#include "vec.h"

struct constants {
	vq m1, m2, m3, limit;
};

/* What a block hands to the next. */
struct carry {
	vq even_a, even_b, odd_a, odd_b;
};

LW_INLINE vq step(const uint8_t *p, const struct constants *k, vq *a_before, vq *b_before)
{
	vq a = vq_add16(vq_mul16(vq_load(p - 1), k->m1), vq_load(p - 3));
	vq b = vq_add16(vq_mul16(a, k->m2), vq_shift_in_4(*a_before, a));
	vq c = vq_add16(vq_mul16(b, k->m3), vq_shift_in_8(*b_before, b));

	*a_before = a;
	*b_before = b;
	return c;
}

/* Bit i: p[i] may end a chunk, by the first part of the rule. */
LW_INLINE uint64_t block(const uint8_t *p, const struct constants *k, struct carry *carry)
{
	vq even = step(p, k, &carry->even_a, &carry->even_b);
	vq odd = step(p + 1, k, &carry->odd_a, &carry->odd_b);

	return vq_less16_bits(even, odd, k->limit);
}

/* The first of `bits`, for positions from `at` on, that passes and is in [from, to), or `to`. */
LW_INLINE size_t first_passing(const struct lw_cdc_rule *rule, const uint8_t *data, size_t at, uint64_t bits,
                               size_t from, size_t to)
{
	for (; bits; bits &= bits - 1) {
		size_t i = at + (size_t)__builtin_ctzll(bits);

		if (i >= from && i < to && lw_cdc_passes(rule, data + i))
			return i;
	}
	return to;
}

/* A block by itself, for the positions from `from` on; *done becomes the first position behind it. */
static size_t lone_block(const struct lw_cdc_rule *rule, const struct constants *k, const uint8_t *data, size_t at,
                         size_t from, size_t to, size_t *done)
{
	vq zero = vq_set1(0);
	struct carry carry = { zero, zero, zero, zero };

	*done = at + VQ_LANES;
	return first_passing(rule, data, at, block(data + at, k, &carry), from, to);
}

/* The scalar formula: what a range shorter than a block needs. */
static size_t find_slowly(const struct lw_cdc_rule *rule, const uint8_t *data, size_t from, size_t to, uint32_t limit)
{
	for (; from < to; from++) {
		uint32_t c = 0;

		for (unsigned back = 0; back < 8; back++) {
			const uint8_t *word = data + from - 1 - 2 * back;
			uint32_t weight = back & 1 ? 1 : rule->multiplier[0];

			weight *= back & 2 ? 1 : rule->multiplier[1];
			weight *= back & 4 ? 1 : rule->multiplier[2];
			c += weight * (word[0] + 256u * word[1]);
		}
		if ((uint16_t)(c + 32768) < limit && lw_cdc_passes(rule, data + from))
			break;
	}
	return from;
}

size_t LW_FN(cdc_find)(const struct lw_cdc_rule *rule, const uint8_t *data, size_t from, size_t to, size_t end,
                       uint32_t limit)
{
	const struct constants k = { vq_set16(rule->multiplier[0]), vq_set16(rule->multiplier[1]),
		                     vq_set16(rule->multiplier[2]), vq_set16((uint16_t)(limit - 32768)) };
	vq zero = vq_set1(0);
	struct carry carry = { zero, zero, zero, zero };
	size_t at = from - LW_CDC_REACH, found;

	if (end - at < VQ_LANES)
		return find_slowly(rule, data, from, to, limit);
	for (; at < to && end - at >= VQ_LANES; at += VQ_LANES) {
		uint64_t bits = block(data + at, &k, &carry);

		__builtin_prefetch((const void *)((uintptr_t)data + at + 4096));
		if (LW_UNLIKELY(bits) && (found = first_passing(rule, data, at, bits, from, to)) != to)
			return found;
	}
	/* Less than a block is left: one that overlaps, or two where the part that is right does not reach back. */
	for (from = at; from < to;) {
		at = from - LW_CDC_REACH < end - VQ_LANES ? from - LW_CDC_REACH : end - VQ_LANES;
		if ((found = lone_block(rule, &k, data, at, from, to, &from)) != to)
			return found;
	}
	return to;
}
