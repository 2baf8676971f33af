/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise scan: secrets, or many patterns at once, in files, trees of files and pipes; exit status as grep's. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <lanewise/parallel.h>
#include <lanewise/regex.h>

#include "json.h"
#include "scan.h"
#include "utf8.h"

enum { FOUND = 0, NOTHING = 1, TROUBLE = 2, MAX_THREADS = 256 };

static void print_help(void)
{
	puts("Usage: lanewise scan --secrets [options] [PATH...]\n"
	     "       lanewise scan --patterns FILE [options] [PATH...]\n"
	     "\n"
	     "Searches files, directories with all that is in them, and standard input (-, or no PATH). Prints\n"
	     "path:line:column:kind of each finding, where columns count bytes from 1; never the secret itself.\n"
	     "\n"
	     "      --secrets        access keys, tokens, passwords and private keys, by the built-in rules\n"
	     "      --rules FILE     and by these, which come first (the format is in lanewise/secrets.h)\n"
	     "      --entropy        and by the optional ones: long runs of bytes that look random\n"
	     "      --check          try the examples in --rules FILE, or in the built-in rules, and nothing else\n"
	     "      --mask           write the text with *** for secrets instead\n"
	     "      --redact         write the text with [REDACTED:kind] for secrets instead\n"
	     "      --patterns FILE  these strings, one in each line; of those that overlap the leftmost longest\n"
	     "      --ignore-case    A-Z and a-z are equal\n"
	     "      --word           only where no letter, digit or _ stands beside\n"
	     "      --count          print how often each kind was found instead\n"
	     "      --json           print a line of JSON for each finding (or count)\n"
	     "      --fingerprints   print a fingerprint of kind and secret before each finding\n"
	     "      --baseline FILE  say nothing of findings whose fingerprints are the first words of its lines\n"
	     "      --exclude GLOB   in directories, not what a line of .gitignore with this would mean\n"
	     "      --gitignore      nor what .gitignore files in them say\n"
	     "      --no-ignore      whatever .lanewiseignore files say, which have the same form\n"
	     "      --hidden         also files and directories whose names begin with a dot\n"
	     "      --binary         also files with a NUL byte in their first 8 kB\n"
	     "      --threads N      scan so many files at once (one for each core)\n"
	     "      --help           this text\n"
	     "\n"
	     "Files may be larger than memory. Symbolic links are followed only if they are named; what is named is "
	     "never\n"
	     "passed over but if it is binary. Exit status: 0 something was found (or text was written), 1 nothing, 2 "
	     "an\n"
	     "error; files that cannot be read are reported and passed over. A secret that is easy to guess can be "
	     "guessed\n"
	     "from its fingerprint. Rules with expressions need PCRE2 (see lanewise info); where they can decide "
	     "nothing "
	     "within\n"
	     "their limits, that is an error too, after everything else.");
}

_Noreturn static void fail(const char *what, const char *why)
{
	tool_note("%s: %s", what, why);
	exit(TROUBLE);
}

/* ------------------------------------------------------------ getting ready */

static void make_secrets(struct scan_run *run)
{
	lanewise_secrets_options options = { sizeof options, 1, run->entropy, lanewise_regex_pcre2() };
	lanewise_error error;
	struct buffer rules = { 0 };

	if (run->rules_path && !scan_read_file(run->rules_path, &rules))
		fail(run->rules_path, strerror(errno));
	if (lanewise_secrets_create(run->rules_path ? rules.data : NULL, rules.n, &options, NULL, &run->secrets,
	                            &error) != LANEWISE_OK)
		fail(run->rules_path ? run->rules_path : "rules", error.what);
	buffer_free(&rules);
	run->n_kinds = lanewise_secrets_n_rules(run->secrets);
	run->scratch_bytes = lanewise_secrets_stream_scratch_size(run->secrets);
}

/* One pattern in each line that is not empty. */
static void split_patterns(struct scan_run *run)
{
	const char *at = run->pattern_text.data, *end = at + run->pattern_text.n;
	size_t capacity = 0;

	while (at < end) {
		const char *feed = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((feed ? feed : end) - at);

		if (n > 0 && at[n - 1] == '\r')
			n--;
		if (run->n_kinds == capacity) {
			capacity = capacity ? 2 * capacity : 64;
			run->patterns = tool_reallocate(run->patterns, capacity, sizeof *run->patterns);
		}
		if (n > 0)
			run->patterns[run->n_kinds++] = (lanewise_pattern) { at, n };
		at = feed ? feed + 1 : end;
	}
}

