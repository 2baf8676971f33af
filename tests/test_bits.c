/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/bits.h: sets drawn as arrays of truth values, counted as such, and packed; on every tier. */
#include <stdlib.h>

#include <lanewise/bits.h>

#include "dispatch.h"
#include "test.h"

enum { MAX_BYTES = 700, MAX_ROWS = 300 };

static uint64_t seed = 5;

static void draw(uint8_t *bytes, unsigned char *bits, size_t n_bytes)
{
	unsigned share = (unsigned)(test_random(&seed) % 5);

	memset(bytes, 0, n_bytes);
	for (size_t i = 0; i < 8 * n_bytes; i++) {
		bits[i] = test_random(&seed) % 4 < share;
		bytes[i / 8] |= (uint8_t)(bits[i] << (7 - i % 8));
	}
}

static void test_rows(void)
{
	static unsigned char query_bits[8 * MAX_BYTES], row_bits[8 * MAX_BYTES];
	static uint8_t query[MAX_BYTES], rows[MAX_ROWS * MAX_BYTES];
	static uint32_t hamming[MAX_ROWS], expected_hamming[MAX_ROWS];
	static float jaccard[MAX_ROWS], expected_jaccard[MAX_ROWS];
	size_t n_bytes = test_random(&seed) % (test_random(&seed) % 2 ? 60 : MAX_BYTES);
	size_t n_rows = n_bytes < 60 ? test_random(&seed) % MAX_ROWS : 3;

	draw(query, query_bits, n_bytes);
	for (size_t r = 0; r < n_rows; r++) {
		uint32_t differ = 0, both = 0, either = 0;

		draw(rows + r * n_bytes, row_bits, n_bytes);
		for (size_t i = 0; i < 8 * n_bytes; i++) {
			differ += query_bits[i] != row_bits[i];
			both += query_bits[i] && row_bits[i];
			either += query_bits[i] || row_bits[i];
		}
		expected_hamming[r] = differ;
		expected_jaccard[r] = either ? (float)((double)both / either) : 0;
		CHECK_EQUAL(lanewise_hamming_bits(query, rows + r * n_bytes, n_bytes), differ);
		CHECK(lanewise_jaccard_bits(query, rows + r * n_bytes, n_bytes) == expected_jaccard[r]);
	}
	lanewise_hamming_bits_rows(query, rows, n_rows, n_bytes, n_bytes, hamming);
	lanewise_jaccard_bits_rows(query, rows, n_rows, n_bytes, n_bytes, jaccard);
	CHECK(!memcmp(hamming, expected_hamming, n_rows * sizeof *hamming));
	CHECK(!memcmp(jaccard, expected_jaccard, n_rows * sizeof *jaccard));
}

/* More than 2^16 bytes of all bits, so that no narrow sum is left in. */
static void test_large(size_t n_bytes)
{
	uint8_t *set = malloc(n_bytes), *clear = calloc(n_bytes, 1);

	memset(set, 0xff, n_bytes);
	CHECK_EQUAL(lanewise_hamming_bits(set, clear, n_bytes), 8 * n_bytes);
	CHECK_EQUAL(lanewise_hamming_bits(set, set, n_bytes), 0);
	CHECK(lanewise_jaccard_bits(set, set, n_bytes) == 1 && lanewise_jaccard_bits(set, clear, n_bytes) == 0);
	free(set);
	free(clear);
}

int main(void)
{
	float jaccard = 7;
	uint32_t hamming = 7;

	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		for (int round = 0; round < 200; round++)
			test_rows();
		test_large(300001);
		CHECK(lanewise_hamming_bits(NULL, NULL, 0) == 0 && lanewise_jaccard_bits(NULL, NULL, 0) == 0);
		lanewise_hamming_bits_rows(NULL, NULL, 1, 0, 0, &hamming);
		lanewise_jaccard_bits_rows(NULL, NULL, 1, 0, 0, &jaccard);
		CHECK(hamming == 0 && jaccard == 0);
	}
	return test_result();
}
