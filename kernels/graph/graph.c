/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From edges to rows, by counting sort: count the edges of each source, turn the counts into places, put each edge at
 * its source's next place. The places are kept in the offsets themselves: after the last edge each offset has moved to
 * where the next row begins, so moving all by one element restores them and no second array is needed.
 */
#include "graph/graph.h"

#include <math.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static lanewise_status allocate(const lanewise_allocator *allocator, size_t n_nodes, size_t n_edges, int weighted,
                                lanewise_graph **graph)
{
	lanewise_graph *made = lw_allocate(allocator, sizeof *made);

	if (!made)
		return LANEWISE_ERROR_NO_MEMORY;
	memset(made, 0, sizeof *made);
	if (allocator)
		made->allocator = *allocator;
	made->n_nodes = (uint32_t)n_nodes;
	made->n_edges = (uint32_t)n_edges;
	made->edge_capacity = n_edges ? n_edges : 1;
	made->offset = lanewise_graph_allocate(allocator, (n_nodes + 1) * sizeof *made->offset);
	made->target = lanewise_graph_allocate(allocator, made->edge_capacity * sizeof *made->target);
	if (weighted)
		made->weight = lanewise_graph_allocate(allocator, made->edge_capacity * sizeof *made->weight);
	if (!made->offset || !made->target || (weighted && !made->weight)) {
		lanewise_graph_destroy(made);
		return LANEWISE_ERROR_NO_MEMORY;
	}
	memset(made->offset, 0, (n_nodes + 1) * sizeof *made->offset);
	*graph = made;
	return LANEWISE_OK;
}

void lanewise_graph_destroy(lanewise_graph *graph)
{
	if (!graph)
		return;

	lanewise_allocator copy = graph->allocator;
	const lanewise_allocator *allocator = lw_graph_allocator(&copy);

	lw_release(allocator, graph->offset, ((size_t)graph->n_nodes + 1) * sizeof *graph->offset);
	lw_release(allocator, graph->target, graph->edge_capacity * sizeof *graph->target);
	lw_release(allocator, graph->weight, graph->edge_capacity * sizeof *graph->weight);
	lw_release(allocator, graph, sizeof *graph);
}

/* ----------------------------------------------------------------- checks */

struct edges {
	const uint32_t *src, *dst;
	const double *weight;
	size_t n, n_nodes;
	int32_t self_loops, duplicates;
};

static int is_weight(double weight) { return weight >= 0 && weight < INFINITY; }

/* Whether anything is wrong, without asking where: loops that the compiler can vectorise. */
static int any_bad_edge(const struct edges *e)
{
	uint32_t largest = 0;
	unsigned bad = 0;

	for (size_t i = 0; i < e->n; i++) {
		uint32_t larger = e->src[i] > e->dst[i] ? e->src[i] : e->dst[i];

		largest = larger > largest ? larger : largest;
	}
	if (e->self_loops == LANEWISE_GRAPH_REFUSE)
		for (size_t i = 0; i < e->n; i++)
			bad |= e->src[i] == e->dst[i];
	if (e->weight)
		for (size_t i = 0; i < e->n; i++)
			bad |= !is_weight(e->weight[i]);
	return bad || (e->n && largest >= e->n_nodes);
}

static lanewise_status name_bad_edge(const struct edges *e, lanewise_error *error)
{
	for (size_t i = 0; i < e->n; i++) {
		unsigned long long number = i, src = e->src[i], dst = e->dst[i];

		if (src >= e->n_nodes || dst >= e->n_nodes)
			return lw_fail(error, LANEWISE_ERROR_DATA, i,
			               "edge %llu, %llu -> %llu: the %s is not below %llu nodes", number, src, dst,
			               src >= e->n_nodes ? "source" : "target", (unsigned long long)e->n_nodes);
		if (src == dst && e->self_loops == LANEWISE_GRAPH_REFUSE)
			return lw_fail(error, LANEWISE_ERROR_DATA, i, "edge %llu, %llu -> %llu, is a self-loop", number,
			               src, dst);
		if (e->weight && !is_weight(e->weight[i]))
			return lw_fail(error, LANEWISE_ERROR_DATA, i, "edge %llu, %llu -> %llu: the weight is %s",
			               number, src, dst,
			               isnan(e->weight[i]) ? "NaN"
			               : e->weight[i] < 0  ? "negative"
			                                   : "infinite");
	}
	return LANEWISE_OK;
}

