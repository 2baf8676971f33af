/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An index's sections in a file, which are its arrays as they are in memory, without the segments' unused ends.
 *
 *     index.header  one struct header
 *     index.rows    n_rows * dim f32
 *     index.codes   n_rows * code_dim i8, where code_dim is dim rounded up to a multiple of 64
 *     index.scale   n_rows f32, likewise index.error and index.norm: what sketch.h says of a row, or all three NaN
 *     index.id      n_rows u64, only if has_ids: ids, or LANEWISE_INDEX_NO_ID
 *     index.id_order  u32, only if has_ids: the rows that have ids, by ascending id
 *
 * A file is a stranger's. Sizes are checked, and the three numbers of each row are in the ranges in which the search's
 * arithmetic makes no NaN; codes and rows may be anything, and ids too unless checksums are compared (ids.h). So a forged file can make a search return wrong rows, but
 * not read outside the file or take longer than it may.
 */
#include <inttypes.h>
#include <string.h>

#include "index/index.h"
#include "support.h"

struct header {
	uint64_t n_rows;
	uint64_t dim;
	int32_t metric;
	uint32_t sketch_rules; /* what the sketch is: see SKETCH_RULES */
	uint32_t rotated;      /* bit i: the sketches of segment i (index.h) are of rotated rows */
	uint32_t has_ids;      /* 0 or 1 */
};
_Static_assert(sizeof(struct header) == 32, "the header is part of the file format");

/* Raise it when codes or their parameters come to mean something else. */
enum { SKETCH_RULES = 2 };

/* ---------------------------------------------------------------- writing */

/* The arrays of a segment, in the order of the sections. */
enum { ROWS, CODES, SCALE, ERROR, NORM, ARRAYS };
static const char *const names[ARRAYS] = { "index.rows", "index.codes", "index.scale", "index.error", "index.norm" };
static const size_t element_bytes[ARRAYS] = { sizeof(float), 1, sizeof(float), sizeof(float), sizeof(float) };

static const void *array_of(const struct lw_index_segment *segment, int array)
{
	const void *const arrays[ARRAYS] = { segment->rows, segment->codes, segment->scale, segment->error,
		                             segment->norm };

	return arrays[array];
}

/* Elements that a row has in an array. */
static size_t width_of(const lanewise_index *index, int array)
{
	return array == ROWS ? index->dim : array == CODES ? index->code_dim : 1;
}

static lanewise_status write_array(const lanewise_index *index, int array, lanewise_file_writer *writer,
                                   lanewise_error *error)
{
	size_t width = width_of(index, array);
	lanewise_status status = lanewise_file_writer_section(writer, names[array], element_bytes[array], error);

	for (size_t segment = 0; !status && lw_index_first(segment) < index->n_rows; segment++) {
		size_t rest = index->n_rows - lw_index_first(segment), room = lw_index_capacity(segment);

		status = lanewise_file_writer_append(writer, array_of(&index->segments[segment], array),
		                                     (rest < room ? rest : room) * width, error);
	}
	return status;
}

lanewise_status lanewise_index_write(const lanewise_index *index, lanewise_file_writer *writer, lanewise_error *error)
{
	lanewise_status status;

	if (!index || !writer)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s is NULL",
		               index ? "writer" : "index");

	struct header header = { index->n_rows, index->dim, index->metric, SKETCH_RULES, 0, 0 };

	header.has_ids = (uint32_t)lanewise_index_has_ids(index);

	for (size_t segment = 0; segment < LW_INDEX_SEGMENTS; segment++)
		if (segment < index->n_segments && index->segments[segment].is_rotated)
			header.rotated |= (uint32_t)1 << segment;

	if ((status = lanewise_file_writer_section(writer, "index.header", sizeof header, error)) ||
	    (status = lanewise_file_writer_append(writer, &header, 1, error)))
		return status;
	for (int array = 0; !status && array < ARRAYS; array++)
		status = write_array(index, array, writer, error);
	if (!status && header.has_ids)
		status = lanewise_index_ids_write(&index->ids, lw_index_allocator(index), index->n_rows, writer, error);
	return status;
}

/* --------------------------------------------------------------- checking */

