/* SPDX-License-Identifier: Apache-2.0 */
/* XXH3 from Debian's xxHash header, its scalar path. */
#define XXH_VECTOR XXH_SCALAR
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

void LW_FN(xxh3_64_batch)(const void *data, const uint64_t *begin, const uint64_t *end, size_t n, uint64_t seed,
                          uint64_t *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = XXH3_64bits_withSeed((const char *)data + begin[i], end[i] - begin[i], seed);
}
