/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules with regular expressions: what is asked of an engine and done with its answers, by a toy engine; and PCRE2, where it
 * is built in, against PCRE2 itself asked about every anchor's window.
 */
#include <stdlib.h>
#include <time.h>

#include "secrets_test.h"

#include <lanewise/regex.h>

/* -------------------------------------------------------------- toy engine */

/*
 * An expression is a letter: w finds a word between spaces, its group behind the last = in it if there is one; u gives up;
 * e, n and o answer what is wrong: an end before the anchor's, one behind the window, a group that ends before it begins.
 */
struct toy {
	int n_compiled, n_searched, n_begun;
	size_t most_window;
	uint32_t flags; /* of all searches */
};

static lanewise_status toy_compile(void *context, const char *expression, size_t n_bytes, uint32_t flags,
                                   const lanewise_allocator *allocator, void **compiled, lanewise_error *error)
{
	struct toy *toy = context;

	(void)flags, (void)allocator;
	for (size_t i = 0; i < n_bytes; i++)
		if (!strchr("wueno", expression[i])) {
			error->status = LANEWISE_ERROR_DATA;
			error->offset = i;
			strcpy(error->what, "no such letter");
			return error->status;
		}
	toy->n_compiled++;
	*compiled = malloc(1);
	*(char *)*compiled = *expression;
	return LANEWISE_OK;
}

static void toy_release(void *context, void *compiled)
{
	((struct toy *)context)->n_compiled--;
	free(compiled);
}

static size_t toy_scratch_size(void *context)
{
	(void)context;
	return 3;
}

static void toy_begin(void *context, void *scratch)
{
	((struct toy *)context)->n_begun++;
	memset(scratch, 1, 3);
}

static int32_t toy_search(void *context, const void *compiled, const char *window, size_t n, size_t begin, size_t end,
                          uint32_t flags, void *scratch, size_t range[4])
{
	struct toy *toy = context;
	char letter = *(const char *)compiled;

	CHECK(memcmp(scratch, "\1\1\1", 3) == 0 && begin < end && end <= n);
	toy->n_searched++;
	toy->flags |= flags;
	toy->most_window = n > toy->most_window ? n : toy->most_window;
	range[0] = begin;
	range[1] = letter == 'e' ? end - 1 : letter == 'n' ? n + 1 : end;
	range[2] = letter == 'o' ? end : SIZE_MAX;
	range[3] = letter == 'o' ? begin : SIZE_MAX;
	if (letter == 'u')
		return -1;
	if (letter != 'w')
		return 1;
	while (range[0] > 0 && window[range[0] - 1] != ' ')
		range[0]--;
	while (range[1] < n && window[range[1]] != ' ')
		range[1]++;
	for (size_t i = range[0]; i < range[1]; i++)
		if (window[i] == '=') {
			range[2] = i + 1;
			range[3] = range[1];
		}
	return 1;
}

static lanewise_regex_engine toy_engine(struct toy *toy)
{
	return (lanewise_regex_engine) {
		sizeof(lanewise_regex_engine), toy, toy_compile, toy_release, toy_scratch_size, toy_begin, toy_search
	};
}

