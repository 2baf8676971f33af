/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of the kernels of lanewise/int8.h. The widest step of their loops takes 64 bytes, rows come in groups of 4.
 */
#include "check.h"
#include "common.h"
#include "int8/signs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LENGTH = 4 * 64 + 3, MAX_ROWS = 11 };

static const size_t long_lengths[] = { 383, 384, 385, 767, 768, 1000, 1537, 4096, 10007, 131071 };
enum { N_LONG = sizeof long_lengths / sizeof *long_lengths };

struct rows_case {
	size_t n_rows, dim, ld;
	int place;
	int in_comb; /* each row on a page of its own */
};

/* --------------------------------------------------------------------- dots */

enum { KINDS = 6 };
static const char *const kind_names[KINDS] = {
	"random", "all -128", "all 127", "-128 and 127", "bytes_55_aa", "zeros"
};

static void fill_bytes(struct lw_check *c, int8_t *p, size_t n, int kind)
{
	for (size_t i = 0; i < n; i++)
		switch (kind) {
		case 0:
			p[i] = (int8_t)(lanewise_check_random(c) >> 7);
			break;
		case 1:
		case 2:
			p[i] = kind == 1 ? -128 : 127;
			break;
		case 3:
			p[i] = lanewise_check_random(c) & 1 ? -128 : 127;
			break;
		case 4:
			p[i] = i & 1 ? 0x55 : (int8_t)0xaa;
			break;
		default:
			p[i] = 0;
			break;
		}
}

/* Bytes as unsigned ones, so that kinds 1 and 2 meet the same kinds of signed ones in the extremes: 255 * -128, 255 * 127. */
static void fill_unsigned(struct lw_check *c, uint8_t *p, size_t n, int kind)
{
	if (kind == 0 || kind == 4)
		fill_bytes(c, (int8_t *)p, n, kind);
	else if (kind == 3)
		for (size_t i = 0; i < n; i++)
			p[i] = lanewise_check_random(c) & 1 ? 255 : 0;
	else
		memset(p, kind == 5 ? 128 : 255, n);
}

static void tell_where(struct lw_check *c, const struct rows_case *k)
{
	c->where.place = k->place;
	c->where.length = k->dim;
	c->where.rows = k->n_rows;
	c->where.ld = k->ld;
}

static size_t bytes_of(const struct rows_case *k) { return k->n_rows ? (k->n_rows - 1) * k->ld + k->dim : 0; }

/* One of the kernels for rows, by what they take. */
static void dot_rows(const struct lw_kernels *kernels, enum signs signs, const void *query, const void *rows,
                     size_t n_rows, size_t dim, size_t ld, int prefetch, int32_t *out)
{
	if (signs == I8_I8)
		kernels->dot_i8_rows(query, rows, n_rows, dim, ld, prefetch, out);
	else if (signs == U8_I8)
		kernels->dot_u8i8_rows(query, rows, n_rows, dim, ld, prefetch, out);
	else
		kernels->dot_i8u8_rows(query, rows, n_rows, dim, ld, prefetch, out);
}

static void judge_dot(struct lw_check *c, const struct rows_case *k, enum signs signs, const void *query,
                      const void *rows, const int32_t *expected)
{
	int prefetch = (int)lanewise_check_below(c, 2);
	size_t ld = k->ld;
	const void *q, *r;
	int32_t *out;

	tell_where(c, k);
	q = lanewise_check_input(c, 0, query, k->dim, lanewise_check_random_place(c, 1));
	if (k->in_comb)
		r = lanewise_check_comb(c, rows, k->ld, k->n_rows, k->dim, k->place, 0, &ld);
	else
		r = lanewise_check_input(c, 1, rows, bytes_of(k), k->place);
	out = lanewise_check_output(c, 2, k->n_rows * sizeof *out, lanewise_check_random_place(c, sizeof *out));
	dot_rows(c->subject, signs, q, r, k->n_rows, k->dim, ld, prefetch, out);
	lanewise_check_same(c, "out", expected, out, k->n_rows * sizeof *out, sizeof *out);
	lanewise_check_after(c);
}

