/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels of lanewise/int8.h for one tier, all but the quantiser, from what the tier's file defines before it includes
 * this one. `signs` is a constant everywhere: which of query and row are unsigned (int8/signs.h).
 *
 *     VI_BYTES                 bytes of the elements that one step takes
 *     vi                       a vector of 32-bit sums
 *     ve                       a vector of VI_BYTES elements, as loaded
 *     ve_load(signs, p)        of a query
 *     ve_load_first(signs, p, n)   the first n of a query, and zeros behind them
 *     ve_load_row ...          the same for rows; a tier may change them on the way
 *     vi_zero
 *     vi_dot(signs, sums, query, row)   sums plus products, modulo 2^32
 *     vi_sum4(v, out)          the sums of the lanes of four vectors, stored as four integers
 *     vi_excess(signs, query, dim)   what vi_dot adds to each row too much, for the whole row
 *     VN_BYTES                 bytes of 4-bit codes that one step takes, a divisor of 64
 *     vi_dot_i4(low, high, query, codes)   adds the products of the codes' lower halves and query[0 ...], and of their
 *                              upper halves and query[64 ...], to *low and *high
 *     vi_join(low, high)       16 times what such sums stand for
 *     TILE_QUERIES             queries that go side by side with four rows; there are registers for all the sums
 *
 * Integers can be added in any order, so this needs no canonical one. All sums are modulo 2^32 and the result fits,
 * hence it is right whatever the parts were.
 *
 * Four rows go side by side where they lie in the caches: that shares the loads of the query and hides latencies. From
 * memory they go one after the other, one ascending stream, and are prefetched along it.
 *
 * With several queries, four rows stay in L1 while all queries meet them, a tile of TILE_QUERIES x 4 sums at a time:
 * each load then serves several products.
 */
#ifndef LW_INT8_ROWS_H
#define LW_INT8_ROWS_H

#include "int8/signs.h"
#include "vec.h"

/* Where these loops lie is worth 5 %: jumps at the ends of 32-byte lines are slow on CPUs of the Skylake kind. */
#define LW_AT_LINE __attribute__((aligned(64)))

enum { ROWS = 4, PREFETCH_BYTES = 4096, LINE_BYTES = 64, ABOVE_ROWS = 64 };

LW_INLINE void dot_rows(enum signs signs, int rows, int prefetch, const int8_t *query, const int8_t *row, size_t dim,
                        size_t ld, vi *sums)
{
	size_t i = 0;

#pragma GCC unroll 4
	for (int r = 0; r < rows; r++)
		sums[r] = vi_zero();
	for (; i + VI_BYTES <= dim; i += VI_BYTES) {
		ve q = ve_load(signs, query + i);

#pragma GCC unroll 4
		for (int r = 0; r < rows; r++) {
			if (prefetch && i % LINE_BYTES == 0)
				__builtin_prefetch(row + (size_t)r * ld + i + PREFETCH_BYTES);
			sums[r] = vi_dot(signs, sums[r], q, ve_load_row(signs, row + (size_t)r * ld + i));
		}
	}
	if (i < dim) {
		ve q = ve_load_first(signs, query + i, dim - i);

#pragma GCC unroll 4
		for (int r = 0; r < rows; r++)
			sums[r] =
			        vi_dot(signs, sums[r], q, ve_load_row_first(signs, row + (size_t)r * ld + i, dim - i));
	}
}

typedef void dot_group_fn(const int8_t *query, const int8_t *rows, size_t dim, size_t ld, int32_t *out);

LW_INLINE void dot_group(enum signs signs, int streamed, const int8_t *query, const int8_t *rows, size_t dim, size_t ld,
                         int32_t *out)
{
	vi sums[ROWS];

	if (!streamed)
		dot_rows(signs, ROWS, 0, query, rows, dim, ld, sums);
#pragma GCC unroll 4
	for (size_t r = 0; streamed && r < ROWS; r++)
		dot_rows(signs, 1, 1, query, rows + r * ld, dim, ld, sums + r);
	vi_sum4(sums, out);
}

LW_INLINE void dot_groups(enum signs signs, dot_group_fn *group, const int8_t *query, const int8_t *rows, size_t n_rows,
                          size_t dim, size_t ld, int32_t *out)
{
	uint32_t excess = vi_excess(signs, query, dim);
	size_t r = 0;

	for (; n_rows - r >= ROWS; r += ROWS) {
		group(query, rows + r * ld, dim, ld, out + r);
		for (size_t j = 0; j < ROWS; j++)
			out[r + j] = (int32_t)((uint32_t)out[r + j] - excess);
	}
	for (; r < n_rows; r++) {
		vi sums[ROWS] = { vi_zero(), vi_zero(), vi_zero(), vi_zero() };
		int32_t four[ROWS];

		dot_rows(signs, 1, 0, query, rows + r * ld, dim, ld, sums);
		vi_sum4(sums, four);
		out[r] = (int32_t)((uint32_t)four[0] - excess);
	}
}

