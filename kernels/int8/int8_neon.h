/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dot_i8_rows and dot_i8_queries on both NEON tiers: all but vi_dot, which the file that includes this adds.
 */
#ifndef LW_INT8_NEON_H
#define LW_INT8_NEON_H

#include "vec.h"

enum { VI_BYTES = 16, TILE_QUERIES = 4, VN_BYTES = 16 };
typedef int32x4_t vi;
typedef int8x16_t ve;

LW_INLINE ve ve_load(const int8_t *p) { return vld1q_s8(p); }
LW_INLINE ve ve_load_first(const int8_t *p, size_t n)
{
	int8_t bytes[VI_BYTES] = { 0 };

	memcpy(bytes, p, n);
	return ve_load(bytes);
}
LW_INLINE ve ve_load_row(const int8_t *p) { return ve_load(p); }
LW_INLINE ve ve_load_row_first(const int8_t *p, size_t n) { return ve_load_first(p, n); }
LW_INLINE vi vi_zero(void) { return vdupq_n_s32(0); }

LW_INLINE void vi_sum4(const vi v[4], int32_t *out)
{
	vst1q_s32(out, vpaddq_s32(vpaddq_s32(v[0], v[1]), vpaddq_s32(v[2], v[3])));
}

LW_INLINE vi vi_dot(vi sums, ve query, ve row);

LW_INLINE void vi_dot_i4(vi *low, vi *high, const int8_t *query, const uint8_t *codes)
{
	uint8x16_t both = vld1q_u8(codes);

	*low = vi_dot(*low, ve_load(query), vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15))));
	*high = vi_dot(*high, ve_load(query + 64), vreinterpretq_s8_u8(vshrq_n_u8(both, 4)));
}

LW_INLINE vi vi_join(vi low, vi high) { return vshlq_n_s32(vaddq_s32(low, high), 4); }

LW_INLINE uint32_t vi_excess(const int8_t *query, size_t dim)
{
	(void)query;
	(void)dim;
	return 0;
}

#endif
