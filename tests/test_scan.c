/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/scan.h against scanning by definition, on every tier, whole and cut in two at every place. */
#include "counting_allocator.h"
#include "test.h"

#include "scan/scan_set.h"
#include "scan_naive.h"

static uint64_t random_state = 5;

static size_t below(size_t n) { return (size_t)(test_random(&random_state) % n); }

/* Patterns in one buffer, for as long as the test runs. */
struct random_set {
	unsigned char bytes[1 << 16];
	lanewise_pattern patterns[1200];
	size_t n_patterns, n_bytes;
};

static struct random_set made;

static void add_pattern(const void *bytes, size_t n)
{
	memcpy(made.bytes + made.n_bytes, bytes, n);
	made.patterns[made.n_patterns++] = (lanewise_pattern) { made.bytes + made.n_bytes, n };
	made.n_bytes += n;
}

static void fill(unsigned char *p, size_t n, const char *alphabet, size_t n_alphabet)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)alphabet[below(n_alphabet)];
}

static void make_patterns(size_t n, size_t shortest, size_t longest, const char *alphabet, size_t n_alphabet)
{
	unsigned char bytes[256];

	made.n_patterns = made.n_bytes = 0;
	for (size_t i = 0; i < n; i++) {
		size_t length = shortest + below(longest - shortest + 1);

		fill(bytes, length, alphabet, n_alphabet);
		add_pattern(bytes, length);
	}
}

/* Writes patterns, some of them damaged, into a text, and the beginning of one to its end. */
static void plant(unsigned char *text, size_t n, size_t n_planted)
{
	for (size_t i = 0; i < n_planted; i++) {
		const lanewise_pattern *pattern = &made.patterns[below(made.n_patterns)];

		if (pattern->n_bytes > n)
			continue;

		size_t at = below(n - pattern->n_bytes + 1);

		memcpy(text + at, pattern->bytes, pattern->n_bytes);
		if (below(3) == 0)
			text[at + below(pattern->n_bytes)] ^= 0x20;
	}

	const lanewise_pattern *last = &made.patterns[below(made.n_patterns)];
	size_t n_there = below(last->n_bytes);

	if (n_there > 0 && n_there <= n)
		memcpy(text + n - n_there, last->bytes, n_there);
}

static size_t rows_bytes = LW_SCAN_ROWS_BYTES; /* or 0: all sets are compact */

static lanewise_scan_set *create(int ignore_case)
{
	lanewise_scan_set_options options = { sizeof options, ignore_case };
	lanewise_scan_set *set = NULL;
	lanewise_error error = { 0 };

	CHECK(lanewise_scan_set_create_with(made.patterns, made.n_patterns, &options, rows_bytes, NULL, &set, &error) ==
	      LANEWISE_OK);
	return set;
}

/* What a callback gets, and after how many matches it stops. */
struct called {
	const lanewise_match *expected;
	size_t n, stop;
	int failed;
};

static int32_t on_match(void *context, const lanewise_match *match)
{
	struct called *called = context;

	called->failed |= called->n >= called->stop || memcmp(match, &called->expected[called->n], sizeof *match) != 0;
	return ++called->n == called->stop;
}

static void check_each(const struct naive_case *c, const lanewise_scan_set *set, void *scratch,
                       const lanewise_match *expected, size_t n_expected)
{
	for (int i = 0; i < 3; i++) {
		struct called called = { expected, 0, i ? 1 + below(n_expected + 1) : SIZE_MAX, 0 };
		size_t n = called.stop < n_expected ? called.stop : n_expected;

		CHECK_EQUAL(lanewise_scan_each(set, &c->options, c->text, c->n, scratch, on_match, &called),
		            LANEWISE_OK);
		CHECK(!called.failed && called.n == n);
	}
}

static void check_counts(const struct naive_case *c, const lanewise_scan_set *set, void *scratch,
                         const lanewise_match *expected, size_t n_expected)
{
	uint64_t *counts = malloc(c->n_patterns * sizeof *counts);
	size_t n_wrong = 0;

	CHECK_EQUAL(lanewise_scan_counts(set, &c->options, c->text, c->n, scratch, counts), LANEWISE_OK);
	for (size_t i = 0; i < n_expected; i++)
		counts[expected[i].pattern]--;
	for (size_t i = 0; i < c->n_patterns; i++)
		n_wrong += counts[i] != 0;
	CHECK_EQUAL(n_wrong, 0);
	free(counts);
}

