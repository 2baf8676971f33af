/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/bm25.h in memory: against the formula computed plainly, every failure of the allocator, arguments. */
#include <lanewise/bm25.h>
#include <lanewise/text.h>

#include <math.h>
#include <stdlib.h>

#include "counting_allocator.h"
#include "siphash.h"
#include "test.h"

#define S(literal) literal, sizeof(literal) - 1

enum { MAX_DOCUMENTS = 3000, MAX_WORDS = 64 };

/* Words of one text, as strings. */
struct text {
	size_t n;
	char words[MAX_WORDS][16];
};

static struct text corpus[MAX_DOCUMENTS];

static void join(const struct text *text, char *joined)
{
	joined[0] = '\0';
	for (size_t i = 0; i < text->n; i++) {
		strcat(joined, text->words[i]);
		strcat(joined, i % 3 ? " " : ", ");
	}
}

static size_t occurrences(const struct text *text, const char *word)
{
	size_t n = 0;

	for (size_t i = 0; i < text->n; i++)
		n += !strcmp(text->words[i], word);
	return n;
}

/* A document's score by the formula in bm25.h: in double, and in float in the order that the header gives. */
struct score {
	double exact;
	float bits;
};

static double naive_idf(const lanewise_bm25_options *options, double n, double df)
{
	switch (options->variant) {
	case LANEWISE_BM25_ROBERTSON:
		return fmax(log((n - df + 0.5) / (df + 0.5)), 0);
	case LANEWISE_BM25_ATIRE:
	case LANEWISE_BM25_TF_IDF:
		return log(n / df);
	case LANEWISE_BM25_L:
		return log((n + 1) / (df + 0.5));
	case LANEWISE_BM25_PLUS:
		return log((n + 1) / df);
	case LANEWISE_BM25_OKAPI:
		return log(n - df + 0.5) - log(df + 0.5);
	default:
		return log(1 + (n - df + 0.5) / (df + 0.5));
	}
}

/* A word's part in float, in the order that the header gives; `exact` is the same in double. */
static float naive_part(const lanewise_bm25_options *options, double tf, double dl, double mean, double *exact)
{
	double k1 = (double)options->k1, b = (double)options->b, delta = (double)options->delta;
	double ratio = 1 - b + b * dl / mean, c = tf / ratio + delta;
	float norm = (float)(k1 * (1 - b)) + (float)(k1 * b / mean) * (float)dl;
	float relative = (float)(1 - b) + (float)(b / mean) * (float)dl;
	float f = (float)tf, top = f * (float)(k1 + 1), l = f / relative + options->delta;

	switch (options->variant) {
	case LANEWISE_BM25_ATIRE:
	case LANEWISE_BM25_OKAPI:
		*exact = (k1 + 1) * tf / (tf + k1 * ratio);
		return top / (f + norm);
	case LANEWISE_BM25_PLUS:
		*exact = (k1 + 1) * tf / (tf + k1 * ratio) + delta;
		return options->delta + top / (f + norm);
	case LANEWISE_BM25_L:
		*exact = (k1 + 1) * c / (k1 + c);
		return (float)(k1 + 1) * l / (options->k1 + l);
	case LANEWISE_BM25_TF_IDF:
		*exact = 1 + log(tf);
		return (float)(1 + log(tf));
	default:
		*exact = tf / (tf + k1 * ratio);
		return f / (f + norm);
	}
}

static double naive_df(const char *word, size_t n_documents)
{
	double df = 0;

	for (size_t d = 0; d < n_documents; d++)
		df += occurrences(&corpus[d], word) > 0;
	return df;
}

/* epsilon times the mean idf of all words, each taken where it occurs first. */
static double naive_floor(const lanewise_bm25_options *options, size_t n_documents)
{
	double sum = 0, n = 0;

	if (options->variant != LANEWISE_BM25_OKAPI)
		return 0;
	for (size_t d = 0; d < n_documents; d++)
		for (size_t i = 0; i < corpus[d].n; i++) {
			const char *word = corpus[d].words[i];
			size_t before = 0, first = 0;

			while (strcmp(corpus[d].words[first], word))
				first++;
			for (size_t e = 0; e < d; e++)
				before += occurrences(&corpus[e], word);
			if (before || first < i)
				continue;
			sum += naive_idf(options, (double)n_documents, naive_df(word, n_documents));
			n++;
		}
	return n > 0 ? (double)options->epsilon * (sum / n) : 0;
}

