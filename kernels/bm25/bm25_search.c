/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searching an index: the words of a query become terms, which are ranked (bm25_rank.c) or scored as they are.
 *
 * A word of the query that occurs in it several times must be scored once, with its count, where it occurs first. Few
 * terms are compared one by one; where each of many stands is noted in an array over the dictionary, which is not
 * cleared as a whole: places are valid by blocks, each of which is cleared when it is first touched.
 */
#include "bm25/bm25_rank.h"

#include <float.h>
#include <string.h>

#include <lanewise/text.h>
#include <lanewise/topk.h>

#include "common.h"
#include "support.h"
#include "text/text.h"

enum {
	FEW = 32,       /* terms */
	BLOCK_BITS = 6, /* places per block, as a power of two: 256 bytes */
	BLOCK = 1 << BLOCK_BITS,
};

/* Numbers that count as 0 until their block is touched. */
struct lazy {
	unsigned char *touched; /* per block */
	uint32_t *values;
	size_t n;
};

struct search {
	const lanewise_bm25 *bm25;
	struct lazy places;         /* per word of the dictionary, where in `terms` it is, plus 1; once there are FEW */
	struct lw_bm25_term *terms; /* in the order of the query */
	size_t n_terms;
};

/* ---------------------------------------------------------------- scratch */

struct places {
	size_t topk, rank, touched, listed, terms, n_bytes;
};

/* The place of n elements at the end of what is laid out; SIZE_MAX as the end stands for overflow. */
static size_t place(size_t *end, size_t n, size_t element_bytes)
{
	size_t begin = *end;

	if (begin == SIZE_MAX || n > (SIZE_MAX - 64 - begin) / element_bytes)
		*end = SIZE_MAX;
	else
		*end = (begin + n * element_bytes + 63) / 64 * 64;
	return begin;
}

static size_t n_blocks(size_t n) { return n / BLOCK + (n % BLOCK != 0); }

/* More than all documents cannot be found. */
static size_t least_k(const lanewise_bm25 *bm25, size_t k)
{
	size_t n = (size_t)bm25->header.n_documents;

	return k < n ? k : n + (n == 0);
}

static struct places lay_out(const lanewise_bm25 *bm25, size_t k)
{
	size_t n_terms = (size_t)bm25->header.n_terms, rank_bytes = lanewise_bm25_rank_bytes(bm25, k), end = 0;
	struct places places;

	places.topk = place(&end, lanewise_topk_scratch_size(least_k(bm25, k)), 1);
	places.rank = place(&end, rank_bytes ? rank_bytes : SIZE_MAX, 1);
	places.touched = place(&end, n_blocks(n_terms), 1);
	places.listed = place(&end, n_terms, sizeof(uint32_t));
	places.terms = place(&end, n_terms, sizeof(struct lw_bm25_term));
	places.n_bytes = end == SIZE_MAX ? 0 : end;
	return places;
}

size_t lanewise_bm25_scratch_size(const lanewise_bm25 *bm25, size_t k)
{
	if (k == 0 || k > UINT32_MAX)
		return 0;
	return lay_out(bm25, k).n_bytes;
}

/* ------------------------------------------------------------------ words */

static float idf_of(const lanewise_bm25 *bm25, size_t term)
{
	double n = lw_bm25_n(&bm25->header);
	double frequency = (double)(bm25->posting_at[term + 1] - bm25->posting_at[term]);
	float idf = (float)lw_bm25_idf(bm25->header.variant, n, frequency);

	return idf < 0 ? bm25->header.floor : idf;
}

/* Where a word of the dictionary is listed, if many are. */
static uint32_t *place_of(const struct search *search, size_t term)
{
	const struct lazy *places = &search->places;
	size_t block = term >> BLOCK_BITS;

	if (!places->touched[block]) {
		size_t begin = block << BLOCK_BITS, left = places->n - begin;

		places->touched[block] = 1;
		memset(places->values + begin, 0, (left < BLOCK ? left : BLOCK) * sizeof *places->values);
	}
	return &places->values[term];
}

/* The term of a word in the dictionary; NULL if it is not listed yet. */
static struct lw_bm25_term *find_listed(const struct search *search, size_t number)
{
	if (search->n_terms > FEW) {
		uint32_t place = *place_of(search, number);

		return place ? &search->terms[place - 1] : NULL;
	}
	for (size_t i = 0; i < search->n_terms; i++)
		if (search->terms[i].number == number)
			return &search->terms[i];
	return NULL;
}

static void list_term(struct search *search, size_t number)
{
	search->terms[search->n_terms] = lw_bm25_term_of(search->bm25, number);
	search->terms[search->n_terms++].count = 1;
	if (search->n_terms <= FEW)
		return;
	if (search->n_terms == FEW + 1) {
		memset(search->places.touched, 0, n_blocks(search->places.n));
		for (size_t i = 0; i < FEW; i++)
			*place_of(search, search->terms[i].number) = (uint32_t)i + 1;
	}
	*place_of(search, number) = (uint32_t)search->n_terms;
}

