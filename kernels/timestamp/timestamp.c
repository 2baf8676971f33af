/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/timestamp.h. The usual form, YYYY-MM-DDTHH:MM:SS with a fraction and an offset or without, is checked and read
 * in words of eight bytes; whatever fails there, if only for its year, goes through a reader that goes byte by byte and
 * can say what is wrong.
 */
#include <lanewise/timestamp.h>

#include "common.h"
#include "support.h"

#define SECOND INT64_C(1000000000)

struct fields {
	uint32_t year, month, day, hour, minute, second, nanosecond;
	int32_t has_offset, offset_minutes;
};

struct reader {
	const char *text;
	size_t n, at;
	lanewise_error *error;
};

__attribute__((format(printf, 3, 4), cold)) LW_NOINLINE static int wrong(const struct reader *r, size_t at,
                                                                         const char *format, ...)
{
	char what[sizeof r->error->what];
	va_list arguments;

	if (!r->error)
		return 0;
	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	lw_fail(r->error, LANEWISE_ERROR_DATA, at, "timestamp: %s", what);
	return 0;
}

/* ------------------------------------------------------------ words of text */

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/*
 * A word less `layout` (in which '0' stands for a digit) has 0 ... 9 for digits and 0 for the rest; adding `slack` (127
 * less the largest allowed) brings anything more into the top bit, unless the byte had it already.
 */
LW_INLINE uint64_t misfits(uint64_t digits, uint64_t slack) { return ((digits + slack) | digits) & EACH(0x80); }

/* Bytes 10 a + b where a and b were neighbours: the number of two digits, at the first of them. */
LW_INLINE uint64_t pairs(uint64_t digits) { return digits * 10 + (digits >> 8); }
LW_INLINE uint32_t byte_of(uint64_t word, int i) { return (uint32_t)(word >> 8 * i & 0xff); }

/* The number of eight digits. */
LW_INLINE uint32_t number_of_8(uint64_t digits)
{
	const uint64_t every_fourth = UINT64_C(0x000000ff000000ff);

	digits = pairs(digits);
	return (uint32_t)(((digits & every_fourth) * (100 + (UINT64_C(1000000) << 32)) +
	                   (digits >> 16 & every_fourth) * (1 + (UINT64_C(10000) << 32))) >>
	                  32);
}

/* ------------------------------------------------------------- byte by byte */

static int is_digit(char c) { return c >= '0' && c <= '9'; }

static int next_is(struct reader *r, char c)
{
	if (r->at == r->n || r->text[r->at] != c)
		return 0;
	r->at++;
	return 1;
}

static int read_number(struct reader *r, int n_digits, const char *name, uint32_t *value)
{
	*value = 0;
	for (int i = 0; i < n_digits; i++, r->at++) {
		if (r->at == r->n)
			return wrong(r, r->at, "ends within the %s, of %d digits", name, n_digits);
		if (!is_digit(r->text[r->at]))
			return wrong(r, r->at, "byte 0x%02x where the %s, of %d digits, should be",
			             (unsigned char)r->text[r->at], name, n_digits);
		*value = *value * 10 + (uint32_t)(r->text[r->at] - '0');
	}
	return 1;
}

static int read_date(struct reader *r, struct fields *f)
{
	if (!read_number(r, 4, "year", &f->year))
		return 0;

	int extended = next_is(r, '-');

	if (!read_number(r, 2, "month", &f->month))
		return 0;
	if (extended && !next_is(r, '-'))
		return wrong(r, r->at, "no '-' between month and day");
	return read_number(r, 2, "day", &f->day);
}

static int read_time(struct reader *r, struct fields *f)
{
	if (!read_number(r, 2, "hour", &f->hour))
		return 0;

	int extended = next_is(r, ':');

	if (!read_number(r, 2, "minute", &f->minute))
		return 0;
	if (extended ? next_is(r, ':') : r->at < r->n && is_digit(r->text[r->at]))
		return read_number(r, 2, "second", &f->second);
	if (r->at < r->n && (r->text[r->at] == '.' || r->text[r->at] == ','))
		return wrong(r, r->at, "a fraction of a minute");
	return 1;
}

