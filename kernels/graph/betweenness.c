/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Betweenness by Brandes' algorithm ("A faster algorithm for betweenness centrality", 2001): a breadth-first search from
 * each source counts shortest paths, then nodes are taken in the opposite order to sum up how much of the paths to
 * those behind them goes through each.
 *
 * Both passes follow the edges of the same graph in the same order and look at one small struct per edge. A node's
 * `value` is its number of shortest paths until the way back has passed it; from then on it is what each path to it
 * hands to the nodes before it, (1 + dependency) / paths. Nodes of the next level have all been passed by the time that
 * they are needed, so one field is enough.
 */
#include "graph/graph.h"

#include <string.h>

/* More paths than this are refused, since their reciprocal would lose bits or be 0. */
#define MOST_PATHS 0x1p1000

struct visit {
	double value;
	uint32_t level; /* LW_NONE: not reached */
};

struct brandes {
	const lanewise_graph *graph;
	struct visit *visit;
	uint32_t *queue, n;
	double *centrality;
};

/* -------------------------------------------------------------- one source */

static void reach(struct brandes *b, uint32_t v, uint32_t level, double paths)
{
	b->visit[v] = (struct visit) { paths, level };
	b->queue[b->n++] = v;
}

static void count_paths(struct brandes *b, uint32_t source)
{
	const uint32_t *offset = b->graph->offset, *target = b->graph->target;

	b->n = 0;
	reach(b, source, 0, 1);
	for (uint32_t at = 0; at < b->n; at++) {
		uint32_t u = b->queue[at], next_level = b->visit[u].level + 1;
		double paths = b->visit[u].value;

		for (uint32_t i = offset[u]; i < offset[u + 1]; i++) {
			struct visit *v = &b->visit[target[i]];

			if (v->level == LW_NONE)
				reach(b, target[i], next_level, paths);
			else if (v->level == next_level)
				v->value += paths;
		}
	}
}

/* 0 if there are too many paths to a node. Leaves no node reached, either way. */
static int add_dependencies(struct brandes *b)
{
	const uint32_t *offset = b->graph->offset, *target = b->graph->target;
	int fits = 1;

	for (uint32_t at = b->n; at-- > 1;) {
		uint32_t u = b->queue[at], next_level = b->visit[u].level + 1;
		double paths = b->visit[u].value, sum = 0;

		for (uint32_t i = offset[u]; i < offset[u + 1]; i++) {
			const struct visit *v = &b->visit[target[i]];

			if (v->level == next_level)
				sum += v->value;
		}
		fits &= paths <= MOST_PATHS;
		sum *= paths;
		b->centrality[u] += sum;
		b->visit[u].value = (1 + sum) / paths;
	}
	for (uint32_t at = 0; at < b->n; at++)
		b->visit[b->queue[at]].level = LW_NONE;
	return fits;
}

/* ---------------------------------------------------------------- sampling */

/* splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* The upper half of the product of a random 64-bit number and n. */
static uint32_t random_below(uint64_t *state, uint32_t n)
{
	uint64_t r = next_random(state);

	return (uint32_t)(((r >> 32) * n + ((r & UINT32_MAX) * n >> 32)) >> 32);
}

/* --------------------------------------------------------------- interface */

size_t lanewise_graph_betweenness_scratch_size(const lanewise_graph *graph)
{
	return lw_array_size(graph->n_nodes, sizeof(struct visit)) + lw_array_size(graph->n_nodes, sizeof(uint32_t)) +
	       64;
}

static double scale_of(uint32_t n, size_t n_sources, int normalized)
{
	double scale = n_sources < n ? (double)n / (double)n_sources : 1;

	return normalized && n > 2 ? scale / ((double)(n - 1) * (double)(n - 2)) : scale;
}

lanewise_status lanewise_graph_betweenness(const lanewise_graph *graph, const lanewise_betweenness_options *options,
                                           void *scratch, double *centrality, lanewise_error *error)
{
	static const lanewise_betweenness_options defaults = { sizeof defaults, 0, 0, 1 };
	unsigned char *rest = scratch;
	uint64_t seed;

	if (!options)
		options = &defaults;
	if (!graph || lw_scratch_bad(scratch) || (graph->n_nodes && !centrality) ||
	    options->struct_size != sizeof *options)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "graph, scratch or centrality is NULL, scratch is not aligned, or struct_size is wrong");

	uint32_t n = graph->n_nodes;
	size_t left = options->n_samples && options->n_samples < n ? options->n_samples : n;
	double scale = scale_of(n, left, options->normalized);
	struct brandes b = { .graph = graph, .centrality = centrality };

	b.visit = lw_take(&rest, n, sizeof *b.visit);
	b.queue = lw_take(&rest, n, sizeof *b.queue);
	for (uint32_t u = 0; u < n; u++) {
		b.visit[u] = (struct visit) { 0, LW_NONE };
		centrality[u] = 0;
	}
	seed = options->seed;
	for (uint32_t source = 0; left; source++) { /* selection sampling: all choices are equally likely */
		if (left < n - source && random_below(&seed, n - source) >= left)
			continue;
		left--;
		count_paths(&b, source);
		if (!add_dependencies(&b))
			return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, source,
			               "from node %lu there are more than 2^1000 shortest paths to another",
			               (unsigned long)source);
	}
	for (uint32_t u = 0; u < n; u++)
		centrality[u] *= scale;
	return LANEWISE_OK;
}
