/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise scan: secrets, or many patterns at once, in files, trees of files and pipes; exit status as grep's. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lanewise/scan.h>
#include <lanewise/secrets.h>

#include "json.h"
#include "tool.h"
#include "utf8.h"

enum { FOUND = 0, NOTHING = 1, TROUBLE = 2 };
enum { BINARY_BYTES = 8192, N_FOUND = 256 };

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
	     "      --hidden         also files and directories whose names begin with a dot\n"
	     "      --binary         also files with a NUL byte in their first 8 kB\n"
	     "      --help           this text\n"
	     "\n"
	     "Symbolic links are followed only if they are named. Exit status: 0 something was found (or text was\n"
	     "written), 1 nothing, 2 an error; files that cannot be read are reported and passed over.");
}

struct scan_run {
	const char *patterns_path, *rules_path;
	int secrets_mode, check, mask, redact, entropy, ignore_case, word, count, json, hidden, binary;

	lanewise_secrets *secrets;
	lanewise_scan_set *set;
	lanewise_pattern *patterns;
	size_t n_kinds;
	struct buffer pattern_text, text, out;
	void *scratch;

	uint64_t *counts; /* by rule or pattern */
	int any, trouble;
};

_Noreturn static void fail(const char *what, const char *why)
{
	tool_note("%s: %s", what, why);
	exit(TROUBLE);
}

/* ---------------------------------------------------------------- reading */

