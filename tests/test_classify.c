/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/classify.h against rating by definition; rules as text; what is refused. */
#include <lanewise/classify.h>

#include <stdlib.h>

#include "counting_allocator.h"
#include "scan_naive.h"
#include "test.h"

static uint64_t random_state = 11;

static size_t below(size_t n) { return (size_t)(test_random(&random_state) % n); }

/* ---------------------------------------------------------- by definition */

enum { MAX_CLASSES = 5, MAX_KEYWORDS = 14, MAX_NEGATIONS = 4, MAX_TEXT = 60000, MAX_WORD = 24 };

struct known {
	unsigned char bytes[MAX_KEYWORDS + MAX_NEGATIONS][MAX_WORD];
	lanewise_keyword keywords[MAX_KEYWORDS];
	lanewise_pattern negations[MAX_NEGATIONS];
	lanewise_classifier_rules rules;
	lanewise_classifier_options options;
};

/* Matches in the order of scan.h; of patterns of one kind, without those that overlap one taken before. */
static lanewise_match *find(const struct known *k, const lanewise_pattern *patterns, size_t n_patterns,
                            const unsigned char *text, size_t n, size_t *n_matches)
{
	struct naive_case c = { patterns, n_patterns, text, n, !k->options.match_case, { sizeof c.options, 0, 0 } };

	c.options.whole_word = !k->options.substrings;
	c.options.semantics = k->options.non_overlapping ? LANEWISE_SCAN_STANDARD : LANEWISE_SCAN_OVERLAPPING;
	return naive_scan(&c, n_matches);
}

/* Whether some of the matches begins in [begin - window, begin). */
static int begins_before(const lanewise_match *matches, size_t n, uint64_t begin, uint64_t window)
{
	for (size_t i = 0; i < n; i++)
		if (matches[i].begin < begin && begin - matches[i].begin <= window)
			return 1;
	return 0;
}

static void rate_class(const struct known *k, uint32_t class_index, const unsigned char *text, size_t n,
                       const lanewise_match *negations, size_t n_negations, lanewise_class_score *score)
{
	lanewise_pattern patterns[MAX_KEYWORDS];
	double weight[MAX_KEYWORDS];
	size_t n_patterns = 0, n_matches;

	for (size_t i = 0; i < k->rules.n_keywords; i++)
		if (k->keywords[i].class_index == class_index) {
			weight[n_patterns] = k->keywords[i].weight;
			patterns[n_patterns++] = (lanewise_pattern) { k->keywords[i].bytes, k->keywords[i].n_bytes };
		}

	lanewise_match *matches = find(k, patterns, n_patterns, text, n, &n_matches);

	*score = (lanewise_class_score) { 0 };
	for (size_t i = 0; i < n_matches; i++) {
		uint64_t begin = matches[i].begin;
		double w = weight[matches[i].pattern];

		score->n_matches++;
		if (begins_before(negations, n_negations, begin, k->options.negation_window)) {
			score->n_negated++;
			score->score += w * k->options.negated_factor;
		} else {
			score->score += w * (1 + k->options.position_bonus * (1 - (double)begin / (double)n));
		}
	}
	if (!(score->score > 0))
		score->score = 0;
	free(matches);
}

static int32_t rate(const struct known *k, const unsigned char *text, size_t n, lanewise_class_score *scores)
{
	size_t n_negations, n_classes = k->rules.n_classes;
	lanewise_match *negations = find(k, k->negations, k->rules.n_negations, text, n, &n_negations);
	double total = 0;
	int32_t best = LANEWISE_CLASS_NONE;

	for (uint32_t i = 0; i < n_classes; i++) {
		rate_class(k, i, text, n, negations, n_negations, &scores[i]);
		total += scores[i].score;
	}
	free(negations);
	for (size_t i = 0; i < n_classes; i++)
		scores[i].confidence = total > 0 ? scores[i].score / total : 0;
	for (size_t j = 0; j < n_classes; j++) {
		size_t i = k->options.last_of_equals ? n_classes - 1 - j : j;

		if (scores[i].score > 0 && (best < 0 || scores[i].score > scores[best].score))
			best = (int32_t)i;
	}
	if (best >= 0 &&
	    (scores[best].score < k->options.min_score || scores[best].confidence < k->options.min_confidence))
		best = LANEWISE_CLASS_NONE;
	return best;
}

