/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/near.h: MinHash against what the Python packages datasketch 2.0.0 and rensa 0.4.0 returned for the same hashes,
 * estimates against the sets that they are of, and everything against its definition.
 */
#include <lanewise/evaluate.h>
#include <lanewise/hash.h>
#include <lanewise/near.h>
#include <lanewise/text.h>

#include <math.h>
#include <stdlib.h>

#include "test.h"

enum { K = 128, MAX_N = 5000 };

/* ------------------------------------------------------------ other packages */

static void test_datasketch_legacy(void)
{
	static const uint32_t hashes[] = { 0, 1, 0xffffffff, 0xdeadbeef, 123456789 };
	static const uint64_t a[] = { 0xac1f425ff4780ec, 0x77eff20ccc38a,   0x591cb4f3c7053c1,
		                      0xfaebfcc634e1e48, 0x5928d86ef7f7d1a, 0xb5054fe5032b166 };
	static const uint64_t b[] = { 0x18672f8ceebc1448, 0xd65aacbffc11e85, 0x17a3809065865081,
		                      0x1876aaedab7479fc, 0x9efe4b2d8a7d514, 0xf6a8b928648c9d4 };
	static const uint32_t expected[] = { 0x1ba8989c, 0x208de20f, 0x27fabfb4, 0xec29845, 0x2618ec5f, 0x36161870 };
	uint32_t signature[6];

	lanewise_minhash_begin(signature, 6);
	lanewise_minhash_mod61(hashes, 5, a, b, 6, signature);
	CHECK(memcmp(signature, expected, sizeof expected) == 0);
}

/* The hashes are 0, 1, 0xffffffff, 0xdeadbeef and 123456789 after fmix32. */
static void test_datasketch_affine32(void)
{
	static const uint64_t hashes[] = { 0, 0x514e28b7, 0x81f16f39, 0xde5c6a9, 0xba60d89a };
	static const uint32_t a[] = { 0xd583e84b, 0xfe8f01d7, 0x70ce5f19, 0xdd782891, 0xefdff, 0x41998713 };
	static const uint32_t b[] = { 0x4d65aacb, 0xffc11e85, 0x2591cb4f, 0x3c7053c0, 0x17a38090, 0x65865081 };
	static const uint32_t expected[] = { 0xcd67068, 0x37e89f74, 0x2591cb4f, 0x6d84179, 0x17a38090, 0x3d582e0c };
	uint32_t signature[6];

	lanewise_minhash_begin(signature, 6);
	lanewise_minhash_mul32(hashes, 5, a, b, 6, signature);
	CHECK(memcmp(signature, expected, sizeof expected) == 0);
}

static void test_rensa(void)
{
	static const uint64_t hashes[] = { 0, 1, 0xffffffffffffffff, 0xdeadbeefdeadbeef, 1234567890123456789 };
	static const uint32_t expected[] = { 0x1b05e474, 0x2e15485b, 0xad02b58, 0x352207f6, 0x241cca0d, 0x4a5d9368 };
	uint64_t a[6], b[6];
	uint32_t signature[6];

	lanewise_minhash_mul64_parameters(42, a, b, 6);
	lanewise_minhash_begin(signature, 6);
	lanewise_minhash_mul64(hashes, 5, a, b, 6, signature);
	CHECK(memcmp(signature, expected, sizeof expected) == 0);
}

/* ---------------------------------------------------------------- families */

static const char *const family_names[] = { "mul32", "mul64", "mod61", "buckets" };
enum family { MUL32, MUL64, MOD61, BUCKETS, FAMILIES };

struct parameters {
	uint32_t a32[K], b32[K];
	uint64_t a64[K], b64[K], a61[K], b61[K];
};

static struct parameters parameters;

static void make_parameters(void)
{
	const uint64_t prime = ((uint64_t)1 << 61) - 1;
	uint64_t random = 7;

	lanewise_minhash_mul32_parameters(1, parameters.a32, parameters.b32, K);
	lanewise_minhash_mul64_parameters(1, parameters.a64, parameters.b64, K);
	for (size_t i = 0; i < K; i++) {
		parameters.a61[i] = test_random(&random) % (prime - 1) + 1;
		parameters.b61[i] = test_random(&random) % prime;
		CHECK(parameters.a32[i] & 1);
		CHECK(parameters.a64[i] & 1);
	}
}

