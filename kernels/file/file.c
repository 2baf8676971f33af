/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a lanewise file. file_format.h describes the layout.
 *
 * Nothing in the file is believed before it is checked: first what identifies the format, then the header's checksum,
 * then its numbers against the size that the system tells, then the table's checksum, then each entry against the end
 * of the section before it, then, unless the caller does without, the sections' checksums, in time proportional to the
 * file's size.
 *
 * Numbers are only added or multiplied after a bound shows that the result fits: a size is compared with what is left
 * of the file, never with a sum.
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* XSI strerror_r */
#endif
#include <lanewise/file.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_format.h"
#include "support.h"

struct lanewise_file {
	lanewise_allocator allocator;
	int has_allocator, is_mapped, is_verified;
	size_t size;
	const unsigned char *bytes;
	const struct lw_file_entry *entries;
	size_t n_entries;
};

/* -------------------------------------------------------------- the checks */

static lanewise_status bad(lanewise_error *error, uint64_t offset, const char *what)
{
	return lw_fail(error, LANEWISE_ERROR_DATA, offset, "%s", what);
}

#define HEADER_FIELD(field) offsetof(struct lw_file_header, field)

static lanewise_status check_header(const struct lw_file_header *header, size_t size, lanewise_error *error)
{
	if (memcmp(header->magic, LW_FILE_MAGIC, sizeof header->magic) != 0)
		return bad(error, 0, "header: magic: this is no lanewise file");
	if (header->byte_order == 0x04030201)
		return lw_fail(error, LANEWISE_ERROR_UNSUPPORTED, HEADER_FIELD(byte_order),
		               "header: byte order: written on a machine of the other byte order");
	if (header->byte_order != LW_FILE_BYTE_ORDER)
		return bad(error, HEADER_FIELD(byte_order), "header: byte order: neither of the two");
	if (header->header_checksum != lanewise_xxh3_64(header, HEADER_FIELD(header_checksum), 0))
		return bad(error, HEADER_FIELD(header_checksum), "header: checksum: bytes 0 to 55 do not have it");
	if (header->version != LW_FILE_VERSION)
		return lw_fail(error, LANEWISE_ERROR_UNSUPPORTED, HEADER_FIELD(version),
		               "header: format version is %u, this library reads %d", header->version, LW_FILE_VERSION);
	if (header->file_size != size)
		return lw_fail(error, LANEWISE_ERROR_DATA, HEADER_FIELD(file_size),
		               "header: file size is %llu, but the file has %llu bytes",
		               (unsigned long long)header->file_size, (unsigned long long)size);
	if (header->n_sections > LANEWISE_FILE_MAX_SECTIONS)
		return lw_fail(error, LANEWISE_ERROR_DATA, HEADER_FIELD(n_sections),
		               "header: section count is %u, the limit %d", header->n_sections,
		               LANEWISE_FILE_MAX_SECTIONS);
	if (header->n_sections > (size - sizeof *header) / sizeof(struct lw_file_entry))
		return lw_fail(error, LANEWISE_ERROR_DATA, HEADER_FIELD(n_sections),
		               "header: section count is %u, more than fit the file", header->n_sections);
	if (header->table_offset != size - header->n_sections * sizeof(struct lw_file_entry) ||
	    header->table_offset % LW_FILE_ALIGNMENT)
		return bad(error, HEADER_FIELD(table_offset), "header: table offset: the table would not end the file");
	if (header->zero || header->zero2)
		return bad(error, header->zero ? HEADER_FIELD(zero) : HEADER_FIELD(zero2),
		           "header: a reserved field is not zero");
	return LANEWISE_OK;
}

static int is_section_name(const char name[LANEWISE_FILE_NAME_BYTES])
{
	size_t length = 0;

	while (length < LANEWISE_FILE_NAME_BYTES && name[length] >= ' ' && name[length] <= '~')
		length++;
	if (length == 0 || length == LANEWISE_FILE_NAME_BYTES)
		return 0;
	for (size_t i = length; i < LANEWISE_FILE_NAME_BYTES; i++)
		if (name[i])
			return 0;
	return 1;
}