/* ------------------------------------------------------------ comparisons */

static size_t make_word(unsigned char *bytes, size_t longest, const char *alphabet)
{
	size_t n = 1 + below(longest);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (unsigned char)alphabet[below(strlen(alphabet))];
	return n;
}

static void make_known(struct known *k, const char *alphabet, size_t longest)
{
	static const double weights[] = { 1, 0.5, 2, 0.3, -0.7, 0 };

	memset(k, 0, sizeof *k);
	k->rules = (lanewise_classifier_rules) { .struct_size = sizeof k->rules,
		                                 .keywords = k->keywords,
		                                 .n_keywords = 1 + below(MAX_KEYWORDS),
		                                 .negations = k->negations,
		                                 .n_negations = below(MAX_NEGATIONS + 1),
		                                 .n_classes = 1 + below(MAX_CLASSES) };
	for (size_t i = 0; i < k->rules.n_keywords; i++)
		k->keywords[i] = (lanewise_keyword) { k->bytes[i], make_word(k->bytes[i], longest, alphabet),
			                              weights[below(6)], (uint32_t)below(k->rules.n_classes) };
	for (size_t i = 0; i < k->rules.n_negations; i++) {
		unsigned char *bytes = k->bytes[MAX_KEYWORDS + i];

		k->negations[i] = (lanewise_pattern) { bytes, make_word(bytes, longest, alphabet) };
	}
	k->options = lanewise_classifier_defaults();
	k->options.match_case = (int32_t)below(2);
	k->options.substrings = (int32_t)below(2);
	k->options.non_overlapping = (int32_t)below(2);
	k->options.last_of_equals = (int32_t)below(2);
	k->options.negation_window = (uint32_t)(below(2) ? below(12) : below(LANEWISE_NEGATION_WINDOW + 1));
	k->options.position_bonus = below(2) ? 0.1 : 0;
	k->options.negated_factor = below(2) ? -0.5 : 0.25;
	k->options.min_score = below(2) ? 0 : 1;
	k->options.min_confidence = below(2) ? 0.3 : 0;
}

static void compare(const lanewise_class_score *actual, const lanewise_class_score *expected, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CHECK_EQUAL(actual[i].n_matches, expected[i].n_matches);
		CHECK_EQUAL(actual[i].n_negated, expected[i].n_negated);
		CHECK(memcmp(&actual[i].score, &expected[i].score, sizeof(double)) == 0);
		CHECK(memcmp(&actual[i].confidence, &expected[i].confidence, sizeof(double)) == 0);
	}
}

static lanewise_classifier *create(const struct known *k)
{
	lanewise_classifier *classifier = NULL;
	lanewise_error error = { .what = "" };

	if (!CHECK(lanewise_classifier_create(&k->rules, &k->options, NULL, &classifier, &error) == LANEWISE_OK))
		fprintf(stderr, "%s\n", error.what);
	return classifier;
}

static void *make_scratch(const lanewise_classifier *classifier)
{
	return malloc(lanewise_classify_scratch_size(classifier));
}

/* Many texts one by one, each in memory of exactly its size, and together. */
static void check_known(const struct known *k, const unsigned char *texts, const uint64_t *offsets, size_t n)
{
	enum { MAX = 8 };
	lanewise_class_score expected[MAX][MAX_CLASSES], actual[MAX_CLASSES], all[MAX * MAX_CLASSES];
	int32_t expected_best[MAX], best, all_best[MAX];
	lanewise_classifier *classifier = create(k);
	void *scratch = make_scratch(classifier);
	size_t n_classes = k->rules.n_classes;

	for (size_t i = 0; i < n; i++) {
		size_t n_bytes = (size_t)(offsets[i + 1] - offsets[i]);
		unsigned char *text = malloc(n_bytes + (n_bytes == 0));

		memcpy(text, texts + offsets[i], n_bytes);
		expected_best[i] = rate(k, text, n_bytes, expected[i]);
		CHECK_EQUAL(lanewise_classify(classifier, text, n_bytes, scratch, actual, &best), LANEWISE_OK);
		CHECK_EQUAL(best, expected_best[i]);
		compare(actual, expected[i], n_classes);
		best = -7;
		CHECK_EQUAL(lanewise_classify(classifier, text, n_bytes, scratch, NULL, &best), LANEWISE_OK);
		CHECK_EQUAL(best, expected_best[i]);
		free(text);
	}
	CHECK_EQUAL(lanewise_classify_batch(classifier, texts, offsets, offsets + 1, n, scratch, all, all_best),
	            LANEWISE_OK);
	for (size_t i = 0; i < n; i++) {
		CHECK_EQUAL(all_best[i], expected_best[i]);
		compare(all + i * n_classes, expected[i], n_classes);
	}
	free(scratch);
	lanewise_classifier_destroy(classifier);
}

