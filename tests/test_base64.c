/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/base64.h: RFC 4648's vectors, tables of what each mode takes and refuses, a plain decoder, round trips. */
#include <lanewise/base64.h>

#include <stdlib.h>

#include "test.h"

enum {
	URL = LANEWISE_BASE64_URL,
	UNPADDED = LANEWISE_BASE64_UNPADDED,
	FORGIVING = LANEWISE_BASE64_FORGIVING,
	LAX = LANEWISE_BASE64_LAX
};

static void test_encoding(const char *data, size_t n, uint32_t flags, const char *expected)
{
	char text[64];

	CHECK_EQUAL(lanewise_base64_encoded_size(n, flags), strlen(expected));
	CHECK_EQUAL(lanewise_base64_encode(data, n, flags, text), strlen(expected));
	CHECK(memcmp(text, expected, strlen(expected)) == 0);
}

static void test_known_encodings(void)
{
	static const char *const rfc[][2] = { { "", "" },
		                              { "f", "Zg==" },
		                              { "fo", "Zm8=" },
		                              { "foo", "Zm9v" },
		                              { "foob", "Zm9vYg==" },
		                              { "fooba", "Zm9vYmE=" },
		                              { "foobar", "Zm9vYmFy" } };

	for (size_t i = 0; i < sizeof rfc / sizeof *rfc; i++)
		test_encoding(rfc[i][0], strlen(rfc[i][0]), 0, rfc[i][1]);
	test_encoding("\xfb\xff\xbf", 3, 0, "+/+/");
	test_encoding("\xfb\xff\xbf", 3, URL, "-_-_");
	test_encoding("f", 1, UNPADDED, "Zg");
	test_encoding("fo", 2, UNPADDED | URL, "Zm8");
	CHECK(lanewise_base64_encoded_size(SIZE_MAX, 0) == SIZE_MAX);
	CHECK(lanewise_base64_encoded_size(SIZE_MAX / 2, 0) != SIZE_MAX);
	CHECK_EQUAL(lanewise_base64_encode(NULL, 0, 0, NULL), 0);
}

/* What decoding gives: bytes, or "!" and the offset of the error. */
struct decoding {
	const char *text;
	uint32_t flags;
	const char *expected;
};

static const struct decoding decodings[] = {
	{ "", 0, "" },
	{ "Zg==", 0, "f" },
	{ "Zm8=", 0, "fo" },
	{ "Zm9vYmFy", 0, "foobar" },
	{ "Zg", 0, "!2" },
	{ "Zg", UNPADDED, "f" },
	{ "Zg==", UNPADDED, "f" },
	{ "Zm8", UNPADDED, "fo" },
	{ "Zg=", UNPADDED, "!3" },
	{ "Zg=", 0, "!3" },
	{ "Z", UNPADDED, "!1" },
	{ "Z===", 0, "!1" },
	{ "====", 0, "!0" },
	{ "Zh==", 0, "!1" }, /* unused bits */
	{ "Zm9=", 0, "!2" },
	{ "Zh", UNPADDED, "!1" },
	{ "Zh==", FORGIVING, "f" },
	{ "Zh==", LAX, "f" },
	{ "Zm9v\n", 0, "!4" },
	{ "Zm9v\nYmFy", 0, "!4" },
	{ "Zm9v\nYmFy\r\n", FORGIVING, "foobar" },
	{ " Z m 9\tv\f", FORGIVING, "foo" },
	{ "Zg =\n= ", FORGIVING, "f" },
	{ "Zg", FORGIVING, "f" },
	{ "Zg=", FORGIVING, "!3" },
	{ "Zg===", FORGIVING, "!4" },
	{ "Zm9v=", FORGIVING, "!4" },
	{ "Zg==Zg==", FORGIVING, "!4" },
	{ "Z", FORGIVING, "!1" },
	{ "Zm9v!", FORGIVING, "!4" },
	{ "Zm\v9v", FORGIVING, "!2" },
	{ "-_-_", 0, "!0" },
	{ "-_-_", URL, "\xfb\xff\xbf" },
	{ "+/+/", URL, "!0" },
	{ "Zm9\xc3v", 0, "!3" },
	/* As Python 3.11 decodes them. */
	{ "Zm9v-YmFy", LAX, "foobar" },
	{ "*Z*m*9*v*", LAX, "foo" },
	{ "Zg==Zm9v", LAX, "f" },
	{ "Zm9v====YmFy", LAX, "foobar" },
	{ "Z=g==", LAX, "f" },
	{ "Zm=9v", LAX, "foo" },
	{ "=Zm9v", LAX, "foo" },
	{ "Zg", LAX, "!2" },
	{ "Zg=", LAX, "!3" },
	{ "Zg", LAX | UNPADDED, "f" },
	{ "Z", LAX | UNPADDED, "!1" },
	{ "Zm8=", LAX, "fo" },
};

