/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/pairs.h: groups of rows meet blocks of rows in the many-queries kernels, whose scores are then looked
 * through. Scores do not depend on which row is the query: products and sums of squares commute.
 */
#include <lanewise/pairs.h>
#include <lanewise/topk.h>

#include <math.h>

#include "common.h"
#include "sort_pairs.h"

enum {
	GROUP = 48,
	BLOCK = 128,                /* rows that a group meets at a time */
	BARE_GROUP = 32,            /* where there is no scratch and the panel lies on the stack, */
	BARE_FLOATS = 32 * 384 + 16 /* 48 KiB of it */
};

/* A set of rows and how they are compared; what the kernels need. */
struct set {
	const float *rows;
	size_t n_rows, dim, ld;
	lanewise_metric metric;
	float threshold;
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static int is_metric(lanewise_metric metric)
{
	return metric == LANEWISE_METRIC_DOT || metric == LANEWISE_METRIC_COSINE || metric == LANEWISE_METRIC_L2SQ;
}

static int overflows(size_t n_rows, size_t ld) { return ld && n_rows > SIZE_MAX / sizeof(float) / ld; }

/* Kernels add offsets, which C allows to no NULL; nothing is read from this. */
static const float *rows_or_nothing(const float *rows)
{
	static const float nothing;

	return rows ? rows : &nothing;
}

/* Scores of n_queries <= GROUP queries with n rows. */
static void score_block(lanewise_metric metric, const float *queries, size_t n_queries, size_t query_ld,
                        const float *rows, size_t n, size_t dim, size_t ld, struct lw_f32_panel *panel, float *out,
                        size_t out_ld)
{
	const struct lw_kernels *kernels = lw_kernels();

	if (metric == LANEWISE_METRIC_DOT)
		kernels->dot_f32_queries(queries, n_queries, query_ld, rows, n, dim, ld, 1, panel, out, out_ld);
	else if (metric == LANEWISE_METRIC_COSINE)
		kernels->cosine_f32_queries(queries, n_queries, query_ld, rows, n, dim, ld, 1, panel, out, out_ld);
	else
		kernels->l2sq_f32_queries(queries, n_queries, query_ld, rows, n, dim, ld, 1, panel, out, out_ld);
}

static int reaches(const struct set *s, float score)
{
	return s->metric == LANEWISE_METRIC_L2SQ ? score <= s->threshold : score >= s->threshold;
}

static lanewise_status check_set(const struct set *s)
{
	if ((!s->rows && s->n_rows && s->dim) || s->ld < s->dim || !is_metric(s->metric) ||
	    s->threshold != s->threshold)
		return LANEWISE_ERROR_ARGUMENT;
	if (s->n_rows > UINT32_MAX || overflows(s->n_rows, s->ld))
		return LANEWISE_ERROR_TOO_LARGE;
	return LANEWISE_OK;
}

/* ------------------------------------------------------------------ matrix */

/* From above the diagonal to below it. */
static void mirror(float *out, size_t out_ld, size_t first_row, size_t n_rows, size_t first_column, size_t n_columns)
{
	for (size_t column = first_column; column < first_column + n_columns; column++) {
		size_t end = smaller(first_row + n_rows, column);

		for (size_t row = first_row; row < end; row++)
			out[column * out_ld + row] = out[row * out_ld + column];
	}
}

lanewise_status lanewise_similarity_f32(const float *a, size_t n_a, size_t a_ld, const float *b, size_t n_b,
                                        size_t b_ld, size_t dim, lanewise_metric metric, float *out, size_t out_ld)
{
	if ((!a && n_a && dim) || (!b && n_b && dim) || (!out && n_a && n_b) || a_ld < dim || b_ld < dim ||
	    out_ld < n_b || !is_metric(metric))
		return LANEWISE_ERROR_ARGUMENT;
	if (overflows(n_a, a_ld) || overflows(n_b, b_ld) || overflows(n_a, out_ld))
		return LANEWISE_ERROR_TOO_LARGE;
	if (n_a == 0 || n_b == 0)
		return LANEWISE_OK;
	a = rows_or_nothing(a);
	b = rows_or_nothing(b);

	int is_symmetric = a == b && n_a == n_b && a_ld == b_ld;

	for (size_t i = 0; i < n_a; i += BARE_GROUP) {
		float floats[BARE_FLOATS];
		struct lw_f32_panel panel = { floats, BARE_FLOATS, 0 };
		size_t n_rows = smaller(n_a - i, BARE_GROUP);

		/* Of a symmetric matrix nothing left of the block with the diagonal. */
		for (size_t j = is_symmetric ? i / BLOCK * BLOCK : 0; j < n_b; j += BLOCK) {
			size_t n_columns = smaller(n_b - j, BLOCK);

			score_block(metric, a + i * a_ld, n_rows, a_ld, b + j * b_ld, n_columns, dim, b_ld, &panel,
			            out + i * out_ld + j, out_ld);
			if (is_symmetric)
				mirror(out, out_ld, i, n_rows, j, n_columns);
		}
	}
	return LANEWISE_OK;
}

/* ------------------------------------------------------------------- pairs */

/*
 * All pairs of the rows first ... first + n - 1 with later ones, unsorted. Returns how many there are; those beyond
 * `room` are not stored, and unless they are only counted it gives up at the first of them.
 */
static size_t pairs_of_group(const struct set *s, size_t first, size_t n, lanewise_pair *pairs, size_t room)
{
	float scores[BARE_GROUP * BLOCK], floats[BARE_FLOATS];
	struct lw_f32_panel panel = { floats, BARE_FLOATS, 0 };
	size_t found = 0;

	for (size_t j = first + 1; j < s->n_rows; j += BLOCK) {
		size_t n_others = smaller(s->n_rows - j, BLOCK);

		score_block(s->metric, s->rows + first * s->ld, n, s->ld, s->rows + j * s->ld, n_others, s->dim, s->ld,
		            &panel, scores, n_others);
		for (size_t q = 0; q < n; q++)
			for (size_t r = first + q < j ? 0 : first + q + 1 - j; r < n_others; r++) {
				if (LW_LIKELY(!reaches(s, scores[q * n_others + r])))
					continue;
				if (pairs && found == room)
					return found + 1;
				if (pairs)
					pairs[found] = (lanewise_pair) { (uint32_t)(first + q), (uint32_t)(j + r),
						                         scores[q * n_others + r] };
				found++;
			}
	}
	return found;
}

/* The pairs of row `first` with rows from *second on, in order, until they are all there or there is no more room. */
static size_t pairs_of_row(const struct set *s, size_t first, size_t *second, lanewise_pair *pairs, size_t room)
{
	float scores[BLOCK];
	size_t found = 0;

	while (*second < s->n_rows) {
		size_t begin = *second, n = smaller(s->n_rows - begin, BLOCK);

		score_block(s->metric, s->rows + first * s->ld, 1, s->ld, s->rows + begin * s->ld, n, s->dim, s->ld,
		            NULL, scores, n);
		for (size_t r = 0; r < n; r++) {
			*second = begin + r;
			if (!reaches(s, scores[r]))
				continue;
			if (pairs && found == room)
				return found;
			if (pairs)
				pairs[found] = (lanewise_pair) { (uint32_t)first, (uint32_t)(begin + r), scores[r] };
			found++;
		}
		*second = begin + n;
	}
	return found;
}

/* Moves on row by row until the rows or the room end; 0 in the latter case. */
static int go_by_rows(const struct set *s, size_t end, lanewise_pairs_position *at, lanewise_pair *pairs,
                      size_t capacity, size_t *n_pairs)
{
	while (at->first < end) {
		size_t n = *n_pairs;

		if (at->second <= at->first)
			at->second = at->first + 1;
		*n_pairs += pairs_of_row(s, at->first, &at->second, pairs ? pairs + n : NULL, capacity - n);
		if (at->second < s->n_rows)
			return 0;
		at->first++;
		at->second = 0;
	}
	return 1;
}

lanewise_status lanewise_pairs_f32(const float *rows, size_t n_rows, size_t dim, size_t ld, lanewise_metric metric,
                                   float threshold, lanewise_pairs_position *position, lanewise_pair *pairs,
                                   size_t capacity, size_t *n_pairs)
{
	const struct set s = { rows_or_nothing(rows), n_rows, dim, ld, metric, threshold };
	lanewise_status status = check_set(&(struct set) { rows, n_rows, dim, ld, metric, threshold });

	if (!position || !n_pairs || (pairs && capacity == 0))
		return LANEWISE_ERROR_ARGUMENT;
	if (status)
		return status;
	*n_pairs = 0;
	/* What a call before left of a row. */
	if (position->second &&
	    !go_by_rows(&s, smaller(n_rows, position->first + 1), position, pairs, capacity, n_pairs))
		return LANEWISE_OK;
	while (position->first < n_rows) {
		size_t first = position->first, n = smaller(n_rows - first, BARE_GROUP), room = capacity - *n_pairs;
		lanewise_pair *rest = pairs ? pairs + *n_pairs : NULL;
		size_t found = pairs_of_group(&s, first, n, rest, room);

		if (pairs && found > room) {
			/* Not all of the group fit: only row by row can one stop in between. */
			go_by_rows(&s, first + n, position, pairs, capacity, n_pairs);
			return LANEWISE_OK;
		}
		if (pairs)
			lw_sort_pairs(rest, found);
		*n_pairs += found;
		position->first += n;
	}
	position->first = n_rows;
	position->second = 0;
	return LANEWISE_OK;
}

/* ------------------------------------------------------------------- dedup */

static size_t gathered_floats(size_t dim) { return (dim ? dim : 1) * BLOCK; }

size_t lanewise_dedup_rows_scratch_size(size_t dim)
{
	size_t panel = lw_f32_panel_floats(GROUP, dim);

	return dim > (SIZE_MAX / sizeof(float) - panel) / BLOCK ? 0 : (gathered_floats(dim) + panel) * sizeof(float);
}

/* A group of rows under judgement. */
struct judged {
	size_t first, n, n_open; /* open: no duplicate so far */
	uint32_t *original;      /* of all rows; for an open one its own number */
	struct lw_f32_panel panel;
};

static void find_originals(const struct set *s, struct judged *g, const float *rows, size_t ld, const uint32_t *numbers,
                           size_t n)
{
	float scores[GROUP * BLOCK];

	score_block(s->metric, s->rows + g->first * s->ld, g->n, s->ld, rows, n, s->dim, ld, &g->panel, scores, n);
	for (size_t q = 0; q < g->n; q++)
		for (size_t r = 0; r < n && g->original[g->first + q] == g->first + q; r++)
			if (reaches(s, scores[q * n + r])) {
				g->original[g->first + q] = numbers[r];
				g->n_open--;
			}
}

/* Against all rows before the group that can make others duplicates: gathered, if not a whole block of them can. */
static void judge_by_earlier(const struct set *s, struct judged *g, lanewise_dedup_rule rule, float *gathered)
{
	uint32_t numbers[BLOCK];

	for (size_t j = 0; j < g->first && g->n_open > 0;) {
		size_t n = 0, begin = j;

		for (; j < g->first && n < BLOCK; j++)
			if (rule == LANEWISE_DEDUP_TRANSITIVE || g->original[j] == j)
				numbers[n++] = (uint32_t)j;
		if (n == 0)
			return;
		if (n == j - begin) {
			find_originals(s, g, s->rows + begin * s->ld, s->ld, numbers, n);
			continue;
		}
		for (size_t i = 0; s->dim && i < n; i++)
			memcpy(gathered + i * s->dim, s->rows + numbers[i] * s->ld, s->dim * sizeof *gathered);
		find_originals(s, g, gathered, s->dim, numbers, n);
	}
}

/* Against each other, in order. */
static void judge_among_themselves(const struct set *s, struct judged *g, lanewise_dedup_rule rule)
{
	const float *rows = s->rows + g->first * s->ld;
	float scores[GROUP * GROUP];

	score_block(s->metric, rows, g->n, s->ld, rows, g->n, s->dim, s->ld, &g->panel, scores, GROUP);
	for (size_t q = 1; q < g->n; q++)
		for (size_t r = 0; r < q && g->original[g->first + q] == g->first + q; r++)
			if ((rule == LANEWISE_DEDUP_TRANSITIVE || g->original[g->first + r] == g->first + r) &&
			    reaches(s, scores[q * GROUP + r])) {
				g->original[g->first + q] = (uint32_t)(g->first + r);
				g->n_open--;
			}
}

lanewise_status lanewise_dedup_rows_f32(const float *rows, size_t n_rows, size_t dim, size_t ld, lanewise_metric metric,
                                        float threshold, lanewise_dedup_rule rule, void *scratch, uint32_t *original,
                                        size_t *n_kept)
{
	const struct set s = { rows_or_nothing(rows), n_rows, dim, ld, metric, threshold };
	lanewise_status status = check_set(&(struct set) { rows, n_rows, dim, ld, metric, threshold });
	struct lw_f32_panel panel = { NULL, lw_f32_panel_floats(GROUP, dim), 0 };
	size_t kept = 0;

	if ((rule != LANEWISE_DEDUP_KEPT && rule != LANEWISE_DEDUP_TRANSITIVE) ||
	    (n_rows && (!original || !scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT)))
		return LANEWISE_ERROR_ARGUMENT;
	if (status)
		return status;
	for (size_t first = 0; first < n_rows; first += GROUP) {
		size_t n = smaller(n_rows - first, GROUP);

		panel.floats = (float *)scratch + gathered_floats(dim);

		struct judged g = { first, n, n, original, panel };

		for (size_t r = first; r < first + n; r++)
			original[r] = (uint32_t)r;
		judge_by_earlier(&s, &g, rule, scratch);
		if (g.n_open > 0)
			judge_among_themselves(&s, &g, rule);
		kept += g.n_open;
	}
	if (n_kept)
		*n_kept = kept;
	return LANEWISE_OK;
}

/* -------------------------------------------------------------- neighbours */

static size_t selection_bytes(size_t k) { return lanewise_scan_topk_queries_scratch_size(1, k); }

size_t lanewise_neighbours_scratch_size(size_t k) { return lanewise_scan_topk_queries_scratch_size(GROUP, k); }

/* Where neighbours_scratch_size has the scores and the panel of a search. */
static struct lw_f32_panel panel_of_neighbours(void *scratch, size_t k)
{
	float *floats = (float *)(void *)((unsigned char *)scratch + GROUP * selection_bytes(k));

