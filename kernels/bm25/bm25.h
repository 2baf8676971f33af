/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index behind lanewise/bm25.h: a sorted dictionary of words and, per word, its postings, in arrays that are the
 * same in memory and in a file.
 *
 * Word w is terms[term_at[w] ... term_at[w + 1]); words ascend bytewise. Its postings are numbers posting_at[w] ...
 * posting_at[w + 1] - 1 of `documents` (ascending within a word), `counts` and `quanta`. A count is how often the
 * document has the word; LW_BM25_LARGE and more are looked up in `large_at`, ascending numbers of postings, and `large`.
 * From it and the document's length comes the word's part in the document's score but for its weight (bm25_formula.h),
 * since idf and the query come later. The quantum is that part, rounded down to 16 bits of fixed point: by quanta a
 * search finds the few documents of which the exact scores matter (bm25_rank.c).
 *
 * An index without counts has no lengths either: the quanta are all that is left of the parts.
 *
 * Documents are searched by segments of 65,536, so that their sums stay in the L2 cache, and 16 bits tell which of a
 * segment's documents a posting means. A word's postings in a segment are a run; its runs are numbers run_at[w] ...
 * run_at[w + 1] - 1 of `runs`, ascending, each the segment's number above the number of its postings less 1, and of
 * `most`, the greatest quantum in the run, by which a search can tell that a run does not matter.
 */
#ifndef LW_BM25_H
#define LW_BM25_H

#include <lanewise/bm25.h>

#include "bm25/bm25_hints.h"

/* Raise it when lanewise/text.h comes to other words for some text, so that older indexes are not searched wrongly. */
#define LW_WORD_RULES 1

/* The rules of an index with a section bm25.analysis. */
#define LW_WORD_RULES_ANALYZED 2

/*
 * Raise it when sections change. Format 0 had 32-bit documents and counts instead of parts; format 1 knew one variant
 * only; format 2 had the parts as floats, and wider offsets; format 3 did not have OKAPI's epsilon.
 */
#define LW_BM25_FORMAT 4

/* The format of an index without counts. */
#define LW_BM25_FORMAT_SHORT 5

/* Documents of one segment. */
#define LW_BM25_SEGMENT 65536u

/* Stands for itself and all greater counts. */
#define LW_BM25_LARGE 255u

/* No part is less, in any variant: k1 is at most 1000, and a document at most 2^32 times as long as the mean. */
#define LW_BM25_LEAST_PART 0x1p-43f

/* Beyond this a score might round to 0; no smaller k1 can make one do so (see lanewise_bm25_search). */
#define LW_BM25_MAX_K1    1000.0f
#define LW_BM25_MAX_DELTA 1000.0f

/* Words with less are passed over, so that no score is 0. Where idf cannot be 0, it is greater than this. */
#define LW_BM25_LEAST_WEIGHT 0x1p-40f

/* Words of one document, and with them the count of each. */
#define LW_BM25_MAX_LENGTH ((uint32_t)INT32_MAX)

/* The one element of section bm25.header. */
struct lw_bm25_header {
	uint64_t n_documents;
	uint64_t n_terms;
	uint64_t n_postings;
	uint64_t total_length; /* words of all documents together */
	float k1, b;
	float delta; /* of LANEWISE_BM25_OKAPI, which has none, epsilon */
	float floor; /* the weight of a word whose idf is negative: 0, or LANEWISE_BM25_OKAPI's, which may be negative */
	uint32_t word_rules;
	uint32_t format;
	uint32_t variant;   /* lanewise_bm25_variant */
	uint32_t n_removed; /* of n_documents; they have no words and do not count for idf and mean length */
};

struct lanewise_bm25 {
	lanewise_allocator allocator; /* a copy; `allocate` NULL for the C library's */
	size_t n_bytes;               /* of the allocation, which begins with this struct */
	lanewise_analyzer *analyzer;  /* of texts and queries, or NULL */

	struct lw_bm25_header header;
	const uint32_t *lengths;    /* words per document, at most LW_BM25_MAX_LENGTH; NULL without counts */
	const uint32_t *term_at;    /* n_terms + 1 */
	const char *terms;          /* term_at[n_terms] */
	const uint64_t *posting_at; /* n_terms + 1 */
	const uint16_t *documents;  /* n_postings */
	const uint16_t *quanta;     /* n_postings */
	const uint8_t *counts;      /* n_postings; NULL without counts */
	const uint64_t *large_at;   /* n_large */
	const uint32_t *large;      /* n_large */
	size_t n_large;
	const uint32_t *run_at; /* n_terms + 1 */
	const uint32_t *runs;   /* run_at[n_terms] */
	const uint16_t *most;   /* the same number */

	void *expanded; /* posting_at, runs and most of a file without counts, or NULL */
	size_t expanded_bytes;
	struct lw_bm25_hints hints; /* made when the index is */
};

/* A stored copy of an allocator as lw_allocate and lw_release want it. */
static inline const lanewise_allocator *lw_allocator_of(const lanewise_allocator *copy)
{
	return copy->allocate ? copy : NULL;
}

#endif