static void test_faults(void)
{
	static const struct {
		lanewise_status status;
		const char *what, *rules;
	} faults[] = {
		{ LANEWISE_ERROR_DATA, "line 3: ", "rule a\nanchor a\nregex wax" },
		{ LANEWISE_ERROR_DATA, "line 3: the expression is wrong at its byte 1: no such letter",
		  "rule a\nanchor a\n regex wax" },
		{ LANEWISE_ERROR_DATA, "line 3: ", "rule a\nanchor a\nregex" },
		{ LANEWISE_ERROR_DATA, "line 4: ", "rule a\nanchor a\nregex w\nregex w" },
		{ LANEWISE_ERROR_DATA, "line 1: ", "rule a\nregex w" },
		{ LANEWISE_ERROR_DATA, "line 1: ", "rule a\nrun [a]{1,2}\nregex w" },
		{ LANEWISE_ERROR_DATA, "line 1: ", "rule a\nrun [a]{1,2}\nwindow 1 1" },
		{ LANEWISE_ERROR_DATA, "line 1: ", "rule a\nanchor a\nshape @\nwindow 1 1" },
		{ LANEWISE_ERROR_DATA, "line 2: ", "rule a\nwindow 1" },
		{ LANEWISE_ERROR_DATA, "line 2: ", "rule a\nwindow 1 4097" },
		{ LANEWISE_ERROR_DATA, "line 2: ", "rule a\nwindow 10000 1" },
		{ LANEWISE_ERROR_DATA, "line 2: ", "rule a\nwindow x 1" },
		{ LANEWISE_ERROR_DATA, "line 2: ", "rule a\nwindow 1 2 3" },
		{ LANEWISE_ERROR_DATA, "line 3: ", "rule a\nwindow 1 2\nwindow 1 2" },
		{ LANEWISE_ERROR_DATA, "line 1: ", "window 1 2" },
	};
	struct toy toy = { 0 };
	lanewise_regex_engine engine = toy_engine(&toy);
	lanewise_secrets_options options = { sizeof options, 0, 0, &engine };
	lanewise_secrets *secrets;
	lanewise_error error;

	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		const char *rules = faults[i].rules, *what = faults[i].what;

		if (!CHECK(lanewise_secrets_create(rules, strlen(rules), &options, NULL, &secrets, &error) ==
		                   faults[i].status &&
		           !secrets && strncmp(error.what, what, strlen(what)) == 0 && error.offset <= strlen(rules)))
			fprintf(stderr, "%s: %s\n", rules, error.what);
	}
	CHECK_EQUAL(toy.n_compiled, 0);

	/* Without an engine: also where the rule would be left out. */
	static const char rules[] = "# mine\nrule acme\nanchor a\noptional\nregex w\n";

	options.regex = NULL;
	CHECK(lanewise_secrets_create(rules, strlen(rules), &options, NULL, &secrets, &error) ==
	      LANEWISE_ERROR_UNSUPPORTED);
	CHECK(!secrets && error.status == LANEWISE_ERROR_UNSUPPORTED && strstr(error.what, "line 5: rule acme ") &&
	      strstr(error.what, "engine"));
	CHECK(lanewise_secrets_check_examples(rules, strlen(rules), NULL, NULL, NULL, NULL) ==
	      LANEWISE_ERROR_UNSUPPORTED);
	options.regex = &engine;
	CHECK(lanewise_secrets_create(rules, strlen(rules), &options, NULL, &secrets, &error) == LANEWISE_OK);
	CHECK(lanewise_secrets_n_rules(secrets) == 0 && toy.n_compiled == 0);
	lanewise_secrets_destroy(secrets);
	engine.struct_size--;
	CHECK(lanewise_secrets_create(rules, strlen(rules), &options, NULL, &secrets, &error) ==
	      LANEWISE_ERROR_ARGUMENT);
}

static void test_toy(void)
{
	static const char rules[] =
	        "rule a\nanchor key\nregex w\nwindow 4 6\n"
	        "rule b\nanchor tok\nregex w\nshape @[0-9]\nwindow 0 9\n true tok1=x\n false tok=x\n";
	struct toy toy = { 0 };
	lanewise_regex_engine engine = toy_engine(&toy);
	lanewise_secrets *secrets = make_with(rules, &engine);
	lanewise_secret found[9];
	const char *text = "a key=abc, tok=9 tok1=xyz abcdefkeyabcdefgh";
	size_t n;

	CHECK_EQUAL(toy.n_compiled, 2);
	CHECK_EQUAL(find_all(secrets, text, strlen(text), found, 9), 3);
	CHECK(found[0].begin == 6 && found[0].end == 10 && found[0].match_begin == 2 && found[0].match_end == 10);
	CHECK(found[1].rule == 1 && found[1].begin == 22 && found[1].end == 25 && found[1].match_begin == 17);
	/* As far as the window. */
	CHECK(found[2].begin == 28 && found[2].end == 41 && found[2].match_begin == 28 && found[2].match_end == 41);
	CHECK_EQUAL(toy.most_window, 13);
	CHECK(toy.flags == (LANEWISE_REGEX_NOT_BEGIN | LANEWISE_REGEX_NOT_END));
	toy.flags = 0;
	CHECK_EQUAL(find_all(secrets, "aaa key bbb", 10, found, 9), 1);
	CHECK_EQUAL(toy.flags, 0);
	CHECK_EQUAL(find_all(secrets, "aaaa key", 8, found, 9), 1);
	CHECK_EQUAL(toy.flags, LANEWISE_REGEX_NOT_BEGIN);
	toy.flags = 0;
	CHECK_EQUAL(find_all(secrets, "aaaa  key bbbbbbb", 17, found, 9), 1);
	CHECK_EQUAL(toy.flags, LANEWISE_REGEX_NOT_BEGIN | LANEWISE_REGEX_NOT_END);
	lanewise_secrets_destroy(secrets);
	CHECK(lanewise_secrets_check_examples(rules, strlen(rules), &engine, NULL, &n, NULL) == LANEWISE_OK && n == 2);
	CHECK_EQUAL(toy.n_compiled, 0);
}

