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

/* ------------------------------------------------------------------ renewal */

enum { RENEW_ROWS = 300, RENEW_ELEMENTS = 400 };

/* Places that are all different, as those of nodes are. */
static void draw_places(struct lw_check *c, uint32_t *place)
{
	for (uint32_t i = 0; i < RENEW_ELEMENTS; i++)
		place[i] = i;
	for (uint32_t i = RENEW_ELEMENTS - 1; i > 0; i--) {
		uint32_t other = (uint32_t)lanewise_check_below(c, i + 1), swap = place[i];

		place[i] = place[other];
		place[other] = swap;
	}
}

struct renew_case {
	double sums[16 * RENEW_ROWS], wanted[16 * RENEW_ROWS], rank[16 * RENEW_ROWS], next[16 * RENEW_ELEMENTS];
	double factor[RENEW_ROWS], teleport[16], change[8 * 16], lost[8 * 16];
	uint64_t any_wanted[RENEW_ROWS / 64 + 1];
	uint32_t place[RENEW_ELEMENTS];
};

static void draw_renewal(struct lw_check *c, struct renew_case *k)
{
	for (size_t i = 0; i < 16 * RENEW_ROWS; i++) {
		k->sums[i] = some_number(c);
		k->wanted[i] = some_number(c);
		k->rank[i] = some_number(c);
	}
	for (size_t i = 0; i < RENEW_ROWS; i++)
		k->factor[i] = some_number(c);
	for (size_t i = 0; i < 16; i++)
		k->teleport[i] = some_number(c);
	for (size_t i = 0; i <= RENEW_ROWS / 64; i++)
		k->any_wanted[i] = lanewise_check_random(c);
	for (size_t i = 0; i < 8 * 16; i++)
		k->change[i] = k->lost[i] = some_number(c);
	memset(k->next, 0, sizeof k->next);
	draw_places(c, k->place);
}

/* There are fewer buffers than arrays: every other case has the wide ones in them, the others the narrow ones. */
static void lay_out(struct lw_check *c, const struct renew_case *k, struct lw_rank_slice *slice, int place)
{
	const size_t n = slice->n_rows, row_bytes = 16 * sizeof(double);

	if (n % 2) {
		slice->factor = lanewise_check_input(c, 0, k->factor, n * sizeof(double), place);
		slice->place = lanewise_check_input(c, 1, k->place, n * sizeof(uint32_t), place);
		slice->any_wanted = lanewise_check_input(c, 2, k->any_wanted, (n + 63) / 64 * sizeof(uint64_t), place);
	} else {
		slice->sums = lanewise_check_input(c, 0, k->sums, n * row_bytes, place);
		slice->wanted = lanewise_check_input(c, 1, k->wanted, n * row_bytes, place);
		slice->rank = lanewise_check_inout(c, 2, k->rank, n * row_bytes, place);
	}
	slice->next = lanewise_check_inout(c, 3, k->next, sizeof k->next, place);
	slice->streamed = (uintptr_t)slice->next % 64 == 0;
}

static struct lw_rank_slice slice_of(struct renew_case *k, size_t n)
{
	return (struct lw_rank_slice) { .n_rows = n,
		                        .sums = k->sums,
		                        .wanted = k->wanted,
		                        .any_wanted = k->any_wanted,
		                        .factor = k->factor,
		                        .place = k->place,
		                        .damping = 0.85,
		                        .teleport = k->teleport,
		                        .rank = k->rank,
		                        .next = k->next,
		                        .change = k->change,
		                        .lost = k->lost };
}

static void judge_renewal(struct lw_check *c, const struct renew_case *k, struct renew_case *expected,
                          struct renew_case *actual, size_t n, int place)
{
	struct lw_rank_slice slice = slice_of(expected, n);

	*expected = *actual = *k;
	c->where.place = place;
	c->reference->rank_renew16_f64(&slice);
	slice = slice_of(actual, n);
	lay_out(c, k, &slice, place);
	c->subject->rank_renew16_f64(&slice);
	lanewise_check_same(c, "ranks", expected->rank, slice.rank, n * 16 * sizeof(double), sizeof(double));
	lanewise_check_same(c, "elements", expected->next, slice.next, sizeof k->next, sizeof(double));
	lanewise_check_same(c, "change", expected->change, actual->change, sizeof k->change, sizeof(double));
	lanewise_check_same(c, "lost", expected->lost, actual->lost, sizeof k->lost, sizeof(double));
	lanewise_check_after(c);
}

void lanewise_check_rank_renew16_f64(struct lw_check *c)
{
	struct renew_case *k = c->scratch[0];

	c->where.pattern = "renewal";
	for (size_t n = 0; n <= RENEW_ROWS; n += n < 20 ? 1 : 70)
		for (int place = LW_AT_FRONT; place < 64; place += place < 0 ? 1 : 8) {
			c->where.rows = n;
			draw_renewal(c, k);
			judge_renewal(c, k, c->scratch[1], c->scratch[2], n, place);
		}
}
