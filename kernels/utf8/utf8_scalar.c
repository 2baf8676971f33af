/* SPDX-License-Identifier: Apache-2.0 */
/* The references: one character, or byte, after the other. */
#include "common.h"

#include "utf8_char.h"
#include "utf8_range.h"

size_t LW_FN(utf8_prefix)(const uint8_t *text, size_t n) { return lw_utf8_prefix(text, n, 0); }

size_t LW_FN(utf8_count)(const uint8_t *text, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += (text[i] & 0xc0) != 0x80;
	return count;
}

/* Whether the bytes from text[i] on are those of `bound` or above. */
static int reaches(const uint8_t *text, size_t n, size_t i, const uint8_t *bound, int n_bound)
{
	for (size_t j = 0; j < (size_t)n_bound; j++) {
		uint8_t byte = i + j < n ? text[i + j] : 0;

		if (byte != bound[j])
			return byte > bound[j];
	}
	return 1;
}

static int is_in_range(const uint8_t *text, size_t n, size_t i, const struct lw_utf8_range *range)
{
	return (text[i] & 0xc0) != 0x80 && reaches(text, n, i, range->low, range->n_low) &&
	       !reaches(text, n, i, range->end, range->n_end);
}

size_t LW_FN(utf8_count_range)(const uint8_t *text, size_t n, const struct lw_utf8_range *range)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += (size_t)is_in_range(text, n, i, range);
	return count;
}

size_t LW_FN(utf8_find_range)(const uint8_t *text, size_t n, const struct lw_utf8_range *range)
{
	size_t i = 0;

	while (i < n && !is_in_range(text, n, i, range))
		i++;
	return i;
}
