/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting in place, without memory, in O(n log n) for any data. */
#ifndef LW_SORT_H
#define LW_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Lets v[root] sink to its place in a heap whose greatest element is first. */
static inline void lw_sink(uint64_t *v, size_t root, size_t n)
{
	uint64_t value = v[root];

	for (size_t child; (child = 2 * root + 1) < n; root = child) {
		child += child + 1 < n && v[child + 1] > v[child];
		if (v[child] <= value)
			break;
		v[root] = v[child];
	}
	v[root] = value;
}

/* Heapsort, ascending. */
static inline void lw_sort_u64(uint64_t *v, size_t n)
{
	for (size_t root = n / 2; root > 0; root--)
		lw_sink(v, root - 1, n);
	for (size_t left = n; left > 1; left--) {
		uint64_t greatest = v[0];

		v[0] = v[left - 1];
		v[left - 1] = greatest;
		lw_sink(v, 0, left - 1);
	}
}

#endif
