/* SPDX-License-Identifier: Apache-2.0 */
/* 16-bit floats: every tier gives what the f32 functions give for the widened vectors, for any bits. */
#include "fuzz.h"

#include <lanewise/half.h>
#include <lanewise/vector.h>

static void require_same(const float *a, const float *b, size_t n)
{
	FUZZ_REQUIRE(!n || memcmp(a, b, n * sizeof *a) == 0);
}

static void try_bf16(const uint16_t *rows, size_t n_rows, size_t dim, const float *query, float *wide, float *got,
                     float *expected)
{
	lanewise_bf16_to_f32(rows, n_rows * dim, wide);
	lanewise_dot_bf16_rows(query, rows, n_rows, dim, dim, got);
	lanewise_dot_f32_rows(query, wide, n_rows, dim, dim, expected);
	require_same(got, expected, n_rows);
	lanewise_cosine_bf16_rows(query, rows, n_rows, dim, dim, got);
	lanewise_cosine_f32_rows(query, wide, n_rows, dim, dim, expected);
	require_same(got, expected, n_rows);
	lanewise_l2sq_bf16_rows(query, rows, n_rows, dim, dim, got);
	lanewise_l2sq_f32_rows(query, wide, n_rows, dim, dim, expected);
	require_same(got, expected, n_rows);
}

static void try_f16(const uint16_t *rows, size_t n_rows, size_t dim, const float *query, float *wide, float *got,
                    float *expected)
{
	lanewise_f16_to_f32(rows, n_rows * dim, wide);
	lanewise_dot_f16_rows(query, rows, n_rows, dim, dim, got);
	lanewise_dot_f32_rows(query, wide, n_rows, dim, dim, expected);
	require_same(got, expected, n_rows);
	lanewise_cosine_f16_rows(query, rows, n_rows, dim, dim, got);
	lanewise_cosine_f32_rows(query, wide, n_rows, dim, dim, expected);
	require_same(got, expected, n_rows);
	lanewise_l2sq_f16_rows(query, rows, n_rows, dim, dim, got);
	lanewise_l2sq_f32_rows(query, wide, n_rows, dim, dim, expected);
	require_same(got, expected, n_rows);
}

/* What was widened narrows to what it was, but for the NaNs, which become one. */
static void try_back(const uint16_t *rows, size_t n, const float *wide, int bf16)
{
	uint16_t *back = fuzz_allocate(n * sizeof *back);

	(bf16 ? lanewise_f32_to_bf16 : lanewise_f32_to_f16)(wide, n, back);
	for (size_t i = 0; i < n; i++)
		FUZZ_REQUIRE(back[i] == (wide[i] != wide[i] ? (bf16 ? 0x7fc0 : 0x7e00) : rows[i]));
	free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	size_t dim = fuzz_u8(&in), n_rows = fuzz_u8(&in) % 40;
	uint16_t *rows = fuzz_allocate(n_rows * dim * sizeof *rows);
	float *query = fuzz_allocate(dim * sizeof *query), *wide = fuzz_allocate(n_rows * dim * sizeof *wide);
	float *got = fuzz_allocate(n_rows * sizeof *got), *expected = fuzz_allocate(n_rows * sizeof *expected);
	lanewise_tier before = lanewise_active_tier();

	fuzz_bytes(&in, query, dim * sizeof *query);
	for (size_t i = 0; i < n_rows * dim; i++)
		rows[i] = in.size > 1
		                  ? (uint16_t)(in.data[2 * i % (in.size - 1)] << 8 | in.data[2 * i % (in.size - 1) + 1])
		                  : 0;
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++)
		if (lanewise_set_tier(tier) == LANEWISE_OK) {
			try_f16(rows, n_rows, dim, query, wide, got, expected);
			try_back(rows, n_rows * dim, wide, 0);
			try_bf16(rows, n_rows, dim, query, wide, got, expected);
			try_back(rows, n_rows * dim, wide, 1);
		}
	lanewise_set_tier(before);
	free(rows);
	free(query);
	free(wide);
	free(got);
	free(expected);
	return 0;
}
