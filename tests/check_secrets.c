/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of lanewise/secrets.h: random filters over texts in which runs of tokens and windows are frequent. */
#include "check.h"

#include <string.h>

#include "secrets/secrets_filter.h"

static void make_filter(struct lw_check *c, struct lw_secret_filter *filter, const char *alphabet)
{
	size_t n_letters = strlen(alphabet);

	memset(filter, 0, sizeof *filter);
	for (int group = 0; group < 16; group++) {
		struct lw_secret_windows *windows = group < 8 ? &filter->windows : &filter->runs;
		uint8_t window[LW_SECRET_PLACES], bit = (uint8_t)(1 << group % 8);
		int is_narrow = (int)lanewise_check_below(c, 3) == 0;

		for (int j = 0; j < LW_SECRET_PLACES; j++) {
			window[j] = (uint8_t)alphabet[lanewise_check_below(c, n_letters)] & 0x7f;
			windows->low[j][window[j] & 15] |= bit;
			if (group < 8)
				filter->classes[j][window[j] % LW_SECRET_CLASSES] |= bit;
			if (j == LW_SECRET_SHARP)
				windows->high[window[j] >> 4] |= bit;
		}
		for (int i = 0; is_narrow && i < 16; i++)
			windows->low[LW_SECRET_PLACES - 1][i] |= bit;
		for (int i = 0; is_narrow && group < 8 && i < LW_SECRET_CLASSES; i++)
			filter->classes[LW_SECRET_PLACES - 1][i] |= bit;

		uint32_t bytes = lw_secret_bytes(window);
		uint32_t key = lw_secret_key(is_narrow ? lw_secret_narrow(bytes) : bytes);

		(is_narrow ? filter->narrow : filter->wide)[key / 64] |= UINT64_C(1) << key % 64;
	}
	if (lanewise_check_below(c, 2))
		memset(&filter->runs, 0xff, sizeof filter->runs);
	for (int i = 0; i < 3; i++) /* keys that many places pass */
		filter->narrow[lanewise_check_below(c, sizeof filter->narrow / 8)] |= lanewise_check_random(c);
}

static void judge(struct lw_check *c, const struct lw_secret_filter *filter, const unsigned char *text, size_t n,
                  int place)
{
	uint16_t *expected = c->scratch[1];
	int after_word = (int)lanewise_check_below(c, 2);

	c->where.length = n;
	c->where.place = place;

	size_t n_expected = c->reference->secret_candidates(filter, text, n, after_word, expected);
	const void *p = lanewise_check_input(c, 0, text, n + LW_SECRET_AHEAD, place);
	uint16_t *actual = lanewise_check_output(c, 1, n * sizeof *actual, place < 0 ? place : place & ~1);
	size_t n_actual = c->subject->secret_candidates(filter, p, n, after_word, actual);

	lanewise_check_same(c, "number of candidates", &n_expected, &n_actual, sizeof n_actual, sizeof n_actual);
	lanewise_check_same(c, "candidates", expected, actual, n_expected * sizeof *actual, sizeof *actual);
	lanewise_check_after(c);
}

void lanewise_check_secret_candidates(struct lw_check *c)
{
	static const char *const alphabets[] = { "ab_-. ", "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789_+/=.~-",
		                                 "a\x80\xe1\xff\x7f", "aAzZ@`[{/:09-=~+*,.",
		                                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab-: " };
	struct lw_secret_filter *filter = c->scratch[0];
	unsigned char *text = c->scratch[2];

	for (size_t n = 0; n <= LW_SECRET_POSITIONS; n += n < 640 ? 64 : 64 * (1 + lanewise_check_below(c, 20)))
		for (int a = 0; a < 5; a++) {
			size_t n_letters = strlen(alphabets[a]);

			c->where.pattern = alphabets[a];
			make_filter(c, filter, alphabets[a]);
			for (size_t i = 0; i < n + LW_SECRET_AHEAD; i++)
				text[i] = (unsigned char)alphabets[a][lanewise_check_below(c, n_letters)];
			for (int place = LW_AT_FRONT; place < 64; place += place < 0 ? 1 : c->quick ? 23 : 7)
				judge(c, filter, text, n, place);
		}
}