/* Counts n <= LW_BM25_FIND_MOST words, and lists those that are the first of their kind. */
static void take_words(struct search *search, const lanewise_word *words, size_t n)
{
	size_t numbers[LW_BM25_FIND_MOST];

	lanewise_bm25_find_words(search->bm25, words, n, numbers);
	for (size_t i = 0; i < n; i++) {
		struct lw_bm25_term *term;

		if (numbers[i] == search->bm25->header.n_terms)
			continue;
		term = find_listed(search, numbers[i]);
		if (!term)
			list_term(search, numbers[i]);
		else if (term->count < UINT32_MAX)
			term->count++;
	}
}

/* Words of a text, whose own text is there until the next. */
struct kept_words {
	lanewise_word words[LW_BM25_FIND_MOST];
	size_t n, n_text;
	char text[4 * LANEWISE_WORD_BYTES];
};

static void keep_word(struct search *search, struct kept_words *kept, const lanewise_word *word)
{
	if (kept->n == LW_BM25_FIND_MOST || word->n_bytes > sizeof kept->text - kept->n_text) {
		take_words(search, kept->words, kept->n);
		kept->n = kept->n_text = 0;
	}
	kept->words[kept->n++] = (lanewise_word) { .text = kept->text + kept->n_text, .n_bytes = word->n_bytes };
	memcpy(kept->text + kept->n_text, word->text, word->n_bytes);
	kept->n_text += word->n_bytes;
}

static void read_text(struct search *search, const char *query, size_t n_bytes)
{
	struct lanewise_words words;
	struct kept_words kept;
	lanewise_word word;

	kept.n = kept.n_text = 0;
	lanewise_words_begin_analyzed(&words, search->bm25->analyzer);
	lanewise_words_feed_last(&words, query, n_bytes);
	while (lanewise_words_next(&words, &word))
		keep_word(search, &kept, &word);
	take_words(search, kept.words, kept.n);
}

/* Gives the terms their weights, and drops those that have none. */
static void weigh(struct search *search)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < search->n_terms; i++) {
		struct lw_bm25_term term = search->terms[i];
		float idf = idf_of(search->bm25, term.number);

		term.weight = (float)term.count * idf;
		search->terms[n_kept] = term;
		n_kept += idf >= LW_BM25_LEAST_WEIGHT;
	}
	search->n_terms = n_kept;
}

/* ----------------------------------------------------------------- search */

static int is_scratch(const void *scratch) { return scratch && (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT == 0; }

/* A query: a text, or words if `words` is not NULL. */
struct query {
	const char *text;
	const lanewise_word *words;
	size_t n; /* bytes or words */
};

/* A query's words, counted. */
static struct search read_query(const lanewise_bm25 *bm25, struct query query, const struct places *places,
                                unsigned char *base)
{
	size_t n_terms = (size_t)bm25->header.n_terms;
	struct search search = {
		.bm25 = bm25,
		.places.touched = base + places->touched,
		.places.values = (uint32_t *)(void *)(base + places->listed),
		.places.n = n_terms,
		.terms = (struct lw_bm25_term *)(void *)(base + places->terms),
	};

	if (!query.words)
		read_text(&search, query.text, query.n);
	for (size_t i = 0, n; query.words && i < query.n; i += n) {
		n = query.n - i < LW_BM25_FIND_MOST ? query.n - i : LW_BM25_FIND_MOST;
		take_words(&search, query.words + i, n);
	}
	return search;
}

/* A query's words, weighed. */
static struct search begin(const lanewise_bm25 *bm25, struct query query, const struct places *places,
                           unsigned char *base)
{
	struct search search = read_query(bm25, query, places, base);

	weigh(&search);
	return search;
}

static int are_words(const lanewise_word *words, size_t n)
{
	if (!words && n)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!words[i].text)
			return 0;
	return 1;
}

static lanewise_status find_best(const lanewise_bm25 *bm25, struct query query, const uint64_t *filter, size_t k,
                                 void *scratch, uint32_t *index, float *score, size_t *n_found)
{
	if (!bm25 || !is_scratch(scratch) || !index || !score || !n_found || k == 0)
		return LANEWISE_ERROR_ARGUMENT;
	if (lanewise_bm25_scratch_size(bm25, k) == 0)
		return LANEWISE_ERROR_TOO_LARGE;

	struct places places = lay_out(bm25, k);
	struct search search = begin(bm25, query, &places, scratch);

	/* Parts are at least LW_BM25_LEAST_PART, so no score is below FLT_MIN but that of a document without words. */
	lanewise_topk *topk = lanewise_topk_begin((unsigned char *)scratch + places.topk, least_k(bm25, k), FLT_MIN);

	lanewise_bm25_rank(bm25, search.terms, search.n_terms, filter, least_k(bm25, k),
	                   (unsigned char *)scratch + places.rank, topk);
	*n_found = lanewise_topk_finish(topk, index, score);
	return LANEWISE_OK;
}

