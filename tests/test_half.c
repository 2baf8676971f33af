/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/half.h against what the formats are: values put together by ldexp, rounding by a comparison of distances; and
 * products against lanewise/vector.h on the widened vectors, bit for bit, on every tier.
 */
#include <math.h>
#include <stdlib.h>

#include <lanewise/half.h>
#include <lanewise/vector.h>

#include "dispatch.h"
#include "test.h"

static uint64_t seed = 11;

/* ------------------------------------------------------------------ formats */

struct format {
	int fraction_bits, bias;
	void (*widen)(const uint16_t *x, size_t n, float *out);
	void (*narrow)(const float *x, size_t n, uint16_t *out);
};

static const struct format formats[] = { { 10, 15, lanewise_f16_to_f32, lanewise_f32_to_f16 },
	                                 { 7, 127, lanewise_bf16_to_f32, lanewise_f32_to_bf16 } };

/* The magnitude of bits without a sign; the first that are infinite count as the next number would. */
static double magnitude(const struct format *f, uint32_t bits)
{
	int exponent = (int)(bits >> f->fraction_bits);
	double fraction = bits & ((1u << f->fraction_bits) - 1), whole = 1u << f->fraction_bits;

	return exponent ? ldexp(whole + fraction, exponent - f->bias - f->fraction_bits)
	                : ldexp(fraction, 1 - f->bias - f->fraction_bits);
}

static uint32_t bits_of(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof bits);
	return bits;
}

static void test_widening(const struct format *f)
{
	uint32_t infinite = (0x7fffu >> f->fraction_bits) << f->fraction_bits;

	for (uint32_t i = 0; i < 65536; i++) {
		uint16_t x = (uint16_t)i;
		uint32_t rest = i & 0x7fff;
		float wide;

		f->widen(&x, 1, &wide);
		if (rest > infinite)
			CHECK_EQUAL(bits_of(wide), 0x7fc00000);
		else
			CHECK(fabs((double)wide) == (rest == infinite ? (double)INFINITY : magnitude(f, rest)) &&
			      !!signbit(wide) == (i >> 15));
	}
}

static float some_float(uint32_t kind)
{
	uint32_t bits = (uint32_t)test_random(&seed);
	float x;

	if (kind == 1) /* in range of f16 */
		bits = (bits & 0x807fffff) | (uint32_t)(100 + bits % 45) << 23;
	if (kind == 2) /* ties of either format */
		bits = (bits & 0xffff0000) | 0x8000;
	if (kind == 3)
		bits = (bits & 0x80ffe000) | (uint32_t)(100 + bits % 45) << 23 | 0x1000;
	memcpy(&x, &bits, sizeof x);
	return x;
}

static void test_rounding(const struct format *f)
{
	uint32_t infinite = (0x7fffu >> f->fraction_bits) << f->fraction_bits;

	for (uint32_t i = 0; i < 400000; i++) {
		float x = some_float(i % 4);
		uint16_t narrow;

		f->narrow(&x, 1, &narrow);

		uint32_t rest = narrow & 0x7fff;

		if (x != x) {
			CHECK_EQUAL(narrow, infinite | 1u << (f->fraction_bits - 1));
			continue;
		}
		CHECK_EQUAL(narrow >> 15, bits_of(x) >> 31);
		if (!CHECK(rest <= infinite) || isinf(x)) {
			CHECK_EQUAL(rest, infinite);
			continue;
		}

		double exact = fabs((double)x), error = fabs(exact - magnitude(f, rest));

		for (int step = -1; step <= 1; step += 2) {
			if ((rest == 0 && step < 0) || (rest == infinite && step > 0))
				continue;

			double other = fabs(exact - magnitude(f, (uint32_t)((int)rest + step)));

			if (rest == infinite && other > error)
				continue; /* far beyond the largest number */
			CHECK(error < other || (error <= other && rest % 2 == 0));
		}
	}
}

/* ----------------------------------------------------------------- products */

enum { MAX_DIM = 300, MAX_ROWS = 40 };

typedef float pair_fn(const uint16_t *a, const uint16_t *b, size_t n);
typedef float wide_fn(const float *a, const float *b, size_t n);
typedef void rows_fn(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld, float *out);

static const struct {
	int format;
	pair_fn *pair;
	rows_fn *rows;
	wide_fn *wide;
} products[] = { { 0, lanewise_dot_f16, lanewise_dot_f16_rows, lanewise_dot_f32 },
	         { 0, lanewise_cosine_f16, lanewise_cosine_f16_rows, lanewise_cosine_f32 },
	         { 0, lanewise_l2sq_f16, lanewise_l2sq_f16_rows, lanewise_l2sq_f32 },
	         { 1, lanewise_dot_bf16, lanewise_dot_bf16_rows, lanewise_dot_f32 },
	         { 1, lanewise_cosine_bf16, lanewise_cosine_bf16_rows, lanewise_cosine_f32 },
	         { 1, lanewise_l2sq_bf16, lanewise_l2sq_bf16_rows, lanewise_l2sq_f32 } };

static void test_products(void)
{
	static uint16_t rows[(MAX_ROWS + 1) * MAX_DIM];
	static float wide[(MAX_ROWS + 1) * MAX_DIM], out[MAX_ROWS];

	for (size_t p = 0; p < sizeof products / sizeof *products; p++)
		for (int round = 0; round < 300; round++) {
			size_t dim = test_random(&seed) % MAX_DIM, n_rows = test_random(&seed) % MAX_ROWS;
			size_t n = (n_rows + 1) * dim;
			int any_bits = round % 3 == 0;

			for (size_t i = 0; i < n; i++) {
				float x = (float)(int32_t)(test_random(&seed) >> 40) * 0x1p-23f - 1;

				if (any_bits)
					rows[i] = (uint16_t)test_random(&seed);
				else
					formats[products[p].format].narrow(&x, 1, &rows[i]);
			}
			formats[products[p].format].widen(rows, n, wide);
			products[p].rows(wide, rows + dim, n_rows, dim, dim, out);
			for (size_t r = 0; r < n_rows; r++) {
				const uint16_t *row = rows + (r + 1) * dim;
				float expected = products[p].wide(wide, wide + (r + 1) * dim, dim);
				float pair = products[p].pair(rows, row, dim);

				CHECK(!memcmp(&out[r], &expected, sizeof expected));
				CHECK(!memcmp(&pair, &expected, sizeof expected));
			}
		}
}

static void test_nothing(void)
{
	float out = 7;

	CHECK(lanewise_dot_f16(NULL, NULL, 0) == 0 && lanewise_cosine_bf16(NULL, NULL, 0) == 0);
	lanewise_f16_to_f32(NULL, 0, NULL);
	lanewise_f32_to_bf16(NULL, 0, NULL);
	lanewise_dot_f16_rows(NULL, NULL, 1, 0, 0, &out);
	CHECK(out == 0);
	out = 7;
	lanewise_cosine_bf16_rows(NULL, NULL, 1, 0, 0, &out);
	CHECK(out == 0);
	lanewise_l2sq_bf16_rows(NULL, NULL, 0, 5, 5, NULL);
}

int main(void)
{
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		for (size_t i = 0; i < 2; i++) {
			test_widening(&formats[i]);
			test_rounding(&formats[i]);
		}
		test_products();
		test_nothing();
	}
	return test_result();
}
