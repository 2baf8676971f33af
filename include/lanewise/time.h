/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/time.h - times as text: RFC 3339 and the ISO 8601 forms that programs write, to nanoseconds.
 *
 * Everything is reentrant, runs on the calling thread and allocates nothing.
 */
#ifndef LANEWISE_TIME_H
#define LANEWISE_TIME_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What is read, in the proleptic Gregorian calendar, years 0000 to 9999:
 *
 *     YYYY-MM-DD or YYYYMMDD
 *     then, if there is a time, T, t or a space, and hh:mm, hh:mm:ss, hhmm or hhmmss
 *     then, behind seconds, . or , and 1 or more digits; those beyond nanoseconds are cut off
 *     then Z, z, +hh:mm, +hhmm or +hh (or with -), or nothing
 *
 * and nothing else. A second of 60 counts as the first of the next minute. 24:00:00 is the end of the day. Without an
 * offset, a time counts as UTC unless LANEWISE_TIME_NEEDS_OFFSET is set. LANEWISE_TIME_RFC3339 takes only what RFC 3339
 * allows: extended form, T, t or space, seconds, an offset +hh:mm or Z, no comma, no 24:00.
 */
enum { LANEWISE_TIME_RFC3339 = 1, LANEWISE_TIME_NEEDS_OFFSET = 2 };

/*
 * Nanoseconds since 1970-01-01T00:00:00Z, exact. LANEWISE_ERROR_DATA: no such time; the offset is that of the first byte
 * that cannot be where it is, or of the field whose value is out of range. LANEWISE_ERROR_TOO_LARGE: before 1677-09-21 or
 * after 2262-04-11, where 64 bits end. LANEWISE_ERROR_ARGUMENT: a NULL pointer or unknown flags.
 */
LANEWISE_API lanewise_status lanewise_time_ns(const char *text, size_t n_bytes, uint32_t flags, int64_t *ns,
                                              lanewise_error *error);

/*
 * A column: text i is text[offsets[i], offsets[i + 1]), for i < n; so offsets has n + 1 values, ascending. What is no
 * time, or beyond 64 bits, becomes `missing`, and their number is returned.
 */
LANEWISE_API size_t lanewise_time_ns_column(const char *text, const uint64_t *offsets, size_t n, uint32_t flags,
                                            int64_t missing, int64_t *ns);

#ifdef __cplusplus
}
#endif

#endif
