/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the kernels of lanewise/half.h, for lengths to four times the 32 elements of the canonical order and three. */
#include "check.h"

#include <string.h>

enum { UNIT = 32, MAX_LENGTH = 4 * UNIT + 3, MAX_GROUP = 16, MAX_ROWS = 2 * MAX_GROUP + 1 };

static const size_t long_lengths[] = { 159, 255, 256, 383, 384, 385, 768, 1000, 1537, 4096, 10007 };
enum { N_LONG = sizeof long_lengths / sizeof *long_lengths };

/* --------------------------------------------------------------------- data */

static const char *const kind_names[] = { "any bits", "numbers",   "zeros", "subnormal",
	                                  "huge",     "all equal", "signs", "one that is not finite" };
enum { KINDS = sizeof kind_names / sizeof *kind_names };

/* `exponent` is the lowest bit of the exponent: 10 for f16, 7 for bf16. */
static uint16_t draw(struct lw_check *c, int kind, size_t i, int exponent)
{
	uint16_t bits = (uint16_t)(lanewise_check_random(c) >> 20), sign = bits & 0x8000;
	uint16_t fraction = (uint16_t)(bits & ((1 << exponent) - 1)), one = exponent == 10 ? 0x3c00 : 0x3f80;

	switch (kind) {
	case 0:
		return bits;
	case 1: /* 1/16 ... 2 */
		return (uint16_t)(sign | (one - ((bits >> 12 & 3) << exponent)) | fraction);
	case 2:
		return sign;
	case 3:
		return sign | fraction;
	case 4: /* near the largest */
		return (uint16_t)(sign | ((exponent == 10 ? 30 : 254) << exponent) | fraction);
	case 5:
		return one;
	case 6:
		return (uint16_t)(i & 1 ? one : one | 0x8000);
	default:
		if (lanewise_check_below(c, 40) == 0)
			return (uint16_t)(sign | (exponent == 10 ? 0x7c00 : 0x7f80) | (i & 1 ? fraction : 0));
		return sign | one;
	}
}

static void fill(struct lw_check *c, uint16_t *v, size_t n, int kind, int exponent)
{
	for (size_t i = 0; i < n; i++)
		v[i] = draw(c, kind, i, exponent);
}

static size_t length(size_t i) { return i <= MAX_LENGTH ? i : long_lengths[i - MAX_LENGTH - 1]; }

/* -------------------------------------------------------------------- pairs */

static void check_pair(struct lw_check *c, lanewise_dot_f16_fn *reference, lanewise_dot_f16_fn *subject, int exponent)
{
	uint16_t *a = c->scratch[0], *b = c->scratch[1];

	for (size_t i = 0; i <= MAX_LENGTH + N_LONG; i++)
		for (int kind = 0; kind < KINDS; kind++) {
			size_t n = length(i);
			int other = lanewise_check_below(c, 2) ? kind : (int)lanewise_check_below(c, KINDS);

			if (c->quick && (kind + (int)i) % 3 != 0)
				continue;
			fill(c, a, n, kind, exponent);
			fill(c, b, n, other, exponent);

			float expected = reference(a, b, n);

			for (int place = LW_AT_FRONT; place < 64; place += place < 0 ? 1 : c->quick ? 22 : 2) {
				int b_place = place < 0 ? place : lanewise_check_random_place(c, sizeof *b);

				c->where.pattern = kind_names[kind];
				c->where.length = n;
				c->where.place = place;

				const uint16_t *pa = lanewise_check_input(c, 0, a, n * sizeof *a, place);
				const uint16_t *pb = lanewise_check_input(c, 1, b, n * sizeof *b, b_place);
				float got = subject(pa, pb, n);

				lanewise_check_same(c, "result", &expected, &got, sizeof got, sizeof got);
				lanewise_check_after(c);
			}
		}
}

/* --------------------------------------------------------------------- rows */

struct rows_case {
	size_t n_rows, dim, ld;
	int place, in_comb;
};

