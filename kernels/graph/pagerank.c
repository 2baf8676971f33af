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

enum { LANES = 16, BLOCK = 4096, BLOCK_GROUPS = BLOCK / LANES, PARTS = 8, VECTORS = 16, ELEMENT_ALIGNMENT = 128 };

struct lanewise_pagerank {
	lanewise_allocator allocator; /* a copy; `allocate` NULL for the C library's */
	uint32_t n, n_groups, n_thin; /* n_thin: groups at the front that are kept as thin rows */
	size_t n_entries;
	uint32_t *node;     /* [row] the node whose edges it holds */
	uint32_t *row_of;   /* [node] */
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
	double *total; /* [node] the sum of its weights, or NULL */
};

static void release_making(const lanewise_allocator *allocator, struct making *m, uint32_t n)
{
	lw_release(allocator, m->memory, 4 * at_least_one(n) * sizeof *m->memory);
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
	if (weighted)
		m->total = lanewise_graph_allocate(allocator, at_least_one(n) * sizeof *m->total);
	if (!m->memory || (weighted && !m->total))
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

		p->row_of[u] = row;
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
static void place_rows(lanewise_pagerank *p, const struct making *m)
{
	size_t at = 0;

	for (size_t row = 0; row < (size_t)LANES * p->n_thin; row++) {
		p->thin_begin[row] = at;
		at += row_length(p, m, row);
	}
	p->thin_begin[(size_t)LANES * p->n_thin] = at;
	at = (at + LANES - 1) / LANES;
	for (uint32_t g = 0; g < p->n_groups; g++) {
		p->offset[g] = at;
		if (g >= p->n_thin)
			at += row_length(p, m, (size_t)LANES * g);
	}
	p->offset[p->n_groups] = at;
	p->n_entries = LANES * at;
}

/* The edges once more, from row to element, sources by descending number of edges: so rows list elements ascending. */
struct relabelled {
	uint32_t *row, *element;
	double *weight;
};

static double share_of(const lanewise_graph *graph, const struct making *m, uint32_t source, uint32_t edge)
{
	return m->total[source] > 0 ? graph->weight[edge] / m->total[source] : 0;
}

static void relabel(const lanewise_graph *graph, const lanewise_pagerank *p, const struct making *m,
                    struct relabelled *edges)
{
	size_t at = 0;

	for (uint32_t i = 0; i < graph->n_nodes; i++) {
		uint32_t u = m->by_out_degree[i];

		for (uint32_t e = graph->offset[u]; e < graph->offset[u + 1]; e++, at++) {
			edges->row[at] = p->row_of[graph->target[e]];
			edges->element[at] = i;
			if (edges->weight)
				edges->weight[at] = share_of(graph, m, u, e);
		}
	}
}

static lanewise_status make_relabelled_rows(const lanewise_graph *graph, const lanewise_pagerank *p,
                                            const struct making *m, const lanewise_allocator *allocator,
                                            lanewise_graph **rows)
{
	size_t n = at_least_one(graph->n_edges);
	struct relabelled edges = { .row = lanewise_graph_allocate(allocator, n * sizeof *edges.row) };
	lanewise_status status = LANEWISE_ERROR_NO_MEMORY;

	edges.element = lanewise_graph_allocate(allocator, n * sizeof *edges.element);
	if (m->total)
		edges.weight = lanewise_graph_allocate(allocator, n * sizeof *edges.weight);
	if (edges.row && edges.element && (edges.weight || !m->total)) {
		relabel(graph, p, m, &edges);
		status = lanewise_graph_make_rows(graph->n_nodes, edges.row, edges.element, edges.weight,
		                                  graph->n_edges, allocator, rows);
	}
	lw_release(allocator, edges.row, n * sizeof *edges.row);
	lw_release(allocator, edges.element, n * sizeof *edges.element);
	lw_release(allocator, edges.weight, n * sizeof *edges.weight);
	return status;
}

/* One row to the entries from `at` on, `stride` apart, filled up to `length`. */
static void fill_row(lanewise_pagerank *p, const lanewise_graph *rows, size_t row, size_t at, size_t stride,
                     size_t length)
{
	uint32_t begin = row < p->n ? rows->offset[row] : 0, n = row < p->n ? rows->offset[row + 1] - begin : 0;

	for (size_t t = 0; t < n; t++)
		p->column[at + t * stride] = rows->target[begin + t];
	for (size_t t = n; t < length; t++)
		p->column[at + t * stride] = p->n;
	for (size_t t = 0; p->weight && t < length; t++)
		p->weight[at + t * stride] = t < n ? rows->weight[begin + t] : 0;
}

static void fill_entries(lanewise_pagerank *p, const lanewise_graph *rows)
{
	size_t n_thin_rows = (size_t)LANES * p->n_thin;

	for (size_t row = 0; row < n_thin_rows; row++)
		fill_row(p, rows, row, p->thin_begin[row], 1, p->thin_begin[row + 1] - p->thin_begin[row]);
	for (size_t g = p->n_thin; g < p->n_groups; g++)
		for (size_t l = 0; l < LANES; l++)
			fill_row(p, rows, LANES * g + l, LANES * p->offset[g] + l, LANES,
			         p->offset[g + 1] - p->offset[g]);
}

/*
 * The same straight from the graph, each edge to the next free entry of its row: for graphs whose entries stay in the
 * caches, where it is quicker than sorting them first. In the place of in-degrees comes the next entry of each row.
 */
enum { FEW_EDGES = 1 << 19 };

static void fill_entries_directly(lanewise_pagerank *p, const lanewise_graph *graph, const struct making *m)
{
	const size_t n_thin_rows = (size_t)LANES * p->n_thin;
	uint32_t *next = m->in_degree;

	for (size_t i = 0; i < p->n_entries; i++)
		p->column[i] = p->n;
	if (p->weight && p->n_entries)
		memset(p->weight, 0, p->n_entries * sizeof *p->weight);
	for (size_t row = 0; row < p->n; row++)
		next[row] = (uint32_t)(row < n_thin_rows ? p->thin_begin[row]
		                                         : LANES * p->offset[row / LANES] + row % LANES);
	for (uint32_t i = 0; i < graph->n_nodes; i++) {
		uint32_t u = m->by_out_degree[i];

		for (uint32_t e = graph->offset[u]; e < graph->offset[u + 1]; e++) {
			uint32_t row = p->row_of[graph->target[e]], at = next[row];

			next[row] += row < n_thin_rows ? 1 : LANES;
			p->column[at] = i;
			if (p->weight)
				p->weight[at] = share_of(graph, m, u, e);
		}
	}
}

static lanewise_status allocate_rows(lanewise_pagerank *p, const lanewise_allocator *allocator)
{
	size_t n = at_least_one(p->n);

	p->node = lanewise_graph_allocate(allocator, n * sizeof *p->node);
	p->row_of = lanewise_graph_allocate(allocator, n * sizeof *p->row_of);
	p->place = lanewise_graph_allocate(allocator, n * sizeof *p->place);
	p->factor = lanewise_graph_allocate(allocator, n * sizeof *p->factor);
	p->offset = lanewise_graph_allocate(allocator, ((size_t)p->n_groups + 1) * sizeof *p->offset);
	return p->node && p->row_of && p->place && p->factor && p->offset ? LANEWISE_OK : LANEWISE_ERROR_NO_MEMORY;
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
	lanewise_graph *rows = NULL;
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
	if (status)
		return status;
	if (graph->n_edges <= FEW_EDGES) {
		fill_entries_directly(p, graph, m);
		return LANEWISE_OK;
	}
	status = make_relabelled_rows(graph, p, m, allocator, &rows);
	if (status == LANEWISE_OK)
		fill_entries(p, rows);
	lanewise_graph_destroy(rows);
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
	lw_release(allocator, p->row_of, n * sizeof *p->row_of);
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
	double *wanted;       /* [row] the personalisation, or NULL: 1 / n for all */
	uint64_t *any_wanted; /* bits of the rows where it is not all 0: few, as a rule, and the others are not read */
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

/*
 * From the sums of a slice of rows, the first of which is a multiple of PARTS in its block, to their ranks, with the
 * block's totals; the elements take the place of the sums. Then they go to theirs, which the cache is told of before.
 */
ALWAYS_INLINE void renew_row(struct run *r, size_t begin, size_t row, double *change, double *lost)
{
	const double factor = r->p->factor[row], wanted = r->wanted ? r->wanted[row] : 1.0 / r->p->n;
	const double renewed = r->damping * r->sums[row - begin] + r->teleport[0] * wanted;

	*change += fabs(renewed - r->rank[row]);
	*lost += factor > 0 ? 0 : renewed;
	r->rank[row] = renewed;
	r->sums[row - begin] = renewed * factor;
}

static void renew_slice(struct run *r, size_t begin, size_t end, double *change, double *lost)
{
	enum { AHEAD = 32 };
	const uint32_t *place = r->p->place;
	size_t row = begin;

	for (; end - row >= PARTS; row += PARTS)
		for (size_t part = 0; part < PARTS; part++)
			renew_row(r, begin, row + part, &change[part], &lost[part]);
	for (size_t part = 0; row + part < end; part++)
		renew_row(r, begin, row + part, &change[part], &lost[part]);
	for (row = begin; row < end; row++) {
		if (end - row > AHEAD)
			__builtin_prefetch(r->next + place[row + AHEAD], 1);
		r->next[place[row]] = r->sums[row - begin];
	}
}

/* The same for sixteen vectors. Elements that will be out of the caches before they are needed go past them. */
static void renew_slice16(struct run *r, size_t begin, size_t end, double *change, double *lost)
{
	enum { STREAMED_FROM = 32 << 20 };
	const lanewise_pagerank *p = r->p;
	const struct lw_rank_slice slice = { .n_rows = end - begin,
		                             .sums = r->sums,
		                             .wanted = r->wanted + VECTORS * begin,
		                             .any_wanted = r->any_wanted + begin / 64,
		                             .factor = p->factor + begin,
		                             .place = p->place + begin,
		                             .damping = r->damping,
		                             .teleport = r->teleport,
		                             .rank = r->rank + VECTORS * begin,
		                             .next = r->next,
		                             .change = change,
		                             .lost = lost,
		                             .streamed = VECTORS * sizeof(double) * p->n > STREAMED_FROM };

	lw_kernels()->rank_renew16_f64(&slice);
}

/* A block, in slices whose sums leave room in the L1 cache. */
ALWAYS_INLINE void iterate_block(struct run *r, size_t begin, size_t end, size_t width)
{
	enum { SLICE = 8 };
	double change[PARTS * VECTORS] = { 0 }, lost[PARTS * VECTORS] = { 0 };
	const size_t slice = width == 1 ? BLOCK_GROUPS : SLICE;

	for (size_t g = begin; g < end; g += slice) {
		size_t slice_end = g + slice < end ? g + slice : end;
		size_t row = LANES * g, row_end = LANES * slice_end < r->p->n ? LANES * slice_end : r->p->n;

		sum_groups(r, g, slice_end, width);
		if (width == 1)
			renew_slice(r, row, row_end, change, lost);
		else
			renew_slice16(r, row, row_end, change, lost);
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

		iterate_block(r, g, end, width);
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
	return ELEMENT_ALIGNMENT + 4 * lw_array_size(n * width, sizeof(double)) +
	       lw_array_size((size_t)BLOCK, sizeof(double)) + lw_array_size(lw_bitmap_words(n), sizeof(uint64_t));
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

	scratch += -(uintptr_t)scratch % ELEMENT_ALIGNMENT; /* so that elements share no cache lines */

	r.rank = lw_take(&scratch, n, sizeof(double));
	r.x = lw_take(&scratch, n, sizeof(double));
	r.next = lw_take(&scratch, n, sizeof(double));
	r.wanted = lw_take(&scratch, n, sizeof(double));
	r.sums = lw_take(&scratch, (size_t)BLOCK, sizeof(double));
	r.any_wanted = lw_take(&scratch, lw_bitmap_words(p->n), sizeof(uint64_t));
	memset(r.any_wanted, 0, lw_bitmap_words(p->n) * sizeof(uint64_t));
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

/* The sum of a personalisation in the order of nodes; checks it. `vector` names it in errors. */
static lanewise_status sum_personalisation(const lanewise_pagerank *p, const double *v, size_t vector, double *total,
                                           lanewise_error *error)
{
	*total = 0;
	for (size_t begin = 0; begin < p->n; begin += BLOCK) {
		size_t end = begin + BLOCK < p->n ? begin + BLOCK : p->n;
		double parts[PARTS] = { 0 };

		for (size_t u = begin; u < end; u++) {
			if (!(v[u] >= 0 && v[u] < INFINITY))
				return lw_fail(error, LANEWISE_ERROR_DATA, u,
				               "personalisation %llu: node %lu is negative, NaN or infinite",
				               (unsigned long long)vector, (unsigned long)u);
			parts[(u - begin) % PARTS] += v[u];
		}
		*total += fold(parts, 1);
	}
	if (p->n && !(*total > 0 && *total < INFINITY))
		return lw_fail(error, LANEWISE_ERROR_DATA, LANEWISE_NO_OFFSET, "personalisation %llu: its sum is %s",
		               (unsigned long long)vector, *total > 0 ? "infinite" : "0");
	return LANEWISE_OK;
}

/* Personalisation `vector` of all, number j of those that are run together. Where it is 0 nothing is written. */
static lanewise_status set_personalisation16(struct run *r, const double *v, size_t vector, size_t j,
                                             lanewise_error *error)
{
	double total;
	lanewise_status status = sum_personalisation(r->p, v, vector, &total, error);

	for (uint32_t u = 0; !status && u < r->p->n; u++) {
		uint32_t row = r->p->row_of[u];
		double *wanted = r->wanted + VECTORS * (size_t)row;

		if (!(v[u] > 0))
			continue;
		if (!lw_bit(r->any_wanted, row))
			memset(wanted, 0, VECTORS * sizeof *wanted);
		lw_set_bit(r->any_wanted, row);
		wanted[j] = v[u] / total;
	}
	return status;
}

static lanewise_status set_personalisation(struct run *r, const double *v, lanewise_error *error)
{
	double total;
	lanewise_status status = sum_personalisation(r->p, v, 0, &total, error);

	for (uint32_t row = 0; !status && row < r->p->n; row++)
		r->wanted[row] = v[r->p->node[row]] / total;
	return status;
}

static void write_ranks(const struct run *r, double *rank)
{
	for (size_t row = 0; row < r->p->n; row++)
		rank[r->p->node[row]] = r->rank[row];
}

/* The ranks of the vectors whose bits are set in `which`, a cache line of each at a time. */
static void write_ranks16(const struct run *r, unsigned which, double *rank, size_t ld)
{
	enum { NODES = 8 };

	for (size_t begin = 0; begin < r->p->n; begin += NODES) {
		size_t n = r->p->n - begin < NODES ? r->p->n - begin : NODES;
		double part[VECTORS][NODES];

		for (size_t i = 0; i < n; i++) {
			const double *from = r->rank + VECTORS * (size_t)r->p->row_of[begin + i];

			for (size_t j = 0; j < VECTORS; j++)
				part[j][i] = from[j];
		}
		for (size_t j = 0; j < VECTORS; j++)
			if (which >> j & 1)
				memcpy(rank + j * ld + begin, part[j], n * sizeof **part);
	}
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
		status = set_personalisation(&r, personalisation, error);
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
	write_ranks(&r, rank);
	if (result)
		*result = done;
	return LANEWISE_OK;
}

/* The ranks of each vector are written in the iteration in which it converges; the others go on. */
static void run_sixteen(struct run *r, const lanewise_pagerank_options *o, size_t n_vectors, size_t ld, double *rank,
                        lanewise_pagerank_result *result)
{
	lanewise_pagerank_result done[VECTORS] = { { 0, 0, 0 } };
	unsigned left = (1U << n_vectors) - 1;

	begin_run(r, VECTORS);
	for (uint32_t i = 1; left && i <= o->max_iterations; i++) {
		unsigned converged = 0;

		iterate(r, o->dangling, VECTORS);
		for (size_t j = 0; j < n_vectors; j++) {
			if (done[j].converged)
				continue;
			done[j].iterations = i;
			done[j].change = r->change[j];
			done[j].converged = done[j].change < r->p->n * o->tolerance;
			converged |= (unsigned)done[j].converged << j;
		}
		if (converged)
			write_ranks16(r, converged, rank, ld);
		left &= ~converged;
	}
	if (left)
		write_ranks16(r, left, rank, ld);
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

		if (pagerank->n == 0) {
			for (size_t j = 0; result && j < n; j++)
				result[first + j] = (lanewise_pagerank_result) { 0, 1, 0 };
			continue;
		}
		for (size_t j = 0; j < n; j++) {
			status = set_personalisation16(&r, personalisation + (first + j) * ld, first + j, j, error);
			if (status)
				return status;
		}
		run_sixteen(&r, options, n, ld, rank + first * ld, result ? result + first : NULL);
	}
	return LANEWISE_OK;
}
