/* SPDX-License-Identifier: Apache-2.0 */
/* A query's words on their way through the segments of an index. */
#ifndef LW_BM25_LIST_H
#define LW_BM25_LIST_H

#include "bm25/bm25_formula.h"

/* A word of the query: its number in the dictionary, the runs that are left, where their postings and skips begin. */
struct lw_bm25_term {
	size_t number, run, run_end;
	uint64_t posting;
	const struct lw_bm25_hint *hint; /* NULL if it has none */
	const uint16_t *skips;
	uint32_t count; /* how often the query has it */
	float weight;
};

/* A term's postings in one segment. */
struct lw_bm25_list {
	const uint16_t *documents, *quanta;
	const uint16_t *skips; /* NULL if it is short */
	const uint8_t *most;   /* of the same blocks */
	size_t n;
	unsigned shift;
	uint64_t posting; /* the number of the first */
};

/* The term at its first run. */
static inline struct lw_bm25_term lw_bm25_term_of(const lanewise_bm25 *bm25, size_t number)
{
	const struct lw_bm25_hint *hint = lanewise_bm25_hint_of(bm25, number);

	return (struct lw_bm25_term) {
		.number = number,
		.run = (size_t)bm25->run_at[number],
		.run_end = (size_t)bm25->run_at[number + 1],
		.posting = bm25->posting_at[number],
		.hint = hint,
		.skips = hint ? bm25->hints.skips + hint->skips_at : NULL,
	};
}

/* The first segment in which a term has postings left; LW_BM25_SEGMENT if no term has. */
static inline uint32_t lw_bm25_next_segment(const lanewise_bm25 *bm25, const struct lw_bm25_term *terms, size_t n_terms)
{
	uint32_t segment = LW_BM25_SEGMENT;

	for (size_t i = 0; i < n_terms; i++)
		if (terms[i].run < terms[i].run_end && bm25->runs[terms[i].run] >> 16 < segment)
			segment = bm25->runs[terms[i].run] >> 16;
	return segment;
}

/* Moves a term behind its runs before a segment, and behind that in it, if there is one: then it gives this run. */
static inline int lw_bm25_take_list(const lanewise_bm25 *bm25, struct lw_bm25_term *term, uint32_t segment,
                                    struct lw_bm25_list *list)
{
	int found = 0;

	while (!found && term->run < term->run_end && bm25->runs[term->run] >> 16 <= segment) {
		size_t n = (bm25->runs[term->run] & 0xffff) + (size_t)1, n_skips = lw_bm25_n_skips(n);

		found = bm25->runs[term->run] >> 16 == segment;
		if (found)
			*list = (struct lw_bm25_list) {
				.documents = bm25->documents + term->posting,
				.quanta = bm25->quanta + term->posting,
				.skips = n_skips ? term->skips : NULL,
				.most = n_skips ? bm25->hints.most + (term->skips - bm25->hints.skips) : NULL,
				.n = n,
				.shift = n_skips ? lw_bm25_skip_shift(n) : 16,
				.posting = term->posting,
			};
		term->run++;
		term->posting += n;
		if (n_skips)
			term->skips += n_skips;
	}
	return found;
}

/* Adds the list's parts, times the weight, to the scores of some documents of the segment. */
void lanewise_bm25_score_some(const lanewise_bm25 *bm25, const struct lw_bm25_formula *formula,
                              const struct lw_bm25_list *list, float weight, const uint32_t *documents, size_t n,
                              float *scores);

/*
 * The same for documents that are marked, in the segment whose first document is `first`: which[d] is d's number in
 * `scores`, plus 1, or 0.
 */
void lanewise_bm25_score_marked(const lanewise_bm25 *bm25, const struct lw_bm25_formula *formula,
                                const struct lw_bm25_list *list, float weight, size_t first, const uint16_t *which,
                                float *scores);

/* Adds the list's parts, times the weight, to the scores of the segment, whose first document is `first`. */
void lanewise_bm25_add_parts(const lanewise_bm25 *bm25, const struct lw_bm25_formula *formula,
                             const struct lw_bm25_list *list, float weight, size_t first, float *scores);

#endif