static void test_small_texts(void)
{
	static const char *const alphabets[] = { "ab", "aA b", "abc  ", "no t" };
	unsigned char texts[600];
	uint64_t offsets[9];

	for (int i = 0; i < 3000; i++) {
		const char *alphabet = alphabets[i % 4];
		struct known k;

		make_known(&k, alphabet, 1 + below(i % 5 ? 4 : 12));
		for (size_t j = 0; j < sizeof texts; j++)
			texts[j] = (unsigned char)alphabet[below(strlen(alphabet))];
		offsets[0] = 0;
		for (size_t j = 0; j < 8; j++)
			offsets[j + 1] = offsets[j] + below(70);
		check_known(&k, texts, offsets, 8);
	}
}

static lanewise_pattern any_word(const struct known *k, int negation)
{
	size_t i = below(k->rules.n_keywords + k->rules.n_negations), n = k->rules.n_keywords;

	if (k->rules.n_negations > 0 && (negation || i >= n))
		return k->negations[i % k->rules.n_negations];
	return (lanewise_pattern) { k->keywords[i % n].bytes, k->keywords[i % n].n_bytes };
}

/* Keywords that a negation, which begins before them, may contain. */
static void put_keywords_into_negations(struct known *k)
{
	for (size_t i = 0; i < k->rules.n_keywords; i++) {
		lanewise_pattern word = any_word(k, 1);
		size_t first = below(word.n_bytes), n = 1 + below(word.n_bytes - first);

		memmove(k->bytes[i], (const unsigned char *)word.bytes + first, n);
		k->keywords[i].n_bytes = n;
	}
}

/* Texts of several pieces, with few and many matches, and negations around the places where pieces meet. */
static void test_large_texts(void)
{
	static unsigned char text[MAX_TEXT];
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz      ";

	for (int i = 0; i < 40; i++) {
		/* Up to one piece with many matches, or several. */
		const char *alphabet = i % 8 == 5 ? "abc " : letters;
		uint64_t offsets[] = { 0, i % 8 == 5 ? 600 + below(5000) : 20000 + below(MAX_TEXT - 20000) };
		struct known k;

		make_known(&k, i % 2 ? "abc " : letters, i % 8 == 5 ? 2 : MAX_WORD);
		for (size_t j = 0; j < sizeof text; j++)
			text[j] = (unsigned char)alphabet[below(strlen(alphabet))];
		if (i % 4 > 1)
			put_keywords_into_negations(&k);
		for (int j = 0; j < 400; j++) {
			lanewise_pattern word = any_word(&k, 0);

			memcpy(text + below(MAX_TEXT - word.n_bytes), word.bytes, word.n_bytes);
		}
		for (size_t border = 16384; border < MAX_TEXT; border += 16384) {
			lanewise_pattern word = any_word(&k, 1);

			memset(text + border - 40, ' ', 80);
			memcpy(text + border - below(40), word.bytes, word.n_bytes);
		}
		check_known(&k, text, offsets, 1);
	}
}

/* ------------------------------------------------------------------ rules */

static const char example[] = "\xef\xbb\xbf# What is to be done?\n"
                              "class action\r\n"
                              " 1\trun \n"
                              "0.8  set up\n"
                              "class \"data analysis\"\n"
                              "1.5 analyze\n"
                              "-5e-1 \"C\\u0023 \\\"x\"\n"
                              "\n"
                              "negation don't\n"
                              "negation not\n"
                              "option window 12\n"
                              "option min-confidence 0.25";

static lanewise_classifier *parse(const char *rules)
{
	lanewise_classifier *classifier = NULL;
	lanewise_error error = { .what = "" };

	if (!CHECK(lanewise_classifier_parse(rules, strlen(rules), NULL, &classifier, &error) == LANEWISE_OK))
		fprintf(stderr, "%s\n", error.what);
	return classifier;
}

