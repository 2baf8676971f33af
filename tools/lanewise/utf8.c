/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

#include <string.h>

size_t utf8_decode(const char *text, size_t n_bytes, uint32_t *code_point)
{
	/* By length: the first code point that needs it, so that longer forms than needed are refused. */
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
	uint32_t c = p[0];

	if (length == 0 || length > n_bytes)
		return 0;
	if (length > 1)
		c &= 0x7fu >> length;
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*code_point = c;
	return length;
}

size_t utf8_invalid_at(const char *text, size_t n_bytes)
{
	const uint64_t high_bits = 0x8080808080808080;
	size_t at = 0;

	while (at < n_bytes) {
		uint64_t eight;
		uint32_t code_point;

		if (n_bytes - at >= 8 && (memcpy(&eight, text + at, 8), (eight & high_bits) == 0)) {
			at += 8;
			continue;
		}

		size_t length = utf8_decode(text + at, n_bytes - at, &code_point);

		if (length == 0)
			return at;
		at += length;
	}
	return n_bytes;
}

size_t utf8_encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}

	size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = length; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(0xf00u >> length | c);
	return length;
}

/* ------------------------------------------------------------------ printing */

static int is_harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

static int is_space(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xa0 || c == 0x2028 || c == 0x2029;
}

/* Columns on a terminal: combining marks take none, East Asian wide characters and emoji two. A rough table. */
static size_t columns_of(uint32_t c)
{
	if ((c >= 0x300 && c <= 0x36f) || (c >= 0x1ab0 && c <= 0x1aff) || (c >= 0x20d0 && c <= 0x20ff) ||
	    (c >= 0xfe00 && c <= 0xfe0f))
		return 0;
	if ((c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
	    (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
	    (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd))
		return 2;
	return 1;
}

/* The next character as it shall be printed, with a run of white space as one; returns the bytes it came from. */
static size_t next_printed(const char *text, size_t n_bytes, uint32_t *c)
{
	size_t length = utf8_decode(text, n_bytes, c), at = length;

	if (length == 0) {
		*c = 0xfffd;
		return 1;
	}
	if (!is_space(*c)) {
		if (is_harmful(*c))
			*c = 0xfffd;
		return length;
	}
	for (; length && is_space(*c); at += length) {
		if (at == n_bytes || (length = utf8_decode(text + at, n_bytes - at, c)) == 0 || !is_space(*c))
			break;
	}
	*c = ' ';
	return at;
}

/* Whether the text needs at most so many columns. */
static int fits(const char *text, size_t n_bytes, size_t columns)
{
	uint32_t c;

	for (size_t at = 0, used = 0; at < n_bytes;) {
		at += next_printed(text + at, n_bytes - at, &c);
		used += columns_of(c);
		if (used > columns)
			return 0;
	}
	return 1;
}

void utf8_print_line(FILE *stream, const char *text, size_t n_bytes, size_t columns)
{
	int cut = columns && !fits(text, n_bytes, columns);
	size_t used = 0;

	for (size_t at = 0; at < n_bytes;) {
		uint32_t c;
		char bytes[4];

		at += next_printed(text + at, n_bytes - at, &c);
		used += columns_of(c);
		if (cut && used > columns - 1)
			break;
		fwrite(bytes, 1, utf8_encode(c, bytes), stream);
	}
	if (cut)
		fputs("\xe2\x80\xa6", stream);
}
