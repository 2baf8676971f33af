/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vocabulary of vec.h in 128-bit NEON vectors, native or through SIMDe. Not used: vmlaq_f32 (fused or not by
 * compiler flags) and vaddvq_f32 (its order of addition differs between CPUs and emulation).
 */
#ifndef LW_VEC_NEON_H
#define LW_VEC_NEON_H

#if LW_NEON_VIA_SIMDE
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/arm/neon.h>
#else
#include <arm_neon.h>
#endif

#include "common.h"

enum { VF_LANES = 4 };
typedef float32x4_t vf;
typedef uint32x4_t vu;

LW_INLINE vf vf_zero(void) { return vdupq_n_f32(0); }
LW_INLINE vf vf_set1(float x) { return vdupq_n_f32(x); }
LW_INLINE vf vf_load(const float *p) { return vld1q_f32(p); }
LW_INLINE void vf_store(float *p, vf v) { vst1q_f32(p, v); }
LW_INLINE vf vf_load_first(const float *p, size_t n)
{
	float lanes[4] = { 0 };

	memcpy(lanes, p, n * sizeof *p);
	return vld1q_f32(lanes);
}
LW_INLINE void vf_store_first(float *p, vf v, size_t n)
{
	float lanes[4];

	vst1q_f32(lanes, v);
	memcpy(p, lanes, n * sizeof *p);
}
LW_INLINE vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
LW_INLINE vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
LW_INLINE vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
LW_INLINE vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }

LW_INLINE vf vf_canonical(vf v)
{
	return vbslq_f32(vceqq_f32(v, v), vaddq_f32(v, vf_zero()), vreinterpretq_f32_u32(vdupq_n_u32(0x7fc00000)));
}

LW_INLINE float vf_sum(vf v)
{
	vf pairs = vpaddq_f32(v, v);

	return vgetq_lane_f32(vpaddq_f32(pairs, pairs), 0);
}

LW_INLINE vf vf_sum_rows(const vf v[VF_LANES]) { return vpaddq_f32(vpaddq_f32(v[0], v[1]), vpaddq_f32(v[2], v[3])); }

typedef uint32x4_t vb; /* all ones or all zeros per lane */
LW_INLINE vb vf_ge(vf a, vf b) { return vcgeq_f32(a, b); }
LW_INLINE vb vf_gt(vf a, vf b) { return vcgtq_f32(a, b); }
LW_INLINE vb vf_eq(vf a, vf b) { return vceqq_f32(a, b); }
LW_INLINE vb vb_or(vb a, vb b) { return vorrq_u32(a, b); }
LW_INLINE int vb_any(vb m) { return vmaxvq_u32(m) != 0; }
LW_INLINE uint32_t vb_bits(vb m) /* each lane keeps the bit of its number, then all are added */
{
	static const uint32_t bit[4] = { 1, 2, 4, 8 };

	return vaddvq_u32(vandq_u32(m, vld1q_u32(bit)));
}
LW_INLINE vf vf_select(vb m, vf a, vf b) { return vbslq_f32(m, a, b); }
LW_INLINE vf vf_min(vf a, vf b) { return vminq_f32(a, b); }
LW_INLINE vf vf_max(vf a, vf b) { return vmaxq_f32(a, b); }
LW_INLINE vu vu_zero(void) { return vdupq_n_u32(0); }
LW_INLINE vu vu_count(vu n, vb m) { return vsubq_u32(n, m); }
LW_INLINE uint32_t vu_sum(vu n) { return vaddvq_u32(n); }

/* Byte numbers that move the lanes of a 4-bit mask to the front, for a table look-up. */
LW_INLINE uint8x16_t vf_compress_bytes(uint32_t mask)
{
#define LANE(i) 4 * (i), 4 * (i) + 1, 4 * (i) + 2, 4 * (i) + 3
	static const uint8_t table[16][16] = {
		{ 0 },
		{ LANE(0) },
		{ LANE(1) },
		{ LANE(0), LANE(1) },
		{ LANE(2) },
		{ LANE(0), LANE(2) },
		{ LANE(1), LANE(2) },
		{ LANE(0), LANE(1), LANE(2) },
		{ LANE(3) },
		{ LANE(0), LANE(3) },
		{ LANE(1), LANE(3) },
		{ LANE(0), LANE(1), LANE(3) },
		{ LANE(2), LANE(3) },
		{ LANE(0), LANE(2), LANE(3) },
		{ LANE(1), LANE(2), LANE(3) },
		{ LANE(0), LANE(1), LANE(2), LANE(3) },
	};
#undef LANE
	return vld1q_u8(table[mask]);
}

LW_INLINE vf vf_compress(vf v, uint32_t mask)
{
	return vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(v), vf_compress_bytes(mask)));
}
LW_INLINE vu vu_compress(vu v, uint32_t mask)
{
	return vreinterpretq_u32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(v), vf_compress_bytes(mask)));
}

LW_INLINE vu vu_load(const uint32_t *p) { return vld1q_u32(p); }
LW_INLINE void vu_store(uint32_t *p, vu v) { vst1q_u32(p, v); }
LW_INLINE vu vu_load_first(const uint32_t *p, size_t n)
{
	uint32_t lanes[4] = { 0 };

	memcpy(lanes, p, n * sizeof *p);
	return vld1q_u32(lanes);
}
LW_INLINE void vu_store_first(uint32_t *p, vu v, size_t n)
{
	uint32_t lanes[4];

	vst1q_u32(lanes, v);
	memcpy(p, lanes, n * sizeof *p);
}
LW_INLINE vu vu_iota(uint32_t first)
{
	static const uint32_t iota[4] = { 0, 1, 2, 3 };

	return vaddq_u32(vdupq_n_u32(first), vld1q_u32(iota));
}

LW_INLINE vf vf_load_i32(const int32_t *p) { return vcvtq_f32_s32(vld1q_s32(p)); }
LW_INLINE vf vf_round(vf v) { return vrndnq_f32(v); }
LW_INLINE void vf_store_i8(int8_t *p, vf v)
{
	int16x4_t shorts = vmovn_s32(vcvtq_s32_f32(v));
	uint32_t bytes = vget_lane_u32(vreinterpret_u32_s8(vmovn_s16(vcombine_s16(shorts, shorts))), 0);

	memcpy(p, &bytes, sizeof bytes);
}
LW_INLINE vu vf_magnitude_bits(vf v) { return vandq_u32(vreinterpretq_u32_f32(v), vdupq_n_u32(0x7fffffff)); }
LW_INLINE vu vu_max(vu a, vu b) { return vmaxq_u32(a, b); }
LW_INLINE uint32_t vu_max_lane(vu v) { return vmaxvq_u32(v); }

#endif
