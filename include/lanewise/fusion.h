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

#ifdef __cplusplus
}
#endif

#endif
