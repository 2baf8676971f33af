/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searching an index: the scores of all documents in one array, posting list by posting list, then the top-k of it.
 *
 * A word of the query that occurs in it several times must be scored once, with its count, where it occurs first. So
 * the query is read twice: once to count each word in an array over the dictionary, once to score each word whose
 * count is not 0 and to set that to 0. Neither array is cleared as a whole: scores and counts are valid by blocks,
 * each of which is cleared when it is first touched.
 */
#include "bm25/bm25.h"

#include <float.h>
#include <string.h>

#include <lanewise/text.h>
#include <lanewise/topk.h>

#include "common.h"
#include "log.h"
#include "support.h"

enum {
	BLOCK_BITS = 10, /* scores or counts per block, as a power of two: 4 KiB */
	BLOCK = 1 << BLOCK_BITS,
	STEP = 256, /* postings whose parts of a score are computed before they are added up */
};

/* Numbers that count as 0 until their block is touched. */
struct lazy {
	unsigned char *touched; /* per block */
	uint32_t *values;       /* or floats */
	size_t n;
};

struct search {
	const lanewise_bm25 *bm25;
	float norm_base, norm_scale; /* k1 * (1 - b + b * dl / avgdl) = base + scale * dl */
	struct lazy counts;          /* uint32_t, per word of the dictionary */
	unsigned char *touched;      /* per block of scores */
	float *scores;
};

/* ---------------------------------------------------------------- scratch */

struct places {
	size_t topk, count_touched, counts, score_touched, scores, n_bytes;
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
	size_t n_terms = (size_t)bm25->header.n_terms, n_documents = (size_t)bm25->header.n_documents, end = 0;
	struct places places;

	places.topk = place(&end, lanewise_topk_scratch_size(least_k(bm25, k)), 1);
	places.count_touched = place(&end, n_blocks(n_terms), 1);
	places.counts = place(&end, n_terms, sizeof(uint32_t));
	places.score_touched = place(&end, n_blocks(n_documents), 1);
	places.scores = place(&end, n_documents, sizeof(float));
	places.n_bytes = end == SIZE_MAX ? 0 : end;
	return places;
}

size_t lanewise_bm25_scratch_size(const lanewise_bm25 *bm25, size_t k)
{
	if (k == 0 || k > UINT32_MAX)
		return 0;
	return lay_out(bm25, k).n_bytes;
}

/* ---------------------------------------------------------------- scoring */

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
	double n = (double)bm25->header.n_documents;
	double frequency = (double)(bm25->posting_at[term + 1] - bm25->posting_at[term]);

	return (float)lw_log_f64(1.0 + (n - frequency + 0.5) / (frequency + 0.5));
}

static void clear_scores(const struct search *search, size_t block)
{
	size_t begin = block << BLOCK_BITS, left = (size_t)search->bm25->header.n_documents - begin;

	search->touched[block] = 1;
	memset(search->scores + begin, 0, (left < BLOCK ? left : BLOCK) * sizeof(float));
}

/* Adds a word's part to the scores of n of its documents, n <= STEP. */
static void add_step(const struct search *search, const uint32_t *documents, const uint32_t *counts, size_t n,
                     float weight)
{
	const uint32_t *lengths = search->bm25->lengths;
	const unsigned char *touched = search->touched;
	float base = search->norm_base, scale = search->norm_scale, part[STEP], *scores = search->scores;

	/* Lengths and counts are below 2^31: CPUs convert signed integers sooner. */
	for (size_t i = 0; i < n; i++)
		part[i] = base + scale * (float)(int32_t)lengths[documents[i]];
	for (size_t i = 0; i < n; i++) {
		float tf = (float)(int32_t)counts[i];

		part[i] = weight * (tf / (tf + part[i]));
	}
	for (size_t i = 0; i < n; i++) {
		if (LW_UNLIKELY(!touched[documents[i] >> BLOCK_BITS]))
			clear_scores(search, documents[i] >> BLOCK_BITS);
		scores[documents[i]] += part[i];
	}
}

/* The query's count of a word in the dictionary. */
static uint32_t *count_of(const struct search *search, size_t term)
{
	const struct lazy *counts = &search->counts;
	size_t block = term >> BLOCK_BITS;

	if (!counts->touched[block]) {
		size_t begin = block << BLOCK_BITS, left = counts->n - begin;

		counts->touched[block] = 1;
		memset(counts->values + begin, 0, (left < BLOCK ? left : BLOCK) * sizeof *counts->values);
	}
	return &counts->values[term];
}

