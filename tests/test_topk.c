/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/topk.h and the fused scan of lanewise/vector.h against sorting everything with qsort. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include <lanewise/topk.h>
#include <lanewise/vector.h>

#include "dispatch.h"
#include "test.h"
#include "topk_order.h"

static uint64_t random_state = 42;
static const char *tier_name = "";

#define CHECK_TIER(condition) \
	do { \
		if (!CHECK(condition)) \
			fprintf(stderr, "  on tier %s\n", tier_name); \
	} while (0)

static size_t below(size_t n) { return (size_t)(test_random(&random_state) % n); }

static void *allocate(size_t n_bytes)
{
	/* Never 0 bytes, always a multiple of the alignment. */
	void *p = aligned_alloc(64, (n_bytes + 64) / 64 * 64);

	if (!p)
		exit(2);
	return p;
}

static uint32_t bits_of(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof bits);
	return bits;
}

/* --------------------------------------------------------------- the truth */

static struct entry *sorted(const float *scores, size_t n)
{
	struct entry *entries = allocate(n * sizeof *entries);

	for (size_t i = 0; i < n; i++)
		entries[i] = (struct entry) { scores[i], (uint32_t)i };
	qsort(entries, n, sizeof *entries, compare_entries);
	return entries;
}

/* A score as it is returned: -0 as +0, one NaN. */
static uint32_t returned_bits(float score) { return score != score ? 0x7fc00000 : bits_of(score + 0.0f); }

static int agrees(const struct entry *truth, const uint32_t *index, const float *score, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (index[i] != truth[i].index || bits_of(score[i]) != returned_bits(truth[i].score))
			return 0;
	return 1;
}

/* How many lead the sorted entries with a score >= threshold. */
static size_t count_reaching(const struct entry *truth, size_t n, float threshold)
{
	size_t count = 0;

	while (count < n && truth[count].score >= threshold)
		count++;
	return count;
}

/* ---------------------------------------------------------------- scores */

enum kind {
	RANDOM,
	ASCENDING,
	DESCENDING,
	ALL_EQUAL,
	FEW_VALUES,
	MANY_NAN,
	ALL_NAN,
	ZEROS,
	INFINITE,
	ANY_BITS,
	SAWTOOTH,
	KINDS
};

static float score_of(enum kind kind, size_t i)
{
	uint64_t r = test_random(&random_state);
	uint32_t any = (uint32_t)r;
	float x;

	switch (kind) {
	case ASCENDING:
		return (float)i - 100;
	case DESCENDING:
		return 100 - (float)i;
	case ALL_EQUAL:
		return 0.25f;
	case FEW_VALUES:
		return (float)(r % 3);
	case MANY_NAN:
		return r % 3 ? NAN : (float)(r >> 8 & 15);
	case ALL_NAN:
		return r & 1 ? NAN : -NAN;
	case ZEROS:
		return r & 1 ? 0.0f : -0.0f;
	case INFINITE:
		return r % 4 == 0 ? INFINITY : r % 4 == 1 ? -INFINITY : (float)(r >> 8 & 3) - 1;
	case ANY_BITS:
		memcpy(&x, &any, sizeof x);
		return x;
	case SAWTOOTH:
		return (float)(i % 1000) + (float)i * 1e-4f;
	default:
		return (float)(int32_t)(r >> 40) * 0x1p-23f - 1;
	}
}

/* ----------------------------------------------------------------- top-k */

struct buffers {
	float *scores, *score;
	uint32_t *index;
	void *scratch;
	size_t scratch_bytes;
};

static void use_scratch(struct buffers *b, size_t k)
{
	size_t wanted = lanewise_topk_scratch_size(k);

	if (wanted > b->scratch_bytes) {
		free(b->scratch);
		b->scratch = allocate(wanted);
		b->scratch_bytes = wanted;
	}
}

