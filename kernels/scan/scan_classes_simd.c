/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan_classes: a table of 256 bytes is sixteen of vq_lookup. Those with zeros only are left out: letters take two, ASCII
 * at most eight.
 */
#include "vec.h"

enum { TABLES = 16 };

struct table {
	vq entries, base; /* what is added to bytes so that those of the table become 0 to 15 */
};

/* The tables that have something in them; how many. */
LW_INLINE size_t make_tables(const uint8_t class_of[256], struct table tables[TABLES])
{
	size_t n = 0;

	for (unsigned i = 0; i < TABLES; i++) {
		uint64_t half[2];

		memcpy(half, class_of + 16 * i, sizeof half);
		if (half[0] | half[1]) {
			tables[n].entries = vq_repeat16(class_of + 16 * i);
			tables[n++].base = vq_set1((uint8_t)(256 - 16 * i));
		}
	}
	return n;
}

void LW_FN(scan_classes)(const uint8_t class_of[256], const uint8_t *text, size_t n, uint8_t *classes)
{
	struct table tables[TABLES];
	size_t n_tables = make_tables(class_of, tables), at = 0;
	vq others = vq_set1(0x70); /* adding it makes 16 and above 128 or more */

	for (; at + VQ_LANES <= n; at += VQ_LANES) {
		vq bytes = vq_load(text + at), sum = vq_set1(0);

		for (size_t i = 0; i < n_tables; i++) {
			vq index = vq_add_saturated(vq_add(bytes, tables[i].base), others);

			sum = vq_or(sum, vq_lookup(tables[i].entries, vq_ascii_index(index)));
		}
		vq_store16((uint16_t *)(void *)(classes + at), sum);
	}
	for (; at < n; at++)
		classes[at] = class_of[text[at]];
}
