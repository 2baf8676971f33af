/* SPDX-License-Identifier: Apache-2.0 */
/* What the rest of the library may ask of a top-k under way, besides lanewise/topk.h. */
#ifndef LW_TOPK_H
#define LW_TOPK_H

#include <lanewise/topk.h>

/*
 * Raises the bound as far as what was offered allows, and returns it: scores below it cannot be among the best k any
 * more, if their index is not below one offered before. NaN if none can.
 */
float lanewise_topk_tighten(lanewise_topk *topk);

/* As lanewise_topk_push_f32, for scores whose indices are given; they ascend, also from one call to the next. */
void lanewise_topk_push_some_f32(lanewise_topk *topk, const float *scores, const uint32_t *index, size_t n);

#endif
