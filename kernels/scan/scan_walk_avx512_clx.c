/* SPDX-License-Identifier: Apache-2.0 */
/* scan_walk: sixteen segments to a vector, two vectors at a time, by gathers. */
#include <immintrin.h>

#include "scan/scan_walk.h"

enum { LANES = 16, VECTORS = 2, STEPS = 4 /* classes that one gather brings */ };

struct lanes {
	__m512i place, begin, end; /* the next byte; the segment's */
	__m512i state, classes;    /* the next classes, from the lowest byte on */
	__mmask16 active;
};

struct constants {
	const uint32_t *table;
	__m512i state_mask, no_output;
	__m128i shift;
};

static struct lanes begin_lanes(const struct lw_scan_walk *walk, uint32_t first)
{
	struct lanes l;
	__m512i number = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	__m512i far = _mm512_set1_epi32((int)walk->far);
	__mmask16 whole = first == 0; /* the segment whose state is known */

	l.begin = _mm512_add_epi32(_mm512_slli_epi32(number, 7), _mm512_set1_epi32((int)(first * LW_SCAN_SEGMENT)));
	l.end = _mm512_add_epi32(l.begin, _mm512_set1_epi32(LW_SCAN_SEGMENT));
	/* No more than there is: then they are in the state of the block's beginning, as the first is. */
	l.place = _mm512_mask_sub_epi32(l.begin, (__mmask16)~whole, l.begin, _mm512_min_epu32(l.begin, far));
	l.state = _mm512_maskz_set1_epi32(
	        _mm512_cmple_epu32_mask(l.begin, _mm512_maskz_mov_epi32((__mmask16)~whole, far)), (int)walk->state);
	l.classes = _mm512_setzero_si512();
	l.active = 0xffff;
	return l;
}

LW_INLINE void mark_outputs(struct lw_scan_marks *marks, __mmask16 any, __m512i place, __m512i slot)
{
	_mm512_storeu_si512(marks->place + marks->n, _mm512_maskz_compress_epi32(any, place));
	_mm512_storeu_si512(marks->slot + marks->n, _mm512_maskz_compress_epi32(any, slot));
	marks->n += (size_t)_mm_popcnt_u32(any);
}

LW_INLINE struct lanes step(struct constants c, struct lanes l, struct lw_scan_marks *marks)
{
	__m512i class = _mm512_and_si512(l.classes, _mm512_set1_epi32(255)), slot = _mm512_add_epi32(l.state, class);
	__m512i fail = _mm512_i32gather_epi32(l.state, c.table, 4), next = _mm512_i32gather_epi32(slot, c.table + 1, 4);

	next = _mm512_xor_si512(next, _mm512_sll_epi32(class, c.shift)); /* the check is 0 if this is the transition */

	__m512i state = _mm512_and_si512(next, c.no_output);
	__mmask16 found = _mm512_mask_cmple_epu32_mask(l.active, state, c.state_mask);
	__mmask16 any = _mm512_mask_cmplt_epi32_mask(found, next, _mm512_setzero_si512());

	if (any)
		mark_outputs(marks, _mm512_mask_cmpge_epi32_mask(any, l.place, l.begin), l.place, slot);
	l.state = _mm512_mask_mov_epi32(_mm512_mask_and_epi32(l.state, l.active, fail, c.state_mask), found, state);
	l.classes = _mm512_mask_srli_epi32(l.classes, found, l.classes, 8);
	l.place = _mm512_mask_add_epi32(l.place, found, l.place, _mm512_set1_epi32(1));
	l.active = _mm512_cmplt_epu32_mask(l.place, l.end);
	return l;
}

size_t LW_FN(scan_walk)(struct lw_scan_walk *walk, const uint8_t *classes, struct lw_scan_hit *hits)
{
	struct constants c = { walk->table, _mm512_set1_epi32((int)((UINT32_C(1) << walk->state_bits) - 1)),
		               _mm512_set1_epi32(INT32_MAX), _mm_cvtsi32_si128((int)walk->state_bits) };
	struct lw_scan_marks marks;
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
		if (marks.n > LW_SCAN_MARKS - VECTORS * STEPS * LANES)
			lw_scan_sort_marks(&marks, hits);
	}
	lw_scan_sort_marks(&marks, hits);
	walk->state = (uint32_t)_mm_extract_epi32(_mm512_extracti32x4_epi32(l[1].state, 3), 3);
	return lw_scan_join_hits(&marks, hits);
}
