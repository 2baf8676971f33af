/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/filter.h - a stream of text taken apart at marks that begin and end spans, "<think>" and "</think>" say: to
 * cut the spans out, to show them elsewhere, or to count what is in them.
 *
 * The stream comes in pieces, cut anywhere, inside a mark or a character too, and what comes out does not depend on the
 * cuts: a text that may be the beginning of a mark is held back until it is one or is not. Nothing is lost or invented:
 * the bytes of all parts, marks included, are the stream.
 *
 * A mark is recognised as soon as its last byte is there; of several that end there, the longest. Outside of spans only
 * the pairs' starts are marks, inside only ends (and with `nested` starts too); others are text. No mark may contain
 * another that is looked for at the same time, except as its own end: it could never be found.
 *
 * Time is linear in the bytes, memory constant, whatever comes. Filters are immutable and may be shared between threads;
 * scratch may not.
 */
#ifndef LANEWISE_FILTER_H
#define LANEWISE_FILTER_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LANEWISE_FILTER_PAIRS      64   /* pairs of a filter, at most */
#define LANEWISE_FILTER_MARK_BYTES 1024 /* bytes of a mark, at most */
#define LANEWISE_FILTER_DEPTH      64   /* spans in spans, at most; a start in the innermost is text */

typedef struct lanewise_filter_pair {
	const char *start;
	size_t start_bytes; /* 1 ... LANEWISE_FILTER_MARK_BYTES */
	const char *end;
	size_t end_bytes;
} lanewise_filter_pair;

/*
 * The marks of the usual reasoning models: <think> </think>; <|begin_of_thinking|> <|end_of_thinking|>; the same with
 * U+FF5C and U+2581 for | and _. Their number into *n_pairs.
 */
LANEWISE_API const lanewise_filter_pair *lanewise_filter_think_pairs(size_t *n_pairs);

typedef struct lanewise_filter_options {
	size_t struct_size;  /* sizeof(lanewise_filter_options) */
	int32_t own_end;     /* nonzero: a span ends at its own pair's end; default: at any pair's */
	int32_t nested;      /* nonzero: spans may begin in spans, and the outer one ends after the inner ones */
	uint64_t max_inside; /* bytes in one outermost span (marks not counted) after which to tell; 0: never */
} lanewise_filter_options;

typedef struct lanewise_filter lanewise_filter;

/*
 * `options` NULL means the defaults, `allocator` NULL the C library's. The pairs are copied.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer, no pairs, another struct_size, an empty mark, or one that can never be found;
 * the error's text names the pairs. LANEWISE_ERROR_TOO_LARGE: the limits above. LANEWISE_ERROR_NO_MEMORY.
 */
LANEWISE_API lanewise_status lanewise_filter_create(const lanewise_filter_pair *pairs, size_t n_pairs,
                                                    const lanewise_filter_options *options,
                                                    const lanewise_allocator *allocator, lanewise_filter **filter,
                                                    lanewise_error *error);

/* NULL is fine. */
LANEWISE_API void lanewise_filter_destroy(lanewise_filter *filter);

/* ---------------------------------------------------------------- streams */

enum {
	LANEWISE_PART_OUTSIDE = 0, /* text outside of spans */
	LANEWISE_PART_INSIDE = 1,  /* text in a span */
	LANEWISE_PART_START = 2,   /* a mark that begins a span */
	LANEWISE_PART_END = 3,     /* a mark that ends one */
	LANEWISE_PART_LIMIT = 4    /* no bytes: the outermost span has max_inside bytes, and there are more */
};

typedef struct lanewise_part {
	int32_t kind;
	uint32_t depth;    /* spans around it: 0 outside; of a mark, around the span that it begins or ends */
	uint32_t pair;     /* whose start began the span that it is, or lies in; 0 outside */
	uint32_t reserved; /* 0 */
	uint64_t begin;    /* byte offset in the stream */
	const char *bytes;
	size_t n_bytes;
} lanewise_part;

/*
 * A stream under way.
 *
 *     lanewise_filtering *filtering = lanewise_filter_begin(filter, scratch);
 *     for each piece:
 *         lanewise_filter_feed(filtering, piece, n_bytes);
 *         while (lanewise_filter_next(filtering, &part)) ...
 *     lanewise_filter_finish(filtering);
 *     while (lanewise_filter_next(filtering, &part)) ...
 */
typedef struct lanewise_filtering lanewise_filtering;

/* Bytes of scratch for one stream; below 2048. */
LANEWISE_API size_t lanewise_filter_scratch_size(const lanewise_filter *filter);

/* Begins a stream in `scratch`, aligned as by malloc; NULL if it is not, or an argument is NULL. There is nothing to end. */
LANEWISE_API lanewise_filtering *lanewise_filter_begin(const lanewise_filter *filter, void *scratch);

/*
 * The next piece; it must stay as it is until lanewise_filter_next has returned 0, which must come before the next call
 * of feed or finish. `bytes` may be NULL if n_bytes is 0.
 */
LANEWISE_API void lanewise_filter_feed(lanewise_filtering *filtering, const char *bytes, size_t n_bytes);

/* The stream has ended; what was held back comes from lanewise_filter_next. A span that is open stays open. */
LANEWISE_API void lanewise_filter_finish(lanewise_filtering *filtering);

/*
 * 1 and the next part, or 0 if more text is needed. A text may come in several parts, depending on the cuts. part->bytes
 * lies in the piece, the scratch or the filter, and is valid until the next call.
 */
LANEWISE_API int32_t lanewise_filter_next(lanewise_filtering *filtering, lanewise_part *part);

/* The number of spans that are open, and of bytes that are held back; after lanewise_filter_next has returned 0. */
LANEWISE_API uint32_t lanewise_filter_depth(const lanewise_filtering *filtering);
LANEWISE_API size_t lanewise_filter_n_held(const lanewise_filtering *filtering);

/* ------------------------------------------------------------ whole texts */

/*
 * Writes the text without its spans and their marks to out[0 ... *n_out), where there must be room for n_bytes. A span
 * that is not ended reaches to the end. `out` may be `text`. *open, which may be NULL, is the number of spans left open.
 *
 * LANEWISE_ERROR_ARGUMENT: what lanewise_filter_begin refuses, or a NULL pointer to something not empty.
 */
LANEWISE_API lanewise_status lanewise_filter_cut(const lanewise_filter *filter, const char *text, size_t n_bytes,
                                                 void *scratch, char *out, size_t *n_out, uint32_t *open);

#ifdef __cplusplus
}
#endif

#endif
