/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searching an index, segment of documents by segment, so that a segment's scores stay in the L2 cache: they are set
 * to 0, each word of the query adds its parts, and the top-k goes over them.
 *
 * From the second segment on, the best k so far tell what a score must reach. Words whose runs are too weak to reach
 * it together (common words, mostly: MaxScore, Turtle and Flood, "Query evaluation: strategies and optimizations",
 * 1995) then need not be added to every document: the other words choose candidates, and only these are scored by all
 * words, looked up by bisection. Where there are so many candidates that this costs more than adding up, it is not
 * done. Either way a score is the float sum over the words in the query's order, so the result has the same bits.
 *
 * A word of the query that occurs in it several times must be scored once, with its count, where it occurs first. So
 * words are counted in an array over the dictionary, and listed when their count becomes 1. The array is not cleared as
 * a whole: counts are valid by blocks, each of which is cleared when it is first touched.
 */
#include "bm25/bm25.h"
#include "bm25/bm25_formula.h"

#include <float.h>
#include <string.h>

#include <lanewise/text.h>
#include <lanewise/topk.h>

#include "common.h"
#include "sort.h"
#include "support.h"
#include "topk/topk.h"

enum {
	COUNT_BITS = 10, /* counts per block, as a power of two: 4 KiB */
	COUNT_BLOCK = 1 << COUNT_BITS,
	SCORE_BITS = 8, /* scores per block */
	SCORE_BLOCK = 1 << SCORE_BITS,
	FEW_POSTINGS = 64,     /* of so few in a segment not all blocks are cleared and gone over */
	WALK_SHARE = 24,       /* of so small a share of a segment's documents the postings are gone over again */
	MAX_PRUNED = 32,       /* words of a query that is searched for candidates */
	LEAST_WEAK = 2048,     /* postings of weak words that are worth the trouble */
	MAX_CANDIDATES = 4096, /* in a segment */
	LOOKUP_COST = 40,      /* of one candidate for one word, in postings added */
};

/* A computed sum of MAX_PRUNED or fewer products is at most so many times the exact one, and that of the computed. */
#define ROUNDING 1.000004

/* A word of the query: its number in the dictionary, the runs that are left, where their postings begin, its weight. */
struct term {
	size_t number, run, run_end, posting;
	float weight;
};

/* A term's postings in one segment. */
struct list {
	const uint16_t *documents;
	const float *parts;
	size_t n;
	float weight, most;
};

/* Numbers that count as 0 until their block is touched. */
struct lazy {
	unsigned char *touched; /* per block */
	uint32_t *values;
	size_t n;
};

struct search {
	const lanewise_bm25 *bm25;
	struct lazy counts; /* per word of the dictionary */
	struct term *terms; /* in the order of the query; n_terms of them, which have runs left */
	size_t n_terms;
	float *scores; /* of one segment */
	int clean;     /* all scores are 0 */
	float *candidate_scores;
	uint32_t *candidates;
	uint64_t *walked;       /* document above score */
	const uint64_t *filter; /* a bit per document, or NULL */
	lanewise_topk *topk;
};

/* ---------------------------------------------------------------- scratch */

struct places {
	size_t topk, count_touched, counts, terms, scores, candidate_scores, candidates, walked, n_bytes;
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

static size_t n_blocks(size_t n) { return n / COUNT_BLOCK + (n % COUNT_BLOCK != 0); }

/* More than all documents cannot be found. */
static size_t least_k(const lanewise_bm25 *bm25, size_t k)
{
	size_t n = (size_t)bm25->header.n_documents;

	return k < n ? k : n + (n == 0);
}

static struct places lay_out(const lanewise_bm25 *bm25, size_t k)
{
	size_t n_terms = (size_t)bm25->header.n_terms, n_documents = (size_t)bm25->header.n_documents, end = 0;
	struct places places;

	places.topk = place(&end, lanewise_topk_scratch_size(least_k(bm25, k)), 1);
	places.count_touched = place(&end, n_blocks(n_terms), 1);
	places.counts = place(&end, n_terms, sizeof(uint32_t));
	places.terms = place(&end, n_terms, sizeof(struct term));
	places.scores = place(&end, n_documents < LW_BM25_SEGMENT ? n_documents : LW_BM25_SEGMENT, sizeof(float));
	places.candidate_scores = place(&end, MAX_CANDIDATES, sizeof(float));
	places.candidates = place(&end, MAX_CANDIDATES, sizeof(uint32_t));
	places.walked = place(&end, LW_BM25_SEGMENT / WALK_SHARE, sizeof(uint64_t));
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

static int compare_word(const lanewise_bm25 *bm25, size_t term, const lanewise_word *word)
{
	uint64_t begin = bm25->term_at[term];
	size_t n_bytes = (size_t)(bm25->term_at[term + 1] - begin);
	int order = memcmp(bm25->terms + begin, word->text, n_bytes < word->n_bytes ? n_bytes : word->n_bytes);

	return order ? order : (n_bytes > word->n_bytes) - (n_bytes < word->n_bytes);
}

/* The word's number in the dictionary; n_terms if it is not there. */
static size_t find_word(const lanewise_bm25 *bm25, const lanewise_word *word)
{
	size_t low = 0, high = (size_t)bm25->header.n_terms;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_word(bm25, middle, word);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return (size_t)bm25->header.n_terms;
}

static float idf_of(const lanewise_bm25 *bm25, size_t term)
{
	double n = lw_bm25_n(&bm25->header);
	double frequency = (double)(bm25->posting_at[term + 1] - bm25->posting_at[term]);
	float idf = (float)lw_bm25_idf(bm25->header.variant, n, frequency);

	return idf < 0 ? bm25->header.floor : idf;
}

/* The query's count of a word in the dictionary. */
static uint32_t *count_of(const struct search *search, size_t term)
{
	const struct lazy *counts = &search->counts;
	size_t block = term >> COUNT_BITS;

	if (!counts->touched[block]) {
		size_t begin = block << COUNT_BITS, left = counts->n - begin;

		counts->touched[block] = 1;
		memset(counts->values + begin, 0, (left < COUNT_BLOCK ? left : COUNT_BLOCK) * sizeof *counts->values);
	}
	return &counts->values[term];
}

/* Counts a word, and lists it if it is the first of its kind. */
static void take_word(struct search *search, const lanewise_word *word)
{
	const lanewise_bm25 *bm25 = search->bm25;
	size_t number = find_word(bm25, word);
	uint32_t *count;

	if (number == bm25->header.n_terms)
		return;
	count = count_of(search, number);
	if (*count == 0)
		search->terms[search->n_terms++] = (struct term) {
			.number = number,
			.run = (size_t)bm25->run_at[number],
			.run_end = (size_t)bm25->run_at[number + 1],
			.posting = (size_t)bm25->posting_at[number],
		};
	*count += *count < UINT32_MAX;
}

static void read_text(struct search *search, const char *query, size_t n_bytes)
{
	_Alignas(LW_SCRATCH_ALIGNMENT) unsigned char scratch[512];
	lanewise_words *words = lanewise_words_begin_analyzed(scratch, search->bm25->analyzer);
	lanewise_word word;

	lanewise_words_feed(words, query, n_bytes);
	while (lanewise_words_next(words, &word))
		take_word(search, &word);
	lanewise_words_finish(words);
	while (lanewise_words_next(words, &word))
		take_word(search, &word);
}

/* Gives the terms their weights, and drops those that have none. */
static void weigh(struct search *search)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < search->n_terms; i++) {
		struct term term = search->terms[i];
		float idf = idf_of(search->bm25, term.number);

		term.weight = (float)*count_of(search, term.number) * idf;
		search->terms[n_kept] = term;
		n_kept += idf >= LW_BM25_LEAST_WEIGHT;
	}
	search->n_terms = n_kept;
}

/* --------------------------------------------------------------- segments */

