/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for case folding: character by character. */
#include "common.h"
#include "text.h"

size_t LW_FN(fold_case)(const unsigned char *text, size_t n, unsigned char *out)
{
	for (size_t at = 0; at < n;) {
		unsigned char folded[LW_FOLDED_BYTES];
		size_t n_folded, length = lanewise_fold_character(text + at, n - at, folded, &n_folded);

		if (n_folded != length)
			return at;
		memcpy(out + at, folded, length);
		at += length;
	}
	return n;
}
