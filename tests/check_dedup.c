/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the kernels behind lanewise/dedup.h; kernel_types.h says what each may write beyond its results. */
#include "check.h"

#include <string.h>

#include <lanewise/dedup.h>

/*
 * Text of one kind: bytes from a small alphabet, so that runs and sequences come up. The last kinds have the whitespace
 * characters beyond ASCII, and pieces of them.
 */
enum { KINDS = 7 };

static void fill_text(struct lw_check *c, unsigned char *p, size_t n, int kind)
{
	static const char *const names[KINDS] = { "random bytes", "newlines",        "letters and spaces", "capitals",
		                                  "controls",     "wide whitespace", "cut characters" };
	static const char *const alphabets[KINDS] = { NULL,
		                                      "\n",
		                                      "ab  \t\nZ`",
		                                      "ABYZ[@az",
		                                      "a \x01\x1c\x1f\x7f\t\r\n",
		                                      NULL,
		                                      "\xc2\x85\xa0\xe1\x9a\x80\xe2\x81\x9f\xe3 x" };
	static const char *const wide[] = { "\xc2\x85",
		                            "\xc2\xa0",
		                            "\xe1\x9a\x80",
		                            "\xe2\x80\x80",
		                            "\xe2\x80\x8a",
		                            "\xe2\x80\x8b",
		                            "\xe2\x80\xa8",
		                            "\xe2\x80\xaf",
		                            "\xe2\x81\x9f",
		                            "\xe3\x80\x80",
		                            "\xe3\x80\x81",
		                            "\xd1\x8f",
		                            "a",
		                            " ",
		                            "B c" };

	c->where.pattern = names[kind];
	for (size_t i = 0; i < n;)
		if (kind == 0) {
			p[i++] = (unsigned char)(lanewise_check_random(c) >> 9);
		} else if (kind == 5) {
			const char *s = lanewise_check_below(c, 4)
			                        ? "the quick Brown fox"
			                        : wide[lanewise_check_below(c, sizeof wide / sizeof *wide)];

			for (; *s && i < n; s++)
				p[i++] = (unsigned char)*s;
		} else {
			p[i++] = (unsigned char)alphabets[kind][lanewise_check_below(c, strlen(alphabets[kind]))];
		}
}

/* ------------------------------------------------------------------- index */

static void judge_index(struct lw_check *c, const unsigned char *data, size_t n, size_t n_index, size_t capacity,
                        int place)
{
	uint32_t *expected = c->scratch[2], *before = c->scratch[3];
	size_t expected_n = n_index;
	uint32_t first = (uint32_t)(lanewise_check_random(c) >> 40);

	memset(before, 0x5a, capacity * sizeof *before);
	memcpy(expected, before, capacity * sizeof *before);

	size_t expected_gone = c->reference->byte_index(data, n, '\n', '`', first, expected, &expected_n, capacity);

	c->where.length = n;
	c->where.place = place;
	c->where.capacity = capacity;

	const unsigned char *p = lanewise_check_input(c, 0, data, n, place);
	uint32_t *index = lanewise_check_inout(c, 1, before, capacity * sizeof *index, LW_AT_BACK);
	size_t *got_n = lanewise_check_inout(c, 2, &n_index, sizeof n_index, LW_AT_BACK);
	size_t gone = c->subject->byte_index(p, n, '\n', '`', first, index, got_n, capacity);

	lanewise_check_same(c, "the count of bytes gone through", &expected_gone, &gone, sizeof gone, sizeof gone);
	lanewise_check_same(c, "n_index", &expected_n, got_n, sizeof *got_n, sizeof *got_n);
	lanewise_check_same(c, "index", expected, index, *got_n * sizeof *index, sizeof *index);
	lanewise_check_after(c);
}

void lanewise_check_byte_index(struct lw_check *c)
{
	unsigned char *data = c->scratch[0];

	for (size_t n = 0; n <= 4 * 64 + 3; n += c->quick ? 1 + lanewise_check_below(c, 5) : 1)
		for (int kind = 0; kind < 3; kind++) {
			fill_text(c, data, n, kind);
			for (int place = LW_AT_FRONT; place < 64; place += place >= 0 ? 7 : 1)
				judge_index(c, data, n, 0, n + 64, place);
		}
	for (int i = 0; i < (c->quick ? 50 : 1500); i++) {
		size_t n = lanewise_check_below(c, i % 10 ? 3000 : 40000), n_index = lanewise_check_below(c, 100);
		size_t capacity = n_index + lanewise_check_below(c, i % 3 ? 300 : n + 65);

		fill_text(c, data, n, i % 3);
		judge_index(c, data, n, n_index, capacity, lanewise_check_random_place(c, 1));
	}
}

