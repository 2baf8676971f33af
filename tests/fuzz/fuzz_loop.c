/* SPDX-License-Identifier: Apache-2.0 */
/* Loops in tokens of few values, on every tier: the definition, token by token and in pieces. */
#include <lanewise/dedup.h>

#include "fuzz.h"

static uint32_t period_of(const uint32_t *x, size_t n, uint32_t least, uint32_t most, uint32_t count)
{
	for (uint32_t p = least; p <= most && (size_t)p * count <= n; p++) {
		size_t same = 0;

		while (same < (size_t)p * (count - 1) && x[n - 1 - same] == x[n - 1 - same - p])
			same++;
		if (same == (size_t)p * (count - 1))
			return p;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint32_t least = 1 + fuzz_u8(&in) % 40, most = least + fuzz_u8(&in), count = 2 + fuzz_u8(&in) % 4;
	uint8_t repeat = fuzz_u8(&in);
	size_t once = in.size < 2000 ? in.size : 2000, n = once * (1 + repeat % 4);
	uint32_t *x = fuzz_allocate(n * sizeof *x);
	void *scratch = fuzz_allocate(lanewise_loop_scratch_size(least, most, count));

	for (size_t i = 0; i < n; i++)
		x[i] = (uint32_t)(in.data[i % once] & 3) - 1;
	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++) {
		if (lanewise_set_tier(t) != LANEWISE_OK)
			continue;

		lanewise_loop *loop = lanewise_loop_begin(scratch, least, most, count);

		for (size_t i = 0, taken; i < n; i += taken) {
			size_t piece = n - i < repeat + 1u ? n - i : repeat + 1u;
			uint32_t period = lanewise_loop_push(loop, x + i, piece, &taken);

			FUZZ_REQUIRE(taken >= 1 && taken <= piece && (taken == piece || period));
			for (size_t j = i + 1; j < i + taken; j++)
				FUZZ_REQUIRE(period_of(x, j, least, most, count) == 0);
			FUZZ_REQUIRE(period_of(x, i + taken, least, most, count) == period);
		}
	}
	free(scratch);
	free(x);
	return 0;
}