static struct score naive_score(const struct text *query, size_t document, size_t n_documents,
                                const lanewise_bm25_options *options, double floor)
{
	struct score score = { 0, 0 };
	double total = 0;

	for (size_t d = 0; d < n_documents; d++)
		total += (double)corpus[d].n;
	for (size_t i = 0; i < query->n; i++) {
		const char *word = query->words[i];
		double n = (double)occurrences(query, word), tf = (double)occurrences(&corpus[document], word);
		double dl = (double)corpus[document].n, idf, exact;
		size_t first = 0;
		float part;

		while (strcmp(query->words[first], word))
			first++;
		if (first < i || tf == 0)
			continue;
		idf = naive_idf(options, (double)n_documents, naive_df(word, n_documents));
		if (idf < 0)
			idf = floor;
		if (idf < 1e-12)
			continue;
		part = naive_part(options, tf, dl, total / (double)n_documents, &exact);
		score.exact += n * idf * exact;
		score.bits += ((float)n * (float)idf) * part;
	}
	return score;
}

static lanewise_bm25_options lucene(float k1, float b)
{
	return (lanewise_bm25_options) { .struct_size = sizeof(lanewise_bm25_options), .k1 = k1, .b = b };
}

static lanewise_bm25 *build_with(size_t n_documents, const lanewise_bm25_options *options)
{
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL;
	char joined[MAX_WORDS * 20];

	CHECK_EQUAL(lanewise_bm25_builder_create(options, NULL, &builder), LANEWISE_OK);
	for (size_t d = 0; d < n_documents; d++) {
		join(&corpus[d], joined);
		CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, joined, strlen(joined)), LANEWISE_OK);
	}
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &bm25), LANEWISE_OK);
	lanewise_bm25_builder_destroy(builder);
	CHECK_EQUAL(lanewise_bm25_n_documents(bm25), n_documents);
	return bm25;
}

static lanewise_bm25 *build(size_t n_documents, float k1, float b)
{
	lanewise_bm25_options options = lucene(k1, b);

	return build_with(n_documents, &options);
}

struct results {
	size_t n;
	uint32_t index[MAX_DOCUMENTS];
	float score[MAX_DOCUMENTS];
};

/* Searches with scratch of exactly the size asked for, full of rubbish. */
static void search(const lanewise_bm25 *bm25, const char *query, size_t n_bytes, size_t k, struct results *results)
{
	size_t n_scratch = lanewise_bm25_scratch_size(bm25, k);
	void *block = malloc(n_scratch + 64);
	unsigned char *scratch = (unsigned char *)(((uintptr_t)block + 63) / 64 * 64);

	memset(scratch, 0xa5, n_scratch);
	results->n = 12345;
	CHECK_EQUAL(lanewise_bm25_search(bm25, query, n_bytes, k, scratch, results->index, results->score, &results->n),
	            LANEWISE_OK);
	free(block);
}

static void check_search_with(const lanewise_bm25 *bm25, size_t n_documents, const struct text *query, size_t k,
                              const lanewise_bm25_options *options)
{
	static struct score expected[MAX_DOCUMENTS];
	static unsigned char taken[MAX_DOCUMENTS];
	static struct results results;
	char joined[MAX_WORDS * 20];
	double floor = naive_floor(options, n_documents);
	size_t n_expected = 0;

	join(query, joined);
	search(bm25, joined, strlen(joined), k, &results);
	for (size_t d = 0; d < n_documents; d++) {
		expected[d] = naive_score(query, d, n_documents, options, floor);
		n_expected += expected[d].exact > 0;
	}
	if (!CHECK(results.n == (n_expected < k ? n_expected : k)))
		return;
	memset(taken, 0, n_documents);
	for (size_t i = 0; i < results.n; i++) {
		uint32_t best = UINT32_MAX;

		for (uint32_t d = 0; d < n_documents; d++)
			if (!taken[d] && expected[d].bits > 0 &&
			    (best == UINT32_MAX || expected[d].bits > expected[best].bits))
				best = d;
		if (!CHECK(best != UINT32_MAX))
			return;
		taken[best] = 1;
		CHECK_EQUAL(results.index[i], best);
		CHECK(results.score[i] == expected[best].bits);
		CHECK(fabs((double)results.score[i] - expected[best].exact) <= 1e-6 * expected[best].exact);
	}
}

