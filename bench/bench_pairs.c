/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors with vectors (lanewise/pairs.h), product quantisation (lanewise/pq.h), and what stands around a model
 * (lanewise/activation.h). Rows of 384 elements.
 */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 384, K = 10, SLOW_ROWS = 1000 /* more are too slow for plain loops that are not vectorised */ };

static int is_too_slow(const struct bench_peer *peer, size_t n_rows)
{
	return n_rows > SLOW_ROWS && strcmp(peer->name, "naive") == 0;
}

/* -------------------------------------------------------------- activation */

enum activation { SIGMOID, SOFTMAX, MEAN_POOL, ACTIVATIONS };
static const char *const activation_names[ACTIVATIONS] = { "sigmoid_f32", "softmax_f32", "mean_pool_f32" };

struct activation_job {
	enum activation what;
	const struct bench_peer *peer; /* NULL: ours */
	size_t n;                      /* floats, or tokens */
	float *x, *out;
	uint8_t *mask;
};

static void run_activation(void *context)
{
	const struct activation_job *job = context;

	if (job->what == SIGMOID)
		(job->peer ? job->peer->sigmoid_f32 : lanewise_sigmoid_f32)(job->x, job->n, job->out);
	else if (job->what == SOFTMAX)
		(job->peer ? job->peer->softmax_f32 : lanewise_softmax_f32)(job->x, job->n, job->out);
	else if (job->peer)
		job->peer->mean_pool_f32(job->x, job->n, DIM, job->mask, job->out);
	else
		lanewise_mean_pool_f32(job->x, job->n, DIM, DIM, job->mask, job->out);
}

static int has_activation(const struct bench_peer *peer, enum activation what)
{
	return what == SIGMOID   ? peer->sigmoid_f32 != NULL
	       : what == SOFTMAX ? peer->softmax_f32 != NULL
	                         : peer->mean_pool_f32 != NULL;
}

static void bench_activation(struct bench *bench, enum activation what, enum bench_size size)
{
	struct bench_case *c =
	        bench_case_begin(bench, activation_names[what], size, what == MEAN_POOL ? "token" : "element");
	struct activation_job ours = { .what = what }, jobs[BENCH_MAX_PEERS];

	if (!c)
		return;

	size_t row = what == MEAN_POOL ? DIM : 1, n_floats = bench_size_bytes(bench, size) / sizeof(float);

	/* What is written has the size of what is read, but for the mean. */
	ours.n = (what == MEAN_POOL ? n_floats : n_floats / 2) / row;
	ours.x = bench_alloc(ours.n * row * sizeof(float));
	ours.out = bench_alloc((ours.n > DIM ? ours.n : DIM) * sizeof(float));
	ours.mask = bench_alloc(ours.n);
	bench_fill_f32(ours.x, ours.n * row, 1);
	for (size_t i = 0; i < ours.n * row; i++)
		ours.x[i] *= 8;
	for (size_t i = 0; i < ours.n; i++)
		ours.mask[i] = i % 4 != 3;
	if (what == MEAN_POOL)
		snprintf(c->workload, sizeof c->workload, "%zux%d, 3/4 of them", ours.n, DIM);
	else
		snprintf(c->workload, sizeof c->workload, "%zu", ours.n);
	c->units = (double)ours.n;
	c->bytes = (double)(ours.n * row) * sizeof(float) * (what == MEAN_POOL ? 0.75 : 1);
	c->out = ours.out;
	c->n_out = what == MEAN_POOL ? DIM : ours.n;
	c->tolerance = 1e-4;
	bench_add_tiers(c, what == MEAN_POOL ? "masked_sum_f32" : "exp_f32", run_activation, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = ours;
		jobs[i].peer = bench->peer[i];
		if (has_activation(jobs[i].peer, what))
			bench_add(c, BENCH_PEER, jobs[i].peer->name, run_activation, &jobs[i]);
	}
	bench_case_run(c);
	bench_free(ours.x);
	bench_free(ours.out);
	bench_free(ours.mask);
}

/* ------------------------------------------------------------------- pairs */

enum many { MATRIX, PAIRS, DEDUP, NEIGHBOURS, MANY };
static const char *const many_names[MANY] = { "similarity", "pairs", "dedup_rows", "neighbours" };

