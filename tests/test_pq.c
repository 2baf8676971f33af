/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/pq.h: against plain loops, the same quantiser on every tier, its recall on synthetic data, wrong arguments.
 */
#include <lanewise/pq.h>
#include <lanewise/topk.h>

#include <math.h>
#include <stdlib.h>

#include "counting_allocator.h"
#include "test.h"

static uint64_t random_state = 11;

static size_t below(size_t n) { return (size_t)(test_random(&random_state) % n); }

static float gaussian(void)
{
	float sum = 0;

	for (int i = 0; i < 6; i++)
		sum += (float)(int32_t)(test_random(&random_state) >> 40) * 0x1p-23f - 1;
	return sum * 0.7f;
}

/* Rows around n_centres centres, of length 1. */
static float *make_rows(size_t n, size_t dim, size_t n_centres, float noise)
{
	float *rows = malloc(n * dim * sizeof *rows), *centres = malloc(n_centres * dim * sizeof *centres);

	for (size_t i = 0; i < n_centres * dim; i++)
		centres[i] = gaussian();
	for (size_t r = 0; r < n; r++) {
		const float *centre = centres + below(n_centres) * dim;

		for (size_t i = 0; i < dim; i++)
			rows[r * dim + i] = centre[i] + noise * gaussian();
	}
	lanewise_normalize_f32_rows(rows, n, dim, dim);
	free(centres);
	return rows;
}

static lanewise_pq *train(const float *rows, size_t n, size_t dim, size_t n_parts, size_t n_centroids,
                          lanewise_pq_start start, uint64_t seed)
{
	lanewise_pq_options options = { sizeof options, n_parts, n_centroids, seed, start, 10 };
	lanewise_error error = { 0 };
	lanewise_pq *pq = NULL;

	CHECK_EQUAL(lanewise_pq_train(rows, n, dim, dim, &options, NULL, &pq, &error), LANEWISE_OK);
	return pq;
}

static double square_error(const lanewise_pq *pq, const float *rows, size_t n)
{
	size_t dim = lanewise_pq_dim(pq);
	uint8_t *codes = malloc(n * lanewise_pq_n_parts(pq));
	float *decoded = malloc(n * dim * sizeof *decoded);
	double sum = 0;

	lanewise_pq_encode(pq, rows, n, dim, codes);
	lanewise_pq_decode(pq, codes, n, decoded, dim);
	for (size_t r = 0; r < n; r++)
		sum += (double)lanewise_l2sq_f32(rows + r * dim, decoded + r * dim, dim);
	free(decoded);
	free(codes);
	return sum / (double)n;
}

