/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/graph.h against definitions: random small graphs of many kinds, on which everything is computed a second time from
 * a matrix of distances or a dense matrix of ranks, in the plainest way there is; chains of ten million nodes; bad input.
 */
#include <lanewise/graph.h>

#include <math.h>
#include <stdlib.h>

#include "counting_allocator.h"
#include "test.h"

enum { MAX_N = 48, MAX_M = 300, FAR = 1000000 };

static uint64_t seed = 1;

static uint32_t below(uint32_t n) { return n ? (uint32_t)(test_random(&seed) % n) : 0; }

static void *scratch_of(size_t n_bytes)
{
	void *p = aligned_alloc(64, (n_bytes + 63) / 64 * 64 + 64);

	if (!p)
		abort();
	memset(p, 0xa5, n_bytes); /* it needs no preparation */
	return p;
}

/* ----------------------------------------------------------- random graphs */

struct sample {
	uint32_t n, m;
	uint32_t src[MAX_M], dst[MAX_M];
	double weight[MAX_M];
	lanewise_graph *graph, *transposed;
	int distance[MAX_N][MAX_N]; /* 0 to itself, FAR: none */
	int on_cycle[MAX_N];
};

static void draw(struct sample *s)
{
	uint32_t kind = below(6);

	s->n = kind == 5 ? below(3) : 1 + below(MAX_N);
	s->m = s->n ? below(kind == 0 ? 8 * s->n : kind == 1 ? s->n : 2 * s->n + 1) : 0;
	if (s->m > MAX_M)
		s->m = MAX_M;
	for (uint32_t i = 0; i < s->m; i++) {
		uint32_t a = below(s->n), b = kind == 3 ? below(1 + below(s->n)) : below(s->n);

		if (kind == 2 || kind == 4) { /* acyclic, but for self-loops, which go */
			uint32_t low = a < b ? a : b, high = a < b ? b : a;

			a = kind == 2 ? low : high;
			b = kind == 2 ? high : low;
			if (a == b) {
				i--;
				s->m--;
				continue;
			}
		}
		s->src[i] = a;
		s->dst[i] = b;
		s->weight[i] = below(4) ? (double)(test_random(&seed) >> 11) * 0x1p-53 : 0;
	}
}

static void make(struct sample *s, int weighted)
{
	s->graph = s->transposed = NULL;
	CHECK_EQUAL(lanewise_graph_create(s->n, s->src, s->dst, weighted ? s->weight : NULL, s->m, NULL, NULL,
	                                  &s->graph, NULL),
	            LANEWISE_OK);
	CHECK_EQUAL(lanewise_graph_transpose_create(s->graph, NULL, &s->transposed), LANEWISE_OK);
}

static void release(struct sample *s)
{
	lanewise_graph_destroy(s->graph);
	lanewise_graph_destroy(s->transposed);
}

static void measure(struct sample *s)
{
	for (uint32_t a = 0; a < s->n; a++)
		for (uint32_t b = 0; b < s->n; b++)
			s->distance[a][b] = a == b ? 0 : FAR;
	for (uint32_t i = 0; i < s->m; i++)
		if (s->src[i] != s->dst[i])
			s->distance[s->src[i]][s->dst[i]] = 1;
	for (uint32_t k = 0; k < s->n; k++)
		for (uint32_t a = 0; a < s->n; a++)
			for (uint32_t b = 0; b < s->n; b++)
				if (s->distance[a][k] + s->distance[k][b] < s->distance[a][b])
					s->distance[a][b] = s->distance[a][k] + s->distance[k][b];
	memset(s->on_cycle, 0, sizeof s->on_cycle);
	for (uint32_t i = 0; i < s->m; i++)
		if (s->distance[s->dst[i]][s->src[i]] < FAR)
			s->on_cycle[s->src[i]] = 1;
}

static int has_edge(const struct sample *s, uint32_t a, uint32_t b)
{
	for (uint32_t i = 0; i < s->m; i++)
		if (s->src[i] == a && s->dst[i] == b)
			return 1;
	return 0;
}

/* -------------------------------------------------------------------- rows */

static void test_rows(const struct sample *s, int weighted)
{
	const uint32_t *offset = lanewise_graph_offsets(s->graph), *target = lanewise_graph_targets(s->graph);
	const double *weight = lanewise_graph_weights(s->graph);
	uint32_t at = 0;

	CHECK_EQUAL(lanewise_graph_n_nodes(s->graph), s->n);
	CHECK_EQUAL(lanewise_graph_n_edges(s->graph), s->m);
	CHECK((weight != NULL) == weighted);
	for (uint32_t u = 0; u < s->n; u++) {
		CHECK_EQUAL(offset[u], at);
		for (uint32_t i = 0; i < s->m; i++)
			if (s->src[i] == u) {
				CHECK_EQUAL(target[at], s->dst[i]);
				CHECK(!weighted || weight[at] == s->weight[i]);
				at++;
			}
	}
	CHECK_EQUAL(offset[s->n], at);

	const uint32_t *back = lanewise_graph_offsets(s->transposed), *from = lanewise_graph_targets(s->transposed);
	const double *back_weight = lanewise_graph_weights(s->transposed);

	at = 0;
	for (uint32_t v = 0; v < s->n; v++) {
		CHECK_EQUAL(back[v], at);
		for (uint32_t u = 0; u < s->n; u++)
			for (uint32_t i = 0; i < s->m; i++)
				if (s->src[i] == u && s->dst[i] == v) {
					CHECK_EQUAL(from[at], u);
					CHECK(!weighted || back_weight[at] == s->weight[i]);
					at++;
				}
	}
	CHECK_EQUAL(back[s->n], at);
}

