/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/vector.h: pairs, one query and rows, norms, scan with top-k. */
#include "harness.h"

#include <math.h>

/* ------------------------------------------------------------------ rows */

typedef void rows_fn(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, float *out);

struct rows_data {
	float *query, *rows, *out;
	size_t n_rows, dim;
	size_t part, n_parts; /* of run_rows */
};

struct rows_job {
	rows_fn *fn;
	const struct rows_data *data;
};

static void run_rows(void *context)
{
	const struct rows_job *job = context;
	const struct rows_data *d = job->data;
	size_t n = d->n_rows / d->n_parts, first = d->part * n;

	job->fn(d->query, d->rows + first * d->dim, n, d->dim, d->dim, d->out + first);
}

static struct rows_data rows_create(size_t n_rows, size_t dim)
{
	struct rows_data d = { bench_alloc(dim * sizeof(float)),
		               bench_alloc(n_rows * dim * sizeof(float)),
		               bench_alloc(n_rows * sizeof(float)),
		               n_rows,
		               dim,
		               0,
		               1 };

	bench_fill_f32(d.query, dim, 1);
	bench_fill_f32(d.rows, n_rows * dim, 2);
	return d;
}

static void rows_destroy(struct rows_data *d)
{
	bench_free(d->query);
	bench_free(d->rows);
	bench_free(d->out);
}

static void describe_rows(struct bench_case *c, const struct rows_data *d)
{
	snprintf(c->workload, sizeof c->workload, "%zux%zu", d->n_rows, d->dim);
	c->units = (double)d->n_rows;
	c->bytes = (double)d->n_rows * (double)d->dim * sizeof(float);
	c->out = d->out;
	c->n_out = d->n_rows;
	c->tolerance = 1e-4;
}

/* The member of a peer by the kernel's number in this list. */
enum rows_kernel { DOT, COSINE, L2SQ, ROWS_KERNELS };
static const char *const rows_names[ROWS_KERNELS] = { "dot_f32_rows", "cosine_f32_rows", "l2sq_f32_rows" };
static rows_fn *const rows_ours[ROWS_KERNELS] = { lanewise_dot_f32_rows, lanewise_cosine_f32_rows,
	                                          lanewise_l2sq_f32_rows };

static rows_fn *rows_of_peer(const struct bench_peer *peer, enum rows_kernel kernel)
{
	return kernel == DOT ? peer->dot_f32_rows : kernel == COSINE ? peer->cosine_f32_rows : peer->l2sq_f32_rows;
}

struct read_rows_job {
	size_t variant;
	const struct rows_data *data;
};

static void run_read_rows(void *context)
{
	const struct read_rows_job *job = context;
	const struct rows_data *d = job->data;
	size_t n = d->n_rows / d->n_parts * d->dim;

	bench_read_run(&(struct bench_read_job) { d->rows + d->part * n, n * sizeof(float), job->variant });
}

/* The rows of one call: n_rows, lying in n_parts places if they are few, or cut into n_parts if they are many. */
static void run_rows_case(struct bench_case *c, enum rows_kernel kernel, size_t n_rows, size_t dim)
{
	enum { PLACES = 16, SLICES = 13 }; /* a prime, so that every contender comes to every slice */
	struct bench *bench = c->bench;
	size_t n_bytes = n_rows * dim * sizeof(float);
	int is_small = n_bytes <= bench->cache_bytes[1], is_huge = n_bytes >= (size_t)1 << 30;
	struct rows_data data = rows_create(is_small ? PLACES * n_rows : n_rows, dim);
	struct rows_job ours = { rows_ours[kernel], &data }, jobs[BENCH_MAX_PEERS];
	struct read_rows_job reads[BENCH_BEST_READS];
	size_t best[BENCH_BEST_READS];

	describe_rows(c, &data);
	snprintf(c->workload, sizeof c->workload, "%zux%zu", n_rows, dim);
	data.n_parts = c->n_parts = is_small ? PLACES : is_huge ? SLICES : 1;
	c->part = &data.part;
	c->part_per_round = is_small;
	c->units = (double)(data.n_rows / data.n_parts);
	c->bytes = c->units * (double)dim * sizeof(float);
	bench_add_tiers(c, rows_names[kernel], run_rows, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = (struct rows_job) { rows_of_peer(bench->peer[i], kernel), &data };
		if (jobs[i].fn)
			bench_add(c, BENCH_PEER, bench->peer[i]->name, run_rows, &jobs[i]);
	}
	bench_read_best(data.rows, n_bytes, best);
	for (size_t i = 0; i < BENCH_BEST_READS; i++) {
		reads[i] = (struct read_rows_job) { best[i], &data };
		bench_add(c, BENCH_REFERENCE, bench_read_name(best[i]), run_read_rows, &reads[i]);
	}
	bench_case_run(c);
	rows_destroy(&data);
}

