/* SPDX-License-Identifier: Apache-2.0 */
/* BM25 over ten million documents of one word each: all scores of a word are tied, over many segments. */
#include <lanewise/bm25.h>

#include <stdlib.h>

#include "test.h"

enum { N = 10000000, EVERY = 99991, K = 1000 };

static const char *const names[] = { "common", "other", "rare" };

static size_t word_of(size_t document) { return document % EVERY == EVERY - 1 ? 2 : document % 3 == 1; }

static lanewise_bm25 *build(void)
{
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL;
	size_t n_failed = 0;

	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, &builder), LANEWISE_OK);
	for (size_t d = 0; d < N; d++) {
		const char *name = names[word_of(d)];
		lanewise_word word = { .text = name, .n_bytes = strlen(name) };

		n_failed += lanewise_bm25_builder_add_words(builder, &word, 1) != LANEWISE_OK;
	}
	CHECK_EQUAL(n_failed, 0);
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &bm25), LANEWISE_OK);
	lanewise_bm25_builder_destroy(builder);
	return bm25;
}

/* The first documents with a word from `from` on that the filter lets through, into `expected`; returns how many. */
static size_t first_with(size_t word, size_t from, const uint64_t *filter, size_t k, uint32_t *expected)
{
	size_t n = 0;

	for (size_t d = from; d < N && n < k; d++)
		if (word_of(d) == word && (!filter || filter[d / 64] >> d % 64 & 1))
			expected[n++] = (uint32_t)d;
	return n;
}

/* The words of a query find documents with them, the rarest word first, and each word's in order. */
static void check_query(const lanewise_bm25 *bm25, const char *query, const size_t *order, size_t n_words, size_t k,
                        const uint64_t *filter)
{
	static uint32_t index[K], expected[K];
	static float score[K];
	void *scratch = malloc(lanewise_bm25_scratch_size(bm25, k));
	size_t n_found = 0, n_expected = 0, n_wrong = 0;

	CHECK_EQUAL(
	        lanewise_bm25_search_filtered(bm25, query, strlen(query), filter, k, scratch, index, score, &n_found),
	        LANEWISE_OK);
	for (size_t i = 0; i < n_words; i++)
		n_expected += first_with(order[i], 0, filter, k - n_expected, expected + n_expected);
	CHECK_EQUAL(n_found, n_expected);
	for (size_t i = 0; i < n_found && i < n_expected; i++) {
		n_wrong += index[i] != expected[i];
		if (i)
			n_wrong += word_of(index[i]) == word_of(index[i - 1]) ? score[i] != score[i - 1]
			                                                      : score[i] >= score[i - 1];
	}
	CHECK_EQUAL(n_wrong, 0);
	free(scratch);
}

int main(void)
{
	static const size_t ks[] = { 1, 10, K }, rarest_first[] = { 2, 1, 0 }, common[] = { 0 }, rare[] = { 2 };
	uint64_t *filter = calloc(N / 64 + 1, sizeof *filter);
	lanewise_bm25 *bm25 = build();

	CHECK_EQUAL(lanewise_bm25_n_documents(bm25), N);
	CHECK_EQUAL(lanewise_bm25_n_terms(bm25), 3);
	/* Only documents of the last segments. */
	for (size_t d = N - 300000; d < N; d += 7)
		filter[d / 64] |= (uint64_t)1 << d % 64;
	for (size_t i = 0; i < 3; i++)
		for (int filtered = 0; filtered < 2; filtered++) {
			check_query(bm25, "common other rare", rarest_first, 3, ks[i], filtered ? filter : NULL);
			check_query(bm25, "common", common, 1, ks[i], filtered ? filter : NULL);
			check_query(bm25, "nothing rare", rare, 1, ks[i], filtered ? filter : NULL);
		}
	lanewise_bm25_destroy(bm25);
	free(filter);
	return test_result();
}