/* Few kinds of bytes, so that what ends blocks comes up often. */
static void fill_blocks(struct lw_check *c, unsigned char *p, size_t n)
{
	static const char bytes[] = "\n\n\n\r``` a";
	size_t kinds = lanewise_check_below(c, 4) ? sizeof bytes - 1 : 4;

	c->where.pattern = "newlines and backticks";
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)bytes[lanewise_check_below(c, kinds)];
}

void lanewise_check_block_index(struct lw_check *c)
{
	unsigned char *data = c->scratch[0];
	uint32_t *expected = c->scratch[1], *before = c->scratch[2];

	for (int i = 0; i < (c->quick ? 200 : 4000); i++) {
		size_t n = lanewise_check_below(c, i % 10 ? 300 : 5000), n_index = lanewise_check_below(c, 100);
		size_t capacity = n_index + lanewise_check_below(c, i % 3 ? 300 : n + 65), expected_n = n_index;
		uint32_t first = (uint32_t)(lanewise_check_random(c) >> 40), last_two;
		unsigned char two[2];

		fill_blocks(c, two, 2);
		last_two = two[0] | (uint32_t)two[1] << 8;
		fill_blocks(c, data, n);
		memset(before, 0x5a, capacity * sizeof *before);
		memcpy(expected, before, capacity * sizeof *before);
		c->where.length = n;
		c->where.capacity = capacity;

		size_t expected_gone =
		        c->reference->block_index(data, n, last_two, first, expected, &expected_n, capacity);
		const unsigned char *p = lanewise_check_input(c, 0, data, n, lanewise_check_random_place(c, 1));
		uint32_t *index = lanewise_check_inout(c, 1, before, capacity * sizeof *index, LW_AT_BACK);
		size_t *got_n = lanewise_check_inout(c, 2, &n_index, sizeof n_index, LW_AT_BACK);
		size_t gone = c->subject->block_index(p, n, last_two, first, index, got_n, capacity);

		lanewise_check_same(c, "the count of bytes gone through", &expected_gone, &gone, sizeof gone,
		                    sizeof gone);
		lanewise_check_same(c, "n_index", &expected_n, got_n, sizeof *got_n, sizeof *got_n);
		lanewise_check_same(c, "index", expected, index, *got_n * sizeof *index, sizeof *index);
		lanewise_check_after(c);
	}
}

/* -------------------------------------------------------------------- fold */

static void judge_fold(struct lw_check *c, const unsigned char *text, size_t n, uint32_t flags, int place)
{
	unsigned char *expected = c->scratch[2];
	size_t expected_n = c->reference->fold_text(text, n, flags, expected);

	c->where.length = n;
	c->where.place = place;
	c->where.k = flags;

	const unsigned char *p = lanewise_check_input(c, 0, text, n, place);
	unsigned char *out = lanewise_check_output(c, 1, n + LW_FOLD_PAD, place);
	size_t got_n = c->subject->fold_text(p, n, flags, out);

	lanewise_check_same(c, "the length", &expected_n, &got_n, sizeof got_n, sizeof got_n);
	lanewise_check_same(c, "the text", expected, out, got_n, 1);
	lanewise_check_after(c);
}

void lanewise_check_fold_text(struct lw_check *c)
{
	unsigned char *text = c->scratch[0];

	for (size_t n = 0; n <= 4 * 64 + 3; n += c->quick ? 1 + lanewise_check_below(c, 9) : 1)
		for (int kind = 0; kind < KINDS; kind++) {
			fill_text(c, text, n, kind);
			for (uint32_t flags = 0; flags < 128; flags += 1 + (uint32_t)lanewise_check_below(c, 9))
				judge_fold(c, text, n, flags,
				           flags % 3 ? (int)lanewise_check_below(c, 64) : LW_AT_BACK);
		}
	for (int i = 0; i < (c->quick ? 50 : 1000); i++) {
		size_t n = lanewise_check_below(c, i % 10 ? 3000 : 100000);
		uint32_t flags = (uint32_t)lanewise_check_below(c, 128);

		fill_text(c, text, n, i % KINDS);
		judge_fold(c, text, n, flags, lanewise_check_random_place(c, 1));
	}
}

