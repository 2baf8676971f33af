/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From places of grams to hits: the patterns that have a gram there are compared with the text. The automaton is needed for
 * long patterns only, and where case is ignored.
 *
 * Where several patterns end at one place the automaton's output is the longest of them and, of equal ones, the first;
 * so it is here.
 */
#include "scan/scan_set.h"

/* The first pattern of that length which lies there, by the automaton; LW_SCAN_NONE if there is none. */
static uint32_t confirm(const struct lanewise_scan_set *set, const uint8_t *bytes, uint32_t length)
{
	struct lw_scan_to to = { LW_SCAN_ROOT, LW_SCAN_NONE };
	uint32_t pattern;

	for (uint32_t i = 0; i < length; i++)
		to = lw_scan_step(set, to.state, bytes[i]);
	if (to.slot == LW_SCAN_NONE)
		return LW_SCAN_NONE;
	pattern = lw_scan_output(set, to.slot);
	return set->length[pattern] == length ? pattern : LW_SCAN_NONE;
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
	/* Of few places, which may happen to be close together. The quotients are measured: both ways take as long there. */
	enum { AT_LEAST = 16 };

	if (set->max_length <= LW_SCAN_SHORT_MAX)
		return AT_LEAST + n / 12;
	if (set->grams.near)
		return AT_LEAST + n / (lw_scan_rows_are_near(set->rows != NULL, set->n_words) ? 40 : 16);
	return AT_LEAST + n / (lw_scan_reads_fast(set) ? 64 : 16);
}

/* The text between `begin` and `end`, where hits are looked for, what else stays the same meanwhile, and what was found. */
struct search {
	const struct lanewise_scan_set *set;
	const uint8_t *text;
	size_t begin, end;
	struct lw_scan_hit *hits;
	const uint16_t *places;
	size_t most;         /* patterns to compare and hits to move, */
	size_t work;         /* and how many it were */
	size_t n_hits, last; /* where the last one ends */
};

/* Adds a pattern that has the same ends as the text, if it lies there; 0 if that became too much work. */
static LW_NOINLINE int add_pattern(struct search *s, uint32_t pattern, size_t match_end)
{
	const struct lw_scan_grams *grams = &s->set->grams;
	uint32_t length = grams->ends[pattern].length;

	if (match_end <= s->begin)
		return 1;
	if (length > 2 * LW_SCAN_GRAM_BYTES || grams->fold) {
		pattern = confirm(s->set, s->text + match_end - length, length);
		s->work += length / LW_SCAN_GRAM_BYTES;
	}
	if (pattern != LW_SCAN_NONE)
		s->n_hits = add_hit(s->set, s->hits, s->n_hits,
		                    (struct lw_scan_hit) { (uint32_t)(match_end - s->begin), pattern }, &s->work);
	s->last = s->n_hits ? s->begin + s->hits[s->n_hits - 1].end : s->begin;
	return s->work <= s->most;
}

enum { AT_ONCE = 64 /* places */ };

/* Places, and which patterns to compare with the text at each: those of grams.entry[at ... end). */
struct entries {
	uint32_t place[AT_ONCE], at[AT_ONCE], end[AT_ONCE];
	size_t n;
};

/* The patterns whose ends are those of the text, by entries at places; no more than LW_SCAN_BLOCK are compared. */
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

/* The hits at places [i, n); 0 if they became too much work. */
static LW_NOINLINE int take_places(struct search *s, size_t i, size_t n)
{
	const struct lw_scan_grams grams = s->set->grams; /* a copy, which writing hits does not change */
	int shift = 64 - grams.bucket_log;
	size_t most_length = grams.fold ? 0 : 2 * LW_SCAN_GRAM_BYTES; /* of patterns that need not be confirmed */
	struct entries some;
	struct found found;

	while (i < n) {
		size_t first = i, n_found;
		int at_edge;

		some.n = 0;
		for (size_t stop = i + AT_ONCE < n ? i + AT_ONCE : n; i < stop; i++) {
			size_t hash = lw_scan_gram_hash(&grams, s->text + s->places[i]) >> shift;

			some.place[some.n] = s->places[i];
			some.at[some.n] = grams.bucket[hash];
			some.end[some.n] = grams.bucket[hash + 1];
			s->work += some.end[some.n] - some.at[some.n];
			some.n += some.at[some.n] < some.end[some.n];
		}
		if (LW_UNLIKELY(s->work > s->most))
			return 0;
		at_edge = s->places[first] < LW_SCAN_DIRECT_MAX || s->places[i - 1] + s->set->max_length > s->end;
		n_found = at_edge ? compare_entries(s, &grams, 1, &some, &found)
		                  : compare_entries(s, &grams, 0, &some, &found);
		for (size_t k = 0; k < n_found; k++) {
			uint32_t entry = found.entry[k], pattern = entry >> LW_SCAN_GRAM_OFFSET_LOG;
			uint32_t length = grams.ends[pattern].length;
			size_t match_end = found.place[k] - (entry & (LW_SCAN_DIRECT_MAX - 1)) + length;

			if (LW_LIKELY((match_end > s->last) & (length <= most_length))) {
				s->last = match_end;
				s->hits[s->n_hits++] =
				        (struct lw_scan_hit) { (uint32_t)(match_end - s->begin), pattern };
			} else if (!add_pattern(s, pattern, match_end)) {
				return 0;
			}
		}
	}
	return 1;
}

