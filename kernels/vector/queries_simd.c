/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many queries and many rows at a time, in the vocabulary of vec.h, with the same bits as one pair at a time.
 *
 * The canonical order (vector.h) gives each pair 32 partial sums, so a tile of 4 queries x 3 rows holds 12 pairs: with
 * 16 lanes 24 accumulators, which 7 vectors of each step feed, and the fused multiply-adds are the limit, not the
 * loads. Where registers are fewer, a tile makes several passes over its 7 vectors' elements, each for some of the 32
 * partial sums (PASS_PARTS vectors of them). The sums of 4 queries x 12 rows are then folded together, VF_LANES pairs
 * at a time. Nothing is packed or transposed.
 *
 * From 32 queries (16 on narrower tiers) and as many rows on, where the caller has memory for it, another tile has a query
 * in each lane, which is a fifth to a half faster: query_lanes.h.
 *
 * Memory: 12 rows stay in L1 (or L2) while all queries meet them, 4 queries in L1 while they meet the 12 rows. The
 * first queries to meet a block of rows prefetch the next one into L2.
 *
 * Tails of rows (dim % 32) are loaded with zeros behind them, as in vector_simd.c. What is left of queries and rows
 * goes through tiles of one query, one row or both.
 */
#include <float.h>

#include "vec.h"

enum {
	TILE_QUERIES = 4,
	TILE_ROWS = 3,
	BLOCK_ROWS = 4 * TILE_ROWS,
	PASS_PARTS = VF_LANES == 8 ? 1 : 2,
	FLOATS_PER_LINE = 16
};
_Static_assert(TILE_QUERIES *BLOCK_ROWS % VF_LANES == 0, "a block's pairs are whole vectors");

enum op { OP_DOT, OP_L2SQ };

/* A query and a row, or several: where they begin and how far apart they are. */
struct side {
	const float *p;
	size_t ld;
};

/*
 * gcc 12 would load a query's part anew for each row, as an operand of the multiply-add, and the loads become the
 * limit: keeps it in a register.
 */
LW_INLINE vf in_register(vf v)
{
#if defined(__GNUC__) && !defined(__clang__) && defined(__FMA__) && !defined(LW_NEON_VIA_SIMDE)
	__asm__("" : "+v"(v));
#endif
	return v;
}

#include "vector/query_lanes.h"

LW_INLINE vf load_part(int whole, const float *x, size_t at, size_t dim)
{
	return whole || dim - at >= VF_LANES ? vf_load(x + at) : vf_load_first(x + at, dim - at);
}

/* The parts from `first_part` on of the 32 elements from i on, into sums[query][row][part]. */
LW_INLINE void tile_step(enum op op, int whole, int n_queries, int n_rows, int prefetch, struct side queries,
                         struct side rows, size_t dim, size_t i, int first_part,
                         vf sums[TILE_QUERIES][TILE_ROWS][PASS_PARTS])
{
#pragma GCC unroll 2
	for (int part = 0; part < PASS_PARTS; part++) {
		size_t at = i + (size_t)(first_part + part) * VF_LANES;
		vf x[TILE_ROWS];

		if (!whole && at >= dim)
			break;
#pragma GCC unroll 4
		for (int r = 0; r < n_rows; r++) {
			const float *row = rows.p + (size_t)r * rows.ld;

			if (prefetch && at % FLOATS_PER_LINE == 0)
				__builtin_prefetch(row + BLOCK_ROWS * rows.ld + at, 0, 2);
			x[r] = load_part(whole, row, at, dim);
		}
#pragma GCC unroll 4
		for (int q = 0; q < n_queries; q++) {
			vf y = in_register(load_part(whole, queries.p + (size_t)q * queries.ld, at, dim));

#pragma GCC unroll 4
			for (int r = 0; r < n_rows; r++) {
				vf a = op == OP_L2SQ ? vf_sub(y, x[r]) : y;

				sums[q][r][part] = vf_fma(a, op == OP_L2SQ ? a : x[r], sums[q][r][part]);
			}
		}
	}
}

