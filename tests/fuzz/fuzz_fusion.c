/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Up to four lists of small numbers and a k: what comes out is in order, without repetitions, every number is in some
 * list, and the best k are the first of all. A list fused alone is the list itself without repetitions.
 */
#include <lanewise/fusion.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_LISTS = 4, MAX_ENTRIES = 256 };

static void require(int condition)
{
	if (!condition)
		abort();
}

static size_t fuse(const lanewise_ranking *rankings, size_t n, size_t k, uint32_t *index, float *score)
{
	void *scratch = aligned_alloc(64, (lanewise_fuse_rrf_scratch_size(rankings, n) + 63) / 64 * 64);
	size_t n_found = SIZE_MAX;

	require(lanewise_fuse_rrf(rankings, n, 60, k, scratch, index, score, &n_found) == LANEWISE_OK);
	require(n_found <= k);
	for (size_t i = 1; i < n_found; i++)
		require(score[i] < score[i - 1] || (score[i] == score[i - 1] && index[i] > index[i - 1]));
	free(scratch);
	return n_found;
}

static size_t fuse_scores(const lanewise_scored_ranking *rankings, size_t n, const lanewise_fuse_options *options,
                          size_t k, uint32_t *index, float *score)
{
	void *scratch = aligned_alloc(64, (lanewise_fuse_scores_scratch_size(rankings, n) + 63) / 64 * 64);
	size_t n_found = SIZE_MAX;

	require(lanewise_fuse_scores(rankings, n, options, k, scratch, index, score, &n_found) == LANEWISE_OK);
	require(n_found <= k);
	for (size_t i = 1; i < n_found; i++)
		require(score[i] < score[i - 1] || (score[i] == score[i - 1] && index[i] > index[i - 1]));
	free(scratch);
	return n_found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint32_t numbers[MAX_LISTS][MAX_ENTRIES], index[MAX_LISTS * MAX_ENTRIES], few[MAX_LISTS * MAX_ENTRIES];
	static float score[MAX_LISTS * MAX_ENTRIES], few_score[MAX_LISTS * MAX_ENTRIES];
	lanewise_ranking rankings[MAX_LISTS];
	unsigned char in_list[256] = { 0 };
	size_t n_lists, k, n_distinct = 0, n, shift;

	if (size < 3 || size > MAX_ENTRIES)
		return 0;
	n_lists = data[0] % MAX_LISTS + 1;
	k = data[1] % 32 + 1;
	shift = data[2] % 25;
	for (size_t i = 0; i < n_lists; i++)
		rankings[i] = (lanewise_ranking) { numbers[i], 0, 1 };
	for (size_t i = 3; i < size; i++) {
		lanewise_ranking *ranking = &rankings[i % n_lists];

		numbers[i % n_lists][ranking->n++] = (uint32_t)data[i] << shift;
		n_distinct += !in_list[data[i]];
		in_list[data[i]] = 1;
	}
	n = fuse(rankings, n_lists, MAX_LISTS * MAX_ENTRIES, index, score);
	require(n == n_distinct);
	for (size_t i = 0; i < n; i++) {
		require(index[i] >> shift < 256 && in_list[index[i] >> shift]);
		in_list[index[i] >> shift] = 0;
	}
	require(fuse(rankings, n_lists, k, few, few_score) == (n < k ? n : k));
	require(!memcmp(few, index, (n < k ? n : k) * sizeof *few));
	require(!memcmp(few_score, score, (n < k ? n : k) * sizeof *score));

	/* The same documents by scores, the first few the same when fewer are asked for. */
	lanewise_scored_ranking scored[MAX_LISTS];
	lanewise_fuse_options options = { sizeof options, data[0] % 3, data[1] % 2 };
	static float scores[MAX_ENTRIES];

	for (size_t i = 0; i < MAX_ENTRIES; i++)
		scores[i] = (float)(data[i % size] % 16) - 8;
	for (size_t i = 0; i < n_lists; i++)
		scored[i] = (lanewise_scored_ranking) { numbers[i], scores + i, rankings[i].n, (float)i - 1 };
	require(fuse_scores(scored, n_lists, &options, MAX_LISTS * MAX_ENTRIES, index, score) == n_distinct);
	require(fuse_scores(scored, n_lists, &options, k, few, few_score) == (n < k ? n : k));
	require(!memcmp(few, index, (n < k ? n : k) * sizeof *few));
	require(!memcmp(few_score, score, (n < k ? n : k) * sizeof *score));

	unsigned char seen[256] = { 0 };
	size_t at = 0;

	n = fuse(rankings, 1, MAX_ENTRIES, index, score);
	for (size_t i = 0; i < rankings[0].n; i++)
		if (!seen[numbers[0][i] >> shift]) {
			seen[numbers[0][i] >> shift] = 1;
			require(at < n && index[at++] == numbers[0][i]);
		}
	require(at == n);
	return 0;
}
