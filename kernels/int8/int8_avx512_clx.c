/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dot_i8_rows with VPDPBUSD, which multiplies unsigned by signed bytes, adds four products without saturation and the
 * sum to a 32-bit lane. Rows become unsigned by flipping their sign bits, which adds 128 to each element; that makes
 * every result too large by 128 times the sum of the query, whatever the row is. In the tail the query's zeros
 * silence what the flip makes of the zeros behind the row.
 */
#include <immintrin.h>

#include "common.h"
#include "vec.h"

enum { VI_BYTES = 64, TILE_QUERIES = 4, VN_BYTES = 64 };
typedef __m512i vi;
typedef __m512i ve;

LW_INLINE __mmask64 first_bytes(size_t n) { return ((__mmask64)1 << n) - 1; }
LW_INLINE ve ve_load(const int8_t *p) { return _mm512_loadu_si512(p); }
LW_INLINE ve ve_load_first(const int8_t *p, size_t n) { return _mm512_maskz_loadu_epi8(first_bytes(n), p); }
LW_INLINE ve flip(ve v) { return _mm512_xor_si512(v, _mm512_set1_epi8(-128)); }
LW_INLINE ve ve_load_row(const int8_t *p) { return flip(ve_load(p)); }
LW_INLINE ve ve_load_row_first(const int8_t *p, size_t n) { return flip(ve_load_first(p, n)); }
LW_INLINE vi vi_zero(void) { return _mm512_setzero_si512(); }
/* _mm512_dpbusd_epi32(sums, row, query); as an intrinsic gcc 12 copies the sums into and out of it, two moves for each. */
LW_INLINE vi vi_dot(vi sums, ve query, ve row)
{
	__asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(row), "v"(query));
	return sums;
}

LW_INLINE void vi_sum4(const vi v[4], int32_t *out)
{
	/* In each block of 128 bits: two partial sums of each of two rows, then one of each of four. */
	vi v01 = _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
	vi v23 = _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
	vi sum = _mm512_add_epi32(_mm512_unpacklo_epi64(v01, v23), _mm512_unpackhi_epi64(v01, v23));
	__m256i half = _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1));

	_mm_storeu_si128((__m128i *)out,
	                 _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
}

LW_INLINE uint32_t vi_excess(const int8_t *query, size_t dim)
{
	const ve ones = _mm512_set1_epi8(1);
	vi sum = vi_zero();
	size_t i = 0;

	for (; i + VI_BYTES <= dim; i += VI_BYTES)
		sum = _mm512_dpbusd_epi32(sum, ones, ve_load(query + i));
	if (i < dim)
		sum = _mm512_dpbusd_epi32(sum, ones, ve_load_first(query + i, dim - i));
	return 128 * (uint32_t)_mm512_reduce_add_epi32(sum);
}

/* Codes need no flip: they are not negative. The upper halves count 16 times where they are. */
LW_INLINE void vi_dot_i4(vi *low, vi *high, const int8_t *query, const uint8_t *codes)
{
	const ve lower_halves = _mm512_set1_epi8(15);
	ve both = _mm512_loadu_si512(codes);

	*low = vi_dot(*low, ve_load(query), _mm512_and_si512(lower_halves, both));
	*high = vi_dot(*high, ve_load(query + 64), _mm512_andnot_si512(lower_halves, both));
}

LW_INLINE vi vi_join(vi low, vi high) { return _mm512_add_epi32(_mm512_slli_epi32(low, 4), high); }

#define VI_BY_PANELS 1
#include "int8/int8_rows.h"

/* -------------------------------------------------------------- many queries */

/*
 * Queries are turned over into a panel: four bytes of each of 16 queries fill a vector, which meets the same four bytes of
 * a row in all lanes, so that each lane sums up one query. The rows stay as they are and are read once, side by side,
 * for up to LW_DOT_I8_QUERIES queries; nothing is added across lanes. Here it is the queries that become unsigned, which
 * makes results too large by 128 times the sum of the row: the sums begin with that, negated. Blocks of 16 rows x 16
 * queries are turned back.
 */
enum {
	LANES = 16,
	PANEL_DIM = 1024, /* elements of the queries that are turned over at a time: at most 48 KiB */
	STEP = 4,         /* elements of a lane */
	STRIP_ROWS = 8,   /* rows of a tile */
	MOST_VECTORS = LW_DOT_I8_QUERIES / LANES,
	MANY_QUERIES = 16, /* for fewer it takes longer than the tiles above */
	MANY_ROWS = 32
};
_Static_assert(LW_DOT_I8_QUERIES % LANES == 0, "groups of queries are whole vectors");

