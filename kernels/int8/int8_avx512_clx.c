/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dot_i8_rows with VPDPBUSD, which multiplies unsigned by signed bytes, adds four products without saturation and the
 * sum to a 32-bit lane. Rows become unsigned by flipping their sign bits, which adds 128 to each element; that makes
 * every result too large by 128 times the sum of the query, whatever the row is. In the tail the query's zeros
 * silence what the flip makes of the zeros behind the row.
 */
#include <immintrin.h>

#include "common.h"

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
 * Rows are turned over, a panel of 32 at a time: four bytes of each of 16 rows fill a vector, to which a query's same
 * four bytes are broadcast, so that each lane sums up one row. Nothing is left to be added across lanes, and the sums
 * of 16 rows are stored at once. The panel stays in L1 while all queries meet it, PANEL_QUERIES of them side by side,
 * whose two sums each hide the instruction's latency. Turning the rows over costs as much as meeting some five queries.
 */
enum {
	LANES = 16,
	PANEL_ROWS = 2 * LANES,
	PANEL_DIM = 512, /* elements that are turned over at a time: 16 KiB */
	STEP = 4,        /* elements of a lane */
	STEP_BYTES = STEP * PANEL_ROWS,
	PANEL_QUERIES = 8,
	MANY_QUERIES = 16 /* for fewer the rows stay as they are */
};

/* Bytes 0 ... n - 1, n <= 16, of row 4 * i + r in block i of 128 bits, zeros behind them. */
LW_INLINE __m512i load_blocks(const int8_t *rows, size_t ld, size_t n)
{
	const int8_t *row[4] = { rows, rows + 4 * ld, rows + 8 * ld, rows + 12 * ld };
	__m128i block[4];

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		block[i] = n == 16 ? _mm_loadu_si128((const __m128i *)(const void *)row[i])
		                   : _mm_maskz_loadu_epi8((__mmask16)first_bytes(n), row[i]);
	return _mm512_inserti32x4(
	        _mm512_inserti32x4(_mm512_inserti32x4(_mm512_castsi128_si512(block[0]), block[1], 1), block[2], 2),
	        block[3], 3);
}

/* Elements 0 ... n - 1, n <= 16, of 16 rows to the panel, PANEL_ROWS lanes a step. */
LW_INLINE void turn_16(const int8_t *rows, size_t ld, size_t n, uint8_t *panel)
{
	__m512i v[4], a, b, c, d;

#pragma GCC unroll 4
	for (size_t r = 0; r < 4; r++)
		v[r] = flip(load_blocks(rows + r * ld, ld, n));
	/* In each block, as of a matrix of 4 x 4. */
	a = _mm512_unpacklo_epi32(v[0], v[1]);
	b = _mm512_unpackhi_epi32(v[0], v[1]);
	c = _mm512_unpacklo_epi32(v[2], v[3]);
	d = _mm512_unpackhi_epi32(v[2], v[3]);
	_mm512_store_si512(panel, _mm512_unpacklo_epi64(a, c));
	_mm512_store_si512(panel + STEP_BYTES, _mm512_unpackhi_epi64(a, c));
	_mm512_store_si512(panel + 2 * STEP_BYTES, _mm512_unpacklo_epi64(b, d));
	_mm512_store_si512(panel + 3 * STEP_BYTES, _mm512_unpackhi_epi64(b, d));
}

static void turn(const int8_t *rows, size_t ld, size_t dim, uint8_t *panel)
{
	for (size_t half = 0; half < 2; half++, rows += LANES * ld, panel += STEP_BYTES / 2) {
		size_t i = 0;

		for (; i + 16 <= dim; i += 16)
			turn_16(rows + i, ld, 16, panel + i / STEP * STEP_BYTES);
		if (i < dim)
			turn_16(rows + i, ld, dim - i, panel + i / STEP * STEP_BYTES);
	}
}

LW_INLINE int32_t load_step(const int8_t *query, size_t n)
{
	int32_t step = 0;

	memcpy(&step, query, n);
	return step;
}

