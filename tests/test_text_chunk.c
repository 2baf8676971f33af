/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text chunks: examples, what must hold of any chunks of any text (they cover it, begin and end between characters, share
 * and hold no more than they may), and an independent packer over parts that the test finds by itself.
 */
#include "test.h"

#include <stdlib.h>
#include <time.h>

#include <lanewise/lanewise.h>

enum { MOST = 200000 };

static lanewise_text_chunk_options options_of(int32_t unit, int32_t measure, uint32_t size, uint32_t overlap)
{
	lanewise_text_chunk_options options;

	lanewise_text_chunk_options_default(&options);
	options.unit = unit;
	options.measure = measure;
	options.size = size;
	options.overlap = overlap;
	return options;
}

/* All chunks, a few at a time. */
static size_t chunk_all(const char *text, size_t n, const lanewise_text_chunk_options *options,
                        lanewise_text_chunk *chunks, size_t step)
{
	void *scratch = malloc(lanewise_text_chunker_scratch_size());
	lanewise_text_chunker *chunker;
	size_t n_chunks = 0, more;

	CHECK(lanewise_text_chunker_begin(scratch, text, n, options, &chunker, NULL) == LANEWISE_OK);
	while ((more = lanewise_text_chunker_next(chunker, chunks + n_chunks,
	                                          step < MOST - n_chunks ? step : MOST - n_chunks)) > 0)
		n_chunks += more;
	free(scratch);
	return n_chunks;
}

/* The chunks as they should be, each ended by '|'. */
static void check_chunks(const char *text, const lanewise_text_chunk_options *options, const char *expected)
{
	static lanewise_text_chunk chunks[1000];
	char joined[2000] = "";
	size_t n = chunk_all(text, strlen(text), options, chunks, 3), used = 0;

	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(joined + used, sizeof joined - used, "%.*s|",
		                         (int)(chunks[i].end - chunks[i].begin), text + chunks[i].begin);
	if (!CHECK(strcmp(joined, expected) == 0))
		fprintf(stderr, "got      %s\nexpected %s\n", joined, expected);
}

static void check_sentences(const char *text, const char *expected)
{
	lanewise_text_chunk_options options = options_of(LANEWISE_TEXT_CHUNK_SENTENCES, 0, 1000, 999);

	options.single = 1;
	check_chunks(text, &options, expected);
}

static void test_examples(void)
{
	lanewise_text_chunk_options o = options_of(LANEWISE_TEXT_CHUNK_CHARACTERS, 0, 4, 1);

	check_chunks("", &o, "");
	check_chunks("abc", &o, "abc|");
	check_chunks("abcdefghij", &o, "abcd|defg|ghij|");
	check_chunks("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80zyx", &o,
	             "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80|\xf0\x9f\x98\x80zyx|");
	check_chunks("ab\xff\xe2\x82zyx", &o, "ab\xff\xe2|\xe2\x82zy|yx|");
	o.overlap = 3;
	check_chunks("abcdef", &o, "abcd|bcde|cdef|");

	o = options_of(LANEWISE_TEXT_CHUNK_LINES, 0, 8, 4);
	check_chunks("one\ntwo\nsix\nten\n", &o, "one\ntwo\n|two\nsix\n|six\nten\n|");
	check_chunks("one\n\nalpha beta gamma\nx", &o, "one\n\n|\nalpha |beta |gamma\nx|");
	check_chunks("abcdefghijkl mn", &o, "abcdefgh|efghijkl|ijkl mn|");
	o.overlap = 0;
	check_chunks("abcdefghijkl mn", &o, "abcdefgh|ijkl mn|");

	o = options_of(LANEWISE_TEXT_CHUNK_PARAGRAPHS, 0, 20, 0);
	check_chunks("One two.\n\nThree.\n \t\nFour five six.\r\n\r\nEnd", &o,
	             "One two.\n\nThree.\n \t\n|Four five six.\r\n\r\n|End|");
	check_chunks("A long one. With two of them. And more\n\nrest", &o,
	             "A long one. |With two of them. |And more\n\nrest|");
	o.single = 1;
	check_chunks("A long one. With two of them. And more\n\nrest\n\nend", &o,
	             "A long one. |With two of them. |And more\n\n|rest\n\n|end|");
	o.overlap = 18;
	check_chunks("A long one. With two of them. And more\n\nrest\n\nend", &o,
	             "A long one. |With two of them. |And more\n\n|rest\n\n|end|");
	o.single = 0;
	o.trim = 1;
	o.overlap = 0;
	check_chunks("  One two.\n\nThree.\n \t\nFour five six.\r\n\r\nEnd", &o, "One two.|Three.|Four five six.|End|");
	check_chunks(" \n\n \t\n ", &o, "");
	check_chunks("\xe3\x80\x80 x \xc2\xa0", &o, "x|");
}

