/* SPDX-License-Identifier: Apache-2.0 */
/* Rows into and out of an index. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* madvise */
#endif
#include <lanewise/half.h>

#include "index/index.h"

#include <math.h>
#include <sys/mman.h>

#include "index/rotation.h"
#include "index/sketch.h"
#include "support.h"

enum { BLOCK_ROWS = 64, SAMPLE_ROWS = 64, HUGE_PAGE = 2 << 20 };

/* ----------------------------------------------------------------- segments */

/* Bytes of a segment's allocation, or 0 if they overflow. */
static size_t segment_bytes(const lanewise_index *index, size_t segment)
{
	size_t per_row = index->dim * sizeof(float) + index->code_dim + 3 * sizeof(float);
	size_t capacity = lw_index_capacity(segment);

	return capacity > (SIZE_MAX - HUGE_PAGE) / per_row ? 0 : capacity * per_row;
}

/* From the C library large blocks come on huge pages, where the system has them: fewer address translations. */
static void *allocate_segment(const lanewise_index *index, size_t n_bytes)
{
	if (index->allocator.allocate || n_bytes < 2 * HUGE_PAGE)
		return lw_allocate(lw_index_allocator(index), n_bytes);

	size_t whole = (n_bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	void *memory = aligned_alloc(HUGE_PAGE, whole);

#if defined(MADV_HUGEPAGE)
	if (memory)
		madvise(memory, whole, MADV_HUGEPAGE);
#endif
	return memory;
}

/* Rows of a segment that can have 4-bit codes; their bytes. */
static size_t coarse_bytes(const lanewise_index *index, size_t segment)
{
	size_t capacity = lw_index_capacity(segment), rest = index->n_rows - lw_index_first(segment);

	return (index->is_mapped && rest < capacity ? rest : capacity) * 64 * lw_index_coarse_blocks(index);
}

static int open_coarse(lanewise_index *index, size_t segment)
{
	/* A segment whose floats could be allocated is larger, so this does not overflow. */
	index->segments[segment].coarse = allocate_segment(index, coarse_bytes(index, segment));
	return index->segments[segment].coarse != NULL;
}

static void close_coarse(lanewise_index *index, size_t segment)
{
	lw_release(lw_index_allocator(index), index->segments[segment].coarse, coarse_bytes(index, segment));
	index->segments[segment].coarse = NULL;
}

static lanewise_status open_segment(lanewise_index *index)
{
	size_t segment = index->n_segments, capacity = lw_index_capacity(segment);
	size_t n_bytes = segment_bytes(index, segment);
	struct lw_index_segment *s = &index->segments[segment];
	unsigned char *memory = n_bytes ? allocate_segment(index, n_bytes) : NULL;

	if (!memory)
		return LANEWISE_ERROR_NO_MEMORY;

	float *floats = (float *)(void *)(memory + capacity * index->code_dim);

	s->memory = memory;
	s->codes = (const int8_t *)memory;
	s->rows = floats;
	s->scale = floats + capacity * index->dim;
	s->error = s->scale + capacity;
	s->norm = s->error + capacity;
	if (index->has_coarse && !open_coarse(index, segment)) {
		lw_release(lw_index_allocator(index), memory, n_bytes);
		s->memory = NULL;
		return LANEWISE_ERROR_NO_MEMORY;
	}
	index->n_segments++;
	return LANEWISE_OK;
}

static void close_segments(lanewise_index *index, size_t n_left)
{
	while (index->n_segments > n_left) {
		size_t segment = --index->n_segments;

		close_coarse(index, segment);
		lw_release(lw_index_allocator(index), index->segments[segment].memory, segment_bytes(index, segment));
		index->segments[segment].memory = NULL;
	}
}

/* The segment of a row. */
static size_t segment_of(size_t row)
{
	size_t segment = 0;

	for (size_t rest = row / LW_INDEX_FIRST_ROWS; rest; rest /= 2)
		segment++;
	return segment;
}

/* --------------------------------------------------------- create and destroy */

lanewise_status lanewise_index_create(size_t dim, lanewise_metric metric, const lanewise_allocator *allocator,
                                      lanewise_index **out)
{
	if (!out || dim == 0 || !lw_index_is_metric(metric))
		return LANEWISE_ERROR_ARGUMENT;
	*out = NULL;
	if (dim > LANEWISE_INDEX_MAX_DIM)
		return LANEWISE_ERROR_TOO_LARGE;

	lanewise_index *index = lw_allocate(allocator, sizeof *index);

	if (!index)
		return LANEWISE_ERROR_NO_MEMORY;
	memset(index, 0, sizeof *index);
	if (allocator)
		index->allocator = *allocator;
	index->metric = metric;
	index->dim = dim;
	index->code_dim = lw_index_code_dim(dim);
	*out = index;
	return LANEWISE_OK;
}

void lanewise_index_destroy(lanewise_index *index)
{
	if (!index)
		return;

	lanewise_allocator allocator = index->allocator;

	for (size_t segment = 0; index->is_mapped && segment < index->n_segments; segment++)
		close_coarse(index, segment);
	if (!index->is_mapped)
		close_segments(index, 0);
	lanewise_index_ids_release(&index->ids, lw_index_allocator(index));
	lw_release(allocator.allocate ? &allocator : NULL, index, sizeof *index);
}

size_t lanewise_index_n_rows(const lanewise_index *index) { return index->n_rows; }

size_t lanewise_index_dim(const lanewise_index *index) { return index->dim; }

lanewise_metric lanewise_index_metric(const lanewise_index *index) { return index->metric; }

const float *lanewise_index_row(const lanewise_index *index, size_t row)
{
	if (row >= index->n_rows)
		return NULL;

	size_t segment = segment_of(row);

	return index->segments[segment].rows + (row - lw_index_first(segment)) * index->dim;
}

/* --------------------------------------------------------- writing into rows */

/* Where a segment of memory of our own can be written, from its row `at` on. */
struct target {
	float *rows, *scale, *error, *norm;
	int8_t *codes;
	uint8_t *coarse; /* or NULL */
};

static struct target target_of(const lanewise_index *index, size_t segment, size_t at)
{
	size_t capacity = lw_index_capacity(segment);
	unsigned char *memory = index->segments[segment].memory;
	float *floats = (float *)(void *)(memory + capacity * index->code_dim);
	struct target t;

	t.codes = (int8_t *)memory + at * index->code_dim;
	t.coarse = index->has_coarse ? index->segments[segment].coarse + at * 64 * lw_index_coarse_blocks(index) : NULL;
	t.rows = floats + at * index->dim;
	t.scale = floats + capacity * index->dim + at;
	t.error = t.scale + capacity;
	t.norm = t.error + capacity;
	return t;
}

/* What quantize_i8_rows tells of some rows beside their codes. */
struct measured {
	float scale[BLOCK_ROWS], square[BLOCK_ROWS], error_square[BLOCK_ROWS];
};

/* Codes of n <= BLOCK_ROWS rows into the target, after rotation if asked for, which goes through the target's rows. */
static void quantize(const lanewise_index *index, struct target t, const float *rows, size_t n, size_t ld,
                     int is_rotated, struct measured *m)
{
	const struct lw_kernels *kernels = lw_kernels();
	size_t dim = index->dim;

	if (!is_rotated) {
		kernels->quantize_i8_rows(rows, n, dim, ld, t.codes, index->code_dim, m->scale, m->square,
		                          m->error_square);
		return;
	}
	for (size_t r = 0; r < n; r++)
		lanewise_rotate(rows + r * ld, dim, t.rows + r * dim);
	kernels->quantize_i8_rows(t.rows, n, dim, dim, t.codes, index->code_dim, m->scale, m->square, m->error_square);
	for (size_t r = 0; r < n; r++)
		m->square[r] = kernels->dot_f32(rows + r * ld, rows + r * ld, dim);
}

/*
 * 4-bit codes of n rows: the upper halves of the 8-bit ones with 128 added. So n stands for the middle of 16 * n - 128 ...
 * 16 * n - 113, in units of the same scale. Behind the last dimension there may be anything: the query has zeros there.
 */
static void pack_coarse(const lanewise_index *index, const int8_t *codes, size_t n, uint8_t *coarse)
{
	for (size_t r = 0; r < n; r++, codes += index->code_dim)
		for (size_t at = 0; at < index->code_dim; at += 128, coarse += 64) {
			const int8_t *second = codes + at + (at + 64 < index->code_dim ? 64 : 0);

			for (size_t i = 0; i < 64; i++)
				coarse[i] = (uint8_t)((codes[at + i] + 128) >> 4 | ((second[i] + 128) & 0xf0));
		}
}

/* Copies n <= BLOCK_ROWS rows and makes their sketches. */
static void put_rows(const lanewise_index *index, struct target t, const float *rows, size_t n, size_t ld,
                     int is_rotated)
{
	size_t dim = index->dim, padding = index->code_dim - dim;
	double rotation_error = is_rotated ? lanewise_rotation_error(dim) : 0;
	struct measured m;

	quantize(index, t, rows, n, ld, is_rotated, &m);
	for (size_t r = 0; r < n; r++) {
		const float *row = rows + r * ld;
		struct lw_sketch sketch =
		        lanewise_sketch_of(row, dim, m.scale[r], m.square[r], m.error_square[r], rotation_error);

		lanewise_sketch_row(&sketch, dim, index->metric, t.scale + r, t.error + r, t.norm + r);
		memcpy(t.rows + r * dim, row, dim * sizeof *row);
		if (padding)
			memset(t.codes + r * index->code_dim + dim, 0, padding);
	}
	if (t.coarse)
		pack_coarse(index, t.codes, n, t.coarse);
}

/* Adds the relative errors of the sketches of n rows, as they are and rotated, to sums. Overwrites the target. */
static void add_errors(const lanewise_index *index, struct target t, const float *rows, size_t n, size_t ld,
                       double sums[2])
{
	struct measured m[2];

	for (int is_rotated = 0; is_rotated < 2; is_rotated++)
		quantize(index, t, rows, n, ld, is_rotated, &m[is_rotated]);
	for (size_t r = 0; r < n; r++)
		for (int is_rotated = 0; m[0].square[r] >= 0x1p-80f && m[0].square[r] <= 0x1p80f && is_rotated < 2;
		     is_rotated++)
			sums[is_rotated] += lw_sqrt((double)m[is_rotated].error_square[r] / (double)m[0].square[r]);
}

/*
 * Whether the sketches of an empty segment, whose first n rows are given, had better be of rotated rows: if rotation
 * makes errors clearly smaller for some of them and, if they are few, for the last rows of the segment before.
 */
static int rotation_helps(const lanewise_index *index, size_t segment, const float *rows, size_t n, size_t ld)
{
	struct target t = target_of(index, segment, 0);
	double sums[2] = { 0, 0 };

	add_errors(index, t, rows, n < SAMPLE_ROWS ? n : SAMPLE_ROWS, ld, sums);
	if (n < SAMPLE_ROWS && segment > 0) {
		size_t before = SAMPLE_ROWS - n, at = lw_index_capacity(segment - 1) - before;

		add_errors(index, t, index->segments[segment - 1].rows + at * index->dim, before, index->dim, sums);
	}
	return sums[1] < 0.75 * sums[0];
}

/* Row number `row`, dim elements, as floats. */
typedef void widen_fn(const void *rows, const float *scale, size_t row, size_t dim, size_t ld, float *out);

/* Rows to be added. */
struct source {
	const void *rows;
	size_t element_bytes;
	widen_fn *widen;     /* NULL for floats */
	const float *scale;  /* for widen */
	const uint64_t *ids; /* or NULL */
	lanewise_error *error;
};

static lanewise_status check_source(const lanewise_index *index, const struct source *s, size_t n_rows, size_t ld)
{
	if (!index || (!s->rows && n_rows))
		return lw_fail(s->error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s is NULL",
		               index ? "rows" : "index");
	if (ld < index->dim)
		return lw_fail(s->error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "ld: %zu, less than %zu dimensions", ld, index->dim);
	if (index->is_mapped)
		return lw_fail(s->error, LANEWISE_ERROR_UNSUPPORTED, LANEWISE_NO_OFFSET,
		               "the index was opened from a file");
	if (n_rows > UINT32_MAX - index->n_rows || n_rows > SIZE_MAX / s->element_bytes / ld)
		return lw_fail(s->error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET,
		               "%zu rows more, where there are %zu", n_rows, index->n_rows);
	if (n_rows && index->n_rows && (s->ids != NULL) != lanewise_index_has_ids(index))
		return lw_fail(s->error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "ids: the rows that are there have %s", s->ids ? "none" : "some");
	return LANEWISE_OK;
}

/* Memory for n_rows more rows. */
static lanewise_status make_room(lanewise_index *index, size_t n_rows)
{
	size_t segments_before = index->n_segments, end = index->n_rows + n_rows;

	while (n_rows && lw_index_first(index->n_segments) < end) {
		lanewise_status status = open_segment(index);

		if (status) {
			close_segments(index, segments_before);
			return status;
		}
	}
	return LANEWISE_OK;
}

/* Rows for which there is room. */
static void append(lanewise_index *index, const float *rows, size_t n_rows, size_t ld)
{
	size_t first = index->n_rows, end = first + n_rows;

	for (size_t row = first, n; row < end; row += n) {
		const float *given = rows + (row - first) * ld;
		size_t segment = segment_of(row), at = row - lw_index_first(segment);
		size_t room = lw_index_capacity(segment) - at;

		struct lw_index_segment *own = &index->segments[segment];

		n = end - row < room ? end - row : room;
		if (at == 0)
			own->is_rotated = rotation_helps(index, segment, given, n, ld);
		n = n < BLOCK_ROWS ? n : BLOCK_ROWS;
		put_rows(index, target_of(index, segment, at), given, n, ld, own->is_rotated);
	}
	index->n_rows = end;
}

/* Rows that go through `widened`, which has room for `most` of them. */
static void append_widened(lanewise_index *index, const struct source *s, size_t n_rows, size_t ld, float *widened,
                           size_t most)
{
	size_t dim = index->dim;

	for (size_t row = 0, n; row < n_rows; row += n) {
		n = n_rows - row < most ? n_rows - row : most;
		for (size_t i = 0; i < n; i++)
			s->widen(s->rows, s->scale, row + i, dim, ld, widened + i * dim);
		append(index, widened, n, dim);
	}
}

static lanewise_status add(lanewise_index *index, const struct source *s, size_t n_rows, size_t ld)
{
	enum { MOST_FLOATS = 1 << 17 };
	lanewise_status status = check_source(index, s, n_rows, ld);

	if (status || n_rows == 0)
		return status;

	size_t segments_before = index->n_segments, dim = index->dim;
	size_t most = MOST_FLOATS / dim < 1 ? 1 : MOST_FLOATS / dim;
	size_t n_bytes = (most < n_rows ? most : n_rows) * dim * sizeof(float);
	float *widened = NULL;

	status = make_room(index, n_rows);
	if (!status && s->widen && !(widened = lw_allocate(lw_index_allocator(index), n_bytes)))
		status = LANEWISE_ERROR_NO_MEMORY;
	if (status)
		lw_fail(s->error, status, LANEWISE_NO_OFFSET, "no memory for %zu rows", n_rows);
	if (!status && s->ids)
		status = lanewise_index_ids_add(&index->ids, lw_index_allocator(index), index->n_rows, s->ids, n_rows,
		                                s->error);
	if (status) {
		close_segments(index, segments_before);
		lw_release(lw_index_allocator(index), widened, n_bytes);
		return status;
	}
	index->has_ids = s->ids != NULL;
	if (widened)
		append_widened(index, s, n_rows, ld, widened, most);
	else
		append(index, s->rows, n_rows, ld);
	lw_release(lw_index_allocator(index), widened, n_bytes);
	return LANEWISE_OK;
}

/* The same for those who must give ids. */
static lanewise_status add_ids(lanewise_index *index, const struct source *s, size_t n_rows, size_t ld)
{
	if (!s->ids && n_rows)
		return lw_fail(s->error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "ids is NULL");
	return add(index, s, n_rows, ld);
}

lanewise_status lanewise_index_add(lanewise_index *index, const float *rows, size_t n_rows, size_t ld)
{
	return add(index, &(struct source) { rows, sizeof *rows, NULL, NULL, NULL, NULL }, n_rows, ld);
}

lanewise_status lanewise_index_add_ids(lanewise_index *index, const uint64_t *ids, const float *rows, size_t n_rows,
                                       size_t ld, lanewise_error *error)
{
	return add_ids(index, &(struct source) { rows, sizeof *rows, NULL, NULL, ids, error }, n_rows, ld);
}

/* ------------------------------------------------------ rows of other types */

static void widen_f16(const void *rows, const float *scale, size_t row, size_t dim, size_t ld, float *out)
{
	(void)scale;
	lanewise_f16_to_f32((const uint16_t *)rows + row * ld, dim, out);
}

static void widen_bf16(const void *rows, const float *scale, size_t row, size_t dim, size_t ld, float *out)
{
	(void)scale;
	lanewise_bf16_to_f32((const uint16_t *)rows + row * ld, dim, out);
}

static void widen_i8(const void *rows, const float *scale, size_t row, size_t dim, size_t ld, float *out)
{
	const int8_t *codes = (const int8_t *)rows + row * ld;
	float factor = scale ? scale[row] : 1;

	for (size_t i = 0; i < dim; i++)
		out[i] = (float)codes[i] * factor;
}

lanewise_status lanewise_index_add_f16(lanewise_index *index, const uint16_t *rows, size_t n_rows, size_t ld)
{
	return add(index, &(struct source) { rows, sizeof *rows, widen_f16, NULL, NULL, NULL }, n_rows, ld);
}

lanewise_status lanewise_index_add_f16_ids(lanewise_index *index, const uint64_t *ids, const uint16_t *rows,
                                           size_t n_rows, size_t ld, lanewise_error *error)
{
	return add_ids(index, &(struct source) { rows, sizeof *rows, widen_f16, NULL, ids, error }, n_rows, ld);
}

lanewise_status lanewise_index_add_bf16(lanewise_index *index, const uint16_t *rows, size_t n_rows, size_t ld)
{
	return add(index, &(struct source) { rows, sizeof *rows, widen_bf16, NULL, NULL, NULL }, n_rows, ld);
}

lanewise_status lanewise_index_add_bf16_ids(lanewise_index *index, const uint64_t *ids, const uint16_t *rows,
                                            size_t n_rows, size_t ld, lanewise_error *error)
{
	return add_ids(index, &(struct source) { rows, sizeof *rows, widen_bf16, NULL, ids, error }, n_rows, ld);
}

lanewise_status lanewise_index_add_i8(lanewise_index *index, const int8_t *rows, const float *scale, size_t n_rows,
                                      size_t ld)
{
	return add(index, &(struct source) { rows, sizeof *rows, widen_i8, scale, NULL, NULL }, n_rows, ld);
}

lanewise_status lanewise_index_add_i8_ids(lanewise_index *index, const uint64_t *ids, const int8_t *rows,
                                          const float *scale, size_t n_rows, size_t ld, lanewise_error *error)
{
	return add_ids(index, &(struct source) { rows, sizeof *rows, widen_i8, scale, ids, error }, n_rows, ld);
}

/* ----------------------------------------------------- update and remove */

lanewise_status lanewise_index_update(lanewise_index *index, size_t row, const float *values)
{
	if (!index || !values || row >= index->n_rows)
		return LANEWISE_ERROR_ARGUMENT;
	if (index->is_mapped)
		return LANEWISE_ERROR_UNSUPPORTED;
	if (index->has_ids && index->ids.own[row] == LANEWISE_INDEX_NO_ID)
		return LANEWISE_ERROR_ARGUMENT;

	size_t segment = segment_of(row);

	put_rows(index, target_of(index, segment, row - lw_index_first(segment)), values, 1, index->dim,
	         index->segments[segment].is_rotated);
	return LANEWISE_OK;
}

lanewise_status lanewise_index_remove(lanewise_index *index, size_t row)
{
	if (!index || row >= index->n_rows)
		return LANEWISE_ERROR_ARGUMENT;
	if (index->is_mapped)
		return LANEWISE_ERROR_UNSUPPORTED;

	size_t segment = segment_of(row);
	struct target t = target_of(index, segment, row - lw_index_first(segment));

	for (size_t i = 0; i < index->dim; i++)
		t.rows[i] = NAN;
	memset(t.codes, 0, index->code_dim);
	*t.scale = *t.error = *t.norm = NAN;
	if (index->has_ids)
		lanewise_index_ids_remove(&index->ids, row);
	return LANEWISE_OK;
}

lanewise_status lanewise_index_make_coarse(lanewise_index *index)
{
	size_t n_open = 0;

	if (!index)
		return LANEWISE_ERROR_ARGUMENT;
	if (index->has_coarse)
		return LANEWISE_OK;
	while (n_open < index->n_segments && open_coarse(index, n_open))
		n_open++;
	if (n_open < index->n_segments) {
		while (n_open > 0)
			close_coarse(index, --n_open);
		return LANEWISE_ERROR_NO_MEMORY;
	}
	for (size_t segment = 0; segment < index->n_segments; segment++) {
		size_t rest = index->n_rows - lw_index_first(segment), capacity = lw_index_capacity(segment);

		pack_coarse(index, index->segments[segment].codes, rest < capacity ? rest : capacity,
		            index->segments[segment].coarse);
	}
	index->has_coarse = 1;
	return LANEWISE_OK;
}
