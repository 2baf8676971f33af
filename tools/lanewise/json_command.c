/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise json: check, look into, repair and find JSON. `check` goes through the input in pieces, and --lines through its
 * lines; else it is read whole.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lanewise/json.h>
#include <lanewise/utf8.h>

#include "json.h"
#include "tool.h"

static void print_help(void)
{
	puts("Usage: lanewise json check|tokens|minify|repair|find [options] [FILE]\n"
	     "       lanewise json get PATH [options] [FILE]\n"
	     "\n"
	     "FILE may be -, standard input, which is also read without one.\n"
	     "\n"
	     "  check           whether it is JSON (RFC 8259); if not, what is wrong and where\n"
	     "  tokens          a line for each value and name: offset, bytes, depth, type, text\n"
	     "  get PATH        the value at a JSON pointer (/choices/0/text) or path (choices[0].text)\n"
	     "  minify          without white space, or indented\n"
	     "  repair          make JSON of what is nearly JSON, as language models write it\n"
	     "  find            the arrays and objects within other text, each without white space on a line\n"
	     "\n"
	     "      --lines     check, get: each line is a value (NDJSON), which is looked at as soon as it is\n"
	     "                  there; empty ones are passed over\n"
	     "      --indent N  minify, repair: indent by N spaces (1 to 16) instead\n"
	     "      --text      get: a string as the text it stands for\n"
	     "      --json      check: the verdict; tokens; repair: the text and its edits; find: places, as JSON; "
	     "and\n"
	     "                  what is wrong, as check has it\n"
	     "      --help      this text\n"
	     "\n"
	     "Exit status: 0 done, 1 an error in the data or the system (not JSON, or nothing found), 2 wrong usage.");
}

struct job {
	const char *path;
	struct buffer text;
	uint32_t indent;
	int as_json, as_text, lines;
	size_t lines_before, bytes_before; /* of the input, when `text` is one of its lines */

	/* Of get: the path, as it was given and read. */
	const char *wanted;
	lanewise_json_step *steps;
	size_t n_steps;
	char *names;
};

static FILE *open_input(const struct job *job)
{
	FILE *stream = strcmp(job->path, "-") ? fopen(job->path, "rb") : stdin;

	if (!stream)
		tool_fail("%s: %s", job->path, strerror(errno));
	return stream;
}

static void read_input(struct job *job)
{
	FILE *stream = open_input(job);
	size_t n;

	while ((n = fread(buffer_reserve(&job->text, 1 << 16), 1, 1 << 16, stream)) > 0)
		job->text.n += n;
	if (ferror(stream))
		tool_fail("%s: %s", job->path, strerror(errno));
	if (stream != stdin)
		fclose(stream);
	buffer_append(&job->text, "", 1);
	job->text.n--;
}

/* Of an error in the input: line and column from 1, columns in bytes. */
struct place {
	uint64_t offset;
	size_t line, column;
};

static struct place find_place(const struct job *job, uint64_t offset)
{
	size_t end = offset < job->text.n ? (size_t)offset : job->text.n, begin = 0;
	struct place place = { job->bytes_before + offset, job->lines_before + 1, 0 };

	for (size_t i = 0; i < end; i++)
		if (job->text.data[i] == '\n') {
			begin = i + 1;
			place.line++;
		}
	place.column = end - begin + 1;
	return place;
}

static void print_verdict(const struct place *place, const char *what)
{
	printf("{\"valid\": false, \"offset\": %" PRIu64 ", \"line\": %zu, \"column\": %zu, \"what\": ", place->offset,
	       place->line, place->column);
	json_write_string(stdout, what, strlen(what));
	puts("}");
}

