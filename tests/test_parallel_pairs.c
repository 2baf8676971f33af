/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parallel forms of lanewise/pairs.h and of the encoder of lanewise/pq.h: the same bits as the serial ones for any number
 * of threads, from several threads at once, and the same errors.
 */
#include <lanewise/parallel.h>

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "test.h"

/* Enough work for threads to be started, and no multiple of anything. */
enum { N = 1013, DIM = 37, LD = 40, K = 7, N_PARTS = 4, PQ_DIM = 36 };

static float rows[N * LD];
static float *expected_matrix, expected_score[N * K];
static uint32_t expected_neighbour[N * K];
static size_t expected_found[N], n_expected_pairs;
static lanewise_pair *expected_pairs;
static uint8_t expected_codes[N * N_PARTS];
static lanewise_pq *pq;

static void *allocate(size_t n_bytes)
{
	void *p = NULL;

	if (posix_memalign(&p, 64, n_bytes ? n_bytes : 1) != 0)
		abort();
	return p;
}

static const float threshold[3] = { 3, 0.4f, 14 };

static void prepare(lanewise_metric metric)
{
	void *scratch = allocate(lanewise_neighbours_scratch_size(K));
	lanewise_pairs_position position = { 0, 0 };

	CHECK_EQUAL(lanewise_similarity_f32(rows, N, LD, rows, N, LD, DIM, metric, expected_matrix, N), 0);
	CHECK_EQUAL(lanewise_neighbours_f32(rows, N, DIM, LD, metric, 0, N, K, scratch, expected_neighbour,
	                                    expected_score, expected_found),
	            0);
	CHECK_EQUAL(lanewise_pairs_f32(rows, N, DIM, LD, metric, threshold[metric], &position, expected_pairs,
	                               (size_t)N * N / 2, &n_expected_pairs),
	            0);
	CHECK(n_expected_pairs > 600 && n_expected_pairs < (size_t)N * N / 3);
	free(scratch);
}

static int matrix_is_right(lanewise_metric metric, uint32_t n_threads)
{
	float *out = allocate((size_t)N * N * sizeof *out);
	int right = lanewise_similarity_f32_parallel(rows, N, LD, rows, N, LD, DIM, metric, n_threads, out, N) == 0 &&
	            memcmp(out, expected_matrix, (size_t)N * N * sizeof *out) == 0;

	free(out);
	return right;
}

static int pairs_are_right(lanewise_metric metric, uint32_t n_threads)
{
	lanewise_pair *pairs = allocate(n_expected_pairs * sizeof *pairs);
	size_t n_pairs, n_small, n_counted;
	int right = lanewise_pairs_f32_parallel(rows, N, DIM, LD, metric, threshold[metric], n_threads, pairs,
	                                        n_expected_pairs, &n_pairs) == 0 &&
	            n_pairs == n_expected_pairs && memcmp(pairs, expected_pairs, n_pairs * sizeof *pairs) == 0;

	right = right &&
	        lanewise_pairs_f32_parallel(rows, N, DIM, LD, metric, threshold[metric], n_threads, pairs, 5,
	                                    &n_small) == 0 &&
	        n_small == n_expected_pairs;
	right = right &&
	        lanewise_pairs_f32_parallel(rows, N, DIM, LD, metric, threshold[metric], n_threads, NULL, 0,
	                                    &n_counted) == 0 &&
	        n_counted == n_expected_pairs;
	free(pairs);
	return right;
}

