/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index behind lanewise/bm25.h: a sorted dictionary of words and, per word, its postings, in arrays that are the
 * same in memory and in a file.
 *
 * Word w is terms[term_at[w] ... term_at[w + 1]); words ascend bytewise. Its postings are numbers posting_at[w] ...
 * posting_at[w + 1] - 1 of `documents` (ascending within a word) and `counts` (how often the document has the word).
 */
#ifndef LW_BM25_H
#define LW_BM25_H

#include <lanewise/bm25.h>

/* Raise it when lanewise/text.h comes to other words for some text, so that older indexes are not searched wrongly. */
#define LW_WORD_RULES 1

/* Beyond this a score might round to 0; no smaller k1 can make one do so (see lanewise_bm25_search). */
#define LW_BM25_MAX_K1 1000.0f

/* Words of one document, and with them the count of each. */
#define LW_BM25_MAX_LENGTH ((uint32_t)INT32_MAX)

/* The one element of section bm25.header. */
struct lw_bm25_header {
	uint64_t n_documents;
	uint64_t n_terms;
	uint64_t n_postings;
	uint64_t total_length; /* words of all documents together */
	float k1, b;
	uint32_t word_rules;
	uint32_t reserved; /* 0 */
};

struct lanewise_bm25 {
	lanewise_allocator allocator; /* a copy; `allocate` NULL for the C library's */
	size_t n_bytes;               /* of the allocation, which begins with this struct */

	struct lw_bm25_header header;
	const uint32_t *lengths;    /* words per document, at most LW_BM25_MAX_LENGTH */
	const uint64_t *term_at;    /* n_terms + 1 */
	const char *terms;          /* term_at[n_terms] */
	const uint64_t *posting_at; /* n_terms + 1 */
	const uint32_t *documents;  /* n_postings */
	const uint32_t *counts;     /* n_postings */
};

/* A stored copy of an allocator as lw_allocate and lw_release want it. */
static inline const lanewise_allocator *lw_allocator_of(const lanewise_allocator *copy)
{
	return copy->allocate ? copy : NULL;
}

#endif
