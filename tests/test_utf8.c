/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/utf8.h against a decoder by values, not by bytes; known cases; every way of cutting a text in two. */
#include <lanewise/utf8.h>

#include <stdlib.h>

#include "test.h"

/*
 * Independent truth: puts together the value that the bits of the bytes say, then asks whether that value may be written
 * in so many bytes. The length of the character at p, or 0.
 */
static size_t character_by_value(const unsigned char *p, size_t n)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = 0;
	uint32_t value;

	if (!(p[0] & 0x80))
		return 1;
	while (length < 8 && (p[0] << length & 0x80))
		length++;
	if (length < 2 || length > 4 || length > n)
		return 0;
	value = p[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		value = value << 6 | (p[i] & 0x3fu);
	}
	return value >= least[length] && value <= 0x10ffff && value >> 11 != 0x1b ? length : 0;
}

static size_t prefix_by_value(const unsigned char *p, size_t n)
{
	size_t at = 0, length;

	while (at < n && (length = character_by_value(p + at, n - at)) != 0)
		at += length;
	return at;
}

/* All sequences of up to three bytes, all of four behind an interesting second byte; short and across a block. */
static void test_all_sequences(void)
{
	unsigned long wrong = 0;
	unsigned char text[200];

	for (uint32_t i = 0; i < 1u << 24; i++) {
		unsigned char p[4] = { (unsigned char)(i >> 16), (unsigned char)(i >> 8), (unsigned char)i, 0x80 };

		if (p[0] < 0x80 && i % 64)
			continue;
		size_t expected = prefix_by_value(p, 4);

		wrong += lanewise_utf8_valid_prefix(p, 4) != expected;
		if (i % 16 == 0) {
			memset(text, 'x', sizeof text);
			memcpy(text + 62, p, 4);
			wrong += lanewise_utf8_valid_prefix(text, sizeof text) !=
			         (expected == 4 ? sizeof text : 62 + prefix_by_value(text + 62, sizeof text - 62));
		}
	}
	CHECK_EQUAL(wrong, 0);
}

/* A text in the two pieces of every cut, each in memory of its own, gives what the whole gives. */
static void test_cuts(const char *text, size_t n)
{
	lanewise_error whole = { .offset = 12345 }, error;
	lanewise_status expected = lanewise_utf8_validate(text, n, &whole);

	for (size_t cut = 0; cut <= n; cut++) {
		lanewise_utf8_state state = { 0 };
		char *first = malloc(cut + 1), *second = malloc(n - cut + 1);

		error.offset = 12345;
		memcpy(first, text, cut);
		memcpy(second, text + cut, n - cut);
		lanewise_status a = lanewise_utf8_feed(&state, first, cut, &error);
		lanewise_status b = lanewise_utf8_feed(&state, second, n - cut, &error);
		lanewise_status c = lanewise_utf8_finish(&state, &error);

		CHECK(a == LANEWISE_OK || b == a);
		CHECK(b == LANEWISE_OK || c == b);
		CHECK_EQUAL(c, expected);
		CHECK_EQUAL(error.offset, whole.offset);
		if (c != LANEWISE_OK)
			CHECK(strcmp(error.what, whole.what) == 0);
		free(first);
		free(second);
	}
}

