/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise_lsh of lanewise/near.h against a search of all pairs, and what it promises about memory and bad input. */
#include <lanewise/near.h>

#include <math.h>
#include <stdlib.h>

#include "counting_allocator.h"
#include "test.h"

enum { K = 64, ITEMS = 600 };

/* ----------------------------------------------------------------- choosing */

static void test_choose(void)
{
	/* What datasketch 2.0.0 chooses, with equal weights, for 16, 64, 128 and 256 functions. */
	static const double thresholds[] = { 0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99 };
	static const uint32_t expected[][4][2] = {
		{ { 15, 1 }, { 15, 1 }, { 64, 2 }, { 117, 2 } }, { { 8, 2 }, { 21, 3 }, { 37, 3 }, { 64, 4 } },
		{ { 5, 3 }, { 14, 4 }, { 25, 5 }, { 42, 6 } },   { { 4, 4 }, { 10, 6 }, { 18, 7 }, { 32, 8 } },
		{ { 3, 5 }, { 8, 8 }, { 14, 9 }, { 25, 10 } },   { { 2, 8 }, { 5, 11 }, { 9, 13 }, { 17, 15 } },
		{ { 2, 8 }, { 4, 15 }, { 8, 16 }, { 13, 19 } },  { { 1, 15 }, { 3, 21 }, { 5, 25 }, { 9, 28 } },
		{ { 1, 16 }, { 2, 32 }, { 3, 42 }, { 5, 51 } },  { { 1, 16 }, { 1, 64 }, { 1, 128 }, { 1, 166 } },
	};
	static const double wrong[][2] = { { 0, .5 }, { 1.01, .5 }, { NAN, .5 }, { .5, 0 }, { .5, 1 }, { .5, NAN } };
	uint32_t bands, rows;

	for (size_t t = 0; t < sizeof thresholds / sizeof *thresholds; t++)
		for (size_t i = 0; i < 4; i++) {
			uint32_t n_hashes = i == 0 ? 16 : 32u << i;

			CHECK_EQUAL(lanewise_lsh_choose(thresholds[t], n_hashes, 0.5, &bands, &rows), LANEWISE_OK);
			CHECK_EQUAL(bands, expected[t][i][0]);
			CHECK_EQUAL(rows, expected[t][i][1]);
		}
	CHECK_EQUAL(lanewise_lsh_choose(0.8, 128, 0.2, &bands, &rows), LANEWISE_OK);
	CHECK(bands == 12 && rows == 10);
	CHECK_EQUAL(lanewise_lsh_choose(1, 4096, 0.1, &bands, &rows), LANEWISE_OK);
	CHECK(bands >= 1 && rows >= 1 && bands * rows <= 4096);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CHECK_EQUAL(lanewise_lsh_choose(wrong[i][0], 128, wrong[i][1], &bands, &rows), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_lsh_choose(.5, 0, .5, &bands, &rows), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_lsh_choose(.5, 4097, .5, &bands, &rows), LANEWISE_ERROR_ARGUMENT);
}

/* -------------------------------------------------------------------- naive */

static uint32_t signatures[ITEMS][K];

/* Families of similar signatures: each number is the family's with some probability. */
static void make_signatures(uint64_t seed, uint64_t families)
{
	for (size_t i = 0; i < ITEMS; i++) {
		uint64_t family = test_random(&seed) % families, noise = test_random(&seed) % 100;

		for (size_t j = 0; j < K; j++) {
			uint64_t state = family * 1000 + j, random = test_random(&seed);

			signatures[i][j] = (uint32_t)(random % 100 < noise ? random >> 32 : test_random(&state));
		}
	}
}

struct naive {
	uint32_t n_bands, n_rows, bucket_items;
	double threshold;
};

static int same_band(const struct naive *naive, size_t i, size_t j, uint32_t band)
{
	size_t from = (size_t)band * naive->n_rows;

	return memcmp(signatures[i] + from, signatures[j] + from, naive->n_rows * sizeof(uint32_t)) == 0;
}

/* Whether item j, one of the first n_items, is among the first of its bucket in a band that item i shares. */
static int is_candidate(const struct naive *naive, const size_t *items, size_t n_items, size_t i, size_t j)
{
	for (uint32_t band = 0; band < naive->n_bands; band++) {
		uint32_t before = 0;

		if (!same_band(naive, i, items[j], band))
			continue;
		for (size_t other = 0; other < j && other < n_items; other++)
			before += (uint32_t)same_band(naive, items[other], items[j], band);
		if (before < naive->bucket_items)
			return 1;
	}
	return 0;
}

