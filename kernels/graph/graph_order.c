/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order: topological, by parents, by readiness; and cycles, which are in its way.
 *
 * Kahn's algorithm takes nodes without edges to them away, one level after the other, from a queue. What it costs are the
 * rows, and the counts of edges that it decrements, all over memory. So rows of nodes further on in the queue are
 * prefetched, and targets are first collected in a batch: a decrement whose place is still on its way from memory would
 * hold up all loads behind it, since the CPU cannot know that they read something else. (Without the batch it takes
 * twice as long.) In the end nodes are dealt out by level in order of their
 * numbers, so that the order shows nothing of the order of edges.
 */
#include "graph/graph.h"

#include <string.h>

/* ------------------------------------------------------------------ cycles */

/* A depth-first search: the path to where it stands, and for each node the next edge to follow (LW_NONE: never met). */
struct search {
	uint32_t *next, *path;
	uint64_t *on_path;
};

static size_t search_size(size_t n)
{
	return 2 * lw_array_size(n, sizeof(uint32_t)) + lw_array_size(lw_bitmap_words(n), sizeof(uint64_t));
}

static struct search begin_search(const lanewise_graph *graph, unsigned char *scratch)
{
	size_t n = graph->n_nodes;
	struct search s;

	s.next = lw_take(&scratch, n, sizeof *s.next);
	s.path = lw_take(&scratch, n, sizeof *s.path);
	s.on_path = lw_take(&scratch, lw_bitmap_words(n), sizeof *s.on_path);
	memset(s.next, 0xff, n * sizeof *s.next);
	memset(s.on_path, 0, lw_bitmap_words(n) * sizeof *s.on_path);
	return s;
}

static void enter(const lanewise_graph *graph, struct search *s, uint32_t *depth, uint32_t u)
{
	s->next[u] = graph->offset[u];
	lw_set_bit(s->on_path, u);
	s->path[(*depth)++] = u;
}

/* Searches from `root`; 1 if an edge leads back to the path, which is then path[*first ... *depth). */
static int closes_cycle(const lanewise_graph *graph, struct search *s, uint32_t root, uint32_t *first, uint32_t *depth)
{
	enter(graph, s, depth, root);
	while (*depth) {
		uint32_t u = s->path[*depth - 1];

		if (s->next[u] == graph->offset[u + 1]) {
			lw_clear_bit(s->on_path, u);
			--*depth;
			continue;
		}

		uint32_t v = graph->target[s->next[u]++];

		if (s->next[v] == LW_NONE) {
			enter(graph, s, depth, v);
		} else if (lw_bit(s->on_path, v)) {
			for (*first = *depth - 1; s->path[*first] != v;)
				--*first;
			return 1;
		}
	}
	return 0;
}

/* The first cycle: its length, 0 if there is none, and its nodes, which lie in the scratch. */
static size_t find_cycle(const lanewise_graph *graph, unsigned char *scratch, const uint32_t **cycle)
{
	struct search s = begin_search(graph, scratch);

	for (uint32_t root = 0; root < graph->n_nodes; root++) {
		uint32_t first = 0, depth = 0;

		if (s.next[root] == LW_NONE && closes_cycle(graph, &s, root, &first, &depth)) {
			*cycle = s.path + first;
			return depth - first;
		}
	}
	return 0;
}

size_t lanewise_graph_find_cycle_scratch_size(const lanewise_graph *graph) { return search_size(graph->n_nodes) + 64; }

lanewise_status lanewise_graph_find_cycle(const lanewise_graph *graph, void *scratch, uint32_t *cycle, size_t *n_cycle)
{
	const uint32_t *found = NULL;

	if (!graph || lw_scratch_bad(scratch) || !n_cycle || (graph->n_nodes && !cycle))
		return LANEWISE_ERROR_ARGUMENT;
	*n_cycle = find_cycle(graph, scratch, &found);
	if (*n_cycle)
		memcpy(cycle, found, *n_cycle * sizeof *cycle);
	return LANEWISE_OK;
}

/* ------------------------------------------------------- topological order */

