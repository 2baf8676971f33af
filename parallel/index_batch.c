/* SPDX-License-Identifier: Apache-2.0 */
/* Many queries of an index over several threads: a few queries an item, which share the reading of the sketches. */
#include <lanewise/index.h>
#include <lanewise/parallel.h>

#include <math.h>

#include "threads.h"

enum {
	MAX_THREADS = 1024,
	ALIGNMENT = 64,
	QUERIES_PER_ITEM = 48,
	/* Multiplications below which starting threads costs more than they gain: some 200 microseconds of work. */
	SERIAL_WORK = 8 << 20
};

static uint32_t threads_of(uint32_t n_threads)
{
	uint32_t wanted = n_threads ? n_threads : lanewise_default_threads();

	return wanted < MAX_THREADS ? wanted : MAX_THREADS;
}

/* Scratch of one thread, rounded up so that the next one's is aligned. */
static size_t thread_scratch_size(const lanewise_index *index, size_t k)
{
	return (lanewise_index_scratch_size(index, QUERIES_PER_ITEM, k) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

size_t lanewise_index_search_batch_scratch_size(const lanewise_index *index, size_t k, uint32_t n_threads)
{
	size_t per_thread = thread_scratch_size(index, k);

	return per_thread > SIZE_MAX / MAX_THREADS ? 0 : per_thread * threads_of(n_threads);
}

struct batch {
	const lanewise_index *index;
	const float *queries;
	size_t n_queries, query_ld, k, per_item, scratch_size;
	float threshold;
	const uint64_t *filter;
	unsigned char *scratch;
	uint32_t *row;
	float *score;
	size_t *n_found;
};

static void search_item(void *context, size_t item, uint32_t thread)
{
	struct batch *b = context;
	size_t first = item * b->per_item, rest = b->n_queries - first;

	/* The arguments were checked before, so this cannot fail. */
	lanewise_index_search(b->index, b->queries + first * b->query_ld, rest < b->per_item ? rest : b->per_item,
	                      b->query_ld, b->k, b->threshold, b->filter, b->scratch + thread * b->scratch_size,
	                      b->row + first * b->k, b->score + first * b->k, b->n_found + first, NULL);
}

lanewise_status lanewise_index_search_batch(const lanewise_index *index, const float *queries, size_t n_queries,
                                            size_t query_ld, size_t k, float threshold, const uint64_t *filter,
                                            uint32_t n_threads, void *scratch, uint32_t *row, float *score,
                                            size_t *n_found)
{
	/* What lanewise_index_search would say of the whole, so that no item can fail. */
	if (!index || k == 0 || query_ld < lanewise_index_dim(index) || isnan(threshold))
		return LANEWISE_ERROR_ARGUMENT;
	if (n_queries &&
	    (!queries || !row || !score || !n_found || !scratch || (uintptr_t)scratch % _Alignof(max_align_t)))
		return LANEWISE_ERROR_ARGUMENT;
	if (k > UINT32_MAX || n_queries > SIZE_MAX / sizeof(float) / k ||
	    n_queries > SIZE_MAX / sizeof(float) / query_ld)
		return LANEWISE_ERROR_TOO_LARGE;

	double work = (double)lanewise_index_n_rows(index) * (double)lanewise_index_dim(index) * (double)n_queries;
	uint32_t threads = work < SERIAL_WORK ? 1 : lw_threads(threads_of(n_threads));
	size_t share = (n_queries + threads - 1) / threads;
	struct batch batch = {
		.index = index,
		.queries = queries,
		.n_queries = n_queries,
		.query_ld = query_ld,
		.k = k,
		.per_item = share < QUERIES_PER_ITEM ? (share ? share : 1) : QUERIES_PER_ITEM,
		.scratch_size = thread_scratch_size(index, k),
		.threshold = threshold,
		.filter = filter,
		.scratch = scratch,
		.row = row,
		.score = score,
		.n_found = n_found,
	};

	lw_parallel_for((n_queries + batch.per_item - 1) / batch.per_item, threads, search_item, &batch);
	return LANEWISE_OK;
}
