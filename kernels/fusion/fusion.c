/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/fusion.h: all entries of all lists, sorted by document.
 *
 * An entry is one integer: its document above its position in the lists one after another. A stable radix sort over
 * the document leaves the entries of one document in order of position, that is, by list and then by rank, so a
 * repetition inside a list is the entry after one of the same list. The scores, by ascending document, then go through
 * the top-k, which breaks ties the same way.
 *
 * Short rankings, which are most, are fused faster by reciprocal rank through a hash table; scores are then sorted by
 * buckets. Whoever picks documents that collide in the table makes it give up soon, and gets the same result by the sort;
 * so do scores that share a bucket, by merging.
 */
#include <lanewise/fusion.h>
#include <lanewise/topk.h>

#include <math.h>

#include "common.h"

struct places {
	size_t ends, entries, other, topk, n_bytes;
	size_t table, documents; /* see struct gathering; one document more than there are */
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

/* A document, and the last list that has it, plus 1. */
struct gathered {
	uint32_t document, list;
	double sum;
};

enum { MAX_GATHERED = 1 << 14 }; /* entries of all lists, to go through the hash table */

/* So large that the first place is mostly right: what else is found cannot be predicted. */
static size_t table_size(size_t total)
{
	size_t size = 16;

	while (size < 4 * total)
		size *= 2;
	return size;
}

static struct places lay_out(size_t n_rankings, size_t total)
{
	size_t end = 0;
	struct places places;

