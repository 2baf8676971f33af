/* SPDX-License-Identifier: Apache-2.0 */
/* The vocabulary of vec.h in 256-bit vectors. */
#ifndef LW_VEC_AVX2_H
#define LW_VEC_AVX2_H

#include <immintrin.h>

#include "common.h"

enum { VF_LANES = 8 };
typedef __m256 vf;
typedef __m256i vu;

/* n lanes of ones, then zeros: a window into a constant. */
LW_INLINE __m256i vf_first_mask(size_t n)
{
	static const int32_t window[16] = { -1, -1, -1, -1, -1, -1, -1, -1 };

	return _mm256_loadu_si256((const __m256i *)(window + 8 - n));
}

LW_INLINE vf vf_zero(void) { return _mm256_setzero_ps(); }
LW_INLINE vf vf_set1(float x) { return _mm256_set1_ps(x); }
LW_INLINE vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
LW_INLINE void vf_store(float *p, vf v) { _mm256_storeu_ps(p, v); }
LW_INLINE vf vf_load_first(const float *p, size_t n) { return _mm256_maskload_ps(p, vf_first_mask(n)); }
LW_INLINE void vf_store_first(float *p, vf v, size_t n) { _mm256_maskstore_ps(p, vf_first_mask(n), v); }
LW_INLINE vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
LW_INLINE vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
LW_INLINE vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
LW_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }

LW_INLINE vf vf_canonical(vf v)
{
	vf nan = _mm256_cmp_ps(v, v, _CMP_UNORD_Q);

	return _mm256_blendv_ps(_mm256_add_ps(v, vf_zero()), _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000)), nan);
}

LW_INLINE float vf_sum(vf v)
{
	__m128 x = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

	x = _mm_add_ps(x, _mm_movehdup_ps(x));
	return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehl_ps(x, x)));
}

/* Eight rows at once, as a transposition: see vec_avx512.h. */
LW_INLINE vf vf_add_halves(vf a, vf b) /* lanes 0..3 + 4..7 of a, then of b */
{
	return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
}

LW_INLINE vf vf_add_neighbours(vf a, vf b) /* in each half: a0+a1 a2+a3 b0+b1 b2+b3 */
{
	return _mm256_add_ps(_mm256_shuffle_ps(a, b, 0x88), _mm256_shuffle_ps(a, b, 0xdd));
}

LW_INLINE vf vf_sum_rows(const vf v[VF_LANES])
{
	vf h[4]; /* halves: four partial sums of rows 2i and 2i + 1 */

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		h[i] = vf_add_halves(v[2 * i], v[2 * i + 1]);
	/* halves: rows 0 2 4 6 and 1 3 5 7 */
	vf sums = vf_add_neighbours(vf_add_neighbours(h[0], h[1]), vf_add_neighbours(h[2], h[3]));

	return _mm256_permutevar8x32_ps(sums, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/* 4 x 4 lanes by pairs and fours. */
LW_INLINE void vf_transpose_blocks(vf v[4])
{
	__m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(v[0], v[1])),
	        b = _mm256_castps_pd(_mm256_unpackhi_ps(v[0], v[1]));
	__m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(v[2], v[3])),
	        d = _mm256_castps_pd(_mm256_unpackhi_ps(v[2], v[3]));

	v[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, c));
	v[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, c));
	v[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, d));
	v[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, d));
}

LW_INLINE void vf_transpose(vf v[VF_LANES])
{
#pragma GCC unroll 4
	for (int i = 0; i < VF_LANES; i += 4)
		vf_transpose_blocks(v + i);
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		vf low = v[i];

		v[i] = _mm256_permute2f128_ps(low, v[4 + i], 0x20);
		v[4 + i] = _mm256_permute2f128_ps(low, v[4 + i], 0x31);
	}
}