/* The folded sums of n_queries x n_rows pairs (constants), query q and row r at folded[q * BLOCK_ROWS + r]. */
LW_INLINE void tile(enum op op, int n_queries, int n_rows, int prefetch, struct side queries, struct side rows,
                    size_t dim, vf *folded)
{
	vf parts[TILE_QUERIES][TILE_ROWS][VF_PARTS];

#pragma GCC unroll 8
	for (int first = 0; first < VF_PARTS; first += PASS_PARTS) {
		vf sums[TILE_QUERIES][TILE_ROWS][PASS_PARTS];
		size_t i = 0;

#pragma GCC unroll 4
		for (int q = 0; q < n_queries; q++)
#pragma GCC unroll 4
			for (int r = 0; r < n_rows; r++)
#pragma GCC unroll 2
				for (int part = 0; part < PASS_PARTS; part++)
					sums[q][r][part] = vf_zero();
#pragma GCC unroll 1
		for (; i + 32 <= dim; i += 32)
			tile_step(op, 1, n_queries, n_rows, prefetch, queries, rows, dim, i, first, sums);
		if (i < dim)
			tile_step(op, 0, n_queries, n_rows, 0, queries, rows, dim, i, first, sums);
#pragma GCC unroll 4
		for (int q = 0; q < n_queries; q++)
#pragma GCC unroll 4
			for (int r = 0; r < n_rows; r++)
#pragma GCC unroll 2
				for (int part = 0; part < PASS_PARTS; part++)
					parts[q][r][first + part] = sums[q][r][part];
	}
#pragma GCC unroll 4
	for (int q = 0; q < n_queries; q++)
#pragma GCC unroll 4
		for (int r = 0; r < n_rows; r++)
			folded[q * BLOCK_ROWS + r] = vf_fold(parts[q][r]);
}

/* Out of line, one function each: a tile's accumulators take all the registers. */
typedef void tile_fn(struct side queries, struct side rows, size_t dim, vf *folded);

#define LW_DEFINE_TILE(name, op, n_queries, n_rows, prefetch) \
	static LW_NOINLINE void name(struct side queries, struct side rows, size_t dim, vf *folded) \
	{ \
		tile(op, n_queries, n_rows, prefetch, queries, rows, dim, folded); \
	}
LW_DEFINE_TILE(dot_4x3, OP_DOT, TILE_QUERIES, TILE_ROWS, 0)
LW_DEFINE_TILE(dot_4x3_ahead, OP_DOT, TILE_QUERIES, TILE_ROWS, 1)
LW_DEFINE_TILE(dot_4x1, OP_DOT, TILE_QUERIES, 1, 0)
LW_DEFINE_TILE(dot_1x3, OP_DOT, 1, TILE_ROWS, 0)
LW_DEFINE_TILE(dot_1x1, OP_DOT, 1, 1, 0)
LW_DEFINE_TILE(l2sq_4x3, OP_L2SQ, TILE_QUERIES, TILE_ROWS, 0)
LW_DEFINE_TILE(l2sq_4x3_ahead, OP_L2SQ, TILE_QUERIES, TILE_ROWS, 1)
LW_DEFINE_TILE(l2sq_4x1, OP_L2SQ, TILE_QUERIES, 1, 0)
LW_DEFINE_TILE(l2sq_1x3, OP_L2SQ, 1, TILE_ROWS, 0)
LW_DEFINE_TILE(l2sq_1x1, OP_L2SQ, 1, 1, 0)

/* The tiles of an operation, by queries (4 or 1) and rows (3 or 1). */
struct tiles {
	tile_fn *four_three, *four_three_ahead, *four_one, *one_three, *one_one;
};

