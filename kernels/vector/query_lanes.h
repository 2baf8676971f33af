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
 * Memory: LANE_ROWS rows stay in L1 while all queries meet them, the panel passes by from L2 once for each tile (tried:
 * quarters of the panel in L1 and the rows from L2, 15 % slower; rows broadcast as operands of the multiply-adds, 25 %
 * slower: too many loads; other tiles of 24 to 28 sums, and the tile in assembly, within 3 %). The panel lies in the
 * caller's memory and outlives the call: queries are turned over once for all calls that meet them with other rows.
 *
 * Rows longer than LONG_DIM would need all of L1, and their elements, 32 apart, a line of it each. These are copied first,
 * four of a partial sum next to one another (pack_rows).
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
	LEAST_LANE_DIM = LEAVES,           /* every partial sum has a first element */
	LONG_DIM = 400,
	STEPS_TOGETHER = 4, /* of a partial sum, in copied rows */
	PACKED_STEP = STEPS_TOGETHER * LEAVES,
	PACKED_LINE = 16, /* floats of a copied row before those of the next: four of each of four partial sums */
	BLOCKS_OF_4 = VF_LANES / 4
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

/* Floats of LANE_ROWS copied rows. */
LW_INLINE size_t packed_floats(size_t dim) { return (dim + PACKED_STEP - 1) / PACKED_STEP * PACKED_STEP * LANE_ROWS; }

/*
 * Where the elements of partial sum j begin: four of the first row, and so on; those of the following row come
 * PACKED_LINE floats later, the next four of the same row after 2 * PACKED_LINE * LANE_ROWS.
 */
LW_INLINE size_t packed_at(size_t dim, size_t j)
{
	return j % 4 * (packed_floats(dim) / 4) + j / 16 * (PACKED_LINE * LANE_ROWS) + j / 4 % 4 * 4;
}

/*
 * Copies LANE_ROWS rows. A vector of four elements of each of BLOCKS_OF_4 partial sums, whose numbers are 4 apart, comes
 * about by transposing 4 x 4 elements within the blocks of four vectors.
 */
static void pack_rows(const float *rows, size_t ld, size_t dim, float *packed)
{
	for (size_t i = 0; i < dim; i += PACKED_STEP, packed += 2 * PACKED_LINE * LANE_ROWS)
		for (size_t r = 0; r < LANE_ROWS; r++)
			for (size_t j = 0; j < LEAVES; j += VF_LANES) {
				vf v[STEPS_TOGETHER];

#pragma GCC unroll 4
				for (size_t step = 0; step < STEPS_TOGETHER; step++) {
					size_t at = i + step * LEAVES + j;

					v[step] = at + VF_LANES <= dim ? vf_load(rows + r * ld + at)
					          : at < dim           ? vf_load_first(rows + r * ld + at, dim - at)
					                               : vf_zero();
				}
				vf_transpose_blocks(v);
#pragma GCC unroll 4
				for (size_t c = 0; c < 4; c++)
					vf_store(packed + packed_at(dim, j + c) + r * PACKED_LINE, v[c]);
			}
}

/* One element of all pairs of a tile, in rows whose places for it are `ld` apart. */
LW_INLINE void lane_step(int is_l2sq, int n_vectors, const float *panel, const float *x, size_t ld,
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

			sums[r][v] = vf_fma(a, is_l2sq ? a : b, sums[r][v]);
		}
	}
}

/* What a tile of LANE_ROWS rows and some vectors of queries needs. */
struct lane_tile {
	const float *panel, *rows; /* the rows as they are or copied */
	size_t ld, dim;
	const float *ahead; /* n_ahead floats from there on are prefetched in passing */
	size_t n_ahead;
	vf *sums; /* those of a row after another's, `sums_ld` apart */
	size_t sums_ld;
};

