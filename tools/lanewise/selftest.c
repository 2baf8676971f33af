/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise selftest: the quick form of the tests' `check`, wherever the command is installed. */
#include <getopt.h>
#include <time.h>

#include "check.h"
#include "tool.h"

static void print_help(void)
{
	puts("Usage: lanewise selftest [--quiet]\n"
	     "\n"
	     "Runs every implementation of every kernel that this CPU can run and compares it with the scalar "
	     "reference,\n"
	     "bit for bit, on random and hostile data beside unmapped memory. Takes a few seconds.\n"
	     "\n"
	     "      --quiet   failures and the last line only\n"
	     "      --help    this text\n"
	     "\n"
	     "Exit status: 0 all equal, 1 a difference or a fault, 2 wrong usage.");
}

int tool_selftest(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct lw_check_options check = { .seed = (uint64_t)time(NULL), .quick = 1, .skip_reference = 1 };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'q':
			check.quiet = 1;
			break;
		case 'h':
			print_help();
			return TOOL_OK;
		default:
			fputs("Try 'lanewise selftest --help'.\n", stderr);
			return TOOL_USAGE;
		}
	if (optind < argc)
		tool_fail_usage("selftest", "there is nothing to name: %s", argv[optind]);
	return lanewise_check_run(&check) == 0 ? TOOL_OK : TOOL_FAILURE;
}
