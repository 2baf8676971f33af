/* SPDX-License-Identifier: Apache-2.0 */
/* Many queries of a BM25 index over several threads, one query an item. */
#include <lanewise/bm25.h>
#include <lanewise/parallel.h>

#include "threads.h"

enum { MAX_THREADS = 1024, ALIGNMENT = 64 };

static uint32_t threads_of(uint32_t n_threads)
{
	uint32_t wanted = n_threads ? n_threads : lanewise_default_threads();

	return wanted < MAX_THREADS ? wanted : MAX_THREADS;
}

/* Scratch of one thread, rounded up so that threads do not share cache lines. */
static size_t thread_scratch_size(const lanewise_bm25 *bm25, size_t k)
{
	size_t n_bytes = lanewise_bm25_scratch_size(bm25, k);

	return n_bytes > SIZE_MAX - ALIGNMENT ? 0 : (n_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

size_t lanewise_bm25_search_batch_scratch_size(const lanewise_bm25 *bm25, size_t k, uint32_t n_threads)
{
	size_t per_thread = thread_scratch_size(bm25, k);

	return per_thread > SIZE_MAX / MAX_THREADS ? 0 : per_thread * threads_of(n_threads);
}

struct batch {
	const lanewise_bm25 *bm25;
	const char *const *queries;
	const size_t *n_bytes;
	size_t k, scratch_size;
	const uint64_t *filter;
	unsigned char *scratch;
	uint32_t *index;
	float *score;
	size_t *n_found;
};

static void search_item(void *context, size_t item, uint32_t thread)
{
	struct batch *b = context;

	/* The arguments were checked before, so this cannot fail. */
	lanewise_bm25_search_filtered(b->bm25, b->queries[item], b->n_bytes[item], b->filter, b->k,
	                              b->scratch + thread * b->scratch_size, b->index + item * b->k,
	                              b->score + item * b->k, b->n_found + item);
}

lanewise_status lanewise_bm25_search_batch(const lanewise_bm25 *bm25, const char *const *queries, const size_t *n_bytes,
                                           size_t n_queries, const uint64_t *filter, size_t k, uint32_t n_threads,
                                           void *scratch, uint32_t *index, float *score, size_t *n_found)
{
	if (!bm25 || k == 0)
		return LANEWISE_ERROR_ARGUMENT;
	if (n_queries && (!queries || !n_bytes || !index || !score || !n_found || !scratch ||
	                  (uintptr_t)scratch % _Alignof(max_align_t)))
		return LANEWISE_ERROR_ARGUMENT;
	if (n_queries > SIZE_MAX / sizeof(float) / k ||
	    lanewise_bm25_search_batch_scratch_size(bm25, k, n_threads) == 0)
		return LANEWISE_ERROR_TOO_LARGE;
	for (size_t i = 0; i < n_queries; i++)
		if (!queries[i] && n_bytes[i])
			return LANEWISE_ERROR_ARGUMENT;

	struct batch batch = {
		.bm25 = bm25,
		.queries = queries,
		.n_bytes = n_bytes,
		.k = k,
		.scratch_size = thread_scratch_size(bm25, k),
		.filter = filter,
		.scratch = scratch,
		.index = index,
		.score = score,
		.n_found = n_found,
	};

	/* As many threads as the scratch is for, at most. */
	lw_parallel_for(n_queries, n_queries > 1 ? lw_threads(threads_of(n_threads)) : 1, search_item, &batch);
	return LANEWISE_OK;
}
