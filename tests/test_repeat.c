/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/repeat.h against plain code that does what the header says, in pieces and with failing memory. */
#include <lanewise/dedup.h>
#include <lanewise/repeat.h>

#include <math.h>
#include <stdlib.h>

#include "counting_allocator.h"
#include "test.h"

/* ----------------------------------------------------------------- n-grams */

static uint32_t count_naively(const uint32_t *tokens, size_t n_tokens, size_t n, size_t window)
{
	size_t last = n_tokens - n, first = last + 1 > window ? last + 1 - window : 0;
	uint32_t count = 0;

	for (size_t i = first; n_tokens >= n && i <= last; i++)
		count += memcmp(tokens + i, tokens + last, n * sizeof *tokens) == 0;
	return n_tokens >= n ? count : 0;
}

static void test_ngrams(void)
{
	enum { MOST = 600 };
	uint64_t random = 1;
	uint32_t tokens[MOST];

	for (int round = 0; round < 200; round++) {
		uint32_t n = 1 + (uint32_t)(test_random(&random) % 5),
		         window = 1 + (uint32_t)(test_random(&random) % 60);
		uint32_t threshold = 1 + (uint32_t)(test_random(&random) % 6),
		         kinds = 1 + (uint32_t)(test_random(&random) % 9);
		void *scratch = malloc(lanewise_ngrams_scratch_size(n, window));
		lanewise_ngrams *ngrams = lanewise_ngrams_begin(scratch, n, window);

		for (size_t i = 0; i < MOST; i++)
			tokens[i] = (uint32_t)(test_random(&random) % kinds) - 1;
		for (int again = 0; again < 2; again++) {
			for (size_t i = 0, taken; i < MOST; i += taken) {
				size_t piece = 1 + test_random(&random) % 50;
				uint32_t found;

				piece = piece < MOST - i ? piece : MOST - i;
				found = lanewise_ngrams_push(ngrams, tokens + i, piece, threshold, &taken);
				CHECK(taken >= 1 && taken <= piece && (taken == piece || found));
				for (size_t j = 1; j < taken; j++)
					CHECK(count_naively(tokens, i + j, n, window) < threshold);
				uint32_t expected = count_naively(tokens, i + taken, n, window);

				CHECK_EQUAL(found, expected >= threshold ? expected : 0);
			}
			lanewise_ngrams_reset(ngrams);
		}
		free(scratch);
	}
	CHECK_EQUAL(lanewise_ngrams_scratch_size(0, 5), 0);
	CHECK_EQUAL(lanewise_ngrams_scratch_size(65, 5), 0);
	CHECK_EQUAL(lanewise_ngrams_scratch_size(4, 0), 0);
	CHECK_EQUAL(lanewise_ngrams_scratch_size(4, (1 << 24) + 1), 0);
	CHECK(lanewise_ngrams_begin(NULL, 4, 4) == NULL);
}

/* ------------------------------------------------------------------- guard */

struct rules {
	size_t window, every, min, segments, block, blocks;
};

static int is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f); }

/* ASCII only. */
static size_t normal_form(const char *text, size_t n, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_space(text[i]))
			out[used++] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
		else if (used > 0 && out[used - 1] != ' ')
			out[used++] = ' ';
	}
	return used > 0 && out[used - 1] == ' ' ? used - 1 : used;
}

enum { MOST_TEXT = 3000 };

/* Cuts a window into segments; where they begin and end. */
static size_t split(const char *text, size_t n, size_t *begin, size_t *end)
{
	size_t n_segments = 0, at = 0;

	begin[0] = 0;
	while (at < n) {
		size_t stop = at;

		if (at > 0 && strchr(".!?", text[at - 1]) && text[at - 1])
			while (stop < n && is_space(text[stop]))
				stop++;
		if (stop == at)
			while (stop < n && text[stop] == '\n')
				stop++;
		if (stop == at) {
			at++;
			continue;
		}
		end[n_segments++] = at;
		at = begin[n_segments] = stop;
	}
	end[n_segments++] = n;
	return n_segments;
}

