/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/scan.h: from text to matches, in two stages with a queue of hits between them.
 *
 * The first reads a block of text and notes every place where patterns end, with the state's output (scan_set.h). It
 * knows nothing of semantics. It has three ways to read:
 *
 *   read_all       the automaton takes every byte; read_interleaved and read_walking do it in many places at once;
 *   read_direct    for patterns that are not very long, places of grams are found and patterns compared with the text there
 *                  (scan_grams.h, scan_direct.c); the automaton's state is found out when it is needed;
 *   read_filtered  a kernel finds the places that hold a rare part ("window", scan_filter.h) of a pattern, or for many
 *                  long patterns grams do (scan_grams.h), and the automaton runs only from before such
 *                  a place until no pattern that it belongs to is under way.
 *
 * All leave the same hits, and at the end of a piece the same state. For the last this takes care: a window that
 * does not lie in the piece completely is not found, so the automaton reads the last bytes of each piece always. Where
 * windows are so frequent that the automaton reads much of a block anyway, some blocks are read by the first way, more
 * each time in a row; so no text costs much more than the automaton alone.
 *
 * The second stage goes through a hit's patterns, longest first, and chooses. Overlapping and standard semantics decide
 * on the spot. For the leftmost ones the best match of every beginning is kept in a ring as large as the longest pattern,
 * and decided when nothing that begins at or before it can still be under way: the text is never read twice.
 */
#include "scan/scan_join.h"
#include "scan/scan_pairs.h"
#include "scan/scan_set.h"

/* The best match of one beginning. */
struct pending {
	uint32_t length, pattern;
};

struct lanewise_scan {
	/* For pieces of few bytes, see skim_pairs. */
	lanewise_scan_pairs_fn *find_pairs; /* NULL: not used */
	struct lw_scan_pairs *pairs;
	uint32_t begins;  /* the last byte's groups as a first, if this byte tells the state; or NOT_TOLD */
	uint32_t n_small; /* pieces that were small, up to PAIRS_AFTER */
	uint8_t last;     /* byte */

	const struct lanewise_scan_set *set;
	int32_t semantics, whole_word, finished;

	const uint8_t *text; /* the piece, its size and how much of it was read */
	size_t n, at;
	size_t n_behind; /* bytes behind the piece that may be read too */
	uint64_t piece_begin;

	uint32_t state;             /* unless told by the last byte, or stale */
	int32_t is_stale;           /* the state has to be read from the bytes before `at`, which are in the piece */
	size_t n_plain, last_plain; /* bytes to read without the filter, now and the last time */

	size_t block_begin; /* in the piece */
	uint32_t n_hits, hit;
	uint32_t chain; /* the output under way: patterns that end at chain_end */
	uint64_t chain_end;
	uint32_t deferred; /* output at the end of the piece, where whole_word wants to see the next byte */

	uint64_t next_free;     /* begins before it overlap a match that was reported */
	uint64_t cursor, limit; /* pending matches begin at or behind the cursor; those before the limit are decided */
	size_t n_pending;

	struct lw_scan_hit *hits;
	uint16_t *candidates;
	struct pending *ring;
	uint64_t *is_pending; /* bits by places of the ring: a match is there */
	uint8_t *joined;      /* LW_SCAN_BLOCK bytes of small pieces, and what scan_join writes besides */
	uint8_t *history;     /* the last bytes of pieces before, by offset */
	size_t ring_mask;
};

enum {
	SKIM_MAX = 32,    /* bytes of a piece that is so small that calls take longer than reading */
	PAIRS_AFTER = 64, /* so many small pieces show that more come, which are worth preparing for */
	NOT_TOLD = LW_SCAN_PAIR,
	FILTER_MIN = 128, /* a piece or rest shorter than this is read by the automaton */
	LANES = 7,        /* as many as there are registers for */
	SEGMENT = LW_SCAN_BLOCK / LANES,
	MAX_REPLAY = 128,              /* longer patterns make segments read too much twice */
	MAX_PLAIN = 64 * LW_SCAN_BLOCK /* at most so many bytes in a row until the filter is tried again */
};

/* ----------------------------------------------------------- first stage */

static inline uint32_t advance(struct lanewise_scan *scan, uint32_t state, size_t at)
{
	struct lw_scan_to to = lw_scan_step(scan->set, state, scan->text[at]);

	if (LW_UNLIKELY(to.slot != LW_SCAN_NONE))
		scan->hits[scan->n_hits++] = (struct lw_scan_hit) { (uint32_t)(at + 1 - scan->block_begin),
			                                            lw_scan_output(scan->set, to.slot) };
	return to.state;
}

static void read_all(struct lanewise_scan *scan, size_t n)
{
	uint32_t state = scan->state;

	for (size_t at = scan->at, end = at + n; at < end; at++)
		state = advance(scan, state, at);
	scan->state = state;
	scan->at += n;
}

/* Keeps compilers from moving states to vectors and back. */
#if defined(__GNUC__)
#define LW_IN_REGISTER(x) __asm__("" : "+r"(x))
#else
#define LW_IN_REGISTER(x) ((void)0)
#endif

