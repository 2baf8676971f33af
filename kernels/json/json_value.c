/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a parsed text: numbers, strings, members; and the way back for strings. */
#include <lanewise/json.h>

#include "common.h"

#include "json_number.h"
#include "json_run.h"

/* ---------------------------------------------------------------- numbers */

/* The digits of an integer as a magnitude. */
static lanewise_status read_magnitude(const char *text, const lanewise_json_node *node, int *negative, uint64_t *value)
{
	const char *p = text + node->offset, *end = p + node->n_bytes;

	if (node->type != LANEWISE_JSON_NUMBER || !(node->flags & LANEWISE_JSON_INTEGER))
		return LANEWISE_ERROR_ARGUMENT;
	*negative = *p == '-';
	*value = 0;
	for (p += *negative; p < end; p++)
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(*p - '0'), value))
			return LANEWISE_ERROR_TOO_LARGE;
	return LANEWISE_OK;
}

lanewise_status lanewise_json_u64(const char *text, const lanewise_json_node *node, uint64_t *value)
{
	uint64_t magnitude;
	int negative;
	lanewise_status status = read_magnitude(text, node, &negative, &magnitude);

	if (status != LANEWISE_OK)
		return status;
	if (negative && magnitude)
		return LANEWISE_ERROR_TOO_LARGE;
	*value = magnitude;
	return LANEWISE_OK;
}

lanewise_status lanewise_json_i64(const char *text, const lanewise_json_node *node, int64_t *value)
{
	uint64_t magnitude;
	int negative;
	lanewise_status status = read_magnitude(text, node, &negative, &magnitude);

	if (status != LANEWISE_OK)
		return status;
	if (magnitude > (uint64_t)INT64_MAX + (uint64_t)negative)
		return LANEWISE_ERROR_TOO_LARGE;
	*value = (int64_t)(negative ? 0 - magnitude : magnitude);
	return LANEWISE_OK;
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

#define READ_ARRAY(one) \
	lanewise_status status = LANEWISE_OK; \
	size_t count = 0; \
\
	if (nodes[array].type != LANEWISE_JSON_ARRAY) \
		return LANEWISE_ERROR_ARGUMENT; \
	for (size_t i = array + 1; i < nodes[array].next; i++, count++) { \
		if (count == capacity) \
			status = LANEWISE_ERROR_CAPACITY; \
		else /* an element that is an array or object is refused, so i + 1 is the next */ \
			status = one(text, &nodes[i], &values[count]); \
		if (status != LANEWISE_OK) \
			break; \
	} \
	*n_values = count; \
	return status

lanewise_status lanewise_json_f64_array(const char *text, const lanewise_json_node *nodes, size_t array, double *values,
                                        size_t capacity, size_t *n_values)
{
	READ_ARRAY(lanewise_json_f64);
}

lanewise_status lanewise_json_f32_array(const char *text, const lanewise_json_node *nodes, size_t array, float *values,
                                        size_t capacity, size_t *n_values)
{
	READ_ARRAY(lanewise_json_f32);
}

lanewise_status lanewise_json_i64_array(const char *text, const lanewise_json_node *nodes, size_t array,
                                        int64_t *values, size_t capacity, size_t *n_values)
{
	READ_ARRAY(lanewise_json_i64);
}

/* ---------------------------------------------------------------- strings */

static size_t put_utf8(uint32_t code, uint8_t out[4])
{
	size_t n = 0;

	if (code < 0x80) {
		out[n++] = (uint8_t)code;
		return n;
	}
	if (code < 0x800) {
		out[n++] = (uint8_t)(0xc0 | code >> 6);
	} else {
		if (code < 0x10000) {
			out[n++] = (uint8_t)(0xe0 | code >> 12);
		} else {
			out[n++] = (uint8_t)(0xf0 | code >> 18);
			out[n++] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
		}
		out[n++] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
	}
	out[n++] = (uint8_t)(0x80 | (code & 0x3f));
	return n;
}

/* Decodes the valid escape at *p, which goes behind it; the bytes go to `out`, their number is returned. */
static size_t read_escape(const uint8_t **p, const uint8_t *end, uint8_t out[4])
{
	static const uint8_t values[128] = { ['b'] = '\b', ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r',
		                             ['t'] = '\t', ['"'] = '"',  ['\\'] = '\\', ['/'] = '/' };
	uint8_t c = (*p)[1];
	uint32_t code;

	if (c != 'u') {
		out[0] = values[c & 127];
		*p += 2;
		return 1;
	}
	code = (uint32_t)lw_json_read_hex(*p + 2);
	*p += 6;
	if (code >= 0xd800 && code <= 0xdbff && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
		uint32_t low = (uint32_t)lw_json_read_hex(*p + 2);

		if (low >= 0xdc00 && low <= 0xdfff) {
			*p += 6;
			return put_utf8(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00), out);
		}
	}
	return put_utf8(code >= 0xd800 && code <= 0xdfff ? 0xfffd : code, out);
}

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
	return read_escape(p, end, bytes);
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

