/* SPDX-License-Identifier: Apache-2.0 */
/* Thoughts that repeat earlier ones, for lanewise/repeat.h: hashes of texts and of their keywords, kept in rings. */
#include <lanewise/dedup.h>
#include <lanewise/evaluate.h>
#include <lanewise/near.h>
#include <lanewise/repeat.h>
#include <lanewise/text.h>

#include "common.h"
#include "support.h"

enum { MIN_KEYWORD = 4, MAX_WINDOW = 1000, MAX_TEXTS = 65536 };

struct keywords {
	uint64_t *hashes; /* ascending */
	size_t n, capacity;
};

struct lanewise_thoughts {
	lanewise_allocator allocator;
	int has_allocator;
	lanewise_thoughts_options options;

	struct keywords *history; /* a ring of `window` */
	lanewise_hash128 *texts;  /* a ring of max_texts */
	uint64_t n_history, n_texts;
	uint32_t n_stalls;
	struct keywords keywords; /* of the text at hand */
	char *normal;
	size_t normal_bytes;
};

/* ------------------------------------------------------------------ memory */

static const lanewise_allocator *allocator_of(const lanewise_thoughts *thoughts)
{
	return thoughts->has_allocator ? &thoughts->allocator : NULL;
}

static lanewise_status wrong(lanewise_error *error, const char *what)
{
	return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "thoughts: %s", what);
}

static lanewise_status set_options(lanewise_thoughts_options *to, const lanewise_thoughts_options *from,
                                   lanewise_error *error)
{
	static const lanewise_thoughts_options defaults = { sizeof defaults, 3, 2, 10, 4096, 0.65 };

	*to = defaults;
	if (!from)
		return LANEWISE_OK;
	if (from->struct_size != sizeof *from)
		return wrong(error, "struct_size is not sizeof(lanewise_thoughts_options)");
	if (from->repeat_threshold == 1)
		return wrong(error, "repeat_threshold is below 2");
	if (from->window > MAX_WINDOW)
		return wrong(error, "window is above 1000");
	if (from->max_texts > MAX_TEXTS)
		return wrong(error, "max_texts is above 65536");
	if (!(from->similarity_threshold >= 0 && from->similarity_threshold <= 1))
		return wrong(error, "similarity_threshold is not from 0 to 1");
	to->repeat_threshold = from->repeat_threshold ? from->repeat_threshold : to->repeat_threshold;
	to->stall_threshold = from->stall_threshold ? from->stall_threshold : to->stall_threshold;
	to->window = from->window ? from->window : to->window;
	to->max_texts = from->max_texts ? from->max_texts : to->max_texts;
	if (from->similarity_threshold > 0)
		to->similarity_threshold = from->similarity_threshold;
	return LANEWISE_OK;
}

lanewise_status lanewise_thoughts_create(const lanewise_thoughts_options *options, const lanewise_allocator *allocator,
                                         lanewise_thoughts **thoughts, lanewise_error *error)
{
	lanewise_thoughts_options all;
	lanewise_status status = set_options(&all, options, error);
	lanewise_thoughts *new;

	if (status != LANEWISE_OK)
		return status;
	if (!thoughts)
		return wrong(error, "thoughts is NULL");
	new = lw_allocate(allocator, sizeof *new);
	if (new) {
		memset(new, 0, sizeof *new);
		new->has_allocator = allocator != NULL;
		if (allocator)
			new->allocator = *allocator;
		new->options = all;
		new->history = lw_allocate(allocator, all.window * sizeof *new->history);
		new->texts = lw_allocate(allocator, all.max_texts * sizeof *new->texts);
	}
	if (new && new->history)
		memset(new->history, 0, all.window * sizeof *new->history);
	if (!new || !new->history || !new->texts) {
		lanewise_thoughts_destroy(new);
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "thoughts: out of memory");
	}
	*thoughts = new;
	return LANEWISE_OK;
}

static void release_keywords(const lanewise_thoughts *thoughts, struct keywords *keywords)
{
	lw_release(allocator_of(thoughts), keywords->hashes, keywords->capacity * sizeof *keywords->hashes);
}

