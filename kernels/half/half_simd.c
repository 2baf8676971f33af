/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/half.h for every vector tier, in the vocabulary of vec.h.
 *
 * As vector_simd.c: 32 partial sums a row, a few rows side by side to hide the latency of the fused multiply-adds,
 * groups of VF_LANES rows whose sums come out of one transposing addition, tails loaded with zeros behind them. The
 * only difference is that elements are widened as they are loaded, which all instruction sets do in one or two steps.
 * The rows are half as long in bytes, so there are more of them side by side.
 */
#include <float.h>
#include <math.h>

#include "vec.h"

enum type { F32, F16, BF16 };
enum op { OP_DOT, OP_L2SQ, OP_COSINE };

enum { ROWS = 8 / VF_PARTS, PREFETCH_ELEMENTS = 4096 / sizeof(uint16_t), ELEMENTS_PER_LINE = 64 / sizeof(uint16_t) };

/* A vector of elements, or rows of them; the type is a constant in every function below. */
struct elements {
	enum type type;
	const void *data;
	float scale; /* a power of two, used only if `scaled` */
};

LW_INLINE const void *element_at(struct elements v, size_t i)
{
	return (const char *)v.data + i * (v.type == F32 ? sizeof(float) : sizeof(uint16_t));
}

/* VF_LANES elements from i on, or only the first n of them with zeros behind. */
LW_INLINE vf load(struct elements v, int scaled, size_t i, size_t n)
{
	const void *p = element_at(v, i);
	vf x;

	if (v.type == F32)
		x = n >= VF_LANES ? vf_load(p) : vf_load_first(p, n);
	else if (v.type == F16)
		x = n >= VF_LANES ? vf_load_f16(p) : vf_load_f16_first(p, n);
	else
		x = n >= VF_LANES ? vf_load_bf16(p) : vf_load_bf16_first(p, n);
	return scaled ? vf_mul(x, vf_set1(v.scale)) : x;
}

/* The 32 elements from i on, or the first n of them. */
LW_INLINE void add_32(enum op op, int n_rows, int prefetch, int scaled, struct elements query, struct elements rows,
                      size_t ld, size_t i, size_t n, vf main[ROWS][VF_PARTS], vf square[ROWS][VF_PARTS])
{
#pragma GCC unroll 8
	for (int part = 0; part < VF_PARTS; part++) {
		size_t before = (size_t)part * VF_LANES, left = n > before ? n - before : 0;

		if (left == 0)
			break;

		vf q = load(query, scaled, i + before, left);

#pragma GCC unroll 4
		for (int r = 0; r < n_rows; r++) {
			size_t at = (size_t)r * ld + i + before;
			vf x = load(rows, scaled, at, left);

			if (prefetch && before % ELEMENTS_PER_LINE == 0)
				__builtin_prefetch((const char *)rows.data +
				                   (at + PREFETCH_ELEMENTS) * sizeof(uint16_t));
			if (op == OP_L2SQ) {
				vf difference = vf_sub(q, x);

				main[r][part] = vf_fma(difference, difference, main[r][part]);
			} else {
				main[r][part] = vf_fma(q, x, main[r][part]);
			}
			if (op == OP_COSINE)
				square[r][part] = vf_fma(x, x, square[r][part]);
		}
	}
}

LW_INLINE void sum_rows(enum op op, int n_rows, int prefetch, int scaled, struct elements query, struct elements rows,
                        size_t dim, size_t ld, vf *main, vf *square)
{
	vf m[ROWS][VF_PARTS], s[ROWS][VF_PARTS];
	size_t i = 0;

#pragma GCC unroll 4
	for (int r = 0; r < n_rows; r++)
#pragma GCC unroll 8
		for (int part = 0; part < VF_PARTS; part++)
			m[r][part] = s[r][part] = vf_zero();
	for (; i + 32 <= dim; i += 32)
		add_32(op, n_rows, prefetch, scaled, query, rows, ld, i, 32, m, s);
	if (i < dim)
		add_32(op, n_rows, 0, scaled, query, rows, ld, i, dim - i, m, s);
#pragma GCC unroll 4
	for (int r = 0; r < n_rows; r++) {
		main[r] = vf_fold(m[r]);
		if (op == OP_COSINE)
			square[r] = vf_fold(s[r]);
	}
}

