/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rotation for vectors of which a few dimensions are far larger than the rest: an 8-bit scale that holds the largest
 * leaves few steps to the others. Random signs and a Hadamard transform spread every dimension over all, and leave dot
 * products and norms as they are, but for rounding (sketch.h, step 7).
 *
 * A turn flips signs by a fixed pseudo-random sequence and transforms the first or last p elements, p the largest
 * power of two up to dim, scaled by the float nearest to p^-1/2. Two turns of the whole if dim is p, otherwise four, of
 * either end in turn. (Random signs with a Hadamard transform: Ailon and Chazelle, "The fast Johnson-Lindenstrauss
 * transform and approximate nearest neighbors", 2009.)
 */
#ifndef LW_ROTATION_H
#define LW_ROTATION_H

#include <stddef.h>

/* out = R x, dim floats each, not overlapping. The same bits everywhere: each output is one tree of sums. */
void lanewise_rotate(const float *x, size_t dim, float *out);

/* The rho of sketch.h: for ordinary x, |computed R x - R x| <= rho |x|. */
double lanewise_rotation_error(size_t dim);

#endif
