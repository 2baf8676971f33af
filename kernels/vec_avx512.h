/* SPDX-License-Identifier: Apache-2.0 */
/* The vocabulary of vec.h in 512-bit vectors. */
#ifndef LW_VEC_AVX512_H
#define LW_VEC_AVX512_H

#include <immintrin.h>

#include "common.h"

enum { VF_LANES = 16 };
typedef __m512 vf;
typedef __m512i vu;

LW_INLINE __mmask16 vf_first_mask(size_t n) { return (__mmask16)((1u << n) - 1); }

LW_INLINE vf vf_zero(void) { return _mm512_setzero_ps(); }
LW_INLINE vf vf_set1(float x) { return _mm512_set1_ps(x); }
LW_INLINE vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
LW_INLINE void vf_store(float *p, vf v) { _mm512_storeu_ps(p, v); }
LW_INLINE vf vf_load_first(const float *p, size_t n) { return _mm512_maskz_loadu_ps(vf_first_mask(n), p); }
LW_INLINE void vf_store_first(float *p, vf v, size_t n) { _mm512_mask_storeu_ps(p, vf_first_mask(n), v); }
LW_INLINE vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
LW_INLINE vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
LW_INLINE vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
LW_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }

LW_INLINE vf vf_canonical(vf v)
{
	__mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);

	return _mm512_mask_mov_ps(_mm512_add_ps(v, vf_zero()), nan, _mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000)));
}

LW_INLINE float vf_sum(vf v)
{
	__m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
	__m128 x = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));

	x = _mm_add_ps(x, _mm_movehdup_ps(x));
	return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehl_ps(x, x)));
}

/*
 * Sixteen rows at once, in the manner of a transposition: each step adds the two halves (then neighbours) of two
 * vectors into one. 15 additions and 31 shuffles instead of sixteen times four additions and four shuffles.
 */
LW_INLINE vf vf_add_halves(vf a, vf b) /* lanes 0..7 + 8..15 of a, then of b */
{
	return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
}

LW_INLINE vf vf_add_quarters(vf a, vf b) /* 128-bit blocks 0 + 1 and 2 + 3 of a, then of b */
{
	return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
}

LW_INLINE vf vf_add_neighbours(vf a, vf b) /* in each block: a0+a1 a2+a3 b0+b1 b2+b3 */
{
	return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd));
}

LW_INLINE vf vf_sum_rows(const vf v[VF_LANES])
{
	vf q[4]; /* block j of q[i]: four partial sums of row 4i + j */

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		q[i] = vf_add_quarters(vf_add_halves(v[4 * i], v[4 * i + 1]),
		                       vf_add_halves(v[4 * i + 2], v[4 * i + 3]));
	/* block j: rows j, 4 + j, 8 + j, 12 + j */
	vf sums = vf_add_neighbours(vf_add_neighbours(q[0], q[1]), vf_add_neighbours(q[2], q[3]));

	return _mm512_permutexvar_ps(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), sums);
}

