/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for lanewise/int8.h: definitions, element by element. */
#include "scalar.h"

void LW_FN(dot_i8_rows)(const int8_t *query, const int8_t *rows, size_t n_rows, size_t dim, size_t ld, int prefetch,
                        int32_t *out)
{
	(void)prefetch;
	for (size_t r = 0; r < n_rows; r++) {
		uint32_t sum = 0; /* unsigned, so that vectors beyond the limit wrap as they do in registers */

		for (size_t i = 0; i < dim; i++)
			sum += (uint32_t)(query[i] * rows[r * ld + i]);
		out[r] = (int32_t)sum;
	}
}

void LW_FN(dot_u8i8_rows)(const uint8_t *query, const int8_t *rows, size_t n_rows, size_t dim, size_t ld, int prefetch,
                          int32_t *out)
{
	(void)prefetch;
	for (size_t r = 0; r < n_rows; r++) {
		uint32_t sum = 0;

		for (size_t i = 0; i < dim; i++)
			sum += (uint32_t)(query[i] * rows[r * ld + i]);
		out[r] = (int32_t)sum;
	}
}

void LW_FN(dot_i8u8_rows)(const int8_t *query, const uint8_t *rows, size_t n_rows, size_t dim, size_t ld, int prefetch,
                          int32_t *out)
{
	(void)prefetch;
	for (size_t r = 0; r < n_rows; r++)
		LW_FN(dot_u8i8_rows)(rows + r * ld, query, 1, dim, dim, 0, out + r);
}

void LW_FN(dot_i8_queries)(const int8_t *queries, size_t n_queries, size_t query_ld, const int8_t *rows, size_t n_rows,
                           size_t dim, size_t ld, int prefetch, int32_t *out, size_t out_ld)
{
	for (size_t q = 0; q < n_queries; q++)
		LW_FN(dot_i8_rows)(queries + q * query_ld, rows, n_rows, dim, ld, prefetch, out + q * out_ld);
}

void LW_FN(dot_i8_above)(struct lw_i8_queries *queries, const int8_t *rows, size_t n_rows, size_t ld, int prefetch,
                         const float *scale, const float *least, struct lw_i8_found *found, size_t *n_found)
{
	for (size_t q = 0; q < queries->n; q++) {
		n_found[q] = 0;
		for (size_t r = 0; r < n_rows; r++) {
			int32_t dot;

			LW_FN(dot_i8_rows)(queries->codes + q * queries->ld, rows + r * ld, 1, queries->dim, ld,
			                   prefetch, &dot);
			if ((float)dot * scale[r] >= least[q])
				found[q * LW_I8_ROWS + n_found[q]++] = (struct lw_i8_found) { (uint32_t)r, dot };
		}
	}
}

void LW_FN(dot_i4_rows)(const int8_t *query, const uint8_t *rows, size_t n_rows, size_t n_blocks, int prefetch,
                        int32_t *out)
{
	(void)prefetch;
	for (size_t r = 0; r < n_rows; r++) {
		const uint8_t *row = rows + r * 64 * n_blocks;
		uint32_t sum = 0;
		int64_t q = 0;

		for (size_t i = 0; i < 128 * n_blocks; i++) {
			uint8_t both = row[i / 128 * 64 + i % 64];

			sum += (uint32_t)(query[i] * 16 * (i % 128 < 64 ? both & 15 : both >> 4));
			q += query[i];
		}
		out[r] = (int32_t)(sum - (uint32_t)(120 * q + (q - (q & 1)) / 2));
	}
}

/* The sum of v[i]^2 in the canonical order, where v[i] = x[i] - scale * codes[i] rounded once. */
static float canonical_error(const float *x, float scale, const int8_t *codes, size_t n)
{
	float sum[32] = { 0 };

	for (size_t i = 0; i < n; i++) {
		float v = lw_fma_f32(-scale, codes[i], x[i]);

		sum[i % 32] = lw_fma_f32(v, v, sum[i % 32]);
	}
	for (int half = 16; half >= 4; half /= 2)
		for (int j = 0; j < half; j++)
			sum[j] += sum[j + half];
	return lw_f32_canonical((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static float greatest_magnitude(const float *x, size_t n)
{
	float greatest = 0;

	for (size_t i = 0; i < n; i++) {
		if (x[i] != x[i])
			return NAN;
		greatest = fabsf(x[i]) > greatest ? fabsf(x[i]) : greatest;
	}
	return greatest;
}

/* The nearest integer, ties to even: adding and taking away 1.5 * 2^23 leaves no bit below 1. |x| < 2^22. */
static float round_to_even(float x)
{
	float shifted = x + 0x1.8p23f;

	return shifted - 0x1.8p23f;
}

void LW_FN(quantize_i8_rows)(const float *rows, size_t n_rows, size_t dim, size_t ld, int8_t *codes, size_t codes_ld,
                             float *scale, float *square, float *error_square)
{
	for (size_t r = 0; r < n_rows; r++) {
		const float *x = rows + r * ld;
		int8_t *code = codes + r * codes_ld;
		float greatest = greatest_magnitude(x, dim);

		for (size_t i = 0; i < dim; i++)
			code[i] = 0;
		scale[r] = 0;
		if (!(greatest <= FLT_MAX)) {
			scale[r] = square[r] = error_square[r] = lw_f32_canonical(NAN);
			continue;
		}
		if (greatest >= 0x1p-100f) {
			float inverse = 127 / greatest;

			scale[r] = greatest / 127;
			for (size_t i = 0; i < dim; i++)
				code[i] = (int8_t)round_to_even(x[i] * inverse);
		}
		error_square[r] = canonical_error(x, scale[r], code, dim);
		square[r] = canonical_error(x, 0, code, dim);
	}
}
