/* SPDX-License-Identifier: Apache-2.0 */
/* loop_step (kernel_types.h) over 16 periods at a time. */
#include <immintrin.h>

#include "common.h"

size_t LW_FN(loop_step)(const uint32_t *history, uint32_t token, size_t n_lanes, uint16_t *run,
                        const uint16_t *threshold)
{
	const __m256i all = _mm256_set1_epi32((int)token), one = _mm256_set1_epi16(1);
	size_t first = n_lanes;

	for (size_t i = 0; i < n_lanes; i += 16) {
		__m256i low = _mm256_cmpeq_epi32(all, _mm256_loadu_si256((const __m256i *)(history + i)));
		__m256i high = _mm256_cmpeq_epi32(all, _mm256_loadu_si256((const __m256i *)(history + i + 8)));
		/* Packing works within halves; the middle quarters change places. */
		__m256i equal = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
		__m256i count = _mm256_adds_epu16(_mm256_loadu_si256((const __m256i *)(run + i)), one);
		__m256i least = _mm256_loadu_si256((const __m256i *)(threshold + i));

		count = _mm256_and_si256(count, equal);
		_mm256_storeu_si256((__m256i *)(run + i), count);

		uint32_t hit =
		        (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi16(_mm256_max_epu16(count, least), count));

		if (LW_UNLIKELY(hit) && first == n_lanes)
			first = i + (size_t)__builtin_ctz(hit) / 2;
	}
	return first;
}
