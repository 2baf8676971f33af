/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t parse_length(const char *command, const char *name, const char *text)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n == 0 || n > LANEWISE_WORD_BYTES)
		tool_fail_usage(command, "--%s is a number from 1 to %d, not %s", name, LANEWISE_WORD_BYTES, text);
	return (uint32_t)n;
}

static lanewise_word_rule parse_rule(const char *command, const char *name)
{
	if (strcmp(name, "runs") == 0)
		return LANEWISE_WORDS_RUNS;
	if (strcmp(name, "segments") == 0)
		return LANEWISE_WORDS_SEGMENTS;
	tool_fail_usage(command, "--words is segments or runs, not %s", name);
}

static float parse_parameter(const char *command, const char *name, const char *text, float greatest)
{
	char *end;
	float x = strtof(text, &end);

	if (end == text || *end || !(x >= 0 && x <= greatest))
		tool_fail_usage(command, "--%s is a number from 0 to %g, not %s", name, (double)greatest, text);
	return x;
}

int analysis_take(struct analysis *analysis, const char *command, int option, const char *argument)
{
	lanewise_analyzer_options *options = &analysis->options;

	if (option == ANALYSIS_K1 || option == ANALYSIS_B) {
		int is_b = option == ANALYSIS_B;

		*(is_b ? &analysis->b : &analysis->k1) =
		        parse_parameter(command, is_b ? "b" : "k1", argument, is_b ? 1 : 1000);
		*(is_b ? &analysis->has_b : &analysis->has_k1) = 1;
		return 1;
	}
	if (option == ANALYSIS_NO_COUNTS) {
		analysis->no_counts = 1;
		return 1;
	}
	if (!analysis->wanted)
		options->rule = LANEWISE_WORDS_SEGMENTS;
	switch (option) {
	case ANALYSIS_STOP:
		options->stop = strcmp(argument, "english") == 0 ? argument : NULL;
		analysis->stop_file = options->stop ? NULL : argument;
		break;
	case ANALYSIS_STEM:
		options->stemmer = argument;
		break;
	case ANALYSIS_WORDS:
		options->rule = parse_rule(command, argument);
		break;
	case ANALYSIS_MIN:
		options->min_characters = parse_length(command, "min-length", argument);
		break;
	case ANALYSIS_MAX:
		options->max_characters = parse_length(command, "max-length", argument);
		break;
	case ANALYSIS_NUMBERS:
		options->drop_numbers = 1;
		break;
	default:
		return 0;
	}
	options->struct_size = sizeof *options;
	analysis->wanted = 1;
	return 1;
}

static struct buffer read_file(const char *path)
{
	FILE *stream = fopen(path, "rb");
	struct buffer text = { 0 };
	char piece[4096];

	if (!stream)
		tool_fail("%s: %s", path, strerror(errno));
	for (size_t n; (n = fread(piece, 1, sizeof piece, stream)) > 0;)
		buffer_append(&text, piece, n);
	if (ferror(stream))
		tool_fail("%s: %s", path, strerror(errno));
	fclose(stream);
	return text;
}

lanewise_analyzer *analysis_create(const struct analysis *analysis)
{
	lanewise_analyzer_options options = analysis->options;
	struct buffer text = { 0 };
	lanewise_word stop_words;
	lanewise_analyzer *analyzer = NULL;
	lanewise_error error;

	if (!analysis->wanted)
		return NULL;
	if (analysis->stop_file) {
		/* The library splits it. */
		text = read_file(analysis->stop_file);
		stop_words = (lanewise_word) { .text = text.data, .n_bytes = text.n };
		options.stop_words = &stop_words;
		options.n_stop_words = text.n > 0;
	}
	if (lanewise_analyzer_create(&options, NULL, &analyzer, &error))
		tool_fail("%s", error.what);
	buffer_free(&text);
	return analyzer;
}

lanewise_bm25_builder *analysis_builder(const struct analysis *analysis, const lanewise_analyzer *analyzer)
{
	const lanewise_bm25_options options = { .struct_size = sizeof options,
		                                .k1 = analysis->has_k1 ? analysis->k1 : 1.2f,
		                                .b = analysis->has_b ? analysis->b : 0.75f,
		                                .without_counts = analysis->no_counts };
	lanewise_bm25_builder *builder = NULL;
	lanewise_status status = lanewise_bm25_builder_create(&options, NULL, &builder);

	if (!status)
		status = lanewise_bm25_builder_use_analyzer(builder, analyzer);
	if (status)
		tool_fail("indexing words: %s", lanewise_status_text(status));
	return builder;
}
