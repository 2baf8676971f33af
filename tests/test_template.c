/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: what each brace becomes, names and their order, missing values, sizes, and time on many names. */
#include <lanewise/template.h>

#include <stdlib.h>
#include <time.h>

#include "counting_allocator.h"
#include "test.h"

static char out[4096];

/* Renders with values[name] = name in capitals, "" for e, nothing for none: the result, or NULL. */
static const char *render(const char *text, uint32_t flags, uint32_t render_flags, lanewise_error *error)
{
	lanewise_template_value values[16];
	static char capitals[16][32];
	lanewise_template *t;
	size_t n_out, n;
	lanewise_status status = lanewise_template_create(text, strlen(text), flags, NULL, &t, error);

	if (status != LANEWISE_OK)
		return NULL;
	for (size_t i = 0; i < lanewise_template_n_names(t); i++) {
		const char *name = lanewise_template_name(t, i, &n);

		for (size_t k = 0; k < n; k++)
			capitals[i][k] = (char)(name[k] >= 'a' && name[k] <= 'z' ? name[k] - 32 : name[k]);
		values[i] = (lanewise_template_value) { capitals[i], n };
		if (n == 1 && *name == 'e')
			values[i].n_bytes = 0;
		if (n == 4 && memcmp(name, "none", 4) == 0)
			values[i].text = NULL;
	}
	status = lanewise_template_render(t, values, render_flags, out, sizeof out - 1, &n_out, error);
	lanewise_template_destroy(t);
	if (status != LANEWISE_OK)
		return NULL;
	out[n_out] = 0;
	return out;
}

static void check(const char *text, uint32_t flags, uint32_t render_flags, const char *expected)
{
	const char *found = render(text, flags, render_flags, NULL);

	if (!CHECK(found && strcmp(found, expected) == 0))
		fprintf(stderr, "  %s became %s, not %s\n", text, found ? found : "an error", expected);
}

static void check_error(const char *text, uint32_t render_flags, lanewise_status status, uint64_t offset)
{
	lanewise_error error = { 0 };

	CHECK(!render(text, 0, render_flags, &error));
	if (!CHECK(error.status == status && error.offset == offset))
		fprintf(stderr, "  %s: %d at %llu\n", text, error.status, (unsigned long long)error.offset);
}

static void test_doubled(void)
{
	check("", 0, 0, "");
	check("no names", 0, 0, "no names");
	check("{a}", 0, 0, "A");
	check("x{a}y{b}{a}z", 0, 0, "xAyBAz");
	check("{e}", 0, 0, "");
	check("{{a}}", 0, 0, "{a}");
	check("{{{a}}}", 0, 0, "{A}");
	check("{{}}", 0, 0, "{}");
	check("{_x1}{\xc3\xa9}", 0, 0, "_X1\xc3\xa9");
	check("[{none}]", 0, LANEWISE_TEMPLATE_KEEP, "[{none}]");
	check("{{{none}", 0, LANEWISE_TEMPLATE_KEEP, "{{none}");
	check_error("ab{", 0, LANEWISE_ERROR_DATA, 2);
	check_error("}", 0, LANEWISE_ERROR_DATA, 0);
	check_error("{}", 0, LANEWISE_ERROR_DATA, 0);
	check_error("{0}", 0, LANEWISE_ERROR_DATA, 0);
	check_error("{{}", 0, LANEWISE_ERROR_DATA, 2);
	check_error("x {a!r}", 0, LANEWISE_ERROR_DATA, 2);
	check_error("{a", 0, LANEWISE_ERROR_DATA, 0);
	check_error("{\"a\": 1}", 0, LANEWISE_ERROR_DATA, 0);
	check_error("{a} {none}", 0, LANEWISE_ERROR_DATA, 4);
}

static void test_literal(void)
{
	check("{\"json\": [\"{a}\"], \"b\": {}}", LANEWISE_TEMPLATE_LITERAL, 0, "{\"json\": [\"A\"], \"b\": {}}");
	check("{{a}}", LANEWISE_TEMPLATE_LITERAL, 0, "{A}");
	check("{{", LANEWISE_TEMPLATE_LITERAL, 0, "{{");
	check("{ {0} {a:>3} {a}", LANEWISE_TEMPLATE_LITERAL, 0, "{ {0} {a:>3} A");
	check("}{a", LANEWISE_TEMPLATE_LITERAL, 0, "}{a");
}

