/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Near duplicates on every tier: shingles of any text keep their bounds, signatures do not depend on the tier nor on how
 * hashes come, and what LSH keeps and drops is verified.
 */
#include <lanewise/near.h>

#include "fuzz.h"

enum { MOST_ITEMS = 40, MOST_K = 70 };

static lanewise_tier best_tier(void)
{
	lanewise_tier best = 0;

	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++)
		if (lanewise_tier_supported(t))
			best = t;
	return best;
}

static void judge_shingles(const char *text, size_t n_bytes, size_t width, size_t capacity)
{
	uint64_t *hashes = fuzz_allocate(capacity * sizeof *hashes);
	size_t n;

	for (int chars = 0; chars < 2; chars++) {
		lanewise_status status = (chars ? lanewise_shingles_chars : lanewise_shingles_words)(
		        text, n_bytes, width, 1, hashes, capacity, &n);

		FUZZ_REQUIRE(status == LANEWISE_OK || (status == LANEWISE_ERROR_CAPACITY && capacity < n_bytes));
		FUZZ_REQUIRE(n <= capacity && n <= n_bytes);
	}
	free(hashes);
}

/* All families of some hashes, in two pieces. */
struct signatures {
	uint32_t mul32[MOST_K], mul64[MOST_K], mod61[MOST_K], buckets[MOST_K], finished[MOST_K];
	uint64_t simhash;
};

static void sign(struct signatures *s, const uint64_t *hashes, size_t n, size_t cut, const uint64_t *a,
                 const uint64_t *b, size_t k)
{
	uint32_t a32[MOST_K], b32[MOST_K], *low = fuzz_allocate(n * sizeof *low);

	memset(s, 0, sizeof *s);
	for (size_t i = 0; i < k; i++) {
		a32[i] = (uint32_t)a[i] | 1;
		b32[i] = (uint32_t)b[i];
	}
	for (size_t i = 0; i < n; i++)
		low[i] = (uint32_t)hashes[i];
	lanewise_minhash_begin(s->mul32, k);
	lanewise_minhash_begin(s->mul64, k);
	lanewise_minhash_begin(s->mod61, k);
	lanewise_minhash_begin(s->buckets, k);
	for (int piece = 0; piece < 2; piece++) {
		size_t from = piece ? 0 : cut, n_piece = piece ? cut : n - cut;

		lanewise_minhash_mul32(hashes + from, n_piece, a32, b32, k, s->mul32);
		lanewise_minhash_mul64(hashes + from, n_piece, a, b, k, s->mul64);
		lanewise_minhash_mod61(low + from, n_piece, a, b, k, s->mod61);
		lanewise_minhash_buckets(hashes + from, n_piece, s->buckets, k);
	}
	lanewise_minhash_buckets_finish(s->buckets, k, s->finished);
	s->simhash = lanewise_simhash_64(hashes, n);
	free(low);
}

static void judge_signatures(struct fuzz_input *in)
{
	size_t k = 1 + fuzz_u8(in) % MOST_K, n = fuzz_u16(in) % 700, repeat = 1 + fuzz_u8(in) % 64;
	uint64_t a[MOST_K], b[MOST_K], *hashes = fuzz_allocate(n * sizeof *hashes);
	struct signatures expected, actual;

	fuzz_bytes(in, a, sizeof a);
	fuzz_bytes(in, b, sizeof b);
	for (size_t i = 0; i < n; i++) {
		if (i % repeat == 0)
			fuzz_bytes(in, &hashes[i], sizeof *hashes);
		else
			hashes[i] = hashes[i - 1] + (i & 1);
	}
	lanewise_set_tier(0);
	sign(&expected, hashes, n, n / 3, a, b, k);
	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++) {
		if (lanewise_set_tier(t) != LANEWISE_OK)
			continue;
		sign(&actual, hashes, n, n, a, b, k);
		FUZZ_REQUIRE(memcmp(&expected, &actual, sizeof actual) == 0);
	}
	for (size_t i = 0; i < k; i++)
		FUZZ_REQUIRE((expected.finished[i] == UINT32_MAX) == (n == 0));
	free(hashes);
}

static void judge_lsh(struct fuzz_input *in)
{
	uint32_t kept[MOST_ITEMS][12];
	lanewise_lsh_options options = { .struct_size = sizeof options,
		                         .n_hashes = 1 + fuzz_u8(in) % 12,
		                         .bucket_items = fuzz_u8(in) % 4,
		                         .max_items = fuzz_u8(in) % MOST_ITEMS,
		                         .threshold = (1 + fuzz_u8(in) % 10) / 10. };
	lanewise_lsh *lsh;
	uint64_t n_kept = 0;

	FUZZ_REQUIRE(lanewise_lsh_create(&options, NULL, &lsh, NULL) == LANEWISE_OK);
	for (int i = 0; i < MOST_ITEMS; i++) {
		uint32_t signature[12] = { 0 };
		lanewise_lsh_match match;
		lanewise_status status;

		for (size_t j = 0; j < options.n_hashes; j++)
			signature[j] = fuzz_u8(in) % 3;
		status = lanewise_lsh_keep_first(lsh, signature, NULL, NULL, &match);
		if (status == LANEWISE_ERROR_CAPACITY) {
			FUZZ_REQUIRE(options.max_items && n_kept == options.max_items);
			continue;
		}
		FUZZ_REQUIRE(status == LANEWISE_OK);
		if (match.similarity < 0) {
			FUZZ_REQUIRE(match.item == n_kept);
			memcpy(kept[n_kept++], signature, sizeof signature);
			continue;
		}
		FUZZ_REQUIRE(match.similarity >= options.threshold && match.item < n_kept);
		FUZZ_REQUIRE(!(lanewise_minhash_similarity(signature, kept[match.item], options.n_hashes) <
		               match.similarity));
	}
	FUZZ_REQUIRE(lanewise_lsh_count(lsh) == n_kept);
	lanewise_lsh_destroy(lsh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint8_t what = fuzz_u8(&in);

	lanewise_set_tier(best_tier());
	if (what % 3 == 0) {
		size_t width = 1 + fuzz_u8(&in) % LANEWISE_SHINGLE_MAX_WIDTH, capacity = fuzz_u8(&in);
		char *text = fuzz_allocate(in.size);

		if (in.size > 0)
			memcpy(text, in.data, in.size);
		judge_shingles(text, in.size, width, capacity < 128 ? in.size : capacity);
		free(text);
	} else if (what % 3 == 1) {
		judge_signatures(&in);
	} else {
		judge_lsh(&in);
	}
	return 0;
}
