/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as a file to open, and checksums put right so that what lies behind them is reached. */
#ifndef LW_FUZZ_MEMORY_FILE_H
#define LW_FUZZ_MEMORY_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "file/file_format.h"

/* A file in memory with these bytes; returns its descriptor and its path, both good until it is closed. */
static inline int memory_file(const void *bytes, size_t n_bytes, char path[64])
{
	int fd = memfd_create("lanewise", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, n_bytes) != (ssize_t)n_bytes)
		abort();
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

/* The checksum of bytes[begin ... end) as a section. */
static inline uint64_t section_checksum(const unsigned char *bytes, uint64_t begin, uint64_t end)
{
	uint64_t checksum = 0;

	for (uint64_t at = begin; at < end; at += LW_FILE_BLOCK)
		checksum = lw_file_fold(checksum, bytes + at, end - at < LW_FILE_BLOCK ? end - at : LW_FILE_BLOCK);
	return checksum;
}

/* Puts right what identifies a file of n_bytes >= 64 bytes, its size, and all checksums that can be. */
static inline void repair_file(unsigned char *bytes, size_t n_bytes)
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
			if (entry.offset <= next.offset && next.offset <= table)
				entry.checksum = section_checksum(bytes, entry.offset, next.offset);
			memcpy(at, &entry, sizeof entry);
		}
		header.table_offset = table;
		header.table_checksum = lanewise_xxh3_64(bytes + table, table_bytes, 0);
	}
	header.header_checksum = lanewise_xxh3_64(&header, offsetof(struct lw_file_header, header_checksum), 0);
	memcpy(bytes, &header, sizeof header);
}

#endif
