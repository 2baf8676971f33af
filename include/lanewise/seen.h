/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/seen.h - which hashes came before: sets of 64 and 128-bit hashes, a blocked Bloom filter, the last W
 * hashes, and a map from hashes to what was first seen with them.
 *
 *     lanewise_seen_create(&options, NULL, &seen, &error);
 *     lanewise_seen_insert_64(seen, hashes, n, duplicates, NULL);   bit i: hashes[i] was there already
 *
 * Hashes go in by batches, since a table in memory costs a cache miss for each: a batch of some hundred has many of
 * them under way at once. The answers are those of inserting one after the other, so a hash that comes twice in a batch
 * is a duplicate the second time. Any hashes are fine: equal ones are one, and what is not equal is told apart, except
 * by the Bloom filter. Where two strings have one hash, dedup.h and the map at the end here help.
 *
 * Strangers may choose the hashes. Places in tables depend on a secret, drawn for each object from the system, so who
 * does not know it cannot make many hashes meet in one place. No answer depends on it, but for the Bloom filter's
 * false duplicates; `seed` makes those repeatable.
 *
 * One thread at a time may change an object; between changes several may ask it. Nothing here depends on the tier.
 */
#ifndef LANEWISE_SEEN_H
#define LANEWISE_SEEN_H

#include "base.h"
#include "file.h"
#include "hash.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lanewise_seen lanewise_seen;

/* What is remembered of hashes. */
enum {
	LANEWISE_SEEN_SET64 = 0,  /* all of 64 bits: 11 to 22 bytes each */
	LANEWISE_SEEN_SET128 = 1, /* all of 128 bits: 22 to 43 bytes each */
	/*
	 * 64-bit hashes in a blocked Bloom filter, some bits each; it never misses one that came before, and takes a few
	 * others for duplicates. With as many hashes as `expected` and 8, 12, 16, 24 bits each these are about 4.4, 1.0,
	 * 0.1, 0.01 % of the new ones asked for then, and far fewer before. It does not grow: beyond `expected` the false
	 * ones increase.
	 */
	LANEWISE_SEEN_BLOOM = 2,
	LANEWISE_SEEN_WINDOW = 3 /* the last `window` 64-bit hashes that were new when they came */
};

/* What happens when a set reaches max_bytes. */
enum {
	LANEWISE_SEEN_REFUSE = 0, /* new hashes are refused, LANEWISE_ERROR_CAPACITY; duplicates are still told */
	/*
	 * The oldest are forgotten. The memory is two tables; when one is full, the other is emptied and filled next. A
	 * hash that is seen again in the older one counts as fresh. So at least the last lanewise_seen_capacity() / 2
	 * different hashes are remembered.
	 */
	LANEWISE_SEEN_FORGET = 1
};

typedef struct lanewise_seen_options {
	size_t struct_size; /* sizeof(lanewise_seen_options) */
	int32_t kind;       /* LANEWISE_SEEN_SET64, ... */
	int32_t when_full;  /* LANEWISE_SEEN_REFUSE or _FORGET, for sets with max_bytes */

	/* About how many different hashes are expected: room from the start. The Bloom filter needs it or max_bytes. */
	uint64_t expected;

	/*
	 * Memory for what is remembered, at least 4096 bytes; it is taken at once and never more, but for a few hundred
	 * bytes for the object. 0: a set grows as it must (while it does, the old and the new table are there), the
	 * Bloom filter has what `expected` asks for.
	 */
	uint64_t max_bytes;

	uint64_t window;        /* for WINDOW, 1 to 2^40; it takes up to 48 bytes each, as they come */
	uint32_t bits_per_hash; /* for BLOOM, 4 to 64; 0 is 16 */
	uint32_t is_seeded; /* 1: the secret is made of `seed`, for repeatable false duplicates; 0: nobody knows it */
	uint64_t seed;
} lanewise_seen_options;

/*
 * Makes an empty one into *seen; NULL options are all zeros. LANEWISE_ERROR_ARGUMENT, with an error that names the field;
 * LANEWISE_ERROR_NO_MEMORY; LANEWISE_ERROR_TOO_LARGE: what `expected` or max_bytes ask for does not fit the address space.
 */
LANEWISE_API lanewise_status lanewise_seen_create(const lanewise_seen_options *options,
                                                  const lanewise_allocator *allocator, lanewise_seen **seen,
                                                  lanewise_error *error);
LANEWISE_API void lanewise_seen_destroy(lanewise_seen *seen);

/*
 * Inserts n hashes in order and says of each whether it was there: bit i % 64 of duplicates[i / 64], of (n + 63) / 64
 * words, in which bits behind the n-th become 0. *n_taken, if not NULL, is n unless there is an error; the hashes
 * before it are in, the others are not. About 3 to 10 ns per hash.
 *
 * LANEWISE_ERROR_ARGUMENT: NULL, or an object for hashes of the other width. LANEWISE_ERROR_NO_MEMORY: it could not grow.
 * LANEWISE_ERROR_CAPACITY: hashes[*n_taken] is new and the set is full.
 */
LANEWISE_API lanewise_status lanewise_seen_insert_64(lanewise_seen *seen, const uint64_t *hashes, size_t n,
                                                     uint64_t *duplicates, size_t *n_taken);