/* Notes the hits of segments whose states have outputs, behind byte i of each, and takes the marks of these away. */
static LW_NOINLINE void note_outputs(struct lanewise_scan *scan, size_t state[LANES], uint32_t n_hits[LANES],
                                     uint32_t i)
{
	for (uint32_t k = 0; k < LANES; k++)
		if (state[k] & LW_SCAN_OUTPUT) {
			state[k] &= ~LW_SCAN_OUTPUT;
			scan->hits[k * SEGMENT + n_hits[k]++] =
			        (struct lw_scan_hit) { k * SEGMENT + i + 1, scan->set->rows[state[k] - 1] };
		}
}

/*
 * read_all for LANES segments at once, since one automaton's steps wait for each other. The time is then that of the
 * instructions: bytes are made classes ahead, which vector code does, and what is seldom done is done elsewhere, with a
 * copy of the states, so that these stay in registers; they have the width of addresses. A segment's state comes from
 * reading the bytes before it, as many as a pattern can reach back. Hits are noted segment by segment and then moved
 * together.
 */
static LW_NOINLINE void read_interleaved(struct lanewise_scan *scan)
{
	const uint32_t *rows = scan->set->rows;
	uint8_t *classes = (uint8_t *)scan->candidates;
	size_t state[LANES], marked[LANES];
	uint32_t n_hits[LANES] = { 0 };

	lw_kernels()->scan_classes(scan->set->class_of, scan->text + scan->at, LANES * SEGMENT, classes);
	for (size_t k = 0; k < LANES; k++)
		state[k] = LW_SCAN_ROOT;
	for (size_t i = SEGMENT + 1 - scan->set->max_length; i < SEGMENT; i++)
#pragma GCC unroll 8
		for (size_t k = 1; k < LANES; k++)
			state[k] = rows[state[k] + classes[(k - 1) * SEGMENT + i]] & ~LW_SCAN_OUTPUT;
	state[0] = scan->state;
	for (size_t i = 0; i < SEGMENT; i++) {
		size_t any = 0;

#pragma GCC unroll 8
		for (size_t k = 0; k < LANES; k++) {
			state[k] = rows[state[k] + classes[k * SEGMENT + i]];
			LW_IN_REGISTER(state[k]);
			any |= state[k];
		}
		if (LW_LIKELY(!(any & LW_SCAN_OUTPUT)))
			continue;
		memcpy(marked, state, sizeof marked);
		note_outputs(scan, marked, n_hits, (uint32_t)i);
		memcpy(state, marked, sizeof marked);
	}
	for (size_t k = 0; k < LANES; k++) {
		memmove(scan->hits + scan->n_hits, scan->hits + k * SEGMENT, n_hits[k] * sizeof *scan->hits);
		scan->n_hits += n_hits[k];
	}
	scan->state = (uint32_t)state[LANES - 1];
	scan->at += LANES * SEGMENT;
}

/* The outputs of hits, which have transitions there. What is known of patterns lies far apart, and is asked for ahead. */
static void find_outputs(struct lanewise_scan *scan)
{
	const struct lanewise_scan_set *set = scan->set;

	for (uint32_t i = 0; i < scan->n_hits; i++) {
		uint32_t output = lw_scan_output(set, scan->hits[i].output);

		scan->hits[i].output = output;
		__builtin_prefetch(&set->length[output]);
		__builtin_prefetch(&set->next_output[output]);
	}
}

/* read_all for a whole block and a compact automaton, by the kernel that reads it in many places. */
static void read_walking(struct lanewise_scan *scan)
{
	const struct lanewise_scan_set *set = scan->set;
	uint8_t *classes = (uint8_t *)scan->candidates;
	struct lw_scan_walk walk = { set->table.narrow, set->table.state_bits, set->max_length - 1, scan->state };

	lw_kernels()->scan_classes(set->class_of, scan->text + scan->at, LW_SCAN_BLOCK, classes);
	memset(classes + LW_SCAN_BLOCK, 0, LW_SCAN_WALK_BEHIND);
	scan->n_hits = (uint32_t)lw_scan_walk()(&walk, classes, scan->hits);
	find_outputs(scan);
	scan->state = walk.state;
	scan->at += LW_SCAN_BLOCK;
}

/* The next blocks are read without the filter, more of them each time in a row. Returns 0. */
static int read_plainly(struct lanewise_scan *scan)
{
	scan->last_plain = scan->last_plain < MAX_PLAIN / 2 ? 2 * scan->last_plain + LW_SCAN_BLOCK : MAX_PLAIN;
	scan->n_plain = scan->last_plain;
	return 0;
}

/*
 * Reads `n` positions of windows; or nothing, and returns 0, if there are too many candidates for that to pay. `reached`
 * is the position up to which beginnings may be under way for a reason: such before the block, or a candidate that was
 * passed. While the automaton's state reaches back to there it goes on; then it jumps to where the next candidate's
 * pattern may begin.
 *
 * Where to tell the state's reach takes a search, it is asked for at some places only: to read on does no harm.
 *
 * At the end the windows of beginnings in the last max_offset bytes may lie behind the block: the next one starts there.
 */
