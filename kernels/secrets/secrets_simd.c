/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_candidates, 64 positions to a word. Groups of windows are found as in scan_simd.c. Runs take a bit for each byte
 * of a token and, by shifts that double, keep those that end LW_SECRET_RUN_BYTES of them; the word behind is classified
 * ahead, so that a run is known where it begins. What is found goes through the tables without a branch.
 */
#include "append_bits.h"
#include "vec.h"

#include "secrets/secrets_filter.h"

enum { GROUP = 4 };

struct tables {
	vq low[LW_SECRET_PLACES], high[LW_SECRET_PLACES], class_low, class_high, word;
};

/* Bytes of tokens and of words, a bit for each of 64. */
struct classes {
	uint64_t token, word;
};

/* Of the word before: its last bits matter. */
struct before {
	uint64_t token, pairs, fours, eights, word;
};

/* The bytes at p, loaded once: most loads reach over the end of a cache line, and compilers repeat them for each use. */
LW_INLINE vq load_once(const uint8_t *p)
{
	vq v = vq_load(p);

#if defined(__GNUC__) && !defined(__clang__) && defined(__AVX2__) && !defined(LW_NEON_VIA_SIMDE)
	__asm__("" : "+v"(v));
#endif
	return v;
}

LW_INLINE struct classes classify(const struct tables *t, const uint8_t *p)
{
	struct classes c = { 0, 0 };

#pragma GCC unroll 4
	for (int v = 0; v < 64 / VQ_LANES; v++) {
		vq bytes = load_once(p + v * VQ_LANES);
		vq class = vq_and(vq_lookup(t->class_low, vq_ascii_index(bytes)),
		                  vq_lookup(t->class_high, vq_high_half(bytes)));

		c.token |= vq_nonzero_bits(class) << (v * VQ_LANES & 63);
		c.word |= vq_nonzero_bits(vq_and(class, t->word)) << (v * VQ_LANES & 63);
	}
	return c;
}

LW_INLINE uint64_t windows_at(const struct tables *t, const uint8_t *p)
{
	uint64_t word = 0;

#pragma GCC unroll 4
	for (int v = 0; v < 64 / VQ_LANES; v++) {
		vq groups = t->word;

#pragma GCC unroll 4
		for (int j = 0; j < LW_SECRET_PLACES; j++) {
			vq bytes = load_once(p + v * VQ_LANES + j);
			/* All windows are ASCII but for the last place, which may be any byte. */
			vq low = j < LW_SECRET_PLACES - 1 ? vq_ascii_index(bytes) : vq_low_half(bytes);
			vq here = vq_and(vq_lookup(t->low[j], low), vq_lookup(t->high[j], vq_high_half(bytes)));

			groups = j ? vq_and(groups, here) : here;
		}
		word |= vq_nonzero_bits(groups) << (v * VQ_LANES & 63);
	}
	return word;
}

LW_INLINE uint64_t behind(uint64_t before, uint64_t x, int by) { return x << by | before >> (64 - by); }

/* The bits where runs have their last byte that counts. */
LW_INLINE uint64_t run_ends(struct before *b, uint64_t token)
{
	uint64_t pairs = token & behind(b->token, token, 1);
	uint64_t fours = pairs & behind(b->pairs, pairs, 2);
	uint64_t eights = fours & behind(b->fours, fours, 4);
	uint64_t all = eights & behind(b->eights, eights, 8);

	_Static_assert(LW_SECRET_RUN_BYTES == 16, "four times doubled");
	b->token = token;
	b->pairs = pairs;
	b->fours = fours;
	b->eights = eights;
	return all;
}

/* What goes from one word to the next: how the one ahead is classified, and where its runs end. */
struct state {
	struct before before;
	struct classes ahead;
	uint64_t ends;
};

LW_INLINE uint64_t next_word(const struct tables *t, struct state *s, const uint8_t *p)
{
	uint64_t word = s->ahead.word, ends = s->ends;
	uint64_t begins = word & ~behind(s->before.word, word, 1);

	s->before.word = word;
	s->ahead = classify(t, p + 64);
	s->ends = run_ends(&s->before, s->ahead.token);
	begins &= ends >> (LW_SECRET_RUN_BYTES - 1) | s->ends << (64 - (LW_SECRET_RUN_BYTES - 1));
	return begins | windows_at(t, p);
}

LW_INLINE size_t find_raw(const struct lw_secret_filter *filter, const uint8_t *text, size_t n, int after_word,
                          uint16_t *raw)
{
	struct tables t;
	struct state s = { .before = { .word = after_word ? UINT64_C(1) << 63 : 0 } };
	size_t n_raw = 0, at = 0;

	for (int j = 0; j < LW_SECRET_PLACES; j++) {
		t.low[j] = vq_repeat16(filter->low[j]);
		t.high[j] = vq_repeat16(filter->high[j]);
	}
	t.class_low = vq_repeat16(lw_secret_class_low);
	t.class_high = vq_repeat16(lw_secret_class_high);
	t.word = vq_set1(LW_SECRET_WORD);
	if (n > 0) {
		s.ahead = classify(&t, text);
		s.ends = run_ends(&s.before, s.ahead.token);
	}
	for (; at + GROUP * 64 <= n; at += GROUP * 64) {
		uint64_t word[GROUP], any = 0;

#pragma GCC unroll 4
		for (int k = 0; k < GROUP; k++) {
			__builtin_prefetch(text + at + k * 64 + 4096);
			word[k] = next_word(&t, &s, text + at + k * 64);
			any |= word[k];
		}
		if (LW_LIKELY(any == 0))
			continue;
#pragma GCC unroll 4
		for (int k = 0; k < GROUP; k++)
			n_raw = lw_append_bits(word[k], at + k * 64, raw, n_raw);
	}
	for (; at < n; at += 64)
		n_raw = lw_append_bits(next_word(&t, &s, text + at), at, raw, n_raw);
	return n_raw;
}

size_t LW_FN(secret_candidates)(const struct lw_secret_filter *filter, const uint8_t *text, size_t n, int after_word,
                                uint16_t *positions)
{
	uint16_t raw[LW_SECRET_POSITIONS + 2];
	size_t n_raw = find_raw(filter, text, n, after_word, raw), n_found = 0;

	for (size_t i = 0; i < n_raw; i++) {
		positions[n_found] = raw[i];
		n_found += (size_t)lw_secret_passes(filter, lw_secret_bytes(text + raw[i]));
	}
	return n_found;
}