static int segment_naively(const struct rules *rules, const char *text, size_t n, lanewise_guard_repeat *repeat)
{
	static size_t begin[MOST_TEXT + 1], end[MOST_TEXT + 1];
	static char a[MOST_TEXT], b[MOST_TEXT];
	size_t n_segments = split(text, n, begin, end);

	repeat->count = 0;
	for (size_t i = 0; i < n_segments; i++) {
		size_t n_a = normal_form(text + begin[i], end[i] - begin[i], a);
		uint32_t count = 0;

		if (n_a < rules->min)
			continue;
		for (size_t j = i; j < n_segments; j++) {
			size_t n_b = normal_form(text + begin[j], end[j] - begin[j], b);

			count += n_a == n_b && memcmp(a, b, n_a) == 0;
		}
		if (count <= repeat->count)
			continue;
		repeat->count = count;
		repeat->begin = begin[i];
		repeat->end = end[i];
	}
	repeat->kind = LANEWISE_GUARD_SEGMENT;
	return repeat->count >= rules->segments;
}

static int block_naively(const struct rules *rules, const char *text, size_t n, lanewise_guard_repeat *repeat)
{
	static char a[MOST_TEXT], b[MOST_TEXT];
	size_t n_a, n_b;

	if (n < rules->block * rules->blocks)
		return 0;
	repeat->kind = LANEWISE_GUARD_BLOCK;
	repeat->begin = n - rules->block;
	repeat->end = n;
	repeat->count = 0;
	n_b = normal_form(text + repeat->begin, rules->block, b);
	n_a = normal_form(text, n, a);
	if (n_b < rules->min)
		return 0;
	for (size_t i = 0; i + n_b <= n_a; i++)
		if (memcmp(a + i, b, n_b) == 0) {
			repeat->count++;
			i += n_b - 1;
		}
	if (repeat->count < rules->blocks)
		return 0;
	repeat->count = (uint32_t)rules->blocks;
	return 1;
}

/* Where the guard fires, or 0. */
static size_t guard_naively(const struct rules *rules, const char *text, size_t n, lanewise_guard_repeat *repeat)
{
	for (size_t at = rules->every; at <= n; at += rules->every) {
		size_t begin = at > rules->window ? at - rules->window : 0;

		if (!segment_naively(rules, text + begin, at - begin, repeat) &&
		    !block_naively(rules, text + begin, at - begin, repeat))
			continue;
		repeat->begin += begin;
		repeat->end += begin;
		while (is_space(text[repeat->begin]))
			repeat->begin++;
		while (is_space(text[repeat->end - 1]))
			repeat->end--;
		return at;
	}
	return 0;
}

/* Sentences and lines of a small vocabulary, some of them over and over. */
static size_t make_text(char *text, uint64_t *random)
{
	static const char *const parts[] = { "alpha ",   "beta. ", "gamma!\n", "Delta?  ", "epsilon\n\n",
		                             "ZETA\x1c", "eta\t",  ".",        "theta ",   "iota.\n" };
	size_t n = 0, kinds = 1 + test_random(random) % 10, period = 1 + test_random(random) % 12;
	uint64_t sequence[12];

	for (size_t i = 0; i < 12; i++)
		sequence[i] = test_random(random);
	for (size_t i = 0; n + 20 < MOST_TEXT; i++) {
		uint64_t choice = test_random(random) % 30 == 0 ? test_random(random) : sequence[i % period];
		const char *part = parts[choice % kinds];

		memcpy(text + n, part, strlen(part));
		n += strlen(part);
	}
	return n;
}

