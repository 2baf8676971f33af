/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PageRank over rows in groups of sixteen, a layout known as sliced ELLPACK (Kreutzer et al., "A unified sparse matrix
 * data format", 2014).
 *
 * Rows hold the edges *to* a node. They are sorted by length, so that sixteen neighbours are about equally long; the
 * kernel sums them side by side, a row per lane, each in its own order, so the width shows in no result. Shorter rows
 * are filled up with entries that name an element which is always 0. Lengths fall from group to group, so all the filling
 * together is at most sixteen times the longest row; rows so long that this would matter, of which there can only be
 * few, are kept apart ("thin" rows) and summed one by one.
 *
 * The elements that the rows name lie in an order of their own, those of nodes with most edges first: they are needed
 * most, and so share few cache lines. This is half of what the layout gains on graphs with hubs.
 *
 * An iteration goes through blocks of rows: the kernel sums them, then the ranks of the block, all arrays in order of
 * rows, are renewed, and each node's share for its edges goes to its place among the elements of the next iteration.
 */
#include "graph/graph.h"

#include <math.h>
#include <string.h>

#include "dispatch.h"

enum { LANES = 16, BLOCK = 4096, BLOCK_GROUPS = BLOCK / LANES, PARTS = 8, VECTORS = 16 };

struct lanewise_pagerank {
	lanewise_allocator allocator; /* a copy; `allocate` NULL for the C library's */
	uint32_t n, n_groups, n_thin; /* n_thin: groups at the front that are kept as thin rows */
	size_t n_entries;
	uint32_t *node;     /* [row] the node whose edges it holds */
	uint32_t *place;    /* [row] where that node's element lies */
	double *factor;     /* [row] what its rank is multiplied by to give its element; 0 if it is lost */
	size_t *thin_begin; /* [16 * n_thin + 1] the entries of each thin row */
	size_t *offset;     /* [n_groups + 1] steps of 16 entries; those of thin groups are not used */
	uint32_t *column;   /* [n_entries] */
	double *weight;     /* [n_entries] or NULL */
};

/* --------------------------------------------------------------- creation */

static size_t at_least_one(size_t n) { return n ? n : 1; }

/* Nodes 0 ... n - 1 by descending key, equal ones ascending, into `sorted`; `other` is working memory, both n long. */
static void sort_descending(const uint32_t *key, uint32_t n, uint32_t *sorted, uint32_t *other)
{
	enum { BITS = 11, BUCKETS = 1 << BITS, PASSES = 3 };

	for (uint32_t u = 0; u < n; u++)
		other[u] = u;
	for (int pass = 0; pass < PASSES; pass++) {
		uint32_t count[BUCKETS + 1] = { 0 };
		int shift = pass * BITS;
		const uint32_t *from = pass % 2 ? sorted : other;
		uint32_t *to = pass % 2 ? other : sorted;

		for (uint32_t i = 0; i < n; i++)
			count[(~key[i] >> shift & (BUCKETS - 1)) + 1]++;
		for (int b = 0; b < BUCKETS; b++)
			count[b + 1] += count[b];
		for (uint32_t i = 0; i < n; i++)
			to[count[~key[from[i]] >> shift & (BUCKETS - 1)]++] = from[i];
	}
}

/* What is needed only while the layout is made: four arrays of n. */
struct making {
	uint32_t *in_degree, *out_degree, *by_out_degree, *other;
	uint32_t *memory;
	size_t *cursor; /* [node] where its row's next entry goes */
	double *total;  /* [node] the sum of its weights, or NULL */
};

static void release_making(const lanewise_allocator *allocator, struct making *m, uint32_t n)
{
	lw_release(allocator, m->memory, 4 * at_least_one(n) * sizeof *m->memory);
	lw_release(allocator, m->cursor, at_least_one(n) * sizeof *m->cursor);
	lw_release(allocator, m->total, at_least_one(n) * sizeof *m->total);
}

static lanewise_status sum_weights(const lanewise_graph *graph, double *total, lanewise_error *error)
{
	for (uint32_t u = 0; u < graph->n_nodes; u++) {
		total[u] = 0;
		for (uint32_t i = graph->offset[u]; i < graph->offset[u + 1]; i++)
			total[u] += graph->weight[i];
		if (isinf(total[u]))
			return lw_fail(error, LANEWISE_ERROR_DATA, u, "node %lu: the sum of its weights is infinite",
			               (unsigned long)u);
	}
	return LANEWISE_OK;
}

static lanewise_status allocate_making(const lanewise_allocator *allocator, uint32_t n, int weighted, struct making *m)
{
	memset(m, 0, sizeof *m);
	m->memory = lanewise_graph_allocate(allocator, 4 * at_least_one(n) * sizeof *m->memory);
	m->cursor = lanewise_graph_allocate(allocator, at_least_one(n) * sizeof *m->cursor);
	if (weighted)
		m->total = lanewise_graph_allocate(allocator, at_least_one(n) * sizeof *m->total);
	if (!m->memory || !m->cursor || (weighted && !m->total))
		return LANEWISE_ERROR_NO_MEMORY;
	m->in_degree = m->memory;
	m->out_degree = m->memory + n;
	m->by_out_degree = m->memory + 2 * (size_t)n;
	m->other = m->memory + 3 * (size_t)n;
	return LANEWISE_OK;
}

/* Rows, places, factors: all that is there per node. */
static void arrange_nodes(const lanewise_graph *graph, lanewise_pagerank *p, struct making *m)
{
	uint32_t n = p->n;

	if (n)
		memset(m->in_degree, 0, n * sizeof *m->in_degree);
	lanewise_graph_count_in_edges(graph, m->in_degree);
	for (uint32_t u = 0; u < n; u++)
		m->out_degree[u] = graph->offset[u + 1] - graph->offset[u];
	sort_descending(m->in_degree, n, p->node, m->other);
	sort_descending(m->out_degree, n, m->by_out_degree, m->other);
	for (uint32_t i = 0; i < n; i++)
		m->other[m->by_out_degree[i]] = i;
	for (uint32_t row = 0; row < n; row++) {
		uint32_t u = p->node[row];

		p->place[row] = m->other[u];
		if (m->total)
			p->factor[row] = m->total[u] > 0 ? 1 : 0;
		else
			p->factor[row] = m->out_degree[u] ? 1.0 / m->out_degree[u] : 0;
	}
}

static uint32_t row_length(const lanewise_pagerank *p, const struct making *m, size_t row)
{
	return row < p->n ? m->in_degree[p->node[row]] : 0;
}

/* How many groups at the front are so long that filling them up would cost more than a quarter of all entries. */
static uint32_t count_thin_groups(const lanewise_graph *graph, const lanewise_pagerank *p, const struct making *m)
{
	uint64_t limit = (uint64_t)graph->n_edges / 4 + 4096;
	uint32_t g = 0;

	while (g < p->n_groups && (uint64_t)LANES * row_length(p, m, (size_t)LANES * g) > limit)
		g++;
	return g;
}

/* Where rows begin: first the thin ones, rounded up to whole steps, then the groups. */
static void place_rows(lanewise_pagerank *p, struct making *m)
{
	size_t at = 0;

	for (size_t row = 0; row < (size_t)LANES * p->n_thin; row++) {
		p->thin_begin[row] = at;
		if (row < p->n)
			m->cursor[p->node[row]] = at;
		at += row_length(p, m, row);
	}
	p->thin_begin[(size_t)LANES * p->n_thin] = at;
	at = (at + LANES - 1) / LANES;
	for (uint32_t g = 0; g < p->n_groups; g++) {
		p->offset[g] = at;
		if (g < p->n_thin)
			continue;
		for (size_t l = 0; l < LANES && (size_t)LANES * g + l < p->n; l++)
			m->cursor[p->node[(size_t)LANES * g + l]] = LANES * at + l;
		at += row_length(p, m, (size_t)LANES * g);
	}
	p->offset[p->n_groups] = at;
	p->n_entries = LANES * at;
}

/* Every edge to its place, sources by descending number of edges, so that rows list their elements in ascending order. */
static void fill_entries(const lanewise_graph *graph, lanewise_pagerank *p, struct making *m)
{
	size_t thin_end = p->thin_begin[(size_t)LANES * p->n_thin];

	for (size_t i = 0; i < p->n_entries; i++)
		p->column[i] = p->n;
	if (p->weight)
		memset(p->weight, 0, p->n_entries * sizeof *p->weight);
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t u = m->by_out_degree[i];

		for (uint32_t e = graph->offset[u]; e < graph->offset[u + 1]; e++) {
			size_t *cursor = &m->cursor[graph->target[e]], at = *cursor;

			*cursor += at < thin_end ? 1 : LANES;
			p->column[at] = i;
			if (p->weight)
				p->weight[at] = m->total[u] > 0 ? graph->weight[e] / m->total[u] : 0;
		}
	}
}

