/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where matches of many long patterns may begin, from few places of the text.
 *
 * A gram is `width` bytes. A match of at least width + stride - 1 bytes has a gram at a multiple of `stride` within its
 * first stride + width - 1 bytes, wherever it begins; so all grams of the patterns that begin at their first `stride`
 * bytes are remembered, and the text is asked only at multiples of the stride. The idea of looking at a text in steps, by
 * blocks of bytes, is that of Wu and Manber ("A fast algorithm for multi-pattern searching", 1994).
 *
 * A bit of the gram's hash tells almost all places apart from those that count. For what passes, the patterns that have a
 * gram of this hash are compared with the text: their first eight bytes, and eight more.
 *
 * This is no kernel of the table: it is all loads and few of them, and vector code that gathers them was slower.
 */
#ifndef LW_SCAN_GRAMS_H
#define LW_SCAN_GRAMS_H

#include <lanewise/scan.h>

#include "common.h"

enum {
	LW_SCAN_GRAM_PATTERN_MIN = 8, /* bytes of the shortest pattern */
	LW_SCAN_GRAM_STRIDE_MAX = 16,
	LW_SCAN_GRAM_BUCKET_MAX = 16 /* entries; a bucket with more lets every place pass, so that none takes long */
};

/* What is compared of a pattern, letters in lower case where case is ignored. */
struct lw_scan_ends {
	uint64_t head, tail; /* its first eight bytes, and those from tail_at on */
	uint64_t tail_at;    /* at most 8 */
};

struct lw_scan_grams {
	uint32_t width, stride, n_patterns;
	int bucket_log;
	uint64_t word_mask;  /* one less than the number of words of bits, a power of two */
	uint64_t fold, mask; /* of eight bytes: bits set before anything is done with them; those of the gram */
	const struct lw_scan_ends *ends; /* by pattern */
	const uint64_t *bits;
	const uint32_t *bucket; /* entry[bucket[h] ... bucket[h + 1]) is the bucket of hash h, of bucket_log bits */
	const uint32_t *entry;  /* pattern * LW_SCAN_GRAM_STRIDE_MAX + where the gram is in it */
};

/* The bytes of a gram in eight bytes of text. */
LW_INLINE uint64_t lw_scan_gram_mask(uint32_t width) { return UINT64_MAX >> 8 * (8 - width); }

/* Whether grams are the way to look for such patterns; if so, the sizes of *grams are set. */
int lanewise_scan_plan_grams(uint32_t n_patterns, uint32_t min_length, int ignore_case, struct lw_scan_grams *grams);

/* Bytes of memory, aligned to 8, that the planned grams need. */
size_t lanewise_scan_grams_size(const struct lw_scan_grams *grams);

/* Makes them in such memory. */
void lanewise_scan_fill_grams(struct lw_scan_grams *grams, const lanewise_pattern *patterns, void *memory);

/*
 * The places i < n of the text, multiples of the stride, at which grams of matches may be, in order; how many. The text
 * has n + width - 1 bytes.
 */
size_t lanewise_scan_find_grams(const struct lw_scan_grams *grams, const uint8_t *text, size_t n, uint16_t *places);

#endif
