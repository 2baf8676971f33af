/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dot_i8_rows without the dot-product instructions: SMULL makes 16-bit products, of which each fits (at most 2^14), and
 * SADALP adds them pairwise to 32-bit sums.
 */
#include "int8/int8_neon.h"

LW_INLINE vi vi_dot(vi sums, ve query, ve row)
{
	sums = vpadalq_s16(sums, vmull_s8(vget_low_s8(query), vget_low_s8(row)));
	return vpadalq_s16(sums, vmull_s8(vget_high_s8(query), vget_high_s8(row)));
}

#include "int8/int8_rows.h"
