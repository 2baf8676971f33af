/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in any bytes: what is found is valid, in order and without overlap; a valid text is found whole. */
#include <lanewise/json.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	lanewise_json_options options = { sizeof options, 0, 0 };
	size_t n, end = 0, n_found, n_again, first;
	char *text;

	options.flags = fuzz_u8(&in) & 2;
	n = in.size;
	text = fuzz_allocate(n);
	fuzz_bytes(&in, text, n);

	lanewise_json_span *spans = fuzz_allocate(n / 2 * sizeof *spans), one = { 0, 0 };

	FUZZ_REQUIRE(lanewise_json_find(text, n, &options, spans, n / 2, &n_found, NULL) == LANEWISE_OK);
	for (size_t i = 0; i < n_found; i++) {
		FUZZ_REQUIRE(spans[i].offset >= end && spans[i].offset <= n && spans[i].n_bytes <= n - spans[i].offset);
		FUZZ_REQUIRE(text[spans[i].offset] == '{' || text[spans[i].offset] == '[');
		FUZZ_REQUIRE(lanewise_json_validate(text + spans[i].offset, spans[i].n_bytes, &options, NULL) ==
		             LANEWISE_OK);
		end = spans[i].offset + spans[i].n_bytes;
	}
	FUZZ_REQUIRE(lanewise_json_find(text, n, &options, &one, 1, &n_again, NULL) ==
	             (n_found > 1 ? LANEWISE_ERROR_CAPACITY : LANEWISE_OK));
	FUZZ_REQUIRE(n_again == n_found && (!n_found || memcmp(&one, spans, sizeof one) == 0));
	for (first = 0; first < n && strchr(" \t\r\n", text[first] ? text[first] : 'x'); first++)
		;
	if (first < n && (text[first] == '{' || text[first] == '[') &&
	    lanewise_json_validate(text, n, &options, NULL) == LANEWISE_OK)
		FUZZ_REQUIRE(n_found == 1 && spans[0].offset == first);
	free(text);
	free(spans);
	return 0;
}
