/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels that are functions of Debian's xxHash header; who includes this has said how that is to be compiled. */
#ifndef LW_HASH_UPSTREAM_H
#define LW_HASH_UPSTREAM_H

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

#endif
