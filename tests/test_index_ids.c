/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of an index's rows, against a naive map: additions, updates, removals, files, hostile files, too little memory. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include <math.h>
#include <stdlib.h>

#include <lanewise/half.h>
#include <lanewise/index.h>

#include "counting_allocator.h"
#include "index_image.h"
#include "test.h"

enum { DIM = 3, MOST_ROWS = 4000 };

#define NO_ID LANEWISE_INDEX_NO_ID

static uint64_t random_state = 11;

static uint64_t random_bits(void) { return test_random(&random_state); }

static size_t below(size_t n) { return (size_t)(random_bits() % n); }

static void *allocate(size_t n_bytes)
{
	void *p = aligned_alloc(64, (n_bytes + 64) / 64 * 64);

	if (!p)
		abort();
	return p;
}

/* -------------------------------------------------------------- a naive map */

struct naive {
	uint64_t id[MOST_ROWS]; /* NO_ID: removed */
	float value[MOST_ROWS]; /* the row's first float */
	size_t n;
};

/* The row of an id, or n. */
static size_t naive_find(const struct naive *naive, uint64_t id)
{
	size_t row = 0;

	while (row < naive->n && (id == NO_ID || naive->id[row] != id))
		row++;
	return row;
}

/* Ids of several kinds: dense ones that come again and again, any, only the upper bits, the largest ones. */
static uint64_t make_id(size_t kind)
{
	switch (kind % 4) {
	case 0:
		return below(600);
	case 1:
		return random_bits() >> 1;
	case 2:
		return (uint64_t)below(2000) << 52 | 77;
	default:
		return NO_ID - 1 - below(500);
	}
}

static void check_id(const lanewise_index *index, const struct naive *naive, uint64_t id)
{
	size_t expected = naive_find(naive, id), row = 1u << 30;

	CHECK_EQUAL(lanewise_index_find(index, id, &row), expected < naive->n);
	CHECK_EQUAL(row, expected < naive->n ? expected : 1u << 30);
	CHECK_EQUAL(lanewise_index_find(index, id, NULL), expected < naive->n);
	if (expected < naive->n) {
		CHECK_EQUAL(lanewise_index_id(index, row), id);
		CHECK(lanewise_index_row(index, row)[0] == naive->value[row]);
	}
}

static void check_all(const lanewise_index *index, const struct naive *naive)
{
	uint32_t rows[64];
	uint64_t ids[64];

	CHECK_EQUAL(lanewise_index_n_rows(index), naive->n);
	CHECK_EQUAL(lanewise_index_has_ids(index), naive->n > 0);
	for (size_t row = 0; row < naive->n; row++) {
		CHECK_EQUAL(lanewise_index_id(index, row), naive->id[row]);
		CHECK((lanewise_index_row(index, row)[0] != lanewise_index_row(index, row)[0]) ==
		      (naive->id[row] == NO_ID));
		if (naive->id[row] != NO_ID)
			check_id(index, naive, naive->id[row]);
	}
	for (size_t i = 0; i < 300; i++)
		check_id(index, naive, make_id(i));
	check_id(index, naive, NO_ID);
	CHECK_EQUAL(lanewise_index_id(index, naive->n), NO_ID);
	CHECK_EQUAL(lanewise_index_id(index, SIZE_MAX), NO_ID);
	for (size_t i = 0; i < 64; i++)
		rows[i] = (uint32_t)below(naive->n + 2);
	lanewise_index_ids(index, rows, 64, ids);
	for (size_t i = 0; i < 64; i++)
		CHECK_EQUAL(ids[i], rows[i] < naive->n ? naive->id[rows[i]] : NO_ID);
}

/* --------------------------------------------------------- random changes */

/* Whether all n ids are new and different. */
static int are_new(const struct naive *naive, const uint64_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (naive_find(naive, ids[i]) < naive->n)
			return 0;
		for (size_t j = 0; j < i; j++)
			if (ids[i] == ids[j])
				return 0;
	}
	return 1;
}