typedef __m256 vb; /* all ones or all zeros per lane */
LW_INLINE vb vf_ge(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_GE_OQ); }
LW_INLINE vb vf_gt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
LW_INLINE vb vf_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
LW_INLINE vb vb_or(vb a, vb b) { return _mm256_or_ps(a, b); }
LW_INLINE int vb_any(vb m) { return !_mm256_testz_ps(m, m); }
LW_INLINE uint32_t vb_bits(vb m) { return (uint32_t)_mm256_movemask_ps(m); }
LW_INLINE vf vf_select(vb m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); }
LW_INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
LW_INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
LW_INLINE vu vu_zero(void) { return _mm256_setzero_si256(); }
LW_INLINE vu vu_count(vu n, vb m) { return _mm256_sub_epi32(n, _mm256_castps_si256(m)); }
LW_INLINE uint32_t vu_sum(vu n)
{
	__m128i x = _mm_add_epi32(_mm256_castsi256_si128(n), _mm256_extracti128_si256(n, 1));

	x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
	return (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(x, _mm_shuffle_epi32(x, 0xb1)));
}

/*
 * The lane numbers of the set bits of an 8-bit mask, moved to the front. pext does it without a table: the lane
 * numbers 0 ... 7 as bytes, and the mask spread to 0xff bytes. (Slow on Zen 1 and 2, where pext is microcode; used on
 * rare candidates only.)
 */
LW_INLINE __m256i vf_compress_lanes(uint32_t mask)
{
	uint64_t bytes = _pdep_u64(mask, 0x0101010101010101) * 0xff;

	return _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)_pext_u64(0x0706050403020100, bytes)));
}

LW_INLINE vf vf_compress(vf v, uint32_t mask) { return _mm256_permutevar8x32_ps(v, vf_compress_lanes(mask)); }
LW_INLINE vu vu_compress(vu v, uint32_t mask) { return _mm256_permutevar8x32_epi32(v, vf_compress_lanes(mask)); }

LW_INLINE vu vu_load(const uint32_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
LW_INLINE void vu_store(uint32_t *p, vu v) { _mm256_storeu_si256((__m256i *)p, v); }
LW_INLINE vu vu_load_first(const uint32_t *p, size_t n)
{
	return _mm256_maskload_epi32((const int *)p, vf_first_mask(n));
}
LW_INLINE void vu_store_first(uint32_t *p, vu v, size_t n) { _mm256_maskstore_epi32((int *)p, vf_first_mask(n), v); }
LW_INLINE vu vu_iota(uint32_t first)
{
	return _mm256_add_epi32(_mm256_set1_epi32((int32_t)first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
LW_INLINE vu vu_set1(uint32_t x) { return _mm256_set1_epi32((int32_t)x); }
LW_INLINE vu vu_add(vu a, vu b) { return _mm256_add_epi32(a, b); }
LW_INLINE vu vu_and(vu a, vu b) { return _mm256_and_si256(a, b); }
LW_INLINE vu vu_or(vu a, vu b) { return _mm256_or_si256(a, b); }
LW_INLINE vu vu_mul(vu a, vu b) { return _mm256_mullo_epi32(a, b); }
LW_INLINE vb vu_ge(vu a, vu b) { return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_max_epu32(a, b), a)); }
LW_INLINE vu vu_load_u16(const uint16_t *p) { return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)); }

typedef struct {
	__m256i half[2];
} vc;

LW_INLINE vc vc_load(const unsigned char *p)
{
	return (vc) { { _mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)(p + 32)) } };
}
LW_INLINE void vc_store(unsigned char *p, vc x)
{
	_mm256_storeu_si256((__m256i *)p, x.half[0]);
	_mm256_storeu_si256((__m256i *)(p + 32), x.half[1]);
}
LW_INLINE vc vc_load_first(const unsigned char *p, size_t n)
{
	unsigned char bytes[64] = { 0 };

	memcpy(bytes, p, n);
	return vc_load(bytes);
}
LW_INLINE uint64_t vc_bits(__m256i low, __m256i high)
{
	return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}