/* Codes are the nearest centroids, tables and scores what they should be. */
static void test_definitions(size_t n, size_t dim, size_t n_parts, size_t n_centroids, lanewise_pq_start start)
{
	float *rows = make_rows(n, dim, 20, 0.5f), *decoded = malloc(n * dim * sizeof *decoded),
	      *out = malloc(n * sizeof *out);
	lanewise_pq *pq = train(rows, n, dim, n_parts, n_centroids, start, 3);
	size_t width = dim / n_parts;
	uint8_t *codes = malloc(n * n_parts), *all = malloc(n_centroids * n_parts);
	float *centroids = malloc(n_centroids * dim * sizeof *centroids),
	      *tables = malloc(n_parts * n_centroids * sizeof *tables);
	unsigned long wrong = 0;

	for (size_t i = 0; i < n_centroids * n_parts; i++)
		all[i] = (uint8_t)(i / n_parts);
	lanewise_pq_decode(pq, all, n_centroids, centroids, dim);
	lanewise_pq_encode(pq, rows, n, dim, codes);
	for (size_t r = 0; r < n; r++)
		for (size_t p = 0; p < n_parts; p++) {
			const float *part = rows + r * dim + p * width;
			double least = INFINITY, own = 0;

			for (size_t c = 0; c < n_centroids; c++) {
				double d = 0;

				for (size_t i = 0; i < width; i++)
					d += pow((double)part[i] - (double)centroids[c * dim + p * width + i], 2);
				least = d < least ? d : least;
				if (c == codes[r * n_parts + p])
					own = d;
			}
			wrong += own > least * (1 + 1e-5) + 1e-12;
		}
	CHECK_EQUAL(wrong, 0);
	lanewise_pq_decode(pq, codes, n, decoded, dim);
	for (lanewise_metric metric = 0; metric <= LANEWISE_METRIC_L2SQ; metric += 2) {
		CHECK_EQUAL(lanewise_pq_tables(pq, rows, metric, tables), LANEWISE_OK);
		lanewise_pq_scores(pq, tables, codes, n, out);
		for (size_t r = 0; r < n; r++) {
			float score = metric ? lanewise_l2sq_f32(rows, decoded + r * dim, dim)
			                     : lanewise_dot_f32(rows, decoded + r * dim, dim);

			wrong += !(fabsf(score - out[r]) <= 1e-5f);
		}
		CHECK_EQUAL(wrong, 0);
		if (n_centroids > 16)
			continue;

		/* Packed: within half a step for each part. */
		uint8_t *packed = malloc(lanewise_pq_packed_size(pq, n));
		float *rounded = malloc(n * sizeof *rounded), widest = 0;

		for (size_t p = 0; p < n_parts; p++) {
			float least = INFINITY, greatest = -INFINITY;

			for (size_t c = 0; c < n_centroids; c++) {
				least = fminf(least, tables[p * n_centroids + c]);
				greatest = fmaxf(greatest, tables[p * n_centroids + c]);
			}
			widest = fmaxf(widest, greatest - least);
		}
		lanewise_pq_pack(pq, codes, n, packed);
		CHECK_EQUAL(lanewise_pq_scores_packed(pq, tables, packed, n, rounded), LANEWISE_OK);
		for (size_t r = 0; r < n; r++)
			wrong += !(fabsf(rounded[r] - out[r]) <= (float)n_parts * widest / 510 + 1e-5f);
		CHECK_EQUAL(wrong, 0);
		tables[0] = INFINITY;
		CHECK_EQUAL(lanewise_pq_scores_packed(pq, tables, packed, n, rounded), LANEWISE_OK);
		CHECK(rounded[n - 1] != rounded[n - 1]);
		free(rounded);
		free(packed);
	}
	free(tables);
	free(centroids);
	free(all);
	free(codes);
	lanewise_pq_destroy(pq);
	free(out);
	free(decoded);
	free(rows);
}

/* K-means does its work: the error falls with rounds and centroids; seeds and starts give different quantisers. */
static void test_training(void)
{
	enum { N = 3000, DIM = 32 };
	float *rows = make_rows(N, DIM, 50, 0.3f);
	lanewise_pq *few = train(rows, N, DIM, 4, 16, 0, 1), *many = train(rows, N, DIM, 4, 64, 0, 1);
	lanewise_pq *other = train(rows, N, DIM, 4, 16, 0, 2), *again = train(rows, N, DIM, 4, 16, 0, 1);
	lanewise_pq *farthest = train(rows, N, DIM, 4, 16, LANEWISE_PQ_FARTHEST_FIRST, 1);
	lanewise_pq_options no_rounds = { sizeof no_rounds, 4, 16, 1, 0, 0 };
	lanewise_pq *begun = NULL;

	CHECK_EQUAL(lanewise_pq_train(rows, N, DIM, DIM, &no_rounds, NULL, &begun, NULL), LANEWISE_OK);
	CHECK(square_error(few, rows, N) < 0.9 * square_error(begun, rows, N));
	CHECK(square_error(many, rows, N) < 0.7 * square_error(few, rows, N));
	CHECK(square_error(farthest, rows, N) < 1.5 * square_error(few, rows, N));
	CHECK(square_error(few, rows, N) == square_error(again, rows, N));
	CHECK(square_error(few, rows, N) != square_error(other, rows, N));
	/* Fewer rows than centroids: each is its own. */
	lanewise_pq *rich = train(rows, 10, DIM, 4, 256, 0, 1), *rich2 = train(rows, 10, DIM, 4, 256, 1, 1);

	CHECK(square_error(rich, rows, 10) == 0 && square_error(rich2, rows, 10) == 0);
	lanewise_pq_destroy(rich2);
	lanewise_pq_destroy(rich);
	lanewise_pq_destroy(begun);
	lanewise_pq_destroy(farthest);
	lanewise_pq_destroy(again);
	lanewise_pq_destroy(other);
	lanewise_pq_destroy(many);
	lanewise_pq_destroy(few);
	free(rows);
}

