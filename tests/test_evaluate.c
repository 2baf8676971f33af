/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/evaluate.h against definitions computed plainly, and by hand. */
#include <lanewise/evaluate.h>
#include <lanewise/hash.h>
#include <lanewise/text.h>

#include <math.h>
#include <stdlib.h>

#include "test.h"

#define PIECE(literal) ((lanewise_piece) { literal, sizeof(literal) - 1 })

enum { MAX_N = 64 };

static int near(double a, double b) { return fabs(a - b) <= 1e-12; }

/* --------------------------------------------------------------- rankings */

static lanewise_ranking_metrics evaluate(const uint32_t *index, size_t n, const lanewise_judgement *judgements,
                                         size_t n_judgements, size_t k)
{
	size_t n_scratch = lanewise_evaluate_ranking_scratch_size(n_judgements);
	void *block = malloc(n_scratch + 64);
	unsigned char *scratch = (unsigned char *)(((uintptr_t)block + 63) / 64 * 64);
	lanewise_ranking_metrics metrics;

	memset(scratch, 0xa5, n_scratch);
	memset(&metrics, 0xa5, sizeof metrics);
	CHECK_EQUAL(lanewise_evaluate_ranking(index, n, judgements, n_judgements, k, scratch, &metrics), LANEWISE_OK);
	free(block);
	return metrics;
}

static double naive_gain(const lanewise_judgement *judgements, size_t n, uint32_t document)
{
	for (size_t i = 0; i < n; i++)
		if (judgements[i].document == document)
			return judgements[i].gain > 0 ? (double)judgements[i].gain : 0;
	return 0;
}

static lanewise_ranking_metrics naive(const uint32_t *index, size_t n, const lanewise_judgement *judgements,
                                      size_t n_judgements, size_t k)
{
	lanewise_ranking_metrics m = { 0 };
	double dcg = 0, ideal = 0, found = 0, gains[MAX_N];
	size_t n_gains = 0;

	for (size_t i = 0; i < n_judgements; i++) {
		double gain = (double)judgements[i].gain;
		size_t at = n_gains;

		if (!(gain > 0))
			continue;
		m.n_relevant++;
		for (; at > 0 && gains[at - 1] < gain; at--)
			gains[at] = gains[at - 1];
		gains[at] = gain;
		n_gains++;
	}
	for (size_t i = 0; i < n_gains && i < k; i++)
		ideal += gains[i] / log2((double)i + 2);
	for (size_t i = 0; i < n && i < k; i++) {
		double gain = naive_gain(judgements, n_judgements, index[i]);

		for (size_t j = 0; j < i; j++)
			if (index[j] == index[i])
				gain = 0;
		dcg += gain / log2((double)i + 2);
		if (gain > 0) {
			found++;
			m.average_precision += found / ((double)i + 1);
			if (m.reciprocal_rank == 0)
				m.reciprocal_rank = 1 / ((double)i + 1);
		}
	}
	if (m.n_relevant) {
		m.ndcg = dcg / ideal;
		m.average_precision /= (double)m.n_relevant;
		m.precision = found / (double)k;
		m.recall = found / (double)m.n_relevant;
	}
	return m;
}

static void test_ranking_by_hand(void)
{
	static const uint32_t index[] = { 4, 9, 4, 1, UINT32_MAX };
	static const lanewise_judgement judgements[] = { { UINT32_MAX, 1 }, { 9, 2 }, { 4, 0 }, { 7, 1 }, { 8, -3 } };
	lanewise_ranking_metrics m = evaluate(index, 5, judgements, 5, 10);

	CHECK_EQUAL(m.n_relevant, 3);
	CHECK(near(m.reciprocal_rank, 0.5) && near(m.precision, 0.2) && near(m.recall, 2.0 / 3));
	CHECK(near(m.average_precision, (0.5 + 0.4) / 3));
	CHECK(near(m.ndcg, (2 / log2(3) + 1 / log2(6)) / (2 + 1 / log2(3) + 0.5)));
	/* Cut before anything is found. */
	m = evaluate(index, 5, judgements, 5, 1);
	CHECK(m.ndcg == 0 && m.average_precision == 0 && m.reciprocal_rank == 0 && m.precision == 0 && m.recall == 0);
	/* All that is relevant, in the best order, is 1. */
	static const uint32_t best[] = { 9, 7, UINT32_MAX, 4 };

	m = evaluate(best, 4, judgements, 5, 3);
	CHECK(m.ndcg == 1 && m.average_precision == 1 && m.reciprocal_rank == 1 && m.precision == 1 && m.recall == 1);
	/* Nothing relevant. */
	m = evaluate(index, 5, judgements + 2, 1, 3);
	CHECK(m.n_relevant == 0 && m.ndcg == 0 && m.average_precision == 0 && m.recall == 0);
	m = evaluate(NULL, 0, judgements, 5, 3);
	CHECK(m.n_relevant == 3 && m.ndcg == 0);
}