LW_INLINE uint64_t vc_bits_eq(vc x, uint8_t c)
{
	__m256i all = _mm256_set1_epi8((char)c);

	return vc_bits(_mm256_cmpeq_epi8(x.half[0], all), _mm256_cmpeq_epi8(x.half[1], all));
}
typedef vc vm; /* each byte is 0 or 255 */
LW_INLINE vm vm_eq(vc x, uint8_t c)
{
	__m256i all = _mm256_set1_epi8((char)c);

	return (vm) { { _mm256_cmpeq_epi8(x.half[0], all), _mm256_cmpeq_epi8(x.half[1], all) } };
}
LW_INLINE vm vm_equal(vc x, vc y)
{
	return (vm) { { _mm256_cmpeq_epi8(x.half[0], y.half[0]), _mm256_cmpeq_epi8(x.half[1], y.half[1]) } };
}
LW_INLINE vm vm_and(vm a, vm b)
{
	return (vm) { { _mm256_and_si256(a.half[0], b.half[0]), _mm256_and_si256(a.half[1], b.half[1]) } };
}
LW_INLINE vm vm_and_eq(vm m, vc x, uint8_t c) { return vm_and(m, vm_eq(x, c)); }
LW_INLINE vm vm_or(vm a, vm b)
{
	return (vm) { { _mm256_or_si256(a.half[0], b.half[0]), _mm256_or_si256(a.half[1], b.half[1]) } };
}
LW_INLINE uint64_t vm_bits(vm m) { return vc_bits(m.half[0], m.half[1]); }
LW_INLINE uint64_t vc_bits_high(vc x) { return vc_bits(x.half[0], x.half[1]); }
LW_INLINE __m256i vc_half_range(__m256i x, uint8_t low, uint8_t n) /* there is no unsigned comparison */
{
	__m256i above = _mm256_sub_epi8(x, _mm256_set1_epi8((char)low));

	return _mm256_cmpeq_epi8(_mm256_min_epu8(above, _mm256_set1_epi8((char)(n - 1))), above);
}
LW_INLINE uint64_t vc_bits_range(vc x, uint8_t low, uint8_t n)
{
	return vc_bits(vc_half_range(x.half[0], low, n), vc_half_range(x.half[1], low, n));
}
LW_INLINE vc vc_fill_range(vc x, uint8_t low, uint8_t n, uint8_t c)
{
	for (int i = 0; i < 2; i++)
		x.half[i] = _mm256_blendv_epi8(x.half[i], _mm256_set1_epi8((char)c), vc_half_range(x.half[i], low, n));
	return x;
}
LW_INLINE vc vc_fill_bits(vc x, uint64_t mask, uint8_t c)
{
	const __m256i byte = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3,
	                                      3, 3, 3, 3, 3, 3, 3);
	const __m256i bit = _mm256_set1_epi64x((int64_t)0x8040201008040201);

	for (int i = 0; i < 2; i++) {
		__m256i all = _mm256_shuffle_epi8(_mm256_set1_epi32((int32_t)(uint32_t)(mask >> 32 * i)), byte);

		x.half[i] = _mm256_blendv_epi8(x.half[i], _mm256_set1_epi8((char)c),
		                               _mm256_cmpeq_epi8(_mm256_and_si256(all, bit), bit));
	}
	return x;
}
LW_INLINE vc vc_fill_white(vc x, uint64_t *mask)
{
	/* By the lower half of a byte the one white byte with that half; what is 0x80 or more finds 0. */
	const __m256i white = _mm256_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, 9, 10, 11, 12, 13, 0, 0, ' ', 0, 0, 0, 0, 0,
	                                       0, 0, 0, 9, 10, 11, 12, 13, 0, 0);
	__m256i is[2];

	for (int i = 0; i < 2; i++) {
		is[i] = _mm256_cmpeq_epi8(x.half[i], _mm256_shuffle_epi8(white, x.half[i]));
		x.half[i] = _mm256_blendv_epi8(x.half[i], _mm256_set1_epi8(' '), is[i]);
	}
	*mask = vc_bits(is[0], is[1]);
	return x;
}
LW_INLINE vc vc_add_range(vc x, uint8_t low, uint8_t n, uint8_t d)
{
	for (int i = 0; i < 2; i++) {
		__m256i add = _mm256_and_si256(vc_half_range(x.half[i], low, n), _mm256_set1_epi8((char)d));

		x.half[i] = _mm256_add_epi8(x.half[i], add);
	}
	return x;
}

