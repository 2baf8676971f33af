/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 with permutations of whole vectors by bytes: Muła and Lemire, "Base64 encoding and decoding at almost the speed
 * of a memory copy" (2019). 48 bytes are 64 characters.
 *
 * Encoding. A permutation gives every four characters the three bytes they come from, one instruction picks the 6-bit
 * fields, and another permutation looks them up in the alphabet: it does not look at the upper two bits of its index.
 *
 * Decoding. A permutation of two vectors looks characters up in a table of 128, where what is not of the alphabet has the
 * upper bit; other bytes have it themselves. Two multiply-adds put four values together.
 *
 * What is less than a vector at the end goes through masks.
 */
#include "block.h"

#include "base64_tables.h"

/* In a vector. */
enum { GROUPS = 16, BYTES = 3 * GROUPS };

#define FOUR(of, i)    of(i), of((i) + 1), of((i) + 2), of((i) + 3)
#define SIXTEEN(of, i) FOUR(of, i), FOUR(of, (i) + 4), FOUR(of, (i) + 8), FOUR(of, (i) + 12)
#define ALL_64(of, i)  SIXTEEN(of, i), SIXTEEN(of, (i) + 16), SIXTEEN(of, (i) + 32), SIXTEEN(of, (i) + 48)

/* n groups of `size` bytes or characters, at most a vector of them, as a mask of bytes. */
LW_INLINE uint64_t first_groups(size_t n, size_t size) { return n * size < 64 ? v8_first_mask(n * size) : UINT64_MAX; }

/* -------------------------------------------------------------- encoding */

struct encoder {
	v8 spread, shifts, alphabet;
};

LW_INLINE struct encoder make_encoder(int url)
{
#define SPREAD(i) 3 * (i) + 1, 3 * (i), 3 * (i) + 2, 3 * (i) + 1
	static const uint8_t spread[64] = { SIXTEEN(SPREAD, 0) };

	/* Of the bytes b a c b in 32 bits the fields begin at bits 10, 4, 22 and 16. */
	return (struct encoder) { v8_load(spread), _mm512_set1_epi64(0x3036242a1016040a),
		                  v8_load(lw_base64_alphabet[url]) };
}

/* Of 64 bytes 48 are used. */
LW_INLINE v8 encode_vector(const struct encoder *e, v8 in)
{
	v8 fields = _mm512_multishift_epi64_epi8(e->shifts, _mm512_permutexvar_epi8(e->spread, in));

	return _mm512_permutexvar_epi8(fields, e->alphabet);
}

void LW_FN(base64_encode)(const uint8_t *in, size_t n_groups, int url, uint8_t *out)
{
	const struct encoder e = make_encoder(url);
	size_t i = 0;

	/* Vectors are loaded whole, of which three quarters are used. */
	for (; 3 * (n_groups - i) >= 3 * BYTES + 64; i += 4 * GROUPS) {
#pragma GCC unroll 4
		for (size_t j = i; j < i + 4 * GROUPS; j += GROUPS)
			v8_store(out + 4 * j, encode_vector(&e, v8_load(in + 3 * j)));
	}
	while (i < n_groups) {
		size_t n = n_groups - i < GROUPS ? n_groups - i : GROUPS;
		v8 bytes = _mm512_maskz_loadu_epi8(first_groups(n, 3), in + 3 * i);

		_mm512_mask_storeu_epi8(out + 4 * i, first_groups(n, 4), encode_vector(&e, bytes));
		i += n;
	}
}

/* -------------------------------------------------------------- decoding */

struct decoder {
	v8 low, high, gather; /* the values of characters 0 ... 63 and 64 ... 127 */
};

#define VALUE(c, last_but_one, last) \
	((c) >= 'A' && (c) <= 'Z'   ? (c) - 'A' \
	 : (c) >= 'a' && (c) <= 'z' ? (c) - 'a' + 26 \
	 : (c) >= '0' && (c) <= '9' ? (c) - '0' + 52 \
	 : (c) == (last_but_one)    ? 62 \
	 : (c) == (last)            ? 63 \
	                            : 0x80)
#define STANDARD(c) VALUE(c, '+', '/')
#define URL(c)      VALUE(c, '-', '_')

LW_INLINE struct decoder make_decoder(int url)
{
	static const uint8_t values[2][128] = { { ALL_64(STANDARD, 0), ALL_64(STANDARD, 64) },
		                                { ALL_64(URL, 0), ALL_64(URL, 64) } };
#define GATHER(i) 4 * (i) + 2, 4 * (i) + 1, 4 * (i)
	static const uint8_t gather[64] = { SIXTEEN(GATHER, 0) };

	return (struct decoder) { v8_load(values[url]), v8_load(values[url] + 64), v8_load(gather) };
}

LW_INLINE v8 look_up(const struct decoder *d, v8 text) { return _mm512_permutex2var_epi8(d->low, text, d->high); }

/* 48 bytes of the values of 64 characters. */
LW_INLINE v8 decode_vector(const struct decoder *d, v8 values)
{
	v8 pairs = _mm512_maddubs_epi16(values, _mm512_set1_epi32(0x01400140));
	v8 groups = _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x00011000));

	return _mm512_permutexvar_epi8(d->gather, groups);
}

size_t LW_FN(base64_decode)(const uint8_t *in, size_t n_groups, int url, uint8_t *out)
{
	const struct decoder d = make_decoder(url);
	size_t i = 0;

	/* Vectors are stored whole, of which three quarters are used. */
	for (; 3 * (n_groups - i) >= 3 * BYTES + 64; i += 4 * GROUPS) {
		v8 values[4], bad = v8_set1(0);

#pragma GCC unroll 4
		for (size_t j = 0; j < 4; j++) {
			v8 text = v8_load(in + 4 * (i + j * GROUPS));

			values[j] = look_up(&d, text);
			bad = _mm512_ternarylogic_epi64(bad, text, values[j], 0xfe); /* a | b | c */
		}
		if (LW_UNLIKELY(v8_any_high(bad)))
			break;
#pragma GCC unroll 4
		for (size_t j = 0; j < 4; j++)
			v8_store(out + 3 * (i + j * GROUPS), decode_vector(&d, values[j]));
	}
	while (i < n_groups) {
		size_t n = n_groups - i < GROUPS ? n_groups - i : GROUPS;
		v8 text = _mm512_mask_loadu_epi8(v8_set1('A'), first_groups(n, 4), in + 4 * i);
		v8 values = look_up(&d, text);

		if (LW_UNLIKELY(v8_any_high(v8_or(text, values))))
			break;
		_mm512_mask_storeu_epi8(out + 3 * i, first_groups(n, 3), decode_vector(&d, values));
		i += n;
	}
	while (i < n_groups && lw_base64_decode_group(in + 4 * i, out + 3 * i, url))
		i++;
	return i;
}