/* What is wrong with a field of the header. */
#define WRONG_FIELD(file, header, field, format, ...) \
	lw_fail(error, LANEWISE_ERROR_DATA, lanewise_file_offset(file, &(header)->field), \
	        "section index.header, " #field ": " format, __VA_ARGS__)

static lanewise_status read_header(const lanewise_file *file, lanewise_index *index, uint32_t *rotated,
                                   lanewise_error *error)
{
	const void *elements = NULL;
	size_t n;
	lanewise_status status =
	        lanewise_file_section(file, "index.header", sizeof(struct header), &elements, &n, error);

	if (status)
		return status;
	if (n != 1)
		return lw_fail(error, LANEWISE_ERROR_DATA, lanewise_file_offset(file, elements),
		               "section index.header: %zu elements instead of 1", n);

	const struct header *header = elements;

	if (header->sketch_rules != SKETCH_RULES)
		return lw_fail(error, LANEWISE_ERROR_UNSUPPORTED, lanewise_file_offset(file, &header->sketch_rules),
		               "section index.header, sketch_rules: %" PRIu32 ", this version has %d",
		               header->sketch_rules, SKETCH_RULES);
	if (header->dim == 0 || header->dim > LANEWISE_INDEX_MAX_DIM)
		return WRONG_FIELD(file, header, dim, "%" PRIu64, header->dim);
	if (header->n_rows > UINT32_MAX)
		return WRONG_FIELD(file, header, n_rows, "%" PRIu64, header->n_rows);
	if (!lw_index_is_metric(header->metric))
		return WRONG_FIELD(file, header, metric, "%" PRId32, header->metric);
	if (header->rotated >> LW_INDEX_SEGMENTS)
		return WRONG_FIELD(file, header, rotated, "%" PRIx32, header->rotated);
	if (header->has_ids > 1)
		return WRONG_FIELD(file, header, has_ids, "%" PRIu32, header->has_ids);
	*rotated = header->rotated;
	index->has_ids = (int)header->has_ids;
	index->n_rows = (size_t)header->n_rows;
	index->dim = (size_t)header->dim;
	index->code_dim = lw_index_code_dim(index->dim);
	index->metric = header->metric;
	return LANEWISE_OK;
}

/* In the ranges of sketch.h, or infinite as an error, or all NaN. */
static int is_sketch(float scale, float error, float norm)
{
	if (scale != scale)
		return error != error && norm != norm;
	return scale >= 0 && scale <= 0x1p41f && norm >= 0 && norm <= 0x1p41f && error >= 0;
}

static lanewise_status check_sketches(const lanewise_file *file, const void *const arrays[ARRAYS], size_t n_rows,
                                      lanewise_error *error)
{
	const float *scale = arrays[SCALE], *errors = arrays[ERROR], *norm = arrays[NORM];

	for (size_t r = 0; r < n_rows; r++)
		if (!is_sketch(scale[r], errors[r], norm[r]))
			return lw_fail(error, LANEWISE_ERROR_DATA, lanewise_file_offset(file, scale + r),
			               "section index.scale, element %zu: with its error and norm this is no sketch",
			               r);
	return LANEWISE_OK;
}

static lanewise_status find_arrays(const lanewise_file *file, const lanewise_index *index, const void *arrays[ARRAYS],
                                   lanewise_error *error)
{
	for (int array = 0; array < ARRAYS; array++) {
		size_t n, width = width_of(index, array);
		lanewise_status status =
		        lanewise_file_section(file, names[array], element_bytes[array], &arrays[array], &n, error);

		if (status)
			return status;
		if (n % width != 0 || n / width != index->n_rows)
			return lw_fail(error, LANEWISE_ERROR_DATA, lanewise_file_offset(file, arrays[array]),
			               "section %s: %zu elements, which are not %zu for each of %zu rows", names[array],
			               n, width, index->n_rows);
	}
	return LANEWISE_OK;
}

static void lay_over(lanewise_index *index, const void *const arrays[ARRAYS], uint32_t rotated)
{
	for (size_t i = 0; lw_index_first(i) < index->n_rows; i++, index->n_segments++) {
		size_t first = lw_index_first(i);
		struct lw_index_segment *segment = &index->segments[i];

		segment->rows = (const float *)arrays[ROWS] + first * index->dim;
		segment->codes = (const int8_t *)arrays[CODES] + first * index->code_dim;
		segment->scale = (const float *)arrays[SCALE] + first;
		segment->error = (const float *)arrays[ERROR] + first;
		segment->norm = (const float *)arrays[NORM] + first;
		segment->is_rotated = rotated >> i & 1;
	}
}

lanewise_status lanewise_index_open(const lanewise_file *file, const lanewise_allocator *allocator,
                                    lanewise_index **out, lanewise_error *error)
{
	lanewise_index made = { .is_mapped = 1 };
	const void *arrays[ARRAYS];
	uint32_t rotated = 0;
	lanewise_status status;

	if (!file || !out)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s is NULL",
		               file ? "index" : "file");
	*out = NULL;
	if ((status = read_header(file, &made, &rotated, error)) ||
	    (status = find_arrays(file, &made, arrays, error)) ||
	    (status = check_sketches(file, arrays, made.n_rows, error)) ||
	    (made.has_ids && (status = lanewise_index_ids_open(&made.ids, made.n_rows, file, error))))
		return status;
	lay_over(&made, arrays, rotated);
	if (allocator)
		made.allocator = *allocator;

	lanewise_index *index = lw_allocate(allocator, sizeof *index);

	if (!index)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the index");
	*index = made;
	*out = index;
	return LANEWISE_OK;
}