LW_INLINE float sum_one(enum op op, int scaled, struct elements a, struct elements b, size_t n, float *b_square)
{
	vf main, square;

	sum_rows(op, 1, 0, scaled, a, b, n, 0, &main, &square);
	if (op == OP_COSINE)
		*b_square = lw_f32_canonical(vf_sum(square));
	return lw_f32_canonical(vf_sum(main));
}

/* ------------------------------------------------------------------ cosine */

/* What is said of these in vector_simd.c holds here. */
LW_INLINE int in_safe_range(float sum_of_squares) { return sum_of_squares >= 0x1p-96f && sum_of_squares <= FLT_MAX; }

LW_INLINE float safe_scale(float sum_of_squares)
{
	return in_safe_range(sum_of_squares) ? 1 : sum_of_squares < 0x1p-96f ? 0x1p100f : 0x1p-100f;
}

LW_INLINE float cosine_of_sums(float ab, float aa, float bb)
{
	float cosine = (float)((double)ab / __builtin_sqrt((double)aa * (double)bb));

	return cosine > 1 ? 1 : cosine < -1 ? -1 : cosine + 0.0f;
}

LW_INLINE float cosine_scaled(struct elements a, float aa, struct elements b, float bb, size_t n)
{
	float unused;

	a.scale = safe_scale(aa);
	b.scale = safe_scale(bb);
	aa = sum_one(OP_DOT, 1, a, a, n, &unused);

	float ab = sum_one(OP_COSINE, 1, a, b, n, &bb);

	if (!(aa <= FLT_MAX && bb <= FLT_MAX))
		return lw_f32_canonical(NAN);
	return aa == 0 || bb == 0 ? 0 : cosine_of_sums(ab, aa, bb);
}

/* ------------------------------------------------------------------- rows */

typedef void sum_group_fn(const float *query, const uint16_t *rows, size_t dim, size_t ld, int prefetch, float *sums,
                          float *squares);

/* Sums of a group of VF_LANES rows; out of line as in vector_simd.c. */
LW_INLINE void sum_group(enum op op, enum type type, int prefetch, const float *query, const uint16_t *rows, size_t dim,
                         size_t ld, float *sums, float *squares)
{
	const struct elements q = { F32, query, 1 };
	vf folded[VF_LANES], folded_square[VF_LANES];

	for (size_t r = 0; r < VF_LANES; r += ROWS)
		sum_rows(op, ROWS, prefetch, 0, q, (struct elements) { type, rows + r * ld, 1 }, dim, ld, folded + r,
		         folded_square + r);
	vf_store(sums, vf_canonical(vf_sum_rows(folded)));
	if (op == OP_COSINE)
		vf_store(squares, vf_canonical(vf_sum_rows(folded_square)));
}

LW_INLINE void rows_loop(enum op op, enum type type, sum_group_fn *group, const float *query, const uint16_t *rows,
                         size_t n_rows, size_t dim, size_t ld, int prefetch, float *out)
{
	const struct elements q = { F32, query, 1 };
	float qq = op == OP_COSINE ? sum_one(OP_DOT, 0, q, q, dim, NULL) : 0, squares[VF_LANES], sums[VF_LANES];

	for (size_t r = 0; r < n_rows; r += VF_LANES) {
		size_t n = n_rows - r < VF_LANES ? n_rows - r : VF_LANES;

		if (n == VF_LANES)
			group(query, rows + r * ld, dim, ld, prefetch, sums, squares);
		for (size_t j = 0; j < n; j++) {
			const struct elements row = { type, rows + (r + j) * ld, 1 };

			if (n < VF_LANES)
				sums[j] = sum_one(op, 0, q, row, dim, &squares[j]);
			if (op != OP_COSINE)
				out[r + j] = sums[j];
			else if (LW_LIKELY(in_safe_range(qq) && in_safe_range(squares[j])))
				out[r + j] = cosine_of_sums(sums[j], qq, squares[j]);
			else
				out[r + j] = cosine_scaled(q, qq, row, squares[j], dim);
		}
	}
}

