/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/activation.h for every vector tier, in the vocabulary of vec.h. Every lane does what the reference does for one
 * element. For sums of rows a few vectors of elements are kept in registers while all rows pass by.
 */
#include "activation/exp.h"
#include "vec.h"

LW_INLINE vf exp_of(vf x)
{
	static const float coefficient[LW_EXP_TERMS] = LW_EXP_COEFFICIENTS;
	vb in_range = vf_ge(x, vf_set1(LW_EXP_LOWEST));
	vf y = vf_select(in_range, x, vf_zero());
	vf n = vf_round(vf_mul(y, vf_set1(LW_EXP_PER_LOG2)));
	vf r = vf_fma(n, vf_set1(-LW_EXP_LOG2_LOWER), vf_fma(n, vf_set1(-LW_EXP_LOG2_UPPER), y));
	vf sum = vf_set1(coefficient[0]);

#pragma GCC unroll 8
	for (int i = 1; i < LW_EXP_TERMS; i++)
		sum = vf_fma(sum, r, vf_set1(coefficient[i]));
	sum = vf_mul(sum, vf_power_of_2(n));
	return vf_select(in_range, sum, vf_select(vf_eq(x, x), vf_zero(), vf_set1(lw_f32_from_bits(0x7fc00000))));
}

float LW_FN(exp_f32)(const float *x, size_t n, float shift, float *out)
{
	vf sums[VF_PARTS], s = vf_set1(shift);

	for (int part = 0; part < VF_PARTS; part++)
		sums[part] = vf_zero();
	for (size_t i = 0; i < n; i += 32)
#pragma GCC unroll 8
		for (int part = 0; part < VF_PARTS; part++) {
			size_t at = i + (size_t)part * VF_LANES;

			if (at + VF_LANES <= n) {
				vf e = exp_of(vf_sub(vf_load(x + at), s));

				vf_store(out + at, e);
				sums[part] = vf_add(sums[part], e);
			} else if (at < n) {
				vf_store_first(out + at, exp_of(vf_sub(vf_load_first(x + at, n - at), s)), n - at);
				sums[part] = vf_add(sums[part], vf_load_first(out + at, n - at));
			}
		}
	return lw_f32_canonical(vf_sum(vf_fold(sums)));
}

enum { BLOCK = 4 };

/* The first n elements, n <= BLOCK * VF_LANES, all of them if `whole`. */
LW_INLINE void sum_block(int whole, const float *rows, size_t n_rows, size_t n, size_t ld, const uint8_t *mask,
                         float *out)
{
	vf sum[BLOCK];

#pragma GCC unroll 4
	for (int v = 0; v < BLOCK; v++)
		sum[v] = vf_zero();
	for (size_t r = 0; r < n_rows; r++) {
		const float *row = rows + r * ld;

		if (mask && !mask[r])
			continue;
#pragma GCC unroll 4
		for (int v = 0; v < BLOCK; v++) {
			size_t at = (size_t)v * VF_LANES;

			if (whole || at + VF_LANES <= n)
				sum[v] = vf_add(sum[v], vf_load(row + at));
			else if (at < n)
				sum[v] = vf_add(sum[v], vf_load_first(row + at, n - at));
		}
	}
#pragma GCC unroll 4
	for (int v = 0; v < BLOCK; v++) {
		size_t at = (size_t)v * VF_LANES;

		if (whole || at + VF_LANES <= n)
			vf_store(out + at, vf_canonical(sum[v]));
		else if (at < n)
			vf_store_first(out + at, vf_canonical(sum[v]), n - at);
	}
}

void LW_FN(masked_sum_f32)(const float *rows, size_t n_rows, size_t dim, size_t ld, const uint8_t *mask, float *out)
{
	const size_t block = BLOCK * VF_LANES;
	size_t i = 0;

	for (; i + block <= dim; i += block)
		sum_block(1, rows + i, n_rows, block, ld, mask, out + i);
	if (i < dim)
		sum_block(0, rows + i, n_rows, dim - i, ld, mask, out + i);
}
