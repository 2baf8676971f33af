/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/sse.h: the standard's examples and rules, every cut into two and into single bytes, capacity, long streams. */
#include <lanewise/sse.h>

#include <stdlib.h>

#include "test.h"

#define S(literal) literal, sizeof(literal) - 1

struct listing {
	char text[4096];
	size_t n;
	int32_t last;
};

static void list_events(struct listing *listing, lanewise_sse *sse, const char *bytes, size_t n)
{
	char *piece = malloc(n + !n);
	lanewise_sse_event e;

	memcpy(piece, bytes, n);
	lanewise_sse_feed(sse, n ? piece : NULL, n);
	while ((listing->last = lanewise_sse_next(sse, &e)) > 0) {
		CHECK(strlen(e.type) == e.n_type && strlen(e.id) == e.n_id);
		listing->n += (size_t)snprintf(listing->text + listing->n, sizeof listing->text - listing->n,
		                               "%s(%.*s)#%s~%d;", e.type, (int)e.n_data, e.data, e.id, (int)e.retry_ms);
	}
	free(piece);
}

static void test_stream(const char *stream, size_t n, const char *expected)
{
	_Alignas(64) static char scratch[4096];
	static struct listing listing;

	for (size_t cut = 0; cut <= n + 1; cut++) {
		lanewise_sse *sse = lanewise_sse_begin(scratch, sizeof scratch);

		memset(&listing, 0, sizeof listing);
		if (cut <= n) {
			list_events(&listing, sse, stream, cut);
			list_events(&listing, sse, stream + cut, n - cut);
		} else {
			for (size_t i = 0; i < n; i++)
				list_events(&listing, sse, stream + i, 1);
		}
		if (!CHECK(listing.last == 0 && strcmp(listing.text, expected) == 0))
			fprintf(stderr, "cut %zu: %s\n", cut, listing.text);
	}
}

static void test_rules(void)
{
	test_stream(S(""), "");
	test_stream(S("data: YHOO\ndata: +2\ndata: 10\n\n"), "message(YHOO\n+2\n10)#~-1;");
	test_stream(S(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"),
	            "message(first event)#1~-1;message(second event)#~-1;message( third event)#~-1;");
	test_stream(S("data\n\ndata\ndata\n\ndata:"), "message()#~-1;message(\n)#~-1;");
	test_stream(S("data:test\n\ndata: test\n\n"), "message(test)#~-1;message(test)#~-1;");
	test_stream(S("event: add\ndata: 7\n\ndata: 8\n\n"), "add(7)#~-1;message(8)#~-1;");
	test_stream(S("event: lost\n\ndata: x\n\n"), "message(x)#~-1;");
	test_stream(S("data: a\r\rdata: b\r\n\r\ndata: c\n\r\ndata: d\r\n\n"),
	            "message(a)#~-1;message(b)#~-1;message(c)#~-1;message(d)#~-1;");
	test_stream(S("\xef\xbb\xbf"
	              "data: x\n\n\xef\xbb\xbf"
	              "data: y\n\n"),
	            "message(x)#~-1;");
	test_stream(S("\xef\xbb"
	              "data: x\n\ndata: y\n\n"),
	            "message(y)#~-1;");
	test_stream(S("\xef\xbb\xbf\xef\xbb\xbf"
	              "data: x\n\n"),
	            "");
	test_stream(S("data: a\xc2\x85"
	              "b\xe2\x80\xa8"
	              "c\x0b\x0c\x1e\n\n"),
	            "message(a\xc2\x85"
	            "b\xe2\x80\xa8"
	            "c\x0b\x0c\x1e)#~-1;");
	test_stream(S("retry: 1500\ndata: x\n\nretry: 1x\nretry:\ndata: y\n\n"), "message(x)#~1500;message(y)#~1500;");
	test_stream(S("id: 1\0\ndata: x\n\nid: 2\n\ndata: y\n\n"), "message(x)#~-1;message(y)#2~-1;");
	test_stream(S("Data: no\ndata : no\n data: no\nunknown: x\ndata: yes: no\n\n"), "message(yes: no)#~-1;");
	test_stream(S("data: {\"x\":\"\xe4\xb8\xad\xf0\x9f\x98\x80\"}\n\ndata: [DONE]\n\n"),
	            "message({\"x\":\"\xe4\xb8\xad\xf0\x9f\x98\x80\"})#~-1;message([DONE])#~-1;");
	test_stream(S("data: never ended\n"), "");
}

static void test_capacity(void)
{
	_Alignas(64) char scratch[2048];
	size_t n_scratch = lanewise_sse_scratch_size(24);
	static char comment[100000];
	struct listing listing = { .n = 0 };
	lanewise_sse *sse;

	CHECK(n_scratch <= sizeof scratch);
	CHECK(lanewise_sse_scratch_size(SIZE_MAX) == SIZE_MAX);
	CHECK(lanewise_sse_begin(NULL, n_scratch) == NULL);
	CHECK(lanewise_sse_begin(scratch + 1, n_scratch) == NULL);
	CHECK(lanewise_sse_begin(scratch, lanewise_sse_scratch_size(0) - 1) == NULL);

	/* Comments of any length take no room, whole or in pieces; a line of 24 bytes fits, 25 do not. */
	memset(comment, ':', sizeof comment);
	sse = lanewise_sse_begin(scratch, n_scratch);
	list_events(&listing, sse, comment, sizeof comment);
	list_events(&listing, sse, S("::\n:x\ndata:1234567890123456789\n\n"));
	CHECK(listing.last == 0 && strcmp(listing.text, "message(1234567890123456789)#~-1;") == 0);
	list_events(&listing, sse, S("data:12345678901234567890\n\n"));
	CHECK_EQUAL(listing.last, LANEWISE_ERROR_CAPACITY);
	list_events(&listing, sse, S("data:1\n\n"));
	CHECK_EQUAL(listing.last, LANEWISE_ERROR_CAPACITY);

	sse = lanewise_sse_begin(scratch, sizeof scratch);
	list_events(&listing, sse, S("id: "));
	for (int i = 0; i <= LANEWISE_SSE_NAME_BYTES; i++) {
		CHECK_EQUAL(listing.last, 0);
		list_events(&listing, sse, "i", 1);
	}
	list_events(&listing, sse, "\n", 1);
	CHECK_EQUAL(listing.last, LANEWISE_ERROR_CAPACITY);
}

/* Many short lines, ended by CR only and by LF only: looking for the other must not make it quadratic. */
static void test_long_streams(void)
{
	_Alignas(64) static char scratch[2048];
	size_t n = 16 << 20;
	char *stream = malloc(n);

	for (int kind = 0; kind < 2; kind++) {
		lanewise_sse *sse = lanewise_sse_begin(scratch, sizeof scratch);
		lanewise_sse_event event;
		size_t n_events = 0;

		for (size_t i = 0; i < n; i++)
			stream[i] = "data:ab\n"[i % 8] == '\n' ? (kind ? '\n' : '\r') : "data:ab\n"[i % 8];
		for (size_t i = 15; i < n; i += 16)
			stream[i - 1] = stream[i];
		lanewise_sse_feed(sse, stream, n);
		while (lanewise_sse_next(sse, &event) > 0)
			n_events += event.n_data == 4 && memcmp(event.data, "ab\na", 4) == 0;
		CHECK_EQUAL(n_events, n / 16);
	}
	free(stream);
}

int main(void)
{
	test_rules();
	test_capacity();
	test_long_streams();
	return test_result();
}
