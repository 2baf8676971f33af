/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels behind lanewise/bm25.h for every vector tier (kernel_types.h says what each does).
 *
 * The sum of a posting needs no shift: the upper half of a 32-bit product is where a candidate has its sum, and the
 * document goes below it.
 */
#include <string.h>

#include "vec.h"

enum {
	BLOCK = 64,        /* sums of which one above the bound is looked for at once */
	CHUNK_BLOCKS = 64, /* 8 KiB, which stay in L1 until they are set to 0 */
	AHEAD = 768        /* postings that are fetched beforehand */
};

LW_INLINE size_t append(uint32_t *found, size_t n_found, vu candidates, vu bound)
{
	uint32_t mask = vb_bits(vu_ge(candidates, bound));

	vu_store(found + n_found, vu_compress(candidates, mask));
	return n_found + (size_t)__builtin_popcount(mask);
}

size_t LW_FN(bm25_filter)(const uint16_t *documents, const uint16_t *quanta, size_t n, uint32_t weight, uint32_t bound,
                          uint32_t *found)
{
	const vu w = vu_set1(weight), b = vu_set1(bound << 16), high = vu_set1(0xffff0000), one = vu_set1(0x10000);
	size_t n_found = 0, i = 0;

	for (; n - i >= VF_LANES; i += VF_LANES) {
		__builtin_prefetch(documents + i + AHEAD);
		__builtin_prefetch(quanta + i + AHEAD);

		vu sum = vu_add(vu_and(vu_mul(vu_load_u16(quanta + i), w), high), one);

		n_found = append(found, n_found, vu_or(sum, vu_load_u16(documents + i)), b);
	}
	for (; i < n; i++) {
		uint32_t sum = 1 + (quanta[i] * weight >> 16);

		found[n_found] = sum << 16 | documents[i];
		n_found += sum >= bound;
	}
	return n_found;
}

/*
 * A document at a time: scatters are no faster. What follows a term's run is its run in the next segment, so it is
 * wanted soon.
 */
void LW_FN(bm25_add)(const uint16_t *documents, const uint16_t *quanta, size_t n, uint32_t weight, uint16_t *sums)
{
	const vq w = vq_set16((uint16_t)weight), one = vq_set16(1);
	size_t i = 0;

	for (; n - i >= VQ_LANES / 2; i += VQ_LANES / 2) {
		uint16_t add[VQ_LANES / 2];

		__builtin_prefetch(documents + i + AHEAD);
		__builtin_prefetch(quanta + i + AHEAD);
		vq_store16(add, vq_add16(vq_mul_high16(vq_load((const uint8_t *)(quanta + i)), w), one));
#pragma GCC unroll 32
		for (size_t j = 0; j < VQ_LANES / 2; j++)
			sums[documents[i + j]] = (uint16_t)(sums[documents[i + j]] + add[j]);
	}
	for (; i < n; i++)
		sums[documents[i]] += (uint16_t)(1 + (quanta[i] * weight >> 16));
}

/* The numbers of those among n blocks of sums that hold one at or above the bound; returns how many. */
LW_INLINE size_t queue_blocks(const uint16_t *sums, size_t n, vq bound, uint8_t queue[CHUNK_BLOCKS])
{
	size_t queued = 0;

	for (size_t block = 0; block < n; block++) {
		const uint8_t *p = (const uint8_t *)(sums + block * BLOCK);
		vq most = vq_load(p);

#pragma GCC unroll 8
		for (size_t j = VQ_LANES; j < 2 * BLOCK; j += VQ_LANES)
			most = vq_max16(most, vq_load(p + j));
		queue[queued] = (uint8_t)block;
		queued += (size_t)vq_any_ge16(most, bound);
	}
	return queued;
}

