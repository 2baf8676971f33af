/* SPDX-License-Identifier: Apache-2.0 */
/* Search by words: builds a BM25 index of a few documents in memory and prints the best for a query. */
#include <lanewise/bm25.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { K = 3 };

static const char *const documents[] = {
	"A cat is a small, furry animal kept as a pet.",
	"Dogs bark at strangers and at other dogs.",
	"The cat chased a mouse, and the dog chased the cat.",
	"Quarterly profits exceeded all forecasts.",
};
enum { N_DOCUMENTS = sizeof documents / sizeof *documents };

/* The index of all documents, which owns what it needs: the builder is not kept. */
static lanewise_status build_index(lanewise_bm25 **index)
{
	lanewise_bm25_builder *builder = NULL;
	lanewise_status status = lanewise_bm25_builder_create(NULL, NULL, &builder);

	for (size_t i = 0; status == LANEWISE_OK && i < N_DOCUMENTS; i++)
		status = lanewise_bm25_builder_add_text(builder, documents[i], strlen(documents[i]));
	if (status == LANEWISE_OK)
		status = lanewise_bm25_create(builder, NULL, index);
	lanewise_bm25_builder_destroy(builder);
	return status;
}

static lanewise_status search(const lanewise_bm25 *index, const char *query, uint32_t *best, float *score,
                              size_t *n_found)
{
	/* One scratch per thread; it may be kept for the next search. */
	void *scratch = malloc(lanewise_bm25_scratch_size(index, K));
	lanewise_status status = LANEWISE_ERROR_NO_MEMORY;

	if (scratch)
		status = lanewise_bm25_search(index, query, strlen(query), K, scratch, best, score, n_found);
	free(scratch);
	return status;
}

int main(void)
{
	lanewise_bm25 *index = NULL;
	uint32_t best[K];
	float score[K];
	size_t n_found = 0;
	lanewise_status status = build_index(&index);

	if (status == LANEWISE_OK)
		status = search(index, "Which CAT chased the mouse?", best, score, &n_found);
	lanewise_bm25_destroy(index);
	if (status != LANEWISE_OK) {
		fprintf(stderr, "%s\n", lanewise_status_text(status));
		return 1;
	}
	for (size_t i = 0; i < n_found; i++)
		printf("%.4f  %s\n", (double)score[i], documents[best[i]]);
	return n_found > 0 && best[0] == 2 ? 0 : 1;
}
