/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/graph.h - directed graphs: order, cycles, components, reachability, paths, betweenness, PageRank.
 *
 * What holds for every function here
 *
 * Graphs. Nodes are numbers from 0 to n_nodes - 1, edges go from a source to a target. A graph is kept as compressed
 * rows: the edges of a node lie side by side, in the order in which they were given. It is immutable after creation
 * and may be shared between threads. At most UINT32_MAX - 1 nodes and as many edges.
 *
 * Results depend on the graph alone: the same bits on every CPU. Nothing is recursive; a chain of ten million nodes
 * needs no more stack than one of ten.
 *
 * Memory. Only *_create() allocates. `scratch` is memory of the caller's of at least the size that the function's
 * *_scratch_size() tells, aligned as by malloc; it needs no preparation and holds nothing afterwards; one per thread. Outputs
 * must not overlap scratch, inputs or each other. Arrays of 0 elements may be NULL.
 *
 * Errors. Functions return LANEWISE_ERROR_ARGUMENT for a NULL pointer that is not said to be optional and for scratch
 * that is not aligned, before anything is written. In a lanewise_error the offset is the number of the edge or node at
 * fault (not a byte), and the text names it.
 *
 * Cost. O(nodes + edges) unless said otherwise.
 */
#ifndef LANEWISE_GRAPH_H
#define LANEWISE_GRAPH_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* No node, no level, no parent. */
#define LANEWISE_GRAPH_NONE UINT32_MAX

/* ----------------------------------------------------------------- graphs */

typedef struct lanewise_graph lanewise_graph;

/* What to do with edges of a kind. */
enum {
	LANEWISE_GRAPH_KEEP = 0, /* they are edges like others */
	LANEWISE_GRAPH_DROP =
	        1, /* self-loops are left out; of duplicates the first stays, with the sum of the weights */
	LANEWISE_GRAPH_REFUSE = 2 /* LANEWISE_ERROR_DATA */
};

typedef struct lanewise_graph_options {
	size_t struct_size; /* sizeof(lanewise_graph_options) */
	int32_t self_loops; /* edges from a node to itself; default LANEWISE_GRAPH_KEEP */
	int32_t duplicates; /* further edges of the same source and target; default LANEWISE_GRAPH_KEEP */
} lanewise_graph_options;

/*
 * The graph of the edges src[i] -> dst[i] of weight[i], 0 <= i < n_edges; everything is copied. `weight` NULL: the
 * edges have no weights. `options` NULL means the defaults, `allocator` NULL the C library's, `error` may be NULL.
 *
 * LANEWISE_ERROR_ARGUMENT also for an option outside its range or another struct_size. LANEWISE_ERROR_TOO_LARGE: more
 * nodes or edges than said above. LANEWISE_ERROR_DATA: a node that is not below n_nodes, a weight that is negative, NaN
 * or infinite, weights of duplicates whose sum is infinite, or an edge that the options refuse; the error names the
 * first such edge and its offset is the edge's number. LANEWISE_ERROR_NO_MEMORY.
 */
LANEWISE_API lanewise_status lanewise_graph_create(size_t n_nodes, const uint32_t *src, const uint32_t *dst,
                                                   const double *weight, size_t n_edges,
                                                   const lanewise_graph_options *options,
                                                   const lanewise_allocator *allocator, lanewise_graph **graph,
                                                   lanewise_error *error);

/* The graph with every edge turned round; the edges of a node are then in ascending order of their targets. */
LANEWISE_API lanewise_status lanewise_graph_transpose_create(const lanewise_graph *graph,
                                                             const lanewise_allocator *allocator,
                                                             lanewise_graph **transposed);

/* NULL is fine. */
LANEWISE_API void lanewise_graph_destroy(lanewise_graph *graph);

LANEWISE_API size_t lanewise_graph_n_nodes(const lanewise_graph *graph);
LANEWISE_API size_t lanewise_graph_n_edges(const lanewise_graph *graph);