static int neighbours_are_right(lanewise_metric metric, uint32_t n_threads)
{
	void *scratch = allocate(lanewise_neighbours_parallel_scratch_size(K, n_threads));
	uint32_t *neighbour = allocate(N * K * sizeof *neighbour);
	float *score = allocate(N * K * sizeof *score);
	size_t *n_found = allocate(N * sizeof *n_found), first = 100;
	int right = lanewise_neighbours_f32_parallel(rows, N, DIM, LD, metric, first, N - first, K, n_threads, scratch,
	                                             neighbour, score, n_found) == 0;

	for (size_t r = first; r < N; r++) {
		size_t n = n_found[r - first];

		right = right && n == expected_found[r] &&
		        memcmp(neighbour + (r - first) * K, expected_neighbour + r * K, n * sizeof *neighbour) == 0 &&
		        memcmp(score + (r - first) * K, expected_score + r * K, n * sizeof *score) == 0;
	}
	free(scratch);
	free(neighbour);
	free(score);
	free(n_found);
	return right;
}

static int codes_are_right(uint32_t n_threads)
{
	enum { TIMES = 8 }; /* the rows several times over, so that there is more than one item */
	float *many = allocate(sizeof rows * TIMES);
	uint8_t *codes = allocate(sizeof expected_codes * TIMES);
	int right = 1;

	for (size_t i = 0; i < TIMES; i++)
		memcpy(many + i * N * LD, rows, sizeof rows);
	lanewise_pq_encode_parallel(pq, many, (size_t)N * TIMES, LD, n_threads, codes);
	for (size_t i = 0; i < TIMES; i++)
		right = right && memcmp(codes + i * sizeof expected_codes, expected_codes, sizeof expected_codes) == 0;
	free(many);
	free(codes);
	return right;
}

static void *all_in_thread(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)(matrix_is_right(LANEWISE_METRIC_L2SQ, 2) &&
	                          pairs_are_right(LANEWISE_METRIC_L2SQ, 3) &&
	                          neighbours_are_right(LANEWISE_METRIC_L2SQ, 2) && codes_are_right(2));
}

static void test_threads(void)
{
	pthread_t thread[3];

	for (lanewise_metric metric = 0; metric <= LANEWISE_METRIC_L2SQ; metric++) {
		prepare(metric);
		for (uint32_t n_threads = 0; n_threads <= 5; n_threads++) {
			CHECK(matrix_is_right(metric, n_threads));
			CHECK(pairs_are_right(metric, n_threads));
			CHECK(neighbours_are_right(metric, n_threads));
		}
	}
	for (uint32_t n_threads = 0; n_threads <= 5; n_threads++)
		CHECK(codes_are_right(n_threads));
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&thread[i], NULL, all_in_thread, NULL) == 0);
	for (int i = 0; i < 3; i++) {
		void *right;

		pthread_join(thread[i], &right);
		CHECK(right != NULL);
	}
}

