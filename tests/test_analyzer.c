/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Analyzers (lanewise/text.h): the rules of words, choices among them, stems where libstemmer is, what indexes keep of
 * them, and bytes of saved ones that were changed.
 */
#include <lanewise/bm25.h>
#include <lanewise/text.h>

#include <pthread.h>
#include <stdlib.h>

#include "bm25_image.h"
#include "test.h"
#include "text/text.h"

#define S(literal) literal, sizeof(literal) - 1

/* A text as "word[begin,end) word[begin,end) ..." */
struct listing {
	char text[8192];
	size_t n;
};

static void list_word(struct listing *listing, const lanewise_word *word)
{
	listing->n += (size_t)snprintf(listing->text + listing->n, sizeof listing->text - listing->n,
	                               "%s%.*s[%" PRIu64 ",%" PRIu64 ")", listing->n ? " " : "", (int)word->n_bytes,
	                               word->text, word->begin, word->end);
	if (listing->n >= sizeof listing->text)
		abort();
}

static void list_ready(struct listing *listing, lanewise_words *words)
{
	lanewise_word word;

	while (lanewise_words_next(words, &word))
		list_word(listing, &word);
}

/* In two pieces; all of it if the cut is at n_bytes. */
static void list_pieces(struct listing *listing, const lanewise_analyzer *analyzer, const char *text, size_t n_bytes,
                        size_t cut)
{
	_Alignas(64) unsigned char scratch[512];
	lanewise_words *words = lanewise_words_begin_analyzed(scratch, analyzer);

	listing->n = 0;
	listing->text[0] = '\0';
	lanewise_words_feed(words, text, cut);
	list_ready(listing, words);
	lanewise_words_feed(words, text + cut, n_bytes - cut);
	list_ready(listing, words);
	lanewise_words_finish(words);
	list_ready(listing, words);
}

static void check_analyzer(const lanewise_analyzer *analyzer, const char *text, size_t n_bytes, const char *expected)
{
	static struct listing whole, pieces;
	size_t capacity = lanewise_text_words_bound(n_bytes), folded_capacity = lanewise_text_folded_bound(n_bytes), n;
	lanewise_word *words = malloc((capacity + 1) * sizeof *words);
	char *folded = malloc(folded_capacity + 1);

	whole.n = 0;
	whole.text[0] = '\0';
	CHECK_EQUAL(lanewise_analyze(analyzer, text, n_bytes, words, capacity, folded, folded_capacity, &n),
	            LANEWISE_OK);
	for (size_t i = 0; i < n; i++)
		list_word(&whole, &words[i]);
	if (!CHECK(strcmp(whole.text, expected) == 0))
		fprintf(stderr, "%s\n%s\n", whole.text, expected);
	for (size_t cut = 0; cut <= n_bytes; cut++) {
		list_pieces(&pieces, analyzer, text, n_bytes, cut);
		CHECK(strcmp(pieces.text, whole.text) == 0);
	}
	free(words);
	free(folded);
}

/* `options` without struct_size. */
static lanewise_analyzer *create(lanewise_analyzer_options options)
{
	lanewise_analyzer *analyzer = NULL;
	lanewise_error error = { .what = "" };

	options.struct_size = sizeof options;
	if (!CHECK(lanewise_analyzer_create(&options, NULL, &analyzer, &error) == LANEWISE_OK))
		fprintf(stderr, "%s\n", error.what);
	return analyzer;
}

static void check_options(lanewise_analyzer_options options, const char *text, const char *expected)
{
	lanewise_analyzer *analyzer = create(options);

	if (analyzer)
		check_analyzer(analyzer, text, strlen(text), expected);
	lanewise_analyzer_destroy(analyzer);
}

/* ------------------------------------------------------------------ rules */

