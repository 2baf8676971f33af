/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/text.h: tables of texts and their words, every way of cutting a text, and the vector's bits. */
#include <lanewise/hash.h>
#include <lanewise/text.h>
#include <lanewise/vector.h>

#include <math.h>
#include <stdlib.h>

#include "test.h"

#define S(literal) literal, sizeof(literal) - 1

/* A text as "word[begin,end) word[begin,end) ..." */
struct listing {
	char text[65536];
	size_t length;
};

static void list_word(struct listing *listing, const lanewise_word *word)
{
	int length = snprintf(listing->text + listing->length, sizeof listing->text - listing->length,
	                      "%s%.*s[%" PRIu64 ",%" PRIu64 ")", listing->length ? " " : "", (int)word->n_bytes,
	                      word->text, word->begin, word->end);

	listing->length += (size_t)length;
	if (!CHECK(listing->length < sizeof listing->text))
		exit(1);
}

static void list_ready(struct listing *listing, lanewise_words *words)
{
	lanewise_word word;

	while (lanewise_words_next(words, &word))
		list_word(listing, &word);
}

/* Pieces end at cut[0], cut[1], ...; each is a copy of exactly its size, so that reading beyond it is seen. */
static void list_pieces(struct listing *listing, const char *text, size_t n_bytes, const size_t *cut, size_t n_cuts)
{
	_Alignas(64) unsigned char scratch[512];
	lanewise_words *words = lanewise_words_begin(scratch);
	size_t begin = 0;

	CHECK(lanewise_words_scratch_size() <= sizeof scratch);
	listing->length = 0;
	listing->text[0] = '\0';
	for (size_t i = 0; i <= n_cuts; i++) {
		size_t end = i < n_cuts ? cut[i] : n_bytes;
		char *piece = malloc(end - begin + !(end - begin));

		memcpy(piece, text + begin, end - begin);
		lanewise_words_feed(words, end > begin ? piece : NULL, end - begin);
		list_ready(listing, words);
		free(piece);
		begin = end;
	}
	lanewise_words_finish(words);
	list_ready(listing, words);
}

static void list_whole(struct listing *listing, const char *text, size_t n_bytes)
{
	size_t n_words = 0, capacity = lanewise_text_words_bound(n_bytes);
	size_t folded_capacity = lanewise_text_folded_bound(n_bytes);
	lanewise_word *words = malloc(capacity * sizeof *words + 1);
	char *folded = malloc(folded_capacity + 1);

	listing->length = 0;
	listing->text[0] = '\0';
	CHECK_EQUAL(lanewise_text_words(text, n_bytes, words, capacity, folded, folded_capacity, &n_words),
	            LANEWISE_OK);
	for (size_t i = 0; i < n_words; i++)
		list_word(listing, &words[i]);
	free(words);
	free(folded);
}

static struct listing whole, pieces;

static void check_cuts(const char *text, size_t n_bytes)
{
	static size_t every[4096];

	for (size_t cut = 0; cut <= n_bytes; cut++) {
		list_pieces(&pieces, text, n_bytes, &cut, 1);
		if (!CHECK(strcmp(pieces.text, whole.text) == 0))
			fprintf(stderr, "cut at %zu: %s, expected %s\n", cut, pieces.text, whole.text);
	}
	for (size_t i = 0; i < n_bytes; i++)
		every[i] = i;
	list_pieces(&pieces, text, n_bytes, every, n_bytes);
	if (!CHECK(strcmp(pieces.text, whole.text) == 0))
		fprintf(stderr, "byte by byte: %s, expected %s\n", pieces.text, whole.text);
}

static void check_words(const char *text, size_t n_bytes, const char *expected)
{
	list_whole(&whole, text, n_bytes);
	if (!CHECK(strcmp(whole.text, expected) == 0))
		fprintf(stderr, "words of %s: %s, expected %s\n", text, whole.text, expected);
	check_cuts(text, n_bytes);
}

/* Byte strings are cut where an escape would run on into the next letter. */
/* clang-format off */
static void test_ascii(void)
{
	check_words(S(""), "");
	check_words(S(" \t\r\n.,;"), "");
	check_words(S("a"), "a[0,1)");
	check_words(S("Hello, World!"), "hello[0,5) world[7,12)");
	check_words(S("  x2_Y  "), "x2_y[2,6)");
	check_words(S("don't 3.14 1,000 foo.bar a-b"),
	            "don[0,3) t[4,5) 3[6,7) 14[8,10) 1[11,12) 000[13,16) foo[17,20) bar[21,24) a[25,26) b[27,28)");
	check_words(S("___"), "___[0,3)");
	check_words(S("a\0b\x7f"
	              "c"),
	            "a[0,1) b[2,3) c[4,5)");

	/* All ASCII characters at once: the words are the letters, digits and the underscore. */
	char all[128];

	for (int i = 0; i < 128; i++)
		all[i] = (char)i;
	check_words(all, 128,
	            "0123456789[48,58) abcdefghijklmnopqrstuvwxyz[65,91) _[95,96) "
	            "abcdefghijklmnopqrstuvwxyz[97,123)");
}

