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
 *   vw_least_high(v)       the least upper half
 *   vu_min                 the lesser of two uint32_t
 *   vu_eq(a, b)            where lanes are equal
 *   vu_select(m, a, b)     a where m is true, else b
 *   vu_add_where(v, bits, x)  x is added in lanes whose bit of `bits`, which has VF_LANES, is set
 *   vc_zero vc_double      bytes of 0; each byte twice, modulo 2^8
 *   vc_count_bits(v, bits) 1 is added to byte i if bit i is set
 *   vq_xor3(a, b, c)       a ^ b ^ c; vq_majority(a, b, c) the bits that at least two have
 *
 * VW_GROUP vectors of 64-bit lanes are done together, and VU_GROUP of 32-bit ones, as many as registers allow.
 *
 * The upper half of a * x + b modulo 2^64, nearly: VH_GROUP vectors of functions together, as below.
 *
 *   vh_part(p, a, b)       what of a and b is needed, as VH_PARTS uint32_t
 *   vh_word(w, x)          what of x is needed, as VH_WORDS uint32_t
 *   vh_estimate(f, x)      f: vectors of these parts of functions, x: that of one hash in all lanes. The upper half plus
 *                          0 ... VH_SLACK, modulo 2^32
 */
#ifndef LW_NEAR_LANES_H
#define LW_NEAR_LANES_H

#include "vec.h"

#if defined(LW_THIS_TIER_IS_avx512) || defined(LW_THIS_TIER_IS_avx512_clx)

enum { VW_LANES = 8, VW_GROUP = 4, VU_GROUP = 8, VH_GROUP = 4 };
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
LW_INLINE uint32_t vw_least_high(vw v)
{
	__m256i four = _mm256_min_epu32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
	__m128i two = _mm_min_epu32(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));

	return (uint32_t)_mm_extract_epi32(_mm_min_epu32(two, _mm_unpackhi_epi64(two, two)), 1);
}
LW_INLINE vu vu_select(vb m, vu a, vu b) { return _mm512_mask_mov_epi32(b, m, a); }
LW_INLINE vu vu_min(vu a, vu b) { return _mm512_min_epu32(a, b); }
LW_INLINE vb vu_eq(vu a, vu b) { return _mm512_cmpeq_epi32_mask(a, b); }
LW_INLINE vu vu_add_where(vu v, uint32_t bits, vu x) { return _mm512_mask_add_epi32(v, (__mmask16)bits, v, x); }
LW_INLINE vu vu_shift_16(vu v) { return _mm512_slli_epi32(v, 16); }
LW_INLINE vu vu_dot_16(vu sum, vu a, vu b) { return _mm512_dpwssd_epi32(sum, a, b); }
LW_INLINE vc vc_zero(void) { return _mm512_setzero_si512(); }
LW_INLINE vc vc_double(vc v) { return _mm512_add_epi8(v, v); }
LW_INLINE vc vc_count_bits(vc v, uint64_t bits) { return _mm512_mask_sub_epi8(v, bits, v, _mm512_set1_epi8(-1)); }
LW_INLINE vq vq_xor3(vq a, vq b, vq c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }
LW_INLINE vq vq_majority(vq a, vq b, vq c) { return _mm512_ternarylogic_epi64(a, b, c, 0xe8); }

#elif defined(LW_THIS_TIER_IS_avx2)

enum { VW_LANES = 4, VW_GROUP = 2, VU_GROUP = 4, VH_GROUP = 2 };
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
LW_INLINE uint32_t vw_least_high(vw v)
{
	__m128i least = _mm_min_epu32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	return (uint32_t)_mm_extract_epi32(_mm_min_epu32(least, _mm_unpackhi_epi64(least, least)), 1);
}
LW_INLINE vu vu_select(vb m, vu a, vu b) { return _mm256_blendv_epi8(b, a, _mm256_castps_si256(m)); }
LW_INLINE vu vu_min(vu a, vu b) { return _mm256_min_epu32(a, b); }
LW_INLINE vb vu_eq(vu a, vu b) { return _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)); }
LW_INLINE vu vu_add_where(vu v, uint32_t bits, vu x)
{
	const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
	__m256i is_set = _mm256_cmpeq_epi32(_mm256_and_si256(vu_set1(bits), bit), bit);

	return _mm256_add_epi32(v, _mm256_and_si256(is_set, x));
}
LW_INLINE vu vu_shift_16(vu v) { return _mm256_slli_epi32(v, 16); }
LW_INLINE vu vu_dot_16(vu sum, vu a, vu b) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); }
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

