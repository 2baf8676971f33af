/* SPDX-License-Identifier: Apache-2.0 */
/* Two lists fused by their scores, and the result judged. */
#include <lanewise/evaluate.h>
#include <lanewise/fusion.h>

#include <stdio.h>

enum { K = 4 };

int main(void)
{
	static const uint32_t by_words[] = { 12, 7, 3 }, by_vector[] = { 7, 5, 12 };
	static const float word_scores[] = { 9.5f, 8.0f, 2.5f }, vector_scores[] = { 0.81f, 0.80f, 0.44f };
	const lanewise_scored_ranking lists[] = { { by_words, word_scores, 3, 0.5f },
		                                  { by_vector, vector_scores, 3, 0.5f } };
	const lanewise_judgement judgements[] = { { 7, 2 }, { 12, 1 }, { 99, 1 } };
	_Alignas(64) unsigned char scratch[32768];
	lanewise_ranking_metrics metrics;
	uint32_t index[K];
	float score[K];
	size_t n;

	if (lanewise_fuse_scores_scratch_size(lists, 2) > sizeof scratch ||
	    lanewise_fuse_scores(lists, 2, NULL, K, scratch, index, score, &n) != LANEWISE_OK ||
	    lanewise_evaluate_ranking(index, n, judgements, 3, K, scratch, &metrics) != LANEWISE_OK)
		return 1;
	for (size_t i = 0; i < n; i++)
		printf("%2u  %.3f\n", index[i], (double)score[i]);
	printf("nDCG %.3f, average precision %.3f, reciprocal rank %.3f\n", metrics.ndcg, metrics.average_precision,
	       metrics.reciprocal_rank);
	return index[0] == 7 && metrics.n_relevant == 3 ? 0 : 1;
}
