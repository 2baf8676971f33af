/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a parsed text: numbers, strings, members; and the way back for strings. */
#include <lanewise/json.h>

#include "common.h"

#include "json_escape.h"
#include "json_number.h"
#include "json_run.h"

/* ---------------------------------------------------------------- numbers */

/* The digits of an integer as a magnitude. */
static lanewise_status read_magnitude(const char *p, size_t n, int *negative, uint64_t *value)
{
	const char *end = p + n;

	*negative = *p == '-';
	*value = 0;
	for (p += *negative; p < end; p++)
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(*p - '0'), value))
			return LANEWISE_ERROR_TOO_LARGE;
	return LANEWISE_OK;
}

static int is_integer(const lanewise_json_node *node)
{
	return node->type == LANEWISE_JSON_NUMBER && (node->flags & LANEWISE_JSON_INTEGER);
}

lanewise_status lanewise_json_u64(const char *text, const lanewise_json_node *node, uint64_t *value)
{
	uint64_t magnitude;
	int negative;
	lanewise_status status;

	if (!is_integer(node))
		return LANEWISE_ERROR_ARGUMENT;
	status = read_magnitude(text + node->offset, node->n_bytes, &negative, &magnitude);
	if (status != LANEWISE_OK)
		return status;
	if (negative && magnitude)
		return LANEWISE_ERROR_TOO_LARGE;
	*value = magnitude;
	return LANEWISE_OK;
}

lanewise_status lanewise_json_read_i64(const char *text, size_t n, int64_t *value)
{
	uint64_t magnitude;
	int negative;
	lanewise_status status;

	for (size_t i = 0; i < n; i++)
		if (text[i] == '.' || (text[i] | 0x20) == 'e')
			return LANEWISE_ERROR_ARGUMENT;
	status = read_magnitude(text, n, &negative, &magnitude);
	if (status != LANEWISE_OK)
		return status;
	if (magnitude > (uint64_t)INT64_MAX + (uint64_t)negative)
		return LANEWISE_ERROR_TOO_LARGE;
	*value = (int64_t)(negative ? 0 - magnitude : magnitude);
	return LANEWISE_OK;
}

lanewise_status lanewise_json_i64(const char *text, const lanewise_json_node *node, int64_t *value)
{
	if (!is_integer(node))
		return LANEWISE_ERROR_ARGUMENT;
	return lanewise_json_read_i64(text + node->offset, node->n_bytes, value);
}

lanewise_status lanewise_json_f64(const char *text, const lanewise_json_node *node, double *value)
{
	uint64_t bits;

	if (node->type != LANEWISE_JSON_NUMBER)
		return LANEWISE_ERROR_ARGUMENT;
	bits = lanewise_json_float_bits(text + node->offset, node->n_bytes, 53, 11);
	memcpy(value, &bits, sizeof *value);
	return bits << 1 == 0xffe0000000000000 ? LANEWISE_ERROR_TOO_LARGE : LANEWISE_OK;
}

lanewise_status lanewise_json_f32(const char *text, const lanewise_json_node *node, float *value)
{
	uint32_t bits;

	if (node->type != LANEWISE_JSON_NUMBER)
		return LANEWISE_ERROR_ARGUMENT;
	bits = (uint32_t)lanewise_json_float_bits(text + node->offset, node->n_bytes, 24, 8);
	*value = lw_f32_from_bits(bits);
	return bits << 1 == 0xff000000 ? LANEWISE_ERROR_TOO_LARGE : LANEWISE_OK;
}

/* ---------------------------------------------------------------- strings */

/* The next stretch of a string's value: from the text itself or, for an escape, from `bytes`. */
static size_t next_stretch(const uint8_t **p, const uint8_t *end, uint8_t bytes[4], const uint8_t **stretch)
{
	size_t plain = lw_json_run(*p, (size_t)(end - *p));

	if (plain) {
		*stretch = *p;
		*p += plain;
		return plain;
	}
	*stretch = bytes;
	return lw_json_read_escape(p, end, bytes);
}

