/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of lanewise/activation.h: exponentials and sums by the kernels, quotients here. */
#include <lanewise/activation.h>

#include <math.h>

#include "common.h"

/* a / b in canonical form. The sum outside the condition, unlike lw_f32_canonical's, lets compilers make vectors of it. */
static float quotient(float a, float b)
{
	float q = a / b + 0.0f;

	return q == q ? q : lw_f32_from_bits(0x7fc00000);
}

size_t lanewise_mean_pool_f32(const float *tokens, size_t n_tokens, size_t dim, size_t ld, const uint8_t *mask,
                              float *out)
{
	size_t n = mask ? 0 : n_tokens;

	LW_ASSERT(ld >= dim);
	for (size_t t = 0; mask && t < n_tokens; t++)
		n += mask[t] != 0;
	if (!dim)
		return n;
	if (!n) {
		memset(out, 0, dim * sizeof *out);
		return 0;
	}
	lw_kernels()->masked_sum_f32(tokens, n_tokens, dim, ld, mask, out);
	for (size_t i = 0; i < dim; i++)
		out[i] = quotient(out[i], (float)n);
	return n;
}

void lanewise_sigmoid_f32(const float *x, size_t n, float *out)
{
	enum { BLOCK = 512 };
	float e[BLOCK];

	for (size_t at = 0; at < n; at += BLOCK) {
		size_t n_block = n - at < BLOCK ? n - at : BLOCK;

		for (size_t i = 0; i < n_block; i++)
			e[i] = -fabsf(x[at + i]);
		lw_kernels()->exp_f32(e, n_block, 0, e);
		for (size_t i = 0; i < n_block; i++)
			out[at + i] = quotient(x[at + i] >= 0 ? 1 : e[i], 1 + e[i]);
	}
}

/* Sixteen side by side, which a compiler makes vectors of; any NaN counts for nothing here. */
static float largest(const float *x, size_t n)
{
	enum { LANES = 16 };
	float max[LANES];
	size_t i = 0;

	for (int j = 0; j < LANES; j++)
		max[j] = -INFINITY;
	for (; n - i >= LANES; i += LANES)
		for (int j = 0; j < LANES; j++)
			max[j] = x[i + (size_t)j] > max[j] ? x[i + (size_t)j] : max[j];
	for (int j = 0; i < n; i++, j++)
		max[j] = x[i] > max[j] ? x[i] : max[j];
	for (int j = 1; j < LANES; j++)
		max[0] = max[j] > max[0] ? max[j] : max[0];
	return max[0];
}

void lanewise_softmax_f32(const float *x, size_t n, float *out)
{
	if (!n)
		return;

	float sum = lw_kernels()->exp_f32(x, n, largest(x, n), out);

	for (size_t i = 0; i < n; i++)
		out[i] = quotient(out[i], sum);
}
