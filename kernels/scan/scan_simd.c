/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan_candidates by the method known as Teddy (Langdale, in Hyperscan; also in the aho-corasick crate): windows are put
 * into eight groups (or sixteen, in two banks), one to a bit, and the two halves of a byte, each looked up in a table of
 * sixteen bytes, give the groups that may have this byte at that place. AND over the places of a window leaves the groups
 * which a position may begin a window of. It has no branches; 64 positions give one word.
 *
 * A single window is found by comparing two of its bytes instead.
 *
 * Halves of bytes mixed from different windows of a group pass, so scan_find.h looks the bytes up among the windows.
 */
#include "append_bits.h"
#include "vec.h"

#include "scan/scan_filter.h"

enum { LETTERS = LW_SCAN_WIDTH + 1 }; /* instead of a number of places: filter->letters */

struct tables {
	vq low[LW_SCAN_BANKS][LW_SCAN_WIDTH], high[LW_SCAN_BANKS][LW_SCAN_WIDTH];
	size_t place[LW_SCAN_WIDTH];
	vq byte[2];
	vq no_letters; /* added to bytes, makes all below letters 128 or more */
};

/* The groups of a bank that have these bytes at place j. */
LW_INLINE vq groups_at(const struct tables *t, int bank, int j, vq low_half, vq high_half)
{
	return vq_and(vq_lookup(t->low[bank][j], low_half), vq_lookup(t->high[bank][j], high_half));
}

LW_INLINE vq low_index(vq bytes, int ascii) { return ascii ? vq_ascii_index(bytes) : vq_low_half(bytes); }

/* Bytes that are not 0 where a window may begin. */
LW_INLINE vq find_groups(const struct tables *t, int n_places, int n_banks, int ascii, const uint8_t *p)
{
	vq bytes = vq_load(p + t->place[0]), low = low_index(bytes, ascii), high = vq_high_half(bytes);
	vq groups = groups_at(t, 0, 0, low, high), more = groups;

	if (n_banks == 2)
		more = groups_at(t, 1, 0, low, high);
#pragma GCC unroll 4
	for (int j = 1; j < n_places; j++) {
		bytes = vq_load(p + t->place[j]);
		low = low_index(bytes, ascii);
		high = vq_high_half(bytes);
		groups = vq_and(groups, groups_at(t, 0, j, low, high));
		if (n_banks == 2)
			more = vq_and(more, groups_at(t, 1, j, low, high));
	}
	return n_banks == 2 ? vq_or(groups, more) : groups;
}

/* find_groups for windows of letters. */
LW_INLINE vq find_letters(const struct tables *t, int n_banks, const uint8_t *p)
{
	vq bytes[LW_SCAN_WIDTH], fifth, any = vq_set1(0);

#pragma GCC unroll 4
	for (int j = 0; j < LW_SCAN_WIDTH; j++)
		bytes[j] = vq_load(p + j);
	fifth = vq_fifth_bits(bytes[0], bytes[1], bytes[2], bytes[3]);
#pragma GCC unroll 4
	for (int j = 0; j < LW_SCAN_WIDTH; j++)
		bytes[j] = vq_ascii_index(vq_add(bytes[j], t->no_letters));
#pragma GCC unroll 2
	for (int bank = 0; bank < n_banks; bank++) {
		vq groups = vq_lookup(t->high[bank][0], fifth);

#pragma GCC unroll 4
		for (int j = 0; j < LW_SCAN_WIDTH; j++)
			groups = vq_and(groups, vq_lookup(t->low[bank][j], bytes[j]));
		any = bank ? vq_or(any, groups) : groups;
	}
	return any;
}

LW_INLINE vq find_any(const struct tables *t, int n_places, int n_banks, int ascii, const uint8_t *p)
{
	return n_places == LETTERS ? find_letters(t, n_banks, p) : find_groups(t, n_places, n_banks, ascii, p);
}

LW_INLINE uint64_t bits_at(const struct tables *t, int n_places, int n_banks, int ascii, const uint8_t *p)
{
	if (n_places == 0)
		return vq_equal_bits(vq_load(p + t->place[0]), t->byte[0], vq_load(p + t->place[1]), t->byte[1]);
	return vq_nonzero_bits(find_any(t, n_places, n_banks, ascii, p));
}

LW_INLINE uint64_t word_at(const struct tables *t, int n_places, int n_banks, int ascii, const uint8_t *p)
{
	uint64_t word = 0;

#pragma GCC unroll 4
	for (int v = 0; v < 64 / VQ_LANES; v++)
		word |= bits_at(t, n_places, n_banks, ascii, p + v * VQ_LANES) << (v * VQ_LANES & 63);
	return word;
}