static void test_rules(void)
{
	const lanewise_analyzer_options runs = { 0 }, segments = { .rule = LANEWISE_WORDS_SEGMENTS };
	lanewise_analyzer *defaults = NULL;

	check_options(runs, "Hello, World! x2_Y don't", "hello[0,5) world[7,12) x2_y[14,18) don[19,22) t[23,24)");
	check_options(runs, "漢字abc", "漢字abc[0,9)");
	check_options(segments, "漢字abc", "漢[0,3) 字[3,6) abc[6,9)");
	check_options(runs, "ひらカタカナ漢", "ひらカタカナ漢[0,21)");
	/* A combining acute and a soft hyphen are not of \w; the half-width voiced sound mark is. */
	check_options(runs, "e\xcc\x81t co\xc2\xadop ｶﾞｷ", "e[0,1) t[3,4) co[5,7) op[9,11) ｶﾞｷ[12,21)");
	check_options(segments, "e\xcc\x81t co\xc2\xadop ｶﾞｷ", "e\xcc\x81t[0,4) coop[5,11) ｶﾞｷ[12,21)");
	check_options(runs, "Straße ² ½ Ⅳ", "strasse[0,7) ²[8,10) ½[11,13) ⅳ[14,17)");
	check_options(runs, "", "");
	CHECK_EQUAL(lanewise_analyzer_create(NULL, NULL, &defaults, NULL), LANEWISE_OK);
	check_analyzer(defaults, S("漢Ab_1 x"), "漢ab_1[0,7) x[8,9)");
	lanewise_analyzer_destroy(defaults);
	check_analyzer(NULL, S("漢Ab_1 x"), "漢[0,3) ab_1[3,7) x[8,9)");
}

static void test_case(void)
{
	check_options((lanewise_analyzer_options) { .keep_case = 1 }, "Straße ÉCOLE İx Ab",
	              "Straße[0,7) ÉCOLE[8,14) İx[15,18) Ab[19,21)");
	check_options((lanewise_analyzer_options) { .keep_case = 1, .stop = "english" }, "The the THE cat",
	              "The[0,3) THE[8,11) cat[12,15)");
}

/* ---------------------------------------------------------------- choices */

static void test_lengths(void)
{
	char text[600], expected[600];

	check_options((lanewise_analyzer_options) { .min_characters = 2 }, "a bc é éa 漢", "bc[2,4) éa[8,11)");
	check_options((lanewise_analyzer_options) { .min_characters = 1 }, "a é", "a[0,1) é[2,4)");
	check_options((lanewise_analyzer_options) { .max_characters = 2 }, "a bc def éa éab",
	              "a[0,1) bc[2,4) éa[9,12)");
	check_options((lanewise_analyzer_options) { .min_characters = 2, .max_characters = 2 }, "a bc def", "bc[2,4)");
	check_options((lanewise_analyzer_options) { .min_characters = 3, .max_characters = 2 }, "a bc def", "");
	/* Of a word that is too long to be folded as a whole, what was folded counts. */
	memset(text, 'x', 300);
	memcpy(text + 300, " y", 3);
	check_options((lanewise_analyzer_options) { .max_characters = 254 }, text, "y[301,302)");
	memset(expected, 'x', 255);
	memcpy(expected + 255, "[0,300)", 8);
	check_options((lanewise_analyzer_options) { .min_characters = 255 }, text, expected);
}

static void test_numbers(void)
{
	check_options((lanewise_analyzer_options) { .drop_numbers = 1 }, "1 22 x2 ٣٤ Ⅳ ½ 3d _1 0",
	              "x2[5,7) 3d[20,22) _1[23,25)");
}

static void test_stop_words(void)
{
	lanewise_word list[3] = { { .text = "Straße zap", .n_bytes = 11 },
		                  { .n_bytes = 0 },
		                  { .text = "zap\xff zip", .n_bytes = 8 } };

	check_options((lanewise_analyzer_options) { .stop = "english" }, "The cat is on THE mat, it was",
	              "cat[4,7) mat[18,21)");
	check_options((lanewise_analyzer_options) { .stop_words = list, .n_stop_words = 3 }, "STRASSE zap zip the zapp",
	              "the[16,19) zapp[20,24)");
	check_options((lanewise_analyzer_options) { .stop = "english", .stop_words = list, .n_stop_words = 3 },
	              "STRASSE zap zip the zapp", "zapp[20,24)");
}