static void add_some(lanewise_index *index, struct naive *naive, size_t kind)
{
	size_t n = below(8) ? below(5) : below(60);
	uint64_t ids[60];
	float rows[60 * DIM];
	lanewise_error error = { 0 };

	for (size_t i = 0; i < n; i++) {
		ids[i] = make_id(kind);
		for (size_t j = 0; j < DIM; j++)
			rows[i * DIM + j] = (float)below(1 << 20) + 1;
	}

	int is_fine = are_new(naive, ids, n);

	CHECK_EQUAL(lanewise_index_add_ids(index, ids, rows, n, DIM, &error),
	            is_fine ? LANEWISE_OK : LANEWISE_ERROR_ARGUMENT);
	CHECK(is_fine || strncmp(error.what, "ids[", 4) == 0);
	for (size_t i = 0; is_fine && i < n; i++) {
		naive->id[naive->n] = ids[i];
		naive->value[naive->n++] = rows[i * DIM];
	}
}

static void change_one(lanewise_index *index, struct naive *naive, size_t kind)
{
	/* Half of the time what is there, and now and then what was removed before. */
	uint64_t id = naive->n && below(2) ? naive->id[below(naive->n)] : make_id(kind);
	float values[DIM] = { (float)below(1 << 20) + 1, 2, 3 };
	size_t row;

	if (!lanewise_index_find(index, id, &row)) {
		CHECK_EQUAL(naive_find(naive, id), naive->n);
	} else if (below(2)) {
		CHECK_EQUAL(lanewise_index_update(index, row, values), 0);
		naive->value[row] = values[0];
	} else {
		CHECK_EQUAL(lanewise_index_remove(index, row), 0);
		naive->id[row] = NO_ID;
		CHECK_EQUAL(lanewise_index_find(index, id, NULL), 0);
		CHECK_EQUAL(lanewise_index_update(index, row, values), LANEWISE_ERROR_ARGUMENT);
		CHECK_EQUAL(lanewise_index_remove(index, row), 0);
	}
	check_id(index, naive, id);
}

/* An index after many random changes, and what should be in it. */
static lanewise_index *make_index(struct naive *naive, size_t kind, size_t n_changes,
                                  const lanewise_allocator *allocator)
{
	lanewise_index *index = NULL;

	naive->n = 0;
	CHECK_EQUAL(lanewise_index_create(DIM, LANEWISE_METRIC_L2SQ, allocator, &index), 0);
	for (size_t i = 0; i < n_changes && naive->n < MOST_ROWS - 60; i++) {
		if (below(3))
			change_one(index, naive, kind + i % 2);
		else
			add_some(index, naive, kind + i % 2);
	}
	return index;
}

static void test_changes(void)
{
	static struct naive naive;

	for (size_t kind = 0; kind < 4; kind++) {
		lanewise_index *index = make_index(&naive, kind, 1500, NULL);

		CHECK(naive.n > 300);
		check_all(index, &naive);
		/* All out, in any order, and in again. */
		for (size_t i = 0; i < naive.n; i++) {
			size_t row = i * 7919 % naive.n;

			CHECK_EQUAL(lanewise_index_remove(index, row), 0);
			naive.id[row] = NO_ID;
		}
		for (size_t row = 0; row < naive.n; row++) {
			CHECK_EQUAL(lanewise_index_remove(index, row), 0);
			naive.id[row] = NO_ID;
		}
		check_all(index, &naive);
		add_some(index, &naive, 1);
		check_all(index, &naive);
		lanewise_index_destroy(index);
	}
}

/* -------------------------------------------------------------------- files */

static void test_saved(void)
{
	static struct naive naive;
	const uint64_t id = 1;
	const float row[DIM] = { 0 };

	for (size_t kind = 0; kind < 12; kind++) {
		lanewise_index *index = make_index(&naive, kind, kind == 0 ? 0 : 1 + below(900), NULL);

		if (kind == 5) /* rows, but no ids any more */
			for (size_t r = 0; r < naive.n; r++) {
				CHECK_EQUAL(lanewise_index_remove(index, r), 0);
				naive.id[r] = NO_ID;
			}

		size_t n_bytes, n_again;
		unsigned char *bytes = save(index, &n_bytes);
		struct opened o;

		CHECK_EQUAL(open_bytes(bytes, n_bytes, &o, NULL), 0);
		check_all(o.index, &naive);
		CHECK_EQUAL(lanewise_index_add_ids(o.index, &id, row, 1, DIM, NULL), LANEWISE_ERROR_UNSUPPORTED);
		if (naive.n)
			CHECK_EQUAL(lanewise_index_remove(o.index, 0), LANEWISE_ERROR_UNSUPPORTED);

		/* What was opened can be saved again, to the same bytes. */
		unsigned char *again = save(o.index, &n_again);

		CHECK(n_again == n_bytes && memcmp(again, bytes, n_bytes) == 0);
		free(again);
		close_opened(&o);
		CHECK_EQUAL(open_by(lanewise_file_map, bytes, n_bytes, &o, NULL), 0);
		check_all(o.index, &naive);
		close_opened(&o);
		free(bytes);
		lanewise_index_destroy(index);
	}
}