void lanewise_thoughts_destroy(lanewise_thoughts *thoughts)
{
	lanewise_allocator allocator;
	int has_allocator;

	if (!thoughts)
		return;
	for (uint32_t i = 0; thoughts->history && i < thoughts->options.window; i++)
		release_keywords(thoughts, &thoughts->history[i]);
	release_keywords(thoughts, &thoughts->keywords);
	lw_release(allocator_of(thoughts), thoughts->history, thoughts->options.window * sizeof *thoughts->history);
	lw_release(allocator_of(thoughts), thoughts->texts, thoughts->options.max_texts * sizeof *thoughts->texts);
	lw_release(allocator_of(thoughts), thoughts->normal, thoughts->normal_bytes);
	allocator = thoughts->allocator;
	has_allocator = thoughts->has_allocator;
	lw_release(has_allocator ? &allocator : NULL, thoughts, sizeof *thoughts);
}

void lanewise_thoughts_reset(lanewise_thoughts *thoughts)
{
	thoughts->n_history = thoughts->n_texts = 0;
	thoughts->n_stalls = 0;
}

/* ---------------------------------------------------------------- keywords */

static int is_function_word(const char *word, size_t n)
{
	static const char words[][8] = { "about",   "above", "after", "also",  "been",  "before",  "being",  "below",
		                         "between", "both",  "could", "does",  "down",  "during",  "each",   "every",
		                         "from",    "have",  "here",  "into",  "just",  "more",    "most",   "must",
		                         "might",   "need",  "only",  "other", "same",  "shall",   "should", "some",
		                         "such",    "than",  "that",  "there", "this",  "through", "very",   "well",
		                         "were",    "what",  "when",  "where", "which", "will",    "with",   "would" };

	for (size_t i = 0; n <= sizeof words[0] && i < sizeof words / sizeof *words; i++)
		if (memcmp(words[i], word, n) == 0 && (n == sizeof words[0] || words[i][n] == 0))
			return 1;
	return 0;
}

static lanewise_status add_keyword(lanewise_thoughts *thoughts, const char *word, size_t n)
{
	struct keywords *k = &thoughts->keywords;

	if (n < MIN_KEYWORD || is_function_word(word, n))
		return LANEWISE_OK;
	if (k->n == k->capacity) {
		size_t capacity = k->capacity ? 2 * k->capacity : 64;
		uint64_t *hashes = lw_allocate(allocator_of(thoughts), capacity * sizeof *hashes);

		if (!hashes)
			return LANEWISE_ERROR_NO_MEMORY;
		if (k->n > 0)
			memcpy(hashes, k->hashes, k->n * sizeof *hashes);
		release_keywords(thoughts, k);
		k->hashes = hashes;
		k->capacity = capacity;
	}
	k->hashes[k->n++] = lanewise_xxh3_64(word, n, 0);
	return LANEWISE_OK;
}

/* The parts of a word between underscores. */
static lanewise_status add_word(lanewise_thoughts *thoughts, const lanewise_word *word)
{
	lanewise_status status = LANEWISE_OK;
	size_t begin = 0;

	for (size_t i = 0; i <= word->n_bytes && status == LANEWISE_OK; i++)
		if (i == word->n_bytes || word->text[i] == '_') {
			status = add_keyword(thoughts, word->text + begin, i - begin);
			begin = i + 1;
		}
	return status;
}

static lanewise_status find_keywords(lanewise_thoughts *thoughts, const char *text, size_t n_bytes)
{
	_Alignas(max_align_t) char scratch[512];
	lanewise_words *words = lanewise_words_begin(scratch);
	lanewise_word word;

	thoughts->keywords.n = 0;
	for (int ended = 0; ended < 2; ended++) {
		if (ended)
			lanewise_words_finish(words);
		else
			lanewise_words_feed(words, text, n_bytes);
		while (lanewise_words_next(words, &word)) {
			lanewise_status status = add_word(thoughts, &word);

			if (status != LANEWISE_OK)
				return status;
		}
	}
	thoughts->keywords.n = lanewise_hash_set_u64(thoughts->keywords.hashes, thoughts->keywords.n);
	return LANEWISE_OK;
}

/* ------------------------------------------------------------------- rules */

static int is_stall(const char *text, size_t n_bytes)
{
	static const char *const beginnings[] = { "let me", "i'll", "i will", "i need to", "i should", "now", "first" };
	char first[16];
	size_t n = 0, n_first = 0;

	while (n < n_bytes && text[n] != '\n' && text[n] != '.')
		n++;
	while (n > 0 && (*text == ' ' || (*text >= '\t' && *text <= '\r'))) {
		text++;
		n--;
	}
	for (; n_first < n && n_first < sizeof first; n_first++) {
		char c = text[n_first];

		first[n_first] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
		size_t length = strlen(beginnings[i]);

		if (length <= n_first && memcmp(beginnings[i], first, length) == 0)
			return 1;
	}
	return 0;
}