/* 64 elements of LANES queries at `queries`, ld apart, to 16 steps of the panel, as unsigned ones. */
LW_INLINE void turn_64(const int8_t *queries, size_t ld, size_t stride, uint8_t *panel)
{
	vf v[LANES];

#pragma GCC unroll 16
	for (size_t q = 0; q < LANES; q++)
		v[q] = _mm512_castsi512_ps(flip(ve_load(queries + q * ld)));
	vf_transpose(v);
#pragma GCC unroll 16
	for (size_t step = 0; step < 16; step++)
		_mm512_storeu_si512(panel + step * stride, _mm512_castps_si512(v[step]));
}

/*
 * Elements 0 ... dim - 1 of n_queries <= LANES queries, `stride` bytes between steps; where there are fewer, the other
 * lanes are of no consequence. The panel has room for dim rounded up to a multiple of 64.
 */
static void turn_queries(const int8_t *queries, size_t n_queries, size_t ld, size_t dim, size_t stride, uint8_t *panel)
{
	for (size_t i = 0; i < dim; i += 64, panel += 16 * stride) {
		size_t n = dim - i < 64 ? dim - i : 64;
		int8_t some[LANES * 64] = { 0 };

		if (n == 64 && n_queries == LANES) {
			turn_64(queries + i, ld, stride, panel);
			continue;
		}
		for (size_t q = 0; q < n_queries; q++)
			memcpy(some + q * 64, queries + q * ld + i, n);
		turn_64(some, 64, stride, panel);
	}
}

LW_INLINE int32_t load_step(const int8_t *row, size_t n)
{
	int32_t step = 0;

	memcpy(&step, row, n);
	return step;
}

LW_INLINE void strip_step(int n_vectors, size_t n, const uint8_t *panel, const int8_t *row, size_t ld,
                          vi sums[STRIP_ROWS][MOST_VECTORS])
{
	ve q[MOST_VECTORS];

#pragma GCC unroll 4
	for (int v = 0; v < n_vectors; v++)
		q[v] = _mm512_loadu_si512(panel + 64 * v);
#pragma GCC unroll 8
	for (size_t r = 0; r < STRIP_ROWS; r++) {
		ve x = _mm512_set1_epi32(load_step(row + r * ld, n));

#pragma GCC unroll 4
		for (int v = 0; v < n_vectors; v++)
			sums[r][v] = vi_dot(sums[r][v], x, q[v]);
	}
}

/* Products of n_vectors (a constant) vectors of queries and STRIP_ROWS rows, less 128 times excess[row]. */
LW_INLINE void strip(int n_vectors, const uint8_t *panel, const int8_t *rows, size_t ld, size_t dim, int prefetch,
                     const int32_t *excess, vf *out)
{
	vi sums[STRIP_ROWS][MOST_VECTORS];
	size_t i = 0;

#pragma GCC unroll 8
	for (int r = 0; r < STRIP_ROWS; r++)
#pragma GCC unroll 4
		for (int v = 0; v < n_vectors; v++)
			sums[r][v] = _mm512_set1_epi32(excess[r]);
	while (i + STEP <= dim) {
		size_t end = dim - i < LINE_BYTES ? dim / STEP * STEP : i + LINE_BYTES;

		for (size_t r = 0; prefetch && r < STRIP_ROWS; r++)
			__builtin_prefetch(rows + (r + LANES) * ld + i);
#pragma GCC unroll 1
		for (; i < end; i += STEP, panel += 64 * n_vectors)
			strip_step(n_vectors, STEP, panel, rows + i, ld, sums);
	}
	if (i < dim)
		strip_step(n_vectors, dim - i, panel, rows + i, ld, sums);
#pragma GCC unroll 8
	for (int r = 0; r < STRIP_ROWS; r++)
#pragma GCC unroll 4
		for (int v = 0; v < n_vectors; v++)
			out[r * n_vectors + v] = _mm512_castsi512_ps(sums[r][v]);
}

typedef void strip_fn(const uint8_t *panel, const int8_t *rows, size_t ld, size_t dim, int prefetch,
                      const int32_t *excess, vf *out);

#define LW_DEFINE_STRIP(name, n_vectors) \
	static LW_NOINLINE void name(const uint8_t *panel, const int8_t *rows, size_t ld, size_t dim, int prefetch, \
	                             const int32_t *excess, vf *out) \
	{ \
		strip(n_vectors, panel, rows, ld, dim, prefetch, excess, out); \
	}
LW_DEFINE_STRIP(strip_1, 1)
LW_DEFINE_STRIP(strip_2, 2)
LW_DEFINE_STRIP(strip_3, 3)