/*
 * The same for short patterns in the right case, at places so far from both ends of the text that no pattern there
 * passes these. Such patterns match often: what a place costs is all that counts, and everything stays in registers.
 * Offsets in them are below LW_SCAN_SHORT_MAX, whatever a forged file says.
 */
static LW_NOINLINE int take_short(struct search *s, size_t i, size_t n)
{
	_Static_assert((LW_SCAN_SHORT_MAX & (LW_SCAN_SHORT_MAX - 1)) == 0, "offsets are cut to its bits");
	const struct lw_scan_grams *grams = &s->set->grams;
	const struct lw_scan_ends *ends = grams->ends;
	const uint32_t *bucket = grams->bucket, *entry = grams->entry;
	const uint16_t *place = s->places + i, *places_end = s->places + n;
	const uint8_t *text = s->text;
	struct lw_scan_hit *hit = s->hits + s->n_hits;
	uint64_t mask = grams->mask;
	size_t left = s->most - s->work, last = s->last, begin = s->begin;
	int shift = 64 - grams->bucket_log;

	for (; place < places_end; place++) {
		uint64_t hash = (lw_load_little_endian_64(text + *place) & mask) * LW_SCAN_GRAM_FACTOR >> shift;
		size_t at = bucket[hash], bucket_end = bucket[hash + 1], n_here = bucket_end - at;

		if (LW_UNLIKELY(n_here > left))
			return 0;
		left -= n_here;
		for (; at < bucket_end; at++) {
			uint32_t pattern = entry[at] >> LW_SCAN_GRAM_OFFSET_LOG;
			const struct lw_scan_ends *e = &ends[pattern];
			size_t match_begin = *place - (entry[at] & (LW_SCAN_SHORT_MAX - 1)), match_end;

			if ((lw_load_little_endian_64(text + match_begin) ^ e->head) & e->mask)
				continue;
			match_end = match_begin + e->length;
			if (LW_LIKELY(match_end > last)) {
				last = match_end;
				*hit++ = (struct lw_scan_hit) { (uint32_t)(match_end - begin), pattern };
				continue;
			}
			s->work = s->most - left;
			s->n_hits = (size_t)(hit - s->hits);
			if (!add_pattern(s, pattern, match_end))
				return 0;
			left = s->most - s->work;
			hit = s->hits + s->n_hits;
			last = s->last;
		}
	}
	s->work = s->most - left;
	s->n_hits = (size_t)(hit - s->hits);
	s->last = last;
	return 1;
}

size_t lanewise_scan_find_hits(const struct lanewise_scan_set *set, const uint8_t *text, size_t begin, size_t *end,
                               uint16_t *places, struct lw_scan_hit *hits)
{
	const struct lw_scan_grams *grams = &set->grams;
	size_t n_looked_at = *end - grams->width + 1, n = find_places(set, text, &n_looked_at, places);
	size_t most = most_places(set, n_looked_at), first = 0, inner_end = n;
	struct search s = { .set = set, .text = text, .begin = begin, .hits = hits, .places = places, .last = begin };

	if (n > most)
		return SIZE_MAX;
	*end = s.end = n_looked_at + grams->width - 1;
	if (n == 0)
		return 0;
	s.most = 4 * most < LW_SCAN_BLOCK ? 4 * most : LW_SCAN_BLOCK;
	if (set->max_length > LW_SCAN_SHORT_MAX || grams->fold)
		return take_places(&s, 0, n) ? s.n_hits : SIZE_MAX;
	while (first < n && places[first] < LW_SCAN_SHORT_MAX)
		first++;
	while (inner_end > first && (size_t)places[inner_end - 1] + LW_SCAN_SHORT_MAX > s.end)
		inner_end--;
	if (!take_places(&s, 0, first) || !take_short(&s, first, inner_end) || !take_places(&s, inner_end, n))
		return SIZE_MAX;
	return s.n_hits;
}