/* The functions for whole texts say what the matches do. */
static void check_whole(const struct naive_case *c, const lanewise_scan_set *set, void *scratch,
                        const lanewise_match *expected, size_t n_expected)
{
	uint64_t count = 0, present[20], expected_present[20] = { 0 };
	lanewise_match first = { 0 };
	int32_t found = -1;
	size_t n_present = 0, n_expected_present = 0;

	CHECK(lanewise_scan_count(set, &c->options, c->text, c->n, scratch, &count) == LANEWISE_OK);
	CHECK_EQUAL(count, n_expected);
	CHECK(lanewise_scan_first(set, &c->options, c->text, c->n, scratch, &first, &found) == LANEWISE_OK);
	CHECK_EQUAL(found, n_expected > 0);
	CHECK(n_expected == 0 || memcmp(&first, expected, sizeof first) == 0);
	check_each(c, set, scratch, expected, n_expected);
	check_counts(c, set, scratch, expected, n_expected);
	if (c->options.semantics != LANEWISE_SCAN_OVERLAPPING)
		return;
	for (size_t i = 0; i < n_expected; i++)
		expected_present[expected[i].pattern / 64] |= UINT64_C(1) << expected[i].pattern % 64;
	for (size_t i = 0; i < 20; i++)
		n_expected_present += (size_t)__builtin_popcountll(expected_present[i]);
	CHECK(lanewise_scan_presence(set, c->options.whole_word, c->text, c->n, scratch, present, &n_present) ==
	      LANEWISE_OK);
	CHECK(memcmp(present, expected_present, (c->n_patterns + 63) / 64 * sizeof *present) == 0);
	CHECK_EQUAL(n_present, n_expected_present);
}

/* Cuts at every place, or at a few where `n_cuts` says so. */
static void check_cuts(const struct naive_case *c, const lanewise_scan_set *set, void *scratch,
                       const lanewise_match *expected, size_t n_expected, size_t n_cuts)
{
	for (size_t i = 0; i <= (n_cuts ? n_cuts : c->n); i++) {
		size_t cut = n_cuts ? below(c->n + 1) : i;
		struct naive_run run = naive_begin(c, expected, n_expected, set, scratch, 1 + below(16));

		naive_feed(&run, 0, cut);
		if (i < 40)
			CHECK_EQUAL(lanewise_scan_safe(run.scan),
			            n_cuts ? lanewise_scan_safe(run.scan) : naive_safe(c, cut));
		naive_feed(&run, cut, c->n);
		if (!CHECK(naive_end(&run)))
			fprintf(stderr,
			        "semantics %d, whole_word %d, ignore_case %d, %zu bytes cut at %zu, match %zu\n",
			        c->options.semantics, c->options.whole_word, c->ignore_case, c->n, cut, run.at);
	}
	struct naive_run bytes = naive_begin(c, expected, n_expected, set, scratch, 3);

	/* Given up somewhere, and begun again. */
	naive_feed(&bytes, 0, below(c->n + 1));
	lanewise_scan_restart(bytes.scan);
	bytes.at = 0;
	for (size_t i = 0; i < c->n; i++)
		naive_feed(&bytes, i, i + 1);
	CHECK(naive_end(&bytes));
}

static void check_form(const unsigned char *text, size_t n, int ignore_case, size_t n_cuts)
{
	lanewise_scan_set *set = create(ignore_case);
	void *scratch = naive_scratch(set);
	unsigned char *own = malloc(n + (n == 0)); /* so that sanitizers see what is read behind it */
	struct naive_case c = { made.patterns, made.n_patterns, own, n, ignore_case, { sizeof c.options, 0, 0 } };
	lanewise_tier best = lanewise_active_tier();

	memcpy(own, text, n);
	for (int32_t semantics = 0; semantics < 4; semantics++)
		for (int32_t whole_word = 0; whole_word < 2; whole_word++) {
			size_t n_expected;

			c.options.semantics = semantics;
			c.options.whole_word = whole_word;

			lanewise_match *expected = naive_scan(&c, &n_expected);

			for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++)
				if (lanewise_set_tier(tier) == LANEWISE_OK && (tier == best || n_cuts)) {
					check_whole(&c, set, scratch, expected, n_expected);
					check_cuts(&c, set, scratch, expected, n_expected, n_cuts);
				}
			lanewise_set_tier(best);
			free(expected);
		}
	free(own);
	free(scratch);
	lanewise_scan_set_destroy(set);
}