static void test_names_and_fields(void)
{
	static const char text[] = "x{b}{{{a}y{b}";
	lanewise_template *t;
	lanewise_template_field field;
	size_t n;

	CHECK_EQUAL(lanewise_template_create(text, sizeof text - 1, 0, NULL, &t, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_template_n_names(t), 2);
	CHECK(*lanewise_template_name(t, 0, &n) == 'b' && n == 1);
	CHECK(!lanewise_template_name(t, 2, &n));
	CHECK_EQUAL(lanewise_template_find(t, "a", 1), 1);
	CHECK_EQUAL(lanewise_template_find(t, "ab", 2), SIZE_MAX);
	CHECK_EQUAL(lanewise_template_n_fields(t), 4);
	lanewise_template_get_field(t, 1, &field);
	CHECK(field.n_bytes == 1 && *field.text == '{' && field.number == 1 && field.offset == 6);
	lanewise_template_get_field(t, 3, &field);
	CHECK(field.n_bytes == 0 && field.number == SIZE_MAX && field.offset == sizeof text - 1);
	lanewise_template_destroy(t);
	lanewise_template_destroy(NULL);
}

/* Values are not read again, and sizes are told where they do not fit. */
static void test_sizes(void)
{
	lanewise_template_value value = { "{a}{b}", 6 };
	lanewise_template *t;
	size_t n_out;

	CHECK_EQUAL(lanewise_template_create("<{a}>", 5, 0, NULL, &t, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_template_render(t, &value, 0, NULL, 0, &n_out, NULL), LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(n_out, 8);
	CHECK_EQUAL(lanewise_template_render(t, &value, 0, out, 7, &n_out, NULL), LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(lanewise_template_render(t, &value, 0, out, 8, &n_out, NULL), LANEWISE_OK);
	CHECK(n_out == 8 && memcmp(out, "<{a}{b}>", 8) == 0);
	value.n_bytes = SIZE_MAX - 1;
	CHECK_EQUAL(lanewise_template_render(t, &value, 0, out, 8, &n_out, NULL), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_template_render(t, NULL, 0, out, 8, &n_out, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_template_render(t, &value, 2, out, 8, &n_out, NULL), LANEWISE_ERROR_ARGUMENT);
	lanewise_template_destroy(t);
	CHECK_EQUAL(lanewise_template_create("", 0, 2, NULL, &t, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_template_create(NULL, 1, 0, NULL, &t, NULL), LANEWISE_ERROR_ARGUMENT);
}

/* Half a million names, all different, are read in no time. */
static void test_many_names(void)
{
	size_t n = 0, n_names = 500000;
	char *text = malloc(16 * n_names);
	lanewise_template *t;
	clock_t before = clock();

	for (size_t i = 0; i < n_names; i++)
		n += (size_t)sprintf(text + n, "{a%zu}", i);
	CHECK_EQUAL(lanewise_template_create(text, n, 0, NULL, &t, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_template_n_names(t), n_names);
	CHECK((double)(clock() - before) / CLOCKS_PER_SEC < 5);
	lanewise_template_destroy(t);
	memset(text, '{', n);
	CHECK_EQUAL(lanewise_template_create(text, n, LANEWISE_TEMPLATE_LITERAL, NULL, &t, NULL), LANEWISE_OK);
	lanewise_template_destroy(t);
	free(text);
}

/* Every allocation fails once: an error, and nothing is left. */
static void test_allocator(void)
{
	struct counter counter = { 0 };
	const lanewise_allocator allocator = counting_allocator(&counter);
	lanewise_template *t;
	lanewise_status status = LANEWISE_ERROR_NO_MEMORY;

	for (size_t n = 0; n < 20 && status != LANEWISE_OK; n++) {
		fail_after(&counter, n);
		status = lanewise_template_create("{a}", 3, 0, &allocator, &t, NULL);
		CHECK(status == LANEWISE_OK || (status == LANEWISE_ERROR_NO_MEMORY && !t && !counter.n_held));
	}
	CHECK_EQUAL(status, LANEWISE_OK);
	lanewise_template_destroy(t);
	CHECK_EQUAL(counter.n_held, 0);
}

int main(void)
{
	test_doubled();
	test_literal();
	test_names_and_fields();
	test_sizes();
	test_many_names();
	test_allocator();
	return test_result();
}
