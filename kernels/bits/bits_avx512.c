/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/bits.h for tier avx512, which counts the bits of eight words at once (VPOPCNTDQ).
 *
 * A row leaves a count in each of eight 64-bit lanes. ROWS rows go side by side, and their counts are added up together:
 * those of four rows share the lanes as four 16-bit fields, so that one pass of shuffles and additions ends with the
 * counts of all eight rows next to one another. A field holds counts below 2^16, hence rows of at most MOST_FIELD_BYTES;
 * longer rows are added up one by one, which is little beside their length.
 *
 * The last bytes of a row are loaded by a mask, since nothing behind them may be read. Where rows lie without gaps, and for
 * all of them but the last few, what lies behind is the next row: whole loads then, whose excess is masked out in
 * registers. (On Zen 5 loads by a mask stop the hardware's prefetching, at a quarter of the bandwidth.)
 */
#include <immintrin.h>

#include "bits/hamming_48.h"
#include "common.h"

enum { ROWS = 8, BLOCK_BYTES = 64, MOST_FIELD_BYTES = (1 << 16) / 8 - 1, PREFETCH_BYTES = 4096 };

enum op { OP_XOR, OP_AND };

/* The bytes of a row's last block, all of it if the row is whole blocks. */
LW_INLINE __mmask64 last_mask(size_t n_bytes)
{
	return n_bytes % BLOCK_BYTES ? ((uint64_t)1 << n_bytes % BLOCK_BYTES) - 1 : ~(uint64_t)0;
}

LW_INLINE __m512i combine(enum op op, __m512i a, __m512i b)
{
	return op == OP_XOR ? _mm512_xor_si512(a, b) : _mm512_and_si512(a, b);
}

/* Adds the bits of n_rows (a constant) rows, each combined with the query. */
LW_INLINE void count_rows(enum op op, int n_rows, int is_whole, const uint8_t *query, const uint8_t *rows,
                          size_t n_bytes, size_t ld, __m512i *sums)
{
	__mmask64 mask = last_mask(n_bytes);
	size_t i = 0;

#pragma GCC unroll 8
	for (int r = 0; r < n_rows; r++)
		sums[r] = _mm512_setzero_si512();
	if (n_bytes == 0)
		return;
	for (; n_bytes - i > BLOCK_BYTES; i += BLOCK_BYTES) {
		__m512i q = _mm512_loadu_si512(query + i);

#pragma GCC unroll 8
		for (int r = 0; r < n_rows; r++) {
			__m512i x = combine(op, q, _mm512_loadu_si512(rows + (size_t)r * ld + i));

			sums[r] = _mm512_add_epi64(sums[r], _mm512_popcnt_epi64(x));
		}
	}

	__m512i q = _mm512_maskz_loadu_epi8(mask, query + i), keep = _mm512_movm_epi8(mask);

#pragma GCC unroll 8
	for (int r = 0; r < n_rows; r++) {
		const uint8_t *p = rows + (size_t)r * ld + i;
		__m512i x = is_whole ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8(mask, p);

		/* 0x28: (a ^ b) & c. What is behind the query is 0 already. */
		x = op == OP_XOR && is_whole ? _mm512_ternarylogic_epi64(q, x, keep, 0x28) : combine(op, q, x);
		sums[r] = _mm512_add_epi64(sums[r], _mm512_popcnt_epi64(x));
	}
}

/* Four rows' counts as the 16-bit fields of each lane. */
LW_INLINE __m512i share_lanes(const __m512i sums[4])
{
	__m512i low = _mm512_add_epi64(sums[0], _mm512_slli_epi64(sums[1], 16));
	__m512i high = _mm512_add_epi64(sums[2], _mm512_slli_epi64(sums[3], 16));

	return _mm512_add_epi64(low, _mm512_slli_epi64(high, 32));
}

/* The sums over the lanes of ROWS rows. */
LW_INLINE __m256i add_up(const __m512i sums[ROWS])
{
	__m512i a = share_lanes(sums), b = share_lanes(sums + 4);
	__m512i both = _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
	__m256i half = _mm256_add_epi64(_mm512_castsi512_si256(both), _mm512_extracti64x4_epi64(both, 1));

	return _mm256_cvtepu16_epi32(_mm_add_epi64(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
}

LW_INLINE uint32_t count_row(enum op op, const uint8_t *query, const uint8_t *row, size_t n_bytes)
{
	__m512i sum;

	count_rows(op, 1, 0, query, row, n_bytes, 0, &sum);
	return (uint32_t)_mm512_reduce_add_epi64(sum);
}

/* How many of the rows may be loaded beyond their ends, into the rows that follow. */
LW_INLINE size_t whole_rows(size_t n_rows, size_t n_bytes, size_t ld)
{
	size_t behind = n_bytes ? (BLOCK_BYTES + n_bytes - 1) / n_bytes : 0;

	return ld == n_bytes && n_rows > behind ? n_rows - behind : 0;
}

LW_INLINE void all_rows(enum op op, const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes, size_t ld,
                        uint32_t *out)
{
	size_t whole = whole_rows(n_rows, n_bytes, ld), r = 0;

	for (; n_bytes <= MOST_FIELD_BYTES && n_rows - r >= ROWS; r += ROWS) {
		const uint8_t *group = rows + r * ld;
		__m512i sums[ROWS];

		for (size_t i = 0; i < ROWS * n_bytes; i += BLOCK_BYTES)
			__builtin_prefetch(group + PREFETCH_BYTES + i);
		if (r + ROWS <= whole)
			count_rows(op, ROWS, 1, query, group, n_bytes, ld, sums);
		else
			count_rows(op, ROWS, 0, query, group, n_bytes, ld, sums);
		_mm256_storeu_si256((__m256i *)(void *)(out + r), add_up(sums));
	}
	for (; r < n_rows; r++)
		out[r] = count_row(op, query, rows + r * ld, n_bytes);
}

void LW_FN(hamming_rows)(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes, size_t ld,
                         uint32_t *out)
{
	size_t done = n_bytes == ROW_48 && ld == ROW_48 ? hamming_48(query, rows, n_rows, out) : 0;

	all_rows(OP_XOR, query, rows + done * ld, n_rows - done, n_bytes, ld, out + done);
}

/* Bits of either are those of both and those in which they differ. The rows of a block are in L1 the second time. */
void LW_FN(bit_overlap_rows)(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes, size_t ld,
                             uint32_t *both, uint32_t *either)
{
	enum { BLOCK_ROWS = 64 };

	for (size_t first = 0; first < n_rows; first += BLOCK_ROWS) {
		size_t n = n_rows - first < BLOCK_ROWS ? n_rows - first : BLOCK_ROWS;
		const uint8_t *block = rows + first * ld;

		all_rows(OP_AND, query, block, n, n_bytes, ld, both + first);
		all_rows(OP_XOR, query, block, n, n_bytes, ld, either + first);
		for (size_t r = first; r < first + n; r++)
			either[r] += both[r];
	}
}