LW_INLINE int any_pair(const struct tables *t, int first, const uint8_t *p)
{
	vq least = vq_set1(255);

#pragma GCC unroll 16
	for (int v = 0; v < LW_SCAN_STRIDE / VQ_LANES; v++, p += VQ_LANES) {
		vq bytes = vq_load(p + t->place[0]);

		least = vq_min(least, first ? vq_xor(bytes, t->byte[0])
		                            : vq_differ2(bytes, t->byte[0], vq_load(p + t->place[1]), t->byte[1]));
	}
	return vq_any_zero(least);
}

LW_INLINE int any_at(const struct tables *t, int n_places, int n_banks, int ascii, int first, const uint8_t *p)
{
	vq any = vq_set1(0);

	if (n_places == 0)
		return any_pair(t, first, p);
#pragma GCC unroll 2 /* of more, tables would not stay in registers */
	for (int v = 0; v < LW_SCAN_STRIDE / VQ_LANES; v++, p += VQ_LANES)
		any = vq_or(any, find_any(t, first ? 1 : n_places, n_banks, ascii, p));
	return vq_any(any);
}

LW_INLINE size_t append_positions(uint64_t word, size_t first, uint16_t *raw, size_t n)
{
	return lw_append_bits(word, first, raw, n);
}

#include "scan/scan_find.h"

/* Whether few bytes pass by the first place, where one place less is worth the question. */
LW_INLINE int has_rare_first(const struct lw_scan_filter *filter, int n_places, int n_banks)
{
	int n_low = 0, n_high = 0;

	if (n_places != 2 || n_banks != 1)
		return n_places == 0;
	for (int i = 0; i < 16; i++) {
		n_low += filter->low[0][0][i] != 0;
		n_high += filter->high[0][0][i] != 0;
	}
	return n_low * n_high <= FEW_FIRST;
}

LW_INLINE size_t find(const struct lw_scan_filter *filter, int n_places, int n_banks, int ascii, const uint8_t *text,
                      size_t *n, size_t enough, uint16_t *positions)
{
	struct tables t;

	t.no_letters = vq_set1((uint8_t)-filter->letters);
	for (int j = 0; j < 2; j++) {
		t.place[j] = filter->place[j];
		t.byte[j] = vq_set1(filter->byte[j]);
	}
#pragma GCC unroll 4
	for (int j = 0; j < n_places && j < LW_SCAN_WIDTH; j++) {
		t.place[j] = filter->place[j];
		for (int bank = 0; bank < n_banks; bank++) {
			t.low[bank][j] = vq_repeat16(filter->low[bank][j]);
			t.high[bank][j] = vq_repeat16(filter->high[bank][j]);
		}
	}
	return find_positions(filter, &t, n_places, n_banks, ascii, has_rare_first(filter, n_places, n_banks), text, n,
	                      enough, positions);
}

/* Whether no window has a byte from 128 on; then fewer steps find a byte's low half. */
LW_INLINE int is_ascii(const struct lw_scan_filter *filter)
{
	uint64_t any = 0, upper;

	for (uint32_t bank = 0; bank < filter->n_banks; bank++)
		for (uint32_t j = 0; j < filter->n_places; j++) {
			memcpy(&upper, filter->high[bank][j] + 8, sizeof upper);
			any |= upper;
		}
	return any == 0;
}

LW_INLINE size_t find_in_banks(const struct lw_scan_filter *filter, int ascii, const uint8_t *text, size_t *n,
                               size_t enough, uint16_t *positions)
{
	if (filter->letters)
		return filter->n_banks == 2 ? find(filter, LETTERS, 2, 1, text, n, enough, positions)
		                            : find(filter, LETTERS, 1, 1, text, n, enough, positions);
	if (filter->n_banks == 2)
		return filter->n_places < 4 ? find(filter, 3, 2, ascii, text, n, enough, positions)
		                            : find(filter, 4, 2, ascii, text, n, enough, positions);
	switch (filter->n_places) {
	case 1:
		return find(filter, 1, 1, ascii, text, n, enough, positions);
	case 2:
		return find(filter, 2, 1, ascii, text, n, enough, positions);
	case 3:
		return find(filter, 3, 1, ascii, text, n, enough, positions);
	default:
		return find(filter, 4, 1, ascii, text, n, enough, positions);
	}
}

size_t LW_FN(scan_candidates)(const struct lw_scan_filter *filter, const uint8_t *text, size_t *n, size_t enough,
                              uint16_t *positions)
{
	if (filter->n_places == 0)
		return find(filter, 0, 1, 0, text, n, enough, positions);
	return is_ascii(filter) ? find_in_banks(filter, 1, text, n, enough, positions)
	                        : find_in_banks(filter, 0, text, n, enough, positions);
}