/* Scores in double are those of the formula, of words with a negative weight too. */
static void check_scores_f64(const lanewise_bm25 *bm25, size_t n_documents, const struct text *query,
                             const lanewise_bm25_options *options)
{
	static double all[MAX_DOCUMENTS], same[MAX_DOCUMENTS];
	double floor = naive_floor(options, n_documents), total = 0;
	void *scratch = malloc(lanewise_bm25_scratch_size(bm25, 1));
	lanewise_word words[MAX_WORDS];
	char joined[MAX_WORDS * 20];

	join(query, joined);
	for (size_t i = 0; i < query->n; i++)
		words[i] = (lanewise_word) { .text = query->words[i], .n_bytes = strlen(query->words[i]) };
	memset(all, 0xff, sizeof all);
	memset(same, 0xff, sizeof same);
	CHECK_EQUAL(lanewise_bm25_score_all_f64(bm25, joined, strlen(joined), scratch, all), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_score_all_words_f64(bm25, words, query->n, scratch, same), LANEWISE_OK);
	CHECK(!memcmp(all, same, sizeof all));
	for (size_t d = 0; d < n_documents; d++)
		total += (double)corpus[d].n;
	for (size_t d = 0; d < n_documents; d++) {
		double sum = 0, largest = 0, exact;

		for (size_t i = 0; i < query->n; i++) {
			double tf = (double)occurrences(&corpus[d], query->words[i]), idf;

			if (tf == 0)
				continue;
			idf = naive_idf(options, (double)n_documents, naive_df(query->words[i], n_documents));
			naive_part(options, tf, (double)corpus[d].n, total / (double)n_documents, &exact);
			exact *= idf < 0 ? floor : idf;
			sum += exact;
			largest = fmax(largest, fabs(exact));
		}
		CHECK(fabs(all[d] - sum) <= 1e-13 * (1 + largest) * (double)(1 + query->n));
	}
	free(scratch);
}

/* What the package rank_bm25 0.2.2 gives as BM25Okapi(...).get_scores(...), where weights are negative too. */
static void test_rank_bm25(void)
{
	static const struct {
		const char *documents[5], *query;
		double scores[5];
	} cases[] = {
		{ { "a b c a", "b c d", "c d e f", "c a a a g h", "c x" },
		  "a c d a q",
		  { 1.0567346608457653, 0.49763256553071722, 0.44006581630479891, 1.0702171578328445,
		    0.14490352048998612 } },
		{ { "a b", "a b", "a c" },
		  "a b c",
		  { -0.32431835817588556, -0.32431835817588556, 0.34866644464804797 } },
	};
	lanewise_bm25_options options = { sizeof options, 1.5f, 0.75f, LANEWISE_BM25_OKAPI, 0, 0.25f, 0 };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		lanewise_bm25_builder *builder = NULL;
		lanewise_bm25 *bm25 = NULL;
		double scores[5];
		size_t n = 0;

		CHECK_EQUAL(lanewise_bm25_builder_create(&options, NULL, &builder), LANEWISE_OK);
		for (; n < 5 && cases[i].documents[n]; n++)
			lanewise_bm25_builder_add_text(builder, cases[i].documents[n], strlen(cases[i].documents[n]));
		CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &bm25), LANEWISE_OK);

		void *scratch = malloc(lanewise_bm25_scratch_size(bm25, 1));

		CHECK_EQUAL(lanewise_bm25_score_all_f64(bm25, cases[i].query, strlen(cases[i].query), scratch, scores),
		            LANEWISE_OK);
		for (size_t d = 0; d < n; d++)
			CHECK(fabs(scores[d] - cases[i].scores[d]) <= 1e-9 * fabs(cases[i].scores[d]));
		CHECK_EQUAL(lanewise_bm25_score_all_f64(bm25, NULL, 1, scratch, scores), LANEWISE_ERROR_ARGUMENT);
		CHECK_EQUAL(lanewise_bm25_score_all_f64(bm25, "a", 1, NULL, scores), LANEWISE_ERROR_ARGUMENT);
		CHECK_EQUAL(lanewise_bm25_score_all_f64(bm25, "a", 1, scratch, NULL), LANEWISE_ERROR_ARGUMENT);
		CHECK_EQUAL(lanewise_bm25_score_all_f64(NULL, "a", 1, scratch, scores), LANEWISE_ERROR_ARGUMENT);
		CHECK_EQUAL(lanewise_bm25_score_all_words_f64(bm25, NULL, 1, scratch, scores), LANEWISE_ERROR_ARGUMENT);
		free(scratch);
		lanewise_bm25_destroy(bm25);
		lanewise_bm25_builder_destroy(builder);
	}
}

