/* SPDX-License-Identifier: Apache-2.0 */
/* Names and their numbers, against a plain search through all earlier mentions. */
#include <lanewise/graph.h>

#include <stdlib.h>

#include "counting_allocator.h"
#include "test.h"

enum { MAX_MENTIONS = 400, MAX_BYTES = 8 };

static uint64_t seed = 3;

static uint32_t below(uint32_t n) { return (uint32_t)(test_random(&seed) % n); }

static int same(const char *text, const size_t *begin, size_t a, size_t b)
{
	return begin[a + 1] - begin[a] == begin[b + 1] - begin[b] &&
	       !memcmp(text + begin[a], text + begin[b], begin[a + 1] - begin[a]);
}

static void check_numbers(const char *text, const size_t *begin, size_t n, const uint32_t *number,
                          const lanewise_names *names)
{
	uint32_t n_names = 0;

	for (size_t i = 0; i < n; i++) {
		size_t first = 0, n_bytes = 77;
		const char *name = lanewise_names_get(names, number[i], &n_bytes);

		while (!same(text, begin, first, i))
			first++;
		CHECK_EQUAL(number[i], first == i ? n_names : number[first]);
		n_names += first == i;
		CHECK(name && n_bytes == begin[i + 1] - begin[i] && !memcmp(name, text + begin[i], n_bytes));
		CHECK_EQUAL(lanewise_names_find(names, text + begin[i], n_bytes), number[i]);
	}
	CHECK_EQUAL(lanewise_names_count(names), n_names);
}

static void test_random_names(void)
{
	char text[MAX_MENTIONS * MAX_BYTES];
	size_t begin[MAX_MENTIONS + 1] = { below(3) }, n = below(MAX_MENTIONS + 1), n_letters = 1 + below(3), n_bytes;
	uint32_t number[MAX_MENTIONS];
	lanewise_names *names = NULL;

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)(below((uint32_t)n_letters) * 97); /* 0 is a letter too */
	for (size_t i = 0; i < n; i++)
		begin[i + 1] = begin[i] + below(MAX_BYTES - 1);
	CHECK_EQUAL(lanewise_names_create(text, begin, n, NULL, &names, number, NULL), LANEWISE_OK);
	check_numbers(text, begin, n, number, names);
	CHECK_EQUAL(lanewise_names_find(names, "not there", 9), LANEWISE_GRAPH_NONE);
	CHECK(lanewise_names_get(names, (uint32_t)lanewise_names_count(names), &n_bytes) == NULL);
	lanewise_names_destroy(names);
}

static void test_many_names(uint32_t n)
{
	char *text = malloc(8 * (size_t)n);
	size_t *begin = malloc((n + 1) * sizeof *begin), n_wrong = 0;
	uint32_t *number = malloc(n * sizeof *number);
	lanewise_names *names = NULL;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t name = i % (n / 2 + 1) * UINT64_C(0x9e3779b97f4a7c15);

		memcpy(text + 8 * (size_t)i, &name, 8);
		begin[i] = 8 * (size_t)i;
	}
	begin[n] = 8 * (size_t)n;
	CHECK_EQUAL(lanewise_names_create(text, begin, n, NULL, &names, number, NULL), LANEWISE_OK);
	for (uint32_t i = 0; i < n; i++)
		n_wrong += number[i] != i % (n / 2 + 1);
	CHECK(n_wrong == 0 && lanewise_names_count(names) == n / 2 + 1);
	lanewise_names_destroy(names);
	free(text), free(begin), free(number);
}

static void test_faults(void)
{
	const size_t begin[] = { 0, 1, 0, 2 }, empty[] = { 5, 5, 5 };
	uint32_t number[3];
	lanewise_names *names = NULL;
	lanewise_error error = { 0 };

	CHECK_EQUAL(lanewise_names_create("abc", begin, 3, NULL, &names, number, &error), LANEWISE_ERROR_DATA);
	CHECK(error.offset == 1 && strstr(error.what, "name 1"));
	CHECK_EQUAL(lanewise_names_create("abc", begin, 1, NULL, NULL, number, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_names_create("abc", begin, 1, NULL, &names, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_names_create("abc", NULL, 1, NULL, &names, number, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_names_create(NULL, begin, 1, NULL, &names, number, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_names_create("abc", begin, SIZE_MAX, NULL, &names, number, NULL),
	            LANEWISE_ERROR_TOO_LARGE);
	CHECK(names == NULL);
	CHECK_EQUAL(lanewise_names_create(NULL, empty, 2, NULL, &names, number, NULL), LANEWISE_OK);
	CHECK(number[0] == 0 && number[1] == 0 && lanewise_names_count(names) == 1);
	CHECK_EQUAL(lanewise_names_find(names, NULL, 0), 0);
	lanewise_names_destroy(names);
	CHECK_EQUAL(lanewise_names_create(NULL, NULL, 0, NULL, &names, NULL, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_names_count(names), 0);
	CHECK_EQUAL(lanewise_names_find(names, NULL, 0), LANEWISE_GRAPH_NONE);
	lanewise_names_destroy(names);
	lanewise_names_destroy(NULL);
}

static void test_memory(void)
{
	size_t begin[101];
	uint32_t number[100];
	char text[100];

	for (size_t i = 0; i <= 100; i++)
		begin[i] = i;
	for (size_t i = 0; i < 100; i++)
		text[i] = (char)i;
	for (size_t n = 1, failed = 1; failed; n++) {
		struct counter counter = { .fail_at = n };
		lanewise_allocator allocator = counting_allocator(&counter);
		lanewise_names *names = NULL;
		lanewise_status status = lanewise_names_create(text, begin, 100, &allocator, &names, number, NULL);

		failed = status != LANEWISE_OK;
		CHECK(!failed || (status == LANEWISE_ERROR_NO_MEMORY && !names));
		lanewise_names_destroy(names);
		CHECK_EQUAL(counter.n_bytes, 0);
		CHECK(failed || n > 6);
	}
}

int main(void)
{
	for (int round = 0; round < 300; round++)
		test_random_names();
	test_many_names(300000);
	test_faults();
	test_memory();
	return test_result();
}
