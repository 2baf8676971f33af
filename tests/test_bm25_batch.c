/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of BM25 searches equal single ones, for any number of threads, with and without a filter. */
#include <lanewise/parallel.h>

#include <stdlib.h>

#include "test.h"

enum { N_DOCUMENTS = 70000, N_QUERIES = 60, K = 12, QUERY_BYTES = 64 };

static char queries[N_QUERIES][QUERY_BYTES];
static const char *texts[N_QUERIES];
static size_t n_bytes[N_QUERIES];
static uint64_t filter[N_DOCUMENTS / 64 + 1];

struct results {
	uint32_t index[N_QUERIES * K];
	float score[N_QUERIES * K];
	size_t n_found[N_QUERIES];
};

static size_t random_words(char *text, size_t size, size_t n_words, uint64_t *seed)
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n_words; i++)
		n += (size_t)snprintf(text + n, size - n, "w%u ",
		                      (unsigned)(test_random(seed) % 40 * (test_random(seed) % 40)));
	return n;
}

static lanewise_bm25 *build(uint64_t *seed)
{
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL;
	char text[128];

	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, &builder), LANEWISE_OK);
	for (size_t d = 0; d < N_DOCUMENTS; d++) {
		size_t n = random_words(text, sizeof text, test_random(seed) % 10, seed);

		CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, text, n), LANEWISE_OK);
	}
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &bm25), LANEWISE_OK);
	lanewise_bm25_builder_destroy(builder);
	return bm25;
}

static void search_singly(const lanewise_bm25 *bm25, const uint64_t *chosen, struct results *results)
{
	void *scratch = malloc(lanewise_bm25_scratch_size(bm25, K));

	memset(results, 0x5a, sizeof *results);
	for (size_t q = 0; q < N_QUERIES; q++)
		CHECK_EQUAL(lanewise_bm25_search_filtered(bm25, texts[q], n_bytes[q], chosen, K, scratch,
		                                          results->index + q * K, results->score + q * K,
		                                          results->n_found + q),
		            LANEWISE_OK);
	free(scratch);
}

static void check_batches(const lanewise_bm25 *bm25, const uint64_t *chosen)
{
	static struct results expected, results;
	static const uint32_t threads[] = { 1, 2, 3, 7, 0, 100 };
	size_t n_results = 0;

	search_singly(bm25, chosen, &expected);
	for (size_t q = 0; q < N_QUERIES; q++)
		n_results += expected.n_found[q];
	CHECK(n_results > N_QUERIES * K / 2);
	for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
		void *scratch = malloc(lanewise_bm25_search_batch_scratch_size(bm25, K, threads[i]));

		memset(&results, 0x5a, sizeof results);
		CHECK_EQUAL(lanewise_bm25_search_batch(bm25, texts, n_bytes, N_QUERIES, chosen, K, threads[i], scratch,
		                                       results.index, results.score, results.n_found),
		            LANEWISE_OK);
		CHECK(!memcmp(&results, &expected, sizeof results));
		free(scratch);
	}
}

static void test_arguments(const lanewise_bm25 *bm25)
{
	static struct results r;
	void *scratch = malloc(lanewise_bm25_search_batch_scratch_size(bm25, K, 1));
	const char *missing[1] = { NULL };
	size_t one = 1;

#define BATCH(bm25_, queries_, n_bytes_, n, k, scratch_, index_) \
	lanewise_bm25_search_batch(bm25_, queries_, n_bytes_, n, NULL, k, 1, scratch_, index_, r.score, r.n_found)
	CHECK_EQUAL(BATCH(NULL, texts, n_bytes, 1, K, scratch, r.index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(bm25, NULL, n_bytes, 1, K, scratch, r.index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(bm25, texts, NULL, 1, K, scratch, r.index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(bm25, missing, &one, 1, K, scratch, r.index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(bm25, texts, n_bytes, 1, 0, scratch, r.index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(bm25, texts, n_bytes, 1, K, NULL, r.index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(bm25, texts, n_bytes, 1, K, (char *)scratch + 4, r.index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(bm25, texts, n_bytes, 1, K, scratch, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(BATCH(bm25, texts, n_bytes, SIZE_MAX / 8, K, scratch, r.index), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(BATCH(bm25, NULL, NULL, 0, K, NULL, NULL), LANEWISE_OK);
	free(scratch);
}

int main(void)
{
	uint64_t seed = 31;
	lanewise_bm25 *bm25 = build(&seed);

	for (size_t q = 0; q < N_QUERIES; q++) {
		n_bytes[q] = random_words(queries[q], QUERY_BYTES, q % 9, &seed);
		texts[q] = queries[q];
	}
	for (size_t i = 0; i < sizeof filter / sizeof *filter; i++)
		filter[i] = test_random(&seed) & test_random(&seed);
	check_batches(bm25, NULL);
	check_batches(bm25, filter);
	test_arguments(bm25);
	lanewise_bm25_destroy(bm25);
	return test_result();
}
