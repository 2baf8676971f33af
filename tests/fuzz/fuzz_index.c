/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index over any bits as rows and queries, on every tier: equal to the scan of all rows, for any k, threshold and
 * filter, and after changes. And any bytes as a saved index: whatever opens can be searched.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "memory_file.h"

#include <math.h>

#include <lanewise/index.h>

#include "fuzz.h"

struct problem {
	size_t n, dim, k;
	lanewise_metric metric;
	float threshold;
	float *rows; /* n, of which the first is the query */
	uint64_t *filter;
};

struct found {
	size_t n;
	uint32_t *row;
	float *score;
};

static struct found allocate_found(size_t n)
{
	return (struct found) { 0, fuzz_allocate(n * sizeof(uint32_t)), fuzz_allocate(n * sizeof(float)) };
}

static void free_found(struct found *f)
{
	free(f->row);
	free(f->score);
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* No larger than documented, so that the sanitizer sees writes beyond. */
static void *allocate_scratch(size_t n_bytes)
{
	void *scratch = NULL;

	FUZZ_REQUIRE(posix_memalign(&scratch, 64, n_bytes) == 0);
	return scratch;
}

static void search(const lanewise_index *index, const struct problem *p, const uint64_t *filter, struct found *got)
{
	void *scratch = allocate_scratch(lanewise_index_scratch_size(index, 1, p->k));

	FUZZ_REQUIRE(lanewise_index_search(index, p->rows, 1, p->dim, p->k, p->threshold, filter, scratch, got->row,
	                                   got->score, &got->n, NULL) == LANEWISE_OK);
	free(scratch);
}

static void require_scan(const lanewise_index *index, const struct problem *p, const float *rows,
                         const uint64_t *filter)
{
	struct found expected = allocate_found(smaller(p->k, p->n)), got = allocate_found(smaller(p->k, p->n));
	void *scratch = allocate_scratch(lanewise_scan_topk_scratch_size(p->k));

	FUZZ_REQUIRE(lanewise_scan_topk_f32(p->rows, rows, p->n, p->dim, p->dim, p->metric, p->k, p->threshold, scratch,
	                                    expected.row, expected.score, &expected.n) == LANEWISE_OK);
	search(index, p, filter, &got);
	FUZZ_REQUIRE(got.n == expected.n);
	FUZZ_REQUIRE(memcmp(got.row, expected.row, got.n * sizeof *got.row) == 0);
	FUZZ_REQUIRE(memcmp(got.score, expected.score, got.n * sizeof *got.score) == 0);
	free(scratch);
	free_found(&expected);
	free_found(&got);
}

/*
 * Ids made of the rows' own bits, half of them with few values so that many are the same: rows come one at a time,
 * with a naive look for their ids, and some go.
 */
static void require_ids(const struct problem *p)
{
	lanewise_index *index = NULL;
	size_t n = smaller(p->n, 200);
	uint64_t *ids = fuzz_allocate(n * sizeof *ids);

	FUZZ_REQUIRE(lanewise_index_create(p->dim, p->metric, NULL, &index) == LANEWISE_OK);
	for (size_t r = 0; r < n; r++) {
		size_t at = lanewise_index_n_rows(index), expected = 0, found = at;
		uint32_t bits;

		memcpy(&bits, p->rows + r * p->dim, sizeof bits);

		uint64_t id = bits % 2 ? bits / 2 % 32 : (uint64_t)bits << 31;

		while (expected < at && ids[expected] != id)
			expected++;
		FUZZ_REQUIRE(lanewise_index_find(index, id, &found) == (expected < at) && found == expected);
		FUZZ_REQUIRE((lanewise_index_add_ids(index, &id, p->rows, 1, p->dim, NULL) == LANEWISE_OK) ==
		             (expected == at));
		if (expected == at) {
			ids[at] = id;
		} else if (bits % 8 > 2) {
			FUZZ_REQUIRE(lanewise_index_remove(index, expected) == LANEWISE_OK);
			ids[expected] = LANEWISE_INDEX_NO_ID;
		}
	}
	for (size_t r = 0; r < lanewise_index_n_rows(index); r++)
		FUZZ_REQUIRE(lanewise_index_id(index, r) == ids[r]);
	lanewise_index_destroy(index);
	free(ids);
}

/* Everything on the tier in use. */
static void require_exact(const struct problem *p)
{
	lanewise_index *index = NULL;
	float *left = fuzz_allocate(p->n * p->dim * sizeof *left);

	FUZZ_REQUIRE(lanewise_index_create(p->dim, p->metric, NULL, &index) == LANEWISE_OK);
	FUZZ_REQUIRE(lanewise_index_add(index, p->rows, p->n / 2, p->dim) == LANEWISE_OK);
	FUZZ_REQUIRE(lanewise_index_add(index, p->rows + p->n / 2 * p->dim, p->n - p->n / 2, p->dim) == LANEWISE_OK);
	require_scan(index, p, p->rows, NULL);

	/* Rows that the filter leaves out are as good as removed. */
	memcpy(left, p->rows, p->n * p->dim * sizeof *left);
	for (size_t r = 0; r < p->n; r++)
		for (size_t i = 0; !(p->filter[r / 64] >> r % 64 & 1) && i < p->dim; i++)
			left[r * p->dim + i] = NAN;
	require_scan(index, p, left, p->filter);
	for (size_t r = 0; r < p->n; r++)
		if (!(p->filter[r / 64] >> r % 64 & 1))
			FUZZ_REQUIRE(lanewise_index_remove(index, r) == LANEWISE_OK);
	require_scan(index, p, left, NULL);
	lanewise_index_destroy(index);
	free(left);
}

static void search_data(struct fuzz_input *in)
{
	struct problem p;

	p.metric = fuzz_u8(in) % 3;
	p.dim = 1 + fuzz_u8(in) % 70;
	p.k = 1 + fuzz_u8(in) % 40;
	p.n = 1 + fuzz_u16(in) % 1500;
	fuzz_bytes(in, &p.threshold, sizeof p.threshold);
	if (p.threshold != p.threshold || in->size % 2)
		p.threshold = p.metric == LANEWISE_METRIC_L2SQ ? INFINITY : -INFINITY;

	size_t n_bytes = p.n * p.dim * sizeof(float), n_words = (p.n + 63) / 64;

	p.rows = fuzz_allocate(n_bytes);
	p.filter = fuzz_allocate(n_words * sizeof *p.filter);
	/* A short input is repeated, at other places in the rows. */
	for (size_t i = 0; i < n_bytes; i++)
		((uint8_t *)p.rows)[i] = in->size ? in->data[i % in->size] : 0;
	for (size_t i = 0; i < n_words; i++)
		p.filter[i] = ((uint64_t)i + 3) * 0x9e3779b97f4a7c15 * (in->size + 1);
	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++)
		if (lanewise_set_tier(t) == LANEWISE_OK)
			require_exact(&p);
	require_ids(&p);
	free(p.rows);
	free(p.filter);
}

