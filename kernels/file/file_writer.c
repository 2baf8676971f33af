/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a lanewise file. file_format.h describes the layout.
 *
 * Elements go through a block of 1 MiB, which is hashed and written when it is full, into a file of another name in
 * the same directory. Its name becomes the destination's only when all of it is on the disk, so whoever opens the
 * destination sees the old file or the new one, also after a crash.
 *
 * The writer holds a descriptor of the directory and names files relative to it: a change of the working directory in
 * between does not matter.
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* getrandom */
#endif
#include <lanewise/file.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file_format.h"
#include "support.h"

enum { NAME_BYTES = 256 /* NAME_MAX and a NUL */, SUFFIX_BYTES = 48 };

struct lanewise_file_writer {
	lanewise_allocator allocator;
	int has_allocator;
	int fd, directory;
	int exists;             /* the temporary file, under `temporary` */
	lanewise_error failure; /* the first one, which every later call returns; status 0 if there is none */
	uint64_t position;      /* where the next block goes */
	size_t n_sections, block_used;
	char name[NAME_BYTES], temporary[NAME_BYTES + SUFFIX_BYTES];
	struct lw_file_entry entries[LANEWISE_FILE_MAX_SECTIONS];
	unsigned char block[LW_FILE_BLOCK];
};

/* ------------------------------------------------------------------- errors */

/* What a call returns, given that the failure, if there is one, is noted. */
static lanewise_status result(const lanewise_file_writer *writer, lanewise_error *error)
{
	if (writer->failure.status && error)
		*error = writer->failure;
	return writer->failure.status;
}

/* A misuse, which leaves the writer as it was. */
static lanewise_status misuse(lanewise_error *error, const char *what)
{
	return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s", what);
}

/* ------------------------------------------------------------------ writing */

/* Writes at `position`; notes a failure. */
static void write_at(lanewise_file_writer *writer, const void *data, size_t n_bytes, uint64_t position)
{
	const unsigned char *bytes = data;

	if (position > (uint64_t)INT64_MAX - n_bytes) {
		lw_fail(&writer->failure, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET, "the file passes 2^63 bytes");
		return;
	}
	while (n_bytes > 0) {
		ssize_t written = pwrite(writer->fd, bytes, n_bytes, (off_t)position);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			lanewise_file_system_error(&writer->failure, "write", written < 0 ? errno : EIO);
			return;
		}
		bytes += written;
		n_bytes -= (size_t)written;
		position += (uint64_t)written;
	}
}

static void put_block(lanewise_file_writer *writer, const void *block, size_t n_bytes)
{
	struct lw_file_entry *entry = &writer->entries[writer->n_sections - 1];

	entry->checksum = lw_file_fold(entry->checksum, block, n_bytes);
	write_at(writer, block, n_bytes, writer->position);
	writer->position += n_bytes;
}

/* Pads the section begun last, if there is one, and writes what is left of it. */
static void end_section(lanewise_file_writer *writer)
{
	size_t used = writer->block_used;
	size_t padded = (used + LW_FILE_ALIGNMENT - 1) / LW_FILE_ALIGNMENT * LW_FILE_ALIGNMENT;

	memset(writer->block + used, 0, padded - used);
	if (padded)
		put_block(writer, writer->block, padded);
	writer->block_used = 0;
}

static void put_bytes(lanewise_file_writer *writer, const unsigned char *bytes, size_t n_bytes)
{
	while (n_bytes > 0 && !writer->failure.status) {
		size_t room = LW_FILE_BLOCK - writer->block_used;
		size_t n = n_bytes < room ? n_bytes : room;

		if (n == LW_FILE_BLOCK) {
			put_block(writer, bytes, n);
		} else {
			memcpy(writer->block + writer->block_used, bytes, n);
			writer->block_used += n;
			if (n == room) {
				put_block(writer, writer->block, LW_FILE_BLOCK);
				writer->block_used = 0;
			}
		}
		bytes += n;
		n_bytes -= n;
	}
}

