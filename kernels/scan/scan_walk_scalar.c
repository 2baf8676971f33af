/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of scan_walk: one state, byte by byte. */
#include "scan/scan_walk.h"

size_t LW_FN(scan_walk)(struct lw_scan_walk *walk, const uint8_t *classes, struct lw_scan_hit *hits)
{
	const uint32_t *table = walk->table;
	uint32_t state = walk->state, state_mask = (UINT32_C(1) << walk->state_bits) - 1;
	size_t n_hits = 0;

	for (uint32_t i = 0; i < LW_SCAN_BLOCK; i++) {
		uint32_t slot = state + 1 + classes[i];

		while ((table[slot] >> walk->state_bits & walk->check_mask) != classes[i]) {
			state = table[state] & state_mask;
			slot = state + 1 + classes[i];
		}
		if (table[slot] >> 31)
			hits[n_hits++] = (struct lw_scan_hit) { i + 1, slot };
		state = table[slot] & state_mask;
	}
	walk->state = state;
	return n_hits;
}