static int32_t classify(const lanewise_classifier *classifier, const char *text, lanewise_class_score *scores)
{
	void *scratch = make_scratch(classifier);
	int32_t best = -9;

	CHECK_EQUAL(lanewise_classify(classifier, text, strlen(text), scratch, scores, &best), LANEWISE_OK);
	free(scratch);
	return best;
}

static void test_rules(void)
{
	lanewise_classifier *classifier = parse(example);
	lanewise_class_score scores[2];

	CHECK_EQUAL(lanewise_classifier_n_classes(classifier), 2);
	CHECK(strcmp(lanewise_classifier_class_name(classifier, 0), "action") == 0);
	CHECK(strcmp(lanewise_classifier_class_name(classifier, 1), "data analysis") == 0);
	CHECK(lanewise_classifier_class_name(classifier, 2) == NULL);
	CHECK(lanewise_classifier_memory(classifier) > 0);
	CHECK_EQUAL(classify(classifier, "Set up a trunk, then analyze notes", scores), 1);
	CHECK(scores[0].n_matches == 1 && scores[1].n_matches == 1);
	CHECK(scores[0].score > 0.8799 && scores[0].score < 0.8801);
	/* "don't" begins 11 bytes before the last "run". */
	CHECK_EQUAL(classify(classifier, "run, run, don't ever run", scores), 0);
	CHECK(scores[0].n_matches == 3 && scores[0].n_negated == 1);
	CHECK_EQUAL(classify(classifier, "run, don't ever, run", scores), 0);
	CHECK_EQUAL(scores[0].n_negated, 1);
	CHECK_EQUAL(classify(classifier, "run, don't ever,  run", scores), 0);
	CHECK_EQUAL(scores[0].n_negated, 0);
	CHECK_EQUAL(classify(classifier, "c# \"X", scores), LANEWISE_CLASS_NONE);
	CHECK(scores[1].n_matches == 1 && scores[1].score == 0);
	CHECK_EQUAL(classify(classifier, "", scores), LANEWISE_CLASS_NONE);
	lanewise_classifier_destroy(classifier);
}

static void test_every_option(void)
{
	lanewise_classifier *classifier =
	        parse("option case match\noption words any\noption overlap no\n"
	              "option ties last\noption bonus 0\noption negated 2\noption min-score 1\n"
	              "option min-confidence 0.5\noption window 0\n"
	              "class a\n1 ab\n1 aba\nclass b\n1 B\nnegation x");
	lanewise_class_score scores[2];

	CHECK_EQUAL(classify(classifier, "xabababB", scores), 0);
	CHECK(scores[0].n_matches == 3 && scores[1].n_matches == 1 && scores[0].n_negated == 0);
	CHECK(scores[0].score == 3 && scores[0].confidence == 0.75);
	CHECK_EQUAL(classify(classifier, "ab B", scores), 1);
	CHECK_EQUAL(classify(classifier, "A b", scores), LANEWISE_CLASS_NONE);
	lanewise_classifier_destroy(classifier);
}

static void test_wrong_rules(void)
{
	static const struct {
		const char *rules, *what;
		uint64_t offset;
	} faults[] = {
		{ "", "there are no keywords", 0 },
		{ "class a\n#1 b\n", "there are no keywords", 13 },
		{ "1 run", "line 1: a keyword before the first class", 0 },
		{ "class a\n1 b\nclas c\n", "line 3: neither class, negation, option nor a keyword's weight: clas",
		  12 },
		{ "class a\n01 b", "line 2: the weight is no number: 01", 8 },
		{ "class a\n- b", "line 2: the weight is no number: -", 8 },
		{ "class a\n1e10 b", "line 2: the weight is not in -1e+09 ... 1e+09", 8 },
		{ "class a\n1 ", "line 2: the keyword is missing", 9 },
		{ "class a\n1 \"\"", "line 2: the keyword is missing", 10 },
		{ "class a\n1 \"b\"c", "line 2: the keyword in quotes: ", 13 },
		{ "class a\n1 \"b", "line 2: the keyword in quotes: ", 12 },
		{ "class", "line 1: the class's name is missing", 5 },
		{ "class \"a\\u0000\"", "line 1: the class's name has a NUL", 6 },
		{ "negation \t", "line 1: the negation is missing", 8 },
		{ "option", "line 1: there is no option ", 6 },
		{ "option speed 1", "line 1: there is no option speed", 7 },
		{ "option case", "line 1: the option's value is not ignore or match", 11 },
		{ "option case no", "line 1: the option's value is not ignore or match", 12 },
		{ "option window 1.5", "line 1: the window is no whole number of bytes", 14 },
		{ "option window 1025", "line 1: the window is not in 0 ... 1024", 14 },
		{ "option min-confidence 1.1", "line 1: the confidence is not in 0 ... 1", 22 },
		{ "option bonus 1 2", "line 1: the bonus is no number: 1 2", 13 },
		{ "option min-score -1", "line 1: the score is not in 0 ... 1e+300", 17 },
	};

	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		lanewise_classifier *classifier = NULL;
		lanewise_error error = { .what = "" };
		size_t n = strlen(faults[i].rules);
		char *exact = malloc(n + (n == 0));

		memcpy(exact, faults[i].rules, n);
		CHECK_EQUAL(lanewise_classifier_parse(exact, n, NULL, &classifier, &error), LANEWISE_ERROR_DATA);
		if (!CHECK(strncmp(error.what, faults[i].what, strlen(faults[i].what)) == 0 &&
		           error.offset == faults[i].offset))
			fprintf(stderr, "%zu: %s at %" PRIu64 "\n", i, error.what, error.offset);
		CHECK(classifier == NULL);
		free(exact);
	}
}

