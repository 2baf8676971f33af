/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repair of JSON: what becomes of each kind of mistake, every cut of a text, time on hostile texts, and, where the data
 * is found ($LANEWISE_SHARED_DATA or ../shared/data beside the sources), a thousand spoilt answers against the truth.
 */
#include <lanewise/json.h>

#include <stdlib.h>
#include <time.h>

#include "test.h"

static const struct {
	const char *text, *repaired;
} cases[] = {
	{ "", "null" },
	{ "  ", "  null" },
	{ "hello world", "\"hello world\"" },
	{ "True", "true" },
	{ "{'a': 'b'}", "{\"a\": \"b\"}" },
	{ "{'a': 'it\\'s'}", "{\"a\": \"it's\"}" },
	{ "{'a': 'it's'}", "{\"a\": \"it's\"}" },
	{ "{'a': 'say \"x\"'}", "{\"a\": \"say \\\"x\\\"\"}" },
	{ "{\"a\": \"say \"x\" twice\"}", "{\"a\": \"say \\\"x\\\" twice\"}" },
	{ "{\"a\": \"he said \"hi\", and left\", \"b\": 1}", "{\"a\": \"he said \\\"hi\\\", and left\", \"b\": 1}" },
	{ "{'a': True, 'b': False, 'c': None}", "{\"a\": true, \"b\": false, \"c\": null}" },
	{ "[NaN, Infinity, -Infinity, undefined]", "[null, null, null, null]" },
	{ "[1, 2, ]", "[1, 2 ]" },
	{ "[1,, 2,,,]", "[1, 2]" },
	{ "[,1]", "[1]" },
	{ "{\"a\": 1,}", "{\"a\": 1}" },
	{ "{\"a\": 1 \"b\": 2}", "{\"a\": 1, \"b\": 2}" },
	{ "{\"a\": \"x\" \"b\": 2}", "{\"a\": \"x\", \"b\": 2}" },
	{ "{\"a\": \"x\"\n\"b\": \"y\"}", "{\"a\": \"x\",\n\"b\": \"y\"}" },
	{ "[\"a\" \"b\"]", "[\"a\", \"b\"]" },
	{ "[1 2 3]", "[1, 2, 3]" },
	{ "[{\"a\":1} {\"a\":2}]", "[{\"a\":1}, {\"a\":2}]" },
	{ "{a: 1, b_c: \"x\", $d: [e]}", "{\"a\": 1, \"b_c\": \"x\", \"$d\": [\"e\"]}" },
	{ "{\"a\" 1}", "{\"a\": 1}" },
	{ "{\"a\" = 1, \"b\" => 2}", "{\"a\" : 1, \"b\" : 2}" },
	{ "{\"a\":}", "{\"a\":null}" },
	{ "{\"a\":, \"b\":1}", "{\"a\":null, \"b\":1}" },
	{ "{\"a\": 1} // end", "{\"a\": 1}" },
	{ "{\"a\": 1, // one\n\"b\": /* two */ 2 # end\n}", "{\"a\": 1, \n\"b\":  2 \n}" },
	{ "[1, 2, 3, ...]", "[1, 2, 3 ]" },
	{ "[1, ..., 9]", "[1,  9]" },
	{ "{\"a\": 1, ...}", "{\"a\": 1 }" },
	{ "[\"x\", \xe2\x80\xa6]", "[\"x\" ]" },
	{ "\xe2\x80\x9cx\xe2\x80\x9d", "\"x\"" },
	{ "{\xe2\x80\x9c"
	  "a\xe2\x80\x9d: \xe2\x80\x98"
	  "b\xe2\x80\x99}",
	  "{\"a\": \"b\"}" },
	{ "{`a`: `b`}", "{\"a\": \"b\"}" },
	{ "[\"a\" + \"b\" + 'c']", "[\"abc\"]" },
	{ "{\"a\": \"b\nc\td\"}", "{\"a\": \"b\\nc\\td\"}" },
	{ "{\"a\": \"C:\\dir\\x41\\q\"}", "{\"a\": \"C:\\\\dir\\u0041\\\\q\"}" },
	{ "[\"\\ud83d\"]", "[\"\\ufffd\"]" },
	{ "[\"a\xff"
	  "b\"]",
	  "[\"a\xef\xbf\xbd"
	  "b\"]" },
	{ "[.5, 5., +1, -.5e3, 1e5, 007, 0x1f]", "[0.5, 5.0, 1, -0.5e3, 1e5, \"007\", \"0x1f\"]" },
	{ "```json\n{\"a\": 1}\n```", "{\"a\": 1}" },
	{ "Sure! Here it is:\n```\n[1, 2,]\n```\nAnything else?", "[1, 2]" },
	{ "As [1] says: {\"a\": [1, 2]} is it.", "{\"a\": [1, 2]}" },
	{ "Set {x} as\n```json\n{\"x\": 1}\n```", "{\"x\": 1}" },
	{ "{\"a\": \"```json\\n{}\\n```\",}", "{\"a\": \"```json\\n{}\\n```\"}" },
	{ "callback({\"a\": 1});", "{\"a\": 1}" },
	{ "{\"a\": [1, 2}", "{\"a\": [1, 2]}" },
	{ "[1, 2}", "[1, 2]" },
	{ "[{\"a\": 1, {\"a\": 2}]", "[{\"a\": 1}, {\"a\": 2}]" },
	{ "{\"a\": [\"x\", \"y\", \"b\": 1}", "{\"a\": [\"x\", \"y\"], \"b\": 1}" },
	{ "{\"a\": 1}}", "{\"a\": 1}" },
	{ "{\"a\": {\"b\": [1, {\"c\": 2", "{\"a\": {\"b\": [1, {\"c\": 2}]}}" },
	{ "{\"a\": \"hello wor", "{\"a\": \"hello wor\"}" },
	{ "{\"a\": 1, \"b", "{\"a\": 1}" },
	{ "{\"a\": 1, \"b\"", "{\"a\": 1}" },
	{ "{\"a\": 1, \"b\": ", "{\"a\": 1}" },
	{ "{\"a\": 1, \"b\": tr", "{\"a\": 1, \"b\": true}" },
	{ "[1, 2.", "[1, 2.0]" },
	{ "[1, 2e", "[1, 2]" },
	{ "[\"a\\", "[\"a\"]" },
	{ "[\"a\\u12", "[\"a\"]" },
	{ "[\"a\xe6\xa3", "[\"a\"]" },
	{ "{\"a\": \"hello, \"b\": 2}", "{\"a\": \"hello\", \"b\": 2}" },
	{ "{\"a\": \"hello\n  \"b\": 2}", "{\"a\": \"hello\",\n  \"b\": 2}" },
	{ "{", "{}" },
	{ "[{", "[{}]" },
};

