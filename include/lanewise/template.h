/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/template.h - texts with {name} in them, prompts say: read once, filled in many times.
 *
 * A name is letters, digits and _ of ASCII and bytes above it, not beginning with a digit. A value is put in as it is:
 * braces in it mean nothing, unlike in a chain of replacements, where a value's text can name another value.
 *
 * A template does not change after creation, so any number of threads may use it. Rendering allocates nothing and takes time
 * linear in the result.
 */
#ifndef LANEWISE_TEMPLATE_H
#define LANEWISE_TEMPLATE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lanewise_template lanewise_template;

/*
 * How braces are read. Without flags, {{ and }} stand for one brace, as in Python's str.format, and any other brace that
 * is no part of a {name} is an error.
 */
enum {
	LANEWISE_TEMPLATE_LITERAL =
	        1 /* all braces but those of a {name} are text, doubled ones too: JSON can stay as it is */
};

/*
 * Reads a template; everything is copied. `allocator` may be NULL.
 *
 * LANEWISE_ERROR_DATA: a brace that is no part of a {name}; the offset is its own. LANEWISE_ERROR_ARGUMENT: a NULL pointer,
 * unknown flags. LANEWISE_ERROR_TOO_LARGE: n_bytes over UINT32_MAX. LANEWISE_ERROR_NO_MEMORY.
 */
LANEWISE_API lanewise_status lanewise_template_create(const char *text, size_t n_bytes, uint32_t flags,
                                                      const lanewise_allocator *allocator, lanewise_template **created,
                                                      lanewise_error *error);

/* NULL is fine. */
LANEWISE_API void lanewise_template_destroy(lanewise_template *created);

/* How many different names there are, numbered from 0 in order of first mention. */
LANEWISE_API size_t lanewise_template_n_names(const lanewise_template *created);

/* A name, *n_bytes of it, valid as long as the template and not ended by a 0; NULL if there is no such number. */
LANEWISE_API const char *lanewise_template_name(const lanewise_template *created, size_t number, size_t *n_bytes);

/* The number of a name; SIZE_MAX if it does not occur. */
LANEWISE_API size_t lanewise_template_find(const lanewise_template *created, const char *name, size_t n_bytes);

/* A {name}: what is put in there, and the text before it, as it is rendered. The last one is the text behind all names. */
typedef struct lanewise_template_field {
	const char *text; /* valid as long as the template */
	size_t n_bytes;
	size_t number; /* of the name; SIZE_MAX for the last field, which has none */
	size_t offset; /* of its brace in the template; its size for the last */
} lanewise_template_field;

/* The number of fields, the last included, so that it is at least 1. */
LANEWISE_API size_t lanewise_template_n_fields(const lanewise_template *created);

/* Field i, below that number. */
LANEWISE_API void lanewise_template_get_field(const lanewise_template *created, size_t i,
                                              lanewise_template_field *field);

/* What stands for a name. `text` NULL: nothing does, which is another thing than an empty text. */
typedef struct lanewise_template_value {
	const char *text;
	size_t n_bytes;
} lanewise_template_value;

enum { LANEWISE_TEMPLATE_KEEP = 1 /* a {name} without a value stays as it is; otherwise it is an error */ };

/*
 * Writes the template to `out` with values[i] for name i; *n_out becomes the size, also if that is over `capacity`. `out` may
 * be NULL if that is 0, `values` if there are no names. `out` must not overlap values.
 *
 * LANEWISE_ERROR_CAPACITY: it does not fit; nothing is in `out`. LANEWISE_ERROR_DATA: a name without a value; the error says
 * which, its offset is that of the brace in the template. LANEWISE_ERROR_TOO_LARGE: the size is no size_t.
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer, unknown flags.
 */
LANEWISE_API lanewise_status lanewise_template_render(const lanewise_template *created,
                                                      const lanewise_template_value *values, uint32_t flags, char *out,
                                                      size_t capacity, size_t *n_out, lanewise_error *error);

#ifdef __cplusplus
}
#endif

#endif
