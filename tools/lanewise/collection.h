/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A collection of documents in a lanewise file, as `lanewise index` writes and `lanewise search` reads it. Sections:
 *
 *     vectors      float, n * dim: the documents' vectors one after the other, each of length 1 or 0
 *     collection   struct collection_header
 *     id.end       u64, n: where each id ends in `id`
 *     id           bytes
 *     text.end     u64, n: where each text ends in `text`
 *     text         bytes
 *     bm25.*       the index of the texts' words (lanewise/bm25.h)
 */
#ifndef LW_TOOL_COLLECTION_H
#define LW_TOOL_COLLECTION_H

#include <stddef.h>
#include <stdint.h>

#include <lanewise/bm25.h>
#include <lanewise/file.h>

enum { COLLECTION_VERSION = 1 };

/* What made the vectors: a query needs one of the same kind. */
enum { VECTORS_HASHED = 1, VECTORS_GIVEN = 2 };

struct collection_header {
	uint32_t version, vectors;
	uint64_t n, dim, zero;
};

/* Texts one after the other. */
struct collection_strings {
	const uint64_t *ends;
	const char *bytes;
};

struct collection {
	lanewise_file *file;
	lanewise_bm25 *bm25;
	size_t n, dim;
	uint32_t vectors_from;
	const float *vectors;
	struct collection_strings ids, texts;
};

/* Opens a file and checks all of it; on failure nothing is left to close. */
lanewise_status collection_open(struct collection *collection, const char *path, lanewise_error *error);

void collection_close(struct collection *collection);

/* String number i. */
const char *collection_string(const struct collection_strings *strings, size_t i, size_t *n_bytes);

#endif