static void count_word(const struct search *search, const lanewise_word *word)
{
	size_t term = find_word(search->bm25, word);

	if (term < search->bm25->header.n_terms) {
		uint32_t *count = count_of(search, term);

		*count += *count < UINT32_MAX;
	}
}

static void score_word(const struct search *search, const lanewise_word *word)
{
	const lanewise_bm25 *bm25 = search->bm25;
	size_t term = find_word(bm25, word);
	uint32_t *count;

	if (term == bm25->header.n_terms || *(count = count_of(search, term)) == 0)
		return;

	float weight = (float)*count * idf_of(bm25, term);
	size_t end = (size_t)bm25->posting_at[term + 1];

	*count = 0;
	for (size_t i = (size_t)bm25->posting_at[term]; i < end; i += STEP)
		add_step(search, bm25->documents + i, bm25->counts + i, end - i < STEP ? end - i : STEP, weight);
}

/* ----------------------------------------------------------------- search */

static void for_each_word(const struct search *search, const char *query, size_t n_bytes,
                          void (*use)(const struct search *search, const lanewise_word *word))
{
	_Alignas(LW_SCRATCH_ALIGNMENT) unsigned char scratch[512];
	lanewise_words *words = lanewise_words_begin(scratch);
	lanewise_word word;

	lanewise_words_feed(words, query, n_bytes);
	while (lanewise_words_next(words, &word))
		use(search, &word);
	lanewise_words_finish(words);
	while (lanewise_words_next(words, &word))
		use(search, &word);
}

static size_t best_scores(const struct search *search, void *scratch, size_t k, uint32_t *index, float *score)
{
	size_t n_documents = (size_t)search->bm25->header.n_documents;
	/* Scores are well above FLT_MIN for any k1 up to LW_BM25_MAX_K1 and lengths up to 2^32; only no word gives 0. */
	lanewise_topk *topk = lanewise_topk_begin(scratch, k, FLT_MIN);

	for (size_t begin = 0; begin < n_documents; begin += BLOCK) {
		size_t left = n_documents - begin;

		if (search->touched[begin >> BLOCK_BITS])
			lanewise_topk_push_f32(topk, search->scores + begin, left < BLOCK ? left : BLOCK,
			                       (uint32_t)begin);
	}
	return lanewise_topk_finish(topk, index, score);
}

lanewise_status lanewise_bm25_search(const lanewise_bm25 *bm25, const char *query, size_t n_bytes, size_t k,
                                     void *scratch, uint32_t *index, float *score, size_t *n_found)
{
	if (!bm25 || (!query && n_bytes) || !scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || !index || !score ||
	    !n_found || k == 0)
		return LANEWISE_ERROR_ARGUMENT;
	if (lanewise_bm25_scratch_size(bm25, k) == 0)
		return LANEWISE_ERROR_TOO_LARGE;

	const struct lw_bm25_header *header = &bm25->header;
	struct places places = lay_out(bm25, k);
	unsigned char *base = scratch;
	struct search search = {
		.bm25 = bm25,
		.norm_base = (float)((double)header->k1 * (1.0 - (double)header->b)),
		.counts.touched = base + places.count_touched,
		.counts.values = (uint32_t *)(void *)(base + places.counts),
		.counts.n = (size_t)header->n_terms,
		.touched = base + places.score_touched,
		.scores = (float *)(void *)(base + places.scores),
	};

	if (header->total_length) {
		double mean_length = (double)header->total_length / (double)header->n_documents;

		search.norm_scale = (float)((double)header->k1 * (double)header->b / mean_length);
	}
	memset(search.counts.touched, 0, n_blocks((size_t)header->n_terms));
	memset(search.touched, 0, n_blocks((size_t)header->n_documents));
	for_each_word(&search, query, n_bytes, count_word);
	for_each_word(&search, query, n_bytes, score_word);
	*n_found = best_scores(&search, base + places.topk, least_k(bm25, k), index, score);
	return LANEWISE_OK;
}

size_t lanewise_bm25_n_documents(const lanewise_bm25 *bm25) { return (size_t)bm25->header.n_documents; }

size_t lanewise_bm25_n_terms(const lanewise_bm25 *bm25) { return (size_t)bm25->header.n_terms; }

void lanewise_bm25_destroy(lanewise_bm25 *bm25)
{
	if (!bm25)
		return;

	lanewise_allocator copy = bm25->allocator;

	lw_release(lw_allocator_of(&copy), bm25, bm25->n_bytes);
}
