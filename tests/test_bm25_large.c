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

enum { N = 150000, WORDS = 10, VOCABULARY = 4000, MAX_QUERY = 100 };

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

/* Filters: every density, whole words and segments of them empty or full. */
static void fill_filter(uint64_t *filter, int kind, uint64_t *seed)
{
	for (size_t i = 0; i < (N + 63) / 64; i++) {
		uint64_t r = test_random(seed);

		switch (kind) {
		case 0:
			filter[i] = r;
			break;
		case 1:
			filter[i] = r % 3 ? 0 : UINT64_MAX;
			break;
		case 2:
			filter[i] = i / 1024 == 1 ? UINT64_MAX : 0;
			break;
		case 3:
			filter[i] = r % 500 ? 0 : test_random(seed);
			break;
		case 4:
			filter[i] = UINT64_MAX;
			break;
		default:
			/* Nothing but bits of documents that do not exist. */
			filter[i] = i == N / 64 ? UINT64_MAX << N % 64 : 0;
		}
	}
}

static void check_filtered(const lanewise_bm25 *bm25, const char *text, size_t n, const struct entry *expected,
                           size_t n_expected, uint64_t *seed)
{
	static uint64_t filter[(N + 63) / 64];
	static uint32_t index[N];
	static float score[N];

	for (int kind = 0; kind < 6; kind++) {
		size_t k = kind % 2 ? 10 : 700, n_found = 0, n_wrong = 0, at = 0;
		void *scratch = malloc(lanewise_bm25_scratch_size(bm25, k));

		fill_filter(filter, kind, seed);
		CHECK_EQUAL(lanewise_bm25_search_filtered(bm25, text, n, filter, k, scratch, index, score, &n_found),
		            LANEWISE_OK);
		for (size_t i = 0; i < n_expected && at < k; i++) {
			if (!(filter[expected[i].document / 64] >> expected[i].document % 64 & 1))
				continue;
			n_wrong += at >= n_found || index[at] != expected[i].document ||
			           memcmp(&score[at], &expected[i].score, sizeof *score) != 0;
			at++;
		}
		CHECK_EQUAL(n_wrong, 0);
		CHECK_EQUAL(n_found, at);
		free(scratch);
	}
}

/* The scores of all documents and of some, which ascend and repeat. */
static void check_scores(const lanewise_bm25 *bm25, const char *text, size_t n, const struct entry *expected,
                         size_t n_expected, uint64_t *seed)
{
	static float all[N], plain[N], some[1000];
	static uint32_t documents[1000];
	size_t n_some = test_random(seed) % 1000, n_wrong = 0;
	void *scratch = malloc(lanewise_bm25_scratch_size(bm25, 1));

	memset(plain, 0, sizeof plain);
	memset(all, 0xff, sizeof all);
	for (size_t i = 0; i < n_expected; i++)
		plain[expected[i].document] = expected[i].score;
	CHECK_EQUAL(lanewise_bm25_score_all(bm25, text, n, scratch, all), LANEWISE_OK);
	CHECK(!memcmp(all, plain, sizeof all));
	for (size_t i = 0; i < n_some; i++)
		documents[i] = i == 0 ? (uint32_t)(test_random(seed) % 140000)
		                      : documents[i - 1] + (uint32_t)(test_random(seed) % 10);
	CHECK_EQUAL(lanewise_bm25_score_documents(bm25, text, n, documents, n_some, scratch, some), LANEWISE_OK);
	for (size_t i = 0; i < n_some; i++)
		n_wrong += memcmp(&some[i], &plain[documents[i]], sizeof *some) != 0;
	CHECK_EQUAL(n_wrong, 0);

	/* From one end to the other. */
	documents[0] = 0;
	documents[1] = N - 1;
	CHECK_EQUAL(lanewise_bm25_score_documents(bm25, text, n, documents, 2, scratch, some), LANEWISE_OK);
	CHECK(some[0] == plain[0] && some[1] == plain[N - 1]);
	documents[1] = N;
	CHECK_EQUAL(lanewise_bm25_score_documents(bm25, text, n, documents, 2, scratch, some), LANEWISE_ERROR_ARGUMENT);
	documents[0] = 7;
	documents[1] = 6;
	CHECK_EQUAL(lanewise_bm25_score_documents(bm25, text, n, documents, 2, scratch, some), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_score_documents(bm25, text, n, NULL, 0, scratch, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_score_documents(bm25, text, n, NULL, 1, scratch, some), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_score_all(bm25, text, n, scratch, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_score_all(bm25, text, n, NULL, all), LANEWISE_ERROR_ARGUMENT);
	free(scratch);
}

static void check_query(const lanewise_bm25 *bm25, const uint16_t *query, size_t n_query, struct entry *expected,
                        uint64_t *seed)
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
	check_filtered(bm25, text, n, expected, n_expected, seed);
	check_scores(bm25, text, n, expected, n_expected, seed);
}

/* An index of n documents, of words drawn from few; every fifth document is long. */
static lanewise_bm25 *build_variant(const lanewise_bm25_options *options, size_t n, uint64_t seed)
{
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL;

	CHECK_EQUAL(lanewise_bm25_builder_create(options, NULL, &builder), LANEWISE_OK);
	for (size_t d = 0; d < n; d++) {
		char text[128];
		size_t n_bytes = 0;

		for (size_t i = d % 5 ? test_random(&seed) % 5 : 12; i > 0; i--)
			n_bytes +=
			        (size_t)snprintf(text + n_bytes, sizeof text - n_bytes, "w%u ", random_word(&seed) / 8);
		CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, text, n_bytes), LANEWISE_OK);
	}
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &bm25), LANEWISE_OK);
	lanewise_bm25_builder_destroy(builder);
	return bm25;
}

