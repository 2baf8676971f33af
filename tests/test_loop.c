/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise_loop against the definition, block by block, after every token. */
#include <stdlib.h>

#include <lanewise/dedup.h>

#include "test.h"

/* The shortest period from `least` to `most` of which the last `count` blocks of x[0 ... n) are equal, or 0. */
static uint32_t period_of(const uint32_t *x, size_t n, uint32_t least, uint32_t most, uint32_t count)
{
	for (uint32_t p = least; p <= most && (size_t)p * count <= n; p++) {
		int same = 1;

		for (uint32_t block = 1; block < count && same; block++)
			same = memcmp(x + n - p, x + n - p * (block + 1), p * sizeof *x) == 0;
		if (same)
			return p;
	}
	return 0;
}

struct config {
	uint32_t least, most, count;
};

static const struct config configs[] = { { 1, 1, 2 },     { 1, 32, 6 }, { 1, 33, 3 },   { 5, 5, 4 },
	                                 { 16, 1024, 4 }, { 3, 70, 2 }, { 100, 130, 2 } };

/* Streams that nearly repeat: blocks copied from a few places before, with a change now and then. */
static void make_tokens(uint32_t *x, size_t n, int kind, uint64_t *random)
{
	uint32_t period = 1;

	for (size_t i = 0; i < n; i++) {
		if (test_random(random) % 200 == 0)
			period = 1 + (uint32_t)(test_random(random) % (kind % 2 ? 10 : 150));
		if (i < period || test_random(random) % (kind < 2 ? 400 : 5) == 0)
			x[i] = kind == 0 ? 0 : (uint32_t)test_random(random) % 3 - 1; /* 0xffffffff too */
		else
			x[i] = x[i - period];
	}
}

static void check_stream(const struct config *k, const uint32_t *x, size_t n)
{
	size_t size = lanewise_loop_scratch_size(k->least, k->most, k->count), n_wrong = 0, n_loops = 0, taken;
	void *scratch = malloc(size);
	lanewise_loop *loop = lanewise_loop_begin(scratch, k->least, k->most, k->count);

	if (!CHECK(loop != NULL))
		return;
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < n; i++) {
			uint32_t expected = period_of(x, i + 1, k->least, k->most, k->count);

			n_wrong += lanewise_loop_push(loop, x + i, 1, &taken) != expected || taken != 1;
			n_loops += expected != 0;
		}
		lanewise_loop_reset(loop);
		/* At once: it stops where the first loop is complete, and goes on there. */
		for (size_t i = 0; i < n && again == 0; i += taken) {
			uint32_t period = lanewise_loop_push(loop, x + i, n - i, &taken);

			n_wrong += taken == 0 || period != period_of(x, i + taken, k->least, k->most, k->count);
			for (size_t j = i + 1; j < i + taken && k->most <= 70; j++)
				n_wrong += period_of(x, j, k->least, k->most, k->count) != 0;
		}
		lanewise_loop_reset(loop);
	}
	CHECK_EQUAL(n_wrong, 0);
	CHECK(n_loops > 0 || k->least > 1);
	free(scratch);
}

/* Longer than 16-bit counters count: a longer period than asked for must not show up when they are full. */
static void test_full_counters(void)
{
	static uint32_t x[300000];
	const uint32_t least = 10, most = 20;
	void *scratch = malloc(lanewise_loop_scratch_size(least, most, 3));
	lanewise_loop *loop = lanewise_loop_begin(scratch, least, most, 3);
	size_t taken;

	for (size_t i = 0; i < 300000; i++)
		x[i] = (uint32_t)i % 23;
	CHECK_EQUAL(lanewise_loop_push(loop, x, 300000, &taken), 0);
	CHECK_EQUAL(taken, 300000);
	for (size_t i = 0; i < 300000; i++)
		x[i] = (uint32_t)i % 7; /* so 14 is a period, and 7 is not asked for */
	CHECK_EQUAL(lanewise_loop_push(loop, x, 300000, &taken), 14);
	CHECK_EQUAL(taken, 42);
	CHECK_EQUAL(lanewise_loop_push(loop, x + 42 % 7, 200000, NULL), 14);
	free(scratch);
}

static void test_arguments(void)
{
	static const struct config wrong[] = { { 0, 5, 3 },          { 6, 5, 3 },     { 1, 5, 1 },
		                               { 1, 5, 0 },          { 1, 65536, 2 }, { 1, 16384, 5 },
		                               { 1, UINT32_MAX, 2 }, { 1, 2, 40000 }, { 1, UINT32_MAX, UINT32_MAX } };
	static _Alignas(64) unsigned char scratch[1000];

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK_EQUAL(lanewise_loop_scratch_size(wrong[i].least, wrong[i].most, wrong[i].count), 0);
		CHECK(lanewise_loop_begin(scratch, wrong[i].least, wrong[i].most, wrong[i].count) == NULL);
	}
	CHECK(lanewise_loop_begin(NULL, 1, 1, 2) == NULL);
	CHECK(lanewise_loop_begin(scratch + 1, 1, 1, 2) == NULL);
	CHECK(lanewise_loop_scratch_size(1, 65535, 2) > 0);
}

int main(void)
{
	enum { N = 6000 };
	static uint32_t x[N];
	uint64_t random = 1;

	test_arguments();
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		for (int kind = 0; kind < 4; kind++)
			for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
				make_tokens(x, configs[i].most > 100 ? N : N / 3, kind, &random);
				check_stream(&configs[i], x, configs[i].most > 100 ? N : N / 3);
			}
		test_full_counters();
	}
	return test_result();
}
