/* SPDX-License-Identifier: Apache-2.0 */
/* Packed bits: every tier gives scalar's counts, and rows give what pairs give. */
#include "fuzz.h"

#include <lanewise/bits.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	size_t n_bytes = fuzz_u16(&in) % 600, n_rows = fuzz_u8(&in) % 8;
	uint8_t *query = fuzz_allocate(n_bytes), *rows = fuzz_allocate(n_rows * n_bytes);
	uint32_t hamming[8], expected_hamming[8];
	float jaccard[8], expected_jaccard[8];
	lanewise_tier before = lanewise_active_tier();

	fuzz_bytes(&in, query, n_bytes);
	fuzz_bytes(&in, rows, n_rows * n_bytes);
	lanewise_set_tier(0);
	lanewise_hamming_bits_rows(query, rows, n_rows, n_bytes, n_bytes, expected_hamming);
	lanewise_jaccard_bits_rows(query, rows, n_rows, n_bytes, n_bytes, expected_jaccard);
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		lanewise_hamming_bits_rows(query, rows, n_rows, n_bytes, n_bytes, hamming);
		lanewise_jaccard_bits_rows(query, rows, n_rows, n_bytes, n_bytes, jaccard);
		FUZZ_REQUIRE(!memcmp(hamming, expected_hamming, n_rows * sizeof *hamming));
		FUZZ_REQUIRE(!memcmp(jaccard, expected_jaccard, n_rows * sizeof *jaccard));
		for (size_t r = 0; r < n_rows; r++) {
			FUZZ_REQUIRE(lanewise_hamming_bits(rows + r * n_bytes, query, n_bytes) == hamming[r]);
			FUZZ_REQUIRE(jaccard[r] >= 0 && jaccard[r] <= 1);
		}
	}
	lanewise_set_tier(before);
	free(query);
	free(rows);
	return 0;
}
