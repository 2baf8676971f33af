/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LW_SORT_PAIRS_H
#define LW_SORT_PAIRS_H

#include <lanewise/pairs.h>

static inline int lw_pair_comes_after(const lanewise_pair *a, const lanewise_pair *b)
{
	return a->first != b->first ? a->first > b->first : a->second > b->second;
}

static inline void lw_sift_pair_down(lanewise_pair *heap, size_t n, size_t at)
{
	lanewise_pair item = heap[at];

	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		child += child + 1 < n && lw_pair_comes_after(&heap[child + 1], &heap[child]);
		if (!lw_pair_comes_after(&heap[child], &item))
			break;
		heap[at] = heap[child];
	}
	heap[at] = item;
}

/* Ascending by `first`, then by `second`. Heapsort, since there is no memory but the pairs' own. */
static inline void lw_sort_pairs(lanewise_pair *pairs, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		lw_sift_pair_down(pairs, n, i);
	for (size_t left = n; left-- > 1;) {
		lanewise_pair last = pairs[left];

		pairs[left] = pairs[0];
		pairs[0] = last;
		lw_sift_pair_down(pairs, left, 0);
	}
}

#endif
