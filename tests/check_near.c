/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the kernels of lanewise/near.h. */
#include "check.h"

#include <string.h>

/* Words of one kind: all 64 bits random, few set, extremes, those near multiples of 2^61 - 1, and of 2^32. */
enum { KINDS = 6 };

static uint64_t make_word(struct lw_check *c, int kind)
{
	const uint64_t prime = ((uint64_t)1 << 61) - 1;
	uint64_t random = lanewise_check_random(c), other = lanewise_check_random(c);

	switch (kind) {
	case 0:
		return random;
	case 1:
		return random & other & (other >> 7);
	case 2:
		return (random & 3) == 0   ? 0
		       : (random & 3) == 1 ? UINT64_MAX
		       : (random & 3) == 2 ? 1
		                           : (uint64_t)1 << 63;
	case 3:
		return prime * (random % 9) + (other % 3) - 1;
	case 4:
		return (random << 32) + (other % 3) - 1;
	default:
		return UINT64_MAX;
	}
}

static void fill_words(struct lw_check *c, uint64_t *p, size_t n, int kind)
{
	static const char *const names[KINDS] = { "random",         "few bits",  "extremes",
		                                  "near the prime", "near 2^32", "ones" };

	c->where.pattern = names[kind];
	for (size_t i = 0; i < n; i++)
		p[i] = make_word(c, kind);
}

static void fill_signature(struct lw_check *c, uint32_t *p, size_t n)
{
	uint64_t low = lanewise_check_random(c) & 1;

	for (size_t i = 0; i < n; i++)
		p[i] = low ? (uint32_t)lanewise_check_random(c) : UINT32_MAX;
}

/* ----------------------------------------------------------------- MinHash */

enum family { MUL32, MUL64, MOD61 };

static void call(const struct lw_kernels *kernels, enum family family, const void *hashes, size_t n, const void *a,
                 const void *b, size_t k, uint32_t *signature)
{
	if (family == MUL32)
		kernels->minhash_mul32(hashes, n, a, b, k, signature);
	else if (family == MUL64)
		kernels->minhash_mul64(hashes, n, a, b, k, signature);
	else
		kernels->minhash_mod61(hashes, n, a, b, k, signature);
}

static void judge_family(struct lw_check *c, enum family family, size_t n, size_t k, int place)
{
	uint64_t *hashes = c->scratch[0], *a = c->scratch[1], *b = c->scratch[2];
	uint32_t *begin = c->scratch[3], *expected = c->scratch[4];
	size_t hash_bytes = family == MOD61 ? 4 : 8, parameter_bytes = family == MUL32 ? 4 : 8;
	int kind = (int)lanewise_check_below(c, KINDS), other = (int)lanewise_check_below(c, KINDS);

	fill_words(c, a, k, other);
	fill_words(c, b, k, (int)lanewise_check_below(c, KINDS));
	fill_words(c, hashes, n, kind);
	fill_signature(c, begin, k);
	memcpy(expected, begin, k * sizeof *begin);
	c->where.length = n;
	c->where.k = k;
	c->where.place = place;
	call(c->reference, family, hashes, n, a, b, k, expected);

	const void *h = lanewise_check_input(c, 0, hashes, n * hash_bytes, place);
	const void *x = lanewise_check_input(c, 1, a, k * parameter_bytes, place);
	const void *y = lanewise_check_input(c, 2, b, k * parameter_bytes, place);
	uint32_t *signature = lanewise_check_inout(c, 3, begin, k * sizeof *begin, place);

	call(c->subject, family, h, n, x, y, k, signature);
	lanewise_check_same(c, "signature", expected, signature, k * sizeof *begin, sizeof *begin);
	lanewise_check_after(c);
}

static void check_family(struct lw_check *c, enum family family)
{
	static const size_t lengths[] = { 127, 128, 256, 257, 511, 1000, 1024 };

	for (size_t k = 1; k <= 140; k += c->quick ? 3 : 1)
		for (int i = 0; i < 3; i++) {
			size_t n = 1 + lanewise_check_below(c, i == 0 ? 140 : 40);

			judge_family(c, family, n, k, i == 2 ? 8 * (int)lanewise_check_below(c, 8) : LW_AT_FRONT + i);
		}
	for (size_t i = 0; i < (c->quick ? 1 : 5) * (sizeof lengths / sizeof *lengths); i++)
		judge_family(c, family, lengths[i % 7], i < 7 ? lengths[i % 7] : 64 + lanewise_check_below(c, 140),
		             LW_AT_BACK);
}

