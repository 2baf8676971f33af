/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of lanewise/bits.h; a quotient is rounded here, once, the same for all tiers. */
#include <lanewise/bits.h>

#include "common.h"

/* Kernels add offsets, which C allows to no NULL; nothing is read from this. */
static const uint8_t *or_nothing(const uint8_t *bytes)
{
	static const uint8_t nothing;

	return bytes ? bytes : &nothing;
}

static float jaccard(uint32_t both, uint32_t either) { return either ? (float)((double)both / (double)either) : 0; }

uint32_t lanewise_hamming_bits(const uint8_t *a, const uint8_t *b, size_t n_bytes)
{
	uint32_t out;

	lw_kernels()->hamming_rows(or_nothing(a), or_nothing(b), 1, n_bytes, n_bytes, &out);
	return out;
}

void lanewise_hamming_bits_rows(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes, size_t ld,
                                uint32_t *out)
{
	LW_ASSERT(ld >= n_bytes);
	lw_kernels()->hamming_rows(or_nothing(query), or_nothing(rows), n_rows, n_bytes, ld, out);
}

float lanewise_jaccard_bits(const uint8_t *a, const uint8_t *b, size_t n_bytes)
{
	uint32_t both, either;

	lw_kernels()->bit_overlap_rows(or_nothing(a), or_nothing(b), 1, n_bytes, n_bytes, &both, &either);
	return jaccard(both, either);
}

void lanewise_jaccard_bits_rows(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes, size_t ld,
                                float *out)
{
	enum { BLOCK = 256 };
	uint32_t both[BLOCK], either[BLOCK];

	LW_ASSERT(ld >= n_bytes);
	for (size_t r = 0; r < n_rows; r += BLOCK) {
		size_t n = n_rows - r < BLOCK ? n_rows - r : BLOCK;

		lw_kernels()->bit_overlap_rows(or_nothing(query), or_nothing(rows) + r * ld, n, n_bytes, ld, both,
		                               either);
		for (size_t i = 0; i < n; i++)
			out[r + i] = jaccard(both[i], either[i]);
	}
}
