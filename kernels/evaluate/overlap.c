/* SPDX-License-Identifier: Apache-2.0 */
/* Words that texts share, lanewise/evaluate.h: texts become sorted arrays of hashes, which are merged. */
#include <lanewise/evaluate.h>
#include <lanewise/hash.h>
#include <lanewise/text.h>

#include <string.h>

#include "common.h"
#include "sort.h"

/* ------------------------------------------------------------------ words */

/* Appends the hashes of a text's words; 0 if there is no room for all. */
static int append_hashes(const char *text, size_t n_bytes, uint64_t *hash, size_t capacity, size_t *n)
{
	_Alignas(LW_SCRATCH_ALIGNMENT) unsigned char scratch[512];
	lanewise_words *words = lanewise_words_begin(scratch);
	lanewise_word word;

	lanewise_words_feed(words, text, n_bytes);
	for (int finished = 0;;) {
		if (lanewise_words_next(words, &word)) {
			if (*n == capacity)
				return 0;
			hash[(*n)++] = lanewise_xxh3_64(word.text, word.n_bytes, 0);
		} else if (finished) {
			return 1;
		} else {
			lanewise_words_finish(words);
			finished = 1;
		}
	}
}

/* Sorts; without repetitions if they are not wanted. Returns how many are left. */
static size_t sort_hashes(uint64_t *hash, size_t n, int repeats)
{
	size_t kept = 0;

	lw_sort_u64(hash, n);
	if (repeats)
		return n;
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || hash[kept - 1] != hash[i])
			hash[kept++] = hash[i];
	return kept;
}

lanewise_status lanewise_text_word_hashes(const char *text, size_t n_bytes, int32_t repeats, uint64_t *hash,
                                          size_t capacity, size_t *n)
{
	size_t n_words = 0;

	if ((!text && n_bytes) || (!hash && capacity) || !n)
		return LANEWISE_ERROR_ARGUMENT;
	if (!append_hashes(text, n_bytes, hash, capacity, &n_words))
		return LANEWISE_ERROR_CAPACITY;
	*n = sort_hashes(hash, n_words, repeats);
	return LANEWISE_OK;
}

size_t lanewise_overlap_u64(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b)
{
	size_t n = 0;

	for (size_t i = 0, j = 0; i < n_a && j < n_b;) {
		n += a[i] == b[j];
		if (a[i] <= b[j])
			i++;
		else
			j++;
	}
	return n;
}

double lanewise_jaccard_u64(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b)
{
	size_t shared = 0;

	for (size_t i = 0, j = 0; i < n_a && j < n_b;) {
		uint64_t x = a[i], y = b[j];

		shared += x == y;
		i += x <= y;
		j += y <= x;
	}
	/* The union has what both have together but for what they share. */
	return shared ? (double)shared / ((double)n_a + (double)n_b - (double)shared) : 0;
}

void lanewise_jaccard_u64_matrix(const uint64_t *a, const size_t *a_end, size_t n_a, const uint64_t *b,
                                 const size_t *b_end, size_t n_b, double *out)
{
	for (size_t i = 0; i < n_a; i++)
		for (size_t j = 0; j < n_b; j++) {
			size_t x = i ? a_end[i - 1] : 0, y = j ? b_end[j - 1] : 0;

			/* An empty part may lie in no array. */
			out[i * n_b + j] = a_end[i] > x && b_end[j] > y
			                           ? lanewise_jaccard_u64(a + x, a_end[i] - x, b + y, b_end[j] - y)
			                           : 0;
		}
}

/* ---------------------------------------------------- answers and contexts */

size_t lanewise_rag_scratch_size(size_t n_bytes, size_t n_pieces)
{
	size_t words = n_bytes / 2 + 1;

	if (n_pieces > SIZE_MAX / 64 || words > SIZE_MAX / 16 - n_pieces)
		return 0;
	/* A word for every two bytes of a piece and one more, and where each piece's words end. */
	return (words + n_pieces) * sizeof(uint64_t) + n_pieces * sizeof(size_t);
}