static lanewise_status allocate_rows(lanewise_pagerank *p, const lanewise_allocator *allocator)
{
	size_t n = at_least_one(p->n);

	p->node = lanewise_graph_allocate(allocator, n * sizeof *p->node);
	p->place = lanewise_graph_allocate(allocator, n * sizeof *p->place);
	p->factor = lanewise_graph_allocate(allocator, n * sizeof *p->factor);
	p->offset = lanewise_graph_allocate(allocator, ((size_t)p->n_groups + 1) * sizeof *p->offset);
	return p->node && p->place && p->factor && p->offset ? LANEWISE_OK : LANEWISE_ERROR_NO_MEMORY;
}

static lanewise_status allocate_entries(lanewise_pagerank *p, const lanewise_allocator *allocator, int weighted)
{
	if (p->n_entries > SIZE_MAX / sizeof *p->weight)
		return LANEWISE_ERROR_TOO_LARGE;
	p->column = lanewise_graph_allocate(allocator, at_least_one(p->n_entries) * sizeof *p->column);
	if (weighted)
		p->weight = lanewise_graph_allocate(allocator, at_least_one(p->n_entries) * sizeof *p->weight);
	return p->column && (!weighted || p->weight) ? LANEWISE_OK : LANEWISE_ERROR_NO_MEMORY;
}