static int read_moment(struct reader *r, struct fields *f)
{
	if (!read_date(r, f))
		return 0;
	if (r->at == r->n)
		return 1;
	if (!next_is(r, 'T') && !next_is(r, 't') && !next_is(r, ' ') && !next_is(r, '_'))
		return wrong(r, r->at, "byte 0x%02x between date and time instead of T or a space",
		             (unsigned char)r->text[r->at]);
	return read_time(r, f);
}

/* The digits behind '.' as nanoseconds. */
static int read_fraction(struct reader *r, struct fields *f)
{
	uint32_t scale = 100000000;
	size_t begin = r->at;

	for (; r->at < r->n && is_digit(r->text[r->at]); r->at++, scale /= 10)
		f->nanosecond += (uint32_t)(r->text[r->at] - '0') * scale;
	return r->at > begin ? 1 : wrong(r, r->at, "no digit in the fraction of the second");
}

static int read_offset(struct reader *r, struct fields *f)
{
	size_t begin = r->at;
	uint32_t hours, minutes = 0;

	f->has_offset = 1;
	if (next_is(r, 'Z') || next_is(r, 'z'))
		return 1;

	int negative = next_is(r, '-');

	if (!negative && !next_is(r, '+'))
		return wrong(r, begin, "byte 0x%02x behind the time instead of Z, '+' or '-'",
		             (unsigned char)r->text[begin]);
	if (!read_number(r, 2, "hours of the offset", &hours))
		return 0;
	if (r->at < r->n) {
		next_is(r, ':');
		if (!read_number(r, 2, "minutes of the offset", &minutes))
			return 0;
	}
	if (hours > 23 || minutes > 59)
		return wrong(r, begin, "an offset of %u hours and %u minutes", hours, minutes);
	f->offset_minutes = (int32_t)(hours * 60 + minutes) * (negative ? -1 : 1);
	return 1;
}

/* ------------------------------------------------------------------- values */

static uint32_t days_of_month(uint32_t year, uint32_t month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : days[month - 1];
}

/* Where month (0), day, hour, minute and second (4) stand. */
static size_t place_of(const struct reader *r, int field)
{
	int extended_date = r->text[4] == '-';
	size_t time = extended_date ? 11 : 9;

	if (field < 2)
		return extended_date ? 5 + 3 * (size_t)field : 4 + 2 * (size_t)field;
	return time + (size_t)(field - 2) * (r->text[time + 2] == ':' ? 3 : 2);
}

static int check_fields(const struct reader *r, const struct fields *f)
{
	if (f->month < 1 || f->month > 12)
		return wrong(r, place_of(r, 0), "month %u", f->month);
	if (f->day < 1 || (f->day > 28 && f->day > days_of_month(f->year, f->month)))
		return wrong(r, place_of(r, 1), "day %u of month %u in %u", f->day, f->month, f->year);
	if (f->hour > 23)
		return wrong(r, place_of(r, 2), "hour %u", f->hour);
	if (f->minute > 59)
		return wrong(r, place_of(r, 3), "minute %u", f->minute);
	if (f->second > 59)
		return wrong(r, place_of(r, 4), "second %u%s", f->second,
		             f->second == 60 ? ": leap seconds have no number" : "");
	return 1;
}

/* Days since 1970-01-01. Years begin in March here, which puts the day that some lack at their end. */
static int32_t days_of(uint32_t year, uint32_t month, uint32_t day)
{
	uint32_t y = year + 4800 - (month <= 2);
	uint32_t m = month <= 2 ? month + 9 : month - 3; /* 0 is March */

	return (int32_t)(365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day) - 2472633;
}

