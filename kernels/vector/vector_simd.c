/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/vector.h for every vector tier, in the vocabulary of vec.h.
 *
 * The canonical order has 32 partial sums: VF_PARTS vectors per row. A few rows are summed side by side, which hides
 * the latency of the fused multiply-adds and shares the loads of the query. Each row's partial sums are folded to one
 * vector, VF_LANES such vectors become one vector of results by a transposing addition, and that is made canonical
 * and stored. Rows that do not fill a group go one by one through the same code.
 *
 * Rows in L2 go two side by side; four and eight were slower there and faster only inside L1. Rows from beyond L2 go
 * one by one, so that memory sees one ascending stream, and are prefetched by software PREFETCH_FLOATS ahead, along the
 * row and on into the following ones: 6 to 8 % over two or four rows and over 8 KiB.
 *
 * The tail of a row (dim % 32) is loaded with zeros behind it. fma(0, 0, s) leaves every s as it is but -0, and the
 * sign of a zero is made canonical at the end.
 */
#include <float.h>
#include <math.h>

#include "vec.h"

enum {
	PREFETCH_FLOATS = 4096 / sizeof(float),
	FLOATS_PER_LINE = 64 / sizeof(float),
	/* Rows side by side; a group of VF_LANES rows is a multiple of it. */
	ROWS = 2,
	ROWS_COSINE = VF_LANES == 16 ? 2 : 1
};

/* What is summed, a compile-time constant of every function below. */
enum op {
	OP_DOT,    /* q * x */
	OP_L2SQ,   /* (q - x)^2 */
	OP_SQUARE, /* x^2, no query */
	OP_COSINE  /* q * x, and x^2 beside it */
};

/* Partial sums of `rows` rows. */
struct sums {
	vf main[ROWS][VF_PARTS];
	vf square[ROWS][VF_PARTS]; /* OP_COSINE only */
};

LW_INLINE void add_part(enum op op, struct sums *s, int row, int part, vf q, vf x)
{
	if (op == OP_L2SQ) {
		vf difference = vf_sub(q, x);

		s->main[row][part] = vf_fma(difference, difference, s->main[row][part]);
	} else {
		s->main[row][part] = vf_fma(op == OP_SQUARE ? x : q, x, s->main[row][part]);
	}
	if (op == OP_COSINE)
		s->square[row][part] = vf_fma(x, x, s->square[row][part]);
}

/*
 * Folded sums of `rows` rows (a constant, at most ROWS) from `row` on: main[r], and square[r] for OP_COSINE.
 * Query and rows are multiplied by their scales first if `scaled` (a constant).
 */
LW_INLINE void sum_rows(enum op op, int rows, int prefetch, int scaled, const float *query, float query_scale,
                        const float *row, float row_scale, size_t dim, size_t ld, vf *main, vf *square)
{
	struct sums s;
	size_t i = 0;

#pragma GCC unroll 4
	for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
		for (int part = 0; part < VF_PARTS; part++)
			s.main[r][part] = s.square[r][part] = vf_zero();

#pragma GCC unroll 2
	for (; i + 32 <= dim; i += 32) {
#pragma GCC unroll 8
		for (int part = 0; part < VF_PARTS; part++) {
			size_t at = i + (size_t)part * VF_LANES;
			vf q = op == OP_SQUARE ? vf_zero() : vf_load(query + at);

			if (scaled)
				q = vf_mul(q, vf_set1(query_scale));
#pragma GCC unroll 4
			for (int r = 0; r < rows; r++) {
				const float *p = row + (size_t)r * ld + at;
				vf x = vf_load(p);

				if (prefetch && part * VF_LANES % FLOATS_PER_LINE == 0)
					__builtin_prefetch(p + PREFETCH_FLOATS);
				if (scaled)
					x = vf_mul(x, vf_set1(row_scale));
				add_part(op, &s, r, part, q, x);
			}
		}
	}
	if (i < dim) {
#pragma GCC unroll 8
		for (int part = 0; part < VF_PARTS; part++) {
			size_t at = i + (size_t)part * VF_LANES;

			if (at >= dim)
				break;
			int whole = dim - at >= VF_LANES;
			vf q = op == OP_SQUARE ? vf_zero()
			       : whole         ? vf_load(query + at)
			                       : vf_load_first(query + at, dim - at);

			if (scaled)
				q = vf_mul(q, vf_set1(query_scale));
#pragma GCC unroll 4
			for (int r = 0; r < rows; r++) {
				const float *p = row + (size_t)r * ld + at;
				vf x = whole ? vf_load(p) : vf_load_first(p, dim - at);

				if (scaled)
					x = vf_mul(x, vf_set1(row_scale));
				add_part(op, &s, r, part, q, x);
			}
		}
	}
#pragma GCC unroll 4
	for (int r = 0; r < rows; r++) {
		main[r] = vf_fold(s.main[r]);
		if (op == OP_COSINE)
			square[r] = vf_fold(s.square[r]);
	}
}