static int read_filtered(struct lanewise_scan *scan, size_t n)
{
	const struct lanewise_scan_set *set = scan->set;
	const uint8_t *text = scan->text + scan->at;
	size_t begin = scan->at, end = begin + n, at = begin, n_read = 0, i = 0;
	size_t n_candidates = set->grams.n_patterns
	                              ? lanewise_scan_find_grams(&set->grams, text, n, scan->candidates)
	                              : lw_kernels()->scan_candidates(set->filter, text, &n, n, scan->candidates);
	uint32_t state = scan->state;
	size_t reached = begin; /* one behind, so that it is not below 0 */

	if (n_candidates > n / (lw_scan_reads_fast(set) ? 64 : 16))
		return read_plainly(scan);

	while (at < end) {
		while (i < n_candidates && begin + scan->candidates[i] < at)
			reached = begin + scan->candidates[i++] + 1;
		if (!(at % 32 && lw_scan_is_far(set, state)) && at >= reached + lw_scan_reach(set, state)) {
			if (i == n_candidates)
				break;

			size_t candidate = begin + scan->candidates[i++];

			if (candidate >= at + set->max_offset) {
				state = LW_SCAN_ROOT;
				at = candidate - set->max_offset;
			}
			reached = candidate + 1;
		}
		state = advance(scan, state, at++);
		n_read++;
	}
	if (at + set->max_offset < end) {
		state = LW_SCAN_ROOT;
		at = end - set->max_offset;
	}
	scan->state = state;
	scan->at = at;
	if (n_read > n / (lw_scan_reads_fast(set) ? 16 : 4))
		read_plainly(scan);
	else
		scan->last_plain = 0;
	return 1;
}

static uint32_t first_state(const struct lanewise_scan_set *set, uint8_t byte)
{
	return lw_scan_step(set, LW_SCAN_ROOT, byte).state;
}

/* The automaton's state at scan->at. */
static uint32_t state_now(const struct lanewise_scan *scan)
{
	size_t far = scan->set->max_length - 1;
	uint32_t state = LW_SCAN_ROOT;

	if (scan->begins != NOT_TOLD)
		return first_state(scan->set, scan->last);
	if (!scan->is_stale)
		return scan->state;
	for (size_t at = scan->at > far ? scan->at - far : 0; at < scan->at; at++)
		state = lw_scan_step(scan->set, state, scan->text[at]).state;
	return state;
}

static void refresh_state(struct lanewise_scan *scan)
{
	scan->state = state_now(scan);
	scan->is_stale = 0;
	scan->begins = NOT_TOLD;
}

/*
 * The hits of a direct set up to about the end of a block, if all patterns under way begin in the piece; otherwise, and
 * where grams are too frequent, nothing, and it returns 0. Eight bytes behind every hit can be read; the automaton
 * reads the rest.
 */
static int read_direct(struct lanewise_scan *scan)
{
	const struct lanewise_scan_set *set = scan->set;
	size_t far = set->max_length - 1, first = scan->at > far ? scan->at - far : 0;
	size_t end = scan->n_behind < LW_SCAN_GRAM_BYTES ? scan->n - LW_SCAN_GRAM_BYTES : scan->n, n_hits;
	size_t most = set->filter ? LW_SCAN_RUN + set->width - 1 : set->grams.near ? 2 * LW_SCAN_BLOCK : LW_SCAN_BLOCK;
	size_t unaligned = (uintptr_t)(scan->text + first + set->grams.delta) % 64;

	if (!scan->is_stale && lw_scan_reach(set, scan->state) > scan->at)
		return 0;
	if (set->filter && first >= unaligned)
		first -= unaligned; /* so that one of the loads for a vector of places does not cross a cache line */
	end -= first;
	if (end > most + FILTER_MIN) /* else little would be left for the automaton */
		end = most;
	n_hits = lanewise_scan_find_hits(set, scan->text + first, scan->at - first, &end, scan->candidates, scan->hits);
	if (n_hits == SIZE_MAX) {
		refresh_state(scan);
		return read_plainly(scan);
	}
	scan->n_hits = (uint32_t)n_hits;
	scan->at = first + end;
	scan->is_stale = 1;
	scan->last_plain = 0;
	return 1;
}

/* scan_candidates and scan_evens are slower than the automaton where they are scalar. */
static int has_filter(const struct lanewise_scan_set *set)
{
	if (set->filter || set->grams.near)
		return lw_kernels() != lanewise_kernels_of(0);
	return set->grams.n_patterns > 0;
}

/* Whether there was text to read. */
static int read_block(struct lanewise_scan *scan)
{
	size_t left = scan->n - scan->at;

	if (left == 0)
		return 0;
	scan->block_begin = scan->at;
	scan->n_hits = scan->hit = 0;

	size_t n = left < LW_SCAN_BLOCK ? left : LW_SCAN_BLOCK;

	if (left >= FILTER_MIN && scan->n_plain == 0 && has_filter(scan->set) && scan->set->direct) {
		if (read_direct(scan))
			return 1;
		if (scan->n_plain == 0 && n > scan->set->max_length)
			n = scan->set->max_length; /* then all that is under way begins in the piece */
	} else if (left >= FILTER_MIN && scan->n_plain == 0 && has_filter(scan->set)) {
		size_t positions = left - (scan->set->width - 1);

		if (read_filtered(scan, positions < n ? positions : n))
			return 1;
	}
	refresh_state(scan);
	scan->n_plain -= n < scan->n_plain ? n : scan->n_plain;
	if (n == LW_SCAN_BLOCK && scan->set->rows && scan->set->max_length <= MAX_REPLAY)
		read_interleaved(scan);
	else if (n == LW_SCAN_BLOCK && scan->set->walks)
		read_walking(scan);
	else
		read_all(scan, n);
	return 1;
}