/*
 * The rows themselves, valid as long as the graph: the edges of node u are those from offsets[u] to offsets[u + 1] - 1
 * (n_nodes + 1 offsets), with their targets and weights; weights are NULL if the graph has none.
 */
LANEWISE_API const uint32_t *lanewise_graph_offsets(const lanewise_graph *graph);
LANEWISE_API const uint32_t *lanewise_graph_targets(const lanewise_graph *graph);
LANEWISE_API const double *lanewise_graph_weights(const lanewise_graph *graph);

/* ------------------------------------------------------------------ names */

/* Names, numbered from 0 in order of first mention: the nodes of a graph whose edges are given by name. */
typedef struct lanewise_names lanewise_names;

/*
 * number[i] is the number of the i-th mention of a name, text[begin[i]] ... text[begin[i + 1] - 1], 0 <= i < n_mentions
 * (n_mentions + 1 elements of `begin`). Names are bytes; the empty one is a name too. Everything is copied. So the edges
 * between names, mentioned source, target, source, target, ..., become the arrays of lanewise_graph_create.
 *
 * LANEWISE_ERROR_DATA: begin[i + 1] is below begin[i]; the offset is i. LANEWISE_ERROR_TOO_LARGE: over UINT32_MAX - 1
 * mentions. LANEWISE_ERROR_NO_MEMORY. O(length of the text) expected, whatever names a stranger chooses.
 */
LANEWISE_API lanewise_status lanewise_names_create(const char *text, const size_t *begin, size_t n_mentions,
                                                   const lanewise_allocator *allocator, lanewise_names **names,
                                                   uint32_t *number, lanewise_error *error);

/* NULL is fine. */
LANEWISE_API void lanewise_names_destroy(lanewise_names *names);

/* How many there are, all different. */
LANEWISE_API size_t lanewise_names_count(const lanewise_names *names);

/* The bytes of a name, *n_bytes of them, valid as long as `names` and not ended by a 0; NULL if there is no such number. */
LANEWISE_API const char *lanewise_names_get(const lanewise_names *names, uint32_t number, size_t *n_bytes);

/* The number of a name, or LANEWISE_GRAPH_NONE. `text` may be NULL if n_bytes is 0. */
LANEWISE_API uint32_t lanewise_names_find(const lanewise_names *names, const char *text, size_t n_bytes);

/* ------------------------------------------------------------------ order */

LANEWISE_API size_t lanewise_graph_topo_scratch_size(const lanewise_graph *graph);

/*
 * Topological order (Kahn, 1962). A node's level is the number of edges on the longest path that ends there; `order`
 * (room for n_nodes) gets the nodes by ascending level, those of one level by ascending number, so every node comes
 * after all that have an edge to it. `level` (n_nodes, or NULL) gets the levels, *n_levels (may be NULL) their number.
 *
 * LANEWISE_ERROR_DATA: the graph has a cycle; the error names an edge on one, its offset is that edge's source. Then
 * `order` holds the *n_ordered nodes that no cycle leads to, all others have level LANEWISE_GRAPH_NONE, and
 * lanewise_graph_find_cycle tells the whole cycle. A self-loop is a cycle.
 */
LANEWISE_API lanewise_status lanewise_graph_topo(const lanewise_graph *graph, void *scratch, uint32_t *order,
                                                 size_t *n_ordered, uint32_t *level, size_t *n_levels,
                                                 lanewise_error *error);

LANEWISE_API size_t lanewise_graph_find_cycle_scratch_size(const lanewise_graph *graph);

/*
 * A cycle, the first that a depth-first search from node 0 on meets: *n_cycle nodes into `cycle` (room for n_nodes),
 * each with an edge to the next and the last with one to the first, all different. *n_cycle is 0 if there is none.
 */
LANEWISE_API lanewise_status lanewise_graph_find_cycle(const lanewise_graph *graph, void *scratch, uint32_t *cycle,
                                                       size_t *n_cycle);

