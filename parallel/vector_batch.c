/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches of the functions of lanewise/vector.h: some queries an item, which share the reading of the rows. Few queries for so
 * many threads: each thread has a part of the rows, so that all share one reading, and one query has all threads.
 */
#include <lanewise/parallel.h>

#include <string.h>

#include "../kernels/merge_parts.h"
#include "threads.h"

enum {
	MAX_THREADS = 1024,
	MAX_PER_ITEM = 96,
	ITEM_BYTES = 1 << 20,
	ALIGNMENT = 64,
	FEW_QUERIES = 16, /* a thread, beyond which they are divided and not the rows (index_batch.c) */
	/* Multiplications below which dividing the rows costs more than it gains: some 200 microseconds of work. */
	SERIAL_WORK = 2 << 20
};

/* Queries that go together: fewer for so large a k that they would need much scratch. */
static size_t most_per_item(size_t k)
{
	size_t one = lanewise_scan_topk_queries_scratch_size(1, k);

	return one > ITEM_BYTES ? 1 : one > ITEM_BYTES / MAX_PER_ITEM ? ITEM_BYTES / one : MAX_PER_ITEM;
}

static size_t aligned(size_t n_bytes) { return (n_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

/* What one thread scans with. */
static size_t item_scratch_size(size_t k)
{
	return aligned(lanewise_scan_topk_queries_scratch_size(most_per_item(k), k));
}

/* The same, and room for the results of a part of the rows. */
static size_t thread_scratch_size(size_t k)
{
	size_t scratch = item_scratch_size(k);

	return scratch ? scratch + aligned(most_per_item(k) * (sizeof(size_t) + k * (sizeof(uint32_t) + sizeof(float))))
	               : 0;
}

static uint32_t threads_of(uint32_t n_threads)
{
	uint32_t wanted = n_threads ? n_threads : lanewise_default_threads();

	return wanted < MAX_THREADS ? wanted : MAX_THREADS;
}

size_t lanewise_scan_topk_batch_scratch_size(size_t k, uint32_t n_threads)
{
	size_t per_thread = thread_scratch_size(k);

	if (per_thread == 0 || per_thread > SIZE_MAX / MAX_THREADS - sizeof(struct lw_part))
		return 0;
	return (per_thread + sizeof(struct lw_part)) * threads_of(n_threads);
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

/* Where the results of a part are, for all queries of a pass. */
struct part {
	size_t *n;
	uint32_t *index;
	float *score;
};

static struct part part_of(const struct scan_batch *b, size_t item)
{
	struct part part = { .n = (size_t *)(void *)(b->scratch + item * b->scratch_size + item_scratch_size(b->k)) };

	part.index = (uint32_t *)(void *)(part.n + b->n_queries);
	part.score = (float *)(void *)(part.index + b->n_queries * b->k);
	return part;
}

static void scan_part(void *context, size_t item, uint32_t thread)
{
	const struct scan_batch *b = context;
	size_t first = item * b->per_item, rest = first < b->n_rows ? b->n_rows - first : 0;
	struct part part = part_of(b, item);

	(void)thread;
	if (rest == 0) {
		memset(part.n, 0, b->n_queries * sizeof *part.n);
		return;
	}
	lanewise_scan_topk_f32_queries(b->queries, b->n_queries, b->query_ld, b->rows + first * b->ld,
	                               rest < b->per_item ? rest : b->per_item, b->dim, b->ld, b->metric, b->k,
	                               b->threshold, b->scratch + item * b->scratch_size, part.index, part.score,
	                               part.n);
	for (size_t j = 0; j < b->n_queries; j++)
		for (size_t i = 0; i < part.n[j]; i++)
			part.index[j * b->k + i] += (uint32_t)first;
}

/* Few queries, all threads on some of them together; per_item is the rows of a part. */
static void scan_parts(const struct scan_batch *batch, uint32_t n_parts)
{
	struct scan_batch b = *batch;
	struct lw_part *parts = (struct lw_part *)(void *)(b.scratch + n_parts * b.scratch_size);
	size_t together = most_per_item(b.k);

	b.per_item = (b.n_rows + n_parts - 1) / n_parts;
	for (size_t first = 0; first < batch->n_queries; first += together) {
		b.queries = batch->queries + first * b.query_ld;
		b.n_queries = batch->n_queries - first < together ? batch->n_queries - first : together;
		lw_parallel_for(n_parts, n_parts, scan_part, &b);
		for (size_t j = 0; j < b.n_queries; j++) {
			for (size_t i = 0; i < n_parts; i++) {
				struct part from = part_of(&b, i);

				parts[i] = (struct lw_part) { from.index + j * b.k, from.score + j * b.k, from.n[j] };
			}
			b.n_found[first + j] =
			        lw_merge_parts(parts, n_parts, b.k, b.metric == LANEWISE_METRIC_L2SQ ? -1 : 1,
			                       b.index + (first + j) * b.k, b.score + (first + j) * b.k);
		}
	}
}

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

	if (threads > 1 && n_queries < (size_t)threads * FEW_QUERIES &&
	    (double)n_rows * (double)dim * (double)n_queries >= SERIAL_WORK)
		scan_parts(&batch, threads);
	else
		lw_parallel_for((n_queries + batch.per_item - 1) / batch.per_item, threads, scan_item, &batch);
	return LANEWISE_OK;
}
