/* SPDX-License-Identifier: Apache-2.0 */
/* xxh3_64_batch for tiers without 64-bit multiplications over wide vectors: dealt out, then one string at a time. */
#include "hash_batch.h"

void LW_FN(xxh3_64_batch)(const void *data, const uint64_t *begin, const uint64_t *end, size_t n, uint64_t seed,
                          uint64_t *out)
{
	struct round r;

	for (size_t at = 0; at < n; at += ROUND) {
		r.data = data;
		r.begin = begin + at;
		r.end = end + at;
		r.seed = seed;
		r.out = out + at;
		deal_out(&r, n - at < ROUND ? n - at : ROUND, n - at);
		hash_tiny_list(&r);
		LW_HASH_LIST(&r, CLASS_4, XXH3_len_4to8_64b(p, length, XXH3_kSecret, seed))
		LW_HASH_LIST(&r, CLASS_9, XXH3_len_9to16_64b(p, length, XXH3_kSecret, seed))
		for (int c = CLASS_17; c < CLASS_129; c++)
			LW_HASH_LIST(&r, c, XXH3_len_17to128_64b(p, length, XXH3_kSecret, sizeof XXH3_kSecret, seed))
		for (int c = CLASS_129; c < CLASS_LONG; c++)
			LW_HASH_LIST(&r, c, XXH3_len_129to240_64b(p, length, XXH3_kSecret, sizeof XXH3_kSecret, seed))
		hash_long_list(&r);
	}
}
