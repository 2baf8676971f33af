/* SPDX-License-Identifier: Apache-2.0 */
/* As graph_avx512_clx.c, with four vectors of four where that has two of eight. */
#include <immintrin.h>

#include "common.h"

/* Columns above INT32_MAX would be negative numbers to a gather: base and columns are moved by 2^31. */
LW_INLINE void sum_group(const uint32_t *column, const double *weight, size_t begin, size_t end, const double *x,
                         double *sums)
{
	const double *middle = (const double *)((uintptr_t)x + ((uintptr_t)8 << 31));
	__m128i flip = _mm_set1_epi32(INT32_MIN);
	__m256d sum[4];

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		sum[i] = _mm256_setzero_pd();
	for (size_t t = begin; t < end; t++) {
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++) {
			__m128i c = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(column + 16 * t + 4 * i)), flip);
			__m256d v = _mm256_i32gather_pd(middle, c, 8);

			if (weight)
				v = _mm256_mul_pd(_mm256_loadu_pd(weight + 16 * t + 4 * i), v);
			sum[i] = _mm256_add_pd(sum[i], v);
		}
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		_mm256_storeu_pd(sums + 4 * i, sum[i]);
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
	__m256d sum[4];

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		sum[i] = _mm256_setzero_pd();
	for (size_t t = 0; t < n_steps; t++) {
		const double *element = x + 16 * (size_t)column[16 * t];
		__m256d w = _mm256_set1_pd(weight ? weight[16 * t] : 1);

		if (n_steps - t > AHEAD) {
			const double *later = x + 16 * (size_t)column[16 * (t + AHEAD)];

			_mm_prefetch((const char *)later, _MM_HINT_T0);
			_mm_prefetch((const char *)(later + 8), _MM_HINT_T0);
		}
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++) {
			__m256d v = _mm256_loadu_pd(element + 4 * i);

			sum[i] = _mm256_add_pd(sum[i], weight ? _mm256_mul_pd(w, v) : v);
		}
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		_mm256_storeu_pd(sums + 4 * i, sum[i]);
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
