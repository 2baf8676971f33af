/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches of an index by several threads, most of which divide the rows: the very bytes of a search by one thread, for every
 * number of parts, on data of every kind, exact and coarse, with filters, thresholds and every kind of k, in memory and mapped;
 * nested, after fork, and from several threads at once; wrong arguments.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lanewise/parallel.h>

#include "../parallel/threads.h"
#include "index_data.h"
#include "index_image.h"

/* What is asked for. */
struct question {
	const lanewise_index *index;
	const float *queries;
	size_t n_queries, k, n_candidates;
	float threshold;
	const uint64_t *filter;
};

/* All that a search wrote, and what was there before. */
struct answer {
	size_t n_bytes;
	unsigned char *bytes;
	uint32_t *row;
	float *score;
	size_t *n_found;
	lanewise_status status;
};

static struct answer make_answer(const struct question *q)
{
	size_t n = q->n_queries;
	struct answer a = { .n_bytes = n * (sizeof(size_t) + q->k * (sizeof(uint32_t) + sizeof(float))) };

	a.bytes = allocate(a.n_bytes);
	memset(a.bytes, 0xee, a.n_bytes);
	a.n_found = (size_t *)(void *)a.bytes;
	a.row = (uint32_t *)(void *)(a.n_found + n);
	a.score = (float *)(void *)(a.row + n * q->k);
	return a;
}

/* No larger than asked for, so that a sanitizer sees writes beyond. */
static void *make_scratch(size_t n_bytes)
{
	void *scratch = NULL;

	if (n_bytes == 0 || posix_memalign(&scratch, 64, n_bytes) != 0)
		abort();
	return scratch;
}

static struct answer by_one(const struct question *q)
{
	struct answer a = make_answer(q);
	size_t dim = lanewise_index_dim(q->index), k = q->n_candidates ? q->n_candidates : q->k;
	void *scratch = make_scratch(lanewise_index_scratch_size(q->index, q->n_queries, k));

	if (q->n_candidates)
		CHECK_EQUAL(lanewise_index_search_coarse(q->index, q->queries, q->n_queries, dim, q->k, q->n_candidates,
		                                         q->threshold, q->filter, scratch, a.row, a.score, a.n_found,
		                                         NULL),
		            0);
	else
		CHECK_EQUAL(lanewise_index_search(q->index, q->queries, q->n_queries, dim, q->k, q->threshold,
		                                  q->filter, scratch, a.row, a.score, a.n_found, NULL),
		            0);
	free(scratch);
	return a;
}

struct parts {
	const lanewise_index *index;
	lanewise_index_request request;
	lanewise_status status[64];
};

static void run_part(void *context, size_t item, uint32_t thread)
{
	struct parts *parts = context;

	(void)thread;
	parts->status[item] = lanewise_index_search_part(parts->index, &parts->request, item);
}

static struct answer by_parts(const struct question *q, size_t n_parts, uint32_t n_threads)
{
	struct answer a = make_answer(q);
	size_t k = q->n_candidates ? q->n_candidates : q->k;
	void *scratch = make_scratch(lanewise_index_parts_scratch_size(q->index, n_parts, q->n_queries, k));
	struct parts parts = { .index = q->index,
		               .request = { sizeof parts.request, q->queries, q->n_queries,
		                            lanewise_index_dim(q->index), q->k, q->n_candidates, q->threshold,
		                            q->filter, n_parts, scratch } };

	lw_parallel_for(n_parts, n_threads, run_part, &parts);
	for (size_t i = 0; i < n_parts; i++)
		CHECK_EQUAL(parts.status[i], 0);
	CHECK_EQUAL(lanewise_index_search_join(q->index, &parts.request, a.row, a.score, a.n_found), 0);
	free(scratch);
	return a;
}

/* Checks nothing by itself, so that threads can call it. */
static struct answer by_batch(const struct question *q, uint32_t n_threads)
{
	struct answer a = make_answer(q);
	size_t dim = lanewise_index_dim(q->index), k = q->n_candidates ? q->n_candidates : q->k;
	void *scratch = make_scratch(lanewise_index_search_batch_scratch_size(q->index, k, n_threads));

	if (q->n_candidates)
		a.status = lanewise_index_search_coarse_batch(q->index, q->queries, q->n_queries, dim, q->k,
		                                              q->n_candidates, q->threshold, q->filter, n_threads,
		                                              scratch, a.row, a.score, a.n_found);
	else
		a.status = lanewise_index_search_batch(q->index, q->queries, q->n_queries, dim, q->k, q->threshold,
		                                       q->filter, n_threads, scratch, a.row, a.score, a.n_found);
	free(scratch);
	return a;
}

