/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small texts, JSON and nearly JSON, made at random: whether each is JSON, and its tree, as a second parser says
 * (json_reference.h); trees, errors, and the index, in one piece or two, the same on every tier as on scalar. Texts end
 * at an unmapped page.
 */
#include <lanewise/json.h>

#include <sys/mman.h>

#include "json_reference.h"
#include "workers.h"

enum { MAX_TEXT = 1000, MAX_NODES = MAX_TEXT + 8, MAX_INDEX = MAX_TEXT + LANEWISE_JSON_INDEX_CAPACITY };

static const char usage[] = "usage: long_json_texts [--count COUNT] [--seed SEED] [--jobs N]\n"
                            "  --count COUNT  texts (100000)\n"
                            "  --jobs N       processes (one for each core)\n";

struct plan {
	uint64_t count, seed;
};

static size_t below(uint64_t *random, size_t n) { return (size_t)((test_random(random) >> 32) * n >> 32); }

/* ------------------------------------------------------------------ texts */

static size_t append(char *text, size_t n, const char *part)
{
	size_t size = strlen(part);

	memcpy(text + n, part, size);
	return n + size;
}

static size_t write_string(char *text, size_t n, uint64_t *random)
{
	static const char *const letters[] = { "a",        "b",
		                               "\\\"",     "\\\\",
		                               "\xc3\xa9", "\xe4\xb8\xad",
		                               "\\u20AC",  "[,",
		                               ":}",       "\xf0\x9f\x98\x80",
		                               "\\n",      "some words of text" };

	text[n++] = '"';
	for (size_t k = below(random, below(random, 8) ? 4 : 20); k > 0; k--)
		n = append(text, n, letters[below(random, sizeof letters / sizeof *letters)]);
	text[n++] = '"';
	return n;
}

static size_t write_number(char *text, size_t n, uint64_t *random)
{
	uint64_t digits = test_random(random);
	double value = (double)(int64_t)digits;

	if (digits % 2)
		return n + (size_t)sprintf(text + n, "%d", (int)(digits >> 40) - 1000);
	return n + lanewise_json_write_f64(digits % 8 ? value * 0x1p-63 : value, text + n);
}

static size_t write_space(char *text, size_t n, uint64_t *random)
{
	for (size_t k = below(random, 8); k < 2; k++)
		text[n++] = " \n\t\r"[below(random, 4)];
	return n;
}

/* A value, arrays and objects within each other up to `depth`. */
static size_t write_value(char *text, size_t n, uint64_t *random, int depth)
{
	static const char *const words[] = { "true", "false", "null", "[]", "{}" };
	size_t kind = below(random, depth && n < MAX_TEXT / 4 ? 7 : 4);

	n = write_space(text, n, random);
	if (kind == 0)
		return append(text, n, words[below(random, 5)]);
	if (kind < 3)
		return kind == 1 ? write_string(text, n, random) : write_number(text, n, random);
	if (n > MAX_TEXT / 4)
		return append(text, n, "7");

	int object = kind == 4;

	text[n++] = object ? '{' : '[';
	for (size_t k = below(random, 6) + 1; k > 0 && n < MAX_TEXT / 4; k--) {
		if (object) {
			n = write_string(text, n, random);
			n = write_space(text, n, random);
			text[n++] = ':';
		}
		n = write_value(text, n, random, kind == 3 ? 0 : depth - 1);
		n = write_space(text, n, random);
		if (k > 1 && n < MAX_TEXT / 4)
			text[n++] = ',';
	}
	text[n++] = object ? '}' : ']';
	return n;
}

static size_t spoil(char *text, size_t n, uint64_t *random)
{
	for (size_t changes = below(random, 3); changes > 0 && n > 0; changes--) {
		size_t at = below(random, n), how = below(random, 4);

		if (how == 0)
			memmove(text + at, text + at + 1, --n - at);
		else if (how == 1)
			n = at;
		else
			text[at] = "\"\\{}[],: 1a.-e0E+\x1f\xff\xe4\x80\n"[below(random, 22)];
	}
	return n;
}

