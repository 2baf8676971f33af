/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/filter.h against its definition, cut in two at every place and byte by byte. */
#include "test.h"

#include "filter_naive.h"

static uint64_t random_state = 11;
static _Alignas(64) unsigned char scratch[2048];

static size_t below(size_t n) { return (size_t)(test_random(&random_state) % n); }

static struct filter_record expect(const struct filter_naive *naive, const char *text, size_t n)
{
	struct filter_naive f = *naive;
	struct filter_record r = { 0 };

	naive_filter(&f, &r, text, n, 1);
	return r;
}

static void check_cut(const struct filter_naive *naive, const lanewise_filter *filter, const char *text, size_t n,
                      size_t cut, size_t step, const struct filter_record *expected)
{
	struct filter_record r = { 0 };
	lanewise_filtering *filtering = lanewise_filter_begin(filter, scratch);

	for (size_t at = 0; at < cut; at += step)
		record_piece(&r, filtering, text + at, cut - at < step ? cut - at : step);
	/* After the first piece, all that may be told is told, and nothing more. */
	struct filter_naive f = *naive;
	struct filter_record part = { 0 };

	CHECK_EQUAL(lanewise_filter_n_held(filtering), naive_filter(&f, &part, text, cut, 0));
	CHECK_EQUAL(lanewise_filter_depth(filtering), f.depth);
	CHECK(same_record(&r, &part));
	record_piece(&r, filtering, text + cut, n - cut);
	lanewise_filter_finish(filtering);
	record_ready(&r, filtering);
	if (!CHECK(same_record(&r, expected) && r.at == n))
		fprintf(stderr, "cut at %zu of %zu:%.*s\nexpected:%.*s\n", cut, n, (int)r.n, r.text, (int)expected->n,
		        expected->text);
	free(r.text);
	free(part.text);
}

static void check_whole(const lanewise_filter *filter, const char *text, size_t n, const struct filter_naive *naive)
{
	struct filter_naive f = *naive;
	struct filter_record r = { 0 };
	char *out = malloc(n + 1), *expected = malloc(n + 1);
	size_t n_out = 0, n_expected = 0;
	uint32_t open = 99;
	lanewise_filtering *filtering = lanewise_filter_begin(filter, scratch);
	lanewise_part part;

	naive_filter(&f, &r, text, n, 1);
	for (size_t i = 0; i < n; i++) { /* byte by byte, only what is outside */
		lanewise_filter_feed(filtering, text + i, 1);
		for (int last = 0; last <= (i + 1 == n); last++) {
			while (lanewise_filter_next(filtering, &part))
				if (part.kind == LANEWISE_PART_OUTSIDE) {
					memcpy(expected + n_expected, part.bytes, part.n_bytes);
					n_expected += part.n_bytes;
				}
			if (i + 1 == n)
				lanewise_filter_finish(filtering);
		}
	}
	memcpy(out, text, n);
	CHECK(lanewise_filter_cut(filter, out, n, scratch, out, &n_out, &open) == LANEWISE_OK);
	CHECK_EQUAL(open, f.depth);
	CHECK(n_out == n_expected && memcmp(out, expected, n_out) == 0);
	free(out);
	free(expected);
	free(r.text);
}

static void check_text(const struct filter_naive *naive, const lanewise_filter *filter, const char *text, size_t n)
{
	struct filter_record expected = expect(naive, text, n);

	for (size_t cut = 0; cut <= n; cut++) {
		check_cut(naive, filter, text, n, cut, n + 1, &expected);
		check_cut(naive, filter, text, n, cut, 1, &expected);
	}
	check_whole(filter, text, n, naive);
	free(expected.text);
}

/* Text of marks, beginnings of marks, and other bytes. */
static size_t make_text(const struct filter_naive *naive, char *text, size_t capacity)
{
	size_t n = 0;

	for (size_t i = below(10); i > 0; i--) {
		const char *mark;
		size_t length = naive_mark(naive, below(2 * naive->n_pairs), &mark);

		if (below(3) == 0)
			length = below(length);
		if (n + length + 3 > capacity)
			break;
		memcpy(text + n, mark, length);
		n += length;
		for (size_t j = below(3); j > 0; j--)
			text[n++] = "a<|>"[below(4)];
	}
	return n;
}

static void test_think(void)
{
	struct filter_naive naive = { .options = { .struct_size = sizeof naive.options } };
	char text[400];

	naive.pairs = lanewise_filter_think_pairs(&naive.n_pairs);
	for (int i = 0; i < 60; i++) {
		lanewise_filter *filter;

		naive.options.own_end = i & 1;
		naive.options.nested = i >> 1 & 1;
		naive.options.max_inside = below(20);
		CHECK(lanewise_filter_create(naive.pairs, naive.n_pairs, &naive.options, NULL, &filter, NULL) ==
		      LANEWISE_OK);
		check_text(&naive, filter, text, make_text(&naive, text, sizeof text));
		lanewise_filter_destroy(filter);
	}
}

