/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise filter: a stream without its spans between marks, or these alone, as it comes. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lanewise/filter.h>

#include "tool.h"

enum { PIECE_BYTES = 1 << 16 };

static void print_help(void)
{
	puts("Usage: lanewise filter [--think] [--pair START END]... [options]\n"
	     "\n"
	     "Writes standard input without the text between STARTs and ENDs and without these. What can be part of a\n"
	     "START is held back until it is certain; everything else is written as soon as it is there.\n"
	     "\n"
	     "      --think            the marks of the usual reasoning models, <think> and </think> among them (the\n"
	     "                         default if there is no --pair)\n"
	     "      --pair START END   a mark that begins spans and one that ends them\n"
	     "      --nested           spans may begin in spans, and the outer one ends after the inner ones\n"
	     "      --inside           write the text within spans instead, each span with a newline behind it\n"
	     "      --help             this text\n"
	     "\n"
	     "A span that is not ended reaches to the end. Exit status: 0 done, 1 an error in the data or the system,\n"
	     "2 wrong usage.");
}

struct filter_run {
	lanewise_filter_pair pairs[LANEWISE_FILTER_PAIRS];
	size_t n_pairs;
	lanewise_filter_options options;
	int inside;
};

static void add_pair(struct filter_run *run, lanewise_filter_pair pair)
{
	if (run->n_pairs == LANEWISE_FILTER_PAIRS)
		tool_fail_usage("filter", "there are more than %d pairs", LANEWISE_FILTER_PAIRS);
	run->pairs[run->n_pairs++] = pair;
}

static void add_think_pairs(struct filter_run *run)
{
	size_t n;
	const lanewise_filter_pair *pairs = lanewise_filter_think_pairs(&n);

	for (size_t i = 0; i < n; i++)
		add_pair(run, pairs[i]);
}

static void write_parts(lanewise_filtering *filtering, int inside)
{
	lanewise_part part;

	while (lanewise_filter_next(filtering, &part)) {
		if (part.kind == (inside ? LANEWISE_PART_INSIDE : LANEWISE_PART_OUTSIDE))
			fwrite(part.bytes, 1, part.n_bytes, stdout);
		else if (inside && part.kind == LANEWISE_PART_END && part.depth == 0)
			putchar('\n');
	}
	/* Who reads the other end of the pipe sees tokens as they come. Errors are main's to report. */
	fflush(stdout);
}

static size_t read_piece(char *piece)
{
	ssize_t n;

	do {
		tool_check_signals();
		n = read(STDIN_FILENO, piece, PIECE_BYTES);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		tool_fail("standard input: %s", strerror(errno));
	return (size_t)n;
}

static int run_filter(const struct filter_run *run)
{
	static char piece[PIECE_BYTES];
	lanewise_error error;
	lanewise_filter *filter;

	if (lanewise_filter_create(run->pairs, run->n_pairs, &run->options, NULL, &filter, &error) != LANEWISE_OK)
		tool_fail("filter: %s", error.what);

	size_t n_scratch = lanewise_filter_scratch_size(filter);
	char *scratch = tool_allocate(n_scratch, 1);
	lanewise_filtering *filtering = lanewise_filter_begin(filter, scratch);

	tool_catch_signals();
	for (size_t n; !ferror(stdout) && (n = read_piece(piece)) > 0;) {
		lanewise_filter_feed(filtering, piece, n);
		write_parts(filtering, run->inside);
	}
	lanewise_filter_finish(filtering);
	write_parts(filtering, run->inside);
	if (run->inside && lanewise_filter_depth(filtering) > 0)
		putchar('\n');
	lanewise_filter_destroy(filter);
	free(scratch);
	return TOOL_OK;
}

int tool_filter(int argc, char **argv)
{
	enum { THINK = 256, PAIR, NESTED, INSIDE, HELP };
	static const struct option long_options[] = {
		{ "think", no_argument, NULL, THINK },   { "pair", required_argument, NULL, PAIR },
		{ "nested", no_argument, NULL, NESTED }, { "inside", no_argument, NULL, INSIDE },
		{ "help", no_argument, NULL, HELP },     { NULL, 0, NULL, 0 },
	};
	static struct filter_run run = { .options = { .struct_size = sizeof run.options } };

	/* "+": the END behind a --pair is no option and must stay where it is. */
	for (int option; (option = getopt_long(argc, argv, "+", long_options, NULL)) != -1;)
		switch (option) {
		case THINK:
			add_think_pairs(&run);
			break;
		case PAIR:
			if (optind == argc)
				tool_fail_usage("filter", "--pair needs a START and an END");
			if (!optarg[0] || !argv[optind][0])
				tool_fail_usage("filter", "--pair: the %s is empty", optarg[0] ? "END" : "START");
			add_pair(&run,
			         (lanewise_filter_pair) { optarg, strlen(optarg), argv[optind], strlen(argv[optind]) });
			optind++;
			break;
		case NESTED:
			run.options.nested = 1;
			break;
		case INSIDE:
			run.inside = 1;
			break;
		case HELP:
			print_help();
			return TOOL_OK;
		default:
			fputs("Try 'lanewise filter --help'.\n", stderr);
			return TOOL_USAGE;
		}
	if (optind < argc)
		tool_fail_usage("filter", "%s: it reads standard input only", argv[optind]);
	if (run.n_pairs == 0)
		add_think_pairs(&run);
	return run_filter(&run);
}
