/* SPDX-License-Identifier: Apache-2.0 */
/* The program `check`: options for check.h. Timing is the business of `lanewise bench`. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"

static const char usage[] =
        "usage: check [OPTION]...\n"
        "Compares every implementation of every kernel that this CPU can run with scalar, bit for bit.\n"
        "  --seed N            the seed of random choices (default: from the clock; it is printed)\n"
        "  --repeat N          run N seeds, counted up from the first\n"
        "  --kernel GLOB       only kernels whose names match\n"
        "  --tier NAME         only this tier, or \"active\"; exit status 77 if this CPU cannot run it\n"
        "  --expect-tier NAME  fail unless this tier is the active one\n"
        "  --quick             fewer cases, a few seconds in all\n"
        "  --digest            print a digest of each kernel's results over a fixed set of cases\n"
        "  --digest-file FILE  compare these digests with FILE, tier by tier\n"
        "  --list              list kernels and tiers, run nothing\n"
        "  --quiet             print failures and the last line only\n";

static int number(const char *text, unsigned long long *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return errno == 0 && end != text && *end == '\0';
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "repeat", required_argument, NULL, 'r' },
		{ "kernel", required_argument, NULL, 'k' },
		{ "tier", required_argument, NULL, 't' },
		{ "expect-tier", required_argument, NULL, 'e' },
		{ "digest-file", required_argument, NULL, 'f' },
		{ "quick", no_argument, NULL, 'q' },
		{ "digest", no_argument, NULL, 'd' },
		{ "list", no_argument, NULL, 'l' },
		{ "quiet", no_argument, NULL, 'Q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct lw_check_options check = { .seed = (uint64_t)time(NULL) };
	unsigned long long value = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if ((c == 's' || c == 'r') && !number(optarg, &value)) {
			fprintf(stderr, "check: %s is not a number\n", optarg);
			return 2;
		}
		switch (c) {
		case 's':
			check.seed = value;
			break;
		case 'r':
			check.repeat = (unsigned)value;
			break;
		case 'k':
			check.kernel = optarg;
			break;
		case 't':
			check.tier = optarg;
			break;
		case 'e':
			check.expect_tier = optarg;
			break;
		case 'f':
			check.digest_file = optarg;
			break;
		case 'q':
			check.quick = 1;
			break;
		case 'd':
			check.digest = 1;
			break;
		case 'l':
			check.list = 1;
			break;
		case 'Q':
			check.quiet = 1;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	return lanewise_check_run(&check);
}