static void make_patterns(struct scan_run *run)
{
	lanewise_scan_set_options options = { sizeof options, run->ignore_case };
	lanewise_error error;

	if (!scan_read_file(run->patterns_path, &run->pattern_text))
		fail(run->patterns_path, strerror(errno));
	split_patterns(run);
	if (run->n_kinds == 0)
		fail(run->patterns_path, "there is no pattern in it");
	if (lanewise_scan_set_create(run->patterns, run->n_kinds, &options, NULL, &run->set, &error) != LANEWISE_OK)
		fail(run->patterns_path, error.what);
	run->scratch_bytes = lanewise_scan_scratch_size(run->set);
}

static int by_value(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* Lines whose first word is a fingerprint; empty ones, and those that begin with #, say nothing. */
static void read_baseline(struct scan_run *run)
{
	struct buffer text = { 0 };

	if (!scan_read_file(run->baseline_path, &text))
		fail(run->baseline_path, strerror(errno));
	buffer_append(&text, "", 1);
	for (char *line = text.data, *next; line; line = next) {
		char *end;
		uint64_t fingerprint;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (*line == '\0' || *line == '#' || *line == '\r')
			continue;
		errno = 0;
		fingerprint = strtoull(line, &end, 16);
		if (errno || end - line != 12 || (*end && *end != ' ' && *end != '\r'))
			fail(run->baseline_path, "a line does not begin with a fingerprint of 12 digits");
		if (run->n_known == run->known_capacity) {
			run->known_capacity = run->known_capacity ? 2 * run->known_capacity : 64;
			run->known = tool_reallocate(run->known, run->known_capacity, sizeof *run->known);
		}
		run->known[run->n_known++] = fingerprint;
	}
	if (run->n_known)
		qsort(run->known, run->n_known, sizeof *run->known, by_value);
	buffer_free(&text);
}

static void print_kind(const struct scan_run *run, size_t kind)
{
	if (run->secrets)
		fputs(lanewise_secrets_rule_name(run->secrets, kind), stdout);
	else
		utf8_print_line(stdout, run->patterns[kind].bytes, run->patterns[kind].n_bytes, 0);
}

static void print_counts(const struct scan_run *run)
{
	int first = 1;

	if (run->json)
		putchar('{');
	for (size_t i = 0; i < run->n_kinds; i++) {
		if (run->counts[i] == 0)
			continue;
		if (run->json) {
			const char *kind =
			        run->secrets ? lanewise_secrets_rule_name(run->secrets, i) : run->patterns[i].bytes;

			fputs(first ? "" : ", ", stdout);
			json_write_string(stdout, kind, run->secrets ? strlen(kind) : run->patterns[i].n_bytes);
			printf(": %llu", (unsigned long long)run->counts[i]);
			first = 0;
			continue;
		}
		printf("%llu ", (unsigned long long)run->counts[i]);
		print_kind(run, i);
		putchar('\n');
	}
	if (run->json)
		puts("}");
}

static int check_rules(const struct scan_run *run)
{
	struct buffer rules = { 0 };
	lanewise_error error;
	size_t n;

	if (run->rules_path && !scan_read_file(run->rules_path, &rules))
		fail(run->rules_path, strerror(errno));
	if (run->rules_path && rules.n == 0)
		fail(run->rules_path, "there is no rule in it");
	if (lanewise_secrets_check_examples(rules.data, rules.n, lanewise_regex_pcre2(), NULL, &n, &error) !=
	    LANEWISE_OK)
		fail(run->rules_path ? run->rules_path : "rules", error.what);
	printf("%zu examples hold\n", n);
	buffer_free(&rules);
	return FOUND;
}

static int run_scan(struct scan_run *run, int n_paths, char **paths)
{
	static char standard_input[] = "-";
	static char *no_path[] = { standard_input };

	if (run->secrets_mode)
		make_secrets(run);
	else
		make_patterns(run);
	run->counts = tool_allocate(run->n_kinds, sizeof *run->counts);
	memset(run->counts, 0, run->n_kinds * sizeof *run->counts);
	tool_catch_signals();
	if (n_paths == 0) {
		n_paths = 1;
		paths = no_path;
	}
	if (run->baseline_path)
		read_baseline(run);
	for (int i = 0; i < n_paths; i++)
		scan_add_path(run, paths[i]);
	scan_all(run);
	if (run->count)
		print_counts(run);
	lanewise_secrets_destroy(run->secrets);
	lanewise_scan_set_destroy(run->set);
	for (size_t i = 0; i < run->n_files; i++)
		free(run->files[i].path);
	free(run->files);
	free(run->patterns);
	free(run->counts);
	free(run->known);
	ignore_free(&run->exclude);
	buffer_free(&run->pattern_text);
	/* Main says what it was. */
	if (fflush(stdout) != 0 || ferror(stdout))
		return TROUBLE;
	return run->trouble ? TROUBLE : run->any ? FOUND : NOTHING;
}

static uint32_t read_threads(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n < 1 || n > MAX_THREADS)
		tool_fail_usage("scan", "--threads is a number from 1 to %d", MAX_THREADS);
	return (uint32_t)n;
}