static void test_letters(void)
{
	check_words(S("Café ÉCOLE"), "café[0,5) école[6,12)");
	check_words(S("Straße STRASSE"), "strasse[0,7) strasse[8,15)");
	check_words(S("Привет, МИР ёж Ё"), "привет[0,12) мир[14,20) ёж[21,25) ё[26,28)");
	/* All three sigmas are one. */
	check_words(S("ΟΔΥΣΣΕΥΣ Οδυσσευς"), "οδυσσευσ[0,16) οδυσσευσ[17,33)");
	check_words(S("ﬁn \xc4\xb0x \xc5\x89x"), "fin[0,4) i\xcc\x87x[5,8) \xca\xbcnx[9,12)");
	check_words(S("Ａ１ ² ½ Ⅳ"), "ａ１[0,6) ²[7,9) ½[10,12) ⅳ[13,16)");
	/* Deseret capital and small long I, beyond the basic plane. */
	check_words(S("\xf0\x90\x90\x80"), "\xf0\x90\x90\xa8[0,4)");
	check_words(S("한국어 텍스트"), "한국어[0,9) 텍스트[10,19)");
	check_words(S("سلام العالم"), "سلام[0,8) العالم[9,21)");
	/* Cherokee folds to capitals. */
	check_words(S("\xea\xad\xb0"), "\xe1\x8e\xa0[0,3)");
}

static void test_marks(void)
{
	check_words(S("e\xcc\x81t\xc3\xa9"), "e\xcc\x81t\xc3\xa9[0,6)");
	check_words(S("हिन्दी"), "हिन्दी[0,18)");
	/* Marks with nothing to stand on are no words; after a separator neither. */
	check_words(S("\xcc\x81 \xcc\x81"
	              "a"),
	            "a[5,6)");
	check_words(S("x\xcc\x81\xcc\x82 y"), "x\xcc\x81\xcc\x82[0,5) y[6,7)");
	/* A soft hyphen, a zero width joiner and a direction mark: in the word as written, not in the folded one. */
	check_words(S("co\xc2\xadop a\xe2\x80\x8d"
	              "b c\xe2\x80\x8e d"),
	            "coop[0,6) ab[7,12) c[13,17) d[18,19)");
	check_words(S("\xc2\xad"
	              "a"),
	            "a[2,3)");
	/* Zero width space separates, the byte order mark at the beginning is nothing. */
	check_words(S("a\xe2\x80\x8b"
	              "b"),
	            "a[0,1) b[4,5)");
	check_words(S("\xef\xbb\xbfhi"), "hi[3,5)");
}

static void test_cjk(void)
{
	check_words(S("漢字abc漢"), "漢[0,3) 字[3,6) abc[6,9) 漢[9,12)");
	check_words(S("ひらカタカナ漢"), "ひ[0,3) ら[3,6) カタカナ[6,18) 漢[18,21)");
	check_words(S("カbカ_"), "カ[0,3) b[3,4) カ[4,7) _[7,8)");
	/* The half-width voiced sound mark goes with its katakana; an ideograph may have a variation selector. */
	check_words(S("ｶﾞｷ"), "ｶﾞｷ[0,9)");
	check_words(S("葛\xf3\xa0\x84\x80葛"), "葛\xf3\xa0\x84\x80[0,7) 葛[7,10)");
	check_words(S("〇一"), "〇[0,3) 一[3,6)");
	/* CJK extension B, and a place in plane 3 that Unicode 14 leaves empty. */
	check_words(S("\xf0\xa0\x80\x80\xf0\xb1\x8d\x90"), "\xf0\xa0\x80\x80[0,4) \xf0\xb1\x8d\x90[4,8)");
}

static void test_no_words(void)
{
	check_words(S("😀👍🏽 ❤\xef\xb8\x8f 👩\xe2\x80\x8d💻"), "");
	check_words(S("a😀b"), "a[0,1) b[5,6)");
	check_words(S("“x” – €5…"), "x[3,4) 5[15,16)");
	/* Private use, unassigned, noncharacters. */
	check_words(S("a\xee\x80\x80"
	              "b\xef\xbf\xbf"
	              "c\xf4\x8f\xbf\xbf"
	              "d"),
	            "a[0,1) b[4,5) c[8,9) d[13,14)");
}

