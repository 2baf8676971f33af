/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for lanewise/bits.h: byte by byte, bit by bit. */
#include "common.h"

static uint32_t count(unsigned byte)
{
	uint32_t n = 0;

	for (int bit = 0; bit < 8; bit++)
		n += byte >> bit & 1;
	return n;
}

void LW_FN(hamming_rows)(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes, size_t ld,
                         uint32_t *out)
{
	for (size_t r = 0; r < n_rows; r++) {
		out[r] = 0;
		for (size_t i = 0; i < n_bytes; i++)
			out[r] += count(query[i] ^ rows[r * ld + i]);
	}
}

void LW_FN(bit_overlap_rows)(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes, size_t ld,
                             uint32_t *both, uint32_t *either)
{
	for (size_t r = 0; r < n_rows; r++) {
		both[r] = either[r] = 0;
		for (size_t i = 0; i < n_bytes; i++) {
			both[r] += count(query[i] & rows[r * ld + i]);
			either[r] += count(query[i] | rows[r * ld + i]);
		}
	}
}
