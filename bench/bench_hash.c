/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/hash.h: XXH3 of long inputs at every level, and of short ones, where the call itself counts. */
#include "harness.h"

static volatile uint64_t hash_sink;

struct hash_job {
	const unsigned char *data;
	size_t n_bytes, n_inputs; /* adjacent inputs of n_bytes each */
	const struct bench_peer *peer;
};

static void run_hash(void *context)
{
	const struct hash_job *job = context;
	uint64_t all = 0;

	for (size_t i = 0; i < job->n_inputs; i++) {
		const unsigned char *input = job->data + i * job->n_bytes;

		all ^= job->peer ? job->peer->hash64(input, job->n_bytes) : lanewise_xxh3_64(input, job->n_bytes, 0);
	}
	hash_sink = all;
}

static void bench_inputs(struct bench *bench, enum bench_size size, size_t n_bytes, size_t n_inputs)
{
	struct bench_case *c = bench_case_begin(bench, "xxh3_64", size, n_inputs == 1 ? "byte" : "input");

	if (!c)
		return;

	size_t total = n_bytes * n_inputs;
	unsigned char *data = bench_alloc(total);
	struct hash_job ours = { data, n_bytes, n_inputs, NULL }, jobs[BENCH_MAX_PEERS];
	struct bench_read_job read;
	size_t best[BENCH_BEST_READS];

	for (size_t i = 0; i < total; i++)
		data[i] = (unsigned char)(i * 167 >> 3);
	if (n_inputs == 1)
		snprintf(c->workload, sizeof c->workload, "%zu KiB", n_bytes / 1024);
	else
		snprintf(c->workload, sizeof c->workload, "inputs of %zu bytes", n_bytes);
	c->units = n_inputs == 1 ? (double)n_bytes : (double)n_inputs;
	c->bytes = (double)total;
	bench_add_tiers(c, "xxh3_64", run_hash, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = ours;
		jobs[i].peer = bench->peer[i];
		if (jobs[i].peer->hash64)
			bench_add(c, BENCH_PEER, jobs[i].peer->name, run_hash, &jobs[i]);
	}
	bench_read_best(data, total, best);
	read = (struct bench_read_job) { data, total, best[0] };
	if (n_inputs == 1)
		bench_add(c, BENCH_REFERENCE, bench_read_name(read.variant), bench_read_run, &read);
	bench_case_run(c);
	bench_free(data);
}

void bench_hash(struct bench *bench)
{
	static const size_t short_inputs[] = { 4, 16, 64, 200, 1000 };

	for (size_t i = 0; i < sizeof short_inputs / sizeof *short_inputs; i++)
		bench_inputs(bench, BENCH_L1, short_inputs[i], 16);
	for (enum bench_size size = 0; size < BENCH_SIZES; size++)
		bench_inputs(bench, size, bench_size_bytes(bench, size), 1);
}
