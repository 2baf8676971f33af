/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of bytes on both NEON tiers: all but the sum of products of two vectors of one sign, which the file that
 * includes this adds.
 *
 * Instructions want both of one sign (USDOT came later and has a feature bit of its own). So rows take on the sign of the
 * query, by flipping their upper bits: signed ones grow by 128, unsigned ones shrink by it, and results are wrong by 128
 * times the sum of the query. In the tail the query's zeros silence what the flip makes of the zeros behind the row.
 */
#ifndef LW_INT8_NEON_H
#define LW_INT8_NEON_H

#include "int8/signs.h"
#include "vec.h"

enum { VI_BYTES = 16, TILE_QUERIES = 4, VN_BYTES = 16 };
typedef int32x4_t vi;
typedef int8x16_t ve;

LW_INLINE ve ve_load(enum signs signs, const int8_t *p)
{
	(void)signs;
	return vld1q_s8(p);
}
LW_INLINE ve ve_load_first(enum signs signs, const int8_t *p, size_t n)
{
	int8_t bytes[VI_BYTES] = { 0 };

	memcpy(bytes, p, n);
	return ve_load(signs, bytes);
}
LW_INLINE ve flip(ve v) { return veorq_s8(v, vdupq_n_s8(-128)); }
LW_INLINE ve ve_load_row(enum signs signs, const int8_t *p)
{
	return signs == I8_I8 ? ve_load(signs, p) : flip(ve_load(signs, p));
}
LW_INLINE ve ve_load_row_first(enum signs signs, const int8_t *p, size_t n)
{
	return signs == I8_I8 ? ve_load_first(signs, p, n) : flip(ve_load_first(signs, p, n));
}
LW_INLINE vi vi_zero(void) { return vdupq_n_s32(0); }

LW_INLINE void vi_sum4(const vi v[4], int32_t *out)
{
	vst1q_s32(out, vpaddq_s32(vpaddq_s32(v[0], v[1]), vpaddq_s32(v[2], v[3])));
}

/* Each lane of the sums plus the products of some elements, of signed or of unsigned ones. */
LW_INLINE vi dot_signed(vi sums, ve a, ve b);
LW_INLINE vi dot_unsigned(vi sums, ve a, ve b);

LW_INLINE vi vi_dot(enum signs signs, vi sums, ve query, ve row)
{
	return signs == U8_I8 ? dot_unsigned(sums, query, row) : dot_signed(sums, query, row);
}

LW_INLINE void vi_dot_i4(vi *low, vi *high, const int8_t *query, const uint8_t *codes)
{
	uint8x16_t both = vld1q_u8(codes);

	*low = dot_signed(*low, vld1q_s8(query), vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15))));
	*high = dot_signed(*high, vld1q_s8(query + 64), vreinterpretq_s8_u8(vshrq_n_u8(both, 4)));
}

LW_INLINE vi vi_join(vi low, vi high) { return vshlq_n_s32(vaddq_s32(low, high), 4); }

LW_INLINE uint32_t vi_excess(enum signs signs, const int8_t *query, size_t dim)
{
	const ve ones = vdupq_n_s8(1);
	vi sum[4] = { vi_zero(), vi_zero(), vi_zero(), vi_zero() };
	int32_t four[4];
	size_t i = 0;

	if (signs == I8_I8)
		return 0;
	for (; i + VI_BYTES <= dim; i += VI_BYTES)
		sum[0] = vi_dot(signs, sum[0], ve_load(signs, query + i), ones);
	if (i < dim)
		sum[0] = vi_dot(signs, sum[0], ve_load_first(signs, query + i, dim - i), ones);
	vi_sum4(sum, four);
	return (signs == U8_I8 ? 128 : (uint32_t)-128) * (uint32_t)four[0];
}

#endif
