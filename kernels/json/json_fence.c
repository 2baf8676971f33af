/* SPDX-License-Identifier: Apache-2.0 */
/* Code fences of Markdown, line by line. */
#include <lanewise/json.h>

#include "common.h"
#include "support.h"

/* A line of text: text[begin, end) without its line end; the next one begins at `next`. */
struct line {
	size_t begin, end, next;
};

static struct line line_at(const char *text, size_t n, size_t at)
{
	const char *newline = memchr(text + at, '\n', n - at);
	size_t end = newline ? (size_t)(newline - text) : n;

	return (struct line) { at, end - (end > at && text[end - 1] == '\r'), end + (newline != NULL) };
}

static int is_blank(char c) { return c == ' ' || c == '\t'; }

/* The number of fence characters, three or more, that the line begins with behind at most three spaces; else 0. */
static size_t count_marks(const char *text, struct line line, size_t *behind)
{
	size_t at = line.begin, begin;

	while (at < line.end && text[at] == ' ')
		at++;
	begin = at;
	if (at == line.end || at - line.begin > 3 || (text[at] != '`' && text[at] != '~'))
		return 0;
	while (at < line.end && text[at] == text[begin])
		at++;
	*behind = at;
	return at - begin >= 3 ? at - begin : 0;
}

/* The mark of a line that has some. */
static char mark_of(const char *text, struct line line)
{
	while (text[line.begin] == ' ')
		line.begin++;
	return text[line.begin];
}

/* Whether the line opens a fence, which is then begun. */
static int opens(const char *text, struct line line, size_t *n_marks, lanewise_json_fence *fence)
{
	size_t at = line.begin, end;

	*n_marks = count_marks(text, line, &at);
	if (*n_marks == 0 || (text[at - 1] == '`' && line.end > at && memchr(text + at, '`', line.end - at)))
		return 0;
	while (at < line.end && is_blank(text[at]))
		at++;
	for (end = at; end < line.end && !is_blank(text[end]); end++)
		;
	*fence = (lanewise_json_fence) { line.next, 0, at, end - at, 0, 0 };
	return 1;
}

/* Whether the line closes a fence of so many of a mark. */
static int closes(const char *text, struct line line, size_t n_marks, char mark)
{
	size_t at = line.begin;

	if (count_marks(text, line, &at) < n_marks || text[at - 1] != mark)
		return 0;
	while (at < line.end && is_blank(text[at]))
		at++;
	return at == line.end;
}

lanewise_status lanewise_json_fences(const char *text, size_t n_bytes, lanewise_json_fence *fences, size_t capacity,
                                     size_t *n_found)
{
	lanewise_json_fence fence = { 0 };
	size_t n_marks = 0, count = 0;
	char mark = 0;

	if ((!text && n_bytes) || (!fences && capacity) || !n_found)
		return LANEWISE_ERROR_ARGUMENT;
	for (size_t at = 0; at < n_bytes || mark;) {
		struct line line = { n_bytes, n_bytes, n_bytes };

		if (at < n_bytes)
			line = line_at(text, n_bytes, at);
		if (!mark && opens(text, line, &n_marks, &fence)) {
			mark = mark_of(text, line);
		} else if (mark && (at == n_bytes || closes(text, line, n_marks, mark))) {
			fence.closed = at < n_bytes;
			fence.n_bytes = at - fence.offset; /* without the last line's end */
			if (fence.n_bytes && text[at - 1] == '\n')
				fence.n_bytes -= 1 + (fence.n_bytes > 1 && text[at - 2] == '\r');
			if (count < capacity)
				fences[count] = fence;
			count++;
			mark = 0;
		}
		at = line.next;
	}
	*n_found = count;
	return count > capacity ? LANEWISE_ERROR_CAPACITY : LANEWISE_OK;
}