static void update(enum family family, const uint64_t *hashes, size_t n, uint32_t *signature)
{
	static uint32_t low[MAX_N];

	for (size_t i = 0; i < n; i++)
		low[i] = (uint32_t)hashes[i];
	if (family == MUL32)
		lanewise_minhash_mul32(hashes, n, parameters.a32, parameters.b32, K, signature);
	else if (family == MUL64)
		lanewise_minhash_mul64(hashes, n, parameters.a64, parameters.b64, K, signature);
	else if (family == MOD61)
		lanewise_minhash_mod61(low, n, parameters.a61, parameters.b61, K, signature);
	else
		lanewise_minhash_buckets(hashes, n, signature, K);
}

static void sign(enum family family, const uint64_t *hashes, size_t n, uint32_t *signature)
{
	uint32_t buckets[K];

	lanewise_minhash_begin(signature, K);
	update(family, hashes, n, signature);
	if (family == BUCKETS) {
		memcpy(buckets, signature, sizeof buckets);
		lanewise_minhash_buckets_finish(buckets, K, signature);
	}
}

static void test_pieces(enum family family)
{
	enum { N = 300 };
	uint64_t hashes[N], random = 3;
	uint32_t whole[K], pieces[K], left[K], right[K];

	for (size_t i = 0; i < N; i++)
		hashes[i] = test_random(&random);
	lanewise_minhash_begin(whole, K);
	update(family, hashes, N, whole);
	for (size_t cut = 0; cut <= N; cut += 25) {
		lanewise_minhash_begin(pieces, K);
		lanewise_minhash_begin(left, K);
		lanewise_minhash_begin(right, K);
		update(family, hashes + cut, N - cut, pieces);
		update(family, hashes, cut, pieces);
		update(family, hashes, cut, pieces);
		CHECK(memcmp(whole, pieces, sizeof whole) == 0);
		update(family, hashes, cut, left);
		update(family, hashes + cut, N - cut, right);
		lanewise_minhash_merge(left, right, K);
		CHECK(memcmp(whole, left, sizeof whole) == 0);
	}
	CHECK(lanewise_minhash_similarity(whole, pieces, K) >= 1);
	lanewise_minhash_begin(pieces, K);
	update(family, NULL, 0, pieces);
	CHECK(pieces[0] == UINT32_MAX && pieces[K - 1] == UINT32_MAX);
}

/*
 * Estimates for many pairs of random sets: the mean error is as small as that of unbiased estimates (within four standard
 * deviations), and the mean square what theory says, within a factor.
 */
static void test_estimates(enum family family, size_t n, size_t n_common, double most_variance)
{
	enum { PAIRS = 400 };
	static uint64_t a[MAX_N], b[MAX_N];
	double exact = (double)n_common / (double)(2 * n - n_common), variance = exact * (1 - exact) / K;
	double sum = 0, square = 0, bound;
	uint64_t random = 11;

	for (int pair = 0; pair < PAIRS; pair++) {
		uint32_t x[K], y[K];

		for (size_t i = 0; i < n; i++) {
			a[i] = test_random(&random);
			b[i] = i < n_common ? a[i] : test_random(&random);
		}
		sign(family, a, n, x);
		sign(family, b, n, y);

		double error = lanewise_minhash_similarity(x, y, K) - exact;

		sum += error;
		square += error * error;
	}
	sum /= PAIRS;
	square /= PAIRS;
	bound = 4 * sqrt(variance * most_variance / PAIRS) + 1e-9;
	if (!CHECK(fabs(sum) <= bound) || !CHECK(square <= variance * most_variance + 1e-12))
		fprintf(stderr, "%s, %zu of %zu: mean error %g (%g), square %g (%g)\n", family_names[family], n_common,
		        n, sum, bound, square, variance * most_variance);
}

static void test_all_estimates(void)
{
	static const struct {
		size_t n, n_common;
	} sets[] = { { 1, 0 },     { 1, 1 },     { 10, 5 },    { 50, 45 },     { 64, 40 },     { 70, 40 },
		     { 200, 100 }, { 500, 480 }, { 1000, 20 }, { 2000, 1500 }, { MAX_N, 2500 } };

	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		for (enum family family = 0; family < FAMILIES; family++) {
			/* Buckets of sets smaller than K tell the same more than once. */
			double n = (double)sets[i].n, most = family == BUCKETS ? 1.3 + 1.3 * K / n : 1.3;

			test_estimates(family, sets[i].n, sets[i].n_common, most);
		}
}