static lanewise_status hash_text(lanewise_thoughts *thoughts, const char *text, size_t n_bytes, lanewise_hash128 *hash)
{
	size_t bound = n_bytes + LW_FOLD_PAD, n = 0; /* enough without LANEWISE_NORMALIZE_FOLD */
	lanewise_status status;

	if (bound > thoughts->normal_bytes) {
		char *normal = lw_allocate(allocator_of(thoughts), bound);

		if (!normal)
			return LANEWISE_ERROR_NO_MEMORY;
		lw_release(allocator_of(thoughts), thoughts->normal, thoughts->normal_bytes);
		thoughts->normal = normal;
		thoughts->normal_bytes = bound;
	}
	status = lanewise_normalize(text, n_bytes,
	                            LANEWISE_NORMALIZE_COLLAPSE | LANEWISE_NORMALIZE_TRIM | LANEWISE_WHITESPACE_UNICODE,
	                            thoughts->normal, thoughts->normal_bytes, &n);
	*hash = lanewise_xxh3_128(thoughts->normal, n, 0);
	return status;
}

/* How often the text has come, now that it has been noted. */
static uint32_t note_text(lanewise_thoughts *thoughts, lanewise_hash128 hash)
{
	uint32_t most = thoughts->options.max_texts;
	size_t n = thoughts->n_texts < most ? (size_t)thoughts->n_texts : most;
	uint32_t count = 1;

	for (size_t i = 0; i < n; i++)
		count += thoughts->texts[i].low == hash.low && thoughts->texts[i].high == hash.high;
	thoughts->texts[thoughts->n_texts++ % most] = hash;
	return count;
}

static void compare(const lanewise_thoughts *thoughts, lanewise_thought *thought)
{
	const struct keywords *k = &thoughts->keywords;
	uint32_t window = thoughts->options.window;
	size_t n = thoughts->n_history < window ? (size_t)thoughts->n_history : window;

	thought->count = 1;
	for (size_t i = 0; i < n; i++) {
		const struct keywords *other = &thoughts->history[i];
		double similarity =
		        k->n && other->n ? lanewise_jaccard_u64(k->hashes, k->n, other->hashes, other->n) : 0;

		thought->count += similarity >= thoughts->options.similarity_threshold;
		if (similarity > thought->similarity)
			thought->similarity = similarity;
	}
}

/* The keywords at hand change places with those of the oldest text. */
static void note_keywords(lanewise_thoughts *thoughts)
{
	struct keywords *oldest = &thoughts->history[thoughts->n_history++ % thoughts->options.window];
	struct keywords keywords = *oldest;

	*oldest = thoughts->keywords;
	thoughts->keywords = keywords;
}

static void judge(lanewise_thoughts *thoughts, const char *text, size_t n_bytes, lanewise_hash128 hash,
                  lanewise_thought *thought)
{
	*thought = (lanewise_thought) { LANEWISE_THOUGHT_FINE, 0, 0 };
	thoughts->n_stalls = is_stall(text, n_bytes) ? thoughts->n_stalls + 1 : 0;
	if (thoughts->n_stalls >= thoughts->options.stall_threshold) {
		thought->kind = LANEWISE_THOUGHT_STALL;
		thought->count = thoughts->n_stalls;
		return;
	}
	thought->count = note_text(thoughts, hash);
	if (thought->count >= thoughts->options.repeat_threshold) {
		thought->kind = LANEWISE_THOUGHT_REPEAT;
		return;
	}
	compare(thoughts, thought);
	if (thought->count >= thoughts->options.repeat_threshold)
		thought->kind = LANEWISE_THOUGHT_SIMILAR;
}

lanewise_status lanewise_thoughts_record(lanewise_thoughts *thoughts, const char *text, size_t n_bytes,
                                         lanewise_thought *thought)
{
	lanewise_hash128 hash;
	lanewise_status status;

	if (!thoughts || !thought || (!text && n_bytes > 0))
		return LANEWISE_ERROR_ARGUMENT;
	status = hash_text(thoughts, text, n_bytes, &hash);
	if (status == LANEWISE_OK)
		status = find_keywords(thoughts, text, n_bytes);
	if (status != LANEWISE_OK)
		return status;
	judge(thoughts, text, n_bytes, hash, thought);
	note_keywords(thoughts);
	return LANEWISE_OK;
}
