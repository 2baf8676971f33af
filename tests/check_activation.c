/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the kernels of lanewise/activation.h. Blocks are up to 64 elements. */
#include "check.h"

#include <string.h>

enum { MAX_LENGTH = 4 * 64 + 3, MAX_ROWS = 12 };

static void judge_exp(struct lw_check *c, const float *x, size_t n, float shift, int place)
{
	float *expected = c->scratch[1], sum = c->reference->exp_f32(x, n, shift, expected), got;
	int out_place = lanewise_check_random_place(c, sizeof *x);

	c->where.length = n;
	c->where.place = place;

	const float *p = lanewise_check_input(c, 0, x, n * sizeof *x, place);
	float *out = lanewise_check_output(c, 1, n * sizeof *out, place < 0 ? place : out_place);

	got = c->subject->exp_f32(p, n, shift, out);
	lanewise_check_same(c, "out", expected, out, n * sizeof *out, sizeof *out);
	lanewise_check_same(c, "sum", &sum, &got, sizeof got, sizeof got);
	lanewise_check_after(c);
}

void lanewise_check_exp_f32(struct lw_check *c)
{
	float *x = c->scratch[0];

	for (size_t n = 0; n <= MAX_LENGTH; n++)
		for (int place = LW_AT_FRONT; place < 64; place += place < 0 ? 1 : c->quick ? 16 : 4) {
			int pattern = (int)lanewise_check_below(c, (size_t)lanewise_check_patterns), half = n % 2 != 0;
			float shift = 0;

			c->where.pattern = lanewise_check_pattern_name(pattern);
			lanewise_check_fill(c, x, n, pattern);
			for (size_t i = 0; i < n; i++) { /* arguments of at most 0, half of them where exp is not 0 */
				uint64_t random = lanewise_check_random(c);

				if (half && random & 1)
					x[i] = (float)(random >> 40) * -0x1.8p-18f;
				if (x[i] > 0)
					x[i] = -x[i];
			}
			judge_exp(c, x, n, shift, place);
			for (size_t i = 0; half && i < n; i++)
				if (x[i] > shift || i == 0)
					shift = x[i];
			judge_exp(c, x, n, shift, place);
		}
	/* All the arguments there are, but for the last bits. */
	for (uint32_t i = 0; i < 1u << 18; i++) {
		uint32_t bits = 0x80000000 | i << 13 | (i * 0x9e3779b1u >> 19);

		memcpy(x + i, &bits, sizeof bits);
	}
	c->where.pattern = "all arguments";
	judge_exp(c, x, 1u << 18, 0, 0);
}

static void judge_sum(struct lw_check *c, const float *rows, size_t n_rows, size_t dim, size_t ld, const uint8_t *mask,
                      int place)
{
	float *expected = c->scratch[2];
	size_t n = n_rows ? (n_rows - 1) * ld + dim : 0;
	int out_place = lanewise_check_random_place(c, sizeof *rows);

	c->where.length = dim;
	c->where.rows = n_rows;
	c->where.ld = ld;
	c->where.place = place;
	c->reference->masked_sum_f32(rows, n_rows, dim, ld, mask, expected);

	const float *p = lanewise_check_input(c, 0, rows, n * sizeof *rows, place);
	const uint8_t *m = lanewise_check_input(c, 1, c->scratch[1], n_rows, LW_AT_BACK);
	float *out = lanewise_check_output(c, 2, dim * sizeof *out, place < 0 ? place : out_place);

	c->subject->masked_sum_f32(p, n_rows, dim, ld, mask ? m : NULL, out);
	lanewise_check_same(c, "out", expected, out, dim * sizeof *out, sizeof *out);
	lanewise_check_after(c);
}

void lanewise_check_masked_sum_f32(struct lw_check *c)
{
	float *rows = c->scratch[0];
	uint8_t *mask = c->scratch[1];

	for (size_t dim = 0; dim <= MAX_LENGTH; dim++)
		for (int place = LW_AT_FRONT; place < 64; place += place < 0 ? 1 : c->quick ? 28 : 4) {
			size_t n_rows = lanewise_check_below(c, MAX_ROWS + 1),
			       ld = dim + lanewise_check_sometimes(c, 40);
			int pattern = (int)lanewise_check_below(c, (size_t)lanewise_check_patterns);

			c->where.pattern = lanewise_check_pattern_name(pattern);
			lanewise_check_fill(c, rows, n_rows * ld, pattern);
			for (size_t r = 0; r < n_rows; r++)
				mask[r] = (uint8_t)lanewise_check_below(c, 3);
			judge_sum(c, rows, n_rows, dim, ld, dim % 3 ? mask : NULL, place);
		}
}