static void test_sentences(void)
{
	check_sentences("One is here. Two is there! Is three? Yes.", "One is here. |Two is there! |Is three? |Yes.|");
	check_sentences("It costs 3.14 dollars. See Dr. Smith and J. S. Bach, e.g. Monday. Then go.",
	                "It costs 3.14 dollars. |See Dr. Smith and J. S. Bach, e.g. Monday. |Then go.|");
	check_sentences("\"Really?\" she said. (It was so.) Well... he went. Wait... He came.",
	                "\"Really?\" she said. |(It was so.) |Well... he went. |Wait... |He came.|");
	check_sentences("1. First of all\n2. Second one. Now third.", "1. First of all\n2. Second one. |Now third.|");
	check_sentences("No end\n\nNew paragraph. Last", "No end\n\n|New paragraph. |Last|");
	check_sentences("\xe4\xbd\xa0\xe5\xa5\xbd\xe3\x80\x82\xe4\xb8\x96\xe7\x95\x8c\xef\xbc\x81\xe5\xa5\xbd",
	                "\xe4\xbd\xa0\xe5\xa5\xbd\xe3\x80\x82|\xe4\xb8\x96\xe7\x95\x8c\xef\xbc\x81|\xe5\xa5\xbd|");
	check_sentences("\xd0\x9e\xd0\xbd \xd0\xb8 \xd1\x82. \xd0\xb4. \xd0\x97\xd0\xb0\xd1\x82\xd0\xb5\xd0\xbc.",
	                "\xd0\x9e\xd0\xbd \xd0\xb8 \xd1\x82. \xd0\xb4. |\xd0\x97\xd0\xb0\xd1\x82\xd0\xb5\xd0\xbc.|");
	check_sentences("See www.example.com/a.b?c=d for it. MR. BROWN knows. The U.S. Army too.",
	                "See www.example.com/a.b?c=d for it. |MR. BROWN knows. |The U.S. Army too.|");

	lanewise_text_chunk_options o = options_of(LANEWISE_TEXT_CHUNK_SENTENCES, 0, 12, 0);

	o.abbreviations = "foo z.b";
	check_chunks("A foo. Bar. Z.B. Mr. Cat.", &o, "A foo. Bar. |Z.B. Mr. |Cat.|");
	o.abbreviations = "";
	check_chunks("A foo. Bar. Z.B. Mr. Cat.", &o, "A foo. Bar. |Z.B. Mr. |Cat.|");
	o.size = 10;
	check_chunks("A foo. Bar. Mr. Cat.", &o, "A foo. |Bar. Mr. |Cat.|");
	o.abbreviations = NULL;
	check_chunks("A foo. Bar. Mr. Cat.", &o, "A foo. |Bar. |Mr. Cat.|");
}

static void test_tokens(void)
{
	CHECK_EQUAL(lanewise_text_tokens("", 0), 0);
	CHECK_EQUAL(lanewise_text_tokens(NULL, 0), 0);
	CHECK_EQUAL(lanewise_text_tokens(" ", 1), 0);
	CHECK_EQUAL(lanewise_text_tokens("a", 1), 1);                                              /* 48 */
	CHECK_EQUAL(lanewise_text_tokens("The quick brown fox jumps over the lazy dog.", 44), 11); /* 646 / 64 */
	CHECK_EQUAL(lanewise_text_tokens("====================", 20), 4); /* 56 + 19 * 8 = 208 */
	CHECK_EQUAL(lanewise_text_tokens("2024\n\n        x", 15), 4);    /* 44 + 42 + 40 + 4 + 16 + 48 = 194 */
	CHECK_EQUAL(lanewise_text_tokens("\xc3\xa4\xe4\xbd\xa0\xf0\x9f\x98\x80\xff", 10), 5); /* 320 */
}

