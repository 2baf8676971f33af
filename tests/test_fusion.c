/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/fusion.h against the definition, computed plainly. */
#include <lanewise/fusion.h>

#include <math.h>
#include <stdlib.h>

#include "test.h"

enum { MAX_LISTS = 6, MAX_ENTRIES = 3000 };

struct fused {
	size_t n;
	uint32_t index[MAX_LISTS * MAX_ENTRIES];
	float score[MAX_LISTS * MAX_ENTRIES];
};

static void fuse(const lanewise_ranking *rankings, size_t n, float rank_constant, size_t k, struct fused *fused)
{
	size_t n_scratch = lanewise_fuse_rrf_scratch_size(rankings, n);
	void *block = malloc(n_scratch + 64);
	unsigned char *scratch = (unsigned char *)(((uintptr_t)block + 63) / 64 * 64);

	memset(scratch, 0x5a, n_scratch);
	fused->n = 12345;
	CHECK_EQUAL(lanewise_fuse_rrf(rankings, n, rank_constant, k, scratch, fused->index, fused->score, &fused->n),
	            LANEWISE_OK);
	free(block);
}

/* By the definition: for each document, list by list, its first place there. */
static void naive_fuse(const lanewise_ranking *rankings, size_t n, float rank_constant, size_t k, struct fused *fused)
{
	size_t n_documents = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < rankings[i].n; j++) {
			uint32_t document = rankings[i].index[j];
			double sum = 0;
			size_t at;

			for (at = 0; at < n_documents && fused->index[at] != document;)
				at++;
			if (at < n_documents)
				continue;
			for (size_t list = 0; list < n; list++)
				for (size_t rank = 1; rank <= rankings[list].n; rank++)
					if (rankings[list].index[rank - 1] == document) {
						sum += (double)rankings[list].weight /
						       ((double)rank_constant + (double)rank);
						break;
					}
			/* Insert where it belongs. */
			float score = (float)sum;

			for (at = n_documents++;
			     at > 0 && (fused->score[at - 1] < score ||
			                (fused->score[at - 1] == score && fused->index[at - 1] > document));
			     at--) {
				fused->score[at] = fused->score[at - 1];
				fused->index[at] = fused->index[at - 1];
			}
			fused->score[at] = score;
			fused->index[at] = document;
		}
	fused->n = n_documents < k ? n_documents : k;
}

static struct fused actual, expected;

static void check(const lanewise_ranking *rankings, size_t n, float rank_constant, size_t k)
{
	fuse(rankings, n, rank_constant, k, &actual);
	naive_fuse(rankings, n, rank_constant, k, &expected);
	if (!CHECK(actual.n == expected.n))
		return;
	for (size_t i = 0; i < actual.n; i++)
		CHECK(actual.index[i] == expected.index[i] && actual.score[i] == expected.score[i]);
}

static void test_by_hand(void)
{
	static const uint32_t a[] = { 7, 3, UINT32_MAX }, b[] = { 3, 0, 7 };
	lanewise_ranking rankings[] = { { a, 3, 1 }, { b, 3, 1 } };

	fuse(rankings, 2, 60, 10, &actual);
	CHECK_EQUAL(actual.n, 4);
	CHECK(actual.index[0] == 3 && actual.score[0] == (float)(1.0 / 62 + 1.0 / 61));
	CHECK(actual.index[1] == 7 && actual.score[1] == (float)(1.0 / 61 + 1.0 / 63));
	CHECK(actual.index[2] == 0 && actual.score[2] == (float)(1.0 / 62));
	CHECK(actual.index[3] == UINT32_MAX && actual.score[3] == (float)(1.0 / 63));

	/* The second list alone counts, then the first one against it; ties by number. */
	rankings[0].weight = 0;
	fuse(rankings, 2, 60, 3, &actual);
	CHECK(actual.n == 3 && actual.index[0] == 3 && actual.index[1] == 0 && actual.index[2] == 7);
	rankings[0].weight = -1;
	fuse(rankings, 2, 60, 1, &actual);
	CHECK(actual.n == 1 && actual.index[0] == 0);
	rankings[0].weight = rankings[1].weight = 0;
	fuse(rankings, 2, 60, 9, &actual);
	CHECK(actual.n == 4 && actual.index[0] == 0 && actual.index[1] == 3 && actual.index[2] == 7 &&
	      actual.score[3] == 0);
}

