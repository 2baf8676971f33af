/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/vector.h against independent truth: sums in long double with proven error bounds, fmaf of the C library,
 * and the rules that the header states. Every public function is tested on every tier that this CPU supports.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include <lanewise/vector.h>

#include "dispatch.h"
#include "scalar.h"
#include "test.h"

static uint64_t random_state = 20240601;
static const char *tier_name = "";

#define CHECK_TIER(condition) \
	do { \
		if (!CHECK(condition)) \
			fprintf(stderr, "  on tier %s\n", tier_name); \
	} while (0)

static uint32_t bits_of(float x) { return lw_f32_bits(x); }

static int is_canonical_nan(float x) { return bits_of(x) == 0x7fc00000; }

static uint64_t random_bits(void) { return test_random(&random_state); }

static size_t below(size_t n) { return (size_t)(random_bits() % n); }

/* Uniform in [-1, 1). */
static float uniform(void) { return (float)(int32_t)(random_bits() >> 40) * 0x1p-23f - 1; }

static void fill(float *v, size_t n, float magnitude)
{
	for (size_t i = 0; i < n; i++)
		v[i] = uniform() * magnitude;
}

/* --------------------------------------------------------------------- fma */

static float any_float(uint32_t exponent_low, uint32_t exponent_count)
{
	uint32_t bits = (uint32_t)random_bits() & 0x807fffff;

	return lw_f32_from_bits(bits | (exponent_low + (uint32_t)below(exponent_count)) << 23);
}

/* A number of few bits, so that products and sums hit ties. */
static float few_bits(void) { return ldexpf((float)(int)(below(4097))-2048, (int)below(60) - 30); }

static void hostile_triple(int kind, float t[3])
{
	switch (kind) {
	case 0: /* any bits at all */
		for (int i = 0; i < 3; i++)
			t[i] = lw_f32_from_bits((uint32_t)random_bits());
		break;
	case 1: /* c cancels the product, but for some of its last bits */
		t[0] = any_float(90, 74);
		t[1] = any_float(90, 74);
		t[2] = lw_f32_from_bits(bits_of(-(t[0] * t[1])) + (uint32_t)below(5) - 2);
		break;
	case 2: /* ties, and sums one bit beside a tie */
		for (int i = 0; i < 3; i++)
			t[i] = few_bits();
		t[2] = ldexpf(t[2], 24 - (int)below(4));
		break;
	case 3: /* results among the subnormals */
		t[0] = any_float(1, 63);
		t[1] = any_float(40, 60);
		t[2] = any_float(0, 4);
		break;
	case 4: /* results near overflow */
		t[0] = any_float(180, 20);
		t[1] = any_float(180, 20);
		t[2] = any_float(250, 5);
		break;
	case 5: /* a product that is far smaller than c, or the other way */
		t[0] = any_float(0, 255);
		t[1] = any_float(100, 50);
		t[2] = few_bits();
		break;
	default: /* a power of two less something tiny: the exponent of the rounded sum is lower */
		t[0] = few_bits();
		t[1] = any_float(20, 80);
		t[2] = ldexpf(1, (int)below(20) - 10);
		break;
	}
}

static int same_float(float a, float b) { return bits_of(a) == bits_of(b) || (a != a && b != b); }

static void test_fma_against_libm(void)
{
	unsigned long wrong = 0;

	for (long i = 0; i < 30 * 1000 * 1000; i++) {
		float t[3];

		hostile_triple((int)(i % 7), t);
		if (!same_float(lw_fma_f32(t[0], t[1], t[2]), fmaf(t[0], t[1], t[2])) && wrong++ < 5)
			fprintf(stderr, "fma(%a, %a, %a) is %a, expected %a\n", (double)t[0], (double)t[1],
			        (double)t[2], (double)lw_fma_f32(t[0], t[1], t[2]), (double)fmaf(t[0], t[1], t[2]));
	}
	CHECK_EQUAL(wrong, 0);
}