/* Eight bytes at a time; a 128-bit part holds two eights. */
LW_INLINE unsigned char *vc_compress_part(unsigned char *p, __m128i part, uint32_t mask)
{
	__m128i low = _mm_loadl_epi64((const __m128i *)&lw_compress_8[mask & 255]);
	__m128i high = _mm_loadl_epi64((const __m128i *)&lw_compress_8[mask >> 8 & 255]);

	_mm_storel_epi64((__m128i *)p, _mm_shuffle_epi8(part, low));
	p += __builtin_popcount(mask & 255);
	_mm_storel_epi64((__m128i *)p, _mm_shuffle_epi8(_mm_unpackhi_epi64(part, part), high));
	return p + __builtin_popcount(mask >> 8 & 255);
}

LW_INLINE void vc_compress_store(unsigned char *p, vc x, uint64_t mask)
{
	p = vc_compress_part(p, _mm256_castsi256_si128(x.half[0]), (uint32_t)mask & 0xffff);
	p = vc_compress_part(p, _mm256_extracti128_si256(x.half[0], 1), (uint32_t)(mask >> 16) & 0xffff);
	p = vc_compress_part(p, _mm256_castsi256_si128(x.half[1]), (uint32_t)(mask >> 32) & 0xffff);
	vc_compress_part(p, _mm256_extracti128_si256(x.half[1], 1), (uint32_t)(mask >> 48));
}

/* Without the byte whose bit that is (0: none), the bytes behind it one place on; the last is anything. */
LW_INLINE vc vc_drop_one(vc x, uint64_t bit)
{
	const __m256i places = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
	                                        20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
	int at = bit ? __builtin_ctzll(bit) : 64;
	__m256i low = x.half[0], high = x.half[1]; /* with the next 128-bit part of each, one byte on */
	__m256i low_on = _mm256_alignr_epi8(_mm256_permute2x128_si256(low, high, 0x21), low, 1);
	__m256i high_on = _mm256_alignr_epi8(_mm256_permute2x128_si256(high, high, 0x81), high, 1);

	x.half[0] = _mm256_blendv_epi8(low_on, low, _mm256_cmpgt_epi8(_mm256_set1_epi8((char)at), places));
	x.half[1] = _mm256_blendv_epi8(high_on, high, _mm256_cmpgt_epi8(_mm256_set1_epi8((char)(at - 32)), places));
	return x;
}

LW_INLINE void vc_store_without(unsigned char *p, vc x, uint64_t holes)
{
	if (LW_LIKELY((holes & (holes - 1)) == 0))
		vc_store(p, vc_drop_one(x, holes));
	else
		vc_compress_store(p, x, ~holes);
}

LW_INLINE vc vc_drop_behind(vc x, uint64_t keep) { return vc_drop_one(x, ~keep & -~keep); }

LW_INLINE vf vf_load_i32(const int32_t *p) { return _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)p)); }
LW_INLINE vf vf_power_of_2(vf v)
{
	return _mm256_castsi256_ps(
	        _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(127)), 23));
}
LW_INLINE vf vf_round(vf v) { return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
LW_INLINE void vf_store_i8(int8_t *p, vf v)
{
	__m256i i = _mm256_cvtps_epi32(v);
	__m128i shorts = _mm_packs_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1));

	_mm_storel_epi64((__m128i *)p, _mm_packs_epi16(shorts, shorts));
}
LW_INLINE vu vf_magnitude_bits(vf v) { return _mm256_and_si256(_mm256_castps_si256(v), _mm256_set1_epi32(0x7fffffff)); }
LW_INLINE vu vu_max(vu a, vu b) { return _mm256_max_epu32(a, b); }
LW_INLINE uint32_t vu_max_lane(vu v)
{
	__m128i x = _mm_max_epu32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	x = _mm_max_epu32(x, _mm_shuffle_epi32(x, 0x4e));
	return (uint32_t)_mm_cvtsi128_si32(_mm_max_epu32(x, _mm_shuffle_epi32(x, 0xb1)));
}

