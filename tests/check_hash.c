/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of lanewise/hash.h. XXH3 has other code for 0, 1-3, 4-8, 9-16, 17-128 and 129-240 bytes, then stripes of 64
 * in blocks of 1024: lengths go beyond the second block.
 */
#include "check.h"

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
