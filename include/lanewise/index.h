/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/index.h - an index of float vectors for exact nearest-neighbour search.
 *
 * Results are those of lanewise_scan_topk_f32 over the same rows, bit for bit: rows, scores, order, ties. What the
 * index adds is speed: beside each row it keeps a sketch of 8-bit integers (about a quarter of the row's bytes) and
 * reads only that, except for the few rows that may be among the best. Which those are is proven, not guessed: the
 * error of every sketch is known, and a row is left out only if no rounding could bring it in (the proof is in
 * kernels/index/sketch.h). Where too many rows remain, because the data defeats the sketch (all rows nearly equal, say),
 * the search reads all rows instead; the result is the same. Where a few dimensions are far larger than the rest, which
 * would make sketches coarse, they are made of rotated rows; whether that helps is measured as rows are added.
 *
 * Rows have numbers from 0 in the order in which they were added, which never change. Any floats are allowed. A row
 * whose score is NaN is never returned; removing a row overwrites it with NaN. Rows can have ids of the caller's as well.
 *
 * Threads. Searches change nothing in the index and may run at the same time, each with scratch of its own. Adding,
 * updating, removing and destroying must not run at the same time as anything else on the same index.
 */
#ifndef LANEWISE_INDEX_H
#define LANEWISE_INDEX_H

#include "base.h"
#include "file.h"
#include "vector.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rows have at most as many dimensions as an 8-bit dot product can (lanewise/int8.h). */
#define LANEWISE_INDEX_MAX_DIM 131071

typedef struct lanewise_index lanewise_index;

/*
 * An empty index. `allocator` NULL means the C library's; it is copied.
 *
 * LANEWISE_ERROR_ARGUMENT: index NULL, dim 0, an unknown metric. LANEWISE_ERROR_TOO_LARGE: dim over
 * LANEWISE_INDEX_MAX_DIM. LANEWISE_ERROR_NO_MEMORY.
 */
LANEWISE_API lanewise_status lanewise_index_create(size_t dim, lanewise_metric metric,
                                                   const lanewise_allocator *allocator, lanewise_index **index);

/* NULL is fine. */
LANEWISE_API void lanewise_index_destroy(lanewise_index *index);

LANEWISE_API size_t lanewise_index_n_rows(const lanewise_index *index);
LANEWISE_API size_t lanewise_index_dim(const lanewise_index *index);
LANEWISE_API lanewise_metric lanewise_index_metric(const lanewise_index *index);

/* The floats of a row, valid until the index is destroyed; NULL if there is no such row. */
LANEWISE_API const float *lanewise_index_row(const lanewise_index *index, size_t row);

/*
 * Appends copies of n_rows rows, row r at rows + r * ld, ld >= dim. Rows that are there already are not moved. Memory
 * comes in blocks that double: at most twice of what the rows and sketches need, plus 256 rows. On failure the index is
 * as it was before.
 *
 * LANEWISE_ERROR_ARGUMENT: index NULL, rows NULL while n_rows is not 0, ld < dim. LANEWISE_ERROR_TOO_LARGE: over
 * UINT32_MAX rows in all. LANEWISE_ERROR_NO_MEMORY. LANEWISE_ERROR_UNSUPPORTED: the index was opened from a file.
 * LANEWISE_ERROR_ARGUMENT also where the rows that are there have ids.
 */
LANEWISE_API lanewise_status lanewise_index_add(lanewise_index *index, const float *rows, size_t n_rows, size_t ld);

/*
 * The same with rows of other types, ld counted in their elements: 16-bit floats (lanewise/half.h), and 8-bit integers,
 * each times scale[r], or 1 if `scale` is NULL (as lanewise_quantize_i8_rows writes them). They are widened, which is exact
 * but for the product's one rounding, and kept as floats: everything is as if those had been added.
 */
LANEWISE_API lanewise_status lanewise_index_add_f16(lanewise_index *index, const uint16_t *rows, size_t n_rows,
                                                    size_t ld);
LANEWISE_API lanewise_status lanewise_index_add_bf16(lanewise_index *index, const uint16_t *rows, size_t n_rows,
                                                     size_t ld);
LANEWISE_API lanewise_status lanewise_index_add_i8(lanewise_index *index, const int8_t *rows, const float *scale,
                                                   size_t n_rows, size_t ld);

/*
 * Replaces a row by dim floats, which must not overlap the index's own.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer, no such row; a removed row, where rows have ids. LANEWISE_ERROR_UNSUPPORTED:
 * the index was opened from a file.
 */
LANEWISE_API lanewise_status lanewise_index_update(lanewise_index *index, size_t row, const float *values);

/*
 * Replaces a row by NaN, so that no search returns it. An update brings it back, unless rows have ids: then it has none any
 * more, and its id can be added again, as a new row. Errors as for an update, but a row may be removed twice.
 */
LANEWISE_API lanewise_status lanewise_index_remove(lanewise_index *index, size_t row);

/* ----------------------------------------------------------------------- ids */

/*
 * Rows may have ids: any numbers but this one, each of one row only. In an index either all rows have them, except those
 * that were removed, or none. They cost 8 bytes a row and 8 to 16 more for finding them, at most twice that after many
 * small additions. Searches and filters still speak of rows; what is known by its id is found first:
 *
 *     if (lanewise_index_find(index, id, &row))
 *             lanewise_index_update(index, row, values);      or remove(index, row)
 */
#define LANEWISE_INDEX_NO_ID UINT64_MAX

/*
 * lanewise_index_add and the like, with ids[r] as the id of row r: all rows are added, or none.
 *
 * Errors as there, named in `error`; LANEWISE_ERROR_ARGUMENT also for ids NULL, LANEWISE_INDEX_NO_ID, an id that the index
 * has or that comes twice (the error says which), and where rows that are there have no ids.
 */
LANEWISE_API lanewise_status lanewise_index_add_ids(lanewise_index *index, const uint64_t *ids, const float *rows,
                                                    size_t n_rows, size_t ld, lanewise_error *error);
LANEWISE_API lanewise_status lanewise_index_add_f16_ids(lanewise_index *index, const uint64_t *ids,
                                                        const uint16_t *rows, size_t n_rows, size_t ld,
                                                        lanewise_error *error);
LANEWISE_API lanewise_status lanewise_index_add_bf16_ids(lanewise_index *index, const uint64_t *ids,
                                                         const uint16_t *rows, size_t n_rows, size_t ld,
                                                         lanewise_error *error);
LANEWISE_API lanewise_status lanewise_index_add_i8_ids(lanewise_index *index, const uint64_t *ids, const int8_t *rows,
                                                       const float *scale, size_t n_rows, size_t ld,
                                                       lanewise_error *error);

/* 1 if rows have ids, 0 if not or if there are no rows yet. */
LANEWISE_API int32_t lanewise_index_has_ids(const lanewise_index *index);

/*
 * 1, and the row with that id to *row (which may be NULL), or 0 if there is none. O(1); in an index opened from a file
 * O(log n_rows).
 */
LANEWISE_API int32_t lanewise_index_find(const lanewise_index *index, uint64_t id, size_t *row);

/* The id of a row; LANEWISE_INDEX_NO_ID if rows have none, this one was removed, or there is no such row. */
LANEWISE_API uint64_t lanewise_index_id(const lanewise_index *index, size_t row);

/* The same of n rows, those of a search's result for example. */
LANEWISE_API void lanewise_index_ids(const lanewise_index *index, const uint32_t *rows, size_t n, uint64_t *ids);

/* ------------------------------------------------------------------- search */

/* What searches cost, for those who want to know: added up over the queries of a call. */
typedef struct lanewise_index_work {
	size_t struct_size;  /* set by the caller: sizeof(lanewise_index_work) */
	size_t n_rescored;   /* rows of which all floats were read */
	size_t n_full_scans; /* queries for which that was every row */
} lanewise_index_work;

/*
 * Bytes of scratch for a search of n_queries queries and k with as many rows as the index has now, about 0.1 MB a query
 * for k up to 512, and no more for more than 32 queries than for 32. 0 if index is NULL, k is 0, or a size overflows.
 */
LANEWISE_API size_t lanewise_index_scratch_size(const lanewise_index *index, size_t n_queries, size_t k);

/*
 * The best k rows for each of n_queries queries, query j at queries + j * query_ld, query_ld >= dim: row numbers to row
 * + j * k, scores to score + j * k, their count to n_found[j]. Everything is as for lanewise_scan_topk_f32 (order,
 * ties, threshold, NaN; a query with a NaN finds nothing); there is room for n_queries * k entries, or for one query
 * min(k, n_rows).
 *
 * `filter`, if not NULL, has a bit per row, row r in bit r % 64 of filter[r / 64], and only rows whose bit is 1 can be
 * found. `scratch`: lanewise_index_scratch_size(index, n_queries, k) bytes, aligned as by malloc. `work` may be NULL. Several
 * queries share the reading of the sketches, so one call is faster than many. O(n_queries * n_rows * dim) at most,
 * whatever the data.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, k = 0, query_ld < dim, a NaN threshold, scratch not
 * aligned, another struct_size. LANEWISE_ERROR_TOO_LARGE: k over UINT32_MAX, n_queries * k or n_queries * query_ld
 * overflows.
 */
LANEWISE_API lanewise_status lanewise_index_search(const lanewise_index *index, const float *queries, size_t n_queries,
                                                   size_t query_ld, size_t k, float threshold, const uint64_t *filter,
                                                   void *scratch, uint32_t *row, float *score, size_t *n_found,
                                                   lanewise_index_work *work);

/*
 * A search that reads half as much and is not exact: 4-bit codes, the upper halves of the sketches', give estimates of
 * all scores; the n_candidates rows of the highest estimates are compared in full. So scores are right, and what may be
 * missing are rows whose estimates were too low. How many of the best 10 of 20,000 rows of 384 dimensions were found, as
 * a test measures it, by the number of candidates:
 *
 *                                          20      100     400
 *     gaussian rows                        97 %    100 %   100 %
 *     around 200 centres                   81 %    100 %   100 %
 *     one dimension 30 times the others    72 %    97 %    100 %
 *
 * lanewise_index_make_coarse() makes the codes, 64 bytes a row for every 128 dimensions or part of them, in memory of their
 * own; rows added or updated later get them too. They are not saved, but an index opened from a file can have them. It
 * changes the index, so nothing else may use that at the same time. A second call does nothing.
 *
 * LANEWISE_ERROR_ARGUMENT: index NULL. LANEWISE_ERROR_NO_MEMORY: the index is as it was.
 */
LANEWISE_API lanewise_status lanewise_index_make_coarse(lanewise_index *index);

/*
 * The best k of the n_candidates rows of the highest estimates (of more, where some tie, or have values so large or small
 * that there is no estimate), in everything else as lanewise_index_search. The same on every CPU, for any number of
 * queries and in any parts. Where n_candidates is over an eighth of the rows, or estimates cannot tell rows apart (so
 * many tie that they were over half of all rows, or over 4096 and over 8 * n_candidates), the result is exact.
 * It pays for single queries: many together are faster in an exact search, which takes them side by side.
 * `scratch`: lanewise_index_scratch_size(index, n_queries, n_candidates) bytes.
 *
 * Errors as there; LANEWISE_ERROR_ARGUMENT also for n_candidates < k and for an index without 4-bit codes.
 */
LANEWISE_API lanewise_status lanewise_index_search_coarse(const lanewise_index *index, const float *queries,
                                                          size_t n_queries, size_t query_ld, size_t k,
                                                          size_t n_candidates, float threshold, const uint64_t *filter,
                                                          void *scratch, uint32_t *row, float *score, size_t *n_found,
                                                          lanewise_index_work *work);

/*
 * A search of either kind in parts, for those who have threads of their own; lanewise_index_search_batch (lanewise/parallel.h)
 * does all this. Every part looks at its share of the rows, so one query gets more than one thread; the end puts
 * together what they found, and results are the same bits as those of a whole search, for any n_parts:
 *
 *     for each part from 0 to n_parts - 1, on any threads, in any order or at once:
 *             lanewise_index_search_part(index, &request, part);
 *     when all of them are done:
 *             lanewise_index_search_join(index, &request, row, score, n_found);
 */
typedef struct lanewise_index_request {
	size_t struct_size; /* sizeof(lanewise_index_request) */
	const float *queries;
	size_t n_queries, query_ld, k;
	size_t n_candidates; /* of a coarse search; 0: an exact one */
	float threshold;
	const uint64_t *filter; /* NULL: any row */
	size_t n_parts;
	void *scratch; /* lanewise_index_parts_scratch_size() bytes, aligned as by malloc */
} lanewise_index_request;

/*
 * Bytes of scratch for all parts and the end, for k or for the n_candidates of a coarse search; for each part some more than
 * lanewise_index_scratch_size. 0 where that is 0, if n_parts is 0, or if a size overflows.
 */
LANEWISE_API size_t lanewise_index_parts_scratch_size(const lanewise_index *index, size_t n_parts, size_t n_queries,
                                                      size_t k);

/*
 * One part. All calls for a search get the same request, whose fields are what the arguments of lanewise_index_search and
 * lanewise_index_search_coarse are, and nothing may change in the index, the queries or the filter until the end.
 *
 * Errors as there, and LANEWISE_ERROR_ARGUMENT for another struct_size, n_parts = 0 or part >= n_parts.
 */
LANEWISE_API lanewise_status lanewise_index_search_part(const lanewise_index *index,
                                                        const lanewise_index_request *request, size_t part);

/*
 * The end, on one thread, once: results as from lanewise_index_search. O(k log n_parts) a query; of a coarse search it compares
 * the candidates, or all rows where ties make the result exact. Errors as for a part.
 */
LANEWISE_API lanewise_status lanewise_index_search_join(const lanewise_index *index,
                                                        const lanewise_index_request *request, uint32_t *row,
                                                        float *score, size_t *n_found);

/* -------------------------------------------------------------------- files */

/*
 * Appends the index's sections, whose names begin with "index.", to a file under construction; at most one index per
 * file. Ids are saved too. Errors are those of the writer; LANEWISE_ERROR_ARGUMENT: index or writer NULL;
 * LANEWISE_ERROR_NO_MEMORY: 8 bytes for every id, to sort them.
 */
LANEWISE_API lanewise_status lanewise_index_write(const lanewise_index *index, lanewise_file_writer *writer,
                                                  lanewise_error *error);

/*
 * An index over the sections of an open file, which must outlive it. Nothing is copied, and nothing can be added,
 * updated or removed. Sizes and sketch parameters are checked in O(n_rows): no file makes a search read outside it. That
 * ids are unique and their order is right is checked too, unless the file is from lanewise_file_map: then a forged one
 * can keep ids from being found, but a row that is found has the id.
 *
 * LANEWISE_ERROR_ARGUMENT: file or index NULL. LANEWISE_ERROR_DATA: a section is missing or wrong; the error names it.
 * LANEWISE_ERROR_NO_MEMORY.
 */
LANEWISE_API lanewise_status lanewise_index_open(const lanewise_file *file, const lanewise_allocator *allocator,
                                                 lanewise_index **index, lanewise_error *error);

#ifdef __cplusplus
}
#endif

#endif
