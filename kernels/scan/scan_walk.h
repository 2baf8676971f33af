/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan_walk: a block of text read by a pattern set's automaton (scan_set.h), in many places at once, since one
 * automaton's steps wait for each other, and for the memory. The block is cut into segments. A segment's state comes from
 * reading the bytes before it, as many as a pattern can reach back. A step either finds the transition of the next byte
 * or fails to another state; which of both it does is no branch, so segments advance at their own pace.
 *
 * Transitions with output are marked one after another as steps meet them; lw_scan_sort_marks brings those of a segment
 * together.
 */
#ifndef LW_SCAN_WALK_H
#define LW_SCAN_WALK_H

#include "common.h"

enum {
	LW_SCAN_BLOCK = 4096,       /* bytes of text worked on at a time */
	LW_SCAN_WALK_BEHIND = 3,    /* classes, of any bytes, that the caller has behind the block */
	LW_SCAN_WALK_FAR_MAX = 128, /* with longer patterns segments would read too much twice */
	LW_SCAN_SEGMENT = 128,
	LW_SCAN_SEGMENTS = LW_SCAN_BLOCK / LW_SCAN_SEGMENT,
	LW_SCAN_MARKS = 256
};

/* Where patterns end. */
struct lw_scan_hit {
	uint32_t end; /* from the beginning of the block */
	uint32_t output;
};

struct lw_scan_walk {
	const uint32_t *table; /* scan_set.h */
	uint32_t state_bits, check_mask;
	uint32_t far;   /* bytes that a pattern may have before the last, at most LW_SCAN_WALK_FAR_MAX */
	uint32_t state; /* before the block, then behind it */
};

/* Marks of transitions with output, and the hits of each segment so far. */
struct lw_scan_marks {
	uint32_t place[LW_SCAN_MARKS + 16]; /* what vectors write besides */
	uint32_t slot[LW_SCAN_MARKS + 16];  /* less 1: the state and the class */
	uint32_t n_hits[LW_SCAN_SEGMENTS];
	size_t n;
};

/* Puts the marks to the hits of their segments, each of which has its own part of the array. */
LW_INLINE void lw_scan_sort_marks(struct lw_scan_marks *marks, struct lw_scan_hit *hits)
{
	for (size_t i = 0; i < marks->n; i++) {
		uint32_t place = marks->place[i], segment = place / LW_SCAN_SEGMENT;

		hits[segment * LW_SCAN_SEGMENT + marks->n_hits[segment]++] =
		        (struct lw_scan_hit) { place + 1, marks->slot[i] + 1 };
	}
	marks->n = 0;
}

/* The hits of all segments one behind another; how many. */
LW_INLINE size_t lw_scan_join_hits(const struct lw_scan_marks *marks, struct lw_scan_hit *hits)
{
	size_t n = 0;

	for (size_t k = 0; k < LW_SCAN_SEGMENTS; k++) {
		memmove(hits + n, hits + k * LW_SCAN_SEGMENT, marks->n_hits[k] * sizeof *hits);
		n += marks->n_hits[k];
	}
	return n;
}

#endif
