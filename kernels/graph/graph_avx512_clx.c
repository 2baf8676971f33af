/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of rows in groups of 16. One vector: a row per lane, two vectors of eight sums, gathers for the elements. What
 * it waits for is memory, and many gathers are under way at once because no lane waits for another; the order of
 * additions within a lane is that of the reference.
 *
 * Sixteen vectors: the sums of one row are two registers, each edge two loads side by side. The elements, two cache
 * lines each, are known from the columns long before and are prefetched.
 */
#include <immintrin.h>

#include "common.h"

LW_INLINE __m512d gather(__m256i column, const double *x) { return _mm512_i32gather_pd(column, x, 8); }

/* Columns above INT32_MAX would be negative numbers to a gather: base and columns are moved by 2^31. */
LW_INLINE void sum_group(const uint32_t *column, const double *weight, size_t begin, size_t end, const double *x,
                         double *sums)
{
	const double *middle = (const double *)((uintptr_t)x + ((uintptr_t)8 << 31));
	__m512i flip = _mm512_set1_epi32(INT32_MIN);
	__m512d low = _mm512_setzero_pd(), high = _mm512_setzero_pd();

	for (size_t t = begin; t < end; t++) {
		__m512i c = _mm512_xor_si512(_mm512_loadu_si512(column + 16 * t), flip);
		__m512d a = gather(_mm512_castsi512_si256(c), middle);
		__m512d b = gather(_mm512_extracti64x4_epi64(c, 1), middle);

		if (weight) {
			a = _mm512_mul_pd(_mm512_loadu_pd(weight + 16 * t), a);
			b = _mm512_mul_pd(_mm512_loadu_pd(weight + 16 * t + 8), b);
		}
		low = _mm512_add_pd(low, a);
		high = _mm512_add_pd(high, b);
	}
	_mm512_storeu_pd(sums, low);
	_mm512_storeu_pd(sums + 8, high);
}

void LW_FN(rank_sums_f64)(const uint32_t *column, const double *weight, const size_t *offset, size_t n_groups,
                          const double *x, double *sums)
{
	if (weight)
		for (size_t g = 0; g < n_groups; g++)
			sum_group(column, weight, offset[g], offset[g + 1], x, sums + 16 * g);
	else
		for (size_t g = 0; g < n_groups; g++)
			sum_group(column, NULL, offset[g], offset[g + 1], x, sums + 16 * g);
}

enum { AHEAD = 8 };

LW_INLINE void sum_row16(const uint32_t *column, const double *weight, size_t n_steps, const double *x, double *sums)
{
	__m512d low = _mm512_setzero_pd(), high = _mm512_setzero_pd();

	for (size_t t = 0; t < n_steps; t++) {
		const double *element = x + 16 * (size_t)column[16 * t];
		__m512d a = _mm512_loadu_pd(element), b = _mm512_loadu_pd(element + 8);

		if (n_steps - t > AHEAD) {
			const double *later = x + 16 * (size_t)column[16 * (t + AHEAD)];

			_mm_prefetch((const char *)later, _MM_HINT_T0);
			_mm_prefetch((const char *)(later + 8), _MM_HINT_T0);
		}
		if (weight) {
			__m512d w = _mm512_set1_pd(weight[16 * t]);

			a = _mm512_mul_pd(w, a);
			b = _mm512_mul_pd(w, b);
		}
		low = _mm512_add_pd(low, a);
		high = _mm512_add_pd(high, b);
	}
	_mm512_storeu_pd(sums, low);
	_mm512_storeu_pd(sums + 8, high);
}

void LW_FN(rank_sums16_f64)(const uint32_t *column, const double *weight, const size_t *offset, size_t n_groups,
                            const double *x, double *sums)
{
	for (size_t g = 0; g < n_groups; g++)
		for (size_t l = 0; l < 16; l++) {
			size_t first = 16 * offset[g] + l, n_steps = offset[g + 1] - offset[g];

			if (weight)
				sum_row16(column + first, weight + first, n_steps, x, sums + 16 * (16 * g + l));
			else
				sum_row16(column + first, NULL, n_steps, x, sums + 16 * (16 * g + l));
		}
}
