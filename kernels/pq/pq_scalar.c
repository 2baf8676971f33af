/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for the kernels of lanewise/pq.h. */
#include "scalar.h"

void LW_FN(pq_nearest)(const float *points, size_t n, size_t ld, const float *centroids, size_t width, size_t n_lanes,
                       uint8_t *code, size_t code_stride)
{
	for (size_t p = 0; p < n; p++) {
		float least = INFINITY;
		size_t best = 0;

		for (size_t c = 0; c < n_lanes; c++) {
			float sum = 0;

			for (size_t i = 0; i < width; i++) {
				float difference = points[p * ld + i] - centroids[i * n_lanes + c];

				sum = lw_fma_f32(difference, difference, sum);
			}
			if (sum < least) {
				least = sum;
				best = c;
			}
		}
		code[p * code_stride] = (uint8_t)best;
	}
}

void LW_FN(pq_sums)(const uint8_t *tables, const uint8_t *block, size_t n_parts, uint16_t *sums)
{
	for (size_t r = 0; r < 128; r++) {
		uint32_t sum = 0;

		for (size_t part = 0; part < n_parts; part++) {
			uint8_t both = block[part * 64 + r % 64];

			sum += tables[part * 16 + (r < 64 ? both & 15 : both >> 4)];
		}
		sums[r] = (uint16_t)sum;
	}
}
