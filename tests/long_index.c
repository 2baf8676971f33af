/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An index of many rows: how long it takes to add them, to save, to open the file and to search, and what the sketches take
 * beside the rows, in memory and in the file. The share is checked; times are told, and checked if limits are given.
 */
#include <lanewise/index.h>

#include <math.h>
#include <sys/stat.h>

#include "workers.h"

static const char usage[] =
        "usage: long_index [--rows N] [--dim N] [--percent LIMIT] [--add-ms LIMIT] [--open-ms LIMIT] [--seed SEED]\n"
        "  --rows N         20000; the rows take 4 * N * DIM bytes, twice\n"
        "  --dim N          384\n"
        "  --percent LIMIT  bytes beside the rows, of theirs (27)\n"
        "  --add-ms LIMIT   of CPU time to add all rows; 0, the default: any\n"
        "  --open-ms LIMIT  to open the file without comparing checksums\n";

static double opened_after; /* seconds */

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static float *make_rows(size_t n, uint64_t seed)
{
	float *rows = malloc(n * sizeof *rows);

	for (size_t i = 0; rows && i < n; i++) {
		uint64_t random = test_random(&seed);

		/* Four uniform numbers added up. */
		rows[i] = (float)((random & 0xffff) + (random >> 16 & 0xffff) + (random >> 32 & 0xffff) +
		                  (random >> 48)) *
		                  0x1p-16f -
		          2;
	}
	return rows;
}

static void save(const lanewise_index *index, const char *path)
{
	lanewise_file_writer *writer;
	lanewise_error error;

	if (!CHECK(lanewise_file_writer_create(path, NULL, &writer, &error) == LANEWISE_OK))
		return;
	CHECK(lanewise_index_write(index, writer, &error) == LANEWISE_OK);
	CHECK(lanewise_file_writer_commit(writer, &error) == LANEWISE_OK);
	lanewise_file_writer_destroy(writer);
}

/* Rows and scores of the best ten. */
static void search(const lanewise_index *index, const float *query, uint32_t row[10], float score[10])
{
	void *scratch = malloc(lanewise_index_scratch_size(index, 1, 10));
	size_t n;

	CHECK(lanewise_index_search(index, query, 1, lanewise_index_dim(index), 10, -INFINITY, NULL, scratch, row,
	                            score, &n, NULL) == LANEWISE_OK &&
	      n == 10);
	free(scratch);
}

static lanewise_index *open_index(const char *path, int verify, lanewise_file **file)
{
	lanewise_index *index = NULL;
	lanewise_error error;
	double begin = seconds(CLOCK_MONOTONIC);

	if (!CHECK((verify ? lanewise_file_open : lanewise_file_map)(path, NULL, file, &error) == LANEWISE_OK &&
	           lanewise_index_open(*file, NULL, &index, &error) == LANEWISE_OK))
		fprintf(stderr, "%s\n", error.what);
	opened_after = seconds(CLOCK_MONOTONIC) - begin;
	printf("opened %s comparing checksums in %.2f ms\n", verify ? "and" : "without", opened_after * 1e3);
	return index;
}

static void check_file(const char *path, const lanewise_index *index, const float *query, double limit)
{
	uint32_t row[2][10];
	float score[2][10];

	search(index, query, row[0], score[0]);
	for (int verify = 2; verify-- > 0;) {
		lanewise_file *file = NULL;
		lanewise_index *opened = open_index(path, verify, &file);

		if (!opened)
			return;
		search(opened, query, row[1], score[1]);
		CHECK(memcmp(row[0], row[1], sizeof row[0]) == 0 && memcmp(score[0], score[1], sizeof score[0]) == 0);
		lanewise_index_destroy(opened);
		lanewise_file_destroy(file);
	}
	CHECK(limit <= 0 || opened_after * 1e3 <= limit);
}

int main(int argc, char **argv)
{
	static const char *const options[] = {
		"--rows", "--dim", "--percent", "--add-ms", "--open-ms", "--seed", NULL
	};

	check_options(argc, argv, options, usage);
	size_t n = (size_t)number_option(argc, argv, "--rows", 20000);
	size_t dim = (size_t)number_option(argc, argv, "--dim", 384);
	double percent = (double)number_option(argc, argv, "--percent", 27);
	double add_ms = (double)number_option(argc, argv, "--add-ms", 0);
	double open_ms = (double)number_option(argc, argv, "--open-ms", 0);
	char path[] = "/tmp/lanewise-index-XXXXXX";
	float *rows = make_rows(n * dim, number_option(argc, argv, "--seed", 1));
	lanewise_index *index;
	struct stat file;
	int descriptor = mkstemp(path);

	if (!rows || descriptor < 0 || lanewise_index_create(dim, LANEWISE_METRIC_COSINE, NULL, &index) != LANEWISE_OK)
		return 1;
	close(descriptor);

	double begin = seconds(CLOCK_PROCESS_CPUTIME_ID);

	CHECK(lanewise_index_add(index, rows, n, dim) == LANEWISE_OK);
	double added = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;

	printf("%zu rows of %zu dimensions added in %.2f s of CPU time\n", n, dim, added);
	CHECK(add_ms <= 0 || added * 1e3 <= add_ms);
	begin = seconds(CLOCK_MONOTONIC);
	save(index, path);
	printf("saved in %.2f s\n", seconds(CLOCK_MONOTONIC) - begin);
	if (CHECK(stat(path, &file) == 0)) {
		double share = ((double)file.st_size / (double)(n * dim * sizeof *rows) - 1) * 100;

		printf("%.1f %% of the rows' bytes are beside them\n", share);
		CHECK(share <= percent);
		check_file(path, index, rows + dim * (n / 2), open_ms);
	}
	unlink(path);
	lanewise_index_destroy(index);
	free(rows);
	return test_result();
}
