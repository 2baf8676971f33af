/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LANEWISE_SEEN_WINDOW: the last hashes that were new. Here hashes are taken out again, so slots are single words, one
 * after the other, and what follows a slot that becomes free moves up.
 */
#include "support.h"

#include "seen_object.h"

enum { FIRST_RING = 256, PART = 128 };

static size_t home_of(const lanewise_seen *seen, uint64_t m) { return (size_t)lw_seen_line(m, seen->n_slots); }
static size_t next_slot(const lanewise_seen *seen, size_t i) { return i + 1 == seen->n_slots ? 0 : i + 1; }

/* The slot of m, or the free one where it belongs. */
static size_t find_slot(const lanewise_seen *seen, uint64_t m)
{
	size_t i = home_of(seen, m);

	while (seen->slots[i] != 0 && seen->slots[i] != m)
		i = next_slot(seen, i);
	return i;
}

static size_t distance(const lanewise_seen *seen, size_t from, size_t to)
{
	return to >= from ? to - from : to + seen->n_slots - from;
}

static void remove_slot(lanewise_seen *seen, size_t i)
{
	for (size_t j = next_slot(seen, i); seen->slots[j] != 0; j = next_slot(seen, j))
		if (distance(seen, home_of(seen, seen->slots[j]), j) >= distance(seen, i, j)) {
			seen->slots[i] = seen->slots[j];
			i = j;
		}
	seen->slots[i] = 0;
}

static lanewise_status set_ring(lanewise_seen *seen, size_t n_ring)
{
	const lanewise_allocator *allocator = lw_seen_allocator(seen);
	lanewise_seen grown = *seen;

	if (n_ring > SIZE_MAX / 64)
		return LANEWISE_ERROR_TOO_LARGE;
	grown.n_ring = n_ring;
	grown.n_slots = 2 * n_ring;
	grown.ring = lanewise_seen_allocate(allocator, grown.n_ring * sizeof *grown.ring, 0);
	grown.slots = lanewise_seen_allocate(allocator, grown.n_slots * sizeof *grown.slots, 0);
	if (!grown.ring || !grown.slots) {
		lw_release(allocator, grown.ring, grown.n_ring * sizeof *grown.ring);
		lw_release(allocator, grown.slots, grown.n_slots * sizeof *grown.slots);
		return LANEWISE_ERROR_NO_MEMORY;
	}
	for (uint64_t i = seen->first; i < seen->end; i++) {
		uint64_t m = seen->ring[i & (seen->n_ring - 1)];

		grown.ring[i & (n_ring - 1)] = m;
		if (m)
			grown.slots[find_slot(&grown, m)] = m;
	}
	lw_release(allocator, seen->ring, seen->n_ring * sizeof *seen->ring);
	lw_release(allocator, seen->slots, seen->n_slots * sizeof *seen->slots);
	*seen = grown;
	return LANEWISE_OK;
}

lanewise_status lanewise_seen_window_begin(lanewise_seen *seen) { return set_ring(seen, FIRST_RING); }

static void forget_oldest(lanewise_seen *seen)
{
	uint64_t m = seen->ring[seen->first++ & (seen->n_ring - 1)];

	if (m == 0)
		seen->table.has_zero = 0;
	else
		remove_slot(seen, find_slot(seen, m));
}

/* 1 if it was there, 0 if it is now, or an error. */
static int insert_one(lanewise_seen *seen, uint64_t m)
{
	if (m ? seen->slots[find_slot(seen, m)] == m : seen->table.has_zero != 0)
		return 1;
	if (seen->end - seen->first == seen->window)
		forget_oldest(seen);
	if (seen->end - seen->first == seen->n_ring) {
		lanewise_status status = set_ring(seen, 2 * seen->n_ring);

		if (status != LANEWISE_OK)
			return status;
	}
	if (m == 0)
		seen->table.has_zero = 1;
	else
		seen->slots[find_slot(seen, m)] = m;
	seen->ring[seen->end++ & (seen->n_ring - 1)] = m;
	return 0;
}

static void mix_part(const lanewise_seen *seen, const uint64_t *hashes, size_t n, uint64_t *mixed)
{
	for (size_t i = 0; i < n; i++) {
		mixed[i] = lw_seen_mix(seen->table.secret, hashes[i]);
		__builtin_prefetch(&seen->slots[home_of(seen, mixed[i])], 1);
	}
	/* Those that may have to go for them. */
	if (seen->end - seen->first + n >= seen->window)
		for (size_t i = 0; i < n && seen->first + i < seen->end; i++)
			__builtin_prefetch(
			        &seen->slots[home_of(seen, seen->ring[(seen->first + i) & (seen->n_ring - 1)])], 1);
}

lanewise_status lanewise_seen_window_insert(lanewise_seen *seen, const uint64_t *hashes, size_t n, uint64_t *duplicates,
                                            size_t *n_taken)
{
	uint64_t mixed[PART];

	memset(duplicates, 0, (n / 64 + (n % 64 != 0)) * sizeof *duplicates);
	for (size_t i = 0; i < n; i++) {
		if (i % PART == 0)
			mix_part(seen, hashes + i, n - i < PART ? n - i : PART, mixed);

		int was_there = insert_one(seen, mixed[i % PART]);

		if (n_taken)
			*n_taken = i + (was_there >= 0);
		if (was_there < 0)
			return was_there;
		duplicates[i / 64] |= (uint64_t)was_there << i % 64;
	}
	return LANEWISE_OK;
}

void lanewise_seen_window_find(const lanewise_seen *seen, const uint64_t *hashes, size_t n, uint64_t *found)
{
	uint64_t mixed[PART];

	for (size_t i = 0; i < n; i++) {
		if (i % PART == 0)
			mix_part(seen, hashes + i, n - i < PART ? n - i : PART, mixed);

		uint64_t m = mixed[i % PART];
		int is_there = m ? seen->slots[find_slot(seen, m)] == m : seen->table.has_zero != 0;

		found[i / 64] |= (uint64_t)is_there << i % 64;
	}
}
