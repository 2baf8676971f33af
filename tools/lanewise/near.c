/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Near duplicates: a text becomes a set of shingles, the set a MinHash signature, and a signature is compared with those
 * that share a band with it.
 *
 * A text goes through this in pieces, so that a long one takes no more memory than a short one. Its normal form is made of
 * those of pieces of whole characters: of white space on both sides of a cut one space is left, and white space and
 * punctuation that might be the end of the text wait until something follows.
 */
#include <stdlib.h>
#include <string.h>

#include <lanewise/dedup.h>
#include <lanewise/near.h>

#include "near.h"
#include "tool.h"

enum {
	FUNCTIONS = 256, /* estimates of similarities about 0.8 are off by 0.025 (standard deviation) */
	NORMALIZED_BYTES = 64 << 10,
	HASHES = 4096,
	MOST_MARKS = 64 << 10 /* of punctuation that waits; what is before is none at the end */
};

struct near {
	struct near_options options;
	lanewise_lsh *lsh;
	uint32_t a[FUNCTIONS], b[FUNCTIONS];
	uint64_t hashes[HASHES];

	/* The text under way, if `shingles` is not NULL. */
	lanewise_shingles *shingles;
	void *scratch; /* of it */
	uint32_t signature[FUNCTIONS];
	size_t n_shingles;
	struct buffer piece,
	        normal;            /* the last bytes of the text, a cut character, and then its next ones; their form */
	struct buffer marks;       /* punctuation that may be the text's end */
	int has_text, space_waits; /* of the normal form so far */
};

/* By what the header says an item takes, with up to three times as much while memory grows. */
static uint64_t items_in(uint64_t n_bytes, const struct near_options *options)
{
	uint32_t n_bands = 0, n_rows = 0;

	lanewise_lsh_choose(options->threshold, FUNCTIONS, 0.1, &n_bands, &n_rows);
	return n_bytes / (3 * (4 * FUNCTIONS + 47 * n_bands + 4)) + 1;
}

struct near *near_create(const struct near_options *options)
{
	struct near *near = tool_allocate(1, sizeof *near);
	lanewise_lsh_options lsh = { .struct_size = sizeof lsh,
		                     .n_hashes = FUNCTIONS,
		                     .threshold = options->threshold };
	lanewise_error error;

	*near = (struct near) { .options = *options };
	if (options->max_bytes)
		lsh.max_items = items_in(options->max_bytes, options);
	if (lanewise_lsh_create(&lsh, NULL, &near->lsh, &error) != LANEWISE_OK)
		tool_fail("dedup: %s", error.what);
	near->scratch = tool_allocate(lanewise_shingles_scratch_size(), 1);
	lanewise_minhash_mul32_parameters(1, near->a, near->b, FUNCTIONS);
	return near;
}

void near_free(struct near *near)
{
	if (!near)
		return;
	lanewise_lsh_destroy(near->lsh);
	buffer_free(&near->piece);
	buffer_free(&near->normal);
	buffer_free(&near->marks);
	free(near->scratch);
	free(near);
}

/* ---------------------------------------------------------------- shingles */

static void begin_text(struct near *near)
{
	near->shingles = lanewise_shingles_begin(
	        near->scratch, near->options.words ? LANEWISE_SHINGLES_WORDS : LANEWISE_SHINGLES_CHARS,
	        near->options.width, 0);
	lanewise_minhash_begin(near->signature, FUNCTIONS);
	near->n_shingles = near->piece.n = near->marks.n = 0;
	near->has_text = near->space_waits = 0;
	buffer_reserve(&near->piece, 4);
}

static void take_shingles(struct near *near)
{
	size_t n;

	while ((n = lanewise_shingles_next(near->shingles, near->hashes, HASHES)) > 0) {
		lanewise_minhash_mul32(near->hashes, n, near->a, near->b, FUNCTIONS, near->signature);
		near->n_shingles += n;
	}
}

static void shingle(struct near *near, const char *text, size_t n_bytes)
{
	lanewise_shingles_feed(near->shingles, text, n_bytes);
	take_shingles(near);
}

/* ------------------------------------------------------------- normal form */

