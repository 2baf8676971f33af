/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searching an index: first the sketches, then the rows that remain. Why the result is exact: sketch.h.
 *
 * A search can be done in parts of the rows, one for each thread. Of an exact search every part is one of its own, with
 * bounds and results of its own, and the end merges results. Candidates of a coarse search depend on all rows, so its
 * parts end with what may be candidates, and the end chooses among these and compares them.
 *
 * Sketches are gone through in blocks of 256 rows, whose codes stay in L2 while each query of a group is compared with
 * them. For many queries products are tested where they are made (dot_i8_above), and only those of rows that may be
 * candidates leave the registers; for few, and for queries that have no bound yet, all are stored and go through a filter.
 *
 * A query keeps its candidates (upper, lower, row) in a reservoir. When that is fuller than its limit, the k-th
 * largest `lower` becomes the bound and candidates below it go; if many remain the limit doubles. A query whose limit
 * passes the reservoir's capacity gives up on sketches and scans all rows: whatever the data, it has then cost at most
 * the sketches and the scan.
 */
#include <lanewise/topk.h>

#include <math.h>

#include "index/index.h"
#include "index/rotation.h"
#include "index/sketch.h"
#include "merge_parts.h"
#include "score_item.h"

enum {
	BLOCK = LW_INDEX_FIRST_ROWS,
	GROUP = LW_I8_QUERIES,            /* queries that share a pass over the sketches */
	FILTER_GROUP = LW_DOT_I8_QUERIES, /* those whose products are in memory together */
	MANY_QUERIES = 16,                /* for so many testing products where they are made is faster */
	DOT_LD = BLOCK + 16,              /* not a power of two, which would crowd few sets of L1 */
	ALIGNMENT = 64,
	LIMIT_AT_FIRST = 1024,
	LEAST_LIMIT = 128,   /* the same for many queries, whose passes end sooner the better their bounds are */
	MIN_CAPACITY = 8192, /* candidates of a query, at least (where there are so many rows) */
	MAX_SELECTIONS_BYTES = 4 << 20,
	PREFETCH_LINES = 32
};

/* A call, and where its scratch is. */
struct search {
	const lanewise_index *index;
	const struct lw_kernels *kernels;
	const uint64_t *filter;
	size_t first_row, end_row; /* rows to be searched, from a multiple of BLOCK on */
	size_t query_ld;
	size_t k;        /* results; at most n_rows */
	size_t n_wanted; /* candidates whose estimates set the bound: k, or as many as a coarse search asked for */
	int is_coarse;   /* reads 4-bit codes, which give estimates without bounds */
	float threshold;
	int prefetch;
	size_t capacity; /* of a reservoir; 0: there are none */
	int reads_sketches;
	size_t per_query;  /* bytes of a query's reservoir, which is the memory of its selection if it scans all rows */
	size_t together;   /* queries of a group */
	int uses[2];       /* whether there are segments as they are, rotated; likewise below */
	size_t query_dim;  /* places for a query's codes, zeros behind them */
	int8_t *codes[2];  /* of the group's queries; zeros for one that scans all rows */
	float *rotated;    /* dim places for a query */
	uint64_t *waiting; /* capacity places, for rescoring */
	void *topk;
	float *panel;              /* for scans of all rows */
	uint8_t *code_panels[2];   /* for dot_i8_above, with and without rotation */
	struct lw_i8_found *found; /* what it found */
	lanewise_index_work *work;
};

/* One query of a group. */
struct query {
	const float *values;
	struct lw_sketch_query weights[2];
	int scans_all;
	float bound;
	float tied;      /* in a coarse search an estimate that too many rows have, which were dropped, or -infinity */
	size_t n, limit; /* candidates, and how many make it time to raise the bound */
	float *upper, *lower;
	uint32_t *row;
};

/* ------------------------------------------------------------------ scratch */