/* The best k against all scores, which other tests compare with the formula. */
static void compare_with_all(const lanewise_bm25 *bm25, const char *query, size_t n_bytes, size_t k)
{
	static struct entry entries[N];
	static float all[N];
	static uint32_t index[N];
	static float score[N];
	size_t n = lanewise_bm25_n_documents(bm25), n_entries = 0, n_found = 0, n_wrong = 0;
	void *scratch = malloc(lanewise_bm25_scratch_size(bm25, k));

	CHECK_EQUAL(lanewise_bm25_search(bm25, query, n_bytes, k, scratch, index, score, &n_found), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_score_all(bm25, query, n_bytes, scratch, all), LANEWISE_OK);
	for (uint32_t d = 0; d < n; d++)
		if (all[d] > 0)
			entries[n_entries++] = (struct entry) { all[d], d };
	qsort(entries, n_entries, sizeof *entries, by_score);
	CHECK_EQUAL(n_found, n_entries < k ? n_entries : k);
	for (size_t i = 0; i < n_found && i < n_entries; i++)
		n_wrong += index[i] != entries[i].document || score[i] != entries[i].score;
	CHECK_EQUAL(n_wrong, 0);
	free(scratch);
}

/* Every formula, and options at the ends of their ranges, where quanta are coarse or parts all the same. */
static void check_variants(void)
{
	static const struct {
		float k1, b;
	} parameters[] = { { 1.2f, 0.75f }, { 1000, 1 }, { 0, 0 }, { 0.01f, 1 } };
	uint64_t seed = 8;

	for (size_t i = 0; i < 7 * 4; i++) {
		lanewise_bm25_options options = { sizeof options,
			                          parameters[i / 7].k1,
			                          parameters[i / 7].b,
			                          (lanewise_bm25_variant)(i % 7),
			                          i % 2 ? 0.5f : 1000,
			                          0.25f,
			                          0 };
		lanewise_bm25 *bm25 = build_variant(&options, i < 7 ? 80000 : 3000, i);

		for (size_t round = 0; round < 6; round++) {
			char query[128];
			size_t n = 0;

			for (size_t j = 0; j <= round; j++)
				n += (size_t)snprintf(
				        query + n, sizeof query - n, "w%u ",
				        (unsigned)(j % 2 ? random_word(&seed) / 8 : test_random(&seed) % 500));
			lanewise_set_tier((int)round % lanewise_tier_count()); /* or not, if this CPU cannot */
			compare_with_all(bm25, query, n, 1);
			compare_with_all(bm25, query, n, 10);
			compare_with_all(bm25, query, n, 1000);
		}
		lanewise_bm25_destroy(bm25);
	}
}

/* Documents of which none can be told from the others, more of them than are kept as candidates. */
static void check_ties(void)
{
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL;

	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, &builder), LANEWISE_OK);
	for (size_t d = 0; d < N; d++)
		CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, "same", 4), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &bm25), LANEWISE_OK);
	lanewise_bm25_builder_destroy(builder);
	compare_with_all(bm25, "same", 4, 1);
	compare_with_all(bm25, "same", 4, 1000);
	compare_with_all(bm25, "same", 4, N);
	lanewise_bm25_destroy(bm25);
}

int main(void)
{
	lanewise_bm25 *bm25 = build();
	struct entry *expected = malloc(N * sizeof *expected);
	uint64_t seed = 3;

	for (int round = 0; round < 24; round++) {
		uint16_t query[MAX_QUERY];
		/* Some of many words, and of more than are ranked by integers. */
		size_t n_query = round % 8 == 7 ? MAX_QUERY : round % 8 == 3 ? 40 : 1 + test_random(&seed) % 6;

		for (size_t i = 0; i < n_query; i++)
			query[i] = (round + i) % 3 ? random_word(&seed) : (uint16_t)(test_random(&seed) % VOCABULARY);
		lanewise_set_tier(round % lanewise_tier_count()); /* or not, if this CPU cannot */
		check_query(bm25, query, n_query, expected, &seed);
	}
	/* Rare words and the most common ones. */
	for (uint16_t i = 0; i < 6; i++) {
		const uint16_t query[] = { 0, (uint16_t)(3900 + 13 * i), 1, (uint16_t)(2000 + i), 2, 2 };

		check_query(bm25, query, 1 + i, expected, &seed);
	}
	lanewise_bm25_destroy(bm25);
	check_variants();
	check_ties();
	free(expected);
	free(corpus);
	free(lengths);
	return test_result();
}
