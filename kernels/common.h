/* SPDX-License-Identifier: Apache-2.0 */
/* What every kernel file includes: signatures, the name of this tier's implementations, and small scalar helpers. */
#ifndef LW_KERNELS_COMMON_H
#define LW_KERNELS_COMMON_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#else
#include <math.h>
#endif

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

/*
 * Floats of a struct lw_f32_panel for so many queries: their own, those of eight rows, and room to align them. Where dims
 * are greater than LW_F32_PANEL_DIM fewer queries have a place in it; very few queries or elements need none.
 */
enum { LW_F32_PANEL_DIM = 1536 };
LW_INLINE size_t lw_f32_panel_floats(size_t n_queries, size_t dim)
{
	size_t n = n_queries < LW_F32_QUERIES ? n_queries : LW_F32_QUERIES;

	return n < 16 || dim < 32
	               ? 0
	               : (n + 8) * ((dim < LW_F32_PANEL_DIM ? dim + 127 : LW_F32_PANEL_DIM) / 128 * 128) + 16;
}

/* Bytes of a struct lw_i8_queries's panel: whole vectors of queries, and room to align them. */
LW_INLINE size_t lw_i8_panel_bytes(size_t n_queries, size_t dim) { return (n_queries + 15) / 16 * 16 * dim + 64; }

/* Eight bytes, the first in the lowest byte. */
LW_INLINE uint64_t lw_load_little_endian_64(const void *bytes)
{
	uint64_t x;

	memcpy(&x, bytes, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	return x;
}

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

/* The square root, rounded once: an instruction everywhere, but without optimisation gcc would call libm, which the
 * library does not need otherwise. */
LW_INLINE double lw_sqrt(double x)
{
#if defined(__SSE2__)
	__m128d v = _mm_set_sd(x);

	return _mm_cvtsd_f64(_mm_sqrt_sd(v, v));
#elif defined(__aarch64__)
	return vget_lane_f64(vsqrt_f64(vdup_n_f64(x)), 0);
#else
	return sqrt(x);
#endif
}

/* How a result leaves a kernel: -0 as +0, and every NaN as one, since CPUs make NaNs of different sign and payload. */
LW_INLINE float lw_f32_canonical(float x) { return x == x ? x + 0.0f : lw_f32_from_bits(0x7fc00000); }

#endif