#define LW_DEFINE(name, SIGNS, query_type, row_type) \
	static LW_NOINLINE LW_AT_LINE void name##_group(const int8_t *query, const int8_t *rows, size_t dim, \
	                                                size_t ld, int32_t *out) \
	{ \
		dot_group(SIGNS, 0, query, rows, dim, ld, out); \
	} \
	static LW_NOINLINE LW_AT_LINE void name##_group_streamed(const int8_t *query, const int8_t *rows, size_t dim, \
	                                                         size_t ld, int32_t *out) \
	{ \
		dot_group(SIGNS, 1, query, rows, dim, ld, out); \
	} \
	void LW_FN(name)(const query_type *query, const row_type *rows, size_t n_rows, size_t dim, size_t ld, \
	                 int prefetch, int32_t *out) \
	{ \
		dot_groups(SIGNS, prefetch ? name##_group_streamed : name##_group, (const int8_t *)query, \
		           (const int8_t *)rows, n_rows, dim, ld, out); \
	}
LW_DEFINE(dot_i8_rows, I8_I8, int8_t, int8_t)
LW_DEFINE(dot_u8i8_rows, U8_I8, uint8_t, int8_t)
LW_DEFINE(dot_i8u8_rows, I8_U8, int8_t, uint8_t)

/* ----------------------------------------------------------- several queries */

static LW_NOINLINE LW_AT_LINE void dot_tile(int prefetch, const int8_t *queries, size_t query_ld, const int8_t *rows,
                                            size_t dim, size_t ld, int32_t *out, size_t out_ld)
{
	vi sums[TILE_QUERIES][ROWS];
	size_t i = 0;

#pragma GCC unroll 4
	for (int q = 0; q < TILE_QUERIES; q++)
#pragma GCC unroll 4
		for (int r = 0; r < ROWS; r++)
			sums[q][r] = vi_zero();
	for (; i + VI_BYTES <= dim; i += VI_BYTES) {
		ve x[ROWS];

#pragma GCC unroll 4
		for (size_t r = 0; r < ROWS; r++) {
			if (prefetch && i % LINE_BYTES == 0)
				__builtin_prefetch(rows + r * ld + i + PREFETCH_BYTES);
			x[r] = ve_load_row(I8_I8, rows + r * ld + i);
		}
#pragma GCC unroll 4
		for (size_t q = 0; q < TILE_QUERIES; q++) {
			ve y = ve_load(I8_I8, queries + q * query_ld + i);

#pragma GCC unroll 4
			for (int r = 0; r < ROWS; r++)
				sums[q][r] = vi_dot(I8_I8, sums[q][r], y, x[r]);
		}
	}
	if (i < dim) {
#pragma GCC unroll 4
		for (size_t r = 0; r < ROWS; r++) {
			ve x = ve_load_row_first(I8_I8, rows + r * ld + i, dim - i);

#pragma GCC unroll 4
			for (size_t q = 0; q < TILE_QUERIES; q++)
				sums[q][r] = vi_dot(I8_I8, sums[q][r],
				                    ve_load_first(I8_I8, queries + q * query_ld + i, dim - i), x);
		}
	}
#pragma GCC unroll 4
	for (size_t q = 0; q < TILE_QUERIES; q++)
		vi_sum4(sums[q], out + q * out_ld);
}

static void dot_by_rows(const int8_t *queries, size_t n_queries, size_t query_ld, const int8_t *rows, size_t n_rows,
                        size_t dim, size_t ld, int prefetch, int32_t *out, size_t out_ld)
{
	uint32_t excess[LW_DOT_I8_QUERIES];
	size_t r = 0;

	for (size_t q = 0; q < n_queries; q++)
		excess[q] = vi_excess(I8_I8, queries + q * query_ld, dim);
	for (; n_rows - r >= ROWS; r += ROWS) {
		const int8_t *group = rows + r * ld;
		size_t q = 0;

		for (; n_queries - q >= TILE_QUERIES; q += TILE_QUERIES)
			dot_tile(prefetch && q == 0, queries + q * query_ld, query_ld, group, dim, ld,
			         out + q * out_ld + r, out_ld);
		for (; q < n_queries; q++)
			dot_i8_rows_group(queries + q * query_ld, group, dim, ld, out + q * out_ld + r);
	}
	for (size_t q = 0; q < n_queries; q++) {
		int32_t *results = out + q * out_ld;

		for (size_t j = 0; j < r; j++)
			results[j] = (int32_t)((uint32_t)results[j] - excess[q]);
		if (r < n_rows)
			LW_FN(dot_i8_rows)(queries + q * query_ld, rows + r * ld, n_rows - r, dim, ld, 0, results + r);
	}
}

void LW_FN(dot_i8_queries)(const int8_t *queries, size_t n_queries, size_t query_ld, const int8_t *rows, size_t n_rows,
                           size_t dim, size_t ld, int prefetch, int32_t *out, size_t out_ld)
{
	dot_by_rows(queries, n_queries, query_ld, rows, n_rows, dim, ld, prefetch, out, out_ld);
}

