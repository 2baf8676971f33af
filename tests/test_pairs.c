/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/pairs.h against loops over single pairs, on every tier. */
#include <lanewise/pairs.h>

#include <math.h>
#include <stdlib.h>

#include "test.h"

static uint64_t random_state = 5;

static size_t below(size_t n) { return (size_t)(test_random(&random_state) % n); }

static float score_of(lanewise_metric metric, const float *a, const float *b, size_t dim)
{
	return metric == LANEWISE_METRIC_DOT      ? lanewise_dot_f32(a, b, dim)
	       : metric == LANEWISE_METRIC_COSINE ? lanewise_cosine_f32(a, b, dim)
	                                          : lanewise_l2sq_f32(a, b, dim);
}

static int reaches(lanewise_metric metric, float score, float threshold)
{
	return metric == LANEWISE_METRIC_L2SQ ? score <= threshold : score >= threshold;
}

/* Rows of which many are near an earlier one, some equal to it, zero, or not finite. */
static float *make_rows(size_t n, size_t dim, size_t ld)
{
	float *rows = malloc((n * ld + 1) * sizeof *rows);

	for (size_t r = 0; r < n; r++) {
		float *row = rows + r * ld, noise = below(3) ? 0.3f : 1;
		const float *near = rows + (r ? below(r) : 0) * ld;
		int derived = r && below(2);

		for (size_t i = 0; i < ld; i++)
			row[i] = (float)((int)below(2001) - 1000) * 1e-3f * (derived ? noise : 1) +
			         (derived ? near[i] : 0);
		if (r && !below(8))
			memcpy(row, rows + below(r) * ld, ld * sizeof *row);
		if (!below(40))
			memset(row, 0, ld * sizeof *row);
		if (dim && !below(40))
			row[below(dim)] = below(2) ? NAN : INFINITY;
		if (dim && !below(40))
			row[below(dim)] = 1e30f;
	}
	return rows;
}

static void test_matrix(size_t n_a, size_t n_b, size_t dim, lanewise_metric metric)
{
	size_t a_ld = dim + below(3), b_ld = dim + below(3), out_ld = n_b + below(3);
	float *a = make_rows(n_a, dim, a_ld), *b = make_rows(n_b, dim, b_ld),
	      *out = malloc((n_a * out_ld + 1) * sizeof *out);
	unsigned long wrong = 0;

	CHECK_EQUAL(lanewise_similarity_f32(a, n_a, a_ld, b, n_b, b_ld, dim, metric, out, out_ld), LANEWISE_OK);
	for (size_t i = 0; i < n_a; i++)
		for (size_t j = 0; j < n_b; j++) {
			float expected = score_of(metric, a + i * a_ld, b + j * b_ld, dim);

			wrong += memcmp(&expected, out + i * out_ld + j, sizeof expected) != 0;
		}
	CHECK_EQUAL(wrong, 0);
	free(out);
	free(b);
	free(a);
}

/* All pairs by two loops. */
static size_t pairs_naive(const float *rows, size_t n, size_t dim, size_t ld, lanewise_metric metric, float threshold,
                          lanewise_pair *pairs)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++) {
			float score = score_of(metric, rows + i * ld, rows + j * ld, dim);

			if (reaches(metric, score, threshold))
				pairs[found++] = (lanewise_pair) { (uint32_t)i, (uint32_t)j, score };
		}
	return found;
}

static float threshold_for(lanewise_metric metric, size_t dim)
{
	static const float cosines[] = { 0.95f, 0.5f, 0, -2 };
	size_t which = below(4);

	return metric == LANEWISE_METRIC_COSINE ? cosines[which]
	       : metric == LANEWISE_METRIC_L2SQ ? (float)dim * (which == 3 ? 1e9f : 0.05f * (float)which)
	                                        : (float)dim * (which == 3 ? -1e9f : 0.1f * (float)which);
}