/* What an engine gives up, and answers that it may not give, count as undecided; after some, it is not asked. */
static void test_undecided(void)
{
	enum { MANY = 3 * LANEWISE_SECRETS_UNDECIDED };
	struct toy toy = { 0 };
	lanewise_regex_engine engine = toy_engine(&toy);
	char text[4 * MANY + 1] = "";

	for (int i = 0; i < MANY; i++)
		strcat(text, "abc ");
	for (const char *letter = "ueno"; *letter; letter++) {
		char rules[100], out[8 * MANY];
		uint64_t present[1], n_found, n_masked;
		size_t n_out;
		int32_t any;

		snprintf(rules, sizeof rules, "rule bad\nanchor abc\nregex %c\nrule good\nanchor c\nregex w\n",
		         *letter);

		lanewise_secrets *secrets = make_with(rules, &engine);
		void *scratch = make_scratch(secrets), *more = malloc(lanewise_secrets_stream_scratch_size(secrets));
		lanewise_secrets_search *search = lanewise_secrets_begin(secrets, text, 4 * MANY, scratch);
		lanewise_secret found[MANY + 1];

		toy.n_searched = 0;
		CHECK_EQUAL(lanewise_secrets_next(search, found, MANY + 1), MANY);
		CHECK_EQUAL(lanewise_secrets_n_undecided(search), MANY);
		CHECK_EQUAL(toy.n_searched, MANY + LANEWISE_SECRETS_UNDECIDED);
		CHECK(lanewise_secrets_types(secrets, text, 4 * MANY, scratch, present, &n_found) ==
		      LANEWISE_ERROR_TOO_LARGE);
		CHECK(present[0] == 2 && n_found == MANY);
		CHECK(lanewise_secrets_any(secrets, text, 4 * MANY, scratch, &any) == LANEWISE_OK && any == 1);
		CHECK(lanewise_secrets_mask(secrets, NULL, text, 4 * MANY, scratch, out, sizeof out, &n_out,
		                            &n_masked) == LANEWISE_ERROR_TOO_LARGE);
		CHECK(n_out == 4 * MANY && n_masked == MANY && memcmp(out, "*** *** ", 8) == 0);
		CHECK(lanewise_secrets_mask(secrets, NULL, text, 4 * MANY, scratch, out, 3, &n_out, NULL) ==
		      LANEWISE_ERROR_CAPACITY);
		CHECK(lanewise_secrets_any(secrets, "", 0, scratch, &any) == LANEWISE_OK && any == 0);
		CHECK(lanewise_secrets_types(secrets, "ab c", 4, scratch, present, &n_found) == LANEWISE_OK);

		lanewise_secrets_stream *stream = lanewise_secrets_stream_begin(secrets, NULL, more);

		toy.n_searched = 0;
		for (size_t i = 0; i < 4 * MANY; i++) {
			lanewise_secrets_stream_feed(stream, text + i, 1);
			CHECK_EQUAL(lanewise_secrets_stream_next(stream, found, MANY), 0);
		}
		lanewise_secrets_stream_finish(stream);
		while (lanewise_secrets_stream_next(stream, found, MANY))
			continue;
		CHECK_EQUAL(lanewise_secrets_stream_n_undecided(stream), MANY);
		CHECK_EQUAL(lanewise_secrets_stream_n_found(stream), MANY);
		CHECK_EQUAL(toy.n_searched, MANY + LANEWISE_SECRETS_UNDECIDED);
		lanewise_secrets_destroy(secrets);
		free(more);
		free(scratch);

		/* Only the bad rule: nothing is found. */
		secrets = make_with("rule bad\nanchor abc\nregex u\n", &engine);
		scratch = make_scratch(secrets);
		CHECK(lanewise_secrets_any(secrets, text, 4 * MANY, scratch, &any) == LANEWISE_ERROR_TOO_LARGE &&
		      any == 0);
		lanewise_secrets_destroy(secrets);
		free(scratch);
	}
	CHECK_EQUAL(toy.n_compiled, 0);
}

/* In pieces, with words longer and shorter than the windows, and an allocator that fails. */
static void test_toy_streams(void)
{
	static const char rules[] =
	        "rule a\nanchor key\nregex w\nwindow 4 6\nrule b\nanchor e= =\nregex w\nwindow 0 11\n"
	        "rule c\nanchor ab\nshape < @ b+ >\n";
	struct toy toy = { 0 };
	lanewise_regex_engine engine = toy_engine(&toy);
	struct bank bank = { 0, 0 };
	lanewise_allocator allocator = { bank_allocate, bank_release, &bank };
	lanewise_secrets_options options = { sizeof options, 0, 0, &engine };
	lanewise_secrets *secrets = make_with(rules, &engine);
	struct stream_test *t = calloc(1, sizeof *t);
	uint64_t state = 11;
	lanewise_status status = LANEWISE_ERROR_NO_MEMORY;
	size_t n_found = 0;

	t->secrets = secrets;
	t->scratch = malloc(lanewise_secrets_stream_scratch_size(secrets));
	for (int round = 0; round < 300; round++) {
		static const char *const pieces[] = { "key", "=", "ab", "bbb", " ", "e", "\xc3\xa4", "longer words " };
		char text[200];
		size_t n = 0, most = test_random(&state) % 60;

		while (n < most) {
			const char *piece = pieces[test_random(&state) % 8];

			memcpy(text + n, piece, strlen(piece));
			n += strlen(piece);
		}
		t->options = (lanewise_mask_options) { sizeof t->options, round % 2, 0, 0, 0 };
		check_stream(t, &state, text, n, 1);
		n_found += t->n_found;
	}
	CHECK(n_found > 300);
	free(t->scratch);
	free(t);
	lanewise_secrets_destroy(secrets);
	for (int n = 0; n < 1000 && status != LANEWISE_OK; n++) {
		bank.left = n;
		status = lanewise_secrets_create(rules, strlen(rules), &options, &allocator, &secrets, NULL);
		CHECK(status == LANEWISE_OK || (bank.held == 0 && toy.n_compiled == 0));
	}
	CHECK(status == LANEWISE_OK && toy.n_compiled == 2);
	lanewise_secrets_destroy(secrets);
	CHECK(bank.held == 0 && toy.n_compiled == 0);
}

