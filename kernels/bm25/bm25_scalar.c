/* SPDX-License-Identifier: Apache-2.0 */
/* The scalar reference of the kernels behind lanewise/bm25.h. */
#include "scalar.h"

#include <string.h>

size_t LW_FN(bm25_filter)(const uint16_t *documents, const uint16_t *quanta, size_t n, uint32_t weight, uint32_t bound,
                          uint32_t *found)
{
	size_t n_found = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t sum = 1 + (quanta[i] * weight >> 16);

		found[n_found] = sum << 16 | documents[i];
		n_found += sum >= bound;
	}
	return n_found;
}

void LW_FN(bm25_add)(const uint16_t *documents, const uint16_t *quanta, size_t n, uint32_t weight, uint16_t *sums)
{
	for (size_t i = 0; i < n; i++)
		sums[documents[i]] += (uint16_t)(1 + (quanta[i] * weight >> 16));
}

size_t LW_FN(bm25_scan)(uint16_t *sums, size_t n, uint32_t bound, uint32_t *found)
{
	size_t n_found = 0;

	for (size_t i = 0; i < n; i++)
		if (sums[i] >= bound)
			found[n_found++] = (uint32_t)sums[i] << 16 | (uint32_t)i;
	if (n)
		memset(sums, 0, n * sizeof *sums);
	return n_found;
}

/* Without the skips, which change nothing. */
void LW_FN(bm25_find)(const uint16_t *documents, size_t n, const uint16_t *skips, unsigned shift,
                      const uint32_t *wanted, size_t n_wanted, uint32_t *at)
{
	(void)skips, (void)shift;
	for (size_t i = 0; i < n_wanted; i++) {
		uint32_t document = wanted[i] & 0xffff;
		size_t low = 0, left = n;

		while (left > 1) {
			low += documents[low + left / 2] <= document ? left / 2 : 0;
			left -= left / 2;
		}
		at[i] = (uint32_t)(n && documents[low] == document ? low : n);
	}
}
