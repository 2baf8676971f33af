/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic that the scalar references share. */
#ifndef LW_SCALAR_H
#define LW_SCALAR_H

#include <float.h>
#include <math.h>

#include "common.h"

/*
 * a * b + c rounded once, as fmaf, without needing FMA instructions (libm's fmaf would do, but takes a locked
 * indirect call and, on CPUs without FMA, tens of nanoseconds).
 *
 * The product of two floats is exact in a double (24 + 24 <= 53 bits). Its sum with c is rounded to odd: if it is not
 * exact, the last bit of the neighbour nearer to zero is forced to 1. Rounding that to a float, with 53 >= 2 * 24 + 2
 * bits to spare, gives what rounding the exact sum would (Boldo and Melquiond, "Emulation of FMA and correctly
 * rounded sums: proved algorithms using rounding to odd", 2008).
 */
LW_INLINE float lw_fma_f32(float a, float b, float c)
{
#if defined(__ARM_FEATURE_FMA) || defined(__FMA__)
	return __builtin_fmaf(a, b, c);
#else
	double product = (double)a * (double)b;
	double sum = product + (double)c;

	/* Knuth's two-sum: sum + error is exactly product + c. Infinities and NaN make it NaN and need no correction. */
	double c_part = sum - product;
	double error = (product - (sum - c_part)) + ((double)c - c_part);

	if (error < 0 || error > 0) {
		uint64_t bits;

		memcpy(&bits, &sum, sizeof bits);
		if (!(bits & 1)) {
			bits += (error > 0) == (sum > 0) ? 1 : (uint64_t)-1;
			memcpy(&sum, &bits, sizeof sum);
		}
	}
	return (float)sum;
#endif
}

#endif
