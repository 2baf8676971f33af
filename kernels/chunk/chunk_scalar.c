/* SPDX-License-Identifier: Apache-2.0 */
/* cdc_find (kernel_types.h), the formulas of lanewise/chunk.h written down for a few hundred bytes at a time. */
#include "chunk/chunk.h"

enum { BLOCK = 256 };

/* values[i] = multiplier * from[i + offset] + from[i], modulo 2^16. */
static void combine(const uint16_t *from, size_t offset, uint16_t multiplier, size_t n, uint16_t *values)
{
	for (size_t i = 0; i < n; i++)
		values[i] = (uint16_t)((uint32_t)multiplier * from[i + offset] + from[i]);
}

size_t LW_FN(cdc_find)(const struct lw_cdc_rule *rule, const uint8_t *data, size_t from, size_t to, size_t end,
                       uint32_t limit)
{
	uint16_t words[BLOCK + 14], a[BLOCK + 12], b[BLOCK + 8], c[BLOCK];

	(void)end;
	for (size_t n; from < to; from += n) {
		n = to - from < BLOCK ? to - from : BLOCK;
		for (size_t i = 0; i < n + 14; i++)
			words[i] = (uint16_t)(data[from + i - 15] + 256u * data[from + i - 14]);
		combine(words, 2, rule->multiplier[0], n + 12, a);
		combine(a, 4, rule->multiplier[1], n + 8, b);
		combine(b, 8, rule->multiplier[2], n, c);
		for (size_t i = 0; i < n; i++)
			if ((uint16_t)(c[i] + 32768u) < limit && lw_cdc_passes(rule, data + from + i))
				return from + i;
	}
	return to;
}