/* The same codes on every tier. */
static void test_tiers(void)
{
	enum { N = 1500, DIM = 48, PARTS = 6 };
	static uint8_t codes[2][N * PARTS];
	float *rows = make_rows(N, DIM, 30, 0.5f);
	int n_tiers = 0;

	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;

		lanewise_pq *pq = train(rows, N, DIM, PARTS, 100, 0, 9);

		lanewise_pq_encode(pq, rows, N, DIM, codes[n_tiers > 0]);
		CHECK(n_tiers == 0 || memcmp(codes[0], codes[1], sizeof codes[0]) == 0);
		lanewise_pq_destroy(pq);
		n_tiers++;
	}
	free(rows);
}

/* Of the true best 10 rows, how many are among the n_first best by approximate scores. */
static double recall(const lanewise_pq *pq, const float *rows, size_t n, size_t n_queries, int is_packed,
                     size_t n_first)
{
	size_t dim = lanewise_pq_dim(pq), n_parts = lanewise_pq_n_parts(pq), hits = 0;
	uint8_t *codes = malloc(n * n_parts), *packed = is_packed ? malloc(lanewise_pq_packed_size(pq, n)) : NULL;
	float *tables = malloc(n_parts * lanewise_pq_n_centroids(pq) * sizeof *tables);
	float *exact = malloc(n * sizeof *exact), *out = malloc(n * sizeof *out);
	uint32_t best[10], *first = malloc(n_first * sizeof *first);
	void *scratch = malloc(lanewise_topk_scratch_size(n_first));

	lanewise_pq_encode(pq, rows, n, dim, codes);
	if (is_packed)
		lanewise_pq_pack(pq, codes, n, packed);
	for (size_t q = 0; q < n_queries; q++) {
		float query[256];

		for (size_t i = 0; i < dim; i++)
			query[i] = rows[q * 37 * dim + i] + 0.02f * gaussian();
		CHECK_EQUAL(lanewise_pq_tables(pq, query, LANEWISE_METRIC_DOT, tables), LANEWISE_OK);
		if (is_packed)
			CHECK_EQUAL(lanewise_pq_scores_packed(pq, tables, packed, n, out), LANEWISE_OK);
		else
			lanewise_pq_scores(pq, tables, codes, n, out);
		lanewise_dot_f32_rows(query, rows, n, dim, dim, exact);
		lanewise_topk_f32(exact, n, 10, scratch, best, NULL);
		lanewise_topk_f32(out, n, n_first, scratch, first, NULL);
		for (size_t i = 0; i < 10; i++)
			for (size_t j = 0; j < n_first; j++)
				hits += best[i] == first[j];
	}
	free(scratch);
	free(first);
	free(out);
	free(exact);
	free(tables);
	free(packed);
	free(codes);
	return (double)hits / (double)(10 * n_queries);
}

/* The recall that the documentation states: 20,000 rows of 64 dimensions around 200 centres. */
static void test_recall(void)
{
	enum { N = 20000, DIM = 64, QUERIES = 50 };
	float *rows = make_rows(N, DIM, 200, 0.5f);
	lanewise_pq *bytes = train(rows, 4096, DIM, 16, 256, 0, 1), *halves = train(rows, 4096, DIM, 32, 16, 0, 1);
	double of_bytes = recall(bytes, rows, N, QUERIES, 0, 100), of_halves = recall(halves, rows, N, QUERIES, 1, 100);

	printf("recall of the best 10 among 100 candidates: %.3f with 16 bytes, %.3f with 32 half bytes\n", of_bytes,
	       of_halves);
	CHECK(of_bytes >= 0.95);
	CHECK(of_halves >= 0.95);
	lanewise_pq_destroy(halves);
	lanewise_pq_destroy(bytes);
	free(rows);
}