#if LW_TEST_WITH_PCRE2

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* ------------------------------------------------------------------- PCRE2 */

/* One rule, one text: the secret found first, between | in `text`, or nothing where there is no |. */
static void test_expressions(void)
{
	static const struct {
		const char *lines, *text;
	} cases[] = {
		{ "regex key=(\\w+)", "a key=|abc|-" },
		{ "regex key=\\w+", "a |key=abc|-" },
		{ "regex (?:key=)?\\w+", "a |key=abc|-" },
		{ "regex (x)?key=\\w+", "a |key=abc|-" }, /* the group takes no part */
		{ "regex key=(\\d*)", "key=abc" },        /* and is empty */
		{ "regex key=(?<secret>\\w+):(\\w+)", "key=|abc|:def" },
		{ "regex \\w+key=\\w+", "akeyx |akey=bc|" },
		{ "regex (\\w+)[ ]key=", "a |bc| key=" },
		{ "regex (?<=a )key=(\\w+)", "key=b a key=|abc|" },
		{ "regex key=(?!abc)(\\w+)", "key=abc key=|abd|" },
		{ "regex key=(?=\\w+(\\d))\\w", "key=abc|9|d" }, /* a group outside of the match */
		{ "regex key=\\w+\\K-\\w+", "key=abc-def" },     /* and a match that does not contain the anchor */
		{ "regex (a+)key=\\1", "aaa|a|key=a aaa" },
		{ "regex (a+)key=\\1", "|aaa|key=aaa" },
		{ "regex b.*?b|key", "b b |key| b" }, /* the one before ends the window's first match */
		{ "regex KEY=(\\w+)", "key=abc" },
		{ "regex KEY=(\\w+)\nignore-case", "Key=|abc|" },
		{ "regex key=(\\w+)\nwindow 0 4", "key=|abc|defg" },
		{ "regex key=(\\w{5})\nwindow 0 4", "key=abcdefg" },
		{ "regex (\\w+).key\nwindow 3 0", "abc|de| key=" },
		{ "regex ^key=(\\w+)", "key=|abc|" },
		{ "regex ^key=(\\w+)\nwindow 0 9", "\nkey=abc" },
		{ "regex (?m)^key=(\\w+)", "a\nkey=|abc|" },
		{ "regex key=(\\w+)$", "key=abc- key=|abc|" },
		{ "regex key=(\\w+)$", "key=abc- key=|abc|\n" },
		{ "regex key=(\\w+)$\nwindow 0 3", "key=abcd" },
		{ "regex key=(\\w+)$\nwindow 0 3", "key=|ab|" },
		{ "regex key=(.)", "key=|\xff|" },
		{ "regex key=(..)", "key=|\xc3\xa4|" },
		{ "regex key=([^ ]+)\nneed digit", "key=abc key=|ab1|" },
		{ "regex key=([^ ]+)\nstop bad", "key=abad key=|abd|" },
		{ "regex key=([^ ]+)\nshape \\b @ =a", "xkey=abad key=bb key=|abd|" },
		{ "regex key=(\\w+) (?#a comment)", "key=|abc| " },
		{ "regex key=(\\w+)(?C1)", "key=|abc| " },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char rules[300], text[300];
		const char *bar = strchr(cases[i].text, '|');
		size_t n = 0, begin = bar ? (size_t)(bar - cases[i].text) : 0, end = 0;
		lanewise_secret found[8];

		snprintf(rules, sizeof rules, "rule r\nanchor key\n%s\n", cases[i].lines);
		for (const char *p = cases[i].text; *p; p++) {
			if (*p == '|')
				end = n;
			else
				text[n++] = *p;
		}

		lanewise_secrets *secrets = make_with(rules, lanewise_regex_pcre2());
		size_t n_found = find_all(secrets, text, n, found, 8);

		if (!CHECK(bar ? n_found > 0 && found[0].begin == begin && found[0].end == end : n_found == 0))
			fprintf(stderr, "%s: %zu in %s, %d to %d\n", cases[i].lines, n_found, cases[i].text,
			        n_found ? (int)found[0].begin : -1, n_found ? (int)found[0].end : -1);
		lanewise_secrets_destroy(secrets);
	}
}

