/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/bm25.h - BM25 ranking over an inverted index of words. */
#ifndef LANEWISE_BM25_H
#define LANEWISE_BM25_H

#include "base.h"
#include "file.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lanewise_bm25_options {
	size_t struct_size; /* sizeof(lanewise_bm25_options) */
	float k1;           /* default 1.2 */
	float b;            /* default 0.75 */
} lanewise_bm25_options;

typedef struct lanewise_bm25_builder lanewise_bm25_builder;
typedef struct lanewise_bm25 lanewise_bm25;

/* `options` NULL means the defaults. */
LANEWISE_API lanewise_status lanewise_bm25_builder_create(const lanewise_bm25_options *options,
                                                          const lanewise_allocator *allocator,
                                                          lanewise_bm25_builder **builder);

/* Adds the next document; the first is number 0. */
LANEWISE_API lanewise_status lanewise_bm25_builder_add_text(lanewise_bm25_builder *builder, const char *text,
                                                            size_t n_bytes);

LANEWISE_API void lanewise_bm25_builder_destroy(lanewise_bm25_builder *builder);

/* The index of what was added so far; the builder stays usable. */
LANEWISE_API lanewise_status lanewise_bm25_create(const lanewise_bm25_builder *builder,
                                                  const lanewise_allocator *allocator, lanewise_bm25 **bm25);

/* Appends the index's sections, whose names begin with "bm25.", to a file under construction. */
LANEWISE_API lanewise_status lanewise_bm25_write(const lanewise_bm25 *bm25, lanewise_file_writer *writer,
                                                 lanewise_error *error);

/* An index over the sections of an open file, which must outlive it. Checks every count and index in them. */
LANEWISE_API lanewise_status lanewise_bm25_open(const lanewise_file *file, const lanewise_allocator *allocator,
                                                lanewise_bm25 **bm25, lanewise_error *error);

LANEWISE_API void lanewise_bm25_destroy(lanewise_bm25 *bm25);

LANEWISE_API size_t lanewise_bm25_n_documents(const lanewise_bm25 *bm25);

/* Bytes of scratch that a search for k needs; one scratch per thread. */
LANEWISE_API size_t lanewise_bm25_scratch_size(const lanewise_bm25 *bm25, size_t k);

/*
 * The best k documents for the words of a query: numbers into `index`, scores into `score` (room for min(k,
 * n_documents)), best first, ties by ascending number, their count into `n_found`. Documents without any of the words
 * are never returned.
 */
LANEWISE_API lanewise_status lanewise_bm25_search(const lanewise_bm25 *bm25, const char *query, size_t n_bytes, size_t k,
                                                  void *scratch, uint32_t *index, float *score, size_t *n_found);

#ifdef __cplusplus
}
#endif

#endif