static void test_random_rankings(void)
{
	uint64_t seed = 5;

	for (int round = 0; round < 3000; round++) {
		lanewise_judgement judgements[MAX_N];
		uint32_t index[MAX_N];
		size_t n = test_random(&seed) % MAX_N, n_judgements = test_random(&seed) % MAX_N;
		size_t k = 1 + test_random(&seed) % MAX_N;
		uint32_t factor = (uint32_t)test_random(&seed) | 1; /* so that numbers differ in any of their bits */

		for (size_t i = 0; i < n; i++)
			index[i] = (uint32_t)(test_random(&seed) % 80) * factor;
		for (size_t i = 0; i < n_judgements; i++)
			judgements[i] = (lanewise_judgement) { (uint32_t)(i * 7 % 64) * factor,
				                               (float)(test_random(&seed) % 5) - 1 };

		lanewise_ranking_metrics a = evaluate(index, n, judgements, n_judgements, k);
		lanewise_ranking_metrics b = naive(index, n, judgements, n_judgements, k);

		CHECK_EQUAL(a.n_relevant, b.n_relevant);
		CHECK(near(a.ndcg, b.ndcg) && near(a.average_precision, b.average_precision) &&
		      near(a.reciprocal_rank, b.reciprocal_rank) && near(a.precision, b.precision) &&
		      near(a.recall, b.recall));
		CHECK(a.ndcg >= 0 && a.ndcg <= 1 + 1e-12);
	}
}