static void judge_guard(const struct rules *rules, const char *text, size_t n, uint64_t *random, int *n_fired)
{
	lanewise_guard_options options = { .struct_size = sizeof options,
		                           .window_bytes = (uint32_t)rules->window,
		                           .check_every = (uint32_t)rules->every,
		                           .min_segment = (uint32_t)rules->min,
		                           .segment_repeats = (uint32_t)rules->segments,
		                           .block_bytes = (uint32_t)rules->block,
		                           .block_repeats = (uint32_t)rules->blocks };
	size_t size = lanewise_guard_scratch_size(&options);
	void *scratch = malloc(size);
	lanewise_guard *guard = lanewise_guard_begin(scratch, &options);
	lanewise_guard_repeat expected = { 0 }, actual = { 0 };
	size_t fires = guard_naively(rules, text, n, &expected), at = 0;

	if (!CHECK(size > 0 && guard))
		return;
	while (at < n) {
		size_t piece = test_random(random) % 400;
		int32_t kind;

		piece = piece < n - at ? piece : n - at;
		kind = lanewise_guard_push(guard, text + at, piece, &actual);
		at += piece;
		CHECK((kind != LANEWISE_GUARD_FINE) == (fires > 0 && at >= fires));
		if (kind == LANEWISE_GUARD_FINE)
			continue;
		CHECK_EQUAL(kind, expected.kind);
		CHECK_EQUAL(actual.kind, expected.kind);
		CHECK_EQUAL(actual.count, expected.count);
		CHECK_EQUAL(actual.begin, expected.begin);
		CHECK_EQUAL(actual.end, expected.end);
	}
	n_fired[fires ? expected.kind : 0]++;
	lanewise_guard_reset(guard);
	CHECK_EQUAL(lanewise_guard_push(guard, text, fires ? fires - 1 : n, NULL), LANEWISE_GUARD_FINE);
	free(scratch);
}

static void test_guard(void)
{
	static char text[MOST_TEXT];
	int n_fired[3] = { 0, 0, 0 };
	uint64_t random = 2;
	lanewise_guard_options wrong = { .struct_size = 1 };

	for (int round = 0; round < 400; round++) {
		struct rules rules = { 50 + test_random(&random) % 1500, 0, 0, 0, 0, 0 };
		size_t n = make_text(text, &random);

		rules.every = 1 + test_random(&random) % 300;
		rules.min = 1 + test_random(&random) % 30;
		rules.segments = 2 + test_random(&random) % 8;
		rules.block = 1 + test_random(&random) % 50;
		rules.blocks = 2 + test_random(&random) % 3;
		if (round % 2) /* leaves it to blocks */
			rules.segments = 1000;
		judge_guard(&rules, text, n, &random, n_fired);
	}
	CHECK(n_fired[0] > 20 && n_fired[1] > 20 && n_fired[2] > 20);
	CHECK(lanewise_guard_scratch_size(NULL) > 0);
	CHECK_EQUAL(lanewise_guard_scratch_size(&wrong), 0);
	wrong = (lanewise_guard_options) { .struct_size = sizeof wrong, .window_bytes = 100, .block_bytes = 101 };
	CHECK_EQUAL(lanewise_guard_scratch_size(&wrong), 0);
	CHECK(lanewise_guard_begin(NULL, NULL) == NULL);
}

/* Spaces beyond ASCII, cut characters and NULs. */
static void test_guard_bytes(void)
{
	void *scratch = malloc(lanewise_guard_scratch_size(NULL));
	lanewise_guard *guard = lanewise_guard_begin(scratch, NULL);
	lanewise_guard_repeat repeat = { 0 };
	static const char line[] = "Das ist \xc3\xbc\x62rigens ein Satz, \xc2\xa0 der wiederkommt.\xe3\x80\x80";
	int32_t kind = 0;

	for (int i = 0; i < 20 && !kind; i++)
		kind = lanewise_guard_push(guard, line, sizeof line - 1, &repeat);
	CHECK_EQUAL(kind, LANEWISE_GUARD_SEGMENT);
	CHECK_EQUAL(repeat.begin, 0);
	CHECK_EQUAL(repeat.end, sizeof line - 1 - 3);
	lanewise_guard_reset(guard);
	for (int i = 0; i < 2000; i++) {
		char bytes[7] = { (char)(i * 37), (char)0xe2, (char)0x80, 0, (char)(i * 91), (char)0xff, (char)i };

		lanewise_guard_push(guard, bytes, sizeof bytes, NULL);
	}
	lanewise_guard_push(guard, NULL, 0, NULL);
	free(scratch);
}

