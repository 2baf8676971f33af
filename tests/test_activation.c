/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/activation.h against the C library in double, and the rules that the header states, on every tier. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include <lanewise/activation.h>

#include "dispatch.h"
#include "test.h"

static uint64_t seed = 9;

static float uniform(float least, float most)
{
	return least + (most - least) * ((float)(test_random(&seed) >> 40) * 0x1p-24f);
}

static uint32_t bits_of(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof bits);
	return bits;
}

/* How far off a result is, in units of its last place. */
static double error_of(float found, double exact)
{
	int exponent;

	frexp(exact, &exponent);
	return fabs((double)found - exact) / ldexp(1, exponent < -125 ? -149 : exponent - 24);
}

static void test_sigmoid(void)
{
	static float x[1000], out[1000], again[1000];
	size_t n = test_random(&seed) % 1000;
	double worst = 0;

	for (size_t i = 0; i < n; i++)
		x[i] = i % 3 ? uniform(-87.3f, 90) : uniform(-3, 3);
	lanewise_sigmoid_f32(x, n, out);
	for (size_t i = 0; i < n; i++) {
		double exact = 1 / (1 + exp(-(double)x[i]));

		worst = error_of(out[i], exact) > worst ? error_of(out[i], exact) : worst;
		CHECK(out[i] >= 0 && out[i] <= 1);
	}
	CHECK(worst <= 4);
	memcpy(again, x, n * sizeof *x);
	lanewise_sigmoid_f32(again, n, again);
	CHECK(!memcmp(again, out, n * sizeof *out));
}

static void test_sigmoid_ends(void)
{
	const float x[] = { 0, -0.0f, INFINITY, -INFINITY, NAN, FLT_MAX, -FLT_MAX, -88, 88, FLT_MIN, -FLT_MIN };
	const float expected[] = { 0.5f, 0.5f, 1, 0, NAN, 1, 0, 0, 1, 0.5f, 0.5f };
	float out[sizeof x / sizeof *x];

	lanewise_sigmoid_f32(x, sizeof x / sizeof *x, out);
	for (size_t i = 0; i < sizeof x / sizeof *x; i++)
		CHECK_EQUAL(bits_of(out[i]), isnan(expected[i]) ? 0x7fc00000 : bits_of(expected[i]));
}

static void test_softmax(void)
{
	static float x[5000], out[5000], again[5000];
	size_t n = 1 + test_random(&seed) % (test_random(&seed) % 2 ? 40 : 5000);
	float range = test_random(&seed) % 2 ? 5 : 80, from = uniform(-100, 100);
	double sum = 0, max = -INFINITY, total = 0;

	for (size_t i = 0; i < n; i++) {
		x[i] = uniform(from, from + range);
		max = (double)x[i] > max ? (double)x[i] : max;
	}
	lanewise_softmax_f32(x, n, out);
	for (size_t i = 0; i < n; i++)
		sum += exp((double)x[i] - max);
	for (size_t i = 0; i < n; i++) {
		double exact = exp((double)x[i] - max) / sum;

		/* x - max is rounded, which moves its exponential by up to |x - max| * 2^-24 of it. */
		CHECK(fabs((double)out[i] - exact) <= exact * 0x1p-24 * (20 + range) + 0x1p-126);
		total += (double)out[i];
	}
	CHECK(fabs(total - 1) < 1e-5);
	memcpy(again, x, n * sizeof *x);
	lanewise_softmax_f32(again, n, again);
	CHECK(!memcmp(again, out, n * sizeof *out));
}

static void test_softmax_ends(void)
{
	const float rows[][3] = { { 1, NAN, 2 }, { 1, INFINITY, 2 }, { -INFINITY, -INFINITY, -INFINITY } };
	const float fine[] = { -INFINITY, 3, 3 - 200 }, huge[] = { FLT_MAX, -FLT_MAX, FLT_MAX };
	float out[3];

	for (size_t r = 0; r < 3; r++) {
		lanewise_softmax_f32(rows[r], 3, out);
		for (size_t i = 0; i < 3; i++)
			CHECK_EQUAL(bits_of(out[i]), 0x7fc00000);
	}
	lanewise_softmax_f32(fine, 3, out);
	CHECK(out[0] == 0 && out[1] == 1 && out[2] == 0);
	lanewise_softmax_f32(huge, 3, out);
	CHECK(out[0] == 0.5f && out[1] == 0 && out[2] == 0.5f);
	lanewise_softmax_f32(NULL, 0, NULL);
	lanewise_sigmoid_f32(NULL, 0, NULL);
}

static void test_mean(void)
{
	static float tokens[40 * 200], out[200];
	size_t n = test_random(&seed) % 40, dim = test_random(&seed) % 190, ld = dim + test_random(&seed) % 10,
	       n_kept = 0;
	uint8_t mask[40];
	int with_mask = test_random(&seed) % 4 != 0;

	for (size_t t = 0; t < n; t++) {
		mask[t] = (uint8_t)(test_random(&seed) % 3 * 100);
		n_kept += !with_mask || mask[t];
		for (size_t i = 0; i < ld; i++)
			tokens[t * ld + i] = i >= dim || (with_mask && !mask[t]) ? NAN : uniform(-1, 1);
	}
	CHECK_EQUAL(lanewise_mean_pool_f32(tokens, n, dim, ld, with_mask ? mask : NULL, out), n_kept);
	for (size_t i = 0; i < dim; i++) {
		float sum = 0;

		for (size_t t = 0; t < n; t++)
			if (!with_mask || mask[t])
				sum += tokens[t * ld + i];
		CHECK_EQUAL(bits_of(out[i]), bits_of(n_kept ? sum / (float)n_kept + 0.0f : 0));
	}
}

int main(void)
{
	float one[1] = { 2 }, out[1];

	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		for (int round = 0; round < 300; round++) {
			test_sigmoid();
			test_softmax();
			test_mean();
		}
		test_sigmoid_ends();
		test_softmax_ends();
		CHECK_EQUAL(lanewise_mean_pool_f32(NULL, 0, 0, 0, NULL, NULL), 0);
		CHECK_EQUAL(lanewise_mean_pool_f32(one, 1, 1, SIZE_MAX / sizeof *one, NULL, out),
		            1); /* no row behind it */
	}
	return test_result();
}
