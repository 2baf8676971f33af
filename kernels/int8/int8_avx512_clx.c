/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of bytes with VPDPBUSD, which multiplies unsigned by signed bytes, adds four products without saturation and
 * the sum to a 32-bit lane. Where both are signed, rows become unsigned by flipping their sign bits, which adds 128 to
 * each element; that makes every result too large by 128 times the sum of the query, whatever the row is. In the tail the
 * query's zeros silence what the flip makes of the zeros behind the row.
 */
#include <immintrin.h>
#include <math.h>

#include "common.h"
#include "int8/signs.h"
#include "vec.h"

enum { VI_BYTES = 64, TILE_QUERIES = 4, VN_BYTES = 64 };
typedef __m512i vi;
typedef __m512i ve;

LW_INLINE __mmask64 first_bytes(size_t n) { return ((__mmask64)1 << n) - 1; }
LW_INLINE ve flip(ve v) { return _mm512_xor_si512(v, _mm512_set1_epi8(-128)); }
LW_INLINE ve ve_load(enum signs signs, const int8_t *p)
{
	(void)signs;
	return _mm512_loadu_si512(p);
}
LW_INLINE ve ve_load_first(enum signs signs, const int8_t *p, size_t n)
{
	(void)signs;
	return _mm512_maskz_loadu_epi8(first_bytes(n), p);
}
LW_INLINE ve ve_load_row(enum signs signs, const int8_t *p)
{
	return signs == I8_I8 ? flip(ve_load(signs, p)) : ve_load(signs, p);
}
LW_INLINE ve ve_load_row_first(enum signs signs, const int8_t *p, size_t n)
{
	return signs == I8_I8 ? flip(ve_load_first(signs, p, n)) : ve_load_first(signs, p, n);
}
LW_INLINE vi vi_zero(void) { return _mm512_setzero_si512(); }

/* _mm512_dpbusd_epi32; as an intrinsic gcc 12 copies the sums into and out of it, two moves for each. */
LW_INLINE vi dot_us(vi sums, ve is_unsigned, ve is_signed)
{
	__asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(is_unsigned), "v"(is_signed));
	return sums;
}

