/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What secret_candidates is made of, in loops over words, which have a bit for each of 64 positions.
 *
 * First, all that every byte has to go through: where windows may begin, one lookup a place, and which quads have no byte
 * that ends a run. Then, for each 64 quads at once, by shifts, where so many of them follow each other as every run has.
 * Few words have such a place; only for these it is found out where in them words of text begin.
 *
 * Windows anywhere are looked up by the halves of bytes or by six bits of them. So before this, a file defines
 * struct anywhere, anywhere_of(filter) and anywhere_at(&anywhere, p), which is a bit for each of 64 positions from p on.
 */
#ifndef LW_SECRETS_CANDIDATES_H
#define LW_SECRETS_CANDIDATES_H

#include <string.h>

#include "append_bits.h"
#include "vec.h"

#include "secrets/secrets_filter.h"
#include "secrets/secrets_windows.h"

/*
 * Words are looked up by parts, of as many as a word has bits; behind a part's words is one whose runs count, and those that
 * are read with others.
 */
enum { WORDS = 64, PART = WORDS * 64, PARTS = LW_SECRET_POSITIONS / PART, ROOM = WORDS + 8, AT_ONCE = 4 };

struct tables {
	struct anywhere anywhere;
	struct windows runs;
	vq word_low, word_high, least;
};

/* A bit for each quad, of a word or of AT_ONCE. */
union quads {
	uint16_t twos[ROOM];
	uint64_t eights[ROOM / AT_ONCE];
};

struct part {
	uint64_t found[WORDS];
	union quads quads, run; /* those that no run ends in, and that a run may begin at or just before */
};

LW_INLINE uint64_t quads_at(const struct tables *t, const uint8_t *p)
{
	uint64_t bits = 0;

#pragma GCC unroll 4
	for (int v = 0; v < 64 / VQ_LANES; v++) {
		bits |= vq_quad_bits(vq_load(p + v * VQ_LANES), t->least) << (v * (VQ_LANES / 4));
	}
	return bits;
}

/* `found` gets windows; quads are known for a word more, behind which there are none. */
LW_INLINE void look_up(const struct tables *t, const uint8_t *text, size_t n_words, struct part *w)
{
#pragma GCC unroll 4
	for (size_t i = 0; i < n_words; i++, text += 64) {
		__builtin_prefetch(text + 4096);
		w->found[i] = anywhere_at(&t->anywhere, text);
		w->quads.twos[i] = (uint16_t)quads_at(t, text);
	}
	memset(w->quads.twos + n_words, 0, (ROOM - n_words) * sizeof *w->quads.twos);
	memset(w->found + n_words, 0, (WORDS - n_words) * sizeof *w->found);
	w->quads.twos[n_words] = (uint16_t)quads_at(t, text);
}

/* A bit for each word of 64 bytes that are not 0. */
LW_INLINE uint64_t bits_of_flags(const uint8_t flags[WORDS])
{
	uint64_t bits = 0;

	_Static_assert(WORDS == 64, "a bit for each");
#pragma GCC unroll 4
	for (int v = 0; v < WORDS / VQ_LANES; v++) {
		bits |= vq_nonzero_bits(vq_load(flags + v * VQ_LANES)) << (v * VQ_LANES & 63);
	}
	return bits;
}

/*
 * Where runs may begin, into w->run; returns a bit for each word in which they do. What begins at a word's first quad may
 * do so in the last bytes of the word before. The loops are for the compiler to make vectors of.
 */
LW_INLINE uint64_t find_runs(size_t n_words, struct part *w)
{
	uint64_t bits;
	uint8_t flags[WORDS];

	for (int i = 0; i <= WORDS / AT_ONCE; i++) {
		uint64_t quads = w->quads.eights[i], next = w->quads.eights[i + 1], run = quads;

#pragma GCC unroll 8
		for (int k = 1; k < LW_SECRET_RUN_QUADS; k++) {
			run &= quads >> k | next << (64 - k);
		}
		w->run.eights[i] = run;
	}
	for (int i = 0; i < WORDS; i++)
		flags[i] = (w->run.twos[i] | (w->run.twos[i + 1] & 1)) != 0;
	bits = bits_of_flags(flags);
	return n_words < WORDS ? bits & ((UINT64_C(1) << n_words) - 1) : bits;
}

/* Each of 16 bits, four times. */
LW_INLINE uint64_t four_times(uint64_t x)
{
#ifdef __BMI2__
	x = _pdep_u64(x, UINT64_C(0x1111111111111111));
#else
	x = (x | x << 24) & UINT64_C(0x000000ff000000ff);
	x = (x | x << 12) & UINT64_C(0x000f000f000f000f);
	x = (x | x << 6) & UINT64_C(0x0303030303030303);
	x = (x | x << 3) & UINT64_C(0x1111111111111111);
#endif
	return (x << 4) - x;
}

/* The positions of a word from which on so many quads follow as a run has. */
LW_INLINE uint64_t before_runs(const struct part *w, size_t i)
{
	return four_times(w->run.twos[i]) >> 3 | (uint64_t)(w->run.twos[i + 1] & 1) * 7 << 61;
}

/* Where words of text begin in the 64 bytes at p. */
LW_INLINE uint64_t words_begin(const struct tables *t, const uint8_t *p, uint64_t after_word)
{
	uint64_t word = 0;

#pragma GCC unroll 4
	for (int v = 0; v < 64 / VQ_LANES; v++) {
		vq bytes = vq_load(p + v * VQ_LANES);

		word |= vq_common_bits(vq_lookup(t->word_low, vq_ascii_index(bytes)),
		                       vq_lookup(t->word_high, vq_high_half(bytes)))
		        << (v * VQ_LANES & 63);
	}
	return word & ~(word << 1 | after_word);
}

/* Where runs begin in a part's word i, after a byte of a word or not. */
LW_INLINE uint64_t runs_begin(const struct tables *t, const struct part *w, size_t i, const uint8_t *p,
                              uint64_t after_word)
{
	return words_begin(t, p, after_word) & before_runs(w, i) & windows_at(&t->runs, p);
}

/* Whether the byte before p, which is at position i * 64 of the text, is a word's. */
LW_INLINE uint64_t is_after_word(const uint8_t *p, size_t i, int after_word)
{
	return i ? lw_secret_is_word(p[-1]) : after_word != 0;
}

LW_INLINE struct tables tables_of(const struct lw_secret_filter *filter)
{
	struct tables t = { .anywhere = anywhere_of(filter), .runs = windows_of(&filter->runs) };

	t.word_low = vq_repeat16(lw_secret_word_low);
	t.word_high = vq_repeat16(lw_secret_word_high);
	t.least = vq_set1(LW_SECRET_RUN_LEAST);
	return t;
}

#endif