struct many_job {
	enum many what;
	const struct bench_peer *peer; /* NULL: ours */
	size_t n;
	float *rows, *out; /* what all must agree on: scores, or a count */
	uint32_t *original;
	lanewise_pair *pairs;
	int64_t *index;
	float *score; /* of a peer's neighbours, the row itself in front */
	size_t *n_found;
	void *scratch;
};

static const float threshold = 0.9f;

static void run_ours(const struct many_job *job)
{
	lanewise_pairs_position position = { 0, 0 };
	size_t n = job->n, count = 0;

	if (job->what == MATRIX)
		lanewise_similarity_f32(job->rows, n, DIM, job->rows, n, DIM, DIM, LANEWISE_METRIC_DOT, job->out, n);
	else if (job->what == PAIRS)
		lanewise_pairs_f32(job->rows, n, DIM, DIM, LANEWISE_METRIC_DOT, threshold, &position, job->pairs, 4 * n,
		                   &count);
	else if (job->what == DEDUP)
		lanewise_dedup_rows_f32(job->rows, n, DIM, DIM, LANEWISE_METRIC_DOT, threshold, LANEWISE_DEDUP_KEPT,
		                        job->scratch, job->original, &count);
	else
		lanewise_neighbours_f32(job->rows, n, DIM, DIM, LANEWISE_METRIC_DOT, 0, n, K, job->scratch,
		                        job->original, job->out, job->n_found);
	if (job->what == PAIRS || job->what == DEDUP)
		job->out[0] = (float)count;
}

static void run_many(void *context)
{
	const struct many_job *job = context;

	if (!job->peer)
		run_ours(job);
	else if (job->what == MATRIX)
		job->peer->similarity_f32(job->rows, job->n, DIM, job->out);
	else if (job->what == PAIRS)
		job->out[0] = (float)job->peer->count_pairs_f32(job->rows, job->n, DIM, threshold);
	else if (job->what == DEDUP)
		job->out[0] = (float)job->peer->dedup_rows_f32(job->rows, job->n, DIM, threshold);
	else
		job->peer->neighbours_f32(job->rows, job->n, job->rows, job->n, DIM, K + 1, job->index, job->score);
	for (size_t r = 0; job->peer && job->what == NEIGHBOURS && r < job->n; r++)
		memcpy(job->out + r * K, job->score + r * (K + 1) + 1, K * sizeof *job->out);
}

static int has_many(const struct bench_peer *peer, enum many what)
{
	return what == MATRIX  ? peer->similarity_f32 != NULL
	       : what == PAIRS ? peer->count_pairs_f32 != NULL
	       : what == DEDUP ? peer->dedup_rows_f32 != NULL
	                       : peer->neighbours_f32 != NULL;
}

/* Unit rows; every tenth is nearly one before it. */
static void fill_rows(float *rows, size_t n)
{
	float *noise = bench_alloc(DIM * sizeof *noise);

	bench_fill_f32(rows, n * DIM, 1);
	for (size_t r = 10; r < n; r += 10) {
		bench_fill_f32(noise, DIM, r);
		for (size_t i = 0; i < DIM; i++)
			rows[r * DIM + i] = rows[r / 2 * DIM + i] + 0.2f * noise[i];
	}
	lanewise_normalize_f32_rows(rows, n, DIM, DIM);
	bench_free(noise);
}