static char out[1 << 16];

static size_t repair(const char *text, size_t n, size_t *n_edits)
{
	lanewise_json_repair_result result;

	CHECK(lanewise_json_repair(text, n, NULL, out, sizeof out, NULL, 0, &result, NULL) == LANEWISE_OK);
	CHECK(!result.n_edits || lanewise_json_validate(out, result.n_out, NULL, NULL) == LANEWISE_OK);
	*n_edits = result.n_edits;
	return result.n_out;
}

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t n_edits, n = repair(cases[i].text, strlen(cases[i].text), &n_edits);

		if (!CHECK(n_edits && n == strlen(cases[i].repaired) && memcmp(out, cases[i].repaired, n) == 0))
			fprintf(stderr, "  %s\n  became   %.*s\n  expected %s\n", cases[i].text, (int)n, out,
			        cases[i].repaired);
	}
}

/* What the dialects make of the same text: the default's, json_repair's, jsonrepair's, Victor's (NULL: an error). */
static const struct {
	const char *text, *repaired[4];
} dialects[] = {
	{ "{\"a\":}", { "{\"a\":null}", "{\"a\":\"\"}", "{\"a\":null}", NULL } },
	{ "{\"a\",\"b\":1}", { "{\"a\":null,\"b\":1}", "{\"a\":\"\",\"b\":1}", "{\"a\":null,\"b\":1}", NULL } },
	{ "{\"a\":1,\"b\":", { "{\"a\":1}", "{\"a\":1,\"b\":\"\"}", "{\"a\":1,\"b\":null}", NULL } },
	{ "[{\"b\": // c", { "[{}]", "[{\"b\": \"\"}]", "[{\"b\": null}]", NULL } },
	{ "{\"a\":1,\"b", { "{\"a\":1}", "{\"a\":1}", "{\"a\":1,\"b\":null}", NULL } },
	{ "{\"a\":1,\"b\" ", { "{\"a\":1}", "{\"a\":1}", "{\"a\":1,\"b\":null}", NULL } },
	{ "{\"a\":1,b ", { "{\"a\":1}", "{\"a\":1}", "{\"a\":1,\"b\" :null}", NULL } },
	{ "[tr", { "[true]", "[\"tr\"]", "[\"tr\"]", NULL } },
	{ "[NaN, -Infinity]", { "[null, null]", "[null, null]", "[\"NaN\", \"-Infinity\"]", NULL } },
	{ "[undefined]", { "[null]", "[\"undefined\"]", "[null]", NULL } },
	{ "[nil]", { "[null]", "[\"nil\"]", "[\"nil\"]", NULL } },
	{ "[007, 00]", { "[\"007\", \"00\"]", "[7, 0]", "[\"007\", \"00\"]", NULL } },
	{ "[\"a\" + \"b\"]", { "[\"ab\"]", "[\"a\\\" + \\\"b\"]", "[\"ab\"]", NULL } },
	{ "{\"a\":1} and {\"b\":2}.", { "{\"a\":1}", "[{\"a\":1},{\"b\":2}]", "{\"a\":1}", NULL } },
	{ "{\"a\":1}\n{'b':2}\n", { "{\"a\":1}", "[{\"a\":1},{\"b\":2}]\n", "[{\"a\":1},{\"b\":2}]\n", NULL } },
	{ "[1],\n[2", { "[1]", "[[1],[2]]", "[[1],[2]]", NULL } },
	{ "no JSON", { "\"no JSON\"", "\"\"", "\"no JSON\"", NULL } },
	{ "{'a': 'it\\'s \"x\"', \"b\": [True, None,],}",
	  { "{\"a\": \"it's \\\"x\\\"\", \"b\": [true, null]}", "{\"a\": \"it's \\\"x\\\"\", \"b\": [true, null]}",
	    "{\"a\": \"it's \\\"x\\\"\", \"b\": [true, null]}", "{\"a\": \"it's \\\"x\\\"\", \"b\": [true, null]}" } },
	{ "{'a': 'x\\ny', 'b': False}",
	  { "{\"a\": \"x\\ny\", \"b\": false}", "{\"a\": \"x\\ny\", \"b\": false}", "{\"a\": \"x\\ny\", \"b\": false}",
	    "{\"a\": \"x\\ny\", \"b\": false}" } },
	{ "['\\", { "[\"\"]", "[\"\"]", "[\"\"]", NULL } },
};

