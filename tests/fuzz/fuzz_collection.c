/* SPDX-License-Identifier: Apache-2.0 */
/* Opens any bytes, with their checksums put right, as an index of `lanewise index`, and searches what opens. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "memory_file.h"

#include "../collection_search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
	unsigned char *bytes = malloc(n_bytes + 1);
	struct collection collection;
	lanewise_error error = { 0 };
	char path[64];

	if (!bytes)
		abort();
	if (n_bytes)
		memcpy(bytes, data, n_bytes);
	if (n_bytes >= sizeof(struct lw_file_header))
		repair_file(bytes, n_bytes);

	int fd = memory_file(bytes, n_bytes, path);
	lanewise_status status = collection_open(&collection, path, &error);

	if (status == LANEWISE_OK) {
		search_collection(&collection, "a quick brown fox");
		collection_close(&collection);
	} else if (error.status != status || !error.what[0]) {
		abort();
	}
	close(fd);
	free(bytes);
	return 0;
}
