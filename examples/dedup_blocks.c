/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of a model often repeat whole paragraphs. This prints a text that comes in small pieces without the blocks
 * that it had before, whatever their case and spacing.
 */
#include <lanewise/dedup.h>

#include <stdio.h>
#include <string.h>

static const char text[] = "The build fails on line 12.\n\n"
                           "```c\nint x = 1;\n```\n\n"
                           "the  build fails\non line 12\n\n"
                           "```c\nint x = 1;\n```\n\n"
                           "Declare it once.\n";

static int n_printed, n_dropped;

static int print_units(lanewise_dedup *dedup)
{
	lanewise_dedup_unit units[4];
	size_t n;

	do {
		if (lanewise_dedup_next(dedup, units, 4, &n) != LANEWISE_OK)
			return 0;
		for (size_t i = 0; i < n; i++)
			if (units[i].first == units[i].number) {
				printf("%.*s\n\n", (int)(units[i].end - units[i].begin), text + units[i].begin);
				n_printed++;
			} else {
				n_dropped++;
			}
	} while (n > 0);
	return 1;
}

int main(void)
{
	lanewise_dedup_options options = { .struct_size = sizeof options, .unit = LANEWISE_DEDUP_BLOCKS };
	lanewise_dedup *dedup;
	lanewise_error error;
	int fine = 1;

	options.normalize = LANEWISE_NORMALIZE_COLLAPSE | LANEWISE_NORMALIZE_LOWER | LANEWISE_NORMALIZE_TRIM |
	                    LANEWISE_NORMALIZE_TRIM_PUNCTUATION | LANEWISE_WHITESPACE_UNICODE;
	if (lanewise_dedup_create(&options, NULL, &dedup, &error) != LANEWISE_OK) {
		fprintf(stderr, "%s\n", error.what);
		return 1;
	}
	for (size_t at = 0, size; fine && text[at]; at += size) {
		size = strlen(text + at) < 10 ? strlen(text + at) : 10;
		fine = lanewise_dedup_feed(dedup, text + at, size) == LANEWISE_OK && print_units(dedup);
	}
	fine = fine && lanewise_dedup_finish(dedup) == LANEWISE_OK && print_units(dedup);
	lanewise_dedup_destroy(dedup);
	return fine && n_printed == 3 && n_dropped == 2 ? 0 : 1;
}