LW_INLINE float pair(enum op op, enum type type, const uint16_t *a, const uint16_t *b, size_t n)
{
	const struct elements x = { type, a, 1 }, y = { type, b, 1 };
	float bb, sum = sum_one(op, 0, x, y, n, &bb), aa;

	if (op != OP_COSINE)
		return sum;
	aa = sum_one(OP_DOT, 0, x, x, n, NULL);
	if (LW_LIKELY(in_safe_range(aa) && in_safe_range(bb)))
		return cosine_of_sums(sum, aa, bb);
	return cosine_scaled(x, aa, y, bb, n);
}

#define LW_DEFINE(name, type_name, OP, TYPE) \
	float LW_FN(name##_##type_name)(const uint16_t *a, const uint16_t *b, size_t n) \
	{ \
		return pair(OP, TYPE, a, b, n); \
	} \
	static LW_NOINLINE void name##_##type_name##_group(const float *query, const uint16_t *rows, size_t dim, \
	                                                   size_t ld, int prefetch, float *sums, float *squares) \
	{ \
		if (prefetch) \
			sum_group(OP, TYPE, 1, query, rows, dim, ld, sums, squares); \
		else \
			sum_group(OP, TYPE, 0, query, rows, dim, ld, sums, squares); \
	} \
	void LW_FN(name##_##type_name##_rows)(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, \
	                                      size_t ld, int prefetch, float *out) \
	{ \
		rows_loop(OP, TYPE, name##_##type_name##_group, query, rows, n_rows, dim, ld, prefetch, out); \
	}
LW_DEFINE(dot, f16, OP_DOT, F16)
LW_DEFINE(cosine, f16, OP_COSINE, F16)
LW_DEFINE(l2sq, f16, OP_L2SQ, F16)
LW_DEFINE(dot, bf16, OP_DOT, BF16)
LW_DEFINE(cosine, bf16, OP_COSINE, BF16)
LW_DEFINE(l2sq, bf16, OP_L2SQ, BF16)

/* -------------------------------------------------------------- conversion */

LW_INLINE vf one_nan(vf x) { return vf_select(vf_eq(x, x), x, vf_set1(lw_f32_from_bits(0x7fc00000))); }

LW_INLINE void widen(enum type type, const uint16_t *x, size_t n, float *out)
{
	const struct elements v = { type, x, 1 };
	size_t i = 0;

	for (; i + VF_LANES <= n; i += VF_LANES)
		vf_store(out + i, one_nan(load(v, 0, i, VF_LANES)));
	if (i < n)
		vf_store_first(out + i, one_nan(load(v, 0, i, n - i)), n - i);
}

LW_INLINE void narrow(enum type type, const float *x, size_t n, uint16_t *out)
{
	uint16_t last[VF_LANES];
	size_t i = 0;

	for (; i + VF_LANES <= n; i += VF_LANES)
		if (type == F16)
			vf_store_f16(out + i, one_nan(vf_load(x + i)));
		else
			vf_store_bf16(out + i, one_nan(vf_load(x + i)));
	if (i == n)
		return;
	if (type == F16)
		vf_store_f16(last, one_nan(vf_load_first(x + i, n - i)));
	else
		vf_store_bf16(last, one_nan(vf_load_first(x + i, n - i)));
	memcpy(out + i, last, (n - i) * sizeof *out);
}

void LW_FN(f16_to_f32)(const uint16_t *x, size_t n, float *out) { widen(F16, x, n, out); }
void LW_FN(bf16_to_f32)(const uint16_t *x, size_t n, float *out) { widen(BF16, x, n, out); }
void LW_FN(f32_to_f16)(const float *x, size_t n, uint16_t *out) { narrow(F16, x, n, out); }
void LW_FN(f32_to_bf16)(const float *x, size_t n, uint16_t *out) { narrow(BF16, x, n, out); }
