/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the kernel behind lanewise/text.h. */
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
