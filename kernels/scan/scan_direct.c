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
	return AT_LEAST + n / (set->all_rows ? 64 : 16);
}

/* A search for hits under way. */
struct search {
	const struct lanewise_scan_set *set;
	const uint8_t *text;
	size_t begin, end;
	struct lw_scan_hit *hits;
	size_t work, most; /* patterns compared */
};

/* Compares all patterns of a bucket, that is grams.entry[at ... bucket_end), at a place. How many hits there are now. */
static LW_NOINLINE size_t compare_all(struct search *s, size_t place, uint32_t at, uint32_t bucket_end, size_t n_hits)
{
	const struct lw_scan_grams *grams = &s->set->grams;

	s->work += bucket_end - at;
	for (; at < bucket_end && s->work <= s->most; at++) {
		uint32_t entry = grams->entry[at], pattern = entry >> LW_SCAN_GRAM_OFFSET_LOG;
		const struct lw_scan_ends *ends = &grams->ends[pattern];
		size_t offset = entry & (LW_SCAN_DIRECT_MAX - 1), match_end = place - offset + ends->length;
		const uint8_t *bytes;

		if (offset > place || match_end <= s->begin || match_end > s->end)
			continue;
		bytes = s->text + place - offset;
		if (differs(grams, ends, bytes))
			continue;
		if (ends->length > 2 * LW_SCAN_GRAM_BYTES || grams->fold)
			pattern = confirm(s->set, bytes, ends->length);
		if (pattern != LW_SCAN_NONE)
			n_hits = add_hit(s->set, s->hits, n_hits,
			                 (struct lw_scan_hit) { (uint32_t)(match_end - s->begin), pattern }, &s->work);
	}
	return n_hits;
}

size_t lanewise_scan_find_hits(const struct lanewise_scan_set *set, const uint8_t *text, size_t begin, size_t *end,
                               uint16_t *places, struct lw_scan_hit *hits)
{
	const struct lw_scan_grams grams = set->grams; /* a copy, which writing hits does not change */
	int shift = 64 - grams.bucket_log;
	size_t n_looked_at = *end - grams.width + 1, n = find_places(set, text, &n_looked_at, places), n_hits = 0;
	struct search s = { set, text, begin, n_looked_at + grams.width - 1, hits, n, most_places(set, n_looked_at) };
	size_t most_length = grams.fold ? 0 : 2 * LW_SCAN_GRAM_BYTES, last = begin;

	if (n > s.most)
		return SIZE_MAX;
	*end = s.end;
	s.most = 4 * s.most < LW_SCAN_BLOCK ? 4 * s.most : LW_SCAN_BLOCK;
	for (size_t i = 0; i < n; i++) {
		size_t place = places[i];
		uint64_t hash = lw_scan_gram_hash(&grams, text + place) >> shift;
		uint32_t at = grams.bucket[hash], bucket_end = grams.bucket[hash + 1];

		if (LW_LIKELY(bucket_end - at ==
		              1)) { /* and what follows is what compare_all does, where it is simple */
			uint32_t entry = grams.entry[at], pattern = entry >> LW_SCAN_GRAM_OFFSET_LOG;
			const struct lw_scan_ends *ends = &grams.ends[pattern];
			size_t offset = entry & (LW_SCAN_DIRECT_MAX - 1), match_end = place - offset + ends->length;

			if (offset <= place && differs(&grams, ends, text + place - offset))
				continue;
			if (LW_LIKELY((offset <= place) & (match_end > last) & (match_end <= s.end) &
			              (ends->length <= most_length))) {
				last = match_end;
				hits[n_hits++] = (struct lw_scan_hit) { (uint32_t)(match_end - begin), pattern };
				continue;
			}
		}
		n_hits = compare_all(&s, place, at, bucket_end, n_hits);
		last = n_hits ? begin + hits[n_hits - 1].end : begin;
		if (LW_UNLIKELY(s.work > s.most))
			return SIZE_MAX;
	}
	return n_hits;
}
