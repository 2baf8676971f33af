/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the kernels behind lanewise/topk.h; kernel_types.h says what each may write beyond its results. */
#include "check.h"

#include <math.h>
#include <string.h>

enum { BLOCK = LW_TOPK_BLOCK, MAX_LENGTH = 4 * BLOCK + 3 };

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static void fill_indices(struct lw_check *c, uint32_t *index, size_t n)
{
	for (size_t i = 0; i < n; i++)
		index[i] = (uint32_t)lanewise_check_random(c);
}

/* ------------------------------------------------------------------ filter */

struct filter_case {
	const float *scores;
	size_t n, capacity, n_kept;
	uint32_t first_index;
	float bound;
	const float *kept; /* what is in the reservoir before */
	const uint32_t *kept_index;
};

enum { SLOT_SCORES, SLOT_KEPT, SLOT_INDEX, SLOT_N_KEPT };

static void judge_filter(struct lw_check *c, const struct filter_case *k, int place, int kept_place)
{
	float *expected_kept = c->scratch[3];
	uint32_t *expected_index = c->scratch[4];
	size_t expected_n_kept = k->n_kept, bytes = k->capacity * sizeof(float);

	memcpy(expected_kept, k->kept, bytes);
	memcpy(expected_index, k->kept_index, bytes);

	size_t expected = c->reference->topk_filter_f32(k->scores, k->n, k->first_index, k->bound, expected_kept,
	                                                expected_index, &expected_n_kept, k->capacity);

	c->where.place = place;
	c->where.length = k->n;
	c->where.k = k->n_kept;
	c->where.capacity = k->capacity;

	const float *scores = lanewise_check_input(c, SLOT_SCORES, k->scores, k->n * sizeof(float), place);
	float *kept = lanewise_check_inout(c, SLOT_KEPT, k->kept, bytes, kept_place);
	uint32_t *index = lanewise_check_inout(c, SLOT_INDEX, k->kept_index, bytes, kept_place);
	size_t *n_kept = lanewise_check_inout(c, SLOT_N_KEPT, &k->n_kept, sizeof k->n_kept, LW_AT_BACK);
	size_t got =
	        c->subject->topk_filter_f32(scores, k->n, k->first_index, k->bound, kept, index, n_kept, k->capacity);

	lanewise_check_same(c, "the count of scores gone through", &expected, &got, sizeof got, sizeof got);
	lanewise_check_same(c, "n_kept", &expected_n_kept, n_kept, sizeof *n_kept, sizeof *n_kept);
	lanewise_check_same(c, "kept", expected_kept, kept, *n_kept * sizeof *kept, sizeof *kept);
	lanewise_check_same(c, "kept_index", expected_index, index, *n_kept * sizeof *index, sizeof *index);
	lanewise_check_after(c);
}

static float random_bound(struct lw_check *c, const float *scores, size_t n)
{
	static const float special[] = { -INFINITY, INFINITY, 0.0f, -0.0f, NAN, 0.5f, 1e-44f };
	size_t choice = lanewise_check_below(c, 2 * sizeof special / sizeof *special);

	if (choice < sizeof special / sizeof *special)
		return special[choice];
	return n ? scores[lanewise_check_below(c, n)] : 0;
}

/* A reservoir that is empty, has room for so many blocks and a little more or less, or is full. */
static void random_reservoir(struct lw_check *c, struct filter_case *k, size_t n)
{
	size_t blocks = lanewise_check_below(c, 6), more = lanewise_check_below(c, 3),
	       less = lanewise_check_below(c, 2);
	size_t room = lanewise_check_below(c, 2) ? n + BLOCK : blocks * BLOCK + more;

	k->n_kept = lanewise_check_sometimes(c, 70);
	k->capacity = k->n_kept + room - smaller(room, less);
}

void lanewise_check_topk_filter_f32(struct lw_check *c)
{
	float *scores = c->scratch[0];
	struct filter_case k = { .scores = scores, .kept = c->scratch[1], .kept_index = c->scratch[2] };

	lanewise_check_fill(c, c->scratch[1], 20000, 0);
	fill_indices(c, c->scratch[2], 20000);
	for (k.n = 0; k.n <= MAX_LENGTH; k.n++)
		for (int pattern = 0; pattern < lanewise_check_patterns; pattern++) {
			if (c->quick && (pattern + (int)k.n) % 5 != 0)
				continue;
			c->where.pattern = lanewise_check_pattern_name(pattern);
			lanewise_check_fill(c, scores, k.n, pattern);
			for (int i = -2; i < (c->quick ? 4 : 16); i++) {
				k.bound = random_bound(c, scores, k.n);
				k.first_index = (uint32_t)lanewise_check_random(c);
				random_reservoir(c, &k, k.n);
				judge_filter(c, &k, i < 0 ? i : 4 * i, i % 2 ? LW_AT_BACK : LW_AT_FRONT);
				judge_filter(c, &k, i < 0 ? i : 4 * i, lanewise_check_random_place(c, sizeof(float)));
			}
		}
	for (int i = 0; i < (c->quick ? 4 : 400); i++) {
		k.n = lanewise_check_below(c, 10000);
		c->where.pattern = "random";
		lanewise_check_fill(c, scores, k.n, 0);
		k.bound = i % 2 ? 0.99f : random_bound(c, scores, k.n);
		random_reservoir(c, &k, k.n);

		int place = lanewise_check_random_place(c, sizeof(float));

		judge_filter(c, &k, place, lanewise_check_random_place(c, sizeof(float)));
	}
}

/* ------------------------------------------------------------------ select */