/* The number of an earlier entry of the same name, or `number` if there is none. */
static size_t first_of_name(const struct lw_file_entry *entries, size_t number)
{
	size_t i = 0;

	while (i < number && memcmp(entries[i].name, entries[number].name, sizeof entries[i].name) != 0)
		i++;
	return i;
}

#define ENTRY_FIELD(field) (at + offsetof(struct lw_file_entry, field))

/*
 * Checks entry `number` of the table, which begins at `table_offset`, against the place `*end` where the section
 * before it ends, and moves that to the end of this one.
 */
static lanewise_status check_entry(const struct lw_file_entry *entries, size_t number, uint64_t table_offset,
                                   uint64_t *end, lanewise_error *error)
{
	const struct lw_file_entry *entry = &entries[number];
	uint64_t at = table_offset + number * sizeof *entry;

	if (!is_section_name(entry->name))
		return lw_fail(error, LANEWISE_ERROR_DATA, ENTRY_FIELD(name),
		               "section table: entry %zu: name is not 1 to 15 printable ASCII characters", number);
	if (first_of_name(entries, number) != number)
		return lw_fail(error, LANEWISE_ERROR_DATA, ENTRY_FIELD(name),
		               "section table: entry %zu: name %s occurs twice", number, entry->name);
	if (entry->offset != *end)
		return lw_fail(error, LANEWISE_ERROR_DATA, ENTRY_FIELD(offset),
		               "section %s: offset is %llu, but the section before ends at %llu", entry->name,
		               (unsigned long long)entry->offset, (unsigned long long)*end);
	if (entry->element_bytes == 0)
		return lw_fail(error, LANEWISE_ERROR_DATA, ENTRY_FIELD(element_bytes), "section %s: element bytes is 0",
		               entry->name);
	if (entry->n > (table_offset - *end) / entry->element_bytes)
		return lw_fail(error, LANEWISE_ERROR_DATA, ENTRY_FIELD(n),
		               "section %s: %llu elements of %u bytes do not fit the file", entry->name,
		               (unsigned long long)entry->n, entry->element_bytes);
	if (entry->zero || entry->zero2[0] || entry->zero2[1])
		return lw_fail(error, LANEWISE_ERROR_DATA, entry->zero ? ENTRY_FIELD(zero) : ENTRY_FIELD(zero2),
		               "section %s: a reserved field is not zero", entry->name);

	/* The table's offset is a multiple of the alignment, so rounding up cannot pass it. */
	uint64_t unpadded = entry->n * entry->element_bytes;

	*end += (unpadded + LW_FILE_ALIGNMENT - 1) / LW_FILE_ALIGNMENT * LW_FILE_ALIGNMENT;
	return LANEWISE_OK;
}

static lanewise_status check_table(const lanewise_file *file, const struct lw_file_header *header,
                                   lanewise_error *error)
{
	uint64_t end = sizeof *header;

	if (header->table_checksum != lanewise_xxh3_64(file->entries, file->n_entries * sizeof *file->entries, 0))
		return lw_fail(error, LANEWISE_ERROR_DATA, header->table_offset,
		               "section table: checksum: bytes %llu to %llu do not have it",
		               (unsigned long long)header->table_offset, (unsigned long long)file->size - 1);
	for (size_t i = 0; i < file->n_entries; i++) {
		lanewise_status status = check_entry(file->entries, i, header->table_offset, &end, error);

		if (status)
			return status;
	}
	if (end != header->table_offset)
		return lw_fail(error, LANEWISE_ERROR_DATA, HEADER_FIELD(table_offset),
		               "header: table offset is %llu, but the last section ends at %llu",
		               (unsigned long long)header->table_offset, (unsigned long long)end);
	return LANEWISE_OK;
}

