/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The validator of pieces: for every text its verdict, error and place are those of lanewise_json_validate, however the text
 * is cut. That one is tested elsewhere.
 */
#include <lanewise/json.h>

#include <stdlib.h>

#include "test.h"

enum { MAX_BYTES = 20000 };

static size_t below(uint64_t *state, size_t n) { return (size_t)(test_random(state) % n); }

struct verdict {
	lanewise_status status;
	lanewise_error error;
};

/* In pieces of `first` bytes and then of `step`, each in memory of its size. */
static struct verdict in_pieces(const char *text, size_t n, const lanewise_json_options *options, size_t first,
                                size_t step)
{
	static _Alignas(max_align_t) char scratch[2048];
	struct verdict v = { .error = { .offset = 1 } };
	lanewise_json_validator *validator = lanewise_json_validator_begin(scratch, options);

	CHECK(validator != NULL);
	for (size_t at = 0, size = first; at < n; at += size, size = step) {
		size = size < n - at ? size : n - at;

		char *piece = malloc(size ? size : 1);

		memcpy(piece, text + at, size);
		v.status = lanewise_json_validator_feed(validator, piece, size, &v.error);
		free(piece);
		if (v.status != LANEWISE_OK) {
			lanewise_error again = { 0 };

			CHECK_EQUAL(lanewise_json_validator_feed(validator, "1", 1, &again), v.status);
			CHECK(again.offset == v.error.offset && strcmp(again.what, v.error.what) == 0);
		}
	}
	v.status = lanewise_json_validator_finish(validator, &v.error);
	return v;
}

static int is_same(const struct verdict *a, const struct verdict *b)
{
	return a->status == b->status && (a->status == LANEWISE_OK || (a->error.offset == b->error.offset &&
	                                                               strcmp(a->error.what, b->error.what) == 0));
}

static void check_cut(const char *text, size_t n, const lanewise_json_options *options, const struct verdict *whole,
                      size_t first, size_t step)
{
	struct verdict cut = in_pieces(text, n, options, first, step);

	if (!CHECK(is_same(whole, &cut)))
		fprintf(stderr,
		        "%.*s, %zu bytes, flags %u, cut at %zu, then every %zu: %d %s at %llu, not %d %s at %llu\n",
		        n < 300 ? (int)n : 300, text, n, (unsigned)options->flags, first, step, (int)cut.status,
		        cut.error.what, (unsigned long long)cut.error.offset, (int)whole->status, whole->error.what,
		        (unsigned long long)whole->error.offset);
}

static struct verdict validate(const char *text, size_t n, const lanewise_json_options *options)
{
	struct verdict v = { .error = { .offset = 1 } };

	v.status = lanewise_json_validate(text, n, options, &v.error);
	return v;
}

/* Cut once, everywhere, and in pieces of 1, 2, 3 ... bytes; 1 if it is JSON. */
static int check_text(const char *text, size_t n, const lanewise_json_options *options)
{
	struct verdict whole = validate(text, n, options);

	for (size_t first = 0; first <= n; first++)
		check_cut(text, n, options, &whole, first, n + 1);
	for (size_t step = 1; step < n && step < 7; step++)
		check_cut(text, n, options, &whole, step, step);
	return whole.status == LANEWISE_OK;
}

static lanewise_json_options options_of(uint32_t flags)
{
	return (lanewise_json_options) { .struct_size = sizeof(lanewise_json_options),
		                         .flags = flags,
		                         .max_depth = 12 };
}

