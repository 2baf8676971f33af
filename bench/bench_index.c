/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/int8.h and lanewise/index.h: integer dot products, and searches of an index with one query and with many. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>

enum { DIM = 384, K = 10, MANY = 32, CANDIDATES = 100 };

/* ---------------------------------------------------------------- integers */

/* Signed or unsigned queries and rows. */
enum dot_kind { I8, U8I8, I8U8, DOT_KINDS };
static const char *const dot_kernels[DOT_KINDS] = { "dot_i8_rows", "dot_u8i8_rows", "dot_i8u8_rows" };

struct dot_job {
	enum dot_kind kind;
	const struct bench_peer *peer; /* NULL: ours */
	const void *query, *rows;
	size_t n_rows;
	int32_t *out;
};

static void run_dot(void *context)
{
	const struct dot_job *job = context;

	if (job->kind == I8)
		(job->peer ? job->peer->dot_i8_rows : lanewise_dot_i8_rows)(job->query, job->rows, job->n_rows, DIM,
		                                                            DIM, job->out);
	else if (job->kind == U8I8)
		(job->peer ? job->peer->dot_u8i8_rows : lanewise_dot_u8i8_rows)(job->query, job->rows, job->n_rows, DIM,
		                                                                DIM, job->out);
	else
		(job->peer ? job->peer->dot_i8u8_rows : lanewise_dot_i8u8_rows)(job->query, job->rows, job->n_rows, DIM,
		                                                                DIM, job->out);
}

static int has_dots(const struct bench_peer *peer, enum dot_kind kind)
{
	return kind == I8     ? peer->dot_i8_rows != NULL
	       : kind == U8I8 ? peer->dot_u8i8_rows != NULL
	                      : peer->dot_i8u8_rows != NULL;
}

static void bench_dots(struct bench *bench, enum dot_kind kind, enum bench_size size)
{
	struct bench_case *c = bench_case_begin(bench, dot_kernels[kind], size, "row");

	if (!c)
		return;

	size_t n_rows = bench_size_bytes(bench, size) / DIM, best[BENCH_BEST_READS];
	int8_t *rows = bench_alloc((n_rows + 1) * DIM);
	struct dot_job ours = { kind, NULL, rows + n_rows * DIM, rows, n_rows, bench_alloc(n_rows * 4) };
	struct dot_job jobs[BENCH_MAX_PEERS];
	struct bench_read_job read;
	uint64_t state = 1;

	for (size_t i = 0; i < (n_rows + 1) * DIM; i++)
		rows[i] = (int8_t)(bench_random(&state) >> 13);
	snprintf(c->workload, sizeof c->workload, "%zux%d", n_rows, DIM);
	c->units = (double)n_rows;
	c->bytes = (double)n_rows * DIM;
	bench_add_tiers(c, dot_kernels[kind], run_dot, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = ours;
		jobs[i].peer = bench->peer[i];
		if (has_dots(bench->peer[i], kind))
			bench_add(c, BENCH_PEER, bench->peer[i]->name, run_dot, &jobs[i]);
	}
	bench_read_best(rows, n_rows * DIM, best);
	read = (struct bench_read_job) { rows, n_rows * DIM, best[0] };
	bench_add(c, BENCH_REFERENCE, bench_read_name(best[0]), bench_read_run, &read);
	bench_case_run(c);
	bench_free(rows);
	bench_free(ours.out);
}

/* ---------------------------------------------------------------- searches */

struct index_job {
	const lanewise_index *index;
	size_t n_candidates;           /* not 0: a coarse search */
	const struct bench_peer *peer; /* instead of the index */
	const float *queries, *rows;
	size_t n_queries, n_rows;
	int is_scan; /* of all rows by lanewise_scan_topk_f32 */
	void *scratch;
	uint32_t *row;
	int64_t *peer_row;
	float *score;
};

static void run_index(void *context)
{
	const struct index_job *job = context;
	size_t n_found[MANY];

	if (job->n_candidates) {
		lanewise_index_search_coarse(job->index, job->queries, job->n_queries, DIM, K, job->n_candidates,
		                             -INFINITY, NULL, job->scratch, job->row, job->score, n_found, NULL);
		return;
	}
	if (!job->peer && !job->is_scan) {
		lanewise_index_search(job->index, job->queries, job->n_queries, DIM, K, -INFINITY, NULL, job->scratch,
		                      job->row, job->score, n_found, NULL);
		return;
	}
	for (size_t j = 0; j < job->n_queries; j++)
		if (job->peer)
			job->peer->scan_topk_f32(job->queries + j * DIM, job->rows, job->n_rows, DIM, K,
			                         job->peer_row + j * K, job->score + j * K);
		else
			lanewise_scan_topk_f32(job->queries + j * DIM, job->rows, job->n_rows, DIM, DIM,
			                       LANEWISE_METRIC_DOT, K, -INFINITY, job->scratch, job->row + j * K,
			                       job->score + j * K, n_found + j);
}

