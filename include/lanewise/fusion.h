/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/fusion.h - one ranking from several. */
#ifndef LANEWISE_FUSION_H
#define LANEWISE_FUSION_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One ranked list: document numbers, best first. */
typedef struct lanewise_ranking {
	const uint32_t *index;
	size_t n;
	float weight; /* 1 for plain fusion */
} lanewise_ranking;

LANEWISE_API size_t lanewise_fuse_rrf_scratch_size(const lanewise_ranking *rankings, size_t n_rankings);

/*
 * Reciprocal rank fusion (Cormack, Clarke, Buettcher 2009): a document's score is the sum over the lists of weight /
 * (rank_constant + rank), ranks from 1. The best k into `index` and `score`, ties by ascending number.
 */
LANEWISE_API lanewise_status lanewise_fuse_rrf(const lanewise_ranking *rankings, size_t n_rankings, float rank_constant,
                                               size_t k, void *scratch, uint32_t *index, float *score, size_t *n_found);

#ifdef __cplusplus
}
#endif

#endif
