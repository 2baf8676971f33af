/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels behind PageRank. Sixteen vectors: the sums of eight rows are sixteen registers, each edge two loads side by
 * side; with eight rows at once there are as many cache misses under way as there can be.
 */
#include "graph/row_sums.h"

void LW_FN(rank_sums_f64)(const uint32_t *column, const double *weight, const size_t *offset, size_t n_groups,
                          const double *x, double *sums)
{
	lw_sum_groups(column, weight, offset, n_groups, x, sums);
}

enum { ROWS = 8 };

LW_INLINE void sum_rows16(const uint32_t *column, const double *weight, size_t n_steps, const double *x, double *sums)
{
	__m512d low[ROWS], high[ROWS];

#pragma GCC unroll 8
	for (int l = 0; l < ROWS; l++)
		low[l] = high[l] = _mm512_setzero_pd();
	for (size_t t = 0; t < n_steps; t++) {
#pragma GCC unroll 8
		for (int l = 0; l < ROWS; l++) {
			const double *element = x + 16 * (size_t)column[16 * t + l];
			__m512d a = _mm512_loadu_pd(element), b = _mm512_loadu_pd(element + 8);

			if (weight) {
				__m512d w = _mm512_set1_pd(weight[16 * t + l]);

				a = _mm512_mul_pd(w, a);
				b = _mm512_mul_pd(w, b);
			}
			low[l] = _mm512_add_pd(low[l], a);
			high[l] = _mm512_add_pd(high[l], b);
		}
	}
#pragma GCC unroll 8
	for (int l = 0; l < ROWS; l++) {
		_mm512_storeu_pd(sums + 16 * l, low[l]);
		_mm512_storeu_pd(sums + 16 * l + 8, high[l]);
	}
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