static void check_search(const lanewise_bm25 *bm25, size_t n_documents, const struct text *query, size_t k, float k1,
                         float b)
{
	lanewise_bm25_options options = lucene(k1, b);

	check_search_with(bm25, n_documents, query, k, &options);
}

static void random_text(struct text *text, size_t max_words, unsigned vocabulary, uint64_t *seed)
{
	text->n = test_random(seed) % (max_words + 1);
	for (size_t i = 0; i < text->n; i++) {
		/* Small numbers more often, so that documents share words and repeat them. */
		unsigned a = (unsigned)(test_random(seed) % vocabulary), c = (unsigned)(test_random(seed) % vocabulary);

		snprintf(text->words[i], sizeof text->words[i], "w%u", a < c ? a : c);
	}
}

static void test_random_corpora(void)
{
	static const float parameters[][2] = { { 1.2f, 0.75f }, { 0, 0 }, { 2, 1 }, { 0.5f, 0 }, { 1000, 1 } };
	uint64_t seed = 7;

	for (int round = 0; round < 350; round++) {
		size_t n_documents = round < 3 ? (size_t)round : test_random(&seed) % 60;
		unsigned vocabulary = 1 + (unsigned)(test_random(&seed) % 60);
		lanewise_bm25_options options = lucene(parameters[round % 5][0], parameters[round % 5][1]);
		struct text query;

		for (size_t d = 0; d < n_documents; d++)
			random_text(&corpus[d], test_random(&seed) % 3 ? 20 : 2, vocabulary, &seed);

		options.variant = (lanewise_bm25_variant)(round / 5 % 7);
		options.delta = round % 2 ? 0.5f : 1;
		options.epsilon = 0.25f;

		lanewise_bm25 *bm25 = build_with(n_documents, &options);

		for (int q = 0; q < 20; q++) {
			random_text(&query, 8, vocabulary + 5, &seed);
			check_search_with(bm25, n_documents, &query, 1 + test_random(&seed) % (n_documents + 5),
			                  &options);
			check_scores_f64(bm25, n_documents, &query, &options);
		}
		lanewise_bm25_destroy(bm25);
	}
}

/* More documents and words than a block, so that some blocks are touched and some are not. */
static void test_blocks(void)
{
	uint64_t seed = 8;
	struct text query = { .n = 3, .words = { "w2990", "rare", "w17" } };

	for (size_t d = 0; d < MAX_DOCUMENTS; d++) {
		corpus[d].n = 2 + d % 3;
		for (size_t i = 0; i < corpus[d].n; i++)
			snprintf(corpus[d].words[i], sizeof corpus[d].words[i], "w%u",
			         (unsigned)(test_random(&seed) % 3000));
	}
	strcpy(corpus[2999].words[1], "rare");
	strcpy(corpus[1023].words[0], "rare");
	strcpy(corpus[1024].words[0], "w17");

	lanewise_bm25 *bm25 = build(MAX_DOCUMENTS, 1.2f, 0.75f);

	CHECK(lanewise_bm25_n_terms(bm25) > 1024);
	check_search(bm25, MAX_DOCUMENTS, &query, 10, 1.2f, 0.75f);
	query.n = 1;
	check_search(bm25, MAX_DOCUMENTS, &query, MAX_DOCUMENTS + 1, 1.2f, 0.75f);
	lanewise_bm25_destroy(bm25);

	/* All tied: the first k by number. */
	for (size_t d = 0; d < MAX_DOCUMENTS; d++) {
		corpus[d].n = 2;
		strcpy(corpus[d].words[0], "same");
		strcpy(corpus[d].words[1], "text");
	}
	bm25 = build(MAX_DOCUMENTS, 1.2f, 0.75f);

	static struct results results;

	search(bm25, S("SAME"), 700, &results);
	CHECK_EQUAL(results.n, 700);
	for (size_t i = 0; i < results.n; i++)
		CHECK(results.index[i] == i && results.score[i] == results.score[0] && results.score[i] > 0);
	lanewise_bm25_destroy(bm25);
}