static void bench_many(struct bench *bench, enum many what, enum bench_size size, size_t n)
{
	struct bench_case *c = bench_case_begin(bench, many_names[what], size, "pair of rows");
	struct many_job ours = { .what = what, .n = n }, jobs[BENCH_MAX_PEERS];

	if (!c)
		return;

	size_t dedup = lanewise_dedup_rows_scratch_size(DIM), neighbours = lanewise_neighbours_scratch_size(K);

	ours.rows = bench_alloc(n * DIM * sizeof(float));
	ours.out = bench_alloc(n * (n > K ? n : K) * sizeof(float));
	ours.original = bench_alloc(n * K * sizeof(uint32_t));
	ours.pairs = bench_alloc(4 * n * sizeof(lanewise_pair));
	ours.index = bench_alloc(n * (K + 1) * sizeof(int64_t));
	ours.score = bench_alloc(n * (K + 1) * sizeof(float));
	ours.n_found = bench_alloc(n * sizeof(size_t));
	ours.scratch = bench_alloc(dedup > neighbours ? dedup : neighbours);
	fill_rows(ours.rows, n);
	snprintf(c->workload, sizeof c->workload, "%zux%d", n, DIM);
	c->units = (double)n * (double)n / (what == PAIRS || what == DEDUP ? 2 : 1);
	c->bytes = (double)n * DIM * sizeof(float);
	c->out = ours.out;
	c->n_out = what == MATRIX ? n * n : what == NEIGHBOURS ? n * K : 1;
	c->tolerance = what == PAIRS || what == DEDUP ? 0 : 1e-4;
	bench_add_tiers(c, "dot_f32_queries", run_many, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = ours;
		jobs[i].peer = bench->peer[i];
		if (has_many(jobs[i].peer, what) && !is_too_slow(jobs[i].peer, n))
			bench_add(c, BENCH_PEER, jobs[i].peer->name, run_many, &jobs[i]);
	}
	bench_case_run(c);
	bench_free(ours.rows);
	bench_free(ours.out);
	bench_free(ours.original);
	bench_free(ours.pairs);
	bench_free(ours.index);
	bench_free(ours.score);
	bench_free(ours.n_found);
	bench_free(ours.scratch);
}

/* ---------------------------------------------------- product quantisation */

struct pq_job {
	int encodes, is_packed;
	const struct bench_peer *peer; /* NULL: ours */
	void *peer_pq;
	lanewise_pq *pq;
	size_t n;
	float *rows, *query, *tables, *scores, *out;
	uint8_t *codes, *packed, *encoded;
	void *topk;
	uint32_t *row;
	int64_t *index;
};

static void search_pq(const struct pq_job *job)
{
	lanewise_topk *topk = job->topk;

	lanewise_pq_tables(job->pq, job->query, LANEWISE_METRIC_DOT, job->tables);
	if (job->is_packed)
		lanewise_pq_scores_packed(job->pq, job->tables, job->packed, job->n, job->scores);
	else
		lanewise_pq_scores(job->pq, job->tables, job->codes, job->n, job->scores);
	lanewise_topk_begin(topk, K, -INFINITY);
	lanewise_topk_push_f32(topk, job->scores, job->n, 0);
	lanewise_topk_finish(topk, job->row, job->out);
}

static void run_pq(void *context)
{
	const struct pq_job *job = context;

	if (job->encodes && job->peer)
		job->peer->pq_encode(job->peer_pq, job->rows, job->n, job->encoded);
	else if (job->encodes)
		lanewise_pq_encode(job->pq, job->rows, job->n, DIM, job->encoded);
	else if (job->peer)
		job->peer->pq_search(job->peer_pq, job->query, K, job->index, job->out);
	else
		search_pq(job);
}

/* As peers want them: part by part, one centroid after the other. */
static float *centroids_of(const lanewise_pq *pq)
{
	size_t n_parts = lanewise_pq_n_parts(pq), n = lanewise_pq_n_centroids(pq), width = DIM / n_parts;
	float *centroids = bench_alloc(n * DIM * sizeof *centroids), *row = bench_alloc(DIM * sizeof *row);
	uint8_t *codes = bench_alloc(n_parts);

	for (size_t i = 0; i < n; i++) {
		memset(codes, (int)i, n_parts);
		lanewise_pq_decode(pq, codes, 1, row, DIM);
		for (size_t part = 0; part < n_parts; part++)
			memcpy(centroids + (part * n + i) * width, row + part * width, width * sizeof *row);
	}
	bench_free(row);
	bench_free(codes);
	return centroids;
}

