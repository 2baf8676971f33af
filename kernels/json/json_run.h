/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of bytes that strings hold as they are, which are mostly short: eight bytes at a time here, the rest by the kernel. */
#ifndef LW_JSON_RUN_H
#define LW_JSON_RUN_H

#include "common.h"
#include "support.h"

enum { LW_JSON_SHORT_RUN = 32 };

/* The high bit of each byte that is c, and perhaps of bytes above one; the first byte is the lowest. */
static inline uint64_t lw_json_find_byte(uint64_t eight, uint8_t c)
{
	const uint64_t ones = 0x0101010101010101, x = eight ^ ones * c;

	return (x - ones) & ~x & (ones * 0x80);
}

/*
 * The number of bytes from p on, at most n, that are neither quote nor backslash nor below 0x20. Not settled: those are
 * the first LW_JSON_SHORT_RUN, and there may be more.
 */
static inline size_t lw_json_short_run(const uint8_t *p, size_t n, int *settled)
{
	size_t at = 0;

	*settled = 1;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint64_t ones = 0x0101010101010101;

	/* The lowest byte of the eight whose high bit is set in `hits` is such a one; above it there may be false ones. */
	for (; n - at >= 8; at += 8) {
		uint64_t x, quote, backslash, hits;

		if (at == LW_JSON_SHORT_RUN) {
			*settled = 0;
			return at;
		}
		memcpy(&x, p + at, sizeof x);
		quote = x ^ ones * '"';
		backslash = x ^ ones * '\\';
		hits = (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((x - ones * 0x20) & ~x)) &
		       ones * 0x80;
		if (hits)
			return at + (size_t)__builtin_ctzll(hits) / 8;
	}
#endif
	while (at < n && p[at] >= 0x20 && p[at] != '"' && p[at] != '\\')
		at++;
	return at;
}

/* How many of eight bytes, the first in the lowest, are digits before another byte comes. */
static inline unsigned lw_json_count_digits(uint64_t eight)
{
	const uint64_t high = 0xf0f0f0f0f0f0f0f0, three = 0x3030303030303030;
	/* A digit's high half is 3, and is so still when 6 is added; what carries is no digit, and is found itself. */
	uint64_t others = ((eight & high) ^ three) | (((eight + 0x0606060606060606) & high) ^ three);

	return others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
}

/* Behind the digits from `at` on. */
static inline size_t lw_json_skip_digits(const uint8_t *text, size_t n, size_t at)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	while (n - at >= 8) {
		uint64_t eight;
		unsigned count;

		memcpy(&eight, text + at, 8);
		count = lw_json_count_digits(eight);
		at += count;
		if (count < 8)
			return at;
	}
#endif
	while (at < n && (uint8_t)(text[at] - '0') < 10)
		at++;
	return at;
}

/* The value of a hexadecimal digit and one more; 0 for other bytes. */
static const uint8_t lw_json_hex[256] = {
	['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16
};

/* The value of the four hexadecimal digits at p, or -1. */
static inline int lw_json_read_hex(const uint8_t *p)
{
	int a = lw_json_hex[p[0]] - 1, b = lw_json_hex[p[1]] - 1, c = lw_json_hex[p[2]] - 1, d = lw_json_hex[p[3]] - 1;

	return (a | b | c | d) < 0 ? -1 : a << 12 | b << 8 | c << 4 | d;
}

/* The whole run. */
static inline size_t lw_json_run(const uint8_t *p, size_t n)
{
	int settled;
	size_t at = lw_json_short_run(p, n, &settled);

	return settled ? at : at + lw_kernels()->json_plain(p + at, n - at);
}

#endif
