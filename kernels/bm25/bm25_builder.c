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

#include <errno.h>
#include <string.h>

#include <lanewise/text.h>

#include "common.h"
#include "secret.h"
#include "siphash.h"
#include "support.h"

struct term {
	uint64_t hash;
	uint64_t text_at;      /* in the pool */
	uint64_t last_posting; /* of this word; of the document under way if it lies in its range */
	uint8_t n_bytes;
};

struct posting {
	uint32_t term;
	uint32_t count;
};

/* Elements of one type that grow. */
struct array {
	void *elements;
	size_t n, capacity;
	size_t element_bytes;
};

struct lanewise_bm25_builder {
	lanewise_allocator allocator; /* a copy; `allocate` NULL for the C library's */
	lanewise_bm25_options options;
	uint64_t key[2];
	uint64_t total_length; /* without removed documents, as the next two */
	uint64_t n_postings;
	uint32_t n_removed;

	uint32_t *table; /* term number + 1, or 0; open addressing, at most half full */
	size_t table_size;
	struct array terms;       /* struct term */
	struct array pool;        /* char: the words */
	struct array postings;    /* struct posting, document by document */
	struct array lengths;     /* uint32_t: words per document, plus REMOVED */
	struct array posting_end; /* uint64_t: where each document's postings end */
};

/* Marks the length of a removed document, whose postings stay where they are until the builder is made compact. */
#define REMOVED (LW_BM25_MAX_LENGTH + 1)

/* ----------------------------------------------------------------- memory */

/* Makes room for `more` elements. */
static lanewise_status reserve(const lanewise_allocator *allocator, struct array *array, size_t more)
{
	size_t capacity = array->capacity ? array->capacity : 64;
	void *elements;

	if (more <= array->capacity - array->n)
		return LANEWISE_OK;
	while (capacity - array->n < more) {
		if (capacity > SIZE_MAX / 2 / array->element_bytes)
			return LANEWISE_ERROR_TOO_LARGE;
		capacity *= 2;
	}
	elements = lw_allocate(allocator, capacity * array->element_bytes);
	if (!elements)
		return LANEWISE_ERROR_NO_MEMORY;
	if (array->n)
		memcpy(elements, array->elements, array->n * array->element_bytes);
	lw_release(allocator, array->elements, array->capacity * array->element_bytes);
	array->elements = elements;
	array->capacity = capacity;
	return LANEWISE_OK;
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
	       options->delta <= LW_BM25_MAX_DELTA && options->epsilon >= 0 && options->epsilon <= 1;
}

lanewise_status lanewise_bm25_builder_create(const lanewise_bm25_options *options, const lanewise_allocator *allocator,
                                             lanewise_bm25_builder **builder)
{
	lanewise_bm25_options chosen = default_options();
	int saved_errno = errno;
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
	lw_make_secret(made->key);
	errno = saved_errno;
	made->terms.element_bytes = sizeof(struct term);
	made->pool.element_bytes = 1;
	made->postings.element_bytes = sizeof(struct posting);
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
	release_array(allocator, &builder->pool);
	release_array(allocator, &builder->postings);
	release_array(allocator, &builder->lengths);
	release_array(allocator, &builder->posting_end);
	lw_release(allocator, builder, sizeof *builder);
}

static lanewise_status grow_table(lanewise_bm25_builder *builder)
{
	const lanewise_allocator *allocator = lw_allocator_of(&builder->allocator);
	const struct term *terms = builder->terms.elements;
	size_t size = builder->table_size ? 2 * builder->table_size : 256;
	uint32_t *table;

	if (size > SIZE_MAX / sizeof *table)
		return LANEWISE_ERROR_TOO_LARGE;
	table = lw_allocate(allocator, size * sizeof *table);
	if (!table)
		return LANEWISE_ERROR_NO_MEMORY;
	memset(table, 0, size * sizeof *table);
	for (size_t i = 0; i < builder->terms.n; i++) {
		size_t at = terms[i].hash & (size - 1);

		while (table[at])
			at = (at + 1) & (size - 1);
		table[at] = (uint32_t)i + 1;
	}
	lw_release(allocator, builder->table, builder->table_size * sizeof *table);
	builder->table = table;
	builder->table_size = size;
	return LANEWISE_OK;
}

static lanewise_status add_term(lanewise_bm25_builder *builder, const lanewise_word *word, uint64_t hash)
{
	const lanewise_allocator *allocator = lw_allocator_of(&builder->allocator);
	lanewise_status status;
	struct term *term;

	if (builder->terms.n == UINT32_MAX)
		return LANEWISE_ERROR_TOO_LARGE;
	if ((status = reserve(allocator, &builder->terms, 1)) ||
	    (status = reserve(allocator, &builder->pool, word->n_bytes)))
		return status;
	term = (struct term *)builder->terms.elements + builder->terms.n++;
	term->hash = hash;
	term->text_at = builder->pool.n;
	term->last_posting = UINT64_MAX;
	term->n_bytes = (uint8_t)word->n_bytes;
	memcpy((char *)builder->pool.elements + builder->pool.n, word->text, word->n_bytes);
	builder->pool.n += word->n_bytes;
	return LANEWISE_OK;
}

