/* SPDX-License-Identifier: Apache-2.0 */
/* A stream of events, for the files of this family. */
#ifndef LW_SSE_STATE_H
#define LW_SSE_STATE_H

#include <lanewise/sse.h>

#include <stddef.h>

struct name {
	size_t n;
	char text[LANEWISE_SSE_NAME_BYTES + 1];
};

struct lanewise_sse {
	const char *at, *end; /* what is left of the piece */
	const char *lf, *cr;  /* the next LF at or behind `at`, or `end`; the next CR before that, or `lf` */
	size_t n_seen;        /* bytes of a byte order mark at the beginning; 3 once that is settled */
	int after_cr;         /* a line has ended with CR: an LF that follows belongs to it */
	int is_comment;       /* the line under way is, and is not kept */
	int is_given;         /* the event was given out: it is cleared at the next call */
	lanewise_status failed;
	struct name type, id;
	int64_t retry_ms;
	size_t capacity, n_data, n_line; /* in the buffer: data, then the line under way */
	char buffer[];
};

/* Before anything else is read: an event that was given out is over. */
static inline void lw_sse_clear_given(struct lanewise_sse *sse)
{
	if (sse->is_given) {
		sse->is_given = 0;
		sse->n_data = 0;
		sse->type.n = 0;
	}
}

/* Whether the stream stands before an event of which nothing has been read. */
static inline int lw_sse_is_between(const struct lanewise_sse *sse)
{
	return sse->n_seen == 3 && !sse->after_cr && !sse->is_comment && !sse->is_given && sse->n_data == 0 &&
	       sse->n_line == 0 && sse->type.n == 0 && !sse->failed;
}

#endif
