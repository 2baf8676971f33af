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

static void test_128_against_xxhash(const unsigned char *data, size_t max)
{
	const uint64_t seeds[] = { 0, 0x9e3779b97f4a7c15 };
	unsigned long wrong = 0;

	for (size_t n = 0; n <= max; n += n < 2200 ? 1 : n / 3)
		for (size_t s = 0; s < 2; s++) {
			XXH128_hash_t expected = XXH3_128bits_withSeed(data + n % 64, n, seeds[s]);
			lanewise_hash128 got = lanewise_xxh3_128(data + n % 64, n, seeds[s]);

			wrong += got.low != expected.low64 || got.high != expected.high64;
		}
	CHECK_EQUAL(wrong, 0);
}

static void check_value(const lanewise_xxh3 *hash, const unsigned char *data, size_t n, uint64_t seed)
{
	lanewise_hash128 expected = lanewise_xxh3_128(data, n, seed), got = lanewise_xxh3_value_128(hash);

	CHECK(lanewise_xxh3_value_64(hash) == lanewise_xxh3_64(data, n, seed));
	CHECK(got.low == expected.low && got.high == expected.high);
}

/* Every split of a short text in two, and pieces of many sizes; values are also asked for on the way. */
static void test_pieces(const unsigned char *data)
{
	static _Alignas(64) unsigned char memory[1024];
	unsigned char *scratch = memory + 16; /* as bad as malloc's may be */
	const uint64_t seeds[] = { 0, 77 };

	CHECK(lanewise_xxh3_scratch_size() <= sizeof memory - 64);
	for (size_t offset = 0; offset < 64; offset += 16) {
		size_t end = offset + lanewise_xxh3_scratch_size(), n_touched = 0;

		memset(memory, 0x5a, sizeof memory);
		lanewise_xxh3_feed(lanewise_xxh3_begin(memory + offset, 1), data, 1000);
		for (size_t i = 0; i < sizeof memory; i++)
			n_touched += (i < offset || i >= end) && memory[i] != 0x5a;
		CHECK_EQUAL(n_touched, 0);
	}
	CHECK(lanewise_xxh3_begin(NULL, 0) == NULL);
	CHECK(lanewise_xxh3_begin(scratch + 1, 0) == NULL);
	for (size_t s = 0; s < 2; s++) {
		for (size_t n = 0; n <= 600; n += n < 260 ? 5 : 67)
			for (size_t cut = 0; cut <= n; cut++) {
				lanewise_xxh3 *hash = lanewise_xxh3_begin(scratch, seeds[s]);

				lanewise_xxh3_feed(hash, data, cut);
				lanewise_xxh3_feed(hash, data + cut, n - cut);
				check_value(hash, data, n, seeds[s]);
			}
		for (size_t step = 1; step < 5000; step += step / 2 + 1) {
			lanewise_xxh3 *hash = lanewise_xxh3_begin(scratch, seeds[s]);

			for (size_t at = 0; at < 20000; at += step) {
				lanewise_xxh3_feed(hash, data + at, step);
				check_value(hash, data, at + step, seeds[s]);
			}
		}
	}
}

static void test_batch(const unsigned char *data)
{
	enum { N = 3000 };
	static uint64_t offsets[N + 1], out[N + 1];
	static lanewise_hash128 wide[N + 1];
	uint64_t state = 5;
	unsigned long wrong = 0;

	for (unsigned longest = 1; longest < 3000; longest *= 3) {
		for (size_t i = 0; i < N; i++)
			offsets[i + 1] = offsets[i] + test_random(&state) % (longest + 1) * (offsets[i] < 900000);
		for (size_t n = 0; n <= N; n += n < 20 ? 1 : n) {
			out[n] = 42;
			lanewise_xxh3_64_batch(data, offsets, offsets + 1, n, longest, out);
			for (size_t i = 0; i < n; i++)
				wrong += out[i] !=
				         XXH3_64bits_withSeed(data + offsets[i], offsets[i + 1] - offsets[i], longest);
			CHECK(out[n] == 42);
			wide[n].low = 42;
			lanewise_xxh3_128_batch(data, offsets, offsets + 1, n, longest, wide);
			for (size_t i = 0; i < n; i++) {
				XXH128_hash_t hash =
				        XXH3_128bits_withSeed(data + offsets[i], offsets[i + 1] - offsets[i], longest);

				wrong += wide[i].low != hash.low64 || wide[i].high != hash.high64;
			}
			CHECK(wide[n].low == 42);
		}
	}
	CHECK_EQUAL(wrong, 0);
}

/*
 * A published family of collisions (xxHash issue 261): for 32 bytes, a step multiplies (word 0 ^ key 0) by
 * (word 1 ^ key 1), so that a word 0 equal to the public key hides word 1. Who has an XXH3 in which these differ has not
 * got XXH3.
 */
static void test_known_collisions(void)
{
	static const unsigned char key[8] = { 0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe };
	unsigned char text[33] = "12345678????????with the same end";
	uint64_t first = 0;

	memcpy(text, key, sizeof key);
	for (unsigned i = 0; i < 1000; i++) {
		memcpy(text + 8, &i, sizeof i);
		if (i == 0)
			first = lanewise_xxh3_64(text, sizeof text - 1, 0);
		CHECK(lanewise_xxh3_64(text, sizeof text - 1, 0) == first);
	}
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
		CHECK(lanewise_xxh3_128(NULL, 0, 0).low == 0x6001c324468d497f);
		CHECK(lanewise_xxh3_128(NULL, 0, 0).high == 0x99aa06d3014798d8);
		test_against_xxhash(data, MAX);
		test_128_against_xxhash(data, MAX);
		test_pieces(data);
		test_batch(data);
		test_known_collisions();
	}
	return test_result();
}