/* A lie about ids, of n bytes. */
static void expect_wrong(const unsigned char *bytes, size_t n_bytes, const char *section, size_t at, uint64_t lie,
                         size_t n, const char *what)
{
	expect_lie(bytes, n_bytes, section, at, &lie, n, LANEWISE_ERROR_DATA, what);
}

/* An index of 10 rows with the ids 100 ... 91, of which row 4, with 96, is removed. */
static unsigned char *save_ten(size_t *n_bytes)
{
	lanewise_index *index = NULL;
	uint64_t ids[10];
	float rows[10 * DIM] = { 1 };

	for (size_t i = 0; i < 10; i++)
		ids[i] = 100 - i;
	CHECK_EQUAL(lanewise_index_create(DIM, LANEWISE_METRIC_DOT, NULL, &index), 0);
	CHECK_EQUAL(lanewise_index_add_ids(index, ids, rows, 10, DIM, NULL), 0);
	CHECK_EQUAL(lanewise_index_remove(index, 4), 0);

	unsigned char *bytes = save(index, n_bytes);

	lanewise_index_destroy(index);
	return bytes;
}

/* Without checksums: whatever the order is, a row that is found has the id. */
static size_t check_unverified(const unsigned char *bytes, size_t n_bytes)
{
	struct opened o;
	size_t n_found = 0;

	if (open_by(lanewise_file_map, bytes, n_bytes, &o, NULL) == LANEWISE_OK)
		for (uint64_t i = 0; i < 120; i++) {
			uint64_t id = i < 110 ? i : lanewise_index_id(o.index, (size_t)i - 110);
			size_t row;

			if (lanewise_index_find(o.index, id, &row)) {
				n_found++;
				CHECK(row < lanewise_index_n_rows(o.index));
				CHECK_EQUAL(lanewise_index_id(o.index, row), id);
			}
		}
	close_opened(&o);
	return n_found;
}

static void test_lies(void)
{
	size_t n_bytes, n_opened = 0, n_found = 0;
	unsigned char *bytes = save_ten(&n_bytes);

	expect_wrong(bytes, n_bytes, "index.id", 0, 99, 8, "element 8: the id 99 of row 0 is another row's too");
	expect_wrong(bytes, n_bytes, "index.id", 0, 5, 8, "element 8: the id 5 of row 0 is not above");
	expect_wrong(bytes, n_bytes, "index.id", 0, NO_ID, 8, "section index.id_order: 9 elements instead of 8");
	expect_wrong(bytes, n_bytes, "index.id", 32, 96, 8, "section index.id_order: 9 elements instead of 10");
	expect_wrong(bytes, n_bytes, "index.id_order", 0, 10, 4, "element 0: row 10 of 10");
	expect_wrong(bytes, n_bytes, "index.id_order", 32, UINT32_MAX, 4, "element 8: row 4294967295 of 10");
	expect_wrong(bytes, n_bytes, "index.id_order", 32, 4, 4, "of row 4 stands for none");
	expect_wrong(bytes, n_bytes, "index.id_order", 4, 9, 4, "element 1: the id 91 of row 9 is not above");

	/* Any change with right checksums: what opens has ids that are unique, and finds them. */
	for (int i = 0; i < 4000; i++) {
		unsigned char *copy = allocate(n_bytes), *ids;
		struct opened o;

		memcpy(copy, bytes, n_bytes);
		ids = copy + section_at(copy, below(2) ? "index.id" : "index.id_order");
		for (size_t j = 1 + below(3); j > 0; j--)
			ids[below(40)] = (unsigned char)(below(4) ? below(12) : random_bits());
		if (below(4) == 0)
			copy[below(n_bytes)] = (unsigned char)random_bits();
		repair_file(copy, n_bytes);
		if (open_bytes(copy, n_bytes, &o, NULL) == LANEWISE_OK) {
			size_t n = lanewise_index_n_rows(o.index);

			n_opened += lanewise_index_has_ids(o.index) == 1;
			for (size_t row = 0; lanewise_index_has_ids(o.index) && row < n; row++) {
				uint64_t id = lanewise_index_id(o.index, row);
				size_t found = row;

				CHECK_EQUAL(lanewise_index_find(o.index, id, &found), id != NO_ID);
				CHECK_EQUAL(found, row);
			}
		}
		close_opened(&o);
		n_found += check_unverified(copy, n_bytes);
		free(copy);
	}
	CHECK(n_opened > 20 && n_found > 4000);
	free(bytes);
}

