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

int main(void)
{
	test_by_hand();
	test_duplicates();
	test_random_lists();
	test_large();
	test_arguments();
	return test_result();
}
