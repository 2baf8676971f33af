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

/* Of 64 positions from p on: bytes that are not 0 where a window may begin. */
LW_INLINE __m512i groups_at(const struct tables *t, int n_places, int n_banks, const uint8_t *p)
{
	__m512i bytes = _mm512_loadu_si512(p + t->place[0]);
	__m512i groups = _mm512_permutexvar_epi8(bytes, t->groups[0][0]), more = groups;

	if (n_banks == 2)
		more = _mm512_permutexvar_epi8(bytes, t->groups[1][0]);
#pragma GCC unroll 4
	for (int j = 1; j < n_places; j++) {
		bytes = _mm512_loadu_si512(p + t->place[j]);
		groups = _mm512_and_si512(groups, _mm512_permutexvar_epi8(bytes, t->groups[0][j]));
		if (n_banks == 2)
			more = _mm512_and_si512(more, _mm512_permutexvar_epi8(bytes, t->groups[1][j]));
	}
	return n_banks == 2 ? _mm512_or_si512(groups, more) : groups;
}

/* A bit for each of 64 positions from p on that may begin a window; n_places 0 stands for the two bytes. */
LW_INLINE uint64_t word_at(const struct tables *t, int n_places, int n_banks, int ascii, const uint8_t *p)
{
	__m512i groups;
	__mmask64 first;

	(void)ascii;
	if (n_places == 0) {
		first = _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(p + t->place[0]), t->byte[0]);
		return _mm512_mask_cmpeq_epi8_mask(first, _mm512_loadu_si512(p + t->place[1]), t->byte[1]);
	}
	groups = groups_at(t, n_places, n_banks, p);
	return _cvtmask64_u64(_mm512_test_epi8_mask(groups, groups));
}

/*
 * Comparisons run in one port only, so bytes are made 0 where they are equal, and the least is taken. With `first` set
 * only the first place is looked at.
 */
LW_INLINE int any_at(const struct tables *t, int n_places, int n_banks, int ascii, int first, const uint8_t *p)
{
	__m512i sum = n_places == 0 ? _mm512_set1_epi8(-1) : _mm512_setzero_si512();

	(void)ascii;
#pragma GCC unroll 4
	for (int v = 0; v < LW_SCAN_STRIDE / 64; v++, p += 64)
		if (n_places == 0) {
			__m512i bytes = _mm512_loadu_si512(p + t->place[0]), second = _mm512_setzero_si512();

			if (!first)
				second = _mm512_xor_si512(_mm512_loadu_si512(p + t->place[1]), t->byte[1]);
			/* (bytes ^ byte) | second */
			bytes = _mm512_ternarylogic_epi64(bytes, t->byte[0], second, 0xbe);
			sum = _mm512_min_epu8(sum, bytes);
		} else {
			sum = _mm512_or_si512(sum, groups_at(t, first ? 1 : n_places, n_banks, p));
		}
	return n_places == 0 ? _mm512_testn_epi8_mask(sum, sum) != 0 : _mm512_test_epi8_mask(sum, sum) != 0;
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
	int is_rare = n_places == 0;

	for (int j = 0; j < 2; j++)
		t.byte[j] = _mm512_set1_epi8((char)filter->byte[j]);
	for (int j = 0; j < (n_places ? n_places : 2); j++)
		t.place[j] = place[j];
#pragma GCC unroll 2
	for (int bank = 0; bank < n_banks; bank++)
#pragma GCC unroll 4
		for (int j = 0; j < n_places; j++)
			t.groups[bank][j] = _mm512_loadu_si512(classes->groups[bank][j]);
	if (n_places == 2 && n_banks == 1) /* where one place less is worth the question */
		is_rare = __builtin_popcountll(_mm512_test_epi8_mask(t.groups[0][0], t.groups[0][0])) <= FEW_FIRST;
	return find_positions(filter, &t, n_places, n_banks, 0, is_rare, text, n, enough, positions);
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