/* ---------------------------------------------------------------- thoughts */

static lanewise_thought record(lanewise_thoughts *thoughts, const char *text)
{
	lanewise_thought thought = { -1, 0, 0 };

	CHECK_EQUAL(lanewise_thoughts_record(thoughts, text, strlen(text), &thought), LANEWISE_OK);
	return thought;
}

static void test_thoughts(void)
{
	lanewise_thoughts *thoughts;
	lanewise_thought t;

	CHECK_EQUAL(lanewise_thoughts_create(NULL, NULL, &thoughts, NULL), LANEWISE_OK);
	/* Stalls: two in a row, by their first sentence alone. */
	CHECK_EQUAL(record(thoughts, "Let me read the parser. Done.").kind, LANEWISE_THOUGHT_FINE);
	t = record(thoughts, "  I'LL look\nat tokens");
	CHECK(t.kind == LANEWISE_THOUGHT_STALL && t.count == 2);
	t = record(thoughts, "NOWadays everything counts");
	CHECK(t.kind == LANEWISE_THOUGHT_STALL && t.count == 3);
	CHECK_EQUAL(record(thoughts, "The lexer. Now the parser.").kind, LANEWISE_THOUGHT_FINE);
	CHECK_EQUAL(record(thoughts, "\nI will see").kind, LANEWISE_THOUGHT_FINE);
	CHECK_EQUAL(record(thoughts, "").kind, LANEWISE_THOUGHT_FINE);
	lanewise_thoughts_reset(thoughts);

	/* Repeats, whatever the spacing, but not the case. */
	CHECK_EQUAL(record(thoughts, "Alpha  beta").kind, LANEWISE_THOUGHT_FINE);
	CHECK_EQUAL(record(thoughts, "\tAlpha\xc2\xa0"
	                             "beta\n")
	                    .kind,
	            LANEWISE_THOUGHT_FINE);
	CHECK_EQUAL(record(thoughts, "Something different here entirely").count, 1);
	t = record(thoughts, "Alpha beta");
	CHECK(t.kind == LANEWISE_THOUGHT_REPEAT && t.count == 3);
	lanewise_thoughts_reset(thoughts);

	/* Similar: keywords of four bytes and more, no function words, underscores part them. */
	CHECK_EQUAL(record(thoughts, "parser tokens handles_errors").kind, LANEWISE_THOUGHT_FINE);
	t = record(thoughts, "Parser: TOKENS, handles the errors and should there be more");
	CHECK(t.kind == LANEWISE_THOUGHT_FINE && t.count == 2 && t.similarity >= 1);
	t = record(thoughts, "parser tokens handles wrongly");
	CHECK(t.kind == LANEWISE_THOUGHT_FINE && t.count == 1 && fabs(t.similarity - 0.6) < 1e-12);
	t = record(thoughts, "errors handles tokens parser fine");
	CHECK(t.kind == LANEWISE_THOUGHT_SIMILAR && t.count == 3 && fabs(t.similarity - 0.8) < 1e-12);
	lanewise_thoughts_reset(thoughts);
	CHECK(record(thoughts, "errors handles tokens parser fine").similarity <= 0);
	/* Texts without keywords are like no other. */
	CHECK(record(thoughts, "a b c").similarity <= 0);
	CHECK(record(thoughts, "d e f").similarity <= 0);
	lanewise_thoughts_destroy(thoughts);
	lanewise_thoughts_destroy(NULL);
}