static void test_whole(struct buffers *b, const struct entry *truth, size_t n, size_t k)
{
	size_t expected = k < n ? k : n;

	use_scratch(b, k);
	CHECK_TIER(lanewise_topk_f32(b->scores, n, k, b->scratch, b->index, b->score) == LANEWISE_OK);
	CHECK_TIER(agrees(truth, b->index, b->score, expected));
}

/* In pushes of random sizes, with a threshold that may be one of the scores. */
static void test_pushes(struct buffers *b, const struct entry *truth, size_t n, size_t k, size_t largest_push)
{
	float threshold = below(2) || n == 0 ? -INFINITY : b->scores[below(n)];

	if (threshold != threshold)
		threshold = 0;
	use_scratch(b, k);

	lanewise_topk *topk = lanewise_topk_begin(b->scratch, k, threshold);
	size_t reaching = count_reaching(truth, n, threshold);

	for (size_t at = 0; at < n;) {
		size_t push = below(largest_push + 1);

		push = push < n - at ? push : n - at;
		lanewise_topk_push_f32(topk, b->scores + at, push, (uint32_t)at);
		at += push;
	}
	size_t found = lanewise_topk_finish(topk, b->index, b->score);

	CHECK_TIER(found == (reaching < k ? reaching : k));
	CHECK_TIER(agrees(truth, b->index, b->score, found));
}

static void test_scores(struct buffers *b, enum kind kind, size_t n)
{
	const size_t usual[] = { 1, 10, 100, 1000, n / 2, n, n + 5 };

	for (size_t i = 0; i < n; i++)
		b->scores[i] = score_of(kind, i);

	struct entry *truth = sorted(b->scores, n);

	for (size_t k = 1; n <= 80 && k <= n + 1; k++) {
		test_whole(b, truth, n, k);
		test_pushes(b, truth, n, k, 7);
	}
	for (size_t i = 0; n > 80 && i < sizeof usual / sizeof *usual; i++) {
		test_whole(b, truth, n, usual[i]);
		test_pushes(b, truth, n, usual[i], n / 7);
		test_pushes(b, truth, n, usual[i], 70);
	}
	free(truth);
}

static void test_topk(void)
{
	enum { MAX = 100000 };
	struct buffers b = { allocate((MAX + 5) * sizeof(float)), allocate((MAX + 5) * sizeof(float)),
		             allocate((MAX + 5) * sizeof(uint32_t)), NULL, 0 };

	for (int kind = 0; kind < KINDS; kind++) {
		for (size_t n = 0; n <= 80; n += n < 20 ? 1 : 1 + below(8))
			test_scores(&b, (enum kind)kind, n);
		for (size_t n = 100; n <= MAX; n = n * 3 + below(64))
			test_scores(&b, (enum kind)kind, n);
	}
	free(b.scores);
	free(b.score);
	free(b.index);
	free(b.scratch);
}

/* Threshold and index limits: inclusive, also for zeros of either sign and infinities. */
static void test_edges(void)
{
	const float scores[] = { 0.0f, -0.0f, 1, INFINITY, -INFINITY, -1, NAN };
	const uint32_t last = UINT32_MAX - 6;
	uint32_t index[8];
	float score[8];
	void *scratch = allocate(lanewise_topk_scratch_size(7));
	lanewise_topk *topk = lanewise_topk_begin(scratch, 7, -0.0f);

	lanewise_topk_push_f32(topk, scores, 7, last); /* the last index is UINT32_MAX */
	CHECK_EQUAL(lanewise_topk_finish(topk, index, score), 4);
	CHECK_TIER(index[0] == last + 3 && index[1] == last + 2 && index[2] == last && index[3] == last + 1);
	CHECK_TIER(bits_of(score[2]) == 0 && bits_of(score[3]) == 0);

	topk = lanewise_topk_begin(scratch, 7, INFINITY);
	lanewise_topk_push_f32(topk, scores, 7, 0);
	CHECK_EQUAL(lanewise_topk_finish(topk, NULL, score), 1);
	topk = lanewise_topk_begin(scratch, 7, -INFINITY);
	lanewise_topk_push_f32(topk, scores, 7, 0);
	CHECK_EQUAL(lanewise_topk_finish(topk, index, NULL), 6);
	CHECK_TIER(index[5] == 4);

	/* Nothing offered. */
	topk = lanewise_topk_begin(scratch, 7, 0);
	CHECK_EQUAL(lanewise_topk_finish(topk, index, score), 0);
	/* Ties that fill more than the reservoir: the first k win. */
	float equal[3000];

	for (int i = 0; i < 3000; i++)
		equal[i] = i % 2 ? 0.0f : -0.0f;
	topk = lanewise_topk_begin(scratch, 7, -1);
	for (uint32_t i = 0; i < 3000; i += 100)
		lanewise_topk_push_f32(topk, equal + i, 100, i);
	CHECK_EQUAL(lanewise_topk_finish(topk, index, score), 7);
	for (uint32_t i = 0; i < 7; i++)
		CHECK_TIER(index[i] == i && bits_of(score[i]) == 0);
	free(scratch);
}

