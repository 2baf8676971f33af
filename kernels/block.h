/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes for templates (<f>_simd.c), beside vec.h: vectors of bytes, and blocks of 64 bytes with a bit mask per block,
 * bit i for byte i. The same names for every width.
 *
 *   v8                     V8_BYTES bytes: 64, 32 or 16
 *   v8_load v8_store v8_set1   any alignment
 *   v8_or v8_and v8_xor    bitwise
 *   v8_subs(a, b)          a - b, not below 0, unsigned
 *   v8_high_nibble(v)      each byte >> 4
 *   v8_low_nibble(v)       each byte & 15
 *   v8_table(t)            a table of 16 bytes for v8_lookup
 *   v8_lookup(t, i)        t[i] for every byte i < 128, by its low four bits; 0, or t by the low four bits, beyond
 *   v8_any(v)              whether a bit is set anywhere
 *   v8_any_high(v)         whether a byte is 0x80 or more
 *
 *   blk                    64 bytes
 *   blk_load blk_store(p)  64 bytes at any alignment
 *   blk_load_first(p, n)   the first n < 64 bytes at p, spaces behind; nothing else is read
 *   blk_eq(b, c)           the bytes equal to c
 *   blk_below(b, c)        the bytes < c, unsigned; blk_below_v8: c is a vector that holds it everywhere
 *   blk_or(b, c)           each byte | c
 *   blk_in_table(b, t)     the bytes that t holds at the place of their low four bits; t holds only 0xff beside
 *                          bytes < 0x80
 */
#ifndef LW_BLOCK_H
#define LW_BLOCK_H

#include "vec.h"

#if defined(LW_THIS_TIER_IS_avx512) || defined(LW_THIS_TIER_IS_avx512_clx)

/* n < 64: n bits set. */
LW_INLINE uint64_t v8_first_mask(size_t n) { return ((uint64_t)1 << n) - 1; }

#define V8_BYTES 64
typedef __m512i v8;

LW_INLINE v8 v8_load(const void *p) { return _mm512_loadu_si512(p); }
LW_INLINE void v8_store(void *p, v8 v) { _mm512_storeu_si512(p, v); }
LW_INLINE v8 v8_set1(uint8_t x) { return _mm512_set1_epi8((char)x); }
LW_INLINE v8 v8_or(v8 a, v8 b) { return _mm512_or_si512(a, b); }
LW_INLINE v8 v8_and(v8 a, v8 b) { return _mm512_and_si512(a, b); }
LW_INLINE v8 v8_xor(v8 a, v8 b) { return _mm512_xor_si512(a, b); }
LW_INLINE v8 v8_subs(v8 a, v8 b) { return _mm512_subs_epu8(a, b); }
LW_INLINE v8 v8_low_nibble(v8 v) { return _mm512_and_si512(v, _mm512_set1_epi8(15)); }
LW_INLINE v8 v8_high_nibble(v8 v) { return v8_low_nibble(_mm512_srli_epi16(v, 4)); }
LW_INLINE v8 v8_table(const uint8_t t[16]) { return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)t)); }
LW_INLINE v8 v8_lookup(v8 t, v8 i) { return _mm512_shuffle_epi8(t, i); }
LW_INLINE int v8_any(v8 v) { return _mm512_test_epi8_mask(v, v) != 0; }
LW_INLINE int v8_any_high(v8 v) { return _mm512_movepi8_mask(v) != 0; }
LW_INLINE uint64_t v8_bits_eq(v8 a, v8 b) { return _mm512_cmpeq_epi8_mask(a, b); }
LW_INLINE uint64_t v8_bits_below(v8 a, v8 b) { return _mm512_cmplt_epu8_mask(a, b); }

#elif defined(LW_THIS_TIER_IS_avx2)

#define V8_BYTES 32
typedef __m256i v8;

LW_INLINE v8 v8_load(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
LW_INLINE void v8_store(void *p, v8 v) { _mm256_storeu_si256((__m256i *)p, v); }
LW_INLINE v8 v8_set1(uint8_t x) { return _mm256_set1_epi8((char)x); }
LW_INLINE v8 v8_or(v8 a, v8 b) { return _mm256_or_si256(a, b); }
LW_INLINE v8 v8_and(v8 a, v8 b) { return _mm256_and_si256(a, b); }
LW_INLINE v8 v8_xor(v8 a, v8 b) { return _mm256_xor_si256(a, b); }
LW_INLINE v8 v8_subs(v8 a, v8 b) { return _mm256_subs_epu8(a, b); }
LW_INLINE v8 v8_low_nibble(v8 v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }
LW_INLINE v8 v8_high_nibble(v8 v) { return v8_low_nibble(_mm256_srli_epi16(v, 4)); }
LW_INLINE v8 v8_table(const uint8_t t[16]) { return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)t)); }
LW_INLINE v8 v8_lookup(v8 t, v8 i) { return _mm256_shuffle_epi8(t, i); }
LW_INLINE int v8_any(v8 v) { return !_mm256_testz_si256(v, v); }
LW_INLINE int v8_any_high(v8 v) { return _mm256_movemask_epi8(v) != 0; }
LW_INLINE uint64_t v8_bits_eq(v8 a, v8 b) { return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)); }
LW_INLINE uint64_t v8_bits_below(v8 a, v8 b)
{
	return (uint32_t)~_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(a, b), a));
}

#else

#define V8_BYTES 16
typedef uint8x16_t v8;