/* Only the last `window` texts are compared, and only the last max_texts can be repeated. */
static void test_thought_limits(void)
{
	lanewise_thoughts_options options = { .struct_size = sizeof options,
		                              .window = 3,
		                              .max_texts = 5,
		                              .repeat_threshold = 2,
		                              .stall_threshold = 1000 };
	lanewise_thoughts *thoughts;
	char text[40];

	CHECK_EQUAL(lanewise_thoughts_create(&options, NULL, &thoughts, NULL), LANEWISE_OK);
	for (int i = 0; i < 30; i++) {
		lanewise_thought t;

		snprintf(text, sizeof text, "number%d other%d", i, i);
		t = record(thoughts, text);
		CHECK(t.kind == LANEWISE_THOUGHT_FINE && t.count == 1 && t.similarity <= 0);
		if (i < 6)
			continue;
		snprintf(text, sizeof text, "number%d other%d!", i - 2, i - 2);
		CHECK_EQUAL(record(thoughts, text).kind, LANEWISE_THOUGHT_SIMILAR);
		snprintf(text, sizeof text, "number%d other%d", i - 6, i - 6);
		CHECK_EQUAL(record(thoughts, text).kind, LANEWISE_THOUGHT_FINE);
		snprintf(text, sizeof text, "number%d other%d", i - 6, i - 6);
		CHECK_EQUAL(record(thoughts, text).kind, LANEWISE_THOUGHT_REPEAT);
		lanewise_thoughts_reset(thoughts);
		for (int j = i - 4; j <= i; j++) {
			snprintf(text, sizeof text, "number%d other%d", j, j);
			record(thoughts, text);
		}
	}
	lanewise_thoughts_destroy(thoughts);
}

static void test_thought_errors(void)
{
	static const char *const names[] = { "struct_size", "repeat_threshold", "window", "max_texts",
		                             "similarity_threshold" };
	lanewise_thoughts *thoughts = NULL;
	lanewise_thought t;
	lanewise_error error;

	for (int i = 0; i < 6; i++) {
		lanewise_thoughts_options wrong = { .struct_size = sizeof wrong };

		wrong.struct_size -= i == 0;
		wrong.repeat_threshold = i == 1;
		wrong.window = i == 2 ? 1001 : 0;
		wrong.max_texts = i == 3 ? 65537 : 0;
		wrong.similarity_threshold = i == 4 ? 1.1 : i == 5 ? NAN : 0;
		CHECK_EQUAL(lanewise_thoughts_create(&wrong, NULL, &thoughts, &error), LANEWISE_ERROR_ARGUMENT);
		CHECK(strstr(error.what, names[i < 5 ? i : 4]) != NULL);
	}
	for (size_t fail_at = 1, failed = 1; failed; fail_at++) {
		struct counter counter = { .fail_at = fail_at };
		lanewise_allocator allocator = counting_allocator(&counter);
		char text[2000];

		failed = 0;
		if (lanewise_thoughts_create(NULL, &allocator, &thoughts, &error) != LANEWISE_OK) {
			failed = 1;
			CHECK_EQUAL(error.status, LANEWISE_ERROR_NO_MEMORY);
			CHECK_EQUAL(counter.n_bytes, 0);
			continue;
		}
		for (int i = 0; i < 30; i++) {
			size_t n = 0;

			for (int j = 0; j < 6 * i; j++)
				n += (size_t)snprintf(text + n, sizeof text - n, "w%dword ", j * i);
			if (lanewise_thoughts_record(thoughts, text, n, &t) != LANEWISE_OK) {
				failed++;
				CHECK_EQUAL(lanewise_thoughts_record(thoughts, text, n, &t), LANEWISE_OK);
			}
			CHECK(t.count == 1 || i == 0);
		}
		CHECK_EQUAL(lanewise_thoughts_record(thoughts, NULL, 1, &t), LANEWISE_ERROR_ARGUMENT);
		CHECK_EQUAL(lanewise_thoughts_record(thoughts, NULL, 0, &t), LANEWISE_OK);
		lanewise_thoughts_destroy(thoughts);
		CHECK_EQUAL(counter.n_bytes, 0);
	}
}

