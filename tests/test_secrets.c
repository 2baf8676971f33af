/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/secrets.h: rules and their faults, shapes against a naive matcher, findings that overlap, masks, memory, time. */
#include <stdlib.h>
#include <time.h>

#include "test.h"

#include <lanewise/secrets.h>

#include "secrets_naive.h"
#include "secrets_test.h"

static lanewise_secrets *make(const char *rules) { return make_with(rules, NULL); }

/* ------------------------------------------------------------------- rules */

static void test_builtin(void)
{
	lanewise_error error = { 0 };
	lanewise_secrets *secrets = make(NULL);
	size_t n = 0, n_rules = lanewise_secrets_n_rules(secrets), n_text;

	if (!CHECK(lanewise_secrets_check_examples(NULL, 0, NULL, NULL, &n, &error) == LANEWISE_OK))
		fprintf(stderr, "%s\n", error.what);
	CHECK(n > 200 && n_rules > 60);
	for (size_t i = 0; i < n_rules; i++)
		CHECK(*lanewise_secrets_rule_name(secrets, i) && *lanewise_secrets_rule_about(secrets, i));
	CHECK(lanewise_secrets_rule_name(secrets, n_rules) == NULL && !lanewise_secrets_rule_about(secrets, n_rules));
	CHECK(lanewise_secrets_builtin_rules(&n_text) && n_text > 10000);

	/* The optional rule; rules of one's own before the others. */
	lanewise_secrets_options options = { sizeof options, 1, 1, NULL };
	const char *own = "rule mine\nanchor mine-\nshape @ [0-9]{4}\nrule none\noptional\nanchor q\nshape @q";
	lanewise_secrets *more;

	CHECK(lanewise_secrets_create(own, strlen(own), &options, NULL, &more, &error) == LANEWISE_OK);
	CHECK_EQUAL(lanewise_secrets_n_rules(more), n_rules + 3);
	CHECK(strcmp(lanewise_secrets_rule_name(more, 0), "mine") == 0);
	CHECK(strcmp(lanewise_secrets_rule_name(more, n_rules + 2), "high-entropy") == 0);
	lanewise_secrets_destroy(more);
	options.with_builtin = options.optional = 0;
	CHECK(lanewise_secrets_create(own, strlen(own), &options, NULL, &more, &error) == LANEWISE_OK);
	CHECK_EQUAL(lanewise_secrets_n_rules(more), 1);
	lanewise_secrets_destroy(more);
	lanewise_secrets_destroy(secrets);
	lanewise_secrets_destroy(NULL);
}

/* Every example must be able to fail: each line changed from true to false, or back, is refused, with its number. */
static void test_examples_fail(void)
{
	size_t n_bytes, n_tried = 0;
	const char *builtin = lanewise_secrets_builtin_rules(&n_bytes);
	char *rules = malloc(n_bytes + 1);
	size_t line = 1;

	for (size_t i = 0; i + 8 < n_bytes; i++) {
		int is_true = memcmp(builtin + i, "\n  true  ", 9) == 0,
		    is_false = memcmp(builtin + i, "\n  false ", 9) == 0;
		char expected[32];
		lanewise_error error = { 0 };

		line += builtin[i] == '\n';
		if ((!is_true && !is_false) || ++n_tried % 8 != 0)
			continue;
		memcpy(rules, builtin, n_bytes);
		memcpy(rules + i + 3, is_true ? "false" : "true ", 5);
		snprintf(expected, sizeof expected, "line %zu: ", line);
		CHECK(lanewise_secrets_check_examples(rules, n_bytes, NULL, NULL, NULL, &error) == LANEWISE_ERROR_DATA);
		if (!CHECK(strncmp(error.what, expected, strlen(expected)) == 0))
			fprintf(stderr, "%s is not of %s\n", error.what, expected);
	}
	CHECK(n_tried > 200);
	free(rules);
}

