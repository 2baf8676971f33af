/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of lanewise/half.h: calls through the kernel table. */
#include <lanewise/half.h>

#include "common.h"

/* Kernels add offsets, which C allows to no NULL; nothing is read from this. */
static const uint16_t nothing;

static int beyond_l2(size_t n_rows, size_t ld)
{
	size_t elements = n_rows * ld;

	return elements > (size_t)128 * 1024 / sizeof nothing && elements > lanewise_l2_cache_bytes() / sizeof nothing;
}

#define LW_DEFINE(name) \
	float lanewise_##name(const uint16_t *a, const uint16_t *b, size_t n) \
	{ \
		return n ? lw_kernels()->name(a, b, n) : 0; \
	} \
	void lanewise_##name##_rows(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld, \
	                            float *out) \
	{ \
		static const float no_query; \
		LW_ASSERT(ld >= dim); \
		lw_kernels()->name##_rows(query ? query : &no_query, rows ? rows : &nothing, n_rows, dim, ld, \
		                          beyond_l2(n_rows, ld), out); \
	}
LW_DEFINE(dot_f16)
LW_DEFINE(cosine_f16)
LW_DEFINE(l2sq_f16)
LW_DEFINE(dot_bf16)
LW_DEFINE(cosine_bf16)
LW_DEFINE(l2sq_bf16)

/* ------------------------------------------------------------- approximate */

/* For CPUs without the instructions: the widened products, whose kernel for rows takes a query of floats. */
static void dot_bf16_widened(const uint16_t *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld,
                             float *out)
{
	enum { MOST_DIM = 2048 };
	const struct lw_kernels *kernels = lw_kernels();
	float wide[MOST_DIM];

	if (dim <= MOST_DIM) {
		kernels->bf16_to_f32(query, dim, wide);
		kernels->dot_bf16_rows(wide, rows, n_rows, dim, ld, beyond_l2(n_rows, ld), out);
		return;
	}
	for (size_t r = 0; r < n_rows; r++)
		out[r] = kernels->dot_bf16(query, rows + r * ld, dim);
}

float lanewise_dot_bf16_approx(const uint16_t *a, const uint16_t *b, size_t n)
{
	lanewise_dot_bf16_approx_rows_fn *hardware = lanewise_bf16_kernel();
	float dot;

	if (!hardware)
		return lanewise_dot_bf16(a, b, n);
	hardware(n ? a : &nothing, n ? b : &nothing, 1, n, n, 0, &dot);
	return dot;
}

void lanewise_dot_bf16_approx_rows(const uint16_t *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld,
                                   float *out)
{
	lanewise_dot_bf16_approx_rows_fn *hardware = lanewise_bf16_kernel();

	LW_ASSERT(ld >= dim);
	if (n_rows == 0)
		return; /* and then the query may be NULL */
	query = query ? query : &nothing;
	rows = rows ? rows : &nothing;
	if (hardware)
		hardware(query, rows, n_rows, dim, ld, beyond_l2(n_rows, ld), out);
	else
		dot_bf16_widened(query, rows, n_rows, dim, ld, out);
}

/* -------------------------------------------------------------- conversion */

void lanewise_f16_to_f32(const uint16_t *x, size_t n, float *out)
{
	if (n)
		lw_kernels()->f16_to_f32(x, n, out);
}

void lanewise_bf16_to_f32(const uint16_t *x, size_t n, float *out)
{
	if (n)
		lw_kernels()->bf16_to_f32(x, n, out);
}

void lanewise_f32_to_f16(const float *x, size_t n, uint16_t *out)
{
	if (n)
		lw_kernels()->f32_to_f16(x, n, out);
}

void lanewise_f32_to_bf16(const float *x, size_t n, uint16_t *out)
{
	if (n)
		lw_kernels()->f32_to_bf16(x, n, out);
}