/* At most MAX_TEXT bytes: a value is begun only within the first quarter, and the longest string is no longer than another. */
static size_t write_text(char *text, uint64_t *random)
{
	size_t n = 0;

	if (below(random, 3) == 0) {
		for (size_t k = below(random, 12); k > 0; k--)
			n = append(text, n,
			           reference_parts[below(random, sizeof reference_parts / sizeof *reference_parts)]);
		return n;
	}
	n = write_space(text, write_value(text, 0, random, 4), random);
	return spoil(text, n, random);
}

/* ---------------------------------------------------------------- results */

/* All that is said about a text. */
struct verdict {
	lanewise_status status, index_status, validate_status;
	uint64_t error_at, index_error_at;
	size_t n_nodes, n_index;
	char what[sizeof((lanewise_error *)0)->what];
	lanewise_json_node nodes[MAX_NODES];
	uint64_t index[MAX_INDEX], bits[MAX_TEXT / 64 + 2];
};

static void feed(struct verdict *v, lanewise_json_index_state *state, const char *text, size_t from, size_t to,
                 lanewise_error *error)
{
	static uint32_t index[MAX_INDEX];
	size_t n = 0, n_taken;

	v->index_status =
	        lanewise_json_index_feed(state, text + from, to - from, index, MAX_INDEX, &n, &n_taken, error);
	for (size_t i = 0; i < n; i++)
		v->index[v->n_index++] = from + index[i];
}

/* The index of the text in two pieces, one of which may be empty, as positions or as bits. */
static void index_text(struct verdict *v, const char *text, size_t n, size_t cut, int as_bits)
{
	lanewise_json_index_state state = { 0 };
	lanewise_error error = { .offset = 0 };

	v->n_index = 0;
	v->index_status = LANEWISE_OK;
	for (int piece = 0; piece < 2 && v->index_status == LANEWISE_OK; piece++) {
		size_t from = piece ? cut : 0, to = piece ? n : cut;

		if (!as_bits) {
			feed(v, &state, text, from, to, &error);
			continue;
		}
		v->index_status = lanewise_json_index_bits(&state, text + from, to - from, v->bits, &error);
		for (size_t i = 0; i < (to - from + 63) / 64; i++)
			for (uint64_t word = v->bits[i]; word; word &= word - 1)
				v->index[v->n_index++] = from + 64 * i + (size_t)__builtin_ctzll(word);
	}
	if (v->index_status == LANEWISE_OK)
		v->index_status = lanewise_json_index_finish(&state, &error);
	v->index_error_at = v->index_status == LANEWISE_OK ? 0 : error.offset;
}

static void judge(struct verdict *v, const char *text, size_t n)
{
	static const lanewise_json_options options = { .struct_size = sizeof options, .max_depth = REFERENCE_DEPTH };
	lanewise_error error = { .offset = 0 };

	v->n_nodes = 0;
	v->status = lanewise_json_parse(text, n, &options, v->nodes, MAX_NODES, &v->n_nodes, &error);
	v->error_at = v->status == LANEWISE_OK ? 0 : error.offset;
	memcpy(v->what, v->status == LANEWISE_OK ? "" : error.what, v->status == LANEWISE_OK ? 1 : sizeof v->what);
	v->validate_status = lanewise_json_validate(text, n, &options, &error);
	if (v->validate_status != LANEWISE_OK && (error.offset != v->error_at || strcmp(error.what, v->what) != 0))
		v->validate_status = LANEWISE_ERROR_SYSTEM; /* another error */
}

static int same_index(const struct verdict *a, const struct verdict *b)
{
	return a->index_status == b->index_status && a->index_error_at == b->index_error_at &&
	       a->n_index == b->n_index && memcmp(a->index, b->index, a->n_index * sizeof *a->index) == 0;
}

static int same_tree(const struct verdict *a, const struct verdict *b)
{
	return a->status == b->status && a->validate_status == b->validate_status && a->error_at == b->error_at &&
	       strcmp(a->what, b->what) == 0 && a->n_nodes == b->n_nodes &&
	       memcmp(a->nodes, b->nodes, a->n_nodes * sizeof *a->nodes) == 0;
}

