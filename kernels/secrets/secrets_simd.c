/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_candidates where bytes are looked up in 16: windows by the halves of bytes. Positions of bits are written down and
 * go through the tables, both without a branch; the few that are left are looked at in full.
 */
#include "append_bits.h"
#include "secrets/secrets_windows.h"

struct anywhere {
	struct windows windows;
};

LW_INLINE struct anywhere anywhere_of(const struct lw_secret_filter *filter)
{
	return (struct anywhere) { windows_of(&filter->windows) };
}

LW_INLINE uint64_t anywhere_at(const struct anywhere *t, const uint8_t *p) { return windows_at(&t->windows, p); }

#include "secrets/secrets_candidates.h"

/* Adds where runs begin to a part's words, and tells it by themselves. */
LW_INLINE void add_runs(const struct tables *t, const uint8_t *text, size_t first, int after_word, uint64_t runs,
                        struct part *part, uint64_t begins[WORDS])
{
	memset(begins, 0, WORDS * sizeof *begins);
	for (; runs; runs &= runs - 1) {
		size_t i = (size_t)__builtin_ctzll(runs);
		const uint8_t *p = text + (first + i) * 64;

		begins[i] = runs_begin(t, part, i, p, is_after_word(p, first + i, after_word));
		part->found[i] |= begins[i];
	}
}

/* Those of a part's positions that pass the tables and, unless they are found by runs, are windows by all that is known. */
LW_INLINE size_t pass_tables(const struct lw_secret_filter *filter, const uint8_t *text, const uint64_t begins[WORDS],
                             const uint16_t *raw, size_t n, size_t first, uint16_t *positions)
{
	size_t n_passed = 0, n_kept = 0;

	for (size_t i = 0; i < n; i++) {
		positions[n_passed] = raw[i];
		n_passed += (size_t)lw_secret_passes(filter, lw_secret_bytes(text + raw[i]));
	}
	for (size_t i = 0; i < n_passed; i++) {
		size_t at = positions[i];

		positions[n_kept] = (uint16_t)(first + at);
		n_kept += (size_t)((begins[at / 64] >> at % 64 & 1) |
		                   (unsigned)lw_secret_has_window_anywhere(filter, text + at));
	}
	return n_kept;
}

size_t LW_FN(secret_candidates)(const struct lw_secret_filter *filter, const uint8_t *text, size_t n, int after_word,
                                uint16_t *positions)
{
	struct tables t = tables_of(filter);
	struct part part;
	uint64_t begins[WORDS];
	uint16_t raw[PART + 2];
	size_t n_found = 0;

	for (size_t from = 0; from < n; from += PART) {
		size_t n_words = n - from < PART ? (n - from) / 64 : WORDS, n_raw = 0;

		look_up(&t, text + from, n_words, &part);
		add_runs(&t, text, from / 64, after_word, find_runs(n_words, &part), &part, begins);
		for (uint64_t found = lw_nonzero_words(part.found, WORDS); found; found &= found - 1) {
			size_t i = (size_t)__builtin_ctzll(found);

			n_raw = lw_append_bits(part.found[i], i * 64, raw, n_raw);
		}
		n_found += pass_tables(filter, text + from, begins, raw, n_raw, from, positions + n_found);
	}
	return n_found;
}