/* The whole file into `text`; 0, and errno, if that cannot be done. */
static int read_all(int fd, struct buffer *text)
{
	enum { PIECE = 1 << 18 };
	ssize_t n;

	text->n = 0;
	do {
		tool_check_signals();
		n = read(fd, buffer_reserve(text, PIECE), PIECE);
		if (n > 0)
			text->n += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0;
}

static int read_path(const char *path, struct buffer *text)
{
	int standard = strcmp(path, "-") == 0, fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;

	int right = read_all(fd, text), error = errno;

	if (!standard)
		close(fd);
	errno = error;
	return right;
}

/* --------------------------------------------------------------- findings */

static void print_json(const struct scan_run *run, const char *path, const lanewise_place *place, size_t n_bytes,
                       size_t kind)
{
	const char *type = run->secrets ? lanewise_secrets_rule_name(run->secrets, kind) : run->patterns[kind].bytes;
	size_t n = run->secrets ? strlen(type) : run->patterns[kind].n_bytes;

	fputs("{\"path\": ", stdout);
	json_write_string(stdout, path, strlen(path));
	printf(", \"line\": %llu, \"column\": %llu, \"offset\": %llu, \"bytes\": %zu, \"%s\": ",
	       (unsigned long long)place->line, (unsigned long long)(place->offset - place->line_begin + 1),
	       (unsigned long long)place->offset, n_bytes, run->secrets ? "type" : "pattern");
	json_write_string(stdout, type, n);
	puts("}");
}

static void print_kind(const struct scan_run *run, size_t kind)
{
	if (run->secrets)
		fputs(lanewise_secrets_rule_name(run->secrets, kind), stdout);
	else
		utf8_print_line(stdout, run->patterns[kind].bytes, run->patterns[kind].n_bytes, 0);
}

static void report(struct scan_run *run, const char *path, lanewise_place *place, uint64_t begin, uint64_t end,
                   size_t kind)
{
	run->any = 1;
	run->counts[kind]++;
	if (run->count)
		return;
	lanewise_place_move(place, run->text.data, run->text.n, begin);
	if (run->json) {
		print_json(run, path, place, (size_t)(end - begin), kind);
		return;
	}
	utf8_print_line(stdout, path, strlen(path), 0);
	printf(":%llu:%llu:", (unsigned long long)place->line,
	       (unsigned long long)(place->offset - place->line_begin + 1));
	print_kind(run, kind);
	putchar('\n');
}

static void find_secrets(struct scan_run *run, const char *path)
{
	lanewise_secret found[N_FOUND];
	lanewise_place place = { 0 };
	lanewise_secrets_search *search =
	        lanewise_secrets_begin(run->secrets, run->text.data, run->text.n, run->scratch);

	for (size_t n; (n = lanewise_secrets_next(search, found, N_FOUND)) > 0; tool_check_signals())
		for (size_t i = 0; i < n; i++)
			report(run, path, &place, found[i].begin, found[i].end, found[i].rule);
}

static void find_patterns(struct scan_run *run, const char *path)
{
	lanewise_scan_options options = { sizeof options, LANEWISE_SCAN_LEFTMOST_LONGEST, run->word };
	lanewise_match found[N_FOUND];
	lanewise_place place = { 0 };
	lanewise_scan *scan = lanewise_scan_begin(run->set, &options, run->scratch);

	lanewise_scan_feed(scan, run->text.data, run->text.n);
	for (int last = 0; last < 2; last++) {
		for (size_t n; (n = lanewise_scan_next(scan, found, N_FOUND)) > 0; tool_check_signals())
			for (size_t i = 0; i < n; i++)
				report(run, path, &place, found[i].begin, found[i].end, found[i].pattern);
		if (!last)
			lanewise_scan_finish(scan);
	}
}

static void write_masked(struct scan_run *run)
{
	lanewise_mask_options options = { .struct_size = sizeof options, .replace = run->redact };
	lanewise_status status;
	size_t n_out;

	run->out.n = 0;
	buffer_reserve(&run->out, run->text.n + 4096);
	status = lanewise_secrets_mask(run->secrets, &options, run->text.data, run->text.n, run->scratch, run->out.data,
	                               run->out.capacity, &n_out, NULL);
	if (status == LANEWISE_ERROR_CAPACITY) {
		buffer_reserve(&run->out, n_out);
		lanewise_secrets_mask(run->secrets, &options, run->text.data, run->text.n, run->scratch, run->out.data,
		                      run->out.capacity, &n_out, NULL);
	}
	fwrite(run->out.data, 1, n_out, stdout);
	run->any = 1;
}

/* -------------------------------------------------------------------- files */

static void trouble(struct scan_run *run, const char *path)
{
	tool_note("%s: %s", path, strerror(errno));
	run->trouble = 1;
}

static void scan_file(struct scan_run *run, const char *path, int named)
{
	const char *shown = strcmp(path, "-") == 0 ? "stdin" : path;
	size_t looked_at;

	if (!read_path(path, &run->text)) {
		trouble(run, shown);
		return;
	}
	looked_at = run->text.n < BINARY_BYTES ? run->text.n : BINARY_BYTES;
	if (!run->binary && looked_at && memchr(run->text.data, '\0', looked_at)) {
		if (named)
			tool_note("%s: a binary file is passed over (not with --binary)", shown);
		return;
	}
	if (run->mask || run->redact)
		write_masked(run);
	else if (run->secrets)
		find_secrets(run, shown);
	else
		find_patterns(run, shown);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The names in a directory, sorted; what is hidden only if it was asked for. */
static char **list_names(struct scan_run *run, const char *path, size_t *n)
{
	size_t capacity = 0;
	char **names = NULL;
	DIR *stream = opendir(path);
	struct dirent *entry;

	*n = 0;
	if (!stream) {
		trouble(run, path);
		return NULL;
	}
	while ((errno = 0, entry = readdir(stream))) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (name[0] == '.' && !run->hidden))
			continue;
		if (*n == capacity) {
			capacity = capacity ? 2 * capacity : 64;
			names = tool_reallocate(names, capacity, sizeof *names);
		}
		names[*n] = tool_allocate(strlen(name) + 1, 1);
		memcpy(names[(*n)++], name, strlen(name) + 1);
	}
	if (errno)
		trouble(run, path);
	closedir(stream);
	if (*n)
		qsort(names, *n, sizeof *names, by_name);
	return names;
}

