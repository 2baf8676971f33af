/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/activation.h - around a model: mean pooling of token vectors with a mask, sigmoid, softmax.
 *
 * Bits. The same on every CPU: the exponential function is the library's own (within 2 units in the last place), sums have
 * a fixed order, quotients are rounded once. A NaN is returned as 0x7fc00000. This supposes the default floating-point
 * environment, as lanewise/vector.h does.
 *
 * Memory. Any alignment of a float; nothing outside the arrays is touched. Sizes of 0 are fine, and a pointer to 0 elements
 * may be NULL. Threads: reentrant; each call runs on the calling thread.
 */
#ifndef LANEWISE_ACTIVATION_H
#define LANEWISE_ACTIVATION_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The mean of the vectors of those tokens whose mask is not 0: token t has the dim floats at tokens + t * ld, ld >= dim.
 * out[i] (dim floats) is the sum of their elements i, added in order of t, divided by their number; 0 if there are none.
 * Tokens left out are not looked at, so they may hold NaN. `mask` (n_tokens bytes) NULL: all. Returns that number.
 */
LANEWISE_API size_t lanewise_mean_pool_f32(const float *tokens, size_t n_tokens, size_t dim, size_t ld,
                                           const uint8_t *mask, float *out);

/*
 * out[i] = 1 / (1 + exp(-x[i])), i < n; out may be x, but not overlap it otherwise. Where the result would be below 2^-126
 * (x < -87.33) it is 0. From e = exp(-|x|) it is 1 / (1 + e) for x >= 0 and e / (1 + e) else.
 */
LANEWISE_API void lanewise_sigmoid_f32(const float *x, size_t n, float *out);

/*
 * out[i] = exp(x[i] - max) / the sum of all exp(x[j] - max), i < n, with max the largest of x; out may be x, but not
 * overlap it otherwise. Exponentials below 2^-126 are 0. The sum has the canonical order of vector.h. If an element is
 * NaN or +infinity, or all are -infinity, all results are NaN.
 */
LANEWISE_API void lanewise_softmax_f32(const float *x, size_t n, float *out);

#ifdef __cplusplus
}
#endif

#endif
