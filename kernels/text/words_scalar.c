/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for the words of ASCII text. */
#include "common.h"

static int is_capital(unsigned char byte) { return byte >= 'A' && byte <= 'Z'; }

static int is_of_word(unsigned char byte)
{
	return (byte >= 'a' && byte <= 'z') || is_capital(byte) || (byte >= '0' && byte <= '9') || byte == '_';
}

size_t LW_FN(ascii_words)(const unsigned char *text, size_t n, int fold, unsigned char *out, uint16_t *edges,
                          size_t *n_edges)
{
	size_t used = 0, i = 0;
	int inside = 0;

	for (; i < n && text[i] < 0x80; i++) {
		out[i] = fold && is_capital(text[i]) ? (unsigned char)(text[i] + ('a' - 'A')) : text[i];
		if (is_of_word(text[i]) != inside) {
			inside = !inside;
			edges[used++] = (uint16_t)i;
		}
	}
	*n_edges = used;
	return i;
}