static void judge_rows(struct lw_check *c, lanewise_dot_f16_rows_fn *subject, const struct rows_case *k,
                       const float *query, const uint16_t *rows, const float *expected)
{
	int prefetch = (int)lanewise_check_below(c, 2);
	int query_place = lanewise_check_random_place(c, sizeof *query);
	int out_place = lanewise_check_random_place(c, sizeof *expected);
	size_t ld = k->ld, n = k->n_rows ? (k->n_rows - 1) * k->ld + k->dim : 0, stride;
	const uint16_t *r;

	c->where.length = k->dim;
	c->where.rows = k->n_rows;
	c->where.ld = ld;
	c->where.place = k->place;

	const float *q = lanewise_check_input(c, 0, query, k->dim * sizeof *query, query_place);

	if (k->in_comb) {
		r = lanewise_check_comb(c, rows, k->ld * sizeof *rows, k->n_rows, k->dim * sizeof *rows, k->place, 0,
		                        &stride);
		ld = stride / sizeof *rows;
	} else {
		r = lanewise_check_input(c, 1, rows, n * sizeof *rows, k->place);
	}

	float *out = lanewise_check_output(c, 2, k->n_rows * sizeof *out, out_place);

	subject(q, r, k->n_rows, k->dim, ld, prefetch, out);
	lanewise_check_same(c, "out", expected, out, k->n_rows * sizeof *out, sizeof *out);
	lanewise_check_after(c);
}

static void check_rows(struct lw_check *c, lanewise_dot_f16_rows_fn *reference, lanewise_dot_f16_rows_fn *subject,
                       int exponent)
{
	float *query = c->scratch[0], *expected = c->scratch[2];
	uint16_t *rows = c->scratch[1];

	for (size_t i = 0; i <= MAX_LENGTH + N_LONG; i++)
		for (int round = 0; round < (c->quick ? 2 : 8); round++) {
			struct rows_case k = { .n_rows = lanewise_check_below(c, MAX_ROWS + 1), .dim = length(i) };
			int kind = (int)lanewise_check_below(c, KINDS + 1);
			int query_kind = (int)lanewise_check_below(c, (size_t)lanewise_check_patterns);

			k.ld = k.dim + lanewise_check_sometimes(c, 2 * UNIT);
			c->where.pattern = kind < KINDS ? kind_names[kind] : "one per row";
			lanewise_check_fill(c, query, k.dim, round % 2 ? query_kind : 0);
			memset(rows, 0xff, k.n_rows * k.ld * sizeof *rows); /* NaN in the gaps */
			for (size_t r = 0; r < k.n_rows; r++) {
				int row_kind = kind < KINDS ? kind : (int)lanewise_check_below(c, KINDS);

				fill(c, rows + r * k.ld, k.dim, row_kind, exponent);
			}
			reference(query, rows, k.n_rows, k.dim, k.ld, 0, expected);
			for (k.in_comb = 0; k.in_comb <= (k.dim * sizeof *rows <= 4096); k.in_comb++)
				for (k.place = LW_AT_FRONT; k.place <= LW_AT_BACK; k.place++)
					judge_rows(c, subject, &k, query, rows, expected);
			k.in_comb = 0;
			k.place = (int)(2 * lanewise_check_below(c, 32));
			judge_rows(c, subject, &k, query, rows, expected);
		}
}

