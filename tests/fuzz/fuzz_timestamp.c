/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a timestamp: what is read is written and read again, alone and in a batch, and errors lie within the text. */
#include <lanewise/timestamp.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	lanewise_timestamp_options options = { .struct_size = sizeof options };
	char *text, written[LANEWISE_TIMESTAMP_BYTES];
	uint64_t begin = 0, end;
	int64_t value, again, in_batch;
	lanewise_error error = { 0 };
	lanewise_status status;

	if (n == 0)
		return 0;
	options.refuse_naive = data[0] & 1;
	options.float_rounding = data[0] >> 1 & 1;
	options.naive_offset_minutes = (data[0] >> 2) * 22 - 700;
	end = --n;
	text = fuzz_allocate(n);
	memcpy(text, data + 1, n);
	status = lanewise_timestamp_parse(text, n, &options, &value, &error);
	FUZZ_REQUIRE(lanewise_timestamp_parse_batch(text, &begin, &end, 1, &options, &in_batch, NULL, NULL) == status);
	FUZZ_REQUIRE(value == in_batch);
	FUZZ_REQUIRE((status == LANEWISE_OK) == (value != LANEWISE_TIMESTAMP_NONE));
	if (status != LANEWISE_OK) {
		FUZZ_REQUIRE(status == LANEWISE_ERROR_DATA && error.offset <= n);
	} else {
		size_t n_written = lanewise_timestamp_format(value, -1, written);

		FUZZ_REQUIRE(lanewise_timestamp_parse(written, n_written, NULL, &again, NULL) == LANEWISE_OK);
		FUZZ_REQUIRE(again == value);
	}
	/* The byte-by-byte reader takes what the fast one leaves, texts with '_' among them; both say the same. */
	if (n > 10 && (text[10] == 'T' || text[10] == ' ')) {
		text[10] = '_';
		FUZZ_REQUIRE(lanewise_timestamp_parse(text, n, &options, &again, NULL) == status && again == value);
	}
	free(text);
	return 0;
}
