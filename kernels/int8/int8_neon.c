/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of bytes without the dot-product instructions: SMULL and UMULL make 16-bit products, of which each fits (at most
 * 2^14 and 255^2), and SADALP and UADALP add them pairwise to 32-bit sums.
 */
#include "int8/int8_neon.h"

LW_INLINE vi dot_signed(vi sums, ve a, ve b)
{
	sums = vpadalq_s16(sums, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
	return vpadalq_s16(sums, vmull_s8(vget_high_s8(a), vget_high_s8(b)));
}

LW_INLINE vi dot_unsigned(vi sums, ve a, ve b)
{
	uint8x16_t x = vreinterpretq_u8_s8(a), y = vreinterpretq_u8_s8(b);
	uint32x4_t s = vreinterpretq_u32_s32(sums);

	s = vpadalq_u16(s, vmull_u8(vget_low_u8(x), vget_low_u8(y)));
	s = vpadalq_u16(s, vmull_u8(vget_high_u8(x), vget_high_u8(y)));
	return vreinterpretq_s32_u32(s);
}

#include "int8/int8_rows.h"
