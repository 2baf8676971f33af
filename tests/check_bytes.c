/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the kernels over bytes of text: utf8.h, base64.h, json.h. */
#include "check.h"

#include <string.h>

#include <lanewise/json.h>

#include "utf8/utf8_range.h"

enum { BLOCK = 64, MAX_LENGTH = 4 * BLOCK + 3 };

static void fill_random(struct lw_check *c, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(lanewise_check_random(c) >> 7);
}

/* ------------------------------------------------------------------- utf8 */

/* Bytes of a character chosen among those at the edges of what is valid, or anything of its length. */
static size_t put_character(struct lw_check *c, uint8_t *p, size_t room)
{
	static const uint32_t edges[] = { 0x00,   0x7f,   0x80,   0x7ff,   0x800,   0xfff,
		                          0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff };
	uint32_t code = edges[lanewise_check_below(c, sizeof edges / sizeof *edges)];
	size_t kind = lanewise_check_below(c, 4);

	if (kind == 0)
		code = 'a' + code % 26;
	else if (kind == 1)
		code = 0x4e00 + (uint32_t)lanewise_check_below(c, 0x5000);
	if (code < 0x80) {
		p[0] = (uint8_t)code;
		return 1;
	}

	size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	if (length > room) {
		p[0] = 'z';
		return 1;
	}
	for (size_t i = length - 1; i > 0; i--, code >>= 6)
		p[i] = (uint8_t)(0x80 | (code & 0x3f));
	p[0] = (uint8_t)((length == 2 ? 0xc0 : length == 3 ? 0xe0 : 0xf0) | code);
	return length;
}

/* Changes one byte. The random numbers have an order, so that every compiler makes the same cases. */
static void put_one_of(struct lw_check *c, uint8_t *p, size_t n, const void *choices, size_t n_choices)
{
	size_t at = lanewise_check_below(c, n);

	p[at] = ((const uint8_t *)choices)[lanewise_check_below(c, n_choices)];
}

static void put_random_byte(struct lw_check *c, uint8_t *p, size_t n)
{
	size_t at = lanewise_check_below(c, n);

	p[at] = (uint8_t)lanewise_check_random(c);
}

enum { UTF8_KINDS = 7 };

static void fill_utf8(struct lw_check *c, uint8_t *p, size_t n, int kind)
{
	static const char *const names[UTF8_KINDS] = { "ASCII",          "characters",   "one byte changed",
		                                       "cut at the end", "random bytes", "bytes 0x80",
		                                       "leads" };
	static const uint8_t hostile[] = {
		0xc0, 0xc1, 0xe0, 0xed, 0xf0, 0xf4, 0xf5, 0xff, 0x80, 0x9f, 0xa0, 0xbf, 0x41
	};

	c->where.pattern = names[kind];
	if (kind == 4)
		fill_random(c, p, n);
	else if (kind == 0 || kind >= 5)
		memset(p, kind == 0 ? 'a' : kind == 5 ? 0x80 : 0xe2, n);
	else
		for (size_t i = 0; i < n;)
			i += put_character(c, p + i, kind == 3 && n - i < 5 ? 4 : n - i);
	if (kind == 2 && n)
		put_one_of(c, p, n, hostile, sizeof hostile);
}

typedef size_t text_fn(const uint8_t *text, size_t n);

static void judge_text(struct lw_check *c, text_fn *reference, text_fn *subject, const uint8_t *text, size_t n,
                       int place)
{
	size_t expected = reference(text, n);

	c->where.length = n;
	c->where.place = place;

	size_t got = subject(lanewise_check_input(c, 0, text, n, place), n);

	lanewise_check_same(c, "result", &expected, &got, sizeof got, sizeof got);
	lanewise_check_after(c);
}

static void check_text(struct lw_check *c, text_fn *reference, text_fn *subject,
                       void (*fill)(struct lw_check *, uint8_t *, size_t, int), int n_kinds)
{
	uint8_t *text = c->scratch[0];

	for (size_t n = 0; n <= MAX_LENGTH; n++)
		for (int kind = 0; kind < n_kinds; kind++)
			for (int place = LW_AT_FRONT; place < 64; place += c->quick && place >= 0 ? 17 : 1) {
				fill(c, text, n, kind);
				judge_text(c, reference, subject, text, n, place);
			}
	for (int i = 0; i < (c->quick ? 100 : 3000); i++) {
		size_t n = lanewise_check_below(c, 10000);

		fill(c, text, n, i % n_kinds);
		judge_text(c, reference, subject, text, n, lanewise_check_random_place(c, 1));
	}
}

