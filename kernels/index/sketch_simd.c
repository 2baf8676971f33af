/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter of the first stage of a search, for every vector tier (kernel_types.h says what it does). Nearly always no
 * row of a vector passes, so branches are predicted: the lower end is computed only where a row passes. The last, short
 * vector is computed in full over copies, with NaN behind the rows, which never pass.
 */
#include <math.h>

#include "vec.h"

/* VF_LANES rows at the pointers, of which row 0 has the number first_row. */
LW_INLINE void filter_vector(const struct lw_sketch_query *query, const int32_t *dot, const float *row_scale,
                             const float *error, const float *norm, uint32_t first_row, vf bound, float *upper,
                             float *lower, uint32_t *row, size_t *used)
{
	vf norms = vf_load(norm), square = vf_mul(norms, norms);
	vf middle = vf_fma(vf_load_i32(dot), vf_mul(vf_set1(query->scale), vf_load(row_scale)),
	                   vf_fma(vf_set1(query->square_weight), square, vf_set1(query->base)));
	vf radius = vf_fma(vf_set1(query->square_radius), square, vf_set1(query->base_radius));

	radius = vf_fma(vf_set1(query->norm_weight), norms, radius);
	radius = vf_fma(vf_set1(query->error_weight), vf_load(error), radius);

	vf sum = vf_add(middle, radius);
	vb passes = vf_ge(sum, bound);

	if (LW_UNLIKELY(vb_any(passes))) {
		uint32_t mask = vb_bits(passes);

		vf_store(upper + *used, vf_compress(vf_canonical(sum), mask));
		vf_store(lower + *used, vf_compress(vf_canonical(vf_sub(middle, radius)), mask));
		vu_store(row + *used, vu_compress(vu_iota(first_row), mask));
		*used += (size_t)__builtin_popcount(mask);
	}
}

void LW_FN(sketch_filter)(const struct lw_sketch_query *query, const int32_t *dot, const float *row_scale,
                          const float *error, const float *norm, size_t n, uint32_t first_row, float bound,
                          float *upper, float *lower, uint32_t *row, size_t *n_kept)
{
	const struct lw_sketch_query weights =
	        *query; /* which the results could overwrite, for all the compiler knows */
	const vf b = vf_set1(bound);
	size_t used = *n_kept, i = 0;

	for (; n - i >= VF_LANES; i += VF_LANES)
		filter_vector(&weights, dot + i, row_scale + i, error + i, norm + i, first_row + (uint32_t)i, b, upper,
		              lower, row, &used);
	if (i < n) {
		int32_t last_dot[VF_LANES] = { 0 };
		float last[3][VF_LANES];
		size_t rest = n - i;

		for (size_t j = 0; j < VF_LANES; j++)
			last[0][j] = last[1][j] = last[2][j] = NAN;
		memcpy(last_dot, dot + i, rest * sizeof *dot);
		memcpy(last[0], row_scale + i, rest * sizeof *row_scale);
		memcpy(last[1], error + i, rest * sizeof *error);
		memcpy(last[2], norm + i, rest * sizeof *norm);
		filter_vector(&weights, last_dot, last[0], last[1], last[2], first_row + (uint32_t)i, b, upper, lower,
		              row, &used);
	}
	*n_kept = used;
}
