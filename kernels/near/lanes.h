/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What near_simd.c needs beyond vec.h:
 *
 *   vw                     a vector of VW_LANES uint64_t
 *   vw_load vw_set1 vw_add vw_and
 *   vw_upper(v)            v >> 32
 *   vw_lift(v)             v << 32
 *   vw_from_low(p)         VW_LANES uint32_t as the lower halves; vw_from_high(p) as the upper halves, ones below
 *   vw_to_low(p, v)        the lower halves to p; vw_to_high(p, v) the upper halves
 *   vw_min_halves(a, b)    the lesser of two halves, 32 bits by 32 bits
 *   vw_mul_low(a, b)       products of the lower halves, 64 bits
 *   vw_mul_add(a, x, b)    a * x + b modulo 2^64, right in the upper half; the lower half may be anything
 *   vw_mod61(v)            v modulo 2^61 - 1, right in the lower half; the upper half may be anything
 *   vu_min                 the lesser of two uint32_t
 *   vu_eq(a, b)            where lanes are equal
 *   vu_add_where(v, bits, x)  x is added in lanes whose bit of `bits`, which has VF_LANES, is set
 *   vc_zero vc_double      bytes of 0; each byte twice, modulo 2^8
 *   vc_count_bits(v, bits) 1 is added to byte i if bit i is set
 *   vq_xor3(a, b, c)       a ^ b ^ c; vq_majority(a, b, c) the bits that at least two have
 *
 * VW_GROUP vectors of 64-bit lanes are done together, and VU_GROUP of 32-bit ones, as many as registers allow.
 */
#ifndef LW_NEAR_LANES_H
#define LW_NEAR_LANES_H

#include "vec.h"

#if defined(LW_THIS_TIER_IS_avx512) || defined(LW_THIS_TIER_IS_avx512_clx)

enum { VW_LANES = 8, VW_GROUP = 4, VU_GROUP = 8 };
typedef __m512i vw;

LW_INLINE vw vw_load(const uint64_t *p) { return _mm512_loadu_si512(p); }
LW_INLINE vw vw_set1(uint64_t x) { return _mm512_set1_epi64((long long)x); }
LW_INLINE vw vw_add(vw a, vw b) { return _mm512_add_epi64(a, b); }
LW_INLINE vw vw_upper(vw v) { return _mm512_srli_epi64(v, 32); }
LW_INLINE vw vw_lift(vw v) { return _mm512_slli_epi64(v, 32); }
LW_INLINE vw vw_from_low(const uint32_t *p) { return _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)p)); }
LW_INLINE vw vw_from_high(const uint32_t *p) { return _mm512_or_si512(vw_lift(vw_from_low(p)), vw_set1(0xffffffff)); }
LW_INLINE void vw_to_low(uint32_t *p, vw v) { _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi64_epi32(v)); }
LW_INLINE void vw_to_high(uint32_t *p, vw v) { vw_to_low(p, vw_upper(v)); }
LW_INLINE vw vw_min_halves(vw a, vw b) { return _mm512_min_epu32(a, b); }
LW_INLINE vw vw_mul_low(vw a, vw b) { return _mm512_mul_epu32(a, b); }
LW_INLINE vw vw_mul_add(vw a, vw x, vw b) { return _mm512_add_epi64(_mm512_mullo_epi64(a, x), b); }
LW_INLINE vw vw_mod61(vw v)
{
	const vw prime = vw_set1(((uint64_t)1 << 61) - 1);
	vw sum = _mm512_add_epi64(_mm512_and_si512(v, prime), _mm512_srli_epi64(v, 61));

	/* Less the prime, of which the lower half is -1. */
	return _mm512_mask_sub_epi64(sum, _mm512_cmpge_epu64_mask(sum, prime), sum, prime);
}
LW_INLINE vu vu_min(vu a, vu b) { return _mm512_min_epu32(a, b); }
LW_INLINE vb vu_eq(vu a, vu b) { return _mm512_cmpeq_epi32_mask(a, b); }
LW_INLINE vu vu_add_where(vu v, uint32_t bits, vu x) { return _mm512_mask_add_epi32(v, (__mmask16)bits, v, x); }
LW_INLINE vc vc_zero(void) { return _mm512_setzero_si512(); }
LW_INLINE vc vc_double(vc v) { return _mm512_add_epi8(v, v); }
LW_INLINE vc vc_count_bits(vc v, uint64_t bits) { return _mm512_mask_sub_epi8(v, bits, v, _mm512_set1_epi8(-1)); }
LW_INLINE vq vq_xor3(vq a, vq b, vq c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }
LW_INLINE vq vq_majority(vq a, vq b, vq c) { return _mm512_ternarylogic_epi64(a, b, c, 0xe8); }

