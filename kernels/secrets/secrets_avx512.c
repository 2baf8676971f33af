/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_candidates where bytes can be looked up in 64 (vpermb), in loops over a block of words, which have a bit for each
 * of 64 positions.
 *
 * First, for each word, where windows may begin and which bytes are of tokens and of words. Windows are found by the lower
 * six bits of bytes, one lookup a place. That lets more pass than the filter says: bytes that differ in the upper two bits
 * only. Classes of bytes have to be exact for all 256; two lookups by halves of a byte are no slower there.
 *
 * Then the runs, eight words at a time: a shift over two neighbours is one step (vpshrdq). From the last to the first, so
 * that of what doubles the words behind are known.
 *
 * At last, positions of bits are written down. Those that have no key go; what is left was found by its run, or is looked
 * up by the halves of its bytes.
 */
#include "append_bits_avx512.h"
#include "secrets/secrets_filter.h"

/* As many words as there are positions, and those behind, and before, that are read or written eight at a time. */
enum { WORDS = LW_SECRET_POSITIONS / 64, ROOM = WORDS + 8, BEFORE = 8 };

struct tables {
	__m512i groups[LW_SECRET_PLACES], class_low, class_high;
};

struct words {
	uint64_t found[ROOM], token[ROOM], run[ROOM], word[BEFORE + ROOM];
};

/* The groups of bytes with the same lower six bits: all that any of the four has. */
LW_INLINE __m512i six_bits(const uint8_t low[16], const uint8_t high[16])
{
	const __m512i spread = _mm512_set_epi64(0x0303030303030303, 0x0303030303030303, 0x0202020202020202,
	                                        0x0202020202020202, 0x0101010101010101, 0x0101010101010101, 0, 0);
	__m128i any = _mm_loadu_si128((const __m128i *)high);

	any = _mm_or_si128(any, _mm_bsrli_si128(any, 8));
	any = _mm_or_si128(any, _mm_bsrli_si128(any, 4));
	return _mm512_and_si512(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)low)),
	                        _mm512_shuffle_epi8(_mm512_broadcast_i32x4(any), spread));
}

/* Which of 64 bytes are of tokens and of words. */
LW_INLINE void classify(const struct tables *t, __m512i bytes, uint64_t *token, uint64_t *word)
{
	__m512i high = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), _mm512_set1_epi8(15));
	__m512i class =
	        _mm512_and_si512(_mm512_shuffle_epi8(t->class_low, bytes), _mm512_shuffle_epi8(t->class_high, high));

	/* No class has bit 7; by it one mask is made where the other kind of comparison is not. */
	_store_mask64((__mmask64 *)token, _mm512_movepi8_mask(_mm512_adds_epu8(class, _mm512_set1_epi8(127))));
	_store_mask64((__mmask64 *)word, _mm512_test_epi8_mask(class, _mm512_set1_epi8(LW_SECRET_WORD)));
}

LW_INLINE __mmask64 windows_at(const struct tables *t, __m512i bytes, const uint8_t *p)
{
	__m512i groups = _mm512_permutexvar_epi8(bytes, t->groups[0]);

#pragma GCC unroll 4
	for (int j = 1; j < LW_SECRET_PLACES; j++)
		groups = _mm512_and_si512(groups, _mm512_permutexvar_epi8(_mm512_loadu_si512(p + j), t->groups[j]));
	return _mm512_test_epi8_mask(groups, groups);
}

/* `found` gets windows; tokens are known for a word more. */
LW_INLINE void look_up(const struct tables *t, const uint8_t *text, size_t n_words, struct words *w)
{
#pragma GCC unroll 2
	for (size_t i = 0; i < n_words; i++, text += 64) {
		__m512i bytes = _mm512_loadu_si512(text);

		__builtin_prefetch(text + 4096);
		classify(t, bytes, &w->token[i], &w->word[BEFORE + i]);
		_store_mask64((__mmask64 *)&w->found[i], windows_at(t, bytes, text));
	}
	classify(t, _mm512_loadu_si512(text), &w->token[n_words], &w->word[BEFORE + n_words]);
	w->word[BEFORE + n_words] = w->found[n_words] = 0;
	for (size_t i = n_words + 1; i % 8; i++)
		w->token[i] = w->word[BEFORE + i] = w->found[i] = 0;
}

