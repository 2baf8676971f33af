/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/evaluate.h - how good a retrieval is: rankings against judgements, and answers and contexts against words.
 *
 * Everything here is reentrant and works on the calling thread in caller memory. Results are doubles, computed in an
 * order that the inputs fix, with a logarithm of the library's own, so they are the same bits on every CPU.
 */
#ifndef LANEWISE_EVALUATE_H
#define LANEWISE_EVALUATE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --------------------------------------------------------------- rankings */

/* That a document is relevant to a query, if its gain is above 0, and how much. */
typedef struct lanewise_judgement {
	uint32_t document;
	float gain; /* finite; a grade g is usually used as it is, or as 2^g - 1 */
} lanewise_judgement;

typedef struct lanewise_ranking_metrics {
	double ndcg;              /* see below */
	double average_precision; /* the mean of it over queries is MAP */
	double reciprocal_rank;   /* 1 / rank of the first relevant document, or 0; the mean is MRR */
	double precision;         /* relevant documents among the first k, / k */
	double recall;            /* the same, / n_relevant */
	size_t n_relevant;        /* documents judged relevant */
} lanewise_ranking_metrics;

/* Bytes of scratch for so many judgements; 0 if the size overflows. */
LANEWISE_API size_t lanewise_evaluate_ranking_scratch_size(size_t n_judgements);

/*
 * The metrics of a ranked list of n documents, cut after the first k, by the judgements for its query, which come in
 * any order; other documents are not relevant. With r(i) the document at rank i (from 1) and R = n_relevant:
 *
 *     DCG = sum for i <= min(n, k) of gain(r(i)) / log2(1 + i), gains below 0 taken as 0; ndcg = DCG / the DCG of all
 *     judged documents by descending gain, cut after k (Jarvelin and Kekalainen, "Cumulated gain-based evaluation of
 *     IR techniques", 2002)
 *     average_precision = sum over the relevant documents among the first k of (relevant ones up to it / its rank) / R
 *
 * A document that the list has twice counts at its first rank only; the repetition counts as not relevant. If R is 0,
 * all metrics are 0; leave such queries out of means.
 *
 * `scratch`: lanewise_evaluate_ranking_scratch_size(n_judgements) bytes, aligned as by malloc. O((n + n_judgements) * log
 * n_judgements).
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, k = 0, a gain that is not finite, scratch not
 * aligned. LANEWISE_ERROR_DATA: a document is judged twice. LANEWISE_ERROR_TOO_LARGE: over UINT32_MAX judgements.
 */
LANEWISE_API lanewise_status lanewise_evaluate_ranking(const uint32_t *index, size_t n,
                                                       const lanewise_judgement *judgements, size_t n_judgements,
                                                       size_t k, void *scratch, lanewise_ranking_metrics *metrics);

/* ------------------------------------------------------------------ words */

/*
 * The words of a text (lanewise/text.h) as their XXH3 hashes, seed 0, ascending, into `hash`, their count into `n`;
 * each different word once if `repeats` is 0, else as often as it occurs. Hashes stand for words below: two words of
 * one hash, of which 2^64 words would have about one pair, are taken for one, and who chooses words can find such.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty. LANEWISE_ERROR_CAPACITY: over `capacity` words,
 * repetitions counted; lanewise_text_words_bound(n_bytes) always suffices. O(n_bytes log n_bytes).
 */
LANEWISE_API lanewise_status lanewise_text_word_hashes(const char *text, size_t n_bytes, int32_t repeats,
                                                       uint64_t *hash, size_t capacity, size_t *n);

/*
 * Of two ascending arrays, with or without repetitions: how many elements of a, each repetition counted, occur in b.
 * For arrays without repetitions that is the size of the intersection. O(n_a + n_b).
 */
LANEWISE_API size_t lanewise_overlap_u64(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b);

