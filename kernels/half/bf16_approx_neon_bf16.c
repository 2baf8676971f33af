/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Approximate dot products of bfloat16 with BFDOT: the sum of the products of a pair is rounded to odd, added to the float,
 * and that rounded to odd again; subnormals are zeros. (BFMMLA would do two rows and two queries at a time, and half of that
 * would be for nothing with one query.) It was run under qemu alone, never on hardware.
 */
#include <arm_neon.h>

#include "common.h"

enum { VB_ELEMENTS = 8 };
typedef uint16x8_t vb;
typedef float32x4_t vs;

LW_INLINE vb vb_load(const uint16_t *p) { return vld1q_u16(p); }
LW_INLINE vb vb_load_first(const uint16_t *p, size_t n)
{
	uint16_t elements[VB_ELEMENTS] = { 0 };

	memcpy(elements, p, n * sizeof *p);
	return vb_load(elements);
}
LW_INLINE vs vs_zero(void) { return vdupq_n_f32(0); }
LW_INLINE vs vs_add(vs a, vs b) { return vaddq_f32(a, b); }

/* As in int8_neon_dot.c: only this instruction is assembled for ARMv8.2, and the compiler is held to ARMv8.0. */
LW_INLINE vs vs_dot(vs sums, vb a, vb b)
{
	__asm__(".arch armv8.2-a+bf16\n\tbfdot %0.4s, %1.8h, %2.8h\n\t.arch armv8-a" : "+w"(sums) : "w"(a), "w"(b));
	return sums;
}

LW_INLINE void vs_sum4(const vs v[4], float *out)
{
	vst1q_f32(out, vpaddq_f32(vpaddq_f32(v[0], v[1]), vpaddq_f32(v[2], v[3])));
}

#include "half/bf16_approx.h"