static lanewise_status check_arguments(const struct edges *e, const lanewise_graph_options *options,
                                       lanewise_graph **graph, lanewise_error *error)
{
	if (!graph || (e->n && (!e->src || !e->dst)))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "graph, src or dst is NULL");
	if (options && (options->struct_size != sizeof *options || options->self_loops < LANEWISE_GRAPH_KEEP ||
	                options->self_loops > LANEWISE_GRAPH_REFUSE || options->duplicates < LANEWISE_GRAPH_KEEP ||
	                options->duplicates > LANEWISE_GRAPH_REFUSE))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "an option, or the size of the options, is not one that there is");
	/* The second bound keeps sizes of scratch within a size_t of 32 bits. */
	if (e->n_nodes > UINT32_MAX - 1 || e->n_nodes > SIZE_MAX / 64)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET,
		               "%llu nodes are more than a graph may have", (unsigned long long)e->n_nodes);
	if (e->n > UINT32_MAX - 1 || e->n > SIZE_MAX / 32)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET,
		               "%llu edges are more than a graph may have", (unsigned long long)e->n);
	return LANEWISE_OK;
}

/* --------------------------------------------------------------- building */

/* offset[u] from the number of u's edges, given in offset[u + 1], to the place of its first. */
static void counts_to_places(uint32_t *offset, size_t n_nodes)
{
	for (size_t u = 0; u < n_nodes; u++)
		offset[u + 1] += offset[u];
}

/* From where each row ends, in offset[u], to where it begins. */
static void ends_to_offsets(uint32_t *offset, size_t n_nodes)
{
	memmove(offset + 1, offset, n_nodes * sizeof *offset);
	offset[0] = 0;
}

/* One edge to the next place of its source. */
static inline void place_edge(lanewise_graph *graph, uint32_t src, uint32_t dst, const double *weight)
{
	uint32_t place = graph->offset[src]++;

	graph->target[place] = dst;
	if (weight)
		graph->weight[place] = *weight;
}

static void fill_rows(lanewise_graph *graph, const struct edges *e)
{
	const int drop = e->self_loops == LANEWISE_GRAPH_DROP;
	uint32_t *offset = graph->offset;

	for (size_t i = 0; i < e->n; i++)
		offset[e->src[i] + 1] += !(drop && e->src[i] == e->dst[i]);
	counts_to_places(offset, graph->n_nodes);
	graph->n_edges = offset[graph->n_nodes];
	for (size_t i = 0; i < e->n; i++)
		if (!drop || e->src[i] != e->dst[i])
			place_edge(graph, e->src[i], e->dst[i], e->weight ? &e->weight[i] : NULL);
	ends_to_offsets(offset, graph->n_nodes);
}

/*
 * The same for graphs beyond the caches, in two steps: first edges are dealt out to parts by the leading bits of their
 * sources, a cache line of a part at a time and past the caches, then each part is a small graph whose rows and places
 * stay in the L2 cache. Targets are dealt out within the graph's own array, and put into order there from a copy of one part,
 * so that only the trailing bits of sources need memory besides. Both steps keep the order of edges of one source.
 */
enum { PARTS_LOG = 8, MOST_LOW_BITS = 16, SMALL_GRAPH = 1 << 16, FEW_EDGES = 1 << 19 };

enum { LINE = 16 };

/* The last edges of a part, on their way to its next place that is a multiple of LINE. */
struct line {
	uint32_t target[LINE];
	uint16_t low[LINE];
};

struct parted {
	int low_bits; /* of a source; the others say which part it is in */
	int aligned;  /* target and low to 16 bytes */
	size_t n_parts;
	size_t *begin;     /* n_parts + 1: of each part's edges */
	size_t *next;      /* n_parts */
	uint16_t *low;     /* [edge] */
	double *weight;    /* [edge], dealt out; NULL if there are none */
	uint32_t *target;  /* of one part */
	struct line *line; /* of each part: so few lines are written at a time, not two for each part */
};

static void count_parts(struct parted *p, const struct edges *e, int drop)
{
	const uint32_t *src = e->src, *dst = e->dst;
	const size_t n = e->n;
	const int low_bits = p->low_bits;
	size_t *count = p->begin + 1;

	memset(p->begin, 0, (p->n_parts + 1) * sizeof *p->begin);
	if (drop)
		for (size_t i = 0; i < n; i++)
			count[src[i] >> low_bits] += src[i] != dst[i];
	else
		for (size_t i = 0; i < n; i++)
			count[src[i] >> low_bits]++;
	for (size_t j = 0; j < p->n_parts; j++)
		p->begin[j + 1] += p->begin[j];
	memcpy(p->next, p->begin, p->n_parts * sizeof *p->next);
}