enum { STRETCH = 32, MOST_OF_ESCAPE = 4, LONG = 4 /* clean stretches, then the kernel */ };

/* The high bit of each byte that is a backslash, and perhaps of bytes above one. */
static uint64_t find_backslashes(uint64_t eight)
{
	const uint64_t ones = 0x0101010101010101, x = eight ^ ones * '\\';

	return (x - ones) & ~x & (ones * 0x80);
}

/* The high bits of eight bytes as eight bits. */
static uint32_t pack_bits(uint64_t high) { return (uint32_t)((high >> 7) * 0x0102040810204080 >> 56); }

/* Copies STRETCH bytes; returns how many there are before the first backslash. */
static inline size_t copy_stretch(const uint8_t *p, uint8_t *out)
{
	uint64_t eight[4], hits[4];

	memcpy(eight, p, sizeof eight);
	memcpy(out, eight, sizeof eight);
	for (int i = 0; i < 4; i++)
		hits[i] = find_backslashes(eight[i]);
	if (!(hits[0] | hits[1] | hits[2] | hits[3]))
		return STRETCH;
	return (size_t)__builtin_ctz(pack_bits(hits[0]) | pack_bits(hits[1]) << 8 | pack_bits(hits[2]) << 16 |
	                             pack_bits(hits[3]) << 24);
}

/* Copies what stands before the next quote, backslash or control character, as far as there is room. */
static size_t copy_long_run(const uint8_t *p, size_t n_bytes, uint8_t *out, size_t capacity)
{
	size_t n = lw_kernels()->json_plain(p, n_bytes < capacity ? n_bytes : capacity);

	if (n)
		memcpy(out, p, n);
	return n;
}

/*
 * Decodes as far as whole stretches may be read from *p, before `end`, and written, with an escape behind each; returns the
 * bytes written.
 */
static size_t decode_stretches(const uint8_t **p, const uint8_t *end, uint8_t *out, size_t capacity)
{
	size_t n = 0;
	unsigned n_clean = 0;

	while (end - *p >= STRETCH && capacity - n >= STRETCH + MOST_OF_ESCAPE) {
		size_t length = copy_stretch(*p, out + n);

		*p += length;
		n += length;
		if (length < STRETCH) {
			n += read_escape(p, end, out + n);
			n_clean = 0;
		} else if (++n_clean == LONG) {
			length = copy_long_run(*p, (size_t)(end - *p), out + n, capacity - n);
			*p += length;
			n += length;
			n_clean = 0;
		}
	}
	return n;
}

#else

static size_t decode_stretches(const uint8_t **p, const uint8_t *end, uint8_t *out, size_t capacity)
{
	(void)p, (void)end, (void)out, (void)capacity;
	return 0;
}

#endif

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
	n = decode_stretches(&p, end, (uint8_t *)out, capacity);
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

static size_t escape_byte(uint8_t c, uint8_t out[6])
{
	static const char hex[] = "0123456789abcdef";
	static const uint8_t letters[128] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'
	};

	out[0] = '\\';
	if (letters[c & 127]) {
		out[1] = letters[c & 127];
		return 2;
	}
	memcpy(out + 1, "u00", 3);
	out[4] = (uint8_t)hex[c >> 4];
	out[5] = (uint8_t)hex[c & 15];
	return 6;
}

/* Appends while there is room; counts in any case. */
static size_t append(char *out, size_t capacity, size_t n, const void *bytes, size_t length)
{
	if (n <= capacity && length <= capacity - n)
		memcpy(out + n, bytes, length);
	return n + length;
}

size_t lanewise_json_escape(const char *text, size_t n_bytes, char *out, size_t capacity)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t at = 0, n = 0;

	while (at < n_bytes) {
		size_t plain = lw_json_run(p + at, n_bytes - at);
		uint8_t bytes[6];

		if (plain)
			n = append(out, capacity, n, p + at, plain);
		at += plain;
		if (at < n_bytes)
			n = append(out, capacity, n, bytes, escape_byte(p[at++], bytes));
	}
	return n;
}
