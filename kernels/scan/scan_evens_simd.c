/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan_evens in passes over 1 KiB of text: vector code makes the hashes of all even places, plain loads fetch the bytes of
 * the table (vector code that gathers them was slower), vector code picks their bits, a word for 64 places, and then come
 * the few places whose bit is set.
 *
 * As even places are words of 16 bits, bits for bytes of vectors are bits for places: those of odd ones are never set.
 */
#include "append_bits.h"
#include "vec.h"

#include "scan/scan_evens.h"

enum { PART = 1024, WORDS = PART / 64, READABLE = 64 + LW_SCAN_EVENS_STRIDE, AHEAD = 4096 };

struct hashes {
	uint16_t byte[PART / 2], bit[PART / 2], found[PART / 2];
};

/* The hashes of the places in n * 64 bytes. */
LW_INLINE void make_hashes(const struct lw_scan_evens *evens, const uint8_t *text, size_t n, struct hashes *h)
{
	static const uint8_t powers[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
	vq bit_of = vq_repeat16(powers), fold = vq_set16((uint16_t)evens->fold);
	vq low = vq_set16(LW_SCAN_EVENS_LOW), high = vq_set16(LW_SCAN_EVENS_HIGH);
	vq in_table = vq_set16(LW_SCAN_EVENS_BYTES - 1), eight = vq_set16(8);

	for (size_t i = 0; i < 64 * n; i += VQ_LANES) {
		vq first = vq_or(vq_load(text + i), fold), second = vq_or(vq_load(text + i + 2), fold);
		vq hash = vq_add16(vq_mul16(first, low), vq_mul16(second, high));

		vq_store16(h->byte + i / 2, vq_and(hash, in_table));
		vq_store16(h->bit + i / 2, vq_lookup(bit_of, vq_mul_high16(hash, eight)));
	}
}

/* Keeps compilers from putting numbers together in vectors before they store them, which takes longer. */
#if defined(__GNUC__)
#define LW_STORED() __asm__ volatile("" : : : "memory")
#else
#define LW_STORED() ((void)0)
#endif

LW_INLINE void fetch(const uint8_t *bits, size_t n, struct hashes *h)
{
	for (size_t i = 0; i < 32 * n; i += 8)
#pragma GCC unroll 8
		for (size_t k = 0; k < 8; k++) {
			h->found[i + k] = bits[h->byte[i + k]];
			LW_STORED();
		}
}

/* Bits for 64 bytes of text. */
LW_INLINE uint64_t word_of(const struct hashes *h, size_t i)
{
	const uint8_t *bit = (const uint8_t *)(h->bit + 32 * i), *found = (const uint8_t *)(h->found + 32 * i);
	uint64_t word = 0;

#pragma GCC unroll 4
	for (int v = 0; v < 64 / VQ_LANES; v++)
		word |= vq_nonzero_bits(vq_and(vq_load(bit + v * VQ_LANES), vq_load(found + v * VQ_LANES)))
		        << (v * VQ_LANES & 63);
	return word;
}

/* The words of n * 64 bytes of text, n <= WORDS; two bytes behind these can be read. */
LW_INLINE void find_words(const struct lw_scan_evens *evens, const uint8_t *text, size_t n, uint64_t words[WORDS])
{
	struct hashes h;

	make_hashes(evens, text, n, &h);
	fetch(evens->bits, n, &h);
	for (size_t i = 0; i < n; i++)
		words[i] = word_of(&h, i);
}

/* The word of the last bytes of a text, from `at` on, read together with bytes before these where there are some. */
LW_INLINE uint64_t last_word(const struct lw_scan_evens *evens, const uint8_t *text, size_t n, size_t at)
{
	size_t n_bytes = n + LW_SCAN_EVENS_WIDTH - 1, from = at;
	uint64_t words[WORDS];

	if (n_bytes >= READABLE) {
		from = (n_bytes - READABLE) & ~(size_t)1;
		from = from < at ? from : at;
		find_words(evens, text + from, 1, words);
	} else {
		uint8_t padded[READABLE] = { 0 };

		memcpy(padded, text + at, n_bytes - at);
		find_words(evens, padded, 1, words);
	}
	return words[0] >> (at - from);
}

size_t LW_FN(scan_evens)(const struct lw_scan_evens *evens, const uint8_t *text, size_t n, uint16_t *places)
{
	size_t n_bytes = n + LW_SCAN_EVENS_WIDTH - 1, n_found = 0, at = 0, n_words;
	uint64_t words[WORDS];

	for (; n >= at + 64 && n_bytes - at >= READABLE; at += 64 * n_words) {
		n_words = (n - at) / 64 < (n_bytes - at - 2) / 64 ? (n - at) / 64 : (n_bytes - at - 2) / 64;
		n_words = n_words < WORDS ? n_words : WORDS;
		for (size_t i = 0; i < n_words; i++)
			__builtin_prefetch(text + at + i * 64 + AHEAD);
		find_words(evens, text + at, n_words, words);
		for (size_t i = n_words; i < WORDS; i++)
			words[i] = 0;
		for (uint64_t some = lw_nonzero_words(words, WORDS); some; some &= some - 1) {
			size_t i = (size_t)__builtin_ctzll(some);

			n_found = lw_append_bits(words[i], at + i * 64, places, n_found);
		}
	}
	for (; at < n; at += 64) {
		uint64_t word = last_word(evens, text, n, at);

		if (n - at < 64)
			word &= UINT64_MAX >> (64 - (n - at));
		n_found = lw_append_bits(word, at, places, n_found);
	}
	return lw_scan_evens_keep(evens, text, places, n_found);
}