/* In both forms that the set may have, the one that it would not have with fewer cuts. */
static void check_text(const unsigned char *text, size_t n, int ignore_case, size_t n_cuts)
{
	check_form(text, n, ignore_case, n_cuts);
	rows_bytes = 0;
	check_form(text, n, ignore_case, n_cuts ? 1 : 5);
	rows_bytes = LW_SCAN_ROWS_BYTES;
}

static void test_small(void)
{
	static const char *const alphabets[] = { "ab", "aA b", "abc_", "\x00\x80\xff" };
	unsigned char text[90];

	for (int i = 0; i < 200; i++) {
		const char *alphabet = alphabets[i % 4];
		size_t n_alphabet = i % 4 == 3 ? 3 : strlen(alphabet), n = below(sizeof text), longest = 1 + below(8);

		make_patterns(1 + below(12), 1, longest, alphabet, n_alphabet);
		fill(text, n, alphabet, n_alphabet);
		check_text(text, n, i / 4 % 2, 0);
	}
}

/* Texts of several blocks, in which the filter has something to skip, or meets candidates everywhere. */
static void test_large(void)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ    ";
	static unsigned char text[20000];

	for (int i = 0; i < 12; i++) {
		size_t n = 8000 + below(12000), shortest = 1 + (size_t)i % 6, longest = shortest + below(40);

		make_patterns(1 + below(30), shortest, longest, letters, sizeof letters - 1);
		fill(text, n, letters, sizeof letters - 1);
		plant(text, n, i % 3 == 0 ? 3 : i % 3 == 1 ? 60 : 4000);
		check_text(text, n, i / 6 % 2, 2);
	}
}

/* Patterns of a few bytes in texts that take several runs of the filter, from a few matches to one after another. */
static void test_short(void)
{
	static const char letters[] = "eeeeeeeettttttaaaaooonnniiisssrrhhldcumfpgwybvkxjqz          EA\x80\xff";
	static unsigned char text[24000];

	for (size_t i = 0; i < 4; i++) {
		size_t n = 18000 + below(6000);

		make_patterns(3 + below(20), i < 3 ? 2 : 1, 2 + i, letters + 30, sizeof letters - 31);
		fill(text, n, letters, sizeof letters - 1);
		plant(text, n, i == 1 ? 1000 : 20);
		check_text(text, n, i == 2, 1);
	}
}

/* More states than rows are made of, of 256 classes, some with many transitions. */
static void test_many_states(void)
{
	static char bytes[256];
	static unsigned char text[6000];

	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	make_patterns(300, 2, 60, bytes, 256);
	for (int i = 0; i < 200; i++) {
		unsigned char pattern[40] = "one long beginning of many patterns ...";

		pattern[38] = (unsigned char)i;
		add_pattern(pattern, 39);
		pattern[0] = pattern[1] = pattern[2] = pattern[3] = 'x';
		add_pattern(pattern, 20 + below(20));
	}
	fill(text, sizeof text, bytes, 256);
	plant(text, sizeof text, 250);
	check_text(text, sizeof text, 0, 3);
	check_text(text, sizeof text, 1, 3);
}

/* Many long patterns, by grams of six or eight bytes, and such that share all of them: their buckets are too full. */
static void test_grams(void)
{
	static const size_t shortest[] = { 8, 9, 10, 13, 23, 40 };
	static const char letters[] = "abcdefghijklm nopqrstuvwxyzABC\x80\xff@[";
	enum { N_LETTERS = sizeof letters - 1 };
	static unsigned char text[9000];

	for (size_t i = 0; i < 12; i++) {
		unsigned char pattern[80];
		size_t n = 4000 + below(5000);

		make_patterns(i % 2 ? 64 : 1100, shortest[i / 2], shortest[i / 2] + below(20), letters,
		              i < 6 ? 4 : N_LETTERS);
		for (size_t j = 0; i % 2 && j < 40; j++) {
			memset(pattern, 'a', sizeof pattern);
			pattern[shortest[i / 2]] = (unsigned char)letters[below(N_LETTERS)];
			add_pattern(pattern, shortest[i / 2] + below(30));
		}
		fill(text, n, letters, i < 6 ? 4 : N_LETTERS);
		plant(text, n, i % 3 == 0 ? 3 : 100);
		check_text(text, n, i / 4 % 2, 2);
	}
}