enum { AHEAD_ROW = 32, AHEAD_EDGES = 16, BATCH = 4096, COPIED = 8 };

struct kahn {
	uint32_t *count; /* edges to each node from nodes not taken yet */
	uint8_t *count8; /* the same in the same place, if no node has over 255: a quarter of the cache lines */
	uint32_t *queue;
	uint32_t *level_begin; /* in the queue; n_nodes + 1 */
	uint32_t n_queued, n_levels;
};

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Every node is written behind the queue and stays there if it is free: whether it is, no branch can be told before. */
ALWAYS_INLINE void take_edges(struct kahn *k, const uint32_t *target, uint32_t n, int narrow)
{
	uint32_t n_queued = k->n_queued;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t v = target[i];
		uint32_t left = narrow ? --k->count8[v] : --k->count[v];

		k->queue[n_queued] = v;
		n_queued += left == 0;
	}
	k->n_queued = n_queued;
}

/* A row, COPIED edges at a time, which may write as many behind it: most rows are one step, so none is mispredicted. */
static inline void copy_targets(uint32_t *to, const lanewise_graph *graph, uint32_t from, uint32_t end)
{
	const uint32_t *target = graph->target;

	if (graph->n_edges - end < COPIED)
		for (; from < end; from++)
			*to++ = target[from];
	else
		for (; from < end; from += COPIED, to += COPIED)
			memcpy(to, target + from, COPIED * sizeof *to);
}

static void prefetch_ahead(const lanewise_graph *graph, const struct kahn *k, uint32_t at, uint32_t end)
{
	if (end - at <= AHEAD_ROW)
		return;
	__builtin_prefetch(&graph->offset[k->queue[at + AHEAD_ROW]]);
	__builtin_prefetch(&graph->target[graph->offset[k->queue[at + AHEAD_EDGES]]]);
}

/* Takes the nodes of one level, queue[begin ... end), and queues those that become free. */
ALWAYS_INLINE void take_level(const lanewise_graph *graph, struct kahn *k, uint32_t begin, uint32_t end, int narrow)
{
	uint32_t batch[BATCH + COPIED];

	for (uint32_t at = begin; at < end;) {
		uint32_t u = k->queue[at], n = 0;

		if (graph->offset[u + 1] - graph->offset[u] > BATCH) {
			take_edges(k, graph->target + graph->offset[u], graph->offset[u + 1] - graph->offset[u],
			           narrow);
			at++;
			continue;
		}
		for (; at < end; at++) {
			u = k->queue[at];

			uint32_t from = graph->offset[u], to = graph->offset[u + 1];

			if (to - from > BATCH - n)
				break;
			prefetch_ahead(graph, k, at, end);
			copy_targets(batch + n, graph, from, to);
			n += to - from;
		}
		take_edges(k, batch, n, narrow);
	}
}

ALWAYS_INLINE void take_levels(const lanewise_graph *graph, struct kahn *k, int narrow)
{
	for (uint32_t begin = 0; begin < k->n_queued; k->n_levels++) {
		uint32_t end = k->n_queued;

		k->level_begin[k->n_levels] = begin;
		take_level(graph, k, begin, end, narrow);
		begin = end;
	}
}

/* From count to count8; 0 if one is too large for it. */
static int narrow_counts(struct kahn *k, uint32_t n_nodes)
{
	uint32_t all = 0;

	for (uint32_t u = 0; u < n_nodes; u++)
		all |= k->count[u];
	if (all > UINT8_MAX)
		return 0;
	k->count8 = (uint8_t *)k->count;
	for (uint32_t u = 0; u < n_nodes; u++)
		k->count8[u] = (uint8_t)k->count[u]; /* written before count[u] or over it, never over a later one */
	return 1;
}

static void run_kahn(const lanewise_graph *graph, struct kahn *k)
{
	memset(k->count, 0, graph->n_nodes * sizeof *k->count);
	lanewise_graph_count_in_edges(graph, k->count);
	k->n_queued = k->n_levels = 0;
	for (uint32_t u = 0; u < graph->n_nodes; u++)
		if (k->count[u] == 0)
			k->queue[k->n_queued++] = u;
	if (narrow_counts(k, graph->n_nodes))
		take_levels(graph, k, 1);
	else
		take_levels(graph, k, 0);
}

