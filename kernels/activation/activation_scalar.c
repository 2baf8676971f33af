/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for lanewise/activation.h, element by element. */
#include "activation/exp.h"
#include "scalar.h"

static float exp_of(float x)
{
	static const float coefficient[LW_EXP_TERMS] = LW_EXP_COEFFICIENTS;

	if (!(x >= LW_EXP_LOWEST))
		return x == x ? 0 : lw_f32_canonical(x);

	/* To the nearest integer, ties to even: beyond 2^23 floats have no fraction. */
	float shifted = x * LW_EXP_PER_LOG2 + 0x1.8p23f;
	float n = shifted - 0x1.8p23f;
	float r = lw_fma_f32(n, -LW_EXP_LOG2_LOWER, lw_fma_f32(n, -LW_EXP_LOG2_UPPER, x));
	float sum = coefficient[0];

	for (int i = 1; i < LW_EXP_TERMS; i++)
		sum = lw_fma_f32(sum, r, coefficient[i]);
	return sum * lw_f32_from_bits((uint32_t)((int32_t)n + 127) << 23);
}

float LW_FN(exp_f32)(const float *x, size_t n, float shift, float *out)
{
	float sum[32] = { 0 };

	for (size_t i = 0; i < n; i++) {
		out[i] = exp_of(x[i] - shift);
		sum[i % 32] += out[i];
	}
	for (int half = 16; half >= 4; half /= 2)
		for (int j = 0; j < half; j++)
			sum[j] += sum[j + half];
	return lw_f32_canonical((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

void LW_FN(masked_sum_f32)(const float *rows, size_t n_rows, size_t dim, size_t ld, const uint8_t *mask, float *out)
{
	for (size_t i = 0; i < dim; i++) {
		float sum = 0;

		for (size_t r = 0; r < n_rows; r++)
			if (!mask || mask[r])
				sum += rows[r * ld + i];
		out[i] = lw_f32_canonical(sum);
	}
}
