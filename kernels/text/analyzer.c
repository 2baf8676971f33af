/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Analyzers: which words of a text count, and as what.
 *
 * An analyzer is kept as the bytes that are saved with an index: a header and the stop words in order, each its length
 * and its bytes. Options are made such bytes first and loaded from them, so what was saved cannot differ from what was
 * asked for.
 *
 * libstemmer's stemmers are no two threads' at a time, but analyzers are shared. So an analyzer has a few of them; a
 * thread takes one for a word and puts it back.
 */
#define _DEFAULT_SOURCE

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "common.h"
#include "support.h"
#include "text/snowball.h"
#include "text/text.h"

enum { VERSION = 1, STEMMERS = 16, STEMMER_NAME = 32, MAX_STOP_BYTES = 16 << 20 };

/* What the bytes begin with. */
struct header {
	uint32_t version, rule, keep_case, drop_numbers, min_characters, max_characters, n_stop, zero;
	char stemmer[STEMMER_NAME]; /* ends with zeros */
};

_Static_assert(sizeof(struct header) == 64, "the header is part of the file format");

struct lanewise_analyzer {
	lanewise_allocator allocator; /* a copy; `allocate` NULL for the C library's */
	size_t allocated;             /* bytes, of which this struct is the first */
	_Atomic uint32_t n_users;

	struct header header;
	const unsigned char *bytes;
	size_t n_bytes;
	const uint32_t *stop_at; /* n_stop places in `bytes`, of words that ascend */
	uint64_t stop_filter[4]; /* bits of stop words, by stop_bit */
	struct lw_snowball snowball;
	struct sb_stemmer *_Atomic stemmers[STEMMERS]; /* NULL where one is in use; all NULL without a stemmer */
};

/* Lucene's list of English words that are left out. */
static const char english[] =
        "a an and are as at be but by for if in into is it no not of on or such that the their then "
        "there these they this to was will with";

int lanewise_analyzer_splits_at_marks(const lanewise_analyzer *analyzer)
{
	return analyzer && analyzer->header.rule == LANEWISE_WORDS_RUNS;
}

int lanewise_analyzer_keeps_case(const lanewise_analyzer *analyzer) { return analyzer && analyzer->header.keep_case; }

const unsigned char *lanewise_analyzer_bytes(const lanewise_analyzer *analyzer, size_t *n_bytes)
{
	*n_bytes = analyzer->n_bytes;
	return analyzer->bytes;
}

/* ------------------------------------------------------------- stop words */

static int compare_bytes(const void *a, size_t n_a, const void *b, size_t n_b)
{
	int order = memcmp(a, b, n_a < n_b ? n_a : n_b);

	return order ? order : (n_a > n_b) - (n_a < n_b);
}

/* A small hash that tells most words from all stop words. */
static unsigned stop_bit(const char *word, size_t n_bytes)
{
	unsigned first = (unsigned char)word[0], last = (unsigned char)word[n_bytes - 1];

	return (unsigned)(first * 5 + last * 11 + n_bytes * 31) & 255;
}