size_t LW_FN(bm25_scan)(uint16_t *sums, size_t n, uint32_t bound, uint32_t *found)
{
	const vq b = vq_set16((uint16_t)bound);
	const vu high = vu_set1(bound << 16), shift = vu_set1(0x10000);
	uint8_t queue[CHUNK_BLOCKS];
	size_t n_found = 0, i = 0;

	for (size_t n_blocks; (n_blocks = (n - i) / BLOCK) > 0; i += n_blocks * BLOCK) {
		n_blocks = n_blocks < CHUNK_BLOCKS ? n_blocks : CHUNK_BLOCKS;

		size_t queued = queue_blocks(sums + i, n_blocks, b, queue);

		for (size_t q = 0; q < queued; q++) {
			size_t at = i + (size_t)queue[q] * BLOCK;

#pragma GCC unroll 16
			for (size_t j = at; j < at + BLOCK; j += VF_LANES) {
				vu sum = vu_mul(vu_load_u16(sums + j), shift);

				n_found = append(found, n_found, vu_or(sum, vu_iota((uint32_t)j)), high);
			}
		}
		memset(sums + i, 0, n_blocks * BLOCK * sizeof *sums);
	}
	for (; i < n; i++) {
		if (sums[i] >= bound)
			found[n_found++] = (uint32_t)sums[i] << 16 | (uint32_t)i;
		sums[i] = 0;
	}
	return n_found;
}

enum { FIND = 32 /* documents that are compared at once */ };

/* Where one document is among n >= FIND, which can only be in [low, high). */
LW_INLINE uint32_t find_in(const uint16_t *documents, uint32_t n, uint32_t low, uint32_t high, uint32_t document)
{
	while (high - low > FIND) {
		uint32_t middle = low + (high - low) / 2;

		if (documents[middle] <= document)
			low = middle;
		else
			high = middle;
	}
	/* As no document occurs twice, there is no harm in looking at others. */
	low = low < n - FIND ? low : n - FIND;

	uint32_t lane = vq_find16(documents + low, (uint16_t)document);

	return lane < FIND ? low + lane : n;
}

/* In fewer documents than FIND. */
static void find_in_few(const uint16_t *documents, uint32_t n, const uint32_t *wanted, size_t n_wanted, uint32_t *at)
{
	uint16_t few[FIND];

	for (uint32_t i = 0; i < FIND; i++)
		few[i] = documents[i < n ? i : 0];
	for (size_t i = 0; i < n_wanted; i++) {
		uint32_t lane = vq_find16(few, (uint16_t)wanted[i]);

		at[i] = lane < n ? lane : n;
	}
}

/* In two steps that wait for memory each for all documents: first for the blocks, then for what is in them. */
void LW_FN(bm25_find)(const uint16_t *documents, size_t n, const uint16_t *skips, unsigned shift,
                      const uint32_t *wanted, size_t n_wanted, uint32_t *at)
{
	enum { BATCH = 64 };
	const uint32_t last = (0xffffu >> shift);
	uint32_t high[BATCH];

	if (n == 0) {
		for (size_t i = 0; i < n_wanted; i++)
			at[i] = 0;
		return;
	}
	if (n < FIND) {
		find_in_few(documents, (uint32_t)n, wanted, n_wanted, at);
		return;
	}
	for (size_t begin = 0; begin < n_wanted; begin += BATCH, wanted += BATCH, at += BATCH) {
		size_t n_here = n_wanted - begin < BATCH ? n_wanted - begin : BATCH;

		for (size_t i = 0; i < n_here; i++) {
			uint32_t block = (wanted[i] & 0xffff) >> shift;

			at[i] = skips ? skips[block] : 0;
			high[i] = skips && block < last ? skips[block + 1] : (uint32_t)n;
			__builtin_prefetch(documents + at[i]);
			__builtin_prefetch(documents + at[i] + FIND - 1);
		}
		for (size_t i = 0; i < n_here; i++)
			at[i] = find_in(documents, (uint32_t)n, at[i], high[i], wanted[i] & 0xffff);
	}
}
