/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of 384 elements in less room than floats: 16-bit floats (lanewise/half.h) and bits (lanewise/bits.h). */
#include "harness.h"

#include <string.h>

enum { DIM = 384 };

enum kind { F16, BF16, BF16_APPROX, BITS, KINDS };
static const char *const kernels[KINDS] = { "dot_f16_rows", "dot_bf16_rows", "dot_bf16_approx_rows", "hamming_rows" };
static const size_t row_bytes[KINDS] = { 2 * DIM, 2 * DIM, 2 * DIM, DIM / 8 };

struct compact_job {
	enum kind kind;
	const struct bench_peer *peer; /* NULL: ours */
	size_t n_rows;
	float *query, *out;
	uint16_t *small_query; /* the same as bf16 */
	void *rows;
	uint32_t *counts;
};

typedef void floats_fn(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld, float *out);
typedef void bits_fn(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes, size_t ld,
                     uint32_t *out);

static floats_fn *floats_of(const struct compact_job *job)
{
	if (job->kind == F16)
		return job->peer ? job->peer->dot_f16_rows : lanewise_dot_f16_rows;
	return job->peer ? job->peer->dot_bf16_rows : lanewise_dot_bf16_rows;
}

static bits_fn *bits_of(const struct compact_job *job)
{
	return job->peer ? job->peer->hamming_rows : lanewise_hamming_bits_rows;
}

static void run_compact(void *context)
{
	const struct compact_job *job = context;

	if (job->kind == BITS) {
		bits_of(job)((const uint8_t *)job->query, job->rows, job->n_rows, DIM / 8, DIM / 8, job->counts);
		job->out[0] = (float)job->counts[job->n_rows - 1];
	} else if (job->kind == BF16_APPROX && !job->peer) {
		lanewise_dot_bf16_approx_rows(job->small_query, job->rows, job->n_rows, DIM, DIM, job->out);
	} else {
		floats_of(job)(job->query, job->rows, job->n_rows, DIM, DIM, job->out);
	}
}

static void fill_rows(const struct compact_job *job)
{
	float *row = bench_alloc(DIM * sizeof *row);
	unsigned char *to = job->rows;

	for (size_t r = 0; r < job->n_rows; r++, to += row_bytes[job->kind]) {
		bench_fill_f32(row, DIM, r + 2);
		if (job->kind == F16)
			lanewise_f32_to_f16(row, DIM, (uint16_t *)(void *)to);
		else if (job->kind == BF16 || job->kind == BF16_APPROX)
			lanewise_f32_to_bf16(row, DIM, (uint16_t *)(void *)to);
		else
			memcpy(to, row, DIM / 8);
	}
	bench_free(row);
}

static void bench_one(struct bench *bench, enum kind kind, enum bench_size size, size_t n_bytes)
{
	struct bench_case *c = bench_case_begin(bench, kernels[kind], size, "row");
	struct compact_job ours = { .kind = kind, .n_rows = n_bytes / row_bytes[kind] }, jobs[BENCH_MAX_PEERS], exact;

	if (!c)
		return;
	ours.query = bench_alloc(DIM * sizeof *ours.query);
	ours.rows = bench_alloc(ours.n_rows * row_bytes[kind]);
	ours.out = bench_alloc(ours.n_rows * sizeof *ours.out);
	ours.counts = bench_alloc(ours.n_rows * sizeof *ours.counts);
	ours.small_query = bench_alloc(DIM * sizeof *ours.small_query);
	bench_fill_f32(ours.query, DIM, 1);
	lanewise_f32_to_bf16(ours.query, DIM, ours.small_query);
	if (kind == BF16_APPROX) /* the same query for all */
		lanewise_bf16_to_f32(ours.small_query, DIM, ours.query);
	fill_rows(&ours);
	snprintf(c->workload, sizeof c->workload, "%zux%d", ours.n_rows, DIM);
	c->units = (double)ours.n_rows;
	c->bytes = (double)(ours.n_rows * row_bytes[kind]);
	c->out = ours.out;
	c->n_out = kind == BITS ? 1 : ours.n_rows;
	c->tolerance = 1e-4;
	bench_add_tiers(c, kernels[kind], run_compact, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = ours;
		jobs[i].peer = bench->peer[i];
		if (kind == BITS ? bits_of(&jobs[i]) != NULL : floats_of(&jobs[i]) != NULL)
			bench_add(c, BENCH_PEER, jobs[i].peer->name, run_compact, &jobs[i]);
	}
	if (kind == BF16_APPROX) {
		exact = ours;
		exact.kind = BF16;
		bench_add(c, BENCH_REFERENCE, "dot_bf16_rows", run_compact, &exact);
	}
	bench_case_run(c);
	bench_free(ours.query);
	bench_free(ours.small_query);
	bench_free(ours.rows);
	bench_free(ours.out);
	bench_free(ours.counts);
}

void bench_compact(struct bench *bench)
{
	for (int kind = 0; kind < KINDS; kind++) {
		bench_one(bench, (enum kind)kind, BENCH_L2, bench->cache_bytes[1] / 4 * 3);
		bench_one(bench, (enum kind)kind, BENCH_DRAM, (size_t)256 << 20);
	}
}
