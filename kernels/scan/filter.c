/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/filter.h: one automaton (scan_set.h) for the marks that count outside of spans and one, or with own_end one for
 * each pair, for those that count inside. A mark found changes automata, and the new one begins behind it.
 *
 * What is held back is the automaton's state: as many bytes as its reach may be the beginning of a mark, and no more can
 * be. These bytes are kept when a piece ends, since the next one may show that they are text after all.
 */
#include <lanewise/filter.h>

#include "scan/scan_set.h"

#include "support.h"

enum { MAX_CONTEXTS = LANEWISE_FILTER_PAIRS + 1 };

/*
 * Marks that are looked for together: in context 0 the starts, in the others the ends (one or all of them), then with
 * `nested` the starts. As ends come first, a mark that is both is an end.
 */
struct context {
	lanewise_scan_set *set;
	uint32_t n_ends;
	int first_byte; /* the only one that a mark begins with, or -1 */
};

struct lanewise_filter {
	struct context contexts[MAX_CONTEXTS];
	lanewise_filter_pair pairs[LANEWISE_FILTER_PAIRS]; /* their bytes lie behind this struct */
	uint32_t n_pairs, n_contexts, max_mark;
	int32_t own_end, nested;
	uint64_t max_inside;
	lanewise_allocator allocator;
	int own_allocator;
	size_t n_bytes;
};

struct lanewise_filtering {
	const lanewise_filter *filter;
	const uint8_t *piece;
	size_t n, at;
	uint64_t piece_begin, released, text_end; /* offsets: text up to text_end may go; it has, up to released */

	const struct context *context;
	uint32_t state; /* of its automaton */
	uint32_t mark;  /* found, and to be told when the text before it has gone; or LW_SCAN_NONE */
	int32_t finished, limit_told;
	uint64_t n_inside;

	uint32_t depth;
	uint8_t open[LANEWISE_FILTER_DEPTH]; /* the pairs of open spans */
	size_t n_held;
	uint8_t held[]; /* the last bytes before the piece */
};

const lanewise_filter_pair *lanewise_filter_think_pairs(size_t *n_pairs)
{
#define PAIR(start, end) { start, sizeof start - 1, end, sizeof end - 1 }
	static const lanewise_filter_pair pairs[] = {
		PAIR("<think>", "</think>"),
		PAIR("<|begin_of_thinking|>", "<|end_of_thinking|>"),
		PAIR("<\xef\xbd\x9c"
		     "begin\xe2\x96\x81of\xe2\x96\x81thinking\xef\xbd\x9c>",
		     "<\xef\xbd\x9c"
		     "end\xe2\x96\x81of\xe2\x96\x81thinking\xef\xbd\x9c>"),
	};
#undef PAIR

	*n_pairs = sizeof pairs / sizeof *pairs;
	return pairs;
}

/* ---------------------------------------------------------------- filters */

/* Which mark a context's pattern is, for messages. */
static void name_mark(const struct context *context, uint32_t first_pair, uint32_t pattern, char name[40])
{
	int is_end = pattern < context->n_ends;

	snprintf(name, 40, "the %s of pair %u", is_end ? "end" : "start",
	         (unsigned)(is_end ? first_pair + pattern : pattern - context->n_ends));
}

/* A mark with another inside, which is recognised first, can never be found. */
static lanewise_status check_marks(const struct context *context, uint32_t first_pair, const lanewise_pattern *marks,
                                   size_t n_marks, lanewise_error *error)
{
	for (uint32_t m = 0; m < n_marks; m++) {
		struct lw_scan_to to = { LW_SCAN_ROOT, LW_SCAN_NONE };

		for (size_t i = 0; i + 1 < marks[m].n_bytes; i++) {
			to = lw_scan_step(context->set, to.state, ((const uint8_t *)marks[m].bytes)[i]);
			if (to.slot != LW_SCAN_NONE) {
				char inner[40], outer[40];

				name_mark(context, first_pair, lw_scan_output(context->set, to.slot), inner);
				name_mark(context, first_pair, m, outer);
				return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
				               "%s can never be found, since it contains %s", outer, inner);
			}
		}
	}
	return LANEWISE_OK;
}

