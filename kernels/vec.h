/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vocabulary in which templates (<f>_simd.c) are written: one header per vector width, the same names in each.
 *
 *   vf                     a vector of VF_LANES floats
 *   vf_zero vf_set1        constants
 *   vf_load vf_store       VF_LANES floats at any alignment
 *   vf_load_first(p, n)    the first n < VF_LANES floats at p, zeros behind; nothing else is read
 *   vf_store_first(p, v, n) the first n < VF_LANES lanes to p; nothing else is written
 *   vf_add vf_sub vf_mul   each rounded once
 *   vf_fma(a, b, c)        a * b + c, rounded once
 *   vf_canonical(v)        -0 to +0, NaN to 0x7fc00000, as lw_f32_canonical
 *   vf_sum(v)              the tail of the canonical tree in one vector, from VF_LANES lanes to one
 *   vf_sum_rows(v)         the same for VF_LANES vectors at once; lane r is the sum of v[r]
 *   vf_transpose(v)        of VF_LANES vectors: lane j of vector i becomes lane i of vector j
 *   vf_transpose_blocks(v) of four vectors: the same within each block of four lanes
 *
 *   vb                     a truth value per lane
 *   vf_ge vf_gt vf_eq      compare lanes; false for NaN
 *   vb_or vb_any           both or either; whether any lane is true
 *   vb_bits(m)             bit i of the result is lane i
 *   vf_select(m, a, b)     lane i is a's where m is true, else b's
 *   vf_min vf_max          of numbers (no NaN); the sign of a zero may be either
 *   vu_count(n, m)         n + 1 in lanes where m is true, n elsewhere
 *   vu_sum(n)              the sum of the lanes, modulo 2^32
 *   vf_compress(v, mask)   the lanes whose bits are set, moved together to the front; the rest is anything
 *   vu_compress(v, mask)   the same for 32-bit integers
 *   vu, vu_zero, vu_load, vu_store, vu_store_first, vu_iota(first)   VF_LANES uint32_t; iota is first, first + 1, ...
 *   vu_set1 vu_add vu_and vu_or   constants, sums modulo 2^32, bits
 *   vu_mul(a, b)           the lower 32 bits of each product
 *   vu_ge(a, b)            compare lanes, without sign
 *   vu_load_u16(p)         VF_LANES uint16_t at any alignment, widened
 *
 *   vf_load_f16 vf_load_bf16    VF_LANES 16-bit floats at any alignment, widened; NaN payloads may differ
 *   vf_load_f16_first(p, n)     the first n < VF_LANES of them, zeros behind; so vf_load_bf16_first
 *   vf_store_f16 vf_store_bf16  rounded to nearest, ties to even; the only NaN allowed is 0x7fc00000
 *
 *   vc                     64 bytes of text; masks of 64 bits have bit i for byte i
 *   vc_load vc_store       64 bytes at any alignment
 *   vc_load_first(p, n)    the first n < 64 bytes at p, zeros behind; nothing else is read
 *   vc_bits_eq(x, c)       which bytes are c
 *   vc_bits_high(x)        which bytes are 0x80 or more
 *   vc_bits_range(x, low, n) which bytes are in [low, low + n); n >= 1
 *   vm                     a truth value for each of 64 bytes, in the form that the CPU has it in
 *   vm_eq(x, c)            which bytes are c
 *   vm_equal(x, y)         which bytes are the same
 *   vm_and_eq(m, x, c)     vm_and(m, vm_eq(x, c))
 *   vm_and(a, b) vm_or(a, b)
 *   vm_bits(m)             the same as a mask of 64 bits
 *   vc_fill_range(x, low, n, c) bytes in that range become c
 *   vc_fill_bits(x, mask, c) bytes whose bits are set become c
 *   vc_fill_white(x, &mask) space and \t ... \r become spaces; mask is which
 *   vc_add_range(x, low, n, d) d is added to bytes in that range
 *   vc_store_without(p, x, mask) the bytes whose bits are not set, moved together, to p; the fewer are set, the better; may
 *                          write 64 bytes there
 *   vc_drop_behind(x, keep) bytes of the lowest bits that are set stay, the others come from one place on; the last is anything
 *   vc_compress_store(p, x, mask) the bytes whose bits are set, moved together, to p; may write 64 bytes there
 *
 *   vf_load_i32(p)         VF_LANES int32_t as floats, each rounded to nearest, ties to even
 *   vf_power_of_2(v)       2 to the power of lanes that are integers from -126 to 127
 *   vf_round(v)            each lane to the nearest integer, ties to even
 *   vf_store_i8(p, v)      lanes that are integers of magnitude at most 127, as VF_LANES int8_t
 *   vf_magnitude_bits(v)   the bits of each lane without its sign: they ascend with the magnitude, infinity is
 *                          0x7f800000, NaN above
 *   vu_max vu_max_lane     the greater of two, lane by lane; the greatest lane
 *
 *   vq                     a vector of VQ_LANES bytes
 *   vq_load                at any alignment
 *   vq_repeat16(p)         16 bytes, repeated to fill the vector
 *   vq_and vq_or vq_xor vq_add
 *   vq_add_saturated       sums that stop at 255
 *   vq_bit_counts(v)       how many bits of each byte are set
 *   vq_sum_bytes(v)        the sum of all bytes
 *   vq_low_half vq_high_half   the lower or upper four bits of each byte, as 0 ... 15
 *   vq_lookup(t, i)        t[i] for indices 0 ... 15; t is a vq_repeat16
 *   vq_ascii_index(v)      an index for vq_lookup that stands for the lower half of bytes below 128; of others t gives 0
 *   vq_fifth_bits(a, b, c, d)  bit 4 of each byte of a as bit 0, those of b, c and d as bits 1 to 3; the others are 0
 *   vq_nonzero_bits(v)     bit i of the 64-bit result: byte i is not 0
 *   vq_common_bits(a, b)   the same of a & b
 *   vq_and3(a, b, c)       a & b & c
 *   vq_quad_bits(v, x)     bit i of the result: the four bytes from 4 * i on, with sign, are none below those of x
 *   vq_nonzero64_bits(p)   bit i of the result: of the VQ_LANES / 8 uint64_t at p, p[i] is not 0
 *   vq_set1(x)             a constant
 *   vq_even_bytes vq_odd_bytes   bytes 0, 2, ... or 1, 3, ... as VQ_LANES / 2 uint16_t
 *   vq_add16(a, b)         sums of those, modulo 2^16
 *   vq_store16(p, v)       those, at any alignment
 *   vq_set16(x) vq_max16(a, b) the same as lanes of 16 bits without sign: a constant, the greater of two
 *   vq_mul_high16(a, b)    the upper halves of products of 16 bits without sign
 *   vq_find16(p, x)        the first of 32 uint16_t, at any alignment, that is x; 32 if none is
 *   vq_any_ge16(a, b)      whether any lane of 16 bits of a is at least that of b
 *   vq_equal_bits(a, x, b, y)  bit i of the 64-bit result: a[i] == x[i] and b[i] == y[i]
 *   vq_differ2(a, x, b, y) bytes that are 0 where a[i] == x[i] and b[i] == y[i]
 *   vq_min(a, b)           of bytes without sign; vq_any_zero(v): whether any byte is 0
 *   vq_mul16(a, b)         products of those, modulo 2^16
 *   vq_shift_in_4(before, v)  the last 4 bytes of `before`, then v but for its last 4; vq_shift_in_8 with 8
 *   vq_store               at any alignment
 *   vq_shift_in_1(before, v)  the last byte of `before`, then v but for its last
 *   vq_any_range(v, low, n)   whether any byte is in [low, low + n); n >= 1
 *   vq_range_bits(v, low, n)  bit i of the 64-bit result: byte i is in [low, low + n); n >= 1
 *   vq_fill_bits(v, mask, c)  bytes whose bits are set become c
 *   vq_any(v)              whether any byte is not 0
 *   vq_where(v, m)         the bytes of v where those of m are not 0, else 0
 *   vq_continued(v, y)     the bytes of v where those of y are 0x80 ... 0xbf, else 0
 *   vq32, vq64             tables of 32 and 64 bytes; vq32_load and vq64_load read them
 *   vq_lookup_from(t, v, low)  t[v - low] for bytes in [low, low + 32), else 0; t is a vq32
 *   vq_lookup32 vq_lookup64    of (t, i): t[i] for indices 0 ... 31 or 63; t is a vq32 or a vq64
 *   vq_less16_bits(a, b, x)   bits 2i and 2i + 1 of the 64-bit result: a[i] < x[i] and b[i] < x[i], as int16_t
 *
 * The canonical tree (vector.h): halves are added until four lanes are left, then neighbours.
 */
