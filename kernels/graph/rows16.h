/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels behind PageRank of sixteen vectors side by side, for tiers that tell how to do it:
 *
 *     lw_v, V_LANES    a vector of so many doubles
 *     v_zero, v_set1, v_load, v_store, v_add, v_sub, v_mul, v_abs
 *     v_stream         stores to an aligned address past the caches; v_fence comes after the last
 *     ROWS             rows summed side by side: their sums fill the registers
 *
 * An element is 128 bytes, two cache lines, loaded as they come: no gathers. What the sums wait for is memory, so
 * elements are asked for some steps ahead.
 */
#ifndef LW_ROWS16_H
#define LW_ROWS16_H

#include "common.h"

enum { VECTORS = 16, V_PER_ELEMENT = VECTORS / V_LANES, RENEW_PARTS = 8, STEPS_AHEAD = 8 };

LW_INLINE void lw_prefetch_element(const double *x, uint32_t column)
{
	const char *element = (const char *)(x + VECTORS * (size_t)column);

	__builtin_prefetch(element);
	__builtin_prefetch(element + 64);
}

/* ROWS rows of a group. For the first `n_ahead` steps those to be prefetched are there, in this group or those behind it. */
LW_INLINE void lw_sum_rows16(const uint32_t *column, const double *weight, size_t n_steps, size_t n_ahead,
                             const double *x, double *sums)
{
	lw_v sum[V_PER_ELEMENT * ROWS];

#pragma GCC unroll 16
	for (int i = 0; i < V_PER_ELEMENT * ROWS; i++)
		sum[i] = v_zero();
	for (size_t t = 0; t < n_steps; t++) {
		if (t < n_ahead) {
#pragma GCC unroll 8
			for (int l = 0; l < ROWS; l++)
				lw_prefetch_element(x, column[16 * (t + STEPS_AHEAD) + l]);
		}
#pragma GCC unroll 16
		for (int i = 0; i < V_PER_ELEMENT * ROWS; i++) {
			int l = i / V_PER_ELEMENT, part = i % V_PER_ELEMENT;
			lw_v v = v_load(x + VECTORS * (size_t)column[16 * t + l] + V_LANES * part);

			if (weight)
				v = v_mul(v_set1(weight[16 * t + l]), v);
			sum[i] = v_add(sum[i], v);
		}
	}
#pragma GCC unroll 16
	for (int i = 0; i < V_PER_ELEMENT * ROWS; i++)
		v_store(sums + V_LANES * i, sum[i]);
}

LW_INLINE void lw_sum_groups16(const uint32_t *column, const double *weight, const size_t *offset, size_t n_groups,
                               const double *x, double *sums)
{
	for (size_t g = 0; g < n_groups; g++)
		for (size_t l = 0; l < 16; l += ROWS) {
			size_t first = 16 * offset[g] + l, n_steps = offset[g + 1] - offset[g];
			size_t n_known = offset[n_groups] - offset[g];
			size_t n_ahead = n_known > STEPS_AHEAD ? n_known - STEPS_AHEAD : 0;

			if (weight)
				lw_sum_rows16(column + first, weight + first, n_steps, n_ahead, x,
				              sums + VECTORS * (16 * g + l));
			else
				lw_sum_rows16(column + first, NULL, n_steps, n_ahead, x, sums + VECTORS * (16 * g + l));
		}
}

LW_INLINE void lw_renew_rows16(const struct lw_rank_slice *s, int streamed)
{
	enum { AHEAD = 16 };
	const lw_v damping = v_set1(s->damping), zero = v_zero();
	lw_v teleport[V_PER_ELEMENT];

#pragma GCC unroll 4
	for (int i = 0; i < V_PER_ELEMENT; i++)
		teleport[i] = v_load(s->teleport + V_LANES * i);
	for (size_t row = 0; row < s->n_rows; row++) {
		const int wanted = (int)(s->any_wanted[row / 64] >> row % 64 & 1);
		const lw_v factor = v_set1(s->factor[row]);
		const int lost = !(s->factor[row] > 0);
		double *change = s->change + VECTORS * (row % RENEW_PARTS);
		double *lost_to = s->lost + VECTORS * (row % RENEW_PARTS);
		double *element = s->next + VECTORS * (size_t)s->place[row];

		if (!streamed && row + AHEAD < s->n_rows) {
			const char *later = (const char *)(s->next + VECTORS * (size_t)s->place[row + AHEAD]);

			__builtin_prefetch(later, 1);
			__builtin_prefetch(later + 64, 1);
		}
#pragma GCC unroll 4
		for (int i = 0; i < V_PER_ELEMENT; i++) {
			size_t at = VECTORS * row + V_LANES * (size_t)i;
			lw_v rank = v_mul(damping, v_load(s->sums + at));

			if (wanted)
				rank = v_add(rank, v_mul(teleport[i], v_load(s->wanted + at)));

			lw_v difference = v_abs(v_sub(rank, v_load(s->rank + at)));
			double *to = change + V_LANES * i;

			v_store(to, v_add(v_load(to), difference));
			v_store(s->rank + at, rank);
			if (lost) {
				to = lost_to + V_LANES * i;
				v_store(to, v_add(v_load(to), rank));
			}
			rank = lost ? zero : v_mul(rank, factor);
			if (streamed)
				v_stream(element + V_LANES * i, rank);
			else
				v_store(element + V_LANES * i, rank);
		}
	}
	if (streamed)
		v_fence();
}

#endif
