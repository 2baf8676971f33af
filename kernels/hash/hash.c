/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public functions of lanewise/hash.h. What a stream does once, at its beginning and for its value, is compiled
 * here for the baseline; what it does per byte goes through the table.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <lanewise/hash.h>

#include "common.h"

struct lanewise_xxh3 {
	XXH3_state_t state;
};

enum { ALIGNMENT = 64 }; /* of the state, for vector loads */
_Static_assert(_Alignof(XXH3_state_t) <= ALIGNMENT, "xxHash wants more");

uint64_t lanewise_xxh3_64(const void *data, size_t n_bytes, uint64_t seed)
{
	return lw_kernels()->xxh3_64(data, n_bytes, seed);
}

lanewise_hash128 lanewise_xxh3_128(const void *data, size_t n_bytes, uint64_t seed)
{
	uint64_t value[2];

	lw_kernels()->xxh3_128(data, n_bytes, seed, value);
	return (lanewise_hash128) { value[0], value[1] };
}

size_t lanewise_xxh3_scratch_size(void) { return sizeof(struct lanewise_xxh3) + ALIGNMENT - LW_SCRATCH_ALIGNMENT; }

lanewise_xxh3 *lanewise_xxh3_begin(void *scratch, uint64_t seed)
{
	if (!scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT)
		return NULL;

	size_t skipped = (0 - (uintptr_t)scratch) % ALIGNMENT;
	struct lanewise_xxh3 *hash = (void *)((unsigned char *)scratch + skipped);

	/* The library's reset believes in the old seed of a state to save time, which a fresh scratch does not have. */
	memset(hash, 0, sizeof *hash);
	XXH3_INITSTATE(&hash->state);
	XXH3_64bits_reset_withSeed(&hash->state, seed);
	return hash;
}

void lanewise_xxh3_feed(lanewise_xxh3 *hash, const void *data, size_t n_bytes)
{
	if (n_bytes)
		lw_kernels()->xxh3_feed(&hash->state, data, n_bytes);
}

uint64_t lanewise_xxh3_value_64(const lanewise_xxh3 *hash) { return XXH3_64bits_digest(&hash->state); }

lanewise_hash128 lanewise_xxh3_value_128(const lanewise_xxh3 *hash)
{
	XXH128_hash_t value = XXH3_128bits_digest(&hash->state);

	return (lanewise_hash128) { value.low64, value.high64 };
}

void lanewise_xxh3_64_batch(const void *data, const uint64_t *begin, const uint64_t *end, size_t n, uint64_t seed,
                            uint64_t *out)
{
	lw_kernels()->xxh3_64_batch(data, begin, end, n, seed, out);
}

void lanewise_xxh3_128_batch(const void *data, const uint64_t *begin, const uint64_t *end, size_t n, uint64_t seed,
                             lanewise_hash128 *out)
{
	lanewise_xxh3_128_fn *hash = lw_kernels()->xxh3_128;

	for (size_t i = 0; i < n; i++) {
		uint64_t value[2];

		hash((const unsigned char *)data + begin[i], (size_t)(end[i] - begin[i]), seed, value);
		out[i] = (lanewise_hash128) { value[0], value[1] };
	}
}
