/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as UTF-8 and as base64: every tier gives what scalar gives, pieces give what the whole gives, and what
 * strict decoding accepts is what encoding makes of the result. The first bytes choose flags and cuts.
 */
#include <lanewise/base64.h>
#include <lanewise/utf8.h>

#include "fuzz.h"

static void check_utf8(const uint8_t *text, size_t n, size_t step)
{
	lanewise_utf8_state state = { 0 };
	lanewise_error whole = { 0 }, error = { 0 };

	lanewise_set_tier(0);
	lanewise_status expected = lanewise_utf8_validate(text, n, &whole);
	size_t count = lanewise_utf8_count(text, n);

	for (lanewise_tier tier = 1; tier < lanewise_tier_count(); tier++)
		if (lanewise_set_tier(tier) == LANEWISE_OK) {
			FUZZ_REQUIRE(lanewise_utf8_valid_prefix(text, n) ==
			             (expected == LANEWISE_OK ? n : whole.offset));
			FUZZ_REQUIRE(lanewise_utf8_count(text, n) == count);
		}
	for (size_t begin = 0; begin < n; begin += step) {
		size_t n_piece = n - begin < step ? n - begin : step;
		uint8_t *piece = fuzz_allocate(n_piece);

		memcpy(piece, text + begin, n_piece);
		lanewise_utf8_feed(&state, piece, n_piece, &error);
		free(piece);
	}
	FUZZ_REQUIRE(lanewise_utf8_finish(&state, &error) == expected);
	FUZZ_REQUIRE(error.offset == whole.offset);
}

static void check_base64(const uint8_t *text, size_t n, uint32_t flags)
{
	size_t bound = lanewise_base64_decoded_bound(n), n_expected = 0;
	uint8_t *expected = fuzz_allocate(bound), *got = fuzz_allocate(bound);
	lanewise_error first = { 0 };
	lanewise_status status;

	lanewise_set_tier(0);
	status = lanewise_base64_decode((const char *)text, n, flags, expected, bound, &n_expected, &first);
	FUZZ_REQUIRE(status == LANEWISE_OK || (first.status == LANEWISE_ERROR_DATA && first.offset <= n));
	for (lanewise_tier tier = 1; tier < lanewise_tier_count(); tier++) {
		lanewise_error error = { 0 };
		size_t n_got = 0;

		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		FUZZ_REQUIRE(lanewise_base64_decode((const char *)text, n, flags, got, bound, &n_got, &error) ==
		             status);
		FUZZ_REQUIRE(n_got == n_expected && error.offset == first.offset);
		FUZZ_REQUIRE(memcmp(got, expected, n_got) == 0);
	}
	if (status == LANEWISE_OK && !(flags & ~(uint32_t)LANEWISE_BASE64_URL)) {
		char *again = fuzz_allocate(n);

		FUZZ_REQUIRE(lanewise_base64_encode(expected, n_expected, flags, again) == n);
		FUZZ_REQUIRE(memcmp(again, text, n) == 0);
		free(again);
	}
	free(expected);
	free(got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint32_t flags = fuzz_u8(&in) % 12;
	size_t step = fuzz_u8(&in) % 80 + 1;
	uint8_t *text = fuzz_allocate(in.size);
	size_t n = in.size;

	fuzz_bytes(&in, text, n);
	check_utf8(text, n, step);
	check_base64(text, n, flags);
	free(text);
	return 0;
}
