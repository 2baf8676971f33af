/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Near duplicates: a text becomes a set of shingles, the set a MinHash signature, and a signature is compared with those
 * that share a band with it.
 */
#include <stdlib.h>
#include <string.h>

#include <lanewise/dedup.h>
#include <lanewise/near.h>

#include "near.h"
#include "tool.h"

enum { FUNCTIONS = 256 }; /* estimates of similarities about 0.8 are off by 0.025 (standard deviation) */

struct near {
	struct near_options options;
	lanewise_lsh *lsh;
	uint32_t a[FUNCTIONS], b[FUNCTIONS];
	struct buffer normal;
	uint64_t *hashes;
	size_t capacity;
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
	lanewise_minhash_mul32_parameters(1, near->a, near->b, FUNCTIONS);
	return near;
}

void near_free(struct near *near)
{
	if (!near)
		return;
	lanewise_lsh_destroy(near->lsh);
	buffer_free(&near->normal);
	free(near->hashes);
	free(near);
}

/* Case, spacing and the ends make no difference, as for blocks that are compared exactly. */
static void normalize(struct near *near, const char *text, size_t n_bytes)
{
	const uint32_t flags = near->options.normalize | LANEWISE_NORMALIZE_COLLAPSE | LANEWISE_NORMALIZE_LOWER |
	                       LANEWISE_NORMALIZE_TRIM | LANEWISE_NORMALIZE_TRIM_PUNCTUATION |
	                       LANEWISE_WHITESPACE_UNICODE;
	size_t bound = lanewise_normalize_bound(n_bytes);

	near->normal.n = 0;
	buffer_reserve(&near->normal, bound);
	if (lanewise_normalize(text, n_bytes, flags, near->normal.data, bound, &near->normal.n) != LANEWISE_OK)
		tool_fail("dedup: a text is too long"); /* its bound overflows */
}

/* The number of shingles in near->hashes. */
static size_t shingle(struct near *near, const char *text, size_t n_bytes)
{
	size_t n = 0;
	lanewise_status status;

	if (!near->options.words) {
		normalize(near, text, n_bytes);
		n_bytes = near->normal.n;
	}
	if (near->capacity < n_bytes) {
		near->capacity = n_bytes;
		near->hashes = tool_reallocate(near->hashes, near->capacity, sizeof *near->hashes);
	}
	if (near->options.words) {
		status = lanewise_shingles_words(text, n_bytes, near->options.width, 0, near->hashes, near->capacity,
		                                 &n);
	} else {
		status = lanewise_shingles_chars(near->normal.data, n_bytes, near->options.width, 0, near->hashes,
		                                 near->capacity, &n);
	}
	if (status != LANEWISE_OK)
		tool_fail("dedup: %s", lanewise_status_text(status)); /* cannot happen */
	return n;
}

int near_is_duplicate(struct near *near, const char *text, size_t n_bytes)
{
	uint32_t signature[FUNCTIONS];
	size_t n = shingle(near, text, n_bytes);
	lanewise_lsh_match match;
	lanewise_status status;

	if (n == 0) /* nothing to compare */
		return 0;
	lanewise_minhash_begin(signature, FUNCTIONS);
	lanewise_minhash_mul32(near->hashes, n, near->a, near->b, FUNCTIONS, signature);
	status = lanewise_lsh_keep_first(near->lsh, signature, NULL, NULL, &match);
	if (status == LANEWISE_ERROR_CAPACITY)
		return 0;
	if (status != LANEWISE_OK)
		tool_fail("dedup: %s", lanewise_status_text(status));
	return match.similarity >= 0;
}
