/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ids of an index's rows.
 *
 * They are an array by row, with LANEWISE_INDEX_NO_ID for rows that were removed. The row of an id is found by open
 * addressing in memory of our own: places hold rows, of which the ids are compared; they are in the order of the mixed
 * ids (kernels/seen/seen.h), keyed by a secret since strangers may choose ids, and at most half of them are taken. A
 * file has the rows in the order of their ids instead, for a binary search, so that opening it makes no table. Whether that
 * order is right is checked where the file's checksums were, which takes longer; otherwise nothing is read, and a find
 * looks whether the row that it comes to exists and has the id.
 */
#ifndef LW_INDEX_IDS_H
#define LW_INDEX_IDS_H

#include <lanewise/index.h>

struct lw_index_ids {
	const uint64_t *of_row;
	uint64_t *own;         /* the same where it is memory of our own, for n_own rows; NULL for a file's */
	const uint32_t *order; /* a file's: n rows by ascending id */
	uint32_t *places;      /* rows, or FREE_PLACE of ids.c */
	size_t n;              /* rows that have ids */
	size_t n_own, n_places;
	uint64_t secret[3];
};

/*
 * Ids for n new rows, the first of which has the number n_rows: all or none. LANEWISE_ERROR_ARGUMENT names what is wrong
 * with them, LANEWISE_ERROR_NO_MEMORY.
 */
lanewise_status lanewise_index_ids_add(struct lw_index_ids *ids, const lanewise_allocator *allocator, size_t n_rows,
                                       const uint64_t *added, size_t n, lanewise_error *error);

/* Takes the id of a row, if it has one, in memory of our own. */
void lanewise_index_ids_remove(struct lw_index_ids *ids, size_t row);

void lanewise_index_ids_release(struct lw_index_ids *ids, const lanewise_allocator *allocator);

/* The sections index.id and index.id_order; what is in a file for n_rows rows. */
lanewise_status lanewise_index_ids_write(const struct lw_index_ids *ids, const lanewise_allocator *allocator,
                                         size_t n_rows, lanewise_file_writer *writer, lanewise_error *error);
lanewise_status lanewise_index_ids_open(struct lw_index_ids *ids, size_t n_rows, const lanewise_file *file,
                                        lanewise_error *error);

#endif