/* A line of targets and the sources' bits to their places, past the caches where that is known how. */
static void write_line(uint32_t *target, uint16_t *low, const struct line *line)
{
#if defined(__SSE2__)
	for (int i = 0; i < LINE; i += 4)
		_mm_stream_si128((__m128i *)(target + i), _mm_loadu_si128((const __m128i *)(line->target + i)));
	for (int i = 0; i < LINE; i += 8)
		_mm_stream_si128((__m128i *)(low + i), _mm_loadu_si128((const __m128i *)(line->low + i)));
#else
	memcpy(target, line->target, sizeof line->target);
	memcpy(low, line->low, sizeof line->low);
#endif
}

/* The edges of a part that are in its line and not written yet: those from `from`, or its beginning, up to `to`. */
static void write_some(lanewise_graph *graph, struct parted *p, size_t part, size_t from, size_t to)
{
	if (from < p->begin[part])
		from = p->begin[part];
	for (; from < to; from++) {
		graph->target[from] = p->line[part].target[from % LINE];
		p->low[from] = p->line[part].low[from % LINE];
	}
}

static inline void finish_line(lanewise_graph *graph, struct parted *p, size_t part, size_t at)
{
	if (p->aligned && at >= p->begin[part])
		write_line(graph->target + at, p->low + at, &p->line[part]);
	else
		write_some(graph, p, part, at, at + LINE);
}

static inline __attribute__((always_inline)) void deal_out_edges(lanewise_graph *graph, struct parted *p,
                                                                 const struct edges *e, int drop, int weighted)
{
	const int low_bits = p->low_bits;
	const uint32_t mask = (UINT32_C(1) << low_bits) - 1;
	const uint32_t *src = e->src, *dst = e->dst;
	const size_t n = e->n;
	size_t *next = p->next;
	struct line *lines = p->line;

	for (size_t i = 0; i < n; i++) {
		if (drop && src[i] == dst[i])
			continue;

		const size_t part = src[i] >> low_bits, at = next[part]++;
		struct line *line = &lines[part];

		line->target[at % LINE] = dst[i];
		line->low[at % LINE] = (uint16_t)(src[i] & mask);
		if (weighted)
			p->weight[at] = e->weight[i];
		if (at % LINE == LINE - 1)
			finish_line(graph, p, part, at + 1 - LINE);
	}
}

static void deal_out(lanewise_graph *graph, struct parted *p, const struct edges *e, int drop)
{
	if (drop || p->weight)
		deal_out_edges(graph, p, e, drop, p->weight != NULL);
	else
		deal_out_edges(graph, p, e, 0, 0);
	for (size_t part = 0; part < p->n_parts; part++)
		write_some(graph, p, part, p->next[part] / LINE * LINE, p->next[part]);
#if defined(__SSE2__)
	_mm_sfence();
#endif
}

static void fill_part(lanewise_graph *graph, const struct parted *p, size_t part)
{
	uint32_t first = (uint32_t)(part << p->low_bits), at = (uint32_t)p->begin[part];
	uint32_t *offset = graph->offset + first;
	size_t n_rows = graph->n_nodes - first, begin = p->begin[part], n = p->begin[part + 1] - begin;
	const uint16_t *low = p->low + begin;
	const uint32_t *dealt = p->target;
	uint32_t *target = graph->target;

	if (n_rows > (size_t)1 << p->low_bits)
		n_rows = (size_t)1 << p->low_bits;
	memcpy(p->target, graph->target + begin, n * sizeof *p->target);
	for (size_t i = 0; i < n; i++)
		offset[low[i]]++;
	for (size_t u = 0; u < n_rows; u++) {
		uint32_t count = offset[u];

		offset[u] = at;
		at += count;
	}
	if (p->weight)
		for (size_t i = 0; i < n; i++)
			place_edge(graph, first + low[i], p->target[i], &p->weight[begin + i]);
	else
		for (size_t i = 0; i < n; i++)
			target[offset[low[i]]++] = dealt[i];
}