static lanewise_status check_sections(const lanewise_file *file, lanewise_error *error)
{
	for (size_t i = 0; i < file->n_entries; i++) {
		const struct lw_file_entry *entry = &file->entries[i];
		uint64_t end = i + 1 < file->n_entries ? entry[1].offset
		                                       : (uint64_t)((const unsigned char *)file->entries - file->bytes);
		uint64_t checksum = 0;

		for (uint64_t at = entry->offset; at < end; at += LW_FILE_BLOCK) {
			size_t n_bytes = end - at < LW_FILE_BLOCK ? (size_t)(end - at) : LW_FILE_BLOCK;

			checksum = lw_file_fold(checksum, file->bytes + at, n_bytes);
		}
		if (checksum != entry->checksum)
			return lw_fail(error, LANEWISE_ERROR_DATA, entry->offset,
			               "section %s: checksum: bytes %llu to %llu do not have it", entry->name,
			               (unsigned long long)entry->offset, (unsigned long long)end - 1);
	}
	return LANEWISE_OK;
}

/* All but the sections. */
static lanewise_status check_file(lanewise_file *file, lanewise_error *error)
{
	const struct lw_file_header *header = (const void *)file->bytes;
	lanewise_status status = check_header(header, file->size, error);

	if (status)
		return status;
	file->entries = (const void *)(file->bytes + header->table_offset);
	file->n_entries = header->n_sections;
	return check_table(file, header, error);
}

lanewise_status lanewise_file_verify(const lanewise_file *file, lanewise_error *error)
{
	if (!file)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "file is NULL");
	return check_sections(file, error);
}

int lanewise_file_is_verified(const lanewise_file *file) { return file->is_verified; }

/* ------------------------------------------------------------------ mapping */

lanewise_status lanewise_file_system_error(lanewise_error *error, const char *call, int number)
{
	char reason[128];

	if (strerror_r(number, reason, sizeof reason) != 0)
		snprintf(reason, sizeof reason, "error %d", number);
	return lw_fail(error, LANEWISE_ERROR_SYSTEM, LANEWISE_NO_OFFSET, "%s: %s", call, reason);
}

static lanewise_status map_file(lanewise_file *file, int fd, lanewise_error *error)
{
	struct stat about;

	if (fstat(fd, &about) != 0)
		return lanewise_file_system_error(error, "fstat", errno);
	if (!S_ISREG(about.st_mode))
		return lw_fail(error, LANEWISE_ERROR_SYSTEM, LANEWISE_NO_OFFSET, "not a regular file");
	if (about.st_size < (off_t)sizeof(struct lw_file_header))
		return lw_fail(error, LANEWISE_ERROR_DATA, (uint64_t)about.st_size,
		               "header: the file ends after %lld of 64 bytes", (long long)about.st_size);
	if ((uint64_t)about.st_size > SIZE_MAX)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET,
		               "the file does not fit the address space");

	void *bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (bytes == MAP_FAILED)
		return lanewise_file_system_error(error, "mmap", errno);
	file->bytes = bytes;
	file->size = (size_t)about.st_size;
	file->is_mapped = 1;
	return LANEWISE_OK;
}

static lanewise_status create_file(const lanewise_allocator *allocator, lanewise_file **out, lanewise_error *error)
{
	lanewise_file *file = lw_allocate(allocator, sizeof *file);

	if (!file)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "out of memory");
	memset(file, 0, sizeof *file);
	file->has_allocator = allocator != NULL;
	if (allocator)
		file->allocator = *allocator;
	*out = file;
	return LANEWISE_OK;
}

