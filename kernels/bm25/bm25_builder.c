/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From texts to an index.
 *
 * The builder numbers words in order of first occurrence through a hash table and keeps the postings document by
 * document. lanewise_bm25_create sorts the words and deals the postings out to them, which leaves each word's
 * documents ascending. So nothing of the hash table, and with it of its key, shows in the index.
 */
#define _DEFAULT_SOURCE /* for secret.h */

#include "bm25/bm25.h"
#include "bm25/bm25_formula.h"
#include "bm25/word_table.h"

#include <string.h>

#include <lanewise/text.h>

#include "common.h"
#include "pages/pages.h"
#include "support.h"
#include "text/text.h"

/*
 * What looking a word up and counting it needs, in half a cache line. Term 0 is no word: empty places of the hash table
 * hold its number, so its target is UNKNOWN as that of words which are new; and it stands for words that are dropped.
 */
struct term {
	struct lw_word_start start;
	uint32_t posting; /* where the document under way has it, if that posting is of this word; else anything */
	uint32_t target;  /* the number of the word that a text with this one has, 0 if it is dropped, or UNKNOWN */
	uint64_t text_at : 56; /* in the pool */
	uint64_t n_bytes : 8;
};

/* What is not asked yet of the analyzer. */
#define UNKNOWN UINT32_MAX

struct posting {
	uint32_t term;
	uint32_t count;
};

/* Elements of one type that grow. Those of more than 8 bytes are aligned to 64. */
struct array {
	void *elements;
	size_t n, capacity;
	size_t element_bytes;
};

struct lanewise_bm25_builder {
	lanewise_allocator allocator; /* a copy; `allocate` NULL for the C library's */
	lanewise_bm25_options options;
	lanewise_analyzer *analyzer; /* or NULL */
	struct lw_word_key key;
	uint64_t total_length; /* without removed documents, as the next two */
	uint64_t n_postings;
	uint32_t n_removed;

	uint32_t *
	        table; /* of terms, by open addressing; at most a quarter full, so that the first place is mostly right */
	size_t table_size;        /* 0 before the first document */
	struct array terms;       /* struct term */
	struct array hashes;      /* uint64_t, as many */
	struct array pool;        /* char: the words */
	struct array postings;    /* struct posting, document by document */
	struct array gathered;    /* struct posting: room for those of the document under way; does not count them */
	struct array lengths;     /* uint32_t: words per document, plus REMOVED */
	struct array posting_end; /* uint64_t: where each document's postings end */
};

/* Marks the length of a removed document, whose postings stay where they are until the builder is made compact. */
#define REMOVED (LW_BM25_MAX_LENGTH + 1)

/* ----------------------------------------------------------------- memory */

/* Elements in another place, or NULL. Large ones of the C library need not be copied, if they need no alignment. */
static void *move_elements(const lanewise_allocator *allocator, const struct array *array, size_t capacity)
{
	void *elements;

	if (!allocator && array->element_bytes <= sizeof(uint64_t))
		return realloc(array->elements, capacity * array->element_bytes);
	elements = lanewise_allocate_pages(allocator, capacity * array->element_bytes);
	if (!elements)
		return NULL;
	if (array->n)
		memcpy(elements, array->elements, array->n * array->element_bytes);
	lw_release(allocator, array->elements, array->capacity * array->element_bytes);
	return elements;
}

LW_NOINLINE static lanewise_status grow(const lanewise_allocator *allocator, struct array *array, size_t more)
{
	size_t capacity = array->capacity ? array->capacity : 64;
	void *elements;

	while (capacity - array->n < more) {
		if (capacity > SIZE_MAX / 2 / array->element_bytes)
			return LANEWISE_ERROR_TOO_LARGE;
		capacity *= 2;
	}
	elements = move_elements(allocator, array, capacity);
	if (!elements)
		return LANEWISE_ERROR_NO_MEMORY;
	array->elements = elements;
	array->capacity = capacity;
	return LANEWISE_OK;
}

/* Makes room for `more` elements. */
LW_INLINE lanewise_status reserve(const lanewise_allocator *allocator, struct array *array, size_t more)
{
	return LW_LIKELY(more <= array->capacity - array->n) ? LANEWISE_OK : grow(allocator, array, more);
}

static void release_array(const lanewise_allocator *allocator, struct array *array)
{
	lw_release(allocator, array->elements, array->capacity * array->element_bytes);
}

/* ---------------------------------------------------------------- builder */

static lanewise_bm25_options default_options(void)
{
	return (lanewise_bm25_options) { .struct_size = sizeof(lanewise_bm25_options), .k1 = 1.2f, .b = 0.75f };
}

static int are_valid(const lanewise_bm25_options *options)
{
	return options->k1 >= 0 && options->k1 <= LW_BM25_MAX_K1 && options->b >= 0 && options->b <= 1 &&
	       (unsigned)options->variant <= LANEWISE_BM25_OKAPI && options->delta >= 0 &&
	       options->delta <= LW_BM25_MAX_DELTA && options->epsilon >= 0 && options->epsilon <= 1 &&
	       (options->without_counts == 0 || options->without_counts == 1);
}

