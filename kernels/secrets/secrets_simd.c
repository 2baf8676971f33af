/* SPDX-License-Identifier: Apache-2.0 */
/* secret_candidates where bytes are looked up in 16: windows by the halves of bytes. */
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

LW_INLINE uint64_t narrow(const struct anywhere *t, uint64_t word, const uint8_t *p)
{
	(void)t, (void)p;
	return word;
}

LW_INLINE size_t append_positions(uint64_t word, size_t first, uint16_t *raw, size_t n)
{
	return lw_append_bits(word, first, raw, n);
}

LW_INLINE size_t pass_tables(const struct lw_secret_filter *filter, const uint8_t *text, const uint64_t *begins,
                             const uint16_t *raw, size_t n, uint16_t *positions)
{
	size_t n_passed = 0, n_kept = 0;

	for (size_t i = 0; i < n; i++) {
		positions[n_passed] = raw[i];
		n_passed += (size_t)lw_secret_passes(filter, lw_secret_bytes(text + raw[i]));
	}
	for (size_t i = 0; i < n_passed; i++) {
		size_t at = positions[i];

		positions[n_kept] = (uint16_t)at;
		n_kept += (size_t)((begins[at / 64] >> at % 64 & 1) |
		                   (unsigned)lw_secret_is_window(filter, text + at));
	}
	return n_kept;
}

#include "secrets/secrets_candidates.h"