static void test_arguments(void)
{
	unsigned char *scratch = allocate(lanewise_topk_scratch_size(2));
	const float scores[2] = { 1, 2 };
	uint32_t index[2];
	float score[2];

	CHECK(lanewise_topk_scratch_size(0) == 0);
	CHECK(lanewise_topk_scratch_size((size_t)UINT32_MAX + 1) == 0);
	CHECK(lanewise_topk_scratch_size(UINT32_MAX) > UINT32_MAX);
	CHECK(lanewise_topk_begin(NULL, 1, 0) == NULL);
	CHECK(lanewise_topk_begin(scratch + 4, 1, 0) == NULL);
	CHECK(lanewise_topk_begin(scratch, 0, 0) == NULL);
	CHECK(lanewise_topk_begin(scratch, 1, NAN) == NULL);
	CHECK(lanewise_topk_begin(scratch, (size_t)UINT32_MAX + 1, 0) == NULL);
	CHECK(lanewise_topk_f32(scores, 2, 0, scratch, index, score) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_topk_f32(NULL, 2, 1, scratch, index, score) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_topk_f32(scores, 2, 1, NULL, index, score) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_topk_f32(scores, 2, 1, scratch + 8, index, score) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_topk_f32(scores, (size_t)UINT32_MAX + 1, 1, scratch, index, score) == LANEWISE_ERROR_TOO_LARGE);
	CHECK(lanewise_topk_f32(scores, 2, (size_t)UINT32_MAX + 1, scratch, index, score) == LANEWISE_ERROR_TOO_LARGE);
	CHECK(lanewise_topk_f32(NULL, 0, 1, scratch, NULL, NULL) == LANEWISE_OK);
	CHECK(lanewise_topk_f32(scores, 2, 1, scratch, NULL, NULL) == LANEWISE_OK);
	free(scratch);
}

/* ----------------------------------------------------- work, not time */

static const struct lw_kernels *counted;
static uint64_t elements_selected;

static float counting_select(const float *v, size_t n, size_t k)
{
	elements_selected += n;
	return counted->topk_select_f32(v, n, k);
}

/* However the scores come, the elements that selections go through stay below a fixed multiple of their number. */
static void test_work(void)
{
	const size_t n = 10 * 1000 * 1000, ks[] = { 1, 10, 100, 1000, 100000 };
	const enum kind kinds[] = { ASCENDING, DESCENDING, ALL_EQUAL, FEW_VALUES, SAWTOOTH, MANY_NAN };
	float *scores = allocate(n * sizeof *scores), *score = allocate(100000 * sizeof *score);
	uint32_t *index = allocate(100000 * sizeof *index);
	void *scratch = allocate(lanewise_topk_scratch_size(100000));

	counted = lw_kernels();

	struct lw_kernels counting = *counted;

	counting.topk_select_f32 = counting_select;
	atomic_store(&lanewise_active_kernels, &counting);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		for (size_t j = 0; j < n; j++)
			scores[j] = score_of(kinds[i], j);
		for (size_t j = 0; j < sizeof ks / sizeof *ks; j++) {
			elements_selected = 0;
			CHECK(lanewise_topk_f32(scores, n, ks[j], scratch, index, score) == LANEWISE_OK);
			if (!CHECK(elements_selected <= 4 * (uint64_t)n))
				fprintf(stderr, "  kind %d, k %zu: %" PRIu64 " elements\n", (int)kinds[i], ks[j],
				        elements_selected);
			if (kinds[i] == ASCENDING)
				CHECK(index[0] == n - 1 && index[ks[j] - 1] == n - ks[j]);
		}
	}
	atomic_store(&lanewise_active_kernels, counted);
	free(scores);
	free(score);
	free(index);
	free(scratch);
}

