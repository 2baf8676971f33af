/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dot_bf16_approx_rows by instructions that multiply pairs of bfloat16 and add both products to a float, from what the
 * file for the instructions defines before it includes this one:
 *
 *     VB_ELEMENTS               elements of a vector
 *     vb, vs                    a vector of elements; a vector of VB_ELEMENTS / 2 sums
 *     vb_load vb_load_first     all, or the first n and zeros behind them
 *     vs_zero vs_add
 *     vs_dot(sums, a, b)        sums plus products
 *     vs_sum4(v, out)           the sums of the lanes of four vectors, stored as four floats
 *
 * Their roundings differ between CPUs, so the order of the sums is no law here and follows the vectors: PARTS vectors of
 * sums to a row, which hide the latency of the instruction. But one row is summed up in one way, alone or among others.
 *
 * Four rows go side by side where they lie in the caches, one after the other where they come from memory and are
 * prefetched: see int8/int8_rows.h.
 */
#ifndef LW_BF16_APPROX_H
#define LW_BF16_APPROX_H

enum { ROWS = 4, PARTS = 4, STEP = PARTS * VB_ELEMENTS, PREFETCH_BYTES = 4096, ELEMENTS_PER_LINE = 32 };

/* The first n elements, at most STEP, of some rows. */
LW_INLINE void add_step(int n_rows, int prefetch, const uint16_t *query, const uint16_t *rows, size_t ld, size_t n,
                        vs sums[][PARTS])
{
#pragma GCC unroll 4
	for (size_t part = 0; part < PARTS; part++) {
		size_t at = part * VB_ELEMENTS;

		if (at >= n)
			break;

		int is_whole = n - at >= VB_ELEMENTS;
		vb q = is_whole ? vb_load(query + at) : vb_load_first(query + at, n - at);

#pragma GCC unroll 4
		for (size_t r = 0; r < (size_t)n_rows; r++) {
			const uint16_t *row = rows + r * ld + at;

			if (prefetch && at % ELEMENTS_PER_LINE == 0)
				__builtin_prefetch((const char *)row + PREFETCH_BYTES);
			sums[r][part] = vs_dot(sums[r][part], q, is_whole ? vb_load(row) : vb_load_first(row, n - at));
		}
	}
}

LW_INLINE void sum_rows(int n_rows, int prefetch, const uint16_t *query, const uint16_t *rows, size_t dim, size_t ld,
                        vs *out)
{
	vs sums[ROWS][PARTS];
	size_t i = 0;

#pragma GCC unroll 4
	for (int r = 0; r < n_rows; r++)
#pragma GCC unroll 4
		for (int part = 0; part < PARTS; part++)
			sums[r][part] = vs_zero();
	for (; i + STEP <= dim; i += STEP)
		add_step(n_rows, prefetch, query + i, rows + i, ld, STEP, sums);
	if (i < dim)
		add_step(n_rows, 0, query + i, rows + i, ld, dim - i, sums);
#pragma GCC unroll 4
	for (int r = 0; r < n_rows; r++)
		out[r] = vs_add(vs_add(sums[r][0], sums[r][2]), vs_add(sums[r][1], sums[r][3]));
}

static LW_NOINLINE void sum_group(const uint16_t *query, const uint16_t *rows, size_t dim, size_t ld, vs sums[ROWS])
{
	sum_rows(ROWS, 0, query, rows, dim, ld, sums);
}

static LW_NOINLINE void sum_group_streamed(const uint16_t *query, const uint16_t *rows, size_t dim, size_t ld,
                                           vs sums[ROWS])
{
#pragma GCC unroll 4
	for (size_t r = 0; r < ROWS; r++)
		sum_rows(1, 1, query, rows + r * ld, dim, ld, sums + r);
}

void LW_FN(dot_bf16_approx_rows)(const uint16_t *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld,
                                 int prefetch, float *out)
{
	for (size_t r = 0; r < n_rows; r += ROWS) {
		size_t n = n_rows - r < ROWS ? n_rows - r : ROWS;
		vs sums[ROWS] = { vs_zero(), vs_zero(), vs_zero(), vs_zero() };
		float four[ROWS];

		if (n == ROWS)
			(prefetch ? sum_group_streamed : sum_group)(query, rows + r * ld, dim, ld, sums);
		for (size_t j = 0; n < ROWS && j < n; j++)
			sum_rows(1, 0, query, rows + (r + j) * ld, dim, ld, sums + j);
		vs_sum4(sums, four);
		for (size_t j = 0; j < n; j++)
			out[r + j] = lw_f32_canonical(four[j]);
	}
}

#endif
