/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text chunks of any bytes with any options: in order, covering the text, between characters, no larger than they may be, with
 * no more in common than they may have; the same however many are asked for at a time.
 */
#include "fuzz.h"

#include <lanewise/lanewise.h>

#include "utf8/utf8_char.h"

static size_t character_at(const uint8_t *text, size_t n, size_t at)
{
	size_t length = lw_utf8_length(text + at, n - at, NULL);

	return length ? length : 1;
}

static uint64_t measure(const uint8_t *text, size_t n, uint64_t begin, uint64_t end, int tokens)
{
	uint64_t count = 0;

	if (tokens)
		return lanewise_text_tokens((const char *)text + begin, (size_t)(end - begin));
	for (size_t at = (size_t)begin; at < end; count++)
		at += character_at(text, n, at);
	return count;
}

static lanewise_text_chunker *begin(void *scratch, const uint8_t *text, size_t n, const lanewise_text_chunk_options *o)
{
	lanewise_text_chunker *chunker;

	FUZZ_REQUIRE(lanewise_text_chunker_begin(scratch, (const char *)text, n, o, &chunker, NULL) == LANEWISE_OK);
	return chunker;
}

static void require_chunk(const uint8_t *text, size_t n, const lanewise_text_chunk_options *o, const uint8_t *boundary,
                          const lanewise_text_chunk *c, const lanewise_text_chunk *before)
{
	FUZZ_REQUIRE(c->begin <= c->fresh && c->fresh < c->end && c->end <= n);
	FUZZ_REQUIRE(before->end == 0 || c->begin > before->begin);
	FUZZ_REQUIRE(boundary[c->begin] && boundary[c->fresh] && boundary[c->end]);
	FUZZ_REQUIRE(o->trim ? c->fresh >= before->end : c->fresh == before->end);
	FUZZ_REQUIRE(measure(text, n, c->begin, c->end, o->measure) <= o->size ||
	             character_at(text, n, (size_t)c->begin) == c->end - c->begin);
	FUZZ_REQUIRE(o->trim || measure(text, n, c->begin, c->fresh, o->measure) <= o->overlap);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct fuzz_input in = { input, size };
	lanewise_text_chunk_options o;
	uint8_t kind = fuzz_u8(&in);

	lanewise_text_chunk_options_default(&o);
	o.unit = kind & 3;
	o.measure = kind >> 2 & 1;
	o.trim = kind >> 3 & 1;
	o.single = kind >> 4 & 1;
	o.size = 1 + fuzz_u16(&in) % 500;
	o.overlap = fuzz_u16(&in) % o.size;
	o.abbreviations = kind >> 5 & 1 ? "a b.c  word" : NULL;

	size_t n = in.size, got, n_both;
	uint8_t *text = fuzz_allocate(n), *boundary = fuzz_allocate(n + 1);
	void *scratch = fuzz_allocate(lanewise_text_chunker_scratch_size());
	void *other = fuzz_allocate(lanewise_text_chunker_scratch_size());
	lanewise_text_chunk before = { 0 }, one, three[3];

	if (n)
		memcpy(text, in.data, n);
	memset(boundary, 0, n + 1);
	for (size_t at = 0; at < n; at += character_at(text, n, at))
		boundary[at] = 1;
	boundary[n] = 1;

	lanewise_text_chunker *chunker = begin(scratch, text, n, &o), *again = begin(other, text, n, &o);

	while ((got = lanewise_text_chunker_next(chunker, three, 3)) > 0)
		for (size_t i = 0; i < got; i++) {
			n_both = lanewise_text_chunker_next(again, &one, 1);
			FUZZ_REQUIRE(n_both == 1 && memcmp(&one, &three[i], sizeof one) == 0);
			require_chunk(text, n, &o, boundary, &one, &before);
			before = one;
		}
	FUZZ_REQUIRE(lanewise_text_chunker_next(again, &one, 1) == 0);
	FUZZ_REQUIRE(o.trim || before.end == n);
	free(other);
	free(scratch);
	free(boundary);
	free(text);
	return 0;
}