static void test_invalid(void)
{
	check_words(S("a\x80"
	              "b"),
	            "a[0,1) b[2,3)");
	check_words(S("a\xff\xfe"
	              "b"),
	            "a[0,1) b[3,4)");
	check_words(S("a\xc0\xafz\xc1\x81z"), "a[0,1) z[3,4) z[6,7)");                   /* overlong, two bytes */
	check_words(S("a\xe0\x9f\xbfz"), "a[0,1) z[4,5)");                               /* overlong, three */
	check_words(S("a\xf0\x8f\xbf\xbfz"), "a[0,1) z[5,6)");                           /* overlong, four */
	check_words(S("a\xed\xa0\x80z\xed\xbf\xbfz"), "a[0,1) z[4,5) z[8,9)");           /* surrogates */
	check_words(S("a\xf4\x90\x80\x80z\xf5\x80\x80\x80z"), "a[0,1) z[5,6) z[10,11)"); /* beyond the last */
	check_words(S("a\xc3"), "a[0,1)");                                               /* cut off */
	check_words(S("a\xe6\xbc"), "a[0,1)");
	check_words(S("a\xf0\xa0\x80"), "a[0,1)");
	check_words(S("a\xc3"
	              "b"),
	            "a[0,1) b[2,3)");
	check_words(S("a\xe6\xbc"
	              "b\xf0\xa0\x80"
	              "c"),
	            "a[0,1) b[3,4) c[7,8)");
	/* A lead byte that breaks a character begins the next one. */
	check_words(S("\xe6\xbc\xc3\xa9\xe6\xe6\xbc\xa2"), "é[2,4) 漢[5,8)");
	check_words(S("é\x80é"), "é[0,2) é[3,5)");
}

/* Words at and beyond the longest, whose last character may not fit. */
static void test_long_words(void)
{
	static char text[3000], expected[3000];

	for (size_t n = LANEWISE_WORD_BYTES - 2; n <= LANEWISE_WORD_BYTES + 2; n++) {
		size_t kept = n < LANEWISE_WORD_BYTES ? n : LANEWISE_WORD_BYTES;

		memset(text, 'A', n);
		memset(expected, 'a', kept);
		memcpy(text + n, " b", 2);
		snprintf(expected + kept, sizeof expected - kept, "[0,%zu) b[%zu,%zu)", n, n + 1, n + 2);
		check_words(text, n + 2, expected);
	}

	/* 254 bytes and a character of two, then one of one byte that would fit and is passed over all the same. */
	memset(text, 'a', 254);
	memcpy(text + 254, "éa", 3);
	memset(expected, 'a', 254);
	snprintf(expected + 254, sizeof expected - 254, "[0,257)");
	check_words(text, 257, expected);

	/* A very long word in bounded memory, then another. */
	memset(text, 'x', 2000);
	memcpy(text + 2000, " y", 2);
	memset(expected, 'x', 255);
	snprintf(expected + 255, sizeof expected - 255, "[0,2000) y[2001,2002)");
	check_words(text, 2002, expected);
}

/* Random texts from a hostile alphabet, cut in random places. */
static void test_random_cuts(void)
{
	static const char *const parts[] = {
		"a",
		"Z",
		"9",
		"_",
		" ",
		".",
		"é",
		"ß",
		"Σ",
		"漢",
		"か",
		"カ",
		"한",
		"\xcc\x81",
		"\xc2\xad",
		"😀",
		"\xf0\xa0\x80\x80",
		"\xc3",
		"\xe6",
		"\xbc",
		"\xf0\x90",
		"\xff",
		"\xed\xa0",
		"word",
	};
	uint64_t seed = 1;

	for (int round = 0; round < 3000; round++) {
		char text[256];
		size_t n = 0, cut[8], n_cuts = test_random(&seed) % 8;

		for (size_t i = test_random(&seed) % 40; i > 0; i--) {
			const char *part = parts[test_random(&seed) % (sizeof parts / sizeof *parts)];

			memcpy(text + n, part, strlen(part));
			n += strlen(part);
		}
		list_whole(&whole, text, n);
		for (size_t i = 0, least = 0; i < n_cuts; i++)
			least = cut[i] = least + test_random(&seed) % (n - least + 1);
		list_pieces(&pieces, text, n, cut, n_cuts);
		if (!CHECK(strcmp(pieces.text, whole.text) == 0))
			fprintf(stderr, "%s\n%s\n", pieces.text, whole.text);
	}
}

/* clang-format on */