void lanewise_check_utf8_prefix(struct lw_check *c)
{
	uint8_t *text = c->scratch[1];

	check_text(c, c->reference->utf8_prefix, c->subject->utf8_prefix, fill_utf8, UTF8_KINDS);
	/* Every pair of bytes, and after it every third: at the beginning, over the edge of a block, and at the end. */
	c->where.pattern = "all three bytes";
	for (uint32_t bytes = 0; bytes < 1u << 24; bytes += c->quick ? 9973 : 61) {
		uint8_t three[3] = { (uint8_t)(bytes >> 16), (uint8_t)(bytes >> 8), (uint8_t)bytes };
		size_t at = bytes / 7 % 3 * 63;

		memset(text, 'a', 130);
		memcpy(text + at, three, 3);
		text[at + 3] = bytes & 1 ? 0x80 : 'a';

		size_t n = at == 126 ? 129 : 130, expected = c->reference->utf8_prefix(text, n);
		size_t got = c->subject->utf8_prefix(text, n);

		lanewise_check_same(c, "result", &expected, &got, sizeof got, sizeof got);
	}
}

void lanewise_check_utf8_count(struct lw_check *c)
{
	check_text(c, c->reference->utf8_count, c->subject->utf8_count, fill_utf8, UTF8_KINDS);
}

/* A range as the public functions make it, but of any bytes: leads, then continuations. */
static struct lw_utf8_range random_range(struct lw_check *c)
{
	struct lw_utf8_range range;
	uint8_t low[4] = { 0 }, end[4] = { 0 };

	put_character(c, low, 4);
	put_character(c, end, 4);
	range.n_low = low[0] < 0x80 ? 1 : 1 + (int)lanewise_check_below(c, low[0] < 0xe0 ? 2 : 3);
	range.n_end = end[0] < 0x80 ? 1 : 1 + (int)lanewise_check_below(c, end[0] < 0xe0 ? 2 : 3);
	memcpy(range.low, low, 4);
	memcpy(range.end, end, 4);
	return range;
}

typedef size_t range_fn(const uint8_t *text, size_t n, const struct lw_utf8_range *range);

static void check_range(struct lw_check *c, range_fn *reference, range_fn *subject)
{
	uint8_t *text = c->scratch[0];

	for (size_t n = 0; n <= MAX_LENGTH; n++)
		for (int kind = 0; kind < UTF8_KINDS; kind++)
			for (int place = LW_AT_FRONT; place < 64; place += c->quick && place >= 0 ? 17 : 1) {
				struct lw_utf8_range range = random_range(c);

				fill_utf8(c, text, n, kind);
				c->where.length = n;
				c->where.place = place;

				size_t expected = reference(text, n, &range);
				size_t got = subject(lanewise_check_input(c, 0, text, n, place), n, &range);

				lanewise_check_same(c, "result", &expected, &got, sizeof got, sizeof got);
				lanewise_check_after(c);
			}
}

void lanewise_check_utf8_count_range(struct lw_check *c)
{
	check_range(c, c->reference->utf8_count_range, c->subject->utf8_count_range);
}

void lanewise_check_utf8_find_range(struct lw_check *c)
{
	check_range(c, c->reference->utf8_find_range, c->subject->utf8_find_range);
}

/* ----------------------------------------------------------------- base64 */

static void judge_encode(struct lw_check *c, size_t n_groups, int url, int place)
{
	uint8_t *data = c->scratch[0], *expected = c->scratch[1];

	c->where.pattern = url ? "url" : "standard";
	c->where.length = 3 * n_groups;
	c->where.place = place;
	c->reference->base64_encode(data, n_groups, url, expected);

	const uint8_t *in = lanewise_check_input(c, 0, data, 3 * n_groups, place);
	uint8_t *out = lanewise_check_output(c, 1, 4 * n_groups, place);

	c->subject->base64_encode(in, n_groups, url, out);
	lanewise_check_same(c, "text", expected, out, 4 * n_groups, 1);
	lanewise_check_after(c);
}

void lanewise_check_base64_encode(struct lw_check *c)
{
	for (size_t n = 0; n <= MAX_LENGTH; n++) {
		fill_random(c, c->scratch[0], 3 * n);
		for (int place = LW_AT_FRONT; place < 64; place += c->quick && place >= 0 ? 17 : 1)
			judge_encode(c, n, place & 1, place);
	}
	for (int i = 0; i < (c->quick ? 20 : 300); i++) {
		size_t n = lanewise_check_below(c, 20000);

		fill_random(c, c->scratch[0], 3 * n);
		judge_encode(c, n, i & 1, lanewise_check_random_place(c, 1));
	}
}

static void judge_decode(struct lw_check *c, size_t n_groups, int url, int place)
{
	uint8_t *text = c->scratch[0], *expected = c->scratch[1];
	size_t n_expected = c->reference->base64_decode(text, n_groups, url, expected);

	c->where.length = 4 * n_groups;
	c->where.place = place;

	const uint8_t *in = lanewise_check_input(c, 0, text, 4 * n_groups, place);
	uint8_t *out = lanewise_check_output(c, 1, 3 * n_groups, place);
	size_t got = c->subject->base64_decode(in, n_groups, url, out);

	lanewise_check_same(c, "groups", &n_expected, &got, sizeof got, sizeof got);
	lanewise_check_same(c, "bytes", expected, out, 3 * n_expected, 1);
	lanewise_check_after(c);
}

