/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the kernels behind lanewise/text.h. */
#include "check.h"

#include <string.h>

enum { KINDS = 6, BLOCK = 64 };

static void fill_text(struct lw_check *c, unsigned char *p, size_t n, int kind)
{
	static const char *const names[KINDS] = {
		"words", "letters", "separators", "every edge", "neighbours of classes", "random bytes"
	};
	static const char *const alphabets[KINDS] = { "abcdEfGzZ09_ ., ", "aZ", " .", "a ", "@AZ[`az{/09:^_", NULL };

	c->where.pattern = names[kind];
	for (size_t i = 0; i < n; i++)
		p[i] = kind == 3 ? (unsigned char)"a "[i % 2]
		       : alphabets[kind]
		               ? (unsigned char)alphabets[kind][lanewise_check_below(c, strlen(alphabets[kind]))]
		               : (unsigned char)(lanewise_check_random(c) >> 9);
	/* Half of the texts have a byte that is not ASCII, and all end there for the kernel. */
	if (n && kind < 5 && lanewise_check_below(c, 2)) {
		size_t at = lanewise_check_below(c, n);

		p[at] = (unsigned char)(0x80 | lanewise_check_random(c) >> 13);
	}
}

static void judge(struct lw_check *c, const unsigned char *text, size_t n, int fold, int place)
{
	unsigned char *expected = c->scratch[1];
	uint16_t *expected_edges = c->scratch[2];
	size_t expected_n, got_n = 0;
	size_t expected_gone = c->reference->ascii_words(text, n, fold, expected, expected_edges, &expected_n);

	c->where.length = n;
	c->where.place = place;

	const unsigned char *p = lanewise_check_input(c, 0, text, n, place);
	unsigned char *out = lanewise_check_output(c, 1, n + LW_WORDS_PAD, LW_AT_BACK);
	uint16_t *edges = lanewise_check_output(c, 2, (n + LW_WORDS_PAD) * sizeof *edges, LW_AT_BACK);
	size_t gone = c->subject->ascii_words(p, n, fold, out, edges, &got_n);

	lanewise_check_same(c, "the count of bytes gone through", &expected_gone, &gone, sizeof gone, sizeof gone);
	lanewise_check_same(c, "the count of edges", &expected_n, &got_n, sizeof got_n, sizeof got_n);
	lanewise_check_same(c, "text", expected, out, gone, 1);
	lanewise_check_same(c, "edges", expected_edges, edges, got_n * sizeof *edges, sizeof *edges);
	lanewise_check_after(c);
}

void lanewise_check_ascii_words(struct lw_check *c)
{
	unsigned char *text = c->scratch[0];

	for (size_t n = 0; n <= 4 * BLOCK + 3; n += c->quick ? 1 + lanewise_check_below(c, 5) : 1)
		for (int kind = 0; kind < KINDS; kind++)
			for (int place = LW_AT_FRONT; place < 64; place += place >= 0 ? 7 : 1) {
				fill_text(c, text, n, kind);
				judge(c, text, n, (int)(n % 3 != 0), place);
			}
	for (int i = 0; i < (c->quick ? 50 : 1500); i++) {
		size_t n = lanewise_check_below(c, i % 10 ? 3000 : 65536);
		int place = lanewise_check_random_place(c, 1);

		fill_text(c, text, n, i % KINDS);
		judge(c, text, n, i % 7 != 0, place);
	}
}

/* -------------------------------------------------------------------- case */

static size_t put_utf8(unsigned char *out, uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; c >>= 6)
		out[i] = (unsigned char)(0x80 | (c & 63));
	out[0] = (unsigned char)((n == 1 ? 0 : 0xf00 >> n) | c);
	return n;
}

/* Text without A-Z: characters of one script or a few, with words of others between, or with bytes that are no UTF-8. */
enum { CASE_KINDS = 12 };

