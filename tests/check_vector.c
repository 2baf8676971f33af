/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of the kernels of lanewise/vector.h. The unit of their loops is the 32 floats of the canonical order, the
 * widest vector has 16 lanes, and rows come in groups of up to 16: lengths go to four units and three, rows to two
 * groups and one.
 */
#include "check.h"

#include <string.h>

enum { UNIT = 32, MAX_LENGTH = 4 * UNIT + 3, MAX_GROUP = 16, MAX_ROWS = 2 * MAX_GROUP + 1 };

static const size_t long_lengths[] = { 159, 160, 191, 193,  255,  256,  257,  383,  384,
	                               385, 767, 768, 1000, 1024, 1537, 4096, 10007 };
enum { N_LONG = sizeof long_lengths / sizeof *long_lengths };

/* ------------------------------------------------------------------- pairs */

static void one_pair(struct lw_check *c, lanewise_dot_f32_fn *subject, const float *expected, const float *a,
                     const float *b, size_t n, int a_place, int b_place)
{
	c->where.place = a_place;
	c->where.length = n;

	const float *pa = lanewise_check_input(c, 0, a, n * sizeof *a, a_place);
	const float *pb = lanewise_check_input(c, 1, b, n * sizeof *b, b_place);
	float got = subject(pa, pb, n);

	lanewise_check_same(c, "result", expected, &got, sizeof got, sizeof got);
	lanewise_check_after(c);
}

static void pair_in_all_places(struct lw_check *c, lanewise_dot_f32_fn *subject, float expected, const float *a,
                               const float *b, size_t n)
{
	for (int pa = LW_AT_FRONT; pa <= LW_AT_BACK; pa++)
		for (int pb = LW_AT_FRONT; pb <= LW_AT_BACK; pb++)
			one_pair(c, subject, &expected, a, b, n, pa, pb);
	for (int offset = 0; offset < 64; offset += c->quick ? 20 : 4)
		one_pair(c, subject, &expected, a, b, n, offset, lanewise_check_random_place(c, sizeof(float)));
}

static void check_pair(struct lw_check *c, lanewise_dot_f32_fn *reference, lanewise_dot_f32_fn *subject)
{
	float *a = c->scratch[0], *b = c->scratch[1];

	for (size_t i = 0; i <= MAX_LENGTH + N_LONG; i++) {
		size_t n = i <= MAX_LENGTH ? i : long_lengths[i - MAX_LENGTH - 1];

		for (int pattern = 0; pattern < lanewise_check_patterns; pattern++) {
			/* Quick: a third of the patterns for each length, others for the next. */
			if (c->quick && (pattern + (int)i) % 3 != 0)
				continue;
			/* Against a vector of the same kind, or of any kind. */
			int other = lanewise_check_below(c, 2)
			                    ? pattern
			                    : (int)lanewise_check_below(c, (size_t)lanewise_check_patterns);

			c->where.pattern = lanewise_check_pattern_name(pattern);
			lanewise_check_fill(c, a, n, pattern);
			lanewise_check_fill(c, b, n, other);
			pair_in_all_places(c, subject, reference(a, b, n), a, b, n);
		}
	}
	for (int i = 0; i < (c->quick ? 3 : 60); i++) {
		size_t n = lanewise_check_below(c, c->quick ? 20000 : 500000);
		int pattern = i % 2 ? (int)lanewise_check_below(c, (size_t)lanewise_check_patterns) : 0;

		c->where.pattern = lanewise_check_pattern_name(pattern);
		lanewise_check_fill(c, a, n, pattern);
		lanewise_check_fill(c, b, n, pattern);

		float expected = reference(a, b, n);
		int place = lanewise_check_random_place(c, sizeof(float));

		one_pair(c, subject, &expected, a, b, n, place, lanewise_check_random_place(c, sizeof(float)));
	}
}

void lanewise_check_dot_f32(struct lw_check *c) { check_pair(c, c->reference->dot_f32, c->subject->dot_f32); }

void lanewise_check_cosine_f32(struct lw_check *c) { check_pair(c, c->reference->cosine_f32, c->subject->cosine_f32); }

void lanewise_check_l2sq_f32(struct lw_check *c) { check_pair(c, c->reference->l2sq_f32, c->subject->l2sq_f32); }

/* -------------------------------------------------------------------- rows */

/* A kernel over rows, whichever of the three forms it has: with a query, without, in place. */
struct rows_kernel {
	lanewise_dot_f32_rows_fn *query;
	lanewise_norm_f32_rows_fn *plain;
	lanewise_normalize_f32_rows_fn *in_place;
};

