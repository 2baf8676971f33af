/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as a word, and how much: --stop, --stem, --k1 and others, shared by subcommands that make an index. */
#ifndef LW_TOOL_ANALYSIS_H
#define LW_TOOL_ANALYSIS_H

#include <lanewise/bm25.h>
#include <lanewise/text.h>

#include "tool.h"

/* All zeros is what no option changes. */
struct analysis {
	lanewise_analyzer_options options;
	int wanted; /* any option of the analyzer was given */
	float k1, b;
	int has_k1, has_b, no_counts;
	const char *stop_file;
};

/* For getopt_long: their names, and the numbers that analysis_take knows. */
enum {
	ANALYSIS_STOP = 512,
	ANALYSIS_STEM,
	ANALYSIS_WORDS,
	ANALYSIS_MIN,
	ANALYSIS_MAX,
	ANALYSIS_NUMBERS,
	ANALYSIS_K1,
	ANALYSIS_B,
	ANALYSIS_NO_COUNTS
};
/* clang-format off */
#define ANALYSIS_OPTIONS \
	{ "stop", required_argument, NULL, ANALYSIS_STOP }, \
	{ "stem", required_argument, NULL, ANALYSIS_STEM }, \
	{ "words", required_argument, NULL, ANALYSIS_WORDS }, \
	{ "min-length", required_argument, NULL, ANALYSIS_MIN }, \
	{ "max-length", required_argument, NULL, ANALYSIS_MAX }, \
	{ "drop-numbers", no_argument, NULL, ANALYSIS_NUMBERS }, \
	{ "k1", required_argument, NULL, ANALYSIS_K1 }, \
	{ "b", required_argument, NULL, ANALYSIS_B }, \
	{ "no-counts", no_argument, NULL, ANALYSIS_NO_COUNTS }

#define ANALYSIS_HELP \
	"      --stop LIST      words to leave out: english, or a file with words between white space\n" \
	"      --stem LANGUAGE  words become their Snowball stems: english (Porter2), german, french ...; only where\n" \
	"                       libstemmer is installed\n" \
	"      --min-length N   words of fewer characters are left out; so --max-length N, of more\n" \
	"      --drop-numbers   words of digits alone are left out\n" \
	"      --words RULE     segments: letters and numbers of one script, ideographs one by one (the default);\n" \
	"                       runs: whatever \\w+ matches\n" \
	"      --k1 X, --b X    BM25's parameters, 1.2 and 0.75 unless told\n" \
	"      --no-counts      an index of words a quarter smaller, with scores of parts rounded to 16 bits\n"
/* clang-format on */

/* Takes one of these options; 0 if it is another. */
int analysis_take(struct analysis *analysis, const char *command, int option, const char *argument);

/* The analyzer, or NULL if no option asks for one. Fails with the reason. */
lanewise_analyzer *analysis_create(const struct analysis *analysis);

/* A builder with these parameters and that analyzer. */
lanewise_bm25_builder *analysis_builder(const struct analysis *analysis, const lanewise_analyzer *analyzer);

#endif