#elif defined(LW_THIS_TIER_IS_avx2)

enum { VW_LANES = 4, VW_GROUP = 2, VU_GROUP = 4 };
typedef __m256i vw;

LW_INLINE vw vw_load(const uint64_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
LW_INLINE vw vw_set1(uint64_t x) { return _mm256_set1_epi64x((long long)x); }
LW_INLINE vw vw_add(vw a, vw b) { return _mm256_add_epi64(a, b); }
LW_INLINE vw vw_upper(vw v) { return _mm256_srli_epi64(v, 32); }
LW_INLINE vw vw_lift(vw v) { return _mm256_slli_epi64(v, 32); }
LW_INLINE vw vw_from_low(const uint32_t *p) { return _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)p)); }
LW_INLINE vw vw_from_high(const uint32_t *p) { return _mm256_or_si256(vw_lift(vw_from_low(p)), vw_set1(0xffffffff)); }
LW_INLINE void vw_to_low(uint32_t *p, vw v)
{
	__m256i even = _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));

	_mm_storeu_si128((__m128i *)p, _mm256_castsi256_si128(even));
}
LW_INLINE void vw_to_high(uint32_t *p, vw v) { vw_to_low(p, vw_upper(v)); }
LW_INLINE vw vw_min_halves(vw a, vw b) { return _mm256_min_epu32(a, b); }
LW_INLINE vw vw_mul_low(vw a, vw b) { return _mm256_mul_epu32(a, b); }
LW_INLINE vw vw_mul_add(vw a, vw x, vw b)
{
	/* The products of a lower and an upper half count in the upper half only; there they are added without carry. */
	vw cross = _mm256_mullo_epi32(a, _mm256_shuffle_epi32(x, 0xb1));
	vw v = _mm256_add_epi64(vw_mul_low(a, x), b);

	return _mm256_add_epi32(_mm256_add_epi32(v, cross), vw_lift(cross));
}
LW_INLINE vw vw_mod61(vw v)
{
	vw sum = _mm256_add_epi64(_mm256_and_si256(v, vw_set1(((uint64_t)1 << 61) - 1)), _mm256_srli_epi64(v, 61));

	/* Less the prime, of which the lower half is -1, if the sum reaches it: if one more reaches 2^61. */
	return _mm256_add_epi64(sum, _mm256_srli_epi64(_mm256_add_epi64(sum, vw_set1(1)), 61));
}
LW_INLINE vu vu_min(vu a, vu b) { return _mm256_min_epu32(a, b); }
LW_INLINE vb vu_eq(vu a, vu b) { return _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)); }
LW_INLINE vu vu_add_where(vu v, uint32_t bits, vu x)
{
	const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
	__m256i is_set = _mm256_cmpeq_epi32(_mm256_and_si256(vu_set1(bits), bit), bit);

	return _mm256_add_epi32(v, _mm256_and_si256(is_set, x));
}
LW_INLINE vc vc_zero(void) { return (vc) { { _mm256_setzero_si256(), _mm256_setzero_si256() } }; }
LW_INLINE vc vc_double(vc v)
{
	return (vc) { { _mm256_add_epi8(v.half[0], v.half[0]), _mm256_add_epi8(v.half[1], v.half[1]) } };
}
LW_INLINE vc vc_count_bits(vc v, uint64_t bits)
{
	const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201);
	const __m256i first = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
	const __m256i all = _mm256_set1_epi64x((long long)bits);

	/* Byte i / 8 of the bits to byte i, of which bit i % 8 is looked at. */
	for (int i = 0; i < 2; i++) {
		__m256i from = _mm256_add_epi8(first, _mm256_set1_epi8((char)(4 * i)));
		__m256i spread = _mm256_and_si256(_mm256_shuffle_epi8(all, from), bit);

		v.half[i] = _mm256_sub_epi8(v.half[i], _mm256_cmpeq_epi8(spread, bit));
	}
	return v;
}
LW_INLINE vq vq_xor3(vq a, vq b, vq c) { return vq_xor(vq_xor(a, b), c); }
LW_INLINE vq vq_majority(vq a, vq b, vq c) { return vq_or(vq_and(a, b), vq_and(c, vq_xor(a, b))); }

