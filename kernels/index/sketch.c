/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of sketch.h, steps 3 and 4; names are those there. */
#include "index/sketch.h"

#include <math.h>

/* G of step 2. */
static double slack_of(size_t dim) { return ((double)dim / 32 + 64) * 0x1p-23; }

static enum lw_sketch_kind kind_of(const float *x, size_t dim, float scale, float square)
{
	int all_zero = 1;

	if (scale > 0 && square >= 0x1p-80f && square <= 0x1p80f)
		return LW_SKETCH_ORDINARY;
	for (size_t i = 0; i < dim; i++) {
		if (x[i] != x[i])
			return LW_SKETCH_NAN;
		all_zero &= x[i] == 0;
	}
	return all_zero ? LW_SKETCH_ZERO : LW_SKETCH_SPECIAL;
}

struct lw_sketch lanewise_sketch_of(const float *x, size_t dim, float scale, float square, float error_square,
                                    double rotation_error)
{
	struct lw_sketch sketch = { .kind = kind_of(x, dim, scale, square) };
	double slack = slack_of(dim);

	if (sketch.kind == LW_SKETCH_ORDINARY) {
		sketch.scale = scale;
		sketch.norm = (float)(lw_sqrt((double)square) * (1 + slack));
		sketch.error = (float)((lw_sqrt((double)error_square * (1 + 2 * slack) + 0x1p-120) +
		                        rotation_error * (double)sketch.norm) *
		                       (1 + 0x1p-20));
	}
	return sketch;
}

void lanewise_sketch_row(const struct lw_sketch *sketch, size_t dim, lanewise_metric metric, float *scale, float *error,
                         float *norm)
{
	*scale = sketch->scale;
	*error = sketch->error;
	*norm = sketch->norm;
	if (sketch->kind == LW_SKETCH_NAN) {
		*scale = *error = *norm = NAN;
	} else if (sketch->kind == LW_SKETCH_SPECIAL) {
		*error = INFINITY;
	} else if (metric == LANEWISE_METRIC_COSINE) {
		double n = (double)sketch->norm;

		*norm = 1;
		if (sketch->kind == LW_SKETCH_ORDINARY) {
			*scale = (float)((double)sketch->scale / n);
			*error = (float)((double)sketch->error / n * (1 + 2 * slack_of(dim)) * (1 + 0x1p-22));
		}
	}
}

static float enlarged(double weight) { return (float)(weight * (1 + 0x1p-18)); }

struct lw_sketch_query lanewise_sketch_query_of(const struct lw_sketch *sketch, size_t dim, lanewise_metric metric)
{
	double t = (double)sketch->scale, m = (double)sketch->norm, f = (double)sketch->error, slack = slack_of(dim);
	struct lw_sketch_query query = { 0 };

	if (metric == LANEWISE_METRIC_COSINE) {
		double relative = f / m * (1 + 2 * slack);

		query.scale = (float)(t / m);
		query.error_weight = enlarged(1 + relative);
		query.norm_weight = enlarged(relative + 32 * slack);
	} else if (metric == LANEWISE_METRIC_L2SQ) {
		query.scale = (float)(2 * t);
		query.error_weight = enlarged(2 * (m + f));
		query.norm_weight = enlarged(2 * f);
		query.square_weight = -1;
		query.square_radius = enlarged(8 * slack);
		query.base = (float)-(m * m);
		query.base_radius = enlarged(8 * slack * m * m);
	} else {
		query.scale = (float)t;
		query.error_weight = enlarged(m + f);
		query.norm_weight = enlarged(f + 2 * slack * m);
	}
	return query;
}
