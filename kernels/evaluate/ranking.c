/* SPDX-License-Identifier: Apache-2.0 */
/* Rankings against judgements, lanewise/evaluate.h: each document of the list is looked up among the sorted judgements. */
#include <lanewise/evaluate.h>

#include <math.h>

#include "common.h"
#include "sort.h"
#include "log.h"

/* Two arrays: the judgements as document above gain, and the gains above 0, descending once they are sorted. */
size_t lanewise_evaluate_ranking_scratch_size(size_t n_judgements)
{
	if (n_judgements > UINT32_MAX || n_judgements > (SIZE_MAX - 64) / (2 * sizeof(uint64_t)))
		return 0;
	return 2 * n_judgements * sizeof(uint64_t) + 64;
}

/* Gains above 0 order as the integers of their bits do. */
static size_t collect(const lanewise_judgement *judgements, size_t n, uint64_t *judged, uint64_t *gains)
{
	size_t n_relevant = 0;

	for (size_t i = 0; i < n; i++) {
		float gain = judgements[i].gain > 0 ? judgements[i].gain : 0.0f;

		judged[i] = (uint64_t)judgements[i].document << 32 | lw_f32_bits(gain);
		if (gain > 0)
			gains[n_relevant++] = lw_f32_bits(gain);
	}
	lw_sort_u64(judged, n);
	lw_sort_u64(gains, n_relevant);
	return n_relevant;
}

/* The gain of a document, which is taken away: at a second place it has none. */
static float take_gain(uint64_t *judged, size_t n, uint32_t document)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (judged[middle] >> 32 < document)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == n || judged[low] >> 32 != document)
		return 0;

	float gain = lw_f32_from_bits((uint32_t)judged[low]);

	judged[low] &= ~(uint64_t)UINT32_MAX;
	return gain;
}

static double discounted(float gain, size_t rank) { return (double)gain / lw_log_f64(1.0 + (double)rank); }

static double ideal_gain(const uint64_t *gains, size_t n_relevant, size_t k)
{
	double sum = 0;

	for (size_t rank = 1; rank <= k && rank <= n_relevant; rank++)
		sum += discounted(lw_f32_from_bits((uint32_t)gains[n_relevant - rank]), rank);
	return sum;
}

static lanewise_status check_judgements(const lanewise_judgement *judgements, size_t n)
{
	if (!judgements && n)
		return LANEWISE_ERROR_ARGUMENT;
	for (size_t i = 0; i < n; i++)
		if (!isfinite(judgements[i].gain))
			return LANEWISE_ERROR_ARGUMENT;
	return LANEWISE_OK;
}

lanewise_status lanewise_evaluate_ranking(const uint32_t *index, size_t n, const lanewise_judgement *judgements,
                                          size_t n_judgements, size_t k, void *scratch,
                                          lanewise_ranking_metrics *metrics)
{
	if ((!index && n) || k == 0 || !scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || !metrics)
		return LANEWISE_ERROR_ARGUMENT;
	if (lanewise_evaluate_ranking_scratch_size(n_judgements) == 0)
		return LANEWISE_ERROR_TOO_LARGE;
	if (check_judgements(judgements, n_judgements))
		return LANEWISE_ERROR_ARGUMENT;

	uint64_t *judged = scratch, *gains = judged + n_judgements;
	size_t n_relevant = collect(judgements, n_judgements, judged, gains), found = 0;
	double dcg = 0, precisions = 0;

	for (size_t i = 1; i < n_judgements; i++)
		if (judged[i] >> 32 == judged[i - 1] >> 32)
			return LANEWISE_ERROR_DATA;
	*metrics = (lanewise_ranking_metrics) { .n_relevant = n_relevant };
	if (n_relevant == 0)
		return LANEWISE_OK;
	for (size_t rank = 1; rank <= k && rank <= n; rank++) {
		float gain = take_gain(judged, n_judgements, index[rank - 1]);

		if (!(gain > 0))
			continue;
		found++;
		dcg += discounted(gain, rank);
		precisions += (double)found / (double)rank;
		if (found == 1)
			metrics->reciprocal_rank = 1.0 / (double)rank;
	}
	metrics->ndcg = dcg / ideal_gain(gains, n_relevant, k);
	metrics->average_precision = precisions / (double)n_relevant;
	metrics->precision = (double)found / (double)k;
	metrics->recall = (double)found / (double)n_relevant;
	return LANEWISE_OK;
}
