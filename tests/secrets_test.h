/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of secrets share: rules made ready, all findings of a text, and the same text in pieces. */
#ifndef LW_SECRETS_TEST_H
#define LW_SECRETS_TEST_H

#include <stdlib.h>

#include <lanewise/secrets.h>

#include "test.h"

static lanewise_secrets *make_with(const char *rules, const lanewise_regex_engine *regex)
{
	lanewise_secrets_options options = { sizeof options, 0, 0, regex };
	lanewise_error error = { 0 };
	lanewise_secrets *secrets;

	if (!CHECK(lanewise_secrets_create(rules, rules ? strlen(rules) : 0, &options, NULL, &secrets, &error) ==
	           LANEWISE_OK)) {
		fprintf(stderr, "%s\n%s\n", error.what, rules);
		exit(1);
	}
	return secrets;
}

static void *make_scratch(const lanewise_secrets *secrets) { return malloc(lanewise_secrets_scratch_size(secrets)); }

/* The text in memory of its own size, so that a sanitizer sees what is read beside it. */
static char *exact_copy(const char *text, size_t n)
{
	char *copy = malloc(n ? n : 1);

	if (n)
		memcpy(copy, text, n);
	return copy;
}

/* All findings; they are disjoint, in order, within the text, and the same however many are asked for at once. */
static size_t find_all(const lanewise_secrets *secrets, const char *text, size_t n_bytes, lanewise_secret *found,
                       size_t capacity)
{
	void *scratch = make_scratch(secrets);
	char *copy = exact_copy(text, n_bytes);
	lanewise_secrets_search *search = lanewise_secrets_begin(secrets, copy, n_bytes, scratch);
	size_t n = 0;
	uint64_t end = 0;
	int32_t any = -1;

	while (n < capacity && lanewise_secrets_next(search, &found[n], 1) > 0) {
		const lanewise_secret *s = &found[n++];

		CHECK(s->begin < s->end && s->end <= n_bytes && s->begin >= end);
		CHECK(s->match_begin <= s->match_end && s->match_end <= n_bytes && s->reserved == 0);
		end = s->end;
	}
	CHECK(lanewise_secrets_any(secrets, copy, n_bytes, scratch, &any) == LANEWISE_OK && any == (n > 0));
	if (n < capacity) {
		lanewise_secret *again = calloc(capacity, sizeof *again);

		search = lanewise_secrets_begin(secrets, copy, n_bytes, scratch);
		CHECK_EQUAL(lanewise_secrets_next(search, again, capacity), n);
		CHECK(n == 0 || memcmp(again, found, n * sizeof *found) == 0);
		CHECK_EQUAL(lanewise_secrets_next(search, again, capacity), 0);
		free(again);
	}
	free(copy);
	free(scratch);
	return n;
}

/* ----------------------------------------------------------------- memory */

struct bank {
	size_t held;
	int left; /* allocations that succeed; -1: all */
};

static void *bank_allocate(void *context, size_t n_bytes, size_t alignment)
{
	struct bank *bank = context;

	if (bank->left == 0)
		return NULL;
	bank->left -= bank->left > 0;
	bank->held += n_bytes;
	return aligned_alloc(alignment, (n_bytes + alignment - 1) / alignment * alignment);
}

static void bank_release(void *context, void *p, size_t n_bytes)
{
	struct bank *bank = context;

	bank->held -= n_bytes;
	free(p);
}

/* ---------------------------------------------------------------- streams */

enum { STREAM_TEXT = 4096, STREAM_FOUND = 512 };

/* What is expected of streams, and room for what they give. */
struct stream_test {
	const lanewise_secrets *secrets;
	const char *text;
	size_t n, n_found, n_masked;
	lanewise_mask_options options;
	lanewise_secret found[STREAM_FOUND], got[STREAM_FOUND];
	char masked[4 * STREAM_TEXT], out[4 * STREAM_TEXT];
	void *scratch;
};

