/* SPDX-License-Identifier: Apache-2.0 */
/* JSON written: paths to nodes, layout, numbers that read back. */
#include <lanewise/json.h>

#include <math.h>
#include <stdlib.h>

#include "test.h"

enum { ROOM = 1000 };

static const char document[] = "{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"m~n\": 8, \"k\\\"l\": 6, "
                               "\"c\": [{\"d\": {\"e\": 5}}], \"7\": 9, \"c\\u0064\": 3}";

static size_t find(const char *path, lanewise_status expected)
{
	static lanewise_json_node nodes[ROOM];
	lanewise_json_step steps[ROOM];
	char names[ROOM];
	size_t n, n_steps, node = SIZE_MAX;

	lanewise_json_parse(document, strlen(document), NULL, nodes, ROOM, &n, NULL);
	CHECK_EQUAL(lanewise_json_path(path, strlen(path), steps, ROOM, &n_steps, names, NULL), expected);
	if (expected == LANEWISE_OK)
		node = lanewise_json_follow(document, nodes, 0, steps, n_steps, names);
	return node == SIZE_MAX ? SIZE_MAX : nodes[node].offset;
}

static void check_found(const char *path, const char *value)
{
	size_t at = find(path, LANEWISE_OK);

	if (!CHECK(at != SIZE_MAX && strncmp(document + at, value, strlen(value)) == 0))
		fprintf(stderr, "  %s\n", path);
}

static void test_paths(void)
{
	static const char *const nowhere[] = { "/foo/2", "/foo/-", "/foo/01", "/x",  "/foo/bar", "//a",
		                               "foo[2]", "c.d",    "7.a",     "[0]", "foo.0" };
	static const char *const wrong[] = { "/~", "/~2", "a..b", "a[", "a[]", "a[x]", "a[0]b", ".a", "a." };

	check_found("", "{\"foo");
	check_found("/foo", "[\"bar");
	check_found("/foo/0", "\"bar");
	check_found("/", "0");
	check_found("/a~1b", "1");
	check_found("/m~0n", "8");
	check_found("/k\"l", "6");
	check_found("/c/0/d/e", "5");
	check_found("c[0].d.e", "5");
	check_found("foo[1]", "\"baz");
	check_found("/7", "9");
	check_found("7", "9");
	check_found("cd", "3");
	for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
		if (!CHECK(find(nowhere[i], LANEWISE_OK) == SIZE_MAX))
			fprintf(stderr, "  %s\n", nowhere[i]);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		find(wrong[i], LANEWISE_ERROR_ARGUMENT);

	lanewise_json_step step;
	char names[4];
	size_t n;

	CHECK_EQUAL(lanewise_json_path("/a/b", 4, &step, 1, &n, names, NULL), LANEWISE_ERROR_CAPACITY);
}