LANEWISE_API size_t lanewise_parent_order_scratch_size(size_t n_rows, size_t n_keys);

/*
 * Rows ordered so that parents come before their children and everything else stays as it was, as a trace needs it.
 * Row i has the key key[i] < n_keys and its parent is the row with the key parent_key[i], or it has none if that is
 * LANEWISE_GRAPH_NONE or the key of no row. Of several rows with one key the first counts and the others are left out.
 * `key` NULL: row i has key i, and n_keys = n_rows.
 *
 * Rows are taken in turn; before a row that is not in `order` yet, those of its ancestors that are not go in, eldest
 * first. The climb ends at a row met before, so a cycle of parents is cut where it would close. `order` (room for
 * n_rows) gets *n_order row numbers.
 *
 * LANEWISE_ERROR_DATA: a key that is not below n_keys; the offset is the row. LANEWISE_ERROR_TOO_LARGE: over UINT32_MAX - 1
 * rows or keys. LANEWISE_ERROR_ARGUMENT: also if key is NULL and n_keys is not n_rows. O(n_rows + n_keys).
 */
LANEWISE_API lanewise_status lanewise_parent_order(const uint32_t *key, const uint32_t *parent_key, size_t n_rows,
                                                   size_t n_keys, void *scratch, uint32_t *order, size_t *n_order,
                                                   lanewise_error *error);

/*
 * Work through a graph as its nodes get done. ready_start sets count[u] (n_nodes) to the number of edges to u, and puts the
 * nodes with none, ascending, into `ready` (room for n_nodes). ready_done says that `node`, which was ready, is done:
 * the nodes that become ready by this, in order of the edges to them, go into `ready` (room for the number of node's
 * edges), and count[node] becomes LANEWISE_GRAPH_NONE. O(edges of the node).
 *
 * LANEWISE_ERROR_ARGUMENT: node is no node, is not ready, or is done already.
 */
LANEWISE_API lanewise_status lanewise_graph_ready_start(const lanewise_graph *graph, uint32_t *count, uint32_t *ready,
                                                        size_t *n_ready);
LANEWISE_API lanewise_status lanewise_graph_ready_done(const lanewise_graph *graph, uint32_t node, uint32_t *count,
                                                       uint32_t *ready, size_t *n_ready);

/* The nodes without edges, ascending, into `nodes` (room for n_nodes). */
LANEWISE_API lanewise_status lanewise_graph_dangling(const lanewise_graph *graph, uint32_t *nodes, size_t *n_found);

/* ----------------------------------------------------------- reachability */

LANEWISE_API size_t lanewise_graph_bfs_scratch_size(const lanewise_graph *graph);

/*
 * level[u] (n_nodes) is the number of edges on the shortest path from any of the roots to u, or LANEWISE_GRAPH_NONE if there is
 * none; *n_reached (may be NULL) the number of nodes reached, roots among them. A root may be given twice.
 *
 * `transposed`, the graph of lanewise_graph_transpose_create, may be NULL. With it, levels that reach much of the
 * graph are found from the side of the nodes not reached yet (Beamer, Asanovic and Patterson, "Direction-optimizing
 * breadth-first search", 2012), which is faster and gives the same. LANEWISE_ERROR_ARGUMENT: it has other numbers of nodes or
 * edges. LANEWISE_ERROR_DATA: a root is no node; the offset is its place in `roots`.
 */
LANEWISE_API lanewise_status lanewise_graph_bfs(const lanewise_graph *graph, const lanewise_graph *transposed,
                                                const uint32_t *roots, size_t n_roots, void *scratch, uint32_t *level,
                                                size_t *n_reached, lanewise_error *error);

LANEWISE_API size_t lanewise_graph_path_scratch_size(const lanewise_graph *graph);

/*
 * A shortest path by number of edges, searched from both ends: *n_path nodes into `path` (room for n_nodes), `from`
 * first and `to` last; 0 if there is none, 1 if they are the same. `transposed` is that of
 * lanewise_graph_transpose_create. LANEWISE_ERROR_ARGUMENT: from or to is no node, or transposed does not fit.
 */
