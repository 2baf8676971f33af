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
 *   half, a second one the hashes that are within 8 of it, hardly ever more than one, for which alone all is computed.
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
	BLOCK = 8,                        /* hashes of which the least lower half is kept for the second pass */
	MOST_CANDIDATES = 4 * PAIR_LANES, /* with more hashes that have some, computing all is faster */
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

/*
 * The first pass. The bound that comes of it is the greatest lower half (plus SLACK) with which a hash could still be the
 * least of all, here and in the signature. Returns 0 if there is no bound: a lower half so large that adding may go around
 * 2^32 is below SLACK here and says nothing about the result.
 */
LW_INLINE int find_bounds(struct lower *lower, const uint32_t *hashes, size_t n, const uint32_t *signature)
{
	vu all[PAIR];
	uint32_t least[VF_LANES];

#pragma GCC unroll 2
	for (int j = 0; j < PAIR; j++)
		all[j] = vu_set1(UINT32_MAX);
	for (size_t t = 0; t < n; t += BLOCK) {
		size_t end = n - t < BLOCK ? n : t + BLOCK;
		vu block[PAIR];

#pragma GCC unroll 2
		for (int j = 0; j < PAIR; j++)
			block[j] = vu_set1(UINT32_MAX);
		for (size_t i = t; i < end; i++) {
#pragma GCC unroll 2
			for (int j = 0; j < PAIR; j++)
				block[j] = vu_min(block[j], lower_half(lower, j, hashes[i]));
		}
#pragma GCC unroll 2
		for (int j = 0; j < PAIR; j++) {
			all[j] = vu_min(all[j], block[j]);
			lower->least[t / BLOCK][j] = block[j];
		}
	}
	for (int j = 0; j < PAIR; j++) {
		vu_store(least, all[j]);
		for (int i = 0; i < VF_LANES; i++) {
			uint32_t kept = signature[j * VF_LANES + i], here = least[i];

			if (here < SLACK)
				return 0;
			here = here < UINT32_MAX - SLACK ? here + SLACK : UINT32_MAX;
			kept = kept <= UINT32_MAX - (SLACK - 1) ? kept + (SLACK - 1) : UINT32_MAX;
			least[i] = here < kept ? here : kept;
		}
		lower->bound[j] = vu_load(least);
	}
	return 1;
}

LW_INLINE uint32_t within(vu v, vu bound) { return vb_bits(vu_eq(vu_min(v, bound), v)); }

/* What the second pass finds: functions (bits) of vector j for which a hash may give the least. */
struct candidate {
	uint32_t bits;
	uint16_t hash, j;
};

/*
 * The second pass. Nobody can predict where candidates are, so blocks and then hashes are written to a list whether they
 * have any or not, and the list grows only if they do.
 */
LW_INLINE size_t find_candidates(const struct lower *lower, const uint32_t *hashes, size_t n, struct candidate *found)
{
	uint16_t hit[CHUNK / BLOCK * PAIR + 1]; /* one more is written than counted */
	size_t n_hits = 0, n_found = 0;

	for (size_t t = 0; t < n; t += BLOCK)
		for (int j = 0; j < PAIR; j++) {
			hit[n_hits] = (uint16_t)(t * PAIR + (size_t)j);
			n_hits += within(lower->least[t / BLOCK][j], lower->bound[j]) != 0;
		}
	for (size_t h = 0; h < n_hits; h++) {
		size_t t = hit[h] / PAIR, end = n - t < BLOCK ? n : t + BLOCK;
		int j = hit[h] % PAIR;

		for (size_t i = t; i < end; i++) {
			uint32_t bits = within(lower_half(lower, j, hashes[i]), lower->bound[j]);

			found[n_found] = (struct candidate) { bits, (uint16_t)i, (uint16_t)j };
			n_found += bits != 0;
		}
	}
	return n_found;
}

static void take_candidate(struct candidate c, const uint32_t *hashes, const uint64_t *a, const uint64_t *b,
                           uint32_t *signature)
{
	for (; c.bits; c.bits &= c.bits - 1) {
		size_t i = (size_t)c.j * VF_LANES + (size_t)__builtin_ctz(c.bits);
		uint32_t value = (uint32_t)((a[i] * hashes[c.hash] + b[i]) % (((uint64_t)1 << 61) - 1));

		signature[i] = value < signature[i] ? value : signature[i];
	}
}

/* At most CHUNK hashes, PAIR_LANES functions. Returns 0 if all must be computed after all. */
static int mod61_by_bounds(const uint32_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, uint32_t *signature)
{
	struct candidate found[CHUNK * PAIR + 1]; /* one more is written than counted */
	struct lower lower;
	size_t n_found;

	for (int j = 0; j < PAIR; j++) {
		uint32_t factor[VF_LANES], term[VF_LANES];

		for (int i = 0; i < VF_LANES; i++) {
			factor[i] = (uint32_t)a[j * VF_LANES + i];
			term[i] = (uint32_t)b[j * VF_LANES + i] + SLACK;
		}
		lower.factor[j] = vu_load(factor);
		lower.term[j] = vu_load(term);
	}
	if (!find_bounds(&lower, hashes, n, signature))
		return 0;
	n_found = find_candidates(&lower, hashes, n, found);
	if (n_found > MOST_CANDIDATES)
		return 0;
	for (size_t i = 0; i < n_found; i++)
		take_candidate(found[i], hashes, a, b, signature);
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
