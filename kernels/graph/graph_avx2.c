/* SPDX-License-Identifier: Apache-2.0 */
/* As graph_avx512_clx.c, with the sums of two rows, four vectors of four each, where that has those of eight. */
#include "graph/row_sums.h"

void LW_FN(rank_sums_f64)(const uint32_t *column, const double *weight, const size_t *offset, size_t n_groups,
                          const double *x, double *sums)
{
	lw_sum_groups(column, weight, offset, n_groups, x, sums);
}

enum { ROWS = 2 };

LW_INLINE void sum_rows16(const uint32_t *column, const double *weight, size_t n_steps, const double *x, double *sums)
{
	__m256d sum[4 * ROWS];

#pragma GCC unroll 8
	for (int i = 0; i < 4 * ROWS; i++)
		sum[i] = _mm256_setzero_pd();
	for (size_t t = 0; t < n_steps; t++) {
#pragma GCC unroll 8
		for (int i = 0; i < 4 * ROWS; i++) {
			__m256d v = _mm256_loadu_pd(x + 16 * (size_t)column[16 * t + i / 4] + 4 * (i % 4));

			if (weight)
				v = _mm256_mul_pd(_mm256_set1_pd(weight[16 * t + i / 4]), v);
			sum[i] = _mm256_add_pd(sum[i], v);
		}
	}
#pragma GCC unroll 8
	for (int i = 0; i < 4 * ROWS; i++)
		_mm256_storeu_pd(sums + 4 * i, sum[i]);
}

void LW_FN(rank_sums16_f64)(const uint32_t *column, const double *weight, const size_t *offset, size_t n_groups,
                            const double *x, double *sums)
{
	for (size_t g = 0; g < n_groups; g++)
		for (size_t l = 0; l < 16; l += ROWS) {
			size_t first = 16 * offset[g] + l, n_steps = offset[g + 1] - offset[g];

			if (weight)
				sum_rows16(column + first, weight + first, n_steps, x, sums + 16 * (16 * g + l));
			else
				sum_rows16(column + first, NULL, n_steps, x, sums + 16 * (16 * g + l));
		}
}