static void fill_case(struct lw_check *c, unsigned char *p, size_t n, int kind)
{
	static const struct {
		const char *name;
		uint32_t first, end;
	} scripts[CASE_KINDS] = { { "ASCII", 'a', 0x7f },
		                  { "Latin-1", 0x80, 0x100 },
		                  { "Latin", 0x80, 0x250 },
		                  { "Greek", 0x370, 0x400 },
		                  { "Cyrillic", 0x400, 0x530 },
		                  { "Armenian", 0x530, 0x590 },
		                  { "two bytes", 0x80, 0x800 },
		                  { "Vietnamese", 0x1e00, 0x1f00 },
		                  { "three bytes", 0x800, 0xd800 },
		                  { "CJK and full width", 0xff00, 0xff60 },
		                  { "four bytes", 0x10000, 0x11900 },
		                  { "any", 0x80, 0x30000 } };
	uint64_t stray = lanewise_check_below(c, 3) ? 0 : 1 + lanewise_check_below(c, 20);
	uint64_t others = lanewise_check_below(c, 2) ? 0 : 1 + lanewise_check_below(c, 30);
	int script = kind;

	c->where.pattern = scripts[kind].name;
	for (size_t i = 0; i < n;) {
		unsigned char bytes[4];
		size_t length;

		if (others && lanewise_check_below(c, others) == 0)
			script = script == kind ? (int)lanewise_check_below(c, CASE_KINDS) : kind;

		uint64_t offset = lanewise_check_below(c, scripts[script].end - scripts[script].first);

		length = put_utf8(bytes, scripts[script].first + (uint32_t)offset);
		if (stray && lanewise_check_below(c, stray) == 0)
			bytes[lanewise_check_below(c, length)] = (unsigned char)(0x80 | lanewise_check_random(c) >> 20);
		for (size_t k = 0; k < length && i < n; k++)
			p[i++] = bytes[k];
	}
}

/* From its end on the kernel is asked again, behind the character that ended it. */
static void judge_case(struct lw_check *c, const unsigned char *text, size_t n, int place, int in_place)
{
	unsigned char *expected = c->scratch[1], *before = c->scratch[2];
	const unsigned char *p = in_place ? NULL : lanewise_check_input(c, 0, text, n, place);
	unsigned char *out;

	for (size_t i = 0; i < n; i++)
		before[i] = in_place ? text[i] : (unsigned char)(i * 7);
	memcpy(expected, before, n);
	out = lanewise_check_inout(c, 1, before, n, place);
	c->where.length = n;
	c->where.place = place;
	for (size_t at = 0; at < n; at++) {
		size_t expected_n = c->reference->fold_case(text + at, n - at, expected + at);
		size_t got_n = c->subject->fold_case((in_place ? out : p) + at, n - at, out + at);

		lanewise_check_same(c, "the count of bytes folded", &expected_n, &got_n, sizeof got_n, sizeof got_n);
		lanewise_check_same(c, "text", expected, out, n, 1);
		at += expected_n;
	}
	lanewise_check_after(c);
}

void lanewise_check_fold_case(struct lw_check *c)
{
	unsigned char *text = c->scratch[0];

	for (size_t n = 0; n <= 4 * BLOCK + 3; n += c->quick ? 1 + lanewise_check_below(c, 9) : 1)
		for (int kind = 0; kind < CASE_KINDS; kind++) {
			int place = lanewise_check_random_place(c, 1);

			fill_case(c, text, n, kind);
			judge_case(c, text, n, place, (int)(n & 1));
		}
	for (int i = 0; i < (c->quick ? 50 : 2000); i++) {
		size_t n = lanewise_check_below(c, i % 10 ? 1000 : 20000);
		int place = lanewise_check_random_place(c, 1);

		fill_case(c, text, n, i % CASE_KINDS);
		judge_case(c, text, n, place, i % 3 == 0);
	}
	/* Every character, behind what brings it to every place in a block. */
	for (uint32_t first = 0x80; first < 0x110000; first += 64) {
		size_t n = lanewise_check_below(c, BLOCK);

		if (first >= 0xd800 && first < 0xe000)
			continue;
		c->where.pattern = "every character";
		memset(text, ' ', n);
		for (uint32_t k = 0; k < 64; k++)
			n += put_utf8(text + n, first + k);
		judge_case(c, text, n, LW_AT_BACK, (int)(first >> 6 & 1));
	}
}
