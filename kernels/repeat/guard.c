/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The repetition guard of lanewise/repeat.h. Bytes are only collected until a check is due; a check normalises the
 * window, segment by segment, counts segments in a small hash table, and then looks for the last block in the normalised
 * window.
 */
#define _GNU_SOURCE /* memmem */
#include <lanewise/dedup.h>
#include <lanewise/repeat.h>

#include <string.h>

#include "common.h"
#include "dedup/whitespace.h"

enum { MAX_WINDOW = 1 << 20, NORMAL_PAD = 64 };

static const uint32_t normal_form =
        LANEWISE_NORMALIZE_COLLAPSE | LANEWISE_NORMALIZE_LOWER | LANEWISE_NORMALIZE_TRIM | LANEWISE_WHITESPACE_PYTHON;

/* Without LANEWISE_NORMALIZE_FOLD nothing grows. */
static size_t normal_room(size_t n_bytes) { return n_bytes + NORMAL_PAD; }

/* A segment that occurs in the window, in its normal form at `normal`. */
struct segment {
	uint64_t hash;
	size_t normal, n_bytes, begin, end; /* as first written in the window */
	uint32_t count;                     /* 0: the place is free */
};

struct lanewise_guard {
	lanewise_guard_options options;
	lanewise_guard_repeat repeat;
	uint64_t n_read;     /* of the text */
	size_t n_tail;       /* in `tail` */
	size_t normal_bytes; /* room in `normal` */
	size_t n_places;     /* in `segments`, a power of two */
	char *tail;          /* two windows, the last bytes of the text */
	char *normal, *block;
	struct segment *segments;
};

static int set_options(lanewise_guard_options *to, const lanewise_guard_options *from)
{
	static const lanewise_guard_options defaults = { sizeof defaults, 4000, 512, 24, 6, 256, 3 };

	*to = defaults;
	if (!from)
		return 1;
	if (from->struct_size != sizeof *from)
		return 0;
	to->window_bytes = from->window_bytes ? from->window_bytes : to->window_bytes;
	to->check_every = from->check_every ? from->check_every : to->check_every;
	to->min_segment = from->min_segment ? from->min_segment : to->min_segment;
	to->segment_repeats = from->segment_repeats ? from->segment_repeats : to->segment_repeats;
	to->block_bytes = from->block_bytes ? from->block_bytes : to->block_bytes;
	to->block_repeats = from->block_repeats ? from->block_repeats : to->block_repeats;
	return to->window_bytes <= MAX_WINDOW && to->block_bytes <= to->window_bytes;
}

static size_t places_for(const lanewise_guard_options *options)
{
	size_t most = options->window_bytes / options->min_segment + 1, n = 16;

	while (n < 2 * most)
		n *= 2;
	return n;
}

size_t lanewise_guard_scratch_size(const lanewise_guard_options *options)
{
	lanewise_guard_options o;

	if (!set_options(&o, options))
		return 0;
	return sizeof(struct lanewise_guard) + places_for(&o) * sizeof(struct segment) + 2 * (size_t)o.window_bytes +
	       normal_room(o.window_bytes) + normal_room(o.block_bytes);
}

lanewise_guard *lanewise_guard_begin(void *scratch, const lanewise_guard_options *options)
{
	lanewise_guard *guard = scratch;

	if (!scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || !set_options(&guard->options, options))
		return NULL;
	guard->n_places = places_for(&guard->options);
	guard->segments = (struct segment *)(guard + 1);
	guard->tail = (char *)(guard->segments + guard->n_places);
	guard->normal = guard->tail + 2 * (size_t)guard->options.window_bytes;
	guard->normal_bytes = normal_room(guard->options.window_bytes);
	guard->block = guard->normal + guard->normal_bytes;
	lanewise_guard_reset(guard);
	return guard;
}

void lanewise_guard_reset(lanewise_guard *guard)
{
	guard->n_read = 0;
	guard->n_tail = 0;
	memset(&guard->repeat, 0, sizeof guard->repeat);
}

/* ---------------------------------------------------------------- segments */

static size_t whitespace_at(const char *text, size_t at, size_t n)
{
	return lw_whitespace_length((const unsigned char *)text + at, n - at, LANEWISE_WHITESPACE_PYTHON);
}

static int ends_sentence(char c) { return c == '.' || c == '!' || c == '?'; }

/* Where the next separator begins, from `at` on; it ends at *end. n if there is none. */
static size_t next_separator(const char *text, size_t at, size_t n, size_t *end)
{
	for (; at < n; at++) {
		int after_sentence = at > 0 && ends_sentence(text[at - 1]);
		size_t length;

		if (LW_LIKELY(!after_sentence && text[at] != '\n'))
			continue;
		*end = at;
		if (after_sentence)
			while (*end < n && (length = whitespace_at(text, *end, n)) > 0)
				*end += length;
		else
			while (*end < n && text[*end] == '\n')
				++*end;
		if (*end > at)
			return at;
	}
	*end = n;
	return n;
}

/* Leaves out the whitespace at the ends of text[*begin ... *end). */
static void trim(const char *text, size_t *begin, size_t *end)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t length;

	while (*begin < *end && (length = whitespace_at(text, *begin, *end)) > 0)
		*begin += length;
	while (*begin < *end &&
	       (length = lw_whitespace_length_back(p + *begin, *end - *begin, LANEWISE_WHITESPACE_PYTHON)) > 0)
		*end -= length;
}