static void test_wrong_expressions(void)
{
	static const struct {
		int offset; /* -1: as PCRE2's versions say it */
		const char *expression;
	} cases[] = {
		{ 4, "(abc" },           { 0, "*" },    { -1, "a[b-c" }, { -1, "(*UTF)" }, { -1, "ab\\1c" },
		{ -1, "(a){3}{99999}" }, { -1, "(?R" },
	};
	lanewise_secrets_options options = { sizeof options, 0, 0, lanewise_regex_pcre2() };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char rules[200], what[100];
		lanewise_secrets *secrets;
		lanewise_error error = { 0 };
		lanewise_status status;
		size_t n = (size_t)snprintf(rules, sizeof rules, "# x\nrule r\nanchor key\nregex %s\n",
		                            cases[i].expression);

		snprintf(what, sizeof what, "line 4: the expression is wrong at its byte %d: ", cases[i].offset);
		status = lanewise_secrets_create(rules, n, &options, NULL, &secrets, &error);
		if (!CHECK(status == LANEWISE_ERROR_DATA && error.status == status && !secrets) ||
		    !CHECK(cases[i].offset < 0 || strncmp(error.what, what, strlen(what)) == 0) ||
		    !CHECK(strncmp(error.what, what, 43) == 0))
			fprintf(stderr, "%s: %s, at %d\n", cases[i].expression, error.what, (int)error.offset);
		if (cases[i].offset >= 0)
			CHECK_EQUAL(error.offset, 28 + cases[i].offset);
	}
}

/* ------------------------------------------------------------------ oracle */

struct candidate {
	int begin, end;
};

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return x->end != y->end ? x->end - y->end : x->begin - y->begin;
}

/* A rule, for both. */
struct subject {
	const char *anchors[3], *expression;
	int before, behind;
	pcre2_code *code;
	pcre2_match_data *match;
};

/* By the definition, with the interpreter, on the window alone. */
static int naive_find(const struct subject *r, const char *text, int n, struct candidate c, lanewise_secret *found)
{
	int from = c.begin > r->before ? c.begin - r->before : 0, to = n - c.end > r->behind ? c.end + r->behind : n;
	char *window = exact_copy(text + from, (size_t)(to - from));
	size_t at = 0, *o = pcre2_get_ovector_pointer(r->match);
	uint32_t options = PCRE2_NO_JIT | PCRE2_NOTEMPTY | (from ? PCRE2_NOTBOL : 0) | (to < n ? PCRE2_NOTEOL : 0);
	int there = 0;

	while (!there &&
	       pcre2_match(r->code, (PCRE2_SPTR)window, (size_t)(to - from), at, options, r->match, NULL) >= 0) {
		there = o[0] <= (size_t)(c.begin - from) && o[1] >= (size_t)(c.end - from);
		at = o[1];
	}
	if (there) {
		int grouped = pcre2_get_ovector_count(r->match) > 1 && o[2] != PCRE2_UNSET;

		found->begin = (uint64_t)from + (grouped ? o[2] : o[0]);
		found->end = (uint64_t)from + (grouped ? o[3] : o[1]);
		there = found->begin < found->end;
	}
	free(window);
	return there;
}

/* Of findings of one rule that overlap, the first candidate's stays. */
static size_t naive_all(const struct subject *r, const char *text, int n, lanewise_secret *out)
{
	struct candidate *candidates = malloc(3 * (size_t)(n + 1) * sizeof *candidates);
	size_t n_candidates = 0, n_out = 0;
	lanewise_secret held = { 0 }, fresh = { 0 };
	uint64_t reported = 0;

	for (int i = 0; i < n; i++)
		for (int k = 0; k < 3; k++) {
			int length = (int)strlen(r->anchors[k]);

			if (length <= n - i && memcmp(text + i, r->anchors[k], (size_t)length) == 0)
				candidates[n_candidates++] = (struct candidate) { i, i + length };
		}
	qsort(candidates, n_candidates, sizeof *candidates, compare_candidates);
	for (size_t i = 0; i <= n_candidates; i++) {
		int last = i == n_candidates;

		if (held.end && (last || (uint64_t)candidates[i].begin >= held.end)) {
			out[n_out++] = held;
			reported = held.end;
			held.end = 0;
		}
		if (last || !naive_find(r, text, n, candidates[i], &fresh) || fresh.begin < reported)
			continue;
		if (held.end && fresh.end <= held.begin) {
			out[n_out++] = fresh;
			reported = fresh.end;
		} else if (!held.end || fresh.begin >= held.end) {
			if (held.end) {
				out[n_out++] = held;
				reported = held.end;
			}
			held = fresh;
		}
	}
	free(candidates);
	return n_out;
}

