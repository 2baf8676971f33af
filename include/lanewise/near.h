/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/near.h - near duplicates: texts that share most of their words.
 *
 *   lanewise_shingles_words      a text as a set of 64-bit hashes, of runs of words or characters
 *   lanewise_hash_set_u64        prepares such sets for lanewise_jaccard_u64 (evaluate.h), which compares them exactly
 *   lanewise_minhash_...         a signature per set from which that is estimated; four families
 *   lanewise_simhash_64          64 bits per set; similar sets differ in few of them
 *   lanewise_lsh                 finds similar signatures among many; keeps the first of near duplicates
 *
 * Everything but lanewise_lsh works in the caller's memory, is reentrant and runs on the calling thread. Sizes of 0 are
 * fine, and a pointer to nothing may be NULL. Outputs must not overlap inputs.
 */
#ifndef LANEWISE_NEAR_H
#define LANEWISE_NEAR_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ----------------------------------------------------------------- MinHash */

/*
 * A signature has k numbers of 32 bits (Broder, "On the resemblance and containment of documents", 1997): number i is the
 * least that function h_i takes over the hashes of the set. For well mixed hashes, those of XXH3 say, the share of numbers
 * in which two signatures agree estimates the Jaccard similarity J of the sets, with a standard deviation of
 * sqrt(J * (1 - J) / k).
 *
 * A signature begins with lanewise_minhash_begin. The update functions take n more hashes, in any order and any pieces;
 * repetitions change nothing. a and b are the parameters of the k functions, the same for all signatures that are to be
 * compared. Only signatures of one family can be compared. Time is O(n * k).
 */

/* The signature of the empty set: k times 0xffffffff. */
LANEWISE_API void lanewise_minhash_begin(uint32_t *signature, size_t k);

/*
 * h_i(x) = a[i] * x + b[i] modulo 2^32; of each hash the lower 32 bits count. a[i] must be odd. The fastest family. With its
 * parameters and hashes finalised as it does (MurmurHash3's fmix32), these are the signatures of the Python package
 * datasketch from 2.0 on (its scheme "affine32").
 */
LANEWISE_API void lanewise_minhash_mul32(const uint64_t *hashes, size_t n, const uint32_t *a, const uint32_t *b,
                                         size_t k, uint32_t *signature);

/* Parameters for it: from the outputs of SplitMix64 begun with `seed`, a[i] the lower half of output i, made odd, b[i] the
 * upper half. */
LANEWISE_API void lanewise_minhash_mul32_parameters(uint64_t seed, uint32_t *a, uint32_t *b, size_t k);

/*
 * h_i(x) = the upper 32 bits of a[i] * x + b[i] modulo 2^64: the signatures of the Python package rensa 0.4 (its RMinHash),
 * whose parameters for a seed the second function gives.
 */
LANEWISE_API void lanewise_minhash_mul64(const uint64_t *hashes, size_t n, const uint64_t *a, const uint64_t *b,
                                         size_t k, uint32_t *signature);
LANEWISE_API void lanewise_minhash_mul64_parameters(uint64_t seed, uint64_t *a, uint64_t *b, size_t k);

/*
 * h_i(x) = the lower 32 bits of (a[i] * x + b[i] modulo 2^64) modulo 2^61 - 1: the signatures of the Python package
 * datasketch before 2.0 (scheme "legacy" from then on), with its parameters `permutations` and hashes of 32 bits.
 */
LANEWISE_API void lanewise_minhash_mod61(const uint32_t *hashes, size_t n, const uint64_t *a, const uint64_t *b,
                                         size_t k, uint32_t *signature);

/*
 * The family for long texts, in O(n): one function, and k buckets that each keep the least of theirs (Li, Owen and Zhang,
 * "One permutation hashing", 2012). Hash x goes to bucket (x >> 32) * k >> 32 with the value of its lower half, but
 * 0xfffffffe for 0xffffffff, which marks an empty bucket. k is at most 2^32 - 1.
 *
 * `finish` makes the signature that may be compared: an empty bucket takes the value of the first that was not empty of
 * the buckets that lie so many before it, cyclically, as a fixed sequence of random offsets says (Mai et al., "On
 * densification for MinWise hashing", 2020). The buckets of the empty set stay empty. Updates go on with the buckets as
 * they were. O(k log k) expected if at most 64, or a constant share, of them are not empty, else at most O(k^2).
 * Sets of less than some 4 * k hashes are estimated better by the other families.
 */
LANEWISE_API void lanewise_minhash_buckets(const uint64_t *hashes, size_t n, uint32_t *buckets, size_t k);
LANEWISE_API void lanewise_minhash_buckets_finish(const uint32_t *buckets, size_t k, uint32_t *signature);

/* The signature (or the buckets) of the union: signature[i] becomes the lesser of itself and other[i]. */
LANEWISE_API void lanewise_minhash_merge(uint32_t *signature, const uint32_t *other, size_t k);

/* The share of the k numbers in which two signatures agree; 0 for k = 0. */
LANEWISE_API double lanewise_minhash_similarity(const uint32_t *a, const uint32_t *b, size_t k);

/* out[r] = how many of the k numbers agree in `signature` and row r, at rows + r * ld; ld >= k, k < 2^32. */
LANEWISE_API void lanewise_minhash_matches(const uint32_t *signature, const uint32_t *rows, size_t n_rows, size_t k,
                                           size_t ld, uint32_t *out);

/*
 * Sorts hashes[0 ... n) in place and drops repetitions; how many are left. Of two sets in this form, lanewise_jaccard_u64
 * (evaluate.h) gives the exact Jaccard similarity. O(n log n).
 */
LANEWISE_API size_t lanewise_hash_set_u64(uint64_t *hashes, size_t n);

/* ----------------------------------------------------------------- SimHash */

/*
 * Bit j is set if, of the n hashes, more than half have it set (Charikar, "Similarity estimation techniques from rounding
 * algorithms", 2002); 0 for n = 0. Repetitions count. Two sets are compared by the number of bits in which they differ:
 * lanewise_hamming_bits over 8 bytes, or many at once, lanewise_hamming_bits_rows.
 */
LANEWISE_API uint64_t lanewise_simhash_64(const uint64_t *hashes, size_t n);

/* The same where hash i counts weights[i] times. */
LANEWISE_API uint64_t lanewise_simhash_64_weighted(const uint64_t *hashes, const uint16_t *weights, size_t n);

/*
 * In pieces: add adds to counts[j] how many of n more hashes (or of the weights of those that) have bit j set, and finish
 * gives the bits of which the count is more than half of `total`, the number of all hashes (or the sum of all weights).
 * Counts begin with zeros. add returns what it added to the total.
 */
LANEWISE_API uint64_t lanewise_simhash_add(const uint64_t *hashes, size_t n, uint64_t counts[64]);
LANEWISE_API uint64_t lanewise_simhash_add_weighted(const uint64_t *hashes, const uint16_t *weights, size_t n,
                                                    uint64_t counts[64]);
LANEWISE_API uint64_t lanewise_simhash_finish(const uint64_t counts[64], uint64_t total);

#ifdef __cplusplus
}
#endif

#endif
