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

LW_INLINE size_t append_positions(uint64_t word, size_t first, uint16_t *raw, size_t n)
{
	return lw_append_bits(word, first, raw, n);
}

#include "secrets/secrets_candidates.h"
