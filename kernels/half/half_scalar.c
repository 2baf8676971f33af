/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for lanewise/half.h: elements are widened one by one, and summed as vector_scalar.c does. */
#include "half_convert.h"
#include "scalar.h"

enum type { F32, F16, BF16 };

struct elements {
	enum type type;
	const void *data;
};

static float element(struct elements v, size_t i)
{
	if (v.type == F32)
		return ((const float *)v.data)[i];
	return v.type == F16 ? lw_f16_to_f32(((const uint16_t *)v.data)[i])
	                     : lw_bf16_to_f32(((const uint16_t *)v.data)[i]);
}

static float tree_sum(float *sum)
{
	for (int half = 16; half >= 4; half /= 2)
		for (int j = 0; j < half; j++)
			sum[j] += sum[j + half];
	return lw_f32_canonical((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static float scaled_dot(struct elements a, float a_scale, struct elements b, float b_scale, size_t n)
{
	float sum[32] = { 0 };

	for (size_t i = 0; i < n; i++)
		sum[i % 32] = lw_fma_f32(element(a, i) * a_scale, element(b, i) * b_scale, sum[i % 32]);
	return tree_sum(sum);
}

static float dot(struct elements a, struct elements b, size_t n) { return scaled_dot(a, 1, b, 1, n); }

static float l2sq(struct elements a, struct elements b, size_t n)
{
	float sum[32] = { 0 };

	for (size_t i = 0; i < n; i++) {
		float difference = element(a, i) - element(b, i);

		sum[i % 32] = lw_fma_f32(difference, difference, sum[i % 32]);
	}
	return tree_sum(sum);
}

/* See vector_scalar.c for why these factors suffice. */
static float safe_scale(float sum_of_squares)
{
	if (sum_of_squares < 0x1p-96f)
		return 0x1p100f;
	return sum_of_squares <= FLT_MAX ? 1 : 0x1p-100f;
}

static float cosine(struct elements a, struct elements b, size_t n)
{
	float a_scale = safe_scale(dot(a, a, n)), b_scale = safe_scale(dot(b, b, n));
	float ab = scaled_dot(a, a_scale, b, b_scale, n);
	float aa = scaled_dot(a, a_scale, a, a_scale, n), bb = scaled_dot(b, b_scale, b, b_scale, n);

	if (!(aa <= FLT_MAX && bb <= FLT_MAX))
		return lw_f32_canonical(NAN);
	if (aa == 0 || bb == 0)
		return 0;

	float result = (float)((double)ab / lw_sqrt((double)aa * (double)bb));

	return result > 1 ? 1 : result < -1 ? -1 : lw_f32_canonical(result);
}

#define LW_DEFINE(op, type_name, TYPE) \
	float LW_FN(op##_##type_name)(const uint16_t *a, const uint16_t *b, size_t n) \
	{ \
		return op((struct elements) { TYPE, a }, (struct elements) { TYPE, b }, n); \
	} \
	void LW_FN(op##_##type_name##_rows)(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, \
	                                    size_t ld, int prefetch, float *out) \
	{ \
		(void)prefetch; \
		for (size_t r = 0; r < n_rows; r++) \
			out[r] = op((struct elements) { F32, query }, (struct elements) { TYPE, rows + r * ld }, dim); \
	}
LW_DEFINE(dot, f16, F16)
LW_DEFINE(cosine, f16, F16)
LW_DEFINE(l2sq, f16, F16)
LW_DEFINE(dot, bf16, BF16)
LW_DEFINE(cosine, bf16, BF16)
LW_DEFINE(l2sq, bf16, BF16)

void LW_FN(f16_to_f32)(const uint16_t *x, size_t n, float *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = lw_f16_to_f32(x[i]);
}

void LW_FN(bf16_to_f32)(const uint16_t *x, size_t n, float *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = lw_bf16_to_f32(x[i]);
}

void LW_FN(f32_to_f16)(const float *x, size_t n, uint16_t *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = lw_f32_to_f16(x[i]);
}

void LW_FN(f32_to_bf16)(const float *x, size_t n, uint16_t *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = lw_f32_to_bf16(x[i]);
}
