/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of lanewise/hash.h. XXH3 has other code for 0, 1-3, 4-8, 9-16, 17-128 and 129-240 bytes, then stripes of 64
 * in blocks of 1024: lengths go beyond the second block.
 */
#include "check.h"

#include <lanewise/hash.h>

#include <string.h>

enum { MAX_LENGTH = 2 * 1024 + 4 * 64 + 3 };

static void fill_bytes(struct lw_check *c, unsigned char *p, size_t n, int kind)
{
	static const char *const names[] = { "random bytes", "bytes 0x00", "bytes 0x80", "bytes 0xff",
		                             "alternating bits" };

	c->where.pattern = names[kind];
	for (size_t i = 0; i < n; i++)
		switch (kind) {
		case 0:
			p[i] = (unsigned char)(lanewise_check_random(c) >> 7);
			break;
		case 4:
			p[i] = i & 1 ? 0x55 : 0xaa;
			break;
		default:
			p[i] = kind == 1 ? 0x00 : kind == 2 ? 0x80 : 0xff;
			break;
		}
}

static void judge(struct lw_check *c, const unsigned char *data, size_t n, uint64_t expected, uint64_t seed, int place)
{
	c->where.length = n;
	c->where.place = place;

	const void *p = lanewise_check_input(c, 0, data, n, place);
	uint64_t got = c->subject->xxh3_64(p, n, seed);

	lanewise_check_same(c, "hash", &expected, &got, sizeof got, sizeof got);
	lanewise_check_after(c);
}

void lanewise_check_xxh3_64(struct lw_check *c)
{
	unsigned char *data = c->scratch[0];

	for (size_t n = 0; n <= MAX_LENGTH; n += c->quick && n > 300 ? 1 + lanewise_check_below(c, 30) : 1)
		for (int kind = 0; kind < 5; kind++) {
			uint64_t seed = kind % 2 ? 0 : lanewise_check_random(c);

			fill_bytes(c, data, n, kind);

			uint64_t expected = c->reference->xxh3_64(data, n, seed);

			for (int place = LW_AT_FRONT; place < 64; place += c->quick && place >= 0 ? 13 : 1)
				judge(c, data, n, expected, seed, place);
		}
	for (int i = 0; i < (c->quick ? 4 : 60); i++) {
		size_t n = lanewise_check_below(c, c->quick ? 50000 : 2000000);
		uint64_t seed = lanewise_check_random(c);

		fill_bytes(c, data, n, i % 5);
		judge(c, data, n, c->reference->xxh3_64(data, n, seed), seed, lanewise_check_random_place(c, 1));
	}
}

/* --------------------------------------------------------------------- 128 */

static void judge_128(struct lw_check *c, const unsigned char *data, size_t n, uint64_t seed, int place)
{
	uint64_t expected[2];

	c->reference->xxh3_128(data, n, seed, expected);
	c->where.length = n;
	c->where.place = place;

	const void *p = lanewise_check_input(c, 0, data, n, place);
	uint64_t *got = lanewise_check_output(c, 1, sizeof expected, LW_AT_BACK);

	c->subject->xxh3_128(p, n, seed, got);
	lanewise_check_same(c, "hash", expected, got, sizeof expected, sizeof *expected);
	lanewise_check_after(c);
}

void lanewise_check_xxh3_128(struct lw_check *c)
{
	unsigned char *data = c->scratch[0];

	for (size_t n = 0; n <= MAX_LENGTH; n += n > 300 ? 1 + lanewise_check_below(c, c->quick ? 40 : 4) : 1)
		for (int kind = 0; kind < 5; kind++) {
			uint64_t seed = kind % 2 ? 0 : lanewise_check_random(c);

			fill_bytes(c, data, n, kind);
			for (int place = LW_AT_FRONT; place < 64; place += place >= 0 ? 13 : 1)
				judge_128(c, data, n, seed, place);
		}
	for (int i = 0; i < (c->quick ? 4 : 40); i++) {
		size_t n = lanewise_check_below(c, c->quick ? 50000 : 2000000);
		uint64_t seed = lanewise_check_random(c);

		fill_bytes(c, data, n, i % 5);
		judge_128(c, data, n, seed, lanewise_check_random_place(c, 1));
	}
}

/* ------------------------------------------------------------------ streams */

