/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scanning by definition, for tests: every pattern is compared at every place, and the semantics of lanewise/scan.h
 * choose from all matches by searching for the best, again and again.
 */
#ifndef LW_SCAN_NAIVE_H
#define LW_SCAN_NAIVE_H

#include <lanewise/scan.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct naive_case {
	const lanewise_pattern *patterns;
	size_t n_patterns;
	const unsigned char *text;
	size_t n;
	int ignore_case;
	lanewise_scan_options options;
};

static inline int naive_fold(int byte, int ignore_case)
{
	return ignore_case && byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
}

static inline int naive_equal(const struct naive_case *c, const void *pattern, size_t at, size_t n)
{
	const unsigned char *p = pattern;

	for (size_t i = 0; i < n; i++)
		if (naive_fold(p[i], c->ignore_case) != naive_fold(c->text[at + i], c->ignore_case))
			return 0;
	return 1;
}

static inline int naive_is_word(int byte) { return byte < 128 && (isalnum(byte) || byte == '_'); }

static inline int naive_is_match(const struct naive_case *c, size_t pattern, size_t begin)
{
	size_t n = c->patterns[pattern].n_bytes, end = begin + n;

	if (end > c->n || !naive_equal(c, c->patterns[pattern].bytes, begin, n))
		return 0;
	if (!c->options.whole_word)
		return 1;
	return !(begin > 0 && naive_is_word(c->text[begin - 1])) && !(end < c->n && naive_is_word(c->text[end]));
}

static inline int naive_by_end(const void *left, const void *right)
{
	const lanewise_match *a = left, *b = right;

	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	if (a->begin != b->begin)
		return a->begin < b->begin ? -1 : 1;
	return (a->pattern > b->pattern) - (a->pattern < b->pattern);
}

/* Whether a is preferred to b. */
static inline int naive_better(int semantics, const lanewise_match *a, const lanewise_match *b)
{
	if (semantics == LANEWISE_SCAN_STANDARD)
		return naive_by_end(a, b) < 0;
	if (a->begin != b->begin)
		return a->begin < b->begin;
	if (semantics == LANEWISE_SCAN_LEFTMOST_LONGEST && a->end != b->end)
		return a->end > b->end;
	return a->pattern < b->pattern;
}

/* The expected matches, to be freed; their number into n_matches. */
static inline lanewise_match *naive_scan(const struct naive_case *c, size_t *n_matches)
{
	size_t n = 0, capacity = 64, n_chosen = 0;
	lanewise_match *all = malloc(capacity * sizeof *all);
	uint64_t free_from = 0;

	for (size_t begin = 0; begin < c->n; begin++)
		for (size_t i = 0; i < c->n_patterns; i++)
			if (naive_is_match(c, i, begin)) {
				if (n == capacity)
					all = realloc(all, (capacity *= 2) * sizeof *all);
				all[n++] = (lanewise_match) { begin, begin + c->patterns[i].n_bytes, (uint32_t)i, 0 };
			}
	qsort(all, n, sizeof *all, naive_by_end);
	*n_matches = n;
	if (c->options.semantics == LANEWISE_SCAN_OVERLAPPING)
		return all;

	lanewise_match *chosen = malloc((n + 1) * sizeof *chosen);

	for (;;) {
		const lanewise_match *best = NULL;

		for (size_t i = 0; i < n; i++)
			if (all[i].begin >= free_from && (!best || naive_better(c->options.semantics, &all[i], best)))
				best = &all[i];
		if (!best)
			break;
		chosen[n_chosen++] = *best;
		free_from = best->end;
	}
	free(all);
	*n_matches = n_chosen;
	return chosen;
}

/* Where the longest text that text[0 ... end) ends with begins of which a pattern is more, or which is one and waits for
 * the byte behind. */
static inline uint64_t naive_safe(const struct naive_case *c, size_t end)
{
	for (size_t begin = 0; begin < end; begin++)
		for (size_t i = 0; i < c->n_patterns; i++)
			if (c->patterns[i].n_bytes + (c->options.whole_word != 0) > end - begin &&
			    naive_equal(c, c->patterns[i].bytes, begin, end - begin))
				return begin;
	return end;
}

/* ------------------------------------------------------------ the library */

/* A scan whose matches are compared with the expected ones as they come. */
struct naive_run {
	const struct naive_case *c;
	const lanewise_match *expected;
	size_t n_expected, at, capacity;
	lanewise_scan *scan;
	int failed;
};

static inline void naive_take(struct naive_run *run)
{
	lanewise_match matches[16];
	size_t n;

	while ((n = lanewise_scan_next(run->scan, matches, run->capacity)) > 0) {
		if (n > run->n_expected - run->at ||
		    memcmp(matches, run->expected + run->at, n * sizeof *matches) != 0) {
			run->failed = 1;
			return;
		}
		run->at += n;
	}
}

/* Feeds text[begin ... end) from memory of exactly its size. */
static inline void naive_feed(struct naive_run *run, size_t begin, size_t end)
{
	unsigned char *piece = malloc(end - begin + (end == begin));

	if (run->failed) {
		free(piece);
		return;
	}
	memcpy(piece, run->c->text + begin, end - begin);
	lanewise_scan_feed(run->scan, piece, end - begin);
	naive_take(run);
	free(piece);
	/* What was given must be all that is certain. */
	for (size_t i = run->at; i < run->n_expected; i++)
		if (run->expected[i].begin < lanewise_scan_safe(run->scan))
			run->failed = 1;
}

static inline int naive_end(struct naive_run *run)
{
	if (!run->failed) {
		lanewise_scan_finish(run->scan);
		naive_take(run);
	}
	return !run->failed && run->at == run->n_expected && lanewise_scan_safe(run->scan) == run->c->n;
}

static inline struct naive_run naive_begin(const struct naive_case *c, const lanewise_match *expected,
                                           size_t n_expected, const lanewise_scan_set *set, void *scratch,
                                           size_t capacity)
{
	struct naive_run run = { c, expected, n_expected, 0, capacity, NULL, 0 };

	run.scan = lanewise_scan_begin(set, &c->options, scratch);
	run.failed = run.scan == NULL;
	return run;
}

static inline void *naive_scratch(const lanewise_scan_set *set)
{
	return aligned_alloc(64, (lanewise_scan_scratch_size(set) + 63) / 64 * 64);
}

#endif
