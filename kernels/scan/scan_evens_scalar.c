/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of scan_evens. */
#include "scan/scan_evens.h"

size_t LW_FN(scan_evens)(const struct lw_scan_evens *evens, const uint8_t *text, size_t n, uint16_t *places)
{
	size_t n_found = 0;

	for (size_t i = 0; i < n; i += LW_SCAN_EVENS_STRIDE) {
		uint32_t hash = lw_scan_evens_hash(lw_scan_evens_load(evens, text + i));

		places[n_found] = (uint16_t)i;
		n_found += evens->bits[hash % LW_SCAN_EVENS_BYTES] >> hash / LW_SCAN_EVENS_BYTES & 1;
	}
	return lw_scan_evens_keep(evens, text, places, n_found);
}
