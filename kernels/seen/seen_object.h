/* SPDX-License-Identifier: Apache-2.0 */
/* What the files behind lanewise/seen.h share. */
#ifndef LW_SEEN_OBJECT_H
#define LW_SEEN_OBJECT_H

#include <lanewise/seen.h>

#include "seen.h"

struct lanewise_seen {
	lanewise_allocator allocator; /* a copy; `allocate` NULL for the C library's */
	int32_t kind, when_full;
	uint64_t max_bytes;
	uint64_t limit; /* hashes in a table */

	/* Sets and filters; `old` only for those that forget. Hashes in both tables are counted in n_in_both. */
	struct lw_seen_table table, old;
	uint64_t n_in_both;

	/*
	 * Windows: mixed hashes in the order of age, numbers [first, end) in a ring, and a table of them by open
	 * addressing. 0 is an empty slot; table.has_zero tells whether the window has it.
	 */
	uint64_t window;
	uint64_t first, end;
	uint64_t *ring, *slots;
	size_t n_ring, n_slots; /* n_ring is a power of two */
};

LW_INLINE const lanewise_allocator *lw_seen_allocator(const lanewise_seen *seen)
{
	return seen->allocator.allocate ? &seen->allocator : NULL;
}

/* Memory filled with a byte, or not, on huge pages where it is large. */
enum { LW_SEEN_NO_FILL = -1 };
void *lanewise_seen_allocate(const lanewise_allocator *allocator, size_t n_bytes, int fill);

/* `seed` NULL: one that nobody knows. */
void lanewise_seen_make_secret(uint64_t secret[3], const uint64_t *seed);

lanewise_status lanewise_seen_window_begin(lanewise_seen *seen);
lanewise_status lanewise_seen_window_insert(lanewise_seen *seen, const uint64_t *hashes, size_t n, uint64_t *duplicates,
                                            size_t *n_taken);
void lanewise_seen_window_find(const lanewise_seen *seen, const uint64_t *hashes, size_t n, uint64_t *found);

#endif
