/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many queries and rows with a query in each lane, for queries_simd.c, which includes this.
 *
 * Queries are turned over into a panel, a vector for the same element of VF_LANES queries, so that a tile of some
 * vectors of queries and some rows multiplies each vector by an element of a row in all lanes. The canonical order (vector.h)
 * has 32 partial sums for each pair, so the tile goes through the elements partial sum by partial sum: those whose number is j
 * modulo 32, then the next j. The j come in the order in which the canonical tree meets them, depth first, so at most five
 * sums of each pair wait for their partners, in memory. The tree's additions are then additions of whole vectors, 31 for
 * VF_LANES pairs, and nothing is moved across lanes: half the instructions that sums along the lanes end in, which at
 * 384 dimensions are a sixth of all.
 *
 * Memory: LANE_ROWS rows stay in L1, the panel passes by from L2 once for each tile (tried: quarters of the panel in L1
 * and the rows from L2, 15 % slower; rows broadcast as operands of the multiply-adds, 25 % slower: too many loads). The
 * panel lies on the stack, which sets its size and with it the greatest dim.
 */
#ifndef LW_VECTOR_QUERY_LANES_H
#define LW_VECTOR_QUERY_LANES_H

#include "vec.h"

enum {
	LEAVES = 32,
	LEAF_LEVELS = 5,
	LANE_ROWS = VF_LANES == 8 ? 4 : 8, /* rows of a tile */
	MOST_VECTORS = 3,                  /* vectors of queries of a tile */
	LANE_BLOCK_ROWS = 16,              /* rows whose scores are turned back together */
	PANEL_FLOATS = 48 * 384,
	LEAST_LANE_DIM = LEAVES /* every partial sum has a first element */
};
_Static_assert(LANE_BLOCK_ROWS % LANE_ROWS == 0 && LANE_BLOCK_ROWS % VF_LANES == 0, "blocks are whole");

/* The partial sum that comes k-th. */
LW_INLINE size_t leaf(size_t k) { return (k >> 3) + 16 * (k & 1) + 8 * (k >> 1 & 1) + 4 * (k >> 2 & 1); }

/* The elements of partial sum j. */
LW_INLINE size_t leaf_length(size_t dim, size_t j) { return (dim - j + LEAVES - 1) / LEAVES; }

/* Vectors of queries, `stride` floats after one another, of the elements in the order of the tile. */
static void pack_queries(const float *queries, size_t ld, size_t dim, size_t stride, float *panel)
{
	size_t place[LEAVES], used = 0;

	for (size_t k = 0; k < LEAVES; k++) {
		place[leaf(k)] = used;
		used += leaf_length(dim, leaf(k));
	}
	for (size_t i = 0; i < dim; i += VF_LANES) {
		size_t n = dim - i < VF_LANES ? dim - i : VF_LANES;
		vf v[VF_LANES];

		for (size_t q = 0; q < VF_LANES; q++)
			v[q] = n == VF_LANES ? vf_load(queries + q * ld + i) : vf_load_first(queries + q * ld + i, n);
		vf_transpose(v);
		for (size_t e = 0; e < n; e++)
			vf_store(panel + (place[(i + e) % LEAVES] + i / LEAVES) * stride, v[e]);
	}
}

/* One element of all pairs of a tile; the first of a partial sum needs no sum before it. */
LW_INLINE void lane_step(int is_l2sq, int is_first, int n_vectors, const float *panel, const float *x, size_t ld,
                         vf sums[LANE_ROWS][MOST_VECTORS])
{
	vf q[MOST_VECTORS];

#pragma GCC unroll 4
	for (int v = 0; v < n_vectors; v++)
		q[v] = in_register(vf_load(panel + v * VF_LANES));
#pragma GCC unroll 8
	for (int r = 0; r < LANE_ROWS; r++) {
		vf b = in_register(vf_set1(x[(size_t)r * ld]));

#pragma GCC unroll 4
		for (int v = 0; v < n_vectors; v++) {
			vf a = is_l2sq ? vf_sub(q[v], b) : q[v];
			vf c = is_l2sq ? a : b;

			sums[r][v] = is_first ? vf_mul(a, c) : vf_fma(a, c, sums[r][v]);
		}
	}
}

/*
 * LANE_ROWS rows and n_vectors (a constant) vectors of queries: sums[row * n_vectors + vector]. Prefetches n_ahead
 * floats from `ahead` on in passing.
 */
LW_INLINE void lane_tile(int is_l2sq, int n_vectors, const float *panel, const float *rows, size_t ld, size_t dim,
                         const float *ahead, size_t n_ahead, vf *sums)
{
	vf waiting[LEAF_LEVELS * LANE_ROWS * MOST_VECTORS];
	size_t share = n_ahead / LEAVES;

#pragma GCC unroll 1
	for (size_t k = 0; k < LEAVES; k++) {
		const float *x = rows + leaf(k);
		size_t n = leaf_length(dim, leaf(k));
		const float *end = panel + n * (size_t)n_vectors * VF_LANES;
		vf s[LANE_ROWS][MOST_VECTORS], *top = waiting;

		for (size_t i = 0; i < share; i += FLOATS_PER_LINE)
			__builtin_prefetch(ahead + k * share + i, 0, 2);
		lane_step(is_l2sq, 1, n_vectors, panel, x, ld, s);
#pragma GCC unroll 1
		for (panel += n_vectors * VF_LANES, x += LEAVES; panel < end;
		     panel += n_vectors * VF_LANES, x += LEAVES)
			lane_step(is_l2sq, 0, n_vectors, panel, x, ld, s);
		/* As many sums wait as k has ones; each one at the end is of a partner. */
#pragma GCC unroll 1
		for (size_t left = k; left & 1; left >>= 1, top += LANE_ROWS * n_vectors)
#pragma GCC unroll 8
			for (int r = 0; r < LANE_ROWS; r++)
#pragma GCC unroll 4
				for (int v = 0; v < n_vectors; v++)
					s[r][v] = vf_add(top[r * n_vectors + v], s[r][v]);
		top = k + 1 == LEAVES ? sums : top;
#pragma GCC unroll 8
		for (int r = 0; r < LANE_ROWS; r++)
#pragma GCC unroll 4
			for (int v = 0; v < n_vectors; v++)
				top[r * n_vectors + v] = s[r][v];
	}
}

