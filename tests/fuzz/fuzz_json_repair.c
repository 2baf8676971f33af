/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes repaired: the result is JSON, a valid text is left alone, the bounds hold, a repaired text needs no second
 * repair, and the edits applied to the text give the result. The first byte chooses the depth, the flags and the dialect.
 */
#include <lanewise/json.h>

#include "fuzz.h"

static void check_edits(const char *text, size_t n, const char *out, size_t n_out, const lanewise_json_edit *edits,
                        size_t n_edits)
{
	size_t at = 0, to = 0;

	for (size_t i = 0; i < n_edits; i++) {
		const lanewise_json_edit *e = &edits[i];

		FUZZ_REQUIRE(e->offset >= at && e->offset <= n && e->n_bytes <= n - e->offset);
		FUZZ_REQUIRE(e->out_offset == to + (e->offset - at) && e->kind >= 1 && e->kind <= 13);
		FUZZ_REQUIRE(memcmp(text + at, out + to, e->offset - at) == 0);
		at = e->offset + e->n_bytes;
		to = e->out_offset + e->n_out;
	}
	FUZZ_REQUIRE(n - at == n_out - to && memcmp(text + at, out + to, n - at) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint8_t choice = fuzz_u8(&in);
	lanewise_json_options options = { sizeof options, choice & 3, choice & 4 ? 3 : 0 };
	lanewise_json_repair_options dialect = { sizeof dialect, options.flags, options.max_depth, choice >> 3 & 3, 0 };
	size_t n = in.size, bound = lanewise_json_repair_bound(n);
	char *text = fuzz_allocate(n), *out = fuzz_allocate(bound);
	lanewise_json_repair_result result, again, counted;

	fuzz_bytes(&in, text, n);
	int valid = lanewise_json_validate(text, n, &options, NULL) == LANEWISE_OK;

	lanewise_status status = lanewise_json_repair(text, n, &dialect, out, bound, NULL, 0, &result, NULL);

	if (status == LANEWISE_ERROR_DATA) {
		FUZZ_REQUIRE(!valid && dialect.dialect == LANEWISE_JSON_DIALECT_VICTOR);
		FUZZ_REQUIRE(lanewise_json_validate(result.n_edits ? out : text, result.n_edits ? result.n_out : n,
		                                    &options, NULL) == LANEWISE_ERROR_DATA);
		free(text);
		free(out);
		return 0;
	}
	FUZZ_REQUIRE(status == LANEWISE_OK);
	FUZZ_REQUIRE(valid == (result.n_edits == 0));
	if (!valid) {
		lanewise_json_edit *edits = fuzz_allocate(result.n_edits * sizeof *edits);
		char *exact = fuzz_allocate(result.n_out);

		FUZZ_REQUIRE(lanewise_json_validate(out, result.n_out, &options, NULL) == LANEWISE_OK);
		FUZZ_REQUIRE(lanewise_json_repair(out, result.n_out, &dialect, NULL, 0, NULL, 0, &again, NULL) ==
		             LANEWISE_OK);
		FUZZ_REQUIRE(again.n_edits == 0);
		FUZZ_REQUIRE(lanewise_json_repair(text, n, &dialect, exact, result.n_out, edits, result.n_edits,
		                                  &counted, NULL) == LANEWISE_OK);
		FUZZ_REQUIRE(counted.n_out == result.n_out && counted.n_edits == result.n_edits);
		FUZZ_REQUIRE(memcmp(exact, out, result.n_out) == 0);
		check_edits(text, n, exact, result.n_out, edits, result.n_edits);
		FUZZ_REQUIRE(lanewise_json_repair(text, n, &dialect, exact, result.n_out - 1, NULL, 0, &counted,
		                                  NULL) == LANEWISE_ERROR_CAPACITY);
		free(edits);
		free(exact);
	}
	free(text);
	free(out);
	return 0;
}
