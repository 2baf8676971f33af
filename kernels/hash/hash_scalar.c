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