/* One piece for two equal states; what they are afterwards shows in their values. */
static void feed_both(struct lw_check *c, lanewise_xxh3 *expected, lanewise_xxh3 *state, const unsigned char *data,
                      size_t n, int place)
{
	if (n == 0)
		return;
	c->reference->xxh3_feed(expected, data, n);
	c->where.length = n;
	c->where.place = place;

	const void *p = lanewise_check_input(c, 0, data, n, place);
	void *got = lanewise_check_inout(c, 1, state, lanewise_xxh3_scratch_size(), 0);

	c->subject->xxh3_feed(got, p, n);

	uint64_t expected_64 = lanewise_xxh3_value_64(expected), got_64 = lanewise_xxh3_value_64(got);
	lanewise_hash128 expected_128 = lanewise_xxh3_value_128(expected), got_128 = lanewise_xxh3_value_128(got);

	lanewise_check_same(c, "value", &expected_64, &got_64, sizeof got_64, sizeof got_64);
	lanewise_check_same(c, "value", &expected_128, &got_128, sizeof got_128, sizeof got_64);
	memcpy(state, got, lanewise_xxh3_scratch_size());
	lanewise_check_after(c);
}

void lanewise_check_xxh3_feed(struct lw_check *c)
{
	static const size_t largest[] = { 3, 70, 300, 2000, 30000 };
	unsigned char *data = c->scratch[0];

	for (int i = 0; i < (c->quick ? 20 : 400); i++) {
		uint64_t seed = i % 3 ? lanewise_check_random(c) : 0;
		lanewise_xxh3 *expected = lanewise_xxh3_begin(c->scratch[1], seed);
		lanewise_xxh3 *state = lanewise_xxh3_begin(c->scratch[2], seed);

		for (int piece = 0; piece < 30; piece++) {
			size_t n = lanewise_check_below(c, largest[i % 5]);

			fill_bytes(c, data, n, piece % 5);
			feed_both(c, expected, state, data, n, lanewise_check_random_place(c, 1));
		}
	}
}

/* -------------------------------------------------------------------- batch */

static void judge_batch(struct lw_check *c, const unsigned char *data, size_t n_data, const uint64_t *begin,
                        const uint64_t *end, size_t n, uint64_t seed, int place)
{
	uint64_t *expected = c->scratch[4];

	c->reference->xxh3_64_batch(data, begin, end, n, seed, expected);
	c->where.length = n;
	c->where.place = place;

	const void *p = lanewise_check_input(c, 0, data, n_data, place);
	const uint64_t *b = lanewise_check_input(c, 1, begin, n * sizeof *b, LW_AT_BACK);
	const uint64_t *e = lanewise_check_input(c, 2, end, n * sizeof *e, LW_AT_BACK);
	uint64_t *got = lanewise_check_output(c, 3, n * sizeof *got, LW_AT_BACK);

	c->subject->xxh3_64_batch(p, b, e, n, seed, got);
	lanewise_check_same(c, "hash", expected, got, n * sizeof *got, sizeof *got);
	lanewise_check_after(c);
}

/* Every length, alone in memory of exactly its size and as one of eight. */
static void check_batch_lengths(struct lw_check *c, unsigned char *data, uint64_t *begin, uint64_t *end)
{
	for (size_t length = 0; length <= 260; length++)
		for (int kind = 0; kind < 5; kind++) {
			uint64_t seed = kind % 2 ? 0 : lanewise_check_random(c);

			fill_bytes(c, data, length + 8, kind);
			begin[0] = 0;
			end[0] = length;
			for (int place = LW_AT_FRONT; place < 64; place += place >= 0 ? 21 : 1)
				judge_batch(c, data, length, begin, end, 1, seed, place);
			for (size_t i = 0; i < 9; i++) {
				begin[i] = i % 8;
				end[i] = begin[i] + length;
			}
			judge_batch(c, data, length + 8, begin, end, 9, seed, LW_AT_BACK);
		}
}

void lanewise_check_xxh3_64_batch(struct lw_check *c)
{
	static const size_t longest[] = { 1, 16, 40, 130, 250, 250, 1500 };
	unsigned char *data = c->scratch[0];
	uint64_t *begin = c->scratch[1], *end = c->scratch[2];

	check_batch_lengths(c, data, begin, end);
	for (int i = 0; i < (c->quick ? 14 : 350); i++) {
		size_t n = lanewise_check_below(c, i % 2 ? 1200 : 30), at = 0;

		/* Mostly adjacent strings, as lines without their ends; sometimes overlapping ones. */
		for (size_t k = 0; k < n; k++) {
			size_t back = i % 5 == 4 ? lanewise_check_below(c, at + 1) : 0;

			begin[k] = at - back;
			at += lanewise_check_below(c, longest[i % 7] + 1);
			end[k] = at;
			at += i % 3 == 0;
		}
		/* And some in no order. */
		for (size_t k = 0; k < n && i % 9 == 8; k++) {
			size_t other = lanewise_check_below(c, n);
			uint64_t b = begin[k], e = end[k];

			begin[k] = begin[other];
			end[k] = end[other];
			begin[other] = b;
			end[other] = e;
		}
		fill_bytes(c, data, at, i % 8 < 5 ? 0 : i % 5);

		uint64_t seed = i % 4 ? lanewise_check_random(c) : 0;

		judge_batch(c, data, at, begin, end, n, seed, lanewise_check_random_place(c, 1));
	}
}