lanewise_status lanewise_file_writer_section(lanewise_file_writer *writer, const char *name, size_t element_bytes,
                                             lanewise_error *error)
{
	if (!writer || !name)
		return misuse(error, "an argument is NULL");
	if (element_bytes == 0 || element_bytes > UINT32_MAX)
		return misuse(error, "element_bytes is not in 1 to 2^32 - 1");

	size_t length = 0;

	while (length < LANEWISE_FILE_NAME_BYTES && name[length] >= ' ' && name[length] <= '~')
		length++;
	if (length == 0 || length == LANEWISE_FILE_NAME_BYTES || name[length])
		return misuse(error, "a section's name is not 1 to 15 printable ASCII characters");
	for (size_t i = 0; i < writer->n_sections; i++)
		if (strcmp(writer->entries[i].name, name) == 0)
			return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
			               "there is a section %s already", name);
	if (writer->n_sections == LANEWISE_FILE_MAX_SECTIONS)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET, "more than %d sections",
		               LANEWISE_FILE_MAX_SECTIONS);
	if (writer->fd < 0 || writer->failure.status)
		return writer->failure.status ? result(writer, error) : misuse(error, "the writer has committed");

	end_section(writer);

	struct lw_file_entry *entry = &writer->entries[writer->n_sections++];

	memcpy(entry->name, name, length);
	entry->offset = writer->position;
	entry->element_bytes = (uint32_t)element_bytes;
	return result(writer, error);
}

lanewise_status lanewise_file_writer_append(lanewise_file_writer *writer, const void *elements, size_t n,
                                            lanewise_error *error)
{
	if (!writer || (!elements && n))
		return misuse(error, "an argument is NULL");
	if (writer->failure.status)
		return result(writer, error);
	if (writer->fd < 0)
		return misuse(error, "the writer has committed");
	if (writer->n_sections == 0)
		return misuse(error, "no section is begun");

	struct lw_file_entry *entry = &writer->entries[writer->n_sections - 1];

	if (n > SIZE_MAX / entry->element_bytes)
		return misuse(error, "n elements are more than the address space holds");
	entry->n += n;
	put_bytes(writer, elements, n * entry->element_bytes);
	return result(writer, error);
}

/* ------------------------------------------------------------------- commit */

static void write_table_and_header(lanewise_file_writer *writer)
{
	size_t table_bytes = writer->n_sections * sizeof writer->entries[0];
	struct lw_file_header header = { .version = LW_FILE_VERSION,
		                         .byte_order = LW_FILE_BYTE_ORDER,
		                         .file_size = writer->position + table_bytes,
		                         .table_offset = writer->position,
		                         .n_sections = (uint32_t)writer->n_sections,
		                         .table_checksum = lanewise_xxh3_64(writer->entries, table_bytes, 0) };

	memcpy(header.magic, LW_FILE_MAGIC, sizeof header.magic);
	header.header_checksum = lanewise_xxh3_64(&header, offsetof(struct lw_file_header, header_checksum), 0);
	write_at(writer, writer->entries, table_bytes, writer->position);
	if (!writer->failure.status)
		write_at(writer, &header, sizeof header, 0);
}

/* fsync; file systems that cannot do it for what `fd` is say EINVAL. */
static int sync_to_disk(int fd)
{
	int status;

	do
		status = fsync(fd);
	while (status != 0 && errno == EINTR);
	return status == 0 || errno == EINVAL ? 0 : -1;
}

static void sync_and_rename(lanewise_file_writer *writer)
{
	if (sync_to_disk(writer->fd) != 0) {
		lanewise_file_system_error(&writer->failure, "fsync", errno);
		return;
	}

	int closed = close(writer->fd);

	writer->fd = -1;
	if (closed != 0 && errno != EINTR) {
		lanewise_file_system_error(&writer->failure, "close", errno);
		return;
	}
	if (renameat(writer->directory, writer->temporary, writer->directory, writer->name) != 0) {
		lanewise_file_system_error(&writer->failure, "rename", errno);
		return;
	}
	writer->exists = 0;
	if (sync_to_disk(writer->directory) != 0)
		lanewise_file_system_error(&writer->failure,
		                           "the file is in place, but its directory may not be on the disk: fsync",
		                           errno);
}

