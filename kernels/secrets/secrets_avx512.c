/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_candidates where bytes can be looked up in 64 (vpermb): windows by the lower six bits of bytes, of which one lookup
 * a place tells more than two by halves.
 */
#include "append_bits_avx512.h"
#include "secrets/secrets_filter.h"

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

LW_INLINE size_t append_positions(uint64_t word, size_t first, uint16_t *raw, size_t n)
{
	return lw_append_compressed(word, first, raw, n);
}

#include "secrets/secrets_candidates.h"