#else

enum { VW_LANES = 2, VW_GROUP = 4, VU_GROUP = 8 };
typedef uint64x2_t vw;

LW_INLINE vw vw_load(const uint64_t *p) { return vld1q_u64(p); }
LW_INLINE vw vw_set1(uint64_t x) { return vdupq_n_u64(x); }
LW_INLINE vw vw_add(vw a, vw b) { return vaddq_u64(a, b); }
LW_INLINE vw vw_upper(vw v) { return vshrq_n_u64(v, 32); }
LW_INLINE vw vw_lift(vw v) { return vshlq_n_u64(v, 32); }
LW_INLINE vw vw_from_low(const uint32_t *p) { return vmovl_u32(vld1_u32(p)); }
LW_INLINE vw vw_from_high(const uint32_t *p) { return vorrq_u64(vw_lift(vw_from_low(p)), vw_set1(0xffffffff)); }
LW_INLINE void vw_to_low(uint32_t *p, vw v) { vst1_u32(p, vmovn_u64(v)); }
LW_INLINE void vw_to_high(uint32_t *p, vw v) { vst1_u32(p, vshrn_n_u64(v, 32)); }
LW_INLINE vw vw_min_halves(vw a, vw b)
{
	return vreinterpretq_u64_u32(vminq_u32(vreinterpretq_u32_u64(a), vreinterpretq_u32_u64(b)));
}
LW_INLINE vw vw_mul_low(vw a, vw b) { return vmull_u32(vmovn_u64(a), vmovn_u64(b)); }
LW_INLINE vw vw_mul_add(vw a, vw x, vw b)
{
	/* The products of a lower and an upper half count in the upper half only. */
	uint32x4_t cross = vmulq_u32(vreinterpretq_u32_u64(a), vrev64q_u32(vreinterpretq_u32_u64(x)));
	vw v = vmlal_u32(b, vmovn_u64(a), vmovn_u64(x));

	return vaddq_u64(v, vw_lift(vpaddlq_u32(cross)));
}
LW_INLINE vw vw_mod61(vw v)
{
	vw sum = vaddq_u64(vandq_u64(v, vw_set1(((uint64_t)1 << 61) - 1)), vshrq_n_u64(v, 61));

	/* Less the prime, of which the lower half is -1, if the sum reaches it: if one more reaches 2^61. */
	return vaddq_u64(sum, vshrq_n_u64(vaddq_u64(sum, vw_set1(1)), 61));
}
LW_INLINE vu vu_min(vu a, vu b) { return vminq_u32(a, b); }
LW_INLINE vb vu_eq(vu a, vu b) { return vceqq_u32(a, b); }
LW_INLINE vu vu_add_where(vu v, uint32_t bits, vu x)
{
	static const uint32_t bit[4] = { 1, 2, 4, 8 };

	return vaddq_u32(v, vandq_u32(vtstq_u32(vdupq_n_u32(bits), vld1q_u32(bit)), x));
}
LW_INLINE vc vc_zero(void) { return (vc) { { vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0) } }; }
LW_INLINE vc vc_double(vc v)
{
	for (int i = 0; i < 4; i++)
		v.part[i] = vaddq_u8(v.part[i], v.part[i]);
	return v;
}
LW_INLINE vc vc_count_bits(vc v, uint64_t bits)
{
	static const uint8_t bit[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
	uint8x8_t all = vcreate_u8(bits);

	for (int i = 0; i < 4; i++) {
		uint8x8_t low = vtbl1_u8(all, vdup_n_u8((uint8_t)(2 * i)));
		uint8x8_t high = vtbl1_u8(all, vdup_n_u8((uint8_t)(2 * i + 1)));

		v.part[i] = vsubq_u8(v.part[i], vtstq_u8(vcombine_u8(low, high), vld1q_u8(bit)));
	}
	return v;
}
LW_INLINE vq vq_xor3(vq a, vq b, vq c) { return vq_xor(vq_xor(a, b), c); }
LW_INLINE vq vq_majority(vq a, vq b, vq c) { return vbslq_u8(vq_xor(a, b), c, a); }

#endif
#endif
