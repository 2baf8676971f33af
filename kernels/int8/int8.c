/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of lanewise/int8.h: calls through the kernel table. */
#include <lanewise/int8.h>

#include "common.h"

int32_t lanewise_dot_i8(const int8_t *a, const int8_t *b, size_t n)
{
	int32_t dot;

	lw_kernels()->dot_i8_rows(a, b, 1, n, n, 0, &dot);
	return dot;
}

/* Whether so many bytes are streamed from beyond L2: software prefetch gains there and costs inside. */
static int beyond_l2(size_t n_rows, size_t ld)
{
	size_t n_bytes = n_rows * ld;

	return n_bytes > (size_t)128 * 1024 && n_bytes > lanewise_l2_cache_bytes();
}

void lanewise_dot_i8_rows(const int8_t *query, const int8_t *rows, size_t n_rows, size_t dim, size_t ld, int32_t *out)
{
	LW_ASSERT(ld >= dim);
	LW_ASSERT(dim <= LANEWISE_DOT_I8_MAX_DIM);
	lw_kernels()->dot_i8_rows(query, rows, n_rows, dim, ld, beyond_l2(n_rows, ld), out);
}

int32_t lanewise_dot_u8i8(const uint8_t *a, const int8_t *b, size_t n)
{
	int32_t dot;

	lw_kernels()->dot_u8i8_rows(a, b, 1, n, n, 0, &dot);
	return dot;
}

void lanewise_dot_u8i8_rows(const uint8_t *query, const int8_t *rows, size_t n_rows, size_t dim, size_t ld,
                            int32_t *out)
{
	LW_ASSERT(ld >= dim);
	lw_kernels()->dot_u8i8_rows(query, rows, n_rows, dim, ld, beyond_l2(n_rows, ld), out);
}

void lanewise_dot_i8u8_rows(const int8_t *query, const uint8_t *rows, size_t n_rows, size_t dim, size_t ld,
                            int32_t *out)
{
	LW_ASSERT(ld >= dim);
	lw_kernels()->dot_i8u8_rows(query, rows, n_rows, dim, ld, beyond_l2(n_rows, ld), out);
}

void lanewise_quantize_i8_rows(const float *rows, size_t n_rows, size_t dim, size_t ld, int8_t *codes, size_t codes_ld,
                               float *scale)
{
	enum { BLOCK_ROWS = 64 };
	float square[BLOCK_ROWS], error_square[BLOCK_ROWS]; /* of no interest here */
	const struct lw_kernels *kernels = lw_kernels();

	LW_ASSERT(ld >= dim && codes_ld >= dim);
	for (size_t r = 0; r < n_rows; r += BLOCK_ROWS) {
		size_t n = n_rows - r < BLOCK_ROWS ? n_rows - r : BLOCK_ROWS;

		kernels->quantize_i8_rows(rows + r * ld, n, dim, ld, codes + r * codes_ld, codes_ld, scale + r, square,
		                          error_square);
	}
}
