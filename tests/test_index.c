/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/index.h against the scan of all rows, whose results it must give bit for bit, on every tier: data of many
 * kinds, most of them made to break the bounds of the first stage; every kind of k, threshold and filter; changes of
 * rows; files; wrong arguments. Where sketches must have helped, the work done is tested too.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include <lanewise/half.h>
#include <lanewise/index.h>
#include <lanewise/int8.h>
#include <lanewise/topk.h>

#include "counting_allocator.h"
#include "index/index.h"
#include "index/rotation.h"
#include "index/sketch.h"
#include "index_data.h"
#include "index_image.h"

/* ---------------------------------------------------------------- the truth */

struct result {
	size_t n;
	uint32_t *row;
	float *score;
};

static struct result make_result(size_t places)
{
	return (struct result) { 0, allocate((places + 1) * sizeof(uint32_t)), allocate((places + 1) * sizeof(float)) };
}

static void free_result(struct result *r)
{
	free(r->row);
	free(r->score);
}

/* A scan of all rows; with a filter, over scores of which the others are NaN. */
static void scan(const struct data *d, lanewise_metric metric, const float *query, size_t k, float threshold,
                 const uint64_t *filter, struct result *r)
{
	void *scratch = allocate(lanewise_scan_topk_scratch_size(k));
	float *rows = d->rows;

	if (filter) {
		rows = allocate(d->n * d->dim * sizeof *rows);
		memcpy(rows, d->rows, d->n * d->dim * sizeof *rows);
		for (size_t i = 0; i < d->n * d->dim; i++)
			if (!(filter[i / d->dim / 64] >> i / d->dim % 64 & 1))
				rows[i] = NAN;
	}
	CHECK_EQUAL(lanewise_scan_topk_f32(query, rows, d->n, d->dim, d->dim, metric, k, threshold, scratch, r->row,
	                                   r->score, &r->n),
	            0);
	if (filter)
		free(rows);
	free(scratch);
}

static int same_result(const struct result *a, const struct result *b)
{
	return a->n == b->n && memcmp(a->row, b->row, a->n * sizeof *a->row) == 0 &&
	       memcmp(a->score, b->score, a->n * sizeof *a->score) == 0;
}

static lanewise_index_work search(const lanewise_index *index, const float *query, size_t k, float threshold,
                                  const uint64_t *filter, struct result *r)
{
	/* No larger than documented, so that a sanitizer sees writes beyond. */
	size_t n_bytes = lanewise_index_scratch_size(index, 1, k);
	void *scratch = NULL;
	lanewise_index_work work = { .struct_size = sizeof work };

	if (posix_memalign(&scratch, 64, n_bytes) != 0)
		abort();
	CHECK_EQUAL(lanewise_index_search(index, query, 1, lanewise_index_dim(index), k, threshold, filter, scratch,
	                                  r->row, r->score, &r->n, &work),
	            0);
	free(scratch);
	return work;
}

static void compare(const struct data *d, const lanewise_index *index, const float *query, size_t k, float threshold,
                    const uint64_t *filter)
{
	struct result expected = make_result(k < d->n ? k : d->n), got = make_result(k < d->n ? k : d->n);

	scan(d, lanewise_index_metric(index), query, k, threshold, filter, &expected);
	search(index, query, k, threshold, filter, &got);
	CHECK_DATA(same_result(&expected, &got));
	free_result(&expected);
	free_result(&got);
}

/* ---------------------------------------------------------------- exactness */

/* The score of the row at this place of the ranking: a threshold that cuts exactly there. */
static float threshold_at(const struct data *d, lanewise_metric metric, const float *query, size_t place)
{
	float threshold = metric == LANEWISE_METRIC_L2SQ ? INFINITY : -INFINITY;
	struct result all = make_result(d->n);

	scan(d, metric, query, d->n, threshold, NULL, &all);
	if (place < all.n)
		threshold = all.score[place];
	free_result(&all);
	return threshold;
}