static int is_same(const struct answer *expected, struct answer got)
{
	int same = got.status == LANEWISE_OK && got.n_bytes == expected->n_bytes &&
	           memcmp(got.bytes, expected->bytes, got.n_bytes) == 0;

	free(got.bytes);
	return same;
}

/* By 1 to 8 parts, and by as many as there are blocks or more. */
static void compare_parts(const struct question *q)
{
	struct answer expected = by_one(q);

	for (uint32_t n = 1; n <= 8; n++)
		CHECK_DATA(is_same(&expected, by_parts(q, n, n)));
	CHECK_DATA(is_same(&expected, by_parts(q, 9 + below(50), 2)));
	free(expected.bytes);
}

/* ------------------------------------------------------------- every kind of data */

/* With and without a threshold and a filter, exact and coarse. */
static void compare_questions(const struct question *question, float threshold, const uint64_t *filter)
{
	for (int i = 0; i < 4; i++) {
		struct question q = *question;

		if (i % 2)
			q.threshold = threshold;
		q.filter = i / 2 ? filter : NULL;
		compare_parts(&q);
		q.n_candidates = q.k + below(1 + 3 * q.k);
		compare_parts(&q);
	}
}

/* The score of one of the better rows. */
static float some_threshold(const struct question *question)
{
	struct question q = *question;

	q.n_queries = 1;
	q.k = 40;

	struct answer a = by_one(&q);
	float threshold = a.n_found[0] ? a.score[below(a.n_found[0])] : q.threshold;

	free(a.bytes);
	return threshold;
}

static void test_index_of(const struct data *d, const lanewise_index *index)
{
	static const size_t ks[] = { 1, 10, 33 };
	size_t n_queries = 1 + below(4), n_words = (d->n + 63) / 64;
	float *queries = allocate((n_queries + 1) * d->dim * sizeof *queries);
	uint64_t *filter = allocate(n_words * sizeof *filter);
	struct question q = { index,     queries,
		              n_queries, ks[below(3)],
		              0,         lanewise_index_metric(index) == LANEWISE_METRIC_L2SQ ? INFINITY : -INFINITY,
		              NULL };

	for (size_t j = 0; j < n_queries; j++)
		make_query(d, j, queries + j * d->dim);
	if (n_queries == 4)
		queries[2 * d->dim] = NAN;
	if (n_queries == 3)
		memset(queries, 0, d->dim * sizeof *queries);
	for (size_t i = 0; i < n_words; i++) {
		filter[i] = random_bits();
		filter[i] &= random_bits();
		if (below(3) == 0)
			filter[i] = 0;
	}
	compare_questions(&q, some_threshold(&q), filter);
	free(filter);
	free(queries);
}

static void test_every_kind(void)
{
	static const size_t shapes[][2] = { { 1401, 40 }, { 2900, 17 }, { 257, 70 } };

	for (size_t kind = 0; kind < N_KINDS; kind++) {
		size_t shape = (kind + (size_t)lanewise_active_tier()) % 3;
		struct data d = make_data(kind, shapes[shape][0], shapes[shape][1]);

		/* Each tier one metric, the next tier another one. */
		lanewise_metric metric = (lanewise_metric)((kind / 3 + (size_t)lanewise_active_tier()) % 3);
		lanewise_index *index = make_index(&d, metric);

		CHECK_EQUAL(lanewise_index_make_coarse(index), 0);
		test_index_of(&d, index);
		lanewise_index_destroy(index);
		free(d.rows);
	}
}

/* Every k, many queries, a mapped file, removed rows. */
static void test_others(void)
{
	struct data d = make_data(13, 1500, 33);
	lanewise_index *index = make_index(&d, LANEWISE_METRIC_L2SQ);
	float *queries = allocate(100 * d.dim * sizeof *queries);
	size_t n_bytes;
	struct opened o;

	for (size_t j = 0; j < 100; j++)
		make_query(&d, j, queries + j * d.dim);
	for (size_t r = 0; r < d.n; r += 7)
		CHECK_EQUAL(lanewise_index_remove(index, r), 0);
	for (size_t k = 1; k <= 3 * d.n; k += k < 3 ? 1 : k) {
		struct question q = { index, queries, 2, k, 0, INFINITY, NULL };

		compare_parts(&q);
	}

	struct question many = { index, queries, 100, 5, 0, INFINITY, NULL };

	compare_parts(&many);

	unsigned char *bytes = save(index, &n_bytes);

	CHECK_EQUAL(open_bytes(bytes, n_bytes, &o, NULL), 0);
	CHECK_EQUAL(lanewise_index_make_coarse(o.index), 0);
	test_index_of(&d, o.index);
	close_opened(&o);
	free(bytes);
	lanewise_index_destroy(index);
	free(queries);
	free(d.rows);

	/* Of no rows. */
	float query[3] = { 1, 2, 3 };
	struct question none = { NULL, query, 1, 3, 0, -INFINITY, NULL };

	CHECK_EQUAL(lanewise_index_create(3, LANEWISE_METRIC_DOT, NULL, &index), 0);
	none.index = index;
	compare_parts(&none);
	CHECK_EQUAL(lanewise_index_make_coarse(index), 0);
	none.n_candidates = 3;
	compare_parts(&none);
	lanewise_index_destroy(index);
}

