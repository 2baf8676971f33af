/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An index of vectors: add rows, search, change and remove rows, save, open, search again. Results are those of
 * comparing the query with every row, but most rows are never read in full: `n_rescored` says how many were.
 */
#include <lanewise/lanewise.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_ROWS = 20000, DIM = 96, K = 3 };

/* Pseudo-random vectors stand in for embeddings. */
static void fill(float *vector, uint32_t seed)
{
	for (int i = 0; i < DIM; i++) {
		seed = seed * 1664525 + 1013904223;
		vector[i] = (float)(int32_t)seed * 0x1p-31f;
	}
}

/* Prints the best K rows; returns the very best, or UINT32_MAX. */
static uint32_t show_best(const lanewise_index *index, const float *query)
{
	size_t n_bytes = (lanewise_index_scratch_size(index, 1, K) + 63) / 64 * 64, n_found = 0;
	void *scratch = aligned_alloc(64, n_bytes);
	uint32_t row[K] = { UINT32_MAX };
	float score[K];
	lanewise_index_work work = { .struct_size = sizeof work };

	if (scratch && lanewise_index_search(index, query, 1, DIM, K, -INFINITY, NULL, scratch, row, score, &n_found,
	                                     &work) == LANEWISE_OK)
		printf("read %zu of %zu rows in full\n", work.n_rescored, lanewise_index_n_rows(index));
	for (size_t i = 0; i < n_found; i++)
		printf("  row %5u  cosine %.4f\n", (unsigned)row[i], (double)score[i]);
	free(scratch);
	return n_found ? row[0] : UINT32_MAX;
}

static lanewise_status save(const lanewise_index *index, const char *path, lanewise_error *error)
{
	lanewise_file_writer *writer;
	lanewise_status status = lanewise_file_writer_create(path, NULL, &writer, error);

	if (status)
		return status;
	status = lanewise_index_write(index, writer, error);
	if (!status)
		status = lanewise_file_writer_commit(writer, error);
	lanewise_file_writer_destroy(writer);
	return status;
}

/* Searches a saved index, which is mapped and not loaded. */
static uint32_t search_file(const char *path, const float *query, lanewise_error *error)
{
	lanewise_file *file = NULL;
	lanewise_index *index = NULL;
	uint32_t best = UINT32_MAX;

	if (lanewise_file_open(path, NULL, &file, error) == LANEWISE_OK &&
	    lanewise_index_open(file, NULL, &index, error) == LANEWISE_OK)
		best = show_best(index, query);
	lanewise_index_destroy(index);
	lanewise_file_destroy(file);
	return best;
}

int main(void)
{
	static const char path[] = "example-index.lanewise";
	lanewise_index *index = NULL;
	lanewise_error error = { 0 };
	float vector[DIM], query[DIM];
	int ok = lanewise_index_create(DIM, LANEWISE_METRIC_COSINE, NULL, &index) == LANEWISE_OK;

	for (uint32_t r = 0; ok && r < N_ROWS; r++) {
		fill(vector, r);
		ok = lanewise_index_add(index, vector, 1, DIM) == LANEWISE_OK;
	}

	/* A query near row 4711; then row 7 becomes the query itself; then row 7 is gone. */
	fill(query, 4711);
	query[0] += 0.1f;
	ok = ok && show_best(index, query) == 4711;
	ok = ok && lanewise_index_update(index, 7, query) == LANEWISE_OK && show_best(index, query) == 7;
	ok = ok && lanewise_index_remove(index, 7) == LANEWISE_OK && show_best(index, query) == 4711;
	ok = ok && save(index, path, &error) == LANEWISE_OK && search_file(path, query, &error) == 4711;
	if (error.status)
		fprintf(stderr, "%s\n", error.what);
	remove(path);
	lanewise_index_destroy(index);
	return ok ? 0 : 1;
}
