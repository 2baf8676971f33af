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
#include "half_convert.h"

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

LW_INLINE void vf_transpose_blocks(vf v[4])
{
	float64x2_t a = vreinterpretq_f64_f32(vtrn1q_f32(v[0], v[1])),
	            b = vreinterpretq_f64_f32(vtrn2q_f32(v[0], v[1]));
	float64x2_t c = vreinterpretq_f64_f32(vtrn1q_f32(v[2], v[3])),
	            d = vreinterpretq_f64_f32(vtrn2q_f32(v[2], v[3]));

	v[0] = vreinterpretq_f32_f64(vtrn1q_f64(a, c));
	v[1] = vreinterpretq_f32_f64(vtrn1q_f64(b, d));
	v[2] = vreinterpretq_f32_f64(vtrn2q_f64(a, c));
	v[3] = vreinterpretq_f32_f64(vtrn2q_f64(b, d));
}

LW_INLINE void vf_transpose(vf v[VF_LANES]) { vf_transpose_blocks(v); }

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
LW_INLINE vu vu_set1(uint32_t x) { return vdupq_n_u32(x); }
LW_INLINE vu vu_add(vu a, vu b) { return vaddq_u32(a, b); }
LW_INLINE vu vu_and(vu a, vu b) { return vandq_u32(a, b); }
LW_INLINE vu vu_or(vu a, vu b) { return vorrq_u32(a, b); }
LW_INLINE vu vu_mul(vu a, vu b) { return vmulq_u32(a, b); }
LW_INLINE vb vu_ge(vu a, vu b) { return vcgeq_u32(a, b); }
LW_INLINE vu vu_load_u16(const uint16_t *p) { return vmovl_u16(vld1_u16(p)); }

typedef struct {
	uint8x16_t part[4];
} vc;

