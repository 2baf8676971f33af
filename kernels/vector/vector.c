/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of lanewise/vector.h: checks, and calls through the kernel table. */
#include <lanewise/topk.h>
#include <lanewise/vector.h>

#include "common.h"

/* Vectors of no elements may be NULL, but kernels add offsets, which C allows to no NULL; nothing is read from this. */
static const float *rows_or_nothing(const float *rows)
{
	static const float nothing;

	return rows ? rows : &nothing;
}

float lanewise_dot_f32(const float *a, const float *b, size_t n) { return lw_kernels()->dot_f32(a, b, n); }

float lanewise_cosine_f32(const float *a, const float *b, size_t n)
{
	return lw_kernels()->cosine_f32(rows_or_nothing(a), rows_or_nothing(b), n);
}

float lanewise_l2sq_f32(const float *a, const float *b, size_t n) { return lw_kernels()->l2sq_f32(a, b, n); }

/* Whether so many rows are streamed from beyond L2: software prefetch gains there and costs inside. */
static int beyond_l2(size_t n_rows, size_t ld)
{
	/* Below a size that every L2 has, do not even ask for it. */
	size_t floats = n_rows * ld;

	return floats > (size_t)128 * 1024 / sizeof(float) && floats > lanewise_l2_cache_bytes() / sizeof(float);
}

void lanewise_dot_f32_rows(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	LW_ASSERT(ld >= dim);
	lw_kernels()->dot_f32_rows(query, rows_or_nothing(rows), n_rows, dim, ld, beyond_l2(n_rows, ld), out);
}

void lanewise_cosine_f32_rows(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	LW_ASSERT(ld >= dim);
	lw_kernels()->cosine_f32_rows(query, rows_or_nothing(rows), n_rows, dim, ld, beyond_l2(n_rows, ld), out);
}

void lanewise_l2sq_f32_rows(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	LW_ASSERT(ld >= dim);
	lw_kernels()->l2sq_f32_rows(query, rows_or_nothing(rows), n_rows, dim, ld, beyond_l2(n_rows, ld), out);
}

void lanewise_norm_f32_rows(const float *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	LW_ASSERT(ld >= dim);
	lw_kernels()->norm_f32_rows(rows_or_nothing(rows), n_rows, dim, ld, beyond_l2(n_rows, ld), out);
}

void lanewise_normalize_f32_rows(float *rows, size_t n_rows, size_t dim, size_t ld)
{
	LW_ASSERT(ld >= dim);
	if (rows)
		lw_kernels()->normalize_f32_rows(rows, n_rows, dim, ld);
}

/* -------------------------------------------------------------- scan + top-k */

size_t lanewise_scan_topk_scratch_size(size_t k) { return lanewise_topk_scratch_size(k); }

