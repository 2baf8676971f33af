/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/hash.h - non-cryptographic hashes. */
#ifndef LANEWISE_HASH_H
#define LANEWISE_HASH_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * XXH3, 64 bits, of the `n_bytes` bytes at `data` with `seed` (0 for the unseeded hash), as the xxHash specification
 * defines it. Any alignment; `data` may be NULL if n_bytes is 0. O(n_bytes). Not a defence against chosen collisions,
 * with or without a seed.
 */
LANEWISE_API uint64_t lanewise_xxh3_64(const void *data, size_t n_bytes, uint64_t seed);

#ifdef __cplusplus
}
#endif

#endif
