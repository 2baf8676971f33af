/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A range of code points as UTF-8 sees it: the order of code points is that of their bytes, so those from `low` to below
 * `end` are told by comparing bytes, without decoding.
 */
#ifndef LW_UTF8_RANGE_H
#define LW_UTF8_RANGE_H

#include <stdint.h>

struct lw_utf8_range {
	uint8_t low[4], end[4];
	int n_low, n_end; /* bytes of them, without 80 at the end: any continuation reaches that */
};

#endif
