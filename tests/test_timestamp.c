/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/timestamp.h against the C library's calendar, Python's values, and its own writer. */
#include <lanewise/timestamp.h>

#include <stdlib.h>
#include <time.h>

#include "test.h"

static int64_t value_of(const char *text, const lanewise_timestamp_options *options)
{
	int64_t value = 1;
	lanewise_error error = { 0 };
	size_t n = strlen(text);
	char *copy = malloc(n + 1); /* of exactly its size, for those who watch memory */

	memcpy(copy, text, n);
	copy = realloc(copy, n ? n : 1);
	if (lanewise_timestamp_parse(copy, n, options, &value, &error) != LANEWISE_OK)
		fprintf(stderr, "%s: %s at %llu\n", text, error.what, (unsigned long long)error.offset);
	free(copy);
	return value;
}

/* Exact values, and those of Python's int(datetime.fromisoformat(text).timestamp() * 1e9). */
static const struct {
	const char *text;
	int64_t exact, as_float;
} known[] = {
	{ "2026-11-21T04:30:00.123456Z", INT64_C(1795235400123456000), INT64_C(1795235400123456000) },
	{ "1970-01-01T00:00:00Z", INT64_C(0), INT64_C(0) },
	{ "1969-12-31T23:59:59.999999Z", INT64_C(-1000), INT64_C(-1000) },
	{ "2024-02-29T12:34:56.789012+05:30", INT64_C(1709190296789012000), INT64_C(1709190296789011968) },
	{ "1999-12-31 23:59:59.5-08:00", INT64_C(946713599500000000), INT64_C(946713599500000000) },
	{ "2261-12-31T23:59:59.999999+00:00", INT64_C(9214646399999999000), INT64_C(9214646399999997952) },
	{ "2255-06-05T23:47:34.740993Z", INT64_C(9007199254740993000), INT64_C(9007199254740993024) },
	{ "2262-04-11T23:47:16.000001Z", INT64_C(9223372036000001000), INT64_C(9223372036000002048) },
	{ "1700-01-01T00:00:00.000001Z", INT64_C(-8520335999999999000), INT64_C(-8520335999999998976) },
	{ "2026-11-21T04:30:00.123456789Z", INT64_C(1795235400123456789), INT64_C(1795235400123456000) },
	{ "2025-01-01T00:00:00.100000Z", INT64_C(1735689600100000000), INT64_C(1735689600100000000) },
	{ "1961-12-12T22:53:47.683704Z", INT64_C(-254106372316296000), INT64_C(-254106372316296000) },
	{ "2242-01-27T14:49:15.680499Z", INT64_C(8585794155680499000), INT64_C(8585794155680498688) },
	{ "1753-03-04T11:30:55.258550Z", INT64_C(-6842406544741450000), INT64_C(-6842406544741450752) },
	{ "2089-09-04T18:15:00.766701Z", INT64_C(3776696100766701000), INT64_C(3776696100766701056) },
	{ "1921-07-09T05:58:55.802921Z", INT64_C(-1529949664197079000), INT64_C(-1529949664197079040) },
	{ "2098-03-25T02:08:39.647445Z", INT64_C(4046551719647445000), INT64_C(4046551719647444992) },
	{ "2155-03-05T00:55:00.219630Z", INT64_C(5843494500219630000), INT64_C(5843494500219630592) },
	{ "1920-03-28T05:18:20.208550Z", INT64_C(-1570387299791450000), INT64_C(-1570387299791450112) },
	{ "2252-11-21T06:11:44.206442Z", INT64_C(8927129504206442000), INT64_C(8927129504206441472) },
};

static void test_known(void)
{
	lanewise_timestamp_options as_float = { .struct_size = sizeof as_float, .float_rounding = 1 };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		CHECK_EQUAL(value_of(known[i].text, NULL), known[i].exact);
		CHECK_EQUAL(value_of(known[i].text, &as_float), known[i].as_float);
	}
}

