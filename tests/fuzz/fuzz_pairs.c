/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/pairs.h over any bits as rows, on every tier: what the functions say must be what plain loops over single pairs
 * say. And any arguments: what is not allowed is refused before anything is written.
 */
#include "fuzz.h"

#include <math.h>

#include <lanewise/pairs.h>

struct problem {
	size_t n, dim, ld, k;
	lanewise_metric metric;
	float threshold, *rows;
	float *scores; /* n * n, of single pairs */
};

static float score_of(const struct problem *p, size_t i, size_t j)
{
	const float *a = p->rows + i * p->ld, *b = p->rows + j * p->ld;

	return p->metric == LANEWISE_METRIC_DOT      ? lanewise_dot_f32(a, b, p->dim)
	       : p->metric == LANEWISE_METRIC_COSINE ? lanewise_cosine_f32(a, b, p->dim)
	                                             : lanewise_l2sq_f32(a, b, p->dim);
}

static int reaches(const struct problem *p, size_t i, size_t j)
{
	float score = p->scores[i * p->n + j];

	return p->metric == LANEWISE_METRIC_L2SQ ? score <= p->threshold : score >= p->threshold;
}

static void require_matrix(const struct problem *p)
{
	size_t out_ld = p->n + p->k % 3;
	float *out = fuzz_allocate(p->n ? ((p->n - 1) * out_ld + p->n) * sizeof *out : 0);

	FUZZ_REQUIRE(lanewise_similarity_f32(p->rows, p->n, p->ld, p->rows, p->n, p->ld, p->dim, p->metric, out,
	                                     out_ld) == LANEWISE_OK);
	for (size_t i = 0; i < p->n; i++)
		FUZZ_REQUIRE(memcmp(out + i * out_ld, p->scores + i * p->n, p->n * sizeof *out) == 0);
	free(out);
}

/* The pairs, `capacity` at a time; the plain loop goes along. */
static void require_pairs(const struct problem *p, size_t capacity)
{
	lanewise_pair *pairs = fuzz_allocate(capacity * sizeof *pairs);
	lanewise_pairs_position at = { 0, 0 }, counting = { 0, 0 };
	size_t first = 0, second = 0, n_pairs, total = 0, counted;

	do {
		FUZZ_REQUIRE(lanewise_pairs_f32(p->rows, p->n, p->dim, p->ld, p->metric, p->threshold, &at, pairs,
		                                capacity, &n_pairs) == LANEWISE_OK);
		FUZZ_REQUIRE(n_pairs <= capacity && (n_pairs == capacity || at.first == p->n));
		for (size_t i = 0; i < n_pairs; i++) {
			do {
				if (++second >= p->n)
					second = ++first + 1;
				FUZZ_REQUIRE(first < p->n);
			} while (second >= p->n || !reaches(p, first, second));
			FUZZ_REQUIRE(pairs[i].first == first && pairs[i].second == second);
			FUZZ_REQUIRE(pairs[i].score == p->scores[first * p->n + second]);
		}
		total += n_pairs;
	} while (at.first < p->n);
	while (first < p->n) {
		if (++second >= p->n)
			second = ++first + 1;
		FUZZ_REQUIRE(first >= p->n || second >= p->n || !reaches(p, first, second));
	}
	FUZZ_REQUIRE(lanewise_pairs_f32(p->rows, p->n, p->dim, p->ld, p->metric, p->threshold, &counting, NULL, 0,
	                                &counted) == LANEWISE_OK);
	FUZZ_REQUIRE(counted == total && counting.first == p->n);
	free(pairs);
}

static void require_dedup(const struct problem *p, lanewise_dedup_rule rule)
{
	void *scratch = fuzz_allocate(lanewise_dedup_rows_scratch_size(p->dim));
	uint32_t *original = fuzz_allocate(p->n * sizeof *original);
	size_t n_kept, kept = 0;

	FUZZ_REQUIRE(lanewise_dedup_rows_f32(p->rows, p->n, p->dim, p->ld, p->metric, p->threshold, rule, scratch,
	                                     original, &n_kept) == LANEWISE_OK);
	for (size_t r = 0; r < p->n; r++) {
		size_t by = 0;

		while (by < r && !((rule == LANEWISE_DEDUP_TRANSITIVE || original[by] == by) && reaches(p, r, by)))
			by++;
		FUZZ_REQUIRE(original[r] == by);
		kept += by == r;
	}
	FUZZ_REQUIRE(n_kept == kept);
	free(scratch);
	free(original);
}

/* Whether neighbour i of row r comes before neighbour j. */
static int is_better(const struct problem *p, size_t r, size_t i, size_t j)
{
	float a = p->scores[r * p->n + i], b = p->scores[r * p->n + j];

	return a == b ? i < j : p->metric == LANEWISE_METRIC_L2SQ ? a < b : a > b;
}