/*
 * Jaccard similarity, |intersection| / |union|, of two ascending arrays: an element that a has x times and b has y
 * times counts min(x, y) in the one and max(x, y) in the other. 0 if both are empty, too.
 */
LANEWISE_API double lanewise_jaccard_u64(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b);

/*
 * The same for all pairs: out[i * n_b + j] for part i of a and part j of b. Part i is a[a_end[i - 1] ... a_end[i]),
 * the first one from 0 on; ends ascend. Outputs must not overlap inputs.
 */
LANEWISE_API void lanewise_jaccard_u64_matrix(const uint64_t *a, const size_t *a_end, size_t n_a, const uint64_t *b,
                                              const size_t *b_end, size_t n_b, double *out);

/* ---------------------------------------------------- answers and contexts */

/*
 * Cheap measures of retrieval-augmented generation by the words that texts share. They know nothing of meaning:
 * use them to see changes, not to judge truth. Each is in 0 ... 1.
 */

/* A text; `text` may be NULL if n_bytes is 0. */
typedef struct lanewise_piece {
	const char *text;
	size_t n_bytes;
} lanewise_piece;

typedef struct lanewise_rag_options {
	size_t struct_size; /* sizeof(lanewise_rag_options) */
	int32_t at_least;   /* what passes a threshold: 0, the default, > it; 1 >= it */
	int32_t repeats;    /* faithfulness: 0, the default, the share of different words; 1 of all words */
	double supported;   /* default 0.5: the share of a sentence's words in the contexts, to be supported */
	double same;        /* default 0.7: Jaccard similarity of word sets, to be the same context */
	double relevant;    /* default 0.3: the share of the question's words in a context, to be relevant */
} lanewise_rag_options;

/* Bytes of scratch for texts of n_bytes bytes in all, n_pieces of them; 0 if the size overflows. */
LANEWISE_API size_t lanewise_rag_scratch_size(size_t n_bytes, size_t n_pieces);

/*
 * The functions below take scratch of lanewise_rag_scratch_size for all their texts together, aligned as by malloc, and
 * `options` NULL for the defaults. O(n log n) for n bytes of text, and O(n_contexts * n_truths) comparisons of two
 * texts' words where contexts are compared.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, scratch not aligned, another struct_size, an option
 * outside 0 ... 1.
 */

/*
 * The share of the answer's sentences that the contexts support: a sentence does if the share of its words that occur
 * in any of the contexts passes `supported`. Sentences end at full stops; those without a word are left out. 0 if
 * none is left.
 */
LANEWISE_API lanewise_status lanewise_faithfulness(lanewise_piece answer, const lanewise_piece *contexts,
                                                   size_t n_contexts, const lanewise_rag_options *options,
                                                   void *scratch, double *result);

/*
 * 0.7 * the share of the question's different words that the answer has + 0.3 * min(1, the answer's different words /
 * twice the question's). 0 if one has no words.
 */
LANEWISE_API lanewise_status lanewise_answer_relevancy(lanewise_piece question, lanewise_piece answer, void *scratch,
                                                       double *result);

/*
 * The share of the contexts that are right: the same as one of the truths, contexts that should have been found, or,
 * if there are none (n_truths = 0), those for which the share of the question's different words that they have passes
 * `relevant`. 0 if there are no contexts.
 */
LANEWISE_API lanewise_status lanewise_context_precision(lanewise_piece question, const lanewise_piece *contexts,
                                                        size_t n_contexts, const lanewise_piece *truths,
                                                        size_t n_truths, const lanewise_rag_options *options,
                                                        void *scratch, double *result);

/* The share of the truths that are the same as one of the contexts; 1 if there are no truths. */
LANEWISE_API lanewise_status lanewise_context_recall(const lanewise_piece *contexts, size_t n_contexts,
                                                     const lanewise_piece *truths, size_t n_truths,
                                                     const lanewise_rag_options *options, void *scratch,
                                                     double *result);

#ifdef __cplusplus
}
#endif

#endif