static int is_stop_word(const lanewise_analyzer *analyzer, const lanewise_word *word)
{
	unsigned bit = stop_bit(word->text, word->n_bytes);
	size_t low = 0, high = analyzer->header.n_stop;

	if (!(analyzer->stop_filter[bit / 64] >> bit % 64 & 1))
		return 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const unsigned char *stop = analyzer->bytes + analyzer->stop_at[middle];
		int order = compare_bytes(stop + 1, stop[0], word->text, word->n_bytes);

		if (order == 0)
			return 1;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* ---------------------------------------------------------------- choices */

/* The code point at *at of a folded word, which is valid UTF-8. */
static uint32_t next_code_point(const lanewise_word *word, size_t *at)
{
	const unsigned char *bytes = (const unsigned char *)word->text;
	uint32_t lead = bytes[(*at)++];
	uint32_t n_more = (lead >= 0xc0) + (uint32_t)(lead >= 0xe0) + (lead >= 0xf0);
	uint32_t code_point = n_more ? lead & (0x3fu >> n_more) : lead;

	for (; n_more && *at < word->n_bytes; n_more--)
		code_point = code_point << 6 | (bytes[(*at)++] & 0x3f);
	return code_point;
}

static uint32_t count_characters(const lanewise_word *word)
{
	uint32_t n = 0;

	for (size_t i = 0; i < word->n_bytes; i++)
		n += ((unsigned char)word->text[i] & 0xc0) != 0x80;
	return n;
}

static int is_number(const lanewise_word *word)
{
	size_t at = 0;

	while (at < word->n_bytes)
		if (!lanewise_is_number(next_code_point(word, &at)))
			return 0;
	return 1;
}

/* ------------------------------------------------------------------ stems */

/* Waits if all are in use, which takes more threads than stemmers, each in the middle of a word. */
static struct sb_stemmer *take_stemmer(lanewise_analyzer *analyzer)
{
	/* Threads have stacks of their own, and so begin at different places. */
	size_t first = (size_t)((uintptr_t)&analyzer >> 16);

	for (size_t i = 0;; i++) {
		struct sb_stemmer *stemmer = atomic_exchange_explicit(&analyzer->stemmers[(first + i) % STEMMERS], NULL,
		                                                      memory_order_acquire);

		if (stemmer)
			return stemmer;
		if (i % STEMMERS == STEMMERS - 1)
			sched_yield();
	}
}

static void put_back(lanewise_analyzer *analyzer, struct sb_stemmer *stemmer)
{
	size_t first = (size_t)((uintptr_t)&analyzer >> 16);

	/* There are as many places as stemmers, so one is free; a thread that takes one only makes another free. */
	for (size_t i = 0;; i++) {
		struct sb_stemmer *none = NULL;

		if (atomic_compare_exchange_strong_explicit(&analyzer->stemmers[(first + i) % STEMMERS], &none, stemmer,
		                                            memory_order_release, memory_order_relaxed))
			return;
	}
}

/* A word that has no stem, or none that fits, stays as it is. */
static void stem_word(lanewise_analyzer *analyzer, lanewise_word *word, char *to)
{
	const struct lw_snowball *snowball = &analyzer->snowball;
	struct sb_stemmer *stemmer = take_stemmer(analyzer);
	const unsigned char *stem = snowball->stem(stemmer, (const unsigned char *)word->text, (int)word->n_bytes);
	int n = stem ? snowball->length(stemmer) : 0;

	if (n > 0 && n <= LANEWISE_WORD_BYTES) {
		memcpy(to, stem, (size_t)n);
		word->text = to;
		word->n_bytes = (size_t)n;
	}
	put_back(analyzer, stemmer);
}

int lanewise_analyzer_take(const lanewise_analyzer *analyzer, lanewise_word *word, char *stem)
{
	const struct header *header = &analyzer->header;

	if (header->min_characters > 1 || header->max_characters) {
		uint32_t n = count_characters(word);

		if (n < header->min_characters || (header->max_characters && n > header->max_characters))
			return 0;
	}
	if (header->n_stop && is_stop_word(analyzer, word))
		return 0;
	if (header->drop_numbers && is_number(word))
		return 0;
	/* Stemmers come and go, but what an analyzer does never changes. */
	if (header->stemmer[0])
		stem_word((lanewise_analyzer *)(uintptr_t)analyzer, word, stem);
	return 1;
}

/* ---------------------------------------------------------------- loading */

static lanewise_status check_header(const struct header *header, size_t n_bytes, lanewise_error *error)
{
	size_t n_name = 0;

#define WRONG(field, format, ...) \
	lw_fail(error, LANEWISE_ERROR_DATA, offsetof(struct header, field), #field ": " format, __VA_ARGS__)
	if (header->version != VERSION)
		return lw_fail(error, LANEWISE_ERROR_UNSUPPORTED, offsetof(struct header, version),
		               "version: %u, this library reads %d", (unsigned)header->version, VERSION);
	if (header->rule > LANEWISE_WORDS_SEGMENTS)
		return WRONG(rule, "%u", (unsigned)header->rule);
	if (header->keep_case > 1)
		return WRONG(keep_case, "%u", (unsigned)header->keep_case);
	if (header->drop_numbers > 1)
		return WRONG(drop_numbers, "%u", (unsigned)header->drop_numbers);
	if (header->min_characters > LANEWISE_WORD_BYTES)
		return WRONG(min_characters, "%u", (unsigned)header->min_characters);
	if (header->max_characters > LANEWISE_WORD_BYTES)
		return WRONG(max_characters, "%u", (unsigned)header->max_characters);
	if (header->n_stop > n_bytes / 2)
		return WRONG(n_stop, "%u in %zu bytes", (unsigned)header->n_stop, n_bytes);
	if (header->zero)
		return WRONG(zero, "%u", (unsigned)header->zero);
	while (n_name < STEMMER_NAME &&
	       ((header->stemmer[n_name] >= 'a' && header->stemmer[n_name] <= 'z') ||
	        (header->stemmer[n_name] >= '0' && header->stemmer[n_name] <= '9') || header->stemmer[n_name] == '_'))
		n_name++;
	for (size_t i = n_name; i < STEMMER_NAME || i == n_name; i++)
		if (i == STEMMER_NAME || header->stemmer[i])
			return WRONG(stemmer, "not the name of one, at its byte %zu", i);
	return LANEWISE_OK;
#undef WRONG
}

/* Finds the stop words, which must ascend and fill the bytes. */
static lanewise_status index_stop_words(lanewise_analyzer *analyzer, uint32_t *stop_at, lanewise_error *error)
{
	const unsigned char *bytes = analyzer->bytes, *before = NULL;
	size_t at = sizeof(struct header), n_bytes = analyzer->n_bytes;

	for (uint32_t i = 0; i < analyzer->header.n_stop; i++) {
		const unsigned char *word = bytes + at;

		if (at == n_bytes || word[0] == 0 || word[0] > n_bytes - at - 1)
			return lw_fail(error, LANEWISE_ERROR_DATA, at < n_bytes ? at : at - 1,
			               "stop word %u does not fit", (unsigned)i);
		if (before && compare_bytes(before + 1, before[0], word + 1, word[0]) >= 0)
			return lw_fail(error, LANEWISE_ERROR_DATA, at,
			               "stop word %u does not come after the one before", (unsigned)i);

		unsigned bit = stop_bit((const char *)word + 1, word[0]);

		analyzer->stop_filter[bit / 64] |= (uint64_t)1 << bit % 64;
		stop_at[i] = (uint32_t)at;
		before = word;
		at += (size_t)word[0] + 1;
	}
	if (at < n_bytes)
		return lw_fail(error, LANEWISE_ERROR_DATA, at, "bytes behind the last stop word");
	analyzer->stop_at = stop_at;
	return LANEWISE_OK;
}

static int is_known(const struct lw_snowball *snowball, const char *name)
{
	const char **list = snowball->list();

	while (*list && strcmp(*list, name) != 0)
		list++;
	return *list != NULL;
}

/* Makes a stemmer's buffers large enough for every word, so that it does not allocate later. */
static int prepare(const struct lw_snowball *snowball, struct sb_stemmer *stemmer)
{
	unsigned char longest[2 * LANEWISE_WORD_BYTES];

	memset(longest, 'z', sizeof longest);
	return snowball->stem(stemmer, longest, (int)sizeof longest) != NULL;
}

static lanewise_status create_stemmers(lanewise_analyzer *analyzer, lanewise_error *error)
{
	const uint64_t at = offsetof(struct header, stemmer);
	struct lw_snowball *snowball = &analyzer->snowball;
	const char *name = analyzer->header.stemmer, *why = "";

	if (!name[0])
		return LANEWISE_OK;
	if (!lanewise_snowball_find(snowball, &why))
		return lw_fail(error, LANEWISE_ERROR_UNSUPPORTED, at, "no stemmer %s: %s", name, why);
	if (!is_known(snowball, name))
		return lw_fail(error, LANEWISE_ERROR_UNSUPPORTED, at, "libstemmer knows no stemmer %s", name);
	for (size_t i = 0; i < STEMMERS; i++) {
		struct sb_stemmer *stemmer = snowball->create(name, NULL);

		atomic_init(&analyzer->stemmers[i], stemmer);
		if (!stemmer || !prepare(snowball, stemmer))
			return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, at, "no memory for a stemmer");
	}
	return LANEWISE_OK;
}

static size_t round_up(size_t n) { return (n + 63) / 64 * 64; }

lanewise_status lanewise_analyzer_load(const void *bytes, size_t n_bytes, const lanewise_allocator *allocator,
                                       lanewise_analyzer **analyzer, lanewise_error *error)
{
	struct header header;
	lanewise_status status;

	if (n_bytes < sizeof header || n_bytes > UINT32_MAX)
		return lw_fail(error, LANEWISE_ERROR_DATA, 0, "%zu bytes", n_bytes);
	memcpy(&header, bytes, sizeof header);
	if ((status = check_header(&header, n_bytes, error)))
		return status;

	size_t stop_bytes = round_up((size_t)header.n_stop * sizeof(uint32_t));
	size_t allocated = round_up(sizeof(struct lanewise_analyzer)) + stop_bytes + n_bytes;
	unsigned char *base = lw_allocate(allocator, allocated);
	lanewise_analyzer *made = (lanewise_analyzer *)(void *)base;

	if (!base)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the analyzer");
	memset(base, 0, sizeof *made);
	if (allocator)
		made->allocator = *allocator;
	made->allocated = allocated;
	atomic_init(&made->n_users, 1);
	made->header = header;
	made->n_bytes = n_bytes;
	made->bytes = base + allocated - n_bytes;
	memcpy(base + allocated - n_bytes, bytes, n_bytes);
	status = index_stop_words(made, (uint32_t *)(void *)(base + round_up(sizeof *made)), error);
	if (!status)
		status = create_stemmers(made, error);
	if (status) {
		lanewise_analyzer_destroy(made);
		return status;
	}
	*analyzer = made;
	return LANEWISE_OK;
}

lanewise_analyzer *lanewise_analyzer_retain(const lanewise_analyzer *analyzer)
{
	lanewise_analyzer *counted = (lanewise_analyzer *)(uintptr_t)analyzer;

	if (counted)
		atomic_fetch_add_explicit(&counted->n_users, 1, memory_order_relaxed);
	return counted;
}

void lanewise_analyzer_destroy(lanewise_analyzer *analyzer)
{
	if (!analyzer || atomic_fetch_sub_explicit(&analyzer->n_users, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < STEMMERS; i++) {
		struct sb_stemmer *stemmer = atomic_load_explicit(&analyzer->stemmers[i], memory_order_relaxed);

		if (stemmer)
			analyzer->snowball.destroy(stemmer);
	}

	lanewise_allocator copy = analyzer->allocator;

	lw_release(copy.allocate ? &copy : NULL, analyzer, analyzer->allocated);
}

/* ---------------------------------------------------------------- options */

/* The caller's list, then the built-in one, as one list. */
static lanewise_word stop_entry(const lanewise_analyzer_options *options, size_t i)
{
	if (i < options->n_stop_words)
		return options->stop_words[i];
	return (lanewise_word) { .text = english, .n_bytes = sizeof english - 1 };
}

/* What is being made: the stop words in any order and with repetitions, each its length and its bytes. */
struct collecting {
	unsigned char *pool; /* NULL while it is only measured */
	uint64_t *places;    /* of each in `pool` */
	size_t n_bytes, n_words;
};

static void collect_stop_words(struct collecting *collecting, const lanewise_analyzer_options *options)
{
	const struct header rules = { .rule = (uint32_t)options->rule, .keep_case = (uint32_t)options->keep_case };
	const lanewise_analyzer splitter = { .header = rules };
	size_t n = options->n_stop_words + (options->stop != NULL);

	collecting->n_bytes = collecting->n_words = 0;
	for (size_t i = 0; i < n; i++) {
		lanewise_word entry = stop_entry(options, i), word;
		struct lanewise_words words;
		int finished = 0;

		lanewise_words_begin_analyzed(&words, &splitter);
		lanewise_words_feed(&words, entry.text, entry.n_bytes);
		for (;;) {
			if (!lanewise_words_next_folded(&words, &word)) {
				if (finished++)
					break;
				lanewise_words_finish(&words);
				continue;
			}
			if (collecting->pool) {
				unsigned char *to = collecting->pool + collecting->n_bytes;

				collecting->places[collecting->n_words] = collecting->n_bytes;
				to[0] = (unsigned char)word.n_bytes;
				memcpy(to + 1, word.text, word.n_bytes);
			}
			collecting->n_bytes += word.n_bytes + 1;
			collecting->n_words++;
		}
	}
}

static int compare_places(const struct collecting *collecting, uint64_t a, uint64_t b)
{
	const unsigned char *x = collecting->pool + a, *y = collecting->pool + b;

	return compare_bytes(x + 1, x[0], y + 1, y[0]);
}

/* Lets places[root] sink to its place in a heap whose greatest word is first. */
static void sink(const struct collecting *collecting, size_t root, size_t n)
{
	uint64_t *places = collecting->places, place = places[root];

	for (size_t child; (child = 2 * root + 1) < n; root = child) {
		child += child + 1 < n && compare_places(collecting, places[child + 1], places[child]) > 0;
		if (compare_places(collecting, places[child], place) <= 0)
			break;
		places[root] = places[child];
	}
	places[root] = place;
}

static void sort_places(const struct collecting *collecting)
{
	size_t n = collecting->n_words;

	for (size_t root = n / 2; root > 0; root--)
		sink(collecting, root - 1, n);
	for (size_t left = n; left > 1; left--) {
		uint64_t greatest = collecting->places[0];

		collecting->places[0] = collecting->places[left - 1];
		collecting->places[left - 1] = greatest;
		sink(collecting, 0, left - 1);
	}
}

/* The analyzer's bytes into `bytes`, which has room for the header and the whole pool; their number. */
static size_t write_bytes(const struct collecting *collecting, struct header *header, unsigned char *bytes)
{
	size_t at = sizeof *header;

	header->n_stop = 0;
	for (size_t i = 0; i < collecting->n_words; i++) {
		const unsigned char *word = collecting->pool + collecting->places[i];

		if (i && compare_places(collecting, collecting->places[i - 1], collecting->places[i]) == 0)
			continue;
		memcpy(bytes + at, word, (size_t)word[0] + 1);
		at += (size_t)word[0] + 1;
		header->n_stop++;
	}
	memcpy(bytes, header, sizeof *header);
	return at;
}

static lanewise_status create_from(const lanewise_analyzer_options *options, struct header *header,
                                   const lanewise_allocator *allocator, lanewise_analyzer **analyzer,
                                   lanewise_error *error)
{
	struct collecting collecting = { .pool = NULL };
	lanewise_status status;
	size_t allocated, n_pool;
	unsigned char *base;

	collect_stop_words(&collecting, options);
	n_pool = round_up(collecting.n_bytes);
	allocated = round_up(collecting.n_words * sizeof(uint64_t)) + n_pool + sizeof *header + collecting.n_bytes;
	base = lw_allocate(allocator, allocated);
	if (!base)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the stop words");
	collecting.places = (uint64_t *)(void *)base;
	collecting.pool = base + round_up(collecting.n_words * sizeof(uint64_t));
	collect_stop_words(&collecting, options);
	sort_places(&collecting);

	unsigned char *bytes = collecting.pool + n_pool;
	size_t n_bytes = write_bytes(&collecting, header, bytes);

	status = lanewise_analyzer_load(bytes, n_bytes, allocator, analyzer, error);
	lw_release(allocator, base, allocated);
	/* Offsets are those of a file. */
	if (status && error)
		error->offset = LANEWISE_NO_OFFSET;
	return status;
}

static lanewise_status check_options(const lanewise_analyzer_options *options, lanewise_error *error)
{
	size_t n_bytes = 0;

#define WRONG(...) lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, __VA_ARGS__)
	if ((unsigned)options->rule > LANEWISE_WORDS_SEGMENTS)
		return WRONG("rule: %u", (unsigned)options->rule);
	if ((unsigned)options->keep_case > 1)
		return WRONG("keep_case: %d", (int)options->keep_case);
	if ((unsigned)options->drop_numbers > 1)
		return WRONG("drop_numbers: %d", (int)options->drop_numbers);
	if (options->min_characters > LANEWISE_WORD_BYTES || options->max_characters > LANEWISE_WORD_BYTES)
		return WRONG("min_characters or max_characters: over %d", LANEWISE_WORD_BYTES);
	if (options->stop && strcmp(options->stop, "english") != 0)
		return WRONG("stop: no list %.32s; there is english", options->stop);
	if (!options->stop_words && options->n_stop_words)
		return WRONG("stop_words is NULL");
	for (size_t i = 0; i < options->n_stop_words; i++) {
		if (!options->stop_words[i].text && options->stop_words[i].n_bytes)
			return WRONG("stop word %zu is NULL", i);
		if (options->stop_words[i].n_bytes > MAX_STOP_BYTES - n_bytes)
			return WRONG("stop words of more than %d bytes", MAX_STOP_BYTES);
		n_bytes += options->stop_words[i].n_bytes;
	}
	if (options->stemmer && (!options->stemmer[0] || strlen(options->stemmer) >= STEMMER_NAME))
		return WRONG("stemmer: no algorithm has the name %.64s", options->stemmer);
	return LANEWISE_OK;
#undef WRONG
}

lanewise_status lanewise_analyzer_create(const lanewise_analyzer_options *options, const lanewise_allocator *allocator,
                                         lanewise_analyzer **analyzer, lanewise_error *error)
{
	static const lanewise_analyzer_options defaults = { .struct_size = sizeof defaults };
	struct header header = { .version = VERSION };
	lanewise_status status;

	if (!analyzer)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "analyzer is NULL");
	if (!options)
		options = &defaults;
	if (options->struct_size != sizeof *options)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "struct_size: %zu instead of %zu",
		               options->struct_size, sizeof *options);
	if ((status = check_options(options, error)))
		return status;
	header.rule = (uint32_t)options->rule;
	header.keep_case = (uint32_t)options->keep_case;
	header.drop_numbers = (uint32_t)options->drop_numbers;
	header.min_characters = options->min_characters;
	header.max_characters = options->max_characters;
	if (options->stemmer)
		memcpy(header.stemmer, options->stemmer, strlen(options->stemmer));
	status = create_from(options, &header, allocator, analyzer, error);
	/* A name that no file could hold is the caller's. */
	if (status == LANEWISE_ERROR_DATA)
		return error ? (error->status = LANEWISE_ERROR_ARGUMENT) : LANEWISE_ERROR_ARGUMENT;
	return status;
}
