/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/pq.h - product quantisation: vectors as a byte or half a byte for each of n_parts parts, and approximate scores
 * of a query with them (Jegou, Douze and Schmid, "Product quantization for nearest neighbor search", 2011).
 *
 * A vector of dim floats is cut into n_parts parts of dim / n_parts; each part is replaced by the nearest of n_centroids
 * vectors, which k-means found in the parts of training rows. A query is compared with the centroids once, which gives
 * tables, and with a row by adding up one table entry for each part.
 *
 * What scores are worth is for the caller to measure: they are those of the decoded rows, not of the rows. Good use is as a
 * first pass: take a few hundred of the best scores, then compare with the rows themselves. In the test on 20,000 rows of
 * 64 dimensions around 200 centres, over 95 % of the true best 10 are among the best 100 scores, both with 16 bytes a row
 * and with 32 packed half bytes. For cosine similarity, normalise rows and queries and take LANEWISE_METRIC_DOT.
 *
 * Bits. Training, codes, tables and scores are the same on every CPU. Rows, `ld`, sizes of 0 and NULL are as in
 * lanewise/vector.h. A quantiser does not change once it is made, and threads may share it. Each call runs on the calling
 * thread.
 */
#ifndef LANEWISE_PQ_H
#define LANEWISE_PQ_H

#include "base.h"
#include "vector.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LANEWISE_PQ_MAX_PARTS     4096
#define LANEWISE_PQ_MAX_CENTROIDS 256

/* How k-means begins; the first centroid is the first row's part. */
typedef int32_t lanewise_pq_start;

enum {
	/* The next is a random row's part, the likelier the farther it is from all centroids (k-means++). */
	LANEWISE_PQ_PLUS_PLUS = 0,
	/* The next is the part that is farthest from all centroids, the first of several. Outliers become centroids. */
	LANEWISE_PQ_FARTHEST_FIRST = 1
};

typedef struct lanewise_pq_options {
	size_t struct_size;      /* set by the caller: sizeof(lanewise_pq_options) */
	size_t n_parts;          /* 1 ... LANEWISE_PQ_MAX_PARTS, a divisor of dim */
	size_t n_centroids;      /* 1 ... LANEWISE_PQ_MAX_CENTROIDS; at most 16 for packed codes */
	uint64_t seed;           /* of k-means++ */
	lanewise_pq_start start; /* how k-means begins */
	uint32_t max_rounds;     /* of k-means, which ends earlier when no row changes its centroid; 25 is usual */
} lanewise_pq_options;

typedef struct lanewise_pq lanewise_pq;

/*
 * Trains a quantiser with n_rows rows, at least 1; 256 for each centroid are plenty. A centroid that no part is nearest to
 * stays where it is. O(n_rows * n_centroids * dim) a round.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer, no rows, ld < dim, options out of range, dim no multiple of n_parts.
 * LANEWISE_ERROR_DATA: a row is not finite; the error's offset is that of its first such element, in bytes from `rows`.
 * LANEWISE_ERROR_TOO_LARGE: a size overflows. LANEWISE_ERROR_NO_MEMORY. `error` may be NULL.
 */
LANEWISE_API lanewise_status lanewise_pq_train(const float *rows, size_t n_rows, size_t dim, size_t ld,
                                               const lanewise_pq_options *options, const lanewise_allocator *allocator,
                                               lanewise_pq **pq, lanewise_error *error);

/* NULL is fine. */
LANEWISE_API void lanewise_pq_destroy(lanewise_pq *pq);

LANEWISE_API size_t lanewise_pq_dim(const lanewise_pq *pq);
LANEWISE_API size_t lanewise_pq_n_parts(const lanewise_pq *pq);
LANEWISE_API size_t lanewise_pq_n_centroids(const lanewise_pq *pq);

/*
 * Codes of rows: n_parts bytes a row, adjacent; code p is the number of the centroid nearest to part p, the lowest of several
 * (by squared distances rounded to float), or 0 if the part has a NaN.
 */
LANEWISE_API void lanewise_pq_encode(const lanewise_pq *pq, const float *rows, size_t n_rows, size_t ld,
                                     uint8_t *codes);

/* The centroids in place of the codes: row r of dim floats at rows + r * ld. Codes must be below n_centroids. */
LANEWISE_API void lanewise_pq_decode(const lanewise_pq *pq, const uint8_t *codes, size_t n_rows, float *rows,
                                     size_t ld);

/*
 * tables[p * n_centroids + c] = the dot product, or squared distance, of part p of the query and centroid c. The metric is
 * LANEWISE_METRIC_DOT or LANEWISE_METRIC_L2SQ; LANEWISE_ERROR_ARGUMENT for another, or a NULL pointer.
 */
LANEWISE_API lanewise_status lanewise_pq_tables(const lanewise_pq *pq, const float *query, lanewise_metric metric,
                                                float *tables);

/* out[r] = the sum of row r's table entries, added in order of parts. Codes must be below n_centroids. */
LANEWISE_API void lanewise_pq_scores(const lanewise_pq *pq, const float *tables, const uint8_t *codes, size_t n_rows,
                                     float *out);

/* ------------------------------------------------------------ packed codes */

/*
 * Packed codes are half a byte each, in blocks of 128 rows that SIMD can look up together, n_parts * 64 bytes a block.
 * They need n_centroids <= 16 and n_parts <= 256.
 */
#define LANEWISE_PQ_BLOCK_ROWS 128

/* Bytes of the packed codes of n_rows rows: whole blocks. 0 if the quantiser has none, or the size overflows. */
LANEWISE_API size_t lanewise_pq_packed_size(const lanewise_pq *pq, size_t n_rows);

/* From n_rows * n_parts codes to lanewise_pq_packed_size(pq, n_rows) bytes. The places behind the last row get code 0. */
LANEWISE_API void lanewise_pq_pack(const lanewise_pq *pq, const uint8_t *codes, size_t n_rows, uint8_t *packed);

/*
 * As lanewise_pq_scores, but with table entries rounded to 8 bits: all to multiples of a 255th of the widest table's
 * range. So scores are off by at most n_parts / 2 such steps, and rounding. Where a table entry is not finite, so
 * are all scores (NaN). Several times as fast as whole bytes. `out` has n_rows places.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, a quantiser without packed codes.
 */
LANEWISE_API lanewise_status lanewise_pq_scores_packed(const lanewise_pq *pq, const float *tables,
                                                       const uint8_t *packed, size_t n_rows, float *out);

#ifdef __cplusplus
}
#endif

#endif