/* ---------------------------------------------------------- second stage */

static inline int is_word_byte(uint8_t b)
{
	return (b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') || b == '_';
}

/* Whether [begin, end) is no part of a longer word. `end` is before the piece's end, or the text's. */
static int is_whole_word(const struct lanewise_scan *scan, uint64_t begin, uint64_t end)
{
	if (end < scan->piece_begin + scan->n && is_word_byte(scan->text[end - scan->piece_begin]))
		return 0;
	if (begin == 0)
		return 1;
	begin--;
	return !is_word_byte(begin >= scan->piece_begin ? scan->text[begin - scan->piece_begin]
	                                                : scan->history[begin & scan->ring_mask]);
}

static void keep_pending(struct lanewise_scan *scan, uint64_t begin, uint32_t length, uint32_t pattern)
{
	size_t place = begin & scan->ring_mask;
	struct pending *best = &scan->ring[place];
	uint64_t *bits = &scan->is_pending[place / 64], bit = UINT64_C(1) << place % 64;

	if (!(*bits & bit)) {
		*bits |= bit;
		if (scan->n_pending++ == 0 || begin < scan->cursor)
			scan->cursor = begin;
	} else if (scan->semantics == LANEWISE_SCAN_LEFTMOST_FIRST ? pattern > best->pattern : length <= best->length) {
		return;
	}
	*best = (struct pending) { length, pattern };
}

static size_t release_pending(struct lanewise_scan *scan, lanewise_match *matches, size_t capacity)
{
	size_t n = 0;

	while (scan->n_pending > 0 && scan->cursor < scan->limit) {
		size_t place = scan->cursor & scan->ring_mask;
		uint64_t *bits = &scan->is_pending[place / 64], ahead = *bits >> place % 64;

		if (ahead == 0) {
			scan->cursor = (scan->cursor | 63) + 1;
			continue;
		}
		place += (size_t)__builtin_ctzll(ahead);
		scan->cursor += (uint64_t)__builtin_ctzll(ahead);
		if (scan->cursor >= scan->limit)
			break;
		if (scan->cursor >= scan->next_free) {
			if (n == capacity)
				return n;
			scan->next_free = scan->cursor + scan->ring[place].length;
			matches[n++] = (lanewise_match) { scan->cursor, scan->next_free, scan->ring[place].pattern, 0 };
		}
		*bits &= ~(UINT64_C(1) << place % 64);
		scan->n_pending--;
		scan->cursor++;
	}
	return n;
}

/* Goes through the patterns of the hit under way. */
static size_t expand_chain(struct lanewise_scan *scan, lanewise_match *matches, size_t capacity)
{
	const struct lanewise_scan_set *set = scan->set;
	uint64_t end = scan->chain_end;
	size_t n = 0;

	while (scan->chain != LW_SCAN_NONE) {
		uint32_t pattern = scan->chain, length = set->length[pattern];
		uint64_t begin = end - length;

		if (begin >= scan->next_free && (!scan->whole_word || is_whole_word(scan, begin, end))) {
			if (scan->semantics >= LANEWISE_SCAN_LEFTMOST_FIRST) {
				keep_pending(scan, begin, length, pattern);
			} else {
				if (n == capacity)
					return n;
				matches[n++] = (lanewise_match) { begin, end, pattern, 0 };
				if (scan->semantics == LANEWISE_SCAN_STANDARD) {
					scan->next_free = end;
					scan->chain = LW_SCAN_NONE;
					return n;
				}
			}
		}
		scan->chain = set->next_output[pattern];
	}
	return n;
}

static void set_limit(struct lanewise_scan *scan, uint64_t limit)
{
	if (limit > scan->limit)
		scan->limit = limit;
}

static int take_hit(struct lanewise_scan *scan)
{
	if (scan->hit == scan->n_hits)
		return 0;

	struct lw_scan_hit hit = scan->hits[scan->hit++];
	size_t end = scan->block_begin + hit.end;

	if (scan->whole_word && end == scan->n) {
		scan->deferred = hit.output;
		return 1;
	}
	scan->chain = hit.output;
	scan->chain_end = scan->piece_begin + end;
	if (scan->chain_end > scan->set->max_length)
		set_limit(scan, scan->chain_end - scan->set->max_length);
	return 1;
}

/* How far back a match to come may begin, all hits being taken. */
static uint32_t under_way(const struct lanewise_scan *scan)
{
	uint32_t reach = lw_scan_reach(scan->set, state_now(scan));
	uint32_t longest = scan->deferred == LW_SCAN_NONE ? 0 : scan->set->length[scan->deferred];

	return reach > longest ? reach : longest;
}

/* Beginnings before the patterns under way are decided, when all hits are taken. Whether that releases any. */
static int settle(struct lanewise_scan *scan)
{
	if (scan->n_pending == 0)
		return 0;
	set_limit(scan, scan->finished ? UINT64_MAX : scan->piece_begin + scan->at - under_way(scan));
	return scan->cursor < scan->limit;
}

/* The piece is done with: its last bytes are kept for is_whole_word. */
static void leave_piece(struct lanewise_scan *scan)
{
	if (scan->whole_word)
		for (size_t i = scan->n > scan->ring_mask ? scan->n - scan->ring_mask - 1 : 0; i < scan->n; i++)
			scan->history[(scan->piece_begin + i) & scan->ring_mask] = scan->text[i];
	if (scan->is_stale)
		refresh_state(scan);
	scan->piece_begin += scan->n;
	scan->text = NULL;
	scan->n = scan->at = 0;
	scan->block_begin = 0;
	scan->n_hits = scan->hit = 0;
}

/* Whether every match counts as it is found. */
static int gives_all(const struct lanewise_scan *scan)
{
	return scan->semantics == LANEWISE_SCAN_OVERLAPPING && !scan->whole_word;
}

/* expand_chain and take_hit where gives_all says so. */
static size_t give_all(struct lanewise_scan *scan, lanewise_match *matches, size_t capacity)
{
	const uint32_t *lengths = scan->set->length, *next_output = scan->set->next_output;
	const struct lw_scan_hit *hit = scan->hits + scan->hit, *hits_end = scan->hits + scan->n_hits;
	uint64_t block_begin = scan->piece_begin + scan->block_begin, end = scan->chain_end;
	uint32_t chain = scan->chain;
	size_t n = 0;

	for (;;) {
		for (; chain != LW_SCAN_NONE && n < capacity; chain = next_output[chain])
			matches[n++] = (lanewise_match) { end - lengths[chain], end, chain, 0 };
		if (chain != LW_SCAN_NONE || hit == hits_end)
			break;
		end = block_begin + hit->end;
		chain = hit++->output;
	}
	scan->hit = (uint32_t)(hit - scan->hits);
	scan->chain = chain;
	scan->chain_end = end;
	return n;
}

/* expand_chain and take_hit, and what the latter decides, for the leftmost semantics without whole_word. */
static size_t give_leftmost(struct lanewise_scan *scan, lanewise_match *matches, size_t capacity)
{
	const uint32_t *lengths = scan->set->length, *next_output = scan->set->next_output;
	size_t n = 0;

	do {
		n += release_pending(scan, matches + n, capacity - n);
		if (n == capacity)
			break;
		for (; scan->chain != LW_SCAN_NONE; scan->chain = next_output[scan->chain]) {
			uint64_t begin = scan->chain_end - lengths[scan->chain];

			if (begin >= scan->next_free)
				keep_pending(scan, begin, lengths[scan->chain], scan->chain);
		}
	} while (take_hit(scan));
	return n;
}

static LW_NOINLINE size_t read_on(struct lanewise_scan *scan, lanewise_match *matches, size_t capacity)
{
	int all = gives_all(scan), leftmost = scan->semantics >= LANEWISE_SCAN_LEFTMOST_FIRST && !scan->whole_word;
	size_t n = 0;

	do {
		n += release_pending(scan, matches + n, capacity - n);
		if (n < capacity)
			n += all        ? give_all(scan, matches + n, capacity - n)
			     : leftmost ? give_leftmost(scan, matches + n, capacity - n)
			                : expand_chain(scan, matches + n, capacity - n);
		if (n == capacity)
			return n;
	} while (take_hit(scan) || settle(scan) || read_block(scan));
	leave_piece(scan);
	return n;
}

/* ----------------------------------------------------------------- public */

size_t lanewise_scan_next(lanewise_scan *scan, lanewise_match *matches, size_t capacity)
{
	LW_ASSERT(capacity > 0);
	if (LW_LIKELY(scan->n == 0 && scan->chain == LW_SCAN_NONE && scan->n_pending == 0))
		return 0; /* where all is done when text comes by the token */
	return read_on(scan, matches, capacity);
}

/* The least power of two above the longest pattern: the ring's entries, and the history's bytes. */
static size_t ring_size(const struct lanewise_scan_set *set)
{
	size_t n = 64; /* bits of a word */

	while (n <= set->max_length)
		n *= 2;
	return n;
}

static size_t round_up(size_t n) { return (n + 63) / 64 * 64; }

size_t lanewise_scan_scratch_size(const lanewise_scan_set *set)
{
	return round_up(sizeof(struct lanewise_scan)) +
	       LW_SCAN_BLOCK * (sizeof(struct lw_scan_hit) + sizeof(uint16_t)) + LW_SCAN_ENOUGH * sizeof(uint16_t) +
	       ring_size(set) * (sizeof(struct pending) + 1) + ring_size(set) / 8 + sizeof(struct lw_scan_pairs) +
	       LW_SCAN_BLOCK + LW_SCAN_JOIN_MAX;
}

static int options_are_valid(const lanewise_scan_options *options)
{
	return !options ||
	       (options->struct_size == sizeof *options && options->semantics >= LANEWISE_SCAN_OVERLAPPING &&
	        options->semantics <= LANEWISE_SCAN_LEFTMOST_LONGEST);
}

lanewise_scan *lanewise_scan_begin(const lanewise_scan_set *set, const lanewise_scan_options *options, void *scratch)
{
	if (!set || !scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || !options_are_valid(options))
		return NULL;

	struct lanewise_scan *scan = scratch;
	size_t n_ring = ring_size(set);

	*scan = (struct lanewise_scan) { .set = set, .state = LW_SCAN_ROOT };
	scan->semantics = options ? options->semantics : LANEWISE_SCAN_OVERLAPPING;
	scan->whole_word = options ? options->whole_word : 0;
	scan->chain = scan->deferred = LW_SCAN_NONE;
	scan->begins = NOT_TOLD;
	scan->hits = (struct lw_scan_hit *)((char *)scratch + round_up(sizeof *scan));
	scan->candidates = (uint16_t *)(scan->hits + LW_SCAN_BLOCK);
	scan->ring = (struct pending *)(scan->candidates + LW_SCAN_BLOCK + LW_SCAN_ENOUGH);
	scan->pairs = (struct lw_scan_pairs *)(void *)(scan->ring + n_ring);
	scan->is_pending = (uint64_t *)(void *)(scan->pairs + 1);
	scan->joined = (uint8_t *)(scan->is_pending + n_ring / 64);
	scan->history = scan->joined + LW_SCAN_BLOCK + LW_SCAN_JOIN_MAX;
	scan->ring_mask = n_ring - 1;
	if (scan->semantics >= LANEWISE_SCAN_LEFTMOST_FIRST)
		memset(scan->is_pending, 0, n_ring / 8);
	return scan;
}

void lanewise_scan_restart(lanewise_scan *scan)
{
	lanewise_scan_options options = { sizeof options, scan->semantics, scan->whole_word };
	size_t n_plain = scan->n_plain, last_plain = scan->last_plain;
	uint32_t n_small = scan->n_small;
	lanewise_scan_pairs_fn *find_pairs = scan->find_pairs;

	lanewise_scan_begin(scan->set, &options, scan);
	scan->n_small = n_small;
	scan->find_pairs = find_pairs;
	scan->n_plain = n_plain;
	scan->last_plain = last_plain;
}

void lanewise_scan_restart_at(lanewise_scan *scan, uint64_t offset)
{
	lanewise_scan_restart(scan);
	scan->piece_begin = offset;
}

static void take_deferred(struct lanewise_scan *scan)
{
	scan->chain = scan->deferred;
	scan->chain_end = scan->piece_begin;
	scan->deferred = LW_SCAN_NONE;
}

/* Whether few pairs of letters are such that patterns begin with, so that most small pieces have none. */
static int has_few_pairs(const struct lw_scan_pairs *pairs)
{
	enum { MOST = 40 }; /* of 26 * 26 */
	int n = 0;

	for (int a = 'a'; a <= 'z'; a++)
		for (int b = 'a'; b <= 'z'; b++)
			n += (lw_scan_groups(pairs, 0, (uint8_t)a) & lw_scan_groups(pairs, 1, (uint8_t)b)) != 0;
	return n <= MOST;
}

static void add_to_groups(struct lw_scan_pairs *pairs, int place, int byte, uint8_t group)
{
	pairs->low[place][byte & 15] |= group;
	pairs->high[place][byte >> 4] |= group;
}

/* Whether a pattern begins with what leads to the state and this byte. */
static int goes_on(const struct lanewise_scan_set *set, uint32_t state, uint8_t byte)
{
	struct lw_scan_to to = lw_scan_step(set, state, byte);

	return to.slot != LW_SCAN_NONE || to.state != first_state(set, byte);
}

/* Fills in the pairs that patterns begin with. */
static void make_pairs(const struct lanewise_scan_set *set, struct lw_scan_pairs *pairs)
{
	uint32_t n_firsts = 0;

	memset(pairs, 0, sizeof *pairs);
	for (int a = 0; a < 256; a++) {
		uint32_t state = first_state(set, (uint8_t)a);
		uint8_t group = (uint8_t)(1 << n_firsts % 8);

		if (state == LW_SCAN_ROOT)
			continue;
		n_firsts++;
		add_to_groups(pairs, 0, a, group);
		for (int b = 0; b < 256; b++)
			if (goes_on(set, state, (uint8_t)b))
				add_to_groups(pairs, 1, b, group);
	}
	for (int a = 0; a < 256; a++)
		pairs->firsts[a] = lw_scan_groups(pairs, 0, (uint8_t)a);
}

/* There were enough small pieces: from now on pairs are looked for, if the set has few and the kernel is fast. */
static void prepare_pairs(struct lanewise_scan *scan)
{
	const struct lw_kernels *kernels = lw_kernels();

	if (scan->set->min_length < 2 || scan->semantics >= LANEWISE_SCAN_LEFTMOST_FIRST ||
	    kernels->scan_pairs == lanewise_kernels_of(0)->scan_pairs)
		return;
	make_pairs(scan->set, scan->pairs);
	if (has_few_pairs(scan->pairs))
		scan->find_pairs = kernels->scan_pairs;
}

/*
 * Goes over a piece of a few bytes if no pattern has its first two bytes in it, and none that may go on began before:
 * then the last byte alone tells the state. There is no branch on the text but the one, and no piece waits for the state
 * that the one before it leaves.
 */
LW_INLINE int skim_pairs(struct lanewise_scan *scan, const uint8_t *bytes, size_t n)
{
	uint32_t begins = scan->find_pairs(scan->pairs, bytes, n, scan->begins);

	if (LW_UNLIKELY(begins == LW_SCAN_PAIR))
		return 0;
	scan->begins = begins;
	scan->last = bytes[n - 1];
	scan->piece_begin += n;
	return 1;
}

/* The state behind a piece, or LW_SCAN_NONE if a pattern ends in it. */
LW_INLINE uint32_t state_behind(const struct lanewise_scan_set *set, uint32_t state, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; set->rows && i < n; i++) {
		state = set->rows[state + set->class_of[bytes[i]]];
		if (state & LW_SCAN_OUTPUT)
			return LW_SCAN_NONE;
	}
	for (size_t i = 0; !set->rows && i < n; i++) {
		struct lw_scan_to to = lw_scan_step_compact(&set->table, state, set->class_of[bytes[i]]);

		if (to.slot != LW_SCAN_NONE)
			return LW_SCAN_NONE;
		state = to.state;
	}
	return state;
}