lanewise_status lanewise_scan_topk_f32(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld,
                                       lanewise_metric metric, size_t k, float threshold, void *scratch,
                                       uint32_t *index, float *score, size_t *n_found)
{
	/* Scores of this many rows lie in L1 between the scan and the selection. */
	enum { BLOCK_ROWS = 256 };
	float scores[BLOCK_ROWS];
	const struct lw_kernels *kernels = lw_kernels();

	if (!n_found || !index || !score || (!query && dim) || (!rows && n_rows && dim) || ld < dim)
		return LANEWISE_ERROR_ARGUMENT;
	if (metric != LANEWISE_METRIC_DOT && metric != LANEWISE_METRIC_COSINE && metric != LANEWISE_METRIC_L2SQ)
		return LANEWISE_ERROR_ARGUMENT;
	if (n_rows > UINT32_MAX || k > UINT32_MAX || (ld && n_rows > SIZE_MAX / sizeof(float) / ld))
		return LANEWISE_ERROR_TOO_LARGE;

	/* The selection keeps the largest; the nearest have the smallest distance. */
	int smallest_first = metric == LANEWISE_METRIC_L2SQ;
	lanewise_topk *topk = lanewise_topk_begin(scratch, k, smallest_first ? -threshold : threshold);

	if (!topk)
		return LANEWISE_ERROR_ARGUMENT;

	int prefetch = beyond_l2(n_rows, ld);

	rows = rows_or_nothing(rows);
	for (size_t r = 0; r < n_rows; r += BLOCK_ROWS) {
		size_t n = n_rows - r < BLOCK_ROWS ? n_rows - r : BLOCK_ROWS;
		const float *block = rows + r * ld;

		if (metric == LANEWISE_METRIC_DOT)
			kernels->dot_f32_rows(query, block, n, dim, ld, prefetch, scores);
		else if (metric == LANEWISE_METRIC_COSINE)
			kernels->cosine_f32_rows(query, block, n, dim, ld, prefetch, scores);
		else
			kernels->l2sq_f32_rows(query, block, n, dim, ld, prefetch, scores);
		for (size_t i = 0; smallest_first && i < n; i++)
			scores[i] = -scores[i];
		lanewise_topk_push_f32(topk, scores, n, (uint32_t)r);
	}
	*n_found = lanewise_topk_finish(topk, index, score);
	for (size_t i = 0; smallest_first && i < *n_found; i++)
		score[i] = 0.0f - score[i];
	return LANEWISE_OK;
}

/* ------------------------------------------------- scan + top-k, many queries */

enum { MANY_BLOCK_ROWS = 128 }; /* rows whose scores lie in L2 until they are selected; a multiple of a tile's */

static size_t one_query_scratch(size_t k)
{
	size_t n_bytes = lanewise_topk_scratch_size(k);

	return n_bytes ? (n_bytes + 63) / 64 * 64 : 0;
}

/* Of a group of queries: the scores of a block of rows, and the panel. */
static size_t group_floats(size_t n_queries)
{
	size_t n = n_queries < LW_F32_QUERIES ? n_queries : LW_F32_QUERIES;

	return n * MANY_BLOCK_ROWS + lw_f32_panel_floats(n, LW_F32_PANEL_DIM);
}

size_t lanewise_scan_topk_queries_scratch_size(size_t n_queries, size_t k)
{
	size_t one = one_query_scratch(k), n = n_queries ? n_queries : 1, rest = group_floats(n) * sizeof(float);

	return one == 0 || one > (SIZE_MAX - rest) / n ? 0 : one * n + rest;
}

/* Queries of the next group where `left` are left: alike many in all groups, in whole vectors. */
static size_t group_of(size_t left, size_t dim)
{
	size_t n_floats = lw_f32_panel_floats(left, LW_F32_PANEL_DIM), most = LW_F32_QUERIES, n_groups, n;

	/* No more than have a place in the panel, unless these were very few. */
	if (dim > LW_F32_PANEL_DIM && n_floats / dim >= 48)
		most = (n_floats / dim - 9) / 16 * 16;
	n_groups = (left + most - 1) / most;
	n = ((left + n_groups - 1) / n_groups + 15) / 16 * 16;
	return n < left ? n : left;
}

/* One group of at most LW_F32_QUERIES queries against one block of rows. */
static void scan_block(lanewise_metric metric, const float *queries, size_t n_queries, size_t query_ld,
                       const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch, uint32_t first_row,
                       struct lw_f32_panel *panel, unsigned char *topk, size_t topk_bytes, float *scores)
{
	const struct lw_kernels *kernels = lw_kernels();

