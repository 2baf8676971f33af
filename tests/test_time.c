/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/time.h: every form, every error and its place, every day against a count by hand, columns. */
#include <lanewise/time.h>

#include "test.h"

static void check(const char *text, uint32_t flags, int64_t expected)
{
	int64_t ns = 0;

	if (!CHECK(lanewise_time_ns(text, strlen(text), flags, &ns, NULL) == LANEWISE_OK) || !CHECK(ns == expected))
		fprintf(stderr, "  %s: %" PRId64 "\n", text, ns);
}

static void check_error(const char *text, uint32_t flags, lanewise_status expected, uint64_t offset)
{
	int64_t ns;
	lanewise_error error = { .offset = 0 };

	if (!CHECK(lanewise_time_ns(text, strlen(text), flags, &ns, &error) == expected && error.offset == offset))
		fprintf(stderr, "  %s: at %d\n", text, (int)error.offset);
}

#define SECOND INT64_C(1000000000)

static void test_forms(void)
{
	check("1970-01-01T00:00:00Z", LANEWISE_TIME_RFC3339, 0);
	check("2024-02-29T12:34:56.789012345Z", LANEWISE_TIME_RFC3339, 1709210096789012345);
	check("2024-02-29t12:34:56.789012345999z", 0, 1709210096789012345);
	check("2024-02-29 12:34:56,5+00:00", 0, 1709210096500000000);
	check("20240229T123456.5Z", 0, 1709210096500000000);
	check("20240229T123456", 0, 1709210096 * SECOND);
	check("2024-02-29T12:34", 0, 1709210040 * SECOND);
	check("2024-02-29T1234+0100", 0, 1709206440 * SECOND);
	check("2024-02-29", 0, 1709164800 * SECOND);
	check("20240229", 0, 1709164800 * SECOND);
	check("2024-02-29T14:34:56+02:00", LANEWISE_TIME_RFC3339, 1709210096 * SECOND);
	check("2024-02-29T06:49:56-05:45", 0, 1709210096 * SECOND);
	check("2024-02-29T13:34:56+01", LANEWISE_TIME_NEEDS_OFFSET, 1709210096 * SECOND);
	check("2016-12-31T23:59:60Z", LANEWISE_TIME_RFC3339, 1483228800 * SECOND);
	check("2023-12-31T24:00:00Z", 0, 1704067200 * SECOND);
	check("1969-12-31T23:59:59.999999999Z", 0, -1);
	check("1677-09-21T00:12:43.145224192Z", 0, INT64_MIN);
	check("2262-04-11T23:47:16.854775807Z", 0, INT64_MAX);
}

static void test_errors(void)
{
	check_error("1677-09-21T00:12:43.145224191Z", 0, LANEWISE_ERROR_TOO_LARGE, 0);
	check_error("2262-04-11T23:47:16.854775808Z", 0, LANEWISE_ERROR_TOO_LARGE, 0);
	check_error("0000-01-01", 0, LANEWISE_ERROR_TOO_LARGE, 0);
	check_error("", 0, LANEWISE_ERROR_DATA, 0);
	check_error("202", 0, LANEWISE_ERROR_DATA, 3);
	check_error("2024-13-01", 0, LANEWISE_ERROR_DATA, 5);
	check_error("2024-00-01", 0, LANEWISE_ERROR_DATA, 5);
	check_error("2023-02-29", 0, LANEWISE_ERROR_DATA, 8);
	check_error("1900-02-29", 0, LANEWISE_ERROR_DATA, 8);
	check_error("2024-0229", 0, LANEWISE_ERROR_DATA, 7);
	check_error("2024-04-31", 0, LANEWISE_ERROR_DATA, 8);
	check_error("2024-04-30x", 0, LANEWISE_ERROR_DATA, 10);
	check_error("2024-04-30T", 0, LANEWISE_ERROR_DATA, 11);
	check_error("2024-04-30T25:00", 0, LANEWISE_ERROR_DATA, 11);
	check_error("2024-04-30T24:00:01", 0, LANEWISE_ERROR_DATA, 11);
	check_error("2024-04-30T23:60", 0, LANEWISE_ERROR_DATA, 14);
	check_error("2024-04-30T23:59:61", 0, LANEWISE_ERROR_DATA, 17);
	check_error("2024-04-30T23:59:59.", 0, LANEWISE_ERROR_DATA, 20);
	check_error("2024-04-30T23:59:59+24:00", 0, LANEWISE_ERROR_DATA, 20);
	check_error("2024-04-30T23:59:59+2:00", 0, LANEWISE_ERROR_DATA, 21);
	check_error("2024-04-30T23:59:59Z ", 0, LANEWISE_ERROR_DATA, 20);
	check_error("2024-04-30T23:59:59", LANEWISE_TIME_NEEDS_OFFSET, LANEWISE_ERROR_DATA, 19);
	check_error("2024-04-30", LANEWISE_TIME_NEEDS_OFFSET, LANEWISE_ERROR_DATA, 10);
	check_error("2024-04-30", LANEWISE_TIME_RFC3339, LANEWISE_ERROR_DATA, 10);
	check_error("20240430T23:59:59Z", LANEWISE_TIME_RFC3339, LANEWISE_ERROR_DATA, 4);
	check_error("2024-04-30T23:59Z", LANEWISE_TIME_RFC3339, LANEWISE_ERROR_DATA, 16);
	check_error("2024-04-30T23:59:59+0100", LANEWISE_TIME_RFC3339, LANEWISE_ERROR_DATA, 22);
	check_error("2024-04-30T23:59:59,5Z", LANEWISE_TIME_RFC3339, LANEWISE_ERROR_DATA, 19);
	check_error("2024-04-30", 4, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET);
}

/* Counted day by day; every second with its own fraction and offset would take too long, so one time a day. */
static void test_every_day(void)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t day = 0;
	int year = 1679, month = 1, of_month = 1;

	/* 1 January 1679, counted back from the epoch. */
	for (int y = 1969; y >= 1679; y--)
		day -= 365 + (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
	while (year < 2262) {
		char text[64];
		int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

		snprintf(text, sizeof text, "%04d-%02d-%02dT01:02:03.25-00:30", year, month, of_month);
		check(text, LANEWISE_TIME_RFC3339, (day * 86400 + 5523) * SECOND + 250000000);
		day++;
		if (++of_month > lengths[month - 1] + (month == 2 && leap)) {
			of_month = 1;
			if (++month > 12) {
				month = 1;
				year++;
			}
		}
	}
}

static void test_column(void)
{
	static const char text[] = "1970-01-01T00:00:01Zxx1970-01-02";
	static const uint64_t offsets[] = { 0, 20, 22, 22, 32 };
	int64_t ns[4];

	CHECK_EQUAL(lanewise_time_ns_column(text, offsets, 4, 0, INT64_MIN, ns), 2);
	CHECK(ns[0] == SECOND && ns[1] == INT64_MIN && ns[2] == INT64_MIN && ns[3] == 86400 * SECOND);
	CHECK_EQUAL(lanewise_time_ns_column(text, offsets, 0, 0, 0, ns), 0);
}

int main(void)
{
	test_forms();
	test_errors();
	test_every_day();
	test_column();
	return test_result();
}
