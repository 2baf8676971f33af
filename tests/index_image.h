/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saved indexes of vectors as bytes in memory, so that tests can change what is in them, and such bytes opened as files.
 * Include it in a file that defines _GNU_SOURCE.
 */
#ifndef LW_INDEX_IMAGE_H
#define LW_INDEX_IMAGE_H

#include <lanewise/index.h>

#include "fuzz/memory_file.h"
#include "test.h"

enum { INDEX_IMAGE_BYTES = 1 << 20 /* all of a file */ };

/* Bytes of a file with the index in it. */
static inline unsigned char *save(const lanewise_index *index, size_t *n_bytes)
{
	char path[] = "/tmp/lanewise-index-XXXXXX";
	lanewise_file_writer *writer = NULL;
	int fd = mkstemp(path);
	unsigned char *bytes = malloc(INDEX_IMAGE_BYTES);

	CHECK(fd >= 0 && bytes);
	CHECK_EQUAL(lanewise_file_writer_create(path, NULL, &writer, NULL), 0);
	CHECK_EQUAL(lanewise_index_write(index, writer, NULL), 0);
	CHECK_EQUAL(lanewise_file_writer_commit(writer, NULL), 0);
	lanewise_file_writer_destroy(writer);
	close(fd);

	FILE *stream = fopen(path, "rb");

	*n_bytes = stream ? fread(bytes, 1, INDEX_IMAGE_BYTES, stream) : 0;
	CHECK(*n_bytes > 100 && *n_bytes < INDEX_IMAGE_BYTES);
	if (stream)
		fclose(stream);
	remove(path);
	return bytes;
}

/* An opened index and what it lies over. */
struct opened {
	int fd;
	lanewise_file *file;
	lanewise_index *index;
};

typedef lanewise_status open_fn(const char *path, const lanewise_allocator *allocator, lanewise_file **file,
                                lanewise_error *error);

static inline lanewise_status open_by(open_fn *open_file, const unsigned char *bytes, size_t n_bytes, struct opened *o,
                                      lanewise_error *error)
{
	char path[64];
	lanewise_status status;

	*o = (struct opened) { memory_file(bytes, n_bytes, path), NULL, NULL };
	status = open_file(path, NULL, &o->file, error);
	return status ? status : lanewise_index_open(o->file, NULL, &o->index, error);
}

static inline lanewise_status open_bytes(const unsigned char *bytes, size_t n_bytes, struct opened *o,
                                         lanewise_error *error)
{
	return open_by(lanewise_file_open, bytes, n_bytes, o, error);
}

static inline void close_opened(struct opened *o)
{
	lanewise_index_destroy(o->index);
	lanewise_file_destroy(o->file);
	close(o->fd);
}

/* Where a section's elements lie in a file. */
static inline size_t section_at(const unsigned char *bytes, const char *name)
{
	struct lw_file_header header;
	struct lw_file_entry entry;

	memcpy(&header, bytes, sizeof header);
	for (size_t i = 0; i < header.n_sections; i++) {
		memcpy(&entry, bytes + header.table_offset + i * sizeof entry, sizeof entry);
		if (strcmp(entry.name, name) == 0)
			return (size_t)entry.offset;
	}
	abort(); /* the test names a section that is not there */
}

/* Puts n bytes into a section, with right checksums, and expects this error at a byte of the file. */
static inline void expect_lie(const unsigned char *bytes, size_t n_bytes, const char *section, size_t at,
                              const void *lie, size_t n, lanewise_status expected, const char *what)
{
	unsigned char *copy = malloc(n_bytes);
	lanewise_error error = { 0 };
	struct opened o;

	memcpy(copy, bytes, n_bytes);
	memcpy(copy + section_at(bytes, section) + at, lie, n);
	repair_file(copy, n_bytes);
	CHECK_EQUAL(open_bytes(copy, n_bytes, &o, &error), expected);
	if (!CHECK(strstr(error.what, what) != NULL))
		fprintf(stderr, "\"%s\" does not contain \"%s\"\n", error.what, what);
	CHECK(error.offset < n_bytes);
	close_opened(&o);
	free(copy);
}

#endif