/* Names with a few endings, among them such as differ in the middle only, contain each other, or are there twice. */
static void test_names(void)
{
	static const char *const endings[] = { ".com", ".org", ".x", "@[" };
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzAB";
	static unsigned char text[12000];

	for (size_t i = 0; i < 6; i++) {
		unsigned char name[40];
		size_t n = 9000 + below(3000), n_random = i % 3 == 2 ? 700 : 40, shortest = 3 + 5 * (i % 2);

		made.n_patterns = made.n_bytes = 0;
		for (size_t j = 0; j < n_random; j++) {
			size_t length = shortest + below(18);
			const char *ending = endings[below(4)];

			fill(name, length, letters, sizeof letters - 1);
			memcpy(name + length, ending, strlen(ending));
			add_pattern(name, length + strlen(ending));
			if (j % 4 == 0) {
				name[length / 2] ^= 1;
				add_pattern(name, length + strlen(ending));
				add_pattern(name + length / 2, length - length / 2 + strlen(ending));
			}
			if (j % 8 == 0)
				add_pattern(name, length + strlen(ending));
			if (made.n_patterns + 4 > sizeof made.patterns / sizeof *made.patterns)
				break;
		}
		fill(text, n, letters, sizeof letters - 1);
		plant(text, n, i == 1 ? 1500 : 150);
		check_text(text, n, i / 3, 3);
	}
}