static void test_against_pcre2(void)
{
	static const char *const expressions[] = {
		"key=(\\w+)",
		"[ab]*key[=:]([ab]{1,3})",
		"(\\w+)[ ]?key",
		"(?:key|tok)[^a]*a+",
		"a.*?b",
		"(?<=b)key|tok(?!a)",
		"(?s)b.*b",
		"(a|b|k)*ey",
		"^[ab]+|key$|\\btok\\b",
		"(?m)^.*key.*$",
		"(a*)*(key|tok)?",
		"(\\w)\\w*?key.*\\1",
		"[^\\x00-\\x7f]key[^\\n]",
		"\\R?tok(=a|:(b))",
	};
	static const char *const pieces[] = {
		"a", "b", "key", "tok", "=", ":", " ", "\n", "ke", "\xc3\xa4", "\xff", ""
	};
	uint64_t state = 77;
	struct stream_test *t = calloc(1, sizeof *t);
	size_t n_found = 0;

	for (int round = 0; round < 1400; round++) {
		struct subject r = { { "key", "tok", "ey" }, expressions[round % 14], 0, 0, NULL, NULL };
		char rules[300], text[200];
		size_t n = 0, most = test_random(&state) % 70;
		lanewise_secret found[200], expected[200];
		int code;
		size_t offset;

		r.before = (int)(test_random(&state) % 12);
		r.behind = (int)(test_random(&state) % 12);
		if (test_random(&state) % 4 == 0)
			r.before = r.behind = 4096;
		snprintf(rules, sizeof rules, "rule r\nanchor key tok ey\nregex %s\nwindow %d %d\n", r.expression,
		         r.before, r.behind);
		r.code = pcre2_compile((PCRE2_SPTR)r.expression, PCRE2_ZERO_TERMINATED, 0, &code, &offset, NULL);
		r.match = pcre2_match_data_create_from_pattern(r.code, NULL);
		while (n < most) {
			size_t k = test_random(&state) % 12, length = strlen(pieces[k]);

			memcpy(text + n, pieces[k], length);
			n += length;
			text[n] = '\0';
			n += k == 11; /* a NUL */
		}

		lanewise_secrets *secrets = make_with(rules, lanewise_regex_pcre2());
		size_t n_got = find_all(secrets, text, n, found, 200);
		size_t n_expected = naive_all(&r, text, (int)n, expected);
		int same = n_got == n_expected;

		for (size_t i = 0; i < n_got && same; i++)
			same = found[i].begin == expected[i].begin && found[i].end == expected[i].end;
		if (!CHECK(same))
			fprintf(stderr, "%s: %zu and not %zu in %.*s\n", rules, n_got, n_expected, (int)n, text);
		n_found += n_got;
		pcre2_match_data_free(r.match);
		pcre2_code_free(r.code);
		t->secrets = secrets;
		t->scratch = malloc(lanewise_secrets_stream_scratch_size(secrets));
		t->options = (lanewise_mask_options) { sizeof t->options, round % 2, 0, 0, 0 };
		check_stream(t, &state, text, n, 1);
		free(t->scratch);
		lanewise_secrets_destroy(secrets);
	}
	CHECK(n_found > 500);
	free(t);
}

/* With shapes, runs and the built-in rules beside them, in pieces. */
static void test_mixed_streams(void)
{
	static const char rules[] =
	        "rule x\nanchor key tok\nregex (\\w{4,})[ ]?(?:key|tok)|(?:key|tok)=([^ ]{3,})\nwindow 20 30\n"
	        "rule y\nanchor key\nshape < [a-z]{3,} > @\n"
	        "rule z\nanchor =\nignore-case\nregex KEY=(.+?)b\n"
	        "rule runs\nrun [a-c]{9,20}\n";
	static const char *const pieces[] = { "abc",  "key",           "tok",          "=", " ",
		                              "ghp_", "password = \"", "\xe2\x82\xac", "b9" };
	lanewise_secrets_options options = { sizeof options, 1, 1, lanewise_regex_pcre2() };
	struct stream_test *t = calloc(1, sizeof *t);
	char text[STREAM_TEXT];
	uint64_t state = 3;
	lanewise_secrets *secrets;

	CHECK(lanewise_secrets_create(rules, strlen(rules), &options, NULL, &secrets, NULL) == LANEWISE_OK);
	t->secrets = secrets;
	t->scratch = malloc(lanewise_secrets_stream_scratch_size(secrets));
	for (int round = 0; round < 60; round++) {
		size_t n = 0, most = 1 + test_random(&state) % 500;

		while (n < most) {
			const char *piece = pieces[test_random(&state) % 9];

			memcpy(text + n, piece, strlen(piece));
			n += strlen(piece);
		}
		t->options = (lanewise_mask_options) { sizeof t->options, round % 2, 0, (size_t)round % 3, 0 };
		check_stream(t, &state, text, n, 7);
	}
	free(t->scratch);
	free(t);
	lanewise_secrets_destroy(secrets);
}

