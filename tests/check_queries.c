/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of the kernels that take many queries and rows. Their tiles have 4 queries and 3 rows, their blocks 12 rows:
 * every number of either around that, every tail, every kind of floats. With a panel, queries go in lanes.
 */
#include "check.h"
#include "common.h"

#include <string.h>

enum { MAX_LENGTH = 3 * 32 + 3, MAX_ROWS = 70, COSINE_ROWS = 150 };

struct shape {
	size_t n_queries, n_rows, dim;
};

static void judge(struct lw_check *c, lanewise_dot_f32_queries_fn *reference, lanewise_dot_f32_queries_fn *subject,
                  const struct shape *s, int pattern, int place)
{
	float *queries = c->scratch[0], *rows = c->scratch[1], *expected = c->scratch[2];
	size_t query_ld = s->dim + lanewise_check_sometimes(c, 9), ld = s->dim + lanewise_check_sometimes(c, 9);
	size_t out_ld = s->n_rows + lanewise_check_sometimes(c, 5);
	size_t query_bytes = s->n_queries ? ((s->n_queries - 1) * query_ld + s->dim) * sizeof *queries : 0;
	size_t row_bytes = s->n_rows ? ((s->n_rows - 1) * ld + s->dim) * sizeof *rows : 0;
	size_t out_bytes = s->n_queries ? ((s->n_queries - 1) * out_ld + s->n_rows) * sizeof *expected : 0;
	int prefetch = (int)lanewise_check_below(c, 2), has_panel = (int)lanewise_check_below(c, 8) != 0;
	struct lw_f32_panel panel = { NULL, lw_f32_panel_floats(s->n_queries, s->dim), 0 };

	c->where.pattern = pattern < 0 ? "one per row" : lanewise_check_pattern_name(pattern);
	c->where.place = place;
	c->where.length = s->dim;
	c->where.rows = s->n_rows;
	c->where.ld = ld;
	c->where.k = s->n_queries;
	for (size_t q = 0; q < s->n_queries; q++)
		lanewise_check_fill(c, queries + q * query_ld, query_ld,
		                    pattern < 0 ? (int)lanewise_check_below(c, (size_t)lanewise_check_patterns)
		                                : pattern);
	for (size_t r = 0; r < s->n_rows; r++)
		lanewise_check_fill(c, rows + r * ld, ld,
		                    pattern < 0 ? (int)lanewise_check_below(c, (size_t)lanewise_check_patterns)
		                                : pattern);
	memset(expected, 0xa5, out_bytes); /* what outputs are filled with */
	reference(queries, s->n_queries, query_ld, rows, s->n_rows, s->dim, ld, 0, NULL, expected, out_ld);

	const float *q = lanewise_check_input(c, 0, queries, query_bytes, lanewise_check_random_place(c, sizeof *q));
	const float *r = lanewise_check_input(c, 1, rows, row_bytes, place);
	float *out = lanewise_check_output(c, 2, out_bytes, LW_AT_BACK);

	/* A panel is made once for rows that come in two calls; it may be too small for all queries. */
	size_t n_first = has_panel ? lanewise_check_below(c, s->n_rows + 1) : s->n_rows;

	panel.n_floats -= lanewise_check_sometimes(c, panel.n_floats / 2 + 1);
	panel.floats = lanewise_check_output(c, 3, panel.n_floats * sizeof(float), LW_AT_BACK);
	subject(q, s->n_queries, query_ld, r, n_first, s->dim, ld, prefetch, has_panel ? &panel : NULL, out, out_ld);
	if (n_first < s->n_rows)
		subject(q, s->n_queries, query_ld, r + n_first * ld, s->n_rows - n_first, s->dim, ld, prefetch, &panel,
		        out + n_first, out_ld);
	lanewise_check_same(c, "out", expected, out, out_bytes, sizeof *out);
	lanewise_check_after(c);
}

static void check_queries(struct lw_check *c, lanewise_dot_f32_queries_fn *reference,
                          lanewise_dot_f32_queries_fn *subject)
{
	struct shape s;

	for (s.dim = 0; s.dim <= MAX_LENGTH; s.dim++)
		for (size_t i = s.dim; i < s.dim + (c->quick ? 1 : 8); i++) {
			s.n_queries = lanewise_check_below(c, LW_F32_QUERIES + 1);
			s.n_rows = lanewise_check_below(c, MAX_ROWS + 1);
			judge(c, reference, subject, &s, i % 2 ? -1 : 0, i % 3 ? LW_AT_BACK : LW_AT_FRONT);
		}
	for (int pattern = 0; pattern < lanewise_check_patterns; pattern++)
		for (int i = 0; i < (c->quick ? 1 : 12); i++) {
			s.n_queries = lanewise_check_below(c, LW_F32_QUERIES + 1);
			s.n_rows = lanewise_check_below(c, COSINE_ROWS);
			s.dim = lanewise_check_below(c, 130);
			judge(c, reference, subject, &s, pattern, (int)(4 * lanewise_check_below(c, 16)));
		}
	for (int i = 0; i < (c->quick ? 2 : 12); i++) {
		s.n_queries = 1 + lanewise_check_below(c, LW_F32_QUERIES);
		s.n_rows = 1 + lanewise_check_below(c, COSINE_ROWS);
		s.dim = 300 + lanewise_check_below(c, 1000);
		judge(c, reference, subject, &s, i % 2 ? -1 : 0, LW_AT_BACK);
	}
}

void lanewise_check_dot_f32_queries(struct lw_check *c)
{
	check_queries(c, c->reference->dot_f32_queries, c->subject->dot_f32_queries);
}

void lanewise_check_cosine_f32_queries(struct lw_check *c)
{
	check_queries(c, c->reference->cosine_f32_queries, c->subject->cosine_f32_queries);
}

void lanewise_check_l2sq_f32_queries(struct lw_check *c)
{
	check_queries(c, c->reference->l2sq_f32_queries, c->subject->l2sq_f32_queries);
}
