/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LW_SCAN_FEW_H
#define LW_SCAN_FEW_H

#include "common.h"

/*
 * 0 to 8 bytes, the first the lowest, and zeros, without a branch on how many, which compilers make of a choice; nothing
 * else is read.
 */
LW_INLINE uint64_t lw_scan_load_few(const uint8_t *bytes, size_t n)
{
	static const uint8_t none[4];
	uint64_t is_four = 0 - (uint64_t)(n >= 4), is_some = 0 - (uint64_t)(n > 0), sum;
	uintptr_t nowhere = (uintptr_t)none, there = (uintptr_t)bytes;
	const uint8_t *four = (const uint8_t *)((there & is_four) | (nowhere & ~is_four));
	const uint8_t *few = (const uint8_t *)((there & is_some) | (nowhere & ~is_some));
	size_t last = (n - 4) & is_four, end = (n - 1) & is_some, middle = n / 2;
	uint32_t low, high;

	memcpy(&low, four, 4);
	memcpy(&high, four + last, 4);
	sum = few[0] | (uint64_t)few[middle] << 8 * middle % 64 | (uint64_t)few[end] << 8 * end % 64;
	return (sum & ~is_four) | low | (uint64_t)high << 8 * last % 64;
}

#endif