#define LW_DEFINE(name, exponent) \
	void lanewise_check_##name(struct lw_check *c) \
	{ \
		check_pair(c, c->reference->name, c->subject->name, exponent); \
	} \
	void lanewise_check_##name##_rows(struct lw_check *c) \
	{ \
		check_rows(c, c->reference->name##_rows, c->subject->name##_rows, exponent); \
	}
LW_DEFINE(dot_f16, 10)
LW_DEFINE(cosine_f16, 10)
LW_DEFINE(l2sq_f16, 10)
LW_DEFINE(dot_bf16, 7)
LW_DEFINE(cosine_bf16, 7)
LW_DEFINE(l2sq_bf16, 7)

/* --------------------------------------------------------------- conversion */

static void judge_widening(struct lw_check *c, lanewise_f16_to_f32_fn *reference, lanewise_f16_to_f32_fn *subject,
                           const uint16_t *x, size_t n, int place)
{
	float *expected = c->scratch[1];
	int out_place = lanewise_check_random_place(c, sizeof *expected);

	c->where.length = n;
	c->where.place = place;
	reference(x, n, expected);

	const uint16_t *p = lanewise_check_input(c, 0, x, n * sizeof *x, place);
	float *out = lanewise_check_output(c, 1, n * sizeof *out, place < 0 ? place : out_place);

	subject(p, n, out);
	lanewise_check_same(c, "out", expected, out, n * sizeof *out, sizeof *out);
	lanewise_check_after(c);
}

static void check_widening(struct lw_check *c, lanewise_f16_to_f32_fn *reference, lanewise_f16_to_f32_fn *subject)
{
	uint16_t *x = c->scratch[0];

	for (size_t i = 0; i < 65536; i++)
		x[i] = (uint16_t)i;
	judge_widening(c, reference, subject, x, 65536, 0);
	for (size_t n = 0; n <= MAX_LENGTH; n++)
		for (int place = LW_AT_FRONT; place < 64; place += place < 0 ? 1 : c->quick ? 14 : 2) {
			fill(c, x, n, 0, 10);
			judge_widening(c, reference, subject, x, n, place);
		}
}

static void judge_narrowing(struct lw_check *c, lanewise_f32_to_f16_fn *reference, lanewise_f32_to_f16_fn *subject,
                            const float *x, size_t n, int place)
{
	uint16_t *expected = c->scratch[1];
	int out_place = lanewise_check_random_place(c, sizeof *expected);

	c->where.length = n;
	c->where.place = place;
	reference(x, n, expected);

	const float *p = lanewise_check_input(c, 0, x, n * sizeof *x, place);
	uint16_t *out = lanewise_check_output(c, 1, n * sizeof *out, place < 0 ? place : out_place);

	subject(p, n, out);
	lanewise_check_same(c, "out", expected, out, n * sizeof *out, sizeof *out);
	lanewise_check_after(c);
}

/* Every upper half of a float with lower halves about where rounding changes; then lengths, places and patterns. */
static void check_narrowing(struct lw_check *c, lanewise_f32_to_f16_fn *reference, lanewise_f32_to_f16_fn *subject)
{
	static const uint16_t lower[] = {
		0, 1, 0x0fff, 0x1000, 0x1001, 0x7fff, 0x8000, 0x8001, 0xefff, 0xf000, 0xffff
	};
	float *x = c->scratch[0];

	for (size_t j = 0; j < sizeof lower / sizeof *lower; j++) {
		for (uint32_t i = 0; i < 65536; i++) {
			uint32_t bits = i << 16 | lower[j];

			memcpy(x + i, &bits, sizeof bits);
		}
		c->where.pattern = "all upper halves";
		judge_narrowing(c, reference, subject, x, 65536, 0);
	}
	for (size_t n = 0; n <= MAX_LENGTH; n++)
		for (int place = LW_AT_FRONT; place < 64; place += place < 0 ? 1 : c->quick ? 16 : 4) {
			int pattern = (int)lanewise_check_below(c, (size_t)lanewise_check_patterns);

			c->where.pattern = lanewise_check_pattern_name(pattern);
			lanewise_check_fill(c, x, n, pattern);
			judge_narrowing(c, reference, subject, x, n, place);
		}
}

void lanewise_check_f16_to_f32(struct lw_check *c)
{
	check_widening(c, c->reference->f16_to_f32, c->subject->f16_to_f32);
}

void lanewise_check_bf16_to_f32(struct lw_check *c)
{
	check_widening(c, c->reference->bf16_to_f32, c->subject->bf16_to_f32);
}

void lanewise_check_f32_to_f16(struct lw_check *c)
{
	check_narrowing(c, c->reference->f32_to_f16, c->subject->f32_to_f16);
}

void lanewise_check_f32_to_bf16(struct lw_check *c)
{
	check_narrowing(c, c->reference->f32_to_bf16, c->subject->f32_to_bf16);
}