LW_INLINE void take_step(const int8_t *const *query, size_t at, size_t n, const uint8_t *panel, vi (*sums)[2])
{
	ve x0 = _mm512_load_si512(panel), x1 = _mm512_load_si512(panel + STEP_BYTES / 2);

#pragma GCC unroll 8
	for (int q = 0; q < PANEL_QUERIES; q++) {
		ve y = _mm512_set1_epi32(load_step(query[q] + at, n));

		sums[q][0] = vi_dot(sums[q][0], y, x0);
		sums[q][1] = vi_dot(sums[q][1], y, x1);
	}
}

/* Adds the products of PANEL_QUERIES queries and the panel to out[q]; each step prefetches a place of what comes next. */
static LW_NOINLINE void panel_tile(const int8_t *const *query, const uint8_t *panel, size_t dim, int32_t *const *out,
                                   const int8_t *next, size_t next_step)
{
	vi sums[PANEL_QUERIES][2];
	size_t i = 0;

#pragma GCC unroll 8
	for (int q = 0; q < PANEL_QUERIES; q++) {
		sums[q][0] = _mm512_loadu_si512(out[q]);
		sums[q][1] = _mm512_loadu_si512(out[q] + LANES);
	}
	for (; i + STEP <= dim; i += STEP, panel += STEP_BYTES, next += next_step) {
		__builtin_prefetch(next);
		__builtin_prefetch(next + 64);
		take_step(query, i, STEP, panel, sums);
	}
	if (i < dim)
		take_step(query, i, dim - i, panel, sums);
#pragma GCC unroll 8
	for (int q = 0; q < PANEL_QUERIES; q++) {
		_mm512_storeu_si512(out[q], sums[q][0]);
		_mm512_storeu_si512(out[q] + LANES, sums[q][1]);
	}
}

/* All queries and PANEL_ROWS rows, at most PANEL_DIM elements of them. */
static void meet_panel(const int8_t *queries, size_t n_queries, size_t query_ld, const int8_t *rows, size_t dim,
                       size_t ld, int prefetch, int32_t *out, size_t out_ld)
{
	_Alignas(64) uint8_t panel[PANEL_DIM / STEP * STEP_BYTES];
	size_t n_tiles = (n_queries + PANEL_QUERIES - 1) / PANEL_QUERIES,
	       next_step = prefetch ? STEP_BYTES / n_tiles : 0;
	const int8_t *next = rows + (prefetch ? PANEL_ROWS * ld : 0);

	turn(rows, ld, dim, panel);
	for (size_t first = 0; first < n_queries; first += PANEL_QUERIES, next += dim / STEP * next_step) {
		const int8_t *query[PANEL_QUERIES];
		int32_t *sums[PANEL_QUERIES], unwanted[PANEL_ROWS];

		/* Where there are fewer, the last one's twins keep their sums to themselves. */
		for (size_t q = 0; q < PANEL_QUERIES; q++) {
			size_t number = first + q < n_queries ? first + q : n_queries - 1;

			query[q] = queries + number * query_ld;
			sums[q] = number == first + q ? out + number * out_ld : unwanted;
		}
		if (n_queries - first < PANEL_QUERIES)
			memset(unwanted, 0, sizeof unwanted);
		panel_tile(query, panel, dim, sums, next, next_step);
	}
}

void LW_FN(dot_i8_queries)(const int8_t *queries, size_t n_queries, size_t query_ld, const int8_t *rows, size_t n_rows,
                           size_t dim, size_t ld, int prefetch, int32_t *out, size_t out_ld)
{
	size_t in_panels = n_queries < MANY_QUERIES ? 0 : n_rows / PANEL_ROWS * PANEL_ROWS;

	for (size_t q = 0; in_panels > 0 && q < n_queries; q++) {
		const vi start = _mm512_set1_epi32((int32_t)(0 - vi_excess(queries + q * query_ld, dim)));

		for (size_t r = 0; r < in_panels; r += LANES)
			_mm512_storeu_si512(out + q * out_ld + r, start);
	}
	for (size_t r = 0; r < in_panels; r += PANEL_ROWS)
		for (size_t i = 0; i < dim; i += PANEL_DIM)
			meet_panel(queries + i, n_queries, query_ld, rows + r * ld + i,
			           dim - i < PANEL_DIM ? dim - i : PANEL_DIM, ld, prefetch && i == 0, out + r, out_ld);
	if (in_panels < n_rows)
		dot_by_rows(queries, n_queries, query_ld, rows + in_panels * ld, n_rows - in_panels, dim, ld, prefetch,
		            out + in_panels, out_ld);
}