/* The first segment in which a term has postings left; drops terms that have none. LW_BM25_SEGMENT if no term has. */
static uint32_t next_segment(struct search *search)
{
	uint32_t segment = LW_BM25_SEGMENT;
	size_t kept = 0;

	for (size_t i = 0; i < search->n_terms; i++) {
		const struct term *term = &search->terms[i];

		if (term->run == term->run_end)
			continue;

		uint32_t first = search->bm25->runs[term->run] >> 16;

		segment = first < segment ? first : segment;
		search->terms[kept++] = *term;
	}
	search->n_terms = kept;
	return segment;
}

/* A term's postings in a segment; 0 if it has none there. */
static int list_of(const struct search *search, const struct term *term, uint32_t segment, struct list *list)
{
	const lanewise_bm25 *bm25 = search->bm25;

	if (term->run == term->run_end || bm25->runs[term->run] >> 16 != segment)
		return 0;
	*list = (struct list) { bm25->documents + term->posting, bm25->parts + term->posting,
		                (bm25->runs[term->run] & 0xffff) + (size_t)1, term->weight, bm25->most[term->run] };
	return 1;
}

/* Adds a list's parts to the scores. */
static void add_list(const struct list *list, float *scores)
{
	const uint16_t *documents = list->documents;
	const float *parts = list->parts;
	float weight = list->weight;

#pragma GCC unroll 8
	for (size_t i = 0; i < list->n; i++)
		scores[documents[i]] += weight * parts[i];
}

/* The same where blocks of scores are cleared when they are first touched. */
static void add_short_list(const struct list *list, float *scores, size_t length, unsigned char *touched)
{
	for (size_t i = 0; i < list->n; i++) {
		size_t document = list->documents[i], block = document >> SCORE_BITS, begin = block << SCORE_BITS;

		if (!touched[block]) {
			touched[block] = 1;
			memset(scores + begin, 0,
			       (length - begin < SCORE_BLOCK ? length - begin : SCORE_BLOCK) * sizeof *scores);
		}
		scores[document] += list->weight * list->parts[i];
	}
}

/* Sets the scores of documents that the filter rules out to 0; `first` is a multiple of 64. */
static void apply_filter(const struct search *search, size_t first, float *scores, size_t n)
{
	const uint64_t *words = search->filter ? search->filter + first / 64 : NULL;

	for (size_t i = 0; words && i < n; i += 64) {
		size_t n_here = n - i < 64 ? n - i : 64;
		uint64_t word = words[i / 64];

		if (word == 0)
			memset(scores + i, 0, n_here * sizeof *scores);
		else if (word != UINT64_MAX)
			for (size_t j = 0; j < n_here; j++)
				scores[i + j] = word >> j & 1 ? scores[i + j] : 0;
	}
}

/* Whether the filter lets any document of a segment through. */
static int any_passes(const struct search *search, uint32_t segment, size_t length)
{
	const uint64_t *words = search->filter ? search->filter + (size_t)segment * LW_BM25_SEGMENT / 64 : NULL;
	uint64_t last = length % 64 ? ((uint64_t)1 << length % 64) - 1 : UINT64_MAX, any = !words;

	for (size_t i = 0; words && !any && i < length; i += 64)
		any = length - i > 64 ? words[i / 64] : words[i / 64] & last;
	return any != 0;
}

/* Scores a segment with few postings. */
static void score_sparse(struct search *search, uint32_t segment, size_t length)
{
	unsigned char touched[LW_BM25_SEGMENT / SCORE_BLOCK] = { 0 };
	uint32_t first = segment * LW_BM25_SEGMENT;
	struct list list;

	search->clean = 0;
	for (size_t i = 0; i < search->n_terms; i++)
		if (list_of(search, &search->terms[i], segment, &list))
			add_short_list(&list, search->scores, length, touched);
	for (size_t begin = 0; begin < length; begin += SCORE_BLOCK)
		if (touched[begin >> SCORE_BITS]) {
			size_t n = length - begin < SCORE_BLOCK ? length - begin : SCORE_BLOCK;

			apply_filter(search, first + begin, search->scores + begin, n);
			lanewise_topk_push_f32(search->topk, search->scores + begin, n, first + (uint32_t)begin);
		}
}

