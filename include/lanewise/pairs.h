/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/pairs.h - many vectors with many: similarity matrices, all pairs that are similar, near-duplicates, graphs of
 * nearest neighbours.
 *
 *   lanewise_similarity_f32       the score of every row of one set with every row of another
 *   lanewise_pairs_f32            the pairs of rows of one set whose score reaches a threshold
 *   lanewise_dedup_rows_f32       which rows repeat an earlier one
 *   lanewise_neighbours_f32       for each row, the best k others
 *
 * Scores are those of lanewise/vector.h for the metric, bit for bit, on every CPU. "Reaches the threshold" is score >=
 * threshold, or <= for LANEWISE_METRIC_L2SQ; a NaN score never does. Rows, `ld`, alignment, sizes of 0 and NULL are as in
 * lanewise/vector.h. Cosines of rows of length 1 are their dot products, which are cheaper: LANEWISE_METRIC_DOT.
 *
 * Reentrant; each call runs on the calling thread, works in the caller's memory and costs O(dim) a pair.
 */
#ifndef LANEWISE_PAIRS_H
#define LANEWISE_PAIRS_H

#include "base.h"
#include "vector.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * out[i * out_ld + j] = the score of row i of a and row j of b; out_ld >= n_b. a and b may be the same, which
 * halves the work.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, a_ld or b_ld below dim, out_ld below n_b, an unknown
 * metric. LANEWISE_ERROR_TOO_LARGE: an array's size overflows.
 */
LANEWISE_API lanewise_status lanewise_similarity_f32(const float *a, size_t n_a, size_t a_ld, const float *b,
                                                     size_t n_b, size_t b_ld, size_t dim, lanewise_metric metric,
                                                     float *out, size_t out_ld);

/* Two rows, first < second, and their score. */
typedef struct lanewise_pair {
	uint32_t first, second;
	float score;
} lanewise_pair;

/* How far lanewise_pairs_f32 has come: the pair that it goes on with. Begin with zeros. */
typedef struct lanewise_pairs_position {
	size_t first, second;
} lanewise_pairs_position;

/*
 * The pairs of the n_rows rows whose score reaches the threshold, ascending by `first`, then by `second`: up to
 * `capacity` of them into `pairs`, their number into *n_pairs. *position begins with zeros and says afterwards where to go
 * on: first == n_rows when that was all, otherwise the array is full, and a call with the same position, capacity (or
 * another, not 0) and rows gives what follows. With `pairs` NULL (capacity is ignored) they are only counted.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer, ld < dim, an unknown metric, a NaN threshold, capacity 0 with pairs not NULL.
 * LANEWISE_ERROR_TOO_LARGE: over UINT32_MAX rows, or n_rows * ld overflows.
 */
LANEWISE_API lanewise_status lanewise_pairs_f32(const float *rows, size_t n_rows, size_t dim, size_t ld,
                                                lanewise_metric metric, float threshold,
                                                lanewise_pairs_position *position, lanewise_pair *pairs,
                                                size_t capacity, size_t *n_pairs);

/* Which earlier rows can make a row a duplicate. */
typedef int32_t lanewise_dedup_rule;

enum {
	/* Those that are kept: every dropped row is like a kept one, and no two kept rows are alike. */
	LANEWISE_DEDUP_KEPT = 0,
	/*
	 * All, kept or dropped: a row stays if no earlier row is like it. Of a chain in which each row is like the next,
	 * only the first is left, though the last may be unlike it.
	 */
	LANEWISE_DEDUP_TRANSITIVE = 1
};

/* Bytes of scratch for lanewise_dedup_rows_f32, or 0 if they overflow. */
LANEWISE_API size_t lanewise_dedup_rows_scratch_size(size_t dim);

/*
 * Goes through the rows in order and keeps the first of those that are alike, that is, whose score reaches the threshold.
 * original[r] (n_rows places) becomes r if row r is kept, else the lowest row that makes it a duplicate by the rule.
 * *n_kept may be NULL. `scratch`: lanewise_dedup_rows_scratch_size(dim) bytes, aligned as by malloc. O(n_rows * dim) for
 * each kept row (each row, by the transitive rule), at most.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, ld < dim, an unknown metric or rule, a NaN threshold,
 * scratch not aligned. LANEWISE_ERROR_TOO_LARGE: over UINT32_MAX rows, or n_rows * ld overflows.
 */
LANEWISE_API lanewise_status lanewise_dedup_rows_f32(const float *rows, size_t n_rows, size_t dim, size_t ld,
                                                     lanewise_metric metric, float threshold, lanewise_dedup_rule rule,
                                                     void *scratch, uint32_t *original, size_t *n_kept);

/* Bytes of scratch for lanewise_neighbours_f32, or 0 if k is 0 or beyond UINT32_MAX. */
LANEWISE_API size_t lanewise_neighbours_scratch_size(size_t k);

/*
 * The k-nearest-neighbour graph, or part of it: for each row r of first ... first + n - 1 the best k of all other
 * rows (not itself, but rows equal to it), best first, ties by ascending row number. Neighbours of row first + i go to
 * neighbour + i * k, scores to score + i * k, their count (below k where there are fewer rows, or scores are NaN) to
 * n_found[i]. Threads can each do a part. `scratch`: lanewise_neighbours_scratch_size(k) bytes, aligned as by malloc.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, first + n beyond n_rows, ld < dim, k = 0, an unknown
 * metric, scratch not aligned. LANEWISE_ERROR_TOO_LARGE: n_rows or k over UINT32_MAX, n_rows * ld or n * k overflows.
 */
LANEWISE_API lanewise_status lanewise_neighbours_f32(const float *rows, size_t n_rows, size_t dim, size_t ld,
                                                     lanewise_metric metric, size_t first, size_t n, size_t k,
                                                     void *scratch, uint32_t *neighbour, float *score, size_t *n_found);

#ifdef __cplusplus
}
#endif

#endif