static void test_pairs(size_t n, size_t dim, lanewise_metric metric)
{
	size_t ld = dim + below(3), most = n * n / 2 + 1, n_counted, n_got, n_all = 0;
	float *rows = make_rows(n, dim, ld), threshold = threshold_for(metric, dim);
	lanewise_pair *expected = malloc(most * sizeof *expected), *got = malloc(most * sizeof *got);
	size_t n_expected = pairs_naive(rows, n, dim, ld, metric, threshold, expected);
	lanewise_pairs_position at = { 0, 0 };
	/* All at once, or few at a time, even one. */
	size_t capacity = below(2) ? most : 1 + below(below(2) ? 5 : 300), calls = 0;

	CHECK_EQUAL(lanewise_pairs_f32(rows, n, dim, ld, metric, threshold, &at, NULL, 0, &n_counted), LANEWISE_OK);
	CHECK_EQUAL(n_counted, n_expected);
	CHECK_EQUAL(at.first, n);
	at = (lanewise_pairs_position) { 0, 0 };
	do {
		/* An array of its own, so that a sanitizer sees writes beyond the capacity. */
		lanewise_pair *some = malloc(capacity * sizeof *some);

		CHECK_EQUAL(lanewise_pairs_f32(rows, n, dim, ld, metric, threshold, &at, some, capacity, &n_got),
		            LANEWISE_OK);
		CHECK(at.first == n || n_got == capacity);
		if (CHECK(n_all + n_got <= n_expected))
			memcpy(got + n_all, some, n_got * sizeof *some);
		n_all += n_got;
		free(some);
	} while (at.first < n && ++calls <= n_expected && n_all <= n_expected);
	CHECK_EQUAL(n_all, n_expected);
	for (size_t i = 0; i < n_expected && n_all == n_expected; i++)
		if (!CHECK(got[i].first == expected[i].first && got[i].second == expected[i].second &&
		           memcmp(&got[i].score, &expected[i].score, sizeof(float)) == 0))
			break;
	free(got);
	free(expected);
	free(rows);
}

static void test_dedup(size_t n, size_t dim, lanewise_metric metric, lanewise_dedup_rule rule)
{
	size_t ld = dim + below(3), n_kept = 0, expected_kept = 0;
	float *rows = make_rows(n, dim, ld), threshold = threshold_for(metric, dim);
	uint32_t *original = malloc((n + 1) * sizeof *original), *expected = malloc((n + 1) * sizeof *expected);
	void *scratch = malloc(lanewise_dedup_rows_scratch_size(dim));
	unsigned long wrong = 0;

	for (size_t i = 0; i < n; i++) {
		expected[i] = (uint32_t)i;
		for (size_t j = 0; j < i && expected[i] == i; j++)
			if ((rule == LANEWISE_DEDUP_TRANSITIVE || expected[j] == j) &&
			    reaches(metric, score_of(metric, rows + i * ld, rows + j * ld, dim), threshold))
				expected[i] = (uint32_t)j;
		expected_kept += expected[i] == i;
	}
	CHECK_EQUAL(lanewise_dedup_rows_f32(rows, n, dim, ld, metric, threshold, rule, scratch, original, &n_kept),
	            LANEWISE_OK);
	CHECK_EQUAL(n_kept, expected_kept);
	for (size_t i = 0; i < n; i++)
		wrong += original[i] != expected[i];
	CHECK_EQUAL(wrong, 0);
	free(scratch);
	free(expected);
	free(original);
	free(rows);
}

/* A chain in which each is like the next: the rules differ. */
static void test_dedup_rules(void)
{
	const float chain[] = { 0, 1, 2, 3, 9 };
	max_align_t scratch[100];
	uint32_t original[5];
	size_t n_kept;

	CHECK(lanewise_dedup_rows_scratch_size(1) <= sizeof scratch);
	CHECK_EQUAL(lanewise_dedup_rows_f32(chain, 5, 1, 1, LANEWISE_METRIC_L2SQ, 1, LANEWISE_DEDUP_KEPT, scratch,
	                                    original, &n_kept),
	            LANEWISE_OK);
	CHECK(n_kept == 3 && original[1] == 0 && original[2] == 2 && original[3] == 2 && original[4] == 4);
	CHECK_EQUAL(lanewise_dedup_rows_f32(chain, 5, 1, 1, LANEWISE_METRIC_L2SQ, 1, LANEWISE_DEDUP_TRANSITIVE, scratch,
	                                    original, &n_kept),
	            LANEWISE_OK);
	CHECK(n_kept == 2 && original[1] == 0 && original[2] == 1 && original[3] == 2 && original[4] == 4);
}

