/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The automaton of a pattern set, and one step of it.
 *
 * All states lie in one array of 32-bit words, `table`, and a state is an index into it. Nearness to the root decides
 * the form: states of the first levels, which almost all steps lead to, as many as fit LW_SCAN_DENSE_BYTES, are rows
 * with the next state for every class of bytes, failure transitions resolved:
 *
 *     table[s - 2] reach   table[s - 1] output   table[s + c] next state for class c
 *
 * The others keep their own transitions and one to fail to:
 *
 *     table[s - 1] output, only if the state has one   table[s] state to fail to
 *     table[s + 1] number of transitions, class (if there is one), reach, in 8, 8 and 16 bits
 *     one:    table[s + 2] next state
 *     more:   their classes, four to a word, then the next states
 *
 * A state's reach is the size of the longest text that it stands for and that a pattern goes on from: its depth in the
 * trie or, of a leaf, the reach of the state that it fails to. No state fails to a leaf, as nothing can follow there.
 *
 * States with more than LW_SCAN_SPARSE_MAX transitions are rows wherever they are. Every row lies below `rows_end`, every
 * other state above. A transition to a state with output has LW_SCAN_OUTPUT set.
 *
 * The output of a state is the number of the longest pattern that ends there; next_output[] of it leads to equal
 * patterns, then to shorter ones. Each pattern ends in one state, so one array holds all these lists.
 */
#ifndef LW_SCAN_SET_H
#define LW_SCAN_SET_H

#include <lanewise/file.h>
#include <lanewise/scan.h>

#include "common.h"
#include "scan/scan_filter.h"
#include "scan/scan_grams.h"

#define LW_SCAN_OUTPUT UINT32_C(0x80000000)
#define LW_SCAN_NONE   UINT32_MAX
#define LW_SCAN_ROOT   UINT32_C(2)

enum {
	LW_SCAN_DENSE_BYTES = 4 << 20,      /* still faster than the other form in L3 */
	LW_SCAN_DENSE_GRAM_BYTES = 1 << 20, /* where patterns are many and long, so that little of the text is read */
	LW_SCAN_SPARSE_MAX = 64,
	LW_SCAN_SLOW_WORDS = 1 << 17,    /* of a table from which on the automaton often waits for it */
	LW_SCAN_SHORT_MAX = 8,           /* bytes of patterns that are compared so fast that many candidates pay */
	LW_SCAN_BLOCK = 4096,            /* bytes of text worked on at a time */
	LW_SCAN_RUN = 4 * LW_SCAN_BLOCK, /* places for the filter of a direct set, */
	LW_SCAN_ENOUGH = 256             /* unless it has found so many */
};

struct lanewise_scan_set {
	const uint32_t *table, *next_output, *length; /* the latter two by pattern */
	size_t n_words;                               /* of table */
	uint32_t rows_end;
	int all_rows; /* no state lies above rows_end */
	uint32_t n_classes, n_patterns, min_length, max_length;
	uint8_t class_of[256];

	/* How places where matches may begin are found, if either is there; else every byte is read. */
	const struct lw_scan_filter *filter; /* or NULL */
	struct lw_scan_grams grams;          /* of 0 patterns: none */
	struct lw_scan_cells cells;          /* made of the grams' bits where a set is made or opened, */
	int has_cells;                       /* if these are few */
	uint32_t max_offset;                 /* matches begin at most so many bytes before a place that is found, */
	uint32_t width;                      /* for which so many bytes from it on are looked at */

	lanewise_allocator allocator;
	int own_allocator;
	int direct;          /* hits come from grams (scan_direct.c) */
	lanewise_file *file; /* that all the above lies in, or NULL */
	size_t n_bytes;      /* of this and all it points to, without the file */
};

/* Where patterns end. */
struct lw_scan_hit {
	uint32_t end; /* from the beginning of the block */
	uint32_t output;
};

