/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best of a stream: scores arrive in pieces of any size and are never all in memory. The result is that of one
 * call on the whole, ties included.
 */
#include <lanewise/topk.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { K = 5, N = 10000 };

/* Where scores come from: any function of the index will do. */
static float score_of(uint32_t i) { return (float)(i * 2654435761u % 1000) / 1000; }

int main(void)
{
	void *scratch = malloc(lanewise_topk_scratch_size(K));
	float piece[97], best_score[K];
	uint32_t best[K];

	if (!scratch)
		return 1;

	lanewise_topk *topk = lanewise_topk_begin(scratch, K, -INFINITY);

	for (uint32_t first = 0; first < N; first += sizeof piece / sizeof *piece) {
		uint32_t n = 0;

		for (; n < sizeof piece / sizeof *piece && first + n < N; n++)
			piece[n] = score_of(first + n);
		lanewise_topk_push_f32(topk, piece, n, first);
	}

	size_t n_found = lanewise_topk_finish(topk, best, best_score);

	for (size_t i = 0; i < n_found; i++)
		printf("%zu. score %.3f at %u\n", i + 1, (double)best_score[i], (unsigned)best[i]);

	/* The same from one array. */
	static float all[N];
	uint32_t whole[K];

	for (uint32_t i = 0; i < N; i++)
		all[i] = score_of(i);

	lanewise_status status = lanewise_topk_f32(all, N, K, scratch, whole, NULL);

	free(scratch);
	return status == LANEWISE_OK && n_found == K && memcmp(best, whole, sizeof best) == 0 ? 0 : 1;
}