LW_INLINE vi vi_dot(enum signs signs, vi sums, ve query, ve row)
{
	return signs == U8_I8 ? dot_us(sums, query, row) : dot_us(sums, row, query);
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

LW_INLINE uint32_t vi_excess(enum signs signs, const int8_t *query, size_t dim)
{
	const ve ones = _mm512_set1_epi8(1);
	vi sum = vi_zero();
	size_t i = 0;

	if (signs != I8_I8)
		return 0;
	for (; i + VI_BYTES <= dim; i += VI_BYTES)
		sum = dot_us(sum, ones, ve_load(signs, query + i));
	if (i < dim)
		sum = dot_us(sum, ones, ve_load_first(signs, query + i, dim - i));
	return 128 * (uint32_t)_mm512_reduce_add_epi32(sum);
}

/* Codes need no flip: they are not negative. The upper halves count 16 times where they are. */
LW_INLINE void vi_dot_i4(vi *low, vi *high, const int8_t *query, const uint8_t *codes)
{
	const ve lower_halves = _mm512_set1_epi8(15);
	ve both = _mm512_loadu_si512(codes);

	*low = dot_us(*low, _mm512_and_si512(lower_halves, both), ve_load(I8_I8, query));
	*high = dot_us(*high, _mm512_andnot_si512(lower_halves, both), ve_load(I8_I8, query + 64));
}

LW_INLINE vi vi_join(vi low, vi high) { return _mm512_add_epi32(_mm512_slli_epi32(low, 4), high); }

#define VI_BY_PANELS 1 /* dot_i8_above is below */
#include "int8/int8_rows.h"

/* -------------------------------------------------------------- many queries */

/*
 * Queries are turned over into panels: four bytes of each of 16 queries fill a vector, which meets the same four bytes of
 * a row in all lanes, so that each lane sums up one query. A tile is the sums of up to three such vectors and some
 * rows; they are compared where they are, and nearly always that is the end of them. Here it is the queries that become
 * unsigned, which makes results too large by 128 times the sum of the row: the sums begin with that, negated.
 *
 * All rows of a call lie in L2, where a pass for that sum brings them; a group of queries lies in L1 while all rows pass.
 */
enum {
	LANES = 16,
	STEP = 4,        /* elements of a lane */
	STRIP_ROWS = 8,  /* rows of a tile */
	MOST_VECTORS = 3 /* vectors of queries of a tile */
};
_Static_assert(LW_I8_QUERIES % (LANES * MOST_VECTORS) == 0, "groups of queries are whole");

/* 64 elements of LANES queries at `queries`, ld apart, to 16 steps of the panel, as unsigned ones. */
LW_INLINE void turn_64(const int8_t *queries, size_t ld, size_t stride, uint8_t *panel)
{
	vf v[LANES];

#pragma GCC unroll 16
	for (size_t q = 0; q < LANES; q++)
		v[q] = _mm512_castsi512_ps(flip(ve_load(I8_I8, queries + q * ld)));
	vf_transpose(v);
#pragma GCC unroll 16
	for (size_t step = 0; step < 16; step++)
		_mm512_storeu_si512(panel + step * stride, _mm512_castps_si512(v[step]));
}

/* n <= LANES queries, `stride` bytes between steps; where there are fewer, the other lanes are of no consequence. */
static void turn_queries(const struct lw_i8_queries *queries, size_t first, size_t n, size_t stride, uint8_t *panel)
{
	const int8_t *codes = queries->codes + first * queries->ld;

	for (size_t i = 0; i < queries->dim; i += 64, panel += 16 * stride) {
		int8_t some[LANES * 64] = { 0 };

		for (size_t q = 0; q < n; q++)
			memcpy(some + q * 64, codes + q * queries->ld + i, 64);
		turn_64(some, 64, stride, panel);
	}
}

static uint8_t *panel_of(const struct lw_i8_queries *queries)
{
	return queries->panel + (64 - (uintptr_t)queries->panel % 64) % 64;
}

/* Groups of MOST_VECTORS vectors follow one another; in a group, the vectors of a step. */
static LW_NOINLINE void pack_queries(struct lw_i8_queries *queries)
{
	uint8_t *panel = panel_of(queries);

	for (size_t q = 0, n; q < queries->n; q += n) {
		n = queries->n - q < LANES * MOST_VECTORS ? queries->n - q : LANES * MOST_VECTORS;

		size_t n_vectors = (n + LANES - 1) / LANES;

		for (size_t v = 0; v < n_vectors; v++)
			turn_queries(queries, q + v * LANES, n - v * LANES < LANES ? n - v * LANES : LANES,
			             64 * n_vectors, panel + 64 * v);
		panel += n_vectors * LANES * queries->dim;
	}
	queries->is_packed = 1;
}

/* -128 times the sum of each of ROWS rows. */
LW_INLINE void row_excess(const int8_t *rows, size_t ld, size_t dim, int32_t *excess)
{
	const ve bias = _mm512_set1_epi8(-128); /* 128 as the unsigned factor */
	vi sums[ROWS] = { vi_zero(), vi_zero(), vi_zero(), vi_zero() };

	for (size_t i = 0; i < dim; i += VI_BYTES) {
#pragma GCC unroll 4
		for (size_t j = 0; j < ROWS; j++)
			sums[j] = dot_us(sums[j], bias, ve_load(I8_I8, rows + j * ld + i));
	}
#pragma GCC unroll 4
	for (size_t j = 0; j < ROWS; j++)
		sums[j] = _mm512_sub_epi32(vi_zero(), sums[j]);
	vi_sum4(sums, excess);
}

/* Sums of STRIP_ROWS rows and one or two vectors of queries; the latter two steps at a time would gain nothing. */
LW_INLINE void strip(int n_vectors, const uint8_t *panel, const int8_t *rows, size_t ld, size_t dim, const char *ahead,
                     const int32_t *excess, vi *out)
{
	vi sums[STRIP_ROWS][2];

#pragma GCC unroll 8
	for (int r = 0; r < STRIP_ROWS; r++)
#pragma GCC unroll 2
		for (int v = 0; v < n_vectors; v++)
			sums[r][v] = _mm512_set1_epi32(excess[r]);
	for (size_t i = 0; i < dim; i += STEP, panel += 64 * n_vectors) {
		ve q[2];

		if (ahead && i % 8 == 0)
			_mm_prefetch(ahead + i * STRIP_ROWS, _MM_HINT_T1);
#pragma GCC unroll 2
		for (int v = 0; v < n_vectors; v++)
			q[v] = _mm512_load_si512(panel + 64 * v);
#pragma GCC unroll 8
		for (size_t r = 0; r < STRIP_ROWS; r++) {
			int32_t four;

			memcpy(&four, rows + r * ld + i, sizeof four);
			for (int v = 0; v < n_vectors; v++)
				sums[r][v] = dot_us(sums[r][v], q[v], _mm512_set1_epi32(four));
		}
	}
#pragma GCC unroll 8
	for (int r = 0; r < STRIP_ROWS; r++)
#pragma GCC unroll 2
		for (int v = 0; v < n_vectors; v++)
			out[r * n_vectors + v] = sums[r][v];
}

/*
 * The same for three vectors, in assembly: 24 sums, three vectors of queries and an element in all lanes are 28
 * registers, which gcc 12 moves about in the loop. Instructions are what is scarce, since another thread on the core takes
 * half of the places for them: four steps a turn, and addresses without pointers of their own. Two lines a turn are
 * fetched from `ahead` on, which moves by ahead_step.
 */
#define LW_STRIP_ROW(address, a, b, c) \
	"vpbroadcastd " address ", %%zmm27\n\t" \
	"vpdpbusd %%zmm27, %%zmm24, %%zmm" a "\n\t" \
	"vpdpbusd %%zmm27, %%zmm25, %%zmm" b "\n\t" \
	"vpdpbusd %%zmm27, %%zmm26, %%zmm" c "\n\t"
#define LW_STRIP_STEP(offset, panel_0, panel_1, panel_2) \
	"vmovdqa64 " panel_0 "(%[panel]), %%zmm24\n\t" \
	"vmovdqa64 " panel_1 "(%[panel]), %%zmm25\n\t" \
	"vmovdqa64 " panel_2 "(%[panel]), %%zmm26\n\t" LW_STRIP_ROW(offset "(%[row])", "0", "1", "2") LW_STRIP_ROW( \
	        offset "(%[row],%[ld])", "3", "4", "5") LW_STRIP_ROW(offset "(%[row],%[ld],2)", "6", "7", "8") \
	        LW_STRIP_ROW(offset "(%[row],%[ld3])", "9", "10", "11") \
	                LW_STRIP_ROW(offset "(%[row],%[ld],4)", "12", "13", "14") \
	                        LW_STRIP_ROW(offset "(%[row],%[ld5])", "15", "16", "17") \
	                                LW_STRIP_ROW(offset "(%[row],%[ld3],2)", "18", "19", "20") \
	                                        LW_STRIP_ROW(offset "(%[row],%[ld7])", "21", "22", "23")
#define LW_STRIP_BEGIN(r, a, b, c) \
	"vpbroadcastd 4*" r "(%[excess]), %%zmm" a "\n\t" \
	"vmovdqa64 %%zmm" a ", %%zmm" b "\n\t" \
	"vmovdqa64 %%zmm" a ", %%zmm" c "\n\t"
#define LW_STRIP_END(r, a, b, c) \
	"vmovdqa64 %%zmm" a ", 192*" r "(%[out])\n\t" \
	"vmovdqa64 %%zmm" b ", 192*" r "+64(%[out])\n\t" \
	"vmovdqa64 %%zmm" c ", 192*" r "+128(%[out])\n\t"
#define LW_STRIP_ROWS(part) \
	part("0", "0", "1", "2") part("1", "3", "4", "5") part("2", "6", "7", "8") part("3", "9", "10", "11") \
	        part("4", "12", "13", "14") part("5", "15", "16", "17") part("6", "18", "19", "20") \
	                part("7", "21", "22", "23")

static void strip_of_3(const uint8_t *panel, const int8_t *rows, size_t ld, size_t dim, const char *ahead,
                       size_t ahead_step, const int32_t *excess, vi *out)
{
	const int8_t *end = rows + dim;

	/* clang-format off */
	__asm__ volatile(
		LW_STRIP_ROWS(LW_STRIP_BEGIN)
		".p2align 6\n"
		"1:\n\t"
		"prefetcht1 (%[ahead])\n\t"
		LW_STRIP_STEP("0", "0", "64", "128")
		LW_STRIP_STEP("4", "192", "256", "320")
		"prefetcht1 64(%[ahead])\n\t"
		LW_STRIP_STEP("8", "384", "448", "512")
		LW_STRIP_STEP("12", "576", "640", "704")
		"add %[ahead_step], %[ahead]\n\t"
		"add $768, %[panel]\n\t"
		"add $16, %[row]\n\t"
		"cmp %[end], %[row]\n\t"
		"jb 1b\n\t"
		LW_STRIP_ROWS(LW_STRIP_END)
		: [panel] "+r"(panel), [row] "+r"(rows), [ahead] "+r"(ahead)
		: [ld] "r"(ld), [ld3] "r"(3 * ld), [ld5] "r"(5 * ld), [ld7] "r"(7 * ld), [end] "r"(end),
		  [ahead_step] "r"(ahead_step), [excess] "r"(excess), [out] "r"(out)
		: "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
		  "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20",
		  "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27");
	/* clang-format on */
}

static LW_NOINLINE void strip_of_1(const uint8_t *panel, const int8_t *rows, size_t ld, size_t dim, const char *ahead,
                                   const int32_t *excess, vi *out)
{
	strip(1, panel, rows, ld, dim, ahead, excess, out);
}

static LW_NOINLINE void strip_of_2(const uint8_t *panel, const int8_t *rows, size_t ld, size_t dim, const char *ahead,
                                   const int32_t *excess, vi *out)
{
	strip(2, panel, rows, ld, dim, ahead, excess, out);
}

/* Notes the pairs of vector v of the queries. */
static LW_NOINLINE void note_pairs(size_t n_vectors, size_t v, const vi *sums, const float *scale, vf least,
                                   size_t first_row, size_t first_query, struct lw_i8_found *found, size_t *n_found)
{
	for (size_t r = 0; r < STRIP_ROWS; r++) {
		vi dots = sums[r * n_vectors + v];
		uint32_t bits = vb_bits(vf_ge(vf_mul(_mm512_cvtepi32_ps(dots), vf_set1(scale[r])), least));

		for (; bits; bits &= bits - 1) {
			size_t lane = (size_t)__builtin_ctz(bits), q = first_query + v * LANES + lane;
			int32_t dot =
			        _mm512_cvtsi512_si32(_mm512_maskz_compress_epi32((__mmask16)(bits & -bits), dots));

			found[q * LW_I8_ROWS + n_found[q]++] = (struct lw_i8_found) { (uint32_t)(first_row + r), dot };
		}
	}
}

/* Of a vector of queries, the greatest product of each with a row, times the row's scale. A NaN leaves it as it is. */
LW_INLINE vf greatest_of(int n_vectors, int v, const vi *sums, const float *scale)
{
	vf greatest = vf_set1(-INFINITY);

#pragma GCC unroll 8
	for (int r = 0; r < STRIP_ROWS; r++)
		greatest = vf_max(vf_mul(_mm512_cvtepi32_ps(sums[r * n_vectors + v]), vf_set1(scale[r])), greatest);
	return greatest;
}

/* A group of queries, n_vectors of them (a constant), and n_rows, a multiple of STRIP_ROWS. */
LW_INLINE void meet_group(int n_vectors, const uint8_t *panel, const int8_t *rows, size_t n_rows, size_t ld, size_t dim,
                          int prefetch, const int32_t *excess, const float *scale, const vf *least, size_t first_query,
                          struct lw_i8_found *found, size_t *n_found)
{
	vi sums[STRIP_ROWS * MOST_VECTORS];

	for (size_t r = 0; r < n_rows; r += STRIP_ROWS) {
		const int8_t *strip_rows = rows + r * ld;
		const char *ahead = prefetch ? (const char *)strip_rows + n_rows * ld : NULL;

		if (n_vectors == 3)
			strip_of_3(panel, strip_rows, ld, dim, prefetch ? ahead : (const char *)panel,
			           prefetch ? 128 : 0, excess + r, sums);
		else
			(n_vectors == 2 ? strip_of_2 : strip_of_1)(panel, strip_rows, ld, dim, ahead, excess + r, sums);
#pragma GCC unroll 3
		for (int v = 0; v < n_vectors; v++)
			if (LW_UNLIKELY(vb_any(vf_ge(greatest_of(n_vectors, v, sums, scale + r), least[v]))))
				note_pairs((size_t)n_vectors, (size_t)v, sums, scale + r, least[v], r, first_query,
				           found, n_found);
	}
}

static void meet_panels(const struct lw_i8_queries *queries, const int8_t *rows, size_t n_rows, size_t ld, int prefetch,
                        const float *scale, const float *all_least, struct lw_i8_found *found, size_t *n_found)
{
	const uint8_t *panel = panel_of(queries);
	int32_t excess[LW_I8_ROWS];

	for (size_t r = 0; r < n_rows; r += ROWS)
		row_excess(rows + r * ld, ld, queries->dim, excess + r);
	for (size_t q = 0, n; q < queries->n; q += n) {
		float group_least[LANES * MOST_VECTORS];
		vf least[MOST_VECTORS];

		n = queries->n - q < LANES * MOST_VECTORS ? queries->n - q : LANES * MOST_VECTORS;
		for (size_t j = 0; j < LANES * MOST_VECTORS; j++)
			group_least[j] = j < n ? all_least[q + j] : NAN; /* which nothing reaches */
		for (size_t v = 0; v < MOST_VECTORS; v++)
			least[v] = vf_load(group_least + v * LANES);
		if (n > 2 * LANES)
			meet_group(3, panel, rows, n_rows, ld, queries->dim, prefetch && q == 0, excess, scale, least,
			           q, found, n_found);
		else if (n > LANES)
			meet_group(2, panel, rows, n_rows, ld, queries->dim, prefetch && q == 0, excess, scale, least,
			           q, found, n_found);
		else
			meet_group(1, panel, rows, n_rows, ld, queries->dim, prefetch && q == 0, excess, scale, least,
			           q, found, n_found);
		panel += (n + LANES - 1) / LANES * LANES * queries->dim;
	}
}

void LW_FN(dot_i8_above)(struct lw_i8_queries *queries, const int8_t *rows, size_t n_rows, size_t ld, int prefetch,
                         const float *scale, const float *least, struct lw_i8_found *found, size_t *n_found)
{
	size_t in_strips = queries->dim ? n_rows / STRIP_ROWS * STRIP_ROWS : 0;

	for (size_t q = 0; q < queries->n; q++)
		n_found[q] = 0;
	if (in_strips && !queries->is_packed)
		pack_queries(queries);
	if (in_strips)
		meet_panels(queries, rows, in_strips, ld, prefetch, scale, least, found, n_found);
	if (in_strips < n_rows)
		above_by_rows(queries, rows, in_strips, n_rows, ld, 0, scale, least, found, n_found);
}
