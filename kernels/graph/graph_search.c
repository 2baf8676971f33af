/* SPDX-License-Identifier: Apache-2.0 */
/* What can be reached from where: breadth-first levels, shortest paths, components. */
#include "graph/graph.h"

#include <string.h>

/* ---------------------------------------------------------- breadth-first */

/*
 * Nodes are queued level by level. From the front, a level looks at all edges of its nodes; from the back, at the
 * edges of all nodes not reached yet, but only as far as the first that comes from the level before. The latter pays
 * where that level has most of the edges that are left. The constants are those of Beamer et al.
 */
enum { FROM_BACK_SHARE = 14, FROM_FRONT_SHARE = 24 };

struct bfs {
	const lanewise_graph *graph, *transposed;
	uint32_t *queue, *level;
	uint64_t *reached, *frontier; /* frontier: bits of the level before, set only where searched from the back */
	uint32_t begin, end, n;       /* of the level before in the queue, and all that are queued */
	uint32_t depth;
};

static void reach(struct bfs *b, uint32_t v)
{
	lw_set_bit(b->reached, v);
	b->level[v] = b->depth;
	b->queue[b->n++] = v;
}

static void level_from_front(struct bfs *b)
{
	const uint32_t *offset = b->graph->offset, *target = b->graph->target;

	for (uint32_t at = b->begin; at < b->end; at++) {
		uint32_t u = b->queue[at];

		if (b->end - at > 16) {
			__builtin_prefetch(&offset[b->queue[at + 16]]);
			__builtin_prefetch(&target[offset[b->queue[at + 8]]]);
		}
		for (uint32_t i = offset[u]; i < offset[u + 1]; i++)
			if (!lw_bit(b->reached, target[i]))
				reach(b, target[i]);
	}
}

static void level_from_back(struct bfs *b)
{
	const uint32_t *offset = b->transposed->offset, *source = b->transposed->target;
	uint32_t n_nodes = b->graph->n_nodes;

	for (uint32_t at = b->begin; at < b->end; at++)
		lw_set_bit(b->frontier, b->queue[at]);
	for (size_t word = 0; word < lw_bitmap_words(n_nodes); word++)
		for (uint64_t left = ~b->reached[word]; left; left &= left - 1) {
			size_t v = 64 * word + (size_t)__builtin_ctzll(left);

			if (v >= n_nodes)
				break;
			for (uint32_t i = offset[v]; i < offset[v + 1]; i++)
				if (lw_bit(b->frontier, source[i])) {
					reach(b, (uint32_t)v);
					break;
				}
		}
	for (uint32_t at = b->begin; at < b->end; at++)
		lw_clear_bit(b->frontier, b->queue[at]);
}

static uint64_t edges_of_level(const struct bfs *b)
{
	uint64_t n = 0;

	for (uint32_t at = b->begin; at < b->end; at++)
		n += b->graph->offset[b->queue[at] + 1] - b->graph->offset[b->queue[at]];
	return n;
}

static void run_bfs(struct bfs *b)
{
	uint64_t edges_left = b->graph->n_edges;
	int from_back = 0;

	for (; b->begin < b->n; b->begin = b->end) {
		b->end = b->n;
		b->depth++;
		if (b->transposed) {
			uint64_t edges = edges_of_level(b);

			if (!from_back)
				from_back = edges > edges_left / FROM_BACK_SHARE;
			else
				from_back = b->end - b->begin > b->graph->n_nodes / FROM_FRONT_SHARE;
			edges_left -= edges;
		}
		if (from_back)
			level_from_back(b);
		else
			level_from_front(b);
	}
}

size_t lanewise_graph_bfs_scratch_size(const lanewise_graph *graph)
{
	size_t n = graph->n_nodes;

	return lw_array_size(n, sizeof(uint32_t)) + 2 * lw_array_size(lw_bitmap_words(n), sizeof(uint64_t)) + 64;
}

static int is_transposed(const lanewise_graph *graph, const lanewise_graph *transposed)
{
	return transposed && transposed->n_nodes == graph->n_nodes && transposed->n_edges == graph->n_edges;
}

