/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/scan.h: counting the matches of a few sets of patterns in prose-like text. The text is made of the words of a
 * small list, so that letters and pairs of letters have about their usual frequencies; patterns are other words, which
 * occur seldom.
 *
 * Peers count overlapping matches too.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PATTERNS = 500 };

static const char *const words[] = {
	"the",     "of",      "and",      "to",      "in",     "that",   "was",    "his",      "with",    "as",
	"for",     "had",     "you",      "not",     "be",     "her",    "is",     "at",       "on",      "which",
	"have",    "from",    "all",      "this",    "were",   "but",    "they",   "would",    "there",   "been",
	"could",   "when",    "their",    "more",    "little", "before", "should", "through",  "morning", "against",
	"nothing", "whether", "question", "country", "window", "answer", "silver", "gathered", "value",   "exactly",
};

enum { N_WORDS = sizeof words / sizeof *words };

struct scan_job {
	lanewise_scan_set *set;
	void *scratch, *peer_set;
	const struct bench_peer *peer;
	const char *text;
	size_t n_bytes;
	float *count;
};

static void run_scan(void *context)
{
	const struct scan_job *job = context;
	uint64_t count = 0;

	if (job->peer)
		count = job->peer->scan_count(job->peer_set, job->text, job->n_bytes);
	else
		lanewise_scan_count(job->set, NULL, job->text, job->n_bytes, job->scratch, &count);
	*job->count = (float)count;
}

static void fill_text(char *text, size_t n, uint64_t seed)
{
	size_t at = 0;

	while (at < n) {
		const char *word = words[bench_random(&seed) % N_WORDS];
		size_t length = strlen(word);

		if (bench_random(&seed) % 12 == 0 && at < n)
			text[at++] = "\n,.;<"[bench_random(&seed) % 5];
		for (size_t i = 0; i < length && at < n; i++)
			text[at++] = word[i];
		if (at < n)
			text[at++] = ' ';
	}
}

/* Words made of the first half of one and the second half of another, so that near misses are frequent. */
static void make_words(char (*bytes)[16], lanewise_pattern *patterns, size_t n)
{
	uint64_t seed = 7;

	for (size_t i = 0; i < n; i++) {
		const char *a = words[N_WORDS / 2 + bench_random(&seed) % (N_WORDS / 2)];
		const char *b = words[N_WORDS / 2 + bench_random(&seed) % (N_WORDS / 2)];
		size_t half = strlen(a) / 2, rest = strlen(b) - strlen(b) / 2;

		memcpy(bytes[i], a, half);
		bytes[i][half] = (char)('a' + bench_random(&seed) % 26);
		memcpy(bytes[i] + half + 1, b + strlen(b) / 2, rest);
		patterns[i] = (lanewise_pattern) { bytes[i], half + 1 + rest };
	}
}

static void bench_set(struct bench *bench, enum bench_size size, const char *what, const lanewise_pattern *patterns,
                      size_t n_patterns)
{
	struct bench_case *c = bench_case_begin(bench, "scan_candidates", size, "byte");

	if (!c)
		return;

	size_t n = bench_size_bytes(bench, size);
	char *text = bench_alloc(n);
	float count = 0;
	struct scan_job ours = { .text = text, .n_bytes = n, .count = &count }, jobs[BENCH_MAX_PEERS];

	fill_text(text, n, 3);
	snprintf(c->workload, sizeof c->workload, "%s, %zu KiB", what, n / 1024);
	c->units = c->bytes = (double)n;
	c->out = &count;
	c->n_out = 1;
	if (lanewise_scan_set_create(patterns, n_patterns, NULL, NULL, &ours.set, NULL) != LANEWISE_OK)
		abort();
	ours.scratch = bench_alloc(lanewise_scan_scratch_size(ours.set));
	bench_add_tiers(c, "scan_candidates", run_scan, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = ours;
		jobs[i].peer = bench->peer[i];
		if (!jobs[i].peer->scan_count)
			continue;
		jobs[i].peer_set = jobs[i].peer->scan_create(patterns, n_patterns);
		if (jobs[i].peer_set)
			bench_add(c, BENCH_PEER, jobs[i].peer->name, run_scan, &jobs[i]);
	}
	bench_case_run(c);
	for (size_t i = 0; i < bench->n_peers; i++)
		if (bench->peer[i]->scan_count && jobs[i].peer_set)
			bench->peer[i]->scan_destroy(jobs[i].peer_set);
	lanewise_scan_set_destroy(ours.set);
	bench_free(ours.scratch);
	bench_free(text);
}

#define PATTERN(text) { text, sizeof text - 1 }

void bench_scan(struct bench *bench)
{
	static const lanewise_pattern one[] = { PATTERN("Sherlock Holmes") };
	static const lanewise_pattern tags[] = { PATTERN("<think>"), PATTERN("</think>"), PATTERN("<thinking>"),
		                                 PATTERN("</thinking>") };
	static const lanewise_pattern secrets[] = {
		PATTERN("AKIA"),        PATTERN("ASIA"),       PATTERN("ghp_"),  PATTERN("gho_"),
		PATTERN("sk-"),         PATTERN("sk_live_"),   PATTERN("xoxb-"), PATTERN("xoxp-"),
		PATTERN("github_pat_"), PATTERN("-----BEGIN"), PATTERN("eyJ"),   PATTERN("AIza"),
	};
	static char bytes[MAX_PATTERNS][16];
	lanewise_pattern many[MAX_PATTERNS];

	make_words(bytes, many, MAX_PATTERNS);
	for (enum bench_size size = BENCH_L2; size < BENCH_SIZES; size++) {
		bench_set(bench, size, "one literal", one, 1);
		bench_set(bench, size, "4 tags", tags, 4);
		bench_set(bench, size, "12 secret prefixes", secrets, 12);
		bench_set(bench, size, "50 words", many, 50);
		bench_set(bench, size, "500 words", many, 500);
	}
}