static size_t aligned(size_t n_bytes) { return (n_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* Candidates that a query may have, or 0 if k is so large a part of the rows that sketches cannot pay. */
static size_t capacity_for(size_t n_rows, size_t k)
{
	if (k > n_rows / 8)
		return 0;
	return smaller(n_rows, k > MIN_CAPACITY / 16 ? 16 * k : MIN_CAPACITY);
}

/* The filter may write up to a block, and up to 16 places more, beyond what it keeps. */
static size_t reservoir_places(size_t capacity) { return capacity + BLOCK + 16; }

static size_t per_query_bytes(size_t capacity, size_t k)
{
	size_t reservoir = 3 * aligned(reservoir_places(capacity) * sizeof(float));
	size_t selection = aligned(lanewise_topk_scratch_size(k));

	return capacity && reservoir > selection ? reservoir : selection;
}

/* Queries of a group: fewer if they scan all rows for so many results that their selections would take much memory. */
static size_t group_size(size_t n_queries, size_t capacity, size_t per_query)
{
	size_t most = capacity || per_query <= MAX_SELECTIONS_BYTES / GROUP ? GROUP
	              : per_query < MAX_SELECTIONS_BYTES                    ? MAX_SELECTIONS_BYTES / per_query
	                                                                    : 1;

	return smaller(n_queries ? n_queries : 1, most);
}

/* Of dot_i8_above for a group: a panel with and one without rotation, and what it finds. */
static size_t above_bytes(size_t group, size_t code_dim)
{
	return group < MANY_QUERIES ? 0
	                            : 2 * aligned(lw_i8_panel_bytes(group, code_dim)) +
	                                      aligned(group * LW_I8_ROWS * sizeof(struct lw_i8_found));
}

static size_t panel_bytes(size_t group, size_t dim) { return aligned(lw_f32_panel_floats(group, dim) * sizeof(float)); }

/* The k of the search: at least 1, since a selection needs one. */
static size_t effective_k(const lanewise_index *index, size_t k)
{
	return index->n_rows && k > index->n_rows ? index->n_rows : index->n_rows ? k : 1;
}

size_t lanewise_index_scratch_size(const lanewise_index *index, size_t n_queries, size_t k)
{
	if (!index || k == 0 || k > UINT32_MAX)
		return 0;

	size_t effective = effective_k(index, k), capacity = capacity_for(index->n_rows, effective);
	size_t topk = aligned(lanewise_topk_scratch_size(effective));
	size_t per_query = per_query_bytes(capacity, effective);
	size_t group = group_size(n_queries, capacity, per_query);
	size_t query_dim = 128 * lw_index_coarse_blocks(index);

	/* n_rows is below 2^32, so nothing here overflows 64 bits; where size_t has 32 it may. */
	if (sizeof(size_t) < 8 && effective > SIZE_MAX / 1024)
		return 0;
	return topk + aligned((capacity + BLOCK) * sizeof(uint64_t)) + aligned(index->dim * sizeof(float)) +
	       panel_bytes(group, index->dim) + (capacity ? above_bytes(group, index->code_dim) : 0) +
	       group * (per_query + (capacity ? 2 * query_dim : 0));
}

/* -------------------------------------------------------------- all the rows */

/* Scores of each of n_queries <= GROUP queries with n rows, n for a query. The same bits for any number of queries. */
static void score_rows(const struct search *s, const float *queries, size_t n_queries, const float *rows, size_t n,
                       int prefetch, struct lw_f32_panel *panel, float *scores)
{
	size_t dim = s->index->dim, ld = s->query_ld;
	const struct lw_kernels *kernels = s->kernels;

	if (n_queries == 1 && s->index->metric == LANEWISE_METRIC_DOT)
		kernels->dot_f32_rows(queries, rows, n, dim, dim, prefetch, scores);
	else if (n_queries == 1 && s->index->metric == LANEWISE_METRIC_COSINE)
		kernels->cosine_f32_rows(queries, rows, n, dim, dim, prefetch, scores);
	else if (n_queries == 1)
		kernels->l2sq_f32_rows(queries, rows, n, dim, dim, prefetch, scores);
	else if (s->index->metric == LANEWISE_METRIC_DOT)
		kernels->dot_f32_queries(queries, n_queries, ld, rows, n, dim, dim, prefetch, panel, scores, n);
	else if (s->index->metric == LANEWISE_METRIC_COSINE)
		kernels->cosine_f32_queries(queries, n_queries, ld, rows, n, dim, dim, prefetch, panel, scores, n);
	else
		kernels->l2sq_f32_queries(queries, n_queries, ld, rows, n, dim, dim, prefetch, panel, scores, n);
	/* The nearest have the smallest distance. */
	for (size_t i = 0; s->index->metric == LANEWISE_METRIC_L2SQ && i < n_queries * n; i++)
		scores[i] = -scores[i];
}

static int may_return(const struct search *s, size_t row) { return !s->filter || s->filter[row / 64] >> row % 64 & 1; }

/* Whether any of the n <= BLOCK rows from `row`, a multiple of 64, may be returned. */
static int any_may_return(const struct search *s, size_t row, size_t n)
{
	uint64_t any = 0;

	if (!s->filter)
		return 1;
	for (size_t i = 0; i < n / 64; i++)
		any |= s->filter[row / 64 + i];
	if (n % 64)
		any |= s->filter[(row + n) / 64] & (((uint64_t)1 << n % 64) - 1);
	return any != 0;
}

/* One block of rows into the selections of n_queries queries, topk_bytes apart. */
static void scan_block(const struct search *s, const float *queries, size_t n_queries, struct lw_f32_panel *panel,
                       unsigned char *topk, const float *rows, size_t n, size_t first_row)
{
	float scores[FILTER_GROUP * BLOCK];

	score_rows(s, queries, n_queries, rows, n, s->prefetch, panel, scores);
	for (size_t j = 0; j < n_queries; j++) {
		for (size_t i = 0; s->filter && i < n; i++)
			if (!may_return(s, first_row + i))
				scores[j * n + i] = NAN;
		lanewise_topk_push_f32((lanewise_topk *)(void *)(topk + j * s->per_query), scores + j * n, n,
		                       (uint32_t)first_row);
	}
}

/* Scans all rows for n_queries queries that follow one another; their selections lie at `topk`, per_query apart. */
static void scan_all(const struct search *s, const float *queries, size_t n_queries, unsigned char *topk)
{
	const lanewise_index *index = s->index;
	struct lw_f32_panel panel = { s->panel, lw_f32_panel_floats(s->together, index->dim), 0 };

	for (size_t j = 0; j < n_queries; j++)
		lanewise_topk_begin(topk + j * s->per_query, s->k, s->threshold);
	for (size_t segment = 0; lw_index_first(segment) < s->end_row; segment++) {
		size_t first = lw_index_first(segment), end = smaller(first + lw_index_capacity(segment), s->end_row);

		for (size_t r = larger(first, s->first_row); r < end; r += BLOCK) {
			size_t n = smaller(end - r, BLOCK);

			if (any_may_return(s, r, n))
				scan_block(s, queries, n_queries, &panel, topk,
				           index->segments[segment].rows + (r - first) * index->dim, n, r);
		}
	}
	if (s->work) {
		s->work->n_full_scans += n_queries;
		s->work->n_rescored += n_queries * (s->end_row - s->first_row);
	}
}

/* ------------------------------------------------------------- the first stage */

/* Steps 3, 4 and 7 of sketch.h for a query; 0 if they do not cover it. */
static int sketch_query(const struct search *s, const float *values, int is_rotated, int8_t *codes,
                        struct lw_sketch_query *weights)
{
	size_t dim = s->index->dim;
	float scale, square, error_square;

	if (is_rotated)
		lanewise_rotate(values, dim, s->rotated);
	s->kernels->quantize_i8_rows(is_rotated ? s->rotated : values, 1, dim, dim, codes, dim, &scale, &square,
	                             &error_square);
	if (is_rotated)
		square = s->kernels->dot_f32(values, values, dim);

	struct lw_sketch sketch = lanewise_sketch_of(values, dim, scale, square, error_square,
	                                             is_rotated ? lanewise_rotation_error(dim) : 0);

	if (sketch.kind != LW_SKETCH_ORDINARY)
		return 0;
	*weights = lanewise_sketch_query_of(&sketch, dim, s->index->metric);
	if (s->is_coarse) {
		/*
		 * Only the middle; but rows without a sketch, whose error is infinite, stay candidates. The factor is small
		 * beside the middle's last place, yet keeps away from subnormals, which cost a hundred cycles each.
		 */
		weights->error_weight *= 0x1p-40f;
		weights->norm_weight = weights->square_radius = weights->base_radius = 0;
	}
	return 1;
}

/* Query number j of a group; one without sketches scans all rows. */
static void begin_query(const struct search *s, struct query *q, const float *values, size_t j)
{
	q->values = values;
	q->scans_all = !s->reads_sketches;
	q->n = 0;
	q->tied = -INFINITY;
	q->bound = s->is_coarse ? -INFINITY : s->threshold;
	q->limit = s->found && !s->is_coarse ? LEAST_LIMIT : LIMIT_AT_FIRST;
	q->limit = smaller(s->capacity, s->n_wanted > q->limit / 4 ? 4 * s->n_wanted : q->limit);
	for (int i = 0; i < 2; i++)
		if (s->reads_sketches && s->uses[i]) {
			int8_t *codes = s->codes[i] + j * s->query_dim;

			memset(codes, 0, s->query_dim);
			q->scans_all |= !sketch_query(s, values, i, codes, &q->weights[i]);
		}
}

/* Takes the candidates from `from` on that may not be returned out again. */
static void apply_filter(const struct search *s, struct query *q, size_t from)
{
	size_t n = from;

	for (size_t i = from; s->filter && i < q->n; i++)
		if (may_return(s, q->row[i])) {
			q->upper[n] = q->upper[i];
			q->lower[n] = q->lower[i];
			q->row[n++] = q->row[i];
		}
	if (s->filter)
		q->n = n;
}

static void drop_below(struct query *q, float bound)
{
	size_t n = 0;

	for (size_t i = 0; i < q->n; i++)
		if (q->upper[i] >= bound) {
			q->upper[n] = q->upper[i];
			q->lower[n] = q->lower[i];
			q->row[n++] = q->row[i];
		}
	q->n = n;
	q->bound = bound;
}

/*
 * Step 5: raises the bound to the k-th largest lower end and drops the candidates below it. In a coarse search the
 * ends are one, the estimate, and as many candidates are left as were asked for, besides those that tie.
 */
static void raise_bound(const struct search *s, struct query *q)
{
	if (q->n < s->n_wanted)
		return;

	float kth = s->kernels->topk_select_f32(q->lower, q->n, s->n_wanted);

	if (kth > q->tied)
		q->tied = -INFINITY;
	drop_below(q, kth > q->bound ? kth : q->bound);
}

/* The next float above x, which is not infinite but may be -infinity. */
static float next_above(float x)
{
	uint32_t bits = lw_f32_bits(x + 0.0f);

	return lw_f32_from_bits(bits >> 31 ? bits - 1 : bits + 1);
}

/*
 * In a coarse search with too many candidates, most of them tie or have no estimate, since fewer than n_wanted are above the
 * bound. The former go: either the bound rises above them, or the search reads all rows in the end (settle).
 */
static void drop_ties(struct query *q)
{
	q->tied = q->bound;
	drop_below(q, next_above(q->bound));
}

static void make_room(const struct search *s, struct query *q)
{
	raise_bound(s, q);
	if (q->n > q->limit / 2)
		q->limit *= 2;
	if (s->is_coarse && q->limit > s->capacity && q->n > s->capacity / 2)
		drop_ties(q);
	q->scans_all = q->limit > s->capacity && q->n > s->capacity / 2;
	q->limit = smaller(q->limit, s->capacity);
}

/*
 * The end of the first stage. Whether a coarse search reads all rows must depend on all rows together, not on their order
 * and parts: it does if more than half a reservoir of them have no estimate or one that is not below the n_wanted-th
 * largest. Ties that were dropped were as many; of a part's the end tells whether they still are not below (join_candidates).
 * Rows without an estimate that fill so much of a part's are too many for all.
 */
static void settle(const struct search *s, struct query *q)
{
	int is_all = s->first_row == 0 && s->end_row == s->index->n_rows;

	if (q->scans_all)
		return;
	raise_bound(s, q);
	if (!s->is_coarse)
		return;
	if (q->n > s->capacity / 2)
		drop_ties(q);
	q->scans_all = q->n > s->capacity / 2 || (is_all && q->tied > -INFINITY);
}

/*
 * Integer dot products of all queries with n rows of a segment, from row `at` on, each query's DOT_LD places after the
 * one's before it.
 */
static void dot_block(const struct search *s, const int8_t *query_codes, size_t n_queries,
                      const struct lw_index_segment *segment, size_t at, size_t n, int32_t *dot)
{
	size_t code_dim = s->index->code_dim, n_blocks = lw_index_coarse_blocks(s->index);
	const int8_t *codes = segment->codes + at * code_dim;

	if (s->is_coarse)
		for (size_t j = 0; j < n_queries; j++)
			s->kernels->dot_i4_rows(query_codes + j * s->query_dim, segment->coarse + at * 64 * n_blocks, n,
			                        n_blocks, s->prefetch && j == 0, dot + j * DOT_LD);
	else if (n_queries == 1)
		s->kernels->dot_i8_rows(query_codes, codes, n, code_dim, code_dim, s->prefetch, dot);
	else
		s->kernels->dot_i8_queries(query_codes, n_queries, s->query_dim, codes, n, code_dim, code_dim,
		                           s->prefetch, dot, DOT_LD);
}

/* The greatest error and norm of a block of rows, and the least norm, of those that may have any. */
struct extremes {
	float error, norm, least_norm;
};

/* Floats without sign ascend with their bits. Removed rows and those with a NaN have NaN for all parameters. */
static void extremes_of(const float *x, size_t n, float *least, float *greatest)
{
	const int32_t infinity = 0x7f800000;
	int32_t low = infinity, high = 0;

	for (size_t i = 0; i < n; i++) {
		int32_t bits;

		memcpy(&bits, x + i, sizeof bits);
		low = bits < low ? bits : low;
		bits = bits > infinity ? 0 : bits;
		high = bits > high ? bits : high;
	}
	memcpy(least, &low, sizeof low);
	memcpy(greatest, &high, sizeof high);
}

static struct extremes extremes_of_block(const struct lw_index_segment *segment, size_t at, size_t n)
{
	struct extremes x;
	float unused;

	extremes_of(segment->error + at, n, &unused, &x.error);
	extremes_of(segment->norm + at, n, &x.least_norm, &x.norm);
	return x;
}

/*
 * What the integer dot product times the row's scale is at least, for every row of a block that passes the filter (sketch.h,
 * step 5), or 0 if that cannot be said.
 */
static float least_of(const struct lw_sketch_query *weights, const struct extremes *x, float bound)
{
	double norm = (double)x->norm, square = norm * norm, least_norm = (double)x->least_norm, b = (double)bound;
	double weight = (double)weights->square_weight;
	double radius = (double)weights->base_radius + (double)weights->square_radius * square +
	                (double)weights->norm_weight * norm + (double)weights->error_weight * (double)x->error;
	double rest = (double)weights->base + weight * (weight < 0 ? least_norm * least_norm : square) + radius;
	double all = fabs((double)weights->base) + fabs(weight) * square + radius + fabs(b);
	double least = (b - rest - all * 0x1p-18) / (double)weights->scale * (1 - 0x1p-18);

	return !(least >= 0x1p-100) ? 0 : least > 0x1p100 ? 0x1p100F : (float)least;
}

/* The filter of all products, for up to FILTER_GROUP queries that have sketches or scan all rows. */
static void filter_block(const struct search *s, struct query *queries, size_t n_queries, const int8_t *codes,
                         const struct lw_index_segment *segment, size_t at, size_t n, size_t first_row)
{
	int32_t dot[FILTER_GROUP * DOT_LD];

	dot_block(s, codes, n_queries, segment, at, n, dot);
	for (size_t j = 0; j < n_queries; j++) {
		struct query *q = &queries[j];
		size_t before = q->n;

		if (q->scans_all)
			continue;
		s->kernels->sketch_filter(&q->weights[segment->is_rotated], dot + j * DOT_LD, segment->scale + at,
		                          segment->error + at, segment->norm + at, n, (uint32_t)first_row, q->bound,
		                          q->upper, q->lower, q->row, &q->n);
		apply_filter(s, q, before);
		/* An interval that is one number, or that of a row without an estimate. */
		for (size_t i = before; s->is_coarse && i < q->n; i++)
			q->lower[i] = q->upper[i] < INFINITY ? q->upper[i] : -INFINITY;
		if (q->n > q->limit)
			make_room(s, q);
	}
}

/* The filter for one row, rounded once instead of at every step. */
static void filter_row(const struct search *s, struct query *q, const struct lw_index_segment *segment, size_t at,
                       size_t row, int32_t dot)
{
	const struct lw_sketch_query *w = &q->weights[segment->is_rotated];
	double norm = (double)segment->norm[at], square = norm * norm;
	double middle = dot * ((double)w->scale * (double)segment->scale[at]) + (double)w->square_weight * square +
	                (double)w->base;
	double radius = (double)w->error_weight * (double)segment->error[at] + (double)w->norm_weight * norm +
	                (double)w->square_radius * square + (double)w->base_radius;
	float upper = (float)(middle + radius);

	if (!(upper >= q->bound) || !may_return(s, row))
		return;
	q->upper[q->n] = lw_f32_canonical(upper);
	q->lower[q->n] = lw_f32_canonical((float)(middle - radius));
	q->row[q->n++] = (uint32_t)row;
	if (q->n > q->limit)
		make_room(s, q);
}

/* The same as filter_block for queries of which `least` is known, NaN for others. */
static void filter_above(const struct search *s, struct query *queries, struct lw_i8_queries *codes,
                         const struct lw_index_segment *segment, size_t at, size_t n, size_t first_row,
                         const float *least)
{
	size_t code_dim = s->index->code_dim, n_found[GROUP];

	s->kernels->dot_i8_above(codes, segment->codes + at * code_dim, n, code_dim, s->prefetch, segment->scale + at,
	                         least, s->found, n_found);
	for (size_t j = 0; j < codes->n; j++) {
		if (j + 1 < codes->n && n_found[j + 1] > 0) {
			const struct query *next = &queries[j + 1];

			__builtin_prefetch(next->upper + next->n, 1);
			__builtin_prefetch(next->lower + next->n, 1);
			__builtin_prefetch(next->row + next->n, 1);
		}
		for (size_t i = 0; i < n_found[j] && !queries[j].scans_all; i++) {
			struct lw_i8_found found = s->found[j * LW_I8_ROWS + i];

			filter_row(s, &queries[j], segment, at + found.row, first_row + found.row, found.dot);
		}
	}
}

static void filter_many(const struct search *s, struct query *queries, struct lw_i8_queries *codes,
                        const struct lw_index_segment *segment, size_t at, size_t n, size_t first_row)
{
	struct extremes extremes = extremes_of_block(segment, at, n);
	float least[GROUP];
	size_t n_above = 0;

	for (size_t j = 0; j < codes->n; j++) {
		least[j] = queries[j].scans_all
		                   ? NAN
		                   : least_of(&queries[j].weights[segment->is_rotated], &extremes, queries[j].bound);
		least[j] = least[j] > 0 ? least[j] : NAN;
		n_above += least[j] > 0;
	}
	if (n_above > 0)
		filter_above(s, queries, codes, segment, at, n, first_row, least);
	/* The others, as many together as follow one another. */
	for (size_t j = 0, end; n_above < codes->n && j < codes->n; j = end) {
		for (end = j; end < codes->n && end - j < FILTER_GROUP && !(least[end] > 0);)
			end++;
		if (end > j)
			filter_block(s, queries + j, end - j, codes->codes + j * codes->ld, segment, at, n, first_row);
		else
			end++;
	}
}

static void filter_rows(const struct search *s, struct query *queries, size_t n_queries, struct lw_i8_queries *codes,
                        const struct lw_index_segment *segment, size_t at, size_t n, size_t first_row)
{
	struct lw_i8_queries *c = &codes[segment->is_rotated];

	if (!s->is_coarse && n_queries >= MANY_QUERIES) {
		filter_many(s, queries, c, segment, at, n, first_row);
		return;
	}
	for (size_t j = 0; j < n_queries; j += FILTER_GROUP)
		filter_block(s, queries + j, smaller(n_queries - j, FILTER_GROUP), c->codes + j * c->ld, segment, at, n,
		             first_row);
}

static int all_scan_all(const struct query *queries, size_t n_queries)
{
	for (size_t j = 0; j < n_queries; j++)
		if (!queries[j].scans_all)
			return 0;
	return 1;
}

static void filter_all(const struct search *s, struct query *queries, size_t n_queries)
{
	const lanewise_index *index = s->index;
	struct lw_i8_queries codes[2];

	for (int i = 0; i < 2; i++)
		codes[i] = (struct lw_i8_queries) { .codes = s->codes[i],
			                            .n = n_queries,
			                            .dim = index->code_dim,
			                            .ld = s->query_dim,
			                            .panel = s->code_panels[i] };

	for (size_t segment = 0; lw_index_first(segment) < s->end_row; segment++) {
		size_t first = lw_index_first(segment), end = smaller(first + lw_index_capacity(segment), s->end_row);

		for (size_t r = larger(first, s->first_row); r < end; r += BLOCK) {
			size_t n = smaller(end - r, BLOCK);

			if (all_scan_all(queries, n_queries))
				return;
			if (any_may_return(s, r, n))
				filter_rows(s, queries, n_queries, codes, &index->segments[segment], r - first, n, r);
		}
	}
}

/* ------------------------------------------------------------ the second stage */

/* A heap with the largest integer in front: moves heap[at] down to its place. */
static void sift_down(uint64_t *heap, size_t n, size_t at)
{
	uint64_t item = heap[at];

	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		child += child + 1 < n && heap[child + 1] > heap[child];
		if (heap[child] <= item)
			break;
		heap[at] = heap[child];
	}
	heap[at] = item;
}

static void make_heap(uint64_t *heap, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sift_down(heap, n, i);
}

static void sift_up(uint64_t *heap, size_t at)
{
	uint64_t item = heap[at];

	for (; at > 0 && heap[(at - 1) / 2] < item; at = (at - 1) / 2)
		heap[at] = heap[(at - 1) / 2];
	heap[at] = item;
}

/* The best k seen so far, the worst of them in front. */
static size_t keep_item(uint64_t *best, size_t n, size_t k, uint64_t item)
{
	if (n < k) {
		best[n] = item;
		sift_up(best, n);
		return n + 1;
	}
	if (item < best[0]) {
		best[0] = item;
		sift_down(best, n, 0);
	}
	return n;
}

static void prefetch_row(const lanewise_index *index, uint32_t row)
{
	const char *bytes = (const char *)lanewise_index_row(index, row);
	size_t n_bytes = smaller(index->dim * sizeof(float), PREFETCH_LINES * 64);

	for (size_t i = 0; i < n_bytes; i += 64)
		__builtin_prefetch(bytes + i);
}

/* The best items out of their heap, best first. */
static void write_results(uint64_t *best, size_t n, uint32_t *row, float *score)
{
	for (size_t left = n; left > 0;) {
		row[left - 1] = (uint32_t)best[0];
		score[left - 1] = lw_item_score(best[0]);
		best[0] = best[--left];
		sift_down(best, left, 0);
	}
}

/* Step 6; in a coarse search, all that are left. */
static size_t rescore(const struct search *s, struct query *q, uint32_t *row, float *score)
{
	/* Complemented, so that the candidate with the highest upper end is in front. */
	uint64_t *waiting = s->waiting, *best = s->topk;
	size_t n_best = 0, left = q->n;

	for (size_t i = 0; i < left; i++)
		waiting[i] = ~lw_item_of(q->upper[i], q->row[i]);
	make_heap(waiting, left);
	while (left > 0) {
		uint32_t candidate = ~(uint32_t)waiting[0];
		float value;

		if (!s->is_coarse && n_best == s->k && lw_item_score(~waiting[0]) < lw_item_score(best[0]))
			break;
		waiting[0] = waiting[--left];
		if (left > 0) {
			sift_down(waiting, left, 0);
			prefetch_row(s->index, ~(uint32_t)waiting[0]);
		}
		score_rows(s, q->values, 1, lanewise_index_row(s->index, candidate), 1, 0, NULL, &value);
		if (value >= s->threshold)
			n_best = keep_item(best, n_best, s->k, lw_item_of(value, candidate));
		if (s->work)
			s->work->n_rescored++;
	}
	write_results(best, n_best, row, score);
	return n_best;
}

/* ------------------------------------------------------------------ searching */

static void lay_out_query(const struct search *s, struct query *q, unsigned char *memory)
{
	size_t array = aligned(reservoir_places(s->capacity) * sizeof(float));

	q->upper = (float *)(void *)memory;
	q->lower = (float *)(void *)(memory + array);
	q->row = (uint32_t *)(void *)(memory + 2 * array);
}

/* The queries of a group that scan all rows, as many together as follow one another. */
static void scan_for_group(const struct search *s, const struct query *group, size_t n_queries, unsigned char *memory)
{
	for (size_t j = 0, end; j < n_queries; j = end) {
		for (end = j; end < n_queries && end - j < FILTER_GROUP && group[end].scans_all;)
			end++;
		if (end > j)
			scan_all(s, group[j].values, end - j, memory + j * s->per_query);
		else
			end++;
	}
}

/* Where the results of query j lie: row, score and n_found, `ld` places apart. */
struct results {
	uint32_t *row;
	float *score;
	size_t *n_found, ld;
};

/* The first stage for the queries of a group. Returns where their reservoirs are, per_query bytes apart. */
static unsigned char *filter_group(struct search *s, unsigned char *scratch, const float *queries, size_t n_queries,
                                   struct query *group)
{
	size_t code_bytes = s->capacity ? n_queries * s->query_dim : 0;
	/* First the codes of all queries, then each one's reservoir. */
	unsigned char *memory = scratch + 2 * code_bytes;

	s->codes[0] = (int8_t *)scratch;
	s->codes[1] = s->codes[0] + code_bytes;
	for (size_t j = 0; j < n_queries; j++) {
		if (s->capacity)
			lay_out_query(s, &group[j], memory + j * s->per_query);
		begin_query(s, &group[j], queries + j * s->query_ld, j);
	}
	filter_all(s, group, n_queries);
	for (size_t j = 0; j < n_queries; j++)
		settle(s, &group[j]);
	return memory;
}

/* The results of a query, whose scan of all rows, if it was one, is at `memory`. */
static void finish_query(const struct search *s, struct query *q, unsigned char *memory, const struct results *to,
                         size_t j)
{
	uint32_t *row = to->row + j * to->ld;
	float *score = to->score + j * to->ld;
	size_t n = q->scans_all ? lanewise_topk_finish((lanewise_topk *)(void *)memory, row, score)
	                        : rescore(s, q, row, score);

	for (size_t i = 0; s->index->metric == LANEWISE_METRIC_L2SQ && i < n; i++)
		score[i] = 0.0f - score[i];
	to->n_found[j] = n;
}

/*
 * A search of the rows from first_row to end_row, its memory laid out at the scratch; returns where that of groups begins. How
 * much there is of it depends on all rows, not on these.
 */
static unsigned char *set_up(struct search *s, const lanewise_index *index, const lanewise_index_request *request,
                             size_t first_row, size_t end_row, void *scratch)
{
	size_t n_candidates = request->n_candidates, n_rows = end_row - first_row;
	size_t n_code_bytes = n_rows * (n_candidates ? index->code_dim / 2 : index->code_dim);
	unsigned char *memory = scratch;

	*s = (struct search) { .index = index, .kernels = lw_kernels(), .filter = request->filter };
	s->first_row = first_row;
	s->end_row = end_row;
	s->k = effective_k(index, request->k);
	s->is_coarse = n_candidates != 0;
	s->n_wanted = s->is_coarse ? effective_k(index, n_candidates) : s->k;
	s->threshold = index->metric == LANEWISE_METRIC_L2SQ ? -request->threshold : request->threshold;
	s->query_ld = request->query_ld;
	s->query_dim = 128 * lw_index_coarse_blocks(index);
	s->capacity = capacity_for(index->n_rows, s->n_wanted);
	s->reads_sketches = s->capacity && (s->is_coarse || capacity_for(n_rows, s->k));
	s->per_query = per_query_bytes(s->capacity, s->n_wanted);
	s->together = group_size(request->n_queries, s->capacity, s->per_query);
	s->prefetch = n_code_bytes > lanewise_l2_cache_bytes();
	s->topk = memory;
	memory += aligned(lanewise_topk_scratch_size(s->n_wanted));
	s->waiting = (uint64_t *)(void *)memory;
	memory += aligned((s->capacity + BLOCK) * sizeof(uint64_t));
	s->rotated = (float *)(void *)memory;
	memory += aligned(index->dim * sizeof(float));
	s->panel = (float *)(void *)memory;
	memory += panel_bytes(s->together, index->dim);
	if (s->capacity && s->together >= MANY_QUERIES) {
		size_t panel = aligned(lw_i8_panel_bytes(s->together, index->code_dim));

		s->code_panels[0] = memory;
		s->code_panels[1] = memory + panel;
		s->found = (struct lw_i8_found *)(void *)(memory + 2 * panel);
		memory += above_bytes(s->together, index->code_dim);
	}
	for (size_t segment = 0; lw_index_first(segment) < index->n_rows; segment++)
		s->uses[index->segments[segment].is_rotated] = 1;
	return memory;
}

static lanewise_status check_request(const lanewise_index *index, const lanewise_index_request *r)
{
	if (!index || r->k == 0 || r->query_ld < index->dim || r->threshold != r->threshold)
		return LANEWISE_ERROR_ARGUMENT;
	if (r->n_queries && (!r->queries || !r->scratch || (uintptr_t)r->scratch % LW_SCRATCH_ALIGNMENT))
		return LANEWISE_ERROR_ARGUMENT;
	if (r->k > UINT32_MAX || r->n_queries > SIZE_MAX / sizeof(float) / r->k ||
	    r->n_queries > SIZE_MAX / sizeof(float) / r->query_ld)
		return LANEWISE_ERROR_TOO_LARGE;
	return LANEWISE_OK;
}

static lanewise_status check_candidates(const lanewise_index *index, const lanewise_index_request *r)
{
	if (!index->has_coarse || r->n_candidates < r->k)
		return LANEWISE_ERROR_ARGUMENT;
	return r->n_candidates > UINT32_MAX ? LANEWISE_ERROR_TOO_LARGE : LANEWISE_OK;
}

static lanewise_status check_outputs(const lanewise_index_request *r, const uint32_t *row, const float *score,
                                     const size_t *n_found)
{
	return r->n_queries && (!row || !score || !n_found) ? LANEWISE_ERROR_ARGUMENT : LANEWISE_OK;
}

/* What both searches do. */
static lanewise_status search_all(const lanewise_index *index, const lanewise_index_request *r, uint32_t *row,
                                  float *score, size_t *n_found, lanewise_index_work *work)
{
	struct query group[GROUP];
	struct search s;

	if (work)
		work->n_rescored = work->n_full_scans = 0;
	if (r->n_queries == 0)
		return LANEWISE_OK;

	unsigned char *memory = set_up(&s, index, r, 0, index->n_rows, r->scratch);

	s.work = work;
	for (size_t first = 0; first < r->n_queries; first += s.together) {
		size_t n = smaller(r->n_queries - first, s.together);
		struct results to = { row + first * r->k, score + first * r->k, n_found + first, r->k };
		unsigned char *reservoirs = filter_group(&s, memory, r->queries + first * r->query_ld, n, group);

		scan_for_group(&s, group, n, reservoirs);
		for (size_t j = 0; j < n; j++)
			finish_query(&s, &group[j], reservoirs + j * s.per_query, &to, j);
	}
	return LANEWISE_OK;
}

lanewise_status lanewise_index_search(const lanewise_index *index, const float *queries, size_t n_queries,
                                      size_t query_ld, size_t k, float threshold, const uint64_t *filter, void *scratch,
                                      uint32_t *row, float *score, size_t *n_found, lanewise_index_work *work)
{
	const lanewise_index_request request = { sizeof request, queries, n_queries, query_ld, k, 0,
		                                 threshold,      filter,  1,         scratch };
	lanewise_status status = check_request(index, &request);

	if (!status)
		status = check_outputs(&request, row, score, n_found);
	if (!status && work && work->struct_size != sizeof *work)
		status = LANEWISE_ERROR_ARGUMENT;
	return status ? status : search_all(index, &request, row, score, n_found, work);
}

lanewise_status lanewise_index_search_coarse(const lanewise_index *index, const float *queries, size_t n_queries,
                                             size_t query_ld, size_t k, size_t n_candidates, float threshold,
                                             const uint64_t *filter, void *scratch, uint32_t *row, float *score,
                                             size_t *n_found, lanewise_index_work *work)
{
	const lanewise_index_request request = { sizeof request, queries,   n_queries, query_ld, k,
		                                 n_candidates,   threshold, filter,    1,        scratch };
	lanewise_status status = check_request(index, &request);

	if (!status)
		status = check_candidates(index, &request);
	if (!status)
		status = check_outputs(&request, row, score, n_found);
	if (!status && work && work->struct_size != sizeof *work)
		status = LANEWISE_ERROR_ARGUMENT;
	return status ? status : search_all(index, &request, row, score, n_found, work);
}

/* ---------------------------------------------------------------- in parts */

/*
 * What a part leaves behind its scratch, for every query: results, or in a coarse search candidates, of which `score` has the
 * estimates. `places` of them, of which there are never more: of results at most k or all of the part's rows; candidates are
 * at most half a reservoir (settle).
 */
struct part {
	size_t *n;
	int32_t *is_done; /* results and not candidates */
	float *tied;      /* that of struct query */
	uint32_t *row;
	float *score;
};

/* Every part but the last has so many rows, so that a block is in one part. */
static size_t rows_of_part(const lanewise_index *index, size_t n_parts)
{
	size_t n_blocks = (index->n_rows + BLOCK - 1) / BLOCK;

	return (n_blocks / n_parts + (n_blocks % n_parts != 0)) * BLOCK;
}

static size_t places_of_part(const lanewise_index *index, size_t n_parts, size_t k)
{
	size_t effective = effective_k(index, k);

	return larger(smaller(effective, rows_of_part(index, n_parts)), capacity_for(index->n_rows, effective) / 2);
}

/* Bytes of a part, or 0 if they are too many. */
static size_t part_bytes(const lanewise_index *index, size_t n_parts, size_t n_queries, size_t k)
{
	size_t scratch = aligned(lanewise_index_scratch_size(index, n_queries, k));
	size_t places = places_of_part(index, n_parts, k);
	size_t per_query =
	        sizeof(size_t) + sizeof(int32_t) + sizeof(float) + places * (sizeof(uint32_t) + sizeof(float));

	if (scratch == 0 || n_queries > (SIZE_MAX / 2 - scratch) / per_query)
		return 0;
	return scratch + aligned(n_queries * per_query);
}

size_t lanewise_index_parts_scratch_size(const lanewise_index *index, size_t n_parts, size_t n_queries, size_t k)
{
	if (!index || n_parts == 0 || k == 0 || k > UINT32_MAX)
		return 0;

	size_t bytes = part_bytes(index, n_parts, n_queries, k);

	return bytes == 0 || bytes + sizeof(struct lw_part) > SIZE_MAX / n_parts
	               ? 0
	               : n_parts * (bytes + sizeof(struct lw_part));
}

/* The scratch of part number `at`, and where in it its results are. */
static unsigned char *part_of(const lanewise_index *index, const lanewise_index_request *r, size_t at,
                              struct part *part)
{
	size_t k = r->n_candidates ? r->n_candidates : r->k, n = r->n_queries;
	unsigned char *scratch = (unsigned char *)r->scratch + at * part_bytes(index, r->n_parts, n, k);

	part->n = (size_t *)(void *)(scratch + aligned(lanewise_index_scratch_size(index, n, k)));
	part->is_done = (int32_t *)(void *)(part->n + n);
	part->tied = (float *)(void *)(part->is_done + n);
	part->row = (uint32_t *)(void *)(part->tied + n);
	part->score = (float *)(void *)(part->row + n * places_of_part(index, r->n_parts, k));
	return scratch;
}

static struct results results_of_part(const lanewise_index *index, const lanewise_index_request *r,
                                      const struct part *part, size_t first_query)
{
	size_t ld = places_of_part(index, r->n_parts, r->n_candidates ? r->n_candidates : r->k);

	return (struct results) { part->row + first_query * ld, part->score + first_query * ld, part->n + first_query,
		                  ld };
}

/* A search of a part's rows, or of none if there are fewer blocks than parts. */
static unsigned char *set_up_part(struct search *s, const lanewise_index *index, const lanewise_index_request *r,
                                  size_t at, void *scratch)
{
	size_t rows = rows_of_part(index, r->n_parts),
	       first = rows && at > index->n_rows / rows ? index->n_rows : at * rows;

	return set_up(s, index, r, first, smaller(first + rows, index->n_rows), scratch);
}

static void keep_candidates(const struct query *q, const struct results *to, size_t j)
{
	memcpy(to->row + j * to->ld, q->row, q->n * sizeof *q->row);
	memcpy(to->score + j * to->ld, q->upper, q->n * sizeof *q->upper);
	to->n_found[j] = q->n;
}

static lanewise_status check_parts(const lanewise_index *index, const lanewise_index_request *r)
{
	lanewise_status status;

	if (!r || r->struct_size != sizeof *r || r->n_parts == 0)
		return LANEWISE_ERROR_ARGUMENT;
	status = check_request(index, r);
	return !status && r->n_candidates ? check_candidates(index, r) : status;
}

lanewise_status lanewise_index_search_part(const lanewise_index *index, const lanewise_index_request *r, size_t at)
{
	lanewise_status status = check_parts(index, r);
	struct query group[GROUP];
	struct search s;
	struct part part;

	if (!status && at >= r->n_parts)
		status = LANEWISE_ERROR_ARGUMENT;
	if (status || r->n_queries == 0)
		return status;

	unsigned char *scratch = part_of(index, r, at, &part), *memory = set_up_part(&s, index, r, at, scratch);

	for (size_t first = 0; first < r->n_queries; first += s.together) {
		size_t n = smaller(r->n_queries - first, s.together);
		struct results to = results_of_part(index, r, &part, first);
		unsigned char *reservoirs = filter_group(&s, memory, r->queries + first * r->query_ld, n, group);

		scan_for_group(&s, group, n, reservoirs);
		for (size_t j = 0; j < n; j++) {
			part.is_done[first + j] = !s.is_coarse || group[j].scans_all;
			part.tied[first + j] = group[j].tied;
			if (part.is_done[first + j])
				finish_query(&s, &group[j], reservoirs + j * s.per_query, &to, j);
			else
				keep_candidates(&group[j], &to, j);
		}
	}
	return LANEWISE_OK;
}

/* Candidates of all parts of a coarse search into the query's reservoir, as if they had all come one after another. */
static void join_candidates(const struct search *s, const lanewise_index_request *r, size_t j, struct query *q)
{
	struct part part;

	for (size_t at = 0; at < r->n_parts; at++) {
		part_of(s->index, r, at, &part);
		if (part.tied[j] > q->tied)
			q->tied = part.tied[j];
	}
	if (q->tied > -INFINITY)
		q->bound = next_above(q->tied);
	for (size_t at = 0; at < r->n_parts; at++) {
		part_of(s->index, r, at, &part);

		struct results from = results_of_part(s->index, r, &part, j);

		for (size_t i = 0; i < *from.n_found && !q->scans_all; i++) {
			float estimate = from.score[i];

			if (!(estimate >= q->bound))
				continue;
			q->upper[q->n] = estimate;
			q->lower[q->n] = estimate < INFINITY ? estimate : -INFINITY;
			q->row[q->n++] = from.row[i];
			if (q->n > q->limit)
				make_room(s, q);
		}
	}
	settle(s, q);
}

/* A part's results for a query, where it has only candidates: all its rows are read. */
static void finish_part(const lanewise_index *index, const lanewise_index_request *r, size_t j, size_t at)
{
	struct part part;
	struct search s;
	struct query q = { .values = r->queries + j * r->query_ld, .scans_all = 1 };

	part_of(index, r, at, &part);
	if (part.is_done[j])
		return;

	unsigned char *memory = set_up_part(&s, index, r, at, r->scratch);
	struct results to = results_of_part(index, r, &part, j);

	scan_all(&s, q.values, 1, memory);
	finish_query(&s, &q, memory, &to, 0);
}

/* Query j, of which the parts have candidates. Returns 0 if it has to read all rows. */
static int join_coarse(const lanewise_index *index, const lanewise_index_request *r, size_t j, const struct results *to)
{
	struct search s;
	struct query q;
	struct part part;

	for (size_t at = 0; at < r->n_parts; at++) {
		part_of(index, r, at, &part);
		if (part.is_done[j])
			return 0;
	}

	unsigned char *memory = set_up(&s, index, r, 0, index->n_rows, r->scratch);

	s.codes[0] = (int8_t *)memory;
	s.codes[1] = s.codes[0] + s.query_dim;
	lay_out_query(&s, &q, memory + 2 * s.query_dim);
	begin_query(&s, &q, r->queries + j * r->query_ld, 0);
	join_candidates(&s, r, j, &q);
	if (!q.scans_all)
		finish_query(&s, &q, NULL, to, j);
	return !q.scans_all;
}

lanewise_status lanewise_index_search_join(const lanewise_index *index, const lanewise_index_request *r, uint32_t *row,
                                           float *score, size_t *n_found)
{
	lanewise_status status = check_parts(index, r);
	struct results to = { row, score, n_found, r ? r->k : 0 };

	if (!status)
		status = check_outputs(r, row, score, n_found);
	if (status || r->n_queries == 0)
		return status;

	struct part part;
	struct lw_part *parts = (struct lw_part *)(void *)part_of(index, r, r->n_parts, &part);

	for (size_t j = 0; j < r->n_queries; j++) {
		if (r->n_candidates && join_coarse(index, r, j, &to))
			continue;
		for (size_t at = 0; at < r->n_parts; at++) {
			finish_part(index, r, j, at);
			part_of(index, r, at, &part);

			struct results from = results_of_part(index, r, &part, j);

			parts[at] = (struct lw_part) { from.row, from.score, *from.n_found };
		}
		n_found[j] = lw_merge_parts(parts, r->n_parts, effective_k(index, r->k),
		                            index->metric == LANEWISE_METRIC_L2SQ ? -1 : 1, row + j * r->k,
		                            score + j * r->k);
	}
	return LANEWISE_OK;
}