/* Reads a piece of a few bytes in which no pattern ends, if that is all there is to do; 0 if there is more. */
static int skim(struct lanewise_scan *scan, const uint8_t *bytes, size_t n)
{
	const struct lanewise_scan_set *set = scan->set;
	uint32_t state;

	if (n > SKIM_MAX || scan->whole_word || scan->n_pending > 0)
		return 0;
	state = state_behind(set, scan->state, bytes, n);
	if (state == LW_SCAN_NONE)
		return 0;
	if (scan->n_small < PAIRS_AFTER && ++scan->n_small == PAIRS_AFTER)
		prepare_pairs(scan);
	if (scan->find_pairs && state == first_state(set, bytes[n - 1])) {
		scan->begins = scan->pairs->firsts[bytes[n - 1]];
		scan->last = bytes[n - 1];
	}
	scan->state = state;
	scan->piece_begin += n;
	return 1;
}

static LW_NOINLINE void take_piece(struct lanewise_scan *scan, const uint8_t *bytes, size_t n)
{
	refresh_state(scan);
	if (n == 0 || skim(scan, bytes, n))
		return;
	scan->text = bytes;
	scan->n = n;
	scan->n_behind = 0;
	take_deferred(scan);
}

void lanewise_scan_feed(lanewise_scan *scan, const void *bytes, size_t n_bytes)
{
	LW_ASSERT(scan->at == scan->n && scan->chain == LW_SCAN_NONE && !scan->finished);
	if (LW_UNLIKELY(scan->begins == NOT_TOLD || n_bytes - 1 >= LW_SCAN_PAIRS_MAX ||
	                !skim_pairs(scan, bytes, n_bytes)))
		take_piece(scan, bytes, n_bytes);
}