static void test_forms(void)
{
	static const char *const same[] = {
		"2024-02-29T12:34:56Z",      "2024-02-29t12:34:56z",
		"2024-02-29 12:34:56+00:00", "20240229T123456Z",
		"2024-02-29_12:34:56-00:00", "20240229 12:34:56Z",
		"2024-02-29T123456+00",      "2024-02-29T12:34:56",
		"2024-02-29T12:34:56.0Z",    "2024-02-29T12:34:56,000Z",
		"20240229T123456.000000000", "2024-02-29T14:04:56+0130",
		"2024-02-29T00:34:56-12:00", "2024-02-29T12:34:56.0000000009Z",
	};

	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		CHECK_EQUAL(value_of(same[i], NULL), INT64_C(1709210096000000000));
	CHECK_EQUAL(value_of("2024-02-29", NULL), INT64_C(1709164800000000000));
	CHECK_EQUAL(value_of("20240229", NULL), INT64_C(1709164800000000000));
	CHECK_EQUAL(value_of("2024-02-29T12:34", NULL), INT64_C(1709210040000000000));
	CHECK_EQUAL(value_of("2024-02-29T1234Z", NULL), INT64_C(1709210040000000000));
	CHECK_EQUAL(value_of("1677-09-21T00:12:43.145224193Z", NULL), INT64_MIN + 1);
	CHECK_EQUAL(value_of("2262-04-11T23:47:16.854775807Z", NULL), INT64_MAX);
	CHECK_EQUAL(value_of("2262-04-11T23:47:16.8547758079Z", NULL), INT64_MAX);
	CHECK_EQUAL(value_of("1969-12-31T23:59:59.999999999Z", NULL), -1);

	lanewise_timestamp_options ahead = { .struct_size = sizeof ahead, .naive_offset_minutes = 90 };

	CHECK_EQUAL(value_of("2024-02-29T14:04:56", &ahead), INT64_C(1709210096000000000));
	CHECK_EQUAL(value_of("2024-02-29T12:34:56Z", &ahead), INT64_C(1709210096000000000));
}

