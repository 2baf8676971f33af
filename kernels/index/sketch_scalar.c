/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for the filter of the first stage of a search (kernel_types.h says what it does). */
#include "scalar.h"

void LW_FN(sketch_filter)(const struct lw_sketch_query *query, const int32_t *dot, const float *row_scale,
                          const float *error, const float *norm, size_t n, uint32_t first_row, float bound,
                          float *upper, float *lower, uint32_t *row, size_t *n_kept)
{
	for (size_t i = 0; i < n; i++) {
		float square = norm[i] * norm[i];
		float middle = lw_fma_f32((float)dot[i], query->scale * row_scale[i],
		                          lw_fma_f32(query->square_weight, square, query->base));
		float radius = lw_fma_f32(query->square_radius, square, query->base_radius);

		radius = lw_fma_f32(query->error_weight, error[i], lw_fma_f32(query->norm_weight, norm[i], radius));
		if (middle + radius >= bound) {
			upper[*n_kept] = lw_f32_canonical(middle + radius);
			lower[*n_kept] = lw_f32_canonical(middle - radius);
			row[*n_kept] = first_row + (uint32_t)i;
			++*n_kept;
		}
	}
}