/* 4 x 4 lanes by pairs and fours. */
LW_INLINE void vf_transpose_blocks(vf v[4])
{
	__m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(v[0], v[1])),
	        b = _mm512_castps_pd(_mm512_unpackhi_ps(v[0], v[1]));
	__m512d c = _mm512_castps_pd(_mm512_unpacklo_ps(v[2], v[3])),
	        d = _mm512_castps_pd(_mm512_unpackhi_ps(v[2], v[3]));

	v[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
	v[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
	v[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
	v[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
}

LW_INLINE void vf_transpose(vf v[VF_LANES])
{
#pragma GCC unroll 4
	for (int i = 0; i < VF_LANES; i += 4)
		vf_transpose_blocks(v + i);
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		vf a = _mm512_shuffle_f32x4(v[i], v[4 + i], 0x88), b = _mm512_shuffle_f32x4(v[i], v[4 + i], 0xdd);
		vf c = _mm512_shuffle_f32x4(v[8 + i], v[12 + i], 0x88),
		   d = _mm512_shuffle_f32x4(v[8 + i], v[12 + i], 0xdd);

		v[i] = _mm512_shuffle_f32x4(a, c, 0x88);
		v[4 + i] = _mm512_shuffle_f32x4(b, d, 0x88);
		v[8 + i] = _mm512_shuffle_f32x4(a, c, 0xdd);
		v[12 + i] = _mm512_shuffle_f32x4(b, d, 0xdd);
	}
}

typedef __mmask16 vb;
LW_INLINE vb vf_ge(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
LW_INLINE vb vf_gt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
LW_INLINE vb vf_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
LW_INLINE vb vb_or(vb a, vb b) { return (vb)(a | b); }
LW_INLINE int vb_any(vb m) { return m != 0; }
LW_INLINE uint32_t vb_bits(vb m) { return m; }
LW_INLINE vf vf_select(vb m, vf a, vf b) { return _mm512_mask_mov_ps(b, m, a); }
LW_INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
LW_INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
LW_INLINE vu vu_zero(void) { return _mm512_setzero_si512(); }
LW_INLINE vu vu_count(vu n, vb m) { return _mm512_mask_add_epi32(n, m, n, _mm512_set1_epi32(1)); }
LW_INLINE uint32_t vu_sum(vu n) { return (uint32_t)_mm512_reduce_add_epi32(n); }

/* To a register, never to memory: vcompressps with a memory destination is microcode on Zen 4. */
LW_INLINE vf vf_compress(vf v, uint32_t mask) { return _mm512_maskz_compress_ps((__mmask16)mask, v); }
LW_INLINE vu vu_compress(vu v, uint32_t mask) { return _mm512_maskz_compress_epi32((__mmask16)mask, v); }

LW_INLINE vu vu_load(const uint32_t *p) { return _mm512_loadu_si512(p); }
LW_INLINE void vu_store(uint32_t *p, vu v) { _mm512_storeu_si512(p, v); }
LW_INLINE vu vu_load_first(const uint32_t *p, size_t n) { return _mm512_maskz_loadu_epi32(vf_first_mask(n), p); }
LW_INLINE void vu_store_first(uint32_t *p, vu v, size_t n) { _mm512_mask_storeu_epi32(p, vf_first_mask(n), v); }
LW_INLINE vu vu_iota(uint32_t first)
{
	return _mm512_add_epi32(_mm512_set1_epi32((int32_t)first),
	                        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}
LW_INLINE vu vu_set1(uint32_t x) { return _mm512_set1_epi32((int32_t)x); }
LW_INLINE vu vu_add(vu a, vu b) { return _mm512_add_epi32(a, b); }
LW_INLINE vu vu_and(vu a, vu b) { return _mm512_and_si512(a, b); }
LW_INLINE vu vu_or(vu a, vu b) { return _mm512_or_si512(a, b); }
LW_INLINE vu vu_mul(vu a, vu b) { return _mm512_mullo_epi32(a, b); }
LW_INLINE vb vu_ge(vu a, vu b) { return _mm512_cmpge_epu32_mask(a, b); }
LW_INLINE vu vu_load_u16(const uint16_t *p) { return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)); }

typedef __m512i vc;

LW_INLINE vc vc_load(const unsigned char *p) { return _mm512_loadu_si512(p); }
LW_INLINE void vc_store(unsigned char *p, vc x) { _mm512_storeu_si512(p, x); }
LW_INLINE vc vc_load_first(const unsigned char *p, size_t n)
{
	return _mm512_maskz_loadu_epi8(((uint64_t)1 << n) - 1, p);
}
LW_INLINE uint64_t vc_bits_eq(vc x, uint8_t c) { return _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8((char)c)); }
/* A byte that is 0 is true: port 5 has to do all that makes masks, but logic on bytes runs on port 0 too. */
typedef __m512i vm;
LW_INLINE vm vm_eq(vc x, uint8_t c) { return _mm512_xor_si512(x, _mm512_set1_epi8((char)c)); }
LW_INLINE vm vm_equal(vc x, vc y) { return _mm512_xor_si512(x, y); }
LW_INLINE vm vm_and(vm a, vm b) { return _mm512_or_si512(a, b); }
LW_INLINE vm vm_and_eq(vm m, vc x, uint8_t c) /* m | (x ^ c) */
{
	return _mm512_ternarylogic_epi32(m, x, _mm512_set1_epi8((char)c), 0xf6);
}
LW_INLINE vm vm_or(vm a, vm b) { return _mm512_min_epu8(a, b); }
LW_INLINE uint64_t vm_bits(vm m) { return _mm512_testn_epi8_mask(m, m); }
LW_INLINE uint64_t vc_bits_high(vc x) { return _mm512_movepi8_mask(x); }
LW_INLINE uint64_t vc_bits_range(vc x, uint8_t low, uint8_t n)
{
	return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8((char)low)), _mm512_set1_epi8((char)n));
}
LW_INLINE vc vc_fill_range(vc x, uint8_t low, uint8_t n, uint8_t c)
{
	return _mm512_mask_mov_epi8(x, vc_bits_range(x, low, n), _mm512_set1_epi8((char)c));
}
LW_INLINE vc vc_fill_bits(vc x, uint64_t mask, uint8_t c)
{
	return _mm512_mask_mov_epi8(x, mask, _mm512_set1_epi8((char)c));
}
LW_INLINE vc vc_fill_white(vc x, uint64_t *mask)
{
	/* By the lower half of a byte the one white byte with that half; what is 0x80 or more finds 0. */
	const __m512i white =
	        _mm512_broadcast_i32x4(_mm_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, 9, 10, 11, 12, 13, 0, 0));

	*mask = _mm512_cmpeq_epi8_mask(x, _mm512_shuffle_epi8(white, x));
	return vc_fill_bits(x, *mask, ' ');
}
LW_INLINE vc vc_add_range(vc x, uint8_t low, uint8_t n, uint8_t d)
{
	return _mm512_mask_add_epi8(x, vc_bits_range(x, low, n), x, _mm512_set1_epi8((char)d));
}