void bench_dot_rows_case(struct bench_case *c, size_t n_rows, size_t dim) { run_rows_case(c, DOT, n_rows, dim); }

static void bench_rows(struct bench *bench, enum rows_kernel kernel, enum bench_size size, size_t dim)
{
	struct bench_case *c = bench_case_begin(bench, rows_names[kernel], size, "row");

	if (c)
		run_rows_case(c, kernel, bench_size_bytes(bench, size) / sizeof(float) / dim, dim);
}

/* ----------------------------------------------------------------- pairs */

/* Pairs lie in L1: what counts for one pair is the cost of the call and of the sum at the end. */
enum { PAIRS = 8 };

typedef float pair_fn(const float *a, const float *b, size_t n);

struct pair_job {
	pair_fn *fn;
	const struct rows_data *data; /* PAIRS rows */
};

static void run_pairs(void *context)
{
	const struct pair_job *job = context;
	const struct rows_data *d = job->data;

	for (size_t r = 0; r < PAIRS; r++)
		d->out[r] = job->fn(d->query, d->rows + r * d->dim, d->dim);
}

static const char *const pair_names[ROWS_KERNELS] = { "dot_f32", "cosine_f32", "l2sq_f32" };
static pair_fn *const pair_ours[ROWS_KERNELS] = { lanewise_dot_f32, lanewise_cosine_f32, lanewise_l2sq_f32 };

static pair_fn *pair_of_peer(const struct bench_peer *peer, enum rows_kernel kernel)
{
	return kernel == DOT ? peer->dot_f32 : kernel == COSINE ? peer->cosine_f32 : peer->l2sq_f32;
}

static void bench_two(struct bench *bench, enum rows_kernel kernel, size_t dim)
{
	struct bench_case *c = bench_case_begin(bench, pair_names[kernel], BENCH_L1, "pair");

	if (!c)
		return;

	struct rows_data data = rows_create(PAIRS, dim);
	struct pair_job ours = { pair_ours[kernel], &data }, jobs[BENCH_MAX_PEERS];

	describe_rows(c, &data);
	snprintf(c->workload, sizeof c->workload, "n=%zu", dim);
	bench_add_tiers(c, pair_names[kernel], run_pairs, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = (struct pair_job) { pair_of_peer(bench->peer[i], kernel), &data };
		if (jobs[i].fn)
			bench_add(c, BENCH_PEER, bench->peer[i]->name, run_pairs, &jobs[i]);
	}
	bench_case_run(c);
	rows_destroy(&data);
}

/* ----------------------------------------------------------------- norms */

typedef void norm_fn(const float *rows, size_t n_rows, size_t dim, size_t ld, float *out);
typedef void normalize_fn(float *rows, size_t n_rows, size_t dim, size_t ld);

struct norm_job {
	norm_fn *norm;
	normalize_fn *normalize;
	const struct rows_data *data;
};

static void run_norm(void *context)
{
	const struct norm_job *job = context;
	const struct rows_data *d = job->data;

	job->norm(d->rows, d->n_rows, d->dim, d->dim, d->out);
}

/* After the first call the rows have norm 1 already, which changes no instruction that runs. */
static void run_normalize(void *context)
{
	const struct norm_job *job = context;
	const struct rows_data *d = job->data;

	job->normalize(d->rows, d->n_rows, d->dim, d->dim);
}