static void test_queries(void)
{
	static struct results once, twice;

	corpus[0] = (struct text) { .n = 3, .words = { "red", "green", "red" } };
	corpus[1] = (struct text) { .n = 0 };
	corpus[2] = (struct text) { .n = 1, .words = { "green" } };

	lanewise_bm25 *bm25 = build(3, 1.2f, 0.75f);

	CHECK_EQUAL(lanewise_bm25_n_terms(bm25), 2);
	search(bm25, NULL, 0, 3, &once);
	CHECK_EQUAL(once.n, 0);
	search(bm25, S("..."), 3, &once);
	CHECK_EQUAL(once.n, 0);
	search(bm25, S("blue re reds"), 3, &once);
	CHECK_EQUAL(once.n, 0);
	search(bm25, S("Red!"), 100, &once);
	CHECK_EQUAL(once.n, 1);
	CHECK_EQUAL(once.index[0], 0);
	/* A word counts as often as the query has it, wherever it stands. */
	search(bm25, S("red blue RED"), 100, &twice);
	CHECK(twice.n == 1 && twice.score[0] == 2 * once.score[0]);
	search(bm25, S("green"), 100, &once);
	CHECK(once.n == 2 && once.index[0] == 2 && once.index[1] == 0 && once.score[0] > once.score[1]);
	lanewise_bm25_destroy(bm25);

	/* Documents without words only, and no documents. */
	for (size_t n = 0; n < 3; n++) {
		corpus[0].n = corpus[2].n = 0;
		bm25 = build(n, 1.2f, 0.75f);
		search(bm25, S("red"), 1, &once);
		CHECK_EQUAL(once.n, 0);
		lanewise_bm25_destroy(bm25);
	}
}

/* The words of texts, given as words, are the same index and find the same; other bytes are words too. */
static void test_words(void)
{
	static struct results by_text, by_words;
	static char longest[LANEWISE_WORD_BYTES + 1];
	lanewise_word query[MAX_WORDS], odd[] = { { .text = "a\0b", .n_bytes = 3 },
		                                  { .text = "a", .n_bytes = 1 },
		                                  { .text = "\xff RED", .n_bytes = 5 },
		                                  { .text = "a", .n_bytes = 2 } };
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *texts, *words = NULL;
	char joined[MAX_WORDS * 20], folded[MAX_WORDS * 20];
	void *scratch;
	uint64_t seed = 12;
	size_t n = 0;

	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, &builder), LANEWISE_OK);
	for (size_t d = 0; d < 300; d++) {
		random_text(&corpus[d], 20, 50, &seed);
		for (size_t i = 0; i < corpus[d].n; i++)
			query[i] =
			        (lanewise_word) { .text = corpus[d].words[i], .n_bytes = strlen(corpus[d].words[i]) };
		CHECK_EQUAL(lanewise_bm25_builder_add_words(builder, query, corpus[d].n), LANEWISE_OK);
	}
	texts = build(300, 1.2f, 0.75f);
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &words), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_n_terms(words), lanewise_bm25_n_terms(texts));
	scratch = malloc(lanewise_bm25_scratch_size(words, 300));
	for (size_t d = 0; d < 300; d++) {
		join(&corpus[d], joined);
		CHECK_EQUAL(lanewise_text_words(joined, strlen(joined), query, MAX_WORDS, folded, sizeof folded, &n),
		            LANEWISE_OK);
		search(texts, joined, strlen(joined), 300, &by_text);
		CHECK_EQUAL(lanewise_bm25_search_words(words, query, n, NULL, 300, scratch, by_words.index,
		                                       by_words.score, &by_words.n),
		            LANEWISE_OK);
		CHECK(by_words.n == by_text.n && !memcmp(by_words.index, by_text.index, by_text.n * sizeof(uint32_t)) &&
		      !memcmp(by_words.score, by_text.score, by_text.n * sizeof(float)));
	}
	lanewise_bm25_destroy(texts);
	lanewise_bm25_destroy(words);
	free(scratch);

	CHECK_EQUAL(lanewise_bm25_builder_add_words(builder, odd, 4), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &words), LANEWISE_OK);
	scratch = malloc(lanewise_bm25_scratch_size(words, 3));
	for (size_t i = 0; i < 4; i++) {
		CHECK_EQUAL(lanewise_bm25_search_words(words, &odd[i], 1, NULL, 3, scratch, by_words.index,
		                                       by_words.score, &by_words.n),
		            LANEWISE_OK);
		CHECK(by_words.n == 1 && by_words.index[0] == 300);
	}

	/* What is no word adds no document; nothing is found by it. */
	odd[0] = (lanewise_word) { .text = longest, .n_bytes = sizeof longest };
	odd[1] = (lanewise_word) { .text = "x", .n_bytes = 0 };
	odd[2] = (lanewise_word) { .text = NULL, .n_bytes = 1 };
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQUAL(lanewise_bm25_builder_add_words(builder, &odd[i], 1), LANEWISE_ERROR_ARGUMENT);
		CHECK_EQUAL(lanewise_bm25_search_words(words, &odd[i], 1, NULL, 3, scratch, by_words.index,
		                                       by_words.score, &by_words.n),
		            i == 2 ? LANEWISE_ERROR_ARGUMENT : LANEWISE_OK);
		CHECK(i == 2 || by_words.n == 0);
	}
	CHECK_EQUAL(lanewise_bm25_builder_n_documents(builder), 301);
	CHECK_EQUAL(lanewise_bm25_builder_add_words(builder, NULL, 1), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_builder_add_words(NULL, odd, 1), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_builder_add_words(builder, NULL, 0), LANEWISE_OK);
	free(scratch);
	lanewise_bm25_destroy(words);
	lanewise_bm25_builder_destroy(builder);
}

