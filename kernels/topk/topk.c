/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/topk.h: the reservoir around the kernels. What is kept lies in order of index all the time, so "the first
 * of several equals" is the one that comes first in memory.
 */
#include <lanewise/topk.h>

#include <math.h>

#include "score_item.h"
#include "topk/topk.h"

struct lanewise_topk {
	size_t k, capacity, n;
	float bound; /* scores below it cannot be among the best k; NaN if none can any more */
	float *kept;
	uint32_t *index;
	uint64_t *items; /* k places for sorting; `kept` and `index` are the other half of the ping-pong */
};

enum { HEADER_BYTES = 128 };
_Static_assert(sizeof(struct lanewise_topk) <= HEADER_BYTES, "the header has outgrown its place");

/* Room for the reservoir: a multiple of k, so that dropping all but k happens seldom, and one block to write ahead. */
static size_t reservoir_capacity(size_t k)
{
	size_t wanted = k < 256 ? 512 : 2 * k;

	return (wanted + 2 * LW_TOPK_BLOCK - 1) / LW_TOPK_BLOCK * LW_TOPK_BLOCK;
}

size_t lanewise_topk_scratch_size(size_t k)
{
	if (k == 0 || k > UINT32_MAX)
		return 0;
	return HEADER_BYTES + reservoir_capacity(k) * (sizeof(float) + sizeof(uint32_t)) + k * sizeof(uint64_t);
}

lanewise_topk *lanewise_topk_begin(void *scratch, size_t k, float threshold)
{
	if (!scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || lanewise_topk_scratch_size(k) == 0 ||
	    threshold != threshold)
		return NULL;

	struct lanewise_topk *topk = scratch;
	size_t capacity = reservoir_capacity(k);

	topk->k = k;
	topk->capacity = capacity;
	topk->n = 0;
	topk->bound = threshold;
	topk->kept = (float *)((unsigned char *)scratch + HEADER_BYTES);
	topk->index = (uint32_t *)(topk->kept + capacity);
	topk->items = (uint64_t *)(topk->index + capacity);
	return topk;
}

/* The smallest float greater than x, which is no NaN; NaN if there is none. */
static float next_above(float x)
{
	uint32_t bits = lw_f32_bits(x + 0.0f);

	if (x == INFINITY)
		return NAN;
	return lw_f32_from_bits(bits & 0x80000000 ? bits - 1 : bits + 1);
}

static void keep_best_k(struct lanewise_topk *topk)
{
	const struct lw_kernels *kernels = lw_kernels();
	float kth = kernels->topk_select_f32(topk->kept, topk->n, topk->k);

	kernels->topk_compact_f32(topk->kept, topk->index, topk->n, kth, topk->k);
	topk->n = topk->k;
	/* Equal scores with a higher index lose, so from here on only greater ones count. */
	topk->bound = next_above(kth);
}

float lanewise_topk_tighten(lanewise_topk *topk)
{
	if (topk->n >= topk->k)
		keep_best_k(topk);
	return topk->bound;
}

void lanewise_topk_push_f32(lanewise_topk *topk, const float *scores, size_t n, uint32_t first_index)
{
	const struct lw_kernels *kernels = lw_kernels();

	for (size_t i = 0; i < n;) {
		i += kernels->topk_filter_f32(scores + i, n - i, first_index + (uint32_t)i, topk->bound, topk->kept,
		                              topk->index, &topk->n, topk->capacity);
		if (i < n)
			keep_best_k(topk);
	}
}

void lanewise_topk_push_some_f32(lanewise_topk *topk, const float *scores, const uint32_t *index, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (topk->n == topk->capacity)
			keep_best_k(topk);
		topk->kept[topk->n] = scores[i];
		topk->index[topk->n] = index[i];
		topk->n += scores[i] >= topk->bound;
	}
}

static void insertion_sort(uint64_t *items, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		uint64_t item = items[i];
		size_t j = i;

		for (; j > 0 && items[j - 1] > item; j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

/*
 * Least significant digit first over the score's bits. The items come in order of index and each pass is stable, so the
 * index needs no pass. Keys are counted from the least: so there are fewer digits, and neighbours differ more often,
 * which counting equal ones one after the other would wait for. Returns where the result lies: `items` or `other`.
 */
static uint64_t *radix_sort(uint64_t *items, uint64_t *other, size_t n)
{
	uint32_t places[4][256] = { 0 }, least = UINT32_MAX, most = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t key = (uint32_t)(items[i] >> 32);

		least = key < least ? key : least;
		most = key > most ? key : most;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t key = (uint32_t)(items[i] >> 32) - least;

		for (int digit = 0; digit < 4; digit++)
			places[digit][key >> 8 * digit & 255]++;
	}
	for (int digit = 0; digit < 4 && (most - least) >> 8 * digit; digit++) {
		for (uint32_t value = 0, sum = 0; value < 256; value++) {
			uint32_t count = places[digit][value];

			places[digit][value] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++) {
			uint32_t key = (uint32_t)(items[i] >> 32) - least;

			other[places[digit][key >> 8 * digit & 255]++] = items[i];
		}

		uint64_t *sorted = other;

		other = items;
		items = sorted;
	}
	return items;
}

size_t lanewise_topk_finish(lanewise_topk *topk, uint32_t *index, float *score)
{
	if (topk->n > topk->k)
		keep_best_k(topk);

	size_t n = topk->n;
	uint64_t *items = topk->items;

	for (size_t i = 0; i < n; i++)
		items[i] = lw_item_of(topk->kept[i], topk->index[i]);
	if (n <= 48)
		insertion_sort(items, n);
	else
		items = radix_sort(items, (uint64_t *)(void *)topk->kept, n);
	for (size_t i = 0; index && i < n; i++)
		index[i] = (uint32_t)items[i];
	for (size_t i = 0; score && i < n; i++)
		score[i] = lw_item_score(items[i]);
	return n;
}

lanewise_status lanewise_topk_f32(const float *scores, size_t n, size_t k, void *scratch, uint32_t *index, float *score)
{
	if (k > UINT32_MAX || n > UINT32_MAX)
		return LANEWISE_ERROR_TOO_LARGE;
	if (!scores && n)
		return LANEWISE_ERROR_ARGUMENT;

	lanewise_topk *topk = lanewise_topk_begin(scratch, k, -INFINITY);

	if (!topk)
		return LANEWISE_ERROR_ARGUMENT;
	lanewise_topk_push_f32(topk, scores, n, 0);

	size_t found = lanewise_topk_finish(topk, index, score);

	/* Fewer than asked for means that the others are NaN. */
	for (size_t i = 0; found < k && i < n; i++)
		if (scores[i] != scores[i]) {
			if (index)
				index[found] = (uint32_t)i;
			if (score)
				score[found] = lw_f32_canonical(scores[i]);
			found++;
		}
	return LANEWISE_OK;
}
