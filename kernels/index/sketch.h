/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sketch of a row, and why a search that looks at sketches first returns exactly what a scan of all rows does.
 *
 * Steps 1 to 6 are for sketches of the rows as they are; some are sketches of rotated rows, for which see step 7.
 *
 * Notation. |v| is the Euclidean norm, u = 2^-24 (half a unit in the last place of 1), "canonical" is the float result
 * of the kernels of vector.h. A row x has codes c, integers in -127 ... 127, and a scale s (lanewise/int8.h); h = s * c
 * is what they stand for, and e = x - h what they miss. For the query: y, d, t, g = t * d, f = y - g. D is the integer
 * dot product of c and d, which is exact. Hence g.h = s t D, without error.
 *
 * Ordinary vectors. All below is for vectors whose canonical sum of squares is in [2^-80, 2^80], and for zeros. Others
 * (huge, tiny, infinite) are handled by giving the row an infinite error, so that it is always looked at, or for a query
 * by scanning all rows. A row with a NaN has the score NaN with every query and is never returned: its parameters are NaN,
 * which no comparison lets pass.
 *
 * Step 1, quantisation. y.x - g.h = g.(x - h) + (y - g).x = g.e + f.x, so by Cauchy and Schwarz
 *
 *     |y.x - s t D| <= |g| |e| + |f| |x|,  with |g| <= |y| + |f|.                                                  (1)
 *
 * Also |e| <= 1.0001 |x|: an element that becomes 0 is its own error, any other x[i] has |x[i] / s| >= 0.4999 and an
 * error below 0.5001 s. So |h| <= 2.0001 |x|, |g| <= 2.0001 |y|, |s t D| <= 4.001 |x| |y|.
 *
 * Step 2, canonical sums. A canonical sum of dim products makes at most m = ceil(dim / 32) + 5 roundings on the way of
 * each product (vector.h), so it differs from the true sum by at most gamma = m u / (1 - m u) times the sum of the
 * products' magnitudes (Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1), and by what underflow
 * takes, at most dim * 2^-149 <= 2^-132, which is below u * 2^-28 of anything it is compared with here, since norms
 * are at least 2^-40. dim <= 131071 makes m u <= 2^-11.9. With
 *
 *     G = (dim / 32 + 64) * 2^-23,   gamma (for m + 2 too) <= G / 2 - 50 u.                                        (2)
 *
 * Everything that float arithmetic does is paid for with a small multiple of G. There is plenty: for 384 dimensions G
 * is 9e-6, while |e| / |x| is about 7e-3.
 *
 * Step 3, norms. N = float(sqrt(canonical square of x) * (1 + G)), computed in double. By (2)
 *
 *     |x| <= N <= |x| (1 + 1.6 G).                                                                                 (3)
 *
 * E = float((sqrt(Q (1 + 2 G) + 2^-120)) * (1 + 2^-20)), where Q is the canonical sum of the squares of fma(-s, c[i],
 * x[i]). Each of these is e[i] rounded once, so |e| <= E: 2 G pays for the sum, 2^-120 for underflow in it, 2^-20 for
 * the rounding of each e[i], of E, and of the double arithmetic. Likewise M >= |y| and F >= |f| for the query.
 *
 * Step 4, intervals. The kernel sketch_filter computes (kernel_types.h) a middle and a radius from D, the row's (scale,
 * error, norm) and the query's seven weights. The canonical score lies within radius of middle if the weights are, each
 * enlarged by 2^-18 of itself for the five roundings on the way to the radius and their own:
 *
 *   dot: row (s, E, N). middle = s t D. Radius (M + F) E + (F + 2 G M) N. The first part of each term is (1); the
 *     canonical dot is within gamma |x| |y| of y.x; computing the middle rounds three times, each by u of at most 4.01
 *     |x| |y|, and adding the radius once more: together below G M N.
 *
 *   cosine: row (s / N, (E / N) (1 + 2 G), 1); all weights of the dot product divided by M: middle = D (s / N) (t / M),
 *     radius (1 + F') E' + F' + 32 G, where F' = (F / M) (1 + 2 G) and E' likewise, so that by (3) they bound |f| / |y|
 *     and |e| / |x|. Dividing (1) by |x| |y| gives the first terms. Taking N for |x| and M for |y| in the middle costs
 *     3.3 G of at most 4.001; the canonical cosine is within 2 gamma + 2 u of the true one (both sums of squares and the dot
 *     product, each within gamma), clipping to [-1, 1] brings it only nearer, roundings of the middle cost 20 u:
 *     together below 16 G. A row of zeros has cosine 0 by definition; with s' = E' = 0 its interval contains 0.
 *
 *   l2sq: scores are negated distances, so that larger is better. -|y - x|^2 = 2 y.x - |x|^2 - |y|^2. Row (s, E, N) as
 *     for dot. middle = 2 s t D - N^2 - M^2. Radius 2 (M + F) E + 2 F N + 8 G (N^2 + M^2): by (3) N^2 is within 3.3 G N^2
 *     of |x|^2, M^2 likewise; the canonical distance is within gamma |y - x|^2 <= 2 gamma (|x|^2 + |y|^2) of the true one;
 *     roundings of the middle cost below 25 u (|x|^2 + |y|^2), since 2 |x| |y| <= |x|^2 + |y|^2.
 *
 *   Rows of zeros have s = E = N = 0, for which all bounds hold. No arithmetic on ordinary rows overflows or, where it
 *   matters, underflows: s and t are at least 2^-56, so the product of the scales and what follows are normal.
 *
 * Step 5, the bound. upper = middle + radius and lower = middle - radius are rounded once more (paid for above). So for
 * every row whose upper is not NaN: lower <= canonical score <= upper, or the score is NaN and upper infinite. Let B be the
 * k-th largest lower among rows that may be returned (bit set in the filter), or the threshold if that is higher. If
 * upper < B for a row, then either its score is below the threshold, or at least k rows that may be returned have scores of at
 * least B, which is strictly above its own, and reach the threshold: it cannot be among the best k, ties or not. A
 * larger set of rows only raises B, so what is dropped early would be dropped at the end.
 *
 *   A quicker test goes before that for many queries. Let E and N be the greatest error and norm of a block of rows and n its
 *   least norm. The filter's roundings are monotone and its products with the row's error and norm are of numbers that are
 *   not negative, but for the square in the middle, whose weight may be -1. So a row with the scale s has an upper of at
 *   most what the filter would compute from D, s, E, N and, in that square, n: at most eight roundings, each by u of the
 *   sum of the magnitudes, from the exact D s t + rest, where t is the query's scale. Hence no row passes whose D s is below
 *   L = (B - rest) / t, B - rest and L each reduced by 2^-18 of the magnitudes, if L is positive; 2^-18 also pays for the
 *   roundings of the float D, of its product with s, and of L. Where E or N is infinite L is not positive, and all rows
 *   go through the filter. Rows whose parameters are NaN never pass; E, N and n are those of the others.
 *
 *   What comes through that test gets its interval in double arithmetic, which rounds less than step 4 has paid for.
 *
 *   (Rows without a known lower end have lower = -infinity and so never raise B.)
 *
 * Step 6, rescoring. The rows that remain get their canonical scores, in descending order of upper, from the same
 * kernels as a plain scan, so their bits are the same; k of them are kept in the order (score descending, row
 * ascending). When k are kept and the next upper is below the worst kept score, so are all others, strictly: the
 * result is complete.
 *
 * Step 7, rotation. The sketches of a segment (index.h) may be those of rotated rows: codes and scale are of X, the
 * computed R x (rotation.h), and the query has a second sketch, of Y, the computed R y. R stands for the exact product of
 * sign changes and Hadamard matrices times p^-1/2, which is orthogonal: y.x = (R y).(R x), |R x| = |x|. So with R x and R
 * y in the place of x and y wherever h, g, e and f occur, all of the above holds: e = R x - h, f = R y - g. Norms,
 * kinds and canonical scores stay those of x and y themselves.
 *
 *   Only E has to pay for the rounding in X. Let rho be as in rotation.h: |X - R x| <= rho |x|. Then |e| <= |X - h| + |X -
 *   R x| <= E, where E is now float((sqrt(Q (1 + 2 G) + 2^-120) + rho N) * (1 + 2^-20)), with Q of fma(-s, c[i], X[i]). In
 *   step 1 it is |e| <= 1.0001 |X| + rho |x| <= 1.0002 |x|, since rho < 2^-16; hence |s t D| <= 4.002 |x| |y|, still within
 *   the 4.01 of step 4. F likewise.
 *
 *   rho: let a turn transform v, all or part of the vector, in L = log2 p steps. In each step every element is one sum
 *   rounded once (exactly, if it is subnormal), so what the step adds to the error is at most u times the norm after it;
 *   the exact step multiplies norms, and so errors so far, by 2^1/2. After L steps the error is at most ((1 + u)^L - 1) of
 *   the norm of the exact result. The factor is the float nearest to p^-1/2, an error of u, and multiplying by it rounds
 *   once more and may underflow, by 2^-150 an element, in all 2^-141, which is below 2^-100 |x|. Signs are exact, and what is
 *   outside p elements stays. So a turn adds less than (L + 3) u |x|, following turns leave that as it is, and T turns
 *   make rho = 2 T (L + 3) u, in which the factor 2 pays for all products of these small numbers. Nothing overflows: |x|
 *   <= 2^40.1, and within a turn p^1/2 <= 2^8.5 times as much.
 *
 *   Both sketches of a query give intervals that hold the same canonical score, so segments with and without rotation
 *   share a bound in step 5.
 *
 * Step 8, parts. When threads divide the rows, steps 5 and 6 are done for each part, which is a set of rows like any other:
 * its B is the k-th largest lower of its own rows, and it finds its own best k. That the parts share no B costs
 * some more rows in step 6, and keeps what they do independent of how fast each of them is. The best k of all rows are
 * among these results: if k rows of its part come before a row in the order (score descending, row ascending), they do so
 * among all rows. Hence the first k of the results in that order are the result, for any division.
 */
#ifndef LW_SKETCH_H
#define LW_SKETCH_H

#include <lanewise/vector.h>

#include "common.h"

enum lw_sketch_kind {
	LW_SKETCH_ORDINARY,
	LW_SKETCH_ZERO,
	LW_SKETCH_SPECIAL, /* finite but huge or tiny, or infinite */
	LW_SKETCH_NAN
};

/* Of a vector: its kind, and for an ordinary one the scale s and the bounds N and E of step 3; 0 for zeros. */
struct lw_sketch {
	enum lw_sketch_kind kind;
	float scale, error, norm;
};

/*
 * From what quantize_i8_rows gave for x, or for the computed R x; `square` is that of x in either case. rotation_error is
 * rho, or 0 without rotation.
 */
struct lw_sketch lanewise_sketch_of(const float *x, size_t dim, float scale, float square, float error_square,
                                    double rotation_error);

/* The row's parameters as sketch_filter takes them, for the metric. */
void lanewise_sketch_row(const struct lw_sketch *sketch, size_t dim, lanewise_metric metric, float *scale, float *error,
                         float *norm);

/* The query's; it is ordinary. */
struct lw_sketch_query lanewise_sketch_query_of(const struct lw_sketch *sketch, size_t dim, lanewise_metric metric);

#endif
