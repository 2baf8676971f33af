/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/int8.h - vectors of 8-bit integers, signed or unsigned: exact dot products, and the quantiser that makes such
 * vectors from floats.
 *
 * Dot products are exact and nothing saturates on the way: up to LANEWISE_DOT_I8_MAX_DIM elements, or
 * LANEWISE_DOT_U8I8_MAX_DIM where one side is unsigned, the result fits 32 bits whatever the elements, -128 too.
 *
 * Memory and threads are as in vector.h: `rows` points to n_rows rows of dim elements, row r beginning ld elements
 * after row r - 1, ld >= dim; gaps are neither read nor written; any alignment of the element; outputs must not
 * overlap inputs; pointers to nothing may be NULL. Reentrant, on the calling thread, O(n_rows * dim).
 */
#ifndef LANEWISE_INT8_H
#define LANEWISE_INT8_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* (-128)^2 times one more would be 2^31. */
#define LANEWISE_DOT_I8_MAX_DIM 131071

/* The dot product of a and b, n <= LANEWISE_DOT_I8_MAX_DIM elements each; beyond that, the result is modulo 2^32. */
LANEWISE_API int32_t lanewise_dot_i8(const int8_t *a, const int8_t *b, size_t n);

/* out[r] = lanewise_dot_i8(query, row r, dim); query has dim elements, out n_rows. */
LANEWISE_API void lanewise_dot_i8_rows(const int8_t *query, const int8_t *rows, size_t n_rows, size_t dim, size_t ld,
                                       int32_t *out);

/* 255 * -128 times one more would be below -2^31. */
#define LANEWISE_DOT_U8I8_MAX_DIM 65793

/*
 * The dot product of unsigned and signed bytes, n of each: exact for n <= LANEWISE_DOT_U8I8_MAX_DIM; beyond that, the
 * result is modulo 2^32.
 */
LANEWISE_API int32_t lanewise_dot_u8i8(const uint8_t *a, const int8_t *b, size_t n);

/*
 * out[r] = lanewise_dot_u8i8(query, row r, dim): an unsigned query, activations say, and signed rows; query has dim
 * elements, out n_rows.
 */
LANEWISE_API void lanewise_dot_u8i8_rows(const uint8_t *query, const int8_t *rows, size_t n_rows, size_t dim, size_t ld,
                                         int32_t *out);

/* out[r] = lanewise_dot_u8i8(row r, query, dim): a signed query and unsigned rows. */
LANEWISE_API void lanewise_dot_i8u8_rows(const int8_t *query, const uint8_t *rows, size_t n_rows, size_t dim, size_t ld,
                                         int32_t *out);

/*
 * Each row as 8-bit integers and one float: row[i] is about codes[i] * scale. With m the largest magnitude in the row,
 *
 *     scale = m / 127,   codes[i] = row[i] * (127 / m), rounded to the nearest integer, ties to even,
 *
 * all in float arithmetic. So codes lie in -127 ... 127 and never are -128. Row r's codes begin at codes + r *
 * codes_ld, codes_ld >= dim; `scale` has n_rows elements. The same bits on every CPU.
 *
 * Where m < 2^-100, zeros included, codes and scale are 0. Where the row has a NaN or an infinity, codes are 0 and the
 * scale is the quiet NaN 0x7fc00000.
 */
LANEWISE_API void lanewise_quantize_i8_rows(const float *rows, size_t n_rows, size_t dim, size_t ld, int8_t *codes,
                                            size_t codes_ld, float *scale);

#ifdef __cplusplus
}
#endif

#endif
