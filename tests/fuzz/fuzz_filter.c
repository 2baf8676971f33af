/* SPDX-License-Identifier: Apache-2.0 */
/* Any marks and text: the parts are those of the definition, in pieces of any size. The first bytes choose the marks. */
#include "fuzz.h"

#include "../filter_naive.h"

enum { MAX_PAIRS = 5, MAX_TEXT = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint8_t flags = fuzz_u8(&in), step = fuzz_u8(&in), limit = fuzz_u8(&in);
	char marks[2 * MAX_PAIRS][16];
	lanewise_filter_pair pairs[MAX_PAIRS];
	struct filter_naive naive = { pairs,
		                      1 + (flags >> 4) % MAX_PAIRS,
		                      { sizeof naive.options, flags & 1, flags >> 1 & 1, limit },
		                      { 0 },
		                      0,
		                      0,
		                      0 };
	lanewise_filter *filter;
	_Alignas(64) static unsigned char scratch[2048];

	if (flags & 4)
		naive.pairs = lanewise_filter_think_pairs(&naive.n_pairs);
	for (size_t i = 0; i < 2 * naive.n_pairs && !(flags & 4); i++) {
		size_t n = fuzz_u8(&in) % 16;

		fuzz_bytes(&in, marks[i], n);
		if (i % 2)
			pairs[i / 2].end = marks[i], pairs[i / 2].end_bytes = n;
		else
			pairs[i / 2].start = marks[i], pairs[i / 2].start_bytes = n;
	}
	if (lanewise_filter_create(naive.pairs, naive.n_pairs, &naive.options, NULL, &filter, NULL) != LANEWISE_OK)
		return 0;

	struct filter_record expected = { 0 }, whole = { 0 }, pieces = { 0 };
	const char *text = (const char *)in.data;
	size_t n = in.size < MAX_TEXT ? in.size : MAX_TEXT;
	lanewise_filtering *filtering = lanewise_filter_begin(filter, scratch);

	naive_filter(&naive, &expected, text, n, 1);
	record_piece(&whole, filtering, text, n);
	lanewise_filter_finish(filtering);
	record_ready(&whole, filtering);
	FUZZ_REQUIRE(same_record(&whole, &expected) && whole.at == n);
	FUZZ_REQUIRE(lanewise_filter_depth(filtering) == naive.depth);

	filtering = lanewise_filter_begin(filter, scratch);
	for (size_t at = 0; at < n; at += 1 + step)
		record_piece(&pieces, filtering, text + at, n - at < 1u + step ? n - at : 1u + step);
	lanewise_filter_finish(filtering);
	record_ready(&pieces, filtering);
	FUZZ_REQUIRE(same_record(&pieces, &expected));
	free(expected.text);
	free(whole.text);
	free(pieces.text);
	lanewise_filter_destroy(filter);
	return 0;
}