static void test_ranking_arguments(void)
{
	_Alignas(64) static unsigned char scratch[4096];
	static const uint32_t index[] = { 1 };
	lanewise_judgement judgements[] = { { 1, 1 }, { 2, 1 } };
	lanewise_ranking_metrics m;

	CHECK(lanewise_evaluate_ranking_scratch_size(2) <= sizeof scratch);
	CHECK_EQUAL(lanewise_evaluate_ranking_scratch_size((size_t)UINT32_MAX + 1), 0);
	CHECK_EQUAL(lanewise_evaluate_ranking(index, 1, judgements, 2, 1, scratch, &m), LANEWISE_OK);
	CHECK_EQUAL(lanewise_evaluate_ranking(index, 1, NULL, 0, 1, scratch, &m), LANEWISE_OK);
	CHECK_EQUAL(lanewise_evaluate_ranking(NULL, 1, judgements, 2, 1, scratch, &m), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_evaluate_ranking(index, 1, NULL, 2, 1, scratch, &m), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_evaluate_ranking(index, 1, judgements, 2, 0, scratch, &m), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_evaluate_ranking(index, 1, judgements, 2, 1, NULL, &m), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_evaluate_ranking(index, 1, judgements, 2, 1, scratch + 8, &m), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_evaluate_ranking(index, 1, judgements, 2, 1, scratch, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_evaluate_ranking(index, 1, judgements, (size_t)UINT32_MAX + 1, 1, scratch, &m),
	            LANEWISE_ERROR_TOO_LARGE);
	judgements[1].gain = NAN;
	CHECK_EQUAL(lanewise_evaluate_ranking(index, 1, judgements, 2, 1, scratch, &m), LANEWISE_ERROR_ARGUMENT);
	judgements[1] = (lanewise_judgement) { 1, 0 };
	CHECK_EQUAL(lanewise_evaluate_ranking(index, 1, judgements, 2, 1, scratch, &m), LANEWISE_ERROR_DATA);
}

/* ------------------------------------------------------------------ words */

static void test_hashes(void)
{
	static const char text[] = "The cat, the CAT and a dog";
	static const char *const words[] = { "the", "cat", "and", "a", "dog" };
	uint64_t hash[16];
	size_t n = 0;

	CHECK_EQUAL(lanewise_text_word_hashes(text, strlen(text), 0, hash, 16, &n), LANEWISE_OK);
	CHECK_EQUAL(n, 5);
	for (size_t i = 0; i < 5; i++) {
		uint64_t wanted = lanewise_xxh3_64(words[i], strlen(words[i]), 0);

		CHECK_EQUAL(lanewise_overlap_u64(&wanted, 1, hash, n), 1);
		CHECK(i == 0 || hash[i] > hash[i - 1]);
	}
	CHECK_EQUAL(lanewise_text_word_hashes(text, strlen(text), 1, hash, 16, &n), LANEWISE_OK);
	CHECK_EQUAL(n, 7);
	for (size_t i = 1; i < n; i++)
		CHECK(hash[i] >= hash[i - 1]);
	CHECK_EQUAL(lanewise_text_word_hashes(text, strlen(text), 0, hash, 6, &n), LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(lanewise_text_word_hashes(text, strlen(text), 0, hash, 7, &n), LANEWISE_OK);
	CHECK_EQUAL(lanewise_text_word_hashes(NULL, 0, 0, NULL, 0, &n), LANEWISE_OK);
	CHECK_EQUAL(n, 0);
	CHECK_EQUAL(lanewise_text_word_hashes(NULL, 1, 0, hash, 7, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_text_word_hashes(text, 1, 0, NULL, 7, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_text_word_hashes(text, 1, 0, hash, 7, NULL), LANEWISE_ERROR_ARGUMENT);
}

static size_t count(const uint64_t *v, size_t n, uint64_t x)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += v[i] == x;
	return found;
}

static void test_random_overlaps(void)
{
	uint64_t seed = 17;

	for (int round = 0; round < 3000; round++) {
		uint64_t v[2][40];
		size_t n[2], common = 0, least = 0, most = 0;
		uint64_t range = 1 + test_random(&seed) % 30;
		double matrix[4];

		for (int side = 0; side < 2; side++) {
			n[side] = test_random(&seed) % 40;
			for (size_t i = 0; i < n[side]; i++) {
				uint64_t x = test_random(&seed) % range << 58;
				size_t at = i;

				for (; at > 0 && v[side][at - 1] > x; at--)
					v[side][at] = v[side][at - 1];
				v[side][at] = x;
			}
		}
		for (size_t i = 0; i < n[0]; i++)
			common += count(v[1], n[1], v[0][i]) > 0;
		for (uint64_t x = 0; x < range; x++) {
			size_t a = count(v[0], n[0], x << 58), b = count(v[1], n[1], x << 58);

			least += a < b ? a : b;
			most += a > b ? a : b;
		}
		CHECK_EQUAL(lanewise_overlap_u64(v[0], n[0], v[1], n[1]), common);
		double jaccard = lanewise_jaccard_u64(v[0], n[0], v[1], n[1]);

		CHECK(jaccard == (most ? (double)least / (double)most : 0));

		/* Four pairs of halves. */
		size_t a_end[] = { n[0] / 2, n[0] }, b_end[] = { n[1] / 3, n[1] };

		lanewise_jaccard_u64_matrix(v[0], a_end, 2, v[1], b_end, 2, matrix);
		for (size_t i = 0; i < 2; i++)
			for (size_t j = 0; j < 2; j++) {
				size_t x = i ? a_end[0] : 0, y = j ? b_end[0] : 0;

				CHECK(matrix[2 * i + j] ==
				      lanewise_jaccard_u64(v[0] + x, a_end[i] - x, v[1] + y, b_end[j] - y));
			}
	}
	CHECK(lanewise_jaccard_u64(NULL, 0, NULL, 0) == 0 && lanewise_overlap_u64(NULL, 0, NULL, 0) == 0);
}

/* ---------------------------------------------------- answers and contexts */

static unsigned char *scratch_of(size_t n_bytes, size_t n_pieces, void **block)
{
	size_t n = lanewise_rag_scratch_size(n_bytes, n_pieces);
	unsigned char *scratch;

	*block = malloc(n + 64);
	scratch = (unsigned char *)(((uintptr_t)*block + 63) / 64 * 64);
	memset(scratch, 0xa5, n);
	return scratch;
}

static size_t bytes_of(const lanewise_piece *pieces, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += pieces[i].n_bytes;
	return bytes;
}

static double faithfulness(lanewise_piece answer, const lanewise_piece *contexts, size_t n,
                           const lanewise_rag_options *options)
{
	double result = -1;
	void *block;
	unsigned char *scratch = scratch_of(answer.n_bytes + bytes_of(contexts, n), n + 1, &block);

	CHECK_EQUAL(lanewise_faithfulness(answer, contexts, n, options, scratch, &result), LANEWISE_OK);
	free(block);
	return result;
}

static double precision(lanewise_piece question, const lanewise_piece *contexts, size_t n, const lanewise_piece *truths,
                        size_t n_truths, const lanewise_rag_options *options)
{
	double result = -1;
	void *block;
	size_t bytes = question.n_bytes + bytes_of(contexts, n) + bytes_of(truths, n_truths);
	unsigned char *scratch = scratch_of(bytes, n + n_truths + 1, &block);

	CHECK_EQUAL(lanewise_context_precision(question, contexts, n, truths, n_truths, options, scratch, &result),
	            LANEWISE_OK);
	free(block);
	return result;
}

static double recall(const lanewise_piece *contexts, size_t n, const lanewise_piece *truths, size_t n_truths,
                     const lanewise_rag_options *options)
{
	double result = -1;
	void *block;
	unsigned char *scratch = scratch_of(bytes_of(contexts, n) + bytes_of(truths, n_truths), n + n_truths, &block);

	CHECK_EQUAL(lanewise_context_recall(contexts, n, truths, n_truths, options, scratch, &result), LANEWISE_OK);
	free(block);
	return result;
}

static double relevancy(lanewise_piece question, lanewise_piece answer)
{
	double result = -1;
	void *block;
	unsigned char *scratch = scratch_of(question.n_bytes + answer.n_bytes, 2, &block);

	CHECK_EQUAL(lanewise_answer_relevancy(question, answer, scratch, &result), LANEWISE_OK);
	free(block);
	return result;
}

static void test_faithfulness(void)
{
	const lanewise_piece contexts[] = { PIECE("cats bark"), PIECE("") }, nothing = { NULL, 0 };
	lanewise_rag_options options = { sizeof options, 1, 0, 0.5, 0.7, 0.3 };

	/* Half of the words: not more than a half, but at least. */
	CHECK(faithfulness(PIECE("cats sleep"), contexts, 2, NULL) == 0);
	CHECK(faithfulness(PIECE("cats sleep"), contexts, 2, &options) == 1);
	/* Of the different words a third, of all words three of five. */
	options.at_least = 0;
	CHECK(faithfulness(PIECE("Cats, cats, cats sleep well."), contexts, 2, &options) == 0);
	options.repeats = 1;
	CHECK(faithfulness(PIECE("Cats, cats, cats sleep well."), contexts, 2, &options) == 1);
	/* Two sentences of four have no words. */
	CHECK(faithfulness(PIECE("Cats bark. ... Dogs sleep. !"), contexts, 2, NULL) == 0.5);
	CHECK(faithfulness(nothing, contexts, 2, NULL) == 0);
	CHECK(faithfulness(PIECE("cats."), NULL, 0, NULL) == 0);
	CHECK(faithfulness(PIECE("."), contexts, 2, NULL) == 0);
}

static void test_relevancy(void)
{
	CHECK(near(relevancy(PIECE("Where is the cat?"), PIECE("The cat is here")), 0.7 * 0.75 + 0.3 * 0.5));
	CHECK(near(relevancy(PIECE("cat"), PIECE("a cat on the mat")), 1));
	CHECK(relevancy(PIECE("cat"), PIECE("!")) == 0 && relevancy(PIECE(""), PIECE("a")) == 0);
}

static void test_contexts(void)
{
	const lanewise_piece contexts[] = { PIECE("one two three four"), PIECE("five"),
		                            PIECE("six seven eight nine ten") };
	const lanewise_piece truths[] = { PIECE("two THREE four one, one"), PIECE("other words") };
	const lanewise_piece close[] = { PIECE("six seven eight nine ten a b"), PIECE("eleven") },
	                     nothing = { NULL, 0 };
	lanewise_rag_options options = { sizeof options, 0, 0, 0.5, 5.0 / 7, 0.5 };

	CHECK(near(precision(nothing, contexts, 3, truths, 2, NULL), 1.0 / 3));
	CHECK(near(recall(contexts, 3, truths, 2, NULL), 0.5));
	/* Similarity 5/7: above 0.7, and at but not above 5/7. */
	CHECK(near(precision(nothing, contexts, 3, close, 1, NULL), 1.0 / 3));
	CHECK(precision(nothing, contexts, 3, close, 1, &options) == 0 && recall(contexts, 3, close, 1, &options) == 0);
	options.at_least = 1;
	CHECK(near(precision(nothing, contexts, 3, close, 1, &options), 1.0 / 3));
	CHECK(recall(contexts, 3, close, 1, &options) == 1 && recall(contexts, 3, close, 2, &options) == 0.5);
	/* Without truths by the question's words, of which the first has 2 of 4, the last one. */
	CHECK(near(precision(PIECE("one two six zero"), contexts, 3, NULL, 0, NULL), 1.0 / 3));
	CHECK(near(precision(PIECE("one two six zero"), contexts, 3, NULL, 0, &options), 1.0 / 3));
	options.at_least = 0;
	CHECK(precision(PIECE("one two six zero"), contexts, 3, NULL, 0, &options) == 0);
	CHECK(precision(nothing, contexts, 3, NULL, 0, NULL) == 0 &&
	      precision(PIECE("a"), NULL, 0, truths, 2, NULL) == 0);
	CHECK(recall(contexts, 3, NULL, 0, NULL) == 1 && recall(NULL, 0, truths, 2, NULL) == 0 &&
	      recall(NULL, 0, NULL, 0, NULL) == 1);
}

/* Texts that need all of the scratch: single letters. */
static void test_dense_texts(void)
{
	lanewise_piece pieces[9];
	uint64_t seed = 4;

	for (int round = 0; round < 300; round++) {
		static char texts[9][64];
		size_t n = 1 + test_random(&seed) % 8;

		for (size_t i = 0; i < n; i++) {
			pieces[i] = (lanewise_piece) { texts[i], test_random(&seed) % 64 };
			for (size_t j = 0; j < pieces[i].n_bytes; j++)
				texts[i][j] =
				        j % 2 ? " ."[test_random(&seed) % 2] : (char)('0' + test_random(&seed) % 75);
		}
		double results[] = { faithfulness(pieces[0], pieces + 1, n - 1, NULL),
			             relevancy(pieces[0], pieces[n - 1]),
			             precision(pieces[0], pieces, n, pieces + n / 2, n - n / 2, NULL),
			             recall(pieces, n / 2, pieces + n / 2, n - n / 2, NULL) };

		for (size_t i = 0; i < sizeof results / sizeof *results; i++)
			CHECK(results[i] >= 0 && results[i] <= 1);
	}
}

static void test_rag_arguments(void)
{
	_Alignas(64) static unsigned char scratch[4096];
	const lanewise_piece wrong = { NULL, 1 }, fine = PIECE("a");
	const lanewise_rag_options options[] = {
		{ sizeof *options - 1, 0, 0, 0.5, 0.7, 0.3 }, { sizeof *options, 2, 0, 0.5, 0.7, 0.3 },
		{ sizeof *options, 0, -1, 0.5, 0.7, 0.3 },    { sizeof *options, 0, 0, (double)NAN, 0.7, 0.3 },
		{ sizeof *options, 0, 0, 0.5, 1.1, 0.3 },     { sizeof *options, 0, 0, 0.5, 0.7, -1 },
	};
	double result;

	CHECK(lanewise_rag_scratch_size(100, 4) <= sizeof scratch && lanewise_rag_scratch_size(0, 0) > 0);
	CHECK_EQUAL(lanewise_rag_scratch_size(SIZE_MAX, 1), 0);
	CHECK_EQUAL(lanewise_rag_scratch_size(1, SIZE_MAX), 0);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		CHECK_EQUAL(lanewise_faithfulness(fine, &fine, 1, &options[i], scratch, &result),
		            LANEWISE_ERROR_ARGUMENT);
		CHECK_EQUAL(lanewise_context_precision(fine, &fine, 1, &fine, 1, &options[i], scratch, &result),
		            LANEWISE_ERROR_ARGUMENT);
		CHECK_EQUAL(lanewise_context_recall(&fine, 1, &fine, 1, &options[i], scratch, &result),
		            LANEWISE_ERROR_ARGUMENT);
		CHECK_EQUAL(lanewise_context_recall(&fine, 1, &fine, 0, &options[i], scratch, &result),
		            LANEWISE_ERROR_ARGUMENT);
	}
	CHECK_EQUAL(lanewise_faithfulness(wrong, &fine, 1, NULL, scratch, &result), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_faithfulness(fine, &wrong, 1, NULL, scratch, &result), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_faithfulness(fine, NULL, 1, NULL, scratch, &result), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_faithfulness(fine, &fine, 1, NULL, NULL, &result), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_faithfulness(fine, &fine, 1, NULL, scratch + 8, &result), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_faithfulness(fine, &fine, 1, NULL, scratch, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_answer_relevancy(wrong, fine, scratch, &result), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_answer_relevancy(fine, wrong, scratch, &result), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_answer_relevancy(fine, fine, NULL, &result), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_context_precision(wrong, &fine, 1, &fine, 1, NULL, scratch, &result),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_context_precision(fine, &wrong, 1, &fine, 1, NULL, scratch, &result),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_context_precision(fine, &fine, 1, &wrong, 1, NULL, scratch, &result),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_context_recall(NULL, 1, &fine, 1, NULL, scratch, &result), LANEWISE_ERROR_ARGUMENT);
}

int main(void)
{
	test_ranking_by_hand();
	test_random_rankings();
	test_ranking_arguments();
	test_hashes();
	test_random_overlaps();
	test_faithfulness();
	test_relevancy();
	test_contexts();
	test_dense_texts();
	test_rag_arguments();
	return test_result();
}
