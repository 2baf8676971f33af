/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of secret_candidates: every position by itself. */
#include "secrets/secrets_filter.h"

static uint8_t class_of(uint8_t byte) { return lw_secret_class_low[byte & 15] & lw_secret_class_high[byte >> 4]; }

static int begins_run(const uint8_t *text, size_t at, int after_word)
{
	if (at > 0)
		after_word = class_of(text[at - 1]) & LW_SECRET_WORD;
	if (after_word || !(class_of(text[at]) & LW_SECRET_WORD))
		return 0;
	for (size_t i = 1; i < LW_SECRET_RUN_BYTES; i++)
		if (!class_of(text[at + i]))
			return 0;
	return 1;
}

static int has_window(const struct lw_secret_filter *filter, const uint8_t *p)
{
	uint8_t groups = 0xff;

	for (int j = 0; j < LW_SECRET_PLACES; j++)
		groups &= filter->low[j][p[j] & 15] & filter->high[j][p[j] >> 4];
	return groups != 0;
}

size_t LW_FN(secret_candidates)(const struct lw_secret_filter *filter, const uint8_t *text, size_t n, int after_word,
                                uint16_t *positions)
{
	size_t n_found = 0;

	for (size_t i = 0; i < n; i++)
		if (lw_secret_passes(filter, lw_secret_bytes(text + i)) &&
		    (has_window(filter, text + i) || begins_run(text, i, after_word)))
			positions[n_found++] = (uint16_t)i;
	return n_found;
}