LANEWISE_API lanewise_status lanewise_graph_path(const lanewise_graph *graph, const lanewise_graph *transposed,
                                                 uint32_t from, uint32_t to, void *scratch, uint32_t *path,
                                                 size_t *n_path);

/*
 * Weakly connected components: component[u] (n_nodes) is the number of u's, counted from 0 in order of the smallest node
 * in each; *n_components how many there are. O(edges * log nodes) at worst, nearly linear in practice.
 */
LANEWISE_API lanewise_status lanewise_graph_weak_components(const lanewise_graph *graph, uint32_t *component,
                                                            size_t *n_components);

LANEWISE_API size_t lanewise_graph_strong_components_scratch_size(const lanewise_graph *graph);

/* The same for strongly connected components (Tarjan, 1972). */
LANEWISE_API lanewise_status lanewise_graph_strong_components(const lanewise_graph *graph, void *scratch,
                                                              uint32_t *component, size_t *n_components);

/* ------------------------------------------------------------ betweenness */

typedef struct lanewise_betweenness_options {
	size_t struct_size; /* sizeof(lanewise_betweenness_options) */
	size_t n_samples;   /* so many nodes as sources, drawn by chance, instead of all; default 0: all */
	uint64_t seed;      /* of that chance; default 0 */
	int32_t normalized; /* default 1 */
} lanewise_betweenness_options;

LANEWISE_API size_t lanewise_graph_betweenness_scratch_size(const lanewise_graph *graph);

/*
 * Betweenness (Freeman, 1977; computed as by Brandes, 2001): centrality[u] (n_nodes) is the sum over all ordered pairs of
 * other nodes s, t of the share of the shortest paths from s to t, by number of edges, that pass through u. `normalized`
 * divides it by (n_nodes - 1) * (n_nodes - 2), the number of pairs, if there are more than 2 nodes. For an undirected
 * graph give each edge in both directions; without `normalized` each pair then counts twice. Several edges from one
 * node to another are several paths, so drop duplicates for what NetworkX computes. `options` NULL means the defaults.
 *
 * With n_samples below n_nodes only paths from so many sources count, and the result is multiplied by n_nodes /
 * n_samples: an estimate whose expected value is right. A seed draws the same sources on every CPU.
 *
 * LANEWISE_ERROR_TOO_LARGE: over 2^1000 shortest paths between two nodes; the offset is the first, and nothing of
 * `centrality` is of use. LANEWISE_ERROR_ARGUMENT: also for another struct_size. O((nodes + edges) * sources).
 */
LANEWISE_API lanewise_status lanewise_graph_betweenness(const lanewise_graph *graph,
                                                        const lanewise_betweenness_options *options, void *scratch,
                                                        double *centrality, lanewise_error *error);

/* --------------------------------------------------------------- pagerank */

/*
 * PageRank by power iteration, in double. With p the personalisation scaled to sum 1 (1 / n_nodes for all without
 * one), start at 1 / n_nodes and repeat
 *
 *     rank'[v] = damping * sum over edges u -> v of share(u, v) * rank[u]  +  (1 - damping + damping * lost) * p[v]
 *
 * where share is 1 / (edges of u), or the edge's weight / the sum of u's weights, and lost is the sum of the ranks of
 * nodes without edges (or without any of positive weight), which is thus given to all as p says. LANEWISE_PAGERANK_DROP
 * makes lost 0; then ranks do not add up to 1. It ends when the sum of |rank' - rank| is below n_nodes * tolerance. This is
 * what NetworkX computes, with the same defaults.
 *
 * Bits. The sum for v goes over its edges one by one, u by descending number of edges, then ascending; u's edges in
 * their order. Unweighted, each term is rank[u] times the rounded 1 / (edges of u); weighted, rank[u] times the rounded
 * quotient. The sums over all nodes are taken with nodes by descending number of edges to them, then ascending (that
 * of a personalisation: ascending), in blocks of 4096, each by 8 partial sums (i mod 8) that are added as
 * ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)). Nothing is fused. A batch gives the bits of single runs.
 */

