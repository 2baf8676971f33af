/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of a dedup: a splitter finds units (dedup.c), memory tells which came before (memory.c). Internal; tests use
 * it to weaken the hash.
 */
#ifndef LW_DEDUP_H
#define LW_DEDUP_H

#include <lanewise/dedup.h>

enum {
	LW_SEEN_BATCH = 256,
	LW_SEEN_FETCHED = 1 << 15 /* from so many slots on they are not all in L2, and are fetched ahead */
};

/* Units to look up. The form in which unit[i] is compared is base[begin[i] ... end[i]). */
struct lw_seen_batch {
	size_t n;
	const unsigned char *base;
	uint64_t begin[LW_SEEN_BATCH], end[LW_SEEN_BATCH];
	lanewise_dedup_unit *unit[LW_SEEN_BATCH];
};

/* What is remembered of a unit that stayed. */
struct lw_seen_entry {
	uint64_t hash;
	union {
		uint64_t high;             /* HASH128: the other half of the hash */
		const unsigned char *text; /* VERIFY: a size_t, its length, and then the text */
	};
	uint64_t number, begin;
};

struct lw_seen_chunk;

typedef uint64_t lw_seen_hash_fn(const void *data, size_t n_bytes, const uint64_t key[2]);

struct lw_seen {
	const lanewise_allocator *allocator;
	int32_t mode;
	uint64_t window, max_bytes;
	uint64_t n_bytes; /* allocated for what is remembered */

	uint64_t secret[4]; /* two for SipHash, two for places in the table */
	int keyed;          /* VERIFY: XXH3 was seen to collide, so it is SipHash from then on */

	/*
	 * Open addressing. A slot is a tag of the hash, which is odd, and below it 32 bits of the entry's number; 0 if empty.
	 */
	uint64_t *slots;
	size_t n_slots; /* a power of two; at most 3/8 are in use */
	int shift;

	struct lw_seen_entry *entries; /* a ring */
	size_t n_entries;              /* a power of two */
	uint64_t first, end;           /* entries [first, end) are there */

	struct lw_seen_chunk *oldest, *newest; /* retained text */

	lw_seen_hash_fn *test_hash, *test_keyed_hash; /* in place of XXH3 and SipHash, or NULL */
};

lanewise_status lanewise_dedup_memory_begin(struct lw_seen *seen, uint64_t expected);
void lanewise_dedup_memory_end(struct lw_seen *seen);

/* Room for so many units, by guess, if nothing is remembered yet and nothing limits what is. */
void lanewise_dedup_memory_expect(struct lw_seen *seen, uint64_t n_units);

/*
 * Of each unit, in order, whether it came before: then `first` and `first_begin` become those of the one remembered; else
 * they, which are its own, stay, and it is remembered from here on.
 */
lanewise_status lanewise_dedup_look_up(struct lw_seen *seen, const struct lw_seen_batch *batch);

/* The memory of a dedup, for tests. */
struct lw_seen *lanewise_dedup_seen(lanewise_dedup *dedup);

#endif
