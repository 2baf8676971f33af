/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature of every kernel, as lanewise_<kernel>_fn. Kernels cannot fail and check nothing; what they may
 * suppose stands here. Meaning and order of summation: the public header of the family.
 */
#ifndef LW_KERNEL_TYPES_H
#define LW_KERNEL_TYPES_H

#include <stddef.h>
#include <stdint.h>

/* --- vector.h: ld >= dim; `prefetch` is nonzero if the rows are streamed from beyond the L2 cache */

typedef float lanewise_dot_f32_fn(const float *a, const float *b, size_t n);
typedef float lanewise_cosine_f32_fn(const float *a, const float *b, size_t n);
typedef float lanewise_l2sq_f32_fn(const float *a, const float *b, size_t n);
typedef void lanewise_dot_f32_rows_fn(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld,
                                      int prefetch, float *out);
typedef void lanewise_cosine_f32_rows_fn(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld,
                                         int prefetch, float *out);
typedef void lanewise_l2sq_f32_rows_fn(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld,
                                       int prefetch, float *out);
typedef void lanewise_norm_f32_rows_fn(const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch,
                                       float *out);
typedef void lanewise_normalize_f32_rows_fn(float *rows, size_t n_rows, size_t dim, size_t ld);

/* --- topk.h */

/*
 * Appends scores[i] >= bound, and first_index + i, to kept[*n_kept ...) and kept_index[*n_kept ...), in order of i;
 * a NaN bound keeps none, and NaN is never kept. Goes through the scores in blocks of LW_TOPK_BLOCK (the last may be
 * shorter) and stops before a block that has something to append when fewer than LW_TOPK_BLOCK places are left below
 * `capacity`. Returns the number of scores gone through. May write anything to kept[*n_kept ... capacity) beyond what
 * it appends.
 */
enum { LW_TOPK_BLOCK = 64 };
typedef size_t lanewise_topk_filter_f32_fn(const float *scores, size_t n, uint32_t first_index, float bound,
                                           float *kept, uint32_t *kept_index, size_t *n_kept, size_t capacity);

/* The k-th largest of v[0 ... n), 1 <= k <= n, no NaN among them; a zero is returned as +0. */
typedef float lanewise_topk_select_f32_fn(const float *v, size_t n, size_t k);

/*
 * Keeps, in order, the elements of v[0 ... n) greater than kth and the first of those equal to it, k in all (v has at
 * least k elements >= kth and fewer than k greater), with their indices, at the front of both arrays. May write
 * anything behind them, below n.
 */
typedef void lanewise_topk_compact_f32_fn(float *v, uint32_t *index, size_t n, float kth, size_t k);

/* --- hash.h */

typedef uint64_t lanewise_xxh3_64_fn(const void *data, size_t n_bytes, uint64_t seed);
typedef void lanewise_xxh3_128_fn(const void *data, size_t n_bytes, uint64_t seed, uint64_t value[2]); /* low, high */

/* `state` is an XXH3_state_t of xxHash, the same on every tier; n_bytes > 0. */
typedef void lanewise_xxh3_feed_fn(void *state, const void *data, size_t n_bytes);
typedef void lanewise_xxh3_64_batch_fn(const void *data, const uint64_t *begin, const uint64_t *end, size_t n,
                                       uint64_t seed, uint64_t *out);

/* --- dedup.h */

/*
 * Appends first + i for every data[i] that is a or b, in order, to index[*n_index ...). Goes through the data in blocks
 * of LW_INDEX_BLOCK bytes (the last may be shorter) and stops before a block that has something to append when fewer
 * than LW_INDEX_BLOCK places are left below `capacity`. Returns the number of bytes gone through; first + n must not
 * pass 2^32. May write anything to index[*n_index ... capacity) beyond what it appends.
 */
enum { LW_INDEX_BLOCK = 64 };
typedef size_t lanewise_byte_index_fn(const unsigned char *data, size_t n, unsigned char a, unsigned char b,
                                      uint32_t first, uint32_t *index, size_t *n_index, size_t capacity);

/*
 * What lanewise_normalize does inside a text, by LANEWISE_NORMALIZE_COLLAPSE, _LOWER, _STRIP_CONTROL and the whitespace
 * set among `flags`; the ends are left alone. Returns the number of bytes written to `out`, which has n + LW_FOLD_PAD
 * bytes and may hold anything behind the result.
 */
enum { LW_FOLD_PAD = 64 };
typedef size_t lanewise_fold_text_fn(const unsigned char *text, size_t n, uint32_t flags, unsigned char *out);

#endif
