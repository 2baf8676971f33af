/* SPDX-License-Identifier: Apache-2.0 */
/* JSON within text: what is found where, against a plain search in random texts, and time on hostile ones. */
#include <lanewise/json.h>

#include <stdlib.h>
#include <time.h>

#include "test.h"

enum { MAX_SPANS = 64 };

static void check(const char *text, const char *expected)
{
	lanewise_json_span spans[MAX_SPANS];
	size_t n;
	char found[1000] = "";

	CHECK(lanewise_json_find(text, strlen(text), NULL, spans, MAX_SPANS, &n, NULL) == LANEWISE_OK);
	for (size_t i = 0; i < n; i++) {
		strncat(found, text + spans[i].offset, spans[i].n_bytes);
		strcat(found, ";");
	}
	if (!CHECK(strcmp(found, expected) == 0))
		fprintf(stderr, "  in %s\n  found %s, expected %s\n", text, found, expected);
}

static void test_places(void)
{
	check("", "");
	check("no JSON here", "");
	check("{\"a\": 1}", "{\"a\": 1};");
	check("say {\"a\": [1, {}]} and [2, null] or {x} or {} end", "{\"a\": [1, {}]};[2, null];{};");
	check("[1, 2, {\"a\": []}, x, [3]", "{\"a\": []};[3];");
	check("[see {\"a\": \"b]\"}]", "{\"a\": \"b]\"};");
	check("[\"foo {\"k\": 1}", "{\"k\": 1};");
	check("[\"un [1] closed", "[1];");
	check("[\"line\nend\", [1]]", "[1];");
	check("{\"a\" [1]: 2}", "[1];");
	check("[1}{\"a\":2]{\"b\":3}", "{\"b\":3};");
	check("[01] [1.] [-] [1e] [tru] [\"\\x\"] [\"\\ud800\"] [-0.5e-7]", "[-0.5e-7];");
	check("[\"\xff\"] \xff [\"\xc3\xa9\"]", "[\"\xc3\xa9\"];");
	check("[[[1],[2]", "[1];[2];");
}

/* Every span is valid; with brackets and scalars only, what is found is what trying at every bracket finds. */
static void test_against_trials(uint64_t seed)
{
	for (int round = 0; round < 20000; round++) {
		static const char letters[] = "{}[][[]],,1 ::aa\"\"\\n";
		char text[40];
		size_t n = test_random(&seed) % sizeof text, kinds = round % 2 ? 12 : sizeof letters - 1, n_found,
		       k = 0;
		lanewise_json_span spans[MAX_SPANS];

		for (size_t i = 0; i < n; i++)
			text[i] = letters[test_random(&seed) % kinds];
		CHECK(lanewise_json_find(text, n, NULL, spans, MAX_SPANS, &n_found, NULL) == LANEWISE_OK);
		for (size_t i = 0; i < n_found; i++)
			CHECK(lanewise_json_validate(text + spans[i].offset, spans[i].n_bytes, NULL, NULL) ==
			              LANEWISE_OK &&
			      (i == 0 || spans[i].offset >= spans[i - 1].offset + spans[i - 1].n_bytes));
		for (size_t at = 0; kinds == 12 && at < n; at++)
			for (size_t length = n - at; length > 1; length--)
				if ((text[at] == '{' || text[at] == '[') &&
				    lanewise_json_validate(text + at, length, NULL, NULL) == LANEWISE_OK &&
				    (text[at + length - 1] == '}' || text[at + length - 1] == ']')) {
					CHECK(k < n_found && spans[k].offset == at && spans[k].n_bytes == length);
					k++;
					at += length - 1;
					break;
				}
		CHECK(kinds != 12 || k == n_found);
	}
}