static const lanewise_rag_options defaults = { sizeof defaults, 0, 0, 0.5, 0.7, 0.3 };

static int in_unit_range(double x) { return x >= 0 && x <= 1; }

static int valid_options(const lanewise_rag_options *options)
{
	return options->struct_size == sizeof *options && (options->at_least == 0 || options->at_least == 1) &&
	       (options->repeats == 0 || options->repeats == 1) && in_unit_range(options->supported) &&
	       in_unit_range(options->same) && in_unit_range(options->relevant);
}

static int valid_pieces(const lanewise_piece *pieces, size_t n)
{
	if (!pieces && n)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!pieces[i].text && pieces[i].n_bytes)
			return 0;
	return 1;
}

static int valid_call(const void *scratch, const double *result)
{
	return scratch && (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT == 0 && result;
}

static int passes(double share, double threshold, const lanewise_rag_options *options)
{
	return options->at_least ? share >= threshold : share > threshold;
}

/* The different words of a text, or all of them, to `hash`; returns how many. Scratch has room for any text's. */
static size_t words_of(lanewise_piece piece, int repeats, uint64_t *hash)
{
	size_t n = 0;

	append_hashes(piece.text, piece.n_bytes, hash, SIZE_MAX, &n);
	return sort_hashes(hash, n, repeats);
}

static const char *end_of_sentence(const char *text, const char *end)
{
	const char *stop = text < end ? memchr(text, '.', (size_t)(end - text)) : NULL;

	return stop ? stop : end;
}

lanewise_status lanewise_faithfulness(lanewise_piece answer, const lanewise_piece *contexts, size_t n_contexts,
                                      const lanewise_rag_options *options, void *scratch, double *result)
{
	if (!options)
		options = &defaults;
	if (!valid_call(scratch, result) || !valid_options(options) || !valid_pieces(contexts, n_contexts) ||
	    !valid_pieces(&answer, 1))
		return LANEWISE_ERROR_ARGUMENT;

	uint64_t *known = scratch, *sentence;
	size_t n_known = 0, n_sentences = 0, n_supported = 0;

	for (size_t i = 0; i < n_contexts; i++)
		append_hashes(contexts[i].text, contexts[i].n_bytes, known, SIZE_MAX, &n_known);
	n_known = sort_hashes(known, n_known, 0);
	sentence = known + n_known;
	for (size_t begin = 0; begin < answer.n_bytes;) {
		const char *text = answer.text + begin, *stop = end_of_sentence(text, answer.text + answer.n_bytes);
		size_t n = words_of((lanewise_piece) { text, (size_t)(stop - text) }, options->repeats, sentence);

		begin += (size_t)(stop - text) + 1;
		if (n == 0)
			continue;
		n_sentences++;
		n_supported += (size_t)passes((double)lanewise_overlap_u64(sentence, n, known, n_known) / (double)n,
		                              options->supported, options);
	}
	*result = n_sentences ? (double)n_supported / (double)n_sentences : 0;
	return LANEWISE_OK;
}

lanewise_status lanewise_answer_relevancy(lanewise_piece question, lanewise_piece answer, void *scratch, double *result)
{
	if (!valid_call(scratch, result) || !valid_pieces(&question, 1) || !valid_pieces(&answer, 1))
		return LANEWISE_ERROR_ARGUMENT;

	uint64_t *asked = scratch;
	size_t n_asked = words_of(question, 0, asked);
	uint64_t *said = asked + n_asked;
	size_t n_said = words_of(answer, 0, said);

	*result = 0;
	if (n_asked && n_said) {
		double share = (double)lanewise_overlap_u64(asked, n_asked, said, n_said) / (double)n_asked;
		double length = (double)n_said / (2 * (double)n_asked);

		*result = 0.7 * share + 0.3 * (length < 1 ? length : 1);
		*result = *result < 1 ? *result : 1;
	}
	return LANEWISE_OK;
}

/* Word sets of several texts, one after the other. */
struct bags {
	const uint64_t *hash;
	const size_t *end;
	size_t n;
};

/* Fills in `ends` and the hashes from `hash` on; returns where they end. */
static uint64_t *make_bags(const lanewise_piece *pieces, size_t n, size_t *ends, uint64_t *hash, struct bags *bags)
{
	size_t end = 0;

	for (size_t i = 0; i < n; i++)
		ends[i] = end += words_of(pieces[i], 0, hash + end);
	*bags = (struct bags) { hash, ends, n };
	return hash + end;
}

/* How many of the one are the same as any of the other. */
static size_t count_same(const struct bags *ones, const struct bags *others, const lanewise_rag_options *options)
{
	size_t n_same = 0;

	for (size_t i = 0; i < ones->n; i++) {
		size_t x = i ? ones->end[i - 1] : 0;
		int same = 0;

		for (size_t j = 0; j < others->n && !same; j++) {
			size_t y = j ? others->end[j - 1] : 0;

			same = passes(lanewise_jaccard_u64(ones->hash + x, ones->end[i] - x, others->hash + y,
			                                   others->end[j] - y),
			              options->same, options);
		}
		n_same += (size_t)same;
	}
	return n_same;
}

static size_t count_relevant(lanewise_piece question, const lanewise_piece *contexts, size_t n_contexts,
                             const lanewise_rag_options *options, uint64_t *hash)
{
	size_t n_asked = words_of(question, 0, hash), n_relevant = 0;

	for (size_t i = 0; n_asked && i < n_contexts; i++) {
		size_t n = words_of(contexts[i], 0, hash + n_asked);
		size_t shared = lanewise_overlap_u64(hash, n_asked, hash + n_asked, n);

		n_relevant += (size_t)passes((double)shared / (double)n_asked, options->relevant, options);
	}
	return n_relevant;
}

lanewise_status lanewise_context_precision(lanewise_piece question, const lanewise_piece *contexts, size_t n_contexts,
                                           const lanewise_piece *truths, size_t n_truths,
                                           const lanewise_rag_options *options, void *scratch, double *result)
{
	struct bags found, wanted;
	size_t n_right;

	if (!options)
		options = &defaults;
	if (!valid_call(scratch, result) || !valid_options(options) || !valid_pieces(contexts, n_contexts) ||
	    !valid_pieces(truths, n_truths) || !valid_pieces(&question, 1))
		return LANEWISE_ERROR_ARGUMENT;
	if (n_truths == 0) {
		n_right = count_relevant(question, contexts, n_contexts, options, scratch);
	} else {
		size_t *ends = scratch;
		uint64_t *hash = (uint64_t *)(void *)(ends + n_contexts + n_truths);

		hash = make_bags(contexts, n_contexts, ends, hash, &found);
		make_bags(truths, n_truths, ends + n_contexts, hash, &wanted);
		n_right = count_same(&found, &wanted, options);
	}
	*result = n_contexts ? (double)n_right / (double)n_contexts : 0;
	return LANEWISE_OK;
}

lanewise_status lanewise_context_recall(const lanewise_piece *contexts, size_t n_contexts, const lanewise_piece *truths,
                                        size_t n_truths, const lanewise_rag_options *options, void *scratch,
                                        double *result)
{
	lanewise_piece nothing = { NULL, 0 };
	lanewise_status status;

	/* Precision turned round: of the truths, judged by the contexts. */
	if (n_truths && n_contexts)
		return lanewise_context_precision(nothing, truths, n_truths, contexts, n_contexts, options, scratch,
		                                  result);
	status = lanewise_context_precision(nothing, contexts, n_contexts, truths, n_truths, options, scratch, result);
	if (!status)
		*result = n_truths ? 0 : 1;
	return status;
}
