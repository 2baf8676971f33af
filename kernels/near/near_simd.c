/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels of lanewise/near.h for every vector tier.
 *
 * MinHash: lanes are functions, not hashes, so the least is kept in a register without sums across lanes. A group of
 * vectors keeps parameters and minima in registers while all hashes go by, and the numbers behind the last whole vector
 * go through a padded copy.
 *
 *   mul64: only the upper half of the product counts. Computing that takes 64-bit multiplications; an estimate of it takes
 *   sums of 16-bit products, and there are twice as many lanes.
 *   mod61: x has 32 bits, so a * x modulo 2^64 is two products of 32 bits. With v = a * x + b, v modulo 2^61 - 1 is
 *   (v & 2^61 - 1) + (v >> 61), less the prime if that reaches it. It is at most 2^61 + 6. So the lower half of the
 *   result is the lower half of v plus 0 ... 8, and an estimate takes 32-bit arithmetic only.
 *
 * Estimates are made of all hashes. The least of every block of hashes is kept, and for the block with the least of all,
 * hardly ever more than one, results are computed.
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

/* The results of hashes in the lower halves of x, right in the lower halves. */
LW_INLINE vw mod61_results(vw low, vw high, vw term, vw x)
{
	return vw_mod61(vw_add(vw_add(vw_mul_low(low, x), term), vw_lift(vw_mul_low(high, x))));
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
		for (int j = 0; j < count; j++)
			least[j] = vw_min_halves(least[j], mod61_results(low[j], high[j], term[j], x));
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

/* Hashes: of 64 bits for MUL64, of 32 for MOD61. */
enum kind { MUL64, MOD61 };

LW_INLINE void group(enum kind kind, int count, const void *hashes, size_t n, const uint64_t *a, const uint64_t *b,
                     uint32_t *signature)
{
	if (kind == MUL64)
		mul64_group(count, hashes, n, a, b, signature);
	else
		mod61_group(count, hashes, n, a, b, signature);
}

LW_INLINE void directly(enum kind kind, const void *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                        uint32_t *signature)
{
	size_t i = 0;

	for (; i + VW_GROUP * VW_LANES <= k; i += VW_GROUP * VW_LANES)
		group(kind, VW_GROUP, hashes, n, a + i, b + i, signature + i);
	for (; i + VW_LANES <= k; i += VW_LANES)
		group(kind, 1, hashes, n, a + i, b + i, signature + i);
	if (i < k) {
		struct rest64 rest = take_rest(a + i, b + i, signature + i, k - i);

		group(kind, 1, hashes, n, rest.a, rest.b, rest.signature);
		memcpy(signature + i, rest.signature, (k - i) * sizeof *signature);
	}
}

static LW_NOINLINE void mul64_directly(const uint64_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                                       uint32_t *signature)
{
	directly(MUL64, hashes, n, a, b, k, signature);
}

static LW_NOINLINE void mod61_directly(const uint32_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                                       uint32_t *signature)
{
	directly(MOD61, hashes, n, a, b, k, signature);
}

/* ---------------------------------------------------- MinHash by estimates */

enum {
	CHUNK = 512,  /* hashes gone through at a time */
	BLOCK = 8,    /* hashes of which the least estimate is taken together; CHUNK is a multiple */
	FEW_64 = 150, /* with fewer, computing all is faster */
	FEW_61 = 48,  /* the same for mod61 */
	SLACK_61 = 8, /* how much the result may be above the lower half of v */
	GROUP_LANES = VH_GROUP * VF_LANES
};

/* Of a group of functions for a chunk: the least estimate, the block that it is in, and the least of the other blocks. */
struct estimates {
	uint32_t least[GROUP_LANES], block[GROUP_LANES], second[GROUP_LANES];
};

struct least {
	vu all, block, second;
};

LW_INLINE struct least no_least(void) { return (struct least) { vu_set1(UINT32_MAX), vu_zero(), vu_set1(UINT32_MAX) }; }

LW_INLINE void take_block(struct least *least, vu of_block, size_t block)
{
	vu all = vu_min(least->all, of_block);

	least->second = vu_min(least->second, vu_max(least->all, of_block));
	least->block = vu_select(vu_eq(all, of_block), vu_set1((uint32_t)block), least->block);
	least->all = all;
}

LW_INLINE void put_least(struct estimates *e, int j, const struct least *least)
{
	vu_store(e->least + j * VF_LANES, least->all);
	vu_store(e->block + j * VF_LANES, least->block);
	vu_store(e->second + j * VF_LANES, least->second);
}

/*
 * An estimate is the result plus 0 ... slack modulo 2^32. The least result is in the block with the least estimate, unless
 * another has one so near that it could be there, or estimates are so small that results may have gone around.
 */
LW_INLINE int is_certain(const struct estimates *e, size_t i, uint32_t slack)
{
	return LW_LIKELY(e->least[i] >= slack && e->second[i] - e->least[i] > slack);
}

/*
 * Hashes of a chunk, and what estimates need of them, which for MOD61 is the hashes; the first is repeated up to a whole
 * block.
 */
struct chunk {
	uint64_t hashes[CHUNK]; /* for MUL64 */
	uint32_t words[VH_WORDS][CHUNK];
	size_t n;
};

static void fill_chunk_64(struct chunk *chunk, const uint64_t *hashes, size_t n)
{
	memcpy(chunk->hashes, hashes, n * sizeof *hashes);
	chunk->n = (n + BLOCK - 1) / BLOCK * BLOCK;
	for (; n < chunk->n; n++)
		chunk->hashes[n] = hashes[0];
#pragma GCC unroll 3
	for (int w = 0; w < VH_WORDS; w++)
		for (size_t i = 0; i < chunk->n; i++)
			chunk->words[w][i] = vh_word(w, chunk->hashes[i]);
}

static void fill_chunk_32(struct chunk *chunk, const uint32_t *hashes, size_t n)
{
	memcpy(chunk->words[0], hashes, n * sizeof *hashes);
	chunk->n = (n + BLOCK - 1) / BLOCK * BLOCK;
	for (; n < chunk->n; n++)
		chunk->words[0][n] = hashes[0];
}

LW_INLINE uint32_t part_of(enum kind kind, int p, uint64_t a, uint64_t b)
{
	return kind == MUL64 ? vh_part(p, a, b) : p == 0 ? (uint32_t)a : (uint32_t)b + SLACK_61;
}

LW_INLINE vu estimate(enum kind kind, const vu f[VH_PARTS], const vu x[VH_WORDS])
{
	return kind == MUL64 ? vh_estimate(f, x) : vu_add(vu_mul(f[0], x[0]), f[1]);
}

LW_INLINE void estimate_all(enum kind kind, const struct chunk *chunk, const uint64_t *a, const uint64_t *b,
                            struct estimates *e)
{
	const int n_parts = kind == MUL64 ? VH_PARTS : 2, n_words = kind == MUL64 ? VH_WORDS : 1;
	uint32_t part[VH_PARTS][GROUP_LANES];
	vu f[VH_GROUP][VH_PARTS];
	struct least least[VH_GROUP];

#pragma GCC unroll 5
	for (int p = 0; p < n_parts; p++)
		for (size_t i = 0; i < GROUP_LANES; i++)
			part[p][i] = part_of(kind, p, a[i], b[i]);
#pragma GCC unroll 4
	for (int j = 0; j < VH_GROUP; j++) {
#pragma GCC unroll 5
		for (int p = 0; p < n_parts; p++)
			f[j][p] = vu_load(part[p] + j * VF_LANES);
		least[j] = no_least();
	}
	for (size_t t = 0; t < chunk->n; t += BLOCK) {
		vu of_block[VH_GROUP];

#pragma GCC unroll 4
		for (int j = 0; j < VH_GROUP; j++)
			of_block[j] = vu_set1(UINT32_MAX);
		for (size_t i = t; i < t + BLOCK; i++) {
			vu x[VH_WORDS];

#pragma GCC unroll 3
			for (int w = 0; w < n_words; w++)
				x[w] = vu_set1(chunk->words[w][i]);
#pragma GCC unroll 4
			for (int j = 0; j < VH_GROUP; j++)
				of_block[j] = vu_min(of_block[j], estimate(kind, f[j], x));
		}
#pragma GCC unroll 4
		for (int j = 0; j < VH_GROUP; j++)
			take_block(&least[j], of_block[j], t / BLOCK);
	}
#pragma GCC unroll 4
	for (int j = 0; j < VH_GROUP; j++)
		put_least(e, j, &least[j]);
}

/* The least result of one function; here lanes are hashes, from `begin` on. n is a multiple of BLOCK. */
LW_INLINE uint32_t least_result(enum kind kind, const struct chunk *chunk, size_t begin, size_t n, uint64_t a,
                                uint64_t b)
{
	vw factor = vw_set1(a), high = vw_upper(factor), term = vw_set1(b), least = vw_set1(UINT64_MAX);

	for (size_t i = begin; i < begin + n; i += BLOCK) {
#pragma GCC unroll 16
		for (size_t j = i; j < i + BLOCK; j += VW_LANES)
			least = vw_min_halves(
			        least, kind == MUL64
			                       ? vw_mul_add(vw_load(chunk->hashes + j), factor, term)
			                       : mod61_results(factor, high, term, vw_from_low(chunk->words[0] + j)));
	}
	return vw_least_high(kind == MUL64 ? least : vw_lift(least));
}

static LW_NOINLINE uint32_t least_of_all(enum kind kind, const struct chunk *chunk, uint64_t a, uint64_t b)
{
	return kind == MUL64 ? least_result(MUL64, chunk, 0, chunk->n, a, b)
	                     : least_result(MOD61, chunk, 0, chunk->n, a, b);
}

LW_INLINE void by_estimates(enum kind kind, const struct chunk *chunk, const uint64_t *a, const uint64_t *b,
                            uint32_t *signature)
{
	struct estimates e;

	estimate_all(kind, chunk, a, b, &e);
	for (size_t i = 0; i < GROUP_LANES; i++) {
		uint32_t least = is_certain(&e, i, kind == MUL64 ? VH_SLACK : SLACK_61)
		                         ? least_result(kind, chunk, e.block[i] * BLOCK, BLOCK, a[i], b[i])
		                         : least_of_all(kind, chunk, a[i], b[i]);

		signature[i] = least < signature[i] ? least : signature[i];
	}
}

void LW_FN(minhash_mul64)(const uint64_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                          uint32_t *signature)
{
	struct chunk chunk;

	for (size_t t = 0; t < n; t += CHUNK) {
		size_t n_chunk = n - t < CHUNK ? n - t : CHUNK, i = 0;

		if (n_chunk >= FEW_64 && k >= GROUP_LANES) {
			fill_chunk_64(&chunk, hashes + t, n_chunk);
			for (; i + GROUP_LANES <= k; i += GROUP_LANES)
				by_estimates(MUL64, &chunk, a + i, b + i, signature + i);
		}
		mul64_directly(hashes + t, n_chunk, a + i, b + i, k - i, signature + i);
	}
}

void LW_FN(minhash_mod61)(const uint32_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                          uint32_t *signature)
{
	struct chunk chunk;

	for (size_t t = 0; t < n; t += CHUNK) {
		size_t n_chunk = n - t < CHUNK ? n - t : CHUNK, i = 0;

		if (n_chunk >= FEW_61 && k >= GROUP_LANES) {
			fill_chunk_32(&chunk, hashes + t, n_chunk);
			for (; i + GROUP_LANES <= k; i += GROUP_LANES)
				by_estimates(MOD61, &chunk, a + i, b + i, signature + i);
		}
		mod61_directly(hashes + t, n_chunk, a + i, b + i, k - i, signature + i);
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