static lanewise_status lay_out(const lanewise_graph *graph, lanewise_pagerank *p, struct making *m,
                               const lanewise_allocator *allocator)
{
	lanewise_status status = allocate_rows(p, allocator);

	if (status)
		return status;
	arrange_nodes(graph, p, m);
	p->n_thin = count_thin_groups(graph, p, m);
	p->thin_begin = lanewise_graph_allocate(allocator, ((size_t)LANES * p->n_thin + 1) * sizeof *p->thin_begin);
	if (!p->thin_begin)
		return LANEWISE_ERROR_NO_MEMORY;
	place_rows(p, m);
	status = allocate_entries(p, allocator, m->total != NULL);
	if (status == LANEWISE_OK)
		fill_entries(graph, p, m);
	return status;
}

lanewise_status lanewise_pagerank_create(const lanewise_graph *graph, int32_t use_weights,
                                         const lanewise_allocator *allocator, lanewise_pagerank **pagerank,
                                         lanewise_error *error)
{
	lanewise_pagerank *p;
	struct making m;
	lanewise_status status;
	int weighted;

	if (!graph || !pagerank)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "graph or pagerank is NULL");
	weighted = use_weights && graph->weight;
	p = lw_allocate(allocator, sizeof *p);
	if (!p)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "out of memory");
	memset(p, 0, sizeof *p);
	if (allocator)
		p->allocator = *allocator;
	p->n = graph->n_nodes;
	p->n_groups = (uint32_t)(((uint64_t)p->n + LANES - 1) / LANES);
	status = allocate_making(allocator, p->n, weighted, &m);
	if (status == LANEWISE_OK && weighted)
		status = sum_weights(graph, m.total, error);
	if (status == LANEWISE_OK)
		status = lay_out(graph, p, &m, allocator);
	release_making(allocator, &m, p->n);
	if (status == LANEWISE_OK) {
		*pagerank = p;
		return LANEWISE_OK;
	}
	lanewise_pagerank_destroy(p);
	return status == LANEWISE_ERROR_DATA
	               ? status
	               : lw_fail(error, status, LANEWISE_NO_OFFSET, "%s", lanewise_status_text(status));
}