/* Of bits that tell of so many places from theirs on, those that do so of twice as many; *behind are the words behind. */
#define DOUBLED(bits, behind, by) \
	_mm512_and_si512(bits, _mm512_shrdi_epi64(bits, _mm512_alignr_epi64(behind, bits, 1), by))

/* Words in which a run begins, and so in `found` besides. */
LW_INLINE void add_runs(size_t n_words, struct words *w)
{
	__m512i none = _mm512_setzero_si512(), behind = none, behind_2 = none, behind_4 = none, behind_8 = none;

	_Static_assert(LW_SECRET_RUN_BYTES == 16, "four times doubled");
	for (size_t i = n_words / 8 * 8 + 8; i > 0;) {
		i -= 8;

		__m512i token = _mm512_loadu_si512(w->token + i), word = _mm512_loadu_si512(w->word + BEFORE + i);
		__m512i before = _mm512_loadu_si512(w->word + BEFORE + i - 1);
		__m512i twos = DOUBLED(token, behind, 1), fours = DOUBLED(twos, behind_2, 2);
		__m512i eights = DOUBLED(fours, behind_4, 4), runs = DOUBLED(eights, behind_8, 8);
		__m512i begins = _mm512_andnot_si512(_mm512_shldi_epi64(word, before, 1), word);

		behind = token;
		behind_2 = twos;
		behind_4 = fours;
		behind_8 = eights;
		runs = _mm512_and_si512(runs, begins);
		_mm512_storeu_si512(w->run + i, runs);
		_mm512_storeu_si512(w->found + i, _mm512_or_si512(runs, _mm512_loadu_si512(w->found + i)));
	}
}

LW_INLINE int has_window(const struct lw_secret_filter *filter, const uint8_t *p)
{
	uint8_t groups = 0xff;

#pragma GCC unroll 4
	for (int j = 0; j < LW_SECRET_PLACES; j++)
		groups &= filter->low[j][p[j] & 15] & filter->high[j][p[j] >> 4];
	return groups != 0;
}

LW_INLINE size_t keep_places(const struct lw_secret_filter *filter, const uint8_t *text, const uint64_t *run,
                             const uint16_t *raw, size_t n_raw, uint16_t *positions)
{
	size_t n_keys = 0, n_found = 0;

	for (size_t i = 0; i < n_raw; i++) {
		positions[n_keys] = raw[i];
		n_keys += (size_t)lw_secret_passes(filter, lw_secret_bytes(text + raw[i]));
	}
	for (size_t i = 0; i < n_keys; i++) {
		uint16_t at = positions[i];
		size_t is_run = run[at / 64] >> at % 64 & 1;

		positions[n_found] = at;
		n_found += is_run | (size_t)has_window(filter, text + at);
	}
	return n_found;
}

size_t LW_FN(secret_candidates)(const struct lw_secret_filter *filter, const uint8_t *text, size_t n, int after_word,
                                uint16_t *positions)
{
	struct tables t;
	struct words words;
	uint8_t numbers[ROOM];
	uint16_t raw[LW_SECRET_POSITIONS + 64];
	size_t n_words = n / 64, n_raw = 0;

	for (int j = 0; j < LW_SECRET_PLACES; j++)
		t.groups[j] = six_bits(filter->low[j], filter->high[j]);
	t.class_low = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)lw_secret_class_low));
	t.class_high = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)lw_secret_class_high));
	words.word[BEFORE - 1] = after_word ? UINT64_C(1) << 63 : 0;
	look_up(&t, text, n_words, &words);
	add_runs(n_words, &words);
	n_words = lw_keep_words(words.found, n_words, numbers);
	for (size_t k = 0; k < n_words; k++)
		n_raw = lw_append_compressed(words.found[k], numbers[k] * 64u, raw, n_raw);
	return keep_places(filter, text, words.run, raw, n_raw, positions);
}
