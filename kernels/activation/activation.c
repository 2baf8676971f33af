/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of lanewise/activation.h: exponentials and sums by the kernels, quotients here. */
#include <lanewise/activation.h>

#include <math.h>

#include "common.h"

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
		out[i] = lw_f32_canonical(out[i] / (float)n);
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
			out[at + i] = lw_f32_canonical((x[at + i] >= 0 ? 1 : e[i]) / (1 + e[i]));
	}
}

/* Eight at a time, since one comparison waits for the one before; any NaN counts for nothing here. */
static float largest(const float *x, size_t n)
{
	float max[8];

	for (int j = 0; j < 8; j++)
		max[j] = -INFINITY;
	for (size_t i = 0; i < n; i++)
		max[i % 8] = x[i] > max[i % 8] ? x[i] : max[i % 8];
	for (int j = 1; j < 8; j++)
		max[0] = max[j] > max[0] ? max[j] : max[0];
	return max[0];
}

void lanewise_softmax_f32(const float *x, size_t n, float *out)
{
	if (!n)
		return;

	float sum = lw_kernels()->exp_f32(x, n, largest(x, n), out);

	for (size_t i = 0; i < n; i++)
		out[i] = lw_f32_canonical(out[i] / sum);
}