static void test_decoding(const struct decoding *d)
{
	size_t n = strlen(d->text), n_decoded = 777;
	char data[64], got[64];
	lanewise_error error = { 0 };
	lanewise_status status = lanewise_base64_decode(d->text, n, d->flags, data, sizeof data, &n_decoded, &error);

	if (status == LANEWISE_OK) {
		CHECK(n_decoded <= lanewise_base64_decoded_bound(n));
		memcpy(got, data, n_decoded);
		got[n_decoded] = '\0';
	} else {
		CHECK_EQUAL(status, LANEWISE_ERROR_DATA);
		CHECK_EQUAL(n_decoded, 777);
		snprintf(got, sizeof got, "!%" PRIu64, error.offset);
	}
	if (!CHECK(strcmp(got, d->expected) == 0))
		fprintf(stderr, "\"%s\" with flags %u: \"%s\"\n", d->text, (unsigned)d->flags, got);
	if (status == LANEWISE_OK && n_decoded > 0) {
		char *exact = malloc(n_decoded);

		CHECK_EQUAL(lanewise_base64_decode(d->text, n, d->flags, exact, n_decoded, &n_decoded, NULL),
		            LANEWISE_OK);
		CHECK_EQUAL(lanewise_base64_decode(d->text, n, d->flags, exact, n_decoded - 1, &n_decoded, NULL),
		            LANEWISE_ERROR_CAPACITY);
		free(exact);
	}
}