/* Many texts at once are what they are one by one, whatever lies between them. */
static void test_texts(void)
{
	enum { N = 200 };
	static char all[N * MAX_WORDS * 18];
	static struct results one, many;
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *together, *apart = build(N, 1.2f, 0.75f);
	size_t ends[N], descending[] = { 3, 2 }, end = 0;
	char joined[MAX_WORDS * 18];

	for (size_t d = 0; d < N; d++) {
		join(&corpus[d], joined);
		memcpy(all + end, joined, strlen(joined));
		ends[d] = end += strlen(joined);
	}
	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, &builder), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_builder_add_texts(builder, NULL, NULL, 0), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_builder_add_texts(builder, all, NULL, 1), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_builder_add_texts(builder, NULL, ends, N), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_builder_add_texts(builder, all, descending, 2), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_builder_add_texts(NULL, all, ends, N), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_builder_n_documents(builder), 0);
	CHECK_EQUAL(lanewise_bm25_builder_add_texts(builder, all, ends, N), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &together), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_n_documents(together), N);
	CHECK_EQUAL(lanewise_bm25_n_terms(together), lanewise_bm25_n_terms(apart));
	for (size_t d = 0; d < N; d++) {
		join(&corpus[d], joined);
		search(apart, joined, strlen(joined), N, &one);
		search(together, joined, strlen(joined), N, &many);
		CHECK(one.n == many.n && !memcmp(one.index, many.index, one.n * sizeof *one.index) &&
		      !memcmp(one.score, many.score, one.n * sizeof *one.score));
	}

	/* Empty texts are documents, also without any bytes. */
	ends[0] = ends[1] = 0;
	CHECK_EQUAL(lanewise_bm25_builder_add_texts(builder, NULL, ends, 2), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_builder_n_documents(builder), N + 2);
	lanewise_bm25_destroy(apart);
	lanewise_bm25_destroy(together);
	lanewise_bm25_builder_destroy(builder);
}

/* A builder goes on after an index was made of it. */
static void test_snapshots(void)
{
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *before = NULL, *after = NULL;
	static struct results results;

	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, &builder), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, S("one")), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &before), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, S("two one")), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &after), LANEWISE_OK);
	lanewise_bm25_builder_destroy(builder);
	CHECK_EQUAL(lanewise_bm25_n_documents(before), 1);
	CHECK_EQUAL(lanewise_bm25_n_documents(after), 2);
	search(before, S("one two"), 5, &results);
	CHECK_EQUAL(results.n, 1);
	search(after, S("one two"), 5, &results);
	CHECK(results.n == 2 && results.index[0] == 1);
	lanewise_bm25_destroy(before);
	lanewise_bm25_destroy(after);
}

