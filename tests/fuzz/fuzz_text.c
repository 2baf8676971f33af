/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as text: pieces give the words of the whole, words are in order, inside the text and within the promised
 * bounds, folding a folded word changes nothing, and the vector has length 1 or 0. The first bytes choose the cuts.
 */
#include <lanewise/text.h>
#include <lanewise/vector.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static size_t check_ready(lanewise_words *stream, const lanewise_word *words, size_t at, size_t n_words)
{
	lanewise_word word;

	for (; lanewise_words_next(stream, &word); at++) {
		require(at < n_words);
		require(word.begin == words[at].begin && word.end == words[at].end);
		require(word.n_bytes == words[at].n_bytes && !memcmp(word.text, words[at].text, word.n_bytes));
	}
	return at;
}

/* Pieces of `step` bytes, each in memory of exactly its size. */
static void check_pieces(const lanewise_analyzer *analyzer, const char *text, size_t n, size_t step,
                         const lanewise_word *words, size_t n_words)
{
	_Alignas(64) unsigned char scratch[512];
	lanewise_words *stream = lanewise_words_begin_analyzed(scratch, analyzer);
	size_t at = 0;

	for (size_t begin = 0; begin < n; begin += step) {
		size_t n_piece = n - begin < step ? n - begin : step;
		char *piece = malloc(n_piece);

		memcpy(piece, text + begin, n_piece);
		lanewise_words_feed(stream, piece, n_piece);
		at = check_ready(stream, words, at, n_words);
		free(piece);
	}
	lanewise_words_finish(stream);
	require(check_ready(stream, words, at, n_words) == n_words);
}

static void check_word(const lanewise_word *word, uint64_t least_begin, size_t n)
{
	_Alignas(64) unsigned char scratch[512];
	lanewise_words *stream = lanewise_words_begin(scratch);
	lanewise_word again;
	size_t n_again = 0;

	require(word->n_bytes >= 1 && word->n_bytes <= LANEWISE_WORD_BYTES);
	require(word->begin >= least_begin && word->begin < word->end && word->end <= n);
	/* A folded word is folded; it may come apart only where a folding ends in something else than it was. */
	lanewise_words_feed(stream, word->text, word->n_bytes);
	while (lanewise_words_next(stream, &again))
		n_again++;
	lanewise_words_finish(stream);
	while (lanewise_words_next(stream, &again))
		n_again++;
	require(n_again >= 1);
	if (n_again == 1 && again.end == word->n_bytes)
		require(again.n_bytes == word->n_bytes && !memcmp(again.text, word->text, word->n_bytes));
}

/* The same with an analyzer whose options are bits of `choice`. */
static void check_analyzer(unsigned choice, const char *text, size_t n, size_t step, lanewise_word *words,
                           size_t capacity, char *folded, size_t folded_capacity)
{
	const lanewise_analyzer_options options = { .struct_size = sizeof options,
		                                    .rule = choice & 1 ? LANEWISE_WORDS_SEGMENTS : LANEWISE_WORDS_RUNS,
		                                    .keep_case = choice >> 1 & 1,
		                                    .drop_numbers = choice >> 2 & 1,
		                                    .min_characters = choice >> 3 & 1 ? 2 : 0,
		                                    .max_characters = choice >> 1 & 1 ? 5 : 0,
		                                    .stop = choice >> 2 & 1 ? "english" : NULL };
	lanewise_analyzer *analyzer = NULL;
	size_t n_words = 0;
	uint64_t least_begin = 0;

	require(lanewise_analyzer_create(&options, NULL, &analyzer, NULL) == LANEWISE_OK);
	require(lanewise_analyze(analyzer, text, n, words, capacity, folded, folded_capacity, &n_words) == LANEWISE_OK);
	for (size_t i = 0; i < n_words; i++) {
		require(words[i].begin >= least_begin && words[i].end > words[i].begin && words[i].end <= n);
		require(words[i].n_bytes >= 1 && words[i].n_bytes <= LANEWISE_WORD_BYTES);
		least_begin = words[i].end;
	}
	check_pieces(analyzer, text, n, step, words, n_words);
	lanewise_analyzer_destroy(analyzer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;

	size_t step = data[0] % 16 + 1, n = size - 1, n_words = 0;
	size_t capacity = lanewise_text_words_bound(n), folded_capacity = lanewise_text_folded_bound(n);
	const char *text = (const char *)data + 1;
	lanewise_word *words = malloc(capacity * sizeof *words + 1);
	char *folded = malloc(folded_capacity + 1);

	require(lanewise_text_words(text, n, words, capacity, folded, folded_capacity, &n_words) == LANEWISE_OK);
	for (size_t i = 0; i < n_words; i++)
		check_word(&words[i], i ? words[i - 1].end : 0, n);
	check_pieces(NULL, text, n, step, words, n_words);
	check_pieces(NULL, text, n, 1, words, n_words);
	check_analyzer(data[0] >> 4, text, n, step, words, capacity, folded, folded_capacity);

	float vector[48];

	require(lanewise_text_embed_f32(text, n, 48, vector) == LANEWISE_OK);
	float squared = lanewise_dot_f32(vector, vector, 48);

	/* Features may cancel each other, so a text with words may still have the vector of zeros. */
	require(squared == 0.0f || fabsf(squared - 1.0f) < 1e-5f);
	require(n_words > 0 || squared == 0.0f);
	free(words);
	free(folded);
	return 0;
}