/* Sections that are missing or of another length. */
static void expect_missing(const unsigned char *bytes, size_t n_bytes, const char *name, const char *what)
{
	unsigned char *copy = allocate(n_bytes);
	struct lw_file_header header;
	struct lw_file_entry entry;
	lanewise_error error = { 0 };
	struct opened o;

	memcpy(copy, bytes, n_bytes);
	memcpy(&header, copy, sizeof header);
	for (size_t i = 0; i < header.n_sections; i++) {
		unsigned char *at = copy + header.table_offset + i * sizeof entry;

		memcpy(&entry, at, sizeof entry);
		if (strcmp(entry.name, name) == 0)
			entry.name[0] = 'X';
		memcpy(at, &entry, sizeof entry);
	}
	repair_file(copy, n_bytes);
	CHECK_EQUAL(open_bytes(copy, n_bytes, &o, &error), LANEWISE_ERROR_DATA);
	if (!CHECK(strstr(error.what, what) != NULL))
		fprintf(stderr, "\"%s\" does not contain \"%s\"\n", error.what, what);
	close_opened(&o);
	free(copy);
}

/* A file whose index has this header and these sections of ids, and is right otherwise. */
static void expect_lengths(size_t n_ids, size_t n_order, const char *what)
{
	static const uint64_t ids[4] = { 1, 2, 3, 4 };
	static const uint32_t order[4] = { 0, 1, 2, 3 }, header[8] = { 3, 0, DIM, 0, 0, 2, 0, 1 };
	static const float floats[9];
	static const int8_t codes[3 * 64];
	static const char *const names[] = { "index.scale", "index.error", "index.norm" };
	char path[] = "/tmp/lanewise-ids-XXXXXX";
	int fd = mkstemp(path);
	lanewise_file_writer *w = NULL;
	lanewise_file *file = NULL;
	lanewise_index *index = NULL;
	lanewise_error error = { 0 };

	CHECK_EQUAL(lanewise_file_writer_create(path, NULL, &w, NULL), 0);
	lanewise_file_writer_section(w, "index.header", 32, NULL);
	lanewise_file_writer_append(w, header, 1, NULL);
	lanewise_file_writer_section(w, "index.rows", 4, NULL);
	lanewise_file_writer_append(w, floats, 9, NULL);
	lanewise_file_writer_section(w, "index.codes", 1, NULL);
	lanewise_file_writer_append(w, codes, sizeof codes, NULL);
	for (size_t i = 0; i < 3; i++) {
		lanewise_file_writer_section(w, names[i], 4, NULL);
		lanewise_file_writer_append(w, floats, 3, NULL);
	}
	lanewise_file_writer_section(w, "index.id", 8, NULL);
	lanewise_file_writer_append(w, ids, n_ids, NULL);
	lanewise_file_writer_section(w, "index.id_order", 4, NULL);
	lanewise_file_writer_append(w, order, n_order, NULL);
	CHECK_EQUAL(lanewise_file_writer_commit(w, NULL), 0);
	lanewise_file_writer_destroy(w);
	CHECK_EQUAL(lanewise_file_open(path, NULL, &file, NULL), 0);
	CHECK_EQUAL(lanewise_index_open(file, NULL, &index, &error), what ? LANEWISE_ERROR_DATA : LANEWISE_OK);
	if (what && !CHECK(strstr(error.what, what) != NULL))
		fprintf(stderr, "\"%s\" does not contain \"%s\"\n", error.what, what);
	lanewise_index_destroy(index);
	lanewise_file_destroy(file);
	close(fd);
	remove(path);
}

static void test_sections(void)
{
	size_t n_bytes;
	unsigned char *bytes = save_ten(&n_bytes);

	expect_missing(bytes, n_bytes, "index.id", "no section index.id");
	expect_missing(bytes, n_bytes, "index.id_order", "no section index.id_order");
	expect_lengths(3, 3, NULL);
	expect_lengths(2, 3, "section index.id: 2 elements instead of 3");
	expect_lengths(4, 3, "section index.id: 4 elements instead of 3");
	expect_lengths(3, 2, "section index.id_order: 2 elements instead of 3");
	expect_lengths(3, 4, "section index.id_order: 4 elements instead of 3");
	expect_lengths(3, 0, "section index.id_order: 0 elements instead of 3");
	free(bytes);
}

