/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XXH3 from Debian's xxHash header, which picks its vector path by the instruction set this file is compiled for. Its
 * software prefetch looks 384 bytes ahead, too near for data in memory; 4 KiB ahead costs nothing in the caches.
 */
#define XXH_PREFETCH_DIST 4096
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common.h"

uint64_t LW_FN(xxh3_64)(const void *data, size_t n_bytes, uint64_t seed)
{
	return XXH3_64bits_withSeed(data, n_bytes, seed);
}

void LW_FN(xxh3_128)(const void *data, size_t n_bytes, uint64_t seed, uint64_t value[2])
{
	XXH128_hash_t hash = XXH3_128bits_withSeed(data, n_bytes, seed);

	value[0] = hash.low64;
	value[1] = hash.high64;
}

void LW_FN(xxh3_feed)(void *state, const void *data, size_t n_bytes) { XXH3_64bits_update(state, data, n_bytes); }