static void test_searches(const struct data *d, const lanewise_index *index, size_t n_queries)
{
	static const size_t ks[] = { 1, 2, 10, 33, 100 };
	lanewise_metric metric = lanewise_index_metric(index);
	float *query = allocate(d->dim * sizeof *query), none = metric == LANEWISE_METRIC_L2SQ ? INFINITY : -INFINITY;
	uint64_t *filter = allocate((d->n + 63) / 64 * sizeof *filter);

	for (size_t i = 0; i < n_queries; i++) {
		size_t k = ks[below(sizeof ks / sizeof *ks)];
		uint64_t density = below(4);

		make_query(d, i, query);
		compare(d, index, query, k, none, NULL);
		compare(d, index, query, k, threshold_at(d, metric, query, below(2 * k)), NULL);
		for (size_t w = 0; w < (d->n + 63) / 64; w++) {
			filter[w] = random_bits();
			filter[w] &= density > 0 ? random_bits() : filter[w];
			filter[w] &= density > 1 ? random_bits() & random_bits() : filter[w];
			if (density > 2 && below(8)) /* whole stretches without any */
				filter[w] = 0;
		}
		compare(d, index, query, k, none, filter);
		if (i == 0) {
			compare(d, index, query, d->n, none, NULL);
			compare(d, index, query, 3 * d->n, none, filter);
			compare(d, index, query, d->n / 8 + (d->n < 8), none, NULL);
			compare(d, index, query, d->n / 8 + 1, none, NULL);
		}
	}
	free(filter);
	free(query);
}

static void test_exactness(void)
{
	static const size_t shapes[][2] = { { 2100, 24 },  { 4500, 64 }, { 1, 5 },
		                            { 1500, 100 }, { 300, 1 },   { 700, 385 } };

	for (size_t kind = 0; kind < N_KINDS; kind++)
		for (size_t shape = 0; shape < sizeof shapes / sizeof *shapes; shape++) {
			/* Each tier a quarter of it, the next tier another one. */
			if ((kind + shape + (size_t)lanewise_active_tier()) % 4 != 0)
				continue;

			struct data d = make_data(kind, shapes[shape][0], shapes[shape][1]);

			for (lanewise_metric metric = 0; metric <= LANEWISE_METRIC_L2SQ; metric++) {
				lanewise_index *index = make_index(&d, metric);

				test_searches(&d, index, d.n > 4000 ? 1 : 3);
				lanewise_index_destroy(index);
			}
			free(d.rows);
		}
}

/* Every k, with many candidates. */
static void test_every_k(void)
{
	struct data d = make_data(0, 1200, 16);

	for (lanewise_metric metric = 0; metric <= LANEWISE_METRIC_L2SQ; metric++) {
		lanewise_index *index = make_index(&d, metric);
		float query[16], none = metric == LANEWISE_METRIC_L2SQ ? INFINITY : -INFINITY;

		make_query(&d, 1, query);
		for (size_t k = 1; k <= d.n + 1; k += k < 20 ? 1 : 37)
			compare(&d, index, query, k, none, NULL);
		lanewise_index_destroy(index);
	}
	free(d.rows);
}

/*
 * The intervals themselves: for pairs of vectors of any kind, the canonical score lies in the interval that the filter
 * computes. This tests the proof where a search would seldom come near its limits.
 */
static void test_intervals(void)
{
	enum { MAX_DIM = 2000 };
	static int8_t codes[2][MAX_DIM];
	static float rotated[MAX_DIM];
	unsigned long n_tested = 0;

	for (size_t i = 0; i < 5000; i++) {
		size_t dim = 1 + below(i % 10 ? 100 : MAX_DIM);
		struct data d = make_data(below(N_KINDS), 2, dim);
		float scale[2], square[2], error[2];

		int is_rotated = (int)below(2);
		double rotation_error = is_rotated ? lanewise_rotation_error(dim) : 0;

		for (size_t j = 0; j < 2; j++) {
			const float *v = d.rows + j * dim;

			if (is_rotated)
				lanewise_rotate(v, dim, rotated);
			lw_kernels()->quantize_i8_rows(is_rotated ? rotated : v, 1, dim, dim, codes[j], MAX_DIM,
			                               scale + j, square + j, error + j);
			square[j] = lanewise_dot_f32(v, v, dim);
		}

		struct lw_sketch x = lanewise_sketch_of(d.rows, dim, scale[0], square[0], error[0], rotation_error);
		struct lw_sketch y =
		        lanewise_sketch_of(d.rows + dim, dim, scale[1], square[1], error[1], rotation_error);
		int32_t dot = lanewise_dot_i8(codes[0], codes[1], dim);

		for (lanewise_metric metric = 0; y.kind == LW_SKETCH_ORDINARY && metric <= LANEWISE_METRIC_L2SQ;
		     metric++) {
			struct lw_sketch_query query = lanewise_sketch_query_of(&y, dim, metric);
			float row[3], upper[16], lower[16], score;
			uint32_t number[16];
			size_t n = 0;

			lanewise_sketch_row(&x, dim, metric, row, row + 1, row + 2);
			lw_kernels()->sketch_filter(&query, &dot, row, row + 1, row + 2, 1, 0, -INFINITY, upper, lower,
			                            number, &n);
			score = metric == LANEWISE_METRIC_DOT      ? lanewise_dot_f32(d.rows + dim, d.rows, dim)
			        : metric == LANEWISE_METRIC_COSINE ? lanewise_cosine_f32(d.rows + dim, d.rows, dim)
			                                           : -lanewise_l2sq_f32(d.rows + dim, d.rows, dim);
			if (n == 0)
				CHECK_DATA(score != score);
			else
				CHECK_DATA((score >= lower[0] && score <= upper[0]) ||
				           (score != score && upper[0] == INFINITY));
			n_tested += n && upper[0] < INFINITY;
		}
		free(d.rows);
	}
	CHECK(n_tested > 6000);
}