static void test_known(void)
{
	static const char *const texts[] = { "",
		                             " \n",
		                             "1",
		                             "-",
		                             "-0.5e+10 ",
		                             "01",
		                             "1.",
		                             "1.e5",
		                             "1e+",
		                             "1e5.5",
		                             "12\"a\"",
		                             "-1-1",
		                             "tru",
		                             "true",
		                             "truex",
		                             "[true,false,null]",
		                             "[nulll]",
		                             "nul\xff",
		                             "\"",
		                             "\"a",
		                             "\"a\\",
		                             "\"a\\u12",
		                             "\"\\u12\"",
		                             "\"\\ud83d\\ude00\"",
		                             "\"\\ud83d\\\"\"",
		                             "\"\\ud83d\\u0041\"",
		                             "\"\\ud83d\\ud83d\\ude00\"",
		                             "\"\\udc00\"",
		                             "\"\\ud83d",
		                             "\"\\x\"",
		                             "\"\\u1\n\"",
		                             "\"\\\n\"",
		                             "\"\\\xe4\xb8\xad\"",
		                             "\"\xe4\xb8\"",
		                             "\"\xe4\xb8",
		                             "\xe4\xb8\xad",
		                             "\xe4\xb8",
		                             "\xe4\xb8x",
		                             "[1]\xe4\xb8\xad",
		                             "[1]\xe4\xb8",
		                             "[1] \xe4x",
		                             "[1 \xf0\x9f\x98\x80]",
		                             "{\xf0\x9f\x98x",
		                             "{\"a\"\xf0\x9f",
		                             "\xef\xbb\xbf[]",
		                             "\xef\xbb\xbf",
		                             "\xef\xbb\xbf\xef\xbb\xbf[]",
		                             "\xef\xbb",
		                             "\xef\xbb[]",
		                             "\xef",
		                             "{}",
		                             "{\"a\":1,}",
		                             "{\"a\":{\"b\":[{}]}}",
		                             "[[],[[]],{\"a\":[]}]",
		                             "[}",
		                             "{\"a\":1]",
		                             "[[[[[[[[[[[[]]]]]]]]]]]]",
		                             "[[[[[[[[[[[[[]]]]]]]]]]]]]",
		                             "[1]]",
		                             "\\\"a\"",
		                             "[\x01]",
		                             "\"\x01\xff\"",
		                             "\"a\",",
		                             "1 2" };

	for (uint32_t flags = 0; flags < 4; flags++) {
		lanewise_json_options options = options_of(flags);

		for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
			check_text(texts[i], strlen(texts[i]), &options);
	}

	lanewise_json_options options = options_of(0);

	CHECK_EQUAL(check_text("nul\0", 4, &options), 0);
	CHECK_EQUAL(check_text("\"\\\0\"", 4, &options), 0);
}

/* Tokens in any order, and valid texts with a few bytes changed. */
static void test_random_texts(uint64_t seed)
{
	static const char *const parts[] = { "[",    "]",  "{",       "}",    ",",    ":",       "\"a\"",
		                             "1",    "0",  "-0.5e+3", "true", "null", " ",       "\"\xe4\xb8\xad\"",
		                             "\\",   "\"", "\x01",    "\xff", "\xe4", "\"k\":[", "\\ud83d\\ude00",
		                             "\\u00" };
	static const char valid[] =
	        "\xef\xbb\xbf{\"name\": \"caf\xc3\xa9 \\\"x\\\" \\\\\", \"list\": [1, -2.5e10, true, "
	        "false, null, {}, [], \"\\ud83d\\ude00\"], \"deep\": {\"a\": [[\"end\"]]}}";
	unsigned long n_valid = 0;

	for (int round = 0; round < 3000; round++) {
		lanewise_json_options options = options_of((uint32_t)round / 2 % 4);
		char text[sizeof valid + 200];
		size_t n = 0;

		if (round % 2) {
			memcpy(text, valid, n = sizeof valid - 1);
			for (size_t changes = below(&seed, 3); changes > 0; changes--) {
				size_t at = below(&seed, n);

				text[at] = "\"\\{}[],: 1a\x1f\xff\xe4"[below(&seed, 14)];
			}
		} else {
			for (size_t k = below(&seed, 9); k > 0; k--) {
				const char *part = parts[below(&seed, sizeof parts / sizeof *parts)];

				memcpy(text + n, part, strlen(part));
				n += strlen(part);
			}
		}
		n_valid += (unsigned long)check_text(text, n, &options);
	}
	CHECK(n_valid > 100);
}