static void test_rows(void)
{
	enum { SETS = 30, LD = K + 3 };
	static uint64_t hashes[SETS * SETS];
	static uint32_t low[SETS * SETS], rows[FAMILIES][SETS * LD];
	uint64_t offsets[SETS + 1] = { 5 }, random = 17;

	for (size_t i = 0; i < SETS * SETS; i++) {
		hashes[i] = test_random(&random);
		low[i] = (uint32_t)hashes[i];
	}
	for (size_t r = 0; r < SETS; r++)
		offsets[r + 1] = offsets[r] + r % 3 * r;
	memset(rows, 0x77, sizeof rows);
	lanewise_minhash_mul32_rows(hashes, offsets, SETS, parameters.a32, parameters.b32, K, rows[MUL32], LD);
	lanewise_minhash_mul64_rows(hashes, offsets, SETS, parameters.a64, parameters.b64, K, rows[MUL64], LD);
	lanewise_minhash_mod61_rows(low, offsets, SETS, parameters.a61, parameters.b61, K, rows[MOD61], LD);
	CHECK_EQUAL(lanewise_minhash_buckets_rows(hashes, offsets, SETS, K, rows[BUCKETS], LD), LANEWISE_OK);
	CHECK_EQUAL(lanewise_minhash_buckets_rows(hashes, offsets, SETS, 4097, rows[0], LD), LANEWISE_ERROR_TOO_LARGE);
	for (size_t r = 0; r < SETS; r++)
		for (enum family family = 0; family < FAMILIES; family++) {
			uint32_t expected[K];

			sign(family, hashes + offsets[r], (size_t)(offsets[r + 1] - offsets[r]), expected);
			CHECK(memcmp(expected, rows[family] + r * LD, sizeof expected) == 0);
			CHECK(rows[family][r * LD + K] == 0x77777777);
		}
}

/* --------------------------------------------------------------- buckets */

/* Each bucket on its own, by the definition. */
static void finish_naively(const uint32_t *buckets, size_t k, uint32_t *signature)
{
	for (size_t i = 0; i < k; i++) {
		signature[i] = buckets[i];
		for (uint64_t round = 0; round < 9 * k && signature[i] == UINT32_MAX; round++) {
			uint64_t state = round;
			size_t offset = round < 8 * k ? (size_t)((test_random(&state) >> 32) * k >> 32)
			                              : (size_t)(round - 8 * k);

			signature[i] = buckets[(i + k - offset) % k];
		}
	}
}

static void test_buckets(void)
{
	static const size_t sizes[] = { 1, 2, 3, 64, 65, 127, 128, 200, 256, 1000 };
	static uint32_t buckets[1000], expected[1000], signature[1000];
	uint64_t random = 5;

	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
		for (size_t n = 0; n < 4 * sizes[s]; n += 1 + n / 8) {
			size_t k = sizes[s];

			lanewise_minhash_begin(buckets, k);
			for (size_t i = 0; i < n; i++) {
				uint64_t hash = test_random(&random), ones = hash | 0xffffffff;

				lanewise_minhash_buckets(n % 3 ? &hash : &ones, 1, buckets, k);
				CHECK(buckets[(hash >> 32) * k >> 32] < UINT32_MAX);
			}
			finish_naively(buckets, k, expected);
			lanewise_minhash_buckets_finish(buckets, k, signature);
			CHECK(memcmp(expected, signature, k * sizeof *expected) == 0);
			CHECK((n == 0) == (signature[k - 1] == UINT32_MAX));
		}
}

