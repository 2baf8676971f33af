/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: the text between the names, with its braces as they are rendered, lies in one piece; a field has the end of what
 * is before it and the number of its name. The text is read twice: to learn sizes, and to fill them.
 */
#include <lanewise/graph.h>
#include <lanewise/template.h>

#include <string.h>

#include "common.h"
#include "support.h"

struct field {
	uint32_t end; /* in `literals` */
	uint32_t number;
	uint32_t offset, n_bytes; /* in the template, with its braces */
};

struct lanewise_template {
	lanewise_allocator allocator; /* a copy; `allocate` NULL for the C library's */
	size_t n_memory;              /* of this and what lies behind it */
	size_t n_bytes, n_fields, n_literals;
	lanewise_names *names;
	struct field *fields;
	char *literals;
};

/* What is read: sizes, and where it goes, if it goes anywhere. */
struct reading {
	size_t n_fields, n_literals, n_names; /* bytes of text and of names */
	struct field *fields;
	char *literals, *names;
	size_t *begin; /* of each name */
};

static int is_name_byte(uint8_t c)
{
	return (uint8_t)((c | 0x20) - 'a') < 26 || (uint8_t)(c - '0') < 10 || c == '_' || c >= 0x80;
}

/* The size of a name and the brace behind it at `at`, or 0. */
static size_t name_size(const uint8_t *text, size_t n, size_t at)
{
	size_t end = at;

	while (end < n && is_name_byte(text[end]))
		end++;
	return end > at && end < n && text[end] == '}' && (uint8_t)(text[at] - '0') > 9 ? end + 1 - at : 0;
}

static void add_literal(struct reading *r, const uint8_t *bytes, size_t n)
{
	if (r->literals && n)
		memcpy(r->literals + r->n_literals, bytes, n);
	r->n_literals += n;
}

/* The name at `at`, n bytes with the brace behind it. */
static void add_field(struct reading *r, const uint8_t *text, size_t at, size_t n)
{
	if (r->fields) {
		r->fields[r->n_fields] =
		        (struct field) { (uint32_t)r->n_literals, 0, (uint32_t)(at - 1), (uint32_t)(n + 1) };
		r->begin[r->n_fields] = r->n_names;
		memcpy(r->names + r->n_names, text + at, n - 1);
	}
	r->n_fields++;
	r->n_names += n - 1;
}

static size_t find_brace(const uint8_t *text, size_t n, size_t at)
{
	while (at < n && text[at] != '{' && text[at] != '}')
		at++;
	return at;
}

/* SIZE_MAX, or the place of a brace that must not be there. */
static size_t read_text(struct reading *r, const uint8_t *text, size_t n, uint32_t flags)
{
	size_t at = 0, brace, size;

	for (; (brace = find_brace(text, n, at)) < n; at = brace + size) {
		add_literal(r, text + at, brace - at);
		size = text[brace] == '{' ? name_size(text, n, brace + 1) : 0;
		if (size) {
			add_field(r, text, brace + 1, size);
			size++;
			continue;
		}
		add_literal(r, text + brace, 1);
		size = 1;
		if (flags & LANEWISE_TEMPLATE_LITERAL)
			continue;
		if (n - brace < 2 || text[brace + 1] != text[brace])
			return brace;
		size = 2;
	}
	add_literal(r, text + at, n - at);
	return SIZE_MAX;
}

/* Reads the text again, with memory for what is in it, and numbers the names. */
static lanewise_status fill(struct lanewise_template *made, struct reading *r, const uint8_t *text, uint32_t flags,
                            const lanewise_allocator *allocator, lanewise_error *error)
{
	size_t n_fields = r->n_fields, n_begin = (n_fields + 1) * sizeof *r->begin,
	       n_all = n_begin + n_fields * sizeof(uint32_t) + r->n_names;
	unsigned char *memory = lw_allocate(allocator, n_all);
	uint32_t *number;
	lanewise_status status;

	if (!memory)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "template: no memory");
	r->begin = (size_t *)(void *)memory;
	number = (uint32_t *)(void *)(memory + n_begin);
	r->names = (char *)(number + n_fields);
	r->fields = made->fields;
	r->literals = made->literals;
	r->n_fields = r->n_literals = r->n_names = 0;
	read_text(r, text, made->n_bytes, flags);
	r->begin[n_fields] = r->n_names;
	status = lanewise_names_create(r->names, r->begin, n_fields, allocator, &made->names, number, error);
	for (size_t i = 0; status == LANEWISE_OK && i < n_fields; i++)
		made->fields[i].number = number[i];
	lw_release(allocator, memory, n_all);
	return status;
}

