/* SPDX-License-Identifier: Apache-2.0 */
/* scan_join: a piece is loaded by a mask. */
#include <immintrin.h>

#include "scan/scan_join.h"

LW_INLINE void copy_piece(uint8_t *out, const uint8_t *bytes, size_t n)
{
	__mmask32 there = (__mmask32)((UINT64_C(1) << n) - 1);

	_mm256_storeu_si256((__m256i *)out, _mm256_maskz_loadu_epi8(there, bytes));
}

LW_SCAN_JOIN(copy_piece)
