/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 in 256- and 512-bit vectors: Muła and Lemire, "Faster base64 encoding and decoding using AVX2 instructions"
 * (2018). (NEON loads and stores groups of three and four by itself: base64_neon.c.)
 *
 * Encoding. Each 128-bit lane takes 12 bytes. A shuffle gives every four output bytes the three input bytes they come
 * from, multiplications shift each of the four 6-bit fields to its byte, and a character is its value plus an offset
 * that depends on which of the five ranges of the alphabet the value is in.
 *
 * Decoding. The high half of a character tells its range, so by how much it differs from its value; one character, '/' or
 * '_', shares its high half with others and is told apart by a comparison. Whether a character is of the alphabet: for
 * each high half there is a set of valid low halves; the six different sets have a bit each, set in the table of low
 * halves where the low half is *not* in the set. Two multiply-adds and a shuffle put the four values together.
 *
 * What is less than a vector at the end goes through a copy of it.
 */
#include "block.h"

#include "base64_tables.h"

#if V8_BYTES == 64
#define WIDE(name) _mm512_##name
LW_INLINE v8 from_lanes_of_12(const uint8_t *p) /* reads 64 bytes */
{
	return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11),
	                                v8_load(p));
}
LW_INLINE void to_lanes_of_12(uint8_t *p, v8 v) /* writes 48 bytes */
{
	v = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0), v);
	_mm512_mask_storeu_epi32(p, 0xfff, v);
}
LW_INLINE void store(uint8_t *p, v8 v) { _mm512_storeu_si512(p, v); }
LW_INLINE v8 equal(v8 a, v8 b) { return _mm512_movm_epi8(_mm512_cmpeq_epi8_mask(a, b)); }
LW_INLINE v8 above(v8 a, v8 b) { return _mm512_movm_epi8(_mm512_cmpgt_epi8_mask(a, b)); }
#else
#define WIDE(name) _mm256_##name
LW_INLINE v8 from_lanes_of_12(const uint8_t *p) /* reads 32 bytes */
{
	return _mm256_permutevar8x32_epi32(v8_load(p), _mm256_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5));
}
LW_INLINE void to_lanes_of_12(uint8_t *p, v8 v) /* writes 24 bytes */
{
	v = _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 6, 6));
	_mm_storeu_si128((__m128i *)p, _mm256_castsi256_si128(v));
	_mm_storel_epi64((__m128i *)(p + 16), _mm256_extracti128_si256(v, 1));
}
LW_INLINE void store(uint8_t *p, v8 v) { _mm256_storeu_si256((__m256i *)p, v); }
LW_INLINE v8 equal(v8 a, v8 b) { return _mm256_cmpeq_epi8(a, b); }
LW_INLINE v8 above(v8 a, v8 b) { return _mm256_cmpgt_epi8(a, b); }
#endif

/* Groups in a vector. */
enum { GROUPS = V8_BYTES / 4 };

/* -------------------------------------------------------------- encoding */

LW_INLINE v8 encode_vector(v8 in, v8 offsets)
{
	static const uint8_t spread[16] = { 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10 };

	in = v8_lookup(in, v8_table(spread));
	/* In every 32 bits, of the bytes b a c b: fields 0 and 2 shifted right by 10 and 6, 1 and 3 left by 4 and 8. */
	v8 right = WIDE(mulhi_epu16)(v8_and(in, WIDE(set1_epi32)(0x0fc0fc00)), WIDE(set1_epi32)(0x04000040));
	v8 left = WIDE(mullo_epi16)(v8_and(in, WIDE(set1_epi32)(0x003f03f0)), WIDE(set1_epi32)(0x01000010));
	v8 value = v8_or(right, left);
	/* 0: 26 ... 51; 1 ... 12: 52 ... 63; 13: 0 ... 25. */
	v8 range = v8_subs(value, v8_set1(51));

	range = v8_or(range, v8_and(above(v8_set1(26), value), v8_set1(13)));
	return WIDE(add_epi8)(value, v8_lookup(offsets, range));
}

void LW_FN(base64_encode)(const uint8_t *in, size_t n_groups, int url, uint8_t *out)
{
#define DIGIT (uint8_t)('0' - 52)
	static const uint8_t offsets[2][16] = {
		{ 'a' - 26, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, (uint8_t)('+' - 62),
		  (uint8_t)('/' - 63), 'A' },
		{ 'a' - 26, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, (uint8_t)('-' - 62),
		  '_' - 63, 'A' },
	};
	v8 table = v8_table(offsets[url]);
	size_t i = 0;

	/* A vector is loaded whole, of which three quarters are used. */
	for (; 3 * (n_groups - i) >= V8_BYTES + 3 * GROUPS; i += 2 * GROUPS) {
		store(out + 4 * i, encode_vector(from_lanes_of_12(in + 3 * i), table));
		store(out + 4 * (i + GROUPS), encode_vector(from_lanes_of_12(in + 3 * (i + GROUPS)), table));
	}
	for (; 3 * (n_groups - i) >= V8_BYTES; i += GROUPS)
		store(out + 4 * i, encode_vector(from_lanes_of_12(in + 3 * i), table));
	while (i < n_groups) {
		uint8_t bytes[V8_BYTES] = { 0 }, text[V8_BYTES];
		size_t n = n_groups - i < GROUPS ? n_groups - i : GROUPS;

		memcpy(bytes, in + 3 * i, 3 * n);
		store(text, encode_vector(from_lanes_of_12(bytes), table));
		memcpy(out + 4 * i, text, 4 * n);
		i += n;
	}
}

