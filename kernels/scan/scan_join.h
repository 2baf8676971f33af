/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan_join: pieces of a text, mostly of a few bytes, put together. A tier has copy_piece, which copies up to 32 bytes
 * without a branch on how many they are where that is what tokens have, since their lengths cannot be guessed.
 */
#ifndef LW_SCAN_JOIN_H
#define LW_SCAN_JOIN_H

#include <lanewise/scan.h>

#include "common.h"

enum { LW_SCAN_JOIN_MAX = 32 /* bytes that copy_piece writes, whatever a piece has */ };

#define LW_SCAN_JOIN(copy_piece) \
	size_t LW_FN(scan_join)(const struct lanewise_scan_piece *pieces, size_t n, uint8_t *out, size_t capacity, \
	                        size_t *n_bytes) \
	{ \
		size_t used = 0, i = 0; \
\
		for (; i < n && pieces[i].n_bytes <= capacity - used; i++) { \
			if (LW_LIKELY(pieces[i].n_bytes <= LW_SCAN_JOIN_MAX)) \
				copy_piece(out + used, pieces[i].bytes, pieces[i].n_bytes); \
			else \
				memcpy(out + used, pieces[i].bytes, pieces[i].n_bytes); \
			used += pieces[i].n_bytes; \
		} \
		*n_bytes = used; \
		return i; \
	}

#endif