/* Options: the rows are what is left when a plain loop drops edges. */
static void test_options(const struct sample *s)
{
	static uint32_t src[MAX_M], dst[MAX_M];
	static double weight[MAX_M];
	lanewise_graph_options options = { sizeof options, (int32_t)below(2), (int32_t)below(2) };
	lanewise_graph *graph = NULL, *plain = NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->m; i++) {
		uint32_t j = options.duplicates == LANEWISE_GRAPH_DROP ? 0 : n;

		if (options.self_loops == LANEWISE_GRAPH_DROP && s->src[i] == s->dst[i])
			continue;
		while (j < n && (src[j] != s->src[i] || dst[j] != s->dst[i]))
			j++;
		src[j] = s->src[i];
		dst[j] = s->dst[i];
		weight[j] = j < n ? weight[j] + s->weight[i] : s->weight[i];
		n += j == n;
	}
	CHECK_EQUAL(lanewise_graph_create(s->n, s->src, s->dst, s->weight, s->m, &options, NULL, &graph, NULL),
	            LANEWISE_OK);
	CHECK_EQUAL(lanewise_graph_create(s->n, src, dst, weight, n, NULL, NULL, &plain, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_graph_n_edges(graph), n);
	CHECK(!memcmp(lanewise_graph_offsets(graph), lanewise_graph_offsets(plain), (s->n + 1) * sizeof(uint32_t)));
	CHECK(!memcmp(lanewise_graph_targets(graph), lanewise_graph_targets(plain), n * sizeof(uint32_t)));
	CHECK(!memcmp(lanewise_graph_weights(graph), lanewise_graph_weights(plain), n * sizeof(double)));
	lanewise_graph_destroy(graph);
	lanewise_graph_destroy(plain);
}

/* ------------------------------------------------------------------- order */

/* The longest path to u over edges between nodes that no cycle leads to; -1 if one leads to u. */
static void longest_paths(const struct sample *s, int *longest)
{
	for (uint32_t v = 0; v < s->n; v++) {
		longest[v] = 0;
		for (uint32_t u = 0; u < s->n; u++)
			if (s->on_cycle[u] && s->distance[u][v] < FAR)
				longest[v] = -1;
	}
	for (uint32_t round = 0; round < s->n; round++)
		for (uint32_t i = 0; i < s->m; i++)
			if (longest[s->dst[i]] >= 0 && longest[s->src[i]] + 1 > longest[s->dst[i]])
				longest[s->dst[i]] = longest[s->src[i]] + 1;
}

static void check_cycle(const struct sample *s, const uint32_t *cycle, size_t n)
{
	int seen[MAX_N] = { 0 };

	for (size_t i = 0; i < n; i++) {
		CHECK(cycle[i] < s->n && !seen[cycle[i]]++);
		CHECK(has_edge(s, cycle[i], cycle[(i + 1) % n]));
	}
}

static void test_topo(const struct sample *s)
{
	uint32_t order[MAX_N], level[MAX_N], again[MAX_N];
	int longest[MAX_N], n_cycles = 0, n_levels = 0;
	size_t n_ordered = 77, n_found = 77, n_again;
	lanewise_error error = { 0 };
	void *scratch = scratch_of(lanewise_graph_topo_scratch_size(s->graph));
	lanewise_status status = lanewise_graph_topo(s->graph, scratch, order, &n_ordered, level, &n_found, &error);
	uint32_t at = 0;

	longest_paths(s, longest);
	for (uint32_t u = 0; u < s->n; u++) {
		n_cycles += s->on_cycle[u];
		n_levels = longest[u] + 1 > n_levels ? longest[u] + 1 : n_levels;
		CHECK_EQUAL(level[u], longest[u] < 0 ? LANEWISE_GRAPH_NONE : (uint32_t)longest[u]);
	}
	CHECK_EQUAL(status, n_cycles ? LANEWISE_ERROR_DATA : LANEWISE_OK);
	CHECK_EQUAL(n_found, n_levels);
	for (int l = 0; l < n_levels; l++)
		for (uint32_t u = 0; u < s->n; u++)
			if (longest[u] == l)
				CHECK(at < n_ordered && order[at++] == u);
	CHECK_EQUAL(at, n_ordered);
	if (n_cycles) {
		unsigned long a = 0, b = 0;

		CHECK(sscanf(error.what, "edge %lu -> %lu closes a cycle", &a, &b) == 2);
		CHECK(a < s->n && b < s->n && has_edge(s, (uint32_t)a, (uint32_t)b) && s->distance[b][a] < FAR);
		CHECK_EQUAL(error.offset, a);
	}
	CHECK_EQUAL(lanewise_graph_topo(s->graph, scratch, again, &n_again, NULL, NULL, NULL), status);
	CHECK(n_again == n_ordered && !memcmp(again, order, n_again * sizeof *order));
	free(scratch);

	scratch = scratch_of(lanewise_graph_find_cycle_scratch_size(s->graph));
	CHECK_EQUAL(lanewise_graph_find_cycle(s->graph, scratch, order, &n_found), LANEWISE_OK);
	CHECK_EQUAL(n_found > 0, n_cycles > 0);
	check_cycle(s, order, n_found);
	free(scratch);
}