/* Counts a segment of the window; its normal form goes to normal + used, and what is used then is returned. */
static size_t count_segment(lanewise_guard *guard, const char *window, size_t begin, size_t end, size_t used,
                            const struct segment **most)
{
	struct segment *segment;
	size_t n_normal = 0, place;
	uint64_t hash;

	if (end - begin < guard->options.min_segment ||
	    lanewise_normalize(window + begin, end - begin, normal_form, guard->normal + used,
	                       guard->normal_bytes - used, &n_normal) != LANEWISE_OK ||
	    n_normal < guard->options.min_segment)
		return used;
	hash = lanewise_xxh3_64(guard->normal + used, n_normal, 0);
	for (place = (size_t)hash & (guard->n_places - 1);; place = (place + 1) & (guard->n_places - 1)) {
		segment = &guard->segments[place];
		if (segment->count == 0 ||
		    (segment->hash == hash && segment->n_bytes == n_normal &&
		     memcmp(guard->normal + segment->normal, guard->normal + used, n_normal) == 0))
			break;
	}
	if (segment->count++ == 0) {
		*segment = (struct segment) { hash, used, n_normal, begin, end, 1 };
		used += n_normal;
	}
	/* Of equally frequent ones the first. */
	if (!*most || segment->count > (*most)->count ||
	    (segment->count == (*most)->count && segment->begin < (*most)->begin))
		*most = segment;
	return used;
}

static int check_segments(lanewise_guard *guard, const char *window, size_t n)
{
	const struct segment *most = NULL;
	size_t begin = 0, used = 0;

	memset(guard->segments, 0, guard->n_places * sizeof *guard->segments);
	do {
		size_t end, at = next_separator(window, begin, n, &end);

		used = count_segment(guard, window, begin, at, used, &most);
		begin = end;
	} while (begin < n);
	if (!most || most->count < guard->options.segment_repeats)
		return 0;
	begin = most->begin;

	size_t end = most->end;

	trim(window, &begin, &end);
	guard->repeat.kind = LANEWISE_GUARD_SEGMENT;
	guard->repeat.count = most->count;
	guard->repeat.begin = begin;
	guard->repeat.end = end;
	return 1;
}

/* ------------------------------------------------------------------ blocks */

static uint32_t count_block(const char *text, size_t n, const char *block, size_t n_block, uint32_t most)
{
	const char *at = text;
	uint32_t count = 0;

	while (count < most && (at = memmem(at, n - (size_t)(at - text), block, n_block)) != NULL) {
		at += n_block;
		count++;
	}
	return count;
}

static int check_block(lanewise_guard *guard, const char *window, size_t n)
{
	size_t n_normal = 0, n_block = 0, begin = n - guard->options.block_bytes, end = n;
	uint32_t repeats = guard->options.block_repeats;

	if (lanewise_normalize(window + begin, end - begin, normal_form, guard->block,
	                       normal_room(guard->options.block_bytes), &n_block) != LANEWISE_OK ||
	    n_block < guard->options.min_segment ||
	    lanewise_normalize(window, n, normal_form, guard->normal, guard->normal_bytes, &n_normal) != LANEWISE_OK ||
	    count_block(guard->normal, n_normal, guard->block, n_block, repeats) < repeats)
		return 0;
	trim(window, &begin, &end);
	guard->repeat.kind = LANEWISE_GUARD_BLOCK;
	guard->repeat.count = repeats;
	guard->repeat.begin = begin;
	guard->repeat.end = end;
	return 1;
}

/* -------------------------------------------------------------------- text */

static void check(lanewise_guard *guard)
{
	size_t n = guard->n_tail < guard->options.window_bytes ? guard->n_tail : guard->options.window_bytes;
	const char *window = guard->tail + (guard->n_tail - n);

	if (!check_segments(guard, window, n) &&
	    (n / guard->options.block_repeats < guard->options.block_bytes || !check_block(guard, window, n)))
		return;
	guard->repeat.begin += guard->n_read - n;
	guard->repeat.end += guard->n_read - n;
}

static void append(lanewise_guard *guard, const char *text, size_t n)
{
	size_t window = guard->options.window_bytes;

	guard->n_read += n;
	if (n > window) {
		text += n - window;
		n = window;
	}
	if (n > 2 * window - guard->n_tail) {
		size_t kept = window - n; /* with n more, that is a window */

		memmove(guard->tail, guard->tail + guard->n_tail - kept, kept);
		guard->n_tail = kept;
	}
	memcpy(guard->tail + guard->n_tail, text, n);
	guard->n_tail += n;
}

int32_t lanewise_guard_push(lanewise_guard *guard, const char *text, size_t n_bytes, lanewise_guard_repeat *repeat)
{
	while (n_bytes > 0 && guard->repeat.kind == LANEWISE_GUARD_FINE) {
		uint64_t due = guard->options.check_every - guard->n_read % guard->options.check_every;
		size_t n = n_bytes < due ? n_bytes : (size_t)due;

		append(guard, text, n);
		text += n;
		n_bytes -= n;
		if (n == due)
			check(guard);
	}
	if (repeat && guard->repeat.kind != LANEWISE_GUARD_FINE)
		*repeat = guard->repeat;
	return (int32_t)guard->repeat.kind;
}
