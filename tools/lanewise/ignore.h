/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files are passed over, in lines as .gitignore has them: * and ? and [a-z] stand for anything but a slash, ** for
 * directories too; a line with a slash not at its end is meant from the list's directory on, others anywhere below it; one
 * with a slash at its end means directories only; ! before a line takes back what earlier ones said; # begins a comment,
 * \ takes away what is special. The last line that matches decides.
 */
#ifndef LW_TOOL_IGNORE_H
#define LW_TOOL_IGNORE_H

#include <stddef.h>

struct ignore_list {
	struct ignore_line *lines;
	size_t n, capacity;
};

/* Adds a line, or all lines of a text. */
void ignore_add_line(struct ignore_list *list, const char *line, size_t n);
void ignore_add_lines(struct ignore_list *list, const char *text, size_t n);

/* 1 if the list says that `path`, from the list's directory, is passed over; 0 if that it is not; -1 if nothing. */
int ignore_decides(const struct ignore_list *list, const char *path, int is_directory);

void ignore_free(struct ignore_list *list);

#endif