/* Adds the context of the ends of pairs [first, first + n_ends) and, with `starts`, the starts of all. */
static lanewise_status add_context(lanewise_filter *filter, uint32_t first, uint32_t n_ends, int starts,
                                   lanewise_error *error)
{
	lanewise_pattern marks[2 * LANEWISE_FILTER_PAIRS];
	struct context *context = &filter->contexts[filter->n_contexts];
	size_t n = 0;

	for (uint32_t i = first; i < first + n_ends; i++)
		marks[n++] = (lanewise_pattern) { filter->pairs[i].end, filter->pairs[i].end_bytes };
	for (uint32_t i = 0; starts && i < filter->n_pairs; i++)
		marks[n++] = (lanewise_pattern) { filter->pairs[i].start, filter->pairs[i].start_bytes };

	lanewise_status status = lanewise_scan_set_create(
	        marks, n, NULL, filter->own_allocator ? &filter->allocator : NULL, &context->set, error);

	if (status != LANEWISE_OK)
		return status;
	filter->n_contexts++;
	context->n_ends = n_ends;
	context->first_byte = *(const uint8_t *)marks[0].bytes;
	for (size_t i = 1; i < n; i++)
		if (*(const uint8_t *)marks[i].bytes != context->first_byte)
			context->first_byte = -1;
	return check_marks(context, first, marks, n, error);
}

static lanewise_status add_contexts(lanewise_filter *filter, lanewise_error *error)
{
	lanewise_status status = add_context(filter, 0, 0, 1, error);

	if (!filter->own_end)
		return status == LANEWISE_OK ? add_context(filter, 0, filter->n_pairs, filter->nested, error) : status;
	for (uint32_t i = 0; status == LANEWISE_OK && i < filter->n_pairs; i++)
		status = add_context(filter, i, 1, filter->nested, error);
	return status;
}

static lanewise_status check_pairs(const lanewise_filter_pair *pairs, size_t n_pairs, size_t *total, uint32_t *longest,
                                   lanewise_error *error)
{
	if (!pairs || n_pairs == 0)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "a filter needs at least one pair");
	if (n_pairs > LANEWISE_FILTER_PAIRS)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET,
		               "%zu pairs; a filter has at most %d", n_pairs, LANEWISE_FILTER_PAIRS);
	for (size_t i = 0; i < 2 * n_pairs; i++) {
		const lanewise_filter_pair *pair = &pairs[i / 2];
		const char *which = i % 2 ? "end" : "start";
		size_t n = i % 2 ? pair->end_bytes : pair->start_bytes;

		if (n == 0 || !(i % 2 ? pair->end : pair->start))
			return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "the %s of pair %zu is %s",
			               which, i / 2, n == 0 ? "empty" : "NULL");
		if (n > LANEWISE_FILTER_MARK_BYTES)
			return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET,
			               "the %s of pair %zu has %zu bytes; the limit is %d", which, i / 2, n,
			               LANEWISE_FILTER_MARK_BYTES);
		*total += n;
		if (n > *longest)
			*longest = (uint32_t)n;
	}
	return LANEWISE_OK;
}

static void copy_pairs(lanewise_filter *filter, const lanewise_filter_pair *pairs)
{
	char *bytes = (char *)(filter + 1);

	for (uint32_t i = 0; i < filter->n_pairs; i++) {
		filter->pairs[i] = (lanewise_filter_pair) { bytes, pairs[i].start_bytes, bytes + pairs[i].start_bytes,
			                                    pairs[i].end_bytes };
		memcpy(bytes, pairs[i].start, pairs[i].start_bytes);
		memcpy(bytes + pairs[i].start_bytes, pairs[i].end, pairs[i].end_bytes);
		bytes += pairs[i].start_bytes + pairs[i].end_bytes;
	}
}

lanewise_status lanewise_filter_create(const lanewise_filter_pair *pairs, size_t n_pairs,
                                       const lanewise_filter_options *options, const lanewise_allocator *allocator,
                                       lanewise_filter **out, lanewise_error *error)
{
	size_t total = 0;
	uint32_t longest = 0;

	if (!out || (options && options->struct_size != sizeof *options))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               out ? "options: unknown struct_size" : "filter is NULL");
	*out = NULL;

	lanewise_status status = check_pairs(pairs, n_pairs, &total, &longest, error);

	if (status != LANEWISE_OK)
		return status;

	size_t n_bytes = sizeof(lanewise_filter) + total;
	lanewise_filter *filter = lw_allocate(allocator, n_bytes);

	if (!filter)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for a filter");
	memset(filter, 0, sizeof *filter);
	filter->n_bytes = n_bytes;
	filter->n_pairs = (uint32_t)n_pairs;
	filter->max_mark = longest;
	if (allocator) {
		filter->allocator = *allocator;
		filter->own_allocator = 1;
	}
	if (options) {
		filter->own_end = options->own_end;
		filter->nested = options->nested;
		filter->max_inside = options->max_inside;
	}
	copy_pairs(filter, pairs);
	status = add_contexts(filter, error);
	if (status != LANEWISE_OK)
		lanewise_filter_destroy(filter);
	else
		*out = filter;
	return status;
}

