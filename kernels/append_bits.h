/* SPDX-License-Identifier: Apache-2.0 */
/* Positions of the bits of words, for templates that look for candidates. */
#ifndef LW_APPEND_BITS_H
#define LW_APPEND_BITS_H

#include <stddef.h>
#include <stdint.h>

#include "common.h"
#include "vec.h"

/* A bit for each of n words, n <= 64 and a multiple of 8, that is not 0. */
LW_INLINE uint64_t lw_nonzero_words(const uint64_t *words, int n)
{
	uint64_t some = 0;

#pragma GCC unroll 32
	for (int i = 0; i < n; i += VQ_LANES / 8) {
		some |= vq_nonzero64_bits(words + i) << i;
	}
	return some;
}

/*
 * Appends the positions of a word's bits to `raw`: two at least, of which those that are none are overwritten by the
 * next. How many bits there are is no branch that way, as there are seldom more.
 */
LW_INLINE size_t lw_append_bits(uint64_t word, size_t first, uint16_t *raw, size_t n)
{
	size_t end = n + (size_t)__builtin_popcountll(word);

	for (;;) {
#pragma GCC unroll 2
		for (int i = 0; i < 2; i++) {
			raw[n + i] = (uint16_t)(first + (size_t)__builtin_ctzll(word | UINT64_C(1) << 63));
			word &= word - 1;
		}
		n += 2;
		if (LW_LIKELY(n >= end))
			return end;
	}
}

#endif