LW_INLINE void lane_tile(int is_l2sq, int is_packed, int n_vectors, const struct lane_tile *t)
{
	vf waiting[LEAF_LEVELS * LANE_ROWS * MOST_VECTORS];
	size_t share = t->n_ahead / LEAVES, dim = t->dim;
	const float *panel = t->panel;

#pragma GCC unroll 1
	for (size_t k = 0; k < LEAVES; k++) {
		const float *x = t->rows + (is_packed ? packed_at(dim, leaf(k)) : leaf(k));
		size_t n = leaf_length(dim, leaf(k)), at = (size_t)n_vectors * VF_LANES;
		vf s[LANE_ROWS][MOST_VECTORS], *top = waiting;

		for (size_t i = 0; i < share; i += FLOATS_PER_LINE)
			__builtin_prefetch(t->ahead + k * share + i, 0, 2);
#pragma GCC unroll 8
		for (int r = 0; r < LANE_ROWS; r++)
#pragma GCC unroll 4
			for (int v = 0; v < n_vectors; v++)
				s[r][v] = vf_zero();
#pragma GCC unroll 1
		for (; is_packed && n >= STEPS_TOGETHER;
		     n -= STEPS_TOGETHER, x += 2 * PACKED_LINE * LANE_ROWS, panel += STEPS_TOGETHER * at)
#pragma GCC unroll 4
			for (size_t step = 0; step < STEPS_TOGETHER; step++)
				lane_step(is_l2sq, n_vectors, panel + step * at, x + step, PACKED_LINE, s);
#pragma GCC unroll 1
		for (const float *end = panel + n * at; panel < end; panel += at, x += is_packed ? 1 : LEAVES)
			lane_step(is_l2sq, n_vectors, panel, x, is_packed ? PACKED_LINE : t->ld, s);
		/* As many sums wait as k has ones; each one at the end is of a partner. */
#pragma GCC unroll 1
		for (size_t left = k; left & 1; left >>= 1, top += LANE_ROWS * n_vectors)
#pragma GCC unroll 8
			for (int r = 0; r < LANE_ROWS; r++)
#pragma GCC unroll 4
				for (int v = 0; v < n_vectors; v++)
					s[r][v] = vf_add(top[r * n_vectors + v], s[r][v]);

		size_t ld = k + 1 == LEAVES ? t->sums_ld : (size_t)n_vectors;

		top = k + 1 == LEAVES ? t->sums : top;
#pragma GCC unroll 8
		for (int r = 0; r < LANE_ROWS; r++)
#pragma GCC unroll 4
			for (int v = 0; v < n_vectors; v++)
				top[(size_t)r * ld + (size_t)v] = s[r][v];
	}
}

/* Out of line, one function each, as the other tiles. */
typedef void lane_tile_fn(const struct lane_tile *t);

#define LW_DEFINE_LANE_TILE(name, is_l2sq, is_packed, n_vectors) \
	static LW_NOINLINE void name(const struct lane_tile *t) { lane_tile(is_l2sq, is_packed, n_vectors, t); }
LW_DEFINE_LANE_TILE(dot_lanes_2, 0, 0, 2)
LW_DEFINE_LANE_TILE(dot_lanes_3, 0, 0, 3)
LW_DEFINE_LANE_TILE(dot_packed_2, 0, 1, 2)
LW_DEFINE_LANE_TILE(dot_packed_3, 0, 1, 3)
LW_DEFINE_LANE_TILE(l2sq_lanes_2, 1, 0, 2)
LW_DEFINE_LANE_TILE(l2sq_lanes_3, 1, 0, 3)
LW_DEFINE_LANE_TILE(l2sq_packed_2, 1, 1, 2)
LW_DEFINE_LANE_TILE(l2sq_packed_3, 1, 1, 3)

/* By operation, whether rows are copied, and vectors less 2. */
static lane_tile_fn *const lane_tiles[2][2][2] = { { { dot_lanes_2, dot_lanes_3 }, { dot_packed_2, dot_packed_3 } },
	                                           { { l2sq_lanes_2, l2sq_lanes_3 },
	                                             { l2sq_packed_2, l2sq_packed_3 } } };

/* Vectors of queries that go together where `left` are left: one is never left over. */
LW_INLINE size_t vectors_of_tile(size_t left) { return left == 3 || left > 4 ? 3 : 2; }

