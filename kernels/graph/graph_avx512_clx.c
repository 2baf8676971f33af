/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels behind PageRank. Sixteen vectors: the sums of eight rows are sixteen registers. */
#include "graph/row_sums.h"

void LW_FN(rank_sums_f64)(const uint32_t *column, const double *weight, const size_t *offset, size_t n_groups,
                          const double *x, double *sums)
{
	lw_sum_groups(column, weight, offset, n_groups, x, sums);
}

typedef __m512d lw_v;
enum { V_LANES = 8, ROWS = 8 };

LW_INLINE lw_v v_zero(void) { return _mm512_setzero_pd(); }
LW_INLINE lw_v v_set1(double x) { return _mm512_set1_pd(x); }
LW_INLINE lw_v v_load(const double *p) { return _mm512_loadu_pd(p); }
LW_INLINE void v_store(double *p, lw_v v) { _mm512_storeu_pd(p, v); }
LW_INLINE void v_stream(double *p, lw_v v) { _mm512_stream_pd(p, v); }
LW_INLINE void v_fence(void) { _mm_sfence(); }
LW_INLINE lw_v v_add(lw_v a, lw_v b) { return _mm512_add_pd(a, b); }
LW_INLINE lw_v v_sub(lw_v a, lw_v b) { return _mm512_sub_pd(a, b); }
LW_INLINE lw_v v_mul(lw_v a, lw_v b) { return _mm512_mul_pd(a, b); }
LW_INLINE lw_v v_abs(lw_v v) { return _mm512_abs_pd(v); }

#include "graph/rows16.h"

void LW_FN(rank_sums16_f64)(const uint32_t *column, const double *weight, const size_t *offset, size_t n_groups,
                            const double *x, double *sums)
{
	lw_sum_groups16(column, weight, offset, n_groups, x, sums);
}

void LW_FN(rank_renew16_f64)(const struct lw_rank_slice *slice) { lw_renew_rows16(slice, slice->streamed); }
