/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Product quantisation: any bits as rows and options. Training refuses what it must and says where; every tier gives the
 * same codes, tables and scores, codes name the nearest centroid, and packed scores are as near as documented.
 */
#include "fuzz.h"

#include <float.h>
#include <math.h>

#include <lanewise/pq.h>

enum { MAX_ROWS = 270 };

struct problem {
	size_t n, dim, ld;
	float *rows;
};

/* Element by element: the first that is not finite, or the number of elements. */
static size_t first_bad(const struct problem *p)
{
	for (size_t i = 0; i < p->n * p->ld; i++)
		if (i % p->ld < p->dim && !(fabsf(p->rows[i]) <= FLT_MAX))
			return i;
	return p->n * p->ld;
}

static void require_nearest(const lanewise_pq *pq, const struct problem *p, const uint8_t *codes)
{
	size_t n_parts = lanewise_pq_n_parts(pq), n_centroids = lanewise_pq_n_centroids(pq), width = p->dim / n_parts;
	uint8_t *all = fuzz_allocate(n_parts);
	float *centroids = fuzz_allocate(n_centroids * p->dim * sizeof *centroids);

	for (size_t c = 0; c < n_centroids; c++) {
		memset(all, (int)c, n_parts);
		lanewise_pq_decode(pq, all, 1, centroids + c * p->dim, p->dim);
	}
	for (size_t r = 0; r < p->n; r++)
		for (size_t part = 0; part < n_parts; part++) {
			const float *x = p->rows + r * p->ld + part * width;
			float least = INFINITY;
			size_t best = 0;

			for (size_t c = 0; c < n_centroids; c++) {
				float sum = 0;

				for (size_t i = 0; i < width; i++) {
					float difference = x[i] - centroids[c * p->dim + part * width + i];

					sum = fmaf(difference, difference, sum);
				}
				if (sum < least) {
					least = sum;
					best = c;
				}
			}
			FUZZ_REQUIRE(codes[r * n_parts + part] == best);
		}
	free(all);
	free(centroids);
}

/* Sums of table entries, whole and rounded. */
static void require_scores(const lanewise_pq *pq, const struct problem *p, const uint8_t *codes, const float *tables)
{
	size_t n_parts = lanewise_pq_n_parts(pq), n_centroids = lanewise_pq_n_centroids(pq);
	size_t packed_size = lanewise_pq_packed_size(pq, p->n);
	float *scores = fuzz_allocate(p->n * sizeof *scores), *near = fuzz_allocate(p->n * sizeof *near);
	uint8_t *packed = fuzz_allocate(packed_size);
	double widest = 0, magnitude = 0;
	int finite = 1;

	lanewise_pq_scores(pq, tables, codes, p->n, scores);
	for (size_t r = 0; r < p->n; r++) {
		float sum = 0;

		for (size_t part = 0; part < n_parts; part++)
			sum += tables[part * n_centroids + codes[r * n_parts + part]];
		FUZZ_REQUIRE(sum == scores[r] || (sum != sum && scores[r] != scores[r]));
	}
	for (size_t part = 0; part < n_parts; part++) {
		double least = INFINITY, greatest = -INFINITY;

		for (size_t c = 0; c < n_centroids; c++) {
			finite &= fabsf(tables[part * n_centroids + c]) <= FLT_MAX;
			least = fmin(least, (double)tables[part * n_centroids + c]);
			greatest = fmax(greatest, (double)tables[part * n_centroids + c]);
		}
		widest = fmax(widest, greatest - least);
		magnitude += fmax(fabs(least), fabs(greatest));
	}
	if (n_centroids <= 16 && n_parts <= 256) {
		FUZZ_REQUIRE(packed_size >= (p->n * n_parts + 1) / 2);
		lanewise_pq_pack(pq, codes, p->n, packed);
		FUZZ_REQUIRE(lanewise_pq_scores_packed(pq, tables, packed, p->n, near) == LANEWISE_OK);
		for (size_t r = 0; r < p->n && !finite; r++)
			FUZZ_REQUIRE(near[r] != near[r]);
		for (size_t r = 0; r < p->n && finite && magnitude < (double)FLT_MAX / 2; r++)
			FUZZ_REQUIRE(fabs((double)near[r] - (double)scores[r]) <=
			             (double)n_parts / 2 * widest / 255 + 1e-4 * magnitude + 1e-40);
	} else {
		FUZZ_REQUIRE(packed_size == 0);
		FUZZ_REQUIRE(lanewise_pq_scores_packed(pq, tables, packed, p->n, near) == LANEWISE_ERROR_ARGUMENT);
	}
	free(scores);
	free(near);
	free(packed);
}