static void check_format(const char *text, uint32_t indent, const char *expected)
{
	size_t n_expected = strlen(expected), n = 0;
	char *out = malloc(n_expected);

	CHECK_EQUAL(lanewise_json_format(text, strlen(text), NULL, indent, out, n_expected, &n, NULL), LANEWISE_OK);
	if (!CHECK(n == n_expected && memcmp(out, expected, n) == 0))
		fprintf(stderr, "  %.*s\n", (int)n, out);
	CHECK_EQUAL(lanewise_json_format(text, strlen(text), NULL, indent, out, n_expected - 1, &n, NULL),
	            LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(n, n_expected);
	free(out);
}

static void test_format(void)
{
	static const char text[] =
	        " { \"a b\" : [ 1 , -2.50e3, true,null , \"x \\\" \\\\\" ] ,\"c\":{ } , \"d\" : [\n] }\n";
	char in_place[sizeof text];
	size_t n;

	check_format(text, 0, "{\"a b\":[1,-2.50e3,true,null,\"x \\\" \\\\\"],\"c\":{},\"d\":[]}");
	check_format(text, 2,
	             "{\n  \"a b\": [\n    1,\n    -2.50e3,\n    true,\n    null,\n    \"x \\\" \\\\\"\n  ],\n"
	             "  \"c\": {},\n  \"d\": []\n}");
	check_format(" 1 ", 4, "1");
	memcpy(in_place, text, sizeof text);
	CHECK_EQUAL(lanewise_json_format(in_place, sizeof text - 1, NULL, 0, in_place, sizeof text, &n, NULL),
	            LANEWISE_OK);
	static const char minified[] = "{\"a b\":[1,-2.50e3,true,null,\"x \\\" \\\\\"],\"c\":{},\"d\":[]}";

	CHECK(n == strlen(minified) && memcmp(in_place, minified, n) == 0);
	CHECK_EQUAL(lanewise_json_format("[1,]", 4, NULL, 0, in_place, sizeof text, &n, NULL), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(lanewise_json_format("1", 1, NULL, 17, in_place, sizeof text, &n, NULL), LANEWISE_ERROR_ARGUMENT);
}

static void check_f64(double value, const char *expected)
{
	char out[LANEWISE_JSON_NUMBER_BYTES];
	size_t n = lanewise_json_write_f64(value, out);

	if (!CHECK(n == strlen(expected) && memcmp(out, expected, n) == 0))
		fprintf(stderr, "  %.*s, expected %s\n", (int)n, out, expected);
}

static void check_back(uint64_t bits)
{
	char out[LANEWISE_JSON_NUMBER_BYTES + 1], shorter[64];
	lanewise_json_node node;
	double value, back = 0;
	float value32, back32 = 0;
	uint32_t bits32 = (uint32_t)bits;
	size_t n, n_nodes;

	memcpy(&value, &bits, sizeof value);
	n = lanewise_json_write_f64(value, out);
	CHECK((n > 0) == (isfinite(value) != 0) && n <= LANEWISE_JSON_NUMBER_BYTES);
	if (n) {
		out[n] = '\0';
		CHECK(lanewise_json_parse(out, n, NULL, &node, 1, &n_nodes, NULL) == LANEWISE_OK);
		lanewise_json_f64(out, &node, &back);
		CHECK(memcmp(&back, &value, sizeof back) == 0 && strtod(out, NULL) == value);
		snprintf(shorter, sizeof shorter, "%.15e", value); /* 16 digits: if they do, 17 are not written */
		if (strtod(shorter, NULL) == value) {
			size_t n_digits = 0;

			for (size_t i = 0; i < n && out[i] != 'e'; i++)
				n_digits += out[i] >= '0' && out[i] <= '9' && (n_digits || out[i] != '0');
			CHECK(n_digits <= 17 && (n_digits <= 16 || fabs(value) >= 1e16));
		}
	}
	memcpy(&value32, &bits32, sizeof value32);
	n = lanewise_json_write_f32(value32, out);
	CHECK((n > 0) == (isfinite(value32) != 0));
	if (n) {
		CHECK(lanewise_json_parse(out, n, NULL, &node, 1, &n_nodes, NULL) == LANEWISE_OK);
		lanewise_json_f32(out, &node, &back32);
		CHECK(memcmp(&back32, &value32, sizeof back32) == 0);
	}
}

static void test_numbers(void)
{
	uint64_t seed = 1;

	check_f64(0, "0");
	check_f64(-0.0, "-0");
	check_f64(1, "1");
	check_f64(-1.5, "-1.5");
	check_f64(0.1, "0.1");
	check_f64(1e16, "10000000000000000");
	check_f64(1e17, "1e17");
	check_f64(0.00001, "0.00001");
	check_f64(0.000001, "1e-6");
	check_f64(5e-324, "5e-324");
	check_f64(1.7976931348623157e308, "1.7976931348623157e308");
	check_f64(1.0 / 3, "0.3333333333333333");
	check_f64(9007199254740993.0, "9007199254740992");
	check_f64(NAN, "");
	check_f64(INFINITY, "");
	for (int i = 0; i < 200000; i++)
		check_back(test_random(&seed));
	for (int i = 0; i < 20000; i++) {
		double near = (double)(int64_t)(test_random(&seed) % 2000000 - 1000000) / 1000;
		uint64_t bits;

		memcpy(&bits, &near, sizeof bits);
		check_back(bits);
	}
}

int main(void)
{
	test_paths();
	test_format();
	test_numbers();
	return test_result();
}