/* ------------------------------------------------------------ fused scan */

static void scores_of_rows(lanewise_metric metric, const float *query, const float *rows, size_t n_rows, size_t dim,
                           size_t ld, float *out)
{
	if (metric == LANEWISE_METRIC_DOT)
		lanewise_dot_f32_rows(query, rows, n_rows, dim, ld, out);
	else if (metric == LANEWISE_METRIC_COSINE)
		lanewise_cosine_f32_rows(query, rows, n_rows, dim, ld, out);
	else
		lanewise_l2sq_f32_rows(query, rows, n_rows, dim, ld, out);
}

static void test_scan_of(lanewise_metric metric, size_t n_rows, size_t dim, size_t ld, size_t k, int with_threshold)
{
	float *query = allocate(dim * sizeof *query), *rows = allocate(n_rows * ld * sizeof *rows);
	float *scores = allocate(n_rows * sizeof *scores), *score = allocate(k * sizeof *score);
	uint32_t *index = allocate(k * sizeof *index);
	void *scratch = allocate(lanewise_scan_topk_scratch_size(k));
	int nearest = metric == LANEWISE_METRIC_L2SQ;
	size_t found = 0;

	for (size_t i = 0; i < dim; i++)
		query[i] = score_of(FEW_VALUES, i) - 1;
	for (size_t i = 0; i < n_rows * ld; i++)
		rows[i] = below(200) ? score_of(i % 7 ? FEW_VALUES : RANDOM, i) - 1 : score_of(ANY_BITS, i);
	scores_of_rows(metric, query, rows, n_rows, dim, ld, scores);

	float threshold = with_threshold && n_rows ? scores[below(n_rows)] : nearest ? INFINITY : -INFINITY;

	if (threshold != threshold)
		threshold = 1;
	/* The nearest come first where a distance is asked for. */
	for (size_t i = 0; nearest && i < n_rows; i++)
		scores[i] = -scores[i];

	struct entry *truth = sorted(scores, n_rows);
	size_t reaching = count_reaching(truth, n_rows, nearest ? -threshold : threshold);

	for (size_t i = 0; nearest && i < n_rows; i++)
		truth[i].score = -truth[i].score;
	CHECK_TIER(lanewise_scan_topk_f32(query, rows, n_rows, dim, ld, metric, k, threshold, scratch, index, score,
	                                  &found) == LANEWISE_OK);
	CHECK_TIER(found == (reaching < k ? reaching : k));
	CHECK_TIER(agrees(truth, index, score, found));
	free(truth);
	free(scratch);
	free(index);
	free(score);
	free(scores);
	free(rows);
	free(query);
}

static void test_scan(void)
{
	for (lanewise_metric metric = LANEWISE_METRIC_DOT; metric <= LANEWISE_METRIC_L2SQ; metric++) {
		for (int i = 0; i < 300; i++) {
			size_t dim = below(70);

			test_scan_of(metric, below(600), dim, dim + below(3), 1 + below(50), i % 2);
		}
		test_scan_of(metric, 5000, 65, 65, 10, 0);
		test_scan_of(metric, 5000, 65, 70, 6000, 1);
	}
}

