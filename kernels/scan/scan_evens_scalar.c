/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of scan_evens. */
#include "scan/scan_evens.h"

size_t LW_FN(scan_evens)(const struct lw_scan_evens *evens, const uint8_t *text, size_t n, uint16_t *places)
{
	size_t n_found = 0;

	for (size_t i = 0; i < n; i += LW_SCAN_EVENS_STRIDE) {
		places[n_found] = (uint16_t)i;
		n_found += lw_scan_evens_bit(evens, lw_scan_evens_load(evens, text + i));
	}
	return lw_scan_evens_keep(evens, text, places, n_found);
}