LW_INLINE vc vc_load(const unsigned char *p)
{
	return (vc) { { vld1q_u8(p), vld1q_u8(p + 16), vld1q_u8(p + 32), vld1q_u8(p + 48) } };
}
LW_INLINE void vc_store(unsigned char *p, vc x)
{
	for (int i = 0; i < 4; i++)
		vst1q_u8(p + 16 * i, x.part[i]);
}
LW_INLINE vc vc_load_first(const unsigned char *p, size_t n)
{
	unsigned char bytes[64] = { 0 };

	memcpy(bytes, p, n);
	return vc_load(bytes);
}
LW_INLINE uint64_t vc_bits(const uint8x16_t m[4]) /* each byte keeps the bit of its number, then neighbours are added */
{
	static const uint8_t bit[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
	const uint8x16_t bits = vld1q_u8(bit);
	uint8x16_t low = vpaddq_u8(vandq_u8(m[0], bits), vandq_u8(m[1], bits));
	uint8x16_t high = vpaddq_u8(vandq_u8(m[2], bits), vandq_u8(m[3], bits));
	uint8x16_t all = vpaddq_u8(low, high);

	return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}
LW_INLINE uint64_t vc_bits_eq(vc x, uint8_t c)
{
	for (int i = 0; i < 4; i++)
		x.part[i] = vceqq_u8(x.part[i], vdupq_n_u8(c));
	return vc_bits(x.part);
}
typedef vc vm; /* each byte is 0 or 255 */
LW_INLINE vm vm_eq(vc x, uint8_t c)
{
	for (int i = 0; i < 4; i++)
		x.part[i] = vceqq_u8(x.part[i], vdupq_n_u8(c));
	return x;
}
LW_INLINE vm vm_equal(vc x, vc y)
{
	for (int i = 0; i < 4; i++)
		x.part[i] = vceqq_u8(x.part[i], y.part[i]);
	return x;
}
LW_INLINE vm vm_and(vm a, vm b)
{
	for (int i = 0; i < 4; i++)
		a.part[i] = vandq_u8(a.part[i], b.part[i]);
	return a;
}
LW_INLINE vm vm_and_eq(vm m, vc x, uint8_t c) { return vm_and(m, vm_eq(x, c)); }
LW_INLINE vm vm_or(vm a, vm b)
{
	for (int i = 0; i < 4; i++)
		a.part[i] = vorrq_u8(a.part[i], b.part[i]);
	return a;
}
LW_INLINE uint64_t vm_bits(vm m) { return vc_bits(m.part); }
LW_INLINE uint8x16_t vc_part_range(uint8x16_t x, uint8_t low, uint8_t n)
{
	return vcltq_u8(vsubq_u8(x, vdupq_n_u8(low)), vdupq_n_u8(n));
}
LW_INLINE uint64_t vc_bits_range(vc x, uint8_t low, uint8_t n)
{
	for (int i = 0; i < 4; i++)
		x.part[i] = vc_part_range(x.part[i], low, n);
	return vc_bits(x.part);
}
LW_INLINE uint64_t vc_bits_high(vc x) { return vc_bits_range(x, 0x80, 0x80); }
LW_INLINE vc vc_fill_range(vc x, uint8_t low, uint8_t n, uint8_t c)
{
	for (int i = 0; i < 4; i++)
		x.part[i] = vbslq_u8(vc_part_range(x.part[i], low, n), vdupq_n_u8(c), x.part[i]);
	return x;
}
LW_INLINE vc vc_fill_bits(vc x, uint64_t mask, uint8_t c)
{
	static const uint8_t bit[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };

	for (int i = 0; i < 4; i++, mask >>= 16) {
		uint8x16_t all = vcombine_u8(vdup_n_u8((uint8_t)mask), vdup_n_u8((uint8_t)(mask >> 8)));

		x.part[i] = vbslq_u8(vtstq_u8(all, vld1q_u8(bit)), vdupq_n_u8(c), x.part[i]);
	}
	return x;
}
LW_INLINE vc vc_fill_white(vc x, uint64_t *mask)
{
	uint8x16_t is[4];

	for (int i = 0; i < 4; i++) {
		is[i] = vorrq_u8(vceqq_u8(x.part[i], vdupq_n_u8(' ')), vc_part_range(x.part[i], '\t', 5));
		x.part[i] = vbslq_u8(is[i], vdupq_n_u8(' '), x.part[i]);
	}
	*mask = vc_bits(is);
	return x;
}
LW_INLINE vc vc_add_range(vc x, uint8_t low, uint8_t n, uint8_t d)
{
	for (int i = 0; i < 4; i++)
		x.part[i] = vaddq_u8(x.part[i], vandq_u8(vc_part_range(x.part[i], low, n), vdupq_n_u8(d)));
	return x;
}

/* Eight bytes at a time. */
LW_INLINE void vc_compress_store(unsigned char *p, vc x, uint64_t mask)
{
	for (int i = 0; i < 4; i++, mask >>= 16) {
		uint8x8_t low = vcreate_u8(lw_compress_8[mask & 255]),
		          high = vcreate_u8(lw_compress_8[mask >> 8 & 255]);

		vst1_u8(p, vqtbl1_u8(x.part[i], low));
		p += __builtin_popcount((uint32_t)mask & 255);
		vst1_u8(p, vqtbl1_u8(x.part[i], vadd_u8(high, vdup_n_u8(8))));
		p += __builtin_popcount((uint32_t)(mask >> 8) & 255);
	}
}

/* Without the byte whose bit that is (0: none), the bytes behind it one place on; the last is anything. */
LW_INLINE vc vc_drop_one(vc x, uint64_t bit)
{
	static const int8_t first[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	int8x16_t places = vld1q_s8(first), at = vdupq_n_s8((int8_t)(bit ? __builtin_ctzll(bit) : 64));

	for (int i = 0; i < 4; i++) {
		uint8x16_t on = vextq_u8(x.part[i], x.part[i < 3 ? i + 1 : i], 1);

		x.part[i] = vbslq_u8(vcgtq_s8(at, places), x.part[i], on);
		places = vaddq_s8(places, vdupq_n_s8(16));
	}
	return x;
}

LW_INLINE void vc_store_without(unsigned char *p, vc x, uint64_t holes)
{
	if (LW_LIKELY((holes & (holes - 1)) == 0))
		vc_store(p, vc_drop_one(x, holes));
	else
		vc_compress_store(p, x, ~holes);
}

LW_INLINE vc vc_drop_behind(vc x, uint64_t keep) { return vc_drop_one(x, ~keep & -~keep); }

LW_INLINE vf vf_load_i32(const int32_t *p) { return vcvtq_f32_s32(vld1q_s32(p)); }
LW_INLINE vf vf_power_of_2(vf v)
{
	return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(v), vdupq_n_s32(127)), 23));
}
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