/* A tier's own fused multiply-add, through a dot product whose partial sum 0 is c * 1, then a * b more. */
static void test_fma_against_tiers(void)
{
	unsigned long wrong = 0;
	float a[33] = { 0 }, b[33] = { 0 };

	for (long i = 0; i < 1000 * 1000; i++) {
		float t[3];

		hostile_triple((int)(i % 7), t);
		a[0] = t[2];
		b[0] = 1;
		a[32] = t[0];
		b[32] = t[1];
		/* The canonical sum starts at +0, which changes nothing but the sign of a zero. */
		wrong += bits_of(lanewise_dot_f32(a, b, 33)) !=
		         bits_of(lw_f32_canonical(lw_fma_f32(t[0], t[1], t[2] + 0.0f)));
	}
	if (wrong)
		fprintf(stderr, "tier %s: %lu products differ\n", tier_name, wrong);
	CHECK_EQUAL(wrong, 0);
}

/* ------------------------------------------------------------ sums, bounded */

static const long double U = 0x1p-24L; /* half a unit in the last place of 1 */

/* The relative error that m roundings in a row can add up to. */
static long double gamma_of(size_t m) { return (long double)m * U / (1 - (long double)m * U); }

/* n / 32 fused multiply-adds in a row, then five additions. */
static size_t roundings(size_t n) { return (n + 31) / 32 + 5; }

struct truth {
	long double dot, dot_abs, l2sq, aa, bb;
};

static struct truth truth_of(const float *a, const float *b, size_t n)
{
	struct truth t = { 0, 0, 0, 0, 0 };

	for (size_t i = 0; i < n; i++) {
		long double x = (long double)a[i], y = (long double)b[i];

		t.dot += x * y;
		t.dot_abs += fabsl(x * y);
		t.l2sq += (x - y) * (x - y);
		t.aa += x * x;
		t.bb += y * y;
	}
	return t;
}

static int within(float value, long double expected, long double bound)
{
	return fabsl((long double)value - expected) <= bound;
}

static void test_sums_of(const float *a, const float *b, size_t n)
{
	struct truth t = truth_of(a, b, n);
	/* Products below the normal range lose up to half a subnormal unit each. */
	long double underflow = (long double)(n + 1) * 0x1p-149L;

	CHECK_TIER(within(lanewise_dot_f32(a, b, n), t.dot, gamma_of(roundings(n)) * t.dot_abs + underflow));
	CHECK_TIER(within(lanewise_l2sq_f32(a, b, n), t.l2sq, gamma_of(roundings(n) + 2) * t.l2sq + underflow));
}

static void test_cosine_of(const float *a, const float *b, size_t n)
{
	struct truth t = truth_of(a, b, n);
	float cosine = lanewise_cosine_f32(a, b, n);

	if (t.aa == 0 || t.bb == 0) {
		CHECK_TIER(bits_of(cosine) == 0);
		return;
	}
	/* Numerator: gamma * |a||b| at most; denominator: half of twice gamma; rounding the result. */
	CHECK_TIER(within(cosine, t.dot / sqrtl(t.aa) / sqrtl(t.bb), 2 * gamma_of(roundings(n) + 1) + 2 * U));
	CHECK_TIER(cosine >= -1 && cosine <= 1);
}

static void test_norm_of(const float *a, size_t n)
{
	long double norm = sqrtl(truth_of(a, a, n).aa);
	float got;

	lanewise_norm_f32_rows(a, 1, n, n, &got);
	if (norm > (long double)FLT_MAX)
		CHECK_TIER(got == INFINITY || within(got, norm, gamma_of(roundings(n)) * norm));
	else if (got == INFINITY)
		CHECK_TIER(norm * (1 + gamma_of(roundings(n))) > (long double)FLT_MAX);
	else
		CHECK_TIER(within(got, norm, gamma_of(roundings(n) / 2 + 2) * norm + 0x1p-150L));
}

