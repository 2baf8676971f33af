/* SPDX-License-Identifier: Apache-2.0 */
/* The lanewise command: a thin layer over the library's public functions. One file per subcommand. */
#include <signal.h>
#include <string.h>
#include <stdlib.h>

#include <lanewise/base.h>

#include "tool.h"

#if LW_HAVE_BENCH
#include "harness.h"
#endif

static const struct command {
	const char *name, *summary;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "index", "make an index of documents", tool_index },
	{ "search", "find the documents that fit a query best", tool_search },
	{ "graph", "PageRank, order, validation and components of a graph", tool_graph },
	{ "dedup", "drop lines or blocks that came before", tool_dedup },
	{ "chunk", "cut data where its content says so, or text into passages", tool_chunk },
	{ "filter", "cut spans such as <think>...</think> out of a stream", tool_filter },
	{ "classify", "tell the class of texts by weighted keywords", tool_classify },
	{ "scan", "find secrets, or many patterns at once, in files and pipes", tool_scan },
	{ "eval", "measure how well queries find what is judged relevant to them", tool_eval },
	{ "json", "check, look into, repair and find JSON", tool_json },
	{ "info", "tell about this build, this machine and the kernels in use", tool_info },
	{ "selftest", "compare every kernel that this CPU can run with the reference, bit for bit", tool_selftest },
#if LW_HAVE_BENCH
	{ "bench", "measure kernels beside each other and beside other libraries", lanewise_bench_main },
#endif
};

static void print_help(FILE *stream)
{
	fputs("Usage: lanewise COMMAND ...\n\n", stream);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("  help       tell how to use a command: lanewise help COMMAND\n"
	      "  --version  print the version\n"
	      "\n"
	      "Exit status: 0 done, 1 an error in the data or the system, 2 wrong usage.\n",
	      stream);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	tool_note("there is no command %s", name);
	print_help(stderr);
	return NULL;
}

/* getopt puts argv[0] before its messages. */
static int run_command(const struct command *command, int argc, char **argv)
{
	static char name[64];

	snprintf(name, sizeof name, "lanewise %s", command->name);
	argv[0] = name;
	return command->run(argc, argv);
}

static int run_help(int argc, char **argv)
{
	char help[] = "--help";
	char *arguments[] = { NULL, help, NULL };

	if (argc < 3) {
		print_help(stdout);
		return TOOL_OK;
	}

	const struct command *command = find_command(argv[2]);

	return command ? run_command(command, 2, arguments) : TOOL_USAGE;
}

static int run(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return TOOL_USAGE;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)
		return run_help(argc, argv);
	if (strcmp(argv[1], "--version") == 0) {
		printf("lanewise %s\n", lanewise_version());
		return TOOL_OK;
	}

	const struct command *command = find_command(argv[1]);

	return command ? run_command(command, argc - 1, argv + 1) : TOOL_USAGE;
}

int main(int argc, char **argv)
{
	/*
	 * Write errors come back as errors: a reader who goes away must not kill us before temporary files are removed,
	 * nor a limit on the size of files.
	 */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);

	int status = run(argc, argv);

	return tool_end_output() || status ? status : TOOL_FAILURE;
}