/* microseconds / 1e6, rounded once. */
static double seconds_of(int64_t microseconds)
{
	int64_t magnitude = microseconds < 0 ? -microseconds : microseconds;

	/* Both are doubles then, and a division rounds once. */
	if (magnitude <= INT64_C(1) << 53)
		return (double)microseconds / 1e6;

	/* At most 2^63 / 1000 microseconds are 2^33 to 2^34 seconds, whose doubles are multiples of 2^-19. */
	int64_t rest = (magnitude % 1000000) << 19;
	int64_t multiples = (magnitude / 1000000 << 19) + rest / 1000000;
	int64_t left = rest % 1000000;

	multiples += left > 500000 || (left == 500000 && multiples & 1);
	return (double)(microseconds < 0 ? -multiples : multiples) * 0x1p-19;
}

static int make_value(const struct reader *r, const struct fields *f, const lanewise_timestamp_options *options,
                      int64_t *value)
{
	int32_t offset = f->offset_minutes;

	if (!f->has_offset) {
		if (options && options->refuse_naive)
			return wrong(r, r->n, "no offset from UTC");
		offset = options ? options->naive_offset_minutes : 0;
	}

	int64_t seconds = (int64_t)days_of(f->year, f->month, f->day) * 86400 + f->hour * 3600 + f->minute * 60 +
	                  f->second - (int64_t)offset * 60;
	/* Before 1970 the fraction is counted from the second above, so that no step passes the smallest value. */
	int borrowed = seconds < 0;
	int64_t fraction = (int64_t)f->nanosecond - (borrowed ? SECOND : 0), nanoseconds;

	if (__builtin_mul_overflow(seconds + borrowed, SECOND, &nanoseconds) ||
	    __builtin_add_overflow(nanoseconds, fraction, &nanoseconds) || nanoseconds == LANEWISE_TIMESTAMP_NONE)
		return wrong(r, 0, "year %u is out of the range of 64-bit nanoseconds", f->year);
	if (options && options->float_rounding) {
		double product = seconds_of(seconds * 1000000 + f->nanosecond / 1000) * 1e9;

		if (product >= 0x1p63 || product <= -0x1p63)
			return wrong(r, 0, "year %u is out of the range of 64-bit nanoseconds", f->year);
		nanoseconds = (int64_t)product;
	}
	*value = nanoseconds;
	return 1;
}

static int parse_any(struct reader *r, const lanewise_timestamp_options *options, int64_t *value)
{
	struct fields f = { 0 };

	if (!read_moment(r, &f))
		return 0;
	if (r->at < r->n && (r->text[r->at] == '.' || r->text[r->at] == ',')) {
		r->at++;
		if (!read_fraction(r, &f))
			return 0;
	}
	if (r->at < r->n && !read_offset(r, &f))
		return 0;
	if (r->at < r->n)
		return wrong(r, r->at, "%zu bytes behind its end", r->n - r->at);
	return check_fields(r, &f) && make_value(r, &f, options, value);
}

/* -------------------------------------------------------------- usual texts */

/*
 * What follows the seconds, at most 9 digits of a fraction and an offset, which begins at *at afterwards; 0 if there is no
 * digit or there are more. The first eight digits come from one word, which ends with the text if need be.
 */
LW_INLINE int usual_fraction(const char *text, size_t n, size_t *at, uint32_t *nanosecond)
{
	static const uint32_t scale[9] = { 0, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10 };
	size_t left = n - *at;

	if (left == 0)
		return 0;

	uint64_t word = left >= 8 ? lw_load_little_endian_64(text + *at)
	                          : lw_load_little_endian_64(text + n - 8) >> 8 * (8 - left);
	uint64_t digits = word ^ EACH(0x30), others = misfits(digits, EACH(0x76));
	size_t n_digits = others ? (size_t)__builtin_ctzll(others) / 8 : 8;

	if (n_digits == 0)
		return 0;
	*nanosecond = number_of_8(digits << 8 * (8 - n_digits)) * scale[n_digits];
	*at += n_digits;
	if (n_digits == 8 && *at < n && is_digit(text[*at]))
		*nanosecond += (uint32_t)(text[(*at)++] - '0');
	return 1;
}