static void fill_base64(struct lw_check *c, size_t n_groups, int url)
{
	fill_random(c, c->scratch[2], 3 * n_groups);
	c->reference->base64_encode(c->scratch[2], n_groups, url, c->scratch[0]);
	c->where.pattern = url ? "url" : "standard";
}

void lanewise_check_base64_decode(struct lw_check *c)
{
	uint8_t *text = c->scratch[0];

	for (size_t n = 0; n <= MAX_LENGTH; n++)
		for (int place = LW_AT_FRONT; place < 64; place += c->quick && place >= 0 ? 17 : 1) {
			fill_base64(c, n, place & 1);
			if (n && place % 3 == 0)
				put_random_byte(c, text, 4 * n);
			judge_decode(c, n, place & 1, place);
		}
	/* Every byte at every place of a few vectors. */
	for (int value = 0; value < 256; value++)
		for (size_t at = 0; at < 4 * 40; at += c->quick ? 37 : 1) {
			fill_base64(c, 40, (int)at & 1);
			text[at] = (uint8_t)value;
			judge_decode(c, 40, (int)at & 1, LW_AT_BACK);
		}
	for (int i = 0; i < (c->quick ? 20 : 300); i++) {
		size_t n = 1 + lanewise_check_below(c, 20000);

		fill_base64(c, n, i & 1);
		if (i % 3)
			put_random_byte(c, text, 4 * n);
		judge_decode(c, n, i & 1, lanewise_check_random_place(c, 1));
	}
}

/* ------------------------------------------------------------------- json */

enum { JSON_KINDS = 7 };

