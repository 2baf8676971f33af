/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_candidates where bytes can be looked up in 64 (vpermb): windows by the lower six bits of bytes, of which one lookup
 * a place tells more than two by halves.
 */
#include "append_bits_avx512.h"
#include "secrets/secrets_windows.h"

struct anywhere {
	__m512i groups[LW_SECRET_PLACES];
	struct windows halves;
};

LW_INLINE struct anywhere anywhere_of(const struct lw_secret_filter *filter)
{
	struct anywhere t;

	for (int j = 0; j < LW_SECRET_PLACES; j++)
		t.groups[j] = _mm512_loadu_si512(filter->classes[j]);
	t.halves = windows_of(&filter->windows);
	return t;
}

LW_INLINE uint64_t anywhere_at(const struct anywhere *t, const uint8_t *p)
{
	__m512i a, b;

	_Static_assert(LW_SECRET_PLACES == 4, "written out");
	a = _mm512_and_si512(_mm512_permutexvar_epi8(_mm512_loadu_si512(p), t->groups[0]),
	                     _mm512_permutexvar_epi8(_mm512_loadu_si512(p + 1), t->groups[1]));
	b = _mm512_and_si512(_mm512_permutexvar_epi8(_mm512_loadu_si512(p + 2), t->groups[2]),
	                     _mm512_permutexvar_epi8(_mm512_loadu_si512(p + 3), t->groups[3]));
	return _mm512_test_epi8_mask(a, b);
}

LW_INLINE uint64_t narrow(const struct anywhere *t, uint64_t word, const uint8_t *p)
{
	return word & windows_at(&t->halves, p);
}

LW_INLINE size_t append_positions(uint64_t word, size_t first, uint16_t *raw, size_t n)
{
	return lw_append_compressed(word, first, raw, n);
}

/* A bit for each of 16 keys that is in a table. */
LW_INLINE __mmask16 keys_in(const uint64_t *table, __m512i bytes)
{
	__m512i key = _mm512_srli_epi32(_mm512_mullo_epi32(bytes, _mm512_set1_epi32((int)LW_SECRET_KEY_FACTOR)),
	                                32 - LW_SECRET_KEY_BITS);
	__m512i words = _mm512_i32gather_epi32(_mm512_srli_epi32(key, 5), table, 4);

	/* Rotations take the lower five bits of what they are told. */
	return _mm512_test_epi32_mask(words, _mm512_rolv_epi32(_mm512_set1_epi32(1), key));
}

/* Sixteen at a time: there are seldom more in a block, so that how many there are is no branch. */
LW_INLINE size_t pass_tables(const struct lw_secret_filter *filter, const uint8_t *text, const uint64_t *begins,
                             const uint16_t *raw, size_t n, uint16_t *positions)
{
	size_t n_passed = 0;

	(void)begins; /* narrow() has left only windows by all that is known of them */
	for (size_t i = 0; i < n; i += 16) {
		__m256i at = _mm256_loadu_si256((const __m256i *)(const void *)(raw + i));
		__mmask16 some = (__mmask16)_bzhi_u32(0xffff, n - i < 16 ? (unsigned)(n - i) : 16), passed;
		__m512i bytes = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), some,
		                                            _mm512_cvtepu16_epi32(at), text, 1);

		bytes = _mm512_or_si512(bytes, _mm512_set1_epi32(0x20202020));
		passed = keys_in(filter->wide, bytes) |
		         keys_in(filter->narrow, _mm512_and_si512(bytes, _mm512_set1_epi32(0xffffff)));
		passed &= some;
		/* Merged, not zeroed, as in append_bits_avx512.h; no more than n places are written. */
		_mm256_storeu_si256((__m256i *)(void *)(positions + n_passed), _mm256_mask_compress_epi16(at, passed, at));
		n_passed += (size_t)__builtin_popcount(passed);
	}
	return n_passed;
}

#include "secrets/secrets_candidates.h"