void lanewise_pagerank_destroy(lanewise_pagerank *p)
{
	if (!p)
		return;

	lanewise_allocator copy = p->allocator;
	const lanewise_allocator *allocator = lw_graph_allocator(&copy);
	size_t n = at_least_one(p->n);

	lw_release(allocator, p->node, n * sizeof *p->node);
	lw_release(allocator, p->place, n * sizeof *p->place);
	lw_release(allocator, p->factor, n * sizeof *p->factor);
	lw_release(allocator, p->offset, ((size_t)p->n_groups + 1) * sizeof *p->offset);
	lw_release(allocator, p->thin_begin, ((size_t)LANES * p->n_thin + 1) * sizeof *p->thin_begin);
	lw_release(allocator, p->column, at_least_one(p->n_entries) * sizeof *p->column);
	lw_release(allocator, p->weight, at_least_one(p->n_entries) * sizeof *p->weight);
	lw_release(allocator, p, sizeof *p);
}

/* ---------------------------------------------------------------- running */

/*
 * `width` vectors side by side, 1 or 16: element i of vector j is at [i * width + j]. All functions below are inlined
 * with a constant width.
 */
struct run {
	const lanewise_pagerank *p;
	const double *wanted; /* [row] the personalisation, or NULL: 1 / n for all */
	double *rank;         /* [row] */
	double *x, *next;     /* [place], and an element that is 0 behind them */
	double *sums;         /* [BLOCK] */
	double damping;
	double teleport[VECTORS]; /* the factor of the personalisation in this iteration */
	double change[VECTORS], lost[VECTORS];
};

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE double fold(const double *parts, size_t stride)
{
	return ((parts[0] + parts[4 * stride]) + (parts[2 * stride] + parts[6 * stride])) +
	       ((parts[stride] + parts[5 * stride]) + (parts[3 * stride] + parts[7 * stride]));
}

ALWAYS_INLINE void sum_thin_rows(const lanewise_pagerank *p, size_t row, size_t end, const double *x, double *sums,
                                 size_t width)
{
	for (; row < end; row++, sums += width) {
		double sum[VECTORS] = { 0 };

		for (size_t i = p->thin_begin[row]; i < p->thin_begin[row + 1]; i++)
			for (size_t j = 0; j < width; j++) {
				double element = x[width * p->column[i] + j];

				sum[j] += p->weight ? p->weight[i] * element : element;
			}
		memcpy(sums, sum, width * sizeof *sum);
	}
}

ALWAYS_INLINE void sum_groups(const struct run *r, size_t begin, size_t end, size_t width)
{
	const lanewise_pagerank *p = r->p;
	size_t thin = p->n_thin < begin ? begin : p->n_thin > end ? end : p->n_thin;
	double *sums = r->sums + width * LANES * (thin - begin);

	sum_thin_rows(p, LANES * begin, LANES * thin, r->x, r->sums, width);
	if (width == 1)
		lw_kernels()->rank_sums_f64(p->column, p->weight, p->offset + thin, end - thin, r->x, sums);
	else
		lw_kernels()->rank_sums16_f64(p->column, p->weight, p->offset + thin, end - thin, r->x, sums);
}

