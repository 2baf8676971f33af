/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of rows in groups of sixteen for the x86 tiers, which do it alike: sixteen sums in sixteen registers, elements
 * loaded one by one. Gathers were tried: on CPUs with the microcode against data sampling they take twice the time, and
 * no CPU tried did better with them. What the loop waits for are the elements, and many loads are under way at once,
 * since no lane waits for another. Columns are loaded in pairs, which saves a quarter of all loads, and prefetched
 * explicitly: the CPU's prefetcher does not go far enough ahead when elements miss the caches in between.
 *
 * The order of additions within a lane is that of the reference.
 */
#ifndef LW_ROW_SUMS_H
#define LW_ROW_SUMS_H

#include <immintrin.h>

#include "common.h"

enum { COLUMNS_AHEAD = 256 };

/* begin ... end: steps of 16 entries */
LW_INLINE void lw_sum_group(const uint32_t *column, const double *weight, size_t begin, size_t end, const double *x,
                            double *sums)
{
	__m128d sum[16];

#pragma GCC unroll 16
	for (int l = 0; l < 16; l++)
		sum[l] = _mm_setzero_pd();
	for (size_t t = begin; t < end; t++) {
		_mm_prefetch((const char *)(column + 16 * t) + COLUMNS_AHEAD * sizeof *column, _MM_HINT_T0);
#pragma GCC unroll 8
		for (int l = 0; l < 16; l += 2) {
			uint64_t pair;
			__m128d a, b;

			memcpy(&pair, column + 16 * t + l, sizeof pair);
			a = _mm_load_sd(x + (uint32_t)pair);
			b = _mm_load_sd(x + (pair >> 32));
			if (weight) {
				a = _mm_mul_sd(a, _mm_load_sd(weight + 16 * t + l));
				b = _mm_mul_sd(b, _mm_load_sd(weight + 16 * t + l + 1));
			}
			sum[l] = _mm_add_sd(sum[l], a);
			sum[l + 1] = _mm_add_sd(sum[l + 1], b);
		}
	}
#pragma GCC unroll 16
	for (int l = 0; l < 16; l++)
		_mm_store_sd(sums + l, sum[l]);
}

LW_INLINE void lw_sum_groups(const uint32_t *column, const double *weight, const size_t *offset, size_t n_groups,
                             const double *x, double *sums)
{
	if (weight)
		for (size_t g = 0; g < n_groups; g++)
			lw_sum_group(column, weight, offset[g], offset[g + 1], x, sums + 16 * g);
	else
		for (size_t g = 0; g < n_groups; g++)
			lw_sum_group(column, NULL, offset[g], offset[g + 1], x, sums + 16 * g);
}

#endif
