/* SPDX-License-Identifier: Apache-2.0 */
#include "bm25/bm25_list.h"

#include <string.h>

#include "common.h"

enum { CHUNK = 256 };

/* The parts of n postings, of which none has a large count, in loops that can be vectorised. */
LW_INLINE void find_parts(const struct lw_bm25_formula *f, const uint8_t *counts, const uint32_t *lengths, size_t n,
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

/* The same of an index without counts, at[i] after the first quantum. */
static void find_parts_of_quanta(const struct lw_bm25_formula *f, const uint16_t *quanta, const uint32_t *at, size_t n,
                                 float *parts)
{
	for (size_t i = 0; i < n; i++)
		parts[i] = lw_bm25_part_of_quantum(f, quanta[at[i]]);
}

/* The parts of n postings, whose numbers are `first` + at[i], in documents. */
static void find_parts_at(const lanewise_bm25 *bm25, const struct lw_bm25_formula *formula, uint64_t first,
                          const uint32_t *at, const uint32_t *documents, size_t n, float *parts)
{
	uint8_t counts[CHUNK], most = 0;
	uint32_t lengths[CHUNK];

	if (!bm25->counts) {
		find_parts_of_quanta(formula, bm25->quanta + first, at, n, parts);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		counts[i] = bm25->counts[first + at[i]];
		lengths[i] = bm25->lengths[documents[i]];
		most = counts[i] > most ? counts[i] : most;
	}
	find_parts(formula, counts, lengths, n, parts);
	for (size_t i = 0; most == LW_BM25_LARGE && i < n; i++)
		parts[i] = lw_bm25_part_at(bm25, formula, first + at[i], documents[i]);
}

void lanewise_bm25_score_some(const lanewise_bm25 *bm25, const struct lw_bm25_formula *formula,
                              const struct lw_bm25_list *list, float weight, const uint32_t *documents, size_t n,
                              float *scores)
{
	const struct lw_kernels *kernels = lw_kernels();
	uint32_t at[CHUNK], hits[CHUNK], which[CHUNK];
	float parts[CHUNK];

	for (size_t begin = 0; begin < n; begin += CHUNK, documents += CHUNK, scores += CHUNK) {
		size_t n_here = n - begin < CHUNK ? n - begin : CHUNK, n_hits = 0;

		kernels->bm25_find(list->documents, list->n, list->skips, list->shift, documents, n_here, at);
		/* Who has the word cannot be predicted, so there are no branches on it. */
		for (size_t i = 0; i < n_here; i++) {
			at[n_hits] = at[i];
			hits[n_hits] = documents[i];
			which[n_hits] = (uint32_t)i;
			n_hits += at[i] < list->n;
		}
		for (size_t i = 0; bm25->counts && i < n_hits; i++) {
			__builtin_prefetch(bm25->counts + list->posting + at[i]);
			__builtin_prefetch(bm25->lengths + hits[i]);
		}
		find_parts_at(bm25, formula, list->posting, at, hits, n_hits, parts);
		for (size_t i = 0; i < n_hits; i++)
			scores[which[i]] += weight * parts[i];
	}
}

void lanewise_bm25_score_marked(const lanewise_bm25 *bm25, const struct lw_bm25_formula *formula,
                                const struct lw_bm25_list *list, float weight, size_t first, const uint16_t *which,
                                float *scores)
{
	uint32_t at[CHUNK], hits[CHUNK];
	uint16_t numbers[CHUNK];
	float parts[CHUNK];

	for (size_t begin = 0; begin < list->n; begin += CHUNK) {
		size_t end = list->n - begin < CHUNK ? list->n : begin + CHUNK, n_hits = 0;

		for (size_t i = begin; bm25->counts && i < end; i += 64)
			__builtin_prefetch(bm25->counts + list->posting + i + CHUNK);
		for (size_t i = begin; i < end; i++) {
			uint32_t document = list->documents[i];

			at[n_hits] = (uint32_t)i;
			hits[n_hits] = (uint32_t)first + document;
			numbers[n_hits] = which[document];
			n_hits += which[document] != 0;
		}
		find_parts_at(bm25, formula, list->posting, at, hits, n_hits, parts);
		for (size_t i = 0; i < n_hits; i++)
			scores[numbers[i] - 1] += weight * parts[i];
	}
}

static void add_quanta(const struct lw_bm25_formula *formula, const struct lw_bm25_list *list, float weight,
                       float *scores)
{
	for (size_t i = 0; i < list->n; i++)
		scores[list->documents[i]] += weight * lw_bm25_part_of_quantum(formula, list->quanta[i]);
}

void lanewise_bm25_add_parts(const lanewise_bm25 *bm25, const struct lw_bm25_formula *formula,
                             const struct lw_bm25_list *list, float weight, size_t first, float *scores)
{
	uint32_t lengths[CHUNK];
	float parts[CHUNK];

	if (!bm25->counts) {
		add_quanta(formula, list, weight, scores);
		return;
	}

	const uint8_t *counts = bm25->counts + list->posting;

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
