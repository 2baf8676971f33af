/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/topk.h: the k largest of an array that is there already. */
#include "harness.h"

#include <stdlib.h>

enum order { RANDOM, ASCENDING, DESCENDING, ALL_EQUAL, ORDERS };

static const char *const order_names[ORDERS] = { "random", "ascending", "descending", "all equal" };

struct topk_job {
	const struct bench_peer *peer; /* NULL: ours */
	const float *scores;
	size_t n, k;
	void *scratch;
	uint32_t *index;
	int64_t *peer_index;
	float *score;
};

static void run_topk(void *context)
{
	const struct topk_job *job = context;

	if (job->peer)
		job->peer->topk_f32(job->scores, job->n, job->k, job->peer_index, job->score);
	else
		lanewise_topk_f32(job->scores, job->n, job->k, job->scratch, job->index, job->score);
}

static void fill(float *scores, size_t n, enum order order)
{
	if (order == RANDOM)
		bench_fill_f32(scores, n, 3);
	else
		for (size_t i = 0; i < n; i++) /* exact up to 2^24 */
			scores[i] = order == ALL_EQUAL ? 1.0f : (float)(order == ASCENDING ? i : n - i);
}

static void run_topk_case(struct bench_case *c, enum order order, size_t n, size_t k)
{
	struct bench *bench = c->bench;
	float *scores = bench_alloc(n * sizeof(float));
	struct topk_job ours = { NULL,
		                 scores,
		                 n,
		                 k,
		                 bench_alloc(lanewise_topk_scratch_size(k)),
		                 bench_alloc(k * sizeof(uint32_t)),
		                 bench_alloc(k * sizeof(int64_t)),
		                 bench_alloc(k * sizeof(float)) };
	struct topk_job jobs[BENCH_MAX_PEERS];
	struct bench_read_job read;
	size_t best[BENCH_BEST_READS];

	fill(scores, n, order);
	bench_read_best(scores, n * sizeof(float), best);
	read = (struct bench_read_job) { scores, n * sizeof(float), best[0] };
	snprintf(c->workload, sizeof c->workload, "%s n=%zu k=%zu", order_names[order], n, k);
	c->units = (double)n;
	c->bytes = (double)n * sizeof(float);
	c->out = ours.score; /* of equal scores the peers may choose others, so only scores are compared */
	c->n_out = k;
	c->tolerance = 0;
	bench_add_tiers(c, "topk_filter_f32", run_topk, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = ours;
		jobs[i].peer = bench->peer[i];
		if (jobs[i].peer->topk_f32)
			bench_add(c, BENCH_PEER, jobs[i].peer->name, run_topk, &jobs[i]);
	}
	bench_add(c, BENCH_REFERENCE, bench_read_name(read.variant), bench_read_run, &read);
	bench_case_run(c);
	bench_free(ours.scratch);
	bench_free(ours.index);
	bench_free(ours.peer_index);
	bench_free(ours.score);
	bench_free(scores);
}

void bench_topk_random_case(struct bench_case *c, size_t n, size_t k) { run_topk_case(c, RANDOM, n, k); }

void bench_topk(struct bench *bench)
{
	static const struct {
		enum bench_size size;
		size_t n;
	} arrays[] = { { BENCH_L2, 10000 }, { BENCH_L3, 1000000 } };

	for (size_t a = 0; a < sizeof arrays / sizeof *arrays; a++)
		for (enum order order = 0; order < ORDERS; order++) {
			const size_t n = arrays[a].n, ks[] = { 1, 10, 100, 1000, n / 2 };

			for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
				struct bench_case *c = bench_case_begin(bench, "topk_f32", arrays[a].size, "element");

				if (c)
					run_topk_case(c, order, n, ks[i]);
			}
		}
}