static void test_ready(const struct sample *s)
{
	uint32_t count[MAX_N], queue[MAX_N + MAX_M], done[MAX_N] = { 0 };
	int longest[MAX_N];
	size_t n = 0, n_more = 0;

	longest_paths(s, longest);
	CHECK_EQUAL(lanewise_graph_ready_start(s->graph, count, queue, &n), LANEWISE_OK);
	while (n > 0) {
		uint32_t pick = below((uint32_t)n), u = queue[pick];

		for (uint32_t e = 0; e < s->m; e++)
			CHECK(s->dst[e] != u || done[s->src[e]]);
		CHECK(!done[u]);
		done[u] = 1;
		queue[pick] = queue[--n];
		CHECK_EQUAL(lanewise_graph_ready_done(s->graph, u, count, queue + n, &n_more), LANEWISE_OK);
		CHECK_EQUAL(lanewise_graph_ready_done(s->graph, u, count, queue + n, &n_more), LANEWISE_ERROR_ARGUMENT);
		n += n_more;
	}
	for (uint32_t u = 0; u < s->n; u++) {
		CHECK_EQUAL(done[u], longest[u] >= 0);
		if (!done[u])
			CHECK_EQUAL(lanewise_graph_ready_done(s->graph, u, count, queue, &n), LANEWISE_ERROR_ARGUMENT);
	}
}

/* The recursion that one would write first. */
struct visits {
	const uint32_t *key, *parent_key;
	uint32_t n, order[MAX_M], n_order;
	int met[MAX_M];
};

static void visit(struct visits *v, uint32_t row)
{
	if (v->met[row])
		return;
	v->met[row] = 1;
	for (uint32_t i = 0; i < v->n; i++)
		if (v->key[i] == v->parent_key[row]) {
			visit(v, i);
			break;
		}
	v->order[v->n_order++] = row;
}

static void test_parent_order(void)
{
	uint32_t key[MAX_M], parent[MAX_M], order[MAX_M], n_keys = 1 + below(100);
	struct visits v = { key, parent, below(MAX_M), { 0 }, 0, { 0 } };
	void *scratch = scratch_of(lanewise_parent_order_scratch_size(MAX_M, MAX_M));
	int with_keys = (int)below(2);
	size_t n = 77;

	if (!with_keys)
		n_keys = v.n;
	for (uint32_t i = 0; i < v.n; i++) {
		key[i] = with_keys ? below(n_keys) : i;
		parent[i] = below(5) ? below(n_keys) : LANEWISE_GRAPH_NONE;
	}
	for (uint32_t i = 0; i < v.n; i++) {
		uint32_t first = 0;

		while (key[first] != key[i])
			first++;
		if (first == i)
			visit(&v, i);
	}
	CHECK_EQUAL(lanewise_parent_order(with_keys ? key : NULL, parent, v.n, n_keys, scratch, order, &n, NULL),
	            LANEWISE_OK);
	CHECK_EQUAL(n, v.n_order);
	CHECK(!memcmp(order, v.order, n * sizeof *order));
	free(scratch);
}

/* ------------------------------------------------------------ reachability */

static void test_bfs(const struct sample *s)
{
	uint32_t roots[4], level[MAX_N], n_roots = s->n ? below(5) : 0;
	void *scratch = scratch_of(lanewise_graph_bfs_scratch_size(s->graph));

	for (uint32_t i = 0; i < n_roots; i++)
		roots[i] = below(s->n);
	for (int both = 0; both < 2; both++) {
		size_t n_reached = 77, expected = 0;

		CHECK_EQUAL(lanewise_graph_bfs(s->graph, both ? s->transposed : NULL, roots, n_roots, scratch, level,
		                               &n_reached, NULL),
		            LANEWISE_OK);
		for (uint32_t v = 0; v < s->n; v++) {
			int best = FAR;

			for (uint32_t i = 0; i < n_roots; i++)
				if (s->distance[roots[i]][v] < best)
					best = s->distance[roots[i]][v];
			CHECK_EQUAL(level[v], best == FAR ? LANEWISE_GRAPH_NONE : (uint32_t)best);
			expected += best < FAR;
		}
		CHECK_EQUAL(n_reached, expected);
	}
	free(scratch);
}

static void test_path(const struct sample *s)
{
	void *scratch = scratch_of(lanewise_graph_path_scratch_size(s->graph));
	uint32_t path[MAX_N];

	for (int i = 0; s->n && i < 20; i++) {
		uint32_t from = below(s->n), to = below(s->n);
		size_t n = 77;

		CHECK_EQUAL(lanewise_graph_path(s->graph, s->transposed, from, to, scratch, path, &n), LANEWISE_OK);
		CHECK_EQUAL(n, s->distance[from][to] == FAR ? 0 : s->distance[from][to] + 1);
		if (n)
			CHECK(path[0] == from && path[n - 1] == to);
		for (size_t j = 1; j < n; j++)
			CHECK(has_edge(s, path[j - 1], path[j]));
	}
	free(scratch);
}

static void check_numbering(const struct sample *s, const uint32_t *component, size_t n_components,
                            int (*together)(const struct sample *, uint32_t, uint32_t))
{
	uint32_t n = 0;

	for (uint32_t u = 0; u < s->n; u++) {
		uint32_t first = 0;

		while (!together(s, first, u))
			first++;
		CHECK_EQUAL(component[u], first == u ? n : component[first]);
		n += first == u;
	}
	CHECK_EQUAL(n, n_components);
}

static int strongly(const struct sample *s, uint32_t a, uint32_t b)
{
	return s->distance[a][b] < FAR && s->distance[b][a] < FAR;
}

