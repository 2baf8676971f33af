/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What moves the chosen bytes of eight to the front: byte k of lw_compress_8[mask] is the number of the k-th set bit of
 * the mask, the control of a byte shuffle.
 */
#ifndef LW_VEC_BYTES_H
#define LW_VEC_BYTES_H

#include <stdint.h>

#define LW_BELOW(m, bit) ((m) & ((1 << (bit)) - 1))
#define LW_ONES(m) \
	(((m) & 1) + ((m) >> 1 & 1) + ((m) >> 2 & 1) + ((m) >> 3 & 1) + ((m) >> 4 & 1) + ((m) >> 5 & 1) + \
	 ((m) >> 6 & 1) + ((m) >> 7 & 1))
#define LW_PLACE(m, bit) ((uint64_t)((m) >> (bit) & 1 ? (bit) : 0) << 8 * LW_ONES(LW_BELOW(m, bit)) % 64)
#define LW_C1(m) \
	(LW_PLACE(m, 1) | LW_PLACE(m, 2) | LW_PLACE(m, 3) | LW_PLACE(m, 4) | LW_PLACE(m, 5) | LW_PLACE(m, 6) | \
	 LW_PLACE(m, 7))
#define LW_C4(m)  LW_C1(m), LW_C1((m) + 1), LW_C1((m) + 2), LW_C1((m) + 3)
#define LW_C16(m) LW_C4(m), LW_C4((m) + 4), LW_C4((m) + 8), LW_C4((m) + 12)
#define LW_C64(m) LW_C16(m), LW_C16((m) + 16), LW_C16((m) + 32), LW_C16((m) + 48)

__attribute__((unused)) static const uint64_t lw_compress_8[256] = { LW_C64(0), LW_C64(64), LW_C64(128), LW_C64(192) };

#undef LW_BELOW
#undef LW_ONES
#undef LW_PLACE
#undef LW_C1
#undef LW_C4
#undef LW_C16
#undef LW_C64

#endif