/* A long list in every order: each word of it is found, and words beside it are not. */
static void test_long_list(void)
{
	enum { N = 3000 };
	static char names[2 * N][8];
	static lanewise_word list[N];
	uint64_t seed = 3;
	lanewise_analyzer *analyzer, *again;
	const unsigned char *bytes, *bytes_again;
	size_t n_bytes, n_again;

	for (size_t i = 0; i < 2 * N; i++)
		snprintf(names[i], sizeof names[i], "w%zu", i);
	for (size_t i = 0; i < N; i++)
		list[i] = (lanewise_word) { .text = names[2 * i], .n_bytes = strlen(names[2 * i]) };
	analyzer = create((lanewise_analyzer_options) { .stop_words = list, .n_stop_words = N });
	for (size_t i = N - 1; i > 0; i--) {
		size_t j = test_random(&seed) % (i + 1);
		lanewise_word word = list[i];

		list[i] = list[j];
		list[j] = word;
	}
	again = create((lanewise_analyzer_options) { .stop_words = list, .n_stop_words = N });
	for (size_t i = 0; i < 2 * N; i++) {
		lanewise_word word = { .text = names[i], .n_bytes = strlen(names[i]) };
		char stem[LANEWISE_WORD_BYTES];

		CHECK_EQUAL(lanewise_analyzer_take(analyzer, &word, stem), i % 2);
	}
	bytes = lanewise_analyzer_bytes(analyzer, &n_bytes);
	bytes_again = lanewise_analyzer_bytes(again, &n_again);
	CHECK(n_bytes == n_again && !memcmp(bytes, bytes_again, n_bytes));
	lanewise_analyzer_destroy(analyzer);
	lanewise_analyzer_destroy(again);
}

/* ------------------------------------------------------------------ stems */

static int have_stemmer(void)
{
	const lanewise_analyzer_options options = { .struct_size = sizeof options, .stemmer = "english" };
	lanewise_analyzer *analyzer = NULL;
	lanewise_error error = { .what = "" };
	lanewise_status status = lanewise_analyzer_create(&options, NULL, &analyzer, &error);

	lanewise_analyzer_destroy(analyzer);
	if (status == LANEWISE_OK)
		return 1;
	CHECK_EQUAL(status, LANEWISE_ERROR_UNSUPPORTED);
	CHECK_EQUAL(error.status, status);
	printf("stems are not tested: %s\n", error.what);
	return 0;
}

static void test_stems(void)
{
	check_options((lanewise_analyzer_options) { .stemmer = "english" }, "Running RUNS, generously communities",
	              "run[0,7) run[8,12) generous[14,24) communiti[25,36)");
	check_options((lanewise_analyzer_options) { .stemmer = "english", .stop = "english" }, "these things being as",
	              "thing[6,12) be[13,18)");
	check_options((lanewise_analyzer_options) { .stemmer = "german" }, "Häuser", "haus[0,7)");
	check_options((lanewise_analyzer_options) { .stemmer = "french" }, "continuellement", "continuel[0,15)");
}

/* More threads than an analyzer has stemmers, all with the same words. */
static void *stem_again_and_again(void *analyzer)
{
	static const char text[] = "generously running communities",
	                  expected[] = "generous[0,10) run[11,18) communiti[19,30)";
	size_t n_wrong = 0;

	for (int i = 0; i < 2000; i++) {
		struct listing listing;

		list_pieces(&listing, analyzer, text, sizeof text - 1, (size_t)i % sizeof text);
		n_wrong += strcmp(listing.text, expected) != 0;
	}
	return n_wrong ? analyzer : NULL;
}

