/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of the kernels behind PageRank: row after row, edge after edge. NEON, which cannot gather, runs it too. */
#include <math.h>

#include "common.h"

LW_INLINE double term(const double *weight, size_t entry, double x) { return weight ? weight[entry] * x : x; }

void LW_FN(rank_sums_f64)(const uint32_t *column, const double *weight, const size_t *offset, size_t n_groups,
                          const double *x, double *sums)
{
	for (size_t g = 0; g < n_groups; g++) {
		double sum[16] = { 0 };

		for (size_t t = offset[g]; t < offset[g + 1]; t++)
			for (size_t l = 0; l < 16; l++)
				sum[l] += term(weight, 16 * t + l, x[column[16 * t + l]]);
		memcpy(sums + 16 * g, sum, sizeof sum);
	}
}

void LW_FN(rank_sums16_f64)(const uint32_t *column, const double *weight, const size_t *offset, size_t n_groups,
                            const double *x, double *sums)
{
	for (size_t g = 0; g < n_groups; g++)
		for (size_t l = 0; l < 16; l++) {
			double sum[16] = { 0 };

			for (size_t t = offset[g]; t < offset[g + 1]; t++) {
				const double *element = x + 16 * (size_t)column[16 * t + l];

				for (size_t j = 0; j < 16; j++)
					sum[j] += term(weight, 16 * t + l, element[j]);
			}
			memcpy(sums + 16 * (16 * g + l), sum, sizeof sum);
		}
}

void LW_FN(rank_renew16_f64)(const struct lw_rank_slice *s)
{
	for (size_t row = 0; row < s->n_rows; row++) {
		const int wanted = (int)(s->any_wanted[row / 64] >> row % 64 & 1);

		for (size_t j = 0; j < 16; j++) {
			double rank = s->damping * s->sums[16 * row + j];

			if (wanted)
				rank += s->teleport[j] * s->wanted[16 * row + j];
			s->change[16 * (row % 8) + j] += fabs(rank - s->rank[16 * row + j]);
			if (!(s->factor[row] > 0))
				s->lost[16 * (row % 8) + j] += rank;
			s->rank[16 * row + j] = rank;
			s->next[16 * (size_t)s->place[row] + j] = rank * s->factor[row];
		}
	}
}