static int passes(const struct search *search, uint32_t document)
{
	return !search->filter || (search->filter[document / 64] >> document % 64 & 1);
}

static void clear_scores(struct search *search, size_t length)
{
	if (!search->clean)
		memset(search->scores, 0, length * sizeof *search->scores);
}

/*
 * Scores a segment with postings for few of its documents, at most one in WALK_SHARE: goes over the postings again
 * instead of over all documents, picks the scores at or above the bound and sets each to 0. Scores are positive, so
 * their bits order as they do, and what is picked is sorted by document.
 */
static void score_walking(struct search *search, uint32_t segment, float bound)
{
	uint32_t first = segment * LW_BM25_SEGMENT;
	float *scores = search->scores;
	struct list list;
	size_t n = 0;

	for (size_t i = 0; i < search->n_terms; i++)
		if (list_of(search, &search->terms[i], segment, &list))
			add_list(&list, scores);
	for (size_t i = 0; i < search->n_terms; i++) {
		if (!list_of(search, &search->terms[i], segment, &list))
			continue;
		for (size_t j = 0; j < list.n; j++) {
			uint32_t document = list.documents[j];
			float score = scores[document];

			/* A branch would be mispredicted often. There is room for all postings. */
			search->walked[n] = (uint64_t)document << 32 | lw_f32_bits(score);
			n += score >= bound;
			scores[document] = 0;
		}
	}
	lw_sort_u64(search->walked, n);
	for (size_t i = 0; i < n; i++) {
		float score = lw_f32_from_bits((uint32_t)search->walked[i]);
		uint32_t document = first + (uint32_t)(search->walked[i] >> 32);

		if (passes(search, document))
			lanewise_topk_push_f32(search->topk, &score, 1, document);
	}
}

/* Scores all documents of a segment by all terms. */
static void score_all(struct search *search, uint32_t segment, size_t length)
{
	struct list list;

	clear_scores(search, length);
	search->clean = 0;
	for (size_t i = 0; i < search->n_terms; i++)
		if (list_of(search, &search->terms[i], segment, &list))
			add_list(&list, search->scores);
	apply_filter(search, (size_t)segment * LW_BM25_SEGMENT, search->scores, length);
	lanewise_topk_push_f32(search->topk, search->scores, length, segment * LW_BM25_SEGMENT);
}

/* ---------------------------------------------------------------- pruning */

/* Moves the weakest lists' numbers to the front of `order`; those that together stay below the bound are weak. */
static size_t find_weak(const struct list *lists, size_t n, double bound, size_t *order, double *reach)
{
	size_t n_weak = 0;

	for (size_t i = 0; i < n; i++) {
		double most = (double)lists[i].weight * (double)lists[i].most;
		size_t at = i;

		for (; at > 0; at--) {
			const struct list *before = &lists[order[at - 1]];

			if ((double)before->weight * (double)before->most <= most)
				break;
			order[at] = order[at - 1];
		}
		order[at] = i;
	}
	*reach = 0;
	for (; n_weak < n; n_weak++) {
		const struct list *list = &lists[order[n_weak]];
		double sum = *reach + (double)list->weight * (double)list->most;

		if (!(sum * ROUNDING < bound))
			break;
		*reach = sum;
	}
	return n_weak;
}

/* What a list adds to a document's score. */
static float part_of(const struct list *list, uint32_t document)
{
	const uint16_t *at = list->documents;

	/* Bisection without branches on the data; `at` comes to the last document that is not after it, if any. */
	for (size_t n = list->n; n > 1;) {
		size_t half = n / 2;

		at += at[half] <= document ? half : 0;
		n -= half;
	}
	return *at == document ? list->weight * list->parts[at - list->documents] : 0;
}

/* The document's score: its parts by all lists, in the order of the query. */
static float score_one(const struct list *lists, size_t n_lists, uint32_t document)
{
	float score = 0;

	for (size_t i = 0; i < n_lists; i++)
		score += part_of(&lists[i], document);
	return score;
}