static size_t largest_part(const struct parted *p)
{
	size_t largest = 1;

	for (size_t j = 0; j < p->n_parts; j++)
		if (p->begin[j + 1] - p->begin[j] > largest)
			largest = p->begin[j + 1] - p->begin[j];
	return largest;
}

/* 0 if there is no memory for it. */
static int fill_rows_by_parts(lanewise_graph *graph, const struct edges *e, const lanewise_allocator *allocator)
{
	struct parted p = { .low_bits = 0 };
	const int drop = e->self_loops == LANEWISE_GRAPH_DROP;
	size_t largest = 1, begin_bytes, weight_bytes = e->n * sizeof *p.weight;
	int done = 0;

	while ((uint64_t)(graph->n_nodes - 1) >> p.low_bits >> PARTS_LOG && p.low_bits < MOST_LOW_BITS)
		p.low_bits++;
	p.n_parts = ((graph->n_nodes - 1) >> p.low_bits) + (size_t)1;
	begin_bytes = (2 * p.n_parts + 1) * sizeof *p.begin;
	p.begin = lanewise_graph_allocate(allocator, begin_bytes);
	if (!p.begin)
		return 0;
	p.next = p.begin + p.n_parts + 1;
	count_parts(&p, e, drop);
	largest = largest_part(&p);
	p.low = lanewise_graph_allocate(allocator, e->n * sizeof *p.low);
	p.target = lanewise_graph_allocate(allocator, largest * sizeof *p.target);
	p.line = lanewise_graph_allocate(allocator, p.n_parts * sizeof *p.line);
	if (e->weight)
		p.weight = lanewise_graph_allocate(allocator, weight_bytes);
	if (p.low && p.target && p.line && (p.weight || !e->weight)) {
		p.aligned = (uintptr_t)graph->target % 16 == 0 && (uintptr_t)p.low % 16 == 0;
		deal_out(graph, &p, e, drop);
		graph->n_edges = (uint32_t)p.begin[p.n_parts];
		for (size_t part = 0; part < p.n_parts; part++)
			fill_part(graph, &p, part);
		ends_to_offsets(graph->offset, graph->n_nodes);
		done = 1;
	}
	lw_release(allocator, p.begin, begin_bytes);
	lw_release(allocator, p.low, e->n * sizeof *p.low);
	lw_release(allocator, p.target, largest * sizeof *p.target);
	lw_release(allocator, p.line, p.n_parts * sizeof *p.line);
	lw_release(allocator, p.weight, weight_bytes);
	return done;
}

static lanewise_status make_rows(const struct edges *e, const lanewise_allocator *allocator, lanewise_graph **graph)
{
	lanewise_status status = allocate(allocator, e->n_nodes, e->n, e->weight != NULL, graph);

	if (status)
		return status;
	if (e->n_nodes <= SMALL_GRAPH || e->n <= FEW_EDGES || !fill_rows_by_parts(*graph, e, allocator))
		fill_rows(*graph, e);
	return LANEWISE_OK;
}

lanewise_status lanewise_graph_make_rows(uint32_t n_nodes, const uint32_t *src, const uint32_t *dst,
                                         const double *weight, uint32_t n_edges, const lanewise_allocator *allocator,
                                         lanewise_graph **graph)
{
	const struct edges e = { src, dst, weight, n_edges, n_nodes, LANEWISE_GRAPH_KEEP, LANEWISE_GRAPH_KEEP };

	return make_rows(&e, allocator, graph);
}

static lanewise_status name_duplicate(const struct edges *e, uint32_t src, uint32_t dst, lanewise_error *error,
                                      const char *what)
{
	size_t seen = 0, i = 0;

	for (; i < e->n; i++)
		if (e->src[i] == src && e->dst[i] == dst && seen++)
			break;
	return lw_fail(error, LANEWISE_ERROR_DATA, i, "edge %llu, %lu -> %lu, %s", (unsigned long long)i,
	               (unsigned long)src, (unsigned long)dst, what);
}

/*
 * Moves the rows together, leaving out duplicates. place[v] is one more than where the last edge to v went; it is of
 * the row under way if it lies within it, so nothing needs clearing between rows.
 */