/*
 * Step 7: the computed rotation is within rho of the exact one, which long double stands for, and that leaves norms as
 * they are. Rotation of a rotated vector is no inverse, so the exact one is computed by its definition.
 */
static void rotate_exactly(const float *x, size_t dim, long double *out)
{
	size_t window = 1;
	float *unit = allocate(dim * sizeof *unit), *image = allocate(dim * sizeof *image);

	while (window <= dim / 2)
		window *= 2;
	for (size_t i = 0; i < dim; i++)
		out[i] = 0;
	/* Column by column; the images of unit vectors are known to one rounding or so, as are their sums. */
	for (size_t j = 0; j < dim; j++) {
		memset(unit, 0, dim * sizeof *unit);
		unit[j] = 1;
		lanewise_rotate(unit, dim, image);
		for (size_t i = 0; i < dim; i++)
			out[i] += (long double)image[i] * (long double)x[j];
	}
	free(image);
	free(unit);
}

static void test_rotation(void)
{
	for (size_t dim = 1; dim <= 130; dim += 1 + dim / 20) {
		struct data d = make_data(below(5), 1, dim);
		float *rotated = allocate(dim * sizeof *rotated);
		long double *exact = allocate(dim * sizeof *exact), error = 0, before = 0, after = 0;

		lanewise_rotate(d.rows, dim, rotated);
		rotate_exactly(d.rows, dim, exact);
		for (size_t i = 0; i < dim; i++) {
			error += (exact[i] - (long double)rotated[i]) * (exact[i] - (long double)rotated[i]);
			before += (long double)d.rows[i] * (long double)d.rows[i];
			after += (long double)rotated[i] * (long double)rotated[i];
		}

		long double rho = (long double)lanewise_rotation_error(dim);

		CHECK_DATA(sqrtl(error) <= rho * sqrtl(before));
		CHECK_DATA(fabsl(sqrtl(after) - sqrtl(before)) <= rho * sqrtl(before));
		free(exact);
		free(rotated);
		free(d.rows);
	}

	/* A unit vector is spread over all dimensions. */
	float unit[128] = { 0 }, image[128], largest = 0;

	unit[77] = 1;
	lanewise_rotate(unit, 128, image);
	for (int i = 0; i < 128; i++)
		largest = fabsf(image[i]) > largest ? fabsf(image[i]) : largest;
	CHECK(largest < 0.5f);
}

/* --------------------------------------------------------------------- work */

