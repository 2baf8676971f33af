/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise classify: texts put into classes by weighted keywords, by rules in a file (lanewise/classify.h). */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <lanewise/classify.h>
#include <lanewise/json.h>

#include "documents.h"
#include "json.h"
#include "tool.h"

static void print_help(void)
{
	puts("Usage: lanewise classify --rules FILE [options] [PATH...]\n"
	     "\n"
	     "Tells the class of each text by the weighted keywords in it: a line of the class (- if there is none "
	     "that\n"
	     "is clear enough), its confidence and where the text is from, between tabs. A text is a file, a file in "
	     "a\n"
	     "directory, standard input (the default, which is also -), or a line of JSON with its \"text\" in a file\n"
	     "that ends in .jsonl or .ndjson. Blank ones are passed over, and binary and hidden files in directories.\n"
	     "\n"
	     "      --rules FILE  the classes and keywords, see below\n"
	     "      --lines       each line is a text\n"
	     "      --json        for each text one JSON object on a line, with the scores of all classes\n"
	     "      --help        this text\n"
	     "\n"
	     "Rules have one statement to a line:\n"
	     "\n"
	     "  # What is to be done?     a comment\n"
	     "  class action              a class; its keywords follow\n"
	     "  1    run                  a weight, and a keyword, to the end of the line\n"
	     "  0.8  set up\n"
	     "  class question\n"
	     "  1    why\n"
	     "  negation don't            a keyword that begins up to 20 bytes behind counts against its class\n"
	     "  option words any          keywords count within words too: words whole|any\n"
	     "\n"
	     "Names and keywords may stand in double quotes, as in JSON. Other options, with their defaults: case "
	     "ignore\n"
	     "(or match), overlap yes (no: matches of a class don't overlap), ties first (last), window 20 (bytes),\n"
	     "bonus 0.1 (for a keyword at the beginning; less towards the end), negated -0.5 (factor of a negated\n"
	     "keyword), min-confidence 0.3 (the least share of all scores that the class must have), min-score 0.\n"
	     "\n"
	     "Exit status: 0 done, 1 an error in the data or the system, 2 wrong usage.");
}

struct classify_run {
	lanewise_classifier *classifier;
	void *scratch;
	lanewise_class_score *scores;
	int json;
};

static void print_number(double value)
{
	char text[LANEWISE_JSON_NUMBER_BYTES];

	fwrite(text, 1, lanewise_json_write_f64(value, text), stdout);
}

static void print_class(const struct classify_run *run, int32_t class_index)
{
	const char *name = lanewise_classifier_class_name(run->classifier, (size_t)class_index);

	if (class_index == LANEWISE_CLASS_NONE)
		fputs("null", stdout);
	else
		json_write_string(stdout, name, strlen(name));
}

static void print_json(const struct classify_run *run, const struct document *document, int32_t best)
{
	fputs("{\"id\": ", stdout);
	json_write_string(stdout, document->id, document->id_bytes);
	fputs(", \"class\": ", stdout);
	print_class(run, best);
	fputs(", \"confidence\": ", stdout);
	print_number(best == LANEWISE_CLASS_NONE ? 0 : run->scores[best].confidence);
	fputs(", \"scores\": [", stdout);
	for (size_t i = 0; i < lanewise_classifier_n_classes(run->classifier); i++) {
		const lanewise_class_score *score = &run->scores[i];

		fputs(i ? ", {\"class\": " : "{\"class\": ", stdout);
		print_class(run, (int32_t)i);
		fputs(", \"score\": ", stdout);
		print_number(score->score);
		fputs(", \"confidence\": ", stdout);
		print_number(score->confidence);
		printf(", \"matches\": %llu, \"negated\": %llu}", (unsigned long long)score->n_matches,
		       (unsigned long long)score->n_negated);
	}
	puts("]}");
}

static void print_line(const struct classify_run *run, const struct document *document, int32_t best)
{
	fputs(best == LANEWISE_CLASS_NONE ? "-" : lanewise_classifier_class_name(run->classifier, (size_t)best),
	      stdout);
	printf("\t%.3f\t", best == LANEWISE_CLASS_NONE ? 0 : run->scores[best].confidence);
	fwrite(document->id, 1, document->id_bytes, stdout);
	putchar('\n');
}

static void classify_document(void *context, const struct document *document)
{
	const struct classify_run *run = context;
	int32_t best;

	if (lanewise_classify(run->classifier, document->text, document->text_bytes, run->scratch, run->scores,
	                      &best) != LANEWISE_OK)
		tool_fail("classify: out of order"); /* cannot happen */
	if (run->json)
		print_json(run, document, best);
	else
		print_line(run, document, best);
	tool_check_output();
}

static void read_rules(struct classify_run *run, const char *path)
{
	enum { PIECE = 1 << 16 };
	struct buffer rules = { 0 };
	FILE *stream = fopen(path, "rb");
	lanewise_error error = { .what = "" };
	size_t n;

	if (!stream)
		tool_fail("%s: %s", path, strerror(errno));
	do {
		n = fread(buffer_reserve(&rules, PIECE), 1, PIECE, stream);
		rules.n += n;
	} while (n == PIECE);
	if (ferror(stream))
		tool_fail("%s: %s", path, strerror(errno));
	fclose(stream);
	if (lanewise_classifier_parse(rules.data, rules.n, NULL, &run->classifier, &error) != LANEWISE_OK)
		tool_fail("%s: %s", path, error.what);
	buffer_free(&rules);
	run->scratch = tool_allocate(lanewise_classify_scratch_size(run->classifier), 1);
	run->scores = tool_allocate(lanewise_classifier_n_classes(run->classifier), sizeof *run->scores);
}

int tool_classify(int argc, char **argv)
{
	enum { RULES = 256, LINES, JSON, HELP };
	static const struct option long_options[] = {
		{ "rules", required_argument, NULL, RULES },
		{ "lines", no_argument, NULL, LINES },
		{ "json", no_argument, NULL, JSON },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	struct classify_run run = { 0 };
	struct document_files files = { 0 };
	const char *rules = NULL;
	int lines = 0;

	for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;)
		switch (option) {
		case RULES:
			rules = optarg;
			break;
		case LINES:
			lines = 1;
			break;
		case JSON:
			run.json = 1;
			break;
		case HELP:
			print_help();
			return TOOL_OK;
		default:
			fputs("Try 'lanewise classify --help'.\n", stderr);
			return TOOL_USAGE;
		}
	if (!rules)
		tool_fail_usage("classify", "there are no --rules");
	tool_catch_signals();
	read_rules(&run, rules);
	if (optind == argc)
		documents_find(&files, "-");
	for (int i = optind; i < argc; i++)
		documents_find(&files, argv[i]);
	documents_read(&files, FORMAT_BY_NAME, lines, classify_document, &run);
	documents_free(&files);
	lanewise_classifier_destroy(run.classifier);
	free(run.scratch);
	free(run.scores);
	return TOOL_OK;
}
