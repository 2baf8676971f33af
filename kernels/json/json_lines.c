/* SPDX-License-Identifier: Apache-2.0 */
/* NDJSON, line by line. A newline is never part of a JSON value, except as white space, so lines are found first. */
#include <string.h>

#include <lanewise/json.h>

#include "common.h"
#include "support.h"

static int is_blank(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
			return 0;
	return 1;
}

/* The value of a line. Only errors that concern more than the line are returned. */
static lanewise_status parse_line(const char *text, size_t n, const lanewise_json_options *options,
                                  lanewise_json_node *nodes, size_t capacity, lanewise_json_line *line)
{
	lanewise_error error = { 0 };
	size_t n_nodes = 0;
	lanewise_status status = lanewise_json_parse(text, n, options, nodes, capacity, &n_nodes, &error);

	line->n_bytes = (uint32_t)n;
	line->status = (int32_t)status;
	line->error_at = status == LANEWISE_ERROR_DATA ? error.offset : 0;
	line->n_nodes = n_nodes;
	return status == LANEWISE_ERROR_DATA ? LANEWISE_OK : status;
}

lanewise_status lanewise_json_parse_lines(const char *text, size_t n_bytes, const lanewise_json_options *options,
                                          lanewise_json_node *nodes, size_t node_capacity, lanewise_json_line *lines,
                                          size_t line_capacity, size_t *n_lines, size_t *n_taken)
{
	size_t at = 0, n = 0, n_nodes = 0;

	if ((!text && n_bytes) || (!nodes && node_capacity) || (!lines && line_capacity) || !n_lines || !n_taken)
		return LANEWISE_ERROR_ARGUMENT;
	while (at < n_bytes) {
		const char *newline = memchr(text + at, '\n', n_bytes - at);
		size_t end = newline ? (size_t)(newline - text) : n_bytes;

		if (!is_blank(text + at, end - at)) {
			size_t n_line = end - at - (text[end - 1] == '\r');
			lanewise_status status = LANEWISE_ERROR_CAPACITY;

			if (n < line_capacity)
				status = parse_line(text + at, n_line, options, nodes + n_nodes,
				                    node_capacity - n_nodes, &lines[n]);
			if (status != LANEWISE_OK) {
				if (n > 0)
					break; /* told when this line is the first */
				*n_lines = *n_taken = 0;
				return status;
			}
			lines[n].begin = at;
			lines[n].first_node = n_nodes;
			n_nodes += lines[n++].n_nodes;
		}
		at = end + (newline != NULL);
	}
	*n_lines = n;
	*n_taken = at;
	return LANEWISE_OK;
}