static void require_neighbours(const struct problem *p, size_t first, size_t n)
{
	void *scratch = fuzz_allocate(lanewise_neighbours_scratch_size(p->k));
	uint32_t *neighbour = fuzz_allocate(n * p->k * sizeof *neighbour);
	float *score = fuzz_allocate(n * p->k * sizeof *score);
	size_t *n_found = fuzz_allocate(n * sizeof *n_found);

	FUZZ_REQUIRE(lanewise_neighbours_f32(p->rows, p->n, p->dim, p->ld, p->metric, first, n, p->k, scratch,
	                                     neighbour, score, n_found) == LANEWISE_OK);
	for (size_t i = 0; i < n; i++) {
		const uint32_t *own = neighbour + i * p->k;
		size_t r = first + i, there = 0, better;

		for (size_t j = 0; j < p->n; j++)
			there += j != r && p->scores[r * p->n + j] == p->scores[r * p->n + j];
		FUZZ_REQUIRE(n_found[i] == (there < p->k ? there : p->k));
		for (size_t j = 0; j < n_found[i]; j++) {
			FUZZ_REQUIRE(own[j] < p->n && own[j] != r);
			FUZZ_REQUIRE(score[i * p->k + j] == p->scores[r * p->n + own[j]]);
			FUZZ_REQUIRE(j == 0 || is_better(p, r, own[j - 1], own[j]));
		}
		/* In order, of the right number, and none better than the last is missing: complete. */
		better = 0;
		for (size_t j = 0; n_found[i] && j < p->n; j++)
			better += j != r && p->scores[r * p->n + j] == p->scores[r * p->n + j] &&
			          is_better(p, r, j, own[n_found[i] - 1]);
		FUZZ_REQUIRE(n_found[i] == 0 || better == n_found[i] - 1);
	}
	free(scratch);
	free(neighbour);
	free(score);
	free(n_found);
}

/* Sizes and metrics of which at least one is wrong: nothing is read, everything is refused. */
static void refuse_arguments(struct fuzz_input *in)
{
	static const size_t sizes[8] = { 1, 2, 3, 7, SIZE_MAX, SIZE_MAX / 4, (size_t)1 << 33, 0 };
	size_t n = sizes[fuzz_u8(in) % 8], dim = sizes[fuzz_u8(in) % 8], ld = sizes[fuzz_u8(in) % 8];
	lanewise_metric metric = fuzz_u8(in) % 5 - 1;
	lanewise_pairs_position at = { 0, 0 };
	_Alignas(64) char scratch[64];
	float row[8] = { 0 };
	uint32_t original[8];
	size_t found;

	if (ld >= dim && metric >= 0 && metric <= 2 && (ld == 0 || n <= SIZE_MAX / sizeof(float) / ld))
		return;
	FUZZ_REQUIRE(lanewise_similarity_f32(row, n, ld, row, n, ld, dim, metric, row, n) != LANEWISE_OK);
	FUZZ_REQUIRE(lanewise_pairs_f32(row, n, dim, ld, metric, 1, &at, NULL, 0, &found) != LANEWISE_OK);
	FUZZ_REQUIRE(lanewise_dedup_rows_f32(row, n, dim, ld, metric, 1, 0, scratch, original, &found) != LANEWISE_OK);
	FUZZ_REQUIRE(lanewise_neighbours_f32(row, n, dim, ld, metric, 0, n, 1, scratch, original, row, &found) !=
	             LANEWISE_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct problem p;
	lanewise_tier before = lanewise_active_tier();

	p.metric = fuzz_u8(&in) % 3;
	p.n = fuzz_u16(&in);
	p.n %= p.n >= 0xf000 ? 230 : 24; /* mostly few, which takes less time */
	p.dim = fuzz_u8(&in) % 45;
	p.ld = p.dim + fuzz_u8(&in) % 3;
	p.k = 1 + fuzz_u8(&in) % 20;
	fuzz_bytes(&in, &p.threshold, sizeof p.threshold);
	if (p.threshold != p.threshold)
		p.threshold = 0.9F;

	size_t n_floats = p.n ? (p.n - 1) * p.ld + p.dim : 0, capacity = fuzz_u8(&in);

	/* With little room there are many calls, each of which begins a block anew. */
	capacity = p.n < 24 ? 1 + capacity : 16 * p.n + capacity;
	p.rows = fuzz_allocate(n_floats * sizeof *p.rows);
	p.scores = fuzz_allocate(p.n * p.n * sizeof *p.scores);
	/* A short input is repeated, at other places in the rows. */
	for (size_t i = 0; i < n_floats * sizeof *p.rows; i++)
		((uint8_t *)p.rows)[i] = in.size ? in.data[i % in.size] : 0;
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		for (size_t i = 0; tier == 0 && i < p.n * p.n; i++)
			p.scores[i] = score_of(&p, i / p.n, i % p.n);
		require_matrix(&p);
		require_pairs(&p, capacity);
		require_dedup(&p, LANEWISE_DEDUP_KEPT);
		require_dedup(&p, LANEWISE_DEDUP_TRANSITIVE);
		require_neighbours(&p, p.n / 3, p.n - p.n / 3 - p.n / 5);
	}
	refuse_arguments(&in);
	lanewise_set_tier(before);
	free(p.rows);
	free(p.scores);
	return 0;
}