/* level[u] for the nodes in the queue, LW_NONE for all others. */
static void set_levels(const lanewise_graph *graph, struct kahn *k, uint32_t *level)
{
	if (graph->n_nodes)
		memset(level, 0xff, graph->n_nodes * sizeof *level);
	k->level_begin[k->n_levels] = k->n_queued;
	for (uint32_t l = 0; l < k->n_levels; l++)
		for (uint32_t at = k->level_begin[l]; at < k->level_begin[l + 1]; at++)
			level[k->queue[at]] = l;
}

static lanewise_status name_cycle(const lanewise_graph *graph, void *scratch, lanewise_error *error)
{
	const uint32_t *cycle = NULL;
	size_t n;

	if (!error)
		return LANEWISE_ERROR_DATA;
	n = find_cycle(graph, scratch, &cycle);
	return lw_fail(error, LANEWISE_ERROR_DATA, cycle[n - 1], "edge %lu -> %lu closes a cycle of %llu node%s",
	               (unsigned long)cycle[n - 1], (unsigned long)cycle[0], (unsigned long long)n, n == 1 ? "" : "s");
}

size_t lanewise_graph_topo_scratch_size(const lanewise_graph *graph)
{
	/* find_cycle, which runs afterwards, needs less. */
	return 4 * lw_array_size((size_t)graph->n_nodes + 1, sizeof(uint32_t));
}

lanewise_status lanewise_graph_topo(const lanewise_graph *graph, void *scratch, uint32_t *order, size_t *n_ordered,
                                    uint32_t *level, size_t *n_levels, lanewise_error *error)
{
	unsigned char *rest = scratch;
	struct kahn k;

	if (!graph || lw_scratch_bad(scratch) || !n_ordered || (graph->n_nodes && !order))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "graph, scratch, order or n_ordered is NULL, or scratch is not aligned");

	size_t n = graph->n_nodes;

	k.count = lw_take(&rest, n + 1, sizeof *k.count);
	k.queue = lw_take(&rest, n + 1, sizeof *k.queue);
	k.level_begin = lw_take(&rest, n + 1, sizeof *k.level_begin);
	if (!level)
		level = lw_take(&rest, n + 1, sizeof *level);
	run_kahn(graph, &k);
	set_levels(graph, &k, level);
	for (uint32_t u = 0; u < n; u++)
		if (level[u] != LW_NONE)
			order[k.level_begin[level[u]]++] = u;
	*n_ordered = k.n_queued;
	if (n_levels)
		*n_levels = k.n_levels;
	return k.n_queued == n ? LANEWISE_OK : name_cycle(graph, scratch, error);
}

/* --------------------------------------------------------- order by parents */

size_t lanewise_parent_order_scratch_size(size_t n_rows, size_t n_keys)
{
	if (n_rows > UINT32_MAX - 1 || n_keys > UINT32_MAX - 1 || n_keys > SIZE_MAX / 16 || n_rows > SIZE_MAX / 16)
		return 0;
	return lw_array_size(n_keys, sizeof(uint32_t)) + lw_array_size(lw_bitmap_words(n_rows), sizeof(uint64_t)) + 64;
}

/* first[k] is the first row with key k. */
static lanewise_status first_rows(const uint32_t *key, const uint32_t *parent_key, size_t n_rows, size_t n_keys,
                                  uint32_t *first, lanewise_error *error)
{
	if (n_keys)
		memset(first, 0xff, n_keys * sizeof *first);
	for (size_t i = 0; i < n_rows; i++) {
		uint32_t k = key ? key[i] : (uint32_t)i;

		if (k >= n_keys || (parent_key[i] >= n_keys && parent_key[i] != LW_NONE))
			return lw_fail(error, LANEWISE_ERROR_DATA, i, "row %llu: the %s is not below %llu keys",
			               (unsigned long long)i, k >= n_keys ? "key" : "parent's key",
			               (unsigned long long)n_keys);
		if (first[k] == LW_NONE)
			first[k] = (uint32_t)i;
	}
	return LANEWISE_OK;
}

