/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From places of grams to hits, without the automaton: the patterns that have a gram there are compared with the text.
 *
 * Where several patterns end at one place the automaton's output is the longest of them and, of equal ones, the first;
 * so it is here.
 */
#include "scan/scan_set.h"

/* The first pattern of that length which lies there, by the automaton; LW_SCAN_NONE if there is none. */
static uint32_t confirm(const struct lanewise_scan_set *set, const uint8_t *bytes, uint32_t length)
{
	uint32_t state = LW_SCAN_ROOT, next = 0;

	for (uint32_t i = 0; i < length; i++) {
		next = lw_scan_step(set, state, bytes[i]);
		state = next & ~LW_SCAN_OUTPUT;
	}
	return (next & LW_SCAN_OUTPUT) && set->length[lw_scan_output(set, state)] == length ? lw_scan_output(set, state)
	                                                                                    : LW_SCAN_NONE;
}

/* Puts a hit in order of ends, of which there is one hit each; returns how many there are now. */
static size_t add_hit(const struct lanewise_scan_set *set, struct lw_scan_hit *hits, size_t n, struct lw_scan_hit hit,
                      size_t *work)
{
	size_t i = n;

	while (i > 0 && hits[i - 1].end > hit.end)
		i--;
	*work += n - i;
	if (i > 0 && hits[i - 1].end == hit.end) {
		uint32_t there = set->length[hits[i - 1].output], length = set->length[hit.output];

		if (length > there || (length == there && hit.output < hits[i - 1].output))
			hits[i - 1].output = hit.output;
		return n;
	}
	memmove(hits + i + 1, hits + i, (n - i) * sizeof *hits);
	hits[i] = hit;
	return n + 1;
}

/* Places of grams among the first *n, as many as are looked at in one go. */
static size_t find_places(const struct lanewise_scan_set *set, const uint8_t *text, size_t *n, uint16_t *places)
{
	const struct lw_scan_grams *grams = &set->grams;
	size_t n_found;

	if (grams->near) {
		struct lw_scan_evens evens = lw_scan_evens_of(grams);

		evens.cells = set->has_cells ? &set->cells : NULL;
		return lw_kernels()->scan_evens(&evens, text, *n, places);
	}
	if (!set->filter)
		return lanewise_scan_find_bits(grams, text, *n, places);
	n_found = lw_kernels()->scan_candidates(set->filter, text + grams->delta, n, LW_SCAN_ENOUGH, places);
	return set->filter->width == grams->width ? n_found : lanewise_scan_keep_bits(grams, text, places, n_found);
}

void lanewise_scan_make_cells(struct lanewise_scan_set *set)
{
	enum { MOST = LW_SCAN_CELLS * 8 / 2 }; /* by lower bytes; by upper ones they are about as many */
	const uint8_t *bits = (const uint8_t *)set->grams.bits;
	int n = 0;

	memset(&set->cells, 0, sizeof set->cells);
	for (uint32_t i = 0; set->grams.near && i < LW_SCAN_EVENS_BYTES; i++)
		for (uint32_t byte = bits[i]; byte; byte &= byte - 1)
			lw_scan_set_cells(&set->cells, (uint32_t)__builtin_ctz(byte) * LW_SCAN_EVENS_BYTES + i);
	for (int i = 0; i < LW_SCAN_CELLS; i++)
		n += __builtin_popcount(set->cells.low[i]);
	set->has_cells = n > 0 && n <= MOST;
}

/* How many of n places may be such of grams so that comparing patterns there is better than the automaton. */
static size_t most_places(const struct lanewise_scan_set *set, size_t n)
{
	enum { AT_LEAST = 16 }; /* of few places, which may happen to be close together */

	if (set->max_length <= LW_SCAN_SHORT_MAX)
		return AT_LEAST + n / 12;
	if (set->grams.near)
		return AT_LEAST + n / (set->n_words < LW_SCAN_SLOW_WORDS ? 40 : 16);
	return AT_LEAST + n / (set->all_rows ? 64 : 16);
}

/* The text between `begin` and `end`, where hits are looked for, and what else stays the same meanwhile. */
struct search {
	const struct lanewise_scan_set *set;
	const uint8_t *text;
	size_t begin, end;
	struct lw_scan_hit *hits;
};

/* Adds a pattern that has the same ends as the text, if it lies there; how many hits there are now. */
static LW_NOINLINE size_t add_pattern(const struct search *s, uint32_t pattern, size_t match_end, size_t n_hits,
                                      size_t *work)
{
	const struct lw_scan_grams *grams = &s->set->grams;
	uint32_t length = grams->ends[pattern].length;

	if (match_end <= s->begin)
		return n_hits;
	if (length > 2 * LW_SCAN_GRAM_BYTES || grams->fold) {
		pattern = confirm(s->set, s->text + match_end - length, length);
		*work += length / LW_SCAN_GRAM_BYTES;
	}
	if (pattern == LW_SCAN_NONE)
		return n_hits;
	return add_hit(s->set, s->hits, n_hits, (struct lw_scan_hit) { (uint32_t)(match_end - s->begin), pattern },
	               work);
}

