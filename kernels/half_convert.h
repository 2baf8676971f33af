/* SPDX-License-Identifier: Apache-2.0 */
/* One 16-bit float to or from a float in plain integer arithmetic, for CPUs and emulations without instructions. */
#ifndef LW_HALF_CONVERT_H
#define LW_HALF_CONVERT_H

#include "common.h"

/* Subnormals are numbers of 2^-24; for the others the exponent moves from bias 15 to bias 127. */
LW_INLINE float lw_f16_to_f32(uint16_t half)
{
	uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = half & 0x7fff;

	if (rest > 0x7c00)
		return lw_f32_from_bits(0x7fc00000);
	if (rest == 0x7c00)
		return lw_f32_from_bits(sign | 0x7f800000);
	if (rest < 0x400)
		return lw_f32_from_bits(sign | lw_f32_bits((float)rest * 0x1p-24f));
	return lw_f32_from_bits(sign | ((rest << 13) + ((127 - 15) << 23)));
}

/*
 * Bits are cut off after half of what they are worth was added, less one unit unless the last bit that stays is 1: that
 * rounds to nearest, ties to even, and carries into the exponent where it must. Below the smallest normal number the
 * float addition of 0.5, whose last bit is worth 2^-24, does the same.
 */
LW_INLINE uint16_t lw_f32_to_f16(float x)
{
	uint32_t bits = lw_f32_bits(x), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;

	if (rest > 0x7f800000)
		return 0x7e00;
	if (rest >= 0x477ff000) /* 65520 */
		return (uint16_t)(sign | 0x7c00);
	if (rest < 0x38800000) /* 2^-14 */
		return (uint16_t)(sign | (lw_f32_bits(lw_f32_from_bits(rest) + 0.5f) - lw_f32_bits(0.5f)));
	rest += 0xfff + (rest >> 13 & 1);
	return (uint16_t)(sign | ((rest - ((127 - 15) << 23)) >> 13));
}

LW_INLINE float lw_bf16_to_f32(uint16_t half)
{
	return (half & 0x7fff) > 0x7f80 ? lw_f32_from_bits(0x7fc00000) : lw_f32_from_bits((uint32_t)half << 16);
}

LW_INLINE uint16_t lw_f32_to_bf16(float x)
{
	uint32_t bits = lw_f32_bits(x);

	return x == x ? (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16) : 0x7fc0;
}

#endif