/* -------------------------------------------------------------- properties */

static const char *const alphabets[] = {
	"abcdefg hij", "ab. \n", "Ab.!? \n\"')", "a\n", "x\r\n \t\n.",
};

/* Text of one kind; the last are random bytes, and random characters with some broken ones. */
enum { KINDS = 8 };

static size_t make_text(char *text, size_t n, int kind, uint64_t *seed)
{
	static const char *const pieces[] = { "\xe4\xbd\xa0",
		                              "\xe3\x80\x82",
		                              "\xf0\x9f\x98\x80",
		                              "\xc3\xa9",
		                              "\xe2\x80\xa6",
		                              "\xc2\xa0",
		                              "\xe3\x80\x80",
		                              " ",
		                              "word ",
		                              "Mr. ",
		                              "e.g. ",
		                              "\n",
		                              "\n\n",
		                              "End. ",
		                              "\xe2\x82",
		                              "\x80",
		                              "\xe2\x80\x9d",
		                              "\xff",
		                              "Really? ",
		                              "12. ",
		                              "\xf0\x9f",
		                              "\xed\xa0\x80",
		                              "\xc0\xaf",
		                              "\xe2\x80\xa8" };
	size_t at = 0;

	if (kind < 5) {
		while (at < n)
			text[at++] = alphabets[kind][test_random(seed) % strlen(alphabets[kind])];
		return n;
	}
	if (kind == 5) {
		while (at < n)
			text[at++] = (char)test_random(seed);
		return n;
	}
	while (at < n) {
		const char *piece = pieces[test_random(seed) % (kind == 6 ? 14 : sizeof pieces / sizeof *pieces)];

		for (; *piece && at < n; piece++)
			text[at++] = *piece;
	}
	return n;
}

/* Characters, by a decoder of the test's own. */
static size_t naive_character(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;
	lanewise_error error;
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	return length <= n && lanewise_utf8_validate(text, length, &error) == LANEWISE_OK ? length : 1;
}

static uint64_t naive_measure(const char *text, size_t n, const lanewise_text_chunk_options *o, size_t n_text_left)
{
	uint64_t count = 0;

	if (o->measure == LANEWISE_TEXT_CHUNK_TOKENS)
		return lanewise_text_tokens(text, n);
	for (size_t at = 0; at < n; count++)
		at += naive_character(text + at, n_text_left - at);
	return count;
}

static int is_space_only(const char *text, size_t n)
{
	char *out = malloc(lanewise_normalize_bound(n));
	size_t n_out;

	CHECK(lanewise_normalize(text, n, LANEWISE_NORMALIZE_TRIM | LANEWISE_WHITESPACE_UNICODE, out,
	                         lanewise_normalize_bound(n), &n_out) == LANEWISE_OK);
	free(out);
	return n_out == 0;
}

