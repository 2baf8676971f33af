/* SPDX-License-Identifier: Apache-2.0 */
/* Repetition: n-gram counts by their definition, the guard in pieces and as a whole, thoughts and signatures of any bytes. */
#include <lanewise/repeat.h>

#include "fuzz.h"

static uint32_t count_naively(const uint32_t *tokens, size_t n_tokens, size_t n, size_t window)
{
	uint32_t count = 0;

	for (size_t i = 0; i < window && n_tokens >= n + i; i++)
		count += memcmp(tokens + n_tokens - n - i, tokens + n_tokens - n, n * sizeof *tokens) == 0;
	return count;
}

static void judge_ngrams(struct fuzz_input *in)
{
	uint32_t n = 1 + fuzz_u8(in) % 8, window = 1 + fuzz_u8(in), threshold = 1 + fuzz_u8(in) % 8;
	size_t n_tokens = in->size < 1500 ? in->size : 1500, piece = 1 + fuzz_u8(in);
	uint32_t *tokens = fuzz_allocate(n_tokens * sizeof *tokens);
	void *scratch = fuzz_allocate(lanewise_ngrams_scratch_size(n, window));
	lanewise_ngrams *ngrams = lanewise_ngrams_begin(scratch, n, window);

	FUZZ_REQUIRE(ngrams != NULL);
	for (size_t i = 0; i < n_tokens; i++)
		tokens[i] = fuzz_u8(in) & 3;
	for (size_t i = 0, taken; i < n_tokens; i += taken) {
		uint32_t found = lanewise_ngrams_push(ngrams, tokens + i, n_tokens - i < piece ? n_tokens - i : piece,
		                                      threshold, &taken);
		uint32_t count = count_naively(tokens, i + taken, n, window);

		FUZZ_REQUIRE(taken >= 1 && taken <= piece);
		FUZZ_REQUIRE(found == (count >= threshold ? count : 0));
	}
	free(scratch);
	free(tokens);
}

static void judge_guard(struct fuzz_input *in)
{
	lanewise_guard_options options = { .struct_size = sizeof options,
		                           .window_bytes = 1 + fuzz_u16(in) % 3000,
		                           .check_every = 1 + fuzz_u8(in),
		                           .min_segment = fuzz_u8(in) % 40,
		                           .segment_repeats = fuzz_u8(in) % 9,
		                           .block_bytes = 1,
		                           .block_repeats = fuzz_u8(in) % 5 };
	size_t piece = 1 + fuzz_u8(in), size, at = 0;
	lanewise_guard_repeat whole = { 0 }, parts = { 0 };
	int32_t kind, kind_of_parts = 0;

	options.block_bytes += fuzz_u8(in) % options.window_bytes;
	size = lanewise_guard_scratch_size(&options);
	FUZZ_REQUIRE(size > 0);

	void *scratch = fuzz_allocate(size);
	lanewise_guard *guard = lanewise_guard_begin(scratch, &options);

	kind = lanewise_guard_push(guard, (const char *)in->data, in->size, &whole);
	lanewise_guard_reset(guard);
	for (; at < in->size; at += piece) {
		size_t n = in->size - at < piece ? in->size - at : piece;
		char *copy = fuzz_allocate(n);

		memcpy(copy, in->data + at, n);
		kind_of_parts = lanewise_guard_push(guard, copy, n, &parts);
		free(copy);
	}
	FUZZ_REQUIRE(kind == kind_of_parts && whole.begin == parts.begin && whole.end == parts.end);
	FUZZ_REQUIRE(whole.count == parts.count && whole.begin <= whole.end && whole.end <= in->size);
	free(scratch);
}

static void judge_thoughts(struct fuzz_input *in)
{
	lanewise_thoughts_options options = { .struct_size = sizeof options,
		                              .window = fuzz_u8(in) % 5,
		                              .max_texts = fuzz_u8(in) };
	size_t piece = 1 + fuzz_u8(in);
	lanewise_thoughts *thoughts;

	FUZZ_REQUIRE(lanewise_thoughts_create(&options, NULL, &thoughts, NULL) == LANEWISE_OK);
	for (size_t at = 0; at < in->size; at += piece) {
		size_t n = in->size - at < piece ? in->size - at : piece;
		char *copy = fuzz_allocate(n);
		lanewise_argument arguments[2] = { { copy, copy, n / 2, n }, { copy, copy, n / 3, 0 } };
		lanewise_call call = { copy, n, arguments, 2 };
		lanewise_thought thought;
		lanewise_hash128 hash;
		size_t scratch[2];

		memcpy(copy, in->data + at, n);
		FUZZ_REQUIRE(lanewise_thoughts_record(thoughts, copy, n, &thought) == LANEWISE_OK);
		FUZZ_REQUIRE(thought.kind >= 0 && thought.kind <= 3 && thought.similarity >= 0 &&
		             thought.similarity <= 1);
		lanewise_call_signatures(&call, 1, scratch, &hash);
		FUZZ_REQUIRE(lanewise_circular_phrases(copy, n, NULL) <= n / 9);
		free(copy);
	}
	lanewise_thoughts_destroy(thoughts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint8_t what = fuzz_u8(&in) % 3;

	(what == 0 ? judge_ngrams : what == 1 ? judge_guard : judge_thoughts)(&in);
	return 0;
}
