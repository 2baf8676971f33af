/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_candidates where bytes can be looked up in 64 (vpermb): windows by the lower six bits of bytes, of which one lookup
 * a place tells more than two by halves.
 */
#include "append_bits_avx512.h"
#include "secrets/secrets_windows.h"

struct anywhere {
	__m512i groups[LW_SECRET_PLACES];
};

LW_INLINE struct anywhere anywhere_of(const struct lw_secret_filter *filter)
{
	struct anywhere t;

	for (int j = 0; j < LW_SECRET_PLACES; j++)
		t.groups[j] = _mm512_loadu_si512(filter->classes[j]);
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

#include "secrets/secrets_candidates.h"

enum { MOST_RAW = 1024 }; /* and those of a word */

/* A bit for each of 16 keys that is in a table. */
LW_INLINE __mmask16 keys_in(const uint64_t *table, __m512i bytes)
{
	__m512i key = _mm512_srli_epi32(_mm512_mullo_epi32(bytes, _mm512_set1_epi32((int)LW_SECRET_KEY_FACTOR)),
	                                32 - LW_SECRET_KEY_BITS);
	__m512i words = _mm512_i32gather_epi32(_mm512_srli_epi32(key, 5), table, 4);

	/* Rotations take the lower five bits of what they are told. */
	return _mm512_test_epi32_mask(words, _mm512_rolv_epi32(_mm512_set1_epi32(1), key));
}

/* Those of the positions that pass the tables, sixteen at a time. */
LW_INLINE size_t pass_tables(const struct lw_secret_filter *filter, const uint8_t *text, const uint16_t *raw, size_t n,
                             uint16_t *positions)
{
	size_t n_passed = 0;

	for (size_t i = 0; i < n; i += 16) {
		__m256i at = _mm256_loadu_si256((const __m256i *)(const void *)(raw + i));
		__mmask16 some = (__mmask16)_bzhi_u32(0xffff, n - i < 16 ? (unsigned)(n - i) : 16), passed;
		__m512i bytes =
		        _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), some, _mm512_cvtepu16_epi32(at), text, 1);

		bytes = _mm512_or_si512(bytes, _mm512_set1_epi32((int)LW_SECRET_FOLD));
		passed = keys_in(filter->wide, bytes) |
		         keys_in(filter->narrow, _mm512_and_si512(bytes, _mm512_set1_epi32(0xffffff)));
		passed &= some;
		/* Merged, not zeroed, as in append_bits_avx512.h; `some` has as many bits as there can be positions. */
		_mm256_mask_storeu_epi16(positions + n_passed, some, _mm256_mask_compress_epi16(at, passed, at));
		n_passed += (size_t)__builtin_popcount(passed);
	}
	return n_passed;
}

/*
 * Few words are left of many after the first lookups, so these go first, and how many are left is one branch for all parts.
 * Windows are looked up by halves there too: positions that are written down are exact.
 */
size_t LW_FN(secret_candidates)(const struct lw_secret_filter *filter, const uint8_t *text, size_t n, int after_word,
                                uint16_t *positions)
{
	struct tables t = tables_of(filter);
	struct windows halves = windows_of(&filter->windows);
	struct part parts[PARTS];
	uint16_t words[PARTS * WORDS + 64], raw[MOST_RAW + 64];
	size_t n_some = 0, n_raw = 0, n_found = 0;

	for (size_t i = 0; i < n / 64; i += WORDS) {
		struct part *part = &parts[i / WORDS];
		size_t n_words = n / 64 - i < WORDS ? n / 64 - i : WORDS;
		uint64_t some;

		look_up(&t, text + i * 64, n_words, part);
		some = find_runs(n_words, part) | lw_nonzero_words(part->found, WORDS);
		n_some = lw_append_compressed(some, i, words, n_some);
	}
	for (size_t k = 0; k < n_some; k++) {
		size_t i = words[k];
		const struct part *part = &parts[i / WORDS];
		const uint8_t *p = text + i * 64;
		uint64_t found = part->found[i % WORDS] & windows_at(&halves, p);

		found |= runs_begin(&t, part, i % WORDS, p, is_after_word(p, i, after_word));
		n_raw = lw_append_compressed(found, i * 64, raw, n_raw);
		if (LW_UNLIKELY(n_raw >= MOST_RAW)) {
			n_found += pass_tables(filter, text, raw, n_raw, positions + n_found);
			n_raw = 0;
		}
	}
	return n_found + pass_tables(filter, text, raw, n_raw, positions + n_found);
}