lanewise_status lanewise_bm25_builder_create(const lanewise_bm25_options *options, const lanewise_allocator *allocator,
                                             lanewise_bm25_builder **builder)
{
	lanewise_bm25_options chosen = default_options();
	lanewise_bm25_builder *made;

	if (!builder || (options && options->struct_size != sizeof *options))
		return LANEWISE_ERROR_ARGUMENT;
	if (options)
		chosen = *options;
	if (!are_valid(&chosen))
		return LANEWISE_ERROR_ARGUMENT;
	made = lw_allocate(allocator, sizeof *made);
	if (!made)
		return LANEWISE_ERROR_NO_MEMORY;
	memset(made, 0, sizeof *made);
	if (allocator)
		made->allocator = *allocator;
	made->options = chosen;
	made->options.k1 += 0.0f; /* -0 and 0 are saved alike */
	made->options.b += 0.0f;
	made->options.delta += 0.0f;
	made->options.epsilon += 0.0f;
	lw_make_word_key(&made->key);
	made->terms.element_bytes = sizeof(struct term);
	made->hashes.element_bytes = sizeof(uint64_t);
	made->pool.element_bytes = 1;
	made->postings.element_bytes = sizeof(struct posting);
	made->gathered.element_bytes = sizeof(struct posting);
	made->lengths.element_bytes = sizeof(uint32_t);
	made->posting_end.element_bytes = sizeof(uint64_t);
	*builder = made;
	return LANEWISE_OK;
}

void lanewise_bm25_builder_destroy(lanewise_bm25_builder *builder)
{
	if (!builder)
		return;

	lanewise_allocator copy = builder->allocator;
	const lanewise_allocator *allocator = lw_allocator_of(&copy);

	lw_release(allocator, builder->table, builder->table_size * sizeof *builder->table);
	release_array(allocator, &builder->terms);
	release_array(allocator, &builder->hashes);
	release_array(allocator, &builder->pool);
	release_array(allocator, &builder->postings);
	release_array(allocator, &builder->gathered);
	release_array(allocator, &builder->lengths);
	release_array(allocator, &builder->posting_end);
	lanewise_analyzer_destroy(builder->analyzer);
	lw_release(allocator, builder, sizeof *builder);
}

lanewise_status lanewise_bm25_builder_use_analyzer(lanewise_bm25_builder *builder, const lanewise_analyzer *analyzer)
{
	if (!builder || builder->lengths.n)
		return LANEWISE_ERROR_ARGUMENT;
	lanewise_analyzer_destroy(builder->analyzer);
	builder->analyzer = lanewise_analyzer_retain(analyzer);
	/* Words of a text that could not be added may be known by other rules. */
	for (size_t i = 1; i < builder->terms.n; i++)
		((struct term *)builder->terms.elements)[i].target = UNKNOWN;
	return LANEWISE_OK;
}

/* Makes the table, or makes it larger. */
static lanewise_status grow_table(lanewise_bm25_builder *builder)
{
	const lanewise_allocator *allocator = lw_allocator_of(&builder->allocator);
	const uint64_t *hashes = builder->hashes.elements;
	size_t size = builder->table_size ? 2 * builder->table_size : 1024;
	uint32_t *table;

	if (size > SIZE_MAX / sizeof *table)
		return LANEWISE_ERROR_TOO_LARGE;
	table = lanewise_allocate_pages(allocator, size * sizeof *table);
	if (!table)
		return LANEWISE_ERROR_NO_MEMORY;
	memset(table, 0, size * sizeof *table);
	for (size_t i = 1; i < builder->terms.n; i++) {
		size_t at = hashes[i] & (size - 1);

		while (table[at])
			at = (at + 1) & (size - 1);
		table[at] = (uint32_t)i;
	}
	lw_release(allocator, builder->table, builder->table_size * sizeof *table);
	builder->table = table;
	builder->table_size = size;
	return LANEWISE_OK;
}

/* A word to look up. */
struct wanted {
	const char *text;
	size_t n_bytes;
	struct lw_word_start start;
	uint64_t hash;
};

static struct wanted wanted_of(const lanewise_bm25_builder *builder, const lanewise_word *word)
{
	return (struct wanted) { word->text, word->n_bytes, lw_word_start_of(word->text, word->n_bytes),
		                 lw_hash_word(&builder->key, word->text, word->n_bytes) };
}

LW_NOINLINE static lanewise_status add_term(lanewise_bm25_builder *builder, const struct wanted *word, uint32_t *number)
{
	const lanewise_allocator *allocator = lw_allocator_of(&builder->allocator);
	lanewise_status status;
	struct term *term;

	if (builder->terms.n == UNKNOWN)
		return LANEWISE_ERROR_TOO_LARGE;
	if ((builder->terms.n >= builder->table_size / 4 && (status = grow_table(builder))) ||
	    (status = reserve(allocator, &builder->terms, 1)) || (status = reserve(allocator, &builder->hashes, 1)) ||
	    (status = reserve(allocator, &builder->pool, word->n_bytes)))
		return status;
	*number = (uint32_t)builder->terms.n;
	term = (struct term *)builder->terms.elements + *number;
	term->start = word->start;
	term->posting = 0;
	term->target = builder->analyzer ? UNKNOWN : *number;
	term->text_at = builder->pool.n & (((uint64_t)1 << 56) - 1);
	term->n_bytes = (uint8_t)word->n_bytes;
	((uint64_t *)builder->hashes.elements)[*number] = word->hash;
	memcpy((char *)builder->pool.elements + builder->pool.n, word->text, word->n_bytes);
	builder->pool.n += word->n_bytes;

	size_t mask = builder->table_size - 1, at = word->hash & mask;

	while (builder->table[at])
		at = (at + 1) & mask;
	builder->table[at] = *number;
	builder->terms.n++;
	builder->hashes.n++;
	return LANEWISE_OK;
}

/* The table, and term 0. */
static lanewise_status prepare_terms(lanewise_bm25_builder *builder)
{
	const lanewise_allocator *allocator = lw_allocator_of(&builder->allocator);
	lanewise_status status;

	if ((status = reserve(allocator, &builder->terms, 1)) || (status = reserve(allocator, &builder->hashes, 1)) ||
	    (status = grow_table(builder)))
		return status;
	*(struct term *)builder->terms.elements = (struct term) { .target = UNKNOWN };
	memset(builder->hashes.elements, 0, sizeof(uint64_t));
	builder->terms.n = builder->hashes.n = 1;
	return LANEWISE_OK;
}

/* Whether a term is the word: most are told apart by what is here of them. */
LW_INLINE int is_word(const lanewise_bm25_builder *builder, const struct term *term, const struct wanted *word)
{
	if (((term->start.low ^ word->start.low) | (term->start.high ^ word->start.high) |
	     (term->n_bytes ^ word->n_bytes)) != 0)
		return 0;
	return LW_LIKELY(word->n_bytes <= 16) || memcmp((const char *)builder->pool.elements + term->text_at + 16,
	                                                word->text + 16, word->n_bytes - 16) == 0;
}

/* The number of a word; 0 if it is new. */
LW_INLINE uint32_t find(const lanewise_bm25_builder *builder, const struct wanted *word)
{
	const struct term *terms = builder->terms.elements;
	size_t mask = builder->table_size - 1;

	for (size_t at = word->hash & mask;; at = (at + 1) & mask) {
		uint32_t number = builder->table[at];

		if (LW_LIKELY(is_word(builder, &terms[number], word)) || number == 0)
			return number;
	}
}

static lanewise_status intern(lanewise_bm25_builder *builder, const lanewise_word *word, uint32_t *number)
{
	struct wanted wanted = wanted_of(builder, word);

	*number = find(builder, &wanted);
	return *number ? LANEWISE_OK : add_term(builder, &wanted, number);
}

static struct term *term_at(const lanewise_bm25_builder *builder, uint32_t number)
{
	return (struct term *)builder->terms.elements + number;
}

/* Asks the analyzer what becomes of a word. */
static lanewise_status find_target(lanewise_bm25_builder *builder, uint32_t number, const struct wanted *wanted)
{
	const lanewise_word word = { .text = wanted->text, .n_bytes = wanted->n_bytes };
	char stem[LANEWISE_WORD_BYTES];
	lanewise_word taken = word;
	uint32_t target = 0;

	if (lanewise_analyzer_take(builder->analyzer, &taken, stem)) {
		int same = taken.n_bytes == word.n_bytes && memcmp(taken.text, word.text, word.n_bytes) == 0;
		lanewise_status status = LANEWISE_OK;

		target = number;
		if (!same && (status = intern(builder, &taken, &target)))
			return status;
	}
	term_at(builder, number)->target = target;
	return LANEWISE_OK;
}

/* The document under way: how many postings of it are gathered, and its words. */
struct document {
	uint32_t n;
	uint64_t length;
};

/*
 * Counts a word, by its number, or nothing for number 0; there is room for one more posting. Whether the document has
 * the word already or drops it cannot be predicted, so there is no branch on it: a posting behind the last one is
 * written in vain. A term's place is looked at before it is known to be this document's, as room only grows.
 */
LW_INLINE void count_word(struct term *term, struct posting *gathered, uint32_t number, struct document *document)
{
	uint32_t n = document->n, at = term->posting;
	struct posting posting = gathered[at];
	uint32_t again = (uint32_t)((at < n) & (posting.term == number)), taken = number != 0;
	uint32_t mask = 0 - again; /* a conditional expression would become a branch */

	at = n ^ ((n ^ at) & mask);
	gathered[at] = (struct posting) { number, (posting.count & mask) + 1 };
	term->posting = at;
	document->n = n + (taken & ~again);
	document->length += taken;
}

/* Room for n more postings of the document. */
static lanewise_status reserve_postings(lanewise_bm25_builder *builder, const struct document *document, size_t n)
{
	struct array *gathered = &builder->gathered;
	lanewise_status status;

	if (n < gathered->capacity - document->n)
		return LANEWISE_OK;
	gathered->n = document->n;
	status = grow(lw_allocator_of(&builder->allocator), gathered, n + 1);
	gathered->n = 0;
	return status;
}

/* Asks for the target of a word that may be new. */
LW_NOINLINE static lanewise_status learn_word(lanewise_bm25_builder *builder, const struct wanted *word,
                                              uint32_t number)
{
	lanewise_status status = number ? LANEWISE_OK : add_term(builder, word, &number);

	return status || term_at(builder, number)->target != UNKNOWN ? status : find_target(builder, number, word);
}

/* Counts a folded word of a text as what the analyzer makes of it; each word is analyzed once. */
LW_INLINE lanewise_status add_word(lanewise_bm25_builder *builder, const struct wanted *word, struct document *document)
{
	uint32_t number = find(builder, word), target = term_at(builder, number)->target;

	if (LW_UNLIKELY(target == UNKNOWN)) {
		lanewise_status status = learn_word(builder, word, number);

		if (status)
			return status;
		target = term_at(builder, find(builder, word))->target;
	}
	count_word(term_at(builder, target), builder->gathered.elements, target, document);
	return LANEWISE_OK;
}

