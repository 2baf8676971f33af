/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of rows: see ids.h. */
#include "index/ids.h"

#include <inttypes.h>

#include "index/index.h"
#include "file/file_format.h"
#include "seen/seen_object.h"
#include "support.h"

enum { FIRST_ROWS = 256, BYTES = 8, DIGITS = 256, AHEAD = 16 };

#define FREE_PLACE UINT32_MAX /* no row: there are at most UINT32_MAX of them */

/* ---------------------------------------------------------------- the table */

static size_t home_of(const struct lw_index_ids *ids, uint64_t id)
{
	return (size_t)lw_seen_line(lw_seen_mix(ids->secret, id), ids->n_places);
}

static size_t next_place(const struct lw_index_ids *ids, size_t place)
{
	return place + 1 < ids->n_places ? place + 1 : 0;
}

/* The place where an id is, or the free one where it would be. */
static size_t place_of(const struct lw_index_ids *ids, uint64_t id)
{
	size_t place = home_of(ids, id);

	while (ids->places[place] != FREE_PLACE && ids->of_row[ids->places[place]] != id)
		place = next_place(ids, place);
	return place;
}

/* Frees a place and moves those behind it up that a search would not reach any more. */
static void erase(struct lw_index_ids *ids, size_t place)
{
	for (size_t at = next_place(ids, place); ids->places[at] != FREE_PLACE; at = next_place(ids, at)) {
		size_t home = home_of(ids, ids->of_row[ids->places[at]]);
		int is_between = place < at ? place < home && home <= at : place < home || home <= at;

		if (!is_between) {
			ids->places[place] = ids->places[at];
			place = at;
		}
	}
	ids->places[place] = FREE_PLACE;
}

/* ------------------------------------------------------------------- memory */

static lanewise_status grow_array(struct lw_index_ids *ids, const lanewise_allocator *allocator, size_t n_rows,
                                  size_t n_needed)
{
	size_t n = ids->n_own > SIZE_MAX / 4 ? n_needed : 2 * ids->n_own;

	if (n_needed <= ids->n_own)
		return LANEWISE_OK;
	n = n < n_needed ? n_needed : n;
	n = n < FIRST_ROWS ? FIRST_ROWS : n;

	uint64_t *grown = n > SIZE_MAX / 2 / sizeof *grown ? NULL : lw_allocate(allocator, n * sizeof *grown);

	if (!grown)
		return LANEWISE_ERROR_NO_MEMORY;
	if (n_rows)
		memcpy(grown, ids->own, n_rows * sizeof *grown);
	lw_release(allocator, ids->own, ids->n_own * sizeof *grown);
	ids->of_row = ids->own = grown;
	ids->n_own = n;
	return LANEWISE_OK;
}

static lanewise_status grow_table(struct lw_index_ids *ids, const lanewise_allocator *allocator, size_t n_needed)
{
	struct lw_index_ids grown = *ids;

	if (n_needed <= ids->n_places / 2)
		return LANEWISE_OK;
	if (n_needed > SIZE_MAX / 4 / sizeof *grown.places)
		return LANEWISE_ERROR_NO_MEMORY;
	grown.n_places = n_needed < ids->n_places ? 2 * ids->n_places : 2 * n_needed;
	grown.n_places = grown.n_places < 2 * FIRST_ROWS ? 2 * FIRST_ROWS : grown.n_places;
	grown.places = lw_allocate(allocator, grown.n_places * sizeof *grown.places);
	if (!grown.places)
		return LANEWISE_ERROR_NO_MEMORY;
	memset(grown.places, 0xff, grown.n_places * sizeof *grown.places);
	if (!ids->places)
		lanewise_seen_make_secret(grown.secret, NULL);
	for (size_t i = 0; i < ids->n_places; i++)
		if (ids->places[i] != FREE_PLACE)
			grown.places[place_of(&grown, ids->of_row[ids->places[i]])] = ids->places[i];
	lw_release(allocator, ids->places, ids->n_places * sizeof *ids->places);
	*ids = grown;
	return LANEWISE_OK;
}

void lanewise_index_ids_release(struct lw_index_ids *ids, const lanewise_allocator *allocator)
{
	lw_release(allocator, ids->own, ids->n_own * sizeof *ids->own);
	lw_release(allocator, ids->places, ids->n_places * sizeof *ids->places);
}

/* ----------------------------------------------------------- add and remove */