static int is_mark(char c) { return c == '.' || c == ',' || c == ';' || c == ':'; }

static void release_marks(struct near *near)
{
	if (near->marks.n > 0)
		shingle(near, near->marks.data, near->marks.n);
	near->marks.n = 0;
}

/* More of the normal form, but for punctuation at its end. */
static void take_normal(struct near *near, const char *text, size_t n_bytes)
{
	size_t n = n_bytes;

	while (n > 0 && is_mark(text[n - 1]))
		n--;
	if (n > 0) {
		release_marks(near);
		shingle(near, text, n);
	}
	while (n < n_bytes) {
		size_t room = MOST_MARKS - near->marks.n, n_now = n_bytes - n < room ? n_bytes - n : room;

		if (room == 0)
			release_marks(near);
		buffer_append(&near->marks, text + n, n_now);
		n += n_now;
	}
}

/* Case, spacing and the ends make no difference, as for blocks that are compared exactly. */
static void normalize(struct near *near, const char *text, size_t n_bytes)
{
	const uint32_t flags = near->options.normalize | LANEWISE_NORMALIZE_COLLAPSE | LANEWISE_NORMALIZE_LOWER |
	                       LANEWISE_WHITESPACE_UNICODE;
	size_t bound = lanewise_normalize_bound(n_bytes), n;
	char *form;

	near->normal.n = 0;
	form = buffer_reserve(&near->normal, bound);
	if (lanewise_normalize(text, n_bytes, flags, form, bound, &n) != LANEWISE_OK)
		tool_fail("dedup: a text is too long"); /* cannot happen */
	if (n > 0 && form[0] == ' ') {
		near->space_waits = 1;
		form++;
		n--;
	}
	if (n == 0)
		return;
	if (near->space_waits && near->has_text)
		take_normal(near, " ", 1);
	near->has_text = 1;
	near->space_waits = form[n - 1] == ' ';
	take_normal(near, form, n - (size_t)near->space_waits);
}

/* Bytes of a text but for a character that its end cuts. */
static size_t whole_characters(const char *text, size_t n)
{
	for (size_t i = 1; i <= 3 && i <= n; i++) {
		unsigned char byte = (unsigned char)text[n - i];

		if (byte >= 0xc0)
			return i < (byte < 0xe0 ? 2u : byte < 0xf0 ? 3u : 4u) ? n - i : n;
	}
	return n;
}

/* -------------------------------------------------------------------- texts */

static void feed_part(struct near *near, const char *text, size_t n_bytes)
{
	size_t n;

	if (near->options.words) {
		shingle(near, text, n_bytes);
		return;
	}
	if (near->piece.n > 0) { /* the beginning of a character */
		buffer_append(&near->piece, text, n_bytes);
		text = near->piece.data;
		n_bytes = near->piece.n;
	}
	n = whole_characters(text, n_bytes);
	normalize(near, text, n);
	near->piece.n = n_bytes - n;
	memmove(near->piece.data, text + n, near->piece.n);
}

void near_feed(struct near *near, const char *text, size_t n_bytes)
{
	if (!near->shingles)
		begin_text(near);
	for (size_t at = 0; at < n_bytes; at += NORMALIZED_BYTES)
		feed_part(near, text + at, n_bytes - at < NORMALIZED_BYTES ? n_bytes - at : NORMALIZED_BYTES);
}

int near_finish(struct near *near)
{
	lanewise_lsh_match match;
	lanewise_status status;

	if (!near->shingles)
		begin_text(near);
	normalize(near, near->piece.data, near->piece.n);
	lanewise_shingles_finish(near->shingles);
	take_shingles(near);
	near->shingles = NULL;
	if (near->n_shingles == 0) /* nothing to compare */
		return 0;
	status = lanewise_lsh_keep_first(near->lsh, near->signature, NULL, NULL, &match);
	if (status == LANEWISE_ERROR_CAPACITY)
		return 0;
	if (status != LANEWISE_OK)
		tool_fail("dedup: %s", lanewise_status_text(status));
	return match.similarity >= 0;
}

int near_is_duplicate(struct near *near, const char *text, size_t n_bytes)
{
	near_feed(near, text, n_bytes);
	return near_finish(near);
}