/* A graph laid out for PageRank. Immutable, shareable; independent of the graph it was made from. */
typedef struct lanewise_pagerank lanewise_pagerank;

enum { LANEWISE_PAGERANK_REDISTRIBUTE = 0, LANEWISE_PAGERANK_DROP = 1 };

typedef struct lanewise_pagerank_options {
	size_t struct_size;      /* sizeof(lanewise_pagerank_options) */
	double damping;          /* default 0.85; 0 ... 1 */
	double tolerance;        /* default 1e-6; not negative; 0: all iterations */
	uint32_t max_iterations; /* default 100 */
	int32_t dangling;        /* default LANEWISE_PAGERANK_REDISTRIBUTE */
} lanewise_pagerank_options;

typedef struct lanewise_pagerank_result {
	uint32_t iterations;
	int32_t converged; /* 1 if the last change was below the tolerance, else 0 */
	double change;     /* the sum of |rank' - rank| in the last iteration */
} lanewise_pagerank_result;

/*
 * `use_weights` 0 counts all edges alike. The graph may be destroyed afterwards.
 *
 * LANEWISE_ERROR_DATA: the sum of a node's weights is infinite; the offset is the node. LANEWISE_ERROR_TOO_LARGE,
 * LANEWISE_ERROR_NO_MEMORY.
 */
LANEWISE_API lanewise_status lanewise_pagerank_create(const lanewise_graph *graph, int32_t use_weights,
                                                      const lanewise_allocator *allocator, lanewise_pagerank **pagerank,
                                                      lanewise_error *error);

/* NULL is fine. */
LANEWISE_API void lanewise_pagerank_destroy(lanewise_pagerank *pagerank);

/* For lanewise_pagerank_run, and for _run_many with any number of vectors. 0 if the size overflows. */
LANEWISE_API size_t lanewise_pagerank_run_scratch_size(const lanewise_pagerank *pagerank);
LANEWISE_API size_t lanewise_pagerank_run_many_scratch_size(const lanewise_pagerank *pagerank);

/*
 * The rank of every node (n_nodes). `options` NULL means the defaults; `personalisation` (n_nodes) may be NULL;
 * `result` and `error` may be NULL. Not to converge is no error.
 *
 * LANEWISE_ERROR_ARGUMENT: an option outside its range, another struct_size. LANEWISE_ERROR_DATA: a personalisation that is
 * negative, NaN or infinite (the offset is the node), or whose sum is 0 or infinite.
 */
LANEWISE_API lanewise_status lanewise_pagerank_run(const lanewise_pagerank *pagerank,
                                                   const lanewise_pagerank_options *options,
                                                   const double *personalisation, void *scratch, double *rank,
                                                   lanewise_pagerank_result *result, lanewise_error *error);

/*
 * The same for n_vectors personalisations, vector j at personalisation + j * ld, its ranks to rank + j * ld
 * (ld >= n_nodes), its result to result[j] (result may be NULL). Sixteen go through the graph together, at a fraction of
 * the time of sixteen runs. On an error nothing of `rank` is of use. LANEWISE_ERROR_ARGUMENT: also for ld < n_nodes;
 * LANEWISE_ERROR_TOO_LARGE: n_vectors * ld overflows. In an error about a personalisation the text names the vector.
 */
LANEWISE_API lanewise_status lanewise_pagerank_run_many(const lanewise_pagerank *pagerank,
                                                        const lanewise_pagerank_options *options,
                                                        const double *personalisation, size_t n_vectors, size_t ld,
                                                        void *scratch, double *rank, lanewise_pagerank_result *result,
                                                        lanewise_error *error);

#ifdef __cplusplus
}
#endif

#endif
