/* SPDX-License-Identifier: Apache-2.0 */
#include "bm25/bm25_list.h"

#include <string.h>

enum { CHUNK = 256 };

/* The parts of n postings, of which none has a large count, in loops that can be vectorised. */
static void find_parts(const struct lw_bm25_formula *f, const uint8_t *counts, const uint32_t *lengths, size_t n,
                       float *parts)
{
	switch (f->variant) {
	case LANEWISE_BM25_LUCENE:
	case LANEWISE_BM25_ROBERTSON:
		for (size_t i = 0; i < n; i++) {
			float tf = (float)counts[i], norm = f->base + f->scale * (float)lengths[i];

			parts[i] = tf / (tf + norm);
		}
		break;
	default:
		for (size_t i = 0; i < n; i++)
			parts[i] = lw_bm25_part(f, counts[i], lengths[i]);
	}
}

/*
 * In steps that wait for memory each for all documents: first for the blocks by the skips, then for the documents. In a
 * block bisection takes the same number of steps for any data, as mispredicted branches would cost more.
 */
void lw_bm25_find_some(const struct lw_bm25_list *list, const uint32_t *documents, size_t n, uint32_t *at)
{
	enum { STEPS = 6 };
	uint32_t end[LW_BM25_FIND];

	for (size_t i = 0; i < n; i++) {
		size_t block = (documents[i] & 0xffff) >> list->shift;

		at[i] = list->n_skips ? list->skips[block] : 0;
		end[i] = block + 1 < list->n_skips ? list->skips[block + 1] : (uint32_t)list->n;
		__builtin_prefetch(list->documents + at[i]);
		__builtin_prefetch(list->documents + end[i] - 1);
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t document = documents[i] & 0xffff, low = at[i], high = end[i];

		if (low == high) {
			at[i] = (uint32_t)list->n;
			continue;
		}
		/* The last of [low, high) that is not after the document, if any is. */
		while (high - low > 1u << STEPS) {
			uint32_t middle = low + (high - low) / 2;

			if (list->documents[middle] <= document)
				low = middle;
			else
				high = middle;
		}
#pragma GCC unroll 8
		for (uint32_t step = 1u << (STEPS - 1); step > 0; step /= 2) {
			uint32_t middle = low + step < high ? low + step : low;

			low = list->documents[middle] <= document ? middle : low;
		}
		at[i] = list->documents[low] == document ? low : (uint32_t)list->n;
		__builtin_prefetch(list->quanta + low);
	}
}

void lw_bm25_score_some(const lanewise_bm25 *bm25, const struct lw_bm25_formula *formula,
                        const struct lw_bm25_list *list, float weight, const uint32_t *documents, size_t n,
                        float *scores)
{
	uint32_t at[LW_BM25_FIND];

	for (size_t begin = 0; begin < n; begin += LW_BM25_FIND) {
		size_t n_here = n - begin < LW_BM25_FIND ? n - begin : LW_BM25_FIND;

		lw_bm25_find_some(list, documents + begin, n_here, at);
		for (size_t i = 0; i < n_here; i++) {
			__builtin_prefetch(bm25->counts + list->posting + at[i]);
			__builtin_prefetch(bm25->lengths + documents[begin + i]);
		}
		for (size_t i = 0; i < n_here; i++)
			if (at[i] < list->n)
				scores[begin + i] += weight * lw_bm25_part_at(bm25, formula, list->posting + at[i],
				                                              documents[begin + i]);
	}
}

void lw_bm25_add_parts(const lanewise_bm25 *bm25, const struct lw_bm25_formula *formula,
                       const struct lw_bm25_list *list, float weight, size_t first, float *scores)
{
	const uint8_t *counts = bm25->counts + list->posting;
	uint32_t lengths[CHUNK];
	float parts[CHUNK];

	for (size_t begin = 0; begin < list->n; begin += CHUNK) {
		const uint16_t *documents = list->documents + begin;
		size_t n = list->n - begin < CHUNK ? list->n - begin : CHUNK;

		for (size_t i = 0; i < n; i++)
			lengths[i] = bm25->lengths[first + documents[i]];
		find_parts(formula, counts + begin, lengths, n, parts);
		if (bm25->n_large && memchr(counts + begin, LW_BM25_LARGE, n))
			for (size_t i = 0; i < n; i++)
				parts[i] =
				        lw_bm25_part_at(bm25, formula, list->posting + begin + i, first + documents[i]);
		for (size_t i = 0; i < n; i++)
			scores[documents[i]] += weight * parts[i];
	}
}
