/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of JSON in events: examples, and streams made at random, cut at random, against lanewise_sse_next,
 * lanewise_json_parse and lanewise_json_follow event by event.
 */
#include <lanewise/sse.h>

#include <stdlib.h>

#include "test.h"

enum { N_PATHS = 4, SCRATCH = 1 << 17, LISTING = 1 << 17 };

static const char *const path_texts[N_PATHS] = { "choices[0].delta.content", "id", "choices[0].delta", "n" };
static lanewise_json_step steps[N_PATHS][8];
static char names[N_PATHS][32];
static lanewise_sse_path paths[N_PATHS];
_Alignas(64) static char scratch[SCRATCH];
static const lanewise_sse_json_options options = { .struct_size = sizeof options,
	                                           .flags = LANEWISE_SSE_SKIP,
	                                           .max_bytes = 4000 };

struct listing {
	size_t n, n_skipped, n_done;
	char text[LISTING];
};

static void list_value(struct listing *listing, unsigned type, unsigned flags, const char *bytes, size_t n)
{
	if (!CHECK(listing->n + n + 32 < sizeof listing->text))
		exit(1);
	listing->n += (size_t)sprintf(listing->text + listing->n, "%u,%u,%zu:", type, flags, n);
	if (n)
		memcpy(listing->text + listing->n, bytes, n);
	listing->n += n;
}

static void list_event(struct listing *listing, const lanewise_sse_event *event)
{
	static lanewise_json_node nodes[4096];
	static char out[4096];
	size_t n_nodes;

	if (listing->n_done)
		return;
	if (event->n_data == 6 && memcmp(event->data, "[DONE]", 6) == 0) {
		listing->n_done = 1;
		return;
	}
	if (lanewise_json_parse(event->data, event->n_data, NULL, nodes, 4096, &n_nodes, NULL) != LANEWISE_OK) {
		listing->n_skipped++;
		return;
	}
	for (size_t p = 0; p < N_PATHS; p++) {
		size_t node = lanewise_json_follow(event->data, nodes, 0, paths[p].steps, paths[p].n_steps,
		                                   paths[p].names),
		       n = 0;

		if (node == SIZE_MAX) {
			list_value(listing, LANEWISE_SSE_NOTHING, 0, NULL, 0);
		} else if (nodes[node].type == LANEWISE_JSON_STRING) {
			lanewise_json_string(event->data, &nodes[node], out, sizeof out, &n);
			list_value(listing, nodes[node].type, 0, out, n);
		} else {
			list_value(listing, nodes[node].type, nodes[node].flags & LANEWISE_JSON_INTEGER,
			           event->data + nodes[node].offset, nodes[node].n_bytes);
		}
	}
}

static void expect(struct listing *listing, const char *stream, size_t n)
{
	lanewise_sse *sse = lanewise_sse_begin(scratch, lanewise_sse_scratch_size(options.max_bytes));
	lanewise_sse_event event;

	lanewise_sse_feed(sse, stream, n);
	while (lanewise_sse_next(sse, &event) > 0)
		list_event(listing, &event);
}

static void list_read(struct listing *listing, lanewise_sse_json *events, size_t out_capacity, size_t value_capacity)
{
	lanewise_sse_json_result result;
	lanewise_sse_value values[64];
	static char out[8192];
	size_t room = out_capacity;
	int32_t more;

	do {
		more = lanewise_sse_json_read(events, out, room, values, value_capacity, &result, NULL);
		if (more == LANEWISE_ERROR_CAPACITY) {
			CHECK(result.n_events == 0 && result.n_out > room && result.n_out <= sizeof out);
			listing->n_skipped += result.n_skipped;
			room = result.n_out;
			continue;
		}
		room = out_capacity;
		CHECK(more == 0 || more == 1);
		for (size_t i = 0; i < result.n_events * N_PATHS; i++)
			list_value(listing, values[i].type, values[i].flags, out + values[i].offset, values[i].n_bytes);
		listing->n_skipped += result.n_skipped;
		listing->n_done = result.done;
	} while (more != 0);
}