/* Text that looks like JSON the more often, the more it matters to the kernels; no grammar. */
static void fill_json(struct lw_check *c, uint8_t *p, size_t n, int kind)
{
	static const char *const names[JSON_KINDS] = { "plain",     "operators",   "strings", "escapes",
		                                       "all bytes", "backslashes", "controls" };
	static const char *const alphabets[JSON_KINDS] = { "abcdefgh",
		                                           "{}[]:, 1a\n\"",
		                                           "abcdefghijklmn\" ",
		                                           "\\\\\"an{",
		                                           NULL,
		                                           "\\",
		                                           "\x01\x1f\x0c\x1a\",:a \x7f\x80\xfb\xac" };
	const char *alphabet = alphabets[kind];

	c->where.pattern = names[kind];
	if (!alphabet) {
		fill_random(c, p, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)alphabet[lanewise_check_below(c, strlen(alphabet))];
	if (kind == 0 && n && lanewise_check_below(c, 2))
		put_one_of(c, p, n, "\"\\\x1f", 3);
	if (kind == 5 && n > 2)
		put_one_of(c, p, n, "\"a", 2);
}

void lanewise_check_json_plain(struct lw_check *c)
{
	check_text(c, c->reference->json_plain, c->subject->json_plain, fill_json, JSON_KINDS);
}

static void judge_index(struct lw_check *c, const uint8_t *text, size_t n, int place)
{
	struct lw_json_carry before = { (uint8_t)lanewise_check_below(c, 2), (uint8_t)0, (uint8_t)0 };

	before.escaped = (uint8_t)lanewise_check_below(c, 2);
	before.in_scalar = (uint8_t)lanewise_check_below(c, 2);

	struct lw_json_carry expected_carry = before, carry = before;
	uint32_t *expected = c->scratch[3];
	struct lw_json_seen expected_seen, seen;
	uint32_t base = lanewise_check_below(c, 2) ? 0 : UINT32_MAX - 20000;
	size_t n_expected = c->reference->json_index(text, n, &expected_carry, base, expected, &expected_seen);

	c->where.length = n;
	c->where.place = place;

	const uint8_t *in = lanewise_check_input(c, 0, text, n, place);
	uint32_t *index = lanewise_check_output(c, 1, n * sizeof *index, place < 0 ? place : place & ~3);
	size_t got = c->subject->json_index(in, n, &carry, base, index, &seen);

	lanewise_check_same(c, "count", &n_expected, &got, sizeof got, sizeof got);
	lanewise_check_same(c, "index", expected, index, n_expected * sizeof *index, sizeof *index);
	lanewise_check_same(c, "carry", &expected_carry, &carry, sizeof carry, 1);
	lanewise_check_same(c, "control", &expected_seen.control, &seen.control, sizeof seen.control,
	                    sizeof seen.control);
	lanewise_check_same(c, "wide", &expected_seen.wide, &seen.wide, sizeof seen.wide, sizeof seen.wide);
	lanewise_check_after(c);
}

static void judge_bits(struct lw_check *c, const uint8_t *text, size_t n, int place)
{
	struct lw_json_carry before = { (uint8_t)lanewise_check_below(c, 2), (uint8_t)0, (uint8_t)0 };

	before.escaped = (uint8_t)lanewise_check_below(c, 2);
	before.in_scalar = (uint8_t)lanewise_check_below(c, 2);

	struct lw_json_carry expected_carry = before, carry = before;
	uint64_t *expected = c->scratch[3];
	struct lw_json_seen expected_seen, seen;
	size_t n_bytes = (n + 63) / 64 * sizeof *expected;

	c->reference->json_bits(text, n, &expected_carry, expected, &expected_seen);
	c->where.length = n;
	c->where.place = place;

	const uint8_t *in = lanewise_check_input(c, 0, text, n, place);
	uint64_t *words = lanewise_check_output(c, 1, n_bytes, place < 0 ? place : place & ~7);

	c->subject->json_bits(in, n, &carry, words, &seen);
	lanewise_check_same(c, "words", expected, words, n_bytes, sizeof *words);
	lanewise_check_same(c, "carry", &expected_carry, &carry, sizeof carry, 1);
	lanewise_check_same(c, "control", &expected_seen.control, &seen.control, sizeof seen.control,
	                    sizeof seen.control);
	lanewise_check_same(c, "wide", &expected_seen.wide, &seen.wide, sizeof seen.wide, sizeof seen.wide);
	lanewise_check_after(c);
}

void lanewise_check_json_bits(struct lw_check *c)
{
	uint8_t *text = c->scratch[0];

	for (size_t n = 0; n <= MAX_LENGTH; n++)
		for (int kind = 0; kind < JSON_KINDS; kind++)
			for (int place = LW_AT_FRONT; place < 64; place += c->quick && place >= 0 ? 17 : 5) {
				fill_json(c, text, n, kind);
				judge_bits(c, text, n, place);
			}
	for (int i = 0; i < (c->quick ? 100 : 1000); i++) {
		size_t n = lanewise_check_below(c, 10000);

		fill_json(c, text, n, i % JSON_KINDS);
		judge_bits(c, text, n, lanewise_check_random_place(c, 1));
	}
}

void lanewise_check_json_index(struct lw_check *c)
{
	uint8_t *text = c->scratch[0];

	for (size_t n = 0; n <= MAX_LENGTH; n++)
		for (int kind = 0; kind < JSON_KINDS; kind++)
			for (int place = LW_AT_FRONT; place < 64; place += c->quick && place >= 0 ? 17 : 1) {
				fill_json(c, text, n, kind);
				judge_index(c, text, n, place);
			}
	for (int i = 0; i < (c->quick ? 100 : 3000); i++) {
		size_t n = lanewise_check_below(c, 10000);

		fill_json(c, text, n, i % JSON_KINDS);
		judge_index(c, text, n, lanewise_check_random_place(c, 1));
	}
}

enum { MOST_JSON = 9000, TREE_KINDS = 4, TREE_DEPTH = 50, BEFORE = LW_JSON_TOKENS_BEFORE };

/* A JSON array or object of at most n >= 200 bytes to `p`; returns its size. */
static size_t put_tree(struct lw_check *c, uint8_t *p, size_t n)
{
	static const char *const values[] = {
		"0",         "-12.50",      "1e9",  "-3.25E-7", "123456789012345678901234567890",
		"true",      "false",       "null", "\"\"",     "\"caf\xc3\xa9, {[\"",
		"\"a\\\\\"", "\"\\\"\\n\"", "{}",   "[]",       "\"\\u00e9\\ud83d\\ude00\""
	};
	uint8_t ends[TREE_DEPTH];
	size_t at = 0, depth = 0, limit = n - 150;
	int first = 1, begins = 1;

	for (;;) {
		int in_object = depth && ends[depth - 1] == '}';

		if (!begins) {
			if (at >= limit || lanewise_check_below(c, 8) == 0) {
				p[at++] = ends[--depth];
				if (depth == 0)
					return at;
				first = 0;
				continue;
			}
			if (!first)
				p[at++] = ',';
			if (lanewise_check_below(c, 6) == 0)
				p[at++] = (uint8_t)(" \n\t\r"[lanewise_check_below(c, 4)]);
			if (in_object) {
				memcpy(p + at, "\"name\":", 7);
				at += 7;
			}
		}
		if (begins || (depth < TREE_DEPTH && lanewise_check_below(c, 4) == 0)) {
			int object = (int)lanewise_check_below(c, 2);

			p[at++] = object ? '{' : '[';
			ends[depth++] = object ? '}' : ']';
			first = 1;
			begins = 0;
		} else {
			const char *value = values[lanewise_check_below(c, sizeof values / sizeof *values)];

			memcpy(p + at, value, strlen(value));
			at += strlen(value);
			first = 0;
		}
		if (lanewise_check_below(c, 10) == 0)
			p[at++] = ' ';
	}
}

/* JSON, JSON with a byte changed, and other text; returns its size. */
static size_t fill_tree(struct lw_check *c, uint8_t *p, size_t n, int kind)
{
	static const char *const names[TREE_KINDS] = { "JSON", "one byte changed", "two bytes changed", "bytes" };
	static const char bytes[] = "{}[]:,\"\\ 1-+.eEutnd0\x01\x80\xb1\xfb";

	c->where.pattern = names[kind];
	if (kind == 3) {
		n = lanewise_check_below(c, 150);
		fill_json(c, p, n, (int)lanewise_check_below(c, JSON_KINDS));
		return n;
	}
	n = put_tree(c, p, n);
	for (int i = 0; i < kind; i++)
		put_one_of(c, p, n, bytes, sizeof bytes - 1);
	return n;
}

/* The tree of text by kernels of one tier each; returns whether it is one. `tokens` has the tokens of the last piece. */
static int grow_tree(const struct lw_kernels *scanner, const struct lw_kernels *builder, const uint8_t *text, size_t n,
                     size_t piece, uint32_t *tokens, struct lw_json_tree *tree)
{
	struct lw_json_scan scan = { .n_text = n };
	size_t count = 0;

	for (size_t i = 0; i < BEFORE; i++)
		tokens[i] = ':';
	for (size_t at = 0;; at += piece) {
		size_t size = n - at < piece ? n - at : piece, used;
		int last = at + size == n;

		count += scanner->json_tokens(text, at, at + size, &scan, tokens + BEFORE + count);
		if (scan.bad)
			return 0;
		used = builder->json_nodes(text, at, tokens + BEFORE, count, last, tree);
		if (tree->bad || last)
			return !tree->bad;
		count -= used;
		for (size_t i = 0; i < count + BEFORE; i++)
			tokens[i] = tokens[used + i] - (uint32_t)(size << 8);
	}
}

static void judge_tree(struct lw_check *c, const struct lw_kernels *scanner, const struct lw_kernels *builder,
                       const uint8_t *text, size_t n, size_t piece, int place)
{
	size_t room = n + 2;
	struct lw_json_tree expected = { .nodes = c->scratch[1], .capacity = room, .max_depth = TREE_DEPTH - 4 };
	struct lw_json_tree got = expected;
	int ok = grow_tree(c->reference, c->reference, text, n, piece, c->scratch[2], &expected), is_ok;

	c->where.length = n;
	c->where.place = place;
	got.nodes = lanewise_check_output(c, 1, room * sizeof *got.nodes, place < 0 ? place : place & ~3);
	is_ok = grow_tree(scanner, builder, lanewise_check_input(c, 0, text, n, place), n, piece, c->scratch[3], &got);
	lanewise_check_same(c, "verdict", &ok, &is_ok, sizeof ok, sizeof ok);
	if (ok && is_ok) {
		lanewise_check_same(c, "count", &expected.n_nodes, &got.n_nodes, sizeof got.n_nodes,
		                    sizeof got.n_nodes);
		lanewise_check_same(c, "nodes", expected.nodes, got.nodes, got.n_nodes * sizeof *got.nodes,
		                    sizeof *got.nodes);
	}
	lanewise_check_after(c);
}

static void check_trees(struct lw_check *c, const struct lw_kernels *scanner, const struct lw_kernels *builder)
{
	for (int i = 0; i < (c->quick ? 400 : 20000); i++) {
		size_t room =
		        i % 10 ? 200 + lanewise_check_below(c, 400) : 200 + lanewise_check_below(c, MOST_JSON - 200);
		size_t n = fill_tree(c, c->scratch[0], room, i % TREE_KINDS),
		       piece = 512 + 512 * lanewise_check_below(c, 8);

		judge_tree(c, scanner, builder, c->scratch[0], n, i % 3 ? piece : 1 << 20,
		           lanewise_check_random_place(c, 1));
	}
}

void lanewise_check_json_tokens(struct lw_check *c) { check_trees(c, c->subject, c->reference); }

void lanewise_check_json_nodes(struct lw_check *c) { check_trees(c, c->reference, c->subject); }

enum { STRING_KINDS = 7 };

/* The inside of a valid string of at most n bytes, to `p`; returns its size. Escapes are rare, frequent, or all there is. */
static size_t fill_string(struct lw_check *c, uint8_t *p, size_t n, int kind)
{
	static const char *const names[STRING_KINDS] = { "few escapes", "escapes", "backslashes",  "units",
		                                         "surrogates",  "clean",   "units in rows" };
	static const char letters[] = "\"\\/bfnrt", hex[] = "0123456789abcdefABCDEF";
	static const size_t every[STRING_KINDS] = { 70, 8, 1, 3, 1, 0, 1 };
	size_t at = 0;

	c->where.pattern = names[kind];
	while (at < n) {
		if (!every[kind] || lanewise_check_below(c, every[kind]) || n - at < 2) {
			p[at++] = (uint8_t)("abc u/\xe4\xb8\x80n"[lanewise_check_below(c, 10)]);
			continue;
		}
		p[at++] = '\\';
		if (kind < 3 || n - at < 5) {
			p[at++] = (uint8_t)(kind == 2 ? '\\' : letters[lanewise_check_below(c, 8)]);
			continue;
		}
		p[at++] = 'u';
		for (int i = 0; i < 4; i++)
			p[at++] = (uint8_t)hex[lanewise_check_below(c, 22)];
		if (kind == 4) {
			p[at - 4] = 'd';
			p[at - 3] = (uint8_t)hex[8 + lanewise_check_below(c, 8)];
		} else if (lanewise_check_below(c, kind == 6 ? 30 : 3) == 0) {
			p[at - 4] = p[at - 3] = '0';
		}
	}
	return at;
}

typedef size_t string_fn(const uint8_t *text, size_t n, uint8_t *out);

static void judge_string(struct lw_check *c, string_fn *reference, string_fn *subject, size_t n, size_t growth,
                         int place)
{
	uint8_t *text = c->scratch[0], *expected = c->scratch[1];
	size_t n_expected = reference(text, n, expected), got;

	c->where.length = n;
	c->where.place = place;

	const uint8_t *in = lanewise_check_input(c, 0, text, n, place);
	uint8_t *out = lanewise_check_output(c, 1, growth * n, place);

	got = subject(in, n, out);
	lanewise_check_same(c, "size", &n_expected, &got, sizeof got, sizeof got);
	lanewise_check_same(c, "bytes", expected, out, n_expected, 1);
	lanewise_check_after(c);
}

void lanewise_check_json_unescape(struct lw_check *c)
{
	for (size_t n = 0; n <= MAX_LENGTH; n++)
		for (int kind = 0; kind < STRING_KINDS; kind++)
			for (int place = LW_AT_FRONT; place < 64; place += c->quick && place >= 0 ? 17 : 1)
				judge_string(c, c->reference->json_unescape, c->subject->json_unescape,
				             fill_string(c, c->scratch[0], n, kind), 1, place);
	for (int i = 0; i < (c->quick ? 100 : 3000); i++) {
		size_t n = lanewise_check_below(c, 10000);

		n = fill_string(c, c->scratch[0], n, i % STRING_KINDS);
		judge_string(c, c->reference->json_unescape, c->subject->json_unescape, n, 1,
		             lanewise_check_random_place(c, 1));
	}
}

void lanewise_check_json_escape(struct lw_check *c)
{
	for (size_t n = 0; n <= MAX_LENGTH; n++)
		for (int kind = 0; kind < JSON_KINDS; kind++)
			for (int place = LW_AT_FRONT; place < 64; place += c->quick && place >= 0 ? 17 : 1) {
				fill_json(c, c->scratch[0], n, kind);
				judge_string(c, c->reference->json_escape, c->subject->json_escape, n, 6, place);
			}
	for (int i = 0; i < (c->quick ? 100 : 3000); i++) {
		size_t n = lanewise_check_below(c, 10000);

		fill_json(c, c->scratch[0], n, i % JSON_KINDS);
		judge_string(c, c->reference->json_escape, c->subject->json_escape, n, 6,
		             lanewise_check_random_place(c, 1));
	}
}

/* --------------------------------------------------------------- numbers */

static size_t put_digits(struct lw_check *c, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)('0' + lanewise_check_below(c, 10));
	return n;
}

