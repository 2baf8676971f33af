/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/parallel.h: batches equal single calls for any number of threads, also after fork and inside threads. */
#include <lanewise/parallel.h>

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum { N_QUERIES = 13, N_ROWS = 700, DIM = 37, LD = 40, K = 9 };

static float queries[N_QUERIES * LD], rows[N_ROWS * LD];
static uint32_t expected_index[N_QUERIES * K];
static float expected_score[N_QUERIES * K];

static void fill(float *p, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (float)(int32_t)test_random(&seed) * 0x1p-31f;
}

/* 1 if a batch over n_threads gives the expected bits. */
static int batch_is_right(uint32_t n_threads)
{
	void *scratch = malloc(lanewise_scan_topk_batch_scratch_size(K, n_threads));
	uint32_t index[N_QUERIES * K];
	float score[N_QUERIES * K];
	size_t n_found[N_QUERIES];
	int right =
	        lanewise_scan_topk_f32_batch(queries, N_QUERIES, LD, rows, N_ROWS, DIM, LD, LANEWISE_METRIC_COSINE, K,
	                                     -INFINITY, n_threads, scratch, index, score, n_found) == LANEWISE_OK;

	for (size_t q = 0; q < N_QUERIES; q++)
		right = right && n_found[q] == K;
	right = right && memcmp(index, expected_index, sizeof index) == 0 &&
	        memcmp(score, expected_score, sizeof score) == 0;
	free(scratch);
	return right;
}

/* 1 if a batch of the index finds the same. */
static int index_batch_is_right(const lanewise_index *vectors, uint32_t n_threads)
{
	void *scratch =
	        aligned_alloc(64, (lanewise_index_search_batch_scratch_size(vectors, K, n_threads) + 63) / 64 * 64);
	uint32_t index[N_QUERIES * K];
	float score[N_QUERIES * K];
	size_t n_found[N_QUERIES];
	int right = lanewise_index_search_batch(vectors, queries, N_QUERIES, LD, K, -INFINITY, NULL, n_threads, scratch,
	                                        index, score, n_found) == LANEWISE_OK;

	for (size_t q = 0; q < N_QUERIES; q++)
		right = right && n_found[q] == K;
	right = right && memcmp(index, expected_index, sizeof index) == 0 &&
	        memcmp(score, expected_score, sizeof score) == 0;
	free(scratch);
	return right;
}

static lanewise_index *make_index(void)
{
	const float nothing[DIM] = { 0 };
	lanewise_index *vectors = NULL;

	CHECK_EQUAL(lanewise_index_create(DIM, LANEWISE_METRIC_COSINE, NULL, &vectors), LANEWISE_OK);
	CHECK_EQUAL(lanewise_index_add(vectors, rows, N_ROWS, LD), LANEWISE_OK);
	/* Rows of cosine 0, which change no result and make it worth while to start threads. */
	for (size_t r = 0; r < 40000; r++)
		CHECK_EQUAL(lanewise_index_add(vectors, nothing, 1, DIM), LANEWISE_OK);
	return vectors;
}

