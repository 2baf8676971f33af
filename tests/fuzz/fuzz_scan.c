/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any patterns and text: create and scan give what scanning by definition gives, for every semantics, on every tier, in
 * pieces of any size. The first bytes choose options, pieces and patterns; the rest is the text, repeated so that small
 * inputs fill blocks.
 */
#include "fuzz.h"

#include "../scan_naive.h"

enum { MAX_PATTERNS = 20, MAX_TEXT = 3000 };

static lanewise_scan_set *create(const lanewise_pattern *patterns, size_t n, int ignore_case)
{
	lanewise_scan_set_options options = { sizeof options, ignore_case };
	lanewise_scan_set *set = NULL;
	lanewise_error error = { 0 };
	lanewise_status status = lanewise_scan_set_create(patterns, n, &options, NULL, &set, &error);
	int refuse = n == 0;

	for (size_t i = 0; i < n; i++)
		refuse |= patterns[i].n_bytes == 0;
	FUZZ_REQUIRE(refuse == (status != LANEWISE_OK));
	FUZZ_REQUIRE(refuse == (error.what[0] != 0) && refuse == (set == NULL));
	return set;
}

static void scan_pieces(const struct naive_case *c, const lanewise_scan_set *set, size_t step, size_t capacity,
                        const lanewise_match *expected, size_t n_expected)
{
	void *scratch = naive_scratch(set);
	struct naive_run run = naive_begin(c, expected, n_expected, set, scratch, capacity);

	for (size_t at = 0; at < c->n; at += step)
		naive_feed(&run, at, c->n - at < step ? c->n : at + step);
	FUZZ_REQUIRE(naive_end(&run));
	free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint8_t flags = fuzz_u8(&in), step = fuzz_u8(&in), repeat = fuzz_u8(&in), bytes[MAX_PATTERNS][64];
	size_t n_patterns = fuzz_u8(&in) % (MAX_PATTERNS + 1);
	lanewise_pattern patterns[MAX_PATTERNS] = { { 0 } };

	for (size_t i = 0; i < n_patterns; i++) {
		patterns[i] = (lanewise_pattern) { bytes[i], fuzz_u8(&in) % 64 };
		fuzz_bytes(&in, bytes[i], patterns[i].n_bytes);
	}

	lanewise_scan_set *set = create(patterns, n_patterns, flags & 1);

	if (!set)
		return 0;

	size_t n = in.size * (1 + repeat % 32);

	n = n < MAX_TEXT ? n : MAX_TEXT;

	unsigned char *text = fuzz_allocate(n);
	struct naive_case c = { patterns, n_patterns, text,
		                n,        flags & 1,  { sizeof c.options, flags >> 2 & 3, flags >> 1 & 1 } };
	size_t n_expected;

	for (size_t i = 0; i < n; i++)
		text[i] = in.data[i % in.size];

	lanewise_match *expected = naive_scan(&c, &n_expected);
	lanewise_tier best = lanewise_active_tier();

	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++)
		if (lanewise_set_tier(tier) == LANEWISE_OK) {
			scan_pieces(&c, set, n + 1, 16, expected, n_expected);
			scan_pieces(&c, set, 1 + step, 1 + step % 5, expected, n_expected);
		}
	lanewise_set_tier(best);
	free(expected);
	free(text);
	lanewise_scan_set_destroy(set);
	return 0;
}
