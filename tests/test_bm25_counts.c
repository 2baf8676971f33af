/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes without counts: their scores are the sums of parts in 16 bits that lanewise/bm25.h promises, near those of an
 * index with counts, and the same bits from every way to ask for them.
 */
#include "bm25/bm25_formula.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

enum { WORDS = 40 };

static lanewise_bm25 *build(const lanewise_bm25_options *options, size_t n_documents, uint64_t seed)
{
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL;

	CHECK_EQUAL(lanewise_bm25_builder_create(options, NULL, &builder), LANEWISE_OK);
	for (size_t d = 0; d < n_documents; d++) {
		char text[256];
		size_t n = 0, n_words = test_random(&seed) % 12;

		for (size_t i = 0; i < n_words; i++) {
			uint64_t a = test_random(&seed) % WORDS, b = test_random(&seed) % WORDS;

			n += (size_t)snprintf(text + n, sizeof text - n, "w%u ", (unsigned)(a < b ? a : b));
		}
		CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, text, n), LANEWISE_OK);
	}
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &bm25), LANEWISE_OK);
	lanewise_bm25_builder_destroy(builder);
	return bm25;
}

/* What the header says: each part of the other index, rounded. `terms` are in the order of the query. */
static void expected_scores(const lanewise_bm25 *whole, const uint32_t *terms, size_t n, float *scores)
{
	const struct lw_bm25_header *header = &whole->header;
	const struct lw_bm25_formula formula = lw_bm25_formula_of(header);
	const double s = 65535.0 / (double)lw_bm25_greatest_part(header);

	memset(scores, 0, header->n_documents * sizeof *scores);
	for (size_t i = 0; i < n; i++) {
		uint64_t posting = whole->posting_at[terms[i]], end = whole->posting_at[terms[i] + 1];
		float idf = (float)lw_bm25_idf(header->variant, lw_bm25_n(header), (double)(end - posting));

		idf = idf < 0 ? header->floor : idf;
		if (idf < LW_BM25_LEAST_WEIGHT)
			continue;
		for (uint32_t run = whole->run_at[terms[i]]; run < whole->run_at[terms[i] + 1]; run++)
			for (uint32_t j = 0; j <= (whole->runs[run] & 0xffff); j++, posting++) {
				size_t document = (size_t)(whole->runs[run] >> 16) * 65536 + whole->documents[posting];
				float part = lw_bm25_part_at(whole, &formula, posting, document);
				float rounded = (float)(floor((double)part * s) + 0.5) * (float)(1 / s);

				scores[document] += idf * rounded;
			}
	}
}

static size_t place_of_word(const lanewise_bm25 *bm25, const char *word)
{
	lanewise_word wanted = { .text = word, .n_bytes = strlen(word) };
	size_t number;

	lanewise_bm25_find_words(bm25, &wanted, 1, &number);
	return number;
}

/* The best k by scores of all; returns how many. */
static size_t best_of(const float *scores, size_t n, const uint64_t *filter, size_t k, uint32_t *index)
{
	size_t n_found = 0;

	for (uint32_t d = 0; d < n; d++) {
		size_t at = n_found;

		if (!(scores[d] > 0) || (filter && !(filter[d / 64] >> d % 64 & 1)))
			continue;
		while (at > 0 && scores[index[at - 1]] < scores[d])
			at--;
		if (at == k)
			continue;
		n_found += n_found < k;
		memmove(index + at + 1, index + at, (n_found - at - 1) * sizeof *index);
		index[at] = d;
	}
	return n_found;
}