void lanewise_filter_destroy(lanewise_filter *filter)
{
	if (!filter)
		return;

	lanewise_allocator allocator = filter->allocator;

	for (uint32_t i = 0; i < filter->n_contexts; i++)
		lanewise_scan_set_destroy(filter->contexts[i].set);
	lw_release(filter->own_allocator ? &allocator : NULL, filter, filter->n_bytes);
}

/* ---------------------------------------------------------------- streams */

size_t lanewise_filter_scratch_size(const lanewise_filter *filter)
{
	_Static_assert(sizeof(struct lanewise_filtering) + LANEWISE_FILTER_MARK_BYTES < 2048, "as filter.h promises");
	return sizeof(struct lanewise_filtering) + filter->max_mark;
}

static void enter_context(lanewise_filtering *f)
{
	const lanewise_filter *filter = f->filter;
	uint32_t number = 0;

	if (f->depth > 0)
		number = 1 + (filter->own_end ? f->open[f->depth - 1] : 0);
	f->context = &filter->contexts[number];
	f->state = LW_SCAN_ROOT;
}

lanewise_filtering *lanewise_filter_begin(const lanewise_filter *filter, void *scratch)
{
	if (!filter || !scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT)
		return NULL;

	lanewise_filtering *f = scratch;

	memset(f, 0, sizeof *f);
	f->filter = filter;
	f->mark = LW_SCAN_NONE;
	enter_context(f);
	return f;
}

void lanewise_filter_feed(lanewise_filtering *f, const char *bytes, size_t n_bytes)
{
	LW_ASSERT(f->at == f->n && f->mark == LW_SCAN_NONE && !f->finished);
	f->piece = (const uint8_t *)bytes;
	f->n = n_bytes;
	f->at = 0;
}

void lanewise_filter_finish(lanewise_filtering *f)
{
	LW_ASSERT(f->at == f->n && f->mark == LW_SCAN_NONE);
	f->finished = 1;
}

/* A start where no deeper span may begin is text, and what else ends there is shorter and a start too, or an end. */
static uint32_t allowed_mark(const lanewise_filtering *f, uint32_t mark)
{
	while (mark != LW_SCAN_NONE && mark >= f->context->n_ends && f->depth == LANEWISE_FILTER_DEPTH)
		mark = f->context->set->next_output[mark];
	return mark;
}

/* Reads until a mark is found or the piece ends. */
static void find_mark(lanewise_filtering *f)
{
	const struct lanewise_scan_set *set = f->context->set;
	const uint8_t *piece = f->piece;
	size_t at = f->at, n = f->n;
	uint32_t state = f->state, mark = LW_SCAN_NONE;

	while (at < n && mark == LW_SCAN_NONE) {
		if (state == LW_SCAN_ROOT && f->context->first_byte >= 0) {
			const uint8_t *next = memchr(piece + at, f->context->first_byte, n - at);

			if (!next) {
				at = n;
				break;
			}
			at = (size_t)(next - piece);
		}

		struct lw_scan_to to = lw_scan_step(set, state, piece[at++]);

		state = to.state;
		if (to.slot != LW_SCAN_NONE)
			mark = allowed_mark(f, lw_scan_output(set, to.slot));
	}
	f->state = state;
	f->at = at;
	f->mark = mark;
	f->text_end = f->piece_begin + at - (mark != LW_SCAN_NONE ? set->length[mark] : lw_scan_reach(set, state));
}

static uint32_t open_pair(const lanewise_filtering *f) { return f->depth > 0 ? f->open[f->depth - 1] : 0; }