LW_INLINE v8 v8_load(const void *p) { return vld1q_u8(p); }
LW_INLINE void v8_store(void *p, v8 v) { vst1q_u8(p, v); }
LW_INLINE v8 v8_set1(uint8_t x) { return vdupq_n_u8(x); }
LW_INLINE v8 v8_or(v8 a, v8 b) { return vorrq_u8(a, b); }
LW_INLINE v8 v8_and(v8 a, v8 b) { return vandq_u8(a, b); }
LW_INLINE v8 v8_xor(v8 a, v8 b) { return veorq_u8(a, b); }
LW_INLINE v8 v8_subs(v8 a, v8 b) { return vqsubq_u8(a, b); }
LW_INLINE v8 v8_low_nibble(v8 v) { return vandq_u8(v, vdupq_n_u8(15)); }
LW_INLINE v8 v8_high_nibble(v8 v) { return vshrq_n_u8(v, 4); }
LW_INLINE v8 v8_table(const uint8_t t[16]) { return vld1q_u8(t); }
LW_INLINE v8 v8_lookup(v8 t, v8 i) { return vqtbl1q_u8(t, v8_low_nibble(i)); }
LW_INLINE int v8_any(v8 v) { return vmaxvq_u8(v) != 0; }
LW_INLINE int v8_any_high(v8 v) { return vmaxvq_u8(v) >= 0x80; }

#endif

enum { BLK_PARTS = 64 / V8_BYTES };
typedef struct {
	v8 v[BLK_PARTS];
} blk;

LW_INLINE blk blk_load(const void *p)
{
	blk b;

#pragma GCC unroll 4
	for (int i = 0; i < BLK_PARTS; i++)
		b.v[i] = v8_load((const uint8_t *)p + i * V8_BYTES);
	return b;
}

LW_INLINE void blk_store(void *p, blk b)
{
#pragma GCC unroll 4
	for (int i = 0; i < BLK_PARTS; i++)
		v8_store((uint8_t *)p + i * V8_BYTES, b.v[i]);
}

LW_INLINE blk blk_load_first(const void *p, size_t n)
{
#if defined(LW_THIS_TIER_IS_avx512) || defined(LW_THIS_TIER_IS_avx512_clx)
	return (blk) { { _mm512_mask_loadu_epi8(_mm512_set1_epi8(' '), v8_first_mask(n), p) } };
#else
	uint8_t bytes[64];

	memset(bytes, ' ', sizeof bytes);
	if (n)
		memcpy(bytes, p, n);
	return blk_load(bytes);
#endif
}

LW_INLINE blk blk_or(blk b, uint8_t c)
{
#pragma GCC unroll 4
	for (int i = 0; i < BLK_PARTS; i++)
		b.v[i] = v8_or(b.v[i], v8_set1(c));
	return b;
}

#if defined(LW_THIS_TIER_IS_neon) || defined(LW_THIS_TIER_IS_neon_dot)

/* Four vectors of all ones or zeros per byte to 64 bits: each byte keeps the bit of its number mod 8, then sums. */
LW_INLINE uint64_t blk_bits(const v8 m[4])
{
	static const uint8_t bit[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
	v8 weight = vld1q_u8(bit);
	v8 low = vpaddq_u8(vandq_u8(m[0], weight), vandq_u8(m[1], weight));
	v8 high = vpaddq_u8(vandq_u8(m[2], weight), vandq_u8(m[3], weight));
	v8 sum = vpaddq_u8(low, high);

	sum = vpaddq_u8(sum, sum);
	return vgetq_lane_u64(vreinterpretq_u64_u8(sum), 0);
}

LW_INLINE uint64_t blk_eq(blk b, uint8_t c)
{
	v8 m[4];

	for (int i = 0; i < 4; i++)
		m[i] = vceqq_u8(b.v[i], vdupq_n_u8(c));
	return blk_bits(m);
}

LW_INLINE uint64_t blk_below_v8(blk b, v8 c)
{
	v8 m[4];

	for (int i = 0; i < 4; i++)
		m[i] = vcltq_u8(b.v[i], c);
	return blk_bits(m);
}

LW_INLINE uint64_t blk_in_table(blk b, v8 t)
{
	v8 m[4];

	/* Only bytes < 0x80 may be found, so the 0xff that fills the table must not be one for itself. */
	for (int i = 0; i < 4; i++)
		m[i] = vandq_u8(vceqq_u8(v8_lookup(t, b.v[i]), b.v[i]), vcltq_u8(b.v[i], vdupq_n_u8(0x80)));
	return blk_bits(m);
}

#else

LW_INLINE uint64_t blk_eq(blk b, uint8_t c)
{
	uint64_t bits = 0;

#pragma GCC unroll 4
	for (int i = 0; i < BLK_PARTS; i++)
		bits |= v8_bits_eq(b.v[i], v8_set1(c)) << i * V8_BYTES % 64;
	return bits;
}

LW_INLINE uint64_t blk_below_v8(blk b, v8 c)
{
	uint64_t bits = 0;

#pragma GCC unroll 4
	for (int i = 0; i < BLK_PARTS; i++)
		bits |= v8_bits_below(b.v[i], c) << i * V8_BYTES % 64;
	return bits;
}

LW_INLINE uint64_t blk_in_table(blk b, v8 t)
{
	uint64_t bits = 0;

#pragma GCC unroll 4
	for (int i = 0; i < BLK_PARTS; i++)
		bits |= v8_bits_eq(v8_lookup(t, b.v[i]), b.v[i]) << i * V8_BYTES % 64;
	return bits;
}

#endif

LW_INLINE uint64_t blk_below(blk b, uint8_t c) { return blk_below_v8(b, v8_set1(c)); }

#endif