/* Words are looked up in groups: the table is large, and so what it holds of one is fetched while others are done. */
enum { GROUP = 64 };

static struct wanted wanted_in(const lanewise_bm25_builder *builder, const struct lw_word_batch *batch, size_t i)
{
	size_t begin = batch->edges[2 * i], n_bytes = batch->edges[2 * i + 1] - begin;
	struct wanted word = { .text = batch->text + begin, .n_bytes = n_bytes };

	if (LW_LIKELY(n_bytes <= 16)) {
		word.start = lw_word_start_padded(word.text, n_bytes);
		word.hash = lw_hash_start(&builder->key, word.start, n_bytes);
	} else {
		word.n_bytes = n_bytes < LANEWISE_WORD_BYTES ? n_bytes : LANEWISE_WORD_BYTES;
		word.start = lw_word_start_padded(word.text, 16);
		word.hash = lw_hash_word(&builder->key, word.text, word.n_bytes);
	}
	return word;
}

static lanewise_status add_group(lanewise_bm25_builder *builder, const struct lw_word_batch *batch, size_t at, size_t n,
                                 struct document *document)
{
	const struct term *terms = builder->terms.elements;
	const uint32_t *table = builder->table;
	size_t mask = builder->table_size - 1;
	struct document here = *document; /* a copy can stay in registers */
	struct wanted group[GROUP];
	lanewise_status status = LANEWISE_OK;

	for (size_t i = 0; i < n; i++) {
		group[i] = wanted_in(builder, batch, at + i);
		__builtin_prefetch(&table[group[i].hash & mask]);
	}
	for (size_t i = 0; i < n; i++)
		__builtin_prefetch(&terms[table[group[i].hash & mask]], 1);
	for (size_t i = 0; i < n && !status; i++)
		status = add_word(builder, &group[i], &here);
	*document = here;
	return status;
}

static lanewise_status add_batch(lanewise_bm25_builder *builder, const struct lw_word_batch *batch,
                                 struct document *document)
{
	lanewise_status status = reserve_postings(builder, document, batch->n);

	for (size_t i = 0; i < batch->n && !status; i += GROUP)
		status = add_group(builder, batch, i, batch->n - i < GROUP ? batch->n - i : GROUP, document);
	return status || document->length <= LW_BM25_MAX_LENGTH ? status : LANEWISE_ERROR_TOO_LARGE;
}

static lanewise_status add_words(lanewise_bm25_builder *builder, lanewise_words *words, struct document *document)
{
	struct lw_word_batch batch;
	lanewise_status status;
	lanewise_word word;

	for (;;) {
		lanewise_words_next_batch(words, &batch);
		if ((status = add_batch(builder, &batch, document)))
			return status;
		if (lanewise_words_are_over(words))
			return LANEWISE_OK;
		if (batch.n)
			continue;
		if (!lanewise_words_next_folded(words, &word))
			return LANEWISE_OK;

		struct wanted wanted = wanted_of(builder, &word);

		if ((status = reserve_postings(builder, document, 1)) ||
		    (status = add_word(builder, &wanted, document)))
			return status;
	}
}

/* Takes a document if all went well. New words stay in the table; without a posting they are not in the index. */
static lanewise_status end_document(lanewise_bm25_builder *builder, const struct document *document,
                                    lanewise_status status)
{
	struct array *postings = &builder->postings;

	if (status || (status = reserve(lw_allocator_of(&builder->allocator), postings, document->n)))
		return status;
	if (document->n)
		memcpy((struct posting *)postings->elements + postings->n, builder->gathered.elements,
		       document->n * sizeof(struct posting));
	postings->n += document->n;
	((uint32_t *)builder->lengths.elements)[builder->lengths.n++] = (uint32_t)document->length;
	((uint64_t *)builder->posting_end.elements)[builder->posting_end.n++] = postings->n;
	builder->total_length += document->length;
	builder->n_postings += document->n;
	return LANEWISE_OK;
}

/* Room for one more document. */
static lanewise_status begin_document(lanewise_bm25_builder *builder)
{
	const lanewise_allocator *allocator = lw_allocator_of(&builder->allocator);
	lanewise_status status;

	if (builder->lengths.n == UINT32_MAX)
		return LANEWISE_ERROR_TOO_LARGE;
	if ((status = reserve(allocator, &builder->lengths, 1)) ||
	    (status = reserve(allocator, &builder->posting_end, 1)))
		return status;
	return builder->table_size ? LANEWISE_OK : prepare_terms(builder);
}

lanewise_status lanewise_bm25_builder_add_text(lanewise_bm25_builder *builder, const char *text, size_t n_bytes)
{
	_Alignas(LW_SCRATCH_ALIGNMENT) unsigned char scratch[512];
	lanewise_status status;

	if (!builder || (!text && n_bytes))
		return LANEWISE_ERROR_ARGUMENT;
	if ((status = begin_document(builder)))
		return status;

	lanewise_words *words = lanewise_words_begin_analyzed(scratch, builder->analyzer);
	struct document document = { 0 };

	lanewise_words_feed_last(words, text, n_bytes);
	status = add_words(builder, words, &document);
	return end_document(builder, &document, status);
}