static int weakly(const struct sample *s, uint32_t a, uint32_t b)
{
	uint64_t reached = UINT64_C(1) << a, before = 0;

	while (reached != before) {
		before = reached;
		for (uint32_t i = 0; i < s->m; i++) {
			uint64_t ends = UINT64_C(1) << s->src[i] | UINT64_C(1) << s->dst[i];

			if (reached & ends)
				reached |= ends;
		}
	}
	return reached >> b & 1;
}

static void test_components(const struct sample *s)
{
	void *scratch = scratch_of(lanewise_graph_strong_components_scratch_size(s->graph));
	uint32_t component[MAX_N], dangling[MAX_N];
	size_t n = 77, at = 0;

	CHECK_EQUAL(lanewise_graph_strong_components(s->graph, scratch, component, &n), LANEWISE_OK);
	check_numbering(s, component, n, strongly);
	CHECK_EQUAL(lanewise_graph_weak_components(s->graph, component, &n), LANEWISE_OK);
	check_numbering(s, component, n, weakly);
	CHECK_EQUAL(lanewise_graph_dangling(s->graph, dangling, &n), LANEWISE_OK);
	for (uint32_t u = 0; u < s->n; u++) {
		int has = 0;

		for (uint32_t i = 0; i < s->m; i++)
			has |= s->src[i] == u;
		if (!has)
			CHECK(at < n && dangling[at++] == u);
	}
	CHECK_EQUAL(at, n);
	free(scratch);
}

/* ---------------------------------------------------------------- pagerank */

/* The definition over a dense matrix in long double; the number of iterations, 0 if the change came too close to call. */
static int dense_pagerank(const struct sample *s, int weighted, const lanewise_pagerank_options *o,
                          const double *wanted, long double *rank)
{
	static long double share[MAX_N][MAX_N];
	long double total[MAX_N] = { 0 }, p[MAX_N], sum = 0, next[MAX_N];

	memset(share, 0, sizeof share);
	for (uint32_t i = 0; i < s->m; i++) {
		share[s->src[i]][s->dst[i]] += weighted ? (long double)s->weight[i] : 1;
		total[s->src[i]] += weighted ? (long double)s->weight[i] : 1;
	}
	for (uint32_t u = 0; u < s->n; u++)
		sum += wanted ? (long double)wanted[u] : 1;
	for (uint32_t u = 0; u < s->n; u++) {
		p[u] = (wanted ? (long double)wanted[u] : 1) / sum;
		rank[u] = 1.0L / s->n;
	}
	for (uint32_t iteration = 1; iteration <= o->max_iterations; iteration++) {
		long double lost = 0, change = 0, limit = s->n * (long double)o->tolerance;

		for (uint32_t u = 0; u < s->n; u++)
			if (total[u] <= 0 && o->dangling == LANEWISE_PAGERANK_REDISTRIBUTE)
				lost += rank[u];
		for (uint32_t v = 0; v < s->n; v++) {
			next[v] = 0;
			for (uint32_t u = 0; u < s->n; u++)
				if (total[u] > 0)
					next[v] += rank[u] * share[u][v] / total[u];
			next[v] = (long double)o->damping * next[v] +
			          (1 - (long double)o->damping + (long double)o->damping * lost) * p[v];
			change += fabsl(next[v] - rank[v]);
		}
		memcpy(rank, next, sizeof next);
		if (fabsl(change - limit) < 1e-13L && limit > 0)
			return 0;
		if (change < limit)
			return (int)iteration;
	}
	return (int)o->max_iterations;
}

static void test_pagerank(const struct sample *s, int weighted)
{
	lanewise_pagerank_options o = { sizeof o, below(5) ? 0.85 : (double)below(101) / 100, below(3) ? 1e-6 : 1e-10,
		                        below(4) ? 100 : below(6), (int32_t)below(2) };
	double wanted[MAX_N], rank[MAX_N], again[MAX_N];
	long double expected[MAX_N];
	int personal = (int)below(2), n_iterations;
	lanewise_pagerank *pagerank = NULL;
	lanewise_pagerank_result result = { 77, 77, 77 };
	lanewise_tier before = lanewise_active_tier();

	for (uint32_t u = 0; u < s->n; u++)
		wanted[u] = below(3) ? 0 : 1 + below(10);
	if (s->n)
		wanted[below(s->n)] = 3;
	CHECK_EQUAL(lanewise_pagerank_create(s->graph, weighted, NULL, &pagerank, NULL), LANEWISE_OK);

	void *scratch = scratch_of(lanewise_pagerank_run_scratch_size(pagerank));

	CHECK_EQUAL(lanewise_pagerank_run(pagerank, &o, personal ? wanted : NULL, scratch, rank, &result, NULL),
	            LANEWISE_OK);
	n_iterations = s->n ? dense_pagerank(s, weighted, &o, personal ? wanted : NULL, expected) : 0;
	if (n_iterations || o.max_iterations == 0 || s->n == 0) {
		CHECK_EQUAL(result.iterations, n_iterations);
		for (uint32_t u = 0; u < s->n; u++)
			CHECK(fabsl(rank[u] - expected[u]) < 1e-14L);
	}
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++)
		if (lanewise_set_tier(tier) == LANEWISE_OK) {
			memset(again, 0xff, sizeof again);
			lanewise_pagerank_run(pagerank, &o, personal ? wanted : NULL, scratch, again, NULL, NULL);
			CHECK(!memcmp(again, rank, s->n * sizeof *rank));
		}
	lanewise_set_tier(before);
	free(scratch);
	lanewise_pagerank_destroy(pagerank);
}