/* Scores the documents of a segment that can be among the best; 0, and nothing done, if that would not pay. */
static int score_pruned(struct search *search, uint32_t segment, size_t length, float tight_bound)
{
	struct list lists[MAX_PRUNED];
	size_t order[MAX_PRUNED], n_lists = 0, n_weak, weak_postings = 0, n_found = 0;
	double bound = (double)tight_bound, reach, least;

	for (size_t i = 0; i < search->n_terms; i++)
		n_lists += (size_t)list_of(search, &search->terms[i], segment, &lists[n_lists]);
	n_weak = find_weak(lists, n_lists, bound, order, &reach);
	if (n_weak == n_lists)
		return 1;
	for (size_t i = 0; i < n_weak; i++)
		weak_postings += lists[order[i]].n;
	if (weak_postings < LEAST_WEAK)
		return 0;

	/* What the other lists' sum must reach. At least one of them must have the document. */
	least = (bound / ROUNDING - reach) / ROUNDING * (1 - 1e-6);
	clear_scores(search, length);
	search->clean = 0;
	for (size_t i = n_weak; i < n_lists; i++)
		add_list(&lists[order[i]], search->scores);
	apply_filter(search, (size_t)segment * LW_BM25_SEGMENT, search->scores, length);
	if (lw_kernels()->topk_filter_f32(search->scores, length, 0, least > (double)FLT_MIN ? (float)least : FLT_MIN,
	                                  search->candidate_scores, search->candidates, &n_found,
	                                  MAX_CANDIDATES) < length ||
	    n_found * n_lists * LOOKUP_COST > weak_postings)
		return 0;
	for (size_t i = 0; i < n_found; i++) {
		float score = score_one(lists, n_lists, search->candidates[i]);

		lanewise_topk_push_f32(search->topk, &score, 1, segment * LW_BM25_SEGMENT + search->candidates[i]);
	}
	return 1;
}

/* ----------------------------------------------------------------- search */

/* Scores a segment in the way that costs least; all ways find the same. */
static void choose_and_score(struct search *search, uint32_t segment, size_t length, size_t n_postings)
{
	float bound = lanewise_topk_tighten(search->topk);
	int some_fail = bound > FLT_MIN; /* some of the documents that have a word cannot be among the best any more */

	if (n_postings < FEW_POSTINGS && !search->clean) {
		score_sparse(search, segment, length);
	} else if (n_postings < FEW_POSTINGS || (some_fail && n_postings < length / WALK_SHARE)) {
		clear_scores(search, length);
		search->clean = 1;
		score_walking(search, segment, bound);
	} else if (!some_fail || n_postings < LEAST_WEAK || search->n_terms > MAX_PRUNED ||
	           !score_pruned(search, segment, length, bound)) {
		score_all(search, segment, length);
	}
}

/* Moves the terms behind a segment. */
static void pass_segment(struct search *search, uint32_t segment)
{
	struct list list;

	for (size_t i = 0; i < search->n_terms; i++) {
		struct term *term = &search->terms[i];

		if (list_of(search, term, segment, &list)) {
			term->run++;
			term->posting += list.n;
		}
	}
}

/* Scores a segment, and moves the terms behind it. */
static void score_segment(struct search *search, uint32_t segment)
{
	const lanewise_bm25 *bm25 = search->bm25;
	size_t left = (size_t)bm25->header.n_documents - (size_t)segment * LW_BM25_SEGMENT, n_postings = 0;
	size_t length = left < LW_BM25_SEGMENT ? left : LW_BM25_SEGMENT;
	struct list list;

	for (size_t i = 0; i < search->n_terms; i++)
		n_postings += list_of(search, &search->terms[i], segment, &list) ? list.n : 0;
	if (any_passes(search, segment, length))
		choose_and_score(search, segment, length, n_postings);
	pass_segment(search, segment);
}

