/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of scan_join. */
#include "scan/scan_join.h"

LW_INLINE void copy_piece(uint8_t *out, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = bytes[i];
}

LW_SCAN_JOIN(copy_piece)
