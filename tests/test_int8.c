/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/int8.h against sums in 64 bits and against the header's definition in double, on every tier. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include <lanewise/int8.h>
#include <lanewise/vector.h>

#include "common.h"
#include "test.h"

enum { MAX_DIM = LANEWISE_DOT_I8_MAX_DIM, MAX_MIXED_DIM = LANEWISE_DOT_U8I8_MAX_DIM };

static int8_t a[MAX_DIM], b[2 * MAX_DIM];
static uint64_t random_state = 11;

static size_t below(size_t n) { return (size_t)(test_random(&random_state) % n); }

static int64_t exact_dot(const int8_t *x, const int8_t *y, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (int64_t)x[i] * y[i];
	return sum;
}

static void fill(int8_t *p, size_t n, int kind)
{
	for (size_t i = 0; i < n; i++)
		p[i] = kind == 0   ? (int8_t)test_random(&random_state)
		       : kind == 1 ? -128
		       : kind == 2 ? 127
		                   : (int8_t)-below(2);
}

static void test_dots(void)
{
	static const size_t dims[] = { 0, 1, 15, 16, 17, 63, 64, 65, 384, 1000, 65536, MAX_DIM };

	for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
		for (int kind = 0; kind < 16; kind++) {
			size_t n = dims[i];
			int32_t out[2];

			fill(a, n, kind / 4);
			fill(b, 2 * n, kind % 4);
			CHECK_EQUAL(lanewise_dot_i8(a, b, n), exact_dot(a, b, n));
			lanewise_dot_i8_rows(a, b, 2, n, n, out);
			CHECK_EQUAL(out[0], exact_dot(a, b, n));
			CHECK_EQUAL(out[1], exact_dot(a, b + n, n));
		}
	/* The limit is where the largest sum still fits. */
	fill(a, MAX_DIM, 1);
	CHECK_EQUAL(lanewise_dot_i8(a, a, MAX_DIM), (int64_t)MAX_DIM << 14);
	CHECK_EQUAL((int64_t)(MAX_DIM + 1) << 14, (int64_t)INT32_MAX + 1);
}

static int64_t exact_mixed_dot(const uint8_t *x, const int8_t *y, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (int64_t)x[i] * y[i];
	return sum;
}

/* Beyond the limit too, where the result is modulo 2^32. */
static void test_mixed_dots(void)
{
	static const size_t dims[] = { 0,      1, 15, 16, 17, 63, 64, 65, 384, 1000, MAX_MIXED_DIM, MAX_MIXED_DIM + 1,
		                       MAX_DIM };
	static uint8_t u[2 * MAX_DIM];

	for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
		for (int kind = 0; kind < 12; kind++) {
			size_t n = dims[i];
			int32_t out[2];

			for (size_t j = 0; j < 2 * n; j++)
				u[j] = kind / 4 == 0   ? (uint8_t)test_random(&random_state)
				       : kind / 4 == 1 ? 255
				                       : (uint8_t)(255 * below(2));
			fill(b, 2 * n, kind % 4);
			CHECK_EQUAL(lanewise_dot_u8i8(u, b, n), (int32_t)(uint32_t)exact_mixed_dot(u, b, n));
			if (n <= MAX_MIXED_DIM)
				CHECK_EQUAL(lanewise_dot_u8i8(u, b, n), exact_mixed_dot(u, b, n));
			lanewise_dot_u8i8_rows(u, b, 2, n, n, out);
			CHECK_EQUAL(out[0], (int32_t)(uint32_t)exact_mixed_dot(u, b, n));
			CHECK_EQUAL(out[1], (int32_t)(uint32_t)exact_mixed_dot(u, b + n, n));
			lanewise_dot_i8u8_rows(b, u, 2, n, n, out);
			CHECK_EQUAL(out[0], (int32_t)(uint32_t)exact_mixed_dot(u, b, n));
			CHECK_EQUAL(out[1], (int32_t)(uint32_t)exact_mixed_dot(u + n, b, n));
		}
	/* The limit is where the least sum still fits. */
	memset(u, 255, MAX_MIXED_DIM);
	fill(b, MAX_MIXED_DIM, 1);
	CHECK_EQUAL(lanewise_dot_u8i8(u, b, MAX_MIXED_DIM), (int64_t)MAX_MIXED_DIM * 255 * -128);
	CHECK_EQUAL((int64_t)MAX_MIXED_DIM * 255 * 128, ((int64_t)1 << 31) - 128);
}

static void test_row(const float *x, size_t dim)
{
	int8_t codes[300];
	float scale, greatest = 0;

	for (size_t i = 0; i < dim; i++)
		greatest = fabsf(x[i]) > greatest ? fabsf(x[i]) : greatest;
	memset(codes, 99, sizeof codes);
	lanewise_quantize_i8_rows(x, 1, dim, dim, codes, dim, &scale);
	CHECK_EQUAL(codes[dim], 99);
	if (greatest < 0x1p-100f) {
		CHECK(lw_f32_bits(scale) == 0);
		for (size_t i = 0; i < dim; i++)
			CHECK_EQUAL(codes[i], 0);
		return;
	}
	CHECK(scale == (float)((double)greatest / 127)); /* dividing in double first rounds to the same */
	for (size_t i = 0; i < dim; i++) {
		double exact = (double)x[i] / (double)greatest * 127;

		CHECK(codes[i] >= -127);
		CHECK(fabs(exact - codes[i]) <= 0.5 + 127 * 3 * 0x1p-24);
	}
}

static void test_quantizer(void)
{
	static const float magnitudes[] = { 1, 127, 3e38f, 1e-30f, 0x1p-100f, 1e-35f, 1e-44f, 0 };
	float x[256];

	for (size_t m = 0; m < sizeof magnitudes / sizeof *magnitudes; m++)
		for (size_t dim = 1; dim <= 256; dim += 1 + below(9)) {
			for (size_t i = 0; i < dim; i++)
				x[i] = ((float)(int32_t)(test_random(&random_state) >> 40) * 0x1p-23f - 1) *
				       magnitudes[m];
			test_row(x, dim);
		}

	/* Ties go to even, both ways; the greatest magnitude is 127. */
	const float ties[8] = { 127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, -127 };
	const int8_t expected[8] = { 127, 0, 2, 2, 0, -2, -2, -127 };
	int8_t codes[8];
	float scale;

	lanewise_quantize_i8_rows(ties, 1, 8, 8, codes, 8, &scale);
	CHECK(scale == 1 && memcmp(codes, expected, 8) == 0);
	for (int i = 0; i < 3; i++) {
		float bad[8] = { 1, 2, 3, 4, 5, i == 0 ? NAN : i == 1 ? INFINITY : -INFINITY, 7, 8 };
		const int8_t zeros[8] = { 0 };

		lanewise_quantize_i8_rows(bad, 1, 8, 8, codes, 8, &scale);
		CHECK(lw_f32_bits(scale) == 0x7fc00000 && memcmp(codes, zeros, 8) == 0);
	}
}

int main(void)
{
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		test_dots();
		test_mixed_dots();
		test_quantizer();
	}
	return test_result();
}