static void test_threads(void)
{
	enum { THREADS = 24 };
	lanewise_analyzer *analyzer = create((lanewise_analyzer_options) { .stemmer = "english" });
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, stem_again_and_again, analyzer), 0);
	for (int i = 0; i < THREADS; i++) {
		void *wrong = analyzer;

		CHECK_EQUAL(pthread_join(threads[i], &wrong), 0);
		CHECK(wrong == NULL);
	}
	lanewise_analyzer_destroy(analyzer);
}

/* ---------------------------------------------------------------- indexes */

static size_t count_found(const lanewise_bm25 *bm25, const char *query)
{
	void *scratch = aligned_alloc(64, (lanewise_bm25_scratch_size(bm25, 10) + 63) / 64 * 64);
	uint32_t index[10];
	float score[10];
	size_t n = 99;

	CHECK_EQUAL(lanewise_bm25_search(bm25, query, strlen(query), 10, scratch, index, score, &n), LANEWISE_OK);
	free(scratch);
	return n;
}

/* The index of analyzed texts is that of the words which lanewise_analyze gives. */
static void test_index(const char *stemmer)
{
	static const char *const texts[] = { "The cats are running", "a cat ran; cats!", "", "of the",
		                             "dogs and CATS 12",     "running dogs" };
	lanewise_analyzer *analyzer = create((lanewise_analyzer_options) {
	        .stop = "english", .stemmer = stemmer, .drop_numbers = 1, .min_characters = 2 });
	lanewise_bm25_builder *by_text = NULL, *by_words = NULL;
	lanewise_bm25 *a = NULL, *b = NULL;

	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, &by_text), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, &by_words), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_builder_use_analyzer(by_text, analyzer), LANEWISE_OK);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		lanewise_word words[16];
		char folded[256];
		size_t n;

		CHECK_EQUAL(lanewise_analyze(analyzer, texts[i], strlen(texts[i]), words, 16, folded, 256, &n),
		            LANEWISE_OK);
		CHECK_EQUAL(lanewise_bm25_builder_add_words(by_words, words, n), LANEWISE_OK);
		CHECK_EQUAL(lanewise_bm25_builder_add_text(by_text, texts[i], strlen(texts[i])), LANEWISE_OK);
	}
	CHECK_EQUAL(lanewise_bm25_builder_use_analyzer(by_text, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_builder_use_analyzer(NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	lanewise_analyzer_destroy(analyzer);
	CHECK_EQUAL(lanewise_bm25_create(by_text, NULL, &a), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_create(by_words, NULL, &b), LANEWISE_OK);
	lanewise_bm25_builder_destroy(by_text);
	lanewise_bm25_builder_destroy(by_words);
	CHECK_EQUAL(lanewise_bm25_n_terms(a), lanewise_bm25_n_terms(b));
	CHECK_EQUAL(count_found(a, "the 12 of"), 0);
	CHECK_EQUAL(count_found(a, "RUNNING"), 2);
	CHECK_EQUAL(count_found(a, "Cats"), 3);
	CHECK_EQUAL(count_found(a, "cat"), stemmer ? 3 : 1);
	CHECK_EQUAL(count_found(a, "runs"), stemmer ? 2 : 0);
	/* The other index has the same words, and takes queries as they are. */
	CHECK_EQUAL(count_found(b, stemmer ? "cat" : "cats"), 3);
	CHECK_EQUAL(count_found(b, "the"), 0);
	lanewise_bm25_destroy(a);
	lanewise_bm25_destroy(b);
}

/* A saved index has the analyzer; every byte of that changed, it is refused with its section's name, or works. */
static void test_saved_index(void)
{
	lanewise_analyzer *analyzer = create((lanewise_analyzer_options) { .stop = "english", .max_characters = 30 });
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *made = NULL, *opened = NULL;
	lanewise_file *file = NULL;
	lanewise_error error = { .what = "" };
	struct image image, again;
	size_t section = 0, n_refused = 0;

	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, &builder), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_builder_use_analyzer(builder, analyzer), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, S("The cat is on the mat.")), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &made), LANEWISE_OK);
	lanewise_bm25_builder_destroy(builder);
	lanewise_analyzer_destroy(analyzer);
	image = image_of(made);
	CHECK_EQUAL(image_open(&image, &file, &error), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_open(file, NULL, &opened, &error), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_n_terms(opened), 2);
	CHECK_EQUAL(count_found(opened, "The is on"), 0);
	CHECK_EQUAL(count_found(opened, "The MAT"), 1);
	again = image_of(opened);
	CHECK(again.n_bytes == image.n_bytes && !memcmp(again.bytes, image.bytes, image.n_bytes));
	free(again.bytes);
	lanewise_bm25_destroy(opened);
	lanewise_bm25_destroy(made);
	lanewise_file_destroy(file);

	while (strcmp(image_section(&image, section).name, "bm25.analysis"))
		section++;

	uint64_t begin = image_section(&image, section).offset;

	for (uint64_t i = begin; i < begin + 200; i++) {
		unsigned char old = image.bytes[i];

		image.bytes[i] = (unsigned char)(old + 1);
		image_seal(&image);
		opened = NULL;
		if (CHECK(image_open(&image, &file, &error) == LANEWISE_OK)) {
			if (lanewise_bm25_open(file, NULL, &opened, &error)) {
				CHECK(opened == NULL && strstr(error.what, "section bm25.analysis") != NULL);
				CHECK(error.offset >= begin && error.offset < image.n_bytes);
				n_refused++;
			} else {
				count_found(opened, "The cat");
			}
			lanewise_bm25_destroy(opened);
			lanewise_file_destroy(file);
		}
		image.bytes[i] = old;
	}
	CHECK(n_refused > 60);
	free(image.bytes);
}

