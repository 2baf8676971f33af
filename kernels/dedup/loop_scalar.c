/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for the kernel behind lanewise_loop: period by period. */
#include "common.h"

size_t LW_FN(loop_step)(const uint32_t *history, uint32_t token, size_t n_lanes, uint16_t *run,
                        const uint16_t *threshold)
{
	size_t first = n_lanes;

	for (size_t i = 0; i < n_lanes; i++) {
		if (history[i] != token)
			run[i] = 0;
		else if (run[i] < UINT16_MAX)
			run[i]++;
		if (run[i] >= threshold[i] && first == n_lanes)
			first = i;
	}
	return first;
}
