/* SPDX-License-Identifier: Apache-2.0 */
/* MinHash, Jaccard and SimHash of lanewise/near.h around their kernels. */
#include <lanewise/near.h>

#include "common.h"
#include "sort.h"

enum { EMPTY = 0xffffffff, FEW = 64, MAX_BUCKETS = 4096 };

/* SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). */
static uint64_t split_mix(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* ----------------------------------------------------------------- MinHash */

void lanewise_minhash_begin(uint32_t *signature, size_t k)
{
	for (size_t i = 0; i < k; i++)
		signature[i] = EMPTY;
}

void lanewise_minhash_mul32(const uint64_t *hashes, size_t n, const uint32_t *a, const uint32_t *b, size_t k,
                            uint32_t *signature)
{
	if (n > 0 && k > 0)
		lw_kernels()->minhash_mul32(hashes, n, a, b, k, signature);
}

void lanewise_minhash_mul32_rows(const uint64_t *hashes, const uint64_t *offsets, size_t n_sets, const uint32_t *a,
                                 const uint32_t *b, size_t k, uint32_t *rows, size_t ld)
{
	for (size_t r = 0; r < n_sets; r++) {
		lanewise_minhash_begin(rows + r * ld, k);
		if (offsets[r] < offsets[r + 1])
			lanewise_minhash_mul32(hashes + offsets[r], (size_t)(offsets[r + 1] - offsets[r]), a, b, k,
			                       rows + r * ld);
	}
}

void lanewise_minhash_mul32_parameters(uint64_t seed, uint32_t *a, uint32_t *b, size_t k)
{
	for (size_t i = 0; i < k; i++) {
		uint64_t random = split_mix(&seed);

		a[i] = (uint32_t)random | 1;
		b[i] = (uint32_t)(random >> 32);
	}
}

void lanewise_minhash_mul64(const uint64_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                            uint32_t *signature)
{
	if (n > 0 && k > 0)
		lw_kernels()->minhash_mul64(hashes, n, a, b, k, signature);
}

void lanewise_minhash_mul64_rows(const uint64_t *hashes, const uint64_t *offsets, size_t n_sets, const uint64_t *a,
                                 const uint64_t *b, size_t k, uint32_t *rows, size_t ld)
{
	for (size_t r = 0; r < n_sets; r++) {
		lanewise_minhash_begin(rows + r * ld, k);
		if (offsets[r] < offsets[r + 1])
			lanewise_minhash_mul64(hashes + offsets[r], (size_t)(offsets[r + 1] - offsets[r]), a, b, k,
			                       rows + r * ld);
	}
}

static uint64_t rotate_left(uint64_t x, int by) { return x << by | x >> (64 - by); }

/* xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021). */
static uint64_t xoshiro(uint64_t s[4])
{
	uint64_t value = rotate_left(s[0] + s[3], 23) + s[0], shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate_left(s[3], 45);
	return value;
}

void lanewise_minhash_mul64_parameters(uint64_t seed, uint64_t *a, uint64_t *b, size_t k)
{
	uint64_t state[4];

	for (int i = 0; i < 4; i++)
		state[i] = split_mix(&seed);
	for (size_t i = 0; i < k; i++) {
		a[i] = xoshiro(state) | 1;
		b[i] = xoshiro(state);
	}
}

void lanewise_minhash_mod61(const uint32_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                            uint32_t *signature)
{
	if (n > 0 && k > 0)
		lw_kernels()->minhash_mod61(hashes, n, a, b, k, signature);
}

void lanewise_minhash_mod61_rows(const uint32_t *hashes, const uint64_t *offsets, size_t n_sets, const uint64_t *a,
                                 const uint64_t *b, size_t k, uint32_t *rows, size_t ld)
{
	for (size_t r = 0; r < n_sets; r++) {
		lanewise_minhash_begin(rows + r * ld, k);
		if (offsets[r] < offsets[r + 1])
			lanewise_minhash_mod61(hashes + offsets[r], (size_t)(offsets[r + 1] - offsets[r]), a, b, k,
			                       rows + r * ld);
	}
}

void lanewise_minhash_buckets(const uint64_t *hashes, size_t n, uint32_t *buckets, size_t k)
{
	if (k == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		uint32_t *bucket = buckets + ((hashes[i] >> 32) * k >> 32);
		uint32_t value = (uint32_t)hashes[i];

		value -= value == EMPTY;
		*bucket = value < *bucket ? value : *bucket;
	}
}

/*
 * How far back empty buckets look in a round. That does not depend on which are empty, or signatures would not estimate
 * Jaccard similarity. The offsets are random first and in the end one after the other, so that each bucket is found.
 */
static size_t round_offset(uint64_t round, size_t k)
{
	uint64_t random_rounds = 8 * (uint64_t)k, state = round;

	if (round < random_rounds)
		return (size_t)((split_mix(&state) >> 32) * k >> 32);
	return (size_t)(round - random_rounds);
}

/* Where a bucket looks that is to be filled. */
static size_t source_of(size_t bucket, size_t offset, size_t k)
{
	return bucket >= offset ? bucket - offset : bucket + (k - offset);
}

/* Fills every empty bucket of a signature in which more than FEW were not empty. */
static void pull_values(const uint32_t *buckets, size_t k, size_t n_empty, uint32_t *signature)
{
	size_t empty[FEW], n = 0;
	uint64_t round = 0;

	for (; n_empty > FEW; round++) {
		size_t offset = round_offset(round, k);

		n_empty = 0;
		for (size_t i = 0; i < k; i++) {
			signature[i] = signature[i] == EMPTY ? buckets[source_of(i, offset, k)] : signature[i];
			n_empty += signature[i] == EMPTY;
		}
	}
	for (size_t i = 0; i < k && n < n_empty; i++)
		if (signature[i] == EMPTY)
			empty[n++] = i;
	for (; n > 0; round++) {
		size_t offset = round_offset(round, k), n_left = 0;

		for (size_t i = 0; i < n; i++) {
			signature[empty[i]] = buckets[source_of(empty[i], offset, k)];
			if (signature[empty[i]] == EMPTY)
				empty[n_left++] = empty[i];
		}
		n = n_left;
	}
}

/* The same, going through those that were not empty, of which there are at most FEW. */
static void push_values(const uint32_t *buckets, size_t k, size_t n_empty, uint32_t *signature)
{
	size_t source[FEW], n = 0;

	for (size_t i = 0; i < k; i++)
		if (buckets[i] != EMPTY)
			source[n++] = i;
	for (uint64_t round = 0; n_empty > 0; round++) {
		size_t offset = round_offset(round, k);

		for (size_t i = 0; i < n; i++) {
			size_t to = source_of(source[i], k - offset, k); /* so many steps on */

			if (signature[to] == EMPTY) {
				signature[to] = buckets[source[i]];
				n_empty--;
			}
		}
	}
}

void lanewise_minhash_buckets_finish(const uint32_t *buckets, size_t k, uint32_t *signature)
{
	size_t n_empty = 0;

	for (size_t i = 0; i < k; i++) {
		signature[i] = buckets[i];
		n_empty += buckets[i] == EMPTY;
	}
	if (n_empty == 0 || n_empty == k)
		return;
	if (k - n_empty <= FEW)
		push_values(buckets, k, n_empty, signature);
	else
		pull_values(buckets, k, n_empty, signature);
}

lanewise_status lanewise_minhash_buckets_rows(const uint64_t *hashes, const uint64_t *offsets, size_t n_sets, size_t k,
                                              uint32_t *rows, size_t ld)
{
	uint32_t buckets[MAX_BUCKETS];

	if (k > MAX_BUCKETS)
		return LANEWISE_ERROR_TOO_LARGE;
	for (size_t r = 0; r < n_sets; r++) {
		lanewise_minhash_begin(buckets, k);
		if (offsets[r] < offsets[r + 1])
			lanewise_minhash_buckets(hashes + offsets[r], (size_t)(offsets[r + 1] - offsets[r]), buckets,
			                         k);
		lanewise_minhash_buckets_finish(buckets, k, rows + r * ld);
	}
	return LANEWISE_OK;
}

void lanewise_minhash_merge(uint32_t *signature, const uint32_t *other, size_t k)
{
	for (size_t i = 0; i < k; i++)
		signature[i] = other[i] < signature[i] ? other[i] : signature[i];
}

double lanewise_minhash_similarity(const uint32_t *a, const uint32_t *b, size_t k)
{
	enum { PART = 1 << 30 }; /* a count has 32 bits */
	double n = 0;

	for (size_t i = 0; i < k; i += PART) {
		uint32_t matches;

		lw_kernels()->minhash_matches(a + i, b + i, 1, k - i < PART ? k - i : PART, 0, &matches);
		n += (double)matches;
	}
	return k ? n / (double)k : 0;
}

void lanewise_minhash_matches(const uint32_t *signature, const uint32_t *rows, size_t n_rows, size_t k, size_t ld,
                              uint32_t *out)
{
	LW_ASSERT(ld >= k);
	if (k == 0)
		ld = 0;
	lw_kernels()->minhash_matches(signature, rows, n_rows, k, ld, out);
}

size_t lanewise_hash_set_u64(uint64_t *hashes, size_t n)
{
	size_t n_different = 0;

	lw_sort_u64(hashes, n);
	for (size_t i = 0; i < n; i++)
		if (n_different == 0 || hashes[i] != hashes[n_different - 1])
			hashes[n_different++] = hashes[i];
	return n_different;
}

/* ----------------------------------------------------------------- SimHash */

enum {
	MOST_WORDS = 1 << 20,   /* that a kernel's sums of 32 bits are used for */
	MOST_WEIGHTED = 1 << 16 /* and with weights of 16 bits */
};

static void add_sums(const uint32_t sums[64], uint64_t counts[64])
{
	for (int i = 0; i < 64; i++)
		counts[i] += sums[i];
}

uint64_t lanewise_simhash_add(const uint64_t *hashes, size_t n, uint64_t counts[64])
{
	uint32_t sums[64];

	for (size_t i = 0; i < n; i += MOST_WORDS) {
		lw_kernels()->bit_sums(hashes + i, n - i < MOST_WORDS ? n - i : MOST_WORDS, sums);
		add_sums(sums, counts);
	}
	return n;
}

uint64_t lanewise_simhash_add_weighted(const uint64_t *hashes, const uint16_t *weights, size_t n, uint64_t counts[64])
{
	uint32_t sums[64];
	uint64_t total = 0;

	for (size_t i = 0; i < n; i += MOST_WEIGHTED) {
		size_t n_part = n - i < MOST_WEIGHTED ? n - i : MOST_WEIGHTED;

		lw_kernels()->weighted_bit_sums(hashes + i, weights + i, n_part, sums);
		add_sums(sums, counts);
	}
	for (size_t i = 0; i < n; i++)
		total += weights[i];
	return total;
}

uint64_t lanewise_simhash_finish(const uint64_t counts[64], uint64_t total)
{
	uint64_t bits = 0;

	for (int i = 63; i >= 0; i--)
		bits = bits << 1 | (counts[i] > total / 2);
	return bits;
}

/* The same for sums below 2^31, which compilers compare several at a time. */
static uint64_t finish_sums(const uint32_t sums[64], size_t total)
{
	const int32_t half = (int32_t)(total / 2);
	unsigned char above[64];
	uint64_t bits = 0;

	for (int i = 0; i < 64; i++)
		above[i] = (int32_t)sums[i] > half;
	/* The multiplication brings the lowest bits of eight bytes together in the highest byte. */
	for (int i = 0; i < 8; i++)
		bits |= lw_load_little_endian_64(above + 8 * i) * 0x0102040810204080 >> 56 << 8 * i;
	return bits;
}

uint64_t lanewise_simhash_64(const uint64_t *hashes, size_t n)
{
	uint64_t counts[64] = { 0 };
	uint32_t sums[64];

	if (n == 0)
		return 0;
	if (n <= MOST_WORDS) {
		lw_kernels()->bit_sums(hashes, n, sums);
		return finish_sums(sums, n);
	}
	lanewise_simhash_add(hashes, n, counts);
	return lanewise_simhash_finish(counts, n);
}

uint64_t lanewise_simhash_64_weighted(const uint64_t *hashes, const uint16_t *weights, size_t n)
{
	uint64_t counts[64] = { 0 };

	uint64_t total = lanewise_simhash_add_weighted(hashes, weights, n, counts);

	return lanewise_simhash_finish(counts, total);
}