/* Rules cut short, and with bytes changed: refused, or a classifier. */
static void test_damaged_rules(void)
{
	char rules[sizeof example];

	for (size_t n = 0; n < sizeof example; n++)
		for (int changed = 0; changed < 4; changed++) {
			lanewise_classifier *classifier = NULL;
			lanewise_error error = { .what = "" };
			char *exact = malloc(n + 1);

			memcpy(rules, example, sizeof example);
			if (changed)
				rules[below(sizeof example)] = (char)below(256);
			memcpy(exact, rules, n);
			if (lanewise_classifier_parse(exact, n, NULL, &classifier, &error) == LANEWISE_OK)
				CHECK(classifier != NULL);
			else
				CHECK(classifier == NULL && error.what[0] && error.offset <= n);
			lanewise_classifier_destroy(classifier);
			free(exact);
		}
}

/* -------------------------------------------------------------- arguments */

static void test_memory(void)
{
	struct counter counter = { 0 };
	lanewise_allocator allocator = counting_allocator(&counter);
	lanewise_classifier *classifier = NULL;
	lanewise_error error;
	size_t n = 0;

	do {
		fail_after(&counter, n++);

		lanewise_status status =
		        lanewise_classifier_parse(example, sizeof example - 1, &allocator, &classifier, &error);

		CHECK(status == LANEWISE_OK ||
		      (status == LANEWISE_ERROR_NO_MEMORY && counter.n_held == 0 && !classifier));
	} while (!classifier && n < 20);
	CHECK_EQUAL(n, 8); /* rules, classifier, patterns, and two for each set */
	CHECK_EQUAL(counter.n_bytes, lanewise_classifier_memory(classifier));
	lanewise_classifier_destroy(classifier);
	CHECK_EQUAL(counter.n_held, 0);
	lanewise_classifier_destroy(NULL);
}

static void refuse(const struct known *k, lanewise_status expected, const char *what)
{
	lanewise_classifier *classifier = NULL;
	lanewise_error error = { .what = "" };

	CHECK_EQUAL(lanewise_classifier_create(&k->rules, &k->options, NULL, &classifier, &error), expected);
	if (!CHECK(strstr(error.what, what) != NULL && !classifier))
		fprintf(stderr, "%s instead of %s\n", error.what, what);
}

#define REFUSE(change, status, what) \
	do { \
		struct known k = good; \
		k.rules.keywords = k.keywords; \
		k.rules.negations = k.negations; \
		change; \
		refuse(&k, status, what); \
	} while (0)

