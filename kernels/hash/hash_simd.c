/* SPDX-License-Identifier: Apache-2.0 */
/* XXH3 from Debian's xxHash header, which picks its vector path by the instruction set this file is compiled for. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common.h"

uint64_t LW_FN(xxh3_64)(const void *data, size_t n_bytes, uint64_t seed)
{
	return XXH3_64bits_withSeed(data, n_bytes, seed);
}
