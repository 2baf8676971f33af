/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/fusion.h: all entries of all lists, sorted by document.
 *
 * An entry is one integer: its document above its position in the lists one after another. A stable radix sort over
 * the document leaves the entries of one document in order of position, that is, by list and then by rank, so a
 * repetition inside a list is the entry after one of the same list. The scores, by ascending document, then go through
 * the top-k, which breaks ties the same way.
 */
#include <lanewise/fusion.h>
#include <lanewise/topk.h>

#include <math.h>

#include "common.h"

struct places {
	size_t ends, entries, other, topk, n_bytes;
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

static struct places lay_out(size_t n_rankings, size_t total)
{
	size_t end = 0;
	struct places places;

	places.ends = place(&end, n_rankings, sizeof(size_t));
	places.entries = place(&end, total, sizeof(uint64_t));
	places.other = place(&end, total, sizeof(uint64_t));
	places.topk = place(&end, lanewise_topk_scratch_size(total + (total == 0)), 1);
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
	return (float)sum;
}

static int valid(const lanewise_ranking *rankings, size_t n_rankings, float rank_constant)
{
	if (!isfinite(rank_constant) || !(rank_constant > -1) || (!rankings && n_rankings))
		return 0;
	for (size_t i = 0; i < n_rankings; i++)
		if ((!rankings[i].index && rankings[i].n) || !isfinite(rankings[i].weight))
			return 0;
	return 1;
}

lanewise_status lanewise_fuse_rrf(const lanewise_ranking *rankings, size_t n_rankings, float rank_constant, size_t k,
                                  void *scratch, uint32_t *index, float *score, size_t *n_found)
{
	if (!valid(rankings, n_rankings, rank_constant) || k == 0 || !scratch ||
	    (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || !index || !score || !n_found)
		return LANEWISE_ERROR_ARGUMENT;
	if (k > UINT32_MAX || lanewise_fuse_rrf_scratch_size(rankings, n_rankings) == 0)
		return LANEWISE_ERROR_TOO_LARGE;

	size_t total = count_entries(rankings, n_rankings), n_documents = 0;
	struct places places = lay_out(n_rankings, total);
	unsigned char *base = scratch;
	size_t *ends = (size_t *)(void *)(base + places.ends);
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
		        score_document(rankings, n_rankings, ends, sorted + begin, end - begin, (double)rank_constant);
	}

	lanewise_topk *topk = lanewise_topk_begin(base + places.topk, k < total ? k : total + (total == 0), -INFINITY);

	lanewise_topk_push_f32(topk, scores, n_documents, 0);
	*n_found = lanewise_topk_finish(topk, index, score);
	for (size_t i = 0; i < *n_found; i++)
		index[i] = documents[index[i]];
	return LANEWISE_OK;
}
