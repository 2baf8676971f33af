/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/bits.h - vectors of packed bits: Hamming distance and Jaccard similarity.
 *
 * A vector is n_bytes bytes of 8 bits; which bit stands for what does not matter. Unused bits of a last byte must be the
 * same in all vectors (and 0 for Jaccard). n_bytes is at most 2^29 - 1.
 *
 * Memory. Row r begins at rows + r * ld, with ld >= n_bytes counted in bytes; gaps are not read, nor is anything else
 * outside. Outputs must not overlap inputs. Sizes of 0 are fine, and a pointer to 0 bytes may be NULL.
 *
 * Threads. Reentrant; each call runs on the calling thread. Cost is O(n_bytes) or O(n_rows * n_bytes).
 */
#ifndef LANEWISE_BITS_H
#define LANEWISE_BITS_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How many bits differ. */
LANEWISE_API uint32_t lanewise_hamming_bits(const uint8_t *a, const uint8_t *b, size_t n_bytes);

/* out[r] = lanewise_hamming_bits(query, row r, n_bytes); out has n_rows elements. */
LANEWISE_API void lanewise_hamming_bits_rows(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes,
                                             size_t ld, uint32_t *out);

/* How many bits are set in both, divided by how many are set in either, rounded once; 0 if none is set in either. */
LANEWISE_API float lanewise_jaccard_bits(const uint8_t *a, const uint8_t *b, size_t n_bytes);

/* out[r] = lanewise_jaccard_bits(query, row r, n_bytes). */
LANEWISE_API void lanewise_jaccard_bits_rows(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes,
                                             size_t ld, float *out);

#ifdef __cplusplus
}
#endif

#endif