static void test_dialects(void)
{
	for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
		for (uint32_t d = 0; d < 4; d++) {
			const lanewise_json_repair_options options = { sizeof options, 0, 0, d, 0 };
			const char *text = dialects[i].text, *expected = dialects[i].repaired[d];
			lanewise_json_repair_result result;
			lanewise_error error;
			lanewise_status status = lanewise_json_repair(text, strlen(text), &options, out, sizeof out,
			                                              NULL, 0, &result, &error);

			if (!CHECK(expected ? status == LANEWISE_OK && result.n_out == strlen(expected) &&
			                              memcmp(out, expected, result.n_out) == 0
			                    : status == LANEWISE_ERROR_DATA && error.offset != LANEWISE_NO_OFFSET))
				fprintf(stderr, "  dialect %u: %s\n  became   %.*s\n  expected %s\n", d, text,
				        (int)result.n_out, out, expected ? expected : "an error");
		}
}

static void test_unknown_options(void)
{
	lanewise_json_repair_options options = { sizeof options, 0, 0, 4, 0 };
	lanewise_json_repair_result result;

	CHECK_EQUAL(lanewise_json_repair("{", 1, &options, out, sizeof out, NULL, 0, &result, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	options.dialect = 0;
	options.struct_size = 8;
	CHECK_EQUAL(lanewise_json_repair("{", 1, &options, out, sizeof out, NULL, 0, &result, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	options.struct_size = sizeof options;
	options.flags = 64;
	CHECK_EQUAL(lanewise_json_repair("{", 1, &options, out, sizeof out, NULL, 0, &result, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	/* An array of several values takes a level of its own. */
	options = (lanewise_json_repair_options) { sizeof options, 0, 1, LANEWISE_JSON_DIALECT_JSON_REPAIR, 0 };
	CHECK_EQUAL(lanewise_json_repair("[1] [2]", 7, &options, out, sizeof out, NULL, 0, &result, NULL), LANEWISE_OK);
	CHECK(result.n_out == 3 && memcmp(out, "[1]", 3) == 0);
}

/* Valid texts stay as they are; every beginning of one becomes JSON. */
static void test_valid_and_cut(void)
{
	static const char text[] =
	        " {\"a\\\"b\": [1, -2.5e3, true, null, \"x\\u00e9\\ud83d\\ude00\", {}, []], \"c\": {\"d\": \"\"}}\n";
	size_t n_edits;

	for (size_t n = 0; n < sizeof text; n++) {
		char *exact = malloc(n + 1);

		memcpy(exact, text, n);
		repair(exact, n, &n_edits);
		CHECK((n_edits == 0) == (n >= sizeof text - 2));
		free(exact);
	}
}

static void test_edits(void)
{
	static const char text[] = "x {a: 1,}";
	lanewise_json_edit edits[2];
	lanewise_json_repair_result result;
	lanewise_error error;

	CHECK_EQUAL(lanewise_json_repair(text, 9, NULL, out, sizeof out, edits, 2, &result, NULL), LANEWISE_OK);
	CHECK_EQUAL(result.n_edits, 4);
	CHECK(edits[0].kind == LANEWISE_JSON_EDIT_PROSE && edits[0].offset == 0 && edits[0].n_bytes == 2);
	CHECK(edits[1].kind == LANEWISE_JSON_EDIT_QUOTE && edits[1].offset == 3 && edits[1].n_bytes == 0);
	CHECK(edits[1].out_offset == 1 && edits[1].n_out == 1);
	CHECK_EQUAL(lanewise_json_repair(text, 9, NULL, out, 7, NULL, 0, &result, &error), LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(result.n_out, 8);
	CHECK_EQUAL(lanewise_json_repair(NULL, 1, NULL, out, 7, NULL, 0, &result, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_json_repair(text, 9, NULL, NULL, 7, NULL, 0, &result, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_json_repair(text, 9, NULL, out, 7, NULL, 0, NULL, &error), LANEWISE_ERROR_ARGUMENT);
}

/* Ten times the text must not take more than about ten times as long. */
static void test_hostile(void)
{
	static const char *const parts[] = { "[{\"",    "\"",       "[",        "{",          "'",     "\"a\" ",
		                             "[\"a\",", "{\"a\":",  "\\",       ",",          "/*",    "`",
		                             "[1",      "\"\",\"",  "{a:",      "}]",         "``` ",  "\"\n",
		                             " \" , ",  "\xe2\x80", "\xff",     "\"a\":\"b,", "...",   "[\"a\"+",
		                             "'a', ",   "{'a': '",  "\"a\":1,", "'#",         "True,", "{} ",
		                             "[1] ",    "[1]\n",    "[   ",     "a: \"b\", ", "x,",    "\"\xe2," };
	enum { N_BEGINS = 5, SPACES = 4 }; /* the last has as much white space as text before it */
	static const char *const begins[N_BEGINS] = { "", "[\"", "{\"a\": \"", "{", "[" };
	size_t sizes[2] = { 50000, 500000 };

	for (size_t i = 0; i < sizeof parts / sizeof *parts * N_BEGINS; i++) {
		const char *part = parts[i / N_BEGINS], *begin = begins[i % N_BEGINS];
		double seconds[2];

		for (int k = 0; k < 2; k++) {
			size_t n = i % N_BEGINS == SPACES ? sizes[k] / 2 : 0, length = strlen(part),
			       bound = lanewise_json_repair_bound(sizes[k] + 16);
			char *text = malloc(sizes[k] + 16), *room = malloc(bound);
			lanewise_json_repair_result result;
			clock_t before;

			memset(text, ' ', n);
			memcpy(text + n, begin, strlen(begin));
			n += strlen(begin);
			for (; n + length <= sizes[k]; n += length)
				memcpy(text + n, part, length);
			before = clock();
			for (uint32_t d = 0; d < 4; d++) {
				const lanewise_json_repair_options options = { sizeof options, 0, 0, d, 0 };
				lanewise_status status =
				        lanewise_json_repair(text, n, &options, room, bound, NULL, 0, &result, NULL);

				if (d == LANEWISE_JSON_DIALECT_VICTOR && status == LANEWISE_ERROR_DATA)
					continue;
				CHECK(status == LANEWISE_OK);
				CHECK(result.n_edits &&
				      lanewise_json_validate(room, result.n_out, NULL, NULL) == LANEWISE_OK);
			}
			seconds[k] = (double)(clock() - before) / CLOCKS_PER_SEC;
			free(text);
			free(room);
		}
		if (!CHECK(seconds[1] < 30 * seconds[0] + 0.3))
			fprintf(stderr, "  %s%s: %g s, %g s\n", begin, part, seconds[0], seconds[1]);
	}
}

/* -------------------------------------------------------- spoilt answers */

struct tree {
	char *text;
	lanewise_json_node *nodes;
	size_t n;
};

static struct tree parse(char *text, size_t n)
{
	struct tree t = { .text = text };
	size_t bound = lanewise_json_nodes_bound(n, NULL);

	t.nodes = malloc(bound * sizeof *t.nodes);
	if (!CHECK(lanewise_json_parse(text, n, NULL, t.nodes, bound, &t.n, NULL) == LANEWISE_OK))
		t.n = 0;
	return t;
}

static struct tree load(const char *name)
{
	const char *data = getenv("LANEWISE_SHARED_DATA");
	char path[1000];
	FILE *file;
	long size;
	struct tree none = { 0 };

	snprintf(path, sizeof path, "%s/json/%s", data ? data : LW_TEST_DATA, name);
	file = fopen(path, "rb");
	if (!file)
		return none;
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);

	char *text = malloc((size_t)size);

	CHECK(fread(text, 1, (size_t)size, file) == (size_t)size);
	fclose(file);
	return parse(text, (size_t)size);
}

static int same_scalar(const struct tree *a, const lanewise_json_node *x, const struct tree *b,
                       const lanewise_json_node *y)
{
	size_t n_a, n_b;

	if (x->type == LANEWISE_JSON_NUMBER) {
		double u, v;

		lanewise_json_f64(a->text, x, &u);
		lanewise_json_f64(b->text, y, &v);
		return u == v;
	}
	if (x->type != LANEWISE_JSON_STRING)
		return 1;

	char *s = malloc(x->n_bytes), *t = malloc(y->n_bytes);
	int same = lanewise_json_string(a->text, x, s, x->n_bytes, &n_a) == LANEWISE_OK &&
	           lanewise_json_string(b->text, y, t, y->n_bytes, &n_b) == LANEWISE_OK && n_a == n_b &&
	           memcmp(s, t, n_a) == 0;

	free(s);
	free(t);
	return same;
}

/* Members must also come in the same order, which the truth's do. */
static int same_tree(const struct tree *a, size_t i, const struct tree *b, size_t k)
{
	size_t n = a->nodes[i].next - i;

	if (n != b->nodes[k].next - k)
		return 0;
	for (size_t at = 0; at < n; at++) {
		const lanewise_json_node *x = &a->nodes[i + at], *y = &b->nodes[k + at];

		if (x->type != y->type || x->next - i != y->next - k || !same_scalar(a, x, b, y))
			return 0;
	}
	return 1;
}

static void test_spoilt_answers(void)
{
	struct tree spoilt = load("malformed.json"), truth = load("malformed_truth.json");
	size_t n_exact = 0, n_all = 0, n, n_edits, k = 1;

	if (!spoilt.n || !truth.n) {
		printf("malformed.json not found: left out\n");
		return;
	}
	for (size_t i = 1; i < spoilt.nodes[0].next; i = spoilt.nodes[i].next, k = truth.nodes[k].next) {
		char *text = malloc(spoilt.nodes[i].n_bytes);

		CHECK(lanewise_json_string(spoilt.text, &spoilt.nodes[i], text, spoilt.nodes[i].n_bytes, &n) ==
		      LANEWISE_OK);

		size_t n_out = repair(text, n, &n_edits);
		struct tree repaired = n_edits ? parse(out, n_out) : parse(text, n);
		int same = same_tree(&repaired, 0, &truth, k);

		n_exact += (size_t)same;
		n_all++;
		if (!same && getenv("LW_SHOW"))
			printf("%.*s\n -> %.*s\n\n", (int)n, text, (int)n_out, out);
		free(repaired.nodes);
		free(text);
	}
	printf("%zu of %zu spoilt answers repaired exactly\n", n_exact, n_all);
	CHECK(n_exact * 100 >= n_all * 83);
	free(spoilt.text);
	free(spoilt.nodes);
	free(truth.text);
	free(truth.nodes);
}

int main(void)
{
	test_cases();
	test_dialects();
	test_unknown_options();
	test_valid_and_cut();
	test_edits();
	test_hostile();
	test_spoilt_answers();
	return test_result();
}
