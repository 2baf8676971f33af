/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an event stream: pieces, the first byte says how large, give the events of the whole, with little room too. */
#include <lanewise/sse.h>

#include "fuzz.h"

/* What all events say, one behind the other. */
struct listing {
	char *text;
	size_t n;
};

static void append(struct listing *listing, const void *bytes, size_t n)
{
	listing->text = realloc(listing->text, listing->n + n + 1);
	FUZZ_REQUIRE(listing->text != NULL);
	if (n)
		memcpy(listing->text + listing->n, bytes, n);
	listing->n += n;
}

static int32_t list(struct listing *listing, const uint8_t *stream, size_t n, size_t step, size_t room)
{
	size_t n_scratch = lanewise_sse_scratch_size(room);
	char *scratch = aligned_alloc(64, (n_scratch + 63) / 64 * 64);
	lanewise_sse *sse = lanewise_sse_begin(scratch, n_scratch);
	lanewise_sse_event e;
	int32_t there = 0;

	FUZZ_REQUIRE(sse != NULL);
	for (size_t at = 0; at < n && there == 0; at += step) {
		size_t n_piece = n - at < step ? n - at : step;
		uint8_t *piece = fuzz_allocate(n_piece);

		memcpy(piece, stream + at, n_piece);
		lanewise_sse_feed(sse, piece, n_piece);
		while ((there = lanewise_sse_next(sse, &e)) > 0) {
			append(listing, e.data, e.n_data);
			append(listing, e.type, e.n_type + 1);
			append(listing, e.id, e.n_id + 1);
			append(listing, &e.retry_ms, sizeof e.retry_ms);
		}
		free(piece);
	}
	free(scratch);
	return there;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct listing whole = { 0 }, pieces = { 0 }, tight = { 0 };

	if (size < 1)
		return 0;
	size_t step = data[0] % 40 + 1;

	int32_t expected = list(&whole, data + 1, size - 1, size, size + 1);

	FUZZ_REQUIRE(expected == 0 || expected == LANEWISE_ERROR_CAPACITY); /* of a long type or id */
	FUZZ_REQUIRE(list(&pieces, data + 1, size - 1, step, size + 1) == expected);
	FUZZ_REQUIRE(whole.n == pieces.n && (whole.n == 0 || memcmp(whole.text, pieces.text, whole.n) == 0));
	expected = list(&tight, data + 1, size - 1, size, size / 4);
	pieces.n = 0;
	FUZZ_REQUIRE(list(&pieces, data + 1, size - 1, step, size / 4) == expected);
	FUZZ_REQUIRE(tight.n == pieces.n && (tight.n == 0 || memcmp(tight.text, pieces.text, tight.n) == 0));
	free(whole.text);
	free(pieces.text);
	free(tight.text);
	return 0;
}
