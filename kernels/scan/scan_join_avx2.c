/* SPDX-License-Identifier: Apache-2.0 */
/* scan_join: up to eight bytes are put together from parts that overlap. */
#include "scan/scan_few.h"
#include "scan/scan_join.h"

LW_INLINE void copy_piece(uint8_t *out, const uint8_t *bytes, size_t n)
{
	uint64_t first, last;

	if (LW_LIKELY(n <= 8)) {
		first = lw_scan_load_few(bytes, n);
		memcpy(out, &first, sizeof first);
		return;
	}
	if (n > 16) {
		memcpy(out, bytes, 16);
		memcpy(out + n - 16, bytes + n - 16, 16);
		return;
	}
	memcpy(&first, bytes, sizeof first);
	memcpy(&last, bytes + n - 8, sizeof last);
	memcpy(out, &first, sizeof first);
	memcpy(out + n - 8, &last, sizeof last);
}

LW_SCAN_JOIN(copy_piece)