static void dots_in_all_places(struct lw_check *c, struct rows_case *k, enum signs signs, int kind)
{
	void *query = c->scratch[0], *rows = c->scratch[1];
	int32_t *expected = c->scratch[2];

	c->where.pattern = kind_names[kind];
	if (signs == U8_I8)
		fill_unsigned(c, query, k->dim, kind);
	else
		fill_bytes(c, query, k->dim, kind);
	if (signs == I8_U8)
		fill_unsigned(c, rows, k->n_rows * k->ld, kind);
	else
		fill_bytes(c, rows, k->n_rows * k->ld, kind);
	dot_rows(c->reference, signs, query, rows, k->n_rows, k->dim, k->ld, 0, expected);
	for (k->in_comb = 0; k->in_comb <= (k->dim <= 4096); k->in_comb++)
		for (k->place = LW_AT_FRONT; k->place <= LW_AT_BACK; k->place++)
			judge_dot(c, k, signs, query, rows, expected);
	k->in_comb = 0;
	k->place = (int)lanewise_check_below(c, 64);
	judge_dot(c, k, signs, query, rows, expected);
}

static void check_dots(struct lw_check *c, enum signs signs)
{
	for (size_t i = 0; i <= MAX_LENGTH + N_LONG; i++) {
		size_t dim = i <= MAX_LENGTH ? i : long_lengths[i - MAX_LENGTH - 1];

		for (int kind = 0; kind < KINDS; kind++) {
			struct rows_case k = { .dim = dim };

			if (c->quick && (kind + (int)i) % 3 != 0)
				continue;
			k.n_rows = lanewise_check_below(c, MAX_ROWS + 1);
			k.ld = dim + lanewise_check_sometimes(c, 70);
			dots_in_all_places(c, &k, signs, kind);
		}
	}
}

void lanewise_check_dot_i8_rows(struct lw_check *c) { check_dots(c, I8_I8); }
void lanewise_check_dot_u8i8_rows(struct lw_check *c) { check_dots(c, U8_I8); }
void lanewise_check_dot_i8u8_rows(struct lw_check *c) { check_dots(c, I8_U8); }

/* ---------------------------------------------------------- several queries */

static void judge_queries(struct lw_check *c, const struct rows_case *k, size_t n_queries, int kind)
{
	int8_t *queries = c->scratch[0], *rows = c->scratch[1];
	int32_t *expected = c->scratch[2];
	size_t query_ld = k->dim + lanewise_check_sometimes(c, 70), out_ld = k->n_rows + lanewise_check_sometimes(c, 5);
	size_t n_query_bytes = n_queries ? (n_queries - 1) * query_ld + k->dim : 0;
	size_t n_out = n_queries ? ((n_queries - 1) * out_ld + k->n_rows) * sizeof *expected : 0;
	int prefetch = (int)lanewise_check_below(c, 2), query_place = lanewise_check_random_place(c, 1);

	c->where.pattern = kind_names[kind];
	tell_where(c, k);
	c->where.k = n_queries;
	fill_bytes(c, queries, n_query_bytes, kind);
	fill_bytes(c, rows, k->n_rows * k->ld, kind);
	memset(expected, 0xa5, n_out); /* what outputs are filled with */
	c->reference->dot_i8_queries(queries, n_queries, query_ld, rows, k->n_rows, k->dim, k->ld, 0, expected, out_ld);

	const int8_t *q = lanewise_check_input(c, 0, queries, n_query_bytes, query_place);
	const int8_t *r = lanewise_check_input(c, 1, rows, bytes_of(k), k->place);
	int32_t *out = lanewise_check_output(c, 2, n_out, LW_AT_BACK);

	c->subject->dot_i8_queries(q, n_queries, query_ld, r, k->n_rows, k->dim, k->ld, prefetch, out, out_ld);
	lanewise_check_same(c, "out", expected, out, n_out, sizeof *out);
	lanewise_check_after(c);
}

