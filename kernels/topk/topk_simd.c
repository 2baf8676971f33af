/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three steps of a top-k for every vector tier (kernel_types.h says what each does).
 *
 * Filter: few blocks of 64 scores have one at or above the bound, but too many for a branch on it to be predicted well:
 * at k = 1000 mispredictions cost more than everything else. So it goes in chunks that stay in L1: the first loop only
 * queues the numbers of blocks with something in them, without a branch, the second appends what they hold.
 *
 * Select: instead of partitioning (which needs a pivot, luck, and memory) it bisects the bit
 * patterns of floats by counting: one comparison per vector and pass, at most 32 passes for any data; usually about a
 * dozen, because a bound that exactly k elements reach ends the search.
 */
#include <math.h>

#include "vec.h"

enum {
	BLOCK_VECTORS = LW_TOPK_BLOCK / VF_LANES,
	CHUNK_BLOCKS = 64 /* 16 KiB of scores */
};

/* The lanes of v that are at or above the bound, to the end of what is kept. */
LW_INLINE void append(float *kept, uint32_t *kept_index, size_t *used, vf v, uint32_t index, vf bound)
{
	uint32_t mask = vb_bits(vf_ge(v, bound));

	vf_store(kept + *used, vf_compress(v, mask));
	vu_store(kept_index + *used, vu_compress(vu_iota(index), mask));
	*used += (size_t)__builtin_popcount(mask);
}

/* The numbers of those among n_blocks blocks that hold a score at or above the bound; returns how many. */
LW_INLINE size_t queue_blocks(const float *scores, size_t n_blocks, vf bound, uint8_t queue[CHUNK_BLOCKS])
{
	size_t queued = 0;

	for (size_t block = 0; block < n_blocks; block++) {
		const float *p = scores + block * LW_TOPK_BLOCK;
		vb any = vf_ge(vf_load(p), bound);

#pragma GCC unroll 16
		for (size_t j = 1; j < BLOCK_VECTORS; j++)
			any = vb_or(any, vf_ge(vf_load(p + j * VF_LANES), bound));
		queue[queued] = (uint8_t)block;
		queued += (size_t)vb_any(any);
	}
	return queued;
}

/* The last, short block. */
static size_t filter_tail(const float *scores, size_t n, uint32_t first_index, float bound, float *kept,
                          uint32_t *kept_index, size_t *n_kept, size_t capacity)
{
	size_t used = *n_kept, found = 0;

	for (size_t i = 0; i < n; i++)
		found += scores[i] >= bound;
	if (found > 0 && capacity - used < LW_TOPK_BLOCK)
		return 0;
	for (size_t i = 0; found > 0 && i < n; i++)
		if (scores[i] >= bound) {
			kept[used] = scores[i];
			kept_index[used++] = first_index + (uint32_t)i;
		}
	*n_kept = used;
	return n;
}

size_t LW_FN(topk_filter_f32)(const float *scores, size_t n, uint32_t first_index, float bound, float *kept,
                              uint32_t *kept_index, size_t *n_kept, size_t capacity)
{
	const vf b = vf_set1(bound);
	uint8_t queue[CHUNK_BLOCKS];
	size_t used = *n_kept, i = 0;

	while (n - i >= LW_TOPK_BLOCK) {
		size_t n_blocks = (n - i) / LW_TOPK_BLOCK < CHUNK_BLOCKS ? (n - i) / LW_TOPK_BLOCK : CHUNK_BLOCKS;
		size_t queued = queue_blocks(scores + i, n_blocks, b, queue);

		for (size_t q = 0; q < queued; q++) {
			size_t at = i + (size_t)queue[q] * LW_TOPK_BLOCK;

			if (capacity - used < LW_TOPK_BLOCK) {
				*n_kept = used;
				return at;
			}
#pragma GCC unroll 16
			for (size_t j = 0; j < BLOCK_VECTORS; j++, at += VF_LANES)
				append(kept, kept_index, &used, vf_load(scores + at), first_index + (uint32_t)at, b);
		}
		i += n_blocks * LW_TOPK_BLOCK;
	}
	*n_kept = used;
	return i + filter_tail(scores + i, n - i, first_index + (uint32_t)i, bound, kept, kept_index, n_kept, capacity);
}

/* Floats in the order of their values as integers; -0 is one below +0. */
LW_INLINE int64_t key_of(float x)
{
	int32_t bits = (int32_t)lw_f32_bits(x);

	return bits >= 0 ? bits : bits ^ 0x7fffffff;
}

LW_INLINE float float_of(int64_t key) { return lw_f32_from_bits((uint32_t)(key >= 0 ? key : key ^ 0x7fffffff)); }