/* With --json what is wrong is told as by check. */
_Noreturn static void fail_at(const struct job *job, const lanewise_error *error)
{
	if (error->offset == LANEWISE_NO_OFFSET)
		tool_fail("%s: %s", job->path, error->what);

	struct place place = find_place(job, error->offset);

	if (job->as_json) {
		print_verdict(&place, error->what);
		fflush(stdout);
		exit(TOOL_FAILURE);
	}
	tool_fail("%s:%zu:%zu: %s", job->path, place.line, place.column, error->what);
}

/* ---------------------------------------------------------------- commands */

/*
 * Runs `one` on each whole line of job->text, and at the input's end on the last, unless it is empty, as if it were the text.
 * Returns the bytes gone through; *result becomes TOOL_FAILURE if a line made it so.
 */
static size_t do_lines(struct job *job, size_t searched, int at_end, int (*one)(struct job *job), int *result)
{
	struct buffer all = job->text;
	size_t begin = 0;

	while (begin < all.n) {
		size_t from = searched > begin ? searched : begin;
		char *newline = memchr(all.data + from, '\n', all.n - from);

		if (!newline && !at_end)
			break;

		size_t end = newline ? (size_t)(newline - all.data) : all.n;

		job->text = (struct buffer) { .data = all.data + begin, .n = end - begin };
		if (strspn(job->text.data, " \t\r") < job->text.n && one(job) != TOOL_OK)
			*result = TOOL_FAILURE;
		begin = newline ? end + 1 : all.n;
		job->bytes_before += begin - (size_t)(job->text.data - all.data);
		job->lines_before++;
	}
	job->text = all;
	return begin;
}

/* All lines of the input, each as soon as it is there; TOOL_OK if it was that for every one. */
static int for_each_line(struct job *job, int (*one)(struct job *job))
{
	FILE *stream = open_input(job);
	int input = fileno(stream), result = TOOL_OK;

	for (int at_end = 0; !at_end;) {
		size_t searched = job->text.n, done;
		ssize_t n = read(input, buffer_reserve(&job->text, (1 << 16) + 1), 1 << 16);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			tool_fail("%s: %s", job->path, strerror(errno));
		job->text.n += (size_t)n;
		job->text.data[job->text.n] = '\0'; /* for strspn */
		at_end = n == 0;
		done = do_lines(job, searched, at_end, one, &result);
		job->text.n -= done;
		memmove(job->text.data, job->text.data + done, job->text.n);
		fflush(stdout);
		tool_check_output();
	}
	if (stream != stdin)
		fclose(stream);
	return result;
}

/* What is not JSON, as check tells it. */
static int refuse(const struct job *job, const struct place *place, const char *what)
{
	if (job->as_json)
		print_verdict(place, what);
	else
		tool_note("%s:%zu:%zu: %s", job->path, place->line, place->column, what);
	return TOOL_FAILURE;
}

/* Of lines only those that are not JSON are told. */
static int check_line(struct job *job)
{
	lanewise_error error;

	if (lanewise_json_validate(job->text.data, job->text.n, NULL, &error) == LANEWISE_OK)
		return TOOL_OK;
	if (error.offset == LANEWISE_NO_OFFSET)
		fail_at(job, &error);

	struct place place = find_place(job, error.offset);

	return refuse(job, &place, error.what);
}

/* Where lines are, as far as the input was gone through. */
struct lines_so_far {
	uint64_t n_bytes, line_begin;
	size_t n_lines;
};

static void pass_lines(struct lines_so_far *l, const char *text, size_t n)
{
	const char *last = memrchr(text, '\n', n);

	l->n_lines += lanewise_utf8_count_range(text, n, '\n', '\n');
	if (last)
		l->line_begin = l->n_bytes + (uint64_t)(last + 1 - text);
	l->n_bytes += n;
}

/* Of an offset in the piece, or before it on the line on which it begins: no scalar or escape goes over a line's end. */
static struct place place_in_piece(struct lines_so_far l, const char *piece, uint64_t offset)
{
	if (offset > l.n_bytes)
		pass_lines(&l, piece, (size_t)(offset - l.n_bytes));
	return (struct place) { offset, l.n_lines + 1, (size_t)(offset - l.line_begin) + 1 };
}

