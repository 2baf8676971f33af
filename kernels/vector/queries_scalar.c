/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for many queries: one pair after the other. */
#include "scalar.h"

#define LW_DEFINE_QUERIES(kernel, pair) \
	void LW_FN(kernel)(const float *queries, size_t n_queries, size_t query_ld, const float *rows, size_t n_rows, \
	                   size_t dim, size_t ld, int prefetch, struct lw_f32_panel *panel, float *out, size_t out_ld) \
	{ \
		(void)prefetch; \
		(void)panel; \
		for (size_t q = 0; q < n_queries; q++) \
			for (size_t r = 0; r < n_rows; r++) \
				out[q * out_ld + r] = LW_FN(pair)(queries + q * query_ld, rows + r * ld, dim); \
	}
LW_DEFINE_QUERIES(dot_f32_queries, dot_f32)
LW_DEFINE_QUERIES(cosine_f32_queries, cosine_f32)
LW_DEFINE_QUERIES(l2sq_f32_queries, l2sq_f32)
