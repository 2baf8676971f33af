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

/* ---------------------------------------------------------------- shingles */

/* The widest shingle, in words or characters. */
#define LANEWISE_SHINGLE_MAX_WIDTH 32

/*
 * The hashes of all runs of `width` neighbouring words of a text, in order: XXH3 with 64 bits and `seed` of the words
 * as text.h has them, folded, with one space between two. A text of fewer words has one run, of all its words, and a text
 * without words has none. *n is their number; it is at most n_bytes. O(n_bytes * width).
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, or `width` is not 1 ... LANEWISE_SHINGLE_MAX_WIDTH.
 * LANEWISE_ERROR_CAPACITY: there are more than `capacity`; the first *n have been written.
 */
LANEWISE_API lanewise_status lanewise_shingles_words(const char *text, size_t n_bytes, size_t width, uint64_t seed,
                                                     uint64_t *hashes, size_t capacity, size_t *n);

/*
 * The same for runs of `width` neighbouring characters, as their bytes stand in the text; lanewise_normalize (dedup.h)
 * before it makes spacing and case the same. A character is any byte and up to three continuations (0x80 ... 0xbf) behind
 * it, so any bytes are fine.
 */
LANEWISE_API lanewise_status lanewise_shingles_chars(const char *text, size_t n_bytes, size_t width, uint64_t seed,
                                                     uint64_t *hashes, size_t capacity, size_t *n);

/*
 * The same hashes of a text in pieces cut anywhere, in constant memory:
 *
 *     shingles = lanewise_shingles_begin(scratch, LANEWISE_SHINGLES_WORDS, width, seed);
 *     for each piece, and at the end with lanewise_shingles_finish:
 *         lanewise_shingles_feed(shingles, piece, n_bytes);
 *         while ((n = lanewise_shingles_next(shingles, hashes, capacity)) > 0) ...
 */
typedef struct lanewise_shingles lanewise_shingles;

enum { LANEWISE_SHINGLES_WORDS = 0, LANEWISE_SHINGLES_CHARS = 1 };

/* Bytes of scratch for one text under way, some 33 KiB. */
LANEWISE_API size_t lanewise_shingles_scratch_size(void);

/* Begins a text in `scratch`, aligned as by malloc. NULL if it is not or is NULL, or an argument is out of range. */
LANEWISE_API lanewise_shingles *lanewise_shingles_begin(void *scratch, int32_t unit, size_t width, uint64_t seed);

/*
 * The next piece of the text; it must stay as it is until lanewise_shingles_next has returned 0, which must come before the
 * next call of feed or finish. `text` may be NULL if n_bytes is 0.
 */
LANEWISE_API void lanewise_shingles_feed(lanewise_shingles *shingles, const char *text, size_t n_bytes);

/* The text has ended; the hashes that only its end completes come from lanewise_shingles_next. */
LANEWISE_API void lanewise_shingles_finish(lanewise_shingles *shingles);

/* Writes the next hashes, at most `capacity` > 0; how many. 0: more text is needed, or there are no more. */
LANEWISE_API size_t lanewise_shingles_next(lanewise_shingles *shingles, uint64_t *hashes, size_t capacity);

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

/*
 * Signatures of many sets in one call: row r, at rows + r * ld (ld >= k), becomes the signature of hashes[offsets[r] ...
 * offsets[r + 1]), whatever it held, as lanewise_minhash_begin and the update above make it; for buckets also the finish.
 * `offsets` has n_sets + 1 elements, ascending. LANEWISE_ERROR_TOO_LARGE: more than 4096 buckets.
 */
LANEWISE_API void lanewise_minhash_mul32_rows(const uint64_t *hashes, const uint64_t *offsets, size_t n_sets,
                                              const uint32_t *a, const uint32_t *b, size_t k, uint32_t *rows,
                                              size_t ld);
LANEWISE_API void lanewise_minhash_mul64_rows(const uint64_t *hashes, const uint64_t *offsets, size_t n_sets,
                                              const uint64_t *a, const uint64_t *b, size_t k, uint32_t *rows,
                                              size_t ld);
LANEWISE_API void lanewise_minhash_mod61_rows(const uint32_t *hashes, const uint64_t *offsets, size_t n_sets,
                                              const uint64_t *a, const uint64_t *b, size_t k, uint32_t *rows,
                                              size_t ld);
LANEWISE_API lanewise_status lanewise_minhash_buckets_rows(const uint64_t *hashes, const uint64_t *offsets,
                                                           size_t n_sets, size_t k, uint32_t *rows, size_t ld);

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

/* --------------------------------------------------------------------- LSH */

/*
 * Finds similar signatures without comparing all pairs: a signature is cut into n_bands bands of n_rows numbers, and two are
 * candidates if they agree in a whole band (Leskovec, Rajaraman and Ullman, "Mining of massive datasets", 3.4). Of sets
 * with Jaccard similarity s a share of 1 - (1 - s^n_rows)^n_bands becomes candidates. Candidates are then verified, so
 * no two signatures count as similar for an equal band alone, nor for a chain of others between them.
 *
 * A bucket, all that agree in one band, holds its first `bucket_items` items: boilerplate that thousands share costs no
 * more than that. Who comes later is found by other bands only. So one signature costs O(n_bands * (n_rows + bucket_items))
 * and its verifications, at most n_bands * bucket_items of them, whatever the data are. Results depend on nothing but the
 * signatures and their order.
 *
 * Memory: at most 4 * n_hashes + 47 * n_bands + 4 bytes for each item and some KiB, all allocated at creation, if as many
 * items as max_items are reserved. Else memory grows with the items, and up to three times as much is held while it does.
 *
 * One at a time may use it.
 */
