/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan_candidates in two passes over up to 4096 positions.
 *
 * The first is the method known as Teddy (Langdale, in Hyperscan; also in the aho-corasick crate): windows are put into
 * eight groups (or sixteen, in two banks), one to a bit, and the two halves of a byte, each looked up in a table of
 * sixteen bytes, give the groups that may have this byte at that place. AND over the places of a window leaves the groups
 * which a position may begin a window of. It has no branches; 64 positions give one word.
 *
 * A single window is found by comparing two of its bytes instead.
 *
 * Where bits are set in four such words, their positions are written down. The second goes through these. Halves of bytes
 * mixed from different windows of a group pass the first, so it looks the bytes up among the windows; without a branch,
 * since either outcome is frequent.
 */
#include "append_bits.h"
#include "vec.h"

#include "scan/scan_filter.h"

enum { WORDS = 64, GROUP = 4, PADDED = 64 + LW_SCAN_READABLE };
enum { LETTERS = LW_SCAN_WIDTH + 1 }; /* instead of a number of places: filter->letters */

struct tables {
	vq low[LW_SCAN_BANKS][LW_SCAN_WIDTH], high[LW_SCAN_BANKS][LW_SCAN_WIDTH];
	size_t place[LW_SCAN_WIDTH];
	vq byte[2];
	vq no_letters; /* added to bytes, makes all below letters 128 or more */
};

/* The two bytes that a single window is found by. */
LW_INLINE uint64_t pair_bits(const struct tables *t, const uint8_t *p)
{
	return vq_equal_bits(vq_load(p + t->place[0]), t->byte[0], vq_load(p + t->place[1]), t->byte[1]);
}

/* The groups of a bank that have these bytes at place j. */
LW_INLINE vq groups_at(const struct tables *t, int bank, int j, vq low_half, vq high_half)
{
	return vq_and(vq_lookup(t->low[bank][j], low_half), vq_lookup(t->high[bank][j], high_half));
}

LW_INLINE vq low_index(vq bytes, int ascii) { return ascii ? vq_ascii_index(bytes) : vq_low_half(bytes); }

LW_INLINE uint64_t group_bits(const struct tables *t, int n_places, int n_banks, int ascii, const uint8_t *p)
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
	return vq_nonzero_bits(n_banks == 2 ? vq_or(groups, more) : groups);
}

/* group_bits for windows of letters. */
LW_INLINE uint64_t letter_bits(const struct tables *t, int n_banks, const uint8_t *p)
{
	vq bytes[LW_SCAN_WIDTH], fifth, any;

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
	return vq_nonzero_bits(any);
}

LW_INLINE uint64_t bits_at(const struct tables *t, int n_places, int n_banks, int ascii, const uint8_t *p)
{
	return n_places == 0         ? pair_bits(t, p)
	       : n_places == LETTERS ? letter_bits(t, n_banks, p)
	                             : group_bits(t, n_places, n_banks, ascii, p);
}

LW_INLINE uint64_t word_at(const struct tables *t, int n_places, int n_banks, int ascii, const uint8_t *p)
{
	uint64_t word = 0;

#pragma GCC unroll 4
	for (int v = 0; v < 64 / VQ_LANES; v++)
		word |= bits_at(t, n_places, n_banks, ascii, p + v * VQ_LANES) << (v * VQ_LANES & 63);
	return word;
}

/* Words that are not 0, and which ones they are. */
struct words {
	uint64_t word[WORDS];
	uint8_t number[WORDS];
	size_t n;
};

LW_INLINE void add_word(struct words *words, uint64_t word, size_t number)
{
	words->word[words->n] = word;
	words->number[words->n] = (uint8_t)number;
	words->n += word != 0;
}

/*
 * The positions of n_words words, at most WORDS of them, to `raw`. With two banks some bits are set in most groups of
 * words, so whether there are any is no good branch.
 */
LW_INLINE size_t find_raw(const struct tables *t, int n_places, int n_banks, int ascii, const uint8_t *text,
                          size_t n_words, size_t first, uint16_t *raw)
{
	struct words words;
	size_t n = 0, i = 0;

	words.n = 0;
	for (; i + GROUP <= n_words; i += GROUP) {
		uint64_t word[GROUP], any = 0;

#pragma GCC unroll 4
		for (int k = 0; k < GROUP; k++) {
			__builtin_prefetch(text + (i + k) * 64 + 4096);
			word[k] = word_at(t, n_places, n_banks, ascii, text + (i + k) * 64);
			any |= word[k];
		}
		if (n_banks == 1 && LW_LIKELY(any == 0))
			continue;
#pragma GCC unroll 4
		for (int k = 0; k < GROUP; k++)
			add_word(&words, word[k], i + k);
	}
	for (; i < n_words; i++)
		add_word(&words, word_at(t, n_places, n_banks, ascii, text + i * 64), i);
	for (size_t k = 0; k < words.n; k++)
		n = lw_append_bits(words.word[k], first + words.number[k] * 64u, raw, n);
	return n;
}