/* Some dozens of vectors at once give the bits of single runs. */
static void test_pagerank_many(const struct sample *s, int weighted)
{
	enum { MOST = 37 };
	static double wanted[MOST][MAX_N + 3], rank[MOST][MAX_N + 3], single[MAX_N];
	lanewise_pagerank_result results[MOST], result;
	lanewise_pagerank *pagerank = NULL;
	size_t n = below(MOST + 1);

	CHECK_EQUAL(lanewise_pagerank_create(s->graph, weighted, NULL, &pagerank, NULL), LANEWISE_OK);

	void *scratch = scratch_of(lanewise_pagerank_run_many_scratch_size(pagerank));

	for (size_t j = 0; j < n; j++) {
		for (uint32_t u = 0; u < s->n; u++)
			wanted[j][u] = below(4) ? 0 : 1 + below(10);
		if (s->n)
			wanted[j][below(s->n)] = 3;
	}
	CHECK_EQUAL(
	        lanewise_pagerank_run_many(pagerank, NULL, wanted[0], n, MAX_N + 3, scratch, rank[0], results, NULL),
	        LANEWISE_OK);
	for (size_t j = 0; j < n; j++) {
		lanewise_pagerank_run(pagerank, NULL, wanted[j], scratch, single, &result, NULL);
		CHECK(!memcmp(single, rank[j], s->n * sizeof *single));
		CHECK(result.iterations == results[j].iterations && result.converged == results[j].converged);
		CHECK(!memcmp(&result.change, &results[j].change, sizeof result.change));
	}
	free(scratch);
	lanewise_pagerank_destroy(pagerank);
}