static lanewise_status wrong_id(const struct lw_index_ids *ids, size_t n_rows, size_t i, uint64_t id,
                                lanewise_error *error)
{
	if (id == LANEWISE_INDEX_NO_ID)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "ids[%zu]: %" PRIu64 " stands for no id", i, id);

	size_t row = ids->places[place_of(ids, id)];

	if (row < n_rows)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "ids[%zu]: row %zu has the id %" PRIu64 " already", i, row, id);
	return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "ids[%zu]: %" PRIu64 " is ids[%zu] too", i,
	               id, row - n_rows);
}

/* Gives a row its id, unless that is none or another's. */
static int take(struct lw_index_ids *ids, size_t row, uint64_t id)
{
	size_t place = id == LANEWISE_INDEX_NO_ID ? 0 : place_of(ids, id);

	if (id == LANEWISE_INDEX_NO_ID || ids->places[place] != FREE_PLACE)
		return 0;
	ids->own[row] = id;
	ids->places[place] = (uint32_t)row;
	ids->n++;
	return 1;
}

lanewise_status lanewise_index_ids_add(struct lw_index_ids *ids, const lanewise_allocator *allocator, size_t n_rows,
                                       const uint64_t *added, size_t n, lanewise_error *error)
{
	size_t i = 0;

	if (grow_array(ids, allocator, n_rows, n_rows + n) || grow_table(ids, allocator, ids->n + n))
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for %zu ids", n);
	for (; i < n && take(ids, n_rows + i, added[i]); i++)
		if (n - i > AHEAD)
			__builtin_prefetch(&ids->places[home_of(ids, added[i + AHEAD])], 1);
	if (i == n)
		return LANEWISE_OK;
	wrong_id(ids, n_rows, i, added[i], error);
	while (i > 0)
		lanewise_index_ids_remove(ids, n_rows + --i);
	return LANEWISE_ERROR_ARGUMENT;
}

void lanewise_index_ids_remove(struct lw_index_ids *ids, size_t row)
{
	if (ids->own[row] == LANEWISE_INDEX_NO_ID)
		return;
	erase(ids, place_of(ids, ids->own[row]));
	ids->own[row] = LANEWISE_INDEX_NO_ID;
	ids->n--;
}

/* ---------------------------------------------------------------------- ask */

/* By a file's order, which may not be checked: its rows may not exist, and then there is no such id. */
static uint32_t find_in_order(const struct lw_index_ids *ids, size_t n_rows, uint64_t id)
{
	size_t low = 0, high = ids->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		uint32_t row = ids->order[middle];

		if (row >= n_rows)
			return FREE_PLACE;
		if (ids->of_row[row] == id)
			return row;
		if (ids->of_row[row] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return FREE_PLACE;
}

int32_t lanewise_index_has_ids(const lanewise_index *index) { return index->n_rows > 0 && index->has_ids; }

int32_t lanewise_index_find(const lanewise_index *index, uint64_t id, size_t *row)
{
	if (!lanewise_index_has_ids(index) || id == LANEWISE_INDEX_NO_ID)
		return 0;

	const struct lw_index_ids *ids = &index->ids;
	uint32_t found = index->is_mapped ? find_in_order(ids, index->n_rows, id) : ids->places[place_of(ids, id)];

	if (found == FREE_PLACE)
		return 0;
	if (row)
		*row = found;
	return 1;
}

uint64_t lanewise_index_id(const lanewise_index *index, size_t row)
{
	return index->has_ids && row < index->n_rows ? index->ids.of_row[row] : LANEWISE_INDEX_NO_ID;
}

void lanewise_index_ids(const lanewise_index *index, const uint32_t *rows, size_t n, uint64_t *ids)
{
	for (size_t i = 0; i < n; i++)
		ids[i] = lanewise_index_id(index, rows[i]);
}

/* -------------------------------------------------------------------- files */

/*
 * The rows that have ids, by ascending id, by a radix sort from the lowest byte up: linear, whatever the ids are. It goes
 * back and forth between two arrays of ids->n; the result is one of them.
 */
static uint32_t *sort_rows(const struct lw_index_ids *ids, size_t n_rows, uint32_t *from, uint32_t *to)
{
	size_t counts[BYTES][DIGITS] = { { 0 } }, n = 0;

	for (size_t row = 0; row < n_rows; row++) {
		uint64_t id = ids->of_row[row];

		if (id == LANEWISE_INDEX_NO_ID)
			continue;
		from[n++] = (uint32_t)row;
		for (int byte = 0; byte < BYTES; byte++, id >>= 8)
			counts[byte][id & 0xff]++;
	}
	for (int byte = 0; n > 0 && byte < BYTES; byte++) {
		size_t starts[DIGITS], sum = 0;

		if (counts[byte][ids->of_row[from[0]] >> 8 * byte & 0xff] == n)
			continue; /* it is the same in all */
		for (size_t digit = 0; digit < DIGITS; sum += counts[byte][digit++])
			starts[digit] = sum;
		for (size_t i = 0; i < n; i++)
			to[starts[ids->of_row[from[i]] >> 8 * byte & 0xff]++] = from[i];

		uint32_t *sorted = to;

		to = from;
		from = sorted;
	}
	return from;
}

static lanewise_status write_order(const uint32_t *order, size_t n, lanewise_file_writer *writer, lanewise_error *error)
{
	lanewise_status status = lanewise_file_writer_section(writer, "index.id_order", sizeof *order, error);

	return status ? status : lanewise_file_writer_append(writer, order, n, error);
}

lanewise_status lanewise_index_ids_write(const struct lw_index_ids *ids, const lanewise_allocator *allocator,
                                         size_t n_rows, lanewise_file_writer *writer, lanewise_error *error)
{
	lanewise_status status = lanewise_file_writer_section(writer, "index.id", sizeof *ids->of_row, error);

	if (status || (status = lanewise_file_writer_append(writer, ids->of_row, n_rows, error)))
		return status;
	if (ids->order || ids->n == 0)
		return write_order(ids->order, ids->n, writer, error);

	/* Twice ids->n rows; the table has as many places, so this does not overflow. */
	size_t n_bytes = 2 * ids->n * sizeof(uint32_t);
	uint32_t *memory = lw_allocate(allocator, n_bytes);

	if (!memory)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory to sort %zu ids",
		               ids->n);
	status = write_order(sort_rows(ids, n_rows, memory, memory + ids->n), ids->n, writer, error);
	lw_release(allocator, memory, n_bytes);
	return status;
}