enum { VW_LANES = 2, VW_GROUP = 4, VU_GROUP = 8, VH_GROUP = 4 };
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
LW_INLINE uint32_t vw_least_high(vw v)
{
	uint32x4_t halves = vreinterpretq_u32_u64(v);

	return vminvq_u32(vtrn2q_u32(halves, halves));
}
LW_INLINE vu vu_select(vb m, vu a, vu b) { return vbslq_u32(m, a, b); }
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

#if defined(LW_THIS_TIER_IS_avx512) || defined(LW_THIS_TIER_IS_avx512_clx) || defined(LW_THIS_TIER_IS_avx2)

/*
 * With 16-bit digits from -2^15 to 2^15 - 1, a = a0 + a1 2^16 + a2 2^32 + a3 2^48 modulo 2^64 and x likewise, a * x + b is
 *
 *	2^48 (a3 x0 + a2 x1 + a1 x2 + a0 x3) + 2^32 (a2 x0 + a1 x1 + a0 x2) + 2^16 (a1 x0 + a0 x1) + a0 x0 + b
 *
 * and products of such digits are what instructions add in pairs. The last three terms, with the lower half of b, bring the
 * upper half to the greatest integer in a quotient from -2^15 - 1 to 2^15 + 1. Instead of it 2^15 + 1 is added.
 */
enum { VH_PARTS = 5, VH_WORDS = 3, VH_SLACK = (1 << 16) + 2 };

/* The digits, the lowest in the lowest bits. */
LW_INLINE uint64_t vh_digits(uint64_t x)
{
	const uint64_t half = 0x8000800080008000;

	return (x + half) ^ half;
}

LW_INLINE uint32_t vh_part(int p, uint64_t a, uint64_t b)
{
	uint64_t digits = vh_digits(a);
	uint32_t low = (uint32_t)digits, high = (uint32_t)(digits >> 32), term = (uint32_t)(b >> 32) + (1 << 15) + 1;

	return p == 0   ? high >> 16 | high << 16              /* a3, a2 */
	       : p == 1 ? low >> 16 | low << 16                /* a1, a0 */
	       : p == 2 ? (high & 0xffff) | (low & 0xffff0000) /* a2, a1 */
	       : p == 3 ? (low & 0xffff) | term << 16          /* a0, the lower digit of what is added */
	                : (term + 0x8000) >> 16;               /* its upper digit */
}

LW_INLINE uint32_t vh_word(int w, uint64_t x)
{
	uint64_t digits = vh_digits(x);

	return w == 0   ? (uint32_t)digits                                /* x0, x1 */
	       : w == 1 ? (uint32_t)(digits >> 32)                        /* x2, x3 */
	                : ((uint32_t)(digits >> 32) & 0xffff) | 1u << 16; /* x2, 1 */
}

LW_INLINE vu vh_estimate(const vu f[VH_PARTS], const vu x[VH_WORDS])
{
	vu sum = vu_dot_16(vu_dot_16(f[4], f[0], x[0]), f[1], x[1]);

	return vu_dot_16(vu_dot_16(vu_shift_16(sum), f[2], x[0]), f[3], x[2]);
}

#else

/*
 * With halves a0, a1 and x0, x1 the upper half is a1 x0 + a0 x1 + the upper halves of a0 x0 and b and a carry. Instead of
 * the upper half of a0 x0 twice that of 2 (a0 / 2) (x0 / 2), rounded down, is added, which is up to 3 less.
 */
enum { VH_PARTS = 4, VH_WORDS = 3, VH_SLACK = 8 };

LW_INLINE uint32_t vh_part(int p, uint64_t a, uint64_t b)
{
	uint32_t low = (uint32_t)a, high = (uint32_t)(a >> 32);

	return p == 0 ? low : p == 1 ? high : p == 2 ? low >> 1 : (uint32_t)(b >> 32) + VH_SLACK;
}

LW_INLINE uint32_t vh_word(int w, uint64_t x)
{
	return w == 0 ? (uint32_t)x : w == 1 ? (uint32_t)(x >> 32) : (uint32_t)x >> 1;
}

LW_INLINE vu vh_estimate(const vu f[VH_PARTS], const vu x[VH_WORDS])
{
	int32x4_t top = vqdmulhq_s32(vreinterpretq_s32_u32(f[2]), vreinterpretq_s32_u32(x[2]));
	vu sum = vmlaq_u32(vmlaq_u32(f[3], f[0], x[1]), f[1], x[0]);

	return vaddq_u32(sum, vshlq_n_u32(vreinterpretq_u32_s32(top), 1));
}

#endif
#endif
