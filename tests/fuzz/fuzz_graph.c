/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A graph of up to 255 nodes from bytes, ids beyond them included: either it is refused, or what the functions say of it
 * fits together, and PageRank has the same bits on every tier and for many vectors.
 */
#include "fuzz.h"

#include <lanewise/graph.h>

enum { MAX_NODES = 255, MAX_EDGES = 4096 };

static void *scratch_of(size_t n_bytes)
{
	void *p = aligned_alloc(64, (n_bytes + 63) / 64 * 64 + 64);

	FUZZ_REQUIRE(p != NULL);
	return p;
}

static void try_order(const lanewise_graph *graph, uint32_t n)
{
	const uint32_t *offset = lanewise_graph_offsets(graph), *target = lanewise_graph_targets(graph);
	uint32_t order[MAX_NODES + 1], level[MAX_NODES + 1], cycle[MAX_NODES + 1];
	size_t n_ordered, n_levels, n_cycle;
	void *scratch = scratch_of(lanewise_graph_topo_scratch_size(graph));
	lanewise_status status = lanewise_graph_topo(graph, scratch, order, &n_ordered, level, &n_levels, NULL);

	free(scratch);
	scratch = scratch_of(lanewise_graph_find_cycle_scratch_size(graph));
	FUZZ_REQUIRE(lanewise_graph_find_cycle(graph, scratch, cycle, &n_cycle) == LANEWISE_OK);
	FUZZ_REQUIRE((status == LANEWISE_OK) == (n_cycle == 0));
	FUZZ_REQUIRE((n_ordered == n) == (n_cycle == 0));
	for (uint32_t u = 0; u < n; u++)
		for (uint32_t i = offset[u]; i < offset[u + 1]; i++)
			FUZZ_REQUIRE(level[target[i]] == LANEWISE_GRAPH_NONE || level[u] < level[target[i]]);
	free(scratch);
}

static void try_search(const lanewise_graph *graph, const lanewise_graph *transposed, uint32_t n, uint32_t root)
{
	uint32_t level[MAX_NODES + 1], again[MAX_NODES + 1], path[MAX_NODES + 1], weak[MAX_NODES + 1],
	        strong[MAX_NODES + 1];
	size_t n_reached, n_path, n_weak, n_strong;
	void *scratch = scratch_of(lanewise_graph_bfs_scratch_size(graph));

	FUZZ_REQUIRE(lanewise_graph_bfs(graph, NULL, &root, 1, scratch, level, &n_reached, NULL) == LANEWISE_OK);
	FUZZ_REQUIRE(lanewise_graph_bfs(graph, transposed, &root, 1, scratch, again, NULL, NULL) == LANEWISE_OK);
	FUZZ_REQUIRE(!memcmp(level, again, n * sizeof *level));
	free(scratch);
	scratch = scratch_of(lanewise_graph_path_scratch_size(graph));
	for (uint32_t to = 0; to < n; to += 7) {
		FUZZ_REQUIRE(lanewise_graph_path(graph, transposed, root, to, scratch, path, &n_path) == LANEWISE_OK);
		FUZZ_REQUIRE(n_path == (level[to] == LANEWISE_GRAPH_NONE ? 0 : (size_t)level[to] + 1));
	}
	free(scratch);
	scratch = scratch_of(lanewise_graph_strong_components_scratch_size(graph));
	FUZZ_REQUIRE(lanewise_graph_strong_components(graph, scratch, strong, &n_strong) == LANEWISE_OK);
	FUZZ_REQUIRE(lanewise_graph_weak_components(graph, weak, &n_weak) == LANEWISE_OK);
	FUZZ_REQUIRE(n_weak <= n_strong && n_strong <= n);
	for (uint32_t u = 0; u < n; u++)
		FUZZ_REQUIRE(strong[u] != strong[root] || (weak[u] == weak[root] && level[u] != LANEWISE_GRAPH_NONE));
	free(scratch);
}

static void try_betweenness(const lanewise_graph *graph, uint32_t n, uint32_t seed)
{
	lanewise_betweenness_options options = { sizeof options, seed % 7, seed, 0 };
	double all[MAX_NODES + 1], one[MAX_NODES + 1];
	void *scratch = scratch_of(lanewise_graph_betweenness_scratch_size(graph));

	if (lanewise_graph_betweenness(graph, NULL, scratch, all, NULL) == LANEWISE_OK) {
		FUZZ_REQUIRE(lanewise_graph_betweenness(graph, &options, scratch, one, NULL) == LANEWISE_OK);
		for (uint32_t u = 0; u < n; u++) {
			FUZZ_REQUIRE(all[u] >= 0 && all[u] <= 1.000001);
			FUZZ_REQUIRE(one[u] == 0 || all[u] > 0);
		}
	}
	free(scratch);
}