/* ------------------------------------------------------- arguments and memory */

static void test_arguments(void)
{
	const uint64_t ids[4] = { 7, 8, 9, 7 }, none[2] = { 1, NO_ID };
	const float rows[4 * DIM] = { 1, 2, 3 };
	lanewise_index *index = NULL;
	lanewise_error error;
	size_t row;

	CHECK_EQUAL(lanewise_index_create(DIM, LANEWISE_METRIC_DOT, NULL, &index), 0);
	CHECK_EQUAL(lanewise_index_has_ids(index), 0);
	CHECK_EQUAL(lanewise_index_find(index, 7, &row), 0);
	CHECK_EQUAL(lanewise_index_id(index, 0), NO_ID);
	CHECK_EQUAL(lanewise_index_add_ids(index, NULL, NULL, 0, DIM, &error), 0);
	CHECK_EQUAL(lanewise_index_add_ids(index, NULL, rows, 2, DIM, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK(strcmp(error.what, "ids is NULL") == 0);
	CHECK_EQUAL(lanewise_index_add_ids(index, ids, NULL, 2, DIM, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK(strcmp(error.what, "rows is NULL") == 0);
	CHECK_EQUAL(lanewise_index_add_ids(NULL, ids, rows, 2, DIM, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK(strcmp(error.what, "index is NULL") == 0);
	CHECK_EQUAL(lanewise_index_add_ids(index, ids, rows, 2, DIM - 1, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK(strncmp(error.what, "ld: 2", 5) == 0);
	CHECK_EQUAL(lanewise_index_add_ids(index, ids, rows, (size_t)UINT32_MAX + 1, DIM, &error),
	            LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_index_add_ids(index, none, rows, 2, DIM, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK(strcmp(error.what, "ids[1]: 18446744073709551615 stands for no id") == 0);
	CHECK_EQUAL(lanewise_index_add_ids(index, ids, rows, 4, DIM, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK(strcmp(error.what, "ids[3]: 7 is ids[0] too") == 0);
	CHECK_EQUAL(lanewise_index_n_rows(index), 0);
	CHECK_EQUAL(lanewise_index_find(index, 8, &row), 0);

	/* Once additions with ids failed, rows without are still fine; then none with ids. */
	CHECK_EQUAL(lanewise_index_add(index, rows, 1, DIM), 0);
	CHECK_EQUAL(lanewise_index_has_ids(index), 0);
	CHECK_EQUAL(lanewise_index_id(index, 0), NO_ID);
	CHECK_EQUAL(lanewise_index_find(index, 0, &row), 0);
	CHECK_EQUAL(lanewise_index_find(index, NO_ID, &row), 0);
	CHECK_EQUAL(lanewise_index_add_ids(index, ids, rows, 1, DIM, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK(strcmp(error.what, "ids: the rows that are there have none") == 0);
	CHECK_EQUAL(lanewise_index_remove(index, 0), 0);
	CHECK_EQUAL(lanewise_index_update(index, 0, rows), 0);
	lanewise_index_destroy(index);

	CHECK_EQUAL(lanewise_index_create(DIM, LANEWISE_METRIC_DOT, NULL, &index), 0);
	CHECK_EQUAL(lanewise_index_add_ids(index, ids, rows, 3, DIM, NULL), 0);
	CHECK_EQUAL(lanewise_index_add(index, rows, 1, DIM), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_add(index, rows, 0, DIM), 0);
	CHECK_EQUAL(lanewise_index_add_ids(index, ids + 2, rows, 1, DIM, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK(strcmp(error.what, "ids[0]: row 2 has the id 9 already") == 0);
	CHECK_EQUAL(lanewise_index_remove(index, 2), 0);
	CHECK_EQUAL(lanewise_index_add_ids(index, ids + 2, rows, 1, DIM, &error), 0);
	CHECK(lanewise_index_find(index, 9, &row) == 1 && row == 3);
	lanewise_index_destroy(index);
}

/* Rows of other types. */
static void test_other_types(void)
{
	const uint64_t ids[2] = { 5, 6 };
	const float value[DIM] = { 1, 2, 3 }, scale[1] = { 0.5f };
	const int8_t codes[DIM] = { 2, 4, 6 };
	uint16_t half[DIM], brain[DIM];
	lanewise_index *index = NULL;
	lanewise_error error;
	size_t row;

	lanewise_f32_to_f16(value, DIM, half);
	lanewise_f32_to_bf16(value, DIM, brain);
	CHECK_EQUAL(lanewise_index_create(DIM, LANEWISE_METRIC_DOT, NULL, &index), 0);
	CHECK_EQUAL(lanewise_index_add_f16_ids(index, ids, half, 1, DIM, &error), 0);
	CHECK_EQUAL(lanewise_index_add_bf16_ids(index, ids, brain, 1, DIM, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK(strcmp(error.what, "ids[0]: row 0 has the id 5 already") == 0);
	CHECK_EQUAL(lanewise_index_add_bf16_ids(index, ids + 1, brain, 1, DIM, &error), 0);
	CHECK_EQUAL(lanewise_index_add_i8_ids(index, NULL, codes, scale, 1, DIM, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_add_i8_ids(index, &(uint64_t) { 0 }, codes, scale, 1, DIM, &error), 0);
	CHECK_EQUAL(lanewise_index_add_f16(index, half, 1, DIM), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_index_n_rows(index), 3);
	for (size_t r = 0; r < 3; r++)
		CHECK(memcmp(lanewise_index_row(index, r), value, sizeof value) == 0);
	CHECK(lanewise_index_find(index, 0, &row) && row == 2);
	lanewise_index_destroy(index);
}

/* The n-th allocation of additions fails, for every n: nothing is lost or half there. */
static void test_memory(void)
{
	static struct naive naive;
	static float rows[700 * DIM] = { 1 };
	static int8_t codes[700 * DIM];
	static uint64_t ids[700];
	struct counter counter = { 0 };
	lanewise_allocator allocator = counting_allocator(&counter);
	size_t n_failed = 0;

	for (size_t i = 0; i < 700; i++)
		ids[i] = (uint64_t)i << 40 | 1 << 20;
	for (size_t left = 0, done = 0; !done && left < 30; left++) {
		counter.fail_from = 0;

		lanewise_index *index = make_index(&naive, 0, 30, &allocator);
		lanewise_error error;
		lanewise_status status;

		fail_after(&counter, left);
		status = left % 2 ? lanewise_index_add_ids(index, ids, rows, 700, DIM, &error)
		                  : lanewise_index_add_i8_ids(index, ids, codes, NULL, 700, DIM, &error);
		done = status == LANEWISE_OK && left % 2 == 0;
		n_failed += status != LANEWISE_OK;
		CHECK(status == LANEWISE_OK || status == LANEWISE_ERROR_NO_MEMORY);
		counter.fail_from = 0;
		if (status)
			check_all(index, &naive);
		else
			CHECK_EQUAL(lanewise_index_n_rows(index), naive.n + 700);
		CHECK_EQUAL(lanewise_index_find(index, ids[699], NULL), status == LANEWISE_OK);
		if (status)
			CHECK_EQUAL(lanewise_index_add_ids(index, ids, rows, 700, DIM, &error), 0);
		CHECK_EQUAL(lanewise_index_find(index, ids[699], NULL), 1);
		lanewise_index_destroy(index);
		CHECK_EQUAL(counter.n_bytes, 0);
	}
	CHECK(n_failed >= 4);

	/* Nor is there a file without memory to sort ids. */
	char path[] = "/tmp/lanewise-ids-XXXXXX";
	int fd = mkstemp(path);
	lanewise_index *index = make_index(&naive, 1, 30, &allocator);
	lanewise_file_writer *writer = NULL;
	lanewise_error error;

	fail_after(&counter, 0);
	CHECK_EQUAL(lanewise_file_writer_create(path, NULL, &writer, NULL), 0);
	CHECK_EQUAL(lanewise_index_write(index, writer, &error), LANEWISE_ERROR_NO_MEMORY);
	CHECK(strstr(error.what, "to sort") != NULL);
	lanewise_file_writer_destroy(writer);
	lanewise_index_destroy(index);
	CHECK_EQUAL(counter.n_bytes, 0);
	close(fd);
	remove(path);
}

int main(void)
{
	test_arguments();
	test_other_types();
	test_changes();
	test_saved();
	test_lies();
	test_sections();
	test_memory();
	return test_result();
}