lanewise_status lanewise_graph_bfs(const lanewise_graph *graph, const lanewise_graph *transposed, const uint32_t *roots,
                                   size_t n_roots, void *scratch, uint32_t *level, size_t *n_reached,
                                   lanewise_error *error)
{
	unsigned char *rest = scratch;

	if (!graph || lw_scratch_bad(scratch) || (n_roots && !roots) || (graph->n_nodes && !level) ||
	    (transposed && !is_transposed(graph, transposed)))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "an argument is NULL, scratch is not aligned, or transposed does not fit");
	for (size_t i = 0; i < n_roots; i++)
		if (roots[i] >= graph->n_nodes)
			return lw_fail(error, LANEWISE_ERROR_DATA, i, "root %llu is %lu, but there are %lu nodes",
			               (unsigned long long)i, (unsigned long)roots[i], (unsigned long)graph->n_nodes);

	size_t n = graph->n_nodes, words = lw_bitmap_words(n);
	struct bfs b = { .graph = graph, .transposed = transposed, .level = level };

	b.queue = lw_take(&rest, n, sizeof *b.queue);
	b.reached = lw_take(&rest, words, sizeof *b.reached);
	b.frontier = lw_take(&rest, words, sizeof *b.frontier);
	memset(b.reached, 0, words * sizeof *b.reached);
	memset(b.frontier, 0, words * sizeof *b.frontier);
	if (n)
		memset(level, 0xff, n * sizeof *level);
	for (size_t i = 0; i < n_roots; i++)
		if (!lw_bit(b.reached, roots[i]))
			reach(&b, roots[i]);
	run_bfs(&b);
	if (n_reached)
		*n_reached = b.n;
	return LANEWISE_OK;
}

/* ------------------------------------------------------------ shortest path */

/*
 * Two searches, one along the edges and one against them, take turns by whole levels, the one with the smaller level
 * first. As long as they have not met, every node that both can meet in next lies on the last level of the other, so
 * the first meeting is on a shortest path.
 */
struct side {
	const lanewise_graph *graph;
	uint32_t *queue, *from; /* from[v]: where v was reached from; v itself at the end; LW_NONE if not reached */
	uint32_t begin, n;
};

static struct side begin_side(const lanewise_graph *graph, uint32_t start, unsigned char **scratch)
{
	struct side s = { .graph = graph };

	s.queue = lw_take(scratch, graph->n_nodes, sizeof *s.queue);
	s.from = lw_take(scratch, graph->n_nodes, sizeof *s.from);
	memset(s.from, 0xff, graph->n_nodes * sizeof *s.from);
	s.from[start] = start;
	s.queue[s.n++] = start;
	return s;
}

/* One more level; the node in which the searches meet, or LW_NONE. */
static uint32_t advance(struct side *s, const struct side *other)
{
	uint32_t end = s->n;

	for (; s->begin < end; s->begin++) {
		uint32_t u = s->queue[s->begin];

		for (uint32_t i = s->graph->offset[u]; i < s->graph->offset[u + 1]; i++) {
			uint32_t v = s->graph->target[i];

			if (s->from[v] != LW_NONE)
				continue;
			s->from[v] = u;
			if (other->from[v] != LW_NONE)
				return v;
			s->queue[s->n++] = v;
		}
	}
	return LW_NONE;
}

static size_t write_path(const struct side *ahead, const struct side *back, uint32_t meeting, uint32_t *path)
{
	size_t n_ahead = 1, n;

	for (uint32_t v = meeting; ahead->from[v] != v; v = ahead->from[v])
		n_ahead++;
	n = n_ahead;
	for (uint32_t v = meeting; n_ahead; v = ahead->from[v])
		path[--n_ahead] = v;
	for (uint32_t v = meeting; back->from[v] != v;)
		path[n++] = v = back->from[v];
	return n;
}

size_t lanewise_graph_path_scratch_size(const lanewise_graph *graph)
{
	return 4 * lw_array_size(graph->n_nodes, sizeof(uint32_t)) + 64;
}

lanewise_status lanewise_graph_path(const lanewise_graph *graph, const lanewise_graph *transposed, uint32_t from,
                                    uint32_t to, void *scratch, uint32_t *path, size_t *n_path)
{
	unsigned char *rest = scratch;

	if (!graph || !is_transposed(graph, transposed) || lw_scratch_bad(scratch) || !path || !n_path ||
	    from >= graph->n_nodes || to >= graph->n_nodes)
		return LANEWISE_ERROR_ARGUMENT;
	if (from == to) {
		path[0] = from;
		*n_path = 1;
		return LANEWISE_OK;
	}

	struct side ahead = begin_side(graph, from, &rest), back = begin_side(transposed, to, &rest);
	uint32_t meeting = LW_NONE;

	while (meeting == LW_NONE && ahead.begin < ahead.n && back.begin < back.n)
		meeting =
		        ahead.n - ahead.begin <= back.n - back.begin ? advance(&ahead, &back) : advance(&back, &ahead);
	*n_path = meeting == LW_NONE ? 0 : write_path(&ahead, &back, meeting, path);
	return LANEWISE_OK;
}

/* ---------------------------------------------------------- weak components */

