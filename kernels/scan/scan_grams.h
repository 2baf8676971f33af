/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grams: parts of patterns by which their places in a text are found. A gram is `width` bytes; three ways lead to places
 * that may hold one.
 *
 * By stride, for many patterns. Wherever a match begins, each residue of the stride has a place in it; of each pattern
 * one gram is remembered for every residue, so that the text is asked only at multiples of the stride. The idea of
 * looking at a text in steps, by blocks of bytes, is that of Wu and Manber ("A fast algorithm for multi-pattern
 * searching", 1994). A bit of the gram's hash tells almost all places apart from those that count. This is no kernel of
 * the table: it is all loads and few of them, and vector code that gathers them was slower.
 *
 * By even places (scan_evens.h), for many patterns too short for that: grams of four bytes and a stride of 2. The bits
 * are those of the kernel scan_evens, which also looks at the bytes beside grams.
 *
 * By the filter (scan_filter.h), whose windows lie `delta` bytes behind the beginning of grams, of which each pattern has
 * one. Its stride is 1.
 *
 * For a place that is found, the patterns that have a gram of this hash are compared with the text: their first eight
 * bytes, and eight more. Patterns of at most LW_SCAN_DIRECT_MAX bytes are then known to match or not (scan_direct.c); for
 * sets with longer ones the automaton reads on from before the place, and of each pattern the first grams are taken.
 */
#ifndef LW_SCAN_GRAMS_H
#define LW_SCAN_GRAMS_H

#include <lanewise/scan.h>

#include "common.h"
#include "scan/scan_evens.h"

#define LW_SCAN_GRAM_FACTOR UINT64_C(0x9e3779b97f4a7c15) /* of hashes */

enum {
	LW_SCAN_GRAM_BYTES = 8, /* of the widest gram, and of what is read at a place */
	LW_SCAN_GRAM_PATTERNS_MIN = 64,
	LW_SCAN_GRAM_PATTERN_MIN = 8, /* bytes of the shortest pattern, where the automaton reads on */
	LW_SCAN_GRAM_STRIDE_MAX = 16,
	LW_SCAN_GRAM_BUCKET_MAX = 16, /* entries; a bucket with more lets every place pass, so that none takes long */
	LW_SCAN_GRAM_OFFSET_LOG = 8,
	LW_SCAN_DIRECT_MAX = 1 << LW_SCAN_GRAM_OFFSET_LOG /* bytes of a pattern */
};

/* What is compared of a pattern, letters in lower case where case is ignored. */
struct lw_scan_ends {
	uint64_t head, tail; /* its first eight bytes, and those from tail_at on */
	uint64_t mask;       /* of these bytes, where the pattern has fewer than eight */
	uint32_t tail_at;    /* at most 8, and what the pattern's length leaves */
	uint32_t length;     /* of the pattern */
};

#define LW_SCAN_GRAM_FOLD UINT64_C(0x2020202020202020)

struct lw_scan_grams {
	uint32_t width, stride, n_patterns, delta;
	int bucket_log;
	uint64_t word_mask;  /* one less than the number of words of bits, a power of two */
	uint64_t fold, mask; /* of eight bytes: bits set before anything is done with them; those of the gram */
	const struct lw_scan_ends *ends; /* by pattern */
	const uint64_t *bits;
	const struct lw_scan_near *near; /* as many as buckets, for grams at even places; else NULL */
	int by_evens;
	const uint32_t *bucket; /* entry[bucket[h] ... bucket[h + 1]) is the bucket of hash h, of bucket_log bits */
	const uint32_t *entry;  /* pattern << LW_SCAN_GRAM_OFFSET_LOG | where the gram is in it */
};

/* The bytes of a gram in eight bytes of text. */
LW_INLINE uint64_t lw_scan_gram_mask(uint32_t width) { return UINT64_MAX >> 8 * (8 - width); }

LW_INLINE uint64_t lw_scan_gram_load(const struct lw_scan_grams *grams, const uint8_t *bytes)
{
	return lw_load_little_endian_64(bytes) | grams->fold;
}

LW_INLINE uint64_t lw_scan_gram_hash(const struct lw_scan_grams *grams, const uint8_t *bytes)
{
	return (lw_scan_gram_load(grams, bytes) & grams->mask) * LW_SCAN_GRAM_FACTOR;
}

/*
 * Shifts by constants: those by a register are slow without BMI2. Bits below 48 would not depend on a gram's last bytes;
 * a few of them do no harm.
 */
LW_INLINE uint64_t lw_scan_gram_bit(uint64_t hash) { return hash >> 58; }
LW_INLINE uint64_t lw_scan_gram_word(const struct lw_scan_grams *grams, uint64_t hash)
{
	return hash >> 42 & grams->word_mask;
}

/* What the kernel scan_evens wants, but for the cells, which are the set's. */
LW_INLINE struct lw_scan_evens lw_scan_evens_of(const struct lw_scan_grams *grams)
{
	return (struct lw_scan_evens) { (const uint8_t *)grams->bits, grams->near, NULL,
		                        (uint32_t)(32 - grams->bucket_log), (uint32_t)grams->fold };
}

/*
 * Whether grams by stride are the way to look for such patterns; if so, the sizes of *grams are set. Without it those of
 * grams for a filter or, if no pattern has fewer than five bytes, at even places can be set.
 */
int lanewise_scan_plan_grams(uint32_t n_patterns, uint32_t min_length, int ignore_case, struct lw_scan_grams *grams);
void lanewise_scan_plan_filter_grams(uint32_t n_patterns, uint32_t min_length, int ignore_case,
                                     struct lw_scan_grams *grams);

void lanewise_scan_plan_evens(uint32_t n_patterns, int ignore_case, struct lw_scan_grams *grams);

/* Bytes of memory, aligned to 8, that the planned grams need. */
size_t lanewise_scan_grams_size(const struct lw_scan_grams *grams);

/* Makes them in such memory; offsets[i * stride ...] are those of pattern i. */
void lanewise_scan_fill_grams(struct lw_scan_grams *grams, const lanewise_pattern *patterns, const uint8_t *offsets,
                              void *memory);

/*
 * The places i < n of the text, multiples of the stride, at which grams of matches may be, in order; how many. The text
 * has n + width - 1 bytes.
 */
size_t lanewise_scan_find_grams(const struct lw_scan_grams *grams, const uint8_t *text, size_t n, uint16_t *places);

/* Such places by the bits alone; the text has n + LW_SCAN_GRAM_BYTES - 1 bytes. */
size_t lanewise_scan_find_bits(const struct lw_scan_grams *grams, const uint8_t *text, size_t n, uint16_t *places);

/* Those of n places whose bits are set, in the same array; how many. */
size_t lanewise_scan_keep_bits(const struct lw_scan_grams *grams, const uint8_t *text, uint16_t *places, size_t n);

#endif
