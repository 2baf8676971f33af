/* SPDX-License-Identifier: Apache-2.0 */
/* loop_step (kernel_types.h) over 8 periods at a time. */
#include "vec.h"

size_t LW_FN(loop_step)(const uint32_t *history, uint32_t token, size_t n_lanes, uint16_t *run,
                        const uint16_t *threshold)
{
	const uint32x4_t all = vdupq_n_u32(token);
	const uint16x8_t one = vdupq_n_u16(1);
	size_t first = n_lanes;

	for (size_t i = 0; i < n_lanes; i += 8) {
		uint16x4_t low = vmovn_u32(vceqq_u32(all, vld1q_u32(history + i)));
		uint16x4_t high = vmovn_u32(vceqq_u32(all, vld1q_u32(history + i + 4)));
		uint16x8_t count = vandq_u16(vqaddq_u16(vld1q_u16(run + i), one), vcombine_u16(low, high));
		uint8x8_t hit = vmovn_u16(vcgeq_u16(count, vld1q_u16(threshold + i))); /* a byte per period */
		uint64_t hits = vget_lane_u64(vreinterpret_u64_u8(hit), 0);

		vst1q_u16(run + i, count);
		if (LW_UNLIKELY(hits) && first == n_lanes)
			first = i + (size_t)__builtin_ctzll(hits) / 8;
	}
	return first;
}