/* On data that sketches are good for, few rows are looked at; on data that they are not, a scan is all it costs. */
static void test_work(void)
{
	for (size_t kind = 0; kind < 3; kind++) {
		struct data d = make_data(kind, 20000, 128);

		for (lanewise_metric metric = 0; metric <= LANEWISE_METRIC_L2SQ; metric++) {
			lanewise_index *index = make_index(&d, metric);
			struct result r = make_result(10);
			float query[128];

			make_query(&d, 2, query);

			lanewise_index_work work = search(
			        index, query, 10, metric == LANEWISE_METRIC_L2SQ ? INFINITY : -INFINITY, NULL, &r);

			CHECK_DATA(work.n_full_scans == 0);
			CHECK_DATA(work.n_rescored >= 10 && work.n_rescored < 600);
			free_result(&r);
			lanewise_index_destroy(index);
		}
		free(d.rows);
	}

	/* Outlier dimensions and heavy tails: rotated rows have the better sketches, and that is found out. */
	for (size_t kind = 3; kind < 5; kind++) {
		struct data d = make_data(kind, 20000, kind == 3 ? 128 : 200);

		for (lanewise_metric metric = 0; metric <= LANEWISE_METRIC_L2SQ; metric++) {
			lanewise_index *index = make_index(&d, metric);
			struct result r = make_result(10);
			float query[200], none = metric == LANEWISE_METRIC_L2SQ ? INFINITY : -INFINITY;
			size_t n_rotated = 0;

			for (size_t i = 0; i < index->n_segments; i++)
				n_rotated += (size_t)index->segments[i].is_rotated;
			CHECK_DATA(n_rotated == index->n_segments);
			make_query(&d, 1, query);

			lanewise_index_work work = search(index, query, 10, none, NULL, &r);

			/* Outliers: a few dozen. Heavy tails leave longer rows, and under the cosine up to a tenth of them. */
			CHECK_DATA(work.n_full_scans == 0);
			CHECK_DATA(work.n_rescored < (kind == 3 ? 200 : 4000));
			compare(&d, index, query, 10, none, NULL);
			free_result(&r);
			lanewise_index_destroy(index);
		}
		free(d.rows);
	}

	struct data d = make_data(5, 20000, 32); /* near duplicates */
	lanewise_index *index = make_index(&d, LANEWISE_METRIC_COSINE);
	struct result r = make_result(10);

	CHECK_EQUAL(search(index, d.rows, 10, -INFINITY, NULL, &r).n_full_scans, 1);
	free_result(&r);
	lanewise_index_destroy(index);
	free(d.rows);
}

/* --------------------------------------------------------- several queries */

static void test_many_queries(void)
{
	enum { N_QUERIES = 43, DIM = 48, K = 7 };
	struct data d = make_data(13, 4000, DIM);
	lanewise_index *index = make_index(&d, LANEWISE_METRIC_DOT);
	float queries[N_QUERIES * (DIM + 3)], score[N_QUERIES * K];
	uint32_t row[N_QUERIES * K];
	size_t n_found[N_QUERIES];
	void *scratch = allocate(lanewise_index_scratch_size(index, N_QUERIES, K));

	for (size_t j = 0; j < N_QUERIES; j++)
		make_query(&d, j, queries + j * (DIM + 3));
	queries[4 * (DIM + 3)] = NAN;
	memset(queries + 5 * (DIM + 3), 0, DIM * sizeof *queries);
	CHECK_EQUAL(lanewise_index_search(index, queries, N_QUERIES, DIM + 3, K, -INFINITY, NULL, scratch, row, score,
	                                  n_found, NULL),
	            0);
	for (size_t j = 0; j < N_QUERIES; j++) {
		struct result expected = make_result(K), got = { n_found[j], row + j * K, score + j * K };

		scan(&d, LANEWISE_METRIC_DOT, queries + j * (DIM + 3), K, -INFINITY, NULL, &expected);
		CHECK_DATA(same_result(&expected, &got));
		free_result(&expected);
	}
	CHECK_EQUAL(n_found[4], 0);
	CHECK_EQUAL(n_found[5], K);
	free(scratch);
	lanewise_index_destroy(index);
	free(d.rows);
}

/* As many queries as share a pass over the sketches and more, on data of every kind. */
static void compare_many(const struct data *d, const lanewise_index *index, size_t n_queries, size_t k, float threshold,
                         const uint64_t *filter)
{
	float *queries = allocate(n_queries * d->dim * sizeof *queries),
	      *score = allocate(n_queries * k * sizeof *score);
	uint32_t *row = allocate(n_queries * k * sizeof *row);
	size_t *n_found = allocate(n_queries * sizeof *n_found);
	void *scratch = malloc(lanewise_index_scratch_size(index, n_queries, k));

	for (size_t j = 0; j < n_queries; j++)
		make_query(d, j, queries + j * d->dim);
	CHECK_EQUAL(lanewise_index_search(index, queries, n_queries, d->dim, k, threshold, filter, scratch, row, score,
	                                  n_found, NULL),
	            0);
	for (size_t j = 0; j < n_queries; j++) {
		struct result expected = make_result(k), got = { n_found[j], row + j * k, score + j * k };

		scan(d, lanewise_index_metric(index), queries + j * d->dim, k, threshold, filter, &expected);
		CHECK_DATA(same_result(&expected, &got));
		free_result(&expected);
	}
	free(scratch);
	free(n_found);
	free(row);
	free(score);
	free(queries);
}

