/* SPDX-License-Identifier: Apache-2.0 */
/* Vector kernels: every tier gives scalar's bits, and rows give what pairs give, for any bits as floats. */
#include "dispatch.h"
#include "fuzz.h"

struct problem {
	size_t dim, n_rows, ld;
	int prefetch;
	float *query, *rows; /* the last gap is not among the rows */
};

struct answers {
	float *scores[4], *normalized;
};

static size_t floats_of(const struct problem *p) { return p->n_rows ? (p->n_rows - 1) * p->ld + p->dim : 0; }

static void solve(const struct lw_kernels *kernels, const struct problem *p, struct answers *a)
{
	kernels->dot_f32_rows(p->query, p->rows, p->n_rows, p->dim, p->ld, p->prefetch, a->scores[0]);
	kernels->cosine_f32_rows(p->query, p->rows, p->n_rows, p->dim, p->ld, p->prefetch, a->scores[1]);
	kernels->l2sq_f32_rows(p->query, p->rows, p->n_rows, p->dim, p->ld, p->prefetch, a->scores[2]);
	kernels->norm_f32_rows(p->rows, p->n_rows, p->dim, p->ld, p->prefetch, a->scores[3]);
	if (floats_of(p))
		memcpy(a->normalized, p->rows, floats_of(p) * sizeof(float));
	kernels->normalize_f32_rows(a->normalized, p->n_rows, p->dim, p->ld);
}

static int same_bits(float a, float b) { return memcmp(&a, &b, sizeof a) == 0; }

static void require_pairs(const struct lw_kernels *kernels, const struct problem *p, const struct answers *a)
{
	for (size_t r = 0; r < p->n_rows; r++) {
		const float *row = p->rows + r * p->ld;

		FUZZ_REQUIRE(same_bits(kernels->dot_f32(p->query, row, p->dim), a->scores[0][r]));
		FUZZ_REQUIRE(same_bits(kernels->cosine_f32(p->query, row, p->dim), a->scores[1][r]));
		FUZZ_REQUIRE(same_bits(kernels->cosine_f32(row, p->query, p->dim), a->scores[1][r]));
		FUZZ_REQUIRE(same_bits(kernels->l2sq_f32(p->query, row, p->dim), a->scores[2][r]));
	}
}

static void allocate_answers(const struct problem *p, struct answers *a)
{
	for (int i = 0; i < 4; i++)
		a->scores[i] = fuzz_allocate(p->n_rows * sizeof(float));
	a->normalized = fuzz_allocate(floats_of(p) * sizeof(float));
}

static void free_answers(struct answers *a)
{
	for (int i = 0; i < 4; i++)
		free(a->scores[i]);
	free(a->normalized);
}

static void require_tiers_agree(const struct problem *p)
{
	struct answers expected, got;

	allocate_answers(p, &expected);
	allocate_answers(p, &got);
	solve(lanewise_kernels_of(0), p, &expected);
	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++) {
		if (!lanewise_tier_supported(t))
			continue;
		solve(lanewise_kernels_of(t), p, &got);
		for (int i = 0; i < 4; i++)
			FUZZ_REQUIRE(memcmp(got.scores[i], expected.scores[i], p->n_rows * sizeof(float)) == 0);
		FUZZ_REQUIRE(memcmp(got.normalized, expected.normalized, floats_of(p) * sizeof(float)) == 0);
		require_pairs(lanewise_kernels_of(t), p, &got);
	}
	free_answers(&expected);
	free_answers(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct problem p;

	p.dim = fuzz_u8(&in);
	p.n_rows = fuzz_u8(&in) % 40;
	p.ld = p.dim + fuzz_u8(&in) % 8;
	p.prefetch = fuzz_u8(&in) & 1;

	size_t n = floats_of(&p), head = n * sizeof(float) < in.size ? n * sizeof(float) : in.size;

	p.query = fuzz_allocate(p.dim * sizeof(float));
	p.rows = fuzz_allocate(n * sizeof(float));
	/* A short input is repeated: rows that are alike but begin elsewhere in the pattern. */
	for (size_t i = 0; i < n * sizeof(float); i++)
		((uint8_t *)p.rows)[i] = head ? in.data[i % head] : 0;
	fuzz_bytes(&in, p.query, p.dim * sizeof(float));
	require_tiers_agree(&p);
	free(p.query);
	free(p.rows);
	return 0;
}
