/* SPDX-License-Identifier: Apache-2.0 */
/* The check of cdc_find, behind lanewise/chunk.h. */
#include "check.h"

#include <string.h>

#include "chunk/chunk.h"

/* How likely the second part of the rule lets a position through. */
static void make_rule(struct lw_check *c, struct lw_cdc_rule *rule, int kind)
{
	for (int i = 0; i < 3; i++)
		rule->multiplier[i] = (uint16_t)(lanewise_check_random(c) | 1);
	rule->start = lanewise_check_random(c);
	rule->factor = lanewise_check_random(c) | 1;
	rule->threshold = (uint64_t)1 << (kind == 0 ? 32 : kind == 1 ? 31 : 28);
}

/* Random bytes, few different ones, or runs of one: in those all positions are alike. */
static void fill(struct lw_check *c, unsigned char *p, size_t n, int kind)
{
	static const char *const names[] = { "random bytes", "two bytes", "runs" };
	unsigned char byte = 0;

	c->where.pattern = names[kind];
	for (size_t i = 0; i < n; i++) {
		uint64_t random = lanewise_check_random(c) >> 20;

		if (kind < 2 || random % 61 == 0)
			byte = (unsigned char)(kind == 1 ? random & 1 : random >> 8);
		p[i] = byte;
	}
}

/* data[0 ... n), searched in [from, to), cut off at `end`. */
static void judge(struct lw_check *c, const struct lw_cdc_rule *rule, const unsigned char *data, size_t from, size_t to,
                  size_t end, uint32_t limit, int place)
{
	/* What lies further before is not to be read. */
	size_t before = from - (LW_CDC_WINDOW - 1);
	size_t expected = c->reference->cdc_find(rule, data + before, from - before, to - before, end - before, limit);

	c->where.length = to - from;
	c->where.place = place;
	c->where.k = limit;
	c->where.capacity = end - from;

	const unsigned char *p = lanewise_check_input(c, 0, data + before, end - before, place);
	size_t found = c->subject->cdc_find(rule, p, from - before, to - before, end - before, limit);

	lanewise_check_same(c, "the position", &expected, &found, sizeof found, sizeof found);
	lanewise_check_after(c);
}

void lanewise_check_cdc_find(struct lw_check *c)
{
	enum { BEFORE = LW_CDC_WINDOW - 1 };
	static const uint32_t limits[] = { 0, 1, 40, 700, 20000, 32768 };
	unsigned char *data = c->scratch[0];
	struct lw_cdc_rule rule;

	for (size_t n = 0; n <= 4 * 64 + 3; n += c->quick ? 1 + lanewise_check_below(c, 5) : 1)
		for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
			size_t more = lanewise_check_sometimes(c, 100);

			make_rule(c, &rule, (int)i % 3);
			fill(c, data, BEFORE + n + more, (int)(n + i) % 3);
			for (int place = LW_AT_FRONT; place < 64; place += place >= 0 ? 9 : 1)
				judge(c, &rule, data, BEFORE, BEFORE + n, BEFORE + n + more, limits[i], place);
		}
	for (int i = 0; i < (c->quick ? 50 : 2000); i++) {
		size_t n = lanewise_check_below(c, i % 10 ? 3000 : 100000), more = lanewise_check_sometimes(c, 200);
		size_t from = BEFORE + lanewise_check_sometimes(c, n + 1);

		make_rule(c, &rule, i % 3);
		fill(c, data, BEFORE + n + more, i / 3 % 3);
		judge(c, &rule, data, from, BEFORE + n, BEFORE + n + more, limits[i % 4],
		      lanewise_check_random_place(c, 1));
	}
}
