/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/topk.h - the k largest of an array or stream of scores.
 *
 * Order: descending by score, equal scores by ascending index. -0 equals +0 and is returned as +0. The result is the
 * same on every CPU and for every way of cutting a stream of scores into pushes.
 *
 * Method: scores at or above a bound go into a reservoir of a few times k; when it is full, its k-th largest is found
 * by bisection over the bit patterns of floats (at most 32 counting passes, whatever the data), the rest is dropped and the
 * bound rises. Time is O(n + k log k) for any input, ascending ones too.
 *
 * Everything works in caller memory, on the calling thread; one scratch serves one top-k at a time.
 */
#ifndef LANEWISE_TOPK_H
#define LANEWISE_TOPK_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of scratch that a top-k of k needs, or 0 if k is 0 or beyond UINT32_MAX. */
LANEWISE_API size_t lanewise_topk_scratch_size(size_t k);

/*
 * The min(k, n) largest of `n` scores: indices into `index`, scores into `score` (each with room for min(k, n); either
 * may be NULL if it is not wanted). NaN comes last, in order of index, as 0x7fc00000. `scratch`: lanewise_topk_scratch_size(k)
 * bytes, aligned as by malloc. `scores` may be NULL if n is 0.
 *
 * LANEWISE_ERROR_ARGUMENT: k = 0, scores or scratch NULL, scratch not aligned. LANEWISE_ERROR_TOO_LARGE: n or k over
 * UINT32_MAX.
 */
LANEWISE_API lanewise_status lanewise_topk_f32(const float *scores, size_t n, size_t k, void *scratch, uint32_t *index,
                                               float *score);

/* A top-k under way, laid into the caller's scratch. */
typedef struct lanewise_topk lanewise_topk;

/*
 * Begins a top-k of k in `scratch` (lanewise_topk_scratch_size(k) bytes, aligned as by malloc) over scores >= threshold
 * (-INFINITY: all but NaN). NULL if k is 0 or too large, the scratch is NULL or not aligned, or the threshold is NaN.
 */
LANEWISE_API lanewise_topk *lanewise_topk_begin(void *scratch, size_t k, float threshold);

/*
 * Offers scores[0 ... n), whose indices are first_index, first_index + 1, ... NaN is passed over. Pushes must come in
 * ascending order of index, and first_index + n must not pass UINT32_MAX + 1.
 */
LANEWISE_API void lanewise_topk_push_f32(lanewise_topk *topk, const float *scores, size_t n, uint32_t first_index);

/*
 * Ends the top-k and writes what it found, at most k entries, best first; returns their number. Either array may be
 * NULL. The scratch is free again.
 */
LANEWISE_API size_t lanewise_topk_finish(lanewise_topk *topk, uint32_t *index, float *score);

#ifdef __cplusplus
}
#endif

#endif
