/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The coarse search of lanewise/index.h: scores are exact, what is found is a subset of the rows in exact order, the
 * same on every tier and for any number of queries; recall is what the header states; changes of rows, filters, rows
 * without estimates, files, wrong arguments.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mkstemp */
#endif
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include <lanewise/index.h>

#include "counting_allocator.h"
#include "test.h"

static uint64_t random_state = 11;

static float uniform(void) { return (float)(int32_t)(test_random(&random_state) >> 40) * 0x1p-23f - 1; }

static float gaussian(void)
{
	float sum = 0;

	for (int i = 0; i < 6; i++)
		sum += uniform();
	return sum * 0.7f;
}

static void *allocate(size_t n_bytes)
{
	void *p = NULL;

	/* No larger than asked for, so that a sanitizer sees writes beyond. */
	if (posix_memalign(&p, 64, n_bytes ? n_bytes : 1) != 0)
		abort();
	return p;
}

enum kind { GAUSSIAN, CLUSTERED, OUTLIERS, KINDS };
static const char *const kind_names[KINDS] = { "gaussian", "clustered", "outlier dimensions" };

/* Rows of length 1; n_queries more behind them, from the same distribution. */
static float *make_rows(enum kind kind, size_t n, size_t dim)
{
	enum { CENTRES = 200 };
	float *rows = allocate(n * dim * sizeof *rows), *centres = allocate(CENTRES * dim * sizeof *centres);

	for (size_t i = 0; i < CENTRES * dim; i++)
		centres[i] = gaussian();
	for (size_t r = 0; r < n; r++) {
		const float *centre = centres + test_random(&random_state) % CENTRES * dim;

		for (size_t i = 0; i < dim; i++)
			rows[r * dim + i] = kind == CLUSTERED ? centre[i] + 0.4f * gaussian() : gaussian();
		if (kind == OUTLIERS)
			rows[r * dim + 7] *= 30;
	}
	lanewise_normalize_f32_rows(rows, n, dim, dim);
	free(centres);
	return rows;
}

static lanewise_index *make_index(const float *rows, size_t n, size_t dim, lanewise_metric metric)
{
	lanewise_index *index = NULL;

	CHECK_EQUAL(lanewise_index_create(dim, metric, NULL, &index), 0);
	/* Codes of rows that are there already, and of rows that come later. */
	CHECK_EQUAL(lanewise_index_add(index, rows, n / 3, dim), 0);
	CHECK_EQUAL(lanewise_index_make_coarse(index), 0);
	CHECK_EQUAL(lanewise_index_make_coarse(index), 0);
	CHECK_EQUAL(lanewise_index_add(index, rows + n / 3 * dim, n - n / 3, dim), 0);
	return index;
}

struct found {
	size_t n[64];
	uint32_t row[4096];
	float score[4096];
	lanewise_index_work work;
};

static struct found coarse(const lanewise_index *index, const float *queries, size_t n_queries, size_t k,
                           size_t n_candidates, float threshold, const uint64_t *filter)
{
	static struct found f;
	void *scratch = allocate(lanewise_index_scratch_size(index, n_queries, n_candidates));

	memset(&f, 0, sizeof f);
	f.work.struct_size = sizeof f.work;
	CHECK_EQUAL(lanewise_index_search_coarse(index, queries, n_queries, lanewise_index_dim(index), k, n_candidates,
	                                         threshold, filter, scratch, f.row, f.score, f.n, &f.work),
	            0);
	free(scratch);
	return f;
}

static struct found exact(const lanewise_index *index, const float *queries, size_t n_queries, size_t k,
                          float threshold, const uint64_t *filter)
{
	static struct found f;
	void *scratch = allocate(lanewise_index_scratch_size(index, n_queries, k));

	memset(&f, 0, sizeof f);
	CHECK_EQUAL(lanewise_index_search(index, queries, n_queries, lanewise_index_dim(index), k, threshold, filter,
	                                  scratch, f.row, f.score, f.n, NULL),
	            0);
	free(scratch);
	return f;
}

/* ------------------------------------------------------------------- recall */