	return (struct lw_f32_panel) { floats, lw_f32_panel_floats(GROUP, LW_F32_PANEL_DIM), 0 };
}

static lanewise_topk *selection(void *scratch, size_t q, size_t k)
{
	return (lanewise_topk *)(void *)((unsigned char *)scratch + q * selection_bytes(k));
}

static void select_in_block(const struct set *s, size_t first, size_t n, size_t j, size_t k, struct lw_f32_panel *panel,
                            void *scratch)
{
	float scores[GROUP * BLOCK];
	size_t n_others = smaller(s->n_rows - j, BLOCK);

	score_block(s->metric, s->rows + first * s->ld, n, s->ld, s->rows + j * s->ld, n_others, s->dim, s->ld, panel,
	            scores, n_others);
	for (size_t i = 0; s->metric == LANEWISE_METRIC_L2SQ && i < n * n_others; i++)
		scores[i] = -scores[i];
	for (size_t q = 0; q < n; q++) {
		float *own = scores + q * n_others;

		if (first + q >= j && first + q - j < n_others)
			own[first + q - j] = NAN;
		lanewise_topk_push_f32(selection(scratch, q, k), own, n_others, (uint32_t)j);
	}
}

lanewise_status lanewise_neighbours_f32(const float *rows, size_t n_rows, size_t dim, size_t ld, lanewise_metric metric,
                                        size_t first, size_t n, size_t k, void *scratch, uint32_t *neighbour,
                                        float *score, size_t *n_found)
{
	const struct set s = { rows_or_nothing(rows), n_rows, dim, ld, metric, 0 };
	lanewise_status status = check_set(&(struct set) { rows, n_rows, dim, ld, metric, 0 });

	if (first > n_rows || n > n_rows - first || k == 0 ||
	    (n && (!scratch || !neighbour || !score || !n_found || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT)))
		return LANEWISE_ERROR_ARGUMENT;
	if (status)
		return status;
	if (k > UINT32_MAX || n > SIZE_MAX / sizeof(float) / k)
		return LANEWISE_ERROR_TOO_LARGE;
	for (size_t i = 0; i < n; i += GROUP) {
		size_t n_queries = smaller(n - i, GROUP);
		struct lw_f32_panel panel = panel_of_neighbours(scratch, k);

		for (size_t q = 0; q < n_queries; q++)
			lanewise_topk_begin(selection(scratch, q, k), k, -INFINITY);
		for (size_t j = 0; j < n_rows; j += BLOCK)
			select_in_block(&s, first + i, n_queries, j, k, &panel, scratch);
		for (size_t q = 0; q < n_queries; q++) {
			float *out = score + (i + q) * k;

			n_found[i + q] = lanewise_topk_finish(selection(scratch, q, k), neighbour + (i + q) * k, out);
			for (size_t r = 0; metric == LANEWISE_METRIC_L2SQ && r < n_found[i + q]; r++)
				out[r] = 0.0f - out[r];
		}
	}
	return LANEWISE_OK;
}
