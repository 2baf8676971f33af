/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/hash.h against the xxHash library where the target has it (else against its header, compiled here for the
 * baseline), and against known answers.
 */
#if !defined(LW_TEST_WITH_LIBXXHASH)
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include <lanewise/hash.h>

#include "test.h"

static void test_against_xxhash(const unsigned char *data, size_t max)
{
	const uint64_t seeds[] = { 0, 1, 0x9e3779b97f4a7c15, UINT64_MAX };
	unsigned long wrong = 0;

	for (size_t n = 0; n <= max; n += n < 2200 ? 1 : n / 3)
		for (size_t s = 0; s < sizeof seeds / sizeof *seeds; s++)
			for (size_t offset = 0; offset < 64; offset += n < 300 ? 1 : 21)
				wrong += lanewise_xxh3_64(data + offset, n, seeds[s]) !=
				         XXH3_64bits_withSeed(data + offset, n, seeds[s]);
	CHECK_EQUAL(wrong, 0);
}

int main(void)
{
	enum { MAX = 1 << 20 };
	static unsigned char data[MAX + 64];
	uint64_t state = 99;

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)test_random(&state);
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		CHECK(lanewise_xxh3_64(NULL, 0, 0) == 0x2d06800538d394c2);
		CHECK(lanewise_xxh3_64("a", 1, 0) == 0xe6c632b61e964e1f);
		CHECK(lanewise_xxh3_64("abc", 3, 0) == 0x78af5f94892f3950);
		test_against_xxhash(data, MAX);
	}
	return test_result();
}