enum { MOST_OF_NUMBER = 1 + 24 + 1 + 24 + 2 + 3 };

/* A number, as JSON has it; returns its size. */
static size_t put_number(struct lw_check *c, uint8_t *p)
{
	static const size_t most[] = { 4, 12, 24 };
	size_t n = most[lanewise_check_below(c, 3)], at = 0;

	if (lanewise_check_below(c, 2))
		p[at++] = '-';
	p[at++] = (uint8_t)('0' + lanewise_check_below(c, 10));
	if (p[at - 1] != '0')
		at += put_digits(c, p + at, lanewise_check_sometimes(c, n));
	if (lanewise_check_below(c, 3)) {
		p[at++] = '.';
		at += put_digits(c, p + at, 1 + lanewise_check_below(c, n));
	}
	if (lanewise_check_below(c, 20) == 0) {
		p[at++] = lanewise_check_below(c, 2) ? 'e' : 'E';
		if (lanewise_check_below(c, 2))
			p[at++] = lanewise_check_below(c, 2) ? '-' : '+';
		at += put_digits(c, p + at, 1 + lanewise_check_below(c, 2));
	}
	return at;
}

enum { NUMBER_KINDS = 4 };

/* Numbers with commas and white space between, cut anywhere: valid, with a byte changed, or anything. */
static void fill_numbers(struct lw_check *c, uint8_t *p, size_t n, int kind)
{
	static const char *const names[NUMBER_KINDS] = { "numbers", "spaced", "one byte changed",
		                                         "any of their bytes" };
	static const char bytes[] = "0123456789+-.eE, \t]\"";
	uint8_t number[MOST_OF_NUMBER];

	c->where.pattern = names[kind];
	for (size_t at = 0; at < n;) {
		size_t length = kind == 3 ? 1 : put_number(c, number);

		if (kind == 3)
			number[0] = (uint8_t)bytes[lanewise_check_below(c, sizeof bytes - 1)];
		length = length < n - at ? length : n - at;
		memcpy(p + at, number, length);
		at += length;
		if (kind != 3 && at < n)
			p[at++] = ',';
		while (kind == 1 && at < n && lanewise_check_below(c, 2))
			p[at++] = (uint8_t)(" \t\n\r"[lanewise_check_below(c, 4)]);
	}
	if (kind == 2 && n)
		put_one_of(c, p, n, bytes, sizeof bytes - 1);
}