enum { AT_ONCE = 64 /* places */ };

/* Places, and which patterns to compare with the text at each: those of grams.entry[at ... end). */
struct entries {
	uint32_t place[AT_ONCE], at[AT_ONCE], end[AT_ONCE];
	size_t n;
};

/* The patterns whose ends are those of the text, by entries at places. */
struct found {
	uint32_t place[LW_SCAN_BLOCK], entry[LW_SCAN_BLOCK];
};

/*
 * Compares the patterns of some places with the text; how many are `found`. A pattern is compared at every place that has
 * one left, then the next at those that have one more: there is no branch on the text, and no place waits for another.
 */
LW_INLINE size_t compare_entries(const struct search *s, const struct lw_scan_grams *grams, int at_edge,
                                 struct entries *e, struct found *found)
{
	const uint8_t *text = s->text;
	size_t n_found = 0, n_left;

	for (size_t n = e->n; n > 0; n = n_left) {
		n_left = 0;
		for (size_t i = 0; i < n; i++) {
			uint32_t place = e->place[i], at = e->at[i], end = e->end[i], entry = grams->entry[at];
			const struct lw_scan_ends *ends = &grams->ends[entry >> LW_SCAN_GRAM_OFFSET_LOG];
			size_t offset = entry & (LW_SCAN_DIRECT_MAX - 1), tail_at = ends->tail_at;
			int is_in = !at_edge || (offset <= place && place - offset + ends->length <= s->end);

			if (!is_in)
				offset = place, tail_at = 0;

			const uint8_t *bytes = text + place - offset;
			uint64_t head = lw_scan_gram_load(grams, bytes) ^ ends->head;
			uint64_t tail = lw_scan_gram_load(grams, bytes + tail_at) ^ ends->tail;

			found->place[n_found] = place;
			found->entry[n_found] = entry;
			n_found += is_in & (((head | tail) & ends->mask) == 0);
			e->place[n_left] = place;
			e->at[n_left] = at + 1;
			e->end[n_left] = end;
			n_left += at + 1 < end;
		}
	}
	return n_found;
}

size_t lanewise_scan_find_hits(const struct lanewise_scan_set *set, const uint8_t *text, size_t begin, size_t *end,
                               uint16_t *places, struct lw_scan_hit *hits)
{
	const struct lw_scan_grams grams = set->grams; /* a copy, which writing hits does not change */
	int shift = 64 - grams.bucket_log;
	size_t n_looked_at = *end - grams.width + 1, n = find_places(set, text, &n_looked_at, places), n_hits = 0;
	struct search s = { set, text, begin, n_looked_at + grams.width - 1, hits };
	size_t most = most_places(set, n_looked_at), work = 0, last = begin;
	size_t most_length = grams.fold ? 0 : 2 * LW_SCAN_GRAM_BYTES; /* of patterns that need not be confirmed */
	struct entries some;
	struct found found;

	if (n > most)
		return SIZE_MAX;
	*end = s.end;
	most = 4 * most < LW_SCAN_BLOCK ? 4 * most : LW_SCAN_BLOCK; /* patterns compared */
	for (size_t i = 0; i < n;) {
		size_t first = i, n_found;
		int at_edge;

		some.n = 0;
		for (size_t stop = i + AT_ONCE < n ? i + AT_ONCE : n; i < stop; i++) {
			size_t hash = lw_scan_gram_hash(&grams, text + places[i]) >> shift;

			some.place[some.n] = places[i];
			some.at[some.n] = grams.bucket[hash];
			some.end[some.n] = grams.bucket[hash + 1];
			work += some.end[some.n] - some.at[some.n];
			some.n += some.at[some.n] < some.end[some.n];
		}
		if (LW_UNLIKELY(work > most))
			return SIZE_MAX;
		at_edge = places[first] < LW_SCAN_DIRECT_MAX || places[i - 1] + set->max_length > s.end;
		n_found = at_edge ? compare_entries(&s, &grams, 1, &some, &found)
		                  : compare_entries(&s, &grams, 0, &some, &found);
		for (size_t k = 0; k < n_found; k++) {
			uint32_t place = found.place[k], entry = found.entry[k];
			uint32_t pattern = entry >> LW_SCAN_GRAM_OFFSET_LOG, length = grams.ends[pattern].length;
			size_t match_end = place - (entry & (LW_SCAN_DIRECT_MAX - 1)) + length;

			if (LW_LIKELY((match_end > last) & (length <= most_length))) {
				last = match_end;
				hits[n_hits++] = (struct lw_scan_hit) { (uint32_t)(match_end - begin), pattern };
				continue;
			}
			n_hits = add_pattern(&s, pattern, match_end, n_hits, &work);
			if (LW_UNLIKELY(work > most))
				return SIZE_MAX;
			last = n_hits ? begin + hits[n_hits - 1].end : begin;
		}
	}
	return n_hits;
}