lanewise_status lanewise_json_string(const char *text, const lanewise_json_node *node, char *out, size_t capacity,
                                     size_t *n_out)
{
	const uint8_t *p = (const uint8_t *)text + node->offset + 1, *end = p + node->n_bytes - 2, *stretch;
	uint8_t bytes[4];
	size_t n = 0;

	if (node->type != LANEWISE_JSON_STRING)
		return LANEWISE_ERROR_ARGUMENT;
	if (!(node->flags & LANEWISE_JSON_ESCAPES)) {
		n = (size_t)(end - p);
		if (n > capacity)
			return LANEWISE_ERROR_CAPACITY;
		if (n)
			memcpy(out, p, n);
		*n_out = n;
		return LANEWISE_OK;
	}
	if (capacity >= (size_t)(end - p)) {
		*n_out = lw_kernels()->json_unescape(p, (size_t)(end - p), (uint8_t *)out);
		return LANEWISE_OK;
	}
	while (p < end) {
		size_t length = next_stretch(&p, end, bytes, &stretch);

		if (capacity - n < length)
			return LANEWISE_ERROR_CAPACITY;
		memcpy(out + n, stretch, length);
		n += length;
	}
	*n_out = n;
	return LANEWISE_OK;
}

static int string_equals(const char *text, const lanewise_json_node *node, const char *name, size_t n_name)
{
	const uint8_t *p = (const uint8_t *)text + node->offset + 1, *end = p + node->n_bytes - 2, *stretch;
	uint8_t bytes[4];

	if (!(node->flags & LANEWISE_JSON_ESCAPES))
		return (size_t)(end - p) == n_name && (n_name == 0 || memcmp(p, name, n_name) == 0);
	while (p < end) {
		size_t length = next_stretch(&p, end, bytes, &stretch);

		if (length > n_name || memcmp(stretch, name, length) != 0)
			return 0;
		name += length;
		n_name -= length;
	}
	return n_name == 0;
}

size_t lanewise_json_member(const char *text, const lanewise_json_node *nodes, size_t object, const char *name,
                            size_t n_name)
{
	size_t found = SIZE_MAX;

	if (nodes[object].type != LANEWISE_JSON_OBJECT)
		return SIZE_MAX;
	for (size_t i = object + 1; i < nodes[object].next; i = nodes[i + 1].next)
		if (string_equals(text, &nodes[i], name, n_name))
			found = i + 1;
	return found;
}

/* -------------------------------------------------------------- escaping */

/* Appends while there is room; counts in any case. */
static size_t append(char *out, size_t capacity, size_t n, const void *bytes, size_t length)
{
	if (n <= capacity && length <= capacity - n)
		memcpy(out + n, bytes, length);
	return n + length;
}

enum { MOST_OF_BYTE = 6, LEAST_PART = 32 };

size_t lanewise_json_escape(const char *text, size_t n_bytes, char *out, size_t capacity)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t at = 0, n = 0;

	/* As much at a time as surely fits, and the rest by runs. */
	while (at < n_bytes && n <= capacity) {
		size_t part = (capacity - n) / MOST_OF_BYTE;

		if (part > n_bytes - at)
			part = n_bytes - at;
		else if (part < LEAST_PART)
			break;
		n += lw_kernels()->json_escape(p + at, part, (uint8_t *)out + n);
		at += part;
	}
	while (at < n_bytes) {
		size_t plain = lw_json_run(p + at, n_bytes - at);

		if (plain)
			n = append(out, capacity, n, p + at, plain);
		at += plain;
		if (at < n_bytes) {
			const struct lw_json_escaped *escaped = &lw_json_escapes[p[at++]];

			n = append(out, capacity, n, escaped->bytes, escaped->n);
		}
	}
	return n;
}
