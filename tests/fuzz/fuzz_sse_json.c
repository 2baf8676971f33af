/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a stream of events with JSON: the values that are read by comparison with earlier events, in pieces (the first
 * byte says how large) and with little room, are those of parsing each event.
 */
#include <lanewise/sse.h>

#include "fuzz.h"

enum { N_PATHS = 3, MAX_BYTES = 4096, ROOM = 65536 };

static const char *const texts[N_PATHS] = { "a", "b[0]", "" };
static lanewise_json_step steps[N_PATHS][4];
static char names[N_PATHS][8];
static lanewise_sse_path paths[N_PATHS];
static size_t n_paths; /* all, or the first alone, where events that are alike go a way of their own */

struct listing {
	char *text;
	size_t n, n_skipped;
	int32_t last;
};

static void append(struct listing *listing, const void *bytes, size_t n)
{
	listing->text = realloc(listing->text, listing->n + n + 1);
	FUZZ_REQUIRE(listing->text != NULL);
	if (n)
		memcpy(listing->text + listing->n, bytes, n);
	listing->n += n;
}

static void append_value(struct listing *listing, uint8_t type, uint8_t flags, const char *bytes, size_t n)
{
	append(listing, &type, 1);
	append(listing, &flags, 1);
	append(listing, &n, sizeof n);
	append(listing, bytes, n);
}

static void parse_each(struct listing *listing, const uint8_t *stream, size_t n)
{
	static lanewise_json_node nodes[MAX_BYTES];
	static _Alignas(64) char scratch[ROOM];
	static char out[MAX_BYTES];
	lanewise_sse *sse = lanewise_sse_begin(scratch, lanewise_sse_scratch_size(MAX_BYTES));
	lanewise_sse_event e;

	lanewise_sse_feed(sse, stream, n);
	while ((listing->last = lanewise_sse_next(sse, &e)) > 0) {
		size_t n_nodes, n_out = 0;

		if (lanewise_json_parse(e.data, e.n_data, NULL, nodes, MAX_BYTES, &n_nodes, NULL) != LANEWISE_OK) {
			listing->n_skipped++;
			continue;
		}
		for (size_t p = 0; p < n_paths; p++) {
			size_t i = lanewise_json_follow(e.data, nodes, 0, paths[p].steps, paths[p].n_steps,
			                                paths[p].names);
			const lanewise_json_node *node = &nodes[i == SIZE_MAX ? 0 : i];

			if (i == SIZE_MAX) {
				append_value(listing, LANEWISE_SSE_NOTHING, 0, NULL, 0);
			} else if (node->type == LANEWISE_JSON_STRING) {
				lanewise_json_string(e.data, node, out, sizeof out, &n_out);
				append_value(listing, node->type, 0, out, n_out);
			} else {
				append_value(listing, node->type, node->flags & LANEWISE_JSON_INTEGER,
				             e.data + node->offset, node->n_bytes);
			}
		}
	}
}

static void read_all(struct listing *listing, const uint8_t *stream, size_t n, size_t step, size_t n_values)
{
	const lanewise_sse_json_options options = {
		.struct_size = sizeof options, .flags = LANEWISE_SSE_SKIP, .done = "", .max_bytes = MAX_BYTES
	};
	size_t n_scratch = lanewise_sse_json_scratch_size(n_paths, &options);
	void *scratch = aligned_alloc(64, (n_scratch + 63) / 64 * 64);
	lanewise_sse_json *events = lanewise_sse_json_begin(scratch, n_scratch, paths, n_paths, &options);
	static char out[3 * MAX_BYTES];

	FUZZ_REQUIRE(events != NULL);
	listing->last = 0;
	for (size_t at = 0; at < n && listing->last == 0; at += step) {
		size_t n_piece = n - at < step ? n - at : step;
		uint8_t *piece = fuzz_allocate(n_piece);

		memcpy(piece, stream + at, n_piece);
		lanewise_sse_json_feed(events, piece, n_piece);
		do {
			lanewise_sse_json_result result;
			lanewise_sse_value values[4 * N_PATHS];

			listing->last =
			        lanewise_sse_json_read(events, out, sizeof out, values, n_values, &result, NULL);
			listing->n_skipped += result.n_skipped;
			for (size_t i = 0; i < result.n_events * n_paths; i++)
				append_value(listing, values[i].type, values[i].flags, out + values[i].offset,
				             values[i].n_bytes);
		} while (listing->last > 0);
		free(piece);
	}
	free(scratch);
}

static void compare(const uint8_t *stream, size_t n, size_t step)
{
	struct listing expected = { 0 }, whole = { 0 }, pieces = { 0 };

	parse_each(&expected, stream, n);
	read_all(&whole, stream, n, n + 1, n_paths);
	read_all(&pieces, stream, n, step, 4 * n_paths);
	FUZZ_REQUIRE((expected.last == 0) == (whole.last == 0) && (expected.last == 0) == (pieces.last == 0));
	FUZZ_REQUIRE(whole.n_skipped == expected.n_skipped && pieces.n_skipped == expected.n_skipped);
	FUZZ_REQUIRE(whole.n == expected.n && pieces.n == expected.n);
	FUZZ_REQUIRE(memcmp(whole.text ? whole.text : "", expected.text ? expected.text : "", expected.n) == 0);
	FUZZ_REQUIRE(memcmp(pieces.text ? pieces.text : "", expected.text ? expected.text : "", expected.n) == 0);
	free(expected.text);
	free(whole.text);
	free(pieces.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	for (size_t p = 0; p < N_PATHS; p++) {
		size_t n_steps;

		lanewise_json_path(texts[p], strlen(texts[p]), steps[p], 4, &n_steps, names[p], NULL);
		paths[p] = (lanewise_sse_path) { steps[p], n_steps, names[p] };
	}
	n_paths = N_PATHS;
	compare(data + 1, size - 1, (size_t)data[0] + 1);
	n_paths = 1;
	compare(data + 1, size - 1, (size_t)data[0] + 1);
	return 0;
}
