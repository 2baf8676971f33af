/* SPDX-License-Identifier: Apache-2.0 */
/* scan_pairs: all bytes at once, of which up to 16 are put together without a branch on how many they are. */
#include <immintrin.h>

#include "scan/scan_few.h"
#include "scan/scan_pairs.h"

LW_INLINE __m128i groups(const struct lw_scan_pairs *pairs, int place, __m128i low, __m128i high)
{
	return _mm_and_si128(_mm_shuffle_epi8(_mm_load_si128((const __m128i *)pairs->low[place]), low),
	                     _mm_shuffle_epi8(_mm_load_si128((const __m128i *)pairs->high[place]), high));
}

LW_INLINE __m128i load_bytes(const uint8_t *bytes, size_t n)
{
	uint64_t end;

	if (LW_LIKELY(n <= 8))
		return _mm_cvtsi64_si128((long long)lw_scan_load_few(bytes, n));
	memcpy(&end, bytes + n - 8, sizeof end);
	end = n == 16 ? end : end >> 8 * (16 - n);
	return _mm_insert_epi64(_mm_loadl_epi64((const __m128i *)bytes), (long long)end, 1);
}

uint32_t LW_FN(scan_pairs)(const struct lw_scan_pairs *pairs, const uint8_t *bytes, size_t n, uint32_t before)
{
	__m128i text = load_bytes(bytes, n), half = _mm_set1_epi8(15);
	__m128i low = _mm_and_si128(text, half), high = _mm_and_si128(_mm_srli_epi16(text, 4), half);
	__m128i firsts = _mm_slli_si128(groups(pairs, 0, low, high), 1), both;
	uint32_t found;

	firsts = _mm_or_si128(firsts, _mm_cvtsi32_si128((int)before));
	both = _mm_and_si128(firsts, groups(pairs, 1, low, high));
	found = ~(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(both, _mm_setzero_si128()));
	return found & ((1u << n) - 1) ? LW_SCAN_PAIR : pairs->firsts[bytes[n - 1]];
}