/* Marks of two letters; many sets are refused, and the others must be those in which every mark can be found. */
static void test_random_marks(void)
{
	char bytes[8][5], text[100];
	lanewise_filter_pair pairs[4];
	int n_created = 0;

	for (int i = 0; i < 4000; i++) {
		struct filter_naive naive = { pairs,
			                      1 + below(4),
			                      { sizeof naive.options, (int32_t)below(2), (int32_t)below(2), below(5) },
			                      { 0 },
			                      0,
			                      0,
			                      0 };
		lanewise_filter *filter;
		lanewise_error error = { 0 };

		for (size_t m = 0; m < 2 * naive.n_pairs; m++) {
			size_t n = 1 + below(5);

			for (size_t j = 0; j < n; j++)
				bytes[m][j] = "ab<"[below(3)];
			if (m % 2)
				pairs[m / 2].end = bytes[m], pairs[m / 2].end_bytes = n;
			else
				pairs[m / 2].start = bytes[m], pairs[m / 2].start_bytes = n;
		}
		if (lanewise_filter_create(pairs, naive.n_pairs, &naive.options, NULL, &filter, &error) !=
		    LANEWISE_OK) {
			CHECK(strstr(error.what, "can never be found") != NULL && filter == NULL);
			continue;
		}
		n_created++;

		size_t n = below(sizeof text);

		for (size_t j = 0; j < n; j++)
			text[j] = "ab<"[below(3)];
		check_text(&naive, filter, text, n);
		lanewise_filter_destroy(filter);
	}
	CHECK(n_created > 300);
}

static void test_deep(void)
{
	lanewise_filter_pair pair = { "(", 1, ")", 1 };
	struct filter_naive naive = { &pair, 1, { sizeof naive.options, 0, 1, 0 }, { 0 }, 0, 0, 0 };
	lanewise_filter *filter;
	char text[200];

	memset(text, '(', 100);
	memset(text + 100, ')', 100);
	CHECK(lanewise_filter_create(&pair, 1, &naive.options, NULL, &filter, NULL) == LANEWISE_OK);
	check_text(&naive, filter, text, sizeof text);
	lanewise_filter_destroy(filter);
}

static void test_fence(void)
{
	lanewise_filter_pair pair = { "```", 3, "```", 3 };
	lanewise_filter *filter;
	char out[40];
	size_t n_out;
	uint32_t open;

	CHECK(lanewise_filter_create(&pair, 1, NULL, NULL, &filter, NULL) == LANEWISE_OK);
	CHECK(lanewise_filter_scratch_size(filter) <= sizeof scratch);
	CHECK(lanewise_filter_cut(filter, "a ```b``` c ``` d", 17, scratch, out, &n_out, &open) == LANEWISE_OK);
	CHECK(n_out == 5 && memcmp(out, "a  c ", 5) == 0 && open == 1);
	CHECK(lanewise_filter_cut(filter, NULL, 0, scratch, NULL, &n_out, NULL) == LANEWISE_OK && n_out == 0);
	CHECK(lanewise_filter_cut(filter, NULL, 1, scratch, out, &n_out, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_filter_begin(filter, scratch + 4) == NULL);
	lanewise_filter_destroy(filter);
	lanewise_filter_destroy(NULL);
}

static void test_refused(void)
{
	lanewise_filter_pair pairs[LANEWISE_FILTER_PAIRS + 1] = { { "<a>", 3, "</a>", 4 }, { "x<a>y", 5, "z", 1 } };
	lanewise_filter *filter;
	lanewise_error error;

	CHECK(lanewise_filter_create(pairs, 2, NULL, NULL, &filter, &error) == LANEWISE_ERROR_ARGUMENT);
	CHECK(strcmp(error.what, "the start of pair 1 can never be found, since it contains the start of pair 0") == 0);
	pairs[1] = (lanewise_filter_pair) { "<b>", 3, "", 0 };
	CHECK(lanewise_filter_create(pairs, 2, NULL, NULL, &filter, &error) == LANEWISE_ERROR_ARGUMENT);
	CHECK(strcmp(error.what, "the end of pair 1 is empty") == 0);
	CHECK(lanewise_filter_create(pairs, 0, NULL, NULL, &filter, &error) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_filter_create(NULL, 1, NULL, NULL, &filter, &error) == LANEWISE_ERROR_ARGUMENT);
	CHECK(lanewise_filter_create(pairs, LANEWISE_FILTER_PAIRS + 1, NULL, NULL, &filter, &error) ==
	      LANEWISE_ERROR_TOO_LARGE);
	pairs[0].start_bytes = LANEWISE_FILTER_MARK_BYTES + 1;
	CHECK(lanewise_filter_create(pairs, 1, NULL, NULL, &filter, &error) == LANEWISE_ERROR_TOO_LARGE);
}

int main(void)
{
	test_think();
	test_random_marks();
	test_deep();
	test_fence();
	test_refused();
	return test_result();
}
