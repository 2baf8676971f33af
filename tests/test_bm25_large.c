/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BM25 over several segments of documents, where searches leave out what cannot matter: the same documents and bits as
 * scores that are added up plainly for every document, with and without common words, for small and large k, and on
 * every tier.
 */
#include <lanewise/bm25.h>

#include <math.h>
#include <stdlib.h>

#include "log.h"
#include "test.h"

enum { N = 150000, WORDS = 10, VOCABULARY = 4000, MAX_QUERY = 40 };

static uint16_t (*corpus)[WORDS];
static uint8_t *lengths;
static uint32_t frequency[VOCABULARY];
static double total_length;

/* Few words are common: the square of a square of a uniform number. */
static uint16_t random_word(uint64_t *seed)
{
	double u = (double)(test_random(seed) >> 11) * 0x1p-53;

	return (uint16_t)(u * u * u * u * VOCABULARY);
}

static lanewise_bm25 *build(void)
{
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL;
	uint64_t seed = 77;

	corpus = calloc(N, sizeof *corpus);
	lengths = calloc(N, 1);
	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, &builder), LANEWISE_OK);
	for (size_t d = 0; d < N; d++) {
		char text[WORDS * 8];
		size_t n = 0;

		/* The second segment is left without many words, the best documents stand at its end. */
		lengths[d] = (uint8_t)(d / 65536 == 1 && d % 65536 < 65000 ? test_random(&seed) % 2
		                                                           : test_random(&seed) % (WORDS + 1));
		total_length += lengths[d];
		for (size_t i = 0; i < lengths[d]; i++) {
			size_t first = 0;

			corpus[d][i] = i && test_random(&seed) % 5 == 0 ? corpus[d][i - 1] : random_word(&seed);
			while (corpus[d][first] != corpus[d][i])
				first++;
			frequency[corpus[d][i]] += first == i;
			n += (size_t)snprintf(text + n, sizeof text - n, "w%u ", corpus[d][i]);
		}
		CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, text, n), LANEWISE_OK);
	}
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &bm25), LANEWISE_OK);
	lanewise_bm25_builder_destroy(builder);
	return bm25;
}

/* All scores, by the definition. */
static void score_plainly(const uint16_t *query, size_t n_query, float *scores)
{
	float base = (float)((double)1.2f * (1.0 - (double)0.75f));
	float scale = (float)((double)1.2f * (double)0.75f / (total_length / N));

	for (size_t d = 0; d < N; d++)
		scores[d] = 0;
	for (size_t i = 0; i < n_query; i++) {
		double df = frequency[query[i]];
		float n = 0, weight;
		size_t first = 0;

		while (query[first] != query[i])
			first++;
		if (first < i)
			continue;
		for (size_t j = 0; j < n_query; j++)
			n += query[j] == query[i];
		weight = n * (float)lw_log_f64(1.0 + (N - df + 0.5) / (df + 0.5));
		for (size_t d = 0; d < N; d++) {
			float tf = 0;

			for (size_t j = 0; j < lengths[d]; j++)
				tf += corpus[d][j] == query[i];
			if (tf > 0)
				scores[d] += weight * (tf / (tf + (base + scale * (float)lengths[d])));
		}
	}
}

struct entry {
	float score;
	uint32_t document;
};

static int by_score(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->document < y->document ? -1 : 1;
}

/* Those with a score, best first. */
static size_t rank_plainly(const uint16_t *query, size_t n_query, struct entry *entries)
{
	float *scores = malloc(N * sizeof *scores);
	size_t n = 0;

	score_plainly(query, n_query, scores);
	for (uint32_t d = 0; d < N; d++)
		if (scores[d] > 0)
			entries[n++] = (struct entry) { scores[d], d };
	free(scores);
	qsort(entries, n, sizeof *entries, by_score);
	return n;
}

static void check_query(const lanewise_bm25 *bm25, const uint16_t *query, size_t n_query, struct entry *expected)
{
	static const size_t ks[] = { 1, 10, 100, 1000, N };
	static uint32_t index[N];
	static float score[N];
	size_t n_expected = rank_plainly(query, n_query, expected), n = 0;
	char text[MAX_QUERY * 8];

	for (size_t i = 0; i < n_query; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "w%u ", query[i]);
	for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
		size_t n_scratch = lanewise_bm25_scratch_size(bm25, ks[i]), n_found = 0, n_wrong = 0;
		void *block = malloc(n_scratch + 64);
		unsigned char *scratch = (unsigned char *)(((uintptr_t)block + 63) / 64 * 64);

		memset(scratch, 0xa5, n_scratch);
		CHECK_EQUAL(lanewise_bm25_search(bm25, text, n, ks[i], scratch, index, score, &n_found), LANEWISE_OK);
		CHECK_EQUAL(n_found, n_expected < ks[i] ? n_expected : ks[i]);
		for (size_t j = 0; j < n_found && j < n_expected; j++)
			n_wrong += index[j] != expected[j].document ||
			           memcmp(&score[j], &expected[j].score, sizeof score[j]) != 0;
		CHECK_EQUAL(n_wrong, 0);
		free(block);
	}
}

int main(void)
{
	lanewise_bm25 *bm25 = build();
	struct entry *expected = malloc(N * sizeof *expected);
	uint64_t seed = 3;

	for (int round = 0; round < 24; round++) {
		uint16_t query[MAX_QUERY];
		/* Some with more words than are pruned. */
		size_t n_query = round % 8 == 7 ? MAX_QUERY : 1 + test_random(&seed) % 6;

		for (size_t i = 0; i < n_query; i++)
			query[i] = (round + i) % 3 ? random_word(&seed) : (uint16_t)(test_random(&seed) % VOCABULARY);
		lanewise_set_tier(round % lanewise_tier_count()); /* or not, if this CPU cannot */
		check_query(bm25, query, n_query, expected);
	}
	/* Rare words and the most common ones. */
	for (uint16_t i = 0; i < 6; i++) {
		const uint16_t query[] = { 0, (uint16_t)(3900 + 13 * i), 1, (uint16_t)(2000 + i), 2, 2 };

		check_query(bm25, query, 1 + i, expected);
	}
	lanewise_bm25_destroy(bm25);
	free(expected);
	free(corpus);
	free(lengths);
	return test_result();
}
