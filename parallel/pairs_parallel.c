/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of lanewise/pairs.h and the encoder of lanewise/pq.h over several threads: groups of rows an item. What a
 * thread computes goes to places of its own, but for pairs: these come in batches, in whatever order threads find them, and
 * are sorted in the end.
 */
#include <lanewise/parallel.h>

#include <math.h>
#include <stdatomic.h>

#include "../kernels/pairs/sort_pairs.h"
#include "threads.h"

enum {
	MAX_THREADS = 1024,
	ALIGNMENT = 64,
	GROUP = 32,  /* rows of an item, as many as the kernels take together */
	BLOCK = 192, /* rows that a group meets at a time */
	BATCH = 512, /* pairs that a thread collects before it asks for room */
	ENCODE_ROWS = 1024,
	/* Multiplications below which starting threads costs more than they gain: some 200 microseconds of work. */
	SERIAL_WORK = 8 << 20
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static uint32_t threads_of(uint32_t n_threads)
{
	uint32_t wanted = n_threads ? n_threads : lanewise_default_threads();

	return wanted < MAX_THREADS ? wanted : MAX_THREADS;
}

/* Threads for so many multiplications. */
static uint32_t threads_for(double work, uint32_t n_threads)
{
	return work < SERIAL_WORK ? 1 : lw_threads(threads_of(n_threads));
}

static size_t groups_of(size_t n) { return n / GROUP + (n % GROUP != 0); }

/* ------------------------------------------------------------------ matrix */

struct matrix {
	const float *a, *b;
	size_t n_a, a_ld, n_b, b_ld, dim, out_ld;
	lanewise_metric metric;
	int is_symmetric; /* a is b: only columns from the diagonal on are computed */
	float *out;
};

static void matrix_item(void *context, size_t item, uint32_t thread)
{
	const struct matrix *m = context;
	size_t first = item * GROUP, n = smaller(GROUP, m->n_a - first), column = m->is_symmetric ? first : 0;

	(void)thread;
	/* The arguments were checked before, so this cannot fail. */
	lanewise_similarity_f32(m->a + first * m->a_ld, n, m->a_ld, m->b + column * m->b_ld, m->n_b - column, m->b_ld,
	                        m->dim, m->metric, m->out + first * m->out_ld + column, m->out_ld);
	/* No other item writes to these columns of later rows. */
	for (size_t r = first + n; m->is_symmetric && r < m->n_b; r++)
		for (size_t q = first; q < first + n; q++)
			m->out[r * m->out_ld + q] = m->out[q * m->out_ld + r];
}

lanewise_status lanewise_similarity_f32_parallel(const float *a, size_t n_a, size_t a_ld, const float *b, size_t n_b,
                                                 size_t b_ld, size_t dim, lanewise_metric metric, uint32_t n_threads,
                                                 float *out, size_t out_ld)
{
	int is_symmetric = a == b && n_a == n_b && a_ld == b_ld;
	struct matrix m = { a, b, n_a, a_ld, n_b, b_ld, dim, out_ld, metric, is_symmetric, out };
	double work = (double)n_a * (double)n_b * (double)dim / (is_symmetric ? 2 : 1);
	uint32_t threads = threads_for(work, n_threads);

	/* What it says of wrong or empty arguments is right; and few rows are for one thread. */
	if (threads == 1 || n_a <= GROUP || n_b == 0 || !a || !b || !out || a_ld < dim || b_ld < dim || out_ld < n_b ||
	    a_ld > SIZE_MAX / sizeof(float) / n_a || b_ld > SIZE_MAX / sizeof(float) / n_b ||
	    out_ld > SIZE_MAX / sizeof(float) / n_a || metric < LANEWISE_METRIC_DOT || metric > LANEWISE_METRIC_L2SQ)
		return lanewise_similarity_f32(a, n_a, a_ld, b, n_b, b_ld, dim, metric, out, out_ld);
	lw_parallel_for(groups_of(n_a), threads, matrix_item, &m);
	return LANEWISE_OK;
}

/* ------------------------------------------------------------------- pairs */

struct finding {
	const float *rows;
	size_t n_rows, dim, ld;
	lanewise_metric metric;
	float threshold;
	lanewise_pair *pairs;
	size_t capacity;
	_Atomic size_t n_pairs; /* found, with room or without */
};

/* What a thread has found and not yet stored. */
struct batch {
	lanewise_pair pairs[BATCH];
	size_t n;
};

static void store_batch(struct finding *f, struct batch *batch)
{
	size_t at = atomic_fetch_add_explicit(&f->n_pairs, batch->n, memory_order_relaxed);

	if (at < f->capacity)
		for (size_t i = 0; i < smaller(batch->n, f->capacity - at); i++)
			f->pairs[at + i] = batch->pairs[i];
	batch->n = 0;
}

static void pairs_item(void *context, size_t item, uint32_t thread)
{
	struct finding *f = context;
	size_t first = item * GROUP, n = smaller(GROUP, f->n_rows - first);
	int is_distance = f->metric == LANEWISE_METRIC_L2SQ;
	float scores[GROUP * BLOCK];
	struct batch batch = { .n = 0 };

	(void)thread;
	for (size_t j = first + 1; j < f->n_rows; j += BLOCK) {
		size_t n_others = smaller(BLOCK, f->n_rows - j);

		lanewise_similarity_f32(f->rows + first * f->ld, n, f->ld, f->rows + j * f->ld, n_others, f->ld, f->dim,
		                        f->metric, scores, n_others);
		for (size_t q = 0; q < n; q++)
			for (size_t r = first + q < j ? 0 : first + q + 1 - j; r < n_others; r++) {
				float score = scores[q * n_others + r];

				if (!(is_distance ? score <= f->threshold : score >= f->threshold))
					continue;
				batch.pairs[batch.n++] =
				        (lanewise_pair) { (uint32_t)(first + q), (uint32_t)(j + r), score };
				if (batch.n == BATCH)
					store_batch(f, &batch);
			}
	}
	store_batch(f, &batch);
}

lanewise_status lanewise_pairs_f32_parallel(const float *rows, size_t n_rows, size_t dim, size_t ld,
                                            lanewise_metric metric, float threshold, uint32_t n_threads,
                                            lanewise_pair *pairs, size_t capacity, size_t *n_pairs)
{
	static const float nothing;
	lanewise_pairs_position position = { n_rows, 0 };
	size_t none;
	/* The checks of the serial form, which has no pairs left to look for. */
	lanewise_status status =
	        lanewise_pairs_f32(rows, n_rows, dim, ld, metric, threshold, &position, NULL, 0, &none);

	if (!n_pairs || (!pairs && capacity))
		return LANEWISE_ERROR_ARGUMENT;
	if (status)
		return status;

	struct finding f = { rows ? rows : &nothing, n_rows, dim, ld, metric, threshold, pairs, capacity, 0 };
	double work = (double)n_rows * (double)n_rows * (double)dim / 2;

	lw_parallel_for(groups_of(n_rows), threads_for(work, n_threads), pairs_item, &f);
	*n_pairs = atomic_load_explicit(&f.n_pairs, memory_order_relaxed);
	if (*n_pairs <= capacity)
		lw_sort_pairs(pairs, *n_pairs);
	return LANEWISE_OK;
}

/* -------------------------------------------------------------- neighbours */

static size_t neighbours_scratch(size_t k)
{
	size_t one = lanewise_neighbours_scratch_size(k);

	return one > SIZE_MAX / MAX_THREADS - ALIGNMENT ? 0 : (one + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

size_t lanewise_neighbours_parallel_scratch_size(size_t k, uint32_t n_threads)
{
	return neighbours_scratch(k) * threads_of(n_threads);
}

struct neighbours {
	const float *rows;
	size_t n_rows, dim, ld, first, n, k;
	lanewise_metric metric;
	unsigned char *scratch;
	uint32_t *neighbour;
	float *score;
	size_t *n_found;
};

static void neighbours_item(void *context, size_t item, uint32_t thread)
{
	const struct neighbours *w = context;
	size_t at = item * GROUP;

	/* The arguments were checked before, so this cannot fail. */
	lanewise_neighbours_f32(w->rows, w->n_rows, w->dim, w->ld, w->metric, w->first + at, smaller(GROUP, w->n - at),
	                        w->k, w->scratch + thread * neighbours_scratch(w->k), w->neighbour + at * w->k,
	                        w->score + at * w->k, w->n_found + at);
}

lanewise_status lanewise_neighbours_f32_parallel(const float *rows, size_t n_rows, size_t dim, size_t ld,
                                                 lanewise_metric metric, size_t first, size_t n, size_t k,
                                                 uint32_t n_threads, void *scratch, uint32_t *neighbour, float *score,
                                                 size_t *n_found)
{
	struct neighbours w = { rows, n_rows, dim, ld, first, n, k, metric, scratch, neighbour, score, n_found };
	/* The checks of the serial form, for no rows of the graph; then those of their results. */
	lanewise_status status =
	        lanewise_neighbours_f32(rows, n_rows, dim, ld, metric, 0, 0, k, scratch, neighbour, score, n_found);

	if (first > n_rows || n > n_rows - first || k == 0 ||
	    (n && (!scratch || !neighbour || !score || !n_found || (uintptr_t)scratch % _Alignof(max_align_t))))
		return LANEWISE_ERROR_ARGUMENT;
	if (status)
		return status;
	if (n > SIZE_MAX / sizeof(float) / k)
		return LANEWISE_ERROR_TOO_LARGE;

	double work = (double)n * (double)n_rows * (double)dim;

	lw_parallel_for(groups_of(n), threads_for(work, n_threads), neighbours_item, &w);
	return LANEWISE_OK;
}

/* ------------------------------------------------------------------- codes */

struct encoding {
	const lanewise_pq *pq;
	const float *rows;
	size_t n_rows, ld;
	uint8_t *codes;
};

static void encode_item(void *context, size_t item, uint32_t thread)
{
	const struct encoding *e = context;
	size_t first = item * ENCODE_ROWS;

	(void)thread;
	lanewise_pq_encode(e->pq, e->rows + first * e->ld, smaller(ENCODE_ROWS, e->n_rows - first), e->ld,
	                   e->codes + first * lanewise_pq_n_parts(e->pq));
}

void lanewise_pq_encode_parallel(const lanewise_pq *pq, const float *rows, size_t n_rows, size_t ld, uint32_t n_threads,
                                 uint8_t *codes)
{
	struct encoding e = { pq, rows, n_rows, ld, codes };
	double work = (double)n_rows * (double)lanewise_pq_dim(pq) * (double)lanewise_pq_n_centroids(pq);

	lw_parallel_for(n_rows / ENCODE_ROWS + (n_rows % ENCODE_ROWS != 0), threads_for(work, n_threads), encode_item,
	                &e);
}