int tool_scan(int argc, char **argv)
{
	static struct scan_run run = { .mutex = PTHREAD_MUTEX_INITIALIZER, .turned = PTHREAD_COND_INITIALIZER };
	enum { PATTERNS = 256, RULES, BASELINE, EXCLUDE, THREADS, HELP };
	const struct option long_options[] = {
		{ "secrets", no_argument, &run.secrets_mode, 1 },
		{ "rules", required_argument, NULL, RULES },
		{ "entropy", no_argument, &run.entropy, 1 },
		{ "check", no_argument, &run.check, 1 },
		{ "mask", no_argument, &run.mask, 1 },
		{ "redact", no_argument, &run.redact, 1 },
		{ "patterns", required_argument, NULL, PATTERNS },
		{ "ignore-case", no_argument, &run.ignore_case, 1 },
		{ "word", no_argument, &run.word, 1 },
		{ "count", no_argument, &run.count, 1 },
		{ "json", no_argument, &run.json, 1 },
		{ "hidden", no_argument, &run.hidden, 1 },
		{ "binary", no_argument, &run.binary, 1 },
		{ "fingerprints", no_argument, &run.fingerprints, 1 },
		{ "baseline", required_argument, NULL, BASELINE },
		{ "exclude", required_argument, NULL, EXCLUDE },
		{ "gitignore", no_argument, &run.gitignore, 1 },
		{ "no-ignore", no_argument, &run.no_ignore, 1 },
		{ "threads", required_argument, NULL, THREADS },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};

	for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;)
		switch (option) {
		case 0:
			break;
		case RULES:
			run.rules_path = optarg;
			break;
		case PATTERNS:
			run.patterns_path = optarg;
			break;
		case BASELINE:
			run.baseline_path = optarg;
			break;
		case EXCLUDE:
			ignore_add_line(&run.exclude, optarg, strlen(optarg));
			break;
		case THREADS:
			run.n_threads = read_threads(optarg);
			break;
		case HELP:
			print_help();
			return TOOL_OK;
		default:
			fputs("Try 'lanewise scan --help'.\n", stderr);
			return TOOL_USAGE;
		}
	if (run.secrets_mode == (run.patterns_path != NULL))
		tool_fail_usage("scan", "one of --secrets and --patterns FILE is needed, and not both");
	if (run.patterns_path && (run.rules_path || run.entropy || run.check || run.mask || run.redact))
		tool_fail_usage("scan", "--rules, --entropy, --check, --mask and --redact belong to --secrets");
	if ((run.baseline_path || run.fingerprints) &&
	    (!run.secrets_mode || run.check || run.mask || run.redact || (run.fingerprints && run.count)))
		tool_fail_usage("scan", "--fingerprints and --baseline belong to findings of --secrets");
	if (run.n_threads == 0)
		run.n_threads = lanewise_default_threads();
	if (run.secrets_mode && (run.ignore_case || run.word))
		tool_fail_usage("scan", "--ignore-case and --word belong to --patterns");
	if (run.mask && run.redact)
		tool_fail_usage("scan", "--mask and --redact contradict each other");
	if (run.check && (run.mask || run.redact))
		tool_fail_usage("scan", "--check and --%s contradict each other", run.mask ? "mask" : "redact");
	if (run.gitignore && run.no_ignore)
		tool_fail_usage("scan", "--gitignore and --no-ignore contradict each other");
	if ((run.mask || run.redact) && (run.count || run.json))
		tool_fail_usage("scan",
		                "--mask and --redact write text, and leave --count and --json nothing to write");
	return run.check ? check_rules(&run) : run_scan(&run, argc - optind, argv + optind);
}
