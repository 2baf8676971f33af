/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/timestamp.h - dates and times as text (RFC 3339, and what ISO 8601 allows beside it) to and from nanoseconds
 * since 1970-01-01T00:00:00Z.
 *
 * Read is a calendar date (YYYY-MM-DD or YYYYMMDD), then, unless that is all, one of 'T', 't', '_' or a space, a time
 * (HH:MM, HH:MM:SS, HHMM or HHMMSS; after seconds a fraction behind '.' or ',' of any number of digits), then perhaps an
 * offset from UTC ('Z', 'z', +HH, +HH:MM or +HHMM; '-' too). Nothing stands before or after. The calendar is the
 * Gregorian one, before its introduction too. A day has 24 hours of 60 minutes of 60 seconds: leap seconds (:60) and
 * 24:00 are errors.
 *
 * The values reach from 1677-09-21T00:12:43.145224193Z to 2262-04-11T23:47:16.854775807Z; others are errors.
 *
 * Everything is reentrant and runs on the calling thread. Nothing outside [text, text + n_bytes) is read.
 */
#ifndef LANEWISE_TIMESTAMP_H
#define LANEWISE_TIMESTAMP_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What stands for a text that is no timestamp where values are read in batches; never a value. */
#define LANEWISE_TIMESTAMP_NONE INT64_MIN

typedef struct lanewise_timestamp_options {
	size_t struct_size; /* sizeof(lanewise_timestamp_options) */

	/* Texts without an offset are taken to be this many minutes ahead of UTC (-1439 to 1439) ... */
	int32_t naive_offset_minutes;
	/* ... unless this is not 0, which makes them errors. */
	int32_t refuse_naive;

	/*
	 * Not 0: the value that int(datetime.fromisoformat(text).timestamp() * 1e9) has in Python, up to 240 ns beside the
	 * exact one in our time: digits behind the sixth of a fraction are dropped, and there is rounding to double twice.
	 */
	int32_t float_rounding;
} lanewise_timestamp_options;

/*
 * *nanoseconds becomes the value; digits behind the ninth of a fraction are dropped. `options` may be NULL for all zeros.
 * LANEWISE_ERROR_DATA if the text is malformed or the value out of range: `error` (may be NULL) says what is wrong, and
 * at which byte; *nanoseconds is then LANEWISE_TIMESTAMP_NONE.
 */
LANEWISE_API lanewise_status lanewise_timestamp_parse(const char *text, size_t n_bytes,
                                                      const lanewise_timestamp_options *options, int64_t *nanoseconds,
                                                      lanewise_error *error);

/*
 * The same for n texts, [begin[i], end[i]) of `text`. Malformed ones become LANEWISE_TIMESTAMP_NONE; *n_malformed (may be
 * NULL) is how many there are. LANEWISE_ERROR_DATA if there are any: `error` is then about the first, its offset within
 * `text`.
 */
LANEWISE_API lanewise_status lanewise_timestamp_parse_batch(const char *text, const uint64_t *begin,
                                                            const uint64_t *end, size_t n,
                                                            const lanewise_timestamp_options *options,
                                                            int64_t *nanoseconds, size_t *n_malformed,
                                                            lanewise_error *error);

/* Room for any text of the next function, its terminating 0 included. */
#define LANEWISE_TIMESTAMP_BYTES 36

/*
 * Writes "2026-11-21T04:30:00.123456789Z", with 0, 3, 6 or 9 digits behind the second (the rest is cut off, towards the
 * past), or with as many of those as the value needs if n_digits is -1; and a terminating 0. Returns the number of bytes
 * before that; 0 for LANEWISE_TIMESTAMP_NONE or another number of digits, with an empty text.
 */
LANEWISE_API size_t lanewise_timestamp_format(int64_t nanoseconds, int32_t n_digits,
                                              char text[LANEWISE_TIMESTAMP_BYTES]);

#ifdef __cplusplus
}
#endif

#endif