static void check_properties(const char *text, size_t n, const lanewise_text_chunk_options *o)
{
	static lanewise_text_chunk chunks[MOST], again[MOST];
	static unsigned char is_boundary[MOST];
	size_t n_chunks = chunk_all(text, n, o, chunks, 7);

	CHECK(chunk_all(text, n, o, again, 1) == n_chunks && memcmp(chunks, again, n_chunks * sizeof *chunks) == 0);
	memset(is_boundary, 0, n + 1);
	for (size_t at = 0; at < n; at += naive_character(text + at, n - at))
		is_boundary[at] = 1;
	is_boundary[n] = 1;

	for (size_t i = 0; i < n_chunks; i++) {
		lanewise_text_chunk c = chunks[i];
		size_t last = i > 0 ? chunks[i - 1].end : 0;

		if (!CHECK(c.begin < c.end && c.end <= n && is_boundary[c.begin] && is_boundary[c.end]) ||
		    !CHECK(c.begin <= c.fresh && c.fresh < c.end && is_boundary[c.fresh]) ||
		    !CHECK(i == 0 || (c.begin > chunks[i - 1].begin && c.end > last)) ||
		    !CHECK(o->trim ? c.fresh >= last && is_space_only(text + last, c.fresh - last) : c.fresh == last))
			return;

		uint64_t size = naive_measure(text + c.begin, c.end - c.begin, o, n - c.begin);
		uint64_t shared = naive_measure(text + c.begin, c.fresh - c.begin, o, n - c.begin);

		CHECK(size <= o->size || naive_character(text + c.begin, n - c.begin) == c.end - c.begin);
		CHECK(o->trim || shared <= o->overlap);
	}
	size_t covered = n_chunks ? chunks[n_chunks - 1].end : 0;

	CHECK(o->trim ? is_space_only(text + covered, n - covered) : covered == n);
}

static void test_properties(void)
{
	enum { LONGEST = 1500 };
	uint64_t seed = 11;

	for (int round = 0; round < 1500; round++) {
		char *text = malloc(LONGEST);
		uint32_t size = 1 + (uint32_t)(test_random(&seed) % (round % 3 ? 12 : 300));
		lanewise_text_chunk_options o = options_of((int32_t)(test_random(&seed) % 4), (int32_t)(round % 5 == 0),
		                                           size, (uint32_t)(test_random(&seed) % size));
		size_t n = make_text(text, test_random(&seed) % LONGEST, round % KINDS, &seed);
		char *exact = malloc(n ? n : 1); /* so that the sanitizer sees its end */

		o.trim = round / 2 % 2;
		o.single = round / 4 % 5 == 0;
		memcpy(exact, text, n);
		check_properties(exact, n, &o);
		free(exact);
		free(text);
	}
}

/* ------------------------------------------------------- another packing */

/*
 * The chunks of lines that all fit, from the definition: the chunk takes whole lines while they fit, and the next begins
 * with the last lines that fit into the overlap and leave room for one more.
 */
static size_t naive_lines(const char *text, size_t n, const lanewise_text_chunk_options *o, lanewise_text_chunk *chunks)
{
	static size_t end[MOST];
	size_t n_lines = 0, n_chunks = 0, first = 0, last = 0;

	for (size_t at = 0; at < n; at++)
		if (text[at] == '\n' || at + 1 == n)
			end[n_lines++] = at + 1;
#define BEGIN(line) ((line) ? end[(line) - 1] : 0)
	while (last < n_lines) { /* lines [first, last) are in the chunk before */
		size_t begin = n_chunks ? first + 1 : 0;

		while (begin < last && (BEGIN(last) - BEGIN(begin) > o->overlap || end[last] - BEGIN(begin) > o->size))
			begin++;
		chunks[n_chunks].fresh = BEGIN(last);
		first = begin;
		while (last < n_lines && end[last] - BEGIN(first) <= o->size)
			last++;
		chunks[n_chunks].begin = BEGIN(first);
		chunks[n_chunks++].end = BEGIN(last);
	}
#undef BEGIN
	return n_chunks;
}

static void test_packing(void)
{
	static char text[20000];
	static lanewise_text_chunk chunks[MOST], naive[MOST];
	uint64_t seed = 5;

	for (int round = 0; round < 300; round++) {
		size_t n = test_random(&seed) % sizeof text;
		uint32_t size = 10 + (uint32_t)(test_random(&seed) % 200);
		lanewise_text_chunk_options o =
		        options_of(LANEWISE_TEXT_CHUNK_LINES, 0, size, (uint32_t)(test_random(&seed) % size));

		for (size_t i = 0; i < n; i++)
			text[i] = i % 10 == 9 || test_random(&seed) % 5 == 0 ? '\n' : 'a';

		size_t n_chunks = chunk_all(text, n, &o, chunks, 100);

		CHECK_EQUAL(n_chunks, naive_lines(text, n, &o, naive));
		CHECK(memcmp(chunks, naive, n_chunks * sizeof *chunks) == 0);
	}
}