void lanewise_check_minhash_mul32(struct lw_check *c) { check_family(c, MUL32); }
void lanewise_check_minhash_mul64(struct lw_check *c) { check_family(c, MUL64); }
void lanewise_check_minhash_mod61(struct lw_check *c) { check_family(c, MOD61); }

static void judge_matches(struct lw_check *c, size_t k, size_t n_rows, int in_comb)
{
	uint32_t *query = c->scratch[0], *rows = c->scratch[1], *expected = c->scratch[2];
	size_t ld = k + lanewise_check_sometimes(c, 20), n_all = n_rows ? (n_rows - 1) * ld + k : 0;
	size_t stride = ld * 4;

	for (size_t i = 0; i < k; i++)
		query[i] = (uint32_t)lanewise_check_below(c, 3);
	for (size_t i = 0; i < n_rows * ld; i++)
		rows[i] = (uint32_t)lanewise_check_below(c, 3);
	c->where.length = k;
	c->where.rows = n_rows;
	c->where.ld = ld;
	c->where.place = LW_AT_BACK;
	c->reference->minhash_matches(query, rows, n_rows, k, ld, expected);

	const uint32_t *q = lanewise_check_input(c, 0, query, k * 4, LW_AT_BACK), *r;

	if (in_comb)
		r = lanewise_check_comb(c, rows, ld * 4, n_rows, k * 4, LW_AT_BACK, 0, &stride);
	else
		r = lanewise_check_input(c, 1, rows, n_all * 4, LW_AT_BACK);

	uint32_t *out = lanewise_check_output(c, 2, n_rows * 4, LW_AT_BACK);

	c->subject->minhash_matches(q, r, n_rows, k, stride / 4, out);
	lanewise_check_same(c, "out", expected, out, n_rows * 4, 4);
	lanewise_check_after(c);
}

void lanewise_check_minhash_matches(struct lw_check *c)
{
	for (size_t k = 0; k <= 140; k += c->quick ? 3 : 1)
		for (int in_comb = 0; in_comb < 2; in_comb++)
			judge_matches(c, k, lanewise_check_below(c, 9), in_comb);
}

/* ---------------------------------------------------------------- bit sums */

static void judge_sums(struct lw_check *c, size_t n, int kind, int place, int weighted)
{
	uint64_t *words = c->scratch[0];
	uint16_t *weights = c->scratch[1];
	uint32_t expected[64];

	fill_words(c, words, n, kind);
	for (size_t i = 0; i < n; i++)
		weights[i] = (uint16_t)(kind == KINDS - 1 ? 65535 : lanewise_check_random(c));
	c->where.length = n;
	c->where.place = place;
	if (weighted)
		c->reference->weighted_bit_sums(words, weights, n, expected);
	else
		c->reference->bit_sums(words, n, expected);

	const uint64_t *w = lanewise_check_input(c, 0, words, n * 8, place);
	uint32_t *sums = lanewise_check_output(c, 1, sizeof expected, LW_AT_BACK);

	if (weighted)
		c->subject->weighted_bit_sums(w, lanewise_check_input(c, 2, weights, n * 2, place), n, sums);
	else
		c->subject->bit_sums(w, n, sums);
	lanewise_check_same(c, "sums", expected, sums, sizeof expected, sizeof *sums);
	lanewise_check_after(c);
}

static void check_sums(struct lw_check *c, int weighted)
{
	static const size_t lengths[] = { 1000, 4064, 8191, 20000, 65536 };

	for (size_t n = 0; n <= 300; n += c->quick ? 7 : 1)
		for (int i = 0; i < 3; i++) {
			int kind = (int)lanewise_check_below(c, KINDS), offset = 8 * (int)lanewise_check_below(c, 8);

			judge_sums(c, n, kind, i == 2 ? offset : LW_AT_FRONT + i, weighted);
		}
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		for (int kind = 0; kind < KINDS; kind += KINDS - 1)
			judge_sums(c, lengths[i], kind, LW_AT_BACK, weighted);
}

void lanewise_check_bit_sums(struct lw_check *c) { check_sums(c, 0); }
void lanewise_check_weighted_bit_sums(struct lw_check *c) { check_sums(c, 1); }