static const struct tiles dot_tiles = { dot_4x3, dot_4x3_ahead, dot_4x1, dot_1x3, dot_1x1 };
static const struct tiles l2sq_tiles = { l2sq_4x3, l2sq_4x3_ahead, l2sq_4x1, l2sq_1x3, l2sq_1x1 };

/* n_queries (4 or 1) and n_rows <= BLOCK_ROWS rows. */
LW_INLINE void block(const struct tiles *tiles, size_t n_queries, size_t n_rows, int ahead, struct side queries,
                     struct side rows, size_t dim, float *out, size_t out_ld)
{
	vf folded[TILE_QUERIES * BLOCK_ROWS];
	float sums[TILE_QUERIES * BLOCK_ROWS];
	tile_fn *three = n_queries == 1 ? tiles->one_three : ahead ? tiles->four_three_ahead : tiles->four_three;
	tile_fn *one = n_queries == 1 ? tiles->one_one : tiles->four_one;
	size_t r = 0, used = n_queries * BLOCK_ROWS;

	for (; r + TILE_ROWS <= n_rows; r += TILE_ROWS)
		three(queries, (struct side) { rows.p + r * rows.ld, rows.ld }, dim, folded + r);
	for (; r < n_rows; r++)
		one(queries, (struct side) { rows.p + r * rows.ld, rows.ld }, dim, folded + r);
	/* Places of no pair. */
	for (size_t q = 0; q < n_queries; q++)
		for (r = n_rows; r < BLOCK_ROWS; r++)
			folded[q * BLOCK_ROWS + r] = vf_zero();
	for (; used % VF_LANES; used++)
		folded[used] = vf_zero();
	for (size_t i = 0; i < used; i += VF_LANES)
		vf_store(sums + i, vf_canonical(vf_sum_rows(folded + i)));
	for (size_t q = 0; q < n_queries; q++)
		memcpy(out + q * out_ld, sums + q * BLOCK_ROWS, n_rows * sizeof *out);
}

static void tiled_pairs(const struct tiles *tiles, struct side queries, size_t n_queries, struct side rows,
                        size_t n_rows, size_t dim, int prefetch, float *out, size_t out_ld)
{
	for (size_t r = 0; r < n_rows; r += BLOCK_ROWS) {
		size_t n = n_rows - r < BLOCK_ROWS ? n_rows - r : BLOCK_ROWS, q = 0;
		struct side some = { rows.p + r * rows.ld, rows.ld };

		for (; n_queries - q >= TILE_QUERIES; q += TILE_QUERIES)
			block(tiles, TILE_QUERIES, n, prefetch && q == 0 && n_rows - r >= 2 * BLOCK_ROWS,
			      (struct side) { queries.p + q * queries.ld, queries.ld }, some, dim, out + q * out_ld + r,
			      out_ld);
		for (; q < n_queries; q++)
			block(tiles, 1, n, 0, (struct side) { queries.p + q * queries.ld, queries.ld }, some, dim,
			      out + q * out_ld + r, out_ld);
	}
}

/* Most pairs in lanes where that pays, the rest in the other tiles. */
LW_INLINE void all_pairs(enum op op, struct side queries, size_t n_queries, struct side rows, size_t n_rows, size_t dim,
                         int prefetch, struct lw_f32_panel *panel, float *out, size_t out_ld)
{
	const struct tiles *tiles = op == OP_L2SQ ? &l2sq_tiles : &dot_tiles;
	const struct lanes lanes = lanes_of(n_queries, n_rows, dim, panel);
	size_t in_lanes = lanes.n_queries, n = n_rows / LANE_BLOCK_ROWS * LANE_BLOCK_ROWS;

	if (in_lanes == 0) {
		tiled_pairs(tiles, queries, n_queries, rows, n_rows, dim, prefetch, out, out_ld);
		return;
	}
	if (!panel->is_packed)
		pack_panel(queries.p, in_lanes, queries.ld, dim, lanes.panel);
	panel->is_packed = 1;
	lane_pairs(op == OP_L2SQ, &lanes, rows.p, n, dim, rows.ld, prefetch, out, out_ld);
	tiled_pairs(tiles, queries, in_lanes, (struct side) { rows.p + n * rows.ld, rows.ld }, n_rows - n, dim, 0,
	            out + n, out_ld);
	tiled_pairs(tiles, (struct side) { queries.p + in_lanes * queries.ld, queries.ld }, n_queries - in_lanes, rows,
	            n_rows, dim, 0, out + in_lanes * out_ld, out_ld);
}