size_t lanewise_scan_feed_pieces(lanewise_scan *scan, const lanewise_scan_piece *pieces, size_t n_pieces)
{
	size_t n_bytes, n = lw_kernels()->scan_join(pieces, n_pieces, scan->joined, LW_SCAN_BLOCK, &n_bytes);

	if (n == 0 && n_pieces > 0) {
		lanewise_scan_feed(scan, pieces[0].bytes, pieces[0].n_bytes);
		return 1;
	}
	lanewise_scan_feed(scan, scan->joined, n_bytes);
	scan->n_behind = LW_SCAN_JOIN_MAX;
	return n;
}

void lanewise_scan_move_text(lanewise_scan *scan, const void *from, const void *to)
{
	if (scan->text)
		scan->text = (const uint8_t *)to + (scan->text - (const uint8_t *)from);
}

void lanewise_scan_finish(lanewise_scan *scan)
{
	LW_ASSERT(scan->at == scan->n && scan->chain == LW_SCAN_NONE);
	scan->finished = 1;
	take_deferred(scan);
}

uint64_t lanewise_scan_safe(const lanewise_scan *scan)
{
	uint64_t at = scan->piece_begin + scan->at;

	return scan->finished ? at : at - under_way(scan);
}

/* A scan of a whole text, or NULL if an argument forbids it. */
static lanewise_scan *begin_text(const lanewise_scan_set *set, const lanewise_scan_options *options, const void *bytes,
                                 size_t n_bytes, void *scratch)
{
	lanewise_scan *scan = bytes || n_bytes == 0 ? lanewise_scan_begin(set, options, scratch) : NULL;

	if (scan)
		lanewise_scan_feed(scan, bytes, n_bytes);
	return scan;
}

