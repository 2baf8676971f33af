/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of bytes by widening to 16 bits and VPMADDWD: exact for all bytes of either sign. VPMADDUBSW would take 32
 * unsigned and signed elements at once, but it saturates: 2 * 255 * 127 passes its 16-bit sums. (Splitting the unsigned ones
 * into two parts that fit takes as many instructions as widening.)
 */
#include <immintrin.h>

#include "common.h"
#include "int8/signs.h"

enum { VI_BYTES = 16, TILE_QUERIES = 2, VN_BYTES = 32 };
typedef __m256i vi;
typedef __m256i ve;

LW_INLINE ve widen(int is_unsigned, const int8_t *p)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)p);

	return is_unsigned ? _mm256_cvtepu8_epi16(bytes) : _mm256_cvtepi8_epi16(bytes);
}

LW_INLINE ve widen_first(int is_unsigned, const int8_t *p, size_t n)
{
	int8_t bytes[VI_BYTES] = { 0 };

	memcpy(bytes, p, n);
	return widen(is_unsigned, bytes);
}

LW_INLINE ve ve_load(enum signs signs, const int8_t *p) { return widen(signs == U8_I8, p); }
LW_INLINE ve ve_load_first(enum signs signs, const int8_t *p, size_t n) { return widen_first(signs == U8_I8, p, n); }
LW_INLINE ve ve_load_row(enum signs signs, const int8_t *p) { return widen(signs == I8_U8, p); }
LW_INLINE ve ve_load_row_first(enum signs signs, const int8_t *p, size_t n)
{
	return widen_first(signs == I8_U8, p, n);
}
LW_INLINE vi vi_zero(void) { return _mm256_setzero_si256(); }
LW_INLINE vi vi_dot(enum signs signs, vi sums, ve query, ve row)
{
	(void)signs;
	return _mm256_add_epi32(sums, _mm256_madd_epi16(query, row));
}

LW_INLINE void vi_sum4(const vi v[4], int32_t *out)
{
	vi sum = _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]), _mm256_hadd_epi32(v[2], v[3]));

	_mm_storeu_si128((__m128i *)out, _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1)));
}

LW_INLINE uint32_t vi_excess(enum signs signs, const int8_t *query, size_t dim)
{
	(void)signs;
	(void)query;
	(void)dim;
	return 0;
}

/* Codes are small enough for VPMADDUBSW: four products of at most 15 * 128 fit its 16-bit sums. */
LW_INLINE void vi_dot_i4(vi *low, vi *high, const int8_t *query, const uint8_t *codes)
{
	const __m256i lower_halves = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
	__m256i both = _mm256_loadu_si256((const __m256i *)codes);
	__m256i first = _mm256_loadu_si256((const __m256i *)query);
	__m256i second = _mm256_loadu_si256((const __m256i *)(query + 64));
	__m256i lower = _mm256_and_si256(both, lower_halves);
	__m256i upper = _mm256_and_si256(_mm256_srli_epi16(both, 4), lower_halves);
	__m256i sum = _mm256_add_epi16(_mm256_maddubs_epi16(lower, first), _mm256_maddubs_epi16(upper, second));

	(void)high;
	*low = _mm256_add_epi32(*low, _mm256_madd_epi16(sum, ones));
}

LW_INLINE vi vi_join(vi low, vi high)
{
	(void)high;
	return _mm256_slli_epi32(low, 4);
}

#include "int8/int8_rows.h"