static void test_arguments(void)
{
	_Alignas(64) unsigned char scratch[1024];
	lanewise_word words[2];
	char folded[8];
	size_t n_words = 7;
	float out[4];

	CHECK(lanewise_words_begin(NULL) == NULL);
	CHECK(lanewise_words_begin(scratch + 1) == NULL);
	CHECK_EQUAL(lanewise_text_words(NULL, 1, words, 2, folded, 8, &n_words), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_text_words("a", 1, NULL, 2, folded, 8, &n_words), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_text_words("a", 1, words, 2, NULL, 8, &n_words), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_text_words("a", 1, words, 2, folded, 8, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_text_words("a b c", 5, words, 2, folded, 8, &n_words), LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(lanewise_text_words("abcd efghi", 10, words, 2, folded, 8, &n_words), LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(lanewise_text_words("a", 1, NULL, 0, NULL, 0, &n_words), LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(lanewise_text_words(NULL, 0, NULL, 0, NULL, 0, &n_words), LANEWISE_OK);
	CHECK_EQUAL(n_words, 0);
	CHECK_EQUAL(lanewise_text_words("abcd efgh", 9, words, 2, folded, 8, &n_words), LANEWISE_OK);
	CHECK_EQUAL(n_words, 2);
	CHECK(lanewise_text_folded_bound(SIZE_MAX / 2) == SIZE_MAX);
	CHECK(lanewise_text_words_bound(SIZE_MAX) == SIZE_MAX / 2 + 1);
	CHECK_EQUAL(lanewise_text_embed_f32("a", 1, 0, out), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_text_embed_f32("a", 1, 4, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_text_embed_f32(NULL, 1, 4, out), LANEWISE_ERROR_ARGUMENT);
}

/* ------------------------------------------------------------------ vector */

static void naive_add(const char *feature, float weight, size_t dim, float *out)
{
	uint64_t hash = lanewise_xxh3_64(feature, strlen(feature), 0);

	out[(hash >> 1) % dim] += hash & 1 ? -weight : weight;
}

/* What the header says, for words given folded with their number of characters. */
static void naive_embed(const char *const *words, const int *characters, size_t n, size_t dim, float *out)
{
	char pair[1024];

	memset(out, 0, dim * sizeof *out);
	for (size_t i = 0; i < n; i++) {
		float weight = (float)(characters[i] < 8 ? characters[i] : 8) / 8;

		naive_add(words[i], weight, dim, out);
		if (i + 1 < n) {
			float next = (float)(characters[i + 1] < 8 ? characters[i + 1] : 8) / 8;

			snprintf(pair, sizeof pair, "%s %s", words[i], words[i + 1]);
			naive_add(pair, weight * next / 4, dim, out);
		}
	}
	lanewise_normalize_f32_rows(out, 1, dim, dim);
}

static void test_embed(void)
{
	static const char *const words[] = { "the", "quick", "brownish", "füchse", "the", "quick", "dogmatism" };
	static const int characters[] = { 3, 5, 8, 6, 3, 5, 9 };
	static const size_t dims[] = { 1, 7, 384, 1000 };
	static const char text[] = "The QUICK (brownish) Füchse; the quick dogmatism";
	float out[1000], expected[1000];
	lanewise_tier first = lanewise_active_tier();

	for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
		for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
			if (!lanewise_tier_supported(tier))
				continue;
			lanewise_set_tier(0);
			naive_embed(words, characters, 7, dims[i], expected);
			lanewise_set_tier(tier);
			CHECK_EQUAL(lanewise_text_embed_f32(text, sizeof text - 1, dims[i], out), LANEWISE_OK);
			CHECK(memcmp(out, expected, dims[i] * sizeof *out) == 0);
		}
	lanewise_set_tier(first);

	CHECK_EQUAL(lanewise_text_embed_f32("... 😀", 8, 384, out), LANEWISE_OK);
	for (size_t i = 0; i < 384; i++)
		CHECK(out[i] == 0.0f && !signbit(out[i]));
	CHECK_EQUAL(lanewise_text_embed_f32(NULL, 0, 384, out), LANEWISE_OK);

	/* Two longest words side by side fill the pair's buffer. */
	char longest[600];

	memset(longest, 'a', sizeof longest);
	longest[299] = ' ';
	CHECK_EQUAL(lanewise_text_embed_f32(longest, sizeof longest, 384, out), LANEWISE_OK);
	CHECK(fabsf(lanewise_dot_f32(out, out, 384) - 1.0f) < 1e-6f);
}

int main(void)
{
	test_ascii();
	test_letters();
	test_marks();
	test_cjk();
	test_no_words();
	test_invalid();
	test_long_words();
	test_random_cuts();
	test_arguments();
	test_embed();
	return test_result();
}
