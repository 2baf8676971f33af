/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/filter.h by definition, for tests: after every byte all marks are compared with the end of the text. What
 * comes out, of this and of the library, is written down as one string, in which neighbouring texts are one, so that
 * two runs can be compared whatever the cuts.
 */
#ifndef LW_FILTER_NAIVE_H
#define LW_FILTER_NAIVE_H

#include <lanewise/filter.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct filter_record {
	char *text;
	size_t n, capacity;
	int kind; /* of the text that goes on */
	unsigned depth, pair;
	uint64_t at; /* where in the stream */
	int wrong;   /* a part's place does not follow from the ones before */
};

static inline void record_bytes(struct filter_record *r, const void *bytes, size_t n)
{
	if (r->n + n > r->capacity)
		r->text = realloc(r->text, r->capacity = 2 * (r->n + n) + 64);
	if (n)
		memcpy(r->text + r->n, bytes, n);
	r->n += n;
}

static inline void record_part(struct filter_record *r, int kind, unsigned depth, unsigned pair, uint64_t begin,
                               const void *bytes, size_t n)
{
	char head[64];

	r->wrong |= begin != r->at;
	r->at += n;
	if (kind > LANEWISE_PART_INSIDE || r->n == 0 || kind != r->kind || depth != r->depth || pair != r->pair)
		record_bytes(r, head,
		             (size_t)snprintf(head, sizeof head, "\n%d depth %u pair %u: ", kind, depth, pair));
	record_bytes(r, bytes, n);
	r->kind = kind;
	r->depth = depth;
	r->pair = pair;
}

static inline int same_record(const struct filter_record *a, const struct filter_record *b)
{
	return !a->wrong && !b->wrong && a->n == b->n && (a->n == 0 || memcmp(a->text, b->text, a->n) == 0);
}

/* ----------------------------------------------------------- by definition */

struct filter_naive {
	const lanewise_filter_pair *pairs;
	size_t n_pairs;
	lanewise_filter_options options;
	unsigned open[LANEWISE_FILTER_DEPTH], depth;
	uint64_t inside;
	int limit_told;
};

static inline int naive_counts(const struct filter_naive *f, size_t pair, int is_end)
{
	if (is_end)
		return f->depth > 0 && (!f->options.own_end || f->open[f->depth - 1] == pair);
	return f->depth == 0 || f->options.nested;
}

static inline size_t naive_mark(const struct filter_naive *f, size_t i, const char **bytes)
{
	*bytes = i % 2 ? f->pairs[i / 2].end : f->pairs[i / 2].start;
	return i % 2 ? f->pairs[i / 2].end_bytes : f->pairs[i / 2].start_bytes;
}

/* The mark that text[from ... to) ends with, as 2 * pair + (1 for an end); -1: none. */
static inline int naive_found(const struct filter_naive *f, const char *text, size_t from, size_t to)
{
	int best = -1;
	size_t best_n = 0;

	for (int is_end = 1; is_end >= 0; is_end--)
		for (size_t pair = 0; pair < f->n_pairs; pair++) {
			const char *mark;
			size_t n = naive_mark(f, 2 * pair + (size_t)is_end, &mark);

			if (!is_end && f->depth == LANEWISE_FILTER_DEPTH)
				continue;
			if (naive_counts(f, pair, is_end) && n <= to - from && n > best_n &&
			    memcmp(text + to - n, mark, n) == 0) {
				best = (int)(2 * pair) + is_end;
				best_n = n;
			}
		}
	return best;
}

/* The most bytes at the end of text[from ... to) that a mark which counts begins with, and goes on from. */
static inline size_t naive_held(const struct filter_naive *f, const char *text, size_t from, size_t to)
{
	for (size_t held = to - from; held > 0; held--)
		for (size_t i = 0; i < 2 * f->n_pairs; i++) {
			const char *mark;
			size_t n = naive_mark(f, i, &mark);

			if (naive_counts(f, i / 2, i % 2) && n > held && memcmp(text + to - held, mark, held) == 0)
				return held;
		}
	return 0;
}

static inline void naive_text(struct filter_naive *f, struct filter_record *r, const char *text, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		unsigned pair = f->depth ? f->open[f->depth - 1] : 0;

		if (f->depth && f->options.max_inside && f->inside == f->options.max_inside && !f->limit_told) {
			record_part(r, LANEWISE_PART_LIMIT, f->depth, pair, i, NULL, 0);
			f->limit_told = 1;
		}
		f->inside += f->depth > 0;
		record_part(r, f->depth ? LANEWISE_PART_INSIDE : LANEWISE_PART_OUTSIDE, f->depth, pair, i, text + i, 1);
	}
}

/* Returns what is held back after text[0 ... n); with `finish` that is written down too. */
static inline size_t naive_filter(struct filter_naive *f, struct filter_record *r, const char *text, size_t n,
                                  int finish)
{
	size_t done = 0;

	for (size_t to = 1; to <= n; to++) {
		int mark = naive_found(f, text, done, to);

		if (mark < 0)
			continue;

		const char *bytes;
		unsigned pair = (unsigned)mark / 2;
		size_t length = naive_mark(f, (size_t)mark, &bytes);

		naive_text(f, r, text, done, to - length);
		if (mark % 2) {
			pair = f->open[--f->depth];
			record_part(r, LANEWISE_PART_END, f->depth, pair, to - length, bytes, length);
		} else {
			record_part(r, LANEWISE_PART_START, f->depth, pair, to - length, bytes, length);
			f->open[f->depth++] = pair;
		}
		if (f->depth == 0)
			f->inside = 0, f->limit_told = 0;
		done = to;
	}

	size_t held = finish ? 0 : naive_held(f, text, done, n);

	naive_text(f, r, text, done, n - held);
	return held;
}

/* ------------------------------------------------------------ the library */

static inline void record_ready(struct filter_record *r, lanewise_filtering *filtering)
{
	lanewise_part part;

	while (lanewise_filter_next(filtering, &part))
		record_part(r, part.kind, part.depth, part.pair, part.begin, part.bytes, part.n_bytes);
}

/* A piece in memory of exactly its size. */
static inline void record_piece(struct filter_record *r, lanewise_filtering *filtering, const char *bytes, size_t n)
{
	char *piece = malloc(n + (n == 0));

	if (n)
		memcpy(piece, bytes, n);
	lanewise_filter_feed(filtering, piece, n);
	record_ready(r, filtering);
	free(piece);
}

#endif