static void test_bounds(void)
{
	enum { MAX = 2048 };
	static float a[MAX], b[MAX];

	for (size_t n = 0; n <= MAX; n += n < 200 ? 1 : 37)
		for (int i = 0; i < 4; i++) {
			fill(a, n, 1);
			fill(b, n, i % 2 ? 1 : 1e-3f);
			test_sums_of(a, b, n);
			test_cosine_of(a, b, n);
			test_norm_of(a, n);
		}
	/* Any magnitude, each vector its own: 2^-149 to 2^127, and vectors whose elements are of all magnitudes. */
	for (int exponent = -149; exponent <= 127; exponent++)
		for (int i = 0; i < 8; i++) {
			size_t n = below(300);
			int other = (int)below(277) - 149;

			fill(a, n, ldexpf(1, exponent));
			fill(b, n, ldexpf(1, other));
			for (size_t j = 0; i % 4 == 3 && j < n; j++)
				a[j] = any_float(0, 255);
			test_cosine_of(a, b, n);
			test_norm_of(a, n);
		}
}

/* ------------------------------------------------------------------- rules */

static float norm_of(const float *v, size_t n)
{
	float norm;

	lanewise_norm_f32_rows(v, 1, n, n, &norm);
	return norm;
}

static void test_cosine_rules(void)
{
	enum { N = 77 };
	const float scales[] = { 1, 1e25f, 1e-25f, 1e38f, 1e-38f, 1e-42f, 0x1p-149f };
	float a[N], b[N], zero[N] = { 0 };

	for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
		for (size_t n = 1; n <= N; n++) {
			fill(a, n, scales[s]);
			a[below(n)] = scales[s]; /* not all of them vanish */
			for (size_t i = 0; i < n; i++)
				b[i] = -a[i];
			CHECK_TIER(lanewise_cosine_f32(a, a, n) == 1);
			CHECK_TIER(lanewise_cosine_f32(a, b, n) == -1);
			CHECK_TIER(bits_of(lanewise_cosine_f32(a, zero, n)) == 0);
			CHECK_TIER(bits_of(lanewise_cosine_f32(zero, a, n)) == 0);
		}
	CHECK_TIER(bits_of(lanewise_cosine_f32(zero, zero, N)) == 0);
	CHECK_TIER(bits_of(lanewise_cosine_f32(NULL, NULL, 0)) == 0);

	/* A factor that is a power of two leaves the bits alone, also through overflow and underflow of the squares. */
	for (int i = 0; i < 2000; i++) {
		size_t n = 1 + below(N);
		int up = (int)below(250) - 140, across = (int)below(250) - 140;

		for (size_t j = 0; j < n; j++) { /* few bits: exact as subnormals too */
			a[j] = (float)(int)below(255) - 127;
			b[j] = (float)(int)below(255) - 127;
		}
		float cosine = lanewise_cosine_f32(a, b, n);

		for (size_t j = 0; j < n; j++) {
			a[j] = ldexpf(a[j], up);
			b[j] = ldexpf(b[j], across);
		}
		CHECK_TIER(bits_of(lanewise_cosine_f32(a, b, n)) == bits_of(cosine));
	}
}

