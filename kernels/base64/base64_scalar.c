/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of base64: one group of three bytes, four characters, after the other. */
#include "common.h"

#include "base64_tables.h"

void LW_FN(base64_encode)(const uint8_t *in, size_t n_groups, int url, uint8_t *out)
{
	for (size_t i = 0; i < n_groups; i++)
		lw_base64_encode_group(in + 3 * i, out + 4 * i, url);
}

size_t LW_FN(base64_decode)(const uint8_t *in, size_t n_groups, int url, uint8_t *out)
{
	size_t i = 0;

	while (i < n_groups && lw_base64_decode_group(in + 4 * i, out + 3 * i, url))
		i++;
	return i;
}