static void run_pq_case(struct bench *bench, struct bench_case *c, struct pq_job *ours, size_t n_centroids)
{
	struct pq_job jobs[BENCH_MAX_PEERS];
	float *centroids = centroids_of(ours->pq);

	bench_add_tiers(c, ours->encodes ? "pq_nearest" : "pq_sums", run_pq, ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		const struct bench_peer *peer = bench->peer[i];

		jobs[i] = *ours;
		jobs[i].peer = peer;
		jobs[i].peer_pq = NULL;
		if (!peer->pq_create)
			continue;
		jobs[i].peer_pq = peer->pq_create(DIM, lanewise_pq_n_parts(ours->pq), n_centroids, centroids,
		                                  ours->rows, ours->encodes ? 1 : ours->n);
		bench_add(c, BENCH_PEER, peer->name, run_pq, &jobs[i]);
	}
	bench_case_run(c);
	for (size_t i = 0; i < bench->n_peers; i++)
		if (jobs[i].peer_pq)
			jobs[i].peer->pq_destroy(jobs[i].peer_pq);
	bench_free(centroids);
}

static void bench_pq(struct bench *bench, int encodes, size_t n_parts, size_t n_centroids, size_t n)
{
	const lanewise_pq_options options = { sizeof options, n_parts, n_centroids, 1, LANEWISE_PQ_PLUS_PLUS, 3 };
	struct bench_case *c = bench_case_begin(bench, encodes ? "pq_encode" : "pq_search", BENCH_L2, "row");
	struct pq_job ours = { .encodes = encodes, .is_packed = n_centroids <= 16, .n = n };

	if (!c)
		return;
	ours.rows = bench_alloc(n * DIM * sizeof(float));
	fill_rows(ours.rows, n);
	if (lanewise_pq_train(ours.rows, n < 1000 ? n : 1000, DIM, DIM, &options, NULL, &ours.pq, NULL) !=
	    LANEWISE_OK) {
		fprintf(stderr, "bench: no memory for the quantiser\n");
		exit(2);
	}
	ours.query = ours.rows;
	ours.tables = bench_alloc(n_parts * n_centroids * sizeof(float));
	ours.scores = bench_alloc(n * sizeof(float));
	ours.out = bench_alloc(K * sizeof(float));
	ours.codes = bench_alloc(n * n_parts);
	ours.encoded = bench_alloc(n * n_parts);
	ours.packed = bench_alloc(lanewise_pq_packed_size(ours.pq, n) + 1);
	ours.topk = bench_alloc(lanewise_topk_scratch_size(K));
	ours.row = bench_alloc(K * sizeof(uint32_t));
	ours.index = bench_alloc(K * sizeof(int64_t));
	lanewise_pq_encode(ours.pq, ours.rows, n, DIM, ours.codes);
	if (ours.is_packed)
		lanewise_pq_pack(ours.pq, ours.codes, n, ours.packed);
	snprintf(c->workload, sizeof c->workload, "%zux%d, %zu parts of %zu", n, DIM, n_parts, n_centroids);
	c->units = (double)n;
	c->bytes = encodes ? (double)n * DIM * sizeof(float) : (double)(n * n_parts) / (ours.is_packed ? 2 : 1);
	/* Packed scores are rounded, by everyone in his own way. */
	c->out = encodes || ours.is_packed ? NULL : ours.out;
	c->n_out = K;
	c->tolerance = 1e-4;
	run_pq_case(bench, c, &ours, n_centroids);
	lanewise_pq_destroy(ours.pq);
	bench_free(ours.rows);
	bench_free(ours.tables);
	bench_free(ours.scores);
	bench_free(ours.out);
	bench_free(ours.codes);
	bench_free(ours.encoded);
	bench_free(ours.packed);
	bench_free(ours.topk);
	bench_free(ours.row);
	bench_free(ours.index);
}

void bench_pairs(struct bench *bench)
{
	for (int what = 0; what < ACTIVATIONS; what++)
		for (enum bench_size size = BENCH_L1; size <= BENCH_L2; size++)
			bench_activation(bench, (enum activation)what, size);
	for (int what = 0; what < MANY; what++) {
		bench_many(bench, (enum many)what, BENCH_L2, 500);
		bench_many(bench, (enum many)what, BENCH_L3, 2000);
	}
	bench_pq(bench, 1, 48, 256, 500);
	bench_pq(bench, 1, 96, 16, 500);
	bench_pq(bench, 0, 48, 256, 10000);
	bench_pq(bench, 0, 96, 16, 10000);
}