LW_INLINE vf vf_load_f16(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
LW_INLINE vf vf_load_bf16(const uint16_t *p)
{
	__m256i bits = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));

	return _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
}
LW_INLINE vf vf_load_f16_first(const uint16_t *p, size_t n)
{
	uint16_t lanes[VF_LANES] = { 0 };

	memcpy(lanes, p, n * sizeof *p);
	return vf_load_f16(lanes);
}
LW_INLINE vf vf_load_bf16_first(const uint16_t *p, size_t n)
{
	uint16_t lanes[VF_LANES] = { 0 };

	memcpy(lanes, p, n * sizeof *p);
	return vf_load_bf16(lanes);
}
LW_INLINE void vf_store_f16(uint16_t *p, vf v)
{
	_mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
LW_INLINE void vf_store_bf16(uint16_t *p, vf v)
{
	__m256i bits = _mm256_castps_si256(v);
	__m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
	__m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
	__m256i upper = _mm256_srli_epi32(rounded, 16);
	__m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(upper, upper), 0x08);

	_mm_storeu_si128((__m128i *)p, _mm256_castsi256_si128(packed));
}

enum { VQ_LANES = 32 };
typedef __m256i vq;

LW_INLINE vq vq_load(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
LW_INLINE vq vq_repeat16(const uint8_t *p) { return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p)); }
LW_INLINE vq vq_and(vq a, vq b) { return _mm256_and_si256(a, b); }
LW_INLINE vq vq_low_half(vq v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }
LW_INLINE vq vq_high_half(vq v) { return vq_low_half(_mm256_srli_epi16(v, 4)); }
LW_INLINE vq vq_ascii_index(vq v) { return v; } /* for vq_lookup, whose index is the low half, none from 128 on */
LW_INLINE vq vq_lookup(vq t, vq i) { return _mm256_shuffle_epi8(t, i); }
LW_INLINE vq vq_or(vq a, vq b) { return _mm256_or_si256(a, b); }
LW_INLINE vq vq_fifth_bits(vq a, vq b, vq c, vq d)
{
	vq ab = vq_or(vq_and(a, _mm256_set1_epi8(0x10)), vq_and(_mm256_slli_epi16(b, 1), _mm256_set1_epi8(0x20)));
	vq cd = vq_or(vq_and(_mm256_slli_epi16(c, 2), _mm256_set1_epi8(0x40)),
	              vq_and(_mm256_slli_epi16(d, 3), _mm256_set1_epi8((char)0x80)));

	return vq_high_half(vq_or(ab, cd));
}
LW_INLINE vq vq_xor(vq a, vq b) { return _mm256_xor_si256(a, b); }
LW_INLINE vq vq_add(vq a, vq b) { return _mm256_add_epi8(a, b); }
LW_INLINE vq vq_add_saturated(vq a, vq b) { return _mm256_adds_epu8(a, b); }
LW_INLINE vq vq_bit_counts(vq v)
{
	vq counts = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));

	return vq_add(vq_lookup(counts, vq_low_half(v)), vq_lookup(counts, vq_high_half(v)));
}
LW_INLINE uint32_t vq_sum_bytes(vq v) { return vu_sum(_mm256_sad_epu8(v, _mm256_setzero_si256())); }
LW_INLINE uint64_t vq_nonzero_bits(vq v)
{
	return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_setzero_si256())) & UINT64_C(0xffffffff);
}
LW_INLINE uint64_t vq_common_bits(vq a, vq b) { return vq_nonzero_bits(vq_and(a, b)); }
LW_INLINE vq vq_and3(vq a, vq b, vq c) { return vq_and(vq_and(a, b), c); }
LW_INLINE uint64_t vq_quad_bits(vq v, vq x)
{
	return (uint64_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_min_epi8(v, x), x)));
}
LW_INLINE uint64_t vq_nonzero64_bits(const uint64_t *p)
{
	__m256i zero = _mm256_cmpeq_epi64(_mm256_loadu_si256((const __m256i *)p), _mm256_setzero_si256());

	return ~(uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(zero)) & 15;
}
LW_INLINE vq vq_set1(uint8_t x) { return _mm256_set1_epi8((char)x); }
LW_INLINE vq vq_even_bytes(vq v) { return _mm256_and_si256(v, _mm256_set1_epi16(255)); }
LW_INLINE vq vq_odd_bytes(vq v) { return _mm256_srli_epi16(v, 8); }
LW_INLINE vq vq_add16(vq a, vq b) { return _mm256_add_epi16(a, b); }
LW_INLINE void vq_store16(uint16_t *p, vq v) { _mm256_storeu_si256((__m256i *)p, v); }
LW_INLINE vq vq_mul16(vq a, vq b) { return _mm256_mullo_epi16(a, b); }
/* The upper half of `before` and the lower of v: what shifts within halves need. */
LW_INLINE vq vq_middle(vq before, vq v) { return _mm256_permute2x128_si256(before, v, 0x21); }
LW_INLINE vq vq_shift_in_4(vq before, vq v) { return _mm256_alignr_epi8(v, vq_middle(before, v), 12); }
LW_INLINE vq vq_shift_in_8(vq before, vq v) { return _mm256_alignr_epi8(v, vq_middle(before, v), 8); }
LW_INLINE uint64_t vq_less16_bits(vq a, vq b, vq x)
{
	vq less_a = _mm256_cmpgt_epi16(x, a), less_b = _mm256_cmpgt_epi16(x, b);

	return (uint32_t)_mm256_movemask_epi8(_mm256_blendv_epi8(less_a, less_b, _mm256_set1_epi16((short)0xff00)));
}
LW_INLINE vq vq_set16(uint16_t x) { return _mm256_set1_epi16((int16_t)x); }
LW_INLINE vq vq_max16(vq a, vq b) { return _mm256_max_epu16(a, b); }
LW_INLINE vq vq_mul_high16(vq a, vq b) { return _mm256_mulhi_epu16(a, b); }
LW_INLINE uint32_t vq_find16(const uint16_t *p, uint16_t x)
{
	__m256i low = _mm256_cmpeq_epi16(_mm256_loadu_si256((const __m256i *)p), vq_set16(x));
	__m256i high = _mm256_cmpeq_epi16(_mm256_loadu_si256((const __m256i *)(p + 16)), vq_set16(x));
	__m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8);

	return (uint32_t)__builtin_ctzll((uint32_t)_mm256_movemask_epi8(bytes) | (uint64_t)1 << 32);
}
LW_INLINE int vq_any_ge16(vq a, vq b) { return _mm256_movemask_epi8(_mm256_cmpeq_epi16(vq_max16(a, b), a)) != 0; }
LW_INLINE uint64_t vq_equal_bits(vq a, vq x, vq b, vq y)
{
	return (uint32_t)_mm256_movemask_epi8(_mm256_and_si256(_mm256_cmpeq_epi8(a, x), _mm256_cmpeq_epi8(b, y)));
}