static double similarity_of(size_t i, size_t j) { return lanewise_minhash_similarity(signatures[i], signatures[j], K); }

/* Matches of signature i, the best first. */
static size_t find_naively(const struct naive *naive, const size_t *items, size_t n_items, size_t i, double scale,
                           lanewise_lsh_match *matches)
{
	size_t n = 0;

	for (size_t j = 0; j < n_items; j++) {
		lanewise_lsh_match match = { j, similarity_of(i, items[j]) * scale };
		size_t at = n;

		if (match.similarity < naive->threshold || !is_candidate(naive, items, n_items, i, j))
			continue;
		for (; at > 0 && matches[at - 1].similarity < match.similarity; at--)
			matches[at] = matches[at - 1];
		matches[at] = match;
		n++;
	}
	return n;
}

static int same_matches(const lanewise_lsh_match *a, const lanewise_lsh_match *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].item != b[i].item || fabs(a[i].similarity - b[i].similarity) > 0)
			return 0;
	return 1;
}

struct caller {
	const size_t *items;
	size_t i, n_calls;
};

static double half_of_estimate(void *context, uint64_t item)
{
	struct caller *caller = context;

	caller->n_calls++;
	return similarity_of(caller->i, caller->items[item]) * 0.5;
}

static lanewise_lsh *make(const struct naive *naive, uint64_t max_items)
{
	lanewise_lsh_options options = { .struct_size = sizeof options,
		                         .n_hashes = K,
		                         .n_bands = naive->n_bands,
		                         .n_rows = naive->n_rows,
		                         .bucket_items = naive->bucket_items,
		                         .threshold = naive->threshold,
		                         .max_items = max_items,
		                         .reserve_items = max_items };
	lanewise_lsh *lsh = NULL;

	CHECK_EQUAL(lanewise_lsh_create(&options, NULL, &lsh, NULL), LANEWISE_OK);
	return lsh;
}

