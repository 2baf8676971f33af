/* SPDX-License-Identifier: Apache-2.0 */
/* Rows and queries for tests of an index: data of many kinds, most of them made to break the bounds of the first stage. */
#ifndef LW_INDEX_DATA_H
#define LW_INDEX_DATA_H

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include <lanewise/index.h>

#include "common.h"
#include "test.h"

static uint64_t random_state = 7;
static const char *data_name = "";

#define CHECK_DATA(condition) \
	do { \
		if (!CHECK(condition)) \
			fprintf(stderr, "  data %s, tier %s\n", data_name, \
			        lanewise_tier_name(lanewise_active_tier())); \
	} while (0)

static inline uint64_t random_bits(void) { return test_random(&random_state); }

static inline size_t below(size_t n) { return (size_t)(random_bits() % n); }

static inline float uniform(void) { return (float)(int32_t)(random_bits() >> 40) * 0x1p-23f - 1; }

static inline float gaussian(void)
{
	float sum = 0;

	for (int i = 0; i < 6; i++)
		sum += uniform();
	return sum * 0.7f;
}

static inline void *allocate(size_t n_bytes)
{
	void *p = aligned_alloc(64, (n_bytes + 64) / 64 * 64);

	if (!p)
		abort();
	return p;
}

/* --------------------------------------------------------------------- data */

struct data {
	size_t n, dim;
	float *rows;
};

static inline void fill_gaussian(float *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = gaussian();
}

typedef void fill_fn(const struct data *d);

static inline void data_gaussian(const struct data *d) { fill_gaussian(d->rows, d->n * d->dim); }

static inline void data_normalized(const struct data *d)
{
	data_gaussian(d);
	lanewise_normalize_f32_rows(d->rows, d->n, d->dim, d->dim);
}

static inline void data_clustered(const struct data *d)
{
	data_gaussian(d);
	for (size_t r = 20; r < d->n; r++)
		for (size_t i = 0; i < d->dim; i++)
			d->rows[r * d->dim + i] = d->rows[r % 20 * d->dim + i] + 0.4f * gaussian();
}

static inline void data_heavy_tails(const struct data *d)
{
	for (size_t i = 0; i < d->n * d->dim; i++)
		d->rows[i] = gaussian() / (fabsf(uniform()) + 1e-4f);
}

static inline void data_outlier_dimensions(const struct data *d)
{
	data_gaussian(d);
	for (size_t r = 0; r < d->n; r++)
		d->rows[r * d->dim + 3 % d->dim] *= 60;
}

static inline void data_near_duplicates(const struct data *d)
{
	data_gaussian(d);
	for (size_t r = 1; r < d->n; r++) {
		memcpy(d->rows + r * d->dim, d->rows, d->dim * sizeof *d->rows);
		/* One element differs in its last bits. */
		float *x = d->rows + r * d->dim + below(d->dim);

		*x = nextafterf(*x, (float)below(3) - 1);
	}
}

static inline void data_half_duplicates(const struct data *d)
{
	data_gaussian(d);
	for (size_t r = 0; r + 1 < d->n; r += 2)
		memcpy(d->rows + (r + 1) * d->dim, d->rows + below(r + 1) * d->dim, d->dim * sizeof *d->rows);
}

static inline void data_all_equal(const struct data *d)
{
	for (size_t i = 0; i < d->n * d->dim; i++)
		d->rows[i] = 0.3f;
}

static inline void data_zeros(const struct data *d)
{
	data_gaussian(d);
	for (size_t r = 0; r < d->n; r++)
		if (below(3))
			memset(d->rows + r * d->dim, 0, d->dim * sizeof *d->rows);
}

static inline void data_only_zeros(const struct data *d) { memset(d->rows, 0, d->n * d->dim * sizeof *d->rows); }

