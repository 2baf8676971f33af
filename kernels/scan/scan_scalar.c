/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of scan_candidates: every position's bytes looked up among the windows. */
#include "common.h"
#include "scan/scan_filter.h"

static int is_window(const struct lw_scan_filter *filter, uint32_t bytes)
{
	const uint32_t *slot = filter->slot[bytes * filter->multiplier >> filter->slot_shift];

	for (int i = 0; i < LW_SCAN_SLOT_DEPTH; i++)
		if (slot[i] == bytes)
			return 1;
	return 0;
}

size_t LW_FN(scan_candidates)(const struct lw_scan_filter *filter, const uint8_t *text, size_t *n, size_t enough,
                              uint16_t *positions)
{
	size_t n_found = 0, i = 0;

	for (; i < *n && (i % LW_SCAN_PART != 0 || n_found < enough); i++) {
		uint32_t bytes = 0;

		for (uint32_t j = 0; j < filter->width; j++)
			bytes |= (uint32_t)text[i + j] << 8 * j;
		if (is_window(filter, bytes))
			positions[n_found++] = (uint16_t)i;
	}
	*n = i;
	return n_found;
}