static void test_matrix_arguments(void)
{
#define MATRIX(a, n_a, a_ld, b, n_b, b_ld, metric, out_ld) \
	lanewise_similarity_f32_parallel(a, n_a, a_ld, b, n_b, b_ld, DIM, metric, 2, expected_matrix, out_ld)
	CHECK_EQUAL(MATRIX(NULL, N, LD, rows, N, LD, 0, N), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(MATRIX(rows, N, LD, NULL, N, LD, 0, N), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(MATRIX(rows, N, DIM - 1, rows, N, LD, 0, N), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(MATRIX(rows, N, LD, rows, N, DIM - 1, 0, N), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(MATRIX(rows, N, LD, rows, N, LD, 7, N), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(MATRIX(rows, N, LD, rows, N, LD, 0, N - 1), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(MATRIX(rows, SIZE_MAX, LD, rows, N, LD, 0, N), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(MATRIX(rows, N, LD, rows, SIZE_MAX, LD, 0, SIZE_MAX), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(MATRIX(NULL, 0, LD, rows, N, LD, 0, N), 0);
	CHECK_EQUAL(MATRIX(rows, N, LD, NULL, 0, LD, 0, N), 0);
	CHECK_EQUAL(lanewise_similarity_f32_parallel(NULL, N, 0, NULL, N, 0, 0, 0, 2, expected_matrix, N), 0);
	CHECK(expected_matrix[0] == 0 && expected_matrix[N * N - 1] == 0);
}

static void test_arguments(void)
{
	static uint32_t neighbour[N * K];
	static float score[N * K];
	static size_t n_found[N];
	void *scratch = allocate(lanewise_neighbours_parallel_scratch_size(K, 2));
	size_t n = 0;

#define PAIRS(rows, n_rows, ld, metric, threshold, pairs, n) \
	lanewise_pairs_f32_parallel(rows, n_rows, DIM, ld, metric, threshold, 2, pairs, 5, n)
	CHECK_EQUAL(PAIRS(NULL, N, LD, 0, 1, expected_pairs, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(PAIRS(rows, N, DIM - 1, 0, 1, expected_pairs, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(PAIRS(rows, N, LD, -1, 1, expected_pairs, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(PAIRS(rows, N, LD, 0, NAN, expected_pairs, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(PAIRS(rows, N, LD, 0, 1, NULL, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(PAIRS(rows, N, LD, 0, 1, expected_pairs, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(PAIRS(rows, (size_t)UINT32_MAX + 1, LD, 0, 1, expected_pairs, &n), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(PAIRS(NULL, 0, LD, 0, 1, expected_pairs, &n), 0);
	CHECK_EQUAL(n, 0);

#define NEIGHBOURS(rows, ld, metric, first, n, k, scratch, out) \
	lanewise_neighbours_f32_parallel(rows, N, DIM, ld, metric, first, n, k, 2, scratch, neighbour, score, out)
	CHECK_EQUAL(NEIGHBOURS(NULL, LD, 0, 0, N, K, scratch, n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(NEIGHBOURS(rows, DIM - 1, 0, 0, N, K, scratch, n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(NEIGHBOURS(rows, LD, 3, 0, N, K, scratch, n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(NEIGHBOURS(rows, LD, 0, 1, N, K, scratch, n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(NEIGHBOURS(rows, LD, 0, 0, N, 0, scratch, n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(NEIGHBOURS(rows, LD, 0, 0, N, K, NULL, n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(NEIGHBOURS(rows, LD, 0, 0, N, K, (char *)scratch + 1, n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(NEIGHBOURS(rows, LD, 0, 0, N, K, scratch, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(NEIGHBOURS(rows, LD, 0, 0, N, SIZE_MAX, scratch, n_found), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(NEIGHBOURS(rows, LD, 0, N, 0, K, NULL, NULL), 0);
	CHECK_EQUAL(lanewise_neighbours_parallel_scratch_size(0, 2), 0);
	CHECK_EQUAL(lanewise_neighbours_parallel_scratch_size(SIZE_MAX, 2), 0);
	lanewise_pq_encode_parallel(pq, NULL, 0, LD, 2, NULL);
	free(scratch);
}

int main(void)
{
	const lanewise_pq_options options = { sizeof options, N_PARTS, 16, 1, LANEWISE_PQ_PLUS_PLUS, 5 };
	uint64_t seed = 3;

	expected_matrix = allocate((size_t)N * N * sizeof *expected_matrix);
	expected_pairs = allocate((size_t)N * N / 2 * sizeof *expected_pairs);
	for (size_t i = 0; i < N * LD; i++)
		rows[i] = (float)(int32_t)test_random(&seed) * 0x1p-31f;
	/* A NaN row and some equal rows. */
	rows[500 * LD + 3] = NAN;
	memcpy(rows + 700 * LD, rows + 2 * LD, LD * sizeof *rows);
	rows[N * LD - 1] = 0;
	CHECK_EQUAL(lanewise_pq_train(rows, 400, PQ_DIM, LD, &options, NULL, &pq, NULL), 0);
	lanewise_pq_encode(pq, rows, N, LD, expected_codes);
	test_threads();
	test_arguments();
	test_matrix_arguments();
	lanewise_pq_destroy(pq);
	free(expected_matrix);
	free(expected_pairs);
	return test_result();
}
