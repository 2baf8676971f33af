/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What both forms of scan_candidates do with their tables. Blocks of 4096 positions are gone through in three loops: words
 * of a bit for each position; the positions of those that are set, of words that are not 0; those that begin windows.
 * Only the second has branches on the text, one for every word.
 *
 * Where there is next to nothing, words are not made: of LW_SCAN_STRIDE positions at once it is asked whether any passes,
 * at first, where few bytes do, by one place alone.
 *
 * Who includes this has defined
 *
 *   struct tables
 *   word_at(t, n_places, n_banks, ascii, p)         64 positions from p on, of which bytes [p, p + 63 + the filter's width)
 *                                                   are looked at
 *   any_at(t, n_places, n_banks, ascii, first, p)   whether one of LW_SCAN_STRIDE positions passes; if `first`, by the
 *                                                   first place alone
 *   append_positions(word, first, raw, n)           appends the numbers of a word's bits; `raw` has room for 64 more
 */
#ifndef LW_SCAN_FIND_H
#define LW_SCAN_FIND_H

#include "append_bits.h"
#include "scan/scan_filter.h"

enum {
	WORDS = LW_SCAN_PART / 64,
	GROUP = 4,
	PADDED = 64 + LW_SCAN_WIDTH - 1,
	MANY_RAW = 256, /* so many positions are worth to go through */
	FEW_FIRST = 2   /* bytes, or classes of them, that pass by the first place: they may be rare enough to tell */
};

/* The word of the last n < 64 positions; of the bytes before them those n_before can be read. */
LW_INLINE uint64_t last_word(const struct tables *t, int n_places, int n_banks, int ascii, const uint8_t *text,
                             size_t n, size_t n_bytes, size_t n_before)
{
	uint8_t padded[PADDED] = { 0 };

	if (LW_LIKELY(n_before >= 64))
		return word_at(t, n_places, n_banks, ascii, text + n - 64) >> (64 - n);
	memcpy(padded, text, n_bytes);
	return word_at(t, n_places, n_banks, ascii, padded) & UINT64_MAX >> (64 - n);
}

/* The words of n <= LW_SCAN_PART positions, and zeros behind them. Returns which ones are not 0. */
LW_INLINE uint64_t find_words(const struct tables *t, int n_places, int n_banks, int ascii, const uint8_t *text,
                              size_t n, size_t n_bytes, size_t n_before, uint64_t words[WORDS])
{
	size_t i = 0;
	uint64_t any = 0;

	for (; i + GROUP <= n / 64; i += GROUP)
#pragma GCC unroll 4
		for (int k = 0; k < GROUP; k++) {
			__builtin_prefetch(text + (i + k) * 64 + 4096);
			words[i + k] = word_at(t, n_places, n_banks, ascii, text + (i + k) * 64);
			any |= words[i + k];
		}
	for (; i < n / 64; i++)
		any |= words[i] = word_at(t, n_places, n_banks, ascii, text + i * 64);
	if (n % 64) {
		words[i] = last_word(t, n_places, n_banks, ascii, text + i * 64, n % 64, n_bytes - i * 64,
		                     n_before + i * 64);
		any |= words[i++];
	}
	if (!any)
		return 0;
	for (; i < WORDS; i++)
		words[i] = 0;
	return lw_nonzero_words(words, WORDS);
}

/*
 * The first multiple of LW_SCAN_STRIDE positions, from such a one on, behind which one passes, or few are left. With
 * `first` set one passes if it does by the first place alone.
 */
LW_INLINE size_t skip(const struct tables *t, int n_places, int n_banks, int ascii, int first, const uint8_t *text,
                      size_t at, size_t n)
{
	for (; at + LW_SCAN_STRIDE <= n; at += LW_SCAN_STRIDE) {
#pragma GCC unroll 4
		for (int k = 0; k < LW_SCAN_STRIDE; k += 64)
			__builtin_prefetch(text + at + k + 4096);
		if (LW_UNLIKELY(any_at(t, n_places, n_banks, ascii, first, text + at)))
			break;
	}
	return at;
}

/* Whether a slot has a window: one comparison of all four, as many positions are asked for. */
LW_INLINE int slot_has(const uint32_t slot[LW_SCAN_SLOT_DEPTH], uint32_t window)
{
	_Static_assert(LW_SCAN_SLOT_DEPTH == 4, "a slot is a vector");
#if defined(__SSE2__)
	__m128i windows = _mm_loadu_si128((const __m128i *)slot);

	return _mm_movemask_epi8(_mm_cmpeq_epi32(windows, _mm_set1_epi32((int)window))) != 0;
#else
	return (slot[0] == window) | (slot[1] == window) | (slot[2] == window) | (slot[3] == window);
#endif
}

/* Appends those of the raw positions that begin windows; from those before `end` on four bytes can be read. */
LW_INLINE size_t keep_windows(const struct lw_scan_filter *filter, const uint8_t *text, size_t end, const uint16_t *raw,
                              size_t n_raw, uint16_t *positions, size_t n_found)
{
	uint32_t mask = filter->mask, multiplier = filter->multiplier, shift = filter->slot_shift, bytes;
	size_t n_inside = n_raw, i = 0;

	while (n_inside > 0 && raw[n_inside - 1] >= end)
		n_inside--;
	for (; i < n_raw; i++) {
		bytes = 0;
		if (LW_LIKELY(i < n_inside))
			memcpy(&bytes, text + raw[i], sizeof bytes);
		else
			for (uint32_t j = 0; j < filter->width; j++)
				bytes |= (uint32_t)text[raw[i] + j] << 8 * j;
		bytes &= mask;
		positions[n_found] = raw[i];
		n_found += (size_t)slot_has(filter->slot[bytes * multiplier >> shift], bytes);
	}
	return n_found;
}

/* scan_candidates; is_rare is set if the first place alone may tell almost all positions apart. */
LW_INLINE size_t find_positions(const struct lw_scan_filter *filter, const struct tables *t, int n_places, int n_banks,
                                int ascii, int is_rare, const uint8_t *text, size_t *n, size_t enough,
                                uint16_t *positions)
{
	uint64_t words[WORDS];
	uint16_t raw[MANY_RAW + LW_SCAN_PART + 64];
	size_t n_bytes = *n + filter->width - 1, end = n_bytes < 4 ? 0 : n_bytes - 3, n_found = 0, n_raw = 0, at = 0;
	int quiet = *n >= 4 * LW_SCAN_STRIDE; /* hardly a position passes, and there are many */

	while (at < *n && n_found < enough) {
		size_t from = at, n_here;
		uint64_t some;

		if (quiet && is_rare) {
			from = skip(t, n_places, n_banks, ascii, 1, text, at, *n);
			is_rare = from - at >= LW_SCAN_PART; /* if not, its byte is frequent here */
		}
		if (quiet)
			from = skip(t, n_places, n_banks, ascii, 0, text, from, *n);

		at = from - from % LW_SCAN_PART + LW_SCAN_PART; /* parts end where they always do */
		at = at < *n ? at : *n;
		n_here = at - from;
		some = find_words(t, n_places, n_banks, ascii, text + from, n_here, n_bytes - from, from, words);
		quiet = (some & (some - 1)) == 0;
		for (; some; some &= some - 1) {
			size_t k = (size_t)__builtin_ctzll(some);

			n_raw = append_positions(words[k], from + k * 64, raw, n_raw);
		}
		if (n_raw >= MANY_RAW || n_found + n_raw >= enough) { /* so that n_found is right */
			n_found = keep_windows(filter, text, end, raw, n_raw, positions, n_found);
			n_raw = 0;
		}
	}
	*n = at;
	return keep_windows(filter, text, end, raw, n_raw, positions, n_found);
}

#endif