static void test_matches(void)
{
	uint32_t rows[5 * 150], out[5];

	for (size_t i = 0; i < 5 * 150; i++)
		rows[i] = (uint32_t)(i % 150 < 20 * (i / 150) ? 1 : i + 2);
	lanewise_minhash_matches(rows + 600, rows, 5, 140, 150, out);
	for (uint32_t r = 0; r < 4; r++)
		CHECK_EQUAL(out[r], 20 * r);
	CHECK_EQUAL(out[4], 140);
	CHECK(fabs(lanewise_minhash_similarity(rows + 150, rows + 600, 140) - 20. / 140) < 1e-15);
	CHECK(lanewise_minhash_similarity(NULL, NULL, 0) <= 0);
	lanewise_minhash_matches(rows, rows, 5, 0, 0, out);
	CHECK_EQUAL(out[0], 0);
}

/* ----------------------------------------------------------------- Jaccard */

static void test_jaccard(void)
{
	uint64_t random = 9;

	for (int round = 0; round < 300; round++) {
		uint64_t a[60], b[60];
		size_t n_a = test_random(&random) % 60, n_b = test_random(&random) % 60, both = 0, either = 0;
		uint64_t range = 1 + test_random(&random) % 80;

		for (size_t i = 0; i < n_a; i++)
			a[i] = test_random(&random) % range - 1; /* with UINT64_MAX */
		for (size_t i = 0; i < n_b; i++)
			b[i] = test_random(&random) % range - 1;
		for (uint64_t x = 0; x < range; x++) {
			int in_a = 0, in_b = 0;

			for (size_t i = 0; i < n_a; i++)
				in_a |= a[i] == x - 1;
			for (size_t i = 0; i < n_b; i++)
				in_b |= b[i] == x - 1;
			both += in_a && in_b;
			either += in_a || in_b;
		}

		double expected = either ? (double)both / (double)either : 0;

		n_a = lanewise_hash_set_u64(a, n_a);
		n_b = lanewise_hash_set_u64(b, n_b);
		CHECK_EQUAL(n_a + n_b, both + either);
		for (size_t i = 1; i < n_a; i++)
			CHECK(a[i - 1] < a[i]);
		CHECK(fabs(lanewise_jaccard_u64(a, n_a, b, n_b) - expected) < 1e-15);
	}
	CHECK_EQUAL(lanewise_hash_set_u64(NULL, 0), 0);
}

/* ----------------------------------------------------------------- SimHash */

static uint64_t simhash_naively(const uint64_t *hashes, const uint16_t *weights, size_t n)
{
	uint64_t bits = 0;

	for (int bit = 0; bit < 64; bit++) {
		int64_t balance = 0;

		for (size_t i = 0; i < n; i++)
			balance += (hashes[i] >> bit & 1 ? 1 : -1) * (weights ? weights[i] : 1);
		bits |= (uint64_t)(balance > 0) << bit;
	}
	return bits;
}

static void test_simhash(void)
{
	enum { LARGE = (1 << 20) + 77 };
	uint64_t random = 13, *hashes = malloc(LARGE * sizeof *hashes);
	uint16_t *weights = malloc(LARGE * sizeof *weights);

	if (!CHECK(hashes && weights))
		return;
	for (size_t i = 0; i < LARGE; i++) {
		hashes[i] = test_random(&random);
		weights[i] = (uint16_t)test_random(&random);
	}
	for (size_t n = 0; n < 3000; n += 1 + n / 10) {
		uint64_t counts[64] = { 0 }, total = 0;

		CHECK(lanewise_simhash_64(hashes, n) == simhash_naively(hashes, NULL, n));
		CHECK(lanewise_simhash_64_weighted(hashes, weights, n) == simhash_naively(hashes, weights, n));
		total += lanewise_simhash_add(hashes, n / 3, counts);
		total += lanewise_simhash_add(hashes + n / 3, n - n / 3, counts);
		CHECK(lanewise_simhash_finish(counts, total) == lanewise_simhash_64(hashes, n));
		memset(counts, 0, sizeof counts);
		total = lanewise_simhash_add_weighted(hashes, weights, n / 3, counts);
		total += lanewise_simhash_add_weighted(hashes + n / 3, weights + n / 3, n - n / 3, counts);
		CHECK(lanewise_simhash_finish(counts, total) == lanewise_simhash_64_weighted(hashes, weights, n));
	}
	CHECK(lanewise_simhash_64(hashes, LARGE) == simhash_naively(hashes, NULL, LARGE));
	CHECK(lanewise_simhash_64_weighted(hashes, weights, LARGE) == simhash_naively(hashes, weights, LARGE));
	CHECK(lanewise_simhash_64(NULL, 0) == 0);
	for (size_t i = 0; i < LARGE; i++) {
		hashes[i] = UINT64_MAX;
		weights[i] = 65535;
	}
	CHECK(lanewise_simhash_64_weighted(hashes, weights, LARGE) == UINT64_MAX);
	CHECK(lanewise_simhash_64(hashes, LARGE) == UINT64_MAX);
	free(hashes);
	free(weights);
}