/* A query that is a text of its own, with more words than the dictionary. */
static void test_long_query(void)
{
	static char query[200000];
	static struct results results;
	size_t n = 0;
	uint64_t seed = 9;

	for (size_t d = 0; d < 50; d++)
		random_text(&corpus[d], 20, 40, &seed);

	lanewise_bm25 *bm25 = build(50, 1.2f, 0.75f);

	while (n < sizeof query - 16)
		n += (size_t)snprintf(query + n, 16, "w%u ", (unsigned)(test_random(&seed) % 5000));
	search(bm25, query, n, 50, &results);
	CHECK(results.n > 0 && results.score[0] > 20 && isfinite(results.score[0]));
	lanewise_bm25_destroy(bm25);
}

/* ---------------------------------------------------------------- failures */

/* Adds a document until it works; after each failure the builder must be as before. */
static lanewise_status add_stubbornly(lanewise_bm25_builder *builder, const struct text *text, size_t *n_failures)
{
	char joined[MAX_WORDS * 20];
	lanewise_status status;

	join(text, joined);
	do {
		status = lanewise_bm25_builder_add_text(builder, joined, strlen(joined));
		if (status) {
			CHECK_EQUAL(status, LANEWISE_ERROR_NO_MEMORY);
			++*n_failures;
		}
	} while (status);
	return status;
}

static void test_allocation_failures(void)
{
	enum { N = 80 };
	uint64_t seed = 10;
	struct text query = { .n = 4, .words = { "w1", "w30", "w99", "w1" } };
	size_t n_failures = 0;
	int done = 0;

	for (size_t d = 0; d < N; d++)
		random_text(&corpus[d], 40, 400, &seed);
	/* The last document's words in other order and number than what a failed attempt at it leaves. */
	for (size_t fail_at = 1; !done; fail_at++) {
		struct counter counter = { .fail_at = fail_at };
		lanewise_allocator allocator = counting_allocator(&counter);
		lanewise_bm25_builder *builder = NULL;
		lanewise_bm25 *bm25 = NULL;
		lanewise_status status = lanewise_bm25_builder_create(NULL, &allocator, &builder);

		if (status) {
			CHECK_EQUAL(status, LANEWISE_ERROR_NO_MEMORY);
			CHECK(builder == NULL && counter.n_bytes == 0);
			continue;
		}
		for (size_t d = 0; d < N; d++)
			add_stubbornly(builder, &corpus[d], &n_failures);
		status = lanewise_bm25_create(builder, &allocator, &bm25);
		if (status) {
			CHECK_EQUAL(status, LANEWISE_ERROR_NO_MEMORY);
			CHECK(bm25 == NULL);
			n_failures++;
			CHECK_EQUAL(lanewise_bm25_create(builder, &allocator, &bm25), LANEWISE_OK);
		}
		done = counter.n_allocations < fail_at;
		lanewise_bm25_builder_destroy(builder);
		check_search(bm25, N, &query, N, 1.2f, 0.75f);
		lanewise_bm25_destroy(bm25);
		CHECK_EQUAL(counter.n_bytes, 0);
	}
	CHECK(n_failures > 20);
}

/* A document that failed in its middle, then another one in its place: nothing of the first may show. */
static void test_rollback(void)
{
	char first[4000], *at = first;
	lanewise_status status = LANEWISE_OK;

	/* So many new words that some table must grow on the way. */
	for (int i = 0; i < 400; i++)
		at += sprintf(at, "x%d ", i);
	for (size_t fail_at = 1; fail_at < 40; fail_at++) {
		struct counter counter = { .fail_at = fail_at };
		lanewise_allocator allocator = counting_allocator(&counter);
		lanewise_bm25_builder *builder = NULL;
		lanewise_bm25 *bm25 = NULL;
		static struct results results;

		if (lanewise_bm25_builder_create(NULL, &allocator, &builder))
			continue;
		status = lanewise_bm25_builder_add_text(builder, first, strlen(first));
		if (status) {
			CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, S("x5 x3 x5 y")), LANEWISE_OK);
			CHECK_EQUAL(lanewise_bm25_create(builder, &allocator, &bm25), LANEWISE_OK);
			CHECK_EQUAL(lanewise_bm25_n_documents(bm25), 1);
			CHECK_EQUAL(lanewise_bm25_n_terms(bm25), 3);
			search(bm25, S("x1 x2 x4"), 5, &results);
			CHECK_EQUAL(results.n, 0);
			search(bm25, S("x5"), 5, &results);
			CHECK(results.n == 1 && fabsf(results.score[0] - 0.287682072f * 2 / 3.2f) < 1e-7f);
			lanewise_bm25_destroy(bm25);
		}
		lanewise_bm25_builder_destroy(builder);
		CHECK_EQUAL(counter.n_bytes, 0);
	}
}