/* The rows of a case: n_rows * ld floats at `rows` in scratch, the last gap not among them. */
struct rows_case {
	size_t n_rows, dim, ld;
	float *query, *rows, *expected;
	int place;
	int in_comb; /* each row on a page of its own */
};

enum { SLOT_QUERY, SLOT_ROWS, SLOT_OUT };

static size_t floats_of(const struct rows_case *k) { return k->n_rows ? (k->n_rows - 1) * k->ld + k->dim : 0; }

static void run_rows(const struct rows_kernel *f, const float *query, float *rows, const struct rows_case *k, size_t ld,
                     int prefetch, float *out)
{
	if (f->query)
		f->query(query, rows, k->n_rows, k->dim, ld, prefetch, out);
	else if (f->plain)
		f->plain(rows, k->n_rows, k->dim, ld, prefetch, out);
	else
		f->in_place(rows, k->n_rows, k->dim, ld);
}

static void expect_rows(const struct rows_kernel *reference, struct rows_case *k)
{
	size_t n = floats_of(k);

	if (reference->in_place && n)
		memcpy(k->expected, k->rows, n * sizeof *k->rows);
	run_rows(reference, k->query, reference->in_place ? k->expected : k->rows, k, k->ld, 0, k->expected);
}

static void judge_rows(struct lw_check *c, const struct rows_kernel *subject, const struct rows_case *k)
{
	int prefetch = (int)lanewise_check_below(c, 2);
	size_t row_bytes = k->dim * sizeof(float), ld = k->ld;
	const float *query = NULL;
	float *rows, *out = NULL;

	c->where.place = k->place;
	c->where.length = k->dim;
	c->where.rows = k->n_rows;
	c->where.ld = k->ld;
	if (subject->query)
		query = lanewise_check_input(c, SLOT_QUERY, k->query, row_bytes,
		                             lanewise_check_random_place(c, sizeof(float)));
	if (k->in_comb) {
		size_t stride;

		rows = lanewise_check_comb(c, k->rows, k->ld * sizeof(float), k->n_rows, row_bytes, k->place,
		                           subject->in_place != NULL, &stride);
		ld = stride / sizeof(float);
		c->where.ld = ld;
	} else if (subject->in_place) {
		rows = lanewise_check_inout(c, SLOT_ROWS, k->rows, floats_of(k) * sizeof(float), k->place);
	} else {
		rows = lanewise_check_input(c, SLOT_ROWS, k->rows, floats_of(k) * sizeof(float), k->place);
	}
	if (!subject->in_place)
		out = lanewise_check_output(c, SLOT_OUT, k->n_rows * sizeof(float),
		                            lanewise_check_random_place(c, sizeof(float)));

	run_rows(subject, query, rows, k, ld, prefetch, out);

	if (!subject->in_place)
		lanewise_check_same(c, "out", k->expected, out, k->n_rows * sizeof(float), sizeof(float));
	else if (!k->in_comb)
		lanewise_check_same(c, "rows", k->expected, rows, floats_of(k) * sizeof(float), sizeof(float));
	for (size_t r = 0; subject->in_place && k->in_comb && r < k->n_rows; r++)
		lanewise_check_same(c, "row", k->expected + r * k->ld, rows + r * ld, row_bytes, sizeof(float));
	lanewise_check_after(c);
}

/* Each row of a kind of its own, or all of one; the gaps are NaN, which would show in any sum. */
static void fill_rows(struct lw_check *c, struct rows_case *k, int pattern)
{
	size_t patterns = (size_t)lanewise_check_patterns;

	c->where.pattern = pattern < 0 ? "one per row" : lanewise_check_pattern_name(pattern);
	lanewise_check_fill(c, k->query, k->dim, pattern < 0 ? (int)lanewise_check_below(c, 2) : pattern);
	for (size_t r = 0; r < k->n_rows; r++) {
		float *row = k->rows + r * k->ld;

		lanewise_check_fill(c, row, k->dim, pattern < 0 ? (int)lanewise_check_below(c, patterns) : pattern);
		if (k->ld > k->dim)
			memset(row + k->dim, 0xff, (k->ld - k->dim) * sizeof *row);
	}
}

static void rows_in_all_places(struct lw_check *c, const struct rows_kernel *reference,
                               const struct rows_kernel *subject, struct rows_case *k, int pattern)
{
	fill_rows(c, k, pattern);
	expect_rows(reference, k);
	k->in_comb = 0;
	for (k->place = LW_AT_FRONT; k->place <= LW_AT_BACK; k->place++)
		judge_rows(c, subject, k);
	k->place = (int)(4 * lanewise_check_below(c, 16));
	judge_rows(c, subject, k);

	k->in_comb = 1;
	for (k->place = LW_AT_FRONT; k->dim * sizeof(float) <= 4096 && k->place <= LW_AT_BACK; k->place++)
		judge_rows(c, subject, k);
}