/* ---------------------------------------------------------------- shingles */

static size_t words_naively(const char *text, size_t n_bytes, size_t width, uint64_t *hashes)
{
	size_t n_words, n = 0, n_folded = 0;
	lanewise_word *words = malloc((lanewise_text_words_bound(n_bytes) + 1) * sizeof *words);
	char *folded = malloc(lanewise_text_folded_bound(n_bytes) + 1),
	     *joined = malloc(LANEWISE_SHINGLE_MAX_WIDTH * 256);

	CHECK(lanewise_text_words(text, n_bytes, words, lanewise_text_words_bound(n_bytes), folded,
	                          lanewise_text_folded_bound(n_bytes), &n_words) == LANEWISE_OK);
	for (size_t i = 0; i < n_words && (i == 0 || i + width <= n_words); i++) {
		n_folded = 0;
		for (size_t j = i; j < i + width && j < n_words; j++) {
			if (j > i)
				joined[n_folded++] = ' ';
			memcpy(joined + n_folded, words[j].text, words[j].n_bytes);
			n_folded += words[j].n_bytes;
		}
		hashes[n++] = lanewise_xxh3_64(joined, n_folded, 5);
	}
	free(words);
	free(folded);
	free(joined);
	return n;
}

/* Behind the character at `at`. */
static size_t behind_character(const char *text, size_t n_bytes, size_t at)
{
	size_t end = at + 1;

	while (end < n_bytes && end < at + 4 && ((unsigned char)text[end] & 0xc0) == 0x80)
		end++;
	return end;
}

static size_t chars_naively(const char *text, size_t n_bytes, size_t width, uint64_t *hashes)
{
	size_t n = 0;

	for (size_t begin = 0; begin < n_bytes; begin = behind_character(text, n_bytes, begin)) {
		size_t end = begin, left = width;

		for (; end < n_bytes && left > 0; left--)
			end = behind_character(text, n_bytes, end);
		if (left > 0 && n > 0)
			break;
		hashes[n++] = lanewise_xxh3_64(text + begin, end - begin, 5);
		if (left > 0)
			break;
	}
	return n;
}

static size_t make_text(char *text, size_t most, int kind, uint64_t *random)
{
	static const char *const alphabets[] = { "ab ", "aB\xc3\xa9 .", "\x80\xbf\x61\xe4\xb8\x80 ", "abcdefgh" };
	const char *alphabet = alphabets[kind];
	size_t n = test_random(random) % (most + 1), size = strlen(alphabet);

	for (size_t i = 0; i < n; i++) {
		uint64_t choice = test_random(random);

		text[i] = alphabet[choice % size];
		if (kind == 3 && choice >> 8 & 63)
			text[i] = 'x'; /* long words */
	}
	return n;
}

/* The stream, in pieces of `step` bytes, given out by `room`. */
static size_t in_pieces(const char *text, size_t n_bytes, int chars, size_t width, size_t step, size_t room,
                        uint64_t *hashes)
{
	void *scratch = malloc(lanewise_shingles_scratch_size());
	lanewise_shingles *shingles =
	        lanewise_shingles_begin(scratch, chars ? LANEWISE_SHINGLES_CHARS : LANEWISE_SHINGLES_WORDS, width, 5);
	size_t n = 0, got;

	for (size_t at = 0; at <= n_bytes; at += step) {
		size_t size = step < n_bytes - at ? step : n_bytes - at;
		char *piece = malloc(size ? size : 1);

		memcpy(piece, text + at, size);
		lanewise_shingles_feed(shingles, piece, size);
		while ((got = lanewise_shingles_next(shingles, hashes + n, room)) > 0)
			n += got;
		free(piece);
	}
	lanewise_shingles_finish(shingles);
	while ((got = lanewise_shingles_next(shingles, hashes + n, room)) > 0)
		n += got;
	free(scratch);
	return n;
}