/* ---------------------------------------------------------------- one row */

LW_INLINE float sum_one(enum op op, int scaled, const float *query, float query_scale, const float *row,
                        float row_scale, size_t dim)
{
	vf main, square;

	sum_rows(op, 1, 0, scaled, query, query_scale, row, row_scale, dim, 0, &main, &square);
	return lw_f32_canonical(vf_sum(main));
}

float LW_FN(dot_f32)(const float *a, const float *b, size_t n) { return sum_one(OP_DOT, 0, a, 1, b, 1, n); }

float LW_FN(l2sq_f32)(const float *a, const float *b, size_t n) { return sum_one(OP_L2SQ, 0, a, 1, b, 1, n); }

/* ------------------------------------------------------- rows, dot and L2 */

/*
 * Sums of a group of VF_LANES rows. Each group function is kept out of line: what its caller holds in registers would
 * otherwise push accumulators out of them (gcc 12).
 */
LW_INLINE void sum_group(enum op op, int prefetch, const float *query, const float *rows, size_t dim, size_t ld,
                         float *sums)
{
	vf folded[VF_LANES], unused[ROWS];

	if (prefetch) {
		for (size_t r = 0; r < VF_LANES; r++)
			sum_rows(op, 1, 1, 0, query, 1, rows + r * ld, 1, dim, ld, folded + r, unused);
	} else {
		/* Unrolled, so that each copy of the loop over dim has its own branch to predict. */
#pragma GCC unroll 8
		for (size_t r = 0; r < VF_LANES; r += ROWS)
			sum_rows(op, ROWS, 0, 0, query, 1, rows + r * ld, 1, dim, ld, folded + r, unused);
	}
	vf_store(sums, vf_canonical(vf_sum_rows(folded)));
}

typedef void sum_group_fn(const float *query, const float *rows, size_t dim, size_t ld, float *sums);

#define LW_DEFINE_SUM_GROUP(name, op, prefetch) \
	static LW_NOINLINE void name(const float *query, const float *rows, size_t dim, size_t ld, float *sums) \
	{ \
		sum_group(op, prefetch, query, rows, dim, ld, sums); \
	}
LW_DEFINE_SUM_GROUP(dot_group, OP_DOT, 0)
LW_DEFINE_SUM_GROUP(dot_group_streamed, OP_DOT, 1)
LW_DEFINE_SUM_GROUP(l2sq_group, OP_L2SQ, 0)
LW_DEFINE_SUM_GROUP(l2sq_group_streamed, OP_L2SQ, 1)
LW_DEFINE_SUM_GROUP(square_group, OP_SQUARE, 0)
LW_DEFINE_SUM_GROUP(square_group_streamed, OP_SQUARE, 1)

LW_INLINE void rows_loop(enum op op, sum_group_fn *group, const float *query, const float *rows, size_t n_rows,
                         size_t dim, size_t ld, float *out)
{
	size_t r = 0;

	for (; r + VF_LANES <= n_rows; r += VF_LANES)
		group(query, rows + r * ld, dim, ld, out + r);
	for (; r < n_rows; r++)
		out[r] = sum_one(op, 0, query, 1, rows + r * ld, 1, dim);
}