static void test_arguments(void)
{
	_Alignas(64) static unsigned char scratch[1 << 16];
	lanewise_bm25_options options = lucene(1.2f, 0.75f);
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL;
	uint32_t index[1];
	float score[1];
	size_t n_found;

	static const float wrong[] = { -0.1f, NAN, INFINITY, -INFINITY, 1001.0f };

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		options.k1 = wrong[i];
		CHECK_EQUAL(lanewise_bm25_builder_create(&options, NULL, &builder), LANEWISE_ERROR_ARGUMENT);
		options.k1 = 1.2f;
		options.b = wrong[i];
		CHECK_EQUAL(lanewise_bm25_builder_create(&options, NULL, &builder), LANEWISE_ERROR_ARGUMENT);
		options.b = 0.75f;
		options.delta = wrong[i];
		CHECK_EQUAL(lanewise_bm25_builder_create(&options, NULL, &builder), LANEWISE_ERROR_ARGUMENT);
		options.delta = 0;
		options.epsilon = wrong[i];
		CHECK_EQUAL(lanewise_bm25_builder_create(&options, NULL, &builder), LANEWISE_ERROR_ARGUMENT);
		options.epsilon = 0;
	}
	options.variant = (lanewise_bm25_variant)7;
	CHECK_EQUAL(lanewise_bm25_builder_create(&options, NULL, &builder), LANEWISE_ERROR_ARGUMENT);
	options.variant = LANEWISE_BM25_LUCENE;
	options.struct_size = 4;
	CHECK_EQUAL(lanewise_bm25_builder_create(&options, NULL, &builder), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK(builder == NULL);
	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, &builder), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_builder_add_text(NULL, "a", 1), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, NULL, 1), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, "a", 1), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_create(NULL, NULL, &bm25), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &bm25), LANEWISE_OK);
	lanewise_bm25_builder_destroy(builder);
	lanewise_bm25_builder_destroy(NULL);
	lanewise_bm25_destroy(NULL);

	CHECK_EQUAL(lanewise_bm25_scratch_size(bm25, 0), 0);
	CHECK_EQUAL(lanewise_bm25_scratch_size(bm25, (size_t)UINT32_MAX + 1), 0);
	CHECK(lanewise_bm25_scratch_size(bm25, UINT32_MAX) <= sizeof scratch);
#define SEARCH(index_, query, n, k, scratch_, i, s, f) lanewise_bm25_search(index_, query, n, k, scratch_, i, s, f)
	CHECK_EQUAL(SEARCH(NULL, "a", 1, 1, scratch, index, score, &n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(SEARCH(bm25, NULL, 1, 1, scratch, index, score, &n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(SEARCH(bm25, "a", 1, 0, scratch, index, score, &n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(SEARCH(bm25, "a", 1, 1, NULL, index, score, &n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(SEARCH(bm25, "a", 1, 1, scratch + 4, index, score, &n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(SEARCH(bm25, "a", 1, 1, scratch, NULL, score, &n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(SEARCH(bm25, "a", 1, 1, scratch, index, NULL, &n_found), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(SEARCH(bm25, "a", 1, 1, scratch, index, score, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(SEARCH(bm25, "a", 1, (size_t)UINT32_MAX + 1, scratch, index, score, &n_found),
	            LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(SEARCH(bm25, "a", 1, UINT32_MAX, scratch, index, score, &n_found), LANEWISE_OK);
	CHECK_EQUAL(n_found, 1);
	lanewise_bm25_destroy(bm25);
}

/* The hash is SipHash-1-3 and no weaker thing; the values are CPython 3.11's for hash(bytes) with PYTHONHASHSEED=0. */
static void test_siphash(void)
{
	static const uint64_t key[2] = { 0, 0 };

	CHECK(lw_siphash13("a", 1, key) == 0x407448d2b89b1813);
	CHECK(lw_siphash13("hello world, hello", 18, key) == 0x57badf15ddb260af);
}

int main(void)
{
	test_random_corpora();
	test_rank_bm25();
	test_blocks();
	test_queries();
	test_words();
	test_texts();
	test_snapshots();
	test_long_query();
	test_allocation_failures();
	test_rollback();
	test_arguments();
	test_siphash();
	return test_result();
}
