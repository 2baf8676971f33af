/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/sse.h - server-sent events, as language models' services stream them, by the rules of the WHATWG's HTML
 * standard (section 9.2.6, "Interpreting an event stream").
 *
 * Lines end with CR LF, LF or CR, and with nothing else: U+0085 and U+2028 are data. A byte order mark at the beginning
 * is passed over; one space behind a field's colon is too. Lines of data are joined by LF. An event that the stream's
 * end leaves without its empty line is none. Bytes are passed on as they are, valid UTF-8 or not.
 *
 * The stream may be cut anywhere, inside a character, a line's end or the byte order mark too: events are those of the
 * whole. Everything is reentrant, works on the calling thread in caller memory, and takes time linear in the bytes fed.
 */
#ifndef LANEWISE_SSE_H
#define LANEWISE_SSE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The longest event type and last event id, in bytes. */
#define LANEWISE_SSE_NAME_BYTES 255

typedef struct lanewise_sse_event {
	const char *data; /* not NUL-terminated; it may hold any bytes */
	size_t n_data;
	const char *type; /* NUL-terminated; "message" unless the event says something else */
	size_t n_type;
	const char *id; /* the last event id, NUL-terminated; empty if there was none */
	size_t n_id;
	int64_t retry_ms; /* the reconnection time that the stream last asked for, or -1 */
} lanewise_sse_event;

/*
 *     lanewise_sse *sse = lanewise_sse_begin(scratch, n_scratch);
 *     for each piece:
 *         lanewise_sse_feed(sse, piece, n_bytes);
 *         while ((there = lanewise_sse_next(sse, &event)) > 0) ...
 */
typedef struct lanewise_sse lanewise_sse;

/* Scratch for events whose data and the line under way, but for comments, have up to n_bytes bytes together. */
LANEWISE_API size_t lanewise_sse_scratch_size(size_t n_bytes);

/*
 * Begins a stream in `scratch` of n_scratch bytes, aligned as by malloc; NULL if it is not, is NULL, or is smaller than
 * lanewise_sse_scratch_size(0). There is nothing to end or free.
 */
LANEWISE_API lanewise_sse *lanewise_sse_begin(void *scratch, size_t n_scratch);

/*
 * The next piece of the stream; it must stay as it is until lanewise_sse_next has returned 0, which must come before the
 * next call of feed. `bytes` may be NULL if n_bytes is 0.
 */
LANEWISE_API void lanewise_sse_feed(lanewise_sse *sse, const void *bytes, size_t n_bytes);

/*
 * 1 and the next event, whose pointers are valid until the next call; 0 if more of the stream is needed.
 * LANEWISE_ERROR_CAPACITY, from then on at every call: an event's data and a line are larger than the scratch allows, or a
 * type or id longer than LANEWISE_SSE_NAME_BYTES.
 */
LANEWISE_API int32_t lanewise_sse_next(lanewise_sse *sse, lanewise_sse_event *event);

#ifdef __cplusplus
}
#endif

#endif