/* -------------------------------------------------------------- ties of estimates */

enum { TIE_ROWS = 24000, TIE_DIM = 16 };

static size_t n_full_scans(const lanewise_index *index, const float *query)
{
	void *scratch = make_scratch(lanewise_index_scratch_size(index, 1, 30));
	lanewise_index_work work = { .struct_size = sizeof work };
	uint32_t row[5];
	float score[5];
	size_t n;

	CHECK_EQUAL(lanewise_index_search_coarse(index, query, 1, TIE_DIM, 5, 30, -INFINITY, NULL, scratch, row, score,
	                                         &n, &work),
	            0);
	free(scratch);
	return work.n_full_scans;
}

/*
 * 6000 rows that tie, where a reservoir takes 8192 and half of it is too many: they are in the way only if they are among the
 * best 30, wherever they are; and rows without an estimate always are.
 */
static void test_ties(float tie, size_t n_special, size_t n_scans)
{
	struct data d = { TIE_ROWS, TIE_DIM, allocate(sizeof(float) * TIE_ROWS * TIE_DIM) };
	float query[TIE_DIM];

	data_name = "ties";
	for (size_t i = 0; i < TIE_DIM; i++)
		query[i] = 1 + (float)i / 64;
	for (size_t place = 0; place < 3; place++) {
		size_t first = place == 0 ? 0 : place == 1 ? 9000 : TIE_ROWS - 6000;

		data_normalized(&d);
		for (size_t r = first; r < first + 6000; r++)
			for (size_t i = 0; i < TIE_DIM; i++)
				d.rows[r * TIE_DIM + i] = tie * query[i];
		for (size_t j = 0; j < n_special; j++)
			d.rows[(first + 8000 + 2 * j) % TIE_ROWS * TIE_DIM + 3] = 0x1p70f;

		lanewise_index *index = make_index(&d, LANEWISE_METRIC_DOT);
		struct question q = { index, query, 1, 30, 30, -INFINITY, NULL }; /* what is exact differs */

		CHECK_EQUAL(lanewise_index_make_coarse(index), 0);
		CHECK_EQUAL(n_full_scans(index, query), n_scans);
		compare_parts(&q);
		lanewise_index_destroy(index);
	}
	free(d.rows);
}

/* ---------------------------------------------------------------- by the library */

enum { BIG_ROWS = 60000, BIG_DIM = 300, N_QUERIES = 40 };

static lanewise_index *big;
static float big_queries[N_QUERIES * BIG_DIM];

static void make_big(void)
{
	struct data d = make_data(2, BIG_ROWS, BIG_DIM);

	for (size_t j = 0; j < N_QUERIES; j++)
		make_query(&d, j, big_queries + j * BIG_DIM);
	CHECK_EQUAL(lanewise_index_create(BIG_DIM, LANEWISE_METRIC_COSINE, NULL, &big), 0);
	CHECK_EQUAL(lanewise_index_add(big, d.rows, d.n, d.dim), 0);
	CHECK_EQUAL(lanewise_index_make_coarse(big), 0);
	free(d.rows);
}

static void test_batches(void)
{
	/* Two threads divide the last, and the rows for the others. */
	static const size_t n_queries[] = { 1, 2, 3, 7, N_QUERIES };

	for (size_t i = 0; i < 20; i++) {
		/* Of so many results, queries go by threes, and then one by one. */
		size_t k = i < 10 ? 10 : i < 15 ? 20000 : 70000;
		struct question q = { big, big_queries, n_queries[i / 2 % (i < 10 ? 5 : 4)], k, 0, -INFINITY, NULL };

		if (i % 2)
			q.n_candidates = q.k;

		struct answer expected = by_one(&q);

		for (uint32_t n_threads = 0; n_threads <= 8; n_threads += i < 10 ? 1 : 3)
			CHECK(is_same(&expected, by_batch(&q, n_threads)));
		free(expected.bytes);
	}
}

static struct answer expected_of_one;
static const struct question *one;

static void *search_in_thread(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)is_same(&expected_of_one, by_batch(one, 3));
}

static void search_nested(void *context, size_t item, uint32_t thread)
{
	int *right = context;

	(void)thread;
	right[item] = is_same(&expected_of_one, by_batch(one, 4));
}

