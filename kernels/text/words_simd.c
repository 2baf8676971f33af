/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of ASCII text for every vector tier, in blocks of 64 bytes: which bytes are of words is a mask, and a word
 * begins or ends where a bit of it differs from the bit before.
 *
 * Positions are written in groups, past the last one too: a branch per position would be mispredicted, as the number of
 * them in a block changes all the time. English text has about 20. Vectors of 16 lanes take all 64 in four steps.
 */
#include "common.h"

#include "vec.h"

#if defined(LW_THIS_TIER_IS_avx512) || defined(LW_THIS_TIER_IS_avx512_clx)
LW_INLINE size_t append_bits(uint16_t *to, uint64_t bits, size_t at)
{
	size_t n = 0;

#pragma GCC unroll 4
	for (unsigned first = 0; first < 64; first += VF_LANES) {
		uint32_t some = bits >> first & 0xffff;
		vu places = vu_compress(vu_iota((uint32_t)at + first), some);

		_mm256_storeu_si256((__m256i *)(void *)(to + n), _mm512_cvtepi32_epi16(places));
		n += (size_t)__builtin_popcount(some);
	}
	return n;
}
#else
enum { GROUP = 8 };

LW_INLINE size_t append_bits(uint16_t *to, uint64_t bits, size_t at)
{
	size_t n = (size_t)__builtin_popcountll(bits);

	for (size_t i = 0; i < n; i += GROUP)
#pragma GCC unroll 8
		for (size_t j = 0; j < GROUP; j++) {
			/* Bit 63 stands in when none is left. */
			to[i + j] = (uint16_t)(at + (size_t)__builtin_ctzll(bits | (uint64_t)1 << 63));
			bits &= bits - 1;
		}
	return n;
}
#endif

size_t LW_FN(ascii_words)(const unsigned char *text, size_t n, int fold, unsigned char *out, uint16_t *edges,
                          size_t *n_edges)
{
	uint64_t before = 0; /* whether the byte before the block is of a word */
	size_t used = 0, i = 0;

	for (; i < n; i += 64) {
		size_t rest = n - i;
		vc x = LW_LIKELY(rest >= 64) ? vc_load(text + i) : vc_load_first(text + i, rest);
		vc small = vc_add_range(x, 'A', 26, 'a' - 'A');
		uint64_t word = vc_bits_range(small, 'a', 26) | vc_bits_range(x, '0', 10) | vc_bits_eq(x, '_');
		uint64_t changes = word ^ (word << 1 | before), high = vc_bits_high(x);

		vc_store(out + i, fold ? small : x);
		if (LW_UNLIKELY(high || rest < 64)) {
			size_t n_ascii = high ? (size_t)__builtin_ctzll(high) : 64;

			n_ascii = n_ascii < rest ? n_ascii : rest;
			if (n_ascii < 64)
				changes &= ((uint64_t)1 << n_ascii) - 1;
			*n_edges = used + append_bits(edges + used, changes, i);
			return i + n_ascii;
		}
		used += append_bits(edges + used, changes, i);
		before = word >> 63;
	}
	*n_edges = used;
	return n;
}