/* From the sums of a block to its ranks and their elements, with the block's totals. */
ALWAYS_INLINE void renew_block(struct run *r, size_t begin, size_t end, size_t width)
{
	double change[PARTS * VECTORS] = { 0 }, lost[PARTS * VECTORS] = { 0 };
	const lanewise_pagerank *p = r->p;
	const double uniform = 1.0 / p->n;

	for (size_t row = begin; row < end; row++) {
		const double *sum = r->sums + width * (row - begin);
		double *rank = r->rank + width * row, *element = r->next + width * p->place[row];
		size_t part = width * ((row - begin) % PARTS);
		double factor = p->factor[row];

		for (size_t j = 0; j < width; j++) {
			double wanted = r->wanted ? r->wanted[width * row + j] : uniform;
			double renewed = r->damping * sum[j] + r->teleport[j] * wanted;

			change[part + j] += fabs(renewed - rank[j]);
			lost[part + j] += factor > 0 ? 0 : renewed;
			rank[j] = renewed;
			element[j] = renewed * factor;
		}
	}
	for (size_t j = 0; j < width; j++) {
		r->change[j] += fold(change + j, width);
		r->lost[j] += fold(lost + j, width);
	}
}

ALWAYS_INLINE void begin_run(struct run *r, size_t width)
{
	const lanewise_pagerank *p = r->p;
	const double uniform = 1.0 / p->n;

	memset(r->lost, 0, sizeof r->lost);
	for (size_t begin = 0; begin < p->n; begin += BLOCK) {
		size_t end = begin + BLOCK < p->n ? begin + BLOCK : p->n;
		double lost[PARTS] = { 0 };

		for (size_t row = begin; row < end; row++) {
			lost[(row - begin) % PARTS] += p->factor[row] > 0 ? 0 : uniform;
			for (size_t j = 0; j < width; j++) {
				r->rank[width * row + j] = uniform;
				r->x[width * p->place[row] + j] = uniform * p->factor[row];
			}
		}
		for (size_t j = 0; j < width; j++)
			r->lost[j] += fold(lost, 1);
	}
	for (size_t j = 0; j < width; j++)
		r->x[width * p->n + j] = r->next[width * p->n + j] = 0;
}

ALWAYS_INLINE void iterate(struct run *r, int32_t dangling, size_t width)
{
	for (size_t j = 0; j < width; j++) {
		r->teleport[j] = 1 - r->damping;
		if (dangling == LANEWISE_PAGERANK_REDISTRIBUTE)
			r->teleport[j] += r->damping * r->lost[j];
		r->change[j] = r->lost[j] = 0;
	}
	for (size_t g = 0; g < r->p->n_groups; g += BLOCK_GROUPS) {
		size_t end = g + BLOCK_GROUPS < r->p->n_groups ? g + BLOCK_GROUPS : r->p->n_groups;
		size_t end_row = LANES * end < r->p->n ? LANES * end : r->p->n;

		sum_groups(r, g, end, width);
		renew_block(r, LANES * g, end_row, width);
	}

	double *swap = r->x;

	r->x = r->next;
	r->next = swap;
}

/* ---------------------------------------------------------------- interface */

static size_t scratch_size(const lanewise_pagerank *p, size_t width)
{
	size_t n = (size_t)p->n + 1;

	if (n > (SIZE_MAX - 4096) / (4 * width * sizeof(double)) - BLOCK)
		return 0;
	return 4 * lw_array_size(n * width, sizeof(double)) + lw_array_size((size_t)BLOCK * width, sizeof(double));
}

size_t lanewise_pagerank_run_scratch_size(const lanewise_pagerank *pagerank) { return scratch_size(pagerank, 1); }
size_t lanewise_pagerank_run_many_scratch_size(const lanewise_pagerank *pagerank)
{
	return scratch_size(pagerank, VECTORS);
}