void lanewise_check_dot_i8_queries(struct lw_check *c)
{
	for (size_t i = 0; i < MAX_LENGTH + N_LONG; i++) {
		struct rows_case k = { .dim = i <= MAX_LENGTH ? i : long_lengths[i - MAX_LENGTH - 1] };

		for (int kind = 0; kind < KINDS; kind++) {
			if (c->quick && (kind + (int)i) % 3 != 0)
				continue;
			for (k.place = LW_AT_FRONT; k.place <= 0; k.place++) {
				size_t n_queries = lanewise_check_below(c, k.dim > 5000 ? 6 : LW_DOT_I8_QUERIES + 1);

				/* Enough for the ways of many queries and many rows. */
				k.n_rows = lanewise_check_below(c, k.dim > 5000 ? MAX_ROWS + 1 : 70);
				k.ld = k.dim + lanewise_check_sometimes(c, 70);
				judge_queries(c, &k, n_queries, kind);
			}
		}
	}
}

/* ---------------------------------------------------------------- quantiser */

/* What a call writes: codes, gaps of codes_ld - dim among them, and three floats a row. */
struct sketches {
	int8_t *codes;
	float *scale, *square, *error_square;
};

static void judge_quantize(struct lw_check *c, const struct rows_case *k, size_t codes_ld, const float *rows,
                           const struct sketches *expected)
{
	size_t ld = k->ld, n_codes = k->n_rows ? (k->n_rows - 1) * codes_ld + k->dim : 0;
	float out[3][MAX_ROWS];
	const float *r;

	tell_where(c, k);
	if (k->in_comb) {
		r = lanewise_check_comb(c, rows, k->ld * sizeof *rows, k->n_rows, k->dim * sizeof *rows, k->place, 0,
		                        &ld);
		ld /= sizeof *rows;
	} else {
		r = lanewise_check_input(c, 0, rows, bytes_of(k) * sizeof *rows, k->place);
	}

	int8_t *codes = lanewise_check_output(c, 1, n_codes, lanewise_check_random_place(c, 1));

	c->subject->quantize_i8_rows(r, k->n_rows, k->dim, ld, codes, codes_ld, out[0], out[1], out[2]);
	lanewise_check_same(c, "codes", expected->codes, codes, n_codes, 1);
	lanewise_check_same(c, "scale", expected->scale, out[0], k->n_rows * sizeof(float), sizeof(float));
	lanewise_check_same(c, "square", expected->square, out[1], k->n_rows * sizeof(float), sizeof(float));
	lanewise_check_same(c, "error", expected->error_square, out[2], k->n_rows * sizeof(float), sizeof(float));
	lanewise_check_after(c);
}

static void quantize_in_all_places(struct lw_check *c, struct rows_case *k, int pattern)
{
	float *rows = c->scratch[0], floats[3][MAX_ROWS];
	struct sketches expected = { c->scratch[1], floats[0], floats[1], floats[2] };
	size_t codes_ld = k->dim + lanewise_check_sometimes(c, 70);

	c->where.pattern = lanewise_check_pattern_name(pattern);
	for (size_t r = 0; r < k->n_rows; r++) {
		lanewise_check_fill(c, rows + r * k->ld, k->dim, pattern);
		memset(rows + r * k->ld + k->dim, 0xff, (k->ld - k->dim) * sizeof *rows);
	}
	memset(expected.codes, 0xa5, k->n_rows * codes_ld + 1); /* what outputs are filled with */
	c->reference->quantize_i8_rows(rows, k->n_rows, k->dim, k->ld, expected.codes, codes_ld, expected.scale,
	                               expected.square, expected.error_square);
	for (k->in_comb = 0; k->in_comb <= (k->dim <= 1024); k->in_comb++)
		for (k->place = LW_AT_FRONT; k->place <= LW_AT_BACK; k->place++)
			judge_quantize(c, k, codes_ld, rows, &expected);
	k->in_comb = 0;
	k->place = (int)(4 * lanewise_check_below(c, 16));
	judge_quantize(c, k, codes_ld, rows, &expected);
}

