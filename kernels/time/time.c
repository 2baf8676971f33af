/* SPDX-License-Identifier: Apache-2.0 */
/* Times as text. The number of days is computed as by H. Hinnant, "chrono-compatible low-level date algorithms". */
#include <lanewise/time.h>

#include "common.h"
#include "support.h"

struct reader {
	const uint8_t *p;
	size_t n, at;
	uint32_t flags;
	const char *what; /* is wrong; NULL as long as nothing is */
};

static int fail(struct reader *r, size_t at, const char *what)
{
	r->at = at;
	r->what = what;
	return 0;
}

static uint8_t peek(const struct reader *r) { return r->at < r->n ? r->p[r->at] : 0; }

static int take(struct reader *r, uint8_t c)
{
	if (peek(r) != c)
		return 0;
	r->at++;
	return 1;
}

/* So many digits with a value from `least` to `most`. */
static int read_number(struct reader *r, size_t n_digits, unsigned least, unsigned most, const char *what,
                       unsigned *value)
{
	size_t begin = r->at;

	*value = 0;
	for (; r->at < begin + n_digits; r->at++) {
		unsigned digit = r->at < r->n ? (unsigned)r->p[r->at] - '0' : 10;

		if (digit > 9)
			return fail(r, r->at, "no digit where one is needed");
		*value = 10 * *value + digit;
	}
	return (*value >= least && *value <= most) || fail(r, begin, what);
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	if (month == 2)
		return 28 + (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
	return 30 + ((month + month / 8) & 1);
}

/* Days since 1970-01-01, in years that begin with March and eras of 400 years. */
static int64_t days_since_epoch(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
	unsigned of_era = (unsigned)(y - 400 * era),
	         of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + (int64_t)(of_era * 365 + of_era / 4 - of_era / 100 + of_year) - 719468;
}

static int read_date(struct reader *r, int64_t *days)
{
	unsigned year, month, day;
	size_t day_at;
	int extended;

	if (!read_number(r, 4, 0, 9999, "", &year))
		return 0;
	extended = take(r, '-');
	if (!extended && (r->flags & LANEWISE_TIME_RFC3339))
		return fail(r, r->at, "no '-' behind the year");
	if (!read_number(r, 2, 1, 12, "no such month", &month))
		return 0;
	if (extended && !take(r, '-'))
		return fail(r, r->at, "no '-' behind the month");
	day_at = r->at;
	if (!read_number(r, 2, 1, 31, "no such day", &day))
		return 0;
	if (day > days_in_month(year, month))
		return fail(r, day_at, "no such day in this month");
	*days = days_since_epoch(year, month, day);
	return 1;
}

/* The digits behind the point; nine of them count. */
static int read_fraction(struct reader *r, uint32_t *ns)
{
	uint32_t scale = 100000000;
	size_t begin = r->at;

	for (*ns = 0; (uint8_t)(peek(r) - '0') < 10; r->at++, scale /= 10)
		*ns += scale * (uint32_t)(r->p[r->at] - '0');
	return r->at > begin || fail(r, r->at, "no digit behind the point");
}

static int read_clock(struct reader *r, int64_t *seconds, uint32_t *ns)
{
	int strict = (r->flags & LANEWISE_TIME_RFC3339) != 0, extended, has_second;
	unsigned hour, minute, second = 0;
	size_t begin = r->at;

	if (!read_number(r, 2, 0, strict ? 23 : 24, "no such hour", &hour))
		return 0;
	extended = take(r, ':');
	if (strict && !extended)
		return fail(r, r->at, "no ':' behind the hour");
	if (!read_number(r, 2, 0, 59, "no such minute", &minute))
		return 0;
	has_second = extended ? take(r, ':') : (uint8_t)(peek(r) - '0') < 10;
	if (strict && !has_second)
		return fail(r, r->at, "no ':' behind the minute");
	if (has_second) {
		if (!read_number(r, 2, 0, 60, "no such second", &second))
			return 0;
		if ((take(r, '.') || (!strict && take(r, ','))) && !read_fraction(r, ns))
			return 0;
	}
	if (hour == 24 && (minute || second || *ns))
		return fail(r, begin, "no such hour");
	*seconds = (int64_t)hour * 3600 + minute * 60 + second;
	return 1;
}

static int read_offset(struct reader *r, int64_t *seconds)
{
	int strict = (r->flags & LANEWISE_TIME_RFC3339) != 0, negative = peek(r) == '-';
	unsigned hour, minute = 0;

	if (take(r, 'Z') || take(r, 'z'))
		return 1;
	if (!negative && peek(r) != '+')
		return (!strict && !(r->flags & LANEWISE_TIME_NEEDS_OFFSET)) || fail(r, r->at, "no offset from UTC");
	r->at++;
	if (!read_number(r, 2, 0, 23, "no such offset", &hour))
		return 0;
	if (take(r, ':') || (!strict && (uint8_t)(peek(r) - '0') < 10)) {
		if (!read_number(r, 2, 0, 59, "no such offset", &minute))
			return 0;
	} else if (strict) {
		return fail(r, r->at, "no ':' in the offset");
	}
	*seconds = (int64_t)hour * 3600 + minute * 60;
	if (negative)
		*seconds = -*seconds;
	return 1;
}

static int read_time(struct reader *r, int64_t *seconds, uint32_t *ns)
{
	int64_t days, clock = 0, offset = 0;

	*ns = 0;
	if (!read_date(r, &days))
		return 0;
	if (r->at < r->n || (r->flags & LANEWISE_TIME_RFC3339)) {
		if (!take(r, 'T') && !take(r, 't') && !take(r, ' '))
			return fail(r, r->at, "no T behind the date");
		if (!read_clock(r, &clock, ns) || !read_offset(r, &offset))
			return 0;
	} else if (r->flags & LANEWISE_TIME_NEEDS_OFFSET) {
		return fail(r, r->at, "no offset from UTC");
	}
	*seconds = days * 86400 + clock - offset;
	return r->at == r->n || fail(r, r->at, "something behind the time");
}

/* Before 1970, whole seconds go down and the fraction up; so the seconds may only just not fit. */
static int to_ns(int64_t seconds, uint32_t fraction, int64_t *ns)
{
	int64_t rest = fraction;

	if (seconds < 0 && fraction) {
		seconds++;
		rest -= 1000000000;
	}
	return !__builtin_mul_overflow(seconds, INT64_C(1000000000), ns) && !__builtin_add_overflow(*ns, rest, ns);
}

lanewise_status lanewise_time_ns(const char *text, size_t n_bytes, uint32_t flags, int64_t *ns, lanewise_error *error)
{
	struct reader r = { (const uint8_t *)text, n_bytes, 0, flags, NULL };
	int64_t seconds, value;
	uint32_t fraction;

	if ((!text && n_bytes) || !ns || (flags & ~(uint32_t)(LANEWISE_TIME_RFC3339 | LANEWISE_TIME_NEEDS_OFFSET)))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "time: a NULL pointer or unknown flags");
	if (!read_time(&r, &seconds, &fraction))
		return lw_fail(error, LANEWISE_ERROR_DATA, r.at, "time: %s", r.what);
	if (!to_ns(seconds, fraction, &value))
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, 0, "time: beyond 64 bits of nanoseconds");
	*ns = value;
	return LANEWISE_OK;
}

size_t lanewise_time_ns_column(const char *text, const uint64_t *offsets, size_t n, uint32_t flags, int64_t missing,
                               int64_t *ns)
{
	size_t n_missing = 0;

	for (size_t i = 0; i < n; i++) {
		struct reader r = { (const uint8_t *)text + offsets[i], (size_t)(offsets[i + 1] - offsets[i]), 0, flags,
			            NULL };
		int64_t seconds, value;
		uint32_t fraction;

		if (!read_time(&r, &seconds, &fraction) || !to_ns(seconds, fraction, &value)) {
			value = missing;
			n_missing++;
		}
		ns[i] = value;
	}
	return n_missing;
}