/* Nearly normally distributed, as elements of embeddings are, and of length 1. */
static void fill_rows(float *rows, size_t n_rows, uint64_t seed)
{
	for (size_t i = 0; i < n_rows * DIM; i++) {
		uint64_t bits = bench_random(&seed);
		int sum = (int)(bits & 0xffff) + (int)(bits >> 16 & 0xffff) + (int)(bits >> 32 & 0xffff) +
		          (int)(bits >> 48);

		rows[i] = (float)(sum - 2 * 0xffff);
	}
	lanewise_normalize_f32_rows(rows, n_rows, DIM, DIM);
}

static void bench_searches(struct bench *bench, enum bench_size size, size_t n_rows, size_t n_queries)
{
	struct bench_case *c =
	        bench_case_begin(bench, n_queries == 1 ? "index_search" : "index_search_many", size, "row and query");

	if (!c)
		return;

	lanewise_index *index = NULL;
	float *rows = bench_alloc(n_rows * DIM * sizeof(float)), *queries = bench_alloc(MANY * DIM * sizeof(float));

	fill_rows(rows, n_rows, 1);
	fill_rows(queries, MANY, 2);
	if (lanewise_index_create(DIM, LANEWISE_METRIC_DOT, NULL, &index) != LANEWISE_OK ||
	    lanewise_index_add(index, rows, n_rows, DIM) != LANEWISE_OK) {
		fprintf(stderr, "bench: no memory for the index\n");
		exit(2);
	}

	size_t scratch = lanewise_index_scratch_size(index, n_queries, CANDIDATES);
	size_t scan = lanewise_scan_topk_scratch_size(K);
	struct index_job ours = { index,
		                  0,
		                  NULL,
		                  queries,
		                  rows,
		                  n_queries,
		                  n_rows,
		                  0,
		                  bench_alloc(scratch > scan ? scratch : scan),
		                  bench_alloc(MANY * K * 4),
		                  bench_alloc(MANY * K * 8),
		                  bench_alloc(MANY * K * 4) };
	struct index_job jobs[BENCH_MAX_PEERS], all_rows = ours, coarse = ours;

	snprintf(c->workload, sizeof c->workload, "%zux%d k=%d, %zu queries", n_rows, DIM, K, n_queries);
	c->units = (double)n_rows * (double)n_queries;
	c->bytes = (double)n_rows * (DIM + 12);
	c->out = ours.score;
	c->n_out = n_queries * K;
	c->tolerance = 1e-4;
	bench_add_tiers(c, "dot_i8_rows", run_index, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = ours;
		jobs[i].peer = bench->peer[i];
		if (jobs[i].peer->scan_topk_f32)
			bench_add(c, BENCH_PEER, jobs[i].peer->name, run_index, &jobs[i]);
	}
	all_rows.is_scan = 1;
	bench_add(c, BENCH_REFERENCE, "scan of all rows", run_index, &all_rows);
	if (lanewise_index_make_coarse(index) == LANEWISE_OK) {
		coarse.n_candidates = CANDIDATES;
		bench_add(c, BENCH_REFERENCE, "coarse search", run_index, &coarse);
	}
	bench_case_run(c);
	lanewise_index_destroy(index);
	bench_free(ours.scratch);
	bench_free(ours.row);
	bench_free(ours.peer_row);
	bench_free(ours.score);
	bench_free(rows);
	bench_free(queries);
}

void bench_index(struct bench *bench)
{
	for (enum bench_size size = 0; size < BENCH_SIZES; size++)
		for (enum dot_kind kind = 0; kind < DOT_KINDS; kind++)
			bench_dots(bench, kind, size);
	for (enum bench_size size = BENCH_L2; size < BENCH_SIZES; size++) {
		size_t n_rows = bench_size_bytes(bench, size) / sizeof(float) / DIM;

		bench_searches(bench, size, n_rows, 1);
		bench_searches(bench, size, n_rows, MANY);
	}
}