static void test_arguments(void)
{
	char data[4];
	size_t n;

	CHECK_EQUAL(lanewise_base64_decode(NULL, 1, 0, data, 4, &n, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_base64_decode("Zg==", 4, 0, NULL, 4, &n, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_base64_decode("Zg==", 4, 0, data, 4, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_base64_decode("Zg==", 4, 16, data, 4, &n, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_base64_decode("Zg==", 4, LAX | FORGIVING, data, 4, &n, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_base64_decode(NULL, 0, 0, NULL, 0, &n, NULL), LANEWISE_OK);
	CHECK_EQUAL(n, 0);
}

/* Round trips, lines of 76 characters too, and every byte changed: strict decoding finds it or gives other bytes. */
static void test_round_trips(void)
{
	enum { MAX = 700 };
	unsigned char data[MAX], back[MAX];
	char text[MAX * 2], lines[MAX * 2];
	uint64_t state = 3;

	for (size_t n = 0; n < MAX; n++)
		for (uint32_t flags = 0; flags < 4; flags++) {
			size_t n_text, n_back = 0, n_lines = 0;
			lanewise_error error;

			for (size_t i = 0; i < n; i++)
				data[i] = (unsigned char)test_random(&state);
			n_text = lanewise_base64_encode(data, n, flags, text);
			CHECK(n_text < sizeof text);
			CHECK_EQUAL(lanewise_base64_decode(text, n_text, flags, back, n, &n_back, NULL), LANEWISE_OK);
			CHECK(n_back == n && memcmp(back, data, n) == 0);
			for (size_t i = 0; i < n_text; i++) {
				if (i && i % 76 == 0) {
					lines[n_lines++] = '\r';
					lines[n_lines++] = '\n';
				}
				lines[n_lines++] = text[i];
			}
			CHECK_EQUAL(lanewise_base64_decode(lines, n_lines, flags | FORGIVING, back, n, &n_back, NULL),
			            LANEWISE_OK);
			CHECK(n_back == n && memcmp(back, data, n) == 0);
			CHECK_EQUAL(lanewise_base64_decode(lines, n_lines, flags | LAX, back, n, &n_back, NULL),
			            LANEWISE_OK);
			CHECK(n_back == n && memcmp(back, data, n) == 0);
			if (n_text == 0)
				continue;
			/* A character that is of neither alphabet is found where it is. */
			size_t at = (size_t)(test_random(&state) % n_text);

			if (text[at] == '=')
				continue;
			text[at] = "\x80\xff .~\0"[test_random(&state) % 6];
			CHECK_EQUAL(lanewise_base64_decode(text, n_text, flags, back, n, &n_back, &error),
			            LANEWISE_ERROR_DATA);
			CHECK_EQUAL(error.offset, at);
		}
}

/* However a text is cut, pieces decode to what the whole does: bytes, status, offset of the error. */
static void test_pieces_of(const char *text, size_t n, uint32_t flags)
{
	unsigned char whole[256], data[256];
	size_t n_whole = 0, n_piece;
	lanewise_error error = { 0 }, expected_error = { 0 };
	lanewise_status expected =
	        lanewise_base64_decode(text, n, flags, whole, sizeof whole, &n_whole, &expected_error);

	for (size_t cut = 0; cut <= n; cut++)
		for (size_t second = cut; second <= n; second += 1 + n / 5) {
			const size_t ends[] = { cut, second, n };
			lanewise_base64_state state = { 0 };
			lanewise_status status = LANEWISE_OK;
			size_t at = 0, n_data = 0;

			for (int i = 0; status == LANEWISE_OK && i < 3; i++) {
				size_t room = lanewise_base64_decoded_bound(ends[i] - at + 3);

				status = lanewise_base64_feed(&state, text + at, ends[i] - at, flags, data + n_data,
				                              room, &n_piece, &error);
				n_data += n_piece;
				at = ends[i];
			}
			if (status == LANEWISE_OK) {
				status = lanewise_base64_finish(&state, flags, data + n_data, 2, &n_piece, &error);
				n_data += n_piece;
			}
			CHECK_EQUAL(status, expected);
			if (expected == LANEWISE_OK) {
				CHECK(n_data == n_whole && memcmp(data, whole, n_whole) == 0);
			} else {
				CHECK_EQUAL(error.offset, expected_error.offset);
				CHECK(strcmp(error.what, expected_error.what) == 0);
				CHECK_EQUAL(lanewise_base64_feed(&state, "AAAA", 4, flags, data, 9, &n_piece, &error),
				            LANEWISE_ERROR_DATA);
			}
		}
}

static void test_pieces(void)
{
	static const char alphabet[] = "AZaz09+/-_=== \n*";
	uint64_t random = 1;
	char text[100];

	for (size_t i = 0; i < sizeof decodings / sizeof *decodings; i++)
		test_pieces_of(decodings[i].text, strlen(decodings[i].text), decodings[i].flags);
	for (int i = 0; i < 400; i++) {
		static const uint32_t flags[] = { 0, URL, UNPADDED, FORGIVING, LAX, LAX | UNPADDED, URL | FORGIVING };
		size_t n = test_random(&random) % sizeof text, n_letters = i % 2 ? 8 : sizeof alphabet - 1;

		for (size_t j = 0; j < n; j++)
			text[j] = alphabet[test_random(&random) % n_letters];
		test_pieces_of(text, n, flags[i % 7]);
	}

	lanewise_base64_state state = { 0 };
	unsigned char data[2];
	size_t n;

	CHECK_EQUAL(lanewise_base64_feed(&state, "AAAA", 4, 0, data, 2, &n, NULL), LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(lanewise_base64_feed(NULL, "AAAA", 4, 0, data, 2, &n, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_base64_finish(&state, 0, data, 2, &n, NULL), LANEWISE_ERROR_DATA);
}

static void test_data_url(const char *text, const char *type, const char *data, int32_t is_base64)
{
	lanewise_data_url url;

	CHECK_EQUAL(lanewise_data_url_parse(text, strlen(text), &url, NULL), LANEWISE_OK);
	CHECK(url.type_end - url.type_begin == strlen(type) && memcmp(text + url.type_begin, type, strlen(type)) == 0);
	CHECK(strcmp(text + url.data_begin, data) == 0);
	CHECK_EQUAL(url.is_base64, is_base64);
}

static void test_data_urls(void)
{
	lanewise_data_url url;
	lanewise_error error = { 0 };

	test_data_url("data:image/png;base64,AAAA", "image/png", "AAAA", 1);
	test_data_url("DATA:text/plain;charset=utf-8;BASE64,", "text/plain;charset=utf-8", "", 1);
	test_data_url("data:,a%20b,c", "", "a%20b,c", 0);
	test_data_url("data:;base64,Zg==", "", "Zg==", 1);
	test_data_url("data:base64,x", "base64", "x", 0);
	CHECK_EQUAL(lanewise_data_url_parse("dat:,", 5, &url, &error), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(error.offset, 0);
	CHECK_EQUAL(lanewise_data_url_parse("data:text/plain", 15, &url, &error), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(error.offset, 15);
	CHECK_EQUAL(lanewise_data_url_parse("data:,", 4, &url, &error), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(lanewise_data_url_parse(NULL, 4, &url, &error), LANEWISE_ERROR_ARGUMENT);
}

static void test_encoding_in_pieces(void)
{
	unsigned char data[200];
	char whole[300], pieces[300];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * 37 + 5);
	for (uint32_t flags = 0; flags < 4; flags++)
		for (size_t n = 0; n <= sizeof data; n++)
			for (size_t piece = 3; piece < 100; piece += 30) {
				size_t n_whole = lanewise_base64_encode(data, n, flags, whole), n_pieces = 0;

				for (size_t at = 0; at < n; at += piece)
					n_pieces += lanewise_base64_encode(data + at, n - at < piece ? n - at : piece,
					                                   flags, pieces + n_pieces);
				CHECK(n_pieces == n_whole && memcmp(pieces, whole, n_whole) == 0);
			}
}

int main(void)
{
	test_encoding_in_pieces();
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		test_known_encodings();
		for (size_t i = 0; i < sizeof decodings / sizeof *decodings; i++)
			test_decoding(&decodings[i]);
		test_arguments();
		test_round_trips();
		test_pieces();
	}
	test_data_urls();
	return test_result();
}