static struct run cut_scratch(const lanewise_pagerank *p, unsigned char *scratch, double damping, size_t width)
{
	size_t n = ((size_t)p->n + 1) * width;
	struct run r = { .p = p, .damping = damping };

	r.rank = lw_take(&scratch, n, sizeof(double));
	r.x = lw_take(&scratch, n, sizeof(double));
	r.next = lw_take(&scratch, n, sizeof(double));
	r.wanted = lw_take(&scratch, n, sizeof(double));
	r.sums = lw_take(&scratch, (size_t)BLOCK * width, sizeof(double));
	return r;
}

static const lanewise_pagerank_options defaults = { sizeof(lanewise_pagerank_options), 0.85, 1e-6, 100,
	                                            LANEWISE_PAGERANK_REDISTRIBUTE };

static lanewise_status check_options(const lanewise_pagerank_options *o, lanewise_error *error)
{
	const char *wrong = o->struct_size != sizeof *o             ? "struct_size is not that of the options"
	                    : !(o->damping >= 0 && o->damping <= 1) ? "damping is not in 0 ... 1"
	                    : !(o->tolerance >= 0)                  ? "tolerance is negative or NaN"
	                    : o->dangling != LANEWISE_PAGERANK_REDISTRIBUTE && o->dangling != LANEWISE_PAGERANK_DROP
	                            ? "dangling is no mode that there is"
	                            : NULL;

	return wrong ? lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s", wrong) : LANEWISE_OK;
}

/* The sum of a personalisation in the order of rows; checks it. `vector` names it in errors. */
static lanewise_status sum_personalisation(const lanewise_pagerank *p, const double *v, size_t vector, double *total,
                                           lanewise_error *error)
{
	*total = 0;
	for (uint32_t u = 0; u < p->n; u++)
		if (!(v[u] >= 0 && v[u] < INFINITY))
			return lw_fail(error, LANEWISE_ERROR_DATA, u,
			               "personalisation %llu: node %lu is negative, NaN or infinite",
			               (unsigned long long)vector, (unsigned long)u);
	for (size_t begin = 0; begin < p->n; begin += BLOCK) {
		size_t end = begin + BLOCK < p->n ? begin + BLOCK : p->n;
		double parts[PARTS] = { 0 };

		for (size_t row = begin; row < end; row++)
			parts[(row - begin) % PARTS] += v[p->node[row]];
		*total += fold(parts, 1);
	}
	if (p->n && !(*total > 0 && *total < INFINITY))
		return lw_fail(error, LANEWISE_ERROR_DATA, LANEWISE_NO_OFFSET, "personalisation %llu: its sum is %s",
		               (unsigned long long)vector, *total > 0 ? "infinite" : "0");
	return LANEWISE_OK;
}

static lanewise_status set_personalisation(const lanewise_pagerank *p, const double *v, size_t vector, double *wanted,
                                           size_t width, lanewise_error *error)
{
	double total;
	lanewise_status status = sum_personalisation(p, v, vector, &total, error);

	if (status)
		return status;
	for (size_t row = 0; row < p->n; row++)
		wanted[width * row] = v[p->node[row]] / total;
	return LANEWISE_OK;
}

static void write_ranks(const struct run *r, size_t width, size_t j, double *rank)
{
	for (size_t row = 0; row < r->p->n; row++)
		rank[r->p->node[row]] = r->rank[width * row + j];
}

