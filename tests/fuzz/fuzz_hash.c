/* SPDX-License-Identifier: Apache-2.0 */
/* The hash: every tier gives scalar's value at any offset. */
#include "dispatch.h"
#include "fuzz.h"

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
		if (lanewise_tier_supported(t))
			FUZZ_REQUIRE(lanewise_kernels_of(t)->xxh3_64(bytes + offset, n, seed) == expected);
	free(bytes);
	return 0;
}
