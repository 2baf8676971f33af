/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/json.h: the conformance suite, a second parser, errors and their places, every cut of the index, numbers
 * against strtod. Files of the suite are looked for in $LANEWISE_SHARED_DATA or ../shared/data beside the sources.
 */
#include <lanewise/json.h>

#include <dirent.h>
#include <math.h>
#include <stdlib.h>

#include "json_reference.h"
#include "test.h"

static size_t below(uint64_t *state, size_t n) { return (size_t)(test_random(state) % n); }

/* --------------------------------------------------------------- parsing */

_Static_assert(sizeof(lanewise_json_index_state) <= 64, "the state is small");

enum { MAX_NODES = 4096 };
static lanewise_json_node nodes[MAX_NODES];

static lanewise_status parse(const char *text, size_t n, uint32_t flags, size_t *n_nodes, lanewise_error *error)
{
	lanewise_json_options options = { .struct_size = sizeof options, .flags = flags };

	return lanewise_json_parse(text, n, &options, nodes, MAX_NODES, n_nodes, error);
}

/* Errors: what is wrong where. */
static void test_errors(void)
{
	static const struct {
		const char *text;
		uint64_t offset;
	} errors[] = {
		{ "", 0 },
		{ "   ", 3 },
		{ "[", 1 },
		{ "[1", 2 },
		{ "[1,", 3 },
		{ "[1,]", 3 },
		{ "[,1]", 1 },
		{ "[1 2]", 3 },
		{ "]", 0 },
		{ "[}", 1 },
		{ "{]", 1 },
		{ "{\"a\"}", 4 },
		{ "{\"a\":}", 5 },
		{ "{\"a\":1,}", 7 },
		{ "{1:2}", 1 },
		{ "{\"a\" 1}", 5 },
		{ "{\"a\"::1}", 5 },
		{ "1 2", 2 },
		{ "[] []", 3 },
		{ "[] x", 3 },
		{ "tru", 0 },
		{ "truex", 0 },
		{ "[true1]", 1 },
		{ "nulL", 0 },
		{ "NaN", 0 },
		{ "-", 0 },
		{ "01", 0 },
		{ "1.", 0 },
		{ ".5", 0 },
		{ "1e", 0 },
		{ "1e+", 0 },
		{ "+1", 0 },
		{ "0x1", 0 },
		{ "1_0", 0 },
		{ "-a", 0 },
		{ "\"abc", 4 },
		{ "\"a\nb\"", 2 },
		{ "\"a\\x\"", 2 },
		{ "\"\\u12g4\"", 1 },
		{ "\"\\u12", 1 },
		{ "\"\\ud800\"", 1 },
		{ "\"\\ud800\\u0041\"", 1 },
		{ "\"\\udc00\"", 1 },
		{ "\"\\ud800\\ud800\\udc00\"", 1 },
		{ "\"\\", 1 },
		{ "\"a\xff\"", 2 },
		{ "[\"\xe4\xb8\"]", 2 },
		{ "\xef\xbb\xbf[]", 0 },
		{ "[\x01]", 1 },
		{ "[1\x0c]", 1 },
		{ "[\x1a]", 1 },
		{ "\\\"a\"", 0 },
		{ "'a'", 0 },
		{ "[1]]", 3 },
		{ "{\"a\":1]", 6 },
		{ "[1\xff", 1 },
		{ "[1,\xff", 3 },
		{ "\"a\x01\xff\"", 2 },
		{ "\"a\xff\x01\"", 2 },
	};

	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		lanewise_error error = { .offset = 999 };
		size_t n_nodes = 77, n = strlen(errors[i].text);
		char *exact = malloc(n + 1);

		memcpy(exact, errors[i].text, n);
		int refused = parse(exact, n, 0, &n_nodes, &error) == LANEWISE_ERROR_DATA;

		if (!CHECK(refused && n_nodes == 77 && error.offset == errors[i].offset && error.what[0]))
			fprintf(stderr, "\"%s\": offset %" PRIu64 ", %s\n", errors[i].text, error.offset, error.what);
		free(exact);
	}
}

