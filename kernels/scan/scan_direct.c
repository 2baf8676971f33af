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

size_t lanewise_scan_find_hits(const struct lanewise_scan_set *set, const uint8_t *text, size_t begin, size_t *end,
                               uint16_t *places, struct lw_scan_hit *hits)
{
	const struct lw_scan_grams grams = set->grams; /* a copy, which writing hits does not change */
	int shift = 64 - grams.bucket_log;
	size_t n_looked_at = *end - grams.width + 1, n = find_places(set, text, &n_looked_at, places), n_hits = 0;
	struct search s = { set, text, begin, n_looked_at + grams.width - 1, hits };
	size_t most = most_places(set, n_looked_at), work = 0, last = begin;
	size_t most_length = grams.fold ? 0 : 2 * LW_SCAN_GRAM_BYTES; /* of patterns that need not be confirmed */

	if (n > most)
		return SIZE_MAX;
	*end = s.end;
	most = 4 * most < LW_SCAN_BLOCK ? 4 * most : LW_SCAN_BLOCK; /* patterns compared */
	for (size_t i = 0; i < n; i++) {
		size_t place = places[i];
		uint64_t hash = lw_scan_gram_hash(&grams, text + place) >> shift;
		uint32_t at = grams.bucket[hash], bucket_end = grams.bucket[hash + 1];

		work += bucket_end - at;
		if (LW_UNLIKELY(work > most))
			return SIZE_MAX;
		for (; at < bucket_end; at++) {
			uint32_t entry = grams.entry[at], pattern = entry >> LW_SCAN_GRAM_OFFSET_LOG;
			const struct lw_scan_ends *ends = &grams.ends[pattern];
			size_t offset = entry & (LW_SCAN_DIRECT_MAX - 1), match_end = place - offset + ends->length;

			if (LW_UNLIKELY((offset > place) | (match_end > s.end)) ||
			    differs(&grams, ends, text + place - offset))
				continue;
			if (LW_LIKELY((match_end > last) & (ends->length <= most_length))) {
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