/* In pieces of up to `longest` bytes, each in memory of its own. */
static void check_stream(const char *stream, size_t n, size_t longest, uint64_t seed)
{
	static struct listing expected, found;
	lanewise_sse_json *events;
	size_t n_out = test_random(&seed) % 3 ? 8192 : 100, n_values = test_random(&seed) % 2 ? 64 : N_PATHS;

	expected.n = expected.n_skipped = expected.n_done = 0;
	found.n = found.n_skipped = found.n_done = 0;
	expect(&expected, stream, n);
	CHECK(lanewise_sse_json_scratch_size(N_PATHS, &options) <= sizeof scratch);
	events = lanewise_sse_json_begin(scratch, sizeof scratch, paths, N_PATHS, &options);
	for (size_t at = 0, size; at < n; at += size) {
		char *piece;

		size = 1 + test_random(&seed) % longest;
		if (size > n - at)
			size = n - at;
		piece = malloc(size);
		memcpy(piece, stream + at, size);
		lanewise_sse_json_feed(events, piece, size);
		list_read(&found, events, n_out, n_values);
		free(piece);
	}
	CHECK(found.n_skipped == expected.n_skipped && found.n_done == expected.n_done);
	if (!CHECK(found.n == expected.n && memcmp(found.text, expected.text, found.n) == 0))
		fprintf(stderr, "longest %zu, of\n%.*s\n", longest, (int)n, stream);
}

static size_t put_content(char *at, uint64_t *seed)
{
	static const char *const parts[] = { "the ",
		                             "\\n",
		                             "\\u00e9",
		                             "\xe6\xa3\x80\xe7\xb4\xa2",
		                             "\\\"",
		                             "word",
		                             "",
		                             "\\ud83d\\ude00",
		                             "a rather longer piece of text than most of them" };
	static const char *const wrong[] = { "\xe6\xa3", "\xc0\x80", "\\q", "\t", "\\u12g4", "\\ud800", "\"" };
	size_t n = 0, count = test_random(seed) % 4;

	for (size_t i = 0; i < count; i++) {
		size_t kind = test_random(seed) % 9;
		const char *part = parts[kind];

		if (test_random(seed) % 60 == 0)
			part = wrong[kind % 7];
		n += (size_t)sprintf(at + n, "%s", part);
	}
	return n;
}

static size_t put_event(char *at, uint64_t *seed, int kind)
{
	static const char *const ends[] = { "\n", "\r\n", "\r" };
	static const char *const numbers[] = { "0", "12", "-3", "1.5", "1e9", "-0.25E-3", "007", "-", "1.", "3" };
	const char *end = ends[kind == 5 ? 1 : kind == 6 ? 2 : 0];
	size_t n = 0;

	if (kind == 1)
		n += (size_t)sprintf(at + n, "event: delta%s", end);
	if (kind == 2)
		n += (size_t)sprintf(at + n, "id: %u%s", (unsigned)(test_random(seed) % 100), end);
	if (test_random(seed) % 20 == 0)
		n += (size_t)sprintf(at + n, ": a comment%s", test_random(seed) % 2 ? "\n\n" : "\n");
	unsigned odd_id = test_random(seed) % 16 == 0;
	size_t n_numbers = test_random(seed) % 8 ? 4 : 10;
	const char *number = numbers[test_random(seed) % n_numbers];

	n += (size_t)sprintf(at + n, "data:%s{\"id\":\"x%u\",\"n\":%s,\"choices\":[{\"delta\":{\"content\":\"",
	                     kind == 3 ? "" : " ", odd_id, number);
	n += put_content(at + n, seed);
	n += (size_t)sprintf(at + n, "\"%s}}]}%s%s", test_random(seed) % 8 ? "" : ",\"role\":null", end, end);
	if (test_random(seed) % 40 == 0)
		n += (size_t)sprintf(at + n, "data:%s%s", end, end);
	if (test_random(seed) % 100 == 0)
		n += (size_t)sprintf(at + n, "data: [DONE]%s%s", end, end);
	return n;
}

