/* SPDX-License-Identifier: Apache-2.0 */
/* What every kernel file includes: signatures, the name of this tier's implementations, and small scalar helpers. */
#ifndef LW_KERNELS_COMMON_H
#define LW_KERNELS_COMMON_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dispatch.h"

/* LW_FN(dot_f32) is lanewise_dot_f32_avx2 in the objects of tier avx2; LW_THIS_TIER comes from the build. */
#define LW_PASTE_(kernel, tier) lanewise_##kernel##_##tier
#define LW_PASTE(kernel, tier)  LW_PASTE_(kernel, tier)
#define LW_FN(kernel)           LW_PASTE(kernel, LW_THIS_TIER)

#define LW_INLINE      static inline __attribute__((always_inline))
#define LW_NOINLINE    __attribute__((noinline))
#define LW_LIKELY(x)   __builtin_expect(!!(x), 1)
#define LW_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* LW_ASSERT(condition): a documented precondition, checked in builds with LANEWISE_ASSERTIONS. */
#if defined(LANEWISE_ASSERTIONS)
#include <assert.h>
#define LW_ASSERT(condition) assert(condition)
#else
#define LW_ASSERT(condition) ((void)0)
#endif

/* What a caller's scratch must be aligned to: what malloc gives. */
enum { LW_SCRATCH_ALIGNMENT = _Alignof(max_align_t) };

LW_INLINE uint32_t lw_f32_bits(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof bits);
	return bits;
}

LW_INLINE float lw_f32_from_bits(uint32_t bits)
{
	float x;

	memcpy(&x, &bits, sizeof x);
	return x;
}

/* How a result leaves a kernel: -0 as +0, and every NaN as one, since CPUs make NaNs of different sign and payload. */
LW_INLINE float lw_f32_canonical(float x) { return x == x ? x + 0.0f : lw_f32_from_bits(0x7fc00000); }

#endif
