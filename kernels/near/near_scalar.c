/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for the kernels of lanewise/near.h: the formulas of the header, as they stand there. */
#include "common.h"

void LW_FN(minhash_mul32)(const uint64_t *hashes, size_t n, const uint32_t *a, const uint32_t *b, size_t k,
                          uint32_t *signature)
{
	for (size_t i = 0; i < k; i++)
		for (size_t t = 0; t < n; t++) {
			uint32_t value = a[i] * (uint32_t)hashes[t] + b[i];

			if (value < signature[i])
				signature[i] = value;
		}
}

void LW_FN(minhash_mul64)(const uint64_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                          uint32_t *signature)
{
	for (size_t i = 0; i < k; i++)
		for (size_t t = 0; t < n; t++) {
			uint32_t value = (uint32_t)((a[i] * hashes[t] + b[i]) >> 32);

			if (value < signature[i])
				signature[i] = value;
		}
}

void LW_FN(minhash_mod61)(const uint32_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                          uint32_t *signature)
{
	const uint64_t prime = ((uint64_t)1 << 61) - 1;

	for (size_t i = 0; i < k; i++)
		for (size_t t = 0; t < n; t++) {
			uint32_t value = (uint32_t)((a[i] * hashes[t] + b[i]) % prime);

			if (value < signature[i])
				signature[i] = value;
		}
}

void LW_FN(minhash_matches)(const uint32_t *signature, const uint32_t *rows, size_t n_rows, size_t k, size_t ld,
                            uint32_t *out)
{
	for (size_t r = 0; r < n_rows; r++) {
		out[r] = 0;
		for (size_t i = 0; i < k; i++)
			out[r] += signature[i] == rows[r * ld + i];
	}
}

void LW_FN(bit_sums)(const uint64_t *words, size_t n, uint32_t sums[64])
{
	for (int bit = 0; bit < 64; bit++) {
		sums[bit] = 0;
		for (size_t i = 0; i < n; i++)
			sums[bit] += (uint32_t)(words[i] >> bit & 1);
	}
}

void LW_FN(weighted_bit_sums)(const uint64_t *words, const uint16_t *weights, size_t n, uint32_t sums[64])
{
	for (int bit = 0; bit < 64; bit++) {
		sums[bit] = 0;
		for (size_t i = 0; i < n; i++)
			sums[bit] += words[i] >> bit & 1 ? weights[i] : 0;
	}
}