lanewise_status lanewise_template_create(const char *text, size_t n_bytes, uint32_t flags,
                                         const lanewise_allocator *allocator, lanewise_template **created,
                                         lanewise_error *error)
{
	struct reading r = { 0 };
	struct lanewise_template *made;
	size_t wrong, n_memory;
	lanewise_status status;

	if (!created)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "template: a NULL pointer");
	*created = NULL;
	if ((!text && n_bytes) || (flags & ~(uint32_t)LANEWISE_TEMPLATE_LITERAL))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "template: a NULL pointer or an unknown flag");
	if (n_bytes > UINT32_MAX)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET, "template: over 4 GiB");
	if (!text)
		text = "";
	wrong = read_text(&r, (const uint8_t *)text, n_bytes, flags);
	if (wrong != SIZE_MAX)
		return lw_fail(error, LANEWISE_ERROR_DATA, wrong,
		               "template: a brace that is no part of a {name}, and not doubled");
	n_memory = sizeof *made + r.n_fields * sizeof(struct field) + r.n_literals;
	made = lw_allocate(allocator, n_memory);
	if (!made)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "template: no memory");
	*made = (struct lanewise_template) { .n_memory = n_memory,
		                             .n_bytes = n_bytes,
		                             .n_fields = r.n_fields,
		                             .n_literals = r.n_literals,
		                             .fields = (struct field *)(made + 1) };
	made->literals = (char *)(made->fields + r.n_fields);
	if (allocator)
		made->allocator = *allocator;
	status = fill(made, &r, (const uint8_t *)text, flags, allocator, error);
	if (status == LANEWISE_OK)
		*created = made;
	else
		lw_release(allocator, made, n_memory);
	return status;
}

void lanewise_template_destroy(lanewise_template *created)
{
	lanewise_allocator allocator;

	if (!created)
		return;
	allocator = created->allocator;
	lanewise_names_destroy(created->names);
	lw_release(allocator.allocate ? &allocator : NULL, created, created->n_memory);
}

size_t lanewise_template_n_names(const lanewise_template *created) { return lanewise_names_count(created->names); }

const char *lanewise_template_name(const lanewise_template *created, size_t number, size_t *n_bytes)
{
	return number < lanewise_names_count(created->names)
	               ? lanewise_names_get(created->names, (uint32_t)number, n_bytes)
	               : NULL;
}

size_t lanewise_template_find(const lanewise_template *created, const char *name, size_t n_bytes)
{
	uint32_t number = lanewise_names_find(created->names, name, n_bytes);

	return number == LANEWISE_GRAPH_NONE ? SIZE_MAX : number;
}

size_t lanewise_template_n_fields(const lanewise_template *created) { return created->n_fields + 1; }

void lanewise_template_get_field(const lanewise_template *created, size_t i, lanewise_template_field *field)
{
	const struct field *f = &created->fields[i];
	size_t begin = i ? f[-1].end : 0;

	if (i < created->n_fields)
		*field = (lanewise_template_field) { created->literals + begin, f->end - begin, f->number, f->offset };
	else
		*field = (lanewise_template_field) { created->literals + begin, created->n_literals - begin, SIZE_MAX,
			                             created->n_bytes };
}

/* The size of the whole: 0 with an error if there is none. */
static lanewise_status find_size(const lanewise_template *t, const lanewise_template_value *values, uint32_t flags,
                                 size_t *n_out, lanewise_error *error)
{
	size_t n = t->n_literals;

	for (size_t i = 0; i < t->n_fields; i++) {
		const struct field *f = &t->fields[i];
		size_t n_value = f->n_bytes;

		if (values[f->number].text)
			n_value = values[f->number].n_bytes;
		else if (!(flags & LANEWISE_TEMPLATE_KEEP))
			return lw_fail(error, LANEWISE_ERROR_DATA, f->offset, "template: no value for a name");
		if (__builtin_add_overflow(n, n_value, &n))
			return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET, "template: too large");
	}
	*n_out = n;
	return LANEWISE_OK;
}

static char *append(char *at, const char *bytes, size_t n)
{
	if (n == 0)
		return at;
	memcpy(at, bytes, n);
	return at + n;
}

/* A {name} as it stood in the template. */
static char *append_name(char *at, const lanewise_template *t, const struct field *f)
{
	size_t n;
	const char *name = lanewise_names_get(t->names, f->number, &n);

	*at++ = '{';
	at = append(at, name, n);
	*at++ = '}';
	return at;
}

lanewise_status lanewise_template_render(const lanewise_template *created, const lanewise_template_value *values,
                                         uint32_t flags, char *out, size_t capacity, size_t *n_out,
                                         lanewise_error *error)
{
	size_t begin = 0;
	lanewise_status status;

	if (!created || !n_out || (!out && capacity) || (!values && created->n_fields) ||
	    (flags & ~(uint32_t)LANEWISE_TEMPLATE_KEEP))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "template: a NULL pointer or an unknown flag");
	*n_out = 0;
	status = find_size(created, values, flags, n_out, error);
	if (status != LANEWISE_OK)
		return status;
	if (*n_out > capacity)
		return lw_fail(error, LANEWISE_ERROR_CAPACITY, LANEWISE_NO_OFFSET, "template: the text has %zu bytes",
		               *n_out);
	for (size_t i = 0; i < created->n_fields; i++) {
		const struct field *f = &created->fields[i];
		const lanewise_template_value *value = &values[f->number];

		out = append(out, created->literals + begin, f->end - begin);
		out = value->text ? append(out, value->text, value->n_bytes) : append_name(out, created, f);
		begin = f->end;
	}
	append(out, created->literals + begin, created->n_literals - begin);
	return LANEWISE_OK;
}