void LW_FN(dot_f32_rows)(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch,
                         float *out)
{
	rows_loop(OP_DOT, prefetch ? dot_group_streamed : dot_group, query, rows, n_rows, dim, ld, out);
}

void LW_FN(l2sq_f32_rows)(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch,
                          float *out)
{
	rows_loop(OP_L2SQ, prefetch ? l2sq_group_streamed : l2sq_group, query, rows, n_rows, dim, ld, out);
}

/* ------------------------------------------------------------ safe ranges */

/*
 * A sum of squares in this range came about without overflow, and what was rounded away in it is below its last bit:
 * at least 2^-96 in all, while a square that underflows loses at most 2^-150. Outside (also for NaN) it is taken
 * again over scaled elements.
 */
LW_INLINE int in_safe_range(float sum_of_squares) { return sum_of_squares >= 0x1p-96f && sum_of_squares <= FLT_MAX; }

/* See vector_scalar.c for why these two factors suffice. */
LW_INLINE float safe_scale(float sum_of_squares)
{
	return in_safe_range(sum_of_squares) ? 1 : sum_of_squares < 0x1p-96f ? 0x1p100f : 0x1p-100f;
}

/* --------------------------------------------------------------- cosine */

/* The cosine from three sums in safe range. Rounding twice keeps it within [-1, 1] but for one last bit. */
LW_INLINE float cosine_of_sums(float ab, float aa, float bb)
{
	float cosine = (float)((double)ab / __builtin_sqrt((double)aa * (double)bb));

	return cosine > 1 ? 1 : cosine < -1 ? -1 : cosine;
}

static LW_NOINLINE float cosine_scaled(const float *a, float aa, const float *b, float bb, size_t n)
{
	float a_scale = safe_scale(aa), b_scale = safe_scale(bb);
	float ab = sum_one(OP_DOT, 1, a, a_scale, b, b_scale, n);

	aa = sum_one(OP_SQUARE, 1, a, 1, a, a_scale, n);
	bb = sum_one(OP_SQUARE, 1, b, 1, b, b_scale, n);
	if (!(aa <= FLT_MAX && bb <= FLT_MAX))
		return lw_f32_canonical(NAN);
	if (aa == 0 || bb == 0)
		return 0;
	return cosine_of_sums(ab, aa, bb) + 0.0f;
}

LW_INLINE float finish_cosine(const float *query, float qq, const float *row, float dot, float xx, size_t dim)
{
	if (LW_LIKELY(in_safe_range(qq) && in_safe_range(xx)))
		return cosine_of_sums(dot, qq, xx) + 0.0f;
	return cosine_scaled(query, qq, row, xx, dim);
}

LW_INLINE void cosine_group(int prefetch, const float *query, const float *rows, size_t dim, size_t ld, float *dot,
                            float *square)
{
	vf folded[VF_LANES], folded_square[VF_LANES];

	for (size_t r = 0; r < VF_LANES; r += prefetch ? 1 : ROWS_COSINE)
		sum_rows(OP_COSINE, prefetch ? 1 : ROWS_COSINE, prefetch, 0, query, 1, rows + r * ld, 1, dim, ld,
		         folded + r, folded_square + r);
	vf_store(dot, vf_canonical(vf_sum_rows(folded)));
	vf_store(square, vf_canonical(vf_sum_rows(folded_square)));
}

static LW_NOINLINE void cosine_group_cached(const float *query, const float *rows, size_t dim, size_t ld, float *dot,
                                            float *square)
{
	cosine_group(0, query, rows, dim, ld, dot, square);
}

static LW_NOINLINE void cosine_group_streamed(const float *query, const float *rows, size_t dim, size_t ld, float *dot,
                                              float *square)
{
	cosine_group(1, query, rows, dim, ld, dot, square);
}

