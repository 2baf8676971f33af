/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as RFC 8259 defines it and not a byte more, for JSON Lines input and --json output.
 *
 * A reader goes over text in memory, which must be followed by a NUL byte. Its functions skip white space before what they read
 * and return 1, or 0 after setting `error` and `error_at`; then the reader is of no more use.
 */
#ifndef LW_TOOL_JSON_H
#define LW_TOOL_JSON_H

#include "tool.h"

struct json_reader {
	const char *text;
	size_t n_bytes, at;
	const char *error; /* what was wrong, or NULL */
	size_t error_at;   /* the byte at which */
};

/* Values within values within values: at most so deep. */
enum { JSON_DEPTH = 64 };

void json_begin(struct json_reader *reader, const char *text, size_t n_bytes);

/* Sets an error at a byte, unless there is one, and returns 0. */
int json_fail(struct json_reader *reader, const char *error, size_t at);

/* The next byte that is no white space, which is not consumed; 0 at the end of the text. */
char json_peek(struct json_reader *reader);

/* Consumes this character, or fails saying that `what` was expected. */
int json_expect(struct json_reader *reader, char c, const char *what);

/* Appends the decoded string to `out`. */
int json_string(struct json_reader *reader, struct buffer *out);

/* Checks a number; it is text[*begin ... reader->at). */
int json_number(struct json_reader *reader, size_t *begin);

/* Checks any value. */
int json_skip(struct json_reader *reader);

/* Fails unless nothing but white space is left. */
int json_end(struct json_reader *reader);

/* Writes a string with its quotation marks; what is not UTF-8 becomes U+FFFD. */
void json_write_string(FILE *stream, const char *text, size_t n_bytes);

#endif
