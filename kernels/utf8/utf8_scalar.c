/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of UTF-8 validation and counting: one character after the other. */
#include "common.h"

#include "utf8_char.h"

size_t LW_FN(utf8_prefix)(const uint8_t *text, size_t n) { return lw_utf8_prefix(text, n, 0); }

size_t LW_FN(utf8_count)(const uint8_t *text, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += (text[i] & 0xc0) != 0x80;
	return count;
}
