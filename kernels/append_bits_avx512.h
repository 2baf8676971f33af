/* SPDX-License-Identifier: Apache-2.0 */
/* Positions of the bits of words, by compression (VBMI2). */
#ifndef LW_APPEND_BITS_AVX512_H
#define LW_APPEND_BITS_AVX512_H

#include <immintrin.h>

#include "common.h"

/* The numbers of a word's bits; the rest is anything. Merged, not zeroed: for a full mask Bochs (tools/icelake) gives zeros. */
LW_INLINE __m512i lw_numbers_of_bits(uint64_t word)
{
	static const uint8_t numbers[64] = {
		0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
		22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
		44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
	};
	__m512i all = _mm512_loadu_si512(numbers);

	return _mm512_mask_compress_epi8(all, word, all);
}

LW_INLINE void lw_store_16_positions(uint32_t *to, __m512i base, __m128i numbers)
{
	_mm512_storeu_si512(to, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(numbers)));
}

/* base plus the number of each bit; may write up to 64 places. Returns the number of bits. */
LW_INLINE size_t lw_store_positions(uint64_t word, __m512i base, uint32_t *to)
{
	size_t n_bits = (size_t)__builtin_popcountll(word);
	__m512i numbers = lw_numbers_of_bits(word);

	lw_store_16_positions(to, base, _mm512_castsi512_si128(numbers));
	if (LW_UNLIKELY(n_bits > 16)) {
		lw_store_16_positions(to + 16, base, _mm512_extracti32x4_epi32(numbers, 1));
		if (LW_UNLIKELY(n_bits > 32)) {
			lw_store_16_positions(to + 32, base, _mm512_extracti32x4_epi32(numbers, 2));
			lw_store_16_positions(to + 48, base, _mm512_extracti32x4_epi32(numbers, 3));
		}
	}
	return n_bits;
}

/* Appends the positions of a word's bits, of which the lowest is at `first`; `raw` has room for 64. */
LW_INLINE size_t lw_append_compressed(uint64_t word, size_t first, uint16_t *raw, size_t n)
{
	size_t n_bits = (size_t)__builtin_popcountll(word);
	__m512i begin = _mm512_set1_epi16((short)first), numbers = lw_numbers_of_bits(word);
	__m256i low = _mm512_castsi512_si256(numbers), high = _mm512_extracti64x4_epi64(numbers, 1);

	_mm512_storeu_si512(raw + n, _mm512_add_epi16(begin, _mm512_cvtepu8_epi16(low)));
	if (LW_UNLIKELY(n_bits > 32))
		_mm512_storeu_si512(raw + n + 32, _mm512_add_epi16(begin, _mm512_cvtepu8_epi16(high)));
	return n + n_bits;
}

#endif