static void test_arguments(void)
{
	float rows[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, tables[8];
	const lanewise_pq_options good = { sizeof good, 2, 2, 0, 0, 5 };
	lanewise_pq_options options = good;
	lanewise_pq *pq = NULL;
	lanewise_error error;

#define TRAIN(rows, n, dim, ld) lanewise_pq_train(rows, n, dim, ld, &options, NULL, &pq, &error)
	CHECK_EQUAL(TRAIN(NULL, 2, 4, 4), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(TRAIN(rows, 0, 4, 4), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(TRAIN(rows, 2, 4, 3), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(TRAIN(rows, 2, 3, 4), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(TRAIN(rows, 2, 0, 4), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(TRAIN(rows, SIZE_MAX / 4, 4, 4), LANEWISE_ERROR_TOO_LARGE);
#define WRONG(field, value) \
	options = good; \
	options.field = value; \
	CHECK_EQUAL(TRAIN(rows, 2, 4, 4), LANEWISE_ERROR_ARGUMENT); \
	CHECK(strstr(error.what, #field) != NULL && pq == NULL)
	WRONG(struct_size, 1);
	WRONG(n_parts, 0);
	WRONG(n_parts, 5000);
	WRONG(n_centroids, 0);
	WRONG(n_centroids, 257);
	WRONG(start, 2);
	options = good;
	CHECK_EQUAL(lanewise_pq_train(rows, 2, 4, 4, NULL, NULL, &pq, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_pq_train(rows, 2, 4, 4, &options, NULL, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	for (size_t left = 0; left < 2; left++) {
		struct counter counter = { .fail_from = left + 1 };
		lanewise_allocator allocator = counting_allocator(&counter);

		CHECK_EQUAL(lanewise_pq_train(rows, 2, 4, 4, &options, &allocator, &pq, NULL),
		            LANEWISE_ERROR_NO_MEMORY);
		CHECK(pq == NULL && counter.n_held == 0);
	}
	rows[6] = NAN;
	CHECK_EQUAL(TRAIN(rows, 2, 4, 4), LANEWISE_ERROR_DATA);
	CHECK(error.offset == 24 && strstr(error.what, "row 1") != NULL);
	rows[6] = 7;
	CHECK_EQUAL(TRAIN(rows, 2, 4, 4), LANEWISE_OK);
	CHECK(lanewise_pq_dim(pq) == 4 && lanewise_pq_n_parts(pq) == 2 && lanewise_pq_n_centroids(pq) == 2);
	CHECK_EQUAL(lanewise_pq_tables(pq, rows, LANEWISE_METRIC_COSINE, tables), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_pq_tables(pq, NULL, LANEWISE_METRIC_DOT, tables), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_pq_scores_packed(pq, tables, NULL, 1, tables), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_pq_packed_size(pq, 1), 128);
	CHECK_EQUAL(lanewise_pq_packed_size(pq, SIZE_MAX), 0);
	lanewise_pq_destroy(pq);
	lanewise_pq_destroy(NULL);
	options.n_centroids = 17;
	CHECK_EQUAL(TRAIN(rows, 2, 4, 4), LANEWISE_OK);
	CHECK_EQUAL(lanewise_pq_packed_size(pq, 1), 0);
	CHECK_EQUAL(lanewise_pq_scores_packed(pq, tables, (const uint8_t *)rows, 1, tables), LANEWISE_ERROR_ARGUMENT);
	lanewise_pq_destroy(pq);
}

int main(void)
{
	test_arguments();
	test_tiers();
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++)
		lanewise_set_tier(tier); /* the best that this CPU has stays */
	for (int i = 0; i < 8; i++) {
		size_t n_parts = 1 + below(12);

		test_definitions(1 + below(600), n_parts * (1 + below(9)), n_parts, 1 + below(i % 2 ? 16 : 256),
		                 (lanewise_pq_start)(i / 2 % 2));
	}
	test_training();
	test_recall();
	return test_result();
}
