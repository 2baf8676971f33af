/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan_evens where bytes can be looked up in 128 (vpermi2b). The bits are too many for registers, the cells are not. 128
 * bytes of text have 64 even places; the lower bytes of their hashes are one vector, the upper bytes another, and the cells
 * looked up by these tell which places may have a bit. Only for these bits are loaded.
 *
 * A vector of such bytes has the places of the first 64 bytes of text at its even elements and those of the last 64 at its
 * odd ones: so nothing has to be moved to another element, which only one unit of Intel's CPUs can do.
 *
 * Where almost every place would pass the cells, the bits of all are loaded (scan_evens_simd.c).
 */
#include "append_bits_avx512.h"
#include "scan/scan_evens.h"

enum { PART = 128, AT_ONCE = 4096, AHEAD = 4096, SELECTS = LW_SCAN_CELLS / 128 };

struct tables {
	__m512i low[SELECTS][2], high[SELECTS][2]; /* cells: 128 bytes each */
	__m512i bit_of;                            /* 1 << i % 8 in element i */
	__m512i fold, low_product, high_product;
};

LW_INLINE void load_tables(const struct lw_scan_evens *evens, struct tables *t)
{
#pragma GCC unroll 4
	for (int i = 0; i < SELECTS; i++)
#pragma GCC unroll 2
		for (int half = 0; half < 2; half++) {
			t->low[i][half] = _mm512_loadu_si512(evens->cells->low + 128 * i + 64 * half);
			t->high[i][half] = _mm512_loadu_si512(evens->cells->high + 128 * i + 64 * half);
		}
	t->bit_of = _mm512_set1_epi64((long long)UINT64_C(0x8040201008040201));
	t->fold = _mm512_set1_epi32((int)evens->fold);
	t->low_product = _mm512_set1_epi16((short)LW_SCAN_EVENS_LOW);
	t->high_product = _mm512_set1_epi16((short)LW_SCAN_EVENS_HIGH);
}

/* Those of grams at even places, by their lower and their upper halves. */
LW_INLINE __m512i hashes(const struct tables *t, int folds, __m512i lower, __m512i upper)
{
	if (folds) {
		lower = _mm512_or_si512(lower, t->fold);
		upper = _mm512_or_si512(upper, t->fold);
	}
	lower = _mm512_mullo_epi16(lower, t->low_product);
	upper = _mm512_mullo_epi16(upper, t->high_product);
	return _mm512_add_epi16(lower, upper);
}

/* cells[at & 127] of the table that the upper bit of `at` and `select` tell. */
LW_INLINE __m512i look_up(const __m512i cells[SELECTS][2], __m512i at, __mmask64 select)
{
	__mmask64 upper = _mm512_movepi8_mask(at);
	__m512i found[SELECTS];

#pragma GCC unroll 4
	for (int i = 0; i < SELECTS; i++)
		found[i] = _mm512_permutex2var_epi8(cells[i][0], at, cells[i][1]);
	found[0] = _mm512_mask_blend_epi8(upper, found[0], found[1]);
	found[2] = _mm512_mask_blend_epi8(upper, found[2], found[3]);
	return _mm512_mask_blend_epi8(select, found[0], found[2]);
}

/* The elements of 16 bits of which the lower byte is not 0 at places of the first 64 bytes, the upper one of the last. */
LW_INLINE __m512i look_up_cells(const struct tables *t, __m512i first, __m512i last)
{
	__m512i low_bytes = _mm512_set1_epi16(0xff), eight = _mm512_set1_epi8(8);
	__m512i low = _mm512_ternarylogic_epi64(low_bytes, first, _mm512_slli_epi16(last, 8), 0xca);
	__m512i high = _mm512_ternarylogic_epi64(low_bytes, _mm512_srli_epi16(first, 8), last, 0xca);
	__m512i by_low = look_up(t->low, low, _mm512_test_epi8_mask(high, eight));
	__m512i by_high = look_up(t->high, high, _mm512_test_epi8_mask(low, eight));

	by_low = _mm512_and_si512(by_low, _mm512_permutexvar_epi8(high, t->bit_of));
	by_high = _mm512_and_si512(by_high, _mm512_permutexvar_epi8(low, t->bit_of));
	return _mm512_min_epu8(by_low, by_high); /* not 0 if neither is */
}

/* Places that may have a bit, and the numbers of these bits. */
struct candidates {
	uint16_t *places;
	uint16_t bits[AT_ONCE / 2 + 64];
};

/* Appends some of 32 places with these hashes; there is room for 32. */
LW_INLINE size_t append_places(__mmask32 some, __m512i places, __m512i hash, struct candidates *c, size_t n)
{
	__m512i bits = _mm512_shldi_epi16(hash, hash, 3); /* bit h >> 13 of byte h & 8191 */

	_mm512_storeu_si512(c->places + n, _mm512_mask_compress_epi16(places, some, places));
	_mm512_storeu_si512(c->bits + n, _mm512_mask_compress_epi16(bits, some, bits));
	return n + (size_t)__builtin_popcount(some);
}