static void test_faults(void)
{
	static const struct {
		int line;
		const char *rules;
	} faults[] = {
		{ 1, "nonsense" },
		{ 1, "anchor a" },
		{ 1, "rule" },
		{ 1, "rule a b" },
		{ 1, "rule a]\nanchor a\nshape @" },
		{ 1, "rule a" }, /* what is missing is told at the rule's first line */
		{ 1, "rule a\nanchor a" },
		{ 1, "rule a\nshape @" },
		{ 1, "rule a\nanchor a\nshape @\nrun [a]{1,2}" },
		{ 4, "rule a\nanchor a\nshape @\nshape @" },
		{ 4, "rule a\nanchor a\nshape @\nrule a\nanchor a\nshape @" },
		{ 3, "rule a\nanchor a\nshape a" },
		{ 3, "rule a\nanchor a\nshape @@" },
		{ 3, "rule a\nanchor a\nshape (@)" },
		{ 3, "rule a\nanchor a\nshape @(" },
		{ 3, "rule a\nanchor a\nshape @)" },
		{ 3, "rule a\nanchor a\nshape @[a" },
		{ 3, "rule a\nanchor a\nshape @[]" },
		{ 3, "rule a\nanchor a\nshape @[b-a]" },
		{ 3, "rule a\nanchor a\nshape @[^\\x00-\\xff]" },
		{ 3, "rule a\nanchor a\nshape @a{2" },
		{ 3, "rule a\nanchor a\nshape @a{3,2}" },
		{ 3, "rule a\nanchor a\nshape @a{99999}" },
		{ 3, "rule a\nanchor a\nshape @a{}" },
		{ 3, "rule a\nanchor a\nshape @a??" },
		{ 3, "rule a\nanchor a\nshape @(a)*" },
		{ 3, "rule a\nanchor a\nshape @ | b" },
		{ 3, "rule a\nanchor a\nshape @!" },
		{ 3, "rule a\nanchor a\nshape @\\q" },
		{ 3, "rule a\nanchor a\nshape @\\" },
		{ 3, "rule a\nanchor a\nshape @\\xg0" },
		{ 3, "rule a\nanchor a\nshape @$nothing" },
		{ 1, "let x @\n" },
		{ 1, "let x [\n" },
		{ 1, "let x-y a\n" },
		{ 2, "let x a\nlet x a\n" },
		{ 1, "let x $x\n" },
		{ 2, "rule a\nanchor \\q\nshape @" },
		{ 2, "rule a\nentropy 9" },
		{ 2, "rule a\nentropy x" },
		{ 2, "rule a\nneed luck" },
		{ 2, "rule a\noptional yes" },
		{ 2, "rule a\nrun a{1}" },
		{ 2, "rule a\nrun [a]{0,4}" },
		{ 2, "rule a\nrun [a]" },
		{ 2, "rule a\nbogus \x01" },
	};

	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		lanewise_secrets *secrets = NULL;
		lanewise_error error = { 0 };
		char expected[32];
		char *rules = exact_copy(faults[i].rules, strlen(faults[i].rules));
		lanewise_status status =
		        lanewise_secrets_create(rules, strlen(faults[i].rules), NULL, NULL, &secrets, &error);

		snprintf(expected, sizeof expected, "line %d: ", faults[i].line);
		if (!CHECK(status == LANEWISE_ERROR_DATA && !secrets && error.offset <= strlen(faults[i].rules) &&
		           strncmp(error.what, expected, strlen(expected)) == 0))
			fprintf(stderr, "%zu: %d %s\n%s\n", i, status, error.what, faults[i].rules);
		lanewise_secrets_destroy(secrets);
		free(rules);
	}
}

static void test_limits(void)
{
	enum { ROOM = 1 << 20 };
	char *rules = malloc(ROOM);
	lanewise_secrets *secrets;
	lanewise_error error;
	size_t n = 0;

	for (int i = 0; i <= LANEWISE_SECRETS_RULES; i++)
		n += (size_t)snprintf(rules + n, ROOM - n, "rule r%d\nanchor a%d\nshape @\n", i, i);
	CHECK(lanewise_secrets_create(rules, n, NULL, NULL, &secrets, &error) == LANEWISE_ERROR_TOO_LARGE);
	CHECK(error.status == LANEWISE_ERROR_TOO_LARGE);

	/* Fragments that double each other. */
	n = (size_t)snprintf(rules, ROOM, "let x0 ab\n");
	for (int i = 1; i < 20; i++)
		n += (size_t)snprintf(rules + n, ROOM - n, "let x%d $x%d $x%d\n", i, i - 1, i - 1);
	CHECK(lanewise_secrets_create(rules, n, NULL, NULL, &secrets, &error) == LANEWISE_ERROR_TOO_LARGE);

	n = (size_t)snprintf(rules, ROOM, "rule a\nanchor a\nshape @");
	memset(rules + n, '(', 1000);
	CHECK(lanewise_secrets_create(rules, n + 1000, NULL, NULL, &secrets, &error) == LANEWISE_ERROR_DATA);
	memset(rules + n, '!', 1000);
	CHECK(lanewise_secrets_create(rules, n + 1000, NULL, NULL, &secrets, &error) == LANEWISE_ERROR_DATA);
	free(rules);

	lanewise_secrets_options options = { 1, 0, 0, NULL };

	CHECK(lanewise_secrets_create(NULL, 0, &options, NULL, &secrets, &error) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_secrets_create(NULL, 0, NULL, NULL, NULL, &error) == LANEWISE_ERROR_ARGUMENT);
}

/* ------------------------------------------------------------------ shapes */