/* The number of a word, which may be new. */
static lanewise_status intern(lanewise_bm25_builder *builder, const lanewise_word *word, uint32_t *number)
{
	uint64_t hash = lw_siphash13(word->text, word->n_bytes, builder->key);
	lanewise_status status;

	if (builder->terms.n >= builder->table_size / 2 && (status = grow_table(builder)))
		return status;

	const struct term *terms = builder->terms.elements;
	const char *pool = builder->pool.elements;
	size_t mask = builder->table_size - 1, at = hash & mask;

	for (; builder->table[at]; at = (at + 1) & mask) {
		const struct term *term = &terms[builder->table[at] - 1];

		if (term->hash == hash && term->n_bytes == word->n_bytes &&
		    !memcmp(pool + term->text_at, word->text, word->n_bytes)) {
			*number = builder->table[at] - 1;
			return LANEWISE_OK;
		}
	}
	if ((status = add_term(builder, word, hash)))
		return status;
	*number = (uint32_t)builder->terms.n - 1;
	builder->table[at] = *number + 1;
	return LANEWISE_OK;
}

/* Counts one word of the document whose postings begin at `first`. */
static lanewise_status add_word(lanewise_bm25_builder *builder, const lanewise_word *word, size_t first)
{
	lanewise_status status;
	uint32_t number;

	if ((status = intern(builder, word, &number)))
		return status;

	struct term *term = (struct term *)builder->terms.elements + number;
	struct posting *postings = builder->postings.elements;
	uint64_t last = term->last_posting;

	/* The number may be left from a document that failed; then another word's posting, or none, lies there now. */
	if (last >= first && last < builder->postings.n && postings[last].term == number) {
		postings[last].count++;
		return LANEWISE_OK;
	}
	if ((status = reserve(lw_allocator_of(&builder->allocator), &builder->postings, 1)))
		return status;
	postings = builder->postings.elements;
	term->last_posting = builder->postings.n;
	postings[builder->postings.n++] = (struct posting) { number, 1 };
	return LANEWISE_OK;
}

static lanewise_status add_words(lanewise_bm25_builder *builder, lanewise_words *words, size_t first, uint32_t *length)
{
	lanewise_status status;
	lanewise_word word;

	while (lanewise_words_next(words, &word)) {
		if (*length == LW_BM25_MAX_LENGTH)
			return LANEWISE_ERROR_TOO_LARGE;
		if ((status = add_word(builder, &word, first)))
			return status;
		++*length;
	}
	return LANEWISE_OK;
}

/* Ends the document whose postings begin at `first`, or takes them back. */
static lanewise_status end_document(lanewise_bm25_builder *builder, size_t first, uint32_t length,
                                    lanewise_status status)
{
	if (status) {
		/* New words stay in the table; without a posting they are not in the index. */
		builder->postings.n = first;
		return status;
	}
	((uint32_t *)builder->lengths.elements)[builder->lengths.n++] = length;
	((uint64_t *)builder->posting_end.elements)[builder->posting_end.n++] = builder->postings.n;
	builder->total_length += length;
	builder->n_postings += builder->postings.n - first;
	return LANEWISE_OK;
}

/* Room for one more document. */
static lanewise_status begin_document(lanewise_bm25_builder *builder)
{
	const lanewise_allocator *allocator = lw_allocator_of(&builder->allocator);
	lanewise_status status;

	if (builder->lengths.n == UINT32_MAX)
		return LANEWISE_ERROR_TOO_LARGE;
	status = reserve(allocator, &builder->lengths, 1);
	return status ? status : reserve(allocator, &builder->posting_end, 1);
}