	/* A query alone streams the rows, which is another kernel's strength. */
	if (n_queries == 1 && metric == LANEWISE_METRIC_DOT)
		kernels->dot_f32_rows(queries, rows, n_rows, dim, ld, prefetch, scores);
	else if (n_queries == 1 && metric == LANEWISE_METRIC_COSINE)
		kernels->cosine_f32_rows(queries, rows, n_rows, dim, ld, prefetch, scores);
	else if (n_queries == 1)
		kernels->l2sq_f32_rows(queries, rows, n_rows, dim, ld, prefetch, scores);
	else if (metric == LANEWISE_METRIC_DOT)
		kernels->dot_f32_queries(queries, n_queries, query_ld, rows, n_rows, dim, ld, prefetch, panel, scores,
		                         n_rows);
	else if (metric == LANEWISE_METRIC_COSINE)
		kernels->cosine_f32_queries(queries, n_queries, query_ld, rows, n_rows, dim, ld, prefetch, panel,
		                            scores, n_rows);
	else
		kernels->l2sq_f32_queries(queries, n_queries, query_ld, rows, n_rows, dim, ld, prefetch, panel, scores,
		                          n_rows);
	for (size_t i = 0; metric == LANEWISE_METRIC_L2SQ && i < n_queries * n_rows; i++)
		scores[i] = -scores[i];
	for (size_t q = 0; q < n_queries; q++)
		lanewise_topk_push_f32((lanewise_topk *)(void *)(topk + q * topk_bytes), scores + q * n_rows, n_rows,
		                       first_row);
}

lanewise_status lanewise_scan_topk_f32_queries(const float *queries, size_t n_queries, size_t query_ld,
                                               const float *rows, size_t n_rows, size_t dim, size_t ld,
                                               lanewise_metric metric, size_t k, float threshold, void *scratch,
                                               uint32_t *index, float *score, size_t *n_found)
{
	if (query_ld < dim || ld < dim || k == 0 || threshold != threshold ||
	    (metric != LANEWISE_METRIC_DOT && metric != LANEWISE_METRIC_COSINE && metric != LANEWISE_METRIC_L2SQ))
		return LANEWISE_ERROR_ARGUMENT;
	if (n_queries && ((!queries && dim) || (!rows && n_rows && dim) || !index || !score || !n_found || !scratch ||
	                  (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT))
		return LANEWISE_ERROR_ARGUMENT;
	if (n_rows > UINT32_MAX || k > UINT32_MAX || (ld && n_rows > SIZE_MAX / sizeof(float) / ld) ||
	    n_queries > SIZE_MAX / sizeof(float) / k || (query_ld && n_queries > SIZE_MAX / sizeof(float) / query_ld))
		return LANEWISE_ERROR_TOO_LARGE;

	int smallest_first = metric == LANEWISE_METRIC_L2SQ, prefetch = beyond_l2(n_rows, ld);
	unsigned char *topk = scratch;
	size_t topk_bytes = one_query_scratch(k);
	float *scores = (float *)(void *)(topk + n_queries * topk_bytes);

	queries = rows_or_nothing(queries);
	rows = rows_or_nothing(rows);
	for (size_t q = 0; q < n_queries; q++)
		lanewise_topk_begin(topk + q * topk_bytes, k, smallest_first ? -threshold : threshold);
	for (size_t q = 0, group; q < n_queries; q += group) {
		struct lw_f32_panel panel = { .is_packed = 0 };

		group = group_of(n_queries - q, dim);
		panel.floats = scores + group * MANY_BLOCK_ROWS;
		panel.n_floats = lw_f32_panel_floats(group, LW_F32_PANEL_DIM);
		for (size_t r = 0; r < n_rows; r += MANY_BLOCK_ROWS)
			scan_block(metric, queries + q * query_ld, group, query_ld, rows + r * ld,
			           n_rows - r < MANY_BLOCK_ROWS ? n_rows - r : MANY_BLOCK_ROWS, dim, ld, prefetch,
			           (uint32_t)r, &panel, topk + q * topk_bytes, topk_bytes, scores);
	}
	for (size_t q = 0; q < n_queries; q++) {
		n_found[q] = lanewise_topk_finish((lanewise_topk *)(void *)(topk + q * topk_bytes), index + q * k,
		                                  score + q * k);
		for (size_t i = 0; smallest_first && i < n_found[q]; i++)
			score[q * k + i] = 0.0f - score[q * k + i];
	}
	return LANEWISE_OK;
}