/* Emulation has no conversions of f16. */
LW_INLINE vf vf_load_f16(const uint16_t *p)
{
#if LW_NEON_VIA_SIMDE
	float lanes[4];

	for (int i = 0; i < 4; i++)
		lanes[i] = lw_f16_to_f32(p[i]);
	return vld1q_f32(lanes);
#else
	return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
#endif
}
LW_INLINE void vf_store_f16(uint16_t *p, vf v)
{
#if LW_NEON_VIA_SIMDE
	float lanes[4];

	vst1q_f32(lanes, v);
	for (int i = 0; i < 4; i++)
		p[i] = lw_f32_to_f16(lanes[i]);
#else
	vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v)));
#endif
}
LW_INLINE vf vf_load_bf16(const uint16_t *p) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16)); }
LW_INLINE void vf_store_bf16(uint16_t *p, vf v)
{
	uint32x4_t bits = vreinterpretq_u32_f32(v);
	uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));

	vst1_u16(p, vmovn_u32(vshrq_n_u32(vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff))), 16)));
}
LW_INLINE vf vf_load_f16_first(const uint16_t *p, size_t n)
{
	uint16_t lanes[4] = { 0 };

	memcpy(lanes, p, n * sizeof *p);
	return vf_load_f16(lanes);
}
LW_INLINE vf vf_load_bf16_first(const uint16_t *p, size_t n)
{
	uint16_t lanes[4] = { 0 };

	memcpy(lanes, p, n * sizeof *p);
	return vf_load_bf16(lanes);
}

enum { VQ_LANES = 16 };
typedef uint8x16_t vq;