/* An error, or none, within a text of several windows of the index, in its scalars and strings too. */
static void test_long(uint64_t seed)
{
	static char text[MAX_BYTES];
	lanewise_json_options options = options_of(0);

	for (int round = 0; round < 400; round++) {
		size_t n = 0, run;

		text[n++] = '[';
		while (n < MAX_BYTES / 2) {
			n += (size_t)snprintf(text + n, 40, "%llu, \"\xe4\xb8\xad\\n\\ud83d\\ude00\", ",
			                      (unsigned long long)test_random(&seed));
			run = below(&seed, 8) ? 0 : below(&seed, 5000);
			memset(text + n, '1', run);
			n += run;
			memcpy(text + n, run ? ", " : "  ", 2);
			n += 2;
		}
		memcpy(text + n, "{}]", 3);
		n += 3;
		if (round % 8)
			text[below(&seed, n)] = "\"\\]} \x1f\xff\xe4"[below(&seed, 8)];

		struct verdict whole = validate(text, n, &options);

		for (int i = 0; i < 10; i++) {
			size_t first = below(&seed, n);

			check_cut(text, n, &options, &whole, first, 1 + below(&seed, 6000));
		}
	}
}

/* A character cut by the windows of lanewise_json_validate, where the grammar allows none. */
static void test_cut_character(void)
{
	static char text[5000];
	lanewise_json_options options = options_of(0);

	for (size_t at = 4090; at < 4100; at++)
		for (int valid = 0; valid < 2; valid++) {
			struct verdict whole;

			memset(text, ' ', sizeof text);
			memcpy(text + at, valid ? "\xe4\xb8\xad" : "\xe4\xb8x", 3);
			whole = validate(text, sizeof text, &options);
			CHECK_EQUAL(whole.error.offset, at);
			CHECK_EQUAL(strcmp(whole.error.what, valid ? "json: no value" : "not valid UTF-8"), 0);
			for (size_t first = at - 4; first < at + 5; first++)
				check_cut(text, sizeof text, &options, &whole, first, 1);
		}
}

static void test_arguments(void)
{
	static _Alignas(max_align_t) char scratch[2048];
	lanewise_json_options options = options_of(8);
	lanewise_error error = { 0 };

	CHECK(lanewise_json_validator_scratch_size() <= sizeof scratch);
	CHECK(!lanewise_json_validator_begin(NULL, NULL) && !lanewise_json_validator_begin(scratch + 1, NULL));
	CHECK(!lanewise_json_validator_begin(scratch, &options));
	options.flags = 0;
	options.max_depth = LANEWISE_JSON_MAX_VALIDATED_DEPTH + 1;
	CHECK(!lanewise_json_validator_begin(scratch, &options));
	options.max_depth--;

	lanewise_json_validator *validator = lanewise_json_validator_begin(scratch, &options);

	CHECK_EQUAL(lanewise_json_validator_feed(NULL, "1", 1, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_json_validator_feed(validator, NULL, 1, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_json_validator_feed(validator, NULL, 0, NULL), LANEWISE_OK);
	for (uint32_t i = 0; i < LANEWISE_JSON_MAX_VALIDATED_DEPTH; i++)
		CHECK_EQUAL(lanewise_json_validator_feed(validator, i % 2 ? "[" : "{\"\":", i % 2 ? 1 : 4, NULL),
		            LANEWISE_OK);
	CHECK_EQUAL(lanewise_json_validator_feed(validator, "[", 1, &error), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(error.offset, LANEWISE_JSON_MAX_VALIDATED_DEPTH / 2 * 5);
	CHECK_EQUAL(lanewise_json_validator_finish(NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_json_validator_finish(validator, NULL), LANEWISE_ERROR_DATA);
}

int main(void)
{
	test_arguments();
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		test_known();
		test_random_texts((uint64_t)tier + 1);
		test_long((uint64_t)tier + 2);
		test_cut_character();
	}
	return test_result();
}
