/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content-defined chunks on every tier and in pieces of any size are those of one call on the first tier; sizes are in
 * their limits; and each chunk by itself is one chunk again, since nothing before it counts.
 */
#include "fuzz.h"

#include <lanewise/lanewise.h>

static size_t in_pieces(const lanewise_cdc_options *options, const uint8_t *data, size_t n, size_t step,
                        size_t capacity, uint64_t *ends)
{
	void *scratch = fuzz_allocate(lanewise_cdc_scratch_size());
	size_t n_ends = 0, turn = 0, more;
	lanewise_cdc *cdc;

	FUZZ_REQUIRE(lanewise_cdc_begin(scratch, options, &cdc, NULL) == LANEWISE_OK);
	for (size_t at = 0, size; at < n; at += size) {
		size = step + ++turn % 3;
		size = size < n - at ? size : n - at;

		uint8_t *piece = fuzz_allocate(size);

		memcpy(piece, data + at, size);
		for (size_t done = 0; done < size; n_ends += more)
			done += lanewise_cdc_feed(cdc, piece + done, size - done, ends + n_ends, capacity, &more);
		free(piece);
	}
	n_ends += (size_t)lanewise_cdc_finish(cdc, ends + n_ends);
	free(scratch);
	return n_ends;
}

/* FASTCDC2020 needs the byte after a chunk to end it there, so only LANEWISE1's chunks stand alone. */
static void require_sane(const lanewise_cdc_options *o, const uint8_t *data, size_t n, const uint64_t *ends,
                         size_t n_ends)
{
	uint64_t begin = 0;

	FUZZ_REQUIRE(n_ends == 0 ? n == 0 : ends[n_ends - 1] == n);
	for (size_t i = 0; i < n_ends; begin = ends[i++]) {
		uint64_t size = ends[i] - begin, alone;
		size_t n_alone;

		FUZZ_REQUIRE(size > 0 && size <= o->max_size && (size >= o->min_size || i + 1 == n_ends));
		if (o->method != LANEWISE_CDC_LANEWISE1)
			continue;
		FUZZ_REQUIRE(lanewise_cdc_chunks(data + begin, size, o, &alone, 1, &n_alone, NULL) == LANEWISE_OK);
		FUZZ_REQUIRE(n_alone == 1 && alone == size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct fuzz_input in = { input, size };
	lanewise_cdc_options options;
	uint8_t kind = fuzz_u8(&in);
	size_t step = 1 + fuzz_u8(&in), capacity = 1 + fuzz_u8(&in) % 4, repeat = 1 + (kind >> 4);

	lanewise_cdc_options_default(&options);
	options.method = kind & 1;
	options.level = kind >> 1 & 3;
	options.min_size = 64 + 2 * (fuzz_u8(&in) & 63u);
	options.average_size = 256 + 2 * (fuzz_u16(&in) & 255u);
	options.max_size = 1024 + 2 * (fuzz_u16(&in) & 511u);
	options.key = fuzz_u16(&in);

	size_t n = in.size * repeat;
	uint8_t *data = fuzz_allocate(n);

	for (size_t i = 0; i < repeat && in.size; i++)
		memcpy(data + i * in.size, in.data, in.size);

	size_t most = lanewise_cdc_bound(n, &options), n_expected = 0;
	uint64_t *expected = fuzz_allocate(most * sizeof *expected), *ends = fuzz_allocate(most * sizeof *ends);

	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++) {
		size_t n_ends;

		if (lanewise_set_tier(t) != LANEWISE_OK)
			continue;
		FUZZ_REQUIRE(lanewise_cdc_chunks(data, n, &options, ends, most, &n_ends, NULL) == LANEWISE_OK);
		if (t == 0) {
			n_expected = n_ends;
			memcpy(expected, ends, n_ends * sizeof *ends);
			require_sane(&options, data, n, ends, n_ends);
		}
		FUZZ_REQUIRE(n_ends == n_expected && memcmp(ends, expected, n_ends * sizeof *ends) == 0);
		n_ends = in_pieces(&options, data, n, step, capacity, ends);
		FUZZ_REQUIRE(n_ends == n_expected && memcmp(ends, expected, n_ends * sizeof *ends) == 0);
	}
	free(ends);
	free(expected);
	free(data);
	return 0;
}
