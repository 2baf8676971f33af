/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the kernels of lanewise/bits.h. Bytes are summed for 31 vectors of up to 64 before they could overflow. */
#include "check.h"

#include <string.h>

enum { MAX_LENGTH = 4 * 64 + 3, MAX_ROWS = 9 };

static const size_t long_lengths[] = { 383, 384, 512, 1024, 1983, 1984, 1985, 2048, 4000, 4096, 10007 };
enum { N_LONG = sizeof long_lengths / sizeof *long_lengths };

static const char *const kind_names[] = { "random", "all set", "none set", "bytes_55_aa", "few set" };
enum { KINDS = sizeof kind_names / sizeof *kind_names };

static void fill(struct lw_check *c, uint8_t *p, size_t n, int kind)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t random = lanewise_check_random(c);

		p[i] = (uint8_t)(kind == 0   ? random >> 9
		                 : kind == 1 ? 0xff
		                 : kind == 2 ? 0
		                 : kind == 3 ? (i & 1 ? 0x55 : 0xaa)
		                             : (random >> 9 & random >> 17 & random >> 25));
	}
}

struct rows_case {
	size_t n_rows, n_bytes, ld;
	const uint8_t *query, *rows;
	uint32_t *expected, *expected_either;
	int place, in_comb;
};

static void judge(struct lw_check *c, const struct rows_case *k, int overlap)
{
	size_t ld = k->ld, n = k->n_rows ? (k->n_rows - 1) * k->ld + k->n_bytes : 0, out_bytes = k->n_rows * 4;
	int query_place = lanewise_check_random_place(c, 1), out_place = lanewise_check_random_place(c, 4);
	const uint8_t *rows;

	c->where.length = k->n_bytes;
	c->where.rows = k->n_rows;
	c->where.ld = k->ld;
	c->where.place = k->place;

	const uint8_t *query = lanewise_check_input(c, 0, k->query, k->n_bytes, query_place);

	if (k->in_comb)
		rows = lanewise_check_comb(c, k->rows, k->ld, k->n_rows, k->n_bytes, k->place, 0, &ld);
	else
		rows = lanewise_check_input(c, 1, k->rows, n, k->place);

	uint32_t *out = lanewise_check_output(c, 2, out_bytes, out_place);

	if (overlap) {
		uint32_t *either = lanewise_check_output(c, 3, out_bytes, LW_AT_BACK);

		c->subject->bit_overlap_rows(query, rows, k->n_rows, k->n_bytes, ld, out, either);
		lanewise_check_same(c, "either", k->expected_either, either, out_bytes, 4);
	} else {
		c->subject->hamming_rows(query, rows, k->n_rows, k->n_bytes, ld, out);
	}
	lanewise_check_same(c, "out", k->expected, out, out_bytes, 4);
	lanewise_check_after(c);
}

static void check_bits(struct lw_check *c, int overlap)
{
	uint8_t *query = c->scratch[0], *rows = c->scratch[1];
	struct rows_case k = {
		.query = query, .rows = rows, .expected = c->scratch[2], .expected_either = c->scratch[3]
	};

	for (size_t i = 0; i <= MAX_LENGTH + N_LONG; i++)
		for (int kind = 0; kind < KINDS; kind++) {
			int other = (int)lanewise_check_below(c, KINDS);

			if (c->quick && (kind + (int)i) % 3 != 0)
				continue;
			k.n_bytes = i <= MAX_LENGTH ? i : long_lengths[i - MAX_LENGTH - 1];
			k.n_rows = lanewise_check_below(c, MAX_ROWS + 1);
			k.ld = k.n_bytes + lanewise_check_sometimes(c, 70);
			c->where.pattern = kind_names[kind];
			fill(c, query, k.n_bytes, other);
			fill(c, rows, k.n_rows * k.ld, kind);
			if (overlap)
				c->reference->bit_overlap_rows(query, rows, k.n_rows, k.n_bytes, k.ld, k.expected,
				                               k.expected_either);
			else
				c->reference->hamming_rows(query, rows, k.n_rows, k.n_bytes, k.ld, k.expected);
			for (k.in_comb = 0; k.in_comb <= (k.n_bytes <= 4096); k.in_comb++)
				for (k.place = LW_AT_FRONT; k.place <= LW_AT_BACK; k.place++)
					judge(c, &k, overlap);
			k.in_comb = 0;
			k.place = (int)lanewise_check_below(c, 64);
			judge(c, &k, overlap);
		}
}

/* Rows of 384 bits without gaps, which go several together. */
static void check_48(struct lw_check *c)
{
	enum { MOST = 43 };
	struct rows_case k = {
		.query = c->scratch[0], .rows = c->scratch[1], .expected = c->scratch[2], .n_bytes = 48, .ld = 48
	};

	for (k.n_rows = 0; k.n_rows <= MOST; k.n_rows++) {
		fill(c, c->scratch[0], 48, (int)lanewise_check_below(c, KINDS));
		fill(c, c->scratch[1], k.n_rows * 48, (int)lanewise_check_below(c, 3) ? 0 : (int)(k.n_rows % KINDS));
		c->reference->hamming_rows(k.query, k.rows, k.n_rows, 48, 48, k.expected);
		for (k.place = LW_AT_FRONT; k.place <= LW_AT_BACK; k.place++)
			judge(c, &k, 0);
	}
}

void lanewise_check_hamming_rows(struct lw_check *c)
{
	check_bits(c, 0);
	check_48(c);
}
void lanewise_check_bit_overlap_rows(struct lw_check *c) { check_bits(c, 1); }
