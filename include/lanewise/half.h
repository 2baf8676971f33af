/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/half.h - vectors of 16-bit floats, IEEE half precision (f16) and bfloat16 (bf16): dot product, cosine
 * similarity, squared Euclidean distance, conversion.
 *
 * Elements are uint16_t that hold the bits. Products and sums are those of lanewise/vector.h: every element is widened
 * to a float, which is exact, and what is returned has the bits that the function of the same name for f32 returns for
 * the widened vectors. So 16 bits cost the rounding of the elements when they were stored and nothing besides; and
 * results are the same on every CPU, for pairs and rows. Hardware dot products of bf16 round otherwise; only functions
 * with `approx` in their names use them.
 *
 * Memory, sizes of 0, threads and cost: as in lanewise/vector.h; n, dim and ld count elements.
 */
#ifndef LANEWISE_HALF_H
#define LANEWISE_HALF_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------- conversion */

/* out[i] = x[i] widened, i < n. Exact; every NaN becomes 0x7fc00000. */
LANEWISE_API void lanewise_f16_to_f32(const uint16_t *x, size_t n, float *out);
LANEWISE_API void lanewise_bf16_to_f32(const uint16_t *x, size_t n, float *out);

/*
 * out[i] = x[i] rounded to nearest, ties to even, i < n. Beyond the largest number it is an infinity (f16: from 65520
 * on); numbers below the smallest normal one become subnormal. Every NaN becomes 0x7e00 (f16) or 0x7fc0 (bf16).
 */
LANEWISE_API void lanewise_f32_to_f16(const float *x, size_t n, uint16_t *out);
LANEWISE_API void lanewise_f32_to_bf16(const float *x, size_t n, uint16_t *out);

/* ------------------------------------------------------------------ pairs */

/* lanewise_dot_f32, lanewise_cosine_f32 and lanewise_l2sq_f32 of a and b, n elements each, widened. */
LANEWISE_API float lanewise_dot_f16(const uint16_t *a, const uint16_t *b, size_t n);
LANEWISE_API float lanewise_cosine_f16(const uint16_t *a, const uint16_t *b, size_t n);
LANEWISE_API float lanewise_l2sq_f16(const uint16_t *a, const uint16_t *b, size_t n);
LANEWISE_API float lanewise_dot_bf16(const uint16_t *a, const uint16_t *b, size_t n);
LANEWISE_API float lanewise_cosine_bf16(const uint16_t *a, const uint16_t *b, size_t n);
LANEWISE_API float lanewise_l2sq_bf16(const uint16_t *a, const uint16_t *b, size_t n);

/* ------------------------------------------------------------------- rows */

/*
 * out[r] for a query of dim floats and row r of 16-bit elements, rows + r * ld, ld >= dim. The query need not be rounded
 * to 16 bits; one that is gives the bits of the pair.
 */
LANEWISE_API void lanewise_dot_f16_rows(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld,
                                        float *out);
LANEWISE_API void lanewise_cosine_f16_rows(const float *query, const uint16_t *rows, size_t n_rows, size_t dim,
                                           size_t ld, float *out);
LANEWISE_API void lanewise_l2sq_f16_rows(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld,
                                         float *out);
LANEWISE_API void lanewise_dot_bf16_rows(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld,
                                         float *out);
LANEWISE_API void lanewise_cosine_bf16_rows(const float *query, const uint16_t *rows, size_t n_rows, size_t dim,
                                            size_t ld, float *out);
LANEWISE_API void lanewise_l2sq_bf16_rows(const float *query, const uint16_t *rows, size_t n_rows, size_t dim,
                                          size_t ld, float *out);

/* -------------------------------------------------------------- approximate */

/*
 * APPROXIMATE: NOT THE SAME BITS ON EVERY CPU, unlike everything else in lanewise.
 *
 * The dot product of a and b, n elements each, by the CPU's instructions for bf16 where it has them: VDPBF16PS of
 * AVX512_BF16 (Intel from Cooper Lake and Sapphire Rapids, AMD from Zen 4 on; with the tiers avx512_clx and avx512) and
 * BFDOT of FEAT_BF16 (Arm, Neoverse V1 and N2 say; with the tier neon_dot). Everywhere else, and under a lower
 * LANEWISE_TIER, it is lanewise_dot_bf16. `lanewise info` tells which: the kernel dot_bf16_approx_rows. On one CPU and tier
 * results depend on the elements alone: pairs and rows give the same bits.
 *
 * The error. Let S be the sum of |a[i] * b[i]|, for n <= 65536 and S < 2^127, all elements finite and none subnormal:
 *
 *     |result - exact dot product| <= (n / 16 + 8) * 2^-23 * S + n * 2^-125
 *
 * Products are exact, sums of floats are rounded (to nearest on x86, to odd on Arm). The instructions take subnormal
 * elements for zeros of the same sign, so what these contribute may be missing, and sums below 2^-126 vanish, hence the
 * last term. A NaN, an infinity times zero (with the instructions, times a subnormal too), or infinities of both signs give
 * the NaN 0x7fc00000; -0 is returned as 0.
 */
LANEWISE_API float lanewise_dot_bf16_approx(const uint16_t *a, const uint16_t *b, size_t n);

/* out[r] = lanewise_dot_bf16_approx(query, row r, dim), with a query of bf16 as well; it has dim elements. */
LANEWISE_API void lanewise_dot_bf16_approx_rows(const uint16_t *query, const uint16_t *rows, size_t n_rows, size_t dim,
                                                size_t ld, float *out);

#ifdef __cplusplus
}
#endif

#endif
