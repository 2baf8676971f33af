/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) for hash tables over strings that a
 * stranger may have chosen: who does not know the key cannot find collisions. Results must not depend on the key.
 */
#ifndef LW_SIPHASH_H
#define LW_SIPHASH_H

#include <stdint.h>
#include "common.h"

static inline uint64_t lw_rotate_left_64(uint64_t x, int by) { return x << by | x >> (64 - by); }

static inline void lw_sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = lw_rotate_left_64(v[1], 13) ^ v[0];
	v[0] = lw_rotate_left_64(v[0], 32);
	v[2] += v[3];
	v[3] = lw_rotate_left_64(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = lw_rotate_left_64(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = lw_rotate_left_64(v[1], 17) ^ v[2];
	v[2] = lw_rotate_left_64(v[2], 32);
}

static inline void lw_sip_absorb(uint64_t v[4], uint64_t message)
{
	v[3] ^= message;
	lw_sip_round(v);
	v[0] ^= message;
}

static inline uint64_t lw_siphash13(const void *data, size_t n_bytes, const uint64_t key[2])
{
	const unsigned char *bytes = data;
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
		          key[1] ^ 0x7465646279746573 };
	uint64_t last = (uint64_t)n_bytes << 56;
	size_t whole = n_bytes / 8 * 8;

	for (size_t i = 0; i < whole; i += 8) {
		lw_sip_absorb(v, lw_load_little_endian_64(bytes + i));
	}
	for (size_t i = whole; i < n_bytes; i++)
		last |= (uint64_t)bytes[i] << 8 * (i - whole);
	lw_sip_absorb(v, last);
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		lw_sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif
