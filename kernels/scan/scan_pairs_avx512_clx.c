/* SPDX-License-Identifier: Apache-2.0 */
/* scan_pairs: all bytes at once, loaded by a mask, so that there is no branch on how many they are. */
#include <immintrin.h>

#include "scan/scan_pairs.h"

LW_INLINE __m128i groups(const struct lw_scan_pairs *pairs, int place, __m128i low, __m128i high)
{
	return _mm_and_si128(_mm_shuffle_epi8(_mm_load_si128((const __m128i *)pairs->low[place]), low),
	                     _mm_shuffle_epi8(_mm_load_si128((const __m128i *)pairs->high[place]), high));
}

uint32_t LW_FN(scan_pairs)(const struct lw_scan_pairs *pairs, const uint8_t *bytes, size_t n, uint32_t before)
{
	__mmask16 there = (__mmask16)((1u << n) - 1);
	__m128i text = _mm_maskz_loadu_epi8(there, bytes), half = _mm_set1_epi8(15);
	__m128i low = _mm_and_si128(text, half), high = _mm_and_si128(_mm_srli_epi16(text, 4), half);
	__m128i firsts = _mm_slli_si128(groups(pairs, 0, low, high), 1);

	firsts = _mm_or_si128(firsts, _mm_cvtsi32_si128((int)before));
	if (LW_UNLIKELY(_mm_mask_test_epi8_mask(there, firsts, groups(pairs, 1, low, high)) != 0))
		return LW_SCAN_PAIR;
	return pairs->firsts[bytes[n - 1]];
}
