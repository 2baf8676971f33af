/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nearest neighbours: a few sentences become vectors (letter counts, to keep it short), the vectors are normalised,
 * and a query is compared with all of them: one by one, as rows, and as rows with only the best two kept.
 */
#include <lanewise/lanewise.h>

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LETTERS = 26, K = 2 };

static const char *const sentences[] = {
	"the cat sat on the mat",
	"stocks fell sharply on friday",
	"a dog lay by the door",
	"quarterly profits exceeded forecasts",
	"jazz musicians improvise quickly",
};
enum { N_ROWS = sizeof sentences / sizeof *sentences };

static void count_letters(const char *text, float *counts)
{
	memset(counts, 0, LETTERS * sizeof *counts);
	for (; *text; text++)
		if (islower((unsigned char)*text))
			counts[*text - 'a']++;
}

int main(void)
{
	float rows[N_ROWS * LETTERS], query[LETTERS], scores[N_ROWS];

	for (size_t r = 0; r < N_ROWS; r++)
		count_letters(sentences[r], rows + r * LETTERS);
	count_letters("the cats sat on a mat", query);
	lanewise_normalize_f32_rows(rows, N_ROWS, LETTERS, LETTERS);
	lanewise_normalize_f32_rows(query, 1, LETTERS, LETTERS);

	/* All scores at once are the same bits as each score alone. */
	lanewise_dot_f32_rows(query, rows, N_ROWS, LETTERS, LETTERS, scores);
	for (size_t r = 0; r < N_ROWS; r++) {
		float single = lanewise_dot_f32(query, rows + r * LETTERS, LETTERS);

		printf("%.4f  %s\n", (double)scores[r], sentences[r]);
		if (memcmp(&single, &scores[r], sizeof single) != 0)
			return 1;
	}

	void *scratch = malloc(lanewise_scan_topk_scratch_size(K));
	uint32_t best[K];
	float best_score[K];
	size_t n_found = 0;
	lanewise_status status = LANEWISE_ERROR_NO_MEMORY;

	if (scratch)
		status = lanewise_scan_topk_f32(query, rows, N_ROWS, LETTERS, LETTERS, LANEWISE_METRIC_DOT, K,
		                                -INFINITY, scratch, best, best_score, &n_found);
	free(scratch);
	if (status != LANEWISE_OK) {
		fprintf(stderr, "%s\n", lanewise_status_text(status));
		return 1;
	}
	printf("\nbest %zu:\n", n_found);
	for (size_t i = 0; i < n_found; i++)
		printf("%.4f  %s\n", (double)best_score[i], sentences[best[i]]);
	return n_found == K && best[0] == 0 ? 0 : 1;
}