/* ------------------------------------------------------------------ bytes */

/* Every byte of a saved analyzer becomes other ones: it is refused with a place inside, or works. */
static void test_changed_bytes(void)
{
	lanewise_analyzer *analyzer = create((lanewise_analyzer_options) { .stop = "english", .min_characters = 2 });
	size_t n_bytes, n_refused = 0;
	const unsigned char *bytes = lanewise_analyzer_bytes(analyzer, &n_bytes);
	unsigned char *changed = malloc(n_bytes + 1);
	lanewise_analyzer *made;
	lanewise_error error;

	for (size_t i = 0; i < n_bytes; i++)
		for (int value = 0; value < 256; value += value < 8 || value > 246 ? 1 : 17) {
			memcpy(changed, bytes, n_bytes);
			changed[i] = (unsigned char)value;
			made = NULL;
			error.offset = 0;
			if (lanewise_analyzer_load(changed, n_bytes, NULL, &made, &error)) {
				CHECK(made == NULL && error.offset < n_bytes && error.what[0]);
				n_refused++;
			} else {
				struct listing listing;

				list_pieces(&listing, made, S("The CAT is 12 dogs"), 3);
			}
			lanewise_analyzer_destroy(made);
		}
	CHECK(n_refused > 1000);
	for (size_t n = 0; n < n_bytes; n++) {
		CHECK(lanewise_analyzer_load(bytes, n, NULL, &made, &error) == LANEWISE_ERROR_DATA);
		CHECK(error.offset < n + !n);
	}
	memcpy(changed, bytes, n_bytes);
	changed[n_bytes] = 1;
	CHECK_EQUAL(lanewise_analyzer_load(changed, n_bytes + 1, NULL, &made, &error), LANEWISE_ERROR_DATA);
	CHECK_EQUAL(lanewise_analyzer_load(bytes, n_bytes, NULL, &made, &error), LANEWISE_OK);
	lanewise_analyzer_destroy(made);
	free(changed);
	lanewise_analyzer_destroy(analyzer);
}

/* -------------------------------------------------------------- arguments */

