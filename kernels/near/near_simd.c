/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels of lanewise/near.h for every vector tier.
 *
 * MinHash: lanes are functions, not hashes, so the least is kept in a register without sums across lanes. A group of
 * vectors keeps parameters and minima in registers while all hashes go by, and the numbers behind the last whole vector
 * go through a padded copy.
 *
 *   mul64: only the upper half of the product counts, and minima of the upper halves are taken.
 *   mod61: x has 32 bits, so a * x modulo 2^64 is two products of 32 bits. With v = a * x + b, v modulo 2^61 - 1 is
 *   (v & 2^61 - 1) + (v >> 61), less the prime if that reaches it. It is at most 2^61 + 6. So the lower half of the
 *   result is the lower half of v plus 0 ... 8, and that takes 32-bit arithmetic only. A first pass finds the least lower
 *   half of every block of hashes, a second one goes through the blocks where that is within 8 of the least of all, hardly
 *   ever more than one, and computes all for the hashes there that are.
 *
 * Bit sums: a tree of carry-save adders (Klarqvist, Mula and Lemire, "Efficient computation of positional population counts
 * using SIMD instructions", 2019). Each bit of a vector is a column of its own; sixteen vectors become one that counts
 * sixteen for every bit set, and only those are added to bytes, one word at a time.
 */
#include "lanes.h"

/* ----------------------------------------------------------------- MinHash */

/* `count` (a constant) vectors of functions. */
LW_INLINE void mul32_group(int count, const uint64_t *hashes, size_t n, const uint32_t *a, const uint32_t *b,
                           uint32_t *signature)
{
	vu factor[VU_GROUP], term[VU_GROUP], least[VU_GROUP];

#pragma GCC unroll 8
	for (int j = 0; j < count; j++) {
		factor[j] = vu_load(a + j * VF_LANES);
		term[j] = vu_load(b + j * VF_LANES);
		least[j] = vu_load(signature + j * VF_LANES);
	}
	for (size_t t = 0; t < n; t++) {
		vu x = vu_set1((uint32_t)hashes[t]);

#pragma GCC unroll 8
		for (int j = 0; j < count; j++)
			least[j] = vu_min(least[j], vu_add(vu_mul(factor[j], x), term[j]));
	}
#pragma GCC unroll 8
	for (int j = 0; j < count; j++)
		vu_store(signature + j * VF_LANES, least[j]);
}

void LW_FN(minhash_mul32)(const uint64_t *hashes, size_t n, const uint32_t *a, const uint32_t *b, size_t k,
                          uint32_t *signature)
{
	uint32_t rest_a[VF_LANES] = { 0 }, rest_b[VF_LANES] = { 0 }, rest[VF_LANES] = { 0 };
	size_t i = 0;

	for (; i + VU_GROUP * VF_LANES <= k; i += VU_GROUP * VF_LANES)
		mul32_group(VU_GROUP, hashes, n, a + i, b + i, signature + i);
	for (; i + VF_LANES <= k; i += VF_LANES)
		mul32_group(1, hashes, n, a + i, b + i, signature + i);
	if (i == k)
		return;
	memcpy(rest_a, a + i, (k - i) * sizeof *a);
	memcpy(rest_b, b + i, (k - i) * sizeof *b);
	memcpy(rest, signature + i, (k - i) * sizeof *rest);
	mul32_group(1, hashes, n, rest_a, rest_b, rest);
	memcpy(signature + i, rest, (k - i) * sizeof *rest);
}

LW_INLINE void mul64_group(int count, const uint64_t *hashes, size_t n, const uint64_t *a, const uint64_t *b,
                           uint32_t *signature)
{
	vw factor[VW_GROUP], term[VW_GROUP], least[VW_GROUP];

#pragma GCC unroll 4
	for (int j = 0; j < count; j++) {
		factor[j] = vw_load(a + j * VW_LANES);
		term[j] = vw_load(b + j * VW_LANES);
		least[j] = vw_from_high(signature + j * VW_LANES);
	}
	for (size_t t = 0; t < n; t++) {
		vw x = vw_set1(hashes[t]);

#pragma GCC unroll 4
		for (int j = 0; j < count; j++)
			least[j] = vw_min_halves(least[j], vw_mul_add(factor[j], x, term[j]));
	}
#pragma GCC unroll 4
	for (int j = 0; j < count; j++)
		vw_to_high(signature + j * VW_LANES, least[j]);
}

LW_INLINE void mod61_group(int count, const uint32_t *hashes, size_t n, const uint64_t *a, const uint64_t *b,
                           uint32_t *signature)
{
	vw low[VW_GROUP], high[VW_GROUP], term[VW_GROUP], least[VW_GROUP];

#pragma GCC unroll 4
	for (int j = 0; j < count; j++) {
		low[j] = vw_load(a + j * VW_LANES);
		high[j] = vw_upper(low[j]);
		term[j] = vw_load(b + j * VW_LANES);
		least[j] = vw_from_low(signature + j * VW_LANES);
	}
	for (size_t t = 0; t < n; t++) {
		vw x = vw_set1(hashes[t]);

#pragma GCC unroll 4
		for (int j = 0; j < count; j++) {
			vw v = vw_add(vw_add(vw_mul_low(low[j], x), term[j]), vw_lift(vw_mul_low(high[j], x)));

			least[j] = vw_min_halves(least[j], vw_mod61(v));
		}
	}
#pragma GCC unroll 4
	for (int j = 0; j < count; j++)
		vw_to_low(signature + j * VW_LANES, least[j]);
}

struct rest64 {
	uint64_t a[VW_LANES], b[VW_LANES];
	uint32_t signature[VW_LANES];
};

LW_INLINE struct rest64 take_rest(const uint64_t *a, const uint64_t *b, const uint32_t *signature, size_t n)
{
	struct rest64 rest = { { 0 }, { 0 }, { 0 } };

	memcpy(rest.a, a, n * sizeof *a);
	memcpy(rest.b, b, n * sizeof *b);
	memcpy(rest.signature, signature, n * sizeof *signature);
	return rest;
}

void LW_FN(minhash_mul64)(const uint64_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                          uint32_t *signature)
{
	size_t i = 0;

	for (; i + VW_GROUP * VW_LANES <= k; i += VW_GROUP * VW_LANES)
		mul64_group(VW_GROUP, hashes, n, a + i, b + i, signature + i);
	for (; i + VW_LANES <= k; i += VW_LANES)
		mul64_group(1, hashes, n, a + i, b + i, signature + i);
	if (i < k) {
		struct rest64 rest = take_rest(a + i, b + i, signature + i, k - i);

		mul64_group(1, hashes, n, rest.a, rest.b, rest.signature);
		memcpy(signature + i, rest.signature, (k - i) * sizeof *signature);
	}
}

static void mod61_exactly(const uint32_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                          uint32_t *signature)
{
	size_t i = 0;

	for (; i + VW_GROUP * VW_LANES <= k; i += VW_GROUP * VW_LANES)
		mod61_group(VW_GROUP, hashes, n, a + i, b + i, signature + i);
	for (; i + VW_LANES <= k; i += VW_LANES)
		mod61_group(1, hashes, n, a + i, b + i, signature + i);
	if (i < k) {
		struct rest64 rest = take_rest(a + i, b + i, signature + i, k - i);

		mod61_group(1, hashes, n, rest.a, rest.b, rest.signature);
		memcpy(signature + i, rest.signature, (k - i) * sizeof *signature);
	}
}

enum {
	SLACK = 8,                        /* how much the result may be above the lower half of v */
	PAIR = 2,                         /* vectors of functions that are done together */
	PAIR_LANES = PAIR * VF_LANES,     /* functions in them */
	CHUNK = 512,                      /* hashes gone through at a time */
	BLOCK = 16,                       /* hashes of which the least lower half is kept for the second pass */
	MOST_CANDIDATES = 8 * PAIR_LANES, /* with more blocks that have some, computing all is faster */
	FEW_HASHES = 48                   /* with fewer of them too */
};

/* The lower halves of v, all plus SLACK, for one hash and PAIR_LANES functions; and what a second pass may take. */
struct lower {
	vu factor[PAIR], term[PAIR], bound[PAIR];
	vu least[CHUNK / BLOCK][PAIR]; /* of each block */
};

LW_INLINE vu lower_half(const struct lower *lower, int j, uint32_t hash)
{
	return vu_add(vu_mul(lower->factor[j], vu_set1(hash)), lower->term[j]);
}

LW_INLINE uint32_t within(vu v, vu bound) { return vb_bits(vu_eq(vu_min(v, bound), v)); }

/* The least lower halves of `n` hashes: of BLOCK, if that is so, without a branch. */
LW_INLINE void least_of_hashes(const struct lower *lower, const uint32_t *hashes, size_t n, vu least[PAIR])
{
#pragma GCC unroll 2
	for (int j = 0; j < PAIR; j++)
		least[j] = lower_half(lower, j, hashes[0]);
#pragma GCC unroll 16
	for (size_t i = 1; i < n; i++) {
#pragma GCC unroll 2
		for (int j = 0; j < PAIR; j++)
			least[j] = vu_min(least[j], lower_half(lower, j, hashes[i]));
	}
}

/*
 * The first pass. The bound that comes of it is the greatest lower half (plus SLACK) with which a hash could still be the
 * least of all, here and in the signature. Returns 0 if there is no bound: a lower half so large that adding may go around
 * 2^32 is below SLACK here and says nothing about the result.
 */
LW_INLINE int find_bounds(struct lower *lower, const uint32_t *hashes, size_t n, const uint32_t *signature)
{
	vu all[PAIR];

#pragma GCC unroll 2
	for (int j = 0; j < PAIR; j++)
		all[j] = vu_set1(UINT32_MAX);
	for (size_t t = 0; t < n; t += BLOCK) {
		vu block[PAIR];

		if (LW_LIKELY(n - t >= BLOCK))
			least_of_hashes(lower, hashes + t, BLOCK, block);
		else
			least_of_hashes(lower, hashes + t, n - t, block);
#pragma GCC unroll 2
		for (int j = 0; j < PAIR; j++) {
			all[j] = vu_min(all[j], block[j]);
			lower->least[t / BLOCK][j] = block[j];
		}
	}
	for (int j = 0; j < PAIR; j++) {
		vu kept = vu_load(signature + j * VF_LANES);

		if (within(all[j], vu_set1(SLACK - 1)))
			return 0;
		all[j] = vu_add(vu_min(all[j], vu_set1(UINT32_MAX - SLACK)), vu_set1(SLACK));
		kept = vu_add(vu_min(kept, vu_set1(UINT32_MAX - (SLACK - 1))), vu_set1(SLACK - 1));
		lower->bound[j] = vu_min(all[j], kept);
	}
	return 1;
}

/*
 * The second pass. Nobody can predict in which blocks candidates are, so blocks are written to a list whether they have any
 * or not, and the list grows only if they do. Returns 0 if there are too many of them.
 */
LW_INLINE size_t find_blocks(const struct lower *lower, size_t n, uint16_t *hit)
{
	size_t n_hits = 0;

	for (size_t t = 0; t < n; t += BLOCK) {
#pragma GCC unroll 2
		for (int j = 0; j < PAIR; j++) {
			hit[n_hits] = (uint16_t)(t / BLOCK * PAIR + (size_t)j);
			n_hits += within(lower->least[t / BLOCK][j], lower->bound[j]) != 0;
		}
	}
	return n_hits;
}

/* A function's parameters, the lower halves also by themselves, and its bound. */
struct function {
	uint64_t a, b;
	uint32_t factor, term, bound;
};

/* The hashes of a block (its first VF_LANES, `n` of them) that may give a function's least; here lanes are hashes. */
LW_INLINE uint32_t least_of_part(const struct function *f, const uint32_t *hashes, size_t n, uint32_t least)
{
	uint32_t part[VF_LANES];
	vu h;

	if (LW_LIKELY(n >= VF_LANES)) {
		h = vu_load(hashes);
	} else {
		for (size_t i = 0; i < VF_LANES; i++)
			part[i] = hashes[i < n ? i : 0];
		h = vu_load(part);
	}
	h = vu_add(vu_mul(h, vu_set1(f->factor)), vu_set1(f->term));
	for (uint32_t bits = within(h, vu_set1(f->bound)); bits; bits &= bits - 1) {
		size_t i = (size_t)__builtin_ctz(bits);
		uint32_t value = (uint32_t)((f->a * hashes[i < n ? i : 0] + f->b) % (((uint64_t)1 << 61) - 1));

		least = value < least ? value : least;
	}
	return least;
}

LW_INLINE uint32_t least_of_block(const struct function *f, const uint32_t *hashes, size_t n, uint32_t least)
{
	for (size_t i = 0; i < BLOCK && i < n; i += VF_LANES)
		least = least_of_part(f, hashes + i, n - i, least);
	return least;
}

/* At most CHUNK hashes, PAIR_LANES functions. Returns 0 if all must be computed after all. */
static int mod61_by_bounds(const uint32_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, uint32_t *signature)
{
	uint16_t hit[CHUNK / BLOCK * PAIR + 1]; /* one more is written than counted */
	uint32_t factor[PAIR_LANES], term[PAIR_LANES], bound[PAIR_LANES];
	struct lower lower;
	size_t n_hits, n_candidates = 0;

	for (int i = 0; i < PAIR_LANES; i++) {
		factor[i] = (uint32_t)a[i];
		term[i] = (uint32_t)b[i] + SLACK;
	}
	for (int j = 0; j < PAIR; j++) {
		lower.factor[j] = vu_load(factor + j * VF_LANES);
		lower.term[j] = vu_load(term + j * VF_LANES);
	}
	if (!find_bounds(&lower, hashes, n, signature))
		return 0;
	for (int j = 0; j < PAIR; j++)
		vu_store(bound + j * VF_LANES, lower.bound[j]);
	n_hits = find_blocks(&lower, n, hit);
	for (size_t h = 0; h < n_hits; h++) {
		size_t block = hit[h] / PAIR, j = hit[h] % PAIR, t = block * BLOCK;

		for (uint32_t bits = within(lower.least[block][j], lower.bound[j]); bits; bits &= bits - 1) {
			size_t i = j * VF_LANES + (size_t)__builtin_ctz(bits);
			struct function f = { a[i], b[i], factor[i], term[i], bound[i] };

			if (++n_candidates > MOST_CANDIDATES)
				return 0;
			signature[i] = least_of_block(&f, hashes + t, n - t, signature[i]);
		}
	}
	return 1;
}

void LW_FN(minhash_mod61)(const uint32_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                          uint32_t *signature)
{
	for (size_t t = 0; t < n; t += CHUNK) {
		size_t n_chunk = n - t < CHUNK ? n - t : CHUNK, i = 0;

		for (; i + PAIR_LANES <= k; i += PAIR_LANES)
			if (n_chunk < FEW_HASHES || !mod61_by_bounds(hashes + t, n_chunk, a + i, b + i, signature + i))
				mod61_exactly(hashes + t, n_chunk, a + i, b + i, PAIR_LANES, signature + i);
		mod61_exactly(hashes + t, n_chunk, a + i, b + i, k - i, signature + i);
	}
}

LW_INLINE uint32_t matches(const uint32_t *a, const uint32_t *b, size_t k)
{
	vu count = vu_zero();
	uint32_t n = 0;
	size_t i = 0;

	for (; i + VF_LANES <= k; i += VF_LANES)
		count = vu_count(count, vu_eq(vu_load(a + i), vu_load(b + i)));
	for (; i < k; i++)
		n += a[i] == b[i];
	return n + vu_sum(count);
}

void LW_FN(minhash_matches)(const uint32_t *signature, const uint32_t *rows, size_t n_rows, size_t k, size_t ld,
                            uint32_t *out)
{
	for (size_t r = 0; r < n_rows; r++)
		out[r] = matches(signature, rows + r * ld, k);
}

/* ---------------------------------------------------------------- bit sums */

enum {
	TREE = 16,                        /* vectors that the adders take at a time */
	VECTOR_WORDS = VQ_LANES / 8,      /* words in a vector */
	TREE_WORDS = TREE * VECTOR_WORDS, /* and in all of them */
	MOST_TREES = 255 / VECTOR_WORDS   /* until a byte of sums might overflow */
};

struct columns {
	vq ones, twos, fours, eights;
};

/* Adds two vectors to *sum; what is carried is returned. */
LW_INLINE vq add_two(vq *sum, vq a, vq b)
{
	vq carry = vq_majority(*sum, a, b);

	*sum = vq_xor3(*sum, a, b);
	return carry;
}

LW_INLINE vq add_four(struct columns *c, const uint8_t *p)
{
	vq first = add_two(&c->ones, vq_load(p), vq_load(p + VQ_LANES));
	vq second = add_two(&c->ones, vq_load(p + 2 * VQ_LANES), vq_load(p + 3 * VQ_LANES));

	return add_two(&c->twos, first, second);
}

LW_INLINE vq add_eight(struct columns *c, const uint8_t *p)
{
	vq first = add_four(c, p), second = add_four(c, p + 4 * VQ_LANES);

	return add_two(&c->fours, first, second);
}

LW_INLINE vq add_sixteen(struct columns *c, const uint8_t *p)
{
	vq first = add_eight(c, p), second = add_eight(c, p + 8 * VQ_LANES);

	return add_two(&c->eights, first, second);
}

LW_INLINE vc count_columns(vc bytes, vq columns)
{
	uint64_t words[VECTOR_WORDS];

	memcpy(words, &columns, sizeof words);
#pragma GCC unroll 8
	for (int i = 0; i < VECTOR_WORDS; i++)
		bytes = vc_count_bits(bytes, words[i]);
	return bytes;
}

LW_INLINE void add_bytes(vc bytes, uint32_t factor, uint32_t sums[64])
{
	unsigned char byte[64];

	vc_store(byte, bytes);
	for (int i = 0; i < 64; i++)
		sums[i] += factor * byte[i];
}

void LW_FN(bit_sums)(const uint64_t *words, size_t n, uint32_t sums[64])
{
	struct columns c = { vq_set1(0), vq_set1(0), vq_set1(0), vq_set1(0) };
	uint64_t rest[TREE_WORDS] = { 0 };
	vc sixteens = vc_zero();
	int n_trees = 0;

	memset(sums, 0, 64 * sizeof *sums);
	for (; n >= TREE_WORDS; words += TREE_WORDS, n -= TREE_WORDS) {
		sixteens = count_columns(sixteens, add_sixteen(&c, (const uint8_t *)words));
		if (++n_trees == MOST_TREES) {
			add_bytes(sixteens, 16, sums);
			sixteens = vc_zero();
			n_trees = 0;
		}
	}
	/* At most MOST_TREES - 1 are in the bytes, so one more, which ends in zeros, fits. */
	memcpy(rest, words, n * sizeof *words);
	sixteens = count_columns(sixteens, add_sixteen(&c, (const uint8_t *)rest));
	add_bytes(sixteens, 16, sums);
	/* The others together are at most 15 * VECTOR_WORDS. */
	vc rest_bytes = vc_double(count_columns(vc_zero(), c.eights));

	rest_bytes = vc_double(count_columns(rest_bytes, c.fours));
	rest_bytes = vc_double(count_columns(rest_bytes, c.twos));
	add_bytes(count_columns(rest_bytes, c.ones), 1, sums);
}

void LW_FN(weighted_bit_sums)(const uint64_t *words, const uint16_t *weights, size_t n, uint32_t sums[64])
{
	vu sum[64 / VF_LANES];

#pragma GCC unroll 16
	for (int j = 0; j < 64 / VF_LANES; j++)
		sum[j] = vu_zero();
	for (size_t i = 0; i < n; i++) {
		vu weight = vu_set1(weights[i]);

#pragma GCC unroll 16
		for (int j = 0; j < 64 / VF_LANES; j++)
			sum[j] = vu_add_where(sum[j], (uint32_t)(words[i] >> j * VF_LANES), weight);
	}
#pragma GCC unroll 16
	for (int j = 0; j < 64 / VF_LANES; j++)
		vu_store(sums + j * VF_LANES, sum[j]);
}
