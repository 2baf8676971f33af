/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the kernel of lanewise/index.h: any numbers as rows' parameters and as weights, any bound. */
#include "check.h"

#include <math.h>
#include <string.h>

enum { MAX_ROWS = 256, PLACES = 300 + MAX_ROWS + 16 };
enum { DOT, SCALE, ERROR, NORM };

/* What a call appends to. */
struct kept {
	float upper[PLACES], lower[PLACES];
	uint32_t row[PLACES];
	size_t n;
};

static void run(const struct lw_kernels *kernels, const struct lw_sketch_query *query, const void *const in[4],
                size_t n, uint32_t first_row, float bound, struct kept *kept)
{
	kernels->sketch_filter(query, in[DOT], in[SCALE], in[ERROR], in[NORM], n, first_row, bound, kept->upper,
	                       kept->lower, kept->row, &kept->n);
}

static int is_untouched(const struct kept *kept, size_t i)
{
	static const struct kept zeros;

	return memcmp(&kept->upper[i], &zeros.upper[i], sizeof(float)) == 0 &&
	       memcmp(&kept->lower[i], &zeros.lower[i], sizeof(float)) == 0 && kept->row[i] == 0;
}

static void expect_kept(struct lw_check *c, const struct kept *expected, const struct kept *got)
{
	lanewise_check_same(c, "count", &expected->n, &got->n, sizeof got->n, sizeof got->n);
	lanewise_check_same(c, "upper", expected->upper, got->upper, got->n * sizeof(float), sizeof(float));
	lanewise_check_same(c, "lower", expected->lower, got->lower, got->n * sizeof(float), sizeof(float));
	lanewise_check_same(c, "row", expected->row, got->row, got->n * sizeof(uint32_t), sizeof(uint32_t));
}

static void judge(struct lw_check *c, const struct lw_sketch_query *query, size_t n, float bound, size_t n_before,
                  int place)
{
	const void *in[4], *data[4] = { c->scratch[0], c->scratch[1], c->scratch[2], c->scratch[3] };
	struct kept *expected = c->scratch[4], *got = c->scratch[5];
	uint32_t first_row = (uint32_t)lanewise_check_random(c);

	memset(expected, 0, sizeof *expected);
	memset(got, 0, sizeof *got);
	expected->n = got->n = n_before;
	c->where.place = place;
	c->where.length = n;
	for (int i = 0; i < 4; i++)
		in[i] = lanewise_check_input(c, i, data[i], n * sizeof(float), place);
	run(c->reference, query, data, n, first_row, bound, expected);
	run(c->subject, query, in, n, first_row, bound, got);
	expect_kept(c, expected, got);
	/* Nothing is written beyond the room that the kernel was promised. */
	for (size_t i = n_before + (n + 15) / 16 * 16; i < PLACES; i++)
		if (!is_untouched(got, i))
			lanewise_check_fail(c, "wrote to place %zu", i);
	lanewise_check_after(c);
}

void lanewise_check_sketch_filter(struct lw_check *c)
{
	for (size_t n = 0; n <= MAX_ROWS; n += c->quick && n > 40 ? 1 + lanewise_check_below(c, 40) : 1)
		for (int pattern = 0; pattern < lanewise_check_patterns; pattern++) {
			struct lw_sketch_query query;
			float weights[sizeof query / sizeof(float)], bounds[8];
			int32_t *dot = c->scratch[DOT];

			c->where.pattern = lanewise_check_pattern_name(pattern);
			lanewise_check_fill(c, weights, sizeof weights / sizeof *weights,
			                    lanewise_check_below(c, 2) ? pattern : 0);
			lanewise_check_fill(c, bounds, 8, lanewise_check_below(c, 2) ? pattern : 0);
			memcpy(&query, weights, sizeof query);
			for (size_t i = 0; i < n; i++) {
				dot[i] = (int32_t)lanewise_check_random(c);
				dot[i] >>= lanewise_check_below(c, 31);
			}
			for (int i = SCALE; i <= NORM; i++)
				lanewise_check_fill(c, c->scratch[i], n, pattern);
			bounds[1] = NAN;
			bounds[2] = -INFINITY;
			for (int i = 0; i < 4; i++)
				for (int place = LW_AT_FRONT; place <= 8; place += place < 0 ? 1 : 4)
					judge(c, &query, n, bounds[i], lanewise_check_sometimes(c, 300), place);
		}
}
