/* SPDX-License-Identifier: Apache-2.0 */
/* The order of lanewise/topk.h by definition, for qsort. */
#ifndef LW_TOPK_ORDER_H
#define LW_TOPK_ORDER_H

#include <stdint.h>

struct entry {
	float score;
	uint32_t index;
};

/* Descending, NaN last, ties by ascending index. */
static inline int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int a_nan = a->score != a->score, b_nan = b->score != b->score;

	if (a_nan != b_nan)
		return a_nan - b_nan;
	if (!a_nan && a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

#endif