static void test_index_arguments(const lanewise_index *vectors)
{
	void *scratch = aligned_alloc(64, (lanewise_index_search_batch_scratch_size(vectors, K, 1) + 63) / 64 * 64);
	uint32_t index[K];
	float score[K];
	size_t n_found;

#define BATCH(vectors, queries, n_queries, query_ld, k, threshold, n_found) \
	lanewise_index_search_batch(vectors, queries, n_queries, query_ld, k, threshold, NULL, 1, scratch, index, \
	                            score, n_found)
	CHECK_EQUAL(BATCH(NULL, queries, 1, LD, K, 0, &n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(vectors, NULL, 1, LD, K, 0, &n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(vectors, queries, 1, DIM - 1, K, 0, &n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(vectors, queries, 1, LD, 0, 0, &n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(vectors, queries, 1, LD, K, NAN, &n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(vectors, queries, 1, LD, K, 0, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(vectors, queries, SIZE_MAX, LD, K, 0, &n_found), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(BATCH(vectors, NULL, 0, LD, K, 0, NULL), LANEWISE_OK);
#undef BATCH
	free(scratch);
	CHECK_EQUAL(lanewise_index_search_batch_scratch_size(NULL, K, 1), 0);
}

static void test_index(void)
{
	lanewise_index *vectors = make_index();

	for (uint32_t n_threads = 0; n_threads <= 6; n_threads++)
		CHECK(index_batch_is_right(vectors, n_threads));
	test_index_arguments(vectors);
	lanewise_index_destroy(vectors);
}

static void *batch_in_thread(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)batch_is_right(2);
}

static void test_threads(void)
{
	void *scratch = malloc(lanewise_scan_topk_scratch_size(K));

	for (size_t q = 0; q < N_QUERIES; q++) {
		size_t n_found;

		CHECK_EQUAL(lanewise_scan_topk_f32(queries + q * LD, rows, N_ROWS, DIM, LD, LANEWISE_METRIC_COSINE, K,
		                                   -INFINITY, scratch, expected_index + q * K, expected_score + q * K,
		                                   &n_found),
		            LANEWISE_OK);
	}
	free(scratch);
	for (uint32_t n_threads = 0; n_threads <= 20; n_threads++)
		CHECK(batch_is_right(n_threads));

	pthread_t thread[4];
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&thread[i], NULL, batch_in_thread, NULL) == 0);
	for (int i = 0; i < 4; i++) {
		void *right;

		pthread_join(thread[i], &right);
		CHECK(right != NULL);
	}
}

/* Fewer queries than threads, which divide the rows then: rows that come again and again, so that scores tie everywhere. */
static void compare_few(const float *many, size_t n, lanewise_metric metric, size_t n_queries, size_t k)
{
	size_t n_bytes = n_queries * (sizeof(size_t) + k * (sizeof(uint32_t) + sizeof(float)));
	unsigned char *results[2];
	float threshold = metric == LANEWISE_METRIC_L2SQ ? 25 : -0.1f;

	for (uint32_t n_threads = 0; n_threads <= 8; n_threads++) {
		for (int i = 0; i < 2; i++) {
			size_t n_scratch = i ? lanewise_scan_topk_batch_scratch_size(k, n_threads)
			                     : lanewise_scan_topk_queries_scratch_size(n_queries, k);
			void *scratch = malloc(n_scratch);
			size_t *n_found = (size_t *)(void *)(results[i] = malloc(n_bytes));
			uint32_t *index = (uint32_t *)(void *)(n_found + n_queries);
			float *score = (float *)(void *)(index + n_queries * k);

			memset(results[i], 0xee, n_bytes);
			CHECK_EQUAL(
			        i ? lanewise_scan_topk_f32_batch(queries, n_queries, LD, many, n, DIM, DIM, metric, k,
			                                         threshold, n_threads, scratch, index, score, n_found)
			          : lanewise_scan_topk_f32_queries(queries, n_queries, LD, many, n, DIM, DIM, metric, k,
			                                           threshold, scratch, index, score, n_found),
			        LANEWISE_OK);
			CHECK(n_found[0] == k || n_found[0] > 1000);
			free(scratch);
		}
		CHECK(memcmp(results[0], results[1], n_bytes) == 0);
		free(results[0]);
		free(results[1]);
	}
}

static void test_few_queries(void)
{
	enum { N = 60001 };
	float *many = malloc(sizeof *many * N * DIM);

	for (size_t r = 0; r < N; r++)
		memcpy(many + r * DIM, rows + r * 7 % N_ROWS * LD, DIM * sizeof *many);
	for (lanewise_metric metric = 0; metric <= LANEWISE_METRIC_L2SQ; metric++) {
		compare_few(many, N, metric, 1, K);
		compare_few(many, N, metric, 1 + (size_t)metric, 100);
		compare_few(many, N, metric, 3, 2 * N); /* so many go one by one */
	}
	free(many);
}

/* The parent has used its threads by now; the child must neither hang nor differ. */
static void test_fork(void)
{
	pid_t child = fork();

	if (child == 0) {
		alarm(60);
		_exit(batch_is_right(4) && batch_is_right(0) ? 0 : 1);
	}
	int status = -1;

	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK(batch_is_right(4));
}

static void test_arguments(void)
{
	void *scratch = malloc(lanewise_scan_topk_batch_scratch_size(K, 1));
	uint32_t index[N_QUERIES * K];
	float score[N_QUERIES * K];
	size_t n_found[N_QUERIES];

#define BATCH(queries, n_queries, query_ld, rows, n_rows, ld, k, threshold, n_found) \
	lanewise_scan_topk_f32_batch(queries, n_queries, query_ld, rows, n_rows, DIM, ld, LANEWISE_METRIC_DOT, k, \
	                             threshold, 1, scratch, index, score, n_found)
	CHECK_EQUAL(BATCH(NULL, 1, LD, rows, 1, LD, K, 0, n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(queries, 1, DIM - 1, rows, 1, LD, K, 0, n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(queries, 1, LD, NULL, 1, LD, K, 0, n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(queries, 1, LD, rows, 1, DIM - 1, K, 0, n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(queries, 1, LD, rows, 1, LD, 0, 0, n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(queries, 1, LD, rows, 1, LD, K, NAN, n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(queries, 1, LD, rows, 1, LD, K, 0, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(queries, 1, LD, rows, SIZE_MAX, LD, K, 0, n_found), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(BATCH(queries, SIZE_MAX, LD, rows, 1, LD, K, 0, n_found), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(BATCH(NULL, 0, LD, rows, 1, LD, K, 0, NULL), LANEWISE_OK);
	CHECK_EQUAL(BATCH(queries, 1, LD, NULL, 0, LD, K, 0, n_found), LANEWISE_OK);
	CHECK_EQUAL(n_found[0], 0);
	free(scratch);
	CHECK_EQUAL(lanewise_scan_topk_batch_scratch_size(0, 1), 0);
	CHECK_EQUAL(lanewise_scan_topk_batch_scratch_size(SIZE_MAX, 1), 0);
}

static void test_topology(void)
{
	lanewise_topology t = { .struct_size = sizeof t };

	CHECK_EQUAL(lanewise_topology_get(&t), LANEWISE_OK);
	CHECK(t.source != NULL && t.physical_cores >= 1 && t.logical_cpus >= t.physical_cores);
	CHECK_EQUAL(lanewise_default_threads(), t.physical_cores);
	CHECK_EQUAL(lanewise_topology_get(NULL), LANEWISE_ERROR_ARGUMENT);
	t.struct_size = 8;
	CHECK_EQUAL(lanewise_topology_get(&t), LANEWISE_ERROR_ARGUMENT);
}

int main(void)
{
	fill(queries, N_QUERIES * LD, 1);
	fill(rows, N_ROWS * LD, 2);
	test_threads();
	test_few_queries();
	test_index();
	test_fork();
	test_arguments();
	test_topology();
	return test_result();
}