/* -------------------------------------------------------------- memory, time */

static double seconds_since(clock_t begin) { return (double)(clock() - begin) / CLOCKS_PER_SEC; }

/* Seconds for all findings of a text that repeats `unit`; how many, and how many candidates are undecided. */
static double seconds_for(const char *rules, const char *unit, size_t n_text, uint64_t *n_found, uint64_t *n_undecided)
{
	lanewise_secrets *secrets = make_with(rules, lanewise_regex_pcre2());
	void *scratch = make_scratch(secrets);
	char *text = malloc(n_text);
	size_t n_unit = strlen(unit);
	lanewise_secret found[64];

	for (size_t i = 0; i < n_text; i++)
		text[i] = unit[i % n_unit];

	clock_t begin = clock();
	lanewise_secrets_search *search = lanewise_secrets_begin(secrets, text, n_text, scratch);

	*n_found = 0;
	for (size_t n; (n = lanewise_secrets_next(search, found, 64)) > 0;)
		*n_found += n;
	*n_undecided = lanewise_secrets_n_undecided(search);

	double seconds = seconds_since(begin);

	free(text);
	free(scratch);
	lanewise_secrets_destroy(secrets);
	return seconds;
}

/* Expressions that would take for ever are given up, in bounded time, and it is said. */
static void test_catastrophes(void)
{
	static const char *const expressions[] = {
		"(a+)+$",
		"(a|aa)+$",
		"(?:a*)*[bc]",
		"(a|a)*[bc]",
		"a*a*a*a*a*a*[bc]",
		"(?:(?R)?a+[bc]|a)",
		"^(?:(.)(?=.*b))*",
		"(.*)(.*)(.*)(.*)(.*)[bc]",
		"(?s)(.+)+\\1\\1\\1[bc]",
	};
	uint64_t n_found, n_undecided, n_sum = 0;

	for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++)
		for (int wide = 0; wide < 2; wide++) {
			char rules[200];
			double seconds;

			snprintf(rules, sizeof rules, "rule r\nanchor a\nregex %s\nwindow %d %d\n", expressions[i],
			         wide ? 4096 : 128, wide ? 4096 : 512);
			seconds = seconds_for(rules, "a", 20000, &n_found, &n_undecided);
			if (!CHECK(seconds < 60))
				fprintf(stderr, "%s: %g seconds\n", rules, seconds);
			if (getenv("LANEWISE_TEST_VERBOSE"))
				printf("%8.3f s %8ju found, %8ju undecided: %s\n", seconds, (uintmax_t)n_found,
				       (uintmax_t)n_undecided, rules);
			CHECK(n_undecided <= 20000);
			n_sum += n_undecided;
		}
	CHECK(n_sum > 20000);
}

/* As many anchors as bytes, and windows as large as they can be: so much for each, and no more. */
static void test_density(void)
{
	static const struct {
		const char *rules, *unit;
	} cases[] = {
		{ "rule r\nanchor a\nregex b\nwindow 4096 4096\n", "a" },
		{ "rule r\nanchor a\nregex (?s)a.{4095}b\nwindow 0 4096\n", "a" },
		{ "rule r\nanchor k=\nregex k=(\\d+)\nwindow 4096 4096\n", "k=1 " },
	};
	uint64_t n_found, n_undecided;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum { MOST = 400000 };
		double eighth = seconds_for(cases[i].rules, cases[i].unit, MOST / 8, &n_found, &n_undecided);
		double whole = seconds_for(cases[i].rules, cases[i].unit, MOST, &n_found, &n_undecided);

		CHECK_EQUAL(n_undecided, 0);
		CHECK_EQUAL(n_found, i == 2 ? MOST / 4 : 0);
		if (!CHECK(whole < 24 * eighth + 0.5))
			fprintf(stderr, "%s: %g and %g seconds\n", cases[i].rules, eighth, whole);
		if (getenv("LANEWISE_TEST_VERBOSE"))
			printf("%8.1f ns an anchor  %s\n", whole / MOST * strlen(cases[i].unit) * 1e9, cases[i].rules);
	}
}