static int is_scratch(const void *scratch) { return scratch && (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT == 0; }

/* A query: a text, or words if `words` is not NULL. */
struct query {
	const char *text;
	const lanewise_word *words;
	size_t n; /* bytes or words */
};

/* A search for a query's words, with the top-k not begun. */
static struct search begin(const lanewise_bm25 *bm25, struct query query, const struct places *places,
                           unsigned char *base)
{
	size_t n_terms = (size_t)bm25->header.n_terms;
	struct search search = {
		.bm25 = bm25,
		.counts.touched = base + places->count_touched,
		.counts.values = (uint32_t *)(void *)(base + places->counts),
		.counts.n = n_terms,
		.terms = (struct term *)(void *)(base + places->terms),
		.scores = (float *)(void *)(base + places->scores),
		.candidate_scores = (float *)(void *)(base + places->candidate_scores),
		.candidates = (uint32_t *)(void *)(base + places->candidates),
		.walked = (uint64_t *)(void *)(base + places->walked),
	};

	memset(search.counts.touched, 0, n_blocks(n_terms));
	if (query.words)
		for (size_t i = 0; i < query.n; i++)
			take_word(&search, &query.words[i]);
	else
		read_text(&search, query.text, query.n);
	weigh(&search);
	return search;
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

	search.filter = filter;
	/* Parts are at least LW_BM25_LEAST_PART, so only the score of no word is below FLT_MIN. */
	search.topk = lanewise_topk_begin((unsigned char *)scratch + places.topk, least_k(bm25, k), FLT_MIN);
	for (uint32_t segment; (segment = next_segment(&search)) < LW_BM25_SEGMENT;)
		score_segment(&search, segment);
	*n_found = lanewise_topk_finish(search.topk, index, score);
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
	if (!words && n_words)
		return LANEWISE_ERROR_ARGUMENT;
	for (size_t i = 0; i < n_words; i++)
		if (!words[i].text)
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
	struct list list;

	if (bm25->header.n_documents)
		memset(score, 0, (size_t)bm25->header.n_documents * sizeof *score);
	for (uint32_t segment; (segment = next_segment(&search)) < LW_BM25_SEGMENT;) {
		for (size_t i = 0; i < search.n_terms; i++)
			if (list_of(&search, &search.terms[i], segment, &list))
				add_list(&list, score + (size_t)segment * LW_BM25_SEGMENT);
		pass_segment(&search, segment);
	}
	return LANEWISE_OK;
}

/* Scores the documents of a segment that are among n ascending ones; returns how many these are. */
static size_t score_some(const struct search *search, uint32_t segment, const uint32_t *documents, size_t n,
                         float *score)
{
	struct list list;
	size_t n_here = 0;

	while (n_here < n && documents[n_here] / LW_BM25_SEGMENT == segment)
		n_here++;
	for (size_t i = 0; i < search->n_terms; i++)
		if (n_here && list_of(search, &search->terms[i], segment, &list))
			for (size_t j = 0; j < n_here; j++)
				score[j] += part_of(&list, documents[j] % LW_BM25_SEGMENT);
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
	for (uint32_t segment; i < n_documents && (segment = next_segment(&search)) < LW_BM25_SEGMENT;) {
		while (i < n_documents && documents[i] / LW_BM25_SEGMENT < segment)
			i++;
		i += score_some(&search, segment, documents + i, n_documents - i, score + i);
		pass_segment(&search, segment);
	}
	return LANEWISE_OK;
}

size_t lanewise_bm25_n_documents(const lanewise_bm25 *bm25) { return (size_t)bm25->header.n_documents; }

size_t lanewise_bm25_n_terms(const lanewise_bm25 *bm25) { return (size_t)bm25->header.n_terms; }

void lanewise_bm25_destroy(lanewise_bm25 *bm25)
{
	if (!bm25)
		return;

	lanewise_allocator copy = bm25->allocator;

	lanewise_analyzer_destroy(bm25->analyzer);
	lw_release(lw_allocator_of(&copy), bm25, bm25->n_bytes);
}