/* With weights that are all alike the shares, and so the ranks, are the bits of those without. */
static void check_equal_weights(uint32_t n, uint32_t m, const uint32_t *src, const uint32_t *dst,
                                const lanewise_pagerank_options *o, const double *wanted, void *scratch,
                                const double *expected)
{
	double *weight = malloc(m * sizeof *weight), *rank = malloc(n * sizeof *rank);
	lanewise_graph *graph = NULL;
	lanewise_pagerank *pagerank = NULL;

	for (uint32_t i = 0; i < m; i++)
		weight[i] = 2;
	CHECK_EQUAL(lanewise_graph_create(n, src, dst, weight, m, NULL, NULL, &graph, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_pagerank_create(graph, 1, NULL, &pagerank, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_pagerank_run(pagerank, o, wanted, scratch, rank, NULL, NULL), LANEWISE_OK);
	CHECK(!memcmp(rank, expected, n * sizeof *rank));
	lanewise_pagerank_destroy(pagerank);
	lanewise_graph_destroy(graph);
	free(weight), free(rank);
}

/*
 * A graph with hubs, large enough for thin rows and several blocks, against a plain pull over the transposed graph.
 */
static void test_large_pagerank(uint32_t n, uint32_t m, uint32_t n_hubs)
{
	uint32_t *src = malloc(m * sizeof *src), *dst = malloc(m * sizeof *dst);
	double *rank = malloc(n * sizeof *rank), *expected = malloc(n * sizeof *expected),
	       *next = malloc(n * sizeof *next);
	double *many = malloc(2 * n * sizeof *many), *wanted = malloc(2 * n * sizeof *wanted), largest = 0;
	lanewise_graph *graph = NULL, *transposed = NULL;
	lanewise_pagerank *pagerank = NULL;
	lanewise_pagerank_options o = { sizeof o, 0.85, 0, 20, LANEWISE_PAGERANK_REDISTRIBUTE };

	for (uint32_t i = 0; i < m; i++) {
		src[i] = below(n);
		dst[i] = below(3) ? below(n_hubs) : below(n);
	}
	CHECK_EQUAL(lanewise_graph_create(n, src, dst, NULL, m, NULL, NULL, &graph, NULL), LANEWISE_OK);
	lanewise_graph_transpose_create(graph, NULL, &transposed);
	lanewise_pagerank_create(graph, 0, NULL, &pagerank, NULL);

	void *scratch = scratch_of(lanewise_pagerank_run_many_scratch_size(pagerank));
	const uint32_t *out = lanewise_graph_offsets(graph), *in = lanewise_graph_offsets(transposed);
	const uint32_t *from = lanewise_graph_targets(transposed);

	for (uint32_t u = 0; u < n; u++)
		expected[u] = wanted[u] = wanted[n + u] = 1.0 / n;
	for (int iteration = 0; iteration < 20; iteration++) {
		double lost = 0;

		for (uint32_t u = 0; u < n; u++)
			lost += out[u] == out[u + 1] ? expected[u] : 0;
		for (uint32_t v = 0; v < n; v++) {
			double sum = 0;

			for (uint32_t i = in[v]; i < in[v + 1]; i++)
				sum += expected[from[i]] / (out[from[i] + 1] - out[from[i]]);
			next[v] = 0.85 * sum + (0.15 + 0.85 * lost) / n;
		}
		memcpy(expected, next, n * sizeof *next);
	}
	CHECK_EQUAL(lanewise_pagerank_run(pagerank, &o, wanted, scratch, rank, NULL, NULL), LANEWISE_OK);
	for (uint32_t u = 0; u < n; u++)
		largest = fabs(rank[u] - expected[u]) / expected[u] > largest
		                  ? fabs(rank[u] - expected[u]) / expected[u]
		                  : largest;
	CHECK(largest < 1e-11);
	CHECK_EQUAL(lanewise_pagerank_run_many(pagerank, &o, wanted, 2, n, scratch, many, NULL, NULL), LANEWISE_OK);
	CHECK(!memcmp(many, rank, n * sizeof *rank) && !memcmp(many + n, rank, n * sizeof *rank));
	check_equal_weights(n, m, src, dst, &o, wanted, scratch, rank);
	lanewise_graph_destroy(graph);
	lanewise_graph_destroy(transposed);
	lanewise_pagerank_destroy(pagerank);
	free(src), free(dst), free(rank), free(expected), free(next), free(many), free(wanted), free(scratch);
}

/* Graphs that are dealt out in parts: each row must list its edges in their order. */
static void test_large_rows(uint32_t n, uint32_t m, int drop)
{
	uint32_t *src = malloc(m * sizeof *src), *dst = malloc(m * sizeof *dst), *at = malloc(n * sizeof *at);
	double *weight = malloc(m * sizeof *weight);
	lanewise_graph_options options = { sizeof options, drop ? LANEWISE_GRAPH_DROP : LANEWISE_GRAPH_KEEP, 0 };
	lanewise_graph *graph = NULL, *unweighted = NULL;
	size_t n_wrong = 0, n_kept = 0;

	for (uint32_t i = 0; i < m; i++) {
		src[i] = below(4) ? below(n) : n - 1 - below(100);
		dst[i] = below(3) ? below(n) : src[i];
		weight[i] = i;
	}
	CHECK_EQUAL(lanewise_graph_create(n, src, dst, weight, m, &options, NULL, &graph, NULL), LANEWISE_OK);

	const uint32_t *offset = lanewise_graph_offsets(graph), *target = lanewise_graph_targets(graph);

	memcpy(at, offset, n * sizeof *at);
	for (uint32_t i = 0; i < m; i++)
		if (!drop || src[i] != dst[i]) {
			uint32_t place = at[src[i]]++;

			n_wrong += target[place] != dst[i] || lanewise_graph_weights(graph)[place] != weight[i];
			n_kept++;
		}
	CHECK(n_wrong == 0 && offset[0] == 0 && !memcmp(at, offset + 1, n * sizeof *at));
	CHECK_EQUAL(lanewise_graph_n_edges(graph), n_kept);
	CHECK_EQUAL(lanewise_graph_create(n, src, dst, NULL, m, &options, NULL, &unweighted, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_graph_n_edges(unweighted), n_kept);
	CHECK(!memcmp(lanewise_graph_offsets(unweighted), offset, (n + 1) * sizeof *offset));
	CHECK(!memcmp(lanewise_graph_targets(unweighted), target, n_kept * sizeof *target));
	lanewise_graph_destroy(graph);
	lanewise_graph_destroy(unweighted);
	free(src), free(dst), free(at), free(weight);
}

/* Topological order where one node has so many edges to it: m others, then it, then one behind it. */
static void test_topo_of_hub(uint32_t m)
{
	uint32_t *src = malloc((m + 1) * sizeof *src), *dst = malloc((m + 1) * sizeof *dst);
	uint32_t *order = malloc((m + 2) * sizeof *order), *level = malloc((m + 2) * sizeof *level);
	lanewise_graph *graph = NULL;
	size_t n_ordered = 0, n_levels = 0, n_wrong = 0;

	for (uint32_t i = 0; i < m; i++) {
		src[i] = i + 2;
		dst[i] = 1;
	}
	src[m] = 1;
	dst[m] = 0;
	CHECK_EQUAL(lanewise_graph_create(m + 2, src, dst, NULL, m + 1, NULL, NULL, &graph, NULL), LANEWISE_OK);

	void *scratch = malloc(lanewise_graph_topo_scratch_size(graph));

	CHECK_EQUAL(lanewise_graph_topo(graph, scratch, order, &n_ordered, level, &n_levels, NULL), LANEWISE_OK);
	CHECK(n_ordered == m + 2 && n_levels == 3);
	for (uint32_t i = 0; i < m; i++)
		n_wrong += order[i] != i + 2 || level[i + 2] != 0;
	CHECK(n_wrong == 0 && order[m] == 1 && order[m + 1] == 0 && level[1] == 1 && level[0] == 2);
	lanewise_graph_destroy(graph);
	free(scratch);
	free(src), free(dst), free(order), free(level);
}

/* ------------------------------------------------------------------- depth */

static void test_deep(uint32_t n)
{
	uint32_t *src = malloc(n * sizeof *src), *dst = malloc(n * sizeof *dst), *out = malloc(n * sizeof *out);
	lanewise_graph *chain = NULL, *ring = NULL, *back = NULL;
	size_t found = 0, levels = 0;

	for (uint32_t i = 0; i < n; i++) {
		src[i] = i;
		dst[i] = i + 1 < n ? i + 1 : 0;
	}
	CHECK_EQUAL(lanewise_graph_create(n, src, dst, NULL, n - 1, NULL, NULL, &chain, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_graph_create(n, src, dst, NULL, n, NULL, NULL, &ring, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_graph_transpose_create(chain, NULL, &back), LANEWISE_OK);

	void *scratch = scratch_of(lanewise_graph_strong_components_scratch_size(chain) +
	                           lanewise_graph_topo_scratch_size(chain));

	CHECK_EQUAL(lanewise_graph_topo(chain, scratch, out, &found, NULL, &levels, NULL), LANEWISE_OK);
	CHECK(found == n && levels == n && out[n - 1] == n - 1);
	CHECK_EQUAL(lanewise_graph_topo(ring, scratch, out, &found, NULL, NULL, NULL), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(found, 0);
	lanewise_graph_find_cycle(ring, scratch, out, &found);
	CHECK_EQUAL(found, n);
	lanewise_graph_find_cycle(chain, scratch, out, &found);
	CHECK_EQUAL(found, 0);
	lanewise_graph_strong_components(chain, scratch, out, &found);
	CHECK_EQUAL(found, n);
	lanewise_graph_strong_components(ring, scratch, out, &found);
	CHECK_EQUAL(found, 1);
	lanewise_graph_weak_components(chain, out, &found);
	CHECK_EQUAL(found, 1);
	lanewise_graph_weak_components(back, out, &found);
	CHECK_EQUAL(found, 1);
	lanewise_graph_bfs(chain, back, src, 1, scratch, out, &found, NULL);
	CHECK(found == n && out[n - 1] == n - 1);
	lanewise_graph_path(chain, back, 0, n - 1, scratch, out, &found);
	CHECK_EQUAL(found, n);
	dst[n - 1] = LANEWISE_GRAPH_NONE; /* row i's parent is i + 1 */
	CHECK_EQUAL(lanewise_parent_order(NULL, dst, n, n, scratch, out, &found, NULL), LANEWISE_OK);
	CHECK(found == n && out[0] == n - 1 && out[n - 1] == 0);
	lanewise_graph_destroy(chain);
	lanewise_graph_destroy(ring);
	lanewise_graph_destroy(back);
	free(scratch), free(src), free(dst), free(out);
}

/* --------------------------------------------------------------- bad input */

static void expect_fault(size_t n_nodes, uint32_t src, uint32_t dst, double weight, int32_t self_loops,
                         int32_t duplicates, const char *what)
{
	const uint32_t sources[] = { 0, 1, 0, src }, targets[] = { 1, 0, 2, dst };
	const double weights[] = { 1, 1, 1e308, weight };
	lanewise_graph_options options = { sizeof options, self_loops, duplicates };
	lanewise_graph *graph = NULL;
	lanewise_error error = { 0 };

	CHECK_EQUAL(lanewise_graph_create(n_nodes, sources, targets, weights, 4, &options, NULL, &graph, &error),
	            LANEWISE_ERROR_DATA);
	CHECK(graph == NULL && error.status == LANEWISE_ERROR_DATA);
	CHECK_EQUAL(error.offset, 3);
	CHECK(!strncmp(error.what, "edge 3, ", 8) && strstr(error.what, what));
	CHECK_EQUAL(lanewise_graph_create(n_nodes, sources, targets, weights, 4, &options, NULL, &graph, NULL),
	            LANEWISE_ERROR_DATA);
}

static void test_bad_edges(void)
{
	expect_fault(3, 3, 1, 1, 0, 0, "3 -> 1: the source is not below 3");
	expect_fault(3, 1, UINT32_MAX, 1, 0, 0, "the target is not below 3");
	expect_fault(3, 1, 2, NAN, 0, 0, "the weight is NaN");
	expect_fault(3, 1, 2, -1, 0, 0, "the weight is negative");
	expect_fault(3, 1, 2, -INFINITY, 0, 0, "the weight is negative");
	expect_fault(3, 1, 2, INFINITY, 0, 0, "the weight is infinite");
	expect_fault(3, 1, 1, 1, LANEWISE_GRAPH_REFUSE, 0, "1 -> 1, is a self-loop");
	expect_fault(3, 1, 0, 1, 0, LANEWISE_GRAPH_REFUSE, "1 -> 0, was there before");
	expect_fault(3, 0, 2, 1.5e308, 0, LANEWISE_GRAPH_DROP, "makes the sum of duplicates infinite");
}

static void test_arguments(void)
{
	const uint32_t ids[] = { 0, 1, 2, 7 };
	const double weights[] = { 1e308, 1e308 };
	lanewise_graph_options options = { sizeof options, 3, 0 };
	lanewise_graph *graph = NULL;
	lanewise_pagerank *pagerank = NULL;
	lanewise_error error;
	size_t n;
	uint32_t out[3], order[3];
	double rank[3], wanted[3] = { 0, 0, 0 };
	void *scratch = scratch_of(100000);

	CHECK_EQUAL(lanewise_graph_create(3, NULL, ids, NULL, 1, NULL, NULL, &graph, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_graph_create(3, ids, ids, NULL, 1, NULL, NULL, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_graph_create(3, ids, ids, NULL, 1, &options, NULL, &graph, NULL), LANEWISE_ERROR_ARGUMENT);
	options = (lanewise_graph_options) { 3, 0, 0 };
	CHECK_EQUAL(lanewise_graph_create(3, ids, ids, NULL, 1, &options, NULL, &graph, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_graph_create(UINT32_MAX, ids, ids, NULL, 1, NULL, NULL, &graph, NULL),
	            LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_graph_create(SIZE_MAX, ids, ids, NULL, 1, NULL, NULL, &graph, NULL),
	            LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_graph_create(3, ids, ids, NULL, SIZE_MAX, NULL, NULL, &graph, NULL),
	            LANEWISE_ERROR_TOO_LARGE);

	const uint32_t both[] = { 0, 0 }, targets[] = { 1, 2 };

	CHECK_EQUAL(lanewise_graph_create(3, both, targets, weights, 2, NULL, NULL, &graph, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_pagerank_create(graph, 1, NULL, &pagerank, &error), LANEWISE_ERROR_DATA);
	CHECK(error.offset == 0 && strstr(error.what, "node 0"));
	CHECK_EQUAL(lanewise_pagerank_create(graph, 0, NULL, &pagerank, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_pagerank_run(pagerank, NULL, wanted, scratch, rank, NULL, &error), LANEWISE_ERROR_DATA);
	CHECK(strstr(error.what, "its sum is 0"));
	wanted[1] = -1;
	CHECK_EQUAL(lanewise_pagerank_run(pagerank, NULL, wanted, scratch, rank, NULL, &error), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(error.offset, 1);
	wanted[1] = NAN;
	CHECK_EQUAL(lanewise_pagerank_run_many(pagerank, NULL, wanted, 1, 3, scratch, rank, NULL, &error),
	            LANEWISE_ERROR_DATA);
	wanted[1] = wanted[2] = 1.5e308;
	CHECK_EQUAL(lanewise_pagerank_run(pagerank, NULL, wanted, scratch, rank, NULL, &error), LANEWISE_ERROR_DATA);
	CHECK(strstr(error.what, "its sum is infinite"));
	CHECK_EQUAL(lanewise_pagerank_run_many(pagerank, NULL, wanted, 1, 2, scratch, rank, NULL, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_pagerank_run_many(pagerank, NULL, wanted, SIZE_MAX / 8, 3, scratch, rank, NULL, NULL),
	            LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_pagerank_run(pagerank, NULL, NULL, (char *)scratch + 8, rank, NULL, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	for (int i = 0; i < 6; i++) {
		lanewise_pagerank_options o = { sizeof o, 0.85, 1e-6, 100, 0 };

		o.struct_size -= i == 0;
		o.damping = i == 1 ? 1.5 : i == 2 ? NAN : 0.85;
		o.tolerance = i == 3 ? -1 : i == 4 ? NAN : 1e-6;
		o.dangling = i == 5 ? 2 : 0;
		CHECK_EQUAL(lanewise_pagerank_run(pagerank, &o, NULL, scratch, rank, NULL, NULL),
		            LANEWISE_ERROR_ARGUMENT);
	}
	CHECK_EQUAL(lanewise_graph_bfs(graph, NULL, ids, 4, scratch, out, &n, &error), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(error.offset, 3);
	CHECK_EQUAL(lanewise_graph_path(graph, graph, 0, 3, scratch, out, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_graph_topo(graph, NULL, order, &n, NULL, NULL, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_graph_topo(NULL, scratch, order, &n, NULL, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_parent_order(ids, ids, 4, 7, scratch, order, &n, &error), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(error.offset, 3);
	CHECK_EQUAL(lanewise_parent_order(NULL, ids, 3, 2, scratch, order, &n, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_parent_order(ids, ids, 3, SIZE_MAX, scratch, order, &n, NULL), LANEWISE_ERROR_TOO_LARGE);
	lanewise_graph_destroy(graph);
	lanewise_graph_destroy(NULL);
	lanewise_pagerank_destroy(pagerank);
	lanewise_pagerank_destroy(NULL);
	free(scratch);
}

static void test_memory(struct sample *s)
{
	const lanewise_graph_options options = { sizeof options, 0, LANEWISE_GRAPH_DROP };

	for (size_t n = 1, failed = 1; failed && n < 41; n++) {
		struct counter counter = { .fail_at = n };
		lanewise_allocator allocator = counting_allocator(&counter);
		lanewise_graph *graph = NULL, *transposed = NULL;
		lanewise_pagerank *pagerank = NULL;
		lanewise_status status = lanewise_graph_create(s->n, s->src, s->dst, s->weight, s->m, &options,
		                                               &allocator, &graph, NULL);

		if (status == LANEWISE_OK)
			status = lanewise_graph_transpose_create(graph, &allocator, &transposed);
		if (status == LANEWISE_OK)
			status = lanewise_pagerank_create(graph, 1, &allocator, &pagerank, NULL);
		failed = status != LANEWISE_OK;
		CHECK(!failed || status == LANEWISE_ERROR_NO_MEMORY);
		lanewise_graph_destroy(graph);
		lanewise_graph_destroy(transposed);
		lanewise_pagerank_destroy(pagerank);
		CHECK_EQUAL(counter.n_bytes, 0);
		CHECK(failed || n > 11);
	}
}

int main(void)
{
	static struct sample s;
	const char *deep = getenv("LANEWISE_TEST_DEPTH"); /* emulators are slow */

	for (int round = 0; round < 4000; round++) {
		int weighted = (int)below(2);

		draw(&s);
		make(&s, weighted);
		measure(&s);
		test_rows(&s, weighted);
		test_options(&s);
		test_topo(&s);
		test_ready(&s);
		test_parent_order();
		test_bfs(&s);
		test_path(&s);
		test_components(&s);
		test_pagerank(&s, weighted);
		if (round % 10 == 0)
			test_pagerank_many(&s, weighted);
		if (round % 500 == 0)
			test_memory(&s);
		release(&s);
	}
	test_large_pagerank(20000, 100000, 3); /* rows that are kept apart */
	test_large_pagerank(10000, 200000, 500);
	test_large_pagerank(30000, 600000, 2); /* so many edges are sorted before they are laid out */
	test_large_pagerank(30000, 600000, 30000);
	for (uint32_t m = 254; m <= 258; m++)
		test_topo_of_hub(m);
	test_topo_of_hub(100000);
	test_large_rows(70000, 600000, 0);
	test_large_rows(300001, 530000, 1);
	test_bad_edges();
	test_arguments();
	test_deep(deep ? (uint32_t)strtoul(deep, NULL, 10) : 10000000);
	return test_result();
}
