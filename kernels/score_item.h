/* SPDX-License-Identifier: Apache-2.0 */
/* A score and an index in one integer: the better item (higher score, then lower index) is the smaller integer. */
#ifndef LW_SCORE_ITEM_H
#define LW_SCORE_ITEM_H

#include "common.h"

/* Scores descending as unsigned integers ascending, in the upper half; the index in the lower. -0 becomes +0; no NaN. */
LW_INLINE uint64_t lw_item_of(float score, uint32_t index)
{
	uint32_t bits = lw_f32_bits(score + 0.0f);
	uint32_t ascending = bits & 0x80000000 ? ~bits : bits | 0x80000000;

	return (uint64_t)~ascending << 32 | index;
}

LW_INLINE float lw_item_score(uint64_t item)
{
	uint32_t ascending = ~(uint32_t)(item >> 32);

	return lw_f32_from_bits(ascending & 0x80000000 ? ascending ^ 0x80000000 : ~ascending);
}

#endif