static void test_neighbours(size_t n, size_t dim, size_t k, lanewise_metric metric)
{
	size_t ld = dim + below(3), first = n ? below(n) : 0, count = n - first ? below(n - first + 1) : 0;
	float *rows = make_rows(n, dim, ld), *score = malloc((count * k + 1) * sizeof *score);
	uint32_t *neighbour = malloc((count * k + 1) * sizeof *neighbour);
	size_t *n_found = malloc((count + 1) * sizeof *n_found);
	void *scratch = malloc(lanewise_neighbours_scratch_size(k));
	unsigned long wrong = 0;

	CHECK_EQUAL(
	        lanewise_neighbours_f32(rows, n, dim, ld, metric, first, count, k, scratch, neighbour, score, n_found),
	        LANEWISE_OK);
	for (size_t i = 0; i < count; i++) {
		const float *own = rows + (first + i) * ld;
		unsigned char *taken = calloc(n, 1);
		size_t found = 0;

		taken[first + i] = 1;
		for (; found < k; found++) {
			size_t best = n;
			float best_score = 0;

			for (size_t j = 0; j < n; j++) {
				float s = score_of(metric, own, rows + j * ld, dim);

				if (!taken[j] && s == s &&
				    (best == n || (metric == LANEWISE_METRIC_L2SQ ? s < best_score : s > best_score))) {
					best = j;
					best_score = s;
				}
			}
			if (best == n)
				break;
			taken[best] = 1;
			wrong += found >= n_found[i] || neighbour[i * k + found] != best ||
			         score[i * k + found] != best_score;
		}
		wrong += found != n_found[i];
		free(taken);
	}
	CHECK_EQUAL(wrong, 0);
	free(scratch);
	free(n_found);
	free(neighbour);
	free(score);
	free(rows);
}

