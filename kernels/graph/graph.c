/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From edges to rows, by counting sort: count the edges of each source, turn the counts into places, put each edge at
 * its source's next place. The places are kept in the offsets themselves: after the last edge each offset has moved to
 * where the next row begins, so moving all by one element restores them and no second array is needed.
 */
#include "graph/graph.h"

#include <math.h>
#include <string.h>

/* ----------------------------------------------------------------- memory */

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
	made->offset = lw_allocate(allocator, (n_nodes + 1) * sizeof *made->offset);
	made->target = lw_allocate(allocator, made->edge_capacity * sizeof *made->target);
	if (weighted)
		made->weight = lw_allocate(allocator, made->edge_capacity * sizeof *made->weight);
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

static void fill_rows(lanewise_graph *graph, const struct edges *e)
{
	const int drop = e->self_loops == LANEWISE_GRAPH_DROP;
	uint32_t *offset = graph->offset;

	for (size_t i = 0; i < e->n; i++)
		offset[e->src[i] + 1] += !(drop && e->src[i] == e->dst[i]);
	counts_to_places(offset, graph->n_nodes);
	graph->n_edges = offset[graph->n_nodes];
	for (size_t i = 0; i < e->n; i++) {
		if (drop && e->src[i] == e->dst[i])
			continue;

		uint32_t place = offset[e->src[i]]++;

		graph->target[place] = e->dst[i];
		if (e->weight)
			graph->weight[place] = e->weight[i];
	}
	ends_to_offsets(offset, graph->n_nodes);
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
	place = lw_allocate(allocator, n_bytes);
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
	status = allocate(allocator, n_nodes, n_edges, weight != NULL, &made);
	if (status)
		return lw_fail(error, status, LANEWISE_NO_OFFSET, "out of memory");
	fill_rows(made, &e);
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
	lanewise_graph *made = NULL;
	lanewise_status status;

	if (!graph || !transposed)
		return LANEWISE_ERROR_ARGUMENT;
	status = allocate(allocator, graph->n_nodes, graph->n_edges, graph->weight != NULL, &made);
	if (status)
		return status;
	lanewise_graph_count_in_edges(graph, made->offset + 1);
	counts_to_places(made->offset, graph->n_nodes);
	for (uint32_t u = 0, i = 0; u < graph->n_nodes; u++)
		for (; i < graph->offset[u + 1]; i++) {
			uint32_t place = made->offset[graph->target[i]]++;

			made->target[place] = u;
			if (graph->weight)
				made->weight[place] = graph->weight[i];
		}
	ends_to_offsets(made->offset, graph->n_nodes);
	*transposed = made;
	return LANEWISE_OK;
}

/* ----------------------------------------------------------------- access */

size_t lanewise_graph_n_nodes(const lanewise_graph *graph) { return graph->n_nodes; }
size_t lanewise_graph_n_edges(const lanewise_graph *graph) { return graph->n_edges; }
const uint32_t *lanewise_graph_offsets(const lanewise_graph *graph) { return graph->offset; }
const uint32_t *lanewise_graph_targets(const lanewise_graph *graph) { return graph->target; }
const double *lanewise_graph_weights(const lanewise_graph *graph) { return graph->weight; }
