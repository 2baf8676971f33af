/* SPDX-License-Identifier: Apache-2.0 */
/* Positions of the bits of words, by compression (VBMI2), for kernels that look for candidates. */
#ifndef LW_APPEND_BITS_AVX512_H
#define LW_APPEND_BITS_AVX512_H

#include <immintrin.h>

#include "common.h"

/*
 * Words that are not 0 go to the front, their numbers to `numbers`; returns how many. There are at most 256 words; both
 * arrays have room for eight more than n_words.
 */
LW_INLINE size_t lw_keep_words(uint64_t *words, size_t n_words, uint8_t *numbers)
{
	__m128i number = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 0, 0, 0, 0);
	size_t n = 0;

	for (size_t i = n_words; i % 8; i++)
		words[i] = 0;
	for (size_t i = 0; i < n_words; i += 8) {
		__m512i eight = _mm512_loadu_si512(words + i);
		__mmask8 any = _mm512_test_epi64_mask(eight, eight);

		_mm512_storeu_si512(words + n, _mm512_maskz_compress_epi64(any, eight));
		_mm_storel_epi64((__m128i *)(numbers + n), _mm_maskz_compress_epi8(any, number));
		number = _mm_add_epi8(number, _mm_set1_epi8(8));
		n += (size_t)__builtin_popcount(any);
	}
	return n;
}

LW_INLINE void lw_store_positions(uint16_t *raw, __m512i begin, __m256i numbers)
{
	_mm512_storeu_si512(raw, _mm512_add_epi16(begin, _mm512_cvtepu8_epi16(numbers)));
}

/* Appends the positions of a word's bits, of which the lowest is at `first`; `raw` has room for 64. */
LW_INLINE size_t lw_append_compressed(uint64_t word, size_t first, uint16_t *raw, size_t n)
{
	static const uint8_t numbers[64] = {
		0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
		22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
		44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
	};
	size_t n_bits = (size_t)__builtin_popcountll(word);
	__m512i begin = _mm512_set1_epi16((short)first), all = _mm512_loadu_si512(numbers);

	if (LW_LIKELY(n_bits <= 32)) {
		__m512i at = _mm512_maskz_compress_epi8(word, all);

		lw_store_positions(raw + n, begin, _mm512_castsi512_si256(at));
	} else { /* by halves; Bochs takes a mask with all 64 bits for one with none */
		__m256i low = _mm512_castsi512_si256(all), high = _mm512_extracti64x4_epi64(all, 1);
		size_t n_low = (size_t)__builtin_popcount((uint32_t)word);

		lw_store_positions(raw + n, begin, _mm256_maskz_compress_epi8((uint32_t)word, low));
		lw_store_positions(raw + n + n_low, begin, _mm256_maskz_compress_epi8((uint32_t)(word >> 32), high));
	}
	return n + n_bits;
}

#endif
