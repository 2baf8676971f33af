/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of scan_pairs. */
#include "scan/scan_pairs.h"

uint32_t LW_FN(scan_pairs)(const struct lw_scan_pairs *pairs, const uint8_t *bytes, size_t n, uint32_t before)
{
	uint32_t found = 0;

	for (size_t i = 0; i < n; i++) {
		found |= before & lw_scan_groups(pairs, 1, bytes[i]);
		before = lw_scan_groups(pairs, 0, bytes[i]);
	}
	return found ? LW_SCAN_PAIR : pairs->firsts[bytes[n - 1]];
}