/* Scores of LANE_BLOCK_ROWS rows and n_vectors vectors of queries to out, a line per query. */
static void turn_back(const vf *sums, size_t n_vectors, float *out, size_t out_ld)
{
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

/* Queries and rows in lanes, and the caller's memory: copied rows, if they are long, before the panel. */
struct lanes {
	size_t n_queries; /* 0: none go in lanes */
	float *packed, *panel;
};

/* How many of the queries go in lanes, the first ones; in all calls with a panel alike many, unless rows are few. */
static struct lanes lanes_of(size_t n_queries, size_t n_rows, size_t dim, const struct lw_f32_panel *memory)
{
	enum {
		LEAST_ROWS = 2 * LANE_BLOCK_ROWS, /* for fewer, turning queries over costs more than it saves */
		LEAST_QUERIES = VF_LANES > 8 ? 2 * VF_LANES : 16
	};
	struct lanes lanes = { 0, NULL, NULL };
	size_t n = n_queries < LW_F32_QUERIES ? n_queries : LW_F32_QUERIES, skipped, used;

	if (!memory || n < LEAST_QUERIES || dim < LEAST_LANE_DIM || dim > memory->n_floats ||
	    (n_rows < LEAST_ROWS && !memory->is_packed))
		return lanes;
	skipped = (64 - (uintptr_t)memory->floats % 64) % 64 / sizeof(float);
	used = skipped + (dim > LONG_DIM ? packed_floats(dim) : 0);
	if (used > memory->n_floats)
		return lanes;
	if (n > (memory->n_floats - used) / dim)
		n = (memory->n_floats - used) / dim;
	if (n < LEAST_QUERIES)
		return lanes;
	lanes.n_queries = n / VF_LANES * VF_LANES;
	lanes.packed = memory->floats + skipped;
	lanes.panel = memory->floats + used;
	return lanes;
}

static void pack_panel(const float *queries, size_t n_queries, size_t ld, size_t dim, float *panel)
{
	size_t n_vectors = n_queries / VF_LANES;

	for (size_t v = 0, n; v < n_vectors; v += n) {
		n = vectors_of_tile(n_vectors - v);
		for (size_t i = 0; i < n; i++)
			pack_queries(queries + (v + i) * VF_LANES * ld, ld, dim, n * VF_LANES,
			             panel + v * VF_LANES * dim + i * VF_LANES);
	}
}

/* All pairs of the panel's queries and n_rows, a multiple of LANE_BLOCK_ROWS. */
static LW_NOINLINE void lane_pairs(int is_l2sq, const struct lanes *lanes, const float *rows, size_t n_rows, size_t dim,
                                   size_t ld, int prefetch, float *out, size_t out_ld)
{
	size_t n_vectors = lanes->n_queries / VF_LANES;
	int is_packed = dim > LONG_DIM;
	vf sums[LANE_BLOCK_ROWS * LW_F32_QUERIES / VF_LANES];

	for (size_t first = 0; first < n_rows; first += LANE_BLOCK_ROWS) {
		int is_ahead = prefetch && n_rows - first >= 2 * LANE_BLOCK_ROWS;

		for (size_t r = 0; r < LANE_BLOCK_ROWS; r += LANE_ROWS) {
			const float *some = rows + (first + r) * ld;

			if (is_packed)
				pack_rows(some, ld, dim, lanes->packed);
			for (size_t v = 0, n; v < n_vectors; v += n) {
				struct lane_tile t = { lanes->panel + v * VF_LANES * dim,
					               is_packed ? lanes->packed : some,
					               ld,
					               dim,
					               some + LANE_BLOCK_ROWS * ld,
					               is_ahead && v == 0 ? LANE_ROWS * ld : 0,
					               sums + r * n_vectors + v,
					               n_vectors };

				n = vectors_of_tile(n_vectors - v);
				lane_tiles[is_l2sq][is_packed][n - 2](&t);
			}
		}
		turn_back(sums, n_vectors, out + first, out_ld);
	}
}

#endif