static double recall(enum kind kind, lanewise_metric metric, size_t n_candidates)
{
	enum { N = 20000, DIM = 384, QUERIES = 40, K = 10 };
	float *rows = make_rows(kind, N + QUERIES, DIM);
	const float *queries = rows + N * DIM;
	lanewise_index *index = make_index(rows, N, DIM, metric);
	float all = metric == LANEWISE_METRIC_L2SQ ? INFINITY : -INFINITY;
	struct found expected = exact(index, queries, QUERIES, K, all, NULL);
	struct found got = coarse(index, queries, QUERIES, K, n_candidates, all, NULL);
	size_t right = 0;

	CHECK_EQUAL(got.work.n_rescored, QUERIES * n_candidates);
	CHECK_EQUAL(got.work.n_full_scans, 0);
	for (size_t q = 0; q < QUERIES; q++) {
		CHECK_EQUAL(got.n[q], K);
		for (size_t i = 0; i < K; i++)
			for (size_t j = 0; j < K; j++)
				right += expected.row[q * K + i] == got.row[q * K + j] &&
				         expected.score[q * K + i] == got.score[q * K + j];
	}
	lanewise_index_destroy(index);
	free(rows);
	return (double)right / (QUERIES * K);
}

/* What index.h states, and a little less where rows are few. */
static void test_recall(void)
{
	static const size_t n_candidates[] = { 20, 100, 400 };
	static const double least[KINDS][3] = { { 0.95, 0.995, 1 }, { 0.75, 0.995, 1 }, { 0.65, 0.95, 0.995 } };

	for (int kind = 0; kind < KINDS; kind++)
		for (int i = 0; i < 3; i++) {
			double r = recall((enum kind)kind, (lanewise_metric)i, n_candidates[i]);

			printf("recall of 10 from %zu candidates, %s: %.4f\n", n_candidates[i], kind_names[kind], r);
			CHECK(r >= least[kind][i]);
		}
}

/* ---------------------------------------------------------------- invariance */

static struct found first_tier[3];

/* Any magnitudes, NaN, zeros and equal rows; small enough to compare every tier and every grouping of queries. */
static void test_same(int is_first)
{
	enum { N = 3000, DIM = 83, QUERIES = 37, K = 9, CANDIDATES = 30 };

	random_state = 5;

	float *rows = make_rows(CLUSTERED, N + QUERIES, DIM);
	const float *queries = rows + N * DIM;
	uint64_t filter[N / 64 + 1];

	for (size_t i = 0; i < sizeof filter / sizeof *filter; i++)
		filter[i] = test_random(&random_state);
	for (size_t i = 0; i < DIM; i++) {
		rows[17 * DIM + i] = 0;
		rows[18 * DIM + i] = NAN;
		rows[19 * DIM + i] *= 0x1p90f;
		rows[20 * DIM + i] *= 0x1p-140f;
		rows[21 * DIM + i] = rows[22 * DIM + i];
	}
	rows[(N + 4) * DIM] = NAN;
	for (lanewise_metric metric = 0; metric <= LANEWISE_METRIC_L2SQ; metric++) {
		lanewise_index *index = make_index(rows, N, DIM, metric);
		float threshold = metric == LANEWISE_METRIC_L2SQ ? 0.7f : 0.2f;
		struct found all = coarse(index, queries, QUERIES, K, CANDIDATES, threshold, filter);

		CHECK_EQUAL(all.n[4], 0);
		for (size_t q = 0; q < QUERIES; q++) {
			struct found one = coarse(index, queries + q * DIM, 1, K, CANDIDATES, threshold, filter);

			CHECK_EQUAL(one.n[0], all.n[q]);
			CHECK(memcmp(one.row, all.row + q * K, one.n[0] * sizeof *one.row) == 0);
			CHECK(memcmp(one.score, all.score + q * K, one.n[0] * sizeof *one.score) == 0);
			for (size_t i = 0; i < one.n[0]; i++) {
				float score =
				        metric == LANEWISE_METRIC_DOT
				                ? lanewise_dot_f32(queries + q * DIM, rows + one.row[i] * DIM, DIM)
				        : metric == LANEWISE_METRIC_COSINE
				                ? lanewise_cosine_f32(queries + q * DIM, rows + one.row[i] * DIM, DIM)
				                : lanewise_l2sq_f32(queries + q * DIM, rows + one.row[i] * DIM, DIM);

				CHECK(score == one.score[i]);
				CHECK(filter[one.row[i] / 64] >> one.row[i] % 64 & 1);
				CHECK(metric == LANEWISE_METRIC_L2SQ ? score <= threshold : score >= threshold);
				CHECK(i == 0 || (metric == LANEWISE_METRIC_L2SQ ? one.score[i - 1] <= score
				                                                : one.score[i - 1] >= score));
			}
		}
		if (is_first)
			first_tier[metric] = all;
		CHECK(memcmp(&first_tier[metric], &all, sizeof all) == 0);
		/* So many candidates that all rows are read. */
		struct found every = coarse(index, queries, QUERIES, K, N / 8 + 1, threshold, filter);
		struct found truth = exact(index, queries, QUERIES, K, threshold, filter);

		CHECK(memcmp(every.n, truth.n, sizeof every.n) == 0);
		CHECK(memcmp(every.row, truth.row, sizeof every.row) == 0);
		CHECK(memcmp(every.score, truth.score, sizeof every.score) == 0);
		lanewise_index_destroy(index);
	}
	free(rows);
}