LW_INLINE void vq_store(uint8_t *p, vq v) { _mm256_storeu_si256((__m256i *)p, v); }
LW_INLINE vq vq_shift_in_1(vq before, vq v) { return _mm256_alignr_epi8(v, vq_middle(before, v), 15); }
LW_INLINE int vq_any_range(vq v, uint8_t low, uint8_t n) { return _mm256_movemask_epi8(vc_half_range(v, low, n)) != 0; }
LW_INLINE vq vq_where(vq v, vq m) { return _mm256_andnot_si256(_mm256_cmpeq_epi8(m, _mm256_setzero_si256()), v); }
LW_INLINE uint64_t vq_range_bits(vq v, uint8_t low, uint8_t n)
{
	return (uint32_t)_mm256_movemask_epi8(vc_half_range(v, low, n));
}
LW_INLINE vq vq_fill_bits(vq v, uint64_t mask, uint8_t c)
{
	return vc_fill_bits((vc) { { v, v } }, mask & UINT32_MAX, c).half[0];
}
LW_INLINE int vq_any(vq v) { return !_mm256_testz_si256(v, v); }
LW_INLINE vq vq_differ2(vq a, vq x, vq b, vq y) { return vq_or(vq_xor(a, x), vq_xor(b, y)); }
LW_INLINE vq vq_min(vq a, vq b) { return _mm256_min_epu8(a, b); }
LW_INLINE int vq_any_zero(vq v) { return _mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_setzero_si256())) != 0; }
LW_INLINE vq vq_continued(vq v, vq y) { return _mm256_and_si256(v, _mm256_cmpgt_epi8(vq_set1(0xc0), y)); }
LW_INLINE vq vq_sub(vq a, vq b) { return _mm256_sub_epi8(a, b); }
#include "vec_lookup.h"

#endif
