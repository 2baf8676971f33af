/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/chunk.h: where chunks of 4, 16 and 64 KiB end, by both methods, beside a plain FastCDC. FASTCDC2020 is one code
 * for all tiers, so it stands among our own method's as a reference.
 */
#include "harness.h"

struct chunk_job {
	const unsigned char *data;
	size_t n;
	lanewise_cdc_options options;
	uint64_t *ends;
	size_t capacity;
	const struct bench_peer *peer;
};

static float n_fastcdc_chunks; /* what the harness compares, where cuts are the same */

static void run_chunks(void *context)
{
	const struct chunk_job *job = context;
	size_t n = 0;

	if (job->peer)
		n = job->peer->fastcdc(job->data, job->n);
	else
		lanewise_cdc_chunks(job->data, job->n, &job->options, job->ends, job->capacity, &n, NULL);
	n_fastcdc_chunks = (float)n;
}

static void bench_method(struct bench *bench, struct chunk_job *job, enum bench_size size, int32_t method)
{
	struct bench_case *c =
	        bench_case_begin(bench, method == LANEWISE_CDC_LANEWISE1 ? "cdc_find" : "cdc_fastcdc", size, "byte");
	struct chunk_job jobs[BENCH_MAX_PEERS], exact = *job;

	if (!c)
		return;
	job->options.method = method;
	exact.options.method = LANEWISE_CDC_FASTCDC2020;
	snprintf(c->workload, sizeof c->workload, "chunks of 16 KiB in %zu KiB of random bytes", job->n / 1024);
	c->units = c->bytes = (double)job->n;
	if (method == LANEWISE_CDC_LANEWISE1) {
		bench_add_tiers(c, "cdc_find", run_chunks, job);
		bench_add(c, BENCH_REFERENCE, "fastcdc2020", run_chunks, &exact);
	} else {
		c->out = &n_fastcdc_chunks;
		c->n_out = 1;
		bench_add(c, BENCH_OURS, "fastcdc2020", run_chunks, &exact)->tier = lanewise_active_tier();
	}
	bench_add_peers(c, jobs, job, sizeof *jobs, offsetof(struct chunk_job, peer), run_chunks,
	                offsetof(struct bench_peer, fastcdc));
	bench_case_run(c);
}

void bench_chunk(struct bench *bench)
{
	for (enum bench_size size = BENCH_L2; size < BENCH_SIZES; size++) {
		struct chunk_job job = { .n = bench_size_bytes(bench, size) };
		unsigned char *data = bench_alloc(job.n);
		uint64_t seed = 3, word = 0;

		for (size_t i = 0; i < job.n; i++) {
			word = i % 8 ? word >> 8 : bench_random(&seed);
			data[i] = (unsigned char)word;
		}
		job.data = data;
		lanewise_cdc_options_default(&job.options);
		job.capacity = lanewise_cdc_bound(job.n, &job.options);
		job.ends = bench_alloc(job.capacity * sizeof *job.ends);
		bench_method(bench, &job, size, LANEWISE_CDC_LANEWISE1);
		bench_method(bench, &job, size, LANEWISE_CDC_FASTCDC2020);
		bench_free(job.ends);
		bench_free(data);
	}
}