static int check_whole(struct job *job)
{
	enum { PIECE = 1 << 18 };
	FILE *stream = open_input(job);
	void *scratch = tool_allocate(lanewise_json_validator_scratch_size(), 1);
	lanewise_json_validator *validator = lanewise_json_validator_begin(scratch, NULL);
	struct lines_so_far lines = { 0 };
	char *piece = tool_allocate(PIECE, 1);
	lanewise_status status = LANEWISE_OK;
	lanewise_error error;
	size_t n = 1;
	int result = TOOL_OK;

	while (status == LANEWISE_OK && n > 0) {
		n = fread(piece, 1, PIECE, stream);
		if (ferror(stream))
			tool_fail("%s: %s", job->path, strerror(errno));
		status = n > 0 ? lanewise_json_validator_feed(validator, piece, n, &error)
		               : lanewise_json_validator_finish(validator, &error);
		if (status == LANEWISE_OK)
			pass_lines(&lines, piece, n);
	}
	if (status != LANEWISE_OK) {
		struct place place = place_in_piece(lines, piece, error.offset);

		result = refuse(job, &place, error.what);
	} else if (job->as_json) {
		puts("{\"valid\": true}");
	}
	free(piece);
	free(scratch);
	if (stream != stdin)
		fclose(stream);
	return result;
}

static int check(struct job *job) { return job->lines ? for_each_line(job, check_line) : check_whole(job); }

static lanewise_json_node *parse(struct job *job, size_t *n_nodes)
{
	size_t bound = lanewise_json_nodes_bound(job->text.n, NULL);
	lanewise_json_node *nodes = tool_allocate(bound, sizeof *nodes);
	lanewise_error error;

	if (lanewise_json_parse(job->text.data, job->text.n, NULL, nodes, bound, n_nodes, &error) != LANEWISE_OK)
		fail_at(job, &error);
	return nodes;
}

static void print_token(const struct job *job, const lanewise_json_node *node, size_t depth)
{
	static const char *const types[] = { "null", "false", "true", "number", "string", "array", "object" };
	const char *type = node->flags & LANEWISE_JSON_NAME ? "name" : types[node->type];
	int container = node->type == LANEWISE_JSON_ARRAY || node->type == LANEWISE_JSON_OBJECT;

	if (job->as_json)
		printf("{\"offset\": %lu, \"bytes\": %lu, \"depth\": %zu, \"type\": \"%s\"%s",
		       (unsigned long)node->offset, (unsigned long)node->n_bytes, depth, type,
		       container ? "" : ", \"value\": ");
	else
		printf("%lu\t%lu\t%zu\t%s\t", (unsigned long)node->offset, (unsigned long)node->n_bytes, depth, type);
	if (!container)
		fwrite(job->text.data + node->offset, 1, node->n_bytes, stdout);
	puts(job->as_json ? "}" : "");
}

static int tokens(struct job *job)
{
	size_t n, depth = 0;
	lanewise_json_node *nodes = parse(job, &n);
	uint32_t *ends = tool_allocate(1024, sizeof *ends);

	for (size_t i = 0; i < n; i++) {
		const lanewise_json_node *node = &nodes[i];
		int container = node->type == LANEWISE_JSON_ARRAY || node->type == LANEWISE_JSON_OBJECT;

		while (depth && ends[depth - 1] <= i)
			depth--;
		print_token(job, node, depth);
		if (container)
			ends[depth++] = node->next;
	}
	free(ends);
	free(nodes);
	return TOOL_OK;
}

