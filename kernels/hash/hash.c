/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of lanewise/hash.h. */
#include <lanewise/hash.h>

#include "common.h"

uint64_t lanewise_xxh3_64(const void *data, size_t n_bytes, uint64_t seed)
{
	return lw_kernels()->xxh3_64(data, n_bytes, seed);
}