static void test_many_of_every_kind(void)
{
	enum { N = 1401, DIM = 40 };

	for (size_t kind = 0; kind < N_KINDS; kind++) {
		struct data d = make_data(kind, N, DIM);
		lanewise_metric metric = (lanewise_metric)((kind + (size_t)lanewise_active_tier()) % 3);
		lanewise_index *index = make_index(&d, metric);
		float none = metric == LANEWISE_METRIC_L2SQ ? INFINITY : -INFINITY, query[DIM];
		uint64_t filter[(N + 63) / 64];

		make_query(&d, 0, query);
		for (size_t w = 0; w < (N + 63) / 64; w++)
			filter[w] = random_bits() & random_bits();
		compare_many(&d, index, 16 + below(180), 1 + below(12), none, NULL);
		compare_many(&d, index, 16 + below(100), 1 + below(12), threshold_at(&d, metric, query, below(30)),
		             NULL);
		compare_many(&d, index, 16 + below(20), 1 + below(12), none, filter);
		lanewise_index_destroy(index);
		free(d.rows);
	}
}

/* ------------------------------------------------------------------ changes */

static void test_changes(void)
{
	struct data d = make_data(0, 3000, 40);

	for (lanewise_metric metric = 0; metric <= LANEWISE_METRIC_L2SQ; metric++) {
		lanewise_index *index = make_index(&d, metric);

		for (int i = 0; i < 300; i++) {
			size_t row = below(d.n);
			float *values = d.rows + row * d.dim;

			if (i % 2) {
				CHECK_EQUAL(lanewise_index_remove(index, row), 0);
				for (size_t j = 0; j < d.dim; j++)
					values[j] = NAN;
			} else {
				fill_gaussian(values, d.dim);
				CHECK_EQUAL(lanewise_index_update(index, row, values), 0);
				CHECK(memcmp(lanewise_index_row(index, row), values, d.dim * sizeof *values) == 0);
			}
		}
		test_searches(&d, index, 4);
		for (size_t r = 0; r < d.n; r++)
			lanewise_index_remove(index, r);

		struct result result = make_result(10);

		search(index, d.rows, 10, metric == LANEWISE_METRIC_L2SQ ? INFINITY : -INFINITY, NULL, &result);
		CHECK_EQUAL(result.n, 0);
		free_result(&result);
		lanewise_index_destroy(index);
		data_gaussian(&d);
	}
	free(d.rows);
}

/* -------------------------------------------------------------------- files */

static void test_saved(void)
{
	static const size_t n_rows[] = { 0, 1, 256, 257, 1000 };

	for (size_t i = 0; i < sizeof n_rows / sizeof *n_rows; i++)
		for (lanewise_metric metric = 0; metric <= LANEWISE_METRIC_L2SQ; metric++) {
			struct data d = make_data(13, n_rows[i], 33);
			lanewise_index *index = make_index(&d, metric);
			size_t n_bytes;
			unsigned char *bytes = save(index, &n_bytes);
			struct opened o;

			CHECK_EQUAL(open_bytes(bytes, n_bytes, &o, NULL), 0);
			CHECK_EQUAL(lanewise_index_n_rows(o.index), d.n);
			CHECK_EQUAL(lanewise_index_metric(o.index), metric);
			if (d.n)
				test_searches(&d, o.index, 2);
			CHECK_EQUAL(lanewise_index_add(o.index, d.rows, 1, 33), LANEWISE_ERROR_UNSUPPORTED);
			if (d.n)
				CHECK_EQUAL(lanewise_index_remove(o.index, 0), LANEWISE_ERROR_UNSUPPORTED);
			close_opened(&o);
			free(bytes);
			lanewise_index_destroy(index);
			free(d.rows);
		}
}

/* Segments with and without rotation, in memory and in a file; rows that came one at a time. */
static void test_mixed_segments(void)
{
	enum { N = 1500, DIM = 70 };
	struct data d = make_data(0, N, DIM);

	for (size_t r = 300; r < 1100; r++)
		d.rows[r * DIM + 5] *= 300;
	for (lanewise_metric metric = 0; metric <= LANEWISE_METRIC_L2SQ; metric++) {
		lanewise_index *index = NULL;
		size_t n_bytes;

		CHECK_EQUAL(lanewise_index_create(DIM, metric, NULL, &index), 0);
		for (size_t r = 0; r < N; r++)
			CHECK_EQUAL(lanewise_index_add(index, d.rows + r * DIM, 1, DIM), 0);
		/* Rows 512 ... 1023 have their dimension of outliers, those before it and behind it not at their first row. */
		CHECK(!index->segments[0].is_rotated && !index->segments[1].is_rotated);
		CHECK(index->segments[2].is_rotated);
		test_searches(&d, index, 6);

		unsigned char *bytes = save(index, &n_bytes);
		struct opened o;

		CHECK_EQUAL(open_bytes(bytes, n_bytes, &o, NULL), 0);
		CHECK(!o.index->segments[1].is_rotated && o.index->segments[2].is_rotated);
		test_searches(&d, o.index, 6);
		close_opened(&o);
		for (size_t r = 0; r < N; r += 50)
			CHECK_EQUAL(lanewise_index_update(index, r, d.rows + r * DIM), 0);
		test_searches(&d, index, 3);
		free(bytes);
		lanewise_index_destroy(index);
	}
	free(d.rows);
}