LW_INLINE vq vq_load(const uint8_t *p) { return vld1q_u8(p); }
LW_INLINE vq vq_repeat16(const uint8_t *p) { return vld1q_u8(p); }
LW_INLINE vq vq_and(vq a, vq b) { return vandq_u8(a, b); }
LW_INLINE vq vq_low_half(vq v) { return vandq_u8(v, vdupq_n_u8(15)); }
LW_INLINE vq vq_high_half(vq v) { return vshrq_n_u8(v, 4); }
LW_INLINE vq vq_ascii_index(vq v) { return vandq_u8(v, vdupq_n_u8(0x8f)); }
LW_INLINE vq vq_lookup(vq t, vq i) { return vqtbl1q_u8(t, i); }
LW_INLINE vq vq_or(vq a, vq b) { return vorrq_u8(a, b); }
LW_INLINE vq vq_fifth_bits(vq a, vq b, vq c, vq d)
{
	vq ab = vbslq_u8(vdupq_n_u8(1), vshrq_n_u8(a, 4), vshrq_n_u8(b, 3));
	vq cd = vbslq_u8(vdupq_n_u8(4), vshrq_n_u8(c, 2), vshrq_n_u8(d, 1));

	return vq_low_half(vbslq_u8(vdupq_n_u8(3), ab, cd));
}
LW_INLINE vq vq_xor(vq a, vq b) { return veorq_u8(a, b); }
LW_INLINE vq vq_add(vq a, vq b) { return vaddq_u8(a, b); }
LW_INLINE vq vq_add_saturated(vq a, vq b) { return vqaddq_u8(a, b); }
LW_INLINE vq vq_bit_counts(vq v) { return vcntq_u8(v); }
LW_INLINE uint32_t vq_sum_bytes(vq v) { return vu_sum(vpaddlq_u16(vpaddlq_u8(v))); }
LW_INLINE uint64_t vq_nonzero_bits(vq v) /* each byte keeps the bit of its number, then each half is added */
{
	static const uint8_t bit[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
	uint8x16_t bits = vandq_u8(vtstq_u8(v, v), vld1q_u8(bit));

	return vaddv_u8(vget_low_u8(bits)) | (uint64_t)vaddv_u8(vget_high_u8(bits)) << 8;
}
LW_INLINE uint64_t vq_common_bits(vq a, vq b) { return vq_nonzero_bits(vandq_u8(a, b)); }
LW_INLINE vq vq_and3(vq a, vq b, vq c) { return vandq_u8(vandq_u8(a, b), c); }
LW_INLINE uint64_t vq_quad_bits(vq v, vq x)
{
	static const uint32_t bit[4] = { 1, 2, 4, 8 };
	int8x16_t least = vminq_s8(vreinterpretq_s8_u8(v), vreinterpretq_s8_u8(x));
	uint32x4_t all = vceqq_u32(vreinterpretq_u32_s8(least), vreinterpretq_u32_u8(x));

	return vaddvq_u32(vandq_u32(all, vld1q_u32(bit)));
}
LW_INLINE uint64_t vq_nonzero64_bits(const uint64_t *p) { return (uint64_t)(p[0] != 0) | (uint64_t)(p[1] != 0) << 1; }
LW_INLINE vq vq_set1(uint8_t x) { return vdupq_n_u8(x); }
LW_INLINE vq vq_even_bytes(vq v) { return vreinterpretq_u8_u16(vandq_u16(vreinterpretq_u16_u8(v), vdupq_n_u16(255))); }
LW_INLINE vq vq_odd_bytes(vq v) { return vreinterpretq_u8_u16(vshrq_n_u16(vreinterpretq_u16_u8(v), 8)); }
LW_INLINE vq vq_add16(vq a, vq b)
{
	return vreinterpretq_u8_u16(vaddq_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b)));
}
LW_INLINE void vq_store16(uint16_t *p, vq v) { vst1q_u16(p, vreinterpretq_u16_u8(v)); }
LW_INLINE vq vq_mul16(vq a, vq b)
{
	return vreinterpretq_u8_u16(vmulq_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b)));
}
LW_INLINE vq vq_shift_in_4(vq before, vq v) { return vextq_u8(before, v, 12); }
LW_INLINE vq vq_shift_in_8(vq before, vq v) { return vextq_u8(before, v, 8); }
LW_INLINE uint64_t vq_less16_bits(vq a, vq b, vq x)
{
	int16x8_t bound = vreinterpretq_s16_u8(x);
	uint16x8_t less_a = vcltq_s16(vreinterpretq_s16_u8(a), bound),
	           less_b = vcltq_s16(vreinterpretq_s16_u8(b), bound);

	if (LW_LIKELY(!vmaxvq_u16(vorrq_u16(less_a, less_b))))
		return 0;
	return vq_nonzero_bits(vreinterpretq_u8_u16(vbslq_u16(vdupq_n_u16(255), less_a, less_b)));
}
LW_INLINE vq vq_set16(uint16_t x) { return vreinterpretq_u8_u16(vdupq_n_u16(x)); }
LW_INLINE vq vq_max16(vq a, vq b)
{
	return vreinterpretq_u8_u16(vmaxq_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b)));
}
LW_INLINE vq vq_mul_high16(vq a, vq b)
{
	uint16x8_t x = vreinterpretq_u16_u8(a), y = vreinterpretq_u16_u8(b);
	uint32x4_t low = vmull_u16(vget_low_u16(x), vget_low_u16(y));
	uint32x4_t high = vmull_u16(vget_high_u16(x), vget_high_u16(y));

	return vreinterpretq_u8_u16(vuzp2q_u16(vreinterpretq_u16_u32(low), vreinterpretq_u16_u32(high)));
}
LW_INLINE uint32_t vq_find16(const uint16_t *p, uint16_t x)
{
	const uint16x8_t all = vdupq_n_u16(x);
	uint8x16_t low =
	        vcombine_u8(vmovn_u16(vceqq_u16(vld1q_u16(p), all)), vmovn_u16(vceqq_u16(vld1q_u16(p + 8), all)));
	uint8x16_t high =
	        vcombine_u8(vmovn_u16(vceqq_u16(vld1q_u16(p + 16), all)), vmovn_u16(vceqq_u16(vld1q_u16(p + 24), all)));
	uint64_t bits = vq_nonzero_bits(low) | vq_nonzero_bits(high) << 16;

	return (uint32_t)__builtin_ctzll(bits | (uint64_t)1 << 32);
}
LW_INLINE int vq_any_ge16(vq a, vq b)
{
	return vmaxvq_u16(vcgeq_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b))) != 0;
}
LW_INLINE uint64_t vq_equal_bits(vq a, vq x, vq b, vq y)
{
	return vq_nonzero_bits(vandq_u8(vceqq_u8(a, x), vceqq_u8(b, y)));
}