/* Codes of all rows, then tables of two metrics with the first row as the query: what every tier must agree on. */
static size_t result_bytes(const lanewise_pq *pq, const struct problem *p)
{
	size_t n_tables = 2 * lanewise_pq_n_parts(pq) * lanewise_pq_n_centroids(pq);

	return n_tables * sizeof(float) + p->n * lanewise_pq_n_parts(pq);
}

static void use(const lanewise_pq *pq, const struct problem *p, float *result, int is_first)
{
	size_t n_entries = lanewise_pq_n_parts(pq) * lanewise_pq_n_centroids(pq);
	uint8_t *codes = (uint8_t *)(result + 2 * n_entries);

	lanewise_pq_encode(pq, p->rows, p->n, p->ld, codes);
	FUZZ_REQUIRE(lanewise_pq_tables(pq, p->rows, LANEWISE_METRIC_DOT, result) == LANEWISE_OK);
	FUZZ_REQUIRE(lanewise_pq_tables(pq, p->rows, LANEWISE_METRIC_L2SQ, result + n_entries) == LANEWISE_OK);
	FUZZ_REQUIRE(lanewise_pq_tables(pq, p->rows, LANEWISE_METRIC_COSINE, result) == LANEWISE_ERROR_ARGUMENT);
	if (is_first)
		require_nearest(pq, p, codes);
	require_scores(pq, p, codes, result);
	require_scores(pq, p, codes, result + n_entries);
}

static void train_and_use(const struct problem *p, const lanewise_pq_options *options)
{
	float *expected = NULL;
	size_t bad = first_bad(p);

	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		lanewise_pq *pq = NULL;
		lanewise_error error = { 0 };

		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;

		lanewise_status status = lanewise_pq_train(p->rows, p->n, p->dim, p->ld, options, NULL, &pq, &error);

		FUZZ_REQUIRE((status == LANEWISE_OK) == (pq != NULL));
		if (p->n == 0 || p->ld < p->dim || p->dim % (options->n_parts ? options->n_parts : SIZE_MAX) != 0 ||
		    p->dim == 0 || options->n_centroids - 1 >= LANEWISE_PQ_MAX_CENTROIDS || options->start > 1) {
			FUZZ_REQUIRE(status == LANEWISE_ERROR_ARGUMENT);
			return;
		}
		if (bad < p->n * p->ld) {
			FUZZ_REQUIRE(status == LANEWISE_ERROR_DATA && error.offset == bad * sizeof(float));
			/* Without it the quantiser can be made; it is used on all rows, bad ones too. */
			struct problem good = *p;
			float *copy = fuzz_allocate(p->n * p->ld * sizeof *copy);

			memcpy(copy, p->rows, p->n * p->ld * sizeof *copy);
			for (size_t i = 0; i < p->n * p->ld; i++)
				copy[i] = fabsf(copy[i]) <= FLT_MAX ? copy[i] : 1;
			good.rows = copy;
			status = lanewise_pq_train(good.rows, good.n, good.dim, good.ld, options, NULL, &pq, &error);
			free(copy);
		}
		FUZZ_REQUIRE(status == LANEWISE_OK);

		float *result = fuzz_allocate(result_bytes(pq, p));

		use(pq, p, result, tier == 0);
		FUZZ_REQUIRE(!expected || memcmp(expected, result, result_bytes(pq, p)) == 0);
		if (expected)
			free(result);
		else
			expected = result;
		lanewise_pq_destroy(pq);
	}
	free(expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	lanewise_tier before = lanewise_active_tier();
	lanewise_pq_options options = { .struct_size = sizeof options };
	size_t width = fuzz_u8(&in) % 9;
	struct problem p = { .n = fuzz_u16(&in) };

	p.n %= p.n >= 0xe000 ? MAX_ROWS : 24; /* mostly few, which takes less time */

	options.n_parts = fuzz_u8(&in) % 12;
	options.n_centroids = fuzz_u8(&in) % 16 ? fuzz_u8(&in) % 17 : fuzz_u8(&in) * 2U;
	options.seed = fuzz_u8(&in);
	options.start = fuzz_u8(&in) % 8 == 7 ? 2 : options.seed & 1;
	options.max_rounds = fuzz_u8(&in) % 6;
	p.dim = options.n_parts * width + (fuzz_u8(&in) % 16 == 15);
	p.ld = p.dim + fuzz_u8(&in) % 3;
	p.rows = fuzz_allocate(p.n * p.ld * sizeof *p.rows);
	/* A short input is repeated, at other places in the rows. */
	for (size_t i = 0; i < p.n * p.ld * sizeof *p.rows; i++)
		((uint8_t *)p.rows)[i] = in.size ? in.data[i % in.size] : 0;
	if (p.ld && p.n)
		train_and_use(&p, &options);
	lanewise_set_tier(before);
	free(p.rows);
	return 0;
}
