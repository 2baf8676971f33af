/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes in pieces: after each, the view is JSON and its nodes are what parsing it gives; whether the whole is JSON is
 * what the validator says; and bytes one by one make the same.
 */
#include <lanewise/json.h>

#include "fuzz.h"

static void check_view(lanewise_json_partial *p, lanewise_json_view *view)
{
	size_t n;
	lanewise_json_node *nodes;
	char *copy;

	lanewise_json_partial_view(p, view);
	if (!view->n_nodes)
		return;
	nodes = fuzz_allocate(view->n_nodes * sizeof *nodes);
	copy = fuzz_allocate(view->n_bytes);
	memcpy(copy, view->text, view->n_bytes);
	FUZZ_REQUIRE(lanewise_json_parse(copy, view->n_bytes, NULL, nodes, view->n_nodes, &n, NULL) == LANEWISE_OK);
	FUZZ_REQUIRE(n == view->n_nodes && memcmp(nodes, view->nodes, n * sizeof *nodes) == 0);
	free(nodes);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	size_t step = fuzz_u8(&in) % 32 + 1;
	lanewise_json_partial_options options = { sizeof options, fuzz_u8(&in) & 3, 0, in.size + 1 };
	size_t n = in.size, n_scratch = lanewise_json_partial_size(&options);
	void *scratch[2] = { fuzz_allocate(n_scratch), fuzz_allocate(n_scratch) };
	lanewise_json_partial *p = lanewise_json_partial_begin(scratch[0], n_scratch, &options),
	                      *single = lanewise_json_partial_begin(scratch[1], n_scratch, &options);
	char *text = fuzz_allocate(n);
	lanewise_json_view view, other;
	lanewise_error error = { .offset = 0 };
	lanewise_status status = LANEWISE_OK;

	FUZZ_REQUIRE(p && single);
	fuzz_bytes(&in, text, n);
	for (size_t at = 0; at < n && status == LANEWISE_OK; at += step) {
		size_t n_piece = n - at < step ? n - at : step;

		status = lanewise_json_partial_feed(p, text + at, n_piece, &error);
		FUZZ_REQUIRE(status == LANEWISE_OK ||
		             (status == LANEWISE_ERROR_DATA && error.offset >= at && error.offset < at + n_piece));
		check_view(p, &view);
	}
	int valid = lanewise_json_validate(text, n, NULL, NULL) == LANEWISE_OK;

	for (size_t i = 0; i < n; i++)
		lanewise_json_partial_feed(single, text + i, 1, NULL);
	FUZZ_REQUIRE(valid == (lanewise_json_partial_finish(p, NULL) == LANEWISE_OK));
	FUZZ_REQUIRE(valid == (lanewise_json_partial_finish(single, NULL) == LANEWISE_OK));
	check_view(p, &view);
	check_view(single, &other);
	FUZZ_REQUIRE(view.n_bytes == other.n_bytes && view.n_nodes == other.n_nodes && view.complete == other.complete);
	FUZZ_REQUIRE(memcmp(view.text, other.text, view.n_bytes) == 0 && view.complete == (uint32_t)valid);
	free(text);
	free(scratch[0]);
	free(scratch[1]);
	return 0;
}