static void judge_numbers(struct lw_check *c, const uint8_t *text, size_t n, int place)
{
	struct lw_json_numbers expected = { 0, (uint8_t)lanewise_check_sometimes(c, LW_NUMBERS_BAD + 1) };
	struct lw_json_numbers got = expected;

	c->where.length = n;
	c->where.place = place;
	c->reference->json_numbers(text, n, &expected);
	c->subject->json_numbers(lanewise_check_input(c, 0, text, n, place), n, &got);
	lanewise_check_same(c, "stop", &expected.stop, &got.stop, sizeof got.stop, sizeof got.stop);
	lanewise_check_same(c, "state", &expected.state, &got.state, 1, 1);
	lanewise_check_after(c);
}

void lanewise_check_json_numbers(struct lw_check *c)
{
	uint8_t *text = c->scratch[0];

	for (size_t n = 0; n <= MAX_LENGTH; n++)
		for (int kind = 0; kind < NUMBER_KINDS; kind++)
			for (int place = LW_AT_FRONT; place < 64; place += c->quick && place >= 0 ? 17 : 1) {
				fill_numbers(c, text, n, kind);
				judge_numbers(c, text, n, place);
			}
	for (int i = 0; i < (c->quick ? 100 : 3000); i++) {
		size_t n = lanewise_check_below(c, 8000);

		fill_numbers(c, text, n, i % 3);
		judge_numbers(c, text, n, lanewise_check_random_place(c, 1));
	}
}

