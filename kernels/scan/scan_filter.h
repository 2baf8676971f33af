/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel scan_candidates looks for: places whose first `width` bytes are one of a few windows. A window is a
 * part of a pattern, the rarest; so every match has a window in it, at most max_offset bytes behind its beginning.
 *
 * Which places are candidates is defined by the windows alone; the tables only make finding them fast. There are two
 * kinds of them, since what a CPU looks bytes up by differs: by halves in sixteen bytes, or by six bits in 64. A set may
 * be saved on one CPU and used on another, so every filter has both.
 */
#ifndef LW_SCAN_FILTER_H
#define LW_SCAN_FILTER_H

#include <stddef.h>
#include <stdint.h>

enum {
	LW_SCAN_WIDTH = 4,      /* the widest window, in bytes */
	LW_SCAN_BANKS = 2,      /* of eight groups of windows each */
	LW_SCAN_WINDOWS = 512,  /* the most windows; all spellings of letters count where case is ignored */
	LW_SCAN_SLOT_BITS = 10, /* most hash slots, and windows in each */
	LW_SCAN_SLOT_DEPTH = 4,
	LW_SCAN_MAX_OFFSET = 32, /* of a window in its pattern */
	LW_SCAN_CLASSES = 64,    /* of bytes: those with the same lower six bits */
	LW_SCAN_PART = 4096,     /* positions of a text looked at together */
	LW_SCAN_STRIDE = 256     /* or passed over together, where nothing is */
};

/*
 * The groups of windows of which some window has a byte of class c at place[j] are groups[k][j][c] in bank k. Groups are
 * others here than by halves. A position where the AND over all j < n_places is 0 in all banks begins no window.
 */
struct lw_scan_classes {
	uint8_t groups[LW_SCAN_BANKS][LW_SCAN_WIDTH][LW_SCAN_CLASSES];
	uint32_t n_banks, n_places, place[LW_SCAN_WIDTH];
};

struct lw_scan_filter {
	/*
	 * In bank k, low[k][j][b & 15] & high[k][j][b >> 4] has the bits of the groups of windows of which some window has
	 * byte b at place[j]. A position where the AND over all j < n_places is 0 in all banks begins no window.
	 */
	_Alignas(16) uint8_t low[LW_SCAN_BANKS][LW_SCAN_WIDTH][16];
	_Alignas(16) uint8_t high[LW_SCAN_BANKS][LW_SCAN_WIDTH][16];
	uint32_t n_banks;
	uint32_t n_places, place[LW_SCAN_WIDTH]; /* those that tell most; each below width */
	/*
	 * Of letters, bit 4 of a byte and the lower half are all that tells. If all windows are four letters, one table
	 * for the bits 4 of four bytes, the first being the lowest, does for those of upper halves: high[k][0]. Places
	 * are 0 to 3 then, and `letters` is 0x60, or 0x40 where case is ignored: a position does not pass with a byte b
	 * of which (uint8_t)(b - letters) is 128 or more. Otherwise it is 0.
	 */
	uint32_t letters;
	/* The only window's bytes at place[0] and place[1]; n_places is 0 then, and the tables are not used. */
	uint8_t byte[2];
	uint32_t width; /* 1 ... LW_SCAN_WIDTH */
	uint32_t mask;  /* of `width` bytes, the first being the lowest */
	uint32_t multiplier;
	uint32_t slot_shift;            /* of hashes of 32 bits, so that what is left is a slot */
	struct lw_scan_classes classes; /* not used if n_places is 0 */
	/* As many as hashes may be, and no more memory than these take: lw_scan_filter_size. Unused ones repeat some window. */
	_Alignas(16) uint32_t slot[1 << LW_SCAN_SLOT_BITS][LW_SCAN_SLOT_DEPTH];
};

static inline uint32_t lw_scan_n_slots(const struct lw_scan_filter *filter)
{
	return (UINT32_MAX >> filter->slot_shift) + 1;
}

static inline size_t lw_scan_filter_size(const struct lw_scan_filter *filter)
{
	return offsetof(struct lw_scan_filter, slot) + lw_scan_n_slots(filter) * sizeof filter->slot[0];
}

/* How much of all bytes of prose and code a byte is, and bytes that follow each other; those without case are folded. */
float lanewise_scan_frequency(uint8_t byte);
float lanewise_scan_frequency_of(const uint8_t *bytes, size_t n, int ignore_case);

/* Bit 4 of each byte of a window. */
static inline uint32_t lw_scan_fifth_bits(uint32_t window) { return (window >> 4 & 0x01010101) * 0x10204080 >> 28; }

#endif