static void test_arguments(void)
{
	lanewise_json_options options = { .struct_size = sizeof options };
	static char deep[4000];
	size_t n, n_deep = 1024;

	CHECK_EQUAL(lanewise_json_parse(NULL, 1, NULL, nodes, MAX_NODES, &n, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_json_parse("1", 1, NULL, NULL, 1, &n, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_json_parse("1", 1, NULL, nodes, MAX_NODES, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_json_parse("1", 1, NULL, NULL, 0, &n, NULL), LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(lanewise_json_parse("[1,2]", 5, NULL, nodes, 2, &n, NULL), LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(lanewise_json_parse("[1,2]", 5, NULL, nodes, 3, &n, NULL), LANEWISE_OK);
	CHECK_EQUAL(n, 3);
	CHECK_EQUAL(lanewise_json_parse(NULL, 0, NULL, NULL, 0, &n, NULL), LANEWISE_ERROR_DATA);
	options.flags = 8;
	CHECK_EQUAL(lanewise_json_parse("1", 1, &options, nodes, 3, &n, NULL), LANEWISE_ERROR_ARGUMENT);
	options.flags = 0;
	options.struct_size = 4;
	CHECK_EQUAL(lanewise_json_parse("1", 1, &options, nodes, 3, &n, NULL), LANEWISE_ERROR_ARGUMENT);

	/* Depth: 1024 by default, else as asked for, without recursion. */
	lanewise_error error;

	memset(deep, '[', n_deep);
	memset(deep + n_deep, ']', n_deep);
	CHECK_EQUAL(lanewise_json_parse(deep, 2 * n_deep, NULL, nodes, MAX_NODES, &n, NULL), LANEWISE_OK);
	CHECK_EQUAL(n, n_deep);
	n_deep++;
	memset(deep, '[', n_deep);
	memset(deep + n_deep, ']', n_deep);
	CHECK_EQUAL(lanewise_json_parse(deep, 2 * n_deep, NULL, nodes, MAX_NODES, &n, &error), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(error.offset, 1024);
	options.struct_size = sizeof options;
	options.max_depth = (uint32_t)n_deep;
	CHECK_EQUAL(lanewise_json_parse(deep, 2 * n_deep, &options, nodes, MAX_NODES, &n, NULL), LANEWISE_OK);
	options.max_depth = 1;
	CHECK_EQUAL(lanewise_json_parse("[1]", 3, &options, nodes, MAX_NODES, &n, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_json_parse("[[]]", 4, &options, nodes, MAX_NODES, &n, NULL), LANEWISE_ERROR_DATA);

	/* The bound holds for hostile texts, so that they are told to be wrong and not to be too large. */
	size_t bound = lanewise_json_nodes_bound(3000, NULL);

	CHECK(bound <= MAX_NODES);
	memset(deep, '[', 3000);
	CHECK_EQUAL(lanewise_json_parse(deep, 3000, NULL, nodes, bound, &n, NULL), LANEWISE_ERROR_DATA);
	for (size_t i = 1; i < 3000; i++)
		deep[i] = i % 2 ? '1' : ',';
	CHECK_EQUAL(lanewise_json_parse(deep, 3000, NULL, nodes, bound, &n, NULL), LANEWISE_ERROR_DATA);
	deep[2999] = ']';
	deep[2998] = '1';
	deep[2997] = '1';
	CHECK_EQUAL(lanewise_json_parse(deep, 3000, NULL, nodes, bound, &n, NULL), LANEWISE_OK);
}

static void test_dialects(void)
{
	size_t n;

	CHECK_EQUAL(parse("\xef\xbb\xbf[]", 5, LANEWISE_JSON_ALLOW_BOM, &n, NULL), LANEWISE_OK);
	CHECK_EQUAL(nodes[0].offset, 3);
	CHECK_EQUAL(parse("[\xef\xbb\xbf]", 5, LANEWISE_JSON_ALLOW_BOM, &n, NULL), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(parse("\xef\xbb\xbf", 3, LANEWISE_JSON_ALLOW_BOM, &n, NULL), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(parse("\"\\ud800x\\udc00\\ud83d\\ude00\"", 27, LANEWISE_JSON_ALLOW_LONE_SURROGATES, &n, NULL),
	            LANEWISE_OK);

	char out[64];
	size_t n_out;

	CHECK_EQUAL(lanewise_json_string("\"\\ud800x\\udc00\\ud83d\\ude00\"", nodes, out, sizeof out, &n_out),
	            LANEWISE_OK);
	CHECK(n_out == 11 && memcmp(out, "\xef\xbf\xbdx\xef\xbf\xbd\xf0\x9f\x98\x80", 11) == 0);
}

static int same_nodes(const lanewise_json_node *a, const lanewise_json_node *b, size_t n)
{
	return memcmp(a, b, n * sizeof *a) == 0;
}

/* Texts made by changing JSON at random: verdict and tree are those of the second parser, on every tier. */
static void test_against_reference(uint64_t seed)
{
	static lanewise_json_node expected[MAX_NODES];
	lanewise_json_options options = { .struct_size = sizeof options, .max_depth = REFERENCE_DEPTH };
	static const char valid[] =
	        "{\"name\": \"caf\xc3\xa9 \\\"x\\\" \\\\\", \"list\": [1, -2.5e10, true, false, null, {}, [], "
	        "\"\\ud83d\\ude00\"], \"deep\": {\"a\": {\"b\": {\"c\": [[[\"end\"]]]}}}}";
	unsigned long wrong = 0, n_valid = 0;

	for (int round = 0; round < 60000; round++) {
		char text[600];
		size_t n = 0, n_expected, n_nodes = 0;

		if (round % 2) {
			memcpy(text, valid, n = sizeof valid - 1);
			for (size_t changes = below(&seed, 3); changes > 0; changes--) {
				size_t at = below(&seed, n);

				if (below(&seed, 3) == 0)
					memmove(text + at, text + at + 1, --n - at);
				else
					text[at] = "\"\\{}[],: 1a\x1f\xff\xe4"[below(&seed, 14)];
			}
		} else {
			for (size_t k = below(&seed, 9); k > 0; k--) {
				const char *part =
				        reference_parts[below(&seed, sizeof reference_parts / sizeof *reference_parts)];

				memcpy(text + n, part, strlen(part));
				n += strlen(part);
			}
		}

		int ok = reference_parse(text, n, expected, &n_expected);
		lanewise_status status = lanewise_json_parse(text, n, &options, nodes, MAX_NODES, &n_nodes, NULL);

		n_valid += (unsigned long)ok;
		wrong += ok != (status == LANEWISE_OK) ||
		         (ok && (n_nodes != n_expected || !same_nodes(nodes, expected, n_nodes)));
	}
	CHECK_EQUAL(wrong, 0);
	CHECK(n_valid > 1000);
}

/* ------------------------------------------------------------------ index */

struct index_result {
	size_t n;
	lanewise_status status;
	uint64_t offset;
	uint64_t at[600];
};

static void feed_piece(struct index_result *r, lanewise_json_index_state *state, const char *text, size_t n,
                       size_t capacity, uint64_t before)
{
	char *piece = malloc(n + 1);
	uint32_t *index = malloc(capacity * sizeof *index + 1);
	lanewise_error error = { 0 };
	size_t taken = 0, n_taken, n_index;

	memcpy(piece, text, n);
	do {
		r->status = lanewise_json_index_feed(state, piece + taken, n - taken, index, capacity, &n_index,
		                                     &n_taken, &error);
		for (size_t i = 0; i < n_index; i++)
			r->at[r->n++] = before + taken + index[i];
		taken += n_taken;
	} while (taken < n && r->status == LANEWISE_OK);
	r->offset = r->status == LANEWISE_OK ? 0 : error.offset;
	free(index);
	free(piece);
}

static void index_cut(struct index_result *r, const char *text, size_t n, size_t cut, size_t capacity)
{
	lanewise_json_index_state state = { 0 };
	lanewise_error error = { 0 };

	r->n = 0;
	feed_piece(r, &state, text, cut, capacity, 0);
	feed_piece(r, &state, text + cut, n - cut, capacity, cut);
	r->status = lanewise_json_index_finish(&state, &error);
	r->offset = error.offset;
}

static int same_index(const struct index_result *a, const struct index_result *b)
{
	return a->n == b->n && a->status == b->status && a->offset == b->offset &&
	       !memcmp(a->at, b->at, a->n * sizeof *a->at);
}

static void test_index(void)
{
	static const char *const texts[] = { "{\"a\\\"b\\\\\": [1, true,\"\xe4\xb8\xad\"]}\n{\"next\":\"\\u00e9\"}",
		                             "\"a\x01z\"[1]",
		                             "[\xe4\xb8 1, 2]",
		                             "\"\xf0\x9f\x98",
		                             "\"open",
		                             "\"\\\\\\\\\\\\\\\"\"x",
		                             "\\\"[\"\\",
		                             "[\"a\xff\x01\"]" };
	static const size_t first[] = { 0,  1,  3,  6,  8,  9,  11, 12, 13, 15, 19, 20,
		                        24, 25, 26, 28, 29, 34, 35, 36, 37, 43, 44 };
	static struct index_result whole, cut;
	lanewise_json_index_state state = { 0 };
	uint32_t index[4];
	size_t n_index, n_taken;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		size_t n = strlen(texts[i]);

		index_cut(&whole, texts[i], n, n, n < 64 ? 64 : n);
		for (size_t at = 0; at <= n; at++) {
			index_cut(&cut, texts[i], n, at, 64);
			CHECK(same_index(&whole, &cut));
		}
		if (i == 0) {
			CHECK_EQUAL(whole.status, LANEWISE_OK);
			CHECK_EQUAL(whole.n, sizeof first / sizeof *first);
			for (size_t k = 0; k < whole.n && k < sizeof first / sizeof *first; k++)
				CHECK_EQUAL(whole.at[k], first[k]);
		} else {
			CHECK_EQUAL(whole.status, i == 5 ? LANEWISE_OK : LANEWISE_ERROR_DATA);
		}
	}
	CHECK_EQUAL(lanewise_json_index_feed(&state, texts[0], 60, index, 4, &n_index, &n_taken, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_json_index_feed(&state, "[1]", 3, index, 3, &n_index, &n_taken, NULL), LANEWISE_OK);
	CHECK_EQUAL(n_index, 3);
	CHECK_EQUAL(n_taken, 3);
}

/* ---------------------------------------------------------------- numbers */

/* The index as bits, whole and cut in two anywhere, against positions. */
static void test_bits(uint64_t seed)
{
	enum { N = 300 };
	static const char bytes[] = "\"\\{}[]:,a1 \n\x01\xe4\xb8\x80\xff";
	char text[N];

	for (int round = 0; round < 40; round++) {
		size_t n = round < 4 ? N : below(&seed, N), kinds = round % 2 ? sizeof bytes - 1 : 12, n_index, n_taken;
		uint32_t index[N];
		lanewise_json_index_state state = { 0 };
		lanewise_error error = { .offset = LANEWISE_NO_OFFSET }, bits_error;

		for (size_t i = 0; i < n; i++)
			text[i] = bytes[below(&seed, below(&seed, 9) ? 12 : kinds)];
		lanewise_status status =
		        lanewise_json_index_feed(&state, text, n, index, N, &n_index, &n_taken, &error);

		for (size_t cut = 0; cut <= n; cut++) {
			lanewise_json_index_state parts = { 0 };
			uint64_t words[2][N / 64 + 1];
			size_t seen = 0;

			bits_error = (lanewise_error) { .offset = LANEWISE_NO_OFFSET };
			memset(words, 0xff, sizeof words);
			lanewise_json_index_bits(&parts, text, cut, words[0], &bits_error);
			CHECK_EQUAL(lanewise_json_index_bits(&parts, text + cut, n - cut, words[1], &bits_error),
			            status);
			CHECK_EQUAL(bits_error.offset, error.offset);
			for (size_t i = 0; i < n; i++) {
				size_t at = i < cut ? i : i - cut;

				if (!(words[i >= cut][at / 64] >> at % 64 & 1))
					continue;
				/* Known only to the whole: what is wrong from before the cut on. */
				if (i > error.offset)
					CHECK(i < cut);
				else if (!CHECK(seen < n_index && index[seen] == i))
					return;
				else
					seen++;
			}
			CHECK_EQUAL(seen, n_index);
		}
	}
}

static lanewise_json_node number_node(const char *text)
{
	size_t n = 0;
	lanewise_json_node node;

	memset(&node, 0, sizeof node);
	CHECK_EQUAL(lanewise_json_parse(text, strlen(text), NULL, &node, 1, &n, NULL), LANEWISE_OK);
	return node;
}

static void test_float(const char *text)
{
	lanewise_json_node node = number_node(text);
	double f64 = 0, expected64 = strtod(text, NULL);
	float f32 = 0, expected32 = strtof(text, NULL);
	lanewise_status status64 = lanewise_json_f64(text, &node, &f64),
	                status32 = lanewise_json_f32(text, &node, &f32);

	if (!CHECK(memcmp(&f64, &expected64, sizeof f64) == 0 && memcmp(&f32, &expected32, sizeof f32) == 0))
		fprintf(stderr, "%.100s: %a %a, expected %a %a\n", text, f64, (double)f32, expected64,
		        (double)expected32);
	CHECK_EQUAL(status64, isinf(expected64) ? LANEWISE_ERROR_TOO_LARGE : LANEWISE_OK);
	CHECK_EQUAL(status32, isinf(expected32) ? LANEWISE_ERROR_TOO_LARGE : LANEWISE_OK);
}

static void test_known_floats(void)
{
	static const char *const known[] = { "0",
		                             "-0",
		                             "0.0",
		                             "-0e10",
		                             "0e99999999999999999999",
		                             "1",
		                             "0.1",
		                             "1e22",
		                             "1e23",
		                             "9007199254740993",
		                             "9007199254740992.5",
		                             "1e308",
		                             "1.7976931348623157e308",
		                             "1.7976931348623158e308",
		                             "1.7976931348623159e308",
		                             "1e309",
		                             "1e-323",
		                             "4.9e-324",
		                             "2.4703282292062327e-324",
		                             "2.4703282292062328e-324",
		                             "2.47032822920623272088284396434110686182e-324",
		                             "1e-400",
		                             "1e-99999999999999999999",
		                             "1e99999999999999999999",
		                             "2.2250738585072011e-308",
		                             "2.2250738585072014e-308",
		                             "2.225073858507201136057409796709131975934819546351645648e-308",
		                             "3.4028235e38",
		                             "3.4028236e38",
		                             "1e39",
		                             "1.1754943e-38",
		                             "1e-45",
		                             "7e-46",
		                             "7.1e-46",
		                             "16777217",
		                             "16777219",
		                             "16777217.0000000000000000000000000000000001",
		                             "0.500000029802322387695312500000000000000000001",
		                             "9007199254740993.00000000000000000000000000000000000000000000001",
		                             "123456789012345678901234567890",
		                             "0.000000000000000000000000000000000000000000000000000001e54",
		                             "8.5e-45",
		                             "-123.456e-7",
		                             "5e-324",
		                             "1e-1074" };
	char text[3000];

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		test_float(known[i]);
	/* Middles between neighbours, exactly, and a little beside in the 900th digit. */
	uint64_t state = 17;

	for (int i = 0; i < 3000; i++) {
		uint64_t bits = test_random(&state) & 0x7fffffffffffffff;
		double low;

		if (i % 4 == 0)
			bits &= 0x001fffffffffffff; /* the smallest */
		else if (i % 4 == 1)
			bits = (bits & 0x000fffffffffffff) | (uint64_t)(1000 + below(&state, 100)) << 52;
		memcpy(&low, &bits, sizeof low);
		if (!isfinite(low))
			continue;
		/* Twice the middle is odd * 2^e: print it exactly through long double, which holds 64 bits. */
		long double middle = ((long double)low + (long double)nextafter(low, INFINITY)) / 2;

		if (!isfinite((double)middle))
			continue;
		int n = snprintf(text, sizeof text, "%.1100Le", middle);

		test_float(text);
		char *e = strchr(text, 'e');

		e[-1] = '1';
		test_float(text);
		(void)n;
	}
}

static void test_random_floats(uint64_t state)
{
	char text[64];

	for (int i = 0; i < 60000; i++) {
		uint64_t bits = test_random(&state);
		double value;

		memcpy(&value, &bits, sizeof value);
		if (!isfinite(value))
			continue;
		snprintf(text, sizeof text, i % 2 ? "%.17g" : "%.16e", value);
		test_float(text);
		uint32_t bits32 = (uint32_t)test_random(&state);
		float value32;

		memcpy(&value32, &bits32, sizeof value32);
		if (isfinite(value32)) {
			snprintf(text, sizeof text, "%.9g", (double)value32);
			test_float(text);
		}
		uint64_t digits = test_random(&state), exponent = test_random(&state);

		snprintf(text, sizeof text, "%" PRIu64 "e%d", digits >> (exponent >> 32) % 60,
		         (int)(exponent % 700) - 360);
		test_float(text);
		snprintf(text, sizeof text, "%" PRIu64 ".%020" PRIu64, digits >> (exponent >> 32) % 60, exponent);
		test_float(text);
	}
}

static void test_integers(void)
{
	static const struct {
		const char *text;
		lanewise_status i64_status, u64_status;
		int64_t i64;
		uint64_t u64;
	} known[] = {
		{ "0", 0, 0, 0, 0 },
		{ "-0", 0, 0, 0, 0 },
		{ "42", 0, 0, 42, 42 },
		{ "-42", 0, LANEWISE_ERROR_TOO_LARGE, -42, 0 },
		{ "9223372036854775807", 0, 0, INT64_MAX, INT64_MAX },
		{ "9223372036854775808", LANEWISE_ERROR_TOO_LARGE, 0, 0, (uint64_t)INT64_MAX + 1 },
		{ "-9223372036854775808", 0, LANEWISE_ERROR_TOO_LARGE, INT64_MIN, 0 },
		{ "-9223372036854775809", LANEWISE_ERROR_TOO_LARGE, LANEWISE_ERROR_TOO_LARGE, 0, 0 },
		{ "18446744073709551615", LANEWISE_ERROR_TOO_LARGE, 0, 0, UINT64_MAX },
		{ "18446744073709551616", LANEWISE_ERROR_TOO_LARGE, LANEWISE_ERROR_TOO_LARGE, 0, 0 },
		{ "99999999999999999999999", LANEWISE_ERROR_TOO_LARGE, LANEWISE_ERROR_TOO_LARGE, 0, 0 },
		{ "1.0", LANEWISE_ERROR_ARGUMENT, LANEWISE_ERROR_ARGUMENT, 0, 0 },
		{ "1e2", LANEWISE_ERROR_ARGUMENT, LANEWISE_ERROR_ARGUMENT, 0, 0 },
		{ "true", LANEWISE_ERROR_ARGUMENT, LANEWISE_ERROR_ARGUMENT, 0, 0 },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		lanewise_json_node node = number_node(known[i].text);
		int64_t i64 = 0;
		uint64_t u64 = 0;

		CHECK_EQUAL(lanewise_json_i64(known[i].text, &node, &i64), known[i].i64_status);
		CHECK_EQUAL(lanewise_json_u64(known[i].text, &node, &u64), known[i].u64_status);
		CHECK(i64 == known[i].i64 && u64 == known[i].u64);
	}
}

static void test_arrays(void)
{
	static const char text[] = "[0.1, -2, 3e2, 1e39]", bad[] = "[1, \"2\"]", nested[] = "[1, [2]]";
	float f32[4];
	double f64[4];
	size_t n, n_values;

	CHECK_EQUAL(parse(text, sizeof text - 1, 0, &n, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_json_f64_array(text, nodes, 0, f64, 4, &n_values), LANEWISE_OK);
	CHECK(n_values == 4 && f64[0] == 0.1 && f64[1] == -2 && f64[2] == 300 && f64[3] == 1e39);
	CHECK_EQUAL(lanewise_json_f32_array(text, nodes, 0, f32, 4, &n_values), LANEWISE_ERROR_TOO_LARGE);
	CHECK(n_values == 3 && f32[0] == 0.1f && f32[2] == 300);
	CHECK_EQUAL(lanewise_json_f64_array(text, nodes, 0, f64, 3, &n_values), LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(n_values, 3);
	CHECK_EQUAL(lanewise_json_f64_array(text, nodes, 1, f64, 4, &n_values), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(parse(bad, sizeof bad - 1, 0, &n, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_json_f64_array(bad, nodes, 0, f64, 4, &n_values), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(parse(nested, sizeof nested - 1, 0, &n, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_json_f64_array(nested, nodes, 0, f64, 4, &n_values), LANEWISE_ERROR_ARGUMENT);
}

/* ---------------------------------------------------------------- strings */

static void test_integer_array(void)
{
	static const char text[] = "[1, -9223372036854775808, 9223372036854775807, 1.0]";
	lanewise_json_node tree[8];
	int64_t values[4] = { 0 };
	size_t n_nodes, n_values;

	CHECK_EQUAL(lanewise_json_parse(text, sizeof text - 1, NULL, tree, 8, &n_nodes, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_json_i64_array(text, tree, 0, values, 4, &n_values), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(n_values, 3);
	CHECK(values[0] == 1 && values[1] == INT64_MIN && values[2] == INT64_MAX);
}

/* Lines with whatever room there is give what each line alone gives. */
enum { ARRAY_TEXT = 1 << 17, ARRAY_NODES = 1 << 14 };

/* A number as a model, a program or a tester may write it; returns its size. */
static size_t write_number(char *out, uint64_t *state)
{
	static const char *const fixed[] = { "0",    "-0",    "0.0", "-0.0e5", "1e-400", "9223372036854775807",
		                             "1E+2", "1e-05", "1.5", "-0.25e1" };
	uint64_t random = test_random(state);
	double value = (double)(int64_t)test_random(state) * 0x1p-63;

	switch (random % 8) {
	case 0:
		return (size_t)sprintf(out, "%s", fixed[random / 8 % (sizeof fixed / sizeof *fixed)]);
	case 1:
		return (size_t)sprintf(out, "%d", (int)(random >> 40) - (1 << 23));
	case 2:
		return (size_t)sprintf(out, "%.17g", value * 1e-6);
	case 3:
		return (size_t)sprintf(out, "%.25f", value);
	case 4:
		return (size_t)sprintf(out, "%.17f", value);
	case 5:
		return (size_t)sprintf(out, "%.*f", (int)(random / 8 % 12) + 1, value * (double)(random >> 50));
	default:
		return (size_t)sprintf(out, "%.9f", value);
	}
}

/* An object of arrays of numbers and other things; returns its size. */
static size_t write_arrays(char *out, uint64_t *state)
{
	static const size_t lengths[] = { 0, 1, 2, 5, 40, 300, 3000 };
	static const char *const others[] = { "\"x,[1\"",          "[]",         "{\"1\": [2]}", "[true]", "-1.5",
		                              "[[1], [ 2 , 3\n]]", "[1, \"2\"]", "[0.5, null]" };
	size_t at = (size_t)sprintf(out, "{\"a\": 1"), n_arrays = 1 + below(state, 5);

	for (size_t i = 0; i < n_arrays; i++) {
		size_t n = lengths[below(state, below(state, 4) ? 6 : 7)], spaced = below(state, 2);

		at += (size_t)sprintf(out + at, ", \"o\": %s, \"n\": [%s", others[below(state, 8)], spaced ? " " : "");
		for (size_t k = 0; k < n; k++) {
			if (k)
				at += (size_t)sprintf(out + at, "%s", spaced ? " ,\t" : ",");
			at += write_number(out + at, state);
		}
		at += (size_t)sprintf(out + at, "%s]", spaced ? "\r\n" : "");
	}
	out[at++] = '}';
	return at;
}

/* All elements by themselves, and the array as a whole. */
static void check_array(const char *text, const lanewise_json_node *tree, size_t array,
                        const lanewise_json_node *numbers)
{
	static double f64[4000];
	static float f32[4000];
	static int64_t i64[4000];
	size_t n_f64, n_f32, n_i64, n = 0;
	lanewise_status status = lanewise_json_f64_array(text, tree, array, f64, 4000, &n_f64), expected = LANEWISE_OK;

	CHECK_EQUAL(status, LANEWISE_OK);
	CHECK_EQUAL(lanewise_json_f32_array(text, tree, array, f32, 4000, &n_f32), LANEWISE_OK);
	status = lanewise_json_i64_array(text, tree, array, i64, 4000, &n_i64);
	for (; numbers[n].type == LANEWISE_JSON_NUMBER; n++) {
		char *end;
		double d = strtod(text + numbers[n].offset, &end);
		float f = strtof(text + numbers[n].offset, NULL);
		int64_t integer = 0;

		CHECK(end == text + numbers[n].offset + numbers[n].n_bytes);
		if (!CHECK(n < n_f64 && memcmp(&d, &f64[n], sizeof d) == 0) ||
		    !CHECK(n < n_f32 && memcmp(&f, &f32[n], sizeof f) == 0))
			fprintf(stderr, "  %.*s\n", (int)numbers[n].n_bytes, text + numbers[n].offset);
		if (expected == LANEWISE_OK) {
			expected = lanewise_json_i64(text, &numbers[n], &integer);
			CHECK(expected == LANEWISE_OK ? n < n_i64 && i64[n] == integer : n == n_i64);
		}
	}
	CHECK_EQUAL(status, expected);
	CHECK(n == n_f64 && n == n_f32);
	if (n) {
		CHECK_EQUAL(lanewise_json_f64_array(text, tree, array, f64, n - 1, &n_f64), LANEWISE_ERROR_CAPACITY);
		CHECK_EQUAL(n_f64, n - 1);
	}
}

static void test_number_arrays(uint64_t seed)
{
	static lanewise_json_node tree[ARRAY_NODES + 1], folded[ARRAY_NODES], expected[ARRAY_NODES];
	static uint32_t places[ARRAY_NODES + 1];
	char *text = malloc(ARRAY_TEXT);
	size_t n_tree, n_folded, n_expected, n;

	for (int round = 0; round < 60; round++) {
		n = write_arrays(text, &seed);
		text[n] = '\0';

		lanewise_json_node *array = tree;
		lanewise_json_options options = { .struct_size = sizeof options, .flags = LANEWISE_JSON_NUMBER_ARRAYS };

		CHECK_EQUAL(lanewise_json_parse(text, n, NULL, tree, ARRAY_NODES, &n_tree, NULL), LANEWISE_OK);
		tree[n_tree].type = LANEWISE_JSON_NULL;
		CHECK_EQUAL(lanewise_json_parse(text, n, &options, folded, ARRAY_NODES, &n_folded, NULL), LANEWISE_OK);
		memcpy(expected, tree, n_tree * sizeof *tree);
		n_expected = reference_fold(expected, n_tree, places);
		CHECK(n_folded == n_expected && memcmp(folded, expected, n_folded * sizeof *folded) == 0);
		for (size_t i = 0; i < n_folded; i++) {
			if (!(folded[i].flags & LANEWISE_JSON_NUMBERS))
				continue;
			while (array->offset != folded[i].offset)
				array++;
			check_array(text, folded, i, array + 1);
			if (array->next == n_tree || tree[array->next].type != LANEWISE_JSON_NUMBER)
				check_array(text, tree, (size_t)(array - tree), array + 1);
		}

		/* With a byte changed: valid or not, the same with the flag and without. */
		text[below(&seed, n)] = "0123456789+-.eE, ]["[below(&seed, 19)];

		lanewise_error error = { 0 }, folded_error = { 0 };
		lanewise_status status = lanewise_json_parse(text, n, NULL, tree, ARRAY_NODES, &n_tree, &error);

		CHECK_EQUAL(lanewise_json_parse(text, n, &options, folded, ARRAY_NODES, &n_folded, &folded_error),
		            status);
		CHECK(error.offset == folded_error.offset && strcmp(error.what, folded_error.what) == 0);
	}
	free(text);
}

static void test_lines(void)
{
	static const char text[] = "{\"a\": [1, 2]}\n\r\n \t\n[\"x\", {}]\r\n{\"bad\": }\n\"\\u00e9\"\n[1,\n null\n7";
	static const struct {
		size_t begin, n_bytes, n_nodes, error_at;
	} expected[] = { { 0, 13, 5, 0 }, { 19, 9, 3, 0 }, { 30, 9, 0, 8 }, { 40, 8, 1, 0 },
		         { 49, 3, 0, 3 }, { 53, 5, 1, 0 }, { 59, 1, 1, 0 } };
	enum { N = 7 };

	for (size_t room = 5; room < 16; room++)
		for (size_t n_room = 1; n_room < 9; n_room++) {
			lanewise_json_node tree[16], alone[16];
			lanewise_json_line lines[9];
			size_t at = 0, n_seen = 0, n_lines, n_taken, n_alone;

			while (at < sizeof text - 1) {
				CHECK_EQUAL(lanewise_json_parse_lines(text + at, sizeof text - 1 - at, NULL, tree, room,
				                                      lines, n_room, &n_lines, &n_taken),
				            LANEWISE_OK);
				if (!CHECK(n_taken > 0 && n_seen + n_lines <= N))
					return;
				for (size_t i = 0; i < n_lines; i++, n_seen++) {
					const lanewise_json_line *line = &lines[i];

					CHECK_EQUAL(at + line->begin, expected[n_seen].begin);
					CHECK_EQUAL(line->n_bytes, expected[n_seen].n_bytes);
					CHECK_EQUAL(line->n_nodes, expected[n_seen].n_nodes);
					CHECK_EQUAL(line->error_at, expected[n_seen].error_at);
					CHECK_EQUAL(line->status,
					            lanewise_json_parse(text + at + line->begin, line->n_bytes, NULL,
					                                alone, 16, &n_alone, NULL));
					if (line->status == LANEWISE_OK)
						CHECK(n_alone == line->n_nodes && memcmp(alone, tree + line->first_node,
						                                         n_alone * sizeof *alone) == 0);
				}
				at += n_taken;
			}
			CHECK_EQUAL(n_seen, N);
		}
	lanewise_json_node tree[4];
	lanewise_json_line line;
	size_t n_lines, n_taken;

	CHECK_EQUAL(lanewise_json_parse_lines(text, sizeof text - 1, NULL, tree, 4, &line, 1, &n_lines, &n_taken),
	            LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(lanewise_json_parse_lines(text, sizeof text - 1, NULL, tree, 4, NULL, 0, &n_lines, &n_taken),
	            LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(lanewise_json_parse_lines(NULL, 1, NULL, tree, 4, &line, 1, &n_lines, &n_taken),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_json_parse_lines(NULL, 0, NULL, tree, 4, &line, 1, &n_lines, &n_taken), LANEWISE_OK);
	CHECK_EQUAL(n_lines, 0);
	CHECK_EQUAL(lanewise_json_parse_lines("\n \r\n", 4, NULL, tree, 4, &line, 1, &n_lines, &n_taken), LANEWISE_OK);
	CHECK(n_lines == 0 && n_taken == 4);
}

/* Lines of a kind that come together with others, blank and not JSON: each is what it is alone. */
static void test_mixed_lines(uint64_t seed)
{
	static const char *const kinds[] = { "{}\n",
		                             "[1, -2.5e3]\n",
		                             "{\"k\": [true, null, \"v\\u00e9\"]}\r\n",
		                             "5\n",
		                             "\"\xc3\xa9\" \n",
		                             "[[[]]]\n",
		                             "\n",
		                             "\r\n",
		                             " \t\n",
		                             "[1\n",
		                             "\"\xc3\"\n",
		                             "tru\n" };
	enum { KINDS = sizeof kinds / sizeof *kinds, BLANK = 6, WRONG = 9, MOST = 1200 };
	static lanewise_json_node tree[8 * MOST];
	static lanewise_json_line lines[MOST];
	static char text[32 * MOST];

	for (int round = 0; round < 200; round++) {
		uint32_t begins[MOST], kind[MOST];
		size_t n = 0, n_expected = 0, n_kinds = round % 4 ? WRONG : KINDS, n_lines, n_taken, n_alone;
		size_t count = below(&seed, round % 8 ? 40 : MOST);

		for (size_t i = 0; i < count; i++) {
			uint32_t k = (uint32_t)below(&seed, n_kinds);

			begins[n_expected] = (uint32_t)n;
			kind[n_expected] = k;
			n_expected += k < BLANK || k >= WRONG;
			memcpy(text + n, kinds[k], strlen(kinds[k]));
			n += strlen(kinds[k]);
		}
		CHECK_EQUAL(lanewise_json_parse_lines(text, n, NULL, tree, 8 * MOST, lines, MOST, &n_lines, &n_taken),
		            LANEWISE_OK);
		CHECK_EQUAL(n_taken, n);
		CHECK_EQUAL(n_lines, n_expected);
		for (size_t i = 0; i < n_lines && i < n_expected; i++) {
			lanewise_json_node alone[16];

			CHECK_EQUAL(lines[i].begin, begins[i]);
			CHECK_EQUAL(lines[i].status, kind[i] < BLANK ? LANEWISE_OK : LANEWISE_ERROR_DATA);
			n_alone = 0;
			lanewise_json_parse(text + lines[i].begin, lines[i].n_bytes, NULL, alone, 16, &n_alone, NULL);
			CHECK_EQUAL(lines[i].n_nodes, n_alone);
			CHECK(memcmp(tree + lines[i].first_node, alone, n_alone * sizeof *alone) == 0);
		}
	}
}

static void test_strings(void)
{
	static const char text[] =
	        "{\"a\":1,\"\\u0061\":2,\"b\\n\\t\\\"\\\\\\/\\b\\f\\r\\u20AC\\ud83d\\ude00 x\":3,\"\":4}";
	static const char expected[] = "b\n\t\"\\/\b\f\r\xe2\x82\xac\xf0\x9f\x98\x80 x";
	char out[100], escaped[600], quoted[700];
	size_t n, n_out, b;

	CHECK_EQUAL(parse(text, sizeof text - 1, 0, &n, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_json_member(text, nodes, 0, "a", 1), 4); /* the last of two */
	b = lanewise_json_member(text, nodes, 0, expected, sizeof expected - 1);
	CHECK_EQUAL(b, 6);
	CHECK_EQUAL(lanewise_json_member(text, nodes, 0, "", 0), 8);
	CHECK_EQUAL(lanewise_json_member(text, nodes, 0, "b", 1), SIZE_MAX);
	CHECK_EQUAL(lanewise_json_member(text, nodes, 2, "a", 1), SIZE_MAX);
	CHECK_EQUAL(lanewise_json_string(text, &nodes[5], out, sizeof out, &n_out), LANEWISE_OK);
	CHECK(n_out == sizeof expected - 1 && memcmp(out, expected, n_out) == 0);
	CHECK_EQUAL(lanewise_json_string(text, &nodes[5], out, n_out - 1, &n_out), LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(lanewise_json_string(text, &nodes[7], NULL, 0, &n_out), LANEWISE_OK);
	CHECK_EQUAL(n_out, 0);
	CHECK_EQUAL(lanewise_json_string(text, &nodes[0], out, sizeof out, &n_out), LANEWISE_ERROR_ARGUMENT);

	/* Every byte below 0x80, and back. */
	for (int c = 0; c < 128; c++)
		for (size_t before = 0; before < 70; before += 23) {
			char plain[100];

			memset(plain, 'x', sizeof plain);
			plain[before] = (char)c;
			n = lanewise_json_escape(plain, before + 3, escaped, sizeof escaped);
			CHECK(n <= 6 * (before + 3));
			CHECK_EQUAL(lanewise_json_escape(plain, before + 3, escaped, n - 1), n);
			CHECK_EQUAL(lanewise_json_escape(plain, before + 3, escaped, n), n);
			quoted[0] = '"';
			memcpy(quoted + 1, escaped, n);
			quoted[n + 1] = '"';
			CHECK_EQUAL(parse(quoted, n + 2, 0, &n_out, NULL), LANEWISE_OK);
			CHECK_EQUAL(lanewise_json_string(quoted, nodes, out, n, &n_out), LANEWISE_OK);
			CHECK(n_out == before + 3 && memcmp(out, plain, n_out) == 0);
		}
	CHECK_EQUAL(lanewise_json_escape("\x1f\"", 2, escaped, 8), 8);
	CHECK(memcmp(escaped, "\\u001f\\\"", 8) == 0);
	CHECK_EQUAL(lanewise_json_escape(NULL, 0, NULL, 0), 0);
}

/* ------------------------------------------------------------------ suite */

/* Behind the cases of which RFC 8259 leaves the verdict open: is it valid by default? */
static const char *const open_but_valid[] = {
	"i_number_double_huge_neg_exp.json",  "i_number_huge_exp.json",
	"i_number_neg_int_huge_exp.json",     "i_number_pos_double_huge_exp.json",
	"i_number_real_neg_overflow.json",    "i_number_real_pos_overflow.json",
	"i_number_real_underflow.json",       "i_number_too_big_neg_int.json",
	"i_number_too_big_pos_int.json",      "i_number_very_big_negative_int.json",
	"i_structure_500_nested_arrays.json",
};

static int is_open_but_valid(const char *name)
{
	for (size_t i = 0; i < sizeof open_but_valid / sizeof *open_but_valid; i++)
		if (strcmp(name, open_but_valid[i]) == 0)
			return 1;
	return 0;
}

static void test_suite_file(const char *directory, const char *name)
{
	static char text[1 << 18], path[1400];
	static lanewise_json_node many[1 << 17];
	static struct index_result whole, cut;
	size_t n, n_nodes;
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	file = fopen(path, "rb");
	CHECK(file != NULL);
	if (!file)
		return;
	n = fread(text, 1, sizeof text, file);
	fclose(file);
	CHECK(n < sizeof text);

	lanewise_status status =
	        lanewise_json_parse(text, n, NULL, many, lanewise_json_nodes_bound(n, NULL), &n_nodes, NULL);
	int valid = name[0] == 'y' || (name[0] == 'i' && is_open_but_valid(name));

	if (!CHECK(status == (valid ? LANEWISE_OK : LANEWISE_ERROR_DATA)))
		fprintf(stderr, "%s\n", name);
	if (n < 500) {
		index_cut(&whole, text, n, n, 500);
		for (size_t at = 0; at <= n; at++) {
			index_cut(&cut, text, n, at, 64);
			CHECK(same_index(&whole, &cut));
		}
	}
}

static int test_suite(void)
{
	const char *data = getenv("LANEWISE_SHARED_DATA");
	char directory[1000];
	struct dirent *entry;
	int n_files = 0;

	snprintf(directory, sizeof directory, "%s/JSONTestSuite/test_parsing", data ? data : LW_TEST_DATA);
	DIR *suite = opendir(directory);

	if (!suite)
		return 0;
	while ((entry = readdir(suite)) != NULL)
		if (entry->d_name[0] != '.') {
			test_suite_file(directory, entry->d_name);
			n_files++;
		}
	closedir(suite);
	return n_files;
}

/* An escape with plain bytes before and behind it, all numbers of both; the room is what it takes. */
static void test_lengths_of_strings(void)
{
	for (size_t before = 0; before < 70; before++)
		for (size_t behind = 0; behind < 140; behind++) {
			size_t n = before + behind + 4, n_nodes, n_out = 0;
			char *text = malloc(n), *out = malloc(n - 3);
			lanewise_json_node node;

			memset(text, 'x', n);
			text[0] = text[n - 1] = '"';
			memcpy(text + 1 + before, "\\t", 2);
			CHECK(lanewise_json_parse(text, n, NULL, &node, 1, &n_nodes, NULL) == LANEWISE_OK);
			CHECK(lanewise_json_string(text, &node, out, n - 3, &n_out) == LANEWISE_OK);
			CHECK(n_out == n - 3 && out[before] == '\t');
			for (size_t i = 0; i < n_out; i++)
				CHECK(i == before || out[i] == 'x');
			CHECK(lanewise_json_string(text, &node, out, n - 4, &n_out) == LANEWISE_ERROR_CAPACITY);
			free(text);
			free(out);
		}
}

/* As after 4 GiB and some: offsets go on. */
static void test_large_documents(void)
{
	static const char text[] = "1, \"abc\", [2], \"x\x01\"";
	const uint64_t before = UINT64_C(0x100000000) - 5;
	uint32_t index[LANEWISE_JSON_INDEX_CAPACITY];
	uint64_t bits[2];
	size_t n, n_taken;

	for (int as_bits = 0; as_bits < 2; as_bits++) {
		lanewise_json_index_state state = { .n_bytes = before, .utf8 = { .n_valid = before } };
		lanewise_error error = { 0 };
		lanewise_status status =
		        as_bits ? lanewise_json_index_bits(&state, text, sizeof text - 1, bits, &error)
		                : lanewise_json_index_feed(&state, text, sizeof text - 1, index,
		                                           LANEWISE_JSON_INDEX_CAPACITY, &n, &n_taken, &error);

		CHECK_EQUAL(status, LANEWISE_ERROR_DATA);
		CHECK_EQUAL(error.offset, before + strlen("1, \"abc\", [2], \"x"));
		CHECK_EQUAL(lanewise_json_index_finish(&state, &error), LANEWISE_ERROR_DATA);
		CHECK_EQUAL(error.offset, before + strlen("1, \"abc\", [2], \"x"));
	}

	lanewise_json_index_state state = { .n_bytes = before, .utf8 = { .n_valid = before } };
	lanewise_error error = { 0 };

	CHECK_EQUAL(lanewise_json_index_feed(&state, "[\"abcdefgh", 10, index, LANEWISE_JSON_INDEX_CAPACITY, &n,
	                                     &n_taken, &error),
	            LANEWISE_OK);
	CHECK_EQUAL(lanewise_json_index_finish(&state, &error), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(error.offset, before + 10);
}

int main(void)
{
	test_lengths_of_strings();
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		test_errors();
		test_arguments();
		test_dialects();
		test_against_reference((uint64_t)tier + 1);
		test_index();
		test_large_documents();
		test_bits((uint64_t)tier + 3);
		test_integers();
		test_arrays();
		test_integer_array();
		test_number_arrays((uint64_t)tier + 7);
		test_lines();
		test_mixed_lines((uint64_t)tier + 11);
		test_strings();

		int n_files = test_suite();

		if (n_files)
			printf("%d files of JSONTestSuite\n", n_files);
		else
			printf("JSONTestSuite not found: left out\n");
	}
	test_known_floats();
	test_random_floats(5);
	return test_result();
}
