/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A language model's answer arrives in tokens, with its reasoning between <think> and </think>. The user sees the rest,
 * as soon as it is certain that it is no part of a mark; the reasoning is counted.
 */
#include <lanewise/filter.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answer {
	char shown[200];
	size_t n_shown, n_hidden;
};

static void take_parts(lanewise_filtering *filtering, struct answer *answer)
{
	lanewise_part part;

	while (lanewise_filter_next(filtering, &part))
		if (part.kind == LANEWISE_PART_OUTSIDE) {
			memcpy(answer->shown + answer->n_shown, part.bytes, part.n_bytes);
			answer->n_shown += part.n_bytes;
			printf("%.*s", (int)part.n_bytes, part.bytes);
		} else if (part.kind == LANEWISE_PART_INSIDE) {
			answer->n_hidden += part.n_bytes;
		}
}

int main(void)
{
	static const char *const tokens[] = { "<th", "ink>",         "2",   " and", " 3 < 6", "</", "think",
		                              ">",   "It is 5; 3 <", "t 4", "<" };
	static const char expected[] = "It is 5; 3 <t 4<";
	size_t n_pairs;
	const lanewise_filter_pair *pairs = lanewise_filter_think_pairs(&n_pairs);
	lanewise_filter *filter;
	struct answer answer = { .n_shown = 0 };

	if (lanewise_filter_create(pairs, n_pairs, NULL, NULL, &filter, NULL) != LANEWISE_OK)
		return 1;

	void *scratch = aligned_alloc(64, (lanewise_filter_scratch_size(filter) + 63) / 64 * 64);
	lanewise_filtering *filtering = lanewise_filter_begin(filter, scratch);

	if (!filtering)
		return 1;
	for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
		lanewise_filter_feed(filtering, tokens[i], strlen(tokens[i]));
		take_parts(filtering, &answer);
	}
	lanewise_filter_finish(filtering);
	take_parts(filtering, &answer);
	printf("\n(%zu bytes of reasoning)\n", answer.n_hidden);
	free(scratch);
	lanewise_filter_destroy(filter);
	return answer.n_shown == sizeof expected - 1 && memcmp(answer.shown, expected, answer.n_shown) == 0 ? 0 : 1;
}
