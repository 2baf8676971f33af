/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/hash.h - non-cryptographic hashes: XXH3 with 64 and 128 bits, in one call, of data that comes in pieces, and
 * of many short strings at once. All are what the xxHash specification defines, bit for bit.
 *
 * `data` may have any alignment, and may be NULL where there are no bytes. Everything here is reentrant, works on the
 * calling thread and takes time linear in the bytes.
 *
 * XXH3 is no defence against chosen collisions: strings with equal 64-bit hashes are published, and a seed does not
 * stop all of them. Who must not take two strings from strangers for one compares the strings (see dedup.h).
 */
#ifndef LANEWISE_HASH_H
#define LANEWISE_HASH_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --------------------------------------------------------------- one call */

/* XXH3, 64 bits, of the `n_bytes` bytes at `data` with `seed` (0 for the unseeded hash). */
LANEWISE_API uint64_t lanewise_xxh3_64(const void *data, size_t n_bytes, uint64_t seed);

typedef struct lanewise_hash128 {
	uint64_t low, high;
} lanewise_hash128;

/* XXH3, 128 bits. The canonical form of the specification is `high`, then `low`, both big-endian. */
LANEWISE_API lanewise_hash128 lanewise_xxh3_128(const void *data, size_t n_bytes, uint64_t seed);

/* -------------------------------------------------------------- in pieces */

/*
 * The hash of data that comes in pieces, cut anywhere: that of the whole.
 *
 *     lanewise_xxh3 *hash = lanewise_xxh3_begin(scratch, seed);
 *     for each piece: lanewise_xxh3_feed(hash, piece, n_bytes);
 *     value = lanewise_xxh3_value_64(hash);
 *
 * A value may be asked for at any time, of either width and more than once, and does not end the hash: it is that of
 * all bytes fed so far. There is nothing to free.
 */
typedef struct lanewise_xxh3 lanewise_xxh3;

/* Bytes of scratch; below 1024. */
LANEWISE_API size_t lanewise_xxh3_scratch_size(void);

/* Begins a hash in `scratch`, aligned as by malloc; NULL if it is not or is NULL. */
LANEWISE_API lanewise_xxh3 *lanewise_xxh3_begin(void *scratch, uint64_t seed);

LANEWISE_API void lanewise_xxh3_feed(lanewise_xxh3 *hash, const void *data, size_t n_bytes);

LANEWISE_API uint64_t lanewise_xxh3_value_64(const lanewise_xxh3 *hash);
LANEWISE_API lanewise_hash128 lanewise_xxh3_value_128(const lanewise_xxh3 *hash);

/* ----------------------------------------------------------- many strings */

/*
 * out[i] = lanewise_xxh3_64(data + begin[i], end[i] - begin[i], seed) for the n strings data[begin[i] ... end[i]);
 * begin[i] <= end[i]. For adjacent strings one array of n + 1 offsets serves as both: begin = offsets,
 * end = offsets + 1. Strings may overlap; `out` may not overlap anything.
 *
 * Strings up to 512 bytes of mixed lengths take 1.2 to 2 times as long in a loop, which pays for mispredicting the
 * length, where there is AVX-512; for short ones of nearly one length a loop can be a fifth faster. Elsewhere, and for
 * long ones, this is about as fast as the loop.
 */
LANEWISE_API void lanewise_xxh3_64_batch(const void *data, const uint64_t *begin, const uint64_t *end, size_t n,
                                         uint64_t seed, uint64_t *out);

/* The same with 128 bits, one after the other. */
LANEWISE_API void lanewise_xxh3_128_batch(const void *data, const uint64_t *begin, const uint64_t *end, size_t n,
                                          uint64_t seed, lanewise_hash128 *out);

#ifdef __cplusplus
}
#endif

#endif
