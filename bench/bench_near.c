/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/near.h: MinHash of 500 hashes, 128 functions, in three families and buckets; SimHash of as many. */
#include "harness.h"

enum { HASHES = 500, FUNCTIONS = 128 };

struct near_job {
	const struct bench_peer *peer; /* NULL: the library */
	uint64_t hashes[HASHES], a[FUNCTIONS], b[FUNCTIONS];
	uint32_t low[HASHES], a32[FUNCTIONS], b32[FUNCTIONS], signature[FUNCTIONS];
	float *out;
};

/* What the harness compares are floats; so the numbers' upper bits. */
static void publish(struct near_job *job, size_t n)
{
	for (size_t i = 0; i < n; i++)
		job->out[i] = (float)(job->signature[i] >> 8);
}

static void run_mul32(void *context)
{
	struct near_job *job = context;

	lanewise_minhash_begin(job->signature, FUNCTIONS);
	if (job->peer)
		job->peer->minhash_mul32(job->hashes, HASHES, job->a32, job->b32, FUNCTIONS, job->signature);
	else
		lanewise_minhash_mul32(job->hashes, HASHES, job->a32, job->b32, FUNCTIONS, job->signature);
	publish(job, FUNCTIONS);
}

static void run_mul64(void *context)
{
	struct near_job *job = context;

	lanewise_minhash_begin(job->signature, FUNCTIONS);
	if (job->peer)
		job->peer->minhash_mul64(job->hashes, HASHES, job->a, job->b, FUNCTIONS, job->signature);
	else
		lanewise_minhash_mul64(job->hashes, HASHES, job->a, job->b, FUNCTIONS, job->signature);
	publish(job, FUNCTIONS);
}

static void run_mod61(void *context)
{
	struct near_job *job = context;

	lanewise_minhash_begin(job->signature, FUNCTIONS);
	if (job->peer)
		job->peer->minhash_mod61(job->low, HASHES, job->a, job->b, FUNCTIONS, job->signature);
	else
		lanewise_minhash_mod61(job->low, HASHES, job->a, job->b, FUNCTIONS, job->signature);
	publish(job, FUNCTIONS);
}

static void run_buckets(void *context)
{
	struct near_job *job = context;
	uint32_t buckets[FUNCTIONS];

	lanewise_minhash_begin(buckets, FUNCTIONS);
	lanewise_minhash_buckets(job->hashes, HASHES, buckets, FUNCTIONS);
	lanewise_minhash_buckets_finish(buckets, FUNCTIONS, job->signature);
	publish(job, FUNCTIONS);
}

static void run_simhash(void *context)
{
	struct near_job *job = context;
	uint64_t bits =
	        job->peer ? job->peer->simhash_64(job->hashes, HASHES) : lanewise_simhash_64(job->hashes, HASHES);

	job->out[0] = (float)(bits >> 40);
	job->out[1] = (float)(bits >> 20 & 0xfffff);
	job->out[2] = (float)(bits & 0xfffff);
}

/* The kernel's name, whether a peer has it, and what runs it. */
struct near_kind {
	const char *kernel, *tiers_of;
	bench_fn *run;
	size_t n_out;
};

static int offers(const struct bench_peer *peer, bench_fn *run)
{
	return (run == run_mul32 && peer->minhash_mul32) || (run == run_mul64 && peer->minhash_mul64) ||
	       (run == run_mod61 && peer->minhash_mod61) || (run == run_simhash && peer->simhash_64);
}

static void fill(struct near_job *job)
{
	uint64_t state = 1;

	for (size_t i = 0; i < HASHES; i++) {
		job->hashes[i] = bench_random(&state);
		job->low[i] = (uint32_t)job->hashes[i];
	}
	lanewise_minhash_mul32_parameters(1, job->a32, job->b32, FUNCTIONS);
	lanewise_minhash_mul64_parameters(1, job->a, job->b, FUNCTIONS);
	for (size_t i = 0; i < FUNCTIONS; i++) { /* as mod61 has them */
		job->a[i] >>= 3;
		job->b[i] >>= 3;
	}
}

static void bench_kind(struct bench *bench, const struct near_kind *kind)
{
	struct bench_case *c = bench_case_begin(bench, kind->kernel, BENCH_L1, "hash");

	if (!c)
		return;

	struct near_job *ours = bench_alloc((BENCH_MAX_PEERS + 1) * sizeof *ours);
	float out[FUNCTIONS];

	fill(ours);
	ours->out = out;
	snprintf(c->workload, sizeof c->workload, kind->run == run_simhash ? "%d hashes" : "%d hashes, k = %d", HASHES,
	         FUNCTIONS);
	c->units = HASHES;
	c->bytes = HASHES * 8;
	c->out = out;
	c->n_out = kind->n_out;
	bench_add_tiers(c, kind->tiers_of, kind->run, ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		struct near_job *job = &ours[i + 1];

		*job = *ours;
		job->peer = bench->peer[i];
		if (offers(job->peer, kind->run))
			bench_add(c, BENCH_PEER, job->peer->name, kind->run, job);
	}
	bench_case_run(c);
	bench_free(ours);
}

void bench_near(struct bench *bench)
{
	static const struct near_kind kinds[] = {
		{ "minhash_mul32", "minhash_mul32", run_mul32, FUNCTIONS },
		{ "minhash_mul64", "minhash_mul64", run_mul64, FUNCTIONS },
		{ "minhash_mod61", "minhash_mod61", run_mod61, FUNCTIONS },
		{ "minhash_buckets", "minhash_matches", run_buckets, FUNCTIONS },
		{ "simhash_64", "bit_sums", run_simhash, 3 },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		bench_kind(bench, &kinds[i]);
}