/* The next matches of a whole text. */
static size_t next_of_text(lanewise_scan *scan, lanewise_match *matches, size_t capacity)
{
	size_t n = lanewise_scan_next(scan, matches, capacity);

	if (n == 0 && !scan->finished) {
		lanewise_scan_finish(scan);
		n = lanewise_scan_next(scan, matches, capacity);
	}
	return n;
}

/* How many matches lanewise_scan_next would give in a text just begun, if it gives all. */
static uint64_t count_all(struct lanewise_scan *scan)
{
	const uint32_t *next_output = scan->set->next_output;
	uint64_t sum = 0;

	while (read_block(scan))
		for (uint32_t i = 0, n = scan->n_hits; i < n; i++) {
			uint32_t chain = scan->hits[i].output;

			do {
				sum++;
				chain = next_output[chain];
			} while (LW_UNLIKELY(chain != LW_SCAN_NONE));
		}
	return sum;
}

lanewise_status lanewise_scan_count(const lanewise_scan_set *set, const lanewise_scan_options *options,
                                    const void *bytes, size_t n_bytes, void *scratch, uint64_t *count)
{
	lanewise_match matches[64];
	lanewise_scan *scan = count ? begin_text(set, options, bytes, n_bytes, scratch) : NULL;
	uint64_t sum = 0;
	size_t n;

	if (!scan)
		return LANEWISE_ERROR_ARGUMENT;
	if (gives_all(scan))
		sum = count_all(scan);
	else
		while ((n = next_of_text(scan, matches, 64)) > 0)
			sum += n;
	*count = sum;
	return LANEWISE_OK;
}