/* ------------------------------------------------------- rows that are special */

static void test_changes(void)
{
	enum { N = 2000, DIM = 70 };
	float *rows = make_rows(GAUSSIAN, N + 1, DIM), *query = rows + N * DIM;
	lanewise_index *index = make_index(rows, N, DIM, LANEWISE_METRIC_DOT);
	struct found f;

	CHECK_EQUAL(lanewise_index_update(index, 1234, query), 0);
	f = coarse(index, query, 1, 3, 10, -INFINITY, NULL);
	CHECK(f.n[0] == 3 && f.row[0] == 1234);
	CHECK_EQUAL(lanewise_index_remove(index, 1234), 0);
	f = coarse(index, query, 1, 3, 10, -INFINITY, NULL);
	CHECK(f.n[0] == 3 && f.row[0] != 1234 && f.row[1] != 1234 && f.row[2] != 1234);
	/* A row too large for an estimate is compared in full. */
	for (size_t i = 0; i < DIM; i++)
		rows[i] = query[i] * 0x1p60f;
	CHECK_EQUAL(lanewise_index_update(index, 77, rows), 0);
	f = coarse(index, query, 1, 3, 10, -INFINITY, NULL);
	CHECK(f.n[0] == 3 && f.row[0] == 77);
	CHECK(f.work.n_rescored <= 11 && f.work.n_full_scans == 0);
	lanewise_index_destroy(index);

	/* Rows that are all equal: estimates tell nothing, so all are compared. */
	for (size_t i = DIM; i < (size_t)N * DIM; i++)
		rows[i] = rows[i % DIM + (size_t)N * DIM];
	index = make_index(rows + DIM, N - 1, DIM, LANEWISE_METRIC_DOT);
	f = coarse(index, query, 1, 4, 20, -INFINITY, NULL);
	CHECK(f.n[0] == 4 && f.row[0] == 0 && f.row[3] == 3);
	lanewise_index_destroy(index);
	free(rows);
}

/* -------------------------------------------------------------------- files */

