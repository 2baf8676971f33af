/* SPDX-License-Identifier: Apache-2.0 */
/* One character of UTF-8, as Unicode's table 3-7 has it. */
#ifndef LW_UTF8_CHAR_H
#define LW_UTF8_CHAR_H

#include <stddef.h>
#include <stdint.h>

/*
 * The bytes of the character at text[0 ... n), n > 0; 0 if there is none. `*cut`, if not NULL, becomes 1 if that is only
 * for want of more bytes, else 0.
 */
static inline size_t lw_utf8_length(const uint8_t *text, size_t n, int *cut)
{
	uint8_t lead = text[0], low = 0x80, high = 0xbf;
	size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;

	if (cut)
		*cut = 0;
	/* What the second byte may be after some first bytes: no overlong forms, surrogates, values beyond U+10FFFF. */
	if (lead == 0xe0)
		low = 0xa0;
	else if (lead == 0xed)
		high = 0x9f;
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < length; i++) {
		if (i == n) {
			if (cut)
				*cut = 1;
			return 0;
		}
		if (text[i] < low || text[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return length;
}

/* The length of the longest prefix of complete, valid characters; the first `from` bytes are known to be such. */
static inline size_t lw_utf8_prefix(const uint8_t *text, size_t n, size_t from)
{
	while (from < n) {
		size_t length = lw_utf8_length(text + from, n - from, NULL);

		if (!length)
			break;
		from += length;
	}
	return from;
}

#endif
