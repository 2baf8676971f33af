/* SPDX-License-Identifier: Apache-2.0 */
/* loop_step (kernel_types.h) over 32 periods at a time: the comparison is the mask under which counters go on. */
#include <immintrin.h>

#include "common.h"

size_t LW_FN(loop_step)(const uint32_t *history, uint32_t token, size_t n_lanes, uint16_t *run,
                        const uint16_t *threshold)
{
	const __m512i all = _mm512_set1_epi32((int)token), one = _mm512_set1_epi16(1);
	size_t first = n_lanes;

	for (size_t i = 0; i < n_lanes; i += 32) {
		uint32_t low = _mm512_cmpeq_epi32_mask(all, _mm512_loadu_si512(history + i));
		uint32_t high = _mm512_cmpeq_epi32_mask(all, _mm512_loadu_si512(history + i + 16));
		__m512i count = _mm512_maskz_adds_epu16(low | high << 16, _mm512_loadu_si512(run + i), one);
		uint32_t hit = _mm512_cmpge_epu16_mask(count, _mm512_loadu_si512(threshold + i));

		_mm512_storeu_si512(run + i, count);
		if (LW_UNLIKELY(hit) && first == n_lanes)
			first = i + (size_t)__builtin_ctz(hit);
	}
	return first;
}