static inline void scale_rows(const struct data *d, int least, int count)
{
	data_gaussian(d);
	for (size_t r = 0; r < d->n; r++) {
		int exponent = least + (int)below((size_t)count);

		for (size_t i = 0; i < d->dim; i++)
			d->rows[r * d->dim + i] = ldexpf(d->rows[r * d->dim + i], exponent);
	}
}

static inline void data_subnormal(const struct data *d) { scale_rows(d, -149, 20); }

static inline void data_huge(const struct data *d) { scale_rows(d, 100, 30); }

static inline void data_any_magnitude(const struct data *d) { scale_rows(d, -149, 280); }

static inline void data_some_special(const struct data *d)
{
	static const float values[] = { INFINITY, -INFINITY, NAN,   FLT_MAX, -FLT_MAX,
		                        FLT_MIN,  1e-44f,    -0.0f, 1e20f,   1e-20f };

	data_gaussian(d);
	for (size_t r = 0; r < d->n; r += 1 + below(20))
		for (size_t j = 0; j < 1 + below(3); j++)
			d->rows[r * d->dim + below(d->dim)] = values[below(sizeof values / sizeof *values)];
}

static inline void data_any_bits(const struct data *d)
{
	for (size_t i = 0; i < d->n * d->dim; i++)
		d->rows[i] = lw_f32_from_bits((uint32_t)random_bits());
}

/* Elements half way between codes: errors as large as they get, and all of one sign. */
static inline void data_worst_rounding(const struct data *d)
{
	for (size_t i = 0; i < d->n * d->dim; i++)
		d->rows[i] = i % d->dim == 0 ? 127.0f : (float)below(20) + 0.4999f;
}

static inline void data_sparse(const struct data *d)
{
	for (size_t i = 0; i < d->n * d->dim; i++)
		d->rows[i] = below(16) ? 0.0f : gaussian();
}

static const struct {
	const char *name;
	fill_fn *fill;
} kinds[] = {
	{ "gaussian", data_gaussian },
	{ "normalized", data_normalized },
	{ "clustered", data_clustered },
	{ "heavy tails", data_heavy_tails },
	{ "outlier dimensions", data_outlier_dimensions },
	{ "near duplicates", data_near_duplicates },
	{ "half duplicates", data_half_duplicates },
	{ "all equal", data_all_equal },
	{ "zeros", data_zeros },
	{ "only zeros", data_only_zeros },
	{ "subnormal", data_subnormal },
	{ "huge", data_huge },
	{ "any magnitude", data_any_magnitude },
	{ "some special", data_some_special },
	{ "any bits", data_any_bits },
	{ "worst rounding", data_worst_rounding },
	{ "sparse", data_sparse },
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

static inline struct data make_data(size_t kind, size_t n, size_t dim)
{
	struct data d = { n, dim, allocate(n * dim * sizeof(float)) };

	data_name = kinds[kind].name;
	kinds[kind].fill(&d);
	return d;
}

static inline lanewise_index *make_index(const struct data *d, lanewise_metric metric)
{
	lanewise_index *index = NULL;

	CHECK_EQUAL(lanewise_index_create(d->dim, metric, NULL, &index), 0);
	/* In pieces of any size. */
	for (size_t at = 0, n; at < d->n; at += n) {
		n = 1 + below(700);
		n = n < d->n - at ? n : d->n - at;
		CHECK_EQUAL(lanewise_index_add(index, d->rows + at * d->dim, n, d->dim), 0);
	}
	CHECK_EQUAL(lanewise_index_n_rows(index), d->n);
	return index;
}

/* A query of the data's own kind, a row, a row a little changed, or gaussian. */
static inline void make_query(const struct data *d, size_t i, float *query)
{
	memcpy(query, d->rows + below(d->n) * d->dim, d->dim * sizeof *query);
	if (i % 3 == 1)
		for (size_t j = 0; j < d->dim; j++)
			query[j] *= 1 + 0.1f * gaussian();
	if (i % 3 == 2)
		fill_gaussian(query, d->dim);
}

#endif
