/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that is still arriving: what there is after each piece, errors and their places, and that time does not grow. */
#include <lanewise/json.h>

#include <stdlib.h>
#include <time.h>

#include "test.h"

static _Alignas(max_align_t) char scratch[1 << 18];

static lanewise_json_partial *begin(uint32_t flags, uint32_t max_depth, size_t max_bytes)
{
	lanewise_json_partial_options options = { sizeof options, flags, max_depth, max_bytes };

	CHECK(lanewise_json_partial_size(&options) <= sizeof scratch);
	return lanewise_json_partial_begin(scratch, sizeof scratch, &options);
}

static void check(const char *text, uint32_t flags, const char *expected)
{
	lanewise_json_partial *p = begin(flags, 16, 1000);
	lanewise_json_view view = { 0 };

	for (const char *at = text; *at; at++) {
		CHECK(lanewise_json_partial_feed(p, at, 1, NULL) == LANEWISE_OK);
		lanewise_json_partial_view(p, &view);
	}
	if (!CHECK(view.n_bytes == strlen(expected) && memcmp(view.text, expected, view.n_bytes) == 0))
		fprintf(stderr, "  %s: %.*s\n", text, (int)view.n_bytes, view.text);
}

static void test_views(void)
{
	check(" ", 0, "");
	check("{", 0, "{}");
	check("{\"na", 0, "{}");
	check("{\"name\": ", 0, "{}");
	check("{\"name\": \"", 0, "{\"name\": \"\"}");
	check("{\"name\": \"ab", 0, "{\"name\": \"ab\"}");
	check("{\"name\": \"ab", LANEWISE_JSON_PARTIAL_WHOLE_STRINGS, "{}");
	check("{\"name\": \"ab\\", 0, "{\"name\": \"ab\"}");
	check("{\"name\": \"ab\\n\\u00", 0, "{\"name\": \"ab\\n\"}");
	check("[\"\\ud83d\\u", 0, "[\"\"]");
	check("[\"\\ud83d\\ude00", 0, "[\"\\ud83d\\ude00\"]");
	check("[\"\xe6\xa3", 0, "[\"\"]");
	check("{\"a\": 1, \"b\": 2", 0, "{\"a\": 1}");
	check("{\"a\": 1, \"b\": 2", LANEWISE_JSON_PARTIAL_NUMBERS, "{\"a\": 1, \"b\": 2}");
	check("[-", LANEWISE_JSON_PARTIAL_NUMBERS, "[]");
	check("[-1.", LANEWISE_JSON_PARTIAL_NUMBERS, "[-1]");
	check("[1.5e+", LANEWISE_JSON_PARTIAL_NUMBERS, "[1.5]");
	check("[1, tru", 0, "[1]");
	check("[1, true", 0, "[1, true]");
	check("[[{\"a\": [1,", 0, "[[{\"a\": [1]}]]");
	check("{\"a\": {}} ", 0, "{\"a\": {}}");
}

static void test_errors(void)
{
	static const struct {
		const char *text;
		uint64_t offset;
	} errors[] = { { "}", 0 },           { "[1}", 2 },     { "{1", 1 },          { "{\"a\" 1", 5 },
		       { "[1 2", 3 },        { "[01", 2 },     { "[1.]", 3 },        { "[tru]", 4 },
		       { "[\"\n", 2 },       { "[\"\\x", 3 },  { "[\"\\u1g", 5 },    { "[\"\\udc00", 7 },
		       { "[\"\\ud800x", 8 }, { "[\"\xff", 2 }, { "[\"\xe6\x20", 3 }, { "[]x", 2 },
		       { "[[[", 2 } };

	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		lanewise_json_partial *p = begin(0, 2, 100);
		lanewise_error error = { .offset = 0 };

		CHECK_EQUAL(lanewise_json_partial_feed(p, errors[i].text, strlen(errors[i].text), &error),
		            LANEWISE_ERROR_DATA);
		if (!CHECK(error.offset == errors[i].offset))
			fprintf(stderr, "  %s: %d\n", errors[i].text, (int)error.offset);
		CHECK_EQUAL(lanewise_json_partial_feed(p, " ", 1, NULL), LANEWISE_ERROR_DATA);
		CHECK_EQUAL(lanewise_json_partial_finish(p, NULL), LANEWISE_ERROR_DATA);
	}
	lanewise_json_partial *p = begin(0, 2, 3);
	lanewise_json_view view;

	CHECK_EQUAL(lanewise_json_partial_feed(p, "[1,", 3, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_json_partial_feed(p, "2", 1, NULL), LANEWISE_ERROR_CAPACITY);
	lanewise_json_partial_view(p, &view);
	CHECK(view.n_bytes == 3 && memcmp(view.text, "[1]", 3) == 0 && !view.complete);
	p = begin(0, 2, 3);
	CHECK_EQUAL(lanewise_json_partial_feed(p, "12", 2, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_json_partial_finish(p, NULL), LANEWISE_OK);
	lanewise_json_partial_view(p, &view);
	CHECK(view.complete && view.n_nodes == 1 && view.nodes[0].n_bytes == 2);
	CHECK(!lanewise_json_partial_begin(scratch, 100, NULL) && !lanewise_json_partial_begin(NULL, SIZE_MAX, NULL));
	CHECK(!begin(8, 2, 3));
}

/* Four bytes and a view, over and over: as fast at the end of a long text as of a short one. */
static void test_flat_time(void)
{
	static const char piece[] = "\"ab\",";
	double seconds[2];

	for (int k = 0; k < 2; k++) {
		size_t n_pieces = k ? 400000 : 40000;
		lanewise_json_partial_options options = { sizeof options, 0, 16, 5 * n_pieces + 1 };
		size_t n = lanewise_json_partial_size(&options);
		void *room = malloc(n);
		lanewise_json_partial *p = lanewise_json_partial_begin(room, n, &options);
		lanewise_json_view view;
		clock_t before = clock();

		lanewise_json_partial_feed(p, "[", 1, NULL);
		for (size_t i = 0; i < n_pieces; i++) {
			lanewise_json_partial_feed(p, piece, 5, NULL);
			lanewise_json_partial_view(p, &view);
		}
		seconds[k] = (double)(clock() - before) / CLOCKS_PER_SEC;
		CHECK(view.n_nodes == n_pieces + 1);
		free(room);
	}
	CHECK(seconds[1] < 30 * seconds[0] + 0.3);
	printf("%.1f ns for a piece of 5 bytes and a view\n", seconds[1] / 400000 * 1e9);
}

int main(void)
{
	test_views();
	test_errors();
	test_flat_time();
	return test_result();
}