static void test_lies(void)
{
	struct data d = make_data(0, 300, 20);
	lanewise_index *index = make_index(&d, LANEWISE_METRIC_DOT);
	size_t n_bytes;
	unsigned char *bytes = save(index, &n_bytes);
	const uint64_t no_dim = 0, wide = LANEWISE_INDEX_MAX_DIM + 1, wrong_dim = 21, many = (uint64_t)1 << 32,
	               few = 299;
	const uint64_t huge = UINT64_MAX;
	const uint32_t metric = 3, rules = 1, segments = 1u << 25, reserved = 2;
	const float negative = -1, not_a_number = NAN, large = 1e20f;

	expect_lie(bytes, n_bytes, "index.header", 0, &many, 8, LANEWISE_ERROR_DATA, "n_rows");
	expect_lie(bytes, n_bytes, "index.header", 0, &huge, 8, LANEWISE_ERROR_DATA, "n_rows");
	expect_lie(bytes, n_bytes, "index.header", 0, &few, 8, LANEWISE_ERROR_DATA,
	           "section index.rows: 6000 elements");
	expect_lie(bytes, n_bytes, "index.header", 8, &no_dim, 8, LANEWISE_ERROR_DATA, "dim");
	expect_lie(bytes, n_bytes, "index.header", 8, &wide, 8, LANEWISE_ERROR_DATA, "dim");
	expect_lie(bytes, n_bytes, "index.header", 8, &huge, 8, LANEWISE_ERROR_DATA, "dim");
	expect_lie(bytes, n_bytes, "index.header", 8, &wrong_dim, 8, LANEWISE_ERROR_DATA, "section index.rows");
	expect_lie(bytes, n_bytes, "index.header", 16, &metric, 4, LANEWISE_ERROR_DATA, "metric");
	expect_lie(bytes, n_bytes, "index.header", 20, &rules, 4, LANEWISE_ERROR_UNSUPPORTED, "sketch_rules");
	expect_lie(bytes, n_bytes, "index.header", 24, &segments, 4, LANEWISE_ERROR_DATA, "rotated");
	expect_lie(bytes, n_bytes, "index.header", 28, &reserved, 4, LANEWISE_ERROR_DATA, "has_ids: 2");
	expect_lie(bytes, n_bytes, "index.scale", 4, &negative, 4, LANEWISE_ERROR_DATA, "element 1:");
	expect_lie(bytes, n_bytes, "index.scale", 8, &not_a_number, 4, LANEWISE_ERROR_DATA, "element 2:");
	expect_lie(bytes, n_bytes, "index.error", 0, &not_a_number, 4, LANEWISE_ERROR_DATA, "element 0:");
	expect_lie(bytes, n_bytes, "index.norm", 1196, &large, 4, LANEWISE_ERROR_DATA, "element 299:");
	/* Any other change with right checksums: what opens can be searched. */
	for (int i = 0; i < 500; i++) {
		unsigned char *copy = allocate(n_bytes);
		struct result r = make_result(10);
		struct opened o;

		memcpy(copy, bytes, n_bytes);
		for (size_t j = 0; j < 1 + below(8); j++)
			copy[below(n_bytes)] = (unsigned char)random_bits();
		repair_file(copy, n_bytes);
		if (open_bytes(copy, n_bytes, &o, NULL) == LANEWISE_OK && lanewise_index_dim(o.index) == d.dim)
			search(o.index, d.rows, 10, -INFINITY, NULL, &r);
		close_opened(&o);
		free_result(&r);
		free(copy);
	}
	free(bytes);
	lanewise_index_destroy(index);
	free(d.rows);
}

/* ---------------------------------------------------------------- arguments */

