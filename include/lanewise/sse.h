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
#include "json.h"

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

/* ----------------------------------------------------------- values of JSON */

/*
 * Events whose data is JSON, and what is at paths in it: for all events that a piece completes, in one call.
 *
 *     events = lanewise_sse_json_begin(scratch, n_scratch, paths, n_paths, NULL);
 *     for each piece:
 *         lanewise_sse_json_feed(events, piece, n_bytes);
 *         do {
 *             more = lanewise_sse_json_read(events, out, capacity, values, value_capacity, &result, &error);
 *             for each event e < result.n_events and path p: values[e * n_paths + p]
 *         } while (more > 0);
 *
 * Every text is checked as by lanewise_json_parse. The events of a stream are much alike: where one differs from an
 * earlier one in strings and numbers only, only these are read, and the rest compared.
 */
typedef struct lanewise_sse_json lanewise_sse_json;

/* Of lanewise_json_path. Without steps it leads to the whole value. */
typedef struct lanewise_sse_path {
	const lanewise_json_step *steps;
	size_t n_steps;
	const char *names;
} lanewise_sse_path;

enum { LANEWISE_SSE_SKIP = 1 /* data that is no JSON is counted and passed over; otherwise it is an error */ };

typedef struct lanewise_sse_json_options {
	size_t struct_size; /* sizeof(lanewise_sse_json_options) */
	uint32_t flags;     /* LANEWISE_SSE_... */
	uint32_t n_done;    /* bytes of `done` */
	const char *done;   /* the data of an event behind which nothing counts; NULL is "[DONE]", "" none */
	size_t max_bytes;   /* of an event's data and a line together; 0 is 1 MiB */
} lanewise_sse_json_options;

enum { LANEWISE_SSE_NOTHING = 255 /* beside LANEWISE_JSON_NULL and so on: nothing is at the path */ };

/* out[offset, offset + n_bytes): a string's text, escapes decoded; any other value as it is written. */
typedef struct lanewise_sse_value {
	uint64_t offset;
	uint32_t n_bytes;
	uint8_t type;  /* LANEWISE_JSON_... or LANEWISE_SSE_NOTHING */
	uint8_t flags; /* LANEWISE_JSON_INTEGER */
	uint16_t reserved;
} lanewise_sse_value;

/* Of one call, also if that returns an error. */
typedef struct lanewise_sse_json_result {
	size_t n_events;  /* with n_paths values each */
	size_t n_out;     /* bytes in `out` */
	size_t n_skipped; /* events that were no JSON; with LANEWISE_SSE_SKIP */
	uint32_t done;    /* whether the event `done` has come */
	uint32_t reserved;
	const char *data; /* LANEWISE_ERROR_DATA: that of the event in question, until the next call */
	size_t n_data;
} lanewise_sse_json_result;

/* Bytes of scratch; SIZE_MAX if there is no such size. `options` may be NULL. */
LANEWISE_API size_t lanewise_sse_json_scratch_size(size_t n_paths, const lanewise_sse_json_options *options);

/*
 * Begins a stream in `scratch`, aligned as by malloc; NULL if it is not or is too small, or the options are unknown.
 * Paths and `done` must stay as they are.
 */
LANEWISE_API lanewise_sse_json *lanewise_sse_json_begin(void *scratch, size_t n_scratch, const lanewise_sse_path *paths,
                                                        size_t n_paths, const lanewise_sse_json_options *options);

/* As lanewise_sse_feed; lanewise_sse_json_read must have returned 0 before the next call. */
LANEWISE_API void lanewise_sse_json_feed(lanewise_sse_json *events, const void *bytes, size_t n_bytes);

/*
 * 0: all events that the piece completes are read; 1: there is no room for the next one, call again. `out` has room for
 * `capacity` bytes, `values` for `value_capacity` values.
 *
 * LANEWISE_ERROR_CAPACITY: no room for a single event; result->n_out is the bytes it takes; with more room it comes.
 * LANEWISE_ERROR_DATA: an event's data is no JSON, the offset is that in it; the result has the events before, and the next
 * call goes on behind it. LANEWISE_ERROR_TOO_LARGE, from then on at every call: more than max_bytes, or a type or id longer
 * than LANEWISE_SSE_NAME_BYTES.
 */
LANEWISE_API int32_t lanewise_sse_json_read(lanewise_sse_json *events, char *out, size_t capacity,
                                            lanewise_sse_value *values, size_t value_capacity,
                                            lanewise_sse_json_result *result, lanewise_error *error);

#ifdef __cplusplus
}
#endif

#endif
