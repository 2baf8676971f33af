/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens any bytes as a lanewise file and reads every section. Bytes as they come seldom have the right checksums, so
 * if the first byte is odd those are put right, and what lies behind them is reached.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

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
	lanewise_file *file = NULL;
	lanewise_error error = { 0 };

	if (!bytes)
		abort();
	if (n_bytes)
		memcpy(bytes, data, n_bytes);
	if (n_bytes >= sizeof(struct lw_file_header) && bytes[0] & 1)
		repair_file(bytes, n_bytes);

	int fd = memory_file(bytes, n_bytes, path);
	lanewise_status status = lanewise_file_open(path, NULL, &file, &error);

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