static void bench_norms(struct bench *bench, int in_place, enum bench_size size, size_t dim)
{
	const char *kernel = in_place ? "normalize_f32_rows" : "norm_f32_rows";
	bench_fn *run = in_place ? run_normalize : run_norm;
	struct bench_case *c = bench_case_begin(bench, kernel, size, "row");

	if (!c)
		return;

	struct rows_data data = rows_create(bench_size_bytes(bench, size) / sizeof(float) / dim, dim);
	struct norm_job ours = { lanewise_norm_f32_rows, lanewise_normalize_f32_rows, &data }, jobs[BENCH_MAX_PEERS];

	describe_rows(c, &data);
	if (in_place) /* no output but the rows themselves, which the next contender starts from */
		c->out = NULL;
	bench_add_tiers(c, kernel, run, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		const struct bench_peer *peer = bench->peer[i];

		jobs[i] = (struct norm_job) { peer->norm_f32_rows, peer->normalize_f32_rows, &data };
		if (in_place ? jobs[i].normalize != NULL : jobs[i].norm != NULL)
			bench_add(c, BENCH_PEER, peer->name, run, &jobs[i]);
	}
	bench_case_run(c);
	rows_destroy(&data);
}

/* ---------------------------------------------------------- scan and top-k */

struct scan_job {
	const struct bench_peer *peer; /* NULL: ours */
	const struct rows_data *data;
	size_t k;
	void *scratch;
	uint32_t *index;
	int64_t *peer_index;
	float *score;
};

static void run_scan(void *context)
{
	const struct scan_job *job = context;
	const struct rows_data *d = job->data;
	size_t n_found;

	if (job->peer)
		job->peer->scan_topk_f32(d->query, d->rows, d->n_rows, d->dim, job->k, job->peer_index, job->score);
	else
		lanewise_scan_topk_f32(d->query, d->rows, d->n_rows, d->dim, d->dim, LANEWISE_METRIC_DOT, job->k,
		                       -INFINITY, job->scratch, job->index, job->score, &n_found);
}

void bench_scan_topk_case(struct bench_case *c, size_t n_rows, size_t dim, size_t k)
{
	struct bench *bench = c->bench;
	struct rows_data data = rows_create(n_rows, dim);
	struct scan_job ours = { NULL,
		                 &data,
		                 k,
		                 bench_alloc(lanewise_scan_topk_scratch_size(k)),
		                 bench_alloc(k * sizeof(uint32_t)),
		                 bench_alloc(k * sizeof(int64_t)),
		                 bench_alloc(k * sizeof(float)) };
	struct scan_job jobs[BENCH_MAX_PEERS];
	struct rows_job bare = { lanewise_dot_f32_rows, &data };

	describe_rows(c, &data);
	snprintf(c->workload, sizeof c->workload, "%zux%zu k=%zu", n_rows, dim, k);
	c->out = ours.score;
	c->n_out = k;
	bench_add_tiers(c, "dot_f32_rows", run_scan, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = ours;
		jobs[i].peer = bench->peer[i];
		if (jobs[i].peer->scan_topk_f32)
			bench_add(c, BENCH_PEER, jobs[i].peer->name, run_scan, &jobs[i]);
	}
	bench_add(c, BENCH_REFERENCE, "bare scan", run_rows, &bare);
	bench_case_run(c);
	bench_free(ours.scratch);
	bench_free(ours.index);
	bench_free(ours.peer_index);
	bench_free(ours.score);
	rows_destroy(&data);
}

/* ------------------------------------------------------------- many queries */

struct many_job {
	const struct bench_peer *peer;
	const struct rows_data *data;
	const float *queries;
	size_t n_queries, k;
	int one_by_one;
	void *scratch;
	uint32_t *index;
	int64_t *peer_index;
	float *score;
	size_t *n_found;
};