void lanewise_check_quantize_i8_rows(struct lw_check *c)
{
	for (size_t i = 0; i <= MAX_LENGTH + N_LONG; i++) {
		size_t dim = i <= MAX_LENGTH ? i : long_lengths[i - MAX_LENGTH - 1];

		for (int pattern = 0; pattern < lanewise_check_patterns; pattern++) {
			struct rows_case k = { .dim = dim };

			if (c->quick && (pattern + (int)i) % 5 != 0)
				continue;
			k.n_rows = dim > 20000 ? 2 : lanewise_check_below(c, 6);
			k.ld = dim + lanewise_check_sometimes(c, 10);
			quantize_in_all_places(c, &k, pattern);
		}
	}
}

/* ------------------------------------------------- pairs above their bounds */

/* Scales and bounds of which some are no numbers, and products near the bounds. */
static void fill_bounds(struct lw_check *c, float *scale, size_t n_rows, float *least, size_t n_queries, size_t dim)
{
	for (size_t r = 0; r < n_rows; r++) {
		float x = (float)(1 + lanewise_check_below(c, 1000)) / 1000;

		scale[r] = lanewise_check_below(c, 20) ? x : lanewise_check_below(c, 2) ? 0 : (float)NAN;
	}
	for (size_t q = 0; q < n_queries; q++) {
		float x = (float)lanewise_check_below(c, 3000) * (float)sqrt((double)dim);

		least[q] = lanewise_check_below(c, 9)   ? x
		           : lanewise_check_below(c, 2) ? -x
		           : lanewise_check_below(c, 2) ? (float)INFINITY
		                                        : -(float)INFINITY;
	}
}

static void judge_above(struct lw_check *c, const struct rows_case *k, size_t n_queries, int kind)
{
	enum { FOUND_BYTES = LW_I8_QUERIES * LW_I8_ROWS * sizeof(struct lw_i8_found) };
	int8_t *codes = c->scratch[0], *rows = c->scratch[1];
	struct lw_i8_found *expected = c->scratch[2], *found;
	size_t query_ld = k->dim + lanewise_check_sometimes(c, 70), n_expected[LW_I8_QUERIES], *n_found;
	size_t n_query_bytes = n_queries ? (n_queries - 1) * query_ld + k->dim : 0;
	float scale[LW_I8_ROWS], least[LW_I8_QUERIES];
	struct lw_i8_queries reference = { .codes = codes, .n = n_queries, .dim = k->dim, .ld = query_ld }, subject;
	size_t panel_bytes = lw_i8_panel_bytes(n_queries, k->dim);

	c->where.pattern = kind_names[kind];
	tell_where(c, k);
	c->where.k = n_queries;
	fill_bytes(c, codes, n_query_bytes, kind);
	fill_bytes(c, rows, k->n_rows * k->ld, kind);
	fill_bounds(c, scale, k->n_rows, least, n_queries, k->dim);
	c->reference->dot_i8_above(&reference, rows, k->n_rows, k->ld, 0, scale, least, expected, n_expected);

	subject = reference;
	subject.codes = lanewise_check_input(c, 0, codes, n_query_bytes, lanewise_check_random_place(c, 1));
	rows = (int8_t *)(uintptr_t)lanewise_check_input(c, 1, rows, bytes_of(k), k->place);
	found = lanewise_check_output(c, 2, FOUND_BYTES, LW_AT_BACK);
	subject.panel = lanewise_check_output(c, 3, panel_bytes, lanewise_check_random_place(c, 1));
	n_found = malloc((n_queries + 1) * sizeof *n_found);
	if (!n_found)
		abort();
	/* The second time with the queries as the first left them. */
	for (int time = 0; time < 2; time++) {
		c->subject->dot_i8_above(&subject, rows, k->n_rows, k->ld, (int)lanewise_check_below(c, 2), scale,
		                         least, found, n_found);
		lanewise_check_same(c, "n_found", n_expected, n_found, n_queries * sizeof *n_found, sizeof *n_found);
		for (size_t q = 0; q < n_queries; q++)
			lanewise_check_same(c, "found", expected + q * LW_I8_ROWS, found + q * LW_I8_ROWS,
			                    n_expected[q] * sizeof *found, sizeof *found);
	}
	free(n_found);
	lanewise_check_after(c);
}

