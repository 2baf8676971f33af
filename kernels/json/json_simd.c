/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of JSON text by 64-bit masks, one bit per byte: Langdale and Lemire, "Parsing gigabytes of JSON per second"
 * (2019). Blocks of 64 bytes become five masks (quotes, backslashes, {}[]:, and white space by table look-up, bytes
 * below 0x20); the rest is arithmetic on words, and what depends on earlier blocks is three bits.
 *
 *   escapes    backslashes after an even number of backslashes, and after each a byte that it takes with it
 *   in_string  1 from an opening quote up to before the closing one: bit i is the parity of the quotes 0 ... i, a prefix
 *              sum without carries, by six shifts
 *   scalars    neither white space nor {}[]:, nor quote; one begins where the byte before is none
 *
 * A block of less than 64 bytes at the end is filled up with spaces, and the three bits are those at its last byte.
 */
#include "block.h"

struct masks {
	uint64_t quote, backslash, op, space, control;
};

LW_INLINE struct masks classify(blk b)
{
	/* By the low four bits; [ ] and { } differ only in the bit 0x20, which 0x0c and 0x1a lack beside , and : */
	static const uint8_t spaces[16] = { ' ',  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		                            0xff, '\t', '\n', 0xff, 0xff, '\r', 0xff, 0xff };
	static const uint8_t operators[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		                               0xff, 0xff, ':',  '{',  ',',  '}',  0xff, 0xff };
	struct masks m;

	m.quote = blk_eq(b, '"');
	m.backslash = blk_eq(b, '\\');
	m.control = blk_below(b, 0x20);
	m.space = blk_in_table(b, v8_table(spaces));
	m.op = blk_in_table(blk_or(b, 0x20), v8_table(operators)) & ~m.control;
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

struct state {
	uint64_t in_string; /* all bits or none */
	uint64_t escaped, in_scalar;
};

/* The mask of what is indexed; `last` is the number of the last byte that counts, 63 or less at the end. */
LW_INLINE uint64_t index_block(blk b, struct state *s, unsigned last, uint64_t *control)
{
	struct masks m = classify(b);
	uint64_t begins = 0, escaped = s->escaped;

	if (m.backslash)
		begins = find_escapes(m.backslash, &escaped, &s->escaped);
	else
		s->escaped = 0;

	uint64_t quote = m.quote & ~escaped;
	uint64_t in_string = prefix_parity(quote) ^ s->in_string;
	uint64_t scalar = ~(m.op | m.space | quote);
	uint64_t first = scalar & ~(scalar << 1 | s->in_scalar);

	if (last != 63)
		s->escaped = begins >> last & 1;
	s->in_string = (uint64_t)0 - (in_string >> last & 1);
	s->in_scalar = scalar >> last & 1;
	*control = m.control & in_string;
	return ((m.op | first) & ~in_string) | quote | (begins & in_string);
}

#if V8_BYTES == 64

/* Positions of set bits to index[0 ...): may write up to 64 places. Returns the number of bits. */
LW_INLINE size_t write_positions(uint64_t bits, uint32_t base, uint32_t *index)
{
	size_t at = 0;

#pragma GCC unroll 4
	for (int part = 0; part < 4; part++) {
		uint32_t mask = (uint32_t)(bits >> 16 * part) & 0xffff;

		vu_store(index + at, vu_compress(vu_iota(base + 16 * (uint32_t)part), mask));
		at += (size_t)__builtin_popcount(mask);
	}
	return at;
}

#else

/* The lowest bit's number, which is any for no bits, and the bits without it. */
LW_INLINE uint32_t take_bit(uint64_t *bits)
{
#if defined(LW_THIS_TIER_IS_avx2)
	uint32_t bit = (uint32_t)_tzcnt_u64(*bits);
#else
	uint32_t bit = *bits ? (uint32_t)__builtin_ctzll(*bits) : 64;
#endif
	*bits &= *bits - 1;
	return bit;
}

/* The same: eight and eight without asking whether there are so many, as there are seldom more. */
LW_INLINE size_t write_positions(uint64_t bits, uint32_t base, uint32_t *index)
{
	size_t count = (size_t)__builtin_popcountll(bits);

#pragma GCC unroll 8
	for (size_t i = 0; i < 8; i++)
		index[i] = base + take_bit(&bits);
	if (LW_UNLIKELY(count > 8)) {
#pragma GCC unroll 8
		for (size_t i = 8; i < 16; i++)
			index[i] = base + take_bit(&bits);
		for (size_t i = 16; i < count; i++)
			index[i] = base + take_bit(&bits);
	}
	return count;
}

#endif

LW_INLINE v8 blk_join(blk b)
{
	v8 all = b.v[0];

#pragma GCC unroll 4
	for (int i = 1; i < BLK_PARTS; i++)
		all = v8_or(all, b.v[i]);
	return all;
}

size_t LW_FN(json_index)(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint32_t base, uint32_t *index,
                         struct lw_json_seen *seen)
{
	struct state s = { (uint64_t)0 - carry->in_string, carry->escaped, carry->in_scalar };
	uint64_t controls;
	size_t count = 0, at = 0, control = n;
	v8 all = v8_set1(0);

	for (; n - at >= 64; at += 64) {
		blk b = blk_load(text + at);
		uint64_t bits = index_block(b, &s, 63, &controls);

		all = v8_or(all, blk_join(b));
		if (LW_UNLIKELY(controls) && control == n)
			control = at + (size_t)__builtin_ctzll(controls);
		if (bits)
			count += write_positions(bits, base + (uint32_t)at, index + count);
	}
	if (n > at) {
		blk b = blk_load_first(text + at, n - at);
		uint64_t bits = index_block(b, &s, (unsigned)(n - at - 1), &controls);

		all = v8_or(all, blk_join(b));
		if (controls && control == n)
			control = at + (size_t)__builtin_ctzll(controls);
		for (; bits; bits &= bits - 1) /* one by one, so that nothing behind the index is written */
			index[count++] = base + (uint32_t)(at + (size_t)__builtin_ctzll(bits));
	}
	carry->in_string = s.in_string & 1;
	carry->escaped = s.escaped & 1;
	carry->in_scalar = s.in_scalar & 1;
	*seen = (struct lw_json_seen) { control, v8_any_high(all) };
	return count;
}

size_t LW_FN(json_plain)(const uint8_t *text, size_t n)
{
	size_t at = 0;

	for (; at < n; at += 64) {
		blk b = n - at >= 64 ? blk_load(text + at) : blk_load_first(text + at, n - at);
		uint64_t bits = blk_eq(b, '"') | blk_eq(b, '\\') | blk_below(b, 0x20);

		if (bits)
			return at + (size_t)__builtin_ctzll(bits);
	}
	return n;
}
