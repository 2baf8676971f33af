/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/file.h - the container in which every saved object of lanewise lives: named sections of elements in one
 * file, checksummed, versioned, written beside its destination and renamed, memory-mapped when read.
 */
#ifndef LANEWISE_FILE_H
#define LANEWISE_FILE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Section names are 1 to 15 bytes of printable ASCII, unique in a file. */
#define LANEWISE_FILE_NAME_BYTES 16

typedef struct lanewise_file_writer lanewise_file_writer;

LANEWISE_API lanewise_status lanewise_file_writer_create(const char *path, const lanewise_allocator *allocator,
                                                         lanewise_file_writer **writer, lanewise_error *error);

/* Begins a section of elements of `element_bytes` bytes each; the one before, if any, is complete. */
LANEWISE_API lanewise_status lanewise_file_writer_section(lanewise_file_writer *writer, const char *name,
                                                          size_t element_bytes, lanewise_error *error);

/* Appends `n` elements to the section that was begun last. */
LANEWISE_API lanewise_status lanewise_file_writer_append(lanewise_file_writer *writer, const void *elements, size_t n,
                                                         lanewise_error *error);

/* Completes the file and renames it to its path. Until then nothing at the path changes. */
LANEWISE_API lanewise_status lanewise_file_writer_commit(lanewise_file_writer *writer, lanewise_error *error);

/* Frees the writer; what was not committed is removed. NULL is fine. */
LANEWISE_API void lanewise_file_writer_destroy(lanewise_file_writer *writer);

typedef struct lanewise_file lanewise_file;

/* Maps the file and checks header, section table and every checksum. Immutable, shareable between threads. */
LANEWISE_API lanewise_status lanewise_file_open(const char *path, const lanewise_allocator *allocator,
                                                lanewise_file **file, lanewise_error *error);

/*
 * The elements of a section and their number; the pointer is aligned to 64 bytes and valid until the file is
 * destroyed. LANEWISE_ERROR_DATA if there is no such section or its elements have another size.
 */
LANEWISE_API lanewise_status lanewise_file_section(const lanewise_file *file, const char *name, size_t element_bytes,
                                                   const void **elements, size_t *n, lanewise_error *error);

LANEWISE_API void lanewise_file_destroy(lanewise_file *file);

#ifdef __cplusplus
}
#endif

#endif
