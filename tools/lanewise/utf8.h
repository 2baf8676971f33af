/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 for the lanewise command: where it is invalid, and how to print it without harm. */
#ifndef LW_TOOL_UTF8_H
#define LW_TOOL_UTF8_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The bytes of the character at `text`, whose code point goes to `*code_point`; 0 if it is not valid. n_bytes > 0. */
size_t utf8_decode(const char *text, size_t n_bytes, uint32_t *code_point);

/* The offset of the first byte that does not belong to a valid character; n_bytes if all do. */
size_t utf8_invalid_at(const char *text, size_t n_bytes);

/* Writes a code point, which is no surrogate, to `out` and returns its bytes, at most 4. */
size_t utf8_encode(uint32_t code_point, char out[4]);

/*
 * Prints text on one line: white space as one space, characters that control a terminal or its direction of writing,
 * and what is not UTF-8, as U+FFFD. If `columns` is not 0, what does not fit into that many is cut and replaced by an
 * ellipsis.
 */
void utf8_print_line(FILE *stream, const char *text, size_t n_bytes, size_t columns);

#endif
