/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a search wants to know of an index beforehand. It is made from the index in one pass, not saved: so a file is
 * smaller, and need not be believed.
 *
 * Long runs have skips: the documents of a segment are cut into blocks of 2^shift, with 8 to 16 postings in the mean,
 * and for each block the number of postings before it is known, so that a document's posting is found in a few steps; and
 * the greatest quantum in it, by which many need not be looked for.
 */
#ifndef LW_BM25_HINTS_H
#define LW_BM25_HINTS_H

#include <stdint.h>

#include <lanewise/bm25.h>

enum {
	LW_BM25_SKIP_LEAST = 64,   /* postings of a run with skips */
	LW_BM25_HINT_LEAST = 16,   /* postings of a word with a hint */
	LW_BM25_PREFIX_WORDS = 32, /* of so many words the first has its prefix listed */
	LW_BM25_KTHS = 3,
	LW_BM25_FIND_MOST = 32, /* words that are looked up at once */
};

/* The k for which a word's k-th greatest quantum is known, roughly. */
#define LW_BM25_KTH_LIST { 10, 100, 1000 }

struct lw_bm25_hint {
	uint32_t term;
	uint16_t kth[LW_BM25_KTHS]; /* at least k postings have such a quantum or a greater; 0 if there are fewer */
	uint64_t skips_at;          /* where those of its runs begin */
};

struct lw_bm25_hints {
	void *memory;
	size_t n_bytes;

	const struct lw_bm25_hint *hints; /* ascending by term */
	const uint16_t *skips;
	const uint8_t *most;      /* of each block that has a skip: the upper 8 bits of its greatest quantum */
	const uint32_t *at;       /* for every LW_BM25_PREFIX_WORDS-th word, the number of hints of words before it */
	const uint64_t *prefixes; /* of every LW_BM25_PREFIX_WORDS-th word, ascending */
	size_t n_prefixes;
};

/* Makes bm25->hints. LANEWISE_ERROR_NO_MEMORY. */
lanewise_status lanewise_bm25_make_hints(lanewise_bm25 *bm25, const lanewise_allocator *allocator);

/* The hint of a word; NULL if it has none. */
const struct lw_bm25_hint *lanewise_bm25_hint_of(const lanewise_bm25 *bm25, size_t term);

/* The numbers of n <= LW_BM25_FIND_MOST words in the dictionary; n_terms for those that are not there. */
void lanewise_bm25_find_words(const lanewise_bm25 *bm25, const lanewise_word *words, size_t n, size_t *numbers);

/* The first eight bytes of a word, as an integer that orders as they do; words in order have them in order. */
static inline uint64_t lw_bm25_prefix_of(const char *text, size_t n_bytes)
{
	uint64_t prefix = 0;

	for (size_t i = 0; i < 8; i++)
		prefix = prefix << 8 | (i < n_bytes ? (unsigned char)text[i] : 0);
	return prefix;
}

/* Of a run of n postings, LW_BM25_SKIP_LEAST ... 65536. */
static inline unsigned lw_bm25_skip_shift(size_t n)
{
	unsigned log = 6;

	while (n >> (log + 1))
		log++;
	return 19 - log;
}

static inline size_t lw_bm25_n_skips(size_t n) { return n < LW_BM25_SKIP_LEAST ? 0 : 65536u >> lw_bm25_skip_shift(n); }

#endif