/* Out of line, one function each, as the other tiles. */
typedef void lane_tile_fn(const float *panel, const float *rows, size_t ld, size_t dim, const float *ahead,
                          size_t n_ahead, vf *sums);

#define LW_DEFINE_LANE_TILE(name, is_l2sq, n_vectors) \
	static LW_NOINLINE void name(const float *panel, const float *rows, size_t ld, size_t dim, const float *ahead, \
	                             size_t n_ahead, vf *sums) \
	{ \
		lane_tile(is_l2sq, n_vectors, panel, rows, ld, dim, ahead, n_ahead, sums); \
	}
LW_DEFINE_LANE_TILE(dot_lanes_2, 0, 2)
LW_DEFINE_LANE_TILE(dot_lanes_3, 0, 3)
LW_DEFINE_LANE_TILE(l2sq_lanes_2, 1, 2)
LW_DEFINE_LANE_TILE(l2sq_lanes_3, 1, 3)

/* Vectors of queries that go together where `left` are left: one is never left over, unless there is but one. */
LW_INLINE size_t vectors_of_tile(size_t left) { return left == 3 || left > 4 ? 3 : 2; }

/* Scores of LANE_BLOCK_ROWS rows and n_vectors vectors of queries to out, a line per query. */
static void lane_block(int is_l2sq, size_t n_vectors, const float *panel, const float *rows, size_t ld, size_t dim,
                       int prefetch, float *out, size_t out_ld)
{
	lane_tile_fn *two = is_l2sq ? l2sq_lanes_2 : dot_lanes_2, *three = is_l2sq ? l2sq_lanes_3 : dot_lanes_3;
	vf sums[LANE_BLOCK_ROWS * MOST_VECTORS];

	for (size_t r = 0; r < LANE_BLOCK_ROWS; r += LANE_ROWS)
		(n_vectors == 2 ? two : three)(panel, rows + r * ld, ld, dim, rows + (LANE_BLOCK_ROWS + r) * ld,
		                               prefetch ? LANE_ROWS * ld : 0, sums + r * n_vectors);
	for (size_t v = 0; v < n_vectors; v++)
		for (size_t r = 0; r < LANE_BLOCK_ROWS; r += VF_LANES) {
			vf scores[VF_LANES];

#pragma GCC unroll 16
			for (size_t i = 0; i < VF_LANES; i++)
				scores[i] = vf_canonical(sums[(r + i) * n_vectors + v]);
			vf_transpose(scores);
#pragma GCC unroll 16
			for (size_t q = 0; q < VF_LANES; q++)
				vf_store(out + (v * VF_LANES + q) * out_ld + r, scores[q]);
		}
}

/* How many of the queries can go in lanes; they are then the first ones. */
LW_INLINE size_t queries_in_lanes(size_t n_queries, size_t n_rows, size_t dim)
{
	enum {
		LEAST_ROWS = 2 * LANE_BLOCK_ROWS, /* for fewer, turning queries over costs more than it saves */
		LEAST_QUERIES = VF_LANES > 8 ? 2 * VF_LANES : 16
	};
	size_t n = n_queries / VF_LANES * VF_LANES;

	if (n < LEAST_QUERIES || n_rows < LEAST_ROWS || dim < LEAST_LANE_DIM || dim > PANEL_FLOATS / n)
		return 0;
	return n;
}

/* All pairs of n_queries (see above) and n_rows, a multiple of LANE_BLOCK_ROWS. */
static LW_NOINLINE void lane_pairs(int is_l2sq, const float *queries, size_t n_queries, size_t query_ld,
                                   const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch, float *out,
                                   size_t out_ld)
{
	_Alignas(64) float panel[PANEL_FLOATS];
	size_t n_vectors = n_queries / VF_LANES;

	for (size_t v = 0, n; v < n_vectors; v += n) {
		n = vectors_of_tile(n_vectors - v);
		for (size_t i = 0; i < n; i++)
			pack_queries(queries + (v + i) * VF_LANES * query_ld, query_ld, dim, n * VF_LANES,
			             panel + v * VF_LANES * dim + i * VF_LANES);
	}
	for (size_t r = 0; r < n_rows; r += LANE_BLOCK_ROWS)
		for (size_t v = 0, n; v < n_vectors; v += n) {
			n = vectors_of_tile(n_vectors - v);
			lane_block(is_l2sq, n, panel + v * VF_LANES * dim, rows + r * ld, ld, dim,
			           prefetch && v == 0 && n_rows - r >= 2 * LANE_BLOCK_ROWS,
			           out + v * VF_LANES * out_ld + r, out_ld);
		}
}

#endif
