/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that reads an input ahead: it finds the lines and hashes them (lines.h), so that whoever decides about them
 * has their hashes when the texts come. Parts of 128 KiB wait in a ring of eight. They take 1 MB, 12 or 20 bytes more for
 * each line in them, and more for lines longer than a part: each place grows to the longest it had.
 */
#ifndef LW_LINES_AHEAD_H
#define LW_LINES_AHEAD_H

#include "lines.h"
#include "tool.h"

struct lines_ahead;

/* Whole lines: the first begins at the front, each ends at a newline, at ends[i]. */
struct lines_part {
	const char *text;
	const uint32_t *ends;
	const uint64_t *hash;
	size_t n_lines;
};

/*
 * Goes on with an input of which `tail` was read and has no newline. Until lines_ahead_end, signals that tool_catch_signals
 * catches go to the thread, which stops for them. NULL: there is no such thread to be had.
 */
struct lines_ahead *lines_ahead_begin(struct lines *lines, int descriptor, const char *tail, size_t n_tail);

/* The next part, which stays until the one after it is asked for; NULL: there is no more. */
const struct lines_part *lines_ahead_next(struct lines_ahead *ahead);

/*
 * Ends the thread and appends what was read and not given out to `rest`. Returns 1 if that was the end of the input, 0 if
 * there may be more to read: behind a line too long to be compared, an error or a signal, or if some parts were left.
 */
int lines_ahead_end(struct lines_ahead *ahead, struct buffer *rest);

#endif