/* From state s, without LW_SCAN_OUTPUT, by one byte; the result may have it. */
LW_INLINE uint32_t lw_scan_step_class(const uint32_t *table, uint32_t rows_end, uint32_t s, uint32_t c)
{
	while (LW_UNLIKELY(s >= rows_end)) {
		const uint32_t *state = table + s;
		uint32_t n = state[1] & 0xff;

		if (n == 1) {
			if ((state[1] >> 8 & 0xff) == c)
				return state[2];
		} else if (n > 1) {
			const uint8_t *classes = (const uint8_t *)(state + 2);

			for (uint32_t i = 0; i < n; i++)
				if (classes[i] == c)
					return state[2 + (n + 3) / 4 + i];
		}
		s = state[0];
	}
	return table[s + c];
}

LW_INLINE uint32_t lw_scan_step(const struct lanewise_scan_set *set, uint32_t s, uint8_t byte)
{
	return lw_scan_step_class(set->table, set->rows_end, s, set->class_of[byte]);
}

/* Bytes from the beginning of the longest pattern that may go on from state s. */
LW_INLINE uint32_t lw_scan_reach(const struct lanewise_scan_set *set, uint32_t s)
{
	return s < set->rows_end ? set->table[s - 2] : set->table[s + 1] >> 16;
}

LW_INLINE uint32_t lw_scan_output(const struct lanewise_scan_set *set, uint32_t s) { return set->table[s - 1]; }

/* The byte as sets that ignore case see it. */
LW_INLINE uint8_t lw_scan_fold(uint8_t byte) { return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte; }

/*
 * Makes the filter for set->n_patterns patterns as the caller gave them, of which none is shorter than set->min_length,
 * and fills in set->max_offset. 0 if there is none for them; *passes is how many places of a text, of one, will pass.
 */
int lanewise_scan_build_filter(struct lanewise_scan_set *set, const lanewise_pattern *patterns, int ignore_case,
                               struct lw_scan_filter *filter, float *passes);

enum { LW_SCAN_COUNTS = 1 << 14 };

/*
 * The same for a set whose hits come from grams: where the windows lie in grams goes to grams->delta, where grams lie in
 * patterns to offsets. `counts` is LW_SCAN_COUNTS numbers of memory to work in.
 */
int lanewise_scan_build_gram_filter(struct lanewise_scan_set *set, const lanewise_pattern *patterns, int ignore_case,
                                    struct lw_scan_grams *grams, uint8_t *offsets, uint32_t *counts,
                                    struct lw_scan_filter *filter, float *passes);

/* The rarest grams of patterns for each residue of the stride; offsets[i * stride ...] are those of pattern i. */
void lanewise_scan_choose_grams(const struct lanewise_scan_set *set, const lanewise_pattern *patterns, int ignore_case,
                                const struct lw_scan_grams *grams, uint8_t *offsets);

/*
 * The same for grams at even places, chosen so that patterns share some: offsets[2 * i] is even, offsets[2 * i + 1] odd.
 * `counts` is LW_SCAN_COUNTS numbers of memory to work in. Returns how many places of a text, of one, will have one.
 */
float lanewise_scan_choose_evens(size_t n, const lanewise_pattern *patterns, int ignore_case, uint32_t *counts,
                                 uint8_t *offsets);

/*
 * The hits of a direct set that end in (begin, *end] and begin at 0 or later, by ends counted from `begin`, in order; how
 * many, at most LW_SCAN_BLOCK. SIZE_MAX if the automaton is the better way to find them. *end may become less. The text
 * has *end + 8 bytes or more; *end is at least the grams' width, and `places` has room for LW_SCAN_BLOCK + LW_SCAN_ENOUGH.
 */
size_t lanewise_scan_find_hits(const struct lanewise_scan_set *set, const uint8_t *text, size_t begin, size_t *end,
                               uint16_t *places, struct lw_scan_hit *hits);

/* Makes set->cells if grams are found at even places. */
void lanewise_scan_make_cells(struct lanewise_scan_set *set);

/* The piece under way, which lay in memory at `from`, lies the same way in memory at `to` now. */
void lanewise_scan_move_text(lanewise_scan *scan, const void *from, const void *to);

/* Restarts a scan whose next piece begins at this offset of the text; what is before it is not known. */
void lanewise_scan_restart_at(lanewise_scan *scan, uint64_t offset);

#endif