static void test_duplicates(void)
{
	static const uint32_t a[] = { 5, 5, 5, 9, 5 }, b[] = { 9, 9 };
	lanewise_ranking rankings[] = { { a, 5, 1 }, { NULL, 0, 1 }, { b, 2, 1 } };

	fuse(rankings, 3, 0, 5, &actual);
	CHECK(actual.n == 2);
	/* 9 keeps rank 4 behind the repetitions. */
	CHECK(actual.index[0] == 9 && actual.score[0] == 1.25f);
	CHECK(actual.index[1] == 5 && actual.score[1] == 1.0f);
}

static void test_random_lists(void)
{
	static uint32_t numbers[MAX_LISTS][MAX_ENTRIES];
	static const float constants[] = { 60, 0, -0.5f, 1e9f, 59 };
	uint64_t seed = 3;

	for (int round = 0; round < 300; round++) {
		lanewise_ranking rankings[MAX_LISTS];
		size_t n = test_random(&seed) % (MAX_LISTS + 1);
		unsigned shift = (unsigned)(test_random(&seed) % 33);
		uint64_t range = 1 + test_random(&seed) % 200;

		for (size_t i = 0; i < n; i++) {
			rankings[i].index = numbers[i];
			rankings[i].n = test_random(&seed) % (round % 50 ? 40 : 400);
			rankings[i].weight = round % 3 ? 1 : (float)(test_random(&seed) % 9) * 0.25f - 0.5f;
			/* Numbers that differ in any of their bytes. */
			for (size_t j = 0; j < rankings[i].n; j++)
				numbers[i][j] =
				        (uint32_t)(test_random(&seed) % range << shift | (test_random(&seed) & 1));
		}
		check(rankings, n, constants[round % 5], 1 + test_random(&seed) % 100);
	}
}

static void test_large(void)
{
	static uint32_t a[MAX_ENTRIES], b[MAX_ENTRIES];
	lanewise_ranking rankings[] = { { a, MAX_ENTRIES, 1 }, { b, MAX_ENTRIES, 0.5f } };

	for (uint32_t i = 0; i < MAX_ENTRIES; i++) {
		a[i] = i * 2654435761u;
		b[MAX_ENTRIES - 1 - i] = i * 2654435761u;
	}
	check(rankings, 2, 60, 1000);
	check(rankings, 2, 60, MAX_ENTRIES + 7);
}

/* Many scores that are almost one, and one far from them. */
static void test_close_scores(void)
{
	static uint32_t a[MAX_ENTRIES], b[MAX_ENTRIES];
	lanewise_ranking rankings[] = { { a, MAX_ENTRIES, 1 }, { b, MAX_ENTRIES, 1 } };
	uint64_t seed = 5;

	for (uint32_t i = 0; i < MAX_ENTRIES; i++) {
		a[i] = MAX_ENTRIES - i;
		b[i] = (uint32_t)(test_random(&seed) % (2 * MAX_ENTRIES));
	}
	a[MAX_ENTRIES / 2] = UINT32_MAX;
	check(rankings, 2, 1e9f, 2 * MAX_ENTRIES);
	check(rankings, 2, -0.9999999f, 2 * MAX_ENTRIES);
	rankings[0].weight = 1e30f;
	check(rankings, 2, 60, 2 * MAX_ENTRIES);
}

/* Numbers that collide wherever multiplication by this odd constant and the upper bits choose places. */
static void test_collisions(void)
{
	static uint32_t a[MAX_ENTRIES], b[MAX_ENTRIES];
	lanewise_ranking rankings[] = { { a, MAX_ENTRIES, 1 }, { b, MAX_ENTRIES, 0.5f } };
	uint32_t inverse = 1;

	for (int i = 0; i < 5; i++)
		inverse *= 2 - 0x9e3779b1u * inverse;
	for (uint32_t i = 0; i < MAX_ENTRIES; i++) {
		a[i] = i * inverse;
		b[i] = (i * 7 + 3) % (2 * MAX_ENTRIES) * inverse;
	}
	check(rankings, 2, 60, 2 * MAX_ENTRIES);
	for (size_t n = 0; n < 70; n++) {
		rankings[0].n = n;
		rankings[1].n = n * 3 / 2;
		check(rankings, 2, 60, 1000);
	}
}

