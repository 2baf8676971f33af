/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference for lanewise/vector.h: one loop per definition, element by element in the canonical order.
 */
#include "scalar.h"

/* The 32 partial sums of the canonical order, and the tree that adds them up. */
struct partial_sums {
	float sum[32];
};

static float tree_sum(struct partial_sums p)
{
	for (int half = 16; half >= 4; half /= 2)
		for (int j = 0; j < half; j++)
			p.sum[j] += p.sum[j + half];
	return (p.sum[0] + p.sum[1]) + (p.sum[2] + p.sum[3]);
}

/* The sum of a[i] * a_scale * b[i] * b_scale, where the scales are powers of two. */
static float scaled_dot(const float *a, float a_scale, const float *b, float b_scale, size_t n)
{
	struct partial_sums p = { { 0 } };

	for (size_t i = 0; i < n; i++)
		p.sum[i % 32] = lw_fma_f32(a[i] * a_scale, b[i] * b_scale, p.sum[i % 32]);
	return lw_f32_canonical(tree_sum(p));
}

float LW_FN(dot_f32)(const float *a, const float *b, size_t n) { return scaled_dot(a, 1, b, 1, n); }

float LW_FN(l2sq_f32)(const float *a, const float *b, size_t n)
{
	struct partial_sums p = { { 0 } };

	for (size_t i = 0; i < n; i++) {
		float difference = a[i] - b[i];

		p.sum[i % 32] = lw_fma_f32(difference, difference, p.sum[i % 32]);
	}
	return lw_f32_canonical(tree_sum(p));
}

/*
 * The factor that keeps a sum of squares in range: 1 if it is fine as it is, 2^-100 if it overflowed (the largest
 * float squared is then 2^56), 2^100 if it is so small that squares may have been rounded away (the smallest
 * subnormal squared is then 2^-98).
 */
static float safe_scale(float sum_of_squares)
{
	if (sum_of_squares < 0x1p-96f)
		return 0x1p100f;
	return sum_of_squares <= FLT_MAX ? 1 : 0x1p-100f;
}

float LW_FN(cosine_f32)(const float *a, const float *b, size_t n)
{
	float a_scale = safe_scale(scaled_dot(a, 1, a, 1, n));
	float b_scale = safe_scale(scaled_dot(b, 1, b, 1, n));
	float ab = scaled_dot(a, a_scale, b, b_scale, n);
	float aa = scaled_dot(a, a_scale, a, a_scale, n);
	float bb = scaled_dot(b, b_scale, b, b_scale, n);

	if (!(aa <= FLT_MAX && bb <= FLT_MAX))
		return lw_f32_canonical(NAN);
	if (aa == 0 || bb == 0)
		return 0;
	float cosine = (float)((double)ab / lw_sqrt((double)aa * (double)bb));

	return cosine > 1 ? 1 : cosine < -1 ? -1 : lw_f32_canonical(cosine);
}

void LW_FN(dot_f32_rows)(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch,
                         float *out)
{
	(void)prefetch;
	for (size_t r = 0; r < n_rows; r++)
		out[r] = LW_FN(dot_f32)(query, rows + r * ld, dim);
}

void LW_FN(cosine_f32_rows)(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch,
                            float *out)
{
	(void)prefetch;
	for (size_t r = 0; r < n_rows; r++)
		out[r] = LW_FN(cosine_f32)(query, rows + r * ld, dim);
}

void LW_FN(l2sq_f32_rows)(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch,
                          float *out)
{
	(void)prefetch;
	for (size_t r = 0; r < n_rows; r++)
		out[r] = LW_FN(l2sq_f32)(query, rows + r * ld, dim);
}

/* The squared norm of a row times scale^2, and that scale. */
static double square_norm(const float *row, size_t dim, float *scale)
{
	*scale = safe_scale(scaled_dot(row, 1, row, 1, dim));
	return scaled_dot(row, *scale, row, *scale, dim);
}

void LW_FN(norm_f32_rows)(const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch, float *out)
{
	(void)prefetch;
	for (size_t r = 0; r < n_rows; r++) {
		float scale;
		double square = square_norm(rows + r * ld, dim, &scale);

		out[r] = lw_f32_canonical((float)(lw_sqrt(square) / (double)scale));
	}
}

void LW_FN(normalize_f32_rows)(float *rows, size_t n_rows, size_t dim, size_t ld)
{
	for (size_t r = 0; r < n_rows; r++) {
		float *row = rows + r * ld;
		float scale;
		double square = square_norm(row, dim, &scale);

		if (square == 0)
			continue;
		/* A row that is not finite has a factor that makes every element NaN. */
		float factor = square <= (double)FLT_MAX ? (float)(1 / lw_sqrt(square)) : lw_f32_canonical(NAN);

		/* Small elements beside huge ones must not become subnormal on the way: scaling down comes last. */
		float first = scale < 1 ? factor : scale, last = scale < 1 ? scale : factor;

		for (size_t i = 0; i < dim; i++) {
			float x = row[i] * first * last;

			row[i] = x == x ? x : lw_f32_canonical(x);
		}
	}
}
