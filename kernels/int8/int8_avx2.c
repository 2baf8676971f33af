/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dot_i8_rows by widening to 16 bits and VPMADDWD: exact for all bytes. VPMADDUBSW would take 32 elements at once, but
 * it saturates: 2 * 128 * 128 passes its 16-bit sums.
 */
#include <immintrin.h>

#include "common.h"

enum { VI_BYTES = 16, TILE_QUERIES = 2 };
typedef __m256i vi;
typedef __m256i ve;

LW_INLINE ve ve_load(const int8_t *p) { return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)p)); }
LW_INLINE ve ve_load_first(const int8_t *p, size_t n)
{
	int8_t bytes[VI_BYTES] = { 0 };

	memcpy(bytes, p, n);
	return ve_load(bytes);
}
LW_INLINE ve ve_load_row(const int8_t *p) { return ve_load(p); }
LW_INLINE ve ve_load_row_first(const int8_t *p, size_t n) { return ve_load_first(p, n); }
LW_INLINE vi vi_zero(void) { return _mm256_setzero_si256(); }
LW_INLINE vi vi_dot(vi sums, ve query, ve row) { return _mm256_add_epi32(sums, _mm256_madd_epi16(query, row)); }

LW_INLINE void vi_sum4(const vi v[4], int32_t *out)
{
	vi sum = _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]), _mm256_hadd_epi32(v[2], v[3]));

	_mm_storeu_si128((__m128i *)out, _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1)));
}

LW_INLINE uint32_t vi_excess(const int8_t *query, size_t dim)
{
	(void)query;
	(void)dim;
	return 0;
}

#include "int8/int8_rows.h"
