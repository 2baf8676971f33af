/* SPDX-License-Identifier: Apache-2.0 */
/* kernels/log.h against libm in long double, whose result, rounded, is right but for a few halfway cases. */
#include "log.h"

#include <float.h>
#include <math.h>

#include "test.h"

static int64_t ordered(double x)
{
	int64_t bits;

	memcpy(&bits, &x, sizeof bits);
	return bits < 0 ? INT64_MIN - bits : bits;
}

static int64_t worst;
static double worst_error; /* in units in the last place of the exact result, where long double can tell */

static void check_log(double x)
{
	double actual = lw_log_f64(x);
	long double exact = logl((long double)x);
	double expected = (double)exact;
	int64_t distance = ordered(actual) - ordered(expected);
	double unit = nextafter(fabs(expected), INFINITY) - fabs(expected);
	double error = (double)fabsl(((long double)actual - exact) / unit);

	distance = distance < 0 ? -distance : distance;
	if (distance > worst)
		worst = distance;
	if (error > worst_error && expected != 0)
		worst_error = error;
	if (!CHECK(distance <= 1))
		fprintf(stderr, "log of %a is %a, expected %a\n", x, actual, expected);
}

int main(void)
{
	/* Where long double is done in software, fewer points. */
	int n_random = LDBL_MANT_DIG <= 64 ? 500000 : 20000;
	uint64_t n_documents = LDBL_MANT_DIG <= 64 ? 1000 : 200, seed = 1;

	CHECK(lw_log_f64(1.0) == 0.0 && !signbit(lw_log_f64(1.0)));
	for (int e = -1022; e <= 1023; e++) {
		check_log(ldexp(1.0, e));
		check_log(ldexp(0x1.6a09e667f3bccp+0, e));
		check_log(ldexp(0x1.6a09e667f3bcdp+0, e));
	}
	check_log(DBL_MIN);
	check_log(DBL_MAX);
	for (int i = 0; i < n_random; i++) {
		uint64_t random = test_random(&seed);
		uint64_t bits = (random >> 12) | (1 + random % 2046) << 52;
		double x;

		memcpy(&x, &bits, sizeof x);
		check_log(x);                                      /* any magnitude */
		check_log(0.5 + (double)(random >> 11) * 0x1p-52); /* about 1 */
		check_log(1 + ldexp((double)(random >> 11), -53 - (int)(random % 53)));
		check_log(1 - ldexp((double)(random >> 11), -54 - (int)(random % 52)));
	}
	/* The arguments that BM25 has. */
	for (uint64_t n = 1; n < n_documents; n++)
		for (uint64_t df = 1; df <= n; df++)
			check_log(1.0 + ((double)(n - df) + 0.5) / ((double)df + 0.5));
	printf("farthest from libm: %" PRId64 " units; largest error %.3f\n", worst, worst_error);
	/* A few results, to the bit: other machines must give these. */
	CHECK(lw_log_f64(2.0) == 0x1.62e42fefa39efp-1);
	CHECK(lw_log_f64(10.0) == 0x1.26bb1bbb55516p+1);
	return test_result();
}