static lanewise_status merge_duplicates(lanewise_graph *graph, const struct edges *e, uint32_t *place,
                                        lanewise_error *error)
{
	uint32_t *offset = graph->offset, end = 0;

	memset(place, 0, graph->n_nodes * sizeof *place);
	for (uint32_t u = 0, from = 0; u < graph->n_nodes; u++) {
		uint32_t begin = end, to = offset[u + 1];

		offset[u] = begin;
		for (; from < to; from++) {
			uint32_t v = graph->target[from];

			if (place[v] > begin) {
				if (e->duplicates == LANEWISE_GRAPH_REFUSE)
					return name_duplicate(e, u, v, error, "was there before");
				if (graph->weight && !is_weight(graph->weight[place[v] - 1] += graph->weight[from]))
					return name_duplicate(e, u, v, error, "makes the sum of duplicates infinite");
				continue;
			}
			graph->target[end] = v;
			if (graph->weight)
				graph->weight[end] = graph->weight[from];
			place[v] = ++end;
		}
	}
	offset[graph->n_nodes] = end;
	graph->n_edges = end;
	return LANEWISE_OK;
}

static lanewise_status treat_duplicates(lanewise_graph *graph, const struct edges *e,
                                        const lanewise_allocator *allocator, lanewise_error *error)
{
	size_t n_bytes = (graph->n_nodes ? graph->n_nodes : 1) * sizeof(uint32_t);
	uint32_t *place;
	lanewise_status status;

	if (e->duplicates == LANEWISE_GRAPH_KEEP)
		return LANEWISE_OK;
	place = lanewise_graph_allocate(allocator, n_bytes);
	if (!place)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "out of memory");
	status = merge_duplicates(graph, e, place, error);
	lw_release(allocator, place, n_bytes);
	return status;
}

lanewise_status lanewise_graph_create(size_t n_nodes, const uint32_t *src, const uint32_t *dst, const double *weight,
                                      size_t n_edges, const lanewise_graph_options *options,
                                      const lanewise_allocator *allocator, lanewise_graph **graph,
                                      lanewise_error *error)
{
	struct edges e = { src, dst, weight, n_edges, n_nodes, LANEWISE_GRAPH_KEEP, LANEWISE_GRAPH_KEEP };
	lanewise_graph *made = NULL;
	lanewise_status status = check_arguments(&e, options, graph, error);

	if (status)
		return status;
	if (options) {
		e.self_loops = options->self_loops;
		e.duplicates = options->duplicates;
	}
	if (any_bad_edge(&e))
		return name_bad_edge(&e, error);
	status = make_rows(&e, allocator, &made);
	if (status)
		return lw_fail(error, status, LANEWISE_NO_OFFSET, "out of memory");
	status = treat_duplicates(made, &e, allocator, error);
	if (status) {
		lanewise_graph_destroy(made);
		return status;
	}
	*graph = made;
	return LANEWISE_OK;
}

/* -------------------------------------------------------------- transpose */

void lanewise_graph_count_in_edges(const lanewise_graph *graph, uint32_t *count)
{
	for (uint32_t i = 0; i < graph->n_edges; i++)
		count[graph->target[i]]++;
}

lanewise_status lanewise_graph_transpose_create(const lanewise_graph *graph, const lanewise_allocator *allocator,
                                                lanewise_graph **transposed)
{
	size_t n_bytes = (graph && graph->n_edges ? graph->n_edges : 1) * sizeof(uint32_t);
	uint32_t *source;
	lanewise_status status;

	if (!graph || !transposed)
		return LANEWISE_ERROR_ARGUMENT;
	source = lanewise_graph_allocate(allocator, n_bytes);
	if (!source)
		return LANEWISE_ERROR_NO_MEMORY;
	for (uint32_t u = 0, i = 0; u < graph->n_nodes; u++)
		for (; i < graph->offset[u + 1]; i++)
			source[i] = u;
	status = lanewise_graph_make_rows(graph->n_nodes, graph->target, source, graph->weight, graph->n_edges,
	                                  allocator, transposed);
	lw_release(allocator, source, n_bytes);
	return status;
}

/* ----------------------------------------------------------------- access */

size_t lanewise_graph_n_nodes(const lanewise_graph *graph) { return graph->n_nodes; }
size_t lanewise_graph_n_edges(const lanewise_graph *graph) { return graph->n_edges; }
const uint32_t *lanewise_graph_offsets(const lanewise_graph *graph) { return graph->offset; }
const uint32_t *lanewise_graph_targets(const lanewise_graph *graph) { return graph->target; }
const double *lanewise_graph_weights(const lanewise_graph *graph) { return graph->weight; }