static void test_random_streams(void)
{
	static char stream[1 << 14];
	uint64_t seed = 21;

	for (int round = 0; round < 1500; round++) {
		static const size_t longest[] = { 7, 60, 300, 1400, 20000 };
		int kind = (int)(test_random(&seed) % 7);
		size_t n = 0, count = 1 + test_random(&seed) % 24;

		for (size_t i = 0; i < count; i++)
			n += put_event(stream + n, &seed, test_random(&seed) % 30 ? kind : 4);
		for (size_t i = test_random(&seed) % 4; i > 2; i--) {
			size_t at = test_random(&seed) % n;

			stream[at] = (char)test_random(&seed);
		}
		check_stream(stream, n, longest[round % 5], test_random(&seed));
	}
}

static void test_errors(void)
{
	static const char stream[] = "data: {\"id\":\"a\"}\n\ndata: {\"id\":}\n\ndata: {\"id\":\"b\"}\n\n";
	lanewise_sse_json_options strict = { .struct_size = sizeof strict, .max_bytes = 200 };
	lanewise_sse_json_result result;
	lanewise_sse_value values[64];
	lanewise_error error;
	lanewise_sse_json *events;
	char out[64], large[300];

	CHECK(!lanewise_sse_json_begin(scratch, 100, paths, N_PATHS, &strict));
	CHECK(!lanewise_sse_json_begin(NULL, 0, paths, N_PATHS, &strict));
	strict.flags = 2;
	CHECK(lanewise_sse_json_scratch_size(1, &strict) == SIZE_MAX);
	strict.flags = 0;
	strict.max_bytes = SIZE_MAX;
	CHECK(lanewise_sse_json_scratch_size(1, &strict) == SIZE_MAX);
	strict.max_bytes = 200;
	CHECK(lanewise_sse_json_scratch_size(SIZE_MAX / 2, &strict) == SIZE_MAX);
	events = lanewise_sse_json_begin(scratch, sizeof scratch, paths + 1, 1, &strict);
	lanewise_sse_json_feed(events, stream, sizeof stream - 1);
	CHECK(lanewise_sse_json_read(events, out, sizeof out, values, 64, &result, &error) == LANEWISE_ERROR_DATA);
	CHECK(result.n_events == 1 && result.n_data == 7 && memcmp(result.data, "{\"id\":}", 7) == 0);
	CHECK(error.offset == 6);
	CHECK(lanewise_sse_json_read(events, out, sizeof out, values, 64, &result, &error) == 0);
	CHECK(result.n_events == 1 && result.n_out == 1 && out[0] == 'b');
	CHECK(lanewise_sse_json_read(events, NULL, 1, values, 64, &result, &error) == LANEWISE_ERROR_ARGUMENT);

	/* Too large, also where a pattern would match. */
	for (int i = 0; i < 3; i++) {
		static const char small[] = "data: {\"id\":\"c\"}\n\ndata: {\"id\":\"d\"}\n\n";

		lanewise_sse_json_feed(events, small, sizeof small - 1);
		CHECK(lanewise_sse_json_read(events, out, sizeof out, values, 64, &result, &error) == 0);
		CHECK(result.n_events == 2);
	}
	memset(large, 'x', sizeof large);
	memcpy(large, "data: {\"id\":\"", 13);
	memcpy(large + sizeof large - 4, "\"}\n\n", 4);
	lanewise_sse_json_feed(events, large, sizeof large);
	for (int i = 0; i < 2; i++)
		CHECK(lanewise_sse_json_read(events, out, sizeof out, values, 64, &result, &error) ==
		      LANEWISE_ERROR_TOO_LARGE);
}

int main(void)
{
	for (size_t p = 0; p < N_PATHS; p++) {
		size_t n_steps;

		CHECK(lanewise_json_path(path_texts[p], strlen(path_texts[p]), steps[p], 8, &n_steps, names[p], NULL) ==
		      LANEWISE_OK);
		paths[p] = (lanewise_sse_path) { steps[p], n_steps, names[p] };
	}
	test_errors();
	test_random_streams();
	return test_result();
}