lanewise_status lanewise_bm25_builder_add_texts(lanewise_bm25_builder *builder, const char *texts, const size_t *ends,
                                                size_t n)
{
	lanewise_status status = LANEWISE_OK;

	if (!builder || (!ends && n) || (n && !texts && ends[n - 1]))
		return LANEWISE_ERROR_ARGUMENT;
	for (size_t i = 1; i < n; i++)
		if (ends[i] < ends[i - 1])
			return LANEWISE_ERROR_ARGUMENT;
	for (size_t i = 0, begin = 0; i < n && !status; begin = ends[i++])
		status = lanewise_bm25_builder_add_text(builder, begin < ends[i] ? texts + begin : NULL,
		                                        ends[i] - begin);
	return status;
}

lanewise_status lanewise_bm25_builder_add_words(lanewise_bm25_builder *builder, const lanewise_word *words,
                                                size_t n_words)
{
	lanewise_status status;

	if (!builder || (!words && n_words))
		return LANEWISE_ERROR_ARGUMENT;
	for (size_t i = 0; i < n_words; i++)
		if (!words[i].text || words[i].n_bytes == 0 || words[i].n_bytes > LANEWISE_WORD_BYTES)
			return LANEWISE_ERROR_ARGUMENT;
	if (n_words > LW_BM25_MAX_LENGTH)
		return LANEWISE_ERROR_TOO_LARGE;
	if ((status = begin_document(builder)))
		return status;

	struct document document = { 0 };

	status = reserve_postings(builder, &document, n_words);
	for (size_t i = 0; i < n_words && !status; i++) {
		uint32_t number;

		status = intern(builder, &words[i], &number);
		if (!status)
			count_word(term_at(builder, number), builder->gathered.elements, number, &document);
	}
	return end_document(builder, &document, status);
}

size_t lanewise_bm25_builder_n_documents(const lanewise_bm25_builder *builder) { return builder->lengths.n; }

lanewise_status lanewise_bm25_builder_remove(lanewise_bm25_builder *builder, size_t document)
{
	if (!builder || document >= builder->lengths.n)
		return LANEWISE_ERROR_ARGUMENT;

	uint32_t *length = (uint32_t *)builder->lengths.elements + document;
	const uint64_t *end = (const uint64_t *)builder->posting_end.elements + document;

	if (*length & REMOVED)
		return LANEWISE_ERROR_ARGUMENT;
	builder->total_length -= *length;
	builder->n_postings -= end[0] - (document ? end[-1] : 0);
	builder->n_removed++;
	*length |= REMOVED;
	return LANEWISE_OK;
}

void lanewise_bm25_builder_compact(lanewise_bm25_builder *builder)
{
	uint32_t *lengths = builder->lengths.elements;
	uint64_t *ends = builder->posting_end.elements, begin = 0, kept_postings = 0;
	struct posting *postings = builder->postings.elements;
	size_t kept = 0;

	if (builder->n_removed == 0)
		return;
	for (size_t document = 0; document < builder->lengths.n; document++) {
		uint64_t end = ends[document];

		if (!(lengths[document] & REMOVED)) {
			if (end > begin)
				memmove(postings + kept_postings, postings + begin,
				        (size_t)(end - begin) * sizeof *postings);
			kept_postings += end - begin;
			lengths[kept] = lengths[document];
			ends[kept++] = kept_postings;
		}
		begin = end;
	}
	builder->lengths.n = builder->posting_end.n = kept;
	builder->postings.n = (size_t)kept_postings;
	builder->n_removed = 0;
}

/* ------------------------------------------------------------------ index */

/* A word to sort: the first eight bytes, as an integer that orders as they do, and its number in the builder. */
struct sort_item {
	uint64_t prefix;
	uint32_t term;
};

static int comes_before(const struct term *terms, const char *pool, struct sort_item a, struct sort_item b)
{
	const struct term *x = &terms[a.term], *y = &terms[b.term];
	size_t shorter = x->n_bytes < y->n_bytes ? x->n_bytes : y->n_bytes;
	int order;

	if (a.prefix != b.prefix)
		return a.prefix < b.prefix;
	order = memcmp(pool + x->text_at, pool + y->text_at, shorter);
	return order ? order < 0 : x->n_bytes < y->n_bytes;
}

/* Merges [begin, middle) and [middle, end) of `from` into `to`. */
static void merge(const lanewise_bm25_builder *builder, const struct sort_item *from, struct sort_item *to,
                  size_t begin, size_t middle, size_t end)
{
	const struct term *terms = builder->terms.elements;
	const char *pool = builder->pool.elements;
	size_t left = begin, right = middle;

	for (size_t at = begin; at < end; at++) {
		int take_left = left < middle && (right == end || comes_before(terms, pool, from[left], from[right]));

		to[at] = take_left ? from[left++] : from[right++];
	}
}

/* Sorts n items at `from` by comparing them, with room for n at `to`; returns where the result lies. */
static struct sort_item *merge_sort(const lanewise_bm25_builder *builder, struct sort_item *from, struct sort_item *to,
                                    size_t n)
{
	for (size_t width = 1; width < n; width *= 2) {
		for (size_t begin = 0; begin < n; begin += 2 * width) {
			size_t middle = n - begin < width ? n : begin + width;
			size_t end = n - begin < 2 * width ? n : begin + 2 * width;

			merge(builder, from, to, begin, middle, end);
		}

		struct sort_item *sorted = to;

		to = from;
		from = sorted;
	}
	return from;
}