static void test_errors(void)
{
	static const struct {
		const char *text, *what;
		uint64_t offset;
	} wrong[] = {
		{ "", "year", 0 },
		{ "2024", "month", 4 },
		{ "202x-01-01", "year", 3 },
		{ "2024-01x01", "'-'", 7 },
		{ "2024-1-01", "month", 6 },
		{ "2024-13-01T00:00:00Z", "month 13", 5 },
		{ "2024-00-01", "month 0", 5 },
		{ "20241301", "month 13", 4 },
		{ "2023-02-29T00:00:00Z", "day 29", 8 },
		{ "1900-02-29", "day 29", 8 },
		{ "20230431T000000Z", "day 31", 6 },
		{ "2024-04-00", "day 0", 8 },
		{ "2024-01-01T24:00:00Z", "hour 24", 11 },
		{ "20240101T2400", "hour 24", 9 },
		{ "2024-01-01T23:60:00Z", "minute 60", 14 },
		{ "2024-01-01T2360", "minute 60", 13 },
		{ "2024-01-01T23:59:60Z", "leap", 17 },
		{ "20240101T235960Z", "leap", 13 },
		{ "2024-01-01x00:00:00Z", "between", 10 },
		{ "2024-01-01T", "hour", 11 },
		{ "2024-01-01T00:00:00.", "fraction", 20 },
		{ "2024-01-01T00:00:00.Z", "fraction", 20 },
		{ "2024-01-01T00:00.5Z", "minute", 16 },
		{ "2024-01-01T00:00:00 Z", "behind", 19 },
		{ "2024-01-01T00:00:00ZZ", "behind its end", 20 },
		{ "2024-01-01T00:00:00+1", "offset", 21 },
		{ "2024-01-01T00:00:00+24:00", "offset", 19 },
		{ "2024-01-01T00:00:00+00:60", "offset", 19 },
		{ "2024-01-01T00:00:00+00:00:00", "behind its end", 25 },
		{ "1677-09-21T00:12:43.145224192Z", "range", 0 },
		{ "2262-04-11T23:47:16.854775808Z", "range", 0 },
		{ "0000-01-01T00:00:00Z", "range", 0 },
		{ "9999-12-31T23:59:59Z", "range", 0 },
		{ "\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa4-01-01", "year", 0 },
	};
	lanewise_timestamp_options strict = { .struct_size = sizeof strict, .refuse_naive = 1 }, bad = { 0 };
	lanewise_error error;
	int64_t value;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		value = 1;
		CHECK_EQUAL(lanewise_timestamp_parse(wrong[i].text, strlen(wrong[i].text), NULL, &value, &error),
		            LANEWISE_ERROR_DATA);
		CHECK_EQUAL(value, LANEWISE_TIMESTAMP_NONE);
		CHECK_EQUAL(error.offset, wrong[i].offset);
		CHECK(strstr(error.what, wrong[i].what) != NULL);
		CHECK_EQUAL(lanewise_timestamp_parse(wrong[i].text, strlen(wrong[i].text), NULL, &value, NULL),
		            LANEWISE_ERROR_DATA);
	}
	CHECK_EQUAL(lanewise_timestamp_parse("2024-01-01", 10, &strict, &value, &error), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(error.offset, 10);
	CHECK_EQUAL(lanewise_timestamp_parse("2024-01-01", 10, &bad, &value, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_timestamp_parse(NULL, 10, NULL, &value, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_timestamp_parse("2024-01-01", 10, NULL, NULL, &error), LANEWISE_ERROR_ARGUMENT);
	strict.naive_offset_minutes = 1440;
	CHECK_EQUAL(lanewise_timestamp_parse("2024-01-01", 10, &strict, &value, &error), LANEWISE_ERROR_ARGUMENT);
}

/* Every day that has a number, as the C library's calendar has it; written, and read again in two forms. */
static void test_every_day(void)
{
	uint64_t seed = 11;
	char text[LANEWISE_TIMESTAMP_BYTES], basic[64];
	unsigned long wrong = 0;

	for (int64_t day = -106751; day <= 106751; day++) {
		int64_t seconds = day * 86400 + (int64_t)(test_random(&seed) % 86400);
		int64_t value = seconds * 1000000000 + (int64_t)(test_random(&seed) % 1000000000);
		time_t t = (time_t)seconds;
		struct tm tm;
		char expected[32];
		size_t n = lanewise_timestamp_format(value, 9, text);

		gmtime_r(&t, &tm);
		strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.", &tm);
		wrong += n != 30 || strncmp(text, expected, 20) != 0 || value_of(text, NULL) != value;
		snprintf(basic, sizeof basic, "%.4s%.2s%.2s %.2s%.2s%sz", text, text + 5, text + 8, text + 11,
		         text + 14, text + 17);
		basic[strlen(basic) - 2] = '\0';
		wrong += value_of(basic, NULL) != value;
	}
	CHECK_EQUAL(wrong, 0);
}

static void test_format(void)
{
	char text[LANEWISE_TIMESTAMP_BYTES];

	CHECK_EQUAL(lanewise_timestamp_format(0, -1, text), 20);
	CHECK(strcmp(text, "1970-01-01T00:00:00Z") == 0);
	CHECK_EQUAL(lanewise_timestamp_format(-1, -1, text), 30);
	CHECK(strcmp(text, "1969-12-31T23:59:59.999999999Z") == 0);
	CHECK_EQUAL(lanewise_timestamp_format(-1, 3, text), 24);
	CHECK(strcmp(text, "1969-12-31T23:59:59.999Z") == 0);
	CHECK_EQUAL(lanewise_timestamp_format(1500000, -1, text), 27);
	CHECK(strcmp(text, "1970-01-01T00:00:00.001500Z") == 0);
	CHECK_EQUAL(lanewise_timestamp_format(INT64_MAX, 0, text), 20);
	CHECK(strcmp(text, "2262-04-11T23:47:16Z") == 0);
	CHECK_EQUAL(lanewise_timestamp_format(INT64_MIN + 1, 9, text), 30);
	CHECK(strcmp(text, "1677-09-21T00:12:43.145224193Z") == 0);
	CHECK_EQUAL(lanewise_timestamp_format(LANEWISE_TIMESTAMP_NONE, 9, text), 0);
	CHECK_EQUAL(lanewise_timestamp_format(0, 4, text), 0);
	CHECK_EQUAL(text[0], '\0');
}

static void test_batch(void)
{
	const char *text = "1970-01-01T00:00:01Z,1970-02-30,19700102,x";
	uint64_t begin[4] = { 0, 21, 32, 41 }, end[4] = { 20, 31, 40, 42 };
	int64_t value[4];
	size_t n_malformed = 9;
	lanewise_error error;

	CHECK_EQUAL(lanewise_timestamp_parse_batch(text, begin, end, 4, NULL, value, &n_malformed, &error),
	            LANEWISE_ERROR_DATA);
	CHECK_EQUAL(n_malformed, 2);
	CHECK_EQUAL(value[0], 1000000000);
	CHECK_EQUAL(value[1], LANEWISE_TIMESTAMP_NONE);
	CHECK_EQUAL(value[2], INT64_C(86400000000000));
	CHECK_EQUAL(value[3], LANEWISE_TIMESTAMP_NONE);
	CHECK_EQUAL(error.offset, 21 + 8);
	CHECK_EQUAL(lanewise_timestamp_parse_batch(text, begin, end, 1, NULL, value, NULL, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_timestamp_parse_batch(NULL, NULL, NULL, 0, NULL, NULL, &n_malformed, NULL), LANEWISE_OK);
	CHECK_EQUAL(n_malformed, 0);
	end[0] = 0;
	begin[0] = 1;
	CHECK_EQUAL(lanewise_timestamp_parse_batch(text, begin, end, 4, NULL, value, NULL, &error),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_timestamp_parse_batch(text, NULL, end, 4, NULL, value, NULL, &error),
	            LANEWISE_ERROR_ARGUMENT);
}

int main(void)
{
	test_known();
	test_forms();
	test_errors();
	test_every_day();
	test_format();
	test_batch();
	return test_result();
}
