/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries of an index over several threads. Many: some queries an item, which share the reading of the sketches. Few for so
 * many threads: each thread has a part of the rows, so that all share one reading, and one query has all threads.
 */
#include <lanewise/index.h>
#include <lanewise/parallel.h>

#include <math.h>

#include "threads.h"

enum {
	MAX_THREADS = 1024,
	ALIGNMENT = 64,
	QUERIES_PER_ITEM = 48,
	/* Multiplications below which starting threads costs more than they gain: some 200 microseconds of work. */
	SERIAL_WORK = 8 << 20,
	/*
	 * Queries a thread, beyond which they are divided and not the rows. Both ways cost more than one thread alone needs: 10
	 * queries of 200,000 rows divided among 2 threads 1.6 times as much, since both read all sketches, while parts, each
	 * with bounds of its own, cost 1.07; at 20 a thread it is 1.5 and 1.2, at 48 a thread 1.05 and 1.11.
	 */
	FEW_QUERIES = 16,
	MOST_PART_RESULTS = 1 << 16 /* places for results in a part, beyond which queries go one by one */
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

/* Queries that are searched in parts together: fewer for so large a k that all would take much memory. */
static size_t queries_in_parts(size_t k)
{
	size_t most = k < MOST_PART_RESULTS ? MOST_PART_RESULTS / k : 1;

	return most < QUERIES_PER_ITEM ? most : QUERIES_PER_ITEM;
}

size_t lanewise_index_search_batch_scratch_size(const lanewise_index *index, size_t k, uint32_t n_threads)
{
	size_t per_thread = thread_scratch_size(index, k);
	uint32_t threads = threads_of(n_threads);

	if (per_thread == 0 || per_thread > SIZE_MAX / MAX_THREADS)
		return 0;

	size_t whole = per_thread * threads, parts = 0;

	if (threads > 1)
		parts = lanewise_index_parts_scratch_size(index, threads, queries_in_parts(k), k);
	if (threads > 1 && parts == 0)
		return 0;
	return parts > whole ? parts : whole;
}

struct batch {
	const lanewise_index *index;
	const lanewise_index_request *request;
	size_t per_item, scratch_size;
	uint32_t *row;
	float *score;
	size_t *n_found;
};

static void search_item(void *context, size_t item, uint32_t thread)
{
	const struct batch *b = context;
	const lanewise_index_request *r = b->request;
	size_t first = item * b->per_item, rest = r->n_queries - first, n = rest < b->per_item ? rest : b->per_item;
	const float *queries = r->queries + first * r->query_ld;
	void *scratch = (unsigned char *)r->scratch + thread * b->scratch_size;
	uint32_t *row = b->row + first * r->k;
	float *score = b->score + first * r->k;

	/* The arguments were checked before, so this cannot fail. */
	if (r->n_candidates)
		lanewise_index_search_coarse(b->index, queries, n, r->query_ld, r->k, r->n_candidates, r->threshold,
		                             r->filter, scratch, row, score, b->n_found + first, NULL);
	else
		lanewise_index_search(b->index, queries, n, r->query_ld, r->k, r->threshold, r->filter, scratch, row,
		                      score, b->n_found + first, NULL);
}

static void search_queries(const struct batch *batch, uint32_t threads)
{
	struct batch b = *batch;
	size_t n = b.request->n_queries, share = (n + threads - 1) / threads;

	b.per_item = share < QUERIES_PER_ITEM ? share : QUERIES_PER_ITEM;
	b.scratch_size = thread_scratch_size(b.index, b.request->n_candidates ? b.request->n_candidates : b.request->k);
	lw_parallel_for((n + b.per_item - 1) / b.per_item, threads, search_item, &b);
}

static void search_part(void *context, size_t item, uint32_t thread)
{
	const struct batch *b = context;

	(void)thread;
	lanewise_index_search_part(b->index, b->request, item);
}

/* Few queries; all threads work on some of them together. */
static void search_parts(const struct batch *batch, uint32_t threads)
{
	lanewise_index_request some = *batch->request;
	struct batch b = { .index = batch->index, .request = &some };
	size_t k = some.n_candidates ? some.n_candidates : some.k, n = some.n_queries;
	size_t together = queries_in_parts(k);

	some.n_parts = threads;
	for (size_t first = 0; first < n; first += together) {
		some.queries = batch->request->queries + first * some.query_ld;
		some.n_queries = n - first < together ? n - first : together;
		lw_parallel_for(some.n_parts, threads, search_part, &b);
		lanewise_index_search_join(b.index, &some, batch->row + first * some.k, batch->score + first * some.k,
		                           batch->n_found + first);
	}
}

/* What lanewise_index_search would say of the whole, so that no item can fail. */
static lanewise_status check(const struct batch *b)
{
	const lanewise_index_request *r = b->request;

	if (!b->index || r->k == 0 || r->query_ld < lanewise_index_dim(b->index) || isnan(r->threshold))
		return LANEWISE_ERROR_ARGUMENT;
	if (r->n_queries && (!r->queries || !b->row || !b->score || !b->n_found || !r->scratch ||
	                     (uintptr_t)r->scratch % _Alignof(max_align_t)))
		return LANEWISE_ERROR_ARGUMENT;
	if (r->k > UINT32_MAX || r->n_queries > SIZE_MAX / sizeof(float) / r->k ||
	    r->n_queries > SIZE_MAX / sizeof(float) / r->query_ld)
		return LANEWISE_ERROR_TOO_LARGE;
	return LANEWISE_OK;
}

static lanewise_status search(const struct batch *b, uint32_t n_threads)
{
	lanewise_status status = check(b);
	const lanewise_index_request *r = b->request;

	if (status || r->n_queries == 0)
		return status;

	double work =
	        (double)lanewise_index_n_rows(b->index) * (double)lanewise_index_dim(b->index) * (double)r->n_queries;
	uint32_t threads = work < SERIAL_WORK ? 1 : lw_threads(threads_of(n_threads));

	if (threads > 1 && r->n_queries < (size_t)threads * FEW_QUERIES)
		search_parts(b, threads);
	else
		search_queries(b, threads);
	return LANEWISE_OK;
}

lanewise_status lanewise_index_search_batch(const lanewise_index *index, const float *queries, size_t n_queries,
                                            size_t query_ld, size_t k, float threshold, const uint64_t *filter,
                                            uint32_t n_threads, void *scratch, uint32_t *row, float *score,
                                            size_t *n_found)
{
	const lanewise_index_request request = { sizeof request, queries, n_queries, query_ld, k, 0,
		                                 threshold,      filter,  1,         scratch };
	const struct batch batch = {
		.index = index, .request = &request, .row = row, .score = score, .n_found = n_found
	};

	return search(&batch, n_threads);
}

lanewise_status lanewise_index_search_coarse_batch(const lanewise_index *index, const float *queries, size_t n_queries,
                                                   size_t query_ld, size_t k, size_t n_candidates, float threshold,
                                                   const uint64_t *filter, uint32_t n_threads, void *scratch,
                                                   uint32_t *row, float *score, size_t *n_found)
{
	const lanewise_index_request request = { sizeof request, queries,   n_queries, query_ld, k,
		                                 n_candidates,   threshold, filter,    1,        scratch };
	const struct batch batch = {
		.index = index, .request = &request, .row = row, .score = score, .n_found = n_found
	};
	/* Of no queries: only what it says of the index and of n_candidates. */
	lanewise_status status = lanewise_index_search_coarse(index, NULL, 0, query_ld, k, n_candidates, threshold,
	                                                      filter, NULL, NULL, NULL, NULL, NULL);

	return status ? status : search(&batch, n_threads);
}