void LW_FN(cosine_f32_rows)(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch,
                            float *out)
{
	float qq = sum_one(OP_SQUARE, 0, query, 1, query, 1, dim);
	float dot[VF_LANES], square[VF_LANES];
	size_t r = 0;

	for (; r + VF_LANES <= n_rows; r += VF_LANES) {
		const float *group = rows + r * ld;

		(prefetch ? cosine_group_streamed : cosine_group_cached)(query, group, dim, ld, dot, square);
		for (size_t j = 0; j < VF_LANES; j++)
			out[r + j] = finish_cosine(query, qq, group + j * ld, dot[j], square[j], dim);
	}
	for (; r < n_rows; r++) {
		const float *row = rows + r * ld;
		vf main, squares;

		sum_rows(OP_COSINE, 1, 0, 0, query, 1, row, 1, dim, 0, &main, &squares);
		out[r] = finish_cosine(query, qq, row, lw_f32_canonical(vf_sum(main)),
		                       lw_f32_canonical(vf_sum(squares)), dim);
	}
}

float LW_FN(cosine_f32)(const float *a, const float *b, size_t n)
{
	float cosine;

	LW_FN(cosine_f32_rows)(a, b, 1, n, n, 0, &cosine);
	return cosine;
}

/* ----------------------------------------------------------------- norms */

static LW_NOINLINE float norm_scaled(const float *row, float square, size_t dim)
{
	float scale = safe_scale(square);
	double scaled = sum_one(OP_SQUARE, 1, row, 1, row, scale, dim);

	return lw_f32_canonical((float)(__builtin_sqrt(scaled) / (double)scale));
}

LW_INLINE float finish_norm(const float *row, float square, size_t dim)
{
	if (LW_LIKELY(in_safe_range(square)))
		return (float)__builtin_sqrt((double)square);
	return norm_scaled(row, square, dim);
}

void LW_FN(norm_f32_rows)(const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch, float *out)
{
	/* Block by block, so that rows that need a second look are still near. */
	for (size_t r = 0; r < n_rows; r += VF_LANES) {
		size_t n = n_rows - r < VF_LANES ? n_rows - r : VF_LANES;
		const float *block = rows + r * ld;

		rows_loop(OP_SQUARE, prefetch ? square_group_streamed : square_group, block, block, n, dim, ld,
		          out + r);
		for (size_t j = 0; j < n; j++)
			out[r + j] = finish_norm(block + j * ld, out[r + j], dim);
	}
}

/* row[i] = row[i] * scale * factor, in that order; with no scale the first multiplication is by 1 and drops out. */
LW_INLINE void scale_row(float *row, size_t dim, int scaled, float scale, float factor)
{
	vf f = vf_set1(factor);
	size_t i = 0;

	for (; i + VF_LANES <= dim; i += VF_LANES) {
		vf x = vf_load(row + i);

		vf_store(row + i, vf_mul(scaled ? vf_mul(x, vf_set1(scale)) : x, f));
	}
	if (i < dim) {
		vf x = vf_load_first(row + i, dim - i);

		vf_store_first(row + i, vf_mul(scaled ? vf_mul(x, vf_set1(scale)) : x, f), dim - i);
	}
}

static LW_NOINLINE void normalize_scaled(float *row, float square, size_t dim)
{
	float scale = safe_scale(square);
	double scaled = sum_one(OP_SQUARE, 1, row, 1, row, scale, dim);

	if (scaled == 0)
		return;
	float factor = (float)(1 / __builtin_sqrt(scaled));

	/* Small elements beside huge ones must not become subnormal on the way: scaling down comes last. */
	if (scaled <= (double)FLT_MAX)
		scale_row(row, dim, 1, scale < 1 ? factor : scale, scale < 1 ? scale : factor);
	else
		for (size_t i = 0; i < dim; i++)
			row[i] = lw_f32_canonical(NAN);
}

void LW_FN(normalize_f32_rows)(float *rows, size_t n_rows, size_t dim, size_t ld)
{
	/* Row by row, so that the second pass over a row finds it in L1. */
	for (size_t r = 0; r < n_rows; r++) {
		float *row = rows + r * ld;
		float square = sum_one(OP_SQUARE, 0, row, 1, row, 1, dim);

		if (LW_LIKELY(in_safe_range(square)))
			scale_row(row, dim, 0, 1, (float)(1 / __builtin_sqrt((double)square)));
		else
			normalize_scaled(row, square, dim);
	}
}
