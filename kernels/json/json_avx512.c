/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of JSON text, 512 bytes at a time: what json_simd.c does with words, one after the other, is done here with
 * eight words in a vector. They come about by a transposition of bits instead of comparisons and moves to registers:
 *
 *   class    four bits for each byte, from a table of 128. Two blocks of 64 bytes share a vector, the second in the upper
 *            four bits.
 *   planes   an affine product with the class bytes as matrices transposes 8 x 8 bits, so that eight bytes hold bit 0 of
 *            eight classes, bit 1, and so on; byte permutations put together what belongs to a word, and permutations of 128
 *            bits what belongs to a vector of words. (The product turns the order of bits round; another turns it
 *            back.)
 *
 * What follows is that of json_words.h; parities of quotes are products of polynomials again.
 *
 * Positions are those of the group before, whose words have left the vector through memory in the meantime: the bytes
 * 0 ... 63 compressed and widened. The words of what is less than a group at the end come from the tier below.
 */
#include "append_bits_avx512.h"
#include "json_words.h"

/* White space below 0x20 is WHITE and CONTROL too; quotes and backslashes have one bit alone, others of these two. */
enum { OP = 1, WHITE = 2, QUOTE_OR_CONTROL = 4, BACKSLASH_OR_CONTROL = 8 };

#define CLASS(c) \
	((c) == '\t' || (c) == '\n' || (c) == '\r' ? WHITE | QUOTE_OR_CONTROL \
	 : (c) < 0x20                              ? QUOTE_OR_CONTROL | BACKSLASH_OR_CONTROL \
	 : (c) == ' '                              ? WHITE \
	 : (c) == '"'                              ? QUOTE_OR_CONTROL \
	 : (c) == '\\'                             ? BACKSLASH_OR_CONTROL \
	 : (c) == '{' || (c) == '}' || (c) == '[' || (c) == ']' || (c) == ':' || (c) == ',' ? OP | WHITE \
	                                                                                    : 0)
#define FOUR(of, i)    of(i), of((i) + 1), of((i) + 2), of((i) + 3)
#define SIXTEEN(of, i) FOUR(of, i), FOUR(of, (i) + 4), FOUR(of, (i) + 8), FOUR(of, (i) + 12)
#define ALL_64(of, i)  SIXTEEN(of, i), SIXTEEN(of, (i) + 16), SIXTEEN(of, (i) + 32), SIXTEEN(of, (i) + 48)

LW_INLINE v8 look_up(const uint8_t table[128], v8 bytes)
{
	/* Only seven bits of the index count; 0x7f is of no class. */
	return _mm512_permutex2var_epi8(v8_load(table), _mm512_min_epu8(bytes, v8_set1(0x7f)), v8_load(table + 64));
}

/* Words of two blocks, one behind the other, in the four parts of 128 bits, whose bytes have their bits in reverse. */
LW_INLINE v8 transpose_two(v8 first, v8 second)
{
	static const uint8_t low[128] = { ALL_64(CLASS, 0), ALL_64(CLASS, 64) };
#define HIGH_CLASS(c) (CLASS(c)) << 4
	static const uint8_t high[128] = { ALL_64(HIGH_CLASS, 0), ALL_64(HIGH_CLASS, 64) };
	/* Byte i of a word from byte 8 * i + plane; planes 4 ... 7 are those of the second block. */
#define OF_WORD(plane) \
	(plane), (plane) + 8, (plane) + 16, (plane) + 24, (plane) + 32, (plane) + 40, (plane) + 48, (plane) + 56
#define OF_PART(plane) OF_WORD(plane), OF_WORD((plane) + 4)
	static const uint8_t gather[64] = { OF_PART(0), OF_PART(1), OF_PART(2), OF_PART(3) };
	v8 classes = v8_or(look_up(low, first), look_up(high, second));
	v8 bits = _mm512_gf2p8affine_epi64_epi8(_mm512_set1_epi64((int64_t)0x8040201008040201), classes, 0);

	return _mm512_permutexvar_epi8(v8_load(gather), bits);
}

LW_INLINE v8 reverse_bits(v8 v)
{
	return _mm512_gf2p8affine_epi64_epi8(v, _mm512_set1_epi64((int64_t)0x8040201008040201), 0);
}

LW_INLINE struct planes classify_group(const v8 in[WORDS])
{
	v8 a = transpose_two(in[0], in[1]), b = transpose_two(in[2], in[3]);
	v8 c = transpose_two(in[4], in[5]), d = transpose_two(in[6], in[7]);
	v8 ab_low = _mm512_shuffle_i64x2(a, b, 0x44), ab_high = _mm512_shuffle_i64x2(a, b, 0xee);
	v8 cd_low = _mm512_shuffle_i64x2(c, d, 0x44), cd_high = _mm512_shuffle_i64x2(c, d, 0xee);

	v8 op = reverse_bits(_mm512_shuffle_i64x2(ab_low, cd_low, 0x88));
	v8 white = reverse_bits(_mm512_shuffle_i64x2(ab_low, cd_low, 0xdd));
	v8 quote_or_control = reverse_bits(_mm512_shuffle_i64x2(ab_high, cd_high, 0x88));
	v8 backslash_or_control = reverse_bits(_mm512_shuffle_i64x2(ab_high, cd_high, 0xdd));

	return (struct planes) {
		.quote = _mm512_ternarylogic_epi64(quote_or_control, white, backslash_or_control,
		                                   0x10), /* a & ~b & ~c */
		.backslash = _mm512_andnot_si512(quote_or_control, backslash_or_control),
		.op = op,
		.white = white,
		.control = _mm512_ternarylogic_epi64(quote_or_control, white, backslash_or_control,
		                                     0xe0), /* a & (b | c) */
	};
}

