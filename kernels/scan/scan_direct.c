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

/*
 * The pattern if it lies there, or else LW_SCAN_NONE. Sixteen bytes are compared here, case being ignored for more than
 * letters; or it may be another pattern with the same ends.
 */
LW_INLINE uint32_t pattern_at(const struct lanewise_scan_set *set, uint32_t pattern, const uint8_t *bytes)
{
	const struct lw_scan_grams *grams = &set->grams;
	const struct lw_scan_ends *ends = &grams->ends[pattern];
	uint64_t head = (lw_scan_gram_load(grams, bytes) ^ ends->head) & ends->mask;
	uint64_t tail = (lw_scan_gram_load(grams, bytes + ends->tail_at) ^ ends->tail) & ends->mask;

	if (LW_LIKELY((head | tail) != 0))
		return LW_SCAN_NONE;
	return ends->length > 2 * LW_SCAN_GRAM_BYTES || grams->fold ? confirm(set, bytes, ends->length) : pattern;
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

static size_t find_places(const struct lanewise_scan_set *set, const uint8_t *text, size_t n, uint16_t *places)
{
	const struct lw_scan_grams *grams = &set->grams;

	if (grams->near) {
		struct lw_scan_evens evens = lw_scan_evens_of(grams);

		return lw_kernels()->scan_evens(&evens, text, n, places);
	}
	if (!set->filter)
		return lanewise_scan_find_bits(grams, text, n, places);
	return lanewise_scan_keep_bits(grams, text, places,
	                               lw_kernels()->scan_candidates(set->filter, text + grams->delta, n, places));
}

size_t lanewise_scan_find_hits(const struct lanewise_scan_set *set, const uint8_t *text, size_t begin, size_t end,
                               uint16_t *places, struct lw_scan_hit *hits)
{
	const struct lw_scan_grams *grams = &set->grams;
	int shift = 64 - grams->bucket_log;
	size_t n_hits = 0, work = 0, most = end / (set->walks ? 64 : 16);
	size_t n = find_places(set, text, end - grams->width + 1, places);

	if (n > most)
		return SIZE_MAX;
	most *= 4; /* patterns compared */
	for (size_t i = 0; i < n; i++) {
		size_t place = places[i];
		uint64_t hash = lw_scan_gram_hash(grams, text + place) >> shift;
		uint32_t at = grams->bucket[hash], bucket_end = grams->bucket[hash + 1];

		work += bucket_end - at;
		if (LW_UNLIKELY(work > most))
			return SIZE_MAX;
		for (; at < bucket_end; at++) {
			uint32_t entry = grams->entry[at], pattern = entry >> LW_SCAN_GRAM_OFFSET_LOG;
			size_t offset = entry & (LW_SCAN_DIRECT_MAX - 1);
			size_t match_end = place - offset + grams->ends[pattern].length;

			if (offset > place || match_end <= begin || match_end > end)
				continue;
			pattern = pattern_at(set, pattern, text + place - offset);
			if (pattern != LW_SCAN_NONE)
				n_hits =
				        add_hit(set, hits, n_hits,
				                (struct lw_scan_hit) { (uint32_t)(match_end - begin), pattern }, &work);
		}
	}
	return n_hits;
}
