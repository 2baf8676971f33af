/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a time: errors lie in the text or at its end; one value and a column agree; strict is also lax. */
#include <lanewise/time.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_allocate(size);
	int64_t ns[4] = { 0 }, column;
	lanewise_status status[4];
	uint64_t offsets[2] = { 0, size };

	if (size)
		memcpy(text, data, size);
	for (uint32_t flags = 0; flags < 4; flags++) {
		lanewise_error error;

		status[flags] = lanewise_time_ns(text, size, flags, &ns[flags], &error);
		FUZZ_REQUIRE(status[flags] == LANEWISE_OK || error.offset <= size);
		FUZZ_REQUIRE(lanewise_time_ns_column(text, offsets, 1, flags, -7, &column) ==
		             (status[flags] != LANEWISE_OK));
		FUZZ_REQUIRE(column == (status[flags] == LANEWISE_OK ? ns[flags] : -7));
		FUZZ_REQUIRE(status[flags] != LANEWISE_OK || (status[0] == LANEWISE_OK && ns[flags] == ns[0]));
	}
	free(text);
	return 0;
}