/* Sorts by one byte of the prefix, from `from` to `to`, keeping the order of equals; 0 if all have the same. */
static int sort_by_byte(const struct sort_item *from, struct sort_item *to, size_t n, unsigned shift)
{
	size_t places[256] = { 0 };

	for (size_t i = 0; i < n; i++)
		places[from[i].prefix >> shift & 255]++;
	if (n == 0 || places[from[0].prefix >> shift & 255] == n)
		return 0;
	for (size_t value = 0, at = 0; value < 256; value++) {
		size_t count = places[value];

		places[value] = at;
		at += count;
	}
	for (size_t i = 0; i < n; i++)
		to[places[from[i].prefix >> shift & 255]++] = from[i];
	return 1;
}

/*
 * Sorts n items, with room for n more after them; returns where the result lies. Prefixes are sorted byte by byte, the
 * last byte first; words with one prefix are compared.
 */
static struct sort_item *sort_terms(const lanewise_bm25_builder *builder, struct sort_item *items, size_t n)
{
	struct sort_item *from = items, *to = items + n;

	for (unsigned shift = 0; shift < 64; shift += 8)
		if (sort_by_byte(from, to, n, shift)) {
			struct sort_item *sorted = to;

			to = from;
			from = sorted;
		}
	for (size_t begin = 0, end; begin < n; begin = end) {
		for (end = begin + 1; end < n && from[end].prefix == from[begin].prefix; end++)
			;
		if (end - begin > 1 && merge_sort(builder, from + begin, to + begin, end - begin) != from + begin)
			memcpy(from + begin, to + begin, (end - begin) * sizeof *from);
	}
	return from;
}

/* How much of each there is in an index. */
struct amounts {
	size_t n_terms, n_text, n_runs, n_large;
};

/* The sizes and places of an index's arrays in its one allocation. */
struct layout {
	size_t lengths, term_at, terms, posting_at, documents, quanta, counts, large_at, large, run_at, runs, most;
	size_t n_bytes;
};

/* The place of n elements at the end of what is laid out; sets `overflow` if there is no such place. */
static size_t place(size_t *end, size_t n, size_t element_bytes, int *overflow)
{
	size_t begin = *end;

	if (n > (SIZE_MAX - 63 - begin) / element_bytes) {
		*overflow = 1;
		return 0;
	}
	*end = (begin + n * element_bytes + 63) / 64 * 64;
	return begin;
}

static int lay_out(struct layout *layout, const lanewise_bm25_builder *builder, const struct amounts *amounts)
{
	size_t n_terms = amounts->n_terms, n_runs = amounts->n_runs, n_postings = (size_t)builder->n_postings;
	int overflow = 0, counts = !builder->options.without_counts;
	size_t end = 0;

	place(&end, 1, sizeof(struct lanewise_bm25), &overflow);
	layout->lengths = place(&end, counts ? builder->lengths.n : 0, sizeof(uint32_t), &overflow);
	layout->term_at = place(&end, n_terms + 1, sizeof(uint32_t), &overflow);
	layout->terms = place(&end, amounts->n_text, 1, &overflow);
	layout->posting_at = place(&end, n_terms + 1, sizeof(uint64_t), &overflow);
	layout->documents = place(&end, n_postings, sizeof(uint16_t), &overflow);
	layout->quanta = place(&end, n_postings, sizeof(uint16_t), &overflow);
	layout->counts = place(&end, counts ? n_postings : 0, sizeof(uint8_t), &overflow);
	layout->large_at = place(&end, amounts->n_large, sizeof(uint64_t), &overflow);
	layout->large = place(&end, amounts->n_large, sizeof(uint32_t), &overflow);
	layout->run_at = place(&end, n_terms + 1, sizeof(uint32_t), &overflow);
	layout->runs = place(&end, n_runs, sizeof(uint32_t), &overflow);
	layout->most = place(&end, n_runs, sizeof(uint16_t), &overflow);
	layout->n_bytes = end;
	return !overflow && amounts->n_text <= UINT32_MAX && n_runs <= UINT32_MAX;
}

#define NO_SEGMENT UINT32_MAX

/* One of the builder's words as its postings are dealt out. */
struct filling {
	uint64_t posting, run, large; /* first how many it has, then where the next one goes */
	uint32_t segment;             /* of the run under way */
};

/* What creating an index needs besides it. */
struct work {
	struct sort_item *items;  /* two for each of the builder's words */
	struct filling *fillings; /* for each of them */
	size_t items_bytes, fillings_bytes;
};

static int is_kept(const lanewise_bm25_builder *builder, size_t document)
{
	return !(((const uint32_t *)builder->lengths.elements)[document] & REMOVED);
}

/* A removed document is an empty one. */
static uint32_t length_of(const lanewise_bm25_builder *builder, size_t document)
{
	return is_kept(builder, document) ? ((const uint32_t *)builder->lengths.elements)[document] : 0;
}

/* Words are in no order here, so what is known of one is fetched so many postings before it is needed. */
enum { FETCH_AHEAD = 32 };