/* Union-find in which the smallest node of a set is its root, so parents are never larger than their children. */
static uint32_t root_of(uint32_t *parent, uint32_t u)
{
	while (parent[u] != u)
		u = parent[u] = parent[parent[u]];
	return u;
}

lanewise_status lanewise_graph_weak_components(const lanewise_graph *graph, uint32_t *component, size_t *n_components)
{
	uint32_t n = 0;

	if (!graph || !n_components || (graph->n_nodes && !component))
		return LANEWISE_ERROR_ARGUMENT;
	for (uint32_t u = 0; u < graph->n_nodes; u++)
		component[u] = u;
	for (uint32_t u = 0; u < graph->n_nodes; u++)
		for (uint32_t i = graph->offset[u]; i < graph->offset[u + 1]; i++) {
			uint32_t a = root_of(component, u), b = root_of(component, graph->target[i]);

			component[a > b ? a : b] = a > b ? b : a;
		}
	/* A parent is smaller than its child and has its number already; a root takes the next. */
	for (uint32_t u = 0; u < graph->n_nodes; u++)
		component[u] = component[u] == u ? n++ : component[component[u]];
	*n_components = n;
	return LANEWISE_OK;
}

/* -------------------------------------------------------- strong components */

struct tarjan {
	const lanewise_graph *graph;
	uint32_t *index; /* in order of discovery; LW_NONE: not discovered */
	uint32_t *low;   /* the smallest index known to be reachable within what is on the stack */
	uint32_t *next;  /* the edge to follow next */
	uint32_t *path, *stack, *component;
	uint32_t n_path, n_stack, n_index, n_components;
};

static void discover(struct tarjan *t, uint32_t u)
{
	t->index[u] = t->low[u] = t->n_index++;
	t->next[u] = t->graph->offset[u];
	t->path[t->n_path++] = u;
	t->stack[t->n_stack++] = u;
}

/* All edges of u, the end of the path, were followed. */
static void leave(struct tarjan *t, uint32_t u)
{
	t->n_path--;
	if (t->low[u] == t->index[u]) {
		uint32_t v;

		do {
			v = t->stack[--t->n_stack];
			t->component[v] = t->n_components;
		} while (v != u);
		t->n_components++;
	}
	if (t->n_path) {
		uint32_t before = t->path[t->n_path - 1];

		if (t->low[u] < t->low[before])
			t->low[before] = t->low[u];
	}
}

static void components_from(struct tarjan *t, uint32_t root)
{
	discover(t, root);
	while (t->n_path) {
		uint32_t u = t->path[t->n_path - 1];

		if (t->next[u] == t->graph->offset[u + 1]) {
			leave(t, u);
			continue;
		}

		uint32_t v = t->graph->target[t->next[u]++];

		if (t->index[v] == LW_NONE)
			discover(t, v);
		else if (t->component[v] == LW_NONE && t->index[v] < t->low[u])
			t->low[u] = t->index[v];
	}
}

size_t lanewise_graph_strong_components_scratch_size(const lanewise_graph *graph)
{
	return 5 * lw_array_size(graph->n_nodes, sizeof(uint32_t)) + 64;
}

lanewise_status lanewise_graph_strong_components(const lanewise_graph *graph, void *scratch, uint32_t *component,
                                                 size_t *n_components)
{
	unsigned char *rest = scratch;
	struct tarjan t = { .graph = graph, .component = component };

	if (!graph || lw_scratch_bad(scratch) || !n_components || (graph->n_nodes && !component))
		return LANEWISE_ERROR_ARGUMENT;

	size_t n = graph->n_nodes;

	t.index = lw_take(&rest, n, sizeof *t.index);
	t.low = lw_take(&rest, n, sizeof *t.low);
	t.next = lw_take(&rest, n, sizeof *t.next);
	t.path = lw_take(&rest, n, sizeof *t.path);
	t.stack = lw_take(&rest, n, sizeof *t.stack);
	if (n) {
		memset(t.index, 0xff, n * sizeof *t.index);
		memset(component, 0xff, n * sizeof *component);
	}
	for (uint32_t u = 0; u < n; u++)
		if (t.index[u] == LW_NONE)
			components_from(&t, u);

	/* From Tarjan's numbers to those in order of the smallest node; `low` holds the new number of each old one. */
	uint32_t *number = t.low, n_numbers = 0;

	if (n)
		memset(number, 0xff, n * sizeof *number);
	for (uint32_t u = 0; u < n; u++) {
		if (number[component[u]] == LW_NONE)
			number[component[u]] = n_numbers++;
		component[u] = number[component[u]];
	}
	*n_components = t.n_components;
	return LANEWISE_OK;
}