static void judge_fold_units(struct lw_check *c, const unsigned char *text, size_t n, struct lw_fold given, int place)
{
	struct lw_fold expected = given, got = given;

	expected.text = text;
	expected.out = c->scratch[2];
	expected.ends = c->scratch[3];
	c->reference->fold_units(&expected);
	c->where.length = n;
	c->where.place = place;
	c->where.k = given.flags;

	got.text = lanewise_check_input(c, 0, text, n, place);
	got.out = lanewise_check_output(c, 1, n + LW_FOLD_PAD, place);
	got.ends = lanewise_check_output(c, 2, (n + LW_INDEX_BLOCK) * sizeof *got.ends, LW_AT_BACK);
	c->subject->fold_units(&got);
	lanewise_check_same(c, "the length", &expected.used, &got.used, sizeof got.used, sizeof got.used);
	lanewise_check_same(c, "the text", expected.out, got.out, got.used, 1);
	lanewise_check_same(c, "the number of ends", &expected.n_ends, &got.n_ends, sizeof got.n_ends,
	                    sizeof got.n_ends);
	lanewise_check_same(c, "the ends", expected.ends, got.ends, got.n_ends * sizeof *got.ends, sizeof *got.ends);
	if (given.flags & LANEWISE_NORMALIZE_COLLAPSE)
		lanewise_check_same(c, "after_space", &expected.after_space, &got.after_space, sizeof got.after_space,
		                    sizeof got.after_space);
	lanewise_check_after(c);
}

/* Text of every kind, with what ends blocks strewn in. */
void lanewise_check_fold_units(struct lw_check *c)
{
	static const char *const ends[] = { "\n", "\n\n", "\r\n\r\n", "```", "``", "\n\n\n", "````" };
	unsigned char *text = c->scratch[0];

	for (int i = 0; i < (c->quick ? 400 : 12000); i++) {
		size_t n = lanewise_check_below(c, i % 10 ? 300 : 5000),
		       n_strewn = n / (8 + lanewise_check_below(c, 60));
		struct lw_fold given = { .n = n, .of_blocks = i % 2 };
		unsigned char two[2];

		fill_blocks(c, two, 2);
		given.before = two[0] | (uint32_t)two[1] << 8;
		given.after_space = i % 3 == 0;
		given.flags = i % 5 ? (uint32_t)lanewise_check_below(c, 128)
		                    : LANEWISE_NORMALIZE_COLLAPSE | LANEWISE_NORMALIZE_LOWER |
		                              LANEWISE_WHITESPACE_UNICODE * (uint32_t)(i & 1);
		if (i % 7)
			fill_text(c, text, n, i % KINDS);
		else
			fill_blocks(c, text, n);
		for (size_t k = 0; k < n_strewn; k++) {
			const char *end = ends[lanewise_check_below(c, sizeof ends / sizeof *ends)];
			size_t at = lanewise_check_below(c, n);

			for (; *end && at < n; end++)
				text[at++] = (unsigned char)*end;
		}
		judge_fold_units(c, text, n, given, lanewise_check_random_place(c, 1));
	}
}

/* -------------------------------------------------------------------- loop */

/* Values near each other and near the counters' end, so that lanes reach their thresholds or are full. */
static void fill_counters(struct lw_check *c, uint16_t *v, size_t n, int kind)
{
	for (size_t i = 0; i < n; i++) {
		uint16_t near = (uint16_t)lanewise_check_below(c, 4);

		v[i] = kind == 0   ? (uint16_t)lanewise_check_random(c)
		       : kind == 1 ? near
		                   : (uint16_t)(UINT16_MAX - near);
	}
}

void lanewise_check_loop_step(struct lw_check *c)
{
	uint32_t *history = c->scratch[0];
	uint16_t *run = c->scratch[1], *threshold = c->scratch[2], *expected = c->scratch[3];

	for (int i = 0; i < (c->quick ? 100 : 4000); i++) {
		size_t n = LW_LOOP_LANES * lanewise_check_below(c, i % 10 ? 8 : 64);
		uint32_t token = i % 2 ? 0 : (uint32_t)lanewise_check_random(c);

		for (size_t k = 0; k < n; k++)
			history[k] = lanewise_check_below(c, 3) ? token : (uint32_t)lanewise_check_random(c);
		fill_counters(c, run, n, i % 3);
		fill_counters(c, threshold, n, i % 5 % 3);
		memcpy(expected, run, n * sizeof *run);

		size_t expected_first = c->reference->loop_step(history, token, n, expected, threshold);

		c->where.length = n;

		const uint32_t *h =
		        lanewise_check_input(c, 0, history, n * sizeof *h, lanewise_check_random_place(c, 4));
		uint16_t *r = lanewise_check_inout(c, 1, run, n * sizeof *r, lanewise_check_random_place(c, 2));
		const uint16_t *t =
		        lanewise_check_input(c, 2, threshold, n * sizeof *t, lanewise_check_random_place(c, 2));
		size_t first = c->subject->loop_step(h, token, n, r, t);

		lanewise_check_same(c, "the first lane", &expected_first, &first, sizeof first, sizeof first);
		lanewise_check_same(c, "run", expected, r, n * sizeof *r, sizeof *r);
		lanewise_check_after(c);
	}
}
