/* SPDX-License-Identifier: Apache-2.0 */
/* Searches a collection as `lanewise search` does, for tests that hold hostile ones: every result must be inside it. */
#ifndef LW_TEST_COLLECTION_SEARCH_H
#define LW_TEST_COLLECTION_SEARCH_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lanewise/lanewise.h>

#include "../tools/lanewise/collection.c"

/* Reads the id and text of result i and counts their bytes. */
static inline size_t read_result(const struct collection *collection, uint32_t i)
{
	size_t id_bytes, text_bytes, count = 0;
	const char *id, *text;

	if (i >= collection->n)
		abort();
	id = collection_string(&collection->ids, i, &id_bytes);
	text = collection_string(&collection->texts, i, &text_bytes);
	for (size_t b = 0; b < id_bytes; b++)
		count += id[b] != '\n';
	for (size_t b = 0; b < text_bytes; b++)
		count += text[b] != '\n';
	return count;
}

static inline void *scratch_of(size_t n_bytes)
{
	void *scratch = aligned_alloc(64, (n_bytes + 64) / 64 * 64);

	if (!scratch)
		abort();
	return scratch;
}

/* Searches by words and by vector for at most 16 documents; returns how many were found in all. */
static inline size_t search_collection(const struct collection *collection, const char *query)
{
	size_t k = collection->n < 16 ? collection->n : 16, n_words = 0, n_vectors = 0, n_fused = 0;
	uint32_t index[3][16];
	float score[3][16], *vector = calloc(collection->dim, sizeof *vector);
	void *scratch = scratch_of(lanewise_bm25_scratch_size(collection->bm25, k));

	if (!vector ||
	    lanewise_bm25_search(collection->bm25, query, strlen(query), k, scratch, index[0], score[0], &n_words))
		abort();
	free(scratch);
	vector[0] = 1;
	scratch = scratch_of(lanewise_scan_topk_scratch_size(k));
	if (lanewise_scan_topk_f32(vector, collection->vectors, collection->n, collection->dim, collection->dim,
	                           LANEWISE_METRIC_DOT, k, -INFINITY, scratch, index[1], score[1], &n_vectors))
		abort();
	free(scratch);
	free(vector);

	const lanewise_ranking rankings[2] = { { index[0], n_words, 1 }, { index[1], n_vectors, 1 } };

	scratch = scratch_of(lanewise_fuse_rrf_scratch_size(rankings, 2));
	if (lanewise_fuse_rrf(rankings, 2, 60, k, scratch, index[2], score[2], &n_fused))
		abort();
	free(scratch);
	for (size_t i = 0; i < n_fused; i++)
		read_result(collection, index[2][i]);
	return n_fused;
}

#endif