static size_t first_n_rows(struct lw_check *c) { return c->quick ? lanewise_check_below(c, MAX_GROUP + 4) : 0; }

static size_t n_rows_step(struct lw_check *c) { return c->quick ? 1 + lanewise_check_below(c, MAX_ROWS) : 1; }

static void check_rows(struct lw_check *c, const struct rows_kernel *reference, const struct rows_kernel *subject)
{
	struct rows_case k = { .query = c->scratch[0], .rows = c->scratch[1], .expected = c->scratch[2] };
	size_t n_dims = MAX_LENGTH + 1 + (c->quick ? 0 : 12);

	/* Every length with every number of rows (quick: some), with and without a gap, each row of another kind. */
	for (size_t d = 0; d < n_dims; d++)
		for (k.n_rows = first_n_rows(c); k.n_rows <= MAX_ROWS; k.n_rows += n_rows_step(c)) {
			k.dim = d <= MAX_LENGTH ? d : long_lengths[d - MAX_LENGTH - 1];
			k.ld = k.dim;
			rows_in_all_places(c, reference, subject, &k, -1);
			k.ld = k.dim + 1 + lanewise_check_below(c, 2 * UNIT);
			rows_in_all_places(c, reference, subject, &k, -1);
		}
	/* Every pattern, all rows of one kind. */
	for (int pattern = 0; pattern < lanewise_check_patterns; pattern++)
		for (int i = 0; i < (c->quick ? 4 : 60); i++) {
			k.n_rows = lanewise_check_below(c, MAX_ROWS + 1);
			k.dim = lanewise_check_below(c, MAX_LENGTH + 1);
			k.ld = k.dim + lanewise_check_sometimes(c, 2 * UNIT);
			rows_in_all_places(c, reference, subject, &k, pattern);
		}
	/* Every offset. */
	for (int offset = 0; offset < 64; offset += 4)
		for (int i = 0; i < (c->quick ? 1 : 20); i++) {
			k.n_rows = lanewise_check_below(c, MAX_ROWS + 1);
			k.dim = lanewise_check_below(c, 400);
			k.ld = k.dim + lanewise_check_below(c, 3);
			k.place = offset;
			k.in_comb = 0;
			fill_rows(c, &k, 0);
			expect_rows(reference, &k);
			judge_rows(c, subject, &k);
		}
	/* Large. */
	for (int i = 0; i < (c->quick ? 2 : 20); i++) {
		k.n_rows = lanewise_check_below(c, c->quick ? 50 : 1000);
		k.dim = 1 + lanewise_check_below(c, 1500);
		k.ld = k.dim + lanewise_check_below(c, 20);
		k.place = lanewise_check_random_place(c, sizeof(float));
		k.in_comb = 0;
		fill_rows(c, &k, i % 2 ? -1 : 0);
		expect_rows(reference, &k);
		judge_rows(c, subject, &k);
	}
}

/* LW_CHECK_MAX_BYTES holds the largest case. */
_Static_assert((size_t)1000 * 1520 * sizeof(float) <= LW_CHECK_MAX_BYTES - (1 << 20),
               "the large rows outgrow the buffers");

void lanewise_check_dot_f32_rows(struct lw_check *c)
{
	check_rows(c, &(struct rows_kernel) { .query = c->reference->dot_f32_rows },
	           &(struct rows_kernel) { .query = c->subject->dot_f32_rows });
}

void lanewise_check_cosine_f32_rows(struct lw_check *c)
{
	check_rows(c, &(struct rows_kernel) { .query = c->reference->cosine_f32_rows },
	           &(struct rows_kernel) { .query = c->subject->cosine_f32_rows });
}

void lanewise_check_l2sq_f32_rows(struct lw_check *c)
{
	check_rows(c, &(struct rows_kernel) { .query = c->reference->l2sq_f32_rows },
	           &(struct rows_kernel) { .query = c->subject->l2sq_f32_rows });
}

void lanewise_check_norm_f32_rows(struct lw_check *c)
{
	check_rows(c, &(struct rows_kernel) { .plain = c->reference->norm_f32_rows },
	           &(struct rows_kernel) { .plain = c->subject->norm_f32_rows });
}

void lanewise_check_normalize_f32_rows(struct lw_check *c)
{
	check_rows(c, &(struct rows_kernel) { .in_place = c->reference->normalize_f32_rows },
	           &(struct rows_kernel) { .in_place = c->subject->normalize_f32_rows });
}