#if defined(__AVX512VBMI2__)
/*
 * To a register first here too. Behind what was moved together the bytes stay as they were, not 0: it does not matter, but
 * Bochs 2.7 moves nothing if all bytes are chosen.
 */
LW_INLINE vc vc_compress(vc x, uint64_t mask) { return _mm512_mask_compress_epi8(x, mask, x); }
LW_INLINE void vc_compress_store(unsigned char *p, vc x, uint64_t mask) { vc_store(p, vc_compress(x, mask)); }

LW_INLINE void vc_store_without(unsigned char *p, vc x, uint64_t holes) { vc_compress_store(p, x, ~holes); }
#else
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
	p = vc_compress_part(p, _mm512_castsi512_si128(x), (uint32_t)mask & 0xffff);
	p = vc_compress_part(p, _mm512_extracti32x4_epi32(x, 1), (uint32_t)(mask >> 16) & 0xffff);
	p = vc_compress_part(p, _mm512_extracti32x4_epi32(x, 2), (uint32_t)(mask >> 32) & 0xffff);
	vc_compress_part(p, _mm512_extracti32x4_epi32(x, 3), (uint32_t)(mask >> 48));
}

/*
 * One store for what lies before the first row of holes, and one behind each: rows are long in code, but two at most in most
 * blocks. From a row's first bit a sum carries to behind its last; 0 stands for no place behind.
 */
LW_INLINE void vc_store_without_rows(unsigned char *p, vc x, uint64_t holes)
{
	uint64_t next = holes + (holes & (0 - holes)), rest = holes & next;
	uint64_t last = rest + (rest & (0 - rest));
	int n = __builtin_popcountll(holes);

	if (LW_UNLIKELY(rest & last)) {
		vc_compress_store(p, x, ~holes);
		return;
	}
	_mm512_storeu_si512(p, x);
	_mm512_mask_storeu_epi8(p - (n - __builtin_popcountll(rest)), next | (0 - next), x);
	_mm512_mask_storeu_epi8(p - n, last | (0 - last), x);
}

/* The same by single holes: what is behind one or two is moved on by one or two places, and all is stored once. */
LW_INLINE void vc_store_without(unsigned char *p, vc x, uint64_t holes)
{
	uint64_t more = holes & (holes - 1);
	__m512i next = _mm512_alignr_epi64(x, x, 2);
	__m512i one_on = _mm512_alignr_epi8(next, x, 1), two_on = _mm512_alignr_epi8(next, x, 2);

	if (LW_UNLIKELY(more & (more - 1))) {
		vc_store_without_rows(p, x, holes);
		return;
	}
	x = _mm512_mask_mov_epi8(x, holes | (0 - holes), one_on);
	x = _mm512_mask_mov_epi8(x, (more | (0 - more)) >> 1, two_on);
	vc_store(p, x);
}
#endif

LW_INLINE vc vc_drop_behind(vc x, uint64_t keep)
{
	__m512i next = _mm512_alignr_epi64(_mm512_setzero_si512(), x, 2);

	return _mm512_mask_mov_epi8(_mm512_alignr_epi8(next, x, 1), keep, x);
}

LW_INLINE vf vf_load_i32(const int32_t *p) { return _mm512_cvtepi32_ps(_mm512_loadu_si512(p)); }
LW_INLINE vf vf_power_of_2(vf v)
{
	return _mm512_castsi512_ps(
	        _mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(127)), 23));
}
LW_INLINE vf vf_round(vf v) { return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
LW_INLINE void vf_store_i8(int8_t *p, vf v)
{
	_mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)));
}
LW_INLINE vu vf_magnitude_bits(vf v) { return _mm512_and_si512(_mm512_castps_si512(v), _mm512_set1_epi32(0x7fffffff)); }
LW_INLINE vu vu_max(vu a, vu b) { return _mm512_max_epu32(a, b); }
LW_INLINE uint32_t vu_max_lane(vu v) { return (uint32_t)_mm512_reduce_max_epu32(v); }

