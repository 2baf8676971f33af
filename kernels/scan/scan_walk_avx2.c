/* SPDX-License-Identifier: Apache-2.0 */
/* scan_walk: eight segments to a vector, two vectors at a time, by gathers. */
#include <immintrin.h>

#include "scan/scan_walk.h"

enum { LANES = 8, VECTORS = 2, STEPS = 4 /* classes that one gather brings */ };

struct lanes {
	__m256i place, begin, end; /* the next byte; the segment's */
	__m256i state, classes;    /* the next classes, from the lowest byte on */
};

struct constants {
	const uint32_t *table;
	__m256i state_mask, no_output;
	__m128i shift;
};

static struct lanes begin_lanes(const struct lw_scan_walk *walk, uint32_t first)
{
	__m256i number = _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32((int)first));
	__m256i far = _mm256_set1_epi32((int)walk->far), known;
	struct lanes l;

	l.begin = _mm256_mullo_epi32(number, _mm256_set1_epi32(LW_SCAN_SEGMENT));
	l.end = _mm256_add_epi32(l.begin, _mm256_set1_epi32(LW_SCAN_SEGMENT));
	/* Where the block begins so near before that there are no more bytes its state is the right one. */
	known = _mm256_cmpeq_epi32(_mm256_max_epu32(l.begin, far), far);
	l.place = _mm256_sub_epi32(l.begin, _mm256_min_epu32(l.begin, far));
	/* The first segment begins in that state. */
	l.state = _mm256_and_si256(_mm256_or_si256(known, _mm256_cmpeq_epi32(l.begin, _mm256_setzero_si256())),
	                           _mm256_set1_epi32((int)walk->state));
	l.classes = _mm256_setzero_si256();
	return l;
}

static LW_NOINLINE void mark_outputs(struct lw_scan_marks *marks, unsigned any, __m256i place, __m256i slot)
{
	uint32_t places[LANES], slots[LANES];

	_mm256_storeu_si256((__m256i *)(void *)places, place);
	_mm256_storeu_si256((__m256i *)(void *)slots, slot);
	for (; any; any &= any - 1) {
		unsigned i = (unsigned)__builtin_ctz(any);

		marks->place[marks->n] = places[i];
		marks->slot[marks->n++] = slots[i];
	}
}

LW_INLINE struct lanes step(struct constants c, struct lanes l, struct lw_scan_marks *marks)
{
	__m256i class = _mm256_and_si256(l.classes, _mm256_set1_epi32(255)), slot = _mm256_add_epi32(l.state, class);
	__m256i fail = _mm256_i32gather_epi32((const int *)c.table, l.state, 4);
	__m256i next = _mm256_i32gather_epi32((const int *)c.table + 1, slot, 4);

	next = _mm256_xor_si256(next, _mm256_sll_epi32(class, c.shift)); /* the check is 0 if this is the transition */

	__m256i state = _mm256_and_si256(next, c.no_output), active = _mm256_cmpgt_epi32(l.end, l.place);
	__m256i found = _mm256_andnot_si256(_mm256_cmpgt_epi32(state, c.state_mask), active);
	__m256i output = _mm256_and_si256(_mm256_and_si256(found, next),
	                                  _mm256_cmpgt_epi32(l.place, _mm256_sub_epi32(l.begin, _mm256_set1_epi32(1))));
	unsigned any = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(output));

	if (LW_UNLIKELY(any))
		mark_outputs(marks, any, l.place, slot);
	fail = _mm256_blendv_epi8(l.state, _mm256_and_si256(fail, c.state_mask), active);
	l.state = _mm256_blendv_epi8(fail, state, found);
	l.classes = _mm256_srlv_epi32(l.classes, _mm256_and_si256(found, _mm256_set1_epi32(8)));
	l.place = _mm256_sub_epi32(l.place, found);
	return l;
}

static int is_active(struct lanes l)
{
	return !_mm256_testz_si256(_mm256_cmpgt_epi32(l.end, l.place), _mm256_set1_epi32(-1));
}

/* The segments from `first` on, as many as there are lanes; the last one's state. */
static uint32_t walk_part(const struct lw_scan_walk *walk, const uint8_t *classes, uint32_t first,
                          struct lw_scan_marks *marks, struct lw_scan_hit *hits)
{
	struct constants c = { walk->table, _mm256_set1_epi32((int)((UINT32_C(1) << walk->state_bits) - 1)),
		               _mm256_set1_epi32(INT32_MAX), _mm_cvtsi32_si128((int)walk->state_bits) };
	struct lanes l[VECTORS] = { begin_lanes(walk, first), begin_lanes(walk, first + LANES) };

	while (is_active(l[0]) || is_active(l[1])) {
		for (int v = 0; v < VECTORS; v++)
			l[v].classes =
			        _mm256_mask_i32gather_epi32(l[v].classes, (const int *)(const void *)classes,
			                                    l[v].place, _mm256_cmpgt_epi32(l[v].end, l[v].place), 1);
#pragma GCC unroll 4
		for (int i = 0; i < STEPS; i++) {
			l[0] = step(c, l[0], marks);
			l[1] = step(c, l[1], marks);
		}
		if (marks->n > LW_SCAN_MARKS - VECTORS * STEPS * LANES)
			lw_scan_sort_marks(marks, hits);
	}
	return (uint32_t)_mm256_extract_epi32(l[VECTORS - 1].state, LANES - 1);
}

size_t LW_FN(scan_walk)(struct lw_scan_walk *walk, const uint8_t *classes, struct lw_scan_hit *hits)
{
	struct lw_scan_marks marks;
	uint32_t state = 0;

	memset(marks.n_hits, 0, sizeof marks.n_hits);
	marks.n = 0;
	for (uint32_t first = 0; first < LW_SCAN_SEGMENTS; first += VECTORS * LANES)
		state = walk_part(walk, classes, first, &marks, hits);
	lw_scan_sort_marks(&marks, hits);
	walk->state = state;
	return lw_scan_join_hits(&marks, hits);
}
