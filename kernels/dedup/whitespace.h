/* SPDX-License-Identifier: Apache-2.0 */
/* The whitespace sets of lanewise/dedup.h, character by character. */
#ifndef LW_DEDUP_WHITESPACE_H
#define LW_DEDUP_WHITESPACE_H

#include <stddef.h>

#include <lanewise/dedup.h>

/* Bytes of the whitespace character that begins at p, of which n > 0 bytes are there; 0 if there is none. */
static inline size_t lw_whitespace_length(const unsigned char *p, size_t n, uint32_t flags)
{
	unsigned char c = p[0];

	if (c > ' ' && c < 0xc2)
		return 0;
	if (c == ' ' || (c >= '\t' && c <= '\r'))
		return 1;
	if (c >= 0x1c && c <= 0x1f)
		return (flags & LANEWISE_WHITESPACE_PYTHON) != 0;
	if (c < 0xc2 || c > 0xe3 || !(flags & (LANEWISE_WHITESPACE_UNICODE | LANEWISE_WHITESPACE_PYTHON)))
		return 0;
	if (c == 0xc2) /* U+0085, U+00A0 */
		return n >= 2 && (p[1] == 0x85 || p[1] == 0xa0) ? 2 : 0;
	if (n < 3)
		return 0;
	if (c == 0xe1) /* U+1680 */
		return p[1] == 0x9a && p[2] == 0x80 ? 3 : 0;
	if (c == 0xe2 && p[1] == 0x80) /* U+2000 ... U+200A, U+2028, U+2029, U+202F */
		return (p[2] >= 0x80 && p[2] <= 0x8a) || p[2] == 0xa8 || p[2] == 0xa9 || p[2] == 0xaf ? 3 : 0;
	if (c == 0xe2) /* U+205F */
		return p[1] == 0x81 && p[2] == 0x9f ? 3 : 0;
	return c == 0xe3 && p[1] == 0x80 && p[2] == 0x80 ? 3 : 0; /* U+3000 */
}

/* The same for the character that ends at p + n. */
static inline size_t lw_whitespace_length_back(const unsigned char *p, size_t n, uint32_t flags)
{
	if (p[n - 1] > ' ' && p[n - 1] < 0x7f)
		return 0;
	for (size_t length = 1; length <= 3 && length <= n; length++)
		if (lw_whitespace_length(p + n - length, length, flags) == length)
			return length;
	return 0;
}

/* Whether a byte that is no whitespace is a control character. */
static inline int lw_is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

#endif