LW_INLINE size_t write_group(const uint64_t words[WORDS], uint32_t base, uint32_t *index)
{
	vu first = vu_set1(base);
	size_t count = 0;

#pragma GCC unroll 8
	for (int i = 0; i < WORDS; i++) {
		count += lw_store_positions(words[i], first, index + count);
		first = vu_add(first, vu_set1(64));
	}
	return count;
}

/* Whole groups; positions to `index` or, if that is NULL, masks to `words`. */
LW_INLINE size_t index_groups(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint32_t base,
                              uint32_t *index, uint64_t *words, struct lw_json_seen *seen)
{
	struct group_state s = group_begin(carry);
	_Alignas(64) uint64_t group[WORDS];
	size_t count = 0, control = n;
	v8 all = v8_set1(0);

	for (size_t at = 0; at < n; at += GROUP) {
		v8 in[WORDS], controls, bits;

#pragma GCC unroll 8
		for (size_t i = 0; i < WORDS; i++) {
			in[i] = v8_load(text + at + 64 * i);
			/* So much work fills the window of instructions before it comes to the loads further on. */
			_mm_prefetch((const char *)((uintptr_t)(text + at + 64 * i) + 4096), _MM_HINT_T0);
		}
#pragma GCC unroll 4
		for (size_t i = 0; i < WORDS; i += 2)
			all = _mm512_ternarylogic_epi64(all, in[i], in[i + 1], 0xfe); /* a | b | c */
		bits = index_group(classify_group(in), &s, &controls);
		if (LW_UNLIKELY(_mm512_test_epi64_mask(controls, controls)) && control == n)
			control = at + first_bit(controls);
		if (!index) {
			v8_store(words + at / 64, bits);
			continue;
		}
		if (at)
			count += write_group(group, base + (uint32_t)(at - GROUP), index + count);
		v8_store(group, bits);
	}
	if (index && n)
		count += write_group(group, base + (uint32_t)(n - GROUP), index + count);
	group_end(&s, carry);
	*seen = (struct lw_json_seen) { control, v8_any_high(all) };
	return count;
}

#include "append_bits_avx512.h"
/* The same as write_positions, and nothing behind them is written. */
LW_INLINE size_t write_only_positions(uint64_t bits, vu base, uint32_t *index)
{
	v8 places = lw_numbers_of_bits(bits);
	size_t count = (size_t)__builtin_popcountll(bits);

	for (size_t at = 0; at < count; at += 16) {
		size_t n = count - at < 16 ? count - at : 16;

		vu_store_first(index + at, vu_add(base, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(places))), n);
		places = _mm512_shuffle_i64x2(places, places, 0x39); /* the next 16 to the front */
	}
	return count;
}

/* Less than a group. */
LW_INLINE size_t index_rest(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint32_t base, uint32_t *index,
                            struct lw_json_seen *seen)
{
	uint64_t words[WORDS];
	vu first = vu_set1(base);
	size_t count = 0, at = 0;

	lanewise_json_bits_avx512_clx(text, n, carry, words, seen);
	for (; n - at >= 64; at += 64) {
		count += lw_store_positions(words[at / 64], first, index + count);
		first = vu_add(first, vu_set1(64));
	}
	if (n > at)
		count += write_only_positions(words[at / 64], first, index + count);
	return count;
}

size_t LW_FN(json_index)(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint32_t base, uint32_t *index,
                         struct lw_json_seen *seen)
{
	size_t grouped = n & ~(size_t)(GROUP - 1), count = 0;
	struct lw_json_seen rest;

	if (n < GROUP)
		return index_rest(text, n, carry, base, index, seen);
	count = index_groups(text, grouped, carry, base, index, NULL, seen);
	if (n > grouped) {
		count += index_rest(text + grouped, n - grouped, carry, base + (uint32_t)grouped, index + count, &rest);
		add_seen(seen, &rest, grouped);
	}
	return count;
}

void LW_FN(json_bits)(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint64_t *words,
                      struct lw_json_seen *seen)
{
	size_t grouped = n & ~(size_t)(GROUP - 1);
	struct lw_json_seen rest;

	index_groups(text, grouped, carry, 0, NULL, words, seen);
	if (n > grouped) {
		lanewise_json_bits_avx512_clx(text + grouped, n - grouped, carry, words + grouped / 64, &rest);
		add_seen(seen, &rest, grouped);
	}
}

/* ---------------------------------------------------------------- numbers */

size_t LW_FN(json_ends)(const uint8_t *text, size_t n, int *within, uint32_t base, uint32_t *ends)
{
	uint64_t before = (uint64_t)*within;
	vu first = vu_set1(base);
	size_t at = 0, count = 0;

	for (; n - at >= 64; at += 64) {
		v8 x = v8_load(text + at);
		uint64_t between = v8_bits_eq(x, v8_set1(',')) | v8_bits_below(x, v8_set1(0x21));

		count += lw_store_positions(between & (~between << 1 | before), first, ends + count);
		first = vu_add(first, vu_set1(64));
		before = ~between >> 63;
	}
	*within = (int)before;
	if (n > at)
		count += lanewise_json_ends_avx512_clx(text + at, n - at, within, base + (uint32_t)at, ends + count);
	return count;
}