static void run_many(void *context)
{
	const struct many_job *job = context;
	const struct rows_data *d = job->data;

	if (job->peer)
		job->peer->scan_topk_f32_queries(job->queries, job->n_queries, d->rows, d->n_rows, d->dim, job->k,
		                                 job->peer_index, job->score);
	else if (!job->one_by_one)
		lanewise_scan_topk_f32_queries(job->queries, job->n_queries, d->dim, d->rows, d->n_rows, d->dim, d->dim,
		                               LANEWISE_METRIC_DOT, job->k, -INFINITY, job->scratch, job->index,
		                               job->score, job->n_found);
	for (size_t q = 0; job->one_by_one && q < job->n_queries; q++)
		lanewise_scan_topk_f32(job->queries + q * d->dim, d->rows, d->n_rows, d->dim, d->dim,
		                       LANEWISE_METRIC_DOT, job->k, -INFINITY, job->scratch, job->index + q * job->k,
		                       job->score + q * job->k, job->n_found + q);
}

static void bench_many_queries(struct bench *bench, enum bench_size size, size_t n_queries, size_t dim, size_t k)
{
	struct bench_case *c = bench_case_begin(bench, "scan_topk_f32_queries", size, "row and query");

	if (!c)
		return;

	struct rows_data data = rows_create(bench_size_bytes(bench, size) / sizeof(float) / dim, dim);
	struct rows_data queries = rows_create(n_queries, dim);
	struct many_job ours = { NULL,
		                 &data,
		                 queries.rows,
		                 n_queries,
		                 k,
		                 0,
		                 bench_alloc(lanewise_scan_topk_queries_scratch_size(n_queries, k)),
		                 bench_alloc(n_queries * k * sizeof(uint32_t)),
		                 bench_alloc(n_queries * k * sizeof(int64_t)),
		                 bench_alloc(n_queries * k * sizeof(float)),
		                 bench_alloc(n_queries * sizeof(size_t)) };
	struct many_job jobs[BENCH_MAX_PEERS], single = ours;

	describe_rows(c, &data);
	snprintf(c->workload, sizeof c->workload, "%zux%zu, %zu queries k=%zu", data.n_rows, dim, n_queries, k);
	c->units = (double)data.n_rows * (double)n_queries;
	c->out = ours.score;
	c->n_out = n_queries * k;
	bench_add_tiers(c, "dot_f32_queries", run_many, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = ours;
		jobs[i].peer = bench->peer[i];
		if (jobs[i].peer->scan_topk_f32_queries)
			bench_add(c, BENCH_PEER, jobs[i].peer->name, run_many, &jobs[i]);
	}
	single.one_by_one = 1;
	bench_add(c, BENCH_REFERENCE, "one by one", run_many, &single);
	bench_case_run(c);
	bench_free(ours.scratch);
	bench_free(ours.index);
	bench_free(ours.peer_index);
	bench_free(ours.score);
	bench_free(ours.n_found);
	rows_destroy(&queries);
	rows_destroy(&data);
}

void bench_vector(struct bench *bench)
{
	static const size_t pair_dims[] = { 16, 100, 384, 1536 };
	enum { DIM = 384, LONG_DIM = 1536 };

	for (enum rows_kernel kernel = 0; kernel < ROWS_KERNELS; kernel++)
		for (size_t i = 0; i < sizeof pair_dims / sizeof *pair_dims; i++)
			bench_two(bench, kernel, pair_dims[i]);
	for (enum rows_kernel kernel = 0; kernel < ROWS_KERNELS; kernel++)
		for (enum bench_size size = 0; size < BENCH_SIZES; size++)
			bench_rows(bench, kernel, size, DIM);
	for (enum bench_size size = BENCH_L2; size < BENCH_SIZES; size++)
		bench_rows(bench, DOT, size, LONG_DIM);
	for (int in_place = 0; in_place < 2; in_place++)
		for (enum bench_size size = 0; size < BENCH_SIZES; size++)
			bench_norms(bench, in_place, size, DIM);
	for (enum bench_size size = 0; size < BENCH_SIZES; size++) {
		struct bench_case *c = bench_case_begin(bench, "scan_topk_f32", size, "row");

		if (c)
			bench_scan_topk_case(c, bench_size_bytes(bench, size) / sizeof(float) / DIM, DIM, 10);
	}
	for (enum bench_size size = BENCH_L2; size < BENCH_DRAM; size++) {
		bench_many_queries(bench, size, 16, DIM, 10);
		bench_many_queries(bench, size, 96, DIM, 10);
	}
}
