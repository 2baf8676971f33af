/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of bytes with SDOT and UDOT, which add four products of signed or unsigned bytes to each 32-bit lane.
 */
#include "int8/int8_neon.h"

#if LW_NEON_VIA_SIMDE

LW_INLINE vi dot_signed(vi sums, ve a, ve b) { return vdotq_s32(sums, a, b); }

LW_INLINE vi dot_unsigned(vi sums, ve a, ve b)
{
	return vreinterpretq_s32_u32(
	        vdotq_u32(vreinterpretq_u32_s32(sums), vreinterpretq_u8_s8(a), vreinterpretq_u8_s8(b)));
}

#else

/*
 * gcc 12's vdotq_s32 and the assembler want all of ARMv8.2 beside the extension. The tier promises these instructions alone,
 * so only they are assembled for ARMv8.2 and the compiler is held to ARMv8.0.
 */
#define LW_DOT(instruction, sums, a, b) \
	__asm__(".arch armv8.2-a+dotprod\n\t" instruction " %0.4s, %1.16b, %2.16b\n\t.arch armv8-a" \
	        : "+w"(sums) \
	        : "w"(a), "w"(b))

LW_INLINE vi dot_signed(vi sums, ve a, ve b)
{
	LW_DOT("sdot", sums, a, b);
	return sums;
}

LW_INLINE vi dot_unsigned(vi sums, ve a, ve b)
{
	LW_DOT("udot", sums, a, b);
	return sums;
}

#endif

#include "int8/int8_rows.h"