static void refuse(lanewise_analyzer_options options, lanewise_status status, const char *what)
{
	lanewise_analyzer *analyzer = NULL;
	lanewise_error error = { .what = "" };

	if (options.struct_size == 0)
		options.struct_size = sizeof options;
	CHECK_EQUAL(lanewise_analyzer_create(&options, NULL, &analyzer, &error), status);
	CHECK_EQUAL(error.status, status);
	CHECK(error.offset == LANEWISE_NO_OFFSET);
	if (!CHECK(strstr(error.what, what) != NULL))
		fprintf(stderr, "%s\n", error.what);
	CHECK(analyzer == NULL);
	CHECK_EQUAL(lanewise_analyzer_create(&options, NULL, &analyzer, NULL), status);
}

static void *refuse_memory(void *context, size_t n_bytes, size_t alignment)
{
	(void)n_bytes;
	(void)alignment;
	++*(int *)context;
	return NULL;
}

static void release_nothing(void *context, void *p, size_t n_bytes)
{
	(void)context;
	(void)p;
	(void)n_bytes;
	abort();
}

static void test_arguments(void)
{
	lanewise_word null_word = { .n_bytes = 1 }, huge = { .text = "x", .n_bytes = (size_t)1 << 40 };
	int n_calls = 0;
	const lanewise_allocator nothing = { refuse_memory, release_nothing, &n_calls };
	lanewise_analyzer *analyzer = NULL;

	refuse((lanewise_analyzer_options) { .struct_size = 8 }, LANEWISE_ERROR_ARGUMENT, "struct_size");
	refuse((lanewise_analyzer_options) { .rule = (lanewise_word_rule)7 }, LANEWISE_ERROR_ARGUMENT, "rule");
	refuse((lanewise_analyzer_options) { .keep_case = 2 }, LANEWISE_ERROR_ARGUMENT, "keep_case");
	refuse((lanewise_analyzer_options) { .drop_numbers = -1 }, LANEWISE_ERROR_ARGUMENT, "drop_numbers");
	refuse((lanewise_analyzer_options) { .min_characters = 256 }, LANEWISE_ERROR_ARGUMENT, "min_characters");
	refuse((lanewise_analyzer_options) { .max_characters = 256 }, LANEWISE_ERROR_ARGUMENT, "max_characters");
	refuse((lanewise_analyzer_options) { .stop = "klingon" }, LANEWISE_ERROR_ARGUMENT, "no list klingon");
	refuse((lanewise_analyzer_options) { .n_stop_words = 1 }, LANEWISE_ERROR_ARGUMENT, "stop_words is NULL");
	refuse((lanewise_analyzer_options) { .n_stop_words = 1, .stop_words = &null_word }, LANEWISE_ERROR_ARGUMENT,
	       "stop word 0 is NULL");
	refuse((lanewise_analyzer_options) { .n_stop_words = 1, .stop_words = &huge }, LANEWISE_ERROR_ARGUMENT,
	       "more than");
	refuse((lanewise_analyzer_options) { .stemmer = "" }, LANEWISE_ERROR_ARGUMENT, "stemmer");
	refuse((lanewise_analyzer_options) { .stemmer = "English" }, LANEWISE_ERROR_ARGUMENT, "stemmer");
	refuse((lanewise_analyzer_options) { .stemmer = "a_name_of_more_than_thirty_one_bytes" },
	       LANEWISE_ERROR_ARGUMENT, "stemmer");
	refuse((lanewise_analyzer_options) { .stemmer = "klingon" }, LANEWISE_ERROR_UNSUPPORTED, "klingon");
	CHECK_EQUAL(lanewise_analyzer_create(NULL, NULL, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_analyzer_create(NULL, &nothing, &analyzer, NULL), LANEWISE_ERROR_NO_MEMORY);
	CHECK_EQUAL(n_calls, 1);
	lanewise_analyzer_destroy(NULL);
}

int main(void)
{
	test_rules();
	test_case();
	test_lengths();
	test_numbers();
	test_stop_words();
	test_long_list();
	test_index(NULL);
	test_saved_index();
	test_changed_bytes();
	test_arguments();
	if (have_stemmer()) {
		test_stems();
		test_threads();
		test_index("english");
	}
	return test_result();
}