/* Counts each word's postings, runs and large counts. */
static void count_postings(const lanewise_bm25_builder *builder, struct filling *fillings)
{
	const struct posting *postings = builder->postings.elements;
	const uint64_t *posting_end = builder->posting_end.elements;
	size_t i = 0;

	for (size_t term = 0; term < builder->terms.n; term++)
		fillings[term] = (struct filling) { 0, 0, 0, NO_SEGMENT };
	for (size_t document = 0; document < builder->lengths.n; i = posting_end[document++])
		for (; is_kept(builder, document) && i < posting_end[document]; i++) {
			struct filling *filling = &fillings[postings[i].term];
			uint32_t segment = (uint32_t)(document / LW_BM25_SEGMENT);

			if (builder->postings.n - i > FETCH_AHEAD)
				__builtin_prefetch(&fillings[postings[i + FETCH_AHEAD].term], 1);
			filling->posting++;
			filling->run += filling->segment != segment;
			filling->large += postings[i].count >= LW_BM25_LARGE;
			filling->segment = segment;
		}
}

/* Finds the words that have postings. */
static struct amounts collect_terms(const lanewise_bm25_builder *builder, struct work *work)
{
	const struct term *terms = builder->terms.elements;
	const char *pool = builder->pool.elements;
	struct amounts amounts = { 0 };

	count_postings(builder, work->fillings);
	for (size_t i = 0; i < builder->terms.n; i++) {
		const struct filling *filling = &work->fillings[i];

		if (filling->posting == 0)
			continue;
		work->items[amounts.n_terms++] =
		        (struct sort_item) { lw_bm25_prefix_of(pool + terms[i].text_at, terms[i].n_bytes),
			                     (uint32_t)i };
		amounts.n_text += terms[i].n_bytes;
		amounts.n_runs += (size_t)filling->run;
		amounts.n_large += builder->options.without_counts ? 0 : (size_t)filling->large;
	}
	return amounts;
}

/* The arrays to fill. */
struct arrays {
	uint64_t *posting_at, *large_at;
	uint32_t *term_at, *run_at;
	char *terms;
	uint16_t *documents, *quanta, *most;
	uint8_t *counts; /* NULL without counts */
	uint32_t *runs, *large;
};

static void fill_terms(const lanewise_bm25_builder *builder, struct work *work, const struct sort_item *sorted,
                       size_t n, const struct arrays *arrays)
{
	const struct term *terms = builder->terms.elements;
	const char *pool = builder->pool.elements;
	uint64_t n_text = 0, n_postings = 0, n_runs = 0, n_large = 0;

	for (size_t i = 0; i < n; i++) {
		const struct term *term = &terms[sorted[i].term];
		struct filling *filling = &work->fillings[sorted[i].term];
		struct filling counts = *filling;

		arrays->term_at[i] = (uint32_t)n_text;
		arrays->posting_at[i] = n_postings;
		arrays->run_at[i] = (uint32_t)n_runs;
		*filling = (struct filling) { n_postings, n_runs, n_large, NO_SEGMENT };
		memcpy(arrays->terms + n_text, pool + term->text_at, term->n_bytes);
		n_text += term->n_bytes;
		n_postings += counts.posting;
		n_runs += counts.run;
		n_large += counts.large;
	}
	arrays->term_at[n] = (uint32_t)n_text;
	arrays->posting_at[n] = n_postings;
	arrays->run_at[n] = (uint32_t)n_runs;
}

static void add_posting(struct filling *filling, size_t document, uint32_t count, uint16_t quantum,
                        const struct arrays *arrays)
{
	uint32_t segment = (uint32_t)(document / LW_BM25_SEGMENT);

	if (arrays->counts && count >= LW_BM25_LARGE) {
		arrays->large_at[filling->large] = filling->posting;
		arrays->large[filling->large++] = count;
		count = LW_BM25_LARGE;
	}
	arrays->documents[filling->posting] = (uint16_t)(document % LW_BM25_SEGMENT);
	if (arrays->counts)
		arrays->counts[filling->posting] = (uint8_t)count;
	arrays->quanta[filling->posting++] = quantum;
	if (filling->segment != segment) {
		filling->segment = segment;
		arrays->runs[filling->run] = segment << 16;
		arrays->most[filling->run++] = quantum;
		return;
	}

	uint64_t run = filling->run - 1;

	arrays->runs[run]++;
	if (quantum > arrays->most[run])
		arrays->most[run] = quantum;
}

/* Fetches a word FETCH_AHEAD postings further on, and where the one halfway there will go. */
LW_INLINE void fetch_filling(const struct filling *fillings, const struct posting *postings,
                             const struct arrays *arrays)
{
	uint64_t next = fillings[postings[FETCH_AHEAD / 2].term].posting;

	__builtin_prefetch(&fillings[postings[FETCH_AHEAD].term], 1);
	__builtin_prefetch(&arrays->documents[next], 1);
	__builtin_prefetch(&arrays->quanta[next], 1);
	if (arrays->counts)
		__builtin_prefetch(&arrays->counts[next], 1);
}

static void fill_postings(const lanewise_bm25_builder *builder, struct work *work, const struct lw_bm25_header *header,
                          const struct arrays *arrays)
{
	const struct lw_bm25_formula formula = lw_bm25_formula_of(header);
	const double quanta = lw_bm25_quanta(header);
	const struct posting *postings = builder->postings.elements;
	const uint64_t *posting_end = builder->posting_end.elements;
	const uint32_t *lengths = builder->lengths.elements;
	size_t i = 0;

	for (size_t document = 0; document < builder->lengths.n; i = posting_end[document++])
		for (; is_kept(builder, document) && i < posting_end[document]; i++) {
			if (builder->postings.n - i > FETCH_AHEAD)
				fetch_filling(work->fillings, &postings[i], arrays);

			float part = lw_bm25_part(&formula, postings[i].count, lengths[document]);

			add_posting(&work->fillings[postings[i].term], document, postings[i].count,
			            (uint16_t)((double)part * quanta), arrays);
		}
}