/* -128 times the sum of each of LANES rows. */
static void row_excess(const int8_t *rows, size_t ld, size_t dim, int32_t *excess)
{
	const ve bias = _mm512_set1_epi8(-128); /* 128 as the unsigned factor */

	for (size_t r = 0; r < LANES; r += ROWS, rows += ROWS * ld) {
		vi sums[ROWS] = { vi_zero(), vi_zero(), vi_zero(), vi_zero() };
		size_t i = 0;

		for (; i + VI_BYTES <= dim; i += VI_BYTES) {
#pragma GCC unroll 4
			for (size_t j = 0; j < ROWS; j++)
				sums[j] = vi_dot(sums[j], ve_load(rows + j * ld + i), bias);
		}
		if (i < dim) {
#pragma GCC unroll 4
			for (size_t j = 0; j < ROWS; j++)
				sums[j] = vi_dot(sums[j], ve_load_first(rows + j * ld + i, dim - i), bias);
		}
#pragma GCC unroll 4
		for (size_t j = 0; j < ROWS; j++)
			sums[j] = _mm512_sub_epi32(vi_zero(), sums[j]);
		vi_sum4(sums, excess + r);
	}
}

/* Blocks of LANES rows x n_vectors of LANES queries, a row after the other, to out or, if `adds`, added to it. */
static void turn_back(const vf *sums, size_t n_vectors, size_t n_queries, int adds, int32_t *out, size_t out_ld)
{
	for (size_t v = 0; v < n_vectors; v++) {
		size_t n = n_queries - v * LANES < LANES ? n_queries - v * LANES : LANES;
		vf block[LANES];

#pragma GCC unroll 16
		for (size_t r = 0; r < LANES; r++)
			block[r] = sums[r * n_vectors + v];
		vf_transpose(block);
		if (LW_LIKELY(n == LANES && !adds)) {
#pragma GCC unroll 16
			for (size_t q = 0; q < LANES; q++)
				_mm512_storeu_si512(out + (v * LANES + q) * out_ld, _mm512_castps_si512(block[q]));
			continue;
		}
		for (size_t q = 0; q < n; q++) {
			int32_t *to = out + (v * LANES + q) * out_ld;
			vi dots = _mm512_castps_si512(block[q]);

			_mm512_storeu_si512(to, adds ? _mm512_add_epi32(dots, _mm512_loadu_si512(to)) : dots);
		}
	}
}

/* All queries and n_rows, a multiple of LANES; at most PANEL_DIM elements of them. */
static LW_NOINLINE void meet_panel(const int8_t *queries, size_t n_queries, size_t query_ld, const int8_t *rows,
                                   size_t n_rows, size_t dim, size_t ld, int prefetch, int adds, int32_t *out,
                                   size_t out_ld)
{
	_Alignas(64) uint8_t panel[PANEL_DIM / STEP * 64 * MOST_VECTORS];
	size_t n_vectors = (n_queries + LANES - 1) / LANES;
	strip_fn *fn = n_vectors == 1 ? strip_1 : n_vectors == 2 ? strip_2 : strip_3;

	for (size_t v = 0; v < n_vectors; v++) {
		size_t n = n_queries - v * LANES < LANES ? n_queries - v * LANES : LANES;

		turn_queries(queries + v * LANES * query_ld, n, query_ld, dim, 64 * n_vectors, panel + 64 * v);
	}
	for (size_t r = 0; r < n_rows; r += LANES) {
		vf sums[LANES * MOST_VECTORS];
		int32_t excess[LANES];

		row_excess(rows + r * ld, ld, dim, excess);
		for (size_t j = 0; j < LANES; j += STRIP_ROWS)
			fn(panel, rows + (r + j) * ld, ld, dim, prefetch, excess + j, sums + j * n_vectors);
		turn_back(sums, n_vectors, n_queries, adds, out + r, out_ld);
	}
}

void LW_FN(dot_i8_queries)(const int8_t *queries, size_t n_queries, size_t query_ld, const int8_t *rows, size_t n_rows,
                           size_t dim, size_t ld, int prefetch, int32_t *out, size_t out_ld)
{
	size_t in_panels = n_queries < MANY_QUERIES || n_rows < MANY_ROWS || dim == 0 ? 0 : n_rows / LANES * LANES;

	for (size_t i = 0; in_panels > 0 && i < dim; i += PANEL_DIM)
		meet_panel(queries + i, n_queries, query_ld, rows + i, in_panels,
		           dim - i < PANEL_DIM ? dim - i : PANEL_DIM, ld, prefetch, i > 0, out, out_ld);
	if (in_panels < n_rows)
		dot_by_rows(queries, n_queries, query_ld, rows + in_panels * ld, n_rows - in_panels, dim, ld, prefetch,
		            out + in_panels, out_ld);
}
