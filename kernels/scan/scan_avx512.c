/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan_candidates where bytes can be looked up in 64 (vpermb). As in scan_simd.c, windows are put into groups, one to a
 * bit, and what is looked up for the bytes at a window's places, AND, leaves the groups which a position may begin a window
 * of. But one lookup, by a byte's lower six bits, tells what takes two lookups and three more steps by halves of bytes;
 * and it tells more: of letters nothing is mixed. Other bytes share a class: digits and punctuation with small letters.
 * Looking seven bits up in 128 bytes would be exact, but is three steps on Intel's CPUs instead of one, for which sixteen
 * groups instead of eight are the better use.
 * The rest is that of scan_find.h, with positions of a word's bits by compression.
 */
#include "append_bits_avx512.h"
#include "scan/scan_filter.h"

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

LW_INLINE uint64_t word_at(const struct tables *t, int n_places, int n_banks, int ascii, const uint8_t *p)
{
	(void)ascii;
	return _cvtmask64_u64(bits_at(t, n_places, n_banks, p));
}

LW_INLINE size_t append_positions(uint64_t word, size_t first, uint16_t *raw, size_t n)
{
	return lw_append_compressed(word, first, raw, n);
}

#include "scan/scan_find.h"

LW_INLINE size_t find(const struct lw_scan_filter *filter, int n_places, int n_banks, const uint8_t *text, size_t *n,
                      size_t enough, uint16_t *positions)
{
	const struct lw_scan_classes *classes = &filter->classes;
	const uint32_t *place = n_places ? classes->place : filter->place;
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
	return find_positions(filter, &t, n_places, n_banks, 0, text, n, enough, positions);
}

size_t LW_FN(scan_candidates)(const struct lw_scan_filter *filter, const uint8_t *text, size_t *n, size_t enough,
                              uint16_t *positions)
{
	if (filter->n_places == 0)
		return find(filter, 0, 1, text, n, enough, positions);
	if (filter->classes.n_banks == 2)
		return filter->classes.n_places < 4 ? find(filter, 3, 2, text, n, enough, positions)
		                                    : find(filter, 4, 2, text, n, enough, positions);
	switch (filter->classes.n_places) {
	case 1:
		return find(filter, 1, 1, text, n, enough, positions);
	case 2:
		return find(filter, 2, 1, text, n, enough, positions);
	case 3:
		return find(filter, 3, 1, text, n, enough, positions);
	default:
		return find(filter, 4, 1, text, n, enough, positions);
	}
}
