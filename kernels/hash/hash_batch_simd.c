/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xxh3_64_batch for tiers without 64-bit multiplications over wide vectors.
 *
 * Where lengths vary, a branch on the length is mispredicted for nearly every string (see hash_batch_avx512_clx.c). So a
 * round of strings is first dealt out to lists, one per class of lengths, without a branch; then each list is hashed by
 * the code for its class, one string at a time, which needs none.
 */
#define XXH_PREFETCH_DIST 4096 /* as in hash_simd.c */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common.h"

enum {
	ROUND = 256, /* strings dealt out at once; they and the lists stay in L1 */

	CLASS_TINY = 0, /* 0 ... 3 bytes */
	CLASS_4 = 1,    /* 4 ... 8 */
	CLASS_9 = 2,    /* 9 ... 16 */
	CLASS_17 = 3,   /* 17 ... 128, four classes of 32 lengths, since XXH3 takes as many steps */
	CLASS_129 = 7,  /* 129 ... 240, eight classes by the number of 16-byte steps */
	CLASS_LONG = 15,
	CLASSES = 16
};

struct round {
	const unsigned char *data;
	const uint64_t *begin, *end;
	uint64_t seed;
	uint64_t *out;
	size_t n[CLASSES];
	uint16_t list[CLASSES][ROUND]; /* numbers of strings */
};

static const uint8_t class_of_length[256] = {
	[0 ... 3] = CLASS_TINY,        [4 ... 8] = CLASS_4,           [9 ... 16] = CLASS_9,
	[17 ... 32] = CLASS_17,        [33 ... 64] = CLASS_17 + 1,    [65 ... 96] = CLASS_17 + 2,
	[97 ... 128] = CLASS_17 + 3,   [129 ... 143] = CLASS_129,     [144 ... 159] = CLASS_129 + 1,
	[160 ... 175] = CLASS_129 + 2, [176 ... 191] = CLASS_129 + 3, [192 ... 207] = CLASS_129 + 4,
	[208 ... 223] = CLASS_129 + 5, [224 ... 239] = CLASS_129 + 6, [240] = CLASS_129 + 7,
	[241 ... 255] = CLASS_LONG,
};

LW_INLINE const unsigned char *string_of(const struct round *r, size_t i) { return r->data + r->begin[i]; }
LW_INLINE size_t length_of(const struct round *r, size_t i) { return (size_t)(r->end[i] - r->begin[i]); }

/*
 * Deals out the first n of `rest` strings, and fetches those of the next round: the lists jump about in them, which
 * the processor's own prefetcher cannot follow.
 */
LW_INLINE void deal_out(struct round *r, size_t n, size_t rest)
{
	for (int c = 0; c < CLASSES; c++)
		r->n[c] = 0;
	for (size_t i = 0; i < n; i++) {
		size_t length = length_of(r, i), ahead = i + ROUND < rest ? i + ROUND : i;

		__builtin_prefetch(r->data + r->begin[ahead]);
		__builtin_prefetch(r->data + r->end[ahead]);
		uint8_t c = class_of_length[length < 255 ? length : 255];

		r->list[c][r->n[c]++] = (uint16_t)i;
	}
}

/* A list whose strings are hashed one after another, by code that is the same for all of them. */
#define LW_HASH_LIST(r, c, expression) \
	for (size_t j = 0; j < (r)->n[c]; j++) { \
		size_t i = (r)->list[c][j]; \
		const unsigned char *p = string_of(r, i); \
		size_t length = length_of(r, i); \
\
		(r)->out[i] = (expression); \
	}

LW_INLINE void hash_tiny_list(const struct round *r) {
	LW_HASH_LIST(r, CLASS_TINY, XXH3_len_0to16_64b(p, length, XXH3_kSecret, r -> seed))
}

LW_INLINE void hash_long_list(const struct round *r)
{
	LW_HASH_LIST(r, CLASS_LONG, XXH3_64bits_withSeed(p, length, r->seed))
}

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