/* The minutes of an offset that is all the text left; INT32_MIN if it is not Z or +HH:MM. */
LW_INLINE int32_t usual_offset(const char *text, size_t n)
{
	if (n == 1)
		return *text == 'Z' ? 0 : INT32_MIN;
	if (n != 6 || (*text != '+' && *text != '-') || text[3] != ':')
		return INT32_MIN;

	uint32_t h1 = (unsigned char)text[1] - 48u, h0 = (unsigned char)text[2] - 48u;
	uint32_t m1 = (unsigned char)text[4] - 48u, m0 = (unsigned char)text[5] - 48u;
	uint32_t hours = h1 * 10 + h0, minutes = m1 * 10 + m0;

	if (h1 > 9 || h0 > 9 || m1 > 9 || m0 > 9 || hours > 23 || minutes > 59)
		return INT32_MIN;
	return (int32_t)(hours * 60 + minutes) * (*text == '-' ? -1 : 1);
}

/* 0, and nothing else done, if the text is not of the usual form, valid, and of a year whose every second has a number. */
LW_INLINE int parse_usual(const char *text, size_t n, const lanewise_timestamp_options *options, int64_t *value)
{
	const uint64_t date_slack = UINT64_C(0x7f76767f76767676), time_slack = UINT64_C(0x76767f76767f7676);
	uint32_t nanosecond = 0;
	size_t at = 19;

	if (n < 19)
		return 0;

	uint64_t date = lw_load_little_endian_64(text) ^ UINT64_C(0x2d30302d30303030);      /* 0000-00- */
	uint64_t time = lw_load_little_endian_64(text + 11) ^ UINT64_C(0x30303a30303a3030); /* 00:00:00 */
	uint32_t day_1 = (unsigned char)text[8] ^ 0x30u, day_0 = (unsigned char)text[9] ^ 0x30u;

	if ((misfits(date, date_slack) | misfits(time, time_slack)) || day_1 > 9 || day_0 > 9 ||
	    (text[10] != 'T' && text[10] != ' '))
		return 0;
	date = pairs(date);
	time = pairs(time);

	uint32_t year = byte_of(date, 0) * 100 + byte_of(date, 2), month = byte_of(date, 5), day = day_1 * 10 + day_0;
	uint32_t hour = byte_of(time, 0), minute = byte_of(time, 3), second = byte_of(time, 6);
	int32_t offset = options ? options->naive_offset_minutes : 0;

	if (year - 1678 > 2261 - 1678 || month - 1 > 11 || day - 1 > 30 || hour > 23 || minute > 59 || second > 59 ||
	    (day > 28 && day > days_of_month(year, month)))
		return 0;
	if (at < n && text[at] == '.') {
		at++;
		if (!usual_fraction(text, n, &at, &nanosecond))
			return 0;
	}
	if (at < n)
		offset = usual_offset(text + at, n - at);
	else if (options && options->refuse_naive)
		return 0;
	if (offset == INT32_MIN)
		return 0;

	int64_t seconds = (int64_t)days_of(year, month, day) * 86400 + (int32_t)(hour * 3600 + minute * 60 + second) -
	                  offset * 60;

	*value = seconds * SECOND + nanosecond;
	if (options && options->float_rounding)
		*value = (int64_t)(seconds_of(seconds * 1000000 + nanosecond / 1000) * 1e9);
	return 1;
}

static int parse(const char *text, size_t n_bytes, const lanewise_timestamp_options *options, int64_t *value,
                 lanewise_error *error)
{
	struct reader r = { text, n_bytes, 0, error };

	if (LW_LIKELY(parse_usual(text, n_bytes, options, value)))
		return 1;
	*value = LANEWISE_TIMESTAMP_NONE;
	return parse_any(&r, options, value);
}

