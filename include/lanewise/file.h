/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/file.h - the container in which every saved object of lanewise lives: named sections of elements in one
 * file, checksummed, versioned, written beside its destination and renamed, memory-mapped when read.
 *
 * What holds for every function here
 *
 * Files. The library's own format, described in kernels/file/file_format.h. Every byte of a file is covered by a
 * checksum (XXH3, which detects damage and not forgery), and a forged file can at worst hold wrong elements: sizes,
 * offsets and names are checked. Elements are stored as they lie in memory, so a file is read on machines of the same
 * byte order; others get LANEWISE_ERROR_UNSUPPORTED.
 *
 * Mapping. An open file is mapped, not copied. Replacing it by a rename, as the writer does, is safe; what happens
 * when someone changes it in place is undefined, and reading pages of a file that was truncated while open raises
 * SIGBUS. A disk error while a page is read does too.
 *
 * Errors. `error` may be NULL. LANEWISE_ERROR_DATA names the field or section and its byte offset in the file,
 * LANEWISE_ERROR_SYSTEM the call and the reason. Paths are left out of the texts: the caller knows them.
 *
 * Threads. An open file is immutable and may be shared. A writer belongs to one thread at a time. Where a limit on file
 * sizes is set (RLIMIT_FSIZE), passing it raises SIGXFSZ; ignore that signal to get LANEWISE_ERROR_SYSTEM instead.
 */
#ifndef LANEWISE_FILE_H
#define LANEWISE_FILE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Section names are 1 to 15 bytes of printable ASCII, unique in a file. */
#define LANEWISE_FILE_NAME_BYTES   16
#define LANEWISE_FILE_MAX_SECTIONS 1024

/* ------------------------------------------------------------------- writing */

/* A file under construction, about 1.1 MB in memory whatever its size. */
typedef struct lanewise_file_writer lanewise_file_writer;

/*
 * Begins a file that shall appear at `path`, in a temporary file beside it: `path` with ".tmp-", the process id and a
 * random number appended. Its directory must exist and be readable and writable. If something exists at `path` it must
 * be a regular file; a symbolic link will be replaced, not followed. Permissions are 0666 less the umask.
 *
 * LANEWISE_ERROR_ARGUMENT: path or writer NULL, path empty or ending in "/". LANEWISE_ERROR_NO_MEMORY.
 * LANEWISE_ERROR_SYSTEM: the directory or the temporary file cannot be opened, or no regular file is at `path`.
 */
LANEWISE_API lanewise_status lanewise_file_writer_create(const char *path, const lanewise_allocator *allocator,
                                                         lanewise_file_writer **writer, lanewise_error *error);

/*
 * Begins a section of elements of `element_bytes` bytes each, 1 to UINT32_MAX; the one before, if any, is complete.
 *
 * LANEWISE_ERROR_ARGUMENT: a name that is not 1 to 15 printable ASCII characters or that a section has already,
 * element_bytes out of range, the writer has committed; LANEWISE_ERROR_TOO_LARGE: more than LANEWISE_FILE_MAX_SECTIONS
 * sections. These leave the writer usable. LANEWISE_ERROR_SYSTEM: writing failed; every later call returns the same.
 */
LANEWISE_API lanewise_status lanewise_file_writer_section(lanewise_file_writer *writer, const char *name,
                                                          size_t element_bytes, lanewise_error *error);

/*
 * Appends `n` elements to the section that was begun last, in as many calls as you like. `elements` need not be
 * aligned and may be NULL if n is 0. Errors as for lanewise_file_writer_section.
 */
LANEWISE_API lanewise_status lanewise_file_writer_append(lanewise_file_writer *writer, const void *elements, size_t n,
                                                         lanewise_error *error);

/*
 * Completes the file, waits until it is on the disk, renames it to its path and waits for the directory. Until the
 * rename nothing at the path changes, and at no time is there no file or half a file at it. After an error the old
 * file is still there; only if the last wait fails the new one is, and the error's text says so. Call it once, then
 * destroy the writer.
 */
LANEWISE_API lanewise_status lanewise_file_writer_commit(lanewise_file_writer *writer, lanewise_error *error);

/* Frees the writer and removes the temporary file if it was not committed. NULL is fine. */
LANEWISE_API void lanewise_file_writer_destroy(lanewise_file_writer *writer);

/* ------------------------------------------------------------------- reading */

typedef struct lanewise_file lanewise_file;

/*
 * Maps the file and checks all of it: header, section table, every checksum. O(file size), nearly all of it hashing.
 * Immutable, shareable between threads.
 *
 * LANEWISE_ERROR_DATA: this is no lanewise file or it is damaged. LANEWISE_ERROR_UNSUPPORTED: a later format version or
 * the other byte order. LANEWISE_ERROR_SYSTEM: it cannot be opened or mapped or is no regular file.
 * LANEWISE_ERROR_NO_MEMORY, LANEWISE_ERROR_TOO_LARGE (does not fit the address space), LANEWISE_ERROR_ARGUMENT (NULL).
 */
LANEWISE_API lanewise_status lanewise_file_open(const char *path, const lanewise_allocator *allocator,
                                                lanewise_file **file, lanewise_error *error);

/*
 * The same without the sections' checksums, so nearly nothing is read: O(number of sections). For files that need not be
 * doubted, written on this machine say, and large ones that shall be ready at once. What is wrong with elements can make
 * results wrong, but whatever reads them from a file checks what could lead it out of the file. lanewise_file_verify
 * compares the checksums, at any time, and with lanewise_file_map is lanewise_file_open.
 */
LANEWISE_API lanewise_status lanewise_file_map(const char *path, const lanewise_allocator *allocator,
                                               lanewise_file **file, lanewise_error *error);

/* LANEWISE_ERROR_DATA: a section does not have its checksum; the error names it. O(file size). */
LANEWISE_API lanewise_status lanewise_file_verify(const lanewise_file *file, lanewise_error *error);

/*
 * The same as lanewise_file_open for a file's bytes that are in memory already, aligned to 64 bytes. They must stay as
 * they are until the file is destroyed, and are not freed. Errors as for lanewise_file_open, LANEWISE_ERROR_ARGUMENT
 * also for other alignment.
 */
LANEWISE_API lanewise_status lanewise_file_open_memory(const void *bytes, size_t n_bytes,
                                                       const lanewise_allocator *allocator, lanewise_file **file,
                                                       lanewise_error *error);

/*
 * The elements of a section and their number; the pointer is aligned to 64 bytes, also if there are none, and valid
 * until the file is destroyed. LANEWISE_ERROR_DATA if there is no such section or its elements have another size.
 * O(number of sections).
 */
LANEWISE_API lanewise_status lanewise_file_section(const lanewise_file *file, const char *name, size_t element_bytes,
                                                   const void **elements, size_t *n, lanewise_error *error);

/*
 * The byte offset in the file of an address within a section, for errors about what is stored there;
 * LANEWISE_NO_OFFSET if the address is not in the file.
 */
LANEWISE_API uint64_t lanewise_file_offset(const lanewise_file *file, const void *address);

/* Unmaps the file if it was mapped. NULL is fine. */
LANEWISE_API void lanewise_file_destroy(lanewise_file *file);

#ifdef __cplusplus
}
#endif

#endif
