/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/secrets.h: all built-in rules over prose and code, beside regular expressions of the same shapes, which
 * compare_secrets.py writes while the benchmark is built. Peers know no lookahead, entropy or stop words, and report every
 * end of a match, so what they count is something else and not compared. And a handful of rules with expressions, beside peers
 * that look for these in the whole text.
 */
#include "harness.h"
#include "scan_text.h"

#include <lanewise/regex.h>

#include <stdlib.h>
#include <string.h>

enum { MAX_EXPRESSIONS = 256 };

struct secrets_job {
	lanewise_secrets *secrets;
	void *scratch, *peer_set;
	const struct bench_peer *peer;
	const char *text;
	size_t n_bytes;
};

static void run_secrets(void *context)
{
	const struct secrets_job *job = context;
	uint64_t present[LANEWISE_SECRETS_RULES / 64];

	if (job->peer)
		job->peer->scan_count(job->peer_set, job->text, job->n_bytes);
	else
		lanewise_secrets_types(job->secrets, job->text, job->n_bytes, job->scratch, present, NULL);
}

static void run_stream(void *context)
{
	const struct secrets_job *job = context;
	lanewise_secrets_stream *stream = lanewise_secrets_stream_begin(job->secrets, NULL, job->scratch);
	lanewise_secret found[64];

	lanewise_secrets_stream_feed(stream, job->text, job->n_bytes);
	while (lanewise_secrets_stream_next(stream, found, 64) > 0)
		continue;
	lanewise_secrets_stream_finish(stream);
	while (lanewise_secrets_stream_next(stream, found, 64) > 0)
		continue;
}

/* The lines of the file of expressions, which `*text` holds; how many. */
static size_t read_expressions(char **text, const char *expressions[MAX_EXPRESSIONS], int ignore_case[MAX_EXPRESSIONS])
{
	size_t n = 0;

#ifdef LW_BENCH_EXPRESSIONS
	FILE *file = fopen(LW_BENCH_EXPRESSIONS, "r");
	size_t room = 0;

	if (!file)
		return 0;
	if (getdelim(text, &room, 0, file) > 0)
		for (char *line = strtok(*text, "\n"); line && n < MAX_EXPRESSIONS; line = strtok(NULL, "\n")) {
			ignore_case[n] = *line == '+';
			expressions[n++] = line + 1;
		}
	fclose(file);
#else
	(void)text, (void)expressions, (void)ignore_case;
#endif
	return n;
}

/* Keys of services, as they are assigned to variables whose names have the service's in them. */
#define KEY(name, set) name "\\w{0,20}[\"']?\\s{0,4}[:=]{1,2}\\s{0,4}[\"'](" set ")[\"']"
#define KEYS(key) \
	key("quillport", "[\\w-]{32}") key("oxmere", "\\w{32}") key("brindlehub", "\\w{32}") \
	        key("tarnvale", "\\w{32}") key("pellucid", "\\w{40}") key("harbourly", "\\w{15}") \
	                key("nimbleset", "[\\w=-]{32}") key("wexdeploy", "[\\w=-]{40,46}")
#define RULE(name, set)       "rule " name "\nanchor " name "\nignore-case\nregex " KEY(name, set) "\nwindow 0 128\n"
#define EXPRESSION(name, set) KEY(name, set),

static const char own_rules[] = KEYS(RULE);
static const char *const own_expressions[] = { KEYS(EXPRESSION) };

enum { N_OWN = sizeof own_expressions / sizeof *own_expressions, EVERY = 1 << 14 };

/* Text with one of these here and there, and their names alone. */
static void fill_with_keys(char *text, size_t n)
{
	static const char keys[] =
	        "\nHARBOURLY_KEY = \"k9xw2lqp7vrt4zs\"; pellucid, oxmere and brindlehub, nimbleset\n";

	bench_fill_code(text, n);
	for (size_t at = 0; at + EVERY <= n; at += EVERY)
		memcpy(text + at + EVERY / 2, keys, sizeof keys - 1);
}

/* With the built-in rules or, if `own`, those with expressions. */
static void bench_rules_in(struct bench *bench, enum bench_size size, void (*fill)(char *, size_t), const char *what,
                           int own)
{
	const lanewise_secrets_options options = { sizeof options, 0, 0, lanewise_regex_pcre2() };
	struct bench_case *c =
	        own && !options.regex ? NULL : bench_case_begin(bench, own ? "secrets_regex" : "secrets", size, "byte");
	struct secrets_job ours = { .n_bytes = bench_size_bytes(bench, size) }, jobs[BENCH_MAX_PEERS], stream;
	const char *expressions[MAX_EXPRESSIONS];
	int ignore_case[MAX_EXPRESSIONS];
	char *text, *lines = NULL;

	if (!c)
		return;
	ours.text = text = bench_alloc(ours.n_bytes);
	fill(text, ours.n_bytes);
	snprintf(c->workload, sizeof c->workload, "secrets in %s, %zu KiB", what, ours.n_bytes / 1024);
	c->units = c->bytes = (double)ours.n_bytes;
	if (lanewise_secrets_create(own ? own_rules : NULL, own ? sizeof own_rules - 1 : 0, &options, NULL,
	                            &ours.secrets, NULL) != LANEWISE_OK)
		abort();
	ours.scratch = bench_alloc(lanewise_secrets_scratch_size(ours.secrets));
	bench_add_tiers(c, "scan_candidates", run_secrets, &ours);
	stream = ours;
	stream.scratch = bench_alloc(lanewise_secrets_stream_scratch_size(ours.secrets));
	bench_add(c, BENCH_REFERENCE, "as a stream", run_stream, &stream);

	size_t n = bench->n_peers && !own ? read_expressions(&lines, expressions, ignore_case) : 0;

	for (size_t i = 0; i < N_OWN && own; i++, n++) {
		expressions[i] = own_expressions[i];
		ignore_case[i] = 1;
	}

	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = ours;
		jobs[i].peer = bench->peer[i];
		jobs[i].peer_set = NULL;
		if (n && jobs[i].peer->regex_create)
			jobs[i].peer_set = jobs[i].peer->regex_create(expressions, ignore_case, n);
		if (jobs[i].peer_set)
			bench_add(c, BENCH_PEER, jobs[i].peer->name, run_secrets, &jobs[i]);
	}
	bench_case_run(c);
	for (size_t i = 0; i < bench->n_peers; i++)
		if (jobs[i].peer_set)
			jobs[i].peer->scan_destroy(jobs[i].peer_set);
	lanewise_secrets_destroy(ours.secrets);
	bench_free(stream.scratch);
	bench_free(ours.scratch);
	bench_free(text);
	free(lines);
}

void bench_secrets(struct bench *bench, enum bench_size size)
{
	bench_rules_in(bench, size, bench_fill_prose, "prose", 0);
	bench_rules_in(bench, size, bench_fill_code, "code", 0);
	bench_rules_in(bench, size, fill_with_keys, "code, by 8 expressions", 1);
}