lanewise_status lanewise_bm25_search_filtered(const lanewise_bm25 *bm25, const char *query, size_t n_bytes,
                                              const uint64_t *filter, size_t k, void *scratch, uint32_t *index,
                                              float *score, size_t *n_found)
{
	if (!query && n_bytes)
		return LANEWISE_ERROR_ARGUMENT;
	return find_best(bm25, (struct query) { .text = query, .n = n_bytes }, filter, k, scratch, index, score,
	                 n_found);
}

lanewise_status lanewise_bm25_search_words(const lanewise_bm25 *bm25, const lanewise_word *words, size_t n_words,
                                           const uint64_t *filter, size_t k, void *scratch, uint32_t *index,
                                           float *score, size_t *n_found)
{
	if (!are_words(words, n_words))
		return LANEWISE_ERROR_ARGUMENT;
	return find_best(bm25, (struct query) { .words = words, .n = n_words }, filter, k, scratch, index, score,
	                 n_found);
}

lanewise_status lanewise_bm25_search(const lanewise_bm25 *bm25, const char *query, size_t n_bytes, size_t k,
                                     void *scratch, uint32_t *index, float *score, size_t *n_found)
{
	return lanewise_bm25_search_filtered(bm25, query, n_bytes, NULL, k, scratch, index, score, n_found);
}

/* ------------------------------------------------------- scores without k */

lanewise_status lanewise_bm25_score_all(const lanewise_bm25 *bm25, const char *query, size_t n_bytes, void *scratch,
                                        float *score)
{
	if (!bm25 || (!query && n_bytes) || !is_scratch(scratch) || (!score && bm25->header.n_documents))
		return LANEWISE_ERROR_ARGUMENT;

	struct places places = lay_out(bm25, 1);
	struct search search = begin(bm25, (struct query) { .text = query, .n = n_bytes }, &places, scratch);
	struct lw_bm25_formula formula = lw_bm25_formula_of(&bm25->header);
	struct lw_bm25_list list;

	if (bm25->header.n_documents)
		memset(score, 0, (size_t)bm25->header.n_documents * sizeof *score);
	for (uint32_t segment;
	     (segment = lw_bm25_next_segment(bm25, search.terms, search.n_terms)) < LW_BM25_SEGMENT;) {
		size_t first = (size_t)segment * LW_BM25_SEGMENT;

		for (size_t i = 0; i < search.n_terms; i++)
			if (lw_bm25_take_list(bm25, &search.terms[i], segment, &list))
				lanewise_bm25_add_parts(bm25, &formula, &list, search.terms[i].weight, first,
				                        score + first);
	}
	return LANEWISE_OK;
}

/* A word's part as in bm25_formula.h, but in double, of a document `ratio` times as long as the mean one. */
static double part_f64(const struct lw_bm25_header *header, double tf, double ratio)
{
	double k1 = (double)header->k1, b = (double)header->b, delta = (double)header->delta, c;
	double relative = 1 - b + b * ratio;

	switch (header->variant) {
	case LANEWISE_BM25_ATIRE:
	case LANEWISE_BM25_OKAPI:
		return tf * (k1 + 1) / (tf + k1 * relative);
	case LANEWISE_BM25_PLUS:
		return delta + tf * (k1 + 1) / (tf + k1 * relative);
	case LANEWISE_BM25_L:
		c = tf / relative + delta;
		return (k1 + 1) * c / (k1 + c);
	case LANEWISE_BM25_TF_IDF:
		return 1 + lw_log_f64(tf);
	default:
		return tf / (tf + k1 * relative);
	}
}

static void add_f64(const lanewise_bm25 *bm25, const struct lw_bm25_list *list, double weight, size_t first,
                    double *score)
{
	double mean = (double)bm25->header.total_length / lw_bm25_n(&bm25->header);

	for (size_t i = 0; i < list->n; i++) {
		size_t document = first + list->documents[i];
		double tf = (double)lw_bm25_count_at(bm25, list->posting + i);

		score[document] += weight * part_f64(&bm25->header, tf, (double)bm25->lengths[document] / mean);
	}
}

static double weight_f64(const lanewise_bm25 *bm25, size_t term)
{
	double frequency = (double)(bm25->posting_at[term + 1] - bm25->posting_at[term]);
	double idf = lw_bm25_idf(bm25->header.variant, lw_bm25_n(&bm25->header), frequency);

	return idf < 0 ? lw_bm25_floor(&bm25->header, bm25->posting_at) : idf;
}