#ifndef LW_VEC_H
#define LW_VEC_H

#include "vec_bytes.h"

#if defined(LW_THIS_TIER_IS_avx512) || defined(LW_THIS_TIER_IS_avx512_clx)
#include "vec_avx512.h"
#elif defined(LW_THIS_TIER_IS_avx2)
#include "vec_avx2.h"
#elif defined(LW_THIS_TIER_IS_neon) || defined(LW_THIS_TIER_IS_neon_dot)
#include "vec_neon.h"
#else
#error "no vector tier selected: kernel files are compiled through the build's tier objects"
#endif

/* Vectors that hold the 32 partial sums of the canonical order. */
enum { VF_PARTS = 32 / VF_LANES };

/* The first step of the tree, 32 partial sums to one vector: 32 -> 16 -> 8 -> 4 lanes, as far as vectors go. */
LW_INLINE vf vf_fold(const vf parts[VF_PARTS])
{
	vf fold[VF_PARTS];

#pragma GCC unroll 8
	for (int j = 0; j < VF_PARTS; j++)
		fold[j] = parts[j];
#pragma GCC unroll 8
	for (int half = VF_PARTS / 2; half > 0; half /= 2)
#pragma GCC unroll 8
		for (int j = 0; j < half; j++)
			fold[j] = vf_add(fold[j], fold[j + half]);
	return fold[0];
}

#endif