/* Appends those of the raw positions that begin windows; text[0] is at position `first`, 4 bytes at each can be read. */
LW_INLINE size_t keep_windows(const struct lw_scan_filter *filter, const uint8_t *text, size_t first,
                              const uint16_t *raw, size_t n_raw, uint16_t *positions, size_t n_found)
{
	for (size_t i = 0; i < n_raw; i++) {
		uint32_t bytes;

		memcpy(&bytes, text + raw[i] - first, sizeof bytes);
		bytes &= filter->mask;

		const uint32_t *slot = filter->slot[bytes * filter->multiplier >> filter->slot_shift];

		positions[n_found] = raw[i];
		n_found += (slot[0] == bytes) | (slot[1] == bytes) | (slot[2] == bytes) | (slot[3] == bytes);
	}
	return n_found;
}

/* The text from `at` on, or from before, as copying 64 bytes takes no call; where that begins. */
LW_INLINE size_t copy_end(uint8_t padded[PADDED], const uint8_t *text, size_t n_bytes, size_t at)
{
	if (n_bytes >= 64 && n_bytes - 64 <= at) {
		memcpy(padded, text + n_bytes - 64, 64);
		return n_bytes - 64;
	}
	memcpy(padded, text + at, n_bytes - at < PADDED ? n_bytes - at : PADDED);
	return at;
}

LW_INLINE size_t find(const struct lw_scan_filter *filter, int n_places, int n_banks, int ascii, const uint8_t *text,
                      size_t n, uint16_t *positions)
{
	struct tables t;
	uint16_t raw[WORDS * 64 + 4];
	size_t n_found = 0, at = 0, n_bytes = n + filter->width - 1, n_raw, n_words;

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
	for (; n_bytes - at >= PADDED; at += n_words * 64) {
		n_words = (n_bytes - at - LW_SCAN_READABLE) / 64;
		n_words = n_words < WORDS ? n_words : WORDS;
		n_raw = find_raw(&t, n_places, n_banks, ascii, text + at, n_words, at, raw);
		n_found = keep_windows(filter, text, 0, raw, n_raw, positions, n_found);
	}
	for (size_t rest; at < n; at += rest) { /* the last are copied, so that reading on behind them is allowed */
		uint8_t padded[PADDED] = { 0 };
		size_t from = copy_end(padded, text, n_bytes, at);

		rest = n - at < 64 ? n - at : 64;
		n_raw = lw_append_bits(word_at(&t, n_places, n_banks, ascii, padded) >> (at - from) &
		                               UINT64_MAX >> (64 - rest),
		                       at, raw, 0);
		n_found = keep_windows(filter, padded, from, raw, n_raw, positions, n_found);
	}
	return n_found;
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

LW_INLINE size_t find_in_banks(const struct lw_scan_filter *filter, int ascii, const uint8_t *text, size_t n,
                               uint16_t *positions)
{
	if (filter->letters)
		return filter->n_banks == 2 ? find(filter, LETTERS, 2, 1, text, n, positions)
		                            : find(filter, LETTERS, 1, 1, text, n, positions);
	if (filter->n_banks == 2)
		return filter->n_places < 4 ? find(filter, 3, 2, ascii, text, n, positions)
		                            : find(filter, 4, 2, ascii, text, n, positions);
	switch (filter->n_places) {
	case 1:
		return find(filter, 1, 1, ascii, text, n, positions);
	case 2:
		return find(filter, 2, 1, ascii, text, n, positions);
	case 3:
		return find(filter, 3, 1, ascii, text, n, positions);
	default:
		return find(filter, 4, 1, ascii, text, n, positions);
	}
}

size_t LW_FN(scan_candidates)(const struct lw_scan_filter *filter, const uint8_t *text, size_t n, uint16_t *positions)
{
	if (filter->n_places == 0)
		return find(filter, 0, 1, 0, text, n, positions);
	return is_ascii(filter) ? find_in_banks(filter, 1, text, n, positions)
	                        : find_in_banks(filter, 0, text, n, positions);
}
