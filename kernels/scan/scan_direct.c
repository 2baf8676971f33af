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
	struct lw_scan_to to = { LW_SCAN_ROOT, LW_SCAN_NONE };
	uint32_t pattern;

	for (uint32_t i = 0; i < length; i++)
		to = lw_scan_step(set, to.state, bytes[i]);
	if (to.slot == LW_SCAN_NONE)
		return LW_SCAN_NONE;
	pattern = lw_scan_output(set, to.slot);
	return set->length[pattern] == length ? pattern : LW_SCAN_NONE;
}

/* Whether a pattern does not lie there, by its first sixteen bytes, case being ignored for more than letters. */
LW_INLINE int differs(const struct lw_scan_grams *grams, const struct lw_scan_ends *ends, const uint8_t *bytes)
{
	uint64_t head = lw_scan_gram_load(grams, bytes) ^ ends->head;
	uint64_t tail = lw_scan_gram_load(grams, bytes + ends->tail_at) ^ ends->tail;

	return ((head | tail) & ends->mask) != 0;
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

		return lw_kernels()->scan_evens(&evens, text, *n, places);
	}
	if (!set->filter)
		return lanewise_scan_find_bits(grams, text, *n, places);
	n_found = lw_kernels()->scan_candidates(set->filter, text + grams->delta, n, LW_SCAN_ENOUGH, places);
	return set->filter->width == grams->width ? n_found : lanewise_scan_keep_bits(grams, text, places, n_found);
}

/* How many of n places may be such of grams so that comparing patterns there is better than the automaton. */
static size_t most_places(const struct lanewise_scan_set *set, size_t n)
{
	enum { AT_LEAST = 16 }; /* of few places, which may happen to be close together */

	if (set->max_length <= LW_SCAN_SHORT_MAX)
		return AT_LEAST + n / 12;
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

/* The hits at places [i, n); 0 if they became too much work. */
static LW_NOINLINE int take_places(struct search *s, size_t i, size_t n)
{
	const struct lw_scan_grams grams = s->set->grams; /* a copy, which writing hits does not change */
	int shift = 64 - grams.bucket_log;
	size_t most_length = grams.fold ? 0 : 2 * LW_SCAN_GRAM_BYTES; /* of patterns that need not be confirmed */

	for (; i < n; i++) {
		size_t place = s->places[i];
		uint64_t hash = lw_scan_gram_hash(&grams, s->text + place) >> shift;
		uint32_t at = grams.bucket[hash], bucket_end = grams.bucket[hash + 1];

		s->work += bucket_end - at;
		if (LW_UNLIKELY(s->work > s->most))
			return 0;
		for (; at < bucket_end; at++) {
			uint32_t entry = grams.entry[at], pattern = entry >> LW_SCAN_GRAM_OFFSET_LOG;
			const struct lw_scan_ends *ends = &grams.ends[pattern];
			size_t offset = entry & (LW_SCAN_DIRECT_MAX - 1), match_end = place - offset + ends->length;

			if (LW_UNLIKELY((offset > place) | (match_end > s->end)) ||
			    differs(&grams, ends, s->text + place - offset))
				continue;
			if (LW_LIKELY((match_end > s->last) & (ends->length <= most_length))) {
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
