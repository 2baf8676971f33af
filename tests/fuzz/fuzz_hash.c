/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hashes: every tier gives scalar's value at any offset; a stream gives that of the whole, and a batch that of
 * single calls.
 */
#include <lanewise/hash.h>

#include "dispatch.h"
#include "fuzz.h"

/* The bytes in pieces whose sizes they tell themselves. */
static void require_stream(const uint8_t *bytes, size_t n, uint64_t seed)
{
	void *scratch;

	FUZZ_REQUIRE(posix_memalign(&scratch, 64, lanewise_xxh3_scratch_size()) == 0);

	lanewise_xxh3 *hash = lanewise_xxh3_begin(scratch, seed);
	lanewise_hash128 expected = lanewise_xxh3_128(bytes, n, seed);

	for (size_t at = 0, size; at < n; at += size) {
		size = 1 + (size_t)bytes[at] * (bytes[at] % 3);
		size = size < n - at ? size : n - at;
		lanewise_xxh3_feed(hash, bytes + at, size);
	}
	FUZZ_REQUIRE(lanewise_xxh3_value_64(hash) == lanewise_xxh3_64(bytes, n, seed));
	FUZZ_REQUIRE(lanewise_xxh3_value_128(hash).low == expected.low);
	FUZZ_REQUIRE(lanewise_xxh3_value_128(hash).high == expected.high);
	free(scratch);
}

static void require_batch(const uint8_t *bytes, size_t n, uint64_t seed)
{
	enum { MOST = 700 };
	uint64_t begin[MOST] = { 0 }, end[MOST] = { 0 }, out[MOST];
	size_t n_strings = 0;

	for (size_t at = 0; at < n && n_strings < MOST; n_strings++) {
		size_t size = bytes[at] < n - at ? bytes[at] : n - at;

		begin[n_strings] = at;
		end[n_strings] = at + size;
		at += size ? size : 1;
	}
	lanewise_xxh3_64_batch(bytes, begin, end, n_strings, seed, out);
	for (size_t i = 0; i < n_strings; i++)
		FUZZ_REQUIRE(out[i] == lanewise_xxh3_64(bytes + begin[i], (size_t)(end[i] - begin[i]), seed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	size_t offset = fuzz_u8(&in) % 64, repeat = 1 + fuzz_u8(&in) % 16;
	uint64_t seed;

	fuzz_bytes(&in, &seed, sizeof seed);

	/* Repeated, so that small inputs reach the code for long ones. */
	size_t n = in.size * repeat;
	uint8_t *bytes = fuzz_allocate(offset + n);

	for (size_t i = 0; in.size && i < repeat; i++)
		memcpy(bytes + offset + i * in.size, in.data, in.size);

	uint64_t expected = lanewise_kernels_of(0)->xxh3_64(bytes + offset, n, seed);

	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++)
		if (lanewise_set_tier(t) == LANEWISE_OK) {
			FUZZ_REQUIRE(lanewise_xxh3_64(bytes + offset, n, seed) == expected);
			require_stream(bytes + offset, n, seed);
			require_batch(bytes + offset, n, seed);
		}
	free(bytes);
	return 0;
}
