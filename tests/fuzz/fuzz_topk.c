/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Top-k over any bits as scores, on every tier: equal to sorting all, for one call and for any way of cutting it into
 * pushes; and the fused scan equal to a scan and a sort.
 */
#include <math.h>

#include <lanewise/topk.h>
#include <lanewise/vector.h>

#include "fuzz.h"
#include "../topk_order.h"

struct problem {
	const float *scores;
	size_t n, k, push;
	float threshold;
	struct entry *sorted;
	void *scratch;
	uint32_t *index;
	float *score;
};

static uint32_t returned_bits(float score)
{
	uint32_t bits;

	score += 0.0f;
	memcpy(&bits, &score, sizeof bits);
	return score != score ? 0x7fc00000 : bits;
}

static void require_best(const struct problem *p, const struct entry *sorted, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t bits;

		memcpy(&bits, &p->score[i], sizeof bits);
		FUZZ_REQUIRE(p->index[i] == sorted[i].index);
		FUZZ_REQUIRE(bits == returned_bits(sorted[i].score));
	}
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static void require_whole(const struct problem *p)
{
	FUZZ_REQUIRE(lanewise_topk_f32(p->scores, p->n, p->k, p->scratch, p->index, p->score) == LANEWISE_OK);
	require_best(p, p->sorted, smaller(p->n, p->k));
}

static void require_pushes(const struct problem *p)
{
	lanewise_topk *topk = lanewise_topk_begin(p->scratch, p->k, p->threshold);
	size_t reaching = 0;

	for (size_t at = 0, size = 1; at < p->n; at += size) {
		size = smaller(p->n - at, 1 + (at * 7 + p->push) % (p->push + 1));
		lanewise_topk_push_f32(topk, p->scores + at, size, (uint32_t)at);
	}
	while (reaching < p->n && p->sorted[reaching].score >= p->threshold)
		reaching++;
	FUZZ_REQUIRE(lanewise_topk_finish(topk, p->index, p->score) == smaller(reaching, p->k));
	require_best(p, p->sorted, smaller(reaching, p->k));
}

/* The scores once more as vectors of `dim` elements, the first being the query. */
static void require_scan(const struct problem *p, size_t dim, lanewise_metric metric)
{
	size_t n_rows = p->n / dim, reaching = 0, found;
	float *out = fuzz_allocate(n_rows * sizeof *out);
	struct entry *sorted = fuzz_allocate(n_rows * sizeof *sorted);
	int nearest = metric == LANEWISE_METRIC_L2SQ;

	if (metric == LANEWISE_METRIC_DOT)
		lanewise_dot_f32_rows(p->scores, p->scores, n_rows, dim, dim, out);
	else if (metric == LANEWISE_METRIC_COSINE)
		lanewise_cosine_f32_rows(p->scores, p->scores, n_rows, dim, dim, out);
	else
		lanewise_l2sq_f32_rows(p->scores, p->scores, n_rows, dim, dim, out);
	for (size_t i = 0; i < n_rows; i++)
		sorted[i] = (struct entry) { nearest ? -out[i] : out[i], (uint32_t)i };
	qsort(sorted, n_rows, sizeof *sorted, compare_entries);
	for (size_t i = 0; i < n_rows; i++) {
		sorted[i].score = nearest ? -sorted[i].score : sorted[i].score;
		reaching += nearest ? sorted[i].score <= p->threshold : sorted[i].score >= p->threshold;
	}
	FUZZ_REQUIRE(lanewise_scan_topk_f32(p->scores, p->scores, n_rows, dim, dim, metric, p->k, p->threshold,
	                                    p->scratch, p->index, p->score, &found) == LANEWISE_OK);
	FUZZ_REQUIRE(found == smaller(reaching, p->k));
	require_best(p, sorted, found);
	free(sorted);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct problem p;
	size_t repeat, dim, metric;

	p.k = 1 + fuzz_u16(&in) % 700;
	p.push = fuzz_u8(&in);
	repeat = 1 + fuzz_u8(&in) % 8; /* so that small inputs fill the reservoir too */
	dim = 1 + fuzz_u8(&in) % 40;
	metric = fuzz_u8(&in) % 3;
	fuzz_bytes(&in, &p.threshold, sizeof p.threshold);
	if (p.threshold != p.threshold)
		p.threshold = -INFINITY;

	size_t once = in.size / sizeof(float);
	float *scores = fuzz_allocate(once * repeat * sizeof *scores);

	p.n = once * repeat;
	for (size_t i = 0; once && i < repeat; i++)
		memcpy(scores + i * once, in.data, once * sizeof *scores);
	p.scores = scores;
	p.sorted = fuzz_allocate(p.n * sizeof *p.sorted);
	for (size_t i = 0; i < p.n; i++)
		p.sorted[i] = (struct entry) { scores[i], (uint32_t)i };
	qsort(p.sorted, p.n, sizeof *p.sorted, compare_entries);

	/* No larger than documented, so that the sanitizer sees writes beyond. */
	size_t scratch_size = lanewise_topk_scratch_size(p.k);

	FUZZ_REQUIRE(posix_memalign(&p.scratch, 64, scratch_size) == 0);
	p.index = fuzz_allocate(smaller(p.k, p.n) * sizeof *p.index);
	p.score = fuzz_allocate(smaller(p.k, p.n) * sizeof *p.score);
	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++) {
		if (lanewise_set_tier(t) != LANEWISE_OK)
			continue;
		require_whole(&p);
		require_pushes(&p);
		if (p.n >= dim) /* the query is the first row */
			require_scan(&p, dim, (lanewise_metric)metric);
	}
	free(p.score);
	free(p.index);
	free(p.scratch);
	free(p.sorted);
	free(scores);
	return 0;
}