lanewise_status lanewise_pagerank_run(const lanewise_pagerank *pagerank, const lanewise_pagerank_options *options,
                                      const double *personalisation, void *scratch, double *rank,
                                      lanewise_pagerank_result *result, lanewise_error *error)
{
	lanewise_pagerank_result done = { 0, 0, 0 };
	lanewise_status status;

	if (!options)
		options = &defaults;
	if (!pagerank || lw_scratch_bad(scratch) || (pagerank->n && !rank))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "pagerank, scratch or rank is NULL, or scratch is not aligned");
	status = check_options(options, error);
	if (status)
		return status;

	struct run r = cut_scratch(pagerank, scratch, options->damping, 1);

	if (personalisation)
		status = set_personalisation(pagerank, personalisation, 0, (double *)(uintptr_t)r.wanted, 1, error);
	else
		r.wanted = NULL;
	if (status)
		return status;
	begin_run(&r, 1);
	done.converged = pagerank->n == 0;
	while (!done.converged && done.iterations < options->max_iterations) {
		iterate(&r, options->dangling, 1);
		done.iterations++;
		done.change = r.change[0];
		done.converged = done.change < pagerank->n * options->tolerance;
	}
	write_ranks(&r, 1, 0, rank);
	if (result)
		*result = done;
	return LANEWISE_OK;
}

/* The ranks of each vector are written in the iteration in which it converges; the others go on. */
static void run_sixteen(struct run *r, const lanewise_pagerank_options *o, size_t n_vectors, size_t ld, double *rank,
                        lanewise_pagerank_result *result)
{
	lanewise_pagerank_result done[VECTORS] = { { 0, 0, 0 } };
	size_t n_left = n_vectors;

	begin_run(r, VECTORS);
	for (uint32_t i = 1; n_left && i <= o->max_iterations; i++) {
		iterate(r, o->dangling, VECTORS);
		for (size_t j = 0; j < n_vectors; j++) {
			if (done[j].converged)
				continue;
			done[j].iterations = i;
			done[j].change = r->change[j];
			done[j].converged = done[j].change < r->p->n * o->tolerance;
			if (done[j].converged) {
				write_ranks(r, VECTORS, j, rank + j * ld);
				n_left--;
			}
		}
	}
	for (size_t j = 0; j < n_vectors; j++)
		if (!done[j].converged)
			write_ranks(r, VECTORS, j, rank + j * ld);
	if (result)
		memcpy(result, done, n_vectors * sizeof *done);
}

lanewise_status lanewise_pagerank_run_many(const lanewise_pagerank *pagerank, const lanewise_pagerank_options *options,
                                           const double *personalisation, size_t n_vectors, size_t ld, void *scratch,
                                           double *rank, lanewise_pagerank_result *result, lanewise_error *error)
{
	lanewise_status status;

	if (!options)
		options = &defaults;
	if (!pagerank || lw_scratch_bad(scratch) || ld < pagerank->n ||
	    (pagerank->n && n_vectors && (!rank || !personalisation)))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "an argument is NULL, scratch is not aligned, or ld is below the number of nodes");
	status = check_options(options, error);
	if (status)
		return status;
	if (ld && n_vectors > SIZE_MAX / sizeof(double) / ld)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET, "n_vectors * ld overflows");
	for (size_t first = 0; first < n_vectors; first += VECTORS) {
		size_t n = n_vectors - first < VECTORS ? n_vectors - first : VECTORS;
		struct run r = cut_scratch(pagerank, scratch, options->damping, VECTORS);
		double *wanted = (double *)(uintptr_t)r.wanted;

		if (pagerank->n == 0) {
			for (size_t j = 0; result && j < n; j++)
				result[first + j] = (lanewise_pagerank_result) { 0, 1, 0 };
			continue;
		}
		if (n < VECTORS)
			memset(wanted, 0, (size_t)pagerank->n * VECTORS * sizeof *wanted);
		for (size_t j = 0; j < n; j++) {
			status = set_personalisation(pagerank, personalisation + (first + j) * ld, first + j,
			                             wanted + j, VECTORS, error);
			if (status)
				return status;
		}
		run_sixteen(&r, options, n, ld, rank + first * ld, result ? result + first : NULL);
	}
	return LANEWISE_OK;
}
