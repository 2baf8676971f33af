/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dot_i8_rows with SDOT, which adds four products of signed bytes to each 32-bit lane.
 */
#include "int8/int8_neon.h"

LW_INLINE vi vi_dot(vi sums, ve query, ve row)
{
#if LW_NEON_VIA_SIMDE
	return vdotq_s32(sums, query, row);
#else
	/*
	 * gcc 12's vdotq_s32 and the assembler want all of ARMv8.2 beside the extension. The tier promises SDOT alone, so
	 * only this instruction is assembled for ARMv8.2 and the compiler is held to ARMv8.0.
	 */
	__asm__(".arch armv8.2-a+dotprod\n\tsdot %0.4s, %1.16b, %2.16b\n\t.arch armv8-a"
	        : "+w"(sums)
	        : "w"(query), "w"(row));
	return sums;
#endif
}

#include "int8/int8_rows.h"
