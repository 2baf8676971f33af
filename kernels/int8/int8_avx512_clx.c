/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dot_i8_rows with VPDPBUSD, which multiplies unsigned by signed bytes, adds four products without saturation and the
 * sum to a 32-bit lane. Rows become unsigned by flipping their sign bits, which adds 128 to each element; that makes
 * every result too large by 128 times the sum of the query, whatever the row is. In the tail the query's zeros
 * silence what the flip makes of the zeros behind the row.
 */
#include <immintrin.h>

#include "common.h"

enum { VI_BYTES = 64, TILE_QUERIES = 4, VN_BYTES = 64 };
typedef __m512i vi;
typedef __m512i ve;

LW_INLINE __mmask64 first_bytes(size_t n) { return ((__mmask64)1 << n) - 1; }
LW_INLINE ve ve_load(const int8_t *p) { return _mm512_loadu_si512(p); }
LW_INLINE ve ve_load_first(const int8_t *p, size_t n) { return _mm512_maskz_loadu_epi8(first_bytes(n), p); }
LW_INLINE ve flip(ve v) { return _mm512_xor_si512(v, _mm512_set1_epi8(-128)); }
LW_INLINE ve ve_load_row(const int8_t *p) { return flip(ve_load(p)); }
LW_INLINE ve ve_load_row_first(const int8_t *p, size_t n) { return flip(ve_load_first(p, n)); }
LW_INLINE vi vi_zero(void) { return _mm512_setzero_si512(); }
/* _mm512_dpbusd_epi32(sums, row, query); as an intrinsic gcc 12 copies the sums into and out of it, two moves for each. */
LW_INLINE vi vi_dot(vi sums, ve query, ve row)
{
	__asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(row), "v"(query));
	return sums;
}

LW_INLINE void vi_sum4(const vi v[4], int32_t *out)
{
	/* In each block of 128 bits: two partial sums of each of two rows, then one of each of four. */
	vi v01 = _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
	vi v23 = _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
	vi sum = _mm512_add_epi32(_mm512_unpacklo_epi64(v01, v23), _mm512_unpackhi_epi64(v01, v23));
	__m256i half = _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1));

	_mm_storeu_si128((__m128i *)out,
	                 _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
}

LW_INLINE uint32_t vi_excess(const int8_t *query, size_t dim)
{
	const ve ones = _mm512_set1_epi8(1);
	vi sum = vi_zero();
	size_t i = 0;

	for (; i + VI_BYTES <= dim; i += VI_BYTES)
		sum = _mm512_dpbusd_epi32(sum, ones, ve_load(query + i));
	if (i < dim)
		sum = _mm512_dpbusd_epi32(sum, ones, ve_load_first(query + i, dim - i));
	return 128 * (uint32_t)_mm512_reduce_add_epi32(sum);
}

/* Codes need no flip: they are not negative. The upper halves count 16 times where they are. */
LW_INLINE void vi_dot_i4(vi *low, vi *high, const int8_t *query, const uint8_t *codes)
{
	const ve lower_halves = _mm512_set1_epi8(15);
	ve both = _mm512_loadu_si512(codes);

	*low = vi_dot(*low, ve_load(query), _mm512_and_si512(lower_halves, both));
	*high = vi_dot(*high, ve_load(query + 64), _mm512_andnot_si512(lower_halves, both));
}

LW_INLINE vi vi_join(vi low, vi high) { return _mm512_add_epi32(_mm512_slli_epi32(low, 4), high); }

#include "int8/int8_rows.h"