static void judge_ends(struct lw_check *c, const uint8_t *text, size_t n, int place)
{
	int within = (int)lanewise_check_below(c, 2), expected_within = within;
	uint32_t *expected = c->scratch[3];
	size_t n_expected = c->reference->json_ends(text, n, &expected_within, 7, expected);

	c->where.length = n;
	c->where.place = place;

	const uint8_t *in = lanewise_check_input(c, 0, text, n, place);
	uint32_t *ends = lanewise_check_output(c, 1, n * sizeof *ends, place < 0 ? place : place & ~3);
	size_t got = c->subject->json_ends(in, n, &within, 7, ends);

	lanewise_check_same(c, "count", &n_expected, &got, sizeof got, sizeof got);
	lanewise_check_same(c, "ends", expected, ends, n_expected * sizeof *ends, sizeof *ends);
	lanewise_check_same(c, "within", &expected_within, &within, sizeof within, sizeof within);
	lanewise_check_after(c);
}

void lanewise_check_json_ends(struct lw_check *c)
{
	uint8_t *text = c->scratch[0];

	for (size_t n = 0; n <= MAX_LENGTH; n++)
		for (int place = LW_AT_FRONT; place < 64; place += c->quick && place >= 0 ? 17 : 1) {
			fill_numbers(c, text, n, place & 3);
			judge_ends(c, text, n, place);
		}
	for (int i = 0; i < (c->quick ? 100 : 3000); i++) {
		size_t n = lanewise_check_below(c, 8000);

		fill_numbers(c, text, n, i % NUMBER_KINDS);
		judge_ends(c, text, n, lanewise_check_random_place(c, 1));
	}
}

enum { MOST_NUMBERS = 40 };

/* Numbers between brackets and commas to scratch[0], where they end to scratch[3]; returns the bytes. */
static size_t fill_array(struct lw_check *c, size_t n)
{
	uint8_t *text = c->scratch[0];
	uint32_t *ends = c->scratch[3];
	size_t at = 1 + lanewise_check_below(c, 20);
	int pointed = (int)lanewise_check_below(c, 2); /* each with a point and short */

	memset(text, '[', at);
	for (size_t i = 0; i < n; i++) {
		if (pointed) {
			if (lanewise_check_below(c, 2))
				text[at++] = '-';
			at += put_digits(c, text + at, 1 + lanewise_check_below(c, 2));
			text[at++] = '.';
			at += put_digits(c, text + at, 1 + lanewise_check_below(c, 13));
		} else {
			at += put_number(c, text + at);
		}
		ends[i] = (uint32_t)at;
		text[at++] = ',';
	}
	return at;
}

void lanewise_check_json_decimals(struct lw_check *c)
{
	uint64_t expected[MOST_NUMBERS], w[MOST_NUMBERS];
	int8_t expected_scale[MOST_NUMBERS], *scale;

	c->where.pattern = "numbers";
	for (int i = 0; i < (c->quick ? 300 : 10000); i++) {
		size_t n = lanewise_check_below(c, MOST_NUMBERS), n_bytes = fill_array(c, n);
		int place = lanewise_check_random_place(c, 1);

		c->where.length = n;
		c->where.place = place;
		c->reference->json_decimals(c->scratch[0], c->scratch[3], n, expected, expected_scale);

		const uint8_t *in = lanewise_check_input(c, 0, c->scratch[0], n_bytes, place);

		scale = lanewise_check_output(c, 1, n, place);
		c->subject->json_decimals(in, c->scratch[3], n, w, scale);
		lanewise_check_same(c, "scales", expected_scale, scale, n, 1);
		for (size_t k = 0; k < n; k++)
			if (scale[k] != 127)
				lanewise_check_same(c, "digits", &expected[k], &w[k], sizeof *w, sizeof *w);
		lanewise_check_after(c);
	}
}

