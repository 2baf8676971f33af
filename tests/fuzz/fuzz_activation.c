/* SPDX-License-Identifier: Apache-2.0 */
/* Sigmoid, softmax and mean pooling: any bits as floats; every tier gives scalar's bits, and ranges hold. */
#include "fuzz.h"

#include <lanewise/activation.h>

enum { MAX_N = 500 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	size_t n = fuzz_u16(&in) % MAX_N, dim = 1 + fuzz_u8(&in) % 40, n_tokens = n / dim;
	float *x = fuzz_allocate(n * sizeof *x), expected[3][MAX_N] = { { 0 } }, got[3][MAX_N] = { { 0 } };
	uint8_t *mask = fuzz_allocate(n_tokens);
	lanewise_tier before = lanewise_active_tier();

	fuzz_bytes(&in, mask, n_tokens);
	for (size_t i = 0; i < n_tokens; i++)
		mask[i] &= 1;
	for (size_t i = 0; i < n; i++)
		if (in.size)
			fuzz_bytes(&in, &x[i], sizeof x[i]);
		else
			x[i] = i ? x[i - 1] - 1 : 1;
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		lanewise_sigmoid_f32(x, n, got[0]);
		lanewise_softmax_f32(x, n, got[1]);
		lanewise_mean_pool_f32(x, n_tokens, dim, dim, mask, got[2]);
		if (tier == 0)
			memcpy(expected, got, sizeof got);
		FUZZ_REQUIRE(!memcmp(expected, got, sizeof got));
	}
	for (size_t i = 0; i < n; i++) {
		FUZZ_REQUIRE(x[i] != x[i] || (got[0][i] >= 0 && got[0][i] <= 1));
		FUZZ_REQUIRE(got[1][i] != got[1][i] || (got[1][i] >= 0 && got[1][i] <= 1));
	}
	lanewise_set_tier(before);
	free(x);
	free(mask);
	return 0;
}