lanewise_status lanewise_file_map(const char *path, const lanewise_allocator *allocator, lanewise_file **out,
                                  lanewise_error *error)
{
	lanewise_file *file = NULL;

	if (!path || !out)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s is NULL",
		               path ? "file" : "path");
	*out = NULL;
	if (create_file(allocator, &file, error))
		return LANEWISE_ERROR_NO_MEMORY;

	/* O_NONBLOCK: opening a named pipe must not wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	lanewise_status status = fd < 0 ? lanewise_file_system_error(error, "open", errno) : map_file(file, fd, error);

	if (fd >= 0)
		close(fd);
	if (!status)
		status = check_file(file, error);
	if (status) {
		lanewise_file_destroy(file);
		return status;
	}
	*out = file;
	return LANEWISE_OK;
}

lanewise_status lanewise_file_open(const char *path, const lanewise_allocator *allocator, lanewise_file **out,
                                   lanewise_error *error)
{
	lanewise_status status = lanewise_file_map(path, allocator, out, error);

	if (status)
		return status;
	status = check_sections(*out, error);
	(*out)->is_verified = 1;
	if (status) {
		lanewise_file_destroy(*out);
		*out = NULL;
	}
	return status;
}

lanewise_status lanewise_file_open_memory(const void *bytes, size_t n_bytes, const lanewise_allocator *allocator,
                                          lanewise_file **out, lanewise_error *error)
{
	lanewise_file *file = NULL;

	if (!bytes || !out || (uintptr_t)bytes % LW_FILE_ALIGNMENT)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s",
		               !out     ? "file is NULL"
		               : !bytes ? "bytes is NULL"
		                        : "bytes are not aligned to 64");
	*out = NULL;
	if (n_bytes < sizeof(struct lw_file_header))
		return lw_fail(error, LANEWISE_ERROR_DATA, n_bytes, "header: the file ends after %zu of 64 bytes",
		               n_bytes);
	if (create_file(allocator, &file, error))
		return LANEWISE_ERROR_NO_MEMORY;
	file->bytes = bytes;
	file->size = n_bytes;

	lanewise_status status = check_file(file, error);

	if (!status)
		status = check_sections(file, error);
	if (status) {
		lanewise_file_destroy(file);
		return status;
	}
	file->is_verified = 1;
	*out = file;
	return LANEWISE_OK;
}

void lanewise_file_destroy(lanewise_file *file)
{
	if (!file)
		return;

	lanewise_allocator allocator = file->allocator;
	int has_allocator = file->has_allocator;

	if (file->is_mapped) {
		union {
			const unsigned char *read_only;
			void *any;
		} bytes = { file->bytes };

		munmap(bytes.any, file->size);
	}
	lw_release(has_allocator ? &allocator : NULL, file, sizeof *file);
}

/* ----------------------------------------------------------------- sections */

lanewise_status lanewise_file_section(const lanewise_file *file, const char *name, size_t element_bytes,
                                      const void **elements, size_t *n, lanewise_error *error)
{
	if (!file || !name || !elements || !n)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "an argument is NULL");
	for (size_t i = 0; i < file->n_entries; i++) {
		const struct lw_file_entry *entry = &file->entries[i];

		if (strcmp(entry->name, name) != 0)
			continue;
		if (entry->element_bytes != element_bytes)
			return lw_fail(error, LANEWISE_ERROR_DATA,
			               (uint64_t)((const unsigned char *)&entry->element_bytes - file->bytes),
			               "section %s: element bytes is %u, expected %zu", name, entry->element_bytes,
			               element_bytes);
		*elements = file->bytes + entry->offset;
		*n = (size_t)entry->n;
		return LANEWISE_OK;
	}
	return lw_fail(error, LANEWISE_ERROR_DATA, (uint64_t)((const unsigned char *)file->entries - file->bytes),
	               "section table: there is no section %.*s", LANEWISE_FILE_NAME_BYTES, name);
}

uint64_t lanewise_file_offset(const lanewise_file *file, const void *address)
{
	/* Compared as integers: the address may be any. */
	uintptr_t begin = (uintptr_t)file->bytes, at = (uintptr_t)address;

	return at >= begin && at - begin <= file->size ? at - begin : LANEWISE_NO_OFFSET;
}