void lanewise_check_json_round_f32(struct lw_check *c)
{
	uint64_t w[MOST_NUMBERS];
	int8_t scale[MOST_NUMBERS];
	float expected[MOST_NUMBERS];

	c->where.pattern = "numbers";
	for (int i = 0; i < (c->quick ? 300 : 10000); i++) {
		size_t n = lanewise_check_below(c, MOST_NUMBERS), begin = n ? lanewise_check_below(c, n) : 0;
		int place = lanewise_check_random_place(c, 4);

		fill_array(c, n);
		c->reference->json_decimals(c->scratch[0], c->scratch[3], n, w, scale);
		for (size_t k = 0; k < n; k++)
			if (i % 3 == 0) { /* integers in the middle between two floats, or near it */
				w[k] = ((uint64_t)1 << 25) + 2 * lanewise_check_below(c, 1 << 24) + 1;
				w[k] = (w[k] << 28) + 20 * lanewise_check_below(c, 3);
				scale[k] = 0;
			}
		c->where.length = n;
		c->where.place = place;

		size_t n_expected = c->reference->json_round_f32(w, scale, begin, n, expected);
		float *out = lanewise_check_output(c, 0, n * sizeof *out, place);
		size_t got = c->subject->json_round_f32(w, scale, begin, n, out);

		lanewise_check_same(c, "count", &n_expected, &got, sizeof got, sizeof got);
		lanewise_check_same(c, "floats", expected + begin, out + begin, (n_expected - begin) * sizeof *out,
		                    sizeof *out);
		lanewise_check_after(c);
	}
}

/* The numbers of fill_array with white space here and there to scratch[1], between brackets; where they end to *end. */
static uint32_t space_array(struct lw_check *c, size_t n, size_t begin, uint32_t *end)
{
	static const char *const separators[] = { ",", ", ", " ,\n" };
	const uint8_t *from = c->scratch[0];
	const uint32_t *ends = c->scratch[3];
	uint8_t *text = c->scratch[1];
	size_t at = begin, kinds = 1 + lanewise_check_below(c, 3), last = begin;

	memset(text, '[', begin);
	for (size_t i = 0; i < n; i++) {
		const char *separator = separators[lanewise_check_below(c, kinds)];

		memcpy(text + at, from + begin, ends[i] - begin);
		at += ends[i] - begin;
		begin = ends[i] + 1;
		last = at;
		memcpy(text + at, separator, strlen(separator));
		at += strlen(separator);
	}
	text[last] = ']';
	*end = (uint32_t)last;
	return (uint32_t)last + 1;
}

void lanewise_check_json_floats(struct lw_check *c)
{
	enum { MOST = 300 };

	c->where.pattern = "numbers";
	for (int i = 0; i < (c->quick ? 300 : 10000); i++) {
		size_t n = lanewise_check_below(c, i % 2 ? MOST : 20), n_expected_unread, n_unread;
		int place = lanewise_check_random_place(c, 4);
		uint32_t begin = 0, end;

		fill_array(c, n);
		while (((const uint8_t *)c->scratch[0])[begin] == '[')
			begin++;

		uint32_t n_bytes = space_array(c, n, begin, &end);
		size_t most = (end - begin + 1) / 2;
		float *expected = c->scratch[2];
		struct lw_json_unread *expected_unread = c->scratch[0];

		c->where.length = n;
		c->where.place = place;

		size_t n_expected = c->reference->json_floats(c->scratch[1], begin, end, expected, expected_unread,
		                                              &n_expected_unread);
		const uint8_t *in = lanewise_check_input(c, 0, c->scratch[1], n_bytes, place);
		float *out = lanewise_check_output(c, 1, most * sizeof *out, place);
		struct lw_json_unread *unread = lanewise_check_output(c, 2, most * sizeof *unread, place);
		size_t got = c->subject->json_floats(in, begin, end, out, unread, &n_unread);

		lanewise_check_same(c, "count", &n_expected, &got, sizeof got, sizeof got);
		lanewise_check_same(c, "unread", &n_expected_unread, &n_unread, sizeof n_unread, sizeof n_unread);
		lanewise_check_same(c, "which", expected_unread, unread, n_unread * sizeof *unread, sizeof *unread);
		for (size_t k = 0; k < n_unread; k++)
			out[unread[k].number] = expected[unread[k].number] = 0;
		lanewise_check_same(c, "floats", expected, out, n_expected * sizeof *out, sizeof *out);
		lanewise_check_after(c);
	}
}