LANEWISE_API lanewise_status lanewise_seen_insert_128(lanewise_seen *seen, const lanewise_hash128 *hashes, size_t n,
                                                      uint64_t *duplicates, size_t *n_taken);

/* The same without inserting; several threads may ask at once. LANEWISE_ERROR_ARGUMENT as above. */
LANEWISE_API lanewise_status lanewise_seen_find_64(const lanewise_seen *seen, const uint64_t *hashes, size_t n,
                                                   uint64_t *found);
LANEWISE_API lanewise_status lanewise_seen_find_128(const lanewise_seen *seen, const lanewise_hash128 *hashes, size_t n,
                                                    uint64_t *found);

/* LANEWISE_SEEN_SET64, ... */
LANEWISE_API int32_t lanewise_seen_kind(const lanewise_seen *seen);

/* How many different hashes are remembered; for BLOOM how many were new when they came. */
LANEWISE_API uint64_t lanewise_seen_count(const lanewise_seen *seen);

/*
 * How many it can hold without growing: with LANEWISE_SEEN_REFUSE it refuses more, with LANEWISE_SEEN_FORGET both tables
 * together; for BLOOM what it was made for, for WINDOW the window.
 */
LANEWISE_API uint64_t lanewise_seen_capacity(const lanewise_seen *seen);

/* Bytes allocated for what is remembered. */
LANEWISE_API uint64_t lanewise_seen_memory(const lanewise_seen *seen);

/* Forgets all; the memory stays. */
LANEWISE_API void lanewise_seen_clear(lanewise_seen *seen);

/* ------------------------------------------------------------------- files */

/*
 * Appends what is remembered to a file (lanewise/file.h: checksummed, replaced at once or not at all) as sections "seen.*";
 * one to a file. For sets and windows these are the hashes, 8 or 16 bytes each; the secret is not among them. A Bloom
 * filter is written with its secret: who reads the file can choose hashes that are false duplicates.
 *
 * LANEWISE_ERROR_ARGUMENT: NULL; errors of lanewise_file_writer_append.
 */
LANEWISE_API lanewise_status lanewise_seen_write(const lanewise_seen *seen, lanewise_file_writer *writer,
                                                 lanewise_error *error);

/*
 * Makes one with what is in a file, which is not needed afterwards. Options are as for lanewise_seen_create, for what
 * comes then: `kind` must be that of the file; a set may have another limit, and a window another length, of which the
 * last ones are kept; for BLOOM only the kind matters. NULL: as the file says, a set without a limit.
 *
 * LANEWISE_ERROR_DATA: not such a file; LANEWISE_ERROR_UNSUPPORTED: of a later version; LANEWISE_ERROR_CAPACITY: a limit is
 * too small for the hashes, and none may be forgotten; otherwise as for create. Whatever the file holds, the worst are
 * wrong answers.
 */
LANEWISE_API lanewise_status lanewise_seen_open(const lanewise_file *file, const lanewise_seen_options *options,
                                                const lanewise_allocator *allocator, lanewise_seen **seen,
                                                lanewise_error *error);

/* --------------------------------------------------------------------- map */

/*
 * From hashes to numbers of the caller's - an offset, a row - of what was first seen with them. Where equal hashes may
 * belong to different things, which nobody can rule out with 64 bits and strangers, `equal` says whether two are the
 * same, and different things of one hash are kept apart. Who can choose hashes could make thousands of things share one
 * and comparing them take quadratic time: at most LANEWISE_MAP_SHARE of one hash are kept; further ones count as new
 * and are not remembered.
 */
typedef struct lanewise_seen_map lanewise_seen_map;

enum { LANEWISE_MAP_SHARE = 16 };

/* Whether the things with the numbers a (remembered) and b (asked for), whose hashes are equal, are the same. */
typedef int32_t lanewise_seen_equal_fn(void *context, uint64_t a, uint64_t b);

/* An empty map with room for `expected`; it grows. LANEWISE_ERROR_ARGUMENT (NULL), _NO_MEMORY, _TOO_LARGE. */
LANEWISE_API lanewise_status lanewise_seen_map_create(uint64_t expected, const lanewise_allocator *allocator,
                                                      lanewise_seen_map **map, lanewise_error *error);
LANEWISE_API void lanewise_seen_map_destroy(lanewise_seen_map *map);

/*
 * For n hashes and numbers (below UINT64_MAX) in order: first[i] is the number that was remembered for the same thing,
 * or numbers[i], which is remembered then. With `equal` NULL, equal hashes are the same thing. `equal` must not use the
 * map; its numbers b are of this batch.
 *
 * LANEWISE_ERROR_ARGUMENT: NULL, a number of UINT64_MAX (nothing is inserted then). LANEWISE_ERROR_NO_MEMORY: *n_taken, if not
 * NULL, says how many are in.
 */
LANEWISE_API lanewise_status lanewise_seen_map_insert(lanewise_seen_map *map, const uint64_t *hashes,
                                                      const uint64_t *numbers, size_t n, lanewise_seen_equal_fn *equal,
                                                      void *context, uint64_t *first, size_t *n_taken);

LANEWISE_API uint64_t lanewise_seen_map_count(const lanewise_seen_map *map);

#ifdef __cplusplus
}
#endif

#endif