static void test_arguments(void)
{
	struct known good;
	const char *names[] = { "one", NULL };
	lanewise_classifier *classifier;
	int32_t best;
	double nan = strtod("nan", NULL);

	do
		make_known(&good, "ab", 3);
	while (good.rules.n_negations == 0 || good.rules.n_keywords < 2);
	REFUSE(k.rules.struct_size--, LANEWISE_ERROR_ARGUMENT, "rules: unknown struct_size");
	REFUSE(k.options.struct_size++, LANEWISE_ERROR_ARGUMENT, "options: unknown struct_size");
	REFUSE(k.rules.n_keywords = 0, LANEWISE_ERROR_ARGUMENT, "no keywords");
	REFUSE(k.rules.keywords = NULL, LANEWISE_ERROR_ARGUMENT, "are NULL");
	REFUSE(k.rules.negations = NULL, LANEWISE_ERROR_ARGUMENT, "are NULL");
	REFUSE(k.keywords[1].n_bytes = 0, LANEWISE_ERROR_ARGUMENT, "keyword 1 is empty");
	REFUSE(k.keywords[1].bytes = NULL, LANEWISE_ERROR_ARGUMENT, "keyword 1 is NULL");
	REFUSE(k.keywords[1].weight = nan, LANEWISE_ERROR_ARGUMENT, "weight of keyword 1");
	REFUSE(k.keywords[1].weight = 2e9, LANEWISE_ERROR_ARGUMENT, "weight of keyword 1 is 2e+09");
	REFUSE(k.keywords[0].class_index = 9, LANEWISE_ERROR_ARGUMENT, "keyword 0 is of class 9");
	REFUSE(k.negations[0].n_bytes = 0, LANEWISE_ERROR_ARGUMENT, "negation 0 is empty");
	REFUSE(k.negations[0].n_bytes = 1 << 17, LANEWISE_ERROR_TOO_LARGE, "negation 0 has 131072 bytes");
	REFUSE(k.rules.n_classes = 0, LANEWISE_ERROR_ARGUMENT, "0 classes");
	REFUSE(k.rules.n_classes = LANEWISE_CLASSES + 1, LANEWISE_ERROR_TOO_LARGE, "65537 classes");
	REFUSE((k.rules.n_classes = 2, k.rules.class_names = names), LANEWISE_ERROR_ARGUMENT, "name of class 1");
	REFUSE(k.options.negation_window = 1025, LANEWISE_ERROR_ARGUMENT, "negation_window");
	REFUSE(k.options.position_bonus = nan, LANEWISE_ERROR_ARGUMENT, "position_bonus");
	REFUSE(k.options.negated_factor = 1e7, LANEWISE_ERROR_ARGUMENT, "negated_factor");
	REFUSE(k.options.min_score = -1, LANEWISE_ERROR_ARGUMENT, "min_score");
	REFUSE(k.options.min_confidence = nan, LANEWISE_ERROR_ARGUMENT, "min_confidence");
	CHECK_EQUAL(lanewise_classifier_create(NULL, NULL, NULL, &classifier, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_classifier_create(&good.rules, NULL, NULL, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_classifier_parse(NULL, 1, NULL, &classifier, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_classifier_parse("", 0, NULL, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_classifier_parse(NULL, 0, NULL, &classifier, NULL), LANEWISE_ERROR_DATA);

	good.rules.keywords = good.keywords;
	good.rules.negations = good.negations;
	classifier = create(&good);
	CHECK(strcmp(lanewise_classifier_class_name(classifier, 0), "0") == 0);

	char *scratch = make_scratch(classifier);
	uint64_t offsets[] = { 0, 2, 1 };

	CHECK_EQUAL(lanewise_classify(NULL, "a", 1, scratch, NULL, &best), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_classify(classifier, NULL, 1, scratch, NULL, &best), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_classify(classifier, "a", 1, NULL, NULL, &best), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_classify(classifier, "a", 1, scratch + 1, NULL, &best), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_classify(classifier, "a", 1, scratch, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_classify(classifier, NULL, 0, scratch, NULL, &best), LANEWISE_OK);
	CHECK_EQUAL(lanewise_classify_batch(classifier, "ab", offsets, offsets + 1, 2, scratch, NULL, &best),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_classify_batch(classifier, "ab", NULL, offsets + 1, 1, scratch, NULL, &best),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_classify_batch(classifier, NULL, offsets, offsets + 1, 1, scratch, NULL, &best),
	            LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_classify_batch(classifier, NULL, NULL, NULL, 0, scratch, NULL, NULL), LANEWISE_OK);
	free(scratch);
	lanewise_classifier_destroy(classifier);
}

int main(void)
{
	test_small_texts();
	test_large_texts();
	test_rules();
	test_every_option();
	test_wrong_rules();
	test_damaged_rules();
	test_memory();
	test_arguments();
	return test_result();
}
