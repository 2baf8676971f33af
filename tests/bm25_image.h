/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saved indexes as bytes in memory, so that tests and the fuzz target can change what is in them and put the checksums
 * right again. Include it in a file that defines _GNU_SOURCE.
 */
#ifndef LW_BM25_IMAGE_H
#define LW_BM25_IMAGE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lanewise/bm25.h>

#include "file/file_format.h"

struct image {
	unsigned char *bytes;
	size_t n_bytes;
};

/* The bytes of a file that holds the index alone; no bytes if something fails. */
static inline struct image image_of(const lanewise_bm25 *bm25)
{
	char directory[] = "/tmp/lanewise-test-XXXXXX", path[64];
	struct image image = { NULL, 0 };
	lanewise_file_writer *writer = NULL;
	lanewise_error error;
	FILE *stream = NULL;

	if (!mkdtemp(directory))
		return image;
	snprintf(path, sizeof path, "%s/index", directory);
	if (!lanewise_file_writer_create(path, NULL, &writer, &error) && !lanewise_bm25_write(bm25, writer, &error) &&
	    !lanewise_file_writer_commit(writer, &error))
		stream = fopen(path, "rb");
	if (stream && !fseek(stream, 0, SEEK_END)) {
		image.n_bytes = (size_t)ftell(stream);
		image.bytes = malloc(image.n_bytes);
		rewind(stream);
		if (!image.bytes || fread(image.bytes, 1, image.n_bytes, stream) != image.n_bytes)
			image.n_bytes = 0;
	}
	if (stream)
		fclose(stream);
	lanewise_file_writer_destroy(writer);
	unlink(path);
	rmdir(directory);
	return image;
}

static inline size_t image_n_sections(const struct image *image)
{
	struct lw_file_header header;

	memcpy(&header, image->bytes, sizeof header);
	return header.n_sections;
}

/* Where the table's entry of section i lies. */
static inline unsigned char *image_entry(const struct image *image, size_t i)
{
	return image->bytes + image->n_bytes - (image_n_sections(image) - i) * sizeof(struct lw_file_entry);
}

static inline struct lw_file_entry image_section(const struct image *image, size_t i)
{
	struct lw_file_entry entry;

	memcpy(&entry, image_entry(image, i), sizeof entry);
	return entry;
}

/* Puts all checksums right. Sections must be smaller than a block. */
static inline void image_seal(const struct image *image)
{
	size_t n = image_n_sections(image), table_bytes = n * sizeof(struct lw_file_entry);
	struct lw_file_header header;

	memcpy(&header, image->bytes, sizeof header);
	for (size_t i = 0; i < n; i++) {
		struct lw_file_entry entry = image_section(image, i);
		uint64_t end = i + 1 < n ? image_section(image, i + 1).offset : header.table_offset;

		entry.checksum = 0;
		if (end > entry.offset)
			entry.checksum = lw_file_fold(0, image->bytes + entry.offset, (size_t)(end - entry.offset));
		memcpy(image_entry(image, i), &entry, sizeof entry);
	}
	header.table_checksum = lanewise_xxh3_64(image_entry(image, 0), table_bytes, 0);
	header.header_checksum = lanewise_xxh3_64(&header, offsetof(struct lw_file_header, header_checksum), 0);
	memcpy(image->bytes, &header, sizeof header);
}

/* Opens the bytes as a file. */
static inline lanewise_status image_open(const struct image *image, lanewise_file **file, lanewise_error *error)
{
	lanewise_status status = LANEWISE_ERROR_SYSTEM;
	int fd = memfd_create("image", MFD_CLOEXEC);
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fd >= 0 && write(fd, image->bytes, image->n_bytes) == (ssize_t)image->n_bytes)
		status = lanewise_file_open(path, NULL, file, error);
	if (fd >= 0)
		close(fd);
	return status;
}

#endif
