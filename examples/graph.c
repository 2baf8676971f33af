/* SPDX-License-Identifier: Apache-2.0 */
/* A small workflow: what can run at the same time, which step matters most, and what a cycle does. */
#include <lanewise/graph.h>

#include <stdio.h>
#include <stdlib.h>

enum { FETCH, PARSE, EMBED, INDEX, SUMMARIZE, ANSWER, N_STEPS };

static const char *const names[N_STEPS] = { "fetch", "parse", "embed", "index", "summarize", "answer" };
static const uint32_t before[] = { FETCH, PARSE, PARSE, EMBED, INDEX, SUMMARIZE, /* and to close a cycle */ ANSWER };
static const uint32_t after[] = { PARSE, EMBED, SUMMARIZE, INDEX, ANSWER, ANSWER, FETCH };
enum { N_EDGES = 6 };

/* Scratch belongs to the caller: aligned to 64 bytes, and it may be kept for the next call. */
static void *scratch_of(size_t n_bytes) { return aligned_alloc(64, (n_bytes + 63) / 64 * 64); }

static lanewise_status print_levels(const lanewise_graph *graph, lanewise_error *error)
{
	uint32_t order[N_STEPS], level[N_STEPS];
	size_t n_ordered;
	void *scratch = scratch_of(lanewise_graph_topo_scratch_size(graph));
	lanewise_status status = lanewise_graph_topo(graph, scratch, order, &n_ordered, level, NULL, error);

	for (size_t i = 0; status == LANEWISE_OK && i < n_ordered; i++)
		printf("%u  %s\n", (unsigned)level[order[i]], names[order[i]]);
	free(scratch);
	return status;
}

static lanewise_status print_ranks(const lanewise_graph *graph, lanewise_error *error)
{
	double rank[N_STEPS];
	lanewise_pagerank *pagerank = NULL;
	lanewise_status status = lanewise_pagerank_create(graph, 0, NULL, &pagerank, error);

	if (status == LANEWISE_OK) {
		void *scratch = scratch_of(lanewise_pagerank_run_scratch_size(pagerank));

		status = lanewise_pagerank_run(pagerank, NULL, NULL, scratch, rank, NULL, error);
		free(scratch);
	}
	for (size_t u = 0; status == LANEWISE_OK && u < N_STEPS; u++)
		printf("%.4f  %s\n", rank[u], names[u]);
	lanewise_pagerank_destroy(pagerank);
	return status;
}

int main(void)
{
	lanewise_graph *graph = NULL, *cyclic = NULL;
	lanewise_error error = { 0 };
	lanewise_status status =
	        lanewise_graph_create(N_STEPS, before, after, NULL, N_EDGES, NULL, NULL, &graph, &error);

	if (status == LANEWISE_OK)
		status = print_levels(graph, &error);
	if (status == LANEWISE_OK)
		status = print_ranks(graph, &error);
	if (status == LANEWISE_OK)
		status = lanewise_graph_create(N_STEPS, before, after, NULL, N_EDGES + 1, NULL, NULL, &cyclic, &error);
	if (status != LANEWISE_OK) {
		fprintf(stderr, "%s\n", error.what);
		return 1;
	}

	int refused = print_levels(cyclic, &error) == LANEWISE_ERROR_DATA;

	printf("%s\n", error.what);
	lanewise_graph_destroy(graph);
	lanewise_graph_destroy(cyclic);
	return !refused;
}
