/* SPDX-License-Identifier: Apache-2.0 */
/* hamming_rows for rows of 48 bytes without gaps, for vectors of 64 bytes. */
#ifndef LW_HAMMING_48_H
#define LW_HAMMING_48_H

#include <immintrin.h>

#include "vec.h"

enum { ROW_48 = 48, ROWS_48 = 8, AHEAD_48 = 8192 };

LW_INLINE vq count_in_words(vq v)
{
#ifdef __AVX512VPOPCNTDQ__
	return _mm512_popcnt_epi64(v);
#else
	return _mm512_sad_epu8(vq_bit_counts(v), vq_set1(0));
#endif
}

/* The bits that differ in each word of 24 that follow one another: four rows. */
LW_INLINE void differing_words(const uint8_t *rows, const vq query[3], vq words[3])
{
#pragma GCC unroll 3
	for (size_t i = 0; i < 3; i++) {
		__builtin_prefetch(rows + AHEAD_48 + 64 * i);
		words[i] = count_in_words(vq_xor(query[i], vq_load(rows + 64 * i)));
	}
}

/*
 * Rows of 384 bits without gaps, all but the last few; returns how many. Three whole vectors are four rows, so nothing is
 * loaded twice or for nothing, and the instructions are half of those that count by words. Two fours share the vectors from
 * their words on: the first in the lower halves of 64-bit lanes, the second in the upper ones. Sums of two neighbouring words
 * are P0 ... P11, of which each row has three; they come about in the order P0 P4 P1 P5 P2 P6 P3 P7 and P8 - P9 - P10 - P11 -.
 */
static LW_NOINLINE size_t hamming_48(const uint8_t *query, const uint8_t *rows, size_t n_rows, uint32_t *out)
{
	const __m512i first = _mm512_setr_epi64(0, 6, 5, 10, 0, 0, 0, 0); /* P0 P3 P6 P9 */
	const __m512i second = _mm512_setr_epi64(2, 1, 7, 12, 0, 0, 0, 0);
	const __m512i third = _mm512_setr_epi64(4, 3, 8, 14, 0, 0, 0, 0);
	const __m256i in_order = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
	uint8_t repeated[4 * ROW_48];
	vq q[3];
	size_t r = 0;

	for (size_t i = 0; i < 4; i++)
		memcpy(repeated + i * ROW_48, query, ROW_48);
	for (size_t i = 0; i < 3; i++)
		q[i] = vq_load(repeated + 64 * i);
	for (; n_rows - r >= ROWS_48; r += ROWS_48, rows += ROWS_48 * ROW_48) {
		vq low[3], high[3], w[3];

		differing_words(rows, q, low);
		differing_words(rows + 4 * ROW_48, q, high);
#pragma GCC unroll 3
		for (int i = 0; i < 3; i++)
			w[i] = _mm512_or_si512(low[i], _mm512_slli_epi64(high[i], 32));

		__m512i to_7 = _mm512_add_epi64(_mm512_unpacklo_epi64(w[0], w[1]), _mm512_unpackhi_epi64(w[0], w[1]));
		__m512i from_8 = _mm512_add_epi64(w[2], _mm512_shuffle_epi32(w[2], _MM_PERM_BADC));
		__m512i sum = _mm512_add_epi64(_mm512_permutex2var_epi64(to_7, first, from_8),
		                               _mm512_permutex2var_epi64(to_7, second, from_8));

		sum = _mm512_add_epi64(sum, _mm512_permutex2var_epi64(to_7, third, from_8));
		_mm256_storeu_si256((__m256i *)(void *)(out + r),
		                    _mm256_permutevar8x32_epi32(_mm512_castsi512_si256(sum), in_order));
	}
	return r;
}

#endif
