/* SPDX-License-Identifier: Apache-2.0 */
/* scan_walk: there are no gathers, so segments are read side by side, as many as keep their states in registers. */
#include "scan/scan_walk.h"

enum { LANES = 8, LENGTH = LW_SCAN_BLOCK / LANES };

LW_INLINE uint32_t find(const struct lw_scan_walk *walk, uint32_t state, uint32_t class)
{
	uint32_t state_mask = (UINT32_C(1) << walk->state_bits) - 1, slot = state + 1 + class;

	while (LW_UNLIKELY((walk->table[slot] >> walk->state_bits & walk->check_mask) != class))
		slot = (walk->table[slot - 1 - class] & state_mask) + 1 + class;
	return slot;
}

size_t LW_FN(scan_walk)(struct lw_scan_walk *walk, const uint8_t *classes, struct lw_scan_hit *hits)
{
	struct lw_scan_walk w = *walk;
	uint32_t state[LANES], n_hits[LANES] = { 0 }, state_mask = (UINT32_C(1) << w.state_bits) - 1;
	size_t n = 0;

	for (size_t k = 0; k < LANES; k++) {
		state[k] = k == 0 ? w.state : 0;
		for (size_t i = k * LENGTH - (k == 0 ? 0 : w.far); i < k * LENGTH; i++)
			state[k] = w.table[find(&w, state[k], classes[i])] & state_mask;
	}
	for (uint32_t i = 0; i < LENGTH; i++)
#pragma GCC unroll 8
		for (uint32_t k = 0; k < LANES; k++) {
			uint32_t slot = find(&w, state[k], classes[k * LENGTH + i]), word = w.table[slot];

			if (LW_UNLIKELY(word >> 31))
				hits[k * LENGTH + n_hits[k]++] = (struct lw_scan_hit) { k * LENGTH + i + 1, slot };
			state[k] = word & state_mask;
		}
	for (size_t k = 0; k < LANES; k++) {
		memmove(hits + n, hits + k * LENGTH, n_hits[k] * sizeof *hits);
		n += n_hits[k];
	}
	walk->state = state[LANES - 1];
	return n;
}
