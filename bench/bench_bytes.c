/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/utf8.h and base64.h. Texts are made here, so that figures do not depend on files: English, and CJK with some of
 * everything.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

static volatile size_t bytes_sink;

struct text_job {
	const char *text;
	size_t n;
	char *out; /* of base64 */
	const struct bench_peer *peer;
};

static float verdict; /* whether the text was found valid: what the harness compares */

static char *make_text(size_t n, const char *const *parts, size_t n_parts, uint64_t seed)
{
	char *text = bench_alloc(n + 64);
	size_t at = 0;

	while (at < n) {
		const char *part = parts[bench_random(&seed) % n_parts];
		size_t length = strlen(part);

		memcpy(text + at, part, length <= n - at ? length : 0);
		if (length > n - at)
			memset(text + at, ' ', n - at);
		at += length <= n - at ? length : n - at;
	}
	return text;
}

static char *make_english(size_t n)
{
	static const char *const parts[] = { "the ",          "quick ",       "retrieval ",
		                             "of documents ", "by meaning, ", "not words. " };

	return make_text(n, parts, sizeof parts / sizeof *parts, 1);
}

static char *make_cjk(size_t n)
{
	static const char *const parts[] = { "\xe6\xa3\x80\xe7\xb4\xa2",
		                             "\xe6\x96\x87\xe6\xa1\xa3",
		                             "\xef\xbc\x8c",
		                             "\xe8\xaf\xad\xe4\xb9\x89",
		                             "\xe3\x81\xae",
		                             "\xed\x95\x9c" };

	return make_text(n, parts, sizeof parts / sizeof *parts, 2);
}

/* ------------------------------------------------------------------- utf8 */

static void run_utf8(void *context)
{
	struct text_job *job = context;

	verdict = job->peer ? job->peer->utf8_valid(job->text, job->n)
	                    : lanewise_utf8_valid_prefix(job->text, job->n) == job->n;
}

static void run_count(void *context)
{
	struct text_job *job = context;

	bytes_sink = lanewise_utf8_count(job->text, job->n);
}

static void bench_utf8(struct bench *bench, const char *workload, char *(*make)(size_t), enum bench_size size)
{
	size_t n = bench_size_bytes(bench, size);
	struct bench_case *c = bench_case_begin(bench, "utf8_prefix", size, "byte");
	struct text_job jobs[BENCH_MAX_PEERS], job = { .n = n };

	if (c) {
		char *text = make(n);

		job.text = text;
		snprintf(c->workload, sizeof c->workload, "%s", workload);
		c->units = c->bytes = (double)n;
		c->out = &verdict;
		c->n_out = 1;
		bench_add_tiers(c, "utf8_prefix", run_utf8, &job);
		bench_add_peers(c, jobs, &job, sizeof *jobs, offsetof(struct text_job, peer), run_utf8,
		                offsetof(struct bench_peer, utf8_valid));
		bench_case_run(c);
		bench_free(text);
	}
	c = bench_case_begin(bench, "utf8_count", size, "byte");
	if (c) {
		char *text = make(n);

		job.text = text;
		snprintf(c->workload, sizeof c->workload, "%s", workload);
		c->units = c->bytes = (double)n;
		bench_add_tiers(c, "utf8_count", run_count, &job);
		bench_case_run(c);
		bench_free(text);
	}
}

static void run_ideographs(void *context)
{
	struct text_job *job = context;

	verdict = (float)(job->peer ? job->peer->count_ideographs(job->text, job->n)
	                            : lanewise_utf8_count_range(job->text, job->n, 0x4e00, 0x9fff));
}

static void bench_ideographs(struct bench *bench, const char *workload, char *(*make)(size_t), enum bench_size size)
{
	size_t n = bench_size_bytes(bench, size);
	struct bench_case *c = bench_case_begin(bench, "utf8_count_range", size, "byte");
	struct text_job jobs[BENCH_MAX_PEERS], job = { .n = n };

	if (c) {
		char *text = make(n);

		job.text = text;
		snprintf(c->workload, sizeof c->workload, "ideographs in %s", workload);
		c->units = c->bytes = (double)n;
		c->out = &verdict;
		c->n_out = 1;
		bench_add_tiers(c, "utf8_count_range", run_ideographs, &job);
		bench_add_peers(c, jobs, &job, sizeof *jobs, offsetof(struct text_job, peer), run_ideographs,
		                offsetof(struct bench_peer, count_ideographs));
		bench_case_run(c);
		bench_free(text);
	}
}

/* ----------------------------------------------------------------- base64 */

static void run_encode(void *context)
{
	struct text_job *job = context;

	bytes_sink = lanewise_base64_encode(job->text, job->n, 0, job->out);
}

static void run_decode(void *context)
{
	struct text_job *job = context;
	size_t n = 0;

	lanewise_base64_decode(job->text, job->n, 0, job->out, job->n, &n, NULL);
	bytes_sink = n;
}

static void bench_base64(struct bench *bench, enum bench_size size, size_t n)
{
	char *data = make_english(n), *text = bench_alloc(2 * n + 4), *back = bench_alloc(2 * n + 4);
	struct text_job encode = { .text = data, .n = n, .out = text },
	                decode = { .text = text, .n = lanewise_base64_encode(data, n, 0, text), .out = back };
	struct bench_case *c = bench_case_begin(bench, "base64_encode", size, "byte");

	if (c) {
		snprintf(c->workload, sizeof c->workload, "%zu bytes", n);
		c->units = c->bytes = (double)n;
		bench_add_tiers(c, "base64_encode", run_encode, &encode);
		bench_case_run(c);
	}
	c = bench_case_begin(bench, "base64_decode", size, "byte");
	if (c) {
		snprintf(c->workload, sizeof c->workload, "to %zu bytes", n);
		c->units = (double)n;
		c->bytes = (double)decode.n;
		bench_add_tiers(c, "base64_decode", run_decode, &decode);
		bench_case_run(c);
	}
	bench_free(data);
	bench_free(text);
	bench_free(back);
}

void bench_bytes(struct bench *bench)
{
	static const size_t short_data[] = { 48, 200, 1536, 6144 };

	for (enum bench_size size = 0; size < BENCH_SIZES; size++) {
		bench_utf8(bench, "English", make_english, size);
		bench_utf8(bench, "CJK", make_cjk, size);
		bench_ideographs(bench, "CJK", make_cjk, size);
	}
	for (size_t i = 0; i < sizeof short_data / sizeof *short_data; i++)
		bench_base64(bench, BENCH_L1, short_data[i]);
	bench_base64(bench, BENCH_L2, bench_size_bytes(bench, BENCH_L2) / 3);
}
