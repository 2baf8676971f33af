/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference of scan_walk, which is what most tiers run, too; so it is fast rather than plain, and check compares it with
 * single steps. It reads about as many segments side by side as keep their states in registers.
 *
 * Every step leaves its word, without the class, in `trace` at the byte's place, where what the byte finally led to stays.
 * While all segments have `n` bytes or more left, none can end within n steps; so ends are looked for only after n steps.
 */
#include "scan/scan_walk.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { LANES = 5 };

struct lanes {
	size_t place[LANES], state[LANES], end[LANES];
	size_t step[LANES]; /* 1, or 0 at the end */
};

struct constants {
	const uint32_t *table;
	uint32_t class_one; /* of class 1, in a word */
	uint32_t state_mask;
	uint64_t last; /* the highest word that is a transition, its class taken away */
};

static struct constants constants_of(const struct lw_scan_walk *walk)
{
	uint32_t output = UINT32_C(1) << walk->state_bits;

	return (struct constants) { walk->table, 2 * output, output - 1, 2 * output - 1 };
}

/* `n` steps of all lanes, none of which is at its end if `all` says so. */
LW_INLINE struct lanes step_lanes(struct constants c, const uint8_t *classes, uint32_t *trace, struct lanes l, size_t n,
                                  int all)
{
	for (; n > 0; n--)
#pragma GCC unroll 8
		for (int k = 0; k < LANES; k++) {
			uint32_t class = classes[l.place[k]];
			uint64_t fail = c.table[l.state[k]];
			uint64_t next = c.table[l.state[k] + 1 + class] ^ class * c.class_one;
			/* All bits, where next is no transition for the class. */
			uint64_t miss = 0 - ((c.last - next) >> 63);

			trace[l.place[k]] = (uint32_t)next;
			l.state[k] = (next ^ ((next ^ fail) & miss)) & c.state_mask;
			l.place[k] += all ? 1 + miss : l.step[k] & ~miss;
		}
	return l;
}

/* The transition by this class from the state or what it fails to. */
static uint32_t find_slot(struct constants c, uint32_t state, uint32_t class)
{
	while ((c.table[state + 1 + class] ^ class * c.class_one) > c.last)
		state = c.table[state] & c.state_mask;
	return state + 1 + class;
}

/* Which of 16 words have the output's bit. */
LW_INLINE uint32_t outputs_of(const uint32_t *words, uint32_t output)
{
	uint32_t bits = 0;

#if defined(__SSE2__)
	__m128i part[4];

	for (int i = 0; i < 4; i++)
		part[i] = _mm_cmpeq_epi32(_mm_and_si128(_mm_loadu_si128((const __m128i *)(const void *)(words + 4 * i)),
		                                        _mm_set1_epi32((int)output)),
		                          _mm_setzero_si128());
	bits = (uint32_t)_mm_movemask_epi8(
	               _mm_packs_epi16(_mm_packs_epi32(part[0], part[1]), _mm_packs_epi32(part[2], part[3]))) ^
	       0xffff;
#else
	for (int i = 0; i < 16; i++)
		bits |= (uint32_t)((words[i] & output) != 0) << i;
#endif
	return bits;
}

/* The hits of the block, by its trace, which begins with the word before it. */
static size_t list_hits(struct constants c, const uint8_t *classes, const uint32_t *trace, struct lw_scan_hit *hits)
{
	size_t n = 0;

	for (uint32_t i = 0; i < LW_SCAN_BLOCK; i += 16)
		for (uint32_t bits = outputs_of(trace + 1 + i, c.state_mask + 1); bits; bits &= bits - 1) {
			uint32_t place = i + (uint32_t)__builtin_ctz(bits);
			uint32_t slot = find_slot(c, trace[place] & c.state_mask, classes[place]);

			hits[n] = (struct lw_scan_hit) { place + 1, slot };
			n += (c.table[slot] & (c.state_mask + 1)) != 0; /* as it has, unless a file lied */
		}
	return n;
}

size_t LW_FN(scan_walk)(struct lw_scan_walk *walk, const uint8_t *classes, struct lw_scan_hit *hits)
{
	struct constants c = constants_of(walk);
	/* With the word before the block, and one for lanes that are at their end. */
	uint32_t trace[1 + LW_SCAN_BLOCK + 1];
	struct lanes l;
	size_t n_ended = 0;

	trace[0] = walk->state;
	for (size_t k = 0; k < LANES; k++) {
		size_t begin = k * LW_SCAN_BLOCK / LANES;

		l.place[k] = k ? begin - walk->far : 0;
		l.state[k] = k ? LW_SCAN_ROOT : walk->state;
		l.end[k] = (k + 1) * LW_SCAN_BLOCK / LANES;
		l.step[k] = 1;
	}
	while (n_ended < LANES) {
		size_t n = LW_SCAN_BLOCK;

		for (size_t k = 0; k < LANES; k++)
			n = l.step[k] && l.end[k] - l.place[k] < n ? l.end[k] - l.place[k] : n;
		l = n_ended == 0 ? step_lanes(c, classes, trace + 1, l, n, 1)
		                 : step_lanes(c, classes, trace + 1, l, n, 0);
		for (size_t k = 0; k < LANES; k++)
			if (l.step[k] && l.place[k] == l.end[k]) {
				if (k == LANES - 1)
					walk->state = (uint32_t)l.state[k];
				l.step[k] = 0;
				l.place[k] = LW_SCAN_BLOCK;
				n_ended++;
			}
	}
	return list_hits(c, classes, trace, hits);
}