static void test_allocator(void)
{
	struct counter counter = { .fail_from = 1 };
	lanewise_allocator allocator = counting_allocator(&counter);
	lanewise_index *index = NULL;
	float rows[600 * 3] = { 1 };

	CHECK_EQUAL(lanewise_index_create(3, LANEWISE_METRIC_DOT, &allocator, &index), LANEWISE_ERROR_NO_MEMORY);
	CHECK(index == NULL);
	fail_after(&counter, 3);
	CHECK_EQUAL(lanewise_index_create(3, LANEWISE_METRIC_DOT, &allocator, &index), 0);
	CHECK_EQUAL(lanewise_index_add(index, rows, 100, 3), 0);
	/* 600 more rows take two more segments, of which there is memory for one: none of them is added. */
	CHECK_EQUAL(lanewise_index_add(index, rows, 600, 3), LANEWISE_ERROR_NO_MEMORY);
	CHECK_EQUAL(lanewise_index_n_rows(index), 100);
	fail_after(&counter, 9);
	CHECK_EQUAL(lanewise_index_add(index, rows, 600, 3), 0);
	CHECK_EQUAL(lanewise_index_n_rows(index), 700);
	lanewise_index_destroy(index);
	CHECK_EQUAL(counter.n_bytes, 0);
	lanewise_index_destroy(NULL);
}