static void test_arguments(void)
{
	_Alignas(64) static unsigned char scratch[65536];
	static const uint32_t a[] = { 1 };
	lanewise_ranking ranking = { a, 1, 1 }, wrong;
	uint32_t index[1];
	float score[1];
	size_t n = 9;

	CHECK(lanewise_fuse_rrf_scratch_size(&ranking, 1) <= sizeof scratch);
	CHECK(lanewise_fuse_rrf_scratch_size(NULL, 0) <= sizeof scratch && lanewise_fuse_rrf_scratch_size(NULL, 0) > 0);
	CHECK_EQUAL(lanewise_fuse_rrf(NULL, 0, 60, 1, scratch, index, score, &n), LANEWISE_OK);
	CHECK_EQUAL(n, 0);
	CHECK_EQUAL(lanewise_fuse_rrf(NULL, 1, 60, 1, scratch, index, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_rrf(&ranking, 1, 60, 0, scratch, index, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_rrf(&ranking, 1, 60, 1, NULL, index, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_rrf(&ranking, 1, 60, 1, scratch + 8, index, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_rrf(&ranking, 1, 60, 1, scratch, NULL, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_rrf(&ranking, 1, 60, 1, scratch, index, NULL, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_rrf(&ranking, 1, 60, 1, scratch, index, score, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_rrf(&ranking, 1, -1, 1, scratch, index, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_rrf(&ranking, 1, NAN, 1, scratch, index, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_rrf(&ranking, 1, INFINITY, 1, scratch, index, score, &n), LANEWISE_ERROR_ARGUMENT);
	wrong = (lanewise_ranking) { NULL, 1, 1 };
	CHECK_EQUAL(lanewise_fuse_rrf(&wrong, 1, 60, 1, scratch, index, score, &n), LANEWISE_ERROR_ARGUMENT);
	wrong = (lanewise_ranking) { a, 1, NAN };
	CHECK_EQUAL(lanewise_fuse_rrf(&wrong, 1, 60, 1, scratch, index, score, &n), LANEWISE_ERROR_ARGUMENT);
	wrong = (lanewise_ranking) { a, (size_t)UINT32_MAX + 1, 1 };
	CHECK_EQUAL(lanewise_fuse_rrf(&wrong, 1, 60, 1, scratch, index, score, &n), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_fuse_rrf_scratch_size(&wrong, 1), 0);
	CHECK_EQUAL(lanewise_fuse_rrf(&ranking, 1, 60, (size_t)UINT32_MAX + 1, scratch, index, score, &n),
	            LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_fuse_rrf(&ranking, 1, 60, UINT32_MAX, scratch, index, score, &n), LANEWISE_OK);
	CHECK(n == 1 && index[0] == 1);
}

/* ----------------------------------------------------------------- scores */

static void fuse_scores(const lanewise_scored_ranking *rankings, size_t n, const lanewise_fuse_options *options,
                        size_t k, struct fused *fused)
{
	size_t n_scratch = lanewise_fuse_scores_scratch_size(rankings, n);
	void *block = malloc(n_scratch + 64);
	unsigned char *scratch = (unsigned char *)(((uintptr_t)block + 63) / 64 * 64);

	memset(scratch, 0x5a, n_scratch);
	fused->n = 12345;
	CHECK_EQUAL(lanewise_fuse_scores(rankings, n, options, k, scratch, fused->index, fused->score, &fused->n),
	            LANEWISE_OK);
	free(block);
}

/* The greatest score of a document in a list; whether it is there. */
static int score_in(const lanewise_scored_ranking *ranking, uint32_t document, double *score)
{
	int there = 0;

	for (size_t i = 0; i < ranking->n; i++)
		if (ranking->index[i] == document && (!there || (double)ranking->score[i] > *score)) {
			*score = (double)ranking->score[i];
			there = 1;
		}
	return there;
}

/* By the definition, two loops over the entries of a list that stand first for their document. */
static double naive_normalized(const lanewise_scored_ranking *ranking, double score, int32_t normalize)
{
	double min = INFINITY, max = -INFINITY, sum = 0, squares = 0, n = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < ranking->n; i++) {
			size_t first = 0;
			double s = 0;

			while (ranking->index[first] != ranking->index[i])
				first++;
			if (first < i || !score_in(ranking, ranking->index[i], &s))
				continue;
			if (pass) {
				squares += (s - sum / n) * (s - sum / n);
				continue;
			}
			min = fmin(min, s);
			max = fmax(max, s);
			sum += s;
			n++;
		}
	if (normalize == LANEWISE_NORMALIZE_MIN_MAX)
		return max > min ? (score - min) / (max - min) : 1;
	if (normalize == LANEWISE_NORMALIZE_Z_SCORE)
		return max > min ? (score - sum / n) / sqrt(squares / n) : 0;
	return score;
}

static double naive_score(const lanewise_scored_ranking *rankings, size_t n, const lanewise_fuse_options *options,
                          uint32_t document)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		double score = 0, least = INFINITY;

		if (score_in(&rankings[i], document, &score)) {
			sum += (double)rankings[i].weight * naive_normalized(&rankings[i], score, options->normalize);
		} else if (options->missing == LANEWISE_MISSING_LEAST && rankings[i].n) {
			for (size_t j = 0; j < rankings[i].n; j++)
				if (score_in(&rankings[i], rankings[i].index[j], &score))
					least = fmin(least, score);
			sum += (double)rankings[i].weight * naive_normalized(&rankings[i], least, options->normalize);
		}
	}
	return sum;
}

static void test_scores_by_hand(void)
{
	static const uint32_t a[] = { 7, 3, 5 }, b[] = { 3, 0, 3 }, c[] = { 9, 8 };
	static const float as[] = { 30, 20, 10 }, bs[] = { 2, 4, 4 }, cs[] = { 6, 6 };
	lanewise_scored_ranking rankings[] = { { a, as, 3, 0.5f }, { b, bs, 3, 0.5f }, { c, cs, 2, 0.25f } };
	lanewise_fuse_options options = { sizeof options, LANEWISE_NORMALIZE_NONE, LANEWISE_MISSING_ZERO };

	/* 3: the mean of 0.5 in the first list, and of 1 in the second, where both scores left are 4. */
	fuse_scores(rankings, 2, NULL, 10, &actual);
	CHECK_EQUAL(actual.n, 4);
	CHECK(actual.index[0] == 3 && actual.score[0] == 0.75f);
	CHECK(actual.index[1] == 0 && actual.score[1] == 0.5f);
	CHECK(actual.index[2] == 7 && actual.score[2] == 0.5f);
	CHECK(actual.index[3] == 5 && actual.score[3] == 0);
	/* Equal scores count 1 as minimum and maximum, 0 as z-scores. */
	fuse_scores(rankings + 2, 1, NULL, 1, &actual);
	CHECK(actual.n == 1 && actual.index[0] == 8 && actual.score[0] == 0.25f);
	options.normalize = LANEWISE_NORMALIZE_Z_SCORE;
	fuse_scores(rankings + 2, 1, &options, 2, &actual);
	CHECK(actual.n == 2 && actual.index[0] == 8 && actual.score[0] == 0);
	options.normalize = LANEWISE_NORMALIZE_NONE;
	fuse_scores(rankings, 2, &options, 2, &actual);
	CHECK(actual.n == 2 && actual.index[0] == 7 && actual.score[0] == 15 && actual.index[1] == 3 &&
	      actual.score[1] == 12);
	/* 7 gets 4 from the second list, too, where it is missing. */
	options.missing = LANEWISE_MISSING_LEAST;
	fuse_scores(rankings, 2, &options, 1, &actual);
	CHECK(actual.n == 1 && actual.index[0] == 7 && actual.score[0] == 17);
}

static void test_random_scores(void)
{
	static uint32_t numbers[MAX_LISTS][MAX_ENTRIES];
	static float scores[MAX_LISTS][MAX_ENTRIES];
	uint64_t seed = 9;

	for (int round = 0; round < 400; round++) {
		lanewise_fuse_options options = { sizeof options, round % 3, round / 3 % 2 };
		lanewise_scored_ranking rankings[MAX_LISTS];
		size_t n = test_random(&seed) % (MAX_LISTS + 1), n_documents = 0;
		uint64_t range = 1 + test_random(&seed) % 60, levels = 1 + test_random(&seed) % 9;

		for (size_t i = 0; i < n; i++) {
			rankings[i] = (lanewise_scored_ranking) { numbers[i], scores[i], test_random(&seed) % 40,
				                                  (float)(test_random(&seed) % 9) * 0.25f - 0.5f };
			for (size_t j = 0; j < rankings[i].n; j++) {
				numbers[i][j] = (uint32_t)(test_random(&seed) % range) * 0x1010101u;
				scores[i][j] = (float)(test_random(&seed) % levels) * 0.7f - 1;
				n_documents++;
			}
		}
		fuse_scores(rankings, n, &options, n_documents + 1, &actual);
		for (size_t i = 0; i < actual.n; i++) {
			double right = naive_score(rankings, n, &options, actual.index[i]);

			CHECK(fabs((double)actual.score[i] - right) <= 1e-5);
			CHECK(i == 0 || actual.score[i] < actual.score[i - 1] ||
			      (actual.score[i] == actual.score[i - 1] && actual.index[i] > actual.index[i - 1]));
		}
		/* Every document is there: those found are different, and as many as there are. */
		size_t n_different = 0;

		for (uint32_t document = 0; document < range; document++) {
			double score;
			int there = 0;

			for (size_t i = 0; i < n; i++)
				there |= score_in(&rankings[i], document * 0x1010101u, &score);
			n_different += (size_t)there;
		}
		CHECK_EQUAL(actual.n, n_different);

		/* The first k of all, and the same from lists turned round. */
		size_t k = 1 + test_random(&seed) % 20;

		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < rankings[i].n / 2; j++) {
				size_t last = rankings[i].n - 1 - j;
				uint32_t number = numbers[i][j];
				float score = scores[i][j];

				numbers[i][j] = numbers[i][last];
				scores[i][j] = scores[i][last];
				numbers[i][last] = number;
				scores[i][last] = score;
			}
		fuse_scores(rankings, n, &options, k, &expected);
		CHECK_EQUAL(expected.n, actual.n < k ? actual.n : k);
		CHECK(!memcmp(expected.index, actual.index, expected.n * sizeof *actual.index));
		CHECK(!memcmp(expected.score, actual.score, expected.n * sizeof *actual.score));
	}
}

static void test_score_arguments(void)
{
	_Alignas(64) static unsigned char scratch[65536];
	static const uint32_t a[] = { 1 };
	static const float s[] = { 2 }, infinite[] = { INFINITY }, no_number[] = { NAN };
	lanewise_scored_ranking ranking = { a, s, 1, 1 };
	const lanewise_scored_ranking wrong[] = {
		{ NULL, s, 1, 1 },     { a, NULL, 1, 1 },     { a, s, 1, NAN },
		{ a, s, 1, INFINITY }, { a, infinite, 1, 1 }, { a, no_number, 1, 1 }
	};
	lanewise_fuse_options options[] = { { sizeof *options - 1, 0, 0 },
		                            { sizeof *options, 3, 0 },
		                            { sizeof *options, -1, 0 },
		                            { sizeof *options, 0, 2 },
		                            { sizeof *options, 0, -1 } };
	uint32_t index[1];
	float score[1];
	size_t n = 9;

	CHECK_EQUAL(lanewise_fuse_scores(NULL, 0, NULL, 1, scratch, index, score, &n), LANEWISE_OK);
	CHECK_EQUAL(n, 0);
	CHECK_EQUAL(lanewise_fuse_scores(NULL, 1, NULL, 1, scratch, index, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_scores(&ranking, 1, NULL, 0, scratch, index, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_scores(&ranking, 1, NULL, 1, NULL, index, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_scores(&ranking, 1, NULL, 1, scratch + 4, index, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_scores(&ranking, 1, NULL, 1, scratch, NULL, score, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_scores(&ranking, 1, NULL, 1, scratch, index, NULL, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_fuse_scores(&ranking, 1, NULL, 1, scratch, index, score, NULL), LANEWISE_ERROR_ARGUMENT);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CHECK_EQUAL(lanewise_fuse_scores(&wrong[i], 1, NULL, 1, scratch, index, score, &n),
		            LANEWISE_ERROR_ARGUMENT);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		CHECK_EQUAL(lanewise_fuse_scores(&ranking, 1, &options[i], 1, scratch, index, score, &n),
		            LANEWISE_ERROR_ARGUMENT);
	ranking.n = (size_t)UINT32_MAX + 1;
	CHECK_EQUAL(lanewise_fuse_scores_scratch_size(&ranking, 1), 0);
	CHECK_EQUAL(lanewise_fuse_scores(&ranking, 1, NULL, 1, scratch, index, score, &n), LANEWISE_ERROR_TOO_LARGE);
	ranking.n = 1;
	CHECK_EQUAL(lanewise_fuse_scores(&ranking, 1, NULL, (size_t)UINT32_MAX + 1, scratch, index, score, &n),
	            LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_fuse_scores(&ranking, 1, NULL, UINT32_MAX, scratch, index, score, &n), LANEWISE_OK);
	CHECK(n == 1 && index[0] == 1 && score[0] == 1);
}

int main(void)
{
	test_scores_by_hand();
	test_random_scores();
	test_score_arguments();
	test_by_hand();
	test_duplicates();
	test_random_lists();
	test_large();
	test_close_scores();
	test_collisions();
	test_arguments();
	return test_result();
}
