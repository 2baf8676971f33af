/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens any bytes as a lanewise file and reads every section. Bytes as they come seldom have the right checksums, so
 * if the first byte is odd those are put right, and what lies behind them is reached.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "file/file_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

/* Whether a section in these bounds can be hashed at all. */
static int lies_within(const struct lw_file_entry *entry, uint64_t end, uint64_t limit)
{
	return entry->offset <= end && end <= limit;
}

static void repair(unsigned char *bytes, size_t n_bytes)
{
	struct lw_file_header header;

	memcpy(&header, bytes, sizeof header);
	memcpy(header.magic, LW_FILE_MAGIC, sizeof header.magic);
	header.version = LW_FILE_VERSION;
	header.byte_order = LW_FILE_BYTE_ORDER;
	header.file_size = n_bytes;
	if (header.n_sections <= (n_bytes - sizeof header) / sizeof(struct lw_file_entry)) {
		size_t table_bytes = header.n_sections * sizeof(struct lw_file_entry), table = n_bytes - table_bytes;

		for (size_t i = 0; i < header.n_sections; i++) {
			struct lw_file_entry entry, next = { .offset = table };
			unsigned char *at = bytes + table + i * sizeof entry;

			memcpy(&entry, at, sizeof entry);
			if (i + 1 < header.n_sections)
				memcpy(&next, at + sizeof entry, sizeof next);
			entry.checksum = 0;
			if (lies_within(&entry, next.offset, table))
				for (uint64_t p = entry.offset; p < next.offset; p += LW_FILE_BLOCK) {
					uint64_t left = next.offset - p;

					entry.checksum = lw_file_fold(entry.checksum, bytes + p,
					                              left < LW_FILE_BLOCK ? left : LW_FILE_BLOCK);
				}
			memcpy(at, &entry, sizeof entry);
		}
		header.table_offset = table;
		header.table_checksum = lanewise_xxh3_64(bytes + table, table_bytes, 0);
	}
	header.header_checksum = lanewise_xxh3_64(&header, offsetof(struct lw_file_header, header_checksum), 0);
	memcpy(bytes, &header, sizeof header);
}

/* Reads what an open file holds, so that a sanitizer sees a section that is not inside it. */
static void read_sections(const lanewise_file *file, const unsigned char *bytes, size_t n_bytes)
{
	struct lw_file_header header;
	static volatile unsigned char sum;

	memcpy(&header, bytes, sizeof header);
	for (size_t i = 0; i < header.n_sections; i++) {
		struct lw_file_entry entry;
		const void *elements;
		size_t n;

		memcpy(&entry, bytes + n_bytes - (header.n_sections - i) * sizeof entry, sizeof entry);
		if (lanewise_file_section(file, entry.name, entry.element_bytes, &elements, &n, NULL) != LANEWISE_OK)
			abort();
		for (size_t j = 0; j < n * entry.element_bytes; j++)
			sum ^= ((const unsigned char *)elements)[j];
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
	unsigned char *bytes = malloc(n_bytes + 1);
	char path[64];
	int fd = memfd_create("fuzz_file", MFD_CLOEXEC);
	lanewise_file *file = NULL;
	lanewise_error error = { 0 };
	lanewise_status status;

	if (!bytes || fd < 0)
		abort();
	if (n_bytes)
		memcpy(bytes, data, n_bytes);
	if (n_bytes >= sizeof(struct lw_file_header) && bytes[0] & 1)
		repair(bytes, n_bytes);
	if (write(fd, bytes, n_bytes) != (ssize_t)n_bytes)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	status = lanewise_file_open(path, NULL, &file, &error);
	if (status == LANEWISE_OK)
		read_sections(file, bytes, n_bytes);
	else if (file || error.status != status || !error.what[0] ||
	         error.offset > n_bytes + sizeof(struct lw_file_header))
		abort();
	lanewise_file_destroy(file);
	close(fd);
	free(bytes);
	return 0;
}
