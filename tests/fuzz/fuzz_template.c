/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a template: what is rendered is what the definition, gone through byte by byte, says; and fields put together
 * are the same. The first byte chooses the flags, the second the value of all names.
 */
#include <lanewise/template.h>

#include "fuzz.h"

static int is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80);
}

/* The name at text[at], behind its brace: bytes up to the closing one, or 0. */
static size_t name_at(const char *text, size_t n, size_t at)
{
	size_t i = at;

	if (i < n && text[i] >= '0' && text[i] <= '9')
		return 0;
	for (; i < n && is_name_byte(text[i]); i++)
		;
	return i < n && text[i] == '}' ? i - at : 0;
}

/* The size, or SIZE_MAX for an error. */
static size_t expected(const char *text, size_t n, int literal, const char *value, size_t n_value, char *out)
{
	size_t at = 0, to = 0, size;

	while (at < n) {
		int is_brace = text[at] == '{' || text[at] == '}';

		if (text[at] == '{' && (size = name_at(text, n, at + 1))) {
			memcpy(out + to, value ? value : text + at, value ? n_value : size + 2);
			to += value ? n_value : size + 2;
			at += size + 2;
			continue;
		}
		out[to++] = text[at++];
		if (!is_brace || literal)
			continue;
		if (at == n || text[at] != text[at - 1])
			return SIZE_MAX;
		at++;
	}
	return to;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const texts[] = { NULL, "", "x", "{a}" };
	struct fuzz_input in = { data, size };
	uint32_t flags = fuzz_u8(&in) & 1;
	const char *value = texts[fuzz_u8(&in) % 4];
	size_t n = in.size, n_value = value ? strlen(value) : 0, n_out, n_expected, at = 0;
	char *text = fuzz_allocate(n), *wanted = fuzz_allocate(2 * n + 3), *out;
	lanewise_template *t;

	fuzz_bytes(&in, text, n);
	n_expected = expected(text, n, (int)flags, value, n_value, wanted);

	lanewise_status status = lanewise_template_create(text, n, flags, NULL, &t, NULL);

	FUZZ_REQUIRE((status == LANEWISE_OK) == (n_expected != SIZE_MAX));
	if (status == LANEWISE_OK) {
		size_t n_names = lanewise_template_n_names(t);
		lanewise_template_value *values = fuzz_allocate(n_names * sizeof *values);

		for (size_t i = 0; i < n_names; i++) {
			size_t n_name;
			const char *name = lanewise_template_name(t, i, &n_name);

			FUZZ_REQUIRE(lanewise_template_find(t, name, n_name) == i);
			values[i] = (lanewise_template_value) { value, n_value };
		}
		out = fuzz_allocate(n_expected);
		status = lanewise_template_render(t, values, LANEWISE_TEMPLATE_KEEP, out, n_expected, &n_out, NULL);
		FUZZ_REQUIRE(status == LANEWISE_OK && n_out == n_expected && memcmp(out, wanted, n_out) == 0);
		status = lanewise_template_render(t, values, 0, out, n_expected, &n_out, NULL);
		FUZZ_REQUIRE((status == LANEWISE_OK) == (value || n_names == 0));
		for (size_t i = 0; value && i < lanewise_template_n_fields(t); i++) {
			lanewise_template_field field;

			lanewise_template_get_field(t, i, &field);
			FUZZ_REQUIRE(field.n_bytes <= n_expected - at &&
			             memcmp(field.text, wanted + at, field.n_bytes) == 0);
			at += field.n_bytes + (field.number == SIZE_MAX ? 0 : n_value);
		}
		FUZZ_REQUIRE(!value || at == n_expected);
		free(out);
		free(values);
		lanewise_template_destroy(t);
	}
	free(text);
	free(wanted);
	return 0;
}