static void compare(const lanewise_bm25 *bm25, const lanewise_bm25 *whole, uint64_t *seed)
{
	enum { MAX_K = 300 };
	size_t n = lanewise_bm25_n_documents(bm25), n_words = 1 + test_random(seed) % 7, n_query = 0, n_terms = 0,
	       n_found;
	size_t ks[] = { 1, 10, MAX_K };
	float *expected = calloc(n + 1, sizeof *expected), *scores = calloc(n + 1, sizeof *scores), found[MAX_K];
	uint64_t *filter = calloc(n / 64 + 1, sizeof *filter);
	uint32_t terms[8], index[MAX_K], best[MAX_K + 1], few[3];
	void *scratch = malloc(lanewise_bm25_scratch_size(bm25, MAX_K));
	double *doubles = calloc(n + 1, sizeof *doubles);
	char query[128];

	for (size_t i = 0; i < n_words; i++) {
		char word[8];
		int again = 0;

		snprintf(word, sizeof word, "w%u", (unsigned)(test_random(seed) % WORDS));
		for (size_t j = 0; j < n_terms; j++)
			again |= terms[j] == place_of_word(whole, word);
		if (again || place_of_word(whole, word) == lanewise_bm25_n_terms(whole))
			continue;
		terms[n_terms++] = (uint32_t)place_of_word(whole, word);
		n_query += (size_t)snprintf(query + n_query, sizeof query - n_query, "%s ", word);
	}
	for (size_t i = 0; i < n / 64 + 1; i++)
		filter[i] = test_random(seed);
	expected_scores(whole, terms, n_terms, expected);
	CHECK_EQUAL(lanewise_bm25_score_all(bm25, query, n_query, scratch, scores), LANEWISE_OK);
	CHECK(!memcmp(scores, expected, n * sizeof *scores));
	for (size_t i = 0; i < 2 * sizeof ks / sizeof *ks; i++) {
		size_t k = ks[i / 2], n_best = best_of(expected, n, i % 2 ? filter : NULL, k, best);

		CHECK_EQUAL(lanewise_bm25_search_filtered(bm25, query, n_query, i % 2 ? filter : NULL, k, scratch,
		                                          index, found, &n_found),
		            LANEWISE_OK);
		CHECK_EQUAL(n_found, n_best);
		for (size_t j = 0; j < n_found && j < n_best; j++)
			CHECK(index[j] == best[j] && found[j] == expected[best[j]]);
	}
	if (n >= 3) {
		few[0] = 0, few[1] = (uint32_t)n / 2, few[2] = (uint32_t)n - 1;
		CHECK_EQUAL(lanewise_bm25_score_documents(bm25, query, n_query, few, 3, scratch, found), LANEWISE_OK);
		for (size_t i = 0; i < 3; i++)
			CHECK(found[i] == expected[few[i]]);
	}

	/* Near the scores with counts: half a step for each word. */
	CHECK_EQUAL(lanewise_bm25_score_all(whole, query, n_query, scratch, scores), LANEWISE_OK);
	for (size_t d = 0; d < n; d++)
		CHECK((scores[d] > 0) == (expected[d] > 0) &&
		      fabsf(scores[d] - expected[d]) <=
		              scores[d] * 0.001f + 0.002f * lw_bm25_greatest_part(&whole->header));
	CHECK_EQUAL(lanewise_bm25_score_all_f64(bm25, query, n_query, scratch, doubles), LANEWISE_ERROR_UNSUPPORTED);
	CHECK_EQUAL(lanewise_bm25_score_all_words_f64(bm25, NULL, 0, scratch, doubles), LANEWISE_ERROR_UNSUPPORTED);
	CHECK_EQUAL(lanewise_bm25_score_all_f64(whole, query, n_query, scratch, doubles), LANEWISE_OK);
	free(expected);
	free(scores);
	free(filter);
	free(scratch);
	free(doubles);
}

int main(void)
{
	static const size_t sizes[] = { 0, 1, 40, 3000, 150000 };
	uint64_t seed = 3;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (int variant = 0; variant < 7; variant++) {
			lanewise_bm25_options options = { sizeof options, 1.5f,  0.75f, (lanewise_bm25_variant)variant,
				                          0.5f,           0.25f, 0 };
			lanewise_bm25 *whole, *bm25;

			if (sizes[i] > 10000 && variant != LANEWISE_BM25_LUCENE && variant != LANEWISE_BM25_PLUS)
				continue;
			whole = build(&options, sizes[i], i);
			options.without_counts = 1;
			bm25 = build(&options, sizes[i], i);
			CHECK_EQUAL(lanewise_bm25_has_counts(whole), 1);
			CHECK_EQUAL(lanewise_bm25_has_counts(bm25), 0);
			for (size_t round = 0; round < 8; round++)
				compare(bm25, whole, &seed);
			lanewise_bm25_destroy(whole);
			lanewise_bm25_destroy(bm25);
		}

	lanewise_bm25_options options = { sizeof options, 1.5f, 0.75f, LANEWISE_BM25_LUCENE, 0, 0, 2 };
	lanewise_bm25_builder *builder;

	CHECK_EQUAL(lanewise_bm25_builder_create(&options, NULL, &builder), LANEWISE_ERROR_ARGUMENT);
	return test_result();
}
