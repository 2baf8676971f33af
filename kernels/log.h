/* SPDX-License-Identifier: Apache-2.0 */
/* A logarithm whose bits are the same everywhere; those of libm's differ between CPUs and versions. */
#ifndef LW_LOG_H
#define LW_LOG_H

#include <stdint.h>
#include <string.h>

/*
 * The natural logarithm of a positive, normal, finite x, within one unit in the last place.
 *
 * x = 2^e * m with m in [sqrt(1/2), sqrt(2)), so log x = e * log 2 + log m. With f = m - 1 and s = f / (2 + f), log m
 * is 2 * atanh s, whose series 2 * (s + s^3 / 3 + s^5 / 5 + ...) ends after s^23: |s| < 0.1716, and the next term is
 * below 2^-63 of the sum. Adding 2 * s itself would round away too much, so 2 * s = f - s * f is written with the
 * square h = f^2 / 2 taken out: log m = f - (h - s * (h + rest)), where f is exact and the rest is small beside it.
 * log 2 is split so that e times its upper part is exact.
 *
 * Only additions, multiplications and one division, so any IEEE 754 machine gives these bits if the compiler does not
 * fuse (-ffp-contract=off).
 */
static inline double lw_log_f64(double x)
{
	static const double log2_upper = 0x1.62e42fefa0000p-1, log2_lower = 0x1.cf79abc9e3b3ap-40;
	uint64_t bits;
	int64_t e;
	double m, f, s, z, h, series;

	/* Adding the distance from sqrt(1/2) to 1 carries into the exponent exactly from sqrt(2) on. */
	memcpy(&bits, &x, sizeof bits);
	bits += 0x3ff0000000000000 - 0x3fe6a09e667f3bcd;
	e = (int64_t)(bits >> 52) - 1023;
	bits = (bits & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd;
	memcpy(&m, &bits, sizeof m);

	f = m - 1;
	s = f / (2 + f);
	z = s * s;
	h = 0.5 * f * f;
	series = 2.0 / 23;
	for (int n = 21; n >= 3; n -= 2)
		series = series * z + 2.0 / n;
	series *= z;
	return (double)e * log2_upper + (f - (h - (s * (h + series) + (double)e * log2_lower)));
}

#endif
