/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Approximate dot products of bfloat16 with VDPBF16PS: to each float it adds the product of the odd elements of a pair and
 * then that of the even ones, each by a fused multiply-add that rounds to nearest, takes subnormals for zeros and makes
 * none, whatever MXCSR says. (tests/test_bf16_approx.c has this in C; an Emerald Rapids CPU gave the same bits. Never run on
 * a CPU of AMD's.)
 *
 * It is slow on Intel's CPUs: a fourth of the throughput of a fused multiply-add there, for twice the products, so the
 * gain over widening is what that would cost.
 */
#include <immintrin.h>

#include "common.h"

enum { VB_ELEMENTS = 32 };
typedef __m512i vb;
typedef __m512 vs;

LW_INLINE vb vb_load(const uint16_t *p) { return _mm512_loadu_si512(p); }
LW_INLINE vb vb_load_first(const uint16_t *p, size_t n) { return _mm512_maskz_loadu_epi16(((__mmask32)1 << n) - 1, p); }
LW_INLINE vs vs_zero(void) { return _mm512_setzero_ps(); }
LW_INLINE vs vs_add(vs a, vs b) { return _mm512_add_ps(a, b); }

/* _mm512_dpbf16_ps; in assembly as VPDPBUSD is in int8_avx512_clx.c, and since its vectors have a type of their own. */
LW_INLINE vs vs_dot(vs sums, vb a, vb b)
{
	__asm__("vdpbf16ps %2, %1, %0" : "+v"(sums) : "v"(a), "v"(b));
	return sums;
}

LW_INLINE vs add_halves(vs a, vs b) { return _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)); }

LW_INLINE void vs_sum4(const vs v[4], float *out)
{
	/* In each block of 128 bits: two partial sums of each of two rows, then one of each of four. */
	__m512d v01 = _mm512_castps_pd(add_halves(v[0], v[1])), v23 = _mm512_castps_pd(add_halves(v[2], v[3]));
	vs sum = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(v01, v23)),
	                       _mm512_castpd_ps(_mm512_unpackhi_pd(v01, v23)));
	__m256 half = _mm256_add_ps(_mm512_castps512_ps256(sum), _mm512_extractf32x8_ps(sum, 1));

	_mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
}

#include "half/bf16_approx.h"
