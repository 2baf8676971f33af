/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The automaton of a pattern set, and one step of it. All states lie in one array of words, and a state is an index into
 * it. There are two forms.
 *
 * Small automata are rows of 32-bit words, with the next state for every class of bytes, failure transitions resolved:
 *
 *     rows[s - 2] reach   rows[s - 1] output   rows[s + c] next state for class c, and LW_SCAN_OUTPUT if it has output
 *
 * Large ones are compact. The transition for class c of bytes is in word s + 1 + c, if that word's check says so; else
 * some other state's is there, or nothing, and the state is left for the one it fails to, which its first word names. So
 * states lie in each other's gaps (Aoe, "An efficient digital search algorithm by using a double-array structure", 1989).
 * From the highest bit on a word is
 *
 *     transition:  zeros;              the class;                         1 if patterns end here;  the next state
 *     first word:  the state's reach;  in these bits only ones, no class; 0;                       the state to fail to
 *
 * with a state in state_bits and a class in as many as it takes. Words are 32 bits wide, or 64 if that does not do. Nearly
 * all steps lead to states near the root. Those of the first levels, as many as take little of the table, are complete,
 * failure transitions resolved: the root, and then from it on. Deeper ones have their own transitions only. Leaves are no
 * states, as nothing can follow there: transitions to them lead to the state that they fail to. So the output belongs to
 * the transition: output[] has it, by transitions with output in their order.
 *
 * A state's reach is the size of the longest text that it stands for and that a pattern goes on from: its depth in the
 * trie or, of a row that is a leaf, the reach of the state that it fails to. What does not fit a compact state's bits is
 * in far[], and the bits are ones.
 *
 * An output is the number of the longest pattern that ends there; next_output[] of it leads to equal patterns, then to
 * shorter ones. Each pattern ends in one place, so one array holds all these lists.
 */
#ifndef LW_SCAN_SET_H
#define LW_SCAN_SET_H

#include <lanewise/file.h>
#include <lanewise/scan.h>

#include "common.h"
#include "scan/scan_filter.h"
#include "scan/scan_grams.h"
#include "scan/scan_walk.h"

#define LW_SCAN_OUTPUT UINT32_C(0x80000000)
#define LW_SCAN_NONE   UINT32_MAX

enum {
	/* The most that rows may take, which are read faster than the compact form; and where that is read by gathers. */
	LW_SCAN_ROWS_BYTES = 4 << 20,
	LW_SCAN_ROWS_BYTES_IF_GATHERS = 1 << 20,
	LW_SCAN_WIDE_STATE_BITS = 32, /* of words of 64 bits */
	LW_SCAN_WIDE_CHECK_MASK = 0xffff,
	LW_SCAN_SLOW_WORDS = 1 << 17,    /* of rows from which on the automaton often waits for them */
	LW_SCAN_SHORT_MAX = 8,           /* bytes of patterns that are compared so fast that many candidates pay */
	LW_SCAN_RUN = 8 * LW_SCAN_BLOCK, /* places for the filter of a direct set, */
	LW_SCAN_ENOUGH = 256             /* unless it has found so many */
};

/* A compact automaton. */
struct lw_scan_table {
	const uint32_t *narrow; /* one of these, the other is NULL */
	const uint64_t *wide;
	uint32_t state_bits, check_mask, reach_shift;
};

/* Of 32 words of the table, which are transitions with output, and how many were before. */
struct lw_scan_rank {
	uint32_t bits, before;
};