static size_t phrases_in(const char *text, size_t *first)
{
	*first = 999;
	return lanewise_circular_phrases(text, strlen(text), first);
}

static void test_phrases(void)
{
	size_t first;

	CHECK(phrases_in("", &first) == 0 && first == 999);
	CHECK(phrases_in("Nothing to read here. Let us check.", &first) == 0 && first == 999);
	CHECK(phrases_in("So LET ME reAD it", &first) == 1 && first == 3);
	/* "now let me" ends before "let me check" does and takes its beginning. */
	CHECK(phrases_in("Now let me check, then I should look", &first) == 2 && first == 0);
	CHECK(phrases_in("i'll readi'll readxi will need to", &first) == 3 && first == 0);
	CHECK(phrases_in("wwwlet me look", &first) == 0);
	CHECK_EQUAL(lanewise_circular_phrases("let me see", 9, NULL), 0);
	CHECK_EQUAL(lanewise_circular_phrases("let me see", 10, NULL), 1);
	CHECK_EQUAL(lanewise_circular_phrases(NULL, 0, NULL), 0);
}

/* -------------------------------------------------------------- signatures */

#define TEXT(s)        (s), sizeof(s) - 1
#define ARGUMENT(k, v) { (k), (v), sizeof(k) - 1, sizeof(v) - 1 }

static void test_signatures(void)
{
	static const lanewise_argument sorted[] = {
		ARGUMENT("", "e"),  ARGUMENT("B", "2"),    ARGUMENT("a", "\"x\""),
		ARGUMENT("ab", ""), ARGUMENT("b", "null"), ARGUMENT("\xc3\xa4", "1")
	};
	enum { N = sizeof sorted / sizeof *sorted };
	static const char text[] = "tool:=e,B=2,a=\"x\",ab=,b=null,\xc3\xa4=1";
	lanewise_hash128 out[2], expected = lanewise_xxh3_128(TEXT(text), 0);
	uint64_t random = 3;
	size_t scratch[N];

	for (int round = 0; round < 200; round++) {
		lanewise_argument mixed[N];
		lanewise_call calls[2] = { { TEXT("tool"), mixed, N }, { TEXT("empty"), NULL, 0 } };

		memcpy(mixed, sorted, sizeof mixed);
		for (size_t i = N; i > 1; i--) {
			size_t j = test_random(&random) % i;
			lanewise_argument a = mixed[j];

			mixed[j] = mixed[i - 1];
			mixed[i - 1] = a;
		}
		lanewise_call_signatures(calls, 2, scratch, out);
		CHECK(out[0].low == expected.low && out[0].high == expected.high);
		CHECK(out[1].low == lanewise_xxh3_128(TEXT("empty:"), 0).low);
	}
	/* Equal keys stay in order. */
	const lanewise_argument twice[] = { ARGUMENT("k", "1"), ARGUMENT("k", "2"), ARGUMENT("a", "0"),
		                            ARGUMENT("k", "3") };
	const lanewise_call call = { TEXT("t"), twice, 4 };

	lanewise_call_signatures(&call, 1, scratch, out);
	CHECK(out[0].high == lanewise_xxh3_128(TEXT("t:a=0,k=1,k=2,k=3"), 0).high);
	lanewise_call_signatures(NULL, 0, NULL, NULL);
}

int main(void)
{
	test_ngrams();
	test_guard();
	test_guard_bytes();
	test_thoughts();
	test_thought_limits();
	test_thought_errors();
	test_phrases();
	test_signatures();
	return test_result();
}
