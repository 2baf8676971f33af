/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of the functions of lanewise/vector.h: some queries an item, which share the reading of the rows. */
#include <lanewise/parallel.h>

#include "threads.h"

enum { MAX_THREADS = 1024, MAX_PER_ITEM = 96, ITEM_BYTES = 1 << 20 };

/* Queries that go together: fewer for so large a k that they would need much scratch. */
static size_t most_per_item(size_t k)
{
	size_t one = lanewise_scan_topk_queries_scratch_size(1, k);

	return one > ITEM_BYTES ? 1 : one > ITEM_BYTES / MAX_PER_ITEM ? ITEM_BYTES / one : MAX_PER_ITEM;
}

static size_t thread_scratch_size(size_t k) { return lanewise_scan_topk_queries_scratch_size(most_per_item(k), k); }

static uint32_t threads_of(uint32_t n_threads)
{
	uint32_t wanted = n_threads ? n_threads : lanewise_default_threads();

	return wanted < MAX_THREADS ? wanted : MAX_THREADS;
}

size_t lanewise_scan_topk_batch_scratch_size(size_t k, uint32_t n_threads)
{
	size_t per_thread = thread_scratch_size(k);

	return per_thread > SIZE_MAX / MAX_THREADS ? 0 : per_thread * threads_of(n_threads);
}

struct scan_batch {
	const float *queries, *rows;
	size_t n_queries, query_ld, n_rows, dim, ld, k, per_item, scratch_size;
	lanewise_metric metric;
	float threshold;
	unsigned char *scratch;
	uint32_t *index;
	float *score;
	size_t *n_found;
};

static void scan_item(void *context, size_t item, uint32_t thread)
{
	struct scan_batch *b = context;
	size_t first = item * b->per_item, rest = b->n_queries - first;

	/* The arguments were checked before, so this cannot fail. */
	lanewise_scan_topk_f32_queries(b->queries + first * b->query_ld, rest < b->per_item ? rest : b->per_item,
	                               b->query_ld, b->rows, b->n_rows, b->dim, b->ld, b->metric, b->k, b->threshold,
	                               b->scratch + thread * b->scratch_size, b->index + first * b->k,
	                               b->score + first * b->k, b->n_found + first);
}

lanewise_status lanewise_scan_topk_f32_batch(const float *queries, size_t n_queries, size_t query_ld, const float *rows,
                                             size_t n_rows, size_t dim, size_t ld, lanewise_metric metric, size_t k,
                                             float threshold, uint32_t n_threads, void *scratch, uint32_t *index,
                                             float *score, size_t *n_found)
{
	size_t checked;
	/* The checks of a single call, over no rows. */
	lanewise_status status = lanewise_scan_topk_f32(queries, NULL, 0, dim, ld, metric, k, threshold, scratch, index,
	                                                score, &checked);

	if (n_queries == 0 && k > 0)
		return LANEWISE_OK;
	if (status != LANEWISE_OK)
		return status;
	if (query_ld < dim || !n_found || (!rows && n_rows && dim))
		return LANEWISE_ERROR_ARGUMENT;
	/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): with k = 0 the call above has failed */
	size_t most_queries = SIZE_MAX / sizeof(float) / k;

	if (n_rows > UINT32_MAX || (ld && n_rows > SIZE_MAX / sizeof(float) / ld) ||
	    (query_ld && n_queries > SIZE_MAX / sizeof(float) / query_ld) || n_queries > most_queries)
		return LANEWISE_ERROR_TOO_LARGE;

	uint32_t threads = lw_threads(threads_of(n_threads));
	size_t share = (n_queries + threads - 1) / threads, most = most_per_item(k);
	struct scan_batch batch = {
		.queries = queries,
		.n_queries = n_queries,
		.per_item = share < most ? share : most,
		.rows = rows,
		.query_ld = query_ld,
		.n_rows = n_rows,
		.dim = dim,
		.ld = ld,
		.k = k,
		.scratch_size = thread_scratch_size(k),
		.metric = metric,
		.threshold = threshold,
		.scratch = scratch,
		.index = index,
		.score = score,
		.n_found = n_found,
	};

	lw_parallel_for((n_queries + batch.per_item - 1) / batch.per_item, threads, scan_item, &batch);
	return LANEWISE_OK;
}
