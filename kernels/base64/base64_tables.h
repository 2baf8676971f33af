/* SPDX-License-Identifier: Apache-2.0 */
/* The two alphabets of RFC 4648 and, for plain code, a single group of each direction. */
#ifndef LW_BASE64_TABLES_H
#define LW_BASE64_TABLES_H

#include <stdint.h>

static const char lw_base64_alphabet[2][65] = { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
	                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" };

/* The value of a character, 0 ... 63, or 64 if it is none. */
static inline uint32_t lw_base64_value(uint8_t c, int url)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0') + 52;
	return c == (url ? '-' : '+') ? 62 : c == (url ? '_' : '/') ? 63 : 64;
}

static inline void lw_base64_encode_group(const uint8_t in[3], uint8_t out[4], int url)
{
	uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)lw_base64_alphabet[url][bits >> (18 - 6 * i) & 63];
}

/* 1 if all four characters are of the alphabet; nothing is written otherwise. */
static inline int lw_base64_decode_group(const uint8_t in[4], uint8_t out[3], int url)
{
	uint32_t bits = 0, all = 0;

	for (int i = 0; i < 4; i++) {
		uint32_t value = lw_base64_value(in[i], url);

		all |= value;
		bits = bits << 6 | (value & 63);
	}
	if (all & 64)
		return 0;
	out[0] = (uint8_t)(bits >> 16);
	out[1] = (uint8_t)(bits >> 8);
	out[2] = (uint8_t)bits;
	return 1;
}

#endif