static void test_scan_arguments(void)
{
	const float rows[4] = { 1, 2, 3, 4 }, query[2] = { 1, 1 };
	uint32_t index[4];
	float score[4];
	size_t found = 77;
	unsigned char *scratch = allocate(lanewise_scan_topk_scratch_size(4));

#define SCAN(query, rows, n_rows, dim, ld, metric, k, threshold, scratch, index, score, found) \
	lanewise_scan_topk_f32(query, rows, n_rows, dim, ld, metric, k, threshold, scratch, index, score, found)
	CHECK(SCAN(NULL, rows, 2, 2, 2, 0, 1, 0, scratch, index, score, &found) == LANEWISE_ERROR_ARGUMENT);
	CHECK(SCAN(query, NULL, 2, 2, 2, 0, 1, 0, scratch, index, score, &found) == LANEWISE_ERROR_ARGUMENT);
	CHECK(SCAN(query, rows, 2, 2, 1, 0, 1, 0, scratch, index, score, &found) == LANEWISE_ERROR_ARGUMENT);
	CHECK(SCAN(query, rows, 2, 2, 2, 3, 1, 0, scratch, index, score, &found) == LANEWISE_ERROR_ARGUMENT);
	CHECK(SCAN(query, rows, 2, 2, 2, -1, 1, 0, scratch, index, score, &found) == LANEWISE_ERROR_ARGUMENT);
	CHECK(SCAN(query, rows, 2, 2, 2, 0, 0, 0, scratch, index, score, &found) == LANEWISE_ERROR_ARGUMENT);
	CHECK(SCAN(query, rows, 2, 2, 2, 0, 1, NAN, scratch, index, score, &found) == LANEWISE_ERROR_ARGUMENT);
	CHECK(SCAN(query, rows, 2, 2, 2, 0, 1, 0, NULL, index, score, &found) == LANEWISE_ERROR_ARGUMENT);
	CHECK(SCAN(query, rows, 2, 2, 2, 0, 1, 0, scratch + 4, index, score, &found) == LANEWISE_ERROR_ARGUMENT);
	CHECK(SCAN(query, rows, 2, 2, 2, 0, 1, 0, scratch, NULL, score, &found) == LANEWISE_ERROR_ARGUMENT);
	CHECK(SCAN(query, rows, 2, 2, 2, 0, 1, 0, scratch, index, NULL, &found) == LANEWISE_ERROR_ARGUMENT);
	CHECK(SCAN(query, rows, 2, 2, 2, 0, 1, 0, scratch, index, score, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK(SCAN(query, rows, (size_t)UINT32_MAX + 1, 2, 2, 0, 1, 0, scratch, index, score, &found) ==
	      LANEWISE_ERROR_TOO_LARGE);
	CHECK(SCAN(query, rows, 2, 2, 2, 0, (size_t)UINT32_MAX + 1, 0, scratch, index, score, &found) ==
	      LANEWISE_ERROR_TOO_LARGE);
	CHECK(SCAN(query, rows, 3, 2, SIZE_MAX / 8, 0, 1, 0, scratch, index, score, &found) ==
	      LANEWISE_ERROR_TOO_LARGE);
	CHECK(lanewise_scan_topk_scratch_size((size_t)UINT32_MAX + 1) == 0);
	CHECK_EQUAL(found, 77);
	CHECK(SCAN(query, NULL, 0, 2, 2, 0, 1, 0, scratch, index, score, &found) == LANEWISE_OK);
	CHECK_EQUAL(found, 0);
	CHECK(SCAN(NULL, NULL, 3, 0, 0, 0, 2, 0, scratch, index, score, &found) == LANEWISE_OK);
	CHECK_EQUAL(found, 2);
	free(scratch);
}

int main(void)
{
	test_arguments();
	test_scan_arguments();
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		tier_name = lanewise_tier_name(tier);
		test_topk();
		test_edges();
		test_scan();
	}
	/* With the best tier, which was set last. */
	test_work();
	return test_result();
}