/* One rule, one text: the secret found first, between | in `text`, or nothing where there is no |. */
static void test_shapes(void)
{
	static const struct {
		const char *lines, *text;
	} cases[] = {
		{ "anchor ab\nshape @", "xx|ab|x" },
		{ "anchor ab\nshape @ [0-9]{3}", "ab12x|ab123|4" },
		{ "anchor ab\nshape @ [0-9]{3} \\b", "ab1234 ab12" },
		{ "anchor ab\nshape @ < [0-9]{2,3} >", "ab|123|4" },
		{ "anchor ab\nshape [0-9]{2} @", "1ab|22ab|" },
		{ "anchor ab\nshape < [x-z]+ > - @", "a|xyz|-ab" },
		{ "anchor ab\nshape @ [a-z]* z", "abz abzz" },
		{ "anchor ab\nshape @ ( 1 | 12 ) 3", "|ab13|" },
		{ "anchor ab\nshape @ ( 1 | 12 ) 3", "ab123" },
		{ "anchor ab\nshape ( xy | y ) @", "|xyab|" },
		{ "anchor ab\nshape @ !c", "abc |ab|d" },
		{ "anchor ab\nshape @ !c", "abc |ab|" },
		{ "anchor ab\nshape @ !( cd | e ) .", "abcd |abc|e" },
		{ "anchor ab\nshape !x @", "xab |ab|" },
		{ "anchor AB\nignore-case\nshape @ c [D-F]", "|aBCd|" },
		{ "anchor ab\nshape @ c", "Abc aBc abC" },
		{ "anchor ab\nshape @ \\x41 \\n", "abB|abA\n|" },
		{ "anchor a\\sb\nshape @", "ab |a b|" },
		{ "anchor a\\\\\nshape @", "ab |a\\|" },
		{ "anchor =\nshape @ ( \" < [^\"]+ > \" | < [a-z]+ > )", "=\"|x y|\"" },
		{ "anchor =\nshape @ ( \" < [^\"]+ > \" | < [a-z]+ > )", "=|xy|\"" },
		{ "anchor ab\nshape @ < >", "ab" },
		{ "anchor ab\nshape @ [0-9]{4}\nentropy 1.9", "ab1112 |ab1234|" },
		{ "anchor ab\nshape @ < .{4} >\nneed digit upper symbol", "ab1abc ab|1A-b|" },
		{ "anchor ab\nshape @ [a-z]+\nstop BAD", "abxbady |abba|" },
		{ "anchor ab\nshape @ < [a-z]+ >\nstop-whole none", "abNONE abnone ab|nonesuch|" },
		{ "run [0-9]{3,4}", "12 12345 |1234|" },
		{ "run [0-9]{3,4}\nneed letter", "123" },
		{ "anchor ab cd\nshape @ 1", "ab |cd1| ab1" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char rules[256], text[256];
		const char *first = strchr(cases[i].text, '|'), *second = first ? strchr(first + 1, '|') : NULL;
		size_t n = 0;
		lanewise_secret found[8];

		snprintf(rules, sizeof rules, "rule r\n%s\n", cases[i].lines);
		for (const char *p = cases[i].text; *p; p++)
			if (*p != '|')
				text[n++] = *p;

		lanewise_secrets *secrets = make(rules);
		size_t n_found = find_all(secrets, text, n, found, 8);

		if (!CHECK(n_found == 0 ? !second
		                        : second && found[0].begin == (uint64_t)(first - cases[i].text) &&
		                                  found[0].end == (uint64_t)(second - cases[i].text) - 1))
			fprintf(stderr, "%zu: %s\n%s\n", i, cases[i].lines, cases[i].text);
		lanewise_secrets_destroy(secrets);
	}
}

/* ---------------------------------------------------- shapes, naively */

static size_t random_shape(uint64_t *state, char *out, int depth, int n_parts)
{
	static const char *const parts[] = { "a",   "b",  "c",     "-",       "[ab]", "[^a]", "[a-c]", ".",  "[b\\-]",
		                             "\\b", "!a", "![bc]", "!(a|bc)", "<",    ">",    "\\-",   "ab", "[c-]" };
	static const char *const counts[] = { "", "", "", "", "?", "*", "+", "{2}", "{1,}", "{0,2}", "{1,3}" };
	size_t n = 0;

	for (int i = 0; i < n_parts; i++) {
		if (depth < 3 && test_random(state) % 6 == 0) {
			int alternatives = 1 + (int)(test_random(state) % 3);

			n += (size_t)sprintf(out + n, "(");
			for (int k = 0; k < alternatives; k++) {
				if (k)
					out[n++] = '|';
				n += random_shape(state, out + n, depth + 1, (int)(test_random(state) % 4));
			}
			n += (size_t)sprintf(out + n, test_random(state) % 2 ? ")" : ")?");
			continue;
		}

		const char *part = parts[test_random(state) % (sizeof parts / sizeof *parts)];
		int countable = *part != '!' && *part != '<' && *part != '>' && strcmp(part, "\\b") != 0;

		n += (size_t)sprintf(out + n, "%s%s%s", part,
		                     countable ? counts[test_random(state) % (sizeof counts / sizeof *counts)] : "",
		                     test_random(state) % 3 ? "" : " ");
	}
	out[n] = '\0';
	return n;
}

/* Every finding is one of the naive matcher's; each of these is reported or begins before the end of one that is. */
static void compare_with_naive(const lanewise_secrets *secrets, const char *shape, const char *text, size_t n)
{
	static const char *const anchors[] = { "ab", "c", "-a" };
	enum { MOST = 256 };
	lanewise_secret found[MOST];
	size_t n_found = find_all(secrets, text, n, found, MOST), n_matched = 0;

	for (size_t end = 1; end <= n; end++)
		for (size_t k = 0; k < 3; k++) {
			size_t length = strlen(anchors[k]);
			uint64_t range[4];
			int reported = 0, beaten = 0;

			if (length > end || memcmp(text + end - length, anchors[k], length) != 0 ||
			    !naive_match(shape, text, (int)n, (int)(end - length), (int)end, range))
				continue;
			for (size_t i = 0; i < n_found; i++) {
				const lanewise_secret *s = &found[i];

				reported |= s->begin == range[0] && s->end == range[1] && s->match_begin == range[2] &&
				            s->match_end == range[3];
				beaten |= range[0] < s->end;
			}
			n_matched += (size_t)reported;
			if (!CHECK(reported || beaten))
				fprintf(stderr, "missed: shape %s, text %.*s, at %zu\n", shape, (int)n, text, end);
		}
	if (!CHECK(n_matched >= n_found))
		fprintf(stderr, "too many: shape %s, text %.*s\n", shape, (int)n, text);
}

static void test_against_naive(void)
{
	uint64_t state = 5;

	for (int round = 0; round < 4000; round++) {
		char shape[4096], rules[8192], text[64];
		size_t n = random_shape(&state, shape, 0, (int)(test_random(&state) % 4));

		shape[n++] = '@';
		random_shape(&state, shape + n, 0, (int)(test_random(&state) % 5));
		snprintf(rules, sizeof rules, "rule r\nanchor ab c -a\nshape %s\n", shape);

		lanewise_secrets *secrets = make(rules);

		for (int k = 0; k < 8; k++) {
			size_t n_text = test_random(&state) % sizeof text;

			for (size_t i = 0; i < n_text; i++)
				text[i] = "aaabbbccc--\n"[test_random(&state) % 12];
			compare_with_naive(secrets, shape, text, n_text);
		}
		lanewise_secrets_destroy(secrets);
	}
}

/* --------------------------------------------------------------- overlaps */

static void test_overlaps(void)
{
	static const char rules[] = "rule key\nanchor k-\nshape @ < [0-9]{4} >\n"
	                            "rule word\nanchor w=\nshape @ < [a-z0-9\\-]+ >\n"
	                            "rule before\nanchor !\nshape < [a-z0-9\\-]+ > @\n"
	                            "rule long\nrun [a-z0-9\\-]{20,99}\n";
	lanewise_secrets *secrets = make(rules);
	void *scratch = make_scratch(secrets);
	lanewise_secret found[8];
	uint64_t present, n;
	const char *text = "w=aa-k-1234-zz w=bb k-5678!";

	/* Within the word's value the key stays; the last key is in what stands before the mark. */
	CHECK_EQUAL(find_all(secrets, text, strlen(text), found, 8), 3);
	CHECK(found[0].rule == 0 && found[0].begin == 7 && found[0].end == 11);
	CHECK(found[1].rule == 1 && found[1].begin == 17);
	CHECK(found[2].rule == 0 && found[2].end == strlen(text) - 1);
	CHECK(lanewise_secrets_types(secrets, text, strlen(text), scratch, &present, &n) == LANEWISE_OK);
	CHECK(present == 3 && n == 3);

	text = "w=abcdefghijklmnopqrstuvwxyz! 0123456789012345678901234";
	CHECK_EQUAL(find_all(secrets, text, strlen(text), found, 8), 2);
	CHECK(found[0].rule == 1 && found[0].begin == 2 && found[0].end == 28);
	CHECK(found[1].rule == 3 && found[1].begin == 30);
	CHECK(lanewise_secrets_types(secrets, text, strlen(text), scratch, &present, NULL) == LANEWISE_OK);
	CHECK(present == 10);

	CHECK(lanewise_secrets_types(secrets, "", 0, scratch, &present, &n) == LANEWISE_OK && !present && n == 0);
	CHECK(lanewise_secrets_types(secrets, NULL, 1, scratch, &present, &n) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_secrets_types(secrets, "", 0, scratch, NULL, &n) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_secrets_any(secrets, "", 0, scratch, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_secrets_begin(NULL, "", 0, scratch) == NULL);
	CHECK(lanewise_secrets_begin(secrets, "", 0, NULL) == NULL);
	CHECK(lanewise_secrets_begin(secrets, "", 0, (char *)scratch + 1) == NULL);
	free(scratch);
	lanewise_secrets_destroy(secrets);

	/* No rules at all, and only runs. */
	secrets = make("# nothing\n\n");
	CHECK_EQUAL(find_all(secrets, "text", 4, found, 8), 0);
	lanewise_secrets_destroy(secrets);
	secrets = make("rule a\nrun [0-9]{3,9}\nrule b\nrun [a-z]{3,9}\n");
	CHECK_EQUAL(find_all(secrets, "123abc4567 12ab 999", 19, found, 8), 4);
	CHECK(found[0].rule == 0 && found[1].rule == 1 && found[2].rule == 0 && found[3].begin == 16);
	lanewise_secrets_destroy(secrets);
}

/* ------------------------------------------------------------------- masks */

static void test_masks(void)
{
	static const char rules[] = "rule key\nanchor k=\nshape @ < [^ ]{1,9} >\n"
	                            "rule wide\nanchor K\nshape @ < . k = [0-9]+ . [0-9]+ >\n"
	                            "rule part\nanchor u\nshape @ < .{3} >\n";
	static const struct {
		const char *text, *masked;
		lanewise_mask_options options;
		uint64_t n;
	} cases[] = {
		{ "a k=1234 b", "a k=**** b", { sizeof(lanewise_mask_options), 0, 0, 0, 0 }, 1 },
		{ "k=1 k=22", "k=# k=##", { sizeof(lanewise_mask_options), 0, '#', 0, 0 }, 2 },
		{ "k=12345678", "k=12****78", { sizeof(lanewise_mask_options), 0, 0, 2, 2 }, 1 },
		{ "k=1234567", "k=*******", { sizeof(lanewise_mask_options), 0, 0, 2, 2 }, 1 },
		{ "k=12345678", "k=********", { sizeof(lanewise_mask_options), 0, 0, SIZE_MAX, 2 }, 1 },
		{ "x k=1234 y k=1",
		  "x k=[REDACTED:key] y k=[REDACTED:key]",
		  { sizeof(lanewise_mask_options), 1, 0, 2, 2 },
		  2 },
		{ "none", "none", { sizeof(lanewise_mask_options), 0, 0, 0, 0 }, 0 },
		{ "", "", { sizeof(lanewise_mask_options), 1, 0, 0, 0 }, 0 },
		/* The wide one loses but is masked all the same. */
		{ "K-k=12 34.", "K********.", { sizeof(lanewise_mask_options), 0, 0, 0, 0 }, 1 },
		{ "K-k=12 34.", "K[REDACTED:key].", { sizeof(lanewise_mask_options), 1, 0, 0, 0 }, 1 },
		/* Characters are masked as a whole. */
		{ "u\xc3\xa4\xc3\xa4.", "u****.", { sizeof(lanewise_mask_options), 0, 0, 0, 0 }, 1 },
		{ "k=\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 ",
		  "k=******** ",
		  { sizeof(lanewise_mask_options), 0, 0, 1, 0 },
		  1 },
	};
	lanewise_secrets *secrets = make(rules);
	void *scratch = make_scratch(secrets);

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *masked = cases[i].masked;
		size_t n = strlen(cases[i].text), expected = strlen(masked), n_out = 0;
		char *text = exact_copy(cases[i].text, n);
		uint64_t n_masked = 99;

		for (size_t capacity = 0; capacity <= expected; capacity++) {
			char *out = malloc(capacity + 1);
			lanewise_status status;

			out[capacity] = '~';
			status = lanewise_secrets_mask(secrets, &cases[i].options, text, n, scratch,
			                               capacity ? out : NULL, capacity, &n_out, &n_masked);
			CHECK_EQUAL(status, capacity < expected ? LANEWISE_ERROR_CAPACITY : LANEWISE_OK);
			CHECK(n_out == expected && out[capacity] == '~' && n_masked == cases[i].n);
			if (!CHECK(capacity < expected || memcmp(out, masked, expected) == 0))
				fprintf(stderr, "%zu: %.*s, expected %s\n", i, (int)n_out, out, masked);
			free(out);
		}
		free(text);
	}

	lanewise_mask_options options = { sizeof options, 0, 256, 0, 0 };
	char out[8];
	size_t n;

	CHECK(lanewise_secrets_mask(secrets, &options, "", 0, scratch, out, 8, &n, NULL) == LANEWISE_ERROR_ARGUMENT);
	options.byte = 0;
	options.struct_size = 1;
	CHECK(lanewise_secrets_mask(secrets, &options, "", 0, scratch, out, 8, &n, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_secrets_mask(secrets, NULL, "", 0, scratch, NULL, 8, &n, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_secrets_mask(secrets, NULL, "", 0, scratch, out, 8, NULL, NULL) == LANEWISE_ERROR_ARGUMENT);
	free(scratch);
	lanewise_secrets_destroy(secrets);
}

/* Random texts full of anchors: masks leave nothing that is found, nor change anything else. */
static void test_masks_cover(void)
{
	static const char *const pieces[] = {
		"password = \"", "ghp_", "\"",        " ",   "\n", "://", "user:",
		"@host ",        "AKIA", "api_key: ", "eyJ", ".",  "=",   "-----BEGIN RSA PRIVATE KEY-----",
		"token"
	};
	lanewise_secrets *secrets = make(NULL);
	void *scratch = make_scratch(secrets);
	uint64_t state = 8;

	for (int round = 0; round < 3000; round++) {
		char text[1024], out[1024];
		size_t n = 0, n_out;

		while (n < 700) {
			const char *piece = pieces[test_random(&state) % (sizeof pieces / sizeof *pieces)];

			memcpy(text + n, piece, strlen(piece));
			n += strlen(piece);
			for (size_t k = test_random(&state) % 3 ? 0 : test_random(&state) % 60; k > 0; k--)
				text[n++] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
				        [test_random(&state) % 64];
		}

		lanewise_secret found[128];
		size_t n_found = find_all(secrets, text, n, found, 128);

		CHECK(lanewise_secrets_mask(secrets, NULL, text, n, scratch, out, sizeof out, &n_out, NULL) ==
		      LANEWISE_OK);
		CHECK_EQUAL(n_out, n);
		for (size_t i = 0; i < n; i++)
			CHECK(out[i] == text[i] || out[i] == '*');
		for (size_t k = 0; k < n_found; k++)
			for (uint64_t i = found[k].begin; i < found[k].end; i++)
				CHECK(out[i] == '*');
	}
	free(scratch);
	lanewise_secrets_destroy(secrets);
}

/* ----------------------------------------------------------------- streams */

static size_t random_text(uint64_t *state, char *text, size_t n_least)
{
	static const char *const pieces[] = {
		"password = \"", "ghp_", "\"",        " ",   "\n",       "://",  "user:",
		"@host ",        "AKIA", "api_key: ", "eyJ", ".",        "=",    "-----BEGIN RSA PRIVATE KEY-----",
		"token",         "-us1", "8Q~",       ":AA", "\xc3\xa4", "\xa4", "\xe2\x82",
		"postgres"
	};
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
	size_t n = 0;

	while (n < n_least) {
		const char *piece = pieces[test_random(state) % (sizeof pieces / sizeof *pieces)];
		size_t letters = test_random(state) % 4 ? 64 : 10, first = letters == 10 ? 52 : 0;

		memcpy(text + n, piece, strlen(piece));
		n += strlen(piece);
		for (size_t k = test_random(state) % 3 ? 0 : test_random(state) % 60; k > 0; k--)
			text[n++] = bytes[first + test_random(state) % letters];
	}
	return n;
}

static void test_streams(void)
{
	lanewise_secrets_options with_runs = { sizeof with_runs, 1, 1, NULL };
	struct stream_test *t = calloc(1, sizeof *t);
	char *text = malloc(STREAM_TEXT);
	uint64_t state = 21;
	lanewise_secrets *secrets;

	CHECK(lanewise_secrets_create(NULL, 0, &with_runs, NULL, &secrets, NULL) == LANEWISE_OK);
	t->secrets = secrets;
	t->scratch = malloc(lanewise_secrets_stream_scratch_size(secrets));
	for (int round = 0; round < 60; round++) {
		size_t keep = (size_t)round % 3;

		t->options = (lanewise_mask_options) { sizeof t->options, round % 2, 0, keep, keep };
		check_stream(t, &state, text, random_text(&state, text, 1 + test_random(&state) % 700), 3);
	}
	CHECK(!lanewise_secrets_stream_begin(NULL, NULL, t->scratch));
	CHECK(!lanewise_secrets_stream_begin(secrets, NULL, NULL));
	CHECK(!lanewise_secrets_stream_begin(secrets, NULL, (char *)t->scratch + 1));
	t->options.byte = 256;
	CHECK(!lanewise_secrets_stream_begin(secrets, &t->options, t->scratch));
	free(t->scratch);
	lanewise_secrets_destroy(secrets);

	/* Random shapes, and runs that are too short, right and too long. */
	for (int round = 0; round < 1500; round++) {
		char shape[4096], rules[8192];
		size_t n = random_shape(&state, shape, 0, (int)(test_random(&state) % 4)), n_text = 0;

		shape[n++] = '@';
		random_shape(&state, shape + n, 0, (int)(test_random(&state) % 5));
		snprintf(rules, sizeof rules, "rule r\nanchor ab c -a\nshape %s\n%s", shape,
		         round % 2 ? "rule s\nrun [a\xa4\xc3]{3,5}\n" : "");
		secrets = make(rules);
		t->secrets = secrets;
		t->scratch = malloc(lanewise_secrets_stream_scratch_size(secrets));
		t->options = (lanewise_mask_options) { sizeof t->options, round % 4 == 3, 0, 0, 0 };
		while (n_text < 40)
			text[n_text++] = "aaabbbccc--\n\xc3\xa4"[test_random(&state) % 14];
		check_stream(t, &state, text, n_text, 1);
		free(t->scratch);
		lanewise_secrets_destroy(secrets);
	}
	free(text);
	free(t);
}

/* Long texts, so that the buffer moves on, some of whose candidates wait long. */
static void test_long_stream(void)
{
	static const char *const units[] = {
		"password = \"aB3$xyzw%k\" ",       "-eyJ", "eyJabcdefgh.eyJabcdefgh.", "8Q~", "x",
		"-----BEGIN PRIVATE KEY-----\nabcd"
	};
	enum { LONG = 3 << 18 };
	lanewise_secrets *secrets = make(NULL);
	void *scratch = malloc(lanewise_secrets_stream_scratch_size(secrets)), *other = make_scratch(secrets);
	char *text = malloc(LONG), *masked = malloc(LONG), *out = malloc(LONG);
	uint64_t state = 5;

	for (size_t u = 0; u < 2 * sizeof units / sizeof *units; u++) {
		const char *unit = units[u / 2];
		size_t length = strlen(unit), n_out = 0, n_masked, most = u % 2 ? LONG : 3000;
		lanewise_secrets_stream *stream = lanewise_secrets_stream_begin(secrets, NULL, scratch);

		for (size_t i = 0; i < LONG; i++)
			text[i] = test_random(&state) % 5000 ? unit[i % length] : ' ';
		CHECK(lanewise_secrets_mask(secrets, NULL, text, LONG, other, masked, LONG, &n_masked, NULL) ==
		      LANEWISE_OK);
		for (size_t at = 0, n; at < LONG; at += n) {
			n = 1 + test_random(&state) % most;
			n = n < LONG - at ? n : LONG - at;
			lanewise_secrets_stream_feed(stream, text + at, n);
			for (size_t k; (k = lanewise_secrets_stream_mask(stream, out + n_out, LONG)) > 0;)
				n_out += k;
		}
		lanewise_secrets_stream_finish(stream);
		for (size_t k; (k = lanewise_secrets_stream_mask(stream, out + n_out, LONG)) > 0;)
			n_out += k;
		if (!CHECK(n_out == LONG && memcmp(out, masked, LONG) == 0))
			fprintf(stderr, "text of %s\n", unit);
	}
	free(out);
	free(masked);
	free(text);
	free(other);
	free(scratch);
	lanewise_secrets_destroy(secrets);
}

/* What prose and code hold back. */
static void test_stream_lag(void)
{
	static const char text[] =
	        "def main(argument):\n    print('nothing to see', 1 + 2)\n    return None  # as ever\n";
	lanewise_secrets *secrets = make(NULL);
	void *scratch = malloc(lanewise_secrets_stream_scratch_size(secrets));
	lanewise_secrets_stream *stream = lanewise_secrets_stream_begin(secrets, NULL, scratch);
	lanewise_secret found[1];

	for (size_t i = 0; i < sizeof text - 1; i++) {
		lanewise_secrets_stream_feed(stream, text + i, 1);
		CHECK_EQUAL(lanewise_secrets_stream_next(stream, found, 1), 0);
		CHECK(i + 1 - lanewise_secrets_stream_safe(stream) <= 12);
	}
	lanewise_secrets_stream_feed(stream, "a key: AKIAQ2W3", 15);
	CHECK_EQUAL(lanewise_secrets_stream_next(stream, found, 1), 0);
	CHECK_EQUAL(lanewise_secrets_stream_safe(stream), sizeof text - 1 + 7);
	free(scratch);
	lanewise_secrets_destroy(secrets);
}

/* -------------------------------------------------------- parts of it */

static void test_entropy(void)
{
	CHECK(lanewise_shannon_entropy("", 0) == 0 && lanewise_shannon_entropy("aaaa", 4) == 0);
	CHECK(lanewise_shannon_entropy("abab", 4) == 1 && lanewise_shannon_entropy("abcd", 4) == 2);
	CHECK(lanewise_shannon_entropy("aab", 3) > 0.91829583 && lanewise_shannon_entropy("aab", 3) < 0.91829584);

	uint8_t all[256];

	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	CHECK(lanewise_shannon_entropy(all, 256) == 8);
}

static void test_runs(void)
{
	uint64_t state = 3;
	uint8_t set[32] = { 0 };

	set['a' / 8] |= 1 << 'a' % 8;
	set[0xff / 8] |= 1 << 0xff % 8;
	for (int round = 0; round < 20000; round++) {
		char text[64];
		size_t n = test_random(&state) % sizeof text, least = 1 + test_random(&state) % 7, at = 0, begin, end;
		size_t from = test_random(&state) % (n + 2);
		char *copy;

		for (size_t i = 0; i < n; i++)
			text[i] = "aaa\xff"
			          "ab"[test_random(&state) % 6];
		copy = exact_copy(text, n);
		/* Naively: maximal runs from `from` on. */
		for (at = from; at < n;) {
			size_t length = 0;

			while (at + length < n && (text[at + length] == 'a' || text[at + length] == '\xff'))
				length++;
			if (length >= least)
				break;
			at += length + 1;
		}
		int32_t there = lanewise_next_run(set, copy, n, from, least, &begin, &end);

		CHECK_EQUAL(there, at < n);
		if (there) {
			CHECK_EQUAL(begin, at);
			CHECK(end == n || text[end] == 'b');
		}
		free(copy);
	}
}

static void test_places(void)
{
	const char *text = "ab\n\ncd\r\ne";
	lanewise_place place = { 0 };

	lanewise_place_move(&place, text, 9, 0);
	CHECK(place.line == 1 && place.offset == 0 && place.line_begin == 0);
	lanewise_place_move(&place, text, 9, 2);
	CHECK(place.line == 1 && place.offset - place.line_begin == 2);
	lanewise_place_move(&place, text, 9, 3);
	CHECK(place.line == 2 && place.line_begin == 3);
	lanewise_place_move(&place, text, 9, 100);
	CHECK(place.line == 4 && place.offset == 9 && place.line_begin == 8);
	lanewise_place_move(&place, text, 9, 5);
	CHECK(place.line == 3 && place.line_begin == 4);
	lanewise_place_move(&place, NULL, 0, 5);
	CHECK(place.line == 1 && place.offset == 0);
}

/* ----------------------------------------------------------- memory, time */

static void test_memory(void)
{
	struct bank bank = { 0, 0 };
	lanewise_allocator allocator = { bank_allocate, bank_release, &bank };
	lanewise_secrets *secrets = NULL;
	int n = 0;

	for (; n < 1000; n++) {
		lanewise_error error = { 0 };

		bank.left = n;
		if (lanewise_secrets_create(NULL, 0, NULL, &allocator, &secrets, &error) == LANEWISE_OK)
			break;
		CHECK(!secrets && error.status == LANEWISE_ERROR_NO_MEMORY && bank.held == 0);
	}
	CHECK(n > 5 && n < 1000 && bank.held > 0);
	lanewise_secrets_destroy(secrets);
	CHECK_EQUAL(bank.held, 0);
	for (n = 0; n < 1000; n++) {
		bank.left = n;
		if (lanewise_secrets_check_examples(NULL, 0, NULL, &allocator, NULL, NULL) == LANEWISE_OK)
			break;
		CHECK_EQUAL(bank.held, 0);
	}
	CHECK(n < 1000 && bank.held == 0);
}

static double seconds_for(const lanewise_secrets *secrets, const char *text, size_t n, void *scratch)
{
	double best = 1e9;

	for (int k = 0; k < 3; k++) {
		uint64_t present[16], n_found;
		clock_t begin = clock();
		double seconds;

		lanewise_secrets_types(secrets, text, n, scratch, present, &n_found);
		seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
		best = seconds < best ? seconds : best;
	}
	return best;
}

/* Texts full of candidates whose shapes reach far: twice the text takes twice the time, not four times. */
static void test_time(void)
{
	static const char *const units[] = {
		"-eyJ",
		"eyJ.",
		"password=",
		"secret:",
		"://",
		"a:AA",
		"-----BEGIN RSA PRIVATE KEY-----",
		"-us1",
		"Q~",
		"0",
		"bearer ",
		"sk-",
		"\"token\":\"",
		"=",
		"-----BEGIN PRIVATE KEY-----\n%",
		"aws_session_token=",
		"ya29.",
	};
	enum { MOST = 1 << 20 };
	lanewise_secrets_options options = { sizeof options, 1, 1, NULL };
	lanewise_secrets *secrets;
	char *text = malloc(MOST);

	CHECK(lanewise_secrets_create(NULL, 0, &options, NULL, &secrets, NULL) == LANEWISE_OK);

	void *scratch = make_scratch(secrets);

	for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
		size_t n = strlen(units[u]);

		for (size_t i = 0; i < MOST; i++)
			text[i] = units[u][i % n];

		double eighth = seconds_for(secrets, text, MOST / 8, scratch),
		       whole = seconds_for(secrets, text, MOST, scratch);

		/* Far from both 8, which is right, and 64, whatever else the machine does. */
		if (!CHECK(whole < 32 * eighth + 0.5))
			fprintf(stderr, "%s: %g and %g seconds\n", units[u], eighth, whole);
		if (getenv("LANEWISE_TEST_VERBOSE"))
			printf("%8.1f MB/s  %s\n", MOST / whole * 1e-6, units[u]);
	}
	free(scratch);
	free(text);
	lanewise_secrets_destroy(secrets);
}

/* Rules' examples, about as check_examples makes them, with a few characters too many or too few at times. */
static size_t make_example(uint64_t *state, const char *example, char *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t n = 0;

	while (*example && *example != '\n') {
		if (memcmp(example, "%{", 2) != 0) {
			out[n++] = *example++;
			continue;
		}

		char *set;
		size_t count = strtoul(example + 2, &set, 10), odd = test_random(state) % 6;
		int is_hex = memcmp(set, " a-f", 4) == 0 || memcmp(set, " 0-9a-f", 7) == 0;
		int is_number = memcmp(set, " 0-9}", 5) == 0;

		count = odd == 0 ? count + 1 : odd == 1 ? count - 1 : count;
		for (size_t i = 0; i < count; i++) {
			uint64_t random = test_random(state);

			out[n++] = is_number ? letters[52 + random % 10]
			           : is_hex  ? letters[26 + (random % 16 < 10 ? 26 + random % 10 : random % 6)]
			                     : letters[random % 62];
		}
		example = strchr(set, '}') + 1;
	}
	return n;
}

/* Examples of the built-in rules, anchors and what is neither, up to about `most` bytes. */
static size_t make_mixture(uint64_t *state, const char *const examples[], size_t n_examples, size_t most, char *out)
{
	static const char *const others[] = { "the discovery of a horizontal passage ",
		                              "self.tokens = [",
		                              "\n",
		                              "password: ",
		                              "https://",
		                              "a_rather_long_name_of_a_thing(",
		                              "\"",
		                              "secret=",
		                              "-----BEGIN ",
		                              "-------------------------------",
		                              "sk-",
		                              "\xc3\xa9",
		                              "api_key",
		                              " = ",
		                              "0Q~",
		                              "xoxb-1-",
		                              "AKIA",
		                              " AKIA" };
	size_t n = 0, every = 1 + test_random(state) % 40;

	while (n < most) {
		uint64_t random = test_random(state);

		if (random % every == 0) {
			n += make_example(state, examples[random / 64 % n_examples], out + n);
		} else {
			const char *other = others[random / 64 % (sizeof others / sizeof *others)];

			memcpy(out + n, other, strlen(other));
			n += strlen(other);
		}
	}
	return n;
}

/* All that a stream finds which is fed `piece` bytes at a time. */
static size_t find_in_stream(const lanewise_secrets *secrets, const char *text, size_t n_bytes, size_t piece,
                             lanewise_secret *found, size_t capacity)
{
	void *scratch = malloc(lanewise_secrets_stream_scratch_size(secrets));
	lanewise_secrets_stream *stream = lanewise_secrets_stream_begin(secrets, NULL, scratch);
	size_t n = 0, k;

	for (size_t at = 0; at < n_bytes; at += piece) {
		lanewise_secrets_stream_feed(stream, text + at, piece < n_bytes - at ? piece : n_bytes - at);
		while ((k = lanewise_secrets_stream_next(stream, found + n, capacity - n)) > 0)
			n += k;
	}
	lanewise_secrets_stream_finish(stream);
	while ((k = lanewise_secrets_stream_next(stream, found + n, capacity - n)) > 0)
		n += k;
	free(scratch);
	return n;
}

/*
 * Long texts, in which a kernel finds the places of anchors, against streams of small pieces, in which automata find the
 * anchors themselves.
 */
static void test_finder(void)
{
	enum { MOST_TEXT = 100000, MOST_FOUND = 20000, MOST_EXAMPLES = 1000 };
	size_t n_rules, n_examples = 0, n_found = 0;
	const char *examples[MOST_EXAMPLES], *builtin = lanewise_secrets_builtin_rules(&n_rules), *rules;
	char *copy = calloc(n_rules + 1, 1); /* ended by a NUL */
	lanewise_secrets_options options = { sizeof options, 1, 1, NULL };
	lanewise_secrets *secrets;
	lanewise_secret *found = malloc(MOST_FOUND * sizeof *found), *expected = malloc(MOST_FOUND * sizeof *found);
	char *text = malloc(MOST_TEXT + 10000);
	uint64_t state = 29;

	memcpy(copy, builtin, n_rules);
	for (rules = copy; (rules = strstr(rules, "\n  true ")) && n_examples < MOST_EXAMPLES; rules++)
		examples[n_examples++] = rules + 11;
	CHECK(lanewise_secrets_create(NULL, 0, &options, NULL, &secrets, NULL) == LANEWISE_OK);
	for (int round = 0; round < 300; round++) {
		size_t most = 400 + test_random(&state) % (round % 8 == 0 ? MOST_TEXT - 400 : 6000);
		size_t n_text = make_mixture(&state, examples, n_examples, most, text);
		size_t n = find_all(secrets, text, n_text, found, MOST_FOUND);

		CHECK_EQUAL(find_in_stream(secrets, text, n_text, 300, expected, MOST_FOUND), n);
		CHECK(n == 0 || memcmp(found, expected, n * sizeof *found) == 0);
		CHECK_EQUAL(find_in_stream(secrets, text, n_text, 1000, found, MOST_FOUND), n);
		CHECK(n == 0 || memcmp(found, expected, n * sizeof *found) == 0);
		CHECK_EQUAL(find_in_stream(secrets, text, n_text, n_text, found, MOST_FOUND), n);
		CHECK(n == 0 || memcmp(found, expected, n * sizeof *found) == 0);
		n_found += n;
	}
	CHECK(n_found > 3000);
	free(copy);
	free(text);
	free(expected);
	free(found);
	lanewise_secrets_destroy(secrets);
}

int main(void)
{
	test_builtin();
	test_examples_fail();
	test_faults();
	test_limits();
	test_shapes();
	test_against_naive();
	test_overlaps();
	test_masks();
	test_masks_cover();
	test_streams();
	test_long_stream();
	test_stream_lag();
	test_finder();
	test_entropy();
	test_runs();
	test_places();
	test_memory();
	test_time();
	return test_result();
}
