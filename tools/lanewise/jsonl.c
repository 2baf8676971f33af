/* SPDX-License-Identifier: Apache-2.0 */
/* A document from a line of JSON: an object with "id" (a string or a number), "text" and, if it has one, "vector". */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "json.h"
#include "npy.h"

static int parse_id(struct json_reader *reader, struct buffer *id)
{
	size_t begin;
	char c = json_peek(reader);

	if (c == '"')
		return json_string(reader, id);
	if (c != '-' && (c < '0' || c > '9'))
		return json_fail(reader, "\"id\" is neither a string nor a number", reader->at);
	if (!json_number(reader, &begin))
		return 0;
	buffer_append(id, reader->text + begin, reader->at - begin);
	return 1;
}

static int parse_text(struct json_reader *reader, struct buffer *text)
{
	return json_peek(reader) == '"' ? json_string(reader, text)
	                                : json_fail(reader, "\"text\" is not a string", reader->at);
}

/* One number of a vector; the text goes on after it or has a NUL there, so strtof stops where json_number did. */
static int parse_element(struct json_reader *reader, struct buffer *vector)
{
	size_t begin;
	float value;

	if (!json_number(reader, &begin))
		return 0;
	value = strtof(reader->text + begin, NULL);
	if (!isfinite(value))
		return json_fail(reader, "a number in \"vector\" is too large for a float", begin);
	if (vector->n == NPY_MAX_DIM * sizeof value)
		return json_fail(reader, "\"vector\" has more than 1,048,576 numbers", begin);
	buffer_append(vector, &value, sizeof value);
	return 1;
}

static int parse_vector(struct json_reader *reader, struct buffer *vector)
{
	if (!json_expect(reader, '[', "\"vector\" is not an array"))
		return 0;
	if (json_peek(reader) == ']')
		return json_fail(reader, "\"vector\" is empty", reader->at);
	do
		if (!parse_element(reader, vector))
			return 0;
	while (json_peek(reader) == ',' && reader->at++ < reader->n_bytes);
	return json_expect(reader, ']', "expected ',' or ']'");
}

enum { ID = 1, TEXT = 2, VECTOR = 4 };

/* The value of the member whose key is in `buffers`. */
static int parse_member(struct json_reader *reader, struct jsonl_buffers *buffers, size_t key_at, int *seen)
{
	static const char *const names[] = { "id", "text", "vector" };
	int which = 0;

	for (int i = 0; i < 3; i++)
		if (buffers->key.n == strlen(names[i]) && memcmp(buffers->key.data, names[i], buffers->key.n) == 0)
			which = 1 << i;
	if (*seen & which)
		return json_fail(reader, "\"id\", \"text\" or \"vector\" occurs twice", key_at);
	*seen |= which;
	if (which == ID)
		return parse_id(reader, &buffers->id);
	if (which == TEXT)
		return parse_text(reader, &buffers->text);
	return which == VECTOR ? parse_vector(reader, &buffers->vector) : json_skip(reader);
}

static int parse_object(struct json_reader *reader, struct jsonl_buffers *buffers, int *seen)
{
	if (!json_expect(reader, '{', "expected an object"))
		return 0;
	if (json_peek(reader) == '}')
		return json_expect(reader, '}', "expected '}'");
	do {
		json_peek(reader);

		size_t key_at = reader->at;

		buffers->key.n = 0;
		if (json_peek(reader) != '"')
			return json_fail(reader, "expected a member's name", reader->at);
		if (!json_string(reader, &buffers->key) || !json_expect(reader, ':', "expected ':'") ||
		    !parse_member(reader, buffers, key_at, seen))
			return 0;
	} while (json_peek(reader) == ',' && reader->at++ < reader->n_bytes);
	return json_expect(reader, '}', "expected ',' or '}'");
}

const char *jsonl_parse(const char *line, size_t n_bytes, struct jsonl_buffers *buffers, struct document *document,
                        size_t *error_at)
{
	struct json_reader reader;
	int seen = 0;

	buffers->id.n = buffers->text.n = buffers->vector.n = 0;
	json_begin(&reader, line, n_bytes);
	if (parse_object(&reader, buffers, &seen) && json_end(&reader)) {
		if (!(seen & ID))
			json_fail(&reader, "there is no \"id\"", 0);
		else if (!(seen & TEXT))
			json_fail(&reader, "there is no \"text\"", 0);
		else if (buffers->id.n == 0)
			json_fail(&reader, "\"id\" is empty", 0);
	}
	*error_at = reader.error_at;
	document->id = buffers->id.data;
	document->id_bytes = buffers->id.n;
	document->text = buffers->text.n ? buffers->text.data : "";
	document->text_bytes = buffers->text.n;
	document->vector = seen & VECTOR ? (const float *)(const void *)buffers->vector.data : NULL;
	document->dim = buffers->vector.n / sizeof(float);
	return reader.error;
}

void jsonl_free(struct jsonl_buffers *buffers)
{
	buffer_free(&buffers->id);
	buffer_free(&buffers->text);
	buffer_free(&buffers->vector);
	buffer_free(&buffers->key);
}