typedef struct lanewise_lsh lanewise_lsh;

typedef struct lanewise_lsh_options {
	size_t struct_size; /* sizeof(lanewise_lsh_options) */
	uint32_t n_hashes;  /* numbers of a signature, 1 ... 4096 */
	uint32_t n_bands;   /* n_bands * n_rows <= n_hashes; both 0: chosen by lanewise_lsh_choose */
	uint32_t n_rows;
	uint32_t bucket_items;  /* 0: 64; at most 1048575 */
	double threshold;       /* similar is what has at least this similarity; 0 < threshold <= 1 */
	double false_positives; /* their weight when bands are chosen; 0: 0.1 */
	uint64_t max_items;     /* no more can be added; 0: 2^32 - 2 */
	uint64_t reserve_items; /* room for so many is allocated at creation; at most max_items */
} lanewise_lsh_options;

/*
 * Of all *n_bands * *n_rows <= n_hashes (1 ... 4096), those with the least
 *     w * (integral from 0 to threshold of P) + (1 - w) * (integral from threshold to 1 of 1 - P), w = false_positives,
 * where P = 1 - (1 - s^n_rows)^n_bands is the chance that a pair of similarity s becomes a candidate. As candidates are
 * verified, a false positive costs time but a false negative is lost: w = 0.1 finds most; 0.5 is datasketch's default.
 *
 * LANEWISE_ERROR_ARGUMENT: n_hashes, threshold (0 < threshold <= 1) or false_positives (0 < w < 1) is out of range.
 */
LANEWISE_API lanewise_status lanewise_lsh_choose(double threshold, uint32_t n_hashes, double false_positives,
                                                 uint32_t *n_bands, uint32_t *n_rows);

/*
 * LANEWISE_ERROR_ARGUMENT, with an error that names the field; LANEWISE_ERROR_NO_MEMORY; LANEWISE_ERROR_TOO_LARGE: room
 * for reserve_items is not addressable.
 */
LANEWISE_API lanewise_status lanewise_lsh_create(const lanewise_lsh_options *options,
                                                 const lanewise_allocator *allocator, lanewise_lsh **lsh,
                                                 lanewise_error *error);
LANEWISE_API void lanewise_lsh_destroy(lanewise_lsh *lsh);

/* Items added, which are numbered from 0, and the bands in use. */
LANEWISE_API uint64_t lanewise_lsh_count(const lanewise_lsh *lsh);
LANEWISE_API uint32_t lanewise_lsh_n_bands(const lanewise_lsh *lsh);
LANEWISE_API uint32_t lanewise_lsh_n_rows(const lanewise_lsh *lsh);

/*
 * Adds a signature, which is copied; its number goes to *item, which may be NULL. LANEWISE_ERROR_CAPACITY: there are
 * max_items; LANEWISE_ERROR_NO_MEMORY. Both leave all as it was.
 */
LANEWISE_API lanewise_status lanewise_lsh_add(lanewise_lsh *lsh, const uint32_t *signature, uint64_t *item);

/* No signature has more candidates: n_bands * bucket_items, or all items. */
LANEWISE_API size_t lanewise_lsh_candidates_bound(const lanewise_lsh *lsh);

/*
 * The items that agree with a signature in a band, ascending, unverified. LANEWISE_ERROR_CAPACITY: there are more than
 * `capacity`; *n is how many, and `items` holds nothing of use.
 */
LANEWISE_API lanewise_status lanewise_lsh_candidates(lanewise_lsh *lsh, const uint32_t *signature, uint64_t *items,
                                                     size_t capacity, size_t *n);

/*
 * How similar the signature at hand is to an item, from 0 to 1; for those who keep more than signatures. It must not use
 * the lsh. NULL stands for the estimate from the signatures, lanewise_minhash_similarity.
 */
typedef double lanewise_lsh_similarity_fn(void *context, uint64_t item);

typedef struct lanewise_lsh_match {
	uint64_t item;
	double similarity;
} lanewise_lsh_match;

/*
 * The candidates with similarity >= threshold, the most similar first, of equal ones the lower number: as many as there are
 * or `capacity` allows; *n is how many were written.
 */
LANEWISE_API lanewise_status lanewise_lsh_find(lanewise_lsh *lsh, const uint32_t *signature,
                                               lanewise_lsh_similarity_fn *similarity, void *context,
                                               lanewise_lsh_match *matches, size_t capacity, size_t *n);

/*
 * Near dedup, keeping the first: if lanewise_lsh_find finds any, *match becomes the first of them and nothing is added.
 * Else the signature is added, and *match gets its number and the similarity -1. So what is dropped is similar to something
 * that stayed, never only to something else that was dropped.
 */
LANEWISE_API lanewise_status lanewise_lsh_keep_first(lanewise_lsh *lsh, const uint32_t *signature,
                                                     lanewise_lsh_similarity_fn *similarity, void *context,
                                                     lanewise_lsh_match *match);

#ifdef __cplusplus
}
#endif

#endif