struct lanewise_scan_set {
	const uint32_t *rows; /* or NULL: compact */
	struct lw_scan_table table;
	const struct lw_scan_rank *rank;      /* n_words / 32 + 1 */
	const uint64_t *far;                  /* state << 32 | reach, ascending */
	const uint32_t *output;               /* by rank */
	const uint32_t *next_output, *length; /* by pattern */
	size_t n_words;                       /* of rows or the table */
	size_t n_far, n_outputs;
	int walks; /* scan_walk can read it: it is compact, words are narrow and patterns not too long */
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

/* What a step leads to. */
struct lw_scan_to {
	uint32_t state;
	uint32_t slot; /* where the output is to be found, or LW_SCAN_NONE */
};

/* Whether the automaton is read in many places at once, as a rule, so that filters have to be good to be better. */
LW_INLINE int lw_scan_reads_fast(const struct lanewise_scan_set *set) { return set->rows || set->walks; }

/* Whether it is rows so few that it hardly waits for them. */
LW_INLINE int lw_scan_rows_are_near(int has_rows, size_t n_words) { return has_rows && n_words < LW_SCAN_SLOW_WORDS; }

LW_INLINE uint64_t lw_scan_word(const struct lw_scan_table *table, size_t i)
{
	return LW_LIKELY(table->narrow != NULL) ? table->narrow[i] : table->wide[i];
}

LW_INLINE uint32_t lw_scan_check(const struct lw_scan_table *table, uint64_t word)
{
	return (uint32_t)(word >> table->state_bits >> 1) & table->check_mask;
}

LW_INLINE uint32_t lw_scan_target(const struct lw_scan_table *table, uint64_t word)
{
	return (uint32_t)(word & ((UINT64_C(1) << table->state_bits) - 1));
}

LW_INLINE int lw_scan_has_output(const struct lw_scan_table *table, uint64_t word)
{
	return (int)(word >> table->state_bits & 1);
}

/* From state s by a byte of class c. */
LW_INLINE struct lw_scan_to lw_scan_step_row(const uint32_t *rows, uint32_t s, uint32_t c)
{
	uint32_t next = rows[s + c], state = next & ~LW_SCAN_OUTPUT;

	return (struct lw_scan_to) { state, LW_UNLIKELY(next != state) ? state : LW_SCAN_NONE };
}

LW_INLINE struct lw_scan_to lw_scan_step_compact(const struct lw_scan_table *table, uint32_t s, uint32_t c)
{
	for (;;) {
		uint32_t slot = s + 1 + c;
		uint64_t word = lw_scan_word(table, slot);

		if (LW_LIKELY(lw_scan_check(table, word) == c))
			return (struct lw_scan_to) { lw_scan_target(table, word),
				                     lw_scan_has_output(table, word) ? slot : LW_SCAN_NONE };
		s = lw_scan_target(table, lw_scan_word(table, s));
	}
}

LW_INLINE struct lw_scan_to lw_scan_step(const struct lanewise_scan_set *set, uint32_t s, uint8_t byte)
{
	uint32_t c = set->class_of[byte];

	return LW_LIKELY(set->rows != NULL) ? lw_scan_step_row(set->rows, s, c)
	                                    : lw_scan_step_compact(&set->table, s, c);
}

/* For compact states whose reach does not fit their words. */
size_t lanewise_scan_find_far(const struct lanewise_scan_set *set, uint32_t s);

/* Whether finding a state's reach takes a search. */
LW_INLINE int lw_scan_is_far(const struct lanewise_scan_set *set, uint32_t s)
{
	uint64_t ones = set->table.narrow ? UINT32_MAX : UINT64_MAX;
	uint32_t shift = set->table.reach_shift;

	return LW_UNLIKELY(!set->rows) && lw_scan_word(&set->table, s) >> shift == ones >> shift;
}

/* Bytes from the beginning of the longest pattern that may go on from state s. */
LW_INLINE uint32_t lw_scan_reach(const struct lanewise_scan_set *set, uint32_t s)
{
	if (LW_LIKELY(set->rows != NULL))
		return set->rows[s - 2];
	if (LW_UNLIKELY(lw_scan_is_far(set, s)))
		return (uint32_t)set->far[lanewise_scan_find_far(set, s)];
	return (uint32_t)(lw_scan_word(&set->table, s) >> set->table.reach_shift);
}

/* How many transitions with output there are before the word that has this rank. */
LW_INLINE uint32_t lw_scan_rank_of(struct lw_scan_rank rank, uint32_t slot)
{
	uint32_t bits = rank.bits & ((UINT32_C(1) << slot % 32) - 1);

	/* How many bits are set; not all CPUs have an instruction for it. */
	bits -= bits >> 1 & 0x55555555;
	bits = (bits & 0x33333333) + (bits >> 2 & 0x33333333);
	bits = (bits + (bits >> 4)) & 0x0f0f0f0f;
	return rank.before + (bits * 0x01010101 >> 24);
}

/* The pattern of a step with output. */
LW_INLINE uint32_t lw_scan_output(const struct lanewise_scan_set *set, uint32_t slot)
{
	return set->rows ? set->rows[slot - 1] : set->output[lw_scan_rank_of(set->rank[slot / 32], slot)];
}

/* The scan_walk for this CPU: the active tier's, but none that gathers where gathers are slow. */
LW_INLINE lanewise_scan_walk_fn *lw_scan_walk(void)
{
	return (lanewise_gathers_are_fast() ? lw_kernels() : lanewise_kernels_of(0))->scan_walk;
}

/* lanewise_scan_set_create where rows may take so many bytes at most. Tests give 0: then small sets are compact too. */
lanewise_status lanewise_scan_set_create_with(const lanewise_pattern *patterns, size_t n_patterns,
                                              const lanewise_scan_set_options *options, size_t rows_bytes,
                                              const lanewise_allocator *allocator, lanewise_scan_set **set,
                                              lanewise_error *error);

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
