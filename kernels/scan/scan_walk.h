/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan_walk: a block of text read by a pattern set's compact automaton (scan_set.h), in many places at once, since one
 * automaton's steps wait for each other, and for the memory. The block is cut into segments. A segment's state comes from
 * reading the bytes before it, as many as a pattern can reach back. A step either finds the transition of the next byte
 * or fails to another state; which of both it does is no branch, so segments advance at their own pace.
 */
#ifndef LW_SCAN_WALK_H
#define LW_SCAN_WALK_H

#include "common.h"

/* The first state, of both forms: rows have two words before it. */
#define LW_SCAN_ROOT UINT32_C(2)

enum {
	LW_SCAN_BLOCK = 4096,      /* bytes of text worked on at a time */
	LW_SCAN_WALK_BEHIND = 3,   /* classes, of any bytes, that the caller has behind the block */
	LW_SCAN_WALK_FAR_MAX = 127 /* with longer patterns segments would read too much twice */
};

/* Where patterns end. */
struct lw_scan_hit {
	uint32_t end;    /* from the beginning of the block */
	uint32_t output; /* its pattern; from scan_walk the number of the transition */
};

struct lw_scan_walk {
	const uint32_t *table; /* scan_set.h */
	uint32_t state_bits;
	uint32_t far;   /* bytes that a pattern may have before the last, at most LW_SCAN_WALK_FAR_MAX */
	uint32_t state; /* before the block, then behind it */
};

#endif