/* Appends row i after those of its ancestors that are not there, up to the first that is: climbs, and turns it round. */
static size_t append_with_ancestors(const uint32_t *parent_key, const uint32_t *first, uint64_t *met, uint32_t i,
                                    uint32_t *order, size_t n)
{
	size_t begin = n;

	for (uint32_t row = i; row != LW_NONE && !lw_bit(met, row);) {
		lw_set_bit(met, row);
		order[n++] = row;
		row = parent_key[row] == LW_NONE ? LW_NONE : first[parent_key[row]];
	}
	for (size_t a = begin, b = n; a + 1 < b; a++) {
		uint32_t row = order[--b];

		order[b] = order[a];
		order[a] = row;
	}
	return n;
}

lanewise_status lanewise_parent_order(const uint32_t *key, const uint32_t *parent_key, size_t n_rows, size_t n_keys,
                                      void *scratch, uint32_t *order, size_t *n_order, lanewise_error *error)
{
	unsigned char *rest = scratch;
	lanewise_status status;

	if (lw_scratch_bad(scratch) || !n_order || (n_rows && (!parent_key || !order)) || (!key && n_keys != n_rows))
		return lw_fail(
		        error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		        "an array is NULL, scratch is not aligned, or there are no keys and n_keys is not n_rows");
	if (!lanewise_parent_order_scratch_size(n_rows, n_keys))
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET, "too many rows or keys");

	uint32_t *first = lw_take(&rest, n_keys, sizeof *first);
	uint64_t *met = lw_take(&rest, lw_bitmap_words(n_rows), sizeof *met);
	size_t n = 0;

	status = first_rows(key, parent_key, n_rows, n_keys, first, error);
	if (status)
		return status;
	memset(met, 0, lw_bitmap_words(n_rows) * sizeof *met);
	for (uint32_t i = 0; i < n_rows; i++)
		if (first[key ? key[i] : i] == i)
			n = append_with_ancestors(parent_key, first, met, i, order, n);
	*n_order = n;
	return LANEWISE_OK;
}

/* --------------------------------------------------------------- readiness */

lanewise_status lanewise_graph_ready_start(const lanewise_graph *graph, uint32_t *count, uint32_t *ready,
                                           size_t *n_ready)
{
	size_t n = 0;

	if (!graph || !n_ready || (graph->n_nodes && (!count || !ready)))
		return LANEWISE_ERROR_ARGUMENT;
	if (graph->n_nodes)
		memset(count, 0, graph->n_nodes * sizeof *count);
	lanewise_graph_count_in_edges(graph, count);
	for (uint32_t u = 0; u < graph->n_nodes; u++)
		if (count[u] == 0)
			ready[n++] = u;
	*n_ready = n;
	return LANEWISE_OK;
}

lanewise_status lanewise_graph_ready_done(const lanewise_graph *graph, uint32_t node, uint32_t *count, uint32_t *ready,
                                          size_t *n_ready)
{
	size_t n = 0;

	if (!graph || !count || !n_ready || node >= graph->n_nodes || count[node] != 0)
		return LANEWISE_ERROR_ARGUMENT;
	if (!ready && graph->offset[node] != graph->offset[node + 1])
		return LANEWISE_ERROR_ARGUMENT;
	count[node] = LW_NONE;
	for (uint32_t i = graph->offset[node]; i < graph->offset[node + 1]; i++)
		if (--count[graph->target[i]] == 0)
			ready[n++] = graph->target[i];
	*n_ready = n;
	return LANEWISE_OK;
}

lanewise_status lanewise_graph_dangling(const lanewise_graph *graph, uint32_t *nodes, size_t *n_found)
{
	size_t n = 0;

	if (!graph || !n_found || (graph->n_nodes && !nodes))
		return LANEWISE_ERROR_ARGUMENT;
	for (uint32_t u = 0; u < graph->n_nodes; u++)
		if (graph->offset[u] == graph->offset[u + 1])
			nodes[n++] = u;
	*n_found = n;
	return LANEWISE_OK;
}