static void test_mapped(void)
{
	enum { N = 1500, DIM = 130, K = 5 };
	float *rows = make_rows(GAUSSIAN, N, DIM);
	lanewise_index *index = make_index(rows, N, DIM, LANEWISE_METRIC_COSINE), *mapped = NULL;
	char path[] = "lanewise-coarse-XXXXXX";
	int fd = mkstemp(path);
	lanewise_file_writer *writer = NULL;
	lanewise_file *file = NULL;

	CHECK(fd >= 0);
	CHECK_EQUAL(lanewise_file_writer_create(path, NULL, &writer, NULL), 0);
	CHECK_EQUAL(lanewise_index_write(index, writer, NULL), 0);
	CHECK_EQUAL(lanewise_file_writer_commit(writer, NULL), 0);
	lanewise_file_writer_destroy(writer);
	CHECK_EQUAL(lanewise_file_open(path, NULL, &file, NULL), 0);
	CHECK_EQUAL(lanewise_index_open(file, NULL, &mapped, NULL), 0);
	CHECK_EQUAL(lanewise_index_make_coarse(mapped), 0);
	for (size_t q = 0; q < 10; q++) {
		struct found a = coarse(index, rows + q * 99 * DIM, 1, K, 20, -INFINITY, NULL);
		struct found b = coarse(mapped, rows + q * 99 * DIM, 1, K, 20, -INFINITY, NULL);

		CHECK(a.n[0] == K && memcmp(&a, &b, sizeof a) == 0);
	}
	lanewise_index_destroy(mapped);
	lanewise_file_destroy(file);
	lanewise_index_destroy(index);
	close(fd);
	remove(path);
	free(rows);
}

/* ---------------------------------------------------------------- arguments */

/* Wherever memory runs out, the index is as it was. */
static void test_allocator(void)
{
	for (size_t left = 0; left < 12; left++) {
		struct counter counter = { 0 };
		lanewise_allocator allocator = counting_allocator(&counter);
		lanewise_index *index = NULL;
		float rows[1100 * 3] = { 1, 2, 3 };
		lanewise_status status;

		CHECK_EQUAL(lanewise_index_create(3, LANEWISE_METRIC_DOT, &allocator, &index), 0);
		CHECK_EQUAL(lanewise_index_add(index, rows, 300, 3), 0);
		fail_after(&counter, left);
		status = lanewise_index_make_coarse(index);
		CHECK_EQUAL(status, left < 2 ? LANEWISE_ERROR_NO_MEMORY : 0);
		if (!status) {
			status = lanewise_index_add(index, rows, 800, 3);
			CHECK_EQUAL(status, left < 6 ? LANEWISE_ERROR_NO_MEMORY : 0);
		}
		CHECK_EQUAL(lanewise_index_n_rows(index), status ? 300 : 1100);
		lanewise_index_destroy(index);
		CHECK_EQUAL(counter.n_bytes, 0);
	}
}

static void test_arguments(void)
{
	lanewise_index *index = NULL;
	float v[4] = { 1, 2, 3, 4 }, score[2];
	uint32_t row[2];
	size_t n = 9;
	void *scratch;

	CHECK_EQUAL(lanewise_index_make_coarse(NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_create(4, LANEWISE_METRIC_DOT, NULL, &index), 0);
	scratch = allocate(lanewise_index_scratch_size(index, 1, 2));
	CHECK_EQUAL(lanewise_index_search_coarse(index, v, 1, 4, 1, 2, 0, NULL, scratch, row, score, &n, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_make_coarse(index), 0);
	CHECK_EQUAL(lanewise_index_search_coarse(index, v, 1, 4, 1, 2, 0, NULL, scratch, row, score, &n, NULL), 0);
	CHECK_EQUAL(n, 0);
	CHECK_EQUAL(lanewise_index_search_coarse(index, v, 1, 4, 2, 1, 0, NULL, scratch, row, score, &n, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search_coarse(index, v, 1, 4, 1, SIZE_MAX, 0, NULL, scratch, row, score, &n, NULL),
	            LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_index_search_coarse(NULL, v, 1, 4, 1, 2, 0, NULL, scratch, row, score, &n, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search_coarse(index, v, 1, 3, 1, 2, 0, NULL, scratch, row, score, &n, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search_coarse(index, v, 1, 4, 1, 2, NAN, NULL, scratch, row, score, &n, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	free(scratch);
	lanewise_index_destroy(index);
}

int main(void)
{
	int is_first = 1;

	test_arguments();
	test_allocator();
	test_mapped();
	test_recall();
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++)
		if (lanewise_set_tier(tier) == LANEWISE_OK) {
			test_same(is_first);
			test_changes();
			is_first = 0;
		}
	return test_result();
}