static void scan_directory(struct scan_run *run, const char *directory)
{
	size_t n, length = strlen(directory);
	char **names = list_names(run, directory, &n);

	for (size_t i = 0; i < n; i++) {
		char *path = tool_allocate(length + strlen(names[i]) + 2, 1);
		const char *slash = length > 0 && directory[length - 1] == '/' ? "" : "/";
		struct stat about;

		sprintf(path, "%s%s%s", directory, slash, names[i]);
		free(names[i]);
		tool_check_signals();
		if (lstat(path, &about) != 0)
			trouble(run, path);
		else if (S_ISDIR(about.st_mode))
			scan_directory(run, path);
		else if (S_ISREG(about.st_mode))
			scan_file(run, path, 0);
		free(path);
	}
	free(names);
}

static void scan_path(struct scan_run *run, const char *path)
{
	struct stat about;

	if (strcmp(path, "-") == 0)
		scan_file(run, path, 1);
	else if (stat(path, &about) != 0)
		trouble(run, path);
	else if (S_ISDIR(about.st_mode))
		scan_directory(run, path);
	else
		scan_file(run, path, 1);
}

/* ------------------------------------------------------------ getting ready */

static void make_secrets(struct scan_run *run)
{
	lanewise_secrets_options options = { sizeof options, 1, run->entropy };
	lanewise_error error;
	struct buffer rules = { 0 };

	if (run->rules_path && !read_path(run->rules_path, &rules))
		fail(run->rules_path, strerror(errno));
	if (lanewise_secrets_create(run->rules_path ? rules.data : NULL, rules.n, &options, NULL, &run->secrets,
	                            &error) != LANEWISE_OK)
		fail(run->rules_path ? run->rules_path : "rules", error.what);
	buffer_free(&rules);
	run->n_kinds = lanewise_secrets_n_rules(run->secrets);
	run->scratch = tool_allocate(lanewise_secrets_scratch_size(run->secrets), 1);
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

	if (!read_path(run->patterns_path, &run->pattern_text))
		fail(run->patterns_path, strerror(errno));
	split_patterns(run);
	if (run->n_kinds == 0)
		fail(run->patterns_path, "there is no pattern in it");
	if (lanewise_scan_set_create(run->patterns, run->n_kinds, &options, NULL, &run->set, &error) != LANEWISE_OK)
		fail(run->patterns_path, error.what);
	run->scratch = tool_allocate(lanewise_scan_scratch_size(run->set), 1);
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

	if (run->rules_path && !read_path(run->rules_path, &rules))
		fail(run->rules_path, strerror(errno));
	if (run->rules_path && rules.n == 0)
		fail(run->rules_path, "there is no rule in it");
	if (lanewise_secrets_check_examples(rules.data, rules.n, NULL, &n, &error) != LANEWISE_OK)
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
	for (int i = 0; i < n_paths && !ferror(stdout); i++)
		scan_path(run, paths[i]);
	if (run->count)
		print_counts(run);
	lanewise_secrets_destroy(run->secrets);
	lanewise_scan_set_destroy(run->set);
	free(run->patterns);
	free(run->counts);
	free(run->scratch);
	buffer_free(&run->pattern_text);
	buffer_free(&run->text);
	buffer_free(&run->out);
	return run->trouble ? TROUBLE : run->any ? FOUND : NOTHING;
}

int tool_scan(int argc, char **argv)
{
	static struct scan_run run;
	enum { PATTERNS = 256, RULES, HELP };
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
	if (run.secrets_mode && (run.ignore_case || run.word))
		tool_fail_usage("scan", "--ignore-case and --word belong to --patterns");
	if ((run.mask || run.redact) && (run.count || run.json))
		tool_fail_usage("scan",
		                "--mask and --redact write text, and leave --count and --json nothing to write");
	return run.check ? check_rules(&run) : run_scan(&run, argc - optind, argv + optind);
}