static int options_are_valid(const lanewise_timestamp_options *options)
{
	return !options || (options->struct_size == sizeof *options && options->naive_offset_minutes > -1440 &&
	                    options->naive_offset_minutes < 1440);
}

lanewise_status lanewise_timestamp_parse(const char *text, size_t n_bytes, const lanewise_timestamp_options *options,
                                         int64_t *nanoseconds, lanewise_error *error)
{
	if ((!text && n_bytes) || !options_are_valid(options) || !nanoseconds)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "timestamp: text, options or nanoseconds are invalid");
	return parse(text, n_bytes, options, nanoseconds, error) ? LANEWISE_OK : LANEWISE_ERROR_DATA;
}

lanewise_status lanewise_timestamp_parse_batch(const char *text, const uint64_t *begin, const uint64_t *end, size_t n,
                                               const lanewise_timestamp_options *options, int64_t *nanoseconds,
                                               size_t *n_malformed, lanewise_error *error)
{
	size_t malformed = 0;

	if (n && (!text || !begin || !end || !nanoseconds))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "timestamp: an array is NULL");
	if (!options_are_valid(options))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "timestamp: the options are invalid");
	for (size_t i = 0; i < n; i++) {
		if (end[i] < begin[i])
			return lw_fail(error, LANEWISE_ERROR_ARGUMENT, begin[i],
			               "timestamp: text %zu ends before it begins", i);
		if (!parse(text + begin[i], (size_t)(end[i] - begin[i]), options, &nanoseconds[i],
		           malformed ? NULL : error) &&
		    malformed++ == 0 && error)
			error->offset += begin[i];
	}
	if (n_malformed)
		*n_malformed = malformed;
	return malformed ? LANEWISE_ERROR_DATA : LANEWISE_OK;
}

/* ------------------------------------------------------------------ writing */

/* The inverse of days_of, by cycles of 400, 100, 4 and 1 years. */
static void date_of(int32_t days, struct fields *f)
{
	uint32_t d = (uint32_t)(days + 2472633 - 1); /* since 1 March of year -4800 */
	uint32_t cycle = d / 146097, day = d % 146097;
	uint32_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	uint32_t day_of_year = day - (365 * year + year / 4 - year / 100);
	uint32_t m = (5 * day_of_year + 2) / 153;

	f->day = day_of_year - (153 * m + 2) / 5 + 1;
	f->month = m < 10 ? m + 3 : m - 9;
	f->year = 400 * cycle + year - 4800 + (f->month <= 2);
}

size_t lanewise_timestamp_format(int64_t nanoseconds, int32_t n_digits, char text[LANEWISE_TIMESTAMP_BYTES])
{
	int64_t fraction_or_less = nanoseconds % SECOND, seconds = nanoseconds / SECOND - (fraction_or_less < 0);
	uint32_t fraction = (uint32_t)(fraction_or_less + (fraction_or_less < 0 ? SECOND : 0));
	int64_t days = seconds / 86400 - (seconds % 86400 < 0);
	uint32_t of_day = (uint32_t)(seconds - days * 86400);
	struct fields f;
	int n;

	text[0] = '\0';
	if (nanoseconds == LANEWISE_TIMESTAMP_NONE)
		return 0;
	if (n_digits == -1)
		n_digits = fraction == 0 ? 0 : fraction % 1000000 == 0 ? 3 : fraction % 1000 == 0 ? 6 : 9;
	if (n_digits != 0 && n_digits != 3 && n_digits != 6 && n_digits != 9)
		return 0;
	date_of((int32_t)days, &f);
	n = snprintf(text, LANEWISE_TIMESTAMP_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u", f.year, f.month, f.day,
	             of_day / 3600, of_day / 60 % 60, of_day % 60);
	if (n_digits) {
		n += snprintf(text + n, LANEWISE_TIMESTAMP_BYTES - (size_t)n, ".%09u", fraction);
		n -= 9 - n_digits;
	}
	text[n++] = 'Z';
	text[n] = '\0';
	return (size_t)n;
}
