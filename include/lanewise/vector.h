/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/vector.h - dense vectors: dot product, cosine similarity, squared Euclidean distance, L2 norms.
 *
 * What holds for every function here
 *
 * Bits. The result is the same, bit for bit, on every CPU and for the one-pair and the rows form. Sums follow one
 * canonical order: element i is added to partial sum i mod 32 by a fused multiply-add in order of i, all 32 starting
 * at +0; then partial sums j and j + 16 are added, then j and j + 8, then j and j + 4, then neighbours (0 + 1, 2 + 3),
 * then the last two. A result of -0 is returned as +0 and every NaN as the quiet NaN 0x7fc00000. This supposes the
 * default floating-point environment: round to nearest, subnormals kept.
 *
 * Memory. Rows: `rows` points to n_rows rows of `dim` floats, row r beginning at rows + r * ld, with ld >= dim counted
 * in floats. The gaps of ld - dim floats are neither read nor written, nor is anything else outside the rows. Any
 * alignment of a float. Outputs must not overlap inputs. Sizes of 0 are fine, and a pointer to 0 elements may be NULL;
 * dot products and distances over dim = 0 are 0.
 *
 * Threads. Reentrant; each call runs on the calling thread. Cost is O(n) or O(n_rows * dim).
 */
#ifndef LANEWISE_VECTOR_H
#define LANEWISE_VECTOR_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The dot product of a and b, n floats each. Overflow gives an infinity, as IEEE 754 has it. */
LANEWISE_API float lanewise_dot_f32(const float *a, const float *b, size_t n);

/*
 * The cosine of the angle between a and b, n floats each, in [-1, 1]. A vector of zeros has cosine 0 with everything
 * finite; a NaN or an infinity anywhere gives NaN. The magnitude of the vectors does not matter, from subnormal to
 * huge: where the plain sums of squares would overflow or vanish they are taken over vectors scaled by 2^-100 or 2^100.
 */
LANEWISE_API float lanewise_cosine_f32(const float *a, const float *b, size_t n);

/* The squared Euclidean distance of a and b, n floats each: the sum of (a[i] - b[i])^2. */
LANEWISE_API float lanewise_l2sq_f32(const float *a, const float *b, size_t n);

/* out[r] = lanewise_dot_f32(query, row r, dim); query has dim floats, out n_rows. */
LANEWISE_API void lanewise_dot_f32_rows(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld,
                                        float *out);

/* out[r] = lanewise_cosine_f32(query, row r, dim). */
LANEWISE_API void lanewise_cosine_f32_rows(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld,
                                           float *out);

/* out[r] = lanewise_l2sq_f32(query, row r, dim). */
LANEWISE_API void lanewise_l2sq_f32_rows(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld,
                                         float *out);

/*
 * out[r] = the L2 norm of row r. Rows of any magnitude: 1e25 does not overflow, 1e-25 does not vanish (scaling as for
 * the cosine). Infinity where the norm itself is beyond FLT_MAX or an element is infinite; NaN if one is NaN.
 */
LANEWISE_API void lanewise_norm_f32_rows(const float *rows, size_t n_rows, size_t dim, size_t ld, float *out);

/*
 * Divides each row by its L2 norm, in place. Rows of zeros are left as they are; rows with a NaN or an infinity
 * become NaN in every element. The relative error of an element is at most (dim / 64 + 6) * 2^-24, and usually
 * below 2^-22.
 */
LANEWISE_API void lanewise_normalize_f32_rows(float *rows, size_t n_rows, size_t dim, size_t ld);

/* How a query is compared with rows. */
typedef int32_t lanewise_metric;

enum {
	LANEWISE_METRIC_DOT = 0,    /* lanewise_dot_f32, larger is better */
	LANEWISE_METRIC_COSINE = 1, /* lanewise_cosine_f32, larger is better */
	LANEWISE_METRIC_L2SQ = 2    /* lanewise_l2sq_f32, smaller is better */
};

/* Bytes of scratch that lanewise_scan_topk_f32 needs for k, or 0 if k is beyond UINT32_MAX. */
LANEWISE_API size_t lanewise_scan_topk_scratch_size(size_t k);

/*
 * The best k of n_rows rows for a query in one pass over the rows, without an array of all scores: fused scan and
 * top-k. Writes row numbers to `index` and scores to `score`, best first, ties by ascending row number, and their
 * count, at most k, to `n_found`. Only rows with score >= threshold count (<= for LANEWISE_METRIC_L2SQ); pass
 * -INFINITY (INFINITY) for no threshold. Rows whose score is NaN are never returned.
 *
 * `scratch` has lanewise_scan_topk_scratch_size(k) bytes, aligned as by malloc; `index` and `score` have room for
 * min(k, n_rows) entries. O(n_rows * dim) whatever the scores.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, k = 0, ld < dim, an unknown metric, a NaN threshold,
 * scratch not aligned. LANEWISE_ERROR_TOO_LARGE: n_rows or k over UINT32_MAX, or n_rows * ld overflows.
 */
LANEWISE_API lanewise_status lanewise_scan_topk_f32(const float *query, const float *rows, size_t n_rows, size_t dim,
                                                    size_t ld, lanewise_metric metric, size_t k, float threshold,
                                                    void *scratch, uint32_t *index, float *score, size_t *n_found);

/* Bytes of scratch that lanewise_scan_topk_f32_queries needs, or 0 if k is 0 or beyond UINT32_MAX or the size overflows. */
LANEWISE_API size_t lanewise_scan_topk_queries_scratch_size(size_t n_queries, size_t k);

/*
 * lanewise_scan_topk_f32 for many queries in one pass over the rows, query j at queries + j * query_ld (query_ld >=
 * dim): results to index + j * k, score + j * k and n_found[j], bit for bit those of single calls. `index` and `score`
 * have room for n_queries * k entries; places beyond n_found[j] are left alone. From four queries on the processor's
 * arithmetic is the limit instead of memory. `scratch`: lanewise_scan_topk_queries_scratch_size(n_queries, k) bytes,
 * aligned as by malloc.
 *
 * Errors: those of lanewise_scan_topk_f32; LANEWISE_ERROR_ARGUMENT also for query_ld < dim, LANEWISE_ERROR_TOO_LARGE
 * if n_queries * k or n_queries * query_ld overflows. With no queries, pointers may be NULL.
 */
LANEWISE_API lanewise_status lanewise_scan_topk_f32_queries(const float *queries, size_t n_queries, size_t query_ld,
                                                            const float *rows, size_t n_rows, size_t dim, size_t ld,
                                                            lanewise_metric metric, size_t k, float threshold,
                                                            void *scratch, uint32_t *index, float *score,
                                                            size_t *n_found);

#ifdef __cplusplus
}
#endif

#endif
