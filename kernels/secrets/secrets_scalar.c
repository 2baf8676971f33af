/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of secret_candidates: every position by itself. */
#include "secrets/secrets_filter.h"

static int begins_run(const uint8_t *text, size_t at, int after_word)
{
	size_t quads = (at + 3) / 4 * 4;

	if (at > 0)
		after_word = lw_secret_is_word(text[at - 1]);
	if (after_word || !lw_secret_is_word(text[at]))
		return 0;
	for (size_t i = quads; i < quads + 4 * LW_SECRET_RUN_QUADS; i++)
		if (text[i] < LW_SECRET_RUN_LEAST || text[i] >= 0x80)
			return 0;
	return 1;
}

size_t LW_FN(secret_candidates)(const struct lw_secret_filter *filter, const uint8_t *text, size_t n, int after_word,
                                uint16_t *positions)
{
	size_t n_found = 0;

	for (size_t i = 0; i < n; i++)
		if (lw_secret_passes(filter, lw_secret_bytes(text + i)) &&
		    (lw_secret_has_window_anywhere(filter, text + i) ||
		     (lw_secret_has_window(&filter->runs, text + i) && begins_run(text, i, after_word))))
			positions[n_found++] = (uint16_t)i;
	return n_found;
}
