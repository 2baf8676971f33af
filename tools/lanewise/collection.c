/* SPDX-License-Identifier: Apache-2.0 */
#include "collection.h"

#include <stdio.h>
#include <string.h>

static lanewise_status bad(const struct collection *collection, const void *at, lanewise_error *error, const char *what)
{
	error->status = LANEWISE_ERROR_DATA;
	error->offset = lanewise_file_offset(collection->file, at);
	snprintf(error->what, sizeof error->what, "%s", what);
	return LANEWISE_ERROR_DATA;
}

static lanewise_status open_header(struct collection *collection, lanewise_error *error)
{
	const void *elements;
	const struct collection_header *header;
	size_t n;
	lanewise_status status =
	        lanewise_file_section(collection->file, "collection", sizeof *header, &elements, &n, error);

	if (status)
		return status;
	header = elements;
	if (n != 1)
		return bad(collection, header, error, "section collection: not one element");
	if (header->version != COLLECTION_VERSION)
		return bad(collection, &header->version, error, "section collection: version: not 1");
	if (header->vectors != VECTORS_HASHED && header->vectors != VECTORS_GIVEN)
		return bad(collection, &header->vectors, error, "section collection: vectors: unknown kind");
	if (header->n == 0 || header->n > UINT32_MAX)
		return bad(collection, &header->n, error, "section collection: n: not in 1 to 2^32 - 1");
	if (header->dim == 0 || header->dim > UINT32_MAX)
		return bad(collection, &header->dim, error, "section collection: dim: not in 1 to 2^32 - 1");
	if (header->zero)
		return bad(collection, &header->zero, error, "section collection: a reserved field is not zero");
	collection->vectors_from = header->vectors;
	collection->n = (size_t)header->n;
	collection->dim = (size_t)header->dim;
	return LANEWISE_OK;
}

static lanewise_status open_vectors(struct collection *collection, lanewise_error *error)
{
	const void *elements;
	size_t n;
	lanewise_status status =
	        lanewise_file_section(collection->file, "vectors", sizeof(float), &elements, &n, error);

	if (status)
		return status;
	/* Both factors are below 2^32. */
	if (n != (uint64_t)collection->n * collection->dim)
		return bad(collection, elements, error, "section vectors: not n * dim elements");
	collection->vectors = elements;
	return LANEWISE_OK;
}

static lanewise_status open_strings(struct collection *collection, const char *ends_name, const char *name,
                                    struct collection_strings *strings, lanewise_error *error)
{
	const void *ends, *bytes;
	size_t n_ends, n_bytes;
	uint64_t begin = 0;
	char what[64];
	lanewise_status status =
	        lanewise_file_section(collection->file, ends_name, sizeof(uint64_t), &ends, &n_ends, error);

	if (!status)
		status = lanewise_file_section(collection->file, name, 1, &bytes, &n_bytes, error);
	if (status)
		return status;
	strings->ends = ends;
	strings->bytes = bytes;
	snprintf(what, sizeof what, "section %s: not n elements", ends_name);
	if (n_ends != collection->n)
		return bad(collection, ends, error, what);
	snprintf(what, sizeof what, "section %s: an end before its beginning", ends_name);
	for (size_t i = 0; i < n_ends; begin = strings->ends[i++])
		if (strings->ends[i] < begin)
			return bad(collection, &strings->ends[i], error, what);
	snprintf(what, sizeof what, "section %s: the last end is not that of %s", ends_name, name);
	return begin == n_bytes ? LANEWISE_OK : bad(collection, &strings->ends[n_ends - 1], error, what);
}

static lanewise_status open_bm25(struct collection *collection, lanewise_error *error)
{
	lanewise_status status = lanewise_bm25_open(collection->file, NULL, &collection->bm25, error);

	if (status)
		return status;
	if (lanewise_bm25_n_documents(collection->bm25) == collection->n)
		return LANEWISE_OK;
	return bad(collection, NULL, error, "sections bm25.*: the number of documents is not that of the collection");
}

lanewise_status collection_open(struct collection *collection, const char *path, lanewise_error *error)
{
	memset(collection, 0, sizeof *collection);

	lanewise_status status = lanewise_file_open(path, NULL, &collection->file, error);

	if (!status)
		status = open_header(collection, error);
	if (!status)
		status = open_vectors(collection, error);
	if (!status)
		status = open_strings(collection, "id.end", "id", &collection->ids, error);
	if (!status)
		status = open_strings(collection, "text.end", "text", &collection->texts, error);
	if (!status)
		status = open_bm25(collection, error);
	if (status)
		collection_close(collection);
	return status;
}

void collection_close(struct collection *collection)
{
	lanewise_bm25_destroy(collection->bm25);
	lanewise_file_destroy(collection->file);
	memset(collection, 0, sizeof *collection);
}

const char *collection_string(const struct collection_strings *strings, size_t i, size_t *n_bytes)
{
	uint64_t begin = i ? strings->ends[i - 1] : 0;

	*n_bytes = (size_t)(strings->ends[i] - begin);
	return strings->bytes + begin;
}