/* The bytes as names of one or two bytes each. */
static void try_names(const uint8_t *data, size_t size)
{
	static size_t begin[MAX_EDGES + 1];
	static uint32_t number[MAX_EDGES];
	size_t n = 0, n_bytes;
	lanewise_names *names = NULL;

	for (size_t at = 0; at < size && n < MAX_EDGES; at = begin[n])
		begin[++n] = at + 1 + (data[at] & 1 && at + 1 < size);
	FUZZ_REQUIRE(lanewise_names_create((const char *)data, begin, n, NULL, &names, number, NULL) == LANEWISE_OK);
	for (size_t i = 0; i < n; i++) {
		const char *name = lanewise_names_get(names, number[i], &n_bytes);

		FUZZ_REQUIRE(n_bytes == begin[i + 1] - begin[i] && !memcmp(name, data + begin[i], n_bytes));
		FUZZ_REQUIRE(lanewise_names_find(names, (const char *)data + begin[i], n_bytes) == number[i]);
	}
	lanewise_names_destroy(names);
}

static void try_pagerank(const lanewise_graph *graph, uint32_t n, int weighted)
{
	double wanted[2 * (MAX_NODES + 1)], rank[MAX_NODES + 1], again[2 * (MAX_NODES + 1)];
	lanewise_pagerank *pagerank = NULL;
	lanewise_tier before = lanewise_active_tier();

	if (lanewise_pagerank_create(graph, weighted, NULL, &pagerank, NULL) != LANEWISE_OK)
		return;

	void *scratch = scratch_of(lanewise_pagerank_run_many_scratch_size(pagerank));

	for (uint32_t u = 0; u < 2 * n; u++)
		wanted[u] = 1 + u % 3;
	FUZZ_REQUIRE(lanewise_pagerank_run(pagerank, NULL, wanted, scratch, rank, NULL, NULL) == LANEWISE_OK);
	for (uint32_t u = 0; u < n; u++)
		FUZZ_REQUIRE(rank[u] >= 0 && rank[u] <= 1.000001);
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++)
		if (lanewise_set_tier(tier) == LANEWISE_OK) {
			lanewise_pagerank_run(pagerank, NULL, wanted, scratch, again, NULL, NULL);
			FUZZ_REQUIRE(!memcmp(rank, again, n * sizeof *rank));
			lanewise_pagerank_run_many(pagerank, NULL, wanted, 2, n, scratch, again, NULL, NULL);
			FUZZ_REQUIRE(!memcmp(rank, again, n * sizeof *rank));
		}
	lanewise_set_tier(before);
	free(scratch);
	lanewise_pagerank_destroy(pagerank);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint32_t src[MAX_EDGES], dst[MAX_EDGES];
	static double weight[MAX_EDGES];
	struct fuzz_input in = { data, size };
	lanewise_graph_options options = { sizeof options, 0, 0 };
	lanewise_graph *graph = NULL, *transposed = NULL;
	lanewise_error error = { 0 };
	uint32_t n = fuzz_u8(&in), how = fuzz_u8(&in), n_edges = 0;
	int weighted = how & 1;

	try_names(data, size);
	options.self_loops = (int32_t)(how >> 1 & 3);
	options.duplicates = (int32_t)(how >> 3 & 3);
	for (; in.size && n_edges < MAX_EDGES; n_edges++) {
		src[n_edges] = fuzz_u8(&in);
		dst[n_edges] = fuzz_u8(&in);
		weight[n_edges] = how & 32 ? 1 : 0;
		if (how & 64)
			fuzz_bytes(&in, &weight[n_edges], sizeof weight[n_edges]);
	}

	lanewise_status status =
	        lanewise_graph_create(n, src, dst, weighted ? weight : NULL, n_edges, &options, NULL, &graph, &error);

	if (status != LANEWISE_OK) {
		FUZZ_REQUIRE(error.status == status && error.what[0] && graph == NULL);
		FUZZ_REQUIRE(status != LANEWISE_ERROR_DATA || error.offset < n_edges);
		return 0;
	}
	FUZZ_REQUIRE(lanewise_graph_transpose_create(graph, NULL, &transposed) == LANEWISE_OK);
	try_order(graph, n);
	if (n)
		try_search(graph, transposed, n, how % n);
	try_betweenness(graph, n, how);
	try_pagerank(graph, n, weighted);
	lanewise_graph_destroy(graph);
	lanewise_graph_destroy(transposed);
	return 0;
}
