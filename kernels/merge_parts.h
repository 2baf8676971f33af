/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The results of a search in parts of the rows, put together. The best k of all rows are among the best k of the parts, and
 * items order them as a search of the whole does, so they are the same to the bit.
 */
#ifndef LW_MERGE_PARTS_H
#define LW_MERGE_PARTS_H

#include "score_item.h"

/* What is left of a part's results, best first. */
struct lw_part {
	const uint32_t *row;
	const float *score;
	size_t n;
	uint64_t item; /* of the first */
};

/* `sign` is -1 where the best scores are the smallest, as of distances, and else 1. */
LW_INLINE void lw_part_advance(struct lw_part *part, size_t n, float sign)
{
	part->row += n;
	part->score += n;
	part->n -= n;
	if (part->n)
		part->item = lw_item_of(sign * *part->score, *part->row);
}

/* A heap with the part of the best first item in front; parts[at] moves down to its place. */
LW_INLINE void lw_parts_sift_down(struct lw_part *parts, size_t n, size_t at)
{
	struct lw_part part = parts[at];

	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		child += child + 1 < n && parts[child + 1].item < parts[child].item;
		if (part.item <= parts[child].item)
			break;
		parts[at] = parts[child];
	}
	parts[at] = part;
}

/* The best k of all parts, best first; returns their number. `parts` is overwritten. O(k log n_parts). */
LW_INLINE size_t lw_merge_parts(struct lw_part *parts, size_t n_parts, size_t k, float sign, uint32_t *row,
                                float *score)
{
	size_t n = 0, n_found = 0;

	for (size_t i = 0; i < n_parts; i++)
		if (parts[i].n) {
			parts[n] = parts[i];
			lw_part_advance(&parts[n++], 0, sign);
		}
	for (size_t i = n / 2; i-- > 0;)
		lw_parts_sift_down(parts, n, i);
	while (n > 0 && n_found < k) {
		row[n_found] = *parts->row;
		score[n_found++] = *parts->score;
		lw_part_advance(parts, 1, sign);
		if (parts->n == 0)
			parts[0] = parts[--n];
		lw_parts_sift_down(parts, n, 0);
	}
	return n_found;
}

#endif
