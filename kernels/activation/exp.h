/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The constants of exp for arguments of at most 0. x = n * log 2 + r, n an integer, |r| <= log(2) / 2; exp x = 2^n * exp r;
 * exp r by its series to r^7, whose next term is below 2^-27. log 2 is split so that n times its upper part is exact
 * (its last 10 bits are 0, and n has 7). LW_EXP_LOWEST is the least float whose exponential is at least 2^-126.
 */
#ifndef LW_EXP_H
#define LW_EXP_H

#define LW_EXP_LOWEST       (-0x1.5d589ep+6f)
#define LW_EXP_PER_LOG2     0x1.715476p+0f
#define LW_EXP_LOG2_UPPER   0x1.62e4p-1f
#define LW_EXP_LOG2_LOWER   0x1.7f7d1cp-20f
#define LW_EXP_COEFFICIENTS { 1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1, 1 }
enum { LW_EXP_TERMS = 8 };

#endif
