/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/fusion.h - one ranking from several. */
#ifndef LANEWISE_FUSION_H
#define LANEWISE_FUSION_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One ranked list: document numbers, any uint32_t, best first. */
typedef struct lanewise_ranking {
	const uint32_t *index; /* n numbers; may be NULL if n is 0 */
	size_t n;
	float weight; /* 1 for plain fusion; finite, negative too */
} lanewise_ranking;

/*
 * Bytes of scratch that lanewise_fuse_rrf needs for these rankings, for any k. 0 if they have over UINT32_MAX entries in
 * all, or the size overflows. `rankings` may be NULL if n_rankings is 0.
 */
LANEWISE_API size_t lanewise_fuse_rrf_scratch_size(const lanewise_ranking *rankings, size_t n_rankings);

/*
 * Reciprocal rank fusion (Cormack, Clarke, Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual rank
 * learning methods", 2009): a document's score is the sum over the lists that hold it of weight / (rank_constant +
 * rank), ranks from 1; subtract 1 from rank_constant for ranks from 0. 60 is usual. A document that a list holds
 * several times counts once, with its best rank there; the other entries keep their ranks.
 *
 * The best k into `index` and `score`, best first, ties by ascending number, their count into `n_found`: at most k,
 * and at most as many as there are different documents, which is the room that both arrays need. Sums are taken in
 * double, in order of the lists, and rounded to float at the end, so every CPU gives the same bits.
 *
 * `scratch`: lanewise_fuse_rrf_scratch_size(rankings, n_rankings) bytes, aligned as by malloc. Outputs must not overlap it or
 * the inputs. Reentrant; the calling thread. O(total * log(n_rankings) + k log k) for `total` entries of any numbers:
 * documents are brought together by a radix sort.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, k = 0, a weight that is not finite, a rank_constant
 * that is not finite or not above -1, scratch not aligned. LANEWISE_ERROR_TOO_LARGE: over UINT32_MAX entries, k beyond
 * UINT32_MAX.
 */
LANEWISE_API lanewise_status lanewise_fuse_rrf(const lanewise_ranking *rankings, size_t n_rankings, float rank_constant,
                                               size_t k, void *scratch, uint32_t *index, float *score, size_t *n_found);

/* ----------------------------------------------------------------- scores */

/* One list of documents with scores, in any order. */
typedef struct lanewise_scored_ranking {
	const uint32_t *index; /* n numbers; may be NULL if n is 0 */
	const float *score;    /* n finite scores, greater is better; may be NULL if n is 0 */
	size_t n;
	float weight; /* finite, negative too */
} lanewise_scored_ranking;

/* What a list's scores become before they are weighted and added. */
enum {
	LANEWISE_NORMALIZE_NONE = 0,    /* what they are */
	LANEWISE_NORMALIZE_MIN_MAX = 1, /* (score - min) / (max - min); 1 if all are equal */
	LANEWISE_NORMALIZE_Z_SCORE = 2  /* (score - mean) / standard deviation of the population; 0 if all are equal */
};

/* What a document gets from a list that does not hold it. */
enum {
	LANEWISE_MISSING_ZERO = 0, /* 0 */
	LANEWISE_MISSING_LEAST = 1 /* the list's least normalized score; 0 from a list without documents */
};

typedef struct lanewise_fuse_options {
	size_t struct_size; /* sizeof(lanewise_fuse_options) */
	int32_t normalize;  /* default LANEWISE_NORMALIZE_MIN_MAX */
	int32_t missing; /* default LANEWISE_MISSING_ZERO; for z-scores, where 0 is the mean, LEAST is the better one */
} lanewise_fuse_options;

/* Bytes of scratch that lanewise_fuse_scores needs for these lists, for any k; 0 as for lanewise_fuse_rrf. */
LANEWISE_API size_t lanewise_fuse_scores_scratch_size(const lanewise_scored_ranking *rankings, size_t n_rankings);

/*
 * Weighted fusion of scores: a document's score is the sum over the lists of weight * normalized score, or of weight *
 * what it gets as missing there. A document that a list holds several times counts once, with its greatest score
 * there; minimum, mean and deviation are over the list's different documents. `options` NULL means the defaults.
 *
 * Everything is computed in double, sums over documents by ascending number and over lists in their order, and rounded
 * to float at the end, so every CPU gives the same bits, and the order of a list's entries means nothing.
 *
 * Outputs, scratch and complexity as for lanewise_fuse_rrf, with O(n_rankings) more for each different document if
 * missing documents get the least score.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, k = 0, a weight or score that is not finite, an
 * option that is none, another struct_size, scratch not aligned. LANEWISE_ERROR_TOO_LARGE: over UINT32_MAX entries, k
 * beyond UINT32_MAX.
 */
LANEWISE_API lanewise_status lanewise_fuse_scores(const lanewise_scored_ranking *rankings, size_t n_rankings,
                                                  const lanewise_fuse_options *options, size_t k, void *scratch,
                                                  uint32_t *index, float *score, size_t *n_found);

#ifdef __cplusplus
}
#endif

#endif