static void test_arguments(void)
{
	lanewise_index *index = NULL;
	float v[8] = { 1, 2, 3, 4 }, score[2];
	uint32_t row[2];
	size_t n = 9;
	lanewise_index_work work = { .struct_size = 1 };

	CHECK_EQUAL(lanewise_index_create(0, 0, NULL, &index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_create(4, 3, NULL, &index), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_create(4, 0, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_create(LANEWISE_INDEX_MAX_DIM + 1, 0, NULL, &index), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_index_create(4, LANEWISE_METRIC_DOT, NULL, &index), 0);
	CHECK_EQUAL(lanewise_index_dim(index), 4);

	void *scratch = allocate(lanewise_index_scratch_size(index, 1, 2));

	/* Empty. */
	CHECK_EQUAL(lanewise_index_search(index, v, 1, 4, 2, -INFINITY, NULL, scratch, row, score, &n, NULL), 0);
	CHECK_EQUAL(n, 0);
	CHECK(lanewise_index_row(index, 0) == NULL);
	CHECK_EQUAL(lanewise_index_update(index, 0, v), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_remove(index, 0), LANEWISE_ERROR_ARGUMENT);

	CHECK_EQUAL(lanewise_index_add(index, NULL, 0, 4), 0);
	CHECK_EQUAL(lanewise_index_add(index, NULL, 1, 4), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_add(index, v, 1, 3), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_add(NULL, v, 1, 4), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_add(index, v, (size_t)UINT32_MAX + 1, 4), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_index_add(index, v, 3, SIZE_MAX / 4), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_index_n_rows(index), 0);
	CHECK_EQUAL(lanewise_index_add(index, v, 1, SIZE_MAX / sizeof *v), 0); /* there is no row behind it */

	CHECK_EQUAL(lanewise_index_search(NULL, v, 1, 4, 2, 0, NULL, scratch, row, score, &n, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search(index, NULL, 1, 4, 2, 0, NULL, scratch, row, score, &n, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search(index, v, 1, 3, 2, 0, NULL, scratch, row, score, &n, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search(index, v, 1, 4, 0, 0, NULL, scratch, row, score, &n, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search(index, v, 1, 4, 2, NAN, NULL, scratch, row, score, &n, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search(index, v, 1, 4, 2, 0, NULL, (char *)scratch + 1, row, score, &n, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search(index, v, 1, 4, 2, 0, NULL, scratch, NULL, score, &n, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_search(index, v, 1, 4, 2, 0, NULL, scratch, row, score, &n, &work),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(
	        lanewise_index_search(index, v, 1, 4, (size_t)UINT32_MAX + 1, 0, NULL, scratch, row, score, &n, NULL),
	        LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_index_search(index, v, SIZE_MAX / 2, 4, 2, 0, NULL, scratch, row, score, &n, NULL),
	            LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_index_search(index, NULL, 0, 4, 2, 0, NULL, NULL, NULL, NULL, NULL, NULL), 0);
	CHECK_EQUAL(lanewise_index_scratch_size(NULL, 1, 1), 0);
	CHECK_EQUAL(lanewise_index_scratch_size(index, 1, 0), 0);
	CHECK_EQUAL(lanewise_index_scratch_size(index, 1, (size_t)UINT32_MAX + 1), 0);
	CHECK_EQUAL(lanewise_index_search(index, v, 1, 4, 2, 0, NULL, scratch, row, score, &n, NULL), 0);
	CHECK(n == 1 && row[0] == 0 && score[0] == 30.0f);
	free(scratch);
	lanewise_index_destroy(index);
}

/* Rows of every type are kept as what they stand for. */
static void test_other_types(void)
{
	enum { N = 700, DIM = 37, LD = 40 };
	static uint16_t half[N * LD], brain[N * LD];
	static int8_t codes[N * LD];
	static float scale[N], wide[3][N * LD], plain[N * LD];
	lanewise_index *index[4];

	for (size_t i = 0; i < (size_t)N * LD; i++) {
		float value = gaussian();

		lanewise_f32_to_f16(&value, 1, &half[i]);
		lanewise_f32_to_bf16(&value, 1, &brain[i]);
		codes[i] = (int8_t)((int)below(256) - 128);
		scale[i / LD] = 0.5f + (float)(i / LD) * 0x1p-10f;
		lanewise_f16_to_f32(&half[i], 1, &wide[0][i]);
		lanewise_bf16_to_f32(&brain[i], 1, &wide[1][i]);
		wide[2][i] = (float)codes[i] * scale[i / LD];
		plain[i] = codes[i];
	}
	for (size_t k = 0; k < 4; k++)
		CHECK_EQUAL(lanewise_index_create(DIM, LANEWISE_METRIC_COSINE, NULL, &index[k]), 0);
	CHECK_EQUAL(lanewise_index_add_f16(index[0], half, N, LD), 0);
	CHECK_EQUAL(lanewise_index_add_bf16(index[1], brain, N, LD), 0);
	CHECK_EQUAL(lanewise_index_add_i8(index[2], codes, scale, N, LD), 0);
	CHECK_EQUAL(lanewise_index_add_i8(index[3], codes, NULL, N, LD), 0);
	for (size_t k = 0; k < 4; k++) {
		int same = lanewise_index_n_rows(index[k]) == N;

		for (size_t r = 0; r < N; r++)
			same &= memcmp(lanewise_index_row(index[k], r), (k < 3 ? wide[k] : plain) + r * LD,
			               DIM * sizeof(float)) == 0;
		CHECK(same);

		/* A row is nearest to itself. */
		void *scratch = malloc(lanewise_index_scratch_size(index[k], 1, 1));
		uint32_t row = 0;
		float score;
		size_t n;

		CHECK_EQUAL(lanewise_index_search(index[k], lanewise_index_row(index[k], 600), 1, DIM, 1, -INFINITY,
		                                  NULL, scratch, &row, &score, &n, NULL),
		            0);
		CHECK_EQUAL(row, 600);
		free(scratch);
		lanewise_index_destroy(index[k]);
	}
	CHECK_EQUAL(lanewise_index_add_f16(NULL, half, N, LD), LANEWISE_ERROR_ARGUMENT);

	/* Without memory for what is widened, nothing is added. */
	struct counter counter = { 0 };
	lanewise_allocator allocator = counting_allocator(&counter);

	CHECK_EQUAL(lanewise_index_create(DIM, LANEWISE_METRIC_DOT, &allocator, &index[0]), 0);
	for (size_t left = 0; left < 20; left++) {
		fail_after(&counter, left);

		lanewise_status status = lanewise_index_add_bf16(index[0], brain, N, LD);

		CHECK(status == LANEWISE_OK || status == LANEWISE_ERROR_NO_MEMORY);
		CHECK_EQUAL(lanewise_index_n_rows(index[0]), status ? 0 : N);
		if (status == LANEWISE_OK)
			break;
	}
	CHECK_EQUAL(lanewise_index_n_rows(index[0]), N);
	CHECK_EQUAL(lanewise_index_add_i8(index[0], codes, scale, 1, DIM - 1), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_add_i8(index[0], NULL, scale, 1, DIM), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_add_f16(index[0], NULL, 0, DIM), 0);
	lanewise_index_destroy(index[0]);
	CHECK_EQUAL(counter.n_bytes, 0);
}

int main(void)
{
	test_arguments();
	test_allocator();
	test_saved();
	test_mixed_segments();
	test_lies();
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		test_intervals();
		test_rotation();
		test_every_k();
		test_exactness();
		test_work();
		test_many_queries();
		test_many_of_every_kind();
		test_changes();
	}
	test_other_types();
	return test_result();
}
