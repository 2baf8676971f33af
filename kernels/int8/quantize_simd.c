/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantize_i8_rows for every vector tier: two passes over a row, which is in L1 for the second. The first finds the
 * greatest magnitude (as the greatest bits without sign, among which NaN stands out) and the sum of squares; the
 * second makes codes and the sum of squared errors. Sums are in the canonical order of vector.h.
 *
 * In the tail the zeros behind the row give codes 0 and errors 0; only the codes of the row are stored.
 */
#include <float.h>

#include "vec.h"

/* The 32 elements from i on, those beyond n being 0; `whole` is a constant. */
LW_INLINE void load_block(int whole, const float *x, size_t i, size_t n, vf v[VF_PARTS])
{
#pragma GCC unroll 8
	for (int part = 0; part < VF_PARTS; part++) {
		size_t at = i + (size_t)part * VF_LANES;

		if (whole || at + VF_LANES <= n)
			v[part] = vf_load(x + at);
		else
			v[part] = at < n ? vf_load_first(x + at, n - at) : vf_zero();
	}
}

LW_INLINE void measure_block(const vf v[VF_PARTS], vf sums[VF_PARTS], vu *greatest)
{
#pragma GCC unroll 8
	for (int part = 0; part < VF_PARTS; part++) {
		sums[part] = vf_fma(v[part], v[part], sums[part]);
		*greatest = vu_max(*greatest, vf_magnitude_bits(v[part]));
	}
}

/* The greatest magnitude in the row as bits, and the sum of squares. */
static uint32_t measure(const float *x, size_t n, float *square)
{
	vf v[VF_PARTS], sums[VF_PARTS];
	vu greatest = vu_zero();
	size_t i = 0;

#pragma GCC unroll 8
	for (int part = 0; part < VF_PARTS; part++)
		sums[part] = vf_zero();
	for (; i + 32 <= n; i += 32) {
		load_block(1, x, i, n, v);
		measure_block(v, sums, &greatest);
	}
	if (i < n) {
		load_block(0, x, i, n, v);
		measure_block(v, sums, &greatest);
	}
	*square = lw_f32_canonical(vf_sum(vf_fold(sums)));
	return vu_max_lane(greatest);
}

/* Codes of one vector, and its errors into the sum. */
LW_INLINE vf quantize_part(vf x, vf inverse, vf minus_scale, vf *sum)
{
	vf rounded = vf_round(vf_mul(x, inverse));
	vf error = vf_fma(minus_scale, rounded, x);

	*sum = vf_fma(error, error, *sum);
	return rounded;
}

static float quantize(const float *x, size_t n, float scale, float inverse, int8_t *codes)
{
	const vf f = vf_set1(inverse), minus_scale = vf_set1(-scale);
	vf v[VF_PARTS], sums[VF_PARTS];
	size_t i = 0;

#pragma GCC unroll 8
	for (int part = 0; part < VF_PARTS; part++)
		sums[part] = vf_zero();
	for (; i + 32 <= n; i += 32) {
		load_block(1, x, i, n, v);
#pragma GCC unroll 8
		for (int part = 0; part < VF_PARTS; part++)
			vf_store_i8(codes + i + part * VF_LANES, quantize_part(v[part], f, minus_scale, &sums[part]));
	}
	if (i < n) {
		int8_t last[32];

		load_block(0, x, i, n, v);
#pragma GCC unroll 8
		for (int part = 0; part < VF_PARTS; part++)
			vf_store_i8(last + part * VF_LANES, quantize_part(v[part], f, minus_scale, &sums[part]));
		memcpy(codes + i, last, n - i);
	}
	return lw_f32_canonical(vf_sum(vf_fold(sums)));
}

void LW_FN(quantize_i8_rows)(const float *rows, size_t n_rows, size_t dim, size_t ld, int8_t *codes, size_t codes_ld,
                             float *scale, float *square, float *error_square)
{
	for (size_t r = 0; r < n_rows; r++) {
		float greatest = lw_f32_from_bits(measure(rows + r * ld, dim, &square[r]));

		if (greatest >= 0x1p-100f && greatest <= FLT_MAX) {
			scale[r] = greatest / 127;
			error_square[r] = quantize(rows + r * ld, dim, scale[r], 127 / greatest, codes + r * codes_ld);
			continue;
		}
		if (dim)
			memset(codes + r * codes_ld, 0, dim);
		if (greatest < 0x1p-100f) {
			scale[r] = 0;
			error_square[r] = square[r];
		} else {
			scale[r] = square[r] = error_square[r] = lw_f32_from_bits(0x7fc00000);
		}
	}
}