/* The value at the path, read before; absent from a line it is an empty line, absent from a text an error. */
static int get_from_text(struct job *job)
{
	size_t n_nodes, n;
	lanewise_json_node *nodes = parse(job, &n_nodes);
	size_t at = lanewise_json_follow(job->text.data, nodes, 0, job->steps, job->n_steps, job->names);

	if (at == SIZE_MAX && !job->lines)
		tool_fail("%s: there is no %s", job->path, job->wanted);
	if (at != SIZE_MAX && job->as_text && nodes[at].type == LANEWISE_JSON_STRING) {
		char *text = tool_allocate(nodes[at].n_bytes, 1);

		lanewise_json_string(job->text.data, &nodes[at], text, nodes[at].n_bytes, &n);
		fwrite(text, 1, n, stdout);
		free(text);
	} else if (at != SIZE_MAX) {
		fwrite(job->text.data + nodes[at].offset, 1, nodes[at].n_bytes, stdout);
	}
	putchar('\n');
	free(nodes);
	return TOOL_OK;
}

static int get(struct job *job)
{
	size_t n_wanted = strlen(job->wanted);
	lanewise_error error;
	int result;

	job->steps = tool_allocate(n_wanted + 1, sizeof *job->steps);
	job->names = tool_allocate(n_wanted + 1, 1);
	if (lanewise_json_path(job->wanted, n_wanted, job->steps, n_wanted, &job->n_steps, job->names, &error) !=
	    LANEWISE_OK)
		tool_fail_usage("json", "%s at byte %llu of %s", error.what, (unsigned long long)error.offset,
		                job->wanted);
	if (job->lines) {
		result = for_each_line(job, get_from_text);
	} else {
		read_input(job);
		result = get_from_text(job);
	}
	free(job->names);
	free(job->steps);
	return result;
}

/* Prints text with the indent asked for and a line end. */
static void print_formatted(struct job *job, const char *text, size_t n_bytes)
{
	lanewise_error error;
	size_t n = 0;
	char *out;

	/* Once for the size: it depends on the depth. */
	lanewise_status status = lanewise_json_format(text, n_bytes, NULL, job->indent, NULL, 0, &n, &error);

	if (status != LANEWISE_ERROR_CAPACITY)
		fail_at(job, &error);
	out = tool_allocate(n, 1);
	lanewise_json_format(text, n_bytes, NULL, job->indent, out, n, &n, &error);
	fwrite(out, 1, n, stdout);
	putchar('\n');
	free(out);
}

static int minify(struct job *job)
{
	print_formatted(job, job->text.data, job->text.n);
	return TOOL_OK;
}

static void print_edits(const lanewise_json_edit *edits, size_t n)
{
	static const char *const kinds[] = { "",     "prose",  "comment", "quote",  "comma", "colon",    "bracket",
		                             "word", "number", "value",   "escape", "join",  "ellipsis", "end" };

	fputs(", \"edits\": [", stdout);
	for (size_t i = 0; i < n; i++)
		printf("%s{\"kind\": \"%s\", \"offset\": %llu, \"bytes\": %llu, \"out_offset\": %llu, \"out_bytes\": "
		       "%llu}",
		       i ? ", " : "", kinds[edits[i].kind], (unsigned long long)edits[i].offset,
		       (unsigned long long)edits[i].n_bytes, (unsigned long long)edits[i].out_offset,
		       (unsigned long long)edits[i].n_out);
	fputs("]", stdout);
}

static int repair(struct job *job)
{
	lanewise_json_repair_result result;
	lanewise_error error;
	lanewise_json_edit *edits;
	const char *text = job->text.data;
	char *out;
	size_t n = job->text.n;
	lanewise_status status = lanewise_json_repair(text, n, NULL, NULL, 0, NULL, 0, &result, &error);

	if (status != LANEWISE_OK && status != LANEWISE_ERROR_CAPACITY)
		fail_at(job, &error);
	out = tool_allocate(result.n_out + 1, 1);
	edits = tool_allocate(result.n_edits + 1, sizeof *edits);
	if (result.n_edits) {
		lanewise_json_repair(text, n, NULL, out, result.n_out, edits, result.n_edits, &result, &error);
		text = out;
		n = result.n_out;
	}
	if (job->as_json) {
		printf("{\"changed\": %s, \"text\": ", result.n_edits ? "true" : "false");
		json_write_string(stdout, text, n);
		print_edits(edits, result.n_edits);
		puts("}");
	} else if (job->indent) {
		print_formatted(job, text, n);
	} else {
		fwrite(text, 1, n, stdout);
		if (n == 0 || text[n - 1] != '\n')
			putchar('\n');
	}
	free(out);
	free(edits);
	return TOOL_OK;
}