LW_INLINE vf vf_load_f16(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
LW_INLINE vf vf_load_f16_first(const uint16_t *p, size_t n)
{
	return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(vf_first_mask(n), p));
}
LW_INLINE vf vf_widen_bf16(__m256i x) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16)); }
LW_INLINE vf vf_load_bf16(const uint16_t *p) { return vf_widen_bf16(_mm256_loadu_si256((const __m256i *)p)); }
LW_INLINE vf vf_load_bf16_first(const uint16_t *p, size_t n)
{
	return vf_widen_bf16(_mm256_maskz_loadu_epi16(vf_first_mask(n), p));
}
LW_INLINE void vf_store_f16(uint16_t *p, vf v)
{
	_mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
LW_INLINE void vf_store_bf16(uint16_t *p, vf v)
{
	__m512i bits = _mm512_castps_si512(v);
	__m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
	__m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));

	_mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
}

enum { VQ_LANES = 64 };
typedef __m512i vq;

LW_INLINE vq vq_load(const uint8_t *p) { return _mm512_loadu_si512(p); }
LW_INLINE vq vq_repeat16(const uint8_t *p) { return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)p)); }
LW_INLINE vq vq_and(vq a, vq b) { return _mm512_and_si512(a, b); }
LW_INLINE vq vq_low_half(vq v) { return _mm512_and_si512(v, _mm512_set1_epi8(15)); }
LW_INLINE vq vq_high_half(vq v) { return vq_low_half(_mm512_srli_epi16(v, 4)); }
LW_INLINE vq vq_ascii_index(vq v) { return v; } /* for vq_lookup, whose index is the low half, none from 128 on */
LW_INLINE vq vq_lookup(vq t, vq i) { return _mm512_shuffle_epi8(t, i); }
LW_INLINE vq vq_or(vq a, vq b) { return _mm512_or_si512(a, b); }
LW_INLINE vq vq_fifth_bits(vq a, vq b, vq c, vq d)
{
	/* 0xca: where the first has bits, the second, else the third. */
	vq ab = _mm512_ternarylogic_epi32(_mm512_set1_epi8(0x10), a, _mm512_slli_epi16(b, 1), 0xca);
	vq cd = _mm512_ternarylogic_epi32(_mm512_set1_epi8(0x40), _mm512_slli_epi16(c, 2), _mm512_slli_epi16(d, 3),
	                                  0xca);

	return vq_high_half(_mm512_ternarylogic_epi32(_mm512_set1_epi8(0x30), ab, cd, 0xca));
}
LW_INLINE vq vq_xor(vq a, vq b) { return _mm512_xor_si512(a, b); }
LW_INLINE vq vq_add(vq a, vq b) { return _mm512_add_epi8(a, b); }
LW_INLINE vq vq_add_saturated(vq a, vq b) { return _mm512_adds_epu8(a, b); }
LW_INLINE vq vq_bit_counts(vq v)
{
	vq counts = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));

	return vq_add(vq_lookup(counts, vq_low_half(v)), vq_lookup(counts, vq_high_half(v)));
}
LW_INLINE uint32_t vq_sum_bytes(vq v) { return vu_sum(_mm512_sad_epu8(v, _mm512_setzero_si512())); }
LW_INLINE uint64_t vq_nonzero_bits(vq v) { return _mm512_test_epi8_mask(v, v); }
LW_INLINE uint64_t vq_common_bits(vq a, vq b) { return _mm512_test_epi8_mask(a, b); }
LW_INLINE vq vq_and3(vq a, vq b, vq c) { return _mm512_ternarylogic_epi32(a, b, c, 0x80); }
LW_INLINE uint64_t vq_quad_bits(vq v, vq x) { return _mm512_cmpeq_epi32_mask(_mm512_min_epi8(v, x), x); }
LW_INLINE uint64_t vq_nonzero64_bits(const uint64_t *p)
{
	__m512i v = _mm512_loadu_si512(p);

	return _mm512_test_epi64_mask(v, v);
}
LW_INLINE vq vq_set1(uint8_t x) { return _mm512_set1_epi8((char)x); }
LW_INLINE vq vq_even_bytes(vq v) { return _mm512_and_si512(v, _mm512_set1_epi16(255)); }
LW_INLINE vq vq_odd_bytes(vq v) { return _mm512_srli_epi16(v, 8); }
LW_INLINE vq vq_add16(vq a, vq b) { return _mm512_add_epi16(a, b); }
LW_INLINE void vq_store16(uint16_t *p, vq v) { _mm512_storeu_si512(p, v); }
LW_INLINE vq vq_mul16(vq a, vq b) { return _mm512_mullo_epi16(a, b); }
LW_INLINE vq vq_shift_in_4(vq before, vq v) { return _mm512_alignr_epi32(v, before, 15); }
LW_INLINE vq vq_shift_in_8(vq before, vq v) { return _mm512_alignr_epi64(v, before, 7); }
LW_INLINE uint64_t vq_less16_bits(vq a, vq b, vq x)
{
	uint32_t less_a = _mm512_cmplt_epi16_mask(a, x), less_b = _mm512_cmplt_epi16_mask(b, x);

	if (LW_LIKELY(!(less_a | less_b)))
		return 0;
	return _pdep_u64(less_a, 0x5555555555555555) | _pdep_u64(less_b, 0xaaaaaaaaaaaaaaaa);
}
LW_INLINE vq vq_set16(uint16_t x) { return _mm512_set1_epi16((int16_t)x); }
LW_INLINE vq vq_max16(vq a, vq b) { return _mm512_max_epu16(a, b); }
LW_INLINE vq vq_mul_high16(vq a, vq b) { return _mm512_mulhi_epu16(a, b); }
LW_INLINE uint32_t vq_find16(const uint16_t *p, uint16_t x)
{
	uint64_t bits = _mm512_cmpeq_epi16_mask(_mm512_loadu_si512(p), vq_set16(x));

	return (uint32_t)__builtin_ctzll(bits | (uint64_t)1 << 32);
}
LW_INLINE int vq_any_ge16(vq a, vq b) { return _mm512_cmpge_epu16_mask(a, b) != 0; }
LW_INLINE uint64_t vq_equal_bits(vq a, vq x, vq b, vq y)
{
	return _mm512_mask_cmpeq_epi8_mask(_mm512_cmpeq_epi8_mask(a, x), b, y);
}

