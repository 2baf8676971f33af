/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/graph.h: five iterations of PageRank on graphs with hubs (R-MAT, Chakrabarti et al., 2004, with the usual
 * 0.57 0.19 0.19 0.05), beside a plain loop over the edges to each node; and of sixteen vectors at once beside sixteen
 * single runs.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

enum { ITERATIONS = 10, VECTORS = 16, EDGES_PER_NODE = 16 };

struct graph_job {
	const struct bench_peer *peer; /* NULL: ours */
	const lanewise_graph *graph, *transposed;
	const lanewise_pagerank *pagerank;
	size_t n, n_vectors;
	int together; /* all vectors in one run */
	void *scratch;
	double *wanted, *rank, *share, *inverse;
	float *out;
};

static const lanewise_pagerank_options options = { sizeof(lanewise_pagerank_options), 0.85, 0, ITERATIONS,
	                                           LANEWISE_PAGERANK_DROP };

static void run_ours(const struct graph_job *job)
{
	if (job->together)
		lanewise_pagerank_run_many(job->pagerank, &options, job->wanted, job->n_vectors, job->n, job->scratch,
		                           job->rank, NULL, NULL);
	else
		for (size_t j = 0; j < job->n_vectors; j++)
			lanewise_pagerank_run(job->pagerank, &options, job->wanted ? job->wanted + j * job->n : NULL,
			                      job->scratch, job->rank + j * job->n, NULL, NULL);
}

static void run_peer(const struct graph_job *job)
{
	for (size_t u = 0; u < job->n; u++)
		job->share[u] = job->inverse[u] / (double)job->n;
	for (int i = 0; i < ITERATIONS; i++)
		job->peer->pagerank_step(job->n, lanewise_graph_offsets(job->transposed),
		                         lanewise_graph_targets(job->transposed), job->inverse, 0.85, job->rank,
		                         job->share);
}

static void run_graph(void *context)
{
	const struct graph_job *job = context;

	if (job->peer)
		run_peer(job);
	else
		run_ours(job);
	for (size_t i = 0; i < job->n * job->n_vectors; i++)
		job->out[i] = (float)job->rank[i];
}

/* A graph of 2^scale nodes whose names say nothing of their degrees. */
static lanewise_graph *make_graph(int scale)
{
	size_t n = (size_t)1 << scale, m = EDGES_PER_NODE * n;
	uint32_t *src = bench_alloc(m * sizeof *src), *dst = bench_alloc(m * sizeof *dst), mask = (uint32_t)n - 1;
	lanewise_graph *graph = NULL;
	uint64_t seed = 1;

	for (size_t i = 0; i < m; i++) {
		uint32_t a = 0, b = 0;

		for (int bit = 0; bit < scale; bit++) {
			uint32_t r = (uint32_t)(bench_random(&seed) >> 33) % 100;

			a = 2 * a + (r >= 76);
			b = 2 * b + ((r >= 57 && r < 76) || r >= 95);
		}
		src[i] = a * 0x9e3779b1u & mask;
		dst[i] = b * 0x9e3779b1u & mask;
	}
	lanewise_graph_create(n, src, dst, NULL, m, NULL, NULL, &graph, NULL);
	bench_free(src);
	bench_free(dst);
	return graph;
}

static void describe(struct bench_case *c, const struct graph_job *job, int scale)
{
	size_t m = lanewise_graph_n_edges(job->graph);

	snprintf(c->workload, sizeof c->workload, "R-MAT scale %d, %d iterations, %zu vector%s", scale, ITERATIONS,
	         job->n_vectors, job->n_vectors == 1 ? "" : "s");
	c->units = (double)(m * ITERATIONS * job->n_vectors);
	c->bytes = (double)(m * sizeof(uint32_t) * ITERATIONS);
	c->out = job->out;
	c->n_out = job->n * job->n_vectors;
	c->tolerance = 1e-6;
}

static void prepare(struct graph_job *job, int scale, size_t n_vectors)
{
	lanewise_graph *graph = make_graph(scale), *transposed = NULL;
	lanewise_pagerank *pagerank = NULL;

	lanewise_graph_transpose_create(graph, NULL, &transposed);
	lanewise_pagerank_create(graph, 0, NULL, &pagerank, NULL);
	*job = (struct graph_job) {
		.graph = graph, .transposed = transposed, .pagerank = pagerank, .n_vectors = n_vectors
	};
	job->n = lanewise_graph_n_nodes(graph);
	job->scratch = bench_alloc(lanewise_pagerank_run_many_scratch_size(pagerank));
	job->rank = bench_alloc(job->n * n_vectors * sizeof *job->rank);
	job->out = bench_alloc(job->n * n_vectors * sizeof *job->out);
	job->share = bench_alloc(job->n * sizeof *job->share);
	job->inverse = bench_alloc(job->n * sizeof *job->inverse);
	for (size_t u = 0; u < job->n; u++) {
		uint32_t degree = lanewise_graph_offsets(graph)[u + 1] - lanewise_graph_offsets(graph)[u];

		job->inverse[u] = degree ? 1.0 / degree : 0;
	}
	if (n_vectors > 1) {
		job->wanted = bench_alloc(job->n * n_vectors * sizeof *job->wanted);
		for (size_t j = 0; j < n_vectors; j++)
			job->wanted[j * job->n + j * 1000 % job->n] = 1;
	}
}

static void release(struct graph_job *job)
{
	lanewise_graph_destroy((lanewise_graph *)(uintptr_t)job->graph);
	lanewise_graph_destroy((lanewise_graph *)(uintptr_t)job->transposed);
	lanewise_pagerank_destroy((lanewise_pagerank *)(uintptr_t)job->pagerank);
	bench_free(job->scratch);
	bench_free(job->rank);
	bench_free(job->out);
	bench_free(job->share);
	bench_free(job->inverse);
	if (job->wanted)
		bench_free(job->wanted);
}

static void bench_single(struct bench *bench, enum bench_size size, int scale)
{
	struct bench_case *c = bench_case_begin(bench, "rank_sums_f64", size, "edge");
	struct graph_job ours, jobs[BENCH_MAX_PEERS];

	if (!c)
		return;
	prepare(&ours, scale, 1);
	describe(c, &ours, scale);
	bench_add_tiers(c, "rank_sums_f64", run_graph, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = ours;
		jobs[i].peer = bench->peer[i];
		if (jobs[i].peer->pagerank_step)
			bench_add(c, BENCH_PEER, jobs[i].peer->name, run_graph, &jobs[i]);
	}
	bench_case_run(c);
	release(&ours);
}

static void bench_sixteen(struct bench *bench, enum bench_size size, int scale)
{
	struct bench_case *c = bench_case_begin(bench, "rank_sums16_f64", size, "edge");
	struct graph_job together, singles;

	if (!c)
		return;
	prepare(&together, scale, VECTORS);
	together.together = 1;
	singles = together;
	singles.together = 0;
	describe(c, &together, scale);
	bench_add_tiers(c, "rank_sums16_f64", run_graph, &together);
	bench_add(c, BENCH_REFERENCE, "16 single runs", run_graph, &singles);
	bench_case_run(c);
	release(&together);
}

void bench_graph(struct bench *bench)
{
	static const struct {
		enum bench_size size;
		int scale;
	} graphs[] = { { BENCH_L2, 13 }, { BENCH_L3, 16 }, { BENCH_DRAM, 20 } };

	for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
		bench_single(bench, graphs[i].size, graphs[i].scale);
		bench_sixteen(bench, graphs[i].size, graphs[i].scale);
	}
}
