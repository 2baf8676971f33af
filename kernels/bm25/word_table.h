/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the builder of an index looks its words up: a hash that nobody can find collisions of who does not know its key,
 * made for short words, and a word's first 16 bytes as two integers, by which most are told apart without looking at the
 * rest.
 *
 * The hash is NH (Black et al., "UMAC: fast and secure message authentication", 1999) of pairs of 64-bit words, which
 * two different inputs of one length share with probability 2^-64 over the keys; its two halves are folded and, with
 * the length, multiplied once more, so that all bits of the result are good. Results must not depend on the key.
 */
#ifndef LW_WORD_TABLE_H
#define LW_WORD_TABLE_H

#include <lanewise/text.h>

#include "common.h"
#include "secret.h"

enum { LW_WORD_PAIRS = (LANEWISE_WORD_BYTES + 15) / 16 };

struct lw_word_key {
	uint64_t pair[LW_WORD_PAIRS][2];
	uint64_t length, last;
};

/* A word's first bytes, with zeros behind; how many are meant is kept beside them. */
struct lw_word_start {
	uint64_t low, high;
};

static inline void lw_make_word_key(struct lw_word_key *key)
{
	uint64_t secret[2], *numbers = key->pair[0];

	lw_make_secret(secret);
	for (uint64_t i = 0; i < 2 * LW_WORD_PAIRS; i++)
		numbers[i] = lw_siphash13(&i, sizeof i, secret);
	key->length = lw_siphash13("length", 6, secret) | 1;
	key->last = lw_siphash13("last", 4, secret) | 1;
}

/* n <= 16 bytes at `text`, where 16 can be read. Lengths cannot be predicted, so there is no branch on them. */
LW_INLINE struct lw_word_start lw_word_start_padded(const char *text, size_t n)
{
	static const unsigned char mask[32] = { 255, 255, 255, 255, 255, 255, 255, 255,
		                                255, 255, 255, 255, 255, 255, 255, 255 };
	const unsigned char *keep = mask + 16 - n;

	return (struct lw_word_start) { lw_load_little_endian_64(text) & lw_load_little_endian_64(keep),
		                        lw_load_little_endian_64(text + 8) & lw_load_little_endian_64(keep + 8) };
}

static inline struct lw_word_start lw_word_start_of(const char *text, size_t n)
{
	char bytes[16] = { 0 };

	memcpy(bytes, text, n < 16 ? n : 16);
	return lw_word_start_padded(bytes, 16);
}

__extension__ typedef unsigned __int128 lw_uint128;

LW_INLINE uint64_t lw_fold_128(lw_uint128 x) { return (uint64_t)x ^ (uint64_t)(x >> 64); }

LW_INLINE lw_uint128 lw_nh(struct lw_word_start bytes, const uint64_t key[2])
{
	return (lw_uint128)(bytes.low + key[0]) * (bytes.high + key[1]);
}

LW_INLINE uint64_t lw_word_finish(const struct lw_word_key *key, lw_uint128 sum, size_t n)
{
	return lw_fold_128((lw_uint128)(lw_fold_128(sum) + n * key->length) * key->last);
}

/* The hash of a word of n <= 16 bytes. */
LW_INLINE uint64_t lw_hash_start(const struct lw_word_key *key, struct lw_word_start start, size_t n)
{
	return lw_word_finish(key, lw_nh(start, key->pair[0]), n);
}

/* The hash of a word of 1 ... LANEWISE_WORD_BYTES bytes. */
static inline uint64_t lw_hash_word(const struct lw_word_key *key, const char *text, size_t n)
{
	lw_uint128 sum = 0;

	for (size_t i = 0; i * 16 < n; i++)
		sum += lw_nh(lw_word_start_of(text + 16 * i, n - 16 * i), key->pair[i]);
	return lw_word_finish(key, sum, n);
}

#endif