static lanewise_status check_length(const lanewise_file *file, const char *name, const void *elements, size_t n,
                                    size_t n_expected, lanewise_error *error)
{
	if (n == n_expected)
		return LANEWISE_OK;
	return lw_fail(error, LANEWISE_ERROR_DATA, lanewise_file_offset(file, elements),
	               "section %s: %zu elements instead of %zu", name, n, n_expected);
}

/* Rows that there are, all that have ids, and these ascend: then all are different, and so are their ids. */
static lanewise_status check_order(const lanewise_file *file, const struct lw_index_ids *ids, size_t n_rows,
                                   lanewise_error *error)
{
	uint64_t least = 0, id;
	size_t n = 0;

	for (size_t row = 0; row < n_rows; row++)
		n += ids->of_row[row] != LANEWISE_INDEX_NO_ID;

	lanewise_status status = check_length(file, "index.id_order", ids->order, ids->n, n, error);

	if (status)
		return status;

	for (size_t i = 0; i < ids->n; i++, least = id + 1) {
		uint32_t row = ids->order[i];

		if (row >= n_rows)
			return lw_fail(error, LANEWISE_ERROR_DATA, lanewise_file_offset(file, ids->order + i),
			               "section index.id_order, element %zu: row %" PRIu32 " of %zu", i, row, n_rows);
		id = ids->of_row[row];
		if (id < least || id == LANEWISE_INDEX_NO_ID)
			return lw_fail(error, LANEWISE_ERROR_DATA, lanewise_file_offset(file, ids->order + i),
			               "section index.id_order, element %zu: the id %" PRIu64 " of row %" PRIu32 " %s",
			               i, id, row,
			               id == LANEWISE_INDEX_NO_ID                    ? "stands for none"
			               : id + 1 == least && ids->order[i - 1] != row ? "is another row's too"
			                                                             : "is not above the one before");
	}
	return LANEWISE_OK;
}

lanewise_status lanewise_index_ids_open(struct lw_index_ids *ids, size_t n_rows, const lanewise_file *file,
                                        lanewise_error *error)
{
	const void *of_row = NULL, *order = NULL;
	size_t n_of_row = 0, n_order = 0;
	lanewise_status status;

	if ((status = lanewise_file_section(file, "index.id", sizeof *ids->of_row, &of_row, &n_of_row, error)) ||
	    (status = lanewise_file_section(file, "index.id_order", sizeof *ids->order, &order, &n_order, error)) ||
	    (status = check_length(file, "index.id", of_row, n_of_row, n_rows, error)))
		return status;
	if (n_order > n_rows)
		return check_length(file, "index.id_order", order, n_order, n_rows, error);
	*ids = (struct lw_index_ids) { .of_row = of_row, .order = order, .n = n_order };
	return lanewise_file_is_verified(file) ? check_order(file, ids, n_rows, error) : LANEWISE_OK;
}
