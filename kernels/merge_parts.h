/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The results of a search in parts of the rows, put together. The best k of all rows are among the best k of the parts, and
 * the order is that of a search of the whole, so they are the same to the bit.
 */
#ifndef LW_MERGE_PARTS_H
#define LW_MERGE_PARTS_H

#include <stddef.h>
#include <stdint.h>

/* What is left of a part's results, best first; none is NaN. */
struct lw_part {
	const uint32_t *row;
	const float *score;
	size_t n;
};

/* Whether a's first result comes before b's. `sign` is -1 where the smallest scores are best, as of distances, and else 1. */
static inline int lw_part_is_before(const struct lw_part *a, const struct lw_part *b, float sign)
{
	float of_a = sign * *a->score, of_b = sign * *b->score;

	return of_a > of_b || (of_a == of_b && *a->row < *b->row);
}

/* A heap with the part of the best first result in front; parts[at] moves down to its place. */
static inline void lw_parts_sift_down(struct lw_part *parts, size_t n, size_t at, float sign)
{
	struct lw_part part = parts[at];

	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		child += child + 1 < n && lw_part_is_before(&parts[child + 1], &parts[child], sign);
		if (!lw_part_is_before(&parts[child], &part, sign))
			break;
		parts[at] = parts[child];
	}
	parts[at] = part;
}

/* The best k of all parts, best first; returns their number. `parts` is overwritten. O(k log n_parts). */
static inline size_t lw_merge_parts(struct lw_part *parts, size_t n_parts, size_t k, float sign, uint32_t *row,
                                    float *score)
{
	size_t n = 0, n_found = 0;

	for (size_t i = 0; i < n_parts; i++)
		if (parts[i].n)
			parts[n++] = parts[i];
	for (size_t i = n / 2; i-- > 0;)
		lw_parts_sift_down(parts, n, i, sign);
	while (n > 0 && n_found < k) {
		row[n_found] = *parts->row++;
		score[n_found++] = *parts->score++;
		if (--parts->n == 0)
			parts[0] = parts[--n];
		if (n > 1)
			lw_parts_sift_down(parts, n, 0, sign);
	}
	return n_found;
}

#endif