/* The text from `released` that is in one place, up to where the limit is to be told. */
static void give_text(lanewise_filtering *f, lanewise_part *part)
{
	uint64_t n = f->text_end - f->released;

	*part = (lanewise_part) { .kind = f->depth > 0 ? LANEWISE_PART_INSIDE : LANEWISE_PART_OUTSIDE };
	part->depth = f->depth;
	part->pair = open_pair(f);
	part->begin = f->released;
	if (f->released >= f->piece_begin) {
		part->bytes = (const char *)f->piece + (f->released - f->piece_begin);
	} else {
		uint64_t before = f->piece_begin - f->released;

		part->bytes = (const char *)f->held + (f->n_held - before);
		n = n < before ? n : before;
	}
	if (f->depth > 0 && f->filter->max_inside && !f->limit_told) {
		uint64_t room = f->filter->max_inside - f->n_inside;

		if (room == 0) {
			part->kind = LANEWISE_PART_LIMIT;
			n = 0;
			f->limit_told = 1;
		}
		n = n < room ? n : room;
	}
	part->n_bytes = (size_t)n;
	f->released += n;
	f->n_inside += f->depth > 0 ? n : 0;
}

static void give_mark(lanewise_filtering *f, lanewise_part *part)
{
	const struct context *context = f->context;
	uint32_t mark = f->mark;
	const lanewise_filter_pair *pairs = f->filter->pairs;
	int is_end = mark < context->n_ends;

	*part = (lanewise_part) { .kind = is_end ? LANEWISE_PART_END : LANEWISE_PART_START, .begin = f->released };
	if (is_end) {
		const lanewise_filter_pair *closed_by = &pairs[f->filter->own_end ? open_pair(f) : mark];

		part->pair = open_pair(f);
		part->bytes = closed_by->end;
		part->n_bytes = closed_by->end_bytes;
		part->depth = --f->depth;
	} else {
		part->pair = mark - context->n_ends;
		part->bytes = pairs[part->pair].start;
		part->n_bytes = pairs[part->pair].start_bytes;
		part->depth = f->depth;
		f->open[f->depth++] = (uint8_t)part->pair;
	}
	f->released += part->n_bytes;
	f->mark = LW_SCAN_NONE;
	if (f->depth == 0) {
		f->n_inside = 0;
		f->limit_told = 0;
	}
	enter_context(f);
}

/* Keeps the bytes of the piece, and of those held before it, that were not released. */
static void leave_piece(lanewise_filtering *f)
{
	uint64_t end = f->piece_begin + f->n;
	size_t n_held = (size_t)(end - f->released), from_piece = n_held < f->n ? n_held : f->n,
	       still = n_held - from_piece;

	LW_ASSERT(n_held <= f->filter->max_mark);
	memmove(f->held, f->held + (f->n_held - still), still);
	if (from_piece)
		memcpy(f->held + still, f->piece + (f->n - from_piece), from_piece);
	f->n_held = n_held;
	f->piece_begin = end;
	f->piece = NULL;
	f->n = f->at = 0;
}

int32_t lanewise_filter_next(lanewise_filtering *f, lanewise_part *part)
{
	for (;;) {
		if (f->released < f->text_end) {
			give_text(f, part);
			return 1;
		}
		if (f->mark != LW_SCAN_NONE) {
			give_mark(f, part);
			return 1;
		}
		if (f->at == f->n)
			break;
		find_mark(f);
	}
	leave_piece(f);
	if (f->finished && f->n_held > 0) {
		f->text_end = f->piece_begin;
		give_text(f, part);
		return 1;
	}
	return 0;
}

uint32_t lanewise_filter_depth(const lanewise_filtering *f) { return f->depth; }

size_t lanewise_filter_n_held(const lanewise_filtering *f) { return f->n_held; }

lanewise_status lanewise_filter_cut(const lanewise_filter *filter, const char *text, size_t n_bytes, void *scratch,
                                    char *out, size_t *n_out, uint32_t *open)
{
	lanewise_filtering *f = lanewise_filter_begin(filter, scratch);
	lanewise_part part;
	size_t n = 0;

	if (!f || !n_out || (n_bytes > 0 && (!text || !out)))
		return LANEWISE_ERROR_ARGUMENT;
	lanewise_filter_feed(f, text, n_bytes);
	for (int last = 0; last < 2; last++) {
		while (lanewise_filter_next(f, &part))
			if (part.kind == LANEWISE_PART_OUTSIDE) {
				memmove(out + n, part.bytes, part.n_bytes);
				n += part.n_bytes;
			}
		lanewise_filter_finish(f);
	}
	*n_out = n;
	if (open)
		*open = f->depth;
	return LANEWISE_OK;
}
