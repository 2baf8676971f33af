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

	if (LW_LIKELY(n == 0 || hits[n - 1].end < hit.end)) {
		hits[n] = hit;
		return n + 1;
	}
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
	if (set->max_length <= LW_SCAN_SHORT_MAX)
		return n / 12;
	return n / (set->all_rows ? 64 : 16);
}

size_t lanewise_scan_find_hits(const struct lanewise_scan_set *set, const uint8_t *text, size_t begin, size_t *end,
                               uint16_t *places, struct lw_scan_hit *hits)
{
	const struct lw_scan_grams grams = set->grams; /* a copy, which writing hits does not change */
	int shift = 64 - grams.bucket_log;
	size_t n_looked_at = *end - grams.width + 1, n = find_places(set, text, &n_looked_at, places);
	size_t most = most_places(set, n_looked_at), n_hits = 0, work = 0, last = n_looked_at + grams.width - 1;

	if (n > most)
		return SIZE_MAX;
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

			if (LW_UNLIKELY(offset > place || match_end <= begin || match_end > last) ||
			    differs(&grams, ends, text + place - offset))
				continue;
			if (ends->length > 2 * LW_SCAN_GRAM_BYTES || grams.fold)
				pattern = confirm(set, text + place - offset, ends->length);
			if (pattern != LW_SCAN_NONE)
				n_hits =
				        add_hit(set, hits, n_hits,
				                (struct lw_scan_hit) { (uint32_t)(match_end - begin), pattern }, &work);
		}
	}
	*end = last;
	return n_hits;
}