static size_t count_ge(const float *v, size_t n, float bound)
{
	const vf b = vf_set1(bound);
	vu count[4] = { vu_zero(), vu_zero(), vu_zero(), vu_zero() };
	size_t i = 0;

	for (; n - i >= 4 * VF_LANES; i += 4 * VF_LANES)
#pragma GCC unroll 4
		for (size_t j = 0; j < 4; j++)
			count[j] = vu_count(count[j], vf_ge(vf_load(v + i + j * VF_LANES), b));

	size_t total = (size_t)vu_sum(count[0]) + vu_sum(count[1]) + vu_sum(count[2]) + vu_sum(count[3]);

	for (; i < n; i++)
		total += v[i] >= bound;
	return total;
}

/* The smallest element that is >= bound; there is one. */
static float smallest_ge(const float *v, size_t n, float bound)
{
	vf least = vf_set1(INFINITY);
	float lanes[VF_LANES], answer = INFINITY;
	size_t i = 0;

	for (; n - i >= VF_LANES; i += VF_LANES) {
		vf x = vf_load(v + i);

		least = vf_min(least, vf_select(vf_ge(x, vf_set1(bound)), x, least));
	}
	vf_store(lanes, least);
	for (size_t j = 0; j < VF_LANES; j++)
		answer = lanes[j] < answer ? lanes[j] : answer;
	for (; i < n; i++)
		answer = v[i] >= bound && v[i] < answer ? v[i] : answer;
	return answer;
}

static void least_and_greatest(const float *v, size_t n, float *least, float *greatest)
{
	vf low = vf_set1(v[0]), high = low;
	float lanes[VF_LANES];
	size_t i = 0;

	for (; n - i >= VF_LANES; i += VF_LANES) {
		low = vf_min(low, vf_load(v + i));
		high = vf_max(high, vf_load(v + i));
	}
	*least = *greatest = v[0];
	vf_store(lanes, low);
	for (size_t j = 0; j < VF_LANES; j++)
		*least = lanes[j] < *least ? lanes[j] : *least;
	vf_store(lanes, high);
	for (size_t j = 0; j < VF_LANES; j++)
		*greatest = lanes[j] > *greatest ? lanes[j] : *greatest;
	for (; i < n; i++) {
		*least = v[i] < *least ? v[i] : *least;
		*greatest = v[i] > *greatest ? v[i] : *greatest;
	}
}

float LW_FN(topk_select_f32)(const float *v, size_t n, size_t k)
{
	float least, greatest;

	least_and_greatest(v, n, &least, &greatest);

	/* At least k elements reach float_of(low), fewer than k reach float_of(high). */
	int64_t low = key_of(least + 0.0f), high = key_of(greatest + 0.0f) + 1;

	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;
		size_t count = count_ge(v, n, float_of(middle));

		if (count == k)
			return smallest_ge(v, n, float_of(middle)) + 0.0f;
		if (count > k)
			low = middle;
		else
			high = middle;
	}
	return float_of(low) + 0.0f;
}

/* The lowest n set bits of a mask. */
LW_INLINE uint32_t lowest_bits(uint32_t mask, size_t n)
{
	uint32_t rest = mask;

	for (; n > 0 && rest; n--)
		rest &= rest - 1;
	return mask ^ rest;
}

void LW_FN(topk_compact_f32)(float *v, uint32_t *index, size_t n, float kth, size_t k)
{
	const vf bound = vf_set1(kth);
	size_t greater = 0, used = 0, i = 0;

	for (; n - i >= VF_LANES; i += VF_LANES)
		greater += (size_t)__builtin_popcount(vb_bits(vf_gt(vf_load(v + i), bound)));
	for (; i < n; i++)
		greater += v[i] > kth;

	size_t equals_wanted = k - greater;

	/* In place: what is stored at `used` never reaches beyond the vector at i that was just read. */
	for (i = 0; n - i >= VF_LANES; i += VF_LANES) {
		vf x = vf_load(v + i);
		vu id = vu_load(index + i);
		uint32_t equal = lowest_bits(vb_bits(vf_eq(x, bound)), equals_wanted);
		uint32_t mask = vb_bits(vf_gt(x, bound)) | equal;

		equals_wanted -= (size_t)__builtin_popcount(equal);
		vf_store(v + used, vf_compress(x, mask));
		vu_store(index + used, vu_compress(id, mask));
		used += (size_t)__builtin_popcount(mask);
	}
	for (; i < n; i++) {
		int keep = v[i] > kth;

		if (v[i] == kth && equals_wanted > 0) {
			keep = 1;
			equals_wanted--;
		}
		if (keep) {
			v[used] = v[i];
			index[used++] = index[i];
		}
	}
}