/* Hundreds of words of five bytes and more, which are found by grams at even places; some are others but for a byte. */
static void test_words(void)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGH@[`{\x81\xe1";
	static unsigned char text[12000];

	for (size_t i = 0; i < 6; i++) {
		unsigned char word[24];
		size_t n = 9000 + below(3000), n_letters = i % 2 ? sizeof letters - 1 : 26, longest = i < 4 ? 9 : 24;

		made.n_patterns = made.n_bytes = 0;
		for (size_t j = 0; j < 600; j++) {
			size_t length = 5 + below(longest - 4);

			fill(word, length, letters, n_letters);
			add_pattern(word, length);
			if (j % 8 == 0) {
				word[below(length)] ^= 1;
				add_pattern(word, length);
			}
			if (j % 16 == 0)
				add_pattern(word, 5);
		}
		fill(text, n, letters, n_letters);
		plant(text, n, i % 3 == 0 ? 1500 : 100);
		check_text(text, n, i / 2 % 2, 3);
	}
}

static void test_long_pattern(void)
{
	static unsigned char pattern[LANEWISE_SCAN_PATTERN_BYTES + 1], text[70001];
	lanewise_pattern patterns[] = { { pattern, LANEWISE_SCAN_PATTERN_BYTES }, { "ax", 2 } };
	lanewise_scan_options options = { sizeof options, LANEWISE_SCAN_LEFTMOST_LONGEST, 0 };
	lanewise_scan_set *set;
	uint64_t count;

	memset(pattern, 'a', sizeof pattern);
	memset(text, 'a', sizeof text);
	text[70000] = 'x';
	CHECK(lanewise_scan_set_create(patterns, 2, NULL, NULL, &set, NULL) == LANEWISE_OK);

	void *scratch = naive_scratch(set);

	CHECK(lanewise_scan_count(set, &options, text, sizeof text, scratch, &count) == LANEWISE_OK);
	CHECK_EQUAL(count, 2);
	CHECK(lanewise_scan_count(set, NULL, text, sizeof text, scratch, &count) == LANEWISE_OK);
	CHECK_EQUAL(count, 70000 - LANEWISE_SCAN_PATTERN_BYTES + 1 + 1);
	free(scratch);
	lanewise_scan_set_destroy(set);

	lanewise_error error;

	patterns[0].n_bytes++;
	CHECK(lanewise_scan_set_create(patterns, 2, NULL, NULL, &set, &error) == LANEWISE_ERROR_TOO_LARGE);
	CHECK(strstr(error.what, "pattern 0 ") != NULL && set == NULL);
}

/* A match behind which no longer pattern is under way is given at once; a whole word with the byte behind. */
static void test_at_once(void)
{
	static const struct {
		const char *piece;
		size_t n_matches[2]; /* without and with whole_word */
		uint64_t safe[2];
	} steps[] = {
		{ "x ab", { 0, 0 }, { 2, 2 } }, { "c", { 1, 0 }, { 3, 2 } }, { " ", { 0, 1 }, { 6, 6 } },
		{ "bc", { 0, 0 }, { 6, 6 } },   { "x", { 1, 0 }, { 9, 9 } },
	};
	lanewise_pattern patterns[] = { { "abc", 3 }, { "bc", 2 }, { "bcde", 4 } };
	lanewise_scan_set *set;
	lanewise_match matches[4];

	CHECK(lanewise_scan_set_create(patterns, 3, NULL, NULL, &set, NULL) == LANEWISE_OK);

	void *scratch = naive_scratch(set);

	for (int32_t words = 0; words < 2; words++)
		for (int32_t longest = 0; longest < 2; longest++) {
			lanewise_scan_options options = { sizeof options, LANEWISE_SCAN_LEFTMOST_FIRST + longest,
				                          words };
			lanewise_scan *scan = lanewise_scan_begin(set, &options, scratch);

			for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
				lanewise_scan_feed(scan, steps[i].piece, strlen(steps[i].piece));
				CHECK_EQUAL(lanewise_scan_next(scan, matches, 4), steps[i].n_matches[words]);
				CHECK_EQUAL(lanewise_scan_next(scan, matches, 4), 0);
				CHECK_EQUAL(lanewise_scan_safe(scan), steps[i].safe[words]);
			}
		}
	free(scratch);
	lanewise_scan_set_destroy(set);
}

/* How many bytes before text[n] a pattern may have begun that is not complete there. */
static size_t under_way(const unsigned char *text, size_t n)
{
	size_t most = 0;

	for (size_t i = 0; i < made.n_patterns; i++)
		for (size_t k = most + 1; k < made.patterns[i].n_bytes && k <= n; k++)
			if (memcmp(text + n - k, made.patterns[i].bytes, k) == 0)
				most = k;
	return most;
}

/* A copy in memory of exactly its size. */
static lanewise_scan_piece made_piece(const unsigned char *bytes, size_t n)
{
	unsigned char *copy = malloc(n + (n == 0));

	memcpy(copy, bytes, n);
	return (lanewise_scan_piece) { copy, n };
}

/* The whole text's matches come from pieces of at most `most` bytes, each as soon as it can, and safe() is as it should. */
static void check_small_pieces(const lanewise_scan_set *set, int32_t semantics, const unsigned char *text, size_t n,
                               size_t most)
{
	lanewise_scan_options options = { sizeof options, semantics, 0 };
	void *scratch = malloc(lanewise_scan_scratch_size(set)), *again = malloc(lanewise_scan_scratch_size(set));
	lanewise_scan *whole = lanewise_scan_begin(set, &options, scratch);
	lanewise_scan *scan = lanewise_scan_begin(set, &options, again);
	lanewise_match expected, match;
	size_t known;

	lanewise_scan_feed(whole, text, n);
	known = lanewise_scan_next(whole, &expected, 1);
	for (size_t at = 0, size; at < n; at += size) {
		lanewise_scan_piece pieces[6];
		size_t n_pieces = below(3) == 0 ? 1 + below(6) : 1, taken;

		for (size_t i = size = 0; i < n_pieces; i++) {
			size_t bytes = n_pieces > 1 ? below(most + 1) : 1 + below(below(16) == 0 ? 8 * most : most);

			pieces[i] = made_piece(text + at + size, bytes < n - at - size ? bytes : n - at - size);
			size += pieces[i].n_bytes;
		}
		if (n_pieces > 1) {
			taken = lanewise_scan_feed_pieces(scan, pieces, n_pieces);
			CHECK_EQUAL(taken, n_pieces);
		} else {
			lanewise_scan_feed(scan, pieces[0].bytes, pieces[0].n_bytes);
		}
		while (lanewise_scan_next(scan, &match, 1) > 0) {
			CHECK(known && memcmp(&match, &expected, sizeof match) == 0);
			known = lanewise_scan_next(whole, &expected, 1);
		}
		CHECK(!known || expected.end > at + size);
		CHECK_EQUAL(lanewise_scan_safe(scan), at + size - under_way(text, at + size));
		for (size_t i = 0; i < n_pieces; i++)
			free((void *)(uintptr_t)pieces[i].bytes);
	}
	CHECK(!known);
	free(again);
	free(scratch);
}

/* Many small pieces in a row, in most of which no pattern begins. */
static void test_small_pieces(void)
{
	static const struct {
		const char *bytes;
		size_t n;
	} alphabets[] = {
		{ "abcdefghijklmnopqrstuvwxyz ", 27 }, { "\x00\x01\x80\xe1\xff", 5 }, { "ab", 2 }, { "aAbBcC<|>- ", 11 }
	};
	enum { N_TEXT = 4000 };
	unsigned char *text = malloc(N_TEXT);

	for (size_t round = 0; round < 60; round++) {
		size_t kind = round % 4;

		make_patterns(1 + below(12), 2, 9, alphabets[kind].bytes, alphabets[kind].n);
		fill(text, N_TEXT, alphabets[kind].bytes, alphabets[kind].n);
		plant(text, N_TEXT, 20);

		lanewise_scan_set *set = create(0);

		for (int32_t semantics = LANEWISE_SCAN_OVERLAPPING; semantics <= LANEWISE_SCAN_STANDARD; semantics++)
			check_small_pieces(set, semantics, text, N_TEXT, 1 + below(20));
		lanewise_scan_set_destroy(set);
	}
	free(text);
}

/* Pieces of any size: as many at a time as fit, and at least one. */
static void test_pieces(void)
{
	static const lanewise_pattern patterns[] = { { "needle", 6 } };
	enum { N_TEXT = 30000, N_PIECES = 64 };
	unsigned char *text = malloc(N_TEXT);
	lanewise_scan_piece pieces[N_PIECES];
	lanewise_scan_set *set;
	uint64_t expected;

	memset(text, 'n', N_TEXT);
	for (size_t at = 50; at + 6 < N_TEXT; at += 60)
		memcpy(text + at, "needle", 6);
	CHECK(lanewise_scan_set_create(patterns, 1, NULL, NULL, &set, NULL) == LANEWISE_OK);

	void *scratch = malloc(lanewise_scan_scratch_size(set));

	CHECK(lanewise_scan_count(set, NULL, text, N_TEXT, scratch, &expected) == LANEWISE_OK);
	for (int round = 0; round < 20; round++) {
		size_t most = round % 2 ? 10 : 6000, n = 0, at = 0, count = 0;
		lanewise_scan *scan = lanewise_scan_begin(set, NULL, scratch);
		lanewise_match match;

		CHECK_EQUAL(lanewise_scan_feed_pieces(scan, pieces, 0), 0);
		for (size_t taken; at < N_TEXT || n > 0; n -= taken) {
			for (; n < N_PIECES && at < N_TEXT; at += pieces[n++].n_bytes)
				pieces[n] = made_piece(text + at, below(most < N_TEXT - at ? most : N_TEXT - at) + 1);

			size_t bytes = pieces[0].n_bytes, least = 1;

			while (least < n && bytes + pieces[least].n_bytes <= 4096)
				bytes += pieces[least++].n_bytes;
			taken = lanewise_scan_feed_pieces(scan, pieces, n);
			CHECK_EQUAL(taken, least);
			while (lanewise_scan_next(scan, &match, 1)) {
				CHECK_EQUAL(match.begin, 50 + 60 * count);
				count++;
			}
			for (size_t i = 0; i < taken; i++)
				free((void *)(uintptr_t)pieces[i].bytes);
			memmove(pieces, pieces + taken, (n - taken) * sizeof *pieces);
		}
		lanewise_scan_finish(scan);
		CHECK_EQUAL(lanewise_scan_next(scan, &match, 1), 0);
		CHECK_EQUAL(count, expected);
	}
	free(scratch);
	lanewise_scan_set_destroy(set);
	free(text);
}

/* Whichever allocation fails, nothing is left; the work, what words are used of a compact form, and the set. */
static void test_no_memory(void)
{
	static const lanewise_pattern pattern = { "one", 3 };

	for (int compact = 0; compact < 2; compact++) {
		struct counter counter = { 0 };
		lanewise_allocator allocator = counting_allocator(&counter);
		lanewise_scan_set *set = NULL;
		size_t n = 0;

		do {
			lanewise_status status;

			fail_after(&counter, n++);
			status = lanewise_scan_set_create_with(&pattern, 1, NULL, compact ? 0 : LW_SCAN_ROWS_BYTES,
			                                       &allocator, &set, NULL);
			CHECK(status == LANEWISE_OK ||
			      (status == LANEWISE_ERROR_NO_MEMORY && !set && counter.n_held == 0));
		} while (!set && n < 9);
		CHECK_EQUAL(n, compact ? 4 : 3);
		CHECK_EQUAL(counter.n_bytes, lanewise_scan_set_memory(set));
		lanewise_scan_set_destroy(set);
		CHECK_EQUAL(counter.n_held, 0);
	}
}

static void test_arguments(void)
{
	lanewise_pattern patterns[] = { { "one", 3 }, { "", 0 } };
	lanewise_scan_set *set = NULL;
	lanewise_error error = { 0 };
	_Alignas(64) static unsigned char scratch[64];

	CHECK(lanewise_scan_set_create(patterns, 2, NULL, NULL, &set, &error) == LANEWISE_ERROR_ARGUMENT);
	CHECK(strcmp(error.what, "pattern 1 is empty") == 0);
	CHECK(lanewise_scan_set_create(patterns, 0, NULL, NULL, &set, &error) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_scan_set_create(NULL, 1, NULL, NULL, &set, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_scan_set_create(patterns, 1, NULL, NULL, NULL, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_scan_set_create(patterns, 1, NULL, NULL, &set, &error) == LANEWISE_OK);
	CHECK_EQUAL(lanewise_scan_set_n_patterns(set), 1);

	lanewise_scan_options options = { sizeof options, 4, 0 };

	CHECK(lanewise_scan_begin(set, &options, scratch) == NULL);
	CHECK(lanewise_scan_each(set, &options, "a", 1, scratch, on_match, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_scan_each(set, NULL, "a", 1, scratch, NULL, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_scan_each(set, NULL, NULL, 1, scratch, on_match, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_scan_begin(set, NULL, scratch + 8) == NULL);
	CHECK(lanewise_scan_begin(NULL, NULL, scratch) == NULL);
	lanewise_scan_set_destroy(set);
	lanewise_scan_set_destroy(NULL);
}

static void test_scores(void)
{
	static const uint64_t counts[] = { 2, 0, 3, 1 };
	static const double weight[] = { 0.5, 100, 2, -1 };
	static const uint32_t classes[] = { 1, 0, 2, 1 };
	lanewise_scan_weights weights = { .struct_size = sizeof weights, .n_classes = 3 };
	double scores[3];

	CHECK_EQUAL(lanewise_scan_scores(counts, 4, &weights, scores), LANEWISE_OK);
	CHECK(scores[0] == 6 && scores[1] == 0 && scores[2] == 0);
	weights.weight = weight;
	weights.classes = classes;
	CHECK_EQUAL(lanewise_scan_scores(counts, 4, &weights, scores), LANEWISE_OK);
	CHECK(scores[0] == 0 && scores[1] == 0 && scores[2] == 6);
	weights.once = 1;
	CHECK_EQUAL(lanewise_scan_scores(counts, 4, &weights, scores), LANEWISE_OK);
	CHECK(scores[0] == 0 && scores[1] == -0.5 && scores[2] == 2);
	CHECK_EQUAL(lanewise_scan_scores(NULL, 0, &weights, scores), LANEWISE_OK);
	CHECK(scores[0] == 0 && scores[1] == 0 && scores[2] == 0);
	weights.n_classes = 2;
	CHECK_EQUAL(lanewise_scan_scores(counts, 4, &weights, scores), LANEWISE_ERROR_ARGUMENT);
	weights.n_classes = 0;
	CHECK_EQUAL(lanewise_scan_scores(counts, 4, &weights, scores), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_scan_scores(counts, 4, NULL, scores), LANEWISE_ERROR_ARGUMENT);
}

int main(void)
{
	test_scores();
	test_small();
	test_large();
	test_short();
	test_many_states();
	test_grams();
	test_names();
	test_words();
	test_long_pattern();
	test_at_once();
	test_small_pieces();
	test_pieces();
	test_no_memory();
	test_arguments();
	return test_result();
}
