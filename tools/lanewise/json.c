/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <string.h>

#include "utf8.h"

void json_begin(struct json_reader *reader, const char *text, size_t n_bytes)
{
	*reader = (struct json_reader) { .text = text, .n_bytes = n_bytes };
}

int json_fail(struct json_reader *reader, const char *error, size_t at)
{
	if (!reader->error) {
		reader->error = error;
		reader->error_at = at;
	}
	return 0;
}

/* The byte at the reader's place, or NUL at the end; a NUL in the text is valid nowhere, so it may look like one. */
static char here(const struct json_reader *reader)
{
	return reader->at < reader->n_bytes ? reader->text[reader->at] : '\0';
}

char json_peek(struct json_reader *reader)
{
	char c;

	while ((c = here(reader)) == ' ' || c == '\t' || c == '\n' || c == '\r')
		reader->at++;
	return c;
}

int json_expect(struct json_reader *reader, char c, const char *what)
{
	if (json_peek(reader) != c || reader->at == reader->n_bytes)
		return json_fail(reader, what, reader->at);
	reader->at++;
	return 1;
}

int json_end(struct json_reader *reader)
{
	json_peek(reader);
	return reader->at == reader->n_bytes ? 1 : json_fail(reader, "something follows the value", reader->at);
}

/* ------------------------------------------------------------------- strings */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits after \u, at the reader's place. */
static int read_hex(struct json_reader *reader, uint32_t *value)
{
	*value = 0;
	for (int i = 0; i < 4; i++, reader->at++) {
		int digit = hex_digit(here(reader));

		if (digit < 0)
			return json_fail(reader, "\\u needs four hexadecimal digits", reader->at);
		*value = *value << 4 | (uint32_t)digit;
	}
	return 1;
}

/* What follows \u, a second half of a surrogate pair included. */
static int read_unicode_escape(struct json_reader *reader, uint32_t *c)
{
	size_t start = reader->at - 2;
	uint32_t low;

	if (!read_hex(reader, c))
		return 0;
	if (*c < 0xd800 || *c >= 0xe000)
		return 1;
	if (*c >= 0xdc00 || here(reader) != '\\')
		return json_fail(reader, "half of a surrogate pair", start);
	reader->at++;
	if (here(reader) != 'u')
		return json_fail(reader, "half of a surrogate pair", start);
	reader->at++;
	if (!read_hex(reader, &low))
		return 0;
	if (low < 0xdc00 || low >= 0xe000)
		return json_fail(reader, "half of a surrogate pair", start);
	*c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
	return 1;
}

/* An escape, whose backslash is at the reader's place. */
static int read_escape(struct json_reader *reader, struct buffer *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char bytes[4];
	uint32_t c;

	reader->at++;

	char letter = here(reader);
	const char *found = letter ? strchr(from, letter) : NULL;

	if (!found && letter != 'u')
		return json_fail(reader, "unknown escape in a string", reader->at);
	reader->at++;
	if (found) {
		buffer_append(out, &to[found - from], 1);
		return 1;
	}
	if (!read_unicode_escape(reader, &c))
		return 0;
	buffer_append(out, bytes, utf8_encode(c, bytes));
	return 1;
}

/* Bytes up to the next quotation mark, backslash or control character. */
static int read_plain(struct json_reader *reader, struct buffer *out)
{
	size_t begin = reader->at, end = begin, invalid;

	while (end < reader->n_bytes && (unsigned char)reader->text[end] >= ' ' && reader->text[end] != '"' &&
	       reader->text[end] != '\\')
		end++;
	invalid = utf8_invalid_at(reader->text + begin, end - begin);
	if (invalid < end - begin)
		return json_fail(reader, "invalid UTF-8 in a string", begin + invalid);
	buffer_append(out, reader->text + begin, end - begin);
	reader->at = end;
	return 1;
}

int json_string(struct json_reader *reader, struct buffer *out)
{
	if (!json_expect(reader, '"', "expected a string"))
		return 0;
	for (;;) {
		if (!read_plain(reader, out))
			return 0;
		if (reader->at == reader->n_bytes)
			return json_fail(reader, "a string does not end", reader->at);
		if (here(reader) == '"') {
			reader->at++;
			return 1;
		}
		if (here(reader) != '\\')
			return json_fail(reader, "control character in a string", reader->at);
		if (!read_escape(reader, out))
			return 0;
	}
}