static void test_special_values(void)
{
	enum { N = 70 };
	const float special[] = { NAN, -NAN, INFINITY, -INFINITY };
	float a[N], b[N], zero[N] = { 0 };

	for (size_t n = 1; n <= N; n++)
		for (size_t s = 0; s < 4; s++) {
			size_t at = below(n);

			fill(a, n, 1);
			fill(b, n, 1);
			a[at] = special[s];
			b[at] = 0.5f;

			float dot = lanewise_dot_f32(a, b, n), l2sq = lanewise_l2sq_f32(a, b, n);

			CHECK_TIER(s < 2 ? is_canonical_nan(dot) : dot == a[at]);
			CHECK_TIER(s < 2 ? is_canonical_nan(l2sq) : l2sq == INFINITY);
			CHECK_TIER(is_canonical_nan(lanewise_dot_f32(a, zero, n)));
			CHECK_TIER(is_canonical_nan(lanewise_cosine_f32(a, b, n)));
			CHECK_TIER(is_canonical_nan(lanewise_cosine_f32(b, a, n)));
			CHECK_TIER(is_canonical_nan(lanewise_cosine_f32(a, zero, n)));
			CHECK_TIER(s < 2 ? is_canonical_nan(norm_of(a, n)) : norm_of(a, n) == INFINITY);
			b[at] = special[s];
			CHECK_TIER(s < 2 || is_canonical_nan(lanewise_l2sq_f32(a, b, n))); /* inf - inf */
			lanewise_normalize_f32_rows(a, 1, n, n);
			for (size_t i = 0; i < n; i++)
				CHECK_TIER(is_canonical_nan(a[i]));
		}
	CHECK_TIER(bits_of(lanewise_dot_f32(NULL, NULL, 0)) == 0);
	CHECK_TIER(bits_of(lanewise_l2sq_f32(NULL, NULL, 0)) == 0);
	for (size_t ld = 0; ld < 3; ld++) {
		float out[40] = { 7, 7 };

		lanewise_dot_f32_rows(NULL, NULL, 40, 0, ld, out);
		CHECK_TIER(bits_of(out[0]) == 0 && bits_of(out[39]) == 0);
		lanewise_cosine_f32_rows(NULL, NULL, 40, 0, ld, out);
		lanewise_l2sq_f32_rows(NULL, NULL, 40, 0, ld, out);
		lanewise_norm_f32_rows(NULL, 40, 0, ld, out);
		CHECK_TIER(bits_of(out[0]) == 0 && bits_of(out[39]) == 0);
	}

	const float tiny[1] = { -0x1p-149f }, half[1] = { 0.25f }, huge[2] = { FLT_MAX, FLT_MAX };

	CHECK_TIER(bits_of(lanewise_dot_f32(tiny, half, 1)) == 0); /* -0 is returned as +0 */
	CHECK_TIER(lanewise_dot_f32(huge, huge, 2) == INFINITY);
	CHECK_TIER(norm_of(huge, 1) == FLT_MAX);
	CHECK_TIER(norm_of(huge, 2) == INFINITY);
	CHECK_TIER(norm_of(tiny, 1) == 0x1p-149f);
}

/* The norm of a vector of one element is that element's magnitude, exactly, whatever its bits. */
static void test_norm_of_one(void)
{
	unsigned long wrong = 0;

	for (int i = 0; i < 300000; i++) {
		float x = any_float(0, 255);

		wrong += bits_of(norm_of(&x, 1)) != bits_of(fabsf(x));
	}
	CHECK_EQUAL(wrong, 0);
}

/* Whether each element, normalised, is as near to the true quotient as the roundings on its way allow. */
static int normalizes_well(const float *v, size_t n)
{
	static float out[4096];
	long double norm = sqrtl(truth_of(v, v, n).aa);
	/* The square root halves the error of the sum; the factor is rounded, and the product. */
	long double relative = gamma_of(roundings(n)) / 2 + gamma_of(3);
	int well = 1;

	memcpy(out, v, n * sizeof *v);
	lanewise_normalize_f32_rows(out, 1, n, n);
	for (size_t i = 0; i < n; i++) {
		long double quotient = (long double)v[i] / norm;

		well &= within(out[i], quotient, relative * fabsl(quotient) + 0x1p-149L);
	}
	return well;
}

static void test_normalize(void)
{
	static float v[4096];
	const float magnitudes[] = { 1, 1e25f, 1e-25f, 1e38f, 1e-37f, 1e-42f };

	for (size_t m = 0; m < sizeof magnitudes / sizeof *magnitudes; m++)
		for (size_t n = 1; n <= 4096; n += n < 100 ? 1 : n / 5) {
			fill(v, n, magnitudes[m]);
			v[below(n)] = magnitudes[m];
			CHECK_TIER(normalizes_well(v, n));
		}
	/* Elements of all magnitudes in one row: none may lose bits to the scaling of the others. */
	for (int i = 0; i < 2000; i++) {
		size_t n = 2 + below(40);

		for (size_t j = 0; j < n; j++)
			v[j] = any_float((uint32_t)below(2) * 127, 128);
		CHECK_TIER(normalizes_well(v, n));
	}

	float zeros[3] = { 0.0f, -0.0f, 0.0f };

	lanewise_normalize_f32_rows(zeros, 1, 3, 3);
	CHECK_TIER(bits_of(zeros[0]) == 0 && bits_of(zeros[1]) == 0x80000000 && bits_of(zeros[2]) == 0);
	lanewise_normalize_f32_rows(NULL, 0, 3, 3);
	lanewise_normalize_f32_rows(NULL, 3, 0, 0);
	lanewise_normalize_f32_rows(NULL, 3, 0, 2);
	lanewise_normalize_f32_rows(zeros, 3, 0, 1);
	CHECK_TIER(bits_of(zeros[1]) == 0x80000000);
}