void lanewise_check_dot_i8_above(struct lw_check *c)
{
	static const size_t dims[] = { 0, 64, 128, 192, 384, 1024 };

	for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
		for (size_t n_queries = 0; n_queries <= LW_I8_QUERIES; n_queries += 1 + lanewise_check_below(c, 5)) {
			int kind = (int)lanewise_check_below(c, 8);
			struct rows_case k = { .dim = dims[i], .place = LW_AT_FRONT };

			k.n_rows = lanewise_check_below(c, 4) ? lanewise_check_below(c, 50) : LW_I8_ROWS;
			k.n_rows -= lanewise_check_below(c, 4) ? 0 : k.n_rows > 0;
			k.ld = k.dim + lanewise_check_sometimes(c, 70);
			k.place = lanewise_check_below(c, 2) ? LW_AT_FRONT : LW_AT_BACK;
			if (c->quick && k.n_rows * k.dim > 64 * 384)
				continue;
			judge_above(c, &k, n_queries, kind < KINDS ? kind : 0);
		}
}

/* --------------------------------------------------------------- 4-bit codes */

static void judge_i4(struct lw_check *c, size_t n_rows, size_t n_blocks, int kind, int place)
{
	int8_t *query = c->scratch[0];
	uint8_t *rows = c->scratch[1];
	int32_t *expected = c->scratch[2];
	size_t n_bytes = n_rows * n_blocks * 64;
	int prefetch = (int)lanewise_check_below(c, 2);

	c->where.pattern = kind_names[kind];
	c->where.place = place;
	c->where.length = n_blocks;
	c->where.rows = n_rows;
	fill_bytes(c, query, n_blocks * 128, kind);
	for (size_t i = 0; i < n_blocks * 128; i++)
		query[i] = (int8_t)(query[i] == -128 ? -127 : query[i]);
	fill_bytes(c, (int8_t *)rows, n_bytes, (int)lanewise_check_below(c, KINDS));
	c->reference->dot_i4_rows(query, rows, n_rows, n_blocks, 0, expected);

	const int8_t *q = lanewise_check_input(c, 0, query, n_blocks * 128, lanewise_check_random_place(c, 1));
	const uint8_t *r = lanewise_check_input(c, 1, rows, n_bytes, place);
	int32_t *out = lanewise_check_output(c, 2, n_rows * sizeof *out, lanewise_check_random_place(c, sizeof *out));

	c->subject->dot_i4_rows(q, r, n_rows, n_blocks, prefetch, out);
	lanewise_check_same(c, "out", expected, out, n_rows * sizeof *out, sizeof *out);
	lanewise_check_after(c);
}

void lanewise_check_dot_i4_rows(struct lw_check *c)
{
	static const size_t many_blocks[] = { 12, 33, 1024 };

	for (size_t i = 0; i < 10 + sizeof many_blocks / sizeof *many_blocks; i++) {
		size_t n_blocks = i < 10 ? i : many_blocks[i - 10];

		for (int kind = 0; kind < KINDS; kind++)
			for (size_t n_rows = 0; n_rows <= (n_blocks > 33 ? 5 : MAX_ROWS); n_rows++) {
				if (c->quick && (kind + (int)(i + n_rows)) % 3 != 0)
					continue;
				for (int place = LW_AT_FRONT; place <= LW_AT_BACK; place++)
					judge_i4(c, n_rows, n_blocks, kind, place);
			}
	}
}