static void test_known(void)
{
	static const struct {
		const char *text;
		size_t n, valid, count;
	} known[] = {
		{ "", 0, 0, 0 },
		{ "plain", 5, 5, 5 },
		{ "\0\x7f", 2, 2, 2 },
		{ "na\xc3\xafve \xe4\xb8\xad \xf0\x9f\x98\x80", 15, 15, 9 },
		{ "a\xc0\x80", 3, 1, 2 },         /* overlong NUL */
		{ "a\xed\xa0\x80", 4, 1, 2 },     /* a surrogate */
		{ "a\xf4\x90\x80\x80", 5, 1, 2 }, /* beyond U+10FFFF */
		{ "a\xf0\x80\x80\x80", 5, 1, 2 }, /* overlong */
		{ "a\xe4\xb8", 3, 1, 2 },         /* cut */
		{ "\xe4\xb8\xad\x80", 4, 3, 1 },  /* one continuation too many */
		{ "\xef\xbb\xbfx", 4, 4, 2 },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		CHECK_EQUAL(lanewise_utf8_valid_prefix(known[i].text, known[i].n), known[i].valid);
		CHECK_EQUAL(lanewise_utf8_count(known[i].text, known[i].n), known[i].count);
		test_cuts(known[i].text, known[i].n);
	}
	CHECK_EQUAL(lanewise_utf8_validate(NULL, 0, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_utf8_count(NULL, 0), 0);

	lanewise_error error;

	CHECK_EQUAL(lanewise_utf8_validate("ab\xe4\xb8", 4, &error), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(error.status, LANEWISE_ERROR_DATA);
	CHECK_EQUAL(error.offset, 2);
	CHECK(strstr(error.what, "ends within") != NULL);
	CHECK_EQUAL(lanewise_utf8_validate("ab\xff", 3, NULL), LANEWISE_ERROR_DATA);
}

static size_t test_random_below(uint64_t *state, size_t n) { return (size_t)(test_random(state) % n); }

static void test_random_texts(uint64_t seed)
{
	static const char *const characters[] = { "a", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80",
		                                  "zzzzzzzzzzzzzzzz" };
	unsigned char text[1200];
	unsigned long wrong = 0;

	for (int round = 0; round < 2000; round++) {
		size_t n = 0, length = test_random_below(&seed, 1000), ascii = test_random_below(&seed, 3);

		while (n < length) {
			const char *next = characters[ascii ? 4 : test_random_below(&seed, 5)];

			memcpy(text + n, next, strlen(next));
			n += strlen(next);
			if (test_random_below(&seed, 40) == 0)
				ascii = !ascii;
		}
		if (round % 2 && n)
			text[test_random_below(&seed, n)] = (unsigned char)test_random(&seed);
		if (round % 3 == 0 && n)
			n -= test_random_below(&seed, n < 4 ? n : 4);
		wrong += lanewise_utf8_valid_prefix(text, n) != prefix_by_value(text, n);
		if (round % 100 == 0)
			test_cuts((const char *)text, n < 300 ? n : 300);
	}
	CHECK_EQUAL(wrong, 0);
}

/* Offsets and ranges against decoding by value, over a text of characters of every length. */
static void test_offsets_and_ranges(void)
{
	static const uint32_t ranges[][2] = { { 0, 0x10ffff },   { 0x4e00, 0x9fff },    { 'b', 'y' },
		                              { 0, 0x7f },       { 0x80, 0x7ff },       { 0x7ff, 0x800 },
		                              { 0x800, 0xffff }, { 0x10000, 0x10ffff }, { 0x41, 0x4e01 },
		                              { 0xe9, 0xe9 },    { 0xac00, 0xd7a3 },    { 0x1f600, 0x1f64f } };
	enum { N = 1500, N_RANGES = sizeof ranges / sizeof *ranges };
	static unsigned char text[4 * N];
	static uint64_t begin[N + 1], numbers[N + 1], mapped[N + 1];
	static uint32_t value[N];
	uint64_t state = 3;
	size_t n = 0;

	for (size_t i = 0; i < N; i++) {
		static const uint32_t spread[] = { 0x80, 0x800, 0xa000, 0x110000 };
		uint32_t c = (uint32_t)(test_random(&state) % spread[test_random(&state) % 4]);

		if (c >> 11 == 0x1b)
			c = 0x4e00;
		value[i] = c;
		begin[i] = n;
		numbers[i] = i;
		if (c < 0x80) {
			text[n++] = (unsigned char)c;
		} else {
			int length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

			text[n++] = (unsigned char)((0xf00 >> length & 0xff) | c >> 6 * (length - 1));
			for (int j = length - 2; j >= 0; j--)
				text[n++] = (unsigned char)(0x80 | (c >> 6 * j & 0x3f));
		}
	}
	begin[N] = n;
	numbers[N] = N;
	CHECK(lanewise_utf8_validate(text, n, NULL) == LANEWISE_OK);
	for (size_t i = 0; i <= N; i++)
		CHECK_EQUAL(lanewise_utf8_offset(text, n, i), begin[i]);
	CHECK_EQUAL(lanewise_utf8_offset(text, n, SIZE_MAX), n);
	CHECK(lanewise_utf8_to_code_points(text, n, begin, N + 1, mapped, NULL) == LANEWISE_OK);
	CHECK(memcmp(mapped, numbers, sizeof mapped) == 0);
	CHECK(lanewise_utf8_to_bytes(text, n, mapped, N + 1, mapped, NULL) == LANEWISE_OK);
	CHECK(memcmp(mapped, begin, sizeof mapped) == 0);
	for (size_t r = 0; r < N_RANGES; r++)
		for (size_t from = 0; from < N; from += 97) {
			size_t count = 0, first = n;

			for (size_t i = N; i-- > from;)
				if (value[i] >= ranges[r][0] && value[i] <= ranges[r][1]) {
					count++;
					first = begin[i];
				}
			CHECK_EQUAL(lanewise_utf8_count_range(text + begin[from], n - begin[from], ranges[r][0],
			                                      ranges[r][1]),
			            count);
			CHECK_EQUAL(lanewise_utf8_find_range(text + begin[from], n - begin[from], ranges[r][0],
			                                     ranges[r][1]),
			            first - begin[from]);
		}
	CHECK_EQUAL(lanewise_utf8_count_range(text, n, 5, 4), 0);
	CHECK_EQUAL(lanewise_utf8_find_range(text, n, 0, 0x110000), n);
	CHECK_EQUAL(lanewise_utf8_find_range(NULL, 0, 0, 9), 0);

	lanewise_error error = { 0 };
	uint64_t bad[3] = { 4, 9, 8 };

	CHECK(lanewise_utf8_to_code_points(text, n, bad, 3, mapped, &error) == LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(error.offset, 2);
	bad[2] = n + 1;
	CHECK(lanewise_utf8_to_code_points(text, n, bad, 3, mapped, &error) == LANEWISE_ERROR_ARGUMENT);
	bad[2] = N + 1;
	CHECK(lanewise_utf8_to_bytes(text, n, bad, 3, mapped, &error) == LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(error.offset, 2);
	CHECK(lanewise_utf8_to_bytes(text, n, NULL, 3, mapped, NULL) == LANEWISE_ERROR_ARGUMENT);
}

int main(void)
{
	test_offsets_and_ranges();
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		test_known();
		test_random_texts((uint64_t)tier + 5);
		test_all_sequences();
	}
	return test_result();
}