/* --------------------------------------------------------- rows are pairs */

static void test_rows_are_pairs(size_t n_rows, size_t dim, size_t ld)
{
	float *query = malloc((dim + 1) * sizeof *query), *rows = malloc((n_rows * ld + 1) * sizeof *rows);
	float *out[4], *copy = malloc((n_rows * ld + 1) * sizeof *copy);

	for (int i = 0; i < 4; i++)
		out[i] = malloc((n_rows + 1) * sizeof **out);
	fill(query, dim, 1);
	fill(rows, n_rows * ld, 1);
	for (size_t r = 0; dim && r < n_rows; r += 5) /* some rows out of the range of plain squares, some hostile */
		rows[r * ld + below(dim)] = any_float(0, 256);
	memcpy(copy, rows, n_rows * ld * sizeof *rows);

	lanewise_dot_f32_rows(query, rows, n_rows, dim, ld, out[0]);
	lanewise_cosine_f32_rows(query, rows, n_rows, dim, ld, out[1]);
	lanewise_l2sq_f32_rows(query, rows, n_rows, dim, ld, out[2]);
	lanewise_norm_f32_rows(rows, n_rows, dim, ld, out[3]);
	lanewise_normalize_f32_rows(copy, n_rows, dim, ld);

	unsigned long wrong = 0;

	for (size_t r = 0; r < n_rows; r++) {
		float *row = rows + r * ld;

		wrong += bits_of(out[0][r]) != bits_of(lanewise_dot_f32(query, row, dim));
		wrong += bits_of(out[1][r]) != bits_of(lanewise_cosine_f32(query, row, dim));
		wrong += bits_of(out[2][r]) != bits_of(lanewise_l2sq_f32(query, row, dim));
		wrong += bits_of(out[3][r]) != bits_of(norm_of(row, dim));
		lanewise_normalize_f32_rows(row, 1, dim, ld);
	}
	wrong += memcmp(copy, rows, n_rows * ld * sizeof *rows) != 0;
	CHECK_TIER(wrong == 0);
	for (int i = 0; i < 4; i++)
		free(out[i]);
	free(copy);
	free(rows);
	free(query);
}

/* ------------------------------------------------------- many queries are one */

static void test_many_queries(size_t n_queries, size_t n_rows, size_t dim, size_t k, lanewise_metric metric)
{
	size_t query_ld = dim + below(3), ld = dim + below(3), n_one,
	       n_scratch = lanewise_scan_topk_queries_scratch_size(n_queries, k);
	float *queries = malloc((n_queries * query_ld + 1) * sizeof *queries),
	      *rows = malloc((n_rows * ld + 1) * sizeof *rows);
	float *score = malloc((n_queries * k + 1) * sizeof *score), *one_score = malloc(k * sizeof *one_score);
	uint32_t *index = malloc((n_queries * k + 1) * sizeof *index), *one_index = malloc(k * sizeof *one_index);
	size_t *n_found = malloc((n_queries + 1) * sizeof *n_found);
	void *scratch = malloc(n_scratch), *one_scratch = malloc(lanewise_scan_topk_scratch_size(k));
	float threshold = metric == LANEWISE_METRIC_L2SQ ? INFINITY : below(2) ? -INFINITY : 0;
	unsigned long wrong = 0;

	fill(queries, n_queries * query_ld, 1);
	fill(rows, n_rows * ld, 1);
	for (size_t r = 0; r < n_rows; r += 7)
		rows[r * ld + below(dim)] = any_float(0, 256);
	CHECK_EQUAL(lanewise_scan_topk_f32_queries(queries, n_queries, query_ld, rows, n_rows, dim, ld, metric, k,
	                                           threshold, scratch, index, score, n_found),
	            LANEWISE_OK);
	for (size_t q = 0; q < n_queries; q++) {
		CHECK_EQUAL(lanewise_scan_topk_f32(queries + q * query_ld, rows, n_rows, dim, ld, metric, k, threshold,
		                                   one_scratch, one_index, one_score, &n_one),
		            LANEWISE_OK);
		wrong += n_one != n_found[q] || memcmp(one_index, index + q * k, n_one * sizeof *one_index) != 0 ||
		         memcmp(one_score, score + q * k, n_one * sizeof *one_score) != 0;
	}
	CHECK_TIER(wrong == 0);
	free(one_scratch);
	free(scratch);
	free(n_found);
	free(one_index);
	free(index);
	free(one_score);
	free(score);
	free(rows);
	free(queries);
}