lanewise_status lanewise_bm25_builder_add_text(lanewise_bm25_builder *builder, const char *text, size_t n_bytes)
{
	_Alignas(LW_SCRATCH_ALIGNMENT) unsigned char scratch[512];
	uint32_t length = 0;
	lanewise_status status;

	if (!builder || (!text && n_bytes))
		return LANEWISE_ERROR_ARGUMENT;
	if ((status = begin_document(builder)))
		return status;

	lanewise_words *words = lanewise_words_begin(scratch);
	size_t first = builder->postings.n;

	lanewise_words_feed(words, text, n_bytes);
	status = add_words(builder, words, first, &length);
	if (!status) {
		lanewise_words_finish(words);
		status = add_words(builder, words, first, &length);
	}
	return end_document(builder, first, length, status);
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

	size_t first = builder->postings.n;

	for (size_t i = 0; i < n_words && !status; i++)
		status = add_word(builder, &words[i], first);
	return end_document(builder, first, (uint32_t)n_words, status);
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

/* Sorts n items, with room for n more after them; returns where the result lies. */
static struct sort_item *sort_terms(const lanewise_bm25_builder *builder, struct sort_item *items, size_t n)
{
	struct sort_item *from = items, *to = items + n;

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
	size_t n_terms = amounts->n_terms, n_runs = amounts->n_runs;

	int overflow = 0;
	size_t end = 0;

	place(&end, 1, sizeof(struct lanewise_bm25), &overflow);
	layout->lengths = place(&end, builder->lengths.n, sizeof(uint32_t), &overflow);
	layout->term_at = place(&end, n_terms + 1, sizeof(uint32_t), &overflow);
	layout->terms = place(&end, amounts->n_text, 1, &overflow);
	layout->posting_at = place(&end, n_terms + 1, sizeof(uint64_t), &overflow);
	layout->documents = place(&end, (size_t)builder->n_postings, sizeof(uint16_t), &overflow);
	layout->quanta = place(&end, (size_t)builder->n_postings, sizeof(uint16_t), &overflow);
	layout->counts = place(&end, (size_t)builder->n_postings, sizeof(uint8_t), &overflow);
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
		amounts.n_large += (size_t)filling->large;
	}
	return amounts;
}

/* The arrays to fill. */
struct arrays {
	uint64_t *posting_at, *large_at;
	uint32_t *term_at, *run_at;
	char *terms;
	uint16_t *documents, *quanta, *most;
	uint8_t *counts;
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

	if (count >= LW_BM25_LARGE) {
		arrays->large_at[filling->large] = filling->posting;
		arrays->large[filling->large++] = count;
		count = LW_BM25_LARGE;
	}
	arrays->documents[filling->posting] = (uint16_t)(document % LW_BM25_SEGMENT);
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
			float part = lw_bm25_part(&formula, postings[i].count, lengths[document]);

			add_posting(&work->fillings[postings[i].term], document, postings[i].count,
			            (uint16_t)((double)part * quanta), arrays);
		}
}

/* What LANEWISE_BM25_OKAPI has for a negative idf: epsilon times the mean idf of all words. */
static float floor_of(const struct lw_bm25_header *header, float epsilon, const uint64_t *posting_at)
{
	double sum = 0;

	if (header->variant != LANEWISE_BM25_OKAPI || header->n_terms == 0)
		return 0;
	for (size_t i = 0; i < header->n_terms; i++)
		sum += lw_bm25_idf(header->variant, lw_bm25_n(header), (double)(posting_at[i + 1] - posting_at[i]));
	return (float)((double)epsilon * (sum / (double)header->n_terms)) + 0.0f;
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
	base = lw_allocate(allocator, layout.n_bytes);
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
		.delta = builder->options.delta,
		.variant = (uint32_t)builder->options.variant,
		.word_rules = LW_WORD_RULES,
		.format = LW_BM25_FORMAT,
	};
	for (size_t document = 0; document < builder->lengths.n; document++)
		((uint32_t *)(void *)(base + layout.lengths))[document] = length_of(builder, document);
	arrays = (struct arrays) {
		.term_at = (uint32_t *)(void *)(base + layout.term_at),
		.posting_at = (uint64_t *)(void *)(base + layout.posting_at),
		.run_at = (uint32_t *)(void *)(base + layout.run_at),
		.terms = (char *)base + layout.terms,
		.documents = (uint16_t *)(void *)(base + layout.documents),
		.runs = (uint32_t *)(void *)(base + layout.runs),
		.quanta = (uint16_t *)(void *)(base + layout.quanta),
		.counts = base + layout.counts,
		.large_at = (uint64_t *)(void *)(base + layout.large_at),
		.large = (uint32_t *)(void *)(base + layout.large),
		.most = (uint16_t *)(void *)(base + layout.most),
	};
	fill_terms(builder, work, sorted, amounts.n_terms, &arrays);
	fill_postings(builder, work, &made->header, &arrays);
	made->header.floor = floor_of(&made->header, builder->options.epsilon, arrays.posting_at);
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
	work.items = lw_allocate(allocator, work.items_bytes);
	work.fillings = lw_allocate(allocator, work.fillings_bytes);
	if (work.items && work.fillings)
		status = create_with(builder, allocator, &work, bm25);
	lw_release(allocator, work.fillings, work.fillings_bytes);
	lw_release(allocator, work.items, work.items_bytes);
	return status;
}