void LW_FN(dot_f32_queries)(const float *queries, size_t n_queries, size_t query_ld, const float *rows, size_t n_rows,
                            size_t dim, size_t ld, int prefetch, struct lw_f32_panel *panel, float *out, size_t out_ld)
{
	all_pairs(OP_DOT, (struct side) { queries, query_ld }, n_queries, (struct side) { rows, ld }, n_rows, dim,
	          prefetch, panel, out, out_ld);
}

void LW_FN(l2sq_f32_queries)(const float *queries, size_t n_queries, size_t query_ld, const float *rows, size_t n_rows,
                             size_t dim, size_t ld, int prefetch, struct lw_f32_panel *panel, float *out, size_t out_ld)
{
	all_pairs(OP_L2SQ, (struct side) { queries, query_ld }, n_queries, (struct side) { rows, ld }, n_rows, dim,
	          prefetch, panel, out, out_ld);
}

/* ----------------------------------------------------------------- cosine */

/* As in vector_simd.c: sums of squares in this range need no scaling. False for NaN. */
LW_INLINE int in_safe_range(float sum_of_squares) { return sum_of_squares >= 0x1p-96f && sum_of_squares <= FLT_MAX; }

enum { COSINE_ROWS = 64 };

/* Dot products become cosines where both sums of squares are in safe range. A loop without branches, for vectors. */
LW_INLINE void divide(float *dot, float qq, const float *xx, size_t n)
{
	for (size_t r = 0; r < n; r++) {
		float cosine = (float)((double)dot[r] / __builtin_sqrt((double)qq * (double)xx[r]));

		cosine = cosine > 1 ? 1 : cosine;
		cosine = cosine < -1 ? -1 : cosine;
		dot[r] = cosine + 0.0f;
	}
}

void LW_FN(cosine_f32_queries)(const float *queries, size_t n_queries, size_t query_ld, const float *rows,
                               size_t n_rows, size_t dim, size_t ld, int prefetch, struct lw_f32_panel *panel,
                               float *out, size_t out_ld)
{
	float qq[LW_F32_QUERIES], xx[COSINE_ROWS];

	for (size_t q = 0; q < n_queries; q++)
		qq[q] = LW_FN(dot_f32)(queries + q * query_ld, queries + q * query_ld, dim);
	LW_FN(dot_f32_queries)(queries, n_queries, query_ld, rows, n_rows, dim, ld, prefetch, panel, out, out_ld);
	for (size_t first = 0; first < n_rows; first += COSINE_ROWS) {
		size_t n = n_rows - first < COSINE_ROWS ? n_rows - first : COSINE_ROWS;
		const float *some = rows + first * ld;
		int safe = 1;

		for (size_t r = 0; r < n; r++) {
			xx[r] = LW_FN(dot_f32)(some + r * ld, some + r * ld, dim);
			safe &= in_safe_range(xx[r]);
		}
		for (size_t q = 0; q < n_queries; q++) {
			float *o = out + q * out_ld + first;

			if (LW_LIKELY(safe && in_safe_range(qq[q]))) {
				divide(o, qq[q], xx, n);
				continue;
			}
			for (size_t r = 0; r < n; r++)
				if (in_safe_range(qq[q]) && in_safe_range(xx[r]))
					divide(o + r, qq[q], xx + r, 1);
				else
					o[r] = LW_FN(cosine_f32)(queries + q * query_ld, some + r * ld, dim);
		}
	}
}