static void test_everywhere(void)
{
	const struct question q = { big, big_queries, 1, 10, 0, -INFINITY, NULL };
	pthread_t thread[3];
	int nested[3] = { 0 }, status = -1;

	one = &q;
	expected_of_one = by_one(one);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&thread[i], NULL, search_in_thread, NULL) == 0);
	for (int i = 0; i < 3; i++) {
		void *right;

		pthread_join(thread[i], &right);
		CHECK(right != NULL);
	}
	lw_parallel_for(3, 3, search_nested, nested);
	CHECK(nested[0] && nested[1] && nested[2]);

	/* The parent has used its threads by now; the child must neither hang nor differ. */
	pid_t child = fork();

	if (child == 0) {
		alarm(60);
		_exit(search_in_thread(NULL) ? 0 : 1);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	free(expected_of_one.bytes);
}

/* ------------------------------------------------------------------- arguments */

static void test_arguments(void)
{
	void *scratch = make_scratch(lanewise_index_parts_scratch_size(big, 2, 1, 3));
	uint32_t row[3];
	float score[3];
	size_t n;
	const lanewise_index_request right = {
		sizeof right, big_queries, 1, BIG_DIM, 3, 0, -INFINITY, NULL, 2, scratch
	};

	CHECK_EQUAL(lanewise_index_search_part(NULL, &right, 0), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search_part(big, NULL, 0), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search_part(big, &right, 2), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search_join(NULL, &right, row, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search_join(big, NULL, row, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search_join(big, &right, NULL, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search_join(big, &right, row, NULL, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search_join(big, &right, row, score, NULL), LANEWISE_ERROR_ARGUMENT);
#define WRONG(field, value, expected) \
	do { \
		lanewise_index_request request = right; \
		request.field = value; \
		CHECK_EQUAL(lanewise_index_search_part(big, &request, 0), expected); \
		CHECK_EQUAL(lanewise_index_search_join(big, &request, row, score, &n), expected); \
	} while (0)
	WRONG(struct_size, 8, LANEWISE_ERROR_ARGUMENT);
	WRONG(queries, NULL, LANEWISE_ERROR_ARGUMENT);
	WRONG(query_ld, BIG_DIM - 1, LANEWISE_ERROR_ARGUMENT);
	WRONG(k, 0, LANEWISE_ERROR_ARGUMENT);
	WRONG(n_candidates, 2, LANEWISE_ERROR_ARGUMENT);
	WRONG(threshold, NAN, LANEWISE_ERROR_ARGUMENT);
	WRONG(n_parts, 0, LANEWISE_ERROR_ARGUMENT);
	WRONG(scratch, NULL, LANEWISE_ERROR_ARGUMENT);
	WRONG(scratch, (char *)scratch + 1, LANEWISE_ERROR_ARGUMENT);
	WRONG(k, (size_t)UINT32_MAX + 1, LANEWISE_ERROR_TOO_LARGE);
	WRONG(n_candidates, (size_t)UINT32_MAX + 1, LANEWISE_ERROR_TOO_LARGE);
	WRONG(n_queries, SIZE_MAX, LANEWISE_ERROR_TOO_LARGE);
	WRONG(n_queries, 0, LANEWISE_OK);
#undef WRONG
	free(scratch);
	CHECK_EQUAL(lanewise_index_parts_scratch_size(NULL, 2, 1, 3), 0);
	CHECK_EQUAL(lanewise_index_parts_scratch_size(big, 0, 1, 3), 0);
	CHECK_EQUAL(lanewise_index_parts_scratch_size(big, 2, 1, 0), 0);
	CHECK_EQUAL(lanewise_index_parts_scratch_size(big, SIZE_MAX, 1, 3), 0);
	CHECK_EQUAL(lanewise_index_parts_scratch_size(big, 2, SIZE_MAX, 3), 0);
	CHECK_EQUAL(lanewise_index_search_coarse_batch(big, NULL, 0, BIG_DIM, 3, 2, 0, NULL, 2, NULL, NULL, NULL, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(
	        lanewise_index_search_coarse_batch(NULL, NULL, 0, BIG_DIM, 3, 4, 0, NULL, 2, NULL, NULL, NULL, NULL),
	        LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search_coarse_batch(big, NULL, 1, BIG_DIM, 3, 4, 0, NULL, 2, NULL, NULL, NULL, NULL),
	            LANEWISE_ERROR_ARGUMENT);
}

int main(void)
{
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++)
		if (lanewise_set_tier(tier) == LANEWISE_OK)
			test_every_kind();
	test_others();
	test_ties(0.01f, 0, 0); /* below the best */
	test_ties(9, 0, 1);
	test_ties(0.01f, 5000, 1);
	make_big();
	test_batches();
	test_everywhere();
	test_arguments();
	lanewise_index_destroy(big);
	return test_result();
}