/* ------------------------------------------------------------ other values */

static size_t skip_digits(struct json_reader *reader)
{
	size_t begin = reader->at;

	while (here(reader) >= '0' && here(reader) <= '9')
		reader->at++;
	return reader->at - begin;
}

int json_number(struct json_reader *reader, size_t *begin)
{
	json_peek(reader);
	*begin = reader->at;
	if (here(reader) == '-')
		reader->at++;
	if (here(reader) == '0')
		reader->at++;
	else if (skip_digits(reader) == 0)
		return json_fail(reader, "expected a number", reader->at);
	if (here(reader) == '.') {
		reader->at++;
		if (skip_digits(reader) == 0)
			return json_fail(reader, "expected a digit after the decimal point", reader->at);
	}
	if (here(reader) == 'e' || here(reader) == 'E') {
		reader->at++;
		if (here(reader) == '+' || here(reader) == '-')
			reader->at++;
		if (skip_digits(reader) == 0)
			return json_fail(reader, "expected a digit in the exponent", reader->at);
	}
	return 1;
}

static int skip_word(struct json_reader *reader, const char *word)
{
	size_t length = strlen(word);

	if (reader->n_bytes - reader->at < length || memcmp(reader->text + reader->at, word, length) != 0)
		return json_fail(reader, "expected a value", reader->at);
	reader->at += length;
	return 1;
}

static int skip_scalar(struct json_reader *reader)
{
	size_t begin;

	switch (json_peek(reader)) {
	case 't':
		return skip_word(reader, "true");
	case 'f':
		return skip_word(reader, "false");
	case 'n':
		return skip_word(reader, "null");
	case '"': {
		struct buffer ignored = { 0 };
		int good = json_string(reader, &ignored);

		buffer_free(&ignored);
		return good;
	}
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		return json_number(reader, &begin);
	default:
		return json_fail(reader, "expected a value", reader->at);
	}
}

static int skip_key(struct json_reader *reader)
{
	struct buffer ignored = { 0 };
	int good = json_peek(reader) == '"' ? json_string(reader, &ignored)
	                                    : json_fail(reader, "expected a member's name", reader->at);

	buffer_free(&ignored);
	return good && json_expect(reader, ':', "expected ':'");
}

/* After a value: closes what ends here. Returns 1 if another value follows, and at depth 0. */
static int skip_separators(struct json_reader *reader, const char *closing, int *depth)
{
	while (*depth > 0) {
		char close = closing[*depth - 1], next = json_peek(reader);

		if (next == close && reader->at < reader->n_bytes) {
			reader->at++;
			--*depth;
			continue;
		}
		if (!json_expect(reader, ',', close == ']' ? "expected ',' or ']'" : "expected ',' or '}'"))
			return 0;
		return close == ']' || skip_key(reader);
	}
	return 1;
}

int json_skip(struct json_reader *reader)
{
	char closing[JSON_DEPTH];
	int depth = 0;

	do {
		char c = json_peek(reader);

		if (c == '[' || c == '{') {
			if (depth == JSON_DEPTH)
				return json_fail(reader, "values are nested more than 64 deep", reader->at);
			reader->at++;
			closing[depth++] = c == '[' ? ']' : '}';
			if (json_peek(reader) != closing[depth - 1]) {
				if (c == '{' && !skip_key(reader))
					return 0;
				continue;
			}
		} else if (!skip_scalar(reader)) {
			return 0;
		}
		if (!skip_separators(reader, closing, &depth))
			return 0;
		if (depth == 0)
			return 1;
	} while (1);
}

/* ------------------------------------------------------------------- writing */

void json_write_string(FILE *stream, const char *text, size_t n_bytes)
{
	putc('"', stream);
	for (size_t at = 0; at < n_bytes;) {
		uint32_t c;
		size_t length = utf8_decode(text + at, n_bytes - at, &c);

		if (length == 0)
			fputs("\\ufffd", stream);
		else if (c == '"' || c == '\\')
			fprintf(stream, "\\%c", (int)c);
		else if (c == '\n')
			fputs("\\n", stream);
		else if (c < ' ' || c == 0x7f)
			fprintf(stream, "\\u%04x", (unsigned)c);
		else
			fwrite(text + at, 1, length, stream);
		at += length ? length : 1;
	}
	putc('"', stream);
}