	places.ends = place(&end, n_rankings, sizeof(size_t));
	places.entries = place(&end, total, sizeof(uint64_t));
	places.other = place(&end, total, sizeof(uint64_t));
	places.topk = place(&end, lanewise_topk_scratch_size(total + (total == 0)), 1);
	places.table = places.documents = end;
	if (total <= MAX_GATHERED) {
		places.table = place(&end, table_size(total), sizeof(uint16_t));
		places.documents = place(&end, total + 1, sizeof(struct gathered));
	}
	places.n_bytes = end == SIZE_MAX ? 0 : end;
	return places;
}

/* The number of entries in all; SIZE_MAX if they are too many. */
static size_t count_entries(const lanewise_ranking *rankings, size_t n_rankings)
{
	size_t total = 0;

	for (size_t i = 0; i < n_rankings; i++) {
		if (rankings[i].n > UINT32_MAX - total)
			return SIZE_MAX;
		total += rankings[i].n;
	}
	return total;
}

size_t lanewise_fuse_rrf_scratch_size(const lanewise_ranking *rankings, size_t n_rankings)
{
	size_t total = count_entries(rankings, n_rankings);

	return total == SIZE_MAX ? 0 : lay_out(n_rankings, total).n_bytes;
}

/* Where each list ends, and the entries in order of position. */
static void collect(const lanewise_ranking *rankings, size_t n_rankings, size_t *ends, uint64_t *entries)
{
	size_t n = 0;

	for (size_t i = 0; i < n_rankings; i++) {
		for (size_t j = 0; j < rankings[i].n; j++, n++)
			entries[n] = (uint64_t)rankings[i].index[j] << 32 | n;
		ends[i] = n;
	}
}

/* Sorts by the upper 32 bits, least significant byte first; returns where the result lies, `entries` or `other`. */
static uint64_t *sort_by_document(uint64_t *entries, uint64_t *other, size_t n)
{
	uint64_t differing = 0;

	for (size_t i = 1; i < n; i++)
		differing |= entries[i] ^ entries[0];
	for (int shift = 32; shift < 64; shift += 8) {
		size_t start[256] = { 0 }, sum = 0;

		if (!(differing >> shift & 255))
			continue;
		for (size_t i = 0; i < n; i++)
			start[entries[i] >> shift & 255]++;
		for (int digit = 0; digit < 256; digit++) {
			size_t count = start[digit];

			start[digit] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
			other[start[entries[i] >> shift & 255]++] = entries[i];

		uint64_t *sorted = other;

		other = entries;
		entries = sorted;
	}
	return entries;
}

/* The first list, from `low` on, that ends after a position. */
static size_t list_of(const size_t *ends, size_t low, size_t n_rankings, size_t position)
{
	size_t high = n_rankings - 1;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ends[middle] > position)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The score of the document whose n entries these are. */
static float score_document(const lanewise_ranking *rankings, size_t n_rankings, const size_t *ends,
                            const uint64_t *entries, size_t n, double rank_constant)
{
	double sum = 0;
	size_t next = 0; /* entries of lists before it are done */

	for (size_t i = 0; i < n; i++) {
		size_t position = (uint32_t)entries[i];

		/* Another entry of the list before: a repetition, at a worse rank. */
		if (next && position < ends[next - 1])
			continue;

		size_t list = list_of(ends, next, n_rankings, position);
		double rank = (double)(position - (ends[list] - rankings[list].n) + 1);

		sum += (double)rankings[list].weight / (rank_constant + rank);
		next = list + 1;
	}
	return lw_f32_canonical((float)sum);
}

/* The best k of n documents, of which there are no more than scratch was laid out for; returns how many. */
static size_t best_documents(void *scratch, const uint32_t *documents, const float *scores, size_t n, size_t k,
                             uint32_t *index, float *score)
{
	lanewise_topk *topk = lanewise_topk_begin(scratch, k < n ? k : n + (n == 0), -INFINITY);
	size_t n_found;

	lanewise_topk_push_f32(topk, scores, n, 0);
	n_found = lanewise_topk_finish(topk, index, score);
	for (size_t i = 0; i < n_found; i++)
		index[i] = documents[index[i]];
	return n_found;
}

/* ------------------------------------------------------- short rankings */

/* Documents as they first occur, from number 1 on, found through a hash table of their numbers here. */
struct gathering {
	uint16_t *table; /* MAX_GATHERED fits; not needed any more when all are gathered */
	struct gathered *documents;
	size_t n;
};

/*
 * Gathers the entries of all lists; 0 if documents collide too often. Whether a document is new cannot be predicted, so
 * there is no branch on it: number 0, which is where the table is empty, is made to be the document that is looked for.
 */
LW_NOINLINE static int gather(const lanewise_ranking *rankings, size_t n_rankings, size_t total, double rank_constant,
                              struct gathering *g)
{
	size_t size = table_size(total), mask = size - 1, n = 1, patience = 8 * total;
	struct gathered *documents = g->documents;
	uint16_t *table = g->table;
	int shift = 32 - __builtin_ctzll(size);

	memset(table, 0, size * sizeof *table);
	memset(documents, 0, (total + 1) * sizeof *documents);
	for (uint32_t list = 1; list <= n_rankings; list++) {
		const uint32_t *index = rankings[list - 1].index;
		const size_t n_here = rankings[list - 1].n;
		const double weight = (double)rankings[list - 1].weight;

		for (size_t i = 0; i < n_here; i++) {
			uint32_t document = index[i];
			size_t found, at = document * 0x9e3779b1u >> shift;

			documents[0].document = document;
			while (documents[found = table[at]].document != document) {
				at = (at + 1) & mask;
				if (patience-- == 0)
					return 0;
			}

			size_t is_new = found == 0, number = found | (n & (0 - is_new)); /* no branch, said so */
			struct gathered *to = &documents[number];

			if (LW_UNLIKELY(to->list == list))
				continue;
			table[at] = (uint16_t)number;
			to->document = document;
			to->list = list;
			to->sum += weight / (rank_constant + (double)(i + 1));
			n += is_new;
		}
	}
	g->n = n - 1;
	g->documents++;
	return 1;
}

/* An integer that is less for a better document. */
static uint64_t key_of(float score, uint32_t document)
{
	uint32_t bits = lw_f32_bits(lw_f32_canonical(score)), descending = bits >> 31 ? bits : ~bits & 0x7fffffff;

	return (uint64_t)descending << 32 | document;
}

static float score_of_key(uint64_t key)
{
	uint32_t descending = (uint32_t)(key >> 32);

	return lw_f32_from_bits(descending >> 31 ? descending : ~descending & 0x7fffffff);
}

/*
 * Merges two ascending runs, from the beginning and from the end at once, since each step waits for the one before. As
 * many steps as the shorter run is long cannot leave either run.
 */
static void merge_runs(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b, uint64_t *to)
{
	size_t shorter = n_a < n_b ? n_a : n_b, i = 0, j = 0, i_end = n_a, j_end = n_b;
	uint64_t *last = to + n_a + n_b;

	for (size_t step = 0; step < shorter; step++) {
		uint64_t x = a[i], y = b[j], x_end = a[i_end - 1], y_end = b[j_end - 1];
		size_t take_b = y < x, leave_b = y_end < x_end;

		*to++ = take_b ? y : x;
		*--last = leave_b ? x_end : y_end;
		j += take_b;
		i += !take_b;
		i_end -= leave_b;
		j_end -= !leave_b;
	}
	while (i < i_end && j < j_end) {
		size_t take_b = b[j] < a[i];

		*to++ = take_b ? b[j] : a[i];
		j += take_b;
		i += !take_b;
	}
	memcpy(to, a + i, (i_end - i) * sizeof *a);
	memcpy(to + (i_end - i), b + j, (j_end - j) * sizeof *b);
}

static size_t run_length(const uint64_t *keys, size_t n)
{
	size_t length = n > 0;

	while (length < n && keys[length - 1] < keys[length])
		length++;
	return length;
}

/* Merges the ascending runs that are there, until there is one; returns where that is. */
static uint64_t *merge_all_runs(uint64_t *keys, uint64_t *other, size_t n)
{
	for (size_t n_runs = 2; n_runs > 1;) {
		uint64_t *merged = other;

		n_runs = 0;
		for (size_t at = 0; at < n; n_runs++) {
			size_t n_a = run_length(keys + at, n - at), n_b = run_length(keys + at + n_a, n - at - n_a);

			if (n_a == n)
				return keys;
			merge_runs(keys + at, n_a, keys + at + n_a, n_b, merged + at);
			at += n_a + n_b;
		}
		other = keys;
		keys = merged;
	}
	return keys;
}

/*
 * Sorts n < 2^16 keys in any order, of which the least and the greatest are given, into `to`, by buckets for ranges of
 * one size; 0 if some bucket has too many to be sorted by insertion.
 */
static int sort_by_buckets(const uint64_t *keys, uint64_t *to, size_t n, uint64_t least, uint64_t greatest,
                           uint16_t *places, size_t n_places)
{
	enum { MOST = 32 };
	unsigned shift = 0;
	size_t sum = 0;

	while ((greatest - least) >> shift >= n_places)
		shift++;
	memset(places, 0, n_places * sizeof *places);
	for (size_t i = 0; i < n; i++)
		places[(keys[i] - least) >> shift]++;
	for (size_t bucket = 0; bucket < n_places; bucket++) {
		size_t count = places[bucket];

		if (count > MOST)
			return 0;
		places[bucket] = (uint16_t)sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[places[(keys[i] - least) >> shift]++] = keys[i];
	for (size_t i = 1; i < n; i++) {
		uint64_t key = to[i];
		size_t j = i;

		for (; j > 0 && to[j - 1] > key; j--)
			to[j] = to[j - 1];
		to[j] = key;
	}
	return 1;
}

/* The best k of what was gathered from `total` entries; returns how many. */
LW_NOINLINE static size_t best_gathered(const struct gathering *g, size_t total, uint64_t *keys, uint64_t *other,
                                        size_t k, uint32_t *index, float *score)
{
	uint64_t least = UINT64_MAX, greatest = 0;
	const uint64_t *sorted = other;

	for (size_t i = 0; i < g->n; i++) {
		uint64_t key = key_of((float)g->documents[i].sum, g->documents[i].document);

		least = key < least ? key : least;
		greatest = key > greatest ? key : greatest;
		keys[i] = key;
	}
	if (g->n && !sort_by_buckets(keys, other, g->n, least, greatest, g->table, table_size(total) / 4))
		sorted = merge_all_runs(keys, other, g->n);
	k = k < g->n ? k : g->n;
	for (size_t i = 0; i < k; i++) {
		index[i] = (uint32_t)sorted[i];
		score[i] = score_of_key(sorted[i]);
	}
	return k;
}

/* ------------------------------------------------------------------- ranks */

static int valid(const lanewise_ranking *rankings, size_t n_rankings, float rank_constant)
{
	if (!isfinite(rank_constant) || !(rank_constant > -1) || (!rankings && n_rankings))
		return 0;
	for (size_t i = 0; i < n_rankings; i++)
		if ((!rankings[i].index && rankings[i].n) || !isfinite(rankings[i].weight))
			return 0;
	return 1;
}

/* Fuses by sorting the entries. */
static size_t fuse_sorted(const lanewise_ranking *rankings, size_t n_rankings, size_t total, double rank_constant,
                          size_t k, unsigned char *base, uint32_t *index, float *score)
{
	struct places places = lay_out(n_rankings, total);
	size_t *ends = (size_t *)(void *)(base + places.ends), n_documents = 0;
	uint64_t *entries = (uint64_t *)(void *)(base + places.entries);
	uint64_t *other = (uint64_t *)(void *)(base + places.other);

	collect(rankings, n_rankings, ends, entries);

	uint64_t *sorted = sort_by_document(entries, other, total);
	/* The half that the sort left over takes each document and its score. */
	uint32_t *documents = (uint32_t *)(void *)(sorted == entries ? other : entries);
	float *scores = (float *)(void *)(documents + total);

	for (size_t begin = 0, end; begin < total; begin = end) {
		uint64_t document = sorted[begin] >> 32;

		for (end = begin + 1; end < total && sorted[end] >> 32 == document;)
			end++;
		documents[n_documents] = (uint32_t)document;
		scores[n_documents++] =
		        score_document(rankings, n_rankings, ends, sorted + begin, end - begin, rank_constant);
	}
	return best_documents(base + places.topk, documents, scores, n_documents, k, index, score);
}

lanewise_status lanewise_fuse_rrf(const lanewise_ranking *rankings, size_t n_rankings, float rank_constant, size_t k,
                                  void *scratch, uint32_t *index, float *score, size_t *n_found)
{
	if (!valid(rankings, n_rankings, rank_constant) || k == 0 || !scratch ||
	    (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || !index || !score || !n_found)
		return LANEWISE_ERROR_ARGUMENT;
	if (k > UINT32_MAX || lanewise_fuse_rrf_scratch_size(rankings, n_rankings) == 0)
		return LANEWISE_ERROR_TOO_LARGE;

	size_t total = count_entries(rankings, n_rankings);
	struct places places = lay_out(n_rankings, total);
	unsigned char *base = scratch;
	struct gathering g = { .table = (uint16_t *)(void *)(base + places.table),
		               .documents = (struct gathered *)(void *)(base + places.documents) };

	if (total <= MAX_GATHERED && n_rankings < UINT32_MAX &&
	    gather(rankings, n_rankings, total, (double)rank_constant, &g))
		*n_found = best_gathered(&g, total, (uint64_t *)(void *)(base + places.entries),
		                         (uint64_t *)(void *)(base + places.other), k, index, score);
	else
		*n_found = fuse_sorted(rankings, n_rankings, total, (double)rank_constant, k, base, index, score);
	return LANEWISE_OK;
}

/* ----------------------------------------------------------------- scores */

/* A list's scores, and from them how one is normalized: (score - offset) / divisor + constant. */
struct list {
	double min, max, sum, squares; /* squares: of the differences from the mean */
	double offset, divisor, constant, missing;
	size_t n; /* different documents */
};

struct score_places {
	size_t rankings, lists, n_bytes;
	struct places common;
};

static struct score_places lay_out_scores(size_t n_rankings, size_t total)
{
	struct score_places places;
	size_t end;

	places.common = lay_out(n_rankings, total);
	end = places.common.n_bytes ? places.common.n_bytes : SIZE_MAX;
	places.rankings = place(&end, n_rankings, sizeof(lanewise_ranking));
	places.lists = place(&end, n_rankings, sizeof(struct list));
	places.n_bytes = end == SIZE_MAX ? 0 : end;
	return places;
}

/* The number of entries in all; SIZE_MAX if they are too many. */
static size_t count_scored(const lanewise_scored_ranking *rankings, size_t n_rankings)
{
	size_t total = 0;

	for (size_t i = 0; i < n_rankings; i++) {
		if (rankings[i].n > UINT32_MAX - total)
			return SIZE_MAX;
		total += rankings[i].n;
	}
	return total;
}

size_t lanewise_fuse_scores_scratch_size(const lanewise_scored_ranking *rankings, size_t n_rankings)
{
	size_t total = count_scored(rankings, n_rankings);

	return total == SIZE_MAX ? 0 : lay_out_scores(n_rankings, total).n_bytes;
}

static int valid_scored(const lanewise_scored_ranking *rankings, size_t n_rankings,
                        const lanewise_fuse_options *options)
{
	if (!rankings && n_rankings)
		return 0;
	if (options && (options->struct_size != sizeof *options || options->normalize < LANEWISE_NORMALIZE_NONE ||
	                options->normalize > LANEWISE_NORMALIZE_Z_SCORE || options->missing < LANEWISE_MISSING_ZERO ||
	                options->missing > LANEWISE_MISSING_LEAST))
		return 0;
	for (size_t i = 0; i < n_rankings; i++)
		if (((!rankings[i].index || !rankings[i].score) && rankings[i].n) || !isfinite(rankings[i].weight))
			return 0;
	return 1;
}

static int scores_finite(const lanewise_scored_ranking *rankings, size_t n_rankings)
{
	for (size_t i = 0; i < n_rankings; i++)
		for (size_t j = 0; j < rankings[i].n; j++)
			if (!isfinite(rankings[i].score[j]))
				return 0;
	return 1;
}

/* The entries of all lists, sorted by document and then by list. */
struct sorted {
	const lanewise_scored_ranking *rankings;
	size_t n_rankings;
	const size_t *ends;
	const uint64_t *entries;
	size_t n;
};

/*
 * One document's score in one list, from entry `*at` on, which is moved behind them; `*list`, at first a list that is
 * not after it, becomes the list.
 */
static double next_score(const struct sorted *sorted, size_t *at, size_t *list)
{
	uint64_t document = sorted->entries[*at] >> 32;
	size_t position = (uint32_t)sorted->entries[*at], first;
	double score = -INFINITY;

	*list = list_of(sorted->ends, *list, sorted->n_rankings, position);
	first = sorted->ends[*list] - sorted->rankings[*list].n;
	for (; *at < sorted->n && sorted->entries[*at] >> 32 == document; ++*at) {
		position = (uint32_t)sorted->entries[*at];
		if (position >= sorted->ends[*list])
			break;

		double other = (double)sorted->rankings[*list].score[position - first];

		score = other > score ? other : score;
	}
	return score;
}

/* Goes through all documents and lists; the first pass finds sums, the second the deviations from the mean. */
static void measure(const struct sorted *sorted, struct list *lists, int second_pass)
{
	uint64_t before = UINT64_MAX; /* the document */

	for (size_t at = 0, list = 0; at < sorted->n;) {
		uint64_t document = sorted->entries[at] >> 32;

		list = document == before ? list : 0;
		before = document;

		double score = next_score(sorted, &at, &list);
		struct list *l = &lists[list];

		if (second_pass) {
			double difference = score - l->sum / (double)l->n;

			l->squares += difference * difference;
			continue;
		}
		l->min = l->n == 0 || score < l->min ? score : l->min;
		l->max = l->n == 0 || score > l->max ? score : l->max;
		l->sum += score;
		l->n++;
	}
}

static void choose_normalization(struct list *list, int32_t normalize, int32_t missing)
{
	double least;

	list->divisor = 1;
	if (normalize == LANEWISE_NORMALIZE_MIN_MAX) {
		list->offset = list->min;
		list->divisor = list->max > list->min ? list->max - list->min : 1;
		list->constant = list->max > list->min ? 0 : 1;
	} else if (normalize == LANEWISE_NORMALIZE_Z_SCORE) {
		list->offset = list->n ? list->sum / (double)list->n : 0;
		list->divisor = list->max > list->min ? lw_sqrt(list->squares / (double)list->n) : 1;
		/* The mean of equal scores need not be exactly theirs. */
		list->offset = list->max > list->min ? list->offset : list->min;
	}
	least = (list->min - list->offset) / list->divisor + list->constant;
	list->missing = missing == LANEWISE_MISSING_LEAST && list->n ? least : 0;
}

/* The score of the document whose entries begin at `*at`, which is moved behind them. */
static float fuse_document(const struct sorted *sorted, const struct list *lists, int32_t missing, size_t *at)
{
	uint64_t document = sorted->entries[*at] >> 32;
	size_t next = 0; /* lists before it are done */
	double sum = 0;

	while (*at < sorted->n && sorted->entries[*at] >> 32 == document) {
		size_t list = next;
		double score = next_score(sorted, at, &list);

		for (; missing == LANEWISE_MISSING_LEAST && next < list; next++)
			sum += (double)sorted->rankings[next].weight * lists[next].missing;
		sum += (double)sorted->rankings[list].weight *
		       ((score - lists[list].offset) / lists[list].divisor + lists[list].constant);
		next = list + 1;
	}
	for (; missing == LANEWISE_MISSING_LEAST && next < sorted->n_rankings; next++)
		sum += (double)sorted->rankings[next].weight * lists[next].missing;
	return (float)sum;
}

static void prepare_lists(const struct sorted *sorted, struct list *lists, int32_t normalize, int32_t missing)
{
	for (size_t i = 0; i < sorted->n_rankings; i++)
		lists[i] = (struct list) { 0 };
	measure(sorted, lists, 0);
	if (normalize == LANEWISE_NORMALIZE_Z_SCORE)
		measure(sorted, lists, 1);
	for (size_t i = 0; i < sorted->n_rankings; i++)
		choose_normalization(&lists[i], normalize, missing);
}

lanewise_status lanewise_fuse_scores(const lanewise_scored_ranking *rankings, size_t n_rankings,
                                     const lanewise_fuse_options *options, size_t k, void *scratch, uint32_t *index,
                                     float *score, size_t *n_found)
{
	int32_t normalize = options ? options->normalize : LANEWISE_NORMALIZE_MIN_MAX;
	int32_t missing = options ? options->missing : LANEWISE_MISSING_ZERO;

	if (!valid_scored(rankings, n_rankings, options) || k == 0 || !scratch ||
	    (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || !index || !score || !n_found)
		return LANEWISE_ERROR_ARGUMENT;
	if (k > UINT32_MAX || lanewise_fuse_scores_scratch_size(rankings, n_rankings) == 0)
		return LANEWISE_ERROR_TOO_LARGE;
	if (!scores_finite(rankings, n_rankings))
		return LANEWISE_ERROR_ARGUMENT;

	size_t total = count_scored(rankings, n_rankings), n_documents = 0;
	struct score_places places = lay_out_scores(n_rankings, total);
	unsigned char *base = scratch;
	lanewise_ranking *plain = (lanewise_ranking *)(void *)(base + places.rankings);
	struct list *lists = (struct list *)(void *)(base + places.lists);
	size_t *ends = (size_t *)(void *)(base + places.common.ends);
	uint64_t *entries = (uint64_t *)(void *)(base + places.common.entries);
	uint64_t *other = (uint64_t *)(void *)(base + places.common.other);

	for (size_t i = 0; i < n_rankings; i++)
		plain[i] = (lanewise_ranking) { rankings[i].index, rankings[i].n, rankings[i].weight };
	collect(plain, n_rankings, ends, entries);

	struct sorted sorted = { rankings, n_rankings, ends, sort_by_document(entries, other, total), total };
	uint32_t *documents = (uint32_t *)(void *)(sorted.entries == entries ? other : entries);
	float *scores = (float *)(void *)(documents + total);

	prepare_lists(&sorted, lists, normalize, missing);
	for (size_t at = 0; at < total;) {
		documents[n_documents] = (uint32_t)(sorted.entries[at] >> 32);
		scores[n_documents++] = fuse_document(&sorted, lists, missing, &at);
	}
	*n_found = best_documents(base + places.common.topk, documents, scores, n_documents, k, index, score);
	return LANEWISE_OK;
}
