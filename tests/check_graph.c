/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the kernels behind PageRank. The columns name every element, so that a wrong one shows. */
#include "check.h"

#include <string.h>

#include "test.h"

enum { MAX_GROUPS = 40, MAX_STEPS = 200, SLOT_COLUMN = 0, SLOT_WEIGHT, SLOT_X, SLOT_SUMS };

struct sums_case {
	size_t offset[MAX_GROUPS + 1], n_groups, n_elements;
	uint32_t *column;
	double *weight, *x, *expected;
	int weighted;
};

/* Numbers of all magnitudes between 2^-40 and 2^40, zeros and subnormals, none negative, as ranks are. */
static double some_number(struct lw_check *c)
{
	uint64_t bits = lanewise_check_random(c);
	double unit = (double)(bits >> 11) * 0x1p-53;

	switch (bits % 16) {
	case 0:
		return 0;
	case 1:
		return unit * 0x1p-1030;
	default:
		return unit * (double)(UINT64_C(1) << (bits >> 4) % 40) * 0x1p-20;
	}
}

static void draw(struct lw_check *c, struct sums_case *k, size_t longest, size_t n_elements)
{
	k->n_elements = n_elements;
	k->offset[0] = lanewise_check_below(c, 3); /* the first group need not begin at the front */
	for (size_t g = 0; g < k->n_groups; g++)
		k->offset[g + 1] = k->offset[g] + lanewise_check_below(c, longest + 1);
	for (size_t i = 0; i < 16 * k->offset[k->n_groups]; i++) {
		k->column[i] = (uint32_t)lanewise_check_below(c, n_elements);
		k->weight[i] = some_number(c);
	}
	k->weighted = (int)lanewise_check_below(c, 2);
	c->where.rows = k->n_groups;
	c->where.pattern = k->weighted ? "weighted" : "unweighted";
}

static void judge(struct lw_check *c, struct sums_case *k, size_t width, int place)
{
	size_t n_entries = 16 * k->offset[k->n_groups], n_bytes = 16 * k->n_groups * width * sizeof(double);
	lanewise_rank_sums_f64_fn *reference = width == 1 ? c->reference->rank_sums_f64 : c->reference->rank_sums16_f64;
	lanewise_rank_sums_f64_fn *subject = width == 1 ? c->subject->rank_sums_f64 : c->subject->rank_sums16_f64;

	reference(k->column, k->weighted ? k->weight : NULL, k->offset, k->n_groups, k->x, k->expected);
	c->where.place = place;

	const uint32_t *column = lanewise_check_input(c, SLOT_COLUMN, k->column, n_entries * sizeof *column, place);
	const double *weight = lanewise_check_input(c, SLOT_WEIGHT, k->weight, n_entries * sizeof *weight, place);
	const double *x = lanewise_check_input(c, SLOT_X, k->x, k->n_elements * width * sizeof *x, place);
	double *sums = lanewise_check_output(c, SLOT_SUMS, n_bytes, place);

	subject(column, k->weighted ? weight : NULL, k->offset, k->n_groups, x, sums);
	lanewise_check_same(c, "sums", k->expected, sums, n_bytes, sizeof *sums);
	lanewise_check_after(c);
}

static void check_sums(struct lw_check *c, size_t width)
{
	struct sums_case k = {
		.column = c->scratch[0], .weight = c->scratch[1], .x = c->scratch[2], .expected = c->scratch[3]
	};

	for (size_t i = 0; i < 4000 * width; i++)
		k.x[i] = some_number(c);
	for (k.n_groups = 0; k.n_groups <= 6; k.n_groups++)
		for (size_t longest = 0; longest < 24; longest += c->quick ? 5 : 1)
			for (int place = LW_AT_FRONT; place < 64; place += place < 0 ? 1 : 8) {
				draw(c, &k, longest, 1 + lanewise_check_below(c, 100));
				judge(c, &k, width, place);
			}
	for (int i = 0; i < (c->quick ? 3 : 100); i++) {
		k.n_groups = lanewise_check_below(c, MAX_GROUPS + 1);
		draw(c, &k, MAX_STEPS, 1 + lanewise_check_below(c, 4000));
		judge(c, &k, width, lanewise_check_random_place(c, sizeof(double)));
	}
}

void lanewise_check_rank_sums_f64(struct lw_check *c) { check_sums(c, 1); }
void lanewise_check_rank_sums16_f64(struct lw_check *c) { check_sums(c, 16); }
