/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan_candidates where bytes can be looked up in 64 (vpermb). As in scan_simd.c, windows are put into groups, one to a
 * bit, and what is looked up for the bytes at a window's places, AND, leaves the groups which a position may begin a window
 * of. But one lookup, by a byte's lower six bits, tells what takes two lookups and three more steps by halves of bytes;
 * and it tells more: of letters nothing is mixed. Other bytes share a class: digits and punctuation with small letters.
 * Looking seven bits up in 128 bytes would be exact, but is three steps on Intel's CPUs instead of one, for which sixteen
 * groups instead of eight are the better use.
 *
 * A block of 4096 positions is gone through in four loops, none of which has a branch on the text: words of a bit for each
 * position; those words that are not 0; their positions, 32 at once; those that begin windows.
 */
#include "append_bits_avx512.h"
#include "scan/scan_filter.h"

enum { WORDS = 64, BLOCK = 64 * WORDS, READABLE = 64 + LW_SCAN_READABLE };

struct tables {
	__m512i groups[LW_SCAN_BANKS][LW_SCAN_WIDTH], byte[2];
	size_t place[LW_SCAN_WIDTH];
};

/* A bit for each of 64 positions from p on that may begin a window; n_places 0 stands for the two bytes. */
LW_INLINE __mmask64 bits_at(const struct tables *t, int n_places, int n_banks, const uint8_t *p)
{
	__m512i bytes = _mm512_loadu_si512(p + t->place[0]), groups, more;

	if (n_places == 0) {
		__mmask64 first = _mm512_cmpeq_epi8_mask(bytes, t->byte[0]);

		return _mm512_mask_cmpeq_epi8_mask(first, _mm512_loadu_si512(p + t->place[1]), t->byte[1]);
	}
	groups = _mm512_permutexvar_epi8(bytes, t->groups[0][0]);
	more = n_banks == 2 ? _mm512_permutexvar_epi8(bytes, t->groups[1][0]) : groups;
#pragma GCC unroll 4
	for (int j = 1; j < n_places; j++) {
		bytes = _mm512_loadu_si512(p + t->place[j]);
		groups = _mm512_and_si512(groups, _mm512_permutexvar_epi8(bytes, t->groups[0][j]));
		if (n_banks == 2)
			more = _mm512_and_si512(more, _mm512_permutexvar_epi8(bytes, t->groups[1][j]));
	}
	if (n_banks == 2)
		groups = _mm512_or_si512(groups, more);
	return _mm512_test_epi8_mask(groups, groups);
}

/* The words of n positions, at most BLOCK, at which `readable` bytes can be read; returns how many. */
LW_INLINE size_t find_words(const struct tables *t, int n_places, int n_banks, const uint8_t *text, size_t n,
                            size_t readable, uint64_t *words)
{
	size_t n_whole = readable < READABLE ? 0 : (readable - LW_SCAN_READABLE) / 64, i = 0;
	size_t n_words = (n + 63) / 64;

	if (n_whole > WORDS)
		n_whole = WORDS;
#pragma GCC unroll 4
	for (; i < n_whole; i++) {
		__builtin_prefetch(text + i * 64 + 4096);
		_store_mask64((__mmask64 *)&words[i], bits_at(t, n_places, n_banks, text + i * 64));
	}
	for (; i < n_words; i++) { /* the last are copied, so that reading on behind them is allowed */
		uint8_t padded[READABLE] = { 0 };
		size_t left = readable - i * 64;

		memcpy(padded, text + i * 64, left < READABLE ? left : READABLE);
		words[i] = bits_at(t, n_places, n_banks, padded);
	}
	if (n % 64)
		words[n_words - 1] &= UINT64_MAX >> (64 - n % 64);
	return n_words;
}

/* Appends those of the raw positions that begin windows; four bytes can be read at those before `end`. */
LW_INLINE size_t keep_windows(const struct lw_scan_filter *filter, const uint8_t *text, size_t end, const uint16_t *raw,
                              size_t n_raw, uint16_t *positions, size_t n_found)
{
	for (size_t i = 0; i < n_raw; i++) {
		uint32_t bytes = 0;

		if (LW_LIKELY(raw[i] < end))
			memcpy(&bytes, text + raw[i], sizeof bytes);
		else
			for (uint32_t j = 0; j < filter->width; j++)
				bytes |= (uint32_t)text[raw[i] + j] << 8 * j;
		bytes &= filter->mask;

		const uint32_t *slot = filter->slot[bytes * filter->multiplier >> filter->slot_shift];
		__m128i same = _mm_cmpeq_epi32(_mm_loadu_si128((const __m128i *)slot), _mm_set1_epi32((int)bytes));

		positions[n_found] = raw[i];
		n_found += !_mm_testz_si128(same, same);
	}
	return n_found;
}

LW_INLINE size_t find(const struct lw_scan_filter *filter, int n_places, int n_banks, const uint8_t *text, size_t n,
                      uint16_t *positions)
{
	const struct lw_scan_classes *classes = &filter->classes;
	const uint32_t *place = n_places ? classes->place : filter->place;
	size_t n_bytes = n + filter->width - 1, end = n_bytes < 4 ? 0 : n_bytes - 3, n_found = 0;
	uint64_t words[WORDS + 8];
	uint8_t numbers[WORDS + 8];
	uint16_t raw[BLOCK + 64];
	struct tables t;

	for (int j = 0; j < 2; j++)
		t.byte[j] = _mm512_set1_epi8((char)filter->byte[j]);
	for (int j = 0; j < (n_places ? n_places : 2); j++)
		t.place[j] = place[j];
#pragma GCC unroll 2
	for (int bank = 0; bank < n_banks; bank++)
#pragma GCC unroll 4
		for (int j = 0; j < n_places; j++)
			t.groups[bank][j] = _mm512_loadu_si512(classes->groups[bank][j]);
	for (size_t at = 0; at < n; at += BLOCK) {
		size_t n_here = n - at < BLOCK ? n - at : BLOCK, n_raw = 0;
		size_t n_words = find_words(&t, n_places, n_banks, text + at, n_here, n_bytes - at, words);

		n_words = lw_keep_words(words, n_words, numbers);
		for (size_t k = 0; k < n_words; k++)
			n_raw = lw_append_compressed(words[k], at + numbers[k] * 64u, raw, n_raw);
		n_found = keep_windows(filter, text, end, raw, n_raw, positions, n_found);
	}
	return n_found;
}

size_t LW_FN(scan_candidates)(const struct lw_scan_filter *filter, const uint8_t *text, size_t n, uint16_t *positions)
{
	if (filter->n_places == 0)
		return find(filter, 0, 1, text, n, positions);
	if (filter->classes.n_banks == 2)
		return filter->classes.n_places < 4 ? find(filter, 3, 2, text, n, positions)
		                                    : find(filter, 4, 2, text, n, positions);
	switch (filter->classes.n_places) {
	case 1:
		return find(filter, 1, 1, text, n, positions);
	case 2:
		return find(filter, 2, 1, text, n, positions);
	case 3:
		return find(filter, 3, 1, text, n, positions);
	default:
		return find(filter, 4, 1, text, n, positions);
	}
}