static void test_capacity(void)
{
	lanewise_json_span span;
	lanewise_json_options options = { sizeof options, 0, 2 };
	lanewise_error error;
	size_t n;

	CHECK_EQUAL(lanewise_json_find("[] [[1]] []", 11, NULL, &span, 1, &n, &error), LANEWISE_ERROR_CAPACITY);
	CHECK(n == 3 && span.offset == 0);
	CHECK_EQUAL(lanewise_json_find("[[[1]]]", 7, &options, &span, 1, &n, &error), LANEWISE_OK);
	CHECK(n == 1 && span.offset == 2 && span.n_bytes == 3);
	CHECK_EQUAL(lanewise_json_find(NULL, 1, NULL, &span, 1, &n, &error), LANEWISE_ERROR_ARGUMENT);
	options.max_depth = 1025;
	CHECK_EQUAL(lanewise_json_find("", 0, &options, &span, 1, &n, &error), LANEWISE_ERROR_ARGUMENT);
}

static void test_hostile(void)
{
	static const char *const parts[] = { "[{\"",     "[",   "{",      "\"",     "[\"", "{\"a\":",
		                             "[\"\\\"[", "[1,", "[\"[\n", "\"[\",", "[]" };

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		double seconds[2];

		for (int k = 0; k < 2; k++) {
			size_t size = k ? 2000000 : 200000, length = strlen(parts[i]), n = 0, n_found;
			char *text = malloc(size);
			clock_t before;

			for (; n + length <= size; n += length)
				memcpy(text + n, parts[i], length);
			before = clock();
			lanewise_json_find(text, n, NULL, NULL, 0, &n_found, NULL);
			seconds[k] = (double)(clock() - before) / CLOCKS_PER_SEC;
			CHECK(n_found == (strcmp(parts[i], "[]") ? 0 : n / 2));
			free(text);
		}
		if (!CHECK(seconds[1] < 30 * seconds[0] + 0.3))
			fprintf(stderr, "  %s: %g s, %g s\n", parts[i], seconds[0], seconds[1]);
	}
}

static void test_fence(const char *text, const char *expected)
{
	lanewise_json_fence fences[8];
	size_t n = strlen(text), n_found = 0, n_listed = 0;
	char listed[512], *copy = malloc(n + !n);

	memcpy(copy, text, n);
	CHECK(lanewise_json_fences(copy, n, fences, 8, &n_found) == LANEWISE_OK);
	listed[0] = 0;
	for (size_t i = 0; i < n_found; i++)
		n_listed +=
		        (size_t)snprintf(listed + n_listed, sizeof listed - n_listed, "%.*s:%.*s%s;",
		                         (int)fences[i].n_language, copy + fences[i].language, (int)fences[i].n_bytes,
		                         copy + fences[i].offset, fences[i].closed ? "" : "?");
	if (!CHECK(strcmp(listed, expected) == 0))
		fprintf(stderr, "%s\n", listed);
	if (n_found) {
		CHECK(lanewise_json_fences(copy, n, fences, n_found - 1, &n_listed) == LANEWISE_ERROR_CAPACITY);
		CHECK(n_listed == n_found && n_found <= n / 4 + 1);
	}
	free(copy);
}

static void test_fences(void)
{
	size_t n_found;

	test_fence("", "");
	test_fence("```", ":?;");
	test_fence("```json", "json:?;");
	test_fence("Sure:\n```json\n{}\n```\nand\n~~~\n[1]\n\n~~~", "json:{};:[1]\n;");
	test_fence("```json title=x\r\n{}\r\n```  \r\n", "json:{};");
	test_fence("````md\n```\nx\n```\n````\n", "md:```\nx\n```;");
	test_fence("```\na\n~~~\n```` x\nb", ":a\n~~~\n```` x\nb?;");
	test_fence("    ```\nno\n   ```\nyes\n  ```", ":yes;");
	test_fence("``` a`b\n``\n", "");
	test_fence("~~~ a`b\n\n~~~~\n```\n```\n```\n", "a`b:;:;:?;");
	CHECK(lanewise_json_fences(NULL, 1, NULL, 0, &n_found) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_json_fences(NULL, 0, NULL, 0, &n_found) == LANEWISE_OK && n_found == 0);
}

int main(void)
{
	test_fences();
	test_places();
	test_against_trials(1);
	test_capacity();
	test_hostile();
	return test_result();
}