static void test_shingles(void)
{
	enum { MOST = 20000 };
	static char text[MOST];
	static uint64_t expected[MOST], hashes[2 * MOST];
	uint64_t random = 21;

	for (int round = 0; round < 400; round++) {
		size_t n_bytes = make_text(text, round < 360 ? 60 : MOST, round % 4, &random), n, n_expected;
		size_t width = round % 3 ? 1 + test_random(&random) % 6 : 1 + test_random(&random) % 32;

		for (int chars = 0; chars < 2; chars++) {
			lanewise_status (*function)(const char *, size_t, size_t, uint64_t, uint64_t *, size_t,
			                            size_t *) =
			        chars ? lanewise_shingles_chars : lanewise_shingles_words;

			n_expected = (chars ? chars_naively : words_naively)(text, n_bytes, width, expected);
			CHECK_EQUAL(function(text, n_bytes, width, 5, hashes, n_bytes, &n), LANEWISE_OK);
			CHECK_EQUAL(n, n_expected);
			CHECK(memcmp(hashes, expected, n * sizeof *hashes) == 0);
			for (size_t step = 1; step < 5000; step = 3 * step + 1) {
				size_t room = 1 + test_random(&random) % 3000;

				CHECK_EQUAL(in_pieces(text, n_bytes, chars, width, step, room, hashes), n);
				CHECK(memcmp(hashes, expected, n * sizeof *hashes) == 0);
			}
			if (n == 0)
				continue;
			hashes[n / 2] = 77;
			CHECK_EQUAL(function(text, n_bytes, width, 5, hashes, n / 2, &n_expected),
			            LANEWISE_ERROR_CAPACITY);
			CHECK_EQUAL(n_expected, n / 2);
			CHECK_EQUAL(hashes[n / 2], 77);
		}
	}
}

static void test_shingle_arguments(void)
{
	uint64_t hash;
	size_t n = 7;

	CHECK_EQUAL(lanewise_shingles_words("a", 1, 0, 0, &hash, 1, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_shingles_words("a", 1, 33, 0, &hash, 1, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_shingles_chars("a", 1, 33, 0, &hash, 1, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_shingles_words(NULL, 1, 1, 0, &hash, 1, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_shingles_words("a", 1, 1, 0, NULL, 1, &n), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_shingles_words("a", 1, 1, 0, &hash, 1, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(n, 7);
	CHECK_EQUAL(lanewise_shingles_words(NULL, 0, 1, 0, NULL, 0, &n), LANEWISE_OK);
	CHECK_EQUAL(n, 0);
	CHECK_EQUAL(lanewise_shingles_chars(NULL, 0, 1, 0, NULL, 0, &n), LANEWISE_OK);
	CHECK_EQUAL(n, 0);
	CHECK_EQUAL(lanewise_shingles_words("...", 3, 2, 0, NULL, 0, &n), LANEWISE_OK);
	CHECK_EQUAL(lanewise_shingles_words("Foo, BAR", 8, 2, 0, &hash, 1, &n), LANEWISE_OK);
	CHECK(n == 1 && hash == lanewise_xxh3_64("foo bar", 7, 0));

	char *scratch = malloc(lanewise_shingles_scratch_size() + 1);

	CHECK(!lanewise_shingles_begin(NULL, LANEWISE_SHINGLES_WORDS, 1, 0));
	CHECK(!lanewise_shingles_begin(scratch + 1, LANEWISE_SHINGLES_WORDS, 1, 0));
	CHECK(!lanewise_shingles_begin(scratch, 2, 1, 0));
	CHECK(!lanewise_shingles_begin(scratch, LANEWISE_SHINGLES_CHARS, 0, 0));
	CHECK(!lanewise_shingles_begin(scratch, LANEWISE_SHINGLES_CHARS, 33, 0));
	free(scratch);
}

int main(void)
{
	test_datasketch_legacy();
	test_datasketch_affine32();
	test_rensa();
	make_parameters();
	for (enum family family = 0; family < FAMILIES; family++)
		test_pieces(family);
	test_rows();
	test_all_estimates();
	test_buckets();
	test_matches();
	test_jaccard();
	test_simhash();
	test_shingles();
	test_shingle_arguments();
	return test_result();
}