/* Long texts, so that the buffer moves on, with windows as large as they can be. */
static void test_long_stream(void)
{
	enum { LONG = 3 << 18 };
	lanewise_secrets *secrets = make_with("rule r\nanchor key\nregex (?s)(ab).{3000}.*key=|key(b+)\n"
	                                      "window 4096 4096\n"
	                                      "rule s\nanchor b8\nregex ^..|(?:b8)+\n",
	                                      lanewise_regex_pcre2());
	void *scratch = malloc(lanewise_secrets_stream_scratch_size(secrets)), *other = make_scratch(secrets);
	char *text = malloc(LONG), *masked = malloc(LONG), *out = malloc(LONG);
	uint64_t state = 5, n_places;
	size_t n_masked, n_out = 0;
	lanewise_secrets_stream *stream = lanewise_secrets_stream_begin(secrets, NULL, scratch);

	for (size_t i = 0; i < LONG;) {
		static const char *const words[] = { "key", "keybb", "b8", "key=" };
		const char *word = words[test_random(&state) % 4];

		for (size_t gap = test_random(&state) % 3000; gap > 0 && i < LONG; gap--)
			text[i++] = " ab\n."[test_random(&state) % 5];
		for (; *word && i < LONG; word++)
			text[i++] = *word;
	}
	CHECK(lanewise_secrets_mask(secrets, NULL, text, LONG, other, masked, LONG, &n_masked, &n_places) ==
	      LANEWISE_OK);
	CHECK(n_places > 200);
	for (size_t at = 0, n; at < LONG; at += n) {
		n = 1 + test_random(&state) % (test_random(&state) % 8 ? 300 : 100000);
		n = n < LONG - at ? n : LONG - at;
		lanewise_secrets_stream_feed(stream, text + at, n);
		for (size_t k; (k = lanewise_secrets_stream_mask(stream, out + n_out, LONG)) > 0;)
			n_out += k;
		CHECK(at + n - lanewise_secrets_stream_safe(stream) < 20000);
	}
	lanewise_secrets_stream_finish(stream);
	for (size_t k; (k = lanewise_secrets_stream_mask(stream, out + n_out, LONG)) > 0;)
		n_out += k;
	CHECK(n_out == LONG && memcmp(out, masked, LONG) == 0);
	free(out);
	free(masked);
	free(text);
	free(other);
	free(scratch);
	lanewise_secrets_destroy(secrets);
}

static void test_memory(void)
{
	static const char rules[] = "rule r\nanchor key\nregex key=(\\w+)\nrule s\nanchor x\noptional\nregex x+\n";
	struct bank bank = { 0, 0 };
	lanewise_allocator allocator = { bank_allocate, bank_release, &bank };
	lanewise_secrets_options options = { sizeof options, 0, 0, lanewise_regex_pcre2() };
	lanewise_secrets *secrets = NULL;
	lanewise_secret found[2];
	int n = 0;

	for (; n < 1000; n++) {
		lanewise_error error = { 0 };

		bank.left = n;
		if (lanewise_secrets_create(rules, strlen(rules), &options, &allocator, &secrets, &error) ==
		    LANEWISE_OK)
			break;
		CHECK(!secrets && error.status == LANEWISE_ERROR_NO_MEMORY && bank.held == 0);
	}
	CHECK(n > 5 && n < 1000 && bank.held > 0);
	bank.left = 0; /* nothing more is asked for */
	CHECK_EQUAL(find_all(secrets, "key=abc key=abd", 15, found, 3), 2);
	lanewise_secrets_destroy(secrets);
	CHECK_EQUAL(bank.held, 0);
}

/* What one expression took to go back leaves as much for another. */
static void test_frames(void)
{
	enum { LONG = 1000 };
	static const char rules[] =
	        "rule a\nanchor key\nregex (*NO_JIT)(*LIMIT_HEAP=30)key(?:a|b)+[c-d]\nwindow 0 4096\n"
	        "rule b\nanchor tok\nregex (*NO_JIT)(?:a|b)+tok\nwindow 4096 0\n";
	lanewise_secrets *secrets = make_with(rules, lanewise_regex_pcre2());
	void *scratch = make_scratch(secrets);
	char text[LONG + 6];
	lanewise_secret found[2];

	memset(text, 'a', sizeof text);
	memcpy(text, "key", 3);
	memcpy(text + LONG + 3, "tok", 3);

	lanewise_secrets_search *search = lanewise_secrets_begin(secrets, text, sizeof text, scratch);

	CHECK_EQUAL(lanewise_secrets_next(search, found, 2), 1);
	CHECK(found[0].rule == 1 && lanewise_secrets_n_undecided(search) == 1);
	free(scratch);
	lanewise_secrets_destroy(secrets);
}

static void test_about(void)
{
	char text[100];
	size_t n = lanewise_regex_about(text, sizeof text);

	CHECK(n == strlen(text) && strncmp(text, "PCRE2 ", 6) == 0 && strstr(text, "JIT"));
	CHECK_EQUAL(lanewise_regex_about(NULL, 0), n);
}

static void test_pcre2(void)
{
	test_expressions();
	test_wrong_expressions();
	test_against_pcre2();
	test_mixed_streams();
	test_catastrophes();
	test_density();
	test_long_stream();
	test_memory();
	test_frames();
	test_about();
}

#else

static void test_pcre2(void) { CHECK(lanewise_regex_pcre2() == NULL && lanewise_regex_about(NULL, 0) > 0); }

#endif

int main(void)
{
	test_faults();
	test_toy();
	test_toy_streams();
	test_undecided();
	test_pcre2();
	return test_result();
}
