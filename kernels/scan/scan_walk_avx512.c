/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan_walk: sixteen segments to a vector, two vectors at a time, by gathers. Transitions with output are marked one after
 * another as steps meet them, and now and then the marks are put to the hits of their segments.
 */
#include <immintrin.h>

#include "scan/scan_walk.h"

enum {
	LANES = 16,
	VECTORS = 2,
	STEPS = 4, /* classes that one gather brings */
	SEGMENTS = VECTORS * LANES,
	SEGMENT_LOG = 7,
	SEGMENT = 1 << SEGMENT_LOG,
	MARKS = 256
};
_Static_assert(SEGMENT *SEGMENTS == LW_SCAN_BLOCK, "segments are the block");
_Static_assert(STEPS - 1 <= LW_SCAN_WALK_BEHIND, "a gather reads no farther");

/* Marks of transitions with output, and the hits of each segment so far. */
struct marks {
	uint32_t place[MARKS + 16]; /* what vectors write besides */
	uint32_t slot[MARKS + 16];  /* less 1: the state and the class */
	uint32_t n_hits[SEGMENTS];
	size_t n;
};

/* Puts the marks to the hits of their segments, each of which has its own part of the array. */
static void sort_marks(struct marks *marks, struct lw_scan_hit *hits)
{
	for (size_t i = 0; i < marks->n; i++) {
		uint32_t place = marks->place[i], segment = place / SEGMENT;

		hits[segment * SEGMENT + marks->n_hits[segment]++] =
		        (struct lw_scan_hit) { place + 1, marks->slot[i] + 1 };
	}
	marks->n = 0;
}

/* The hits of all segments one behind another; how many. */
static size_t join_hits(const struct marks *marks, struct lw_scan_hit *hits)
{
	size_t n = 0;

	for (size_t k = 0; k < SEGMENTS; k++) {
		memmove(hits + n, hits + k * SEGMENT, marks->n_hits[k] * sizeof *hits);
		n += marks->n_hits[k];
	}
	return n;
}

struct lanes {
	__m512i place, begin, end; /* the next byte; the segment's */
	__m512i state, classes;    /* the next classes, from the lowest byte on */
	__mmask16 active;
};

struct constants {
	__m512i state_mask, output, last; /* the highest word that is a transition, its class taken away */
	__m128i class_shift;
	const uint32_t *table;
};

static struct lanes begin_lanes(const struct lw_scan_walk *walk, uint32_t first)
{
	struct lanes l;
	__m512i number = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	__m512i far = _mm512_set1_epi32((int)walk->far);
	__mmask16 whole = first == 0; /* the segment whose state is known */

	l.begin = _mm512_add_epi32(_mm512_slli_epi32(number, SEGMENT_LOG), _mm512_set1_epi32((int)(first * SEGMENT)));
	l.end = _mm512_add_epi32(l.begin, _mm512_set1_epi32(SEGMENT));
	/* No more than there is: then they are in the state of the block's beginning, as the first is. */
	l.place = _mm512_mask_sub_epi32(l.begin, (__mmask16)~whole, l.begin, _mm512_min_epu32(l.begin, far));
	l.state = _mm512_mask_set1_epi32(
	        _mm512_set1_epi32(LW_SCAN_ROOT),
	        _mm512_cmple_epu32_mask(l.begin, _mm512_maskz_mov_epi32((__mmask16)~whole, far)), (int)walk->state);
	l.classes = _mm512_setzero_si512();
	l.active = 0xffff;
	return l;
}

LW_INLINE void mark_outputs(struct marks *marks, __mmask16 any, __m512i place, __m512i slot)
{
	_mm512_storeu_si512(marks->place + marks->n, _mm512_maskz_compress_epi32(any, place));
	_mm512_storeu_si512(marks->slot + marks->n, _mm512_maskz_compress_epi32(any, slot));
	marks->n += (size_t)_mm_popcnt_u32(any);
}

LW_INLINE struct lanes step(struct constants c, struct lanes l, struct marks *marks)
{
	__m512i class = _mm512_and_si512(l.classes, _mm512_set1_epi32(255)), slot = _mm512_add_epi32(l.state, class);
	__m512i fail = _mm512_i32gather_epi32(l.state, c.table, 4), next = _mm512_i32gather_epi32(slot, c.table + 1, 4);

	/* Takes the class away if it is this one. */
	next = _mm512_xor_si512(next, _mm512_sll_epi32(class, c.class_shift));

	__mmask16 found = _mm512_mask_cmple_epu32_mask(l.active, next, c.last);
	__mmask16 any = _mm512_mask_test_epi32_mask(found, next, c.output);

	if (any)
		mark_outputs(marks, _mm512_mask_cmpge_epi32_mask(any, l.place, l.begin), l.place, slot);
	l.state = _mm512_mask_and_epi32(l.state, l.active, _mm512_mask_mov_epi32(fail, found, next), c.state_mask);
	l.classes = _mm512_mask_srli_epi32(l.classes, found, l.classes, 8);
	l.place = _mm512_mask_add_epi32(l.place, found, l.place, _mm512_set1_epi32(1));
	l.active = _mm512_cmplt_epu32_mask(l.place, l.end);
	return l;
}

size_t LW_FN(scan_walk)(struct lw_scan_walk *walk, const uint8_t *classes, struct lw_scan_hit *hits)
{
	uint32_t output = UINT32_C(1) << walk->state_bits;
	struct constants c = { _mm512_set1_epi32((int)(output - 1)), _mm512_set1_epi32((int)output),
		               _mm512_set1_epi32((int)(2 * output - 1)), _mm_cvtsi32_si128((int)walk->state_bits + 1),
		               walk->table };
	struct marks marks;
	struct lanes l[VECTORS] = { begin_lanes(walk, 0), begin_lanes(walk, LANES) };

	memset(marks.n_hits, 0, sizeof marks.n_hits);
	marks.n = 0;
	while (l[0].active | l[1].active) {
		for (int v = 0; v < VECTORS; v++)
			l[v].classes = _mm512_mask_i32gather_epi32(l[v].classes, l[v].active, l[v].place, classes, 1);
#pragma GCC unroll 4
		for (int i = 0; i < STEPS; i++) {
			l[0] = step(c, l[0], &marks);
			l[1] = step(c, l[1], &marks);
		}
		if (marks.n > MARKS - VECTORS * STEPS * LANES)
			sort_marks(&marks, hits);
	}
	sort_marks(&marks, hits);
	walk->state = (uint32_t)_mm_extract_epi32(_mm512_extracti32x4_epi32(l[1].state, 3), 3);
	return join_hits(&marks, hits);
}
