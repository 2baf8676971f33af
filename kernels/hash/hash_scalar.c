/* SPDX-License-Identifier: Apache-2.0 */
/* XXH3 from Debian's xxHash header, its scalar path. */
#define XXH_VECTOR XXH_SCALAR
#include "hash/hash_upstream.h"

void LW_FN(xxh3_64_batch)(const void *data, const uint64_t *begin, const uint64_t *end, size_t n, uint64_t seed,
                          uint64_t *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = XXH3_64bits_withSeed((const char *)data + begin[i], end[i] - begin[i], seed);
}