lanewise_status lanewise_file_writer_commit(lanewise_file_writer *writer, lanewise_error *error)
{
	if (!writer)
		return misuse(error, "writer is NULL");
	if (writer->failure.status)
		return result(writer, error);
	if (writer->fd < 0)
		return misuse(error, "the writer has committed");
	end_section(writer);
	if (!writer->failure.status)
		write_table_and_header(writer);
	if (!writer->failure.status)
		sync_and_rename(writer);
	return result(writer, error);
}

/* --------------------------------------------------------- create and destroy */

/* Opens the directory of `path` and notes the file's name in it. */
static lanewise_status open_directory(lanewise_file_writer *writer, const char *path, lanewise_error *error)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t directory_length = (size_t)(name - path);
	char directory[PATH_MAX] = ".";

	if (directory_length >= sizeof directory || strlen(name) >= sizeof writer->name)
		return lanewise_file_system_error(error, "path", ENAMETOOLONG);
	if (!*name)
		return misuse(error, "path names no file");
	memcpy(writer->name, name, strlen(name) + 1);
	if (slash) {
		memcpy(directory, path, directory_length);
		directory[directory_length] = '\0';
	}
	writer->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return writer->directory < 0 ? lanewise_file_system_error(error, "open of the directory", errno) : LANEWISE_OK;
}

/* A rename would put the file in the place of a device or pipe, and fail on a directory only at the end. */
static lanewise_status check_destination(const lanewise_file_writer *writer, lanewise_error *error)
{
	struct stat about;

	if (fstatat(writer->directory, writer->name, &about, 0) == 0 && !S_ISREG(about.st_mode))
		return lw_fail(error, LANEWISE_ERROR_SYSTEM, LANEWISE_NO_OFFSET,
		               "the path exists and is no regular file");
	return LANEWISE_OK;
}

static uint64_t random_number(void)
{
	uint64_t number;
	struct timespec now;

	if (getrandom(&number, sizeof number, GRND_NONBLOCK) == (ssize_t)sizeof number)
		return number;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return lanewise_xxh3_64(&now, sizeof now, 0);
}

static lanewise_status create_temporary(lanewise_file_writer *writer, lanewise_error *error)
{
	for (int attempt = 0; attempt < 100; attempt++) {
		snprintf(writer->temporary, sizeof writer->temporary, "%s.tmp-%ld-%016llx", writer->name,
		         (long)getpid(), (unsigned long long)random_number());
		writer->fd = openat(writer->directory, writer->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (writer->fd >= 0 || errno != EEXIST)
			break;
	}
	if (writer->fd < 0)
		return lanewise_file_system_error(error, "creating the temporary file", errno);
	writer->exists = 1;
	return LANEWISE_OK;
}

lanewise_status lanewise_file_writer_create(const char *path, const lanewise_allocator *allocator,
                                            lanewise_file_writer **out, lanewise_error *error)
{
	if (!path || !out)
		return misuse(error, path ? "writer is NULL" : "path is NULL");
	*out = NULL;

	lanewise_file_writer *writer = lw_allocate(allocator, sizeof *writer);

	if (!writer)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "out of memory");
	memset(writer, 0, offsetof(struct lanewise_file_writer, block));
	writer->has_allocator = allocator != NULL;
	if (allocator)
		writer->allocator = *allocator;
	writer->fd = writer->directory = -1;
	writer->position = sizeof(struct lw_file_header);

	lanewise_status status = open_directory(writer, path, error);

	if (!status)
		status = check_destination(writer, error);
	if (!status)
		status = create_temporary(writer, error);
	if (status) {
		lanewise_file_writer_destroy(writer);
		return status;
	}
	*out = writer;
	return LANEWISE_OK;
}

void lanewise_file_writer_destroy(lanewise_file_writer *writer)
{
	if (!writer)
		return;

	lanewise_allocator allocator = writer->allocator;
	int has_allocator = writer->has_allocator;

	if (writer->fd >= 0)
		close(writer->fd);
	if (writer->exists)
		unlinkat(writer->directory, writer->temporary, 0);
	if (writer->directory >= 0)
		close(writer->directory);
	lw_release(has_allocator ? &allocator : NULL, writer, sizeof *writer);
}