/* Ids are found where they are; without comparing checksums, nothing else is. */
static void find_ids(const lanewise_index *index, int is_verified)
{
	for (size_t r = 0; r < lanewise_index_n_rows(index); r++) {
		uint64_t id = lanewise_index_id(index, r);
		size_t row = r;
		int32_t is_found = lanewise_index_find(index, id, &row);

		FUZZ_REQUIRE(!is_found || (id != LANEWISE_INDEX_NO_ID && lanewise_index_id(index, row) == id));
		FUZZ_REQUIRE(!is_verified || (row == r && is_found == (id != LANEWISE_INDEX_NO_ID)));
	}
}

static void search_file(const lanewise_file *file, int is_verified)
{
	lanewise_index *index = NULL;

	if (lanewise_index_open(file, NULL, &index, NULL) != LANEWISE_OK)
		return;

	find_ids(index, is_verified);

	size_t n = lanewise_index_n_rows(index);
	struct problem p = { .n = n, .dim = lanewise_index_dim(index), .k = 3, .threshold = 0 };

	p.rows = fuzz_allocate(p.dim * sizeof *p.rows);
	for (size_t i = 0; i < p.dim; i++)
		p.rows[i] = (float)(i % 7) - 3;
	for (; p.k < 1000; p.k *= 30) {
		struct found got = allocate_found(smaller(p.k, n));

		search(index, &p, NULL, &got);
		FUZZ_REQUIRE(got.n <= smaller(p.k, n));
		for (size_t i = 0; i < got.n; i++)
			FUZZ_REQUIRE(got.row[i] < n);
		free_found(&got);
	}
	free(p.rows);
	lanewise_index_destroy(index);
}

static void open_data(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_allocate(size);
	lanewise_file *file = NULL;
	char path[64];

	if (size)
		memcpy(copy, data, size);
	if (size >= sizeof(struct lw_file_header))
		repair_file(copy, size);

	int fd = memory_file(copy, size, path);

	if (lanewise_file_open(path, NULL, &file, NULL) == LANEWISE_OK)
		search_file(file, 1);
	lanewise_file_destroy(file);
	file = NULL;
	if (lanewise_file_map(path, NULL, &file, NULL) == LANEWISE_OK)
		search_file(file, 0);
	lanewise_file_destroy(file);
	close(fd);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	/* A file begins as every file of the library does; everything else is rows. */
	if (size >= sizeof(struct lw_file_header) && memcmp(data, LW_FILE_MAGIC, 4) == 0)
		open_data(data, size);
	else
		search_data(&in);
	return 0;
}