/* Anything over and over, large overlaps, tiny chunks: seconds would mean quadratic time. */
static void check_time(const char *text, size_t n, const lanewise_text_chunk_options *o, const char *what)
{
	enum { STEP = 4096 };
	lanewise_text_chunk *chunks = malloc(STEP * sizeof *chunks);
	void *scratch = malloc(lanewise_text_chunker_scratch_size());
	lanewise_text_chunker *chunker;
	clock_t begin = clock();

	CHECK(lanewise_text_chunker_begin(scratch, text, n, o, &chunker, NULL) == LANEWISE_OK);
	while (lanewise_text_chunker_next(chunker, chunks, STEP) > 0)
		continue;
	if (!CHECK(clock() - begin < 4 * CLOCKS_PER_SEC))
		fprintf(stderr, "'%s', unit %d, size %u, trim %u\n", what, (int)o->unit, o->size, o->trim);
	free(scratch);
	free(chunks);
}

static void test_time(void)
{
	enum { BYTES = 100000 };
	static const char *const repeated[] = { "a",    " ",   "\n",
		                                "A. ",  "\n ", "\xe4\xbd\xa0\xe5\xa5\xbd\xe5\xa5\xbd\xe3\x80\x82",
		                                "\x80", ".",   "1. e.g. ",
		                                "\")",  NULL };
	char *text = malloc(BYTES);

	for (size_t k = 0; k < sizeof repeated / sizeof *repeated; k++) {
		const char *what = repeated[k] ? repeated[k] : "letters, then spaces";

		for (size_t i = 0; i < BYTES; i++)
			text[i] = repeated[k] ? repeated[k][i % strlen(what)] : " x"[i / (BYTES / 8) % 2];
		for (int32_t unit = 0; unit < 4; unit++)
			for (uint32_t variant = 0; variant < 4; variant++) {
				uint32_t size = variant < 2 ? BYTES / 4 : 2;
				lanewise_text_chunk_options o = options_of(unit, 0, size, size - 1);

				o.trim = variant % 2;
				check_time(text, BYTES, &o, what);
			}
	}
	free(text);
}

static void test_arguments(void)
{
	lanewise_text_chunk_options good, bad[8];
	static const char *const names[] = { "struct_size", "unit", "measure", "size",
		                             "overlap",     "trim", "single",  "abbreviations" };
	char *scratch = malloc(lanewise_text_chunker_scratch_size()), list[5001];
	lanewise_text_chunker *chunker;
	lanewise_error error;

	CHECK(lanewise_text_chunker_scratch_size() < 512);
	lanewise_text_chunk_options_default(&good);
	memset(list, 'a', 5000);
	list[5000] = 0;
	for (int i = 0; i < 8; i++)
		bad[i] = good;
	bad[0].struct_size--;
	bad[1].unit = 4;
	bad[2].measure = -1;
	bad[3].size = 0;
	bad[4].overlap = bad[4].size;
	bad[5].trim = 2;
	bad[6].single = 2;
	bad[7].abbreviations = list;
	for (int i = 0; i < 8; i++) {
		CHECK(lanewise_text_chunker_begin(scratch, "a", 1, &bad[i], &chunker, &error) ==
		      LANEWISE_ERROR_ARGUMENT);
		CHECK(strstr(error.what, names[i]) != NULL);
	}
	CHECK(lanewise_text_chunker_begin(NULL, "a", 1, NULL, &chunker, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_text_chunker_begin(scratch + 1, "a", 1, NULL, &chunker, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_text_chunker_begin(scratch, NULL, 1, NULL, &chunker, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_text_chunker_begin(scratch, "a", 1, NULL, NULL, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_text_chunker_begin(scratch, NULL, 0, NULL, &chunker, NULL) == LANEWISE_OK);
	free(scratch);
}

int main(void)
{
	test_examples();
	test_sentences();
	test_tokens();
	test_properties();
	test_packing();
	test_time();
	test_arguments();
	return test_result();
}