static lanewise_status create_with(const lanewise_bm25_builder *builder, const lanewise_allocator *allocator,
                                   struct work *work, lanewise_bm25 **bm25)
{
	const struct amounts amounts = collect_terms(builder, work);
	const struct sort_item *sorted = sort_terms(builder, work->items, amounts.n_terms);
	lanewise_status status;
	struct layout layout;
	struct arrays arrays;
	unsigned char *base;
	lanewise_bm25 *made;

	if (!lay_out(&layout, builder, &amounts))
		return LANEWISE_ERROR_TOO_LARGE;
	base = lanewise_allocate_pages(allocator, layout.n_bytes);
	if (!base)
		return LANEWISE_ERROR_NO_MEMORY;
	made = (lanewise_bm25 *)(void *)base;
	memset(made, 0, sizeof *made);
	if (allocator)
		made->allocator = *allocator;
	made->n_bytes = layout.n_bytes;
	made->header = (struct lw_bm25_header) {
		.n_documents = builder->lengths.n,
		.n_terms = amounts.n_terms,
		.n_postings = builder->n_postings,
		.n_removed = builder->n_removed,
		.total_length = builder->total_length,
		.k1 = builder->options.k1,
		.b = builder->options.b,
		.delta = builder->options.variant == LANEWISE_BM25_OKAPI ? builder->options.epsilon
		                                                         : builder->options.delta,
		.variant = (uint32_t)builder->options.variant,
		.word_rules = builder->analyzer ? LW_WORD_RULES_ANALYZED : LW_WORD_RULES,
		.format = builder->options.without_counts ? LW_BM25_FORMAT_SHORT : LW_BM25_FORMAT,
	};
	for (size_t document = 0; lw_bm25_has_counts(&made->header) && document < builder->lengths.n; document++)
		((uint32_t *)(void *)(base + layout.lengths))[document] = length_of(builder, document);
	arrays = (struct arrays) {
		.term_at = (uint32_t *)(void *)(base + layout.term_at),
		.posting_at = (uint64_t *)(void *)(base + layout.posting_at),
		.run_at = (uint32_t *)(void *)(base + layout.run_at),
		.terms = (char *)base + layout.terms,
		.documents = (uint16_t *)(void *)(base + layout.documents),
		.runs = (uint32_t *)(void *)(base + layout.runs),
		.quanta = (uint16_t *)(void *)(base + layout.quanta),
		.counts = lw_bm25_has_counts(&made->header) ? base + layout.counts : NULL,
		.large_at = (uint64_t *)(void *)(base + layout.large_at),
		.large = (uint32_t *)(void *)(base + layout.large),
		.most = (uint16_t *)(void *)(base + layout.most),
	};
	fill_terms(builder, work, sorted, amounts.n_terms, &arrays);
	fill_postings(builder, work, &made->header, &arrays);
	made->header.floor = (float)lw_bm25_floor(&made->header, arrays.posting_at) + 0.0f;
	if (lw_bm25_has_counts(&made->header))
		made->lengths = (const uint32_t *)(void *)(base + layout.lengths);
	made->term_at = arrays.term_at;
	made->terms = arrays.terms;
	made->posting_at = arrays.posting_at;
	made->documents = arrays.documents;
	made->quanta = arrays.quanta;
	made->counts = arrays.counts;
	made->large_at = arrays.large_at;
	made->large = arrays.large;
	made->n_large = amounts.n_large;
	made->run_at = arrays.run_at;
	made->runs = arrays.runs;
	made->most = arrays.most;
	if ((status = lanewise_bm25_make_hints(made, allocator))) {
		lw_release(allocator, made, layout.n_bytes);
		return status;
	}
	made->analyzer = lanewise_analyzer_retain(builder->analyzer);
	*bm25 = made;
	return LANEWISE_OK;
}

lanewise_status lanewise_bm25_create(const lanewise_bm25_builder *builder, const lanewise_allocator *allocator,
                                     lanewise_bm25 **bm25)
{
	lanewise_status status = LANEWISE_ERROR_NO_MEMORY;
	struct work work;

	if (!builder || !bm25)
		return LANEWISE_ERROR_ARGUMENT;
	if (builder->terms.n > SIZE_MAX / 2 / sizeof(struct sort_item) - 1)
		return LANEWISE_ERROR_TOO_LARGE;
	work.items_bytes = (2 * builder->terms.n + 1) * sizeof(struct sort_item);
	work.fillings_bytes = (builder->terms.n + 1) * sizeof(struct filling);
	work.items = lanewise_allocate_pages(allocator, work.items_bytes);
	work.fillings = lanewise_allocate_pages(allocator, work.fillings_bytes);
	if (work.items && work.fillings)
		status = create_with(builder, allocator, &work, bm25);
	lw_release(allocator, work.fillings, work.fillings_bytes);
	lw_release(allocator, work.items, work.items_bytes);
	return status;
}