/* -------------------------------------------------------------- decoding */

struct decoder {
	v8 offset, bad_low, high_set, special;
};

/* In bits: 1 high halves without characters, 2 high half 2, 4 digits, 8 A-O and a-o, 16 P-Z and, url, '_', 32 p-z. */
#define BAD_LOW(low, in_2, in_5) \
	(uint8_t)(1 | ((in_2) ? 0 : 2) | ((low) <= 9 ? 0 : 4) | ((low) >= 1 ? 0 : 8) | ((in_5) ? 0 : 16) | \
	          ((low) <= 10 ? 0 : 32))
#define STANDARD(low) BAD_LOW(low, (low) == 11 || (low) == 15, (low) <= 10)
#define URL(low)      BAD_LOW(low, (low) == 13, (low) <= 10 || (low) == 15)
#define ALL_LOW(set) \
	{ set(0), set(1), set(2),  set(3),  set(4),  set(5),  set(6),  set(7), \
	  set(8), set(9), set(10), set(11), set(12), set(13), set(14), set(15) }

LW_INLINE struct decoder make_decoder(int url)
{
	static const uint8_t bad_low[2][16] = { ALL_LOW(STANDARD), ALL_LOW(URL) };
	static const uint8_t high_set[16] = { 1, 1, 2, 4, 8, 16, 8, 32, 1, 1, 1, 1, 1, 1, 1, 1 };
	/* What to add to a character, by its high half, and at 2 + 8 or 5 + 8 to '/' or '_'. */
	static const uint8_t offset[2][16] = {
		{ 0, 0, 62 - '+', 52 - '0', (uint8_t)-'A', (uint8_t)-'A', (uint8_t)(26 - 'a'), (uint8_t)(26 - 'a'), 0,
		  0, 63 - '/' },
		{ 0, 0, 62 - '-', 52 - '0', (uint8_t)-'A', (uint8_t)-'A', (uint8_t)(26 - 'a'), (uint8_t)(26 - 'a'), 0,
		  0, 0, 0, 0, (uint8_t)(63 - '_') },
	};

	return (struct decoder) { v8_table(offset[url]), v8_table(bad_low[url]), v8_table(high_set),
		                  v8_set1(url ? '_' : '/') };
}

/* Bits are set where characters are not of the alphabet. */
LW_INLINE v8 find_bad(const struct decoder *d, v8 text)
{
	return v8_and(v8_lookup(d->bad_low, v8_low_nibble(text)), v8_lookup(d->high_set, v8_high_nibble(text)));
}

LW_INLINE v8 decode_vector(const struct decoder *d, v8 text)
{
	static const uint8_t gather[16] = { 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 0x80, 0x80, 0x80, 0x80 };
	v8 range = v8_or(v8_high_nibble(text), v8_and(equal(text, d->special), v8_set1(8)));
	v8 value = WIDE(add_epi8)(text, v8_lookup(d->offset, range));
	v8 pairs = WIDE(maddubs_epi16)(value, WIDE(set1_epi32)(0x01400140));
	v8 groups = WIDE(madd_epi16)(pairs, WIDE(set1_epi32)(0x00011000));

	return v8_lookup(groups, v8_table(gather));
}

size_t LW_FN(base64_decode)(const uint8_t *in, size_t n_groups, int url, uint8_t *out)
{
	const struct decoder d = make_decoder(url);
	size_t i = 0;

	for (; n_groups - i >= 2 * GROUPS; i += 2 * GROUPS) {
		v8 first = v8_load(in + 4 * i), second = v8_load(in + 4 * (i + GROUPS));

		if (LW_UNLIKELY(v8_any(v8_or(find_bad(&d, first), find_bad(&d, second)))))
			break;
		to_lanes_of_12(out + 3 * i, decode_vector(&d, first));
		to_lanes_of_12(out + 3 * (i + GROUPS), decode_vector(&d, second));
	}
	for (; n_groups - i >= GROUPS; i += GROUPS) {
		v8 text = v8_load(in + 4 * i);

		if (LW_UNLIKELY(v8_any(find_bad(&d, text))))
			break;
		to_lanes_of_12(out + 3 * i, decode_vector(&d, text));
	}
	if (i < n_groups && n_groups - i < GROUPS) {
		uint8_t rest[V8_BYTES], bytes[V8_BYTES];

		memset(rest, 'A', sizeof rest);
		memcpy(rest, in + 4 * i, 4 * (n_groups - i));
		v8 text = v8_load(rest);

		if (!v8_any(find_bad(&d, text))) {
			to_lanes_of_12(bytes, decode_vector(&d, text));
			memcpy(out + 3 * i, bytes, 3 * (n_groups - i));
			return n_groups;
		}
	}
	while (i < n_groups && lw_base64_decode_group(in + 4 * i, out + 3 * i, url))
		i++;
	return i;
}