static lanewise_status score_all_f64(const lanewise_bm25 *bm25, struct query query, void *scratch, double *score)
{
	if (!bm25 || !is_scratch(scratch) || (!score && bm25->header.n_documents))
		return LANEWISE_ERROR_ARGUMENT;
	if (!bm25->counts)
		return LANEWISE_ERROR_UNSUPPORTED;

	struct places places = lay_out(bm25, 1);
	struct search search = read_query(bm25, query, &places, scratch);

	if (bm25->header.n_documents)
		memset(score, 0, (size_t)bm25->header.n_documents * sizeof *score);
	for (size_t i = 0; i < search.n_terms; i++) {
		struct lw_bm25_term *term = &search.terms[i];
		double weight = weight_f64(bm25, term->number) * (double)term->count;
		struct lw_bm25_list list;

		for (uint32_t segment; (segment = lw_bm25_next_segment(bm25, term, 1)) < LW_BM25_SEGMENT;)
			if (lw_bm25_take_list(bm25, term, segment, &list))
				add_f64(bm25, &list, weight, (size_t)segment * LW_BM25_SEGMENT, score);
	}
	return LANEWISE_OK;
}

lanewise_status lanewise_bm25_score_all_f64(const lanewise_bm25 *bm25, const char *query, size_t n_bytes, void *scratch,
                                            double *score)
{
	if (!query && n_bytes)
		return LANEWISE_ERROR_ARGUMENT;
	return score_all_f64(bm25, (struct query) { .text = query, .n = n_bytes }, scratch, score);
}

lanewise_status lanewise_bm25_score_all_words_f64(const lanewise_bm25 *bm25, const lanewise_word *words, size_t n_words,
                                                  void *scratch, double *score)
{
	if (!are_words(words, n_words))
		return LANEWISE_ERROR_ARGUMENT;
	return score_all_f64(bm25, (struct query) { .words = words, .n = n_words }, scratch, score);
}

/* Scores the documents of a segment that are among n ascending ones; returns how many these are. */
static size_t score_some(const struct search *search, uint32_t segment, const uint32_t *documents, size_t n,
                         float *score)
{
	struct lw_bm25_formula formula = lw_bm25_formula_of(&search->bm25->header);
	struct lw_bm25_list list;
	size_t n_here = 0;

	while (n_here < n && documents[n_here] / LW_BM25_SEGMENT == segment)
		n_here++;
	for (size_t i = 0; i < search->n_terms; i++)
		if (lw_bm25_take_list(search->bm25, &search->terms[i], segment, &list))
			lanewise_bm25_score_some(search->bm25, &formula, &list, search->terms[i].weight, documents,
			                         n_here, score);
	return n_here;
}

lanewise_status lanewise_bm25_score_documents(const lanewise_bm25 *bm25, const char *query, size_t n_bytes,
                                              const uint32_t *documents, size_t n_documents, void *scratch,
                                              float *score)
{
	if (!bm25 || (!query && n_bytes) || !is_scratch(scratch) || ((!documents || !score) && n_documents))
		return LANEWISE_ERROR_ARGUMENT;
	for (size_t i = 0; i < n_documents; i++)
		if (documents[i] >= bm25->header.n_documents || (i > 0 && documents[i] < documents[i - 1]))
			return LANEWISE_ERROR_ARGUMENT;

	struct places places = lay_out(bm25, 1);
	struct search search = begin(bm25, (struct query) { .text = query, .n = n_bytes }, &places, scratch);
	size_t i = 0;

	if (n_documents)
		memset(score, 0, n_documents * sizeof *score);
	while (i < n_documents)
		i += score_some(&search, documents[i] / LW_BM25_SEGMENT, documents + i, n_documents - i, score + i);
	return LANEWISE_OK;
}

size_t lanewise_bm25_n_documents(const lanewise_bm25 *bm25) { return (size_t)bm25->header.n_documents; }

size_t lanewise_bm25_n_terms(const lanewise_bm25 *bm25) { return (size_t)bm25->header.n_terms; }

int32_t lanewise_bm25_has_counts(const lanewise_bm25 *bm25) { return bm25->counts != NULL; }

void lanewise_bm25_destroy(lanewise_bm25 *bm25)
{
	if (!bm25)
		return;

	lanewise_allocator copy = bm25->allocator;

	lw_release(lw_allocator_of(&copy), bm25->hints.memory, bm25->hints.n_bytes);
	lw_release(lw_allocator_of(&copy), bm25->expanded, bm25->expanded_bytes);
	lanewise_analyzer_destroy(bm25->analyzer);
	lw_release(lw_allocator_of(&copy), bm25, bm25->n_bytes);
}