static void judge_search(lanewise_lsh *lsh, const struct naive *naive, const size_t *items, size_t n_items, size_t i)
{
	static lanewise_lsh_match expected[ITEMS], matches[ITEMS];
	static uint64_t candidates[ITEMS];
	struct caller caller = { items, i, 0 };
	size_t n, n_expected, n_candidates = 0;

	n_expected = find_naively(naive, items, n_items, i, 1, expected);
	CHECK_EQUAL(lanewise_lsh_find(lsh, signatures[i], NULL, NULL, matches, ITEMS, &n), LANEWISE_OK);
	CHECK_EQUAL(n, n_expected);
	CHECK(same_matches(matches, expected, n_expected));
	if (n_expected > 1) {
		CHECK_EQUAL(lanewise_lsh_find(lsh, signatures[i], NULL, NULL, matches, n_expected / 2, &n),
		            LANEWISE_OK);
		CHECK_EQUAL(n, n_expected / 2);
		CHECK(same_matches(matches, expected, n));
	}

	CHECK_EQUAL(lanewise_lsh_candidates(lsh, signatures[i], candidates, ITEMS, &n), LANEWISE_OK);
	CHECK(n <= lanewise_lsh_candidates_bound(lsh));
	for (size_t j = 0; j < n_items; j++)
		if (is_candidate(naive, items, n_items, i, j))
			CHECK(n_candidates < n && candidates[n_candidates++] == j);
	CHECK_EQUAL(n, n_candidates);
	if (n > 0)
		CHECK_EQUAL(lanewise_lsh_candidates(lsh, signatures[i], candidates, n - 1, &n),
		            LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(n, n_candidates);

	n_expected = find_naively(naive, items, n_items, i, 0.5, expected);
	CHECK_EQUAL(lanewise_lsh_find(lsh, signatures[i], half_of_estimate, &caller, matches, ITEMS, &n), LANEWISE_OK);
	CHECK_EQUAL(n, n_expected);
	CHECK_EQUAL(caller.n_calls, n_candidates);
	CHECK(same_matches(matches, expected, n_expected));
}

static void test_against_naive(const struct naive *naive, uint64_t families, uint64_t max_items)
{
	lanewise_lsh *lsh = make(naive, max_items);
	size_t items[ITEMS];
	uint64_t item;

	make_signatures(families, families);
	for (size_t i = 0; i < ITEMS; i++) {
		if (i % 37 == 0)
			judge_search(lsh, naive, items, i, i);
		CHECK_EQUAL(lanewise_lsh_add(lsh, signatures[i], &item), LANEWISE_OK);
		CHECK_EQUAL(item, i);
		items[i] = i;
	}
	CHECK_EQUAL(lanewise_lsh_count(lsh), ITEMS);
	for (size_t i = 0; i < ITEMS; i += 41)
		judge_search(lsh, naive, items, ITEMS, i);
	lanewise_lsh_destroy(lsh);
}

/* What stays is similar to nothing that stayed before; what goes is similar to what `match` says, and to nothing more so. */
static void test_keep_first(const struct naive *naive, uint64_t families)
{
	static lanewise_lsh_match expected[ITEMS];
	lanewise_lsh *lsh = make(naive, 0);
	size_t kept[ITEMS], n_kept = 0;

	make_signatures(families + 1, families);
	for (size_t i = 0; i < ITEMS; i++) {
		size_t n = find_naively(naive, kept, n_kept, i, 1, expected);
		lanewise_lsh_match match = { 0, 0 };

		CHECK_EQUAL(lanewise_lsh_keep_first(lsh, signatures[i], NULL, NULL, &match), LANEWISE_OK);
		if (n > 0) {
			CHECK(same_matches(expected, &match, 1));
			continue;
		}
		CHECK_EQUAL(match.item, n_kept);
		CHECK(match.similarity < 0);
		kept[n_kept++] = i;
	}
	CHECK_EQUAL(lanewise_lsh_count(lsh), n_kept);
	CHECK(n_kept > families / 2 && n_kept < ITEMS);
	lanewise_lsh_destroy(lsh);
}

/* ------------------------------------------------------------- promises */

/* Boilerplate: all items agree in one band, which must cost no more than the bucket's cap. And memory keeps its bound. */
static void test_bounds(void)
{
	enum { MANY = 20000 };
	struct counter counter = { 0 };
	lanewise_allocator allocator = counting_allocator(&counter);
	lanewise_lsh_options options = { .struct_size = sizeof options,
		                         .n_hashes = K,
		                         .threshold = 0.9,
		                         .n_bands = 8,
		                         .n_rows = 8,
		                         .bucket_items = 5,
		                         .max_items = MANY,
		                         .reserve_items = MANY };
	lanewise_lsh *lsh;
	uint64_t random = 1;
	size_t n, most, allocated;
	uint64_t items[40];

	CHECK_EQUAL(lanewise_lsh_create(&options, &allocator, &lsh, NULL), LANEWISE_OK);
	allocated = counter.n_allocations;
	for (size_t i = 0; i < MANY; i++) {
		uint32_t signature[K];

		for (size_t j = 0; j < K; j++)
			signature[j] = j < 8 ? 7 : (uint32_t)test_random(&random);
		CHECK_EQUAL(lanewise_lsh_add(lsh, signature, NULL), LANEWISE_OK);
		CHECK_EQUAL(lanewise_lsh_candidates(lsh, signature, items, 40, &n), LANEWISE_OK);
		CHECK(n <= 6);
	}
	CHECK_EQUAL(lanewise_lsh_add(lsh, signatures[0], NULL), LANEWISE_ERROR_CAPACITY);
	CHECK_EQUAL(lanewise_lsh_count(lsh), MANY);
	CHECK_EQUAL(counter.n_allocations, allocated);
	CHECK(counter.most_bytes <= (size_t)MANY * (4 * K + 47 * 8 + 4) + 65536);
	lanewise_lsh_destroy(lsh);
	CHECK_EQUAL(counter.n_bytes, 0);
	lanewise_lsh_destroy(NULL);

	options.reserve_items = 0;
	counter.most_bytes = 0;
	CHECK_EQUAL(lanewise_lsh_create(&options, &allocator, &lsh, NULL), LANEWISE_OK);
	for (size_t i = 0; i < MANY; i++)
		lanewise_lsh_add(lsh, signatures[i % ITEMS], NULL);
	most = (size_t)MANY * 3 * (4 * K + 47 * 8 + 4) + 65536;
	CHECK(counter.most_bytes <= most);
	lanewise_lsh_destroy(lsh);
	CHECK_EQUAL(counter.n_bytes, 0);
}

/* Every allocation fails once: the item is not added, all is as before, and it can be added later. */
static void test_no_memory(void)
{
	lanewise_lsh_options options = { .struct_size = sizeof options, .n_hashes = K, .threshold = 0.5 };

	for (size_t fail_at = 1;; fail_at++) {
		struct counter counter = { .fail_at = fail_at };
		lanewise_allocator allocator = counting_allocator(&counter);
		lanewise_lsh *lsh = NULL;
		lanewise_error error;
		int failed = 0;

		if (lanewise_lsh_create(&options, &allocator, &lsh, &error) != LANEWISE_OK) {
			CHECK_EQUAL(error.status, LANEWISE_ERROR_NO_MEMORY);
			CHECK_EQUAL(counter.n_bytes, 0);
			continue;
		}
		for (size_t i = 0; i < ITEMS; i++) {
			lanewise_status status = lanewise_lsh_add(lsh, signatures[i], NULL);
			lanewise_lsh_match match;
			size_t n;

			if (status != LANEWISE_OK) {
				failed++;
				CHECK_EQUAL(status, LANEWISE_ERROR_NO_MEMORY);
				CHECK_EQUAL(lanewise_lsh_count(lsh), i);
				CHECK_EQUAL(lanewise_lsh_add(lsh, signatures[i], NULL), LANEWISE_OK);
			}
			CHECK_EQUAL(lanewise_lsh_find(lsh, signatures[i], NULL, NULL, &match, 1, &n), LANEWISE_OK);
			CHECK(n == 1 && match.similarity >= 1);
		}
		lanewise_lsh_destroy(lsh);
		CHECK_EQUAL(counter.n_bytes, 0);
		if (!failed)
			return;
	}
}

static void test_arguments(void)
{
	const lanewise_lsh_options fine = { .struct_size = sizeof fine, .n_hashes = K, .threshold = 0.5 };
	static const char *const names[] = { "struct_size",  "n_hashes",        "n_hashes",        "n_bands",
		                             "n_bands",      "n_bands * ",      "threshold",       "threshold",
		                             "threshold",    "false_positives", "false_positives", "max_items",
		                             "reserve_items" };
	lanewise_lsh *lsh = NULL;
	lanewise_lsh_match match;
	lanewise_error error;
	size_t n;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		lanewise_lsh_options wrong = fine;

		if (i == 0)
			wrong.struct_size--;
		else if (i < 3)
			wrong.n_hashes = i == 1 ? 0 : 4097;
		else if (i == 3)
			wrong.n_bands = 3;
		else if (i == 4)
			wrong.n_rows = 3;
		else if (i == 5)
			wrong.n_bands = wrong.n_rows = 9;
		else if (i < 9)
			wrong.threshold = i == 6 ? 0 : i == 7 ? 1.5 : NAN;
		else if (i < 11)
			wrong.false_positives = i == 9 ? 1 : NAN;
		else if (i == 11)
			wrong.max_items = UINT32_MAX;
		else
			wrong.reserve_items = (wrong.max_items = 5) + 1;
		error.what[0] = 0;
		CHECK_EQUAL(lanewise_lsh_create(&wrong, NULL, &lsh, &error), LANEWISE_ERROR_ARGUMENT);
		CHECK(strstr(error.what, names[i]) != NULL);
	}
	lanewise_lsh_options wrong = fine;

	wrong.bucket_items = 1 << 20;
	CHECK_EQUAL(lanewise_lsh_create(&wrong, NULL, &lsh, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK(strstr(error.what, "bucket_items") != NULL);
	wrong = fine;
	wrong.max_items = wrong.reserve_items = UINT32_MAX - 1; /* more buckets than there are hashes */
	CHECK_EQUAL(lanewise_lsh_create(&wrong, NULL, &lsh, &error), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_lsh_create(NULL, NULL, &lsh, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_lsh_create(&fine, NULL, NULL, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_lsh_create(&fine, NULL, &lsh, &error), LANEWISE_OK);
	CHECK(lanewise_lsh_n_bands(lsh) * lanewise_lsh_n_rows(lsh) <= K);
	CHECK_EQUAL(lanewise_lsh_add(lsh, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_lsh_add(NULL, signatures[0], NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_lsh_find(lsh, signatures[0], NULL, NULL, NULL, 1, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_lsh_find(lsh, signatures[0], NULL, NULL, &match, 1, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_lsh_keep_first(lsh, signatures[0], NULL, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_lsh_candidates(lsh, signatures[0], NULL, 1, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_lsh_candidates(lsh, signatures[0], NULL, 0, &n), LANEWISE_OK);
	CHECK_EQUAL(n, 0);
	CHECK_EQUAL(lanewise_lsh_count(lsh), 0);
	lanewise_lsh_destroy(lsh);
}

int main(void)
{
	const struct naive settings[] = { { 16, 4, 64, 0.5 }, { 8, 8, 1000, 0.8 }, { 21, 3, 4, 0.3 },
		                          { 1, 64, 2, 1 },    { 64, 1, 3, 0.1 },   { 3, 5, 1, 0.7 } };

	test_choose();
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		test_against_naive(&settings[i], 20, 0);
		test_against_naive(&settings[i], 300, ITEMS);
		test_keep_first(&settings[i], 25);
	}
	test_bounds();
	test_no_memory();
	test_arguments();
	return test_result();
}
