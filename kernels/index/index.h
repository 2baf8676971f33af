/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index behind lanewise/index.h: rows and sketches in segments.
 *
 * Segment 0 holds 256 rows, segment i > 0 as many as all before it, so rows never move when more are added, a row's
 * segment is its number's highest bit, and 25 segments hold all that 32-bit numbers can name. A segment is one allocation, or
 * part of a mapped file. Whether the sketches of a segment are of rotated rows is decided by measuring when its first row
 * comes.
 */
#ifndef LW_INDEX_H
#define LW_INDEX_H

#include <lanewise/index.h>

#include "index/ids.h"

enum {
	LW_INDEX_FIRST_ROWS = 256, /* also the rows of a block of a search, so that no block crosses segments */
	LW_INDEX_SEGMENTS = 25,
	LW_INDEX_CODE_UNIT = 64 /* codes of a row are padded with zeros to a multiple of this, a whole vector */
};

struct lw_index_segment {
	const float *rows;   /* dim floats each */
	const int8_t *codes; /* code_dim each */
	const float *scale, *error, *norm;
	void *memory; /* the allocation; NULL for a file's */
	uint8_t *
	        coarse; /* 4-bit codes (kernel_types.h, dot_i4_rows), an allocation of its own; NULL if there are none */
	int is_rotated; /* sketches are of rotated rows */
};

struct lanewise_index {
	lanewise_allocator allocator; /* a copy; `allocate` NULL for the C library's */
	lanewise_metric metric;
	size_t dim, code_dim, n_rows;
	int is_mapped;  /* over a file: nothing can change */
	int has_coarse; /* all segments have, and get, 4-bit codes */
	int has_ids;    /* means something if there are rows */
	size_t n_segments;
	struct lw_index_segment segments[LW_INDEX_SEGMENTS];
	struct lw_index_ids ids;
};

/* The first row of a segment; the rows that it has room for. */
static inline size_t lw_index_first(size_t segment)
{
	return segment ? (size_t)LW_INDEX_FIRST_ROWS << (segment - 1) : 0;
}

static inline size_t lw_index_capacity(size_t segment)
{
	return segment ? lw_index_first(segment) : LW_INDEX_FIRST_ROWS;
}

static inline size_t lw_index_code_dim(size_t dim)
{
	return (dim + LW_INDEX_CODE_UNIT - 1) / LW_INDEX_CODE_UNIT * LW_INDEX_CODE_UNIT;
}

/* Blocks of 128 elements, of which a row has 4-bit codes and a query 8-bit ones. */
static inline size_t lw_index_coarse_blocks(const lanewise_index *index) { return (index->code_dim + 127) / 128; }

static inline const lanewise_allocator *lw_index_allocator(const lanewise_index *index)
{
	return index->allocator.allocate ? &index->allocator : NULL;
}

static inline int lw_index_is_metric(lanewise_metric metric)
{
	return metric == LANEWISE_METRIC_DOT || metric == LANEWISE_METRIC_COSINE || metric == LANEWISE_METRIC_L2SQ;
}

#endif