/* The same for 128 bytes of text, of which those even places count that have a bit in `counts`. */
LW_INLINE size_t append_part(const struct tables *t, __m512i first, __m512i last, uint64_t counts, __m512i places,
                             struct candidates *c, size_t n)
{
	__m512i found = look_up_cells(t, first, last);
	__mmask32 of_first = _mm512_test_epi16_mask(found, _mm512_set1_epi16(0xff)) & (__mmask32)counts;
	__mmask32 of_last = _mm512_test_epi16_mask(found, _mm512_set1_epi16((short)0xff00)) & (__mmask32)(counts >> 32);

	n = append_places(of_first, places, first, c, n);
	return append_places(of_last, _mm512_add_epi16(places, _mm512_set1_epi16(64)), last, c, n);
}

/* `n` bytes, or 64 if there are more, and zeros. */
LW_INLINE __m512i load_some(const uint8_t *bytes, size_t n, size_t at)
{
	size_t left = at < n ? n - at : 0;

	return left >= 64 ? _mm512_loadu_si512(bytes + at)
	                  : _mm512_maskz_loadu_epi8(~(UINT64_MAX << left), left ? bytes + at : bytes);
}

/* Those candidates that have a bit, in the same array; how many. */
LW_INLINE size_t keep_bits(const uint8_t *bits, const struct candidates *c, size_t n)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < n; i++) {
		size_t bit = c->bits[i];
		uint64_t word = lw_load_little_endian_64(bits + bit / 64 * 8);

		c->places[n_kept] = c->places[i];
		/* Compilers take three instructions more. */
		__asm__("bt %2, %1\n\tadc $0, %0" : "+r"(n_kept) : "r"(word), "r"(bit) : "cc");
	}
	return n_kept;
}

/* The places below n, at most AT_ONCE, that have a bit; the text has n + 3 bytes. */
LW_INLINE size_t find_some(const struct lw_scan_evens *evens, const struct tables *t, int folds, const uint8_t *text,
                           size_t n, uint16_t *places)
{
	static const uint16_t numbers[32] = { 0,  2,  4,  6,  8,  10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30,
		                              32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62 };
	__m512i numbers_now = _mm512_loadu_si512(numbers);
	size_t n_bytes = n + LW_SCAN_EVENS_WIDTH - 1, n_found = 0, at = 0;
	struct candidates c;

	c.places = places;
	for (; at + PART <= n; at += PART) {
		const uint8_t *p = text + at;
		__m512i first = hashes(t, folds, _mm512_loadu_si512(p), _mm512_loadu_si512(p + 2));
		__m512i last = hashes(t, folds, _mm512_loadu_si512(p + 64), _mm512_loadu_si512(p + 66));

		__builtin_prefetch(p + AHEAD);
		__builtin_prefetch(p + AHEAD + 64);
		n_found = append_part(t, first, last, UINT64_MAX, numbers_now, &c, n_found);
		numbers_now = _mm512_add_epi16(numbers_now, _mm512_set1_epi16(PART));
	}
	if (at < n) {
		__m512i first = hashes(t, folds, load_some(text, n_bytes, at), load_some(text, n_bytes, at + 2));
		__m512i last = hashes(t, folds, load_some(text, n_bytes, at + 64), load_some(text, n_bytes, at + 66));

		n_found = append_part(t, first, last, UINT64_MAX >> (64 - (n - at + 1) / 2), numbers_now, &c, n_found);
	}
	return keep_bits(evens->bits, &c, n_found);
}

LW_INLINE size_t find_by_cells(const struct lw_scan_evens *evens, int folds, const uint8_t *text, size_t n,
                               uint16_t *places)
{
	struct tables t;
	size_t n_found = 0;

	load_tables(evens, &t);
	for (size_t at = 0; at < n; at += AT_ONCE) {
		size_t n_some = n - at < AT_ONCE ? n - at : AT_ONCE;

		n_some = find_some(evens, &t, folds, text + at, n_some, places + n_found);
		for (size_t i = 0; at && i < n_some; i++)
			places[n_found + i] = (uint16_t)(places[n_found + i] + at);
		n_found += n_some;
	}
	return lw_scan_evens_keep(evens, text, places, n_found);
}

size_t LW_FN(scan_evens)(const struct lw_scan_evens *evens, const uint8_t *text, size_t n, uint16_t *places)
{
	if (!evens->cells)
		return lanewise_scan_evens_avx512_clx(evens, text, n, places);
	return evens->fold ? find_by_cells(evens, 1, text, n, places) : find_by_cells(evens, 0, text, n, places);
}