LW_INLINE void vq_store(uint8_t *p, vq v) { vst1q_u8(p, v); }
LW_INLINE vq vq_shift_in_1(vq before, vq v) { return vextq_u8(before, v, 15); }
LW_INLINE int vq_any_range(vq v, uint8_t low, uint8_t n)
{
	return vmaxvq_u8(vcltq_u8(vsubq_u8(v, vdupq_n_u8(low)), vdupq_n_u8(n))) != 0;
}
LW_INLINE uint64_t vq_range_bits(vq v, uint8_t low, uint8_t n)
{
	return vq_nonzero_bits(vcltq_u8(vsubq_u8(v, vdupq_n_u8(low)), vdupq_n_u8(n)));
}
LW_INLINE vq vq_fill_bits(vq v, uint64_t mask, uint8_t c)
{
	static const uint8_t bit[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
	uint8x16_t all = vcombine_u8(vdup_n_u8((uint8_t)mask), vdup_n_u8((uint8_t)(mask >> 8)));

	return vbslq_u8(vtstq_u8(all, vld1q_u8(bit)), vdupq_n_u8(c), v);
}
LW_INLINE int vq_any(vq v) { return vmaxvq_u8(v) != 0; }
LW_INLINE vq vq_differ2(vq a, vq x, vq b, vq y) { return vq_or(vq_xor(a, x), vq_xor(b, y)); }
LW_INLINE vq vq_min(vq a, vq b) { return vminq_u8(a, b); }
LW_INLINE int vq_any_zero(vq v) { return vminvq_u8(v) == 0; }
LW_INLINE vq vq_continued(vq v, vq y) { return vandq_u8(v, vcltq_s8(vreinterpretq_s8_u8(y), vdupq_n_s8(-64))); }
LW_INLINE vq vq_where(vq v, vq m) { return vandq_u8(v, vtstq_u8(m, m)); }
typedef uint8x16x2_t vq32;
LW_INLINE vq32 vq32_load(const uint8_t *p) { return (vq32) { { vld1q_u8(p), vld1q_u8(p + 16) } }; }
LW_INLINE vq vq_lookup_from(vq32 t, vq v, uint8_t low) { return vqtbl2q_u8(t, vsubq_u8(v, vdupq_n_u8(low))); }
LW_INLINE vq vq_lookup32(vq32 t, vq i) { return vqtbl2q_u8(t, i); }
typedef uint8x16x4_t vq64;
LW_INLINE vq64 vq64_load(const uint8_t *p)
{
	return (vq64) { { vld1q_u8(p), vld1q_u8(p + 16), vld1q_u8(p + 32), vld1q_u8(p + 48) } };
}
LW_INLINE vq vq_lookup64(vq64 t, vq i) { return vqtbl4q_u8(t, i); }

#endif
