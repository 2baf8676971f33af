/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for the three steps of a top-k (kernel_types.h says what each does). */
#include "common.h"

size_t LW_FN(topk_filter_f32)(const float *scores, size_t n, uint32_t first_index, float bound, float *kept,
                              uint32_t *kept_index, size_t *n_kept, size_t capacity)
{
	size_t used = *n_kept, i = 0;

	while (i < n) {
		size_t end = n - i < LW_TOPK_BLOCK ? n : i + LW_TOPK_BLOCK, found = 0;

		for (size_t j = i; j < end; j++)
			found += scores[j] >= bound;
		if (found > 0 && capacity - used < LW_TOPK_BLOCK)
			break;
		for (size_t j = i; found > 0 && j < end; j++)
			if (scores[j] >= bound) {
				kept[used] = scores[j];
				kept_index[used] = first_index + (uint32_t)j;
				used++;
			}
		i = end;
	}
	*n_kept = used;
	return i;
}

/* A place in the order of floats as an integer: a < b as floats if and only if key(a) < key(b), but -0 is below +0. */
static int32_t key_of(float x)
{
	int32_t bits = (int32_t)lw_f32_bits(x);

	return bits >= 0 ? bits : bits ^ 0x7fffffff;
}

float LW_FN(topk_select_f32)(const float *v, size_t n, size_t k)
{
	/* The largest key that at least k elements reach, one bit after the other from the sign down. */
	int64_t answer = INT32_MIN;

	for (int bit = 31; bit >= 0; bit--) {
		int64_t guess = answer + ((int64_t)1 << bit);
		size_t count = 0;

		for (size_t i = 0; i < n; i++)
			count += key_of(v[i] + 0.0f) >= guess;
		if (count >= k)
			answer = guess;
	}
	return lw_f32_from_bits((uint32_t)(answer >= 0 ? answer : answer ^ 0x7fffffff));
}

void LW_FN(topk_compact_f32)(float *v, uint32_t *index, size_t n, float kth, size_t k)
{
	size_t greater = 0, used = 0;

	for (size_t i = 0; i < n; i++)
		greater += v[i] > kth;
	size_t equals_wanted = k - greater;

	for (size_t i = 0; i < n; i++) {
		int keep = v[i] > kth;

		if (v[i] == kth && equals_wanted > 0) {
			keep = 1;
			equals_wanted--;
		}
		if (keep) {
			v[used] = v[i];
			index[used] = index[i];
			used++;
		}
	}
}