static void test_arguments(void)
{
	max_align_t scratch[3000];
	float v[4] = { 1, 2, 3, 4 }, out[4];
	uint32_t index[4];
	size_t n;
	lanewise_pair pairs[4];
	lanewise_pairs_position at = { 0, 0 };

	CHECK_EQUAL(lanewise_similarity_f32(v, 2, 2, v, 2, 2, 2, 0, out, 2), LANEWISE_OK);
	CHECK_EQUAL(lanewise_similarity_f32(NULL, 0, 2, NULL, 0, 2, 2, 0, NULL, 0), LANEWISE_OK);
	CHECK_EQUAL(lanewise_similarity_f32(NULL, 2, 2, v, 2, 2, 2, 0, out, 2), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_similarity_f32(v, 2, 2, NULL, 2, 2, 2, 0, out, 2), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_similarity_f32(v, 2, 2, v, 2, 2, 2, 0, NULL, 2), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_similarity_f32(v, 2, 1, v, 2, 2, 2, 0, out, 2), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_similarity_f32(v, 2, 2, v, 2, 1, 2, 0, out, 2), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_similarity_f32(v, 2, 2, v, 2, 2, 2, 0, out, 1), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_similarity_f32(v, 2, 2, v, 2, 2, 2, 7, out, 2), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_similarity_f32(v, SIZE_MAX / 2, 2, v, 2, 2, 2, 0, out, 2), LANEWISE_ERROR_TOO_LARGE);

#define PAIRS(rows, ld, metric, threshold, at, capacity, n) \
	lanewise_pairs_f32(rows, 2, 2, ld, metric, threshold, at, pairs, capacity, n)
	CHECK_EQUAL(PAIRS(v, 2, 0, 0, &at, 4, &n), LANEWISE_OK);
	CHECK(n == 1 && pairs[0].score == 11 && at.first == 2);
	CHECK_EQUAL(PAIRS(v, 2, 0, 0, &at, 4, &n), LANEWISE_OK);
	CHECK_EQUAL(n, 0);
	at = (lanewise_pairs_position) { 0, 0 };
	CHECK_EQUAL(PAIRS(NULL, 2, 0, 0, &at, 4, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(PAIRS(v, 1, 0, 0, &at, 4, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(PAIRS(v, 2, 3, 0, &at, 4, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(PAIRS(v, 2, 0, NAN, &at, 4, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(PAIRS(v, 2, 0, 0, NULL, 4, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(PAIRS(v, 2, 0, 0, &at, 0, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(PAIRS(v, 2, 0, 0, &at, 4, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(PAIRS(v, SIZE_MAX, 0, 0, &at, 4, &n), LANEWISE_ERROR_TOO_LARGE);
	/* Positions that no call gives. */
	at = (lanewise_pairs_position) { SIZE_MAX, SIZE_MAX };
	CHECK_EQUAL(PAIRS(v, 2, 0, 0, &at, 4, &n), LANEWISE_OK);
	CHECK_EQUAL(n, 0);
	at = (lanewise_pairs_position) { 0, SIZE_MAX };
	CHECK_EQUAL(PAIRS(v, 2, 0, 0, &at, 4, &n), LANEWISE_OK);
	CHECK_EQUAL(n, 0);

#define DEDUP(rows, ld, metric, threshold, rule, scratch, original) \
	lanewise_dedup_rows_f32(rows, 2, 2, ld, metric, threshold, rule, scratch, original, NULL)
	CHECK(lanewise_dedup_rows_scratch_size(2) <= sizeof scratch);
	CHECK_EQUAL(lanewise_dedup_rows_scratch_size(SIZE_MAX), 0);
	CHECK_EQUAL(DEDUP(v, 2, 0, 0, 0, scratch, index), LANEWISE_OK);
	CHECK_EQUAL(DEDUP(NULL, 2, 0, 0, 0, scratch, index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(DEDUP(v, 1, 0, 0, 0, scratch, index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(DEDUP(v, 2, -1, 0, 0, scratch, index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(DEDUP(v, 2, 0, NAN, 0, scratch, index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(DEDUP(v, 2, 0, 0, 2, scratch, index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(DEDUP(v, 2, 0, 0, 0, NULL, index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(DEDUP(v, 2, 0, 0, 0, scratch, NULL), LANEWISE_ERROR_ARGUMENT);

#define NEIGHBOURS(rows, ld, first, n_first, k, scratch) \
	lanewise_neighbours_f32(rows, 2, 2, ld, 0, first, n_first, k, scratch, index, out, &n)
	void *memory = malloc(lanewise_neighbours_scratch_size(3));

	CHECK_EQUAL(lanewise_neighbours_scratch_size(0), 0);
	CHECK_EQUAL(NEIGHBOURS(v, 2, 1, 1, 3, memory), LANEWISE_OK);
	CHECK(n == 1 && index[0] == 0);
	CHECK_EQUAL(NEIGHBOURS(NULL, 2, 1, 1, 3, memory), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(NEIGHBOURS(v, 1, 1, 1, 3, memory), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(NEIGHBOURS(v, 2, 1, 2, 3, memory), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(NEIGHBOURS(v, 2, 3, 0, 3, memory), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(NEIGHBOURS(v, 2, 1, 1, 0, memory), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(NEIGHBOURS(v, 2, 1, 1, 3, NULL), LANEWISE_ERROR_ARGUMENT);
	free(memory);
}

int main(void)
{
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		test_arguments();
		test_dedup_rules();
		for (int i = 0; i < 60; i++) {
			lanewise_metric metric = (lanewise_metric)(i % 3);

			test_matrix(below(70), below(400), below(40), metric);
			test_pairs(below(i % 5 ? 60 : 500), below(20), metric);
			test_dedup(below(i % 5 ? 60 : 700), below(20), metric, (lanewise_dedup_rule)(i / 3 % 2));
			test_neighbours(below(i % 5 ? 40 : 230), below(20), 1 + below(12), metric);
		}
	}
	return test_result();
}