static void test_many_queries_arguments(void)
{
	max_align_t scratch[2000];
	float v[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, score[8];
	uint32_t index[8];
	size_t n_found[4];

#define MANY(queries, n_queries, query_ld, rows, n_rows, dim, ld, metric, k, threshold) \
	lanewise_scan_topk_f32_queries(queries, n_queries, query_ld, rows, n_rows, dim, ld, metric, k, threshold, \
	                               scratch, index, score, n_found)
	CHECK(lanewise_scan_topk_queries_scratch_size(2, 2) <= sizeof scratch);
	CHECK_EQUAL(lanewise_scan_topk_queries_scratch_size(2, 0), 0);
	CHECK_EQUAL(lanewise_scan_topk_queries_scratch_size(SIZE_MAX, 2), 0);
	CHECK_EQUAL(MANY(v, 2, 2, v, 4, 2, 2, 0, 2, 0), LANEWISE_OK);
	CHECK_EQUAL(n_found[1], 2);
	CHECK_EQUAL(index[2], 3);
	CHECK_EQUAL(MANY(NULL, 0, 2, NULL, 0, 2, 2, 0, 2, 0), LANEWISE_OK);
	CHECK_EQUAL(MANY(v, 2, 2, NULL, 0, 2, 2, 0, 2, 0), LANEWISE_OK);
	CHECK_EQUAL(n_found[0], 0);
	CHECK_EQUAL(MANY(NULL, 2, 2, v, 4, 2, 2, 0, 2, 0), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(MANY(v, 2, 2, NULL, 4, 2, 2, 0, 2, 0), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(MANY(v, 2, 1, v, 4, 2, 2, 0, 2, 0), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(MANY(v, 2, 2, v, 4, 2, 1, 0, 2, 0), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(MANY(v, 2, 2, v, 4, 2, 2, 3, 2, 0), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(MANY(v, 2, 2, v, 4, 2, 2, 0, 0, 0), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(MANY(v, 2, 2, v, 4, 2, 2, 0, 2, NAN), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(MANY(v, SIZE_MAX / 4, 2, v, 4, 2, 2, 0, 2, 0), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(MANY(v, 2, 2, v, SIZE_MAX / 4, 2, 2, 0, 2, 0), LANEWISE_ERROR_TOO_LARGE);
#undef MANY
}

int main(void)
{
	test_fma_against_libm();
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		tier_name = lanewise_tier_name(tier);
		test_fma_against_tiers();
		test_bounds();
		test_cosine_rules();
		test_special_values();
		test_norm_of_one();
		test_normalize();
		for (size_t n_rows = 0; n_rows <= 40; n_rows++)
			test_rows_are_pairs(n_rows, below(140), 140 + below(5));
		test_rows_are_pairs(5, 0, 0);
		test_rows_are_pairs(1500, 384, 384); /* beyond L2 */
		test_rows_are_pairs(1301, 387, 400);
		for (int i = 0; i < 60; i++)
			test_many_queries(below(80), below(500), 1 + below(100), 1 + below(20),
			                  (lanewise_metric)(i % 3));
		test_many_queries(40, 2000, 384, 10, LANEWISE_METRIC_DOT); /* beyond L2 */
		test_many_queries_arguments();
	}
	return test_result();
}