static void expect_of_stream(struct stream_test *t, const char *text, size_t n)
{
	void *scratch = make_scratch(t->secrets);

	t->text = text;
	t->n = n;
	t->n_found =
	        lanewise_secrets_next(lanewise_secrets_begin(t->secrets, text, n, scratch), t->found, STREAM_FOUND);
	CHECK(t->n_found < STREAM_FOUND);
	CHECK(lanewise_secrets_mask(t->secrets, &t->options, text, n, scratch, t->masked, sizeof t->masked,
	                            &t->n_masked, NULL) == LANEWISE_OK);
	free(scratch);
}

/* Feeds the text in pieces of which the k-th ends at ends[k]; what was safe is never in a finding that comes later. */
static void check_pieces(struct stream_test *t, const size_t *ends, size_t n_ends, int masks, size_t capacity)
{
	lanewise_secrets_stream *stream = lanewise_secrets_stream_begin(t->secrets, &t->options, t->scratch);
	size_t at = 0, n_got = 0, n_out = 0;
	uint64_t safe = 0;

	for (size_t k = 0; k <= n_ends; k++) {
		char *piece = NULL;

		if (k < n_ends) {
			piece = exact_copy(t->text + at, ends[k] - at);
			lanewise_secrets_stream_feed(stream, piece, ends[k] - at);
			at = ends[k];
		} else {
			lanewise_secrets_stream_finish(stream);
		}
		for (size_t n = 1; n > 0 && masks; n_out += n)
			n = lanewise_secrets_stream_mask(stream, t->out + n_out, capacity);
		for (size_t n = 1; n > 0 && !masks; n_got += n) {
			n = lanewise_secrets_stream_next(stream, t->got + n_got, capacity);
			for (size_t i = 0; i < n; i++)
				CHECK(t->got[n_got + i].begin >= safe);
		}
		CHECK(lanewise_secrets_stream_safe(stream) >= safe);
		safe = lanewise_secrets_stream_safe(stream);
		CHECK(safe <= at);
		if (masks && !t->options.replace)
			CHECK(n_out >= safe);
		free(piece);
	}
	CHECK_EQUAL(safe, t->n);
	CHECK_EQUAL(lanewise_secrets_stream_n_found(stream), t->n_found);
	if (masks) {
		if (!CHECK(n_out == t->n_masked && memcmp(t->out, t->masked, n_out) == 0))
			fprintf(stderr, "%.*s\nis masked as\n%.*s\nand not\n%.*s\n", (int)t->n, t->text, (int)n_out,
			        t->out, (int)t->n_masked, t->masked);
	} else {
		CHECK_EQUAL(n_got, t->n_found);
		if (!CHECK(n_got == t->n_found && memcmp(t->got, t->found, n_got * sizeof *t->got) == 0))
			fprintf(stderr, "%.*s\n", (int)t->n, t->text);
	}
}

/* Every cut in two, single bytes, and random cuts. */
static void check_stream(struct stream_test *t, uint64_t *state, const char *text, size_t n, size_t step)
{
	size_t ends[STREAM_TEXT];

	expect_of_stream(t, text, n);
	for (size_t cut = 0; cut <= n; cut += step) {
		ends[0] = cut;
		ends[1] = n;
		check_pieces(t, ends, 2, 0, 3);
		check_pieces(t, ends, 2, 1, 1000);
	}
	for (size_t i = 0; i < n; i++)
		ends[i] = i + 1;
	check_pieces(t, ends, n, 0, 1);
	check_pieces(t, ends, n, 1, 1);
	for (int round = 0; round < 4; round++) {
		size_t n_ends = 0, at = 0, most = 1 + test_random(state) % 100;

		while (at < n) {
			at += 1 + test_random(state) % most;
			ends[n_ends++] = at < n ? at : n;
		}
		check_pieces(t, ends, n_ends, 0, 1 + test_random(state) % 9);
		check_pieces(t, ends, n_ends, 1, 1 + test_random(state) % 99);
	}
}

#endif
