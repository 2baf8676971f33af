/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ranking with judgements: metrics lie in 0 ... 1, and do not change with the order of judgements or what follows
 * rank k. Then the rest of the input as texts: shares lie in 0 ... 1, a text is the same as itself, and scratch of the
 * size asked for is enough.
 */
#include <lanewise/evaluate.h>
#include <lanewise/text.h>

#include "fuzz.h"

enum { MAX_LIST = 40, MAX_PIECES = 6 };

static int in_unit_range(double x) { return x >= 0 && x <= 1.0000001; }

static lanewise_ranking_metrics evaluate(const uint32_t *index, size_t n, const lanewise_judgement *judgements,
                                         size_t n_judgements, size_t k)
{
	void *scratch = aligned_alloc(64, (lanewise_evaluate_ranking_scratch_size(n_judgements) + 63) / 64 * 64);
	lanewise_ranking_metrics m;

	FUZZ_REQUIRE(lanewise_evaluate_ranking(index, n, judgements, n_judgements, k, scratch, &m) == LANEWISE_OK);
	free(scratch);
	FUZZ_REQUIRE(in_unit_range(m.ndcg) && in_unit_range(m.average_precision) && in_unit_range(m.reciprocal_rank) &&
	             in_unit_range(m.precision) && in_unit_range(m.recall));
	FUZZ_REQUIRE((m.recall > 0) == (m.ndcg > 0) && (m.recall > 0) == (m.reciprocal_rank > 0));
	return m;
}

static void check_ranking(struct fuzz_input *in)
{
	lanewise_judgement judgements[MAX_LIST], reversed[MAX_LIST];
	uint32_t index[MAX_LIST];
	unsigned char judged[256] = { 0 };
	size_t n = fuzz_u8(in) % MAX_LIST, wanted = fuzz_u8(in) % MAX_LIST, k = fuzz_u8(in) % MAX_LIST + 1, m = 0;

	for (size_t i = 0; i < n; i++)
		index[i] = (uint32_t)fuzz_u8(in) << 24;
	for (size_t i = 0; i < wanted; i++) {
		uint8_t document = fuzz_u8(in);
		float gain = (float)(fuzz_u8(in) % 8) - 2;

		if (!judged[document])
			judgements[m++] = (lanewise_judgement) { (uint32_t)document << 24, gain };
		judged[document] = 1;
	}
	for (size_t i = 0; i < m; i++)
		reversed[i] = judgements[m - 1 - i];

	lanewise_ranking_metrics a = evaluate(index, n, judgements, m, k);
	lanewise_ranking_metrics b = evaluate(index, n < k ? n : k, reversed, m, k);

	FUZZ_REQUIRE(a.ndcg <= b.ndcg && a.ndcg >= b.ndcg && a.average_precision <= b.average_precision &&
	             a.average_precision >= b.average_precision && a.n_relevant == b.n_relevant);
}

/* Cuts what is left into pieces, each in memory of its own. */
static size_t cut(struct fuzz_input *in, lanewise_piece *pieces, char **copies)
{
	size_t n = 0;

	while (n < MAX_PIECES && (n == 0 || in->size > 0)) {
		size_t n_bytes = fuzz_u8(in);

		n_bytes = n_bytes < in->size ? n_bytes : in->size;
		copies[n] = fuzz_allocate(n_bytes);
		fuzz_bytes(in, copies[n], n_bytes);
		pieces[n] = (lanewise_piece) { copies[n], n_bytes };
		n++;
	}
	return n;
}

static void check_texts(struct fuzz_input *in)
{
	lanewise_rag_options options = { sizeof options, fuzz_u8(in) % 2, fuzz_u8(in) % 2, 0.5, 0.7, 0.3 };
	lanewise_piece pieces[MAX_PIECES];
	char *copies[MAX_PIECES];
	size_t n = cut(in, pieces, copies), half = n / 2, n_bytes = 0, n_words, bound;
	double faithful, relevant, precise, recalled;
	uint64_t *hash;
	void *scratch;

	for (size_t i = 0; i < n; i++)
		n_bytes += pieces[i].n_bytes;
	/* Every call below has all pieces or fewer. */
	scratch = aligned_alloc(64, (lanewise_rag_scratch_size(n_bytes, n) + 63) / 64 * 64);
	FUZZ_REQUIRE(!lanewise_faithfulness(pieces[0], pieces + 1, n - 1, &options, scratch, &faithful));
	FUZZ_REQUIRE(!lanewise_context_precision(pieces[0], pieces + 1, half, pieces + 1 + half, n - 1 - half, &options,
	                                         scratch, &precise));
	FUZZ_REQUIRE(!lanewise_context_recall(pieces, half, pieces + half, n - half, &options, scratch, &recalled));
	if (n > 1)
		FUZZ_REQUIRE(!lanewise_answer_relevancy(pieces[0], pieces[1], scratch, &relevant));
	else
		relevant = 0;
	FUZZ_REQUIRE(in_unit_range(faithful) && in_unit_range(precise) && in_unit_range(recalled) &&
	             in_unit_range(relevant));
	free(scratch);

	bound = lanewise_text_words_bound(pieces[0].n_bytes);
	hash = fuzz_allocate(bound * sizeof *hash);
	FUZZ_REQUIRE(
	        !lanewise_text_word_hashes(pieces[0].text, pieces[0].n_bytes, options.repeats, hash, bound, &n_words));
	FUZZ_REQUIRE(lanewise_overlap_u64(hash, n_words, hash, n_words) == n_words);
	FUZZ_REQUIRE(n_words == 0 || lanewise_jaccard_u64(hash, n_words, hash, n_words) >= 1);
	for (size_t i = 1; i < n_words; i++)
		FUZZ_REQUIRE(hash[i] > hash[i - 1] || (options.repeats && hash[i] == hash[i - 1]));
	free(hash);
	for (size_t i = 0; i < n; i++)
		free(copies[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	check_ranking(&in);
	check_texts(&in);
	return 0;
}