/* Selection and compaction are promised that no score is NaN. */
static void fill_numbers(struct lw_check *c, float *v, size_t n, int pattern)
{
	c->where.pattern = lanewise_check_pattern_name(pattern);
	lanewise_check_fill(c, v, n, pattern);
	for (size_t i = 0; i < n; i++)
		if (v[i] != v[i])
			v[i] = (float)(i % 5);
}

static void judge_select(struct lw_check *c, const float *v, size_t n, size_t k, int place)
{
	float expected = c->reference->topk_select_f32(v, n, k);

	c->where.place = place;
	c->where.length = n;
	c->where.k = k;

	const float *p = lanewise_check_input(c, 0, v, n * sizeof *v, place);
	float got = c->subject->topk_select_f32(p, n, k);

	lanewise_check_same(c, "result", &expected, &got, sizeof got, sizeof got);
	lanewise_check_after(c);
}

/* The i-th k to try for n elements: the ends, the middle, and any. */
static size_t kth_choice(struct lw_check *c, size_t n, int i)
{
	const size_t usual[] = { 1, n, (n + 1) / 2, n > 1 ? n - 1 : 1, n > 1 ? 2 : 1 };

	return i < 5 ? usual[i] : 1 + lanewise_check_below(c, n);
}

void lanewise_check_topk_select_f32(struct lw_check *c)
{
	float *v = c->scratch[0];

	for (size_t n = 1; n <= MAX_LENGTH; n += c->quick ? 1 + lanewise_check_below(c, 6) : 1)
		for (int pattern = 0; pattern < lanewise_check_patterns; pattern++) {
			fill_numbers(c, v, n, pattern);
			for (int i = 0; i < (c->quick ? 4 : 8); i++) {
				size_t k = kth_choice(c, n, i);

				judge_select(c, v, n, k, i < 2 ? i - 2 : (int)(4 * lanewise_check_below(c, 16)));
			}
		}
	for (size_t n = 1; n <= 40; n++)
		for (size_t k = 1; k <= n; k++) {
			fill_numbers(c, v, n, (int)lanewise_check_below(c, (size_t)lanewise_check_patterns));
			judge_select(c, v, n, k, lanewise_check_random_place(c, sizeof(float)));
		}
	for (int offset = 0; offset < 64; offset += 4)
		for (size_t n = 1; n <= (c->quick ? 30 : 130); n += 3) {
			fill_numbers(c, v, n, 0);
			judge_select(c, v, n, 1 + lanewise_check_below(c, n), offset);
		}
	for (int i = 0; i < (c->quick ? 4 : 100); i++) {
		size_t n = 1 + lanewise_check_below(c, c->quick ? 3000 : 30000);

		fill_numbers(c, v, n, (int)lanewise_check_below(c, (size_t)lanewise_check_patterns));

		size_t k = 1 + lanewise_check_below(c, n);

		judge_select(c, v, n, k, lanewise_check_random_place(c, sizeof(float)));
	}
}

/* ----------------------------------------------------------------- compact */

static void judge_compact(struct lw_check *c, const float *v, const uint32_t *index, size_t n, size_t k, int place)
{
	float *expected = c->scratch[2];
	uint32_t *expected_index = c->scratch[3];
	float kth = c->reference->topk_select_f32(v, n, k);

	memcpy(expected, v, n * sizeof *v);
	memcpy(expected_index, index, n * sizeof *index);
	c->reference->topk_compact_f32(expected, expected_index, n, kth, k);
	c->where.place = place;
	c->where.length = n;
	c->where.k = k;

	float *p = lanewise_check_inout(c, 0, v, n * sizeof *v, place);
	uint32_t *i = lanewise_check_inout(c, 1, index, n * sizeof *index, place);

	c->subject->topk_compact_f32(p, i, n, kth, k);
	lanewise_check_same(c, "v", expected, p, k * sizeof *p, sizeof *p);
	lanewise_check_same(c, "index", expected_index, i, k * sizeof *i, sizeof *i);
	lanewise_check_after(c);
}

void lanewise_check_topk_compact_f32(struct lw_check *c)
{
	float *v = c->scratch[0];
	uint32_t *index = c->scratch[1];

	for (size_t n = 1; n <= MAX_LENGTH; n += c->quick ? 1 + lanewise_check_below(c, 6) : 1)
		for (int pattern = 0; pattern < lanewise_check_patterns; pattern++) {
			fill_numbers(c, v, n, pattern);
			fill_indices(c, index, n);
			for (int i = 0; i < (c->quick ? 4 : 8); i++) {
				size_t k = kth_choice(c, n, i);

				judge_compact(c, v, index, n, k,
				              i < 4 ? i % 2 - 2 : (int)(4 * lanewise_check_below(c, 16)));
			}
		}
	for (int offset = 0; offset < 64; offset += 4)
		for (size_t n = 1; n <= (c->quick ? 30 : 130); n += 3) {
			fill_numbers(c, v, n, (int)lanewise_check_below(c, (size_t)lanewise_check_patterns));
			judge_compact(c, v, index, n, 1 + lanewise_check_below(c, n), offset);
		}
	for (int i = 0; i < (c->quick ? 4 : 100); i++) {
		size_t n = 1 + lanewise_check_below(c, c->quick ? 3000 : 30000);

		fill_numbers(c, v, n, (int)lanewise_check_below(c, (size_t)lanewise_check_patterns));
		fill_indices(c, index, n);

		size_t k = 1 + lanewise_check_below(c, n);

		judge_compact(c, v, index, n, k, lanewise_check_random_place(c, sizeof(float)));
	}
}
