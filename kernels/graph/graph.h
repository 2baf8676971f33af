/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this family share: the graph, and scratch memory cut into arrays. */
#ifndef LW_GRAPH_H
#define LW_GRAPH_H

#include <lanewise/graph.h>

#include "common.h"
#include "pages/pages.h"
#include "support.h"

#define LW_NONE LANEWISE_GRAPH_NONE

struct lanewise_graph {
	lanewise_allocator allocator; /* a copy; `allocate` NULL for the C library's */
	uint32_t n_nodes, n_edges;
	size_t edge_capacity; /* that `target` and `weight` were allocated for */
	uint32_t *offset;     /* n_nodes + 1 */
	uint32_t *target;
	double *weight; /* NULL if there are none */
};

static inline const lanewise_allocator *lw_graph_allocator(const lanewise_allocator *copy)
{
	return copy->allocate ? copy : NULL;
}

/* Edges lead all over memory. */
static inline void *lanewise_graph_allocate(const lanewise_allocator *allocator, size_t n_bytes)
{
	return lanewise_allocate_pages(allocator, n_bytes);
}

static inline int lw_scratch_bad(const void *scratch) { return !scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT; }

/* Bytes of an array of n elements, such that the next one is aligned too. */
static inline size_t lw_array_size(size_t n, size_t element_bytes) { return (n * element_bytes + 63) / 64 * 64; }

/* Cuts an array off the front of what is left of the scratch. */
static inline void *lw_take(unsigned char **scratch, size_t n, size_t element_bytes)
{
	void *array = *scratch;

	*scratch += lw_array_size(n, element_bytes);
	return array;
}

/* Bitmaps of uint64_t. */
static inline size_t lw_bitmap_words(size_t n) { return (n + 63) / 64; }
static inline int lw_bit(const uint64_t *bitmap, uint32_t i) { return (int)(bitmap[i >> 6] >> (i & 63) & 1); }
static inline void lw_set_bit(uint64_t *bitmap, uint32_t i) { bitmap[i >> 6] |= UINT64_C(1) << (i & 63); }
static inline void lw_clear_bit(uint64_t *bitmap, uint32_t i) { bitmap[i >> 6] &= ~(UINT64_C(1) << (i & 63)); }

/* A graph of edges that are known to be good. */
lanewise_status lanewise_graph_make_rows(uint32_t n_nodes, const uint32_t *src, const uint32_t *dst,
                                         const double *weight, uint32_t n_edges, const lanewise_allocator *allocator,
                                         lanewise_graph **graph);

/* Adds to count[v] (n_nodes) the number of edges to v. */
void lanewise_graph_count_in_edges(const lanewise_graph *graph, uint32_t *count);

#endif