lanewise_status lanewise_scan_each(const lanewise_scan_set *set, const lanewise_scan_options *options,
                                   const void *bytes, size_t n_bytes, void *scratch, lanewise_scan_callback *callback,
                                   void *context)
{
	lanewise_match matches[64];
	lanewise_scan *scan = callback ? begin_text(set, options, bytes, n_bytes, scratch) : NULL;
	size_t n, capacity = 1; /* grows: who wants few matches should not wait for many */

	if (!scan)
		return LANEWISE_ERROR_ARGUMENT;
	while ((n = next_of_text(scan, matches, capacity)) > 0) {
		for (size_t i = 0; i < n; i++)
			if (callback(context, &matches[i]))
				return LANEWISE_OK;
		capacity = capacity < 64 ? 2 * capacity : 64;
	}
	return LANEWISE_OK;
}

lanewise_status lanewise_scan_first(const lanewise_scan_set *set, const lanewise_scan_options *options,
                                    const void *bytes, size_t n_bytes, void *scratch, lanewise_match *match,
                                    int32_t *found)
{
	lanewise_scan *scan = match && found ? begin_text(set, options, bytes, n_bytes, scratch) : NULL;

	if (!scan)
		return LANEWISE_ERROR_ARGUMENT;
	*found = next_of_text(scan, match, 1) > 0;
	return LANEWISE_OK;
}

lanewise_status lanewise_scan_presence(const lanewise_scan_set *set, int32_t whole_word, const void *bytes,
                                       size_t n_bytes, void *scratch, uint64_t *present, size_t *n_present)
{
	lanewise_scan_options options = { sizeof options, LANEWISE_SCAN_OVERLAPPING, whole_word };
	lanewise_match matches[64];
	lanewise_scan *scan = present ? begin_text(set, &options, bytes, n_bytes, scratch) : NULL;
	size_t n, n_seen = 0;

	if (!scan)
		return LANEWISE_ERROR_ARGUMENT;
	memset(present, 0, ((size_t)set->n_patterns + 63) / 64 * sizeof *present);
	while (n_seen < set->n_patterns && (n = next_of_text(scan, matches, 64)) > 0)
		for (size_t i = 0; i < n; i++) {
			uint64_t *word = &present[matches[i].pattern / 64], bit = UINT64_C(1)
			                                                          << matches[i].pattern % 64;

			n_seen += (*word & bit) == 0;
			*word |= bit;
		}
	if (n_present)
		*n_present = n_seen;
	return LANEWISE_OK;
}

lanewise_status lanewise_scan_counts(const lanewise_scan_set *set, const lanewise_scan_options *options,
                                     const void *bytes, size_t n_bytes, void *scratch, uint64_t *counts)
{
	lanewise_match matches[64];
	lanewise_scan *scan = counts ? begin_text(set, options, bytes, n_bytes, scratch) : NULL;
	size_t n;

	if (!scan)
		return LANEWISE_ERROR_ARGUMENT;
	memset(counts, 0, (size_t)set->n_patterns * sizeof *counts);
	while ((n = next_of_text(scan, matches, 64)) > 0)
		for (size_t i = 0; i < n; i++)
			counts[matches[i].pattern]++;
	return LANEWISE_OK;
}

lanewise_status lanewise_scan_scores(const uint64_t *counts, size_t n_patterns, const lanewise_scan_weights *weights,
                                     double *scores)
{
	if (!weights || weights->struct_size != sizeof *weights || !weights->n_classes || !scores ||
	    (!counts && n_patterns))
		return LANEWISE_ERROR_ARGUMENT;
	for (size_t i = 0; weights->classes && i < n_patterns; i++)
		if (weights->classes[i] >= weights->n_classes)
			return LANEWISE_ERROR_ARGUMENT;
	for (uint32_t i = 0; i < weights->n_classes; i++)
		scores[i] = 0;
	for (size_t i = 0; i < n_patterns; i++) {
		double count = (double)(weights->once ? counts[i] > 0 : counts[i]);

		if (counts[i] > 0)
			scores[weights->classes ? weights->classes[i] : 0] +=
			        (weights->weight ? weights->weight[i] : 1) * count;
	}
	return LANEWISE_OK;
}