/* Of one query and n rows, whose numbers begin with first_row; vectors of products are tested as a whole. */
static void note_above(const int32_t *dot, size_t n, size_t first_row, const float *scale, float least,
                       struct lw_i8_found *found, size_t *n_found)
{
	size_t i = 0;

	while (i < n) {
		size_t end = i + VF_LANES < n ? i + VF_LANES : n;

		if (end - i == VF_LANES &&
		    !vb_any(vf_ge(vf_mul(vf_load_i32(dot + i), vf_load(scale + i)), vf_set1(least)))) {
			i = end;
			continue;
		}
		for (; i < end; i++)
			if ((float)dot[i] * scale[i] >= least)
				found[(*n_found)++] = (struct lw_i8_found) { (uint32_t)(first_row + i), dot[i] };
	}
}

/* dot_i8_above for the rows from `first` on, by way of all products. */
static void above_by_rows(const struct lw_i8_queries *queries, const int8_t *rows, size_t first, size_t n_rows,
                          size_t ld, int prefetch, const float *scale, const float *least, struct lw_i8_found *found,
                          size_t *n_found)
{
	int32_t dot[LW_DOT_I8_QUERIES * ABOVE_ROWS];

	for (size_t q = 0, n; q < queries->n; q += n) {
		n = queries->n - q < LW_DOT_I8_QUERIES ? queries->n - q : LW_DOT_I8_QUERIES;
		for (size_t r = first, some; r < n_rows; r += some) {
			some = n_rows - r < ABOVE_ROWS ? n_rows - r : ABOVE_ROWS;
			dot_by_rows(queries->codes + q * queries->ld, n, queries->ld, rows + r * ld, some, queries->dim,
			            ld, prefetch && q == 0, dot, ABOVE_ROWS);
			for (size_t j = 0; j < n; j++)
				note_above(dot + j * ABOVE_ROWS, some, r, scale + r, least[q + j],
				           found + (q + j) * LW_I8_ROWS, n_found + q + j);
		}
	}
}

/* A tier that has something faster for many queries defines this before it includes this file. */
#ifndef VI_BY_PANELS
void LW_FN(dot_i8_above)(struct lw_i8_queries *queries, const int8_t *rows, size_t n_rows, size_t ld, int prefetch,
                         const float *scale, const float *least, struct lw_i8_found *found, size_t *n_found)
{
	for (size_t q = 0; q < queries->n; q++)
		n_found[q] = 0;
	above_by_rows(queries, rows, 0, n_rows, ld, prefetch, scale, least, found, n_found);
}
#endif

/* --------------------------------------------------------------- 4-bit codes */

/* What codes are too large by, times 16: 120.5 for each. */
static uint32_t i4_excess(const int8_t *query, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += query[i];
	return (uint32_t)(120 * sum + (sum - (sum & 1)) / 2);
}

LW_INLINE void dot_i4_group(int rows, int prefetch, const int8_t *query, const uint8_t *row, size_t n_blocks, vi *sums)
{
	size_t ld = 64 * n_blocks;
	vi low[ROWS], high[ROWS];

#pragma GCC unroll 4
	for (int r = 0; r < rows; r++)
		low[r] = high[r] = vi_zero();
	for (size_t block = 0; block < n_blocks; block++, query += 128, row += 64) {
		for (size_t r = 0; prefetch && r < (size_t)rows; r++)
			__builtin_prefetch(row + r * ld + PREFETCH_BYTES);
#pragma GCC unroll 4
		for (size_t i = 0; i < 64; i += VN_BYTES)
#pragma GCC unroll 4
			for (size_t r = 0; r < (size_t)rows; r++)
				vi_dot_i4(&low[r], &high[r], query + i, row + r * ld + i);
	}
#pragma GCC unroll 4
	for (int r = 0; r < rows; r++)
		sums[r] = vi_join(low[r], high[r]);
}

void LW_FN(dot_i4_rows)(const int8_t *query, const uint8_t *rows, size_t n_rows, size_t n_blocks, int prefetch,
                        int32_t *out)
{
	uint32_t excess = i4_excess(query, 128 * n_blocks);
	size_t ld = 64 * n_blocks, r = 0;
	vi sums[ROWS];
	int32_t four[ROWS];

	for (; n_rows - r >= ROWS; r += ROWS) {
		if (prefetch)
			dot_i4_group(ROWS, 1, query, rows + r * ld, n_blocks, sums);
		else
			dot_i4_group(ROWS, 0, query, rows + r * ld, n_blocks, sums);
		vi_sum4(sums, four);
		for (size_t j = 0; j < ROWS; j++)
			out[r + j] = (int32_t)((uint32_t)four[j] - excess);
	}
	for (; r < n_rows; r++) {
		sums[1] = sums[2] = sums[3] = vi_zero();
		dot_i4_group(1, 0, query, rows + r * ld, n_blocks, sums);
		vi_sum4(sums, four);
		out[r] = (int32_t)((uint32_t)four[0] - excess);
	}
}

#endif
