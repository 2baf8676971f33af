/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of eight 64-bit words for seen_simd.c, aligned to 64 bytes; masks have bit i for word i.
 *
 *   line_eq(p, x)           the words that are x
 *   line_eq_halves(p, x, y) the first four that are x and the last four that are y
 *   line_has_bits(p, bits)  whether word i has bit (bits >> 6 i) % 64 set, for all i
 *   line_set_bits(p, bits)  the same; they are set afterwards
 */
#ifndef LW_SEEN_LINE_H
#define LW_SEEN_LINE_H

#include "vec.h"

#if defined(LW_THIS_TIER_IS_avx512) || defined(LW_THIS_TIER_IS_avx512_clx)

LW_INLINE uint32_t line_eq(const uint64_t *p, uint64_t x)
{
	return _mm512_cmpeq_epi64_mask(_mm512_load_si512(p), _mm512_set1_epi64((int64_t)x));
}
LW_INLINE uint32_t line_eq_halves(const uint64_t *p, uint64_t x, uint64_t y)
{
	__m512i both = _mm512_mask_set1_epi64(_mm512_set1_epi64((int64_t)x), 0xf0, (int64_t)y);

	return _mm512_cmpeq_epi64_mask(_mm512_load_si512(p), both);
}
LW_INLINE __m512i line_bits(uint64_t bits)
{
	const __m512i by = _mm512_setr_epi64(0, 6, 12, 18, 24, 30, 36, 42);
	__m512i at = _mm512_and_si512(_mm512_srlv_epi64(_mm512_set1_epi64((int64_t)bits), by), _mm512_set1_epi64(63));

	return _mm512_sllv_epi64(_mm512_set1_epi64(1), at);
}
LW_INLINE int line_has_bits(const uint64_t *p, uint64_t bits)
{
	return _mm512_testn_epi64_mask(_mm512_load_si512(p), line_bits(bits)) == 0;
}
LW_INLINE int line_set_bits(uint64_t *p, uint64_t bits)
{
	__m512i words = _mm512_load_si512(p), set = line_bits(bits);

	_mm512_store_si512(p, _mm512_or_si512(words, set));
	return _mm512_testn_epi64_mask(words, set) == 0;
}

#elif defined(LW_THIS_TIER_IS_avx2)

LW_INLINE uint32_t line_eq_four(const uint64_t *p, uint64_t x)
{
	__m256i equal = _mm256_cmpeq_epi64(_mm256_load_si256((const __m256i *)p), _mm256_set1_epi64x((int64_t)x));

	return (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(equal));
}
LW_INLINE uint32_t line_eq_halves(const uint64_t *p, uint64_t x, uint64_t y)
{
	return line_eq_four(p, x) | line_eq_four(p + 4, y) << 4;
}
LW_INLINE uint32_t line_eq(const uint64_t *p, uint64_t x) { return line_eq_halves(p, x, x); }
LW_INLINE __m256i line_bits_four(uint64_t bits)
{
	const __m256i by = _mm256_setr_epi64x(0, 6, 12, 18);
	__m256i at = _mm256_and_si256(_mm256_srlv_epi64(_mm256_set1_epi64x((int64_t)bits), by), _mm256_set1_epi64x(63));

	return _mm256_sllv_epi64(_mm256_set1_epi64x(1), at);
}
LW_INLINE int line_has_bits(const uint64_t *p, uint64_t bits)
{
	return _mm256_testc_si256(_mm256_load_si256((const __m256i *)p), line_bits_four(bits)) &
	       _mm256_testc_si256(_mm256_load_si256((const __m256i *)(p + 4)), line_bits_four(bits >> 24));
}
LW_INLINE int line_set_bits(uint64_t *p, uint64_t bits)
{
	__m256i low = _mm256_load_si256((const __m256i *)p), high = _mm256_load_si256((const __m256i *)(p + 4));
	__m256i set_low = line_bits_four(bits), set_high = line_bits_four(bits >> 24);

	_mm256_store_si256((__m256i *)p, _mm256_or_si256(low, set_low));
	_mm256_store_si256((__m256i *)(p + 4), _mm256_or_si256(high, set_high));
	return _mm256_testc_si256(low, set_low) & _mm256_testc_si256(high, set_high);
}

#else

/* Two words' results as a bit each, from bit `at`. */
LW_INLINE uint32_t line_eq_two(const uint64_t *p, uint64_t x, int at)
{
	uint64x2_t equal = vceqq_u64(vld1q_u64(p), vdupq_n_u64(x));

	return (uint32_t)(vgetq_lane_u64(equal, 0) & 1) << at | (uint32_t)(vgetq_lane_u64(equal, 1) & 2) << at;
}
LW_INLINE uint32_t line_eq_halves(const uint64_t *p, uint64_t x, uint64_t y)
{
	return line_eq_two(p, x, 0) | line_eq_two(p + 2, x, 2) | line_eq_two(p + 4, y, 4) | line_eq_two(p + 6, y, 6);
}
LW_INLINE uint32_t line_eq(const uint64_t *p, uint64_t x) { return line_eq_halves(p, x, x); }
LW_INLINE uint64x2_t line_bits_two(uint64_t bits)
{
	uint64_t two[2] = { (uint64_t)1 << (bits & 63), (uint64_t)1 << (bits >> 6 & 63) };

	return vld1q_u64(two);
}
LW_INLINE int line_has_bits(const uint64_t *p, uint64_t bits)
{
	uint64x2_t missing = vdupq_n_u64(0);

	for (int i = 0; i < 8; i += 2)
		missing = vorrq_u64(missing, vbicq_u64(line_bits_two(bits >> 6 * i), vld1q_u64(p + i)));
	return (vgetq_lane_u64(missing, 0) | vgetq_lane_u64(missing, 1)) == 0;
}
LW_INLINE int line_set_bits(uint64_t *p, uint64_t bits)
{
	int all = line_has_bits(p, bits);

	for (int i = 0; i < 8; i += 2)
		vst1q_u64(p + i, vorrq_u64(vld1q_u64(p + i), line_bits_two(bits >> 6 * i)));
	return all;
}

#endif

#endif