static int find(struct job *job)
{
	enum { FEW = 1024 };
	size_t n;
	lanewise_json_span *spans = tool_allocate(FEW, sizeof *spans);
	lanewise_error error;
	lanewise_status status = lanewise_json_find(job->text.data, job->text.n, NULL, spans, FEW, &n, &error);

	if (status == LANEWISE_ERROR_CAPACITY) {
		free(spans);
		spans = tool_allocate(n, sizeof *spans);
		status = lanewise_json_find(job->text.data, job->text.n, NULL, spans, n, &n, &error);
	}
	if (status != LANEWISE_OK)
		fail_at(job, &error);
	job->indent = 0;
	for (size_t i = 0; i < n; i++)
		if (job->as_json)
			printf("{\"offset\": %zu, \"bytes\": %zu}\n", spans[i].offset, spans[i].n_bytes);
		else
			print_formatted(job, job->text.data + spans[i].offset, spans[i].n_bytes);
	free(spans);
	return n ? TOOL_OK : TOOL_FAILURE;
}

static const struct {
	const char *name;
	int (*run)(struct job *job);
} commands[] = { { "check", check },   { "tokens", tokens }, { "get", get },
	         { "minify", minify }, { "repair", repair }, { "find", find } };

static uint32_t parse_indent(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || number < 1 || number > 16)
		tool_fail_usage("json", "--indent is a number from 1 to 16");
	return (uint32_t)number;
}

static int run(struct job *job, int argc, char **argv)
{
	size_t i = 0;
	int is_get;

	if (argc < 1)
		tool_fail_usage("json", "no check, tokens, get, minify, repair or find");
	while (i < sizeof commands / sizeof *commands && strcmp(argv[0], commands[i].name) != 0)
		i++;
	if (i == sizeof commands / sizeof *commands)
		tool_fail_usage("json", "there is no lanewise json %s", argv[0]);
	is_get = commands[i].run == get;
	if (is_get && argc < 2)
		tool_fail_usage("json", "no PATH to get");
	job->wanted = is_get ? argv[1] : NULL;
	argc -= 1 + is_get;
	argv += 1 + is_get;
	if (argc > 1)
		tool_fail_usage("json", "more than one FILE: %s", argv[1]);
	job->path = argc ? argv[0] : "-";
	if (!is_get && commands[i].run != check)
		read_input(job);

	int status = commands[i].run(job);

	buffer_free(&job->text);
	return status;
}

int tool_json(int argc, char **argv)
{
	enum { INDENT = 256, TEXT, JSON, LINES, HELP };
	static const struct option long_options[] = {
		{ "indent", required_argument, NULL, INDENT }, { "text", no_argument, NULL, TEXT },
		{ "json", no_argument, NULL, JSON },           { "lines", no_argument, NULL, LINES },
		{ "help", no_argument, NULL, HELP },           { NULL, 0, NULL, 0 },
	};
	struct job job = { 0 };

	for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;)
		switch (option) {
		case INDENT:
			job.indent = parse_indent(optarg);
			break;
		case TEXT:
			job.as_text = 1;
			break;
		case JSON:
			job.as_json = 1;
			break;
		case LINES:
			job.lines = 1;
			break;
		case HELP:
			print_help();
			return TOOL_OK;
		default:
			fputs("Try 'lanewise json --help'.\n", stderr);
			return TOOL_USAGE;
		}
	return run(&job, argc - optind, argv + optind);
}