LW_INLINE void vq_store(uint8_t *p, vq v) { _mm512_storeu_si512(p, v); }
LW_INLINE vq vq_shift_in_1(vq before, vq v) { return _mm512_alignr_epi8(v, _mm512_alignr_epi64(v, before, 6), 15); }
LW_INLINE int vq_any_range(vq v, uint8_t low, uint8_t n) { return vc_bits_range(v, low, n) != 0; }
LW_INLINE vq vq_where(vq v, vq m) { return _mm512_maskz_mov_epi8(_mm512_test_epi8_mask(m, m), v); }
LW_INLINE uint64_t vq_range_bits(vq v, uint8_t low, uint8_t n) { return vc_bits_range(v, low, n); }
LW_INLINE vq vq_fill_bits(vq v, uint64_t mask, uint8_t c) { return vc_fill_bits(v, mask, c); }
LW_INLINE int vq_any(vq v) { return _mm512_test_epi8_mask(v, v) != 0; }
LW_INLINE vq vq_differ2(vq a, vq x, vq b, vq y) { return _mm512_ternarylogic_epi64(a, x, vq_xor(b, y), 0xbe); }
LW_INLINE vq vq_min(vq a, vq b) { return _mm512_min_epu8(a, b); }
LW_INLINE int vq_any_zero(vq v) { return _mm512_testn_epi8_mask(v, v) != 0; }
LW_INLINE vq vq_continued(vq v, vq y)
{
	return _mm512_maskz_mov_epi8(_mm512_cmplt_epi8_mask(y, _mm512_set1_epi8((char)0xc0)), v);
}
#if defined(__AVX512VBMI__)
typedef __m512i vq32;
LW_INLINE vq32 vq32_load(const uint8_t *p) { return _mm512_zextsi256_si512(_mm256_loadu_si256((const __m256i *)p)); }
LW_INLINE vq vq_lookup_from(vq32 t, vq v, uint8_t low)
{
	return _mm512_maskz_permutexvar_epi8(vc_bits_range(v, low, 32), _mm512_sub_epi8(v, vq_set1(low)), t);
}
LW_INLINE vq vq_lookup32(vq32 t, vq i) { return _mm512_permutexvar_epi8(i, t); }
typedef __m512i vq64;
LW_INLINE vq64 vq64_load(const uint8_t *p) { return _mm512_loadu_si512(p); }
LW_INLINE vq vq_lookup64(vq64 t, vq i) { return _mm512_permutexvar_epi8(i, t); }
#else
LW_INLINE vq vq_sub(vq a, vq b) { return _mm512_sub_epi8(a, b); }
#include "vec_lookup.h"
#endif

#endif