static void tell(const char *text, size_t n)
{
	fprintf(stderr, "  tier %s: ", lanewise_tier_name(lanewise_active_tier()));
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, (unsigned char)(text[i] - ' ') < 95 && text[i] != '\\' ? "%c" : "\\x%02x",
		        (unsigned char)text[i]);
	fprintf(stderr, "\n");
}

/* ------------------------------------------------------------------- work */

/* A tree without nodes for the numbers of arrays: `nodes`, which it folds. */
static int is_folded(const char *text, size_t n, lanewise_json_node *nodes, size_t n_nodes)
{
	static const lanewise_json_options options = { .struct_size = sizeof options,
		                                       .max_depth = REFERENCE_DEPTH,
		                                       .flags = LANEWISE_JSON_NUMBER_ARRAYS };
	static lanewise_json_node folded[MAX_NODES];
	size_t n_folded = 0;

	return lanewise_json_parse(text, n, &options, folded, MAX_NODES, &n_folded, NULL) == LANEWISE_OK &&
	       n_folded == n_nodes && memcmp(folded, nodes, n_nodes * sizeof *nodes) == 0;
}

static int check_text(const char *text, size_t n, uint64_t *random)
{
	static lanewise_json_node expected[MAX_NODES];
	static uint32_t places[MAX_NODES + 1];
	static struct verdict scalar, other;
	size_t n_expected = 0;
	int valid = reference_parse(text, n, expected, &n_expected);

	lanewise_set_tier(0);
	judge(&scalar, text, n);
	index_text(&scalar, text, n, n, 0);
	if (!CHECK((scalar.status == LANEWISE_OK) == valid && scalar.validate_status == scalar.status) ||
	    (valid && !CHECK(scalar.n_nodes == n_expected &&
	                     memcmp(scalar.nodes, expected, n_expected * sizeof *expected) == 0)))
		tell(text, n);
	if (valid)
		n_expected = reference_fold(expected, n_expected, places);
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		if (tier > 0) {
			judge(&other, text, n);
			if (!CHECK(same_tree(&scalar, &other)))
				tell(text, n);
			index_text(&other, text, n, n, 0);
			if (!CHECK(same_index(&scalar, &other)))
				tell(text, n);
		}
		index_text(&other, text, n, below(random, n + 1), (size_t)tier % 2 == below(random, 2));
		if (!CHECK(same_index(&scalar, &other)))
			tell(text, n);
		if (valid && !CHECK(is_folded(text, n, expected, n_expected)))
			tell(text, n);
	}
	return valid;
}

static void work(int worker, int n_workers, const void *context)
{
	const struct plan *plan = context;
	uint64_t random = plan->seed + (uint64_t)worker * 0x123456789abcdef, n_valid = 0, n_texts = 0;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static char text[2 * MAX_TEXT];

	if (!CHECK(pages != MAP_FAILED && mprotect(pages + page, page, PROT_NONE) == 0))
		return;
	for (uint64_t i = (uint64_t)worker; i < plan->count; i += (uint64_t)n_workers, n_texts++) {
		size_t n = write_text(text, &random);
		char *place = pages + page - n;

		if (!CHECK(n <= MAX_TEXT))
			return;
		memcpy(place, text, n);
		n_valid += (uint64_t)check_text(place, n, &random);
	}
	CHECK(n_texts < 1000 || (n_valid > n_texts / 5 && n_valid < n_texts * 4 / 5));
	munmap(pages, 2 * page);
}

int main(int argc, char **argv)
{
	static const char *const options[] = { "--count", "--seed", "--jobs", NULL };
	struct plan plan;

	check_options(argc, argv, options, usage);
	plan.count = number_option(argc, argv, "--count", 100000);
	plan.seed = number_option(argc, argv, "--seed", 1);

	int n_workers = (int)number_option(argc, argv, "--jobs", (uint64_t)default_workers());
	int n_failed = run_workers(n_workers, work, &plan);

	printf("%" PRIu64 " texts: %s\n", plan.count, n_failed ? "FAILED" : "the same by all");
	return n_failed != 0 || n_workers == 0;
}
